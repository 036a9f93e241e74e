"""populate: what is loaded, at which cost, for every kind, depth and option (G1-G7)."""

from __future__ import annotations

import copy
import pickle
import uuid
import warnings
from typing import Any, NamedTuple

import peewee
import pytest
from peewee import BooleanField, CharField, DecimalField, ForeignKeyField, IntegerField, UUIDField, fn

import activeassoc
from activeassoc import AssociationError, PopulateTruncatedWarning, populate, settings, sync
from activeassoc.stores.capabilities import store_of
from activeassoc.testing import assert_queries

pytestmark = pytest.mark.every_store


class Clinic(NamedTuple):
    """Companies have users, users have a profile, pets and teams, pets have an owner, a vet and visits."""

    Company: Any
    User: Any
    Profile: Any
    Pet: Any
    Vet: Any
    Visit: Any
    Team: Any
    Membership: Any


@pytest.fixture
def clinic(Base: Any) -> Clinic:
    """Ann of Acme has Rex and Tom, Bob of Acme has Kitty, Cid has nothing and belongs nowhere."""

    def model(called: str, /, **fields: Any) -> Any:
        return type(Base)(called, (Base,), {**fields, "__module__": __name__, "__qualname__": called})

    Company, Team, Vet = (model(name, name=CharField()) for name in ("Company", "Team", "Vet"))
    User, Profile = model("User", name=CharField()), model("Profile", text=CharField())
    Pet, Visit = model("Pet", name=CharField(), age=IntegerField(default=1)), model("Visit", day=IntegerField())
    Membership = model("Membership", role=CharField(default="member"))
    User.belongs_to(Company)
    Company.has_many(User)
    User.has_one(Profile)
    User.has_many(Pet, foreign_key="owner_id")
    Pet.belongs_to(User, as_="owner")
    Pet.belongs_to(Vet)
    Pet.has_many(Visit)
    User.has_many(Team, through=Membership)
    Team.has_many(User, as_="members", through=Membership)
    sync(Base)
    acme = Company.create(name="Acme")
    ann, bob, cid = (User.create(name=name, company=company) for name, company in (("Ann", acme), ("Bob", acme), ("Cid", None)))
    ann.create_profile(text="about Ann")
    vet = Vet.create(name="Dr. Who")
    rex, tom = Pet.create(name="Rex", owner=ann, vet=vet, age=3), Pet.create(name="Tom", owner=ann, age=9)
    Pet.create(name="Kitty", owner=bob, vet=vet, age=5)
    Pet.create(name="Stray", vet=vet)
    rex.create_visits([{"day": 1}, {"day": 2}])
    tom.create_visit(day=3)
    red, blue = Team.create(name="red"), Team.create(name="blue")
    ann.add_team(red, {"role": "captain"})
    ann.add_team(blue)
    bob.add_team(red)
    assert cid.id is not None
    return Clinic(Company, User, Profile, Pet, Vet, Visit, Team, Membership)


def names(records: Any) -> list[str]:
    return [record.name for record in records]


# What is loaded


#: The hops that go over links, which take a statement more where there are no joins (H3).
LINKED = {"teams", "members", "tags", "friends", "projects", "products"}


def cost(model: Any, *paths: str) -> int:
    """What populating the model's records by these paths takes: one statement for them, and one for each hop. (G2, H3)"""
    hops = {path.rsplit(".", up)[0] for path in paths for up in range(path.count(".") + 1)}
    apart = 0 if store_of(model._meta.database).joins else sum(hop.rsplit(".")[-1] in LINKED for hop in hops)
    return 1 + len(hops) + apart


PATHS = [
    (["company"], 2),
    (["profile"], 2),
    (["pets"], 2),
    (["teams"], 2),
    (["pets", "teams", "company", "profile"], 5),
    (["pets.vet"], 3),
    (["pets.visits"], 3),
    (["teams.members"], 3),
    (["company.users"], 3),
    (["profile.user"], 3),
    (["pets.visits.pet"], 4),
    (["pets.owner.company", "pets.vet", "pets"], 5),
    (["teams.members.pets.vet"], 5),
    (["company.users.teams.members.profile"], 6),
]


@pytest.mark.parametrize("several_calls", [False, True])
def test_each_association_of_the_paths_is_one_query(clinic: Clinic, several_calls: bool) -> None:
    """G2, H3: one query per association of the path, however many records; two for links and targets where there are no joins."""
    joins = store_of(clinic.User._meta.database).joins
    for paths, statements in PATHS:
        query = clinic.User.select()
        if several_calls:
            for path in paths:
                query = query.populate(path)
        else:
            query = query.populate(*paths)
        expected = cost(clinic.User, *paths)
        assert expected == statements or not joins
        with assert_queries(expected):
            users = list(query)
        with assert_queries(0):
            for path in paths:
                found = users
                for name in path.split("."):
                    found = [each for record in found for each in listed(getattr(record, name))]


OPTIONS: list[dict[str, Any]] = [
    {},
    {"where": {"id": {">": 1}}},
    {"order": "-id"},
    {"limit": 1},
    {"limit": None},
    {"offset": 1},
    {"offset": 1, "limit": 1},
    {"attributes": ["id"]},
    {"where": {"id": {">": 0}}, "order": "-id", "limit": 2, "offset": 1, "attributes": []},
    {"count": True},
    {"count": True, "where": {"id": 1}},
]


