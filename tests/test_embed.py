"""Links that stand in the documents of both sides (embed=True): the same answers as with links of their own, and both sides always equal.

Where a test takes `embed`, it runs in both storages. Documents are looked at with pymongo, past this package.
"""

from __future__ import annotations

import contextlib
import datetime
import gc
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import peewee
import pytest
from conftest import base_on
from hypothesis import HealthCheck, given, settings, strategies
from peewee import CharField, DateField, IntegerField, UUIDField

import activeassoc
from activeassoc import (
    DeclarationError,
    DuplicateKey,
    MissingRecord,
    ObjectIdField,
    RecordNotFound,
    WrongArgument,
    check,
    collection,
    drop,
    populate,
    sync,
)
from activeassoc.stores.embedded import arrays_of
from activeassoc.testing import assert_queries

EMBED = pytest.mark.parametrize("embed", [False, True], ids=["collection", "embedded"])


@pytest.fixture
def B(on: Any) -> Any:
    """A base on a new MongoDB database."""
    return on("mongodb")


def docs(model: Any) -> list[dict[str, Any]]:
    """What the store has in a model's collection."""
    return list(model._meta.database.documents()[model._meta.table_name].find().sort("_id"))


def collections(model: Any) -> set[str]:
    return set(model._meta.database.documents().list_collection_names()) - {"activeassoc_keys"}


def wrong(*models: Any) -> list[str]:
    """What a link's two sides differ in."""
    return [str(each) for model in models for each in model._meta.database.differences(arrays_of(model))]


def users_and_groups(Base: Any, embed: bool | None, **options: Any) -> tuple[Any, Any]:
    class User(Base):
        email = CharField()

    class Group(Base):
        name = CharField(null=True)

    User.belongs_to_many(Group, embed=embed, **options)
    Group.belongs_to_many(User, embed=embed, **options)
    sync(Base._meta.database)
    return User, Group


def members(Base: Any, embed: bool | None) -> tuple[Any, Any, Any]:
    """Links with attributes."""

    class Membership(Base):
        role = CharField(default="member")
        level = IntegerField(null=True)
        since = DateField(null=True)

    return *users_and_groups(Base, embed, through=Membership), Membership


def friends(Base: Any, embed: bool | None) -> tuple[Any, Any]:
    class UserUser(Base):
        friends_since = DateField(null=True)

    class User(Base):
        email = CharField()

    User.belongs_to_many(User, as_="friends", through=UserUser, symmetric=True, embed=embed)
    sync(Base._meta.database)
    return User, UserUser


# Where links stand


def test_links_of_their_own_are_the_default(B: Any) -> None:
    """R13: one document {user_id, group_id} for each link with its attributes, in a collection of its own, and no arrays."""
    User, Group, Membership = members(B, None)
    u, g = User.create(email="a"), Group.create(name="g")
    u.add_group(g, {"role": "owner"})
    links = [{name: value for name, value in each.items() if name != "_id"} for each in docs(Membership)]
    assert links == [{"user_id": u.id, "group_id": g.id, "role": "owner"}]
    assert docs(User) == [{"_id": u.id, "email": "a"}] and docs(Group) == [{"_id": g.id, "name": "g"}]


def test_embedded_links_stand_in_both_documents(B: Any) -> None:
    """R14, L2: arrays on both documents, always equal; no further collection."""
    User, Group = users_and_groups(B, True)
    u, g, h = User.create(email="a"), Group.create(name="g"), Group.create(name="h")
    u.add_group(g)
    assert docs(User)[0]["groups"] == [{"group": g.id}] and docs(Group)[0]["users"] == [{"user": u.id}]
    assert collections(User) == {"user", "group"}
    h.set_users([u])
    assert docs(User)[0]["groups"] == [{"group": g.id}, {"group": h.id}]
    assert u.remove_groups([g, h]) == 2
    assert docs(User)[0]["groups"] == docs(Group)[0]["users"] == docs(Group)[1]["users"] == []
    assert "groups" not in User.get_by_id(u.id).__data__ and User.get_by_id(u.id).to_dict() == {"id": u.id, "email": "a"}


def test_attributes_stand_on_both_sides(B: Any) -> None:
    """R14: the link's fields twice, always equal; a NULL is not there."""
    User, Group, _ = members(B, True)
    u, g = User.create(email="a"), Group.create(name="g")
    u.add_group(g, {"level": 3})
    assert docs(User)[0]["groups"] == [{"group": g.id, "role": "member", "level": 3}]
    assert docs(Group)[0]["users"] == [{"user": u.id, "role": "member", "level": 3}]
    g.add_user(u, {"role": "owner", "level": None, "since": "2020-01-02"})
    day = datetime.datetime(2020, 1, 2)
    assert docs(User)[0]["groups"] == [{"group": g.id, "role": "owner", "since": day}]
    assert docs(Group)[0]["users"] == [{"user": u.id, "role": "owner", "since": day}]
    u.name = u.email = "b"
    u.save()
    User.update(email="c").execute()
    User.replace(id=u.id, email="d").execute()
    assert docs(User) == [{"_id": u.id, "email": "d", "groups": [{"group": g.id, "role": "owner", "since": day}]}]


