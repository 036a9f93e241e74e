"""What a store without SQL has no form of: refused by name, with what to write instead, and never ignored.

Map: `CONSTRUCTS` is a table of queries; `Refusing` has the tests.
"""

from __future__ import annotations

from typing import Any

import peewee
import pytest
from peewee import SQL, fn

from activeassoc.errors import UnsupportedQuery
from activeassoc.stores.capabilities import Store
from activeassoc.testing.contract.ground import Ground, skip_with_sql


def _joined(item: Any) -> Any:
    other = item.alias()
    return item.select().join(other, on=(item.number == other.other))


def _exists(item: Any) -> Any:
    other = item.alias()
    return item.select().where(fn.EXISTS(other.select().where(other.other == item.number)))


def _common_table(item: Any) -> Any:
    some = item.select(item.id).cte("some")
    return item.select().where(item.id.in_(some.select(some.c.id))).with_cte(some)


#: Queries that only SQL answers.
CONSTRUCTS: dict[str, Any] = {
    "a join": _joined,
    "two tables": lambda item: item.select().from_(item, item.alias()),
    "a correlated subquery": _exists,
    "a subquery as a value": lambda item: item.select().where(item.number == item.select(fn.MAX(item.number))),
    "a subquery as a column": lambda item: item.select(item.code, item.select(fn.MAX(item.number)).alias("most")),
    "a subquery as a table": lambda item: item.select().from_(item.select(item.id).alias("some")),
    "a common table expression": _common_table,
    "a union": lambda item: item.select() | item.select(),
    "an intersection": lambda item: item.select() & item.select(),
    "a window": lambda item: item.select(item.code, fn.ROW_NUMBER().over(order_by=[item.id])),
    "HAVING": lambda item: item.select(item.shelf).group_by(item.shelf).having(fn.COUNT(item.id) > 1),
    "a function in a condition": lambda item: item.select().where(fn.LOWER(item.name) == "ann"),
    "a function as a column": lambda item: item.select(fn.LOWER(item.name)),
    "a function in the order": lambda item: item.select().order_by(fn.RANDOM()),
    "a function in an update": lambda item: item.update(name=fn.UPPER(item.name)),
    "SQL text in a condition": lambda item: item.select().where(SQL("number = 1")),
    "SQL text as a column": lambda item: item.select(SQL("number")),
    "SQL text in the order": lambda item: item.select().order_by(SQL("number")),
    "CASE": lambda item: item.select(peewee.Case(None, [(item.number > 1, "many")], "one")),
    "CAST": lambda item: item.select().where(item.number.cast("TEXT") == "1"),
    "the lock of a row": lambda item: item.select().for_update(),
    "a raw query": lambda item: item.raw("SELECT * FROM item"),
    "a row value": lambda item: item.select().where(peewee.Tuple(item.number, item.other).in_([(1, 10)])),
    "an insert of what a query finds": lambda item: item.insert_from(item.select(item.name), [item.name]),
    "an insert that updates": lambda item: item.insert(code="a").on_conflict(conflict_target=[item.code], update={item.number: 9}),
    "an update from another table": lambda item: item.update(number=1).from_(item.alias()),
    "an update that gives rows": lambda item: item.update(number=1).returning(item.id),
    "a delete that gives rows": lambda item: item.delete().returning(item.id),
    "the change of a primary key": lambda item: item.update({item.id: item.id + 1}),
}


class Refusing(Ground):
    """What is not known is refused."""

    def test_what_is_not_known_is_refused_by_name(self, rows: Any, capabilities: Store) -> None:
        """J2: what is not supported raises UnsupportedQuery, which names the construct and the alternative; nothing is written."""
        skip_with_sql(capabilities)
        before = sorted(rows.select().tuples(), key=repr)
        found = {construct: _answer(query, rows) for construct, query in CONSTRUCTS.items()}
        assert found == dict.fromkeys(CONSTRUCTS, "refused")
        assert sorted(rows.select().tuples(), key=repr) == before

    def test_text_is_refused(self, database: Any, capabilities: Store) -> None:
        """J8: `execute_sql(text)` raises."""
        skip_with_sql(capabilities)
        with pytest.raises(UnsupportedQuery):
            database.execute_sql("SELECT 1")

    def test_an_unknown_column_is_refused(self, Item: Any) -> None:
        """J3: unknown columns are errors, whoever notices them first."""
        attempts: list[Any] = [
            lambda: Item.insert({"nothing": 1}).execute(),
            lambda: Item.insert_many([{"code": "a", "nothing": 1}]).execute(),
            lambda: Item.update({"nothing": 1}).execute(),
            lambda: Item.select().where(Item.nothing == 1),
        ]
        for attempt in attempts:
            with pytest.raises((peewee.PeeweeException, AttributeError, ValueError, KeyError)):
                attempt()
        assert Item.select().count() == 0


def _answer(query: Any, rows: Any) -> str:
    """What came of a query that should have been refused."""
    try:
        found = list(query(rows).execute())
    except UnsupportedQuery as error:
        return "refused" if getattr(error, "construct", "") and error.instead else f"names nothing: {error}"
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return f"answered {found!r}"
