"""Ids in arrays (references_many) that no record has: found a page of rows at a time, and taken out. And what is no array.

Map: `dangling_ids` looks at the arrays of a model; `_pages` reads them, `_missing` asks for the records.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

from activeassoc.associations.array import leave_out
from activeassoc.checking.dangling import not_there
from activeassoc.checking.report import SHOWN, Finding, rows_of
from activeassoc.deleting.references import address_of
from activeassoc.errors import UnfitValue
from activeassoc.key_lists import key_lists_of
from activeassoc.registry import Model
from activeassoc.stores.sql import every_row, store_of

#: How many rows' arrays are looked at together.
PAGE = 1_000

#: A row: its primary key, and the key that each element of its array is, None where it can be none.
Row = tuple[Any, list[Any]]


def dangling_ids(model: Model, skip: set[str], fix: bool) -> Iterator[Finding]:
    """The ids in arrays of `model` that no record has; `skip` are columns that the table lacks.

    One statement for each array, and one for every `PAGE` rows whose arrays hold something; one more asks for the table.
    """
    for field in key_lists_of(model):
        if field.column_name in skip:
            continue
        target = field.target
        if target._meta.database is None:
            continue
        there = bool(target.table_exists())
        count, ids = 0, 0
        sample: list[Any] = []
        unread: list[Any] = []
        for page in _pages(model, field, unread):
            missing = _missing(field, page, there)
            lost = [(key, sum(each is None or each in missing for each in keys)) for key, keys in page]
            for key, number in ((key, number) for key, number in lost if number):
                count, ids = count + 1, ids + number
                sample += [key] if len(sample) < SHOWN else []
                if fix and there:
                    leave_out(field, key, missing.__contains__, f"check() of {model.__name__}")
        if count:
            yield _finding(field, count, ids, sample, there, fix and there)
        if unread:
            holds = "holds" if len(unread) == 1 else "hold"
            sentence = f"{rows_of(len(unread), model, unread[:SHOWN])} {holds} no list in {field.column_name}"
            instead = f"write a list of {target.__name__} keys into it: reading it raises"
            yield Finding("no list", model._meta.database, sentence, instead, model, (field.name,), len(unread), tuple(unread[:SHOWN]))


def _finding(field: Any, count: int, ids: int, sample: list[Any], there: bool, mended: bool) -> Finding:
    model, target = field.model, field.target
    label, which = f"{model.__name__}.{field.name}", "an id" if ids == 1 else f"{ids} ids"
    sentence = f"{rows_of(count, model, sample)} {'holds' if count == 1 else 'hold'} {which} in {label} that no {target.__name__} has"
    if not there:
        instead = f"{address_of(target._meta.database)} has no table {target._meta.table_name}; it may be the wrong database"
    else:
        them = "it" if ids == 1 else "them"
        done, to_do = f"{'1 id' if ids == 1 else which} taken out", f"check(fix=True) takes {them} out; reading passes {them} over"
        instead = done if mended else to_do
    database = model._meta.database
    return Finding("dangling id", database, sentence, instead, model, (field.name,), count, tuple(sample), mended=mended)


def _pages(model: Model, field: Any, unread: list[Any]) -> Iterator[list[Row]]:
    """The rows, a page at a time, those whose array is empty left out; the keys of those that hold no list go into `unread`."""
    primary, read = model._meta.get_primary_keys(), field.key_reader()
    for rows in _by_key(model, field) if store_of(model._meta.database).sql and len(primary) == 1 else _streamed(model, field):
        page: list[Row] = []
        for row in rows:
            values = tuple(part.python_value(value) for part, value in zip(primary, row, strict=False))
            key = values if len(values) > 1 else values[0]
            try:
                page.append((key, list(map(read, field.elements(row[-1]) or ()))))
            except UnfitValue:
                unread.append(key)
        yield [row for row in page if row[1]]


def _by_key(model: Model, field: Any) -> Iterator[list[Any]]:
    """The primary keys and arrays in order of the key, a statement for each page: what is mended meanwhile disturbs no cursor."""
    primary, database = model._meta.primary_key, model._meta.database
    query = every_row(model, primary, field).order_by(primary).limit(PAGE)
    page = database.execute(query).fetchall()
    while page:
        yield page
        page = database.execute(query.where(primary > primary.python_value(page[-1][0]))).fetchall() if len(page) == PAGE else []


def _streamed(model: Model, field: Any) -> Iterator[list[Any]]:
    """The same from a cursor that reads on as it is read, or for a primary key of several columns."""
    cursor = model._meta.database.execute(every_row(model, *model._meta.get_primary_keys(), field))
    rows = iter(cursor.fetchone, None)
    if store_of(model._meta.database).sql:
        rows = iter(cursor.fetchall())
    while page := list(itertools.islice(rows, PAGE)):
        yield page


def _missing(field: Any, page: list[Row], there: bool) -> set[Any]:
    """The keys in these arrays that no record has."""
    wanted = list(dict.fromkeys(key for _, keys in page for key in keys if key is not None))
    return set(not_there(field.referred, wanted) if there and wanted else wanted)
