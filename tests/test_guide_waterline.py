"""The guide of Waterline's associations, item by item, in Python: what it shows works, and what it promises holds.

Here everything lives in one database. Where the semantics rule otherwise than the guide, the line is named.
"""

from __future__ import annotations

import warnings
from typing import Any

import pytest
from looking import cols, has, keys, pk, raw, stored, table, ten
from peewee import CharField, IntegerField, IntegrityError

import activeassoc
from activeassoc import collection, reference, sync
from activeassoc.stores.capabilities import store_of
from activeassoc.testing import assert_queries

pytestmark = pytest.mark.every_store

FIDO = {"breed": "labrador", "type": "dog", "name": "fido"}


def pets(Base: Any, **links: Any) -> Any:
    """User and Pet of the guide; `links` stand in the class bodies as user_<name> and pet_<name>."""

    def of(side: str) -> dict[str, Any]:
        return {name.partition("_")[2]: form for name, form in links.items() if name.startswith(side)}

    def model(name: str, columns: str, side: str) -> Any:
        fields = {column: CharField(null=True) for column in columns.split()}
        return type(Base)(name, (Base,), {**fields, **of(side), "__module__": __name__})

    User, Pet = model("User", "first_name last_name", "user"), model("Pet", "breed type name", "pet")
    sync(User, Pet)
    return User, Pet


def many_to_many(Base: Any, user: bool = False, pet: bool = False) -> Any:
    """User.pets and Pet.owners, which name each other; `user` and `pet` say which of them is dominant."""
    ends = {"user_pets": collection("Pet", via="owners", dominant=user), "pet_owners": collection("User", via="pets", dominant=pet)}
    return pets(Base, **ends)


# One-to-one


def test_a_reference_is_a_key_on_one_side(Base):
    """W2: many users may share a pet, and Pet has no methods."""
    User, Pet = pets(Base, user_pet=reference("Pet"))
    assert "pet_id" in cols(User)
    assert keys(User) == {("pet_id", "pet", "id", "SET NULL", "CASCADE")}
    assert cols(Pet) == {"id", "breed", "type", "name"}
    assert has(User, "get_pet set_pet create_pet")
    pet = Pet.create(**FIDO)
    a, b = User.create(pet=pet), User.create(pet=pet.id)
    assert a.pet == b.pet == pet
    assert not hasattr(pet, "user")
    assert not Pet.associations


def test_references_on_both_sides_are_two_keys(Base, db):
    """W3: they know nothing of each other, and every engine can make the cycle of keys; unique=True allows one."""
    User, Pet = pets(Base, user_pet=reference("Pet"), pet_user=reference("User"))
    assert "pet_id" in cols(User)
    assert "user_id" in cols(Pet)
    assert keys(User) == {("pet_id", "pet", "id", "SET NULL", "CASCADE")}
    assert keys(Pet) == {("user_id", "user", "id", "SET NULL", "CASCADE")}
    assert not sync(db)


def test_a_unique_reference_takes_one(Base, db):
    """W3: exactly one, in the database; as many as one likes without."""
    User, Pet = pets(Base, user_pet=reference("Pet", unique=True))
    fido = Pet.create(**FIDO)
    User.create(pet=fido)
    with pytest.raises(IntegrityError), db.atomic():
        User.create(pet=fido)
    User.create()
    User.create()


@pytest.fixture
def each_other(Base: Any) -> Any:
    """User and Pet with a reference to each other; user 123, and a pet that names it."""
    User, Pet = pets(Base, user_pet=reference("Pet"), pet_user=reference("User"))
    User.create(id=123, first_name="Foo", last_name="Bar")
    return User, Pet, Pet.create(**FIDO, user=123)


def test_creating_with_the_key_of_the_other_tells_one_side(each_other, db):
    """W4: the other side does not know; a key of nobody is refused by a database that has constraints."""
    User, Pet, pet = each_other
    assert pet.user_id == 123
    assert pet.user.first_name == "Foo"
    assert User.get_by_id(123).pet is None
    if not store_of(db).constraints:
        assert Pet.create(**FIDO, user=999).get_user() is None
        return
    with pytest.raises(IntegrityError), db.atomic():
        Pet.create(**FIDO, user=999)
    assert Pet.select().count() == 1


@pytest.mark.parametrize(
    "write",
    [
        lambda User, pet: User.get_by_id(123).set_pet(pet),
        lambda User, pet: User.set_by_id(123, {"pet": pet}),
        lambda User, pet: User.update(pet=pet.id).where(User.id == 123).execute(),
    ],
    ids=["set_pet", "set_by_id", "update"],
)
def test_the_other_side_is_updated_by_itself(each_other, write):
    """W5: by the method, or by what peewee has for any column."""
    User, _, pet = each_other
    write(User, pet)
    user = User.get_by_id(123)
    assert user.pet == pet
    assert user.pet_id == pet.id


