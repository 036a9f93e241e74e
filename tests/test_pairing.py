"""Pairs: two has_many that point at each other are one many-to-many; and models on themselves."""

from __future__ import annotations

import pickle
import sys
from typing import Any

import peewee
import pytest
from declarations import Scratch
from looking import cols, keys, pk, table

from activeassoc import DeclarationError, sync


@pytest.fixture
def scratch() -> Scratch:
    return Scratch(__name__)


def fields(model: Any) -> list[str]:
    return [field.name for field in model._meta.sorted_fields]


def test_two_has_many_are_one_many_to_many(fresh: Any) -> None:
    """A7: the key that the first call added is taken away, and a through model is made, with keys named after the models."""
    Project, User = fresh("Project", "User")
    first = Project.has_many(User)
    assert fields(User) == ["id", "title", "project"]
    assert first.kind == "has_many"
    second = User.has_many(Project)
    assert fields(User) == fields(Project) == ["id", "title"]
    assert not hasattr(User, "project")
    assert not hasattr(User, "project_id")
    assert Project.associations == {"users": first}
    assert Project.users is first
    assert User.projects is second
    assert first.kind == second.kind == "belongs_to_many"
    assert first.through is second.through
    assert first.through.__name__ == "ProjectsUsers"
    sync(fresh.db)
    assert table(first.through) == "projects_users"
    assert cols(first.through) == pk(first.through) == {"project_id", "user_id"}
    assert keys(first.through) == {
        ("project_id", "project", "id", "CASCADE", "CASCADE"),
        ("user_id", "user", "id", "CASCADE", "CASCADE"),
    }
    project, user = Project.create(), User.create()
    project.add_user(user)
    assert user.get_projects() == [project]


def test_aliases_do_not_name_the_join_table_or_its_keys(scratch: Scratch) -> None:
    """A7: the table is named after the plurals of both models, the keys after the models, never after aliases."""
    Project, User = scratch("Project", "User")
    association = Project.has_many(User, as_="members")
    User.has_many(Project, as_="works")
    assert table(association.through) == "projects_users"
    assert [key.column for key in association.keys] == ["project_id", "user_id"]


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("by_name", [False, True])
def test_a_through_on_one_side_serves_both(scratch: Scratch, turned: bool, by_name: bool) -> None:
    """A7: in either order, and for a model, a table's name, and targets given by name."""
    Project, User = scratch("Project", "User")
    Membership = scratch.model("Membership", role=peewee.CharField(null=True))
    calls = [
        lambda: Project.has_many("User" if by_name else User, through=Membership),
        lambda: User.has_many("Project" if by_name else Project),
    ]
    for call in reversed(calls) if turned else calls:
        call()
    assert User.projects.target is Project
    assert Project.users.target is User
    assert Project.users.through is User.projects.through is Membership
    assert fields(Project) == fields(User) == ["id", "title"]
    assert fields(Membership) == ["role", "project", "user"]
    assert {method.__name__ for method in (User.add_project, Project.add_user)} == {"add_project", "add_user"}
    assert "join attributes" in User.add_project.__doc__


@pytest.mark.parametrize("turned", [False, True])
def test_belongs_to_many_and_has_many_are_a_pair_too(scratch: Scratch, turned: bool) -> None:
    """A4, A7: belongs_to_many is the same association as has_many with a through."""
    Project, User = scratch("Project", "User")
    calls = [lambda: Project.belongs_to_many(User), lambda: User.has_many(Project)]
    for call in reversed(calls) if turned else calls:
        call()
    assert Project.users.through is User.projects.through
    assert table(Project.users.through) == "projects_users"
    assert fields(Project) == fields(User) == ["id", "title"]


def test_belongs_to_many_from_both_sides(scratch: Scratch) -> None:
    """A4: without through the join table is named as in A7."""
    Project, User = scratch("Project", "User")
    one, other = Project.belongs_to_many(User), User.belongs_to_many(Project)
    assert one.through is other.through
    assert table(one.through) == "projects_users"
    assert one.keys == other.keys[::-1]


