"""How plain functions wait for asyncio databases: the bridge of `playhouse.pwasyncio`.

peewee's asyncio databases run plain code in a greenlet. Where it executes a statement the greenlet stands still, the event loop goes on,
and the answer is handed in. One bridge serves every database: each of them gives the task a connection when it is first used.

Map: `is_asyncio` tells such a database, `unreachable` where no bridge leads to it, `run` crosses the bridge, `pause` waits a moment on
either side, `streams` tells a cursor whose rows are still to come. Nothing here imports pwasyncio before somebody has such a database.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable
from typing import Any

import peewee

from activeassoc.errors import DriverMissing

_MODULE = "playhouse.pwasyncio"


def is_asyncio(database: Any) -> bool:
    """Whether this is one of peewee's asyncio databases; a proxy answers for the one behind it."""
    module = sys.modules.get(_MODULE)
    if module is None:
        return False
    if isinstance(database, peewee.Proxy):
        database = database.obj
    return isinstance(database, module.AsyncDatabaseMixin)


def unreachable(databases: Iterable[Any]) -> bool:
    """Whether one of these is an asyncio database, and this code does not run on the bridge that leads to it."""
    return _MODULE in sys.modules and any(map(is_asyncio, databases)) and not _on_bridge()


def _on_bridge() -> bool:
    return sys.modules["greenlet"].getcurrent().parent is not None


async def run(asked: str, function: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
    """What the plain function gives, which may use asyncio databases. Raises DriverMissing without greenlet."""
    try:
        from playhouse.pwasyncio import greenlet_spawn
    except ImportError:
        raise DriverMissing(asked, "greenlet is not installed", "Install it: pip install 'activeassoc[async]'") from None
    return await greenlet_spawn(function, *arguments, **options)


def wait_for(awaitable: Any) -> Any:
    """What the awaitable gives, asked for by plain code on the bridge."""
    from playhouse.pwasyncio import await_

    return await_(awaitable)


def pause(seconds: float, databases: Iterable[Any]) -> None:
    """Wait; where one of the databases is asyncio's, without keeping other tasks from running."""
    if any(map(is_asyncio, databases)) and _on_bridge():
        import asyncio

        wait_for(asyncio.sleep(seconds))
    else:
        time.sleep(seconds)


def streams(cursor: Any) -> bool:
    """Whether the cursor is that of ``db.iterate(query)``, which fetches a portion of the rows at a time."""
    return getattr(cursor, "_fetch_many", None) is not None
