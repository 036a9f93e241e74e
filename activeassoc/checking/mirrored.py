"""Links that stand in the documents of both ends: indexes that find them, and whether both sides say the same.

Map: `array_indexes` tells of indexes that are missing, `mirrored` of links that stand on one side, differ, or are to nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from activeassoc.checking.report import SHOWN, Finding, rows_of
from activeassoc.registry import Model
from activeassoc.stores.embedded import WRONG, Arrays

#: What fix=True would do, and has done, where it is another thing than to make both sides as the truth has it.
_TO_DO = {"dangling": "check(fix=True) deletes them", "no list": "check(fix=True) makes it an empty list"}
_DONE = {"dangling": "{count} deleted", "no list": "made an empty list"}


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
    first = sorted(found.items(), key=lambda each: each[0][0] != "no list")  # to the rest of them links are added
    for (what, mendable), wrong in first:
        sample = tuple(each.keys for each in wrong)[:SHOWN]
        told = WRONG[what].format(truth=arrays.truth.label, mirror=arrays.mirror.label)
        instead = "look into the documents: what is right cannot be told from them"
        if mendable:
            instead = _TO_DO.get(what, "check(fix=True) makes it as {truth} has it").format(truth=arrays.truth.label)
        if fix and mendable:
            database.mend(arrays, wrong)
            instead = _DONE.get(what, "made as {truth} has it").format(truth=arrays.truth.label, count=len(wrong))
        name = "dangling link" if what == "dangling" else "mirrored link"
        yield Finding(
            name, database, f"{rows_of(len(wrong), model, sample)}: {told}", instead, model, (), len(wrong), sample, mended=fix and mendable
        )
