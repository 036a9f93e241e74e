"""The guide of rest-hapi on associations, item by item, in Python: the routes that it shows are there, and answer what it says."""

from __future__ import annotations

from typing import Any

import peewee
import pytest
from looking import cols
from peewee import CharField
from serving import NONE, Api, below

import activeassoc

pytestmark = pytest.mark.parametrize("store", ["sqlite", "mongodb"], indirect=True)

#: How rest-hapi's `exclude` and `allowOnUpdate: false` are said.
PASSWORD = {"excluded": ["password"], "create_only": ["password"]}


def user_model(Base: Any) -> Any:
    """The guide's user: an email that nobody else has, and a password that is written once and never seen."""

    class User(Base):
        email = CharField(unique=True)
        password = CharField()

        class Meta:
            rest = PASSWORD

    return User


def new_user(api: Api, name: str) -> Any:
    return api.created("/user", email=f"{name}@x", password="pw")


# One-to-one


@pytest.fixture
def dogs(Base: Any) -> Api:
    """The guide's user.dog and dog.owner: a key on both, each of its own."""

    class Dog(Base):
        name = CharField()
        breed = CharField(null=True)

    User = user_model(Base)
    User.belongs_to(Dog, unique=True)
    Dog.belongs_to(User, as_="owner", unique=True)
    return Api(User, Dog)


def test_a_one_to_one_has_routes_of_its_models_alone(dogs: Api) -> None:
    """R2: five of one, and none below it."""
    several, one = {(verb, "/user") for verb in ("GET", "POST", "DELETE")}, {(verb, "/user/{id}") for verb in ("GET", "PUT", "DELETE")}
    assert dogs.paths("/user") == several | one
    assert len(dogs.paths("/")) == 12


def test_a_key_is_given_as_an_id_and_embedded_as_the_record(dogs: Api) -> None:
    """R1, R2: an association is a reference to the other's id, and $embed returns the object; the other side knows nothing of it."""
    status, rex = dogs("POST", "/dog", {"name": "Rex"})
    assert (status, rex) == (201, {"id": rex["id"], "name": "Rex", "breed": None, "owner": None})
    status, ann = dogs("POST", "/user", {"email": "a@x", "password": "pw", "dog": rex["id"]})
    assert (status, ann) == (201, {"id": ann["id"], "email": "a@x", "dog": rex["id"]})
    assert dogs("GET", f"/user/{ann['id']}?$embed=dog") == (200, {**ann, "dog": rex})
    assert dogs("GET", f"/dog/{rex['id']}?$embed=owner") == (200, rex)  # nothing is synced
    assert dogs("PUT", f"/dog/{rex['id']}", {"owner": ann["id"]}) == (200, {**rex, "owner": ann["id"]})
    assert dogs("PUT", f"/user/{ann['id']}", {"dog": None}) == (200, {**ann, "dog": None})
    assert dogs("PUT", f"/user/{ann['id']}", {"dog": NONE})[0] == 404
    assert dogs("GET", f"/user/{ann['id']}") == (200, {**ann, "dog": None})


def test_one_dog_has_one_owner(dogs: Api) -> None:
    """R2: the second one is a conflict, with the field named."""
    rex = dogs.created("/dog", name="Rex")
    dogs.created("/user", email="a@x", password="pw", dog=rex)
    status, problem = dogs("POST", "/user", {"email": "b@x", "password": "pw", "dog": rex})
    assert (status, problem["fields"]) == (409, {"dog": "is there already, and has to be the only one"})


@pytest.mark.parametrize("written", ["by hand", "in the body"])
def test_the_key_may_be_written_by_hand(Base: Any, written: str) -> None:
    """R2: a ForeignKeyField, or a reference in the class's body."""

    class Dog(Base):
        name = CharField()

    class User(Base):
        dog = peewee.ForeignKeyField(Dog, null=True) if written == "by hand" else activeassoc.reference("Dog", unique=True)

    api = Api(User, Dog)
    rex = api.created("/dog", name="Rex")
    assert api("POST", "/user", {"dog": rex}) == (201, {"id": 1, "dog": rex})


def test_a_target_is_a_model(Base: Any) -> None:
    """R2: none is a TypeError, and what is no model an AssociationError."""
    User = user_model(Base)
    with pytest.raises(TypeError):
        User.belongs_to()
    with pytest.raises(activeassoc.AssociationError):
        User.belongs_to(int)


