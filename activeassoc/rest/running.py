"""One request: in one thread, with connections that are given back, and one transaction for each store that it needs.

Map: `run` is all of it; `answered` turns what went wrong into what the client is told.
"""

from __future__ import annotations

import contextlib
import functools
import logging
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

import anyio.from_thread
import peewee

from activeassoc.associations.stages import databases_of
from activeassoc.associations.writing import patiently
from activeassoc.registry import Model
from activeassoc.rest.problems import refusal
from activeassoc.rest.resources import Served, current_request
from activeassoc.stores import bridge
from activeassoc.stores.bridge import is_asyncio
from activeassoc.stores.capabilities import store_of
from activeassoc.stores.sql import many_statements

Answer = TypeVar("Answer")

_logger = logging.getLogger("activeassoc.rest")


def run(served: Served, request: Any, models: Iterable[Model], work: Callable[[], Answer], *, writes: bool) -> Answer:
    """What `work` gives, which is all done or not at all.

    Each store of `models` has one transaction around it, which is run again where a store gave it up because another one came first.
    Connections that this request opened are closed when it ends, whatever it opened them for. Raises Refused for whatever a client is to
    be told; anything else is nobody's fault but the program's.
    """
    carry_out = functools.partial(_run, served, request, models, work, writes)
    if any(map(is_asyncio, served.databases())):
        # In a task of its own in the event loop, which has its own connections, while this thread waits for it.
        return anyio.from_thread.run(bridge.run, f"{request.method} {request.url.path}", carry_out)  # type: ignore[no-any-return]
    return carry_out()


def _run(served: Served, request: Any, models: Iterable[Model], work: Callable[[], Answer], writes: bool) -> Answer:
    databases = databases_of(models, [])
    token = current_request.set(request)
    try:
        with _connections(served, databases):
            try:
                answer: Answer = patiently(databases, lambda: _together(databases, work, writes))
                return answer
            except Exception as error:
                # Here, as what is asked to name the fields needs the connection, and the transaction to be over.
                refused = refusal(error)
                if refused is None:
                    raise
                if refused.status >= 500:
                    _logger.error("%s %s: %s", request.method, request.url.path, error, exc_info=error)
                raise refused from error
    finally:
        current_request.reset(token)


@contextlib.contextmanager
def _connections(served: Served, databases: Iterable[Any]) -> Iterator[None]:
    """A block at whose end every connection of this thread is closed that was not open before."""
    closed = [database for database in served.databases() if database.is_closed()]
    try:
        for database in databases:
            try:
                # (peewee's asyncio databases take no arguments: a task has one connection)
                database.connect(**({} if is_asyncio(database) else {"reuse_if_open": True}))
            except Exception as error:
                refused = refusal(error)
                if refused is None:
                    raise
                _logger.error("no connection: %s", error, exc_info=error)
                raise refused from error
        yield
    finally:
        for database in closed:
            if not database.is_closed():
                with contextlib.suppress(peewee.PeeweeException):  # the server went away, and there is nothing to give back
                    database.close()


def _together(databases: Iterable[Any], work: Callable[[], Answer], writes: bool) -> Answer:
    with contextlib.ExitStack() as stack:
        for database in databases:
            stack.enter_context(many_statements(database) if writes else _reading(database))
        return work()


def _reading(database: Any) -> Any:
    """A transaction that keeps no writer waiting."""
    store = store_of(database)
    return database.atomic(*store.begin_reading) if store.transactions else contextlib.nullcontext()
