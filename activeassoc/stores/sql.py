"""The few statements that the stores word differently, chosen by what each can do.

Map: what a store can do comes from `capabilities`; `many_statements` and `one_statement` make writes atomic; `among` and `groups`
say "the key is one of these" in as few parameters as the store can; `insert_missing` inserts rows that may be there already;
`coercer` reads key arguments.
"""

from __future__ import annotations

import contextlib
import json
import re
import uuid
from collections.abc import Callable, Iterator, Sequence
from functools import reduce
from operator import and_, or_
from typing import Any

import peewee
from peewee import SQL, Case, Expression, Field, ForeignKeyField, Value, fn

from activeassoc.stores.capabilities import Store as Store
from activeassoc.stores.capabilities import store_of as store_of
from activeassoc.stores.statements import SPREAD, Keys, Slot, Spread
from activeassoc.stores.subqueries import Placed, database_behind


def same_database(one: type[peewee.Model], other: type[peewee.Model]) -> bool:
    """Whether the tables of both models stand in one database, so that one statement can name both."""
    mine, theirs = one._meta.database, other._meta.database
    if mine is theirs:
        return True
    return isinstance(mine, peewee.Proxy) != isinstance(theirs, peewee.Proxy) and database_behind(mine) is database_behind(theirs)


# Transactions


def many_statements(database: Any) -> Any:
    """A block of statements that all happen or none: a transaction, or a savepoint within one.

    The outermost BEGIN on SQLite is IMMEDIATE. A deferred one that reads first and writes later fails with "database is
    locked" at once, whatever the timeout, when another writer came between.
    """
    store = store_of(database)
    # Without transactions atomic() would only warn of what the caller tells in its own words.
    return database.atomic(*store.begin) if store.transactions else contextlib.nullcontext()


def one_statement(database: Any) -> Any:
    """A block of one writing statement. It is atomic by itself: BEGIN and COMMIT would double its cost.

    Where a failed statement poisons the caller's transaction it gets a savepoint, so that the caller may catch the error.
    """
    if store_of(database).failure_aborts and database.in_transaction():
        return many_statements(database)
    return contextlib.nullcontext()


# Keys


def base_field(field: Field) -> Field:
    """The field that decides the type of `field`'s values: for a foreign key the one that it finally refers to."""
    seen = set()
    while True:
        referred = getattr(field, "rel_field", None) if isinstance(field, ForeignKeyField) else field.__dict__.get("referred")
        if referred is None or id(field) in seen:
            return field
        seen.add(id(field))
        field = referred


def groups(database: Any, keys: Sequence[Any]) -> Iterator[Sequence[Any]]:
    """The keys in portions that one statement takes, by their number and by their length (H5)."""
    size, kind = store_of(database).keys_per_statement, type(keys[0]) if keys else int
    if kind in (str, bytes):
        yield from _by_length(keys, size if kind is str else min(size, BOUND))
        return
    size = size if kind in (int, uuid.UUID) else min(size, BOUND)  # the others are bound one by one
    if 0 < len(keys) <= size:
        yield keys
        return
    for start in range(0, len(keys), size):
        yield keys[start : start + size]


#: How many parameters every SQL store takes in one statement.
BOUND = 30_000
#: How long the keys of one statement may be together, in letters (of up to 4 bytes) or bytes: every store takes 16 MB.
LENGTH = 2_000_000


