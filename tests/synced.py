"""What the tests of sync share: models, tables made by hand, and what the database says of their indexes."""

from __future__ import annotations

from typing import Any, NamedTuple

import peewee
from looking import pk, table
from peewee import CharField, ForeignKeyField

from activeassoc import sync
from activeassoc.stores.ddl import dialect_of


class Tracker(NamedTuple):
    """Three models, of which each refers to the one before."""

    User: Any
    Project: Any
    Task: Any


def tracker(Base: Any) -> Tracker:
    """The three models on the database of `Base`, which keeps them: the registry does not."""

    class User(Base):
        name = CharField()

    class Project(Base):
        title = CharField()
        owner = ForeignKeyField(User, null=True, on_delete="SET NULL", on_update="CASCADE")

    class Task(Base):
        project = ForeignKeyField(Project, on_delete="CASCADE", on_update="CASCADE")
        parent = ForeignKeyField("self", null=True, on_delete="SET NULL")

    Base.tracker = Tracker(User, Project, Task)
    return Base.tracker


def indexes(model: Any) -> list[tuple[tuple[str, ...], bool]]:
    """The indexes that the database has on the model's table: (columns, unique), without the primary key."""
    found = [(tuple(index.columns), index.unique) for index in model._meta.database.get_indexes(table(model))]
    return sorted(index for index in found if set(index[0]) != pk(model))


def quoted(db: Any, name: str) -> str:
    """The name as the database quotes it."""
    return name.join(db.quote)


def unsaid(db: Any) -> str:
    """What the database calls ON DELETE where none was given."""
    return "RESTRICT" if dialect_of(db).restrict_is_no_action else "NO ACTION"


def model(db: Any, class_name: str, /, **fields: Any) -> Any:
    """A model of this name, without being known to anything else: another one may be made for the same table."""
    options = {"database": db, **fields.pop("meta", {})}
    return type(class_name, (peewee.Model,), {**fields, "Meta": type("Meta", (), options)})


def hand_made(db: Any, *more: str) -> tuple[Any, Any]:
    """Two tables made by hand, without a foreign key, and models that want one."""
    user = model(db, "User", name=CharField())
    sync(user)
    db.execute_sql(", ".join(["CREATE TABLE task (id INTEGER PRIMARY KEY", "title VARCHAR(255)", "user_id INTEGER", *more]) + ")")
    key = ForeignKeyField(user, null=True, on_delete="SET NULL", on_update="CASCADE")
    return user, model(db, "Task", title=CharField(null=True), user=key)
