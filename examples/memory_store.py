"""A store of your own, in one file: tables are lists of rows in the memory of this process.

It passes `activeassoc.testing.StoreContract`, as SQLite, PostgreSQL, MariaDB, MongoDB and Redis do, and every association works with it.
`PlanDatabase` reads peewee's queries into plans, checks the values, keeps the hooks and the blocks of atomic(); what is left to a store is
here: carrying four kinds of plans out, and making tables and indexes. (A store that can filter and sort does that itself, instead of by
`evaluate`.)

Run it: ``python examples/memory_store.py``.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import peewee

from activeassoc.errors import DuplicateKey, MissingTable, NullNotAllowed
from activeassoc.stores.capabilities import DOCUMENTS
from activeassoc.stores.documents import Answer, Connection, PlanDatabase
from activeassoc.stores.evaluate import answer, matcher, reader
from activeassoc.stores.forms import former
from activeassoc.stores.plan import Change, Insert, Plan, Read, Remove

Row = dict[str, Any]


class Table:
    """The rows of one table, by column, NULLs left out; its unique columns; and the last key that it gave."""

    def __init__(self, model: Any) -> None:
        key = tuple(field.column_name for field in model._meta.get_primary_keys())
        self.rows: list[Row] = []
        self.last = 0
        #: The name of an index, its columns, and whether it is unique; "" is the primary key.
        self.indexes: dict[str, tuple[tuple[str, ...], bool]] = {"": (key, True)} if key else {}
        self.counted = key[0] if len(key) == 1 and model._meta.auto_increment else None

    def keys(self, row: Row) -> Iterator[tuple[Any, ...]]:
        """What no other row may have: the columns of each unique index, and their values; none where one is NULL."""
        for columns, unique in self.indexes.values():
            if unique and all(row.get(column) is not None for column in columns):
                yield columns, tuple(row[column] for column in columns)

    def taken(self, model: Any, rows: list[Row]) -> dict[tuple[Any, ...], Row]:
        """These keys, with the row that has each. Raises DuplicateKey where two have one."""
        found: dict[tuple[Any, ...], Row] = {}
        for row in rows:
            for key in self.keys(row):
                if key in found:
                    raise duplicate(model, "update")
                found[key] = row
        return found


def duplicate(model: Any, verb: str) -> DuplicateKey:
    asked = f"{verb} of {model.__name__}"
    return DuplicateKey(asked, "there is a row with this unique value already", "Read it first", model=model, columns=[])


class MemoryDatabase(PlanDatabase):
    """A database in memory; it is empty whenever it is made."""

    # It starts from what no store of documents can do; a real one says here what it can (transactions, scans, …).
    capabilities = replace(DOCUMENTS, scans=False)

    def init(self, database: Any, **options: Any) -> None:
        super().init(database, **options)
        self._tables: dict[str, Table] = {}
        self._one_at_a_time = threading.RLock()

    def _connect(self) -> Connection:
        return Connection()  # what a thread holds; a store with sessions or transactions keeps them in one of its own

    # Plans

    def run(self, plan: Plan) -> Answer:
        with self._one_at_a_time:
            table = self._tables.get(plan.model._meta.table_name)
            if isinstance(plan, Read):
                return self.found(plan, table.rows if table else [])
            if table is None:
                asked = f"{plan.verb} of {plan.model.__name__}"
                raise MissingTable(asked, "there is no table", "Make it: sync(database)", model=plan.model)
            return self.inserted(plan, table) if isinstance(plan, Insert) else self.written(plan, table)

    def places(self, model: Any) -> dict[str, int]:
        return {field.column_name: place for place, field in enumerate(model._meta.sorted_fields)}

    def found(self, plan: Read, rows: list[Row]) -> Answer:
        places = self.places(plan.model)
        holds = matcher(plan.where, places)
        found = list(answer(plan, filter(holds, ([row.get(column) for column in places] for row in rows)), places))
        if plan.count or plan.exists:
            return Answer([(len(found) if plan.count else int(bool(found)),)])
        return Answer(found)

    def inserted(self, plan: Insert, table: Table) -> Answer:
        rows = {id(row): row for row in table.rows}
        taken = table.taken(plan.model, table.rows)
        added: list[Row] = []
        for given in plan.rows:
            row = dict(given)
            if table.counted is not None:
                row.setdefault(table.counted, table.last + 1)
                table.last = max(table.last, row[table.counted])
            clashing = {id(taken[key]): taken[key] for key in table.keys(row) if key in taken}
            if clashing and plan.on_conflict is None:
                raise duplicate(plan.model, "insert")
            if clashing and plan.on_conflict == "ignore":
                continue
            for each in clashing.values():
                del rows[id(each)]
                for key in table.keys(each):
                    del taken[key]
            rows[id(row)] = row
            taken.update(dict.fromkeys(table.keys(row), row))
            added.append(row)
        table.rows = list(rows.values())  # all of them or none
        return Answer([tuple(row.get(column.name) for column in plan.returning) for row in added], len(added))

    def written(self, plan: Change | Remove, table: Table) -> Answer:
        places = self.places(plan.model)
        holds = matcher(plan.where, places)
        kept: list[Row] = []
        touched = 0
        for row in table.rows:
            values = [row.get(column) for column in places]
            if not holds(values):
                kept.append(row)
                continue
            touched += 1
            if isinstance(plan, Change):
                kept.append(self.changed(plan, row, values, places))
        table.taken(plan.model, kept)  # raises where two rows have one value
        table.rows = kept
        return Answer((), touched)

    def changed(self, plan: Change, row: Row, values: list[Any], places: dict[str, int]) -> Row:
        changed = dict(row)
        for column, operand in plan.assignments:
            field: Any = column.field
            value = former(field, self.capabilities, writing=True)(reader(operand, places)(values), True)
            if value is None and not field.null:
                asked = f"update of {plan.model.__name__} with NULL for {field.name}"
                raise NullNotAllowed(asked, "it is declared NOT NULL", "Give a value", model=plan.model, fields=[field.name])
            changed[column.name] = value
        return {name: value for name, value in changed.items() if value is not None}

    # Tables

    def get_tables(self, schema: str | None = None) -> list[str]:
        return sorted(self._tables)

    def get_indexes(self, table: str, schema: str | None = None) -> list[peewee.IndexMetadata]:
        found = self._tables[table].indexes if table in self._tables else {}
        return [peewee.IndexMetadata(name, "", list(columns), unique, table) for name, (columns, unique) in found.items() if name]

    def _create_table(self, model: type[peewee.Model], safe: bool) -> None:
        self._tables.setdefault(model._meta.table_name, Table(model))

    def _drop_table(self, model: type[peewee.Model], safe: bool) -> None:
        self._tables.pop(model._meta.table_name, None)

    def _truncate_table(self, model: type[peewee.Model]) -> None:
        self._tables[model._meta.table_name].rows = []

    def _create_index(self, model: type[peewee.Model], index: Any, safe: bool) -> None:
        with self._one_at_a_time:
            table = self._tables[model._meta.table_name]
            columns = tuple(field.column_name for field in index._expressions)
            before = dict(table.indexes)
            table.indexes[index._name] = columns, bool(index._unique)
            try:
                table.taken(model, table.rows)
            except DuplicateKey:
                table.indexes = before
                raise

    def _drop_index(self, model: type[peewee.Model], name: str, safe: bool) -> None:
        self._tables[model._meta.table_name].indexes.pop(name, None)


if __name__ == "__main__":
    from activeassoc import Model, sync

    db = MemoryDatabase("tracker")

    class Base(Model):
        class Meta:
            database = db

    class Project(Base):
        title = peewee.CharField(unique=True)

    class User(Base):
        name = peewee.CharField()

    Project.has_many(User, as_="members")
    User.has_many(Project)
    print(sync(db))
    apollo = Project.create(title="Apollo")
    apollo.add_members([User.create(name="Ann"), User.create(name="Bob")])
    print([user.name for user in apollo.get_members(order="name")], apollo.count_members())
