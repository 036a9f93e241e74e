"""Declaring in the class body: reference() and collection() make the associations of the calls, and load errors say what to write."""

from __future__ import annotations

import pickle
from typing import Any

import pytest
from declarations import Scratch, state
from looking import cols, keys, pk, table
from peewee import AutoField, CharField, CompositeKey, ForeignKeyField, IntegerField, SqliteDatabase, TextField

import activeassoc
from activeassoc import DeclarationError, Model, ReferenceField, UnknownName, WrongArgument, collection, reference, registry, sync
from activeassoc.associations.belongs_to import BelongsTo
from activeassoc.associations.has_many import HasMany
from activeassoc.associations.many_to_many import ManyToMany
from activeassoc.testing import assert_queries

pytestmark = pytest.mark.every_store


@pytest.fixture
def scratch() -> Scratch:
    """Models on a database that is never opened."""
    return Scratch(__name__)


# What the forms are


def test_the_forms_are_compiled_to_the_associations_of_the_calls(scratch):
    """F1: a reference is a belongs_to, a collection a has_many, two of them or one without via a many-to-many."""
    Base = scratch.Base

    class User(Base):
        pets = collection("Pet", via="owner")
        walks = collection("Pet", via="walkers")
        wishes = collection("Pet")

    class Pet(Base):
        owner = reference("User")
        walkers = collection("User", via="walks")

    registry.settle(Base)
    assert type(Pet.associations["owner"]) is BelongsTo
    assert type(User.pets) is HasMany
    assert type(User.walks) is type(Pet.walkers) is type(User.wishes) is ManyToMany
    assert list(User.associations) == ["pets", "walks", "wishes"]
    assert User.pets.key is Pet.associations["owner"].key
    assert User.walks.through is Pet.walkers.through


def test_the_methods_are_those_of_the_calls(scratch):
    """F1: also before the other model exists, and those that the user wrote stay."""
    Base = scratch.Base

    class User(Base):
        pets = collection("Pet", via="owner")
        hamsters = collection("Hamster")

        def get_pets(self) -> str:
            return "mine"

    assert User().get_pets() == "mine"
    assert callable(User.add_pet)
    with pytest.raises(UnknownName) as error:
        User.hamsters.target  # noqa: B018
    assert str(error.value).startswith("User.hamsters = collection('Hamster'): there is no model 'Hamster'. ")

    class Pet(scratch.Base):
        owner = reference("User")

    assert User.add_pet.__doc__.endswith("Generated for User.pets = collection('Pet', via='owner').")
    assert User.add_pet.__doc__.startswith(HasMany.add.__doc__.splitlines()[0])
    assert User.add_pet.association is User.pets


@pytest.mark.parametrize(
    ("form", "options"),
    [
        (lambda: reference("User", unique=True), {"unique": True, "null": True, "on_delete": "SET NULL", "on_update": "CASCADE"}),
        (lambda: reference("User", null=False), {"unique": False, "null": False, "on_delete": "NO ACTION", "on_update": "CASCADE"}),
        (lambda: reference("User", on_delete="cascade", on_update="restrict"), {"on_delete": "CASCADE", "on_update": "RESTRICT"}),
        (lambda: reference("User", constraints=False), {"constraint": False}),
        (lambda: reference("User", column_name="pb_user"), {"column_name": "pb_user", "object_id_name": "pb_user"}),
        (lambda: reference("User", column_name="owner"), {"column_name": "owner", "object_id_name": "owner_id"}),
    ],
)
def test_options_of_a_reference(scratch, form, options):
    """F1: each stands on the key's field, which has the attribute's name."""

    class Pet(scratch.Base):
        owner = form()

    class User(scratch.Base):
        name = CharField()

    assert {name: getattr(Pet.owner, name) for name in options} == options
    assert Pet.owner.name == "owner"
    assert Pet.owner.rel_model is User


