"""Inserting the links of one record to many others: rows that differ in one key alone.

Such rows need not be sent one by one: where the store takes a list of keys as one parameter, the store itself makes the rows of it, and the
statement's text and its parameters stay the same few however many rows there are.

Map: `PairInsert` is the statement, prepared once for a link's two keys and the attributes that are given.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import peewee
from peewee import SQL, Field

from activeassoc.stores.sql import array_type, base_field, many_keys, store_of
from activeassoc.stores.statements import Slot, prepare, slot

#: Types of columns that take a value of the like-named type; a field of the user's own may call its column otherwise.
_PLAIN = {"AUTO", "BIGAUTO", "INT", "BIGINT", "SMALLINT", "VARCHAR", "TEXT", "UUID"}


def can_check(link: type[peewee.Model], fields: Sequence[Field]) -> bool:
    """Whether the store can make the rows, of the keys of records that are there."""
    # PostgreSQL takes a parameter that stands alone for a text: it is told every column's type, where that is known.
    lists = store_of(link._meta.database).key_lists
    return bool(lists) and (lists != "array" or all(array_type(kind) and kind.field_type in _PLAIN for kind in map(base_field, fields)))


class PairInsert:
    """INSERT of rows with the same value in `near` and in the attributes, and one of the keys in `far`.

    Where the store makes the rows (`checks`), it makes them of the rows of `target`, to which `far` refers: a key that is not there links
    nothing, whether or not a constraint stands in the database.
    """

    def __init__(self, link: type[peewee.Model], near: Field, far: Any, target: Any, attributes: Sequence[Field]) -> None:
        database = link._meta.database
        store = store_of(database)
        self._far, self._fields = far, [near, *attributes]
        self._single = store.parameters // (2 + len(attributes))
        types = [array_type(base_field(field)) for field in (near, far, *attributes)]
        self._form = store.key_lists if can_check(link, [near, far, *attributes]) else ""
        if self._form == "json":
            keys = SQL("json_each(?)", [Slot(1)])
            listed: Any = peewee.Join(keys, target, on=target._meta.primary_key == SQL("value"))
            rows: Any = peewee.Select([listed], [slot(0), target._meta.primary_key, *self._rest()]).where(SQL("1"))
        elif self._form == "array":
            rest = [SQL(f"CAST(%s AS {kind})", [Slot(number)]) for number, kind in enumerate(types[2:], 2)]
            given = target._meta.primary_key == SQL(f"ANY(CAST(%s AS {types[1]}[]))", [Slot(1)])
            rows = peewee.Select([target], [SQL(f"CAST(%s AS {types[0]})", [Slot(0)]), target._meta.primary_key, *rest]).where(given)
        if self._form:
            query = link.insert_from(rows, [near, far, *attributes])
        else:
            query = link.insert_many([{near: slot(0), far: slot(1), **{field: slot(n) for n, field in enumerate(attributes, 2)}}])
        if store.conflict_nothing:
            query = query.on_conflict(action="nothing")
        self._statement = prepare(database, query.returning().as_rowcount())
        self._mark = database.param

    def _rest(self) -> list[Any]:
        return [slot(number) for number in range(2, len(self._fields) + 1)]

    @property
    def checks(self) -> bool:
        """Whether keys of no record insert nothing."""
        return bool(self._form)

    @property
    def rows_per_statement(self) -> int | None:
        """How many rows one statement takes; None for any number."""
        return None if self._form else self._single

    def execute(self, database: Any, near: Any, keys: Sequence[Any], values: Sequence[Any]) -> int:
        """Insert the rows that are not there; the number inserted. Values as Python has them."""
        near, *values = (field.db_value(value) for field, value in zip(self._fields, (near, *values), strict=True))
        far = many_keys(self._far, keys)
        if self._form:
            given = json.dumps(far) if self._form == "json" else far
            return int(self._statement.execute(database, [near, given, *values]).rowcount)
        return self._statement.repeated(database, [[near, key, *values] for key in far])
