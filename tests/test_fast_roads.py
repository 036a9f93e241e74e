"""The traps of the fast roads: what generated readers, kept statements and short inserts must do as the general road does."""

from __future__ import annotations

import copy
import functools
import itertools
import json
import types
import uuid
from collections.abc import Callable
from typing import Any

import peewee
import pytest
from accessing import model, rows, tracker
from peewee import BinaryUUIDField, CharField, IntegerField, TextField

import activeassoc
from activeassoc import populate, sync
from activeassoc.keys import is_saved
from activeassoc.testing import assert_queries


class Cents(IntegerField):
    """Amounts, kept as whole numbers: what is stored looks like another amount."""

    def db_value(self, value: Any) -> Any:
        return None if value is None else round(value * 100)

    def python_value(self, value: Any) -> Any:
        return None if value is None else value / 100


class Listed(TextField):
    """Values kept as JSON: what is stored looks like another text."""

    def db_value(self, value: Any) -> Any:
        return None if value is None else json.dumps(value)

    def python_value(self, value: Any) -> Any:
        return None if value is None else json.loads(value)


def generally(call: Callable[[], Any], monkeypatch: pytest.MonkeyPatch) -> Any:
    """What a call does where linking has no plain road."""
    with monkeypatch.context() as patch:
        patch.setattr("activeassoc.associations.bulk.linker", lambda association: None)
        return call()


# Linking many


OWN: dict[str, tuple[Callable[[], Any], Any, Any]] = {
    "an amount": (lambda: Cents(default=1.5), 2, 200),
    "a list": (lambda: Listed(default=["none"]), ["a"], '["a"]'),
    "a text": (lambda: Listed(default="none"), "a", '"a"'),
}


@pytest.mark.parametrize("kind", OWN)
@pytest.mark.parametrize("attributes", ["default", "given", "given again", "as it is stored"])
def test_an_attribute_is_converted_once(fresh: Any, monkeypatch: pytest.MonkeyPatch, kind: str, attributes: str) -> None:
    """D3: a field that converts in its own way stores a link's attribute as any record's, given or by default, new or changed."""
    make, value, as_stored = OWN[kind]
    found = []
    for road in (lambda call: call(), lambda call: generally(call, monkeypatch)):
        fresh.on()
        Post, Tag, Link = model(fresh, "Post"), model(fresh, "Tag"), model(fresh, "PostTag", value=make())
        Post.has_many(Tag, through=Link)
        sync(fresh.db)
        post, tags = Post.create(), [Tag.create() for _ in range(4)]

        def calls(Link: Any = Link, post: Any = post, tags: Any = tags) -> list[Any]:
            given = {"default": None, "given": {"value": value}, "given again": {"value": value}, "as it is stored": {"value": as_stored}}
            if attributes in ("given again", "as it is stored"):
                post.add_tags(tags[:2], {"value": value})
            post.add_tags(tags[:3], given[attributes])
            story = [rows(Link)]
            post.set_tags([tag.id for tag in tags[1:]], given[attributes])
            return [*story, rows(Link), [tag.post_tag.value for tag in post.get_tags()], [tag.post_tag.value for tag in tags[1:3]]]

        found.append(road(calls))
        expected = {"default": Link.value.default, "as it is stored": as_stored}.get(attributes, value)
        assert found[-1][2] == [expected] * 3
    assert found[0] == found[1]


def test_an_attribute_that_the_database_refuses(fresh: Any) -> None:
    """C3: a link that the database refuses is its error, and nothing is linked: a NOT NULL attribute, a unique one."""
    t = tracker(fresh, synced=False)
    t.Membership._meta.add_field("badge", CharField(null=True, unique=True))
    sync(fresh.db)
    project, users = t.Project.create(), [t.User.create() for _ in range(3)]
    project.add_user(users[0], {"badge": "a"})
    before = rows(t.Membership)
    for attributes in ({"role": None}, {"badge": "a"}):
        for write in (project.add_users, project.set_users):
            with pytest.raises(peewee.IntegrityError):
                write(users[1:], attributes)
            assert rows(t.Membership) == before


