"""Redis as a peewee database: what stands in it, what reading costs there, and what writers do to each other."""

from __future__ import annotations

import datetime
import decimal
import threading
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import peewee
import pytest
from redis_server import RedisServer

import activeassoc
from activeassoc.errors import (
    DuplicateKey,
    MissingTable,
    PartialWriteError,
    UnsupportedQuery,
)
from activeassoc.stores import redis_table, redis_writes
from activeassoc.testing import assert_queries


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """A server for this file alone, so that its commands can be counted."""
    found = RedisServer(tmp_path_factory.mktemp("redis"))
    yield found
    found.stop()


@pytest.fixture
def db(server: RedisServer) -> Iterator[Any]:
    server.client.flushall()
    database: Any = activeassoc.connect(f"{server.url}?prefix=app:")
    yield database
    database.close()
    database.dispose()


@pytest.fixture
def Base(db: Any) -> Any:
    return type(activeassoc.Model)("Base", (activeassoc.Model,), {"Meta": type("Meta", (), {"database": db}), "__module__": __name__})


@pytest.fixture
def Item(Base: Any) -> Any:
    class Item(Base):
        slug = peewee.CharField(unique=True)
        shelf = peewee.IntegerField(null=True, index=True)
        size = peewee.IntegerField(default=0)
        note = peewee.TextField(null=True)

    activeassoc.sync(Item)
    return Item


def fill(model: Any, rows: int, **values: Callable[[int], Any]) -> None:
    model.insert_many([{name: value(n) for name, value in values.items()} for n in range(rows)]).execute()


def names(client: Any, pattern: str = "*") -> list[str]:
    return sorted(key.decode() for key in client.scan_iter(match=pattern))


# What stands there


def test_a_record_is_a_hash_beside_its_index_entries(server: RedisServer, Item: Any) -> None:
    """J5: a hash per record, a counter per auto key, a set per indexed value, a hash per unique field; NULL is absent."""
    Item.create(slug="pen", shelf=3)
    assert names(server.client) == [
        *("app:tables", "app:{item}:i:shelf:3", "app:{item}:ids", "app:{item}:key", "app:{item}:r:1", "app:{item}:seq"),
        *("app:{item}:table", "app:{item}:u:slug"),
    ]
    assert server.client.hgetall("app:{item}:r:1") == {b"id": b"1", b"slug": b"pen", b"shelf": b"3", b"size": b"0"}
    assert server.client.hgetall("app:{item}:u:slug") == {b"pen": b"1"}
    assert server.client.zrange("app:{item}:i:shelf:3", 0, -1) == [b"1"]
    assert server.client.get("app:{item}:key") == b"1"


def test_every_key_column_is_indexed(Base: Any, db: Any) -> None:
    """J5: a set per indexed value: every key column, every index=True; a composite primary key and composite indexes too."""

    class User(Base):
        pass

    class Membership(Base):
        user = peewee.ForeignKeyField(User, index=False)
        group = peewee.IntegerField()
        role = peewee.CharField(index=True)

        class Meta:
            primary_key = peewee.CompositeKey("user", "group")
            indexes = ((("group", "role"), True),)

    db.create_tables([User, Membership])
    found = {(tuple(each.columns), each.unique) for each in db.get_indexes("membership")}
    assert found == {(("role",), False), (("user_id",), False), (("group", "role"), True)}
    user = User.create()
    Membership.create(user=user, group=1, role="a")
    with pytest.raises(peewee.IntegrityError):
        Membership.create(user=user, group=1, role="b")
    with pytest.raises(peewee.IntegrityError):
        Membership.create(user=User.create(), group=1, role="a")
    assert Membership.get(Membership.user == user, Membership.group == 1).role == "a"
    assert Membership.select().where(Membership.user == user).count() == 1
    assert db.verify(Membership)