def test_fields_are_named_like_the_associations_and_elements_like_the_models(B: Any) -> None:
    """L2: the array like each side's association, the key in it like the other model."""

    class Person(B):
        pass

    class Club(B):
        pass

    Person.belongs_to_many(Club, as_="teams", embed=True)
    Club.belongs_to_many(Person, as_="members", embed=True)
    sync(Person, Club)
    p, c = Person.create(), Club.create()
    c.add_member(p)
    assert docs(Person)[0] == {"_id": p.id, "teams": [{"club": c.id}]} and docs(Club)[0] == {"_id": c.id, "members": [{"person": p.id}]}


def test_a_side_that_is_not_declared_has_its_links_too(B: Any) -> None:
    """L2: they stand where the association would be, named as it would be."""

    class User(B):
        pass

    class Group(B):
        pass

    User.belongs_to_many(Group, as_="teams", embed=True)
    sync(User, Group)
    u, g = User.create(), Group.create()
    u.add_team(g)
    assert docs(Group) == [{"_id": g.id, "users": [{"user": u.id}]}] and not Group.associations
    g.delete_instance()
    assert docs(User) == [{"_id": u.id, "teams": []}]
    Group.belongs_to_many(User, embed=True)
    assert sync(User, Group).done == [] and Group.create().get_users() == []


def test_a_model_and_itself(B: Any) -> None:
    """A8, L2: each end has its field; without the other end it is ``<association>_of``."""

    class Person(B):
        pass

    Person.belongs_to_many(Person, as_="children", embed=True)
    sync(Person)
    a, b, c = Person.create(), Person.create(), Person.create()
    a.set_children([b, c])
    b.add_child(a)
    assert docs(Person) == [
        {"_id": a.id, "children": [{"person": b.id}, {"person": c.id}], "children_of": [{"person": b.id}]},
        {"_id": b.id, "children_of": [{"person": a.id}], "children": [{"person": a.id}]},
        {"_id": c.id, "children_of": [{"person": a.id}]},
    ]
    assert a.get_children() == [b, c] and b.get_children() == [a] and c.get_children() == []
    c.delete_instance()
    assert a.get_children() == [b] and not wrong(Person.associations["children"].through)


def test_two_ends_of_one_model(B: Any) -> None:
    """A8: they share through and exchange the keys."""

    class Person(B):
        pass

    keys = {"foreign_key": "followed_id", "other_key": "follower_id"}
    one = Person.belongs_to_many(Person, as_="followers", through="following", **keys, embed=True)
    keys = {"foreign_key": "follower_id", "other_key": "followed_id"}
    Person.belongs_to_many(Person, as_="follows", through="following", **keys, embed=True)
    sync(Person)
    a, b = Person.create(), Person.create()
    a.add_follower(b)
    assert docs(Person) == [{"_id": a.id, "followers": [{"person": b.id}]}, {"_id": b.id, "follows": [{"person": a.id}]}]
    assert b.get_follows() == [a] and a.get_follows() == [] and a.get_followers() == [b] and not wrong(one.through)


def test_keys_of_other_kinds(B: Any) -> None:
    """A15: ObjectIds, UUIDs, and a unique field that is no primary key."""

    class User(B):
        id = ObjectIdField(primary_key=True)

    class Group(B):
        id = UUIDField(primary_key=True)
        code = CharField(unique=True)

    User.belongs_to_many(Group, target_key="code", embed=True)
    Group.belongs_to_many(User, source_key="code", embed=True)
    sync(User, Group)
    u, v = User.create(), User.create()
    g = Group.create(id="00000000-0000-0000-0000-000000000001", code="x")
    u.add_group(g)
    assert docs(User)[0]["groups"] == [{"group": "x"}] and [str(each["user"]) for each in docs(Group)[0]["users"]] == [str(u.id)]
    assert g.has_users([u]) and not g.has_user(v) and g.get_users() == [u] and v.get_groups() == []
    g.delete_instance()
    assert docs(User)[0]["groups"] == []


def test_a_class_body_embeds(B: Any) -> None:
    """F1: collection(embed=True), on both sides."""

    class User(B):
        groups = collection("Group", via="users", embed=True)

    class Group(B):
        users = collection("User", via="groups", embed=True)

    sync(User, Group)
    g = Group.create()
    u = User.create(groups=[g.id])
    assert docs(User) == [{"_id": u.id, "groups": [{"group": g.id}]}] and docs(Group) == [{"_id": g.id, "users": [{"user": u.id}]}]
    u.groups.remove(g)
    u.save()
    assert docs(User)[0]["groups"] == []


# Who says what


def test_the_setting_is_the_default_and_an_association_overrides_it(B: Any, on: Any, embedding: None) -> None:
    """R15: embed=False under embed_associations = True has a collection; without documents the setting says nothing."""
    User, Group = users_and_groups(B, None)
    u, g = User.create(email="a"), Group.create()
    u.add_group(g)
    assert docs(User)[0]["groups"] == [{"group": g.id}] and collections(User) == {"user", "group"}
    User, Group = users_and_groups(on("mongodb"), False)
    u, g = User.create(email="a"), Group.create()
    u.add_group(g)
    assert collections(User) == {"user", "group", "groups_users"} and "groups" not in docs(User)[0]
    User, Group = users_and_groups(on("sqlite"), None)
    u, g = User.create(email="a"), Group.create()
    u.add_group(g)
    assert "groups_users" in User._meta.database.get_tables() and u.get_groups() == [g] == list(User.find().populate("groups"))[0].groups


