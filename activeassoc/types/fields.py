"""Columns in words of types: what a field's value is in Python, which parameters a new record takes, what has to be imported for it.

Map: `PYTHON` is the table; `value_of` the type of a field; `parameters_of` the fields of a new record, as keywords; `Imports` the names
that a file of types uses, each with the module that has it.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Collection, Iterator
from typing import NamedTuple

import peewee
from peewee import Field, ForeignKeyField

from activeassoc.errors import AssociationError
from activeassoc.key_lists import KeyListField
from activeassoc.keys import ReferenceField
from activeassoc.naming import camel
from activeassoc.registry import Model
from activeassoc.stores.object_id import ObjectIdField
from activeassoc.types.signatures import IMPORTS, WIDTH

__all__ = ["PYTHON", "Imports", "NewField", "accepted", "importable", "key_of", "parameters_of", "value_of"]

#: Class of fields → type of their values; the first that fits counts. Every other class is Any.
PYTHON: tuple[tuple[type[Field], str], ...] = (
    (peewee.TimestampField, "_datetime.datetime"),
    (peewee.IPField, "str"),
    (peewee.IntegerField, "int"),
    (peewee.BooleanField, "bool"),
    (peewee.FloatField, "float"),
    (peewee.DecimalField, "Decimal"),
    (peewee.CharField, "str"),
    (peewee.TextField, "str"),
    (peewee.UUIDField, "UUID"),
    (peewee.BinaryUUIDField, "UUID"),
    (peewee.BigBitField, "bytes"),
    (peewee.BlobField, "bytes"),
    (peewee.DateTimeField, "_datetime.datetime"),
    (peewee.DateField, "_datetime.date"),
    (peewee.TimeField, "_datetime.time"),
    (ObjectIdField, "ObjectId"),
)

#: Where the names of the table come from.
_FROM: dict[str, str] = {"Decimal": "decimal", "UUID": "uuid", "ObjectId": "bson", **IMPORTS}

#: Names that such files have already: a model that is called so gets its module's name in front.
RESERVED = {
    *(*_FROM, "AutoField", "BigAutoField", "Field", "Model"),
    *("BelongsTo", "HasMany", "HasOne", "KeyField", "KeyListField", "Link", "ManyToMany", "ReferencesMany"),
}

_KNOWN = ("peewee", "playhouse", "activeassoc")


def value_of(field: Field) -> str:
    """The type of a field's value, NULL left aside; a key has that of what it refers to, a converting field of the user's own Any."""
    if isinstance(field, ForeignKeyField):
        plain = getattr(field, "plain", None)
        return value_of(plain if plain is not None else field.rel_field)
    if isinstance(field, KeyListField):
        return f"list[{value_of(field.referred)}]"
    if isinstance(field, ReferenceField):
        try:
            return value_of(field.referred)
        except AssociationError:
            return "Any"
    holder = next(cls for cls in type(field).__mro__ if "python_value" in cls.__dict__)
    if holder.__module__.partition(".")[0] not in _KNOWN:
        return "Any"
    return next((text for kind, text in PYTHON if isinstance(field, kind)), "Any")


def key_of(model: Model) -> str:
    """The type of a model's primary key."""
    meta = model._meta
    if meta.composite_key:
        return f"tuple[{', '.join(value_of(field) for field in meta.get_primary_keys())}]"
    return value_of(meta.primary_key) if meta.primary_key else "Any"


def accepted(value: str) -> str:
    """What may be given where a value of this type is held: of an ObjectId also its digits."""
    return "ObjectId | str" if value == "ObjectId" else value


def importable(model: Model) -> bool:
    """Whether a file can name the model: a function's own cannot be named, nor one whose name is no name of Python's."""
    return all(part.isidentifier() and not keyword.iskeyword(part) for part in model.__qualname__.split("."))


class Imports:
    """The names that a file of types uses, and what to write at its head for them."""

    def __init__(self) -> None:
        self._used: dict[str, tuple[str, str]] = {}
        self._classes: dict[str, Model] = {}

    def model(self, model: Model) -> str:
        """What the model is called in this file; one that cannot be imported by name is any model."""
        path = model.__qualname__.split(".")
        if not importable(model) or getattr(model._meta, "made_for", None):
            self.take("Model", "activeassoc")
            return "Model"
        name, module = path[0], model.__module__
        if name in RESERVED or self._used.get(name, (module, name)) != (module, name):
            name = f"{camel(module.replace('.', '_'))}{name}"
        self._used[name] = (module, path[0])
        return ".".join([name, *path[1:]])

    def class_name(self, model: Model) -> str:
        """What the classes for this model begin with: its name, with its module's in front where another one has it."""
        name = model.__name__ if model.__name__.isidentifier() else "Model" + re.sub(r"\W", "_", model.__name__)
        if self._classes.setdefault(name, model) is not model:
            name = camel(f"{model.__module__}.{model.__qualname__}".replace(".", "_"))
        return str(name)

    def take(self, name: str, module: str) -> None:
        """Use this name of a module."""
        self._used[name] = (module, name)

    def lines(self, text: str) -> list[str]:
        """The imports that a text needs: those of the standard library's words of types, and the others for checkers alone."""
        words = set(re.findall(r"[A-Za-z_]\w*", text))
        places = {**{name: (module, name) for name, module in _FROM.items()}, **self._used}
        names: dict[str, list[str]] = {}
        for name in sorted(words & places.keys(), key=_order):
            module, said = places[name]
            names.setdefault(module, []).append(name if name == said else f"{said} as {name}")
        always = ["import builtins"] if "builtins" in words else []
        guarded = ["import datetime as _datetime"] if "_datetime" in words else []
        for module in sorted(names, key=lambda module: (module not in _STANDARD, module)):
            (always if module in _ALWAYS else guarded).extend(_import(module, names[module]))
        return [*always, "", *(["if TYPE_CHECKING:", *(f"    {line}" for line in guarded)] if guarded else [])]


_ALWAYS = ("collections.abc", "typing")
_STANDARD = (*_ALWAYS, "decimal", "uuid")


def _order(name: str) -> tuple[int, str]:
    """As tools sort what is imported of a module: constants, classes, functions."""
    return (0 if name.isupper() else 1 if name[0].isupper() else 2), name


def _import(module: str, names: list[str]) -> list[str]:
    line = f"from {module} import {', '.join(names)}"
    return [line] if len(line) + 4 <= WIDTH else [f"from {module} import (", *(f"    {name}," for name in names), ")"]


class NewField(NamedTuple):
    """A field of a new record: its name, its type, and whether it has to be given."""

    name: str
    type: str
    required: bool


def parameters_of(fields: Collection[Field], imports: Imports) -> Iterator[NewField]:
    """These fields of a new record, those that have to be given first."""
    found: list[NewField] = []
    for field in fields:
        value = accepted(value_of(field))
        if isinstance(field, ForeignKeyField):
            value = f"{imports.model(field.rel_model)} | {value}"
        elif isinstance(field, KeyListField):
            value = f"Iterable[{imports.model(field.target)} | {accepted(value_of(field.referred))}]"
        if field.null and value != "Any":
            value += " | None"
        given = field.null or field.default is not None or bool(field.constraints) or field.auto_increment or not field.name.isidentifier()
        if field.name.isidentifier():
            found.append(NewField(field.name, value, not given))
    yield from sorted(found, key=lambda each: not each.required)
