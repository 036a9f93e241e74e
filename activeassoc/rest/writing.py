"""Writes: records made, changed and deleted, and added to and removed from the lists of others; each all or nothing.

Map: `create`, `update`, `delete` and `delete_many` write the records of a model, `add` and `remove` its lists; `documents` is what is
answered. Before anything is written `authorize` and the `before` hooks are asked, and what is referred to is looked for.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import peewee

from activeassoc.associations.stages import transactional
from activeassoc.deleting.plan import delete_plan
from activeassoc.errors import RecordNotFound, TransactionAborted, UnknownName, listed, nearest
from activeassoc.keys import find_field
from activeassoc.rest.parameters import Asked
from activeassoc.rest.problems import BadRequest, Conflict, NotFound
from activeassoc.rest.resources import AssociationResource, Resource, array_of, current_request, showing_written
from activeassoc.rest.shape import Shape, plain
from activeassoc.stores.sql import among, every_row, groups, spelled, store_of
from activeassoc.stores.violations import FOREIGN_KEY, UNIQUE
from activeassoc.targets import key_of

#: What is said under the path of a field that refers to nothing.
NOT_THERE = "refers to a record that is not there"

# Records


def create(resource: Resource, rows: Sequence[dict[str, Any]], *, several: bool) -> Any:
    """The documents of new records with these values, by JSON names; one document where one was sent. All or none. (K3)"""
    given = []
    for row in rows:
        if resource.rest.authorize is not None:
            resource.let("create", resource.model(**_values(resource, row)))
        given.append(_before(resource, "create", row))
    prefixes = [f"{number}." if several else "" for number in range(len(rows))]
    _check_references(resource, given, prefixes)
    records = _create_all(resource, [_values(resource, row) for row in given], prefixes)
    _after(resource, "create", records)
    found = documents(resource, [key_of(record) for record in records])
    return found if several else found[0]


def _create_all(resource: Resource, rows: Sequence[dict[str, Any]], prefixes: Sequence[str]) -> list[Any]:
    records: list[Any] = []
    try:
        for row, prefix in zip(rows, prefixes, strict=True):
            record = resource.model(**row)
            with _named(resource, record, prefix, records):
                record.save(force_insert=True)
            records.append(record)
    except BaseException:
        if records and not transactional(resource.model):
            _delete_rows(resource, [key_of(record) for record in records])
        raise
    return records


def _delete_rows(resource: Resource, keys: Sequence[Any]) -> None:
    """Take back what was inserted, where the store cannot."""
    for some in groups(resource.model._meta.database, keys):
        resource.model.delete().where(among(resource.key, some)).execute()


def update(resource: Resource, key: Any, row: dict[str, Any]) -> Any:
    """The document of the record, with these values changed; what was not given stays. (K3)"""
    record = _one(resource, key, lock=True)
    resource.let("update", record)
    row = _before(resource, "update", row)
    _check_references(resource, [row], [""])
    values = _values(resource, row)
    for name, value in values.items():
        setattr(record, name, value)
    if values:
        with _named(resource, record, "", None):
            record.save(only=[resource.model._meta.fields[name] for name in values])
    _after(resource, "update", [record])
    return documents(resource, [key])[0]


def delete(resource: Resource, keys: Sequence[Any]) -> None:
    """Delete these records, all or none; what refers to them follows the rules of the keys. (K3)"""
    keys = list(dict.fromkeys(keys))
    records = _deletable(resource, keys)
    meant = list(_before(resource, "delete", keys))
    if meant != keys:
        records = _deletable(resource, meant)
    if not transactional(resource.model) and not delete_plan(*records).allowed:
        raise _still_needed(resource)
    for record in records:
        try:
            record.delete_instance()
        except peewee.IntegrityError as error:
            raise _still_needed(resource) from error
    _after(resource, "delete", records)


def _deletable(resource: Resource, keys: Sequence[Any]) -> list[Any]:
    records = _all(resource, keys)
    for record in records:
        resource.let("delete", record)
    return records


def _still_needed(resource: Resource) -> Conflict:
    return Conflict(f"A {resource.segment} cannot be deleted, as records that are to stay refer to it", {"id": "is referred to"})


def documents(resource: Resource, keys: Sequence[Any]) -> list[Any]:
    """The documents of the records with these keys, as they are now, in this order."""
    shape, token = Shape(Asked()), showing_written.set(True)
    try:
        return [shape.document(resource, record) for record in _all(resource, keys)]
    finally:
        showing_written.reset(token)


# Lists


def add(below: AssociationResource, owner_key: Any, entries: Sequence[tuple[Any, dict[str, Any]]]) -> None:
    """Add these children, each with the fields of its link by JSON names, to the list of an owner; all or none.

    What is there already stays, and gets the fields that were given. (K3, K4)
    """
    owner = _one(below.owner, owner_key)
    below.owner.let("add", owner)
    payload = [{"childId": key, **fields} for key, fields in entries]
    payload = _before(below.owner, "add", payload, below)
    children: dict[Any, dict[str, Any]] = {}
    for entry in payload:
        given = dict(entry)
        children.setdefault(given.pop("childId"), {}).update(given)
    _let_add(below, owner, children)
    if below.link is None:
        written: Any = list(children)
    else:
        _check_references(below.link, list(children.values()), [f"{number}." for number in range(len(children))])
        _check_kept(below, owner, children)
        written = {key: _values(below.link, fields) for key, fields in children.items()}
    with _named_below(below):
        try:
            below.association.add(owner, written)
        except RecordNotFound as error:
            gone = below.child if getattr(error, "model", None) is below.child.model else below.owner
            raise missing(gone, error.keys) from error
    _after(below.owner, "add", [owner], below)


def remove(below: AssociationResource, owner_key: Any, keys: Sequence[Any]) -> None:
    """Remove these children from the list of an owner; those that are not in it are left alone, those that are not there are 404. (K3)"""
    owner = _one(below.owner, owner_key)
    below.owner.let("remove", owner)
    payload = _before(below.owner, "remove", [{"childId": key} for key in dict.fromkeys(keys)], below)
    children: dict[Any, Any] = {entry["childId"]: None for entry in payload}
    found = _all(below.child, list(children))
    if below.link is not None:
        for row in _links(below, owner, found).values():
            below.link.let("delete", row)
    elif not below.association.key_on_source:
        _let_change(below, found)
    below.association.remove(owner, list(children))
    _after(below.owner, "remove", [owner], below)


def _let_add(below: AssociationResource, owner: Any, children: Mapping[Any, Mapping[str, Any]]) -> None:
    """Ask `authorize` of every record that is written: the children where their own rows are, and the links."""
    link, child = below.link, below.child
    # Their scope is written on the children of links too.
    written = below.association.where is not None or (link is None and not below.association.key_on_source)
    if not child.hides and not (written and child.rest.authorize) and (link is None or not link.rest.authorize):
        return
    found = _all(child, list(children))
    if written:
        _let_change(below, found)
    if link is None or link.rest.authorize is None:
        return
    there, (near, far) = _links(below, owner, found), below.association.path
    for record, fields in zip(found, children.values(), strict=True):
        if key_of(record) not in there:
            ends = {near.far: owner.__data__[near.near], far.near: record.__data__[far.far]}
            link.let("create", link.model(**ends, **_values(link, fields)))
        elif fields:
            link.let("update", there[key_of(record)])


def _let_change(below: AssociationResource, records: Iterable[Any]) -> None:
    for record in records:
        below.child.let("update", record)


def _links(below: AssociationResource, owner: Any, children: Sequence[Any]) -> dict[Any, Any]:
    """The links that there are to these children, by their keys; none where nobody is to be asked."""
    if below.link is None or below.link.rest.authorize is None:
        return {}
    keys = [key_of(record) for record in children]
    there = [record for some in groups(below.child.model._meta.database, keys) for record in _linked(below, owner, some)]
    return {key_of(record): getattr(record, below.association.link_name) for record in there}


def _linked(below: AssociationResource, owner: Any, keys: Sequence[Any]) -> list[Any]:
    found: list[Any] = below.association.get(owner, where=among(below.child.key, keys))
    return found


def _check_kept(below: AssociationResource, owner: Any, children: Mapping[Any, dict[str, Any]]) -> None:
    """Raise where a create-only field of a link that is there already would be written."""
    fixed = below.link.rest.create_only if below.link is not None else frozenset()
    names = {name for name, field in below.link_writable.items() if field.name in fixed}
    asked = {key: sorted(names & fields.keys()) for key, fields in children.items() if names & fields.keys()}
    if not asked:
        return
    there = below.association.get(owner, where=among(below.child.key, list(asked)))
    if there:
        name = asked[key_of(there[0])][0]
        raise BadRequest(f"{name} of a link is written when it is made, and never again", {name: "is not to be changed"})


# Rows


def _one(resource: Resource, key: Any, *, lock: bool = False) -> Any:
    query = resource.model.select().where(among(resource.key, [key]))
    if lock and store_of(resource.model._meta.database).row_locks:
        query = query.for_update()
    record = query.first()
    if record is None:
        raise missing(resource, [key])
    return record


def _all(resource: Resource, keys: Sequence[Any]) -> list[Any]:
    """The records with these keys, in this order; those that are not there are listed, and nothing is done."""
    found = {}
    for some in groups(resource.model._meta.database, keys) if keys else ():
        found.update({key_of(record): record for record in resource.model.select().where(among(resource.key, some))})
    texts = [key for key in keys if key not in found and isinstance(key, str)]
    stored = spelled(resource.key, texts) if texts else {}  # a collation may call "ann" and "Ann" one
    lost = [key for key in keys if stored.get(key, key) not in found]
    if lost:
        raise missing(resource, lost)
    return [found[stored.get(key, key)] for key in keys]


def missing(resource: Resource, keys: Iterable[Any]) -> NotFound:
    """The error that lists what is not there."""
    ids = listed([str(plain(key, resource.key)) for key in keys])
    return NotFound(f"There is no {resource.segment} with the id {ids}", {"id": f"there is none with the id {ids}"})


def _values(resource: Resource, row: Mapping[str, Any]) -> dict[str, Any]:
    """The values by the fields' own names. What a client sent is known already; what a hook added is not."""
    found = {}
    for name, value in row.items():
        field: Any = resource.fields[name] if name in resource.fields else find_field(resource.model, name)
        if field is None:
            raise UnknownName(
                f"{name!r} in what a hook made of a request",
                f"{resource.model.__name__} has no such field",
                nearest(name, resource.fields),
                name=name,
                known=list(resource.fields),
            )
        found[field.name] = value
    return found