def test_belongs_to_many_is_has_many_with_a_through(scratch: Scratch) -> None:
    """A4: the same association."""
    Project, User, Task = scratch("Project", "User", "Task")
    one = Project.belongs_to_many(User, through="memberships")
    other = Project.has_many(Task, through="plans")
    assert type(one) is type(other)
    assert Project.has_many(User, through="memberships") is one
    assert Project.belongs_to_many(Task, through="plans") is other


def test_through_none_keeps_a_has_many_one_to_many(scratch: Scratch) -> None:
    """A7: written out on either half, on the first or on the second."""
    for first, second in ((None, "unsaid"), ("unsaid", None), (None, None)):
        Project, User = scratch("Project", "User")
        options = [{} if each == "unsaid" else {"through": each} for each in (first, second)]
        Project.has_many(User, **options[0])
        User.has_many(Project, **options[1])
        assert Project.users.kind == User.projects.kind == "has_many"
        assert fields(User) == ["id", "title", "project"]
        assert fields(Project) == ["id", "title", "user"]


@pytest.mark.parametrize("option", ["foreign_key", "source_key"])
@pytest.mark.parametrize("half", [0, 1])
def test_a_half_that_names_its_key_does_not_pair(scratch: Scratch, option: str, half: int) -> None:
    """A7: neither with foreign_key, source_key or through=None."""
    Project, User = scratch("Project", "User")
    options: list[dict[str, Any]] = [{}, {}]
    options[half] = {option: {"foreign_key": "main_id", "source_key": "id"}[option]}
    Project.has_many(User, **options[0])
    User.has_many(Project, **options[1])
    assert Project.users.kind == User.projects.kind == "has_many"


@pytest.mark.parametrize("turned", [False, True])
def test_a_key_declared_by_a_belongs_to_does_not_pair(scratch: Scratch, turned: bool) -> None:
    """A7: neither's key declared by a belongs_to, whichever half's key it is."""
    Project, User = scratch("Project", "User")
    User.belongs_to(Project)
    calls = [lambda: Project.has_many(User), lambda: User.has_many(Project, as_="works")]
    for call in reversed(calls) if turned else calls:
        call()
    assert Project.users.kind == User.works.kind == "has_many"
    assert Project.users.key is User.associations["project"].key
    assert fields(Project) == ["id", "title", "user"]


@pytest.mark.parametrize("turned", [False, True])
def test_a_key_written_by_hand_does_not_pair(scratch: Scratch, turned: bool) -> None:
    """A7: nor by hand."""
    Project = scratch("Project")
    User = scratch.model("User", project=peewee.ForeignKeyField(Project, backref="+"))
    calls = [lambda: Project.has_many(User), lambda: User.has_many(Project)]
    for call in reversed(calls) if turned else calls:
        call()
    assert Project.users.kind == User.projects.kind == "has_many"
    assert Project.users.key.field is User.project


def test_a_belongs_to_after_the_pair_raises_under_another_name_too(scratch: Scratch) -> None:
    """A7: where a belongs_to of the taken key comes after the pair, it raises; one with a key of its own is another matter."""
    Project, User = scratch("Project", "User")
    Project.has_many(User)
    User.has_many(Project)
    instead = "Give both has_many a through=, or through=None to keep one of them one-to-many."
    for options in ({"as_": "home"}, {"as_": "home", "foreign_key": "project_id"}):
        with pytest.raises(DeclarationError) as raised:
            User.belongs_to(Project, **options)
        assert str(raised.value).endswith(
            f": its key 'project_id' was taken away, as Project.has_many(User) and User.has_many(Project) are one many-to-many. {instead}"
        )
    User.belongs_to(Project, as_="home", foreign_key="home_id")
    assert fields(User) == ["id", "title", "home"]


def test_two_many_to_many_between_the_same_models_with_a_through_each(scratch: Scratch) -> None:
    """A7: Two many-to-many between the same models need a `through` each."""
    Project, User = scratch("Project", "User")
    Project.has_many(User, through="memberships")
    Project.has_many(User, as_="fans", through="likes")
    User.has_many(Project, through="memberships")
    User.has_many(Project, as_="favourites", through="likes")
    assert Project.users.through is User.projects.through
    assert Project.fans.through is User.favourites.through
    assert Project.users.through is not Project.fans.through


