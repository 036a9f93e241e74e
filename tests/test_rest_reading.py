"""What a client reads through REST: the envelope, the parameters, what is embedded, and how many statements it costs."""

from __future__ import annotations

import datetime
import decimal
import enum
import uuid
from types import SimpleNamespace
from urllib.parse import parse_qsl, urlencode

import peewee
import pytest
from conftest import base_on

import activeassoc
import activeassoc.rest
from activeassoc import ReferenceField, sync
from activeassoc.rest import parameters, reading
from activeassoc.rest.envelope import envelope, window
from activeassoc.rest.limits import Limits
from activeassoc.rest.problems import BadRequest, Forbidden, NotFound
from activeassoc.rest.resources import Served
from activeassoc.rest.shape import plain
from activeassoc.stores.sql import store_of
from activeassoc.testing import assert_queries

# The envelope

PAGES = ("current", "prev", "hasPrev", "next", "hasNext", "total")
ITEMS = ("limit", "begin", "end", "total")


@pytest.mark.parametrize(
    ("asked", "pages", "items"),
    [
        # total, skip, limit, page
        ((3, 0, 2, 1), (1, 0, False, 2, True, 2), (2, 1, 2, 3)),
        ((3, 0, 2, 2), (2, 1, True, 3, False, 2), (2, 3, 3, 3)),
        ((3, 0, 2, 9), (9, 8, True, 10, False, 2), (2, 3, 3, 3)),
        ((4, 0, 2, 2), (2, 1, True, 3, False, 2), (2, 3, 4, 4)),
        ((5, 0, 0, 0), (1, 0, False, 2, False, 1), (5, 1, 5, 5)),
        ((5, 2, 0, 0), (1, 0, False, 2, False, 1), (5, 3, 5, 5)),
        ((5, 0, 0, 2), (2, 1, True, 3, False, 1), (5, 5, 5, 5)),
        ((15, 10, 5, 0), (3, 2, True, 4, False, 3), (5, 11, 15, 15)),
        ((15, 5, 5, 1), (1, 0, False, 2, True, 3), (5, 1, 5, 15)),
        ((0, 0, 0, 0), (1, 0, False, 2, False, 0), (0, 0, 0, 0)),
        ((0, 0, 10, 1), (1, 0, False, 2, False, 0), (10, 0, 0, 0)),
        ((0, 3, 10, 0), (1, 0, False, 2, False, 0), (10, 0, 0, 0)),
    ],
)
def test_the_envelope_has_a_number_in_every_place(asked, pages, items):
    """K5: current, prev and next count pages, begin and end documents; without a limit one page has all; past the end is the last one."""
    found = envelope(["a"], *asked)
    assert found == {"docs": ["a"], "pages": dict(zip(PAGES, pages, strict=True)), "items": dict(zip(ITEMS, items, strict=True))}


@pytest.mark.parametrize(
    ("asked", "first", "limit"),
    [((), 0, None), ((4,), 4, None), ((4, 2), 4, 2), ((4, 2, 3), 4, 2), ((0, 2, 1), 0, 2), ((0, 0, 1), 0, None), ((0, 0, 2), 0, 0)],
)
def test_a_page_stands_before_a_number_to_skip(asked, first, limit):
    """K5: $page counts from 1, in pages of $limit."""
    assert window(*asked) == (first, limit)


# A world to read


def world(Base):
    """Ann, bob and Cid, their titles, their groups by memberships, a dog, and friends; passwords and secrets never leave."""

    class Role(Base):
        name = peewee.CharField()

    class Membership(Base):
        since = peewee.DateField(null=True)
        secret = peewee.CharField(default="s3cret")

        class Meta:
            rest = {"excluded": ["secret"]}

    class Friendship(Base):
        level = peewee.IntegerField(null=True)

    class User(Base):
        name = peewee.CharField()
        password = peewee.CharField(default="pw")
        age = peewee.IntegerField(null=True)

        class Meta:
            rest = {"excluded": ["password"]}

    class Group(Base):
        name = peewee.CharField()

    class Dog(Base):
        name = peewee.CharField()

    User.belongs_to(Role, as_="title")
    Role.has_many(User, foreign_key="title_id")
    User.belongs_to_many(Group, through=Membership)
    Group.belongs_to_many(User, through=Membership)
    User.belongs_to_many(User, as_="friends", through=Friendship, symmetric=True)
    User.has_one(Dog, as_="pet")
    sync(Role, Membership, Friendship, User, Group, Dog)
    admin = Role.create(name="Admin")
    ann, bob = [User.create(name=name, age=age, title=admin) for name, age in (("Ann", 30), ("bob", 20))]
    cid = User.create(name="Cid")
    groups = [Group.create(name=name) for name in ("x", "y", "z")]
    ann.add_groups(groups[:2], {"since": datetime.date(2020, 1, 2)})
    ann.add_group(groups[2], {"since": datetime.date(2021, 1, 2)})
    bob.add_group(groups[0])
    bob.add_friend(ann, {"level": 7})
    dog = Dog.create(name="Rex", user=ann)
    resources = Served([Role, User, Group, Dog], where=True).resources
    return SimpleNamespace(**locals(), db=Base._meta.database, **{f"r_{name}": each for name, each in resources.items()})


