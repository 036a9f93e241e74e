"""Criteria: what they mean, the same on every store, and what they refuse."""

from __future__ import annotations

import datetime
import decimal
import enum
import sys
import uuid

import peewee
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from activeassoc.criteria import COMBINING, DEEPEST, OPERATORS, ordering, parse
from activeassoc.errors import AssociationError, CriteriaError
from activeassoc.testing import assert_queries
from activeassoc.values import KINDS

pytestmark = pytest.mark.every_store

D = decimal.Decimal
ORDER = ["<", "<=", ">", ">="]
TEXTUAL = ["like", "contains", "startsWith", "endsWith"]
EQUALITY = ["=", "!=", "in", "nin"]
ALL = "=, !=, <, <=, >, >=, in, nin, like, contains, startsWith, endsWith"
COMPARABLE = "=, !=, in, nin, <, <=, >, >="
TEXT_OPERATORS = f"{COMPARABLE}, like, contains, startsWith, endsWith"


@pytest.fixture
def Owner(Base):
    class Owner(Base):
        name = peewee.CharField(null=True)

    return Owner


@pytest.fixture
def Item(Base, Owner, db):
    """A model with a field of every kind, all of which may be NULL."""

    model = item(Base, Owner)
    db.create_tables([Owner, model])
    return model


def item(Base, Owner):
    """The model, on the database of `Base`."""

    class Item(Base):
        name = peewee.CharField(null=True, index=True)
        note = peewee.TextField(null=True)
        code = peewee.FixedCharField(max_length=4, null=True)
        age = peewee.IntegerField(null=True)
        price = peewee.DoubleField(null=True)
        ratio = peewee.FloatField(null=True)
        cost = peewee.DecimalField(max_digits=8, decimal_places=2, null=True)
        flag = peewee.BooleanField(null=True)
        day = peewee.DateField(null=True)
        at = peewee.DateTimeField(null=True)
        hour = peewee.TimeField(null=True)
        uid = peewee.UUIDField(null=True)
        raw = peewee.BlobField(null=True)
        meta = peewee.JSONField(null=True)
        stamp = peewee.TimestampField(null=True, default=None)
        address = peewee.IPField(null=True)
        owner = peewee.ForeignKeyField(Owner, null=True, column_name="OwnerKey", object_id_name="owner_id")

    return Item


def fill(model, field, values):
    for value in values:
        model.insert({field: value}).execute()


def found(model, criteria, field=None):
    """The rows in order of insertion: their values of `field`, by default that which the first criterion names."""
    name = field or next(iter(criteria))
    return [row[0] for row in model.select(getattr(model, name)).where(parse(model, criteria)).order_by(model.id).tuples()]


# What they mean


def test_all_entries_of_a_mapping_hold(Item):
    """I1: `{"name": "Ann", "age": {">": 18, "<=": 65}, "or": [{…}, {…}], "id": [1, 2, 3]}`"""
    for name, age in [("Ann", 18), ("Ann", 19), ("Ann", 65), ("Ann", 66), ("Bob", 30), ("Ann", 30)]:
        Item.create(name=name, age=age)
    with assert_queries(1):
        assert found(Item, {"name": "Ann", "age": {">": 18, "<=": 65}}, "id") == [2, 3, 6]
    assert found(Item, {"name": "Ann", "age": {">": 18, "<=": 65}, "or": [{"id": 6}, {"age": 19}], "id": [1, 2, 3]}, "id") == [2]


#: Criteria of a number, and which of 1, 2, 3 and NULL they find.
ON_NUMBERS = [
    (2, [2]),
    (None, [None]),
    ([1, 3], [1, 3]),
    ({"=": 2}, [2]),
    ({"=": [2, None]}, [2, None]),
    ({"!=": 2}, [1, 3, None]),
    ({"!=": None}, [1, 2, 3]),
    ({"!=": [1, 2]}, [3, None]),
    ({"<": 2}, [1]),
    ({"<=": 2}, [1, 2]),
    ({">": 2}, [3]),
    ({">=": 2}, [2, 3]),
    ({"in": [2, 3]}, [2, 3]),
    ({"in": [2, None]}, [2, None]),
    ({"in": [None]}, [None]),
    ({"in": []}, []),
    ([], []),
    ({"nin": [2, 3]}, [1, None]),
    ({"nin": [2, None]}, [1, 3]),
    ({"nin": [None]}, [1, 2, 3]),
    ({"nin": []}, [1, 2, 3, None]),
    ({"nin": [1], "!=": 3}, [2, None]),
]


def test_operators_on_numbers(Item):
    """I2: `!=` and `nin` include NULLs; ordering comparisons exclude them; an empty `in` matches nothing, an empty `nin` everything."""
    fill(Item, Item.age, [1, 2, 3, None])
    for constraint, expected in ON_NUMBERS:
        assert found(Item, {"age": constraint}) == expected, constraint


#: Criteria that combine others, and which of 1, 2, 3 and NULL they find.
COMBINED = [
    ({}, [1, 2, 3, None]),
    ({"or": []}, []),
    ({"and": []}, [1, 2, 3, None]),
    ({"or": [{}]}, [1, 2, 3, None]),
    ({"or": [{"age": 1}, {"and": []}]}, [1, 2, 3, None]),
    ({"and": [{"age": 1}, {"or": []}]}, []),
    ({"or": [{"age": 1}, {"age": 3}]}, [1, 3]),
    ({"and": [{"age": {">": 1}}, {"age": {"<": 3}}]}, [2]),
    ({"not": {"age": 2}}, [1, 3, None]),
    ({"not": {"age": {"<": 2}}}, [2, 3, None]),
    ({"not": {"age": None}}, [1, 2, 3]),
    ({"not": {"not": {"age": {"<": 2}}}}, [1]),
    ({"not": {"or": [{"age": 1}, {"age": {">": 2}}]}}, [2, None]),
    ({"not": {}}, []),
    ({"not": {"or": []}}, [1, 2, 3, None]),
    ({"age": {">": 1}, "or": [{"age": 1}, {"age": 2}]}, [2]),
]


