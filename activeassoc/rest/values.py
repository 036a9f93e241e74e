"""The values that a body may have, by the kind of field: read strictly, as the field's own type, and told so in the OpenAPI.

A text is never a number, a number never a date, and true is not 1. What the database could not store is refused here, on every store.

Map: `KINDS` is the table from field to type; `value_of` makes the type of one field, `key_of` that of a primary key in a path.
"""

from __future__ import annotations

import base64
import binascii
import datetime
import decimal
import ipaddress
import re
import uuid
from collections.abc import Callable
from typing import Annotated, Any

import peewee
from playhouse.pydantic_utils import choices_to_literal, get_field_type
from pydantic import AfterValidator, PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from activeassoc.rest.problems import BadRequest
from activeassoc.rest.resources import array_of, is_json, read_key
from activeassoc.stores.capabilities import store_of
from activeassoc.stores.sql import base_field

#: A type for pydantic: the reader of a value, and its JSON schema.
Kind = Any
#: How many levels of lists and mappings a JSON value may have.
DEEPEST = 100


def wrong(why: str) -> PydanticCustomError:
    """The error about a value."""
    return PydanticCustomError("value", why.replace("{", "(").replace("}", ")"))


def _kind(read: Callable[[Any], Any], schema: dict[str, Any]) -> Kind:
    return Annotated[Any, PlainValidator(read), WithJsonSchema(schema)]


# Numbers


def _bits(field: Any) -> int:
    if store_of(field.model._meta.database).wide_integers or isinstance(field, peewee.BigIntegerField | peewee.BigAutoField):
        return 64
    return 16 if isinstance(field, peewee.SmallIntegerField) else 32


def _integer(field: Any) -> Kind:
    bits = _bits(field)
    least, most = -(2 ** (bits - 1)), 2 ** (bits - 1) - 1

    def read(value: Any) -> int:
        if isinstance(value, float) and value.is_integer():
            value = int(value)  # 5.0 is an integer in JSON
        if isinstance(value, bool) or not isinstance(value, int):
            raise wrong("is no whole number")
        if not least <= value <= most:
            raise wrong(f"is out of the range of {bits} bits")
        return value

    return _kind(read, {"type": "integer", "minimum": least, "maximum": most})