@pytest.fixture
def here(Base):
    return world(Base)


@pytest.fixture(scope="module")
def lite(tmp_path_factory):
    """The world on SQLite, made once: for what is the same on every store. Nobody writes there."""
    db = activeassoc.connect(f"sqlite:///{tmp_path_factory.mktemp('rest')}/read.db")
    yield world(base_on(db, __name__))
    db.close()


def asked(resource, query="", place="list", below=None, limits=None, where=True):
    return parameters.read(resource, parse_qsl(query, keep_blank_values=True), place, association=below, limits=limits, where=where)


def get(resource, query="", **options):
    return reading.list_of(resource, asked(resource, query, **options))


def names(resource, query="", **options):
    return [each["name"] for each in get(resource, query, **options)["docs"]]


def one(resource, record, query=""):
    return reading.one(resource, record.id, asked(resource, query, "one"))


def below(resource, segment, owner, query="", **options):
    there = resource.to_many[segment]
    return reading.children(there, getattr(owner, "id", owner), asked(there.child, query, "children", there, **options))


# Lists


@pytest.mark.every_store
def test_a_list_is_filtered_sorted_cut_and_counted(here):
    """K5: $limit, $skip, $page, $sort, $select, $count, $exclude, and field=value, repeated for IN; alone and together."""
    user = here.r_user
    first = {"id": here.ann.id, "name": "Ann", "age": 30, "title": here.admin.id}
    assert get(user)["docs"][0] == first
    assert names(user, "$limit=2") == ["Ann", "bob"] and names(user, "$limit=2&$skip=1") == ["bob", "Cid"]
    assert names(user, "$limit=2&$page=2") == ["Cid"] == names(user, "$limit=2&$page=2&$skip=9") and names(user, "$limit=2&$page=3") == []
    assert names(user, "$sort=-age") == ["Ann", "bob", "Cid"] and names(user, "$sort=age") == ["Cid", "bob", "Ann"]
    assert names(user, "$sort=-title,-id") == names(user, "$sort=-title&$sort=-id") == ["bob", "Ann", "Cid"]
    assert get(user, "$select=name&$limit=1")["docs"] == [{"id": here.ann.id, "name": "Ann"}]
    assert names(user, "name=bob") == ["bob"] and names(user, "name=bob&name=Cid") == ["bob", "Cid"]
    assert names(user, "name=bob&age=30") == [] == names(user, "name=BOBBY")
    assert names(user, f"title={here.admin.id}") == ["Ann", "bob"] and names(user, "title=null") == ["Cid"]
    assert names(user, "age=null&age=20") == ["bob", "Cid"] and names(user, "name=null") == []
    assert names(user, f"$exclude={here.ann.id},{here.cid.id}") == ["bob"] == names(user, f"$exclude={here.ann.id}&$exclude={here.cid.id}")
    assert get(user, "$count=true") == 3 and get(user, "$count=true&age=20&$limit=1&$page=4") == 1
    assert get(user, "$count=false&$limit=0")["items"] == {"limit": 3, "begin": 1, "end": 3, "total": 3}
    together = f"$sort=-name&$limit=1&$page=1&name=Ann&name=bob&$exclude={here.ann.id}&$select=age&$term=O"
    assert get(user, together) == envelope([{"id": here.bob.id, "age": 20}], 1, limit=1, page=1)


@pytest.mark.every_store
def test_a_term_is_looked_for_literally(fresh):
    """K5: $term is a text and no pattern, whatever its case, in the fields of text, or in those of $searchFields."""
    Note = fresh("Note")
    sync(Note)
    titles = ["50% off", "50 off", "a_b", "axb", "it's", r"back\slash", "[ab]*?", "50%", ""]
    for title in titles:
        Note.create(title=title)
    note = Served([Note], where=True).resources["note"]
    for term, found in {
        "50%": ["50% off", "50%"],
        "A_B": ["a_b"],
        "%": ["50% off", "50%"],
        "t's": ["it's"],
        "\\": [r"back\slash"],
        "[ab]*?": ["[ab]*?"],
        ".*": [],
        "OFF": ["50% off", "50 off"],
    }.items():
        query = urlencode({"$term": term, "$searchFields": "title"})
        assert [each["title"] for each in get(note, query)["docs"]] == found, term


@pytest.mark.every_store
def test_criteria_of_a_client_are_those_of_the_library(here):
    """K5: $where is criteria as JSON, of the fields that may be filtered, by their names in JSON."""
    user = here.r_user
    for where, found in {
        '{"age": {">": 18}}': ["Ann", "bob"],
        '{"or": [{"name": "Cid"}, {"age": {"<=": 20}}]}': ["bob", "Cid"],
        '{"not": {"name": ["Ann", "bob"]}, "title": null}': ["Cid"],
        '{"and": [{"name": {"contains": "b"}}]}': ["bob"],
        '{"age": ["20", null], "id": {"!=": 10000}}': ["bob", "Cid"],
        "{}": ["Ann", "bob", "Cid"],
    }.items():
        assert names(user, urlencode({"$where": where})) == found, where


