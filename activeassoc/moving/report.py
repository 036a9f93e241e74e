"""What moving links has done, or would do.

Map: `Move` is the links of one many-to-many, `Report` all of them.
"""

from __future__ import annotations

from dataclasses import dataclass

#: How many differences a report prints of one many-to-many.
SHOWN = 20


@dataclass(frozen=True)
class Move:
    """The links of one through model: where they stood (`old`) and were to stand (`new`), how many were found, copied and removed.

    `differences` are what kept it from being done; then nothing was removed.
    """

    model: type
    associations: tuple[str, ...]
    old: str
    new: str
    found: int = 0
    copied: int = 0
    removed: int = 0
    differences: tuple[str, ...] = ()
    dry_run: bool = False

    def __str__(self) -> str:
        links = f"{self.found} {'link' if self.found == 1 else 'links'}"
        head = f"{', '.join(self.associations)}: {links} from {self.old} to {self.new}"
        if self.differences:
            more = len(self.differences) - SHOWN
            told = [f"  {each}" for each in (*self.differences[:SHOWN], *([f"… and {more} more"] if more > 0 else ()))]
            return "\n".join([f"{head}: not moved, as they differ. Nothing was removed.", *told])
        return f"{head}: to be moved." if self.dry_run else f"{head}: copied {self.copied}, removed {self.removed}."


@dataclass(frozen=True)
class Report:
    """What became of each many-to-many whose links stood in the other storage; `str()` tells it. False where there was nothing to do.

    `ok` is True where nothing differs.
    """

    moves: tuple[Move, ...] = ()
    dry_run: bool = False

    def __bool__(self) -> bool:
        return bool(self.moves)

    @property
    def ok(self) -> bool:
        return not any(move.differences for move in self.moves)

    def __str__(self) -> str:
        return "\n".join(map(str, self.moves)) or "Nothing to do."
