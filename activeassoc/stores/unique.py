"""What is unique in a model's table, for stores that keep no schema: read from the declaration, and the error where it is broken.

Map: `unique_columns` has the unique indexes, beside a primary key of one column; `duplicate_key` and
`counter_at_its_end` make the errors.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import peewee

from activeassoc.errors import DuplicateKey, UnfitValue
from activeassoc.stores.forms import form_of
from activeassoc.stores.plan import Column

__all__ = ["counter_at_its_end", "duplicate_key", "unique_columns"]

#: What to write instead, by what was asked.
_INSTEAD = {
    "insert": "Read it first, write on_conflict_ignore(), or call get_or_create()",
    "update": "Give another value, or change the row that has it first",
}


def unique_columns(model: Any) -> list[tuple[Column, ...]]:
    """The columns of each unique index, those of a composite primary key first. Indexes of something else than columns are left out."""
    meta = model._meta
    found = [tuple(meta.get_primary_keys())] if meta.composite_key else []
    for index in meta.fields_to_index():
        if isinstance(index, peewee.Index) and index._unique and all(isinstance(each, peewee.Field) for each in index._expressions):  # type: ignore[attr-defined]
            found.append(tuple(index._expressions))  # type: ignore[attr-defined]
    return [tuple(Column(field.column_name, form_of(field), field) for field in fields) for fields in found]


def duplicate_key(model: Any, fields: list[str], verb: str, values: Sequence[str] = ()) -> DuplicateKey:
    """The error for a primary key or a unique value that is there already; `values` as a message shows them, where they are known."""
    one = len(fields) == 1
    return DuplicateKey(
        f"{verb} of {model.__name__} with the {', '.join(fields)}{' ' if values else ''}{', '.join(values)}",
        f"there is a row with {'this value' if one else 'these values'} already",
        _INSTEAD.get(verb, "Change or delete all of the rows with it but one"),
        model=model,
        columns=fields,
    )


def counter_at_its_end(model: Any) -> UnfitValue:
    """The error for an automatic key after a row was given the largest that there is."""
    key: Any = model._meta.primary_key
    return UnfitValue(
        f"insert of {model.__name__} without its {key.name}",
        f"the counter of {model.__name__}.{key.name} is at its end: a row was once given a key near {2**63 - 1}, "
        "and the next ones go on from it",
        f"Give each row its {key.name}, or drop the table and fill it again without such a key",
        model=model,
        field=key,
        value=None,
    )
