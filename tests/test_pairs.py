"""The same story on every pair of stores: what is declared once works wherever the two ends live, and costs what it should.

Map: `Gallery` is the story's five models; `test_the_whole_story` runs on all twenty-five pairs; below it links in each of three places,
the forms of keys, and rows that are missing. The details of each method stand in `test_across`, those of populate in
`test_across_populate`.
"""

from __future__ import annotations

import warnings
from typing import Any

import pytest
from peewee import CharField, IntegerField

from activeassoc import DominanceWarning, LinksNotSaved, ObjectIdField, RecordNotFound, populate, sync
from activeassoc.stores.capabilities import store_of
from activeassoc.testing import assert_queries

KINDS = ("sqlite", "postgresql", "mariadb", "mongodb", "redis")


def model(base: Any, called: str, /, **fields: Any) -> Any:
    return type(base)(called, (base,), {"name": CharField(null=True), **fields, "__module__": __name__, "__qualname__": called})


def names(records: Any) -> str:
    """The names in their order, each a letter."""
    return "".join(record.name for record in records)


class Gallery:
    """A user has many photos and one profile on the other store; photos have tags, on the user's store, by links with attributes.

    The links stand on the base `middle`, which may be either, or a third.
    """

    def __init__(self, near: Any, far: Any, middle: Any) -> None:
        self.User, self.Tag = model(near, "User"), model(near, "Tag", weight=IntegerField(null=True))
        self.Photo, self.Profile = model(far, "Photo", size=IntegerField(null=True)), model(far, "Profile")
        self.Tagging = model(middle, "Tagging", place=IntegerField(null=True), said=CharField(default="no"))
        self.User.has_many(self.Photo)
        self.Photo.belongs_to(self.User)
        self.User.has_one(self.Profile)
        self.Profile.belongs_to(self.User)
        self.Photo.has_many(self.Tag, through=self.Tagging)
        self.Tag.has_many(self.Photo, through=self.Tagging)
        sync(near, far, middle)
        joins = store_of(middle._meta.database).joins
        #: What the hop over the links costs: they are read together with either end where both are in one SQL database; with the
        #: photos where these are read by the same query, and not in hand already.
        self.from_tags = 1 if joins and middle in (near, far) else 2
        self.from_photos_in_hand = 1 if joins and near is middle else 2


@pytest.mark.every_pair
def test_the_whole_story(pair: Any, request: pytest.FixtureRequest) -> None:
    """H1, H3: create, read, change, queue, count and populate, two hops and back, on every pair, the links on either side."""
    # Of a pair and its reverse both have the links in the same place, so that every store has links for every other.
    side = sum(KINDS.index(kind) for kind in request.node.callspec.params["pair"]) % 2
    g = Gallery(*pair, pair[side])
    User, Photo, Tag, Tagging = g.User, g.Photo, g.Tag, g.Tagging
    ann, bob = User.create(name="A"), User.create(name="B")
    profile = ann.create_profile(name="P")
    assert profile.get_user() == ann and ann.get_profile() == profile and bob.get_profile() is None
    assert bob.set_profile(profile) == profile and ann.reload().profile is None and profile.reload().user == bob

    x, y, z = ann.create_photos([{"name": name, "size": size} for name, size in (("x", 1), ("y", 2), ("z", 3))])
    r, s, t = (Tag.create(name=name, weight=weight) for weight, name in enumerate("rst"))
    assert x.add_tags({r: {"place": 2, "said": "yes"}, s: {"place": 1}}) == 2 and t.set_photos([x, y]) == [x, y]
    assert names(x.get_tags()) == "rst" and [tag.tagging.said for tag in x.tags] == ["yes", "no", "no"]
    assert x.has_tag(r) and not y.has_tag(r.id) and x.has_tags([t, s, r]) and not x.has_tags([r], exact=True)
    assert x.add_tag(r, {"said": "ja"}) == 0 and Tagging.select().where(Tagging.said == "ja").count() == 1
    assert names(x.get_tags(through_where={"said": "no"}, order="-name")) == "ts" and x.count_tags(where={"weight": {">": 0}}) == 2
    assert x.remove_tags([t, 99]) == 1 and names(y.set_tags([t, r])) == "tr" and names(r.get_photos()) == "xy"

    ann.photos.add({"name": "w"})
    ann.photos.remove(z)
    bob.photos.add([z])
    ann.save()
    bob.save()
    assert names(ann.get_photos(order="-name")) == "yxw" and names(ann.get_photos(order="name", limit=1, offset=1)) == "x"
    assert names(bob.photos) == "z" and Photo.get_by_id(z.id).user == bob and ann.count_photos(where={"size": {">=": 2}}) == 1

    with assert_queries(2 + g.from_photos_in_hand):
        users = list(User.select().order_by(User.name).populate("photos.tags"))
    assert [[names(photo.tags) for photo in user.photos] for user in users] == [["rs", "rt", ""], [""]]
    assert users[0].photos[0].tags[0].tagging.said == "ja"
    with assert_queries(2 + g.from_tags):
        tags = list(Tag.select().where(Tag.weight != 1).order_by(-Tag.id).populate("photos.user", attributes=["name"]))
    assert [[names([photo.user]) for photo in tag.photos] for tag in tags] == [["A"], ["A", "A"]]
    with assert_queries(1 + g.from_photos_in_hand):
        found = populate([x, y], "tags", where={"weight": {"<": 2}}, limit=1, order="-weight") and populate([ann, bob], "profile")
    assert names(x.tags) == "s" and names(y.tags) == "r" and found[1].profile == profile and found[0].profile is None
    assert [user.photos_count for user in User.select().order_by(User.name).populate("photos", count=True)] == [3, 1]

    z.delete_instance()
    assert bob.get_photos() == [] and ann.set_photos([]) == [] and Photo.select().where(Photo.user.is_null()).count() == 3
    ann.delete_instance()
    assert User.get().name == "B"
    with pytest.raises(RecordNotFound):
        x.set_user(ann.id)


