"""The rounds: every operation by every contender in turn, checked against raw before it is timed.

A round starts a new process and a new database for each contender. Within it an operation goes from contender to contender
(A B C, A B C, …), so that what the machine does besides meets all of them. The first turn is compared and not timed.

Map: `Run` measures one store and keeps what it finds in `Results`.
"""

from __future__ import annotations

import contextlib
import math
import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any

from dataset import Size
from operations import OPERATIONS, Operation
from places import left, opened, places, reset
from worker import digest
from workers import Absent, Failed, Worker

Say = Callable[[str], None]


class Disagreement(Exception):
    """A contender's result is not raw's: there is nothing to time."""


class Results:
    """The times of one store: operation → contender → seconds, turn by turn; and why something is not there."""

    def __init__(self) -> None:
        self.seconds: dict[str, dict[str, list[float]]] = {}
        self.versions: dict[str, str] = {}
        self.absent: dict[str, str] = {}
        self.missing: dict[str, dict[str, str]] = {}
        self.server = ""

    def told(self) -> dict[str, Any]:
        """As it is written to JSON. A ratio is the median of the ratios to raw's time of the same turn."""
        operations: dict[str, dict[str, Any]] = {}
        for name, by_contender in self.seconds.items():
            raw = by_contender["raw"]
            for contender, seconds in by_contender.items():
                ratio = statistics.median(each / one for each, one in zip(seconds, raw, strict=False))
                operations.setdefault(name, {})[contender] = {
                    "median": statistics.median(seconds),
                    "ratio": ratio,
                    "seconds": [round(each, 7) for each in seconds],
                }
        return {
            "server": self.server,
            "versions": self.versions,
            "absent": self.absent,
            "missing": self.missing,
            "operations": operations,
        }


class Run:
    """One store, some contenders, some operations."""

    def __init__(self, store: str, size: Size, contenders: Sequence[str], operations: Sequence[str], say: Say) -> None:
        self.store, self.size, self.say = store, size, say
        self.contenders = ["raw", *(each for each in contenders if each != "raw")]
        self.operations = [OPERATIONS[name] for name in operations]
        self.results = Results()

    def rounds(self, rounds: int, turns: int, patience: float = math.inf) -> Results:
        """Measure. An operation takes its turns until they have lasted `patience` seconds, and one at least."""
        with places(self.store, self.size) as made:
            for number in range(1, rounds + 1):
                self.say(f"{self.store}: round {number} of {rounds}")
                self._round(made, turns, patience)
        return self.results

    def _round(self, made: Any, turns: int, patience: float) -> None:
        with contextlib.ExitStack() as stack:
            workers: dict[str, Worker] = {}
            besides: dict[str, Any] = {}
            for contender in self.contenders:
                if contender in self.results.absent:
                    continue
                place = made.copy(contender)
                stack.callback(made.drop, place)
                try:
                    worker = Worker(contender, place, self.size.scale)
                except Absent as absent:
                    self._leave_out(contender, str(absent))
                    continue
                workers[contender] = worker
                # Before its database goes: a transaction that is open would keep the server from removing it.
                stack.callback(lambda contender=contender: workers[contender].close())
                besides[contender] = stack.enter_context(contextlib.closing(opened(place)))
                self.results.versions[contender] = worker.versions
                self.results.missing.setdefault(contender, {}).update(worker.missing)
            self.results.server = self.results.server or server_of(self.store, besides["raw"])
            for operation in self.operations:
                self._operation(operation, workers, besides, turns, patience)

    def _leave_out(self, contender: str, why: str) -> None:
        if contender == "raw":
            raise Failed(f"raw cannot be measured: {why}")
        self.results.absent[contender] = why
        self.say(f"{contender} is left out: {why}")

    def _operation(
        self, operation: Operation, workers: dict[str, Worker], besides: dict[str, Any], turns: int, patience: float
    ) -> None:
        expected, begun = "", 0.0
        for turn in range(turns + 1):
            begun = time.monotonic() if turn == 1 else begun
            if turn > 1 and time.monotonic() - begun > patience:
                break
            for contender in list(workers):
                if operation.name in self.results.missing[contender] or (operation.only and contender not in operation.only):
                    continue
                try:
                    seconds, found = self._once(operation, workers[contender], besides[contender], compare=turn == 0)
                except Failed as failed:
                    self._failed(operation, contender, str(failed), workers)
                    continue
                if turn:
                    self.results.seconds.setdefault(operation.name, {}).setdefault(contender, []).append(seconds)
                    continue
                expected = expected or found
                if found != expected:
                    raise Disagreement(f"{operation.name} by {contender} on {self.store} does not give what raw gives")

    def _once(self, operation: Operation, worker: Worker, connection: Any, *, compare: bool) -> tuple[float, str]:
        """One run: its time, and the digest of what came of it where that is asked for."""
        changes = operation.writes is not None or operation.linked > 0
        if changes:
            reset(connection, self.store, self.size, operation.linked)
        answer = worker.ask(run=operation.name, compare=compare)
        found = (answer["digest"] or digest(left(connection, self.size, operation))) if compare else ""
        if changes:
            reset(connection, self.store, self.size, 0)
        return answer["seconds"], found

    def _failed(self, operation: Operation, contender: str, why: str, workers: dict[str, Worker]) -> None:
        if contender == "raw":
            raise Failed(f"{operation.name} by raw: {why}")
        self.say(f"{operation.name} by {contender} is left out: {why}")
        self.results.missing[contender][operation.name] = why
        self.results.seconds.get(operation.name, {}).pop(contender, None)
        workers[contender] = Worker(contender, workers[contender].place, self.size.scale)


def server_of(store: str, connection: Any) -> str:
    """The name and version of the database."""
    cursor = connection.cursor()
    if store == "sqlite":
        cursor.execute("SELECT sqlite_version()")
        return f"SQLite {cursor.fetchone()[0]}"
    cursor.execute("SHOW server_version" if store == "postgresql" else "SELECT VERSION()")
    version = str(cursor.fetchone()[0]).split()[0]
    return f"PostgreSQL {version}" if store == "postgresql" else f"MariaDB {version.partition('-')[0]}"
