"""What ``project.tasks`` is: a list of records that may not be loaded yet.

It asks its association for them on first use and keeps what it got; every writing accessor tells it what changed. It
calls its association and does not import it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self, overload

from activeassoc import lazy
from activeassoc.queue import Queue
from activeassoc.stores.bridge import run
from activeassoc.twins import require_asyncio

if TYPE_CHECKING:
    from typing_extensions import TypeVar

    from activeassoc.types.words import Key

    Record = TypeVar("Record", default=Any)
else:
    Record = Any


class Collection(Sequence[Record]):
    """The records of a to-many association of one owner, in the order of the association.

    The first use costs one query; then it is a list in memory, which the accessors of the owner keep true. ``==``
    compares with any list.
    """

    __slots__ = ("_association", "_owner", "_queue", "_partial", "_records", "_truncated")

    def __init__(self, association: Any, owner: Any) -> None:
        self._association = association
        self._owner = owner
        self._records: list[Any] | None = None
        self._queue: Queue | None = None
        self._truncated = self._partial = False

    @classmethod
    def of(cls, association: Any, owner: Any, records: list[Any], truncated: bool, partial: bool) -> Collection:
        """A loaded one: this very list."""
        made = object.__new__(cls)
        made._association, made._owner, made._records = association, owner, records
        made._queue, made._truncated, made._partial = None, truncated, partial
        return made

    @property
    def truncated(self) -> bool:
        """Whether populate cut the list at the default limit: the database has more."""
        return self._truncated

    @property
    def partial(self) -> bool:
        """Whether the records in memory are some of the association's, or in another order: what populate was asked for."""
        return self._partial

    @property
    def association(self) -> Any:
        """The association whose records these are."""
        return self._association

    # What the next save of the owner carries out

    def add(self, targets: Record | Key | Mapping[str, Any] | Iterable[Record | Key | Mapping[str, Any]] | None) -> None:
        """Queue records to be added when the owner is saved. No query; reading still shows what is stored.

        `targets` is a primary key, an instance, a mapping of fields to values (always a new record, created and then
        linked), or any iterable that mixes these. For one record the last call wins. Raises at once for what can be no
        record of the target, and for unknown fields. (F7)
        """
        self.pending.put(self._association.to_queue(targets, "add"))

    def remove(self, targets: Record | Key | Iterable[Record | Key] | None) -> None:
        """Queue records to be removed when the owner is saved: primary keys or instances, one or any iterable. No query. (F7)"""
        self.pending.put(self._association.to_queue(targets, "remove"))

    @property
    def pending(self) -> Queue:
        """What add and remove have queued since the last save: `added`, `removed`, `clear`."""
        if self._queue is None:
            self._queue = Queue(self._association.label, f"<{type(self._owner).__name__} {self._owner._pk!r}>")
        return self._queue

    @property
    def waiting(self) -> bool:
        """Whether anything is queued."""
        return bool(self._queue)

    # What is stored

    @property
    def loaded(self) -> bool:
        """Whether the records are in memory, so that reading costs no query."""
        return self._records is not None

    def _load(self) -> list[Any]:
        if self._records is None and self._association.starts(self._owner):
            lazy.arrive(self._owner, self._association.name)
        if self._records is None:
            self._records = self._association.listed(self._owner)
        return self._records

    async def aload(self) -> Self:
        """This collection, its records loaded: no query where they are in memory, else one. To be awaited, on an asyncio database.

        Under the policy "batch" it loads them for all records of the same query. Raises NotAsyncio on a plain database.
        """
        if not self.loaded:
            asked = f"{self._association.label}.aload()"
            require_asyncio(asked, self._association.source, f"list(record.{self._association.name})")
            await run(asked, self._ask)
        return self

    def _ask(self) -> None:
        with lazy.on_request(type(self._owner)):
            self._load()

    def hold(self, records: Iterable[Any], *, truncated: bool = False, partial: bool = False) -> None:
        """These are the records now: all of them, or those that populate was asked for."""
        self._records = list(records)
        self._truncated, self._partial = truncated, partial

    def held(self) -> list[Record]:
        """The records in memory, without a query; empty where nothing is loaded."""
        return list(self._records or ())

    def forget(self) -> None:
        """The next use asks the database again."""
        self._records = None
        self._truncated = self._partial = False

    @overload
    def __getitem__(self, index: int) -> Record: ...
    @overload
    def __getitem__(self, index: slice) -> list[Record]: ...
    def __getitem__(self, index: Any) -> Any:
        return self._load()[index]

    def __len__(self) -> int:
        return len(self._load())

    def __iter__(self) -> Iterator[Record]:
        return iter(self._load())

    def __contains__(self, record: object) -> bool:
        if record in self._load():
            return True
        # A list that was cut does not know: the database does.
        return self._truncated and isinstance(record, self._association.target) and self._association.has(self._owner, record)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Collection):
            return self._load() == other._load()
        if isinstance(other, list | tuple):
            return self._load() == list(other)
        return NotImplemented

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        stored = repr(self._records) if self._records is not None else f"<{self._association.label} of {self._owner!r}, not loaded>"
        return f"{stored} {self._queue!r}" if self._queue else stored
