"""Key columns: the fields that refer to another model's record.

Map: `KeyField` is peewee's foreign-key field that does not take strangers, `UnconstrainedKeyField` the same without a constraint;
migrations name both, so that they keep their names and this place. `ReferenceField` is a column that refers to
another table and nothing more; `is_saved` tells whether an instance has a row; `has_constraint` is what sync
asks; `find_field`, `key_field` and `keys_to` find fields, `said_of` what a key that is there refers to.
"""

from __future__ import annotations

from typing import Any

import peewee
from peewee import Field, ForeignKeyField

from activeassoc import lazy, registry
from activeassoc.errors import DeclarationError, UnknownName, UnsavedRecordError, WrongTarget, nearest
from activeassoc.registry import Model, is_record_of, keys_of
from activeassoc.stores.capabilities import store_of
from activeassoc.stores.sql import same_database

RULES = ("RESTRICT", "CASCADE", "NO ACTION", "SET DEFAULT", "SET NULL")


def is_saved(record: Any) -> bool:
    """Whether the record has a row, as far as memory tells (C2).

    It was read, created or saved; or it was made by hand with an automatic key. A record made by hand with another kind
    of key is new.
    """
    meta = record._meta
    key = record._pk
    if key is None or (meta.composite_key and None in key):
        return False
    stored = getattr(record, "_stored", None)
    return bool(meta.auto_increment or not hasattr(type(record), "associations") if stored is None else stored)


class KeyAccessor(peewee.ForeignKeyAccessor):
    """``task.project``: as peewee's, but it refuses an instance of another model (peewee stores its id)."""

    def get_rel_instance(self, instance: Any) -> Any:
        # The policy is asked only where peewee would ask the database.
        name = self.name
        if name not in instance.__rel__ and instance.__data__.get(name) is not None and self.field.lazy_load:
            lazy.arrive(instance, name)
        return super().get_rel_instance(instance)  # type: ignore[no-untyped-call]

    def __set__(self, instance: Any, obj: Any) -> None:
        if isinstance(obj, peewee.Model) and not is_record_of(obj, self.rel_model):
            raise stranger(f"{self.model.__name__}.{self.name} = {obj!r}", obj, self.rel_model)
        super().__set__(instance, obj)


def stranger(asked: str, value: Any, model: Model) -> WrongTarget:
    """The error for an instance of another model."""
    return WrongTarget(
        asked,
        f"{type(value).__name__} is not {model.__name__}"
        if not isinstance(value, model)
        else f"{type(value).__name__} has a table of its own",
        f"Give a {model.__name__} or its primary key",
        value=value,
        model=model,
    )


