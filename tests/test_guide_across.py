"""What the guides of Waterline and Sails promise of models in different datastores, item by item."""

from __future__ import annotations

import warnings
from typing import Any

import pytest
from looking import has, table, ten
from peewee import CharField

from activeassoc import AssociationError, DominanceWarning, collection, reference, settings, sync
from activeassoc.testing import assert_queries

FIDO = {"breed": "labrador", "type": "dog", "name": "fido"}


def model(base: Any, called: str, columns: str = "", **forms: Any) -> Any:
    fields = {column: CharField(null=True) for column in columns.split()}
    return type(base)(called, (base,), {**fields, **forms, "__module__": __name__})


def pets(near: Any, far: Any, **links: Any) -> tuple[Any, Any]:
    """User and Pet of the guide; `links` stand in the class bodies as user_<name> and pet_<name>."""

    def of(side: str) -> dict[str, Any]:
        return {name.partition("_")[2]: form for name, form in links.items() if name.startswith(side)}

    found = model(near, "User", "first_name last_name", **of("user")), model(far, "Pet", "breed type name", **of("pet"))
    sync(*found)
    return found


def wishes(near: Any, far: Any, user: bool = False, product: bool = False, via: bool = True) -> tuple[Any, Any]:
    """User.wishlist and Product.wishlisted_by, which name each other with `via`."""
    mine = collection("Product", via="wishlisted_by" if via else None, dominant=user)
    theirs = collection("User", via="wishlist" if via else None, dominant=product)
    found = model(near, "User", "email", wishlist=mine), model(far, "Product", "name", wishlisted_by=theirs)
    sync(*found)
    return found


def database(of: Any) -> Any:
    return of._meta.database


# Waterline: models in different datastores


def test_references_between_stores(Near: Any, Far: Any) -> None:
    """W1 (W3-W6): two keys that know nothing of each other, no constraint, and each table in its own store."""
    User, Pet = pets(Near, Far, user_pet=reference("Pet"), pet_user=reference("User"))
    assert "user" in database(User).get_tables() and "pet" not in database(User).get_tables()
    assert "pet" in database(Pet).get_tables() and "user" not in database(Pet).get_tables()
    User.create(id=123, first_name="Foo", last_name="Bar")
    pet = Pet.create(**FIDO, user=123)
    assert pet.user_id == 123 and pet.user.first_name == "Foo" and User.get_by_id(123).pet is None
    User.get_by_id(123).set_pet(pet)
    assert User.get_by_id(123).pet == pet
    with assert_queries(2):
        found = list(Pet.find().populate("user"))
    assert [each.to_dict() for each in found] == [
        {"id": pet.id, **FIDO, "user": {"id": 123, "first_name": "Foo", "last_name": "Bar", "pet": pet.id}}
    ]
    lone = Pet.create(name="lone")
    assert Pet.find(lone.id).populate("user")[0].to_dict()["user"] is None
    dangling = Pet.create(user=999)
    assert Pet.find(dangling.id).populate("user")[0].user is None


def test_one_to_many_between_stores(Near: Any, Far: Any) -> None:
    """W1 (W8-W10, W18): a collection over a key in another store."""
    User, Pet = pets(Near, Far, user_pets=collection("Pet", via="owner"), pet_owner=reference("User"))
    assert has(User, ten("pet", "pets")) and has(Pet, "get_owner set_owner create_owner")
    User.create(id=123, first_name="Foo", last_name="Bar")
    User.create(id=124)
    pet, other = Pet.create(**FIDO, owner=123), Pet.create()
    other.owner = 123
    other.save()
    Pet.update(owner=124).where(Pet.id == other.id).execute()
    with assert_queries(2):
        users = list(User.find().order_by(User.id).populate("pets"))
    assert users[0].to_dict()["pets"] == [{"id": pet.id, **FIDO, "owner": 123}] and users[1].pets == [other]
    user = User.get_by_id(124)
    user.pets.add([pet.id, {"name": "rex"}])
    user.pets.remove(other)
    user.save()
    assert [each.name for each in user.get_pets()] == ["fido", "rex"] and Pet.get_by_id(other.id).owner_id is None
    new = User(first_name="n")
    new.pets.add(other)
    new.save()
    assert new.get_pets() == [other]