def test_target_key_refers_to_another_unique_field(fresh):
    """F1: the key is named after it, and holds it; methods take primary keys all the same."""
    Base = fresh.on()

    class Pet(Base):
        owner = reference("User", target_key="email")

    class User(Base):
        email = CharField(unique=True)
        pets = collection("Pet", via="owner")

    sync(fresh.db)
    assert "owner_email" in cols(Pet)
    user, pet = User.create(email="a@x"), Pet.create()
    pet.set_owner(user.id)
    assert Pet.get().owner_email == "a@x"
    assert user.get_pets() == [pet]


def test_a_reference_stands_where_it_is_written(scratch):
    """F1: columns come in the order of the class body."""

    class Pet(scratch.Base):
        name = CharField()
        owner = reference("User")
        age = IntegerField()

    class User(scratch.Base):
        pass

    assert [field.name for field in Pet._meta.sorted_fields] == ["id", "name", "owner", "age"]


def test_targets_are_names_models_or_self(scratch):
    """F1, A6: a model that exists is bound at once."""

    class User(scratch.Base):
        boss = reference("self")
        deputy = reference("User")
        reports = collection("self", via="boss")

    class Pet(scratch.Base):
        owner = reference(User)
        keepers = collection(User)

    assert User.boss.rel_model is User
    assert User.deputy.rel_model is User
    assert type(User.reports) is HasMany
    assert Pet.owner.rel_model is User
    assert Pet.keepers.target is User
    assert not any(waiting.source in (User, Pet) for waiting in registry._alive())


def test_meta_may_name_references(fresh):
    """F1: in a primary key and in indexes."""
    Base = fresh.on()

    class User(Base):
        name = CharField(null=True)

    class Like(Base):
        user = reference(User, null=False)
        page = IntegerField()
        rank = IntegerField(null=True)

        class Meta:
            primary_key = CompositeKey("user", "page")
            indexes = ((("user", "rank"), True),)

    sync(fresh.db)
    assert pk(Like) == {"user_id", "page"}
    Like.create(user=User.create(), page=1)
    assert Like.select().count() == 1


def test_a_collection_via_a_key_written_by_hand(fresh):
    """F1: ForeignKeyField and ReferenceField are references too; the record comes with reference() or belongs_to."""
    Base = fresh.on()

    class User(Base):
        pets = collection("Pet", via="owner")
        toys = collection("Toy", via="user_id")

    class Pet(Base):
        owner = ForeignKeyField(User, null=True)

    class Toy(Base):
        user_id = ReferenceField("User")

    sync(fresh.db)
    user = User.create()
    assert user.create_pet().owner == user
    assert user.create_toy().user_id == user.id
    assert keys(Toy) == set()


def test_a_collection_via_a_called_belongs_to(fresh):
    """F1: a reference is what belongs_to declares, too, also after both classes."""
    Base = fresh.on()

    class User(Base):
        pets = collection("Pet", via="owner")

    class Pet(Base):
        name = CharField(null=True)

    Pet.belongs_to(User, as_="owner")
    sync(fresh.db)
    user = User.create()
    assert user.create_pet().get_owner() == user


def test_where_and_order_scope_a_collection(fresh):
    """F1, A19: as those of has_many."""
    Base = fresh.on()

    class User(Base):
        pets = collection("Pet", via="owner", order="-name")
        dogs = collection("Pet", via="owner", where={"type": "dog"})

    class Pet(Base):
        name = CharField(null=True)
        type = CharField(null=True)
        owner = reference("User")

    sync(fresh.db)
    user = User.create()
    a, b = user.create_pet(name="a", type="cat"), user.create_dog(name="b")
    assert b.type == "dog"
    assert user.get_pets() == [b, a]
    assert user.get_dogs() == [b]
    user.dogs.add({"name": "c"})
    user.save()
    assert [dog.name for dog in user.get_dogs()] == ["b", "c"]


