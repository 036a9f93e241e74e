"""Asyncio databases: what async code loads and what it is told to await, transactions, tasks beside each other, and cancelled ones.

What each accessor's twin gives is in test_asyncio_verbs.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import inspect
import sys
import uuid
from pathlib import Path
from typing import Any

import peewee
import pytest
from accessing import rows
from asynchronous import opened, run, statements, world
from conftest import base_on
from engines import Store
from peewee import CharField, IntegerField

import activeassoc
from activeassoc import LazyLoadError, Model, adelete_plan, apopulate, drop, lazy_policy, sync
from activeassoc.testing import assert_queries


def test_tasks_create_and_read_together(tmp_path: Path) -> None:
    """F10, Hydration: a hundred tasks create and read at once, while one adds a field; each gets the rows that it made."""
    pytest.importorskip("aiosqlite")
    pytest.importorskip("greenlet")
    from playhouse.pwasyncio import AsyncSqliteDatabase

    database: Any = AsyncSqliteDatabase(str(tmp_path / "tasks.db"), timeout=30)

    class Post(Model):
        title = CharField()

        class Meta:
            database: Any = None

    Post._meta.set_database(database)
    model: Any = Post

    def work(number: int) -> Any:
        made = model.create(title=f"t{number}")
        model.insert_many([{"title": f"m{number}"}, {"title": f"m{number}"}]).execute()
        found = list(model.select().where(model.title << [f"t{number}", f"m{number}"]).order_by(model.id))
        return made, [post.title for post in found], model.get_by_id(made.id)

    async def one(number: int) -> None:
        made, titles, again = await database.run(work, number)
        assert sorted(titles) == [f"m{number}", f"m{number}", f"t{number}"]
        assert (again, again.title, again._dirty) == (made, f"t{number}", set())

    def add_field() -> None:
        database.execute_sql('ALTER TABLE "post" ADD COLUMN "views" INTEGER DEFAULT 0')
        model._meta.add_field("views", IntegerField(null=True, default=7))

    async def everything() -> None:
        await database.acreate_tables([model])
        await asyncio.gather(*(one(number) for number in range(20)))
        await database.run(add_field)
        await asyncio.gather(*(one(number) for number in range(20, 40)))
        assert {post.views for post in await database.list(model.select().where(model.title.startswith("t2")))} <= {0, 7}
        await database.close_pool()

    asyncio.run(everything())


# What async code reads as an attribute


async def everything(t: Any) -> tuple[Any, Any]:
    """A project with two tasks, a plan and a user; and the first of the tasks, none of it loaded."""
    await t.made()
    project = await t.Project.acreate(title="p", tasks=[{"title": "a"}, {"title": "b"}], users=[{"name": "u"}])
    await project.acreate_plan(title="plan")
    return await t.Project.aget_by_id(1), await t.Task.aget_by_id(1)


LAZY = {
    "project": (1, lambda task: task.project, 'await task.aget_project(), or load it with the records: Task.select().populate("project")'),
    "plan": (0, lambda project: project.plan, 'await project.aget_plan(), or load it with the records: Project.select().populate("plan")'),
    **{
        how: (0, use, 'await project.tasks.aload(), or load it with the records: Project.select().populate("tasks")')
        for how, use in {
            "iter": lambda project: list(project.tasks),
            "bool": lambda project: bool(project.tasks),
            "len": lambda project: len(project.tasks),
            "index": lambda project: project.tasks[0],
            "in": lambda project: 1 in project.tasks,
            "equal": lambda project: project.tasks == [],
        }.items()
    },
    "through": (
        0,
        lambda project: project.users[0],
        'await project.users.aload(), or load it with the records: Project.select().populate("users")',
    ),
}


def test_an_attribute_that_is_not_loaded_says_what_to_await(store: Any) -> None:
    """G8: async code has no place for a query in an attribute; the error names the relation, the line and what to write, in each policy."""
    db = opened(store)
    t = world(db)

    async def main() -> None:
        records = await everything(t)
        for position, read, write in LAZY.values():
            record = records[position]
            for policy in ("load", "warn", "batch"):
                with lazy_policy(policy), pytest.raises(LazyLoadError) as error, statements(db) as executed:
                    read(record)
                line = inspect.getsourcelines(read)[1]
                name = error.value.name
                assert str(error.value).replace(f":{line + 1}:", f":{line}:") == (
                    f"{type(record).__name__}.{name} at {__file__}:{line}: it is not loaded, and async code cannot load it in passing. "
                    f"Write {write}."
                )
                assert error.value.record is record and not executed
        project, task = records
        assert repr(project.tasks) == "<Project.tasks of <Project: 1>, not loaded>"
        # What needs no query is read as always.
        assert t.Task(title="x").project is None and t.Project().tasks == [] and t.Project().plan is None and task.project_id == 1

    run(db, main)


def test_a_join_row_that_is_not_at_hand_says_what_to_await(store: Any) -> None:
    """D4: of a record that was linked, and not read, the join row may take a query."""
    db = opened(store)
    t = world(db)

    async def main() -> None:
        project, _ = await everything(t)
        user = await t.User.aget_by_id(1)
        await project.aadd_user(user)  # it was linked before: what the link holds is not known
        with pytest.raises(LazyLoadError) as error:
            user.membership  # noqa: B018
        assert str(error.value).partition(": ")[2] == (
            'it is not loaded, and async code cannot load it in passing. Write await user.afetch("membership").'
        )
        assert (await user.afetch("membership")).role == user.membership.role == "member"
        assert (await project.aget_users())[0].membership.role == "member"
        with pytest.raises(AttributeError):
            t.User().membership  # noqa: B018

    run(db, main)


def test_loading_on_request(store: Any) -> None:
    """F7, G1: aload, afetch, apopulate, populate of queries, aexecute and db.list; then attributes are read, also under "raise"."""
    db = opened(store)
    t = world(db)

    async def main() -> None:
        with lazy_policy("raise"):
            project, task = await everything(t)
            with assert_queries(1, db):
                assert await project.tasks.aload() is project.tasks and await project.tasks.aload() == [task, t.Task(id=2)]
            with assert_queries(2, db):
                assert await task.afetch("project") == await task.afetch(t.Task.project) == task.project == project
                assert (await project.afetch("plan")).title == project.plan.title == "plan"
            with assert_queries(1, db):
                assert [user.name for user in await project.afetch(t.Project.users)] == ["u"] == [user.name for user in project.users]
            with pytest.raises(activeassoc.UnknownName) as error:
                await project.afetch("tsaks")
            assert str(error.value) == "Project.afetch('tsaks'): Project has no association 'tsaks'. Did you mean 'tasks'."
            paths = ["tasks.project", "users"]
            for query in (t.Project.select().populate(*paths), t.Project.find({"title": "p"}, populate=paths)):
                for found in (await db.list(query.clone()), list(await query.aexecute())):
                    assert [each.project.title for each in found[0].tasks] == ["p", "p"] and found[0].users[0].membership.role == "member"
            one = await t.Project.aget_by_id(1)
            with assert_queries(2, db):
                assert await apopulate(one, "tasks", "plan") is one and one.plan.title == "plan" and len(one.tasks) == 2
            assert (await apopulate([one], "tasks", count=True))[0].tasks_count == 2

    run(db, main)


def test_batch_loads_for_all_records_of_the_query(store: Any) -> None:
    """G8: under "batch" one aload is for every record that came with this one."""
    db = opened(store)
    t = world(db)

    async def main() -> None:
        await t.made()
        for title in "ab":
            await t.Project.acreate(title=title, tasks=[{"title": title}])
        with lazy_policy("batch"), assert_queries(2, db):
            one, other = await db.list(t.Project.select().order_by(t.Project.id))
            await one.tasks.aload()
            assert [task.title for task in other.tasks] == ["b"]

    run(db, main)


def test_rows_that_come_one_by_one(store: Any) -> None:
    """G: ``db.iterate`` streams records; populate needs the keys of all, and says so instead of leaving them unpopulated."""
    db = opened(store)
    t = world(db)

    async def main() -> None:
        await everything(t)
        assert [task.title async for task in db.iterate(t.Task.select().order_by(t.Task.id))] == ["a", "b"]
        with pytest.raises(activeassoc.WrongArgument) as error:
            async for _ in db.iterate(t.Task.select().populate("project")):
                pass
        assert str(error.value) == (
            'Task.select().populate("project"): iterate() gives one row after the other, and populate needs the keys of all. '
            "Iterate over the query itself, or populate(records, …) portions of it."
        )
        assert len(await db.list(t.Task.select())) == 2  # the connection is free again

    run(db, main)


# Models


def test_the_methods_of_models(store: Any) -> None:
    """F7, F9, F11, H8: create, save with queues, find_one, collections of owners, delete and its plan, by coroutines."""
    db = opened(store)
    t = world(db)

    async def main() -> None:
        project, task = await everything(t)
        project.tasks.add({"title": "c"})
        project.tasks.remove(1)
        await project.asave()
        assert [each.title for each in await project.aget_tasks()] == ["b", "c"]
        assert (await t.Task.afind_one({"title": "c"})).project_id == 1 and await t.Task.afind_one(99) is None
        assert await t.Project.aadd_to_collection(1, "tasks", [1]) == 1
        assert await t.Project.aremove_from_collection(1, "tasks", [2, 3]) == 2
        assert [each.id for each in await t.Project.areplace_collection([1], "tasks", [1, 3])] == [1, 3]
        assert (await task.areload()).project_id == 1
        plan = await adelete_plan(project)
        assert {part.model: part.count for part in plan.deleted} == {t.Project: 1, t.Membership: 1} and plan.allowed
        assert await project.adelete_instance() == 1
        assert {each.project_id for each in await db.list(t.Task.select())} == {None}
        report = await db.run(drop, db)
        assert "task" in str(report) and await db.run(db.get_tables) == []

    run(db, main)


# Transactions and tasks


def test_a_write_is_part_of_the_transaction_around_it(store: Any) -> None:
    """C3: what accessors write within ``async with db.atomic()`` goes with it, and an inner block alone."""
    db = opened(store)
    t = world(db)

    async def main() -> None:
        project, _ = await everything(t)
        with pytest.raises(ZeroDivisionError):
            async with db.atomic():
                await project.aset_tasks([])
                await project.aset_users([t.User(name="new")])
                raise ZeroDivisionError
        assert (await project.acount_tasks(), await project.acount_users()) == (2, 1)
        async with db.atomic():
            await project.aremove_task(1)
            with contextlib.suppress(ZeroDivisionError):
                async with db.atomic():
                    await project.aset_tasks([])
                    raise ZeroDivisionError
            with pytest.raises(activeassoc.RecordNotFound):
                await project.aadd_tasks([1, 99])
        assert [task.id for task in await project.aget_tasks()] == [2]
        assert await t.User.afind_one({"name": "new"}) is None

    run(db, main)


def test_two_tasks_do_not_share_a_connection(store: Any) -> None:
    """C16: what a task writes in its transaction no other sees before the end, and nobody's error rolls it back."""
    db = opened(store)
    t = world(db)

    async def main() -> None:
        project, _ = await everything(t)
        written, looked = asyncio.Event(), asyncio.Event()

        async def writes() -> None:
            async with db.atomic():
                await project.aremove_task(1)
                written.set()
                await looked.wait()

        async def looks() -> list[int]:
            await written.wait()
            other = await t.Project.aget_by_id(1)
            before = await other.acount_tasks()
            looked.set()
            return [before]

        _, seen = await asyncio.gather(writes(), looks())
        assert seen == [2] and await project.acount_tasks() == 1

    run(db, main)


