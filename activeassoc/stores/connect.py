"""A peewee database from a URL, with the options that keep data safe already set.

The schemes are those of `playhouse.db_url`, and those of `opening` for the stores that are no SQL databases. What is added here is
what playhouse's databases leave to the user: foreign keys and write-ahead logging on SQLite, UPDATE that counts the rows it found on
MySQL, errors that say what to do, and a connection that comes back when its server does.

Map: `connect`; the tables `DRIVERS` and `KINDS` say what each scheme needs and gets; `_place` reads the URL; the options by kind;
`_class_of` mixes what stands in `connections` into peewee's databases.
"""

from __future__ import annotations

import difflib
import functools
import importlib
import importlib.util
import os
from collections.abc import Callable
from typing import Any, NamedTuple
from urllib.parse import SplitResult, urlsplit

import peewee

from activeassoc.errors import ConnectError, DriverMissing, listed
from activeassoc.stores.connections import Addressed, Direct, Pooling, Serving, ServingMySQL, ServingPostgresql, SqliteFile
from activeassoc.stores.opening import OPENED, open_store

__all__ = ["connect"]

#: Seconds that one attempt to reach a server takes. A name may have an IPv4 and an IPv6 address, and drivers try both: under ten in all.
CONNECT_TIMEOUT = 4

#: The packages of which a scheme needs one, and what to give pip.
DRIVERS: dict[str, tuple[tuple[str, ...], str]] = {
    **dict.fromkeys(("postgresql", "postgres", "cockroachdb", "crdb"), (("psycopg", "psycopg2"), "'activeassoc[postgres]'")),
    **dict.fromkeys(("postgresext", "postgresqlext"), (("psycopg", "psycopg2"), "'activeassoc[postgres]'")),
    "psycopg3": (("psycopg",), "'activeassoc[postgres]'"),
    "mysql": (("pymysql", "MySQLdb"), "'activeassoc[mysql]'"),
    "mysqlconnector": (("mysql.connector",), "mysql-connector-python"),
    "mariadbconnector": (("mariadb",), "mariadb"),
    "apsw": (("apsw",), "apsw"),
    "cysqlite": (("cysqlite",), "cysqlite"),
    **dict.fromkeys(("mongodb", "mongodb+srv"), (("pymongo",), "'activeassoc[mongo]'")),
    **dict.fromkeys(("redis", "rediss"), (("redis",), "'activeassoc[redis]'")),
    "sqlite+aiosqlite": (("aiosqlite",), "'activeassoc[async]'"),
    **dict.fromkeys(("postgresql+asyncpg", "postgres+asyncpg"), (("asyncpg",), "'activeassoc[async]'")),
    "mysql+aiomysql": (("aiomysql",), "'activeassoc[async]' aiomysql"),
}

#: The schemes of peewee's asyncio databases, which need greenlet too.
ASYNCIO = ("sqlite+aiosqlite", "postgresql+asyncpg", "postgres+asyncpg", "mysql+aiomysql")

#: The schemes that an error message offers.
OFFERED = ("sqlite", "postgresql", "mysql", "cockroachdb", "mongodb", "redis")


def connect(url: str, **options: Any) -> peewee.Database:
    """The database that `url` names, as a peewee database for ``Meta.database``. Opens no connection; the first use does.

    =========================== ======================================================================================
    ``sqlite:///tracker.db``    a file, relative; ``sqlite:////var/tracker.db`` absolute; ``sqlite://`` in memory
    ``postgresql://ann@host/x`` PostgreSQL, by psycopg 3
    ``mysql://ann:pw@host/x``   MySQL and MariaDB, by pymysql
    ``cockroachdb://…``         and whatever else `playhouse.db_url` knows
    ``mongodb://ann:pw@host/x`` MongoDB, by pymongo, whose URLs and options these are; ``mongodb+srv://…`` too
    ``redis://:pw@host/0``      Redis, by redis-py; ``rediss://…`` with TLS; ``?prefix=app:`` before the name of every key
    ``sqlite+aiosqlite:///…``   for asyncio, as ``postgresql+asyncpg://…`` and ``mysql+aiomysql://…``: peewee's asyncio databases
    =========================== ======================================================================================

    ``+pool`` after the scheme (``postgresql+pool://…?max_connections=5&stale_timeout=300``) keeps connections in a pool. Options come
    from the query string or by keyword, the keyword wins; user and password may be percent-encoded. Set unless you say otherwise:

    - SQLite: foreign keys are checked, a locked file is waited for (`timeout`, 5 seconds), transactions are IMMEDIATE, and the file
      is switched to write-ahead logging. `pragmas` are added to these. A database in memory is one for each thread, as always in peewee.
    - Servers: an attempt to connect takes at most `connect_timeout` seconds. MySQL: utf8mb4, and UPDATE counts the rows it found, also
      those that held the new values already (peewee's ``save()`` tells by this number whether the row is there).

    - MongoDB: an operation waits for a server for 5 seconds at most (`serverSelectionTimeoutMS`). Both MongoDB and Redis: one client
      with its own pool for each process, so that there is no ``+pool``.

    A connection that a server has closed is given up: the statement that met it raises, the next one connects again; BEGIN, which
    cannot have done anything, is repeated at once. Within a transaction nothing reconnects until the block is left, with the error.

    Raises ConnectError where the URL names no database (or an option of MongoDB or Redis that does not exist), and DriverMissing, with
    the pip line, where its driver is not installed. On first use, ConnectError where no connection can be made. No message shows a
    password.
    """
    scheme = _scheme(url)
    if scheme in OPENED:
        _need_driver(scheme)
        return open_store(url, scheme, options)
    place = _place(url, scheme, options)
    _need_driver(place.scheme)
    kind = KINDS.get(place.stem, OTHER)
    settings = kind.settle(place)
    if scheme in ASYNCIO:
        return _open_asyncio(place, settings)
    base = _schemes()[place.scheme]
    mixed: Any = kind.mixed
    if mixed is None:
        return base(place.database, **settings)  # type: ignore[no-any-return]
    database: Addressed = _class_of(mixed, base)(place.database, **settings)
    database.address = place.shown
    return database