@pytest.fixture
def embedding() -> Iterator[None]:
    activeassoc.settings.embed_associations = True
    yield
    activeassoc.settings.embed_associations = False


def test_a_default_leaves_links_that_do_not_fit_in_their_collection(B: Any, embedding: None) -> None:
    """L2: what was not asked for outright is not refused."""

    class Membership(B):
        id = peewee.AutoField()

    User, Group = users_and_groups(B, None, through=Membership)
    User.create(email="a").add_group(Group.create())
    assert collections(User) == {"user", "group", "membership"}


def test_the_setting_is_a_bool() -> None:
    """L2: anything else is refused."""
    with pytest.raises(WrongArgument) as raised:
        activeassoc.settings.embed_associations = "yes"  # type: ignore[assignment]
    assert str(raised.value) == "settings.embed_associations = 'yes': this is neither True nor False. Give one of these."


@pytest.mark.parametrize(
    ("first", "second", "text"),
    [
        (
            {"embed": True},
            {"embed": False},
            "Group.belongs_to_many(User, embed=False): it says embed=False, and User.belongs_to_many(Group, embed=True), which has the "
            "same links, says embed=True. Write embed=True on both sides, or on neither.",
        ),
        (
            {"embed": True},
            {},
            "Group.belongs_to_many(User): it says nothing, which means embed=False, and User.belongs_to_many(Group, embed=True), which has "
            "the same links, says embed=True. Write embed=True on both sides, or on neither.",
        ),
        (
            {},
            {"embed": True},
            "Group.belongs_to_many(User, embed=True): it says embed=True, and User.belongs_to_many(Group), which has the same links, says "
            "nothing, which means embed=False. Write embed=True on both sides, or on neither.",
        ),
    ],
)
def test_both_sides_say_the_same(B: Any, first: dict[str, Any], second: dict[str, Any], text: str) -> None:
    """R15, L2: else it is an error, and the second declaration changes nothing."""

    class User(B):
        pass

    class Group(B):
        pass

    User.belongs_to_many(Group, **first)
    with pytest.raises(DeclarationError) as raised:
        Group.belongs_to_many(User, **second)
    assert str(raised.value) == text and not Group.associations


def refusals() -> Iterator[Any]:
    def own_key(B: Any) -> None:
        class Membership(B):
            id = peewee.AutoField()

        User, Group = two(B)
        User.belongs_to_many(Group, through=Membership, embed=True)

    yield pytest.param(
        own_key,
        "User.belongs_to_many(Group, through=Membership, embed=True): embed=True keeps links in documents, where each is known by its two "
        "ends, and Membership has the primary key id. Leave that out, or leave embed out.",
        id="own_key",
    )

    def repeats(B: Any) -> None:
        User, Group = two(B)
        User.belongs_to_many(Group, unique=False, embed=True)

    yield pytest.param(
        repeats,
        "User.belongs_to_many(Group, unique=False, embed=True): embed=True keeps links in documents, where each is known by its two ends, "
        "and it lets a pair be linked more than once. Leave that out, or leave embed out.",
        id="repeats",
    )

    def unique(B: Any) -> None:
        class Membership(B):
            badge = CharField(unique=True)

        User, Group = two(B)
        User.belongs_to_many(Group, through=Membership, embed=True)

    yield pytest.param(
        unique,
        "User.belongs_to_many(Group, through=Membership, embed=True): embed=True keeps links in documents, where each is known by its two "
        "ends, and Membership has a unique index on badge, which arrays cannot hold. Leave that out, or leave embed out.",
        id="unique",
    )

    def attribute(B: Any) -> None:
        class Membership(B):
            group = CharField()

        User, Group = two(B)
        User.belongs_to_many(Group, through=Membership, other_key="team_id", embed=True)

    yield pytest.param(
        attribute,
        "User.belongs_to_many(Group, through=Membership, other_key='team_id', embed=True): embed=True keeps links in documents, where each "
        "is known by its two ends, and its attribute 'group' would stand where the key is. Leave that out, or leave embed out.",
        id="attribute",
    )

    def column(B: Any) -> None:
        class User(B):
            said = CharField(column_name="groups")

        class Group(B):
            pass

        User.belongs_to_many(Group, embed=True)

    yield pytest.param(
        column,
        "User.belongs_to_many(Group, embed=True): the documents of User would have the links where its column 'groups' is. Give as_= "
        'another name, as in as_="other_groups".',
        id="column",
    )

    def one_to_many(B: Any) -> None:
        User, Group = two(B)
        User.has_many(Group, embed=True)

    yield pytest.param(
        one_to_many,
        "User.has_many(Group, embed=True): embed is for a many-to-many, and this one has no through model. Give through=, or call "
        "belongs_to_many.",
        id="one_to_many",
    )


def two(B: Any) -> tuple[Any, Any]:
    class User(B):
        pass

    class Group(B):
        pass

    return User, Group