def test_a_call_beside_the_class_body(scratch):
    """A7, A12: a call of the same name raises; a has_many of the target does not become the other half of a one-way collection."""

    class User(scratch.Base):
        pets = collection("Pet")

    class Pet(scratch.Base):
        pass

    with pytest.raises(DeclarationError) as error:
        User.has_many(Pet, as_="pets", foreign_key="owner_id")
    assert (
        str(error.value) == "User.has_many(Pet, as_='pets', foreign_key='owner_id'): "
        "User.pets = collection('Pet') has the name 'pets' already. "
        'Give as_= another name, as in as_="other_pets".'
    )
    Pet.has_many(User, foreign_key="best_pet_id")
    assert type(Pet.users) is HasMany
    link = User.pets.through
    assert table(link) == "pet_pets_pet__user_pets"
    assert sorted(key.column for key in User.pets.keys) == ["pet_pets_pet", "user_pets"]


# Join tables


def test_join_tables_are_named_after_both_ends(scratch):
    """F5: sorted by model, self pairs by attribute; a one-way collection names the end that it lacks."""
    Base = scratch.Base

    class User(Base):
        pets = collection("PolarBear", via="owners")
        friends = collection("self")
        leads = collection("self", via="follows")
        follows = collection("self", via="leads")

    class PolarBear(Base):
        owners = collection("User", via="pets")

    registry.settle(Base)

    def shown(association: Any) -> tuple[Any, ...]:
        return table(association.through), *(key.column for key in association.keys)

    assert shown(User.pets) == ("polar_bear_owners__user_pets", "user_pets", "polar_bear_owners")
    assert shown(PolarBear.owners) == ("polar_bear_owners__user_pets", "polar_bear_owners", "user_pets")
    assert shown(User.friends) == ("user_friends__user_friends_user", "user_friends", "user_friends_user")
    assert shown(User.follows) == ("user_follows__user_leads", "user_follows", "user_leads")
    assert shown(User.leads) == ("user_follows__user_leads", "user_leads", "user_follows")


def test_each_column_holds_the_key_of_its_model(fresh):
    """F5: also where a model is linked with itself."""
    Base = fresh.on()

    class User(Base):
        follows = collection("self", via="followers")
        followers = collection("self", via="follows")

    sync(fresh.db)
    ann, bob = User.create(), User.create()
    ann.add_follow(bob)
    assert bob.get_followers() == [ann]
    assert ann.get_followers() == []
    row = User.follows.through.get()
    assert (row.user_follows_id, row.user_followers_id) == (ann.id, bob.id)


def test_syncing_a_model_brings_its_join_tables(fresh):
    """F5: without naming them."""
    Base = fresh.on()

    class User(Base):
        pets = collection("Pet")

    class Pet(Base):
        pass

    sync(Pet, User)
    assert set(fresh.db.get_tables()) == {"user", "pet", "pet_pets_pet__user_pets"}


def test_long_names_are_cut(fresh):
    """B6: to what every engine takes, the same each time."""
    Base = fresh.on()

    class AVeryLongNameOfAModelThatNobodyShortens(Base):
        collection_with_a_long_name_of_its_own = collection("AnotherVeryLongNameOfAModel")

    class AnotherVeryLongNameOfAModel(Base):
        pass

    sync(fresh.db)
    association = AVeryLongNameOfAModelThatNobodyShortens.collection_with_a_long_name_of_its_own
    assert len(table(association.through)) == 63
    owner, target = AVeryLongNameOfAModelThatNobodyShortens.create(), AnotherVeryLongNameOfAModel.create()
    assert association.add(owner, target) == 1
    assert association.get(owner) == [target]
    assert not sync(fresh.db)


# Through


@pytest.mark.parametrize("by_name", [False, True])
def test_through_a_model_via_its_key_to_this_one(fresh, by_name):
    """F2: with link attributes; the pair is its primary key; seen from both ends, or from one."""
    Base = fresh.on()

    class Membership(Base):
        user = reference("User")
        pet = reference("Pet")
        role = CharField(default="owner")

    through = "Membership" if by_name else Membership

    class User(Base):
        pets = collection("Pet", via="user", through=through)

    class Pet(Base):
        owners = collection("User", via="pet", through=through)
        keepers = collection("User", through=through)

    sync(fresh.db)
    assert pk(Membership) == {"user_id", "pet_id"}
    assert User.pets.through is Pet.owners.through is Membership
    user, pet = User.create(), Pet.create()
    user.add_pet(pet, {"role": "sitter"})
    assert Membership.get().role == "sitter"
    assert pet.get_owners()[0].membership.role == "sitter"
    assert pet.get_keepers() == [user]
    user.pets.add({})
    user.save()
    assert user.count_pets() == 2


