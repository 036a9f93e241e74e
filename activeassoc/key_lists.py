"""An array of another model's primary keys, in one column: ``post.hashtag_ids``.

The column holds JSON, so that every store has it. Keys that JSON has no form for stand in it as texts: UUIDs, decimals and dates as
Python writes them, bytes as hexadecimal digits, ObjectIds as theirs.

Map: `KeyListField` is the column, `KeyList` what an instance has under its name, a list that knows what is stored; `KeyListAccessor`
is the attribute; `key_lists_of` finds the arrays of a model, `arrays_of` those that hold keys of one, where `note` puts them.
"""

from __future__ import annotations

import decimal
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import peewee
from peewee import SQL, Node

from activeassoc.errors import UnfitValue, UnsavedRecordError, WrongTarget
from activeassoc.keys import is_saved, stranger
from activeassoc.own import converts_as_peewee
from activeassoc.registry import Model, is_record_of
from activeassoc.stores.arrays import stored
from activeassoc.stores.sql import base_field, coercer, every_row

__all__ = ["KeyList", "KeyListAccessor", "KeyListField", "arrays_of", "key_lists_of", "note", "shown"]


#: Columns of whole numbers hold those below it, wherever they are.
PLAIN = 2**31


class KeyList(list[Any]):
    """The keys of one record's array: a list, which also knows what the database holds, as far as this instance has seen it."""

    #: What is stored, None for a list that was never written.
    stored: tuple[Any, ...] | None = None

    @classmethod
    def of_row(cls, keys: Iterable[Any] = ()) -> KeyList:
        """What was read, or just written."""
        made = cls(keys)
        made.stored = tuple(made)
        return made

    @property
    def changed(self) -> bool:
        """Whether it is to be written: assigned, or changed in place."""
        return self.stored is None or tuple(self) != self.stored


class KeyListAccessor(peewee.FieldAccessor):
    """``post.hashtag_ids``: a list of keys. Assigned are keys and instances, in any iterable; what can be no key raises at once."""

    #: What comes from a row may be put into ``__data__`` past it.
    takes_rows = True

    def __get__(self, instance: Any, instance_type: Any = None) -> Any:
        if instance is None:
            return self.field
        held = instance.__data__
        if held.get(self.name) is None:
            # It was not read, or a row of a store without columns has none yet: an empty list, saved, would be a loss.
            there = is_saved(instance) and self.name not in held
            held[self.name] = self._read(instance) if there else KeyList.of_row()
        return held[self.name]

    def _read(self, instance: Any) -> KeyList:
        model: Any = self.model
        row = model._meta.database.execute(every_row(model, self.field).where(instance._pk_expr())).fetchone()
        return KeyList.of_row(() if row is None else self.field.python_value(row[0]) or ())

    def __set__(self, instance: Any, value: Any) -> None:
        self.put(instance, value, f"{self.model.__name__}.{self.name} = {shown(value)}")

    def put(self, instance: Any, value: Any, asked: str) -> None:
        """Assign it, in the words of who asked; what the instance holds loaded of the records is forgotten."""
        if not (type(value) is KeyList and value.stored is not None and not value.changed):
            made = KeyList(self.field.keys(value, asked))
        else:
            made = KeyList.of_row(value)  # of a row: by a constructor of the model's own, or of another record
        instance.__data__[self.name] = made
        instance._dirty.add(self.name)
        collection = (getattr(instance, "_loaded", None) or {}).get(self.field.column_name)
        if collection is not None:
            collection.forget()


