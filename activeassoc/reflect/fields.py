"""Which field a column is: the field class, and the options that a person would write.

What `playhouse.reflection` says of a column's type is taken where it is right; the tables here say it for types that it does not know,
or takes for less than they hold.

Map: `field_of` is the way in; `TYPES` and `AFFINITIES` the tables; `default_of` reads a DEFAULT; `Written` is a field as code.
"""

from __future__ import annotations

import importlib
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, NamedTuple

import peewee

from activeassoc.reflect.layout import Node, literal
from activeassoc.stores import ddl

#: Types by the word that they are declared with, where playhouse does not know them, or says less than they are.
TYPES: Mapping[str, type[peewee.Field]] = {
    **dict.fromkeys(("varchar", "nvarchar", "varchar2", "nvarchar2", "character varying", "varying character"), peewee.CharField),
    **dict.fromkeys(("char", "nchar", "character", "native character"), peewee.FixedCharField),
    **dict.fromkeys(("clob", "ntext", "citext", "text", "tinytext", "mediumtext", "longtext"), peewee.TextField),
    **dict.fromkeys(("int2", "smallint", "smallserial", "tinyint"), peewee.SmallIntegerField),
    **dict.fromkeys(("int", "int4", "integer", "mediumint", "serial", "smallint unsigned", "mediumint unsigned"), peewee.IntegerField),
    **dict.fromkeys(("int8", "bigint", "long", "bigserial", "int unsigned", "integer unsigned", "bigint unsigned"), peewee.BigIntegerField),
    **dict.fromkeys(("double", "double precision", "float8"), peewee.DoubleField),
    **dict.fromkeys(("bool", "boolean", "tinyint(1)"), peewee.BooleanField),
    **dict.fromkeys(("datetime", "timestamp", "timestamp without time zone"), peewee.DateTimeField),
    **dict.fromkeys(("binary", "varbinary", "bytea", "image"), peewee.BlobField),
    "tinyint unsigned": peewee.SmallIntegerField,
    "enum": peewee.CharField,
    "set": peewee.CharField,
    "json": peewee.JSONField,
}

#: What SQLite keeps in a column whose type nobody knows.
AFFINITIES: Mapping[str, type[peewee.Field]] = {
    "INTEGER": peewee.IntegerField,
    "TEXT": peewee.TextField,
    "BLOB": peewee.BlobField,
    "REAL": peewee.FloatField,
}

#: Where playhouse has the fields of PostgreSQL's own types, and those which it does not think of there.
POSTGRES = "playhouse.postgres_ext"
IN_POSTGRES: Mapping[str, str] = {"timestamp with time zone": "DateTimeTZField", "interval": "IntervalField"}

#: The types that the database counts by itself, for those that the column would have otherwise.
COUNTED: Mapping[type[peewee.Field], type[peewee.Field]] = {
    peewee.SmallIntegerField: peewee.AutoField,
    peewee.IntegerField: peewee.AutoField,
    peewee.BigIntegerField: peewee.BigAutoField,
}

_BRACKETS = re.compile(r"\(([^)]*)\)")
_WORDS = re.compile(r"'((?:[^']|'')*)'")
_QUOTED = re.compile(r"^'((?:[^']|'')*)'(?:::[\w \"\[\]().]+)?$", re.DOTALL)
_NUMBER = re.compile(r"^\(?(-?\d+(?:\.\d+)?)\)?(?:::[\w ]+)?$")
_WORD = re.compile(r"^[A-Za-z][\w-]*$")
#: Words that stand for a value which only the database knows.
_COMPUTED = ("CURRENT", "LOCALTIME", "SESSION_USER", "USER", "NULL", "SYSTEM_USER")
_TRUTHS = {"true": True, "false": False, "1": True, "0": False, "b'1'": True, "b'0'": False, "t": True, "f": False}


class Told(NamedTuple):
    """What playhouse says of a column: the field class, or something else that it does not know; whether it counts by itself."""

    kind: Any
    extra: Mapping[str, Any]
    counted: bool


@dataclass
class Written:
    """A field as it stands in the code: its name there, its class, its options as code, and what is to be said of it."""

    name: str
    column: str
    kind: type[peewee.Field]
    options: dict[str, str | Node] = field(default_factory=dict)
    remark: str = ""

    @property
    def counted(self) -> bool:
        return issubclass(self.kind, peewee.AutoField)

    @property
    def indexed(self) -> bool:
        """It has an index unless it says otherwise."""
        return bool(getattr(self.kind, "default_index_type", None))


