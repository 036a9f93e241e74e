"""What a client writes through REST: statuses, all or nothing, links and their fields, values, and what a model allows."""

from __future__ import annotations

import datetime
import decimal
import json
import uuid
from collections.abc import Callable
from typing import Any

import peewee
import pytest
from peewee import CharField, DateField, IntegerField
from serving import NONE, Api, below

from activeassoc import AssociationError, ObjectIdField, sync
from activeassoc.rest import Conflict, Forbidden, create_app

on_some_stores = pytest.mark.parametrize("store", ["sqlite", "postgresql", "mongodb"], indirect=True)
on_one_store = pytest.mark.parametrize("store", ["sqlite"], indirect=True)

ONLY_ONE = "is there already, and has to be the only one"
NOT_THERE = "refers to a record that is not there"


def problem(error: str, message: str, **fields: str) -> dict[str, Any]:
    return {"error": error, "message": message, "fields": fields}


@pytest.fixture
def shop(Base: Any) -> Any:
    """Customers with their orders, which need one, and tags; the API, the id of a customer, the ids of two orders of hers."""

    class Customer(Base):
        email = CharField(unique=True, max_length=20)
        name = CharField(null=True)
        level = IntegerField(default=1)
        password = CharField(null=True)

        class Meta:
            rest = {"read_only": ["level"], "excluded": ["password"]}

    class Order(Base):
        number = IntegerField()
        line = IntegerField(default=0)
        state = CharField(default="new", choices=[("new", "New"), ("sent", "Sent")])

        class Meta:
            indexes = ((("number", "line"), True),)

    class Tag(Base):
        word = CharField(unique=True)

    class Tagging(Base):
        weight = IntegerField(default=1)
        by = CharField(null=True)

        class Meta:
            rest = {"read_only": ["by"]}

    Customer.has_many(Order, on_delete="RESTRICT", null=False)
    Order.belongs_to(Customer)
    Order.belongs_to_many(Tag, through=Tagging)
    api = Api(Customer, Order, Tag, Tagging)
    api.models = (Customer, Order, Tag, Tagging)
    ann = api.created("/customer", email="ann@x")
    status, orders = api("POST", "/order", [{"number": 1, "customer": ann}, {"number": 2, "customer": ann}])
    assert status == 201
    return api, ann, *(order["id"] for order in orders)


# Records


@pytest.mark.every_store
def test_what_is_refused_writes_nothing(shop: Any) -> None:
    """K3: of a list all or none, on every store; the field is named, and where it stands in the list."""
    api, ann, one, two = shop
    Customer, Order, *_ = api.models
    taken = problem("conflict", f"1.email {ONLY_ONE}", **{"1.email": ONLY_ONE})
    assert api("POST", "/customer", [{"email": "new@x"}, {"email": "ann@x"}]) == (409, taken)
    assert api("POST", "/customer", [{"email": "new@x"}, {"email": "new@x"}]) == (409, taken)
    lost = problem("not_found", f"1.customer {NOT_THERE}", **{"1.customer": NOT_THERE})
    assert api("POST", "/order", [{"number": 3, "customer": ann}, {"number": 4, "customer": NONE}]) == (404, lost)
    twice = problem("conflict", f"number, line {ONLY_ONE}", number=ONLY_ONE, line=ONLY_ONE)
    assert api("PUT", f"/order/{two}", {"number": 1}) == (409, twice)
    gone = problem("not_found", f"There is no order with the id {NONE}", id=f"there is none with the id {NONE}")
    assert api("DELETE", "/order", [one, NONE]) == (404, gone)
    needed = "A customer cannot be deleted, as records that are to stay refer to it"
    other = api.created("/customer", email="bob@x")
    assert api("DELETE", "/customer", [other, ann]) == (409, problem("conflict", needed, id="is referred to"))
    assert [each.email for each in Customer.select().order_by(Customer.id)] == ["ann@x", "bob@x"]
    assert [each.number for each in Order.select().order_by(Order.id)] == [1, 2]


@on_some_stores
def test_records_are_made_changed_and_deleted(shop: Any) -> None:
    """K2, K3: defaults apply, what was not given stays, and the answer is the record as it is stored."""
    api, ann, one, two = shop
    order = {"id": one, "number": 1, "line": 0, "state": "new", "customer": ann}
    assert api("GET", f"/order/{one}") == (200, order)
    assert api("PUT", f"/order/{one}", {"state": "sent"}) == (200, {**order, "state": "sent"})
    assert api("PUT", f"/order/{one}", {}) == (200, {**order, "state": "sent"})
    assert api("DELETE", f"/order/{one}") == (204, None)
    assert api("DELETE", "/order", [two, two]) == (204, None)
    assert api.ids("/order") == []