def _by_length(keys: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    start = length = 0
    for place, key in enumerate(keys):
        length += len(key)
        if place > start and (length > LENGTH or place - start >= size):
            yield keys[start:place]
            start, length = place, len(key)
    if keys:
        yield keys[start:]


#: The column's own type: PostgreSQL compares with a list of another one by going through it for each row.
_ARRAY_TYPES: tuple[tuple[type[Field], str], ...] = (
    (peewee.BooleanField, ""),
    (peewee.BigAutoField, "BIGINT"),
    (peewee.BigIntegerField, "BIGINT"),
    (peewee.SmallIntegerField, "SMALLINT"),
    (peewee.IntegerField, "INTEGER"),
    (peewee.UUIDField, "UUID"),
    (peewee.CharField, "TEXT"),
    (peewee.TextField, "TEXT"),
)


_BITS = {"SMALLINT": 15, "INTEGER": 31}


def key_list(field: Any, keys: Sequence[Any]) -> tuple[str, Any]:
    """How a list of keys is worded, and what is bound: one key as it is, a list as one parameter where the store can.

    Keys are converted by the field first: a list that travels as JSON is compared by type. Kinds of values that cannot
    travel so (bytes, decimals, dates) are bound one by one.
    """
    if len(keys) == 1:
        return "one", field.db_value(keys[0])
    kind = base_field(field)
    mode = store_of(field.model._meta.database).key_lists
    kinds = set(map(type, keys))
    if mode == "json" and kinds == {int} and takes_integers(kind):
        return "json", str(list(keys))  # which is JSON, and sooner made
    values = many_keys(kind, keys)
    kinds = set(map(type, values))
    if mode == "json" and (kinds == {int} or (kinds <= {int, str} and not any(type(each) is str and "\0" in each for each in values))):
        return "json", json.dumps(values)
    if mode == "array":
        type_name = array_type(kind)
        if type_name in _BITS and values and not -(2 ** _BITS[type_name]) <= min(values) <= max(values) < 2 ** _BITS[type_name]:
            type_name = "BIGINT"  # not in the column, and no reason to fail
        if type_name:
            return type_name, values
    return "each", Spread(values)


def many_keys(field: Field, keys: Sequence[Any]) -> list[Any]:
    """The keys, as the field stores them."""
    kind = base_field(field)
    if set(map(type, keys)) == {int} and takes_integers(kind):
        return list(keys)
    return [kind.db_value(key) for key in keys]


def array_type(kind: Field) -> str:
    """What PostgreSQL calls the type of the field's values; "" where that is not known."""
    return next((type_name for known, type_name in _ARRAY_TYPES if isinstance(kind, known)), "")


def takes_integers(kind: Field) -> bool:
    """Whether the field stores an int as it is."""
    known: Any = type(kind)
    return known.db_value is Field.db_value and known.adapt is peewee.IntegerField.adapt


def among(field: Any, keys: Any) -> Any:
    """``field IN keys`` in as few bound parameters as the store can, so that the statement's text stays the same.

    `keys` are keys, or `Keys`, which stand for such in a statement that is to be prepared.
    """
    if isinstance(keys, Keys):
        form, value = keys.form, Slot(keys.number)
    elif len(keys) == 1:
        return field == keys[0]
    else:
        form, value = key_list(field, keys)
    if form == "one":
        return field == Value(value, converter=False)
    if form == "json":
        return Expression(field, peewee.OP.IN, SQL("(SELECT value FROM json_each(?))", [value]))
    if form != "each":
        return Expression(field, peewee.OP.EQ, SQL(f"ANY(CAST(%s AS {form}[]))", [value]))
    return Expression(field, peewee.OP.IN, SQL(SPREAD, [value]) if type(value) is Slot else Value(value, converter=False))


def among_rows(fields: Sequence[Field], keys: Sequence[tuple[Any, ...]]) -> Any:
    """The same for a composite key: (a = 1 AND b = 2) OR …  (row values are not worded alike everywhere)."""
    rows = [reduce(and_, (field == part for field, part in zip(fields, key, strict=True))) for key in keys]
    while len(rows) > 1:  # a balanced tree: a chain of thousands of ORs would recurse as deep
        rows = [reduce(or_, rows[start : start + 2]) for start in range(0, len(rows), 2)]
    return rows[0]


def rows_among(model: type[peewee.Model], keys: Sequence[Any]) -> Any:
    """The condition for the rows of `model` with these primary keys."""
    if model._meta.composite_key:
        return among_rows(model._meta.get_primary_keys(), keys)
    return among(model._meta.primary_key, keys)


def row_groups(model: type[peewee.Model], keys: Sequence[Any]) -> Iterator[Sequence[Any]]:
    """Primary keys in portions that one statement takes."""
    if model._meta.composite_key:
        return (keys[start : start + 100] for start in range(0, len(keys), 100))
    return groups(model._meta.database, keys)


_INTEGER_TEXT = re.compile(r"-?[0-9]{1,20}", re.ASCII)


def _integer(bits: int) -> Callable[[Any], int]:
    low, high = -(2 ** (bits - 1)), 2 ** (bits - 1) - 1

    def coerce(value: Any) -> int:
        if isinstance(value, bool):
            raise TypeError("a bool is no key")
        if isinstance(value, str):
            # int() would also take other alphabets' digits, underscores and white space.
            if not _INTEGER_TEXT.fullmatch(value):
                raise ValueError("not a whole number")
            value = int(value)
        elif isinstance(value, float):
            if not value.is_integer():
                raise ValueError("not a whole number")
            value = int(value)
        else:
            value = value.__index__()
        if not low <= value <= high:
            raise ValueError(f"out of the range of {bits} bits")
        return int(value)

    return coerce


#: What any integer column may be compared with.
whole_number = _integer(64)


def _text(value: Any) -> str:
    if isinstance(value, str):
        return str(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise TypeError("not a text")


def _uuid(value: Any) -> uuid.UUID:
    if isinstance(value, uuid.UUID):
        return value
    if isinstance(value, str):
        return uuid.UUID(value)
    raise TypeError("not a UUID")


def _bytes(value: Any) -> bytes:
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value)
    raise TypeError("not bytes")


def coercer(field: Field) -> Callable[[Any], Any]:
    """A function that turns an argument into a value of the key `field`, or raises TypeError or ValueError.

    ``"1"`` is 1; a bool, a fraction, other digits, white space and numbers out of range are no keys (C1).
    """
    kind = base_field(field)
    if isinstance(kind, peewee.IntegerField):
        bits = 64
        if not store_of(kind.model._meta.database).wide_integers:
            bits = 16 if isinstance(kind, peewee.SmallIntegerField) else 32
            if isinstance(kind, (peewee.BigIntegerField, peewee.BigAutoField)):
                bits = 64
        return _integer(bits)
    if isinstance(kind, (peewee.UUIDField, peewee.BinaryUUIDField)):
        return _uuid
    if isinstance(kind, (peewee.CharField, peewee.TextField)):
        return _text
    if isinstance(kind, peewee.BlobField):
        return _bytes

    def coerce(value: Any) -> Any:
        if isinstance(value, (bool, peewee.Model)) or value is None:
            raise TypeError("no key")
        return kind.python_value(kind.db_value(value))

    return coerce


# Statements


class Rows(Placed, peewee.ModelSelect):
    """What `every_row` gives."""


def every_row(model: Any, *nodes: Any) -> Any:
    """A query of `model`'s rows, past a ``select`` of the model's own.

    One that hides rows (soft deletion) hides them from readers; what writes must not overlook them.
    """
    return Rows(model, nodes or model._meta.sorted_fields)


def spelled(field: Field, texts: Sequence[str]) -> dict[str, str]:
    """How the rows of a unique column spell these texts, where they have them: a collation may call "ann" and "Ann" one.

    One query where it has none of them, else one more for each text.
    """
    database = field.model._meta.database
    for some in groups(database, texts):
        if database.execute(every_row(field.model, field).where(among(field, some)).limit(1)).fetchone():
            break
    else:
        return {}
    rows = ((text, database.execute(every_row(field.model, field).where(field == text).limit(1)).fetchone()) for text in texts)
    return {text: field.python_value(row[0]) for text, row in rows if row}


def insert_missing(model: type[peewee.Model], rows: Sequence[dict[Field, Any]], pair: Sequence[Field]) -> int:
    """Insert rows of which another writer may have inserted some meanwhile; the number inserted.

    Ruled out: INSERT IGNORE and INSERT OR IGNORE, which also swallow NOT NULL (and on MySQL foreign key) errors; and ON DUPLICATE
    KEY UPDATE, which counts a row that was there as if it were new.
    """
    store, inserted = store_of(model._meta.database), 0
    size = max(1, store.parameters // max(1, len(model._meta.sorted_fields)))
    for start in range(0, len(rows), size):
        some = rows[start : start + size]
        if store.conflict_nothing:
            query: Any = model.insert_many(list(some)).on_conflict(action="nothing")
            inserted += int(query.as_rowcount().execute())
        else:
            inserted += _insert_the_rest(model, some, pair)
    return inserted


def _insert_the_rest(model: type[peewee.Model], rows: Sequence[dict[Field, Any]], pair: Sequence[Field]) -> int:
    try:
        return insert_all(model, rows)
    except peewee.IntegrityError:
        rest = not_there(model, rows, pair)
        if len(rest) == len(rows):
            raise  # it was something else
        return _insert_the_rest(model, rest, pair) if rest else 0


def not_there(model: type[peewee.Model], rows: Sequence[dict[Field, Any]], pair: Sequence[Field]) -> list[dict[Field, Any]]:
    """Those of the rows whose pair of keys no row has now, the latest commits included."""
    database = model._meta.database
    there: set[tuple[Any, ...]] = set()
    near, far = pair
    for some in groups(database, [row[far] for row in rows]):
        query = every_row(model, near, far).where(among(near, list({row[near]: None for row in rows})), among(far, some))
        if store_of(database).latest:
            query = query.for_update(store_of(database).latest)
        there.update((near.python_value(one), far.python_value(other)) for one, other in database.execute(query).fetchall())
    return [row for row in rows if tuple(end.python_value(end.db_value(row[end])) for end in pair) not in there]


def insert_all(model: type[peewee.Model], rows: Sequence[dict[Field, Any]]) -> int:
    """Insert rows; a row that is there already is an IntegrityError."""
    size = max(1, store_of(model._meta.database).parameters // max(1, len(model._meta.sorted_fields)))
    for start in range(0, len(rows), size):
        model.insert_many(list(rows[start : start + size])).as_rowcount().execute()
    return len(rows)


def by_key(key: Field, values: Sequence[tuple[Any, Any]], field: Field) -> Any:
    """The new value of `field` by the row's key, for one UPDATE of many rows: the value itself where all agree."""
    first = values[0][1]
    # A node compares by building an expression, which is true.
    nodes = any(isinstance(value, peewee.Node) for _, value in values)
    if all(value is first or (not nodes and value == first) for _, value in values):
        return first
    kind = base_field(key)
    cases = [
        (Value(kind.db_value(k), converter=False), value if isinstance(value, peewee.Node) else field.case_value(value))
        for k, value in values
    ]
    # The column itself as ELSE gives the parameters their type, where a bare CASE would be text.
    return Case(key, cases, field)


def one_if(condition: Any) -> Any:
    """1 where the condition holds, else 0."""
    return Case(None, [(condition, SQL("1"))], SQL("0"))  # parameters alone in a CASE would be text to asyncpg


def total(node: Any) -> Any:
    """The sum as an int, 0 for no rows (SUM is a decimal on some stores)."""
    return fn.COALESCE(fn.SUM(node), 0)
