"""Keys: one column, whoever declares it and in whichever order; keys that are there already; keys of every kind."""

from __future__ import annotations

import gc
import itertools
import uuid
from typing import Any

import peewee
import pytest
from declarations import Scratch
from looking import cols, keys, raw

from activeassoc import DeclarationError, RequiredKeyError, sync


@pytest.fixture(autouse=True)
def forget() -> None:
    """Models of former tests are known, and found by name, until they are collected."""
    gc.collect()


@pytest.fixture
def scratch() -> Scratch:
    return Scratch(__name__)


def fields(model: Any) -> list[str]:
    return [field.name for field in model._meta.sorted_fields]


def test_belongs_to_puts_the_key_on_the_source(fresh: Any) -> None:
    """A1: and every option of it reaches the database."""
    Task, User = fresh("Task", "User")
    Task.belongs_to(User)
    Task.belongs_to(User, "owner", foreign_key="owner", on_delete="cascade", on_update="no action", null=False)
    Task.belongs_to(User, "watcher", constraints=False)
    sync(fresh.db)
    assert cols(Task) == {"id", "title", "user_id", "owner", "watcher_id"}
    assert {key for key in keys(Task) if key[0] != "owner"} == {("user_id", "user", "id", "SET NULL", "CASCADE")}
    assert {key[:4] for key in keys(Task) if key[0] == "owner"} == {("owner", "user", "id", "CASCADE")}
    assert {column.name: column.null for column in fresh.db.get_columns("task")}["owner"] is False


def test_has_one_and_has_many_put_the_key_on_the_target(fresh: Any) -> None:
    """A2, A3: with the same options of the key."""
    User, Profile, Task = fresh("User", "Profile", "Task")
    User.has_one(Profile, on_delete="CASCADE", null=False)
    User.has_many(Task, on_delete="RESTRICT", foreign_key="owner_id")
    sync(fresh.db)
    assert keys(Profile) == {("user_id", "user", "id", "CASCADE", "CASCADE")}
    assert keys(Task) == {("owner_id", "user", "id", "RESTRICT", "CASCADE")}
    assert cols(User) == {"id", "title"}


@pytest.mark.parametrize("method", ["belongs_to", "has_one"])
def test_unique_makes_one_to_one_hold_in_the_database(fresh: Any, method: str) -> None:
    """E2: belongs_to with unique=True, and has_one with unique=True."""
    User, Profile = fresh("User", "Profile")
    Profile.belongs_to(User, unique=True) if method == "belongs_to" else User.has_one(Profile, unique=True)
    sync(fresh.db)
    ann = User.create()
    Profile.create(user=ann)
    Profile.create()
    Profile.create()
    with pytest.raises(peewee.IntegrityError):
        Profile.create(user=ann)


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_one_key_declared_from_all_ends(fresh: Any, order: tuple[int, ...]) -> None:
    """A10, A11: one column with one constraint in any order; an option not given has no opinion."""
    User, Task = fresh("User", "Task")
    calls = [
        lambda: User.has_many(Task, on_delete="CASCADE"),
        lambda: Task.belongs_to(User, null=False),
        lambda: User.has_one(Task, as_="first", on_update="RESTRICT"),
    ]
    for index in order:
        calls[index]()
    assert User.tasks.key is Task.associations["user"].key is User.first.key
    sync(fresh.db)
    assert cols(Task) == {"id", "title", "user_id"}
    assert keys(Task) == {("user_id", "user", "id", "CASCADE", "RESTRICT")}
    assert Task.user.null is False


@pytest.mark.parametrize("turned", [False, True])
def test_an_alias_of_the_belongs_to_names_the_key(fresh: Any, turned: bool) -> None:
    """A10: it takes over, and renames, the only key that a has_one or has_many had added; an alias on has_* never does."""
    User, Task = fresh("User", "Task")
    calls = [lambda: User.has_many(Task, as_="jobs"), lambda: Task.belongs_to(User, as_="owner")]
    for call in reversed(calls) if turned else calls:
        call()
    assert fields(Task) == ["id", "title", "owner"]
    assert not hasattr(Task, "user")
    assert not hasattr(Task, "user_id")
    assert User.jobs.key.column == "owner_id"
    sync(fresh.db)
    assert cols(Task) == {"id", "title", "owner_id"}
    ann = User.create()
    assert ann.create_job().owner == ann


