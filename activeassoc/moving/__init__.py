"""Moving the links of many-to-manys between their two storages: a collection of their own, and the documents of both sides.

Map: `update_associations` is the way in; `_Moving` takes the links of one through model through the stages; `report` tells of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any

import peewee

from activeassoc.associations.embedding import associations_of
from activeassoc.deleting.references import address_of
from activeassoc.errors import TransactionAborted, WrongArgument, WrongTarget, listed
from activeassoc.moving.report import Move, Report
from activeassoc.registry import Model, settle
from activeassoc.stores.conflicts import conflicted
from activeassoc.stores.sql import store_of
from activeassoc.sync import sync

__all__ = ["STAGES", "Move", "Report", "update_associations"]

#: What is done with the links of a many-to-many, in this order.
STAGES = {
    "plan": "looking for what differs",
    "copy": "writing to the new storage what it has not",
    "compare": "reading both storages",
    "remove": "removing from the old storage what the new one has",
}

#: How many links are written at a time.
PAGE = 500
#: How often in a row nothing may be removed from the old storage, as others write there.
PATIENCE = 10

Progress = Callable[[str, str, int, int], None]


def update_associations(
    database: peewee.Database,
    models: Iterable[type[peewee.Model]],
    embed: bool = False,
    dry_run: bool = False,
    progress: Progress | None = None,
) -> Report:
    """Move the links of these models' many-to-manys to where they belong; what was done, as a `Report` to print.

    They belong in the documents of both sides where the association says ``embed=True``, in a collection where it says
    ``embed=False``, and where it says nothing as `embed` does, which is what `settings.embed_associations` is in the program. What cannot
    be embedded keeps its collection. Everything else in the database is left alone.

    The links of each many-to-many are planned, copied, compared pair by pair with their attributes, and only then removed from where
    they were. It can be stopped at any point and called again: what is copied is not copied again, and nothing is removed that the
    new storage does not have. Where the two sides of documents differ, or the two storages, the differences are listed, and of that
    many-to-many nothing is removed (``report.ok`` is False): `check` mends sides that differ. With ``dry_run=True`` nothing is written.

    `progress` is called with the association, the stage (of `STAGES`), and how many links are done and there are. Programs that use
    the models should be stopped meanwhile, as they would look in one storage alone; links that they write to the old
    one are copied all the same before they are removed.

    Raises WrongTarget for an SQL database and for any other store that has one storage for links, TransactionAborted where another
    program's transaction is in the way. (L3)
    """
    if database.in_transaction():
        raise WrongArgument(
            f"update_associations({address_of(database)})",
            "a transaction is open, and links are moved in portions that are a transaction each",
            "Call it outside of atomic()",
            value=database,
        )
    if not store_of(database).arrays:
        raise WrongTarget(
            f"update_associations({address_of(database)})",
            "links move between a collection and the documents of both sides, and this store has tables alone",
            "There is nothing to move: the links have a table",
            value=database,
        )
    moves = []
    every = list(models)
    if every:
        settle(*every)  # of nothing it would mean every model that there is
    for link in _links(every, database):
        associations = associations_of(link)
        said = [each.options["embed"] for each in associations if each.options.get("embed") is not None]
        moving = _Moving(link, associations, said[0] if said else embed, dry_run, progress or _silently)
        try:
            move = moving.run()
        except peewee.DatabaseError as error:
            if conflicted(error):
                raise _in_use(moving) from error
            raise
        if move is not None:
            moves.append(move)
    return Report(tuple(moves), dry_run)


def _in_use(moving: _Moving) -> TransactionAborted:
    return TransactionAborted(
        f"moving the links of {listed(moving.labels)} from {moving.old.label} to {moving.new.label}",
        "a transaction of another program has written documents of theirs, and has not ended; it may be one that was killed",
        "Stop that program and call it again, nothing is lost; of a killed one MongoDB ends the transaction after a minute",
    )


def _silently(association: str, stage: str, done: int, total: int) -> None: ...


def _links(models: Iterable[Model], database: Any) -> Iterator[Model]:
    """The through models of these models that are in the database and could have their links in documents."""
    seen = set()
    for model in models:
        for association in getattr(model, "associations", {}).values():
            link: Any = getattr(association, "through", None)
            if link is None or link in seen or link._meta.get_database_instance() is not database:
                continue
            seen.add(link)
            if link._meta.embedded.would_be() is not None:
                yield link


class _Moving:
    """The links of one through model, on their way."""

    def __init__(self, link: Model, associations: list[Any], embed: bool, dry_run: bool, progress: Progress) -> None:
        self.link, self.embed, self.dry_run = link, embed, dry_run
        self.labels = tuple(each.label for each in associations)
        embedded: Any = link._meta.embedded
        self.embedded = embedded
        self.collection, self.documents = link._meta.database.storages(embedded.would_be())
        self.old, self.new = (self.collection, self.documents) if embed else (self.documents, self.collection)
        self.total = 0
        self._progress = progress

    def tell(self, stage: str, done: int) -> None:
        self._progress(self.labels[0], stage, done, max(done, self.total))

    def run(self) -> Move | None:
        if not self.old.present():
            return None
        self.total = self.old.count()
        move = Move(self.link, self.labels, self.old.label, self.new.label, self.total, dry_run=self.dry_run)
        self.tell("plan", 0)
        wrong = self.differences()
        if wrong or self.dry_run:
            return replace(move, differences=tuple(wrong))
        with self.embedded.standing(self.embed):
            sync(self.link)
        copied = self.copy()
        wrong = self.differences(copied=True)
        if wrong:
            return replace(move, copied=copied, differences=tuple(wrong))
        removed, more, wrong = self.remove()
        return replace(move, copied=copied + more, removed=removed, differences=tuple(wrong))

    # The stages

    def differences(self, copied: bool = False) -> list[str]:
        """What is wrong with either storage, and what the two have of the same pairs and do not agree on.

        When all is `copied` the new storage has to have it, on both sides.
        """
        found = [f"{self.new.keys(pair)} {told}" for pair, told in self._wrong(copied)]
        done = 0
        for page in self.old.pages(PAGE):
            there = self.new.have(page)
            unlike = [pair for pair in page if pair in there and not _alike(page[pair], there[pair])]
            found += [f"{self.old.keys(pair)} {self._unlike()}" for pair in unlike]
            if self.embed:
                found += [f"{self.old.keys(pair)} to a record that is gone" for pair in self.documents.missing_ends(page)]
            done += len(page)
            self.tell("compare", done)
        return list(dict.fromkeys(found))

    def _wrong(self, copied: bool) -> Iterator[tuple[Any, str]]:
        for pair, told, values in (*self.old.wrong(), *self.new.wrong()):
            # A link on one side alone is what a move that was stopped leaves, where the other storage has it too.
            if values is not None and not (copied and self.embed):
                there = self.collection.have({pair: values}).get(pair)
                if there is not None and _alike(values, there):
                    continue
            yield pair, told

    def _unlike(self) -> str:
        return f"with other attributes in {self.old.label} than in {self.new.label}"

    def copy(self) -> int:
        """Write to the new storage what it has not; how many links that were."""
        copied = done = 0
        for page in self.old.pages(PAGE):
            copied += self.new.add(page)
            done += len(page)
            self.tell("copy", done)
        return copied

    def remove(self) -> tuple[int, int, list[str]]:
        """Remove from the old storage, a page at a time, what the new one has by then; what arrived meanwhile is copied before."""
        removed = more = idle = 0
        while True:
            page = self.old.first(PAGE)
            if not page:
                idle += 1
                if self.old.finish():
                    return removed, more, []
                if idle > PATIENCE:
                    return removed, more, [f"{self.old.label} is not empty, and what stands there is no link"]
                continue
            there = self.new.have(page)
            missing = {pair: values for pair, values in page.items() if pair not in there}
            if missing:
                more += self.new.add(missing)
                there = self.new.have(page)
            unlike = [pair for pair, values in page.items() if pair not in there or not _alike(values, there[pair])]
            if unlike:
                return removed, more, [f"{self.old.keys(pair)} {self._unlike()}" for pair in unlike]
            taken = self.old.take_away(page)
            idle = 0 if taken else idle + 1
            if idle > PATIENCE:
                return removed, more, [f"{self.old.keys(pair)} changes in {self.old.label} all the time" for pair in page]
            removed += taken
            self.tell("remove", removed)


def _alike(one: Any, other: Any) -> bool:
    """Whether two links have the same attributes; an `_id` of an element's own, as some programs give it, is none."""
    ones, others = ({name: value for name, value in each.items() if name != "_id"} for each in (one, other))
    return bool(ones == others)
