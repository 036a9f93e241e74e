"""Records without a row: new owners, new targets, and owners whose row is gone."""

from __future__ import annotations

import copy
from typing import Any

import peewee
import pytest
from accessing import ids, model, refused, rows, tracker
from peewee import CharField

from activeassoc import RecordNotFound, UnsavedRecordError, sync
from activeassoc.stores.capabilities import store_of
from activeassoc.testing import assert_queries

pytestmark = pytest.mark.every_store


def test_a_new_owner_has_nothing(fresh: Any) -> None:
    """C2: get returns None or an empty list, count 0, has False, without a query; not the orphans whose key is NULL."""
    t = tracker(fresh)
    task, plan, user = t.Task.create(), t.Plan.create(), t.User.create()
    project, new_task = t.Project(), t.Task()
    with assert_queries(0):
        assert project.get_tasks() == []
        assert project.count_tasks() == 0
        assert project.has_task(task) is False
        assert project.has_tasks([task]) is False
        assert project.get_plan() is None
        assert project.get_users() == []
        assert project.count_users() == 0
        assert project.has_user(user) is False
        assert project.has_users([user], exact=False) is False
        assert new_task.get_project() is None
        assert list(project.tasks) == []
        assert list(project.users) == []
        assert project.plan is None
        assert new_task.project is None
        assert t.Project.tasks.reach([project]) == {project: []}
    assert list(t.Project.tasks.query(project)) == []
    assert list(t.Project.users.query(project)) == []
    assert plan.project is None


def test_writing_for_a_new_owner(fresh: Any) -> None:
    """C2: every writing accessor raises UnsavedRecordError, and nothing is written."""
    t = tracker(fresh)
    task, user, plan = t.Task.create(), t.User.create(), t.Plan.create()
    project = t.Project()
    calls = {
        "set_tasks": lambda: project.set_tasks([task]),
        "add_task": lambda: project.add_task(task),
        "remove_task": lambda: project.remove_task(task),
        "create_task": lambda: project.create_task(title="x"),
        "create_tasks": lambda: project.create_tasks([{"title": "x"}]),
        "set_users": lambda: project.set_users([user]),
        "add_user": lambda: project.add_user(user),
        "remove_user": lambda: project.remove_user(user),
        "create_user": lambda: project.create_user(name="x"),
        "create_users": lambda: project.create_users([{"name": "x"}]),
        "set_plan": lambda: project.set_plan(plan),
        "create_plan": lambda: project.create_plan(title="x"),
    }
    for name, call in calls.items():
        text = f"Project.{name}(): this Project is not saved yet. Save it first."
        with assert_queries(5 * 2), refused(UnsavedRecordError, text, t.models, project, task, user, plan) as caught:
            call()
        assert caught.value.record is project
    new = t.Task()
    with refused(UnsavedRecordError, "Task.create_project(): this Task is not saved yet. Save it first.", t.models, new):
        new.create_project(title="x")


def test_belongs_to_of_a_new_owner(fresh: Any) -> None:
    """C2: set on a new owner sets the key in memory, and its save writes it; with a new target too it raises."""
    t = tracker(fresh)
    project = t.Project.create()
    for given in (project, project.id):
        task = t.Task(title="x")
        with assert_queries(0 if given is project else 1):
            assert task.set_project(given) == project
        assert task.project_id == project.id
        assert task.project == project
        task.save()
        assert t.Task.get_by_id(task.id).project_id == project.id
    task, new = t.Task(), t.Project()
    text = "Task.set_project(): neither record is saved yet. Save one of them first."
    with refused(UnsavedRecordError, text, t.models, task, new):
        task.set_project(new)
    task = t.Task(project=project)
    assert task.set_project(None) is None
    assert task.project is None
    assert task.project_id is None


def test_new_targets_are_saved_once(fresh: Any) -> None:
    """C2: a new target given to add or set is saved first, once, also where it is given twice."""
    t = tracker(fresh)
    project = t.Project.create()
    for add, new in ((project.add_tasks, t.Task(title="n")), (project.add_users, t.User(name="n"))):
        assert add([new, new]) == 1
        assert new.id is not None
        assert not new.dirty_fields
        assert add([new]) == 0
    a, b = t.Task(), t.Task()
    assert project.set_tasks([a, b, a]) == [a, b]
    assert project.get_tasks() == [a, b]
    c, d = t.User(), t.User()
    assert project.set_users([c, d, c]) == [c, d]
    assert project.get_users() == [c, d]
    plan = t.Plan(title="n")
    assert project.set_plan(plan) is plan
    assert project.get_plan() == plan
    task, other = t.Task.create(), t.Project(title="o")
    assert task.set_project(other) is other
    assert task.project_id == other.id
    assert t.Project.get_by_id(other.id).title == "o"


