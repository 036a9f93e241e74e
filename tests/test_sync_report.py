"""sync's report, its dry run, and the differences that it tells."""

from __future__ import annotations

import peewee
from looking import cols, keys
from peewee import CharField, ForeignKeyField, IntegerField
from synced import tracker

from activeassoc import drop, sync
from activeassoc.sync import Report


def test_the_report_tells_what_was_done(db, Base):
    """E7"""
    tracker(Base)
    report = sync(db)
    assert report
    assert str(report) == 'Created "user", "project", "task".'
    assert sum(statement.startswith("CREATE TABLE") for statement in report.statements) == 3


def test_a_dry_run_changes_nothing_and_shows_the_sql(db, Base):
    """E7, Q38: parents before children."""
    tracker(Base)
    plan = sync(db, dry_run=True)
    assert plan
    assert plan.dry_run
    assert db.get_tables() == []
    text = str(plan)
    assert text.startswith('Would have created "user", "project", "task".\n\nCREATE TABLE ')
    assert text.index('"user"') < text.index('"project"') < text.index('"task"')
    done = sync(db)
    assert done.statements == plan.statements
    assert not sync(db, dry_run=True)
    assert str(sync(db, force=True, dry_run=True)).startswith(
        'Would have dropped "task", "project", "user".\nWould have created "user", "project", "task".'
    )
    assert drop(db, dry_run=True).dropped == ("task", "project", "user")
    assert len(db.get_tables()) == 3


def test_a_dry_run_writes_nothing(store):
    """E7: every statement of it is a question."""
    db = store.connect()
    meta = type("Meta", (), {"database": db})
    User = type("User", (peewee.Model,), {"name": CharField(), "Meta": meta})
    sync(User)
    events = []
    db.query_hooks.append(events.append)
    More = type("User", (peewee.Model,), {"name": CharField(), "age": IntegerField(null=True), "Meta": meta})
    assert sync(More, alter=True, dry_run=True).columns == ("user.age",)
    assert events
    assert {event.sql.split()[0] for event in events} <= {"SELECT", "PRAGMA", "SHOW"}


def test_columns_that_no_field_has_are_reported(db, Base):
    """E7, A7: and left; differences alone leave the report falsy."""
    Project = tracker(Base).Project
    sync(db)
    Project._meta.remove_field("owner")
    report = sync(db, alter=True)
    assert not report
    assert report.differences == ("project.owner_id is a column that no field of Project has",)
    assert str(report) == "Nothing to do.\nLeft as it is:\n  - project.owner_id is a column that no field of Project has"
    assert "owner_id" in cols(Project)


def test_a_declaration_after_the_tables_changes_models_only(db, Base):
    """A17: sync tells what is missing, and alter adds it."""
    User = tracker(Base).User
    sync(db)
    User._meta.add_field("boss", ForeignKeyField(User, null=True, on_delete="SET NULL", backref="+"))
    assert cols(User) == {"id", "name"}
    report = sync(db)
    assert not report
    assert report.differences == ("user.boss_id is missing: sync(alter=True) adds it",)
    report = sync(db, alter=True)
    assert report.columns == ("user.boss_id",)
    assert report.constraints == ("user.boss_id -> user.id",)
    assert {key[:4] for key in keys(User)} == {("boss_id", "user", "id", "SET NULL")}
    assert sync(db) == Report()
