"""Records that were read from rows are the very ones that peewee would make: same values, same state, whatever the model and the row."""

from __future__ import annotations

import copy
import datetime
import decimal
import inspect
import pickle
import threading
import uuid
from collections.abc import Callable
from typing import Any

import peewee
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from peewee import CharField, IntegerField, TextField

from activeassoc import Model, ReferenceField, connect, sync
from activeassoc.hydrate import reader, rows_reader

DB = connect("sqlite://")


class Base(Model):
    class Meta:
        database = DB


class Letters(Base):
    """A target whose key is a text."""

    code = CharField(primary_key=True)


class Numbered(Base):
    """A target whose key is a number."""

    title = CharField(null=True)


class Shouted(TextField):
    """A field that converts in its own way."""

    def python_value(self, value: Any) -> Any:
        return None if value is None else str(value).upper()


class Doubled(IntegerField):
    """A field that adapts in its own way."""

    def adapt(self, value: Any) -> Any:
        return value * 2


class Picky(IntegerField):
    """A field that refuses some values."""

    def python_value(self, value: Any) -> Any:
        if isinstance(value, str):
            raise ValueError(f"{value!r} is no number")
        return value


class CountingAccessor(peewee.FieldAccessor):
    def __set__(self, instance: Any, value: Any) -> None:
        super().__set__(instance, value)
        instance.__dict__["seen"] = (*instance.__dict__.get("seen", ()), self.name, *instance.__data__)


class Watched(IntegerField):
    """A field with an accessor of its own, which looks at what is there."""

    accessor_class = CountingAccessor


def _instance_converter() -> Any:
    field: Any = IntegerField(null=True)
    field.python_value = lambda value: ("own", value)
    return field


FIELDS: dict[str, Callable[[], Any]] = {
    **{
        kind.__name__: lambda kind=kind: kind(null=True)
        for kind in (
            *(peewee.IntegerField, peewee.BigIntegerField, peewee.SmallIntegerField, peewee.FloatField, peewee.DoubleField),
            *(peewee.DecimalField, peewee.CharField, peewee.FixedCharField, peewee.TextField, peewee.BooleanField),
            *(peewee.DateTimeField, peewee.DateField, peewee.TimeField, peewee.TimestampField, peewee.UUIDField),
            *(peewee.BinaryUUIDField, peewee.BlobField, peewee.IPField, peewee.JSONField, peewee.AnyField, peewee.BitField),
            *(Shouted, Doubled, Picky, Watched),
        )
    },
    "BigBitField": lambda: peewee.BigBitField(null=True),
    "not null": lambda: CharField(),
    "formats": lambda: peewee.DateTimeField(null=True, formats=["%d.%m.%Y"]),
    "own converter": _instance_converter,
    "key to a number": lambda: peewee.ForeignKeyField(Numbered, null=True, backref="+"),
    "key to a text": lambda: peewee.ForeignKeyField(Letters, null=True, backref="+"),
    "reference": lambda: ReferenceField(Numbered),
}

MOMENTS = [
    *("2024-01-02 03:04:05", "2024-01-02T03:04:05.678Z", "2024-01-02", "20240102", "2024010203", "2024-W01-2"),
    *("03:04:05", "03:04", "24:00", "2.1.2024", ""),
]
VALUES = st.one_of(
    st.none(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False),
    st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12),
    st.binary(max_size=17),
    st.sampled_from(MOMENTS),
    st.sampled_from(["1", "0", "1.5", " 7", "true", "[1, 2]", '{"a": 1}', uuid.UUID(int=7).hex, str(uuid.UUID(int=8))]),
    st.datetimes().map(str),
    st.dates().map(str),
    st.times().map(str),
)


class _KeepsHistory:
    """A mixin that wants to see every value that is set."""

    def __init__(self, *arguments: Any, **values: Any) -> None:
        super().__init__(*arguments, **values)
        self.history = sorted(values)


def _init(self: Any, *arguments: Any, **values: Any) -> None:
    Model.__init__(self, *arguments, **values)
    self.born = len(values)


def _setattr(self: Any, name: str, value: Any) -> None:
    self.__dict__.setdefault("names_set", []).append(name)
    object.__setattr__(self, name, value)


class _PeeweeBase(peewee.Model):
    """A base of peewee's own, with a constructor, which comes after Model's."""

    def __init__(self, *arguments: Any, **values: Any) -> None:
        super().__init__(*arguments, **values)
        self.passed = True


