"""What fields take in criteria: for each kind of field the operators that it knows, and how a value is read.

Map: a reader takes the value, the field that decides the type, and how the store compares; it raises ValueError (`Refused` with a
reason) where the value is none. The table `KINDS` tells which fields have which reader; `kind_of` finds the one of a field.
"""

from __future__ import annotations

import contextlib
import datetime
import decimal
import ipaddress
import math
import re
import struct
import uuid
from collections.abc import Callable
from typing import Any, NamedTuple

import peewee
from peewee import Field

from activeassoc.own import converts_as_peewee
from activeassoc.stores.comparing import Comparing
from activeassoc.stores.sql import base_field

__all__ = ["KINDS", "Kind", "Refused", "kind_of", "read_text"]

EQUALITY = ("=", "!=", "in", "nin")
COMPARABLE = (*EQUALITY, "<", "<=", ">", ">=")
ANY_TEXT = (*COMPARABLE, "like", "contains", "startsWith", "endsWith")


class Refused(ValueError):
    """A value that is refused for a reason worth telling."""


def _boolean(value: Any, field: Field, store: Comparing) -> bool:
    if type(value) is bool or (type(value) is int and value in (0, 1)):
        return bool(value)
    raise ValueError  # peewee would take "false" for True


_WHOLE = re.compile(r"-?[0-9]{1,20}", re.ASCII)
_NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)(e[+-]?[0-9]{1,4})?", re.ASCII | re.IGNORECASE)


def _whole(value: Any, field: Field, store: Comparing) -> int:
    if isinstance(value, bool):
        raise TypeError
    if isinstance(value, str):
        if not _WHOLE.fullmatch(value):  # int() takes other digits, underscores and white space too
            raise ValueError
        found = int(value)
    elif isinstance(value, (float, decimal.Decimal)):
        found = int(value)  # peewee would cut 1.5 to 1, and ask something else
        if found != value:
            raise ValueError
    else:
        found = int(value.__index__())
    if not -(2**63) <= found < 2**63:
        raise Refused("it has more than 64 bits")
    return found


def _float(value: Any, field: Field, store: Comparing) -> float:
    found = float(_numeric(value))
    if not math.isfinite(found):
        raise ValueError
    if store.single_floats and field.field_type == peewee.FloatField.field_type:
        # Equal to 0.1 is what is stored for 0.1. Not by CAST: PostgreSQL refuses to cast what is out of range.
        with contextlib.suppress(OverflowError):
            return float(struct.unpack("f", struct.pack("f", found))[0]) or found
    return found


def _decimal(value: Any, field: Field, store: Comparing) -> decimal.Decimal:
    value = _numeric(value)
    found = decimal.Decimal(repr(value) if isinstance(value, float) else value)
    if not found.is_finite():
        raise ValueError
    return found


def _numeric(value: Any) -> Any:
    if isinstance(value, str):
        if not _NUMBER.fullmatch(value):
            raise ValueError
        return value
    if isinstance(value, bool):
        raise TypeError
    if isinstance(value, decimal.Decimal):
        return value
    return float(value) if isinstance(value, float) else value.__index__()


def read_text(value: Any, field: Field, store: Comparing) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        value = int.__repr__(value)
    if not isinstance(value, str):
        raise TypeError
    found = str.__str__(value)  # str() of a member of an Enum would be its name
    if "\0" in found:
        raise Refused("no text holds a NUL character")  # PostgreSQL refuses it, GLOB of SQLite ends there
    try:
        found.encode()
    except UnicodeEncodeError:
        raise Refused("half a surrogate pair is no text") from None
    return found


def _fixed(value: Any, field: Field, store: Comparing) -> str:
    return read_text(value, field, store).strip()  # as peewee does when it writes


def _uuid(value: Any, field: Field, store: Comparing) -> uuid.UUID:
    return value if isinstance(value, uuid.UUID) else uuid.UUID(value)


def _bytes(value: Any, field: Field, store: Comparing) -> bytes:
    if not isinstance(value, (bytes, bytearray, memoryview)):
        raise TypeError
    return bytes(value)


