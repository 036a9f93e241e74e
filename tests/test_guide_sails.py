"""The guides of Sails on associations and on many-to-many, item by item, in Python: what they show works, and what they promise holds.

Here everything lives in one database. Where the semantics rule otherwise than a guide, the line is named.
"""

from __future__ import annotations

import warnings
from typing import Any

import peewee
import pytest
from looking import cols, has, keys, lacks, pk, stored, table, ten
from peewee import CharField, FloatField, IntegrityError

import activeassoc
from activeassoc import collection, lazy_policy, reference, settings, sync
from activeassoc.stores.capabilities import store_of
from activeassoc.testing import assert_queries

pytestmark = pytest.mark.every_store


@pytest.fixture
def billing(Base: Any) -> Any:
    """User and Invoice of the first snippets."""

    class User(Base):
        full_name = CharField()
        invoices = collection("Invoice", via="creator")

    class Invoice(Base):
        invoice_number = CharField()
        total_amount = FloatField()
        creator = reference("User")

    sync(User, Invoice)
    return User, Invoice


def test_associations_are_no_part_of_query_results(billing: Any) -> None:
    """S1: neither find nor to_dict asks for them."""
    User, _ = billing
    User.create(full_name="A")
    with assert_queries(1):
        (found,) = [user.to_dict() for user in User.find()]
    assert found == {"id": 1, "full_name": "A"}


def test_touching_a_collection_loads_it(billing: Any) -> None:
    """S1: once, by the policy "load", which is the default."""
    User, Invoice = billing
    invoice = Invoice.create(invoice_number="INV-001", total_amount=5000, creator=User.create(full_name="A"))
    user = User.find_one({"full_name": "A"})
    with assert_queries(1):
        assert len(user.invoices) == 1
        assert list(user.invoices) == [invoice]


def test_touching_a_collection_raises_where_the_policy_says_so(billing: Any) -> None:
    """S1, G8: with the populate to add."""
    User, _ = billing
    user = User.create(full_name="A")
    with lazy_policy("raise"), assert_queries(0), pytest.raises(activeassoc.LazyLoadError) as error:
        len(user.invoices)
    assert error.value.because == 'it is not loaded, and the policy "raise" allows no query here'
    assert error.value.instead == 'Write User.select().populate("invoices"), or populate(records, "invoices") for records in hand'
    with lazy_policy("raise"):
        assert list(User.find().populate("invoices"))[0].invoices == []


def test_an_invoice_is_created_with_just_the_key(billing: Any) -> None:
    """S2: the column is creator_id, and to_dict tells the key under the reference's name."""
    User, Invoice = billing
    user = User.create(full_name="A")
    invoice = Invoice.create(invoice_number="INV-001", total_amount=5000, creator=user.id)
    assert invoice.creator_id == user.id
    assert "creator_id" in cols(Invoice)
    assert list(user.invoices) == [invoice]
    assert invoice.to_dict() == {"id": invoice.id, "invoice_number": "INV-001", "total_amount": 5000, "creator": user.id}


def test_a_unique_reference_makes_a_list_of_at_most_one(Base: Any, db: Any) -> None:
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
    assert User.find().populate("pet")[0].pet == [fido]


# Many-to-many, by the collection's name


@pytest.fixture
def courses(Base: Any) -> Any:
    """User and Course, whose join table makes itself."""

    class User(Base):
        full_name = CharField(null=True)
        courses = collection("Course", via="purchasers")

    class Course(Base):
        title = CharField(null=True)
        purchasers = collection("User", via="courses")

    sync(User, Course)
    return User, Course


def test_the_join_table_is_named_after_both_collections(courses: Any) -> None:
    """S4, F5: and its columns after one each; together they are its key."""
    User, Course = courses
    links = User.courses.through
    assert links is Course.purchasers.through
    assert table(links) == "course_purchasers__user_courses"
    assert cols(links) == pk(links) == {"course_purchasers", "user_courses"}
    assert {(column, to) for column, to, *_ in keys(links)} == {("course_purchasers", "course"), ("user_courses", "user")}


