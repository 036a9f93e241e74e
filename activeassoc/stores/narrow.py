"""Which records a condition can hold for, as look-ups in indexes: for stores that find records by values, and by nothing else.

What is found is a superset of the rows that are wanted: the condition is evaluated on each of them all the same. ``a = 1`` and
``a IN (1, 2)`` are look-ups where `a` is the primary key or has an index; of the parts of an AND one look-up is enough, so that there is
a choice; an OR needs one for each of its parts.

Map: `Index` is what can be looked up in, `Lookup` one list of values for it; `choices` finds the ways there are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import product
from typing import Any, NamedTuple

from activeassoc.stores.plan import All, Column, Compare, Condition, Constant, Either, Literal, OneOf

__all__ = ["Choice", "Index", "Lookup", "choices"]

#: How many combinations of values of a composite index are looked up; above it, one column alone (or the walk) costs less.
COMBINATIONS = 10_000


class Index(NamedTuple):
    """Columns whose values lead to records: the primary key (`name` is ""), a unique index (at most one record a value), or any other."""

    name: str
    columns: tuple[str, ...]
    single: bool


class Lookup(NamedTuple):
    """The records that have one of these values, each a tuple with one for each column of the index."""

    by: Index
    values: list[tuple[Any, ...]]


#: Look-ups that together find every record for which a condition can hold. None at all: it holds for none.
Choice = list[Lookup]


def choices(condition: Condition, indexes: Sequence[Index]) -> list[Choice]:
    """The ways to find every record for which the condition can hold; an empty list where only the walk of the table can."""
    found = _CHOICES.get(type(condition))
    return found(condition, indexes) if found else []


def _constant(condition: Constant, indexes: Sequence[Index]) -> list[Choice]:
    return [] if condition.holds else [[]]


def _one(condition: Compare | OneOf, indexes: Sequence[Index]) -> list[Choice]:
    return _all(All((condition,)), indexes)


def _all(condition: All, indexes: Sequence[Index]) -> list[Choice]:
    told = _values(condition.parts)
    found: list[Choice] = []
    for index in indexes:
        if not all(column in told for column in index.columns):
            continue
        count = 1
        for column in index.columns:
            count *= len(told[column])
        if len(index.columns) == 1 or count <= COMBINATIONS:
            found.append([Lookup(index, list(product(*(told[column] for column in index.columns))))])
    for part in condition.parts:
        if isinstance(part, (All, Either, Constant)):
            found += choices(part, indexes)
    return found


def _either(condition: Either, indexes: Sequence[Index]) -> list[Choice]:
    together: dict[str, Lookup] = {}
    for part in condition.parts:
        ways = choices(part, indexes)
        if not ways:
            return []
        for lookup in min(ways, key=_guess):
            known = together.setdefault(lookup.by.name, Lookup(lookup.by, []))
            known.values.extend(lookup.values)
    return [[Lookup(index, list(dict.fromkeys(values))) for index, values in together.values()]]


def _guess(choice: Choice) -> tuple[int, int]:
    """Without asking: an index that has one record a value before one that may have any number, and then few values before many."""
    return sum(not lookup.by.single for lookup in choice), sum(len(lookup.values) for lookup in choice)


def _values(parts: Sequence[Condition]) -> Mapping[str, Sequence[Any]]:
    """What the parts of an AND say that a column equals; of several that say it, the shortest list."""
    told: dict[str, Sequence[Any]] = {}
    for part in parts:
        if isinstance(part, Compare) and part.op == "=" and isinstance(part.left, Column) and isinstance(part.right, Literal):
            name, values = part.left.name, (part.right.value,)
        elif isinstance(part, OneOf) and not part.negated and isinstance(part.operand, Column):
            name, values = part.operand.name, part.values
        else:
            continue
        if name not in told or len(values) < len(told[name]):
            told[name] = values
    return told


_CHOICES: dict[type, Callable[[Any, Sequence[Index]], list[Choice]]] = {
    All: _all,
    Either: _either,
    Compare: _one,
    OneOf: _one,
    Constant: _constant,
}
