"""What each accessor costs in statements where the store can join and compute, and where it cannot: one table, held on every store."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from accessing import tracker

from activeassoc.stores.capabilities import store_of
from activeassoc.testing import assert_queries

pytestmark = pytest.mark.every_store

Call = tuple[Callable[[Any], Any], int, int | tuple[int, int]]
#: What is called; its statements where one can join tables and compute; those where it cannot, so that links and targets are asked
#: apart, and whether a row exists is asked by a SELECT of its own. Of two numbers the second is for a store where nothing can be taken
#: back, so that all is looked for before any of it is written.
READING: list[Call] = [
    (lambda t: t.project.get_tasks(), 1, 1),
    (lambda t: t.project.get_tasks(where=t.Task.done == False, order="-title", limit=2, offset=1, attributes=["title"]), 1, 1),
    (lambda t: t.project.get_users(), 1, 2),
    (lambda t: t.project.get_users(through_where=t.Membership.role == "member", order="-name", limit=2), 1, 2),
    (lambda t: t.project.get_plan(), 1, 1),
    (lambda t: t.tasks[0].get_project(), 1, 1),
    (lambda t: t.Task().get_project(), 0, 0),
    (lambda t: t.project.count_tasks(), 1, 1),
    (lambda t: t.project.count_users(), 1, 2),
    (lambda t: t.project.has_task(t.tasks[0]), 1, 1),
    (lambda t: t.project.has_task(t.tasks), 1, 1),
    (lambda t: t.project.has_tasks(t.tasks), 1, 2),
    (lambda t: t.project.has_tasks([]), 1, 1),
    (lambda t: t.project.has_user(t.users), 1, 2),
    (lambda t: t.project.has_users(t.users), 1, 3),
    (lambda t: t.project.has_users([], exact=False), 0, 0),
    (lambda t: len(t.project.tasks), 1, 1),
    (lambda t: [task.project.id for task in t.project.tasks], 0, 0),
    (lambda t: len(t.project.users), 1, 2),
    (lambda t: [user.membership.role for user in t.project.users], 0, 0),
    (lambda t: t.Project.tasks.reach([t.project] * 3), 1, 1),
    (lambda t: t.User.projects.reach(t.users), 1, 2),
    (lambda t: t.Task.project.reach(t.tasks), 1, 1),
    (lambda t: t.Project.plan.reach([t.project]), 1, 1),
]
WRITING: list[Call] = [
    (lambda t: t.project.set_tasks(t.tasks[:6]), 2, 4),
    (lambda t: t.project.set_tasks(t.tasks[3:]), 3, 5),
    (lambda t: t.project.set_tasks(t.tasks[3:]), 1, 2),
    (lambda t: t.project.set_tasks([]), 2, 3),
    (lambda t: t.project.add_task(t.tasks[0]), 1, (2, 3)),
    (lambda t: t.project.add_tasks(t.tasks[1:]), 1, (2, 3)),
    (lambda t: t.project.remove_tasks(t.tasks), 1, 2),
    (lambda t: t.project.create_task(title="x"), 1, 2),
    (lambda t: t.project.add_tasks([]), 0, 0),
    (lambda t: t.project.set_users(t.users[:6]), 2, 4),
    (lambda t: t.project.set_users({user: {"role": user.name} for user in t.users[3:]}), 4, 8),
    (lambda t: t.project.set_users(t.users[3:]), 1, 2),
    (lambda t: t.project.add_users(t.users), 2, 4),
    (lambda t: t.project.add_users(t.users), 1, 2),
    (lambda t: t.project.remove_users(t.users), 1, 1),
    (lambda t: t.project.create_user(name="x"), 2, 3),
    (lambda t: t.project.set_plan(t.plans[0]), 2, 4),
    (lambda t: t.project.set_plan(t.plans[1]), 3, 5),
    (lambda t: t.project.set_plan(t.plans[1]), 1, 2),
    (lambda t: t.tasks[0].set_project(t.project), 1, 2),
    (lambda t: t.tasks[0].set_project(None), 1, 1),
    (lambda t: t.tasks[0].create_project(), 2, (2, 3)),
]


@pytest.mark.parametrize("calls", [READING, WRITING], ids=["reading", "writing"])
def test_what_each_accessor_costs(fresh: Any, calls: list[Call]) -> None:
    """C1, C4 to C8, C10, C14, H1: a fixed number of statements, whatever the number of records, and how many that is."""
    t = tracker(fresh)
    t.project = t.Project.create()
    t.tasks, t.users = [t.Task.create() for _ in range(9)], [t.User.create(name=str(n)) for n in range(9)]
    t.plans = [t.Plan.create(), t.Plan.create()]
    if calls is READING:
        t.project.set_tasks(t.tasks)
        t.project.set_users(t.users)
        t.project = t.Project.get_by_id(t.project.id)
    can = store_of(t.db)
    for call, together, apart in calls:
        apart = apart if isinstance(apart, int) else apart[0 if can.transactions else 1]
        with assert_queries(together if can.joins else apart):
            call(t)