def test_populating_a_reference(each_other):
    """W6: two statements, from either side; the key inside stays a key."""
    User, Pet, pet = each_other
    User.get_by_id(123).set_pet(pet)
    with assert_queries(2):
        (found,) = Pet.find().populate("user")
    with assert_queries(0):
        assert found.to_dict() == {
            "id": pet.id,
            **FIDO,
            "user": {"id": 123, "first_name": "Foo", "last_name": "Bar", "pet": pet.id},
        }
    with assert_queries(2):
        (user,) = User.find().populate("pet")
    with assert_queries(0):
        assert user.pet == pet
        assert user.pet.name == "fido"


def test_a_reference_that_nobody_populated_is_its_key(each_other):
    """W6: and one without a key is None, populated or not."""
    _, Pet, pet = each_other
    lone = Pet.create(name="lone")
    assert [each.to_dict()["user"] for each in Pet.find()] == [123, None]
    assert Pet.find(lone.id).populate("user")[0].to_dict()["user"] is None


@pytest.mark.needs("sql")
def test_names_of_legacy_tables_are_honoured(Base, db):
    """W7, F4: tables and columns are what the database has, attributes what one writes; nothing is synced."""
    db.execute_sql("CREATE TABLE pb_user (id INTEGER PRIMARY KEY, pb_owner_first VARCHAR(255), pb_owner_last VARCHAR(255), pet INTEGER)")
    db.execute_sql(
        "CREATE TABLE pb_pets (id INTEGER PRIMARY KEY, pb_pet_breed VARCHAR(255), pb_pet_species VARCHAR(255), "
        "pb_pet_name VARCHAR(255), owner INTEGER)"
    )

    class Pet(Base):
        id = IntegerField(primary_key=True)
        breed = CharField(column_name="pb_pet_breed")
        animal = CharField(column_name="pb_pet_species")
        name = CharField(column_name="pb_pet_name")
        owner = reference("User", column_name="owner")

        class Meta:
            table_name = "pb_pets"

    class User(Base):
        id = IntegerField(primary_key=True)
        first_name = CharField(column_name="pb_owner_first")
        last_name = CharField(column_name="pb_owner_last")
        pet = reference("Pet", column_name="pet")

        class Meta:
            table_name = "pb_user"

    User.create(id=123, first_name="Foo", last_name="Bar")
    pet = Pet.create(id=1, breed="labrador", animal="dog", name="fido", owner=123)
    User.get_by_id(123).set_pet(1)
    assert raw(db, "SELECT pb_pet_species, owner FROM pb_pets") == [("dog", 123)]
    with assert_queries(2):
        (found,) = Pet.find({"animal": "dog"}).populate("owner")
    with assert_queries(0):
        assert found.owner.first_name == "Foo"
    assert pet.owner_id == 123
    assert User.find({"pet": 1})[0].id == 123


@pytest.mark.parametrize(
    "write",
    [lambda User: User.create(id=7, name="n"), lambda User: User(id=7, name="n").save()],
    ids=["create", "save"],
)
def test_a_key_set_by_hand_is_inserted(Base, db, write):
    """W7: by create, and by save the first time; the next save updates."""

    class User(Base):
        id = IntegerField(primary_key=True)
        name = CharField()

    sync(User)
    write(User)
    (user,) = User.select()
    assert (user.id, user.name) == (7, "n")
    user.name = "m"
    user.save()
    assert list(User.select().tuples()) == [(7, "m")]


# One-to-many


def test_a_collection_via_a_reference_is_one_to_many(Base):
    """W8: the collection has no column, and the methods of has_many."""
    User, Pet = pets(Base, user_pets=collection("Pet", via="owner"), pet_owner=reference("User"))
    assert "owner_id" in cols(Pet)
    assert cols(User) == {"id", "first_name", "last_name"}
    assert has(User, ten("pet", "pets"))
    assert has(Pet, "get_owner set_owner create_owner")