def test_a_belongs_to_means_its_own_column_whatever_other_keys_there_are(scratch: Scratch) -> None:
    """A10: belongs_to without foreign_key means <target or alias>_id; only a key of has_* without foreign_key is taken over."""
    User = scratch("User")
    Task = scratch.model("Task", tester=peewee.ForeignKeyField(User, backref="+"))
    User.has_many(Task, as_="reviews", foreign_key="reviewer_id")
    Task.belongs_to(User)
    Task.belongs_to(User, as_="owner")
    assert fields(Task) == ["id", "tester", "reviewer", "user", "owner"]


def test_a_has_many_uses_the_only_key_that_there_is(scratch: Scratch) -> None:
    """A10, A13: a has_* without foreign_key, whatever the key's name."""
    User = scratch("User")
    Task = scratch.model("Task", tester=peewee.ForeignKeyField(User, backref="+"))
    assert User.has_many(Task).key.field is Task.tester
    assert User.has_one(Task, as_="first").key.field is Task.tester
    assert fields(Task) == ["id", "tester"]


def test_declaring_the_very_same_thing_twice_returns_the_first(scratch: Scratch) -> None:
    """A11: for every kind, with every option, and for scopes that are written anew."""
    Person, Task = scratch("Person", "Task")
    calls: list[Any] = [
        lambda: Task.belongs_to(Person),
        lambda: Task.belongs_to(Person, as_="owner", on_delete="CASCADE", null=False),
        lambda: Task.belongs_to("Later"),
        lambda: Person.has_one(Task, as_="first", foreign_key="first_of_id"),
        lambda: Person.has_many(Task, as_="done", foreign_key="owner_id", where={"title": "x"}, order=["-title", Task.id]),
        lambda: Person.has_many(Task, as_="open", foreign_key="owner_id", where=Task.title != "x", order=Task.title.desc()),
        lambda: Person.has_many(Task, as_="jobs", through="hirings", unique=False),
        lambda: Person.belongs_to_many("self", as_="friends", through="friendships", symmetric=True),
        lambda: Person.has_many("self", as_="children", foreign_key="parent_id", through=None),
        lambda: Person.has_many("self", as_="acquaintances", through="meetings"),
    ]
    for call in calls:
        first = call()
        assert call() is first
    assert len(Person.associations) == 7
    assert len(Task.associations) == 3


def test_what_a_repeated_declaration_says_beyond_the_first_counts(fresh: Any) -> None:
    """A11: an option not given has no opinion: the second may give it, also where the target was still waited for."""
    Task = fresh("Task")
    first = Task.belongs_to("Holder")
    assert Task.belongs_to("Holder", on_delete="CASCADE") is first
    Holder = type(fresh.Base)("Holder", (fresh.Base,), {"__module__": __name__, "__qualname__": "Holder"})
    assert Task.belongs_to(Holder, null=False) is first
    assert Task.belongs_to(Holder, unique=True) is first
    sync(fresh.db)
    assert keys(Task) == {("holder_id", "holder", "id", "CASCADE", "CASCADE")}
    assert Task.holder.null is False
    assert Task.holder.unique is True


def test_a_repeated_declaration_may_not_contradict_one_that_waits(scratch: Scratch) -> None:
    """A11: printing both declarations."""
    Task = scratch("Task")
    Task.belongs_to("Somebody", on_delete="CASCADE")
    with pytest.raises(DeclarationError) as raised:
        Task.belongs_to("Somebody", on_delete="RESTRICT")
    assert str(raised.value) == (
        "Task.belongs_to('Somebody', on_delete='RESTRICT'): it says on_delete='RESTRICT', and "
        "Task.belongs_to('Somebody', on_delete='CASCADE') says on_delete='CASCADE'. Make them agree, or say it once."
    )


