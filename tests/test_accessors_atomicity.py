"""All or nothing: what fails in the middle leaves every row and every instance as it was."""

from __future__ import annotations

import contextlib
import threading
from typing import Any

import peewee
import pytest
from accessing import ids, model, refuse_value, refused, rows, tracker
from peewee import CharField

from activeassoc import AssociationError, sync
from activeassoc.stores.sql import many_statements

pytestmark = pytest.mark.every_store

FAILURES = (peewee.IntegrityError, peewee.OperationalError, peewee.InternalError, peewee.DatabaseError)


@pytest.mark.needs("sql")
def test_a_trigger_refuses_the_last_row_of_a_set(fresh: Any) -> None:
    """C3: a set of a has_many whose second UPDATE fails has not detached anybody either."""
    t = tracker(fresh)
    project = t.Project.create()
    a, b, c = t.Task.create(rank=1), t.Task.create(rank=2), t.Task.create(rank=3)
    project.set_tasks([a, b])
    refuse_value(t.db, "task", "rank", 3)
    assert ids(project.tasks) == [a.id, b.id]
    with refused(FAILURES, None, t.models, project, a, b, c):
        project.set_tasks([b, c])
    with refused(FAILURES, None, t.models, project, a, b, c):
        project.add_tasks([c])
    assert ids(project.get_tasks()) == [a.id, b.id]
    assert ids(project.tasks) == [a.id, b.id]


@pytest.mark.needs("sql")
def test_an_insert_that_fails_after_updates(fresh: Any) -> None:
    """C3: of several new targets the last cannot be saved: nobody is, and none of them thinks so."""
    t = tracker(fresh)
    project = t.Project.create()
    old = t.Task.create(rank=0)
    project.set_tasks([old])
    refuse_value(t.db, "task", "rank", 7, "INSERT")
    first, last = t.Task(rank=1), t.Task(rank=7)
    assert ids(project.tasks) == [old.id]
    for call in (project.set_tasks, project.add_tasks):
        with refused(FAILURES, None, t.models, project, old, first, last):
            call([first, last])
        assert first.id is None
        assert first.project_id is None
    with refused(FAILURES, None, t.models, project, old):
        project.create_tasks([{"rank": 1}, {"rank": 7}])
    with refused(FAILURES, None, t.models, project, old):
        project.create_task(rank=7)
    assert project.set_tasks([first]) == [first]


@pytest.mark.needs("sql")
def test_a_link_that_fails_after_others(fresh: Any) -> None:
    """C3: a set of a many-to-many whose INSERT fails has neither unlinked anybody nor changed an attribute."""
    t = tracker(fresh)
    project, users = t.Project.create(), [t.User.create() for _ in range(4)]
    project.set_users(users[:3], {"role": "old"})
    refuse_value(t.db, "membership", "since", 99, "INSERT")
    new = t.User(name="new")
    assert len(project.users) == 3
    for call in (project.set_users, project.add_users):
        with refused(FAILURES, None, t.models, project, new, *users):
            call({users[1]: {"role": "changed"}, new: {}, users[3]: {"since": 99}})
    with refused(FAILURES, None, t.models, project):
        project.create_user(name="x", through={"since": 99})
    with refused(FAILURES, None, t.models, project):
        project.create_users([{"name": "x"}, {"name": "y"}], through={"since": 99})
    assert [user.membership.role for user in project.get_users()] == ["old"] * 3


@pytest.mark.needs("sql")
def test_attributes_that_cannot_be_written(fresh: Any) -> None:
    """C3: an UPDATE of attributes that fails undoes what was unlinked before it."""
    t = tracker(fresh)
    project, users = t.Project.create(), [t.User.create() for _ in range(3)]
    project.set_users(users)
    refuse_value(t.db, "membership", "since", 99)
    with refused(FAILURES, None, t.models, project, *users):
        project.set_users([users[1]], {"since": 99})


