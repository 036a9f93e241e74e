"""populate against the getters: over random data, paths and options both give the same, and populate at a known cost."""

from __future__ import annotations

import warnings
from typing import Any

import peewee
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from peewee import CharField, IntegerField

from activeassoc import PopulateTruncatedWarning, settings, sync
from activeassoc.stores.capabilities import store_of
from activeassoc.testing import assert_queries

pytestmark = pytest.mark.every_store

KEYS = st.one_of(st.none(), st.integers(1, 5))
#: The associations of each model: name, whether to-many, target.
ASSOCIATIONS = {
    "Owner": [
        ("pets", True, "Pet"),  # twice, as most can go wrong here
        ("boss", False, "Owner"),
        ("staff", True, "Owner"),
        ("house", False, "House"),
        ("pets", True, "Pet"),
        ("clubs", True, "Club"),
    ],
    "Pet": [("owner", False, "Owner"), ("collar", False, "Collar")],
    "House": [("owner", False, "Owner")],
    "Collar": [("pet", False, "Pet")],
    "Club": [("members", True, "Owner")],
}
SMALL = st.integers(0, 4)


@st.composite
def paths(draw: Any) -> list[tuple[str, ...]]:
    """Up to three paths from Owner, up to three hops deep."""
    found = []
    for _ in range(draw(st.integers(1, 3))):
        model, words = "Owner", []
        for _ in range(draw(st.integers(1, 3))):
            name, _, model = draw(st.sampled_from(ASSOCIATIONS[model]))
            words.append(name)
        found.append(tuple(words))
    return found


OPTIONS = st.fixed_dictionaries(
    {},
    optional={
        "where": st.sampled_from([{"number": {">": 2}}, {"number": None}, {"number": [1, 2, 3]}, {}]),
        "order": st.sampled_from(["number", "-number", ["number", "-id"]]),
        "limit": st.one_of(st.none(), SMALL),
        "offset": st.integers(0, 3),
        "attributes": st.sampled_from([["number"], []]),
    },
)
DATA = st.fixed_dictionaries(
    {
        "owners": st.lists(st.tuples(st.integers(0, 4), KEYS), min_size=1, max_size=5),
        # Enough of them for one owner that limits and orders tell.
        "pets": st.lists(
            st.tuples(st.one_of(st.none(), st.integers(0, 9)), st.sampled_from([1, 1, 1, 2, 2, 9, None])), min_size=8, max_size=14
        ),
        "houses": st.lists(KEYS, max_size=4),
        "collars": st.lists(KEYS, max_size=4),
        "links": st.sets(st.tuples(st.integers(1, 5), st.integers(1, 3)), max_size=12),
    }
)


@pytest.fixture
def models(Base: Any) -> dict[str, Any]:
    """Owners with a boss and staff, a house, pets and clubs; nothing is constrained, so that keys may dangle."""

    def model(called: str, /, **fields: Any) -> Any:
        return type(Base)(called, (Base,), {**fields, "number": IntegerField(null=True), "__module__": __name__, "__qualname__": called})

    Owner, Pet, House, Collar, Club = (model(name) for name in ("Owner", "Pet", "House", "Collar", "Club"))
    Membership = model("Membership", role=CharField(default="member"))
    loose = {"constraints": False}
    Owner.belongs_to("self", as_="boss", **loose)
    Owner.has_many("self", as_="staff", foreign_key="boss_id", through=None)
    Owner.has_one(House, **loose)
    Owner.has_many(Pet, **loose)
    Owner.has_many(Club, through=Membership, **loose)
    Club.has_many(Owner, as_="members", through=Membership, **loose)
    Pet.belongs_to(Owner)
    Pet.has_one(Collar, **loose)
    House.belongs_to(Owner)
    Collar.belongs_to(Pet)
    sync(Base)
    return {model.__name__: model for model in (Owner, Pet, House, Collar, Club, Membership)}


def fill(models: dict[str, Any], data: Any) -> None:
    Owner, Pet, House, Collar, Club, Membership = models.values()
    for model in models.values():
        model.delete().execute()

    def insert(model: Any, rows: list[dict[str, Any]]) -> None:
        if rows:
            model.insert_many(rows).execute()

    insert(Owner, [{"id": n, "number": number, "boss": boss} for n, (number, boss) in enumerate(data["owners"], 1)])
    insert(Pet, [{"id": n, "number": number, "owner": owner} for n, (number, owner) in enumerate(data["pets"], 1)])
    insert(House, [{"id": n, "number": n, "owner": owner} for n, owner in enumerate(data["houses"], 1)])
    insert(Collar, [{"id": n, "number": n, "pet": pet} for n, pet in enumerate(data["collars"], 1)])
    insert(Club, [{"id": n, "number": n} for n in (1, 2, 3)])
    insert(Membership, [{"owner": owner, "club": club, "role": f"{owner}-{club}"} for owner, club in sorted(data["links"])])