def test_hand_made_keys(fresh: Any) -> None:
    """C2: a record made by hand is saved where its key is automatic; with another kind of key it is new and is INSERTed."""
    t = tracker(fresh)
    project, user = t.Project.create(), t.User.create()
    assert t.Project(id=project.id).add_user(t.User(id=user.id)) == 1
    assert project.get_users() == [user]
    Shelf = model(fresh, "Shelf", code=CharField(20, primary_key=True))
    Book = model(fresh, "Book", code=CharField(20, primary_key=True), title=CharField(null=True))
    Shelf.has_many(Book)
    sync(fresh.db)
    shelf = Shelf(code="s")
    with assert_queries(0):
        assert shelf.get_books() == []
    with pytest.raises(UnsavedRecordError):
        shelf.add_book("b")
    assert shelf.save() == 1
    book = Book(code="b", title="t")
    assert shelf.add_book(book) == 1
    assert Book.get_by_id("b").title == "t"
    again = Book(code="b")
    with refused(peewee.IntegrityError, None, [Shelf, Book], shelf, again):
        shelf.add_book(again)


def test_a_reference_to_a_new_record_is_not_stored_as_null(fresh: Any) -> None:
    """C2: peewee stores NULL for a reference to an unsaved record; here it raises."""
    t = tracker(fresh)
    project = t.Project()
    task = t.Task(project=project)
    text = f"Task.save() with project={project!r}: this Project is not saved yet, and NULL would be stored. Save it first."
    with refused(UnsavedRecordError, text, t.models, task):
        task.save()


@pytest.mark.parametrize("constraints", [True, False])
def test_an_owner_whose_row_is_gone(fresh: Any, constraints: bool) -> None:
    """C2: every writing accessor raises RecordNotFound, with or without a constraint, and nothing is written."""
    t = tracker(fresh, synced=False, constraints=constraints)
    if not constraints:
        t.Project.associations["users"].through.project.constraint = False
        t.Plan.project.constraint = False
    sync(fresh.db)
    project, task, user, plan = t.Project.create(), t.Task.create(), t.User.create(), t.Plan.create()
    gone = copy.copy(project)
    t.Project.delete().where(t.Project.id == project.id).execute()
    calls = [
        ("set_tasks", lambda: gone.set_tasks([task])),
        ("set_tasks", lambda: gone.set_tasks([])),
        ("set_tasks", lambda: gone.set_tasks([t.Task()])),
        ("add_task", lambda: gone.add_task(task)),
        ("add_task", lambda: gone.add_tasks([task.id])),
        ("add_task", lambda: gone.add_tasks([t.Task()])),
        ("remove_task", lambda: gone.remove_task(task)),
        ("create_task", lambda: gone.create_task()),
        ("create_tasks", lambda: gone.create_tasks([{}, {}])),
        ("set_users", lambda: gone.set_users([user])),
        ("set_users", lambda: gone.set_users([])),
        ("add_user", lambda: gone.add_user(user)),
        ("remove_user", lambda: gone.remove_user(user)),
        ("create_user", lambda: gone.create_user()),
        ("set_plan", lambda: gone.set_plan(plan)),
        ("set_plan", lambda: gone.set_plan(None)),
        ("set_plan", lambda: gone.set_plan(t.Plan())),
        ("create_plan", lambda: gone.create_plan()),
    ]
    for name, call in calls:
        text = f"Project.{name}(): Project has no row with the primary key {gone.id}. Create it first, or leave it out."
        with refused(RecordNotFound, text, t.models, gone, task, user, plan) as caught:
            call()
        assert caught.value.model is t.Project
        assert caught.value.keys == [gone.id]
    other = t.Project.create()
    lost = copy.copy(task)
    t.Task.delete().execute()
    calls = [lambda: lost.set_project(other), lambda: lost.set_project(None)]
    if store_of(t.db).transactions:  # elsewhere the new project is there already, and PartialWriteError tells it
        calls.append(lambda: lost.create_project())
    for call in calls:
        with refused(RecordNotFound, None, t.models, lost, other) as caught:
            call()
        assert caught.value.model is t.Task


def test_records_read_with_few_columns(fresh: Any) -> None:
    """C2, C11: a record that was read without the column of its key is no record without a key."""
    t = tracker(fresh)
    project, task = t.Project.create(), t.Task.create()
    project.set_tasks([task])
    part = t.Task.select(t.Task.id).get()
    assert part.get_project() == project
    Shelf = model(fresh, "Shelf", code=CharField(20, unique=True), title=CharField(null=True))
    Book = model(fresh, "Book", title=CharField(null=True))
    Shelf.has_many(Book, source_key="code", through=None)
    Shelf.has_many(Book, as_="copies", source_key="code", through="copies_shelves")
    sync(fresh.db)
    Shelf.create(code="x", title="t")
    shelf = Shelf.select(Shelf.id).get()
    assert not shelf.dirty_fields
    books = [Book.create(), Book.create()]
    assert shelf.add_books(books) == 2
    assert ids(shelf.get_books()) == ids(books)
    part = Shelf.select(Shelf.id).get()
    assert Shelf.books.reach([part]) == {part: books}
    partial = project.get_tasks(attributes=["title"])
    assert project.set_tasks(partial) == [task]
    other = t.Project.create()
    assert other.add_tasks(partial) == 1
    assert partial[0].project == other
    user = t.User.create(name="ann")
    project.add_user(user)
    partial = project.get_users(attributes=["id"])
    assert project.set_users(partial) == [user]
    assert other.add_user(partial[0]) == 1
    assert rows(t.User)["user"] == [(user.id, "ann", None)]