def test_through_a_model_of_a_model_with_itself(fresh):
    """F2: the via of each end tells which key is whose."""
    Base = fresh.on()

    class Person(Base):
        teachers = collection("self", via="pupil", through="Lesson")
        pupils = collection("self", via="teacher", through="Lesson")

    class Lesson(Base):
        id = AutoField()
        teacher = reference("Person")
        pupil = reference("Person")
        topic = TextField(null=True)

    sync(fresh.db)
    ann, bob = Person.create(), Person.create()
    ann.add_teacher(bob)
    assert bob.get_pupils() == [ann]
    lesson = Lesson.get()
    assert (lesson.teacher_id, lesson.pupil_id) == (bob.id, ann.id)


# Errors: what the class body alone shows


@pytest.mark.parametrize(
    ("attribute", "form", "error", "text"),
    [
        (
            "pet",
            lambda: reference("Pet", dominant=True),
            DeclarationError,
            "User.pet = reference('Pet', dominant=True): dominant says which end of a many-to-many has the links, and User.pet is a key to "
            "Pet. Leave dominant out.",
        ),
        (
            "pets",
            lambda: collection("Pet", dominant=1.5),
            WrongArgument,
            "User.pets = collection('Pet', dominant=1.5): dominant=1.5 is neither True nor False. Give one of these.",
        ),
        (
            "pets",
            lambda: collection(7),
            WrongArgument,
            "User.pets = collection(7): 7 is neither a model nor the name of one. Give a model or its name, as in \"Task\".",
        ),
        (
            "pets",
            lambda: collection("Pet", via=7),
            WrongArgument,
            "User.pets = collection('Pet', via=7): via=7 is no name of an attribute. Write via=\"owner\".",
        ),
        (
            "pets",
            lambda: collection("Pet", through=7),
            WrongArgument,
            "User.pets = collection('Pet', through=7): through=7 is neither a model nor the name of one. Give one of these.",
        ),
        (
            "pets",
            lambda: collection("Pet", embed="yes"),
            WrongArgument,
            "User.pets = collection('Pet', embed='yes'): embed='yes' is neither True nor False. Write embed=True or embed=False.",
        ),
        (
            "myPets",
            lambda: collection("Pet"),
            DeclarationError,
            "User.myPets = collection('Pet'): methods and columns are named after the attribute, in snake_case. Write my_pets = ….",
        ),
        (
            "pet",
            lambda: reference("Pet", on_delete="explode"),
            DeclarationError,
            "User.pet = reference('Pet', on_delete='explode'): on_delete='explode' is no rule. "
            "Known are RESTRICT, CASCADE, NO ACTION, SET DEFAULT, SET NULL.",
        ),
        (
            "pet",
            lambda: reference("Pet", on_delete="SET NULL", null=False),
            DeclarationError,
            "User.pet = reference('Pet', null=False, on_delete='SET NULL'): on_delete='SET NULL' and null=False contradict each other. "
            "Give null=True, or another rule.",
        ),
        (
            "find",
            lambda: collection("Pet"),
            DeclarationError,
            "User.find = collection('Pet'): 'find' is a name of Model's own. Give the attribute another name.",
        ),
        (
            "friends",
            lambda: collection("self", via="friends"),
            DeclarationError,
            "User.friends = collection('self', via='friends'): via names User.friends itself. Leave via out for one-way links, or write "
            'User.belongs_to_many(User, as_="friends", symmetric=True) for links that both ends see.',
        ),
    ],
)
def test_what_the_class_body_alone_shows_raises_in_it(scratch, attribute, form, error, text):
    """F3, A16: from the class statement, and no model comes of it."""
    before = state(__name__)
    with pytest.raises(error) as raised:
        type(scratch.Base)("User", (scratch.Base,), {attribute: form(), "__module__": __name__})
    assert str(raised.value) == text
    del raised
    assert state(__name__) == before