def test_many_to_many_between_stores(Near: Any, Far: Any) -> None:
    """W1 (W11-W17): collections that name each other; what is queued is carried out by save."""
    User, Pet = pets(Near, Far, user_pets=collection("Pet", via="owners", dominant=True), pet_owners=collection("User", via="pets"))
    assert table(User.pets.through) == "pet_owners__user_pets" and has(Pet, ten("owner", "owners"))
    User.create(id=2)
    for number in (20, 22, 24):
        Pet.create(id=number, **FIDO)
    user = User.find_one(2)
    with assert_queries(0):
        user.pets.add([20, 24])
    user.save()
    assert Pet.get_by_id(20).get_owners() == [user] and [pet.id for pet in user.get_pets()] == [20, 24]
    user.pets.add([Pet.get_by_id(22), {"name": "new"}, 24])
    user.pets.remove(20)
    user.save()
    assert user.count_pets() == 3 and not user.has_pet(20)
    user.pets.add([20, 999])
    user.first_name = "Z"
    with pytest.raises(AssociationError, match="999"):
        user.save()
    assert not user.has_pet(999) and 999 in user.pets.pending.added
    user.pets.pending.clear()


# Waterline: dominance


def test_a_third_connection(on: Any) -> None:
    """W21: links with attributes live in a store of their own."""
    a, b, c = on("sqlite"), on("postgresql"), on("redis")
    Membership = type(c)(
        "Membership",
        (c,),
        {"user": reference("User"), "pet": reference("Pet"), "role": CharField(default="owner"), "__module__": __name__},
    )
    User, Pet = pets(
        a, b, user_pets=collection("Pet", via="user", through=Membership), pet_owners=collection("User", via="pet", through=Membership)
    )
    sync(Membership)
    user, pet = User.create(), Pet.create()
    user.add_pet(pet, {"role": "sitter"})
    with assert_queries(3):
        found = list(User.find().populate("pets"))
    assert Membership.select().count() == 1 and found[0].pets[0].membership.role == "sitter" and pet.get_owners() == [user]


@pytest.mark.parametrize("kinds", [("mariadb", "redis"), ("sqlite", "sqlite")])
def test_neither_is_dominant(on: Any, kinds: tuple[str, str]) -> None:
    """W19, W31, N10: a warning, and always the alphabetically first model has the links; two databases of one kind are different."""
    near, far = map(on, kinds)
    with pytest.warns(DominanceWarning, match="wishlist") as caught:
        User, Product = wishes(near, far)
    assert len(caught) == 1 and str(caught[0].message) == (
        "User.wishlist = collection('Product', via='wishlisted_by'): User.wishlist and Product.wishlisted_by are one many-to-many between "
        "two databases, and neither is dominant: the links are kept in the database of Product, whose name comes first. "
        "Write dominant=True at the one whose database is to have them."
    )
    link = User.wishlist.through
    assert link is Product.wishlisted_by.through and database(link) is database(Product)
    assert table(link) == "product_wishlisted_by__user_wishlist" and table(link) not in database(User).get_tables()


@pytest.mark.parametrize("side", ["user", "product"])
@pytest.mark.parametrize("kinds", [("mariadb", "redis"), ("postgresql", "mongodb"), ("sqlite", "sqlite")])
def test_the_dominant_side_has_the_links(on: Any, kinds: tuple[str, str], side: str) -> None:
    """W22, W23, W24, N11, N12, N13, S18: all links there, none in the other store, no warning; from SQL two queries instead of three."""
    near, far = map(on, kinds)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        User, Product = wishes(near, far, **{side: True})
    link, home = User.wishlist.through, User if side == "user" else Product
    user, product = User.create(email="e"), Product.create(name="p")
    User.add_to_collection(user.id, "wishlist", [product.id])
    assert product.add_wishlisted_by(user) == 0 and user.get_wishlist() == [product] and user.has_wishlist(product)
    assert link.select().count() == 1 and database(link) is database(home)
    cost = 3 if home is Product and kinds[1] not in ("sqlite",) else 2
    with assert_queries(cost):
        assert list(User.find().populate("wishlist"))[0].wishlist == [product]
    with assert_queries(cost):
        assert list(Product.find().populate("wishlisted_by"))[0].wishlisted_by == [user]
    user.set_wishlist([])
    assert product.get_wishlisted_by() == []
    other = Product if home is User else User
    assert database(other).get_tables() == [table(other)]


