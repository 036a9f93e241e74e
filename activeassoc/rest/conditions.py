"""Conditions that a request may ask for: ``name=Ann``, ``$exclude``, ``$term`` and ``$where``, as peewee expressions.

No part of an expression is the client's text: a name is looked up among the fields that may be filtered, a value is read as the field's
type says, by the package's criteria, and bound.

Map: `equal`, `without`, `holding` and `criteria_of` make one condition each, `all_of` joins them, `order` makes the terms of a sort;
`TEXTS` is how the text of a value is read, by the kind of field; `wrong` is the error about one parameter.
"""

from __future__ import annotations

import datetime
import json
import reprlib
from collections.abc import Callable, Mapping, Sequence
from functools import reduce
from operator import or_
from typing import Any

import peewee
from peewee import Field

from activeassoc import criteria
from activeassoc.associations.options import both
from activeassoc.errors import CriteriaError, nearest
from activeassoc.rest.limits import Limits
from activeassoc.rest.problems import BadRequest
from activeassoc.stores.comparing import comparing_of
from activeassoc.stores.sql import base_field

BOOLEANS = {"true": True, "1": True, "false": False, "0": False}
#: A value that is NULL, for every field but those of text.
NULL = "null"

_repr = reprlib.Repr()
_repr.maxstring = _repr.maxother = _repr.maxlong = 60


def shown(value: Any) -> str:
    """A value of the client's as a message shows it."""
    return _repr.repr(value)


def wrong(name: str, because: str, instead: str) -> BadRequest:
    """The error about one parameter."""
    return BadRequest(f"{name}: {because}. {instead}.", {name: because})


def check_text(name: str, values: Sequence[str]) -> None:
    """Raise where a parameter, or a value of it, has characters that no database stores."""
    for text in (name, *values):
        if "\0" in text or not _encodes(text):
            raise wrong(shown(name)[1:-1], "a NUL character or half of a surrogate pair is no text", "Leave it out")


