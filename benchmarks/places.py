"""Where the contenders work: a temporary database for each, all with the same tables, rows and settings, and removed at the end.

Map: `Place` says where a database is, and `opened` opens it by hand; `Sqlite`, `Postgresql` and `Mariadb` make, copy and remove;
`reset` and `left` put a database back and look at what an operation left, past the contender.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import sqlite3
import tempfile
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

from dataset import SCHEMA, WEIGHT, Size, rows
from operations import Operation

#: SQLite's settings for all contenders. They are of the connection, all but the first.
PRAGMAS = {"journal_mode": "wal", "synchronous": "normal", "foreign_keys": 1}

#: The servers, by store, and the variable that names another one.
SERVERS = {
    "postgresql": ("ACTIVEASSOC_POSTGRESQL_URL", "postgresql://postgres@127.0.0.1:5432/test"),
    "mariadb": ("ACTIVEASSOC_MARIADB_URL", "mysql://root@127.0.0.1:3306/test"),
}


class Unreachable(Exception):
    """A server does not answer, or its driver is not installed."""


class Place(NamedTuple):
    """A database: a file, or one of a server's."""

    store: str
    database: str
    host: str = ""
    port: int = 0
    user: str = ""
    password: str = ""

    @classmethod
    def of_server(cls, store: str) -> Place:
        variable, default = SERVERS[store]
        parts = urlsplit(os.environ.get(variable, default))
        port = parts.port or (5432 if store == "postgresql" else 3306)
        user, password = unquote(parts.username or ""), unquote(parts.password or "")
        return cls(store, parts.path.lstrip("/"), parts.hostname or "127.0.0.1", port, user, password)

    def url(self, scheme: str) -> str:
        """As a URL, for contenders that want one."""
        if self.store == "sqlite":
            return f"{scheme}:///{self.database}"
        login = f"{self.user}:{self.password}" if self.password else self.user
        return f"{scheme}://{login}@{self.host}:{self.port}/{self.database}"


def opened(place: Place) -> Any:
    """A connection of the driver, on which every statement commits by itself."""
    if place.store == "sqlite":
        connection = sqlite3.connect(place.database, isolation_level=None)
        for name, value in PRAGMAS.items():
            connection.execute(f"PRAGMA {name} = {value}")
        return connection
    login = {"host": place.host, "port": place.port, "user": place.user, "password": place.password}
    if place.store == "postgresql":
        import psycopg

        return psycopg.connect(**login, dbname=place.database, autocommit=True)
    import pymysql

    return pymysql.connect(**login, database=place.database, autocommit=True, charset="utf8mb4")


def fill(connection: Any, store: str, size: Size) -> None:
    """Make the tables and their rows."""
    cursor = connection.cursor()
    for statement in SCHEMA[store]:
        cursor.execute(statement)
    cursor.execute("BEGIN")
    for table, values in rows(size).items():
        insert(cursor, store, table, list(values))
    cursor.execute("COMMIT")
    if store == "postgresql":
        for table in ("users", "posts", "tags"):
            cursor.execute(f"SELECT setval('{table}_id_seq', (SELECT MAX(id) FROM {table}))")
    cursor.execute("ANALYZE" if store != "mariadb" else "ANALYZE TABLE users, posts, tags, post_tags")


def insert(cursor: Any, store: str, table: str, values: list[tuple[object, ...]]) -> None:
    if values:
        marks = ", ".join(["?" if store == "sqlite" else "%s"] * len(values[0]))
        cursor.executemany(f"INSERT INTO {table} VALUES ({marks})", values)


def reset(connection: Any, store: str, size: Size, linked: int) -> None:
    """As it was filled, with `linked` posts at the tag that has none."""
    cursor = connection.cursor()
    cursor.execute("BEGIN")
    cursor.execute(f"DELETE FROM post_tags WHERE tag_id = {size.tag}")
    cursor.execute(f"DELETE FROM posts WHERE id > {size.posts}")
    if linked:
        insert(cursor, store, "post_tags", [(number, size.tag, WEIGHT) for number in range(1, size.work(linked) + 1)])
    cursor.execute("COMMIT")
    if store == "postgresql":
        cursor.execute("VACUUM posts, post_tags")