OWN: dict[str, tuple[tuple[type, ...], dict[str, Any]]] = {
    "nothing": ((), {}),
    "__init__": ((), {"__init__": _init}),
    "__setattr__": ((), {"__setattr__": _setattr}),
    "a property over a column": ((), {}),
    "a mixin": ((_KeepsHistory,), {}),
    "a peewee base": ((_PeeweeBase,), {}),
    "peewee's own": ((), {}),
}


def made(kinds: list[str], own: str, subclassed: bool) -> Any:
    """A model with a field of each of these kinds."""
    bases, attributes = OWN[own]
    body = {f"f{number}": FIELDS[kind]() for number, kind in enumerate(kinds)}
    meta = {"Meta": type("Meta", (), {"database": DB, "table_name": "made"}), "__module__": __name__}
    if own == "peewee's own":
        model = type(peewee.Model)("Made", (peewee.Model,), {**body, **meta})
        return type(peewee.Model)("Sub", (model,), dict(meta)) if subclassed else model
    order = (Base, *bases) if own == "a peewee base" else (*bases, Base)
    model = type(Model)("Made", order, {**body, **attributes, **meta})
    if own == "a property over a column":
        model.f0 = property(lambda self: self.__dict__.get("kept"), lambda self, value: self.__dict__.update(kept=(value, "f0")))
    return type(Model)("Sub", (model,), dict(meta)) if subclassed else model


def state(record: Any) -> Any:
    """All that an instance holds, also what is made when it is touched; by repr, in which 1, 1.0 and True differ."""
    touched = {"_dirty": record._dirty, "__rel__": record.__rel__, "_stored": getattr(record, "_stored", None)}
    return type(record), repr(sorted({**vars(record), **touched}.items()))


def outcome(read: Callable[[], Any]) -> Any:
    try:
        found = read()
    except Exception as error:
        return type(error), str(error)
    return [state(record) for record in found]


def as_peewee(model: Any, fields: list[Any], rows: list[tuple[Any, ...]]) -> list[Any]:
    """The rows by the model's constructor, as peewee's cursors make records of them."""
    found = []
    for row in rows:
        values = [field.python_value(value) for field, value in zip(fields, row, strict=True)]
        record = model(__no_default__=1, **dict(zip([field.name for field in fields], values, strict=True)))
        record._dirty.clear()
        found.append(record)
    return found


def outcomes(model: Any, fields: list[Any], rows: list[tuple[Any, ...]]) -> list[Any]:
    """What the constructor's way gives. Where that is an error it may be that of any value: which of several is told first is open."""
    expected = outcome(lambda: as_peewee(model, fields, rows))
    if isinstance(expected, list):
        return [expected]
    alone = [outcome(lambda: as_peewee(model, [field], [(row[at],)])) for row in rows for at, field in enumerate(fields)]  # noqa: B023
    return [expected, *(each for each in alone if not isinstance(each, list))]


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_as_peewee_makes_them(data: Any) -> None:
    """Hydration: of any model and any row the record, or the error, is what the constructor's way gives."""
    kinds = data.draw(st.lists(st.sampled_from(sorted(FIELDS)), min_size=1, max_size=4))
    model = made(kinds, data.draw(st.sampled_from(sorted(OWN))), data.draw(st.booleans()))
    every = model._meta.sorted_fields
    fields = data.draw(st.permutations(every)) if data.draw(st.booleans()) else every
    rows = data.draw(st.lists(st.tuples(*(VALUES for _ in fields)), min_size=1, max_size=3))
    allowed = outcomes(model, fields, rows)
    width = len(fields)
    assert outcome(lambda: rows_reader(model, fields, width=width)(rows)) in allowed
    assert outcome(lambda: rows_reader(model, fields)(rows)) in allowed
    assert outcome(lambda: [reader(model, fields, width=width)(row) for row in rows]) in allowed
    longer = [(0, *row, "a", None) for row in rows]
    assert outcome(lambda: [reader(model, fields, 1)(row) for row in longer]) in allowed
    assert outcome(lambda: [reader(model, fields, 1, width + 3)(row) for row in longer]) in allowed
    assert outcome(lambda: rows_reader(model, fields, 1, width + 3)(longer)) in allowed


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_select_gives_what_peewees_gives(data: Any) -> None:
    """Hydration: ``list(Model.select())`` against peewee's own query, on what SQLite's driver brings."""
    kinds = data.draw(st.lists(st.sampled_from(sorted(FIELDS)), min_size=1, max_size=3))
    own = data.draw(st.sampled_from(sorted(set(OWN) - {"peewee's own"})))
    model = made(kinds, own, False)
    names = [field.column_name for field in model._meta.sorted_fields]
    rows = data.draw(st.lists(st.tuples(*(VALUES for _ in names)), max_size=3))
    DB.execute_sql('DROP TABLE IF EXISTS "made"')
    DB.execute_sql(f'CREATE TABLE "made" ({", ".join(names)})')
    for row in rows:
        DB.execute_sql(f'INSERT INTO "made" VALUES ({", ".join("?" * len(names))})', row)
    expected = outcome(lambda: list(peewee.ModelSelect(model, model._meta.sorted_fields).iterator()))
    allowed = [expected]
    if not isinstance(expected, list):
        allowed += outcomes(model, model._meta.sorted_fields, DB.execute_sql('SELECT * FROM "made"').fetchall())
    assert outcome(lambda: list(model.select())) in allowed
    assert outcome(lambda: list(iter(model.select()))) in allowed
    assert outcome(lambda: list(model.select().iterator())) in allowed
    assert outcome(lambda: [model.select()[number] for number in range(len(rows))]) in allowed


