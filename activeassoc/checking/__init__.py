"""Looking whether what databases hold is what the models declare: keys that refer to nothing, indexes and constraints that are missing.

Map: `check` is the way in; `dangling` looks at keys, `arrays` at arrays of them, `schema` at tables, indexes and constraints, `shared` at
values that several rows have, `mirrored` at links that stand in two documents, `stores` asks a store what is wrong with it, `report` tells
what was found.
"""

from __future__ import annotations

from typing import Any

import peewee

from activeassoc import registry
from activeassoc.checking.arrays import dangling_ids
from activeassoc.checking.dangling import dangling_keys
from activeassoc.checking.mirrored import mirrored
from activeassoc.checking.report import Finding, Report
from activeassoc.checking.schema import compare
from activeassoc.checking.shared import more_than_one
from activeassoc.checking.stores import of_database, of_model
from activeassoc.stores.embedded import arrays_of
from activeassoc.sync.models import meant

__all__ = ["Finding", "Report", "check"]


def check(*what: peewee.Database | type[peewee.Model], fix: bool = False) -> Report:
    """What is not as the models declare it, as a `Report`: to print, or to ask (`report.ok`, `report.findings`).

    `what` are databases (all their models) or models, as in `sync`; nothing means every model known. Found are

    - keys, links, and ids in arrays that refer to no record, within a database and across;
    - tables, columns and indexes that are missing, and the duplicates that stand against a unique one, or against a has_one;
    - foreign keys that are missing, or are other ones than declared; and a SQLite connection on which they are switched off;
    - links that stand in the documents of both sides (``embed=True``), and not equal there;
    - what a store says of itself: an eviction policy that would lose records, an index that does not fit its records.

    Nothing is written, but with ``fix=True``, which mends what needs no guess: links to nothing are deleted, keys to nothing that may be
    NULL are cleared, ids of nothing are taken out of arrays, missing indexes are made. The rest is reported as not mended, with what to
    do. A key that has no rule (``constraints=False`` without on_delete, a ReferenceField) may refer to nothing: it is reported as
    allowed, and left alone.

    Costs what a dry run of sync costs, and for each key one statement within an SQL database (it reads the key's index); across
    databases, and in a store without joins, two for every 5,000 different values of the key, which is what memory holds; one for the
    key of a has_one that is not unique; and for an array of ids two for every 1,000 rows. Raises as `sync` does for declarations that
    cannot be, and what a database raises that does not answer. (H7)
    """
    registry.settle(*what)
    findings: list[Finding] = []
    checked: list[Any] = []
    for part in meant("check", what):
        looked = compare(part, fix)
        findings += [*of_database(part.database), *looked.findings]
        for model in (*part.models, *part.brought):
            checked.append(model)
            if id(model) not in looked.missing:
                lacking = looked.lacking.get(id(model), set())
                embedded = arrays_of(model)
                if embedded is not None:
                    findings += mirrored(model, embedded, fix)
                    lacking = lacking | {side.near.column_name for side in embedded.sides}
                findings += of_model(model)
                findings += [*dangling_keys(model, lacking, fix), *dangling_ids(model, lacking, fix), *more_than_one(model, lacking)]
    return Report(tuple(findings), tuple(checked))
