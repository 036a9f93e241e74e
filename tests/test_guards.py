"""What reading and creating records costs, counted in calls and objects: the same on every machine, and much more when a slow road returns.

Not timed. The bounds are what was counted, and a little more; peewee's own way is far above them.
"""

from __future__ import annotations

import gc
import sys
import tracemalloc
from collections.abc import Callable
from typing import Any

import peewee
import pytest
from peewee import CharField, DateTimeField, IntegerField

from activeassoc import Model, connect, sync

NUMBER = 2_000


class Models:
    """One table, with a model of ours and one of peewee's own."""

    def __init__(self) -> None:
        self.db: Any = connect("sqlite://")

        class Post(Model):
            title = CharField()
            views = IntegerField(null=True)
            made = DateTimeField(null=True)

            class Meta:
                database = self.db

        class Plain(peewee.Model):
            title = CharField()
            views = IntegerField(null=True)
            made = DateTimeField(null=True)

            class Meta:
                database = self.db
                table_name = "post"

        self.Post: Any = Post
        self.Plain: Any = Plain
        sync(self.db)
        rows = [(f"title {number}", number + 1000, "2024-01-02 03:04:05") for number in range(NUMBER)]
        Post.insert_many(rows, fields=[Post.title, Post.views, Post.made]).execute()


@pytest.fixture
def m(monkeypatch: pytest.MonkeyPatch) -> Any:
    # A model of another test that still waits for its target would be looked at before each statement.
    monkeypatch.setattr("activeassoc.registry._waiting", [])
    made = Models()
    yield made
    made.db.close()


def calls(work: Callable[[], Any]) -> tuple[int, int]:
    """Calls of functions written in Python, and of those written in C, while `work` runs for the second time."""
    work()
    counted = {"call": 0, "c_call": 0}

    def count(frame: Any, event: str, argument: Any) -> None:
        if event in counted:
            counted[event] += 1

    sys.setprofile(count)
    try:
        work()
    finally:
        sys.setprofile(None)
    return counted["call"], counted["c_call"]


def weight(work: Callable[[], Any]) -> tuple[float, float]:
    """Objects that the collector has to look at, and bytes, for each record of the list that `work` returns."""
    work()
    gc.collect()
    gc.disable()  # a pass would take some of them out of what is counted
    try:
        before = len(gc.get_objects())
        records = work()
        objects = len(gc.get_objects()) - before
        number = len(records)
        del records
        tracemalloc.start()
        records = work()
        size, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        del records
    finally:
        gc.enable()
    return objects / number, size / number


def test_reading_calls_nothing_for_each_row(m: Models) -> None:
    """Hydration: a query of many records costs no call of a Python function for each of them, and few of C."""
    python, c = calls(lambda: list(m.Post.select()))
    assert python < NUMBER / 4, f"{python} calls for {NUMBER} rows"
    assert c < 6 * NUMBER
    peewees, _ = calls(lambda: list(m.Plain.select()))
    assert peewees > 10 * python


def test_a_loop_calls_little_for_each_row(m: Models) -> None:
    """Hydration: a loop over the query, which takes one row after the other."""

    def loop() -> None:
        for _ in m.Post.select():
            pass

    python, _ = calls(loop)
    assert python < 5 * NUMBER


def test_a_record_is_light(m: Models) -> None:
    """Hydration: a record that was read is one object for the collector, and has little more than half of the bytes of peewee's."""
    objects, size = weight(lambda: list(m.Post.select()))
    peewees_objects, peewees_size = weight(lambda: list(m.Plain.select()))
    assert objects < 1.2
    assert objects < 0.6 * peewees_objects
    assert size < 0.65 * peewees_size


def test_creating_calls_little(m: Models) -> None:
    """F10: a record that is created costs a few calls, not the making of its statement."""

    def create(model: Any) -> None:
        with m.db.atomic():
            for number in range(NUMBER):
                model.create(title="a", views=number)

    python, c = calls(lambda: create(m.Post))
    assert python < 8 * NUMBER, f"{python / NUMBER} calls for each record"
    assert c < 12 * NUMBER
    peewees, _ = calls(lambda: create(m.Plain))
    assert peewees > 10 * python


def test_a_created_record_is_light(m: Models) -> None:
    """F10: a created record is as light as one that was read."""
    objects, _ = weight(lambda: [m.Post.create(title="a", views=number + 1000) for number in range(NUMBER)])
    assert objects < 1.2


def test_inserting_many_calls_nothing_for_each_row(m: Models) -> None:
    """Insert: many rows in one statement cost no call of a Python function for each of them."""
    rows = [{"title": "a", "views": number} for number in range(NUMBER)]
    python, c = calls(lambda: m.Post.insert_many(rows).execute())
    assert python < NUMBER
    assert c < 6 * NUMBER
    peewees, _ = calls(lambda: m.Plain.insert_many(rows).execute())
    assert peewees > 10 * python
