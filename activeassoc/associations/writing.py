"""What all writing accessors do the same way: making records, and leaving memory as it was when something fails.

Map: `made` makes a new record from what `create_x` was given; `saved` inserts new targets; `as_before` puts the memory of
records back when its block raises; `equalities` reads a scope as values to write.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import peewee
from peewee import OP, Expression, Field

from activeassoc.errors import DeclarationError, UnknownName, WrongArgument, nearest
from activeassoc.keys import field_names, find_field
from activeassoc.registry import Model


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


def made(model: Model, values: Any, fields: Mapping[str, Any], forced: Mapping[Field, Any], asked: str) -> Any:
    """A new, saved record."""
    return model.create(**values_given(model, values, fields, forced, asked))


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