@pytest.mark.parametrize(("declare", "text"), list(refusals()))
def test_what_cannot_stand_in_documents_is_refused(B: Any, declare: Callable[[Any], None], text: str) -> None:
    """L2: at the declaration."""
    with pytest.raises(DeclarationError) as raised:
        declare(B)
    assert str(raised.value) == text


def test_a_store_without_documents_refuses(on: Any) -> None:
    """L2: SQL stores, Redis, and two databases."""
    for kind, because in (("sqlite", "embed=True keeps links in documents, and a SQL database has none"), ("redis", "")):
        User, Group = two(on(kind))
        where = getattr(User._meta.database, "address", "")
        because = because or f"embed=True keeps links in arrays within documents, and {where} has none"
        with pytest.raises(DeclarationError) as raised:
            User.belongs_to_many(Group, embed=True)
        assert str(raised.value) == f"User.belongs_to_many(Group, embed=True): {because}. Leave embed out: the links have a table."
    User, _ = two(on("mongodb"))
    _, Group = two(on("mongodb"))
    with pytest.raises(DeclarationError) as raised:
        User.belongs_to_many(Group, embed=True)
    assert str(raised.value) == (
        "User.belongs_to_many(Group, embed=True): embed=True keeps links in the documents of both sides, and User and Group are in two "
        "databases. Leave embed out: the links are kept in one of the two."
    )


def test_a_store_that_comes_later_is_asked_then(on: Any) -> None:
    """L2: a model without a database may say embed=True; sync refuses where the store is none for it."""
    bare = type(activeassoc.Model)("Base", (activeassoc.Model,), {"__module__": __name__})
    User, Group = two(bare)
    User.belongs_to_many(Group, embed=True)
    db = on("sqlite")._meta.database
    with db.bind_ctx([User, Group, User.associations["groups"].through], bind_refs=False, bind_backrefs=False):
        with pytest.raises(DeclarationError) as raised:
            sync(User, Group)
    assert str(raised.value).startswith("User.belongs_to_many(Group, embed=True): embed=True keeps links in documents, and a SQL database")


def test_two_links_in_one_field_are_told(B: Any) -> None:
    """L2: at first use, as the other side may still be declared."""
    User, Group = two(B)
    User.belongs_to_many(Group, as_="teams", through="team_links", embed=True)
    User.belongs_to_many(Group, as_="clubs", through="club_links", embed=True)
    with pytest.raises(DeclarationError) as raised:
        sync(User, Group)
    assert str(raised.value) == (
        "User.belongs_to_many(Group, as_='teams', through='team_links', embed=True), User.belongs_to_many(Group, as_='clubs', "
        "through='club_links', embed=True): the links of both would stand in the field 'users' of the documents of Group. Declare the "
        "association of Group as well for one of the two, with as_=."
    )
    Group.belongs_to_many(User, as_="fans", through="club_links", embed=True)
    sync(User, Group)
    u, g = User.create(), Group.create()
    u.add_team(g)
    assert docs(User) == [{"_id": u.id, "teams": [{"group": g.id}]}] and docs(Group) == [{"_id": g.id, "users": [{"user": u.id}]}]
    g.add_fan(u)
    assert u.get_clubs() == u.get_teams() == [g] and g.get_fans() == [u]


# The same answers in both storages


@EMBED
def test_every_accessor_answers_alike(B: Any, embed: bool) -> None:
    """R11: one call changes both sides."""
    User, Group = users_and_groups(B, embed)
    a, b = User.create(email="a"), User.create(email="b")
    g, h, i = (Group.create(name=name) for name in "ghi")
    assert a.add_groups([g, h]) == 2 and g.add_user(b) == 1 and g.add_user(b) == 0
    assert a.get_groups() == [g, h] and g.get_users(order="-email") == [b, a] and h.get_users(where=User.email == "b") == []
    assert (a.count_groups(), g.count_users(), i.count_users()) == (2, 2, 0)
    assert a.has_group(g) and a.has_groups([g, h]) and not a.has_groups([g, i]) and not i.has_user(a)
    assert a.set_groups([h, i]) == [h, i] and g.get_users() == [b] and i.get_users() == [a]
    assert i.remove_users([a, b]) == 1 and i.remove_user(a) == 0 and a.get_groups() == [h]
    c = g.create_user(email="c")
    assert g.get_users() == [b, c] and c.get_groups(limit=1) == [g]
    with pytest.raises(RecordNotFound):
        a.add_groups([g, 999])
    assert a.get_groups() == [h]
    assert [user.email for user in User.select().where(User.groups.any(Group.name == "g")).order_by(User.email)] == ["b", "c"]
    assert {user.email: [each.name for each in user.groups] for user in User.select().populate("groups.users")} == {
        "a": ["h"],
        "b": ["g"],
        "c": ["g"],
    }
    assert list(User.find().populate("groups"))[1].groups[0].name == "g"
    assert User.add_to_collection([a.id, b.id], "groups", [g.id, i.id]) == 3 and i.count_users() == 2
    g.delete_instance()
    assert a.get_groups() == [h, i] and b.get_groups() == [i] and Group.count_users is not None
    assert check(B._meta.database).findings == ()


