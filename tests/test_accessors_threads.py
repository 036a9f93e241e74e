"""Several threads at once: the same link, sets that meet, records that move."""

from __future__ import annotations

import threading
from typing import Any

import peewee
import pytest
from accessing import ids, model, tracker
from looking import together
from peewee import CharField

from activeassoc import sync

pytestmark = pytest.mark.every_store

ROUNDS = 5


def others(db: Any, *functions: Any) -> list[Any]:
    """What the functions return when they run at once; a deadlock that the server broke is tried again, as programs do."""

    def retried(function: Any) -> Any:
        def run() -> Any:
            for _ in range(20):
                try:
                    return function()
                except peewee.OperationalError as error:
                    if "eadlock" not in str(error):
                        raise
            raise AssertionError("twenty deadlocks one after another")

        return run

    return together(db, *(retried(function) for function in functions))


def test_the_same_link(fresh: Any) -> None:
    """C16: threads that add the same link all succeed, and one link exists."""
    t = tracker(fresh)
    for _ in range(ROUNDS):
        project, user = t.Project.create(), t.User.create()
        calls = [lambda p=project, u=user: p.add_user(u.id), lambda p=project, u=user: u.add_project(p.id)] * 2
        results = together(t.db, *calls)
        assert sorted(results) == [0, 0, 0, 1], results
        assert project.count_users() == 1


@pytest.mark.needs("row_locks")  # elsewhere writers are serial, and nobody can come between
def test_the_same_link_after_a_look(fresh: Any) -> None:
    """C16: also where the other's link is committed between our look and our insert."""
    t = tracker(fresh)
    project, user, more = t.Project.create(), t.User.create(), t.User.create()
    looked, go = threading.Event(), threading.Event()

    def wait(event: Any) -> None:
        if event.sql.startswith("SELECT") and threading.current_thread().name == "slow" and not looked.is_set():
            looked.set()
            go.wait(10)

    results: list[Any] = []

    def slow() -> None:
        try:
            results.append(t.Project.users.add(t.Project(id=project.id), [user.id, more.id], {"role": "slow"}))
        finally:
            t.db.close()

    t.db.query_hooks = [wait]
    thread = threading.Thread(target=slow, name="slow")
    thread.start()
    assert looked.wait(10)
    assert project.add_user(user, {"role": "fast"}) == 1
    go.set()
    thread.join(20)
    t.db.query_hooks = []
    assert results == [1]
    assert project.count_users() == 2


@pytest.mark.needs("sql")  # rows are locked there, or writers are serial (C17)
def test_sets_that_meet(fresh: Any) -> None:
    """C17: sets of one owner that meet leave the result of one of them, of both kinds of to-many."""
    t = tracker(fresh)
    for name, target in (("tasks", t.Task), ("users", t.User)):
        association = t.Project.associations[name]
        for _ in range(ROUNDS):
            project, records = t.Project.create(), [target.create() for _ in range(6)]
            keys = ids(records)
            wanted = [keys[:3], keys[3:], keys[1:5]]
            calls = [lambda some=some, a=association, key=project.id: a.set(t.Project(id=key), some) for some in wanted]
            results = others(t.db, *calls)
            assert [ids(result) for result in results] == wanted, results
            assert ids(association.get(project)) in wanted


@pytest.mark.needs("sql")  # rows are locked there, or writers are serial (C17)
def test_has_one_that_meet(fresh: Any) -> None:
    """C17: set and create of one has_one that meet leave one record."""
    t = tracker(fresh)
    for _ in range(ROUNDS):
        project, a, b = t.Project.create(), t.Plan.create(), t.Plan.create()
        results = others(
            t.db,
            lambda key=project.id, plan=a.id: t.Project(id=key).set_plan(plan),
            lambda key=project.id, plan=b.id: t.Project(id=key).set_plan(plan),
            lambda key=project.id: t.Project(id=key).create_plan(title="c"),
        )
        assert all(isinstance(result, t.Plan) for result in results), results
        assert t.Plan.select().where(t.Plan.project == project).count() == 1


def test_records_that_move(fresh: Any) -> None:
    """C7, C17: two owners that take the same records at once: each record has one owner, and nobody is lost."""
    t = tracker(fresh)
    for _ in range(ROUNDS):
        a, b = t.Project.create(), t.Project.create()
        keys = ids([t.Task.create() for _ in range(8)])
        results = others(
            t.db,
            lambda key=a.id, keys=keys: t.Project(id=key).add_tasks(keys),
            lambda key=b.id, keys=keys: t.Project(id=key).add_tasks(list(reversed(keys))),
        )
        assert all(isinstance(result, int) for result in results), results
        assert sorted([*ids(a.get_tasks()), *ids(b.get_tasks())]) == keys


def test_adding_while_reading_before(fresh: Any) -> None:
    """C17: a read before a write in one transaction does not end in "database is locked"."""
    fresh.on()
    Counter = model(fresh, "Counter", title=CharField(null=True))
    Event = model(fresh, "Event", title=CharField(null=True))
    Counter.has_many(Event)
    sync(fresh.db)
    counter = Counter.create()

    def write(number: int) -> Any:
        mine = Counter(id=counter.id)
        with fresh.db.atomic():
            mine.count_events()
            mine.create_event(title=str(number))
            return mine.add_event(Event(title=f"more {number}"))

    results = others(fresh.db, *(lambda n=n: write(n) for n in range(4)))
    assert results == [1] * 4
    assert counter.count_events() == 8