def test_a_read_only_store(on: Any) -> None:
    """W25, N14: everything that concerns links works while the other store refuses writes."""
    a, b = on("sqlite"), on("sqlite")
    Medicine = model(b, "Medicine", "name", patients=collection("Patient", via="medicines"))
    Patient = model(a, "Patient", "name", medicines=collection("Medicine", via="patients", dominant=True))
    sync(Medicine, Patient)
    Medicine.insert_many([{"name": name} for name in "xyz"]).execute()
    database(Medicine).execute_sql("PRAGMA query_only=1")
    patient = Patient.create()
    patient.add_medicines([1, 2])
    patient.set_medicines([2, 3])
    patient.medicines.remove(3)
    patient.save()
    Patient.add_to_collection(patient.id, "medicines", [1])
    assert [each.name for each in patient.get_medicines()] == ["x", "y"]
    assert Medicine.find().populate("patients")[2].patients == [] and not sync(database(Patient))


def test_neither_has_via(on: Any) -> None:
    """W20, W27: two tables, each in its own model's store; neither sees the other's links; no warning."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        User, Product = wishes(on("sqlite"), on("redis"), via=False)
    mine, theirs = User.wishlist.through, Product.wishlisted_by.through
    assert mine is not theirs and database(mine) is database(User) and database(theirs) is database(Product)
    user, product = User.create(), Product.create()
    user.add_wishlist(product)
    assert product.get_wishlisted_by() == [] and user.get_wishlist() == [product]


def test_dominance_is_of_a_pair_of_attributes(on: Any) -> None:
    """W29: and not of the model."""
    a, b = on("sqlite"), on("sqlite")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        User = model(
            a, "User", favorite_toys=collection("Toy", via="favorite_toy_of", dominant=True), designs=collection("Toy", via="designed_by")
        )
        Toy = model(
            b, "Toy", favorite_toy_of=collection("User", via="favorite_toys"), designed_by=collection("User", via="designs", dominant=True)
        )
        sync(User, Toy)
    assert database(User.favorite_toys.through) is database(User) and database(User.designs.through) is database(Toy)


def test_both_are_dominant(on: Any) -> None:
    """W30: an error that names both attributes, before any table is made."""
    near, far = on("sqlite"), on("sqlite")
    with pytest.raises(AssociationError) as caught:
        wishes(near, far, user=True, product=True)
    assert str(caught.value) == (
        "User.wishlist = collection('Product', via='wishlisted_by', dominant=True): User.wishlist and Product.wishlisted_by are both "
        "dominant, and their models are in different databases, of which one has the links. Leave dominant out at one of them."
    )
    assert database(near).get_tables() == database(far).get_tables() == []


# Sails


def test_users_in_postgresql_and_comments_in_mongodb(on: Any) -> None:
    """S17 (S2, S11-S16): the same asserts, and the same number of queries."""
    a, b = on("postgresql"), on("mongodb")
    User = model(a, "User", "name", comments=collection("Comment", via="author"))
    Comment = model(b, "Comment", "text", author=reference("User"))
    sync(User, Comment)
    user = User.create(name="A")
    with assert_queries(1):
        assert "comments" not in list(User.find())[0].to_dict()
    for number in range(40):
        Comment.create(text=str(number), author=user)
    with pytest.warns(match="comments"), assert_queries(2):
        cut = list(User.find().populate("comments"))[0].comments
    assert len(cut) == 30 and cut.truncated and user.count_comments() == 40
    with assert_queries(2):
        assert len(list(User.find().populate("comments", limit=None))[0].comments) == 40
    settings.populate_limit = None
    try:
        assert len(User.find().populate("comments")[0].comments) == 40
    finally:
        settings.populate_limit = 30
    newest = User.find().populate("comments", order="-id", limit=2, where={"text": {"!=": "39"}})[0].comments
    assert [each.text for each in newest] == ["38", "37"] and newest[0].author == user
