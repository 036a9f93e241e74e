"""After any writing accessor the instances at hand say what the database holds, without being asked to look again."""

from __future__ import annotations

from typing import Any

import peewee
import pytest
from accessing import ids, model, tracker
from peewee import BooleanField, CharField

from activeassoc import sync
from activeassoc.testing import assert_queries

pytestmark = pytest.mark.every_store


def test_both_ends_of_a_has_many(fresh: Any) -> None:
    """C12: owner.xs, task.project and task.project_id after add, set, remove, create; a former owner that is held forgets too."""
    t = tracker(fresh)
    project, other, task = t.Project.create(), t.Project.create(), t.Task.create()
    assert list(project.tasks) == []
    assert list(other.tasks) == []
    project.add_task(task)
    with assert_queries(0):
        assert project.tasks == [task]
        assert task.project is project
        assert task.project_id == project.id
    other.add_task(task)
    with assert_queries(0):
        assert other.tasks == [task]
        assert task.project is other
    with assert_queries(1):
        assert project.tasks == []
    assert other.set_tasks([]) == []
    with assert_queries(0):
        assert other.tasks == []
        assert task.project is None
        assert task.project_id is None
    made = other.create_task(title="x")
    with assert_queries(0):
        assert other.tasks == [made]
        assert made.project is other
    other.remove_task(made.id)
    with assert_queries(0):
        assert other.tasks == []
        assert made.project_id is None
    other.add_task(task.id)
    with assert_queries(1):
        assert other.tasks == [task]


def test_records_of_a_getter(fresh: Any) -> None:
    """C12: records from get_tasks() have task.project set to the owner, without a query; get_plan() likewise."""
    t = tracker(fresh)
    project = t.Project.create()
    project.create_tasks([{}, {}])
    project.create_plan()
    tasks, plan = project.get_tasks(), project.get_plan()
    with assert_queries(0):
        assert all(task.project is project for task in tasks)
        assert plan.project is project


def test_the_other_end_sets(fresh: Any) -> None:
    """C12: task.set_project makes the collections of the former and the new project forget."""
    t = tracker(fresh)
    a, b, task, plan = t.Project.create(), t.Project.create(), t.Task.create(), t.Plan.create()
    assert list(a.tasks) == list(b.tasks) == []
    task.set_project(a)
    assert a.tasks == [task]
    task.set_project(b)
    assert a.tasks == []
    assert b.tasks == [task]
    assert a.plan is None
    plan.set_project(a)
    assert a.plan == plan
    plan.set_project(None)
    assert a.plan is None
    task.create_project(title="c")
    assert b.tasks == []


def test_both_ends_of_a_many_to_many(fresh: Any) -> None:
    """C12: collections of both ends, join rows, and the memberships beside them."""
    t = tracker(fresh)
    t.Project.has_many(t.Membership)
    project, user = t.Project.create(), t.User.create()
    assert list(project.users) == list(user.projects) == list(project.memberships) == []
    project.add_user(user, {"role": "boss"})
    with assert_queries(0):
        assert project.users == [user]
    assert user.projects == [project]
    assert [link.role for link in project.memberships] == ["boss"]
    assert user.membership.role == "boss"
    project.set_users([user], {"role": "x"})
    assert user.membership.role == "x"
    assert [link.role for link in project.memberships] == ["x"]
    user.set_projects([])
    assert project.users == [user]  # the project was not passed: other instances are not tracked
    project.reload()
    assert project.users == []
    project.add_user(user)
    assert project.remove_user(user.id) == 1
    assert project.users == []
    assert not hasattr(user, "membership")
    assert user.projects == []


def test_a_collection_that_was_loaded_first(fresh: Any) -> None:
    """C12: instances that the owner holds, and are removed by key, know it."""
    t = tracker(fresh)
    project = t.Project.create()
    task, user = project.create_task(), project.create_user()
    held_task, held_user = project.get_tasks()[0], project.get_users()[0]
    project = t.Project.get_by_id(project.id)
    held_task, held_user = project.tasks[0], project.users[0]
    assert (held_task.project, held_user.membership.role) == (project, "member")
    assert list(held_user.projects) == [project]
    project.set_tasks([])
    project.remove_user(user.id)
    assert held_task.project is None
    assert not hasattr(held_user, "membership")
    assert list(held_user.projects) == []
    assert task.id == held_task.id


def test_has_one_in_memory(fresh: Any) -> None:
    """C12: the owner's attribute, and both records, after set and create."""
    t = tracker(fresh)
    project, other = t.Project.create(), t.Project.create()
    a = project.create_plan(title="a")
    with assert_queries(0):
        assert project.plan is a
        assert a.project is project
    assert other.plan is None
    other.set_plan(a)
    with assert_queries(0):
        assert other.plan is a
        assert a.project is other
    assert project.plan is None
    b = other.create_plan(title="b")
    with assert_queries(0):
        assert other.plan is b
        assert a.project is None
    assert other.set_plan(a.id) == a
    assert other.plan == a
    assert b.project_id is None