def test_a_collection_in_sql_is_not_embedded(scratch):
    """L2: a SQL database has no documents, and no model comes of it."""
    before, db = state(__name__), SqliteDatabase(":memory:")
    with pytest.raises(DeclarationError) as raised:

        class User(scratch.Base):
            pets = collection("Pet", embed=True)

            class Meta:
                database = db

    assert str(raised.value) == (
        "User.pets = collection('Pet', embed=True): embed=True keeps links in documents, and a SQL database has none. "
        "Leave embed out: the links have a table."
    )
    del raised
    assert state(__name__) == before


def test_dominant_false_says_nothing(scratch):
    """H2: as where it is not given."""

    class User(scratch.Base):
        pet = reference("Pet", dominant=False)
        hamsters = collection("Hamster", dominant=False)

    assert list(User.associations) == ["pet", "hamsters"]


def test_keys_of_a_class_that_does_not_come_to_be(scratch):
    """A16: those written by hand and those of references are forgotten by the models that they point to."""

    class User(scratch.Base):
        pass

    before = state(__name__)
    with pytest.raises(DeclarationError):

        class Pet(scratch.Base):
            keeper = ForeignKeyField(User, backref="kept")
            owner = reference(User)
            find = reference(User)

    assert state(__name__) == before


def test_attributes_whose_methods_meet(scratch):
    """A18: task and tasks would both make create_task."""
    with pytest.raises(DeclarationError) as error:

        class User(scratch.Base):
            pet = reference("Pet")
            pets = collection("Pet")

    assert (
        str(error.value) == "User.pets = collection('Pet'): it and User.pet = reference('Pet') would both make create_pet. "
        "Give the attribute another name."
    )


# Errors: what shows when both models exist


def load(Base: Any, user: dict[str, Any], pet: dict[str, Any], **more: dict[str, Any]) -> dict[str, Any]:
    """User, Pet and further models with these class bodies."""
    bodies = {"User": user, "Pet": pet, **more}
    return {name: type(Base)(name, (Base,), {**body, "__module__": __name__}) for name, body in bodies.items()}