def test_and_or_not(Item):
    """I2: an empty `or` matches nothing, an empty `and` or `{}` everything; `not` matches exactly the other rows."""
    fill(Item, Item.age, [1, 2, 3, None])
    for criteria, expected in COMBINED:
        assert found(Item, criteria, "age") == expected, criteria


NAMES = ["Ann", "ann", "Ánn", "Ann ", "A_n", "A%n", "A\\n", "A*n", "A[n]", "A|n", "", None]


#: Criteria of a text, and which of NAMES they find.
ON_TEXTS = [
    ("Ann", ["Ann"]),
    ("ann", ["ann"]),
    ("Ann ", ["Ann "]),
    ("", [""]),
    (["ann", "Ann "], ["ann", "Ann "]),
    ({"!=": "Ann"}, [name for name in NAMES if name != "Ann"]),
    ({"nin": ["Ann", "ann"]}, NAMES[2:]),
    ({"like": "A%"}, ["Ann", "Ann ", "A_n", "A%n", "A\\n", "A*n", "A[n]", "A|n"]),
    ({"like": "A_n"}, ["A_n"]),
    ({"like": "A\\%"}, ["A\\n"]),
    ({"like": "A*n"}, ["A*n"]),
    ({"like": "%[n]"}, ["A[n]"]),
    ({"like": "A|%"}, ["A|n"]),
    ({"like": "%%n%%"}, [name for name in NAMES if name and "n" in name]),
    ({"like": "ann"}, ["ann"]),
    ({"like": ""}, [""]),
    ({"like": "%"}, NAMES[:-1]),
    ({"contains": "nn"}, ["Ann", "ann", "Ánn", "Ann "]),
    ({"contains": "%"}, ["A%n"]),
    ({"contains": "_"}, ["A_n"]),
    ({"contains": "\\"}, ["A\\n"]),
    ({"contains": ""}, NAMES[:-1]),
    ({"startsWith": "a"}, ["ann"]),
    ({"startsWith": "A%"}, ["A%n"]),
    ({"startsWith": "A["}, ["A[n]"]),
    ({"endsWith": " "}, ["Ann "]),
    ({"endsWith": "*n"}, ["A*n"]),
    ({"<": "A["}, ["A%n", "A*n", ""]),
    ({">": "a"}, ["ann", "Ánn"]),
]


@pytest.mark.parametrize("attribute", ["name", "note"])
def test_texts_compare_by_code_points(Item, attribute):
    """I2: `like` knows `%` only, `_` is literal; string matches are case-sensitive."""
    fill(Item, getattr(Item, attribute), NAMES)
    for constraint, expected in ON_TEXTS:
        assert found(Item, {attribute: constraint}) == expected, constraint


def test_a_text_of_fixed_width_is_compared_without_its_padding(Item):
    """I2: one meaning on every store, also where CHAR(n) is padded with spaces; a longer text is not cut to find another one."""
    fill(Item, Item.code, ["ab", "AB", "abcd", None])
    assert found(Item, {"code": "ab"}) == found(Item, {"code": " ab "}) == ["ab"]
    assert found(Item, {"code": {"endsWith": "b"}}) == ["ab"] and found(Item, {"code": {"like": "ab"}}) == ["ab"]
    assert found(Item, {"code": "abcdef"}) == [] and found(Item, {"code": ["abcdef", "AB"]}) == ["AB"]
    assert found(Item, {"code": {"!=": "abcdef"}}) == ["ab", "AB", "abcd", None]
    assert found(Item, {"code": {"<": "abcdef"}}) == ["ab", "AB", "abcd"]


@pytest.mark.needs("sql")
def test_a_locale_of_the_database_does_not_count(store, db, Base):
    """I2: one meaning on every store, also where the database sorts the column by a locale that the model does not speak of."""
    column = {"sqlite": "TEXT", "postgresql": 'TEXT COLLATE "und-x-icu"', "mariadb": "TEXT COLLATE utf8mb4_czech_ci"}[store.name]

    class Word(Base):
        text = peewee.TextField()

    db.execute_sql(f"CREATE TABLE word (id INTEGER PRIMARY KEY, text {column})")
    Word.insert_many([{"id": number, "text": text} for number, text in enumerate(["chata", "Cena", "cena", "dům", "Ž"])]).execute()
    assert found(Word, {"text": {"<": "a"}}) == ["Cena"] and found(Word, {"text": {">=": "cf"}}) == ["chata", "dům", "Ž"]
    assert found(Word, {"text": "Cena"}) == ["Cena"] and found(Word, {"text": {"startsWith": "c"}}) == ["chata", "cena"]


