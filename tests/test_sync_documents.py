"""sync on stores that have no SQL: tables and indexes come and go, and what cannot be held is said."""

from __future__ import annotations

import threading
from typing import Any

import peewee
import pytest

from activeassoc import SyncError, drop, sync

pytestmark = pytest.mark.parametrize("store", ["mongodb", "redis"], indirect=True)


@pytest.fixture
def Photo(Base: Any) -> Any:
    class Photo(Base):
        path = peewee.CharField(unique=True)
        place = peewee.CharField(index=True, null=True)
        size = peewee.IntegerField(default=0)

    return Photo


def again(Base: Any, name: str, /, **fields: Any) -> Any:
    """Another model of the same table, as a later version of the program has it."""
    return type(Base)(name, (Base,), {"__module__": __name__, "__qualname__": name, **fields})


def test_the_report_tells_tables_and_indexes(Photo, db):
    """E7: printable, falsy when nothing was to do; dry_run changes nothing and returns what it would do."""
    dry = sync(db, dry_run=True)
    assert str(dry) == (
        'Would have created "photo".\n'
        "\n"
        "CREATE TABLE photo;\n"
        "CREATE UNIQUE INDEX uq_photo_path ON photo (path);\n"
        "CREATE INDEX ix_photo_place ON photo (place);"
    )
    assert not db.table_exists("photo")
    assert str(sync(db)) == 'Created "photo".'
    assert str(sync(db)) == "Nothing to do." and not sync(db, alter=True)
    assert {(tuple(index.columns), index.unique) for index in db.get_indexes("photo")} == {(("path",), True), (("place",), False)}
    assert str(drop(db)) == 'Dropped "photo".' and db.get_tables() == []


def test_an_index_is_a_difference_until_it_is_wanted(Base, db):
    """E5: without alter=True the difference is told; with it the index is made."""
    sync(again(Base, "Photo", path=peewee.CharField()))
    Later = again(Base, "Photo", path=peewee.CharField(unique=True), place=peewee.CharField(null=True))
    report = sync(Later)
    assert not report and str(report) == (
        "Nothing to do.\nLeft as it is:\n  - photo has no unique index on path: sync(alter=True) adds it"
    )
    assert str(sync(Later, alter=True)) == 'Added the indexes "uq_photo_path".' and str(sync(Later)) == "Nothing to do."


def test_an_index_that_becomes_unique_is_made_anew(Base, db):
    """E5: another definition under the same columns is a difference; a unique index that is wanted no more is told, and stays."""
    sync(again(Base, "Photo", path=peewee.CharField(index=True)))
    Unique = again(Base, "Photo", path=peewee.CharField(unique=True))
    Unique.create(path="a")
    assert sync(Unique, alter=True).indexes == ("uq_photo_path",)
    with pytest.raises(peewee.IntegrityError):
        Unique.create(path="a")
    Free = again(Base, "Photo", path=peewee.CharField())
    assert sync(Free).differences == ("photo has a unique index on path, which Photo does not have",)


def test_duplicates_stand_against_a_unique_index(Base, db):
    """E10: A failing sync leaves a clear error that names the table and the statement."""
    Photo = again(Base, "Photo", path=peewee.CharField())
    sync(Photo)
    Photo.insert_many([{"path": "a"}, {"path": "a"}]).execute()
    with pytest.raises(SyncError) as error:
        sync(again(Base, "Photo", path=peewee.CharField(unique=True)), alter=True)
    assert (error.value.table, error.value.statement) == ("photo", "CREATE UNIQUE INDEX uq_photo_path ON photo (path)")
    assert isinstance(error.value.__cause__, peewee.IntegrityError) and Photo.select().count() == 2


@pytest.mark.parametrize(
    ("index", "because"),
    [
        (
            lambda M: M.index(M.path, where=(M.path != ""), name="some"),
            "the index 'some' is on some of the rows, and this store makes it on all or none",
        ),
        (lambda M: M.index(peewee.fn.LOWER(M.path), name="low"), "the index 'low' is on an expression, and this store makes it on columns"),
        (lambda M: peewee.SQL("CREATE INDEX text ON photo (path)"), "the index 'text' is written in SQL, and this store has none"),
    ],
    ids=["partial", "expression", "text"],
)
def test_an_index_that_cannot_be_made_is_refused(Photo, db, index, because):
    """E10: an index would be missed by whoever relies on it: nothing is made."""
    Photo.add_index(index(Photo))
    with pytest.raises(SyncError) as error:
        sync(Photo)
    assert str(error.value) == f"sync() of table photo: {because}. Leave it out of the model, or keep the model in an SQL database."
    assert not db.table_exists("photo")


