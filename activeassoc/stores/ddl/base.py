"""What a database says of the tables that it holds, and what the engines have in common in saying it.

Map: `Table`, `Column`, `Index` and `ForeignKey` are what is told; `Dialect` is who tells it: its subclasses say as data what each
engine can do, read its catalogue, take its lock and word what only it words so.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

#: Seconds to wait for another process that syncs the same database.
LOCK_TIMEOUT = 60

#: A table's schema (None for the one that names without a schema mean) and name.
Name = tuple[str | None, str]


@dataclass(frozen=True)
class Column:
    """A column that a table has."""

    name: str
    type: str
    null: bool
    default: str | None = None
    #: Its value is computed: it can be neither written nor copied.
    generated: bool = False


@dataclass(frozen=True)
class Index:
    """An index that a table has; a part that is no plain column is None."""

    name: str
    columns: tuple[str | None, ...]
    unique: bool
    #: It covers some of the rows.
    partial: bool = False


@dataclass(frozen=True)
class ForeignKey:
    """A foreign key that a table has: `columns` of `table` refer to `to_columns` of `to_table`."""

    name: str | None
    table: Name
    columns: tuple[str, ...]
    to_table: Name
    to_columns: tuple[str, ...]
    on_delete: str
    on_update: str

    def __str__(self) -> str:
        return f"{shown(self.table)}.{', '.join(self.columns)}"


@dataclass
class Table:
    """A table that the database holds, or something else of that name, such as a view: then `is_table` is False."""

    name: Name
    is_table: bool = True
    temporary: bool = False
    #: Its columns are those of a module, and are not what was declared.
    virtual: bool = False
    columns: dict[str, Column] = field(default_factory=dict)
    primary_key: tuple[str, ...] = ()
    indexes: list[Index] = field(default_factory=list)
    keys: list[ForeignKey] = field(default_factory=list)


def shown(name: Name) -> str:
    """A table's name as messages and reports show it."""
    return ".".join(part for part in name if part)


