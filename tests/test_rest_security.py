"""What hostile requests get: never a failure of the program, never a row that is not theirs, never what is excluded.

Every input (path, query, body, link) of one API is thrown what programs are attacked with, on SQLite, PostgreSQL and MongoDB. After each
throw the rows are what they were, or what the request honestly asked for.
"""

from __future__ import annotations

import json
import re
from types import SimpleNamespace
from urllib.parse import quote, urlencode

import peewee
import pytest
from conftest import base_on
from engines import Store

from activeassoc import sync
from activeassoc.rest import parameters, problems, reading
from activeassoc.rest.limits import Limits
from activeassoc.rest.parameters import PARAMETERS
from activeassoc.rest.resources import Served

rest = pytest.importorskip("activeassoc.rest", reason="the extra rest is not installed")
testclient = pytest.importorskip("fastapi.testclient", reason="the extra rest is not installed")

#: What must never be seen outside: a value of each excluded field.
SECRETS = ("hunter2-password", "hunter2-token", "hunter2-link")

#: Texts, for paths, parameters, and fields of text.
TEXTS = (
    *("$ne", "$where", '{"$ne": null}', '{"$gt": ""}', "[$ne]", "this.password.length > 0", "function(){return true}"),
    *("'", "\"'`", "' OR '1'='1", "1 OR 1=1", "1; DROP TABLE users", "') UNION SELECT password FROM users --", "1/**/OR/**/1", "--", "%"),
    *("\0", "a\0b", "\\", "\\'", "%s", "{0.__class__}", "${7*7}", "\n\r\t", "../../etc/passwd", "\u202e", "𝟙", "é" * 300, "x" * 5_000),
    *(str(2**31), str(2**63), str(2**64), "9" * 400, "-1", "-0", "1e309", "0x10", "1_000", " 1", "1.0", "٣"),
    *("NaN", "Infinity", "-Infinity", "null", "None", "true", "[]", "{}", "[1]", "__proto__", "constructor", "2020-13-45", "0001-01-01"),
)
#: Values of JSON, for fields of a body.
VALUES: tuple[object, ...] = (
    *({"$ne": None}, {"$gt": ""}, {"$where": "1"}, {}, [], [[]], [1], ["x"], {"id": 1}, {"__class__": "User"}, True, False, None),
    *(0, -1, 2**31, 2**63, 2**64, -(2**63) - 1, 10**400, 1.5, 1e308),
    *("x" * 300, "\ud800", "a\udfff", "\0", "' OR 1=1 --", "$where", "1", ""),
)
#: Bodies that are no JSON that could be meant.
BODIES = (
    *(b"", b"{", b"\xff\xfe{", b"null", b"1", b'"x"', b"[null]", b"[[]]", b"[1, {}]", b"{}" * 2, b'{"name": NaN}', b'{"age": Infinity}'),
    *(b'{"age": -Infinity}', b'{"age": 1e999}', b'{"name": "a", "name": "b"}', b'{"name": "\\ud800"}', b'{"\\ud800": 1}', b'{"": 1}'),
    *(b"[" * 50_000, b'{"a":' * 50_000, b"[" * 900 + b"]" * 900, b'{"meta":' + b"[" * 900 + b"]" * 900 + b"}", b"9" * 5_000, b"\x00"),
    *(b'{"id": 1, "name": "stolen"}', b'{"password_hash": 1}', b'{"level": 99}', b'{"owner_id": 1}', b'{"__data__": {}}', b'{"save": 1}'),
)
STATUSES = {200, 201, 204, 400, 404, 405, 409, 413, 415}


@pytest.fixture(scope="module", params=["sqlite", "postgresql", "mongodb"])
def api(request, tmp_path_factory):
    """One API for all tests, each of which leaves the rows as they were."""
    store = Store(request.param, tmp_path_factory.mktemp("security"))
    try:
        api = made(base_on(store.connect(), __name__))
        with api.http:  # one event loop for all requests, which halves what each costs
            yield api
    finally:
        store.remove()


