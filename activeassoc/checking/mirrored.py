"""Links that stand in the documents of both ends: indexes that find them, and whether both sides say the same.

Map: `array_indexes` tells of indexes that are missing, `mirrored` of links that stand on one side, differ, or are to nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from activeassoc.checking.report import SHOWN, Finding, rows_of
from activeassoc.registry import Model
from activeassoc.stores.embedded import WRONG, Arrays


def array_indexes(model: Model, arrays: Arrays, dialect: Any, fix: bool) -> Iterator[Finding]:
    """Indexes that find documents by the other end of a link, and are not there."""
    for side, index in arrays.indexes:
        if side.holder.table_exists() and not dialect.has_index(side, index):
            sentence = f"{side.holder._meta.table_name} has no index on {side.place}"
            if fix:
                dialect.execute(dialect.index_arrays(model, side, index), ())
            instead = f"made as {index}" if fix else "check(fix=True) or sync() makes it"
            yield Finding("missing index", model._meta.database, sentence, instead, side.holder, (side.place,), mended=fix)


def mirrored(model: Model, arrays: Arrays, fix: bool) -> Iterator[Finding]:
    """Links that are not equal on both sides. What the first side has holds: it is written first. One comparison of all documents."""
    if not all(side.holder.table_exists() for side in arrays.sides):
        return  # told as missing tables
    database: Any = model._meta.database
    found: dict[tuple[str, bool], list[Any]] = {}
    for each in database.differences(arrays):
        found.setdefault((each.wrong, each.mendable), []).append(each)
    for (what, mendable), wrong in found.items():
        sample = tuple(each.keys for each in wrong)[:SHOWN]
        told = WRONG[what].format(truth=arrays.truth.label, mirror=arrays.mirror.label)
        instead = "look into the documents: what is right cannot be told from them"
        if mendable:
            instead = "check(fix=True) deletes them" if what == "dangling" else f"check(fix=True) makes it as {arrays.truth.label} has it"
        if fix and mendable:
            database.mend(arrays, wrong)
            instead = f"{len(wrong)} deleted" if what == "dangling" else f"made as {arrays.truth.label} has it"
        name = "dangling link" if what == "dangling" else "mirrored link"
        yield Finding(
            name, database, f"{rows_of(len(wrong), model, sample)}: {told}", instead, model, (), len(wrong), sample, mended=fix and mendable
        )
