"""The databases that tests run on: how each kind makes, names and removes them, and the server of a kind for this run.

Map: `ENGINES` has an `Engine` for each kind, `SQL` the kinds that are SQL databases; `server` finds or starts the server of one, `absent`
says what happens where there is none; `Store` is one kind for one test. The fixtures on top of it stand in `conftest`.
"""

from __future__ import annotations

import contextlib
import importlib
import itertools
import os
import subprocess
import sys
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote, urlsplit, urlunsplit

import peewee
import pytest
from playhouse import db_url

import activeassoc

POSTGRESQL = os.environ.get("ACTIVEASSOC_POSTGRESQL_URL", "postgresql://postgres@127.0.0.1:5432/test")
MARIADB = os.environ.get("ACTIVEASSOC_MARIADB_URL", "mysql://root@127.0.0.1:3306/test")
MONGODB = os.environ.get("ACTIVEASSOC_MONGODB_URL", "")
REDIS = os.environ.get("ACTIVEASSOC_REDIS_URL", "redis://127.0.0.1:6379/0")
REQUIRED = set(filter(None, os.environ.get("ACTIVEASSOC_REQUIRE", "").replace(" ", "").split(",")))

# One prefix for each run, so that runs side by side (also those of pytest-xdist) do not meet.
PREFIX = f"aa_{uuid.uuid4().hex[:10]}_"
_numbers = itertools.count(1)


class Engine(NamedTuple):
    """How one kind of database makes an empty one of a given name, tells its URL, and removes it whatever a test left open."""

    #: A connection to the server, made once for the run; None where there is no server.
    server: Callable[[], Any] | None
    create: Callable[[Any, str], Any]
    #: The URL of a database, given the server, its name, and a folder that goes with the test.
    url: Callable[[Any, str, Path], str]
    remove: Callable[[Any, str], Any]
    #: What sees a database from outside, without activeassoc between.
    plain: Callable[[str], Any]


def _nothing(server: Any, name: str) -> None:
    """The database is made by its first use, and goes with the folder, or at the end of the run."""


def plain(url: str) -> Any:
    """A plain peewee database, with nothing of activeassoc in it: for looking from outside."""
    kind = urlsplit(url).scheme.partition("+")[0]
    options = {"postgresql": {"prefer_psycopg3": True, "connect_timeout": 5}, "mysql": {"connect_timeout": 5}}.get(kind, {})
    return db_url.connect(url, unquote_user=True, unquote_password=True, **options)


def _connected(url: str) -> Callable[[], Any]:
    def connect() -> Any:
        server = plain(url)
        server.connect()
        return server

    return connect


# SQL


def _create_postgresql(server: Any, name: str) -> None:
    server.execute_sql(f'CREATE SCHEMA "{name}"')


def _url_postgresql(server: Any, name: str, folder: Path) -> str:
    # A schema instead of a database, as it is made in a millisecond; the application's name finds the connections that a test left open.
    # What is committed need not outlive the server, which then need not wait for the disk.
    parts = urlsplit(POSTGRESQL)
    query = f"application_name={name}&options={quote(f'-c search_path={name} -c synchronous_commit=off')}"
    return urlunsplit(parts._replace(query="&".join(filter(None, [parts.query, query]))))


def _remove_postgresql(server: Any, name: str) -> None:
    server.execute_sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = %s", (name,))
    server.execute_sql(f'DROP SCHEMA IF EXISTS "{name}" CASCADE')


def _create_mariadb(server: Any, name: str) -> None:
    server.execute_sql(f"CREATE DATABASE `{name}` CHARACTER SET utf8mb4")


def _url_mariadb(server: Any, name: str, folder: Path) -> str:
    # Without TLS, for which pymysql reads all certificates of the machine for each connection.
    parts = urlsplit(MARIADB)
    return urlunsplit(parts._replace(path=f"/{name}", query="&".join(filter(None, [parts.query, "ssl_disabled=true"]))))


def _remove_mariadb(server: Any, name: str) -> None:
    for (process,) in server.execute_sql("SELECT id FROM information_schema.processlist WHERE db = %s", (name,)).fetchall():
        with contextlib.suppress(peewee.PeeweeException):  # it may have ended meanwhile
            server.execute_sql(f"KILL {process}")
    server.execute_sql(f"DROP DATABASE IF EXISTS `{name}`")


# MongoDB

#: A server that speaks MongoDB's protocol, in a process of its own, which ends when this one does, however it ends.
WIRE_SERVER = """
import os, shutil, sys, tempfile
from secantus import SecantusDBServer
folder = tempfile.mkdtemp(prefix="activeassoc-wire-")
server = SecantusDBServer(storage_path=folder, port=0)
server.start()
print(server.uri, flush=True)
sys.stdin.read()
shutil.rmtree(folder, ignore_errors=True)
os._exit(0)
"""


class Wire:
    """The client of the MongoDB server that ACTIVEASSOC_MONGODB_URL names, or else of one that is started for this run."""

    def __init__(self) -> None:
        pymongo = importlib.import_module("pymongo")
        self.process: Any = None
        self.url = MONGODB
        if not self.url:
            importlib.import_module("secantus")  # what is missing is told here, not by a process that ended
            command = [sys.executable, "-W", "ignore", "-c", WIRE_SERVER]
            self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            self.url = self.process.stdout.readline().strip()
        try:
            self.client = pymongo.MongoClient(self.url, serverSelectionTimeoutMS=5_000)
            self.client.admin.command("ping")
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        if hasattr(self, "client"):
            self.client.close()
        if self.process is not None:
            self.process.stdin.close()
            self.process.stdout.close()
            self.process.wait(timeout=20)