@EMBED
def test_attributes_answer_alike(B: Any, embed: bool) -> None:
    """D3: given, merged, conditions on them, and the join row."""
    User, Group, Membership = members(B, embed)
    a, b = User.create(email="a"), User.create(email="b")
    g, h = Group.create(name="g"), Group.create(name="h")
    a.add_group(g, {"role": "owner", "level": 2})
    assert a.add_groups([g, h], {"level": 3}) == 1
    assert [(each.name, each.membership.role, each.membership.level) for each in a.get_groups()] == [("g", "owner", 3), ("h", "member", 3)]
    assert a.get_groups(through_where=Membership.role == "owner") == [g] and g.get_users(through_where={"level": {">": 5}}) == []
    b.set_groups({g: {"level": 9}, h: {"role": "guest"}})
    assert [(each.email, each.membership.level) for each in g.get_users(order=Membership.level.desc())] == [("b", 9), ("a", 3)]
    a.set_groups([h], {"since": datetime.date(2020, 1, 2)})
    assert a.get_groups()[0].membership.since == datetime.date(2020, 1, 2) and a.get_groups()[0].membership.level == 3
    with pytest.raises(activeassoc.UnknownName):
        a.add_group(g, {"rule": "x"})
    populated = populate([a, b], "groups", join_attributes=["role"])
    assert [[each.membership.role for each in record.groups] for record in populated or (a, b)] == [["member"], ["member", "guest"]]


@EMBED
def test_one_link_is_seen_from_both(B: Any, embed: bool) -> None:
    """R12, D7: friends."""
    User, UserUser = friends(B, embed)
    a, b, c = (User.create(email=name) for name in "abc")
    day = datetime.date(2020, 1, 2)
    b.add_friend(a, {"friends_since": day})
    assert [(each.id, each.user_user.friends_since) for each in a.get_friends()] == [(b.id, day)] and b.get_friends() == [a]
    assert a.add_friends([b, c]) == 1 and a.add_friend(b, {"friends_since": datetime.date(2021, 1, 1)}) == 0
    assert b.get_friends()[0].user_user.friends_since == datetime.date(2021, 1, 1) and UserUser.select().count() == 2
    assert a.add_friend(a) == 1 and a.get_friends() == [a, b, c] and a.remove_friend(a) == 1
    assert [[each.id for each in user.friends] for user in User.select().order_by(User.id).populate("friends")] == [
        [b.id, c.id],
        [a.id],
        [a.id],
    ]
    assert b.remove_friend(a) == 1 and a.get_friends() == [c] and b.count_friends() == 0
    a.delete_instance()
    assert c.get_friends() == [] and UserUser.select().count() == 0 and check(B._meta.database).findings == ()


@EMBED
def test_rest_answers_alike(B: Any, embed: bool) -> None:
    """R11, R12: lists, $embed, the link's fields, adding and removing."""
    testclient = pytest.importorskip("fastapi.testclient")
    from activeassoc.rest import create_app

    User, Group, Membership = members(B, embed)
    http = testclient.TestClient(create_app(User, Group))

    def call(verb: str, path: str, body: Any = None) -> Any:
        response = http.request(verb, path, json=body)
        return response.json() if response.content else response.status_code

    a, b = (call("POST", "/user", {"email": name})["id"] for name in "ab")
    g, h = (call("POST", "/group", {"name": name})["id"] for name in "gh")
    assert call("POST", f"/user/{a}/group", [{"childId": g, "level": 2}, h]) == 204 == call("PUT", f"/group/{g}/user/{b}", {"role": "x"})
    listed = call("GET", f"/group/{g}/user?$sort=-email")["docs"]
    assert [(each["id"], each["membership"]["role"], each["membership"]["level"]) for each in listed] == [(b, "x", None), (a, "member", 2)]
    assert [each["group"]["name"] for each in call("GET", f"/user/{a}?$embed=groups")["groups"]] == ["g", "h"]
    assert call("GET", f"/user/{a}/group?membership.level=2&$count=true") == 1 and "groups" not in call("GET", f"/user/{a}")
    assert call("DELETE", f"/group/{g}/user", [a, b]) == 204 == call("DELETE", f"/group/{h}") and Membership.select().count() == 0


def test_friends_stand_in_both_documents(B: Any) -> None:
    """L2, D7: an element each, with the same attributes; a record that is its own friend has one."""
    User, UserUser = friends(B, True)
    a, b = User.create(email="a"), User.create(email="b")
    b.add_friend(a, {"friends_since": "2020-01-02"})
    b.add_friend(b)
    day = datetime.datetime(2020, 1, 2)
    assert [each["friends"] for each in docs(User)] == [
        [{"user": b.id, "friends_since": day}],
        [{"user": a.id, "friends_since": day}, {"user": b.id}],
    ]
    UserUser.create(user=b.id, friend=User.create(email="c").id)
    with pytest.raises(DuplicateKey):
        UserUser.create(user=b.id, friend=a.id)
    assert UserUser.select().count() == 3 and not wrong(UserUser)


