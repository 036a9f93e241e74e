"""What has to be done so that the database holds what the models want: steps, and differences that are left.

Everything here reads; nothing is written before the whole plan stands.

Map: `plan_sync` and `plan_drop` are the ways in; `_drop` orders what goes, `_create` what comes; tables that are there are looked at
in `additions`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from activeassoc.errors import listed
from activeassoc.stores import ddl
from activeassoc.stores.ddl import Dialect, Name, shown
from activeassoc.sync.additions import Additions
from activeassoc.sync.steps import Plan, add_constraint, create_index, create_sequences, create_table, drop_sequences
from activeassoc.sync.wanted import Key, Table, in_order, refuse, refuse_cycles


def plan_sync(dialect: Dialect, tables: Sequence[Table], force: bool, alter: bool) -> Plan:
    """What to do so that these tables exist. Raises SyncError for what cannot be; nothing is written."""
    plan = Plan(dialect)
    there = _found(dialect, tables)
    if force:
        places = {table.place for table in tables}
        tables = _with_parents(plan, tables, {place: found for place, found in there.items() if place not in places})
        _drop(plan, tables, there)
        for table in tables:
            there.pop(table.place, None)
    else:
        tables = _with_parents(plan, tables, there)
    missing = [table for table in tables if table.place not in there]
    additions = [Additions(plan, table, there, alter) for table in tables if table.place in there]
    new_keys = [*(key for table in missing for key in table.keys), *(key for added in additions for key in added.keys)]
    refuse_cycles(tables, new_keys)
    for added in additions:
        added.columns_and_indexes()
    _create(plan, missing)
    for added in additions:
        added.constraints()
    return plan


def plan_drop(dialect: Dialect, tables: Sequence[Table]) -> Plan:
    """What to do so that these tables are gone. Raises SyncError where others refer to them; nothing is written."""
    plan = Plan(dialect)
    _drop(plan, tables, _found(dialect, tables))
    return plan


def _found(dialect: Dialect, tables: Sequence[Table]) -> dict[Name, ddl.Table]:
    """What the database holds of these tables, and of those that they refer to."""
    temporary = [table for table in tables if _is_temporary(table)]
    asked = [table.name for table in tables if not _is_temporary(table)]
    asked += [key.key.to_table for table in tables for key in table.keys]
    found = dialect.tables(dict.fromkeys(asked))
    for table in temporary:
        found.pop(table.place, None)
        if dialect.has_temporary(table.name[1]):
            found[table.place] = ddl.Table(table.name, temporary=True)
    return found


def _is_temporary(table: Table) -> bool:
    return bool(table.model._meta.temporary)


def _with_parents(plan: Plan, tables: Sequence[Table], there: dict[Name, ddl.Table]) -> list[Table]:
    """The tables without the join tables that cannot be made yet, as the table at their other end is not there (F5)."""
    kept = list(tables)
    while True:  # what refers to a join table that is left out cannot be made either
        places = {table.place for table in kept} | set(there)
        missing = {table.place: key for table in kept if table.place not in there for key in table.keys if key.key.to_table not in places}
        if not missing:
            return kept
        for table in kept:
            key = missing.get(table.place)
            if key is None:
                continue
            target = shown(key.key.to_table)
            if not table.brought:
                raise refuse(
                    f"sync() of table {table}",
                    f"its key {key.key} refers to the table {target}, which does not exist and is not to be made",
                    f"Sync {key.field.rel_model.__name__} too: sync({key.field.rel_model.__name__}, {table.model.__name__})",
                    table=str(table),
                )
            told = f"it refers to {target}, which does not exist; sync {key.field.rel_model.__name__} too"
            plan.differences.append(f"the join table {table} is not made yet: {told}")
        kept = [table for table in kept if table.place not in missing]


# Dropping


def _drop(plan: Plan, tables: Sequence[Table], there: dict[Name, ddl.Table]) -> None:
    dialect = plan.dialect
    going = [table for table in tables if table.place in there and there[table.place].is_table]
    for table in tables:
        if table.place in there and not there[table.place].is_table:
            raise refuse(f"dropping the table {table}", "it is a view", "Drop it with SQL, or leave its model out", table=str(table))
    places = {table.place for table in going}
    lasting = [there[table.place].name for table in going if not there[table.place].temporary]
    referring = dialect.referring(lasting) if lasting else []
    outside = [key for key in referring if dialect.folded(key.table) not in places]
    if outside:
        told = listed(f"{key} -> {shown(key.to_table)}" for key in outside)
        raise refuse(
            f"dropping {listed(map(str, going))}",
            f"tables that are to stay refer to them: {told}",
            "Drop these too, by naming their models, or take the foreign keys away first",
            table=shown(outside[0].to_table),
            referring=outside,
        )
    order, closing = _drop_order(plan, going, referring)
    before, after = dialect.around_drop(closing, [key for key in referring if dialect.folded(key.table) == dialect.folded(key.to_table)])
    for statement in before:
        plan.step("", "", order[0], statement)
    for table in order:
        kind = "TEMPORARY " if there[table.place].temporary and dialect.says_temporary else ""
        plan.step("dropped", str(table), table, f"DROP {kind}TABLE {dialect.entity(there[table.place].name)}")
        plan.release(there[table.place])
    for table in order:  # tables may share one
        for statement in drop_sequences(plan, table):
            plan.step("", "", table, statement)
    for statement in after:
        plan.step("", "", order[-1], statement)


def _drop_order(
    plan: Plan, going: Sequence[Table], referring: Sequence[ddl.ForeignKey]
) -> tuple[list[Table], list[ddl.ForeignKey]]:
    """Dependents first, by the foreign keys that the database has, and those of them that close a cycle."""
    folded = plan.dialect.folded
    held = {table.place: Table(table.model, table.name, table.place, {}, ()) for table in going}
    for key in referring:
        held[folded(key.table)].keys.append(Key(None, replace(key, table=folded(key.table), to_table=folded(key.to_table))))
    ordered, closing = in_order(list(held.values()))
    by_place = {table.place: table for table in going}
    return [by_place[table.place] for table in reversed(ordered)], [key.key for key in closing]


# Creating


def _create(plan: Plan, missing: Sequence[Table]) -> None:
    ordered, closing = in_order(missing)
    late = [] if plan.dialect.forward_references else closing
    for table in ordered:
        _create_table(plan, table, [key for key in table.keys if not any(key is other for other in late)])
    for key in late:
        plan.step("", "", shown(key.key.table), add_constraint(plan, key))


def _create_table(plan: Plan, table: Table, inline: Sequence[Key]) -> None:
    statements: list[Any] = [*create_sequences(plan, table), create_table(plan, table, inline)]
    statements += [create_index(plan, table, index)[1] for index in table.indexes]
    plan.step("created", str(table), table, *statements)