def _open_asyncio(place: Place, settings: dict[str, Any]) -> peewee.Database:
    from activeassoc.stores.asynchronous import OPENED

    database: Any = OPENED[place.scheme](place.database, **settings)
    database.address = place.shown
    return database  # type: ignore[no-any-return]


# Reading the URL


class Place(NamedTuple):
    """What a URL says: the scheme, with and without ``+pool``, the database, the options, and the URL as messages may show it."""

    scheme: str
    stem: str
    database: str
    options: dict[str, Any]
    shown: str


def _schemes() -> dict[str, Any]:
    # Imported late: it brings the pools and every driver that is installed, and `import activeassoc` stays light.
    from playhouse import db_url

    return db_url.schemes  # type: ignore[no-any-return]


def _scheme(url: object) -> str:
    if not isinstance(url, str) or not url:
        raise ConnectError(f"connect({url!r})", "a URL was expected", "Write a string, such as 'sqlite:///tracker.db'")
    scheme, mark, _ = url.partition("://")
    scheme = scheme.lower()
    if not mark or not scheme:
        # Without the slashes playhouse would take "sqlite:a.db" for a scheme and cut the first letter off the name.
        raise ConnectError("connect()", "the text has no scheme such as 'sqlite://' in front", "Write 'sqlite:///tracker.db' for a file")
    return scheme


def _place(url: str, scheme: str, given: dict[str, Any]) -> Place:
    from playhouse import db_url

    asked = f"connect('{scheme}://…')"
    stem = scheme.removesuffix("+pool")
    if scheme not in ASYNCIO and scheme not in _schemes():
        _need_driver(scheme)  # some schemes are only there where their driver is
        if stem in ASYNCIO:
            raise ConnectError(asked, "it keeps a pool already", f"Write '{stem}://…?pool_size=10'", scheme=scheme)
        if stem in OPENED:
            instead = f"Write '{stem}://…', and the size of the pool as the driver calls it"
            raise ConnectError(asked, "its driver keeps a pool of its own", instead, scheme=scheme)
        near = next(iter(difflib.get_close_matches(stem, OFFERED, n=1)), None)
        instead = f"{f'Did you mean {near!r}? ' if near else ''}Known are {listed(OFFERED)} (MariaDB is mysql)"
        raise ConnectError(asked, f"no database goes by {scheme!r}", instead, scheme=scheme)
    parts = _parts(url, asked, stem)
    read = db_url.parse(url, unquote_user=True, unquote_password=True)
    if "passwd" in read:  # db_url's word for it with mysql://, but not with mysql+pool://
        read["password"] = read.pop("passwd")
    options = {**read, **given}
    database = options.pop("database", None)
    if isinstance(database, os.PathLike):
        database = os.fspath(database)
    if "sqlite" in stem or stem == "apsw":
        if parts.netloc:
            raise ConnectError(
                f"connect('{scheme}://{parts.netloc}{parts.path}')",
                f"{parts.netloc!r} stands where a URL has its host, and SQLite has none",
                f"Write three slashes before a relative path: '{scheme}:///{parts.netloc}{parts.path}'; four make it absolute",
            )
        name = str(database or ":memory:")
        return Place(scheme, stem, name, options, f"{scheme}:///{name}")
    if not database:
        instead = f"Write '{scheme}://user@host/database', or '{scheme}:///database' for a local one"
        raise ConnectError(asked, "it names no database", instead)
    user, host, port = (options.get(word) for word in ("user", "host", "port"))
    shown = f"{scheme}://{f'{user}@' if user else ''}{host or ''}{f':{port}' if port else ''}/{database}"
    return Place(scheme, stem, str(database), options, shown)