@EMBED
def test_the_through_model_is_a_model(B: Any, embed: bool) -> None:
    """J2: select, insert, update, delete, aggregates and conditions on it."""
    User, Group, Membership = members(B, embed)
    a, b = User.create(email="a"), User.create(email="b")
    g, h = Group.create(name="g"), Group.create(name="h")
    rows = [(a.id, g.id, 1), (a.id, h.id, 2), (b.id, g.id, 3)]
    Membership.insert_many(rows, [Membership.user, Membership.group, Membership.level]).execute()
    with pytest.raises(DuplicateKey) as raised:
        Membership.create(user=a, group=g)
    assert raised.value.columns == ["user", "group"]
    many = [{"user": a.id, "group": g.id, "level": 7}, {"user": b.id, "group": h.id}]
    assert Membership.insert_many(many).on_conflict_ignore().as_rowcount().execute() == 1
    assert Membership.select().where(Membership.level > 1).count() == 2 and Membership.select().where(Membership.level.is_null()).exists()
    rows = Membership.select(Membership.user, Membership.group).where(Membership.group == g, Membership.level.in_([1, 3, None])).tuples()
    assert sorted(rows) == [(a.id, g.id), (b.id, g.id)]
    assert Membership.update(level=Membership.level + 10).where(Membership.level < 3).execute() == 2
    assert sorted(row[0] for row in Membership.select(Membership.level).where(Membership.user == a).tuples()) == [11, 12]
    counted = Membership.select(Membership.group, peewee.fn.COUNT(peewee.SQL("1")).alias("n")).group_by(Membership.group)
    assert sorted((each.group_id, each.n) for each in counted) == [(g.id, 2), (h.id, 2)]
    page = Membership.select().order_by(Membership.level.desc(), Membership.user).limit(2).offset(1)
    assert [each.level for each in page] == [11, 3]
    assert Membership.delete().where((Membership.level == 11) | (Membership.group == h)).execute() == 3
    Membership.replace(user=b, group=g, role="owner", level=None).execute()
    assert [(each.user_id, each.group_id, each.role, each.level) for each in Membership.select()] == [(b.id, g.id, "owner", None)]
    link = Membership.get(Membership.user == b)
    link.role = "guest"
    link.save()
    assert b.get_groups()[0].membership.role == "guest"
    assert link.delete_instance() == 1 and not Membership.select().exists() and Membership.delete().execute() == 0


def test_a_link_to_nothing_is_refused(B: Any) -> None:
    """L2: both documents have to be there, as a foreign key would have it; nothing is written."""
    User, Group = users_and_groups(B, True)
    link, u = User.associations["groups"].through, User.create(email="a")
    with pytest.raises(MissingRecord) as raised:
        link.insert_many([{"user": u.id, "group": 7}, {"user": u.id, "group": 8}]).execute()
    assert str(raised.value) == (
        "insert of GroupsUsers: its links stand in the documents of both ends, and there is no Group with the key 7, 8. Create the "
        "Group first."
    )
    assert isinstance(raised.value, peewee.IntegrityError) and raised.value.keys == [7, 8] and docs(User) == [{"_id": u.id, "email": "a"}]


def test_a_transaction_takes_both_sides_back(B: Any) -> None:
    """J7: an embedded link is written in the transaction that the program is in."""
    User, Group = users_and_groups(B, True)
    u, g = User.create(email="a"), Group.create()
    with pytest.raises(KeyError), B._meta.database.atomic():
        u.add_group(g)
        assert u.get_groups() == [g] and g.count_users() == 1
        raise KeyError
    assert docs(User) == [{"_id": u.id, "email": "a"}] and docs(Group) == [{"_id": g.id}]


@EMBED
def test_what_it_costs(B: Any, embed: bool) -> None:
    """G2, C8: the same statements in both storages."""
    User, Group = users_and_groups(B, embed)
    u, groups = User.create(email="a"), [Group.create() for _ in range(3)]
    with assert_queries(4):
        u.add_groups(groups)
    with assert_queries(2):
        u.get_groups()
    with assert_queries(3):
        list(User.select().populate("groups"))
    with assert_queries(1):
        u.remove_groups(groups)


# Tables and indexes


def test_sync_makes_indexes_and_no_collection(B: Any) -> None:
    """L2: each side is found by the other end's key."""
    User, Group = two(B)
    User.belongs_to_many(Group, embed=True)
    report = sync(User, Group)
    assert report.created == ("user", "group") and sorted(report.indexes) == ["group_users_user", "user_groups_group"]
    assert not sync(User, Group)
    assert User.select().explain_populate("groups").missing_indexes == []
    database = B._meta.database
    database.documents()["user"].drop_index("user_groups_group")
    assert User.select().explain_populate("groups").missing_indexes == ["user.groups.group"]
    assert [str(each) for each in check(database).findings] == [
        "missing index: user has no index on groups.group. Not mended: check(fix=True) or sync() makes it."
    ]
    assert check(database, fix=True).ok and not check(database)
    u = User.create()
    u.add_group(Group.create())
    assert drop(User, Group).dropped == ("groups_users", "group", "user") and collections(User) == set()


