"""Databases of peewee's asyncio extension for tests, and the loop that a test runs in."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from types import SimpleNamespace
from typing import Any

import pytest
from accessing import tracker
from conftest import base_on

from activeassoc import connect, sync

#: The driver of each kind, by which its URL is told from that of the plain one.
DRIVERS = {"sqlite": "aiosqlite", "postgresql": "asyncpg", "mariadb": "aiomysql"}


def asyncio_url(store: Any) -> str:
    """The URL of a new, empty database for the asyncio driver; skips the test where that is not installed."""
    for name in ("greenlet", DRIVERS[store.name]):
        pytest.importorskip(name)
    scheme, mark, rest = store.url().partition("://")
    return f"{scheme}+{DRIVERS[store.name]}{mark}{rest.replace('?ssl_disabled=true', '')}"  # (aiomysql asks for TLS where it is wanted)


def run(db: Any, main: Callable[[], Coroutine[Any, Any, Any]], *others: Any) -> Any:
    """What the coroutine function gives, in a loop of its own; the pools are closed after it."""

    async def whole() -> Any:
        try:
            return await main()
        finally:
            for each in (db, *others):
                await each.close_pool()

    return asyncio.run(whole())


def world(db: Any, **has_tasks: Any) -> Any:
    """The models of `accessing.tracker` on this database, without tables yet; ``await made()`` makes them."""
    t = tracker(SimpleNamespace(Base=base_on(db, __name__), db=db, on=lambda: None), synced=False, **has_tasks)

    async def made() -> Any:
        await db.run(sync, db)
        return t

    t.made = made
    return t


def opened(store: Any, **options: Any) -> Any:
    """A new, empty asyncio database."""
    return connect(asyncio_url(store), **{"pool_size": 3, **options})


@contextlib.contextmanager
def statements(db: Any) -> Any:
    """What the block executes on the database, without BEGIN and its like."""
    from activeassoc.testing.counting import UNCOUNTED

    found: list[str] = []

    def note(event: Any) -> None:
        if not UNCOUNTED.match(event.sql):
            found.append(event.sql)

    db.query_hooks.append(note)
    try:
        yield found
    finally:
        db.query_hooks.remove(note)
