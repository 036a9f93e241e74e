"""Reads: one record, a list, the children of an owner, with what they embed, in a bounded number of statements.

Whatever a request asks is answered by the database: sorting, cutting, counting. A list is one COUNT and one SELECT, and one statement
for each association that is embedded, however many documents there are. (K7)

Map: `one`, `list_of` and `children` are the three. What is embedded is loaded by `embedding`.
"""

from __future__ import annotations

from typing import Any

import peewee
from peewee import fn

from activeassoc.associations.options import both
from activeassoc.hydrate import reader
from activeassoc.rest.conditions import wrong
from activeassoc.rest.embedding import After, Embedded
from activeassoc.rest.envelope import envelope
from activeassoc.rest.parameters import Asked
from activeassoc.rest.problems import NotFound
from activeassoc.rest.resources import AssociationResource, Resource
from activeassoc.rest.shape import Shape, plain
from activeassoc.stores.sql import rows_among, same_database, store_of

__all__ = ["children", "list_of", "one"]

def one(resource: Resource, key: Any, asked: Asked, after: After | None = None) -> dict[str, Any]:
    """The document with this primary key, as `Resource.read_key` gives it.

    One statement, and one for each association that is embedded. Raises NotFound where there is none, Forbidden where `authorize`
    says so.
    """
    embedded = Embedded(asked)
    records = list(_select(resource, rows_among(resource.model, [key]), embedded).limit(1))
    if not records:
        raise missing(resource, key)
    embedded.load(resource, records, after)
    return Shape(asked, embedded).document(resource, records[0])


def list_of(resource: Resource, asked: Asked, after: After | None = None) -> dict[str, Any] | int:
    """The documents of a model, in their envelope; their number alone where `asked.count`.

    Two statements, the COUNT first, and one for each association that is embedded; the COUNT alone where the page is empty. (K5, K7)
    """
    resource.let("read")
    model = resource.model
    query = model.select(fn.COUNT(peewee.SQL("1")))
    query = query if asked.where is None else query.where(asked.where)
    total = int(model._meta.database.execute(query).fetchone()[0])
    if asked.count:
        return total
    embedded, (first, limit) = Embedded(asked), _page(asked, total)
    records = []
    if limit:
        records = list(_select(resource, asked.where, embedded).order_by(*_order(resource, asked)).offset(first).limit(limit))
    embedded.load(resource, records, after)
    return _enveloped(Shape(asked, embedded).documents(resource, records), total, asked)


def children(below: AssociationResource, key: Any, asked: Asked, after: After | None = None) -> dict[str, Any] | int:
    """The children of the owner with this primary key, as `list_of` gives documents, each with the fields of its link. (K6)

    Two statements, and one for each association that is embedded: the one that finds the owner counts the children too. Where one
    statement cannot reach both (in a store without joins, across databases) the COUNT is a statement of its own, left out where the page
    tells the number; links and children that cannot be joined are read by a statement each. Raises NotFound where there is no such owner.
    """
    owner, total = _owner(below, key, asked)
    embedded = Embedded(asked)
    below.owner.let("read", owner)
    below.child.let("read")
    if total is None:
        records, total = _counted(below, owner, asked, embedded)
    else:
        first, limit = (0, 0) if asked.count else _page(asked, total)
        records = _fetched(below, owner, asked, embedded, first, limit) if limit else []
    if asked.count:
        return total
    embedded.load(below.child, records, after)
    shape = Shape(asked, embedded)
    return _enveloped([shape.child(below, record) for record in records], total, asked)


def missing(resource: Resource, key: Any) -> NotFound:
    """The error for a record that is not there."""
    name = plain(key, resource.key)
    return NotFound(f"There is no {resource.segment} with the id {name}", {"id": f"there is none with the id {name}"})


def _select(resource: Resource, condition: Any, embedded: Embedded) -> Any:
    """A query of the records, with the first level of what they embed."""
    query = resource.model.select()
    query = query if condition is None else query.where(condition)
    for path, options in embedded.first(resource).items():
        query = query.populate(path, **options)
    return query


def _order(resource: Resource, asked: Asked) -> list[Any]:
    """What was asked for, then the primary key, so that pages neither repeat nor leave out a document."""
    sorted_by = [term.node if isinstance(term, peewee.Ordering) else term for term in asked.sort]
    keys = resource.model._meta.get_primary_keys()
    return [*asked.sort, *(key for key in keys if not any(key is field for field in sorted_by))]


def _page(asked: Asked, total: int) -> tuple[int, int]:
    """The number of documents before the page, and how many it has: 0 where nothing need be read."""
    first, limit = asked.window
    size = max(0, min(total - first, total if limit is None else limit))
    if size > asked.limits.documents:
        because = f"there are {size:,} documents, and one page may have {asked.limits.documents:,}"
        raise wrong("$limit", because, f"Write $limit={asked.limits.documents}, and read the next page")
    return first, size


def _enveloped(docs: list[Any], total: int, asked: Asked) -> dict[str, Any]:
    return envelope(docs, total, asked.skip, asked.limit, asked.page)


def _owner(below: AssociationResource, key: Any, asked: Asked) -> tuple[Any, int | None]:
    """The owner, and how many children it has, where one statement can tell both."""
    association, model = below.association, below.owner.model
    columns, owner_is = list(model._meta.sorted_fields), rows_among(model, [key])
    counting: list[Any] = []
    if _together(below):
        conditions = association.filters(f"GET of {association.label}", asked.where, asked.through_where)
        counting = [association.select([fn.COUNT(peewee.SQL("1"))], both(association.near_is([key]), conditions))]
    row = model._meta.database.execute(model.select(*columns, *counting).where(owner_is)).fetchone()
    if row is None:
        raise missing(below.owner, key)
    return reader(model, columns)(row), int(row[-1]) if counting else None


def _together(below: AssociationResource) -> bool:
    """Whether one statement reaches the owner and its children, by the key that the request names."""
    association, model = below.association, below.owner.model
    joined = same_database(model, association.target) and store_of(model._meta.database).joins and not association.apart
    return bool(joined and association.path[0].near == below.owner.key.name)


def _counted(below: AssociationResource, owner: Any, asked: Asked, embedded: Embedded) -> tuple[list[Any], int]:
    """The children of the page, and how many there are; counted only where the page does not tell."""
    (first, limit), most = asked.window, asked.limits.documents
    # One more than a page may have tells that there are too many; an offset that no store takes has no records behind it.
    size = 0 if asked.count or first >= 2**62 else most + 1 if limit is None else limit
    records = _fetched(below, owner, asked, embedded, first, size) if size else []
    if len(records) < size and (records or not first):
        return records, first + len(records)
    total = below.association.count(owner, where=asked.where, through_where=asked.through_where)
    if not asked.count:
        _page(asked, total)
    return records, total


def _fetched(below: AssociationResource, owner: Any, asked: Asked, embedded: Embedded, first: int, limit: int) -> list[Any]:
    """The children of an owner, with the first level of what they embed."""
    association: Any = below.association
    found: list[Any] = association.get(
        owner,
        where=asked.where,
        through_where=asked.through_where,
        order=list(asked.sort) or None,
        limit=limit,
        offset=first,
        populate=embedded.first(below.child) or None,
    )
    return found
