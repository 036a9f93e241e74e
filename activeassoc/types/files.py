"""The file of a module of types: where it stands, writing it, and whether it is what would be written.

Map: `path_of` tells where it stands; `write` writes it, `check` tells which models it is stale for; `companions` lets modules be imported
that import a file of types which is not there, or not yet whole.
"""

from __future__ import annotations

import ast
import contextlib
import importlib.machinery
import keyword
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from activeassoc.errors import AssociationError, WrongArgument
from activeassoc.types.mixins import MARK, types_of

__all__ = ["check", "companions", "path_of", "write"]

#: What the name of a module of types ends in.
ENDING = "_assoc"


def path_of(module: ModuleType) -> Path:
    """Where the types of a module stand: ``shop_assoc.py`` beside ``shop.py``, ``_assoc.py`` in a package.

    Raises WrongArgument for a module that comes of no file, or goes by another name than its file.
    """
    file = getattr(module, "__file__", None)
    if not file or not file.endswith(".py"):
        raise WrongArgument(
            f"types of {module.__name__}",
            "the module comes of no Python file, beside which they could stand",
            "Give one that does",
            value=module,
        )
    path = Path(file)
    name = path.parent.name if path.stem == "__init__" else path.stem
    if module.__name__.rpartition(".")[2] != name:
        importable = name.isidentifier() and not keyword.iskeyword(name)
        instead = f"Import it as {name}, from a path on which no other module is called so"
        raise WrongArgument(
            f"types of {module.__name__}",
            f"its file is {path.name}, and the types could not import the models by the module's name",
            instead if importable else "Rename the file, so that Python can import it",
            value=module,
        )
    spoiled = next((part for part in module.__name__.split(".") if not part.isidentifier() or keyword.iskeyword(part)), None)
    if spoiled is not None:
        raise WrongArgument(
            f"types of {module.__name__}",
            f"{spoiled!r} is no name that Python can import, and the types could not import the models",
            "Rename it",
            value=module,
        )
    return path.with_name(f"{ENDING}.py" if path.stem == "__init__" else f"{path.stem}{ENDING}.py")


def write(module: ModuleType, *, force: bool = False, asyncio: bool = False) -> Path:
    """Write the types of a module's models, and return where. A file of types that is there is written anew, where it is stale.

    `asyncio` gives every model the twins that are awaited, whatever its database. Raises AssociationError where another file has its name,
    unless `force`.
    """
    path, text = path_of(module), types_of(module, asyncio=asyncio)
    there = path.read_bytes() if path.exists() else b""
    if there and not force and not there.startswith(MARK.encode()):
        raise AssociationError(
            f"types of {module.__name__}",
            f"{path.name} exists, and activeassoc did not write it",
            "Move it away, or write over it with force (--force)",
        )
    if _differing(text, there):
        whole = path.with_name(f".{path.name}.new")
        whole.write_text(text, encoding="utf-8", newline="\n")
        whole.replace(path)
    return path


def check(module: ModuleType, *, asyncio: bool = False) -> list[str]:
    """What of the file of types is not as `write` would make it: names of models, or ``imports``. Empty where all is.

    How it is formatted does not count. `asyncio` as for `write`.
    """
    path = path_of(module)
    return _differing(types_of(module, asyncio=asyncio), path.read_bytes() if path.exists() else b"")


def _differing(text: str, there: bytes) -> list[str]:
    wanted = _parts(text)
    try:
        found = _parts(there)
    except (SyntaxError, ValueError):
        found = {}
    names = [name for name in {**wanted, **found} if wanted.get(name) != found.get(name)]
    return list(dict.fromkeys(map(_model_of, names)))


def _parts(text: str | bytes) -> dict[str, str]:
    """The classes of a module of types by name, and what it imports; each without its formatting."""
    nodes = list(ast.walk(ast.parse(text)))
    imported = sorted(
        f"{getattr(node, 'module', '')} {alias.name} {alias.asname}"
        for node in nodes
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    )
    return {**{node.name: ast.unparse(node) for node in nodes if isinstance(node, ast.ClassDef)}, "imports": "\n".join(imported)}


def _model_of(name: str) -> str:
    """The model that a class of such a file is for."""
    for ending in ("Associations", "Attributes", "Fields"):
        if name.endswith(ending):
            return name.removesuffix(ending)
    return name


class _Empty(ModuleType):
    """A module of types that is not there: every mixin of it is empty."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return type(name, (), {"__slots__": (), "__module__": self.__name__})


class _Companions:
    """Finds modules of types before the files are looked for, and loads them empty."""

    def find_spec(self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None) -> Any:
        if not name.endswith(ENDING):
            return None
        return importlib.machinery.ModuleSpec(name, self)  # type: ignore[arg-type]

    def create_module(self, spec: Any) -> ModuleType:
        return _Empty(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """There is nothing to run."""


@contextlib.contextmanager
def companions() -> Iterator[None]:
    """A block in which modules of types are empty when they are imported, whether or not their files are there.

    So models can be imported that take a mixin which is still to be written, or from a file that a merge has broken.
    """
    finder: Any = _Companions()
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        for name in [name for name, module in sys.modules.items() if isinstance(module, _Empty)]:
            del sys.modules[name]