def test_options_cost_nothing(clinic: Clinic) -> None:
    """G2, G4: for every kind, depth and option still one query for each association."""
    for path in ("pets", "teams", "pets.visits", "teams.members", "company.users", "profile.user.pets", "pets.owner.teams"):
        last, statements = path.rsplit(".", 1)[-1], cost(clinic.User, path)
        for options in OPTIONS:
            with assert_queries(statements):
                list(clinic.User.select().populate(path, **options))
            if "count" not in options:
                with assert_queries(statements - (cost(clinic.User, last) - 1)):
                    list(clinic.User.select().populate(path, **{**options, "limit": 0}))


def test_attributes_of_a_to_one_cost_nothing(clinic: Clinic) -> None:
    """G2, G3"""
    for path in ["company", "profile", "pets.owner", "pets.vet", "teams.members.company", "company.users.profile"]:
        with assert_queries(cost(clinic.User, path)):
            list(clinic.User.select().populate(path, attributes=["id"]))


def listed(value: Any) -> list[Any]:
    return [] if value is None else [value] if isinstance(value, peewee.Model) else list(value)


def test_what_is_populated_is_what_the_getters_give(clinic: Clinic) -> None:
    """G3: to-one gives the record or None, to-many a list, empty where there are none."""
    ann, bob, cid = clinic.User.select().order_by(clinic.User.id).populate("company", "profile", "pets.visits", "pets.vet", "teams")
    with assert_queries(0):
        assert (ann.company.name, bob.company.name, cid.company) == ("Acme", "Acme", None)
        assert (ann.profile.text, bob.profile, cid.profile) == ("about Ann", None, None)
        assert (names(ann.pets), names(bob.pets), list(cid.pets)) == (["Rex", "Tom"], ["Kitty"], [])
        assert [visit.day for visit in ann.pets[0].visits] == [1, 2]
        assert (ann.pets[0].vet.name, ann.pets[1].vet) == ("Dr. Who", None)
        assert (names(ann.teams), names(bob.teams), list(cid.teams)) == (["red", "blue"], ["red"], [])


def test_join_rows_travel_along(clinic: Clinic) -> None:
    """D4, G1: fetched targets carry their join row, and join_attributes limits it."""
    ann, bob, _ = clinic.User.select().order_by(clinic.User.id).populate("teams")
    with assert_queries(0):
        assert [team.membership.role for team in ann.teams] == ["captain", "member"]
        assert bob.teams[0].membership.role == "member"
    row = ann.teams[1].membership
    row.role = "coach"
    row.save()
    assert clinic.User.select().populate("teams")[0].teams[1].membership.role == "coach"
    bare = clinic.User.select().populate("teams", join_attributes=[])[0].teams[0]
    assert not hasattr(bare, "membership")
    some = clinic.User.select().populate("teams", join_attributes=["role"])[0].teams[0].membership
    assert set(some.__data__) == {"role", "user", "team"}


def test_records_of_a_loaded_association_know_their_owner(clinic: Clinic) -> None:
    """C12: pet.owner costs nothing."""
    with assert_queries(2):
        for user in clinic.User.select().populate("pets"):
            for pet in user.pets:
                assert pet.owner is user
    with assert_queries(2):
        for user in clinic.User.select().populate("profile"):
            assert user.profile is None or user.profile.user is user


def test_two_owners_of_one_record(clinic: Clinic) -> None:
    """G7, D5: in a to-many two owners of the same record get two instances, in a to-one they share one."""
    ann, bob, _ = clinic.User.select().order_by(clinic.User.id).populate("teams", "company")
    assert ann.teams[0] == bob.teams[0] and ann.teams[0] is not bob.teams[0]
    assert (ann.teams[0].membership.role, bob.teams[0].membership.role) == ("captain", "member")
    assert ann.company is bob.company


@pytest.mark.needs("joins")
def test_one_row_read_twice_gets_its_own_lists(clinic: Clinic) -> None:
    """G7: rows may repeat in a query with a join."""
    User, Pet = clinic.User, clinic.Pet
    with assert_queries(2):
        first, second = User.select().join(Pet, on=(Pet.owner == User.id)).where(User.name == "Ann").populate("pets")
    assert first is not second and names(first.pets) == names(second.pets) == ["Rex", "Tom"]
    assert first.pets[0] is not second.pets[0] and first.pets[0].owner is first and second.pets[0].owner is second


def test_repeated_and_missing_keys_are_not_asked_for(clinic: Clinic) -> None:
    """G2: NULL keys and repeated keys are not asked for; with nothing to load there is no query."""
    with assert_queries(2) as events:
        list(clinic.User.select().populate("company"))
    assert len(events[1].params or ()) <= 1
    with assert_queries(1):
        (cid,) = clinic.User.select().where(clinic.User.name == "Cid").populate("company.users.pets")
    assert cid.company is None
    with assert_queries(1):
        assert list(clinic.User.select().where(clinic.User.name == "nobody").populate("pets.vet", "company")) == []
    with assert_queries(2):
        list(clinic.User.select().where(clinic.User.name == "Cid").populate("pets.vet"))


def test_a_dangling_key_is_none(clinic: Clinic, Base: Any) -> None:
    """G3: None for a dangling key."""
    Note = type(Base)("Note", (Base,), {"__module__": __name__})
    Note.belongs_to(clinic.User, constraints=False)
    sync(Note)
    Note.create(user=1)
    Note.create(user=999)
    with assert_queries(2):
        notes = list(Note.select().order_by(Note.id).populate("user"))
    with assert_queries(0):
        assert notes[0].user.name == "Ann" and notes[1].user is None and notes[1].user_id == 999
    notes[1].save()
    assert Note.get_by_id(2).user_id == 999


