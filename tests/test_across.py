"""Associations whose records, links and targets live in different stores: everything works as in one."""

from __future__ import annotations

from typing import Any

import pytest
from peewee import CharField, IntegerField, UUIDField

from activeassoc import DeclarationError, DominanceWarning, RecordNotFound, sync
from activeassoc.testing import assert_queries

KINDS = ("sqlite", "postgresql", "mariadb", "mongodb", "redis")
#: Where users, links and groups live: every store on each place, and both in one store without joins.
PLACES = [
    ("sqlite", "sqlite", 0),
    ("sqlite", "sqlite", 1),
    ("postgresql", "mariadb", 0),
    ("mariadb", "postgresql", 0),
    ("postgresql", "mongodb", 0),
    ("postgresql", "mongodb", 1),
    ("mongodb", "sqlite", 0),
    ("redis", "mariadb", 0),
    ("sqlite", "redis", 1),
    ("mongodb", "redis", 0),
    ("redis", "mongodb", 0),
    ("mongodb", "", 0),
    ("redis", "", 0),
]


class World:
    """A user has many pets, one badge and many groups; each of these knows its users."""

    def __init__(self, near: Any, far: Any, dominant: int) -> None:
        def model(base: Any, called: str, /, **fields: Any) -> Any:
            return type(base)(called, (base,), {**fields, "__module__": __name__, "__qualname__": called})

        self.User = model(near, "User", name=CharField(null=True))
        self.Pet = model(far, "Pet", name=CharField(null=True), age=IntegerField(null=True))
        self.Badge = model(far, "Badge", name=CharField(null=True))
        self.Group = model(far, "Group", name=CharField(null=True), size=IntegerField(null=True))
        said: list[dict[str, Any]] = [{}, {}]
        if near is not far:
            said[dominant] = {"dominant": True}
        self.User.has_many(self.Pet)
        self.Pet.belongs_to(self.User)
        self.User.has_one(self.Badge)
        self.Badge.belongs_to(self.User)
        self.User.belongs_to_many(self.Group, **said[0])
        self.Group.belongs_to_many(self.User, **said[1])
        self.Link = self.User.groups.through
        sync(near, far)
        self.ann, self.bob = (self.User.create(name=name) for name in ("Ann", "Bob"))
        sizes = (("red", 3), ("blue", 2), ("green", 3))
        self.red, self.blue, self.green = (self.Group.create(name=name, size=size) for name, size in sizes)


@pytest.fixture(params=PLACES, ids=lambda place: "-".join(map(str, place)))
def world(request: pytest.FixtureRequest, on: Any) -> World:
    near, far, dominant = request.param
    base = on(near)
    return World(base, on(far) if far else base, dominant)


def names(records: Any) -> list[str]:
    return [record.name for record in records]


def test_the_links_are_with_the_dominant_side(world: World, request: pytest.FixtureRequest) -> None:
    """H2: and nowhere else."""
    dominant = (world.User, world.Group)[request.node.callspec.params["world"][2]]
    assert world.Link._meta.database is dominant._meta.database
    for model in (world.User, world.Group):
        tables = model._meta.database.get_tables()
        assert (world.Link._meta.table_name in tables) == (model._meta.database is dominant._meta.database)


def test_belongs_to(world: World) -> None:
    """H1, C4: getting, setting, clearing, creating; a missing target raises and nothing changes."""
    rex = world.Pet.create(name="Rex")
    assert rex.set_user(world.ann) == world.ann and rex.user_id == world.ann.id
    assert world.Pet.get_by_id(rex.id).user == world.ann == rex.get_user()
    with pytest.raises(RecordNotFound):
        rex.set_user(999)
    assert world.Pet.get_by_id(rex.id).user_id == world.ann.id
    assert rex.set_user(None) is None and world.Pet.get_by_id(rex.id).user_id is None
    cid = rex.create_user(name="Cid")
    assert rex.get_user() == cid and world.User.get_by_id(cid.id).name == "Cid"
    dee = world.User(name="Dee")
    assert rex.set_user(dee) is dee and rex.get_user().name == "Dee"