@pytest.mark.parametrize("given", [None, {"role": "x"}, {"role": "x", "since": 3}, {"role": 7, "since": "8"}])
def test_who_wrote_a_join_row_knows_it(fresh: Any, given: Any) -> None:
    """C12, D4: the join rows of instances that were linked now are known without a query, and are those that are stored."""
    t = tracker(fresh)
    project, users = t.Project.create(), [t.User.create() for _ in range(5)]

    def told(some: Any) -> list[Any]:
        return [user.membership.__data__ for user in some]

    def stored(some: Any) -> list[Any]:
        return [t.Membership.get(t.Membership.user == user).__data__ for user in some]

    project.add_users(users[:3], given)
    with assert_queries(0):
        known = told(users[:3])
    assert known == stored(users[:3])
    assert [list(each) for each in known] == [list(each) for each in stored(users[:3])]
    project.add_users(users[2:4], given)
    assert told(users[2:4]) == stored(users[2:4])
    project.add_users(users, {"role": "y"})
    assert told(users) == stored(users)
    project.set_users(users[1:], {"role": "z", "since": 9})
    with assert_queries(0):
        known = told(users[1:])
    assert known == stored(users[1:])
    users[1].membership.role = "w"
    users[1].membership.save()
    assert told(project.set_users([user.id for user in users[1:]])) == stored(users[1:])
    assert users[1].membership.role == "w"


def test_what_is_not_known_of_a_join_row_is_read(fresh: Any) -> None:
    """D4: a key, a default or a spelling of the database's own is read when somebody asks."""
    fresh.on()
    Post, Tag, Link = (
        model(fresh, "Post"),
        model(fresh, "Tag"),
        model(fresh, "PostTag", id=peewee.AutoField(), weight=IntegerField(constraints=[peewee.SQL("DEFAULT 5")])),
    )
    Post.has_many(Tag, through=Link)
    Other, Mark = model(fresh, "Other"), model(fresh, "Mark", weight=IntegerField(constraints=[peewee.SQL("DEFAULT 5")]))
    Post.has_many(Other, through=Mark)
    sync(fresh.db)
    post, tag, other = Post.create(), Tag.create(), Other.create()
    post.add_tags([tag])
    post.add_others([other])
    assert (tag.post_tag.id, tag.post_tag.weight, other.mark.weight) == (Link.get().id, 5, 5)


# Back references


class ListedKey(CharField):
    """The same for a key."""

    db_value, python_value = Listed.db_value, Listed.python_value


KEYS: dict[str, Callable[[], Any]] = {
    "bytes": lambda: BinaryUUIDField(primary_key=True, default=uuid.uuid4),
    "of its own": lambda: ListedKey(primary_key=True, max_length=40, default=lambda: uuid.uuid4().hex),
}


@pytest.mark.parametrize("kind", KEYS)
def test_a_key_that_converts_in_its_own_way_knows_its_owner(fresh: Any, kind: str) -> None:
    """C11, G1: records of a getter or of populate have their owner at hand, whatever the type of the key."""
    fresh.on()
    Owner = model(fresh, "Owner", id=KEYS[kind]())
    Pet = model(fresh, "Pet", name=CharField(null=True))
    Owner.has_many(Pet)
    Pet.belongs_to(Owner)
    sync(fresh.db)
    owners = [Owner.create() for _ in range(2)]
    for owner in owners:
        owner.create_pets([{"name": "a"}, {"name": "b"}])
    with assert_queries(1):
        pets = owners[0].get_pets()
        assert [pet.owner is owners[0] for pet in pets] == [True, True]
    with assert_queries(1):
        populate(owners, "pets")
        assert [pet.owner is owner for owner in owners for pet in owner.pets] == [True] * 4
    with assert_queries(2):
        assert [pet.owner is owner for owner in Owner.select().populate("pets") for pet in owner.pets] == [True] * 4
    assert all(not pet.dirty_fields for pet in pets)


# Methods of the user's own


def _louder(base: Any, seen: list[str]) -> dict[str, Any]:
    """Methods that do more than those of `base`, which they call."""
    theirs = {"save": base.save, "select": base.select.__func__, "insert_many": base.insert_many.__func__}

    def save(self: Any, *arguments: Any, **options: Any) -> Any:
        seen.append("save")
        return theirs["save"](self, *arguments, **options)

    def select(cls: Any, *fields: Any) -> Any:
        seen.append("select")
        return theirs["select"](cls, *fields)

    def insert_many(cls: Any, *arguments: Any) -> Any:
        seen.append("insert_many")
        return theirs["insert_many"](cls, *arguments)

    save, insert_many = functools.wraps(theirs["save"])(save), functools.wraps(theirs["insert_many"])(insert_many)
    return {"save": save, "select": classmethod(select), "insert_many": classmethod(insert_many)}