@pytest.fixture
def people(Base: Any) -> Any:
    class Person(Base):
        name = CharField()
        age = IntegerField(null=True)
        born = peewee.DateTimeField(null=True)
        score = peewee.DecimalField(null=True)
        alive = peewee.BooleanField(default=True)
        token = peewee.UUIDField(null=True)

    class Dog(Base):
        name = CharField()
        owner = peewee.ForeignKeyField(Person, null=True, backref="dogs")

    sync(Base._meta.database)
    born = datetime.datetime(2000, 1, 2, 3, 4, 5)
    for number in range(5):
        person = Person.create(name=f"p{number}", age=number or None, born=born, score=decimal.Decimal("1.5"), token=uuid.UUID(int=number))
        Dog.create(name=f"d{number}", owner=person if number else None)
    return Person, Dog


QUERIES: dict[str, Callable[[Any, Any], Any]] = {
    "all": lambda P, D: P.select(),
    "where and order": lambda P, D: P.select().where(P.age > 1).order_by(P.name.desc()).limit(2).offset(1),
    "some columns": lambda P, D: P.select(P.name, P.id),
    "an expression too": lambda P, D: P.select(P, (P.age + 1).alias("next")),
    "an alias of a column": lambda P, D: P.select(P.id, P.name.alias("called")),
    "a column twice": lambda P, D: P.select(P.name, P.name),
    "a column unconverted": lambda P, D: P.select(P.id, P.born.coerce(False)),
    "the model's alias": lambda P, D: P.alias().select(),
    "a join": lambda P, D: D.select(D, P).join(P).order_by(D.id),
    "another model's column": lambda P, D: D.select(D.id, P.name).join(P).order_by(D.id),
    "a foreign key": lambda P, D: D.select().order_by(D.id),
    "a union": lambda P, D: P.select().where(P.age == 1) | P.select().where(P.age == 2),
    "distinct": lambda P, D: P.select(P.alive).distinct(),
    "grouped": lambda P, D: P.select(P.alive, peewee.fn.COUNT(P.id).alias("number")).group_by(P.alive),
    "from a query": lambda P, D: P.select(P.id, P.name).from_(P.select().where(P.age == 1).alias("t1")),
}


def held(record: Any) -> Any:
    """What a record holds, with those beside it."""
    beside = {name: other if other is None else held(other) for name, other in record.__rel__.items()}
    return type(record), {**vars(record), "_dirty": record._dirty, "__rel__": beside}


@pytest.mark.parametrize("query", QUERIES)
def test_other_queries_are_peewees(people: Any, query: str) -> None:
    """Hydration: whole records, some columns of them, and all that is neither, on every store."""
    person, dog = people
    expected = QUERIES[query](person, dog)
    peewees = expected.clone()
    if isinstance(peewees, peewee.ModelSelect) and not isinstance(peewees.model, peewee.ModelAlias):
        peewees.__class__ = peewee.ModelSelect
    assert [held(record) for record in expected] == [held(record) for record in peewees]


def test_records_are_ordinary(people: Any) -> None:
    """Hydration: a record that was read is compared, hashed, copied, changed and saved like any other."""
    person = people[0]
    one, again = person.get_by_id(1), person.get(person.name == "p0")
    assert (one, hash(one), one._dirty, one.__rel__) == (again, hash(again), set(), {})
    assert one._dirty is one._dirty
    for other in (copy.copy(one), copy.deepcopy(one), one.clone()):
        assert other == one
        other.name = "other"
        assert (one.name, one.is_dirty(), other.dirty_field_names) == ("p0", False, ["name"])
    one.age = 40
    assert one.dirty_field_names == ["age"]
    assert one.save() == 1
    assert (one.is_dirty(), person.get_by_id(1).age) == (False, 40)
    again.reload()
    assert (again.age, again.is_dirty()) == (40, False)


