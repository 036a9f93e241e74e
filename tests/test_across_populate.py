"""populate across stores: its cost on every pair, random calls against a plain dict, conditions, orders, and many owners."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from peewee import JOIN, SQL, CharField, IntegerField, TextField, UUIDField

from activeassoc import WrongArgument, populate, sync
from activeassoc.stores.sql import store_of
from activeassoc.testing import assert_queries


def model(base: Any, called: str, /, **fields: Any) -> Any:
    return type(base)(called, (base,), {**fields, "__module__": __name__, "__qualname__": called})


def linked(near: Any, far: Any, middle: Any = None, **said: Any) -> tuple[Any, Any, Any]:
    """Users and groups on two bases, linked with a role and a date; the links with the users, or on a base of their own."""
    User = model(near, "User", name=CharField(null=True))
    Group = model(far, "Group", name=CharField(null=True), size=IntegerField(null=True))
    Link = model(middle or near, "Link", role=CharField(default="member"), since=IntegerField(null=True))
    User.has_many(Group, through=Link, **said)
    Group.has_many(User, through=Link, **said)
    sync(near, far, middle or near)
    return User, Group, Link


@pytest.mark.every_pair
def test_what_it_costs(Near: Any, Far: Any) -> None:
    """H3: 2 where the links share an SQL database with either end, else 3; 2 for every association with one key."""
    User, Group, Link = linked(Near, Far)
    Pet, Badge = model(Far, "Pet", name=CharField(null=True)), model(Far, "Badge", name=CharField(null=True))
    User.has_many(Pet)
    Pet.belongs_to(User)
    User.has_one(Badge)
    sync(Near, Far)
    ann, red = User.create(name="Ann"), Group.create(name="red")
    assert ann.add_group(red, {"role": "head"}) == 1
    rex, gold = ann.create_pet(name="rex"), ann.create_badge(name="gold")
    for query, path, held in (
        (User, "pets", [rex]),
        (User, "badge", gold),
        (Pet, "user", ann),
    ):
        with assert_queries(2):
            assert getattr(list(query.select().populate(path))[0], path) == held
    joins = store_of(Near._meta.database).joins
    with assert_queries(2 if joins else 3):
        users = list(User.select().populate("groups"))
    assert users[0].groups == [red] and users[0].groups[0].link.role == "head"
    with assert_queries(2 if joins else 3):
        groups = list(Group.select().populate("users"))
    assert groups[0].users == [ann] and groups[0].users[0].link.role == "head"
    assert User.select().explain_populate("groups").queries == Group.select().explain_populate("users").queries == (2 if joins else 3)


@pytest.mark.parametrize("kinds", [("sqlite", "sqlite", "sqlite"), ("postgresql", "mongodb", "mariadb"), ("mongodb", "sqlite", "redis")])
def test_links_in_a_third_store(on: Any, kinds: tuple[str, str, str]) -> None:
    """H2, H3: a through model that lives elsewhere is asked by itself."""
    User, Group, Link = linked(*map(on, kinds))
    ann, red, blue = User.create(name="Ann"), Group.create(name="red"), Group.create(name="blue")
    assert ann.add_groups({red: {"role": "head"}, blue: {}}) == 2 and ann.get_groups() == [red, blue]
    for query, path in ((User, "groups"), (Group, "users")):
        with assert_queries(3) as events:
            found = list(query.select().populate(path))
        plan = query.select().explain_populate(path)
        assert plan.queries == len(events) and " and " in plan.hops[0].store and len(plan.hops[0].statements) == 2
    assert [(user.name, user.link.role) for group in found for user in group.users] == [("Ann", "head"), ("Ann", "member")]
    assert ann.add_group(red, {"role": "guest"}) == 0 and red.get_users()[0].link.role == "guest"
    assert ann.set_groups({blue: {"since": 1}, red: {"since": 1}}) == [blue, red] and Link.select().where(Link.since == 1).count() == 2
    assert [each.name for each in ann.get_groups(through_where={"role": "guest"})] == ["red"]


def test_conditions_and_orders_of_links_and_targets(on: Any) -> None:
    """C11, D4, H1: each store answers its part; what names both at once is refused, and tells how to write it."""
    User, Group, Link = linked(on("sqlite"), on("sqlite"))
    ann, bob = User.create(name="Ann"), User.create(name="Bob")
    for number, (name, size) in enumerate([("a", 2), ("b", 1), ("c", 2), ("d", None)]):
        group = Group.create(name=name, size=size)
        ann.add_group(group, {"role": "head" if number % 2 else "guest", "since": 9 - number})
        bob.add_group(group, {"since": 5})

    def names(owner: Any, **options: Any) -> str:
        listed = "".join(group.name for group in owner.get_groups(**options))
        users = list(User.select().where(User.id == owner.id).populate("groups", **options))
        assert "".join(group.name for group in users[0].groups) == listed
        assert "".join(group.name for group in populate(User.get_by_id(owner.id), "groups", **options).groups) == listed
        return listed

    assert names(ann, where=(Group.size == 2) & (Link.role == "guest") & (Link.since > 7)) == "a"
    assert names(ann, through_where=Link.role == "head") == "bd"
    assert names(ann, order=[Link.since]) == "dcba" and names(ann, order=[Link.since], limit=2, offset=1) == "cb"
    assert names(ann, order=["-size", Link.since]) == "cabd" and names(ann, order=["size", "name"]) == "dbac"
    assert names(ann, order=[Link.role, Group.name.desc()]) == "cadb" and names(bob, order=[Link.since, "-name"]) == "dcba"
    assert names(ann, order="-name", limit=2) == "dc" and names(ann, attributes=["name"], join_attributes=[]) == "abcd"
    for wrong in ({"where": (Group.size == 2) | (Link.role == "head")}, {"order": [Link.since, "size", Link.role]}):
        with pytest.raises(WrongArgument, match="no statement reaches both"):
            ann.get_groups(**wrong)
    with pytest.raises(WrongArgument) as caught:
        ann.get_groups(where=(Group.size == 2) | (Link.role == "head"))
    assert str(caught.value) == (
        "User.get_groups(): one condition names columns of Link and of Group, and no statement reaches both. "
        "Join conditions on one of them each by &, or write through_where=."
    )
    assert [each.name for each in User.groups.query(ann, where={"size": 2}).where(Group.name != "a")] == ["c"]


def test_queries_that_are_joined_with_their_links(on: Any) -> None:
    """H3: order, limit, conditions and chosen columns of the owners' query hold; what is more than rows of the model is asked by itself."""
    User, Group, _ = linked(on("sqlite"), on("sqlite"))
    red, blue = Group.create(name="red"), Group.create(name="blue")
    for name in "abcd":
        User.create(name=name).set_groups([red, blue] if name in "bd" else [])
    every = {"a": [], "b": [red, blue], "c": [], "d": [red, blue]}
    for query, names, cost in (
        (User.select().order_by(User.name.desc()).limit(2).offset(1), "cb", 2),
        (User.select(User.id, User.name).where(User.name.in_(["a", "d"])).order_by(User.id), "ad", 2),
        (User.select().where(SQL("name < ?", ["c"])).order_by(User.id), "ab", 2),
        (User.select().where(SQL("t1.name < ?", ["c"])).order_by(User.id), "ab", 3),
        (User.select().order_by(SQL("t1.name DESC")), "dcba", 3),
        (User.select().distinct().order_by(User.id), "abcd", 3),
        (User.select().join(User.groups.through, JOIN.LEFT_OUTER).group_by(User.id).order_by(User.id), "abcd", 3),
        (User.select().where(User.name == "b") | User.select().where(User.name == "d"), "bd", 3),
        (User.find({"name": {">": "b"}}).order_by(User.id), "cd", 2),
    ):
        with assert_queries(cost):
            users = list(query.populate("groups"))
        assert "".join(user.name for user in users) == names and [user.groups for user in users] == [every[name] for name in names]
        assert query.explain_populate("groups").queries == cost
    with assert_queries(2):
        assert User.select().order_by(User.name.desc()).populate("groups").get().groups == [red, blue]
    with assert_queries(1):
        assert list(User.select().where(User.id == 0).populate("groups")) == []
    assert User.select().populate("groups").count() == 4


