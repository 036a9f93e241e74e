"""What activeassoc gives to the models of shop, for type checkers.

Written by `activeassoc types shop`, not by hand. A model takes its mixin as the first base:
class List(ListAssociations, ...). At run time the mixins are empty.
"""
# isort: skip_file

from __future__ import annotations

import builtins
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Required, TypedDict, overload

if TYPE_CHECKING:
    import datetime as _datetime
    from activeassoc.types import (
        BelongsTo,
        Columns,
        HasMany,
        HasOne,
        KeyField,
        Order,
        Paths,
        Where,
    )
    from peewee import AutoField, Field
    from shop import List, Seat, Field as ShopField, Order as ShopOrder


class OrderFields(TypedDict, total=False):
    """A new record of Order, as a mapping."""

    id: builtins.int
    int: builtins.int | None
    datetime: _datetime.datetime | None
    self: str | None
    list: List | builtins.int | None
    parent: ShopOrder | builtins.int | None


class FieldFields(TypedDict, total=False):
    """A new record of Field, as a mapping."""

    order: ShopOrder | int
    list: List | int
    id: int
    str: bool


class SeatFields(TypedDict, total=False):
    """A new record of Seat, as a mapping."""

    row: Required[int]
    letter: Required[str]
    order: ShopOrder | int | None