def test_any_text_is_a_key_and_a_value(server: RedisServer, Base: Any, db: Any) -> None:
    """J5: colons, braces, percent signs and bytes in keys, values and names mean nothing."""
    odd = "a:b{c}%d,*?[é]\0\n"

    class Odd(Base):
        name = peewee.CharField(primary_key=True)
        kind = peewee.CharField(index=True, column_name="kind:{x},%")
        raw = peewee.BlobField(unique=True, null=True)

        class Meta:
            table_name = "odd:{table}%"

    db.create_tables([Odd])
    for text in (odd, odd + ":", ""):
        Odd.create(name=text, kind=text, raw=text.encode() + b"\xff")
    assert Odd.get_by_id(odd).raw == odd.encode() + b"\xff"
    assert [each.name for each in Odd.select().where(Odd.kind == odd)] == [odd]
    assert Odd.get(Odd.raw == b"\xff").name == ""
    assert db.get_tables() == ["odd:{table}%"]
    assert db.verify(Odd)
    db.drop_tables([Odd])
    assert names(server.client) == []


def test_several_rows_without_a_primary_key(Base: Any, db: Any) -> None:
    """J2: a model without a primary key has rows, equal ones and empty ones too."""

    class Line(Base):
        text = peewee.TextField(null=True)

        class Meta:
            primary_key = False

    db.create_tables([Line])
    Line.insert_many([{"text": "a"}, {"text": "a"}, {"text": None}]).execute()
    assert [each.text for each in Line.select().order_by(Line.text)] == [None, "a", "a"]
    assert Line.update(text="b").where(Line.text == "a").execute() == 2
    assert Line.delete().where(Line.text.is_null()).execute() == 1
    assert db.verify(Line).records == 2


def test_other_programs_keys_are_left_alone(server: RedisServer, Item: Any, db: Any) -> None:
    """J5: it works on a Redis that other programs share; drop removes the keys of the table, and no others."""
    server.client.set("theirs", "1")
    server.client.set("app:{item2}:r:1", "1")
    fill(Item, 2_500, slug=str, shelf=lambda n: n % 7)
    db.drop_tables([Item])
    assert names(server.client) == ["app:{item2}:r:1", "theirs"]


def test_two_prefixes_are_two_databases(server: RedisServer, Item: Any) -> None:
    """J5: a prefix per database; where the URL says none, it is "activeassoc:"."""
    other: Any = activeassoc.connect(server.url)

    class Item2(activeassoc.Model):
        slug = peewee.CharField()

        class Meta:
            database = other
            table_name = "item"

    activeassoc.sync(Item2)
    Item2.create(slug="theirs")
    assert Item.select().count() == 0
    assert names(server.client, "activeassoc:*:r:*") == ["activeassoc:{item}:r:1"]
    other.close()
    other.dispose()


# What reading costs


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        (lambda Item: Item.id == 7, 1),
        (lambda Item: Item.id.in_([7, 8, 9]), 3),
        (lambda Item: Item.slug == "8", 1),
        (lambda Item: Item.slug.in_(["8", "9", "none"]), 2),
        (lambda Item: Item.shelf == 3, 20),
        (lambda Item: Item.shelf.in_([3, 4]), 40),
        (lambda Item: (Item.shelf == 3) | (Item.slug == "4"), 21),
        (lambda Item: (Item.shelf == 3) & (Item.size > 5), 20),
        (lambda Item: (Item.shelf.in_([1, 2, 3])) & (Item.slug == "3"), 1),
        (lambda Item: ((Item.id == 7) & (Item.size > 0)) | ((Item.id == 8) & (Item.size > 0)), 2),
    ],
)
def test_equality_costs_what_it_returns(server: RedisServer, Item: Any, condition: Any, found: int) -> None:
    """J5: equality and IN on a key, an indexed or a unique field cost what they return."""
    fill(Item, 2_000, slug=str, shelf=lambda n: n % 100, size=lambda n: n)
    server.calls()
    with assert_queries(1):
        list(Item.select().where(condition(Item)))
    calls = server.calls()
    assert calls["hmget"] <= found + 3  # each script reads the table's head
    assert calls.get("hgetall", 0) == 0


