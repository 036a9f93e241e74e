"""What peewee says to a database beside queries: statements that define tables, and text.

peewee writes ``Model.create_table()`` and its relatives into a context that becomes SQL. `Definition` is such a context which remembers
what it was asked to write, so that the store can be told in nodes: the model, or the index. So plain peewee models,
``db.create_tables([...])`` and migrations that add an index work where there is no SQL, and nothing has to be read out of a text.

Map: `Definition`; `JSONMethods`, which has values of JSON as they are and refuses what looks into them; `refuse_text`.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, NoReturn

import peewee

from activeassoc.errors import UnsupportedQuery

__all__ = ["Definition", "JSONMethods", "refuse_collations", "refuse_text"]


class Definition(peewee.Context):
    """A context of peewee's that also remembers the first node that it was to write."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.node: Any = None

    def sql(self, obj: Any) -> Any:
        if self.node is None:
            self.node = obj
        return super().sql(obj)  # type: ignore[no-untyped-call]

    def carry_out(self, database: Any) -> None:
        """Have the database do what was written."""
        text = "".join(self._sql)  # type: ignore[attr-defined]
        node: Any = self.node
        if isinstance(node, peewee.ValueLiterals):
            node = node.node
        if isinstance(node, peewee.ModelIndex):
            index: Any = node
            database.create_index(index._model, index, index._safe)
            return
        if isinstance(node, type) and issubclass(node, peewee.Model):
            if text.startswith("CREATE TABLE"):
                database.create_table(node, text.startswith("CREATE TABLE IF NOT EXISTS "))
                return
            if text.startswith("DROP TABLE"):
                database.drop_table(node, text.startswith("DROP TABLE IF EXISTS "))
                return
            if text.startswith(("TRUNCATE TABLE", "DELETE FROM")):
                database.empty_table(node)
                return
        if text.startswith("DROP INDEX"):
            raise UnsupportedQuery(
                f"{text.split(' (')[0]} on {database.address or database.database}",
                "an index is known by its table here, and the statement does not name it",
                "Write database.drop_index(Model, name)",
                construct="DROP INDEX",
            )
        refuse_text(text, database)


def refuse_text(text: Any, database: Any) -> NoReturn:
    shown = " ".join(str(text).split())
    raise UnsupportedQuery(
        f"{shown if len(shown) <= 60 else shown[:57] + '...'} on {database.address or database.database}",
        "this store executes peewee's queries, and takes no SQL text",
        "Write the query with select(), insert(), update() or delete()",
        construct="SQL text",
    )


_BASE: Any = vars(peewee)["BaseJSONMethods"]


def refuse_collations(model: Any, database: Any) -> None:
    for field in model._meta.sorted_fields:
        if field.collation:
            raise UnsupportedQuery(
                f"the collation {field.collation} of {model.__name__}.{field.name} on {database.address or database.database}",
                "texts compare by code point here",
                "Leave it out; ** and contains() ignore case",
                construct="a collation",
                model=model,
            )


class JSONMethods(_BASE):  # type: ignore[misc]
    """JSON is stored and compared as a whole; the functions that look into it are refused."""

    def make_value_wrapper(self, dumps: Callable[[Any], str]) -> Callable[[Any], Any]:
        # As a node, so that a list is one value and no list of values.
        return lambda value: value if isinstance(value, peewee.Node) else peewee.Value(value, converter=False, unpack=False)

    def make_value_reader(self, loads: Callable[[str], Any]) -> Callable[[Any], Any]:
        if loads is json.loads:
            return lambda value: value
        return lambda value: loads(json.dumps(value))

    def compare_value(self, field: Any, value: Any) -> Any:
        return field.db_value(value)


def _refusing(name: str) -> Callable[..., Any]:
    def refuse(self: Any, *arguments: Any, **options: Any) -> Any:
        field = next((each for each in arguments if isinstance(each, peewee.Field)), None)
        of = f" of {field.model.__name__}.{field.name}" if field is not None else ""
        raise UnsupportedQuery(
            f"{name}(){of} on {self.database.address or self.database.database}",
            "JSON is stored and compared as a whole here",
            "Read the records and look into the values in Python, or store what is asked for in a field of its own",
            construct=f"JSON {name}()",
        )

    return refuse


for _name in dir(_BASE):
    if not _name.startswith("_") and _name not in JSONMethods.__dict__ and callable(getattr(_BASE, _name)):
        setattr(JSONMethods, _name, _refusing(_name))
