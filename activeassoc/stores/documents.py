"""`PlanDatabase`: a peewee database that carries plans out instead of SQL. MongoDB and Redis are made from it, and so would be a third.

peewee hands a query to ``database.execute``; there it is read into a plan (`reading`), the store runs the plan, and what it answers is
given back as a DB-API cursor, which is all that peewee's models need. A statement that defines a table arrives as the nodes that peewee
would have written SQL from, so that ``Model.create_table()`` and ``db.create_tables([...])`` work as well.

What a store has to write: `_connect`, `run` and `_translate`; `get_tables`, `get_indexes`, and `_create_table`, `_drop_table`,
`_truncate_table`, `_create_index`, `_drop_index`; where it has transactions also `_begin`, `_commit`, `_rollback`.

Map: `Answer` and `Cursor` carry rows; `Connection` is what a thread holds; `PlanDatabase` executes (first part), keeps transactions
(second) and makes tables (third). `Nested` is an atomic block within another.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import Any, NamedTuple

import peewee

from activeassoc.errors import NoTransactionWarning, PartialWriteError, TransactionAborted, UnsupportedQuery
from activeassoc.lazy import call_site
from activeassoc.stores.capabilities import DOCUMENTS, Store
from activeassoc.stores.definitions import Definition, JSONMethods, refuse_collations, refuse_text
from activeassoc.stores.plan import Plan, Read
from activeassoc.stores.reading import plan_of

__all__ = ["Answer", "Connection", "Cursor", "PlanDatabase"]


_COMPUTE = "Compare the column with a range of values, or compute in Python what the rows have"
_ASK = "Ask the model: Model._meta.columns and Model._meta.get_primary_keys()"


class Answer(NamedTuple):
    """What a store answers: rows, which may come lazily, and how many rows a write has touched (-1 for a Read).

    For a Read a row is a tuple of `plan.columns`, or of one number for `count` and `exists`; for an Insert a tuple of `plan.returning`
    for each row inserted. Values are in their form (`forms`).
    """

    rows: Iterable[tuple[Any, ...]] = ()
    touched: int = -1


class Cursor:
    """The rows of an answer, as a DB-API cursor gives them. A lazy one that fails in the middle raises peewee's errors too."""

    lastrowid = None

    def __init__(self, names: Iterable[str], rows: Iterator[tuple[Any, ...]], rowcount: int = -1) -> None:
        self.description = [(name, None, None, None, None, None, None) for name in names]
        self.rowcount = rowcount
        self._rows = rows

    def fetchone(self) -> tuple[Any, ...] | None:
        return next(self._rows, None)

    def fetchmany(self, size: int = 1) -> list[tuple[Any, ...]]:
        return [row for _, row in zip(range(size), self._rows, strict=False)]

    def fetchall(self) -> list[tuple[Any, ...]]:
        return list(self._rows)

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        return self._rows

    def close(self) -> None:
        close = getattr(self._rows, "close", None)
        if close is not None:
            close()
        self._rows = iter(())


class Connection:
    """What one thread holds of the store: whether the block it is in can still be committed, and what was written in it."""

    def __init__(self) -> None:
        self.process = os.getpid()
        #: How many statements have written something since the outermost block began.
        self.writes = 0
        #: Why the transaction cannot go on, "" while it can.
        self.aborted = ""

    def close(self) -> None:
        """Give back what only this thread had."""