def test_numbers_that_an_index_knows_read_no_record(server: RedisServer, Item: Any) -> None:
    """J5: counting a table, or by an indexed value, reads no record."""
    fill(Item, 500, slug=str, shelf=lambda n: n % 10)
    server.calls()
    assert Item.select().count() == 500
    assert Item.select().where(Item.shelf == 3).count() == 50
    assert Item.select(peewee.fn.COUNT(peewee.SQL("1"))).where(Item.shelf.in_([3, 4])).scalar() == 100
    by = Item.select(Item.shelf, peewee.fn.COUNT(peewee.SQL("1"))).where(Item.shelf.in_([3, 4, 77])).group_by(Item.shelf).tuples()
    assert sorted(by) == [(3, 50), (4, 50)]
    assert server.calls()["hmget"] == 4  # one for the head of the table in each script


def test_a_limit_reads_no_more_than_it_needs(server: RedisServer, Item: Any) -> None:
    """J5: without sorting, a limit ends the walk."""
    fill(Item, 3_000, slug=str, shelf=lambda n: 1)
    server.calls()
    assert len(Item.select().limit(5)) == 5
    assert Item.select().where(Item.shelf == 1).exists()
    assert server.calls()["hmget"] < 50


def test_what_no_index_serves_walks_in_batches(server: RedisServer, Item: Any) -> None:
    """J5: ranges, !=, LIKE and is_null walk the table in batches."""
    fill(Item, 2_500, slug=str, size=lambda n: n)
    server.calls()
    for condition, number in (
        (Item.size > 2_400, 99),
        (Item.size != 3, 2_499),
        (Item.slug.startswith("24"), 111),
        (Item.note.is_null(), 2_500),
    ):
        assert len(Item.select().where(condition)) == number
    assert server.calls()["evalsha"] == 4 * 3


def test_the_smallest_index_is_taken(server: RedisServer, Base: Any, db: Any) -> None:
    """J5: of several indexed conditions the one that finds the fewest records is looked up."""

    class Pair(Base):
        many = peewee.IntegerField(index=True)
        few = peewee.IntegerField(index=True)

    db.create_tables([Pair])
    fill(Pair, 1_000, many=lambda n: 1, few=lambda n: n % 200)
    server.calls()
    assert len(Pair.select().where(Pair.many == 1, Pair.few == 7)) == 5
    assert server.calls()["hmget"] <= 8


def test_an_index_entry_without_a_record_finds_nothing(server: RedisServer, Item: Any, db: Any) -> None:
    """J5: what another program has broken is no wrong answer, and verify tells of it."""
    item = Item.create(slug="a", shelf=1)
    Item.create(slug="b", shelf=2)
    server.client.zadd("app:{item}:i:shelf:1", {"2": 2})
    server.client.zadd("app:{item}:i:shelf:9", {"99": 9})
    server.client.hset("app:{item}:u:slug", "ghost", "77")
    server.client.zrem("app:{item}:i:shelf:2", "2")
    server.client.hset("app:{item}:r:55", "id", "55")
    assert list(Item.select().where(Item.shelf == 1)) == [item]
    report = db.verify(Item)
    assert not report
    assert (report.records, report.lost, report.gone) == (2, 1, 0)
    assert report.missing == {"i:shelf": 1}
    assert report.orphans == {"i:shelf": 2, "u:slug": 1}
    assert report.samples["missing i:shelf"] == ["2"]
    server.client.delete("app:{item}:r:1")
    assert db.verify(Item).gone == 1


# Indexes that come later


def test_an_index_is_added_beside_writers(Base: Any, db: Any) -> None:
    """J5: adding an index to existing data goes on beside readers and writers."""

    class Item(Base):
        shelf = peewee.IntegerField(null=True)

    db.create_tables([Item])
    fill(Item, 3_000, shelf=lambda n: n % 5)
    stop = threading.Event()
    missed: list[Exception | int] = []

    def write() -> None:
        try:
            for n in range(1, 1_000):
                Item.create(shelf=7)
                Item.update(shelf=8).where(Item.id == n).execute()
                Item.delete().where(Item.id == 1_000 + n).execute()
                if Item.select().where(Item.shelf == 7).count() < n:
                    missed.append(n)
                if stop.is_set():
                    break
        except Exception as error:
            missed.append(error)
        db.close()

    writers = [threading.Thread(target=write) for _ in range(3)]
    for each in writers:
        each.start()
    Item._meta.fields["shelf"].index = True
    report = activeassoc.sync(Item, alter=True)
    stop.set()
    for each in writers:
        each.join()
    assert missed == []
    assert report
    assert [each.name for each in db.get_indexes("item")] == ["i:shelf"]
    assert db.verify(Item)
    assert Item.select().where(Item.shelf == 7).count() == sum(1 for each in Item.select() if each.shelf == 7)


