"""Collections: list-like, with a queue that save() carries out as a whole; the collections of several owners by name; find and find_one."""

from __future__ import annotations

import copy
import gc
import warnings
from typing import Any

import peewee
import pytest
from peewee import CharField, CompositeKey, IntegerField, UUIDField

import activeassoc
from activeassoc import CriteriaError, LinksDroppedWarning, LinksNotSaved, RecordNotFound, collection, reference, sync
from activeassoc.stores.capabilities import store_of
from activeassoc.testing import assert_queries

pytestmark = pytest.mark.every_store


@pytest.fixture
def models(fresh: Any) -> Any:
    """User, Pet and Toy: a user's pets are many-to-many, its toys one-to-many."""
    Base = fresh.on()

    class User(Base):
        name = CharField(null=True)
        pets = collection("Pet", via="owners")
        toys = collection("Toy", via="user")

    class Pet(Base):
        name = CharField(null=True)
        chip = IntegerField(null=True, unique=True)
        owners = collection("User", via="pets")

    class Toy(Base):
        name = CharField(null=True)
        user = reference("User")

    sync(fresh.db)
    return User, Pet, Toy


def dump(*tables: Any) -> list[Any]:
    """Every row of these models' tables."""
    return [sorted(model.select().tuples()) for model in tables]


def state(record: Any) -> Any:
    """What an instance has in memory, its collections aside."""
    kept = {name: value for name, value in record.__dict__.items() if name not in ("_loaded", "_links")}
    return {name: copy.copy(value) if isinstance(value, dict | set) else value for name, value in kept.items()}


# List-like


def test_a_collection_is_like_a_list(models):
    """F6: iteration, len, indexing, slices, in, ==; loaded on first use, with one query."""
    User, Pet, _ = models
    user = User.create()
    a, b, c = user.create_pets([{"name": "a"}, {"name": "b"}, {"name": "c"}])
    user = User.find_one(user.id)
    assert "not loaded" in repr(user.pets)
    with assert_queries(1 if store_of(User._meta.database).joins else 2):
        assert list(user.pets) == [a, b, c]
        assert len(user.pets) == 3
        assert user.pets[0] == a
        assert user.pets[-1] == c
        assert user.pets[1:] == [b, c]
        assert b in user.pets
        assert Pet() not in user.pets
        assert user.pets == [a, b, c] == user.pets
        assert user.pets != [a, b]
        assert list(reversed(user.pets)) == [c, b, a]
        assert user.pets.index(b) == 1
        assert bool(user.pets)
    assert repr(user.pets) == repr([a, b, c])


def test_reading_shows_what_is_stored_and_pending_the_queue(models):
    """F6: repr shows both; of the queue nothing is read as if it were there."""
    User, Pet, _ = models
    user, pet = User.create(), Pet.create()
    user.pets.add([pet.id, {"name": "rex"}])
    user.pets.remove(77)
    assert list(user.pets) == []
    assert user.pets.pending.added == [pet.id, {"name": "rex"}]
    assert user.pets.pending.removed == [77]
    assert len(user.pets.pending) == 3
    assert repr(user.pets) == f"[] <User.pets.pending: add [{pet.id}, {{'name': 'rex'}}], remove [77]>"
    user.pets.pending.clear()
    assert not user.pets.pending
    assert repr(user.pets.pending) == "<User.pets.pending: nothing>"
    assert repr(user.pets) == "[]"


def test_assigning_is_refused(models):
    """C12: it would write nothing."""
    User, _, _ = models
    with pytest.raises(activeassoc.AssociationError, match="set_pets"):
        User.create().pets = []


# The queue


def test_adding_and_removing_make_no_query(models):
    """F7: whatever is queued; the methods of the owner and of the association write at once."""
    User, Pet, _ = models
    user, pet, other = User.create(), Pet.create(), Pet.create()
    with assert_queries(0):
        user.pets.add(pet)
        user.pets.add([other.id, {"name": "x"}, None])
        user.pets.add(None)
        user.pets.remove([])
        user.pets.pending.clear()
    user.add_pet(pet)
    User.pets.add(user, other)
    assert user.get_pets() == [pet, other]