@pytest.mark.needs("sql")
def test_a_declared_collation_compares_equality_and_order(store, db, Base):
    """I2: texts compare by code points unless the field declares a collation, which the index is made for; LIKE is exact in any case."""
    collation = {"sqlite": "NOCASE", "mariadb": "utf8mb4_general_ci", "postgresql": "no_case"}[store.name]
    if store.name == "postgresql":
        db.execute_sql("CREATE COLLATION no_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false)")

    class Word(Base):
        text = peewee.CharField(collation=collation)

    db.create_tables([Word])
    fill(Word, Word.text, ["Bo", "bo", "c"])
    assert found(Word, {"text": "BO"}) == ["Bo", "bo"] and found(Word, {"text": {"nin": ["BO", "x"]}}) == ["c"]
    assert found(Word, {"text": {"<": "C"}}) == ["Bo", "bo"]
    assert found(Word, {"text": {"startsWith": "b"}}) == ["bo"] and found(Word, {"text": {"contains": "O"}}) == []


#: Two values of each kind of field, and another way to write the second.
FOUND_AGAIN = [
    ("age", -5, 7, "7"),
    ("price", -0.1, 1e300, "1e300"),
    ("ratio", 0.1, 0.3, "0.3"),
    ("cost", D("-1.10"), D("2.25"), 2.25),
    ("day", datetime.date(1999, 12, 31), datetime.date(2024, 2, 29), "2024-02-29"),
    ("at", datetime.datetime(1999, 12, 31, 23, 59, 59), datetime.datetime(2024, 2, 29), datetime.date(2024, 2, 29)),
    ("hour", datetime.time(1, 2, 3), datetime.time(23, 0), "23:00"),
    ("uid", uuid.UUID(int=1), uuid.UUID(int=2**127 + 1), str(uuid.UUID(int=2**127 + 1)).upper()),
    ("raw", b"\x00'\\%", b"\xff\xfe", memoryview(b"\xff\xfe")),
    ("stamp", datetime.datetime(2001, 1, 1), datetime.datetime(2024, 1, 1, 12), "2024-01-01 12:00:00"),
    ("address", "10.0.0.1", "192.168.0.1", "192.168.0.1"),
    ("name", "a'; DROP", 'b"', 'b"'),
]


def test_every_kind_of_value_is_found_again(Item):
    """I2: one meaning on every store, for every kind of field; other ways to write a value are read as the field holds it."""
    for values in ({row[0]: row[1] for row in FOUND_AGAIN}, {row[0]: row[2] for row in FOUND_AGAIN}, {}):
        Item.insert(values or {"meta": None}).execute()
    for attribute, low, high, written in FOUND_AGAIN:

        def ids(constraint, attribute=attribute):
            return found(Item, {attribute: constraint}, "id")

        assert ids(low) == [1] and ids(high) == ids(written) == [2] and ids([low, written]) == [1, 2], attribute
        assert ids({"!=": low}) == [2, 3] and ids({"nin": [low, high]}) == [3] and ids({"nin": [low, None]}) == [2], attribute
        assert ids({"<": high}) == ids({"<=": low}) == [1] and ids({">": low}) == ids({">=": written}) == [2], attribute


def test_bools(Item):
    """I1, I3: a BooleanField takes True, False, 1, 0 and None; peewee would take "false" for True."""
    fill(Item, Item.flag, [True, False, None])
    assert found(Item, {"flag": True}) == found(Item, {"flag": 1}) == [True]
    assert found(Item, {"flag": {"!=": True}}) == [False, None] and found(Item, {"flag": [False, None]}) == [False, None]


@pytest.mark.needs("sql")
def test_json_can_be_asked_for_null(Item):
    """I1, I3: criteria compare nothing of JSON but that there is some."""
    fill(Item, Item.meta, [peewee.SQL("'{}'"), None])
    assert found(Item, {"meta": None}, "id") == [2] and found(Item, {"meta": {"!=": None}}, "id") == [1]


def test_words_mean_the_same_as_signs(Item):
    """I1: also what they are called in words (`lessThan`, `greaterThan`, `not`, …)"""
    fill(Item, Item.name, ["a", "b", "ab", None])
    for sign, words in OPERATORS.items():
        value = ["a", "b"] if sign in ("in", "nin") else "b"
        for word in words:
            assert found(Item, {"name": {word: value}}) == found(Item, {"name": {sign: value}}), word
    words = {word for words in OPERATORS.values() for word in words}
    assert {"lessThan", "lessThanOrEqual", "greaterThan", "greaterThanOrEqual", "not", "!", "notIn"} < words
    assert found(Item, {"name": {"not": "b"}}) == ["a", "ab", None] and found(Item, {"name": {"lessThan": "b"}}) == ["a", "ab"]


# References


def test_a_reference_takes_a_key_a_record_a_list_or_none(Item, Owner):
    """I1: a reference is named by field or key and takes a key, a record, a list or None (B4: or by its column)."""
    ann, bob = Owner.create(name="Ann"), Owner.create(name="Bob")
    for owner in (ann, bob, None):
        Item.create(owner=owner)
    for name in ("owner", "owner_id", "OwnerKey"):
        with assert_queries(0):
            parse(Item, {name: ann})
        for value, expected in [
            (ann, [1]),
            (ann.id, [1]),
            (str(ann.id), [1]),
            (None, [3]),
            ([ann, bob.id], [1, 2]),
            ({ann.id}, [1]),
            ((bob, None), [2, 3]),
            ({"!=": ann}, [2, 3]),
            ({"!=": None}, [1, 2]),
            ({"nin": [ann, None]}, [2]),
            ({">": ann}, [2]),
        ]:
            assert found(Item, {name: value}, "id") == expected, (name, value)


