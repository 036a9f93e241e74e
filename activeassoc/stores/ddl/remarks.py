"""What a database says of its tables that sync has no need of: comments, and keys that look counted and are not.

Map: `Remarks` is what is told, `remarks_of` asks for it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any

from activeassoc.stores.ddl.base import Dialect
from activeassoc.stores.ddl.mysql import Mysql
from activeassoc.stores.ddl.postgresql import Postgresql
from activeassoc.stores.ddl.sqlite import Sqlite

__all__ = ["Remarks", "remarks_of"]


@dataclass
class Remarks:
    """Comments by table, and by (table, column); the words of an enumerated type by (table, column); tables whose key is not counted."""

    tables: dict[str, str] = field(default_factory=dict)
    columns: dict[tuple[str, str], str] = field(default_factory=dict)
    choices: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    uncounted: set[str] = field(default_factory=set)
    #: Tables that belong to another one: a virtual table's own, and the parts of one that is partitioned.
    parts: set[str] = field(default_factory=set)


def _of_postgresql(dialect: Dialect, schema: str | None, found: Remarks) -> None:
    place = "FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
    here = "n.nspname = COALESCE(%s, current_schema()) AND c.relkind IN ('r','p')"
    comments = (
        f"SELECT c.relname, a.attname, d.description {place} JOIN pg_catalog.pg_description d ON d.objoid = c.oid "
        "AND d.classoid = 'pg_catalog.pg_class'::regclass LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid "
        f"AND a.attnum = d.objsubid AND d.objsubid > 0 WHERE {here}"
    )
    _keep(found, dialect.rows(comments, schema))
    choices = (
        f"SELECT c.relname, a.attname, e.enumlabel {place} JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 "
        f"JOIN pg_catalog.pg_enum e ON e.enumtypid = a.atttypid WHERE {here} ORDER BY c.relname, a.attnum, e.enumsortorder"
    )
    for table, column, label in dialect.rows(choices, schema):
        found.choices.setdefault((table, column), []).append(label)
    found.parts |= {name for (name,) in dialect.rows(f"SELECT c.relname {place} WHERE {here} AND c.relispartition", schema)}


def _of_mysql(dialect: Dialect, schema: str | None, found: Remarks) -> None:
    here = "table_schema = COALESCE(%s, DATABASE())"
    query = f"SELECT table_name, column_name, column_comment FROM information_schema.columns WHERE {here} AND column_comment <> ''"
    _keep(found, dialect.rows(query, schema))
    query = f"SELECT table_name, NULL, table_comment FROM information_schema.tables WHERE {here} AND table_type = 'BASE TABLE'"
    _keep(found, dialect.rows(query, schema))


def _of_sqlite(dialect: Dialect, schema: str | None, found: Remarks) -> None:
    query = "SELECT name, type, wr FROM pragma_table_list WHERE schema = ?"
    for name, kind, without_rowid in dialect.rows(query, schema or "main"):
        if kind == "shadow":
            found.parts.add(name)
        if without_rowid:
            found.uncounted.add(name)


def _keep(found: Remarks, rows: Collection[tuple[Any, ...]]) -> None:
    for table, column, text in rows:
        words = " ".join(str(text or "").split())
        if words and column is None:
            found.tables[table] = words
        elif words:
            found.columns[table, column] = words


_TELLERS: tuple[tuple[type[Dialect], Callable[[Dialect, str | None, Remarks], None]], ...] = (
    (Postgresql, _of_postgresql),
    (Mysql, _of_mysql),
    (Sqlite, _of_sqlite),
)


def remarks_of(dialect: Dialect, schema: str | None) -> Remarks:
    """What the database says beside the tables. One to three statements, however many tables."""
    found = Remarks()
    for kind, tell in _TELLERS:
        if isinstance(dialect, kind):
            tell(dialect, schema, found)
    return found