#: (method, path, body) → the message.
MEANT_NOT: list[tuple[str, str, Any, str]] = [
    ("POST", "/customer", {}, "email is required"),
    ("POST", "/customer", None, "body is required"),
    ("POST", "/customer", [], "body is empty"),
    ("POST", "/customer", "x", "body is no object"),
    ("POST", "/customer", [1], "0 is no object"),
    ("POST", "/customer", {"email": None}, "email is no text"),
    ("POST", "/customer", {"email": "x" * 21}, "email has more than 20 characters"),
    ("POST", "/customer", {"email": "x", "emial": "y"}, "emial is not known, or not to be written. Did you mean 'email'"),
    ("POST", "/customer", {"email": "x", "level": 9}, "level is not known, or not to be written. Known are email, name, password"),
    ("POST", "/customer", {"email": "x", "id": 9}, "id is not known, or not to be written. Known are email, name, password"),
    ("PUT", "/customer/1", {"level": 9}, "level is not known, or not to be written. Known are email, name, password"),
    ("PUT", "/customer/1", {"orders": [1]}, "orders is not known, or not to be written. Known are email, name, password"),
    ("PUT", "/customer/1", {"email": None}, "email is no text"),
    ("PUT", "/customer/1?x=1", {}, "x: PUT takes no parameters"),
    ("PUT", "/order/1", {"state": "lost"}, "state is not 'new' or 'sent'"),
    ("PUT", "/order/1", {"customer": None}, "customer is no whole number"),
    ("PUT", "/order/1", {"customer": {"id": 1}}, "customer is no whole number"),
    ("PUT", "/order/x", {}, "id is no key of Order: it is of type AutoField"),
    ("DELETE", "/order/1.0", None, "id is no key of Order: it is of type AutoField"),
    ("DELETE", "/order", [], "body is empty"),
    ("DELETE", "/order", ["1"], "0 is no whole number"),
    ("DELETE", "/order", [True], "0 is no whole number"),
    ("DELETE", "/order", [2**63], "0 is out of the range of 64 bits"),
    ("POST", "/order/1/tag", [{"childId": 1, "wieght": 2}], "0.wieght is not known, or not to be written. Did you mean 'weight'"),
    ("POST", "/order/1/tag", [{"weight": 2}], "0.childId is required"),
    ("PUT", "/order/1/tag/1", {"by": "me"}, "by is not known, or not to be written. Known are weight"),
    ("PUT", "/order/1/tag/1", {"order": 2}, "order is not known, or not to be written. Known are weight"),
    ("DELETE", "/customer/1/order", [1], "A record cannot be taken from the list: its key may not be null"),
]


@on_one_store
def test_what_cannot_be_meant_is_400(shop: Any) -> None:
    """K3: unknown and read-only fields, values that do not fit, malformed ids, empty lists; never 422."""
    for verb, path, body, message in MEANT_NOT:
        status, found = shop[0](verb, path, body)
        assert (status, found["error"], found["message"]) == (400, "bad_request", message), (verb, path, body)


#: A body → the message.
NO_BODIES: list[tuple[bytes, str]] = [
    (b"{", "The body is no JSON"),
    (b"\xff", "The body is no JSON"),
    (b'{"email": "a", "email": "b"}', "The body cannot be read: an object names one thing twice"),
    (b'{"email": NaN}', "The body cannot be read: NaN is no number of JSON"),
    (b'{"email": 1e999}', "The body cannot be read: a number is out of the range of a float"),
    (b"9" * 1_001, "The body cannot be read: a number has more than 1,000 digits"),
    (b"[" * 100_000, "The body cannot be read: it nests too deep"),
    (b'{"email": "\\ud800"}', "email has half of a surrogate pair, which is no character"),
    (b'{"email": "\\u0000"}', "email has a NUL character, which not every database stores"),
]


@on_one_store
def test_a_body_is_json_that_means_one_thing(shop: Any) -> None:
    """K3"""
    for text, message in NO_BODIES:
        answer = shop[0].http.post("/customer", content=text, headers={"Content-Type": "application/json"})
        assert (answer.status_code, answer.json()["message"]) == (400, message), text[:50]


@on_one_store
def test_a_body_is_called_json(shop: Any) -> None:
    """K3"""
    for headers in ({}, {"Content-Type": "text/plain"}, {"Content-Type": "application/x-www-form-urlencoded"}):
        answer = shop[0].http.post("/customer", content=json.dumps({"email": "x"}), headers=headers)
        assert answer.status_code == 400
        assert answer.json()["fields"] == {"Content-Type": "is not application/json"}
    answer = shop[0].http.post("/customer", content=b'{"email": "x"}', headers={"Content-Type": "application/json; charset=utf-8"})
    assert answer.status_code == 201


