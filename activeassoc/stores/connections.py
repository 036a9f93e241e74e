"""What a connection that `connect` opens can do beyond peewee's: tell where it failed, log ahead, and come back.

Map: `Addressed` words the error of a failed attempt; `SqliteFile` switches SQLite to write-ahead logging; `in_one_connection` tells what
other threads do not see; `Direct` executes sooner there; `Serving` gives up a connection that its server has closed, with what
PostgreSQL, MySQL and the pools need for it.
"""

from __future__ import annotations

import contextlib
import logging
import os
import time
from typing import Any

import peewee

from activeassoc.errors import ConnectError

_logger = logging.getLogger("peewee")


class Addressed(peewee.Database):
    """Tells, when no connection can be made, where to and what to do."""

    address: str = ""

    def _connect(self) -> Any:
        from playhouse.pool import MaxConnectionsExceeded

        try:
            return self._open()
        except (ConnectError, MaxConnectionsExceeded):
            raise  # the pool waits for the latter
        except Exception as error:
            raise self._no_connection(error) from error

    def _open(self) -> Any:
        return super()._connect()  # type: ignore[misc]

    def _no_connection(self, error: Exception) -> ConnectError:
        text = str(error.args[-1] if error.args else error).strip().partition("\n")[0].rstrip(". ")
        asked, because = f"connecting to {self.address}", text or type(error).__name__
        password = str(self.connect_params.get("password") or "")
        if password:
            asked, because = (part.replace(password, "***") for part in (asked, because))
        return ConnectError(asked, because, self._advice(), address=self.address)

    def _advice(self) -> str:
        return "See that the server runs there, and that host, port, user, password, database and options are right"


class SqliteFile(Addressed):
    """SQLite with write-ahead logging, so that readers do not wait for the writer."""

    _pragmas: Any
    _timeout: Any

    def _add_conn_hooks(self, conn: Any) -> None:
        super()._add_conn_hooks(conn)  # type: ignore[misc]
        if not any(name == "journal_mode" for name, _ in self._pragmas):
            self._write_ahead(conn)

    def _write_ahead(self, conn: Any) -> None:
        """Switch the file to write-ahead logging where it is not on.

        SQLite does not wait for the lock that the switch needs: while another process does the same, or writes, it says "locked" at
        once, whatever the timeout. So it is tried again for as long as a statement would wait. Without it the file works as before,
        only slower: what cannot be switched (in use for too long, read-only, in memory) is left as it is.
        """
        deadline = time.monotonic() + float(self._timeout)
        while True:
            try:
                # Reading locks too, so it is within the same attempt.
                mode = conn.execute("PRAGMA journal_mode").fetchone()[0]
                if mode not in ("wal", "memory"):
                    conn.execute("PRAGMA journal_mode = wal").fetchone()
                return
            except Exception as error:
                code = getattr(error, "sqlite_errorcode", 0) & 0xFF
                if code not in (_BUSY, _LOCKED, _READONLY):
                    raise
                if code == _READONLY or time.monotonic() >= deadline:
                    return
                time.sleep(0.01)

    def _advice(self) -> str:
        folder = os.path.dirname(os.path.abspath(str(self.database)))
        if not os.path.isdir(folder):
            return f"Make the directory {folder!r} first"
        return "See that the path is that of an SQLite database, that it may be read and written, and that the options are right"


def in_one_connection(database: Any) -> bool:
    """Whether the data is in the connection that made it, where no other thread sees it: SQLite's in memory."""
    database = getattr(database, "obj", database)
    return isinstance(database, peewee.SqliteDatabase) and database.database in ("", ":memory:")


_theirs: Any = peewee.Database
_EXECUTE_SQL, _EXECUTE_CURSOR = _theirs.execute_sql, _theirs._execute_cursor
#: What peewee's `execute_sql` goes through.
_WAY = ("_execute_cursor", "_log_query", "_notify_hooks")


class Direct(peewee.Database):
    """SQLite by the standard library's driver, which executes without a cursor being made first.

    A statement of SQLite may take a microsecond, and peewee's way to it takes as long again. What peewee does on this way is done
    here too, where there is any of it to do: opening the connection, logging, hooks.
    """

    _state: Any
    #: Whether a class derived from this one leaves the rest of the way as it is.
    _as_peewee = True

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        cls._as_peewee = cls.cursor is _theirs.cursor and all(getattr(cls, name) is getattr(_theirs, name) for name in _WAY)

    def execute_sql(self, sql: Any, params: Any = None) -> Any:
        state = self._state
        untouched = self._as_peewee and _theirs.execute_sql is _EXECUTE_SQL and _theirs._execute_cursor is _EXECUTE_CURSOR
        if not untouched or state.closed or self.query_hooks or _logger.isEnabledFor(logging.DEBUG):
            return super().execute_sql(sql, params)  # type: ignore[no-untyped-call]
        try:
            return state.conn.execute(sql, params or ())
        except Exception:
            with peewee.__exception_wrapper__:  # type: ignore[attr-defined]
                raise

    @classmethod
    def suits(cls, base: Any) -> bool:
        """Whether this is what the database class `base` would do, too."""
        untouched = all(getattr(base, name) is getattr(_theirs, name) for name in ("execute_sql", *_WAY))
        sqlite: Any = peewee.SqliteDatabase
        return untouched and base.cursor is _theirs.cursor and base._connect is sqlite._connect


_BUSY, _LOCKED, _READONLY = 5, 6, 8  # SQLite's result codes