def test_an_index_that_was_begun_is_gone_on_with(monkeypatch: pytest.MonkeyPatch, Base: Any, db: Any) -> None:
    """J5: an index whose making was interrupted is written and not read, and sync goes on with it."""

    class Item(Base):
        shelf = peewee.IntegerField(null=True)

    db.create_tables([Item])
    fill(Item, 2_500, shelf=lambda n: n % 5)
    run = redis_table.Calls.run

    def die(self: Any, name: str, layout: Any, *told: Any) -> Any:
        if name == "reindex" and told[-1]:
            raise KeyboardInterrupt
        return run(self, name, layout, *told)

    Item._meta.fields["shelf"].index = True
    monkeypatch.setattr(redis_table.Calls, "run", die)
    with pytest.raises(KeyboardInterrupt):
        db.create_indexes(Item)
    monkeypatch.undo()
    assert db.get_indexes("item") == []
    assert db.verify(Item).unready == {"i:shelf": "building"}
    Item.create(shelf=3)
    assert Item.select().where(Item.shelf == 3).count() == 501
    activeassoc.sync(Item, alter=True)
    assert [each.columns for each in db.get_indexes("item")] == [["shelf"]]
    assert db.verify(Item)
    assert Item.select().where(Item.shelf == 3).count() == 501


def test_a_unique_index_that_cannot_be_is_taken_back(server: RedisServer, Base: Any, db: Any) -> None:
    """J5: rows that are equal already keep a unique index from being made, and nothing of it stays."""

    class Item(Base):
        slug = peewee.CharField()

    db.create_tables([Item])
    fill(Item, 1_500, slug=lambda n: str(n % 1_200))
    Item._meta.fields["slug"].unique = True
    with pytest.raises(DuplicateKey) as raised:
        db.create_indexes(Item)
    assert str(raised.value) == (
        "a unique index of Item with the slug: there is a row with this value already. "
        "Change or delete all of the rows with it but one."
    )
    assert db.get_indexes("item") == []
    assert names(server.client, "*:u:*") == []
    Item.delete().where(Item.id > 1_200).execute()
    db.create_indexes(Item)
    with pytest.raises(peewee.IntegrityError):
        Item.create(slug="7")


def test_an_index_becomes_unique_and_goes(Item: Any, db: Any) -> None:
    """J5: an index in another definition is made anew, and one can be dropped."""
    fill(Item, 10, slug=str, shelf=lambda n: n)
    Item._meta.fields["shelf"].unique = True
    db.create_indexes(Item)
    assert [each.name for each in db.get_indexes("item")] == ["u:shelf", "u:slug"]
    with pytest.raises(peewee.IntegrityError):
        Item.create(slug="x", shelf=3)
    db.drop_index(Item, "u:shelf")
    Item.create(slug="x", shelf=3)
    assert Item.select().where(Item.shelf == 3).count() == 2
    with pytest.raises(peewee.OperationalError, match=r"^Item: there is no index 'i:none', it has u:slug\.$"):
        db.drop_index(Item, "i:none", safe=False)
    assert db.verify(Item)


def test_an_index_of_expressions_is_refused(Base: Any, db: Any) -> None:
    """J5: an index here is made of columns, for all rows; another one is refused before anything is made."""

    class Item(Base):
        slug = peewee.CharField()

    Item.add_index(Item.slug, where=Item.slug != "", unique=True)
    with pytest.raises(UnsupportedQuery) as raised:
        db.create_tables([Item])
    assert str(raised.value) == "an index on Item: here an index is one of all rows, and this one has a where. Leave that out."
    assert db.get_tables() == []


# Writers


