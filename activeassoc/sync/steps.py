"""The plan for one database as it grows, and the statements that its steps are made of.

Map: `Plan` collects steps and differences; `create_table`, `create_index`, `add_constraint` and `add_column` word statements, by
peewee's schema manager wherever it has them right.
"""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Sequence
from typing import Any

import peewee

from activeassoc import naming
from activeassoc.stores import ddl
from activeassoc.stores.ddl import Dialect, Name
from activeassoc.sync.report import Statement, Step
from activeassoc.sync.wanted import Index, Key, Table, constraint, limit


class Plan:
    """The steps to take on one database, in order, and what is left as it is."""

    def __init__(self, dialect: Dialect) -> None:
        self.dialect = dialect
        self.steps: list[Step] = []
        self.differences: list[str] = []
        #: Tables that are made again: foreign keys must be off meanwhile, which only the outside of a transaction can do.
        self.rebuilt: list[Name] = []
        self._names: dict[str | None, set[str]] = {}
        #: Sequences as they will be: True for those that this plan makes, False for those that it drops.
        self.sequences: dict[str, bool] = {}

    def step(self, kind: str, name: str, table: object, *statements: Any) -> None:
        self.steps.append(Step(kind, name, str(table), tuple(map(self.rendered, statements))))

    def rendered(self, statement: Any) -> Statement:
        """SQL and parameters of a node, a context of peewee's, or a text."""
        if isinstance(statement, str):
            return statement, ()
        if isinstance(statement, tuple):
            return statement
        context: Any = self.dialect.database.get_sql_context(scope=peewee.SCOPE_VALUES)
        sql, params = context.sql(statement).query()
        return sql, params

    def free(self, schema: str | None, name: str, of: Sequence[str]) -> str:
        """The name for an index or a constraint `of` a table and columns; a longer one where it is taken.

        The column b_c of the table a, and c of a_b, have one name.
        """
        taken = self._taken(schema)
        if self.dialect.fold(name) in taken:
            name = self.told_apart(name, of)
        taken.add(self.dialect.fold(name))
        return name

    def told_apart(self, name: str, of: Sequence[str]) -> str:
        """The name for what is `of` a table and columns where another thing has the name."""
        digest = hashlib.sha256("\0".join(of).encode()).hexdigest()[:8]
        return f"{naming.cut(name, limit(self.dialect) - 9)}_{digest}"

    def release(self, table: ddl.Table) -> None:
        """The table is going: its names are free again."""
        taken = self._taken(table.name[0])
        going = [table.name[1], *(index.name for index in table.indexes), *(key.name or "" for key in table.keys)]
        taken -= set(map(self.dialect.fold, going))

    def _taken(self, schema: str | None) -> set[str]:
        if schema not in self._names:
            self._names[schema] = self.dialect.taken(schema)
        return self._names[schema]

    def name_for(self, key: Key) -> str:
        """The name for the constraint of a key."""
        return self.free(key.key.table[0], key.key.name or "", [key.key.table[1], *key.key.columns])


_peewee_creates = vars(peewee.SchemaManager)["_create_table"]


class _StandIn(peewee.Table):
    """What peewee's schema manager sees instead of the model: the same table, with other constraints."""

    _meta: Any


def create_table(plan: Plan, table: Table, inline: Sequence[Key]) -> Any:
    manager: Any = table.model._schema
    meta: Any = table.model._meta
    # IF NOT EXISTS is left away: under the lock it could only hide that something else came between.
    options = {"temporary": True} if meta.temporary else {}
    if type(manager)._create_table is not _peewee_creates:
        return manager._create_table(safe=False, **options)  # a virtual table words its own
    # A copy, as other threads may be using the model: with every key marked as deferred, so that peewee leaves its constraint
    # out, and the constraints that are wanted among those of the table.
    stand_in_meta = copy.copy(meta)
    stand_in_meta.sorted_fields = [_deferred(each) for each in meta.sorted_fields]
    named = [constraint(key, plan.dialect, plan.name_for(key)) for key in inline]
    stand_in_meta.constraints = [*(meta.constraints or ()), *named]
    stand_in = _StandIn(meta.table_name, schema=meta.schema)
    stand_in._meta = stand_in_meta
    stand_in_manager = copy.copy(manager)
    stand_in_manager.model = stand_in
    return stand_in_manager._create_table(safe=False, **options)


def _deferred(field: Any) -> Any:
    if isinstance(field, peewee.ForeignKeyField):
        field = copy.copy(field)
        field.deferred = True
    return field


def _sequences(plan: Plan, table: Table) -> list[tuple[str, bool, Any]]:
    """The sequences that the fields of a table name: the name, whether it will be there by now, and its node."""
    manager: Any = table.model._schema
    database = plan.dialect.database
    found = []
    for field in table.columns.values() if database.sequences else ():
        if field.sequence:
            schema, name = field._sequence_parts()  # type: ignore[attr-defined]
            whole = f"{schema}.{name}" if schema else name
            there = plan.sequences[whole] if whole in plan.sequences else database.sequence_exists(name, schema)
            found.append((whole, there, manager._sequence_for_field(field)))
    return found


def create_sequences(plan: Plan, table: Table) -> list[Any]:
    statements = []
    for name, there, node in _sequences(plan, table):
        if not there:
            statements.append(peewee.NodeList((peewee.SQL("CREATE SEQUENCE"), node)))
            plan.sequences[name] = True
    return statements


def drop_sequences(plan: Plan, table: Table) -> list[Any]:
    statements = []
    for name, there, node in _sequences(plan, table):
        if there:
            statements.append(peewee.NodeList((peewee.SQL("DROP SEQUENCE"), node)))
            plan.sequences[name] = False
    return statements


def create_index(plan: Plan, table: Table, index: Index) -> tuple[str, Any]:
    """The name that the index gets, and its CREATE INDEX."""
    if not isinstance(index.node, peewee.Index):
        return index.index.name, index.node
    node: Any = index.node.clone()
    node._name = plan.free(table.place[0], index.index.name, identity(table, index))
    manager: Any = table.model._schema
    return node._name, manager._create_index(node, safe=False)


def identity(table: Table, index: Index) -> list[str]:
    """What an index is of."""
    return [table.name[1], *(part or "" for part in index.index.columns)]


def add_constraint(plan: Plan, key: Key) -> Any:
    table: Any = key.field.model
    named = constraint(key, plan.dialect, plan.name_for(key))
    return peewee.NodeList((peewee.SQL("ALTER TABLE"), table, peewee.SQL("ADD"), named))


def add_column(plan: Plan, field: Any, *more: Any) -> Any:
    """ALTER TABLE … ADD COLUMN, with more behind the column's definition."""
    return peewee.NodeList((peewee.SQL("ALTER TABLE"), field.model, peewee.SQL("ADD COLUMN"), definition(plan, field), *more))


def definition(plan: Plan, field: Any) -> Any:
    """A column as CREATE TABLE has it."""
    return field.ddl(plan.dialect.database.get_sql_context(scope=peewee.SCOPE_VALUES))


def type_text(plan: Plan, field: Any) -> str:
    """The column's type as it is declared, "" where it has none."""
    declared = field.ddl_datatype(plan.dialect.database.get_sql_context())
    return getattr(declared, "sql", None) or ""


def inline_constraint(plan: Plan, key: Key) -> Any:
    """The constraint as a part of the column's definition: without FOREIGN KEY (column)."""
    named, name, _, _, *references = constraint(key, plan.dialect, plan.name_for(key)).nodes
    return peewee.NodeList((named, name, *references))