@pytest.mark.parametrize(
    ("via", "text"),
    [
        (
            "ownr",
            "User.pets = collection('Pet', via='ownr'): via names Pet.ownr, and Pet has no attribute 'ownr'. Did you mean 'owner'. "
            'Write ownr = reference("User") in class Pet for one-to-many, or ownr = collection("User", via="pets") for many-to-many.',
        ),
        (
            "name",
            "User.pets = collection('Pet', via='name'): via names Pet.name, which is of type CharField and refers to no record. "
            'Write name = reference("User") in class Pet, or give via the reference that is meant.',
        ),
        (
            "vet",
            "User.pets = collection('Pet', via='vet'): via names Pet.vet, which refers to Vet, not to User. "
            'Write vet = reference("User") in class Pet, or give via the reference that is meant.',
        ),
    ],
)
def test_a_via_that_names_no_reference_to_here_is_told_in_sync(Base, db, via, text):
    """W8, F3: nothing of that name, a plain column, a reference to a third model; nothing is made."""

    class Vet(Base):
        pass

    with pytest.raises(activeassoc.AssociationError) as error:
        pets(Base, user_pets=collection("Pet", via=via), pet_owner=reference("User"), pet_vet=reference(Vet))
    assert str(error.value) == text
    assert db.get_tables() == []


def test_via_tells_several_apart(Base):
    """W9: two references, two collections."""
    User, Pet = pets(
        Base,
        user_pets=collection("Pet", via="owner"),
        user_walks=collection("Pet", via="walker"),
        pet_owner=reference("User"),
        pet_walker=reference("User"),
    )
    u, v = User.create(), User.create()
    p = Pet.create(owner=u, walker=v)
    assert list(u.pets) == [p] == list(v.walks)
    assert list(u.walks) == []


def test_a_pet_is_created_or_updated_with_its_owners_key(Base):
    """W10: by key, by save, and by UPDATE."""
    User, Pet = pets(Base, user_pets=collection("Pet", via="owner"), pet_owner=reference("User"))
    User.create(id=123, first_name="Foo", last_name="Bar")
    User.create(id=124)
    pet = Pet.create(**FIDO, owner=123)
    other = Pet.create()
    other.owner = 123
    other.save()
    assert User.get_by_id(123).get_pets() == [pet, other]
    Pet.update(owner=124).where(Pet.id == other.id).execute()
    assert [user.get_pets() for user in User.find()] == [[pet], [other]]


def test_populating_a_collection(Base):
    """W10: two statements; the pets hold the key of their owner, and a collection that nobody asked for is not in to_dict."""
    User, Pet = pets(Base, user_pets=collection("Pet", via="owner"), pet_owner=reference("User"))
    User.create(id=123, first_name="Foo", last_name="Bar")
    User.create(id=124)
    pet, other = Pet.create(**FIDO, owner=123), Pet.create(owner=124)
    with assert_queries(2):
        foo, second = User.find().populate("pets")
    with assert_queries(0):
        assert foo.to_dict() == {
            "id": 123,
            "first_name": "Foo",
            "last_name": "Bar",
            "pets": [{"id": pet.id, **FIDO, "owner": 123}],
        }
        assert second.pets == [other]
    assert User.get_by_id(123).to_dict() == {"id": 123, "first_name": "Foo", "last_name": "Bar"}


def test_populating_the_owner(Base):
    """W10: from the other side, also of a pet that has none."""
    User, Pet = pets(Base, user_pets=collection("Pet", via="owner"), pet_owner=reference("User"))
    user = User.create(first_name="Foo")
    Pet.create(owner=user)
    Pet.create()
    with assert_queries(2):
        found = list(Pet.find().populate("owner"))
    with assert_queries(0):
        assert [pet.owner and pet.owner.first_name for pet in found] == ["Foo", None]


# Many-to-many


@pytest.mark.parametrize("pet", [False, True])
@pytest.mark.parametrize("user", [False, True])
def test_collections_that_name_each_other_have_a_join_table(Base, db, user, pet):
    """W11, W32: it makes itself; within one database dominant is ignored without a word, at one end or at both."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        User, Pet = many_to_many(Base, user=user, pet=pet)
    assert set(db.get_tables()) == {"user", "pet", "pet_owners__user_pets"}
    link = User.pets.through
    assert link is Pet.owners.through
    assert table(link) == "pet_owners__user_pets"
    assert cols(link) == pk(link) == {"pet_owners", "user_pets"}
    assert has(User, ten("pet", "pets"))
    assert has(Pet, ten("owner", "owners"))


def test_several_pairs_have_a_table_each(Base, db):
    """W12: and each sees its own links only."""
    User, Pet = pets(
        Base,
        user_pets=collection("Pet", via="owners"),
        pet_owners=collection("User", via="pets"),
        user_walks=collection("Pet", via="walkers"),
        pet_walkers=collection("User", via="walks"),
    )
    assert set(db.get_tables()) == {"user", "pet", "pet_owners__user_pets", "pet_walkers__user_walks"}
    user, pet = User.create(), Pet.create()
    user.add_walk(pet)
    assert pet.get_walkers() == [user]
    assert pet.get_owners() == []


def test_add_and_remove_wait_for_save(Base, db):
    """W13: nothing happens before; the column user_pets holds the user's key."""
    User, Pet = many_to_many(Base)
    User.create(id=2)
    for key in (20, 22, 24, 31):
        Pet.create(id=key, **FIDO)
    user = User.find_one(2)
    with assert_queries(0):
        user.pets.add(20)
    assert User.pets.through.select().count() == 0
    user.save()
    assert stored(User.pets.through, "user_pets", "pet_owners") == [(2, 20)]
    assert Pet.get_by_id(20).get_owners() == [user]


