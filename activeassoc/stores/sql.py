"""What the SQL databases can do, as data, and the few statements that they word differently.

Map: `Store` and the table of stores; `store_of` finds the one of a database; `many_statements` and `one_statement` make
writes atomic; `among` and `groups` say "the key is one of these" in as few parameters as the store can;
`insert_missing` inserts rows that may be there already; `coercer` reads key arguments.
"""

from __future__ import annotations

import contextlib
import json
import re
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from operator import and_, or_
from typing import Any

import peewee
from peewee import SQL, Case, Expression, Field, ForeignKeyField, Value, fn


@dataclass(frozen=True)
class Store:
    """The capabilities of one kind of database."""

    #: SELECT … FOR UPDATE locks a row. Where there is none, writers are serial.
    row_locks: bool = True
    #: What the outermost BEGIN is given.
    begin: tuple[str, ...] = ()
    #: A failed statement makes every later one of the same transaction fail.
    failure_aborts: bool = False
    #: A list of keys as one bound parameter: "json", "array", or "" for one parameter a key.
    key_lists: str = ""
    #: How many keys one statement takes.
    keys_per_statement: int = 5_000
    #: How many parameters one INSERT takes.
    parameters: int = 30_000
    #: An integer column of any declared size holds 64 bits.
    wide_integers: bool = False
    #: INSERT … ON CONFLICT DO NOTHING is known.
    conflict_nothing: bool = True
    #: What makes a SELECT show rows committed after the transaction's first look, where that needs saying.
    latest: str = ""
    #: The store checks foreign keys.
    constraints: bool = True
    #: Several tables of it can be joined.
    joins: bool = True
    #: atomic() is a transaction.
    transactions: bool = True


SQLITE = Store(row_locks=False, begin=("IMMEDIATE",), key_lists="json", keys_per_statement=250_000, wide_integers=True)
POSTGRESQL = Store(failure_aborts=True, key_lists="array", keys_per_statement=250_000, parameters=60_000)
MYSQL = Store(conflict_nothing=False, latest="LOCK IN SHARE MODE")

STORES: tuple[tuple[type[peewee.Database], Store], ...] = (
    (peewee.SqliteDatabase, SQLITE),
    (peewee.PostgresqlDatabase, POSTGRESQL),
    (peewee.MySQLDatabase, MYSQL),
)
UNKNOWN = replace(MYSQL, keys_per_statement=500)


def store_of(database: Any) -> Store:
    """The capabilities of `database`; a proxy answers for the database behind it."""
    if isinstance(database, peewee.Proxy):
        database = database.obj
    for kind, store in STORES:
        if isinstance(database, kind):
            return store
    return UNKNOWN


def same_database(one: type[peewee.Model], other: type[peewee.Model]) -> bool:
    """Whether the tables of both models stand in one database, so that one statement can name both."""
    return one._meta.database is other._meta.database


# Transactions


def many_statements(database: Any) -> Any:
    """A block of statements that all happen or none: a transaction, or a savepoint within one.

    The outermost BEGIN on SQLite is IMMEDIATE. A deferred one that reads first and writes later fails with "database is
    locked" at once, whatever the timeout, when another writer came between.
    """
    return database.atomic(*store_of(database).begin)


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
    """The keys in portions that one statement takes."""
    size = store_of(database).keys_per_statement
    if 0 < len(keys) <= size:
        yield keys
        return
    for start in range(0, len(keys), size):
        yield keys[start : start + size]


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


def among(field: Any, keys: Sequence[Any]) -> Any:
    """``field IN keys`` in as few bound parameters as the store can, so that the statement's text stays the same.

    Keys are converted by the field first: a list that travels as JSON is compared by type. Kinds of values that cannot
    travel so (bytes, decimals, dates) are bound one by one.
    """
    if len(keys) == 1:
        return field == keys[0]
    kind = base_field(field)
    mode = store_of(field.model._meta.database).key_lists
    values = [kind.db_value(key) for key in keys]
    if mode == "json" and all(type(value) is int or (type(value) is str and "\0" not in value) for value in values):
        return Expression(field, peewee.OP.IN, SQL("(SELECT value FROM json_each(?))", [json.dumps(values)]))
    if mode == "array":
        for known, type_name in _ARRAY_TYPES:
            if isinstance(kind, known):
                if type_name in _BITS and not all(-(2 ** _BITS[type_name]) <= value < 2 ** _BITS[type_name] for value in values):
                    type_name = "BIGINT"  # not in the column, and no reason to fail
                if type_name:
                    return Expression(field, peewee.OP.EQ, SQL(f"ANY(CAST(%s AS {type_name}[]))", [values]))
                break
    return Expression(field, peewee.OP.IN, Value(values, converter=False))


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


def every_row(model: Any, *nodes: Any) -> Any:
    """A query of `model`'s rows, past a ``select`` of the model's own.

    One that hides rows (soft deletion) hides them from readers; what writes must not overlook them.
    """
    return peewee.ModelSelect(model, nodes or model._meta.sorted_fields)


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
    if all(value is first or (not isinstance(value, peewee.Node) and value == first) for _, value in values):
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
    return Case(None, [(condition, 1)], 0)


def total(node: Any) -> Any:
    """The sum as an int, 0 for no rows (SUM is a decimal on some stores)."""
    return fn.COALESCE(fn.SUM(node), 0)