# Values


class Kinds:
    """A field of each kind, by the name of it."""

    whole = IntegerField
    small = peewee.SmallIntegerField
    real = peewee.FloatField
    exact = lambda **options: peewee.DecimalField(max_digits=6, decimal_places=2, **options)  # noqa: E731
    flag = peewee.BooleanField
    text = peewee.TextField
    data = peewee.BlobField
    unique_id = peewee.UUIDField
    moment = peewee.DateTimeField
    day = DateField
    clock = peewee.TimeField


UUID = "12345678-1234-5678-1234-567812345678"
#: (field, what is sent, what is stored, what is answered)
STORED: list[tuple[str, Any, Any, Any]] = [
    ("whole", 5, 5, 5),
    ("whole", 5.0, 5, 5),
    ("real", 1, 1.0, 1.0),
    ("exact", "12.25", decimal.Decimal("12.25"), "12.25"),
    ("exact", 12.25, decimal.Decimal("12.25"), "12.25"),
    ("flag", True, True, True),
    ("text", "é\n'", "é\n'", "é\n'"),
    ("data", "aGk=", b"hi", "aGk="),
    ("unique_id", UUID, uuid.UUID(UUID), UUID),
    ("moment", "2020-01-02T03:04:05", datetime.datetime(2020, 1, 2, 3, 4, 5), "2020-01-02T03:04:05"),
    ("moment", "2020-01-02T03:04:05+02:00", datetime.datetime(2020, 1, 2, 1, 4, 5), "2020-01-02T01:04:05"),
    ("moment", "2020-01-02", datetime.datetime(2020, 1, 2), "2020-01-02T00:00:00"),
    ("day", "2020-01-02", datetime.date(2020, 1, 2), "2020-01-02"),
    ("clock", "03:04:05", datetime.time(3, 4, 5), "03:04:05"),
]
#: field → what is refused.
REFUSED: dict[str, list[Any]] = {
    "whole": [True, "5", 5.5, 2**64, [], {}],
    "small": [2**64],
    "real": [True, "1", 10**400, []],
    "exact": [True, "NaN", "1e9", "x", "12345.0", []],
    "flag": [0, 1, "true", []],
    "text": [1, True, [], {}],
    "data": ["x", 1, "aGk"],
    "unique_id": ["x", 1, UUID[:-1]],
    "moment": [0, "0", "x", "2020-13-01T00:00:00", "2020-01-01T25:00:00", "0001-01-01T00:00:00+14:00", "2020-W01-1"],
    "day": [0, "20200102", "2020-02-30", "2020-01-02T00:00:00"],
    "clock": [0, "3", "25:00:00", "12:00:00+01:00"],
}


@pytest.fixture
def kinds(Base: Any) -> Any:
    fields = {name: make(null=True) for name, make in vars(Kinds).items() if not name.startswith("_")}
    Thing = type(Base)("Thing", (Base,), {**fields, "__module__": __name__})
    return Api(Thing), Thing


@on_some_stores
def test_values_are_read_as_their_fields_say(kinds: Any) -> None:
    """K3: what is stored is a value of the field's own type, and comes back in the shape in which it is sent."""
    api, Thing = kinds
    for name, sent, stored, answered in STORED:
        status, found = api("POST", "/thing", {name: sent})
        assert (status, found.get(name)) == (201, answered), (name, sent, found)
        record = Thing.get_by_id(found["id"])
        value = bytes(getattr(record, name)) if name == "data" else getattr(record, name)
        assert value == stored and type(value) is type(stored), (name, sent)
        assert api("PUT", f"/thing/{found['id']}", {name: answered})[1][name] == answered


@on_some_stores
def test_values_that_do_not_fit_are_refused(kinds: Any) -> None:
    """K3: true is not 1, a text no number, a number no date; null is taken where the field may be NULL."""
    api, Thing = kinds
    for name, values in REFUSED.items():
        for value in values:
            status, found = api("POST", "/thing", {name: value})
            assert (status, list(found["fields"])) == (400, [name]), (name, value, found)
        assert api.status("POST", "/thing", {name: None}) == 201
    assert Thing.select().count() == len(REFUSED)


# Keys


