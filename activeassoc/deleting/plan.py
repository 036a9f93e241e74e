"""What deleting records would do, told without doing it.

Map: `delete_plan` reads and gives a `DeletePlan`; `Part` is one line of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import peewee

from activeassoc import registry
from activeassoc.deleting.references import Reference, address_of, alive, graph_of, holders_first
from activeassoc.deleting.walk import SHOWN, Walk
from activeassoc.errors import UnsavedRecordError, WrongTarget, listed
from activeassoc.keys import is_saved
from activeassoc.registry import Model
from activeassoc.targets import key_of


@dataclass(frozen=True)
class Part:
    """Rows of one model with one fate: how many, the primary keys of up to ten of them, and the key over which they were reached.

    `key` (``"Task.project"``) and `rule` are empty for the records that were given. `by_database` tells who carries the rule out: the
    database's constraint, or delete_instance.
    """

    model: Model
    count: int
    keys: tuple[Any, ...]
    key: str = ""
    rule: str = ""
    by_database: bool = False

    @property
    def database(self) -> Any:
        return self.model._meta.database

    def __str__(self) -> str:
        rows = f"{self.count} {'row' if self.count == 1 else 'rows'} of {self.model.__name__}"
        shown = f" ({listed(map(repr, self.keys))}{' …' if self.count > len(self.keys) else ''})"
        who = " by the database" if self.by_database else ""
        return f"{rows}{shown}{f', {self.key} {self.rule}{who}' if self.key else ''}"


@dataclass(frozen=True)
class DeletePlan:
    """What deleting the records would do; `str()` tells it store by store. True where rows would be deleted.

    `deleted` are the rows that go, `cleared` those whose key would be set to NULL (or its default), `forbidding` those that are to stay and
    refer to something that would go: with any, nothing is deleted, and `allowed` is False. Each is a tuple of `Part`.
    """

    asked: str
    deleted: tuple[Part, ...] = ()
    cleared: tuple[Part, ...] = ()
    forbidding: tuple[Part, ...] = ()

    @property
    def allowed(self) -> bool:
        """Whether no row forbids it."""
        return not self.forbidding

    @property
    def databases(self) -> tuple[Any, ...]:
        """The databases that would be written, or whose rows are in the way."""
        parts = (*self.deleted, *self.cleared, *self.forbidding)
        return tuple({id(part.database): part.database for part in parts}.values())

    @property
    def rows(self) -> int:
        """How many rows would be deleted."""
        return sum(part.count for part in self.deleted)

    def __bool__(self) -> bool:
        return bool(self.deleted)

    def __str__(self) -> str:
        lines = [f"Deleting {self.asked}{'' if self.deleted or self.forbidding else ': nothing to do'}"]
        told = (("clear the key of", self.cleared), ("delete", self.deleted), ("refused by", self.forbidding))
        for database in self.databases:
            lines.append(f"in {address_of(database)}")
            lines += [f"  {words} {part}" for words, parts in told for part in parts if part.database is database]
        if self.forbidding:
            lines.append("Nothing would be written, as rows are in the way.")
        return "\n".join(lines)


def delete_plan(*records: Any) -> DeletePlan:
    """What deleting these records would do, store by store, without writing: a `DeletePlan`, to print or to ask.

    Followed are all keys that have a rule, with a constraint (by the rule that is declared; `check` tells where the database has another)
    and without. A row that several keys lead to counts once, a row that goes forbids nothing.

    Costs one SELECT for each model of the records, one for each cascading key at each level, and two for each other key that refers to
    rows that go; more only where keys are too many for one statement. Keeps the primary keys of the rows that would go in memory.
    Raises UnsavedRecordError for a record without a row, WrongTarget for what is no record. (H8)
    """
    models = _by_model(records)
    for model in models:
        if registry._waiting:
            registry.settle_for(model)
    walk = Walk(alive(graph_of(models)), exact=True)
    for model, keys in models.items():
        walk.start(model, keys)
    walk.close()
    asked = listed(f"{type(record).__name__} {record._pk!r}" for record in records)
    cleared: list[Part] = []
    forbidding: list[Part] = []
    for reference, values in walk.tied():
        if reference.cascades:
            continue
        count, keys = walk.staying(reference, values)
        if count:
            (forbidding if reference.forbids else cleared).append(_part(reference.holder, count, keys, reference))
    return DeletePlan(asked, tuple(_deleted(walk, models)), tuple(cleared), tuple(forbidding))


def _by_model(records: Iterable[Any]) -> dict[Model, list[Any]]:
    models: dict[Model, list[Any]] = {}
    for record in records:
        if not isinstance(record, peewee.Model):
            several = isinstance(record, Iterable) and not isinstance(record, type | str | bytes)
            raise WrongTarget(
                f"delete_plan({record!r})",
                "a record was expected",
                "Write delete_plan(*records)" if several else "Write delete_plan(user)",
                value=record,
            )
        if not is_saved(record):
            raise UnsavedRecordError(
                f"delete_plan({record!r})", f"this {type(record).__name__} is not saved yet", "Leave it out", record=record
            )
        models.setdefault(type(record), []).append(key_of(record))
    return models


def _deleted(walk: Walk, starts: Iterable[Model]) -> Iterator[Part]:
    for model in holders_first(walk.graph, starts):
        going = walk.going.get(model)
        over: dict[Reference | None, list[Any]] = {}
        for key, reference in going.rows.items() if going else ():
            over.setdefault(reference, []).append(key)
        for reference, keys in over.items():
            yield _part(model, len(keys), keys, reference)


def _part(model: Model, count: int, keys: Iterable[Any], reference: Reference | None) -> Part:
    if reference is None:
        return Part(model, count, tuple(keys)[:SHOWN])
    return Part(model, count, tuple(keys)[:SHOWN], reference.label, reference.rule, reference.enforced)
