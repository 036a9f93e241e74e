"""From what was typed to models and databases: ``shop.models`` or ``shop/models.py``, and a URL.

Map: `models_of` gives the models of a module, `module_of` imports it; `database_at` opens a database by its URL; `reached` asks
databases, asyncio's too; `closing` closes what was opened; `needed` imports what an extra brings; `Refused` is the error for input that
is no use.

The models of a module are those that it (or a module within it, where it is a package) defines, those that it imports by name, and all
that these are associated with, through models too. Bases without a table are none.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import importlib.util
import shlex
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import peewee

from activeassoc.errors import AssociationError, ConnectError, DriverMissing, listed, nearest
from activeassoc.model import Model
from activeassoc.registry import known_databases, known_models
from activeassoc.stores.bridge import is_asyncio, run
from activeassoc.sync.models import is_base

__all__ = ["Refused", "closing", "database_at", "models_of", "module_of", "needed", "reached"]


class Refused(AssociationError, ValueError):
    """What was typed is no use: nothing was done, and the exit code is 2."""


def models_of(name: str, *, database: bool = False, associated: bool = True) -> list[Any]:
    """The models of a module, in order of definition, with all that they are associated with; targets given by name are bound.

    With ``associated=False`` its own alone: what is served to others is what somebody named.

    Raises Refused where the module cannot be imported or has no models, and with ``database=True`` where one of them has no database;
    and what stands against a declaration.
    """
    module = module_of(name)
    own = _own(module)
    found = _with_associated(own)
    if not associated:
        found = [model for model in found if any(model is each for each in own)]
    if not found:
        raise Refused(name, "the module has no models", _where_models_are(module))
    without = [model.__name__ for model in found if database and _database_of(model) is None]
    if without:
        one = len(without) == 1
        raise Refused(
            name,
            f"{listed(without)} {'has' if one else 'have'} no database",
            f"Give {'it' if one else 'them'} one in the module: class Meta: database = connect('sqlite:///shop.db')",
        )
    return found


def _database_of(model: Any) -> Any:
    database = model._meta.get_database_instance()
    return None if database is None or database.deferred else database


def _own(module: ModuleType) -> list[Any]:
    """The models that a module defines or names."""
    known = known_models()
    here = [model for model in known if f"{model.__module__}.".startswith(f"{module.__name__}.")]
    named = [value for value in list(vars(module).values()) if isinstance(value, type) and issubclass(value, peewee.Model)]
    ours = {id(model) for model in (*here, *named)}
    plain = [model for model in named if all(model is not each for each in known)]
    every = [model for model in known if id(model) in ours] + list({id(model): model for model in plain}.values())
    return [model for model in every if model not in (peewee.Model, Model) and not is_base(model, known)]


def _with_associated(models: list[Any]) -> list[Any]:
    found = {id(model): model for model in models}
    rest = list(models)
    while rest:
        for association in list(getattr(rest.pop(0), "associations", {}).values()):
            for model in (association.target, *(hop.model for hop in association.path), *(key.model for key in association.keys)):
                if id(model) not in found:
                    found[id(model)] = model
                    rest.append(model)
    order = {id(model): position for position, model in enumerate(known_models())}
    return sorted(found.values(), key=lambda model: order.get(id(model), len(order)))


def _where_models_are(module: ModuleType) -> str:
    for folder in getattr(module, "__path__", ()):
        names = sorted(path.stem for path in Path(folder).glob("*.py") if path.stem == "models")
        if names:
            return f"Did you mean {module.__name__}.{names[0]}"
    return "Name the module that defines them, or imports them by name"


# Importing


def module_of(name: str) -> ModuleType:
    """The module of this dotted name, found from the working directory too, or of this file. Raises Refused where it cannot be imported."""
    if name.endswith(".py") or "/" in name or "\\" in name:
        return _from_file(name)
    _first_on_path(Path.cwd())
    if not all(part.isidentifier() for part in name.split(".")):
        raise Refused(name or "''", "that is neither the name of a module nor a file", "Write shop.models, or shop/models.py")
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is not None and f"{name}.".startswith(f"{error.name}."):
            raise Refused(name, f"there is no module {error.name}", _near(name)) from None
        raise _failed(name, error) from error
    except (Exception, SystemExit) as error:
        raise _failed(name, error) from error


def _near(name: str) -> str:
    """What to write for a module that is not there: a file of this name, or a module beside it."""
    folder = Path.cwd().joinpath(*name.split(".")[:-1])
    last = name.rpartition(".")[2]
    instead = f"Name it as Python imports it from {Path.cwd()}, or give its file"
    if not folder.is_dir():
        return instead
    prefix = name.rpartition(".")[0]
    beside = [path.stem for path in folder.glob("*.py") if path.stem.isidentifier() and path.stem != "__init__"]
    beside += [path.parent.name for path in folder.glob("*/__init__.py")]
    if not beside:
        return instead
    return f"{nearest(name if prefix else last, [f'{prefix}.{each}' if prefix else each for each in beside])}. {instead}"


def _from_file(name: str) -> ModuleType:
    path = Path(name)
    if path.is_dir():
        _, dotted = _package_of(path.resolve() / "__init__.py")
        raise Refused(name, "it is a directory", f"Give a file in it, or its name as Python imports it ({dotted or path.name})")
    if not path.is_file():
        beside = [each.name for each in path.parent.glob("*.py")] if path.parent.is_dir() else []
        raise Refused(name, "there is no such file", nearest(path.name, beside) if beside else "Give the path of a Python file")
    path = path.resolve()
    root, dotted = _package_of(path)
    _first_on_path(Path.cwd())
    _first_on_path(root)
    try:
        if root != path.parent:
            return importlib.import_module(dotted)
        return _alone(dotted, path)
    except (Exception, SystemExit) as error:
        raise _failed(name, error) from error


def _package_of(path: Path) -> tuple[Path, str]:
    """The directory that a file is imported from, and its name from there: within a package it may import from its neighbours."""
    root, dotted = path.parent, path.stem
    while (root / "__init__.py").is_file():
        root, dotted = root.parent, f"{root.name}.{dotted}"
    return root, dotted.removesuffix(".__init__")


def _alone(name: str, path: Path) -> ModuleType:
    """A file that is no part of a package, whatever it is called: not the module of the same name that is there already."""
    there = sys.modules.get(name)
    if there is not None and getattr(there, "__file__", None) == str(path):
        return there
    if there is not None or name in sys.stdlib_module_names or not name.isidentifier():
        name = f"models_{''.join(letter if letter.isalnum() else '_' for letter in name)}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None  # it ends in .py
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _first_on_path(folder: Path) -> None:
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))


def _failed(name: str, error: BaseException) -> Refused:
    """The error for a module that raises when it is imported: what, and the last line of it that is the user's."""
    if isinstance(error, SyntaxError):
        where = f"{Path(error.filename).name}, line {error.lineno}" if error.filename else "a file that is no text"
        what = error.msg
    else:
        frames = [frame for frame in traceback.extract_tb(error.__traceback__) if not _of_python(frame.filename)]
        where = f"{Path(frames[-1].filename).name}, line {frames[-1].lineno}" if frames else "?"
        what = str(error).rstrip(".")
    missing = str(getattr(error, "name", None) or "") if isinstance(error, ModuleNotFoundError) else ""
    if missing.rpartition(".")[2].endswith("_assoc"):
        # What `activeassoc types` writes is not there yet: it alone does without.
        because = f"its types are not there: it imports {missing} ({where})"
        return Refused(name, because, f"Write them first: activeassoc types {shlex.quote(name)}")
    return Refused(
        name,
        f"importing it raised {type(error).__name__}{f': {what}' if what else ''} ({where})",
        "Mend that first; --debug shows the whole traceback",
    )