def test_fifty_tasks_lose_nothing(store: Any) -> None:
    """C16: fifty tasks write at once, to one collection and to their own; every write is there, and the same link is made once."""
    db = opened(store, pool_size=8, acquire_timeout=30)
    t = world(db)

    async def one(number: int, project: Any) -> None:
        async with db:  # the connection goes back to the pool with the block
            await project.acreate_task(title=f"t{number}")
            user = await t.User.acreate(name=f"u{number}")
            await project.aadd_users([user, 1])
            mine = await t.Project.acreate(title=f"p{number}")
            await mine.aset_users([user, 1])
            assert {each.name for each in await mine.aget_users()} == {f"u{number}", "u"}

    async def main() -> None:
        project, _ = await everything(t)
        await asyncio.gather(*(one(number, project) for number in range(50)))
        assert {task.title for task in await project.aget_tasks()} == {"a", "b", *(f"t{number}" for number in range(50))}
        assert await project.acount_users() == 51
        assert len((await db.run(rows, t.Membership))["membership"]) == 51 + 100

    run(db, main)


def test_a_cancelled_set_is_done_or_not_done(store: Any) -> None:
    """C3: a task that is cancelled anywhere within a set leaves all of it or nothing, and its connection without a transaction."""
    db = opened(store, pool_size=2)
    t = world(db)

    async def main() -> None:
        project, _ = await everything(t)
        await project.acreate_tasks([{"title": "c"}, {"title": "d"}])
        cancelled = 0
        old, new = [1, 2], [3, 4]
        await project.aset_tasks(old)
        for step in range(16):
            try:
                async with asyncio.timeout(step * 0.0004):
                    async with db.atomic():
                        await project.aset_tasks(new)
                        await project.aset_users([t.User(name="x")])
            except TimeoutError:
                cancelled += 1
            found = sorted(task.id for task in await project.aget_tasks())
            names = [user.name for user in await project.aget_users()]
            assert (found, names) in ((old, ["u"]), (new, ["x"])), step
            # The very next write is a transaction of its own, which others see.
            await project.aset_tasks(old)
            await project.aset_users([1])
            other = asyncio.create_task(project.acount_tasks(where={"id": [1, 2]}))
            assert await other == 2 and not db.in_transaction()
        assert cancelled

    run(db, main)


