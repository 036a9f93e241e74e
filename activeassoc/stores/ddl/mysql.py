"""The catalogue and DDL of MySQL and MariaDB.

Map: `Mysql`.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import peewee

from activeassoc.errors import SyncError
from activeassoc.stores.ddl import types
from activeassoc.stores.ddl.base import LOCK_TIMEOUT, Column, Dialect, ForeignKey, Name, Table, indexes_of


class Mysql(Dialect):
    """MySQL and MariaDB: every statement of DDL commits; a foreign key makes its own index where there is none."""

    name_limit = 64
    transactional = False
    deferrable = False
    sets_default = False
    restrict_is_no_action = True
    says_temporary = True
    drops_key_as = "FOREIGN KEY"

    def type_of(self, declared: str) -> str | None:
        return types.one_name(declared, types.MYSQL)

    @functools.cached_property
    def current(self) -> str:
        return str(self.rows("SELECT DATABASE()")[0][0])

    @functools.cached_property
    def _folds_tables(self) -> bool:
        return bool(self.rows("SELECT @@lower_case_table_names")[0][0])

    def fold(self, name: str) -> str:
        return name.lower()

    def fold_table(self, name: str) -> str:
        return name.lower() if self._folds_tables else name

    def _read(self, found: dict[Name, Table], schema: str | None, names: Sequence[str]) -> None:
        these = f"table_schema = COALESCE(%s, DATABASE()) AND table_name IN ({', '.join(['%s'] * len(names))})"
        params = (schema, *names)
        for name, kind in self.rows(f"SELECT table_name, table_type FROM information_schema.tables WHERE {these}", *params):
            found[self.folded((schema, name))] = Table((schema, name), "VIEW" not in kind)
        columns = "table_name, column_name, column_type, is_nullable = 'YES', column_default, extra"
        query = f"SELECT {columns} FROM information_schema.columns WHERE {these} ORDER BY table_name, ordinal_position"
        for table, name, kind, null, default, extra in self.rows(query, *params):
            column = Column(name, kind, bool(null), None if default == "NULL" else default, "GENERATED" in (extra or "").upper())
            found[self.folded((schema, table))].columns[self.fold(name)] = column
        query = (
            # A text column is indexed by its beginning, which finds rows all the same, but cannot tell that they differ.
            "SELECT table_name, index_name, non_unique = 0, non_unique = 0 AND sub_part IS NOT NULL, column_name "
            f"FROM information_schema.statistics WHERE {these} ORDER BY table_name, index_name, seq_in_index"
        )
        rows: dict[str, list[tuple[Any, ...]]] = {}
        for table, *row in self.rows(query, *params):
            rows.setdefault(table, []).append(tuple(row))
        for table, found_rows in rows.items():
            there = found[self.folded((schema, table))]
            there.indexes += indexes_of(found_rows)
            there.primary_key = next((tuple(c or "" for c in index.columns) for index in there.indexes if index.name == "PRIMARY"), ())
        for key in self._keys(f"k.{these.replace('table_name', 'k.table_name')}", *params):
            found[self.folded(key.table)].keys.append(key)

    def _keys(self, condition: str, *params: Any) -> list[ForeignKey]:
        query = (
            "SELECT k.constraint_name, k.table_schema, k.table_name, k.referenced_table_schema, k.referenced_table_name, r.delete_rule, "
            "r.update_rule, k.column_name, k.referenced_column_name FROM information_schema.key_column_usage k "
            "JOIN information_schema.referential_constraints r ON r.constraint_schema = k.constraint_schema "
            "AND r.constraint_name = k.constraint_name AND r.table_name = k.table_name "
            f"WHERE k.referenced_table_name IS NOT NULL AND {condition} "
            "ORDER BY k.table_schema, k.table_name, k.constraint_name, k.ordinal_position"
        )
        grouped: dict[tuple[Any, ...], list[tuple[Any, ...]]] = {}
        for row in self.rows(query, *params):
            grouped.setdefault(row[:7], []).append(row[7:])
        keys = []
        for (name, of, table, to, to_table, on_delete, on_update), rows in grouped.items():
            own, others = zip(*rows, strict=True)
            keys.append(ForeignKey(name, self.folded((of, table)), own, self.folded((to, to_table)), others, on_delete, on_update))
        return keys

    def referring(self, names: Iterable[Name]) -> list[ForeignKey]:
        found: dict[tuple[Name, str | None], ForeignKey] = {}
        for schema in sorted({name[0] for name in names}, key=lambda name: name or ""):
            tables = [name for of, name in names if of == schema]
            places = ", ".join(["%s"] * len(tables))
            condition = f"k.referenced_table_schema = COALESCE(%s, DATABASE()) AND k.referenced_table_name IN ({places})"
            for key in self._keys(condition, schema, *tables):
                found[key.table, key.name] = key
        return list(found.values())

    def has_temporary(self, table: str) -> bool:
        try:
            (row,) = self.rows(f"SHOW CREATE TABLE {self.quoted(table)}")
        except peewee.PeeweeException:
            return False
        return str(row[1]).startswith("CREATE TEMPORARY")

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        # The name is the server's, not the database's, and takes 64 characters.
        name = "CONCAT('activeassoc.sync.', MD5(COALESCE(DATABASE(), '')))"
        if self.rows(f"SELECT GET_LOCK({name}, %s)", LOCK_TIMEOUT)[0][0] != 1:
            raise SyncError(
                "sync()",
                f"another process has been syncing this database for {LOCK_TIMEOUT} seconds",
                "Wait for it, or look for it in SHOW PROCESSLIST, and sync again",
                table=None,
                statement="SELECT GET_LOCK(…)",
            )
        try:
            yield
        finally:
            # The lock belongs to the connection: where that is gone, the lock is too.
            with contextlib.suppress(peewee.PeeweeException):
                self.rows(f"SELECT RELEASE_LOCK({name})")

    def required(self, table: Name, column: str, ddl: str) -> str:
        return f"ALTER TABLE {self.entity(table)} MODIFY COLUMN {ddl}"

    def taken(self, schema: str | None) -> set[str]:
        keys = "SELECT constraint_name FROM information_schema.referential_constraints WHERE constraint_schema = COALESCE(%s, DATABASE())"
        indexes = "SELECT index_name FROM information_schema.statistics WHERE table_schema = COALESCE(%s, DATABASE())"
        return {self.fold(name) for (name,) in self.rows(f"{keys} UNION {indexes}", schema, schema)}
