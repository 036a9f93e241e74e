"""Every published method and its twin: on an asyncio database `aget_tasks` gives, writes and costs what `get_tasks` does on a plain one."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import peewee
import pytest
from accessing import rows
from asynchronous import asyncio_url, opened, run, statements, world
from conftest import base_on

import activeassoc
from activeassoc import Model, declare, sync
from activeassoc.associations.base import methods_of
from activeassoc.coroutines import OF_MODEL

Arguments = Callable[[Any], tuple[Any, ...]]

#: association → calls of its methods, in this order: what a call is given, and its options.
CALLS: dict[str, list[tuple[str, Arguments, dict[str, Any]]]] = {
    "tasks": [
        ("create_task", lambda t: ({"title": "a"},), {"rank": 2}),
        ("create_tasks", lambda t: ([{"title": "b"}, {"title": "c", "rank": 1}],), {}),
        ("get_tasks", lambda t: (), {}),
        ("get_tasks", lambda t: (), {"order": "-rank", "limit": 2, "where": {"rank": {">": 0}}, "populate": "project"}),
        ("get_tasks", lambda t: (), {"order": "title", "limit": 2, "offset": 1, "attributes": ["title"]}),
        ("count_tasks", lambda t: (), {"where": {"title": "a"}}),
        ("count_tasks", lambda t: (), {}),
        ("has_task", lambda t: (1,), {}),
        ("has_task", lambda t: ([1, 2, 3],), {}),
        ("has_tasks", lambda t: ([3, 2, 1],), {}),
        ("has_tasks", lambda t: ([3, 1],), {"exact": False}),
        ("remove_task", lambda t: (2,), {}),
        ("remove_tasks", lambda t: ([1, 3],), {}),
        ("add_task", lambda t: (3,), {}),
        ("add_tasks", lambda t: ([1, t.Task(title="d")],), {}),
        ("set_tasks", lambda t: ([4, 2],), {}),
        ("set_tasks", lambda t: ([],), {}),
    ],
    "users": [
        ("create_user", lambda t: ({"name": "a"},), {"through": {"role": "boss"}}),
        ("create_users", lambda t: ([{"name": "b"}, {"name": "c", "age": 30}],), {}),
        ("get_users", lambda t: (), {}),
        ("get_users", lambda t: (), {"order": "-name", "limit": 2, "through_where": {"role": "member"}, "join_attributes": ["role"]}),
        ("count_users", lambda t: (), {"through_where": {"role": "boss"}}),
        ("count_users", lambda t: (), {}),
        ("has_user", lambda t: (1,), {}),
        ("has_user", lambda t: ([1, 2, 3],), {}),
        ("has_users", lambda t: ([3, 2, 1],), {}),
        ("remove_user", lambda t: (2,), {}),
        ("remove_users", lambda t: ([1, 3],), {}),
        ("add_user", lambda t: (3, {"role": "guest"}), {}),
        ("add_users", lambda t: ([1, t.User(name="d")],), {}),
        ("set_users", lambda t: ([4, 2],), {}),
        ("set_users", lambda t: ([4],), {}),
    ],
    "plan": [
        ("create_plan", lambda t: ({"title": "a"},), {}),
        ("get_plan", lambda t: (), {}),
        ("get_plan", lambda t: (), {"attributes": "title", "where": {"title": "b"}}),
        ("set_plan", lambda t: (t.Plan(title="b"),), {}),
        ("set_plan", lambda t: (1,), {}),
        ("set_plan", lambda t: (None,), {}),
    ],
    "project": [
        ("get_project", lambda t: (), {}),
        ("create_project", lambda t: ({"title": "a"},), {}),
        ("get_project", lambda t: (), {"attributes": "title"}),
        ("set_project", lambda t: (1,), {}),
        ("set_project", lambda t: (t.Project(title="b"),), {}),
        ("set_project", lambda t: (None,), {}),
    ],
}


def told(value: Any) -> Any:
    """A result, as it can be compared with that of another database."""
    if isinstance(value, peewee.Model):
        link = value.membership.__data__ if getattr(value, "membership", None) is not None else None
        return type(value).__name__, dict(value.__data__), link
    return [told(each) for each in value] if isinstance(value, list) else value


def stored(t: Any) -> Any:
    return {table: [tuple(row) for row in found] for table, found in rows(*t.models).items()}


async def called(t: Any, name: str, call: Callable[[Any, str, tuple[Any, ...], dict[str, Any]], Any]) -> list[Any]:
    """What each call gives, how many statements it executes, and what the owner's attribute holds after it."""
    found = []
    owner = await t.db.run(t.Task.create, title="owner") if name == "project" else await t.db.run(t.Project.create, title="owner")
    for method, arguments, options in CALLS[name]:
        with statements(t.db) as executed:
            result = await call(owner, method, arguments(t), options)
        held = getattr(owner, "_loaded", None) or {}
        kept = await t.db.run(told, held[name].held() if hasattr(held.get(name), "held") else held.get(name))
        found.append((method, await t.db.run(told, result), len(executed), kept))
    return found