# References


def _check_references(resource: Resource, rows: Sequence[Mapping[str, Any]], prefixes: Sequence[str]) -> None:
    """Raise NotFound where a key refers to no record. One query for each key that is given, whatever the number of rows."""
    wrong: dict[str, str] = {}
    for name, field in resource.fields.items():
        referred = field.rel_field if isinstance(field, peewee.ForeignKeyField) else array_of(field)
        if referred is None:
            continue
        given = {prefix + name: row[name] for row, prefix in zip(rows, prefixes, strict=True) if row.get(name) is not None}
        keys = {path: value if isinstance(value, list) else [value] for path, value in given.items()}
        wanted = {key for each in keys.values() for key in each}
        there = _there(referred, wanted, resource, rows) if wanted else set()
        wrong |= {path: NOT_THERE for path, each in keys.items() if not there.issuperset(each)}
    if wrong:
        raise NotFound(f"{listed(list(wrong))} {NOT_THERE}", wrong)


def _there(referred: Any, values: set[Any], resource: Resource, rows: Sequence[Mapping[str, Any]]) -> set[Any]:
    """Those of the values of the key `referred` that a record has, or is about to get in this same request."""
    model = referred.model
    found: set[Any] = set()
    for some in groups(model._meta.database, list(values)):
        # What the model hides from readers is not there.
        query = model.select(referred) if resource.served.resource_of(model).hides else every_row(model, referred)
        rows_there = model._meta.database.execute(query.where(among(referred, some))).fetchall()
        found.update(referred.python_value(row[0]) for row in rows_there)
    texts = [value for value in values - found if isinstance(value, str)]
    if texts:
        found.update(spelled(referred, texts))
    if model is resource.model:
        name = next((word for word, each in resource.fields.items() if each is referred), "")
        found.update(row[name] for row in rows if name in row)
    return found


