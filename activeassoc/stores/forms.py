"""The one form that the values of a field have within a plan, so that equal values are equal on every store without SQL.

peewee converts a value for a driver that does the rest; here nothing comes after. So what peewee makes of it is checked, and brought
into one Python type for each type of field: ``"7"`` for an IntegerField is 7, a bytearray is bytes, a datetime with a time zone is the
UTC without one. What has no such form (NaN, a number beyond 64 bits, a text that is no date) is refused with UnfitValue, in
comparisons too: a comparison with what no row can hold would silently find nothing.

Map: `FORMS` names the forms and says what each holds; `form_of` finds that of a field; `former` makes the function that converts its
values; `formed_alone` is for values that stand beside no column.
"""

from __future__ import annotations

import datetime
import decimal
import json
import math
import uuid
from collections.abc import Callable, Mapping
from typing import Any

import peewee
from peewee import Field

from activeassoc.errors import AssociationError, UnfitValue
from activeassoc.own import converts_as_peewee
from activeassoc.stores.capabilities import Store
from activeassoc.stores.sql import base_field

__all__ = ["FORMS", "form_of", "formed_alone", "former", "key_of"]

#: The forms, with the Python type of the values, and what messages call them.
FORMS: dict[str, tuple[type, str]] = {
    "integer": (int, "whole numbers of 64 bits"),
    "float": (float, "numbers"),
    "decimal": (decimal.Decimal, "decimal numbers"),
    "text": (str, "texts"),
    "bool": (bool, "True or False"),
    "bytes": (bytes, "bytes"),
    "date": (datetime.date, "dates"),
    "datetime": (datetime.datetime, "dates with a time"),
    "time": (datetime.time, "times of the day without a time zone"),
    "uuid": (uuid.UUID, "UUIDs"),
    "object_id": (str, "ObjectIds"),
    "json": (object, "JSON"),
    "any": (object, "values of its own kind"),
}

#: The first class that a field is of counts, so subclasses come first.
_FORM_OF: tuple[tuple[type[Field], str], ...] = (
    (peewee.BooleanField, "bool"),
    (peewee.IntegerField, "integer"),  # TimestampField, IPField and BitField too
    (peewee.FloatField, "float"),
    (peewee.DecimalField, "decimal"),
    (peewee.CharField, "text"),
    (peewee.TextField, "text"),
    (peewee.UUIDField, "uuid"),
    (peewee.BinaryUUIDField, "uuid"),
    (peewee.BlobField, "bytes"),
    (peewee.DateTimeField, "datetime"),
    (peewee.DateField, "date"),
    (peewee.TimeField, "time"),
    (peewee.JSONField, "json"),
)


def form_of(field: Field) -> str:
    """The form of a field's values; for a foreign key that of the field that it refers to."""
    kind = base_field(field)
    named = getattr(kind, "stored_form", None)
    if isinstance(named, str):
        return named
    for known, form in _FORM_OF:
        if isinstance(kind, known):
            # A class of the user's own that converts in its own way may store anything.
            return form if converts_as_peewee(type(kind)) else "any"
    return "any"


def former(field: Field, store: Store, writing: bool = False) -> Callable[..., Any]:
    """A function from a value for `field` to its form: ``(value, converted=False)``, where `converted` says that peewee converted it.

    None stays None. Raises UnfitValue. When `writing`, decimals are rounded to the places of the column; a comparison is not, as what
    is less than 1.125 need not be less than 1.12.
    """
    form, kind = form_of(field), base_field(field)
    convert: Callable[[Any], Any] = field.db_value
    settle, check = _SETTLED[form](kind, store, writing), _CHECKED.get(form)

    def formed(value: Any, converted: bool = False) -> Any:
        if value is None:
            return None
        try:
            if not converted:
                if isinstance(value, peewee.Model) and not isinstance(field, peewee.ForeignKeyField):
                    value = key_of(value)
                if check is not None and not isinstance(value, peewee.Node):
                    check(value)
                found = convert(value)
                if found is None:
                    return None
            else:
                found = value
            return settle(found.value if isinstance(found, peewee.Value) else found)
        except AssociationError:
            raise
        except Exception as error:  # a field of the user's own may raise anything
            raise _unfit(field, form, value, error) from None

    return formed