def test_a_has_many_on_itself_is_a_many_to_many(fresh: Any) -> None:
    """A8: with its own join table; it never pairs."""
    Person = fresh("Person")
    association = Person.has_many(Person, as_="children")
    assert table(association.through) == "children_people"
    assert [key.column for key in association.keys] == ["person_id", "child_id"]
    other = Person.has_many("self", as_="friends")
    assert table(other.through) == "friends_people"
    sync(fresh.db)
    ann, bob = Person.create(), Person.create()
    ann.add_child(bob)
    assert ann.get_children() == [bob]
    assert bob.get_children() == bob.get_friends() == []


@pytest.mark.parametrize("options", [{"through": None}, {}])
def test_a_tree(fresh: Any, options: dict[str, Any]) -> None:
    """A8: foreign_key without a through, or with through=None, is a tree."""
    Person = fresh("Person")
    association = Person.has_many(Person, as_="children", foreign_key="parent_id", **options)
    assert association.kind == "has_many"
    assert fields(Person) == ["id", "title", "parent"]
    sync(fresh.db)
    ann, bob = Person.create(), Person.create()
    ann.add_child(bob)
    assert bob.parent == ann


def test_a_tree_over_the_key_that_is_there(scratch: Scratch) -> None:
    """A8: the model already has one key to itself, which is then the tree's."""
    Category = scratch("Category")
    Category.belongs_to("self", as_="parent")
    association = Category.has_many("self", as_="children")
    assert association.kind == "has_many"
    assert association.key is Category.associations["parent"].key
    Node = scratch.model("Node", up=peewee.ForeignKeyField("self", null=True, backref="+"))
    assert Node.has_many("self", as_="children").key.field is Node.up


def test_the_two_ends_of_one_self_many_to_many(fresh: Any) -> None:
    """A8: they share through and exchange foreign_key and other_key."""
    Person = fresh("Person")
    children = Person.belongs_to_many("self", as_="children", through="parentage", foreign_key="parent_id", other_key="child_id")
    parents = Person.belongs_to_many("self", as_="parents", through="parentage", foreign_key="child_id", other_key="parent_id")
    assert children.through is parents.through
    assert children.keys == parents.keys[::-1]
    sync(fresh.db)
    ann, bob = Person.create(), Person.create()
    ann.add_child(bob)
    assert bob.get_parents() == [ann]
    assert ann.get_parents() == []


def test_a_generated_through_model_can_be_imported_and_pickled(scratch: Scratch) -> None:
    """B5: its __module__ and name importable and picklable; peewee's own generated classes have the module peewee."""
    names = {name: scratch.model(name, __qualname__=name) for name in ("Author", "Volume")}
    globals().update(names)
    try:
        link = names["Author"].has_many(names["Volume"], through="writings").through
        assert link.__module__ == __name__
        assert sys.modules[__name__].Writings is link  # type: ignore[attr-defined]
        row = pickle.loads(pickle.dumps(link(author=1, volume=2)))
        assert type(row) is link
        assert row.__data__ == {"author": 1, "volume": 2}
    finally:
        for name in (*names, "Writings"):
            globals().pop(name, None)


def test_a_through_given_as_a_table_uses_the_model_of_the_table(scratch: Scratch) -> None:
    """B5: a model that has this table is used; else a class in CamelCase is made, in the source's database."""
    Project, User, Team = scratch("Project", "User", "Team")
    Membership = scratch.model("Membership", Meta=type("Meta", (), {"table_name": "project_has_users"}))
    assert Project.has_many(User, through="project_has_users").through is Membership
    made = Project.has_many(Team, through="project_has_teams").through
    assert made.__name__ == "ProjectHasTeams"
    assert made._meta.table_name == "project_has_teams"
    assert made._meta.database is scratch.db


@pytest.mark.parametrize("turned", [False, True])
def test_a_through_by_its_name_from_both_sides(scratch: Scratch, turned: bool) -> None:
    """D8: through as a string shared by both sides, in both orders."""
    Project, User = scratch("Project", "User")
    calls = [lambda: Project.has_many(User, through="memberships"), lambda: User.has_many(Project, through="memberships")]
    for call in reversed(calls) if turned else calls:
        call()
    assert Project.users.through is User.projects.through
    assert [key.column for key in User.projects.keys] == ["user_id", "project_id"]