def test_adding_by_name_from_both_sides(courses: Any) -> None:
    """S5, F9: keys or records, one or a list; what is linked already is kept, with no second row."""
    User, Course = courses
    u, v, c = User.create(), User.create(), Course.create()
    assert User.add_to_collection(u.id, "courses", [c.id]) == 1
    assert Course.add_to_collection(c.id, "purchasers", [v.id]) == 1
    assert User.add_to_collection(u, "courses", c) == 0
    assert c.get_purchasers() == [u, v]
    assert User.courses.through.select().count() == 2


def test_every_owner_gets_every_child(courses: Any) -> None:
    """S5: of lists in both places."""
    User, Course = courses
    u, v, c1, c2 = User.create(), User.create(), Course.create(), Course.create()
    u.add_course(c1)
    assert User.add_to_collection([u.id, v.id], "courses", [c1.id, c2.id]) == 3
    assert [user.get_courses() for user in (u, v)] == [[c1, c2], [c1, c2]]
    assert User.courses.through.select().count() == 4


@pytest.mark.parametrize(
    ("owner", "name", "children", "text"),
    [
        (1, "corses", [1], "User.add_to_collection(…, 'corses', …): User has no collection 'corses'. Did you mean 'courses'."),
        (
            999,
            "courses",
            [1],
            "User.add_to_collection(…, 'courses', …): User has no row with the primary key 999. Create it first, or leave it out.",
        ),
        (
            1,
            "courses",
            [1, 999],
            "User.add_to_collection(…, 'courses', …): Course has no row with the primary key 999. Create it first, or leave it out.",
        ),
    ],
)
def test_a_call_by_name_that_fails_writes_nothing(courses: Any, owner: int, name: str, children: list[int], text: str) -> None:
    """S5: an unknown collection, an owner or a child that is not there."""
    User, Course = courses
    User.create(id=1)
    Course.create(id=1)
    with pytest.raises(activeassoc.AssociationError) as error:
        User.add_to_collection(owner, name, children)
    assert str(error.value) == text
    assert User.courses.through.select().count() == 0


def test_removing_by_name_takes_the_link_and_leaves_the_records(courses: Any) -> None:
    """S6: from both sides; where there is no link nothing happens, nor for an empty list."""
    User, Course = courses
    u, v, c1, c2 = User.create(), User.create(), Course.create(), Course.create()
    User.add_to_collection([u, v], "courses", [c1, c2])
    assert User.remove_from_collection(u.id, "courses", [c1.id]) == 1
    assert Course.remove_from_collection(c1.id, "purchasers", [v.id, u.id]) == 1
    assert User.remove_from_collection(u.id, "courses", c1.id) == 0
    assert User.remove_from_collection(u.id, "courses", []) == 0
    assert c1.get_purchasers() == []
    assert u.get_courses() == v.get_courses() == [c2]
    assert (User.select().count(), Course.select().count()) == (2, 2)


def test_replacing_by_name_leaves_exactly_these(courses: Any) -> None:
    """S7: keys or records; an empty list clears; other owners are left alone."""
    User, Course = courses
    u, v = User.create(), User.create()
    c1, c2, c3 = (Course.create() for _ in "abc")
    User.add_to_collection([u, v], "courses", c2)
    User.replace_collection(u.id, "courses", [c1, c2.id, c3])
    assert u.has_courses([c1, c2, c3])
    assert u.count_courses() == 3
    assert v.get_courses() == [c2]
    User.replace_collection(u.id, "courses", [])
    assert u.get_courses() == []
    assert v.get_courses() == [c2]
    assert Course.select().count() == 3


def test_several_owners_get_the_same_set(courses: Any) -> None:
    """S7: of a many-to-many."""
    User, Course = courses
    u, v, c1, c2 = User.create(), User.create(), Course.create(), Course.create()
    u.add_course(c2)
    User.replace_collection([u, v], "courses", [c1])
    assert u.get_courses() == v.get_courses() == [c1]


