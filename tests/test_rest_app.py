"""The app around the routes: its OpenAPI, its pages, its limits, and many requests at once."""

from __future__ import annotations

import re
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx2
import peewee
import pytest
import uvicorn
from fastapi import Depends, FastAPI, HTTPException
from fastapi.testclient import TestClient
from serving import Api

from activeassoc import sync
from activeassoc.associations.base import verbs_of
from activeassoc.associations.has_many import HasMany
from activeassoc.associations.many_to_many import ManyToMany
from activeassoc.rest import Limits, create_app, router, writing
from activeassoc.rest.endpoints import OPERATIONS, REFUSALS
from activeassoc.rest.resources import Served
from activeassoc.rest.routes import BELOW, CRUD
from activeassoc.rest.said import ACTIONS
from activeassoc.testing import assert_queries

on_one_store = pytest.mark.parametrize("store", ["sqlite"], indirect=True)
#: Where 200 requests at once have to pass.
in_parallel = pytest.mark.parametrize("store", ["sqlite", "postgresql"], indirect=True)


def models_on(Base: Any) -> Any:
    """Users with a secret, and groups, which have them by memberships."""

    class User(Base):
        email = peewee.CharField(unique=True)
        level = peewee.IntegerField(default=0)
        password = peewee.CharField(default="hunter2")
        salt = peewee.CharField(default="s4lt")

        class Meta:
            rest = {"excluded": ["password", "salt"], "read_only": ["salt"], "authorize": lambda *asked: True}

    class Group(Base):
        name = peewee.CharField()

    class Membership(Base):
        role = peewee.CharField(default="member")
        secret = peewee.CharField(default="s3cret")

        class Meta:
            rest = {"excluded": ["secret"], "read_only": ["secret"]}

    User.belongs_to(Group, as_="home")
    Group.has_many(User, as_="residents", foreign_key="home_id", through=None)
    Group.belongs_to_many(User, through=Membership)
    return User, Group, Membership


@pytest.fixture
def api(Base: Any) -> Api:
    return Api(*models_on(Base))


# OpenAPI


@on_one_store
def test_every_answer_is_in_the_openapi(api: Api) -> None:
    """K1, K3: each status that a route can have, with the shape of what comes; 422 is none of them."""
    found = api.openapi()
    for path, verbs in found["paths"].items():
        for verb, said in verbs.items():
            statuses = set(said["responses"])
            below = "owner_id" in path
            done = {"get": "200", "put": "204" if below else "200", "delete": "204", "post": "204" if below else "201"}
            assert {done[verb], "400", "403", "503", "default"} <= statuses, (verb, path)
            assert ("404" in statuses) == ("{" in path or verb == "delete" or (verb, path) == ("post", "/user")), (verb, path)
            assert ("413" in statuses) == ("requestBody" in said), (verb, path)
            assert ("409" in statuses) == (verb != "get"), (verb, path)
            assert "422" not in statuses and said["summary"] and said["tags"] == [path.split("/")[1]]
            for status, answer in said["responses"].items():
                content = answer.get("content", {}).get("application/json", {}).get("schema")
                assert (content is None) == (status == "204"), (verb, path, status)
                if status not in (done[verb], "204"):
                    assert content == {"$ref": "#/components/schemas/Problem"}
    names = [said["operationId"] for verbs in found["paths"].values() for said in verbs.values()]
    assert len(set(names)) == len(names) == 22


@on_one_store
def test_what_is_excluded_is_not_in_the_openapi(api: Api) -> None:
    """K7: but in the body, where it is written; what is read-only too is nowhere."""
    found = api.openapi()
    text = str(found)
    assert "hunter2" not in text and "s4lt" not in text and "salt" not in text and "secret" not in text and "s3cret" not in text
    schemas = found["components"]["schemas"]
    assert "password" in schemas["UserCreate"]["properties"]
    assert [name for name, schema in schemas.items() if "password" in schema["properties"]] == ["UserCreate", "UserUpdate"]
    parameters = [said.get("parameters", ()) for verbs in found["paths"].values() for said in verbs.values()]
    assert "password" not in str(parameters) and "$searchFields" in str(parameters)


