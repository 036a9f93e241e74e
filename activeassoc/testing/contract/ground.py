"""What the tests of a store stand on: a database, a model with seven rows, and the word for skipping.

Map: `Ground` has the fixtures `database`, `capabilities`, `Base`, `Item` and `rows`; `codes` tells which rows a query found.
"""

from __future__ import annotations

from typing import Any

import peewee
import pytest

from activeassoc.model import Model
from activeassoc.stores.capabilities import Store, store_of
from activeassoc.sync import sync

#: code, shelf, name, number, other
ROWS = (
    ("a", "x", "ann", 1, 10),
    ("b", "x", "Bob", 2, 2),
    ("c", "x", "cee", 3, None),
    ("d", "y", "Dan", None, 3),
    ("e", "y", None, 5, 5),
    ("f", "z", "ann_b", 0, -4),
    ("g", "z", "100%", 7, 8),
)


def codes(query: Any) -> str:
    """The codes of the records that the query finds, sorted: ``"abf"``."""
    return "".join(sorted(record.code for record in query))


def skip_without(capabilities: Store, *needed: str) -> None:
    """Skip the test on a store that lacks one of these."""
    for each in needed:
        if not getattr(capabilities, each):
            pytest.skip(f"the store has no {each}")


def skip_with_sql(capabilities: Store) -> None:
    """Skip the test on SQL databases, each of which has its own way here."""
    if capabilities.sql:
        pytest.skip("SQL databases differ in this")


class Ground:
    """The fixtures of a store's tests."""

    @pytest.fixture
    def database(self) -> Any:
        raise NotImplementedError(f"{type(self).__name__} has to give the fixture `database`: a new, empty one for each test")

    @pytest.fixture
    def capabilities(self, database: Any) -> Store:
        return store_of(database)

    @pytest.fixture
    def Base(self, database: Any) -> Any:
        return model("Base", (Model,), Meta=type("Meta", (), {"database": database}))

    @pytest.fixture
    def Item(self, Base: Any) -> Any:
        """A model with a table that has no rows yet."""
        return made(
            model(
                "Item",
                (Base,),
                code=peewee.CharField(max_length=20, unique=True, null=True),
                shelf=peewee.CharField(max_length=20, default="plain", index=True),
                name=peewee.CharField(max_length=50, null=True),
                number=peewee.IntegerField(null=True, index=True),
                other=peewee.IntegerField(null=True),
            )
        )

    @pytest.fixture
    def rows(self, Item: Any) -> Any:
        """The model, with the seven rows."""
        Item.insert_many(ROWS, fields=[Item.code, Item.shelf, Item.name, Item.number, Item.other]).execute()
        return Item


def model(name: str, bases: tuple[Any, ...], /, **attributes: Any) -> Any:
    """A new model."""
    return type(bases[0])(name, bases, {"__module__": __name__, "__qualname__": name, **attributes})


def made(*models: Any) -> Any:
    """The models, once their tables are there: the one, or the list of them."""
    sync(*models)
    return models[0] if len(models) == 1 else list(models)
