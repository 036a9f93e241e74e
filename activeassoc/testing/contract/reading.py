"""Reading from a store: which rows a condition finds, in which order, and what is computed of them.

Map: `CONDITIONS` is a table of conditions and the rows for which they hold; `Reading` has the tests.
"""

from __future__ import annotations

from typing import Any

import peewee
import pytest
from peewee import fn

from activeassoc.stores.capabilities import Store
from activeassoc.testing.contract.ground import ROWS, Ground, codes, made, model, skip_with_sql

#: What is asked, the condition, and the codes of the rows for which it holds; of `ROWS`.
CONDITIONS: dict[str, tuple[Any, str]] = {
    "equal": (lambda item: item.number == 2, "b"),
    "not equal": (lambda item: item.number != 2, "acefg"),
    "less": (lambda item: item.number < 2, "af"),
    "at most": (lambda item: item.number <= 2, "abf"),
    "greater": (lambda item: item.number > 3, "eg"),
    "at least": (lambda item: item.number >= 3, "ceg"),
    "the value first": (lambda item: peewee.Value(3) <= item.number, "ceg"),
    "between": (lambda item: item.number.between(2, 5), "bce"),
    "one of": (lambda item: item.number.in_([1, 5, 5, 99]), "ae"),
    "one of many": (lambda item: item.number.in_(range(2, 3_000)), "bceg"),
    "one of none": (lambda item: item.number.in_([]), ""),
    "none of": (lambda item: item.number.not_in([1, 5]), "bcfg"),
    "one of, with NULL": (lambda item: item.number.in_([1, None]), "a"),
    "none of, with NULL": (lambda item: item.number.not_in([1, None]), ""),
    "is NULL": (lambda item: item.number.is_null(), "d"),
    "is not NULL": (lambda item: item.number.is_null(False), "abcefg"),
    "equals None": (lambda item: item.number == None, "d"),  # noqa: E711
    "does not equal None": (lambda item: item.number != None, "abcefg"),  # noqa: E711
    "NOT equal": (lambda item: ~(item.number == 2), "acefg"),
    "NOT greater": (lambda item: ~(item.number > 2), "abf"),
    "NOT NOT": (lambda item: ~~(item.number > 2), "ceg"),
    "NOT between": (lambda item: ~item.number.between(2, 5), "afg"),
    "NOT one of": (lambda item: ~item.number.in_([1, 5]), "bcfg"),
    "NOT is NULL": (lambda item: ~item.number.is_null(), "abcefg"),
    "and": (lambda item: (item.number > 1) & (item.other > 2), "eg"),
    "or": (lambda item: (item.number == 1) | (item.other == 3), "ad"),
    "NOT (or)": (lambda item: ~((item.number == 1) | (item.other == 2)), "efg"),
    "NOT (and)": (lambda item: ~((item.number == 3) & (item.other == 1)), "abdefg"),
    "an index and more": (lambda item: (item.shelf == "x") & (item.other.is_null() | (item.name == "ann")), "ac"),
    "two indexes or": (lambda item: (item.shelf == "y") | (item.number == 1), "ade"),
    "a unique value": (lambda item: item.code == "c", "c"),
    "unique values": (lambda item: item.code.in_(["c", "g", "nobody"]), "cg"),
    "field to field": (lambda item: item.number == item.other, "be"),
    "field less than field": (lambda item: item.number < item.other, "ag"),
    "sum": (lambda item: item.number + 1 == 3, "b"),
    "difference": (lambda item: item.other - item.number == 9, "a"),
    "product": (lambda item: item.number * 2 > item.other, "befg"),
    "text": (lambda item: item.name == "ann", "a"),
    "texts": (lambda item: item.name.in_(["ann", "Bob"]), "ab"),
    "contains": (lambda item: item.name.contains("B"), "bf"),
    "starts with": (lambda item: item.name.startswith("b"), "b"),
    "ends with": (lambda item: item.name.endswith("N"), "ad"),
    "contains a wildcard": (lambda item: item.name.contains("%"), "g"),
    "contains the other wildcard": (lambda item: item.name.contains("_"), "f"),
    "NOT contains": (lambda item: ~item.name.contains("a"), "bcg"),
    "like, whatever the case": (lambda item: item.name**"%A%", "adf"),
    "like, with one open": (lambda item: item.name**"_ob", "b"),
    "NOT like": (lambda item: ~(item.name**"%a%"), "bcg"),
    "subquery": (lambda item: item.number.in_(item.select(item.other)), "bce"),
    "subquery of keys": (lambda item: item.id.in_(item.select().where(item.shelf == "y")), "de"),
    "NOT IN subquery with NULL": (lambda item: item.number.not_in(item.select(item.other)), ""),
    "NOT IN subquery": (lambda item: item.number.not_in(item.select(item.other).where(item.other.is_null(False))), "afg"),
}

