"""What the stores without SQL say at their edges: values that are there already, a counter at its end, two databases of one server."""

from __future__ import annotations

import threading
from typing import Any

import peewee
import pytest
from peewee import BooleanField, CharField, CompositeKey, IntegerField

from activeassoc import DuplicateKey, MissingTable, UnfitValue, UnsupportedQuery, check, connect, sync

DOCUMENTS = pytest.mark.parametrize("store", ["mongodb", "redis"], indirect=True)


@DOCUMENTS
def test_an_update_that_breaks_a_unique_index(Base: Any) -> None:
    """J4, J5: the error names the value, and what to do about an update."""

    class Seat(Base):
        row = CharField()
        place = IntegerField()
        code = CharField(null=True, unique=True)

        class Meta:
            indexes = ((("row", "place"), True),)

    sync(Seat)
    Seat.insert_many([{"row": "A", "place": 1, "code": "x"}, {"row": "A", "place": 2, "code": "y"}]).execute()
    with pytest.raises(DuplicateKey) as raised:
        Seat.update(code="x").where(Seat.place == 2).execute()
    assert str(raised.value) == (
        "update of Seat with the code 'x': there is a row with this value already. Give another value, or change the row that has it first."
    )
    with pytest.raises(DuplicateKey) as raised:
        Seat.update(row="A", place=1).where(Seat.id == 2).execute()
    assert str(raised.value) == (
        "update of Seat with the row, place 'A', 1: there is a row with these values already. "
        "Give another value, or change the row that has it first."
    )
    assert raised.value.columns == ["row", "place"]
    seat = Seat.get_by_id(2)
    seat.code = "x"
    with pytest.raises(DuplicateKey):
        seat.save()
    assert [each.code for each in Seat.select().order_by(Seat.id)] == ["x", "y"]


@DOCUMENTS
def test_a_counter_at_its_end(Base: Any) -> None:
    """J4, J5: after a row with the largest key there is no next one: the error says so, and keys of one's own still work."""

    class Item(Base):
        title = CharField(null=True)

    sync(Item)
    Item.insert(id=2**63 - 1).execute()
    for insert in (lambda: Item.create(title="a"), lambda: Item.insert_many([{"title": "a"}, {"title": "b"}]).execute()):
        with pytest.raises(UnfitValue) as raised:
            insert()
        assert str(raised.value) == (
            "insert of Item without its id: the counter of Item.id is at its end: a row was once given a key near 9223372036854775807, "
            "and the next ones go on from it. Give each row its id, or drop the table and fill it again without such a key."
        )
        assert raised.value.field is Item.id and isinstance(raised.value, peewee.DataError)
    Item.insert(id=5).execute()
    assert [item.id for item in Item.select().order_by(Item.id)] == [5, 2**63 - 1]
    Item.drop_table()
    sync(Item)
    assert Item.create().id == 1


@pytest.mark.every_store
def test_a_composite_key_is_no_difference(Base: Any) -> None:
    """E7: what holds a primary key of several columns belongs to the table, and sync has nothing to say about it."""

    class Tagging(Base):
        photo = IntegerField()
        tag = IntegerField()

        class Meta:
            primary_key = CompositeKey("photo", "tag")

    sync(Tagging)
    assert str(sync(Tagging)) == "Nothing to do." == str(sync(Tagging, alter=True))
    Tagging.create(photo=1, tag=1)
    with pytest.raises(peewee.IntegrityError):
        Tagging.create(photo=1, tag=1)


def test_two_databases_of_one_redis_have_two_names() -> None:
    """J1: messages name the prefix too."""
    one, other = connect("redis://host/0?prefix=shop:"), connect("redis://:secret@host:1/0", prefix="blog:")
    assert (one.address, other.address) == ("redis://host/0?prefix=shop:", "redis://host:1/0?prefix=blog:")
    assert connect("redis://host/0").address == "redis://host/0"


@DOCUMENTS
def test_what_follows_from_a_field_is_not_kept_beyond_it(Base: Any) -> None:
    """J3: a field in the place of another one, and a model on another database, convert values in their own way."""

    class Item(Base):
        size = IntegerField(null=True)

    sync(Item)
    with pytest.raises(UnfitValue):
        Item.create(size="large")
    Item._meta.remove_field("size")
    Item._meta.add_field("size", CharField(null=True))
    Item.create(size="large")
    assert Item.get(Item.size == "large").size == "large"
    with pytest.raises(UnsupportedQuery):
        Item.update(size=Item.size * 2).execute()


