"""belongs_to and has_one: getting, setting, clearing, creating."""

from __future__ import annotations

from typing import Any

import pytest
from accessing import model, refused, tracker
from peewee import CharField, ForeignKeyField

from activeassoc import RequiredKeyError, UnknownName, WrongArgument, sync
from activeassoc.stores.capabilities import store_of
from activeassoc.testing import assert_queries

pytestmark = pytest.mark.every_store


def test_belongs_to_get_asks_the_database(fresh: Any) -> None:
    """C4: get_x asks the database, while task.project keeps what it loaded; with a NULL key it makes no query."""
    t = tracker(fresh)
    project = t.Project.create(title="old")
    task = t.Task.create(project=project)
    task = t.Task.get_by_id(task.id)
    assert task.project.title == "old"
    t.Project.update(title="new").execute()
    with assert_queries(0):
        assert task.project.title == "old"
    with assert_queries(1):
        assert task.get_project().title == "new"
    for orphan in (t.Task.create(), t.Task.get_by_id(t.Task.create().id), t.Task()):
        with assert_queries(0):
            assert orphan.get_project() is None
            assert orphan.project is None


def test_belongs_to_set_writes_the_key_alone(fresh: Any) -> None:
    """C4: other unsaved changes stay unsaved, the attribute is refreshed, and what others wrote meanwhile stays."""
    t = tracker(fresh)
    project, other = t.Project.create(), t.Project.create()
    task = t.Task.create(title="stored", project=project)
    task.title = "unsaved"
    t.Task.update(rank=5).execute()
    with assert_queries(1 if store_of(t.db).expressions else 2):  # where no UPDATE asks whether the target exists, a SELECT does
        assert task.set_project(other) is other
    assert (task.project, task.project_id) == (other, other.id)
    assert task.project is other
    assert [field.name for field in task.dirty_fields] == ["title"]
    stored = t.Task.get_by_id(task.id)
    assert (stored.title, stored.rank, stored.project_id) == ("stored", 5, other.id)
    assert task.set_project(str(project.id)) == project
    assert task.project_id == project.id
    assert task.set_project(None) is None
    assert (task.project, task.project_id) == (None, None)
    assert t.Task.get_by_id(task.id).project_id is None
    task.project = project
    assert task.set_project(other) is other
    assert "project" not in {field.name for field in task.dirty_fields}


def test_belongs_to_with_a_required_key(fresh: Any) -> None:
    """C4, C3: clearing a key that may not be NULL is the database's error, and nothing changes."""
    fresh.on()
    Project, Task = model(fresh, "Project", title=CharField(null=True)), model(fresh, "Task", title=CharField(null=True))
    Task.belongs_to(Project, null=False)
    sync(fresh.db)
    project = Project.create()
    task = Task.create(project=project)
    with refused(Exception, None, [Project, Task], task, project):
        task.set_project(None)


def test_belongs_to_creates(fresh: Any) -> None:
    """C18, C9: create_x makes and links, in memory too, and returns the new record."""
    t = tracker(fresh)
    task = t.Task.create(title="t")
    project = task.create_project(title="made")
    assert (task.project, task.project_id) == (project, project.id)
    assert t.Task.get_by_id(task.id).project == project
    assert task.create_project({"title": "mapped"}).title == "mapped"
    with refused(UnknownName, None, t.models, task):
        task.create_project(titel="x")


def test_keys_to_another_unique_column(fresh: Any) -> None:
    """A15: the key refers to another column; arguments are primary keys all the same."""
    fresh.on()
    Country = model(fresh, "Country", code=CharField(3, unique=True), name=CharField(null=True))
    City = model(fresh, "City", name=CharField(null=True))
    City.belongs_to(Country, target_key="code")
    Country.has_many(City, source_key="code")
    Country.has_one(City, as_="capital", source_key="code")
    sync(fresh.db)
    at, de = Country.create(code="at"), Country.create(code="de")
    city = City.create()
    assert city.set_country(de.id) == de
    assert city.country_code == "de"
    assert city.set_country(at) is at
    assert city.country_code == "at"
    partial = Country.select(Country.id).where(Country.id == de.id).get()
    assert city.set_country(partial) is partial
    assert city.country_code == "de"
    text = "City.set_country(): Country has no row with the primary key 99. Create it first, or leave it out."
    with refused(LookupError, text, [Country, City], city):
        city.set_country(99)
    assert at.set_capital(city) is city
    assert city.country_code == "at"
    assert at.get_capital() == city
    assert at.has_city(city)
    assert Country.capital.reach([at, de]) == {at: city, de: None}