class Colour(enum.Enum):
    RED = "red"


class ColourField(peewee.Field):
    """A field of the user's own."""

    field_type = "VARCHAR"

    def get_modifiers(self):
        return [20]

    def db_value(self, value):
        return None if value is None else Colour(value).value

    def python_value(self, value):
        return None if value is None else Colour(value)


@pytest.mark.every_store
def test_what_a_document_shows_finds_it_again(Base, store):
    """K5, J3: a value as JSON has it is a filter that finds the document, whatever its type."""

    class Thing(Base):
        code = peewee.CharField(primary_key=True)
        whole = peewee.BigIntegerField()
        number = peewee.DoubleField()
        exact = peewee.DecimalField(max_digits=9, decimal_places=2)
        flag = peewee.BooleanField()
        day = peewee.DateField()
        moment = peewee.DateTimeField()
        hour = peewee.TimeField()
        stamp = peewee.TimestampField()
        other = peewee.UUIDField()
        refers = ReferenceField("Elsewhere", field=peewee.IntegerField())
        blob = peewee.BlobField()
        colour = ColourField()
        if store.name != "mariadb":  # for which peewee writes another JSON
            data = peewee.JSONField()

    sync(Thing)
    extra = {} if store.name == "mariadb" else {"data": {"a": [1, None, "x"]}}
    noon = datetime.datetime(2020, 1, 2, 12, 30)
    numbers = {"whole": -(2**63), "number": 0.1, "exact": decimal.Decimal("1234567.25"), "flag": True, "refers": 3}
    times = {"day": noon.date(), "moment": noon, "hour": noon.time(), "stamp": noon}
    Thing.create(code="a,b ", other=uuid.UUID(int=7), blob=b"\x00\xff", colour=Colour.RED, **numbers, **times, **extra)
    resource = Served([Thing]).resources["thing"]
    (document,) = get(resource)["docs"]
    shown = {"id": "a,b ", "exact": "1234567.25", "day": "2020-01-02", "moment": "2020-01-02T12:30:00", "hour": "12:30:00", "blob": "AP8="}
    assert document.items() >= {**shown, "number": 0.1, "flag": True, "whole": -(2**63), "colour": "red", **extra}.items()
    assert document["other"] == str(uuid.UUID(int=7))
    zoned = urlencode({"moment": "2020-01-02T14:30:00+02:00"})
    assert get(resource, zoned)["docs"] == [document]
    for name, value in document.items():
        if name in ("blob", "data"):
            with pytest.raises(BadRequest, match="a list of thing knows no such parameter"):
                get(resource, f"{name}=x")
            continue
        query = urlencode({name: str(value)})
        assert get(resource, query)["docs"] == [document], query
    assert get(resource, urlencode({"$exclude": "a,b "}))["docs"] == []


def test_a_value_of_no_type_of_json_is_a_text():
    """Numbers that JSON has not, members of an Enum, and what only the field knows."""
    assert [plain(each) for each in (float("nan"), float("-inf"), {1: {b"\x01"}}, (True,))] == ["nan", "-inf", {"1": ["AQ=="]}, [True]]
    assert plain(Colour.RED, ColourField()) == "red" and plain(Colour.RED) == "Colour.RED"


# Embedding


@pytest.mark.every_store
def test_what_is_embedded_stands_in_place_of_its_id(here):
    """K6: a to-one is the record or None, a to-many a list, in which a link stands with its fields; $flatten takes that level out."""
    user, since = here.r_user, "2020-01-02"
    found = one(user, here.ann, "$embed=title,groups,pet,friends")
    admin, rex = {"id": here.admin.id, "name": "Admin"}, {"id": here.dog.id, "name": "Rex", "user": here.ann.id}
    x, y, z = ({"id": each.id, "name": each.name} for each in here.groups)
    bob = {"id": here.bob.id, "name": "bob", "age": 20, "title": here.admin.id}
    assert found == {
        **get(user)["docs"][0],
        "title": admin,
        "pet": rex,
        "friends": [{"friend": bob, "level": 7}],
        "groups": [{"group": x, "since": since}, {"group": y, "since": since}, {"group": z, "since": "2021-01-02"}],
    }
    flat = one(user, here.ann, "$embed=title,groups,pet,friends&$flatten=true")
    assert flat == {**found, "groups": [x, y, z], "friends": [bob]}
    nothing = {"id": here.cid.id, "name": "Cid", "title": None, "groups": [], "pet": None}
    assert one(user, here.cid, "$embed=title,groups,pet&$select=name") == nothing
    nested = one(here.r_role, here.admin, "$embed=users.groups&$embed=users.title")["users"]
    assert [each["name"] for each in nested] == ["Ann", "bob"] and nested[0]["title"] == admin and len(nested[0]["groups"]) == 3
    flat = get(here.r_group, "$embed=users.title&$flatten=true&name=x")["docs"][0]
    assert [(each["name"], each["title"]["name"]) for each in flat["users"]] == [("Ann", "Admin"), ("bob", "Admin")]
    assert "s3cret" not in str((found, nested)) and "password" not in str((found, nested, flat))