class Dialect:
    """What the engines have in common; `database` is the one at hand."""

    #: There are statements, and tables have columns.
    sql = True
    #: The store has foreign keys.
    constraints = True
    #: The longest name, in bytes; 0 for no limit.
    name_limit = 0
    #: Tables may be made and dropped within a transaction, and come and go with it.
    transactional = True
    #: CREATE TABLE may refer to a table that is still to come.
    forward_references = False
    #: A foreign key can be added to a table and taken from it; else the table is made again.
    alters_keys = True
    #: A foreign key can be checked at COMMIT.
    deferrable = True
    #: ON DELETE SET DEFAULT does that.
    sets_default = True
    #: Foreign keys may go from one schema to another.
    keys_across_schemas = True
    #: A column's default can be given and taken away, and NOT NULL be added.
    alters_columns = True
    #: What ALTER TABLE … DROP calls a foreign key.
    drops_key_as = "CONSTRAINT"
    #: RESTRICT and NO ACTION are the same.
    restrict_is_no_action = False
    #: DROP TABLE finds a temporary table only where it says TEMPORARY.
    says_temporary = False

    def __init__(self, database: Any) -> None:
        self.database = database

    def execute(self, statement: str, params: Sequence[Any]) -> None:
        """Carry out one statement of a plan."""
        self.database.execute_sql(statement, params)

    def rows(self, sql: str, *params: Any) -> list[tuple[Any, ...]]:
        return list(self.database.execute_sql(sql, params).fetchall())

    def quoted(self, name: str) -> str:
        opening, closing = self.database.quote
        return f"{opening}{name.replace(closing, closing * 2)}{closing}"

    def entity(self, name: Name) -> str:
        return ".".join(self.quoted(part) for part in name if part)

    def fold(self, name: str) -> str:
        """The name as the engine compares names of columns and indexes."""
        return name

    def fold_table(self, name: str) -> str:
        """The name as the engine compares names of tables."""
        return name

    def folded(self, name: Name) -> Name:
        """The name as it can be compared: the schema that names without one mean is None."""
        return None if name[0] == self.current else name[0], self.fold_table(name[1])

    @functools.cached_property
    def current(self) -> str:
        """The schema that names without one mean."""
        raise NotImplementedError

    def rule(self, rule: str | None) -> str:
        """ON DELETE or ON UPDATE as it can be compared."""
        rule = (rule or "NO ACTION").upper()
        return "NO ACTION" if rule == "RESTRICT" and self.restrict_is_no_action else rule

    def type_of(self, declared: str) -> str | None:
        """One name for all that mean this type, None where it is not known."""
        return None

    # What the database says

    def check(self) -> None:
        """Refuse a connection on which what sync makes would not hold."""

    def tables(self, names: Iterable[Name]) -> dict[Name, Table]:
        """What the database holds under these names, by their folded form."""
        schemas: dict[str | None, list[str]] = {}
        for schema, name in map(self.folded, names):
            schemas.setdefault(schema, []).append(name)
        found: dict[Name, Table] = {}
        for schema, wanted in schemas.items():
            self._read(found, schema, wanted)
        return found

    def _read(self, found: dict[Name, Table], schema: str | None, names: Sequence[str]) -> None:
        raise NotImplementedError

    def referring(self, names: Iterable[Name]) -> list[ForeignKey]:
        """Every foreign key of the database that refers to one of these tables, whether a model is known for it or not."""
        raise NotImplementedError

    def has_temporary(self, table: str) -> bool:
        """Whether this connection has a temporary table of this name."""
        raise NotImplementedError

    def has_rows(self, table: Name) -> bool:
        return bool(self.rows(f"SELECT 1 FROM {self.entity(table)} LIMIT 1"))

    def orphans(self, key: ForeignKey, there: bool) -> int:
        """How many rows a new foreign key would not hold for; `there` tells whether the table that it refers to exists."""
        column, target = self.quoted(key.columns[0]), self.quoted(key.to_columns[0])
        missing = f" AND NOT EXISTS (SELECT 1 FROM {self.entity(key.to_table)} p WHERE p.{target} = c.{column})" if there else ""
        return int(self.rows(f"SELECT COUNT(*) FROM {self.entity(key.table)} c WHERE c.{column} IS NOT NULL{missing}")[0][0])

    # What only it words so

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """One sync at a time, and, where DDL can be taken back, a transaction."""
        yield

    def around_drop(self, closing: Sequence[ForeignKey], to_itself: Sequence[ForeignKey]) -> tuple[list[str], list[str]]:
        """Statements before and after tables are dropped whose keys close a cycle, or refer to their own table."""
        drop = f"DROP {self.drops_key_as}"
        return [f"ALTER TABLE {self.entity(key.table)} {drop} {self.quoted(key.name or '')}" for key in closing], []

    @contextlib.contextmanager
    def unchecked(self) -> Iterator[None]:
        """A block, outside of any transaction, in which tables can be made again."""
        yield

    def literal(self, value: Any) -> str:
        """The value as a DEFAULT clause takes it, which cannot be bound."""
        raise NotImplementedError

    def required(self, table: Name, column: str, ddl: str) -> str:
        """The statement that makes a column NOT NULL, once every row has a value; `ddl` is its whole definition."""
        return f"ALTER TABLE {self.entity(table)} ALTER COLUMN {self.quoted(column)} SET NOT NULL"

    def taken(self, schema: str | None) -> set[str]:
        """The names that an index or a constraint of this schema cannot have, folded."""
        raise NotImplementedError


def indexes_of(rows: Iterable[tuple[Any, ...]]) -> list[Index]:
    """Indexes from rows of (name, unique, partial, column), one for each column, in order."""
    found: dict[str, list[tuple[Any, ...]]] = {}
    for row in rows:
        found.setdefault(row[0], []).append(row)
    return [Index(name, tuple(row[3] for row in parts), bool(parts[0][1]), any(row[2] for row in parts)) for name, parts in found.items()]
