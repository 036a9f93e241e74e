"""Making the tables that the models describe, and taking them away again.

Map: `sync` and `drop`. `models` finds out which tables are meant, `wanted` says what they are to look like, `plan` compares
that with the database (`additions` for a table that exists; `steps` words the statements; `documents` does both for stores without
SQL), `run` carries the plan out, and `report` tells it. What differs between engines stands in `stores.ddl`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import peewee

from activeassoc import registry

# All the rest is imported when it is used first: a program that never syncs need not load it.
if TYPE_CHECKING:
    from activeassoc.sync.report import Report

__all__ = ["Report", "drop", "sync"]


def sync(*what: peewee.Database | type[peewee.Model], force: bool = False, alter: bool = False, dry_run: bool = False) -> Report:
    """Create the tables that do not exist yet, with their indexes and foreign keys, parents first; what was done, as a `Report`.

    `what` are databases (all their models) or models; without any, every model known. A base stands for the models derived
    from it. A model brings its join tables, as far as their other end is there or is synced too. Only the databases of the
    models named are touched. Tables that exist are left alone, so that a second sync does nothing; what they and their models
    do not agree on is in the report's `differences`.

    - ``alter=True`` adds columns, indexes and foreign keys that tables lack. It drops no column and changes no type; what
      cannot be added (a NOT NULL column to a table with rows, a foreign key that rows break) is among the differences, with
      the steps to take. Where SQLite has to make a table again for a foreign key, that keeps its rows and fires no cascade;
      it cannot be done inside a transaction.
    - ``force=True`` drops the tables first, with all that is in them, dependents first.
    - ``dry_run=True`` changes nothing, and ``print(sync(db, dry_run=True))`` shows the SQL.

    Keys may form cycles; a NOT NULL key of a table to itself is allowed, as a row may refer to itself. Every database is done
    in one transaction where its DDL can be taken back (SQLite, PostgreSQL), within that of the caller where one is open, and under a lock,
    so that several processes may sync at once. On MySQL and MariaDB each statement of DDL commits: sync refuses to do anything
    inside a transaction there. Costs a handful of statements for each database, and on SQLite a few for each table.

    MongoDB and Redis have neither columns nor foreign keys: sync makes tables (collections) and indexes, and ``alter=True`` adds
    indexes to records that are there, beside those who read and write them. What a model declares and such a store does not hold (a
    CHECK) is among the differences; an index on an expression, on some of the rows, or written in SQL raises.

    Raises SyncError: for a cycle of NOT NULL keys, which no row could enter; where a key refers to a table that is neither
    there nor synced; where two models want one table with other columns; for ON DELETE SET DEFAULT where the engine does not
    do that; on a SQLite connection with foreign keys off; with ``force=True`` while other tables refer to those dropped; and
    for a statement that fails, with `table` and `statement`. Raises what still stands against a declaration whose target was
    given as a string.
    """
    from activeassoc.stores.ddl import Documents
    from activeassoc.sync import documents
    from activeassoc.sync.models import meant
    from activeassoc.sync.plan import plan_sync
    from activeassoc.sync.run import run
    from activeassoc.sync.wanted import wanted_tables

    registry.settle(*what)

    def plan(dialect: Any, models: Any, brought: Any) -> Any:
        tables = wanted_tables(models, dialect, brought)
        if isinstance(dialect, Documents):
            return documents.plan_sync(dialect, tables, force, alter)
        return plan_sync(dialect, tables, force, alter)

    return run("sync", meant("sync", what), plan, dry_run)


def drop(*what: peewee.Database | type[peewee.Model], dry_run: bool = False) -> Report:
    """Drop the tables of these databases or models, with all that is in them, dependents first; what was done, as a `Report`.

    `what` is as in `sync`: a model takes its join tables with it. Tables that do not exist are passed over. Raises SyncError,
    having dropped nothing, while a table that is to stay refers to one of them, and lists these.
    """
    from activeassoc.stores.ddl import Documents
    from activeassoc.sync import documents
    from activeassoc.sync.models import meant
    from activeassoc.sync.plan import plan_drop
    from activeassoc.sync.run import run
    from activeassoc.sync.wanted import wanted_tables

    for model in registry.known_models():
        registry.settle_for(model)  # a join table that is only now known of goes too; what cannot be bound is no reason to stay

    def plan(dialect: Any, models: Any, brought: Any) -> Any:
        tables = wanted_tables(models, dialect, brought)
        return documents.plan_drop(dialect, tables) if isinstance(dialect, Documents) else plan_drop(dialect, tables)

    return run("drop", meant("drop", what), plan, dry_run)


def __getattr__(name: str) -> Any:
    if name == "Report":
        from activeassoc.sync.report import Report

        return Report
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
