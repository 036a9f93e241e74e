"""What a table that exists lacks of what its model wants: added with ``alter=True``, else told as a difference.

Map: `Additions` looks at one table when it is made (columns, then indexes, then foreign keys), and says its steps in two
parts: `columns_and_indexes` before new tables are made, which may refer to them, `constraints` after, as they may refer to
new tables.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable
from typing import Any

import peewee

from activeassoc.errors import listed
from activeassoc.stores import ddl
from activeassoc.stores.ddl import Name, rebuild, shown
from activeassoc.sync.report import Step
from activeassoc.sync.steps import Plan, add_column, add_constraint, create_index, definition, identity, inline_constraint, type_text
from activeassoc.sync.wanted import Index, Key, Table, constraint, refuse, served


class Additions:
    """One table that is there, and what its model wants of it."""

    def __init__(self, plan: Plan, table: Table, there: dict[Name, ddl.Table], alter: bool) -> None:
        self.plan, self.table, self.dialect = plan, table, plan.dialect
        self.model = table.model.__name__
        self.there = there
        self.found = there[table.place]
        self.alter = alter
        self.columns: list[Any] = []
        self.indexes: list[Index] = []
        self.keys: list[Key] = []
        self._lacking: set[str] = set()  # columns that are not there, and will not be
        if not self.found.is_table:
            self._differs("is a view, or something else that is no table")
        elif not (self.found.temporary or self.found.virtual):
            self._look_at_columns()
            self._look_at_indexes()
            self._look_at_keys()

    def _differs(self, sentence: str, column: str = "") -> None:
        self.plan.differences.append(f"{self.table}.{column} {sentence}" if column else f"{self.table} {sentence}")

    # Columns

    def _look_at_columns(self) -> None:
        for folded, field in self.table.columns.items():
            column = self.found.columns.get(folded)
            if column is None:
                self._missing_column(folded, field)
                continue
            if column.null != bool(field.null) and folded not in self.table.primary_key:
                now, wanted = ("may be NULL", "may not") if column.null else ("is NOT NULL", "may be NULL")
                self._differs(f"{now} in the database, and {wanted} in {self.model}", column.name)
            declared = type_text(self.plan, field)
            held, meant = self.dialect.type_of(column.type), self.dialect.type_of(declared)
            if held and meant and held != meant:
                self._differs(f"is {column.type} in the database, and {declared} in {self.model}", column.name)
        for folded, column in self.found.columns.items():
            if folded not in self.table.columns:
                self._differs(f"is a column that no field of {self.model} has", column.name)
        primary_key = tuple(map(self.dialect.fold, self.found.primary_key))
        if primary_key != self.table.primary_key:
            wanted = _names(self.table.primary_key)
            self._differs(f"has the primary key {_names(primary_key)} in the database, and {wanted} in {self.model}")

    def _missing_column(self, folded: str, field: Any) -> None:
        obstacle = self._obstacle(field)
        if self.alter and not obstacle:
            self.columns.append(field)
        else:
            self._lacking.add(folded)
            self._differs(f"is missing: {obstacle or 'sync(alter=True) adds it'}", field.column_name)

    def _obstacle(self, field: Any) -> str:
        """Why a column cannot be added, with the steps to take."""
        if field.primary_key or self.dialect.fold(field.column_name) in self.table.primary_key:
            return "a primary key is not added to a table that exists; change it with SQL, or drop the table"
        if field.null or _has_default(field) or not self.dialect.has_rows(self.found.name):
            return ""
        if not field.unique and not isinstance(field, peewee.ForeignKeyField) and _constant(field) is not None:
            return ""
        return (
            "it is NOT NULL, and the rows that are there have no value for it. "
            f"Declare {self.model}.{field.name} with null=True, sync(alter=True), give every row a value, "
            "make the column NOT NULL with SQL, and take null=True away again"
        )

    # Indexes

    def _look_at_indexes(self) -> None:
        fold = self.dialect.fold
        names = {fold(index.name) for index in self.found.indexes}
        held = [
            ddl.Index(index.name, tuple(part and fold(part) for part in index.columns), index.unique, index.partial)
            for index in self.found.indexes
        ]
        primary_key = tuple(map(fold, self.found.primary_key))
        for index in self.table.indexes:
            if set(index.index.columns) & self._lacking:
                continue
            if served(index, held, primary_key) if index.plain else self._is_named(index, names):
                continue
            if self.alter:
                self.indexes.append(index)
            else:
                kind = "unique index" if index.index.unique else "index"
                on = f"on {listed(part or '' for part in index.index.columns)}" if index.plain else repr(index.index.name)
                self._differs(f"has no {kind} {on}: sync(alter=True) adds it")

    def _is_named(self, index: Index, names: set[str]) -> bool:
        """An index on some of the rows, or on an expression, is known by its name alone; a statement without one counts as carried out."""
        name = index.index.name
        other = self.plan.told_apart(name, identity(self.table, index))
        return not name or bool(names & {self.dialect.fold(name), self.dialect.fold(other)})

    # Foreign keys

    def _look_at_keys(self) -> None:
        fold = self.dialect.fold
        held = {tuple(map(fold, key.columns)): key for key in self.found.keys}
        for key in self.table.keys:
            columns = tuple(map(fold, key.key.columns))
            found = held.pop(columns, None)
            if found is not None:
                self._compare(key, found)
            elif columns[0] not in self._lacking:
                self._missing_key(key)
        for columns, found in held.items():
            if len(columns) == 1 and columns[0] in self.table.columns:  # one of several columns comes from Meta.constraints
                self._differs(f"refers to {shown(found.to_table)} in the database, and to nothing in {self.model}", found.columns[0])

    def _compare(self, key: Key, found: ddl.ForeignKey) -> None:
        fold, rule, column = self.dialect.fold, self.dialect.rule, found.columns[0]
        pairs = [
            ("refers to", _target(found), _target(key.key), fold(_target(found)) != fold(_target(key.key))),
            ("is ON DELETE", found.on_delete, key.key.on_delete, rule(found.on_delete) != rule(key.key.on_delete)),
            ("is ON UPDATE", found.on_update, key.key.on_update, rule(found.on_update) != rule(key.key.on_update)),
        ]
        for words, now, wanted, differs in pairs:
            if differs:
                self._differs(f"{words} {now} in the database, and {wanted} in {self.model}", column)

    def _missing_key(self, key: Key) -> None:
        column, target = key.key.columns[0], shown(key.key.to_table)
        if not self.alter:
            self._differs(f"has no foreign key to {target}: sync(alter=True) adds it", column)
            return
        orphans = 0
        if self.dialect.fold(column) in self.found.columns:
            orphans = self._orphans(key)
        if orphans:
            rows = "1 row refers" if orphans == 1 else f"{orphans} rows refer"
            steps = "Delete them or clear their key, then sync(alter=True)"
            self._differs(f"cannot get its foreign key to {target}: {rows} to nothing that is there. {steps}", column)
        else:
            self.keys.append(key)

    def _orphans(self, key: Key) -> int:
        parent = self.there.get(key.key.to_table)
        there = parent is not None and self.dialect.fold(key.key.to_columns[0]) in parent.columns
        try:
            return self.dialect.orphans(key.key, there)
        except peewee.PeeweeException as error:
            because = f"{key.key} cannot be compared with {_target(key.key)}: {str(error).strip().rstrip('.')}"
            raise refuse(f"sync() of table {self.table}", because, "Make both of one type, with SQL", table=str(self.table)) from error

    # The steps

    @property
    def _rebuilds(self) -> bool:
        """The table has to be made again: a foreign key comes to a column that is there, or to one that has a default."""
        return not self.dialect.alters_keys and any(
            not any(key.field is field for field in self.columns) or _has_default(key.field) for key in self.keys
        )

    def columns_and_indexes(self) -> None:
        """The steps that new tables may need: they may refer to a new column with its unique index."""
        if not self._rebuilds:
            for field in self.columns:
                self._add_column(field)
            self._add_indexes()

    def constraints(self) -> None:
        """The steps that may need new tables."""
        if self._rebuilds:
            self._rebuild()
            self._add_indexes()
        elif self.dialect.alters_keys:
            for key in self.keys:
                self.plan.step("constraints", key.name, self.table, add_constraint(self.plan, key))

    def _add_indexes(self) -> None:
        for index in self.indexes:
            name, statement = create_index(self.plan, self.table, index)
            self.plan.step("indexes", name, self.table, statement)

    def _add_column(self, field: Any) -> None:
        plan, dialect, name = self.plan, self.dialect, f"{self.table}.{field.column_name}"
        if field.null or _has_default(field) or not dialect.has_rows(self.found.name):
            key = next((key for key in self.keys if key.field is field), None)
            inline = [inline_constraint(plan, key)] if key and not dialect.alters_keys else []
            plan.step("columns", name, self.table, add_column(plan, field, *inline))
            if key and inline:
                plan.step("constraints", key.name, self.table)
            return
        # The rows that are there get the field's default.
        value: Any = _constant(field)
        if not dialect.alters_columns:
            default = peewee.SQL(f"DEFAULT {dialect.literal(field.db_value(value))}")
            plan.step("columns", name, self.table, add_column(plan, field, default))
            return
        nullable = copy.copy(field)
        nullable.null = True
        whole, _ = plan.rendered(definition(plan, field))
        fill = self.table.model.update({field: value})
        required = dialect.required(self.table.name, field.column_name, whole)
        plan.step("columns", name, self.table, add_column(plan, nullable), fill.sql(), required)

    def _rebuild(self) -> None:
        plan, dialect, found = self.plan, self.dialect, self.found
        columns = []
        for field in self.columns:
            required = not field.null and not _has_default(field) and dialect.has_rows(found.name)
            default = f" DEFAULT {dialect.literal(field.db_value(_constant(field)))}" if required else ""
            columns.append(plan.rendered(definition(plan, field))[0] + default)
        constraints = [plan.rendered(constraint(key, dialect, plan.name_for(key)))[0] for key in self.keys]
        before = rebuild.state(dialect, found)

        def verify() -> str:
            after = rebuild.state(dialect, found)
            told = f"the table had {before[0]} rows ({before[1]} breaking a foreign key), and has {after[0]} ({after[1]}) when made again"
            return "" if after == before else told

        statements = tuple((sql, ()) for sql in rebuild.steps(dialect, found, columns, constraints))
        plan.rebuilt.append(found.name)
        plan.steps.append(Step("", "", str(self.table), statements, verify))
        for field in self.columns:
            plan.step("columns", f"{self.table}.{field.column_name}", self.table)
        for key in self.keys:
            plan.step("constraints", key.name, self.table)


def _names(columns: Iterable[str]) -> str:
    return f"({', '.join(columns)})"


def _target(key: ddl.ForeignKey) -> str:
    return f"{shown(key.to_table)}.{', '.join(key.to_columns)}"


def _has_default(field: Any) -> bool:
    """Whether the column has a default in the database, or is computed there."""
    texts = [f" {getattr(part, 'sql', part)} ".upper() for part in field.constraints or ()]
    return bool(field.sequence) or any(word in text for text in texts for word in (" DEFAULT", " GENERATED ", " AS "))


def _constant(field: Any) -> Any:
    """The field's default where it is the same for every row."""
    return None if callable(field.default) else field.default