class KeyField(ForeignKeyField):
    """A foreign-key field that an association uses.

    Nothing here refers to the association: peewee deep-copies fields into subclasses. What is known of the key stands in
    its record, ``registry.keys_of(model)``.
    """

    accessor_class = KeyAccessor
    constraint = True
    #: The plain field whose column this is, where there was one: it keeps its type.
    plain: Field | None = None

    @property
    def deferred(self) -> bool:
        """peewee leaves the constraint of a deferred field out of CREATE TABLE."""
        return bool(self.__dict__.get("_deferred")) or not has_constraint(self)

    @deferred.setter
    def deferred(self, value: Any) -> None:
        self.__dict__["_deferred"] = value

    @property
    def field_type(self) -> str:  # type: ignore[override]
        if self.plain is not None:
            return str(self.plain.field_type)
        referred: Any = self.rel_field
        if isinstance(referred, peewee.IntegerField) and self._wider(referred):
            return peewee.BigIntegerField.field_type
        if isinstance(referred, peewee.AutoField):
            return (
                peewee.BigIntegerField.field_type if isinstance(referred, peewee.BigAutoField) else peewee.IntegerField.field_type
            )
        return str(referred.field_type)

    def _wider(self, referred: Any) -> bool:
        """Whether the other database has keys of 64 bits under a type that has fewer here (H4)."""
        if "model" not in self.__dict__:  # of no model: a column that a migration adds to a table
            return False
        stores = [store_of(model._meta.database) for model in (self.model, self.rel_model)]
        return not same_database(self.model, self.rel_model) and stores[1].wide_integers and not stores[0].wide_integers

    def get_modifiers(self) -> Any:
        inherited: Any = super()
        return self.plain.get_modifiers() if self.plain is not None else inherited.get_modifiers()

    def db_value(self, value: Any) -> Any:
        if isinstance(value, peewee.Model):
            asked = f"{self.model.__name__}.{self.name} with {value!r}"
            if not is_record_of(value, self.rel_model):
                raise stranger(asked, value, self.rel_model)
            if getattr(value, self.rel_field.name) is None:
                # peewee would compare with NULL, and store NULL.
                raise UnsavedRecordError(asked, f"this {self.rel_model.__name__} is not saved yet", "Save it first", record=value)
        inherited: Any = super()
        return inherited.db_value(value)

    def constrain(self, wanted: bool) -> None:
        """Be a constraint in the database, or none. A migration that is generated is told by the class of the field."""
        self.constraint = wanted
        if type(self) in (KeyField, UnconstrainedKeyField):
            within = wanted and same_database(self.model, self.rel_model)
            self.__class__ = KeyField if within else UnconstrainedKeyField

    def stand_at(self, order: int | None) -> None:
        """Take this place among the model's fields, as peewee counts them; None leaves it the last one."""
        if order is not None:
            self.__dict__.update(_order=order, _sort_key=(2, order))

    def __getattr__(self, name: str) -> Any:
        # The field answers the verbs of its association: Task.project.set(task, p). (A5)
        if not name.startswith("_") and "model" in self.__dict__:
            association = getattr(self.model, "associations", {}).get(self.name)
            if association is not None and name in association.operations:
                return getattr(association, name)
        return super().__getattr__(name)


class UnconstrainedKeyField(KeyField):
    """A key that is no constraint in the database; in a migration, too, where no declaration says so."""

    constraint = False

    def clone(self) -> Any:
        """Of no model, it is a column that a migration adds: a plain one, as peewee's migrator gives every foreign key a constraint."""
        if "model" in self.__dict__:
            return super().clone()
        options = {"null": self.null, "unique": self.unique, "index": self.index, "default": self.default}
        return ReferenceField(self.rel_model, field=self.rel_field, column_name=self.column_name, **options)


def has_constraint(field: Any) -> bool:
    """Whether this foreign key is one in the database: not with ``constraints=False``, across databases, or where the store has none."""
    if not isinstance(field, ForeignKeyField):
        return False
    if not getattr(field, "constraint", True):
        return False
    return same_database(field.model, field.rel_model) and store_of(field.model._meta.database).constraints


class ReferenceField(Field):
    """A column that points to another table, with neither constraint nor association; it is indexed and holds the key.

    `to` is a model, or the name of a model or of a table (which may come later); `key` the field that it refers to, by
    default the primary key. `field` gives the column another type than that of the key; a table without a model needs
    it. ``series.trainer_id == 7``; a later ``Trainer.has_many(Series)`` finds and uses the column, still without a
    constraint. (A14; Sequelize's `references` in an attribute.)
    """

    def __init__(
        self, to: Model | str | None = None, key: str | None = None, field: Field | type[Field] | None = None, **options: Any
    ) -> None:
        options.setdefault("index", True)
        options.setdefault("null", True)
        super().__init__(**options)
        if to is None:  # as pwmigrate writes it down, which knows peewee's options alone
            raise WrongTarget(
                "ReferenceField()",
                "it does not say what it points to, and so has no type",
                'Write ReferenceField("Trainer"), and in a migration the field that has the type of the column, as in '
                "IntegerField(null=True, index=True)",
                value=to,
            )
        if not (isinstance(to, str) or (isinstance(to, type) and issubclass(to, peewee.Model))):
            raise WrongTarget(
                f"ReferenceField({to!r})", "this is neither a model nor a name", 'Write ReferenceField("Trainer")', value=to
            )
        self.to = to
        self.key = key
        self.own_type = field() if isinstance(field, type) else field

    @property
    def points_to(self) -> Model | None:
        """The model that is meant, or None while there is none."""
        if self.to == "self":
            return self.model
        return registry.find_table(self.to, registry.scope_of(self.model)) if isinstance(self.to, str) else self.to

    @property
    def referred(self) -> Field:
        """The field that decides the column's type."""
        if self.own_type is not None:
            return self.own_type
        asked = f"ReferenceField {self.model.__name__}.{self.name} to {self.to!r}"
        model = self.points_to
        if model is None:
            raise UnknownName(
                asked,
                "there is no model and no model's table of this name",
                "Define the model, or give field= for the column's type",
                name=self.to,
            )
        return key_field(model, self.key, asked, "key")

    @property
    def field_type(self) -> str:  # type: ignore[override]
        referred = self.referred
        if isinstance(referred, peewee.AutoField):
            return (
                peewee.BigIntegerField.field_type if isinstance(referred, peewee.BigAutoField) else peewee.IntegerField.field_type
            )
        return str(referred.field_type)

    def get_modifiers(self) -> Any:
        referred: Any = self.referred
        return None if isinstance(referred, peewee.AutoField) else referred.get_modifiers()

    def db_value(self, value: Any) -> Any:
        referred: Any = self.referred
        return referred.db_value(value)

    def python_value(self, value: Any) -> Any:
        return self.referred.python_value(value)


