"""MongoDB as a database of peewee's: what stands in the documents, and what only this store does; the rest is in the contract."""

from __future__ import annotations

import datetime
import decimal
import os
import time
import uuid

import peewee
import pytest
from peewee import OP, Expression, fn

from activeassoc import AssociationError, ConnectError, connect, sync
from activeassoc.errors import (
    DuplicateKey,
    MissingTable,
    NoTransactionWarning,
    NullNotAllowed,
    TransactionAborted,
    UnfitValue,
    UnsupportedQuery,
)
from activeassoc.stores.object_id import ObjectIdField
from activeassoc.testing import assert_queries

bson = pytest.importorskip("bson")
secantus = pytest.importorskip("secantus")
D = decimal.Decimal


@pytest.fixture
def Base(on):
    return on("mongodb")


@pytest.fixture
def db(Base):
    return Base._meta.database


@pytest.fixture
def Item(Base, db):
    class Item(Base):
        title = peewee.CharField(null=True, unique=True)
        n = peewee.IntegerField(null=True, index=True)
        m = peewee.IntegerField(default=0)
        price = peewee.DecimalField(null=True, decimal_places=2)
        ratio = peewee.FloatField(null=True)
        meta = peewee.JSONField(null=True)

    sync(db)
    return Item


def stored(model):
    """The documents as they are, by pymongo."""
    return list(model._meta.database.documents()[model._meta.table_name].find().sort("_id", 1))


# Documents


def test_a_record_is_a_document(Base, db):
    """J3, J4: `_id` is the primary key, NULL an absent field, and each value is of MongoDB's own type."""

    class Thing(Base):
        name = peewee.CharField(column_name="called")
        nothing = peewee.CharField(null=True)
        at = peewee.DateTimeField()
        day = peewee.DateField()
        hour = peewee.TimeField()
        price = peewee.DecimalField(decimal_places=2)
        token = peewee.UUIDField()
        raw = peewee.BlobField()
        done = peewee.BooleanField()
        meta = peewee.JSONField()

    sync(db)
    token = uuid.uuid4()
    values = {
        "name": "Ännchen",
        "at": datetime.datetime(2024, 1, 2, 3, 4, 5, 678901),
        "day": datetime.date(2024, 1, 2),
        "hour": datetime.time(3, 4, 5),
        "price": D("1.5"),
        "token": token,
        "raw": b"\0\xff",
        "done": True,
        "meta": {"a": [1, None, {"b.c": 2.5}]},
    }
    Thing.create(**values)
    assert stored(Thing) == [
        {
            "_id": 1,
            "called": "Ännchen",
            "at": datetime.datetime(2024, 1, 2, 3, 4, 5, 678000),
            "day": datetime.datetime(2024, 1, 2),
            "hour": "03:04:05.000000",
            "price": bson.Decimal128("1.50"),
            "token": token,
            "raw": b"\0\xff",
            "done": True,
            "meta": {"a": [1, None, {"b.c": 2.5}]},
        }
    ]
    found = Thing.get()
    expected = {**values, "id": 1, "nothing": None, "at": datetime.datetime(2024, 1, 2, 3, 4, 5, 678000), "price": D("1.50")}
    assert found.__data__ == expected and all(type(found.__data__[name]) is type(value) for name, value in expected.items())
    found.nothing = "x"
    found.save()
    found.nothing = None
    found.save()
    assert "nothing" not in stored(Thing)[0]


def test_documents_of_other_programs_are_read(Item, db):
    """J4: a null is as good as an absent field; fields that no model knows are left alone; 64-bit numbers are plain ints."""
    db.collection(Item).insert_many(
        [{"_id": 1, "n": None, "m": bson.Int64(7), "extra": 1}, {"_id": 2, "n": 5, "m": 2**40, "price": bson.Decimal128("2.00")}]
    )
    assert [(each.n, each.m) for each in Item.select().where(Item.n.is_null())] == [(None, 7)]
    assert [each.id for each in Item.select().where(~(Item.n == 3))] == [2]
    assert {type(value) for row in Item.select(Item.m, fn.MAX(Item.m)).group_by(Item.m).tuples() for value in row} == {int}
    Item.update(n=1).where(Item.id == 1).execute()
    assert stored(Item)[0] == {"_id": 1, "n": 1, "m": 7, "extra": 1}