@on_one_store
def test_the_openapi_tells_bodies_and_answers(api: Api) -> None:
    """K1: what is required, how long it may be, what a link takes, what $embed brings."""
    found = api.openapi()
    schemas = found["components"]["schemas"]
    assert schemas["UserCreate"]["required"] == ["email"]
    assert schemas["UserCreate"]["additionalProperties"] is False
    assert schemas["UserCreate"]["properties"]["email"]["maxLength"] == 255
    assert "required" not in schemas["UserUpdate"]
    assert schemas["GroupUsersAdd"]["required"] == ["childId"] and set(schemas["GroupUsersAdd"]["properties"]) == {"childId", "role"}
    assert set(schemas["User"]["properties"]) == {"id", "email", "level", "home"}
    assert set(schemas["GroupUsersItem"]["properties"]) == {*schemas["User"]["properties"], "membership"}
    assert set(schemas["Group"]["properties"]) == {"id", "name", "residents", "users"}
    key = found["paths"]["/user/{id}"]["get"]["parameters"][0]["schema"]
    assert (key["type"], key["maximum"]) == ("integer", 2**63 - 1)
    names = [each["name"] for each in found["paths"]["/group/{owner_id}/user"]["get"]["parameters"]]
    assert names[1:5] == ["$limit", "$skip", "$page", "$select"] and names[-3:] == ["level", "home", "membership.role"]


def test_the_tables_of_routes_agree() -> None:
    """K2: every row has an operation, an action and a verb of the associations; every description is of a status."""
    assert {(way.operation, way.form) for way in (*CRUD, *BELOW)} == set(OPERATIONS)
    assert {way.action for way in (*CRUD, *BELOW)} == set(ACTIONS)
    for kind in (HasMany, ManyToMany):
        assert all(any(way.form in pattern for pattern in verbs_of(kind)[way.operation]) for way in BELOW)
    assert set(REFUSALS) == {400, 403, 404, 409, 413, 503}


# Pages


@on_one_store
def test_the_pages_need_no_internet(api: Api) -> None:
    """K1: no absolute URL in them; what they load comes from the app."""
    page = api.http.get("/docs")
    assert page.status_code == 200 and "//" not in re.sub(r"<!--.*?-->", "", page.text)
    loaded = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert loaded == ["/docs/swagger-ui.css", "/docs/favicon.png", "/docs/swagger-ui.js"]
    assert all(api.http.get(path).status_code == 200 for path in loaded)
    assert "url: '/openapi.json'" in page.text
    assert api.http.get("/openapi.json").json()["openapi"].startswith("3.")
    assert [api.status("GET", path) for path in ("/redoc", "/docs/oauth2-redirect")] == [404, 404]


@on_one_store
def test_the_pages_know_where_the_app_is_mounted(api: Api) -> None:
    """K1"""
    outer = FastAPI()
    outer.mount("/api", api.app)
    page = TestClient(outer).get("/api/docs").text
    assert "url: '/api/openapi.json'" in page and 'src="/api/docs/swagger-ui.js"' in page


@on_one_store
def test_a_router_is_included_in_an_app(Base: Any) -> None:
    """K1: with its prefix and dependencies; its errors are in the shape of all errors there too."""

    def only_ann(who: str = "") -> None:
        raise HTTPException(401, "Who are you?")

    models = models_on(Base)
    sync(*models)
    app, closed = FastAPI(), FastAPI()
    app.include_router(router(*models), prefix="/api")
    closed.include_router(router(*models, dependencies=[Depends(only_ann)]))
    http = TestClient(app)
    assert http.post("/api/user", json={"email": "a"}).status_code == 201
    refused = http.post("/api/user", json={"email": 5})
    problem = {"error": "bad_request", "message": "email is no text", "fields": {"email": "is no text"}}
    assert (refused.status_code, refused.json()) == (400, problem)
    assert http.get("/api/user/5").json()["error"] == "not_found"
    assert TestClient(closed).get("/user").status_code == 401
    assert "422" not in app.openapi()["paths"]["/api/user"]["post"]["responses"]


# Limits and failures


@on_one_store
def test_a_body_has_a_limit(Base: Any) -> None:
    """K3: 413 as soon as it is passed, told by the header or not; as many records as the limit says."""
    api = Api(*models_on(Base), limits=Limits(body=1_000, records=2))
    problem = {"error": "too_large", "message": "A body may have 1,000 bytes, and this one has more", "fields": {}}
    assert api("POST", "/user", {"email": "x" * 1_000}) == (413, problem)

    def pieces() -> Iterator[bytes]:
        for _ in range(10):
            yield b" " * 200

    answer = api.http.post("/user", content=pieces(), headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()) == (413, problem)
    assert api("POST", "/user", [{"email": each} for each in "abc"])[1]["message"] == "body has more than 2 entries"
    assert api("DELETE", "/user", [1, 2, 3])[1]["message"] == "body has more than 2 entries"
    assert api.status("POST", "/user", [{"email": each} for each in "ab"]) == 201


@on_one_store
def test_a_wrong_path_or_method_is_told_in_the_same_shape(api: Api) -> None:
    """K3: with the methods that there are."""
    assert api("GET", "/usr") == (404, {"error": "not_found", "message": "Not Found", "fields": {}})
    answer = api.http.patch("/group/1/user/2")
    assert (answer.status_code, answer.json()["error"], answer.headers["allow"]) == (405, "method_not_allowed", "DELETE, PUT")


