"""peewee's traps that concern declaring, each in the words in which it was met: here they are shut."""

from __future__ import annotations

from typing import Any

import peewee
import pytest
from declarations import Scratch

from activeassoc import UnsavedRecordError, WrongTarget, sync


@pytest.fixture
def scratch() -> Scratch:
    return Scratch(__name__)


def test_a_second_model_of_the_same_name_gets_its_unique_index(fresh: Any) -> None:
    """Index names come from the class name with IF NOT EXISTS: a second model of the same name gets no unique index."""
    One, Other, Third = fresh("One", "Other", "Third")
    for target, name in ((Other, "first_links"), (Third, "second_links")):
        meta = type("Meta", (), {"table_name": name})
        body = {"id": peewee.AutoField(), "Meta": meta, "__module__": __name__, "__qualname__": f"{name}.Link"}
        One.has_many(target, through=type(fresh.Base)("Link", (fresh.Base,), body))
    sync(fresh.db)
    for name in ("first_links", "second_links"):
        assert [index.unique for index in fresh.db.get_indexes(name) if len(index.columns) == 2] == [True]


def test_assigning_an_instance_of_the_wrong_class(scratch: Scratch) -> None:
    """Assigning an instance of the wrong class (its id is stored): silent in peewee."""
    Task, User, Team = scratch("Task", "User", "Team")
    Task.belongs_to(User)
    with pytest.raises(WrongTarget) as raised:
        Task(user=Team(id=3))
    assert str(raised.value) == "Task.user = <Team: 3>: Team is not User. Give a User or its primary key."


def test_a_key_written_by_hand_refuses_strangers_too(scratch: Scratch) -> None:
    """The same trap, where a belongs_to uses a ForeignKeyField that was written by hand."""
    User, Team = scratch("User", "Team")
    Task = scratch.model("Task", user=peewee.ForeignKeyField(User, backref="+"))
    Task.belongs_to(User)
    with pytest.raises(WrongTarget):
        Task(user=Team(id=3))


def test_saving_a_child_of_an_unsaved_parent(fresh: Any) -> None:
    """Saving a child of an unsaved parent (NULL is stored): silent in peewee."""
    Task, User = fresh("Task", "User")
    Task.belongs_to(User)
    sync(fresh.db)
    with pytest.raises(UnsavedRecordError) as raised:
        Task(user=User()).save()
    assert str(raised.value) == ("Task.save() with user=<User: None>: this User is not saved yet, and NULL would be stored. Save it first.")
    assert Task.select().count() == 0


def test_comparing_a_key_with_an_unsaved_record_or_a_stranger(fresh: Any) -> None:
    """`FK == unsaved`, and a stranger whose id is compared: silent in peewee, which finds nobody's records, or another one's."""
    Task, User, Team = fresh("Task", "User", "Team")
    Task.belongs_to(User)
    sync(fresh.db)
    user, team = User.create(), Team.create()
    task = Task.create(user=user)
    assert list(Task.select().where(Task.user == user)) == list(Task.select().where(Task.user.in_([user]))) == [task]
    for condition in (Task.user == User(), Task.user.in_([User()])):
        with pytest.raises(UnsavedRecordError) as unsaved:
            Task.select().where(condition).execute()
    assert str(unsaved.value) == "Task.user with <User: None>: this User is not saved yet. Save it first."
    for condition in (Task.user == team, Task.user != team, Task.user.in_([user, team])):
        with pytest.raises(WrongTarget) as stranger:
            Task.select().where(condition).execute()
    assert str(stranger.value) == "Task.user with <Team: 1>: Team is not User. Give a User or its primary key."


def test_a_foreign_key_named_user_id_is_no_user_id_id(scratch: Scratch) -> None:
    """Adding a field named `author_id` as a foreign key adds `author_id_id`."""
    Task, User = scratch("Task", "User")
    Task.belongs_to(User, foreign_key="user_id")
    assert not hasattr(Task, "user_id_id")
    assert (Task.user.name, Task.user.object_id_name, Task.user.column_name) == ("user", "user_id", "user_id")


def test_remove_field_leaves_the_accessor(scratch: Scratch) -> None:
    """`remove_field` leaves the accessor: `M(user=u).save()` then writes a column that is not there."""
    Project, User = scratch("Project", "User")
    Project.has_many(User)
    assert hasattr(User, "project")
    User.has_many(Project)
    assert not hasattr(User, "project")
    assert not hasattr(User, "project_id")
    assert all(field.model is not User for field in Project._meta.backrefs)


def test_an_implicit_key_is_told_from_a_declared_one(scratch: Scratch) -> None:
    """Only the metaclass can tell an implicit `id` from a declared one; subclasses get a deep copy of the base's."""
    Task, User = scratch("Task", "User")
    Keyed = scratch.model("Keyed", id=peewee.AutoField())
    for link, implicit in (
        (scratch.model("Plain"), True),
        (scratch.model("Derived", scratch.model("Middle", note=peewee.CharField(null=True))), True),
        (scratch.model("Own", id=peewee.AutoField()), False),
        (scratch.model("Copied", Keyed), False),
    ):
        assert link._meta.implicit_key is implicit
        name = link.__name__.lower()
        Task.has_many(User, as_=(f"{name}_user", f"{name}_users"), through=link)
        assert bool(link._meta.composite_key) is implicit


def test_subclasses_inherit_accessors_but_not_fields_added_later(scratch: Scratch) -> None:
    """A key added to a base after its subclasses were made would be written to a column that they do not have."""
    User, Team = scratch("User", "Team")
    Admin = scratch.model("Admin", User, level=peewee.IntegerField(default=0))
    with pytest.raises(ValueError, match="Admin was derived from it before"):
        User.belongs_to(Team)
    assert not hasattr(Admin, "team")


def test_a_generated_class_stands_in_the_module_of_its_source(scratch: Scratch) -> None:
    """Generated classes have `__module__ == 'peewee'` unless set: unpicklable, invisible to migrations."""
    Project, User = scratch("Project", "User")
    assert Project.belongs_to_many(User).through.__module__ == __name__


def test_fields_are_not_compared_by_their_operator(scratch: Scratch) -> None:
    """`Field ==` builds an expression: `in`, `index`, `remove` on lists of fields lie."""
    Game, Team = scratch("Game", "Team")
    Game.belongs_to(Team, as_="home")
    Game.belongs_to(Team, as_="away")
    assert Team.has_many(Game, as_="away_games", foreign_key="away_id").key.field is Game.away
    assert Team.has_many(Game, as_="home_games", foreign_key="home_id").key.field is Game.home


def test_the_database_of_a_model_is_not_dragged_along(scratch: Scratch) -> None:
    """`bind()` drags related models along: a declaration gives no model another database."""
    other = peewee.SqliteDatabase(None)
    Task = scratch("Task")
    Photo = scratch.model("Photo", scratch.base(database=other))
    Task.belongs_to(Photo)
    assert Task._meta.database is scratch.db
    assert Photo._meta.database is other
