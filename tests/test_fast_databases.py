"""What is prepared for a database is not used for another one, however a model came to it, nor past who looks at its statements."""

from __future__ import annotations

import threading
from typing import Any

import peewee
import pytest
from peewee import CharField
from playhouse.shortcuts import ThreadSafeDatabaseMetadata

import activeassoc
from activeassoc import sync
from activeassoc.model_type import Metadata


class Tenants(peewee.DatabaseProxy):
    """The database of the present tenant."""

    __setattr__ = object.__setattr__
    here: Any = None

    @property
    def obj(self) -> Any:
        return self.here

    @obj.setter
    def obj(self, value: Any) -> None:
        pass


@pytest.mark.parametrize("way", ["computed", "set"])
def test_a_proxy_that_changes_without_a_word(store: Any, way: str) -> None:
    """J1: each record is written to the database that the proxy has now, and read from there."""
    proxy: Any = Tenants() if way == "computed" else peewee.DatabaseProxy()
    databases = [store.connect(), store.connect()]

    def turn(number: int) -> None:
        setattr(proxy, "here" if way == "computed" else "obj", databases[number])

    turn(0)
    Base = type("Base", (activeassoc.Model,), {"Meta": type("Meta", (), {"database": proxy})})
    Owner, Pet, Tag = (type(name, (Base,), {"name": CharField(null=True)}) for name in ("Owner", "Pet", "Tag"))
    Owner.has_many(Pet)
    Owner.has_many(Tag, through="owner_tags")
    models = [Owner, Pet, Tag, Owner.tags.through]
    for number in (0, 1):
        turn(number)
        databases[number].create_tables(models)
    for number in (0, 1, 0, 1):
        turn(number)
        owner = Owner.create(name=f"in {number}")
        owner.create_pet(name=f"in {number}")
        tags = [Tag.create(name=f"in {number}") for _ in range(2)]
        assert owner.add_tags(tags) == 2
        Pet.insert_many([{"name": f"in {number}"}] * 2).execute()
        assert [owner.count_pets(), owner.count_tags(), owner.has_tags(tags)] == [1, 2, True]
        assert {each.name for each in [*owner.get_pets(), *owner.get_tags(), *Owner.select()]} == {f"in {number}"}
    for number in (0, 1):
        turn(number)
        assert [each.name for kind in (Owner, Pet, Tag) for each in kind.select()] == [f"in {number}"] * (2 + 6 + 4)


def test_a_database_for_each_thread(store: Any) -> None:
    """J1: with playhouse's thread-local databases each thread writes to its own."""

    class Local(ThreadSafeDatabaseMetadata, Metadata):
        pass

    databases = [store.connect() for _ in range(3)]
    meta = {"database": databases[0], "model_metadata_class": Local}
    Owner, Pet = (type(name, (activeassoc.Model,), {"name": CharField(), "Meta": type("Meta", (), meta)}) for name in ("Owner", "Pet"))
    Owner.has_many(Pet)
    for database in databases:
        with database.bind_ctx([Owner, Pet]):
            database.create_tables([Owner, Pet])
        database.close()
    ready, wrong = threading.Barrier(3), []

    def work(number: int) -> None:
        with databases[number].bind_ctx([Owner, Pet]):
            ready.wait()
            for _ in range(15):
                owner = Owner.create(name=str(number))
                owner.create_pet(name=str(number))
                if [pet.name for pet in owner.get_pets()] != [str(number)] or owner.count_pets() != 1:
                    wrong.append(number)
        databases[number].close()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    for number, database in enumerate(databases):
        with database.bind_ctx([Owner, Pet]):
            assert [each.name for kind in (Owner, Pet) for each in kind.select()] == [str(number)] * 30


def test_who_looks_at_statements_sees_create(Base: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """F10: a database whose way of executing is replaced, for itself or in peewee's class, is asked from then on."""

    class Thing(Base):
        name = CharField()

    database = Base._meta.database
    sync(database)
    Thing.create(name="before")
    for holder, method in ((database, "execute"), (peewee.Database, "execute_sql"), (peewee.Database, "_execute_cursor")):
        seen, theirs = [], getattr(holder, method)
        with monkeypatch.context() as patch:
            patch.setattr(holder, method, lambda *given, _=(seen, theirs), **more: _[0].append(given) or _[1](*given, **more))
            Thing.create(name="a")
            assert len(seen) == 1, method