class KeyListField(peewee.JSONField):
    """A column with an array of primary keys of `target`, each once, in order. NOT NULL, by default empty.

    The target is told of nothing: it has neither a method nor a constraint.
    """

    stored_form = "json"
    accessor_class = KeyListAccessor

    def __init__(self, target: Model, **options: Any) -> None:
        # In brackets: MySQL takes a default of JSON as an expression alone.
        super().__init__(default=KeyList.of_row, constraints=[SQL("DEFAULT ('[]')")], **options)
        self.target = target

    def bind(self, model: Any, name: str, set_attribute: bool = True) -> None:
        inherited: Any = super()
        inherited.bind(model, name, set_attribute)
        note(self)  # a subclass with a table of its own has a copy

    @property
    def referred(self) -> Any:
        """The target's primary key, whose values the array has."""
        return self.target._meta.primary_key

    # Arguments

    def keys(self, values: Any, asked: str) -> list[Any]:
        """The keys that these are, each once: keys and saved instances of the target, in any iterable; None is none at all.

        Raises WrongTarget for what can be no list of them, UnsavedRecordError for an instance without a row.
        """
        if values is None:
            return []
        single = (str, bytes, bytearray, memoryview, Mapping, peewee.Model, type)
        if isinstance(values, single) or not isinstance(values, Iterable):
            name = self.target.__name__
            raise WrongTarget(
                asked, f"{shown(values)} is no list of {name}", f"Give a list of {name} or of primary keys", value=values, model=self.target
            )
        coerce = coercer(self.referred)
        return list(dict.fromkeys([self._key(value, coerce, asked) for value in values]))

    def _key(self, value: Any, coerce: Any, asked: str) -> Any:
        record: Any = value
        if isinstance(value, peewee.Model):
            if not is_record_of(value, self.target):
                raise stranger(asked, value, self.target)
            if not is_saved(value):
                because = f"a {self.target.__name__} in the list is not saved yet, and has no key"
                raise UnsavedRecordError(asked, because, "Save it first", record=value)
            value = record._pk
        try:
            found = coerce(value)
            hash(found)
            return found
        except (TypeError, ValueError, AttributeError, ArithmeticError) as error:
            name, why = self.target.__name__, f"{self.referred.name}: {error}"
            raise WrongTarget(
                asked,
                f"{shown(value)} is no {name} and no key of one ({why})",
                f"Give a {name} or its primary key",
                value=value,
                model=self.target,
            ) from None

    # Values

    def element(self, key: Any) -> Any:
        """A key as the array has it: a whole number or a text."""
        kind = base_field(self.referred)
        if not converts_as_peewee(type(kind)):
            key = kind.db_value(key)
            key = key.value if isinstance(key, peewee.Value) else key
        if isinstance(key, bytes | bytearray | memoryview):
            return bytes(key).hex()
        if isinstance(key, decimal.Decimal):
            return f"{key.normalize():f}"  # 2.50 and 2.5 are one
        return key if isinstance(key, int | str) and not isinstance(key, bool) else str(key)

    def spellings(self, keys: Iterable[Any]) -> list[Any]:
        """The elements that mean one of these keys: as they are written here, and for a whole number its text, which reads as it, too."""
        found = [self.element(key) for key in keys]
        return [*found, *map(str, found)] if isinstance(base_field(self.referred), peewee.IntegerField) else found

    def key_reader(self) -> Callable[[Any], Any]:
        """A function from an element of the array to the key that it is, None where it can be none."""
        kind, coerce = base_field(self.referred), coercer(self.referred)
        of_bytes = isinstance(kind, peewee.BlobField) and not isinstance(kind, peewee.BinaryUUIDField)

        def read(element: Any) -> Any:
            if not isinstance(element, int | str) or isinstance(element, bool):
                return None
            try:
                return bytes.fromhex(element) if of_bytes and isinstance(element, str) else coerce(element)
            except (TypeError, ValueError, ArithmeticError):
                return None

        return read

    def db_value(self, value: Any) -> Any:
        if value is None or isinstance(value, Node):
            return value
        keys = self.keys(value, f"{self.model.__name__}.{self.name} with {shown(value)}")
        return stored(self, [self.element(key) for key in keys])

    def case_value(self, value: Any) -> Any:
        # bulk_update() writes CASE, whose parameters PostgreSQL takes for texts.
        helper: Any = self.__dict__.get("_helper")
        if value is None or isinstance(value, Node) or helper is None:
            return self.to_value(value)
        keys = self.keys(value, f"{self.model.__name__}.{self.name} with {shown(value)}")
        cast = helper.cast_for_case(self, [self.element(key) for key in keys])
        return self.to_value(value) if cast is None else cast

    def python_value(self, value: Any) -> Any:
        """The keys; what another program left there and can be no key is passed over, as ids of deleted records are."""
        elements = self.elements(value)
        if elements is None:
            return None
        kind = base_field(self.referred)
        numbers = isinstance(kind, peewee.IntegerField) and not isinstance(kind, peewee.SmallIntegerField)
        if numbers and set(map(type, elements)) == {int} and -min(elements) <= PLAIN > max(elements):
            return KeyList.of_row(dict.fromkeys(elements))
        keys = map(self.key_reader(), elements)
        return KeyList.of_row(dict.fromkeys(key for key in keys if key is not None))

    def elements(self, value: Any) -> list[Any] | None:
        """What the column holds, element by element as it is; None for NULL."""
        inherited: Any = super()
        found = inherited.python_value(value)
        if found is None or isinstance(found, list):
            return found
        raise UnfitValue(
            f"{self.model.__name__}.{self.name} of a row",
            f"the column holds {shown(found)}, and no list",
            f"Write a list of {self.target.__name__} keys into it",
            field=self,
            value=found,
        )


def shown(value: Any) -> str:
    """A value as messages show it."""
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def key_lists_of(model: Model) -> list[Any]:
    """The arrays of keys that `model` has."""
    return [field for field in model._meta.sorted_fields if isinstance(field, KeyListField)]


def arrays_of(target: Model) -> list[Any]:
    """The arrays that hold keys of `target`, of whichever model: peewee's backrefs know nothing of them."""
    return target._meta.__dict__.setdefault("association_arrays", [])  # type: ignore[no-any-return]


def note(field: KeyListField) -> None:
    """Let the target's deletions know of the array."""
    arrays = arrays_of(field.target)
    if not any(each is field for each in arrays):
        arrays.append(field)