def test_a_task_that_is_cancelled_while_it_gets_its_connection_ends(store: Any) -> None:
    """A cancellation that meets the answer of the pool is not lost: the task would go on, past its asyncio.timeout."""
    db = opened(store, pool_size=2)

    async def busy() -> None:
        for _ in range(20):
            async with db:
                await db.aexecute_sql("SELECT 1")

    async def main() -> None:
        await db.aexecute_sql("SELECT 1")
        for steps in range(60):
            task = asyncio.create_task(busy())
            for _ in range(steps % 12):
                await asyncio.sleep(0)
            task.cancel()
            await asyncio.wait([task])
            assert task.cancelled(), f"after {steps} steps"
        async with asyncio.timeout(5):
            await asyncio.gather(*(asyncio.create_task(busy()) for _ in range(3)))  # no connection is missing

    run(db, main)


def test_a_commit_that_has_begun_is_waited_for(store: Any) -> None:
    """C3: a task that is cancelled while COMMIT is under way is so after it: what it wrote is there, and its connection is clean."""
    db = opened(store, pool_size=2)
    t = world(db)

    async def main() -> None:
        await everything(t)
        task = asyncio.current_task()
        assert task is not None

        def cancel_soon(event: Any) -> None:
            if event.sql.startswith("UPDATE"):
                asyncio.get_running_loop().call_soon(task.cancel)  # the next await is that of COMMIT

        db.query_hooks.append(cancel_soon)
        with pytest.raises(asyncio.CancelledError):
            async with db.atomic():
                await db.aexecute(t.Project.update(title="new"))
        db.query_hooks.clear()
        task.uncancel()
        assert not db.in_transaction()
        others = asyncio.create_task(t.Project.aget_by_id(1))
        assert (await others).title == "new"
        async with db.atomic():
            await db.aexecute(t.Project.update(title="newer"))
        assert (await asyncio.create_task(t.Project.aget_by_id(1))).title == "newer"

    run(db, main)


