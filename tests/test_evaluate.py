"""What a store that cannot filter finds is what SQLite finds: conditions, order, limits, groups and updates, made up at random."""

from __future__ import annotations

import operator
from collections.abc import Callable
from functools import reduce
from typing import Any

import peewee
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from peewee import fn

import activeassoc
from activeassoc.errors import NullNotAllowed

ROWS: list[dict[str, Any]] = [
    {
        "name": None if n % 11 == 0 else "aAbB éxyz_%"[n % 9 :: 3] + str(n % 4),
        "number": None if n % 7 == 0 else n % 6 - 2,
        "other": n % 5 - 1,
        "real": None if n % 13 == 0 else (n % 8) / 4,
    }
    for n in range(60)
]


@pytest.fixture
def Items(on: Callable[[str], Any]) -> list[Any]:
    """One model on SQLite and on Redis, with the same rows."""
    made = []
    for kind in ("sqlite", "redis"):

        class Item(on(kind)):  # type: ignore[misc]
            name = peewee.CharField(null=True, index=True)
            number = peewee.IntegerField(null=True, index=True)
            other = peewee.IntegerField()
            real = peewee.DoubleField(null=True)

        activeassoc.sync(Item)
        Item.insert_many(ROWS).execute()
        made.append(Item)
    return made


#: A condition is a function of the model.
NUMBERS = st.sampled_from(["id", "number", "other"])
LEAVES = st.one_of(
    st.tuples(st.sampled_from(["eq", "ne", "lt", "le", "gt", "ge"]), NUMBERS, st.integers(-3, 6)).map(
        lambda told: lambda Item: getattr(operator, told[0])(getattr(Item, told[1]), told[2])
    ),
    st.tuples(NUMBERS, st.lists(st.integers(-3, 6), max_size=4), st.booleans()).map(
        lambda told: lambda Item: getattr(getattr(Item, told[0]), "not_in" if told[2] else "in_")(told[1])
    ),
    st.tuples(st.sampled_from(["name", "number", "real"]), st.booleans()).map(
        lambda told: lambda Item: getattr(Item, told[0]).is_null(told[1])
    ),
    st.sampled_from(["a", "A", "1", "é_", "%", "b"]).map(lambda text: lambda Item: Item.name.contains(text)),
    st.sampled_from(["ab0", "a", "A1", "x"]).map(lambda text: lambda Item: Item.name == text),
    st.tuples(st.integers(-3, 3), st.sampled_from([-2, 1, 3])).map(
        lambda told: lambda Item: (Item.number * told[1] + Item.other) / told[1] >= told[0]
    ),
    st.floats(-1, 3).map(lambda value: lambda Item: Item.real.between(value, value + 1)),
    st.just(lambda Item: Item.number == Item.other),
)
CONDITIONS = st.recursive(
    LEAVES,
    lambda parts: st.one_of(
        st.tuples(st.sampled_from([operator.and_, operator.or_]), st.lists(parts, min_size=2, max_size=3)).map(
            lambda told: lambda Item: reduce(told[0], [part(Item) for part in told[1]])
        ),
        parts.map(lambda part: lambda Item: ~part(Item)),
    ),
    max_leaves=6,
)
QUICK = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True)


def test_conditions_hold_for_the_same_rows(Items: list[Any]) -> None:
    """J2: filters follow SQL's three-valued logic, negated and combined as they may be, with an index or without."""
    here, there = Items

    @QUICK
    @given(CONDITIONS)
    def holds(condition: Any) -> None:
        expected, found = (
            [row[0] for row in Item.select(Item.id).where(condition(Item)).order_by(Item.id).tuples()] for Item in (here, there)
        )
        assert found == expected
        assert there.select().where(condition(there)).count() == len(expected)
        assert there.select().where(condition(there)).exists() is bool(expected)

    holds()