@pytest.mark.needs("sql")
def test_a_has_one_that_fails_after_the_former_was_let_go(fresh: Any) -> None:
    """C3: neither set nor create leaves the owner without its former record."""
    t = tracker(fresh)
    project, former, other = t.Project.create(), t.Plan.create(title="former"), t.Plan.create(title="other")
    project.set_plan(former)
    refuse_value(t.db, "plan", "project_id", project.id)
    refuse_value(t.db, "plan", "project_id", project.id, "INSERT")
    assert project.plan is former
    with refused(FAILURES, None, t.models, project, former, other):
        project.set_plan(other)
    new = t.Plan(title="new")
    with refused(FAILURES, None, t.models, project, former, new):
        project.set_plan(new)
    with refused(FAILURES, None, t.models, project, former):
        project.create_plan(title="created")


@pytest.mark.needs("sql")
def test_belongs_to_with_a_new_target_that_cannot_be_used(fresh: Any) -> None:
    """C3: the new target's INSERT is undone with the UPDATE that fails."""
    t = tracker(fresh)
    task = t.Task.create(rank=5)
    refuse_value(t.db, "task", "rank", 5)
    new = t.Project(title="n")
    with refused(FAILURES, None, t.models, task, new):
        task.set_project(new)
    with refused(FAILURES, None, t.models, task):
        task.create_project(title="n")
    assert new.id is None


@pytest.mark.needs("transactions")
def test_a_save_of_the_users_own_that_fails(fresh: Any) -> None:
    """C3: a target's own save() that raises after it wrote undoes everything, also for a single one."""
    fresh.on()
    Project = model(fresh, "Project", title=CharField(null=True))

    class Task(fresh.Base):
        title = CharField(null=True)

        def save(self, *arguments: Any, **options: Any) -> Any:
            written = super().save(*arguments, **options)
            if self.title == "bad":
                raise RuntimeError("too late")
            return written

    Project.has_many(Task)
    Project.has_one(Task, as_="main")
    Project.has_many(Task, as_="linked", through="linked_tasks")
    sync(fresh.db)
    models = [Project, Task, Project.linked.through]
    project, good = Project.create(), Task.create(title="good")
    project.set_tasks([good])
    for call in (project.set_tasks, project.add_tasks, project.set_linked, project.add_linked):
        first, bad = Task(title="first"), Task(title="bad")
        with refused(RuntimeError, "too late", models, project, good, first, bad):
            call([first, bad])
        with refused(RuntimeError, "too late", models, project, good, bad):
            call(bad)
    bad = Task(title="bad")
    with refused(RuntimeError, "too late", models, project, good, bad):
        project.set_main(bad)
    for create in (project.create_task, project.create_main, project.create_linked):
        with refused(RuntimeError, "too late", models, project, good):
            create(title="bad")


def test_missing_keys(fresh: Any) -> None:
    """C3, C7: a missing key anywhere in the list raises, listing all of them, and nothing is written."""
    t = tracker(fresh)
    project, task, user, plan = t.Project.create(), t.Task.create(), t.User.create(), t.Plan.create()
    kept, linked = t.Task.create(), t.User.create()
    project.set_tasks([kept])
    project.set_users([linked])
    project.set_plan(plan)
    watched = [project, task, user, plan, kept, linked]
    for name, target, given in (("task", "Task", task), ("user", "User", user)):
        text = f"Project.{{}}(): {target} has no rows with the primary key 98, 99. Create it first, or leave it out."
        for verb, call in (
            (f"set_{name}s", getattr(project, f"set_{name}s")),
            (f"add_{name}", getattr(project, f"add_{name}s")),
        ):
            with refused(LookupError, text.format(verb), t.models, *watched) as caught:
                call([given, 98, given.id, 99, 98])
            assert caught.value.keys == [98, 99]
            with refused(LookupError, None, t.models, *watched):
                call([type(given)(), 98])
    text = "Project.set_plan(): Plan has no row with the primary key 99. Create it first, or leave it out."
    with refused(LookupError, text, t.models, *watched):
        project.set_plan(99)
    text = "Task.set_project(): Project has no row with the primary key 99. Create it first, or leave it out."
    with refused(LookupError, text, t.models, *watched):
        kept.set_project(99)
    with refused(LookupError, text, t.models, *watched):
        kept.set_project(t.Project(id=99))


