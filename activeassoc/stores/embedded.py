"""Links within documents: a link that is an element of two arrays, one in the document of either end, instead of a row of a table.

The through model stays a model, and its queries stay queries: a store that holds arrays (`Store.arrays`) carries them out on the two
arrays. In ``{"_id": 1, "groups": [{"group": 7, "role": "owner"}]}`` the user 1 is linked to the group 7, whose document says the same:
``{"_id": 7, "users": [{"user": 1, "role": "owner"}]}``.

The first of the two sides is the *truth*: it is written first, and where a program died between the two the other one is brought in line
with it (`check` does that). Which side that is depends on names alone, so that every program means the same one.

Map: `Side` is one of the two arrays, `Arrays` both of them; `arrays_of` tells those of a through model; `above` is what a condition on
links says of the documents that have them; `Difference` is one thing that is wrong with them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import peewee

from activeassoc.stores.forms import form_of
from activeassoc.stores.plan import All, Column, Compare, Condition, Either, Literal, OneOf

__all__ = ["WRONG", "Arrays", "Difference", "Side", "above", "arrays_of"]

Model = type[peewee.Model]


@dataclass(frozen=True, eq=False)
class Side:
    """One side of the links: the records of `holder` have the array `array`; each element has the other end's key under `element`."""

    holder: Model
    array: str
    element: str
    #: The through model's fields: the key to the holder, and the key to the other end.
    near: Any
    far: Any
    #: The field of the holder that links refer to.
    referred: Any

    @property
    def label(self) -> str:
        return f"{self.holder.__name__}.{self.array}"

    @property
    def place(self) -> str:
        """Where the other end's key stands, as an index names it."""
        return f"{self.array}.{self.element}"

    @property
    def order(self) -> tuple[str, str]:
        return (str(self.holder._meta.table_name), self.array)


@dataclass(frozen=True, eq=False)
class Arrays:
    """Both sides of a through model's links, and the names that the attributes of a link have in an element."""

    link: Model
    truth: Side
    mirror: Side
    #: A pair has one link, whichever end it is seen from: the lesser key stands first.
    symmetric: bool = False

    @property
    def sides(self) -> tuple[Side, Side]:
        return (self.truth, self.mirror)

    @property
    def indexes(self) -> Iterator[tuple[Side, str]]:
        """The sides with the name of the index that finds documents by the other end's key, each once."""
        seen = set()
        for side in self.sides:
            if side.order not in seen:
                seen.add(side.order)
                yield side, f"{side.holder._meta.table_name}_{side.array}_{side.element}"

    @property
    def attributes(self) -> list[Any]:
        ends = (self.truth.near, self.truth.far)
        return [field for field in self.link._meta.sorted_fields if not any(field is end for end in ends)]

    def reading(self, where: Condition) -> Side:
        """The side whose documents a condition names: these are found by their keys. Else the truth."""
        mirrored = not self.symmetric and not _names(where, self.truth.near) and _names(where, self.mirror.near)
        return self.mirror if mirrored else self.truth


def arrays_of(model: Model) -> Arrays | None:
    """The arrays that hold the links of this model; None for every model whose records have a table."""
    embedded = getattr(model._meta, "embedded", None)
    return None if embedded is None else embedded.arrays()


#: What can be wrong with links in arrays, in the words of a message.
WRONG = {
    "missing": "in {truth}, and not in {mirror}",
    "left over": "in {mirror}, and not in {truth}",
    "unlike": "with other attributes in {truth} than in {mirror}",
    "dangling": "to a record that is gone",
    "repeated": "more than once in one document",
    "unreadable": "an element without a key",
    "no list": "a field that holds no list",
}


@dataclass(frozen=True)
class Difference:
    """Something that is wrong with one link: a key of `WRONG`, the array where it was seen, and the two keys, that of the truth first."""

    wrong: str
    side: Side
    pair: tuple[Any, Any]
    #: What is right can be told.
    mendable: bool = True
    #: The two keys as records have them.
    keys: tuple[Any, ...] = ()


def _names(where: Condition, field: Any) -> bool:
    """Whether the condition says which values the column has."""
    if isinstance(where, All):
        return any(_names(part, field) for part in where.parts)
    if isinstance(where, Compare):
        return where.op == "=" and _is(where.left, field) and isinstance(where.right, Literal)
    return isinstance(where, OneOf) and not where.negated and _is(where.operand, field)


def _is(operand: Any, field: Any) -> bool:
    return isinstance(operand, Column) and operand.name == field.column_name


def above(where: Condition, side: Side) -> Condition | None:
    """What holds for every document that has a link for which the condition holds; None where that is nothing.

    A store that looks into arrays takes a condition on an element's field for one that some element meets.
    """
    if isinstance(where, All):
        parts = [found for part in where.parts if (found := above(part, side)) is not None]
        return All(tuple(parts)) if parts else None
    if isinstance(where, Either):
        every = [above(part, side) for part in where.parts]
        return None if any(part is None for part in every) else Either(tuple(part for part in every if part is not None))
    if isinstance(where, Compare) and where.op != "!=" and isinstance(where.right, Literal):
        column = _within(where.left, side)
        return None if column is None else Compare(where.op, column, where.right)
    if isinstance(where, OneOf) and not where.negated:
        column = _within(where.operand, side)
        return None if column is None else OneOf(column, where.values)
    return None


def _within(operand: Any, side: Side) -> Column | None:
    """Where a document has what is a column of the link."""
    if not isinstance(operand, Column) or operand.form in ("json", "any"):
        return None
    if operand.name == side.near.column_name:
        return Column(side.referred.column_name, operand.form, side.referred)
    if operand.name == side.far.column_name:
        return Column(side.place, form_of(side.far))
    return Column(f"{side.array}.{operand.name}", operand.form)
