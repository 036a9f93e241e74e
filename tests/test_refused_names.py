"""Declarations that are refused for a name: of the association, of its methods, of its key, of its join row.

Each of these prepares models, yields, and declares: the test looks at every known model before and after.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from declarations import Scratch, state

from activeassoc import DeclarationError

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
    "Task.has_one(Team, as_='owner'): Task.belongs_to(User, as_='owner') has the name 'owner' already. Give as_= another "
    'name, as in as_="other_owner".',
)
def one_name_for_two_targets(scratch: Scratch) -> Declaring:
    """A12: one name for two targets."""
    Task, User, Team = scratch("Task", "User", "Team")
    Task.belongs_to(User, as_="owner")
    yield
    Task.has_one(Team, as_="owner")


@refused(
    DeclarationError,
    "Task.has_one(User): Task.belongs_to(User) has the name 'user' already. Give as_= another name, as in as_=\"other_user\".",
)
def one_name_for_two_kinds(scratch: Scratch) -> Declaring:
    """A12: one name for two kinds."""
    Task, User = scratch("Task", "User")
    Task.belongs_to(User)
    yield
    Task.has_one(User)


@refused(
    DeclarationError,
    "User.has_many(Task, where={'title': 'y'}): User.has_many(Task, where={'title': 'x'}) has the name 'tasks' already. "
    'Give as_= another name, as in as_="other_tasks".',
)
def one_name_with_another_scope(scratch: Scratch) -> Declaring:
    """A12: one name with another scope."""
    Task, User = scratch("Task", "User")
    User.has_many(Task, where={"title": "x"})
    yield
    User.has_many(Task, where={"title": "y"})


@refused(
    DeclarationError,
    "Task.belongs_to(User, as_='owner', foreign_key='tester_id'): Task.belongs_to(User, as_='owner', "
    "foreign_key='owner_id') has the name 'owner' already. Give as_= another name, as in as_=\"other_owner\".",
)
def one_name_with_two_keys(scratch: Scratch) -> Declaring:
    """A12: one name with two keys."""
    Task, User = scratch("Task", "User")
    Task.belongs_to(User, as_="owner", foreign_key="owner_id")
    yield
    Task.belongs_to(User, as_="owner", foreign_key="tester_id")


@refused(
    DeclarationError,
    "User.has_one(Task, as_='title'): User.title is a field already. Give as_= another name, as in as_=\"other_title\".",
)
def the_name_of_a_field(scratch: Scratch) -> Declaring:
    """A18: the name of a field."""
    Task, User = scratch("Task", "User")
    yield
    User.has_one(Task, as_="title")


@refused(
    DeclarationError,
    "Task.belongs_to(User, as_='id'): 'id' is a name of Model's own. Give as_= another name, as in as_=\"other_id\".",
)
def the_name_of_the_primary_key(scratch: Scratch) -> Declaring:
    """A18: the name of the primary key."""
    Task, User = scratch("Task", "User")
    yield
    Task.belongs_to(User, as_="id")


@refused(
    DeclarationError,
    "Task.belongs_to(User, as_='title'): Task.title is a field already. Give as_= another name, as in as_=\"other_title\".",
)
def the_name_of_a_plain_field(scratch: Scratch) -> Declaring:
    """A18: the name of a plain field."""
    Task, User = scratch("Task", "User")
    yield
    Task.belongs_to(User, as_="title")


@refused(
    DeclarationError,
    "Task.belongs_to(User, as_='reviewer'): Task.reviewer is an attribute already. Give as_= another name, as in as_=\"other_reviewer\".",
)
def the_name_of_a_method_of_the_users(scratch: Scratch) -> Declaring:
    """A18: the name of a method of the users."""
    User = scratch("User")
    Task = scratch.model("Task", reviewer=lambda self: None)
    yield
    Task.belongs_to(User, as_="reviewer")


@refused(
    DeclarationError,
    'User.has_many(Task): it and User.has_one(Task) would both make create_task. Give as_= another name, as in as_="other_tasks".',
)
def methods_that_meet(scratch: Scratch) -> Declaring:
    """A18: methods that meet."""
    User, Task = scratch("User", "Task")
    User.has_one(Task)
    yield
    User.has_many(Task)


@refused(
    DeclarationError,
    "Task.belongs_to(User, as_='save'): 'save' is a name of Model's own. Give as_= another name, as in as_=\"other_save\".",
)
def a_name_of_peewees(scratch: Scratch) -> Declaring:
    """A18: a name of peewees."""
    Task, User = scratch("Task", "User")
    yield
    Task.belongs_to(User, as_="save")


@refused(
    DeclarationError,
    "Task.belongs_to(User, as_='has_one'): 'has_one' is a name of Model's own. Give as_= another name, as in as_=\"other_has_one\".",
)
def a_name_of_ours(scratch: Scratch) -> Declaring:
    """A18: a name of ours."""
    Task, User = scratch("Task", "User")
    yield
    Task.belongs_to(User, as_="has_one")


@refused(
    DeclarationError,
    "Task.belongs_to(User, as_='or_none'): its method get_or_none() is one of Model's own. Give as_= another name, as in "
    'as_="other_or_none".',
)
def a_name_whose_method_is_peewees(scratch: Scratch) -> Declaring:
    """A18: a name whose method is peewees."""
    Task, User = scratch("Task", "User")
    yield
    Task.belongs_to(User, as_="or_none")


@refused(
    DeclarationError,
    'Task.has_many(Table): its method create_table() is one of Model\'s own. Give as_= another name, as in as_="other_tables".',
)
def a_name_whose_create_is_peewees(scratch: Scratch) -> Declaring:
    """A18: a name whose create is peewees."""
    Task = scratch("Task")
    Table = scratch("Table")
    yield
    Task.has_many(Table)


@refused(
    DeclarationError,
    'Task.has_many(Index): its method add_index() is one of Model\'s own. Give as_= another name, as in as_="other_indices".',
)
def a_name_whose_add_is_peewees(scratch: Scratch) -> Declaring:
    """A18: a name whose add is peewees."""
    Task = scratch("Task")
    Index = scratch("Index")
    yield
    Task.has_many(Index)


@refused(
    DeclarationError,
    "User.has_many(Note, as_='assignments'): User.assignments is the join row of its fetched records already. Give as_= "
    'another name, as in as_="other_assignments".',
)
def the_name_of_the_join_row(scratch: Scratch) -> Declaring:
    """A18, B5: the name of the join row."""
    Task, User, Note = scratch("Task", "User", "Note")
    Task.has_many(User, through="assignments")
    yield
    User.has_many(Note, as_="assignments")


@refused(
    DeclarationError,
    "Task.belongs_to(User, as_='the owner'): 'the owner' is no identifier, and methods are named after it. Write "
    'as_="member", or as_=("member", "members").',
)
def a_name_that_is_no_identifier(scratch: Scratch) -> Declaring:
    """B2: a name that is no identifier."""
    Task, User = scratch("Task", "User")
    yield
    Task.belongs_to(User, as_="the owner")


@refused(
    DeclarationError,
    "Task.belongs_to(User, as_='class'): 'class' is a keyword of Python, and no attribute can be read by it. Write "
    'as_="member", or as_=("member", "members").',
)
def a_name_that_is_a_keyword(scratch: Scratch) -> Declaring:
    """B2: a name that is a keyword."""
    Task, User = scratch("Task", "User")
    yield
    Task.belongs_to(User, as_="class")


@refused(
    DeclarationError,
    "User.has_many(Task, as_=('job', 'jobs', 'work')): a tuple holds the singular and the plural, and this one holds 3. "
    'Write as_="members", or as_=("member", "members").',
)
def three_names(scratch: Scratch) -> Declaring:
    """B2: three names."""
    Task, User = scratch("Task", "User")
    yield
    User.has_many(Task, as_=("job", "jobs", "work"))


@refused(
    DeclarationError,
    "Task.belongs_to(User, foreign_key='_id'): nothing of the column '_id' is left to name the field. Give a foreign_key "
    'like "project_id".',
)
def a_column_that_leaves_no_field(scratch: Scratch) -> Declaring:
    """B4: a column that leaves no field."""
    Task, User = scratch("Task", "User")
    yield
    Task.belongs_to(User, foreign_key="_id")


@refused(
    DeclarationError,
    "Task.belongs_to(User, foreign_key='the user'): nothing of the column 'the user' is left to name the field. Give a "
    'foreign_key like "project_id".',
)
def a_column_that_is_no_identifier(scratch: Scratch) -> Declaring:
    """B4: a column that is no identifier."""
    Task, User = scratch("Task", "User")
    yield
    Task.belongs_to(User, foreign_key="the user")


@refused(
    DeclarationError,
    "User.has_many(Task, foreign_key='title_id'): the key column 'title_id' would make Task.title, which is taken. Give "
    "another foreign_key, or rename what stands there.",
)
def a_key_whose_field_is_taken(scratch: Scratch) -> Declaring:
    """B4: a key whose field is taken."""
    Task, User = scratch("Task", "User")
    yield
    User.has_many(Task, foreign_key="title_id")


@refused(
    DeclarationError,
    "Task.belongs_to(User, foreign_key='save_id'): the key column 'save_id' would make Task.save, which is taken. Give "
    "another foreign_key, or rename what stands there.",
)
def a_key_whose_field_is_a_method(scratch: Scratch) -> Declaring:
    """B4: a key whose field is a method."""
    Task, User = scratch("Task", "User")
    yield
    Task.belongs_to(User, foreign_key="save_id")


@refused(
    DeclarationError,
    "Task.has_many(User, through='assignments'): fetched User records carry their join row as 'assignments', which is an "
    "association of User. Give that one another name with as_=, or rename Assignments.",
)
def a_join_row_of_the_name_of_an_association(scratch: Scratch) -> Declaring:
    """B5: a join row of the name of an association."""
    Task, User, Note = scratch("Task", "User", "Note")
    User.has_many(Note, as_="assignments")
    yield
    Task.has_many(User, through="assignments")


@refused(
    DeclarationError,
    "Task.has_many(User, through='title'): fetched User records carry their join row as 'title', which is an attribute of "
    "User. Give that one another name with as_=, or rename Title.",
)
def a_join_row_of_the_name_of_a_field(scratch: Scratch) -> Declaring:
    """B5: a join row of the name of a field."""
    Task, User = scratch("Task", "User")
    yield
    Task.has_many(User, through="title")


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
