"""What ``project.tasks`` is: a list of records that may not be loaded yet.

It asks its association for them on first use and keeps what it got; every writing accessor tells it what changed. It
calls its association and does not import it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, overload


class Collection(Sequence[Any]):
    """The records of a to-many association of one owner, in the order of the association.

    The first use costs one query; then it is a list in memory, which the accessors of the owner keep true. ``==``
    compares with any list.
    """

    __slots__ = ("_association", "_owner", "_records")

    def __init__(self, association: Any, owner: Any) -> None:
        self._association = association
        self._owner = owner
        self._records: list[Any] | None = None

    @property
    def loaded(self) -> bool:
        """Whether the records are in memory, so that reading costs no query."""
        return self._records is not None

    def _load(self) -> list[Any]:
        if self._records is None:
            self._records = self._association.get(self._owner)
        return self._records

    def hold(self, records: Iterable[Any]) -> None:
        """These are the records now."""
        self._records = list(records)

    def held(self) -> list[Any]:
        """The records in memory, without a query; empty where nothing is loaded."""
        return list(self._records or ())

    def forget(self) -> None:
        """The next use asks the database again."""
        self._records = None

    @overload
    def __getitem__(self, index: int) -> Any: ...
    @overload
    def __getitem__(self, index: slice) -> list[Any]: ...
    def __getitem__(self, index: Any) -> Any:
        return self._load()[index]

    def __len__(self) -> int:
        return len(self._load())

    def __iter__(self) -> Iterator[Any]:
        return iter(self._load())

    def __contains__(self, record: object) -> bool:
        return record in self._load()

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Collection):
            return self._load() == other._load()
        if isinstance(other, list | tuple):
            return self._load() == list(other)
        return NotImplemented

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return repr(self._records) if self._records is not None else f"<{self._association.label} of {self._owner!r}, not loaded>"
