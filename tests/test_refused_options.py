"""Declarations that are refused for what they ask: their options and their target.

Each of these prepares models, yields, and declares: the test looks at every known model before and after.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import peewee
import pytest
from declarations import Scratch, state

from activeassoc import DeclarationError, WrongArgument

Declaring = Iterator[None]
CASES: list[Any] = []


def refused(error: type[Exception], text: str) -> Callable[[Any], Any]:
    """The declaration after the yield raises this error, with this text."""

    def mark(case: Any) -> Any:
        CASES.append(pytest.param(case, error, text, id=case.__name__))
        return case

    return mark


def on_sqlite(*models: Any) -> Any:
    for model in models:
        model._meta.set_database(peewee.SqliteDatabase(":memory:"))
    return models


@refused(
    DeclarationError,
    "Task.belongs_to(User, on_delete='DELETE'): on_delete='DELETE' is no rule. Known are RESTRICT, CASCADE, NO ACTION, SET "
    "DEFAULT, SET NULL.",
)
def a_rule_that_is_none(scratch: Scratch) -> Declaring:
    """E1: a rule that is none."""
    Task, User = scratch("Task", "User")
    yield
    Task.belongs_to(User, on_delete="DELETE")


@refused(
    DeclarationError,
    "User.has_many(Task, on_update=3): on_update=3 is no rule. Known are RESTRICT, CASCADE, NO ACTION, SET DEFAULT, SET NULL.",
)
def an_update_rule_that_is_none(scratch: Scratch) -> Declaring:
    """E1: an update rule that is none."""
    Task, User = scratch("Task", "User")
    yield
    User.has_many(Task, on_update=3)


@refused(
    DeclarationError,
    "User.has_one(Task, on_delete='set null', null=False): on_delete='SET NULL' and null=False contradict each other. Give "
    "null=True, or another rule.",
)
def set_null_of_a_key_that_may_not_be_null(scratch: Scratch) -> Declaring:
    """E1: set null of a key that may not be null."""
    Task, User = scratch("Task", "User")
    yield
    User.has_one(Task, on_delete="set null", null=False)


@refused(
    DeclarationError,
    "User.has_many(Task, on_delete='SET NULL'): on_delete='SET NULL' and the key 'user_id' may not be NULL. Give null=True,"
    " or another rule.",
)
def set_null_where_another_declaration_says_not_null(scratch: Scratch) -> Declaring:
    """E1, A11: set null where another declaration says not null."""
    Task, User = scratch("Task", "User")
    Task.belongs_to(User, null=False)
    yield
    User.has_many(Task, on_delete="SET NULL")


@refused(
    DeclarationError,
    "Task.has_many(User, through='assignments', on_delete='SET NULL'): on_delete='SET NULL' and the key 'task_id' may not "
    "be NULL. Give null=True, or another rule.",
)
def set_null_on_a_key_of_links(scratch: Scratch) -> Declaring:
    """E1, D2: set null on a key of links."""
    Task, User = scratch("Task", "User")
    yield
    Task.has_many(User, through="assignments", on_delete="SET NULL")


@refused(
    WrongArgument,
    'Task.belongs_to(User, foreign_key=5): foreign_key=5 is no name of a column. Write foreign_key="project_id".',
)
def a_foreign_key_that_is_no_name(scratch: Scratch) -> Declaring:
    """A1: a foreign key that is no name."""
    Task, User = scratch("Task", "User")
    yield
    Task.belongs_to(User, foreign_key=5)


@refused(
    WrongArgument,
    "User.has_many(Task, through='assignments', other_key=''): other_key='' is no name of a column. Write other_key=\"project_id\".",
)
def an_empty_name_of_a_key(scratch: Scratch) -> Declaring:
    """A3: an empty name of a key."""
    Task, User = scratch("Task", "User")
    yield
    User.has_many(Task, through="assignments", other_key="")


@refused(
    WrongArgument,
    "Task.belongs_to(User, null='yes'): null='yes' is neither True nor False. Write null=True or null=False.",
)
def a_null_that_is_neither(scratch: Scratch) -> Declaring:
    """A1: a null that is neither."""
    Task, User = scratch("Task", "User")
    yield
    Task.belongs_to(User, null="yes")


@refused(
    WrongArgument,
    "Task.belongs_to_many(User, dominant='first'): dominant='first' is neither True nor False. Write dominant=True or dominant=False.",
)
def a_dominant_that_is_neither(scratch: Scratch) -> Declaring:
    """A3, H2: a dominant that is neither."""
    Task, User = scratch("Task", "User")
    yield
    Task.belongs_to_many(User, dominant="first")


@refused(
    WrongArgument,
    "Task.has_many(User, through=7): through=7 is neither a model nor a table's name. Give one of these.",
)
def a_through_that_is_neither_model_nor_name(scratch: Scratch) -> Declaring:
    """A3: a through that is neither model nor name."""
    Task, User = scratch("Task", "User")
    yield
    Task.has_many(User, through=7)


@refused(
    WrongArgument,
    "Task.has_many(User, through=''): the name of the join table is empty. Write through=\"memberships\".",
)
def an_empty_name_of_a_join_table(scratch: Scratch) -> Declaring:
    """A3: an empty name of a join table."""
    Task, User = scratch("Task", "User")
    yield
    Task.has_many(User, through="")


@refused(
    DeclarationError,
    "Task.belongs_to_many(User, embed=True): embed=True keeps links in documents, and a SQL database has none. Leave embed "
    "out: the links have a table.",
)
def embedding_in_sql(scratch: Scratch) -> Declaring:
    """L2: embedding in sql."""
    Task, User = on_sqlite(*scratch("Task", "User"))
    yield
    Task.belongs_to_many(User, embed=True)


@refused(
    DeclarationError,
    "Task.belongs_to_many(User, through=None): a many-to-many needs a through model. Leave through out, or give a model or a table's name.",
)
def belongs_to_many_without_a_through(scratch: Scratch) -> Declaring:
    """A4: belongs to many without a through."""
    Task, User = scratch("Task", "User")
    yield
    Task.belongs_to_many(User, through=None)


@refused(
    DeclarationError,
    "User.has_many(Task, symmetric=True): symmetric is for a many-to-many, and this one has no through model. Give "
    "through=, or call belongs_to_many.",
)
def a_symmetric_one_to_many(scratch: Scratch) -> Declaring:
    """A3: a symmetric one to many."""
    Task, User = scratch("Task", "User")
    yield
    User.has_many(Task, symmetric=True)


@refused(
    DeclarationError,
    "User.has_many(Task, on_delete='CASCADE', dominant=True): dominant is for a many-to-many, and this one has no through model. "
    "Give through=, or call belongs_to_many.",
)
def a_dominant_one_to_many(scratch: Scratch) -> Declaring:
    """A3, H2: a dominant one to many, which says what only a one-to-many can mean."""
    Task, User = scratch("Task", "User")
    yield
    User.has_many(Task, on_delete="CASCADE", dominant=True)


@refused(
    DeclarationError,
    "User.has_many(Task, dominant=True): dominant is for a many-to-many, and this one is one-to-many as long as no Task.has_many(User) "
    "pairs with it. Declare that one, call belongs_to_many, or leave dominant out.",
)
def a_dominant_one_beside_a_belongs_to(scratch: Scratch) -> Declaring:
    """A3, H2: a dominant one to many, whose key was declared from the other end."""
    Task, User = scratch("Task", "User")
    Task.belongs_to(User)
    yield
    User.has_many(Task, dominant=True)


@refused(
    DeclarationError,
    "User.has_many(Task, embed=True): embed=True keeps links in documents, and a SQL database has none. Leave embed out: "
    "the links have a table.",
)
def an_embedded_one_to_many(scratch: Scratch) -> Declaring:
    """A3: an embedded one to many."""
    Task, User = on_sqlite(*scratch("Task", "User"))
    yield
    User.has_many(Task, embed=True)


@refused(
    DeclarationError,
    "User.has_many(Task, unique=False): unique is for a many-to-many, and this one has no through model. Give through=, or "
    "call belongs_to_many.",
)
def a_one_to_many_that_repeats(scratch: Scratch) -> Declaring:
    """A3: a one to many that repeats."""
    Task, User = scratch("Task", "User")
    yield
    User.has_many(Task, unique=False)


@refused(
    DeclarationError,
    "User.has_many(Task, other_key='task_id'): other_key is for a many-to-many, and this one has no through model. Give "
    "through=, or call belongs_to_many.",
)
def an_other_key_without_a_through(scratch: Scratch) -> Declaring:
    """A3: an other key without a through."""
    Task, User = scratch("Task", "User")
    yield
    User.has_many(Task, other_key="task_id")


@refused(
    DeclarationError,
    "User.has_many(Task, through=None, target_key='title'): target_key is for a many-to-many, and this one has no through "
    "model. Give through=, or call belongs_to_many.",
)
def a_target_key_without_a_through(scratch: Scratch) -> Declaring:
    """A3: a target key without a through."""
    Task, User = scratch("Task", "User")
    yield
    User.has_many(Task, target_key="title", through=None)


@refused(
    DeclarationError,
    "Task.belongs_to_many(User, symmetric=True): Task and User are two models, and a link between them has two different "
    "ends. Leave symmetric out: it is for a model on itself.",
)
def symmetric_between_two_models(scratch: Scratch) -> Declaring:
    """D7: symmetric between two models."""
    Task, User = scratch("Task", "User")
    yield
    Task.belongs_to_many(User, symmetric=True)


@refused(
    WrongArgument,
    "Task.belongs_to(User, unique='yes'): unique='yes' is neither True nor False. Write unique=True or unique=False.",
)
def a_unique_that_is_neither(scratch: Scratch) -> Declaring:
    """A1: a unique that is neither."""
    Task, User = scratch("Task", "User")
    yield
    Task.belongs_to(User, unique="yes")


@refused(
    WrongArgument,
    'Task.belongs_to(5): 5 is neither a model nor the name of one. Give a model or its name, as in "Task".',
)
def a_target_that_is_a_number(scratch: Scratch) -> Declaring:
    """A6: a target that is a number."""
    Task = scratch("Task")
    yield
    Task.belongs_to(5)


@refused(
    WrongArgument,
    "Task.has_many(int): <class 'int'> is neither a model nor the name of one. Give a model or its name, as in \"Task\".",
)
def a_target_that_is_another_class(scratch: Scratch) -> Declaring:
    """A6: a target that is another class."""
    Task = scratch("Task")
    yield
    Task.has_many(int)


@refused(
    WrongArgument,
    "Task.has_one(''): the target's name is empty. Give a model or its name, as in \"Task\".",
)
def an_empty_target(scratch: Scratch) -> Declaring:
    """A6: an empty target."""
    Task = scratch("Task")
    yield
    Task.has_one("")


@refused(
    WrongArgument,
    'Task.has_one(<Task: 3>): <Task: 3> is neither a model nor the name of one. Give a model or its name, as in "Task".',
)
def a_record_as_a_target(scratch: Scratch) -> Declaring:
    """A6: a record as a target."""
    Task = scratch("Task")
    yield
    Task.has_one(Task(id=3))


@refused(
    DeclarationError,
    "Task.has_many(User, through=Assignment, dominant=True): its links are records of Assignment, and stand in the database of that model, "
    "whichever side is dominant. Leave dominant out.",
)
def dominance_beside_a_through_model_in_another_database(scratch: Scratch) -> Declaring:
    """H2: dominance beside a through model in another database."""
    Task, User = scratch("Task", "User")
    Assignment = scratch.model("Assignment", scratch.base(database=peewee.SqliteDatabase(None)))
    yield
    Task.has_many(User, through=Assignment, dominant=True)


@refused(
    DeclarationError,
    "Photo.belongs_to_many(Task, dominant=True): Photo.tasks and Task.photos are both dominant, and their models are in different "
    "databases, of which one has the links. Leave dominant out at one of them.",
)
def both_sides_dominant(scratch: Scratch) -> Declaring:
    """H2: both sides dominant."""
    Task = scratch("Task")
    Photo = scratch.model("Photo", scratch.base(database=peewee.SqliteDatabase(None)))
    Task.belongs_to_many(Photo, dominant=True)
    yield
    Photo.belongs_to_many(Task, dominant=True)


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