def made(Base):
    """Users with what nobody may see, roles, groups by memberships, and a client of their API."""

    class Role(Base):
        name = peewee.CharField()

    class Membership(Base):
        rank = peewee.IntegerField(null=True)
        since = peewee.DateField(null=True)
        note = peewee.CharField(default="hunter2-link")

        class Meta:
            rest = {"excluded": ["note"], "read_only": ["note"]}

    class User(Base):
        name = peewee.CharField(max_length=200)
        age = peewee.IntegerField(null=True)
        born = peewee.DateField(null=True)
        seen = peewee.DateTimeField(null=True)
        score = peewee.DecimalField(max_digits=8, decimal_places=2, null=True)
        ratio = peewee.DoubleField(null=True)
        active = peewee.BooleanField(default=True)
        code = peewee.UUIDField(null=True)
        meta = peewee.JSONField(null=True)
        blob = peewee.BlobField(null=True)
        level = peewee.IntegerField(default=1)
        password = peewee.CharField(default="hunter2-password")
        token = peewee.CharField(default="hunter2-token", unique=False)

        class Meta:
            table_name = "users"
            rest = {"excluded": ["password", "token", "secrets"], "read_only": ["token", "level"], "create_only": ["password"]}

    class Group(Base):
        name = peewee.CharField()

    class Secret(Base):
        text = peewee.CharField()

    User.belongs_to(Role)
    Role.has_many(User)
    User.belongs_to_many(Group, through=Membership)
    Group.belongs_to_many(User, through=Membership)
    User.has_many(Secret)
    sync(Role, Membership, User, Group, Secret)
    role, other = Role.create(name="Admin"), Role.create(name="Other")
    ann, bob = User.create(name="Ann", role=role, age=30), User.create(name="Bob", role=role)
    group = Group.create(name="g")
    ann.add_group(group, {"rank": 1})
    ann.create_secret(text="hunter2-password")
    app = rest.create_app(Role, User, Group, where=True, limits=Limits(body=100_000))
    http = testclient.TestClient(app, raise_server_exceptions=False)
    models = (Role, Membership, User, Group, Secret)
    user = Served([User]).resources["user"]

    def rows():
        return [sorted(map(repr, model.select().order_by(*model._meta.get_primary_keys()).tuples())) for model in models]

    return SimpleNamespace(**locals())


def ask(api, method, path, **options):
    """The answer, which is none of a program that failed, and shows nothing that is excluded."""
    answer = api.http.request(method, path, **options)
    asked = f"{method} {path[:200]} {str(options)[:200]} → {answer.status_code} {answer.text[:300]}"
    assert answer.status_code in STATUSES, asked
    assert not any(secret in answer.text for secret in SECRETS), asked
    if answer.status_code >= 400:
        problem = answer.json()
        assert set(problem) == {"error", "message", "fields"} and problem["message"], asked
        assert "Traceback" not in answer.text and "SELECT" not in answer.text.replace("UNION SELECT", ""), asked
        assert len(answer.content) < 20_000, asked
    return answer


def segment(text):
    return quote(text, safe="")


def test_paths_are_keys_and_nothing_else(api):
    """A segment that is no key is 400 or 404; nothing is read or changed by it."""
    before = api.rows()
    for number, text in enumerate(each for each in TEXTS if each not in ("../../etc/passwd", "-0")):  # (another path; 0, which is nobody's)
        word = segment(text)
        paths = (
            ("GET", f"/user/{word}"),
            ("PUT", f"/user/{word}"),
            ("DELETE", f"/user/{word}"),
            ("GET", f"/user/{word}/group"),
            ("POST", f"/role/{word}/user"),
            ("PUT", f"/user/{api.ann.id}/group/{word}"),
            ("DELETE", f"/role/{api.role.id}/user/{word}"),
        )
        for method, path in (paths[number % 7], paths[(number + 3) % 7], paths[(number + 4) % 7]):
            answer = ask(api, method, path, json={"PUT": {}, "POST": [api.bob.id]}.get(method))
            assert answer.status_code in (400, 404), (method, path[:100])
    assert api.rows() == before