if TYPE_CHECKING:

    class ListAssociations:
        id: AutoField[int]
        orders: HasMany[List, ShopOrder]
        field: HasOne[List, ShopField]

        # List.has_many(Order)
        def add_order(
            self, targets: ShopOrder | int | Iterable[ShopOrder | int] | None
        ) -> int: ...
        def add_orders(
            self, targets: ShopOrder | int | Iterable[ShopOrder | int] | None
        ) -> int: ...
        @overload
        def create_order(
            self,
            /,
            *,
            id: int = ...,
            int: int | None = ...,
            datetime: _datetime.datetime | None = ...,
            parent: ShopOrder | int | None = ...,
        ) -> ShopOrder: ...
        @overload
        def create_order(
            self, values: Mapping[str, Any], /, **fields: Any
        ) -> ShopOrder: ...
        def create_order(self, /, *arguments: Any, **fields: Any) -> Any: ...
        def has_order(
            self, targets: ShopOrder | int | Iterable[ShopOrder | int] | None
        ) -> bool: ...
        def remove_order(
            self,
            targets: ShopOrder | int | Iterable[ShopOrder | int] | None,
            *,
            destroy: bool = False,
        ) -> int: ...
        def remove_orders(
            self,
            targets: ShopOrder | int | Iterable[ShopOrder | int] | None,
            *,
            destroy: bool = False,
        ) -> int: ...
        def count_orders(
            self, *, where: Where = None, through_where: Where = None
        ) -> int: ...
        def create_orders(self, values: Iterable[OrderFields]) -> list[ShopOrder]: ...
        def get_orders(
            self,
            *,
            where: Where = None,
            attributes: Columns = None,
            order: Order = None,
            limit: int | None = None,
            offset: int | None = None,
            join_attributes: Columns = None,
            through_where: Where = None,
            populate: Paths = None,
        ) -> list[ShopOrder]: ...
        def has_orders(
            self,
            targets: ShopOrder | int | Iterable[ShopOrder | int] | None,
            *,
            exact: bool = True,
        ) -> bool: ...
        def set_orders(
            self,
            targets: ShopOrder | int | Iterable[ShopOrder | int] | None,
            *,
            destroy: bool = False,
        ) -> list[ShopOrder]: ...

        # List.has_one(Field)
        @overload
        def create_field(
            self,
            /,
            *,
            order: ShopOrder | int,
            id: int = ...,
            str: bool = ...,
            destroy: bool = False,
        ) -> ShopField: ...
        @overload
        def create_field(
            self, values: Mapping[str, Any], /, *, destroy: bool = False, **fields: Any
        ) -> ShopField: ...
        def create_field(self, /, *arguments: Any, **fields: Any) -> Any: ...
        def get_field(
            self,
            *,
            where: Where = None,
            attributes: Columns = None,
            populate: Paths = None,
        ) -> ShopField | None: ...
        def set_field(
            self, target: ShopField | int | None, *, destroy: bool = False
        ) -> ShopField | None: ...

    class OrderAssociations:
        id: AutoField[int]
        list: BelongsTo[ShopOrder, List]
        list_id: Field[int | None]
        parent: KeyField[ShopOrder, ShopOrder | None]
        parent_id: Field[int | None]
        orders: HasMany[ShopOrder, ShopOrder]
        fields: HasMany[ShopOrder, ShopField]
        seats: HasMany[ShopOrder, Seat]

        # Order.belongs_to(List)
        @overload
        def create_list(self, /, *, name: str, id: int = ...) -> List: ...
        @overload
        def create_list(self, values: Mapping[str, Any], /, **fields: Any) -> List: ...
        def create_list(self, /, *arguments: Any, **fields: Any) -> Any: ...
        def get_list(
            self,
            *,
            where: Where = None,
            attributes: Columns = None,
            populate: Paths = None,
        ) -> List | None: ...
        def set_list(self, target: List | int | None) -> List | None: ...

        # Order.has_many(Order, as_='orders', foreign_key='parent_id')
        def add_order(
            self, targets: ShopOrder | int | Iterable[ShopOrder | int] | None
        ) -> int: ...
        def add_orders(
            self, targets: ShopOrder | int | Iterable[ShopOrder | int] | None
        ) -> int: ...
        @overload
        def create_order(
            self,
            /,
            *,
            id: int = ...,
            int: int | None = ...,
            datetime: _datetime.datetime | None = ...,
            list: List | int | None = ...,
        ) -> ShopOrder: ...
        @overload
        def create_order(
            self, values: Mapping[str, Any], /, **fields: Any
        ) -> ShopOrder: ...
        def create_order(self, /, *arguments: Any, **fields: Any) -> Any: ...
        def has_order(
            self, targets: ShopOrder | int | Iterable[ShopOrder | int] | None
        ) -> bool: ...
        def remove_order(
            self,
            targets: ShopOrder | int | Iterable[ShopOrder | int] | None,
            *,
            destroy: bool = False,
        ) -> int: ...
        def remove_orders(
            self,
            targets: ShopOrder | int | Iterable[ShopOrder | int] | None,
            *,
            destroy: bool = False,
        ) -> int: ...
        def count_orders(
            self, *, where: Where = None, through_where: Where = None
        ) -> int: ...
        def create_orders(
            self, values: Iterable[OrderFields]
        ) -> builtins.list[ShopOrder]: ...
        def get_orders(
            self,
            *,
            where: Where = None,
            attributes: Columns = None,
            order: Order = None,
            limit: int | None = None,
            offset: int | None = None,
            join_attributes: Columns = None,
            through_where: Where = None,
            populate: Paths = None,
        ) -> builtins.list[ShopOrder]: ...
        def has_orders(
            self,
            targets: ShopOrder | int | Iterable[ShopOrder | int] | None,
            *,
            exact: bool = True,
        ) -> bool: ...
        def set_orders(
            self,
            targets: ShopOrder | int | Iterable[ShopOrder | int] | None,
            *,
            destroy: bool = False,
        ) -> builtins.list[ShopOrder]: ...

        # Order.has_many(Field)
        def add_field(
            self, targets: ShopField | int | Iterable[ShopField | int] | None
        ) -> int: ...
        def add_fields(
            self, targets: ShopField | int | Iterable[ShopField | int] | None
        ) -> int: ...
        @overload
        def create_field(
            self, /, *, list: List | int, id: int = ..., str: bool = ...
        ) -> ShopField: ...
        @overload
        def create_field(
            self, values: Mapping[str, Any], /, **fields: Any
        ) -> ShopField: ...
        def create_field(self, /, *arguments: Any, **fields: Any) -> Any: ...
        def has_field(
            self, targets: ShopField | int | Iterable[ShopField | int] | None
        ) -> bool: ...
        def remove_field(
            self,
            targets: ShopField | int | Iterable[ShopField | int] | None,
            *,
            destroy: bool = False,
        ) -> int: ...
        def remove_fields(
            self,
            targets: ShopField | int | Iterable[ShopField | int] | None,
            *,
            destroy: bool = False,
        ) -> int: ...
        def count_fields(
            self, *, where: Where = None, through_where: Where = None
        ) -> int: ...
        def create_fields(
            self, values: Iterable[FieldFields]
        ) -> builtins.list[ShopField]: ...
        def get_fields(
            self,
            *,
            where: Where = None,
            attributes: Columns = None,
            order: Order = None,
            limit: int | None = None,
            offset: int | None = None,
            join_attributes: Columns = None,
            through_where: Where = None,
            populate: Paths = None,
        ) -> builtins.list[ShopField]: ...
        def has_fields(
            self,
            targets: ShopField | int | Iterable[ShopField | int] | None,
            *,
            exact: bool = True,
        ) -> bool: ...
        def set_fields(
            self,
            targets: ShopField | int | Iterable[ShopField | int] | None,
            *,
            destroy: bool = False,
        ) -> builtins.list[ShopField]: ...

        # Order.has_many(Seat)
        def add_seat(
            self,
            targets: Seat | tuple[int, str] | Iterable[Seat | tuple[int, str]] | None,
        ) -> int: ...
        def add_seats(
            self,
            targets: Seat | tuple[int, str] | Iterable[Seat | tuple[int, str]] | None,
        ) -> int: ...
        @overload
        def create_seat(self, /, *, row: int, letter: str) -> Seat: ...
        @overload
        def create_seat(self, values: Mapping[str, Any], /, **fields: Any) -> Seat: ...
        def create_seat(self, /, *arguments: Any, **fields: Any) -> Any: ...
        def has_seat(
            self,
            targets: Seat | tuple[int, str] | Iterable[Seat | tuple[int, str]] | None,
        ) -> bool: ...
        def remove_seat(
            self,
            targets: Seat | tuple[int, str] | Iterable[Seat | tuple[int, str]] | None,
            *,
            destroy: bool = False,
        ) -> int: ...
        def remove_seats(
            self,
            targets: Seat | tuple[int, str] | Iterable[Seat | tuple[int, str]] | None,
            *,
            destroy: bool = False,
        ) -> int: ...
        def count_seats(
            self, *, where: Where = None, through_where: Where = None
        ) -> int: ...
        def create_seats(self, values: Iterable[SeatFields]) -> builtins.list[Seat]: ...
        def get_seats(
            self,
            *,
            where: Where = None,
            attributes: Columns = None,
            order: Order = None,
            limit: int | None = None,
            offset: int | None = None,
            join_attributes: Columns = None,
            through_where: Where = None,
            populate: Paths = None,
        ) -> builtins.list[Seat]: ...
        def has_seats(
            self,
            targets: Seat | tuple[int, str] | Iterable[Seat | tuple[int, str]] | None,
            *,
            exact: bool = True,
        ) -> bool: ...
        def set_seats(
            self,
            targets: Seat | tuple[int, str] | Iterable[Seat | tuple[int, str]] | None,
            *,
            destroy: bool = False,
        ) -> builtins.list[Seat]: ...

    class FieldAssociations:
        id: AutoField[int]
        order_id: Field[int]
        list: BelongsTo[ShopField, List, List]
        list_id: Field[int]

        # Field.list = reference(List, null=False)
        @overload
        def create_list(self, /, *, name: str, id: int = ...) -> List: ...
        @overload
        def create_list(self, values: Mapping[str, Any], /, **fields: Any) -> List: ...
        def create_list(self, /, *arguments: Any, **fields: Any) -> Any: ...
        def get_list(
            self,
            *,
            where: Where = None,
            attributes: Columns = None,
            populate: Paths = None,
        ) -> List | None: ...
        def set_list(self, target: List | int | None) -> List | None: ...

    class SeatAssociations:
        order: KeyField[ShopOrder, ShopOrder | None]
        order_id: Field[int | None]


if not TYPE_CHECKING:

    def __getattr__(name):
        # The mixins, also of models that are newer than this file.
        if name.endswith("Associations"):
            return type(name, (), {"__slots__": (), "__module__": __name__})
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