def test_a_default_that_is_written_out_contradicts_nothing(scratch: Scratch) -> None:
    """A11: two given, different values raise; equal ones, in any case of letters, do not."""
    User, Task = scratch("User", "Task")
    User.has_many(Task, on_delete="cascade", null=True)
    Task.belongs_to(User, on_delete="CASCADE", null=True)
    assert Task.user.on_delete == "CASCADE"


def test_a_key_written_by_hand_is_used(fresh: Any) -> None:
    """A13: a key that is already a field of the model is used, not added again, and its own options hold."""
    User = fresh("User")

    class Task(fresh.Base):
        owner = peewee.ForeignKeyField(User, on_delete="CASCADE", column_name="boss", backref="all_tasks")

    field = Task.owner
    Task.belongs_to(User, as_="owner", foreign_key="boss")
    User.has_many(Task)
    assert Task.owner is field
    assert User.tasks.key.field is field
    sync(fresh.db)
    assert cols(Task) == {"id", "boss"}
    ann = User.create()
    task = ann.create_task()
    assert task.get_owner() == task.owner == ann
    assert list(ann.all_tasks) == [task]
    with pytest.raises(RequiredKeyError):
        ann.remove_task(task)


def test_a_plain_column_is_used(fresh: Any) -> None:
    """A13: declared by hand as a plain field: the column stays, the record comes beside it."""
    User = fresh("User")

    class Task(fresh.Base):
        user_id = peewee.IntegerField(null=True)

    Task.belongs_to(User)
    sync(fresh.db)
    assert cols(Task) == {"id", "user_id"}
    ann = User.create()
    task = Task.create(user_id=ann.id)
    assert task.user == task.get_user() == ann
    assert [each.user_id for each in Task.select().where(Task.user == ann)] == [ann.id]


def test_a_primary_key_may_be_the_key(fresh: Any) -> None:
    """A13: a profile whose key is that of its user: a plain primary key stays the primary key."""
    User = fresh("User")

    class Profile(fresh.Base):
        user_id = peewee.IntegerField(primary_key=True)

    Profile.belongs_to(User)
    User.has_one(Profile)
    assert Profile._meta.primary_key is Profile._meta.fields["user"]
    assert Profile._meta.auto_increment is False
    sync(fresh.db)
    assert cols(Profile) == {"user_id"}
    ann = User.create()
    profile = Profile.create(user=ann)
    assert profile.user_id == ann.id
    assert ann.get_profile() == Profile.get_by_id(ann.id) == profile


def test_a_hand_written_key_alone_has_no_accessors(scratch: Scratch) -> None:
    """A13: the accessors come with belongs_to."""
    User = scratch("User")
    Task = scratch.model("Task", owner=peewee.ForeignKeyField(User, backref="+"))
    assert not Task.associations
    assert not hasattr(Task, "get_owner")
    Task.belongs_to(User, as_="owner")
    assert callable(Task.get_owner)


KEYS = {
    "integer": lambda: peewee.IntegerField(primary_key=True),
    "bigint": lambda: peewee.BigAutoField(),
    "uuid": lambda: peewee.UUIDField(primary_key=True, default=uuid.uuid4),
    "string": lambda: peewee.CharField(primary_key=True, max_length=20),
    "column": lambda: peewee.AutoField(column_name="UserNo"),
}


@pytest.mark.parametrize("kind", list(KEYS))
@pytest.mark.parametrize("name", ["id", "number"])
def test_keys_of_every_kind(fresh: Any, kind: str, name: str) -> None:
    """A15, B4: integer, UUID, string, a custom name; for all four kinds."""
    Task = fresh("Task")
    User = type(fresh.Base)("User", (fresh.Base,), {name: KEYS[kind](), "__module__": __name__, "__qualname__": "User"})
    User.has_many(Task)
    Task.belongs_to(User)
    User.has_one(Task, as_="first")
    User.belongs_to_many(Task, as_="watched", through="watchings")
    sync(fresh.db)
    assert f"user_{name}" in cols(Task)
    value = {"integer": 7, "string": "ann"}.get(kind)
    ann = User.create(**({} if value is None else {name: value}))
    task = ann.create_task()
    ann.add_watched(task)
    assert task.user == Task.get().user == task.get_user() == ann
    assert getattr(task, f"user_{name}") == getattr(ann, name)
    assert ann.get_tasks() == ann.get_watched() == [task]
    assert ann.get_first() == task