def test_json_is_compared_as_a_whole(Item):
    """J3: a list is one value: neither its members nor a NULL among them are those of the column."""
    values = [[1, 2], 1, "1", {"$gt": 0}, [None], {"a": {"b": 1}}]
    for value in values:
        Item.create(meta=value)
    Item.create()
    assert [each.meta for each in Item.select().order_by(Item.id)] == [*values, None]
    for value in values:
        assert [each.meta for each in Item.select().where(Item.meta == value)] == [value]
    assert Item.select().where(Item.meta.is_null()).count() == 1
    assert Item.select().where(Item.meta != 1).count() == 5


@pytest.mark.parametrize("name", ["a.b", "$a", "_id"])
def test_a_column_that_mongodb_reads_otherwise_is_refused(Base, db, name):
    """J4: a name with a dot, a dollar in front, or _id means something else within a document."""

    class Odd(Base):
        field = peewee.CharField(column_name=name)

    with pytest.raises(UnsupportedQuery) as error:
        Odd.create_table()
    assert str(error.value) == (
        f"the column {name!r} of Odd on {db.address}: MongoDB reads a dot, a dollar and _id in a name as something else. "
        "Give the field another column_name."
    )


def test_a_collation_is_refused(Base, db):
    """J2: nothing is silently ignored: texts order by code point."""

    class Odd(Base):
        name = peewee.CharField(collation="NOCASE")

    with pytest.raises(UnsupportedQuery) as error:
        db.create_table(Odd)
    assert str(error.value) == (
        f"the collation NOCASE of Odd.name on {db.address}: texts compare by code point here. Leave it out; ** and contains() ignore case."
    )


# Keys


def test_keys_are_counted_outside_of_transactions(Item, db):
    """J4: gaps, as with sequences: what is rolled back does not give its key back."""
    Item.create()
    with pytest.raises(KeyError), db.atomic():
        Item.create()
        raise KeyError
    assert Item.create().id == 3
    assert [each.id for each in Item.select().order_by(Item.id)] == [1, 3]


def test_a_key_that_is_written_out_raises_the_counter(Item):
    """J4: an explicit key raises it."""
    Item.insert_many([{"id": 40}, {"id": 7}, {"n": 1}]).execute()
    assert [each.id for each in Item.select().order_by(Item.id)] == [7, 40, 41]
    Item.create(id=-5)
    assert Item.create().id == 42


def test_documents_that_came_without_the_counter_are_got_around(Item, db):
    """J4: after an import the counter stands below the keys that are there."""
    db.collection(Item).insert_many([{"_id": key, "m": 0} for key in (1, 2, 9)])
    assert Item.create().id == 10
    db.collection(Item).insert_one({"_id": 12, "m": 0})
    Item.insert_many([{"n": 1}, {"n": 2}]).execute()
    assert len({each.id for each in Item.select()}) == 7


def test_an_object_id_is_a_key(Base, db, on):
    """J4, H4: `ObjectIdField` keys are made on insert, found in every form, and referred to from another database."""

    class Photo(Base):
        id = ObjectIdField(primary_key=True)
        title = peewee.CharField()

    Near = on("sqlite")

    class Note(Near):
        photo = ObjectIdField(null=True)

    sync(db)
    sync(Near._meta.database)
    photo = Photo.create(title="a")
    assert type(photo.id) is bson.ObjectId and stored(Photo) == [{"_id": photo.id, "title": "a"}]
    for key in (photo.id, str(photo.id), str(photo.id).upper()):
        assert Photo.get_by_id(key) == photo
    some = [Photo(title="b"), Photo(title="c")]
    Photo.bulk_create(some)
    assert [Photo.get_by_id(each.id).title for each in some] == ["b", "c"]
    Note.create(photo=photo.id)
    assert Note.get(Note.photo == str(photo.id)).photo == photo.id
    assert [each.title for each in Photo.select().where(Photo.id.in_(Note.select(Note.photo)))] == ["a"]