@pytest.mark.every_store
def test_what_is_embedded_is_never_cut(fresh):
    """K6, G5: the default limit of populate, also where a model has one of its own, does not apply to $embed, at any level."""
    Author, Book, Page = fresh("Author", "Book", "Page")
    Author.has_many(Book)
    Book.has_many(Page)
    Book._meta.populate_limit = 2
    sync(Author, Book, Page)
    ann = Author.create(title="Ann")
    Book.insert_many([{"title": str(number), "author": ann.id} for number in range(33)]).execute()
    book = ann.get_books()[-1]
    Page.insert_many([{"title": str(number), "book": book.id} for number in range(31)]).execute()
    author = Served([Author, Book, Page]).resources["author"]
    books = one(author, ann, "$embed=books.pages")["books"]
    assert len(books) == 33 and len(books[-1]["pages"]) == 31
    limits = Limits(embedded=32)
    with pytest.raises(BadRequest) as caught:
        reading.one(author, ann.id, asked(author, "$embed=books", "one", limits=limits))
    why = f"author {ann.id} has more than 32 of 'books'"
    assert caught.value.fields == {"$embed": why} and str(caught.value) == f"$embed: {why}. Read /author/{ann.id}/book with $limit."


def test_friends_of_friends_are_no_more_records_than_there_are(on):
    """K6, K7: each level is read for its distinct records; how often they stand in the answer is limited, before it is made."""
    Base = on("sqlite")

    class User(Base):
        name = peewee.CharField()

    User.belongs_to_many(User, as_="friends", symmetric=True)
    sync(User)
    users = [User.create(name=str(number)) for number in range(12)]
    for number, each in enumerate(users):
        each.add_friends(users[:number])
    user = Served([User]).resources["user"]
    query = "$flatten=true&$embed=" + ".".join(["friends"] * 3)
    with assert_queries(1 + 3, Base._meta.database):
        found = reading.one(user, users[0].id, asked(user, query, "one", limits=Limits(embedded=11 + 11**2 + 11**3)))
    for _ in range(3):
        assert len(found["friends"]) == 11
        found = found["friends"][-1]
    because = "the answer would have more than 1,462 embedded records"
    with pytest.raises(BadRequest) as caught:
        reading.one(user, users[0].id, asked(user, query, "one", limits=Limits(embedded=11 + 11**2 + 11**3 - 1)))
    assert caught.value.fields == {"$embed": because}
    assert str(caught.value) == f"$embed: {because}. Embed less, or read fewer documents with $limit."
    with pytest.raises(BadRequest, match="more than 100,000 embedded records"):
        reading.one(user, users[0].id, asked(user, "$embed=" + ".".join(["friends"] * 5), "one"))
    with pytest.raises(BadRequest, match="more than 131 embedded records"):
        get(user, "$embed=friends", limits=Limits(embedded=131))


def test_the_app_adds_no_statement(lite):
    """K7: what a list costs, it costs through HTTP; a transaction is the price of safety, and is not counted."""
    testclient = pytest.importorskip("fastapi.testclient", reason="the extra rest is not installed")
    http = testclient.TestClient(activeassoc.rest.create_app(lite.Role, lite.User, lite.Group))
    http.get("/user")  # the first one connects
    statements = []
    lite.db.query_hooks = [*lite.db.query_hooks, lambda event: statements.append(event.sql)]
    for path, cost in (
        ("/user?$embed=title,groups", 2 + 2),
        (f"/role/{lite.admin.id}/user?$embed=title&$limit=1", 2 + 1),
        (f"/user/{lite.ann.id}/group?$embed=users.title", 2 + 2),
        (f"/user/{lite.ann.id}?$embed=groups", 1 + 1),
        ("/user?$count=true", 1),
    ):
        statements.clear()
        assert http.get(path).status_code == 200
        counted = [sql for sql in statements if sql.startswith("SELECT")]
        assert len(counted) == cost, counted
        assert all(sql.startswith(("SELECT", "BEGIN", "COMMIT")) for sql in statements)
    lite.db.query_hooks = []


@pytest.mark.every_store
def test_a_list_costs_two_statements_and_one_for_each_association(here):
    """K7: the COUNT, the SELECT, and one statement for each association that is embedded, however many documents there are."""
    joins = store_of(here.db).joins
    linked = 1 if joins else 2  # links and records apart are a statement each
    with assert_queries(2, here.db):
        get(here.r_user, "$sort=-name&$limit=2")
    with assert_queries(1, here.db):
        get(here.r_user, "$count=true")
    with assert_queries(1, here.db):
        get(here.r_user, "name=nobody&$embed=title")
    with assert_queries(2 + 2 + linked, here.db):
        get(here.r_user, "$embed=title,pet,groups")
    with assert_queries(2 + 1 + linked, here.db):
        get(here.r_role, "$embed=users.groups")
    with assert_queries(1 + 1, here.db):
        one(here.r_user, here.ann, "$embed=title")
    with assert_queries(2, here.db):
        below(here.r_role, "user", here.admin)
    with assert_queries(2 + 1, here.db):
        below(here.r_role, "user", here.admin, "$embed=title&$limit=5&age=30")
    with assert_queries(2 if joins else 3, here.db):
        below(here.r_role, "user", here.admin, "$limit=1")
    with assert_queries(1 + linked, here.db):
        below(here.r_user, "group", here.ann, "$sort=name")