LOAD_ERRORS = {
    "unknown target": (
        lambda: {"pets": collection("Pett", via="owner")},
        lambda: {"owner": reference("User")},
        "User.pets = collection('Pett', via='owner'): there is no model 'Pett'. Did you mean 'Pet'.",
    ),
    "unknown target of a reference": (
        dict,
        lambda: {"owner": reference("Usr")},
        "Pet.owner = reference('Usr'): there is no model 'Usr'. Did you mean 'User'.",
    ),
    "via names nothing": (
        lambda: {"pets": collection("Pet", via="ownr")},
        lambda: {"owner": reference("User")},
        "User.pets = collection('Pet', via='ownr'): via names Pet.ownr, and Pet has no attribute 'ownr'. Did you mean 'owner'. "
        'Write ownr = reference("User") in class Pet for one-to-many, or ownr = collection("User", via="pets") for many-to-many.',
    ),
    "via names nothing, and nothing points back": (
        lambda: {"pets": collection("Pet", via="owner")},
        dict,
        "User.pets = collection('Pet', via='owner'): via names Pet.owner, and Pet has no attribute 'owner'. "
        'Write owner = reference("User") in class Pet for one-to-many, or owner = collection("User", via="pets") for many-to-many.',
    ),
    "via names a column": (
        lambda: {"pets": collection("Pet", via="name")},
        lambda: {"name": CharField()},
        "User.pets = collection('Pet', via='name'): via names Pet.name, which is of type CharField and refers to no record. "
        'Write name = reference("User") in class Pet, or give via the reference that is meant.',
    ),
    "via names a reference to a third model": (
        lambda: {"pets": collection("Pet", via="home")},
        lambda: {"home": reference("self")},
        "User.pets = collection('Pet', via='home'): via names Pet.home, which refers to Pet, not to User. "
        'Write home = reference("User") in class Pet, or give via the reference that is meant.',
    ),
    "via names a collection of a third model": (
        lambda: {"pets": collection("Pet", via="owners")},
        lambda: {"owners": collection("self")},
        "User.pets = collection('Pet', via='owners'): via names Pet.owners, which is a collection of Pet, not of User. "
        'Write owners = collection("User", via="pets") in class Pet.',
    ),
    "answered by a collection without via": (
        lambda: {"pets": collection("Pet", via="owners")},
        lambda: {"owners": collection("User")},
        "User.pets = collection('Pet', via='owners'): via names Pet.owners, which has no via and is a one-way collection with links of "
        'its own. Write owners = collection("User", via="pets") in class Pet.',
    ),
    "answered by a collection with another via": (
        lambda: {"pets": collection("Pet", via="owners"), "walks": collection("Pet", via="owners")},
        lambda: {"owners": collection("User", via="pets")},
        "User.walks = collection('Pet', via='owners'): via names Pet.owners, and the via of that names User.pets. "
        'Write owners = collection("User", via="walks") in class Pet.',
    ),
    "answered by a collection through a model": (
        lambda: {"pets": collection("Pet", via="owners")},
        lambda: {"owners": collection("User", via="pet", through="Link")},
        "User.pets = collection('Pet', via='owners'): via names Pet.owners, whose links are records of Link. "
        "Give this one the same through, and as via the key to User.",
    ),
    "dominant on a one-to-many": (
        lambda: {"pets": collection("Pet", via="owner", dominant=True)},
        lambda: {"owner": reference("User")},
        "User.pets = collection('Pet', via='owner', dominant=True): dominant says which end of a many-to-many has the links, and by "
        "Pet.owner this is one-to-many: Pet has the key. Leave dominant out.",
    ),
    "through names no key": (
        lambda: {"pets": collection("Pet", via="usr", through="Link")},
        dict,
        "User.pets = collection('Pet', via='usr', through='Link'): via names Link.usr, and Link has no key 'usr'. "
        "Its keys to User are user.",
    ),
    "through names a key to another model": (
        lambda: {"pets": collection("Pet", via="pet", through="Link")},
        dict,
        "User.pets = collection('Pet', via='pet', through='Link'): via names Link.pet, which refers to Pet, not to User. "
        "Its keys to User are user.",
    ),
    "through names a column": (
        lambda: {"pets": collection("Pet", via="role", through="Link")},
        dict,
        "User.pets = collection('Pet', via='role', through='Link'): via names Link.role, which is no key to User. "
        "Its keys to User are user.",
    ),
    "through has no key": (
        lambda: {"pets": collection("Pet", via="user", through="Half")},
        dict,
        "User.pets = collection('Pet', via='user', through='Half'): Half has no key to Pet. Write pet = reference(\"Pet\") in class Half.",
    ),
    "through has several keys": (
        lambda: {"pets": collection("Pet", through="Many")},
        dict,
        "User.pets = collection('Pet', through='Many'): Many has several keys to User: user, other. "
        'Say which one with via="user", here.',
    ),
    "through does not exist": (
        lambda: {"pets": collection("Pet", via="user", through="Linkk")},
        dict,
        "User.pets = collection('Pet', via='user', through='Linkk'): there is no model 'Linkk'. Did you mean 'Link'.",
    ),
}


def wrong(Base, case):
    """The models of a case, and what sync says to them."""
    user, pet, text = LOAD_ERRORS[case]
    models = load(
        Base,
        user(),
        pet(),
        Link={"user": reference("User"), "pet": reference("Pet"), "role": CharField(null=True)},
        Half={"user": reference("User")},
        Many={"user": reference("User"), "other": reference("User"), "pet": reference("Pet")},
    )
    return models, text