@on_some_stores
def test_the_key_is_id_in_json_whatever_it_is_called(Base: Any) -> None:
    """K2: a key that is not automatic is given once, and refused when it is there."""

    class Country(Base):
        code = CharField(primary_key=True)
        name = CharField()

    class City(Base):
        key = peewee.UUIDField(primary_key=True, default=uuid.uuid4)

    City.belongs_to(Country, null=False)
    Country.has_many(City)
    api = Api(Country, City)
    assert api("POST", "/country", {"name": "x"})[1]["fields"] == {"id": "is required"}
    assert api("POST", "/country", {"id": "no", "name": "Norway"}) == (201, {"id": "no", "name": "Norway"})
    assert api("POST", "/country", {"id": "no", "name": "x"}) == (409, problem("conflict", f"id {ONLY_ONE}", id=ONLY_ONE))
    assert api.status("PUT", "/country/no", {"id": "se"}) == 400
    status, oslo = api("POST", "/city", {"country": "no"})
    assert (status, oslo["country"], str(uuid.UUID(oslo["id"]))) == (201, "no", oslo["id"])
    assert api.status("POST", "/city", {"country": "xx"}) == 404
    assert api.ids(f"/country/no/city?id={oslo['id'].upper()}") == [oslo["id"]]
    assert [api.status("GET", path) for path in ("/city/x", "/country/xx")] == [400, 404]


@pytest.mark.parametrize("store", ["mongodb", "sqlite"], indirect=True)
def test_an_object_id_is_a_text(Base: Any) -> None:
    """K2, J4: as MongoDB makes them, in SQL too; a text of another form is 400."""

    class City(Base):
        oid = ObjectIdField(primary_key=True)

    class Sight(Base):
        oid = ObjectIdField(primary_key=True)

    Sight.belongs_to(City)
    City.has_many(Sight)
    api = Api(City, Sight)
    city, sight = api.created("/city"), api.created("/sight")
    assert len(city) == 24
    assert api.status("POST", f"/city/{city}/sight", [sight]) == 204
    assert api.ids(f"/city/{city.upper()}/sight") == [sight]
    assert api("GET", f"/sight/{sight}")[1] == {"id": sight, "city": city}
    assert [api.status("GET", f"/sight/{each}") for each in ("x", "5", "5f" * 12)] == [400, 400, 404]
    assert api.status("POST", "/sight", {"city": "x"}) == 400 == api.status("POST", "/sight", {"id": "5f" * 12})


@on_one_store
def test_a_model_whose_key_has_several_columns_is_read_below_others(Base: Any) -> None:
    """K2: it has no id that a path could name, so that it has no routes of its own, and below its owner the list alone."""

    class Room(Base):
        name = CharField()

    class Seat(Base):
        row, place = IntegerField(), IntegerField()

        class Meta:
            primary_key = peewee.CompositeKey("row", "place")

    Room.has_many(Seat)
    api = Api(Room, Seat)
    assert api.paths("seat") == {("GET", "/room/{owner_id}/seat")}
    Seat.create(row=1, place=2, room=api.created("/room", name="a"))
    assert api("GET", "/room/1/seat")[1]["docs"] == [{"row": 1, "place": 2, "room": 1}]


# Links


@on_some_stores
def test_ids_and_objects_mix_and_adding_again_merges(shop: Any) -> None:
    """K4: of one child that is named twice both say something; the defaults of the link apply."""
    api, _, one, two = shop
    Tagging = api.models[3]
    red, blue, _ = (tag["id"] for tag in api("POST", "/tag", [{"word": "red"}, {"word": "blue"}, {"word": "odd"}])[1])
    assert api("POST", f"/order/{one}/tag", [red, {"childId": blue, "weight": 5}, {"childId": red, "weight": 2}]) == (204, None)
    weights = lambda: {tag["word"]: tag["tagging"] for tag in api("GET", f"/order/{one}/tag")[1]["docs"]}  # noqa: E731
    assert weights() == {"red": {"weight": 2, "by": None}, "blue": {"weight": 5, "by": None}}
    assert api("PUT", f"/order/{one}/tag/{blue}") == api("POST", f"/order/{one}/tag", [blue, red]) == (204, None)
    assert weights() == {"red": {"weight": 2, "by": None}, "blue": {"weight": 5, "by": None}}
    assert api.status("PUT", f"/order/{one}/tag/{blue}", {"weight": None}) == 400
    gone = problem("not_found", f"There is no tag with the id {NONE}", id=f"there is none with the id {NONE}")
    assert api("POST", f"/order/{two}/tag", [{"childId": red}, NONE]) == api("DELETE", f"/order/{one}/tag", [red, NONE]) == (404, gone)
    assert Tagging.select().count() == 2
    assert api("DELETE", f"/order/{one}/tag", [red, blue]) == (204, None)
    assert Tagging.select().count() == 0


