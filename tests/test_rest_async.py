"""The REST app on asyncio databases: each request is a task on the bridge, and answers what it does on the plain database."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from asynchronous import opened
from conftest import base_on
from fastapi import FastAPI
from fastapi.testclient import TestClient
from peewee import CharField

from activeassoc import connect, sync
from activeassoc.rest import create_app, router

CALLS: list[tuple[str, str, Any]] = [
    ("POST", "/user", {"name": "Ann"}),
    ("POST", "/user", {"name": "Ann"}),
    ("POST", "/user", [{"name": "Bob"}, {"name": "Ann"}]),
    ("POST", "/pet", {"name": "Rex"}),
    ("PUT", "/user/1/pet/1", {}),
    ("PUT", "/user/1/pet/9", {}),
    ("GET", "/user?$embed=pets", None),
    ("GET", "/user/9", None),
    ("DELETE", "/user/1", None),
    ("GET", "/pet", None),
]


@contextlib.contextmanager
def served(db: Any, made: Any) -> Iterator[Any]:
    class User(base_on(db, __name__)):  # type: ignore[misc]
        name = CharField(unique=True)

    class Pet(base_on(db, __name__)):  # type: ignore[misc]
        name = CharField()

    User.has_many(Pet)
    Pet.belongs_to(User)
    made(db)
    with TestClient(create_app(User, Pet)) as http:  # one loop for all requests, which the pool belongs to
        yield http


def by_bridge(db: Any) -> None:
    async def whole() -> None:
        await db.run(sync, db)
        await db.close_pool()

    asyncio.run(whole())


def test_a_router_closes_the_pools_beside_what_the_app_does(tmp_path: Any) -> None:
    """K1: the lifespan of whoever includes it goes on."""
    done = []

    @contextlib.asynccontextmanager
    async def lifespan(app: Any) -> Any:
        yield
        done.append(db._pool is None)

    db = connect(f"sqlite+aiosqlite:///{tmp_path}/app.db")
    Note = type("Note", (base_on(db, __name__),), {"text": CharField(), "__module__": __name__})
    by_bridge(db)
    app = FastAPI(lifespan=lifespan)
    app.include_router(router(Note), prefix="/api")
    with TestClient(app) as http:
        assert http.post("/api/note", json={"text": "a"}).json() == {"id": 1, "text": "a"}
        assert db._pool is not None
    assert done == [True] and db._pool is None


def told(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.text


def test_answers_are_those_of_the_plain_database(store: Any) -> None:
    """K: reading and writing, refusals included; sixty requests at once each have a connection of their own."""
    with served(store.connect(), sync) as http:
        expected = [told(http.request(method, path, json=body)) for method, path, body in CALLS]
    db = opened(store, acquire_timeout=30)
    with served(db, by_bridge) as http:
        assert [told(http.request(method, path, json=body)) for method, path, body in CALLS] == expected
        with ThreadPoolExecutor(20) as pool:
            assert set(pool.map(lambda number: http.post("/user", json={"name": f"n{number}"}).status_code, range(60))) == {201}
        assert http.get("/user?$limit=100").json()["items"]["total"] == 60
        assert db._pool is not None
    assert db._pool is None  # closed with the app
