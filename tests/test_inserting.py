"""``Model.create`` and ``insert_many`` do what peewee's do, whatever the model, the values and the store; only sooner."""

from __future__ import annotations

import datetime
import inspect
import itertools
from collections.abc import Callable
from typing import Any

import peewee
import pytest
from peewee import BooleanField, CharField, DateTimeField, IntegerField, TextField, UUIDField
from playhouse.signals import Model as SignalModel
from playhouse.signals import post_save

from activeassoc import Model, UnsavedRecordError, WrongTarget, connect, sync
from activeassoc.inserting import creator
from activeassoc.keys import is_saved
from activeassoc.testing import assert_queries


class Upper(TextField):
    """A field that stores in its own way."""

    def db_value(self, value: Any) -> Any:
        return None if value is None else str(value).upper()


class Written(TextField):
    """A field whose value is written as SQL."""

    def db_value(self, value: Any) -> Any:
        return peewee.fn.LOWER(peewee.Value(value, converter=False))


class Models:
    """Models of many kinds of columns, keys and defaults."""

    def __init__(self, Base: Any) -> None:
        numbers = itertools.count()
        self.calls: list[int] = []

        def number() -> int:
            self.calls.append(next(numbers))
            return self.calls[-1]

        class User(Base):
            name = CharField()
            age = IntegerField(null=True)
            active = BooleanField(default=True)
            serial = IntegerField(default=number)
            born = DateTimeField(null=True)
            shout = Upper(null=True, column_name="loud")

        class Post(Base):
            title = CharField(default="untitled")
            user = peewee.ForeignKeyField(User, null=True, backref="posts")

        class Country(Base):
            code = CharField(primary_key=True)
            name = CharField(null=True)

        class Pair(Base):
            one, other, note = IntegerField(), IntegerField(), CharField(null=True)

            class Meta:
                primary_key = peewee.CompositeKey("one", "other")

        class Line(Base):
            text = CharField()

            class Meta:
                primary_key = False

        class Note(Base):
            text = Written()
            token = UUIDField(null=True)

        self.User, self.Post, self.Country, self.Pair, self.Line, self.Note = User, Post, Country, Pair, Line, Note
        sync(Base._meta.database)
        self.ann = User.create(name="Ann")


@pytest.fixture
def m(Base: Any) -> Models:
    return Models(Base)


BORN = datetime.datetime(2000, 1, 2, 3, 4, 5)

CREATED: dict[str, Callable[[Models], tuple[Any, dict[str, Any]]]] = {
    "plain values": lambda m: (m.User, {"name": "a", "age": 3}),
    "every value": lambda m: (m.User, {"born": BORN, "shout": "x", "serial": 5, "active": False, "age": 1, "name": "b"}),
    "NULL": lambda m: (m.User, {"name": "a", "age": None, "born": None, "shout": None}),
    "values of other types": lambda m: (m.User, {"name": 7, "age": "8", "active": 1, "born": "2001-02-03 04:05:06"}),
    "True as a number": lambda m: (m.User, {"name": "a", "age": True}),
    "an expression": lambda m: (m.User, {"name": peewee.fn.LOWER("ABC"), "age": 1}),
    "the key given": lambda m: (m.User, {"id": 77, "name": "a"}),
    "the key given as None": lambda m: (m.User, {"id": None, "name": "a"}),
    "defaults alone": lambda m: (m.Post, {}),
    "a record": lambda m: (m.Post, {"title": "a", "user": m.ann}),
    "a key": lambda m: (m.Post, {"title": "a", "user": m.ann.id}),
    "a key as text": lambda m: (m.Post, {"title": "a", "user": str(m.ann.id)}),
    "by the key's name": lambda m: (m.Post, {"user_id": m.ann.id}),
    "no record": lambda m: (m.Post, {"user": None}),
    "an attribute that is no column": lambda m: (m.Post, {"title": "a", "colour": "red"}),
    "a key that is no number": lambda m: (m.Country, {"code": "de", "name": "Germany"}),
    "a key of two": lambda m: (m.Pair, {"one": 1, "other": 2}),
    "no key": lambda m: (m.Line, {"text": "a"}),
    "SQL of the field's own": lambda m: (m.Note, {"text": "ABC"}),
    "a UUID": lambda m: (m.Note, {"text": "a", "token": "12345678123456781234567812345678"}),
}