def test_a_reference_to_a_text_and_to_a_key_that_is_a_reference(Base, db):
    """I1: a record stands for the value of the field that is referred to, however far away that is; nothing is queried."""

    class Country(Base):
        code = peewee.CharField(primary_key=True)

    class Capital(Base):
        country = peewee.ForeignKeyField(Country, primary_key=True)

    class Mayor(Base):
        capital = peewee.ForeignKeyField(Capital, null=True)
        city = peewee.CharField()

    db.create_tables([Country, Capital, Mayor])
    at = Country.create(code="At")
    vienna = Capital.create(country=at)
    Mayor.create(capital=vienna, city="Vienna")
    with assert_queries(1):
        assert found(Mayor, {"capital": vienna}, "city") == ["Vienna"]
    assert found(Mayor, {"capital": "At"}, "city") == ["Vienna"] and found(Mayor, {"capital": "at"}, "city") == []
    assert found(Mayor, {"capital": {"startsWith": "A"}}, "city") == ["Vienna"]


def test_columns_with_names_of_their_own(Base, db):
    """I1, B4, F4: attributes are named by field or by column."""

    class Legacy(Base):
        title = peewee.CharField(column_name="TITLE_TXT")

        class Meta:
            table_name = "tbl legacy"

    db.create_tables([Legacy])
    Legacy.create(title="x")
    assert found(Legacy, {"TITLE_TXT": "x"}, "id") == found(Legacy, {"title": {"contains": "x"}}, "id") == [1]


def test_criteria_and_expressions_mix(Item):
    """I1: they become peewee expressions, so both ways mix; also empty ones, which are no None."""
    fill(Item, Item.age, [1, 2, 3, None])
    for condition, expected in [
        (parse(Item, {"age": {">": 1}}) & (Item.age < 3), [2]),
        ((Item.age == 1) | parse(Item, {"age": None}), [1, None]),
        (~parse(Item, {"age": [1, 2]}), [3]),
        (parse(Item, {}) & (Item.age == 1), [1]),
        (parse(Item, {"or": []}) | (Item.age == 1), [1]),
    ]:
        assert isinstance(condition, peewee.Node)
        assert [item.age for item in Item.select().where(condition).order_by(Item.id)] == expected
    assert Item.update(age=0).where(parse(Item, {"age": {"in": [1, 2]}})).execute() == 2
    assert Item.delete().where(parse(Item, {"age": 0})).execute() == 2


def test_long_lists(Item):
    """I1: a list may be long: of keys, of texts, of criteria, and of what a single parameter cannot hold."""
    fill(Item, Item.age, [1, 2])
    Item.update(name="n1").where(Item.age == 1).execute()
    assert found(Item, {"id": list(range(2, 50_000))}) == [2]
    assert found(Item, {"name": [f"n{n}" for n in range(3_000)]}) == ["n1"]
    assert found(Item, {"name": {"nin": [f"n{n}" for n in range(3_000)]}}) == [None]
    assert found(Item, {"or": [{"age": n} for n in range(2, 3_000)]}, "age") == [2]
    assert found(Item, {"and": [{"age": {"!=": n}} for n in range(2, 3_000)]}, "age") == [1]


def nested(levels, leaf):
    """Criteria in which `levels` of and, or and not are nested, with a condition before and behind each."""
    criteria = leaf
    for level in range(levels):
        word = COMBINING[level % 3]
        criteria = {**leaf, word: criteria if word == "not" else [leaf, criteria, leaf]}
    return criteria


def test_nesting_is_bounded(Item):
    """I3: criteria that nest too deep, or contain themselves, are a CriteriaError; the deepest leave room to every parser and stack."""
    fill(Item, Item.age, [1, 2, None])
    leaf = {"age": {"nin": [1, 7]}, "name": {"!=": "x"}}

    def called(depth):
        return called(depth - 1) if depth else found(Item, nested(DEEPEST, leaf), "age")

    rows = [{"age": age, "name": None} for age in (1, 2, None)]
    assert sys.getrecursionlimit() == 1_000 and called(500) == [row["age"] for row in rows if holds(row, nested(DEEPEST, leaf))]
    endless = {"age": 1}
    endless["or"] = [endless]
    for criteria in (nested(DEEPEST + 1, leaf), endless):
        with pytest.raises(CriteriaError) as error:
            parse(Item, criteria)
        assert str(error.value) == (
            "criteria of Item: and, or and not nest deeper than 25 levels. Write flatter criteria; a list may be as long as you like."
        )


# Order


def test_nulls_are_sorted_first_ascending(Item):
    """I2: NULLs sort first ascending (and last descending)."""
    fill(Item, Item.age, [2, None, 1])
    assert [item.age for item in Item.select().order_by(*ordering(Item.age))] == [None, 1, 2]
    assert [item.age for item in Item.select().order_by(*ordering(Item.age, descending=True))] == [2, 1, None]


def test_the_order_of_a_field_that_cannot_be_null_is_the_bare_column(Item):
    """I2: nothing is added that would keep an index from being used, where the order is right without."""
    ascending, descending = Item.select(Item.id).order_by(*ordering(Item.id)), Item.select(Item.id).order_by(*ordering(Item.id, True))
    assert "NULLS" not in ascending.sql()[0] + descending.sql()[0] and "CASE" not in ascending.sql()[0]
    assert ordering(Item.id)[0] is Item.id and descending.sql()[0].endswith(" DESC")