def test_cancelled_while_it_waits_for_the_file(tmp_path: Path) -> None:
    """C16: BEGIN waits in SQLite for the writer before; a task that gave up waiting has no transaction, and no lock either."""
    pytest.importorskip("aiosqlite")
    db = activeassoc.connect(f"sqlite+aiosqlite:///{tmp_path / 'tasks.db'}", pool_size=2, timeout=2)
    t = world(db)

    async def main() -> None:
        project, _ = await everything(t)
        waits = asyncio.Event()

        async def holds() -> None:
            async with db.atomic("IMMEDIATE"):
                waits.set()
                await asyncio.sleep(0.1)
                await t.Project.acreate(title="other")

        holder = asyncio.create_task(holds())
        await waits.wait()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.03):
                await project.aset_tasks([])
        assert await project.acount_tasks() == 2
        await holder
        assert await project.aset_tasks([1]) and await t.Project.aget_or_none(title="other")

    run(db, main)


@pytest.mark.needs("row_locks")
def test_a_connection_that_is_lost_within_a_transaction(store: Any) -> None:
    """E: nothing is written outside of the block that its author wrote around it; after the block all is as always."""
    db = opened(store, pool_size=2)
    t = world(db)

    async def main() -> None:
        project, _ = await everything(t)
        with pytest.raises(activeassoc.ConnectError) as error:
            async with db.atomic():
                await project.aremove_task(1)
                await db._state.conn.conn.close() if store.name == "postgresql" else db._state.conn.conn.close()
                await project.aremove_task(2)
        assert str(error.value) == (
            f"executing on {db.address}: the connection was lost within this transaction, and the server has rolled it back. "
            "Leave the block, and run it as a whole again."
        )
        assert await project.acount_tasks() == 2

    run(db, main)