def held(record: Any) -> Any:
    """What the instance holds, without the number that each call makes."""
    values = {name: repr(value) for name, value in record.__data__.items() if name not in ("id", "serial")}
    return values, record._dirty, record.__rel__, is_saved(record), getattr(record, "colour", None)


def stored(record: Any) -> Any:
    """The row as the database has it."""
    model = type(record)
    key = model._meta.primary_key
    query = model.select().where(record._pk_expr()) if key is not False else model.select().limit(1)
    return {name: value for name, value in query.dicts().get().items() if name not in ("id", "serial")}


@pytest.mark.parametrize("case", CREATED)
def test_create_is_the_constructor_and_save(m: Models, case: str) -> None:
    """F10: the record and its row are what ``record = User(…)`` and ``record.save(force_insert=True)`` give, with one statement."""
    model, values = CREATED[case](m)
    before = len(m.calls)
    with assert_queries(1):
        created = model.create(**values)
    assert len(m.calls) - before <= 1
    if case not in ("an attribute that is no column", "the key given as None"):
        assert created.__data__.keys() >= {model._meta.combined[name].name for name in values}
    row = stored(created)
    if model._meta.primary_key is not False:
        created.delete_instance()
    saved = model(**values)
    saved.save(force_insert=True)
    assert held(created) == held(saved)
    assert row == stored(saved)
    assert list(created.__data__) == list(saved.__data__)


def test_create_again_and_again(m: Models) -> None:
    """F10: the kept statement takes other values each time, and each record has the key of its own row."""
    made = [m.User.create(name=f"n{number}", age=number) for number in range(20)]
    assert len({user.id for user in made}) == 20
    rows = {user.id: (user.name, user.age, user.serial) for user in m.User.select()}
    assert all(rows[user.id] == (user.name, user.age, user.serial) for user in made)
    made[3].name = "other"
    assert made[3].dirty_field_names == ["name"]
    assert made[3].save() == 1


def test_create_raises_as_ever(m: Models) -> None:
    """D1: what the database refuses, and a record that is not saved; nothing is written."""
    numbers = [model.select().count() for model in (m.User, m.Post, m.Country)]
    for make in (lambda: m.User.create(age=1), lambda: m.User.create(name=None)):
        with pytest.raises(peewee.IntegrityError), m.User._meta.database.atomic():
            make()
    m.Country.create(code="de")
    with pytest.raises(peewee.IntegrityError), m.User._meta.database.atomic():
        m.Country.create(code="de")
    with pytest.raises(UnsavedRecordError):
        m.Post.create(title="a", user=m.User(name="new"))
    assert [model.select().count() for model in (m.User, m.Post, m.Country)] == [numbers[0], numbers[1], 1]


def test_create_refuses_strangers(Base: Any) -> None:
    """C1: a record of another model in the place of an association's."""

    class Owner(Base):
        name = CharField()

    class Pet(Base):
        name = CharField()

    Pet.belongs_to(Owner)
    sync(Base._meta.database)
    owner = Owner.create(name="a")
    pet = Pet.create(name="b", owner=owner)
    assert (pet.owner, pet.owner_id, pet._dirty) == (owner, owner.id, set())
    assert Pet.create(name="c", owner_id=owner.id).owner == owner
    with pytest.raises(WrongTarget):
        Pet.create(name="d", owner=pet)
    with pytest.raises(UnsavedRecordError):
        Pet.create(name="e", owner=Owner(name="new"))
    assert Pet.select().count() == 2


def test_create_is_seen_and_taken_back(m: Models) -> None:
    """F10: hooks see the statement with its values, and a transaction that is rolled back takes it along."""
    database, seen = m.User._meta.database, []
    m.User.create(name="before")
    database.query_hooks.append(seen.append)
    try:
        m.User.create(name="seen")
        with pytest.raises(peewee.IntegrityError), database.atomic():
            m.User.create(name=None)
    finally:
        database.query_hooks.clear()
    inserts = [event for event in seen if event.sql.startswith("INSERT")]
    assert ("seen" in inserts[0].params, inserts[0].exception) == (True, None)
    assert isinstance(inserts[1].exception, peewee.IntegrityError)
    with database.atomic() as transaction:
        m.User.create(name="gone")
        transaction.rollback()
    assert [user.name for user in m.User.select().order_by(m.User.id)] == ["Ann", "before", "seen"]


