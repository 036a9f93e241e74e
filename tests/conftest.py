"""The fixtures: a test that asks for one of `store`, `db`, `Base` or `fresh` runs on every SQL database, and never learns which it got.

With ``@pytest.mark.every_store`` (or ``pytestmark = pytest.mark.every_store`` for a file) it runs on MongoDB and Redis too, and
``@pytest.mark.needs("joins")`` skips the stores that lack a capability (`activeassoc.stores.capabilities`). Two databases at once:
`Near` and `Far` are bases on each of `PAIRS`; ``on("mongodb")`` is a base on a new database of one kind.

A server that does not answer skips its tests, or fails them where ACTIVEASSOC_REQUIRE names it (``sqlite,postgresql,mariadb,mongodb,
redis``, and ``chinook`` for the sample database). The servers are at ACTIVEASSOC_POSTGRESQL_URL, ACTIVEASSOC_MARIADB_URL,
ACTIVEASSOC_REDIS_URL and ACTIVEASSOC_MONGODB_URL; without the last one, a server that speaks MongoDB's protocol is started for the run.
"""

from __future__ import annotations

import gc
import itertools
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import peewee
import pytest
from engines import ENGINES, SQL, Store, absent, close_servers

import activeassoc

#: Two databases: every kind of store on either side, beside itself, and beside one that is quite another.
PAIRS = [
    ("sqlite", "sqlite"),
    ("sqlite", "postgresql"),
    ("postgresql", "mongodb"),
    ("mongodb", "mongodb"),
    ("mongodb", "mariadb"),
    ("mariadb", "redis"),
    ("redis", "redis"),
    ("redis", "sqlite"),
]
ALL_PAIRS = list(itertools.product(ENGINES, ENGINES))


def pytest_report_header() -> str:
    return f"activeassoc {activeassoc.__version__} from {Path(activeassoc.__file__).parent}"


def pytest_collection_finish() -> None:
    """Some tests ask for a full garbage collection, which need not walk the thousands of tests themselves each time."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="module", autouse=True)
def frozen() -> None:
    """What is there when the tests of a file begin is not walked through by each garbage collection that they ask for."""
    gc.collect()
    gc.freeze()


def pytest_unconfigure() -> None:
    close_servers()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    asked, item = metafunc.fixturenames, metafunc.definition
    by_hand = {name for mark in item.iter_markers("parametrize") for name in str(mark.args[0]).replace(" ", "").split(",")}
    if "store" in asked and "store" not in by_hand:
        metafunc.parametrize("store", list(ENGINES) if item.get_closest_marker("every_store") else SQL, indirect=True)
    if "pair" in asked and "pair" not in by_hand:
        pairs = ALL_PAIRS if item.get_closest_marker("every_pair") else PAIRS
        metafunc.parametrize("pair", pairs, indirect=True, ids="-".join)


@pytest.fixture
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """One kind of database; the test runs once for each. ``@pytest.mark.needs("row_locks")`` skips those that lack the capability."""
    found = Store(request.param, tmp_path)
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


@pytest.fixture
def on(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[str], Any]]:
    """``on("mongodb")``: a base class for models on a new database of that kind; two calls of one kind are two databases."""
    stores: dict[str, Store] = {}

    def base(kind: str, **options: Any) -> Any:
        if kind not in stores:
            stores[kind] = Store(kind, tmp_path)
        return base_on(stores[kind].connect(**options), request.module.__name__)

    try:
        yield base
    finally:
        for each in stores.values():
            each.remove()


@pytest.fixture
def pair(request: pytest.FixtureRequest, on: Callable[[str], Any]) -> tuple[Any, Any]:
    """Bases on two databases, of each of `PAIRS`, or with ``@pytest.mark.every_pair`` of all twenty-five."""
    near, far = request.param
    return on(near), on(far)


@pytest.fixture
def Near(pair: tuple[Any, Any]) -> Any:
    """A base class for models on the first database of the pair."""
    return pair[0]


@pytest.fixture
def Far(pair: tuple[Any, Any]) -> Any:
    """A base class for models on the second database of the pair."""
    return pair[1]


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
