"""A query within a query: ``field.in_(query)`` works across databases, and what one statement cannot answer says so."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from peewee import CharField, DateField, IntegerField, ModelDelete, fn

from activeassoc import UnfitValue, UnsupportedQuery, connect, sync
from activeassoc.testing import assert_queries

KINDS = ("sqlite", "postgresql", "mariadb", "mongodb", "redis")
SQL = ("sqlite", "postgresql", "mariadb")


class World:
    """Users in one database, photos in another; the first may have a table named photo, too."""

    def __init__(self, near: Any, far: Any) -> None:
        def model(base: Any, called: str, /, **fields: Any) -> Any:
            return type(base)(called, (base,), {**fields, "__module__": __name__, "__qualname__": called})

        self.User = model(near, "User", name=CharField(null=True), born=DateField(null=True), size=IntegerField(null=True))
        self.Decoy = model(near, "Photo", owner=IntegerField(null=True), word=CharField(null=True), day=DateField(null=True))
        self.Photo = model(far, "Photo", owner=IntegerField(null=True), word=CharField(null=True), day=DateField(null=True))
        sync(self.User, self.Decoy, self.Photo)
        day = datetime.date(2024, 1, 2)
        self.ann, self.bob, self.eve = (self.User.create(name=name, born=day) for name in ("Ann", "Bob", "Eve"))
        self.Decoy.create(owner=self.eve.id, word="Eve")
        self.Photo.create(owner=self.ann.id, word="Ann", day=day)
        self.Photo.create(owner=self.bob.id, word="Bob")

    def names(self, *where: Any) -> list[Any]:
        query = self.User.select().order_by(self.User.name)
        return [user.name for user in (query.where(*where) if where else query)]


@pytest.fixture(params=KINDS)
def near(request: pytest.FixtureRequest) -> Any:
    return request.param


@pytest.fixture(params=("mongodb", "postgresql"))
def world(request: pytest.FixtureRequest, near: Any, on: Any) -> World:
    base = on(near)
    # A second database of the same kind has the same tables, so that a wrong answer would be a silent one.
    return World(base, on(request.param) if request.param != near else on("sqlite"))


def test_a_subquery_of_another_database_is_run_first(world: World) -> None:
    """J2: an uncorrelated IN (subquery), across stores too: one query of each database, and never another table of that name."""
    User, Photo = world.User, world.Photo
    with assert_queries(2):
        assert world.names(User.id.in_(Photo.select(Photo.owner))) == ["Ann", "Bob"]
    assert world.names(User.id.in_(Photo.select(Photo.owner).where(Photo.word == "Ann"))) == ["Ann"]
    assert world.names(User.id.not_in(Photo.select(Photo.owner))) == ["Eve"]
    assert world.names(~User.id.in_(Photo.select(Photo.owner))) == ["Eve"]
    assert world.names((User.name == "Eve") | User.id.in_(Photo.select(Photo.owner).order_by(Photo.id).limit(1))) == ["Ann", "Eve"]
    assert world.names(User.name.in_(Photo.select(Photo.word))) == ["Ann", "Bob"]
    Photo.create(word=str(world.eve.id), owner=0)
    assert world.names(User.id.in_(Photo.select(Photo.word).where(Photo.owner == 0))) == ["Eve"]
    assert world.names(User.name.in_(Photo.select(Photo.word.alias("w")).distinct())) == ["Ann", "Bob"]
    assert User.select().where(User.id.in_(Photo.select(Photo.owner))).count() == 2
    assert User.select().where(User.id.in_(Photo.select(Photo.owner))).exists()
    Other = User.alias()
    assert [each.name for each in Other.select().where(Other.id.in_(Photo.select(Photo.owner).where(Photo.word == "Bob")))] == ["Bob"]


def test_what_it_finds_may_be_nothing_or_null(world: World) -> None:
    """J2: an empty list finds nothing and its NOT everything; with a NULL in it NOT IN finds nothing, as in SQL."""
    User, Photo = world.User, world.Photo
    for field, column in ((User.id, Photo.owner), (User.name, Photo.word), (User.born, Photo.day)):
        none = Photo.select(column).where(Photo.word == "nobody")
        assert world.names(field.in_(none)) == []
        assert world.names(field.not_in(none)) == ["Ann", "Bob", "Eve"]
    assert world.names(User.size.not_in(Photo.select(Photo.owner).where(Photo.word == "nobody"))) == ["Ann", "Bob", "Eve"]
    assert world.names(User.born.in_(Photo.select(Photo.day))) == ["Ann", "Bob", "Eve"]
    assert world.names(User.born.not_in(Photo.select(Photo.day))) == []
    Photo.create(word="Ann")
    assert world.names(User.id.in_(Photo.select(Photo.owner))) == ["Ann", "Bob"]
    assert world.names(User.id.not_in(Photo.select(Photo.owner))) == []
    assert world.names(User.id.not_in(Photo.select(Photo.owner).where(Photo.owner.is_null()))) == []


def test_updates_and_deletes_take_one_too(world: World) -> None:
    """J2: in where() of update and delete as in that of select."""
    User, Photo = world.User, world.Photo
    with assert_queries(2):
        assert User.update(size=7).where(User.id.in_(Photo.select(Photo.owner))).execute() == 2
    assert world.names(User.size == 7) == ["Ann", "Bob"]
    with assert_queries(2):
        assert User.delete().where(User.id.not_in(Photo.select(Photo.owner))).execute() == 1
    assert ModelDelete(User).where(User.id.in_(Photo.select(Photo.owner).where(Photo.word == "Bob"))).execute() == 1
    assert world.names() == ["Ann"]


def test_a_subquery_within_a_subquery(world: World) -> None:
    """J2: each is run by its own database, from the inside out."""
    User, Photo, Decoy = world.User, world.Photo, world.Decoy
    inner = Photo.select(Photo.owner).where(Photo.word.in_(User.select(User.name).where(User.name == "Bob")))
    assert world.names(User.id.in_(inner)) == ["Bob"]
    same = Decoy.select(Decoy.owner).where(Decoy.id.not_in(Photo.select(Photo.id).where(Photo.word == "nobody")))
    assert world.names(User.id.in_(same)) == ["Eve"]


def test_many_values(on: Any, near: Any) -> None:
    """H5: more values than a statement has places for are one parameter where the store can."""
    world = World(on(near), on("mongodb" if near != "mongodb" else "sqlite"))
    numbers = [{"owner": number, "word": str(number)} for number in range(100, 3100)]
    world.Photo.insert_many(numbers).execute()
    assert world.names(world.User.id.in_(world.Photo.select(world.Photo.owner))) == ["Ann", "Bob"]
    assert world.names(world.User.name.in_(world.Photo.select(world.Photo.word))) == ["Ann", "Bob"]


def test_scopes_and_options_take_one(world: World) -> None:
    """J2: in the where of an association and of a getter it is asked anew each time."""
    User, Photo, Decoy = world.User, world.Photo, world.Decoy
    User.has_many(Decoy, foreign_key="owner", constraints=False, where=Decoy.word.not_in(Photo.select(Photo.word)))
    assert [each.word for each in world.eve.get_photos()] == ["Eve"]
    Photo.create(word="Eve")
    assert world.eve.get_photos() == []
    assert world.eve.count_photos() == 0


def text_of(call: Any) -> str:
    with pytest.raises(UnsupportedQuery) as raised:
        call()
    return str(raised.value)


@pytest.mark.parametrize("near", SQL, indirect=True)
def test_a_join_with_another_database(world: World) -> None:
    """J2: it raises, naming both databases, also where the other one has a table of that name."""
    User, Photo = world.User, world.Photo
    here, there = User._meta.database.address, Photo._meta.database.address
    end = (
        f" of Photo on {there} in a statement on {here}: these are two databases, and a statement is answered by one. "
        "Read the keys first and give them to field.in_([...]), or declare an association and populate it."
    )
    assert text_of(lambda: list(User.select().join(Photo, on=(Photo.owner == User.id)))) == "a join" + end
    assert text_of(lambda: User.select().join(Photo, on=(Photo.owner == User.id)).count()) == "a join" + end
    assert text_of(lambda: list(User.select().from_(User, Photo))) == "a join" + end
    alias = Photo.alias()
    assert text_of(lambda: list(User.select().join(alias, on=(alias.owner == User.id)))) == "a join" + end
    inner = Photo.select(Photo.owner).alias("p")
    assert text_of(lambda: list(User.select().join(inner, on=(inner.c.owner == User.id)))) == "a join" + end
    assert text_of(lambda: list(User.select(User.id) | Photo.select(Photo.id))) == "UNION" + end


@pytest.mark.parametrize("near", SQL, indirect=True)
def test_other_subqueries_of_another_database(world: World) -> None:
    """J2: EXISTS, a subquery as a value, one that asks for the row around it, INSERT from one: they raise, naming both databases."""
    User, Photo = world.User, world.Photo
    here, there = User._meta.database.address, Photo._meta.database.address
    place = f"of Photo on {there} in a statement on {here}"
    end = (
        f" {place}: these are two databases, and a statement is answered by one. "
        "Run the query first and give its values: field.in_([...])."
    )
    inner = Photo.select(Photo.owner)
    assert text_of(lambda: list(User.select().where(fn.EXISTS(inner)))) == "a subquery" + end
    assert text_of(lambda: list(User.select().where(User.id == inner))) == "a subquery" + end
    assert text_of(lambda: list(User.select(User.id, inner))) == "a subquery" + end
    assert text_of(lambda: User.insert_from(Photo.select(Photo.word), [User.name]).execute()) == "a subquery" + end
    assert text_of(lambda: list(User.select().where(User.id.in_(inner.where(Photo.owner == User.id))))) == (
        f"a subquery that asks for id of the query around it, {place}: a subquery is run before that, and once. "
        "Write one that stands alone."
    )
    assert text_of(lambda: list(User.select().where(User.id.in_(Photo.select(Photo.id, Photo.owner))))) == (
        f"a subquery of several columns, {place}: IN compares one. Select one column in it."
    )
    assert text_of(lambda: list(User.select().where(fn.LOWER(User.name).in_(Photo.select(Photo.word))))) == (
        f"a subquery beside a value that is no column, {place}: the type of its values is not known. "
        "Run the query first and give its values: field.in_([...])."
    )
    with pytest.raises(UnfitValue) as raised:
        list(User.select().where(User.id.in_(Photo.select(Photo.word).where(Photo.word == "Ann"))))
    assert str(raised.value) == (
        "User.id in a subquery that finds 'Ann': the column holds no values of this kind. "
        "Select a column of the same type in it."
    )


def test_a_query_may_be_executed_on_another_database(on: Any) -> None:
    """J2: a replica, a shard: the whole of the query goes there, its subqueries and joins with it."""
    home = World(on("sqlite"), on("postgresql"))
    User, Decoy = home.User, home.Decoy
    other = connect("sqlite:///:memory:")
    with other.bind_ctx([User, Decoy], bind_refs=False, bind_backrefs=False):
        other.create_tables([User, Decoy])
        User.create(id=9, name="Zoe")
        Decoy.create(owner=9, word="Zoe")
    query = User.select().where(User.id.in_(Decoy.select(Decoy.owner)))
    assert [user.name for user in query] == ["Eve"]
    assert [user.name for user in query.clone().execute(other)] == ["Zoe"]
    assert query.clone().count(other) == 1
    assert query.clone().exists(other)
    joined = User.select().join(Decoy, on=(Decoy.owner == User.id))
    assert [user.name for user in joined.clone().execute(other)] == ["Zoe"]
    assert User.update(size=1).where(User.id.in_(Decoy.select(Decoy.owner))).execute(other) == 1
    assert User.delete().where(User.id.in_(Decoy.select(Decoy.owner))).execute(other) == 1
    assert home.names() == ["Ann", "Bob", "Eve"]
    other.close()