#: What finds records honestly: NULL where a field may be NULL, and texts that are this very value.
FOUND = {*((name, "null") for name in ("age", "born", "seen", "score", "ratio", "code")), ("active", "true"), ("$where", "{}")}
#: Parameters that leave documents in, whatever they say.
HARMLESS = ("$skip", "$limit", "$page", "$count", "$flatten", "$exclude", "$searchFields")


def test_parameters_are_values_and_nothing_else(api):
    """Whatever stands in a parameter is compared, looked for, or refused; no list is longer for it, and nothing is changed."""
    before, names = api.rows(), [*(each.name for each in PARAMETERS), *api.user.filterable]
    refused = 0
    for number, text in enumerate(TEXTS):
        for name in names:
            answer = asked(api, {name: text, **({"$term": "a"} if name == "$searchFields" else {})})
            refused += answer is None
            if answer is not None and name not in HARMLESS:
                assert answer["docs"] == [] or (name, text) in FOUND, (name, text)
        for operator in (">", "in", "like", "contains", text):
            answer = asked(api, {"$where": json.dumps({"name": {operator: text}})})
            # A text that is greater than every operator of LIKE is still a text.
            assert answer is None or operator == ">" or answer["docs"] == [] or (operator, text) == ("like", "%"), (operator, text)
        # The same through the app, each text in another place.
        name = names[number % len(names)]
        ask(api, "GET", f"/user?{urlencode({name: text})}")
        ask(api, "GET", f"/user/{api.ann.id}/group?{urlencode({'membership.rank': text, text: 1})}")
        ask(api, "GET", f"/user/{api.ann.id}/group?{urlencode({('membership.since', '$sort', 'membership.rank')[number % 3]: text})}")
        ask(api, "GET", f"/user/{api.ann.id}?{urlencode({('$embed', '$select', '$flatten', text)[number % 4]: text})}")
    assert refused > len(TEXTS) * 10  # or the texts would be of no consequence
    unknown = ("name[$ne]=x", "name[]=x", "$or=1", "$where[x]=1", "$embed[]=groups", "role.name=Admin", "groups=1", "name%5B%24regex%5D=.")
    for query in unknown:
        assert ask(api, "GET", f"/user?{query}").status_code == 400, query
    for query in ("name=%ED%A0%80", "%ED%A0%80=1", "$term=%FF%FE", "age=%FF", "&&&", "name", "name=a;b=c", "%", "name=%zz", "=" * 99):
        ask(api, "GET", f"/user?{query}")
        ask(api, "GET", f"/user/{query.rpartition('=')[2] or '%FF'}?{query}")
    assert api.rows() == before


def asked(api, query):
    """The list of users that the query means, None where it is refused; without the app around it, which costs most of the time."""
    try:
        return reading.list_of(api.user, parameters.read(api.user, list(query.items()), where=True))
    except Exception as error:
        told = problems.refusal(error)
        assert told is not None and told.status == 400, (query, error)
        assert not any(secret in str(told.body()) for secret in SECRETS), query
        return None


def test_bodies_are_values_and_nothing_else(api):
    """A value of another kind than the field's is 400, with the field named, or stored as what it is; names that are none are 400."""
    names = ["age", "born", "seen", "score", "ratio", "active", "code", "meta", "blob", "role", "password"]
    strange = ["id", "level", "token", "groups", "secrets", "$set", "_id", "__data__", "role_id"]
    before, made = api.rows(), 0
    for value in VALUES:
        wrong = send(api, "POST", "/user", {"name": value, **dict.fromkeys([*names, *strange], value)})
        assert wrong.status_code == 400 and set(strange) <= set(wrong.json()["fields"]) <= {*strange, *names, "name"}, value
        for name in names:
            if name not in wrong.json()["fields"]:  # it fits the field
                answer = send(api, "POST", "/user", {"name": "Eve", name: value})
                # (a JSON column of MongoDB has integers of 64 bits)
                assert answer.status_code == 201 or (answer.status_code, name) in {(404, "role"), (400, "meta")}, (name, value)
                made += answer.status_code == 201
        link = f"/user/{api.ann.id}/group/{api.group.id}"
        assert send(api, "PUT", link, {"note": value, "user": value, "group": value}).status_code == 400, value
        send(api, "PUT", link, {"rank": value})
        answer = send(api, "POST", f"/user/{api.bob.id}/group", [{"childId": value}, {"childId": api.group.id, "rank": value}])
        assert answer.status_code in (400, 404), value
        if value in (1, "1") or value is True:
            continue  # a key that somebody has
        for method, path in (("POST", f"/role/{api.other.id}/user"), ("DELETE", "/user"), ("DELETE", f"/user/{api.ann.id}/group")):
            assert send(api, method, path, [value]).status_code in (400, 404), (method, path, value)
    assert made > 20
    assert {(each.level, each.token) for each in api.User.select()} == {(1, "hunter2-token")}
    api.User.delete().where(api.User.name == "Eve").execute()
    api.bob.remove_group(api.group)
    api.ann.add_group(api.group, {"rank": 1})
    assert api.rows() == before


