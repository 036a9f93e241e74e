"""sync: which tables a call means. What they look like is in test_sync_tables, what sync adds to existing ones in test_sync_alter."""

from __future__ import annotations

import subprocess
import sys
import textwrap

import peewee
import pytest
from looking import cols, keys
from peewee import CharField, IntegerField
from synced import tracker

from activeassoc import SyncError, WrongTarget, sync


def test_a_database_means_all_of_its_models(db, Base):
    """E3: parents come first, whatever the order of definition."""
    Project = tracker(Base).Project
    report = sync(db)
    assert report.created == ("user", "project", "task")
    assert set(db.get_tables()) == {"user", "project", "task"}
    assert keys(Project) == {("owner_id", "user", "id", "SET NULL", "CASCADE")}


def test_models_may_be_given_in_any_order_and_twice(db, Base):
    """E3: each table is made once, parents first."""
    User, Project, Task = tracker(Base)
    assert sync(Task, Project, User, Task, db).created == ("user", "project", "task")


def test_models_that_are_not_named_are_left_alone(db, Base):
    """E3: a model means its table."""
    User = tracker(Base).User
    assert sync(User).created == ("user",)
    assert db.get_tables() == ["user"]


def test_syncing_a_child_without_its_parent_says_to_sync_that_too(db, Base):
    """E3, E10: SQLite would accept the constraint, and refuse every row."""
    Project = tracker(Base).Project
    with pytest.raises(SyncError) as caught:
        sync(Project)
    assert str(caught.value) == (
        "sync() of table project: its key project.owner_id refers to the table user, which does not exist and is not to be made. "
        "Sync User too: sync(User, Project)."
    )
    assert caught.value.table == "project"
    assert db.get_tables() == []


def test_a_parent_that_exists_need_not_be_named(db, Base):
    """E3: the table that a key refers to may be there already."""
    models = tracker(Base)
    User, Project = models.User, models.Project
    sync(User)
    assert sync(Project).created == ("project",)


def test_a_base_stands_for_its_descendants_and_gets_no_table(db, Base):
    """E3: Meta.abstract, or neither fields nor associations of its own while others derive from it."""
    tracker(Base)

    class Named(Base):
        name = CharField()

        class Meta:
            abstract = True

    class Tag(Named):
        pass

    class Place(Named):
        code = CharField()

    assert sync(Named).created == ("tag", "place")
    assert sync(Base).created == ("user", "project", "task")
    assert set(db.get_tables()) == {"user", "project", "task", "tag", "place"}
    assert cols(Place) == {"id", "name", "code"}


def test_a_model_without_fields_from_which_none_derives_has_a_table(db, Base):
    """E3: it has its implicit id."""

    class Counter(Base):
        pass

    assert sync(db).created == ("counter",)
    assert cols(Counter) == {"id"}


def test_a_model_with_a_declared_key_is_no_base(db, Base):
    """E3: a primary key that was written is a field of its own."""

    class Account(Base):
        number = IntegerField(primary_key=True)

    class Savings(Account):
        rate = IntegerField()

    assert sync(db).created == ("account", "savings")


def test_a_plain_peewee_model_can_be_synced(db):
    """E3: models are peewee's."""

    class Plain(peewee.Model):
        title = CharField()

        class Meta:
            database = db

    assert sync(Plain).created == ("plain",)
    assert not sync(Plain)


@pytest.mark.parametrize(
    ("what", "text"),
    [
        ("user", "sync('user'): a database or a model was expected. Write sync(db) or sync(User, Task)."),
        ([], "sync([]): a database or a model was expected. Write sync(*models)."),
    ],
)
def test_what_is_neither_database_nor_model_is_refused(what, text):
    """E3: with the way to write it."""
    with pytest.raises(WrongTarget) as caught:
        sync(what)
    assert str(caught.value) == text


def test_a_model_without_a_database_is_refused():
    """E3, E10"""

    class Homeless(peewee.Model):
        pass

    with pytest.raises(SyncError) as caught:
        sync(Homeless)
    assert str(caught.value) == (
        "sync() of Homeless: it has no database yet. Give it one (Meta.database), or name what to sync: sync(db)."
    )


def test_sync_without_arguments_means_every_model_known(store):
    """E3: in a process of its own, as the other tests' models are known in this one."""
    url = store.url()
    script = f"""
        from activeassoc import Model, connect, drop, sync
        db = connect({url!r})
        class Base(Model):
            class Meta: database = db
        class A(Base): pass
        class B(Base): pass
        assert sync().created == ("a", "b"), sync()
        assert not sync()
        assert drop().dropped == ("b", "a")
        db.close()
    """
    subprocess.run([sys.executable, "-W", "error", "-c", textwrap.dedent(script)], check=True, timeout=60)