@pytest.mark.parametrize("way", ["made", "made by types", "patched", "behind"])
def test_a_class_that_says_it_is_peewees_is_asked(fresh: Any, monkeypatch: pytest.MonkeyPatch, way: str) -> None:
    """C11, F10: methods of the user's own are called each time, also of a model that a program made, whose module reads "peewee"."""
    fresh.on()
    seen: list[str] = []
    bases: tuple[Any, ...] = (fresh.Base,)
    own = _louder(fresh.Base, seen) if way.startswith("made") else {}
    if way == "patched":
        for name, method in _louder(activeassoc.Model, seen).items():
            monkeypatch.setattr(activeassoc.Model, name, method)
    elif way == "behind":
        bases = (fresh.Base, type(peewee.Model)("Behind", (peewee.Model,), _louder(peewee.Model, seen)))

    def make(name: str, /, **fields: Any) -> Any:
        if way == "made by types":
            return types.new_class(name, bases, {}, lambda namespace: namespace.update({**fields, **own}))
        return type(fresh.Base)(name, bases, {**fields, **own})

    Pet, Link = make("Pet", name=CharField(null=True)), make("Link")
    Owner, Tag = model(fresh, "Owner"), model(fresh, "Tag")
    Owner.has_many(Pet)
    Tag.has_many(Owner, through=Link)
    sync(fresh.db)
    owner, tag = Owner.create(), Tag.create()
    for _ in range(2):
        seen.clear()
        Pet.create(name="a")
        owner.create_pet(name="b")
        assert seen.count("save") == 2
        if way != "behind":  # what else peewee has stands before it
            seen.clear()
            assert len(owner.get_pets()) == owner.count_pets()
            assert owner.has_pet(owner.get_pets()[0].id)
            assert seen.count("select") == 4
            assert tag.set_owners([]) == []
            assert tag.add_owners([owner]) == 1
            assert "insert_many" in seen


# Records that nobody read


def test_a_record_made_by_hand_is_new(Base: Any) -> None:
    """C2, C18: an instance that did not come through the library's constructor and has a key of its own is inserted, not lost."""

    class Aloof(Base):
        id = CharField(primary_key=True)
        name = CharField(null=True)

        def __init__(self, *arguments: Any, **values: Any) -> None:
            peewee.Model.__init__(self, *arguments, **values)

    class Pet(Base):
        id = CharField(primary_key=True)
        name = CharField(null=True)

    sync(Base._meta.database)
    assert Aloof(id="a", name="x").save() == 1
    Aloof.create(id="b", name="x")
    bare = Pet.__new__(Pet)
    bare.__data__, bare.__rel__, bare._dirty = {}, {}, set()
    bare.id, bare.name = "a", "x"
    for record in (bare, copy.copy(Pet(id="b", name="x")), Pet(id="c", name="x").clone(), copy.deepcopy(Pet(id="d", name="x"))):
        assert not is_saved(record)
        assert record.save() == 1
        assert is_saved(record)
    for kind, number in ((Aloof, 2), (Pet, 4)):
        found = [*kind.select(), *kind.select().where(kind.name == "x")]
        assert len(found) == 2 * number
        for record in found:
            assert is_saved(record)
            record.name = "y"
            assert record.save() == 1
        assert [record.name for record in kind.select()] == ["y"] * number