class Pickled(Base):
    title = CharField(null=True)


def test_a_record_is_pickled_as_it_is() -> None:
    """Hydration: what nobody touched is not there either where it arrives, and is made when it is touched."""
    record = reader(Pickled, Pickled._meta.sorted_fields)((1, "a"))
    there = pickle.loads(pickle.dumps(record))
    assert (there, there.__data__, there._dirty, there.__rel__) == (record, {"id": 1, "title": "a"}, set(), {})
    there.title = "b"
    assert there.dirty_field_names == ["title"]


def test_threads_touch_one_record() -> None:
    """Hydration: what is made when it is touched is made once, also where two threads touch it together."""
    for _ in range(50):
        record = reader(Pickled, Pickled._meta.sorted_fields)((1, "a"))
        barrier, seen = threading.Barrier(3), []

        def touch(record: Any = record, barrier: Any = barrier, seen: list[Any] = seen) -> None:
            barrier.wait()
            seen.append(record._dirty)

        threads = [threading.Thread(target=touch) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert {id(each) for each in seen} == {id(record._dirty)}


def test_rows_are_read_when_they_are_needed(Base: Any) -> None:
    """Hydration: a loop that ends early has not made the records after it; those that were made are kept."""
    read = []

    class Noted(CharField):
        def python_value(self, value: Any) -> Any:
            read.append(value)
            return value

    class Thing(Base):
        title = Noted()

    sync(Base._meta.database)
    Thing.insert_many([{"title": str(number)} for number in range(5)]).execute()
    query = Thing.select().order_by(Thing.id)
    for first in query:
        assert first.title == "0"
        break
    assert read == ["0"]
    assert (query[1].title, read) == ("1", ["0", "1"])
    one, other = iter(query), iter(query)
    assert (next(one), next(other)) == (first, first)
    assert [thing.title for thing in query] == [thing.title for thing in query] == ["0", "1", "2", "3", "4"]
    assert [thing.title for thing in one] == [thing.title for thing in other] == ["1", "2", "3", "4"]
    assert (len(query), query[-1].title, [thing.title for thing in query[1:3]]) == (5, "4", ["1", "2"])
    assert read == ["0", "1", "2", "3", "4"]
    assert next(iter(query)) is first


def test_an_error_is_met_again(Base: Any) -> None:
    """Hydration: a value that cannot be read raises each time; the rows after it are never taken for all that there are."""

    class Thing(Base):
        title = CharField(null=True)

    sync(Base._meta.database)
    Thing.insert_many([{"title": "1"}, {"title": "x"}, {"title": "3"}]).execute()
    Thing._meta.add_field("title", Picky(null=True))
    for read in (list, lambda query: [thing.title for thing in query], lambda query: query[2], len):
        query = Thing.select().order_by(Thing.id)
        for _ in range(3):
            with pytest.raises(ValueError, match="'1' is no number" if read in (list, len) else "is no number"):
                read(query)


def test_the_text_of_a_reader_can_be_read() -> None:
    """Hydration: ``inspect.getsource`` shows the function that was generated."""
    assert inspect.getsource(reader(Pickled, Pickled._meta.sorted_fields, width=2)) == (
        "def read(row):\n"
        '    """A Pickled with id, title."""\n'
        "    id_, title_ = row\n"
        "    record = new(Model)\n"
        "    record.__data__ = {'id': id_ if type(id_) is int else convert_id_(id_), "
        "'title': title_ if title_ is None or type(title_) is str else convert_title_(title_)}\n"
        "    record._stored = True\n"
        "    return record\n"
    )


def test_a_patched_constructor_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hydration: a constructor that comes later, on the class or on peewee's Model, sees the rows from then on."""
    fields, seen = Pickled._meta.sorted_fields, []
    reader(Pickled, fields)((1, "a"))
    original: Any = peewee.Model.__init__

    def noted(self: Any, *arguments: Any, **values: Any) -> None:
        seen.append(values["title"])
        original(self, *arguments, **values)

    with monkeypatch.context() as patch:
        patch.setattr(peewee.Model, "__init__", noted)
        reader(Pickled, fields)((1, "b"))
    with monkeypatch.context() as patch:
        patch.setattr(Pickled, "__init__", noted)
        reader(Pickled, fields)((1, "c"))
    reader(Pickled, fields)((1, "d"))
    assert seen == ["b", "c"]
