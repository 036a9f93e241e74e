"""The REST API at its edges: who is asked of a link, what is hidden, races, options of FastAPI, and requests that nobody's client sends."""

from __future__ import annotations

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import peewee
import pytest
from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.testclient import TestClient
from peewee import CharField, DateTimeField, IntegerField, TextField
from playhouse.postgres_ext import DateTimeTZField
from playhouse.sqlite_ext import JSONField
from serving import NONE, Api

from activeassoc import AssociationError, sync
from activeassoc.rest import create_app, router
from activeassoc.rest.resources import Served
from activeassoc.rest.schemas import Schemas

on_one_store = pytest.mark.parametrize("store", ["sqlite"], indirect=True)
on_some_stores = pytest.mark.parametrize("store", ["sqlite", "postgresql", "mongodb"], indirect=True)


# Who is asked


def links_of(Base: Any, authorize: Any) -> Any:
    """Users and groups, linked by memberships that ask `authorize`; the models, and a client."""

    class User(Base):
        name = CharField()

    class Group(Base):
        name = CharField()

    class Membership(Base):
        role = CharField(default="member")

        class Meta:
            rest = {"authorize": authorize}

    User.belongs_to_many(Group, through=Membership)
    Group.belongs_to_many(User, through=Membership)
    api = Api(User, Group, Membership)
    return api, Membership, [api.created("/user", name=name) for name in "ab"], api.created("/group", name="g")


@on_some_stores
def test_a_link_is_asked_for_from_whatever_side_it_is_written(Base: Any) -> None:
    """K7: authorize of the through model gets each link: a new one with its keys and fields, and those that are changed or deleted."""
    asked: list[Any] = []
    allowed = {"create": True, "update": True, "delete": True, "read": True}

    def authorize(request: Any, action: str, model: Any, link: Any) -> bool:
        asked.append((action, link.__data__["user"], link.__data__["group"], link.role))
        return allowed[action]

    api, Membership, (ann, bob), g = links_of(Base, authorize)
    writes = [("PUT", f"/group/{g}/user/{bob}", None), ("POST", f"/user/{bob}/group", [g]), ("POST", f"/group/{g}/user", [ann, bob])]
    allowed["create"] = False
    assert [api.status(*each) for each in writes] == [403] * 3 and not Membership.select().count()
    assert asked == [("create", bob, g, "member")] * 2 + [("create", ann, g, "member")]
    allowed["create"] = True
    assert api.status("PUT", f"/group/{g}/user/{bob}", {"role": "owner"}) == 204
    allowed["create"] = allowed["update"] = allowed["delete"] = False
    asked.clear()
    assert api.status("PUT", f"/group/{g}/user/{bob}") == 204  # nothing is written
    assert api.status("DELETE", f"/user/{ann}/group/{g}") == 204
    assert asked == []
    assert api.status("PUT", f"/user/{bob}/group/{g}", {"role": "guest"}) == 403
    assert api.status("DELETE", f"/user/{bob}/group", [g]) == api.status("DELETE", f"/group/{g}/user/{bob}") == 403
    assert asked == [("update", bob, g, "owner")] + [("delete", bob, g, "owner")] * 2
    assert [link.role for link in Membership.select()] == ["owner"]


@on_one_store
def test_a_scope_is_no_way_to_write_what_is_read_only(Base: Any) -> None:
    """K7: adding to a list writes what its where says, into the children; those are asked for, also below a link."""
    allowed = []

    class Note(Base):
        text = CharField()
        state = CharField(default="new")

        class Meta:
            rest = {"read_only": ["text"], "authorize": lambda request, action, model, note: action != "update" or bool(allowed)}

    class Owner(Base):
        name = CharField()

    Owner.belongs_to_many(Note, as_="pins", through="Pin", where={"text": "good"})
    Owner.belongs_to_many(Note, as_="drafts", through="Draft", where={"state": "draft"})
    api = Api(Note, Owner)
    assert {verb for verb, path in api.paths("/owner/{owner_id}/pin")} == {"GET", "DELETE"}
    owner, note = api.created("/owner", name="o"), Note.create(text="bad").id
    assert api.status("PUT", f"/owner/{owner}/draft/{note}") == 403 and Note.get().state == "new"
    allowed.append(True)
    assert api.status("PUT", f"/owner/{owner}/draft/{note}") == 204 and Note.get().state == "draft"


