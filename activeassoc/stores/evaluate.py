"""Carrying a plan out on rows that have come from a store: for stores that find rows by their keys, and cannot filter or sort.

A row is a sequence of values in their forms, None for NULL; `places` tells where in it each column stands. What is made here are plain
functions of a row, so that a table of any size can be run through them, batch after batch.

Map: `reader` computes an operand, `matcher` decides a condition; `answer` does the rest of a `Read`: groups, distinct rows, order, offset,
limit, the selected values. Memory is needed for what has to be sorted or grouped, and with a limit only for as many rows.
"""

from __future__ import annotations

import decimal
import heapq
import json
import math
import operator
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

import peewee

from activeassoc.stores.plan import (
    Aggregate,
    All,
    Column,
    Compare,
    Condition,
    Constant,
    Either,
    Holds,
    IsNull,
    Like,
    Literal,
    OneOf,
    Operand,
    Order,
    Read,
    Regexp,
    Selected,
    like_regex,
)

__all__ = ["answer", "matcher", "reader"]

Row = Sequence[Any]
Places = Mapping[str, int]
Reader = Callable[[Row], Any]
Matcher = Callable[[Row], bool]

# Operands


def reader(operand: Operand, places: Places) -> Reader:
    """A function that gives the operand's value in a row, None for NULL.

    It raises peewee.DataError where a number is divided by zero, or becomes too large.
    """
    if isinstance(operand, Column):
        return operator.itemgetter(places[operand.name])
    if isinstance(operand, Literal):
        value = operand.value
        return lambda row: value
    left, right = reader(operand.left, places), reader(operand.right, places)
    compute, sort = _COMPUTED[operand.op], _SORTS.get(operand.form)
    shown = f"{{!r}} {operand.op} {{!r}}"

    def computed(row: Row) -> Any:
        one, other = left(row), right(row)
        if one is None or other is None:
            return None
        if sort is not None:
            one, other = sort(one), sort(other)
        try:
            return _in_range(compute(one, other))
        except ArithmeticError as error:
            because = "division by zero" if other == 0 else "out of range"
            raise peewee.DataError(f"{shown.format(one, other)}: {because}") from error

    return computed


def _decimal(value: Any) -> decimal.Decimal:
    return value if isinstance(value, decimal.Decimal) else decimal.Decimal(repr(value))


#: What both sides become before they are computed.
_SORTS: dict[str, Callable[[Any], Any]] = {"float": float, "decimal": _decimal}

#: Sums and products of decimals are exact.
_EXACT = decimal.Context(prec=10_000)