def test_a_scope_and_links_that_repeat(on: Any) -> None:
    """A19, D1, H1: the association's own where holds for the targets; a target stands once for each of its links."""
    near, far = on("sqlite"), on("sqlite")
    User, Group = model(near, "User"), model(far, "Group", kind=CharField(null=True))
    Link, Visit = model(near, "Link"), model(near, "Visit", day=IntegerField(null=True))
    User.has_many(Group, "clubs", through=Link, where={"kind": "club"})
    User.has_many(Group, "visits", through=Visit, unique=False)
    sync(near, far)
    ann, other = User.create(), Group.create(kind="team")
    Link.create(user=ann, group=other.id)
    club = ann.create_club()
    assert club.kind == "club" and ann.get_clubs() == [club] and ann.count_clubs() == 1 and not ann.has_club(other)
    assert ann.has_clubs([club]) and ann.set_clubs([]) == [] and Link.select().count() == 1
    assert ann.add_visit(club, {"day": 1}) == 1 == ann.add_visit(club, {"day": 2}) and ann.count_visits() == 2
    assert [visit.visit.day for visit in ann.get_visits(order=[Visit.day.desc()])] == [2, 1] and ann.has_visits([club])
    assert len(ann.get_visits(limit=1)) == 1 and ann.remove_visit(club) == 2


def test_symmetric_links_in_another_database(on: Any) -> None:
    """D7, H1: one link for a pair, seen from both."""
    near, far = on("sqlite"), on("sqlite")
    Person, Friendship = model(near, "Person"), model(far, "Friendship")
    Person.belongs_to_many(Person, "friends", through=Friendship, foreign_key="one_id", other_key="other_id", symmetric=True)
    sync(near, far)
    ann, bob, cid = (Person.create() for _ in range(3))
    bob.add_friends([ann, cid])
    assert ann.get_friends() == [bob] and bob.get_friends() == [ann, cid] and ann.has_friend(bob) and not ann.has_friend(cid)
    assert [len(each.friends) for each in Person.select().populate("friends")] == [1, 2, 1] and ann.add_friend(bob) == 0
    assert cid.remove_friend(bob) == 1 and bob.set_friends([cid]) == [cid] and ann.count_friends() == 0