class Plainly:
    """The plain database, with the few words of an asyncio one that these tests use."""

    def __init__(self, db: Any) -> None:
        self.db, self.query_hooks = db, db.query_hooks

    async def run(self, function: Any, *arguments: Any, **options: Any) -> Any:
        return function(*arguments, **options)


@pytest.mark.parametrize("name", CALLS)
def test_a_twin_gives_writes_and_costs_what_its_method_does(store: Any, name: str) -> None:
    """C: results, rows, memory and the number of statements, for every method of every kind, are those of the plain database."""
    plain, db = store.connect(), opened(store)
    expected = world(plain)
    sync(plain)
    t = world(db)
    assert set(methods_of(source_of(t, name).associations[name])) == {method for method, _, _ in CALLS[name]}

    async def by_method(owner: Any, method: str, arguments: Any, options: Any) -> Any:
        return getattr(owner, method)(*arguments, **options)

    async def by_twin(owner: Any, method: str, arguments: Any, options: Any) -> Any:
        return await getattr(owner, f"a{method}")(*arguments, **options)

    async def main() -> Any:
        await t.made()
        expected.db = Plainly(plain)
        before = await called(expected, name, by_method)
        assert await called(t, name, by_twin) == before
        assert await db.run(stored, t) == stored(expected)

    run(db, main)


def source_of(t: Any, name: str) -> Any:
    return t.Task if name == "project" else t.Project


def test_the_association_has_twins_too(store: Any) -> None:
    """C14: ``await Project.tasks.aadd(project, …)``, areach for many owners, and the key's field answers as the association does."""
    db = opened(store)
    t = world(db)

    async def main() -> None:
        await t.made()
        project, other = await t.Project.acreate(), await t.Project.acreate()
        assert await t.Project.tasks.aadd(project, [t.Task(title="a"), t.Task(title="b")]) == 2
        reached = await t.Project.tasks.areach([project, other])
        assert [[task.title for task in reached[each]] for each in (project, other)] == [["a", "b"], []]
        task = reached[project][0]
        assert await t.Task.project.aset(task, other) is other
        assert await t.Project.tasks.acount(other) == await other.acount_tasks() == 1

    run(db, main)


def test_every_twin_is_a_coroutine_function_that_looks_like_its_method() -> None:
    """C15: signature, name, source and docstring are those of the method; help() shows it."""
    db = activeassoc.connect("sqlite://")
    t = world(db)
    for model in (t.Project, t.Task):
        for association in model.associations.values():
            for name in methods_of(association):
                twin, method = getattr(model, f"a{name}"), getattr(model, name)
                assert inspect.iscoroutinefunction(twin) and inspect.iscoroutinefunction(getattr(model(), f"a{name}"))
                assert inspect.signature(twin) == inspect.signature(method)
                assert (twin.__name__, twin.__qualname__, twin.__module__) == (f"a{name}", f"{model.__name__}.a{name}", method.__module__)
                assert twin.__doc__ == f"To be awaited: what `{name}` does, on an asyncio database.\n\n{method.__doc__}"
                assert inspect.getsource(twin) == inspect.getsource(method) and twin.association is association
    for name in OF_MODEL:
        twin, method = getattr(t.Project, f"a{name}"), getattr(t.Project, name)
        assert inspect.iscoroutinefunction(twin) and inspect.signature(twin) == inspect.signature(method)
        assert twin.__name__ == f"a{name}" and inspect.getdoc(twin).startswith(f"To be awaited: what `{name}` does")
    for name in ("populate", "delete_plan"):
        twin, function = getattr(activeassoc, f"a{name}"), getattr(activeassoc, name)
        assert inspect.iscoroutinefunction(twin) and inspect.signature(twin) == inspect.signature(function) and twin.__name__ == f"a{name}"


def test_every_method_of_model_that_asks_a_database_has_a_twin() -> None:
    """peewee's asyncio models have these, and what this library adds to Model is beside them."""
    pwasyncio = pytest.importorskip("playhouse.pwasyncio")
    theirs = {name for name in vars(pwasyncio.AsyncModelMixin) if not name.startswith("_")}
    assert theirs <= {f"a{name}" for name in OF_MODEL} | {"afetch"}
    assert all(hasattr(Model, name) and name.removeprefix("a") in dir(Model) for name in theirs - {"afetch"})