def test_order_is_by_primary_key_or_the_associations(clinic: Clinic, Base: Any) -> None:
    """G6, A19: without order from the call or the association the populated records come by primary key."""
    clinic.User.has_many(clinic.Pet, as_="elders", foreign_key="owner_id", where=(clinic.Pet.age > 2), order="-age")
    ann = clinic.User.select().populate("elders")[0]
    assert names(ann.elders) == ["Tom", "Rex"]
    assert names(clinic.User.select().populate("elders", order="name")[0].elders) == ["Rex", "Tom"]
    clinic.Pet.update(age=1).where(clinic.Pet.name == "Rex").execute()
    assert names(clinic.User.select().populate("elders")[0].elders) == ["Tom"]


# Options


def lists_of(query: Any, path: str = "pets") -> list[list[str]]:
    return [names(getattr(user, path)) for user in query]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"where": {"age": {">": 3}}}, [["Tom"], ["Kitty"], []]),
        ({"order": "-age"}, [["Tom", "Rex"], ["Kitty"], []]),
        ({"limit": 1}, [["Rex"], ["Kitty"], []]),
        ({"limit": 1, "order": "-age"}, [["Tom"], ["Kitty"], []]),
        ({"offset": 1}, [["Tom"], [], []]),
        ({"offset": 1, "limit": 5}, [["Tom"], [], []]),
        ({"offset": 0, "limit": None}, [["Rex", "Tom"], ["Kitty"], []]),
        ({"offset": 1, "limit": None}, [["Tom"], [], []]),
        ({"attributes": ["name"]}, [["Rex", "Tom"], ["Kitty"], []]),
    ],
)
def test_options_count_for_each_owner(clinic: Clinic, options: dict[str, Any], expected: list[list[str]]) -> None:
    """G4: where, order, limit and offset apply per owner, in one query."""
    users = clinic.User.select().order_by(clinic.User.id)
    with assert_queries(2):
        assert lists_of(users.populate("pets", **options)) == expected


def test_expressions_in_options(clinic: Clinic) -> None:
    """G1, C11: where takes an expression too, also of the link, and order as well."""
    users, Membership, Team = clinic.User.select().order_by(clinic.User.id), clinic.Membership, clinic.Team
    assert lists_of(users.populate("pets", where=clinic.Pet.name == "Tom")) == [["Tom"], [], []]
    assert lists_of(users.populate("teams", through_where={"role": "member"}), "teams") == [["blue"], ["red"], []]
    assert lists_of(users.populate("teams", where=Membership.role == "captain"), "teams") == [["red"], [], []]
    assert lists_of(users.populate("teams", order=[Membership.role.desc(), Team.name]), "teams") == [["blue", "red"], ["red"], []]
    assert lists_of(users.populate("teams", order="-role", limit=1), "teams") == [["blue"], ["red"], []]
    if store_of(Team._meta.database).expressions:
        assert lists_of(users.populate("teams", order=fn.LENGTH(Team.name).desc(), limit=1), "teams") == [["blue"], ["red"], []]


def test_attributes_always_come_with_the_keys(clinic: Clinic) -> None:
    """C11, G1: the primary key, the association's key, and the keys of the next hop come too."""
    ann = clinic.User.select().populate("pets", attributes=["name"]).populate("company", attributes="name")[0]
    assert set(ann.pets[0].__data__) == {"name", "id", "owner"} and set(ann.company.__data__) == {"name", "id"}
    with assert_queries(3):
        ann = clinic.User.select().populate("pets", attributes=["name"]).populate("pets.vet", attributes=["name"])[0]
    assert set(ann.pets[0].__data__) == {"name", "id", "owner", "vet"} and ann.pets[0].vet.name == "Dr. Who"


def test_options_are_those_of_the_last_hop(clinic: Clinic) -> None:
    """G1: and a hop on the way keeps what it was given by itself, in either order."""
    users = clinic.User.select().order_by(clinic.User.id)
    for query in (
        users.populate("pets", where={"age": {">": 3}}).populate("pets.visits", order="-day"),
        users.populate("pets.visits", order="-day").populate("pets", where={"age": {">": 3}}),
    ):
        with assert_queries(3):
            ann = next(iter(query))
        assert names(ann.pets) == ["Tom"] and [visit.day for visit in ann.pets[0].visits] == [3]


def test_a_second_call_for_the_same_path_replaces_the_first(clinic: Clinic) -> None:
    """G1: and the query that was gone on from stays as it was."""
    first = clinic.User.select().order_by(clinic.User.id).populate("pets", limit=1)
    second = first.populate("pets", order="-age")
    with assert_queries(2):
        assert lists_of(second) == [["Tom", "Rex"], ["Kitty"], []]
    assert lists_of(first) == [["Rex"], ["Kitty"], []]


def test_limit_zero_is_an_empty_list_without_a_query(clinic: Clinic) -> None:
    """G5: limit=0 an empty list without a query."""
    with assert_queries(1):
        users = list(clinic.User.select().populate("pets", limit=0))
    with assert_queries(0):
        assert [list(user.pets) for user in users] == [[], [], []] and not users[0].pets.truncated


def test_count_brings_only_the_number(clinic: Clinic) -> None:
    """G1: populate("pets", count=True) brings only user.pets_count."""
    users = clinic.User.select().order_by(clinic.User.id)
    with assert_queries(cost(clinic.User, "pets", "teams")):
        found = list(users.populate("pets", count=True).populate("teams", count=True, through_where={"role": "member"}))
    assert [user.pets_count for user in found] == [2, 1, 0] and [user.teams_count for user in found] == [1, 1, 0]
    with assert_queries(1):
        assert names(found[0].pets) == ["Rex", "Tom"]
    with assert_queries(2):
        assert [user.pets_count for user in users.populate("pets", count=True, where={"age": {">": 4}})] == [1, 1, 0]
    with assert_queries(3):
        assert [company.users[0].pets_count for company in clinic.Company.select().populate("users.pets", count=True)] == [2]
    assert users.populate("pets", count=True)[0].to_dict()["pets_count"] == 2


