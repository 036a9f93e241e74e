"""Models and fields whose names are those of types: an Order, a Field, a list, a set of int."""

from __future__ import annotations

from peewee import BooleanField, CharField, CompositeKey, DateTimeField, ForeignKeyField, IntegerField
from shop_assoc import FieldAssociations, ListAssociations, OrderAssociations, SeatAssociations

from activeassoc import Model, connect, reference
from activeassoc.types import HasMany

db = connect("sqlite:///:memory:")


class Base(Model):
    class Meta:
        database = db


class List(ListAssociations, Base):
    name = CharField()


class Order(OrderAssociations, Base):
    int = IntegerField(null=True)
    datetime = DateTimeField(null=True)
    self = CharField(null=True)
    orders: HasMany[Order, Order]


class Field(FieldAssociations, Base):
    str = BooleanField(default=False)
    order = ForeignKeyField(Order)
    list = reference(List, null=False)


class Seat(SeatAssociations, Base):
    row = IntegerField()
    letter = CharField()

    class Meta:  # pyright: ignore[reportIncompatibleVariableOverride]
        primary_key = CompositeKey("row", "letter")


Order.belongs_to(List)
List.has_many(Order)
List.has_one(Field)
Order.has_many(Order, as_="orders", foreign_key="parent_id")
Order.has_many(Field)
Order.has_many(Seat)
