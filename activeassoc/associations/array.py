"""One array of keys in one row: reading it, and changing it so that no change of another writer is lost.

Where the store locks rows or has transactions, the array is read and written in one. Elsewhere it is written on condition that it is what
was read, and else read again.

Map: `look` reads what a row holds (`Held`), `rewrite` changes it, `take_out` takes keys out of every array that has them.
"""

from __future__ import annotations

import contextlib
import random
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from peewee import OP, Expression, Value

from activeassoc.associations.base import not_found
from activeassoc.associations.writing import PATIENCE, PAUSE
from activeassoc.errors import TransactionAborted
from activeassoc.key_lists import KeyList
from activeassoc.stores.arrays import holding
from activeassoc.stores.sql import every_row, groups, many_statements, rows_among, store_of


class Held(NamedTuple):
    """What a row's array holds."""

    keys: list[Any]
    #: The elements as they are stored, None for NULL.
    elements: list[Any] | None


def look(field: Any, key: Any, asked: str, *, lock: bool = False) -> Held:
    """The array of the row with this primary key; with `lock` the row is locked, where the store can. One SELECT.

    Raises RecordNotFound where the row is gone.
    """
    database = field.model._meta.database
    query = every_row(field.model, field).where(rows_among(field.model, [key]))
    if lock and store_of(database).row_locks:
        query = query.for_update()
    row = database.execute(query).fetchone()
    if row is None:
        raise not_found(asked, field.model, [key])
    return Held(list(field.python_value(row[0]) or ()), field.elements(row[0]))


def rewrite(
    field: Any, key: Any, held: Held, change: Callable[[list[Any]], list[Any]], asked: str, *, clean: bool = False
) -> tuple[list[Any], list[Any]]:
    """Write what `change` makes of the array that was read as `held`; the array before and after. One UPDATE, none where nothing changes.

    With `clean` elements that can be no keys are a change, too. Where another writer came between, on a store that cannot keep it out, the
    array is read again and changed anew.
    """
    deadline = time.monotonic() + PATIENCE
    while True:
        after = change(held.keys)
        same = after == held.keys and not (clean and len(held.elements or ()) != len(held.keys))
        if same or _write(field, key, held, after, asked):
            return held.keys, after
        if time.monotonic() > deadline:
            because = f"for {PATIENCE} seconds somebody else wrote {field.model.__name__}.{field.name} of {key!r} each time first"
            raise TransactionAborted(asked, because, "Try it again")
        time.sleep(random.random() * PAUSE)
        held = look(field, key, asked)


def _write(field: Any, key: Any, held: Held, after: list[Any], asked: str) -> bool:
    """Whether the array is `after` now."""
    model = field.model
    store = store_of(model._meta.database)
    query = model.update({field: after}).where(rows_among(model, [key]))
    alone = not (store.row_locks or store.transactions)
    if alone:
        unchanged = Expression(field, OP.EQ, Value(held.elements, converter=False, unpack=False))
        query = query.where(field.is_null() if held.elements is None else unchanged)
    if int(query.execute()):
        return True
    if not alone:
        raise not_found(asked, model, [key])
    return False


def take_out(field: Any, keys: Sequence[Any], asked: str) -> int:
    """Take these keys out of every array that has one of them; the number of rows changed.

    One SELECT of the rows that have them (more where the keys are too many for one), and an UPDATE for each row.
    """
    model, gone, changed = field.model, set(keys), 0
    primary, database = model._meta.get_primary_keys(), model._meta.database

    def change(held: list[Any]) -> list[Any]:
        return [key for key in held if key not in gone]

    with many_statements(database):
        for some in groups(database, keys) if keys else ():
            query = every_row(model, *primary, field).where(holding(field, field.spellings(some)))
            query = query.order_by(*primary)  # who else locks some of these rows does so in the same order
            for row in database.execute(query.for_update() if store_of(database).row_locks else query).fetchall():
                values = tuple(part.python_value(value) for part, value in zip(primary, row, strict=False))
                held = Held(list(field.python_value(row[-1]) or ()), field.elements(row[-1]))
                with contextlib.suppress(LookupError):  # somebody has deleted the row meanwhile
                    before, after = rewrite(field, values if len(values) > 1 else values[0], held, change, asked)
                    changed += before != after
    return changed


def leave_out(field: Any, key: Any, gone: Callable[[Any], bool], asked: str) -> bool:
    """Leave the keys out of one row's array of which `gone` is true; whether it changed. A row that is not there has none."""
    with many_statements(field.model._meta.database):
        try:
            held = look(field, key, asked, lock=True)
            before, after = rewrite(field, key, held, lambda keys: [each for each in keys if not gone(each)], asked, clean=True)
        except LookupError:
            return False
    return before != after or len(held.elements or ()) != len(held.keys)


def written(owner: Any, field: Any, keys: Sequence[Any]) -> None:
    """Tell an instance what its array holds in the database now."""
    owner.__data__[field.name] = KeyList.of_row(keys)
    owner._dirty.discard(field.name)
