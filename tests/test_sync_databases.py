"""sync on several databases, schemas, connections, transactions and processes."""

from __future__ import annotations

import subprocess
import sys
import textwrap

import peewee
import pytest
from looking import keys
from peewee import SQL, CharField, ForeignKeyField, IntegerField
from synced import indexes, tracker

from activeassoc import SyncError, drop, sync
from activeassoc.stores.ddl import dialect_of
from activeassoc.sync import Report


def test_models_of_several_databases_each_go_to_their_own(store, fresh):
    """E4, H1: and a key from one to the other is no constraint."""
    User = fresh("User")
    Pet = fresh("Pet")
    Pet._meta.add_field("user", ForeignKeyField(User, null=True, backref="+"))
    report = sync(Pet, User)
    assert set(report.created) == {"pet", "user"}
    assert Pet._meta.database.get_tables() == ["pet"]
    assert User._meta.database.get_tables() == ["user"]
    assert keys(Pet) == set()
    assert indexes(Pet) == [(("user_id",), False)]
    Pet.create(user=99)
    assert not sync(Pet, User)
    drop(User._meta.database)
    assert Pet._meta.database.get_tables() == ["pet"]


def test_what_was_done_in_another_database_is_told_when_one_fails(store, fresh):
    """E10: each database has a transaction of its own."""
    User = fresh("User")
    Pet = fresh("Pet")
    Pet._meta.constraints = [SQL("FOREIGN KEY (nothing) REFERENCES nowhere (id)")]
    with pytest.raises(SyncError) as caught:
        sync(User, Pet)
    if dialect_of(Pet._meta.database).transactional:
        assert str(caught.value).endswith(". Nothing was changed.")
    assert caught.value.__notes__ == ['In another database, before: Created "user".']
    assert User._meta.database.get_tables() == ["user"]
    assert Pet._meta.database.get_tables() == []


def test_sync_within_a_transaction_belongs_to_it(db, Base):
    """E9: it goes with the caller's rollback, or refuses where DDL would commit."""
    User = tracker(Base).User
    if not dialect_of(db).transactional:
        with pytest.raises(SyncError) as caught, db.atomic():
            sync(db)
        assert str(caught.value) == (
            "sync() inside a transaction: this database would commit it with the first table. Call sync() before it."
        )
        assert db.get_tables() == []
        sync(db)
        with db.atomic():
            assert not sync(db)
        return
    with db.atomic() as transaction:
        sync(db)
        User.create(name="ann")
        transaction.rollback()
    assert db.get_tables() == []
    with db.atomic():
        sync(db)
        User.create(name="ann")
    assert User.select().count() == 1
    with db.atomic():
        assert len(drop(db).dropped) == 3
    assert db.get_tables() == []


def test_an_open_connection_is_left_open(db, Base):
    """E9: a database in memory would be gone with it."""
    tracker(Base)
    db.connect()
    sync(db)
    assert not db.is_closed()


def test_several_processes_may_sync_at_once(store):
    """E9: four of them, let go together on one empty database; each syncs twice."""
    url = store.url()
    script = f"""
        import sys
        from peewee import CharField, DeferredForeignKey, ForeignKeyField
        from activeassoc import Model, connect, sync
        db = connect({url!r})
        class Base(Model):
            class Meta: database = db
        class Author(Base):
            name = CharField(unique=True)
            book = DeferredForeignKey("Book", null=True)
        class Book(Base): author = ForeignKeyField(Author, null=True)
        class Page(Base): book = ForeignKeyField(Book)
        class Word(Base): page = ForeignKeyField(Page)
        print("ready", flush=True)
        sys.stdin.readline()
        created = sync(db).created
        assert not sync(db), sync(db)
        assert not sync(db).differences
        db.close()
        print(len(created))
    """
    command = [sys.executable, "-W", "error", "-c", textwrap.dedent(script)]
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    processes = [subprocess.Popen(command, text=True, **pipes) for _ in range(4)]
    assert [process.stdout.readline() for process in processes] == ["ready\n"] * 4
    for process in processes:
        process.stdin.write("\n")
        process.stdin.flush()
    told = [process.communicate(timeout=60) for process in processes]
    assert [errors for _, errors in told] == [""] * 4
    assert sorted(out.strip() for out, _ in told) == ["0", "0", "0", "4"]


@pytest.mark.parametrize("store", ["postgresql"], indirect=True)
def test_tables_of_another_schema(db, store):
    """E3: keys go from one schema to another, and are found there again."""
    other = store.url()
    name = other.partition("application_name=")[2].partition("&")[0]

    class User(peewee.Model):
        email = CharField(unique=True)

        class Meta:
            database = db
            schema = name

    class Task(peewee.Model):
        user = ForeignKeyField(User)

        class Meta:
            database = db

    assert sync(Task, User).created == (f"{name}.user", "task")
    assert sync(Task, User) == Report()
    assert db.get_tables(schema=name) == ["user"]
    assert db.get_tables() == ["task"]
    with pytest.raises(SyncError, match=r"task\.user_id -> "):
        drop(User)
    assert drop(Task, User).dropped == ("task", f"{name}.user")


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_tables_of_an_attached_database(db, store, tmp_path):
    """E3: on SQLite a key cannot leave its schema, and REFERENCES takes no schema."""
    db.attach(str(tmp_path / "aux.db"), "side")

    class User(peewee.Model):
        name = CharField(index=True)

        class Meta:
            database = db
            schema = "side"

    class Task(peewee.Model):
        user = ForeignKeyField(User)

        class Meta:
            database = db
            schema = "side"

    class Stranger(peewee.Model):
        user = ForeignKeyField(User)

        class Meta:
            database = db

    assert sync(Task, User).created == ("side.user", "side.task")
    assert sync(Task, User) == Report()
    assert {key.column for key in db.get_foreign_keys("task", "side")} == {"user_id"}
    with pytest.raises(SyncError) as caught:
        sync(Stranger)
    assert str(caught.value) == (
        "sync() of Stranger.user: a foreign key cannot leave the schema here. Leave the constraint out: constraints=False."
    )
    assert drop(Task, User).dropped == ("side.task", "side.user")


@pytest.mark.parametrize("store", ["postgresql"], indirect=True)
def test_sequences_come_and_go_with_their_tables(db, Base):
    """E3, E6: one that two fields share is made once."""

    class A(Base):
        number = IntegerField(sequence="numbers")

    class B(Base):
        number = IntegerField(sequence="numbers")

    sync(db)
    assert [A.create().number or A.get().number, B.create().number or B.get().number] == [1, 2]
    assert sync(db) == Report()
    sync(db, force=True)
    assert A.create().number or A.get().number == 1
    drop(db)
    assert not db.sequence_exists("numbers")


def test_temporary_tables(db):
    """E3: they are the connection's, and made once."""

    class Scratch(peewee.Model):
        name = CharField()

        class Meta:
            database = db
            temporary = True

    db.connect()
    assert sync(Scratch).created == ("scratch",)
    assert sync(Scratch) == Report()
    Scratch.create(name="x")
    assert sync(Scratch, force=True).dropped == ("scratch",)
    assert Scratch.select().count() == 0
    assert drop(Scratch).dropped == ("scratch",)
    assert not drop(Scratch)
    assert "scratch" not in db.get_tables()
