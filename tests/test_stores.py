"""What each store can do: docs/stores.md has it as a table, and this is where the table comes from."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import peewee
import pytest

from activeassoc.stores.capabilities import DOCUMENTS, MYSQL, POSTGRESQL, SQLITE, UNKNOWN, Store, store_of
from activeassoc.stores.mongo import MONGODB
from activeassoc.stores.redis import RedisDatabase

PAGE = Path(__file__).resolve().parent.parent / "docs" / "stores.md"

STORES = {"SQLite": SQLITE, "PostgreSQL": POSTGRESQL, "MariaDB, MySQL": MYSQL, "MongoDB": MONGODB, "Redis": RedisDatabase.capabilities}

#: The capabilities that a reader asks about, in his words.
WORDS = {
    "sql": "SQL text: `execute_sql()`, `SQL()`",
    "joins": "joins, subqueries, unions",
    "windows": "window functions",
    "expressions": "CASE, EXISTS, functions in queries",
    "scans": "filters and sorts by itself where no index serves",
    "transactions": "`atomic()` is a transaction",
    "savepoints": "a block within another is undone alone",
    "row_locks": "locks rows: FOR UPDATE",
    "constraints": "holds foreign keys",
    "columns": "holds types, NOT NULL and lengths; `sync` adds columns",
    "replace": "REPLACE",
    "arrays": "links in the documents of both sides: [`embed=True`](embedding.md)",
    "microseconds": "datetimes with microseconds",
}

#: How statements are worded, which concerns nobody outside.
WORDING = {"begin", "begin_reading", "failure_aborts", "key_lists", "parameters", "wide_integers", "conflict_nothing", "latest"}


def table() -> str:
    """The table of the page."""
    lines = [f"| | {' | '.join(STORES)} |", "|---" * (len(STORES) + 1) + "|"]
    for name, words in WORDS.items():
        lines.append(f"| {words} | {' | '.join('yes' if getattr(store, name) else 'no' for store in STORES.values())} |")
    lines.append(f"| keys that one query takes | {' | '.join(f'{store.keys_per_statement:,}' for store in STORES.values())} |")
    return "\n".join(lines)


def test_the_page_has_the_table_of_what_each_store_can_do():
    """Issue 5: what each store can do, as a table generated from its capabilities."""
    assert table() in PAGE.read_text(encoding="utf-8")


def test_every_capability_is_told_or_is_wording():
    """A capability that is added wants its line in the table, or its place among those that concern nobody outside."""
    names = {field.name for field in dataclasses.fields(Store)}
    assert names == {*WORDS, *WORDING, "keys_per_statement"}


@pytest.mark.every_store
def test_a_database_tells_what_it_can_do(db, store):
    """J7: capabilities are asked for by the database, whatever made it."""
    told = {"sqlite": SQLITE, "postgresql": POSTGRESQL, "mariadb": MYSQL, "mongodb": MONGODB, "redis": RedisDatabase.capabilities}
    assert store_of(db) == told[store.name]


def test_a_database_of_another_kind_is_treated_with_care():
    """What is not known is worded so that most databases read it; a proxy answers for the one behind it, one without SQL for itself."""
    proxy = peewee.DatabaseProxy()
    proxy.initialize(peewee.SqliteDatabase(None))
    assert store_of(proxy) is SQLITE
    assert store_of(peewee.Database(None)) is UNKNOWN and UNKNOWN.sql

    class Own(peewee.Database):
        capabilities = DOCUMENTS

    assert store_of(Own(None)) is DOCUMENTS

    class Unrelated(peewee.SqliteDatabase):
        capabilities = ("something else",)

    assert store_of(Unrelated(None)) is SQLITE