class PlanDatabase(peewee.Database):
    """A database that carries out plans. Everything of peewee's Database works on it, but for SQL text. (J2, J6, J7, J8)"""

    context_class = Definition
    json_methods = JSONMethods
    returning_clause = True
    param = "?"
    #: What the store can do; everyone asks here instead of for its name.
    capabilities: Store = DOCUMENTS
    #: What messages call the place, without a password.
    address: str = ""

    _state: Any
    _lock: Any

    # What a store writes

    @property
    def transactions(self) -> bool:
        """Whether ``atomic()`` is a transaction: all of it happens, or nothing. Else each statement is atomic by itself."""
        return False

    def run(self, plan: Plan) -> Answer:
        """Carry the plan out."""
        raise AssertionError("a store has its own")

    def _translate(self, error: Exception) -> Exception | None:
        """The error to raise for one of the driver's, None for any other."""
        return None

    def _begin(self, connection: Any) -> None: ...

    def _commit(self, connection: Any) -> None: ...

    def _rollback(self, connection: Any) -> None: ...

    # Executing

    def execute(self, query: Any, **context_options: Any) -> Any:
        """A cursor over what the query finds, or of what it did. One event for the query hooks: ``SELECT item``, with the plan. (J8)"""
        if isinstance(query, Definition):
            return query.carry_out(self)
        if isinstance(query, peewee.NoopModelSelect):
            return Cursor((), iter(()))
        plan = plan_of(query, self)
        statement = f"{plan.verb} {plan.model._meta.table_name}"
        if isinstance(plan, Read):
            return self._observed(statement, (plan,), lambda: self._read(plan))
        return self._observed(statement, (plan,), lambda: self._write(plan))

    def execute_sql(self, sql: Any, params: Any = None) -> Any:
        """Raises UnsupportedQuery: there is no SQL here."""
        refuse_text(sql, self)

    def _observed(self, statement: str, params: tuple[Any, ...], carry_out: Callable[[], Any]) -> Any:
        """Do it, and tell the log and the query hooks of it, as peewee does of a statement."""
        self._log_query(statement, params)  # type: ignore[attr-defined]
        start = time.perf_counter() if self.query_hooks else None
        try:
            with self.translating():
                self.usable_connection()
                done = carry_out()
        except Exception as error:
            if start is not None:
                self._notify_hooks(statement, params, start, error)  # type: ignore[attr-defined]
            raise
        if start is not None:
            self._notify_hooks(statement, params, start, None)  # type: ignore[attr-defined]
        return done

    def _read(self, plan: Read) -> Cursor:
        rows = iter(self.run(plan).rows)
        # The first row now: what goes wrong is to be raised here, and its time to be counted.
        first = list(_taken(rows, 1))
        names = ["count"] if plan.count else ["exists"] if plan.exists else [each.name for each in plan.columns]
        return Cursor(names, self._guarded(chain(first, rows)) if first else iter(()))

    def _write(self, plan: Any) -> Cursor:
        try:
            answer = self.run(plan)
        except PartialWriteError:
            self._state.conn.writes += 1
            raise
        if answer.touched > 0:
            self._state.conn.writes += 1
        names = [each.name for each in getattr(plan, "returning", ())]
        return Cursor(names, iter(list(answer.rows)), answer.touched)

    def _guarded(self, rows: Iterator[tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
        try:
            yield from rows
        except Exception as error:
            found = self._translate(error)
            if found is None:
                raise
            raise found from error

    @contextlib.contextmanager
    def translating(self) -> Iterator[None]:
        """A block in which the driver's errors are raised as peewee's."""
        try:
            yield
        except Exception as error:
            found = self._translate(error)
            if found is None:
                raise
            raise found from error

    def usable_connection(self) -> Any:
        """This thread's connection, opened where it is not; never one that the process was forked with. (J8)"""
        state = self._state
        forked = not state.closed and state.conn.process != os.getpid()
        if state.closed or forked:
            if not self.autoconnect:
                raise peewee.InterfaceError("Error, database connection not opened.")
            held = state.ctx, state.transactions
            state.closed = True
            if forked:
                self._lock = threading.Lock()  # another thread of the parent may have held the old one
            self.connect()
            state.ctx, state.transactions = held
            if forked and state.transactions:
                state.conn.aborted = "the process was forked within it"
        if state.conn.aborted and state.transactions:
            raise self._is_aborted()
        return state.conn

    def cursor(self, named_cursor: Any = None) -> Any:
        """Raises UnsupportedQuery: a cursor takes SQL."""
        refuse_text("cursor()", self)

    def connection(self) -> Any:
        return self.usable_connection()

    def get_binary_type(self) -> type:
        return bytes

    # Transactions

    def begin(self) -> None:
        with self.translating():
            connection = self.usable_connection()
            connection.writes, connection.aborted = 0, ""
            if self.transactions:
                self._begin(connection)

    def commit(self) -> None:
        connection = self._opened("commit")
        if connection.aborted:
            raise self._is_aborted()
        with self.translating():
            if self.transactions:
                self._commit(connection)

    def rollback(self) -> None:
        connection = self._opened("rollback")
        if self.transactions:
            connection.aborted = ""
            with self.translating():
                self._rollback(connection)
            return
        writes, connection.writes = connection.writes, 0
        if writes:
            self.warn_of_writes(writes)

    def savepoint(self) -> Any:
        """A block within another. It cannot be undone alone: leaving it by an error after it has written aborts the transaction. (J7)"""
        return Nested(self)

    def _opened(self, what: str) -> Any:
        if self.is_closed():
            raise peewee.InterfaceError(f"Cannot {what}, database connection not open.")
        return self._state.conn

    def warn_of_writes(self, writes: int) -> None:
        warning = NoTransactionWarning(
            f"leaving atomic() on {self.address or self.database} by an error",
            f"there are no transactions here, and {writes} {'statement that has' if writes == 1 else 'statements that have'} "
            "written already cannot be undone",
            "See what was written, and put last in such a block what may fail",
            writes=writes,
        )
        call_site().warn(warning)

    def _is_aborted(self) -> TransactionAborted:
        return TransactionAborted(
            f"executing on {self.address or self.database}",
            f"the transaction was aborted: {self._state.conn.aborted}",
            "Leave the outermost block by an error, and run it as a whole again",
        )

    # Tables

    def create_table(self, model: type[peewee.Model], safe: bool = True) -> None:
        """Make the model's table, without its indexes. Where it is there: nothing, or with ``safe=False`` an error."""
        refuse_collations(model, self)
        self._defining("CREATE TABLE", model, lambda: self._create_table(model, safe))

    def drop_table(self, model: type[peewee.Model], safe: bool = True) -> None:
        """Remove the model's table with its rows and indexes. Where there is none: nothing, or with ``safe=False`` an error."""
        self._defining("DROP TABLE", model, lambda: self._drop_table(model, safe))

    def empty_table(self, model: type[peewee.Model]) -> None:
        """Remove every row of the model's table."""
        self._defining("TRUNCATE TABLE", model, lambda: self._truncate_table(model))

    def create_indexes(self, model: type[peewee.Model], safe: bool = True) -> None:
        """Make every index that the model declares; one that is there in another definition is made anew."""
        for index in model._meta.fields_to_index():
            self.create_index(model, index, safe)

    def create_index(self, model: type[peewee.Model], index: Any, safe: bool = True) -> None:
        """Make one index, a ModelIndex; on rows that are there already, too."""
        self._defining("CREATE INDEX", model, lambda: self._create_index(model, index, safe))

    def drop_index(self, model: type[peewee.Model], name: str, safe: bool = True) -> None:
        """Remove an index by its name."""
        self._defining("DROP INDEX", model, lambda: self._drop_index(model, name, safe))

    def _defining(self, verb: str, model: type[peewee.Model], carry_out: Callable[[], None]) -> None:
        self._observed(f"{verb} {model._meta.table_name}", (), carry_out)

    def _create_table(self, model: type[peewee.Model], safe: bool) -> None: ...

    def _drop_table(self, model: type[peewee.Model], safe: bool) -> None: ...

    def _truncate_table(self, model: type[peewee.Model]) -> None: ...

    def _create_index(self, model: type[peewee.Model], index: Any, safe: bool) -> None: ...

    def _drop_index(self, model: type[peewee.Model], name: str, safe: bool) -> None: ...

    def get_foreign_keys(self, table: str, schema: str | None = None) -> list[Any]:
        return []

    def get_views(self, schema: str | None = None) -> list[Any]:
        return []

    def get_columns(self, table: str, schema: str | None = None) -> Any:
        raise self._unknown("get_columns()", "rows here have no columns but those that they hold", _ASK)

    def get_primary_keys(self, table: str, schema: str | None = None) -> Any:
        raise self._unknown("get_primary_keys()", "which key is primary stands in the model, and not in the store", _ASK)

    def sequence_exists(self, seq: str, schema: str | None = None) -> bool:
        return False

    # Parts of queries that peewee asks the database for

    def conflict_statement(self, on_conflict: Any, query: Any) -> Any:
        return None  # only str(query) comes here

    def conflict_update(self, on_conflict: Any, query: Any) -> Any:
        return None

    def extract_date(self, date_part: Any, date_field: Any) -> Any:
        raise self._unknown(f"the {date_part} of {date_field.name}", "stores without SQL have no functions")

    def truncate_date(self, date_part: Any, date_field: Any) -> Any:
        raise self._unknown(f"{date_field.name} cut to the {date_part}", "stores without SQL have no functions")

    def to_timestamp(self, date_field: Any) -> Any:
        raise self._unknown("to_timestamp()", "stores without SQL have no functions")

    def from_timestamp(self, date_field: Any) -> Any:
        raise self._unknown("from_timestamp()", "stores without SQL have no functions")

    def random(self) -> Any:
        raise self._unknown("random()", "stores without SQL have no functions")

    def _unknown(self, construct: str, because: str, instead: str = _COMPUTE) -> UnsupportedQuery:
        return UnsupportedQuery(f"{construct} on {self.address or self.database}", because, instead, construct=construct)


class Nested(peewee._callable_context_manager):
    """An atomic block within another, on a store without savepoints."""

    def __init__(self, db: PlanDatabase) -> None:
        self.db = db
        self._writes = 0

    def _build_ctx(self) -> Nested:
        return type(self)(self.db)

    def __enter__(self) -> Nested:
        self._writes = self.db.usable_connection().writes
        return self

    def __exit__(self, kind: Any, error: Any, traceback: Any) -> None:
        if kind is not None:
            self.rollback(False)

    def commit(self, begin: bool = True) -> None:
        """What the block wrote belongs to the block around it."""
        self._writes = self.db._state.conn.writes

    def rollback(self, begin: bool = True) -> None:
        connection = self.db._state.conn
        written = connection.writes - self._writes
        if written <= 0 or connection.aborted:
            return  # there is nothing to undo
        if self.db.transactions:
            connection.aborted = "a block within it had written and was left by an error, and it cannot be undone alone"
            return
        connection.writes = self._writes  # told here, and not by the block around it again
        self.db.warn_of_writes(written)


def _taken(rows: Iterator[Any], number: int) -> Iterator[Any]:
    for _, row in zip(range(number), rows, strict=False):
        yield row