def test_save_carries_out_the_queue_after_the_record(models):
    """F7: keys, texts of keys, dicts, instances saved and new; afterwards the queue is empty and memory tells what is stored."""
    User, Pet, _ = models
    user = User.create(name="u")
    a, b, gone = Pet.create(name="a"), Pet.create(name="b"), Pet.create(name="gone")
    user.add_pet(gone)
    assert list(user.pets) == [gone]
    new = Pet(name="new")
    user.pets.add([a.id, str(b.id), {"name": "made"}, new])
    user.pets.remove(gone)
    assert user.save() == 1
    assert new.id is not None
    assert [pet.name for pet in user.pets] == [pet.name for pet in User.find_one(user.id).pets]
    assert {pet.name for pet in user.pets} == {"a", "b", "made", "new"}
    assert not user.pets.pending
    with assert_queries(1):
        user.save()


def test_a_user_without_changes_or_columns_saves_its_queue(fresh):
    """F7: peewee has no UPDATE without columns; the links are written all the same."""
    Base = fresh.on()

    class User(Base):
        pets = collection("Pet")

    class Pet(Base):
        pass

    sync(fresh.db)
    user = User.create()
    user.pets.add({})
    user.save()
    assert user.count_pets() == 1
    new = User()
    new.pets.add({})
    new.save()
    assert new.count_pets() == 1
    again = User.find_one(new.id)
    again.pets.remove(again.pets[0])
    again.save(only=[])
    assert again.count_pets() == 0


def test_of_two_calls_for_one_record_the_last_one_wins(models):
    """F7: be it named by its key, by an instance, or by one that was new at the first call."""
    User, Pet, _ = models
    user, a, b = User.create(), Pet.create(), Pet.create()
    new = Pet(name="n")
    user.pets.add([a, b, new])
    user.pets.remove([a.id, str(b.id)])
    user.pets.add(b)
    user.pets.remove(new)
    assert user.pets.pending.added == [b]
    user.save()
    assert user.get_pets() == [b]
    assert new.id is None
    user.pets.remove(new)
    user.pets.add(new)
    new.save()
    user.pets.remove(new.id)
    user.save()
    assert user.get_pets() == [b]
    user.pets.add({"name": "twice"})
    user.pets.add({"name": "twice"})
    user.save()
    assert user.count_pets() == 3


def test_a_dict_always_creates(models):
    """F7: also with a key of its own, which then must be free."""
    User, Pet, _ = models
    user = User.create()
    user.pets.add({"id": 500, "name": "x"})
    user.save()
    assert user.get_pets() == [Pet.get_by_id(500)]
    user.pets.add({"id": 500, "name": "y"})
    with pytest.raises(LinksNotSaved):
        user.save()
    assert Pet.get_by_id(500).name == "x"
    user.pets.pending.clear()


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda u: u.pets.add({"nam": "x"}), activeassoc.UnknownName, "User.pets.add(): Pet has no field 'nam'. Did you mean 'name'."),
        (
            lambda u: u.pets.remove({"name": "x"}),
            TypeError,
            "User.pets.remove(): {'name': 'x'} is a mapping, and tells no record. Give primary keys or instances.",
        ),
        (
            lambda u: u.pets.remove([1, {"name": "x"}]),
            TypeError,
            "User.pets.remove(): {'name': 'x'} is a mapping, and tells no record. Give primary keys or instances.",
        ),
        (
            lambda u: u.pets.add([1, True]),
            TypeError,
            "User.pets.add(): True is no Pet and no key of one (id: a bool is no key). Give a Pet or its primary key.",
        ),
        (lambda u: u.pets.add(u), TypeError, "User.pets.add() with <User: 1>: User is not Pet. Give a Pet or its primary key."),
    ],
)
def test_what_can_be_no_record_raises_at_the_call(models, call, error, text):
    """F7: and nothing of the call is queued."""
    User, _, _ = models
    user = User.create(id=1)
    with assert_queries(0), pytest.raises(error) as raised:
        call(user)
    assert str(raised.value) == text
    assert not user.pets.pending