# Finding fields


def find_field(model: Model, name: str) -> Field | None:
    """The field that `name` means: a field's, a key's, or a column's name (B4)."""
    found = model._meta.combined.get(name)
    if found is None:
        for field in model._meta.refs:
            if field.object_id_name == name:
                return field  # type: ignore[no-any-return]
    return found  # type: ignore[no-any-return]


def of_base(model: Model, word: str) -> bool:
    """Whether the attribute is only the accessor of a base's field, which is no column of this model."""
    there = getattr(model, word)
    return isinstance(there, Field) and there.model is not model and word not in model._meta.combined


def field_names(model: Model) -> list[str]:
    """Every name that means a field of `model`."""
    return sorted({*model._meta.combined, *(field.object_id_name for field in model._meta.refs)})


def key_field(model: Model, name: str | None, asked: str, option: str) -> Field:
    """The field of `model` that keys refer to: the primary key, or the unique one called `name`."""
    meta = model._meta
    if name is None:
        if meta.composite_key or not meta.primary_key:
            what = "its primary key has several columns" if meta.composite_key else "it has no primary key"
            raise DeclarationError(
                asked,
                f"no key can point to {model.__name__}: {what}",
                f"Give {option}= with a unique column of {model.__name__}, or the model an own id",
            )
        return meta.primary_key  # type: ignore[no-any-return]
    field = find_field(model, name)
    if field is None:
        known = field_names(model)
        raise UnknownName(
            asked, f"{model.__name__} has no field {name!r} for {option}=", nearest(name, known), name=name, known=known
        )
    alone = [
        index
        for index in meta.fields_to_index()
        if index._unique and [getattr(part, "name", part) for part in index._expressions] == [field.name]
    ]
    if not (field.primary_key or field.unique or alone):
        raise DeclarationError(
            asked, f"{model.__name__}.{field.name} is not unique, and a key has to mean one record", "Declare it with unique=True"
        )
    return field


def keys_to(holder: Model, target: Model) -> list[Field]:
    """The fields of `holder` that point to `target`: foreign keys, references, and columns that an association uses."""
    recorded = {key.column for key in keys_of(holder).values() if key.target is target}
    found: list[Field] = []
    for field in holder._meta.sorted_fields:
        if field.column_name in recorded or (isinstance(field, ForeignKeyField) and field.rel_model is target):
            found.append(field)
        elif isinstance(field, ReferenceField) and field.points_to is target:
            found.append(field)
    return found


def said_of(field: Any, target: Model) -> Field | None:
    """The field of `target` that a key which is there refers to, as the key or an association says; None where neither does."""
    if isinstance(field, ForeignKeyField):
        return field.rel_field if field.rel_model is target else None
    key = keys_of(field.model).get(field.column_name)
    name = key.refers_to if key is not None and key.target is target else getattr(field, "key", None)
    return find_field(target, name) if name else None