def _datetime(value: Any, field: Any, store: Comparing) -> datetime.datetime:
    found = field.adapt(value) if isinstance(value, str) else value
    if isinstance(found, datetime.date) and not isinstance(found, datetime.datetime):
        found = datetime.datetime.combine(found, datetime.time())
    if not isinstance(found, datetime.datetime):
        raise TypeError
    _refuse_zone(found, field, store)
    return found


def _date(value: Any, field: Any, store: Comparing) -> datetime.date:
    found = peewee.format_date_time(value, field.formats) if isinstance(value, str) else value  # type: ignore[attr-defined, unused-ignore]
    if isinstance(found, datetime.datetime):
        if found.timetz() != datetime.time():  # peewee would cut the time off, and ask something else
            raise Refused("it has a time")
        return found.date()
    if not isinstance(found, datetime.date):
        raise TypeError
    return found


def _time(value: Any, field: Any, store: Comparing) -> datetime.time:
    found = field.adapt(value) if isinstance(value, str) else value
    if not isinstance(found, datetime.time):
        raise TypeError
    _refuse_zone(found, field, store)
    return found


def _refuse_zone(value: Any, field: Field, store: Comparing) -> None:
    # The SQL stores would compare the text, the clock of the session, or drop the zone: each something else.
    kept = store.zoned_times and store.time_zones if field.field_type == "TIME" else store.time_zones
    if value.tzinfo is not None and field.field_type in ("DATETIME", "TIME") and not kept:
        raise Refused("the column has no time zone, and the value has one")


def _timestamp(value: Any, field: Field, store: Comparing) -> Any:
    if isinstance(value, bool):
        raise TypeError
    return value  # db_value reads numbers, datetimes and their texts, and raises for the rest


def _address(value: Any, field: Field, store: Comparing) -> str:
    if not isinstance(value, (str, ipaddress.IPv4Address)):
        raise TypeError
    return str(ipaddress.IPv4Address(value))


def _unread(value: Any, field: Field, store: Comparing) -> Any:
    return value


def _unknown(value: Any, field: Field, store: Comparing) -> Any:
    raise ValueError


class Kind(NamedTuple):
    """What fields of some classes take."""

    fields: tuple[type[Field], ...]
    what: str
    operators: tuple[str, ...]
    read: Callable[[Any, Any, Comparing], Any]


#: The first kind that a field is of counts, so subclasses come first.
KINDS: tuple[Kind, ...] = (
    Kind((peewee.BooleanField,), "True or False", EQUALITY, _boolean),
    Kind((peewee.TimestampField,), "a point in time", COMPARABLE, _timestamp),
    Kind((peewee.IPField,), "an IPv4 address", COMPARABLE, _address),
    Kind((peewee.IntegerField,), "a whole number", COMPARABLE, _whole),
    Kind((peewee.FloatField,), "a number", COMPARABLE, _float),
    Kind((peewee.DecimalField,), "a decimal number", COMPARABLE, _decimal),
    Kind((peewee.FixedCharField,), "a text", ANY_TEXT, _fixed),
    Kind((peewee.CharField, peewee.TextField), "a text", ANY_TEXT, read_text),
    Kind((peewee.UUIDField, peewee.BinaryUUIDField), "a UUID", COMPARABLE, _uuid),
    Kind((peewee.BlobField,), "bytes", COMPARABLE, _bytes),
    Kind((peewee.DateTimeField,), "a date with time", COMPARABLE, _datetime),
    Kind((peewee.DateField,), "a date", COMPARABLE, _date),
    Kind((peewee.TimeField,), "a time of day", COMPARABLE, _time),
    Kind((peewee.JSONField,), "JSON, of which criteria compare nothing but None", EQUALITY, _unknown),
)
#: A class of the user's own that converts values in its own way: what it takes is what its db_value does not refuse.
OWN = Kind((Field,), "a value of this field", COMPARABLE, _unread)


def kind_of(field: Field) -> Kind:
    """What `field` takes."""
    decides = base_field(field)
    for kind in KINDS:
        if isinstance(decides, kind.fields):
            if converts_as_peewee(type(decides)) or getattr(decides, "stored_form", None) == "json":  # whatever is in it
                return kind
            return OWN._replace(operators=kind.operators)
    return OWN