def test_a_one_to_many_cannot_be_shared_by_several_owners(billing: Any) -> None:
    """S7, F9: which raises and writes nothing; they can all be cleared at once."""
    User, Invoice = billing
    a, b = User.create(full_name="a"), User.create(full_name="b")
    invoice = Invoice.create(invoice_number="1", total_amount=1, creator=a)
    with pytest.raises(activeassoc.AssociationError) as error:
        User.replace_collection([a, b], "invoices", [invoice])
    assert str(error.value) == "User.replace_collection(…, 'invoices', …): each Invoice has one User, and 1, 2 are 2. Give one owner."
    assert a.get_invoices() == [invoice]
    User.replace_collection([a, b], "invoices", [])
    assert Invoice.get().creator_id is None


def test_one_way(Base: Any, db: Any) -> None:
    """S8: Course knows its purchasers, User knows nothing; the links have a table of their own."""

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
    assert set(db.get_tables()) == {"user", "course", "course_purchasers__user_purchasers_user"}


def test_a_reference_to_the_model_itself_with_a_columns_name(Base: Any) -> None:
    """S9: "self" or the model's name."""

    class Comment(Base):
        body = CharField()
        parent_comment = reference("self", column_name="parent_comment")

    class Invoice(Base):
        template_invoice = reference("Invoice", column_name="template_invoice")

    sync(Comment, Invoice)
    assert "parent_comment" in cols(Comment)
    assert keys(Comment) == {("parent_comment", "comment", "id", "SET NULL", "CASCADE")}
    assert "template_invoice" in cols(Invoice)
    assert keys(Invoice) == {("template_invoice", "invoice", "id", "SET NULL", "CASCADE")}
    root = Comment.create(body="r")
    reply = Comment.create(body="x", parent_comment=root)
    assert root.parent_comment is None
    assert reply.parent_comment == root
    assert reply.parent_comment_id == root.id
    assert list(Comment.find({"parent_comment": None})) == [root]


def test_a_thread_is_read_downwards(Base: Any) -> None:
    """S9: by a collection via the reference; a comment may be its own parent."""

    class Comment(Base):
        body = CharField()
        parent_comment = reference("self", column_name="parent_comment")
        replies = collection("self", via="parent_comment")

    sync(Comment)
    root = Comment.create(body="r")
    reply = Comment.create(body="x", parent_comment=root)
    assert root.get_replies() == [reply]
    assert [list(comment.replies) for comment in Comment.find().populate("replies")] == [[reply], []]
    root.set_parent_comment(root)
    assert root.get_replies() == [root, reply]


def test_several_collections_on_one_model(Base: Any) -> None:
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

    made = [Invoice, Client, Expense, Setting]
    sync(Creator, *made)
    for name in ("invoice", "client", "expense", "setting"):
        assert has(Creator, ten(name, f"{name}s"))
    creator = Creator.create()
    creator.create_setting()
    creator.create_client()
    counts = (creator.count_settings(), creator.count_clients(), creator.count_invoices(), creator.count_expenses())
    assert counts == (1, 1, 0, 0)
    assert all("creator_id" in cols(model) for model in made)
    assert cols(Creator) == {"id"}


# Populate


@pytest.fixture
def invoices(Base: Any) -> Any:
    """Invoice 1 of user acme and client c, with the item n; and its models."""

    class User(Base):
        organization = CharField(null=True)
        invoices = collection("Invoice", via="creator")

    class Client(Base):
        name = CharField()

    class Item(Base):
        name = CharField()
        invoice = reference("Invoice")

    class Invoice(Base):
        public_id = CharField(null=True)
        creator = reference("User")
        client = reference("Client")
        items = collection("Item", via="invoice")

    sync(User, Client, Invoice, Item)
    user = User.create(organization="acme")
    invoice = Invoice.create(public_id="x", creator=user, client=Client.create(name="c"))
    invoice.create_item(name="n")
    return User, Invoice, Item, user, invoice