def test_order_and_limit_give_the_same_rows(Items: list[Any]) -> None:
    """J2: order_by by several columns and expressions, NULLs first ascending, with limit and offset."""
    columns = st.sampled_from(["name", "number", "other", "real"])
    terms = st.lists(st.tuples(columns, st.booleans()), min_size=1, max_size=3)

    @QUICK
    @given(terms, st.none() | st.integers(0, 70), st.integers(0, 20))
    def ordered(told: Any, limit: int | None, offset: int) -> None:
        answers = []
        for Item in Items:
            order = [getattr(Item, name).desc() if down else getattr(Item, name).asc() for name, down in told]
            query = Item.select(Item.id).order_by(*order, Item.id).offset(offset)
            answers.append(list((query if limit is None else query.limit(limit)).tuples()))
        assert answers[1] == answers[0][: len(answers[1])] and len(answers[0]) == len(answers[1])

    ordered()


@pytest.mark.parametrize("by", [(), ("other",), ("number", "other")])
def test_groups_give_the_same_numbers(Items: list[Any], by: tuple[str, ...]) -> None:
    """J2: count, sum, min, max and avg, of all rows or by groups; NULLs do not take part, and are one group."""
    answers = []
    for Item in Items:
        columns = [getattr(Item, name) for name in by]
        numbers = [
            *(fn.COUNT(Item.id), fn.COUNT(Item.number), fn.COUNT(Item.number.distinct()), fn.SUM(Item.number), fn.SUM(Item.real)),
            *(fn.MIN(Item.name), fn.MAX(Item.number), fn.AVG(Item.number)),
        ]
        query = Item.select(*columns, *numbers).where(Item.id < 50)
        answers.append(sorted((query.group_by(*columns) if columns else query).tuples(), key=repr))
    assert answers[0] == answers[1]
    nobody = [list(Item.select(fn.COUNT(Item.id), fn.SUM(Item.number)).where(Item.id < 0).tuples()) for Item in Items]
    assert nobody == [[(0, None)], [(0, None)]]


def test_distinct_rows_are_the_same(Items: list[Any]) -> None:
    """J2: distinct, with order, limit and count."""
    for number in (None, 3):
        queries = [Item.select(Item.number, Item.other).distinct().order_by(Item.number, Item.other).limit(number) for Item in Items]
        answers = [list(query.tuples()) for query in queries]
        assert answers[0] == answers[1]
    assert {Item.select(Item.number).distinct().count() for Item in Items} == {7}


def test_updates_compute_the_same_values(Items: list[Any]) -> None:
    """J2: an update computes every new value from the row as it was; whole numbers are divided towards zero."""
    answers = []
    for Item in Items:
        changes = {Item.number: (Item.number - Item.other) / 2, Item.other: Item.number * 3, Item.name: Item.name.concat("!")}
        rows = Item.update(changes).where(Item.number.is_null(False), Item.id > 5).execute()
        answers.append((rows, list(Item.select(Item.id, Item.name, Item.number, Item.other).order_by(Item.id).tuples())))
    assert answers[0] == answers[1]


def test_a_computed_null_is_refused(Items: list[Any]) -> None:
    """J3: NULL in a NOT NULL field is an error, also where it is computed; nothing is changed then."""
    Item = Items[1]
    before = list(Item.select().order_by(Item.id).tuples())
    with pytest.raises(NullNotAllowed) as raised:
        Item.update(other=Item.number + 1).execute()
    assert str(raised.value) == "update of Item with NULL for other: it is declared NOT NULL. Give a value, or declare null=True."
    assert list(Item.select().order_by(Item.id).tuples()) == before


@pytest.mark.parametrize(
    ("value", "because"),
    [
        (lambda Item: Item.other / Item.number, "division by zero"),
        (lambda Item: Item.number + 2**62 + 2**62 + Item.id, "out of range"),
        (lambda Item: peewee.Expression(Item.number, peewee.OP.MOD, 0), "division by zero"),
    ],
)
def test_numbers_that_cannot_be_are_errors(Items: list[Any], value: Any, because: str) -> None:
    """J3: a division by zero and a number of more than 64 bits are errors, in comparisons and in updates."""
    Item = Items[1]
    for ask in (lambda: list(Item.select().where(value(Item) > 0)), lambda: Item.update(number=value(Item)).execute()):
        with pytest.raises(peewee.DataError, match=f": {because}$"):
            ask()