def _encodes(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def all_of(conditions: Sequence[Any]) -> Any:
    """The conditions joined by AND; None where there are none."""
    return both(*conditions)


def order(field: Field, descending: bool) -> list[Any]:
    """The terms of ORDER BY for one field: NULLs are smaller than every value."""
    return criteria.ordering(field, descending=descending)


def link_fields(association: Any) -> dict[str, Field]:
    """The fields of the link by which children can be filtered and sorted: ``membership.role``."""
    if association is None or not association.link_name:
        return {}
    return {f"{association.link_name}.{name}": field for name, field in association.link_fields.items()}


# Values


def _boolean(text: str, field: Any) -> Any:
    return BOOLEANS.get(text.lower(), text)


def _moment(text: str, field: Any) -> Any:
    # As bodies are read: where the column has no time zone, what has one is UTC there.
    found = datetime.datetime.fromisoformat(text)
    return found if found.tzinfo is None or field.field_type == "TIMESTAMPTZ" else found.astimezone(datetime.UTC).replace(tzinfo=None)


def _timestamp(text: str, field: Any) -> Any:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else _moment(text, field)


#: How the text of a value is read. Whatever is not here, or is no such value, goes on as text, which criteria read or refuse.
TEXTS: tuple[tuple[type[Field], Callable[[str, Any], Any]], ...] = (
    (peewee.BooleanField, _boolean),
    (peewee.TimestampField, _timestamp),
    (peewee.DateTimeField, _moment),
    (peewee.DateField, lambda text, field: datetime.date.fromisoformat(text)),
    (peewee.TimeField, lambda text, field: datetime.time.fromisoformat(text)),
)


def value_of(text: str, field: Field) -> Any:
    """What a text in a URL, or in JSON, means as a value of `field`."""
    kind = base_field(field)
    if text == NULL and not isinstance(kind, peewee.CharField | peewee.TextField):
        return None
    for fields, read in TEXTS:
        if isinstance(kind, fields):
            try:
                return read(text, kind)
            except (ValueError, OverflowError):
                return text
    return text


# Conditions


def condition(name: str, shown_as: str, field: Field, operator: str, value: Any) -> Any:
    """``field operator value``, the value read; `name` is the parameter, `shown_as` what the field is called in JSON."""
    try:
        return criteria.Criteria(field.model, name).condition(field, shown_as, operator, value, False)
    except CriteriaError as error:
        raise wrong(name, error.because, error.instead) from None


def equal(name: str, values: Sequence[str], field: Field, limits: Limits) -> Any:
    """``field=value``: the field has this value, or one of these."""
    _check_number(name, len(values), limits)
    return condition(name, name, field, "in", [value_of(text, field) for text in values])


def without(name: str, values: Sequence[str], resource: Any, limits: Limits) -> Any:
    """``$exclude``: the key is none of these. Keys that are no texts may be separated by commas."""
    key = resource.key
    if key is None:
        raise wrong(name, f"{resource.segment} has no id", "Leave it out")
    if not isinstance(base_field(key), peewee.CharField | peewee.TextField):
        values = [text.strip() for value in values for text in value.split(",")]
    _check_number(name, len(values), limits)
    return condition(name, "id", key, "nin", [resource.read_key(text, name) for text in values])


def _check_number(name: str, count: int, limits: Limits) -> None:
    if count > limits.values:
        raise wrong(name, f"it has {count:,} values", f"Give at most {limits.values}")


def holding(name: str, text: str, fields: Sequence[Field], limits: Limits) -> Any:
    """``$term``: one of these fields has the text in it, taken literally, whatever its case."""
    if not text or len(text) > limits.text:
        because = "it is empty" if not text else f"it has {len(text):,} characters"
        raise wrong(name, because, f"Give 1 to {limits.text} characters")
    longest = comparing_of(fields[0].model._meta.database).longest_pattern
    if longest is not None and 2 * len(text.encode()) > longest:
        raise wrong(name, f"a text of {len(text):,} characters is too long for this database", "Give a shorter one")
    return reduce(or_, [field.contains(text) for field in fields])


# $where


class _Malformed(ValueError):
    """JSON that could be read in two ways, or that no field can hold."""


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise _Malformed("it names one thing twice")
    return found


def _no_number(text: str) -> Any:
    raise _Malformed(f"{text} is no number")


def criteria_of(name: str, text: str, resource: Any, limits: Limits) -> Any:
    """``$where``: criteria as JSON, of the fields that may be filtered and no others."""
    if len(text) > limits.text:
        raise wrong(name, f"it has {len(text):,} characters", f"Give at most {limits.text}")
    try:
        found = json.loads(text, object_pairs_hook=_once, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        because = str(error) if isinstance(error, _Malformed) else "it is no JSON"
        raise wrong(name, because, 'Write {"age": {">": 18}}') from None
    return _Where(name, resource, limits).all_of(found)


class _Where:
    """The criteria of one request."""

    def __init__(self, name: str, resource: Any, limits: Limits) -> None:
        self.name, self.resource, self.limits, self.conditions = name, resource, limits, 0

    def all_of(self, found: Any) -> Any:
        """The criteria as a condition."""
        try:
            return criteria.parse(self.resource.model, self.renamed(found), asked=self.name)
        except CriteriaError as error:
            raise wrong(self.name, error.because, error.instead) from None

    def renamed(self, found: Any, depth: int = 0) -> dict[str, Any]:
        """The same criteria, with the fields' own names in place of what they are called in JSON, and values as the fields have them."""
        if not isinstance(found, Mapping):
            raise wrong(self.name, f"{shown(found)} is no mapping of fields to values", 'Write {"age": {">": 18}}')
        if depth > criteria.DEEPEST:
            raise wrong(self.name, f"and, or and not nest deeper than {criteria.DEEPEST} levels", "Write flatter criteria")
        named: dict[str, Any] = {}
        for word, value in found.items():
            if word in criteria.COMBINING:
                named[word] = self.combined(word, value, depth + 1)
                continue
            self.conditions += len(value) if isinstance(value, Mapping) else 1
            if self.conditions > self.limits.conditions:
                raise wrong(self.name, f"it has more than {self.limits.conditions} conditions", "Ask for less at once")
            field = self.resource.filterable.get(word)
            if field is None:
                because = f"{self.resource.segment} has no field {shown(word)} to filter by"
                raise wrong(self.name, because, nearest(word[:100], self.resource.filterable))
            if field.name in named:
                raise wrong(self.name, f"it names {shown(word)} twice", 'Write {"and": [...]}')
            named[field.name] = self.values(field, value)
        return named

    def combined(self, word: str, value: Any, depth: int) -> Any:
        if word == "not":
            return self.renamed(value, depth)
        if not isinstance(value, list):
            raise wrong(self.name, f"{word!r} joins a list of criteria, and {shown(value)} is no list", f'Write {{"{word}": [...]}}')
        return [self.renamed(each, depth) for each in value]

    def values(self, field: Field, value: Any) -> Any:
        """A value, a list of them, or a mapping of operators to these, as the field has them."""
        if isinstance(value, Mapping):
            return {operator: self.scalars(field, each) for operator, each in value.items()}
        return self.scalars(field, value)

    def scalars(self, field: Field, value: Any) -> Any:
        if isinstance(value, list):
            _check_number(self.name, len(value), self.limits)
            return [self.scalar(field, each) for each in value]
        return self.scalar(field, value)

    def scalar(self, field: Field, value: Any) -> Any:
        # Whatever is no text is a value of JSON's own, or something that criteria refuse.
        return value_of(value, field) if isinstance(value, str) and value != NULL else value