#: Where the lines stand that are not the user's: this package, and the importing of Python itself.
_OURS = str(Path(__file__).resolve().parents[1])


def _of_python(filename: str) -> bool:
    return filename.startswith(("<frozen", _OURS, importlib.__file__, peewee.__file__))


def needed(module: str, install: str) -> Any:
    """A module that only some commands need. Raises Refused with the pip line where a package is not installed."""
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if (error.name or "activeassoc").partition(".")[0] == "activeassoc":
            raise
        raise Refused(module, f"{error.name} is not installed", f"Install it: pip install {install}") from error


# Databases


def database_at(url: str) -> peewee.Database:
    """The database of a URL, not connected yet. Raises Refused where the URL names none, DriverMissing where its driver is missing."""
    from activeassoc.stores.connect import connect

    try:
        return connect(url)
    except DriverMissing:
        raise
    except ConnectError as error:
        raise Refused(error.asked, error.because, error.instead) from error


def reached(databases: Iterable[Any], function: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
    """What the function gives, which asks these databases; where one of them is for asyncio, on the bridge that leads there."""
    asyncios = list({id(database): database for database in databases if is_asyncio(database)}.values())
    if not asyncios:
        return function(*arguments, **options)

    async def main() -> Any:
        try:
            return await run("activeassoc", function, *arguments, **options)
        finally:
            for database in asyncios:
                await database.close_pool()

    return asyncio.run(main())


@contextlib.contextmanager
def closing() -> Iterator[None]:
    """Within it databases may be opened; those that were not open before are closed at the end."""
    before = {id(database) for database in known_databases() if not database.is_closed()}
    try:
        yield
    finally:
        for database in known_databases():
            if id(database) not in before and not database.is_closed():
                database.close()