# Children


@pytest.mark.every_store
def test_children_are_a_list_of_their_own(here):
    """K2, K5: an association's list knows every parameter of a list, and has the owner's children alone."""
    assert below(here.r_role, "user", here.admin, "$select=name") == envelope(
        [{"id": here.ann.id, "name": "Ann"}, {"id": here.bob.id, "name": "bob"}], 2
    )
    found = below(here.r_role, "user", here.admin, "$sort=-name&$limit=1&$page=2&$embed=title")
    assert found["docs"][0]["title"] == {"id": here.admin.id, "name": "Admin"} and found["docs"][0]["name"] == "Ann"
    assert found["pages"]["total"] == 2 == found["items"]["total"] and not found["pages"]["hasNext"]
    assert below(here.r_role, "user", here.admin, "$count=true") == 2
    assert below(here.r_role, "user", here.admin, "$count=true&name=Cid") == 0
    assert below(here.r_role, "user", here.admin, "$limit=2&$page=9") == envelope([], 2, limit=2, page=9)
    assert below(here.r_role, "user", here.admin, f"$limit=2&$page={2**62}")["docs"] == []
    assert below(here.r_role, "user", here.admin, "$term=N&$searchFields=name")["docs"][0]["name"] == "Ann"
    assert below(here.r_role, "user", here.admin, urlencode({"$where": '{"age": 20}'}))["docs"][0]["name"] == "bob"
    with pytest.raises(NotFound, match=r"^There is no role with the id 10000$"):
        below(here.r_role, "user", 10_000)
    with pytest.raises(NotFound, match=r"^There is no user with the id 10000$"):
        reading.one(here.r_user, 10_000, parameters.Asked())


@pytest.mark.every_store
def test_children_carry_the_fields_of_their_link(here):
    """K6, K5: under the through model's name, by which they are filtered and sorted too; nothing where a link has no fields."""
    user, group = here.r_user, here.r_group
    links = [(each["name"], each["membership"]) for each in below(user, "group", here.ann)["docs"]]
    assert links == [("x", {"since": "2020-01-02"}), ("y", {"since": "2020-01-02"}), ("z", {"since": "2021-01-02"})]
    assert below(group, "user", here.groups[0])["docs"][1]["membership"] == {"since": None}
    found = below(user, "group", here.ann, "membership.since=2020-01-02&membership.since=2019-01-01&$sort=-name")
    assert [each["name"] for each in found["docs"]] == ["y", "x"] and found["items"]["total"] == 2
    assert below(group, "user", here.groups[0], "membership.since=null")["docs"][0]["name"] == "bob"
    ordered = below(user, "group", here.ann, "$sort=-membership.since,-name&$limit=2")
    assert [each["name"] for each in ordered["docs"]] == ["z", "y"] and ordered["items"]["total"] == 3
    for mine, theirs in ((here.ann, "bob"), (here.bob, "Ann")):
        (friend,) = below(user, "friend", mine, "friendship.level=7")["docs"]
        assert friend["name"] == theirs and friend["friendship"] == {"level": 7}
    for query in ("membership.secret=s3cret", "membership.user=1", "$sort=membership.secret"):
        with pytest.raises(BadRequest):
            below(user, "group", here.ann, query)


def test_everything_works_across_stores(Near, Far):
    """H1, K5: owners, links and records may be in three databases."""

    class Photo(Far):
        name = peewee.CharField()

    class Like(Near):
        stars = peewee.IntegerField()

    class User(Near):
        name = peewee.CharField()

    Photo.belongs_to(User, as_="author", null=True)
    User.has_many(Photo, foreign_key="author_id", through=None)
    User.belongs_to_many(Photo, as_="favourites", through=Like)
    sync(Near, Far)
    ann, bob = User.create(name="Ann"), User.create(name="Bob")
    sea, hill, sky = [Photo.create(name=name, author=ann) for name in ("Sea", "Hill", "Sky")]
    bob.add_favourites({sea: {"stars": 5}, hill: {"stars": 3}})
    served = Served([User, Photo]).resources
    user, photo = served["user"], served["photo"]
    assert [each["author"]["name"] for each in get(photo, "$embed=author")["docs"]] == ["Ann"] * 3
    found = one(user, bob, "$embed=favourites.author,photos")
    assert found["favourites"] == [
        {"favourite": {"id": each.id, "name": each.name, "author": {"id": ann.id, "name": "Ann"}}, "stars": stars}
        for each, stars in ((sea, 5), (hill, 3))
    ]
    assert found["photos"] == []
    assert [each["name"] for each in below(user, "photo", ann, "$sort=-name&$limit=2")["docs"]] == ["Sky", "Sea"]
    assert below(user, "photo", ann, "$limit=2")["items"] == {"limit": 2, "begin": 1, "end": 2, "total": 3}
    assert below(user, "photo", ann, "$limit=2&$page=2&name=Sky")["docs"] == [] and below(user, "photo", bob)["docs"] == []
    liked = below(user, "favourite", bob, "$sort=like.stars&$limit=1")
    assert [(each["name"], each["like"]) for each in liked["docs"]] == [("Hill", {"stars": 3})] and liked["items"]["total"] == 2
    assert below(user, "favourite", bob, "like.stars=5&$count=true") == 1
    with assert_queries(3, Near._meta.database, Far._meta.database):
        below(user, "photo", ann, "$embed=author")
    with pytest.raises(NotFound):
        below(user, "photo", 99)


