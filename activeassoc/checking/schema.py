"""What a database holds that differs from what the models declare, as far as records can be lost or go wrong by it.

Map: `compare` looks at the tables of one database; `_Looking` compares one table of an SQL database, by what sync knows of it;
`_index` tells of an index that is missing, and makes it; `_duplicates` finds what stands against a unique one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import peewee

from activeassoc.checking.mirrored import array_indexes
from activeassoc.checking.report import Finding
from activeassoc.checking.shared import shared, shared_values
from activeassoc.errors import SyncError, listed
from activeassoc.stores import ddl
from activeassoc.stores.ddl import dialect_of
from activeassoc.stores.embedded import arrays_of
from activeassoc.stores.sql import one_statement
from activeassoc.sync.additions import Additions
from activeassoc.sync.models import Meant
from activeassoc.sync.steps import Plan, create_index
from activeassoc.sync.wanted import Index, Table, served, wanted_tables


class Looked:
    """What was found of one database: the findings, tables that are not there, and columns that tables lack."""

    def __init__(self) -> None:
        self.findings: list[Finding] = []
        self.missing: set[int] = set()
        self.lacking: dict[int, set[str]] = {}


def compare(part: Meant, fix: bool) -> Looked:
    """Compare the tables of one database with their models. The statements of a dry run of sync, and none for each row."""
    dialect, looked = dialect_of(part.database), Looked()
    try:
        dialect.check()
    except SyncError as error:
        looked.findings.append(Finding("foreign keys off", part.database, error.because, error.instead))
    tables = wanted_tables(part.models, dialect, part.brought)
    names = [table.name for table in tables] + [key.key.to_table for table in tables for key in table.keys]
    there, plan = dialect.tables(dict.fromkeys(names)), Plan(dialect)
    for table in tables:
        found = there.get(table.place)
        model = table.model
        arrays = arrays_of(model)
        if arrays is not None:  # its links stand in the documents of others
            looked.findings += array_indexes(model, arrays, dialect, fix)
            continue
        if found is None:
            looked.missing.add(id(model))
            sentence, instead = f"there is no table {table}", f"sync({model.__name__}) makes it"
            looked.findings.append(Finding("missing table", part.database, sentence, instead, model))
            continue
        if dialect.sql:
            try:
                looking = _Looking(plan, table, there, alter=True)
            except SyncError as error:  # a key of another type than what it refers to: nothing can be asked about the two
                looked.findings.append(Finding("constraint", part.database, error.because, error.instead, model))
                looked.lacking[id(model)] = {key.field.column_name for key in table.keys}
                continue
            looked.lacking[id(model)] = looking.lacking_columns
            looked.findings += looking.findings
            missing = looking.indexes
        else:
            missing = [index for index in table.indexes if not served(index, found.indexes, table.primary_key)]
        looked.findings += _indexes(plan, table, found, missing, fix)
    return looked


class _Looking(Additions):
    """One table, looked at as ``sync(alter=True)`` does: what it would add, and what it would leave as it is."""

    def __init__(self, plan: Plan, table: Table, there: Any, alter: bool) -> None:
        self.findings: list[Finding] = []
        super().__init__(plan, table, there, alter)
        for key in self.keys:
            self._differs("has no foreign key in the database: sync(alter=True) adds it", key.key.columns[0])

    @property
    def lacking_columns(self) -> set[str]:
        return {field.column_name for folded, field in self.table.columns.items() if folded in self._lacking}

    def _look_at_columns(self) -> None:
        for folded, field in self.table.columns.items():
            if folded not in self.found.columns:
                self._lacking.add(folded)
                model, database = self.table.model, self.dialect.database
                sentence = f"{self.table}.{field.column_name} is missing"
                names = (field.name,)
                self.findings.append(Finding("missing column", database, sentence, "sync(alter=True) adds it", model, names))

    def _differs(self, sentence: str, column: str = "") -> None:
        what, _, instead = sentence.partition(": ")
        place = f"{self.table}.{column}" if column else str(self.table)
        instead = instead or "change the declaration, or the constraint with SQL"
        names = (column,) if column else ()
        self.findings.append(Finding("constraint", self.dialect.database, f"{place} {what}", instead, self.table.model, names))


# Indexes


def _indexes(plan: Plan, table: Table, found: ddl.Table, missing: Iterable[Index], fix: bool) -> Iterator[Finding]:
    for index in missing:
        columns = tuple(part or "" for part in index.index.columns)
        kind = "missing unique index" if index.index.unique else "missing index"
        on = f"on {listed(columns)}" if index.plain else repr(index.index.name)
        sentence = f"{table} has no {'unique index' if index.index.unique else 'index'} {on}"
        against = list(_duplicates(table, index, columns)) if index.index.unique and index.plain else []
        yield from against
        instead, mended = "check(fix=True) or sync(alter=True) makes it", False
        if against:
            instead = "make the values differ first, as it cannot be made over duplicates"
        elif fix:
            try:
                instead, mended = f"made as {_make(plan, table, found, index)}", True
            except peewee.IntegrityError as error:  # a row that came meanwhile, or a null that another program wrote
                instead = f"it cannot be made ({str(error).strip().rstrip('.')})"
        yield Finding(kind, plan.dialect.database, sentence, instead, table.model, columns, mended=mended)


def _make(plan: Plan, table: Table, found: ddl.Table, index: Index) -> str:
    """Make the index; its name."""
    dialect: Any = plan.dialect
    if dialect.sql:
        name, node = create_index(plan, table, index)
        with one_statement(dialect.database):
            dialect.execute(*plan.rendered(node))
        return name
    for other in found.indexes:
        if other.name == index.index.name:  # on other columns, or not unique
            dialect.execute(dialect.drop_index(table.model, table.name, other), ())
    dialect.execute(dialect.create_index(table.model, table.name, index.index, index.node), ())
    return index.index.name


def _duplicates(table: Table, index: Index, columns: tuple[str, ...]) -> Iterator[Finding]:
    """The values that several rows have where a unique index is to be."""
    model: Any = table.model
    count, rows, sample = shared_values(model, [table.columns[column] for column in columns])
    if count:
        sentence = f"{shared(model, columns, count, rows, sample)}, which is to be unique"
        yield Finding("duplicates", model._meta.database, sentence, "decide which row is right", model, columns, rows, tuple(sample))