def test_has_one_detaches_the_former(fresh: Any) -> None:
    """C5: set detaches the previous record, then attaches; setting the same again writes nothing; create detaches too."""
    t = tracker(fresh)
    project, other = t.Project.create(), t.Project.create()
    a, b = t.Plan.create(title="a"), t.Plan.create(title="b")
    assert project.set_plan(a) is a
    assert project.plan is a
    assert project.set_plan(b.id) == b
    assert (a.project, a.project_id) == (None, None)
    assert t.Plan.get_by_id(a.id).project_id is None
    with assert_queries(1 if store_of(t.db).expressions else 2):
        assert project.set_plan(b) is b
    assert other.set_plan(b) is b
    assert (b.project, b.project_id) == (other, other.id)
    assert project.get_plan() is None
    c = other.create_plan(title="c")
    assert other.plan is c
    assert b.project_id is None
    assert other.get_plan() == c
    assert (c.project, c.project_id) == (other, other.id)
    assert other.set_plan(None) is None
    assert c.project_id is None
    assert other.plan is None
    assert t.Plan.select().where(t.Plan.project.is_null(False)).count() == 0


def test_has_one_of_several(fresh: Any) -> None:
    """C5: where rows written elsewhere gave the owner several, get returns the first, and set lets all others go."""
    t = tracker(fresh)
    project = t.Project.create()
    a, b, _ = [t.Plan.create(project=project) for _ in range(3)]
    assert project.get_plan() == a
    assert project.set_plan(b) is b
    assert [plan.id for plan in t.Plan.select().where(t.Plan.project == project)] == [b.id]


@pytest.mark.parametrize("unique", [True, False])
def test_has_one_with_a_required_key(fresh: Any, unique: bool) -> None:
    """C5, C6: with a NOT NULL key the previous record cannot be detached: raises unless destroy=True, which deletes it."""
    fresh.on()
    User, Profile = model(fresh, "User", name=CharField(null=True)), model(fresh, "Profile", text=CharField(null=True))
    User.has_one(Profile, null=False, unique=unique)
    sync(fresh.db)
    user, other = User.create(), User.create()
    first = user.create_profile(text="1")
    second = other.create_profile(text="2")
    for name, call in (
        ("set", lambda: user.set_profile(second)),
        ("set", lambda: user.set_profile(None)),
        ("set", lambda: user.set_profile(Profile(text="3"))),
        ("create", lambda: user.create_profile(text="3")),
    ):
        text = (
            f"User.{name}_profile(): Profile {first.id} would be let go, and its key 'user_id' may not be NULL. "
            "Give destroy=True to delete what is let go, or declare the key with null=True."
        )
        with refused(RequiredKeyError, text, [User, Profile], user, other, first, second) as caught:
            call()
        assert caught.value.keys == [first.id]
    assert user.set_profile(second, destroy=True) is second
    assert Profile.get_or_none(Profile.text == "1") is None
    third = user.create_profile(text="3", destroy=True)
    assert user.get_profile() == third
    assert Profile.select().count() == 1
    assert user.set_profile(None, destroy=True) is None
    assert Profile.select().count() == 0


def test_to_one_options(fresh: Any) -> None:
    """C11: to-one getters take where and attributes; an unknown name and a text raise."""
    t = tracker(fresh)
    project = t.Project.create(title="p", note="n")
    task, plan = t.Task.create(project=project), t.Plan.create(project=project, title="x")
    assert task.get_project(where=t.Project.title == "p") == project
    assert task.get_project(where={"title": "q"}) is None
    assert task.get_project(attributes=["title"]).__data__ == {"id": project.id, "title": "p"}
    assert project.get_plan(attributes=[]).__data__ == {"id": plan.id, "project": project.id}
    assert project.get_plan(where=t.Plan.title == "y") is None
    text = "Task.get_project(): Project has no field 'titel' for attributes. Did you mean 'title'."
    with refused(UnknownName, text, t.models, task):
        task.get_project(attributes=["titel"])
    with refused(WrongArgument, None, t.models, project):
        project.get_plan(where="id > 3")


def test_one_to_one_in_the_database(fresh: Any) -> None:
    """E2, C5: unique=True holds in the database, and set still swaps."""
    fresh.on()
    User = model(fresh, "User", name=CharField(null=True))
    Profile = model(fresh, "Profile", user=ForeignKeyField(User, null=True, unique=True))
    User.has_one(Profile)
    Profile.belongs_to(User)
    sync(fresh.db)
    user, other, a, b = User.create(), User.create(), Profile.create(), Profile.create()
    user.set_profile(a)
    other.set_profile(b)
    assert user.set_profile(b) is b
    assert other.get_profile() is None
    with refused(Exception, None, [User, Profile], a, user):
        a.set_user(user)