def test_the_statuses_of_records(dogs: Api) -> None:
    """R3: required, unique, excluded and not updatable fields; the normal CRUD with every status."""
    ann = new_user(dogs, "a")
    rex = dogs.created("/dog", name="Rex")
    assert dogs.status("POST", "/user", {"password": "pw"}) == 400
    assert dogs.status("POST", "/user", {"email": "b@x", "password": "p", "x": 1}) == 400
    assert dogs.status("POST", "/user", {"email": "a@x", "password": "p"}) == 409
    assert dogs.status("PUT", f"/user/{ann}", {"password": "new"}) == 400
    status, made = dogs("POST", "/dog", [{"name": "A"}, {"name": "B"}])
    assert (status, [each["name"] for each in made]) == (201, ["A", "B"])
    assert dogs.status("POST", "/dog", []) == dogs.status("POST", "/dog", [{"name": "C"}, {}]) == 400
    asked = (("GET", None), ("PUT", {"name": "z"}), ("DELETE", None))
    assert [dogs.status(verb, f"/dog/{NONE}", body) for verb, body in asked] == [404] * 3
    assert dogs.status("GET", "/dog/nonsense") == 400
    assert dogs.status("PUT", f"/dog/{rex}", {}) == 200
    assert dogs.status("DELETE", f"/dog/{rex}") == 204
    assert dogs.status("DELETE", "/dog", [rex]) == 404
    left = dogs.ids("/dog")
    assert len(left) == 2  # nothing was written by what was refused
    assert dogs("DELETE", "/dog", left) == (204, None)
    assert dogs.ids("/dog") == []


def test_the_list_of_a_model(dogs: Api) -> None:
    """R3: sorted, in pages, with the envelope; unknown parameters, embeds and excluded fields are 400."""
    dogs("POST", "/dog", [{"name": "Rex"}, {"name": "A"}, {"name": "B"}])
    status, found = dogs("GET", "/dog?$sort=-name&$limit=2&$page=1")
    assert (status, [dog["name"] for dog in found["docs"]]) == (200, ["Rex", "B"])
    assert found["pages"] == {"current": 1, "prev": 0, "hasPrev": False, "next": 2, "hasNext": True, "total": 2}
    assert found["items"] == {"limit": 2, "begin": 1, "end": 2, "total": 3}
    assert dogs("GET", "/dog?$count=true") == (200, 3)
    assert [dogs.status("GET", path) for path in ("/dog?nope=1", "/dog?$embed=nope", "/user?password=pw")] == [400] * 3


def test_associations_may_be_one_sided(Base: Any) -> None:
    """R4: each kind may be declared on one model alone; there all but ONE_ONE have to be on both."""

    class Dog(Base):
        name = CharField()

    class Role(Base):
        name = CharField()

    User = user_model(Base)
    User.belongs_to(Dog)
    Role.has_many(User, foreign_key="title_id")
    api = Api(User, Dog, Role)
    assert below("role", "user") <= api.paths("/role")
    assert not api.paths("/dog/{owner_id}")
    admin, ann = api.created("/role", name="Admin"), new_user(api, "a")
    assert api.status("PUT", f"/role/{admin}/user/{ann}") == 204
    assert api.ids(f"/role/{admin}/user") == [ann]


# One-to-many


@pytest.fixture
def roles(Base: Any) -> Api:
    """The guide's user.title and role.users, and the roles that there can be."""
    User = user_model(Base)

    class Role(Base):
        name = CharField(choices=[(name, name) for name in ("Account", "Admin", "SuperAdmin")])
        description = CharField(null=True)

    User.belongs_to(Role, as_="title")
    Role.has_many(User, foreign_key="title_id")
    api = Api(User, Role)
    assert "title_id" in cols(User)
    return api


@pytest.fixture
def staff(roles: Api) -> Any:
    """The API, the ids of two roles, and those of three users."""
    admin, account = (roles.created("/role", name=name) for name in ("Admin", "Account"))
    return roles, admin, account, *(new_user(roles, name) for name in "abc")


def test_a_one_to_many_has_five_routes(roles: Api) -> None:
    """R5: below the one; the many, which has the key, has none."""
    assert below("role", "user") <= roles.paths("/role")
    assert not roles.paths("/user/{owner_id}")