def send(api, method, path, body):
    """The answer to a body as Python's JSON writes it, halves of surrogate pairs and all."""
    return ask(api, method, path, content=json.dumps(body).encode(), headers={"content-type": "application/json"})


def test_bodies_that_are_no_json_are_refused(api):
    """400 for what is no JSON, could be read in two ways, or nests too deep; 413 for what is too long; nothing is written."""
    before = api.rows()
    for body in BODIES:
        for method, path in (
            ("POST", "/user"),
            ("PUT", f"/user/{api.bob.id}"),
            ("DELETE", "/user"),
            ("POST", f"/user/{api.bob.id}/group"),
            ("PUT", f"/role/{api.role.id}/user/10000"),
        ):
            answer = ask(api, method, path, content=body, headers={"content-type": "application/json"})
            assert answer.status_code in (400, 404, 413), (method, path, body[:60])
    huge = b'{"name": "' + b"x" * 10_000_000 + b'"}'
    for method, path in (("POST", "/user"), ("PUT", f"/user/{api.bob.id}"), ("DELETE", "/user"), ("POST", f"/user/{api.bob.id}/group")):
        assert ask(api, method, path, content=huge, headers={"content-type": "application/json"}).status_code == 413
        streamed = (huge[start : start + 65_536] for start in range(0, len(huge), 65_536))
        assert ask(api, method, path, content=streamed, headers={"content-type": "application/json"}).status_code == 413
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "application/json; charset=utf-7", "\x7f"):
        answer = ask(api, "POST", "/user", content=b"name=x", headers={"content-type": kind})
        assert answer.status_code in (400, 415), kind
    assert ask(api, "POST", "/user", json=[{"name": "x"}] * 1_001).status_code == 400
    assert ask(api, "DELETE", "/user", json=[10_000] * 1_001).status_code == 400
    assert api.rows() == before


def test_no_request_writes_what_is_read_only(api):
    """K7: mass assignment: read-only fields, create-only ones in PUT, keys of links, and fields of other records, by any name."""
    before = api.rows()
    for name in ("token", "level", "id", "role_id", "secrets", "groups", "_id", "Level", "LEVEL", "level ", "__dict__", "_dirty", "pk"):
        for method, path in (("POST", "/user"), ("PUT", f"/user/{api.bob.id}")):
            answer = ask(api, method, path, json={"name": "Eve", name: 7})
            assert answer.status_code == 400 and list(answer.json()["fields"]) == [name], (method, name)
    answer = ask(api, "PUT", f"/user/{api.bob.id}", json={"password": "mine"})
    assert answer.status_code == 400 and list(answer.json()["fields"]) == ["password"]
    for body in ({"note": "x"}, {"user": api.bob.id}, {"user_id": api.bob.id}, {"group": 2}):
        assert ask(api, "PUT", f"/user/{api.ann.id}/group/{api.group.id}", json=body).status_code == 400, body
        assert ask(api, "POST", f"/user/{api.ann.id}/group", json=[{"childId": api.group.id, **body}]).status_code == 400, body
    assert api.rows() == before


