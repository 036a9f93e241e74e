"""``Source.targets.any(…)`` where no statement reaches both: in two databases, and in a store without joins."""

from __future__ import annotations

from typing import Any

import pytest
from peewee import CharField, IntegerField

from activeassoc import WrongArgument, sync
from activeassoc.testing import assert_queries

#: Where the source is, the target where that is another database, which of them has the links, and what any() over links costs.
PLACES = [
    ("sqlite", "", 0, 1),
    ("mongodb", "", 0, 3),
    ("redis", "", 0, 3),
    ("sqlite", "sqlite", 1, 2),
    ("postgresql", "mariadb", 0, 2),
    ("mariadb", "mongodb", 1, 3),
    ("mongodb", "postgresql", 1, 2),
    ("redis", "sqlite", 1, 2),
    ("sqlite", "redis", 0, 2),
]


class World:
    """Ann has the pets a and b and the groups red and blue, Bob has the pet c and the group blue, and Eve has nothing."""

    def __init__(self, near: Any, far: Any, dominant: int) -> None:
        def model(base: Any, called: str, /, **fields: Any) -> Any:
            return type(base)(called, (base,), {**fields, "__module__": __name__, "__qualname__": called})

        self.User = User = model(near, "User", name=CharField(null=True))
        self.Pet = Pet = model(far, "Pet", name=CharField(null=True), age=IntegerField(null=True))
        self.Group = Group = model(far, "Group", name=CharField(null=True), size=IntegerField(null=True))
        User.has_many(Pet)
        User.has_many(Pet, as_="puppies", where={"age": 1})
        User.has_one(Pet, as_="first_pet")
        Pet.belongs_to(User)
        said: list[dict[str, Any]] = [{}, {}]
        said[dominant] = {"dominant": True} if near is not far else {}
        User.belongs_to_many(Group, **said[0])
        Group.belongs_to_many(User, **said[1])
        User.belongs_to_many(User, as_="friends", through="friendships", symmetric=True)
        sync(near, far)
        self.ann, self.bob, self.eve = (User.create(name=name) for name in ("Ann", "Bob", "Eve"))
        self.ann.create_pets([{"name": "a", "age": 1}, {"name": "b", "age": 2}])
        self.bob.create_pet(name="c", age=3)
        Pet.create(name="stray")
        red, blue = Group.create(name="red", size=1), Group.create(name="blue", size=2)
        self.ann.set_groups([red, blue])
        self.bob.add_group(blue)
        Group.create(name="empty")
        self.eve.add_friend(self.ann)


@pytest.fixture(params=PLACES, ids=lambda place: "-".join(map(str, place)))
def world(request: pytest.FixtureRequest, on: Any) -> World:
    near, far, dominant, _ = request.param
    base = on(near)
    return World(base, on(far) if far else base, dominant)


def names(model: Any, *where: Any) -> list[str]:
    return [record.name for record in model.select().where(*where).order_by(model.name)]


def test_any_of_every_kind(world: World) -> None:
    """H1, C14: the same owners as in one database, also where the condition is turned round."""
    User, Pet, Group = world.User, world.Pet, world.Group
    assert names(User, User.pets.any()) == ["Ann", "Bob"] and names(User, ~User.pets.any()) == ["Eve"]
    assert names(User, User.pets.any(Pet.age > 2)) == ["Bob"] and names(User, User.pets.any({"name": ["a", "c"]})) == ["Ann", "Bob"]
    assert names(User, User.puppies.any()) == ["Ann"] and names(User, User.puppies.any(Pet.name == "b")) == []
    assert names(User, User.first_pet.any(Pet.name == "c")) == ["Bob"] and names(User, ~User.first_pet.any()) == ["Eve"]
    owner = Pet.associations["user"]
    assert names(Pet, owner.any(User.name == "Ann")) == ["a", "b"] and names(Pet, ~owner.any(User.name == "Ann")) == ["c", "stray"]
    assert names(User, User.groups.any()) == ["Ann", "Bob"] and names(User, User.groups.any(Group.size == 1)) == ["Ann"]
    assert names(User, ~User.groups.any({"name": "red"})) == ["Bob", "Eve"] and names(User, User.groups.any(Group.size > 9)) == []
    assert names(Group, Group.users.any()) == ["blue", "red"] and names(Group, Group.users.any(User.name == "Bob")) == ["blue"]
    assert names(User, User.friends.any()) == ["Ann", "Eve"] and names(User, User.friends.any(User.name == "Eve")) == ["Ann"]
    assert names(User, User.pets.any(Pet.age == 1) & (User.name == "Ann") | User.friends.any(User.name == "Ann")) == ["Ann", "Eve"]
    assert names(Pet, Pet.user.any(User.groups.any(Group.size == 1))) == ["a", "b"]
    assert User.update(name="Zoe").where(User.pets.any(Pet.age == 3)).execute() == 1 and world.bob.reload().name == "Zoe"


def test_what_any_costs(world: World, request: pytest.FixtureRequest) -> None:
    """C14, H3: a statement more than where one can do it; two where the links share an SQL database with neither end."""
    cost = request.node.callspec.params["world"][3]
    with assert_queries(min(cost, 2)):
        names(world.User, world.User.pets.any(world.Pet.age > 2))
    with assert_queries(cost):
        names(world.User, world.User.groups.any(world.Group.size == 1))


def test_links_whose_target_is_gone(on: Any) -> None:
    """H1, C14: a link that leads nowhere makes nobody one that has a target."""
    near, far = on("sqlite"), on("mongodb")
    world = World(near, far, 0)
    world.Group.delete().where(world.Group.name == "blue").execute()
    world.User.delete().where(world.User.name == "Bob").execute()
    assert names(world.User, world.User.groups.any()) == ["Ann"] and names(world.Pet, world.Pet.user.any()) == ["a", "b"]


def test_keys_in_another_form(on: Any) -> None:
    """H4, C14: a text that spells a key is that key."""
    near, far = on("sqlite"), on("mongodb")
    User = type(near)("User", (near,), {"name": CharField(null=True), "__module__": __name__})
    Pet = type(far)("Pet", (far,), {"user_id": CharField(null=True), "__module__": __name__})
    User.has_many(Pet, foreign_key="user_id")
    sync(near, far)
    User.create(id=7, name="Ann")
    Pet.create(user_id="7")
    assert names(User, User.pets.any()) == ["Ann"]


def test_columns_that_the_statement_does_not_reach(on: Any) -> None:
    """C14, M1: columns of the source in the condition are refused, not answered wrongly."""
    world = World(on("sqlite"), on("sqlite"), 0)
    with pytest.raises(WrongArgument) as caught:
        world.User.pets.any(world.Pet.name == world.User.name)
    assert str(caught.value) == (
        "User.any(): the condition names columns of User, and is asked of Pet alone, by a statement of its own. "
        "Name columns of Pet in it, and put what concerns others beside it by &."
    )