def test_what_a_store_does_not_hold_is_told(Base, db):
    """E5: what differs and was not done is in the report."""
    meta = type("Meta", (), {"constraints": [peewee.Check("size > 0")]})
    size = peewee.IntegerField(constraints=[peewee.Check("size < 9")])
    Photo = again(Base, "Photo", size=size, path=peewee.CharField(), Meta=meta)
    for _ in range(2):
        assert sync(Photo).differences == (
            "photo has Meta.constraints, which this store does not check",
            "photo.size has constraints, which this store does not check",
        )


def test_a_collation_is_refused(Base, db):
    """E10: texts that were meant to be equal would not be: nothing is made."""
    Photo = again(Base, "Photo", path=peewee.CharField(collation="NOCASE"))
    with pytest.raises(SyncError) as error:
        sync(Photo)
    assert str(error.value) == (
        "sync() of table photo: its column path has the collation NOCASE, and this store compares texts by code point. "
        "Leave it out of the model, or keep the model in an SQL database."
    )
    assert not db.table_exists("photo")


def test_keys_need_no_parent(Base, db):
    """E3: every key column has an index; there is no foreign key, and no order to keep."""
    User = again(Base, "User", name=peewee.CharField())
    Photo = again(Base, "Photo", path=peewee.CharField())
    User.has_many(Photo)
    assert sync(Photo).created == ("photo",) and sync(db).created == ("user",) and not sync(db)
    assert [tuple(index.columns) for index in db.get_indexes("photo")] == [("user_id",)]
    assert drop(User).dropped == ("user",) and db.table_exists("photo")


def test_sync_of_one_database_leaves_others_alone(Base, store, request):
    """H2: `sync(database)` touches that database only."""
    from conftest import base_on

    Other = again(base_on(store.connect(), __name__), "Wish", text=peewee.CharField())
    Photo = again(Base, "Photo", path=peewee.CharField())
    assert sync(Photo._meta.database).created == ("photo",)
    assert not Other.table_exists() and sync(Other._meta.database).created == ("wish",)


def test_an_index_is_made_beside_those_who_write(Base, db, store):
    """J5: adding an index to existing data goes on beside readers and writers."""
    if store.name == "mongodb":
        pytest.skip("MongoDB does this by itself, and the server of the tests does not")
    Photo = again(Base, "Photo", place=peewee.CharField(), size=peewee.IntegerField())
    sync(Photo)
    Photo.insert_many([{"place": f"p{n % 5}", "size": n} for n in range(3_000)]).execute()
    Later = again(Base, "Photo", place=peewee.CharField(index=True), size=peewee.IntegerField())
    stop, failed = threading.Event(), []

    def write() -> None:
        try:
            number = 0
            while not stop.is_set():
                Photo.create(place="new", size=10_000 + number)
                Photo.update(place="moved").where(Photo.size == number).execute()
                Photo.delete().where(Photo.size == 2_999 - number).execute()
                number += 1
        except BaseException as error:
            failed.append(error)
        finally:
            db.close()

    thread = threading.Thread(target=write)
    thread.start()
    try:
        assert sync(Later, alter=True).indexes == ("ix_photo_place",)
    finally:
        stop.set()
        thread.join()
    assert failed == []
    for place in ("new", "moved", "p0", "p4"):
        assert Later.select().where(Later.place == place).count() == sum(each.place == place for each in Photo.select())


def test_several_programs_may_sync_at_once(Photo, db):
    """E9: several processes starting at once may all call sync; here threads, each with a client's session of its own."""
    failed = []

    def start() -> None:
        try:
            sync(db)
        except BaseException as error:
            failed.append(error)
        finally:
            db.close()

    threads = [threading.Thread(target=start) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == [] and not sync(db)
    Photo.create(path="a")
    with pytest.raises(peewee.IntegrityError):
        Photo.create(path="a")