@on_one_store
def test_a_link_that_is_there_keeps_what_is_written_once(Base: Any) -> None:
    """K4, K7: create-only fields of a link, and its keys to other records."""

    class Group(Base):
        name = CharField(null=True)

    class User(Base):
        name = CharField(null=True)

    class Membership(Base):
        since = IntegerField(null=True)

        class Meta:
            rest = {"create_only": ["since"]}

    Membership.belongs_to(User, as_="inviter")
    Group.belongs_to_many(User, through=Membership, other_key="user_id")
    api = Api(Group, User, Membership)
    group, user = api.created("/group"), api.created("/user")
    assert api("PUT", f"/group/{group}/user/{user}", {"inviter": NONE})[1]["fields"] == {"0.inviter": NOT_THERE}
    assert api.status("PUT", f"/group/{group}/user/{user}", {"since": 1}) == 204
    assert api.status("PUT", f"/group/{group}/user/{user}", {"since": 2}) == 400
    assert api.status("PUT", f"/group/{group}/user/{user}", {"inviter": user}) == 204
    assert api("GET", f"/group/{group}/user")[1]["docs"][0]["membership"] == {"since": 1, "inviter": user}


@on_some_stores
def test_a_child_that_has_its_one_owner_is_a_conflict_for_another_child(Base: Any) -> None:
    """K3: a unique key lets an owner have one; the key is named."""

    class Owner(Base):
        pass

    class Dog(Base):
        name = CharField(null=True)

    Dog.belongs_to(Owner, unique=True)
    Owner.has_many(Dog)
    api = Api(Owner, Dog)
    ann, rex, fido = api.created("/owner"), api.created("/dog"), api.created("/dog")
    assert api.status("PUT", f"/owner/{ann}/dog/{rex}") == 204
    assert api("PUT", f"/owner/{ann}/dog/{fido}") == (409, problem("conflict", f"owner {ONLY_ONE}", owner=ONLY_ONE))
    assert api.ids(f"/owner/{ann}/dog") == [rex]


def test_references_across_databases_are_looked_for(on: Callable[[str], Any]) -> None:
    """K3, H1: an id that nobody has is refused, not stored; each store has one transaction."""

    class User(on("sqlite")):  # type: ignore[misc]
        name = CharField()

    class Photo(on("mongodb")):  # type: ignore[misc]
        title = CharField(unique=True)

    User.has_many(Photo)
    Photo.belongs_to(User)
    api = Api(User, Photo)
    ann, photo = api.created("/user", name="Ann"), api.created("/photo", title="a")
    assert api("POST", "/photo", {"title": "b", "user": NONE})[1]["fields"] == {"user": NOT_THERE}
    assert api.status("PUT", f"/user/{ann}/photo/{photo}") == 204
    assert api("GET", f"/photo/{photo}?$embed=user")[1]["user"] == {"id": ann, "name": "Ann"}
    assert api("POST", "/photo", [{"title": "c"}, {"title": "a"}])[0] == 409
    assert Photo.select().count() == 1
    assert api.status("DELETE", f"/user/{ann}") == 204
    assert api("GET", f"/photo/{photo}")[1]["user"] is None


# What a model says


def note_model(Base: Any, **rest: Any) -> Any:
    return type(Base)("Note", (Base,), {"text": CharField(), "__module__": __name__, "Meta": type("Meta", (), {"rest": rest})})


@on_one_store
def test_hooks_see_and_change_what_is_done(Base: Any) -> None:
    """K7: before gets the payload, and what it returns takes its place; after gets the records; both with request and model."""
    seen: list[Any] = []

    def before(request: Any, model: Any, payload: Any) -> Any:
        seen.append((request.method, model.__name__, payload))
        return {**payload, "text": payload["text"].upper()} if "text" in payload else None

    def after(request: Any, model: Any, records: Any) -> None:
        seen.append([each.text for each in records])

    Note = note_model(Base, before={"create": before, "delete": before}, after=after)
    api = Api(Note)
    assert api("POST", "/note", [{"text": "a"}, {"text": "b"}])[1] == [{"id": 1, "text": "A"}, {"id": 2, "text": "B"}]
    assert seen == [("POST", "Note", {"text": "a"}), ("POST", "Note", {"text": "b"}), ["A", "B"]]
    seen.clear()
    api("PUT", "/note/1", {"text": "c"})
    api("DELETE", "/note", [1, 2])
    assert seen == [["c"], ("DELETE", "Note", [1, 2]), ["c", "B"]]