def left(connection: Any, size: Size, operation: Operation) -> list[list[object]]:
    """The rows that an operation left."""
    cursor = connection.cursor()
    if operation.writes == "links":
        cursor.execute(f"SELECT post_id, tag_id, weight FROM post_tags WHERE tag_id = {size.tag} ORDER BY post_id")
    else:
        cursor.execute(f"SELECT user_id, title, body, views FROM posts WHERE id > {size.posts} ORDER BY id")
    return [list(row) for row in cursor.fetchall()]


class Sqlite:
    """A file for each contender, in a folder of its own."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="activeassoc_bench_"))
        self._first = Place("sqlite", str(self._folder / "first.db"))
        self._numbers = itertools.count(1)

    def fill(self, size: Size) -> None:
        with contextlib.closing(opened(self._first)) as connection:
            fill(connection, "sqlite", size)
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def copy(self, name: str) -> Place:
        place = Place("sqlite", str(self._folder / f"{name}{next(self._numbers)}.db"))
        shutil.copyfile(self._first.database, place.database)
        return place

    def drop(self, place: Place) -> None:
        for path in self._folder.glob(f"{Path(place.database).name}*"):
            path.unlink()

    def remove(self) -> None:
        for _ in range(10):
            shutil.rmtree(self._folder, ignore_errors=True)
            if not self._folder.exists():
                break
            time.sleep(0.1)  # a process that is just ending still writes there


class _Server:
    """A database for each contender, under a prefix of this run's own."""

    store = ""

    def __init__(self) -> None:
        self._server = Place.of_server(self.store)
        try:
            self._connection = opened(self._server)
        except Exception as error:  # each driver has its own; the text tells
            where, variable = f"{self._server.host}:{self._server.port}", SERVERS[self.store][0]
            raise Unreachable(f"{self.store} at {where} cannot be used: {error}. {variable} may name another server.") from None
        self._prefix = f"activeassoc_bench_{uuid.uuid4().hex[:8]}_"
        self._numbers = itertools.count(1)
        self._made: list[Place] = []
        self._first = self._server

    def fill(self, size: Size) -> None:
        self._first = self._create("first")
        with contextlib.closing(opened(self._first)) as connection:
            fill(connection, self.store, size)

    def _create(self, name: str) -> Place:
        place = self._server._replace(database=f"{self._prefix}{name}{next(self._numbers)}")
        self._made.append(place)
        self._make(place)
        return place

    def _make(self, place: Place) -> None:
        raise NotImplementedError

    def copy(self, name: str) -> Place:
        raise NotImplementedError

    def drop(self, place: Place) -> None:
        raise NotImplementedError

    def remove(self) -> None:
        for place in list(self._made):
            with contextlib.suppress(Exception):  # the others are removed all the same
                self.drop(place)
        self._connection.close()


class Postgresql(_Server):
    store = "postgresql"

    def _make(self, place: Place) -> None:
        self._connection.execute(f'CREATE DATABASE "{place.database}"')

    def copy(self, name: str) -> Place:
        place = self._server._replace(database=f"{self._prefix}{name}{next(self._numbers)}")
        self._made.append(place)
        self._connection.execute(f'CREATE DATABASE "{place.database}" TEMPLATE "{self._first.database}"')
        return place

    def drop(self, place: Place) -> None:
        self._connection.execute(f'DROP DATABASE IF EXISTS "{place.database}" WITH (FORCE)')
        self._made.remove(place)


class Mariadb(_Server):
    store = "mariadb"

    def _make(self, place: Place) -> None:
        self._connection.cursor().execute(f"CREATE DATABASE `{place.database}` CHARACTER SET utf8mb4")

    def copy(self, name: str) -> Place:
        place = self._create(name)
        with contextlib.closing(opened(place)) as connection:
            cursor = connection.cursor()
            for statement in SCHEMA["mariadb"]:
                cursor.execute(statement)
            for table in ("users", "posts", "tags", "post_tags"):
                cursor.execute(f"INSERT INTO {table} SELECT * FROM `{self._first.database}`.{table}")
            cursor.execute("ANALYZE TABLE users, posts, tags, post_tags")
        return place

    def drop(self, place: Place) -> None:
        self._connection.cursor().execute(f"DROP DATABASE IF EXISTS `{place.database}`")
        self._made.remove(place)


STORES: dict[str, Any] = {"sqlite": Sqlite, "postgresql": Postgresql, "mariadb": Mariadb}


@contextlib.contextmanager
def places(store: str, size: Size) -> Iterator[Any]:
    """The databases of one run; all are removed at its end, whatever happened."""
    made = STORES[store]()
    try:
        made.fill(size)
        yield made
    finally:
        made.remove()