def test_a_unique_column_as_key(fresh: Any) -> None:
    """A15: by source_key and target_key, from all sides; arguments are primary keys all the same."""
    Task = fresh("Task")
    User = type(fresh.Base)("User", (fresh.Base,), {"name": peewee.CharField(unique=True), "__module__": __name__})
    User.has_many(Task, source_key="name")
    Task.belongs_to(User, target_key="name")
    Task.has_many(User, as_="watchers", through="watchings", target_key="name")
    sync(fresh.db)
    assert keys(Task) == {("user_name", "user", "name", "SET NULL", "CASCADE")}
    ann = User.create(name="ann")
    task = ann.create_task()
    task.add_watcher(ann.id)
    assert raw(fresh.db, "SELECT user_name FROM task") == raw(fresh.db, "SELECT user_name FROM watchings") == [("ann",)]
    task.set_user(None)
    task.set_user(ann.id)
    assert task.user_name == "ann"
    assert Task.get().user == ann


def test_a_model_with_a_composite_key_as_target(fresh: Any) -> None:
    """A15: it can be the target of has_one and has_many: records are given as instances or tuples."""
    User = fresh("User")

    class Seat(fresh.Base):
        row = peewee.IntegerField()
        place = peewee.IntegerField()

        class Meta:
            primary_key = peewee.CompositeKey("row", "place")

    User.has_many(Seat)
    User.has_one(Seat, as_="best")
    sync(fresh.db)
    ann = User.create()
    one, two = Seat.create(row=1, place=1), Seat.create(row=1, place=2)
    assert ann.set_seats([one, (1, 2)]) == [one, two]
    assert ann.has_seat((1, 1))
    assert ann.remove_seat(one) == 1
    assert ann.get_best() == two


def test_detaching_a_record_whose_key_is_part_of_its_primary_key(fresh: Any) -> None:
    """A15: raises unless destroy=True."""
    User = fresh("User")

    class Seat(fresh.Base):
        user = peewee.ForeignKeyField(User, backref="+")
        place = peewee.IntegerField()

        class Meta:
            primary_key = peewee.CompositeKey("user", "place")

    User.has_many(Seat)
    sync(fresh.db)
    ann = User.create()
    seat = ann.create_seat(place=1)
    with pytest.raises(RequiredKeyError):
        ann.remove_seat(seat)
    assert Seat.select().count() == 1
    ann.remove_seat(seat, destroy=True)
    assert Seat.select().count() == 0


def test_has_one_of_a_model_on_itself(fresh: Any) -> None:
    """A9: the alias names the column; the field that would be named like the association is named <alias>_of."""
    Person = fresh("Person")
    Person.has_one(Person, as_="father")
    sync(fresh.db)
    assert cols(Person) == {"id", "title", "father_id"}
    ann, bob = Person.create(), Person.create()
    ann.set_father(bob)
    assert bob.father_id == ann.id
    assert bob.father_of == ann
    assert ann.get_father() == bob


def test_has_one_of_a_model_on_itself_by_another_key(scratch: Scratch) -> None:
    """A9: foreign_key="dad_id" overrides."""
    Person = scratch("Person")
    Person.has_one("self", as_="father", foreign_key="dad_id")
    assert fields(Person) == ["id", "title", "dad"]


def test_a_declaration_after_the_tables_exist_changes_models_only(fresh: Any) -> None:
    """A17: sync adds what is missing."""
    Task, User = fresh("Task", "User")
    sync(fresh.db)
    Task.belongs_to(User)
    Task.has_many(User, as_="watchers", through="watchings")
    assert cols(Task) == {"id", "title"}
    assert "watchings" not in fresh.db.get_tables()
    sync(fresh.db, alter=True)
    assert cols(Task) == {"id", "title", "user_id"}
    assert "watchings" in fresh.db.get_tables()
