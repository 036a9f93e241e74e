"""PostgreSQL's catalogue and DDL.

Map: `Postgresql`.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from activeassoc.stores.ddl import types
from activeassoc.stores.ddl.base import Column, Dialect, ForeignKey, Name, Table, indexes_of


class Postgresql(Dialect):
    """PostgreSQL: everything within the transaction; names of indexes belong to the schema."""

    name_limit = 63

    def type_of(self, declared: str) -> str | None:
        return types.one_name(declared, types.POSTGRESQL)

    @functools.cached_property
    def current(self) -> str:
        return str(self.rows("SELECT current_schema()")[0][0])

    def _read(self, found: dict[Name, Table], schema: str | None, names: Sequence[str]) -> None:
        wanted = list(names)
        relations = (
            "SELECT c.relname, c.relkind::text FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
            "WHERE n.nspname = COALESCE(%s, current_schema()) AND c.relname = ANY(%s) AND c.relkind IN ('r','p','v','m','f')"
        )
        for name, kind in self.rows(relations, schema, wanted):
            found[schema, name] = Table((schema, name), kind in "rp")
        columns = (
            "SELECT c.relname, a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod), NOT a.attnotnull, "
            "pg_catalog.pg_get_expr(d.adbin, d.adrelid), a.attgenerated <> '' FROM pg_catalog.pg_class c "
            "JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid "
            "LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum "
            "WHERE n.nspname = COALESCE(%s, current_schema()) AND c.relname = ANY(%s) AND c.relkind IN ('r','p') "
            "AND a.attnum > 0 AND NOT a.attisdropped ORDER BY c.relname, a.attnum"
        )
        for name, *column in self.rows(columns, schema, wanted):
            found[schema, name].columns[column[0]] = Column(*column)
        self._read_indexes(found, schema, wanted)
        for key in self._keys("t.relname = ANY(%s) AND n.nspname = COALESCE(%s, current_schema())", wanted, schema):
            found[key.table].keys.append(key)

    def _read_indexes(self, found: dict[Name, Table], schema: str | None, names: list[str]) -> None:
        query = (
            "SELECT c.relname, x.indisprimary, i.relname, x.indisunique, x.indpred IS NOT NULL OR NOT x.indisvalid, a.attname "
            "FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
            "JOIN pg_catalog.pg_index x ON x.indrelid = c.oid JOIN pg_catalog.pg_class i ON i.oid = x.indexrelid "
            "CROSS JOIN LATERAL unnest(x.indkey::int2[]) WITH ORDINALITY k(number, position) "
            "LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.number "
            "WHERE n.nspname = COALESCE(%s, current_schema()) AND c.relname = ANY(%s) AND c.relkind IN ('r','p') "
            "AND k.position <= x.indnkeyatts ORDER BY c.relname, i.relname, k.position"
        )
        rows: dict[tuple[str, bool], list[tuple[Any, ...]]] = {}
        for table, primary, *row in self.rows(query, schema, names):
            rows.setdefault((table, primary), []).append(tuple(row))
        for (name, primary), found_rows in rows.items():
            indexes = indexes_of(found_rows)
            found[schema, name].indexes += indexes
            if primary:
                found[schema, name].primary_key = tuple(column or "" for column in indexes[0].columns)

    def _keys(self, condition: str, *params: Any) -> list[ForeignKey]:
        rules = {"a": "NO ACTION", "r": "RESTRICT", "c": "CASCADE", "n": "SET NULL", "d": "SET DEFAULT"}
        columns = (
            "ARRAY(SELECT a.attname::text FROM unnest(f.{0}) WITH ORDINALITY k(number, position) "
            "JOIN pg_catalog.pg_attribute a ON a.attrelid = f.{1} AND a.attnum = k.number ORDER BY k.position)"
        )
        query = (
            "SELECT f.conname, n.nspname, t.relname, rn.nspname, r.relname, f.confdeltype::text, f.confupdtype::text, "
            f"{columns.format('conkey', 'conrelid')}, {columns.format('confkey', 'confrelid')} FROM pg_catalog.pg_constraint f "
            "JOIN pg_catalog.pg_class t ON t.oid = f.conrelid JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace "
            "JOIN pg_catalog.pg_class r ON r.oid = f.confrelid JOIN pg_catalog.pg_namespace rn ON rn.oid = r.relnamespace "
            f"WHERE f.contype = 'f' AND {condition} ORDER BY t.relname, f.conname"
        )
        keys = []
        for name, of, table, to, to_table, on_delete, on_update, own, others in self.rows(query, *params):
            ends = self.folded((of, table)), tuple(own), self.folded((to, to_table)), tuple(others)
            keys.append(ForeignKey(name, *ends, rules[on_delete], rules[on_update]))
        return keys

    def referring(self, names: Iterable[Name]) -> list[ForeignKey]:
        found: dict[tuple[Name, str | None], ForeignKey] = {}
        for schema in sorted({name[0] for name in names}, key=lambda name: name or ""):
            tables = [name for of, name in names if of == schema]
            for key in self._keys("r.relname = ANY(%s) AND rn.nspname = COALESCE(%s, current_schema())", tables, schema):
                found[key.table, key.name] = key
        return list(found.values())

    def taken(self, schema: str | None) -> set[str]:
        query = (
            "SELECT c.relname FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
            "WHERE n.nspname = COALESCE(%s, current_schema())"
        )
        return {name for (name,) in self.rows(query, schema)}

    def has_temporary(self, table: str) -> bool:
        return bool(self.rows("SELECT to_regclass('pg_temp.' || quote_ident(%s)) IS NOT NULL", table)[0][0])

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        outermost = not self.database.in_transaction()
        with self.database.atomic():
            if outermost:
                # A stricter level would look at the database as it was before the lock was there.
                self.database.execute_sql("SET TRANSACTION ISOLATION LEVEL READ COMMITTED")
            self.database.execute_sql("SELECT pg_advisory_xact_lock(hashtext('activeassoc'), hashtext('sync'))")
            yield
