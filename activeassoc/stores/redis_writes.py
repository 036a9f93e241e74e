"""Writing to a table in Redis: rows that are inserted, changed and deleted as plans say.

Map: `insert`; `change` and `remove`, which write only where what they read is still so, and look again where it is not (`_Writing`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Any

from activeassoc.errors import PartialWriteError
from activeassoc.stores.documents import Answer
from activeassoc.stores.evaluate import matcher, reader
from activeassoc.stores.plan import Change, Column, Condition, Insert, Literal, Remove, columns_of
from activeassoc.stores.redis_plans import by_one_column, decoded
from activeassoc.stores.redis_table import ATOMIC, BATCH, Found, Table
from activeassoc.stores.writes import settled

__all__ = ["change", "insert", "remove"]

#: What one script is told at most; the server refuses a command of a gigabyte.
BYTES = 64 * 2**20
#: A statement of more than ATOMIC records, or BYTES, is not one step anyway: portions that other clients hardly notice.
PORTION = 2_000
#: How often a statement looks again all at once, before it writes those of its records that nobody has changed meanwhile.
ROUNDS = 10

# Inserting


def insert(table: Table, plan: Insert) -> Answer:
    """Insert the rows; all of them or none. More than one script takes are taken back where a later one fails."""
    columns = list(dict.fromkeys(column for row in plan.rows for column in row))
    told = [table.layout.encoded(columns, row) for row in plan.rows]
    clashing, ids = plan.on_conflict or "error", list[bytes]()
    for some in _portions(told):
        try:
            ids += table.insert(columns, told[some], plan.rows[some], clashing)
        except Exception as error:
            if clashing == "error" and ids:
                _take_back(table, ids, error)
            raise
    return Answer(_returned(table, plan, ids), sum(map(bool, ids)))


def _portions(told: Sequence[Sequence[bytes]]) -> Iterator[slice]:
    """What scripts are told of records, in as much as one of them takes: all of it, or else portions."""
    sizes = [sum(map(len, each)) for each in told]
    if len(told) <= ATOMIC and sum(sizes) <= BYTES:
        yield slice(0, len(told))
        return
    start = taken = 0
    for place, size in enumerate(sizes):
        if place > start and (place - start == PORTION or taken + size > BYTES):
            yield slice(start, place)
            start, taken = place, 0
        taken += size
    yield slice(start, len(told))


def _take_back(table: Table, ids: Sequence[bytes], error: Exception) -> None:
    try:
        for start in range(0, len(ids), PORTION):
            table.change("delete", (), (), None, [(id, b"") for id in ids[start : start + PORTION]])
    except Exception:
        error.add_note(f"The first {len(ids)} rows were inserted before it, and could not all be taken back.")


def _returned(table: Table, plan: Insert, ids: Sequence[bytes]) -> list[tuple[Any, ...]]:
    layout = table.layout
    rows = []
    for row, id in zip(plan.rows, ids, strict=True):
        if not id:
            continue
        made = dict(zip(layout.key, layout.key_values(id), strict=True)) if layout.key else {}
        rows.append(tuple(made[column.name] if column.name in made else row.get(column.name) for column in plan.returning))
    return rows


# Changing


def remove(table: Table, plan: Remove) -> Answer:
    """Delete the records for which the condition holds."""
    return Answer((), _Writing(table, plan.where, ()).run())


def change(table: Table, plan: Change) -> Answer:
    """Give the records for which the condition holds their new values."""
    return Answer((), _Writing(table, plan.where, plan.assignments).run())


class _Writing:
    """One update or delete: reads the records, says what becomes of each, and writes while they are as they were read."""

    def __init__(self, table: Table, where: Condition, assignments: Sequence[tuple[Column, Any]]) -> None:
        self.table, self.where = table, where
        self.layout = table.layout
        self.action = "update" if assignments else "delete"
        self.assigned = [column.name for column, _ in assignments]
        computed = [operand for _, operand in assignments if not isinstance(operand, Literal)]
        used = chain(columns_of(where), *map(columns_of, computed))
        # A primary key does not change, so that it needs no guard.
        self.read = list(dict.fromkeys(column.name for column in used))
        self.guarded = [place for place, column in enumerate(self.read) if column not in self.layout.key]
        self.shared: list[bytes] | None = None
        self.given: dict[str, Any] | None = None
        if not computed:
            self.given = {column.name: operand.value for column, operand in assignments}
            self.shared = self.layout.encoded(self.assigned, self.given)
        places = {column: place for place, column in enumerate(self.read, 1)}
        self._decoders = [self.layout.codecs[column].decode for column in self.read]
        self._holds = matcher(where, places)
        self._setters = [(column, reader(operand, places), settled(column)) for column, operand in assignments]

    def run(self) -> int:
        told = self._by_key()
        if told is None:
            # A record that another writer moves within an index while it is walked may be met twice.
            told = list({each[0]: each for each in self._told(self.table.find(self.where, self.read))}.values())
        written, portions = 0, list(_portions(told))
        if len(portions) > 1 and self.assigned:
            self._look_for_clashes(told)
        for some in portions:
            try:
                written += self._write(told[some])
            except Exception as error:
                if not written:
                    raise
                raise self._partly(written, len(told), error) from error
        return written

    def _look_for_clashes(self, told: Sequence[Sequence[Any]]) -> None:
        """Before the first of several portions is written: whether a later one could not be, as a unique value is another record's.

        Also where that record is one of the statement's and gets another value itself: until then it has this one.
        """
        for index in self.layout.indexes:
            column = index.columns[0]
            if not index.single or len(index.columns) > 1 or column not in self.assigned:
                continue  # of several columns the others would have to be read
            wanted: dict[bytes, bytes] = {}
            place = self.assigned.index(column)
            clash = next((value for value, id in self._new_values(told, place) if wanted.setdefault(value, id) != id), None)
            if clash is None:
                holders = self.table.holders(index.name, list(wanted))
                clash = next((value for (value, id), holder in zip(wanted.items(), holders, strict=True) if holder not in (None, id)), None)
            if clash is not None:
                raise self.table.duplicate("update", [column], [self.layout.codecs[column].decode(clash)])

    def _new_values(self, told: Sequence[Sequence[Any]], place: int) -> Iterator[tuple[bytes, bytes]]:
        """The new value of one of the assigned columns, and the id, for each record that gets one that is not NULL."""
        for each in told:
            mask, *values = self.shared if self.shared is not None else each[2 + each[1].count(b"1") :]
            if mask[place : place + 1] == b"1":
                yield values[mask[:place].count(b"1")], each[0]

    def _partly(self, written: int, number: int, error: Exception) -> PartialWriteError:
        """The error for a statement of several portions of which the later ones were not written."""
        name = self.layout.model.__name__
        return PartialWriteError(
            f"{self.action} of {number} rows of {name}",
            f"one step writes {ATOMIC} at most, {written} were written before it failed ({str(error).rstrip('.')})",
            "See which rows those are before it is run again; portions of your own, by where(), are a step each",
            written=[f"{self.action} of {written} rows of {name}"],
        )

    def _by_key(self) -> list[list[Any]] | None:
        """What the script is told where it is all in the plan, so that nothing has to be read first."""
        named = by_one_column(self.where)
        if self.shared is None or named is None or (named[0],) != self.layout.key:
            return None
        return [[self.layout.entry(self.layout.key, (value,)), b""] for value in named[1] if value is not None]

    def _told(self, records: Iterable[Found]) -> Iterator[list[Any]]:
        """For each record for which the condition holds its id, what was read of it, and (unless all are given the same) its new values."""
        for record in records:
            row = decoded(record, self._decoders, self.table, self.read)
            if not self._holds(row):
                continue
            values = [record[place + 1] for place in self.guarded]
            told = [record[0]]
            if self.guarded:
                told += [b"".join(b"0" if value is None else b"1" for value in values), *(value for value in values if value is not None)]
            else:
                told.append(b"")
            if self.shared is None:
                told += self.layout.encoded(self.assigned, {column.name: settle(compute(row)) for column, compute, settle in self._setters})
            yield told

    def _write(self, told: list[list[Any]]) -> int:
        guarded = [self.read[place] for place in self.guarded]
        written, rounds = 0, 0
        while told:
            rounds += 1
            changed, stale = self.table.change(self.action, guarded, self.assigned, self.shared, told, self.given)
            if not stale:
                return written + changed
            if rounds > ROUNDS:
                # Others write these records all the time. Those that they leave alone now are done first, so that there is an end.
                behind = set(stale)
                now = [each for each in told if each[0] not in behind]
                if now:
                    changed, late = self.table.change(self.action, guarded, self.assigned, self.shared, now, self.given)
                    if not late:
                        written += changed
                        told = [each for each in told if each[0] in behind]
            told = self._again(told, stale)
        return written

    def _again(self, told: list[list[Any]], stale: Sequence[bytes]) -> list[list[Any]]:
        """The same with the stale records read and evaluated again; those for which the condition holds no more are left out."""
        behind = set(stale)
        fresh = [each for each in told if each[0] not in behind]
        for start in range(0, len(stale), BATCH):
            fresh += self._told(self.table.rows(self.read, stale[start : start + BATCH]))
        return fresh
