"""The guide of rest-hapi on many-to-many associations, item by item: links in a table of their own, and embedded in documents."""

from __future__ import annotations

from typing import Any

import pytest
from looking import cols
from peewee import CharField, DateField
from serving import Api, below

#: rest-hapi's two ways to keep links: in a collection of their own, or in both documents.
STORAGES = [("sqlite", False), ("mongodb", False), ("mongodb", True)]
pytestmark = pytest.mark.parametrize("store, embed", STORAGES, indirect=["store"])


def user_model(Base: Any) -> Any:
    class User(Base):
        email = CharField(unique=True)

    return User


def new_user(api: Api, name: str) -> Any:
    return api.created("/user", email=f"{name}@x")


@pytest.fixture
def groups(Base: Any, embed: bool) -> Any:
    """The guide's user.groups and group.users, with two of each: the API, the groups' ids, the users' ids."""
    User, stored = user_model(Base), {"embed": True} if embed else {}

    class Group(Base):
        name = CharField()
        description = CharField(null=True)

    User.belongs_to_many(Group, **stored)
    Group.belongs_to_many(User, **stored)
    api = Api(User, Group)
    g, h = (api.created("/group", name=name) for name in "gh")
    return api, g, h, new_user(api, "a"), new_user(api, "b")


def test_a_many_to_many_has_ten_routes(groups: Any) -> None:
    """R11"""
    api = groups[0]
    assert below("user", "group") <= api.paths("/user")
    assert below("group", "user") <= api.paths("/group")


def test_one_call_changes_both_sides(groups: Any) -> None:
    """R11: in either direction, twice as once."""
    api, g, h, ann, bob = groups
    assert api.status("POST", f"/user/{ann}/group", [g, h]) == 204
    assert api.status("PUT", f"/group/{g}/user/{bob}") == api.status("PUT", f"/group/{g}/user/{bob}", {}) == 204
    assert api.ids(f"/user/{ann}/group") == [g, h]
    assert api.ids(f"/group/{g}/user") == [ann, bob]
    assert api.ids(f"/user/{bob}/group") == [g]
    assert api.status("DELETE", f"/group/{g}/user", [ann, bob]) == 204
    assert api.status("DELETE", f"/user/{ann}/group/{h}") == api.status("DELETE", f"/user/{ann}/group/{h}") == 204
    assert api.ids(f"/user/{ann}/group") == []


def test_links_are_embedded_around_their_records(groups: Any) -> None:
    """R11: under the association's singular; $flatten takes that level out. The list is no field of the user."""
    api, g, _, ann, _ = groups
    api("PUT", f"/user/{ann}/group/{g}")
    group = {"id": g, "name": "g", "description": None}
    assert api("GET", f"/user/{ann}?$embed=groups")[1]["groups"] == [{"group": group}]
    assert api("GET", f"/user/{ann}?$embed=groups&$flatten=true")[1]["groups"] == [group]
    assert "groups" not in api("GET", f"/user/{ann}")[1]
    assert api.status("POST", "/user", {"email": "z@x", "groups": [g]}) == 400


@pytest.fixture
def friends(Base: Any, embed: bool) -> Any:
    """The guide's linking model with friendsSince, user to user: the API, UserUser, and the ids of three users."""

    class UserUser(Base):
        friends_since = DateField(null=True)

    User, stored = user_model(Base), {"embed": True} if embed else {}
    User.belongs_to_many(User, as_="friends", through=UserUser, symmetric=True, **stored)
    api = Api(User, UserUser)
    assert {"friends_since"} < cols(UserUser) and len({column for column in cols(UserUser) if column.endswith("_id")}) == 2
    return api, UserUser, *(new_user(api, name) for name in "abc")


def links_of(api: Api, user: Any) -> dict[Any, Any]:
    return {document["id"]: document["user_user"] for document in api("GET", f"/user/{user}/friend")[1]["docs"]}


def test_a_linking_model_has_no_routes_of_its_own(friends: Any) -> None:
    """R12: the association goes by its alias; UserUser, whose key is the pair of users, has no id that a path could name."""
    api = friends[0]
    assert below("user", "friend") <= api.paths("/user")
    assert not api.paths("user_user")


def test_one_link_is_seen_from_both(friends: Any) -> None:
    """R12: with its fields, which adding again merges; ids alone change nothing."""
    api, UserUser, ann, bob, cid = friends
    assert api.status("PUT", f"/user/{ann}/friend/{bob}", {"friends_since": "2020-01-02"}) == 204
    assert links_of(api, ann) == {bob: {"friends_since": "2020-01-02"}}
    assert links_of(api, bob) == {ann: {"friends_since": "2020-01-02"}}
    assert api.status("POST", f"/user/{ann}/friend", [{"childId": bob, "friends_since": "2021-01-01"}, {"childId": cid}]) == 204
    assert links_of(api, ann) == {bob: {"friends_since": "2021-01-01"}, cid: {"friends_since": None}}
    assert api.status("POST", f"/user/{bob}/friend", [ann]) == 204
    assert links_of(api, bob) == {ann: {"friends_since": "2021-01-01"}}
    assert UserUser.select().count() == 2


def test_the_fields_of_a_link_are_read_by_their_types(friends: Any) -> None:
    """R12: unknown ones and values that do not fit are 400."""
    api, _, ann, bob, _ = friends
    assert api.status("PUT", f"/user/{ann}/friend/{bob}", {"since": "x"}) == 400
    assert api.status("PUT", f"/user/{ann}/friend/{bob}", {"friends_since": "x"}) == 400
    assert links_of(api, ann) == {}


def test_a_link_is_embedded_with_its_fields_and_removed_from_either_side(friends: Any) -> None:
    """R12"""
    api, _, ann, bob, cid = friends
    api("POST", f"/user/{ann}/friend", [{"childId": bob, "friends_since": "2021-01-01"}, cid])
    (link, _) = api("GET", f"/user/{ann}?$embed=friends")[1]["friends"]
    assert link == {"friend": {"id": bob, "email": "b@x"}, "friends_since": "2021-01-01"}
    assert api.status("DELETE", f"/user/{bob}/friend/{ann}") == 204
    assert links_of(api, ann) == {cid: {"friends_since": None}}


def test_a_required_field_of_a_link_is_required_of_a_new_link(Base: Any, embed: bool) -> None:
    """R12: ids alone are 400, as is PUT without it; where the link is there already it merges, and is 204."""

    class Group(Base):
        name = CharField()

    class Membership(Base):
        role = CharField()

    User, stored = user_model(Base), {"embed": True} if embed else {}
    User.belongs_to_many(Group, through=Membership, **stored)
    api = Api(User, Group, Membership)
    ann, g = new_user(api, "a"), api.created("/group", name="g")
    status, problem = api("POST", f"/user/{ann}/group", [g])
    assert (status, problem) == (400, {"error": "bad_request", "message": "role is required", "fields": {"role": "is required"}})
    assert api.status("PUT", f"/user/{ann}/group/{g}") == api.status("PUT", f"/user/{ann}/group/{g}", {}) == 400
    assert api.ids(f"/user/{ann}/group") == []
    assert api.status("PUT", f"/user/{ann}/group/{g}", {"role": "owner"}) == 204
    assert api.status("PUT", f"/user/{ann}/group/{g}") == api.status("POST", f"/user/{ann}/group", [g]) == 204
    assert api("GET", f"/user/{ann}/group")[1]["docs"] == [{"id": g, "name": "g", "membership": {"role": "owner"}}]