def test_what_a_class_does_itself_is_asked(Base: Any) -> None:
    """F10: a save, an insert, a constructor, a mixin's or a signal's, sees every record that is created."""
    seen: list[str] = []

    class Mixin:
        def save(self, *arguments: Any, **options: Any) -> Any:
            seen.append("mixin")
            return super().save(*arguments, **options)  # type: ignore[misc]

    class Saving(Mixin, Base):
        title = CharField()

    class Inserting(Base):
        title = CharField()

        @classmethod
        def insert(cls, *arguments: Any, **values: Any) -> Any:
            seen.append("insert")
            return super().insert(*arguments, **values)

    class Constructed(Base):
        title = CharField()

        def __init__(self, **values: Any) -> None:
            seen.append("init")
            super().__init__(**values)

    class Signalling(Base, SignalModel):
        title = CharField()

    class Plain(Base):
        title = CharField()

    sync(Base._meta.database)
    post_save(sender=Signalling)(lambda sender, instance, created: seen.append("signal"))
    Plain.create(title="a")
    for model in (Saving, Inserting, Constructed, Signalling):
        model.create(title="a")
    assert seen == ["mixin", "insert", "init", "signal"]
    assert creator(Plain, ("title",)) is not None

    def patched(self: Any, *arguments: Any, **options: Any) -> Any:
        seen.append("patched")
        return Base.save(self, *arguments, **options)

    Plain.save = patched
    Plain.create(title="b")
    assert (seen[-1], Plain.select().count()) == ("patched", 2)


def test_a_database_that_executes_itself_is_asked() -> None:
    """F10: a database class with its own ``execute`` gets the query, and one with its own ``execute_sql`` the statement."""
    seen: list[str] = []

    class Executing(peewee.SqliteDatabase):
        def execute(self, query: Any, **options: Any) -> Any:
            seen.append(type(query).__name__)
            return super().execute(query, **options)

    class Sending(peewee.SqliteDatabase):
        def execute_sql(self, sql: Any, params: Any = None) -> Any:
            seen.append(sql.partition(" ")[0])
            return super().execute_sql(sql, params)

    for kind in (Executing, Sending):
        database = kind(":memory:")
        meta = type("Meta", (), {"database": database})
        thing: Any = type(Model)("Thing", (Model,), {"title": CharField(), "Meta": meta, "__module__": __name__})
        database.create_tables([thing])
        seen.clear()
        assert thing.create(title="a").id == 1
        assert seen == (["Insert"] if kind is Executing else ["INSERT"])
        database.close()


def test_returning_on_sqlite() -> None:
    """F10: a database that is told to use RETURNING brings the key that way."""
    database: Any = connect("sqlite://", returning_clause=True)
    meta = type("Meta", (), {"database": database})
    thing: Any = type(Model)("Thing", (Model,), {"title": CharField(), "Meta": meta, "__module__": __name__})
    sync(database)
    with assert_queries(2, database) as events:
        assert [thing.create(title="a").id, thing.create(title="b").id] == [1, 2]
    assert all(event.sql.endswith('RETURNING "thing"."id"') for event in events)
    database.close()


def test_collections_are_linked(Base: Any) -> None:
    """F10: what create is given for a collection is linked in the same transaction."""

    class Owner(Base):
        name = CharField()

    class Pet(Base):
        name = CharField(null=True)

    Owner.has_many(Pet)
    sync(Base._meta.database)
    Owner.create(name="first")
    owner = Owner.create(name="a", pets=[Pet(name="b"), Pet.create(name="c")])
    assert {pet.name for pet in owner.get_pets()} == {"b", "c"}
    assert Pet.create(name="d").owner_id is None


# Many rows


OTHERS = ("name", "age", "shout", "born")

INSERTED: dict[str, Callable[[Models], tuple[Any, Any]]] = {
    "dicts": lambda m: (m.User, [{"name": f"n{number}", "age": number} for number in range(4)]),
    "one": lambda m: (m.User, [{"name": "a"}]),
    "other types": lambda m: (m.User, [{"name": 1, "age": "2", "shout": "x", "born": BORN}, dict.fromkeys(OTHERS) | {"name": "b"}]),
    "a key missing": lambda m: (m.User, [{"name": "a", "age": 1}, {"name": "b"}]),
    "a key more": lambda m: (m.User, [{"name": "a"}, {"name": "b", "age": 1}]),
    "by field": lambda m: (m.User, [{m.User.name: "a"}, {m.User.name: "b"}]),
    "an expression": lambda m: (m.User, [{"name": "a"}, {"name": peewee.fn.LOWER("ABC")}]),
    "records": lambda m: (m.Post, [{"title": "a", "user": m.ann}, {"title": "b", "user": m.ann.id}]),
    "by the key's name": lambda m: (m.Post, [{"title": "a", "user_id": m.ann.id}]),
    "keys": lambda m: (m.Pair, [{"one": 1, "other": number} for number in range(3)]),
    "SQL of the field's own": lambda m: (m.Note, [{"text": "ABC"}, {"text": "DEF"}]),
}


