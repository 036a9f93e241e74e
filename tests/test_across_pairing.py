"""Two has_many that point at each other across databases, of which one says dominant: one many-to-many, in whatever order they come."""

from __future__ import annotations

from typing import Any

import pytest

from activeassoc import DeclarationError, sync
from activeassoc.associations.many_to_many import ManyToMany

ALONE = (
    "Customer.has_many(Product, as_=('wish', 'wishlist'), dominant=True): dominant is for a many-to-many, and this one is one-to-many as "
    "long as no Product.has_many(Customer) pairs with it. Declare that one, call belongs_to_many, or leave dominant out."
)


def shop(near: Any, far: Any) -> tuple[Any, Any]:
    return type(near)("Customer", (near,), {"__module__": __name__}), type(far)("Product", (far,), {"__module__": __name__})


def wishes(Customer: Any, Product: Any) -> Any:
    return Customer.has_many(Product, as_=("wish", "wishlist"), dominant=True)


CALLS: dict[str, Any] = {
    "dominant first": lambda c, p: (wishes(c, p), p.has_many(c)),
    "dominant last": lambda c, p: (p.has_many(c), wishes(c, p)),
    "by name": lambda c, p: (c.has_many("Product", as_=("wish", "wishlist"), dominant=True), p.has_many("Customer")),
    "beside belongs_to_many": lambda c, p: (wishes(c, p), p.belongs_to_many(c)),
    "after belongs_to_many": lambda c, p: (p.belongs_to_many(c), wishes(c, p)),
    "declared twice": lambda c, p: (wishes(c, p), wishes(c, p), p.has_many(c), wishes(c, p)),
    "with a table": lambda c, p: (wishes(c, p), p.has_many(c, through="customers_products")),
}


@pytest.mark.parametrize("calls", CALLS.values(), ids=CALLS.keys())
@pytest.mark.parametrize("kinds", [("sqlite", "sqlite"), ("postgresql", "mongodb"), ("redis", "sqlite")], ids="-".join)
def test_one_of_two_says_dominant(on: Any, kinds: tuple[str, str], calls: Any) -> None:
    """H2, A7: the links are with the side that says dominant, neither model keeps a key, and nothing is warned of."""
    near, far = on(kinds[0]), on(kinds[1])
    Customer, Product = shop(near, far)
    first = calls(Customer, Product)[0]
    sync(near, far)
    assert Customer.wishlist.through is Product.customers.through and Customer.wishlist.through._meta.database is near._meta.database
    assert list(Customer._meta.fields) == list(Product._meta.fields) == ["id"] and first in (Customer.wishlist, Product.customers)
    assert type(first) is ManyToMany and far._meta.database.get_tables() == ["product"]
    bob, lamp = Customer.create(), Product.create()
    lamp.add_customer(bob)
    assert bob.get_wishlist() == [lamp] and list(Product.select().populate("customers"))[0].customers == [bob]


USES: list[Any] = [lambda c: c().get_wishlist(), lambda c: c(wishlist=[1]), sync, lambda c: c.wishlist.any()]


@pytest.mark.parametrize("use", USES, ids=["get", "constructor", "sync", "any"])
def test_a_has_many_that_stays_alone(on: Any, use: Any) -> None:
    """H2: dominant on what stays one-to-many raises when that is known, at first use and in sync; nothing has changed."""
    near, far = on("sqlite"), on("sqlite")
    Customer, Product = shop(near, far)
    wishes(Customer, Product)
    for _ in range(2):
        with pytest.raises(DeclarationError) as caught:
            use(Customer)
        assert str(caught.value) == ALONE and list(Product._meta.fields) == ["id"]
    sync(Product)  # it does not concern that database
    Product.has_many(Customer)
    sync(Customer)
    assert Customer.create().count_wishlist() == 0


@pytest.mark.parametrize("calls", [slice(None), slice(None, None, -1)], ids=["dominant first", "dominant last"])
def test_both_say_dominant(on: Any, calls: slice) -> None:
    """H2: an error that names both, before anything is made; and the first of the two stays what it was."""
    Customer, Product = shop(on("sqlite"), on("sqlite"))
    first, second = [lambda: Customer.has_many(Product, dominant=True), lambda: Product.has_many(Customer, dominant=True)][calls]
    first()
    with pytest.raises(DeclarationError, match="are both dominant, and their models are in different databases, of which one has"):
        second()
    assert len(Customer.associations) + len(Product.associations) == 1
    assert list(Customer._meta.fields) == list(Product._meta.fields) == ["id"]


@pytest.mark.parametrize("first", [True, False])
def test_dominant_beside_a_through_model(on: Any, first: bool) -> None:
    """H2: a through model says itself where it lives, in either order of the two calls."""
    near, far = on("sqlite"), on("sqlite")
    Customer, Product = shop(near, far)
    Wish = type(near)("Wish", (near,), {"__module__": __name__})
    calls = [lambda: wishes(Customer, Product), lambda: Product.has_many(Customer, through=Wish)]
    calls[not first]()
    with pytest.raises(DeclarationError, match="its links are records of Wish, and stand in the database of that model, whichever side is"):
        calls[first]()