def test_scopes_of_one_key(fresh: Any) -> None:
    """C12, A19: associations of one owner that share a key forget what the other wrote."""
    fresh.on()
    Project = model(fresh, "Project", title=CharField(null=True))
    Task = model(fresh, "Task", title=CharField(null=True), done=BooleanField(default=False))
    Project.has_many(Task)
    Project.has_many(Task, as_="open_tasks", where={"done": False})
    Project.has_one(Task, as_="first_task")
    sync(fresh.db)
    project = Project.create()

    def seen() -> tuple[list[Any], list[Any], Any]:
        return ids(project.tasks), ids(project.open_tasks), project.first_task

    assert seen() == ([], [], None)
    a = project.create_task()
    assert seen() == ([a.id], [a.id], a)
    b = Task.create(done=True)
    project.add_task(b)
    assert seen() == ([a.id, b.id], [a.id], a)
    project.add_open_task(b)
    assert seen() == ([a.id, b.id], [a.id, b.id], a)
    assert b.done is False
    project.remove_task(a)
    assert seen() == ([b.id], [b.id], b)
    project.set_open_tasks([])
    assert seen() == ([], [], None)
    project.set_tasks([a, b])
    assert seen() == ([a.id, b.id], [a.id, b.id], a)
    project.set_first_task(b)
    assert seen() == ([b.id], [b.id], b)


def test_unsaved_changes_survive(fresh: Any) -> None:
    """C12: what is unsaved on the instances stays unsaved, and stays there."""
    t = tracker(fresh)
    project, task, user = t.Project.create(title="p"), t.Task.create(title="t"), t.User.create(name="u")
    project.title, task.title, user.name = "P", "T", "U"
    project.add_task(task)
    project.add_user(user)
    project.set_tasks([task])
    project.set_users([user])
    for record, name in ((project, "title"), (task, "title"), (user, "name")):
        assert [field.name for field in record.dirty_fields] == [name]
        assert getattr(record, name).isupper()
        assert getattr(record.__class__.get_by_id(record.id), name).islower()


def test_a_tree(fresh: Any) -> None:
    """C12: where owner and target are records of one model."""
    fresh.on()
    Category = model(fresh, "Category", title=CharField(null=True))
    Category.belongs_to("self", as_="parent")
    Category.has_many("self", as_="children")
    sync(fresh.db)
    root, twig, leaf = (Category.create(title=x) for x in ("root", "twig", "leaf"))
    assert list(twig.children) == []
    assert root.set_children([twig]) == [twig]
    twig.add_child(leaf)
    with assert_queries(0):
        assert (leaf.parent, leaf.parent.parent, leaf.parent.parent.parent) == (twig, root, None)
        assert root.children == [twig]
        assert twig.children == [leaf]
    root.add_child(leaf)
    assert root.children == [twig, leaf]
    assert twig.children == []
    assert leaf.parent is root
    twig.set_parent(None)
    assert root.children == [leaf]


def test_text_keys_keep_the_databases_order(fresh: Any) -> None:
    """C12, C13: a collection is in the database's order after a write, whatever its collation."""
    fresh.on()
    Shelf = model(fresh, "Shelf", title=CharField(null=True))
    Book = model(fresh, "Book", code=CharField(20, primary_key=True))
    Shelf.has_many(Book)
    sync(fresh.db)
    shelf = Shelf.create()
    books = [Book.create(code=code) for code in ("b", "A", "Ba", "é", "z", "C")]
    shelf.set_books(books[:4])
    assert ids(shelf.books) == ids(shelf.get_books())
    shelf.add_books(books)
    assert ids(shelf.books) == ids(shelf.get_books())
    shelf.remove_books(books[:2])
    assert ids(shelf.books) == ids(shelf.get_books())


def test_collections_behave_as_lists(fresh: Any) -> None:
    """F6: iteration, len, indexing, in, == with lists; repr says whether it is loaded."""
    t = tracker(fresh)
    project = t.Project.create()
    assert repr(project.tasks) == f"<Project.tasks of {project!r}, not loaded>"
    a, b = project.create_task(), project.create_task()
    with assert_queries(1):
        assert len(project.tasks) == 2
        assert project.tasks[0] == a
        assert project.tasks[-1:] == [b]
        assert a in project.tasks
        assert project.tasks == [a, b]
        assert project.tasks == (a, b)
        assert project.tasks != [b, a]
        assert project.tasks == project.tasks
        assert list(reversed(project.tasks)) == [b, a]
        assert repr(project.tasks) == repr([a, b])
    assert project.tasks != 3
    assert bool(t.Project.create().tasks) is False
    assert isinstance(project.tasks[0], peewee.Model)
