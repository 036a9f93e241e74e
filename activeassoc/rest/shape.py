"""Records as JSON: what a client may see of each, with the associations that it asked to embed.

Map: `Shape` makes the documents of one request; `PLAIN` is how the values of fields stand in JSON, and `plain` writes one.
"""

from __future__ import annotations

import base64
import datetime
import decimal
import math
import uuid
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from peewee import Field

from activeassoc.rest.conditions import wrong
from activeassoc.rest.embedding import Embedded, Level, held
from activeassoc.rest.parameters import Asked
from activeassoc.rest.resources import AssociationResource, Resource

__all__ = ["PLAIN", "Shape", "plain"]


def _float(value: float) -> Any:
    return value if math.isfinite(value) else str(value)  # JSON has no infinities


def _mapping(value: Mapping[Any, Any]) -> Any:
    return {str(name): plain(each) for name, each in value.items()}


#: How values stand in JSON: whatever has no form of its own there is a text, which is read again when it is sent back.
PLAIN: tuple[tuple[tuple[type, ...], Callable[[Any], Any]], ...] = (
    ((bool,), bool),
    ((int,), int),
    ((str,), str.__str__),
    ((float,), _float),
    ((decimal.Decimal, uuid.UUID), str),
    ((datetime.date, datetime.time), lambda value: value.isoformat()),
    ((bytes, bytearray, memoryview), lambda value: base64.b64encode(value).decode()),
    ((Mapping,), _mapping),
    ((list, tuple, set, frozenset), lambda value: [plain(each) for each in value]),
)


def plain(value: Any, field: Field | None = None) -> Any:
    """The value as JSON has it. One of a type that is not in the table is what its field writes into the database."""
    if value is None:
        return None
    for types, write in PLAIN:
        if isinstance(value, types):
            return write(value)
    stored = field.db_value(value) if field is not None else None
    return str(value) if stored is None or type(stored) is type(value) else plain(stored)


class Made(NamedTuple):
    """A document, and how many records it has embedded, at all levels."""

    document: dict[str, Any]
    embedded: int = 0


class Shape:
    """The documents of one request.

    Whoever makes one has loaded what `asked.embed` names: nothing here asks the database. Every record that leaves is first
    `let` out by its own resource (which raises Forbidden), embedded ones too. Raises BadRequest where they embed more than the limit.
    """

    def __init__(self, asked: Asked, embedded: Embedded | None = None) -> None:
        self.flatten, self.limits, self.select = asked.flatten, asked.limits, asked.select
        self.tree, self.embedded = asked.embed, embedded or Embedded(asked)
        self._made: dict[tuple[Level, Any], Made] = {}
        self._total = 0

    def documents(self, resource: Resource, records: Iterable[Any]) -> list[dict[str, Any]]:
        """The documents of records, in their order."""
        return [self.document(resource, record) for record in records]

    def document(self, resource: Resource, record: Any) -> dict[str, Any]:
        """One record: the fields that may be read and were selected, then what is embedded. ``id`` always comes. (K2, K6)"""
        made = self._document(resource, record, self.tree, (), self.select)
        self._total += made.embedded
        self._check(self._total)
        return made.document

    def child(self, below: AssociationResource, record: Any) -> dict[str, Any]:
        """A record of an association's list: with the fields of its link, under the through model's name. (K6)"""
        found = self.document(below.child, record)
        if below.link_fields:
            found[below.link_name] = self._link(below, record)
        return found

    def _check(self, count: int) -> None:
        if count > self.limits.embedded:
            because = f"the answer would have more than {self.limits.embedded:,} embedded records"
            raise wrong("$embed", because, "Embed less, or read fewer documents with $limit")

    def _document(
        self, resource: Resource, record: Any, tree: Mapping[str, Any], level: Level, select: Iterable[str] | None = None
    ) -> Made:
        resource.let("read", record)
        data, fields = record.__data__, resource.readable
        if select is not None:
            fields = {name: field for name, field in fields.items() if name == "id" or name in select}
        found = {name: plain(data.get(field.name), field) for name, field in fields.items()}
        count = 0
        for name, inner in tree.items():
            found[name], more = self._embedded(resource, record, name, inner, level)
            count += more
        return Made(found, count)

    def _inner(self, resource: Resource, record: Any, tree: Mapping[str, Any], level: Level) -> Made:
        """The document of an embedded record: made once for a level, however often the record stands there."""
        if not tree:
            return self._document(resource, record, tree, level)
        key = level, record._pk
        if key not in self._made:
            self._made[key] = self._document(resource, self.embedded.at(level, record), tree, level)
        return self._made[key]

    def _embedded(self, resource: Resource, record: Any, name: str, tree: Mapping[str, Any], level: Level) -> tuple[Any, int]:
        """The record of a to-one, None where there is none, or the list of a to-many; and how many records that is."""
        association, target, level = resource.embeddable[name], resource.embedded(name), (*level, name)
        records = held(association, record)
        if not association.to_many:
            one = self._inner(target, records[0], tree, level) if records else None
            return (None, 0) if one is None else (one.document, one.embedded + 1)
        below, found, count = AssociationResource(resource, association), [], 0
        if len(records) > self.limits.embedded:
            raise wrong(
                "$embed",
                f"{resource.segment} {plain(record._pk)} has more than {self.limits.embedded:,} of {name!r}",
                f"Read /{resource.segment}/{plain(record._pk)}/{below.segment} with $limit",
            )
        for each in records:
            made = self._inner(target, each, tree, level)
            count += made.embedded + 1
            self._check(count)
            found.append(self._item(below, each, made.document))
        return found, count

    def _item(self, below: AssociationResource, record: Any, document: dict[str, Any]) -> dict[str, Any]:
        """A record of an embedded list; one that was reached by a link stands in it, unless that level is taken out. (K6)"""
        if below.link is None or self.flatten:
            return document
        return {below.association.names.one: document, **(self._link(below, record) if below.link_fields else {})}

    def _link(self, below: AssociationResource, record: Any) -> dict[str, Any]:
        row, link = getattr(record, below.association.link_name), below.link
        if link is not None:
            link.let("read", row)
        return {name: plain(row.__data__.get(field.name), field) for name, field in below.link_fields.items()}
