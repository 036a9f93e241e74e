"""What a driver's value has to go through before it is the field's, and what a field's value before the driver takes it.

peewee asks ``field.python_value`` for every value of every row, though nearly always the driver's value is the field's already.
Of peewee's own fields it is known which type needs nothing; a value of another type (on SQLite any may come from any column) and every
field that converts in a way of its own is asked as before.

Map: `Conversion` is what is known of a field, as text for generated functions; `conversion_of` finds it; `KNOWN` is the table.
"""

from __future__ import annotations

import datetime
import decimal
import uuid
from collections.abc import Callable
from typing import Any, NamedTuple

import peewee
from peewee import Field

from activeassoc.keys import KeyField


class Known(NamedTuple):
    """A way to convert that is peewee's: values of `kind` stay as they are; `parse` reads texts as `convert` does, or raises."""

    kind: type | None
    parse: Callable[[str], Any] | None = None


def _of(field: type[Field]) -> tuple[Any, Any]:
    return field.python_value, field.adapt


def _date(text: str) -> datetime.date:
    return datetime.datetime.fromisoformat(text).date()  # date.fromisoformat takes more, and is wrong about some


#: By (python_value, adapt) of the field's class. What stands here is what these functions of peewee do, only sooner.
KNOWN: dict[tuple[Any, Any], Known] = {
    _of(Field): Known(None),
    _of(peewee.IntegerField): Known(int),
    _of(peewee.FloatField): Known(float),
    _of(peewee.CharField): Known(str),
    _of(peewee.BooleanField): Known(bool),
    _of(peewee.DecimalField): Known(decimal.Decimal),
    _of(peewee.UUIDField): Known(uuid.UUID),
    _of(peewee.DateTimeField): Known(datetime.datetime, datetime.datetime.fromisoformat),
    _of(peewee.DateField): Known(datetime.date, _date),
    _of(peewee.TimeField): Known(datetime.time, datetime.time.fromisoformat),
}


class Conversion(NamedTuple):
    """How one field's values are read; `way` is None where only the field knows."""

    field: Field
    way: Known | None

    @property
    def known(self) -> bool:
        return self.way is not None

    def names_for(self, name: str) -> dict[str, Any]:
        """What the text below uses, for a variable called `name`."""
        found: dict[str, Any] = {"type": type, f"convert_{name}": self.field.python_value}
        if self.way is not None and self.way.kind is not None:
            found[self.way.kind.__name__] = self.way.kind
        if self.way is not None and self.way.parse is not None:
            found[f"parse_{self.way.kind.__name__}"] = self.way.parse  # type: ignore[union-attr]
            found["str"] = str
        return found

    def statements(self, name: str) -> list[str]:
        """What replaces the variable's value by the converted one, where that is no expression."""
        if self.way is None or self.way.parse is None:
            return []
        kind = self.way.kind.__name__  # type: ignore[union-attr]
        return [
            f"if type({name}) is str:",
            "    try:",
            f"        {name} = parse_{kind}({name})",
            "    except ValueError:",
            f"        {name} = convert_{name}({name})",
            f"elif {name} is not None and type({name}) is not {kind}:",
            f"    {name} = convert_{name}({name})",
        ]

    def expression(self, name: str) -> str:
        """The converted value of the variable."""
        if self.way is None:
            return f"convert_{name}({name})"
        if self.way.kind is None or self.way.parse is not None:
            return name
        if self.way.kind is bool:
            return f"{name} if {name} is None else not not {name}"  # bool(…), without a call
        if self.field.null:
            return f"{name} if {name} is None or type({name}) is {self.way.kind.__name__} else convert_{name}({name})"
        return f"{name} if type({name}) is {self.way.kind.__name__} else convert_{name}({name})"


def conversion_of(field: Field) -> Conversion:
    """How values of `field` are read."""
    return Conversion(field, _way_of(field))


def _way_of(field: Any) -> Known | None:
    kind = type(field)
    own = field.__dict__
    if "python_value" in own or "adapt" in own:
        return None
    if kind.python_value is peewee.ForeignKeyField.python_value and kind.adapt is peewee.ForeignKeyField.adapt:
        return _way_of(field.rel_field)
    return KNOWN.get((kind.python_value, kind.adapt))


# Towards the database


class Unusual(Exception):
    """A value that the short road cannot take: an expression, a record."""


#: The types that (db_value, adapt) of peewee leave as they are.
KEPT_TYPES: dict[tuple[Any, Any], type] = {
    (field.db_value, field.adapt): kind
    for field, kind in (
        (peewee.IntegerField, int),
        (peewee.FloatField, float),
        (peewee.CharField, str),
        (peewee.BooleanField, bool),
        (peewee.DateTimeField, datetime.datetime),
        (peewee.DateField, datetime.date),
        (peewee.TimeField, datetime.time),
    )
}


def kept_type(field: Any) -> type | None:
    """The type whose values the driver gets as they are; None where the field is asked for each."""
    kind = type(field)
    if "db_value" in field.__dict__ or "adapt" in field.__dict__:
        return None
    if kind.adapt is peewee.ForeignKeyField.adapt and kind.db_value in (peewee.ForeignKeyField.db_value, KeyField.db_value):
        return kept_type(field.rel_field)
    return KEPT_TYPES.get((kind.db_value, kind.adapt))


def given(db_value: Callable[[Any], Any], value: Any) -> Any:
    """The value for the driver, as the field says; raises Unusual where it is no value but a piece of SQL."""
    if isinstance(value, peewee.Node) or peewee.is_model(value):  # type: ignore[attr-defined]
        raise Unusual
    found = db_value(value)
    if isinstance(found, peewee.Node) or peewee.is_model(found):  # type: ignore[attr-defined]
        raise Unusual
    return found


def expression_given(field: Field, name: str, names: dict[str, Any]) -> str:
    """The text of the value of `field` that the driver gets, from the variable `name`; what it uses is added to `names`."""
    names["given"], names[f"db_value_{name}"] = given, field.db_value
    kind = kept_type(field)
    if kind is None:
        return f"given(db_value_{name}, {name})"
    names["type"], names[kind.__name__] = type, kind
    test = f"type({name}) is {kind.__name__}" + (f" or {name} is None" if field.null else "")
    return f"{name} if {test} else given(db_value_{name}, {name})"