@on_some_stores
def test_what_an_after_hook_refuses_is_not_done(Base: Any) -> None:
    """K7: it is called in the same transaction."""

    def after(request: Any, model: Any, records: Any) -> None:
        if any(each.text == "no" for each in records):
            raise Conflict("Not this", {"text": "is no"})

    Note = note_model(Base, after=after)
    api = Api(Note)
    assert api("POST", "/note", [{"text": "yes"}, {"text": "no"}]) == (409, problem("conflict", "Not this", text="is no"))
    assert Note.select().count() == 0


@on_one_store
def test_hooks_of_lists_know_which_list_it_is(Base: Any) -> None:
    """K7: the payload is what is to be added, with the fields of the links; request.state.association tells the association."""
    seen: list[Any] = []

    def before(request: Any, model: Any, payload: Any) -> Any:
        seen.append((request.state.association, payload))
        return [{**each, "by": "hook"} for each in payload] if request.method == "PUT" else None

    class Link(Base):
        by = CharField(null=True)

        class Meta:
            rest = {"read_only": ["by"]}

    Note = note_model(Base, before={"add": before, "remove": before})
    Note.belongs_to_many(Note, as_="answers", through=Link)
    api = Api(Note, Link)
    a, b = (api.created("/note", text=text) for text in "ab")
    api("PUT", f"/note/{a}/answer/{b}")
    assert api("GET", f"/note/{a}/answer")[1]["docs"] == [{"id": b, "text": "b", "link": {"by": "hook"}}]
    api("DELETE", f"/note/{a}/answer/{b}")
    assert seen == [("answers", [{"childId": b}])] * 2


@on_one_store
def test_authorize_answers_403_for_everything_that_it_does_not_allow(Base: Any) -> None:
    """K7: it is asked with the record, a new one too; no answer is no. What is written is not seen either."""
    asked: list[Any] = []

    def authorize(request: Any, action: str, model: Any, record: Any) -> Any:
        asked.append((action, model.__name__, getattr(record, "text", None)))
        return True if request.headers.get("who") == "ann" and getattr(record, "text", "") != "secret" else None

    Note = note_model(Base, authorize=authorize)
    Note.has_many(Note, as_="answers", foreign_key="parent_id", through=None)
    Note.belongs_to(Note, as_="parent")
    api = Api(Note)
    forbidden = [
        *(("POST", "/note", {"text": "x"}, "create"), ("GET", "/note", None, "read"), ("GET", "/note/1", None, "read")),
        *(("PUT", "/note/1", {"text": "x"}, "update"), ("DELETE", "/note/1", None, "delete"), ("DELETE", "/note", [1], "delete")),
        *(("PUT", "/note/1/answer/2", None, "add"), ("DELETE", "/note/1/answer", [2], "remove"), ("GET", "/note/1/answer", None, "read")),
    ]
    Note.create(text="mine"), Note.create(text="secret")
    for verb, path, body, action in forbidden:
        assert api(verb, path, body) == (403, problem("forbidden", f"{action} of Note is not allowed")), (verb, path)
    assert asked[:2] == [("create", "Note", "x"), ("read", "Note", None)]
    api.http.headers["who"] = "ann"
    assert api.status("POST", "/note", {"text": "secret"}) == api.status("GET", "/note/2") == api.status("GET", "/note") == 403
    assert api.status("PUT", "/note/1/answer/2") == 403  # the key of the other one would be written
    assert api.status("GET", "/note/1") == api.status("PUT", "/note/1", {"text": "x"}) == 200
    assert Note.select().count() == 2 and "403" in api.openapi()["paths"]["/note"]["post"]["responses"]


@on_one_store
def test_flags_take_routes_away(Base: Any) -> None:
    """K7: of the model, and of one association; what may not be read is not embedded either."""

    class Audit(Base):
        text = CharField()

        class Meta:
            rest = {"allow_read": False, "allow_update": False, "allow_delete": False}

    Note = note_model(Base, allow_delete=False, allow_add=False, associations={"tags": {"allow_add": True, "allow_remove": False}})
    Tag = type(Base)("Tag", (Base,), {"word": CharField(), "__module__": __name__})
    Note.has_many(Audit)
    Note.belongs_to_many(Tag)
    api = Api(Note, Audit, Tag)
    assert api.paths("/audit") == {
        *(("POST", "/audit"), ("DELETE", "/note/{owner_id}/audit"), ("DELETE", "/note/{owner_id}/audit/{child_id}")),
    }
    assert api.paths("/note/{owner_id}/tag") == {each for each in below("note", "tag") if each[0] != "DELETE"}
    assert api.paths("/note") >= {("GET", "/note"), ("POST", "/note"), ("PUT", "/note/{id}")}
    assert not {("DELETE", "/note"), ("DELETE", "/note/{id}")} & api.paths("/note")
    assert api.status("GET", "/note?$embed=audits") == 400
    assert api("DELETE", "/note/1") == (405, problem("method_not_allowed", "Method Not Allowed"))