@pytest.mark.needs("sql")
def test_exact_texts_are_found_by_the_index(Item, db, store):
    """I2: that texts compare by code points does not cost the index, neither for equality nor for IN."""
    analyze, explain = {
        "sqlite": ("ANALYZE", "EXPLAIN QUERY PLAN "),
        "postgresql": ("ANALYZE", "EXPLAIN "),
        "mariadb": (f"ANALYZE TABLE {Item._meta.table_name}", "EXPLAIN "),
    }[store.name]
    with db.atomic():
        Item.insert_many([{"name": f"n{n}"} for n in range(3_000)]).execute()
    db.execute_sql(analyze)
    for constraint in ("n77", ["n77", "n78"]):
        sql, parameters = Item.select(Item.id).where(parse(Item, {"name": constraint})).sql()
        plan = db.execute_sql(explain + sql, parameters).fetchall()
        used = plan[0][5] if store.name == "mariadb" else str(plan)  # there the column before names those that were possible
        assert "item_name" in str(used), plan


# The same rows everywhere

LETTERS = "aAbBzé\u00c9e\u0301ßẞıİ%_\\|*?[]!'\"`;- \t\n😀😁"
TEXTS = st.text(alphabet=LETTERS, max_size=4)
VALUES = {
    "name": TEXTS,
    "note": TEXTS,
    "age": st.integers(-3, 3) | st.sampled_from([2**31 - 1, -(2**31)]),
    "price": st.sampled_from([0.0, -0.0, 0.1, -0.1, 1e300, 5e-324, 1 / 3]) | st.floats(-2, 2, allow_nan=False),
    "ratio": st.sampled_from([0.1, 0.2, 0.3, -1.5, 16777216.0]),
    "cost": st.decimals(-2, 2, places=2),
    "flag": st.booleans(),
    "day": st.dates(datetime.date(1999, 12, 30), datetime.date(2000, 1, 3)),
    "at": st.datetimes(datetime.datetime(1999, 12, 31, 23, 59, 58), datetime.datetime(2000, 1, 1, 0, 0, 2)).map(
        lambda at: at.replace(microsecond=0)
    ),
    "uid": st.sampled_from([uuid.UUID(int=n) for n in (0, 1, 2**64, 2**128 - 1)]),
    "raw": st.binary(max_size=2),
    "owner": st.integers(1, 3),
}
ROWS = st.lists(st.fixed_dictionaries({name: st.none() | values for name, values in VALUES.items()}), min_size=4, max_size=8)


def constraints(name, rows):
    """What may be asked of an attribute: mostly values that are there, or parts of them."""
    there = [row[name] for row in rows if row[name] is not None]
    value = st.sampled_from(there) | VALUES[name] if there else VALUES[name]
    one = st.none() | value
    operators = {"=": one, "!=": one, "in": st.lists(one, max_size=4), "nin": st.lists(one, max_size=4)}
    if name != "flag":
        operators.update(dict.fromkeys(ORDER, value))
    if name in ("name", "note"):
        part = st.tuples(value, st.integers(0, 2), st.integers(1, 3)).map(lambda cut: cut[0][cut[1] : cut[1] + cut[2]])
        pattern = st.lists(part, min_size=1, max_size=3).map("%".join)
        operators.update({"like": pattern | value, "contains": part, "startsWith": value.map(lambda text: text[:2]), "endsWith": part})
    alone = st.sampled_from(sorted(operators)).flatmap(lambda operator: st.fixed_dictionaries({operator: operators[operator]}))
    several = st.fixed_dictionaries({}, optional=operators).filter(bool)
    return one | st.lists(one, max_size=4) | alone | alone | several


@st.composite
def questions(draw):
    """Rows, and criteria to be asked of them."""
    rows = draw(ROWS)
    asked = {name: constraints(name, rows) for name in VALUES}
    entry = st.sampled_from(sorted(VALUES)).flatmap(lambda name: st.tuples(st.just(name), asked[name]))
    single, leaf = st.lists(entry, min_size=1, max_size=1).map(dict), st.lists(entry, max_size=2).map(dict)
    nested = st.recursive(
        leaf,
        lambda inner: st.one_of(
            st.tuples(leaf, st.sampled_from(["and", "or"]), st.lists(inner, max_size=3)).map(
                lambda parts: {**parts[0], parts[1]: parts[2]}
            ),
            st.tuples(leaf, inner).map(lambda parts: {**parts[0], "not": parts[1]}),
        ),
        max_leaves=8,
    )
    return rows, draw(st.lists(single, min_size=6, max_size=6)) + draw(st.lists(nested, min_size=3, max_size=3))


def like(text, pattern):
    """Whether `text` is `pattern`, of which % is anything."""
    if not pattern:
        return not text
    if pattern[0] == "%":
        return any(like(text[start:], pattern[1:]) for start in range(len(text) + 1))
    return text[:1] == pattern[0] and like(text[1:], pattern[1:])


MEANING = {
    "=": lambda held, value: held == value,
    "!=": lambda held, value: held != value,
    "in": lambda held, value: held in value,
    "nin": lambda held, value: held not in value,
    "<": lambda held, value: held is not None and held < value,
    "<=": lambda held, value: held is not None and held <= value,
    ">": lambda held, value: held is not None and held > value,
    ">=": lambda held, value: held is not None and held >= value,
    "like": lambda held, value: held is not None and like(held, value),
    "contains": lambda held, value: held is not None and value in held,
    "startsWith": lambda held, value: held is not None and held.startswith(value),
    "endsWith": lambda held, value: held is not None and held.endswith(value),
}


