"""Every store passes the contract that a third one would have to pass, too."""

from __future__ import annotations

import functools
import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from activeassoc.testing import StoreContract


@pytest.mark.every_store
class TestEveryStore(StoreContract):
    """The public test class, on SQLite, PostgreSQL, MariaDB, MongoDB and Redis."""

    @pytest.fixture
    def database(self, db: Any) -> Any:
        return db


class TestMemory(StoreContract):
    """The store that docs/stores.md shows how to write: one file, and nothing else."""

    @pytest.fixture
    def database(self) -> Any:
        return memory_store().MemoryDatabase("test")


@functools.cache
def memory_store() -> ModuleType:
    """examples/memory_store.py, which is no module of a package."""
    path = Path(__file__).resolve().parent.parent / "examples" / "memory_store.py"
    specification = importlib.util.spec_from_file_location("memory_store", path)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def test_the_example_of_a_store_prints_what_it_does(python):
    """Associations work on a store that has nothing but its file."""
    path = Path(__file__).resolve().parent.parent / "examples" / "memory_store.py"
    printed = python("import runpy, sys; runpy.run_path(sys.argv[1], run_name='__main__')", path)
    assert printed == 'Created "project", "user", "projects_users".\n[\'Ann\', \'Bob\'] 2'
