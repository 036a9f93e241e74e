"""What all writing accessors do the same way: making records, and leaving memory as it was when something fails.

Map: `values_given` reads what `create_x` was given, `mappings` what `create_xs` was; `match` finds the rows of the targets;
`as_before` puts the memory of records back when its block raises; `equalities` reads a scope as values to write.
"""

from __future__ import annotations

import contextlib
from collections.abc import Container, Iterable, Iterator, Mapping
from typing import Any

import peewee
from peewee import OP, Expression, Field

from activeassoc.associations.base import not_found
from activeassoc.errors import DeclarationError, UnknownName, WrongArgument, nearest
from activeassoc.keys import field_names, find_field
from activeassoc.registry import Model
from activeassoc.stores.sql import insert_all, spelled
from activeassoc.targets import Target, once


def values_given(model: Model, values: Any, fields: Mapping[str, Any], forced: Mapping[Field, Any], asked: str) -> dict[str, Any]:
    """Field names → values for a new record of `model`; `forced` is what the association writes."""
    if values is not None and not isinstance(values, Mapping):
        raise WrongArgument(
            asked,
            f"{values!r} is no mapping of fields to values",
            'Write keywords, or a mapping as in {"title": "…"}',
            value=values,
        )
    given: dict[str, Any] = {}
    for name, value in {**(values or {}), **fields}.items():
        field = find_field(model, name) if isinstance(name, str) else name
        if not isinstance(field, Field) or field.model is not model:
            known = field_names(model)
            raise UnknownName(asked, f"{model.__name__} has no field {name!r}", nearest(str(name), known), name=name, known=known)
        given[field.name] = value
    for field, value in forced.items():
        if field.name in given and given[field.name] != value:
            raise WrongArgument(
                asked,
                f"{field.name}={given[field.name]!r}, and the association writes {value!r} there",
                f"Leave {field.name} out",
                value=given[field.name],
            )
        given[field.name] = value
    return given


def mappings(values: Any, asked: str) -> list[Any]:
    """What ``create_xs`` was given, as a list."""
    if isinstance(values, Mapping | str | bytes) or not isinstance(values, Iterable):
        raise WrongArgument(asked, f"{values!r} is no list of mappings", 'Write [{"title": "…"}, …]', value=values)
    return list(values)


def saves_plainly(model: Model) -> bool:
    """Whether saving a record is one statement: ``save`` and ``create`` are not the user's own, which could do more and then fail."""
    return all(getattr(model, name).__module__ in ("activeassoc.model", "peewee") for name in ("save", "create", "__init__"))


def create_all(model: Model, rows: list[dict[str, Any]]) -> list[Any]:
    """New, saved records. One INSERT for all where they are many and their keys are known before, else one each.

    A key that the database makes is not told for every row of one INSERT, or not in the order of the rows.
    """
    if len(rows) < 2 or model._meta.auto_increment or not saves_plainly(model):
        return [model.create(**row) for row in rows]
    records = [model(**row) for row in rows]
    if any(record._pk is None or not _whole(record) for record in records):
        return [model.create(**row) for row in rows]
    fields = model._meta.sorted_fields
    insert_all(model, [{field: record.__data__.get(field.name) for field in fields} for record in records])
    for record in records:
        record._dirty.clear()
        record.__dict__["_stored"] = True
    return records


def _whole(record: Any) -> bool:
    """Whether no column is left to a default of the database."""
    return all(field.name in record.__data__ or not field.constraints for field in record._meta.sorted_fields)


def match(model: Model, rows: Container[Any], targets: list[Target], asked: str) -> list[Target]:
    """The targets without repeats, their keys spelled as the rows spell them; RecordNotFound lists those without a row.

    No query, unless text keys are missing: a collation may call "ann" and "Ann" one, and only the database knows.
    """
    missing = [target for target in targets if not target.new and target.key not in rows]
    if missing:
        texts = [target.key for target in missing if isinstance(target.key, str)]
        stored = spelled(model._meta.primary_key, texts) if texts else {}
        lost = [target.key for target in missing if stored.get(target.key) not in rows]
        if lost:
            raise not_found(asked, model, lost)
        for target in missing:
            target.key = stored[target.key]
    return once(targets) if missing else targets


def remember(record: Any) -> dict[str, Any]:
    """A copy of what an instance has in memory."""
    state = dict(record.__dict__)
    for name in ("__data__", "__rel__", "_loaded", "_links"):
        if name in state:
            state[name] = dict(state[name])
    if "_dirty" in state:
        state["_dirty"] = set(state["_dirty"])
    return state


@contextlib.contextmanager
def as_before(records: Iterable[Any]) -> Iterator[None]:
    """When the block raises, the records are in memory what they were before it (C3)."""
    states = [(record, remember(record)) for record in records]
    try:
        yield
    except BaseException:
        for record, state in states:
            record.__dict__.clear()
            record.__dict__.update(state)
        raise


def equalities(model: Model, where: Any, asked: str) -> dict[Field, Any]:
    """The values that a scope says new records have; a scope that is not all equalities refuses (A19)."""
    found: dict[Field, Any] = {}
    if where is None:
        return found
    if isinstance(where, Mapping):
        pairs = [(find_field(model, str(name)), value) for name, value in where.items()]
        if all(field is not None and not isinstance(value, Mapping | list | tuple | set) for field, value in pairs):
            return {field: value for field, value in pairs if field is not None}
    elif _read_equalities(model, where, found):
        return found
    raise DeclarationError(
        asked,
        "the association's where is not all equalities, so what a new record of it must be cannot be told",
        "Write the record itself, or give the association a where of equalities",
    )


def _read_equalities(model: Model, node: Any, found: dict[Field, Any]) -> bool:
    if not isinstance(node, Expression):
        return False
    if node.op == OP.AND:
        return _read_equalities(model, node.lhs, found) and _read_equalities(model, node.rhs, found)
    if not isinstance(node.lhs, Field) or node.lhs.model is not model:
        return False
    if (node.op == OP.EQ and not isinstance(node.rhs, peewee.Node)) or (node.op == OP.IS and node.rhs is None):
        found[node.lhs] = node.rhs
        return True
    if node.op == OP.EQ and isinstance(node.rhs, peewee.Model):
        found[node.lhs] = node.lhs.db_value(node.rhs)
        return True
    return False
