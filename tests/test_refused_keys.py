"""Declarations that are refused for their key: another declaration, or the model itself, says otherwise.

Each of these prepares models, yields, and declares: the test looks at every known model before and after.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import peewee
import pytest
from declarations import Scratch, state

import activeassoc
from activeassoc import DeclarationError, UnknownName, WrongTarget

Declaring = Iterator[None]
CASES: list[Any] = []


def refused(error: type[Exception], text: str) -> Callable[[Any], Any]:
    """The declaration after the yield raises this error, with this text."""

    def mark(case: Any) -> Any:
        CASES.append(pytest.param(case, error, text, id=case.__name__))
        return case

    return mark


@refused(
    DeclarationError,
    "Task.belongs_to(User, as_='tester'): User.has_many(Task) shares its key 'owner_id' with another belongs_to, and which "
    'of the two it means cannot be told. Give it foreign_key="owner_id".',
)
def a_second_belongs_to_of_a_shared_key(scratch: Scratch) -> Declaring:
    """A10: a second belongs to of a shared key."""
    Task, User = scratch("Task", "User")
    User.has_many(Task)
    Task.belongs_to(User, as_="owner")
    yield
    Task.belongs_to(User, as_="tester")


@refused(
    DeclarationError,
    "Task.belongs_to(User, on_delete='RESTRICT'): of the key 'user_id' it says on_delete='RESTRICT', and "
    "User.has_many(Task, on_delete='CASCADE') says on_delete='CASCADE'. Make them agree, or say it once.",
)
def another_rule_from_the_other_end(scratch: Scratch) -> Declaring:
    """A11: another rule from the other end."""
    Task, User = scratch("Task", "User")
    User.has_many(Task, on_delete="CASCADE")
    yield
    Task.belongs_to(User, on_delete="RESTRICT")


@refused(
    DeclarationError,
    "User.has_one(Task, on_update='NO ACTION'): of the key 'user_id' it says on_update='NO ACTION', and "
    "Task.belongs_to(User, on_update='CASCADE') says on_update='CASCADE'. Make them agree, or say it once.",
)
def another_update_rule_from_the_other_end(scratch: Scratch) -> Declaring:
    """A11: another update rule from the other end."""
    Task, User = scratch("Task", "User")
    Task.belongs_to(User, on_update="CASCADE")
    yield
    User.has_one(Task, on_update="NO ACTION")


@refused(
    DeclarationError,
    "User.has_many(Task, null=True): of the key 'user_id' it says null=True, and Task.belongs_to(User, null=False) says "
    "null=False. Make them agree, or say it once.",
)
def another_nullability_from_the_other_end(scratch: Scratch) -> Declaring:
    """A11: another nullability from the other end."""
    Task, User = scratch("Task", "User")
    Task.belongs_to(User, null=False)
    yield
    User.has_many(Task, null=True)


@refused(
    DeclarationError,
    "Task.belongs_to(User, on_delete='RESTRICT'): of the key 'user_id' it says on_delete='RESTRICT', and "
    "Task.belongs_to(User, on_delete='CASCADE') says on_delete='CASCADE'. Make them agree, or say it once.",
)
def another_rule_for_the_same_association(scratch: Scratch) -> Declaring:
    """A11: another rule for the same association."""
    Task, User = scratch("Task", "User")
    Task.belongs_to(User, on_delete="CASCADE")
    yield
    Task.belongs_to(User, on_delete="RESTRICT")


@refused(
    DeclarationError,
    "Team.has_many(Task, foreign_key='owner_id'): the key 'owner_id' points to User already: Task.belongs_to(User, "
    "foreign_key='owner_id'). Give another foreign_key.",
)
def another_target_for_one_key(scratch: Scratch) -> Declaring:
    """A11: another target for one key."""
    Task, User, Team = scratch("Task", "User", "Team")
    Task.belongs_to(User, foreign_key="owner_id")
    yield
    Team.has_many(Task, foreign_key="owner_id")


@refused(
    DeclarationError,
    "Task.belongs_to(User, foreign_key='owner', target_key='name'): the key 'owner' refers to User.id, not to name. Leave "
    "target_key out, or give another foreign_key.",
)
def another_referenced_key(scratch: Scratch) -> Declaring:
    """A11: another referenced key."""
    Task = scratch("Task")
    User = scratch.model("User", name=peewee.CharField(unique=True))
    User.has_many(Task, foreign_key="owner")
    yield
    Task.belongs_to(User, foreign_key="owner", target_key="name")


@refused(
    DeclarationError,
    "User.has_many(Task, on_delete='RESTRICT'): of the key 'user_id' it says on_delete='RESTRICT', and ForeignKeyField "
    "Task.user says on_delete='CASCADE'. Make them agree, or say it once.",
)
def another_rule_than_that_of_the_field(scratch: Scratch) -> Declaring:
    """A11: another rule than that of the field."""
    User = scratch("User")

    class Task(scratch.Base):
        user = peewee.ForeignKeyField(User, on_delete="CASCADE")

    yield
    User.has_many(Task, on_delete="RESTRICT")


@refused(
    DeclarationError,
    "Task.belongs_to(User, null=True): of the key 'user_id' it says null=True, and ForeignKeyField Task.user says "
    "null=False. Make them agree, or say it once.",
)
def another_nullability_than_that_of_the_field(scratch: Scratch) -> Declaring:
    """A11: another nullability than that of the field."""
    User = scratch("User")

    class Task(scratch.Base):
        user = peewee.ForeignKeyField(User)

    yield
    Task.belongs_to(User, null=True)


@refused(
    DeclarationError,
    "Task.belongs_to(Team, as_='owner'): the key 'owner_id' points to User already: ForeignKeyField Task.owner. Give another foreign_key.",
)
def another_target_than_that_of_the_field(scratch: Scratch) -> Declaring:
    """A11, A13: another target than that of the field."""
    User, Team = scratch("User", "Team")

    class Task(scratch.Base):
        owner = peewee.ForeignKeyField(User)

    yield
    Task.belongs_to(Team, as_="owner")


@refused(
    DeclarationError,
    'Team.has_many(Game): Game has several keys to Team: home_id, away_id. Say which one with foreign_key="home_id".',
)
def several_keys_to_choose_from(scratch: Scratch) -> Declaring:
    """A13: several keys to choose from."""
    Game, Team = scratch("Game", "Team")
    Game.belongs_to(Team, as_="home")
    Game.belongs_to(Team, as_="away")
    yield
    Team.has_many(Game)


@refused(
    DeclarationError,
    "Task.belongs_to(User): Task.user_id is of type UUIDField and can hold no key of User, whose id is of type AutoField. "
    "Give the column the type of the key, or another foreign_key.",
)
def a_column_of_another_type(scratch: Scratch) -> Declaring:
    """A13, H4: a column of another type."""
    User = scratch("User")
    Task = scratch.model("Task", user_id=peewee.UUIDField(null=True))
    yield
    Task.belongs_to(User)


@refused(
    WrongTarget,
    'ReferenceField(5): this is neither a model nor a name. Write ReferenceField("Trainer").',
)
def a_reference_to_nothing(scratch: Scratch) -> Declaring:
    """A14: a reference to nothing."""
    yield
    activeassoc.ReferenceField(5)


@refused(
    DeclarationError,
    "Task.belongs_to(Seat): no key can point to Seat: its primary key has several columns. Give target_key= with a unique "
    "column of Seat, or the model an own id.",
)
def a_key_to_a_composite_key(scratch: Scratch) -> Declaring:
    """A15: a key to a composite key."""
    Task = scratch("Task")
    Seat = scratch.model(
        "Seat",
        row=peewee.IntegerField(),
        place=peewee.IntegerField(),
        Meta=type("Meta", (), {"primary_key": peewee.CompositeKey("row", "place")}),
    )
    yield
    Task.belongs_to(Seat)


@refused(
    DeclarationError,
    "Seat.has_many(Task): no key can point to Seat: its primary key has several columns. Give source_key= with a unique "
    "column of Seat, or the model an own id.",
)
def a_has_many_of_a_model_with_a_composite_key(scratch: Scratch) -> Declaring:
    """A15: a has many of a model with a composite key."""
    Task = scratch("Task")
    Seat = scratch.model(
        "Seat",
        row=peewee.IntegerField(),
        place=peewee.IntegerField(),
        Meta=type("Meta", (), {"primary_key": peewee.CompositeKey("row", "place")}),
    )
    yield
    Seat.has_many(Task)


@refused(
    DeclarationError,
    "Task.has_many(Seat, through='bookings'): no key can point to Seat: its primary key has several columns. Give "
    "target_key= with a unique column of Seat, or the model an own id.",
)
def a_many_to_many_of_a_model_with_a_composite_key(scratch: Scratch) -> Declaring:
    """A15: a many to many of a model with a composite key."""
    Task = scratch("Task")
    Seat = scratch.model(
        "Seat",
        row=peewee.IntegerField(),
        place=peewee.IntegerField(),
        Meta=type("Meta", (), {"primary_key": peewee.CompositeKey("row", "place")}),
    )
    yield
    Task.has_many(Seat, through="bookings")


@refused(
    DeclarationError,
    "Task.belongs_to(Entry): no key can point to Entry: it has no primary key. Give target_key= with a unique column of "
    "Entry, or the model an own id.",
)
def a_key_to_a_model_without_a_primary_key(scratch: Scratch) -> Declaring:
    """A15: a key to a model without a primary key."""
    Task = scratch("Task")
    Entry = scratch.model("Entry", line=peewee.TextField(), Meta=type("Meta", (), {"primary_key": False}))
    yield
    Task.belongs_to(Entry)


@refused(
    UnknownName,
    "Task.belongs_to(User, target_key='nmae'): User has no field 'nmae' for target_key=. Did you mean 'name'.",
)
def a_referenced_field_that_is_not_there(scratch: Scratch) -> Declaring:
    """A15, M1: a referenced field that is not there."""
    Task = scratch("Task")
    User = scratch.model("User", name=peewee.CharField(unique=True))
    yield
    Task.belongs_to(User, target_key="nmae")


@refused(
    DeclarationError,
    "User.has_many(Task, source_key='title'): User.title is not unique, and a key has to mean one record. Declare it with unique=True.",
)
def a_referenced_field_that_is_not_unique(scratch: Scratch) -> Declaring:
    """A15: a referenced field that is not unique."""
    Task, User = scratch("Task", "User")
    yield
    User.has_many(Task, source_key="title")


@refused(
    DeclarationError,
    "User.belongs_to(Team): User would get the key 'team_id', and Admin was derived from it before and would not. Declare "
    "this before class Admin, or write the key into class User.",
)
def a_key_for_a_base_with_subclasses(scratch: Scratch) -> Declaring:
    """A20: a key for a base with subclasses."""
    User, Team = scratch("User", "Team")
    _admin = scratch.model("Admin", User, level=peewee.IntegerField())
    yield
    User.belongs_to(Team)


@refused(
    DeclarationError,
    "Task.has_many(User, through=Assignment): the key 'task_id' points to Note already: ForeignKeyField Assignment.task. "
    "Give another foreign_key.",
)
def a_through_model_with_a_key_to_a_third(scratch: Scratch) -> Declaring:
    """A11, D1: a through model with a key to a third."""
    Task, User, Note = scratch("Task", "User", "Note")

    class Assignment(scratch.Base):
        task = peewee.ForeignKeyField(Note)

    yield
    Task.has_many(User, through=Assignment)


@refused(
    DeclarationError,
    "Task.has_many(User, through=Assignment): Assignment has several keys to Task: task_id, copied_from_id. Say which one "
    'with foreign_key="task_id".',
)
def a_through_model_with_several_keys(scratch: Scratch) -> Declaring:
    """A13, D1: a through model with several keys."""
    Task, User = scratch("Task", "User")

    class Assignment(scratch.Base):
        task = peewee.ForeignKeyField(Task, backref="+")
        copied_from = peewee.ForeignKeyField(Task, backref="+")

    yield
    Task.has_many(User, through=Assignment)


@refused(
    DeclarationError,
    "Task.has_many(User, through=Assignment, unique=False): the pair is the primary key of Assignment, so no link can be "
    "there twice. Leave unique=False out.",
)
def repeats_of_a_pair_that_is_the_primary_key(scratch: Scratch) -> Declaring:
    """D1: repeats of a pair that is the primary key."""
    Task, User = scratch("Task", "User")

    class Assignment(scratch.Base):
        task = peewee.ForeignKeyField(Task)
        user = peewee.ForeignKeyField(User)

        class Meta:
            primary_key = peewee.CompositeKey("task", "user")

    yield
    Task.has_many(User, through=Assignment, unique=False)


@refused(
    DeclarationError,
    "User.has_many(Task, foreign_key='id'): Task.id is a number that the database gives out, and can refer to nothing. "
    "Give another foreign_key.",
)
def an_automatic_key_as_a_foreign_key(scratch: Scratch) -> Declaring:
    """A13: an automatic key as a foreign key."""
    Task, User = scratch("Task", "User")
    yield
    User.has_many(Task, foreign_key="id")


@pytest.mark.parametrize(("case", "error", "text"), CASES)
def test_refused(case: Any, error: type[Exception], text: str) -> None:
    """A16, M1: the whole text is said, and nothing is changed on any model."""
    declaring = case(Scratch(__name__))
    next(declaring)
    before = state(__name__)
    with pytest.raises(error) as raised:
        next(declaring)
    assert type(raised.value) is error
    assert str(raised.value) == text
    assert state(__name__) == before
