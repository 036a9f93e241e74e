"""The fixtures: a test that asks for one of `store`, `db`, `Base` or `fresh` runs on every store, and never learns which it got.

Map: `ENGINES` tells how each makes, names and removes databases; `Store` is one of them for one test; then the fixtures.

A server that does not answer skips its tests, or fails them where ACTIVEASSOC_REQUIRE names it (``sqlite,postgresql,mariadb``, and
``chinook`` for the sample database). The servers are at ACTIVEASSOC_POSTGRESQL_URL and ACTIVEASSOC_MARIADB_URL.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote, urlsplit, urlunsplit

import peewee
import pytest
from playhouse import db_url

import activeassoc

POSTGRESQL = os.environ.get("ACTIVEASSOC_POSTGRESQL_URL", "postgresql://postgres@127.0.0.1:5432/test")
MARIADB = os.environ.get("ACTIVEASSOC_MARIADB_URL", "mysql://root@127.0.0.1:3306/test")
REQUIRED = set(filter(None, os.environ.get("ACTIVEASSOC_REQUIRE", "").replace(" ", "").split(",")))

# One prefix for each run, so that runs side by side (also those of pytest-xdist) do not meet.
PREFIX = f"aa_{uuid.uuid4().hex[:10]}_"
_numbers = itertools.count(1)


def plain(url: str) -> Any:
    """A plain peewee database, with nothing of activeassoc in it: for looking from outside."""
    kind = urlsplit(url).scheme.partition("+")[0]
    options = {"postgresql": {"prefer_psycopg3": True, "connect_timeout": 5}, "mysql": {"connect_timeout": 5}}.get(kind, {})
    return db_url.connect(url, unquote_user=True, unquote_password=True, **options)


class Engine(NamedTuple):
    """How one kind of database makes an empty one of a given name, tells its URL, and removes it whatever a test left open."""

    server: str | None
    create: Callable[[Any, str], Any]
    url: Callable[[str, Path], str]
    remove: Callable[[Any, str], Any]


def _create_postgresql(server: Any, name: str) -> None:
    server.execute_sql(f'CREATE SCHEMA "{name}"')


def _url_postgresql(name: str, folder: Path) -> str:
    # A schema instead of a database, as it is made in a millisecond; the application's name finds the connections that a test left open.
    parts = urlsplit(POSTGRESQL)
    query = f"application_name={name}&options={quote(f'-c search_path={name}')}"
    return urlunsplit(parts._replace(query="&".join(filter(None, [parts.query, query]))))


def _remove_postgresql(server: Any, name: str) -> None:
    server.execute_sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = %s", (name,))
    server.execute_sql(f'DROP SCHEMA IF EXISTS "{name}" CASCADE')


def _create_mariadb(server: Any, name: str) -> None:
    server.execute_sql(f"CREATE DATABASE `{name}` CHARACTER SET utf8mb4")


def _url_mariadb(name: str, folder: Path) -> str:
    return urlunsplit(urlsplit(MARIADB)._replace(path=f"/{name}"))


def _remove_mariadb(server: Any, name: str) -> None:
    for (process,) in server.execute_sql("SELECT id FROM information_schema.processlist WHERE db = %s", (name,)).fetchall():
        with contextlib.suppress(peewee.PeeweeException):  # it may have ended meanwhile
            server.execute_sql(f"KILL {process}")
    server.execute_sql(f"DROP DATABASE IF EXISTS `{name}`")


ENGINES = {
    "sqlite": Engine(None, lambda server, name: None, lambda name, folder: f"sqlite:///{folder / name}.db", lambda server, name: None),
    "postgresql": Engine(POSTGRESQL, _create_postgresql, _url_postgresql, _remove_postgresql),
    "mariadb": Engine(MARIADB, _create_mariadb, _url_mariadb, _remove_mariadb),
}


class Store:
    """One kind of database for one test: as many fresh, empty databases as it asks for, removed with all connections at its end."""

    def __init__(self, name: str, server: Any, folder: Path) -> None:
        self.name, self._engine, self._server, self._folder = name, ENGINES[name], server, folder
        self._names: list[str] = []
        self._opened: list[Any] = []
        self._connections: list[Any] = []

    def url(self) -> str:
        """The URL of a new, empty database of its own."""
        name = f"{PREFIX}{next(_numbers)}"
        self._engine.create(self._server, name)
        self._names.append(name)
        return self._engine.url(name, self._folder)

    def connect(self, url: str | None = None, **options: Any) -> Any:
        """`activeassoc.connect` to `url`, or to a new database; connections of all threads are closed after the test."""
        return self._kept(activeassoc.connect(url or self.url(), **options))

    def raw(self, url: str) -> Any:
        """A plain peewee database on `url`: what the database holds, without activeassoc between."""
        return self._kept(plain(url))

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
        for connection in self._connections:
            with contextlib.suppress(Exception):  # SQLite's connections of other threads refuse; drivers differ in what they raise
                connection.close()
        for name in self._names:
            self._engine.remove(self._server, name)


_servers: dict[str, Any] = {}


def server(name: str) -> Any:
    """The connection of this run to a server, made once; skips or fails where there is none."""
    if name not in _servers and ENGINES[name].server is not None:
        try:
            _servers[name] = plain(ENGINES[name].server or "")
            _servers[name].connect()
        except Exception as error:
            _servers[name] = error
    found = _servers.get(name)
    if isinstance(found, Exception):
        absent(name, f"{name} does not answer: {found}")
    return found


def absent(name: str, reason: str) -> None:
    """Skip on a laptop, fail where ACTIVEASSOC_REQUIRE names it."""
    if name in REQUIRED:
        pytest.fail(f"ACTIVEASSOC_REQUIRE names it, but {reason}", pytrace=False)
    pytest.skip(reason)


def pytest_report_header() -> str:
    return f"activeassoc {activeassoc.__version__} from {Path(activeassoc.__file__).parent}"


def pytest_unconfigure() -> None:
    for found in _servers.values():
        if not isinstance(found, Exception):
            found.close()
    _servers.clear()


@pytest.fixture(params=list(ENGINES))
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """One kind of database; the test runs once for each. ``@pytest.mark.needs("row_locks")`` skips those that lack the capability."""
    found = Store(request.param, server(request.param), tmp_path)
    try:
        _skip_by_capability(request, found)
        yield found
    finally:
        found.remove()


def _skip_by_capability(request: pytest.FixtureRequest, found: Store) -> None:
    needed = [word for mark in request.node.iter_markers("needs") for word in mark.args]
    if not needed:
        return
    from activeassoc.stores.sql import store_of

    capabilities = store_of(found.connect())
    for word in needed:
        if not getattr(capabilities, word):
            pytest.skip(f"the store has no {word}")


@pytest.fixture
def db(store: Store) -> Any:
    """A new, empty database."""
    return store.connect()


def base_on(db: Any, module: str) -> Any:
    """A base class for models on `db`, defined in `module`."""
    return type(activeassoc.Model)("Base", (activeassoc.Model,), {"Meta": type("Meta", (), {"database": db}), "__module__": module})


@pytest.fixture
def Base(db: Any, request: pytest.FixtureRequest) -> Any:
    """A base class for models on `db`."""
    return base_on(db, request.module.__name__)


class Fresh:
    """New models on a new database with each call; `db` and `Base` are those of the last one."""

    def __init__(self, store: Store, module: str) -> None:
        self._store, self._module = store, module
        self.db: Any = None
        self.Base: Any = None

    def __call__(self, *names: str) -> Any:
        """Models of these names, each with one nullable text column `title`: the model, or the list of them."""
        self.on()
        made = [
            type(self.Base)(name, (self.Base,), {"title": peewee.CharField(null=True), "__module__": self._module, "__qualname__": name})
            for name in names
        ]
        return made[0] if len(made) == 1 else made

    def on(self, url: str | None = None) -> Any:
        """A base class on a new database, or on the one of `url`."""
        self.db = self._store.connect(url)
        self.Base = base_on(self.db, self._module)
        return self.Base


@pytest.fixture
def fresh(store: Store, request: pytest.FixtureRequest) -> Fresh:
    """``User, Project = fresh("User", "Project")``: new models on a new database; `fresh.Base` is their base."""
    return Fresh(store, request.module.__name__)


class Python:
    """Another Python process, on the activeassoc that is tested here, whether that is installed or not; warnings are errors there too."""

    def __call__(self, code: str, *arguments: object) -> str:
        """What the code prints; fails where the process does."""
        return self.printed(self.start(code, *arguments))

    def start(self, code: str, *arguments: object, stdin: Any = subprocess.DEVNULL) -> subprocess.Popen[str]:
        environment = {**os.environ, "PYTHONPATH": str(Path(activeassoc.__file__).parents[1])}
        command = [sys.executable, "-P", "-W", "error", "-c", code, *map(str, arguments)]
        return subprocess.Popen(command, env=environment, stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def printed(self, process: subprocess.Popen[str]) -> str:
        output, _ = process.communicate(timeout=60)
        assert process.returncode == 0, output
        return output.strip()


@pytest.fixture
def python() -> Python:
    """``python(code, *arguments)``: what the code prints in a process of its own."""
    return Python()


@pytest.fixture
def chinook(tmp_path: Path) -> Path:
    """A copy of the Chinook sample database, to read and to write."""
    named = os.environ.get("ACTIVEASSOC_CHINOOK")
    above = [folder / "shared" / "data" / "chinook.sqlite" for folder in Path(__file__).resolve().parents]
    for original in [Path(named)] if named else above:
        if original.is_file():
            return Path(shutil.copy(original, tmp_path / "chinook.sqlite"))
    absent("chinook", "the Chinook sample database is not here: ACTIVEASSOC_CHINOOK may name the file")
    raise AssertionError("unreachable")
