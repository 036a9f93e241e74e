"""The guides of Waterline and Sails, item by item, in Python: what they show works, and what they promise holds.

What they show of populate stands in the tests of populate. Where the semantics rule otherwise than a guide, the line is named.
"""

from __future__ import annotations

import warnings
from typing import Any

import pytest
from looking import cols, has, keys, lacks, pk, raw, table, ten
from peewee import CharField, FloatField, IntegerField, IntegrityError

import activeassoc
from activeassoc import collection, reference, sync
from activeassoc.testing import assert_queries

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


def many_to_many(Base: Any, **options: Any) -> Any:
    return pets(Base, user_pets=collection("Pet", via="owners", **options), pet_owners=collection("User", via="pets"))


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


def test_creating_with_the_key_of_the_other_tells_one_side(Base, db):
    """W4, W5: the other side is updated by itself."""
    User, Pet = pets(Base, user_pet=reference("Pet"), pet_user=reference("User"))
    User.create(id=123, first_name="Foo", last_name="Bar")
    pet = Pet.create(**FIDO, user=123)
    assert pet.user_id == 123
    assert pet.user.first_name == "Foo"
    assert User.get_by_id(123).pet is None
    with pytest.raises(IntegrityError), db.atomic():
        Pet.create(**FIDO, user=999)
    User.get_by_id(123).set_pet(pet)
    assert User.get_by_id(123).pet == pet
    User.update(pet=None).where(User.id == 123).execute()
    User.set_by_id(123, {"pet": pet})
    assert User.get_by_id(123).pet_id == pet.id


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
    assert Pet.find({"animal": "dog"})[0].owner.first_name == "Foo"
    assert pet.owner_id == 123
    assert User.find({"pet": 1})[0].id == 123
    saved = User(id=7, first_name="n", last_name="m")
    saved.save()
    assert User.get_by_id(7).first_name == "n"


# One-to-many


def test_a_collection_via_a_reference_is_one_to_many(Base):
    """W8: the collection has no column, and the methods of has_many."""
    User, Pet = pets(Base, user_pets=collection("Pet", via="owner"), pet_owner=reference("User"))
    assert "owner_id" in cols(Pet)
    assert cols(User) == {"id", "first_name", "last_name"}
    assert has(User, ten("pet", "pets"))
    assert has(Pet, "get_owner set_owner create_owner")


@pytest.mark.parametrize("via", ["ownr", "name"])
def test_a_via_that_names_no_reference_is_told_in_sync(Base, db, via):
    """W8: with both ends; nothing is made."""
    with pytest.raises(activeassoc.AssociationError) as error:
        pets(Base, user_pets=collection("Pet", via=via), pet_owner=reference("User"))
    assert "User.pets" in str(error.value)
    assert f"Pet.{via}" in str(error.value)
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


# Many-to-many