def test_one_to_many_moves_creates_and_clears(models):
    """F7, W18: remove clears only keys that are this owner's."""
    User, _, Toy = models
    ann, bob = User.create(), User.create()
    ball, kite = bob.create_toys([{"name": "ball"}, {"name": "kite"}])
    ann.toys.add([ball.id, {"name": "drum"}])
    ann.toys.remove(kite)
    ann.save()
    assert [toy.name for toy in ann.get_toys()] == ["ball", "drum"]
    assert bob.get_toys() == [kite]
    ann.toys.remove(ball)
    ann.save()
    assert Toy.get_by_id(ball.id).user_id is None


def test_a_unique_reference_lets_go_before_it_takes(fresh):
    """F7: what is removed is removed first."""
    Base = fresh.on()

    class User(Base):
        pet = collection("Pet", via="owner")

    class Pet(Base):
        owner = reference("User", unique=True)

    sync(fresh.db)
    user = User.create()
    first, second = user.create_pet(), Pet.create()
    user.pet.add(second)
    user.pet.remove(first)
    user.save()
    assert list(user.pet) == [second]


# A save that fails


@pytest.mark.needs("transactions")
def test_a_save_that_fails_writes_nothing_and_lists_what_failed(models):
    """F7: rows and memory are as before, the queue is kept, and saved again it is carried out."""
    User, Pet, Toy = models
    user, pet, taken = User.create(name="old"), Pet.create(), Pet.create(chip=5)
    kept = Pet.create()
    user.add_pet(kept)
    assert list(user.pets) == [kept]
    assert list(user.toys) == []
    before = dump(User, Pet, Toy, User.pets.through)
    user.name = "new"
    new = Pet(name="n")
    user.toys.add({"name": "ball"})
    user.pets.add([pet, new, 998, {"chip": 5}, 999, {"name": "fine"}])
    user.pets.remove(kept)
    memory = [state(each) for each in (user, new, pet, kept)]
    with pytest.raises(LinksNotSaved) as raised:
        user.save()
    error = raised.value
    assert dump(User, Pet, Toy, User.pets.through) == before
    assert [state(each) for each in (user, new, pet, kept)] == memory
    assert list(user.pets) == [kept]
    assert list(user.toys) == []
    assert [(each.collection, each.verb, each.value) for each in error.failed] == [
        ("User.pets", "add", 998),
        ("User.pets", "add", {"chip": 5}),
        ("User.pets", "add", 999),
    ]
    kinds = (RecordNotFound, peewee.IntegrityError, RecordNotFound)
    assert [isinstance(each.error, kind) for each, kind in zip(error.failed, kinds, strict=True)] == [True] * 3
    assert error.record is user
    assert str(error).startswith(
        "User.save() with what its collections have queued: 3 of it failed, and nothing was written: "
        "User.pets.add(998): Pet has no row with the primary key 998, User.pets.add({'chip': 5}): "
    )
    assert str(error).endswith("The queue is kept: mend what failed, or take it back, and save again.")
    assert len(user.pets.pending) == 7
    assert len(user.toys.pending) == 1
    taken.delete_instance()
    Pet.create(id=998)
    Pet.create(id=999)
    user.save()
    assert user.count_pets() == 6
    assert User.get_by_id(user.id).name == "new"
    assert [toy.name for toy in user.toys] == ["ball"]


@pytest.mark.needs("transactions")
def test_a_new_owner_whose_links_fail_stays_new(models):
    """F7, F10: neither its row nor its key remain."""
    User, _, _ = models
    user = User(name="n")
    user.pets.add(404)
    with pytest.raises(LinksNotSaved) as error:
        user.save()
    assert str(error.value) == (
        "User.save() with what its collections have queued: 1 of it failed, and nothing was written: "
        "User.pets.add(404): Pet has no row with the primary key 404. "
        "The queue is kept: mend what failed, or take it back, and save again."
    )
    assert user.id is None
    assert User.select().count() == 0
    user.pets.pending.clear()
    user.save()
    assert User.get().name == "n"