def test_a_strict_class_is_not_given_what_it_does_not_know(fresh: Any) -> None:
    """C12: a model that refuses unknown names is made, written, read, populated and linked: what is noted of it is no attribute."""
    fresh.on()

    def strict(self: Any, name: str, value: Any) -> None:
        assert name in {"id", "name", "box", "pet", "_pk", "__data__", "_dirty", "__rel__"}, name
        object.__setattr__(self, name, value)

    Box, Pet, Link = (model(fresh, name, name=CharField(null=True), __setattr__=strict) for name in ("Box", "Pet", "Link"))
    Box.has_many(Pet)
    Pet.belongs_to(Box)
    Box.has_many(Pet, as_="guests", through=Link)
    sync(fresh.db)
    box, pets = Box.create(name="a"), [Pet.create(name="b"), Pet(name="c")]
    pets[1].save()
    box.add_pets(pets)
    box.add_guests(pets, {"name": "x"})
    Box.bulk_create([Box(name="b")])
    assert [pet.box is box for pet in box.get_pets()] == [True, True]
    assert [(pet.name, pet.link.name) for pet in box.get_guests()] == [("b", "x"), ("c", "x")]
    assert [pet.link.name for pet in pets] == ["x", "x"]
    assert [[len(each.pets), len(each.guests)] for each in Box.select().order_by(Box.id).populate("pets", "guests")] == [[2, 2], [0, 0]]
    box.remove_guests(pets)
    assert box.set_guests([pets[0]]) == [pets[0]]
    assert list(box.guests) == [pets[0]]


# What a getter is given


def test_an_option_that_looks_like_none(fresh: Any) -> None:
    """J3: only None and 0 are no offset; what is no number is refused, also where it is false."""
    t = tracker(fresh)
    project = t.Project.create()
    for value in (False, 0.0, "", [], -1):
        for option in ("limit", "offset"):
            with pytest.raises(activeassoc.WrongArgument) as caught:
                project.get_tasks(**{option: value})
            assert str(caught.value) == (
                f"Project.get_tasks(): {option}={value!r} is no number of records. Give a whole number from 0."
            )
    assert project.get_tasks(offset=0) == project.get_tasks(offset=None, limit=0) == []


def test_an_owner_whose_key_is_sql(fresh: Any) -> None:
    """C1: a key that is a piece of SQL is put into the statement."""
    t = tracker(fresh)
    project = t.Project.create()
    project.create_tasks([{"title": "a"}, {"title": "b"}])
    project.add_user(t.User.create())
    owner = t.Project.get()
    owner.id = t.Project.select(peewee.fn.MIN(t.Project.id))
    assert [len(owner.get_tasks()), owner.count_tasks(), len(owner.get_users()), owner.has_task(t.Task.get())] == [2, 2, 1, True]


# Inserting


class Written(TextField):
    """A field whose value is written as SQL."""

    def db_value(self, value: Any) -> Any:
        return peewee.fn.LOWER(peewee.Value(value, converter=False))


INSERTED: dict[str, Callable[[Any], list[Any]]] = {
    "values": lambda Thing: [{"name": "a"}, {"name": "b"}, {"name": "c"}],
    "an expression": lambda Thing: [{"name": "a"}, {"name": peewee.fn.LOWER("B")}, {"name": "c"}],
    "by field and by name": lambda Thing: [{"name": "a"}, {Thing.name: "b"}, {"name": "c"}],
    "one key more": lambda Thing: [{"name": "a"}, {"name": "b"}, {"name": "c", "serial": 2}],
    "one sequence": lambda Thing: [{"name": "a"}, {"name": "b"}, (0, "c", "T")],
}


@pytest.mark.parametrize("case", INSERTED)
@pytest.mark.parametrize("other", [TextField, Written])
def test_a_default_is_made_once_for_each_row(Base: Any, case: str, other: Any) -> None:
    """Insert: a function that counts is called once for each row without a value, also where a value turns out to be SQL."""
    made = itertools.count()

    class Thing(Base):
        serial = IntegerField(default=lambda: next(made))
        name = CharField()
        text = other(default=lambda: f"T{next(made)}")

    sync(Base._meta.database)
    rows_ = INSERTED[case](Thing)
    Thing.insert_many(rows_).execute()
    found = [(thing.serial, thing.name, thing.text.lower()) for thing in Thing.select().order_by(Thing.name)]
    expected = [(0, "a", "t1"), (2, "b", "t3"), (4, "c", "t5")]
    if case == "one key more":
        expected[2] = (2, "c", "t4")
    if case == "one sequence":
        expected[2] = (0, "c", "t")
    assert found == expected


def test_parameters_are_a_list(Base: Any) -> None:
    """F10: hooks and logs see the parameters of create as those of every other statement."""

    class Thing(Base):
        name = CharField()

    sync(Base._meta.database)
    with assert_queries(2) as events:
        Thing.create(name="a")
        Thing(name="b").save()
    assert [type(event.params) for event in events] == [list, list]
    assert [event.params for event in events] == [["a"], ["b"]]