def test_dropping_the_links_leaves_the_records(B: Any) -> None:
    """L2: the arrays go, as a join table would."""
    User, Group = users_and_groups(B, True)
    u = User.create(email="a")
    u.add_group(Group.create())
    link = User.associations["groups"].through
    link.truncate_table()
    assert docs(User)[0]["groups"] == docs(Group)[0]["users"] == []
    u.add_group(1)
    drop(link)
    assert docs(User) == [{"_id": 1, "email": "a"}] and docs(Group) == [{"_id": 1}]


def test_sync_tells_of_links_in_the_other_storage(B: Any) -> None:
    """L3: nobody would see them."""
    User, Group = users_and_groups(B, True)
    User.create(email="a").add_group(Group.create())
    User, Group = users_and_groups(base_on(B._meta.database, __name__), False)
    assert sync(User, Group).differences == (
        "the documents of user may have links in 'groups': activeassoc update-associations moves them",
        "the documents of group may have links in 'users': activeassoc update-associations moves them",
    ) or sync(User, Group).differences == (
        "the documents of group may have links in 'users': activeassoc update-associations moves them",
        "the documents of user may have links in 'groups': activeassoc update-associations moves them",
    )
    User, Group = users_and_groups(base_on(B._meta.database, __name__), True)
    assert sync(User, Group).differences == (
        "groups_users has links from before they stood in documents: activeassoc update-associations moves them",
    )


# Both sides, always


STEPS = strategies.lists(
    strategies.tuples(
        strategies.sampled_from(["add", "set", "remove", "from", "row", "change", "delete"]),
        strategies.integers(0, 2),
        strategies.lists(strategies.integers(0, 2), max_size=3),
        strategies.integers(0, 3),
    ),
    max_size=6,
)


@pytest.mark.parametrize("symmetric", [False, True])
def test_both_sides_are_equal_after_any_sequence_of_writes(B: Any, symmetric: bool) -> None:
    """L2: whichever side and whatever way they are written."""
    if symmetric:
        User, link = friends(B, True)
        Group, name = User, "friends"
    else:
        User, Group, link = members(B, True)
        name = "groups"
    forth = User.associations[name]
    back = Group.associations["friends" if symmetric else "users"]
    near, far = (link.user, link.friend) if symmetric else (link.user, link.group)
    attribute = link.friends_since if symmetric else link.level

    def value(number: int) -> Any:
        return datetime.date(2020, 1, 1 + number) if symmetric else number

    def carry_out(step: str, owner: Any, others: list[Any], number: int) -> None:
        values = {attribute.name: value(number)}
        if step == "add":
            forth.add(owner, others, values)
        elif step == "set":
            forth.set(owner, others, values)
        elif step == "remove":
            forth.remove(owner, others)
        elif step == "from" and others:
            back.set(others[0], [owner])
        elif step == "row" and others:
            link.insert({near: owner, far: others[0]}).on_conflict_ignore().execute()
        elif step == "change":
            link.update({attribute: value(number)}).where(near == owner).execute()
        elif step == "delete":
            link.delete().where(attribute == value(number)).execute()

    @settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(STEPS)
    def run(steps: list[Any]) -> None:
        for model in {User, Group}:
            model.delete().execute()
        users = [User.create(email=each) for each in "abc"]
        groups = users if symmetric else [Group.create() for _ in range(3)]
        for step, owner, others, number in steps:
            carry_out(step, users[owner], [groups[each] for each in others], number)
            assert not wrong(link)

    run()