@pytest.mark.parametrize("case", LOAD_ERRORS)
def test_load_errors_name_both_ends_and_the_fix(scratch, case):
    """F3: raised in sync, before the database is asked for anything, and again each time."""
    models, text = wrong(scratch.Base, case)
    for _ in range(2):
        with pytest.raises(activeassoc.AssociationError) as error:
            sync(*models.values())
        assert str(error.value) == text


def test_a_load_error_leaves_the_database_empty(fresh):
    """F3: raised in sync, before any table is made."""
    models, text = wrong(fresh.on(), next(iter(LOAD_ERRORS)))
    with pytest.raises(activeassoc.AssociationError) as error:
        sync(*models.values())
    assert str(error.value) == text
    assert fresh.db.get_tables() == []


def test_both_ends_dominant_across_datastores(store, Base):
    """F3, H2: an error before anything is made; in one database dominant says nothing."""
    from conftest import base_on

    Other = base_on(store.connect(), __name__)

    class User(Base):
        pets = collection("Pet", via="owners", dominant=True)

    class Pet(Other):
        owners = collection("User", via="pets", dominant=True)

    with pytest.raises(DeclarationError) as error:
        sync(User, Pet)
    assert (
        str(error.value) == "User.pets = collection('Pet', via='owners', dominant=True): User.pets and Pet.owners are both dominant, and "
        "their models are in different databases, of which one has the links. Leave dominant out at one of them."
    )
    assert Base._meta.database.get_tables() == Other._meta.database.get_tables() == []


def test_a_load_error_is_raised_at_first_use_and_can_be_mended(scratch):
    """A6, A16: not from the other model's class statement; what was missing may still come."""

    class User(scratch.Base):
        pets = collection("Pet", via="owner")

    before = dict(vars(User))

    class Pet(scratch.Base):
        name = CharField()

    assert dict(vars(User)) == before
    with pytest.raises(UnknownName, match=r"Pet has no attribute 'owner'"):
        User.pets.target  # noqa: B018
    with pytest.raises(UnknownName, match=r"Pet has no attribute 'owner'"):
        User().get_pets()
    Pet.belongs_to(User, as_="owner")
    assert User.pets.target is Pet
    assert type(User.pets) is HasMany


def test_a_model_that_is_given_itself_is_checked_in_the_class_statement(scratch):
    """F3, A16: the class that is wrong does not come to be, and nothing is changed on the other."""

    class Pet(scratch.Base):
        owner = reference("User")

    before = state(__name__)
    with pytest.raises(UnknownName) as error:

        class User(scratch.Base):
            pets = collection(Pet, via="ownr")
            walks = collection(Pet)

    assert str(error.value).startswith("User.pets = collection(Pet, via='ownr'): via names Pet.ownr, and Pet has no attribute 'ownr'.")
    del error
    assert state(__name__) == before


# Inheritance


def test_a_subclass_has_the_declarations_anew(fresh):
    """A20: with tables and keys of its own."""
    Base = fresh.on()

    class Item(Base):
        owner = reference("User")
        parent = reference("self")
        tags = collection("Tag")

    class Book(Item):
        pages = IntegerField(null=True)

    class User(Base):
        items = collection("Item", via="owner")

    class Tag(Base):
        pass

    sync(fresh.db)
    assert Book.owner is not Item.owner
    assert Book.parent.rel_model is Book
    assert Item.parent.rel_model is Item
    assert cols(Book) == {"id", "owner_id", "parent_id", "pages"}
    assert Book.tags.through is not Item.tags.through
    user = User.create()
    first = Book.create(owner=user)
    second = Book.create(parent=first)
    assert second.get_parent() == first
    assert first.get_owner() == user
    assert user.get_items() == []
    tag = first.create_tag()
    assert first.get_tags() == [tag]
    assert Item.tags.through.select().count() == 0