def test_one_record_populated_once(invoices: Any) -> None:
    """S11: find_one returns the record, so the path goes in as an option."""
    _, Invoice, _, _, invoice = invoices
    with assert_queries(2):
        found = Invoice.find_one({"id": invoice.id}, populate="client")
    with assert_queries(0):
        assert found.client.name == "c"
    assert Invoice.find({"id": invoice.id}).populate("client").first() == invoice


def test_one_record_that_is_not_there(invoices: Any) -> None:
    """S11: None, and nothing is populated."""
    _, Invoice, *_ = invoices
    with assert_queries(1):
        assert Invoice.find_one({"id": 999}, populate="client") is None


def test_one_record_of_several_is_an_error(invoices: Any) -> None:
    """S11: find_one wants one."""
    _, Invoice, *_ = invoices
    Invoice.create(public_id="x")
    with pytest.raises(activeassoc.CriteriaError) as error:
        Invoice.find_one({"public_id": "x"}, populate="client")
    assert str(error.value) == (
        "Invoice.find_one(): more than one Invoice fulfils {'public_id': 'x'}. Narrow the criteria, or write find(…).first()."
    )


def test_several_populates(invoices: Any) -> None:
    """S12: one query each, and the record's."""
    _, Invoice, _, user, _ = invoices
    with assert_queries(4):
        query = Invoice.find({"public_id": "x", "creator": user.id})
        found = query.populate("items").populate("creator").populate("client").first()
    with assert_queries(0):
        assert (found.items[0].name, found.creator.organization, found.client.name) == ("n", "acme", "c")


def test_criteria_on_a_reference(invoices: Any) -> None:
    """S12: by field or by key, with a key or a record."""
    User, Invoice, _, user, invoice = invoices
    Invoice.create(public_id="y", creator=User.create(organization="other"))
    for criteria in ({"creator": user.id}, {"creator_id": user.id}, {"creator": user}):
        assert list(Invoice.find(criteria)) == [invoice]


def test_a_collection_is_no_criterion(invoices: Any) -> None:
    """S12: it has no column."""
    _, Invoice, *_ = invoices
    with pytest.raises(ValueError) as error:
        Invoice.find({"items": 1})
    assert str(error.value) == (
        "Invoice.find(): 'items' is an association of Invoice and no column of it. "
        "Put criteria on the other model, or compare one of client, client_id, creator, creator_id, id, public_id."
    )


def test_an_unknown_path_tells_the_nearest_name(invoices: Any) -> None:
    """S12, G7: at the call."""
    _, Invoice, *_ = invoices
    with pytest.raises(activeassoc.AssociationError) as error:
        Invoice.find().populate("itms")
    assert str(error.value) == 'Invoice.select().populate("itms"): Invoice has no association \'itms\'. Did you mean \'items\'.'


def test_subcriteria_of_a_reference(invoices: Any) -> None:
    """S13: the fields to read, and the key with them."""
    _, Invoice, _, user, invoice = invoices
    with assert_queries(3):
        found = Invoice.find_one({"id": invoice.id}, populate={"client": {"attributes": ["name"]}, "creator": {}})
    with assert_queries(0):
        assert set(found.client.__data__) == {"id", "name"}
        assert found.creator == user
        assert found.creator.organization == "acme"


def test_a_reference_takes_no_other_subcriteria(invoices: Any) -> None:
    """S13, G3: it is one record, and a condition on it would be one on the invoice."""
    _, Invoice, *_ = invoices
    with pytest.raises(activeassoc.AssociationError) as error:
        Invoice.find().populate("client", where={"name": "c"})
    assert str(error.value) == (
        'Invoice.select().populate("client"): Invoice.client is one record, which takes attributes= and not where. '
        "Leave where out, or filter the query itself."
    )