def key_of(record: Any) -> Any:
    """A record's primary key, as it is."""
    return record.__data__.get(record._meta.primary_key.name)


def formed_alone(value: Any) -> Any:
    """The form of a value that is compared with no column of its own, told by its Python type. Raises UnfitValue."""
    if value is None:
        return None
    try:
        return _any(value)
    except (TypeError, ValueError, ArithmeticError) as error:
        raise UnfitValue(
            f"a query with {_shown(value)}", f"no column holds such a value{_reason(error)}", "Give another one", field=None, value=value
        ) from None


class _Refused(ValueError):
    """A value that is refused for a reason worth telling."""


def _reason(error: Exception) -> str:
    return f" ({error})" if isinstance(error, _Refused) else ""


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _unfit(field: Field, form: str, value: Any, error: Exception) -> UnfitValue:
    name = f"{field.model.__name__}.{field.name}"
    return UnfitValue(
        f"{name} with {_shown(value)}",
        f"{name} holds {FORMS[form][1]}, and this is none of them{_reason(error)}",
        "Give another value",
        model=field.model,
        field=field,
        value=value,
    )


# What peewee would change without a word, and is refused


def _whole(value: Any) -> None:
    if isinstance(value, (float, decimal.Decimal)) and value != int(value):
        raise _Refused("it would be cut to a whole number")


def _true_or_false(value: Any) -> None:
    if value not in (0, 1):
        raise TypeError


def _no_container(value: Any) -> None:
    if isinstance(value, (Mapping, list, tuple, set, frozenset)):
        raise TypeError


_CHECKED: dict[str, Callable[[Any], None]] = {"integer": _whole, "bool": _true_or_false, "text": _no_container}


# One function for each form: from the field, the store and whether it is for writing, to the function that settles a value


def _plainly(settle: Callable[[Any], Any]) -> Callable[..., Callable[[Any], Any]]:
    return lambda kind, store, writing: settle


def _integer(value: Any) -> int:
    if isinstance(value, str):
        raise TypeError
    found = int(value)
    if found != value:
        raise ValueError
    if not -(2**63) <= found < 2**63:
        raise _Refused("it has more than 64 bits")
    return found


def _float(value: Any) -> float:
    if isinstance(value, str):
        raise TypeError
    try:
        found = float(value)
    except OverflowError:
        raise _Refused("it is too large") from None
    if not math.isfinite(found):
        raise _Refused("it is not finite")
    return found or 0.0  # -0.0 is 0.0


#: What Decimal128 of BSON has, and more than any SQL store is asked for in practice.
_DIGITS = 34
_EXACT = decimal.Context(prec=100, Emin=decimal.MIN_EMIN, Emax=decimal.MAX_EMAX, traps=[decimal.InvalidOperation])


def _decimal_of(kind: Any, store: Store, writing: bool) -> Callable[[Any], Any]:
    def settle(value: Any) -> decimal.Decimal:
        if isinstance(value, bool):
            raise TypeError
        found = value if isinstance(value, decimal.Decimal) else decimal.Decimal(str(value))
        if not found.is_finite():
            raise _Refused("it is not finite")
        if writing:
            digits = min(kind.max_digits, _DIGITS)
            if found.adjusted() >= digits:
                raise _Refused(f"it has more than {digits} digits")
            found = found.quantize(kind._exp, rounding=kind.rounding, context=_EXACT)
            if len(found.as_tuple().digits) > digits:
                raise _Refused(f"it has more than {digits} digits")
        return _short_decimal(found)

    return settle


def _short_decimal(found: decimal.Decimal) -> decimal.Decimal:
    if not found:
        found = abs(found)
    if len(found.as_tuple().digits) > _DIGITS:
        raise _Refused(f"it has more than {_DIGITS} digits")
    if not -6000 < found.adjusted() < 6000:
        raise _Refused("it is too large or too small")
    return found


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    found = str.__str__(value)  # str() of a member of an Enum would be its name
    if not found.isascii():
        try:
            found.encode()
        except UnicodeEncodeError:
            raise _Refused("half a surrogate pair is no text") from None
    return found


def _bool(value: Any) -> bool:
    if not isinstance(value, (bool, int)) or value not in (0, 1):
        raise TypeError
    return bool(value)


