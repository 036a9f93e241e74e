"""What happens where nobody populated: the lazy policies, their warnings and errors, and the settings (G8)."""

from __future__ import annotations

import gc
import inspect
import pickle
import threading
import warnings
import weakref
from typing import Any, NamedTuple

import pytest
from peewee import CharField, IntegerField

from activeassoc import AssociationError, LazyLoadError, LazyLoadWarning, lazy_policy, settings, sync
from activeassoc.stores.capabilities import store_of
from activeassoc.testing import assert_queries, no_lazy_loading

pytestmark = pytest.mark.every_store


class Shop(NamedTuple):
    User: Any
    Profile: Any
    Pet: Any
    Vet: Any
    Team: Any


@pytest.fixture
def shop(Base: Any) -> Shop:
    """50 users with a profile, two pets and a team each; every pet has one of five vets."""

    def model(called: str, /, **fields: Any) -> Any:
        return type(Base)(called, (Base,), {**fields, "__module__": __name__, "__qualname__": called})

    User, Profile, Vet = model("User", name=CharField()), model("Profile"), model("Vet", name=CharField())
    Pet, Team = model("Pet", name=CharField(), age=IntegerField(default=1)), model("Team", name=CharField())
    User.has_one(Profile)
    User.has_many(Pet, foreign_key="owner_id")
    Pet.belongs_to(User, as_="owner")
    Pet.belongs_to(Vet)
    User.belongs_to_many(Team, through="memberships")
    sync(Base)
    sync(User.teams.through)
    User.insert_many([{"id": n, "name": f"u{n}"} for n in range(1, 51)]).execute()
    Profile.insert_many([{"user": n} for n in range(1, 51)]).execute()
    Vet.insert_many([{"id": n, "name": f"v{n}"} for n in range(1, 6)]).execute()
    Pet.insert_many([{"name": f"p{n}", "owner": n % 50 + 1, "vet": n % 5 + 1} for n in range(100)]).execute()
    Team.insert_many([{"id": 1, "name": "red"}]).execute()
    User.teams.through.insert_many([{"user": n, "team": 1} for n in range(1, 51)]).execute()
    return Shop(User, Profile, Pet, Vet, Team)


def users(shop: Shop) -> Any:
    return shop.User.select().order_by(shop.User.id)


# load


def test_load_is_the_default(shop: Shop) -> None:
    """G8: "load": one query for each record that is touched, and none the second time."""
    with assert_queries(51):
        assert sum(len(user.pets) for user in users(shop)) == 100
    found = list(users(shop).limit(2))
    with assert_queries(2):
        assert all(len(user.pets) == 2 for user in found for _ in range(3))


# batch


@pytest.mark.parametrize(
    ("statements", "touch"),
    [
        (2, lambda user: [pet.name for pet in user.pets]),
        (2, lambda user: user.profile.id),
        (3, lambda user: [team.name for team in user.teams]),  # links and targets, each by one, where there are no joins
    ],
    ids=["has_many", "has_one", "belongs_to_many"],
)
@pytest.mark.parametrize("first", [0, 2, 49])
def test_batch_turns_51_queries_into_2(shop: Shop, statements: int, touch: Any, first: int) -> None:
    """G8: also when the loop only touches the third record first."""
    one_by_one = [touch(user) for user in users(shop)]
    with lazy_policy("batch"), assert_queries(2 if store_of(shop.User._meta.database).joins else statements):
        batched = [touch(user) for position, user in enumerate(users(shop)) if position >= first]
    assert batched == one_by_one[first:]


@pytest.mark.parametrize("first", [0, 2, 99])
def test_batch_for_belongs_to(shop: Shop, first: int) -> None:
    """G8"""
    with lazy_policy("batch"), assert_queries(2):
        for position, pet in enumerate(shop.Pet.select().order_by(shop.Pet.id)):
            if position >= first:
                assert pet.vet.name == f"v{position % 5 + 1}"


def test_batch_goes_on_from_what_it_loaded(shop: Shop) -> None:
    """G8: records that were loaded together are loaded for together: 1 + 50 + 100 queries become 3."""
    with lazy_policy("batch"), assert_queries(3):
        for user in users(shop):
            for pet in user.pets:
                assert pet.vet.name and pet.owner is user


def test_batch_goes_on_from_populated_records_getters_and_joins(shop: Shop) -> None:
    """G8: all records of the same query, whatever query that was."""
    with lazy_policy("batch"):
        with assert_queries(3):
            assert all(pet.vet.name for user in users(shop).populate("pets") for pet in user.pets)
        user = shop.User.get_by_id(1)
        with assert_queries(2):
            assert [pet.vet.name for pet in user.get_pets()] == ["v1", "v1"]
        if not store_of(shop.Pet._meta.database).joins:
            return
        with assert_queries(2):
            joined = shop.Pet.select(shop.Pet, shop.Vet).join(shop.Vet)
            assert all(pet.vet.name and pet.owner.name for pet in joined)