def test_statements_that_meet_count_every_one(Item: Any, db: Any) -> None:
    """J5: an update applies only while what it read is unchanged, else it is evaluated again."""
    Item.create(slug="counter")
    fill(Item, 30, slug=str, shelf=lambda n: n % 3)

    def add() -> None:
        for _ in range(25):
            Item.update(size=Item.size + 1).where(Item.slug == "counter").execute()
            Item.update(shelf=Item.shelf + 1, size=Item.size + 1).where(Item.size < 1_000).execute()
        db.close()

    threads = [threading.Thread(target=add) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert Item.get(Item.slug == "counter").size == 200
    assert {each.size for each in Item.select().where(Item.slug != "counter")} == {100}
    assert db.verify(Item)


def test_a_delete_spares_what_has_changed(monkeypatch: pytest.MonkeyPatch, Item: Any, db: Any) -> None:
    """J5: a record that another writer has changed meanwhile is deleted only if the condition still holds for it."""
    fill(Item, 3, slug=str, size=lambda n: n)
    change = redis_table.Table.change
    late = [("0", 9), ("1", 0)]

    def meddling(self: Any, *arguments: Any) -> Any:
        monkeypatch.setattr(redis_table.Table, "change", change)
        for slug, size in late:
            Item.update(size=size).where(Item.slug == slug).execute()
        return change(self, *arguments)

    monkeypatch.setattr(redis_table.Table, "change", meddling)
    assert Item.delete().where(Item.size < 2).execute() == 1
    assert sorted(each.slug for each in Item.select()) == ["0", "2"]


def test_a_statement_is_whole_or_not_at_all(server: RedisServer, Item: Any, db: Any) -> None:
    """J7: each statement is atomic: rows that clash leave nothing of it, in the table or in an index."""
    Item.create(slug="7")
    before = {key: server.client.dump(key) for key in names(server.client) if not key.endswith((":key", ":seq"))}
    with pytest.raises(DuplicateKey) as raised:
        fill(Item, 10, slug=str, shelf=lambda n: n)
    assert str(raised.value) == (
        "insert of Item with the slug '7': there is a row with this value already. "
        "Read it first, write on_conflict_ignore(), or call get_or_create()."
    )
    with pytest.raises(DuplicateKey):
        Item.insert_many([{"slug": "a"}, {"slug": "b"}, {"slug": "a"}]).execute()
    assert {key: server.client.dump(key) for key in names(server.client) if not key.endswith((":key", ":seq"))} == before
    fill(Item, 5, slug=str)
    with pytest.raises(DuplicateKey) as raised:
        Item.update(slug="same").where(Item.size == 0).execute()
    assert str(raised.value) == (
        "update of Item with the slug 'same': there is a row with this value already. "
        "Give another value, or change the row that has it first."
    )
    assert Item.select().where(Item.slug == "same").count() == 0
    assert db.verify(Item)


def test_unique_values_may_change_places(Item: Any, db: Any) -> None:
    """J5: a statement is judged by what it leaves: values that rows hand on to each other do not clash."""

    class Numbered(Item):
        number = peewee.IntegerField(unique=True)

    db.create_tables([Numbered])
    fill(Numbered, 20, slug=str, number=lambda n: n)
    assert Numbered.update(number=Numbered.number + 1).execute() == 20
    assert Numbered.update(number=21 - Numbered.number).execute() == 20
    assert [each.number for each in Numbered.select().order_by(Numbered.id)] == list(range(20, 0, -1))
    assert db.verify(Numbered)


def test_more_rows_than_one_script_takes(monkeypatch: pytest.MonkeyPatch, Item: Any, db: Any) -> None:
    """J5: a long statement is several scripts; where one of its rows clashes, those before it are taken back."""
    monkeypatch.setattr(redis_writes, "ATOMIC", 50)
    monkeypatch.setattr(redis_writes, "PORTION", 20)
    fill(Item, 130, slug=str, shelf=lambda n: n % 2)
    assert Item.update(size=Item.size + 1).execute() == 130
    assert Item.select(peewee.fn.SUM(Item.size)).scalar() == 130
    with pytest.raises(peewee.IntegrityError):
        fill(Item, 131, slug=lambda n: str(n + 1_000 if n < 130 else 3))
    assert Item.select().count() == 130
    assert Item.delete().where(Item.shelf == 1).execute() == 65
    assert db.verify(Item).records == 65


def test_more_bytes_than_one_script_takes(monkeypatch: pytest.MonkeyPatch, server: RedisServer, Item: Any, db: Any) -> None:
    """H5: what one script is told is limited by bytes too, as the server refuses a command that is too large."""
    monkeypatch.setattr(redis_writes, "BYTES", 5_000)
    server.calls()
    fill(Item, 20, slug=str, note=lambda n: "x" * 1_000 if n < 18 else "x" * 9_000)
    assert server.calls()["evalsha"] >= 6
    assert Item.update(note=Item.note.concat("y")).execute() == 20
    assert {len(each.note) for each in Item.select()} == {1_001, 9_001}
    assert db.verify(Item).records == 20


def test_a_field_of_the_users_own_keeps_its_values(Base: Any, db: Any) -> None:
    """J3: what a field of the user's own stores comes back as it was, whatever its type, and is found, with an index too."""

    class Plain(peewee.Field):
        field_type = "PLAIN"

    class Item(Base):
        value = Plain(null=True, index=True)

    db.create_tables([Item])
    values = [True, 3, 1.5, "3", b"3", decimal.Decimal("2.5"), datetime.date(2024, 2, 29), uuid.UUID(int=7), None]
    for value in values:
        Item.create(value=value)
    found = [each.value for each in Item.select().order_by(Item.id)]
    assert found == values
    assert list(map(type, found)) == list(map(type, values))
    for value in values[1:-1]:
        assert [each.value for each in Item.select().where(Item.value == value)] == [value]
    assert [each.id for each in Item.select().where(Item.value == 2.5)] == [6]


def test_a_table_with_another_key_is_told(Base: Any, db: Any) -> None:
    """J5: a model whose primary key is not the one of its table cannot write there."""

    class Item(Base):
        slug = peewee.CharField(primary_key=True)

    Item.create_table()

    class Other(Base):
        name = peewee.CharField()

        class Meta:
            table_name = "item"

    with pytest.raises(peewee.OperationalError) as raised:
        Other.create(name="a")
    assert str(raised.value) == (
        "Other: the table 'item' has another primary key than the model. Drop it, or give the model the key that it had."
    )


def test_replacing_removes_every_row_in_the_way(Base: Any, db: Any) -> None:
    """J2: replace removes the rows that hold one of its unique values, also those of the same statement."""

    class Item(Base):
        slug = peewee.CharField(unique=True)
        code = peewee.IntegerField(unique=True, null=True)
        shelf = peewee.IntegerField(index=True, default=1)

    db.create_tables([Item])
    fill(Item, 4, slug=str, code=lambda n: n)
    Item.replace_many([{"slug": "0", "code": 3, "shelf": 2}, {"slug": "1", "code": None, "shelf": 2}, {"slug": "1", "code": 9}]).execute()
    assert sorted((each.slug, each.code, each.shelf) for each in Item.select()) == [("0", 3, 2), ("1", 9, 1), ("2", 2, 1)]
    assert Item.insert(slug="2").on_conflict_ignore().as_rowcount().execute() == 0
    assert Item.insert(slug="3").on_conflict_ignore().as_rowcount().execute() == 1
    assert db.verify(Item)


def test_automatic_keys_go_on_after_given_ones(Item: Any) -> None:
    """J5: a counter per auto key; a key that is given raises it, whatever its size."""
    assert Item.create(slug="a").id == 1
    Item.insert_many([{"id": 5, "slug": "b", "size": 1}, {"slug": "c", "size": 1}][:1]).execute()
    assert Item.create(slug="d").id == 6
    big = 2**53 + 2
    Item.create(id=big, slug="e")
    assert [Item.create(slug=f"f{n}").id for n in range(3)] == [big + 1, big + 2, big + 3]
    Item.create(id=3, slug="g")
    Item.create(id=-4, slug="h")
    assert Item.create(slug="i").id == big + 4


def test_a_table_can_be_emptied(Item: Any, db: Any) -> None:
    """J5: truncate takes the rows and their entries, and leaves the table."""
    fill(Item, 2_300, slug=str, shelf=lambda n: n)
    Item.truncate_table()
    assert Item.select().count() == 0
    assert db.verify(Item)
    assert not Item.select().where(Item.shelf == 3).exists()


def test_a_drop_that_was_interrupted_is_finished(server: RedisServer, monkeypatch: pytest.MonkeyPatch, Item: Any, db: Any) -> None:
    """J5: a table half dropped is none; to drop or make it again goes on."""
    fill(Item, 1_500, slug=str)
    run = redis_table.Calls.run
    seen = []

    def die(self: Any, name: str, layout: Any, *told: Any) -> Any:
        seen.append(name)
        if seen.count("clear") == 2:
            raise KeyboardInterrupt
        return run(self, name, layout, *told)

    monkeypatch.setattr(redis_table.Calls, "run", die)
    with pytest.raises(KeyboardInterrupt):
        db.drop_tables([Item])
    monkeypatch.undo()
    assert not Item.table_exists()
    with pytest.raises(peewee.OperationalError) as raised:
        Item.create(slug="x")
    assert str(raised.value) == (
        "a statement on Item: there is no table 'item' in this Redis database. Make it first: sync(database), or Model.create_table()."
    )
    assert isinstance(raised.value, MissingTable) and raised.value.model is Item
    activeassoc.sync(Item)
    assert Item.select().count() == 0
    Item.create(slug="1")
    assert db.verify(Item).records == 1


def test_a_statement_of_very_many_rows_looks_first(Item: Any, db: Any) -> None:
    """J7: more than one step takes is written in portions; that a unique value is another record's is known before the first."""
    fill(Item, 10_500, slug=lambda n: f"a{n}")
    first, last = Item.get(Item.slug == "a0"), Item.get(Item.slug == "a10499")
    Item.create(slug="a10499!", size=1)
    text = (
        "update of Item with the slug {}: there is a row with this value already. Give another value, or change the row that has it first."
    )
    with pytest.raises(DuplicateKey) as raised:
        Item.update(slug=Item.slug.concat("!")).where(Item.size == 0).execute()
    assert str(raised.value) == text.format("'a10499!'")
    with pytest.raises(DuplicateKey) as raised:
        Item.update(slug="same", shelf=3).where(Item.size == 0).execute()
    assert str(raised.value) == text.format("'same'")
    assert (Item.get_by_id(first.id).slug, Item.get_by_id(last.id).slug) == ("a0", "a10499")
    assert Item.select().where(Item.slug.endswith("!")).count() == 1
    Item.delete().where(Item.size == 1).execute()
    assert Item.update(slug=Item.slug.concat("!")).execute() == 10_500
    assert Item.select().where(Item.slug.endswith("!")).count() == 10_500 and db.verify(Item)


def test_a_statement_of_very_many_rows_tells_what_it_wrote(Item: Any, db: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """J7: where another writer comes between two portions the error says how much is written, and atomic() warns of it."""
    fill(Item, 10_500, slug=lambda n: f"a{n}")
    last = Item.get(Item.slug == "a10499")
    Item.create(slug=f"{last.slug}!", size=1)
    monkeypatch.setattr(redis_table.Table, "holders", lambda self, name, values: [None] * len(values))
    with pytest.warns(activeassoc.NoTransactionWarning), pytest.raises(PartialWriteError) as raised, db.atomic():
        Item.update(slug=Item.slug.concat("!")).where(Item.size == 0).execute()
    changed = Item.select().where((Item.size == 0) & Item.slug.endswith("!")).count()
    assert 0 < changed < 10_500
    assert raised.value.written == [f"update of {changed} rows of Item"]
    assert str(raised.value) == (
        f"update of 10500 rows of Item: one step writes 10000 at most, {changed} were written before it failed ({raised.value.__cause__}). "
        "See which rows those are before it is run again; portions of your own, by where(), are a step each."
    ).replace("first.)", "first)")
    assert isinstance(raised.value.__cause__, DuplicateKey)


def test_dispose_closes_the_connections_of_all_threads(server: RedisServer) -> None:
    """J5: one pool serves all threads; what is left in it would be a socket that nobody has closed."""
    before = len(server.client.client_list())
    database: Any = activeassoc.connect(server.url)
    database.connect()
    assert len(server.client.client_list()) == before + 1
    database.close()
    database.dispose()
    assert len(server.client.client_list()) == before
    assert database.connect() is True  # and it can be used again
    database.close()
    database.dispose()