@on_one_store
def test_a_list_is_not_a_way_around_a_read_only_key(Base: Any) -> None:
    """K7: where the key of the children is never written, nothing is added or removed; nor to an association that is read-only itself."""

    class Owner(Base):
        class Meta:
            rest = {"read_only": ["friends"]}

    class Dog(Base):
        class Meta:
            rest = {"read_only": ["owner"]}

    Dog.belongs_to(Owner)
    Owner.has_many(Dog)
    Owner.belongs_to_many(Owner, as_="friends")
    Owner.has_many(Dog, as_="old_dogs", where=Dog.id > 5)
    api = Api(Owner, Dog)
    assert api.paths("{owner_id}") == {("GET", f"/owner/{{owner_id}}/{each}") for each in ("dog", "friend", "old_dog")}


@on_one_store
@pytest.mark.parametrize("said", [None, True])
def test_a_list_does_not_tell_an_excluded_key(Base: Any, said: bool | None) -> None:
    """K7: what is in the list of an owner has its key; who wants it all the same says allow_read of the association."""

    class Owner(Base):
        class Meta:
            rest = {"associations": {"dogs": {"allow_read": said}}} if said else {}

    class Dog(Base):
        class Meta:
            rest = {"excluded": ["owner"]}

    Dog.belongs_to(Owner)
    Owner.has_many(Dog)
    api = Api(Owner, Dog)
    assert (("GET", "/owner/{owner_id}/dog") in api.paths("dog")) is bool(said)
    assert api.created("/dog", owner=api.created("/owner")) == 1
    assert api("GET", "/dog/1")[1] == {"id": 1}
    assert api.status("GET", "/owner/1?$embed=dogs") == (200 if said else 400)
    assert api.status("GET", "/dog/1?$embed=owner") == api.status("GET", "/dog?owner=1") == 400
    assert api.ids("/dog") == [1] and api.status("PUT", "/owner/1/dog/1") == 204


@on_one_store
def test_aliases_stand_in_paths_verbatim(Base: Any) -> None:
    """K2, K7: of the model, and of an association; the names in $embed stay."""
    Note = note_model(Base, alias="Notes", associations={"answers": {"alias": "re.plies"}})
    Note.belongs_to_many(Note, as_="answers")
    api = Api(Note)
    assert {path for _, path in api.paths("/")} == {
        "/Notes",
        "/Notes/{id}",
        "/Notes/{owner_id}/re.plies",
        "/Notes/{owner_id}/re.plies/{child_id}",
    }
    api("POST", "/Notes", {"text": "a"})
    assert api("GET", "/Notes/1?$embed=answers")[1]["answers"] == []


@on_one_store
def test_a_derived_model_keeps_what_its_base_excludes(Base: Any) -> None:
    """K7: what it says itself is added, and the alias is each model's own."""

    class User(Base):
        name = CharField()
        password = CharField(null=True)

        class Meta:
            rest = {"alias": "people", "excluded": ["password"]}

    class Admin(User):
        class Meta:
            rest = {"read_only": ["name"]}

    class Guest(User):
        pass

    api = Api(User, Admin, Guest)
    schemas = api.openapi()["components"]["schemas"]
    assert {path for _, path in api.paths("/")} == {f"/{each}{rest}" for each in ("people", "admin", "guest") for rest in ("", "/{id}")}
    assert set(schemas["Admin"]["properties"]) == set(schemas["Guest"]["properties"]) == {"id", "name"}
    assert set(schemas["AdminCreate"]["properties"]) == {"password"}


# What cannot be meant


async def hook(*arguments: Any) -> None: ...