def test_a_composite_key_is_a_unique_index(Base, db):
    """J4: beside an ObjectId; the parts are found, and unique together."""

    class Link(Base):
        a = peewee.IntegerField()
        b = peewee.IntegerField()

        class Meta:
            primary_key = peewee.CompositeKey("a", "b")

    sync(db)
    Link.insert_many([(1, 1), (1, 2)]).execute()
    with pytest.raises(DuplicateKey) as error:
        Link.create(a=1, b=2)
    assert str(error.value) == (
        "insert of Link with the a, b 1, 2: there is a row with these values already. "
        "Read it first, write on_conflict_ignore(), or call get_or_create()."
    )
    assert all(type(each["_id"]) is bson.ObjectId for each in stored(Link))
    assert Link.delete().where(Link._meta.primary_key == (1, 2)).execute() == 1
    assert [(index.columns, index.unique) for index in db.get_indexes("link")] == [(["a", "b"], True)]


# Indexes


def test_indexes_are_made_of_the_declaration(Item, db):
    """J4: unique indexes are partial, so that NULLs do not clash."""
    found = db.collection(Item).index_information()
    assert {name: (each["key"], each.get("unique"), each.get("partialFilterExpression")) for name, each in found.items()} == {
        "_id_": ([("_id", 1)], None, None),
        "uq_item_title": ([("title", 1)], True, {"title": {"$exists": True}}),
        "ix_item_n": ([("n", 1)], None, None),
    }
    Item.insert_many([{"n": 1}, {"n": 2}]).execute()
    with assert_queries(1), pytest.raises(DuplicateKey) as error:
        Item.insert_many([{"title": "a"}, {"title": "a"}]).execute()
    assert str(error.value) == (
        "insert of Item with the title 'a': there is a row with this value already. "
        "Read it first, write on_conflict_ignore(), or call get_or_create()."
    )
    assert error.value.columns == ["title"] and isinstance(error.value, peewee.IntegrityError)
    assert Item.select().count() == 2


def test_an_index_that_becomes_unique_is_made_anew(Item, db):
    """J4: an index of the same name and another definition; where rows break the new one, the old one stays."""
    Item.insert_many([{"n": 1}, {"n": 1}, {}, {}]).execute()
    unique = Item.index(Item.n, unique=True, name="ix_item_n")
    with pytest.raises(DuplicateKey) as error:
        db.create_index(Item, unique)
    assert str(error.value) == (
        "a unique index of Item with the n 1: there is a row with this value already. "
        "Change or delete all of the rows with it but one."
    )
    assert "unique" not in db.collection(Item).index_information()["ix_item_n"]
    Item.update(n=Item.id).execute()
    db.create_index(Item, unique)
    db.create_index(Item, unique)
    assert db.collection(Item).index_information()["ix_item_n"]["unique"] is True
    db.drop_index(Item, "ix_item_n")
    assert [index.name for index in db.get_indexes("item")] == ["uq_item_title"]


def test_a_table_that_was_never_made_takes_no_rows(Base, db):
    """J4: indexes are made by sync; MongoDB would make a collection without them."""

    class Late(Base):
        name = peewee.CharField(unique=True)

    with pytest.raises(MissingTable):
        list(Late.select())
    with pytest.raises(MissingTable) as error:
        Late.create(name="a")
    assert str(error.value) == (
        f"insert of Late on {db.address}: there is no collection 'late', and one without its unique indexes would take duplicates. "
        "Make it first: sync(database), or Model.create_table()."
    )
    sync(db)
    Late.create(name="a")
    assert db.get_tables() == ["late"]


