"""Which rows go when records are deleted: the cascades, followed level by level, reading keys only.

Map: `Going` holds the rows of one model that go; `Walk` finds them, and answers which rows a key still ties to them: how many, and
which of them are to stay. Everything here reads.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import peewee
from peewee import fn

from activeassoc.deleting.references import Graph, Reference
from activeassoc.registry import Model
from activeassoc.stores.sql import among, every_row, groups, row_groups, rows_among

#: How many primary keys messages and plans show.
SHOWN = 10


class Going:
    """The rows of one model that go: by primary key the reference over which each was reached (None for the records given)."""

    def __init__(self) -> None:
        self.rows: dict[Any, Reference | None] = {}
        #: The values by which other rows refer to them: name of the field → its values.
        self.values: dict[str, dict[Any, None]] = {}


class Walk:
    """The rows that go, from the first ones on. One SELECT for each cascading key and level (more where keys are too many for one)."""

    def __init__(self, graph: Graph, exact: bool = False) -> None:
        self.graph = graph
        #: Read every row that goes, also where nothing depends on it.
        self.exact = exact
        self.going: dict[Model, Going] = {}

    # Finding the rows

    def start(self, model: Model, keys: Sequence[Any]) -> None:
        """Begin with the rows of `model` that have these primary keys."""
        columns = self.columns(model)
        going = self.going.setdefault(model, Going())
        # Where the primary key is all that others refer to there is nothing to ask.
        if not self.exact and len(columns) == len(model._meta.get_primary_keys()) == 1:
            going.rows.update(dict.fromkeys(keys))
            going.values[columns[0].name] = dict.fromkeys(keys)
            return
        for some in row_groups(model, keys):
            self.start_where(model, rows_among(model, some))

    def start_where(self, model: Model, condition: Any) -> None:
        """Begin with the rows of `model` for which this holds. One SELECT."""
        self._take(model, None, every_row(model, *self.columns(model)).where(condition))

    def columns(self, model: Model) -> list[Any]:
        """What has to be read of the rows of `model`: the primary key, and what kept keys refer to."""
        found = list(model._meta.get_primary_keys())
        for each in self.graph.get(model, ()):
            if not any(each.referred is other for other in found):
                found.append(each.referred)
        return found

    def close(self) -> None:
        """Follow the cascades to their end. Circles end where no new row comes."""
        level = {model: {name: list(values) for name, values in going.values.items()} for model, going in self.going.items()}
        while level:
            following: dict[Model, dict[str, list[Any]]] = {}
            for model, fresh in level.items():
                for each in self.graph.get(model, ()):
                    if each.cascades and not self.whole(each):
                        self._follow(each, fresh.get(each.referred.name, []), following)
            level = following

    def _follow(self, reference: Reference, values: Sequence[Any], following: dict[Model, dict[str, list[Any]]]) -> None:
        holder = reference.holder
        for some in groups(reference.database, values) if values else ():
            query = every_row(holder, *self.columns(holder)).where(among(reference.field, some))
            fresh = self._take(holder, reference, query)
            for name, found in fresh.items():
                following.setdefault(holder, {}).setdefault(name, []).extend(found)

    def _take(self, model: Model, over: Reference | None, query: Any) -> dict[str, list[Any]]:
        """Note the rows of a query; the values by which others refer to the new ones."""
        columns = self.columns(model)
        width = len(model._meta.get_primary_keys())
        going = self.going.setdefault(model, Going())
        fresh: dict[str, list[Any]] = {}
        for row in model._meta.database.execute(query).fetchall():
            values = [field.python_value(value) for field, value in zip(columns, row, strict=True)]
            key = values[0] if width == 1 else tuple(values[:width])
            former = going.rows.get(key, ...)
            if former is not ...:
                if former is not None and former.enforced and over is not None and not over.enforced:
                    going.rows[key] = over  # the database would see to it, but this package has to anyway
                continue
            going.rows[key] = over
            for field, value in zip(columns, values, strict=True):
                if value is not None and value not in going.values.setdefault(field.name, {}):
                    going.values[field.name][value] = None
                    fresh.setdefault(field.name, []).append(value)
        return fresh

    def whole(self, reference: Reference) -> bool:
        """Whether the rows need not be known one by one: nothing more depends on them, and one DELETE by the key takes them."""
        holder = reference.holder
        if self.exact or reference.enforced or self.graph.get(holder):
            return False
        return not any(each.forbids and each.holder is holder for references in self.graph.values() for each in references)

    # Asking about them

    def tied(self) -> Iterator[tuple[Reference, list[Any]]]:
        """The keys to rows that go, each with the values that it must not keep."""
        for model, references in self.graph.items():
            for each in references:
                values = list(self.values(model, each))
                if values:
                    yield each, values

    def values(self, model: Model, reference: Reference) -> Iterable[Any]:
        going = self.going.get(model)
        return going.values.get(reference.referred.name, {}) if going else {}

    def staying(self, reference: Reference, values: Sequence[Any], limit: int = SHOWN) -> tuple[int, list[Any]]:
        """How many rows that are to stay hold one of these values, and the primary keys of some of them.

        One COUNT, and one SELECT where there are any; where rows of the holder go too, one SELECT of all that hold one.
        """
        holder = reference.holder
        database, keys = reference.database, holder._meta.get_primary_keys()
        going = self.going.get(holder)
        count = 0
        shown: list[Any] = []
        for some in groups(database, values):
            condition = reference.holding(some)
            if going is None:
                found = int(database.execute(every_row(holder, fn.COUNT(peewee.SQL("1"))).where(condition)).fetchone()[0])
                count += found
                if found and len(shown) < limit:
                    shown += self._keys(database.execute(every_row(holder, *keys).where(condition).order_by(*keys).limit(limit)), keys)
                continue
            for key in self._keys(database.execute(every_row(holder, *keys).where(condition)), keys):
                if key not in going.rows:
                    count += 1
                    shown.append(key)
        return count, sorted(shown, key=lambda key: (str(type(key)), key))[:limit] if going is not None else shown[:limit]

    @staticmethod
    def _keys(cursor: Any, fields: Sequence[Any]) -> Iterator[Any]:
        for row in iter(cursor.fetchone, None):
            values = tuple(field.python_value(value) for field, value in zip(fields, row, strict=True))
            yield values[0] if len(values) == 1 else values