PLACES = [
    ("sqlite", "sqlite", "sqlite"),
    ("postgresql", "mongodb", "redis"),
    ("mongodb", "redis", "sqlite"),
    ("redis", "mariadb", "mongodb"),
    ("redis", "redis", "postgresql"),
    ("mariadb", "postgresql", "redis"),
    ("mongodb", "mongodb", "mongodb"),
]


def third(on: Any, kinds: tuple[str, str, str]) -> Gallery:
    """The models in three databases."""
    return Gallery(*(on(kind) for kind in kinds))


@pytest.mark.parametrize("kinds", PLACES, ids="-".join)
def test_links_in_a_third_database(on: Any, kinds: tuple[str, str, str]) -> None:
    """H2, H3: three databases, of which each is asked for its own; what is written of one is not written of the others."""
    g = third(on, kinds)
    x, y = g.Photo.create(name="x", size=1), g.Photo.create(name="y", size=2)
    r, s = g.Tag.create(name="r"), g.Tag.create(name="s")
    near, far, middle = (each._meta.database for each in (g.Tag, g.Photo, g.Tagging))
    with assert_queries(0, far), assert_queries(0, near):
        assert g.Tagging.select().count() == 0
    assert x.add_tags({r: {"place": 2}, s: {"place": 1, "said": "yes"}}) == 2 and s.add_photo(y) == 1
    with assert_queries(1, near), assert_queries(1, far), assert_queries(1, middle):
        photos = list(g.Photo.select().order_by(g.Photo.name).populate("tags", order=[g.Tagging.place]))
    assert [names(photo.tags) for photo in photos] == ["sr", "s"] and photos[0].tags[0].tagging.said == "yes"
    with assert_queries(1, near), assert_queries(1, far), assert_queries(1, middle):
        tags = list(g.Tag.select().order_by(g.Tag.name).populate("photos", where={"size": 1}, limit=1))
    assert [names(tag.photos) for tag in tags] == ["x", "x"]
    assert x.remove_tag(r) == 1 and x.set_tags([r, s]) == [r, s] and s.count_photos() == 2 and x.has_tags([s, r])
    made = y.create_tag(name="q", through={"said": "new"})
    assert made.get_photos() == [y] and [tag.tagging.said for tag in y.get_tags(order="name")] == ["new", "no"]
    with pytest.raises(RecordNotFound):
        y.add_tags([r.id, 999])
    assert g.Tagging.select().count() == 4
    photos = list(g.Photo.select().order_by(g.Photo.name).populate("tags", count=True))
    assert [photo.tags_count for photo in photos] == [2, 2]


@pytest.mark.parametrize("kinds", PLACES[1:4] + [("sqlite", "mongodb", "sqlite")], ids="-".join)
def test_rows_that_are_gone(on: Any, kinds: tuple[str, str, str]) -> None:
    """G3, H1, H3: a key of no row is no record and no member of a list; NULL and repeated keys are not asked for."""
    g = third(on, kinds)
    ann, bob = g.User.create(name="A"), g.User.create(name="B")
    x, y, z = (g.Photo.create(name=name, user=owner) for name, owner in (("x", ann), ("y", bob), ("z", bob)))
    nobodys = g.Photo.create(name="n")
    r, s = g.Tag.create(name="r"), g.Tag.create(name="s")
    x.add_tags([r, s])
    g.User.delete().where(g.User.id == bob.id).execute()
    g.Tag.delete().where(g.Tag.id == r.id).execute()
    with assert_queries(2) as events:
        photos = list(g.Photo.select().order_by(g.Photo.name).populate("user"))
    assert [photo.user for photo in photos] == [None, ann, None, None] and str(events[-1].params).count(repr(bob.id)) == 1
    assert y.reload().user_id == bob.id and y.get_user() is None and nobodys.get_user() is None
    assert x.get_tags() == [s] and x.count_tags() == 1 and not x.has_tag(r.id) and x.has_tags([s])
    photos = list(g.Photo.select().order_by(g.Photo.name).populate("tags"))
    assert [names(photo.tags) for photo in photos] == ["", "s", "", ""]
    with assert_queries(1):
        assert populate(nobodys.reload(), "user").user is None
    assert x.set_tags([s]) == [s] and g.Tagging.select().count() == 1
    assert z.set_user(ann) == ann and names(ann.get_photos()) == "xz"