# What cannot be asked

UNKNOWN = "a list of user knows no such parameter"
REFUSED = {
    "nope=1": ("nope", UNKNOWN, "Known are age, id, name, title"),
    "$lim=1": ("$lim", UNKNOWN, "Did you mean '$limit'"),
    "password=pw": ("password", UNKNOWN, None),
    "title_id=1": ("title_id", UNKNOWN, "Did you mean 'title'"),
    "title.name=Admin": ("title.name", UNKNOWN, "Did you mean 'title'"),
    "membership.since=2020-01-02": ("membership.since", UNKNOWN, None),
    "name[$ne]=x": ("name[$ne]", UNKNOWN, "Did you mean 'name'"),
    "=1": ("", UNKNOWN, None),
    "$limit=-1": ("$limit", "'-1' is no whole number from 0", "Write $limit=10"),
    "$limit=1.5": ("$limit", "'1.5' is no whole number from 0", "Write $limit=10"),
    "$limit=": ("$limit", "'' is no whole number from 0", "Write $limit=10"),
    "$limit=1e3": ("$limit", "'1e3' is no whole number from 0", "Write $limit=10"),
    "$limit=10001": ("$limit", "10,001 is more than one page may have", "Write at most $limit=10000, and read the next page"),
    "$limit=1&$limit=2": ("$limit", "it is given 2 times", "Give it once"),
    f"$skip={2**63}": ("$skip", "'9223372036854775808' is no whole number from 0", "Write $skip=10"),
    "$skip=٣": ("$skip", "'٣' is no whole number from 0", "Write $skip=10"),
    "$page=0": ("$page", "pages count from 1", "Write $page=1 for the first one"),
    "$count=yes": ("$count", "'yes' is neither true nor false", "Write $count=true"),
    "$flatten=": ("$flatten", "'' is neither true nor false", "Write $flatten=true"),
    "$select=nome": ("$select", "'nome' is no field of user that can be read", "Did you mean 'name'"),
    "$select=password": ("$select", "'password' is no field of user that can be read", None),
    "$select=groups": ("$select", "'groups' is no field of user that can be read", None),
    "$select=": ("$select", "it has an empty name", "Write $select=one,other"),
    "$select=name,,age": ("$select", "it has an empty name", "Write $select=one,other"),
    "$sort=password": ("$sort", "'password' is no field of user to sort by", None),
    "$sort=--name": ("$sort", "'-name' is no field of user to sort by", "Did you mean 'name'"),
    "$embed=nope": ("$embed", "'nope' is no association of user to embed", None),
    "$embed=groups.user": ("$embed", "'user' is no association of group to embed", "Did you mean 'users'"),
    "$embed=name": ("$embed", "'name' is no association of user to embed", None),
    "$embed=groups.": ("$embed", "'' is no association of group to embed", None),
    "$embed=" + ".".join(["friends"] * 6): (
        *("$embed", "'friends.friends.friends.friends.friends.friends' is 6 levels deep", "Go at most 5 levels deep"),
    ),
    "$term=": ("$term", "it is empty", "Give 1 to 10000 characters"),
    "$term=a&$searchFields=age": ("$searchFields", "'age' is no field of user to search in", None),
    "$term=a&$searchFields=password": ("$searchFields", "'password' is no field of user to search in", None),
    "$searchFields=age": ("$searchFields", "'age' is no field of user to search in", None),
    "$exclude=x": ("$exclude", None, None),
    "age=x": ("age", "'age' in 'x': 'age' holds a whole number", None),
    "age=1.5": ("age", "'age' in '1.5': 'age' holds a whole number", None),
    f"age={2**64}": ("age", None, None),
    "title=true": ("title", None, None),
    "name=%00": ("name", "a NUL character or half of a surrogate pair is no text", "Leave it out"),
    "$where=[1]": ("$where", "[1] is no mapping of fields to values", 'Write {"age": {">": 18}}'),
    "$where={": ("$where", "it is no JSON", 'Write {"age": {">": 18}}'),
    '$where={"age": NaN}': ("$where", "NaN is no number", 'Write {"age": {">": 18}}'),
    '$where={"age": 1, "age": 2}': ("$where", "it names one thing twice", 'Write {"age": {">": 18}}'),
    '$where={"password": "pw"}': ("$where", "user has no field 'password' to filter by", None),
    '$where={"groups": 1}': ("$where", "user has no field 'groups' to filter by", None),
    '$where={"$where": "1"}': ("$where", "user has no field '$where' to filter by", None),
    '$where={"age": {"$gt": 1}}': ("$where", "'age' knows no operator '$gt'", None),
    '$where={"age": {">": [1]}}': ("$where", None, None),
    '$where={"age": [[1]]}': ("$where", None, None),
    '$where={"or": {"age": 1}}': ("$where", "'or' joins a list of criteria, and {'age': 1} is no list", 'Write {"or": [...]}'),
    "$where=" + '{"not":' * 30 + "{}" + "}" * 30: ("$where", "and, or and not nest deeper than 25 levels", "Write flatter criteria"),
    "$where=" + "[" * 5_000 + "]" * 5_000: ("$where", None, None),
}


