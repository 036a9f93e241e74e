"""What type checkers see of associations beside the verbs: attributes of the class and of records, queries, and reading for many owners.

Only checkers read this file. `kinds` has the verbs of each kind, and is written by ``signatures.kinds``.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Generic, Literal, Self, Unpack, overload

import peewee
from typing_extensions import TypeVar

from activeassoc.collection import Collection
from activeassoc.explain import Explanation
from activeassoc.types.kinds import BelongsTo, HasMany, HasOne, ManyToMany, ReferencesMany
from activeassoc.types.options import BelongsToOptions, HasManyOptions, HasOneOptions, LinkOptions
from activeassoc.types.words import Columns, Key, Order, Where

Source = TypeVar("Source", default=Any)
Target = TypeVar("Target", bound=peewee.Model, default=Any)
#: What the attribute of a record is: without more words the target or None.
Value = TypeVar("Value", default=Target | None)
Row = TypeVar("Row", bound=peewee.Model, default=Any)
Attributes = TypeVar("Attributes", default=Mapping[str, Any])
Other = TypeVar("Other", bound=peewee.Model)
#: The type of a primary key.
Keyed = TypeVar("Keyed", default=Any)

class Query(peewee.ModelSelect[Row], Generic[Row]):
    """What ``select``, ``find`` and ``query`` give: peewee's query of records, with `populate`."""

    def populate(
        self,
        *paths: Any,
        where: Where = None,
        order: Order = None,
        limit: int | None = ...,
        offset: int | None = None,
        attributes: Columns = None,
        through_where: Where = None,
        join_attributes: Columns = None,
        count: bool = False,
    ) -> Self: ...
    def explain_populate(self, *paths: Any, **options: Any) -> Explanation: ...
    def first(self, database: Any = None, n: Literal[1] = 1) -> Row | None: ...  # type: ignore[override]

class Kind(Generic[Source, Target]):
    """An association: what all kinds have."""

    source: type[Source]
    target: type[Target]
    where: Any
    order: Any
    def query(
        self, owner: Source, *, where: Where = None, order: Order = None, limit: int | None = None, offset: int | None = None
    ) -> Query[Target]: ...
    def any(self, where: Where = None) -> peewee.Expression: ...
    @overload
    def belongs_to(self, target: type[Other], as_: str | None = None, **options: Unpack[BelongsToOptions]) -> BelongsTo[Source, Other]: ...
    @overload
    def belongs_to(self, target: str, as_: str | None = None, **options: Unpack[BelongsToOptions]) -> BelongsTo[Source]: ...
    @overload
    def has_one(self, target: type[Other], as_: str | None = None, **options: Unpack[HasOneOptions]) -> HasOne[Source, Other]: ...
    @overload
    def has_one(self, target: str, as_: str | None = None, **options: Unpack[HasOneOptions]) -> HasOne[Source]: ...
    @overload
    def has_many(
        self, target: type[Other], as_: str | tuple[str, str] | None = None, **options: Unpack[HasManyOptions]
    ) -> HasMany[Source, Other]: ...
    @overload
    def has_many(self, target: str, as_: str | tuple[str, str] | None = None, **options: Unpack[HasManyOptions]) -> HasMany[Source]: ...
    @overload
    def has_many(
        self,
        target: type[Other],
        as_: str | tuple[str, str] | None = None,
        *,
        through: type[peewee.Model] | str,
        **options: Unpack[LinkOptions],
    ) -> ManyToMany[Source, Other]: ...
    @overload
    def has_many(
        self,
        target: str,
        as_: str | tuple[str, str] | None = None,
        *,
        through: type[peewee.Model] | str,
        **options: Unpack[LinkOptions],
    ) -> ManyToMany[Source]: ...
    @overload
    def belongs_to_many(
        self,
        target: type[Other],
        as_: str | tuple[str, str] | None = None,
        *,
        through: type[peewee.Model] | str | None = None,
        **options: Unpack[LinkOptions],
    ) -> ManyToMany[Source, Other]: ...
    @overload
    def belongs_to_many(
        self,
        target: str,
        as_: str | tuple[str, str] | None = None,
        *,
        through: type[peewee.Model] | str | None = None,
        **options: Unpack[LinkOptions],
    ) -> ManyToMany[Source]: ...
    @overload
    def references_many(self, target: type[Other], as_: str | tuple[str, str] | None = None) -> ReferencesMany[Source, Other]: ...
    @overload
    def references_many(self, target: str, as_: str | tuple[str, str] | None = None) -> ReferencesMany[Source]: ...

class ToOne(Kind[Source, Target]):
    """One record or None."""

    def reach(self, owners: Iterable[Source]) -> dict[Source, Target | None]: ...
    async def areach(self, owners: Iterable[Source]) -> dict[Source, Target | None]: ...

class ToMany(Kind[Source, Target]):
    """A list of records: the association on the class, the collection on a record."""

    name: str
    @overload
    def __get__(self, instance: None, owner: Any = None) -> Self: ...
    @overload
    def __get__(self, instance: object, owner: Any = None) -> Collection[Target]: ...
    def reach(self, owners: Iterable[Source]) -> dict[Source, list[Target]]: ...
    async def areach(self, owners: Iterable[Source]) -> dict[Source, list[Target]]: ...

class InArray(ToMany[Source, Target]):
    """The keys are an array on the source: the collection on a record, and any list of records and keys is assigned."""

    def __set__(self, instance: object, value: Iterable[Target | Key] | None) -> None: ...

class ToOneElsewhere(ToOne[Source, Target]):
    """The key is on the target: the association on the class, the record or None on a record, and nothing to assign to."""

    name: str
    @overload
    def __get__(self, instance: None, owner: Any = None) -> Self: ...
    @overload
    def __get__(self, instance: object, owner: Any = None) -> Target | None: ...

class KeyField(peewee.ForeignKeyField[Value], Generic[Target, Value]):
    """A key: the field on the class, the record that it refers to on a record; a record or its key is assigned."""

    def __set__(self, instance: object, value: Target | Key | None) -> None: ...  # type: ignore[override]

class KeyListField(peewee.Field[list[Keyed]], Generic[Target, Keyed]):
    """An array of primary keys: the field on the class, the list of keys on a record; keys and records are assigned."""

    def __set__(self, instance: object, value: Iterable[Target | Keyed] | None) -> None: ...

class Link(Generic[Row, Attributes]):
    """The join row of a record that was reached through it; attributes for the next link are assigned."""

    @overload
    def __get__(self, instance: None, owner: Any = None) -> Self: ...
    @overload
    def __get__(self, instance: object, owner: Any = None) -> Row: ...
    def __set__(self, instance: object, value: Row | Attributes) -> None: ...