def _exactly(compute: Callable[[Any, Any], Any], exactly: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    return lambda one, other: exactly(one, other) if isinstance(one, decimal.Decimal) else compute(one, other)


def _divided(one: Any, other: Any) -> Any:
    if isinstance(one, int):  # towards zero, as SQL does; `//` goes down, and `/` through a float
        whole = abs(one) // abs(other)
        return whole if (one < 0) is (other < 0) else -whole
    return one / other


def _remainder(one: Any, other: Any) -> Any:
    if isinstance(one, int):
        return one - other * _divided(one, other)
    if isinstance(one, float):
        if not other:
            raise ZeroDivisionError
        return math.fmod(one, other)
    return one % other


def _in_range(value: Any) -> Any:
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        raise OverflowError
    if isinstance(value, float) and not math.isfinite(value):
        raise OverflowError
    return value


_COMPUTED: dict[str, Callable[[Any, Any], Any]] = {
    "+": _exactly(operator.add, _EXACT.add),
    "-": _exactly(operator.sub, _EXACT.subtract),
    "*": _exactly(operator.mul, _EXACT.multiply),
    "/": _divided,
    "%": _remainder,
    "||": operator.add,
}

# Conditions

_COMPARED: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def matcher(condition: Condition, places: Places) -> Matcher:
    """A function that tells whether the condition holds for a row. A comparison with NULL does not."""
    return _MATCHERS[type(condition)](condition, places)


def _all(condition: All, places: Places) -> Matcher:
    parts = [matcher(part, places) for part in condition.parts]
    return lambda row: all(part(row) for part in parts)


def _either(condition: Either, places: Places) -> Matcher:
    parts = [matcher(part, places) for part in condition.parts]
    return lambda row: any(part(row) for part in parts)


def _compare(condition: Compare, places: Places) -> Matcher:
    left, right, holds = reader(condition.left, places), reader(condition.right, places), _COMPARED[condition.op]

    def compared(row: Row) -> bool:
        one, other = left(row), right(row)
        if one is None or other is None:
            return False
        try:
            return bool(holds(one, other))
        except TypeError as error:
            raise peewee.DataError(f"{one!r} {condition.op} {other!r}: these cannot be compared") from error

    return compared


def _one_of(condition: OneOf, places: Places) -> Matcher:
    value_of, negated = reader(condition.operand, places), condition.negated
    values = {_frozen(value) for value in condition.values}

    def one_of(row: Row) -> bool:
        value = value_of(row)
        return value is not None and (_frozen(value) in values) is not negated

    return one_of


def _holds(condition: Holds, places: Places) -> Matcher:
    value_of, negated, values = reader(condition.operand, places), condition.negated, set(condition.values)

    def holds(row: Row) -> bool:
        value = value_of(row)
        return isinstance(value, list) and any(isinstance(each, str | int) and each in values for each in value) is not negated

    return holds


def _is_null(condition: IsNull, places: Places) -> Matcher:
    value_of, negated = reader(condition.operand, places), condition.negated
    return lambda row: (value_of(row) is None) is not negated


def _pattern(condition: Like | Regexp, places: Places) -> Matcher:
    pattern = condition.pattern if isinstance(condition, Regexp) else like_regex(condition.pattern)
    value_of, negated = reader(condition.operand, places), condition.negated
    try:
        found = re.compile(pattern, re.IGNORECASE if condition.ignore_case else 0).search
    except re.error as error:
        raise peewee.DataError(f"regular expression {pattern!r}: {error}") from error

    def like(row: Row) -> bool:
        value = value_of(row)
        return value is not None and (found(value) is None) is negated

    return like


def _constant(condition: Constant, places: Places) -> Matcher:
    return lambda row: condition.holds


_MATCHERS: dict[type, Callable[[Any, Places], Matcher]] = {
    All: _all,
    Either: _either,
    Compare: _compare,
    OneOf: _one_of,
    Holds: _holds,
    IsNull: _is_null,
    Like: _pattern,
    Regexp: _pattern,
    Constant: _constant,
}


def _frozen(value: Any) -> Any:
    """The value as a member of a set: JSON as its text."""
    return json.dumps(value, sort_keys=True) if isinstance(value, (dict, list)) else value


# Answers


def answer(read: Read, rows: Iterable[Row], places: Places) -> Iterator[tuple[Any, ...]]:
    """The rows of a `Read`'s answer, made of those for which its condition holds. Not for `count` and `exists`."""
    outcome: Iterable[Row] = rows
    if read.grouped:
        outcome, places = _grouped(read, rows, places)
    select = _selection(read.columns, places)
    if read.distinct:
        outcome = _distinct(outcome, select)
    stop = None if read.limit is None else read.offset + read.limit
    if read.order:
        outcome = _sorted(outcome, read.order, places, stop)
    return map(select, islice(outcome, read.offset, stop))


def _place(operand: Operand | Aggregate, places: Any) -> Reader:
    """As `reader`, also for the aggregates of a group, which have places of their own."""
    return operator.itemgetter(places[operand]) if isinstance(operand, Aggregate) else reader(operand, places)


def _selection(columns: Sequence[Selected], places: Places) -> Callable[[Row], tuple[Any, ...]]:
    readers = [_place(each.operand, places) for each in columns]
    if all(isinstance(each.operand, Column) for each in columns) and len(columns) > 1:
        return operator.itemgetter(*(places[each.operand.name] for each in columns))  # type: ignore[union-attr]
    return lambda row: tuple([read(row) for read in readers])


def _distinct(rows: Iterable[Row], select: Callable[[Row], tuple[Any, ...]]) -> Iterator[Row]:
    seen = set()
    for row in rows:
        key = tuple(map(_frozen, select(row)))
        if key not in seen:
            seen.add(key)
            yield row


class _Down:
    """A value that sorts the other way round."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    def __lt__(self, other: _Down) -> bool:
        return bool(other.value < self.value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Down) and bool(other.value == self.value)


def _sorted(rows: Iterable[Row], order: Sequence[Order], places: Places, stop: int | None) -> Iterable[Row]:
    terms = [(_place(each.operand, places), each.descending, each.nulls_last) for each in order]

    def key(row: Row) -> list[Any]:
        parts: list[Any] = []
        for value_of, descending, nulls_last in terms:
            value = _frozen(value_of(row))
            if value is None:
                parts.append((2 if nulls_last else 0, 0))
            else:
                parts.append((1, _Down(value) if descending else value))
        return parts

    return sorted(rows, key=key) if stop is None else heapq.nsmallest(stop, rows, key=key)


# Groups


def _grouped(read: Read, rows: Iterable[Row], places: Places) -> tuple[list[Row], Places]:
    """A row for each group: the columns by which it is grouped, then every aggregate that the plan names."""
    named: list[Any] = [*(each.operand for each in read.columns), *(each.operand for each in read.order)]
    aggregates = list(dict.fromkeys(each for each in named if isinstance(each, Aggregate)))
    by = [reader(column, places) for column in read.group_by]
    groups: dict[tuple[Any, ...], tuple[list[Any], list[_Collected]]] = {}

    def begun() -> list[_Collected]:
        return [_Collected(each, places) for each in aggregates]

    for row in rows:
        values = [value_of(row) for value_of in by]
        key = tuple(map(_frozen, values))
        if key not in groups:
            groups[key] = values, begun()
        for collected in groups[key][1]:
            collected.add(row)
    if not groups and not by:
        groups[()] = [], begun()
    made: list[Row] = [[*values, *(collected.value() for collected in parts)] for values, parts in groups.values()]
    within: Any = {column.name: place for place, column in enumerate(read.group_by)}
    within.update({each: len(by) + place for place, each in enumerate(aggregates)})
    return made, within


class _Collected:
    """One aggregate of one group, while rows are added to it."""

    __slots__ = ("_compute", "_count", "_seen", "_value", "_value_of", "aggregate")

    def __init__(self, aggregate: Aggregate, places: Places) -> None:
        self.aggregate = aggregate
        self._value_of: Reader = reader(aggregate.operand, places) if aggregate.operand is not None else lambda row: 1
        self._seen: set[Any] | None = set() if aggregate.distinct else None
        self._compute = _AGGREGATED.get(aggregate.function)
        self._count, self._value = 0, None

    def add(self, row: Row) -> None:
        value = self._value_of(row)
        if value is None:
            return
        if self._seen is not None:
            frozen = _frozen(value)
            if frozen in self._seen:
                return
            self._seen.add(frozen)
        self._count += 1
        if self._compute is not None:
            self._value = value if self._value is None else self._compute(self._value, value)

    def value(self) -> Any:
        if self._compute is None:
            return self._count
        if self.aggregate.function != "AVG" or self._value is None:
            return self._value
        if self.aggregate.form == "decimal":
            return decimal.Decimal(self._value) / self._count
        return float(self._value / self._count)


#: How two values become one; AVG is a sum until it is asked. COUNT needs none.
_AGGREGATED: dict[str, Callable[[Any, Any], Any]] = {
    "SUM": _COMPUTED["+"],
    "AVG": _COMPUTED["+"],
    "MIN": min,
    "MAX": max,
}