def test_a_record_that_cannot_be_saved_keeps_its_queue(fresh):
    """F7: the record's own error comes through as it is."""
    Base = fresh.on()

    class User(Base):
        name = CharField(unique=True)
        pets = collection("Pet")

    class Pet(Base):
        pass

    sync(fresh.db)
    User.create(name="a")
    user = User(name="a")
    user.pets.add({})
    with pytest.raises(peewee.IntegrityError) as error:
        user.save()
    assert not isinstance(error.value, LinksNotSaved)
    assert Pet.select().count() == 0
    assert len(user.pets.pending) == 1
    user.name = "b"
    user.save()
    assert user.count_pets() == 1


def test_an_owner_whose_row_is_gone(models):
    """F7: its links are not written."""
    User, Pet, _ = models
    user, pet = User.create(), Pet.create()
    User.delete().execute()
    user.pets.add(pet)
    with pytest.raises(LinksNotSaved, match="User has no row"):
        user.save()
    assert User.pets.through.select().count() == 0
    user.pets.pending.clear()


def test_queues_of_new_records_are_carried_out_with_them(models):
    """F7: a new record that is added is saved with what it has queued itself."""
    User, Pet, _ = models
    ann, bob = User.create(name="ann"), User(name="bob")
    rex = Pet(name="rex")
    rex.owners.add(bob)
    ann.pets.add(rex)
    ann.save()
    assert {user.name for user in rex.get_owners()} == {"ann", "bob"}


@pytest.mark.needs("transactions")
def test_what_was_saved_on_the_way_is_taken_back(models):
    """F7: a new record's own queue is kept, too, where the save that carried it out fails after it."""
    User, Pet, _ = models
    ann, bob, rex = User.create(name="ann"), User(name="bob"), Pet(name="rex")
    rex.owners.add(bob)
    ann.pets.add([rex, 404])
    memory = [state(each) for each in (ann, bob, rex)]
    with pytest.raises(LinksNotSaved):
        ann.save()
    assert [state(each) for each in (ann, bob, rex)] == memory
    assert rex.owners.pending.added == [bob]
    assert Pet.select().count() == 0
    assert User.select().count() == 1
    ann.pets.remove(404)
    ann.save()
    assert {user.name for user in rex.get_owners()} == {"ann", "bob"}


@pytest.mark.needs("savepoints")
def test_a_queue_within_a_transaction_of_the_caller(models, fresh):
    """F7: what fails is taken back to where save began, and the transaction goes on."""
    User, Pet, _ = models
    with fresh.db.atomic():
        user = User.create(name="u")
        user.pets.add([{"name": "fine"}, 404])
        with pytest.raises(LinksNotSaved):
            user.save()
        assert Pet.select().count() == 0
        Pet.create(id=404)
        user.save()
    assert user.count_pets() == 2


def test_a_queue_that_is_dropped_warns(models):
    """F7: what was asked for was not done."""
    User, _, _ = models
    user = User.create(id=3)
    user.pets.add(1)
    with pytest.warns(LinksDroppedWarning) as caught:
        del user
        gc.collect()
    assert [str(each.message) for each in caught] == [
        "<User 3> was dropped with links that were never saved: <User.pets.pending: add [1]>. Call save(), or User.pets.pending.clear()"
    ]
    user = User.create()
    user.pets.add({})
    with pytest.warns(LinksDroppedWarning):
        user.reload()
        gc.collect()


def test_a_saved_or_cleared_queue_does_not_warn(models):
    """F7: nor does one of a create that failed."""
    User, _, _ = models
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        user = User.create(pets=[{}])
        user.pets.add({})
        user.pets.pending.clear()
        with pytest.raises(LinksNotSaved):
            User.create(pets=[404])
        with pytest.raises(TypeError):
            User(toys=[1], pets=[True])
        del user
        gc.collect()


def test_save_derives_nothing_from_a_loaded_list(models):
    """F8: a list that is out of date stays so, and nothing is written for it."""
    User, Pet, _ = models
    user = User.create()
    a, b = user.create_pets([{}, {}])
    other = User.find_one(user.id)
    assert list(other.pets) == [a, b]
    user.remove_pet(a)
    other.name = "x"
    with assert_queries(1):
        other.save()
    assert user.get_pets() == [b]


# Creating with links


