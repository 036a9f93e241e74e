"""`Model`: a peewee model that can be told how it belongs together with others.

Map: `Model` has the few differences to peewee's behaviour that keep records safe; the declaring calls stand in `declaring`, its metaclass
and its metadata in `model_type`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Self

import peewee

from activeassoc import arrays, registry, to_dict
from activeassoc.arrays import Arrays
from activeassoc.associations.base import Association
from activeassoc.coroutines import Coroutines
from activeassoc.declaring import Declaring
from activeassoc.deleting import Deleting
from activeassoc.errors import AssociationError, UnsavedRecordError
from activeassoc.finding import Finding
from activeassoc.inserting import Insert, creator, insert_keyed
from activeassoc.keys import KeyField, is_saved
from activeassoc.model_type import Metadata, ModelType
from activeassoc.of_owners import OfOwners
from activeassoc.own import ours
from activeassoc.queries import Alias, Delete, Select, Update
from activeassoc.reached import JoinRows, Related
from activeassoc.saving import collections_with_work, drop_queues, save_with_links
from activeassoc.state import OnTouch

if TYPE_CHECKING:
    from activeassoc.types.faces import Query


class Model(Declaring, Arrays, Finding, OfOwners, Deleting, Coroutines, peewee.Model, metaclass=ModelType):
    """A peewee model with associations.

    ``class Base(Model): class Meta: database = connect("sqlite:///app.db")``, and models derived from it. All that peewee's
    Model does works as there; these calls declare associations, and every association gives methods (see its own help).
    """

    #: The associations of this model by name, in order of declaration.
    associations: ClassVar[Mapping[str, Association]]

    # An instance that was read from a row has its columns and nothing else, until somebody touches these.
    __rel__ = Related()
    _dirty = OnTouch("_dirty", set)
    #: It has a row, as who read or wrote it says; None where only its key can tell (`is_saved`).
    _stored: bool | None = None
    #: What of its associations is loaded, the join rows it was reached through, and the records of the same query.
    _loaded: Any = None
    _links = JoinRows()
    _peers: Any = None
    #: How it came here, where an association read it (`reached`).
    _beside: Any = None
    _via: Any = None
    _row: Any = None
    _touched: bool = False
    _join_row: bool = False
    _plain_init: ClassVar[Any]

    if not TYPE_CHECKING:  # or a user's Meta would seem to contradict it

        class Meta:
            model_metadata_class = Metadata
            legacy_table_names = False

    def __init__(self, *arguments: Any, **values: Any) -> None:
        if "__no_default__" in values:
            self.__dict__["_stored"] = True
        elif registry._waiting:
            registry.settle_for(type(self))
        names = () if "__no_default__" in values else [name for name in values if _is_collection(type(self), name)]
        queued = {name: values.pop(name) for name in names}
        super().__init__(*arguments, **values)
        try:
            for name, targets in queued.items():
                collection: Any = type(self).associations[name]
                collection.begin(self, targets)
        except BaseException:
            drop_queues(self)
            raise

    # Queries bind what still waits for this model

    @classmethod
    def select(cls, *fields: Any) -> Query[Self]:
        if registry._waiting:
            registry.settle_for(cls)
        made: Any = Select(cls, fields or cls._meta.sorted_fields, is_default=not fields)
        return made  # type: ignore[no-any-return]

    @classmethod
    def alias(cls, alias: str | None = None) -> Any:
        return Alias(cls, alias)

    @classmethod
    def update(cls, __data: Any = None, **update: Any) -> Any:
        if registry._waiting:
            registry.settle_for(cls)
        normalize: Any = super()._normalize_data  # type: ignore[misc]
        return Update(cls, normalize(__data, update))

    @classmethod
    def delete(cls) -> Any:
        return Delete(cls)

    @classmethod
    def insert(cls, __data: Any = None, **insert: Any) -> Any:
        if registry._waiting:
            registry.settle_for(cls)
        normalize: Any = super()._normalize_data  # type: ignore[misc]
        return Insert(cls, normalize(__data, insert))

    @classmethod
    def insert_many(cls, rows: Any, fields: Any = None) -> Any:
        if registry._waiting:
            registry.settle_for(cls)
        return Insert(cls, insert=rows, columns=fields)

    # Records

    @classmethod
    def create(cls, **query: Any) -> Self:
        """A new, saved record. For a collection it takes what ``user.pets.add`` does, and links it in the same transaction. (F10)"""
        if registry._waiting:
            registry.settle_for(cls)
        make = creator(cls, tuple(query))
        if make is not None:
            return make(query)  # type: ignore[no-any-return]
        record = cls(**query)
        try:
            record.save(force_insert=True)
        except BaseException:
            drop_queues(record)  # nobody gets the record that has them
            raise
        return record

    def save(self: Any, force_insert: bool = False, only: Any = None) -> int:
        """Write the record: INSERT where it is new, else UPDATE; peewee's save, with its silent traps shut.

        A record that was made by hand with a key that is not automatic is new and is inserted (peewee updates 0 rows). A
        reference to a record that is itself not saved raises UnsavedRecordError (peewee stores NULL). A record whose
        primary key has several columns cannot change it, and is left alone where nothing else changed. (C2, D1, D4)

        What the record's collections have queued is carried out after that, in one transaction with it; where a part of it
        fails LinksNotSaved is raised, nothing is written, and the queue is kept. (F7)
        """
        collections = collections_with_work(self)
        if collections:
            return save_with_links(self, collections, lambda: self._save_row(force_insert, only))
        rows: int = self._save_row(force_insert, only)
        return rows

    def _save_row(self: Any, force_insert: bool, only: Any) -> int:
        self._check_references()
        arrays.notice(self)
        only = arrays.fields_of(type(self), only)
        if not force_insert and not is_saved(self):
            force_insert = not (self._meta.auto_increment and self._pk is None)
        if not force_insert and (self._meta.composite_key or self._join_row):
            only = self._changes(only)
            if not only:
                return 0
        if not force_insert and self._pk is not None and collections_with_work(self) and not _has_columns(self):
            return 0  # only links to write, and peewee refuses an UPDATE without columns
        inserts = force_insert or self._pk is None
        given, only = only, arrays.to_write(self, inserts, only)
        if only == [] and given is None:
            return 0  # nothing but arrays, and these were not changed
        rows: int = super().save(force_insert=force_insert, only=only)
        self.__dict__["_stored"] = True
        arrays.are_written(self, only)
        if inserts:
            for field in self._meta.refs:
                if not field.constraints:
                    self.__data__.setdefault(field.name, None)  # what was not given is NULL now, and need not be asked
        return rows

    def _check_references(self: Any) -> None:
        for field in self._meta.refs:
            record = self.__rel__.get(field.name)
            if record is not None and self.__data__.get(field.name) is None and getattr(record, field.rel_field.name) is None:
                raise UnsavedRecordError(
                    f"{type(self).__name__}.save() with {field.name}={record!r}",
                    f"this {type(record).__name__} is not saved yet, and NULL would be stored",
                    "Save it first",
                    record=record,
                )

    def _changes(self: Any, only: Any) -> list[Any]:
        """The changed fields of a row that is found by its keys; a changed key would find no row, or another one's."""
        keys = {field.name for field in self._meta.get_primary_keys()} if self._meta.composite_key else set()
        if self._join_row:
            keys |= {key.attribute for key in registry.keys_of(type(self)).values() if key.of_link}
        changed = sorted(keys & self._dirty)
        if changed:
            raise AssociationError(
                f"{type(self).__name__}.save() with changed {', '.join(changed)}",
                "the row is found by these, and under the new ones it is another row",
                "Remove the old link and add the new one",
            )
        wanted = {getattr(field, "name", field) for field in only} if only is not None else None
        return [field for field in self.dirty_fields if wanted is None or field.name in wanted]

    @classmethod
    def bulk_create(cls, model_list: Iterable[Any], batch_size: int | None = None) -> Any:
        records = list(model_list)
        result = None
        if hasattr(cls._meta.primary_key, "new_key"):
            insert_keyed(cls, records, batch_size)
        else:
            result = super().bulk_create(records, batch_size)
        for record in records:
            record.__dict__["_stored"] = True
        arrays.all_are_written(cls, records, None)
        return result

    @classmethod
    def bulk_update(cls, model_list: Iterable[Any], fields: Any, batch_size: int | None = None) -> int:
        records, fields = list(model_list), arrays.fields_of(cls, fields)
        inherited: Any = super()
        rows: int = inherited.bulk_update(records, fields, batch_size)
        arrays.all_are_written(cls, records, fields)
        return rows

    def __sql__(self, ctx: Any) -> Any:
        # peewee swallows what the key's field says of a record that cannot be meant, and compares with its primary key:
        # a cat with the key 1 would find the tasks of user 1, and an unsaved user those of nobody.
        converter = ctx.state.converter
        if ctx.state.is_fk_expr and isinstance(getattr(converter, "__self__", None), KeyField):
            return ctx.sql(peewee.Value(self, converter=converter))
        return super().__sql__(ctx)  # type: ignore[no-untyped-call]

    def reload(self: Any) -> Any:
        """Read the record's columns again and forget what it had loaded; returns it. One query.

        Raises the model's DoesNotExist where the row is gone. (C18)
        """
        fresh = type(self).select().where(self._pk_expr()).get()
        self.__dict__.update(__data__=fresh.__data__, __rel__={}, _dirty=set())
        for name in ("_loaded", "_links", "_via", "_row"):
            self.__dict__.pop(name, None)
        return self

    def to_dict(self) -> dict[str, Any]:
        """The record as a dict of what it holds; never a query.

        The columns that were read stand under their fields' names, a reference as its key, or as a dict where its record is
        loaded. Collections and has_one records stand there where they are loaded, numbers of ``count=True`` as
        ``pets_count``, the join row under the through model's name. A record inside of itself stands as its key. (G10)
        """
        return to_dict.of(self)

    def __getstate__(self) -> dict[str, Any]:
        # The join row itself, and not the statement's row that it would be made of.
        links, state = self._links, dict(self.__dict__)
        if links is not None:
            state["_links"] = links
        return {name: value for name, value in state.items() if name not in ("_via", "_row")}

    def __copy__(self) -> Any:
        # copy.copy and peewee's clone() share __data__: a change of the copy would be one of the original.
        other = type(self).__new__(type(self))
        other.__dict__.update(self.__dict__)
        for name, kind in _OWN_STATE:
            if name in other.__dict__:
                other.__dict__[name] = kind(other.__dict__[name])
        other.__dict__.pop("_loaded", None)
        return other

    clone = __copy__


#: Where a model has no other constructor, rows become instances without it (`hydrate`).
Model._plain_init = Model.__init__
ours(Model)


def _is_collection(model: type[Model], name: str) -> bool:
    return name in model.associations and model.associations[name].to_many


def _has_columns(record: Any) -> bool:
    """Whether the record holds any column beside its primary key."""
    return bool(record.__data__.keys() - {field.name for field in record._meta.get_primary_keys()})


_OWN_STATE: tuple[tuple[str, Callable[[Any], Any]], ...] = (
    ("__data__", arrays.copied),
    ("__rel__", dict),
    ("_dirty", set),
    ("_links", dict),
)
