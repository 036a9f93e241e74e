"""What the getters are given: conditions, names of fields, numbers; read and checked before a statement is made.

Map: `condition_of` reads a `where`, `fields_of` names of columns, `ordering_of` an order, `number` a limit or an offset;
`both` joins conditions; `leaves` and `fields_in` look through a node.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import reduce
from operator import and_
from typing import Any

import peewee
from peewee import Field, Node

from activeassoc import criteria
from activeassoc.errors import UnknownName, WrongArgument, nearest
from activeassoc.keys import field_names, find_field
from activeassoc.registry import Model


def both(*conditions: Any) -> Any:
    """The conditions joined by AND, None where there are none."""
    found = [condition for condition in conditions if condition is not None]
    return reduce(and_, found) if found else None


def condition_of(model: Model, value: Any, asked: str, option: str = "where") -> Any:
    """A `where`: a peewee expression, a criteria mapping (I), or None."""
    if value is None:
        return None
    if isinstance(value, Mapping):
        return criteria.parse(model, value, asked=asked)
    if isinstance(value, str):
        raise WrongArgument(
            asked,
            f"{option}={value!r} is a text, and a text could hold anything",
            f'Write {model.__name__}.{value}, or SQL("{value}") where it has to be SQL',
            value=value,
        )
    if not isinstance(value, Node) or isinstance(value, peewee.Model | type):
        raise WrongArgument(
            asked,
            f"{option}={value!r} is neither an expression nor a criteria mapping",
            f"Write an expression of {model.__name__}'s fields",
            value=value,
        )
    return value


def field_called(models: Sequence[Model], name: str, asked: str, option: str) -> Field:
    """The field called `name` of the first model that has it."""
    for model in models:
        field = find_field(model, name)
        if field is not None:
            return field
    known = field_names(models[0])
    raise UnknownName(
        asked, f"{models[0].__name__} has no field {name!r} for {option}", nearest(name, known), name=name, known=known
    )


def fields_of(model: Model, names: Any, asked: str, option: str) -> list[Field]:
    """The fields that `names` (names or fields, or one of these) mean."""
    if isinstance(names, str | Field):
        names = [names]
    found: list[Field] = []
    for name in names:
        if isinstance(name, str):
            field = field_called([model], name, asked, option)
        elif isinstance(name, Field) and name.model is model:
            field = name
        else:
            raise WrongArgument(
                asked, f"{name!r} in {option} is no field of {model.__name__}", "Give its fields or their names", value=name
            )
        # A list of fields cannot be asked with `in`: == builds an expression, which is true.
        if not any(field is other for other in found):
            found.append(field)
    return found


def ordering_of(models: Sequence[Model], order: Any, asked: str) -> list[Any]:
    """An `order`: a name, ``"-name"``, an expression, or a list of these, as ORDER BY terms; a name is of the first model that has it."""
    terms: list[Any] = []
    for term in [order] if isinstance(order, str | Node) or not isinstance(order, Iterable) else order:
        if isinstance(term, str):
            field = field_called(models, term.removeprefix("-"), asked, "order")
            terms.extend(criteria.ordering(field, descending=term.startswith("-")))
        elif isinstance(term, Node) and not isinstance(term, peewee.Model | type):
            terms.append(term)
        else:
            raise WrongArgument(
                asked, f"order={term!r} is neither a field, an expression nor a name", 'Write "title" or "-title"', value=term
            )
    return terms


def number(value: Any, asked: str, option: str) -> int | None:
    """A limit or an offset."""
    if value is None or (isinstance(value, int) and not isinstance(value, bool) and value >= 0):
        return value
    raise WrongArgument(asked, f"{option}={value!r} is no number of records", "Give a whole number from 0", value=value)


def leaves(node: Any) -> Iterator[Any]:
    """The fields and the pieces of SQL text of a node, however deep."""
    if isinstance(node, Field | peewee.SQL):
        yield node
    elif isinstance(node, list | tuple):
        for each in node:
            yield from leaves(each)
    elif isinstance(node, peewee.Node) and not isinstance(node, peewee.Model):
        for value in node.__dict__.values():
            yield from leaves(value)


def fields_in(node: Any) -> Iterator[Field]:
    """The fields that a condition names, those of queries within it apart."""
    if isinstance(node, Field):
        yield node
    elif isinstance(node, list | tuple):
        for each in node:
            yield from fields_in(each)
    elif isinstance(node, peewee.Node) and not isinstance(node, peewee.Model | peewee.Query):
        for value in node.__dict__.values():
            yield from fields_in(value)