@pytest.mark.parametrize("options", [{}, {"dominant": True}])
def test_collections_that_name_each_other_have_a_join_table(Base, options):
    """W11, W32: it makes itself; within one database dominant is ignored without a word, at one end or at both."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        User, Pet = many_to_many(Base, **options)
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
    assert raw(db, "SELECT * FROM pet_owners__user_pets") == []
    user.save()
    assert raw(db, "SELECT user_pets, pet_owners FROM pet_owners__user_pets") == [(2, 20)]
    assert Pet.get_by_id(20).get_owners() == [user]


def test_a_dict_is_a_new_record_and_lists_mix(Base):
    """W14, W15: it is created and linked in the same transaction; what is linked already is kept."""
    User, Pet = many_to_many(Base)
    User.create(id=2)
    for key in (20, 22, 24, 31):
        Pet.create(id=key, **FIDO)
    user = User.find_one(2)
    user.pets.add({**FIDO, "name": "rex"})
    assert Pet.select().count() == 4
    user.save()
    assert Pet.select().count() == 5
    assert "rex" in [pet.name for pet in user.get_pets()]
    user = User.find_one(2)
    user.pets.add([20, 24, 31])
    user.save()
    user.pets.add([Pet.get_by_id(22), {"name": "new"}, 24])
    user.save()
    assert user.count_pets() == 6


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
    with pytest.raises(TypeError):
        user.pets.remove({"name": "fido"})
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
    assert "999" in str(error.value)
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


@pytest.mark.parametrize("via", [None, "wishlist"])
def test_a_collection_without_via_is_answered_by_none(Base, db, via):
    """W26, W27: two collections without via have a table each; one whose via is answered by none is an error that names both ends."""

    class User(Base):
        wishlist = collection("Product")

    class Product(Base):
        wishlisted_by = collection("User", via=via)

    if via is not None:
        with pytest.raises(activeassoc.DeclarationError, match=r"Product\.wishlisted_by.*User\.wishlist"):
            sync(User, Product)
        assert db.get_tables() == []
        return
    sync(User, Product)
    assert User.wishlist.through is not Product.wishlisted_by.through
    user, product = User.create(), Product.create()
    user.add_wishlist(product)
    assert product.get_wishlisted_by() == []
    assert user.get_wishlist() == [product]


def test_dominant_is_refused_where_there_are_no_links(Base):
    """W28: on a reference and on a one-to-many collection; nothing is declared."""
    with pytest.raises(activeassoc.AssociationError):

        class Owner(Base):
            pet = reference("Pet", dominant=True)

    with pytest.raises(activeassoc.AssociationError):
        pets(Base, user_pets=collection("Pet", via="owner", dominant=True), pet_owner=reference("User"))


# Sails


def test_associations_are_no_part_of_query_results(Base):
    """S1: touching the collection loads it."""

    class User(Base):
        full_name = CharField()
        invoices = collection("Invoice", via="creator")

    class Invoice(Base):
        invoice_number = CharField()
        total_amount = FloatField()
        creator = reference("User")

    sync(User, Invoice)
    user = User.create(full_name="A")
    with assert_queries(1):
        list(User.find())
    with assert_queries(1):
        assert len(user.invoices) == 0
        assert list(user.invoices) == []
    invoice = Invoice.create(invoice_number="INV-001", total_amount=5000, creator=user.id)
    assert invoice.creator_id == user.id
    assert "creator_id" in cols(Invoice)
    assert list(User.find_one(user.id).invoices) == [invoice]


def test_a_unique_reference_makes_a_list_of_at_most_one(Base, db):
    """S3: the database refuses the second pet of one owner, and takes any number without owner."""

    class User(Base):
        name = CharField()
        pet = collection("Pet", via="owner")

    class Pet(Base):
        name = CharField()
        owner = reference("User", unique=True)

    sync(User, Pet)
    user = User.create(name="u")
    fido = Pet.create(name="fido", owner=user)
    Pet.create(name="a")
    Pet.create(name="b")
    with pytest.raises(IntegrityError), db.atomic():
        Pet.create(name="rex", owner=user)
    assert User.find_one(user.id).pet == [fido]


@pytest.fixture
def courses(Base: Any) -> Any:
    """S4: User and Course, whose join table makes itself."""

    class User(Base):
        full_name = CharField(null=True)
        courses = collection("Course", via="purchasers")

    class Course(Base):
        title = CharField(null=True)
        purchasers = collection("User", via="courses")

    sync(User, Course)
    return User, Course


def test_to_add_remove_and_replace_by_name(courses, Base):
    """S4–S7: from both sides, one or several on each; a call that fails writes nothing."""
    User, Course = courses
    assert table(User.courses.through) == "course_purchasers__user_courses"
    assert cols(User.courses.through) == {"course_purchasers", "user_courses"}
    u, v = User.create(), User.create()
    c1, c2, c3 = (Course.create() for _ in "abc")
    links = User.courses.through
    User.add_to_collection(u.id, "courses", [c1.id])
    Course.add_to_collection(c1.id, "purchasers", [v.id])
    User.add_to_collection(u, "courses", c1)
    assert c1.get_purchasers() == [u, v]
    assert links.select().count() == 2
    User.add_to_collection([u.id, v.id], "courses", [c1.id, c2.id])
    assert links.select().count() == 4
    for call in (
        lambda: User.add_to_collection(u.id, "corses", [c1.id]),
        lambda: User.add_to_collection(999, "courses", [c1.id]),
        lambda: User.add_to_collection(u.id, "courses", [c3.id, 999]),
    ):
        with pytest.raises(activeassoc.AssociationError):
            call()
    assert links.select().count() == 4
    User.remove_from_collection(u.id, "courses", [c1.id])
    Course.remove_from_collection(c1.id, "purchasers", [v.id, u.id])
    assert c1.get_purchasers() == []
    assert Course.select().count() == 3
    assert User.select().count() == 2
    assert u.get_courses() == v.get_courses() == [c2]
    User.remove_from_collection(u.id, "courses", [])
    User.replace_collection(u.id, "courses", [c1, c2.id, c3])
    assert u.has_courses([c1, c2, c3])
    assert v.get_courses() == [c2]
    User.replace_collection(u.id, "courses", [])
    assert u.get_courses() == []


def test_one_way(Base):
    """S8: Course knows its purchasers, User knows nothing."""

    class User(Base):
        full_name = CharField(null=True)

    class Course(Base):
        title = CharField(null=True)
        purchasers = collection("User")

    sync(User, Course)
    u, c = User.create(), Course.create()
    c.add_purchaser(u)
    assert not User.associations
    assert lacks(User, "courses get_courses")
    assert c.get_purchasers() == [u]
    assert "user_id" not in cols(Course)
    assert cols(User) == {"id", "full_name"}


def test_a_reference_to_the_model_itself_with_a_columns_name(Base):
    """S9: "self" or the name; a collection reads the thread downwards."""

    class Comment(Base):
        body = CharField()
        parent_comment = reference("self", column_name="parent_comment")
        replies = collection("self", via="parent_comment")

    class Invoice(Base):
        template_invoice = reference("Invoice", column_name="template_invoice")

    sync(Comment, Invoice)
    assert "parent_comment" in cols(Comment)
    assert keys(Comment) == {("parent_comment", "comment", "id", "SET NULL", "CASCADE")}
    assert "template_invoice" in cols(Invoice)
    root = Comment.create(body="r")
    reply = Comment.create(body="x", parent_comment=root)
    assert root.parent_comment is None
    assert reply.parent_comment == root
    assert reply.parent_comment_id == root.id
    assert Comment.find({"parent_comment": None})[0] == root
    assert root.get_replies() == [reply]
    root.set_parent_comment(root)
    assert root.get_replies() == [root, reply]


def test_several_collections_on_one_model(Base):
    """S10: four sets of methods, four keys, none mixed up."""

    class Creator(Base):
        invoices = collection("Invoice", via="creator")
        clients = collection("Client", via="creator")
        expenses = collection("Expense", via="creator")
        settings = collection("Setting", via="creator")

    class Invoice(Base):
        creator = reference("Creator")

    class Client(Base):
        creator = reference("Creator")

    class Expense(Base):
        creator = reference("Creator")

    class Setting(Base):
        creator = reference("Creator")

    sync(Creator, Invoice, Client, Expense, Setting)
    c = Creator.create()
    c.create_setting()
    c.create_client()
    assert (c.count_settings(), c.count_clients(), c.count_invoices(), c.count_expenses()) == (1, 1, 0, 0)
    assert all("creator_id" in cols(model) for model in (Invoice, Client, Expense, Setting))


def test_criteria_on_a_reference(Base):
    """S11, S12: by field or by key, with a key or a record; a collection is no criterion; find_one wants one."""

    class User(Base):
        organization = CharField(null=True)
        invoices = collection("Invoice", via="creator")

    class Invoice(Base):
        public_id = CharField(null=True)
        creator = reference("User")
        items = collection("Item", via="invoice")

    class Item(Base):
        name = CharField()
        invoice = reference("Invoice")

    sync(User, Invoice, Item)
    user = User.create(organization="acme")
    invoice = Invoice.create(public_id="x", creator=user)
    assert Invoice.find_one({"id": invoice.id}) == invoice
    assert Invoice.find_one({"id": 999}) is None
    assert Invoice.find({"public_id": "x", "creator": user.id}).first() == invoice
    assert Invoice.find({"creator_id": user.id})[0] == Invoice.find({"creator": user})[0] == invoice
    with pytest.raises(ValueError, match="items"):
        Invoice.find({"items": 1})


# The guide of many-to-many


def test_the_join_table_makes_itself_and_is_written_from_both_sides(Base, db):
    """N1–N7: no second row for what is linked, and either side shows it at once."""

    class User(Base):
        first_name = CharField(null=True)
        pets = collection("Pet", via="owners")

    class Pet(Base):
        breed = CharField(null=True)
        type = CharField(null=True)
        name = CharField(null=True)
        owners = collection("User", via="pets")

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        sync(db)
    assert set(db.get_tables()) == {"user", "pet", "pet_owners__user_pets"}
    for key in (10, 12):
        User.create(id=key)
    for key in (300, 301):
        Pet.create(id=key)

    def links() -> Any:
        return raw(db, "SELECT user_pets, pet_owners FROM pet_owners__user_pets")

    assert User.add_to_collection(10, "pets", 300) == 1
    assert links() == [(10, 300)]
    assert Pet.find(300)[0].owners == [User.get_by_id(10)]
    assert User.add_to_collection(10, "pets", [300, 301]) == 1
    assert links() == [(10, 300), (10, 301)]
    assert Pet.add_to_collection(300, "owners", 12) == 1
    assert Pet.remove_from_collection(300, "owners", 10) == 1
    assert links() == [(10, 301), (12, 300)]
    assert [pet.id for pet in User.find_one(10).pets] == [301]
    assert Pet.remove_from_collection(300, "owners", [10, 12]) == 1
    assert links() == [(10, 301)]
    assert [len(user.pets) for user in User.find()] == [1, 0]
    assert User.select().count() == Pet.select().count() == 2


def test_the_ends_may_be_declared_in_either_order(fresh):
    """N2: the join table and its columns are the same."""
    for first in (0, 1):
        Base = fresh.on()

        def user(Base: Any = Base) -> Any:
            return type(Base)("User", (Base,), {"pets": collection("Pet", via="owners"), "__module__": __name__})

        def pet(Base: Any = Base) -> Any:
            return type(Base)("Pet", (Base,), {"owners": collection("User", via="pets"), "__module__": __name__})

        made = [call() for call in ((user, pet) if first == 0 else (pet, user))]
        sync(*made)
        User, Pet = sorted(made, key=lambda model: model.__name__, reverse=True)
        assert cols(User.pets.through) == {"user_pets", "pet_owners"}
        u, p = User.create(id=5), Pet.create(id=7)
        p.add_owner(u)
        assert raw(fresh.db, "SELECT user_pets, pet_owners FROM pet_owners__user_pets") == [(5, 7)]
        assert len(fresh.db.get_tables()) == 3