# The default limit


@pytest.fixture
def crowd(clinic: Clinic) -> Clinic:
    """Bob has 31 pets, Cid 30, Ann 2."""
    clinic.Pet.insert_many([{"name": f"b{n}", "owner": 2} for n in range(30)]).execute()
    clinic.Pet.insert_many([{"name": f"c{n}", "owner": 3} for n in range(30)]).execute()
    return clinic


def test_the_default_limit_says_what_it_cut(crowd: Clinic) -> None:
    """G5: a list cut by the default limit is truncated, and one warning for the query names the path and what to write."""
    with assert_queries(2), pytest.warns(PopulateTruncatedWarning) as caught:
        ann, bob, cid = crowd.User.select().order_by(crowd.User.id).populate("pets")
    assert [len(user.pets) for user in (ann, bob, cid)] == [2, 30, 30]
    assert [user.pets.truncated for user in (ann, bob, cid)] == [False, True, False]
    (warning,) = caught
    assert str(warning.message) == (
        'User.select().populate("pets"): lists of pets are cut at the default limit of 30 records for each owner. '
        'Write populate("pets", limit=None) for all of them, or the limit that is wanted.'
    )
    assert warning.filename == __file__
    assert bob.pets[-1].name == "b28" and crowd.Pet.get(name="b29") in bob.pets and crowd.Pet.get(name="c1") not in bob.pets
    assert len(bob.get_pets()) == bob.count_pets() == 31


def test_each_hop_has_its_own_limit_and_one_warning_tells_all(crowd: Clinic) -> None:
    """G5: one warning per query."""
    with pytest.warns(PopulateTruncatedWarning) as caught:
        (acme,) = crowd.Company.select().populate("users.pets")
    assert [len(user.pets) for user in acme.users] == [2, 30] and len(caught) == 1
    assert 'populate("users.pets", limit=None)' in str(caught[0].message)


@pytest.mark.parametrize(("options", "lengths"), [({"limit": None}, [2, 31, 30]), ({"limit": 35}, [2, 31, 30]), ({"limit": 5}, [2, 5, 5])])
def test_a_limit_that_was_asked_for_is_no_truncation(crowd: Clinic, options: dict[str, Any], lengths: list[int]) -> None:
    """G5: only the default limit truncates."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        users = list(crowd.User.select().order_by(crowd.User.id).populate("pets", **options))
    assert [len(user.pets) for user in users] == lengths and not any(user.pets.truncated for user in users)


def test_where_the_default_limit_comes_from(crowd: Clinic, monkeypatch: pytest.MonkeyPatch) -> None:
    """G5: the populated model's Meta.populate_limit before settings.populate_limit."""
    users = crowd.User.select().order_by(crowd.User.id)
    monkeypatch.setattr(settings, "populate_limit", None)
    assert [len(user.pets) for user in users.populate("pets")] == [2, 31, 30]
    monkeypatch.setattr(settings, "populate_limit", 1)
    with pytest.warns(PopulateTruncatedWarning, match="limit of 1 records"):
        assert [len(user.pets) for user in users.populate("pets")] == [1, 1, 1]
    monkeypatch.setattr(crowd.Pet._meta, "populate_limit", 31, raising=False)
    assert [len(user.pets) for user in users.populate("pets")] == [2, 31, 30]
    monkeypatch.setattr(crowd.Pet._meta, "populate_limit", "many")
    with pytest.raises(TypeError) as error:
        users.populate("pets")
    assert str(error.value) == (
        "Pet.Meta.populate_limit = 'many': this is no number of records. Give a whole number from 0, or None for all."
    )


def test_meta_says_the_limit(Base: Any) -> None:
    """G5: Meta.populate_limit is a class's own or its base's."""

    class Owner(Base):
        pass

    class Thing(Base):
        class Meta:
            populate_limit = 2

    Owner.has_many(Thing)
    sync(Base)
    owner = Owner.create()
    owner.create_things([{}, {}, {}])
    with pytest.warns(PopulateTruncatedWarning, match="limit of 2 records"):
        assert len(Owner.select().populate("things")[0].things) == 2


def test_the_default_limit_is_only_populates(crowd: Clinic) -> None:
    """G5: it never applies to get_x, to lazy loading, or to anything that writes."""
    bob = crowd.User.get_by_id(2)
    assert len(bob.get_pets()) == 31 and len(bob.pets) == 31
    assert len(bob.set_pets(bob.get_pets())) == 31
    with activeassoc.lazy_policy("batch"):
        assert [len(user.pets) for user in crowd.User.select().order_by(crowd.User.id)] == [2, 31, 30]


# Any select


@pytest.mark.needs("joins")
def test_any_select_can_be_populated(clinic: Clinic) -> None:
    """G1: aliased, joined, filtered, ordered, limited, distinct, compound."""
    User, Pet, Company = clinic.User, clinic.Pet, clinic.Company
    Alias = User.alias()
    queries = {
        "aliased": Alias.select().where(Alias.name == "Ann"),
        "joined": User.select(User, Company).join(Company).where(User.name == "Ann"),
        "filtered": User.select().where(User.name == "Ann"),
        "limited": User.select().order_by(User.name).limit(1),
        "distinct": User.select().join(Pet, on=(Pet.owner == User.id)).where(User.name == "Ann").distinct(),
        "grouped": User.select(User, fn.COUNT(Pet.id).alias("n")).join(Pet, on=(Pet.owner == User.id)).where(User.id == 1).group_by(User),
        "flat objects": User.select().where(User.name == "Ann").objects(),
        "compound": User.select().where(User.name == "Ann") | User.select().where(User.name == "Ann"),
    }
    for what, query in queries.items():
        with assert_queries(3):
            (ann,) = query.populate("pets.vet")
        with assert_queries(0):
            assert names(ann.pets) == ["Rex", "Tom"], what
    before = User.select().where(User.name == "Ann").populate("pets")
    with assert_queries(2):
        (ann,) = before | User.select().where(User.name == "Ann")
    assert names(ann.pets) == ["Rex", "Tom"]


