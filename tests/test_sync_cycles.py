"""sync and drop of tables that refer to each other, or to themselves."""

from __future__ import annotations

import peewee
import pytest
from looking import keys
from peewee import DeferredForeignKey, ForeignKeyField
from synced import unsaid

from activeassoc import SyncError, drop, sync
from activeassoc.stores.ddl import dialect_of
from activeassoc.sync import Report


def test_a_cycle_of_keys(db, Base):
    """E4: one edge is added afterwards where CREATE TABLE cannot refer to what is not there."""

    class Author(Base):
        favourite = DeferredForeignKey("Book", null=True, on_delete="SET NULL")

    class Book(Base):
        author = ForeignKeyField(Author, on_delete="CASCADE")

    report = sync(db)
    assert set(report.created) == {"author", "book"}
    assert keys(Author) == {("favourite_id", "book", "id", "SET NULL", unsaid(db))}
    assert {key[:4] for key in keys(Book)} == {("author_id", "author", "id", "CASCADE")}
    assert sync(db) == Report()
    book = Book.create(author=Author.create())
    Author.update(favourite=book).execute()
    with pytest.raises(peewee.IntegrityError), db.atomic():
        Author.update(favourite=99).execute()
    assert set(drop(db).dropped) == {"author", "book"}
    assert db.get_tables() == []


def ring(Base, **options):
    class A(Base):
        b = DeferredForeignKey("B", **options)

    class B(Base):
        c = DeferredForeignKey("C", **options)

    class C(Base):
        a = ForeignKeyField(A, **options)
        itself = ForeignKeyField("self", null=True, on_delete="RESTRICT")

    return A, B, C


@pytest.mark.parametrize("rule", [None, "RESTRICT", "CASCADE", "SET NULL"])
def test_a_longer_cycle_with_rows_in_it_is_dropped(db, Base, rule):
    """E4, E6: whatever the rules are, and each table once."""
    A, B, C = ring(Base, null=True, on_delete=rule)
    sync(db)
    assert sync(db) == Report()
    a, b, c = A.create(), B.create(), C.create()
    a.b, b.c, c.a, c.itself = b, c, a, c
    for record in (a, b, c):
        record.save()
    report = sync(db, force=True)
    assert sorted(report.dropped) == sorted(report.created) == ["a", "b", "c"]
    assert A.select().count() == 0
    assert sorted(drop(C, B, A, A).dropped) == ["a", "b", "c"]
    assert db.get_tables() == []
    assert not drop(db)


def test_a_cycle_of_not_null_keys_is_refused(db, Base):
    """E4: it names the key to make nullable, and nothing is made."""
    models = ring(Base)
    with pytest.raises(SyncError) as caught:
        sync(*models)
    assert str(caught.value) == (
        "sync() of A.b: it is part of a cycle of NOT NULL keys (a.b_id, b.c_id, c.a_id), so that no first row could be written. "
        "Make one of them nullable: null=True for A.b."
    )
    assert db.get_tables() == []


def test_a_cycle_that_is_checked_at_commit_can_be_filled(db, Base):
    """E4: deferrable keys are fine where the engine knows them."""

    class A(Base):
        b = DeferredForeignKey("B", deferrable="INITIALLY DEFERRED")

    class B(Base):
        a = ForeignKeyField(A)

    if not dialect_of(db).deferrable:
        with pytest.raises(SyncError) as caught:
            sync(db)
        assert str(caught.value) == "sync() of A.b: this database checks every foreign key at once. Leave deferrable= away."
        return
    sync(db)
    with db.atomic():
        A.create(id=1, b=1)
        B.create(id=1, a=1)
    assert sync(db) == Report()


def test_a_not_null_key_to_its_own_table_is_allowed(db, Base):
    """E4: a row may refer to itself."""

    class Node(Base):
        root = ForeignKeyField("self")

    sync(db)
    Node.create(id=1, root=1)
    with pytest.raises(peewee.IntegrityError), db.atomic():
        Node.create(id=2, root=3)
    assert sync(db, force=True).dropped == ("node",)


@pytest.mark.parametrize("rule", ["RESTRICT", "NO ACTION", "CASCADE"])
def test_a_tree_with_rows_in_it_is_dropped(db, Base, rule):
    """E6: the rows refer to each other."""

    class Node(Base):
        parent = ForeignKeyField("self", null=True, on_delete=rule)

    sync(db)
    Node.create(parent=Node.create(parent=Node.create()))
    assert sync(db, force=True).dropped == ("node",)
    assert drop(db).dropped == ("node",)


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_a_chain_of_a_thousand_tables_is_no_recursion(store):
    """E4: the order is found without Python's stack. (The plan alone: making them would take its time.)"""
    db = store.connect()
    previous, models = None, []
    for number in range(1200):
        fields = {"to": ForeignKeyField(previous)} if previous else {}
        meta = type("Meta", (), {"database": db, "table_name": f"t{number}"})
        previous = type(f"T{number}", (peewee.Model,), {**fields, "Meta": meta})
        models.insert(0, previous)
    assert sync(*models, dry_run=True).created == tuple(f"t{number}" for number in range(1200))