def shown(record: Any) -> Any:
    """A record as what it holds of its own row and of the link, to be compared."""
    row = getattr(record, "membership", None)
    return (type(record).__name__, dict(record.__data__), None if row is None else dict(row.__data__))


def allowed(model: str, name: str, options: dict[str, Any]) -> dict[str, Any]:
    """The options that this association takes."""
    to_many = next(many for each, many, _ in ASSOCIATIONS[model] if each == name)
    return options if to_many else {key: value for key, value in options.items() if key == "attributes"}


def compare(model: str, records: list[Any], tree: dict[str, Any], default: int) -> int:
    """Each record's populated values against the getters, which ask one by one; the number of truncated lists."""
    cut = 0
    for name, (options, below) in tree.items():
        to_many, target = next((many, to) for each, many, to in ASSOCIATIONS[model] if each == name)
        reached: list[Any] = []
        for record in records:
            with assert_queries(0):
                held = getattr(record, name)
                held = list(held) if to_many else held
            asked = dict(options)
            more = 0
            if to_many:
                if "limit" not in asked:
                    asked["limit"] = default
                    more = len(getattr(record, f"get_{name}")(**{**asked, "limit": None}))
                    longer = more > default
                    assert getattr(record, name).truncated is longer
                    cut += longer
                elif asked["limit"] is None or not asked["limit"]:
                    assert not getattr(record, name).truncated
            got = getattr(record, f"get_{name}")(**asked)
            if to_many:
                assert [each.__data__["id"] for each in held] == [each.__data__["id"] for each in got]
                assert [shown(each)[2] for each in held] == [shown(each)[2] for each in got]
                assert all(shown(mine)[1].items() >= shown(other)[1].items() for mine, other in zip(held, got, strict=True))
                reached.extend(held)
            else:
                assert (held is None) == (got is None)
                assert held is None or shown(held)[1].items() >= shown(got)[1].items()
                reached.extend([] if held is None else [held])
        cut += compare(target, reached, below, default)
    return cut


def grown(tree: dict[str, Any], path: tuple[str, ...], options: dict[str, Any]) -> None:
    former, below = tree.get(path[0], ({}, {}))
    if len(path) == 1:
        tree[path[0]] = (options, below)
    else:
        tree[path[0]] = (former, below)
        grown(below, path[1:], options)


def hops(tree: dict[str, Any], over_links: int) -> int:
    """The statements of the associations: one each, or `over_links` for one that goes over links."""
    return sum((over_links if name in ("clubs", "members") else 1) + hops(below, over_links) for name, (_, below) in tree.items())


@pytest.mark.filterwarnings("default::activeassoc.PopulateTruncatedWarning")
def test_populate_gives_what_the_getters_give(models: dict[str, Any]) -> None:
    """G1-G7: results equal those of one-by-one getters, at no more than one query for each association; two over links without joins."""
    examples = 40 if isinstance(models["Owner"]._meta.database, peewee.SqliteDatabase) else 15

    @hypothesis_settings(max_examples=examples, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(data=DATA, chosen=paths(), options=st.lists(OPTIONS, min_size=3, max_size=3), default=st.integers(1, 4))
    def same(data: Any, chosen: list[tuple[str, ...]], options: list[dict[str, Any]], default: int) -> None:
        compared(models, data, chosen, options, default)

    same()


def compared(models: dict[str, Any], data: Any, chosen: list[tuple[str, ...]], options: list[dict[str, Any]], default: int) -> None:
    """Both, for one set of rows, paths and options."""
    fill(models, data)
    Owner = models["Owner"]
    query, tree = Owner.select().order_by(Owner.id), {}
    former = settings.populate_limit
    settings.populate_limit = default
    try:
        for path, given_options in zip(chosen, options, strict=False):
            model = "Owner"
            for name in path[:-1]:
                model = next(to for each, _, to in ASSOCIATIONS[model] if each == name)
            taken = allowed(model, path[-1], given_options)
            query = query.populate(".".join(path), **taken)
            grown(tree, path, taken)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            statements: list[Any] = []
            db = Owner._meta.database
            db.query_hooks = [*db.query_hooks, statements.append]
            owners = list(query)
            db.query_hooks = [hook for hook in db.query_hooks if hook != statements.append]
        assert len(statements) <= 1 + hops(tree, 1 if store_of(db).joins else 2)
        cut = compare("Owner", owners, tree, default)
        assert [each.category for each in caught] == [PopulateTruncatedWarning] * bool(cut)
    finally:
        settings.populate_limit = former