@pytest.mark.needs("expressions")
def test_limit_with_an_order_that_is_not_stable_populates_the_rows_read(clinic: Clinic) -> None:
    """Trap 19: peewee's Load runs the parents' query again, and children go to other parents."""
    shuffled = clinic.User.select().order_by(clinic.User._meta.database.random()).limit(2)
    for user in list(shuffled.populate("pets")):
        with assert_queries(0):
            held = list(user.pets)
        assert held == user.get_pets()


def test_the_ways_to_run_a_query(clinic: Clinic) -> None:
    """G1: first, get, indexing, slices; count, exists and scalar load nothing."""
    query = clinic.User.select().order_by(clinic.User.id).populate("pets")
    with assert_queries(2):
        assert names(query.first().pets) == ["Rex", "Tom"]
    query = clinic.User.select().order_by(clinic.User.id).populate("pets")
    with assert_queries(2):
        assert names(query.get().pets) == ["Rex", "Tom"]
    with assert_queries(2):
        assert names(query[1].pets) == ["Kitty"] and [user.name for user in query[:2]] == ["Ann", "Bob"] and len(query) == 3
    with assert_queries(2):
        assert names(query.where(clinic.User.name == "Bob").get_or_none().pets) == ["Kitty"]
    with assert_queries(3):
        assert query.count() == 3 and query.exists() and query.select(fn.COUNT(clinic.User.id)).order_by().scalar() == 3


def test_rows_that_are_no_records_are_refused(clinic: Clinic) -> None:
    """G1: .dicts() and .tuples() refuse it with a reason, whichever comes first; iterator() too."""
    query = clinic.User.select()
    text = (
        'User.select().populate("pets"): the query gives plain rows, which have no place for what is populated. Leave out dicts(), '
        "tuples(), namedtuples() and objects(); record.to_dict() makes a dict of a populated record."
    )
    for rows in ("dicts", "tuples", "namedtuples"):
        for call in (lambda rows=rows: getattr(query, rows)().populate("pets"), lambda rows=rows: getattr(query.populate("pets"), rows)()):
            with pytest.raises(TypeError) as error:
                call()
            assert str(error.value) == text
    with pytest.raises(TypeError) as error:
        query.populate("pets").objects(dict)
    assert str(error.value) == text
    with pytest.raises(TypeError) as error:
        list(query.populate("pets").iterator())
    assert str(error.value) == (
        'User.select().populate("pets"): iterator() gives one row after the other, and populate needs the keys of all. '
        "Iterate over the query itself, or populate(records, …) portions of it."
    )
    assert len(list(query.dicts())) == len(list(query.tuples())) == len(list(query.iterator())) == 3


def test_a_query_without_the_key_is_refused(clinic: Clinic) -> None:
    """G3: an empty list for records that were read without their key would be a lie."""
    with pytest.raises(AssociationError) as error:
        list(clinic.User.select(clinic.User.id, clinic.User.name).populate("company"))
    assert str(error.value) == (
        'User.select().populate("company"): the records were read without User.company, by which User.company is found. '
        "Read it too, as in User.select(…, User.company)."
    )
    assert clinic.User.select(clinic.User.id).where(clinic.User.id == 1).populate("pets")[0].pets[0].name == "Rex"


def test_a_query_that_failed_to_populate_does_not_give_half(clinic: Clinic) -> None:
    """A second run tries again, and does not give records without what was asked for."""
    query = clinic.User.select(clinic.User.id).populate("company")
    for _ in range(2):
        with pytest.raises(AssociationError):
            list(query)


# Records in hand, getters


def test_records_in_hand(clinic: Clinic) -> None:
    """G1: populate(records, "pets.vet") works on instances in hand, one or many, and returns them."""
    users = list(clinic.User.select().order_by(clinic.User.id))
    with assert_queries(2):
        assert populate(users, "pets.vet") == users
    with assert_queries(0):
        assert users[0].pets[0].vet.name == "Dr. Who"
    ann = clinic.User.get_by_id(1)
    with assert_queries(1):
        assert populate(ann, "pets", order="-age") is ann and names(ann.pets) == ["Tom", "Rex"]
    with assert_queries(0):
        assert populate([], "pets") == [] and populate(clinic.User(name="new"), "pets", "company").pets == []
    with assert_queries(2):
        assert names(populate(clinic.User.select().where(clinic.User.id == 2), "pets")[0].pets) == ["Kitty"]
    with assert_queries(1):
        first, second = populate([ann, ann], "pets")
    assert first is second is ann and names(ann.pets) == ["Rex", "Tom"]


def test_populating_again_reads_again(clinic: Clinic) -> None:
    """G1: what it loads replaces what the records held."""
    ann = populate(clinic.User.get_by_id(1), "pets")
    clinic.Pet.delete().where(clinic.Pet.name == "Rex", clinic.Pet.id.not_in(clinic.Visit.select(clinic.Visit.pet))).execute()
    clinic.Pet.create(name="New", owner=1)
    assert names(ann.pets) == ["Rex", "Tom"]
    with assert_queries(1):
        populate(ann, "pets")
    assert names(ann.pets) == ["Rex", "Tom", "New"]


