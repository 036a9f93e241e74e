"""How a store without SQL is asked and told about its tables: through methods of its database, as there are no statements.

Map: `Act` is what stands for a statement; `Documents` the dialect; what it calls on the database is listed there.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import peewee

from activeassoc.stores.ddl.base import Dialect, Index, Name, Table, shown

__all__ = ["Act", "Documents"]


class Act(str):
    """What a report shows in the place of a statement; `carry_out` does it."""

    carry_out: Callable[[], Any]

    def __new__(cls, text: str, carry_out: Callable[[], Any]) -> Act:
        act = super().__new__(cls, text)
        act.carry_out = carry_out
        return act


class Documents(Dialect):
    """The dialect of a database that has these methods, each of which may be repeated, also by several processes at once:

    ``table_exists(name)``, ``get_indexes(name)`` (those that are ready, as peewee's IndexMetadata), ``create_table(model)``,
    ``create_index(model, index)`` (a ModelIndex; returns when it is ready; IntegrityError for duplicates), ``drop_index(model, name)``
    and ``drop_table(model)``.
    """

    sql = False
    constraints = False
    transactional = False
    name_limit = 120  # MongoDB's was 127 bytes, with the collection's name

    @functools.cached_property
    def current(self) -> str:
        return ""

    def execute(self, statement: str, params: Sequence[Any]) -> None:
        assert isinstance(statement, Act)
        statement.carry_out()

    def _read(self, found: dict[Name, Table], schema: str | None, names: Sequence[str]) -> None:
        for name in names:
            if self.database.table_exists(name):
                indexes = [Index(each.name, tuple(each.columns), bool(each.unique)) for each in self.database.get_indexes(name)]
                found[schema, name] = Table((schema, name), indexes=indexes)

    def create_table(self, model: type[peewee.Model], name: Name) -> Act:
        return Act(f"CREATE TABLE {shown(name)}", lambda: self.database.create_table(model))

    def drop_table(self, model: type[peewee.Model], name: Name) -> Act:
        return Act(f"DROP TABLE {shown(name)}", lambda: self.database.drop_table(model))

    def create_index(self, model: type[peewee.Model], name: Name, index: Index, node: Any) -> Act:
        named = node.clone()
        named._name = index.name
        kind = "UNIQUE INDEX" if index.unique else "INDEX"
        columns = ", ".join(part or "" for part in index.columns)
        text = f"CREATE {kind} {index.name} ON {shown(name)} ({columns})"
        return Act(text, lambda: self.database.create_index(model, named))

    def has_index(self, side: Any, index: str) -> bool:
        """Whether the documents of a side of embedded links have the index that finds them by the other end."""
        name = side.holder._meta.table_name
        return self.database.table_exists(name) and any(each.name == index for each in self.database.get_indexes(name))

    def index_arrays(self, model: type[peewee.Model], side: Any, index: str) -> Act:
        text = f"CREATE INDEX {index} ON {side.holder._meta.table_name} ({side.place})"
        return Act(text, lambda: self.database.create_table(model))

    def drop_index(self, model: type[peewee.Model], name: Name, index: Index) -> Act:
        return Act(f"DROP INDEX {index.name} ON {shown(name)}", lambda: self.database.drop_index(model, index.name))