def test_has_one(world: World) -> None:
    """H1, C5: the previous record is let go."""
    first = world.ann.create_badge(name="first")
    assert world.ann.get_badge() == first and first.get_user() == world.ann
    second = world.Badge.create(name="second")
    assert world.ann.set_badge(second) == second and world.ann.get_badge() == second
    assert world.Badge.get_by_id(first.id).user_id is None
    third = world.Badge(name="third")
    world.ann.set_badge(third)
    assert world.ann.get_badge().name == "third" and world.ann.reload().badge == third
    world.ann.set_badge(None)
    assert world.ann.get_badge() is None


def test_has_many(world: World) -> None:
    """H1, C6, C7, C10: all the methods of a to-many."""
    ann, bob, Pet = world.ann, world.bob, world.Pet
    rex, tom, kit = (Pet.create(name=name, age=age) for name, age in (("rex", 3), ("tom", 1), ("kit", 2)))
    assert ann.add_pets([rex, tom.id]) == 2 and ann.add_pet(rex) == 0
    assert ann.get_pets() == [rex, tom] and ann.count_pets() == 2 and ann.count_pets(where={"age": {">": 2}}) == 1
    assert ann.has_pet(rex) and not ann.has_pet(kit) and ann.has_pets([tom, rex]) and not ann.has_pets([rex])
    assert ann.has_pets([rex], exact=False) and not ann.has_pets([rex, kit], exact=False) and not bob.has_pet(rex)
    assert bob.add_pet(tom) == 1 and ann.get_pets() == [rex]
    assert ann.set_pets([tom, Pet(name="new")])[0] == tom and names(ann.get_pets(order="-name")) == ["tom", "new"]
    assert Pet.get_by_id(rex.id).user_id is None and bob.count_pets() == 0
    assert ann.remove_pets([tom, rex]) == 1 and names(ann.get_pets()) == ["new"]
    assert names(ann.create_pets([{"name": "a"}, {"name": "b"}])) == ["a", "b"] and ann.count_pets() == 3
    assert names(ann.get_pets(order="-name", limit=1, offset=1)) == ["b"] and names(ann.get_pets(where=Pet.name == "a")) == ["a"]
    with pytest.raises(RecordNotFound):
        ann.add_pets([rex.id, 999])
    assert Pet.get_by_id(rex.id).user_id is None
    assert world.User.pets.reach([ann, bob]) == {ann: ann.get_pets(), bob: []}


def test_many_to_many(world: World) -> None:
    """H1, C8, C10: all the methods of a to-many, from both sides."""
    ann, bob, red, blue, green = world.ann, world.bob, world.red, world.blue, world.green
    assert ann.add_groups([red, blue.id]) == 2 and ann.add_group(red) == 0 and bob.add_group(red) == 1
    assert ann.get_groups() == [red, blue] and red.get_users() == [ann, bob] and ann.count_groups() == 2
    assert ann.count_groups(where={"size": 3}) == 1 and ann.get_groups(where={"size": 3}) == [red]
    assert ann.has_group(red) and not ann.has_group(green) and ann.has_groups([blue, red]) and not ann.has_groups([red])
    assert ann.has_groups([red], exact=False) and not bob.has_group(blue) and red.has_users([ann, bob])
    assert ann.set_groups([green, blue, world.Group(name="new")])[:2] == [green, blue]
    assert names(ann.get_groups(order="-name")) == ["new", "green", "blue"] and red.get_users() == [bob]
    assert names(ann.get_groups(order="name", limit=1, offset=1)) == ["green"]
    assert ann.remove_groups([blue, red]) == 1 and names(ann.get_groups()) == ["green", "new"]
    made = ann.create_group(name="made")
    assert made.get_users() == [ann] and ann.create_groups([{"name": "x"}, {"name": "y"}]) and ann.count_groups() == 5
    with pytest.raises(RecordNotFound):
        bob.add_groups([blue, 999])
    assert bob.get_groups() == [red] == world.User.groups.reach([ann, bob])[bob]
    ann.set_groups(None)
    assert ann.get_groups() == [] and world.User.groups.query(bob).count() == 1


def test_collections_queue(world: World) -> None:
    """H1, F7: add and remove are carried out by save."""
    ann, red, blue = world.ann, world.red, world.blue
    ann.groups.add([red, {"name": "new"}])
    ann.pets.add({"name": "Rex"})
    ann.save()
    assert names(ann.get_groups()) == ["red", "new"] and names(ann.get_pets()) == ["Rex"] and not ann.groups.pending
    ann.groups.remove(red)
    ann.groups.add(blue)
    ann.save()
    assert sorted(names(ann.groups)) == ["blue", "new"]
    cid = world.User.create(name="Cid", groups=[red], pets=[{"name": "Tom"}])
    assert cid.get_groups() == [red] and names(cid.get_pets()) == ["Tom"]
    assert world.User.add_to_collection([ann, cid], "groups", [blue, red]) == 2
    assert world.Group.remove_from_collection(red, "users", [ann, cid]) == 2 and cid.get_groups() == [blue]
    world.User.replace_collection(cid, "groups", [red])
    assert cid.get_groups() == [red]