def test_an_enum_takes_its_words_alone(roles: Api) -> None:
    """R5"""
    assert roles.status("POST", "/role", {"name": "Boss"}) == 400
    assert roles.openapi()["components"]["schemas"]["RoleCreate"]["properties"]["name"]["enum"] == ["Account", "Admin", "SuperAdmin"]


def test_the_list_of_an_owner(staff: Any) -> None:
    """R6: in the envelope, with all that a list takes."""
    api, admin, _, ann, bob, cid = staff
    api("POST", f"/role/{admin}/user", [ann, bob, cid])
    status, found = api("GET", f"/role/{admin}/user?$embed=title&$limit=2")
    assert (status, set(found)) == (200, {"docs", "pages", "items"})
    assert [user["title"]["name"] for user in found["docs"]] == ["Admin", "Admin"]
    assert "password" not in found["docs"][0]
    assert found["items"]["total"] == 3
    assert api.ids(f"/role/{admin}/user?email=a@x") == [ann]


def test_several_are_added_or_removed_at_once(staff: Any) -> None:
    """R7, R8: a user has one role, so that adding moves it."""
    api, admin, account, ann, bob, cid = staff
    assert api("POST", f"/role/{admin}/user", [ann, bob, cid]) == (204, None)
    assert api.ids(f"/role/{admin}/user") == [ann, bob, cid]
    assert api.status("POST", f"/role/{account}/user", [cid]) == 204
    assert api.ids(f"/role/{admin}/user") == [ann, bob]
    assert api("DELETE", f"/role/{admin}/user", [ann, bob]) == (204, None)
    assert api.ids(f"/role/{admin}/user") == []
    assert api("GET", f"/user/{ann}")[1]["title"] is None


def test_one_is_added_or_removed(staff: Any) -> None:
    """R9, R10: twice is as once, and what is another one's stays there."""
    api, admin, account, ann, _, cid = staff
    path = f"/role/{admin}/user/{ann}"
    assert api("PUT", path) == api("PUT", path) == (204, None)
    assert api("GET", f"/user/{ann}")[1]["title"] == admin
    api("PUT", f"/role/{account}/user/{cid}")
    assert api.status("DELETE", f"/role/{admin}/user/{cid}") == 204
    assert api.ids(f"/role/{account}/user") == [cid]
    assert api("DELETE", path) == api("DELETE", path) == (204, None)
    assert api("GET", f"/user/{ann}")[1]["title"] is None


def test_a_missing_owner_is_404_on_all_five(staff: Any) -> None:
    """R6 to R10"""
    api, _, _, ann, _, _ = staff
    asked = (("GET", "", None), ("POST", "", [ann]), ("DELETE", "", [ann]), ("PUT", f"/{ann}", None), ("DELETE", f"/{ann}", None))
    assert [api.status(verb, f"/role/{NONE}/user{rest}", body) for verb, rest, body in asked] == [404] * 5


def test_a_list_of_children_is_all_or_nothing(staff: Any) -> None:
    """R7: of a missing one nothing is written; an empty list, a malformed id, and objects where links have no fields are 400."""
    api, admin, _, ann, _, _ = staff
    status, problem = api("POST", f"/role/{admin}/user", [ann, NONE])
    assert (status, problem["message"]) == (404, f"There is no user with the id {NONE}")
    assert api.ids(f"/role/{admin}/user") == []
    refused = (("POST", "", []), ("DELETE", "", []), ("PUT", "/x", None), ("POST", "", [{"childId": ann}]))
    assert [api.status(verb, f"/role/{admin}/user{rest}", body) for verb, rest, body in refused] == [400] * 4


def test_a_list_is_embedded_and_never_written_with_its_owner(staff: Any) -> None:
    """R1, R6: $embed shows it; it is no field of the role."""
    api, admin, _, ann, _, _ = staff
    api("PUT", f"/role/{admin}/user/{ann}")
    assert [user["id"] for user in api("GET", f"/role/{admin}?$embed=users")[1]["users"]] == [ann]
    assert "users" not in api("GET", f"/role/{admin}")[1]
    assert api.status("POST", "/role", {"name": "Admin", "users": [ann]}) == 400
