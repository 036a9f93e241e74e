"""The plan for a store without SQL: tables have no columns and no foreign keys there, so that only tables and indexes come and go.

Map: `plan_sync` and `plan_drop` are the ways in, as in `plan`; `_refuse_what_is_sql` and `_not_held` say what such a store does not do.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import peewee

from activeassoc.errors import listed
from activeassoc.stores import ddl
from activeassoc.stores.ddl import Documents, Name
from activeassoc.stores.embedded import Arrays, arrays_of
from activeassoc.sync.steps import Plan
from activeassoc.sync.wanted import Index, Table, refuse, served


def plan_sync(dialect: Documents, tables: Sequence[Table], force: bool, alter: bool) -> Plan:
    """What to do so that these tables and their indexes exist. Raises SyncError for what cannot be; nothing is written."""
    tables = sorted(tables, key=lambda table: arrays_of(table.model) is not None)  # their ends come first
    for table in tables:
        _refuse_what_is_sql(table)
    plan, there = Plan(dialect), dialect.tables(table.name for table in tables)
    if force:
        _drop(plan, dialect, tables, there)
        there = {}
    for table in tables:
        found = there.get(table.place)
        arrays = arrays_of(table.model)
        if arrays is not None:
            _index_arrays(plan, dialect, table, arrays, tables, force)
            if found is not None:
                plan.differences.append(f"{table} has links from before they stood in documents: {_MOVES}")
            continue
        if found is None:
            made = [_create_index(dialect, table, index) for index in table.indexes]
            plan.step("created", str(table), table, dialect.create_table(table.model, table.name), *made)
        else:
            _add_indexes(plan, dialect, table, found, alter)
        plan.differences += [*_not_held(table), *_left_in_arrays(dialect, table)]
    return plan


def plan_drop(dialect: Documents, tables: Sequence[Table]) -> Plan:
    """What to do so that these tables are gone."""
    plan = Plan(dialect)
    tables = sorted(tables, key=lambda table: arrays_of(table.model) is not None)
    _drop(plan, dialect, tables, dialect.tables(table.name for table in tables))
    return plan


def _drop(plan: Plan, dialect: Documents, tables: Sequence[Table], there: dict[Name, ddl.Table]) -> None:
    for table in reversed(tables):  # nothing refers to anything here; the report reads as it does elsewhere
        arrays = arrays_of(table.model)
        if table.place in there or (arrays is not None and any(dialect.has_index(*each) for each in arrays.indexes)):
            plan.step("dropped", str(table), table, dialect.drop_table(table.model, table.name))


# Links within documents

_MOVES = "activeassoc update-associations moves them"


def _index_arrays(plan: Plan, dialect: Documents, table: Table, arrays: Arrays, tables: Sequence[Table], force: bool) -> None:
    """Links that stand in the documents of both ends have no table, but an index on each side."""
    coming = {id(each.model) for each in tables}
    for side, index in arrays.indexes:
        if id(side.holder) not in coming and not side.holder.table_exists():
            told = f"they stand in the documents of {side.holder._meta.table_name}, which does not exist; sync {side.holder.__name__} too"
            plan.differences.append(f"the links of {table} have no index yet: {told}")
        elif force or not dialect.has_index(side, index):
            plan.step("indexes", index, table, dialect.index_arrays(table.model, side, index))


def _left_in_arrays(dialect: Documents, table: Table) -> Iterator[str]:
    """Links that stood in documents before they had a table, as far as their indexes tell."""
    embedded = getattr(table.model._meta, "embedded", None)
    arrays = embedded.would_be() if embedded is not None else None
    for side, index in arrays.indexes if arrays is not None else ():
        if dialect.has_index(side, index):
            yield f"the documents of {side.holder._meta.table_name} may have links in {side.array!r}: {_MOVES}"


# Indexes


def _create_index(dialect: Documents, table: Table, index: Index) -> Any:
    return dialect.create_index(table.model, table.name, index.index, index.node)


def _add_indexes(plan: Plan, dialect: Documents, table: Table, found: ddl.Table, alter: bool) -> None:
    held = {each.name: each for each in found.indexes}
    for index in table.indexes:
        if served(index, found.indexes, table.primary_key):
            continue
        name, unique = index.index.name, index.index.unique
        other = held.get(name)
        if not alter:
            kind = "unique index" if unique else "index"
            on = listed(part or "" for part in index.index.columns)
            plan.differences.append(f"{table} has no {kind} on {on}: sync(alter=True) adds it")
            continue
        # One of this name on other columns, or not unique, has to go first.
        before = [dialect.drop_index(table.model, table.name, other)] if other else []
        plan.step("indexes", name, table, *before, _create_index(dialect, table, index))
    wanted = [table.primary_key, *(each.index.columns for each in table.indexes)]
    for each in found.indexes:
        if each.unique and each.columns not in wanted and each.name not in {index.index.name for index in table.indexes}:
            on = listed(part or "" for part in each.columns)
            plan.differences.append(f"{table} has a unique index on {on}, which {table.model.__name__} does not have")


# What there is none of


def _refuse_what_is_sql(table: Table) -> None:
    """An index that this store cannot make would be missed by whoever relies on it: raises SyncError."""
    meta: Any = table.model._meta
    asked = f"sync() of table {table}"
    if meta.temporary:
        raise refuse(asked, "there are no temporary tables on this store", "Leave Meta.temporary away", table=str(table))
    instead = "Leave it out of the model, or keep the model in an SQL database"
    for field in table.columns.values():
        if field.collation:
            because = f"its column {field.column_name} has the collation {field.collation}, and this store compares texts by code point"
            raise refuse(asked, because, instead, table=str(table))
    for index in table.indexes:
        node: Any = index.node
        if not isinstance(node, peewee.Index):
            because = f"the index {index.index.name or str(node)!r} is written in SQL, and this store has none"
        elif index.index.partial:
            because = f"the index {index.index.name!r} is on some of the rows, and this store makes it on all or none"
        elif None in index.index.columns:
            because = f"the index {index.index.name!r} is on an expression, and this store makes it on columns"
        else:
            continue
        raise refuse(asked, because, instead, table=str(table))


def _not_held(table: Table) -> Iterator[str]:
    """What is declared and an SQL database would hold by itself."""
    meta: Any = table.model._meta
    if meta.constraints:
        yield f"{table} has Meta.constraints, which this store does not check"
    for field in table.columns.values():
        told: Any = field
        if told.constraints and not _is_a_default(told):
            yield f"{table}.{told.column_name} has constraints, which this store does not check"
        if getattr(told, "sequence", None):
            yield f"{table}.{told.column_name} names a sequence, and this store has a counter of its own"


def _is_a_default(field: Any) -> bool:
    """``constraints=[SQL("DEFAULT …")]`` beside a default that Python gives: there is nothing to miss."""
    return field.default is not None and all(str(getattr(each, "sql", "")).upper().startswith("DEFAULT ") for each in field.constraints)
