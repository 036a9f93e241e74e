"""Reading from a table in Redis: what its indexes find is filtered, sorted and counted here, in the program.

Map: `read` and its short cuts (one record by its key, numbers that the indexes know); `decoded` and `by_one_column` are for
`redis_writes` too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import chain, islice
from typing import Any

from activeassoc.errors import UnfitValue
from activeassoc.stores.documents import Answer
from activeassoc.stores.evaluate import answer, matcher
from activeassoc.stores.narrow import Lookup
from activeassoc.stores.plan import Aggregate, Column, Compare, Condition, Constant, Literal, OneOf, Read, columns_of
from activeassoc.stores.redis_layout import KEY
from activeassoc.stores.redis_table import BATCH, Found, Table

__all__ = ["by_one_column", "decoded", "read"]


def read(table: Table, plan: Read) -> Answer:
    """The rows of the plan's answer, lazily."""
    if plan.count:
        return Answer([(_number(table, plan),)])
    one = _one(table, plan)
    if one is not None:
        return Answer(one)
    if plan.exists:
        return Answer([(int(any(True for _ in _answered(table, plan, 1))),)])
    known = _known(table, plan)
    return Answer(islice(known, plan.offset, _stop(plan)) if known is not None else _answered(table, plan))


def _one(table: Table, plan: Read) -> list[tuple[Any, ...]] | None:
    """The row of one primary key, which most queries ask for: no condition to evaluate, nothing to sort. None for other plans."""
    told = by_one_column(plan.where)
    if told is None or len(told[1]) != 1 or (told[0],) != table.layout.key or plan.exists or plan.offset or plan.limit == 0:
        return None
    columns = [each.operand.name for each in plan.columns if isinstance(each.operand, Column)]
    if len(columns) != len(plan.columns) or plan.group_by:
        return None
    value = told[1][0]
    found = table.rows(columns, [table.layout.entry(table.layout.key, (value,))]) if value is not None else []
    decoders = [table.layout.codecs[column].decode for column in columns]
    return [tuple(decoded(record, decoders, table, columns)[1:]) for record in found]


def _stop(plan: Read) -> int | None:
    return None if plan.limit is None else plan.offset + plan.limit


def _number(table: Table, plan: Read) -> int:
    if not (plan.grouped or plan.distinct):
        number = _size(table, plan.where)
        if number is not None:
            number = max(number - plan.offset, 0)
            return number if plan.limit is None else min(number, plan.limit)
    return sum(1 for _ in _answered(table, plan))


def _answered(table: Table, plan: Read, wanted: int | None = None) -> Iterator[tuple[Any, ...]]:
    columns = _columns(plan)
    stop = _stop(plan) if wanted is None else plan.offset + wanted
    room = BATCH if plan.grouped or plan.order or plan.distinct or stop is None else min(2 * stop + 10, BATCH)
    rows = _matching(table, plan.where, columns, room)
    if stop == 0:
        return iter(())
    # The id is the first of each row.
    return answer(plan, rows, {column: place for place, column in enumerate(columns, 1)})


def _columns(plan: Read) -> list[str]:
    operands = [*(each.operand for each in plan.columns), *(each.operand for each in plan.order)]
    used = chain(*map(columns_of, operands), plan.group_by, columns_of(plan.where))
    return list(dict.fromkeys(column.name for column in used))


def _matching(table: Table, where: Condition, columns: Sequence[str], room: int = BATCH) -> Iterator[list[Any]]:
    """The rows for which the condition holds, decoded: the id, then the columns."""
    decoders = [table.layout.codecs[column].decode for column in columns]
    holds = _held(where, columns)
    for record in table.find(where, columns, room):
        row = decoded(record, decoders, table, columns)
        if holds(row):
            yield row


def decoded(record: Found, decoders: Sequence[Callable[[bytes], Any]], table: Table, columns: Sequence[str]) -> list[Any]:
    """The record's id and its values. Raises UnfitValue, naming record and field, for one that is not written as the field's are."""
    try:
        row = [None if value is None else decode(value) for value, decode in zip(islice(record, 1, None), decoders, strict=True)]
    except (ValueError, ArithmeticError, LookupError):
        raise _unreadable(record, decoders, table, columns) from None
    row.insert(0, record[0])
    return row