def test_a_dict_is_a_new_record(Base):
    """W14: it is created at save, and linked in the same transaction."""
    User, Pet = many_to_many(Base)
    user = User.create()
    user.pets.add({**FIDO, "name": "rex"})
    assert Pet.select().count() == 0
    user.save()
    (rex,) = user.get_pets()
    assert (rex.name, rex.breed) == ("rex", "labrador")
    user.pets.add([{"name": "tom"}, 999])
    with pytest.raises(activeassoc.LinksNotSaved):
        user.save()
    assert Pet.select().count() == (1 if store_of(Pet._meta.database).transactions else 2)
    user.pets.pending.clear()


def test_lists_mix_keys_records_and_dicts(Base):
    """W15: what is linked already is kept, with no second row."""
    User, Pet = many_to_many(Base)
    User.create(id=2)
    for key in (20, 22, 24, 31):
        Pet.create(id=key, **FIDO)
    user = User.find_one(2)
    user.add_pet(20)
    user.pets.add([20, 24, 31])
    user.save()
    assert [pet.id for pet in user.get_pets()] == [20, 24, 31]
    user.pets.add([Pet.get_by_id(22), {"name": "new"}, 24])
    user.save()
    assert sorted(pet.name for pet in user.get_pets()) == ["fido"] * 4 + ["new"]
    assert user.count_pets() == User.pets.through.select().count() == 5


def test_remove_takes_keys_and_goes_together_with_add(Base):
    """W16: a dict is refused at the call, and of two calls for one key the last one wins."""
    User, Pet = many_to_many(Base)
    User.create(id=2)
    for key in (20, 22, 24, 31):
        Pet.create(id=key, **FIDO)
    user = User.find_one(2)
    user.set_pets([20, 22, 24, 31])
    user = User.find_one(2)
    user.pets.add(dict(FIDO))
    user.pets.remove(22)
    user.pets.remove([24, 31])
    with pytest.raises(TypeError) as error:
        user.pets.remove({"name": "fido"})
    assert str(error.value) == (
        "User.pets.remove(): {'name': 'fido'} is a mapping, and tells no record. Give primary keys or instances."
    )
    user.save()
    assert Pet.get_or_none(Pet.id == 22)
    assert user.count_pets() == 2
    user.pets.add(22)
    user.pets.remove(22)
    user.save()
    assert not user.has_pet(22)
    user.pets.remove(22)
    user.pets.add(22)
    user.save()
    assert user.has_pet(22)


def test_to_remove_a_strangers_record_does_nothing(Base):
    """W16: the link of the other user stays."""
    User, Pet = many_to_many(Base)
    user, other, pet = User.create(), User.create(), Pet.create()
    other.add_pet(pet)
    user.pets.remove(pet)
    user.save()
    assert other.get_pets() == [pet]
    assert user.get_pets() == []


@pytest.mark.needs("transactions")
def test_what_cannot_be_linked_takes_everything_back(Base):
    """W17: one transaction, the record included; the queue is kept."""
    User, Pet = many_to_many(Base)
    User.create(id=2)
    Pet.create(id=22)
    user = User.find_one(2)
    user.pets.add([22, 999])
    user.first_name = "Z"
    with pytest.raises(activeassoc.AssociationError) as error:
        user.save()
    assert str(error.value) == (
        "User.save() with what its collections have queued: 1 of it failed, and nothing was written: "
        "User.pets.add(999): Pet has no row with the primary key 999. "
        "The queue is kept: mend what failed, or take it back, and save again."
    )
    assert not user.has_pet(22)
    assert User.get_by_id(2).first_name is None
    Pet.create(id=999)
    user.save()
    assert user.has_pets([22, 999], exact=False)
    assert User.get_by_id(2).first_name == "Z"


