"""The options of the declaring calls, as type checkers see them; what each means stands with the calls, in `activeassoc.model`."""

from __future__ import annotations

from typing import Any, TypedDict

__all__ = ["BelongsToOptions", "CollectionOptions", "HasManyOptions", "HasOneOptions", "LinkOptions", "ReferenceOptions"]


class _KeyOptions(TypedDict, total=False):
    foreign_key: str | None
    on_delete: str | None
    on_update: str | None
    constraints: bool
    null: bool | None


class BelongsToOptions(_KeyOptions, total=False):
    """Of ``belongs_to``."""

    target_key: str | None
    unique: bool


class HasOneOptions(_KeyOptions, total=False):
    """Of ``has_one``."""

    source_key: str | None
    unique: bool
    where: Any


class LinkOptions(_KeyOptions, total=False):
    """Of ``belongs_to_many``, and of ``has_many`` beside `through`."""

    source_key: str | None
    target_key: str | None
    other_key: str | None
    where: Any
    order: Any
    unique: bool
    symmetric: bool
    dominant: bool
    embed: bool | None


class HasManyOptions(LinkOptions, total=False):
    """Of ``has_many`` to a target whose table has the key."""

    through: None


class ReferenceOptions(TypedDict, total=False):
    """Of ``reference`` in a class body, beside `null`."""

    unique: bool
    column_name: str | None
    on_delete: str | None
    on_update: str | None
    constraints: bool
    target_key: str | None
    dominant: bool


class CollectionOptions(TypedDict, total=False):
    """Of ``collection`` in a class body, beside `via` and `through`."""

    dominant: bool
    where: Any
    order: Any
    embed: bool | None