def holds(row, criteria):
    """What criteria mean, in Python."""
    for name, wanted in criteria.items():
        if name == "and":
            fits = all(holds(row, part) for part in wanted)
        elif name == "or":
            fits = any(holds(row, part) for part in wanted)
        elif name == "not":
            fits = not holds(row, wanted)
        elif isinstance(wanted, dict):
            fits = all(MEANING[operator](row[name], value) for operator, value in wanted.items())
        else:
            fits = row[name] in wanted if isinstance(wanted, list) else row[name] == wanted
        if not fits:
            return False
    return True


def test_the_meaning_in_python_knows_every_operator():
    """I2: the fuzzed comparison leaves no operator out."""
    assert set(MEANING) == set(OPERATORS) == {*EQUALITY, *ORDER, *TEXTUAL} and f"{', '.join(OPERATORS)}" == ALL


def test_the_same_rows_on_every_store(Item, Owner, db):
    """I2: one meaning on every store"""
    Owner.insert_many([{"name": name} for name in "abc"]).execute()
    matched = 0

    examples = 50 if isinstance(db, peewee.SqliteDatabase) else 12

    @settings(max_examples=examples, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(question=questions())
    def compare(question):
        nonlocal matched
        rows, several = question
        with db.atomic():
            Item.delete().execute()  # and no rollback, which not every store has
            numbered = list(enumerate(rows, 1))
            Item.insert_many([{"id": number, **row} for number, row in numbered]).execute()
            for criteria in several:
                expected = [number for number, row in numbered if holds(row, criteria)]
                assert found(Item, criteria, "id") == expected, (rows, criteria)
                matched += 0 < len(expected) < len(rows)

    compare()
    assert matched > examples  # or it would have compared nothing with nothing


@pytest.mark.parametrize("operator", ["=", "!=", "<", "in", "nin", *TEXTUAL])
def test_values_are_bound_parameters(Item, db, operator):
    """I3: values are always bound parameters."""
    evil = "x'; DROP TABLE item; -- \" %s ? \\' %(name)s"
    fill(Item, Item.name, [evil, "x"])
    value = [evil, evil + "'"] if operator in ("in", "nin") else evil
    sql, parameters = Item.select().where(parse(Item, {"name": {operator: value}})).sql()
    assert "DROP" not in sql and any("DROP" in str(parameter) for parameter in parameters)
    expected = {"!=": ["x"], "nin": ["x"], "<": ["x"]}.get(operator, [evil])
    assert found(Item, {"name": {operator: value}}) == expected
    assert Item.select().count() == 2


EVIL = "x'; DROP TABLE item; --"


@pytest.mark.parametrize(
    "criteria",
    [
        {EVIL: 1},
        {"age": EVIL},
        {"age": {EVIL: 1}},
        {"age": {">": EVIL}},
        {"age": [EVIL]},
        {"age": {"in": [1, EVIL]}},
        {"or": EVIL},
        {"or": [EVIL]},
        {"or": [{EVIL: 1}]},
        {"and": [{"age": {"!=": EVIL}}]},
        {"not": EVIL},
        {"not": {EVIL: 1}},
        {"owner": EVIL},
        {"owner": {"<": EVIL}},
        {"price": EVIL},
        {"cost": EVIL},
        {"flag": EVIL},
        {"day": EVIL},
        {"at": EVIL},
        {"hour": EVIL},
        {"uid": EVIL},
        {"raw": EVIL},
        {"stamp": EVIL},
        {"address": EVIL},
        {"meta": EVIL},
        EVIL,
    ],
)
def test_sql_in_any_other_place_is_refused(criteria):
    """I3: SQL at every position is an error before anything is sent, or a parameter."""
    with pytest.raises(CriteriaError):
        parse(item(peewee.Model, Other), criteria)


# What is refused


class Plain(peewee.Model):
    """Some fields, on no database: what is refused needs none."""

    title = peewee.CharField()
    age = peewee.IntegerField(null=True)
    done = peewee.BooleanField()
    day = peewee.DateField()
    at = peewee.DateTimeField()
    price = peewee.FloatField()
    parent = peewee.ForeignKeyField("self", null=True)


class Other(peewee.Model):
    pass


class SubPlain(Plain):
    pass


class Colour(str, enum.Enum):  # noqa: UP042 - str() of a StrEnum is its value already
    red = "rot"


AGES = f"Known for 'age' are {COMPARABLE}"
TITLES = f"Known for 'title' are {TEXT_OPERATORS}"
PARENTS = f"Known for 'parent' are {COMPARABLE}"
NAMES_OF_PLAIN = "age, at, day, done, id, parent, parent_id, price, title"


@pytest.mark.parametrize(
    ("criteria", "text"),
    [
        (None, 'criteria are a mapping of attributes to values, and None is none. Write {"id": ...}.'),
        (5, 'criteria are a mapping of attributes to values, and 5 is none. Write {"id": ...}.'),
        ([{"age": 1}], "criteria are a mapping of attributes to values, and [{'age': 1}] is none. Write {\"id\": ...}."),
        (Plain.age == 1, "criteria are a mapping, and a peewee expression is none. Join the two by &: parse(model, {...}) & expression."),
        ({"tilte": 1}, f"Plain has no attribute 'tilte'. Did you mean 'title'? Known are {NAMES_OF_PLAIN}, and, or, not."),
        ({"xyzzy": 1}, f"Plain has no attribute 'xyzzy'. Known are {NAMES_OF_PLAIN}, and, or, not."),
        (
            {"parent.title": 1},
            f"Plain has no attribute 'parent.title'. Did you mean 'parent_id' or 'parent'? Known are {NAMES_OF_PLAIN}, and, or, not.",
        ),
        ({7: 1}, f"7 is no name of an attribute. Known are {NAMES_OF_PLAIN}."),
        ({Plain.age: 1}, f"<IntegerField: Plain.age> is no name of an attribute. Known are {NAMES_OF_PLAIN}."),
        ({"or": {"age": 1}}, "'or' joins a list of criteria, and {'age': 1} is no list. Write {\"or\": [{\"id\": ...}, ...]}."),
        ({"and": None}, '\'and\' joins a list of criteria, and None is no list. Write {"and": [{"id": ...}, ...]}.'),
        ({"or": [None]}, 'criteria are a mapping of attributes to values, and None is none. Write {"id": ...}.'),
        ({"not": [{}]}, 'criteria are a mapping of attributes to values, and [{}] is none. Write {"id": ...}.'),
        ({"title": {"lik": "a"}}, f"'title' knows no operator 'lik'. Did you mean 'like'? Known are {TEXT_OPERATORS}."),
        ({"age": {"$gt": 1}}, f"'age' knows no operator '$gt'. Known are {COMPARABLE}."),
        ({"age": {5: 1}}, f"'age' knows no operator 5. {AGES}."),
        ({"age": {}}, f"'age' is given no operator. {AGES}."),
        ({"age": {"<": None}}, f"'<' None has no meaning for 'age': NULL is neither before, after nor like anything. {AGES}."),
        ({"title": {"like": None}}, f"'like' None has no meaning for 'title': NULL is neither before, after nor like anything. {TITLES}."),
        ({"title": {"contains": 5}}, f"'contains' takes a text, and 5 is none. {TITLES}."),
        ({"title": {"like": ["a"]}}, f"'like' takes a text, and ['a'] is none. {TITLES}."),
        ({"age": {"like": "1%"}}, f"'like' cannot be asked of 'age', which holds a whole number. {AGES}."),
        ({"done": {"<": True}}, "'<' cannot be asked of 'done', which holds True or False. Known for 'done' are =, !=, in, nin."),
        ({"age": {"in": 5}}, f"'in' takes a list, and 5 is none. {AGES}."),
        ({"title": {"nin": "abc"}}, f"'nin' takes a list, and 'abc' is none. {TITLES}."),
        ({"age": {"in": None}}, f"'in' takes a list, and None is none. {AGES}."),
        ({"age": "x"}, f"'age' = 'x': 'age' holds a whole number. {AGES}."),
        ({"age": {">": True}}, f"'age' > True: 'age' holds a whole number. {AGES}."),
        ({"age": {"lessThan": 1.5}}, f"'age' lessThan 1.5: 'age' holds a whole number. {AGES}."),
        ({"age": [1, [2]]}, f"'age' in [2]: 'age' holds a whole number. {AGES}."),
        ({"age": {"<": [2]}}, f"'age' < [2]: 'age' holds a whole number. {AGES}."),
        ({"age": {"<": {"<": 2}}}, f"'age' < {{'<': 2}}: 'age' holds a whole number. {AGES}."),
        ({"age": 2**63}, f"'age' = 9223372036854775808: 'age' holds a whole number (it has more than 64 bits). {AGES}."),
        ({"age": float("nan")}, f"'age' = nan: 'age' holds a whole number. {AGES}."),
        ({"price": float("nan")}, f"'price' = nan: 'price' holds a number. Known for 'price' are {COMPARABLE}."),
        ({"price": {"<": float("inf")}}, f"'price' < inf: 'price' holds a number. Known for 'price' are {COMPARABLE}."),
        ({"done": "false"}, "'done' = 'false': 'done' holds True or False. Known for 'done' are =, !=, in, nin."),
        ({"title": b"a"}, f"'title' = b'a': 'title' holds a text. {TITLES}."),
        ({"title": "a\0"}, f"'title' = 'a\\x00': 'title' holds a text (no text holds a NUL character). {TITLES}."),
        ({"title": {"like": "\ud800"}}, f"'title' like '\\ud800': 'title' holds a text (half a surrogate pair is no text). {TITLES}."),
        ({"day": "2024-13-01"}, f"'day' = '2024-13-01': 'day' holds a date. Known for 'day' are {COMPARABLE}."),
        (
            {"day": datetime.datetime(2024, 1, 1, 5)},
            f"'day' = datetime.datetime(2024, 1, 1, 5, 0): 'day' holds a date (it has a time). Known for 'day' are {COMPARABLE}.",
        ),
        ({"at": 5}, f"'at' = 5: 'at' holds a date with time. Known for 'at' are {COMPARABLE}."),
        (
            {"age": Plain.price},
            "'age' is compared with a peewee expression. Give a value, or join an expression to the criteria by &.",
        ),
        ({"parent": Plain.select()}, "'parent' is compared with a query. Give a value, or join an expression to the criteria by &."),
        ({"age": {"<": Plain.price}}, f"'age' < <FloatField: Plain.price>: 'age' holds a whole number. {AGES}."),
        ({"parent": Plain}, f"'parent' = <Model: Plain>: 'parent' holds a whole number. {PARENTS}."),
        ({"parent": Other(id=1)}, f"'parent' = <Other: 1>: 'parent' refers to Plain, and this is a Other. {PARENTS}."),
        ({"parent": [SubPlain(id=1)]}, f"'parent' in <SubPlain: 1>: 'parent' refers to Plain, and this is a SubPlain. {PARENTS}."),
        (
            {"parent": Plain()},
            "'parent' = <Plain: None>: the record has no id, as it has no row yet. "
            "Save it first, or write None for those without 'parent'.",
        ),
        ({"id": Plain(id=1)}, f"'id' = <Plain: 1>: 'id' is no reference, and takes no record. Known for 'id' are {COMPARABLE}."),
    ],
)
def test_what_is_refused_says_what_is_known(criteria, text):
    """I3: unknown attributes or operators, None where it has no meaning, wrong types: `CriteriaError`"""
    with pytest.raises(CriteriaError) as error:
        parse(Plain, criteria)
    assert str(error.value) == f"criteria of Plain: {text}"
    assert isinstance(error.value, AssociationError) and isinstance(error.value, ValueError)


def test_the_facts_are_on_the_error():
    """I3: `CriteriaError` naming the attribute, the operator and the known ones (M1: facts are attributes)."""
    with pytest.raises(CriteriaError) as error:
        parse(Plain, {"age": {"<": "x"}}, asked="Project.get_tasks(where=...)")
    found = error.value
    assert str(found).startswith("Project.get_tasks(where=...): 'age' < 'x': 'age' holds a whole number. ")
    assert (found.model, found.attribute, found.operator, found.value) == (Plain, "age", "<", "x")
    assert found.known == COMPARABLE.split(", ")
    with pytest.raises(CriteriaError) as error:
        parse(Plain, {"agee": 1})
    assert error.value.attribute == "agee" and error.value.known == NAMES_OF_PLAIN.split(", ")


@pytest.mark.needs("sql")
def test_times_with_a_zone_are_refused_where_the_column_has_none(Item):
    """I3: the SQL stores would compare its text, the session's clock, or drop the zone."""
    at = datetime.datetime(2024, 1, 1, tzinfo=datetime.UTC)
    for criteria in ({"at": at}, {"at": {"<": str(at)}}, {"hour": at.timetz()}):
        with pytest.raises(CriteriaError, match="the column has no time zone, and the value has one"):
            parse(Item, criteria)


def test_a_pattern_may_be_as_long_as_the_store_allows(Item):
    """I3: what the store would refuse is refused before anything is sent; up to there it works."""
    text = "a*" * 10_000
    Item.create(note=text)
    assert found(Item, {"note": {"startsWith": text}}) == [text]
    longer = "*" * 20_000
    try:
        with assert_queries(0):
            condition = parse(Item, {"note": {"contains": longer}})
    except CriteriaError as error:
        assert str(error) == (
            "criteria of Item: 'contains' of 'note' is given a text of 20,000 characters, too long for this database. "
            f"Known for 'note' are {TEXT_OPERATORS}."
        )
    else:
        assert list(Item.select().where(condition)) == []


def test_a_collection_in_criteria_is_an_error(Base):
    """I1: a collection in criteria is an error."""

    class Task(Base):
        pass

    class Project(Base):
        title = peewee.CharField()

    Project.has_many(Task)
    Task.belongs_to(Project)
    with assert_queries(0), pytest.raises(CriteriaError) as error:
        parse(Project, {"tasks": 1})
    assert str(error.value) == (
        "criteria of Project: 'tasks' is an association of Project and no column of it. "
        "Put criteria on the other model, or compare one of id, title."
    )
    assert parse(Task, {"project": 1}) is not None and parse(Task, {"project_id": None}) is not None


def test_values_of_enums_are_what_they_stand_for(Item):
    """I1: a member of an Enum of texts is its value, not its name."""
    fill(Item, Item.name, ["rot", "Colour.red"])
    assert found(Item, {"name": Colour.red}) == ["rot"] and found(Item, {"name": {"contains": Colour.red}}) == ["rot"]
    assert found(Item, {"name": 5}) == [] and found(Item, {"name": ["rot", 5]}) == ["rot"]


def test_fields_of_the_users_own_convert_their_values(Base, db):
    """I1, I3: a field with a db_value of its own takes what that does not refuse."""

    class Upper(peewee.CharField):
        def db_value(self, value):
            if not isinstance(value, str):
                raise LookupError(value)
            return value.upper()

    class Flag(Base):
        code = Upper()

    db.create_tables([Flag])
    Flag.create(code="at")
    assert found(Flag, {"code": "aT"}) == found(Flag, {"code": ["at", "de"]}) == ["AT"] and found(Flag, {"code": {">": "as"}}) == ["AT"]
    with pytest.raises(CriteriaError) as error:
        parse(Flag, {"code": 5})
    assert str(error.value) == f"criteria of Flag: 'code' = 5: 'code' holds a value of this field. Known for 'code' are {TEXT_OPERATORS}."


def test_every_field_of_peewee_is_of_a_kind():
    """I3: what a field takes is known for each class of peewee's, and the table has no class twice."""
    classes = [each for kind in KINDS for each in kind.fields]
    assert len(classes) == len(set(classes))
    no_columns = {"Field", "AnyField", "BareField", "ForeignKeyField", "DeferredForeignKey", "FieldAlias"}
    meta = {each.__name__ for each in vars(peewee).values() if isinstance(each, type) and issubclass(each, peewee.MetaField)}
    for name, each in vars(peewee).items():
        if isinstance(each, type) and issubclass(each, peewee.Field) and name not in no_columns | meta and not name.startswith("_"):
            assert issubclass(each, tuple(classes)), name