def at_once(*works: Callable[[], None]) -> None:
    """Run these in threads; what one raises is raised."""
    failed: list[BaseException] = []

    def run(work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise failed[0]


@contextlib.contextmanager
def standing_alone(folder: Path) -> Iterator[Any]:
    """A base on a server without a replica set, which has no transactions."""
    import secantus

    server = secantus.SecantusDBServer(storage_path=str(folder / "alone"), replica_set_name=None)
    server.start()
    database = activeassoc.connect(f"{server.uri}alone", serverSelectionTimeoutMS=300)
    yield base_on(database, __name__)
    database.close()
    gc.collect()  # cursors that a death left open are closed while the server is there
    server.stop()  # before the client goes: without one it waits for two seconds
    database.dispose()


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[Any]:
    with standing_alone(tmp_path) as Base:
        yield Base


@pytest.mark.parametrize("transactions", [True, False])
def test_two_writers_leave_both_sides_equal(request: pytest.FixtureRequest, transactions: bool) -> None:
    """C16, L2: each pair at most once, whatever they did to the same pairs."""
    Base = request.getfixturevalue("B" if transactions else "alone")
    assert Base._meta.database.transactions is transactions
    User, Group, link = members(Base, True)
    users, groups = [User.create(email=str(n)) for n in range(2)], [Group.create() for _ in range(2)]

    def writer(number: int) -> None:
        import random

        choose = random.Random(number)
        for _ in range(12 if transactions else 25):
            user, group = choose.choice(users).id, choose.choice(groups).id
            what = choose.randrange(4)
            if what == 0:
                User.associations["groups"].add(User.get_by_id(user), group, {"level": choose.randrange(9)})
            elif what == 1:
                Group.associations["users"].remove(Group.get_by_id(group), user)
            elif what == 2:
                User.associations["groups"].set(User.get_by_id(user), [group], {"level": choose.randrange(9)})
            else:
                link.update(level=link.level + 1).where(link.group == group).execute()
        Base._meta.database.close()

    at_once(lambda: writer(1), lambda: writer(2))
    assert not wrong(link)


@pytest.mark.parametrize("late", ["remove", "change", "delete"])
def test_a_writer_that_comes_between_the_two_sides(alone: Any, monkeypatch: pytest.MonkeyPatch, late: str) -> None:
    """C16, L2: without transactions the mirror follows the truth, whoever wrote that last."""
    from activeassoc.stores.mongo_embedded import Writing

    User, Group, link = members(alone, True)
    u, g = User.create(email="a"), Group.create()
    put, waiting = Writing.put, [True]
    works = {
        "remove": lambda: User.get_by_id(u.id).remove_group(g.id),
        "change": lambda: link.update(level=7).execute(),
        "delete": lambda: link.delete().where(link.level.is_null()).execute(),
    }

    def between(self: Any, side: Any, links: Any, fresh: bool = False) -> None:
        if side is self.arrays.mirror and waiting:
            waiting.clear()
            works[late]()
        put(self, side, links, fresh)

    monkeypatch.setattr(Writing, "put", between)
    u.add_group(g)
    assert not waiting and not wrong(link) and link.select().count() == (late == "change")
    assert docs(Group)[0].get("users", []) == ([{"user": u.id, "role": "member", "level": 7}] if late == "change" else [])


def test_no_change_is_lost_that_another_writer_makes_meanwhile(alone: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """J7, L2: without transactions a change is made to what it was computed from, and a removal to what it found."""
    from activeassoc.stores.mongo_embedded import Writing

    User, Group, link = members(alone, True)
    u, g = User.create(email="a"), Group.create()
    u.add_group(g, {"level": 0})
    found, waiting = Writing._found, [True]

    def then(self: Any, where: Any, limit: int | None = None) -> Any:
        rows = found(self, where, limit)
        if waiting:
            waiting.clear()
            link.update(level=link.level + 1).execute()
        return rows

    monkeypatch.setattr(Writing, "_found", then)
    assert link.update(level=link.level + 1).execute() == 1
    assert u.get_groups()[0].membership.level == 2 and not wrong(link)
    waiting.append(True)
    assert link.delete().where(link.level == 2).execute() == 0 and u.get_groups()[0].membership.level == 3
    waiting.append(True)
    assert u.remove_group(g) == 1 and not wrong(link) and link.select().count() == 0


# When a program dies


class Died(BaseException):
    """The process is gone."""


def test_a_death_between_the_two_sides_is_found_and_mended(alone: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """L2: the side that is written first holds; check lists what differs, and fix=True brings the other in line."""
    from activeassoc.stores.mongo_embedded import Writing

    User, Group, link = members(alone, True)
    u, g, h = User.create(email="a"), Group.create(), Group.create()
    u.add_group(h)

    def die(*arguments: Any, **options: Any) -> None:
        raise Died

    with monkeypatch.context() as patched:
        patched.setattr(Writing, "follow", die)
        for work in (lambda: u.add_group(g), lambda: u.remove_group(h)):
            with pytest.raises(Died):
                work()
    assert "groups" in docs(User)[0] and docs(User)[0]["groups"] == [{"group": h.id, "role": "member"}]
    assert u.get_groups() == [g] and h.get_users() == []  # what is asked of the links is asked of one side
    database = alone._meta.database
    assert [str(each) for each in check(database).findings] == [
        "mirrored link: 1 row of Membership ((1, 1)): in Group.users, and not in User.groups. Not mended: check(fix=True) makes it as "
        "Group.users has it.",
        "mirrored link: 1 row of Membership ((2, 1)): in User.groups, and not in Group.users. Not mended: check(fix=True) makes it as "
        "Group.users has it.",
    ]
    assert check(database, fix=True).ok and not check(database)
    assert docs(User)[0]["groups"] == [{"group": g.id, "role": "member"}] and docs(Group)[1]["users"] == []


def test_check_finds_what_other_programs_left(B: Any) -> None:
    """H7, L2: attributes that differ, links to nothing, repeats, and elements that are none."""
    User, Group, _ = members(B, True)
    User.create(email="a").set_groups([Group.create(), Group.create()])
    raw = B._meta.database.documents()
    raw["user"].update_one({}, {"$set": {"groups.0.level": 5}})
    raw["user"].update_one({}, {"$push": {"groups": {"$each": [{"group": 9}, {"group": 2, "role": "member"}, {"group": 1}, 7]}}})
    told = [str(each) for each in check(B._meta.database, fix=True).findings]
    assert told == [
        "mirrored link: 1 row of Membership ((1, 1)): with other attributes in Group.users than in User.groups. Mended: made as "
        "Group.users has it.",
        "mirrored link: 1 row of Membership ((2, 1)): more than once in one document. Mended: made as Group.users has it.",
        "mirrored link: 1 row of Membership ((1, 1)): more than once in one document. Not mended: look into the documents: what is right "
        "cannot be told from them.",
        "mirrored link: 1 row of Membership ((1, None)): an element without a key. Not mended: look into the documents: what is right "
        "cannot be told from them.",
        "dangling link: 1 row of Membership ((9, 1)): to a record that is gone. Mended: 1 deleted.",
    ]