def test_records_of_two_models_are_refused(clinic: Clinic) -> None:
    """G1"""
    with pytest.raises(TypeError) as error:
        populate([clinic.User.get_by_id(1), clinic.Pet.get_by_id(1)], "pets")
    assert str(error.value) == "populate(records): the records are Pet, User. Give records of one model."
    with pytest.raises(TypeError) as error:
        populate(["Ann"], "pets")
    assert str(error.value) == "populate(records): the records are str. Give records of one model."


@pytest.mark.parametrize(
    ("given", "statements"),
    [("vet", 2), (["vet", "visits"], 3), ({"vet": {"attributes": ["name"]}, "visits": {"order": "-day", "limit": 1}}, 3)],
)
def test_getters_populate_too(clinic: Clinic, given: Any, statements: int) -> None:
    """C11, G1: populate= on getters: a path, a list, or a mapping of paths to options."""
    ann = clinic.User.get_by_id(1)
    with assert_queries(statements):
        rex, _ = ann.get_pets(populate=given)
    with assert_queries(0):
        assert rex.vet.name == "Dr. Who"
    if isinstance(given, dict):
        assert [visit.day for visit in rex.visits] == [2] and set(rex.vet.__data__) == {"id", "name"}
    with assert_queries(2):
        assert ann.get_company(populate="users").users[1].name == "Bob"
    with assert_queries(2):
        assert ann.get_profile(populate="user").user == ann
    with assert_queries(2):
        assert ann.get_pets(attributes=["name"], populate="vet")[0].vet.name == "Dr. Who"
    with assert_queries(0), pytest.raises(ValueError, match="Did you mean 'vet'"):
        ann.get_pets(populate="vett")


# Keys


def test_keys_of_every_type(Base: Any) -> None:
    """A15, D8: UUIDs, strings, decimals, unique plain columns."""
    keys: dict[str, tuple[Any, list[Any]]] = {
        "Uuid": (UUIDField(primary_key=True), [uuid.uuid4() for _ in range(3)]),
        "Text": (CharField(primary_key=True), ["ann", "b'\"\\%", "é"]),
        "Number": (DecimalField(primary_key=True, max_digits=10, decimal_places=2), [1, 2, 3]),
    }
    for name, (key, values) in keys.items():
        Owner = type(Base)(f"{name}Owner", (Base,), {"key": key, "__module__": __name__})
        Child = type(Base)(f"{name}Child", (Base,), {"title": CharField(), "__module__": __name__})
        Tag = type(Base)(f"{name}Tag", (Base,), {"__module__": __name__})
        Owner.has_many(Child, as_="children", foreign_key="owner_key")
        Child.belongs_to(Owner, as_="owner", foreign_key="owner_key")
        Owner.has_many(Tag, as_="tags", through=f"{name.lower()}_links")
        sync(Owner, Child, Tag, Owner.tags.through)
        owners = [Owner.create(key=value) for value in values]
        tag = Tag.create()
        for position, owner in enumerate(owners):
            owner.create_children([{"title": str(n)} for n in range(position)])
            owner.add_tag(tag)
        with assert_queries(cost(Owner, "children.owner", "tags")):
            found = {owner.key: owner for owner in Owner.select().populate("children.owner", "tags")}
        assert [len(found[owner.key].children) for owner in owners] == [0, 1, 2]
        assert all(owner.tags == [tag] for owner in found.values())
        with assert_queries(2):
            assert all(child.owner is not None for child in Child.select().populate("owner"))


def test_keys_in_memory_are_compared_as_the_targets_type(clinic: Clinic) -> None:
    """H4: 7 and "7" never give a silently empty list."""
    pet = clinic.Pet(name="new", owner="1")
    other = clinic.Pet(name="other", owner=1)
    with assert_queries(1):
        populate([pet, other], "owner")
    assert pet.owner.name == "Ann" and other.owner is pet.owner
    for nonsense in ("Ann", 10**30, 1.5):
        with assert_queries(0):
            assert populate(clinic.Pet(name="x", owner=nonsense), "owner").owner is None


def test_texts_that_the_database_calls_one(Base: Any, db: Any) -> None:
    """C1: string keys count as the same when the database says so, and never otherwise."""

    class Country(Base):
        code = CharField(primary_key=True, max_length=10)

    class City(Base):
        name = CharField()

    City.belongs_to(Country, constraints=False)
    Country.has_many(City)
    sync(Base)
    Country.create(code="Fr")
    Country.create(code="It")
    for code in ("fr", "Fr", "FR", "de", "IT"):
        City.create(name=code, country=code)
    cities = list(City.select().order_by(City.id).populate("country"))
    one_by_one = [city.get_country() for city in City.select().order_by(City.id)]
    assert [city.country for city in cities] == one_by_one
    for country in Country.select().populate("cities"):
        assert list(country.cities) == country.get_cities()


def test_a_symmetric_association(Base: Any) -> None:
    """D7, D5: one link for a pair, seen from both."""

    class Person(Base):
        name = CharField()

    Person.belongs_to_many(Person, as_="friends", through="friendships", symmetric=True)
    sync(Person, Person.friends.through)
    ann, bob, cid = (Person.create(name=name) for name in ("Ann", "Bob", "Cid"))
    ann.add_friends([bob, cid])
    for options in ({}, {"limit": None}, {"limit": 1}):
        with assert_queries(cost(Person, "friends")):
            found = [names(person.friends) for person in Person.select().order_by(Person.id).populate("friends", **options)]
        assert found == [["Bob", "Cid"][: options.get("limit")], ["Ann"], ["Ann"]]
    with assert_queries(2 + (not store_of(Person._meta.database).joins)):
        assert [person.friends_count for person in Person.select().order_by(Person.id).populate("friends", count=True)] == [2, 1, 1]


