"""Through models whose keys are plain columns: they are used as they stand, and every method works on them."""

from __future__ import annotations

import re
from types import SimpleNamespace
from typing import Any

import peewee
import pytest

from activeassoc import DeclarationError, RecordNotFound, ReferenceField, check, delete_plan, populate, sync

pytestmark = pytest.mark.every_store


def links(Base: Any, kind: Any = peewee.IntegerField) -> Any:
    """Parties and users, linked by a table with two columns of numbers and a role."""

    class Party(Base):
        name = peewee.CharField()

    class User(Base):
        name = peewee.CharField()

    class Link(Base):
        party_no = kind()
        user_no = kind()
        role = peewee.CharField(default="guest")

        class Meta:
            primary_key = peewee.CompositeKey("party_no", "user_no")

    return SimpleNamespace(Party=Party, User=User, Link=Link)


@pytest.fixture
def both_ways(Base: Any) -> Any:
    made = links(Base)
    made.Party.has_many(made.User, through=made.Link, foreign_key="party_no", other_key="user_no")
    made.User.has_many(made.Party, through=made.Link, foreign_key="user_no", other_key="party_no")
    sync(made.Link._meta.database)
    return made


def test_every_method_works_on_plain_columns(both_ways):
    """A13: a key that is already a column of the through model is used, and all verbs with it."""
    Party, User, Link = both_ways.Party, both_ways.User, both_ways.Link
    assert list(Link._meta.fields) == ["party_no", "user_no", "role"]
    party, (ann, bob, cid) = Party.create(name="Ball"), [User.create(name=name) for name in ("Ann", "Bob", "Cid")]
    assert party.add_user(ann, {"role": "host"}) == 1
    assert party.add_users([ann, bob.id]) == 1
    assert [(user.name, user.link.role, user.link.user_no) for user in party.get_users(order="name")] == [
        ("Ann", "host", ann.id),
        ("Bob", "guest", bob.id),
    ]
    assert [user.name for user in party.get_users(through_where={"role": "host"})] == ["Ann"]
    assert (party.count_users(), party.has_user(bob), party.has_users([ann, cid])) == (2, True, False)
    eves = party.create_users([{"name": "Eve"}], through={"role": "cook"})
    assert (party.create_user(name="Dan").name, eves[0].link.role) == ("Dan", "cook")
    assert [user.name for user in party.set_users({ann: {"role": "cook"}, cid.id: {}})] == ["Ann", "Cid"]
    assert sorted((each.user_no, each.role) for each in Link.select()) == [(ann.id, "cook"), (cid.id, "guest")]
    assert (party.remove_user(ann), party.remove_users([ann, cid])) == (1, 1)
    assert [each.name for each in bob.get_parties()] == []
    party.users.add([ann, {"name": "Fay"}])
    party.save()
    assert [user.name for user in party.users] == ["Ann", "Fay"]
    assert [each.name for each in ann.parties] == ["Ball"]


def test_links_on_plain_columns_are_read_for_many_owners_at_once(both_ways):
    """I1, G2: reach, populate, any and Model.get of many owners."""
    Party, User = both_ways.Party, both_ways.User
    ball, gala, _ = [Party.create(name=name) for name in ("Ball", "Gala", "Wake")]
    ann, bob = [User.create(name=name) for name in ("Ann", "Bob")]
    ball.add_users([ann, bob])
    gala.add_user(bob, {"role": "host"})
    found = Party.users.reach(list(Party.select().order_by(Party.id)))
    assert [[user.name for user in users] for users in found.values()] == [["Ann", "Bob"], ["Bob"], []]
    parties = list(Party.select().order_by(Party.id))
    populate(parties, "users", through_where={"role": "host"})
    assert [[user.name for user in each.users] for each in parties] == [[], ["Bob"], []]
    parties = list(Party.select().order_by(Party.id).populate("users", order="-name", limit=1))
    assert [[(user.name, user.link.role) for user in each.users] for each in parties] == [[("Bob", "guest")], [("Bob", "host")], []]
    assert [each.name for each in Party.select().where(Party.users.any(User.name == "Ann"))] == ["Ball"]


def test_a_key_of_nobody_is_not_linked(both_ways):
    """C13: no constraint would tell, so that the methods look."""
    Party, User, Link = both_ways.Party, both_ways.User, both_ways.Link
    party, user = Party.create(name="Ball"), User.create(name="Ann")
    for call in (lambda: party.add_user(99), lambda: party.add_users([user, 99]), lambda: party.set_users([99])):
        with pytest.raises(RecordNotFound) as error:
            call()
        assert str(error.value).endswith("User has no row with the primary key 99. Create it first, or leave it out.")
    assert Link.select().count() == 0
    Party.delete().execute()
    with pytest.raises(RecordNotFound):
        party.add_user(user)
    assert Link.select().count() == 0