def test_a_twin_runs_what_a_class_overrides(store: Any) -> None:
    """A18: the user's method wins, and so does a coroutine of the user's own."""
    db = opened(store)
    t = world(db)

    class Owner(t.Project):
        class Meta:
            table_name = "project"

        def get_tasks(self, *, limit: int = 1) -> Any:
            """Those of mine."""
            return [f"mine {self.title} {limit}"]

        async def acount_tasks(self) -> int:
            return -1

        def save(self, *arguments: Any, **options: Any) -> Any:
            self.title = f"{self.title}!"
            return super().save(*arguments, **options)

    Owner.has_many(t.Task, foreign_key="owner_id", as_="tasks")

    async def main() -> None:
        owner = Owner(id=1, title="p")
        assert await owner.aget_tasks(limit=3) == ["mine p 3"]
        assert str(inspect.signature(Owner.aget_tasks)).startswith("(self, *, limit:")
        assert await owner.acount_tasks() == -1
        await db.run(sync, t.Project)
        assert (await t.Project.acreate(title="q")).title == "q"
        assert (await Owner.acreate(title="q")).title == "q!"

    run(db, main)


def test_what_is_no_method_has_no_twin() -> None:
    """A18: a field of the name of a method wins; help() and inspect.getmembers go on."""

    class Shelf(base_on(activeassoc.connect("sqlite://"), __name__)):  # type: ignore[misc]
        get_books = peewee.CharField()

    class Book(base_on(Shelf._meta.database, __name__)):  # type: ignore[misc]
        pass

    Shelf.has_many(Book)
    assert not hasattr(Shelf, "aget_books") and hasattr(Shelf, "acount_books")
    assert "acount_books" in dict(inspect.getmembers(Shelf))


def test_a_twin_that_is_taken_away_with_its_association() -> None:
    """B: twins come and go with the methods; nobody finds one of an association that is no more."""
    t = world(activeassoc.connect("sqlite://"))
    assert "aget_users" in vars(t.Project)
    declare._unpublish(t.Project.users)
    assert not [name for name in vars(t.Project) if "user" in name]


def test_a_twin_on_a_plain_database_says_so() -> None:
    """Bad input gets a clear error; a coroutine that would keep every other task waiting is none."""
    import asyncio

    t = world(activeassoc.connect("sqlite://"))
    for call, asked, write in (
        (t.Project(id=1).aget_tasks, "Project.aget_tasks()", "get_tasks()"),
        (t.Project.acreate, "Project.acreate()", "create()"),
        (lambda: t.Project.tasks.areach([]), "Project.tasks.areach()", "reach()"),
        (t.Project(id=1).tasks.aload, "Project.tasks.aload()", "list(record.tasks)"),
        (lambda: t.Project(id=1).afetch("plan"), "Project.afetch('plan')", "record.plan"),
    ):
        with pytest.raises(activeassoc.NotAsyncio) as error:
            asyncio.run(call())
        assert str(error.value) == (
            f"{asked}: Project is on no asyncio database. Write {write} without await, or open the database for asyncio: "
            'connect("sqlite+aiosqlite:///…").'
        )
        assert isinstance(error.value, peewee.InterfaceError) and error.value.model is t.Project


def test_a_model_may_get_its_asyncio_database_later(store: Any) -> None:
    """Databases are bound when the program knows them: to the model, or to the proxy in its Meta."""
    proxy = peewee.DatabaseProxy()
    t = world(proxy)
    db = activeassoc.connect(asyncio_url(store), pool_size=2)
    proxy.initialize(db)

    async def main() -> None:
        await db.run(sync, *t.models)
        project = await t.Project.acreate(title="p")
        await project.aadd_task(t.Task(title="a"))
        assert [task.title for task in await project.aget_tasks()] == ["a"]

    run(db, main)


@pytest.mark.filterwarnings("ignore:Table .* was skipped since its definition is being modified")  # aiomysql tells notes of the server
def test_peewees_own_asyncio_databases_do(store: Any) -> None:
    """Not only those that connect opens: every method of every kind runs on `playhouse.pwasyncio` as it is."""
    from urllib.parse import parse_qs, urlsplit

    url = asyncio_url(store)
    from playhouse import pwasyncio

    parts = urlsplit(url)
    address = {word: value for word, value in (("user", parts.username), ("host", parts.hostname), ("port", parts.port)) if value}
    name = parts.path[1:]
    if store.name == "sqlite":
        db: Any = pwasyncio.AsyncSqliteDatabase(name, pragmas={"foreign_keys": 1}, pool_size=2)
    elif store.name == "postgresql":
        path = parse_qs(parts.query)["options"][0].split("search_path=")[1].split()[0]
        db = pwasyncio.AsyncPostgresqlDatabase(name, **address, pool_size=2, server_settings={"search_path": path})
    else:
        db = pwasyncio.AsyncMySQLDatabase(name, **address, pool_size=2, client_flag=2)
    t = world(db)

    async def main() -> None:
        await t.made()
        for name in CALLS:
            owner = await source_of(t, name).acreate(title="owner")
            for method, arguments, options in CALLS[name]:
                await getattr(owner, f"a{method}")(*arguments(t), **options)
        assert [len(found) for found in (await db.run(stored, t)).values()] == [5, 5, 2, 4, 1]

    run(db, main)
