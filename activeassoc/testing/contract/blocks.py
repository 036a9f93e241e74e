"""What is around a store's statements: transactions or their absence, tables and indexes, threads, and what query hooks see.

Map: `Blocks` has the tests.
"""

from __future__ import annotations

import threading
import warnings
from typing import Any

import peewee
import pytest

from activeassoc.errors import NoTransactionWarning
from activeassoc.stores.capabilities import Store, store_of
from activeassoc.sync import drop, sync
from activeassoc.testing.contract.ground import Ground, made, model, skip_with_sql, skip_without
from activeassoc.testing.counting import assert_queries


class Blocks(Ground):
    """What is around statements."""

    # Transactions

    def test_a_block_that_ends_is_written(self, Item: Any, database: Any) -> None:
        """J7: what atomic() has around it is there afterwards, and is seen within."""
        with database.atomic():
            Item.create(code="a")
            with database.atomic():
                Item.create(code="b")
            assert Item.select().count() == 2
        assert Item.select().count() == 2 and not database.in_transaction()

    def test_a_block_that_fails_is_undone(self, Item: Any, database: Any, capabilities: Store) -> None:
        """J7: left by an error, a transaction has written nothing."""
        skip_without(capabilities, "transactions")
        Item.create(code="a")
        with pytest.raises(ZeroDivisionError), database.atomic():
            Item.create(code="b")
            Item.update(number=1).execute()
            Item.delete().where(Item.code == "a").execute()
            raise ZeroDivisionError
        assert [(item.code, item.number) for item in Item.select()] == [("a", None)] and not database.in_transaction()
        Item.create(code="b")

    def test_a_block_within_another_is_undone_alone(self, Item: Any, database: Any, capabilities: Store) -> None:
        """J7: savepoints."""
        skip_without(capabilities, "savepoints")
        with database.atomic():
            Item.create(code="a")
            with pytest.raises(ZeroDivisionError), database.atomic():
                Item.create(code="b")
                raise ZeroDivisionError
            Item.create(code="c")
        assert sorted(item.code for item in Item.select()) == ["a", "c"]

    def test_a_block_within_another_dooms_it_without_savepoints(self, Item: Any, database: Any, capabilities: Store) -> None:
        """J7: no savepoints: a nested block that fails dooms the outer one, and commit says so."""
        skip_without(capabilities, "transactions")
        if capabilities.savepoints:
            pytest.skip("the store has savepoints")
        with pytest.raises(peewee.InternalError), database.atomic():
            Item.create(code="a")
            with pytest.raises(ZeroDivisionError), database.atomic():
                Item.create(code="b")
                raise ZeroDivisionError
        assert Item.select().count() == 0 and not database.in_transaction()
        Item.create(code="a")

    def test_a_block_that_cannot_be_undone_warns(self, Item: Any, database: Any, capabilities: Store) -> None:
        """J7: without transactions, leaving the block by an error after a successful write warns; `db.transactions` says so before."""
        if capabilities.transactions:
            pytest.skip("the store has transactions")
        assert database.transactions is False
        with pytest.warns(NoTransactionWarning), pytest.raises(ZeroDivisionError), database.atomic():
            Item.create(code="a")
            raise ZeroDivisionError
        assert [item.code for item in Item.select()] == ["a"] and not database.in_transaction()
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with pytest.raises(peewee.IntegrityError), database.atomic():
                Item.create(code="a")  # nothing was written, and there is nothing to warn of
            Item.get_or_create(code="a")

    def test_the_database_tells_what_it_can(self, database: Any) -> None:
        """J7: capabilities are asked for, and a store without SQL brings its own."""
        found = store_of(database)
        assert isinstance(found, Store)
        if not found.sql:
            assert found.transactions is database.transactions

    # Tables

    def test_sync_makes_what_is_missing_once(self, Base: Any, database: Any) -> None:
        """E3, E7: a table with its indexes; running it twice does nothing; drop takes it away, and all that was in it."""
        Note = model("Note", (Base,), text=peewee.CharField(index=True), number=peewee.IntegerField(unique=True))
        dry = sync(Note, dry_run=True)
        assert dry.created == ("note",) and dry.statements and not database.table_exists("note")
        assert sync(Note).created == ("note",) and database.table_exists("note")
        for report in (sync(Note), sync(Note, alter=True), sync(Note, dry_run=True)):
            assert not report and report.differences == ()
        Note.create(text="a", number=1)
        assert drop(Note).dropped == ("note",) and not database.table_exists("note")
        assert not drop(Note) and sync(Note).created == ("note",) and Note.select().count() == 0

    def test_force_makes_a_table_again(self, Item: Any) -> None:
        """E6: `force=True` drops and recreates."""
        Item.create(code="a")
        report = sync(Item, force=True)
        assert (report.dropped, report.created, Item.select().count()) == (("item",), ("item",), 0)
        Item.create(code="a")

    def test_an_index_comes_to_rows_that_are_there(self, Base: Any) -> None:
        """E5, J5: without alter=True a difference; with it the index is there, finds the rows, and holds what is unique."""
        columns = {"text": peewee.CharField, "number": peewee.IntegerField}
        made(model("Note", (Base,), **{name: kind() for name, kind in columns.items()})).insert_many(
            [{"text": f"t{n % 10}", "number": n} for n in range(1_200)]
        ).execute()
        Note = model("Note", (Base,), text=peewee.CharField(index=True), number=peewee.IntegerField(unique=True))
        assert sync(Note).differences == (
            "note has no index on text: sync(alter=True) adds it",
            "note has no unique index on number: sync(alter=True) adds it",
        )
        assert sync(Note, alter=True).indexes == ("ix_note_text", "uq_note_number")
        assert not sync(Note, alter=True) and sync(Note).differences == ()
        assert Note.select().where(Note.text == "t3").count() == 120
        with pytest.raises(peewee.IntegrityError):
            Note.create(text="new", number=5)
        Note.update(text="new").where(Note.number < 100).execute()
        assert (Note.select().where(Note.text == "new").count(), Note.select().where(Note.text == "t3").count()) == (100, 110)

    def test_a_unique_index_is_refused_where_rows_break_it(self, Base: Any) -> None:
        """E10: the error names the table; the rows stay, and the index is not there."""
        made(model("Note", (Base,), number=peewee.IntegerField())).insert_many([{"number": 1}, {"number": 1}]).execute()
        Note = model("Note", (Base,), number=peewee.IntegerField(unique=True))
        with pytest.raises(peewee.DatabaseError) as error:
            sync(Note, alter=True)
        assert error.value.table == "note" and Note.select().count() == 2  # type: ignore[attr-defined]
        assert sync(Note).differences == ("note has no unique index on number: sync(alter=True) adds it",)
        Note.create(number=1)
        Note.delete().execute()
        assert sync(Note, alter=True).indexes == ("uq_note_number",)

    def test_an_index_that_is_sql_is_refused(self, Base: Any, capabilities: Store) -> None:
        """E10: an index on an expression would be missed; sync says so before it writes."""
        skip_with_sql(capabilities)
        Note = model("Note", (Base,), text=peewee.CharField())
        Note.add_index(Note.index(Note.text, where=(Note.text != "")))
        with pytest.raises(peewee.DatabaseError):
            sync(Note)
        assert not Note.table_exists()

    def test_peewee_makes_tables_too(self, Base: Any, database: Any) -> None:
        """J2: create_table, table_exists, truncate_table, drop_table, create_tables and get_tables, of peewee."""
        Note = model("Note", (Base,), number=peewee.IntegerField(unique=True))
        database.create_tables([Note])
        Note.create_table()
        assert Note.table_exists() and "note" in database.get_tables()
        Note.create(number=1)
        with pytest.raises(peewee.IntegrityError):
            Note.create(number=1)
        Note.truncate_table()
        assert Note.select().count() == 0 and Note.table_exists()
        Note.drop_table()
        assert not Note.table_exists() and "note" not in database.get_tables()

    # Programs

    def test_each_query_is_one_event(self, rows: Any, database: Any) -> None:
        """J8: one event per executed query reaches query_hooks, with its time; a failed one brings its error."""
        with assert_queries(6, database) as events:
            list(rows.select().where(rows.number > 1).order_by(rows.name))
            rows.create(code="h")
            rows.update(number=3).where(rows.shelf == "x").execute()
            rows.delete().where(rows.code == "h").execute()
            rows.select().count()
            with pytest.raises(peewee.IntegrityError):
                rows.create(code="a")
        assert [event.sql.split()[0] for event in events] == ["SELECT", "INSERT", "UPDATE", "DELETE", "SELECT", "INSERT"]
        assert [event.exception is None for event in events] == [True] * 5 + [False]

    def test_threads_write_side_by_side(self, Item: Any, database: Any) -> None:
        """J8: one database for all threads; nothing is lost, and each record has a key of its own."""
        failed: list[BaseException] = []

        def write(thread: int) -> None:
            try:
                for number in range(10):
                    Item.create(code=f"{thread}-{number}", number=number)
                    Item.update(other=thread).where(Item.code == f"{thread}-{number}").execute()
            except BaseException as error:
                failed.append(error)
            finally:
                database.close()

        threads = [threading.Thread(target=write, args=(thread,)) for thread in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failed == [] and len({item.id for item in Item.select()}) == 40
        assert sorted((item.code, item.other) for item in Item.select()) == sorted((f"{t}-{n}", t) for t in range(4) for n in range(10))

    def test_one_row_has_one_winner(self, Item: Any, database: Any) -> None:
        """C17, J5: an update is evaluated on the row as it is then; a unique value is had by one."""
        Item.create(code="counter", number=0)
        refused: list[int] = []

        def write() -> None:
            try:
                for number in range(10):
                    Item.update(number=Item.number + 1).where(Item.code == "counter").execute()
                    try:
                        Item.create(code=f"only {number}")
                    except peewee.IntegrityError:
                        refused.append(number)
            finally:
                database.close()

        threads = [threading.Thread(target=write) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert Item.get(Item.code == "counter").number == 40
        assert len(refused) == 30 and Item.select().count() == 11

    def test_a_closed_database_opens_again(self, Item: Any, database: Any) -> None:
        """J6: close() and use again."""
        Item.create(code="a")
        database.close()
        assert database.is_closed() and Item.select().count() == 1 and not database.is_closed()