@pytest.mark.parametrize("kinds", [("sqlite", "postgresql"), ("postgresql", "sqlite"), ("mariadb", "mongodb"), ("redis", "postgresql")])
def test_keys_of_other_types(on: Any, kinds: tuple[str, str]) -> None:
    """H4: UUIDs and texts as keys, of which each store has a form of its own; a column of text that spells them."""
    near, far = map(on, kinds)
    User = model(near, "User", id=UUIDField(primary_key=True, default=uuid.uuid4))
    Tag = model(far, "Tag", id=CharField(primary_key=True, max_length=20))
    Note = model(far, "Note", text=TextField(null=True), user_id=CharField(max_length=40, null=True))
    User.belongs_to_many(Tag, dominant=True)
    Tag.belongs_to_many(User)
    User.has_many(Note, foreign_key="user_id", through=None)
    sync(near, far)
    ann, x, note = User.create(), Tag.create(id="x"), Note.create()
    assert ann.add_tag("x") == 1 and ann.get_tags() == [x] and x.get_users() == [ann] and x.has_user(str(ann.id))
    assert ann.add_note(note) == 1 and ann.get_notes() == [note] and ann.has_note(note)
    assert list(User.select().populate("tags", "notes"))[0].notes == [note] and Tag.select().populate("users")[0].users == [ann]


KEY = st.integers(1, 4)
CALL = st.tuples(st.sampled_from(["set", "add", "remove"]), st.booleans(), KEY, st.lists(KEY, max_size=4))
LIMIT = st.one_of(st.none(), st.integers(0, 3))


@pytest.fixture(scope="module")
def worlds(tmp_path_factory: Any) -> list[tuple[Any, Any, Any]]:
    """The same models with the links on either side."""
    from activeassoc import Model, connect

    def base(name: str) -> Any:
        db = connect(f"sqlite:///{tmp_path_factory.mktemp(name)}/a.db")
        db.execute_sql("PRAGMA synchronous = OFF")
        return type(Model)("Base", (Model,), {"Meta": type("Meta", (), {"database": db}), "__module__": __name__})

    found = []
    for first in (True, False):
        near, far = base("near"), base("far")
        found.append(linked(near, far, near if first else far))
    return found


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(operations=st.lists(CALL, max_size=8), limit=LIMIT, offset=st.integers(0, 2), down=st.booleans(), which=st.integers(0, 1))
def test_random_calls(worlds: Any, operations: Any, limit: Any, offset: int, down: bool, which: int) -> None:
    """H1, H2: whatever is called from either side, both sides show what a dict of pairs holds, and populate shows it ordered and cut."""
    User, Group, Link = worlds[which]
    for each in (Link, User, Group):
        each.delete().execute()
    for number in range(1, 5):
        User.create(id=number, name=str(number))
        Group.create(id=number, name=str(number))
    pairs: set[tuple[int, int]] = set()
    for verb, forward, one, others in operations:
        owner, name = (User.get_by_id(one), "groups") if forward else (Group.get_by_id(one), "users")
        mine = {(one, other) if forward else (other, one) for other in others}
        if verb == "set":
            getattr(owner, f"set_{name}")(others)
            pairs = {pair for pair in pairs if pair[0 if forward else 1] != one} | mine
        elif verb == "add":
            assert getattr(owner, f"add_{name}")(others) == len(mine - pairs)
            pairs |= mine
        else:
            assert getattr(owner, f"remove_{name}")(others) == len(mine & pairs)
            pairs -= mine
    for query, name, side in ((User, "groups", 0), (Group, "users", 1)):
        options = {"limit": limit, "offset": offset, "order": "-id" if down else "id"}
        for record in query.select().order_by(query.id).populate(name, **options):
            expected = sorted((pair[1 - side] for pair in pairs if pair[side] == record.id), reverse=down)
            assert [each.id for each in getattr(record, name)] == expected[offset : None if limit is None else offset + limit]
            assert getattr(record, f"has_{name}")(expected) and getattr(record, f"count_{name}")() == len(expected)


def test_a_hundred_thousand_owners(on: Any) -> None:
    """H5: in portions that every store takes."""
    near, far = on("sqlite"), on("sqlite")
    User, Group, Link = linked(near, far, far)
    count = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)"
    for base, statement, number in (
        (near, 'INSERT INTO "user" (id) {} SELECT i FROM n', 100_000),
        (far, 'INSERT INTO "group" (id) {} SELECT i FROM n', 100),
        (far, "INSERT INTO link (user_id, group_id, role) {} SELECT i, i % 100 + 1, 'x' FROM n", 100_000),
    ):
        base._meta.database.execute_sql(statement.format(count), (number,))
    with assert_queries(2):
        users = list(User.select().populate("groups", join_attributes=[]))
    assert len(users) == 100_000 and all(user.groups[0].id == user.id % 100 + 1 for user in users)