def test_creating_with_links(models):
    """F10, C12: keys, dicts and instances; the constructor queues, create writes."""
    User, Pet, _ = models
    Pet.create(id=20)
    user = User.create(name="a", pets=[20, {"name": "Rex"}], toys={"name": "ball"})
    assert {pet.name for pet in user.pets} == {None, "Rex"}
    assert [toy.name for toy in user.get_toys()] == ["ball"]
    new = Pet(name="new")
    with assert_queries(0):
        made = User(name="b", pets=new)
    assert made.pets.pending.added[0] is new
    made.save()
    assert [pet.name for pet in made.get_pets()] == ["new"]
    assert User.create(pets=None).get_pets() == []


@pytest.mark.needs("transactions")
def test_creating_with_links_is_atomic(models):
    """F10: neither the record nor any of them."""
    User, Pet, _ = models
    with pytest.raises(LinksNotSaved):
        User.create(name="a", pets=[{"name": "Rex"}, 404])
    assert User.select().count() == Pet.select().count() == 0
    with pytest.raises(activeassoc.UnknownName):
        User.create(name="a", pets=[{"nam": "Rex"}])
    assert User.select().count() == 0


def test_get_or_create_takes_links_as_defaults(models):
    """F10: only where it creates."""
    User, _, _ = models
    for made in (True, False):
        user, created = User.get_or_create(name="a", defaults={"pets": [{}]})
        assert created is made
        assert user.count_pets() == 1


def test_a_call_may_have_declared_the_association(fresh):
    """F6, F7: collections are what every to-many has, with keys of every kind."""
    import uuid

    User, Pet = fresh("User", "Pet")

    class Tag(fresh.Base):
        id = UUIDField(primary_key=True, default=uuid.uuid4)

    User.has_many(Pet)
    User.has_many(Tag, through="user_tags")
    sync(fresh.db)
    tag = Tag.create()
    user = User.create(title="u", pets=[{"title": "p"}], tags=[str(tag.id), {}])
    assert [pet.title for pet in user.pets] == ["p"]
    assert tag in user.tags
    assert user.count_tags() == 2
    user.tags.remove(tag)
    user.save()
    assert user.count_tags() == 1


def test_targets_with_a_composite_key(fresh):
    """F7, A15: a tuple is one key, a list of tuples several."""
    Base = fresh.on()

    class User(Base):
        seats = collection("Seat", via="user")

    class Seat(Base):
        row = IntegerField()
        number = IntegerField()
        user = reference("User")

        class Meta:
            primary_key = CompositeKey("row", "number")

    sync(fresh.db)
    for number in (1, 2, 3):
        Seat.create(row=1, number=number)
    user = User.create()
    user.seats.add((1, 1))
    user.seats.add([(1, 2), (1, 3)])
    user.seats.remove((1, 3))
    user.save()
    assert [seat.number for seat in user.get_seats()] == [1, 2]


# Several owners


def test_of_several_owners_every_pair_is_linked_once(models):
    """F9: and the numbers are those of add and remove."""
    User, Pet, _ = models
    ann, bob = User.create(), User.create()
    a, b = Pet.create(), Pet.create()
    ann.add_pet(a)
    assert User.add_to_collection([ann, bob.id], "pets", [a.id, b]) == 3
    assert User.add_to_collection([ann, bob.id], "pets", [a.id, b]) == 0
    assert a.get_owners() == [ann, bob]
    assert User.remove_from_collection([ann.id, bob.id], "pets", a) == 2
    assert User.remove_from_collection([ann.id, bob.id], "pets", a) == 0
    assert a.get_owners() == []
    assert list(ann.pets) == [b]
    assert User.replace_collection([ann, bob], "pets", [a, b.id]) == [a, b]
    assert b.get_owners() == [ann, bob]
    assert User.replace_collection([ann, bob], "pets", None) == []
    assert User.pets.through.select().count() == 0
    assert User.add_to_collection([], "pets", [a]) == User.add_to_collection(ann, "pets", []) == 0