def test_populate(world: World) -> None:
    """H1, H3, G4: lists by owner, ordered, limited and filtered; numbers; nested; from both sides."""
    ann, bob, red, blue, green = world.ann, world.bob, world.red, world.blue, world.green
    ann.set_groups([red, blue, green])
    bob.add_group(green)
    ann.create_pets([{"name": "b", "age": 1}, {"name": "a", "age": 2}, {"name": "c", "age": 3}])
    ann.create_badge(name="gold")
    users = list(world.User.select().order_by(world.User.name).populate("groups", "pets", "badge"))
    assert [names(user.groups) for user in users] == [["red", "blue", "green"], ["green"]]
    assert [names(user.pets) for user in users] == [["b", "a", "c"], []]
    assert users[0].badge.name == "gold" and users[1].badge is None
    users = list(
        world.User.select()
        .order_by(world.User.name)
        .populate("groups", order="-name", limit=2, where={"size": 3})
        .populate("pets", order="name", limit=1, offset=1)
    )
    assert [names(user.groups) for user in users] == [["red", "green"], ["green"]] and names(users[0].pets) == ["b"]
    users = list(world.User.select().order_by(world.User.name).populate("groups", "pets", count=True))
    assert [(user.groups_count, user.pets_count) for user in users] == [(3, 3), (1, 0)]
    groups = list(world.Group.select().order_by(world.Group.name).populate("users.pets"))
    assert [names(group.users) for group in groups] == [["Ann"], ["Ann", "Bob"], ["Ann"]]
    assert names(groups[0].users[0].pets) == ["b", "a", "c"]
    assert world.Pet.select().populate("user")[0].user == ann


def test_a_target_that_is_gone(world: World) -> None:
    """G3, H1: a key that dangles is no record and no member of a list; it can be unlinked."""
    world.ann.add_groups([world.red, world.blue])
    world.Group.delete().where(world.Group.id == world.red.id).execute()
    if world.Link.select().count() == 1:  # where links and groups share a database, its constraint took the link away
        return
    assert world.ann.get_groups() == [world.blue] and world.ann.count_groups() == 1 and not world.ann.has_group(world.red.id)
    assert world.ann.has_groups([world.blue]) and world.User.select().populate("groups", count=True)[0].groups_count == 1
    world.ann.set_groups([world.blue])
    assert world.Link.select().count() == 1


@pytest.mark.parametrize("key", [7, "7"])
def test_forms_of_a_key(world: World, key: Any) -> None:
    """H4: keys are compared as the target's type."""
    group = world.Group.create(id=7, name="seven")
    assert world.ann.add_group(key) == 1 and world.ann.has_group("7") and world.ann.get_groups() == [group]
    user = world.User(id=str(world.ann.id))
    user.__dict__["_stored"] = True
    assert user.get_groups() == [group]


def test_neither_side_dominant(on: Any) -> None:
    """H2: a warning, and the model whose name comes first."""
    near, far = on("sqlite"), on("sqlite")
    User = type(near)("User", (near,), {"__module__": __name__})
    Group = type(far)("Group", (far,), {"__module__": __name__})
    User.belongs_to_many(Group)
    with pytest.warns(DominanceWarning) as caught:
        Group.belongs_to_many(User)
    assert [str(each.message) for each in caught] == [
        "Group.belongs_to_many(User): Group.users and User.groups are one many-to-many between two databases, and neither is dominant: the "
        "links are kept in the database of Group, whose name comes first. Write dominant=True at the one whose database is to have them."
    ]
    assert User.groups.through is Group.users.through and User.groups.through._meta.database is Group._meta.database
    with assert_queries(0):
        assert caught[0].message.model is Group