def test_batch_does_not_load_again_what_is_loaded(shop: Shop) -> None:
    """G8: nor anything for records that are gone."""
    with lazy_policy("batch"):
        first, second, *_ = found = list(users(shop))
        held = first.get_pets()
        first.pets.hold(held[:1])
        with assert_queries(1):
            len(second.pets)
        assert list(first.pets) == held[:1]
        references = [weakref.ref(user) for user in found]
        del found, first, held, _
        gc.collect()
        assert sum(reference() is not None for reference in references) == 1
        with assert_queries(1):
            assert second.profile.id == 2


def test_batch_is_for_records_of_one_query(shop: Shop) -> None:
    """G8: a record by itself, and one of another query, load for themselves."""
    with lazy_policy("batch"):
        alone, other = shop.User.get_by_id(1), shop.User.get_by_id(2)
        with assert_queries(2):
            assert len(alone.pets) == len(other.pets) == 2


def test_batch_has_no_limit_and_no_warning(shop: Shop) -> None:
    """G5: the default limit never applies to lazy loading."""
    shop.Pet.insert_many([{"name": "x", "owner": 1} for _ in range(40)]).execute()
    with lazy_policy("batch"):
        first, *_ = users(shop)
        assert len(first.pets) == 42 and not first.pets.truncated