@on_some_stores
def test_what_a_model_hides_is_not_there(Base: Any) -> None:
    """K3: where select() is the model's own a hidden record is 404 as a child and as a reference, as it is when it is read."""

    class Tag(Base):
        word = CharField()

    class Note(Base):
        text = CharField()
        gone = peewee.BooleanField(default=False)

        class Meta:
            rest = {"read_only": ["gone"]}

        @classmethod
        def select(cls, *fields: Any) -> Any:
            return super().select(*fields).where(cls.gone == False)

        def delete_instance(self, *options: Any, **more: Any) -> int:
            self.gone = True
            return self.save()

    Tag.belongs_to_many(Note)
    Note.has_many(Note, as_="answers", foreign_key="parent_id", through=None)
    Note.belongs_to(Note, as_="parent")
    api = Api(Tag, Note)
    tag, there, gone = api.created("/tag", word="w"), api.created("/note", text="a"), api.created("/note", text="b")
    assert api.status("DELETE", f"/note/{gone}") == 204 and api.ids("/note") == [there]
    refused = [
        *(("GET", f"/note/{gone}", None), ("PUT", f"/tag/{tag}/note/{gone}", None), ("POST", f"/tag/{tag}/note", [there, gone])),
        *(("PUT", f"/note/{there}/answer/{gone}", None), ("POST", "/note", {"text": "c", "parent": gone})),
        ("PUT", f"/note/{there}", {"parent": gone}),
    ]
    assert [api.status(*each) for each in refused] == [404] * len(refused)
    assert api.ids(f"/tag/{tag}/note") == [] and api.status("POST", f"/tag/{tag}/note", [there]) == 204


# At once


@pytest.mark.parametrize("store", ["postgresql", "mariadb", "redis"], indirect=True)
def test_what_is_done_at_once_is_done_once(Base: Any) -> None:
    """K3: of equal new records one is 201 and the others 409; of equal links there is one, and adding it is 204 for all."""

    class User(Base):
        email = CharField(unique=True)

    class Group(Base):
        name = CharField()

    User.belongs_to_many(Group)
    Group.belongs_to_many(User)
    api = Api(User, Group)
    with ThreadPoolExecutor(6) as pool:
        made = sorted(pool.map(lambda number: api.status("POST", "/user", {"email": "a"}), range(6)))
        assert made == [201] + [409] * 5
        (ann,), g = api.ids("/user"), api.created("/group", name="g")
        ways = [("PUT", f"/user/{ann}/group/{g}", None), ("POST", f"/group/{g}/user", [ann])] * 3
        assert set(pool.map(lambda way: api.status(*way), ways)) == {204}
    assert api.ids(f"/user/{ann}/group") == [g]


# Values


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_json_of_playhouse_for_sqlite_is_json(Base: Any) -> None:
    """K3: although it is a TextField to peewee, it takes what JSON can say, and is neither searched nor filtered as a text."""

    class Doc(Base):
        title = TextField()
        meta = JSONField(null=True)

    api = Api(Doc)
    for value in ({"a": [1, {"b": None}]}, [], "s", 0, True, 0.5, None):
        status, doc = api("POST", "/doc", {"title": "t", "meta": value})
        assert (status, doc.get("meta")) == (201, value) and api("GET", f"/doc/{doc['id']}") == (200, doc)
    assert api.status("POST", "/doc", {"title": "t", "meta": ["\0"]}) == 400
    assert [api.status("GET", f"/doc?{each}") for each in ("meta=s", "$sort=meta", "$term=s&$searchFields=meta")] == [400] * 3


@pytest.mark.parametrize("store", ["postgresql"], indirect=True)
def test_a_moment_that_is_none_in_utc_is_refused(Base: Any) -> None:
    """K3: what could be stored and never be read again is 400."""

    class Event(Base):
        at = DateTimeTZField()
        plain = DateTimeField(null=True)

    api = Api(Event)
    for text in ("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00"):
        for name in ("at", "plain"):
            status, problem = api("POST", "/event", {"at": "2020-01-01T00:00:00Z", name: text})
            assert (status, problem["fields"]) == (400, {name: "is no date and time: write 2020-01-31T12:00:00"})
    status, event = api("POST", "/event", {"at": "2020-01-01T00:00:00+05:30"})
    assert (status, event["at"]) == (201, "2019-12-31T18:30:00+00:00")


# Requests


@on_one_store
def test_a_length_that_is_no_number_is_no_failure(Base: Any) -> None:
    """K3: what a server in front lets through is not believed."""

    class Note(Base):
        text = CharField()

    sync(Note)
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": json.dumps({"text": "a"}).encode(), "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    headers = [(b"content-type", b"application/json"), (b"content-length", "²".encode("latin-1"))]
    scope = {"type": "http", "http_version": "1.1", "method": "POST", "path": "/note", "query_string": b"", "headers": headers}
    asyncio.run(create_app(Note)({**scope, "scheme": "http", "server": ("x", 80), "client": ("y", 1), "root_path": ""}, receive, send))
    assert sent[0]["status"] == 201


@on_one_store
def test_an_answer_tells_a_hundred_fields_at_most(Base: Any) -> None:
    """K3: a body that is all wrong is not answered by one that is many times as long."""

    class Note(Base):
        text = CharField(null=True)

    status, problem = Api(Note)("POST", "/note", {f"{'x' * 300}{number}"[-300:]: 1 for number in range(2_000)})
    assert (status, len(problem["fields"])) == (400, 1)  # names are cut, too
    status, problem = Api(Note)("POST", "/note", {f"x{number}": 1 for number in range(2_000)})
    assert (status, len(problem["fields"])) == (400, 100)
    assert problem["message"].endswith("; and 1,995 more")


