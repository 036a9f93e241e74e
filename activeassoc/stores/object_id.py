"""`ObjectIdField`: a key as MongoDB makes them, twelve bytes that are unique without asking a server.

``id = ObjectIdField(primary_key=True)`` needs no counter. A record of another database may refer to it: there it is stored as the
text of 24 hexadecimal digits, and read as an ObjectId again. pymongo, which brings ObjectId, is imported when the first value is read.
"""

from __future__ import annotations

import functools
from typing import Any

import peewee

from activeassoc.errors import DriverMissing, UnfitValue
from activeassoc.stores.forms import key_of

__all__ = ["ObjectIdField"]


class ObjectIdField(peewee.Field):
    """A field of ObjectIds. Takes an ObjectId or its 24 digits, and gives an ObjectId. As a primary key it is made on insert. (J4)"""

    field_type = "VARCHAR"
    #: How plans hold its values; see `forms`.
    stored_form = "object_id"

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        # peewee's word for a key that nobody has to give.
        self.auto_increment = self.primary_key

    def get_modifiers(self) -> list[int]:
        return [24]

    def db_value(self, value: Any) -> str | None:
        if value is None:
            return None
        if isinstance(value, peewee.Model):
            value = key_of(value)
        text = value if isinstance(value, str) else str(value) if isinstance(value, object_id()) else ""
        if len(text) == 24 and all(mark in "0123456789abcdefABCDEF" for mark in text):
            return text.lower()
        name = f"{self.model.__name__}.{self.name}" if hasattr(self, "model") else type(self).__name__
        raise UnfitValue(
            f"{name} with {value!r}",
            f"{name} holds ObjectIds, and this is none of them",
            "Give an ObjectId, or its 24 hexadecimal digits",
            field=self,
            value=value,
        )

    def python_value(self, value: Any) -> Any:
        return value if value is None or isinstance(value, object_id()) else object_id()(value)

    def new_key(self) -> str:
        """A key that no other record has."""
        return str(object_id()())


@functools.cache
def object_id() -> Any:
    """The class ObjectId of pymongo's package bson."""
    try:
        from bson import ObjectId
    except ImportError:
        instead = "Install it: pip install 'activeassoc[mongo]'"
        raise DriverMissing("a value of an ObjectIdField", "pymongo is not installed", instead) from None
    return ObjectId