def test_a_failing_accessor_within_a_transaction(fresh: Any) -> None:
    """C3: within the caller's transaction a failing accessor undoes itself alone, and the transaction goes on (PostgreSQL too)."""
    t = tracker(fresh)
    project, a, b, user = t.Project.create(), t.Task.create(), t.Task.create(), t.User.create()
    with t.db.atomic():
        project.add_task(a)
        for call in (
            lambda: project.set_tasks([b, 99]),
            lambda: project.add_task(99),
            lambda: project.set_users([user, 99]),
            lambda: project.add_user(99),
            lambda: project.set_plan(99),
            lambda: a.set_project(99),
            lambda: t.Project(id=12345).create_task(title="x"),
            lambda: t.Project(id=12345).add_task(b),
            lambda: t.Project(id=12345).add_user(user),
            lambda: t.Project(id=12345).set_plan(t.Plan()),
        ):
            with pytest.raises(AssociationError):
                call()
        project.add_user(user)
    assert project.get_tasks() == [a]
    assert project.get_users() == [user]
    assert t.Plan.select().count() == 0


@pytest.mark.needs("sql")
def test_a_connection_that_is_lost_in_the_middle(fresh: Any) -> None:
    """C3: the connection breaks between two statements of a set: nothing of it is kept."""
    t = tracker(fresh)
    project, a, b = t.Project.create(), t.Task.create(), t.Task.create()
    user, other = t.User.create(), t.User.create()
    project.set_tasks([a])
    project.set_users([user])
    stored = rows(*t.models)
    for verb, change in (("UPDATE", lambda: project.set_tasks([b])), ("INSERT", lambda: project.set_users([other]))):
        written = []

        def cut(event: Any, verb: str = verb, written: list[Any] = written) -> None:
            if event.sql.startswith(("UPDATE", "DELETE", verb)) and not written:
                written.append(event.sql)
                t.db.connection().close()

        t.db.query_hooks = [cut]
        try:
            with pytest.raises(Exception):  # noqa: B017  (what drivers raise for a closed connection differs)
                change()
        finally:
            t.db.query_hooks = []
            t.db._state.transactions.clear()
            t.db.close()
        assert written
        assert rows(*t.models) == stored
    assert a.project_id == project.id
    assert b.project_id is None


@pytest.mark.needs("sql")
def test_a_write_that_waits_too_long(fresh: Any) -> None:
    """C3, C17: a lock that is not granted surfaces as peewee's error, and nothing is half written."""
    t = tracker(fresh)
    project, task = t.Project.create(), t.Task.create()
    stored = rows(*t.models)
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        with contextlib.suppress(InterruptedError), many_statements(t.db):
            t.Task.update(title="held").where(t.Task.id == task.id).execute()
            held.set()
            done.wait(30)
            raise InterruptedError
        t.db.close()

    thread = threading.Thread(target=hold)
    thread.start()
    assert held.wait(10)
    try:
        wait_little(t.db)
        with pytest.raises(peewee.OperationalError):
            project.set_tasks([task])
    finally:
        done.set()
        thread.join(30)
    assert task.project_id is None
    assert rows(*t.models) == stored


def wait_little(db: Any) -> None:
    """Let this thread's connection give up on locks soon."""
    if isinstance(db, peewee.SqliteDatabase):
        db.execute_sql("PRAGMA busy_timeout = 200")
    elif isinstance(db, peewee.PostgresqlDatabase):
        db.execute_sql("SET lock_timeout = 200")
    else:
        db.execute_sql("SET innodb_lock_wait_timeout = 1")
