"""What the accessors cost in statements, whatever the number of records."""

from __future__ import annotations

from typing import Any

import pytest
from accessing import tracker

from activeassoc.testing import assert_queries

MANY = 60


def test_reading(fresh: Any) -> None:
    """C1, C4, C10, C14: get, count, has are one statement; belongs_to with a NULL key none; many owners are one."""
    t = tracker(fresh)
    project = t.Project.create()
    tasks, users = [t.Task.create() for _ in range(MANY)], [t.User.create() for _ in range(MANY)]
    project.set_tasks(tasks)
    project.set_users(users)
    plan = project.create_plan()
    project = t.Project.get_by_id(project.id)
    orphan = t.Task.get_by_id(t.Task.create().id)
    for cost, call in (
        (1, lambda: project.get_tasks()),
        (1, lambda: project.get_users()),
        (1, lambda: project.get_plan()),
        (1, lambda: t.Task.get_by_id(tasks[0].id) and None),
        (1, lambda: tasks[0].get_project()),
        (0, lambda: orphan.get_project()),
        (1, lambda: project.count_tasks()),
        (1, lambda: project.count_users()),
        (1, lambda: project.has_task(tasks[0])),
        (1, lambda: project.has_task(tasks)),
        (1, lambda: project.has_tasks(tasks)),
        (1, lambda: project.has_tasks([])),
        (1, lambda: project.has_user(users)),
        (1, lambda: project.has_users(users)),
        (1, lambda: project.has_users([])),
        (0, lambda: project.has_users([], exact=False)),
        (1, lambda: len(project.tasks)),
        (0, lambda: [task.project.id for task in project.tasks]),
        (1, lambda: len(project.users)),
        (0, lambda: [user.membership.role for user in project.users]),
        (1, lambda: project.plan),
        (0, lambda: project.plan.project),
        (1, lambda: t.Project.tasks.reach([project] * 3)),
        (1, lambda: t.User.projects.reach(users)),
        (1, lambda: t.Task.project.reach(tasks)),
        (1, lambda: t.Project.plan.reach([project])),
    ):
        with assert_queries(cost):
            call()
    assert plan.project == project


@pytest.mark.parametrize("by", ["instances", "keys"])
def test_writing_has_many(fresh: Any, by: str) -> None:
    """C6, C7: has_many set is at most a SELECT and two UPDATEs, with INSERTs of new ones on top; add one UPDATE."""
    t = tracker(fresh)
    project = t.Project.create()
    tasks = [t.Task.create() for _ in range(MANY * 2)]
    given = tasks if by == "instances" else [task.id for task in tasks]
    with assert_queries(2) as events:
        project.set_tasks(given[:MANY])
    assert [event.sql.split()[0] for event in events] == ["SELECT", "UPDATE"]
    with assert_queries(3) as events:
        project.set_tasks(given[MANY // 2 : MANY + MANY // 2])
    assert [event.sql.split()[0] for event in events] == ["SELECT", "UPDATE", "UPDATE"]
    with assert_queries(1):
        project.set_tasks(given[MANY // 2 : MANY + MANY // 2])
    with assert_queries(4):
        project.set_tasks([*given[:MANY], t.Task()])
    with assert_queries(2):
        project.set_tasks([])
    with assert_queries(1):
        assert project.add_task(given[0]) == 1
    with assert_queries(1):
        assert project.add_tasks(given[1:MANY]) == MANY - 1
    with assert_queries(2):  # fewer rows changed than were given: the second tells whether some do not exist
        assert project.add_tasks(given[:MANY]) == 0
    with assert_queries(2):
        assert project.add_tasks([*given[MANY:], t.Task()]) == MANY + 1
    with assert_queries(1):
        project.remove_task(given[0])
    with assert_queries(1):
        project.remove_tasks(given[1:MANY])
    with assert_queries(1):
        project.create_task(title="x")
    with assert_queries(0):
        project.add_tasks([])
        project.remove_tasks(None)
        project.create_tasks([])


@pytest.mark.parametrize("by", ["instances", "keys"])
def test_writing_many_to_many(fresh: Any, by: str) -> None:
    """C8: set is 1 SELECT, at most 1 DELETE, 1 INSERT and 1 UPDATE of all changed attributes; add 2, again 1."""
    t = tracker(fresh)
    project = t.Project.create()
    users = [t.User.create() for _ in range(MANY * 2)]
    given = users if by == "instances" else [user.id for user in users]
    with assert_queries(2) as events:
        project.set_users(given[:MANY])
    assert [event.sql.split()[0] for event in events] == ["SELECT", "INSERT"]
    with assert_queries(4) as events:
        changed = {each: {"role": f"r{n}", "since": n} for n, each in enumerate(given[MANY // 2 : MANY + MANY // 2])}
        project.set_users(changed)
    assert sorted(event.sql.split()[0] for event in events) == ["DELETE", "INSERT", "SELECT", "UPDATE"]
    assert [user.membership.since for user in project.get_users()] == list(range(MANY))
    with assert_queries(1):
        project.set_users(changed)
    with assert_queries(1):
        project.add_users(given[MANY // 2 : MANY])
    with assert_queries(2):
        project.add_users(given)
    with assert_queries(1):
        project.add_users(given)
    with assert_queries(2):
        project.add_users(given, {"role": "same"})
    with assert_queries(1):
        project.add_users(given, {"role": "same"})
    with assert_queries(1):
        project.remove_user(given[0])
    with assert_queries(1):
        project.remove_users(given[1:MANY])
    with assert_queries(2):
        project.set_users([])
    with assert_queries(2):
        project.create_user(name="x")
    with assert_queries(0):
        project.add_users([])
        project.remove_users(None)
        project.create_users([])


def test_writing_to_one(fresh: Any) -> None:
    """C4, C5: belongs_to set is one UPDATE; has_one set a SELECT and at most two UPDATEs, again the SELECT alone."""
    t = tracker(fresh)
    project, other, task = t.Project.create(), t.Project.create(), t.Task.create()
    a, b = t.Plan.create(), t.Plan.create()
    with assert_queries(1):
        task.set_project(project)
    with assert_queries(1):
        task.set_project(None)
    with assert_queries(2):
        task.create_project()
    with assert_queries(2):
        project.set_plan(a)
    with assert_queries(3):
        project.set_plan(b)
    with assert_queries(1):
        project.set_plan(b)
    with assert_queries(2):
        other.set_plan(b)
    with assert_queries(2):
        other.set_plan(None)


@pytest.mark.needs("row_locks")
def test_the_owners_lock_is_one_statement(fresh: Any) -> None:
    """C6, C17: on servers set locks the owner's row by one SELECT more, which finds out too whether it is there."""
    t = tracker(fresh)
    project, task = t.Project.create(), t.Task.create()
    seen: list[str] = []
    t.db.query_hooks = [*t.db.query_hooks, lambda event: seen.append(event.sql)]
    project.set_tasks([task])
    project.set_users([])
    locks = [sql for sql in seen if sql.endswith("FOR UPDATE")]
    assert len(locks) == 2
    assert len(seen) - len([sql for sql in seen if sql.split()[0] in ("BEGIN", "COMMIT")]) == 5