#: The type of the owner's key, how its values are written elsewhere, and on which stores the owner, the target and its key stand.
OBJECT = "6541d2c8a1b2c3d4e5f60001"
FORMS = [
    ("mongodb", "sqlite", lambda: ObjectIdField(primary_key=True), OBJECT, "6541d2c8a1b2c3d4e5f600ff"),
    ("mongodb", "redis", lambda: ObjectIdField(primary_key=True), OBJECT, "6541d2c8a1b2c3d4e5f600ff"),
    ("mongodb", "mongodb", lambda: ObjectIdField(primary_key=True), OBJECT, "6541d2c8a1b2c3d4e5f600ff"),
    ("redis", "mongodb", lambda: IntegerField(primary_key=True), 7, 8),
    ("mongodb", "mariadb", lambda: CharField(primary_key=True, max_length=20), "7", "07"),
    ("postgresql", "redis", lambda: CharField(primary_key=True, max_length=20), "7", "7 "),
    ("redis", "redis", lambda: CharField(primary_key=True, max_length=20), "\u00e4", "a"),
]


@pytest.mark.parametrize(("near", "far", "key", "value", "other"), FORMS)
def test_forms_of_keys(on: Any, near: str, far: str, key: Any, value: Any, other: Any) -> None:
    """H4: a key is compared as the type of the record that has it, in every column that refers to it, and in every form it is given."""
    here, there = on(near), on(far)
    User, Photo, Tag = model(here, "User", id=key()), model(there, "Photo"), model(there, "Tag")
    User.has_many(Photo)
    Photo.belongs_to(User)
    User.belongs_to_many(Tag, dominant=True)
    Tag.belongs_to_many(User)
    sync(here, there)
    ann, bob = User.create(id=value, name="A"), User.create(id=other, name="B")
    mine, his, tag = Photo.create(name="m"), Photo.create(name="h"), Tag.create(name="t")
    forms = [value, ann.id, str(value)] if isinstance(value, int) or key is FORMS[0][2] else [value, ann.id]
    for form in forms:
        assert mine.set_user(form) == ann and mine.reload().user == ann and tag.set_users([form]) == [ann]
        assert tag.has_user(form) and not tag.has_user(other) and Photo.select().where(Photo.user == form).count() == 1
        assert User.get_by_id(form) == ann and User.find_one(form) == ann
    assert his.set_user(bob) is bob and ann.get_photos() == [mine] and bob.has_photo(str(his.id)) and ann.get_tags() == [tag]
    users = {user.name: (names(user.photos), names(user.tags)) for user in User.select().populate("photos", "tags")}
    assert users == {"A": ("m", "t"), "B": ("h", "")}
    assert [photo.user.name for photo in Photo.select().order_by(Photo.id).populate("user")] == ["A", "B"]
    assert Tag.select().populate("users")[0].users == [ann]
    assert tag.remove_user(value) == 1 and tag.count_users() == 0


def test_links_that_nobody_placed(on: Any) -> None:
    """H2: of two sides in two databases of which none is dominant, the links are with the model whose name comes first."""
    near, far = on("redis"), on("mongodb")
    User, Club = model(near, "User"), model(far, "Club")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        User.belongs_to_many(Club)
        Club.belongs_to_many(User)
    assert [each.category for each in caught] == [DominanceWarning]
    sync(near, far)
    ann, chess = User.create(name="A"), Club.create(name="c")
    assert ann.add_club(chess) == 1 and chess.get_users() == [ann]
    assert User.clubs.through._meta.database is far._meta.database


def test_a_queue_where_nothing_can_be_taken_back(on: Any) -> None:
    """F7, H6: on a store without transactions what can be written is, once; what failed stays queued, with its error."""
    base = on("redis")
    User, Pet = model(base, "User"), model(base, "Pet", chip=IntegerField(null=True, unique=True))
    User.belongs_to_many(Pet)
    Pet.belongs_to_many(User)
    sync(base)
    ann, bob, rex = User.create(name="A"), User(name="B"), Pet(name="r")
    taken = Pet.create(chip=5, name="t")
    rex.users.add(bob)
    ann.pets.add([rex, 404, {"name": "f"}, {"name": "d", "chip": 5}])
    with pytest.raises(LinksNotSaved) as caught:
        ann.save()
    assert [each.value for each in caught.value.failed] == [404, {"name": "d", "chip": 5}]
    assert "and stay" in str(caught.value) and ann.pets.pending.added == [404, {"name": "d", "chip": 5}]
    assert names(ann.get_pets(order="name")) == "fr" and names(rex.get_users(order="name")) == "AB"
    taken.delete_instance()
    ann.pets.remove(404)
    ann.save()
    assert names(ann.get_pets(order="name")) == "dfr" and names(Pet.select().order_by(Pet.name)) == "dfr" and not ann.pets.pending