def _float(field: Any) -> Kind:
    def read(value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise wrong("is no number")
        try:
            return float(value)
        except OverflowError:
            raise wrong("is out of the range of a float") from None

    return _kind(read, {"type": "number"})


def _decimal(field: Any) -> Kind:
    whole = (field.max_digits or 1000) - (field.decimal_places or 0)
    form = rf"[+-]?[0-9]{{1,{whole}}}(\.[0-9]{{0,1000}})?" if whole else r"[+-]?0?\.[0-9]{1,1000}"

    def read(value: Any) -> decimal.Decimal:
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            raise wrong("is no decimal")
        if isinstance(value, str) and not re.fullmatch(form, value, re.ASCII):
            raise wrong(f"is no decimal with at most {whole} digits before the point")
        found = decimal.Decimal(value if isinstance(value, str) else repr(value))
        if found and found.adjusted() >= whole:
            raise wrong(f"has more than {whole} digits before the point")
        return found

    number: dict[str, Any] = {"type": "number"}
    if whole < 300:
        number |= {"exclusiveMinimum": -(10**whole), "exclusiveMaximum": 10**whole}
    return _kind(read, {"anyOf": [number, {"type": "string", "pattern": f"^{form}$"}]})


# Texts


def stored_text(value: Any) -> str:
    """The text, where every database can store it."""
    if not isinstance(value, str):
        raise wrong("is no text")
    if "\0" in value:
        raise wrong("has a NUL character, which not every database stores")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise wrong("has half of a surrogate pair, which is no character") from None
    return value


def _text(field: Any) -> Kind:
    longest = getattr(field, "max_length", None)

    def read(value: Any) -> str:
        text = stored_text(value)
        if longest is not None and len(text) > longest:
            raise wrong(f"has more than {longest} characters")
        return text

    schema: dict[str, Any] = {"type": "string", "pattern": "^[^\\u0000]*$"}
    return _kind(read, schema if longest is None else {**schema, "maxLength": longest})


def _bytes(field: Any) -> Kind:
    def read(value: Any) -> bytes:
        try:
            return base64.b64decode(stored_text(value), validate=True)
        except (binascii.Error, ValueError):
            raise wrong("is no Base64") from None

    return _kind(read, {"type": "string", "contentEncoding": "base64", "pattern": "^([A-Za-z0-9+/]{4})*$"})


def _read_by(read_text: Callable[[str], Any], what: str, schema: dict[str, Any], pattern: str = "") -> Callable[[Any], Kind]:
    """A kind that is a text in JSON and something else in Python."""
    form = re.compile(pattern, re.ASCII)

    def read(value: Any) -> Any:
        text = stored_text(value)
        try:
            if pattern and not form.fullmatch(text):
                raise ValueError(text)
            return read_text(text)
        except (ValueError, OverflowError):
            raise wrong(f"is no {what}") from None

    return lambda field: _kind(read, schema)


# Dates: one with a time zone is stored as UTC, as a column without one cannot tell


def _moment(text: str) -> datetime.datetime:
    found = datetime.datetime.fromisoformat(text.upper())
    return found if found.tzinfo is None else found.astimezone(datetime.UTC).replace(tzinfo=None)


def _moment_with_zone(text: str) -> datetime.datetime:
    found = datetime.datetime.fromisoformat(text.upper())
    # The database answers in a zone of its own, where there has to be such a moment too.
    return found if found.tzinfo is None else found.astimezone(datetime.UTC)


_DAY = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_CLOCK = r"([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\.[0-9]{1,6})?)?"
_ZONE = r"(Z|z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])?"
_MOMENT = {"what": "date and time: write 2020-01-31T12:00:00", "schema": {"type": "string", "format": "date-time"}}
_MOMENT["pattern"] = rf"{_DAY}([Tt ]{_CLOCK}{_ZONE})?"
_datetime = _read_by(_moment, **_MOMENT)  # type: ignore[arg-type]
_datetime_with_zone = _read_by(_moment_with_zone, **_MOMENT)  # type: ignore[arg-type]
_date = _read_by(datetime.date.fromisoformat, "date: write 2020-01-31", {"type": "string", "format": "date"}, _DAY)
_time = _read_by(datetime.time.fromisoformat, "time: write 12:00:00", {"type": "string", "pattern": f"^{_CLOCK}$"}, _CLOCK)
_HEXADECIMAL = "[0-9a-fA-F]"
_UUID = rf"{_HEXADECIMAL}{{8}}(-{_HEXADECIMAL}{{4}}){{3}}-{_HEXADECIMAL}{{12}}|{_HEXADECIMAL}{{32}}"
_uuid = _read_by(uuid.UUID, "UUID", {"type": "string", "format": "uuid"}, _UUID)
_address = _read_by(lambda text: str(ipaddress.IPv4Address(text)), "IPv4 address", {"type": "string", "format": "ipv4"})
_object_id = _read_by(str, "ObjectId", {"type": "string", "pattern": "^[0-9a-fA-F]{24}$"}, "[0-9a-fA-F]{24}")


def _boolean(field: Any) -> Kind:
    def read(value: Any) -> bool:
        if not isinstance(value, bool):
            raise wrong("is neither true nor false")
        return value

    return _kind(read, {"type": "boolean"})


def _anything(field: Any) -> Kind:
    def read(value: Any) -> Any:
        _check_within(value)
        return value

    return _kind(read, {})


def _check_within(value: Any) -> None:
    """Raise where a text anywhere within is none that every database stores, or where it nests too deep to be written again."""
    level, depth = [value], 0
    while level:
        depth += 1
        if depth > DEEPEST:
            raise wrong(f"nests deeper than {DEEPEST} levels")
        below: list[Any] = []
        for each in level:
            if isinstance(each, str):
                stored_text(each)
            elif isinstance(each, dict):
                below += [*each, *each.values()]
            elif isinstance(each, list):
                below += each
        level = below


def _by_peewee(field: Any) -> Kind:
    """What playhouse says of a field that is none of peewee's own."""
    return get_field_type(field)


_STRING, _NUMBER, _WHOLE = {"type": "string"}, {"anyOf": [{"type": "number"}, {"type": "string"}]}, {"type": "integer"}
#: (fields, what reads a value of a body, how the OpenAPI describes one of an answer); the first that fits, and of what is not here what
#: playhouse says. A float that JSON has no number for is answered as a text.
KINDS: tuple[tuple[Any, Callable[[Any], Kind], dict[str, Any]], ...] = (
    (peewee.TimestampField, _datetime, _STRING),
    (peewee.IPField, _address, _STRING),
    (peewee.IntegerField, _integer, _WHOLE),
    (peewee.FloatField, _float, _NUMBER),
    (peewee.DecimalField, _decimal, _STRING),
    (peewee.BooleanField, _boolean, {"type": "boolean"}),
    ((peewee.CharField, peewee.TextField), _text, _STRING),
    ((peewee.UUIDField, peewee.BinaryUUIDField), _uuid, _STRING),
    (peewee.BlobField, _bytes, _STRING),
    (peewee.DateTimeField, _datetime, _STRING),
    (peewee.DateField, _date, _STRING),
    (peewee.TimeField, _time, _STRING),
)
#: The same for fields that are told by what they store.
STORED: dict[str, tuple[Callable[[Any], Kind], dict[str, Any]]] = {
    "object_id": (_object_id, _STRING),
    "TIMESTAMPTZ": (_datetime_with_zone, _STRING),
}


def _row(field: Any) -> tuple[Callable[[Any], Kind], dict[str, Any]]:
    if is_json(field):
        return _anything, {}
    for word in (getattr(field, "stored_form", None), field.field_type):
        if isinstance(word, str) and word in STORED:
            return STORED[word]
    return next(((make, schema) for types, make, schema in KINDS if isinstance(field, types)), (_by_peewee, {}))


def value_of(field: Any, null: bool | None = None) -> Kind:
    """The type of the field's values in a body: of a key those of what it refers to; with its choices, and null where it may be. (K3)"""
    if array_of(field) is not None:
        return _keys(field)
    kind = base_field(field)
    made = _row(kind)[0](kind)
    if kind.choices:
        made = _one_of(made, [value for value, _ in kind.choices])
    made = Annotated[made, AfterValidator(_fitting(field))]
    return made | None if (field.null if null is None else null) else made


def answer_of(field: Any) -> Kind:
    """The type of the field's values in an answer, where only the OpenAPI looks at it. What a row holds may be older than the rules."""
    schema = {"type": "array"} if array_of(field) is not None else _row(base_field(field))[1]
    return Annotated[Any, WithJsonSchema(schema if not field.null or not schema else {"anyOf": [schema, {"type": "null"}]})]


def _keys(field: Any) -> Kind:
    """A list of keys; None is no list."""
    made: Any = list
    return made[value_of(array_of(field), null=False)]


def _one_of(kind: Kind, choices: list[Any]) -> Kind:
    literal = all(value is None or isinstance(value, str | int | bytes | bool) for value in choices)
    if literal and all(isinstance(value, str) for value in choices):
        return choices_to_literal([(value, value) for value in choices])

    def check(value: Any) -> Any:
        if value not in choices:
            raise wrong(f"is none of {', '.join(map(repr, choices))}")
        return value

    return Annotated[kind, AfterValidator(check)]


def _fitting(field: Any) -> Callable[[Any], Any]:
    """Raises for what the field itself cannot make a value of its column of."""

    def check(value: Any) -> Any:
        try:
            field.db_value(value)
        except (TypeError, ValueError, OverflowError, ArithmeticError):
            raise wrong(f"is no value of a {type(field).__name__}") from None
        return value

    return check


# Keys in paths

_KEYS: tuple[tuple[Any, Callable[[Any], dict[str, Any]]], ...] = (
    (peewee.IntegerField, lambda field: {"type": "integer", "minimum": -(2 ** (_bits(field) - 1)), "maximum": 2 ** (_bits(field) - 1) - 1}),
    ((peewee.UUIDField, peewee.BinaryUUIDField), lambda field: {"type": "string", "format": "uuid"}),
)


def key_of(field: Any, path: str) -> Kind:
    """The type of a primary key in a path, which is a text there."""
    kind = base_field(field)
    schema = next((make(kind) for types, make in _KEYS if isinstance(kind, types)), {"type": "string", "minLength": 1})

    def read(value: Any) -> Any:
        try:
            return read_key(field, value, path)
        except BadRequest as error:
            raise wrong(error.fields[path]) from None

    return Annotated[Any, PlainValidator(read), WithJsonSchema(schema)]


