"""sync that fails: which table, which statement, what was done before."""

from __future__ import annotations

import sqlite3

import peewee
import pytest
from peewee import SQL, CharField, CompositeKey, DeferredForeignKey, ForeignKeyField, IntegerField
from synced import quoted, tracker

from activeassoc import AssociationError, SyncError, sync
from activeassoc.stores.ddl import dialect_of


def test_a_statement_that_fails_is_named(db, Base):
    """E10: with its table; where DDL can be taken back nothing stays."""
    Task = tracker(Base).Task
    Task._meta.constraints = [SQL("FOREIGN KEY (nothing) REFERENCES nowhere (id)")]
    with pytest.raises(SyncError) as caught:
        sync(db)
    error = caught.value
    assert error.table == "task"
    assert error.statement.startswith(f"CREATE TABLE {quoted(db, 'task')}")
    assert error.statement in str(error)
    assert str(error).startswith("sync() of table task: ")
    assert isinstance(error, (AssociationError, peewee.DatabaseError))
    assert isinstance(error.__cause__, peewee.PeeweeException)
    if not dialect_of(db).transactional:
        assert str(error).endswith('. What was done before it stays: Created "user", "project".')
        assert set(db.get_tables()) == {"user", "project"}
    else:
        assert str(error).endswith(". Nothing was changed.")
        assert db.get_tables() == []
    Task._meta.constraints = []
    assert "task" in sync(db).created


@pytest.mark.parametrize("store", ["mariadb"], indirect=True)
def test_a_table_that_was_made_in_part_is_told(db, Base):
    """E10: where DDL cannot be taken back; the next sync tells what it lacks."""

    class Task(Base):
        title = CharField(index=True)

    Task.add_index(SQL("CREATE INDEX wrong ON task (nothing)"))
    with pytest.raises(SyncError) as caught:
        sync(db)
    assert caught.value.statement == "CREATE INDEX wrong ON task (nothing)"
    assert str(caught.value).endswith('. What was done before it stays: Created "task".')
    assert sync(db).differences == ("task has no index 'wrong': sync(alter=True) adds it",)


def test_a_key_that_refers_to_nothing_known_is_named(db, Base):
    """E10: peewee would make its column without a type."""

    class Task(Base):
        user = DeferredForeignKey("NobodyWillEverDefineThis")

    with pytest.raises(SyncError) as caught:
        sync(db)
    DeferredForeignKey._unresolved.discard(Task.user)
    assert str(caught.value) == (
        "sync() of Task.user: no model 'nobodywilleverdefinethis' has been defined that this DeferredForeignKey could refer to. "
        "Import the module that defines it first."
    )


def test_a_key_to_a_composite_primary_key_is_refused(db, Base):
    """E10: peewee renders invalid DDL for it."""

    class Pair(Base):
        a = IntegerField()
        b = IntegerField()

        class Meta:
            primary_key = CompositeKey("a", "b")

    class Task(Base):
        pair = ForeignKeyField(Pair, null=True)

    with pytest.raises(SyncError) as caught:
        sync(db)
    assert str(caught.value) == (
        "sync() of Task.pair: Pair has no primary key of one column to refer to. Refer to a unique column with field=."
    )


def test_a_sqlite_connection_without_foreign_keys_is_refused(tmp_path):
    """E8: SQLite ignores foreign keys unless PRAGMA foreign_keys=1."""
    db = peewee.SqliteDatabase(tmp_path / "x.db")

    class User(peewee.Model):
        class Meta:
            database = db

    with pytest.raises(SyncError) as caught:
        sync(User)
    assert str(caught.value) == (
        "sync(): foreign keys are off on this SQLite connection, so that no constraint would hold. "
        "Open the database with activeassoc.connect(), or with SqliteDatabase(…, pragmas={'foreign_keys': 1}); "
        "within a transaction the pragma changes nothing."
    )
    db.close()
    assert sqlite3.connect(tmp_path / "x.db").execute("SELECT COUNT(*) FROM sqlite_master").fetchone() == (0,)