def _unreadable(record: Found, decoders: Sequence[Callable[[bytes], Any]], table: Table, columns: Sequence[str]) -> UnfitValue:
    """The error for a record that holds what no value of its field is written as: its field had another type then."""
    model = table.layout.model
    readable = [value is None or _can(decode, value) for decode, value in zip(decoders, record[1:], strict=True)]
    place = readable.index(False)
    field, value = table.layout.fields[columns[place]], record[1 + place]
    key = record[0].decode(errors="replace")
    return UnfitValue(
        f"reading {model.__name__}.{field.name} of the record {key}",
        f"there stands {value!r}, which is none of its values",
        "A field that changes its type needs its values written anew: read them by a model that has the old one",
        model=model,
        field=field,
        value=value,
    )


def _can(decode: Callable[[bytes], Any], value: bytes) -> bool:
    try:
        decode(value)
    except (ValueError, ArithmeticError, LookupError):
        return False
    return True


def _held(where: Condition, columns: Sequence[str]) -> Callable[[Sequence[Any]], bool]:
    # Evaluated also on what an index has found: an entry that another program has left behind finds nothing then.
    return matcher(where, {column: place for place, column in enumerate(columns, 1)})


# Numbers that the indexes know


def _size(table: Table, where: Condition) -> int | None:
    """How many records the condition holds for, where an index knows; None where they have to be read."""
    if where == Constant(True):
        return table.size()
    told = by_one_column(where)
    lookup = _lookup(table, *told) if told is not None else None
    if lookup is None:
        return None
    size = table.sizes([lookup])[0]
    return size if size >= 0 else None


def by_one_column(where: Condition) -> tuple[str, Sequence[Any]] | None:
    """The column, and the values of which it has to have one, where this is all of the condition."""
    if isinstance(where, Compare) and where.op == "=" and isinstance(where.left, Column) and isinstance(where.right, Literal):
        return where.left.name, (where.right.value,)
    if isinstance(where, OneOf) and not where.negated and isinstance(where.operand, Column):
        return where.operand.name, where.values
    return None


def _lookup(table: Table, column: str, values: Sequence[Any]) -> Lookup | None:
    for index in table.layout.found_by:
        if index.columns == (column,) and index.name != KEY:
            return Lookup(index, [(value,) for value in values])
    return None


def _known(table: Table, plan: Read) -> Iterator[tuple[Any, ...]] | None:
    """The answer of a plan that counts rows, all of them or by the value of an indexed column; None for any other."""
    counts = [isinstance(each.operand, Aggregate) for each in plan.columns]
    plain = Aggregate("COUNT", None, False, "integer")
    if plan.order or plan.distinct or not any(counts):
        return None
    if not all(each.operand == plain for each, counted in zip(plan.columns, counts, strict=True) if counted):
        return None
    if not plan.group_by:
        number = _size(table, plan.where) if all(counts) else None
        return None if number is None else iter([(number,) * len(counts)])
    told = by_one_column(plan.where)
    if told is None or len(plan.group_by) != 1 or plan.group_by[0].name != told[0]:
        return None
    if not all(counted or each.operand == plan.group_by[0] for each, counted in zip(plan.columns, counts, strict=True)):
        return None
    lookup = _lookup(table, *told)
    if lookup is None:
        return None
    values: list[Any] = [value for value in dict.fromkeys(told[1]) if value is not None]
    sizes: list[int] = []
    for start in range(0, len(values), BATCH):
        sizes += table.sizes([Lookup(lookup.by, [(value,)]) for value in values[start : start + BATCH]])
    if any(size < 0 for size in sizes):
        return None
    found = ((value, size) for value, size in zip(values, sizes, strict=True) if size)
    return (tuple(size if counted else value for counted in counts) for value, size in found)