@pytest.mark.parametrize("query", REFUSED, ids=lambda query: query[:40])
def test_what_cannot_be_asked_is_refused_by_name(lite, query):
    """K3, K5: 400 for what is unknown or malformed, with the parameter named; what is excluded is as unknown as what never was."""
    name, because, instead = REFUSED[query]
    with pytest.raises(BadRequest) as caught, assert_queries(0, lite.db):
        get(lite.r_user, query)
    error = caught.value
    assert list(error.fields) == [name] and error.status == 400
    assert because is None or error.fields[name] == because
    assert instead is None or str(error) == f"{name}: {because}. {instead}."
    assert "password" not in str(error).replace(query, "").replace("'password' is no", "").replace(UNKNOWN, "").removeprefix(
        "password: "
    ).replace("no field 'password' to", "")


def test_a_list_that_is_too_long_asks_for_pages(lite):
    """The limits are numbers that an app can set; more is refused, and never cut."""
    limits = Limits(documents=2, depth=1, names=1, values=2, text=40, conditions=1)
    for query, name, because in (
        ("", "$limit", "there are 3 documents, and one page may have 2"),
        ("$limit=3", "$limit", "3 is more than one page may have"),
        ("$embed=title.users", "$embed", "'title.users' is 2 levels deep"),
        ("$sort=name,age", "$sort", "it has 2 names"),
        ("age=1&age=2&age=3", "age", "it has 3 values"),
        ("$exclude=1,2,3", "$exclude", "it has 3 values"),
        (f"$term={'x' * 41}", "$term", "it has 41 characters"),
        ('$where={"age":1,"name":"x"}', "$where", "it has more than 1 conditions"),
        ('$where={"age":{">":1,"<":3}}', "$where", "it has more than 1 conditions"),
        ('$where={"age":[1,2,3]}', "$where", "it has 3 values"),
        (f'$where={{"name":"{"x" * 40}"}}', "$where", "it has 51 characters"),
    ):
        with pytest.raises(BadRequest) as caught:
            get(lite.r_user, query, limits=limits)
        assert caught.value.fields == {name: because}, query
    assert names(lite.r_user, "$limit=2", limits=limits) == ["Ann", "bob"] and get(lite.r_user, "$count=true", limits=limits) == 3
    with pytest.raises(BadRequest, match="there are 2 documents, and one page may have 1"):
        below(lite.r_role, "user", lite.admin, limits=Limits(documents=1))
    with pytest.raises(activeassoc.WrongArgument) as wrong:
        Limits(depth=0)
    assert str(wrong.value) == "Limits(depth=0): a limit is a whole number from 1. Write depth=5."


def test_criteria_of_clients_are_off_unless_switched_on(lite):
    """K5: $where is off by default."""
    with pytest.raises(BadRequest) as caught:
        get(lite.r_user, "$where={}", where=False)
    text = "$where: it is switched off. Filter by field=value, or switch it on: create_app(…, where=True)."
    body = {"error": "bad_request", "message": text, "fields": {"$where": "it is switched off"}}
    assert str(caught.value) == text and caught.value.body() == body


def test_one_record_takes_what_shapes_it_and_nothing_else(lite):
    """K5: $select, $embed and $flatten; a list's parameters, and filters, are unknown there."""
    known = [each.name for each in parameters.PARAMETERS if "one" in each.places]
    assert known == ["$select", "$embed", "$flatten"]
    found = {"id": lite.ann.id, "age": 30, "title": {"id": lite.admin.id, "name": "Admin"}}
    assert one(lite.r_user, lite.ann, "$select=age,title&$embed=title") == found
    for query in ("$limit=1", "$sort=name", "name=Ann", "$count=true", "$where={}"):
        with pytest.raises(BadRequest, match="a GET of one user knows no such parameter"):
            one(lite.r_user, lite.ann, query)


# What leaves


