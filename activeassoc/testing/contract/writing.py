"""Writing to a store: what creates, changes and removes records, and what is refused while nothing is written.

Map: `Writing` has the tests; the models with keys of other kinds are made in them.
"""

from __future__ import annotations

import uuid
from typing import Any

import peewee
import pytest

from activeassoc.stores.capabilities import Store
from activeassoc.testing.contract.ground import Ground, codes, made, model, skip_with_sql, skip_without


class Writing(Ground):
    """What is written, and stays so."""

    def test_a_record_is_created_changed_and_deleted(self, Item: Any) -> None:
        """J2: create, save, delete_instance; each tells what it did."""
        item = Item.create(code="a", number=1)
        assert item.id is not None and (item.shelf, Item.get_by_id(item.id).number) == ("plain", 1)
        item.number, item.name = 2, "ann"
        assert item.save() == 1 and Item.get_by_id(item.id).name == "ann"
        item.name = None
        assert item.save(only=[Item.name]) == 1 and Item.get_by_id(item.id).name is None
        assert item.save() == 1, "a record that is as it was is there all the same"
        assert item.delete_instance() == 1 and Item.get_or_none(Item.id == item.id) is None
        assert item.delete_instance() == 0

    def test_keys_go_up(self, Item: Any) -> None:
        """J4: automatic keys are given to the records that are created, and are not given again."""
        first, second = Item.create(), Item.create()
        assert second.id > first.id
        Item.insert_many([{"code": "a"}, {"code": "b"}]).execute()
        assert len({item.id for item in Item.select()}) == 4

    def test_a_key_that_is_written_out_raises_the_counter(self, Item: Any, capabilities: Store) -> None:
        """J4: an explicit key is not met again by automatic ones."""
        skip_with_sql(capabilities)
        explicit = Item.create(id=Item.create().id + 1_000)
        assert Item.create().id > explicit.id
        Item.insert_many([{"id": explicit.id + 1_000, "code": "a"}, {"id": explicit.id + 500, "code": "b"}]).execute()
        assert Item.create().id > explicit.id + 1_000

    def test_many_records_are_created_at_once(self, Item: Any) -> None:
        """J2: insert_many, of dicts and of tuples; defaults are filled in."""
        Item.insert_many([{"code": "a", "number": 1}, {"code": "b", "number": 2}]).execute()
        Item.insert_many([("c",), ("d",)], fields=[Item.code]).execute()
        assert codes(Item.select()) == "abcd" and {item.shelf for item in Item.select()} == {"plain"}
        assert Item.insert_many([{"code": "e"}, {"code": "f"}]).as_rowcount().execute() == 2

    def test_records_that_are_created_at_once_get_their_keys(self, Item: Any, database: Any) -> None:
        """J2: bulk_create, in batches too; the records know their keys where the store tells them."""
        items = [Item(code=f"c{n}", number=n) for n in range(25)]
        Item.bulk_create(items, batch_size=10)
        assert Item.select().count() == 25
        if database.returning_clause:
            assert [Item.get_by_id(item.id).number for item in items] == list(range(25))

    def test_what_is_not_there_is_created(self, Item: Any) -> None:
        """J2: get_or_create."""
        first, created = Item.get_or_create(code="a", defaults={"number": 1})
        again, created_again = Item.get_or_create(code="a", defaults={"number": 2})
        assert (created, created_again, first == again, again.number, Item.select().count()) == (True, False, True, 1, 1)

    def test_rows_are_updated_where_the_condition_holds(self, rows: Any) -> None:
        """J2: update tells how many; expressions are computed from the row; NULL can be written."""
        assert rows.update(number=rows.number + 10).where(rows.shelf == "x").execute() == 3
        assert [item.number for item in rows.select().order_by(rows.code)] == [11, 12, 13, None, 5, 0, 7]
        assert rows.update(name=None).where(rows.number > 99).execute() == 0
        assert rows.update(name=None).execute() == 7 and rows.select().where(rows.name.is_null()).count() == 7

    def test_an_update_sees_the_row_as_it_was(self, rows: Any, capabilities: Store) -> None:
        """J2: two fields can be exchanged."""
        skip_with_sql(capabilities)
        assert rows.update({rows.number: rows.other, rows.other: rows.number}).where(rows.code == "a").execute() == 1
        assert (rows.get(rows.code == "a").number, rows.get(rows.code == "a").other) == (10, 1)

    def test_an_index_follows_what_is_updated(self, rows: Any) -> None:
        """J2: what was changed is found by its new value, and by the old one no more."""
        rows.update(shelf="w", number=5).where(rows.code.in_(["a", "b"])).execute()
        assert (codes(rows.select().where(rows.shelf == "w")), codes(rows.select().where(rows.shelf == "x"))) == ("ab", "c")
        assert codes(rows.select().where(rows.number == 5)) == "abe" and codes(rows.select().where(rows.number == 1)) == ""
        rows.update(code="z").where(rows.code == "a").execute()
        assert rows.get_or_none(rows.code == "a") is None and rows.get(rows.code == "z").name == "ann"
        rows.create(code="a")  # which is free again

    def test_several_records_are_changed_at_once(self, rows: Any, capabilities: Store) -> None:
        """J2: bulk_update, where queries may have CASE."""
        skip_without(capabilities, "expressions")
        items = list(rows.select())
        for item in items:
            item.number = 100
        assert rows.bulk_update(items, [rows.number]) == 7
        assert {item.number for item in rows.select()} == {100}

    def test_rows_are_deleted_where_the_condition_holds(self, rows: Any) -> None:
        """J2: delete tells how many; indexes forget them."""
        assert rows.delete().where(rows.shelf == "x").execute() == 3
        assert codes(rows.select()) == "defg" and codes(rows.select().where(rows.shelf == "x")) == ""
        assert rows.delete_by_id(rows.get(rows.code == "d").id) == 1
        rows.create(code="a")
        assert rows.delete().execute() == 4 and rows.select().count() == 0

    def test_what_is_there_is_left_alone(self, Item: Any) -> None:
        """J2: on_conflict_ignore inserts the rest."""
        Item.create(code="a", number=1)
        Item.insert(code="a", number=2).on_conflict_ignore().execute()
        Item.insert_many([{"code": "a"}, {"code": "b"}, {"code": "c"}]).on_conflict_ignore().execute()
        assert codes(Item.select()) == "abc" and Item.get(Item.code == "a").number == 1

    def test_what_was_left_alone_does_not_count(self, Item: Any, capabilities: Store) -> None:
        """J2: the number inserted, where the store tells it."""
        skip_without(capabilities, "conflict_nothing")
        Item.create(code="a")
        rows = [{"code": "a"}, {"code": "b"}, {"code": "c"}]
        assert Item.insert_many(rows).on_conflict(action="nothing").as_rowcount().execute() == 2
        assert Item.insert_many(rows).on_conflict(action="nothing").as_rowcount().execute() == 0

    def test_a_row_takes_the_place_of_another(self, Item: Any, capabilities: Store) -> None:
        """J2: replace, by primary key and by a unique value."""
        skip_without(capabilities, "replace")
        first, second = Item.create(code="a", number=1, other=9), Item.create(code="b")
        Item.replace(id=first.id, code="a", number=2).execute()
        found = Item.get(Item.code == "a")
        assert (found.id, found.number, found.other) == (first.id, 2, None)
        Item.replace(id=second.id, code="a").execute()
        assert [(item.id, item.code) for item in Item.select()] == [(second.id, "a")]

    # What is refused

    def test_a_duplicate_is_refused_and_nothing_written(self, rows: Any) -> None:
        """J2, J4: a primary key or a unique value that is there raises IntegrityError, in insert and update, of one row or many."""
        key = rows.get(rows.code == "a").id
        attempts: list[Any] = [
            lambda: rows.create(code="a"),
            lambda: rows.create(id=key, code="h"),
            lambda: rows.insert_many([{"code": "h"}, {"code": "a"}]).execute(),
            lambda: rows.insert_many([{"code": "h"}, {"code": "h"}]).execute(),
            lambda: rows.update(code="a").where(rows.code == "b").execute(),
            lambda: rows.update(code="h", number=99).execute(),
        ]
        before = sorted(rows.select().tuples())
        for attempt in attempts:
            with pytest.raises(peewee.IntegrityError):
                attempt()
            assert sorted(rows.select().tuples()) == before

    def test_nulls_are_no_duplicates(self, Item: Any) -> None:
        """J4: any number of rows may have NULL where a value is unique."""
        Item.insert_many([{"code": None}, {"code": None}]).execute()
        Item.create(code="a")
        Item.update(code=None).execute()
        assert Item.select().where(Item.code.is_null()).count() == 3

    def test_several_columns_are_unique_together(self, Base: Any) -> None:
        """J4: a unique index on two columns: both the same is a duplicate, one is none, and NULL is never one."""
        indexes = ((("left", "right"), True),)
        columns = {"left": peewee.IntegerField(), "right": peewee.IntegerField(null=True)}
        Pair = made(model("Pair", (Base,), **columns, Meta=type("Meta", (), {"indexes": indexes})))
        Pair.insert_many([{"left": 1, "right": right} for right in (1, 2, None, None)]).execute()
        with pytest.raises(peewee.IntegrityError):
            Pair.create(left=1, right=2)
        assert Pair.select().where((Pair.left == 1) & (Pair.right == 2)).count() == 1

    def test_a_required_value_is_required(self, Item: Any) -> None:
        """J3: NULL in a NOT NULL field raises IntegrityError, in insert and update."""
        item = Item.create(code="a")
        attempts: list[Any] = [
            lambda: Item.create(code="b", shelf=None),
            lambda: Item.insert_many([{"code": "b", "shelf": None}]).execute(),
            lambda: Item.update(shelf=None).where(Item.id == item.id).execute(),
        ]
        for attempt in attempts:
            with pytest.raises(peewee.IntegrityError):
                attempt()
        assert [(each.code, each.shelf) for each in Item.select()] == [("a", "plain")]

    def test_a_required_value_without_a_default_is_required(self, Base: Any) -> None:
        """J3: a NOT NULL field that is left out raises IntegrityError."""
        Note = made(model("Note", (Base,), text=peewee.CharField(), more=peewee.CharField(null=True)))
        with pytest.raises(peewee.IntegrityError):
            Note.insert(more="m").execute()
        assert Note.select().count() == 0

    def test_a_primary_key_stays(self, rows: Any, capabilities: Store) -> None:
        """J2: changing a primary key is refused on a store without SQL."""
        skip_with_sql(capabilities)
        with pytest.raises(peewee.NotSupportedError):
            rows.update({rows.id: 99}).where(rows.code == "a").execute()
        assert rows.get_or_none(rows.id == 99) is None

    # Other keys

    @pytest.mark.parametrize("kind", ["text", "uuid", "number"])
    def test_keys_that_the_program_gives(self, Base: Any, kind: str) -> None:
        """J2: a primary key of another kind is created, found, saved and deleted by, and is unique."""
        fields: dict[str, tuple[Any, Any, Any]] = {
            "text": (peewee.CharField(max_length=40, primary_key=True), "a:b", "é/?"),
            "uuid": (peewee.UUIDField(primary_key=True), uuid.UUID(int=7), uuid.UUID(int=2**128 - 1)),
            "number": (peewee.BigIntegerField(primary_key=True), -5, 2**62),
        }
        field, one, other = fields[kind]
        Named = made(model("Named", (Base,), key=field, title=peewee.CharField(null=True)))
        record = Named.create(key=one, title="one")
        Named.create(key=other, title="other")
        assert (Named.get_by_id(one).title, Named.get_by_id(other).title, Named.get_by_id(one).key) == ("one", "other", one)
        record.title = "changed"
        assert record.save() == 1 and Named.get_by_id(one).title == "changed"
        with pytest.raises(peewee.IntegrityError):
            Named.create(key=one)
        assert {each.key for each in Named.select().where(Named.key.in_([one, other]))} == {one, other}
        assert record.delete_instance() == 1 and [each.key for each in Named.select()] == [other]

    def test_a_key_of_two_columns(self, Base: Any) -> None:
        """J4: a composite key is unique, and finds, changes and deletes its row."""
        meta = type("Meta", (), {"primary_key": peewee.CompositeKey("left", "right")})
        columns = {"left": peewee.IntegerField(), "right": peewee.CharField(max_length=10), "note": peewee.CharField(null=True)}
        Pair = made(model("Pair", (Base,), **columns, Meta=meta))
        Pair.create(left=1, right="a", note="n")
        Pair.insert_many([{"left": 1, "right": "b"}, {"left": 2, "right": "a"}]).execute()
        with pytest.raises(peewee.IntegrityError):
            Pair.create(left=1, right="b")
        assert Pair.get_by_id((1, "a")).note == "n" and Pair.select().where(Pair.left == 1).count() == 2
        assert Pair.update(note="m").where((Pair.left == 1) & (Pair.right == "a")).execute() == 1
        Pair.insert(left=1, right="a").on_conflict_ignore().execute()
        assert Pair.get_by_id((1, "a")).note == "m"
        assert Pair.get_by_id((1, "a")).delete_instance() == 1 and Pair.select().count() == 2

    def test_a_table_without_a_primary_key(self, Base: Any) -> None:
        """J2: rows are inserted, found, changed and deleted by what they hold."""
        Log = made(model("Log", (Base,), text=peewee.CharField(), Meta=type("Meta", (), {"primary_key": False})))
        Log.insert_many([{"text": "a"}, {"text": "a"}, {"text": "b"}]).execute()
        assert Log.select().where(Log.text == "a").count() == 2
        assert Log.update(text="c").where(Log.text == "a").execute() == 2 and Log.delete().where(Log.text == "c").execute() == 2
        assert [log.text for log in Log.select()] == ["b"]

