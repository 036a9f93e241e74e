"""What the library gives to tests of other programs."""

from __future__ import annotations

import threading

import peewee
import pytest

import activeassoc
from activeassoc.testing import assert_queries


def test_statements_are_counted_and_yielded(db):
    """Cost is behaviour: the block must execute exactly so many statements."""
    with assert_queries(2, db) as events:
        db.execute_sql("SELECT 1")
        db.execute_sql("SELECT 2")
    assert [event.sql for event in events] == ["SELECT 1", "SELECT 2"] and db.query_hooks == []


def test_another_number_is_an_error_that_lists_the_statements(db):
    """On mismatch AssertionError lists the statements with parameters."""
    mark = db.param
    with pytest.raises(AssertionError) as error, assert_queries(1, db):
        db.execute_sql("SELECT 1")
        db.execute_sql(f"SELECT {mark}", (7,))
    assert str(error.value) == f"expected 1 statement, executed 2\n  1. SELECT 1\n  2. SELECT {mark}  -- [7]"
    with pytest.raises(AssertionError, match=r"^expected 2 statements, executed 0$"), assert_queries(2, db):
        pass
    assert db.query_hooks == []


def test_an_error_of_the_block_goes_through(db):
    """Hooks are removed on exit also on errors."""
    with pytest.raises(ZeroDivisionError), assert_queries(5, db):
        raise ZeroDivisionError
    assert db.query_hooks == []
    with pytest.raises(peewee.PeeweeException), assert_queries(1, db) as events:
        db.execute_sql("no statement")
    assert len(events) == 1 and isinstance(events[0].exception, Exception)


def test_transactions_and_the_lock_of_the_owner_are_not_counted(db):
    """BEGIN, COMMIT, ROLLBACK, SAVEPOINT, RELEASE and the owner's row lock do not count."""
    db.execute_sql("CREATE TABLE t (n INTEGER)")
    with assert_queries(1, db) as events, db.atomic():
        with db.atomic():
            if db.for_update:
                db.execute_sql("SELECT n FROM t FOR UPDATE")
        with pytest.raises(ZeroDivisionError), db.atomic():
            raise ZeroDivisionError
        db.execute_sql("SELECT n AS begun FROM t")
    assert [event.sql for event in events] == ["SELECT n AS begun FROM t"]


def test_blocks_nest_and_see_only_their_thread(db):
    """Nestable; counts what the calling thread executes."""

    def elsewhere():
        db.execute_sql("SELECT 3")
        db.close()

    with assert_queries(2, db):
        db.execute_sql("SELECT 1")
        with assert_queries(1, db):
            db.execute_sql("SELECT 2")
            thread = threading.Thread(target=elsewhere)
            thread.start()
            thread.join()


def test_other_hooks_stay(db):
    """Hooks of the program's own see every statement, within the block and after it."""
    seen = []
    db.query_hooks.append(seen.append)
    with assert_queries(1, db):
        db.execute_sql("SELECT 1")
    db.execute_sql("SELECT 2")
    assert [event.sql for event in seen] == ["SELECT 1", "SELECT 2"]


def test_without_databases_those_of_all_models_are_counted(store):
    """Without arguments: every database of every model known, also one behind a proxy."""
    one, two = store.connect(), store.connect()
    proxy = peewee.DatabaseProxy()
    proxy.initialize(two)

    class Near(activeassoc.Model):
        class Meta:
            database = one

    class Far(activeassoc.Model):
        class Meta:
            database = proxy

    with assert_queries(2):
        one.execute_sql("SELECT 1")
        two.execute_sql("SELECT 2")
    with assert_queries(1, proxy):
        one.execute_sql("SELECT 1")
        two.execute_sql("SELECT 2")
    assert one.query_hooks == two.query_hooks == []


ALONE = """
from activeassoc.testing import assert_queries
try:
    with assert_queries(0):
        pass
except Exception as error:
    print(f"{type(error).__name__}: {error}")
"""


def test_a_count_that_could_see_nothing_is_refused(python):
    """A test that cannot fail is a defect: with no database there is nothing to count."""
    assert python(ALONE) == (
        "AssociationError: assert_queries(): there is no model with a database yet, so that nothing could be counted. "
        "Define the models first, or give the database: assert_queries(1, db)."
    )