# Broken rules


@contextlib.contextmanager
def _named(resource: Resource, record: Any, prefix: str, before: Sequence[Any] | None) -> Iterator[None]:
    """A block whose IntegrityError can tell, once the transaction is over, which fields it is about.

    `before` are the new records of the same request; None where the record is not new.
    """
    try:
        yield
    except peewee.IntegrityError as error:
        error.__dict__["broken"] = lambda: {
            UNIQUE: [prefix + name for name in _taken(resource, record, before)],
            FOREIGN_KEY: [prefix + name for name, field in resource.fields.items() if _is_given_key(field, record)],
        }
        raise


def _is_given_key(field: Any, record: Any) -> bool:
    return isinstance(field, peewee.ForeignKeyField) and record.__data__.get(field.name) is not None


@contextlib.contextmanager
def _named_below(below: AssociationResource) -> Iterator[None]:
    """The same for the key that an association writes on its children."""
    try:
        yield
    except (peewee.IntegrityError, TransactionAborted) as error:
        names = [] if below.link is not None else [
            name for name, field in below.child.readable.items() if any(key.field is field for key in below.association.keys)
        ]
        error.__dict__["broken"] = lambda: {UNIQUE: names}
        raise


def _taken(resource: Resource, record: Any, before: Sequence[Any] | None) -> list[str]:
    """The JSON names of the unique fields whose values another row has, or a record of the same request."""
    # What a client can neither read nor write is not named to it.
    names = {field.name: name for name, field in {**resource.readable, **resource.creatable}.items()}
    for fields in _unique(resource.model):
        values = [record.__data__.get(field.name) for field in fields]
        if any(value is None for value in values):
            continue
        query = resource.model.select(*resource.model._meta.get_primary_keys())
        for field, value in zip(fields, values, strict=True):
            query = query.where(field == value)
        others = [each for each in query.limit(2) if before is not None or key_of(each) != key_of(record)]
        here = [[each.__data__.get(field.name) for field in fields] for each in before or ()]
        if others or values in here:
            return [names[field.name] for field in fields if field.name in names]
    return []


def _unique(model: Any) -> Iterator[list[Any]]:
    """The fields of each unique index, those of the primary key first."""
    yield list(model._meta.get_primary_keys())
    for index in model._meta.fields_to_index():
        parts = getattr(index, "_expressions", ())
        if getattr(index, "_unique", False) and all(isinstance(part, peewee.Field) for part in parts):
            yield list(parts)


# Hooks


def _before(resource: Resource, action: str, payload: Any, below: AssociationResource | None = None) -> Any:
    """The payload, or what the hook made of it."""
    hook = resource.rest.before.get(action)
    if hook is None:
        return payload
    answer = hook(_request(below), resource.model, payload)
    return payload if answer is None else answer


def _after(resource: Resource, action: str, records: list[Any], below: AssociationResource | None = None) -> None:
    hook = resource.rest.after.get(action)
    if hook is not None:
        hook(_request(below), resource.model, records)


def _request(below: AssociationResource | None) -> Any:
    """The request, which tells hooks in ``request.state.association`` what list it is about."""
    request = current_request.get()
    request.state.association = below.association.name if below is not None else None
    return request