# Statements


def test_each_query_is_one_statement_of_the_hooks(Item, db):
    """J8: one event per executed query, with the plan as its parameter."""
    with assert_queries(4) as events:
        item = Item.create(title="a")
        Item.get_by_id(item.id)
        Item.update(n=Item.m + 1).where(Item.id.in_(Item.select(Item.id))).execute()
    assert [event.sql for event in events] == ["INSERT item", "SELECT item", "SELECT item", "UPDATE item"]
    assert [[type(each).__name__ for each in event.params] for event in events] == [["Insert"], ["Read"], ["Read"], ["Change"]]


def test_whole_numbers_are_computed_exactly(Item):
    """J2: a division is cut towards zero, beyond the digits of a double, too."""
    large = 2**62 + 1
    for number in (7, -7, large):
        Item.create(n=number)
    Item.update(m=Item.n / 2).execute()
    assert [each.m for each in Item.select().order_by(Item.id)] == [3, -3, large // 2]
    Item.update(m=Expression(Item.n, OP.MOD, 4)).execute()
    assert [each.m for each in Item.select().order_by(Item.id)] == [3, -3, 1]
    Item.update(n=Item.n - 1, m=Item.n).where(Item.id == 1).execute()
    assert (Item.get_by_id(1).n, Item.get_by_id(1).m) == (6, 7)


def test_what_is_computed_fits_its_column(Item):
    """J3: NULL for a NOT NULL field, 64 bits, infinity and a division by zero: errors, and nothing is written."""
    Item.insert_many([{"n": 1, "ratio": 1.0}, {"n": 2**62, "ratio": 1e300}, {"n": None}]).execute()
    before = stored(Item)
    with pytest.raises(NullNotAllowed) as error:
        Item.update(m=Item.n + 1).execute()
    assert str(error.value) == "update of Item with NULL for m: it is declared NOT NULL. Give a value, or declare null=True."
    with pytest.raises(UnfitValue) as error:
        Item.update(ratio=Item.ratio * 1e300).execute()
    assert str(error.value) == (
        "update of Item.ratio: what it computes is not finite for some rows. Leave out the rows with such values by where()."
    )
    for query in (Item.update(n=Item.n * 4), Item.update(n=Item.n / 0)):
        with pytest.raises(peewee.DataError):
            query.execute()
    Item.insert(n=2**62).execute()
    with pytest.raises(peewee.DataError):
        Item.select(fn.SUM(Item.n)).scalar()
    assert stored(Item)[:-1] == before
    Item.update(price=Item.n, ratio=Item.n).where(Item.n == 1).execute()
    assert (Item.get_by_id(1).price, Item.get_by_id(1).ratio) == (D("1.00"), 1.0)


def test_one_statement_may_be_larger_than_one_document(Item):
    """J4: 40 MB in one INSERT; a document that is too large is refused."""
    text = "x" * 1_000_000
    assert Item.insert_many([{"meta": text} for _ in range(40)]).as_rowcount().execute() == 40
    assert Item.select(Item.meta).where(Item.id == 40).scalar() == text
    with pytest.raises(peewee.DataError):
        Item.create(meta=text * 17)
    assert Item.select().count() == 40


def test_an_insert_of_many_rows_is_one(Item, db):
    """J7: each statement is atomic: the rows before a duplicate are not there either."""
    Item.create(title="c")
    with pytest.raises(DuplicateKey):
        Item.insert_many([{"title": "a"}, {"title": "b"}, {"title": "c"}]).execute()
    with pytest.raises(DuplicateKey):
        Item.update(title="z").execute() if Item.create(title="d") else None
    assert [each.title for each in Item.select().order_by(Item.title)] == ["c", "d"]


@pytest.mark.parametrize("inside", [False, True])
def test_rows_that_are_in_the_way_are_left_or_replaced(Item, db, inside):
    """J2: on_conflict_ignore and replace, by the primary key and by every unique column, in a transaction too."""
    Item.insert_many([{"id": 1, "title": "a"}, {"id": 2, "title": "b"}]).execute()
    with db.atomic() if inside else db.connection_context() if db.is_closed() else _nothing():
        assert Item.insert(title="a").on_conflict_ignore().execute() is None
        rows = [{"title": "b"}, {"title": "c"}, {"id": 1, "title": "new"}, {"title": None}]
        assert Item.insert_many(rows).on_conflict(action="nothing").as_rowcount().execute() == 2
        assert Item.select().count() == 4
        Item.replace(id=1, title="b", n=5).execute()  # the place of two rows
        Item.replace(title="c", n=6).execute()
    assert [(each.title, each.n) for each in Item.select().order_by(Item.title)] == [(None, None), ("b", 5), ("c", 6)]


class _nothing:
    def __enter__(self):
        return self

    def __exit__(self, *arguments):
        return None


@pytest.mark.parametrize("text", ["a*" * 5_000, "ä" * 3_000])
def test_a_long_text_is_sought(Item, text):
    """I2: criteria's startsWith and contains, beyond what a regular expression may have."""
    from activeassoc.criteria import parse

    Item.insert_many([{"title": text}, {"title": "x" + text}, {"title": text.upper()}, {}]).execute()
    for criteria, expected in [
        ({"title": {"startsWith": text}}, [1]),
        ({"title": {"contains": text}}, [1, 2]),
        ({"not": {"title": {"contains": text}}}, [3, 4]),
    ]:
        assert [each.id for each in Item.select().where(parse(Item, criteria)).order_by(Item.id)] == expected


# Transactions


def test_a_statement_that_fails_aborts_the_transaction(Item, db):
    """J7: no savepoints: what is caught within the block does not save it, and every later statement says so."""
    Item.create(n=2**62)
    with pytest.raises(TransactionAborted) as error, db.atomic():
        Item.create(title="a")
        with pytest.raises(peewee.DataError):
            Item.update(n=Item.n * 4).execute()
        Item.select().count()
    server_said = error.value.because.partition("(")[2].rpartition(")")[0]
    assert "overflow" in server_said and str(error.value) == (
        f"executing on {db.address}: the transaction was aborted: a statement in it failed ({server_said}). "
        "Leave the outermost block by an error, and run it as a whole again."
    )
    assert Item.select().count() == 1 and not db.in_transaction()


def test_a_block_within_another_dooms_it(Item, db):
    """J7: a nested block that fails dooms the outer one, and commit says so."""
    with pytest.raises(TransactionAborted) as error, db.atomic():
        Item.create(title="a")
        with pytest.raises(KeyError), db.atomic():
            Item.create(title="b")
            raise KeyError
    assert str(error.value) == (
        f"executing on {db.address}: the transaction was aborted: a block within it had written and was left by an error, and it cannot be "
        "undone alone. Leave the outermost block by an error, and run it as a whole again."
    )
    assert Item.select().count() == 0


def test_a_duplicate_within_a_transaction_can_be_caught(Item, db):
    """J7: rows that are in the way are found before MongoDB would abort; a block that wrote nothing has nothing to undo."""
    Item.create(title="a")
    with db.atomic():
        Item.create(title="b")
        with pytest.raises(DuplicateKey):
            Item.create(title="a")
        assert Item.get_or_create(title="a")[1] is False
        with pytest.raises(KeyError), db.atomic():
            raise KeyError
        with db.atomic():
            Item.create(title="c")
    assert [each.title for each in Item.select().order_by(Item.id)] == ["a", "b", "c"]


def test_a_transaction_is_seen_when_it_is_over(Item, db, on):
    """J7: `atomic()` is a transaction; others do not see it before its end."""
    with db.atomic():
        Item.create(title="a")
        assert Item.select().count() == 1
        assert db.collection(Item).count_documents({}) == 0
    assert db.collection(Item).count_documents({}) == 1


# A server that stands alone


@pytest.fixture
def alone(tmp_path):
    """A server without a replica set."""
    server = secantus.SecantusDBServer(storage_path=str(tmp_path / "alone"), replica_set_name=None)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def Single(alone):
    from conftest import base_on

    database = connect(f"{alone.uri}single", serverSelectionTimeoutMS=300)
    Base = base_on(database, __name__)

    class Single(Base):
        title = peewee.CharField(null=True, unique=True)
        n = peewee.IntegerField(default=0)

    sync(database)
    yield Single
    database.close()


def test_a_server_that_stands_alone_has_no_transactions(Single):
    """J7: `db.transactions` is False, and leaving the block by an exception after a successful write warns."""
    db = Single._meta.database
    assert db.transactions is False and db.capabilities.transactions is False
    with pytest.raises(KeyError), db.atomic():
        Single.select().count()
        raise KeyError
    with pytest.warns(NoTransactionWarning) as warned, pytest.raises(KeyError), db.atomic():
        Single.create(title="a")
        assert Single.get_or_create(title="a")[1] is False
        Single.create(title="b")
        raise KeyError
    assert [str(each.message) for each in warned] == [
        f"leaving atomic() on {db.address} by an error: there are no transactions here, and 2 statements that have written already cannot "
        "be undone. See what was written, and put last in such a block what may fail."
    ]
    assert [each.filename for each in warned] == [__file__]
    assert [each.title for each in Single.select()] == ["a", "b"]
    with pytest.warns(NoTransactionWarning) as warned, db.atomic():
        Single.create(title="c")
        with pytest.raises(KeyError), db.atomic():
            Single.create(title="d")
            raise KeyError
    assert [each.message.writes for each in warned] == [1]


def test_a_statement_is_one_where_there_are_no_transactions(Single):
    """J7: each statement is atomic; an INSERT that meets a duplicate takes back what it had written."""
    Single.create(title="c")
    with pytest.raises(DuplicateKey):
        Single.insert_many([{"title": "a"}, {"title": "b"}, {"title": "c"}]).execute()
    assert [each.title for each in Single.select()] == ["c"]
    assert Single.insert_many([{"title": "b"}, {"title": "c"}]).on_conflict_ignore().as_rowcount().execute() == 1
    Single.replace(title="c", n=5).execute()
    assert [(each.title, each.n) for each in Single.select().order_by(Single.title)] == [("b", 0), ("c", 5)]


# The server goes


def test_an_absent_server_is_told(on):
    """J6: a clear connection error, in bounded time, without the password."""
    database = connect("mongodb://ann:secret@127.0.0.1:1/app", serverSelectionTimeoutMS=200)
    start = time.monotonic()
    with pytest.raises(ConnectError) as error:
        database.connect()
    assert time.monotonic() - start < 10
    text = str(error.value)
    assert text == (
        "connecting to mongodb://ann@127.0.0.1:1/app: 127.0.0.1:1: [Errno 111] Connection refused. "
        "See that the server runs there, and that host, port, user, password, database and options are right."
    )
    assert isinstance(error.value, peewee.OperationalError) and isinstance(error.value, AssociationError)


def test_a_wrong_password_is_told(tmp_path):
    """J6: what the server refuses is a clear error, without the password; also where nothing but names are asked for."""
    server = secantus.SecantusDBServer(storage_path=str(tmp_path / "locked"), require_auth=True)
    server.start()
    try:
        database = connect(f"mongodb://ann:sec%40ret@127.0.0.1:{server.port}/app")
        with pytest.raises(ConnectError) as error:
            database.connect()
        assert str(error.value) == (
            f"connecting to mongodb://ann@127.0.0.1:{server.port}/app: user and password are not accepted. "
            "See that the server runs there, and that host, port, user, password, database and options are right."
        )
        nobody = connect(f"mongodb://127.0.0.1:{server.port}/app")
        for ask in (nobody.get_tables, lambda: nobody.get_indexes("item")):
            with pytest.raises(peewee.OperationalError):
                ask()
        nobody.close()
    finally:
        server.stop()


def test_a_server_that_comes_back_is_reconnected_to(tmp_path):
    """J6: it goes away, in the middle of an answer too, and comes back."""
    from conftest import base_on

    folder = str(tmp_path / "wire")
    server = secantus.SecantusDBServer(storage_path=folder)
    server.start()
    database = connect(f"{server.uri}app", serverSelectionTimeoutMS=300)

    class Item(base_on(database, __name__)):
        n = peewee.IntegerField()

    sync(database)
    Item.insert_many([{"n": number} for number in range(1_000)]).execute()
    rows = Item.select().iterator()
    assert next(rows).n is not None
    port = server.port
    server.stop()
    with pytest.raises(peewee.OperationalError):
        list(rows)
    with pytest.raises(ConnectError):
        Item.select().count()
    with pytest.raises(ConnectError), database.atomic():
        Item.create(n=1)
    server = secantus.SecantusDBServer(storage_path=folder, port=port)
    server.start()
    try:
        assert Item.select().count() == 1_000
        with database.atomic():
            Item.create(n=1)
        assert Item.select().count() == 1_001
    finally:
        database.close()
        server.stop()


def test_a_server_that_has_gone_is_not_waited_for_at_the_end(tmp_path):
    """J5: closing the client would look for a server, for as long as that may take, to tell it that sessions have ended."""
    server = secantus.SecantusDBServer(storage_path=str(tmp_path / "gone"))
    server.start()
    database = connect(f"{server.uri}app", serverSelectionTimeoutMS=4_000)
    database.documents()["thing"].insert_one({})
    client = database.client()
    server.stop()
    began = time.monotonic()
    while client.topology_description.has_readable_server() and time.monotonic() < began + 3:
        time.sleep(0.01)
    began = time.monotonic()
    database.dispose()
    assert time.monotonic() < began + 1


def test_a_forked_process_has_a_client_of_its_own(python, Base, db):
    """J8: one client per database, safe for forks: parent and child go on, and a block that was open belongs to the parent."""

    class Item(Base):
        n = peewee.IntegerField()

    sync(db)
    printed = python(
        """
        import os, sys
        import peewee
        from activeassoc import Model, connect
        from activeassoc.errors import TransactionAborted
        db = connect(sys.argv[1])
        class Item(Model):
            n = peewee.IntegerField()
            class Meta:
                database = db
        Item.create(n=1)
        with db.atomic():
            Item.create(n=2)
            child = os.fork()
            if not child:
                try:
                    Item.create(n=3)
                except TransactionAborted as error:
                    print(error.because, flush=True)
                os._exit(0)
            os.waitpid(child, 0)
        child = os.fork()
        if not child:
            Item.create(n=4)
            os._exit(0)
        os.waitpid(child, 0)
        Item.create(n=5)
        print(sorted(each.n for each in Item.select()))
        """.replace("\n        ", "\n"),
        f"{db._url}",
    )
    assert printed.splitlines() == ["the transaction was aborted: the process was forked within it", "[1, 2, 4, 5]"]
    assert os.getpid() == db._client.process


def test_dispose_closes_the_client_of_all_threads(Base):
    """J5: one client serves all threads; a program that is done with a database need not wait until it is collected."""
    database = Base._meta.database
    client = database.client()
    database.close()
    from pymongo.errors import InvalidOperation

    database.dispose()
    with pytest.raises(InvalidOperation):
        client.admin.command("ping")
    assert database.connect() is True and database.client() is not client  # and it can be used again
