"""Carrying a plan out, on one database after the other.

Map: `run` takes each database in turn; `_carry_out` makes and runs its plan under the lock; `_execute` runs the statements, and
`_failed` says what became of the rest when one fails.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import peewee

from activeassoc.errors import AssociationError, SyncError
from activeassoc.stores.capabilities import store_of
from activeassoc.stores.ddl import Dialect, dialect_of
from activeassoc.sync.models import Meant
from activeassoc.sync.report import Report, Step, report_of
from activeassoc.sync.steps import Plan
from activeassoc.sync.wanted import refuse

MakePlan = Callable[[Dialect, Any, Any], Plan]


def run(verb: str, parts: Sequence[Meant], make: MakePlan, dry_run: bool) -> Report:
    """Plan and carry out on every database, each in a transaction of its own; all reports in one."""
    report = Report(dry_run=dry_run)
    dialects = [dialect_of(part.database) for part in parts]
    for dialect in dialects if verb == "sync" else ():
        dialect.check()
    for part, dialect in zip(parts, dialects, strict=True):

        def plan(part: Meant = part, dialect: Dialect = dialect) -> Plan:
            return make(dialect, part.models, part.brought)

        if dry_run:
            made = plan()
            report += report_of(made.steps, made.differences, dry_run=True)
            continue
        try:
            report += _carry_out(verb, dialect, plan)
        except SyncError as error:
            if report:
                error.add_note(f"In another database, before: {' '.join(report.done)}")
            raise
    return report


def _carry_out(verb: str, dialect: Dialect, plan: Callable[[], Plan]) -> Report:
    within = store_of(dialect.database).transactions and dialect.database.in_transaction()
    unchecked = False
    while True:
        with _told(verb), contextlib.ExitStack() as stack:
            if unchecked:
                stack.enter_context(dialect.unchecked())
            stack.enter_context(dialect.locked())
            made = plan()
            if made.steps and within and not dialect.transactional:
                because = "this database would commit it with the first table"
                raise refuse(f"{verb}() inside a transaction", because, f"Call {verb}() before it")
            if made.rebuilt and within:
                table = made.rebuilt[0][1]
                because = f"the table {table} has to be made again for a foreign key, and that would delete the rows that refer to it"
                raise refuse(f"{verb}(alter=True) inside a transaction", because, f"Call {verb}(alter=True) before it", table=table)
            if unchecked or not made.rebuilt:
                _execute(verb, dialect, made.steps)
                return report_of(made.steps, made.differences)
        # Foreign keys can be switched off only outside of the transaction: leave it, and look again.
        unchecked = True


def _execute(verb: str, dialect: Dialect, steps: Sequence[Step]) -> None:
    for number, step in enumerate(steps):
        for at, (sql, params) in enumerate(step.statements):
            try:
                dialect.execute(sql, params)
            except Exception as error:
                done = [] if dialect.transactional else [*steps[:number], replace(step, statements=step.statements[:at])]
                raise _failed(verb, done, step, sql, str(error)) from error
        complaint = step.verify() if step.verify else ""
        if complaint:
            raise _failed(verb, [], step, step.statements[-1][0], complaint)


def _failed(verb: str, done: Sequence[Step], step: Step, sql: str, error: str) -> SyncError:
    """The error for a statement that failed. `done` is what cannot be taken back; of its last step perhaps not all."""
    kept = report_of([each for each in done if each is not done[-1] or each.statements], ())
    stays = " ".join(kept.done).rstrip(".")
    instead = f"What was done before it stays: {stays}" if stays else "Nothing was changed"
    message = error.strip().rstrip(".")
    return SyncError(f"{verb}() of table {step.table}", f"{message}, in {sql}", instead, table=step.table, statement=sql, done=kept)


@contextlib.contextmanager
def _told(verb: str) -> Any:
    """What fails outside of the plan's statements (BEGIN, the lock, a look at the catalogue, COMMIT) is a SyncError too."""
    try:
        yield
    except AssociationError:  # a ConnectError stays one
        raise
    except peewee.PeeweeException as error:
        message = str(error).strip().rstrip(".")
        raise SyncError(f"{verb}()", message, "Nothing was changed", table=None, statement=None) from error