class Serving(Addressed):
    """A server's database, which connects again after the server closed its connection.

    peewee keeps a dead connection for ever. Here the error that shows its death marks it. Outside a transaction it is given up at
    once, and the next statement connects. Inside, everything raises until the block is left: the server has rolled back what was
    done, and a statement on a new connection would stand outside the transaction that its author wrote around it.
    """

    _state: Any

    def _execute_cursor(self, sql: str, params: Any, **cursor_options: Any) -> Any:
        try:
            return super()._execute_cursor(sql, params, **cursor_options)  # type: ignore[misc]
        except Exception as error:
            self._notice(error)
            raise

    def cursor(self, *args: Any, **kwargs: Any) -> Any:
        if self._lost:
            if self.in_transaction():
                raise self._lost_in_transaction()
            self._give_up()
        if self._state.closed and any(not isinstance(each, _MANUAL) for each in self._state.transactions):
            raise self._lost_in_transaction()
        return super().cursor(*args, **kwargs)  # type: ignore[no-untyped-call]

    def connect(self, reuse_if_open: bool = False) -> Any:
        # peewee forgets the blocks that are open around a new connection, and stumbles when they are left.
        held = self._state.ctx, self._state.transactions
        try:
            connected = super().connect(reuse_if_open)
            self._state.given_up = False
            return connected
        finally:
            self._state.ctx, self._state.transactions = held

    def begin(self, *args: Any, **kwargs: Any) -> Any:
        if self._state.closed and self.autoconnect:
            self.connect()
        try:
            return super().begin(*args, **kwargs)
        except Exception as error:
            if not self._notice(error) or self.in_transaction() or not self.autoconnect:
                raise
        self.connect()
        return super().begin(*args, **kwargs)

    def commit(self) -> Any:
        if self._lost:  # not through cursor(): on a new connection there would be nothing to commit, and it would look done
            raise self._lost_in_transaction()
        return super().commit()

    def rollback(self) -> Any:
        # The server rolls back what a connection leaves behind; the error that led here is the one to be seen.
        if not self._lost and not getattr(self._state, "given_up", False):
            try:
                return super().rollback()
            except Exception as error:
                if not self._mark(error):
                    raise
        if self._lost:
            self._give_up()
        return None

    def savepoint(self) -> Any:
        return _Savepoint(self)

    @property
    def _lost(self) -> bool:
        return self._state.conn is not None and getattr(self._state, "lost", None) is self._state.conn

    def _mark(self, error: Exception) -> bool:
        """Whether the connection is dead; it is marked then."""
        conn = self._state.conn
        if conn is not None and not self._lost and self._is_dead(conn, error):
            self._state.lost = conn
        return self._lost

    def _notice(self, error: Exception) -> bool:
        dead = self._mark(error)
        if dead and not self.in_transaction():
            self._give_up()
        return dead

    def _give_up(self) -> None:
        """Forget the dead connection; the blocks around it stay."""
        conn, held = self._state.conn, (self._state.ctx, self._state.transactions)
        with contextlib.suppress(Exception):  # it is dead, and drivers differ in what they say to closing it
            self._close_for_good(conn)
        self._state.reset()
        self._state.ctx, self._state.transactions = held
        self._state.lost, self._state.given_up = None, True

    def _close_for_good(self, conn: Any) -> None:
        conn.close()

    def _is_dead(self, conn: Any, error: Exception) -> bool:
        raise NotImplementedError

    def _lost_in_transaction(self) -> ConnectError:
        return ConnectError(
            f"executing on {self.address}",
            "the connection was lost within this transaction, and the server has rolled it back",
            "Leave the block, and run it as a whole again",
            address=self.address,
        )


class _Savepoint(peewee._savepoint):
    """A savepoint that lets the error through which killed its connection, where peewee's hides it behind that of ROLLBACK TO."""

    def rollback(self, begin: bool = True) -> None:
        if not self.db._lost:
            super().rollback(begin)


_MANUAL: Any = peewee._manual


class ServingPostgresql(Serving):
    def _is_dead(self, conn: Any, error: Exception) -> bool:
        return bool(conn.closed)


class ServingMySQL(Serving):
    def _execute_cursor(self, sql: str, params: Any, **cursor_options: Any) -> Any:
        try:
            return super()._execute_cursor(sql, params, **cursor_options)
        except peewee.OperationalError as error:
            # A NOT NULL column that was left out: an error of the data, as on the other stores, which pymysql calls operational.
            if error.args and error.args[0] == _LEFT_OUT:
                raise peewee.IntegrityError(getattr(error, "orig", error), *error.args) from error
            raise

    def _is_dead(self, conn: Any, error: Exception) -> bool:
        # pymysql closes what it finds dead. MySQLdb does not, and neither does when the server said goodbye in an error packet.
        told = getattr(error, "orig", error).args
        return not getattr(conn, "open", True) or (bool(told) and told[0] in _GONE)

    def _open(self) -> Any:
        # pymysql's connect_timeout ends when the socket is open: one that takes connections and never answers would hang for ever.
        driver: Any = peewee.mysql  # type: ignore[attr-defined]
        if driver.__name__ != "pymysql" or "read_timeout" in self.connect_params:
            return super()._open()
        self.connect_params["read_timeout"] = self.connect_params["connect_timeout"]
        try:
            conn = super()._open()
        finally:
            del self.connect_params["read_timeout"]
        conn._read_timeout = None
        return conn


#: "Field … doesn't have a default value".
_LEFT_OUT = 1364

#: Server gone, lost during query, lost with a system error; by error packet: shutdown in progress, killed, idle for too long.
_GONE = frozenset({2006, 2013, 2055, 1053, 1927, 4031})


class Pooling(Serving):
    """With a pool, which the dead connection leaves. (The pool itself looks whether idle ones are alive before it gives them out.)"""

    def _close_for_good(self, conn: Any) -> None:
        self._close(conn, close_conn=True)  # type: ignore[attr-defined]
