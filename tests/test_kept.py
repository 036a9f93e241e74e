"""What is kept of models, and when it is dropped: every change of a model that can be noticed."""

from __future__ import annotations

import itertools
import sys
import threading
from collections.abc import Callable
from typing import Any

import peewee
import pytest
from peewee import CharField, IntegerField

from activeassoc import Model, connect, kept, sync
from activeassoc.kept import LIMIT, Kept


class Pair:
    """A model and another on one database in memory, something kept, and whether that is still there."""

    def __init__(self) -> None:
        self.db, self.other = connect("sqlite://"), connect("sqlite://")
        meta = type("Meta", (), {"database": self.db})
        self.Base: Any = type(Model)("Base", (Model,), {"Meta": meta, "__module__": __name__})
        self.User: Any = type(Model)("User", (self.Base,), {"title": CharField(null=True), "__module__": __name__})
        self.Pet: Any = type(Model)("Pet", (self.Base,), {"title": CharField(null=True), "__module__": __name__})
        self._numbers = itertools.count()
        self.kept = Kept()

    def number(self) -> Any:
        return self.kept.of("key", lambda: next(self._numbers))


@pytest.fixture
def pair() -> Pair:
    return Pair()


CHANGES: dict[str, Callable[[Pair], Any]] = {
    "a field added": lambda pair: pair.User._meta.add_field("age", IntegerField(null=True)),
    "a field replaced": lambda pair: pair.User._meta.add_field("title", IntegerField(null=True)),
    "a field removed": lambda pair: pair.User._meta.remove_field("title"),
    "another primary key": lambda pair: pair.User._meta.set_primary_key("code", CharField(primary_key=True)),
    "another table": lambda pair: pair.User._meta.set_table_name("people"),
    "a table name assigned": lambda pair: setattr(pair.User._meta, "table_name", "people"),
    "a schema": lambda pair: setattr(pair.User._meta, "schema", "archive"),
    "an option of Meta": lambda pair: setattr(pair.User._meta, "only_save_dirty", True),
    "another database": lambda pair: pair.User._meta.set_database(pair.other),
    "bind": lambda pair: pair.User.bind(pair.other, bind_refs=False, bind_backrefs=False),
    "a database assigned": lambda pair: setattr(pair.User._meta, "database", pair.other),
    "a model made": lambda pair: type(Model)("Cat", (pair.Base,), {"__module__": __name__}),
    "a subclass made": lambda pair: type(Model)("Admin", (pair.User,), {"__module__": __name__}),
    "an association declared": lambda pair: pair.User.has_many(pair.Pet),
    "a method patched": lambda pair: setattr(pair.User, "save", lambda self, *a, **o: 0),
    "a method added": lambda pair: setattr(pair.User, "hello", lambda self: "hello"),
    "an attribute taken away": lambda pair: delattr(pair.User, "title"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_drops_what_is_kept(pair: Pair, change: str) -> None:
    """Kept: until a model changes, in any way that a model, its metadata or its metaclass is told of."""
    assert (pair.number(), pair.number()) == (0, 0)
    CHANGES[change](pair)
    assert (pair.number(), pair.number()) == (1, 1)


def test_binding_a_name_drops_what_is_kept(pair: Pair) -> None:
    """A6: an association whose target is a name gets its key when that model appears."""
    pair.User.has_many("Dog")
    assert pair.number() == 0
    type(Model)("Dog", (pair.Base,), {"__module__": __name__})
    assert pair.number() == 1


def test_a_proxy_that_gets_its_database_drops_what_is_kept(pair: Pair) -> None:
    """Kept: a proxy may be given a database of another kind at any time."""
    proxy = peewee.DatabaseProxy()
    pair.User._meta.set_database(proxy)
    before = pair.number()
    proxy.initialize(pair.db)
    after = pair.number()
    proxy.initialize(pair.other)
    assert before < after < pair.number()


def test_binding_back_finds_what_was_kept(pair: Pair) -> None:
    """Kept: for each state of the bindings, so that bind_ctx in every test or request is not slow."""
    assert pair.number() == 0
    for _ in range(3):
        with pair.User.bind_ctx(pair.other, bind_refs=False, bind_backrefs=False):
            assert pair.number() == 1
            with pair.Pet.bind_ctx(pair.other, bind_refs=False, bind_backrefs=False):
                assert pair.number() == 2
        assert pair.number() == 0
    pair.User._meta.set_table_name("people")
    assert pair.number() == 3
    with pair.User.bind_ctx(pair.other, bind_refs=False, bind_backrefs=False):
        assert pair.number() == 4


def test_the_right_statement_after_binding_elsewhere(pair: Pair) -> None:
    """Kept: a record is created in the database that its model has now, whatever was kept for the other one."""
    sync(pair.db)
    pair.User.create(title="here")
    with pair.User.bind_ctx(pair.other, bind_refs=False, bind_backrefs=False):
        pair.User.create_table()
        pair.User.create(title="there")
        assert [user.title for user in pair.User.select()] == ["there"]
    pair.User.create(title="here again")
    assert [user.title for user in pair.User.select().order_by(pair.User.id)] == ["here", "here again"]


def test_a_field_added_is_read_and_written(pair: Pair) -> None:
    """Kept: what was read and created before the field came does not hide it."""
    sync(pair.db)
    pair.User.create(title="a")
    assert [user.title for user in pair.User.select()] == ["a"]
    pair.User._meta.add_field("age", IntegerField(null=True, default=7))
    sync(pair.db, alter=True)
    assert pair.User.create(title="b").age == 7
    assert [(user.title, user.age) for user in pair.User.select().order_by(pair.User.title)] == [("a", None), ("b", 7)]


def test_models_of_peewees_own_are_looked_at(pair: Pair) -> None:
    """Kept: a plain peewee model tells of nothing, so that its fields, table, schema and database are looked at each time."""

    class Plain(peewee.Model):
        title = CharField(null=True)

        class Meta:
            database = pair.db

    held, numbers = Kept(Plain, pair.User), itertools.count()

    def number() -> Any:
        return held.of("key", lambda: next(numbers))

    assert (number(), number()) == (0, 0)
    Plain._meta.add_field("age", IntegerField(null=True))
    assert (number(), number()) == (1, 1)
    Plain._meta.remove_field("age")
    assert (number(), number()) == (2, 2)
    Plain._meta.set_table_name("other")
    assert (number(), number()) == (3, 3)
    Plain._meta.schema = "archive"
    assert (number(), number()) == (4, 4)
    Plain._meta.set_database(pair.other)
    assert (number(), number()) == (5, 5)
    pair.User._meta.set_table_name("people")
    assert (number(), number()) == (6, 6)


def test_ordinary_work_keeps_it(pair: Pair) -> None:
    """Kept: reading, writing, populating and defining nothing new changes no model."""
    pair.User.has_many(pair.Pet)
    pair.Pet.belongs_to(pair.User)
    sync(pair.db)

    def work() -> None:
        user = pair.User.create(title="a")
        user.create_pet(title="b")
        user.title = "c"
        user.save()
        assert [pet.title for pet in user.get_pets()] == ["b"]
        assert len(list(pair.User.select().populate("pets"))[0].pets) == 1
        assert pair.Pet.select().join(pair.User).count() > 0
        with pair.db.atomic():
            pair.Pet.insert_many([{"title": "x", "user": user}, {"title": "y", "user": user}]).execute()
        pair.User.get_by_id(user.id).to_dict()
        pair.Pet.delete().execute()
        user.delete_instance()

    work()
    before = pair.number()
    work()
    assert pair.number() == before


def test_what_changed_while_it_was_made_is_not_kept(pair: Pair) -> None:
    """Kept: it may be half of the former model and half of the new one; the next who asks makes it anew."""
    made = []

    def make() -> str:
        made.append(pair.User._meta.table_name)
        if len(made) == 1:
            pair.User._meta.set_table_name("people")  # another thread or task, meanwhile
        return made[-1]

    assert [pair.kept.of("table", make) for _ in range(3)] == ["user", "people", "people"]


def test_an_error_is_not_kept(pair: Pair) -> None:
    """Kept: only what could be made."""
    with pytest.raises(ZeroDivisionError):
        pair.kept.of("key", lambda: 1 // 0)
    assert pair.number() == 0


def test_it_does_not_grow_forever(pair: Pair) -> None:
    """Kept: of keys that go on differing only as many as fit."""
    for number in range(3 * LIMIT):
        assert pair.kept.of(number, lambda number=number: number) == number
    assert 0 < len(pair.kept) <= LIMIT
    kept.changed()
    assert len(pair.kept) == 0


def test_threads_never_get_what_is_gone(pair: Pair) -> None:
    """Kept: after a change is done no thread gets what followed from the model before it, and nobody waits for a lock."""
    state = {"there": 0, "told": 0}
    failures: list[tuple[int, int]] = []
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            told = state["told"]
            found = pair.kept.of("key", lambda: state["there"])
            if found < told:
                failures.append((found, told))

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    threads = [threading.Thread(target=read) for _ in range(4)]
    try:
        for thread in threads:
            thread.start()
        for number in range(1, 300):
            state["there"] = number
            if number % 3:
                kept.changed()
            else:
                pair.User._meta.set_database(pair.other if number % 2 else pair.db)
                kept.changed()
            state["told"] = number
    finally:
        done.set()
        for thread in threads:
            thread.join()
        sys.setswitchinterval(interval)
    assert failures == []
