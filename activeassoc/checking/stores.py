"""What a store says of itself: settings that lose records, indexes that do not fit their records, and values that no column makes sure of.

A database may have any of these, and is asked where it has them: the property ``eviction_policy``, ``verify(model)`` and
``explicit_nulls(model, field)``.

Map: `of_database` and `of_model` give findings.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import reduce
from operator import or_
from typing import Any

from peewee import SQL, fn

from activeassoc.checking.report import Finding
from activeassoc.errors import listed
from activeassoc.registry import Model
from activeassoc.stores.sql import every_row, store_of


def of_database(database: Any) -> Iterator[Finding]:
    """What is wrong with the whole database."""
    if hasattr(type(database), "eviction_policy"):
        policy = database.eviction_policy
        if policy and policy != "noeviction":
            sentence = f"when its memory is full the server takes records and parts of indexes away (maxmemory-policy {policy})"
            yield Finding("store", database, sentence, "set maxmemory-policy to noeviction on the server")


def of_model(model: Model) -> Iterator[Finding]:
    """What is wrong with the table of one model."""
    database = model._meta.database
    if hasattr(database, "verify"):
        yield from _verified(model, database)
    if not store_of(database).columns:
        yield from _without_values(model, database)
    if hasattr(database, "explicit_nulls"):
        for field in _unique(model):
            count = int(database.explicit_nulls(model, field))
            if count:
                rows = f"{count} {'row' if count == 1 else 'rows'} of {model.__name__} {'holds' if count == 1 else 'hold'}"
                sentence = f"{rows} a null in the unique {field.column_name!r}, as another program may write it, and such nulls clash"
                yield Finding("store", database, sentence, "take the field away from these documents", model, (field.name,), count)


def _without_values(model: Model, database: Any) -> Iterator[Finding]:
    """Rows without a value for a NOT NULL field: a field that was added to the model later is in no row that was there."""
    fields = [field for field in model._meta.sorted_fields if not field.null and not field.primary_key]
    if not fields:
        return
    absent = [field.is_null() for field in fields]
    if database.execute(every_row(model, fields[0]).where(reduce(or_, absent)).limit(1)).fetchone() is None:
        return
    for field, condition in zip(fields, absent, strict=True):
        count = int(database.execute(every_row(model, fn.COUNT(SQL("1"))).where(condition)).fetchone()[0])
        if count:
            rows = f"{count} {'row' if count == 1 else 'rows'} of {model.__name__} {'has' if count == 1 else 'have'}"
            sentence = f"{rows} no value for {field.name!r}, which is declared NOT NULL: conditions leave such rows out"
            instead = f"write {model.__name__}.update({field.name}=…).where({model.__name__}.{field.name}.is_null()).execute()"
            yield Finding("store", database, sentence, instead, model, (field.name,), count)


def _verified(model: Model, database: Any) -> Iterator[Finding]:
    found = database.verify(model)
    wrong = [("records are gone that the table still lists", found.gone), ("records are there that it does not list", found.lost)]
    wrong += [(f"records are missing in the index {name}", count) for name, count in found.missing.items()]
    wrong += [(f"entries of the index {name} have no such record", count) for name, count in found.orphans.items()]
    told = [f"{count} {words}" for words, count in wrong if count]
    if told:
        sample = tuple(dict.fromkeys(key for keys in found.samples.values() for key in keys))[:10]
        count = sum(count for _, count in wrong)
        sentence = f"the table {model._meta.table_name} is not whole: {listed(told)} ({listed(map(repr, sample))})"
        yield Finding("store", database, sentence, "see what else writes there, or restore the records", model, (), count, sample)
    for name, state in found.unready.items():
        sentence = f"the index {name} of {model._meta.table_name} is {state}"
        yield Finding("store", database, sentence, "sync(alter=True) goes on with it", model, (name,))


def _unique(model: Model) -> Iterator[Any]:
    for index in model._meta.fields_to_index():
        fields = [getattr(part, "name", None) for part in getattr(index, "_expressions", ())]
        if getattr(index, "_unique", False) and len(fields) == 1 and fields[0] in model._meta.fields:
            yield model._meta.fields[fields[0]]
