"""What `check` found, and what it mended.

Map: `Finding` is one thing that is not as it should be, `Report` all of them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from activeassoc.deleting.references import address_of
from activeassoc.errors import listed

#: What a finding can be.
KINDS = (
    "dangling key",
    "dangling link",
    "dangling id",
    "no list",
    "mirrored link",
    "missing table",
    "missing column",
    "missing index",
    "missing unique index",
    "duplicates",
    "constraint",
    "foreign keys off",
    "store",
)

#: How many primary keys a finding shows.
SHOWN = 10


@dataclass(frozen=True)
class Finding:
    """One thing that is not as it should be.

    `kind` is one of `KINDS`; `model` the one whose table it is about, None where it is the database; `names` the fields or columns;
    `count` how many rows are concerned, and `sample` the primary keys of up to ten of them (for duplicates the values).
    `sentence` tells it, `instead` what to do, or what was done. `mended` tells whether ``fix=True`` put it right; `allowed`, that the
    declaration permits it.
    """

    kind: str
    database: Any
    sentence: str
    instead: str
    model: Any = None
    names: tuple[str, ...] = ()
    count: int = 0
    sample: tuple[Any, ...] = ()
    mended: bool = False
    allowed: bool = False

    def __str__(self) -> str:
        end = "Mended" if self.mended else "Allowed" if self.allowed else "Not mended"
        return f"{self.kind}: {self.sentence}. {end}: {self.instead}."


@dataclass(frozen=True)
class Report:
    """What was found; `str()` tells all of it, database by database. False where there was nothing to find.

    `ok` is True where nothing was found, or all of it is mended or allowed. `checked` are the models that were looked at.
    """

    findings: tuple[Finding, ...] = ()
    checked: tuple[Any, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.findings)

    @property
    def ok(self) -> bool:
        return all(each.mended or each.allowed for each in self.findings)

    @property
    def mended(self) -> tuple[Finding, ...]:
        """What ``fix=True`` has put right."""
        return tuple(each for each in self.findings if each.mended)

    def of(self, kind: str) -> tuple[Finding, ...]:
        """The findings of one of `KINDS`."""
        return tuple(each for each in self.findings if each.kind == kind)

    def __str__(self) -> str:
        models = f"{len(self.checked)} {'model' if len(self.checked) == 1 else 'models'}"
        if not self.findings:
            return f"Checked {models}: nothing is wrong."
        lines = [f"Checked {models}."]
        for database in {id(each.database): each.database for each in self.findings}.values():
            lines.append(f"in {address_of(database)}")
            lines += [f"  {each}" for each in self.findings if each.database is database]
        return "\n".join(lines)


def rows_of(count: int, model: Any, sample: Iterable[Any]) -> str:
    """``"3 rows of Task (4, 5, 6)"``"""
    shown = tuple(sample)
    more = " …" if count > len(shown) else ""
    return f"{count} {'row' if count == 1 else 'rows'} of {model.__name__} ({listed(map(repr, shown))}{more})"