@pytest.mark.parametrize("first", [True, False])
def test_dominance_said_by_the_second_call(on: Any, first: bool) -> None:
    """H2, A7: whichever call says it, and in whichever order they come, the links are with that side, and nothing is warned of."""
    near, far = on("sqlite"), on("sqlite")
    User = type(near)("User", (near,), {"__module__": __name__})
    Group = type(far)("Group", (far,), {"__module__": __name__})
    calls = [(User, Group, {}), (Group, User, {"dominant": True})]
    for source, target, said in calls if first else reversed(calls):
        source.belongs_to_many(target, **said)
    assert User.groups.through is Group.users.through and User.groups.through._meta.database is far._meta.database
    sync(near, far)
    assert User.create().create_group().get_users() and near._meta.database.get_tables() == ["user"]


def test_two_has_many_between_two_databases(on: Any) -> None:
    """A7, H2: they are one many-to-many, here too, with the warning."""
    near, far = on("sqlite"), on("sqlite")
    User = type(near)("User", (near,), {"__module__": __name__})
    Group = type(far)("Group", (far,), {"__module__": __name__})
    User.has_many(Group)
    with pytest.warns(DominanceWarning, match="User.groups and Group.users|Group.users and User.groups"):
        Group.has_many(User)
    assert User.groups.through._meta.database is far._meta.database
    sync(near, far)
    user = User.create()
    assert user.create_group().get_users() == [user] and "groups_users" in far._meta.database.get_tables()


def test_a_warning_that_is_an_error_changes_nothing(on: Any) -> None:
    """A16, H2: with warnings as errors the declaration is refused, and can be mended."""
    near, far = on("sqlite"), on("sqlite")
    User = type(near)("User", (near,), {"__module__": __name__})
    Group = type(far)("Group", (far,), {"__module__": __name__})
    User.belongs_to_many(Group)
    with pytest.raises(DominanceWarning):
        Group.belongs_to_many(User)
    assert not Group.associations and User.groups.through._meta.database is near._meta.database
    Group.belongs_to_many(User, dominant=True)
    assert User.groups.through._meta.database is far._meta.database


def test_keys_that_can_never_match(on: Any) -> None:
    """H4: an error at declaration; texts that spell the keys can."""
    near, far = on("sqlite"), on("sqlite")
    User = type(near)("User", (near,), {"__module__": __name__})
    Pet = type(far)("Pet", (far,), {"owner_id": UUIDField(null=True), "user_id": CharField(null=True), "__module__": __name__})
    with pytest.raises(DeclarationError) as caught:
        User.has_many(Pet, foreign_key="owner_id")
    assert str(caught.value) == (
        "User.has_many(Pet, foreign_key='owner_id'): Pet.owner_id is of type UUIDField and can hold no key of User, whose id is of type "
        "AutoField. Give the column the type of the key, or another foreign_key."
    )
    User.has_many(Pet, foreign_key="user_id")
    sync(near, far)
    user, pet = User.create(id=7), Pet.create(user_id="7")
    assert user.get_pets() == [pet] and list(User.select().populate("pets"))[0].pets == [pet] and user.has_pet(pet)


def test_keys_of_sixty_four_bits(on: Any) -> None:
    """H4: a key from a store whose automatic keys have 64 bits has room for them."""
    near, far = on("sqlite"), on("postgresql")
    User = type(near)("User", (near,), {"__module__": __name__})
    Pet = type(far)("Pet", (far,), {"__module__": __name__})
    User.has_many(Pet)
    sync(near, far)
    user = User.create(id=2**40)
    assert user.create_pet().user_id == 2**40 and user.count_pets() == 1


def test_an_owner_that_is_gone(world: World) -> None:
    """C2, H6: it is told before a record is made that nobody would have."""
    world.User.delete().where(world.User.id == world.ann.id).execute()
    before = world.Group.select().count()
    new = world.Group(name="x")
    for write in (lambda: world.ann.create_group(name="x"), lambda: world.ann.add_group(new), lambda: world.ann.add_pet(1)):
        with pytest.raises(RecordNotFound):
            write()
    assert world.Group.select().count() == before
    kit, users = world.Pet.create(name="kit"), world.User.select().count()
    world.Pet.delete().where(world.Pet.id == kit.id).execute()
    for write, asked in ((lambda: kit.create_user(name="x"), "create"), (lambda: kit.set_user(world.User(name="x")), "set")):
        with pytest.raises(RecordNotFound) as caught:
            write()
        assert str(caught.value).startswith(f"Pet.{asked}_user(): Pet has no row with the primary key {kit.id}.")
    assert world.User.select().count() == users