@DOCUMENTS
def test_one_of_many_creates_and_the_others_get(Base: Any) -> None:
    """J2, J7: get_or_create of one new record by several threads at once, as on SQL."""

    class Item(Base):
        slug = CharField(unique=True)

    sync(Item)
    Item.create(slug="first")
    found: list[Any] = []
    barrier = threading.Barrier(6)

    def ask() -> None:
        barrier.wait()
        try:
            found.append(Item.get_or_create(slug="one")[1])
        except Exception as error:
            found.append(error)
        finally:
            Item._meta.database.close()

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found, key=str) == [False] * 5 + [True]
    assert Item.select().count() == 2


@DOCUMENTS
def test_records_from_before_a_field_was_there(Base: Any) -> None:
    """J3, H7: they have no value in it, whatever its default; check finds them where it is NOT NULL, and says how to fill it."""

    def item(**fields: Any) -> Any:
        return type(Base)("Item", (Base,), {"title": CharField(null=True), **fields, "__module__": __name__, "__qualname__": "Item"})

    Old = item()
    sync(Old)
    Old.insert_many([{"title": "a"}, {"title": "b"}]).execute()
    Item = item(done=BooleanField(default=False), size=IntegerField(), note=CharField(null=True))
    assert not sync(Item)
    Item.create(title="c", size=1)
    found = check(Item).findings
    assert [(each.kind, each.names, each.count, each.model) for each in found] == [
        ("store", ("done",), 2, Item),
        ("store", ("size",), 2, Item),
    ]
    assert found[0].sentence == "2 rows of Item have no value for 'done', which is declared NOT NULL: conditions leave such rows out"
    assert found[0].instead == "write Item.update(done=…).where(Item.done.is_null()).execute()"
    assert Item.update(done=False, size=0).where(Item.done.is_null()).execute() == 2
    assert check(Item).ok


@DOCUMENTS
def test_a_table_that_was_never_made(Base: Any) -> None:
    """J2: reading it is an error as on SQL, and no empty answer; so is writing."""

    class Item(Base):
        title = CharField(null=True)

    statements = (
        lambda: list(Item.select()),
        lambda: Item.get_or_none(Item.id == 1),
        lambda: Item.select().count(),
        lambda: Item.create(title="a"),
        lambda: Item.update(title="b").execute(),
        lambda: Item.delete().execute(),
    )
    for statement in statements:
        with pytest.raises(MissingTable) as raised:
            statement()
        assert raised.value.model is Item and "sync(database)" in raised.value.instead
    sync(Item)
    assert list(Item.select()) == []
    Item.drop_table()
    with pytest.raises(MissingTable):
        list(Item.select())


def test_what_mongodb_says_of_a_table_that_was_never_made(on: Any) -> None:
    """J2, M1: the verb and the collection are named."""
    base = on("mongodb")
    Item = type(base)("Item", (base,), {"title": CharField(null=True), "__module__": __name__, "__qualname__": "Item"})
    with pytest.raises(MissingTable) as raised:
        list(Item.select())
    assert str(raised.value) == (
        f"select of Item on {base._meta.database.address}: there is no collection 'item', which is not the same as an empty one. "
        "Make it first: sync(database), or Model.create_table()."
    )


@pytest.mark.parametrize("store", ["redis"], indirect=True)
def test_a_value_of_another_type_is_told(Base: Any) -> None:
    """J3: a field that has changed its type: the record, the field and the value are in the error."""

    def item(**fields: Any) -> Any:
        return type(Base)("Item", (Base,), {**fields, "__module__": __name__, "__qualname__": "Item"})

    Old = item(size=CharField(null=True), note=CharField(null=True))
    sync(Old)
    Old.insert_many([{"size": "7"}, {"size": "large"}]).execute()
    Item = item(size=IntegerField(null=True), note=CharField(null=True))
    assert Item.get_by_id(1).size == 7
    for read in (lambda: Item.get_by_id(2), lambda: list(Item.select()), lambda: Item.update(note="x").where(Item.size > 3).execute()):
        with pytest.raises(UnfitValue) as raised:
            read()
        assert str(raised.value) == (
            "reading Item.size of the record 2: there stands b'large', which is none of its values. "
            "A field that changes its type needs its values written anew: read them by a model that has the old one."
        )


@DOCUMENTS
def test_the_first_records_come_from_many_threads(Base: Any) -> None:
    """J4, J8: the counter is made once, and each record has a key of its own."""

    class Item(Base):
        title = CharField(null=True)

    sync(Item)
    found: list[Any] = []
    barrier = threading.Barrier(8)

    def create() -> None:
        barrier.wait()
        try:
            found.append(Item.create(title="a").id)
        except Exception as error:
            found.append(error)
        finally:
            Item._meta.database.close()

    threads = [threading.Thread(target=create) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == len(set(found)) == Item.select().count() == 8
    assert all(type(key) is int for key in found)