def test_of_one_to_many_the_child_moves(models):
    """F9: several owners with children are an error, without are not; remove clears only their keys."""
    User, _, Toy = models
    ann, bob, eve = User.create(), User.create(), User.create()
    ball, kite, drum = ann.create_toy(), bob.create_toy(), eve.create_toy()
    assert User.add_to_collection(bob, "toys", [ball, kite.id]) == 1
    assert Toy.get_by_id(ball.id).user_id == bob.id
    for call in (User.add_to_collection, User.replace_collection):
        with pytest.raises(activeassoc.WrongArgument) as error:
            call([ann.id, bob.id], "toys", [ball])
        because = f"each Toy has one User, and {ann.id}, {bob.id} are 2"
        assert str(error.value) == f"User.{call.__name__}(…, 'toys', …): {because}. Give one owner."
    assert User.remove_from_collection([ann, bob], "toys", [ball, drum]) == 1
    assert [toy.user_id for toy in Toy.find()] == [None, bob.id, eve.id]
    assert User.replace_collection([bob, eve], "toys", []) == []
    assert Toy.select().where(Toy.user.is_null(False)).count() == 0


def test_a_key_that_may_not_be_null_is_checked_before_anything_is_written(fresh):
    """F9: destroy=True deletes what is let go."""
    Base = fresh.on()

    class User(Base):
        toys = collection("Toy", via="user")

    class Toy(Base):
        user = reference("User", null=False, on_delete="CASCADE")

    sync(fresh.db)
    ann = User.create()
    ball, kite = ann.create_toys([{}, {}])
    for call in (
        lambda: User.replace_collection(ann, "toys", [kite]),
        lambda: User.remove_from_collection(ann, "toys", [ball]),
    ):
        with pytest.raises(activeassoc.RequiredKeyError):
            call()
    assert ann.get_toys() == [ball, kite]
    assert User.replace_collection(ann, "toys", [kite], destroy=True) == [kite]
    assert [toy.id for toy in Toy.find()] == [kite.id]


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (
            lambda U: ([1], "pats", [1]),
            activeassoc.UnknownName,
            "User.{}(…, 'pats', …): User has no collection 'pats'. Did you mean 'pets'.",
        ),
        (lambda U: ([1], 7, [1]), activeassoc.UnknownName, "User.{}(…, 7, …): User has no collection 7. Known are pets, toys."),
        (
            lambda U: ([1, 8, 9], "pets", [1]),
            RecordNotFound,
            "User.{}(…, 'pets', …): User has no rows with the primary key 8, 9. Create it first, or leave it out.",
        ),
        (
            lambda U: ([1], "pets", [1, 8, 9]),
            RecordNotFound,
            "User.{}(…, 'pets', …): Pet has no rows with the primary key 8, 9. Create it first, or leave it out.",
        ),
        (
            lambda U: (U(), "pets", [1]),
            activeassoc.UnsavedRecordError,
            "User.{}(…, 'pets', …): this User is not saved yet. Save it first.",
        ),
    ],
)
@pytest.mark.parametrize("verb", ["add_to_collection", "remove_from_collection", "replace_collection"])
def test_what_is_not_there_is_listed_and_nothing_is_written(models, verb, call, error, text):
    """F9: names, owners, children."""
    User, Pet, _ = models
    user, other = User.create(id=1), User.create(id=2)
    Pet.create(id=1)
    user.add_pet(1)
    with pytest.raises(error) as raised:
        getattr(User, verb)(*call(User))
    assert str(raised.value) == text.format(verb)
    assert user.count_pets() == 1
    assert other.count_pets() == 0


def test_a_reference_is_no_collection(models):
    """F9: it says what to write."""
    _, _, Toy = models
    with pytest.raises(activeassoc.WrongArgument) as error:
        Toy.add_to_collection(1, "user", 2)
    assert str(error.value) == "Toy.add_to_collection(…, 'user', …): Toy.user is one record, not a collection. Write record.set_user(…)."