@pytest.mark.parametrize(
    ("options", "names"),
    [
        ({"where": {"name": "m"}}, ["m"]),
        ({"order": "-name"}, ["n", "m"]),
        ({"order": "-name", "limit": 1}, ["n"]),
        ({"offset": 1}, ["m"]),
        ({"limit": 0}, []),
        ({"attributes": ["name"]}, ["n", "m"]),
    ],
)
def test_subcriteria_of_a_collection(invoices: Any, options: dict[str, Any], names: list[str]) -> None:
    """S13, G4: filter, order, limit and offset; they count for each owner, of two as of one."""
    _, Invoice, _, _, invoice = invoices
    invoice.create_item(name="m")
    with assert_queries(2 - (options == {"limit": 0})):
        found = list(Invoice.find().populate("items", **options))
    assert [[item.name for item in each.items] for each in found] == [names]
    Invoice.create().create_items([{"name": "n"}, {"name": "m"}])
    assert [[item.name for item in each.items] for each in Invoice.find().populate("items", **options)] == [names, names]


def test_the_second_populate_of_a_path_replaces_the_first(invoices: Any) -> None:
    """S13: its options are not mixed with those before."""
    _, Invoice, _, _, invoice = invoices
    invoice.create_item(name="m")
    query = Invoice.find().populate("items", where={"name": "m"}, limit=1).populate("items", order="name")
    assert [item.name for item in query[0].items] == ["m", "n"]


def test_dotted_paths_go_as_deep_as_wanted(invoices: Any) -> None:
    """S13: the options are those of the path's end."""
    User, *_ = invoices
    with assert_queries(4):
        (user,) = User.find().populate("invoices.items").populate("invoices.client", attributes=["name"])
    with assert_queries(0):
        assert user.invoices[0].items[0].name == "n"
        assert user.invoices[0].client.name == "c"
        assert user.invoices[0].items[0].invoice.creator is user


def test_every_user_with_its_invoices(invoices: Any) -> None:
    """S14: two statements for any number of users; those without get an empty list."""
    User, Invoice, _, user, invoice = invoices
    for n in range(20):
        User.create(organization=str(n))
    another = Invoice.create(creator=User.create(organization="z"))
    with assert_queries(2):
        users = list(User.find().populate("invoices"))
    with assert_queries(0):
        assert [list(each.invoices) for each in users] == [[invoice], *([] for _ in range(20)), [another]]


def test_what_is_populated_is_a_nested_object(invoices: Any) -> None:
    """S15: as an attribute and in to_dict; without populate it is the key."""
    _, Invoice, _, user, invoice = invoices
    found = Invoice.find_one(invoice.id, populate="creator")
    with assert_queries(0):
        assert found.creator.organization == "acme"
        assert found.to_dict()["creator"] == {"id": user.id, "organization": "acme"}
    assert Invoice.find_one(invoice.id).to_dict()["creator"] == user.id


def test_populate_brings_thirty_and_says_so(invoices: Any) -> None:
    """S16, G5: the list that is cut knows; methods of the owner know no limit."""
    _, Invoice, Item, _, invoice = invoices
    Item.insert_many([{"name": str(n), "invoice": invoice.id} for n in range(41)]).execute()
    with pytest.warns(activeassoc.PopulateTruncatedWarning) as caught:
        cut = Invoice.find().populate("items")[0].items
    assert [str(each.message) for each in caught] == [
        'Invoice.select().populate("items"): lists of items are cut at the default limit of 30 records for each owner. '
        'Write populate("items", limit=None) for all of them, or the limit that is wanted.'
    ]
    assert len(cut) == 30
    assert cut.truncated
    assert len(invoice.get_items()) == invoice.count_items() == 42


@pytest.mark.parametrize(("limit", "length"), [(None, 42), (35, 35), (50, 42)])
def test_the_limit_of_a_query(invoices: Any, limit: int | None, length: int) -> None:
    """S16: stands before the default, and cuts without a word."""
    _, Invoice, Item, _, invoice = invoices
    Item.insert_many([{"name": str(n), "invoice": invoice.id} for n in range(41)]).execute()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        items = Invoice.find().populate("items", limit=limit)[0].items
    assert len(items) == length
    assert not items.truncated


