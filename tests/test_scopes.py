"""Scopes: where= and order= of a declaration."""

from __future__ import annotations

from typing import Any

import pytest

from activeassoc import AssociationError, sync

pytestmark = pytest.mark.every_store


def titles(records: Any) -> list[Any]:
    return [record.title for record in records]


def test_a_scope_is_applied_when_reading_and_written_when_adding(fresh: Any) -> None:
    """A19: equalities of where are written when creating or adding."""
    User, Task = fresh("User", "Task")
    User.has_many(Task)
    User.has_many(Task, as_="urgent_tasks", where={"title": "urgent"})
    sync(fresh.db)
    ann = User.create()
    other, made = ann.create_task(title="later"), ann.create_urgent_task()
    assert made.title == "urgent"
    assert ann.get_urgent_tasks() == [made]
    assert ann.count_urgent_tasks() == 1
    assert ann.has_urgent_task(made)
    assert not ann.has_urgent_task(other)
    stray = Task.create(title="stray")
    ann.add_urgent_task(stray)
    assert stray.title == Task.get_by_id(stray.id).title == "urgent"
    assert stray.user == ann


def test_a_scope_that_is_a_text_is_refused(fresh: Any) -> None:
    """A19, A16: at declaration, not when it is first read, and nothing is made."""
    User, Task = fresh("User", "Task")
    with pytest.raises(AssociationError) as raised:
        User.has_many(Task, where="title = 'x'")
    assert str(raised.value) == (
        "User.has_many(Task, where=\"title = 'x'\"): where=\"title = 'x'\" is a text, and a text could hold anything. "
        "Write Task.title = 'x', or SQL(\"title = 'x'\") where it has to be SQL."
    )
    assert not User.associations
    assert list(Task._meta.fields) == ["id", "title"]


def test_set_and_remove_work_within_the_scope(fresh: Any) -> None:
    """A19: set detaches and remove works within the scope, by NULLing the key."""
    User, Task = fresh("User", "Task")
    User.has_many(Task)
    User.has_many(Task, as_="urgent_tasks", where=Task.title == "urgent")
    sync(fresh.db)
    ann = User.create()
    other, one, two = ann.create_task(title="later"), ann.create_urgent_task(), ann.create_urgent_task()
    assert ann.remove_urgent_task(other) == 0
    ann.set_urgent_tasks([two])
    assert set(ann.get_tasks()) == {other, two}
    assert Task.get_by_id(one.id).user_id is None
    assert Task.get_by_id(one.id).title == "urgent"


def test_a_scope_that_is_not_all_equalities_refuses_to_add(fresh: Any) -> None:
    """A19: and to create; reading works."""
    User, Task = fresh("User", "Task")
    User.has_many(Task, as_="open_tasks", where=Task.title != "done")
    sync(fresh.db)
    ann = User.create()
    task = Task.create(title="x", user=ann)
    assert ann.get_open_tasks() == [task]
    for use in (lambda: ann.add_open_task(task), ann.create_open_task):
        with pytest.raises(AssociationError) as raised:
            use()
        assert "open_task" in str(raised.value)
    assert Task.select().count() == 1


def test_a_has_one_with_a_scope(fresh: Any) -> None:
    """A11, A19: several associations of one source may share a key."""
    User, Task = fresh("User", "Task")
    User.has_many(Task)
    User.has_one(Task, as_="main_task", where={"title": "main"})
    sync(fresh.db)
    ann = User.create()
    ann.create_task(title="other")
    assert ann.get_main_task() is None
    main = ann.create_main_task()
    assert ann.get_main_task() == main
    assert ann.count_tasks() == 2
    ann.set_main_task(None)
    assert titles(ann.get_tasks()) == ["other"]


def test_an_order_of_the_association(fresh: Any) -> None:
    """A19, C13: a given order is applied when reading, and gives way to that of the call."""
    User, Task = fresh("User", "Task")
    User.has_many(Task, order="-title")
    sync(fresh.db)
    ann = User.create()
    for title in ("b", "c", "a"):
        ann.create_task(title=title)
    assert titles(ann.get_tasks()) == ["c", "b", "a"]
    assert titles(ann.get_tasks(order="title")) == ["a", "b", "c"]