@pytest.mark.needs("transactions")
def test_a_call_that_fails_for_one_owner_leaves_all_as_they_were(fresh):
    """F9: rows and memory."""
    Base = fresh.on()

    class Membership(Base):
        user = reference("User")
        pet = reference("Pet")
        rank = IntegerField(default=1, unique=True)

    class User(Base):
        pets = collection("Pet", via="user", through=Membership)

    class Pet(Base):
        name = CharField(null=True)

    sync(fresh.db)
    ann, bob, pet = User.create(), User.create(), Pet(name="new")
    assert list(ann.pets) == []
    with pytest.raises(peewee.IntegrityError):
        User.add_to_collection([ann, bob], "pets", pet)
    assert pet.id is None
    assert Pet.select().count() == Membership.select().count() == 0
    assert list(ann.pets) == []


# Finding


def test_find_gives_a_query(models):
    """F11: by criteria, by key, or everything; by primary key unless told otherwise; to go on with."""
    User, _, _ = models
    b, a = User.create(name="b"), User.create(name="a")
    with assert_queries(0):
        query = User.find()
    assert list(query) == [b, a]
    assert list(User.find({"name": "a"})) == list(User.find(a.id)) == list(User.find(str(a.id))) == list(User.find(a)) == [a]
    assert list(User.find(User.name == "a")) == list(User.find(where=User.name == "a")) == [a]
    assert list(User.find({"name": ["a", "b"]}, where={"id": {">": b.id}})) == [a]
    assert list(User.find(order="name")) == list(User.find().order_by(User.name)) == [a, b]
    assert list(User.find(order="-name", limit=1)) == [b]
    assert list(User.find(order="-id")) == [a, b]
    assert list(User.find(offset=1)) == [a]
    assert User.find({"name": "a"}).where(User.id > a.id).count() == 0
    assert User.find(999).first() is None
    assert set(User.find(attributes=["name"])[0].__data__) == {"id", "name"}
    assert set(User.find(attributes=[User.id])[0].__data__) == {"id"}


def test_find_one_gives_the_record_or_none(models):
    """F11: one query."""
    User, _, _ = models
    user = User.create(name="a")
    User.create(name="b")
    with assert_queries(1):
        assert User.find_one(user.id) == user
    assert User.find_one({"name": "a"}) == User.find_one(where=User.name == "a") == user
    assert User.find_one({"name": "c"}) is None
    assert User.find_one(999) is None
    assert set(User.find_one(user.id, attributes="name").__data__) == {"id", "name"}


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (
            lambda U: U.find_one(),
            CriteriaError,
            "User.find_one(): no criteria would be fulfilled by every User. Give criteria or a primary key, or write find().first().",
        ),
        (
            lambda U: U.find_one({}),
            CriteriaError,
            "User.find_one(): empty criteria would be fulfilled by every User. Give criteria or a primary key, or write find().first().",
        ),
        (
            lambda U: U.find_one({"name": "a"}),
            CriteriaError,
            "User.find_one(): more than one User fulfils {'name': 'a'}. Narrow the criteria, or write find(…).first().",
        ),
        (
            lambda U: U.find_one(where=U.name == "a"),
            CriteriaError,
            "User.find_one(): more than one User fulfils it. Narrow the criteria, or write find(…).first().",
        ),
        (lambda U: U.find([1, 2]), TypeError, 'User.find(): [1, 2] is neither criteria nor a primary key. Write {"id": […]}.'),
        (
            lambda U: U.find(True),
            TypeError,
            "User.find(): True is no User and no key of one (id: a bool is no key). Give a User or its primary key.",
        ),
        (lambda U: U.find(U()), TypeError, "User.find(): <User: None> is not saved and has no key. Save it first."),
    ],
)
def test_what_cannot_be_found_raises(models, call, error, text):
    """F11: full texts; nothing is asked before."""
    User, _, _ = models
    User.create(name="a")
    User.create(name="a")
    with pytest.raises(error) as raised:
        call(User)
    assert str(raised.value) == text


def test_find_by_a_composite_key(fresh):
    """F11: a tuple is one key."""

    class Seat(fresh.on()):
        row = IntegerField()
        number = IntegerField()

        class Meta:
            primary_key = CompositeKey("row", "number")

    sync(fresh.db)
    seat = Seat.create(row=1, number=2)
    Seat.create(row=1, number=3)
    assert Seat.find_one((1, 2)) == seat
    assert Seat.select().count() == 2