def test_what_is_counted_is_the_tasks_own(store: Any) -> None:
    """Cost is behaviour: a block counts its task and those that it starts, not others; a policy holds for its task."""
    db = opened(store)
    t = world(db)

    async def main() -> None:
        project, _ = await everything(t)
        begun, done = asyncio.Event(), asyncio.Event()

        async def other() -> str:
            await begun.wait()
            await project.acount_tasks()
            done.set()
            return activeassoc.lazy.policy_of(t.Project)

        beside = asyncio.create_task(other())
        with lazy_policy("raise"), assert_queries(3, db):
            await project.acount_tasks()
            begun.set()
            await done.wait()
            await asyncio.gather(project.acount_tasks(), project.acount_users())
        assert await beside == "load"

    run(db, main)


# Several databases


def test_the_bridge_leads_to_all_databases_of_an_association(store: Any, tmp_path: Path) -> None:
    """H: users here and pets in another asyncio database; the task gets a connection to each, and one transaction each."""
    pytest.importorskip("aiosqlite")
    db, far = opened(store), activeassoc.connect(f"sqlite+aiosqlite:///{tmp_path / 'far.db'}", pool_size=3)
    _across(db, far, far)


def test_one_of_the_databases_may_be_a_plain_one(store: Any, tmp_path: Path) -> None:
    """H: what a plain database is asked within the bridge it answers at once, while other tasks wait."""
    db, far = opened(store), activeassoc.connect(f"sqlite:///{tmp_path / 'far.db'}")
    try:
        _across(db, far)
    finally:
        far.close()