def field_of(name: str, column: ddl.Column, told: Told, dialect: ddl.Dialect, choices: Sequence[str] = ()) -> Written:
    """The field for a column; `told` is what playhouse says of it, `choices` are the words of an enumerated type."""
    kind = peewee.TextField if choices else _kind(column, told, dialect)
    options: dict[str, str | Node] = {} if name == column.name else {"column_name": literal(column.name)}
    if kind.__name__ == "ArrayField":
        options["field_class"] = told.extra["field_class"].__name__
    words = list(choices) or _words(column.type)
    if words:
        options["choices"] = Node("[", [Node("(", [literal(word)] * 2) for word in words], "]")
    if told.counted and kind in COUNTED:
        return Written(name, column.name, COUNTED[kind], options)
    options = {**options, **_lengths(kind, column.type), **default_of(kind, column.default)}
    return Written(name, column.name, kind, options, column.type if kind is peewee.BareField else "")


def _kind(column: ddl.Column, told: Told, dialect: ddl.Dialect) -> type[peewee.Field]:
    declared = " ".join(column.type.lower().split())
    own: Any = told.kind if isinstance(told.kind, type) and issubclass(told.kind, peewee.Field) else None
    if own is not None and own.__module__ == POSTGRES:
        return own  # type: ignore[no-any-return]
    word = " ".join(_BRACKETS.sub("", declared).split())
    if word in IN_POSTGRES:
        return getattr(importlib.import_module(POSTGRES), IN_POSTGRES[word])  # type: ignore[no-any-return]
    held = dialect.type_of(declared)
    kind = TYPES.get(declared) or TYPES.get(word) or own or AFFINITIES.get(held or "", peewee.BareField)
    if kind is peewee.FixedCharField and held in AFFINITIES:
        return peewee.CharField  # SQLite keeps whatever length comes, and peewee would cut it when it is read
    return kind


def _words(declared: str) -> list[str]:
    """The words of an ENUM."""
    return [word.replace("''", "'") for word in _WORDS.findall(declared)] if declared.lower().startswith("enum(") else []


def _lengths(kind: type[peewee.Field], declared: str) -> dict[str, str]:
    """The lengths that stand within the brackets of a type."""
    if declared.lower().startswith(("enum(", "set(")):
        words = [word.replace("''", "'") for word in _WORDS.findall(declared)]
        longest = max(map(len, words), default=1) if declared.lower().startswith("enum(") else len(",".join(words))
        return {"max_length": str(longest)}
    brackets = _BRACKETS.search(declared)
    numbers = [int(part) for part in brackets[1].split(",") if part.strip().isdigit()] if brackets else []
    if issubclass(kind, peewee.CharField):
        length = numbers[0] if numbers else None
        return {} if length == 255 else {"max_length": repr(length)}
    if issubclass(kind, peewee.DecimalField) and numbers:
        digits, places = [*numbers, 0][:2]
        return {"max_digits": str(digits), "decimal_places": str(places)}
    return {}


def default_of(kind: type[peewee.Field], declared: str | None) -> dict[str, str]:
    """A default as an option: a value where it is one that Python can write, else the words of the database."""
    if declared is None or issubclass(kind, peewee.AutoField) or declared.upper().startswith("NULL"):
        return {}
    quoted, number = _QUOTED.match(declared), _NUMBER.match(declared)
    text = quoted[1].replace("''", "'") if quoted else number[1] if number else None
    if text is None and issubclass(kind, peewee.CharField | peewee.TextField):
        if declared.startswith('"') and declared.endswith('"') and len(declared) > 1:
            text = declared[1:-1].replace('""', '"')
        elif _WORD.match(declared) and not declared.upper().startswith(_COMPUTED):
            text = declared  # MySQL tells a text without quotes
    if text is None and issubclass(kind, peewee.BooleanField):
        text = declared.lower()
    value = None if text is None else _value(kind, text)
    if value is not None:
        return {"default": value}
    return {"constraints": f"[SQL({literal(f'DEFAULT {_bracketed(declared)}')})]"}


def _value(kind: type[peewee.Field], text: str) -> str | None:
    """The code of the value that a text spells for this kind of field, None where it spells none."""
    try:
        if issubclass(kind, peewee.BooleanField):
            return repr(_TRUTHS[text.lower()])
        if issubclass(kind, peewee.IntegerField):
            return repr(int(text))
        if issubclass(kind, peewee.FloatField):
            return repr(float(text)) if math.isfinite(float(text)) else None
        if issubclass(kind, peewee.DecimalField):
            return f"Decimal({literal(str(Decimal(text)))})"
    except (ValueError, ArithmeticError, KeyError):
        return None
    if issubclass(kind, peewee.CharField | peewee.TextField):
        return literal(text)
    return None


def _bracketed(declared: str) -> str:
    """An expression that is no single word or call has to stand in brackets."""
    return declared if re.match(r"^[\w.]+(\(.*\))?(::[\w ]+)?$|^'|^\(", declared, re.DOTALL) else f"({declared})"
