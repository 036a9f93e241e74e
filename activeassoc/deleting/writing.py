"""Carrying a deletion out: rows that refer go first, each database's part in one transaction.

Map: `Deletion` makes the steps, and takes them; `Step` is one statement (in portions), `Part` the steps of one database; `refused` words
the error for rows in the way.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from typing import Any

import peewee

from activeassoc.associations.array import take_out
from activeassoc.deleting.references import Graph, Reference, address_of, holders_first
from activeassoc.deleting.walk import Walk
from activeassoc.errors import DeleteRefused, PartialWriteError, listed
from activeassoc.registry import Model
from activeassoc.stores.sql import among, every_row, groups, many_statements, row_groups, rows_among, store_of


@dataclass
class Step:
    """One change: the model that it changes, what it does, and the statement for a portion of keys or values."""

    model: Model
    words: str
    portions: Sequence[Sequence[Any]]
    statement: Callable[[Sequence[Any]], Any]


class Part:
    """Steps in one database, one after the other."""

    def __init__(self, database: Any, steps: Sequence[Step]) -> None:
        self.database, self.steps = database, steps
        self.counts: dict[str, int] = {}

    @property
    def statements(self) -> int:
        return sum(len(step.portions) for step in self.steps)

    def run(self) -> None:
        for step in self.steps:
            for portion in step.portions:
                self.counts[step.words] = self.counts.get(step.words, 0) + int(step.statement(portion))

    def told(self) -> list[str]:
        """What was written, in words."""
        where = address_of(self.database)
        return [f"{words} in {where} ({count} {'row' if count == 1 else 'rows'})" for words, count in self.counts.items() if count]


class Deletion:
    """Rows of one model that are deleted, with rules to carry out before; `own` deletes the rows themselves."""

    def __init__(self, asked: str, model: Model, start: Callable[[Walk], None], graph: Graph, own: Callable[[], int]) -> None:
        self.asked, self.model, self.start, self.own = asked, model, start, own
        self.walk = Walk(graph)
        self.written: list[str] = []
        self.deleted = 0

    def run(self) -> int:
        """Read, refuse or write. With one database all of it is one transaction."""
        models = [self.model, *(each.holder for references in self.walk.graph.values() for each in references if not each.enforced)]
        databases = {id(model._meta.database) for model in models}
        with self._together(self.model._meta.database) if len(databases) == 1 else contextlib.nullcontext():
            self.start(self.walk)
            self.walk.close()
            self._refuse()
            self._write(list(self._steps()))
        return self.deleted

    @staticmethod
    def _together(database: Any) -> Any:
        # Where atomic() is no transaction it would promise what it does not hold.
        return many_statements(database) if store_of(database).transactions else contextlib.nullcontext()

    # Refusing

    def _refuse(self) -> None:
        """Raise, before anything is written, where a row that is to stay forbids it."""
        for reference, values in self.walk.tied():
            if reference.forbids:
                count, keys = self.walk.staying(reference, values)
                if count:
                    raise refused(self.asked, reference, count, keys)
            elif reference.clears and reference.cleared_to is not None and not reference.enforced:
                self._check_default(reference, values)

    def _check_default(self, reference: Reference, values: list[Any]) -> None:
        default, target = reference.cleared_to, reference.referred.model
        query = every_row(target, peewee.SQL("1")).where(reference.referred == default).limit(1)
        going = self.walk.going.get(target)
        gone = going is not None and default in going.values.get(reference.referred.name, {})
        if not gone and target._meta.database.execute(query).fetchone():
            return
        count, keys = self.walk.staying(reference, values)
        if count:
            raise DeleteRefused(
                self.asked,
                f"{reference.label} would be set to its default {default!r}, and "
                + (f"that {target.__name__} goes too" if gone else f"there is no such {target.__name__}"),
                "Create it first, or declare the key with another on_delete",
                model=reference.holder,
                key=reference.field.name,
                keys=keys,
                count=count,
            )

    # Writing

    def _steps(self) -> Iterator[Step]:
        tied = list(self.walk.tied())
        for model in holders_first(self.walk.graph, [self.model]):
            for reference, values in tied:
                if reference.holder is model and not reference.enforced:
                    yield from self._key_step(reference, values)
            going = self.walk.going.get(model)
            keys = [key for key, over in going.rows.items() if over is not None and not over.enforced] if going else []
            if keys:
                keys.reverse()  # in a tree the leaves were found last
                portions = list(row_groups(model, keys))
                yield Step(model, f"deleted from {model.__name__}", portions, partial(_delete_rows, model))

    def _key_step(self, reference: Reference, values: list[Any]) -> Iterator[Step]:
        holder, field = reference.holder, reference.field
        portions = list(groups(reference.database, values))
        if reference.clears:
            change = {field: reference.cleared_to}
            words = f"cleared {reference.label}"
            yield Step(holder, words, portions, lambda some: _update(holder, change, among(field, some)))
        elif reference.in_array:
            yield Step(holder, f"taken out of {reference.label}", portions, lambda some: take_out(field, some, self.asked))
        elif reference.cascades and self.walk.whole(reference):
            yield Step(holder, f"deleted from {holder.__name__}", portions, lambda some: _delete(holder, among(field, some)))

    def _write(self, steps: list[Step]) -> None:
        def last(_: Any) -> int:
            self.deleted = self.own()
            return self.deleted

        steps.append(Step(self.model, f"deleted from {self.model.__name__}", [()], last))
        parts = [Part(same[0].model._meta.database, same) for same in map(_listed, groupby(steps, key=_place))]
        alone = len({id(part.database) for part in parts}) == len(parts)
        try:
            # Where one database has to be written before and after another, its part before has to be committed first.
            for some in [parts] if alone else [[part] for part in parts]:
                self._carry_out(some)
        except Exception as error:
            if not self.written:
                raise
            raise PartialWriteError(
                self.asked,
                f"{str(error).strip().rstrip('.')}, when a part of it was written already",
                f"Call it again when that is mended. Written is: {listed(self.written)}",
                model=self.model,
                written=self.written,
            ) from error

    def _carry_out(self, parts: list[Part]) -> None:
        """Write the parts so that they are committed in their order, rows that refer first, and fail before that where they can.

        What has transactions is written first, the last part outermost, and committed when what comes before it is.
        """
        if not parts:
            return
        *before, part = parts
        if not store_of(part.database).transactions:
            self._carry_out(before)
            try:
                part.run()
            finally:
                self.written += part.told()
            return
        with self._together(part.database) if before or part.statements > 1 else contextlib.nullcontext():
            part.run()
            self._carry_out(before)
        self.written += part.told()


def _place(step: Step) -> int:
    return id(step.model._meta.database)


def _listed(group: tuple[int, Iterator[Step]]) -> list[Step]:
    return list(group[1])


def refused(asked: str, reference: Reference, count: int, keys: list[Any]) -> DeleteRefused:
    """The error for rows that are to stay and refer to what would go."""
    name = reference.holder.__name__
    rows = f"{count} {'row' if count == 1 else 'rows'} of {name} ({listed(map(repr, keys))}{' …' if count > len(keys) else ''})"
    verb = "refers" if count == 1 else "refer"
    why = f"whose rule is {reference.rule}" if reference.rule not in ("SET NULL", "SET DEFAULT") else "which may not be NULL"
    return DeleteRefused(
        asked,
        f"{rows} still {verb} to it by {reference.label}, {why}",
        f'Delete {"it" if count == 1 else "them"} first, or declare the key with on_delete="CASCADE"',
        model=reference.holder,
        key=reference.field.name,
        keys=keys,
        count=count,
    )


# Past a delete and update of the model's own: one that only marks rows would leave keys that refer to nothing.


def _delete_rows(model: Model, keys: Sequence[Any]) -> int:
    return _delete(model, rows_among(model, keys))


def _delete(model: Model, condition: Any) -> int:
    return int(peewee.ModelDelete(model).where(condition).execute())


def _update(model: Model, values: dict[Any, Any], condition: Any) -> int:
    return int(peewee.ModelUpdate(model, values).where(condition).execute())
