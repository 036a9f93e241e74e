"""Values that several rows share: where a unique index is to be, and where has_one says that an owner has one record.

Map: `shared_values` finds them, `shared` tells them; `more_than_one` looks at the keys of a model's has_one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from peewee import SQL, fn

from activeassoc.associations.options import condition_of
from activeassoc.checking.report import SHOWN, Finding
from activeassoc.errors import listed
from activeassoc.registry import Model, keys_of
from activeassoc.stores.sql import every_row, store_of


def shared_values(model: Model, fields: Sequence[Any], condition: Any = None) -> tuple[int, int, list[Any]]:
    """How many values (of several fields: tuples) more than one row has, how many rows these are, and the first values. One statement."""
    database, times = model._meta.database, fn.COUNT(SQL("1"))
    query = every_row(model, *fields, times).where(*(field.is_null(False) for field in fields)).group_by(*fields)
    query = query if condition is None else query.where(condition)
    if store_of(database).sql:
        query = query.having(times > 1)
    count, rows = 0, 0
    sample: list[Any] = []
    for row in iter(database.execute(query).fetchone, None):
        if row[-1] > 1:
            count, rows = count + 1, rows + int(row[-1])
            if len(sample) < SHOWN:
                values = tuple(field.python_value(value) for field, value in zip(fields, row, strict=False))
                sample.append(values[0] if len(values) == 1 else values)
    return count, rows, sample


def shared(model: Model, columns: Sequence[str], count: int, rows: int, sample: Sequence[Any]) -> str:
    """The same, as a sentence begins."""
    more = " …" if count > len(sample) else ""
    values = f"{count} {'value' if count == 1 else 'values'} of {listed(columns)}"
    return f"{rows} rows of {model.__name__} share {values} ({listed(map(repr, sample))}{more})"


def more_than_one(model: Model, skip: set[str]) -> Iterator[Finding]:
    """Owners of whose has_one several rows of `model` are; `skip` are columns that the table lacks. One statement for each has_one.

    The lowest of them is read and nobody sees the others: two writers that met on a store without row locks can leave them (C17).
    """
    for column, key in keys_of(model).items():
        associations = [claim.association for claim in key.claims]
        if column in skip or key.field.unique or key.field.primary_key or any(each.to_many for each in associations):
            continue  # it cannot be, or several are meant
        for each in associations:
            if each.key_on_source or not each.bound:
                continue
            count, rows, sample = shared_values(model, [key.field], condition_of(model, each.where, each.declared))
            if count:
                told = shared(model, [column], count, rows, sample)
                sentence = f"{told}, and {each.label} is one record, the one with the lowest primary key"
                instead = "decide which row is right, and clear the key of the others; has_one(…, unique=True) would keep it so"
                yield Finding("duplicates", model._meta.database, sentence, instead, model, (column,), rows, tuple(sample))