def test_what_is_excluded_cannot_be_told_from_what_never_was(api):
    """K7: by no parameter, error, order, count or schema; an excluded field answers as a name that nothing has."""

    def told(answer, name):
        # Names to take instead are the nearest of those that can be seen: they tell how the word is spelled, and nothing else.
        hints = re.findall(r"(?:Did you mean|Known are)[^\"]*", answer.text)
        assert not any(hidden in hint for hint in hints for hidden in ("password", "token", "secret", "note")), answer.text
        return re.sub(r"(Did you mean|Known are)[^\"]*", "", answer.text).replace(name, "…")

    def answers(name):
        found = []
        for query in (
            {name: "hunter2-password"},
            {"$select": name},
            {"$sort": name},
            {"$sort": f"-{name}"},
            {"$embed": name},
            {"$term": "hunter2", "$searchFields": name},
            {"$where": json.dumps({name: "hunter2-password"})},
            {"$where": json.dumps({"or": [{"not": {name: {"startsWith": "h"}}}]})},
            {f"role.{name}": "x"},
        ):
            path = ("/user", f"/role/{api.role.id}/user", f"/user/{api.ann.id}")[len(found) % 3]
            answer = ask(api, "GET", f"{path}?{urlencode(query)}")
            assert answer.status_code == 400, (path, query)
            found.append(told(answer, name))
        for query in (f"membership.{name}=x", f"$sort=membership.{name}", f"$embed=users.{name}"):
            found.append(told(ask(api, "GET", f"/group/{api.group.id}/user?{query}"), name))
        found.append(told(ask(api, "PUT", f"/user/{api.ann.id}/group/{api.group.id}", json={name: 1}), name))
        return found

    unknown = answers("qqqqqqqq")
    for name in ("password", "token", "secrets", "note"):
        assert answers(name) == unknown, name
    for text in ("hunter2", "hunter2-password", "password", "token"):
        assert ask(api, "GET", f"/user?$term={text}").json()["docs"] == []
    assert ask(api, "GET", "/user?$embed=groups,role").json()["docs"][0]["groups"][0]["rank"] == 1
    assert ask(api, "GET", f"/user/{api.ann.id}/secret").status_code == 404
    assert ask(api, "GET", f"/user/{api.ann.id}/group?$embed=users&$flatten=true").status_code == 200
    made = ask(api, "POST", "/user", json={"name": "Eve", "password": "hunter3"})
    assert made.status_code == 201 and "hunter3" not in made.text and "password" not in made.text
    assert ask(api, "DELETE", f"/user/{made.json()['id']}").status_code == 204


def test_the_openapi_tells_nothing_of_what_is_excluded(api):
    """K7: an excluded field stands in no answer and no parameter; only where it may be written is its name."""
    document = ask(api, "GET", "/openapi.json").json()
    schemas = document["components"]["schemas"]
    telling = [name for name, schema in schemas.items() if "password" in json.dumps(schema)]
    assert len(telling) == 1 and telling[0].endswith("Create")
    for word in ("token", "note", "secret", "hunter2"):
        assert word not in json.dumps(document).lower(), word
    assert "password" not in json.dumps(document["paths"])


def test_children_of_strangers_are_not_reached(api):
    """Ids of foreign owners give 404, or nothing: no list is written or read through an owner that it does not belong to."""
    before = api.rows()
    for owner in (10_000, 2**31, 2**62):
        for method, tail, body in (
            ("GET", "", None),
            ("POST", "", [api.bob.id]),
            ("DELETE", "", [api.bob.id]),
            ("PUT", f"/{api.bob.id}", None),
            ("DELETE", f"/{api.bob.id}", None),
        ):
            answer = ask(api, method, f"/role/{owner}/user{tail}", json=body)
            assert answer.status_code == 404 or (owner > 2**30 and answer.status_code == 400), (method, owner)
    assert ask(api, "DELETE", f"/role/{api.other.id}/user/{api.bob.id}").status_code == 204  # not of this role: it stays
    assert ask(api, "GET", f"/user/{api.bob.id}/group").json()["docs"] == []
    assert ask(api, "DELETE", f"/user/{api.bob.id}/group/{api.group.id}").status_code == 204
    assert api.rows() == before
