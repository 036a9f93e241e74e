"""SQLite's catalogue and DDL.

Map: `Sqlite`. How it makes a table again stands in `rebuild`.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from activeassoc.errors import SyncError
from activeassoc.stores.ddl import types
from activeassoc.stores.ddl.base import Column, Dialect, ForeignKey, Name, Table, indexes_of


class Sqlite(Dialect):
    """SQLite: names in any case are one name, a foreign key is part of CREATE TABLE or of ADD COLUMN."""

    forward_references = True
    alters_keys = False
    keys_across_schemas = False
    alters_columns = False
    current = "main"

    def type_of(self, declared: str) -> str | None:
        return types.affinity(declared)

    def fold(self, name: str) -> str:
        return name.lower()

    def fold_table(self, name: str) -> str:
        return name.lower()

    def check(self) -> None:
        if not self.rows("PRAGMA foreign_keys")[0][0]:
            raise SyncError(
                "sync()",
                "foreign keys are off on this SQLite connection, so that no constraint would hold",
                "Open the database with activeassoc.connect(), or with SqliteDatabase(…, pragmas={'foreign_keys': 1}); "
                "within a transaction the pragma changes nothing",
                table=None,
                statement="PRAGMA foreign_keys",
            )

    def _read(self, found: dict[Name, Table], schema: str | None, names: Sequence[str]) -> None:
        main, wanted = self.quoted(schema or "main"), json.dumps(names)
        # Only what was asked for: a virtual table whose module is missing, or a broken view, would fail the whole statement.
        these = f"{main}.sqlite_master m WHERE m.name COLLATE NOCASE IN (SELECT value FROM json_each(?))"
        query = f"SELECT m.name, m.type, m.sql LIKE 'CREATE VIRTUAL TABLE%' FROM {these} AND m.type IN ('table', 'view')"
        for name, kind, virtual in self.rows(query, wanted):
            found[self.folded((schema, name))] = Table((schema, name), kind == "table", virtual=bool(virtual))
        tables = [table for table in found.values() if table.is_table and not table.virtual and table.name[0] == schema]
        for table in tables:
            self._read_columns(table, schema or "main")
            self._read_indexes(table, schema or "main")
        for key in self._keys(schema, [table.name[1] for table in tables]):
            found[self.folded(key.table)].keys.append(key)

    def _read_columns(self, table: Table, schema: str) -> None:
        query = 'SELECT name, type, "notnull", dflt_value, pk, hidden FROM pragma_table_xinfo(?, ?) ORDER BY cid'
        rows = self.rows(query, table.name[1], schema)
        for name, kind, required, default, _, hidden in rows:
            if hidden != 1:  # 1: a hidden column of a virtual table
                table.columns[self.fold(name)] = Column(name, kind or "", not required, default, hidden in (2, 3))
        table.primary_key = tuple(name for _, name in sorted((row[4], row[0]) for row in rows if row[4]))

    def _read_indexes(self, table: Table, schema: str) -> None:
        query = (
            'SELECT l.name, l."unique", l.partial, i.name FROM pragma_index_list(?, ?) l, pragma_index_xinfo(l.name, ?) i '
            "WHERE i.key = 1 ORDER BY l.name, i.seqno"
        )
        table.indexes += indexes_of(self.rows(query, table.name[1], schema, schema))

    def _keys(self, schema: str | None, names: Sequence[str] | None) -> list[ForeignKey]:
        main = schema or "main"
        these = "" if names is None else "AND m.name IN (SELECT value FROM json_each(?))"
        query = (
            f'SELECT m.name, k.id, k."table", k."from", k."to", k.on_delete, k.on_update FROM {self.quoted(main)}.sqlite_master m, '
            f"pragma_foreign_key_list(m.name, ?) k WHERE m.type = 'table' {these} ORDER BY m.name, k.id, k.seq"
        )
        grouped: dict[tuple[str, int], list[tuple[Any, ...]]] = {}
        for row in self.rows(query, main, *([] if names is None else [json.dumps(names)])):
            grouped.setdefault(row[:2], []).append(row)
        return [self._key(schema, rows) for rows in grouped.values()]

    def _key(self, schema: str | None, rows: list[tuple[Any, ...]]) -> ForeignKey:
        table, _, target, _, _, on_delete, on_update = rows[0]
        to_columns = tuple(row[4] for row in rows)
        if None in to_columns:  # a bare REFERENCES parent means its primary key
            to_columns = tuple(self.database.get_primary_keys(target, schema))
        return ForeignKey(None, (schema, table), tuple(row[3] for row in rows), (schema, target), to_columns, on_delete, on_update)

    def referring(self, names: Iterable[Name]) -> list[ForeignKey]:
        wanted = {self.folded(name) for name in names}
        return [key for schema in {name[0] for name in wanted} for key in self._keys(schema, None) if self.folded(key.to_table) in wanted]

    def has_temporary(self, table: str) -> bool:
        return bool(self.rows("SELECT 1 FROM sqlite_temp_master WHERE type = 'table' AND name = ? COLLATE NOCASE", table))

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        with self.database.atomic("IMMEDIATE"):
            yield

    def around_drop(self, closing: Sequence[ForeignKey], to_itself: Sequence[ForeignKey]) -> tuple[list[str], list[str]]:
        # DROP TABLE deletes the rows first, one by one, and RESTRICT would forbid it. Put off, the check finds all of them gone.
        if not (closing or to_itself) or self.rows("PRAGMA defer_foreign_keys")[0][0]:
            return [], []
        return ["PRAGMA defer_foreign_keys = 1"], ["PRAGMA defer_foreign_keys = 0"]

    @contextlib.contextmanager
    def unchecked(self) -> Iterator[None]:
        # Within a transaction the first pragma does nothing, silently. The second keeps RENAME from looking at views and triggers
        # that name the table, which is gone for that moment, and from changing them.
        legacy = self.rows("PRAGMA legacy_alter_table")[0][0]
        self.database.execute_sql("PRAGMA foreign_keys = 0")
        self.database.execute_sql("PRAGMA legacy_alter_table = 1")
        try:
            yield
        finally:
            self.database.execute_sql(f"PRAGMA legacy_alter_table = {legacy}")
            self.database.execute_sql("PRAGMA foreign_keys = 1")

    def literal(self, value: Any) -> str:
        return str(self.rows("SELECT quote(?)", value)[0][0])

    def taken(self, schema: str | None) -> set[str]:
        return {self.fold(name) for (name,) in self.rows(f"SELECT name FROM {self.quoted(schema or 'main')}.sqlite_master")}
