"""Models with arrays of ids: the call that declares one, and what saving a record does about them.

Map: `Arrays` is the part of `Model` that has ``references_many``; `notice` finds changed arrays before a save, `fields_of` tells what
``only=`` names, `to_write` which columns a save writes, and checks what the arrays hold, `are_written` notes afterwards that they are
stored; `copied` is for copies of records.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, Self, TypeVar, overload

import peewee

from activeassoc.associations import references_many as arrays_of_ids
from activeassoc.associations.writing import match
from activeassoc.declare import declare
from activeassoc.key_lists import KeyList, key_lists_of
from activeassoc.stores.sql import every_row, row_groups, rows_among
from activeassoc.targets import Target, key_of

if TYPE_CHECKING:
    from activeassoc.types.kinds import ReferencesMany

Referred = TypeVar("Referred", bound=peewee.Model)


class Arrays:
    """The part of `Model` that declares arrays of ids."""

    @overload
    @classmethod
    def references_many(cls, target: type[Referred], as_: str | tuple[str, str] | None = None) -> ReferencesMany[Self, Referred]: ...
    @overload
    @classmethod
    def references_many(cls, target: str, as_: str | tuple[str, str] | None = None) -> ReferencesMany[Self]: ...
    @classmethod
    def references_many(cls, target: Any, as_: str | tuple[str, str] | None = None, **refused: Any) -> Any:
        """A record of this model has several of `target`, by an array of their primary keys in a column. Returns the association.

        ``Post.references_many(Hashtag)`` adds the column hashtags, JSON in SQL and an array in documents, and gives ``post.hashtags``, a
        collection in the order of the array and assignable, ``post.hashtag_ids``, the keys, and get_hashtags, count_hashtags, set_hashtags,
        add_hashtag, add_hashtags, remove_hashtag, remove_hashtags, has_hashtag, has_hashtags, create_hashtag and create_hashtags. Hashtag
        knows nothing of it. `as_` names it, and the column. Other options raise DeclarationError and say what to do instead. (L1)
        """
        given = {} if as_ is None else {"as_": as_}
        return declare(cls, "references_many", target, {**given, **refused})

    # An array that was changed in place is as dirty as one that was assigned.

    def is_dirty(self: Any) -> bool:
        notice(self)
        return bool(self._dirty)

    @property
    def dirty_fields(self: Any) -> list[Any]:
        notice(self)
        return [field for field in self._meta.sorted_fields if field.name in self._dirty]

    @property
    def dirty_field_names(self) -> list[str]:
        return [field.name for field in self.dirty_fields]


def notice(record: Any) -> None:
    """Arrays that were changed in place are as unsaved as those that were assigned."""
    for field in key_lists_of(type(record)):
        held = record.__data__.get(field.name)
        if held is not None and not (isinstance(held, KeyList) and not held.changed):
            record._dirty.add(field.name)


def fields_of(model: Any, only: Any) -> Any:
    """What ``only=`` of a save names: an array may be called by its field, its column, or its association."""
    if only is None or not key_lists_of(model):
        return only
    combined = model._meta.combined
    kind = arrays_of_ids.ReferencesMany
    return [combined.get(each.key.attribute if isinstance(each, kind) else each, each) for each in only]


def to_write(record: Any, inserts: bool, only: Any) -> Any:
    """What `save` is to write: `only`, or where that says nothing all columns but the arrays that were not changed.

    Writing back an array that this instance has read would undo what others have added meanwhile. One SELECT for each array that is
    written and holds ids: RecordNotFound for those of no record.
    """
    arrays = key_lists_of(type(record))
    if not arrays:
        return only
    names = None if only is None else {getattr(field, "name", field) for field in only}
    left: list[Any] = []
    for field in arrays:
        held = record.__data__.get(field.name)
        if held is None or not (inserts or field.name in record._dirty):
            left.append(field)
        elif names is None or field.name in names:
            _check(record, field, held)
    meta = type(record)._meta
    if inserts or only is not None or not left or meta.only_save_dirty:
        return only
    left += meta.get_primary_keys()
    return [field for field in meta.sorted_fields if field.name in record.__data__ and not any(field is each for each in left)]


def _check(record: Any, field: Any, held: Any) -> None:
    """Every key of the array has a record; the array has the keys as the database spells them."""
    asked = f"{type(record).__name__}.save() with {field.column_name}"
    found: set[Any] = set()
    given, target = [Target(key) for key in field.keys(held, asked)], field.target
    primary = target._meta.primary_key
    for some in row_groups(target, [each.key for each in given]) if given else ():
        rows = target._meta.database.execute(every_row(target, primary).where(rows_among(target, some))).fetchall()
        found.update(primary.python_value(row[0]) for row in rows)
    keys = [each.key for each in match(target, found, given, asked)]
    if keys != held:
        record.__data__[field.name] = KeyList(keys)
    record._dirty.add(field.name)


def copied(columns: dict[str, Any]) -> dict[str, Any]:
    """The columns of a record for a copy of it: what is changed in place there is not changed here."""
    return {name: copy.copy(value) if type(value) is KeyList else value for name, value in columns.items()}


def are_written(record: Any, only: Any) -> None:
    """The arrays among what was saved are what the database holds."""
    names = None if only is None else {getattr(field, "name", field) for field in only}
    for field in key_lists_of(type(record)):
        if field.name in record.__data__ and (names is None or field.name in names):
            held = record.__data__[field.name] or ()
            if not (isinstance(held, KeyList) and not held.changed):
                _forget(record, field, held)
            record.__data__[field.name] = KeyList.of_row(held)
            record._dirty.discard(field.name)


def all_are_written(model: Any, records: list[Any], only: Any) -> None:
    """The same for records of `model` that were written by one statement."""
    for record in records if key_lists_of(model) else ():
        are_written(record, only)


def _forget(record: Any, field: Any, keys: Any) -> None:
    """What the record has loaded of the array that was written is asked for again, unless it is these very records."""
    collection = (record._loaded or {}).get(field.column_name)
    if collection is not None and collection.loaded and [key_of(each) for each in collection.held()] != list(keys):
        collection.forget()