def test_a_tree(Base: Any) -> None:
    """A8: self references, as deep as wanted."""

    class Category(Base):
        name = CharField()

    Category.belongs_to("self", as_="parent")
    Category.has_many("self", as_="children")
    sync(Base)
    root = Category.create(name="root")
    trunk = root.create_child(name="trunk")
    trunk.create_children([{"name": "left"}, {"name": "right"}])
    with assert_queries(4):
        (found,) = Category.select().where(Category.parent.is_null()).populate("children.children.parent")
    with assert_queries(0):
        assert names(found.children[0].children) == ["left", "right"] and found.children[0].children[0].parent.name == "trunk"


def test_a_foreign_key_without_an_association(Base: Any) -> None:
    """A13: a hand-written ForeignKeyField can be populated by name."""

    class Author(Base):
        name = CharField()

    class Book(Base):
        writer = ForeignKeyField(Author, null=True, column_name="author")

    sync(Base)
    Book.create(writer=Author.create(name="Ann"))
    Book.create()
    with assert_queries(2):
        first, second = Book.select().order_by(Book.id).populate("writer")
    with assert_queries(0):
        assert first.writer.name == "Ann" and second.writer is None
    with assert_queries(2):
        assert Book.select().order_by(Book.id).populate("author")[0].writer.name == "Ann"  # the column's name means it too (B4)


def test_repeated_links(Base: Any) -> None:
    """D1: with unique=False a target is listed once per link."""

    class Cart(Base):
        pass

    class Product(Base):
        name = CharField()

    class Line(Base):
        amount = IntegerField()

    Cart.has_many(Product, through=Line, unique=False)
    sync(Base)
    cart, product = Cart.create(), Product.create(name="tea")
    cart.add_product(product, {"amount": 1})
    cart.add_product(product, {"amount": 2})
    with assert_queries(cost(Cart, "products")):
        (found,) = Cart.select().populate("products")
    assert sorted(each.line.amount for each in found.products) == [1, 2] and found.products[0] is not found.products[1]


def test_a_join_table_of_its_own_making(Base: Any) -> None:
    """A7, B5: the join row stands under the through model's name."""

    class User(Base):
        name = CharField()

    class Project(Base):
        done = BooleanField(default=False)

    Project.has_many(User)
    User.has_many(Project)
    sync(Base)
    Project.create().add_user(User.create(name="Ann"))
    with assert_queries(3 if store_of(Project._meta.database).joins else 5):
        (project,) = Project.select().populate("users.projects")
    assert project.users[0].projects_users.user_id == 1 and project.users[0].projects == [project]


# What is refused


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("call", "kind", "text"),
    [
        (
            lambda c: c.User.select().populate("petz"),
            ValueError,
            "User.select().populate(\"petz\"): User has no association 'petz'. Did you mean 'pets'.",
        ),
        (
            lambda c: c.User.select().populate("pets.vets"),
            ValueError,
            "User.select().populate(\"pets.vets\"): Pet has no association 'vets'. Did you mean 'vet' or 'visits'.",
        ),
        (
            lambda c: c.User.select().populate("name"),
            ValueError,
            "User.select().populate(\"name\"): User has no association 'name'. Known are company, pets, profile, teams.",
        ),
        (
            lambda c: c.User.select().populate("pets..vet"),
            TypeError,
            "User.select().populate(\"pets..vet\"): 'pets..vet' is no path. Write the names of associations, as in \"pets.vet\".",
        ),
        (
            lambda c: c.User.select().populate(7),
            TypeError,
            'User.select().populate("7"): 7 is no path. Write the names of associations, as in "pets.vet".',
        ),
        (
            lambda c: c.User.select().populate(),
            TypeError,
            'User.select().populate(): no path was given. Name the associations, as in populate("pets").',
        ),
        (
            lambda c: c.User.select().populate("company", where={"name": "x"}),
            TypeError,
            'User.select().populate("company"): User.company is one record, which takes attributes= and not where. '
            "Leave where out, or filter the query itself.",
        ),
        (
            lambda c: c.User.select().populate("profile", limit=None, order="text"),
            TypeError,
            'User.select().populate("profile"): User.profile is one record, which takes attributes= and not order, limit. '
            "Leave order, limit out, or filter the query itself.",
        ),
        (
            lambda c: c.User.select().populate("company", count=True),
            TypeError,
            'User.select().populate("company"): User.company is one record, which takes attributes= and not count. '
            "Leave count out, or filter the query itself.",
        ),
        (
            lambda c: c.User.select().populate("pets", count=True, limit=3),
            TypeError,
            'User.select().populate("pets"): count=True brings a number, which takes no limit. Leave limit out.',
        ),
        (
            lambda c: c.User.select().populate("pets", count=True).populate("pets.vet"),
            TypeError,
            'User.select().populate("pets.vet"): User.pets is counted and not read, so that nothing goes on from its records. '
            "Leave count=True out.",
        ),
        (
            lambda c: c.User.select().populate("pets.vet").populate("pets", count=True),
            TypeError,
            'User.select().populate("pets"): User.pets is counted and not read, so that nothing goes on from its records. '
            "Leave count=True out.",
        ),
        (
            lambda c: c.User.select().populate("pets", limit=-1),
            TypeError,
            'User.select().populate("pets"): limit=-1 is no number of records. Give a whole number from 0.',
        ),
        (
            lambda c: c.User.select().populate("pets", where="age > 3"),
            TypeError,
            "User.select().populate(\"pets\"): where='age > 3' is a text, and a text could hold anything. "
            'Write Pet.age > 3, or SQL("age > 3") where it has to be SQL.',
        ),
        (
            lambda c: c.User.select().populate("pets", attributes=["nme"]),
            ValueError,
            "User.select().populate(\"pets\"): Pet has no field 'nme' for attributes. Did you mean 'name'.",
        ),
        (
            lambda c: c.User.select().populate("pets", join_attributes=["role"]),
            TypeError,
            'User.select().populate("pets"): there is no through model for join_attributes. Write attributes=.',
        ),
        (
            lambda c: c.User.select().populate("pets", through_where={"role": "x"}),
            TypeError,
            'User.select().populate("pets"): there is no through model for through_where. Write where=.',
        ),
        (
            lambda c: c.User.get_by_id(1).get_pets(populate={"visits": {"limt": 3}}),
            ValueError,
            "User.get_pets() with populate={'visits': {'limt': 3}}: populate has no option 'limt'. Did you mean 'limit'.",
        ),
    ],
)
def test_what_cannot_be_is_told_before_a_query_runs(clinic: Clinic, call: Any, kind: type[Exception], text: str) -> None:
    """G1, G3, G7: unknown paths raise with the nearest names; options other than attributes on a to-one raise."""
    with pytest.raises(AssociationError) as error:
        call(clinic)
    assert isinstance(error.value, kind) and str(error.value) == text


