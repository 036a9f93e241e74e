"""``holding(Post.hashtag_ids, [3, 7])``: the condition for rows whose JSON array has one of these values.

Every SQL engine words it otherwise; a store without SQL gets it as an operator of its own, which `conditions` reads into a plan. No index
serves it: the rows of the table are looked through, where the store has them.

Map: `stored` is an array as the store takes it; `holding` makes the condition, by the table `_WORDED`, `searchable` tells whether that is
worth asking; `HOLDS` is the operator.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import reduce
from operator import or_
from typing import Any

import peewee
from peewee import SQL, Expression, Field, NodeList, Value, fn

from activeassoc.errors import UnsupportedQuery
from activeassoc.stores.capabilities import store_of
from activeassoc.stores.subqueries import database_behind

__all__ = ["HOLDS", "holding", "searchable", "stored"]

#: What stands between a column of JSON and values of which its array is to have one, in peewee's tree.
HOLDS = "HOLDS"


def stored(field: Field, elements: list[Any]) -> Any:
    """An array as the field's store takes it, as a node: for SQL a text, which each engine reads as JSON.

    peewee has MariaDB cast it to a type that it does not have, unless it was told that this is no MySQL.
    """
    model: Any = field.model
    if store_of(model._meta.database).sql:
        return Value(json.dumps(elements, separators=(",", ":")), converter=False)
    return Value(elements, converter=False, unpack=False)


def holding(field: Field, values: Sequence[Any]) -> Any:
    """Rows of the field's model whose array has one of `values`: texts and whole numbers, as JSON has them.

    Raises UnsupportedQuery for an SQL database of which it is not known how it looks into JSON.
    """
    model: Any = field.model
    database = database_behind(model._meta.database)
    if not values:
        return model._meta.get_primary_keys()[0].in_([])
    if not store_of(database).sql:
        return Expression(field, HOLDS, Value(list(values), converter=False, unpack=False))
    for kind, word in _WORDED:
        if isinstance(database, kind):
            return word(field, values)
    raise UnsupportedQuery(
        f"rows of {model.__name__} by what the array {field.name} has",
        f"it is not known how {type(database).__name__} looks into JSON",
        "Read the records, and look into the arrays in Python",
        construct="an element of a JSON array",
        model=model,
    )


def searchable(database: Any) -> bool:
    """Whether the store itself finds the rows that `holding` means, without their travelling to the program."""
    database, store = database_behind(database), store_of(database)
    return store.scans and (not store.sql or any(isinstance(database, kind) for kind, _ in _WORDED))


# A row in which another program left something that is no array holds nothing, and stops nobody who looks for other rows.


def _sqlite(field: Field, values: Sequence[Any]) -> Any:
    array = (SQL("CASE WHEN json_valid("), field, SQL(") THEN CASE json_type("), field, SQL(") WHEN 'array' THEN "), field, SQL(" END END"))
    among = SQL(") AS held WHERE held.value IN (SELECT value FROM json_each(?)))", [json.dumps(values)])
    return NodeList((SQL("EXISTS (SELECT 1 FROM json_each("), *array, among), glue="")


def _postgresql(field: Field, values: Sequence[Any]) -> Any:
    array = (SQL("CASE jsonb_typeof("), field, SQL(") WHEN 'array' THEN "), field, SQL(" END"))
    among = SQL(") AS held(one) WHERE held.one IN (SELECT jsonb_array_elements(CAST(%s AS jsonb))))", [json.dumps(values)])
    return NodeList((SQL("EXISTS (SELECT 1 FROM jsonb_array_elements("), *array, among), glue="")


def _mysql(field: Field, values: Sequence[Any]) -> Any:
    # JSON_OVERLAPS would take all of them at once, and older servers do not know it.
    parts = [fn.JSON_CONTAINS(field, Value(json.dumps(value), converter=False)) for value in values]
    while len(parts) > 1:  # a balanced tree, as for rows of composite keys
        parts = [reduce(or_, parts[start : start + 2]) for start in range(0, len(parts), 2)]
    return NodeList((SQL("(JSON_TYPE("), field, SQL(") = 'ARRAY' AND "), parts[0], SQL(")")), glue="")


_WORDED: tuple[tuple[type[peewee.Database], Callable[[Field, Sequence[Any]], Any]], ...] = (
    (peewee.SqliteDatabase, _sqlite),
    (peewee.PostgresqlDatabase, _postgresql),
    (peewee.MySQLDatabase, _mysql),
)
