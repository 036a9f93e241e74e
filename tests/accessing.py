"""Models for the tests of accessors, and how they look at rows and at memory: whole, before and after."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import peewee
import pytest
from peewee import BooleanField, CharField, IntegerField

from activeassoc import sync
from activeassoc.stores.sql import store_of


def model(fresh: Any, name: str, /, **fields: Any) -> Any:
    """A model on the database of `fresh`."""
    meta = {"Meta": fields.pop("Meta")} if "Meta" in fields else {}
    return type(fresh.Base)(name, (fresh.Base,), {**fields, **meta, "__module__": "accessing", "__qualname__": name})


def tracker(fresh: Any, *, synced: bool = True, **has_tasks: Any) -> Any:
    """A project has many tasks, one plan, and many users through memberships; each of these knows its project."""
    fresh.on()
    t = SimpleNamespace()
    t.Project = model(fresh, "Project", title=CharField(null=True), note=CharField(null=True))
    t.Task = model(fresh, "Task", title=CharField(null=True), done=BooleanField(default=False), rank=IntegerField(null=True))
    t.Plan = model(fresh, "Plan", title=CharField(null=True))
    t.User = model(fresh, "User", name=CharField(null=True), age=IntegerField(null=True))
    t.Membership = model(fresh, "Membership", role=CharField(default="member"), since=IntegerField(null=True))
    t.Project.has_many(t.Task, **has_tasks)
    t.Task.belongs_to(t.Project)
    t.Project.has_one(t.Plan)
    t.Plan.belongs_to(t.Project)
    t.Project.has_many(t.User, through=t.Membership)
    t.User.has_many(t.Project, through=t.Membership)
    t.models = [t.Project, t.Task, t.Plan, t.User, t.Membership]
    t.db = fresh.db
    if synced:
        sync(fresh.db)
    return t


def rows(*models: Any) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of these models' tables, as the database holds them."""
    found = {}
    for each in models:
        database = each._meta.database
        if store_of(database).sql:
            quote = database.quote
            cursor = database.execute_sql(f"SELECT * FROM {quote[0]}{each._meta.table_name}{quote[-1]}")
        else:
            cursor = database.execute(each.select())
        found[each._meta.table_name] = sorted(cursor.fetchall(), key=repr)
    return found


def memory(record: Any) -> dict[str, Any]:
    """What an instance holds: columns, loaded references and collections (by identity), what is unsaved."""
    state = dict(record.__dict__)
    for name in ("__data__", "__rel__", "_links"):
        state[name] = dict(state.get(name) or {})
    state["_dirty"] = set(state.get("_dirty", ()))
    state["_loaded"] = {
        name: [id(each) for each in value.held()] if hasattr(value, "held") else value for name, value in state.get("_loaded", {}).items()
    }
    return state


@contextlib.contextmanager
def refused(error: Any, text: str | None, models: list[Any], *records: Any) -> Iterator[Any]:
    """The block raises `error` with this whole text, and leaves every row and these instances as they were (C3)."""
    stored, held = rows(*models), [memory(record) for record in records]
    with pytest.raises(error) as caught:
        yield caught
    if text is not None:
        assert str(caught.value) == text
    assert rows(*models) == stored
    assert [memory(record) for record in records] == held


def ids(records: Any) -> list[Any]:
    """The primary keys of the records, in order."""
    return [record._pk for record in records]


def refuse_value(db: Any, table: str, column: str, value: Any, when: str = "UPDATE") -> None:
    """A trigger that refuses the statement that leaves `value` in `column` of a row: a fault in the middle of a write."""
    if isinstance(db, peewee.SqliteDatabase):
        db.execute_sql(
            f'CREATE TRIGGER refuse_{when} BEFORE {when} ON "{table}" WHEN NEW."{column}" = {value} '
            "BEGIN SELECT RAISE(ABORT, 'refused'); END"
        )
    elif isinstance(db, peewee.PostgresqlDatabase):
        db.execute_sql(
            f"CREATE FUNCTION refuse_{when}() RETURNS trigger AS $$ BEGIN IF NEW.\"{column}\" = {value} THEN "
            "RAISE EXCEPTION 'refused'; END IF; RETURN NEW; END $$ LANGUAGE plpgsql"
        )
        db.execute_sql(f'CREATE TRIGGER refuse_{when} BEFORE {when} ON "{table}" FOR EACH ROW EXECUTE FUNCTION refuse_{when}()')
    else:
        db.execute_sql(
            f"CREATE TRIGGER refuse_{when} BEFORE {when} ON `{table}` FOR EACH ROW "
            f"IF NEW.`{column}` = {value} THEN SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'refused'; END IF"
        )