def _rows(model: Any) -> list[Any]:
    rows = [tuple(value for name, value in row.items() if name not in ("id", "serial")) for row in model.select().dicts()]
    return sorted(rows, key=repr)


@pytest.mark.parametrize("case", INSERTED)
def test_insert_many_inserts_the_same(m: Models, case: str) -> None:
    """Insert: the rows of a list, a tuple or a generator, in one statement with peewee's own text and values."""
    model, rows = INSERTED[case](m)
    shapes: tuple[Any, ...] = (list, tuple, iter)
    found = []
    for query in (peewee.ModelInsert(model, insert=rows), *(model.insert_many(shape(rows)) for shape in shapes)):
        m.calls.clear()
        with m.User._meta.database.atomic() as transaction:
            with assert_queries(1) as events:
                query.execute()
            if model is m.User and case != "an expression":
                assert len(m.calls) == len(rows)
            found.append((_rows(model), events[0].sql, len(events[0].params)))
            transaction.rollback()
    assert found[1:] == found[:1] * 3


def test_insert_many_of_columns(m: Models) -> None:
    """Insert: rows as lists or tuples of given columns, and records in bulk."""
    fields = [m.Pair.one, m.Pair.other, m.Pair.note]
    assert m.Pair.insert_many([(1, 1, "a"), [1, 2, None]], fields=fields).as_rowcount().execute() == 2
    m.Pair.insert_many([(2, 1), (2, 2)], fields=["one", "other"]).execute()
    m.Pair.bulk_create([m.Pair(one=3, other=number, note="c") for number in range(3)])
    assert _rows(m.Pair) == sorted([(1, 1, "a"), (1, 2, None), (2, 1, None), (2, 2, None), *((3, n, "c") for n in range(3))], key=repr)
    users = [m.User(name=f"u{number}") for number in range(3)]
    m.User.bulk_create(users)
    assert m.User.select().where(m.User.name.startswith("u")).count() == 3


def test_insert_many_refuses_as_ever(m: Models) -> None:
    """Insert: a value that is missing, an unknown column, no rows at all, and what the database refuses."""
    with pytest.raises(ValueError, match="Missing value for name"):
        m.User.insert_many([{"name": "a"}, {"age": 1}]).execute()
    for unknown in ({"nam": "a"}, {"name": "a", "loud": "x"}):
        with pytest.raises(AttributeError):
            m.User.insert_many([unknown]).execute()
    before = m.User.select().count()
    assert m.User.insert_many([]).as_rowcount().execute() in (0, None)
    with pytest.raises(peewee.IntegrityError), m.User._meta.database.atomic():
        m.User.insert_many([{"name": "a"}, {"name": None}]).execute()
    assert m.User.select().count() == before


@pytest.mark.needs("conflict_nothing")
def test_insert_many_with_conflicts(m: Models) -> None:
    """Insert: ON CONFLICT stands behind the values as before."""
    m.Country.create(code="de", name="Germany")
    rows = [{"code": "de", "name": "x"}, {"code": "fr", "name": "France"}]
    assert m.Country.insert_many(rows).on_conflict(action="nothing").as_rowcount().execute() == 1
    m.Country.insert_many(rows).on_conflict(conflict_target=[m.Country.code], preserve=[m.Country.name]).execute()
    assert {each.code: each.name for each in m.Country.select()} == {"de": "x", "fr": "France"}


def test_the_text_of_a_creator_can_be_read(m: Models) -> None:
    """F10: ``inspect.getsource`` shows the function that was generated."""
    text = inspect.getsource(creator(m.Country, ("code", "name")))  # type: ignore[arg-type]
    assert text.startswith(
        'def create(query):\n    """Make a Country of these values and insert it."""\n'
        "    if 'execute' in own: return by_constructor(Model, query)\n    code_ = query['code']\n"
    )