@on_one_store
def test_the_options_of_fastapi_are_taken(Base: Any) -> None:
    """K1: the pages elsewhere or not at all; a path of the app's own is refused wherever that is."""

    class Note(Base):
        text = CharField()

    sync(Note)

    def statuses(*paths: str, **options: Any) -> list[int]:
        http = TestClient(create_app(Note, **options))
        return [http.get(path).status_code for path in paths]

    paths = ("/docs", "/openapi.json", "/d", "/d/swagger-ui.js", "/x.json", "/note")
    assert statuses(*paths) == [200, 200, 404, 404, 404, 200]
    assert statuses(*paths, docs_url=None) == [404, 200, 404, 404, 404, 200]
    assert statuses(*paths, docs_url="/d", openapi_url="/x.json") == [404, 404, 200, 200, 200, 200]
    assert statuses(*paths, openapi_url=None) == [404, 404, 404, 404, 404, 200]
    assert statuses("/redoc", redoc_url=None, redirect_slashes=True, title="Notes") == [404]
    with pytest.raises(AssociationError) as error:
        create_app(Note, docs_url="/note")
    assert str(error.value) == (
        'create_app(…) with Note: /note is a path of the app itself. Give the model an alias: Meta.rest = {"alias": "…"}.'
    )


@on_one_store
def test_what_dependencies_raise_has_a_name_of_its_own(Base: Any) -> None:
    """K3: the shape of all errors, and HTTP's word for the status."""

    def refuse(request: Request) -> None:
        raise HTTPException(int(request.headers["status"]), "No", headers={"WWW-Authenticate": "Basic"})

    class Note(Base):
        text = IntegerField()

    http = TestClient(create_app(Note, dependencies=[Depends(refuse)]))
    names = {401: "unauthorized", 403: "forbidden", 418: "i_m_a_teapot", 429: "too_many_requests", 503: "unavailable", 599: "error"}
    for status, name in names.items():
        answer = http.get(f"/note/{NONE}", headers={"status": str(status)})
        assert (answer.status_code, answer.json()) == (status, {"error": name, "message": "No", "fields": {}})
        assert answer.headers["www-authenticate"] == "Basic"


# Many models


@on_one_store
def test_the_schemas_of_many_models_are_made_one_by_one(Base: Any) -> None:
    """K1: models that all lead to each other are described in the time that each takes, whether they have routes or not."""
    names = {"__module__": __name__, "text": CharField()}
    models = [type(Base)(f"Model{number:03}", (Base,), dict(names)) for number in range(120)]
    for one, other in zip(models, models[1:], strict=False):
        one.has_many(other, as_="kids", foreign_key="parent_id")
        other.belongs_to(one, as_="parent", foreign_key="parent_id")
    served = Served(models[60:61])
    schemas = Schemas(served)
    made = schemas.document(served.resource_of(models[60])).model_json_schema()
    found = schemas.whole({"paths": {}, "components": {"schemas": {"Model060": made}}})["components"]["schemas"]
    assert len(found) == 120
    assert found["Model000"]["properties"]["kids"] == {"items": {"$ref": "#/components/schemas/Model001"}, "title": "Kids", "type": "array"}


@on_one_store
def test_a_model_is_not_taken_for_a_schema_of_the_api(Base: Any) -> None:
    """K1: where a Problem is embedded the OpenAPI refers to the record, not to the shape of errors."""
    Case, Problem = (type(Base)(name, (Base,), {"__module__": __name__, "text": CharField()}) for name in ("Case", "Problem"))
    Case.has_many(Problem)
    Problem.belongs_to(Case)
    schemas = create_app(Case, Problem).openapi()["components"]["schemas"]
    assert set(schemas["Problem"]["properties"]) == {"error", "message", "fields"}
    (_, _, name) = schemas["Case"]["properties"]["problems"]["items"]["$ref"].rpartition("/")
    assert set(schemas[name]["properties"]) == {"id", "text", "case"}


@on_one_store
def test_a_router_describes_embedded_records_without_references(Base: Any) -> None:
    """K1: the OpenAPI of the app that includes it refers to nothing that is not there."""

    class User(Base):
        name = CharField()

    class Pet(Base):
        name = CharField()

    User.has_many(Pet)
    Pet.belongs_to(User)
    app = FastAPI()
    app.include_router(router(User))
    pets = app.openapi()["components"]["schemas"]["User"]["properties"]["pets"]
    assert (pets["items"]["type"], pets["items"]["title"]) == ("object", "Pet")
    pets = create_app(User).openapi()["components"]["schemas"]
    assert pets["User"]["properties"]["pets"]["items"] == {"$ref": "#/components/schemas/Pet"} and "Pet" in pets
