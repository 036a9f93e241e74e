"""drop, and sync with force: dependents first, and nothing that others refer to."""

from __future__ import annotations

import pytest
from looking import keys
from peewee import CharField
from synced import quoted, tracker

from activeassoc import SyncError, drop, sync
from activeassoc.sync import Report


def test_force_drops_and_creates_again(db, Base):
    """E6: dependents first."""
    User, Project, Task = tracker(Base)
    sync(db)
    Task.create(project=Project.create(title="x", owner=User.create(name="ann")))
    report = sync(db, force=True)
    assert report.dropped == ("task", "project", "user")
    assert report.created == ("user", "project", "task")
    assert User.select().count() == 0
    assert keys(Project) == {("owner_id", "user", "id", "SET NULL", "CASCADE")}
    assert sync(db) == Report()
    assert {index.name for index in db.get_indexes("task")} >= {"ix_task_project_id"}


@pytest.mark.parametrize("act", [lambda model: sync(model, force=True), drop])
def test_a_table_that_others_refer_to_is_not_dropped(db, Base, act):
    """E6: also when no model is known for the other table."""
    User = tracker(Base).User
    sync(db)
    refers = f"FOREIGN KEY (user_id) REFERENCES {quoted(db, 'user')} (id)"
    db.execute_sql(f"CREATE TABLE old_notes (id INTEGER PRIMARY KEY, user_id INTEGER, {refers})")
    ann = User.create(name="ann")
    with pytest.raises(SyncError) as caught:
        act(User)
    assert str(caught.value) == (
        "dropping user: tables that are to stay refer to them: old_notes.user_id -> user, project.owner_id -> user. "
        "Drop these too, by naming their models, or take the foreign keys away first."
    )
    assert [str(key) for key in caught.value.referring] == ["old_notes.user_id", "project.owner_id"]
    assert User.get() == ann


def test_drop_takes_away_what_is_there(db, Base):
    """E6: dependents first; what is not there is passed over; falsy when there is nothing."""
    models = tracker(Base)
    User, Project = models.User, models.Project
    sync(User, Project)
    report = drop(db)
    assert report.dropped == ("project", "user")
    assert str(report) == 'Dropped "project", "user".'
    assert db.get_tables() == []
    assert drop(db) == Report()


def test_dropping_cascades_to_nothing_that_stays(db, Base):
    """E6: SQLite deletes a table's rows before it drops it, and would cascade."""
    User, Project, Task = tracker(Base)
    sync(db)
    user = User.create(name="ann")
    Project.create(title="x", owner=user)
    drop(Task)
    assert Project.select().count() == 1
    assert drop(Project, Task).dropped == ("project",)
    assert User.get() == user


def test_a_view_is_neither_made_nor_dropped(db, Base):
    """E3, E6: a model may stand on a view."""
    User = tracker(Base).User
    sync(User)
    db.execute_sql(f"CREATE VIEW people AS SELECT id, name FROM {quoted(db, 'user')}")

    class Person(Base):
        name = CharField()

        class Meta:
            table_name = "people"

    report = sync(Person)
    assert not report
    assert report.differences == ("people is a view, or something else that is no table",)
    with pytest.raises(SyncError) as caught:
        drop(Person)
    assert str(caught.value) == "dropping the table people: it is a view. Drop it with SQL, or leave its model out."
    db.execute_sql("DROP VIEW people")
