"""What each kind of store can do, as data: what everything else asks for, instead of for a store's name.

Map: `Store` is the list of capabilities; below it the SQL engines, and `DOCUMENTS`, from which a store without SQL starts; `store_of`
finds the capabilities of a database, which may bring its own (`database.capabilities`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import peewee

__all__ = ["DOCUMENTS", "MYSQL", "POSTGRESQL", "SQLITE", "STORES", "UNKNOWN", "Store", "store_of"]


@dataclass(frozen=True)
class Store:
    """The capabilities of one kind of database. What a field says holds where it is true; the defaults are those of an SQL server."""

    #: SELECT … FOR UPDATE locks a row. Where there is none, writers are serial, or `transactions` is false.
    row_locks: bool = True
    #: What the outermost BEGIN is given.
    begin: tuple[str, ...] = ()
    #: The same for a transaction that only reads.
    begin_reading: tuple[str, ...] = ()
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
    #: Several tables of it can be joined, and a query can stand within another.
    joins: bool = True
    #: atomic() is a transaction.
    transactions: bool = True
    #: A block of atomic() within another is undone alone.
    savepoints: bool = True
    #: Queries may have window functions (ROW_NUMBER).
    windows: bool = True
    #: Queries may have CASE, EXISTS and functions beyond the aggregates COUNT, SUM, MIN, MAX and AVG.
    expressions: bool = True
    #: Queries are SQL: execute_sql() takes text, sync() shows statements.
    sql: bool = True
    #: Tables have columns: NOT NULL, lengths and defaults stand in the store, and sync(alter=True) adds what is missing.
    columns: bool = True
    #: The store itself filters and sorts where no index serves. Else the whole table travels to the program.
    scans: bool = True
    #: REPLACE is known: a new row takes the place of those that are in its way.
    replace: bool = True
    #: A record can hold arrays of records, and so the links to others (``embed=True``).
    arrays: bool = False
    #: Datetimes keep their microseconds. Else they are cut, to the millisecond on a store without SQL.
    microseconds: bool = True


SQLITE = Store(
    row_locks=False,
    begin=("IMMEDIATE",),
    begin_reading=("DEFERRED",),
    key_lists="json",
    keys_per_statement=250_000,
    wide_integers=True,
)
POSTGRESQL = Store(failure_aborts=True, key_lists="array", keys_per_statement=250_000, parameters=60_000, replace=False)
MYSQL = Store(conflict_nothing=False, latest="LOCK IN SHARE MODE", microseconds=False)

#: A store that executes peewee's query tree instead of SQL begins with this one, and says what it can do beyond it.
DOCUMENTS = Store(
    row_locks=False,
    wide_integers=True,
    constraints=False,
    joins=False,
    transactions=False,
    savepoints=False,
    windows=False,
    expressions=False,
    sql=False,
    columns=False,
)

STORES: tuple[tuple[type[peewee.Database], Store], ...] = (
    (peewee.SqliteDatabase, SQLITE),
    (peewee.PostgresqlDatabase, POSTGRESQL),
    (peewee.MySQLDatabase, MYSQL),
)
UNKNOWN = replace(MYSQL, keys_per_statement=500)


def store_of(database: Any) -> Store:
    """The capabilities of `database`: its own where it brings them, else those of its kind; a proxy answers for the one behind it."""
    if isinstance(database, peewee.Proxy):
        database = database.obj
    own = getattr(database, "capabilities", None)
    if isinstance(own, Store):
        return own
    for kind, store in STORES:
        if isinstance(database, kind):
            return store
    return UNKNOWN
