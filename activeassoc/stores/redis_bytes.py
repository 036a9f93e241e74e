"""Values of fields as the bytes that stand in Redis, and back: equal values have equal bytes, so that an index can find them.

They are readable in redis-cli: numbers and texts as they are written, dates in ISO 8601, UUIDs as 32 hexadecimal digits, JSON with sorted
keys. A field of the user's own kind may hold anything: there the value's type stands in front (``i:7``, ``s:seven``).

Map: `Codec` is the pair of functions; `CODECS` has them by form; `codec_of` finds the one of a field.
"""

from __future__ import annotations

import datetime
import decimal
import json
import uuid
from collections.abc import Callable
from typing import Any, NamedTuple

import peewee

from activeassoc.stores.forms import form_of
from activeassoc.stores.sql import base_field

__all__ = ["Codec", "codec_of"]

#: Wide enough for every number that a column can be declared to hold.
_EXACT = decimal.Context(prec=10_000)


class Codec(NamedTuple):
    """How the values of a field become bytes, and bytes values again."""

    encode: Callable[[Any], bytes]
    decode: Callable[[bytes], Any]


def _encode_integer(value: Any) -> bytes:
    return b"%d" % value


def _encode_text(value: Any) -> bytes:
    return str.encode(value)


def _encode_boolean(value: Any) -> bytes:
    return b"1" if value else b"0"


def _decode_boolean(value: bytes) -> bool:
    return value == b"1"


def _encode_float(value: Any) -> bytes:
    return repr(value + 0.0).encode()  # -0.0 + 0.0 is 0.0


def _encode_decimal(value: Any) -> bytes:
    # 1.50 and 1.5 are one number, and so one entry of an index.
    number = decimal.Decimal(value).normalize(_EXACT)
    return format(number if number else decimal.Decimal(0), "f").encode()


def _decode_decimal(value: bytes) -> decimal.Decimal:
    return decimal.Decimal(value.decode())


def _decimal_of(field: Any) -> Codec:
    exponent = decimal.Decimal(1).scaleb(-field.decimal_places)

    def decode(value: bytes) -> decimal.Decimal:
        number = _decode_decimal(value)
        shown = number.quantize(exponent, context=_EXACT)
        return shown if shown == number else number

    return Codec(_encode_decimal, decode)


def _encode_iso(value: Any) -> bytes:
    return str.encode(value.isoformat())


def _encode_uuid(value: Any) -> bytes:
    return str.encode(value.hex)


def _decode_uuid(value: bytes) -> uuid.UUID:
    return uuid.UUID(value.decode())


def _encode_json(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def _datetime(value: bytes) -> datetime.datetime:
    return datetime.datetime.fromisoformat(value.decode())


def _date(value: bytes) -> datetime.date:
    return datetime.date.fromisoformat(value.decode())


def _time(value: bytes) -> datetime.time:
    return datetime.time.fromisoformat(value.decode())


INTEGER = Codec(_encode_integer, int)
TEXT = Codec(_encode_text, bytes.decode)
BOOLEAN = Codec(_encode_boolean, _decode_boolean)
FLOAT = Codec(_encode_float, float)
DECIMAL = Codec(_encode_decimal, _decode_decimal)
BYTES = Codec(bytes, bytes)
UUID = Codec(_encode_uuid, _decode_uuid)
DATETIME = Codec(_encode_iso, _datetime)
DATE = Codec(_encode_iso, _date)
TIME = Codec(_encode_iso, _time)
JSON = Codec(_encode_json, json.loads)

#: Values whose field says nothing of their type: a letter for it comes first.
_LETTERS: dict[type, tuple[bytes, Codec]] = {
    bool: (b"t", BOOLEAN),
    int: (b"i", INTEGER),
    float: (b"f", FLOAT),
    str: (b"s", TEXT),
    bytes: (b"b", BYTES),
    decimal.Decimal: (b"n", DECIMAL),
    datetime.datetime: (b"c", DATETIME),
    datetime.date: (b"d", DATE),
    datetime.time: (b"e", TIME),
    uuid.UUID: (b"u", UUID),
    list: (b"j", JSON),
    dict: (b"j", JSON),
}
_BY_LETTER = dict(_LETTERS.values())


def _encode_any(value: Any) -> bytes:
    letter, codec = _LETTERS[type(value)]
    return letter + b":" + codec.encode(value)


def _decode_any(value: bytes) -> Any:
    return _BY_LETTER[value[:1]].decode(value[2:])


ANY = Codec(_encode_any, _decode_any)

#: By the name of the form (`forms.FORMS`).
CODECS: dict[str, Codec] = {
    "integer": INTEGER,
    "float": FLOAT,
    "decimal": DECIMAL,
    "text": TEXT,
    "bool": BOOLEAN,
    "bytes": BYTES,
    "date": DATE,
    "datetime": DATETIME,
    "time": TIME,
    "uuid": UUID,
    "object_id": TEXT,
    "json": JSON,
    "any": ANY,
}


def codec_of(field: peewee.Field) -> Codec:
    """How the values of `field` are written; those of a foreign key as the ones that it refers to."""
    kind = base_field(field)
    if isinstance(kind, peewee.DecimalField):
        return _decimal_of(kind)
    return CODECS[form_of(field)]