def _bytes(value: Any) -> bytes:
    if not isinstance(value, (bytes, bytearray, memoryview)):
        raise TypeError
    return bytes(value)


def _date(value: Any) -> datetime.date:
    if isinstance(value, datetime.datetime):
        return value.date()
    if not isinstance(value, datetime.date):
        raise TypeError
    return value


def _datetime_of(kind: Any, store: Store, writing: bool) -> Callable[[Any], Any]:
    return lambda value: _datetime(value, store.microseconds)


def _datetime(value: Any, microseconds: bool = True) -> datetime.datetime:
    if not isinstance(value, datetime.datetime):
        if not isinstance(value, datetime.date):
            raise TypeError
        value = datetime.datetime.combine(value, datetime.time())
    if value.tzinfo is not None:
        value = value.astimezone(datetime.UTC).replace(tzinfo=None)
    if value.fold:
        value = value.replace(fold=0)
    if not microseconds and value.microsecond % 1000:
        value = value.replace(microsecond=value.microsecond // 1000 * 1000)
    return value  # type: ignore[no-any-return]


def _time(value: Any) -> datetime.time:
    if not isinstance(value, datetime.time):
        raise TypeError
    if value.tzinfo is not None:
        raise _Refused("it has a time zone, and no date to tell what that means")
    return value.replace(fold=0) if value.fold else value


def _uuid(value: Any) -> uuid.UUID:
    if isinstance(value, uuid.UUID):
        return value
    if isinstance(value, (bytes, bytearray)):
        return uuid.UUID(bytes=bytes(value))
    return uuid.UUID(value)


def _object_id(value: Any) -> str:
    text = str(value)
    if len(text) != 24 or len(bytes.fromhex(text)) != 12:
        raise ValueError
    return text.lower()


def _json_of(kind: Any, store: Store, writing: bool) -> Callable[[Any], Any]:
    dumps = getattr(kind, "_dumps", json.dumps)
    if dumps is json.dumps:
        return _json
    return lambda value: _json(json.loads(dumps(value), parse_constant=_no_constant))  # in the words of the user's own dumps


def _no_constant(name: str) -> Any:
    raise _Refused(f"{name} is no number")


def _json(value: Any) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, int):
        return _integer(value)
    if isinstance(value, float):
        return _float(value)
    if isinstance(value, (list, tuple)):
        return [_json(each) for each in value]
    if isinstance(value, dict):
        if not all(isinstance(name, str) for name in value):
            raise _Refused("the names within an object are texts")
        return {_text(name): _json(each) for name, each in value.items()}
    raise TypeError


_BY_TYPE: tuple[tuple[type | tuple[type, ...], Callable[[Any], Any]], ...] = (
    (bool, bool),
    (int, _integer),
    (float, _float),
    (str, _text),
    (decimal.Decimal, lambda value: _short_decimal(value) if value.is_finite() else _not_finite()),
    ((bytes, bytearray, memoryview), _bytes),
    (datetime.datetime, _datetime),
    (datetime.date, _date),
    (datetime.time, _time),
    (uuid.UUID, _uuid),
    ((list, tuple, dict), _json),
)


def _not_finite() -> Any:
    raise _Refused("it is not finite")


def _any(value: Any) -> Any:
    for known, settle in _BY_TYPE:
        if isinstance(value, known):
            return settle(value)
    raise TypeError


def _any_of(kind: Any, store: Store, writing: bool) -> Callable[[Any], Any]:
    def settle(value: Any) -> Any:
        found = _any(value)
        return _datetime(found, store.microseconds) if isinstance(found, datetime.datetime) else found

    return settle


_SETTLED: dict[str, Callable[[Any, Store, bool], Callable[[Any], Any]]] = {
    "integer": _plainly(_integer),
    "float": _plainly(_float),
    "decimal": _decimal_of,
    "text": _plainly(_text),
    "bool": _plainly(_bool),
    "bytes": _plainly(_bytes),
    "date": _plainly(_date),
    "datetime": _datetime_of,
    "time": _plainly(_time),
    "uuid": _plainly(_uuid),
    "object_id": _plainly(_object_id),
    "json": _json_of,
    "any": _any_of,
}
