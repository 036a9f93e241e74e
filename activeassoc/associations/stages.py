"""Writes that one transaction cannot hold: targets in one store, the keys or links that name them in another.

The order keeps a crash from leaving a link to a record that was never written: targets first, what refers to them after. Each
store's part is one transaction where the store has them; the outer one, of what refers, is committed last.

Map: `Stages` is the block around such a write, and in one database with transactions no more than that database's transaction;
`databases_of` puts the databases of several models in the order in which their transactions are to be entered; `reason` and `place`
are what the errors say.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Sequence
from types import TracebackType
from typing import Any

from activeassoc.associations.writing import remember
from activeassoc.errors import AssociationError, PartialWriteError, listed
from activeassoc.registry import Model
from activeassoc.stores.sql import many_statements, same_database, store_of
from activeassoc.stores.subqueries import place_of
from activeassoc.targets import key_of


def transactional(model: Model) -> bool:
    """Whether what is written of this model can be taken back until its transaction ends."""
    return store_of(model._meta.database).transactions


def place(model: Model) -> str:
    """The database of a model, as messages name it."""
    return place_of(model._meta.database)


def reason(error: Exception, asked: str) -> str:
    """Why a call was stopped, in the words of the error that stopped it: with what that was asked, where it is not the call itself."""
    if not isinstance(error, AssociationError):
        return f"{type(error).__name__}: {error}"
    return error.because if error.asked == asked else f"{error.asked}: {error.because}"


class Stages:
    """``with Stages(asked, referring, target, new) as stage:`` a write of targets, and of the rows of `referring` that name them.

    `new` are the instances that are saved on the way: where the block raises they are in memory what they were, unless their
    rows stay. Then, and where else a part stays written, PartialWriteError tells which. (C3, H6)
    """

    def __init__(self, asked: str, referring: Model, target: Model, new: Iterable[Any] = (), *, writes_targets: bool = True) -> None:
        self.asked, self.referring, self.target = asked, referring, target
        #: Where no target is written, its store is only read, and may be one that refuses writes (H2).
        self._writes_targets = writes_targets
        self._states = [(record, remember(record)) for record in new]
        self._outer: Any = None
        self._inner: Any = None
        #: What was written of each of the two, in words.
        self._written: list[tuple[bool, str]] = []
        #: The keys of the targets that were made.
        self._made: list[Any] = []
        self._committed = False
        #: The owner's row was looked for on the way.
        self.owner_checked = False

    def __enter__(self) -> Stages:
        self._outer = many_statements(self.referring._meta.database)
        self._outer.__enter__()
        if self._writes_targets and not same_database(self.referring, self.target):
            self._inner = many_statements(self.target._meta.database)
            try:
                self._inner.__enter__()
            except BaseException as error:
                self._outer.__exit__(type(error), error, error.__traceback__)
                raise
        return self

    def targets_written(self) -> None:
        """The targets are written. Where what refers to them could not be taken back, they are committed first."""
        if self._inner is not None and not transactional(self.referring):
            self._commit()

    def note(self, model: Model, keys: Sequence[Any], what: str = "") -> None:
        """Rows of this model were written, and are told of where they stay."""
        if len(keys):
            rows = listed(map(repr, keys))
            self._made += keys if model is self.target and not what else ()
            self._written.append((model is self.target, f"{model.__name__} {rows}{what} in {place(model)}"))

    def _commit(self) -> None:
        inner, self._inner = self._inner, None
        if inner is not None:
            inner.__exit__(None, None, None)
            self._committed = True

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if error is None:
            try:
                self._commit()
            except BaseException as failure:
                self._back(failure)
            try:
                self._outer.__exit__(None, None, None)
            except BaseException as failure:
                self._outer = None
                self._back(failure)
            return
        self._back(error)

    def _back(self, error: BaseException) -> None:
        """Take back what can be, in the stores and in memory, and raise: what was raised, or what tells of the part that stays."""
        for block in (self._inner, self._outer):
            if block is not None:
                # The error itself goes on below; a rollback that fails on a store that went away says nothing new.
                with contextlib.suppress(Exception):
                    block.__exit__(type(error), error, error.__traceback__)
        stays = self._committed or not transactional(self.target)
        saved = []
        for record, state in self._states:
            if stays and record.__dict__.get("_stored") and not state.get("_stored"):
                saved.append(key_of(record))
                continue
            record.__dict__.clear()
            record.__dict__.update(state)
        self.note(self.target, saved)
        written = [words for of_target, words in self._written if (stays if of_target else not transactional(self.referring))]
        if written and isinstance(error, Exception):
            raise PartialWriteError(
                self.asked,
                f"{reason(error, self.asked)}; {listed(written)} was written before, and stays",
                "Look whether it is wanted: link it, or delete it",
                written=written,
                made=self._made if stays else [],
            ) from error
        raise error


def databases_of(referring: Iterable[Model], targets: Iterable[Model]) -> list[Any]:
    """The databases of these models, each once, in the order in which transactions are entered: the last is committed first."""
    found: dict[int, Any] = {}
    for model in targets:
        found.setdefault(id(model._meta.database), model._meta.database)
    last = list(found)
    for model in referring:
        if id(model._meta.database) not in last:
            found.setdefault(id(model._meta.database), model._meta.database)
    return [*[found[number] for number in found if number not in last], *[found[number] for number in last]]