def _across(db: Any, far: Any, *pools: Any) -> None:
    class User(base_on(db, __name__)):  # type: ignore[misc]
        name = CharField()

    class Pet(base_on(far, __name__)):  # type: ignore[misc]
        name = CharField()

    class Walk(base_on(db, __name__)):  # type: ignore[misc]
        day = CharField(default="today")

    User.has_many(Pet)
    Pet.belongs_to(User)
    User.has_many(Pet, as_="guests", through=Walk)

    async def main() -> None:
        await db.run(sync, User, Pet, Walk)
        user = await User.acreate(name="Ann", pets=[{"name": "Rex"}])
        pet = await user.acreate_pet(name="Tom")
        await user.aset_guests([pet], {"day": "monday"})
        found = (await db.list(User.select().populate("pets.user", "guests")))[0]
        assert [each.name for each in found.pets] == ["Rex", "Tom"] and found.pets[0].user.name == "Ann"
        assert found.guests[0].walk.day == "monday" and await user.ahas_guest(pet) and (await pet.aget_user()) == user
        with pytest.raises(activeassoc.RecordNotFound):
            await user.aset_pets([1, 99])
        assert await user.acount_pets() == 2
        assert await user.adelete_instance() == 1
        assert {each.user_id for each in await db.run(list, Pet.select())} == {None}

    run(db, main, *pools)


# Opening


def test_urls_of_asyncio_databases(store: Any) -> None:
    """E: connect opens peewee's asyncio databases, with the defaults of the plain ones."""
    db = opened(store, pool_size=2)
    from playhouse import pwasyncio

    assert isinstance(db, pwasyncio.AsyncDatabaseMixin)
    assert db.address.partition(":")[0] in ("sqlite+aiosqlite", "postgresql+asyncpg", "mysql+aiomysql")

    async def main() -> None:
        class Row(base_on(db, __name__)):  # type: ignore[misc]
            n = IntegerField()

        await db.run(sync, db)
        row = await Row.acreate(n=1)
        assert await row.asave() == 1  # UPDATE counts the rows that it found
        if store.name == "sqlite":
            answers = [(await db.aexecute_sql(f"PRAGMA {name}")).fetchone()[0] for name in ("foreign_keys", "journal_mode")]
            assert answers == [1, "wal"]

    run(db, main)


@pytest.mark.parametrize(
    ("url", "text"),
    [
        (
            "postgresql+asyncpg://ann:secret@127.0.0.1:1/x",
            "connecting to postgresql+asyncpg://ann@127.0.0.1:1/x: Connect call failed ('127.0.0.1', 1). "
            "See that the server runs there, and that host, port, user, password, database and options are right.",
        ),
        (
            "sqlite+aiosqlite:////no/such/folder/x.db",
            "connecting to sqlite+aiosqlite:////no/such/folder/x.db: unable to open database file. "
            "Make the directory '/no/such/folder' first.",
        ),
        ("postgresql+asyncpg://ann:secret@host", "connect('postgresql+asyncpg://…'): it names no database. "
         "Write 'postgresql+asyncpg://user@host/database', or 'postgresql+asyncpg:///database' for a local one."),
        ("sqlite+aiosqlite+pool:///x.db", "connect('sqlite+aiosqlite+pool://…'): it keeps a pool already. Write 'sqlite+aiosqlite://…?pool_size=10'."),
    ],
)
def test_what_cannot_be_opened(url: str, text: str) -> None:
    """E: the errors of connect, on first use or at once; no message shows the password."""
    pytest.importorskip("asyncpg")
    pytest.importorskip("aiosqlite")

    async def main() -> None:
        db: Any = activeassoc.connect(url)
        try:
            await db.aexecute_sql("SELECT 1")
        finally:
            await asyncio.sleep(0.05)  # aiosqlite's thread still tells the loop that it ends

    with pytest.raises(activeassoc.ConnectError) as error:
        asyncio.run(main())
    assert str(error.value) == text


