"""What is a user's own way, and what is peewee's."""

from __future__ import annotations

from typing import Any

import pytest
from peewee import IntegerField

from activeassoc import sync


class Cents(IntegerField):
    """An amount, stored in hundredths."""

    __module__ = "peewee_extras"

    def db_value(self, value: Any) -> Any:
        return None if value is None else round(value * 100)

    def python_value(self, value: Any) -> Any:
        return None if value is None else value / 100


@pytest.mark.every_store
def test_a_module_whose_name_begins_like_peewees(Base: Any) -> None:
    """I, J3: a field that converts in its own way is asked itself, in whatever module it stands."""

    class Item(Base):
        price = Cents(null=True)

    sync(Item)
    item = Item.create(price=1.5)
    assert Item.find(where={"price": 1.5})[0] == item
    assert Item.get(Item.price == 1.5).price == 1.5
