"""peewee's asyncio databases as `connect` opens them: with its defaults, its errors, and transactions that a cancelled task leaves clean.

peewee gives each task a connection of its own, out of a pool, from its first statement until it ends or leaves ``async with db:``. A task
may be cancelled at any await, so that it may be within BEGIN or COMMIT: what was sent is waited for, and what it began is rolled back.

Map: `Asynchronous` is what the three have in common; `OPENED` has the classes by scheme, made on first use, as pwasyncio needs greenlet.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import decimal
import functools
import importlib
import inspect
import re
import shlex
import uuid
from collections.abc import Coroutine, Sequence
from typing import Any

import peewee
from playhouse import pwasyncio

from activeassoc.errors import ConnectError
from activeassoc.stores.bridge import wait_for
from activeassoc.stores.connections import _LEFT_OUT, Addressed, SqliteFile

_pw: Any = pwasyncio
_as_peewee: Any = peewee.__exception_wrapper__  # type: ignore[attr-defined]


async def to_the_end(sent: Coroutine[Any, Any, Any]) -> Any:
    """What the statement gives; a task that is cancelled meanwhile is so after it: it is known then what became of the transaction."""
    task = asyncio.ensure_future(sent)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        task.exception()  # it is looked at, and the other one raised
        raise cancelled
    return task.result()


class Asynchronous(Addressed):
    """What all asyncio databases have here: an error that tells where no connection could be made, and no statement outside its block."""

    _state: Any

    async def _acquire_conn_async(self) -> Any:
        inherited: Any = super()
        # wait_for, within drivers and in peewee, loses the cancellation or the connection where both arrive at once (in Python 3.11), so
        # that it is never cancelled: a connection that nobody waits for any more goes back to the pool.
        acquiring = asyncio.ensure_future(inherited._acquire_conn_async())
        try:
            return await asyncio.shield(acquiring)
        except asyncio.CancelledError:
            self._release_later(self._unclaimed(acquiring))
            raise
        except ConnectError:
            raise
        except Exception as error:
            if self._pool is not None and str(error).startswith("Timed out acquiring"):  # type: ignore[attr-defined]
                raise  # all connections of the pool are in use
            raise self._no_connection(error) from error

    async def _unclaimed(self, acquiring: asyncio.Future[Any]) -> None:
        with contextlib.suppress(Exception):
            await self._release_conn(await acquiring)

    def _release_later(self, releasing: Coroutine[Any, Any, None]) -> None:
        """Do it in a task that ``close_pool()`` waits for."""
        pending = self._state._release_tasks
        task = asyncio.get_running_loop().create_task(releasing)
        pending.add(task)
        task.add_done_callback(pending.discard)

    async def _release_conn(self, conn: Any) -> None:
        inherited: Any = super()
        # The task has forgotten the connection by now: where the pool does not get it back, it is one short for good.
        await to_the_end(inherited._release_conn(conn))

    async def aconnect(self) -> Any:
        if self._lost and self.in_transaction():
            raise ConnectError(
                f"executing on {self.address}",
                "the connection was lost within this transaction, and the server has rolled it back",
                "Leave the block, and run it as a whole again",
                address=self.address,
            )
        inherited: Any = super()
        return await inherited.aconnect()

    def connect(self, reuse_if_open: bool = False) -> Any:
        return super().connect()  # a task has one connection, and keeps it

    def close(self) -> Any:
        # Where no task runs there is nothing to close, and peewee would miss the bridge.
        return False if self.is_closed() else super().close()

    @property
    def _lost(self) -> bool:
        conn = self._state.conn
        return conn is not None and bool(conn.stale())

    def commit(self) -> Any:
        if self.is_closed():
            return super().commit()  # which says so
        with _as_peewee:
            return wait_for(to_the_end(self._state.conn.execute("COMMIT")))

    def rollback(self) -> Any:
        # The server rolls back what a connection leaves behind; the error that led here is the one to be seen.
        if self._state.conn is None or self._lost:
            return None
        with _as_peewee:
            return wait_for(to_the_end(self._state.conn.execute("ROLLBACK")))


class AsyncSqlite(Asynchronous, _pw.AsyncSqliteDatabase):  # type: ignore[misc]
    """SQLite by aiosqlite: each connection has a thread, in which it waits for the file."""

    _pragmas: Any
    _timeout: Any
    _write_ahead, _advice = SqliteFile._write_ahead, SqliteFile._advice

    async def _add_conn_hooks(self, conn: Any) -> None:
        await super()._add_conn_hooks(conn)
        if not any(name == "journal_mode" for name, _ in self._pragmas):
            await conn._execute(self._write_ahead, conn._conn)  # in its thread, as pwasyncio registers functions

    def begin(self, lock_type: str | None = None) -> Any:
        inherited: Any = super()
        try:
            return inherited.begin(lock_type)
        except asyncio.CancelledError:
            self._let_go()
            raise

    def _let_go(self) -> None:
        """Part with a connection that still waits for its BEGIN: it goes back to the pool when that is over, and rolled back."""
        state = self._state._current()
        conn, state.conn, state.closed = state.conn, None, True
        if conn is not None:
            self._release_later(self._give_back(conn))

    async def _give_back(self, conn: Any) -> None:
        with contextlib.suppress(Exception):
            await conn.conn.rollback()
        await self._state._safe_release(conn)


class AsyncMySQL(Asynchronous, _pw.AsyncMySQLDatabase):  # type: ignore[misc]
    """MySQL and MariaDB by aiomysql, which closes the connection of a statement that was cancelled."""

    async def aexecute_sql(self, sql: str, params: Any = None) -> Any:
        try:
            return await super().aexecute_sql(sql, params)
        except peewee.OperationalError as error:
            # A NOT NULL column that was left out: an error of the data, as on the other stores.
            if error.args and getattr(error, "orig", error).args[0] == _LEFT_OUT:
                raise peewee.IntegrityError(getattr(error, "orig", error), *error.args) from error
            raise


class AsyncPostgresql(Asynchronous, _pw.AsyncPostgresqlDatabase):  # type: ignore[misc]
    """PostgreSQL by asyncpg, which has transactions of its own."""

    async def _pool_acquire(self, pool: Any) -> Any:
        conn = await super()._pool_acquire(pool)
        return Typed(conn.conn)

    def atomic(self, *arguments: Any, **options: Any) -> Any:
        return Atomic(self, *arguments, **options)

    transaction = savepoint = atomic


class Typed(_pw.AsyncPostgresqlConnection):  # type: ignore[misc]
    """A connection that tells the server the types of parameters, as psycopg does.

    Without them it guesses from the place of each, and asyncpg refuses what is not of the guessed type: 1.5 compared with an integer
    column, a number alone in a CASE.
    """

    async def _execute(self, sql: str, params: Any = None) -> Any:
        return await super()._execute(*_for_asyncpg(sql, params))

    async def execute_iter(self, sql: str, params: Any = None) -> Any:
        return await super().execute_iter(*_for_asyncpg(sql, params))


def _for_asyncpg(sql: str, params: Any) -> tuple[str, Any]:
    if not params:
        return sql, params
    # peewee's blobs come in psycopg's wrapper.
    values = [value.obj if type(value).__name__ == "Binary" else value for value in params]
    return typed(sql, values), values


def typed(sql: str, params: Sequence[Any]) -> str:
    """The statement with a cast behind each placeholder whose value says its type. Texts have none: they may be anything."""
    values = iter(params)
    return _PLACEHOLDER.sub(lambda match: match[0] if match[0] == "%%" else f"%s{_cast(next(values, None))}", sql)


_PLACEHOLDER = re.compile("%%|%s")


def _cast(value: Any) -> str:
    kind = type(value)
    if kind is int:
        return next((f"::int{size}" for size in (2, 4, 8) if -(2 ** (8 * size - 1)) <= value < 2 ** (8 * size - 1)), "::numeric")
    if kind is datetime.datetime:
        return "::timestamp" if value.tzinfo is None else "::timestamptz"
    return _CASTS.get(kind, "")


_CASTS = {
    bool: "::boolean",
    float: "::float8",
    decimal.Decimal: "::numeric",
    bytes: "::bytea",
    uuid.UUID: "::uuid",
    datetime.date: "::date",
    datetime.timedelta: "::interval",
}


class Atomic(_pw.AsyncPgAtomic):  # type: ignore[misc]
    """A transaction of asyncpg's, or a savepoint within one."""

    async def _abegin(self) -> Any:
        arguments, options = self._begin_args
        conn = await self.db.aconnect()
        begun = conn.conn.transaction(*arguments, **options)
        try:
            with _as_peewee:
                await to_the_end(begun.start())
        except asyncio.CancelledError:
            with contextlib.suppress(Exception):
                await begun.rollback()
            raise
        self._tx = begun
        return begun

    async def acommit(self, begin: bool = True) -> None:
        with _as_peewee:
            await to_the_end(self._tx.commit())
        if begin:
            await self._abegin()

    async def arollback(self, begin: bool = True) -> None:
        if not self.db._lost:
            with _as_peewee:
                await to_the_end(self._tx.rollback())
        if begin:
            await self._abegin()


