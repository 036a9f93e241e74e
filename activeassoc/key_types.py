"""Whether a column can hold the keys of another model: types that can never match are an error where they are declared.

Map: `check_types` compares a column written by hand with the field that it is to refer to; `family_of` is what it compares.
"""

from __future__ import annotations

from typing import Any

import peewee

from activeassoc.errors import DeclarationError
from activeassoc.registry import Model
from activeassoc.stores.sql import base_field, same_database

#: Types of which one matches the other within one database.
FAMILIES: tuple[tuple[str, Any], ...] = (
    ("integer", peewee.IntegerField),
    ("uuid", peewee.UUIDField),
    ("bytes", peewee.BlobField),
    ("text", (peewee.CharField, peewee.TextField, peewee.FixedCharField)),
)
#: What a text may spell, where two databases are asked and the program compares: "7" is 7 (H4).
SPELLED = ("integer", "uuid", "object_id")


def family_of(field: Any) -> str:
    """The name of the types that `field` matches; "" for the others, which match one another."""
    kind: Any = base_field(field)
    if isinstance(kind, peewee.BinaryUUIDField):
        return "uuid"
    if isinstance(getattr(kind, "stored_form", None), str):
        return str(kind.stored_form)
    return next((name for name, kinds in FAMILIES if isinstance(kind, kinds)), "")


def check_types(asked: str, holder: Model, field: Any, target: Model, referred: Any) -> None:
    """Raise where `field` of `holder` can hold no value of `referred`, a field of `target` (H4)."""
    if isinstance(field, peewee.AutoField):
        raise DeclarationError(
            asked,
            f"{holder.__name__}.{field.name} is a number that the database gives out, and can refer to nothing",
            "Give another foreign_key",
        )
    if same_database(holder, target):
        matching = all(isinstance(referred, kinds) == isinstance(field, kinds) for _, kinds in FAMILIES)
    else:
        mine, theirs = family_of(field), family_of(referred)
        matching = mine == theirs or (mine == "text" and theirs in SPELLED) or (theirs == "text" and mine in SPELLED)
    if not matching:
        raise DeclarationError(
            asked,
            f"{holder.__name__}.{field.name} is of type {type(field).__name__} and can hold no key of "
            f"{target.__name__}, whose {referred.name} is of type {type(referred).__name__}",
            "Give the column the type of the key, or another foreign_key",
        )
