"""The words of signatures: what a condition, an order, the names of columns and the links of a many-to-many may be.

``def overdue(project: Project, where: Where = None) -> list[Task]`` says what ``get_tasks(where=…)`` says. Beside the names are the kinds
of values that each stands for.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator, Mapping, Sequence, ValuesView
from collections.abc import Set as AbstractSet
from decimal import Decimal
from typing import Any, Protocol, TypeAlias, TypedDict, TypeVar, Union
from uuid import UUID

import peewee

Record = TypeVar("Record", bound=peewee.Model)
Given = TypeVar("Given")
Values = TypeVar("Values")
Given_co = TypeVar("Given_co", covariant=True)
Values_co = TypeVar("Values_co", covariant=True)

#: A condition: an expression of the model's fields, or a criteria mapping.
Where: TypeAlias = peewee.Node | Mapping[str, Any] | None
#: Columns to read: names or fields, one or several.
Columns: TypeAlias = "str | peewee.Field[Any] | Iterable[str | peewee.Field[Any]] | None"
#: An order: a name, ``"-name"``, an expression, or several.
Order: TypeAlias = str | peewee.Node | Iterable[str | peewee.Node] | None
#: What to load with records: a path, several, or paths with options.
Paths: TypeAlias = str | Iterable[str] | Mapping[str, Mapping[str, Any]] | None
#: A primary key, where nothing tells of what type the model's is.
Key: TypeAlias = int | str | bytes | UUID | Decimal | datetime.date | tuple[Any, ...]


class Pairs(Protocol[Given_co, Values_co]):
    """A mapping, of which only the pairs are read: one of ``User`` will do where ``User | int`` may stand."""

    def items(self) -> AbstractSet[tuple[Given_co, Values_co]]: ...


#: What set and add of a many-to-many take: records or keys, one or several, each alone or with the attributes of its link.
#: A dict is none of the listed iterables, so that its attributes are always looked at.
Links: TypeAlias = Union[
    Record,
    Given,
    Pairs[Record | Given, Values],
    Sequence[Record | Given | tuple[Record | Given, Values]],
    AbstractSet[Record | Given],
    Iterator[Record | Given | tuple[Record | Given, Values]],
    ValuesView[Record | Given],
    "peewee.ModelSelect[Record]",
    None,
]


class NoAttributes(TypedDict):
    """The attributes of a link that has none."""