def test_options_of_asyncpg() -> None:
    """E: the words of libpq's URLs go on to mean what they mean; what nobody knows is a setting of the server."""
    pytest.importorskip("asyncpg")
    url = "postgresql+asyncpg://ann@host/x?sslmode=require&connect_timeout=9&application_name=shop&options=-c%20search_path%3Da&pool_size=3"
    db: Any = activeassoc.connect(url, statement_cache_size=0, pool_min_size=2)
    assert db.connect_params == {
        "user": "ann",
        "host": "host",
        "timeout": 9,
        "ssl": "require",
        "statement_cache_size": 0,
        "server_settings": {"application_name": "shop", "search_path": "a"},
    }
    assert (db.database, db._pool_size, db._pool_min_size) == ("x", 3, 2)


@pytest.mark.parametrize(
    ("url", "missing", "install"),
    [
        ("sqlite+aiosqlite:///x.db", "greenlet", "'activeassoc[async]'"),
        ("sqlite+aiosqlite:///x.db", "aiosqlite", "'activeassoc[async]'"),
        ("postgresql+asyncpg://host/x", "asyncpg", "'activeassoc[async]'"),
        ("mysql+aiomysql://host/x", "aiomysql", "'activeassoc[async]' aiomysql"),
    ],
)
def test_drivers_that_are_not_installed(url: str, missing: str, install: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """E: the pip line is in the text."""
    pytest.importorskip("greenlet")
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(activeassoc.DriverMissing) as error:
        activeassoc.connect(url)
    asked = f"connect('{url.partition(':')[0]}://…')"
    assert str(error.value) == f"{asked}: {missing} is not installed. Install it: pip install {install}."


CRITERIA: list[Any] = [
    *({"n": {">": 0}}, {"n": 1.0}, {"n": {"<": 2**40}}, {"n": [1, 2, 2**40]}, {"n": "1"}, {"f": 1}, {"f": {">": 1}}),
    *({"d": 1.5}, {"d": {">": 1}}, {"b": True}, {"at": {"<": datetime.datetime(2021, 1, 1)}}, {"at": {">": "2019-01-01"}}),
    *({"at": datetime.date(2020, 1, 2)}, {"u": str(uuid.UUID(int=5))}, {"x": b"x\0"}, {"t": "100%"}, {"t": {"like": "1%"}}, {"t": 5}),
]


def test_values_mean_to_asyncpg_what_they_mean_to_psycopg(tmp_path: Path) -> None:
    """E: the server is told the type of each parameter, and does not guess it from the place; blobs arrive as bytes."""
    store = Store("postgresql", tmp_path)
    try:
        plain, db = store.connect(), opened(store)

        def answers(base: Any) -> list[Any]:
            class Row(base):  # type: ignore[misc]
                n, f, d, b = IntegerField(), peewee.FloatField(), peewee.DecimalField(), peewee.BooleanField()
                at, u, x, t = peewee.DateTimeField(), peewee.UUIDField(), peewee.BlobField(), CharField()

            sync(Row)
            Row.create(n=1, f=1.5, d="1.5", b=True, at=datetime.datetime(2020, 1, 2), u=uuid.UUID(int=5), x=b"x\0", t="100%")
            found = [Row.find(each).count() for each in CRITERIA]
            half = peewee.Value(0.5, converter=False)
            nodes = (peewee.Case(None, [(Row.n == 1, 7)], 8), Row.t + "!", Row.f * 2, Row.n > half, Row.n + half)
            found += [Row.select(node).scalar() for node in nodes]
            found += [Row.update(n=Row.n + 40_000, d=Row.d + 1).execute(), Row.select().dicts().get()]
            return found

        expected = answers(base_on(plain, __name__))

        async def main() -> None:
            assert await db.run(answers, base_on(db, __name__)) == expected

        run(db, main)
    finally:
        store.remove()
