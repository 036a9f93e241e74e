"""Declarations that are refused as it could not be told what belongs to what: pairs, and models on themselves.

Each of these prepares models, yields, and declares: the test looks at every known model before and after.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import peewee
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
    "User.has_many(Project, on_delete='CASCADE'): it and Project.has_many(User) point at each other and would be one "
    "many-to-many, but User.has_many(Project, on_delete='CASCADE') gives on_delete. Give both has_many a through=, or "
    "through=None to keep one of them one-to-many.",
)
def a_pair_with_a_rule_on_the_second_half(scratch: Scratch) -> Declaring:
    """A7: a pair with a rule on the second half."""
    Project, User = scratch("Project", "User")
    Project.has_many(User)
    yield
    User.has_many(Project, on_delete="CASCADE")


@refused(
    DeclarationError,
    "User.has_many(Project): it and Project.has_many(User, order='title') point at each other and would be one "
    "many-to-many, but Project.has_many(User, order='title') gives order. Give both has_many a through=, or through=None to"
    " keep one of them one-to-many.",
)
def a_pair_with_an_order_on_the_first_half(scratch: Scratch) -> Declaring:
    """A7: a pair with an order on the first half."""
    Project, User = scratch("Project", "User")
    Project.has_many(User, order="title")
    yield
    User.has_many(Project)


@refused(
    DeclarationError,
    "User.has_many(Project, null=False): it and Project.has_many(User) point at each other and would be one many-to-many, "
    "but User.has_many(Project, null=False) gives null. Give both has_many a through=, or through=None to keep one of them "
    "one-to-many.",
)
def a_pair_with_null_on_the_second_half(scratch: Scratch) -> Declaring:
    """A7: a pair with null on the second half."""
    Project, User = scratch("Project", "User")
    Project.has_many(User)
    yield
    User.has_many(Project, null=False)


@refused(
    DeclarationError,
    "User.has_many(Project): it and Project.has_many(User, where={'title': 'x'}) point at each other and would be one "
    "many-to-many, but Project.has_many(User, where={'title': 'x'}) gives where. Give both has_many a through=, or "
    "through=None to keep one of them one-to-many.",
)
def a_pair_with_where_on_the_first_half(scratch: Scratch) -> Declaring:
    """A7: a pair with where on the first half."""
    Project, User = scratch("Project", "User")
    Project.has_many(User, where={"title": "x"})
    yield
    User.has_many(Project)


@refused(
    DeclarationError,
    "User.has_many(Project): several could be its other half: Project.has_many(User), Project.has_many(User, "
    "as_='members'). Give both has_many a through=, or through=None to keep one of them one-to-many.",
)
def a_pair_with_several_other_halves(scratch: Scratch) -> Declaring:
    """A7: a pair with several other halves."""
    Project, User = scratch("Project", "User")
    Project.has_many(User)
    Project.has_many(User, as_="members")
    yield
    User.has_many(Project)


@refused(
    DeclarationError,
    "User.belongs_to(Project): its key 'project_id' was taken away, as Project.has_many(User) and User.has_many(Project) "
    "are one many-to-many. Give both has_many a through=, or through=None to keep one of them one-to-many.",
)
def belongs_to_of_a_key_that_pairing_took_away(scratch: Scratch) -> Declaring:
    """A7: belongs to of a key that pairing took away."""
    Project, User = scratch("Project", "User")
    Project.has_many(User)
    User.has_many(Project)
    yield
    User.belongs_to(Project)


@refused(
    DeclarationError,
    "User.has_many(Project, as_='favourites'): Project.has_many(User) is the other half of another many-to-many already. "
    "Give both has_many a through=, or through=None to keep one of them one-to-many.",
)
def a_third_has_many_after_a_pair(scratch: Scratch) -> Declaring:
    """A7: a third has many after a pair."""
    Project, User = scratch("Project", "User")
    Project.has_many(User)
    User.has_many(Project)
    yield
    User.has_many(Project, as_="favourites")


@refused(
    DeclarationError,
    "Project.belongs_to_many(User, as_='members'): Project.belongs_to_many(User) is a many-to-many between Project and User"
    " already, and whose links are whose could not be told. Give each of the two a through= of its own.",
)
def two_many_to_many_without_a_through(scratch: Scratch) -> Declaring:
    """A7: two many to many without a through."""
    Project, User = scratch("Project", "User")
    Project.belongs_to_many(User)
    yield
    Project.belongs_to_many(User, as_="members")


@refused(
    DeclarationError,
    "User.belongs_to_many(Project, as_='favourites'): User.belongs_to_many(Project) is a many-to-many between User and "
    "Project already, and whose links are whose could not be told. Give each of the two a through= of its own.",
)
def two_many_to_many_without_a_through_from_both_sides(scratch: Scratch) -> Declaring:
    """A7: two many to many without a through from both sides."""
    Project, User = scratch("Project", "User")
    Project.belongs_to_many(User)
    User.belongs_to_many(Project)
    yield
    User.belongs_to_many(Project, as_="favourites")


@refused(
    DeclarationError,
    "User.has_many(Project): it and Project.has_many(User) would be one many-to-many, but the key 'project_id' is also that"
    " of Project.has_one(User, as_='lead'). Give both has_many a through=, or through=None to keep one of them one-to-many.",
)
def a_pair_whose_key_another_association_uses(scratch: Scratch) -> Declaring:
    """A7: a pair whose key another association uses."""
    Project, User = scratch("Project", "User")
    Project.has_many(User)
    Project.has_one(User, as_="lead")
    yield
    User.has_many(Project)


@refused(
    DeclarationError,
    "Project.has_many(User): fetched User records carry their join row as 'projects_users', which is an association of "
    "User. Give that one another name with as_=, or rename ProjectsUsers.",
)
def a_pair_whose_join_row_has_a_taken_name(scratch: Scratch) -> Declaring:
    """A7, B5, A16: a pair whose join row has a taken name."""
    Project, User = scratch("Project", "User")
    Note = scratch("Note")
    User.has_many(Note, as_="projects_users")
    User.has_many(Project)
    yield
    Project.has_many(User)


@refused(
    DeclarationError,
    "Project.has_many(User): fetched Project records carry their join row as 'projects_users', which is an association of "
    "Project. Give that one another name with as_=, or rename ProjectsUsers.",
)
def a_pair_whose_other_join_row_has_a_taken_name(scratch: Scratch) -> Declaring:
    """A7, B5, A16: a pair whose other join row has a taken name."""
    Project, User = scratch("Project", "User")
    Note = scratch("Note")
    Project.has_many(Note, as_="projects_users")
    User.has_many(Project)
    yield
    Project.has_many(User)


@refused(
    DeclarationError,
    'Person.has_many(Person): both ends are Person, and its keys and methods could not be told apart. Give as_="children".',
)
def has_many_of_a_model_on_itself_without_a_name(scratch: Scratch) -> Declaring:
    """A8: has many of a model on itself without a name."""
    Person = scratch("Person")
    yield
    Person.has_many(Person)


@refused(
    DeclarationError,
    "Person.has_one('self'): both ends are Person, and its keys and methods could not be told apart. Give as_=\"father\".",
)
def has_one_of_a_model_on_itself_without_a_name(scratch: Scratch) -> Declaring:
    """A9: has one of a model on itself without a name."""
    Person = scratch("Person")
    yield
    Person.has_one("self")


@refused(
    DeclarationError,
    "Person.belongs_to_many('Person', through='friendships'): both ends are Person, and its keys and methods could not be "
    'told apart. Give as_="children".',
)
def belongs_to_many_of_a_model_on_itself_without_a_name(scratch: Scratch) -> Declaring:
    """A8: belongs to many of a model on itself without a name."""
    Person = scratch("Person")
    yield
    Person.belongs_to_many("Person", through="friendships")


@refused(
    DeclarationError,
    "Person.has_many('self', as_='children'): Person has several keys to Person: mother_id, father_id. Say which one with "
    'foreign_key="mother_id".',
)
def a_tree_over_one_of_two_keys(scratch: Scratch) -> Declaring:
    """A8, A13: a tree over one of two keys."""
    Person = scratch("Person")
    Person.belongs_to("self", as_="mother")
    Person.belongs_to("self", as_="father")
    yield
    Person.has_many("self", as_="children")


@refused(
    DeclarationError,
    "Person.belongs_to_many('self', as_='friends', foreign_key='person_id', other_key='person_id'): both keys would be "
    "'person_id'. Give a foreign_key and an other_key that differ.",
)
def both_keys_of_a_self_many_to_many_alike(scratch: Scratch) -> Declaring:
    """A8: both keys of a self many to many alike."""
    Person = scratch("Person")
    yield
    Person.belongs_to_many("self", as_="friends", foreign_key="person_id", other_key="person_id")


@refused(
    DeclarationError,
    "Person.has_many('self', as_=('person', 'acquaintances')): both keys would be 'person_id'. Give a foreign_key and an "
    "other_key that differ.",
)
def both_keys_of_a_self_many_to_many_alike_by_default(scratch: Scratch) -> Declaring:
    """A8: both keys of a self many to many alike by default."""
    Person = scratch("Person")
    yield
    Person.has_many("self", as_=("person", "acquaintances"))


@refused(
    DeclarationError,
    "Person.belongs_to_many('self', as_='friends', through=Friendship): Friendship has the keys one_id, two_id to Person, "
    'and which of them is whose cannot be told. Give foreign_key="one_id" and other_key="two_id", or the other way round.',
)
def a_self_many_to_many_through_a_model_with_keys_of_other_names(scratch: Scratch) -> Declaring:
    """A8: a self many to many through a model with keys of other names."""
    Person = scratch("Person")

    class Friendship(scratch.Base):
        one = peewee.ForeignKeyField(Person, backref="+")
        two = peewee.ForeignKeyField(Person, backref="+")

    yield
    Person.belongs_to_many("self", as_="friends", through=Friendship)


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