def test_an_abstract_base_declares_for_its_descendants(fresh):
    """A20, E3: it has no table, and each descendant keys of its own."""

    class Owned(fresh.on()):
        owner = reference("User", null=False)

        class Meta:
            abstract = True

    class User(fresh.Base):
        books = collection("Book", via="owner")
        films = collection("Film", via="owner")

    class Book(Owned):
        title = CharField(null=True)

    class Film(Owned):
        owner = reference("User", column_name="director")

    sync(fresh.db)
    assert not Owned.associations
    assert set(fresh.db.get_tables()) == {"user", "book", "film"}
    assert cols(Film) == {"id", "director"}
    user = User.create()
    assert user.create_book().get_owner() == user.create_film().get_owner() == user


def test_a_subclass_may_say_otherwise(scratch):
    """A20: what its own body says wins, be it a field, a form, or nothing."""

    class Item(scratch.Base):
        owner = reference("User")
        maker = reference("User")

    class Book(Item):
        owner = CharField()
        maker = None

    class User(scratch.Base):
        pass

    for association in Item.associations.values():
        association.target  # noqa: B018
    assert not Book.associations
    assert sorted(Book._meta.fields) == ["id", "owner"]
    assert sorted(Item._meta.fields) == ["id", "maker", "owner"]


def test_a_collection_that_points_to_the_base_is_none_of_the_subclass(fresh):
    """A20: the inherited accessor raises and says how to declare it; nothing stands against sync."""
    Base = fresh.on()

    class User(Base):
        pets = collection("Pet", via="owner")

    class Admin(User):
        level = IntegerField(null=True)

    class Pet(Base):
        owner = reference("User")

    sync(fresh.db)
    assert not Admin.associations
    admin = Admin.create()
    with pytest.raises(DeclarationError) as error:
        admin.pets  # noqa: B018
    text = "Admin.pets: User.pets = collection('Pet', via='owner') is of User, and Admin is a model with a table of its own. "
    assert str(error.value).startswith(text)
    with pytest.raises(DeclarationError):
        admin.get_pets()


def test_a_model_defined_again_replaces_the_former(fresh):
    """A6: class statements may run again in one place."""
    Base = fresh.on()
    for _ in range(2):

        class User(Base):
            pets = collection("Pet", via="owners")

        class Pet(Base):
            owners = collection("User", via="pets")

    sync(fresh.db)
    user, pet = User.create(), Pet.create()
    user.add_pet(pet)
    assert pet.get_owners() == [user]


def test_links_pickle(fresh):
    """B5: the join model of collections is importable where its source is."""
    Base = fresh.on()
    Owner = type(Base)("Owner", (Base,), {"dogs": collection("Dog"), "__module__": __name__, "__qualname__": "Owner"})
    globals().update(Owner=Owner)
    Dog = type(Base)("Dog", (Base,), {"__module__": __name__, "__qualname__": "Dog"})
    globals().update(Dog=Dog)
    try:
        sync(Owner, Dog)
        owner = Owner.create()
        owner.create_dog()
        row = owner.get_dogs()[0].dog_dogs_dog_owner_dogs
        assert pickle.loads(pickle.dumps(row)) == row
    finally:
        for name in ("Owner", "Dog", Owner.dogs.through.__name__):
            globals().pop(name, None)


def test_reading_costs_what_the_calls_cost(fresh):
    """C: one query for a collection, none for a NULL key."""
    Base = fresh.on()

    class User(Base):
        pets = collection("Pet", via="owner")

    class Pet(Base):
        owner = reference("User")

    sync(fresh.db)
    user = User.create()
    user.create_pets([{}, {}])
    user = User.find_one(user.id)
    with assert_queries(1):
        assert len(user.pets) == 2
        assert all(pet.owner is user for pet in user.pets)
    with assert_queries(0):
        assert Pet(owner=None).get_owner() is None


def test_the_forms_are_of_use_only_in_class_bodies():
    """F1: Model keeps no form, and both are importable from the package."""
    assert not any(type(value).__name__ == "Form" for value in vars(Model).values())
    assert {"collection", "reference"} <= set(activeassoc.__all__)