def test_the_limit_of_the_settings(invoices: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """S16: None is no limit."""
    _, Invoice, Item, _, invoice = invoices
    Item.insert_many([{"name": str(n), "invoice": invoice.id} for n in range(41)]).execute()
    monkeypatch.setattr(settings, "populate_limit", None)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        items = Invoice.find().populate("items")[0].items
    assert len(items) == 42
    assert not items.truncated


@pytest.mark.parametrize(("limit", "length"), [(50, 42), (None, 42), (40, 40)])
def test_the_limit_of_a_model(Base: Any, limit: int | None, length: int) -> None:
    """S16: of the model that is populated, not of the one that has the collection; it stands before that of the settings."""

    class Invoice(Base):
        items = collection("Item", via="invoice")

        class Meta:
            populate_limit = 5

    class Item(Base):
        invoice = reference("Invoice")

        class Meta:
            populate_limit = limit

    sync(Invoice, Item)
    Item.insert_many([{"invoice": Invoice.create().id}] * 42).execute()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        items = Invoice.find().populate("items")[0].items
    assert len(items) == length
    assert items.truncated is (length < 42)
    assert [each.category for each in caught] == [activeassoc.PopulateTruncatedWarning] * (length < 42)


def test_exactly_thirty_are_not_cut(invoices: Any) -> None:
    """S16: no warning, and the list is whole."""
    _, Invoice, Item, _, invoice = invoices
    Item.insert_many([{"name": str(n), "invoice": invoice.id} for n in range(29)]).execute()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        items = Invoice.find().populate("items")[0].items
    assert len(items) == 30
    assert not items.truncated


def test_the_keywords(Base: Any, db: Any) -> None:
    """S19: model is reference, collection and via are collection and via, unique is an index; dominant says nothing in one database."""

    class User(Base):
        pets = collection("Pet", via="owner")
        walks = collection("Pet", via="walkers", dominant=True)

    class Pet(Base):
        owner = reference("User")
        collar = reference("Collar", unique=True)
        walkers = collection("User", via="walks")

    class Collar(Base):
        pass

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        sync(User, Pet, Collar)
    assert cols(User) == cols(Collar) == {"id"}
    assert cols(Pet) == {"id", "owner_id", "collar_id"}
    assert {(column, to) for column, to, *_ in keys(Pet)} == {("owner_id", "user"), ("collar_id", "collar")}
    assert {tuple(index.columns): index.unique for index in db.get_indexes("pet") if index.columns != ["id"]} == {
        ("owner_id",): False,
        ("collar_id",): True,
    }
    assert set(db.get_tables()) == {"user", "pet", "collar", "pet_walkers__user_walks"}
    assert isinstance(Pet._meta.fields["owner"], peewee.ForeignKeyField)


# The guide of many-to-many


@pytest.fixture
def owners(Base: Any, db: Any) -> Any:
    """Users 10 and 12, pets 300 and 301, and what reads the rows of their links."""

    class User(Base):
        first_name = CharField(null=True)
        last_name = CharField(null=True)
        pets = collection("Pet", via="owners")

    class Pet(Base):
        breed = CharField(null=True)
        type = CharField(null=True)
        name = CharField(null=True)
        owners = collection("User", via="pets")

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        sync(db)
    for key in (10, 12):
        User.create(id=key)
    for key in (300, 301):
        Pet.create(id=key)
    return User, Pet, lambda: stored(User.pets.through, "user_pets", "pet_owners")


def test_the_join_table_makes_itself(owners: Any, db: Any) -> None:
    """N1, N2: of two collections that point at each other; both ends have the methods."""
    User, Pet, _ = owners
    assert set(db.get_tables()) == {"user", "pet", "pet_owners__user_pets"}
    assert has(User, ten("pet", "pets"))
    assert has(Pet, ten("owner", "owners"))
    assert cols(User) == {"id", "first_name", "last_name"}
    assert cols(Pet) == {"id", "breed", "type", "name"}


@pytest.mark.parametrize("order", [("User", "Pet"), ("Pet", "User")])
def test_the_ends_may_be_declared_in_either_order(Base: Any, db: Any, order: tuple[str, str]) -> None:
    """N2: the join table and its columns are the same."""

    def make(name: str) -> Any:
        attribute = {"User": "pets", "Pet": "owners"}[name]
        form = collection("Pet", via="owners") if name == "User" else collection("User", via="pets")
        return type(Base)(name, (Base,), {attribute: form, "__module__": __name__})

    made = {name: make(name) for name in order}
    sync(*made.values())
    made["Pet"].create(id=7).add_owner(made["User"].create(id=5))
    assert stored(made["User"].pets.through, "user_pets", "pet_owners") == [(5, 7)]
    assert set(db.get_tables()) == {"user", "pet", "pet_owners__user_pets"}


def test_adding_one(owners: Any) -> None:
    """N3: one row; the call returns the number of new links."""
    User, _, links = owners
    assert User.add_to_collection(10, "pets", 300) == 1
    assert links() == [(10, 300)]


def test_adding_several(owners: Any) -> None:
    """N4: no second row for what is linked."""
    User, _, links = owners
    User.add_to_collection(10, "pets", 300)
    assert User.add_to_collection(10, "pets", [300, 301]) == 1
    assert links() == [(10, 300), (10, 301)]


def test_removing_one_from_the_other_side(owners: Any) -> None:
    """N5: the other owner of the pet and the other pet of the owner keep their links."""
    User, Pet, links = owners
    User.add_to_collection(10, "pets", [300, 301])
    Pet.add_to_collection(300, "owners", 12)
    assert Pet.remove_from_collection(300, "owners", 10) == 1
    assert links() == [(10, 301), (12, 300)]


def test_removing_several(owners: Any) -> None:
    """N6: of which one is not linked any more; the records stay."""
    User, Pet, links = owners
    User.add_to_collection(10, "pets", 301)
    User.add_to_collection(12, "pets", 300)
    assert Pet.remove_from_collection(300, "owners", [10, 12]) == 1
    assert links() == [(10, 301)]
    assert User.select().count() == Pet.select().count() == 2


def test_either_side_shows_it_at_once(owners: Any) -> None:
    """N7: what one side wrote, by every way to read."""
    User, Pet, _ = owners
    User.add_to_collection(10, "pets", 300)
    user, pet = User.get_by_id(10), Pet.get_by_id(300)
    assert Pet.find(300).populate("owners")[0].owners == [user]
    assert list(pet.owners) == pet.get_owners() == [user]
    Pet.remove_from_collection(pet, "owners", user)
    assert User.find_one(10, populate="pets").pets == []
    assert pet.owners == []


def test_populating_find_and_find_one(owners: Any) -> None:
    """N8: two statements where the links and the pets can be one; a user without pets has an empty list."""
    User, Pet, _ = owners
    User.add_to_collection(10, "pets", 301)
    statements = 2 if store_of(User._meta.database).joins else 3
    with assert_queries(statements):
        one = User.find_one(10, populate="pets")
    with assert_queries(statements):
        every = list(User.find().populate("pets"))
    with assert_queries(0):
        assert [pet.id for pet in one.pets] == [301]
        assert [[pet.id for pet in user.pets] for user in every] == [[301], []]


def test_one_database_needs_no_input(fresh: Any) -> None:
    """N9: no warning, whether anything is said about dominance or not; the links are where the models are."""
    for ends in ({}, {"User": True}, {"Pet": True}, {"User": True, "Pet": True}):
        Base = fresh.on()
        said = {name: {"dominant": True} if name in ends else {} for name in ("User", "Pet")}
        forms = {"pets": collection("Pet", via="owners", **said["User"]), "owners": collection("User", via="pets", **said["Pet"])}
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            User = type(Base)("User", (Base,), {"pets": forms["pets"], "__module__": __name__})
            Pet = type(Base)("Pet", (Base,), {"owners": forms["owners"], "__module__": __name__})
            sync(User, Pet)
        assert User.pets.through._meta.database is fresh.db
        assert set(fresh.db.get_tables()) == {"user", "pet", "pet_owners__user_pets"}
