"""SQLite's short way to execute does what peewee's does: errors, hooks, logging, and opening the connection."""

from __future__ import annotations

import gc
import linecache
import logging
import sqlite3
import weakref
from typing import Any

import peewee
import pytest
from peewee import CharField

from activeassoc import Model, connect, sync
from activeassoc.stores.connections import Direct


@pytest.fixture
def db() -> Any:
    database = connect("sqlite://")
    yield database
    database.close()


def test_errors_are_peewees(db: Any) -> None:
    """Direct: what the driver raises arrives as peewee's error, with the driver's own in it."""
    assert isinstance(db, Direct)
    plain: Any = peewee.SqliteDatabase(":memory:")
    found = []
    for database in (db, plain):
        database.execute_sql("CREATE TABLE t (a INTEGER NOT NULL)")
        for sql, parameters in (("INSERT INTO t VALUES (NULL)", None), ("SELECT b FROM t", ()), ("INSERT INTO t VALUES (?)", (1, 2))):
            with pytest.raises(peewee.DatabaseError) as caught:
                database.execute_sql(sql, parameters)
            error = caught.value
            found.append((type(error), error.args, type(error.orig), type(error.__context__)))
    plain.close()
    assert found[:3] == found[3:]
    assert [kind for kind, *_ in found[:3]] == [peewee.IntegrityError, peewee.OperationalError, peewee.ProgrammingError]
    assert {issubclass(driver, sqlite3.Error) for *_, driver, _ in found} == {True}


def test_hooks_and_logging_see_everything(db: Any, caplog: pytest.LogCaptureFixture) -> None:
    """Direct: a hook gets each statement, with its error, and the log too where that is asked for."""
    seen: list[Any] = []
    db.execute_sql("SELECT 1")
    db.query_hooks.append(seen.append)
    db.execute_sql("SELECT ?", (2,))
    with pytest.raises(peewee.OperationalError):
        db.execute_sql("SELECT nothing")
    db.query_hooks.clear()
    db.execute_sql("SELECT 3")
    assert [(event.sql, event.params, type(event.exception)) for event in seen] == [
        ("SELECT ?", (2,), type(None)),
        ("SELECT nothing", None, peewee.OperationalError),
    ]
    with caplog.at_level(logging.DEBUG, "peewee"):
        db.execute_sql("SELECT ?", (4,))
    db.execute_sql("SELECT 5")
    assert [record.msg for record in caplog.records] == [("SELECT ?", (4,))]


def test_it_connects_when_it_has_to(tmp_path: Any) -> None:
    """Direct: a closed database is opened by the first statement, unless it is told not to."""
    database: Any = connect(f"sqlite:///{tmp_path}/a.db")
    assert database.is_closed()
    assert database.execute_sql("SELECT 1").fetchone() == (1,)
    database.close()
    assert database.execute_sql("SELECT 2").fetchone() == (2,)
    database.close()
    strict: Any = connect(f"sqlite:///{tmp_path}/a.db", autoconnect=False)
    with pytest.raises(peewee.InterfaceError, match="not opened"):
        strict.execute_sql("SELECT 1")


def test_other_databases_keep_their_own_way(tmp_path: Any) -> None:
    """Direct: a pool, or a database class with a way of its own to execute, is left alone."""
    database: Any = connect(f"sqlite+pool:///{tmp_path}/a.db")
    assert not isinstance(database, Direct)

    class Own(peewee.SqliteDatabase):
        def cursor(self, named_cursor: Any = None) -> Any:
            return super().cursor(named_cursor)  # type: ignore[no-untyped-call]

    assert not Direct.suits(Own)
    assert Direct.suits(peewee.SqliteDatabase)


def test_what_was_generated_goes_with_its_model(db: Any) -> None:
    """Kept: a model that nobody holds is forgotten with its functions and their texts, also when it was used."""

    def use() -> Any:
        class Fleeting(Model):
            title = CharField()

            class Meta:
                database = db

        sync(db)
        Fleeting.create(title="a")
        Fleeting.insert_many([{"title": "b"}]).execute()
        assert [each.title for each in Fleeting.select()] == ["a", "b"]
        return weakref.ref(Fleeting)

    reference = use()
    assert any("Fleeting" in name for name in linecache.cache)
    gc.collect()
    assert reference() is None
    assert not any("Fleeting" in name for name in linecache.cache)