def test_a_number_does_not_hide_an_attribute(Base: Any) -> None:
    """G1: count=True would overwrite a column of that name."""

    class User(Base):
        pets_count = IntegerField(default=0)

    class Pet(Base):
        pass

    User.has_many(Pet)
    sync(Base)
    with pytest.raises(AssociationError) as error:
        User.select().populate("pets", count=True)
    assert str(error.value) == (
        "User.select().populate(\"pets\"): the number would stand under 'pets_count', which is an attribute of User. "
        "Count with user.count_pets()."
    )


# In memory


def test_populated_values_survive_save(clinic: Clinic) -> None:
    """G10"""
    ann = clinic.User.select().order_by(clinic.User.id).populate("pets", "teams", "company", "profile")[0]
    ann.name = "Anna"
    with assert_queries(1):
        ann.save()
    with assert_queries(0):
        assert len(ann.pets) == 2 and len(ann.teams) == 2 and ann.company.name == "Acme" and ann.profile.text == "about Ann"


def test_writes_keep_a_whole_list_true_and_forget_a_part(clinic: Clinic) -> None:
    """C12: a collection that was cut or filtered is forgotten by a write."""
    User, Pet = clinic.User, clinic.Pet
    ann = User.select().populate("pets")[0]
    ann.create_pet(name="New")
    with assert_queries(0):
        assert names(ann.pets) == ["Rex", "Tom", "New"]
    for options in ({"where": {"age": 9}}, {"limit": 1}, {"offset": 1}, {"order": "-age"}):
        ann = User.select().populate("pets", **options)[0]
        ann.create_pet(name="x").delete_instance()
        with assert_queries(1):
            assert names(ann.pets) == ["Rex", "Tom", "New"]
        ann = User.select().populate("pets", **options)[0]
        ann.remove_pet(Pet.get(name="Kitty"))
        with assert_queries(1):
            assert names(ann.pets) == ["Rex", "Tom", "New"]


def test_reload_forgets_what_was_populated(clinic: Clinic) -> None:
    """C18"""
    ann = populate(clinic.User.get_by_id(1), "pets", "company")
    with assert_queries(3):
        ann.reload()
        assert ann.company.name == "Acme" and len(ann.pets) == 2


def test_populated_records_can_be_copied_and_pickled(clinic: Clinic, monkeypatch: pytest.MonkeyPatch) -> None:
    """G10: with what they hold; nothing of the query travels along."""
    ann = clinic.User.select().populate("teams", "company")[0]
    assert copy.copy(ann).company is ann.company
    import sys

    for model in clinic:
        monkeypatch.setattr(sys.modules[__name__], model.__name__, model, raising=False)
    again = pickle.loads(pickle.dumps(ann))
    with assert_queries(0):
        assert again == ann and again.company.name == "Acme" and [team.membership.role for team in again.teams] == ["captain", "member"]


def test_populate_within_a_transaction_and_on_a_database_given(clinic: Clinic, db: Any) -> None:
    """G2"""
    with db.atomic():
        clinic.Pet.create(name="Late", owner=3)
        (cid,) = clinic.User.select().where(clinic.User.id == 3).populate("pets")
    assert names(cid.pets) == ["Late"]


# Size


@pytest.mark.needs("sql")
def test_a_hundred_thousand_owners(Base: Any, db: Any) -> None:
    """H5, G2: 100,000 owners populate."""

    class Owner(Base):
        pass

    class Thing(Base):
        number = IntegerField()

    Owner.has_many(Thing)
    sync(Base)
    many = 100_000
    with db.atomic():
        for start in range(1, many + 1, 20_000):
            Owner.insert_many([{"id": n} for n in range(start, start + 20_000)]).execute()
        Thing.insert_many([{"number": n, "owner": n} for n in (1, 2, 2, 50_000, many)]).execute()
    owners = list(Owner.select().populate("things", limit=None))
    assert len(owners) == many
    assert {owner.id: [thing.number for thing in owner.things] for owner in owners if owner.things} == {
        1: [1],
        2: [2, 2],
        50_000: [50_000],
        many: [many],
    }