@on_one_store
@pytest.mark.parametrize(
    ("rest", "text"),
    [
        ([], "it is [], and no mapping. Write rest = {\"excluded\": [\"password\"]}."),
        ({"exclude": []}, "'exclude' is no word of it. Did you mean 'excluded'."),
        ({"excluded": ["txt"]}, "excluded names 'txt', and Note has no such field. Did you mean 'text'."),
        ({"excluded": "text"}, "excluded='text' is no list of names. Write 'excluded': [\"password\"]."),
        ({"excluded": ["id"]}, "excluded names 'id', the primary key, which every path needs. Leave it out."),
        ({"create_only": ["answers"]}, "create_only names 'answers', and Note has no such field. Known are id, text."),
        ({"read_only": ["text"], "create_only": ["text"]}, "'text' is both read_only and create_only. Name it in one of the two."),
        ({"alias": "a/b"}, "alias='a/b' is no segment of a path. Write letters, digits, '-', '_', '.' and '~'."),
        ({"allow_read": 0}, "allow_read=0 is neither True nor False. Write 'allow_read': False."),
        (
            {"authorize": hook},
            "authorize is a coroutine, and is called in the thread that holds the transaction. Write def, not async def.",
        ),
        ({"associations": {"answer": {}}}, "Note has no association 'answer'. Did you mean 'answers'."),
        ({"associations": []}, "associations=[] is no mapping. Write {\"friends\": {\"alias\": \"friend\"}}."),
    ],
)
def test_meta_rest_is_checked_when_the_app_is_made(Base: Any, rest: Any, text: str) -> None:
    """K7, M1"""
    Note = type(Base)("Note", (Base,), {"text": CharField(), "__module__": __name__, "Meta": type("Meta", (), {"rest": rest})})
    Note.belongs_to_many(Note, as_="answers")
    with pytest.raises(AssociationError) as error:
        create_app(Note)
    assert str(error.value) == f"Meta.rest of Note: {text}"


@on_one_store
def test_the_words_for_hooks_and_associations_are_checked_too(Base: Any) -> None:
    """K7, M1"""
    for rest, text in (
        ({"before": {"creat": print}}, "Meta.rest of Note, before: 'creat' is no word of it. Did you mean 'create' or 'read'."),
        (
            {"after": 5},
            "Meta.rest of Note: after=5 cannot be called. "
            "Give a function: after(request, model, records), called when it is done, in the same transaction.",
        ),
        ({"associations": {"answers": {"alas": 1}}}, "Meta.rest of Note, answers: 'alas' is no word of it. Did you mean 'alias'."),
    ):
        Note = note_model(Base, **rest)
        Note.belongs_to_many(Note, as_="answers")
        with pytest.raises(AssociationError) as error:
            create_app(Note)
        assert str(error.value) == text


@on_one_store
def test_two_associations_on_one_path_ask_for_an_alias(Base: Any) -> None:
    """K2: and so do two models, and a model on a path of the app's own."""
    Note = note_model(Base, associations={"answers": {"alias": "note"}})
    Note.belongs_to_many(Note, as_="answers")
    Note.has_many(Note, as_="notes", foreign_key="parent_id", through=None)
    with pytest.raises(AssociationError) as error:
        create_app(Note)
    assert str(error.value) == (
        "create_app(…) with Note: Note.answers and Note.notes would both be /note/{owner_id}/note. "
        'Give one an alias: Meta.rest = {"associations": {"notes": {"alias": "…"}}}.'
    )
    One, Other = note_model(Base, alias="n"), type(Base)("N", (Base,), {"__module__": __name__})
    with pytest.raises(AssociationError) as error:
        create_app(One, Other)
    assert str(error.value) == 'create_app(…) with Note and N: both would be /n. Give one an alias: Meta.rest = {"alias": "…"}.'
    with pytest.raises(AssociationError) as error:
        create_app(note_model(Base, alias="docs"))
    assert str(error.value) == (
        'create_app(…) with Note: /docs is a path of the app itself. Give the model an alias: Meta.rest = {"alias": "…"}.'
    )


@on_one_store
def test_what_is_no_model_is_refused(Base: Any, db: Any) -> None:
    """K1: a database stands for the models on it."""
    with pytest.raises(AssociationError) as error:
        create_app(5)
    assert str(error.value) == "create_app(…): 5 is neither a model nor a database. Give the classes: create_app(User, Project)."
    with pytest.raises(AssociationError) as error:
        create_app()
    assert str(error.value) == "create_app(): there is no model to serve. Give the classes: create_app(User, Project)."
    Note = note_model(Base)
    sync(Note)
    assert "/note" in create_app(db).openapi()["paths"] and "/note" in create_app(Base).openapi()["paths"]


@on_one_store
def test_hooks_may_forbid(Base: Any) -> None:
    """K7: with the errors that the package offers, in the shape of all errors."""

    def before(request: Any, model: Any, payload: Any) -> None:
        raise Forbidden("Not on Sundays")

    api = Api(note_model(Base, before=before))
    assert api("GET", "/note") == api("POST", "/note", {"text": "a"}) == (403, problem("forbidden", "Not on Sundays"))
