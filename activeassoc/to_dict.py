"""``record.to_dict()``: what a record holds, as a dict, without asking the database for anything.

Map: `of` is the entrance; a reference, a collection and a join row are found where populate and the accessors leave them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import peewee

from activeassoc.associations.loading import counted_name


def of(record: Any, inside: tuple[Any, ...] = ()) -> dict[str, Any]:
    """The record as a dict; `inside` are the records around it, which stand as their keys."""
    around = (*inside, record)
    data, related = record.__data__, record.__rel__
    found: dict[str, Any] = {}
    for field in record._meta.sorted_fields:
        name = field.name
        if name not in data:
            continue  # it was not read
        held = related.get(name) if isinstance(field, peewee.ForeignKeyField) else None
        found[name] = data[name] if held is None or _is_around(held, around) else _dict_of(held, around)
    for name, association in getattr(type(record), "associations", {}).items():
        if association.key_on_source and not association.to_many:
            continue  # it stands under its field's name
        held = (getattr(record, "_loaded", None) or {}).get(name, ...)
        if association.to_many:
            if held is not ... and held.loaded:
                found[name] = [_inner(each, around) for each in held.held()]
            counted = record.__dict__.get(counted_name(association))
            if counted is not None:
                found[counted_name(association)] = counted
        elif held is not ...:
            found[name] = None if held is None else _inner(held, around)
    return {**found, **_join_rows(record, around)}


def _join_rows(record: Any, around: tuple[Any, ...]) -> dict[str, Any]:
    """The rows through which the record was reached; not the attributes that wait for the next link."""
    names = [name for name, row in (getattr(record, "_links", None) or {}).items() if not isinstance(row, Mapping)]
    # By the attribute, which makes the row where nobody has asked for it yet.
    rows = {name: getattr(record, name) for name in names}
    return {name: _inner(row, around) for name, row in rows.items() if row is not None}


def _is_around(record: Any, around: tuple[Any, ...]) -> bool:
    return any(record is each or (type(record) is type(each) and record._pk is not None and record._pk == each._pk) for each in around)


def _inner(record: Any, around: tuple[Any, ...]) -> Any:
    return record._pk if _is_around(record, around) else _dict_of(record, around)


def _dict_of(record: Any, around: tuple[Any, ...]) -> dict[str, Any]:
    return of(record, around)