#: What SQL databases do each in their own way.
BY_CODE_POINT: dict[str, tuple[Any, str]] = {
    "less": (lambda item: item.name < "a", "bdg"),
    "equal": (lambda item: item.name == "ANN", ""),
    "like": (lambda item: item.name % "%B%", "b"),
    "like, with one open": (lambda item: item.name % "_nn", "a"),
    "regexp": (lambda item: item.name.regexp("^[a-c].*e$"), "c"),
    "regexp, whatever the case": (lambda item: item.name.iregexp("^b"), "b"),
    "NOT regexp": (lambda item: ~item.name.regexp("n"), "bcg"),
}

#: What is computed of the numbers.
COMPUTED = {"COUNT": 6, "SUM": 18, "MIN": 0, "MAX": 7, "AVG": 3}


class Reading(Ground):
    """What queries find."""

    def test_a_condition_finds_the_rows_for_which_it_holds(self, rows: Any) -> None:
        """J2: where, by SQL's three-valued logic: what is compared with NULL does not hold, and neither does its opposite."""
        found = {asked: codes(rows.select().where(condition(rows))) for asked, (condition, _) in CONDITIONS.items()}
        assert found == {asked: expected for asked, (_, expected) in CONDITIONS.items()}
        counted = {asked: rows.select().where(condition(rows)).count() for asked, (condition, _) in CONDITIONS.items()}
        assert counted == {asked: len(expected) for asked, (_, expected) in CONDITIONS.items()}

    def test_texts_compare_by_code_point(self, rows: Any, capabilities: Store) -> None:
        """J2: strings go by code point, LIKE and regexp see the case."""
        skip_with_sql(capabilities)
        found = {asked: codes(rows.select().where(condition(rows))) for asked, (condition, _) in BY_CODE_POINT.items()}
        assert found == {asked: expected for asked, (_, expected) in BY_CODE_POINT.items()}

    def test_conditions_add_up(self, rows: Any) -> None:
        """J2: where() after where() is AND; orwhere() is OR."""
        query = rows.select().where(rows.shelf == "x").where(rows.number > 1)
        assert codes(query) == "bc" and codes(query.orwhere(rows.code == "g")) == "bcg"

    def test_a_boolean_is_a_condition(self, Base: Any) -> None:
        """J2: a column of booleans by itself, its opposite, and within others; NULL is neither."""
        fields = {"code": peewee.CharField(max_length=5), "done": peewee.BooleanField(null=True)}
        Task = made(model("Task", (Base,), **fields))
        Task.insert_many([("a", True), ("b", False), ("c", None)], fields=[Task.code, Task.done]).execute()
        asked = [Task.done, ~Task.done, Task.done & (Task.code == "a"), Task.done | (Task.code == "c"), ~(Task.done & (Task.code == "a"))]
        assert [codes(Task.select().where(condition)) for condition in asked] == ["a", "b", "a", "ac", "bc"]

    def test_a_record_stands_for_its_key(self, Base: Any) -> None:
        """J2: conditions take a record where they take its key, and the field of a reference or its column."""
        User = model("User", (Base,), name=peewee.CharField(max_length=20))
        columns = {"code": peewee.CharField(max_length=5), "user": peewee.ForeignKeyField(User, null=True)}
        User, Photo = made(User, model("Photo", (Base,), **columns))
        ann, bob = User.create(name="ann"), User.create(name="bob")
        Photo.insert_many([("a", ann), ("b", ann.id), ("c", bob), ("d", None)], fields=[Photo.code, Photo.user]).execute()
        asked = [Photo.user == ann, Photo.user_id == bob.id, Photo.user.in_([ann, bob]), Photo.user.is_null(), Photo.user != ann]
        assert [codes(Photo.select().where(condition)) for condition in asked] == ["ab", "c", "abc", "d", "c"]
        assert codes(Photo.select().where(Photo.user.in_(User.select().where(User.name == "bob")))) == "c"
        assert Photo.get(Photo.code == "c").user == bob and Photo.update(user=bob).where(Photo.user == ann).execute() == 2

    def test_texts_are_joined(self, rows: Any) -> None:
        """J2: concatenation, in what is read and in what is written."""
        assert rows.select(rows.code.concat("!")).where(rows.code == "a").scalar() == "a!"
        assert rows.update(name=rows.name.concat("-").concat(rows.shelf)).where(rows.code.in_(["a", "e"])).execute() == 2
        assert [each.name for each in rows.select().where(rows.code.in_(["a", "e"])).order_by(rows.code)] == ["ann-x", None]

    def test_a_record_is_found_by_its_key(self, rows: Any) -> None:
        """J2: get, get_by_id, get_or_none, and DoesNotExist where there is none."""
        found = rows.get(rows.code == "b")
        assert (found.name, found.number, rows.get_by_id(found.id).code, rows[found.id].code) == ("Bob", 2, "b", "b")
        assert rows.get_or_none(rows.code == "nobody") is None and rows.get_or_none(rows.code == "b") == found
        with pytest.raises(rows.DoesNotExist):
            rows.get_by_id(found.id + 1_000)
        with pytest.raises(rows.DoesNotExist):
            rows.get(rows.number == 99)

    def test_a_whole_record_comes_back(self, rows: Any) -> None:
        """J2: select() has every field, NULLs among them, and defaults are written."""
        found = [(each.code, each.shelf, each.name, each.number, each.other) for each in rows.select().order_by(rows.code)]
        assert found == list(ROWS)

    def test_rows_come_in_the_order_asked_for(self, rows: Any) -> None:
        """J2: order_by one or several, ascending or descending."""
        there = rows.select().where(rows.number.is_null(False))
        assert [each.number for each in there.order_by(rows.number)] == [0, 1, 2, 3, 5, 7]
        assert [each.number for each in there.order_by(rows.number.desc())] == [7, 5, 3, 2, 1, 0]
        assert [each.code for each in rows.select().order_by(rows.shelf.desc(), rows.code)] == list("fgdeabc")
        assert [each.code for each in rows.select().order_by(rows.shelf, rows.code.desc())] == list("cbaedgf")
        # Of a column that is named twice the first mention counts.
        assert [each.code for each in rows.select().order_by(rows.code.desc(), rows.code)] == list("gfedcba")

    def test_nulls_stand_where_they_are_wanted(self, rows: Any) -> None:
        """J2: NULLS FIRST and NULLS LAST, in both directions."""
        up, down = rows.other.asc, rows.other.desc
        orders = [up(nulls="FIRST"), up(nulls="LAST"), down(nulls="FIRST"), down(nulls="LAST")]
        found = ["".join(each.code for each in rows.select().order_by(order)) for order in orders]
        assert found == ["cfbdega", "fbdegac", "cagedbf", "agedbfc"]

    def test_nulls_are_the_smallest(self, rows: Any, capabilities: Store) -> None:
        """J2: NULLs first ascending, last descending."""
        skip_with_sql(capabilities)
        assert "".join(each.code for each in rows.select().order_by(rows.other)) == "cfbdega"
        assert "".join(each.code for each in rows.select().order_by(-rows.other)) == "agedbfc"

    def test_texts_are_sorted_by_code_point(self, Item: Any, capabilities: Store) -> None:
        """J2: strings order by code point, as Python's."""
        skip_with_sql(capabilities)
        names = ["b", "B", "a", "é", "z", "Z", "10", "9", "\U0001f600", "\uffff", "", "a b", "a-b"]
        Item.insert_many([{"name": name} for name in names]).execute()
        assert [each.name for each in Item.select().order_by(Item.name)] == sorted(names)

    def test_a_part_of_the_rows_is_taken(self, rows: Any) -> None:
        """J2: limit and offset, one without the other, none and beyond the end."""
        query = rows.select().order_by(rows.code)
        assert codes(query.limit(2)) == "ab" and codes(query.limit(2).offset(1)) == "bc"
        assert (codes(query.offset(5)), codes(query.limit(0)), codes(query.limit(3).offset(99))) == ("fg", "", "")
        assert codes(query.paginate(2, 3)) == "def"
        assert query.first().code == "a" and [each.code for each in query.first(n=2)] == ["a", "b"]

    def test_rows_are_counted(self, rows: Any) -> None:
        """J2: count, with and without a limit, and exists."""
        assert (rows.select().count(), rows.select().where(rows.shelf == "x").count()) == (7, 3)
        assert rows.select().order_by(rows.code).limit(3).count() == 3 and rows.select().offset(5).limit(9).count() == 2
        assert rows.select().where(rows.number == 2).exists() and not rows.select().where(rows.number == 99).exists()
        assert len(rows.select()) == 7 and bool(rows.select().where(rows.shelf == "z"))

    def test_columns_are_chosen(self, rows: Any) -> None:
        """J2: some columns, expressions and other names for them, as tuples, dicts and records."""
        some = rows.select().where(rows.code.in_(["a", "c"])).order_by(rows.code)
        assert list(some.select(rows.code, rows.number + 1).tuples()) == [("a", 2), ("c", 4)]
        assert list(some.select(rows.code, rows.number.alias("n")).dicts()) == [{"code": "a", "n": 1}, {"code": "c", "n": 3}]
        assert [(each.code, each.n) for each in some.select(rows.code, rows.number.alias("n")).namedtuples()] == [("a", 1), ("c", 3)]
        assert [(each.code, each.name) for each in some.select(rows.code)] == [("a", None), ("c", None)]
        assert [each.twice for each in some.select((rows.number * 2).alias("twice")).objects()] == [2, 6]

    def test_rows_are_read_one_after_the_other(self, rows: Any) -> None:
        """J2: iterator(), which keeps nothing."""
        assert sorted(each.code for each in rows.select().iterator()) == list("abcdefg")

    def test_equal_rows_are_one(self, rows: Any) -> None:
        """J2: distinct; NULLs are equal."""
        assert list(rows.select(rows.shelf).distinct().order_by(rows.shelf).tuples()) == [("x",), ("y",), ("z",)]
        assert rows.select(rows.shelf).distinct().count() == 3
        rows.create(name=None, code="h")
        assert sorted(each.name or "" for each in rows.select(rows.name).distinct()) == sorted({row[2] or "" for row in ROWS})

    def test_one_value_is_computed_of_all_rows(self, rows: Any) -> None:
        """J2: COUNT, SUM, MIN, MAX and AVG; NULLs do not take part, and of nothing the result is NULL, but for COUNT."""
        found = {name: rows.select(getattr(fn, name)(rows.number)).scalar() for name in COMPUTED}
        assert found == COMPUTED
        of_nothing = {name: rows.select(getattr(fn, name)(rows.number)).where(rows.number > 99).scalar() for name in COMPUTED}
        assert of_nothing == {"COUNT": 0, "SUM": None, "MIN": None, "MAX": None, "AVG": None}

    def test_values_are_counted_once(self, rows: Any) -> None:
        """J2: COUNT of all rows, and COUNT(DISTINCT …)."""
        assert rows.select(fn.COUNT(rows.id)).scalar() == 7
        assert rows.select(fn.COUNT(fn.DISTINCT(rows.shelf))).scalar() == 3
        assert rows.select(fn.COUNT(rows.shelf.distinct())).scalar() == 3

    def test_groups_have_their_values(self, rows: Any) -> None:
        """J2: group_by with count, sum, min, max and avg, sorted by group or by value."""
        values = [fn.COUNT(rows.id), fn.SUM(rows.number), fn.MIN(rows.number), fn.MAX(rows.number), fn.AVG(rows.number)]
        query = rows.select(rows.shelf, *values).group_by(rows.shelf).order_by(rows.shelf).tuples()
        assert list(query) == [("x", 3, 6, 1, 3, 2), ("y", 2, 5, 5, 5, 5), ("z", 2, 7, 0, 7, 3.5)]
        counted = rows.select(rows.shelf, fn.COUNT(rows.number).alias("n")).group_by(rows.shelf)
        assert list(counted.order_by(fn.COUNT(rows.number).desc(), rows.shelf.desc()).dicts()) == [
            {"shelf": "x", "n": 3},
            {"shelf": "z", "n": 2},
            {"shelf": "y", "n": 1},
        ]
        assert list(counted.where(rows.number > 2).order_by(rows.shelf).tuples()) == [("x", 1), ("y", 1), ("z", 1)]

    def test_a_group_of_nulls_is_one(self, rows: Any) -> None:
        """J2: NULLs form a group of their own."""
        rows.create(code="h", name=None)
        found = rows.select(rows.name, fn.COUNT(rows.id)).group_by(rows.name).tuples()
        assert dict(found) == {**{row[2]: 1 for row in ROWS}, None: 2}

    def test_more_rows_are_read_than_one_answer_has(self, Item: Any) -> None:
        """J2: servers answer in portions; the rows are all there, each once, and hundreds of keys fit into one condition."""
        Item.insert_many([{"code": f"c{n}", "number": n} for n in range(1_200)]).execute()
        keys = [each.id for each in Item.select(Item.id)]
        assert len(set(keys)) == len(keys) == Item.select().count() == 1_200
        assert {each.id for each in Item.select().where(Item.id.in_(keys[:300]))} == set(keys[:300])
        assert [each.number for each in Item.select().order_by(Item.number.desc()).limit(3)] == [1_199, 1_198, 1_197]