def cursor_of_aiomysql() -> Any:
    """aiomysql's cursor without Python warnings for notes of the server, and the statement that fetches them: as pymysql's."""
    cursor: Any = importlib.import_module("aiomysql").Cursor

    class Cursor(cursor):  # type: ignore[misc]
        async def _show_warnings(self, conn: Any) -> None:
            pass

    return Cursor


OPENED: dict[str, Any] = {
    "sqlite+aiosqlite": AsyncSqlite,
    "postgresql+asyncpg": AsyncPostgresql,
    "postgres+asyncpg": AsyncPostgresql,
    "mysql+aiomysql": AsyncMySQL,
}


# asyncpg's options

#: What peewee and its pool take.
_PEEWEE = {"autoconnect", "thread_safe", "pool_size", "pool_min_size", "acquire_timeout", "isolation_level", "field_types", "operations"}


@functools.cache
def _of_asyncpg() -> frozenset[str]:
    asyncpg: Any = importlib.import_module("asyncpg")
    found = {*inspect.signature(asyncpg.connect).parameters, *inspect.signature(asyncpg.create_pool).parameters}
    return frozenset(found - {"loop", "connection_class", "record_class", "connect_kwargs"})


def options_of_asyncpg(given: dict[str, Any]) -> dict[str, Any]:
    """The options of a PostgreSQL URL in asyncpg's words; what neither it nor peewee knows is a setting of the server, as in its URLs."""
    options, settings = {}, dict(given.get("server_settings") or {})
    for name, value in given.items():
        if name in _RENAMED:
            options[_RENAMED[name]] = value
        elif name == "options":
            settings.update(_settings(str(value)))
        elif name in _PEEWEE or name in _of_asyncpg():
            options[name] = value
        else:
            settings[name] = str(value)
    return {**options, "server_settings": {name: str(value) for name, value in settings.items()}} if settings else options


#: libpq's words for what asyncpg calls otherwise.
_RENAMED = {"connect_timeout": "timeout", "sslmode": "ssl"}


def _settings(text: str) -> dict[str, str]:
    """The settings in libpq's ``options=-c name=value -c …``."""
    found = {}
    for word in shlex.split(text):
        name, mark, value = word.removeprefix("-c").removeprefix("--").partition("=")
        if mark:
            found[name] = value
    return found
