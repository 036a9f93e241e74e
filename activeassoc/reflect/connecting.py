"""How the code that is written connects, and how the database is opened that it is written for. No password gets into a file.

Map: `opened` gives the database of what was asked for; `connection_of` the lines that the code connects by.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import peewee

from activeassoc.errors import ConnectError
from activeassoc.reflect.layout import Node, literal
from activeassoc.stores.bridge import is_asyncio, wait_for
from activeassoc.stores.connect import connect

#: The variable of the environment that has the URL where it cannot stand in the code.
VARIABLE = "DATABASE_URL"


class Connection(NamedTuple):
    """What the code calls the database, the lines that open it, and whether they read the environment."""

    shown: str
    lines: list[str | Node]
    variable: bool


@contextlib.contextmanager
def opened(db_or_url: Any, asked: str) -> Iterator[Any]:
    """The database, which is closed again where it was closed before. A file that is not there is not made."""
    if isinstance(db_or_url, str):
        database: Any = connect(db_or_url)
    else:
        database = db_or_url.obj if isinstance(db_or_url, peewee.Proxy) else db_or_url
    if isinstance(database, peewee.SqliteDatabase) and database.is_closed():
        path = str(database.database)
        if not path.startswith((":memory:", "file:")) and path and not Path(path).exists():
            instead = "See that the path is right; three slashes stand before a relative one, four before an absolute one"
            raise ConnectError(asked, f"there is no file {path!r}", instead)
    was_closed = database.is_closed()
    try:
        yield database
    finally:
        if was_closed and not database.is_closed():
            database.close()
        if isinstance(db_or_url, str) and is_asyncio(database):
            wait_for(database.close_pool())
        elif isinstance(db_or_url, str) and hasattr(database, "close_all"):
            database.close_all()  # a pool would keep it


def connection_of(db_or_url: Any, database: Any) -> Connection:
    """How the code connects: by the URL, or, where that has a password or is not known, by one from the environment."""
    secret = any("pass" in str(name).lower() and value for name, value in database.connect_params.items())
    address = str(getattr(database, "address", "") or "")
    if isinstance(database, peewee.SqliteDatabase) and not secret:
        return _of_file(db_or_url if isinstance(db_or_url, str) else "", str(database.database))
    shown = address or f"the database {database.database}"
    if isinstance(db_or_url, str) and not secret:
        return Connection(_plain(shown), [Node("db = connect(", [literal(db_or_url)])], False)
    why = "Its password belongs in no file" if secret else "The options that it is opened with are not known here"
    return Connection(_plain(shown), [f"# {why}: {VARIABLE} has the whole URL.", f'db = connect(os.environ["{VARIABLE}"])'], True)


def _of_file(url: str, path: str) -> Connection:
    if not url:
        url = f"sqlite:///{path}"
        if any(letter in path for letter in "?#%"):  # which would say something else in a URL
            return Connection(_plain(path), [Node("db = connect(", ['"sqlite://"', f"database={literal(path)}"])], False)
    return Connection(_plain(url), [Node("db = connect(", [literal(url)])], False)


def _plain(text: str) -> str:
    """The text where it may stand in a docstring."""
    return text if text.isprintable() and len(text) < 80 and not set(text) & {'"', "\\"} else "a database"
