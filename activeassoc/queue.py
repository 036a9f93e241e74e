"""What a collection has to carry out when its owner is saved: ``user.pets.add(20)`` and ``user.pets.remove(22)`` until ``user.save()``.

Map: `Queue` keeps the calls in order, and of several for one record the last one; `Entry` is one of them.
"""

from __future__ import annotations

import sys
import warnings
from typing import TYPE_CHECKING, Any, NamedTuple

from activeassoc.errors import LinksDroppedWarning

if TYPE_CHECKING:
    from activeassoc.targets import Target


class Entry(NamedTuple):
    """One record to add or to remove."""

    verb: str
    """``"add"`` or ``"remove"``."""
    target: Target
    values: dict[str, Any] | None = None
    """The fields of a record that is to be created."""

    @property
    def given(self) -> Any:
        """What the call was given: the mapping, the instance, or the primary key."""
        if self.values is not None:
            return self.values
        return self.target.record if self.target.record is not None else self.target.key

    @property
    def identity(self) -> Any:
        """What tells one record from another: its key, or the instance while it has none."""
        if self.values is not None:
            return "values", id(self.values)
        record = self.target.record
        key = self.target.key if self.target.key is not None else record._pk
        return ("key", key) if key is not None else ("record", id(record))


class Queue:
    """``user.pets.pending``: what is added and removed at the next save. True where there is anything.

    A queue that nobody can save any more warns with LinksDroppedWarning: what was asked for was not done.
    """

    __slots__ = ("__weakref__", "_entries", "_label", "_owner")

    def __init__(self, label: str, owner: str) -> None:
        self._entries: list[Entry] = []
        self._label = label
        self._owner = owner

    @property
    def entries(self) -> list[Entry]:
        """What is to be done, in the order of the calls; of several for one record the last one."""
        found: dict[Any, Entry] = {}
        for entry in self._entries:
            former = found.get(entry.identity)
            if former is not None and former.verb != entry.verb:
                del found[entry.identity]  # what is asked for anew comes last; what is asked for again keeps its place
            found[entry.identity] = entry
        return list(found.values())

    @property
    def added(self) -> list[Any]:
        """The keys, instances and mappings that will be added."""
        return [entry.given for entry in self.entries if entry.verb == "add"]

    @property
    def removed(self) -> list[Any]:
        """The keys and instances that will be removed."""
        return [entry.given for entry in self.entries if entry.verb == "remove"]

    def put(self, entries: list[Entry]) -> None:
        """Queue these, after what is queued already."""
        self._entries += entries

    def clear(self) -> None:
        """Forget everything: nothing of it will be done."""
        self._entries.clear()

    def __len__(self) -> int:
        return len(self.entries)

    def __bool__(self) -> bool:
        return bool(self._entries)

    def __repr__(self) -> str:
        parts = [f"{word} {given!r}" for word, given in (("add", self.added), ("remove", self.removed)) if given]
        return f"<{self._label}.pending: {', '.join(parts) or 'nothing'}>"

    def __del__(self) -> None:
        if getattr(self, "_entries", None) and not sys.is_finalizing():
            warnings.warn(
                f"{self._owner} was dropped with links that were never saved: {self!r}. Call save(), or {self._label}.pending.clear()",
                LinksDroppedWarning,
                stacklevel=2,
            )


