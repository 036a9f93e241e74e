"""What sync and drop did, or would do: what they return.

Map: `Step` is one change, with its statements; `Report` is what a user gets, made from steps and differences.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

Statement = tuple[str, Sequence[Any]]

#: What a step can be, in the order in which a report tells it, and how it tells it.
KINDS = {
    "dropped": "dropped {}",
    "created": "created {}",
    "columns": "added the columns {}",
    "indexes": "added the indexes {}",
    "constraints": "added the foreign keys {}",
}


@dataclass(frozen=True)
class Step:
    """One change: its kind (of `KINDS`, or "" for a part of another step), what it is of, and the statements that make it."""

    kind: str
    name: str
    table: str
    statements: tuple[Statement, ...]
    #: Called when the statements are done: what is wrong then, or "".
    verify: Callable[[], str] | None = None


@dataclass(frozen=True)
class Report:
    """What was done, or with ``dry_run=True`` would be. False when there was nothing to do; `str()` tells it all.

    `created` and `dropped` name tables, in the order in which that happened; `columns`, `indexes` and `constraints` name what
    was added to tables that existed (``"task.user_id"``, ``"ix_task_user_id"``, ``"task.user_id -> user.id"``): those of a
    new table come with it. `differences` are sentences: what the tables and the models do not agree on, and was left as it
    is. `statements` is the SQL, in order, and the whole of it when it was a dry run.
    """

    created: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    indexes: tuple[str, ...] = ()
    constraints: tuple[str, ...] = ()
    differences: tuple[str, ...] = ()
    statements: tuple[str, ...] = ()
    dry_run: bool = False

    def __bool__(self) -> bool:
        return bool(self.statements)

    def __add__(self, other: Report) -> Report:
        joined = {name: getattr(self, name) + getattr(other, name) for name in (*KINDS, "differences", "statements")}
        return Report(**joined, dry_run=self.dry_run or other.dry_run)

    def __str__(self) -> str:
        lines = self.done or ["Nothing to do."]
        if self.differences:
            lines += ["Left as it is:", *(f"  - {difference}" for difference in self.differences)]
        if self.dry_run and self.statements:
            lines += ["", *(f"{statement};" for statement in self.statements)]
        return "\n".join(lines)

    @property
    def done(self) -> list[str]:
        """A line for each kind of change."""
        told = []
        for kind, words in KINDS.items():
            names = getattr(self, kind)
            if names:
                line = words.format(", ".join(f'"{name}"' for name in names))
                told.append(f"Would have {line}." if self.dry_run else f"{line[0].upper()}{line[1:]}.")
        return told


def report_of(steps: Iterable[Step], differences: Iterable[str], dry_run: bool = False) -> Report:
    """The report on these steps."""
    names: dict[str, list[str]] = {kind: [] for kind in KINDS}
    statements = []
    for step in steps:
        if step.kind:
            names[step.kind].append(step.name)
        for sql, params in step.statements:
            statements.append(f"{sql}  -- {list(params)!r}" if params else sql)
    return Report(
        **{kind: tuple(found) for kind, found in names.items()},
        differences=tuple(differences),
        statements=tuple(statements),
        dry_run=dry_run,
    )