def test_links_of_deleted_records_stay_and_check_tells_them(both_ways):
    """E5: a column without a rule may outlive what it refers to; reading passes over it."""
    Party, User, Link = both_ways.Party, both_ways.User, both_ways.Link
    party, ann, bob = Party.create(name="Ball"), User.create(name="Ann"), User.create(name="Bob")
    party.add_users([ann, bob])
    assert "Link" not in str(delete_plan(ann))
    ann.delete_instance()
    assert ([user.name for user in party.get_users()], Link.select().count()) == (["Bob"], 2)
    assert [finding.kind for finding in check(Link._meta.database).findings] == ["dangling link"]
    assert party.set_users([bob]) == [bob]
    assert Link.select().count() == 1


def test_friends_on_plain_columns(Base):
    """D7: a symmetric link of a model to itself is one row, seen from both."""

    class User(Base):
        name = peewee.CharField()

    class Friend(Base):
        one = peewee.IntegerField()
        other = peewee.IntegerField()

        class Meta:
            primary_key = peewee.CompositeKey("one", "other")

    User.has_many(User, as_="friends", through=Friend, foreign_key="one", other_key="other", symmetric=True)
    sync(Friend._meta.database)
    ann, bob, cid = [User.create(name=name) for name in ("Ann", "Bob", "Cid")]
    bob.add_friends([ann, cid])
    assert ([each.name for each in ann.get_friends()], ann.has_friend(bob), cid.count_friends()) == (["Bob"], True, 1)
    assert [[each.name for each in user.friends] for user in User.select().order_by(User.id).populate("friends", order="name")] == [
        ["Bob"],
        ["Ann", "Cid"],
        ["Bob"],
    ]
    assert ann.remove_friend(bob) == 1
    assert [[friend.one, friend.other] for friend in Friend.select()] == [[bob.id, cid.id]]


def test_plain_columns_may_refer_to_other_fields(Base):
    """A9, A13: source_key and target_key say to which; who comes later need not repeat it, and may not contradict it."""

    class Party(Base):
        code = peewee.CharField(unique=True)

    class User(Base):
        email = peewee.CharField(unique=True)

    class Link(Base):
        party = peewee.CharField()
        user = ReferenceField(User, key="email")

        class Meta:
            primary_key = peewee.CompositeKey("party", "user")

    Party.has_many(User, through=Link, foreign_key="party", source_key="code")
    User.has_many(Party, through=Link, other_key="party")
    sync(Link._meta.database)
    ball, ann = Party.create(code="ball"), User.create(email="ann@x")
    ann.add_party(ball)
    assert [(each.party, each.user) for each in Link.select()] == [("ball", "ann@x")]
    assert ([each.email for each in ball.get_users()], ball.has_user(ann)) == (["ann@x"], True)
    assert [[each.code for each in user.parties] for user in User.select().populate("parties")] == [["ball"]]
    with pytest.raises(DeclarationError) as error:
        Party.has_many(User, as_="guests", through=Link, foreign_key="party", source_key="id")
    assert re.sub(r"\s+", " ", str(error.value)) == (
        "Party.has_many(User, as_='guests', foreign_key='party', source_key='id', through=Link): the key 'party' refers to "
        "Party.code, not to id. Leave source_key out, or give another foreign_key."
    )


def test_a_column_that_belongs_to_makes_a_key_keeps_its_links(Base):
    """A13: belongs_to makes a foreign key of the column, and the many-to-many goes on with it."""
    made = links(Base)
    made.Party.has_many(made.User, through=made.Link, foreign_key="party_no", other_key="user_no")
    made.Link.belongs_to(made.User, foreign_key="user_no")
    sync(made.Link._meta.database)
    party, ann = made.Party.create(name="Ball"), made.User.create(name="Ann")
    party.add_user(ann)
    assert party.get_users()[0].link.user == ann


def test_links_between_two_databases_on_plain_columns(pair):
    """H1: as within one."""
    Near, Far = pair

    class Party(Near):
        name = peewee.CharField()

    class User(Far):
        name = peewee.CharField()

    class Link(Near):
        party = peewee.IntegerField()
        user = peewee.IntegerField()

    Party.has_many(User, through=Link, foreign_key="party", other_key="user")
    sync(Near._meta.database, Far._meta.database)
    party, ann, _ = Party.create(name="Ball"), User.create(name="Ann"), User.create(name="Bob")
    assert party.add_user(ann) == 1
    assert ([user.name for user in party.get_users()], party.has_users([ann]), party.count_users()) == (["Ann"], True, 1)
    assert [[user.name for user in each.users] for each in Party.select().populate("users")] == [["Ann"]]
    assert party.set_users([]) == []
