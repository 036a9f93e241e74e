"""How the code is shaped: who imports whom, and how long things are."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import activeassoc

PACKAGE = Path(activeassoc.__file__).parent
FILES = sorted(PACKAGE.rglob("*.py"))

#: The floors of the package, lowest first: a module imports from its own floor and from those beneath it.
FLOORS: list[set[str]] = [
    {"errors", "naming"},
    {"kept", "own", "state", "generated", "registry", "criteria", "values", "lazy", "stores"},
    {"hydrate", "convert", "inserting", "reached", "keys", "key_lists", "collection", "queue", "twins"},
    {"targets", "planning", "key_types"},
    {"associations"},
    {
        *("pairing", "repeated", "declare", "declaring", "other_end", "body", "saving", "finding", "of_owners", "sync"),
        *("explain", "populate", "queries", "with_links", "to_dict", "deleting", "arrays"),
    },
    {"model", "model_type", "coroutines", "awaited"},
    {"testing", "types", "checking", "graph", "reflect", "rest", "moving"},
    {"cli", "__main__"},
]
KINDS = {"has_one", "belongs_to", "has_many", "many_to_many", "references_many"}

#: Functions that are longer than 40 lines, and why: their lines are one list of parameters or one table.
LONG: dict[str, str] = {
    "associations/to_many.get": "the parameters and the docstring of a public call",
    "declaring.has_many": "the parameters and the docstring of a public call",
    "declaring.belongs_to_many": "the parameters and the docstring of a public call",
    "sync/__init__.sync": "the docstring of a public call",
    "stores/connect.connect": "the docstring of a public call",
}


def module_of(path: Path) -> str:
    return path.relative_to(PACKAGE).with_suffix("").as_posix()


def floor_of(name: str) -> int | None:
    top = name.split("/")[0].split(".")[0]
    return next((number for number, floor in enumerate(FLOORS) if top in floor), None)


def imports(path: Path) -> Iterator[str]:
    """What a module imports of the package, as it is loaded: ``keys``, ``associations.base``."""
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "activeassoc":
            inside = (node.module or "").partition(".")[2]
            yield from [inside] if inside else [alias.name for alias in node.names]


@pytest.mark.parametrize("path", FILES, ids=module_of)
def test_each_floor_imports_from_those_beneath(path: Path) -> None:
    """Each floor imports only from itself and from the floors beneath it."""
    mine = floor_of(module_of(path))
    if mine is None:
        assert module_of(path) == "__init__", f"{module_of(path)} stands on no floor"
        return
    for name in imports(path):
        theirs = floor_of(name)
        assert theirs is not None, f"{name} stands on no floor"
        assert theirs <= mine, f"{module_of(path)} imports {name}, which stands above it"


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_kinds_do_not_import_each_other(kind: str) -> None:
    """Each kind of association has a file of its own, and none knows another."""
    found = {name.rpartition(".")[2] for name in imports(PACKAGE / "associations" / f"{kind}.py")}
    assert not found & (KINDS - {kind})


@pytest.mark.parametrize("path", FILES, ids=module_of)
def test_no_module_branches_by_kind_or_store(path: Path) -> None:
    """A capability is asked for, never a store's name outside of stores/ and sync's dialects; no ``if kind == "has_one"``."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Compare):
            words = {each.value for each in ast.walk(node) if isinstance(each, ast.Constant) and isinstance(each.value, str)}
            names = {each.attr for each in ast.walk(node) if isinstance(each, ast.Attribute)}
            assert not ("kind" in names and words), f"{path.name}:{node.lineno} compares a kind by its name"
            if not module_of(path).startswith(("stores/", "sync/")):
                assert not words & {"sqlite", "postgresql", "postgres", "mysql", "mariadb"}, f"{path.name}:{node.lineno} names a store"


@pytest.mark.parametrize("path", FILES, ids=module_of)
def test_how_long_things_are(path: Path) -> None:
    """No file above 410 lines, no function above 40 without a reason."""
    name = module_of(path)
    assert len(path.read_text().splitlines()) <= 410
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef) and (node.end_lineno or 0) - node.lineno >= 40:
            assert f"{name}.{node.name}" in LONG, f"{name}.{node.name} has {(node.end_lineno or 0) - node.lineno + 1} lines"


@pytest.mark.parametrize("path", FILES, ids=module_of)
def test_every_module_says_what_it_is(path: Path) -> None:
    """Modules open with a sentence that a newcomer understands."""
    assert ast.get_docstring(ast.parse(path.read_text()))
