"""Whether a table in Redis is whole: every record in every index, and nothing in an index that has no record.

The scripts keep it so. What can break it comes from outside: a server that evicts keys, a time to live that somebody set, another program
that writes our keys.

Map: `Verified` is the report; `verify` makes it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice

from activeassoc.stores.redis_table import BATCH, Table

__all__ = ["Verified", "verify"]

#: How many of each kind a report names.
SAMPLES = 10


@dataclass
class Verified:
    """What `verify` has found: numbers, and by each of them some of the primary keys."""

    #: Records that were looked at.
    records: int = 0
    #: Ids in the table's walk whose record is gone.
    gone: int = 0
    #: Records that the table's walk does not reach.
    lost: int = 0
    #: By index: records that it should have and has not.
    missing: dict[str, int] = field(default_factory=dict)
    #: By index: entries whose record is gone, or has another value.
    orphans: dict[str, int] = field(default_factory=dict)
    #: Indexes that are not ready, and their state.
    unready: dict[str, str] = field(default_factory=dict)
    #: Some of the ids, by what is wrong with them: "gone", "lost", "missing i:email", "orphans i:email".
    samples: dict[str, list[str]] = field(default_factory=dict)

    def __bool__(self) -> bool:
        """Whether the table is whole."""
        return not (self.gone or self.lost or self.missing or self.orphans)

    def note(self, what: str, id: bytes) -> None:
        some = self.samples.setdefault(what, [])
        if len(some) < SAMPLES:
            some.append(id.decode(errors="backslashreplace"))


def verify(table: Table) -> Verified:
    """The report on one table. Each batch is looked at in one step, so that writers beside it do not make it wrong."""
    report = Verified()
    indexes = table.indexes()
    report.unready = {name: definition["state"] for name, definition in indexes.items() if definition["state"] != "ready"}
    for looked, wrong in table.verified():
        report.records += looked
        for id, name in zip(wrong[::2], wrong[1::2], strict=True):
            if name == b"record":
                report.gone += 1
                report.note("gone", id)
            else:
                report.missing[name.decode()] = report.missing.get(name.decode(), 0) + 1
                report.note(f"missing {name.decode()}", id)
    for some in _batches((id, id) for id in table.keys("r:")):
        for id in table.orphans("r", some):
            report.lost += 1
            report.note("lost", id)
    for name in _names(table, indexes):
        for id in _orphans(table, name):
            report.orphans[name] = report.orphans.get(name, 0) + 1
            report.note(f"orphans {name}", id)
    return report


def _names(table: Table, indexes: Iterable[str]) -> list[str]:
    """The indexes that are defined, and those that only have entries."""
    found = dict.fromkeys(indexes)
    found.update(dict.fromkeys("i:" + key.partition(b":")[0].decode() for key in table.keys("i:")))
    found.update(dict.fromkeys("u:" + key.decode() for key in table.keys("u:")))
    return list(found)


def _orphans(table: Table, name: str) -> Iterator[bytes]:
    for some in _batches(table.entries(name)):
        yield from table.orphans(name, some)


def _batches(pairs: Iterable[tuple[bytes, bytes]]) -> Iterator[list[tuple[bytes, bytes]]]:
    coming = iter(pairs)
    while some := list(islice(coming, BATCH)):
        yield some