def test_what_may_not_be_read_is_neither_embedded_nor_told(Base):
    """K7: allow_read of the association and of the model at its other end; authorize is asked for every record, embedded ones too."""
    seen = []

    def authorize(request, action, model, record):
        seen.append((action, model.__name__, getattr(record, "name", None)))
        return record is None or record.name != "hidden"

    class Secret(Base):
        name = peewee.CharField()

        class Meta:
            rest = {"allow_read": False}

    class Note(Base):
        name = peewee.CharField()

        class Meta:
            rest = {"authorize": authorize}

    class User(Base):
        name = peewee.CharField()

        class Meta:
            rest = {"associations": {"logs": {"allow_read": False}}}

    class Log(Base):
        name = peewee.CharField()

    User.has_many(Secret)
    User.has_many(Note)
    User.has_many(Log)
    sync(User, Secret, Note, Log)
    user = Served([User]).resources["user"]
    ann, bob = User.create(name="Ann"), User.create(name="Bob")
    for name in ("a", "b"):
        ann.create_note(name=name)
    bob.create_note(name="hidden")
    assert list(user.embeddable) == ["notes"]
    for name in ("secrets", "logs"):
        with pytest.raises(BadRequest, match=f"'{name}' is no association of user to embed"):
            get(user, f"$embed={name}")
    assert len(one(user, ann, "$embed=notes")["notes"]) == 2 and seen == [("read", "Note", "a"), ("read", "Note", "b")]
    for read in (lambda: get(user, "$embed=notes"), lambda: below(user, "note", bob), lambda: one(user, bob, "$embed=notes")):
        with pytest.raises(Forbidden, match=r"^read of Note is not allowed$"):
            read()


def test_the_fields_of_links_are_those_of_a_model_with_words_of_its_own(on):
    """K7: the through model's allow_read and authorize hold for what is shown of links."""
    Base, seen = on("sqlite"), []

    class Grade(Base):
        stars = peewee.IntegerField()

        class Meta:
            rest = {"authorize": lambda request, action, model, record: seen.append(record.stars) or record.stars < 5}

    class Vote(Base):
        stars = peewee.IntegerField()

        class Meta:
            rest = {"allow_read": False}

    class User(Base):
        name = peewee.CharField()

    class Film(Base):
        name = peewee.CharField()

    User.belongs_to_many(Film, as_="graded", through=Grade)
    User.belongs_to_many(Film, as_="voted", through=Vote)
    sync(User, Film, Grade, Vote)
    user = Served([User, Film]).resources["user"]
    ann, film = User.create(name="Ann"), Film.create(name="Solaris")
    ann.add_graded(film, {"stars": 4})
    ann.add_voted(film, {"stars": 3})
    told = {"id": film.id, "name": "Solaris"}
    assert below(user, "voted", ann)["docs"] == [told] and below(user, "graded", ann)["docs"] == [{**told, "grade": {"stars": 4}}]
    assert one(user, ann, "$embed=voted,graded") == {
        "id": ann.id,
        "name": "Ann",
        "voted": [{"voted": told}],
        "graded": [{"graded": told, "stars": 4}],
    }
    with pytest.raises(BadRequest):
        below(user, "voted", ann, "vote.stars=3")
    ann.add_graded(film, {"stars": 5})
    for read in (lambda: below(user, "graded", ann), lambda: one(user, ann, "$embed=graded")):
        with pytest.raises(Forbidden, match=r"^read of Grade is not allowed$"):
            read()
    assert seen == [4, 4, 5, 5]


@pytest.mark.parametrize(("name", "what"), [("favourite", "the Film beside it"), ("childId", "the id of a child")])
def test_a_field_of_a_link_may_not_stand_where_something_else_does(on, name, what):
    """K4, K6: it would be lost, or take the place of the record."""
    Base = on("sqlite")
    Like = type(Base)("Like", (Base,), {name: peewee.IntegerField(null=True), "__module__": __name__})
    User, Film = (type(Base)(each, (Base,), {"__module__": __name__}) for each in ("User", "Film"))
    User.belongs_to_many(Film, as_="favourites", through=Like)
    with pytest.raises(activeassoc.DeclarationError) as caught:
        Served([User]).resources["user"].to_many  # noqa: B018  (it is made when it is asked for)
    assert str(caught.value) == (
        f"create_app(…) with User: Like.{name} and {what} would both be {name!r} in the JSON of User.favourites. "
        f'Rename one of them, or hide the field: Like.Meta.rest = {{"excluded": ["{name}"], "read_only": ["{name}"]}}.'
    )


def test_whoever_looks_at_records_sees_the_embedded_ones_too(lite):
    """K7: what is called after a read gets the records of each model, before they become documents."""
    seen = []

    def after(resource, records):
        seen.append((resource.segment, [each.name for each in records]))

    reading.list_of(lite.r_role, asked(lite.r_role, "$embed=users.groups,users.title"), after)
    assert seen == [("role", ["Admin"]), ("user", ["Ann", "bob"]), ("group", ["x", "y", "z", "x"]), ("role", ["Admin"])]