def test_records_of_a_batch_can_be_pickled(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """G8"""
    import sys

    monkeypatch.setattr(sys.modules[__name__], "User", shop.User, raising=False)
    with lazy_policy("batch"):
        first, *_ = users(shop)
        assert pickle.loads(pickle.dumps(first)).name == "u1"


# warn and raise


def here() -> int:
    frame = inspect.currentframe()
    assert frame is not None and frame.f_back is not None
    return frame.f_back.f_lineno


def test_warn_names_the_line_and_the_populate(shop: Shop) -> None:
    """G8: the warning names file and line of the access and the populate to add; the association is loaded."""
    user = shop.User.get_by_id(1)
    with lazy_policy("warn"), pytest.warns(LazyLoadWarning) as caught:
        line = here() + 1
        assert len(user.pets) == 2
    (warning,) = caught
    assert (warning.filename, warning.lineno) == (__file__, line)
    assert str(warning.message) == (
        f"User.pets at {__file__}:{line}: it is not loaded, so that every record costs a query of its own. "
        'Write User.select().populate("pets"), or populate(records, "pets") for records in hand.'
    )
    with lazy_policy("warn"), assert_queries(0):
        assert len(user.pets) == 2


@pytest.mark.parametrize(
    ("name", "touch"),
    [
        ("pets", lambda user: len(user.pets)),
        ("pets", lambda user: list(user.pets)),
        ("pets", lambda user: user.pets[0]),
        ("pets", lambda user: 1 in user.pets),
        ("pets", lambda user: user.pets == []),
        ("teams", lambda user: bool(user.teams)),
        ("profile", lambda user: user.profile),
    ],
)
def test_raise_refuses_before_a_query(shop: Shop, name: str, touch: Any) -> None:
    """G8: the error names the line and the populate to add."""
    user = shop.User.get_by_id(1)
    with lazy_policy("raise"), assert_queries(0), pytest.raises(LazyLoadError) as error:
        touch(user)
    assert error.value.name == name and error.value.record is user
    line = touch.__code__.co_firstlineno
    assert str(error.value) == (
        f'User.{name} at {__file__}:{line}: it is not loaded, and the policy "raise" allows no query here. '
        f'Write User.select().populate("{name}"), or populate(records, "{name}") for records in hand.'
    )
    with assert_queries(2 if name == "teams" and not store_of(shop.User._meta.database).joins else 1):
        touch(user)


def test_raise_for_belongs_to(shop: Shop) -> None:
    """G8: the key itself, a NULL key and a loaded record are no loading."""
    pet = shop.Pet.get_by_id(1)
    with lazy_policy("raise"):
        with assert_queries(0):
            assert pet.owner_id == 1 and shop.Pet(name="new").owner is None
        with pytest.raises(LazyLoadError, match=r'populate\("owner"\)'):
            pet.owner.name  # noqa: B018
        with assert_queries(1):
            pet.get_owner()
        (pet,) = shop.Pet.select().where(shop.Pet.id == 1).populate("owner", "vet")
        assert pet.owner.name == "u1" and pet.vet.name == "v1"


def test_what_needs_no_query_is_never_refused(shop: Shop) -> None:
    """G8, C2: owners that are not saved, populated records, the owner of a loaded record, and methods."""
    with lazy_policy("raise"):
        assert list(shop.User(name="new").pets) == [] and shop.User(name="new").profile is None
        (user,) = shop.User.select().where(shop.User.id == 1).populate("pets", "profile", "teams")
        with assert_queries(0):
            assert user.pets[0].owner is user and user.profile.user is user and len(user.teams) == 1
        with assert_queries(3):
            assert len(user.get_pets()) == user.count_pets() == 2 and user.has_pet(user.pets[0])


# Where a policy comes from


def test_a_block_stands_before_the_model_and_that_before_the_settings(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """G8: per model (Meta.lazy), per block, or globally; the innermost block holds, and ends with an error too."""

    def refuses(record: Any) -> bool:
        try:
            len(record.reload().pets)
        except LazyLoadError:
            return True
        return False

    user = shop.User.get_by_id(1)
    assert not refuses(user)
    monkeypatch.setattr(settings, "lazy", "raise")
    assert refuses(user)
    monkeypatch.setattr(shop.User._meta, "lazy", "load", raising=False)
    assert not refuses(user)
    with pytest.raises(ZeroDivisionError), lazy_policy("raise"):
        assert refuses(user)
        with lazy_policy("load"):
            assert not refuses(user)
        assert refuses(user)
        1 / 0  # noqa: B018
    assert not refuses(user)


def test_meta_lazy_is_inherited(Base: Any) -> None:
    """G8: Meta.lazy on a base is that of its models."""

    class Strict(Base):
        class Meta:
            lazy = "raise"

    class Owner(Strict):
        pass

    class Thing(Base):
        pass

    Owner.has_many(Thing)
    Thing.belongs_to(Owner)
    sync(Owner, Thing)
    owner = Owner.create()
    thing = owner.create_thing()
    with pytest.raises(LazyLoadError):
        list(owner.things)
    assert Thing.get_by_id(thing.id).owner == owner


def test_a_block_holds_for_its_own_thread(shop: Shop, db: Any) -> None:
    """G8"""
    found: list[int] = []

    def other() -> None:
        found.append(len(shop.User.get_by_id(1).pets))
        db.close()

    with lazy_policy("raise"):
        thread = threading.Thread(target=other)
        thread.start()
        thread.join(30)
    assert found == [2]


def test_no_lazy_loading_for_tests(shop: Shop) -> None:
    """G8: as a block and as a decorator."""
    user = shop.User.get_by_id(1)
    with no_lazy_loading(), pytest.raises(LazyLoadError):
        list(user.pets)

    @no_lazy_loading()
    def reads() -> None:
        list(user.pets)

    with pytest.raises(LazyLoadError):
        reads()
    assert len(user.pets) == 2


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (
            lambda: lazy_policy("lod"),
            "lazy_policy('lod'): there is no such policy. Known are 'load', 'batch', 'warn', 'raise'.",
        ),
        (
            lambda: setattr(settings, "lazy", "never"),
            "settings.lazy = 'never': there is no such policy. Known are 'load', 'batch', 'warn', 'raise'.",
        ),
        (
            lambda: setattr(settings, "populate_limit", -1),
            "settings.populate_limit = -1: this is no number of records. Give a whole number from 0, or None for all.",
        ),
        (
            lambda: setattr(settings, "populate_limt", 3),
            "settings.populate_limt = 3: there is no such setting. Did you mean 'populate_limit'.",
        ),
    ],
)
def test_what_is_no_policy_or_setting(call: Any, text: str) -> None:
    """G8, G5"""
    with pytest.raises(AssociationError) as error:
        call()
    assert str(error.value) == text


def test_a_models_policy_that_is_none(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """G8"""
    monkeypatch.setattr(shop.User._meta, "lazy", "no", raising=False)
    with pytest.raises(AssociationError) as error:
        list(users(shop))
    assert str(error.value) == "User.Meta.lazy = 'no': there is no such policy. Known are 'load', 'batch', 'warn', 'raise'."


def test_the_settings_as_they_are() -> None:
    """G5, G8"""
    assert repr(settings) == "<settings: populate_limit=30, lazy='load', embed_associations=False>"


def test_one_warning_for_each_line(shop: Shop) -> None:
    """G8: filters and "once for each line" go by the line of the access."""
    with lazy_policy("warn"), warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        for user in users(shop).limit(5):
            len(user.pets)
    assert len(caught) == 1