def _parts(url: str, asked: str, stem: str) -> SplitResult:
    """The URL's parts, where they are what was meant. A password may be in any of them, so that none is shown."""
    instead = "Percent-encode '@', ':', '/', '?' and '#' within user and password (urllib.parse.quote(password, safe=''))"
    try:
        parts = urlsplit(url)
        _ = parts.port, parts.hostname
    except ValueError:
        raise ConnectError(asked, "its host or port cannot be read", instead) from None
    if parts.fragment or url.endswith("#"):
        if "sqlite" in stem:
            instead = "Give such a path by keyword: connect('sqlite://', database=path)"
        raise ConnectError(asked, "a URL ends at '#', and what follows would be lost", instead)
    if "@" not in parts.netloc and "@" in parts.path + parts.query and "sqlite" not in stem:
        raise ConnectError(asked, "there is an '@' behind the host", instead)
    return parts


def _need_driver(scheme: str) -> None:
    modules, package = DRIVERS.get(scheme.removesuffix("+pool"), ((), ""))
    if scheme in ASYNCIO and importlib.util.find_spec("greenlet") is None:
        raise DriverMissing(f"connect('{scheme}://…')", "greenlet is not installed", f"Install it: pip install {package}")
    for module in modules:
        try:
            importlib.import_module(module)
        except ImportError:
            continue
        return
    if modules:
        raise DriverMissing(f"connect('{scheme}://…')", f"{modules[0]} is not installed", f"Install it: pip install {package}")


# Options


def _settle_sqlite(place: Place) -> dict[str, Any]:
    options = dict(place.options)
    pragmas = options.pop("pragmas", None) or {}
    options["pragmas"] = {"foreign_keys": 1, **{str(name).lower(): value for name, value in dict(pragmas).items()}}
    return {"lock_type": "IMMEDIATE", **options}


def _settle_postgresql(place: Place) -> dict[str, Any]:
    return {"prefer_psycopg3": True, "connect_timeout": CONNECT_TIMEOUT, **place.options}


def _settle_mysql(place: Place) -> dict[str, Any]:
    # peewee takes pymysql, or MySQLdb where it is the only one; the flag has the same name and place in both.
    driver: Any = peewee.mysql  # type: ignore[attr-defined]
    flags = importlib.import_module(f"{driver.__name__}.constants.CLIENT")
    # Without it, UPDATE to equal values reports 0 rows, and a row that is there looks gone.
    flag = int(place.options.get("client_flag") or 0) | int(flags.FOUND_ROWS)
    return {"charset": "utf8mb4", "connect_timeout": CONNECT_TIMEOUT, **place.options, "client_flag": flag}


def _settle_connector(place: Place) -> dict[str, Any]:
    flags = [*(place.options.get("client_flags") or ()), 2]  # FOUND_ROWS, which this driver takes in a list
    return {"connection_timeout": CONNECT_TIMEOUT, **place.options, "client_flags": flags}


def _settle_aiomysql(place: Place) -> dict[str, Any]:
    from activeassoc.stores.asynchronous import cursor_of_aiomysql

    return {"cursorclass": cursor_of_aiomysql(), **_settle_mysql(place)}


def _settle_asyncpg(place: Place) -> dict[str, Any]:
    from activeassoc.stores.asynchronous import options_of_asyncpg

    # peewee reads its dialect from an adapter of psycopg, which is not asked for anything else.
    return {"timeout": CONNECT_TIMEOUT, **options_of_asyncpg(place.options)}


def _settle_other(place: Place) -> dict[str, Any]:
    base = _schemes()[place.scheme]
    return _settle_sqlite(place) if issubclass(base, peewee.SqliteDatabase) else dict(place.options)


class Kind(NamedTuple):
    """What the databases of a scheme get: options, and the class mixed in (None: as playhouse makes them)."""

    settle: Callable[[Place], dict[str, Any]]
    mixed: type[Addressed] | None


OTHER = Kind(_settle_other, None)
_POSTGRESQL = Kind(_settle_postgresql, ServingPostgresql)
KINDS: dict[str, Kind] = {
    "sqlite": Kind(_settle_sqlite, SqliteFile),
    "mysql": Kind(_settle_mysql, ServingMySQL),
    "mysqlconnector": Kind(_settle_connector, None),
    "sqlite+aiosqlite": Kind(_settle_sqlite, None),
    "mysql+aiomysql": Kind(_settle_aiomysql, None),
    **dict.fromkeys(("postgresql+asyncpg", "postgres+asyncpg"), Kind(_settle_asyncpg, None)),
    **dict.fromkeys(("postgresql", "postgres", "cockroachdb", "crdb", "postgresext", "postgresqlext", "psycopg3"), _POSTGRESQL),
}


@functools.cache
def _class_of(mixed: Any, base: Any) -> Any:
    """`base` with `mixed` before it, under the name of `base`: still one of peewee's databases to everyone who asks."""
    from playhouse.pool import PooledDatabase

    pooling = (Pooling,) if issubclass(base, PooledDatabase) and issubclass(mixed, Serving) else ()
    direct = (Direct,) if issubclass(mixed, SqliteFile) and Direct.suits(base) else ()
    return type(base.__name__, (*pooling, mixed, *direct, base), {"__module__": __name__, "__doc__": base.__doc__})