@on_one_store
def test_a_failure_of_the_program_tells_nothing_of_itself(Base: Any) -> None:
    """K3: 500, without a traceback or a text of the exception; nothing was written."""

    def after(request: Any, model: Any, records: Any) -> None:
        raise RuntimeError("hunter2")

    class Note(Base):
        class Meta:
            rest = {"after": after}

    api = Api(Note)
    quiet = TestClient(api.app, raise_server_exceptions=False)
    answer = quiet.post("/note", json={})
    assert (answer.status_code, answer.json()) == (500, {"error": "internal_error", "message": "The program failed", "fields": {}})
    assert Note.select().count() == 0
    with pytest.raises(RuntimeError):
        api("POST", "/note", {})


@on_one_store
def test_a_database_that_fails_is_503_and_its_text_stays_inside(api: Api, db: Any) -> None:
    """K3: the log has it."""
    db.execute_sql("DROP TABLE membership")
    user, group = api.created("/user", email="a"), api.created("/group", name="g")
    status, found = api("PUT", f"/group/{group}/user/{user}")
    assert (status, found) == (503, {"error": "unavailable", "message": "The database is busy or away; try again", "fields": {}})


def test_fastapi_is_asked_for_when_it_is_needed(python: Callable[..., str]) -> None:
    """K1: importing the package imports neither it nor pydantic, and where it is missing the text has the pip line."""
    code = """
    import sys
    import activeassoc.rest
    assert not {"fastapi", "pydantic", "starlette"} & set(sys.modules)
    sys.modules["fastapi"] = None
    try:
        activeassoc.rest.create_app()
    except activeassoc.AssociationError as error:
        print(isinstance(error, ImportError), error)
    """
    text = "activeassoc.rest.create_app(): fastapi is not installed. Install it: pip install 'activeassoc[rest]'."
    assert python(textwrap.dedent(code)) == f"True {text}"


# Costs


@on_one_store
def test_what_requests_cost(Base: Any, db: Any) -> None:
    """K7: writes look for owner and children once; adding many costs what adding one does."""
    models = models_on(Base)
    sync(*models)
    resource = Served(models).resource_of(models[1])
    users = [models[0].create(email=str(each)).id for each in range(10)]
    group = models[1].create(name="g").id
    with assert_queries(3, db):
        writing.add(resource.to_many["user"], group, [(user, {}) for user in users])
    with assert_queries(3, db):
        writing.remove(resource.to_many["user"], group, users)
    with assert_queries(2, db):
        writing.create(resource, [{"name": "a"}], several=False)


# Many at once


class Running:
    """The app under a server of its own, in a thread."""

    def __init__(self, app: Any) -> None:
        self.server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="critical", lifespan="off"))
        self.thread = threading.Thread(target=self.server.run)

    def __enter__(self) -> str:
        self.thread.start()
        deadline = time.monotonic() + 30
        while not self.server.started and time.monotonic() < deadline:
            time.sleep(0.01)
        port = self.server.servers[0].sockets[0].getsockname()[1]
        return f"http://127.0.0.1:{port}"

    def __exit__(self, *error: Any) -> None:
        self.server.should_exit = True
        self.thread.join(30)


@in_parallel
def test_two_hundred_requests_at_once(Base: Any, db: Any) -> None:
    """K3: reads and writes of many threads all pass, each counter is right, and every connection was given back."""
    models = models_on(Base)
    User, Group, Membership = models
    app = create_app(*models)
    sync(*models)
    group = Group.create(name="g").id
    users = [User.create(email=f"u{each}").id for each in range(50)]
    answers: list[int] = []
    opened: list[int] = []
    connect, close = db._connect, db._close
    db._connect = lambda: (opened.append(1), connect())[1]
    db._close = lambda connection: (opened.append(-1), close(connection))[1]

    def ask(http: Any, number: int) -> None:
        user = users[number % 50]
        kinds = [
            lambda: http.post("/user", json={"email": f"new{number}"}),
            lambda: http.put(f"/group/{group}/user/{user}", json={"role": "x"}),
            lambda: http.get(f"/group/{group}?$embed=users"),
            lambda: http.get("/user?$limit=5"),
        ]
        answers.append(kinds[number % 4]().status_code)

    with Running(app) as url, httpx2.Client(base_url=url, timeout=60, limits=httpx2.Limits(max_connections=200)) as http:
        threads = [threading.Thread(target=ask, args=(http, number)) for number in range(200)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(120)
    assert sorted(set(answers)) == [200, 201, 204] and len(answers) == 200
    assert User.select().count() == 100
    assert Membership.select().count() == 25
    assert opened.count(1) == opened.count(-1) > 0