def _url_mongodb(server: Any, name: str, folder: Path) -> str:
    return urlunsplit(urlsplit(server.url)._replace(path=f"/{name}"))


def _plain_mongodb(url: str) -> Any:
    """pymongo's database; ``.client.close()`` closes it."""
    return importlib.import_module("pymongo").MongoClient(url, serverSelectionTimeoutMS=5_000)[urlsplit(url).path.strip("/")]


# Redis


class Keys:
    """The client of the Redis server. What the run has written goes at its end, by one walk over the keys of the server.

    A walk for each test would cost more than the test: every key that any program has there is looked at.
    """

    def __init__(self) -> None:
        self.client = importlib.import_module("redis").Redis.from_url(REDIS, socket_connect_timeout=2)
        self.client.ping()

    def close(self) -> None:
        keys = list(self.client.scan_iter(match=f"{PREFIX}*", count=1_000))
        for start in range(0, len(keys), 1_000):
            self.client.unlink(*keys[start : start + 1_000])
        self.client.close()


def _url_redis(server: Any, name: str, folder: Path) -> str:
    parts = urlsplit(REDIS)
    return urlunsplit(parts._replace(query="&".join(filter(None, [parts.query, f"prefix={name}:"]))))


def _plain_redis(url: str) -> Any:
    """redis-py's client of the whole database: every key of the store begins with the prefix in the URL."""
    return importlib.import_module("redis").Redis.from_url(urlunsplit(urlsplit(url)._replace(query="")))


ENGINES = {
    "sqlite": Engine(None, _nothing, lambda server, name, folder: f"sqlite:///{folder / name}.db", _nothing, plain),
    "postgresql": Engine(_connected(POSTGRESQL), _create_postgresql, _url_postgresql, _remove_postgresql, plain),
    "mariadb": Engine(_connected(MARIADB), _create_mariadb, _url_mariadb, _remove_mariadb, plain),
    "mongodb": Engine(Wire, _nothing, _url_mongodb, lambda server, name: server.client.drop_database(name), _plain_mongodb),
    "redis": Engine(Keys, _nothing, _url_redis, _nothing, _plain_redis),
}
SQL = ("sqlite", "postgresql", "mariadb")


# The servers of this run

_servers: dict[str, Any] = {}


def server(kind: str) -> Any:
    """The connection of this run to a server, made once; skips or fails where there is none."""
    make = ENGINES[kind].server
    if kind not in _servers and make is not None:
        try:
            _servers[kind] = make()
        except Exception as error:
            _servers[kind] = error
    found = _servers.get(kind)
    if isinstance(found, Exception):
        absent(kind, f"{kind} does not answer: {found}")
    return found


def absent(name: str, reason: str) -> None:
    """Skip on a laptop, fail where ACTIVEASSOC_REQUIRE names it."""
    if name in REQUIRED:
        pytest.fail(f"ACTIVEASSOC_REQUIRE names it, but {reason}", pytrace=False)
    pytest.skip(reason)


def close_servers() -> None:
    for found in _servers.values():
        if not isinstance(found, Exception):
            found.close()
    _servers.clear()


class Store:
    """One kind of database for one test: as many fresh, empty databases as it asks for, removed with all connections at its end."""

    def __init__(self, kind: str, folder: Path) -> None:
        self.name, self._engine, self._server, self._folder = kind, ENGINES[kind], server(kind), folder
        self._names: list[str] = []
        self._opened: list[Any] = []
        self._connections: list[Any] = []

    def url(self) -> str:
        """The URL of a new, empty database of its own."""
        name = f"{PREFIX}{next(_numbers)}"
        self._engine.create(self._server, name)
        self._names.append(name)
        return self._engine.url(self._server, name, self._folder)

    def connect(self, url: str | None = None, **options: Any) -> Any:
        """`activeassoc.connect` to `url`, or to a new database; connections of all threads are closed after the test."""
        return self._kept(activeassoc.connect(url or self.url(), **options))

    def raw(self, url: str) -> Any:
        """What the database holds, without activeassoc between: a plain peewee database, or pymongo's, or redis-py's client."""
        found = self._engine.plain(url)
        if isinstance(found, peewee.Database):
            return self._kept(found)
        self._connections.append(getattr(found, "client", found))
        return found

    def _kept(self, db: Any) -> Any:
        # Each thread's connection hangs in thread-local storage, where nobody else can close it: keep what the driver returns.
        connect = db._connect

        def tracked() -> Any:
            connection = connect()
            self._connections.append(connection)
            return connection

        db._connect = tracked
        self._opened.append(db)
        return db

    def remove(self) -> None:
        """Close everything and remove the databases, also where a test failed inside a transaction."""
        for db in self._opened:
            db._state.transactions.clear()
            with contextlib.suppress(peewee.PeeweeException):
                db.close()
            db.dispose()  # a pool that serves all threads outlives close()
        for connection in self._connections:
            with contextlib.suppress(Exception):  # SQLite's connections of other threads refuse; drivers differ in what they raise
                connection.close()
        for name in self._names:
            self._engine.remove(self._server, name)