def test_the_same_on_one_to_many(Base):
    """W18: add moves a pet here, a dict is created with its key, remove clears the key only where it is this user's."""
    User, Pet = pets(Base, user_pets=collection("Pet", via="owner"), pet_owner=reference("User"))
    other = User.create()
    theirs, mine = Pet.create(owner=other), Pet.create()
    user = User(first_name="n")
    user.pets.add([theirs, {"name": "rex"}, mine.id])
    user.save()
    assert user.first_name == User.get_by_id(user.id).first_name == "n"
    assert {pet.name for pet in user.get_pets()} == {None, "rex"}
    assert user.count_pets() == 3
    assert theirs.owner == user
    assert other.get_pets() == []
    other.pets.remove(theirs)
    user.pets.remove(mine)
    other.save()
    user.save()
    assert Pet.get_by_id(theirs.id).owner_id == user.id
    assert Pet.get_by_id(mine.id).owner_id is None


# Where the links are, within one database


def test_the_links_have_a_model_of_their_own(Base):
    """W21: it has columns of its own, and each collection's via is its key on that model; links and pets are one statement."""
    columns = {"user": reference("User"), "pet": reference("Pet"), "role": CharField(default="owner")}
    # Made as User and Pet are: a class statement here would look in this function for them first, then in the whole module.
    Membership = type(Base)("Membership", (Base,), {**columns, "__module__": __name__})
    User, Pet = pets(
        Base,
        user_pets=collection("Pet", via="user", through=Membership),
        pet_owners=collection("User", via="pet", through=Membership),
    )
    sync(Membership)
    user, pet = User.create(), Pet.create()
    user.add_pet(pet, {"role": "sitter"})
    assert Membership.select().count() == 1
    with assert_queries(2 if store_of(Pet._meta.database).joins else 3):
        (found,) = User.find().populate("pets")
    with assert_queries(0):
        assert found.pets == [pet]
        assert found.pets[0].membership.role == "sitter"
    assert pet.get_owners() == [user]


def test_collections_without_via_have_a_table_each(Base, db):
    """W20, W26: each is one-way and dominant by itself, so that nothing need be said, and neither sees the other's links."""

    class User(Base):
        wishlist = collection("Product")

    class Product(Base):
        wishlisted_by = collection("User")

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        sync(User, Product)
    assert User.wishlist.through is not Product.wishlisted_by.through
    assert set(db.get_tables()) == {"user", "product", table(User.wishlist.through), table(Product.wishlisted_by.through)}
    assert len(db.get_tables()) == 4
    user, product = User.create(), Product.create()
    user.add_wishlist(product)
    assert product.get_wishlisted_by() == []
    assert user.get_wishlist() == [product]


def test_a_via_is_answered_by_none_that_lacks_it(Base, db):
    """W26, F3: the guide calls the end without via dominant; here it is an error in sync, before any table is made."""

    class User(Base):
        wishlist = collection("Product")

    class Product(Base):
        wishlisted_by = collection("User", via="wishlist")

    with pytest.raises(activeassoc.DeclarationError) as error:
        sync(User, Product)
    assert str(error.value) == (
        "Product.wishlisted_by = collection('User', via='wishlist'): via names User.wishlist, which has no via and is a one-way "
        'collection with links of its own. Write wishlist = collection("Product", via="wishlisted_by") in class User.'
    )
    assert db.get_tables() == []


def test_dominant_is_refused_on_a_reference(Base, db):
    """W28: in the class statement, and nothing is declared: the name is free for the mended class."""
    Pet = type(Base)("Pet", (Base,), {"owner": reference("User"), "__module__": __name__})
    with pytest.raises(activeassoc.AssociationError) as error:
        type(Base)("User", (Base,), {"pet": reference("Pet", dominant=True), "__module__": __name__})
    assert str(error.value) == (
        "User.pet = reference('Pet', dominant=True): dominant says which end of a many-to-many has the links, "
        "and User.pet is a key to Pet. Leave dominant out."
    )
    User = type(Base)("User", (Base,), {"pet": reference("Pet"), "__module__": __name__})
    sync(db)
    assert set(db.get_tables()) == {"user", "pet"}
    assert Pet.create(owner=User.create()).owner == User.get()


def test_dominant_is_refused_on_a_one_to_many(Base, db):
    """W28: in sync, as the other end shows it; nothing is made."""
    with pytest.raises(activeassoc.AssociationError) as error:
        pets(Base, user_pets=collection("Pet", via="owner", dominant=True), pet_owner=reference("User"))
    assert str(error.value) == (
        "User.pets = collection('Pet', via='owner', dominant=True): dominant says which end of a many-to-many has the links, "
        "and by Pet.owner this is one-to-many: Pet has the key. Leave dominant out."
    )
    assert db.get_tables() == []
