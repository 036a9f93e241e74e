"""The cost of a piece of code, asserted in statements, and its lazy loading, refused.

Map: `assert_queries` counts, `no_lazy_loading` refuses what nobody populated; below them what does not count, and how hooks come and go
while other threads execute.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import peewee

from activeassoc.errors import AssociationError
from activeassoc.lazy import lazy_policy

__all__ = ["assert_queries", "no_lazy_loading"]

Hook = Callable[[peewee.QueryEvent], None]

# What marks out a transaction or locks the owner's row is the price of safety, not of the question asked; it differs between stores.
UNCOUNTED = re.compile(
    r"\s*(?:BEGIN|START TRANSACTION|SET TRANSACTION|COMMIT|ROLLBACK|SAVEPOINT|RELEASE)\b|.*\bFOR UPDATE\s*;?\s*\Z",
    re.IGNORECASE | re.DOTALL,
)

_hooking = threading.Lock()

#: The blocks that count what is executed here. A new thread has none of them; a task has those in which it was started.
_counting: ContextVar[tuple[Hook, ...]] = ContextVar("activeassoc_counting", default=())


@contextmanager
def assert_queries(expected: int, *databases: peewee.Database) -> Iterator[list[peewee.QueryEvent]]:
    """A block that must execute exactly `expected` statements; the list it yields fills with them, as peewee's `QueryEvent`.

    Counted is what the calling thread or task, and the tasks that it starts, execute on `databases`, or, where none is given, on the
    database of every model known when the block begins. BEGIN, COMMIT, ROLLBACK, savepoints and the lock of the owner's row
    (``… FOR UPDATE``) do not count. Blocks nest; each counts for itself. Costs nothing but a list entry for each statement.

    Raises AssertionError, with the statements and their parameters, where the number differs; an error of the block itself goes through
    unchanged. Raises AssociationError where there is no database to count on, for then every number of statements would be none::

        with assert_queries(1) as events:
            project.get_tasks()
    """
    __tracebackhide__ = True
    watched = _watched(databases)
    events: list[peewee.QueryEvent] = []

    def count(event: peewee.QueryEvent) -> None:
        if count in _counting.get() and not UNCOUNTED.match(event.sql):
            events.append(event)

    _counting.set((*_counting.get(), count))
    for database in watched:
        _hook(database, count)
    try:
        yield events
    finally:
        # Not by a token: of a fixture for asyncio the two halves may run in different contexts.
        _counting.set(tuple(each for each in _counting.get() if each is not count))
        for database in watched:
            _unhook(database, count)
    if len(events) != expected:
        raise AssertionError(f"expected {_counted(expected)}, executed {len(events)}" + "".join(_lines(events)))


@contextmanager
def no_lazy_loading() -> Iterator[None]:
    """A block, a decorated test, or the body of a fixture, in which reading an association that is not loaded raises LazyLoadError.

    The error names the line and the populate to add; methods (``user.get_pets()``) ask as always. For all tests of a file::

        @pytest.fixture(autouse=True)
        def strict():
            with no_lazy_loading():
                yield
    """
    with lazy_policy("raise"):
        yield


def _watched(databases: Iterable[peewee.Database]) -> list[Any]:
    """The databases themselves, each once: a hook list cannot be replaced through peewee's DatabaseProxy."""
    from activeassoc.registry import known_databases  # here, as programs that name their databases need no model

    found = {id(real): real for real in (getattr(each, "obj", each) for each in list(databases) or known_databases()) if real is not None}
    if not found:
        raise AssociationError(
            "assert_queries()",
            "there is no model with a database yet, so that nothing could be counted",
            "Define the models first, or give the database: assert_queries(1, db)",
        )
    return list(found.values())


def _hook(database: Any, hook: Hook) -> None:
    # A new list, as peewee walks the list while another thread executes: taking an entry out of it would skip the next hook.
    with _hooking:
        database.query_hooks = [*database.query_hooks, hook]


def _unhook(database: Any, hook: Hook) -> None:
    with _hooking:
        database.query_hooks = [each for each in database.query_hooks if each is not hook]


def _counted(number: int) -> str:
    return f"{number} statement" if number == 1 else f"{number} statements"


def _lines(events: Iterable[peewee.QueryEvent]) -> Iterator[str]:
    for position, event in enumerate(events, 1):
        yield f"\n  {position}. {event.sql}" + (f"  -- {list(event.params)!r}" if event.params else "")
