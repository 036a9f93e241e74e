"""How a query of peewee's becomes a plan: what stores without SQL are told, and what they are never told. Nothing here asks a server."""

from __future__ import annotations

import datetime
import decimal
import uuid

import peewee
import pytest
from peewee import OP, SQL, Case, Expression, Value, fn

from activeassoc import AssociationError, Model
from activeassoc.errors import NullNotAllowed, UnfitValue, UnknownName, UnsupportedQuery
from activeassoc.stores.mongo import MongoDatabase
from activeassoc.stores.object_id import ObjectIdField
from activeassoc.stores.plan import (
    Aggregate,
    All,
    Arithmetic,
    Change,
    Column,
    Compare,
    Constant,
    Either,
    Insert,
    IsNull,
    Like,
    Literal,
    OneOf,
    Order,
    Read,
    Regexp,
    Remove,
    Selected,
    Wild,
    like_regex,
)
from activeassoc.stores.reading import plan_of

D = decimal.Decimal
#: Never asked: a plan is made before anything is sent.
db = MongoDatabase("plans", url="mongodb://127.0.0.1:1")
db.address = "mongodb://here/plans"


class Base(Model):
    class Meta:
        database = db


class Owner(Base):
    name = peewee.CharField()


class Item(Base):
    title = peewee.CharField(null=True)
    n = peewee.IntegerField(null=True)
    m = peewee.IntegerField(default=3)
    price = peewee.DecimalField(null=True, max_digits=6, decimal_places=2)
    ratio = peewee.FloatField(null=True)
    done = peewee.BooleanField(default=False)
    at = peewee.DateTimeField(null=True)
    day = peewee.DateField(null=True)
    hour = peewee.TimeField(null=True)
    token = peewee.UUIDField(null=True)
    raw = peewee.BlobField(null=True)
    meta = peewee.JSONField(null=True)
    flags = peewee.BitField(null=True)
    owner = peewee.ForeignKeyField(Owner, null=True)


class Photo(Base):
    id = ObjectIdField(primary_key=True)
    title = peewee.CharField(column_name="name")


class Link(Base):
    a = peewee.IntegerField()
    b = peewee.IntegerField()

    class Meta:
        primary_key = peewee.CompositeKey("a", "b")


TITLE, N, M, DONE, META = (
    Column("title", "text"),
    Column("n", "integer"),
    Column("m", "integer"),
    Column("done", "bool"),
    Column("meta", "json"),
)
OWNER, PRICE, TOKEN = Column("owner_id", "integer"), Column("price", "decimal"), Column("token", "uuid")
ONE_UUID = uuid.UUID(int=1)


def where(condition):
    """The condition of the plan for a query with this where()."""
    return plan_of(Item.select().where(condition), db).where


CONDITIONS = {
    "equal": (lambda: Item.n == 1, Compare("=", N, Literal(1))),
    "converted": (lambda: Item.n == "7", Compare("=", N, Literal(7))),
    "turned": (lambda: Value(5) < Item.n, Compare(">", N, Literal(5))),
    "two columns": (lambda: Item.n == Item.m, Compare("=", N, M)),
    "a record": (lambda: Item.owner == Owner(id=4), Compare("=", OWNER, Literal(4))),
    "the key's own name": (lambda: Item.owner_id == "4", Compare("=", OWNER, Literal(4))),
    "a decimal is not rounded": (lambda: Item.price < "1.125", Compare("<", PRICE, Literal(D("1.125")))),
    "a uuid by its digits": (lambda: Item.token == ONE_UUID.hex, Compare("=", TOKEN, Literal(ONE_UUID))),
    "JSON as a whole": (lambda: Item.meta == [1, {"a": None}], Compare("=", META, Literal([1, {"a": None}]))),
    "NULL is equal to nothing": (lambda: Expression(Item.n, OP.EQ, None), Constant(False)),
    "nor unequal": (lambda: ~Expression(Item.n, OP.EQ, None), Constant(False)),
    "is null": (lambda: Item.n.is_null(), IsNull(N)),
    "== None": (lambda: Item.n == None, IsNull(N)),  # noqa: E711
    "!= None": (lambda: Item.n != None, IsNull(N, True)),  # noqa: E711
    "not is null": (lambda: ~Item.n.is_null(), IsNull(N, True)),
    "a flag": (lambda: Item.done, Compare("=", DONE, Literal(True))),
    "not a flag": (lambda: ~Item.done, Compare("=", DONE, Literal(False))),
    "not equal": (lambda: ~(Item.n == 1), Compare("!=", N, Literal(1))),
    "not less": (lambda: ~(Item.n < 1), Compare(">=", N, Literal(1))),
    "twice not": (lambda: ~~(Item.n < 1), Compare("<", N, Literal(1))),
    "not and": (
        lambda: ~((Item.n == 1) & (Item.m > 2)),
        Either((Compare("!=", N, Literal(1)), Compare("<=", M, Literal(2)))),
    ),
    "not or": (
        lambda: ~((Item.n == 1) | Item.done),
        All((Compare("!=", N, Literal(1)), Compare("=", DONE, Literal(False)))),
    ),
    "between": (lambda: Item.n.between(1, 5), All((Compare(">=", N, Literal(1)), Compare("<=", N, Literal(5))))),
    "not between": (lambda: ~Item.n.between(1, 5), Either((Compare("<", N, Literal(1)), Compare(">", N, Literal(5))))),
    "not between NULL and": (lambda: ~Item.n.between(None, 5), Compare(">", N, Literal(5))),
    "in": (lambda: Item.n.in_([1, "2", 1]), OneOf(N, (1, 2))),
    "not in": (lambda: Item.n.not_in([1, 2]), OneOf(N, (1, 2), True)),
    "in one": (lambda: Item.n.in_([1]), Compare("=", N, Literal(1))),
    "in with NULL": (lambda: Item.n.in_([1, None, 2]), OneOf(N, (1, 2))),
    "not in with NULL": (lambda: Item.n.not_in([1, None]), Constant(False)),
    "in nothing": (lambda: Item.n.in_([]), Constant(False)),
    "not in nothing": (lambda: Item.n.not_in([]), Constant(True)),
    "not (in nothing)": (lambda: ~Item.n.in_([]), Constant(True)),
    "in records": (lambda: Item.owner.in_([Owner(id=1), 2]), OneOf(OWNER, (1, 2))),
    "in what a generator gives": (lambda: Item.n.in_(each for each in (1, 2)), OneOf(N, (1, 2))),
    "contains": (lambda: Item.title.contains("a_b"), Like(TITLE, (Wild.ANY, "a_b", Wild.ANY), True)),
    "startswith": (lambda: Item.title.startswith("a"), Like(TITLE, ("a", Wild.ANY), True)),
    "endswith": (lambda: Item.title.endswith("50%"), Like(TITLE, (Wild.ANY, "50%"), True)),
    "like": (lambda: Item.title % "a_%", Like(TITLE, ("a", Wild.ONE, Wild.ANY))),
    "not ilike": (lambda: ~(Item.title ** "a"), Like(TITLE, ("a",), True, True)),
    "regexp": (lambda: Item.title.regexp("^a+"), Regexp(TITLE, "^a+")),
    "not iregexp": (lambda: ~Item.title.iregexp("a"), Regexp(TITLE, "a", True, True)),
    "arithmetic": (
        lambda: Item.n * 2 + 1 > Item.m,
        Compare(">", Arithmetic("+", Arithmetic("*", N, Literal(2), "integer"), Literal(1), "integer"), M),
    ),
    "and a constant": (lambda: (Item.n == 1) & True, Compare("=", N, Literal(1))),
    "chains are flat": (
        lambda: (Item.n == 1) & (Item.n == 2) & (Item.n == 3),
        All(tuple(Compare("=", N, Literal(number)) for number in (1, 2, 3))),
    ),
}


@pytest.mark.parametrize("name", CONDITIONS)
def test_a_condition_is_read(name):
    """J2: comparisons, IN, is_null, between, like, regexp, arithmetic and their NOT, with SQL's three values."""
    condition, expected = CONDITIONS[name]
    assert where(condition()) == expected


def test_thousands_of_conditions_are_read():
    """J2: a chain of conditions is no deep recursion."""
    condition = Item.n == 0
    for number in range(1, 5_000):
        condition = condition | (Item.n == number)
    assert len(where(condition).parts) == 5_000


FORMS = {
    "whole": (Item.n, "7", 7),
    "a whole number of another type": (Item.n, 7.0, 7),
    "a flag for a number": (Item.n, True, 1),
    "minus zero": (Item.ratio, -0.0, 0.0),
    "a decimal is rounded": (Item.price, "1.239", D("1.24")),
    "a decimal of a float": (Item.price, 0.1, D("0.10")),
    "a date's text": (Item.day, "2024-02-29", datetime.date(2024, 2, 29)),
    "a date of a datetime": (Item.day, datetime.datetime(2024, 1, 2, 3), datetime.date(2024, 1, 2)),
    "a datetime's text, to the millisecond": (Item.at, "2024-01-02 03:04:05.678901", datetime.datetime(2024, 1, 2, 3, 4, 5, 678000)),
    "a datetime of a date": (Item.at, datetime.date(2024, 1, 2), datetime.datetime(2024, 1, 2)),
    "a zone is converted": (
        Item.at,
        datetime.datetime(2024, 1, 2, 3, tzinfo=datetime.timezone(datetime.timedelta(hours=5))),
        datetime.datetime(2024, 1, 1, 22),
    ),
    "a time": (Item.hour, "03:04:05.000006", datetime.time(3, 4, 5, 6)),
    "bytes": (Item.raw, bytearray(b"\0\xff"), b"\0\xff"),
    "a UUID": (Item.token, str(ONE_UUID), ONE_UUID),
    "JSON": (Item.meta, {"a": (1, 2)}, {"a": [1, 2]}),
    "a flag": (Item.done, 1, True),
    "a text of a number": (Item.title, 5, "5"),
}


@pytest.mark.parametrize("name", FORMS)
def test_a_value_has_one_form(name):
    """J3: values are normalised by field type on write."""
    field, value, expected = FORMS[name]
    (row,) = plan_of(Item.insert({field: value}), db).rows
    found = row[field.column_name]
    assert (type(found), found) == (type(expected), expected)


UNFIT = {
    "a fraction for a whole number": (
        Item.n,
        7.5,
        "Item.n with 7.5: Item.n holds whole numbers of 64 bits, and this is none of them (it would be cut to a whole number). "
        "Give another value.",
    ),
    "a decimal fraction for a whole number": (
        Item.n,
        D("7.5"),
        "Item.n with Decimal('7.5'): Item.n holds whole numbers of 64 bits, and this is none of them (it would be cut to a whole number). "
        "Give another value.",
    ),
    "a text for a flag": (
        Item.done,
        "false",
        "Item.done with 'false': Item.done holds True or False, and this is none of them. Give another value.",
    ),
    "another number for a flag": (
        Item.done,
        2,
        "Item.done with 2: Item.done holds True or False, and this is none of them. Give another value.",
    ),
    "a mapping for a flag": (
        Item.done,
        {"!=": 1},
        "Item.done with {'!=': 1}: Item.done holds True or False, and this is none of them. Give another value.",
    ),
    "a mapping for a text": (
        Item.title,
        {"like": "a"},
        "Item.title with {'like': 'a'}: Item.title holds texts, and this is none of them. Give another value.",
    ),
    "a set for a text": (
        Item.title,
        {"a"},
        "Item.title with {'a'}: Item.title holds texts, and this is none of them. Give another value.",
    ),
    "text for a number": (
        Item.n,
        "x",
        "Item.n with 'x': Item.n holds whole numbers of 64 bits, and this is none of them. Give another value.",
    ),
    "65 bits": (
        Item.n,
        2**63,
        "Item.n with 9223372036854775808: Item.n holds whole numbers of 64 bits, and this is none of them (it has more than 64 bits). "
        "Give another value.",
    ),
    "infinity as a whole number": (
        Item.n,
        float("inf"),
        "Item.n with inf: Item.n holds whole numbers of 64 bits, and this is none of them. Give another value.",
    ),
    "NaN": (
        Item.ratio,
        float("nan"),
        "Item.ratio with nan: Item.ratio holds numbers, and this is none of them (it is not finite). Give another value.",
    ),
    "a decimal that is none": (
        Item.price,
        "1,5",
        "Item.price with '1,5': Item.price holds decimal numbers, and this is none of them. Give another value.",
    ),
    "a decimal NaN": (
        Item.price,
        D("NaN"),
        "Item.price with Decimal('NaN'): Item.price holds decimal numbers, and this is none of them (it is not finite). "
        "Give another value.",
    ),
    "no date": (Item.day, "tomorrow", "Item.day with 'tomorrow': Item.day holds dates, and this is none of them. Give another value."),
    "no UUID": (Item.token, "x", "Item.token with 'x': Item.token holds UUIDs, and this is none of them. Give another value."),
    "a zone without a date": (
        Item.hour,
        datetime.time(1, tzinfo=datetime.UTC),
        "Item.hour with datetime.time(1, 0, tzinfo=datetime.timezone.utc): Item.hour holds times of the day without a time zone, and this "
        "is none of them (it has a time zone, and no date to tell what that means). Give another value.",
    ),
    "half a character": (
        Item.title,
        "\ud800",
        "Item.title with '\\ud800': Item.title holds texts, and this is none of them (half a surrogate pair is no text). "
        "Give another value.",
    ),
    "an object in JSON": (
        Item.meta,
        {"a": {1, 2}},
        "Item.meta with {'a': {1, 2}}: Item.meta holds JSON, and this is none of them. Give another value.",
    ),
}


@pytest.mark.parametrize("name", UNFIT)
@pytest.mark.parametrize(
    "query", [lambda field, value: Item.insert({field: value}), lambda field, value: Item.select().where(field == value)]
)
def test_a_value_that_does_not_fit_is_refused(name, query):
    """J3: NaN, infinities, integers beyond 64 bits, values that do not parse: errors, in comparisons too."""
    field, value, text = UNFIT[name]
    with pytest.raises(UnfitValue) as error:
        plan_of(query(field, value), db)
    assert str(error.value) == text
    assert error.value.field is field and isinstance(error.value, (peewee.DataError, ValueError, AssociationError))


def test_more_digits_than_the_column_has_are_refused():
    """J3: a decimal that its column could not hold is refused on write."""
    with pytest.raises(UnfitValue) as error:
        plan_of(Item.insert(price="12345.6"), db)
    assert str(error.value) == (
        "Item.price with '12345.6': Item.price holds decimal numbers, and this is none of them (it has more than 6 digits). "
        "Give another value."
    )


def refused(construct, because, instead, model="Item"):
    return f"{construct} in a query of {model} on mongodb://here/plans: {because}. {instead}."


ONE_TABLE = "this store reads one table at a time"
ASK_EACH = "Ask each by a query of its own, or declare an association and populate it"
NO_FORM = "Write it with fields and their operators"
IN_PYTHON = "Read the rows, and compute it in Python"
BY_EACH = "save() each record (bulk_update() writes CASE), or compute it in Python"
INNER = "a query stands within another only as field.in_(query)"
LIST = "Run the query first and give its values: field.in_([...])"
FUNCTIONS = "Only COUNT, SUM, MIN, MAX, AVG are known here; read the rows and compute it in Python"
EVERY_ROW = "all rows that are found are written"
KEYS_FIRST = "Select the keys first, and give them to where()"

REFUSED = {
    "a join": (lambda: Item.select().join(Owner), refused("a join", ONE_TABLE, ASK_EACH)),
    "SQL text as a condition": (
        lambda: Item.select().where(SQL("1 = 1")),
        refused("SQL text", "this store takes none", NO_FORM),
    ),
    "a scalar subquery": (lambda: Item.select().where(Item.n == Item.select(fn.MAX(Item.n))), refused("a subquery", INNER, LIST)),
    "EXISTS": (lambda: Item.select().where(fn.EXISTS(Owner.select())), refused("the function EXISTS()", INNER, LIST)),
    "a subquery of its query": (
        lambda: Item.select().where(Item.owner.in_(Owner.select(Owner.id).where(Owner.name == Item.title))),
        refused(
            "a subquery that asks for title of the query around it",
            "a subquery is run before that, and once",
            "Write one that stands alone",
        ),
    ),
    "a union": (
        lambda: Item.select() | Item.select(),
        "UNION on mongodb://here/plans: this store joins no answers of several queries. Run each query, and join the lists in Python.",
    ),
    "a query as source": (
        lambda: Item.select().select_from(SQL("*")),
        "a subquery as the source of a query of Item on mongodb://here/plans: a query reads from a model here. "
        "Write the conditions of both into one query, or run the inner one first.",
    ),
    "a window": (
        lambda: Item.select(fn.ROW_NUMBER().over(order_by=[Item.n])),
        refused("a window function", "this store has no window functions", IN_PYTHON),
    ),
    "HAVING": (
        lambda: Item.select(Item.n).group_by(Item.n).having(fn.COUNT(Item.id) > 1),
        refused("HAVING", "groups are not chosen here", "Put conditions into where(), or choose in Python"),
    ),
    "FOR UPDATE": (
        lambda: Item.select().for_update(),
        refused("FOR UPDATE", "no rows are locked here", "Say in update().where() what must still hold"),
    ),
    "a CTE": (
        lambda: Item.select().with_cte(Item.select().cte("x")),
        refused("a CTE", "a query reads from a model here", "Run it first, and give its values"),
    ),
    "DISTINCT ON": (
        lambda: Item.select().distinct(Item.n),
        refused("DISTINCT ON", "rows are distinct as a whole here", "Write distinct(), or choose among the rows in Python"),
    ),
    "SQL text": (lambda: Item.select().where(SQL("n > 1")), refused("SQL text", "this store takes none", NO_FORM)),
    "a function": (
        lambda: Item.select().where(fn.LOWER(Item.title) == "a"),
        refused("the function LOWER()", "this store has no functions", FUNCTIONS),
    ),
    "an aggregate in where": (
        lambda: Item.select().where(fn.COUNT(Item.id) > 1),
        refused("the aggregate COUNT()", "it stands in select() and order_by() alone", "Select it, and compare in Python"),
    ),
    "CASE": (lambda: Item.update(n=Case(Item.m, [(1, 2)], 3)), refused("CASE", "a plan has no such expression", BY_EACH)),
    "CAST": (
        lambda: Item.select().where(Item.n.cast("text") == "1"),
        refused("CAST", "values have the type of their field here", IN_PYTHON),
    ),
    "COLLATE": (
        lambda: Item.select().where(Item.title.collate("NOCASE") == "a"),
        refused("COLLATE", "texts compare by code point here", "Use ** or contains(), which ignore case"),
    ),
    "a path into JSON": (
        lambda: Item.select().where(Item.meta["a"] == 1),
        refused("a path into JSON", "JSON is stored and compared as a whole here", "Store what is asked for in a field of its own"),
    ),
    "bits": (
        lambda: Item.select().where(Item.flags.bin_and(4) != 0),
        refused("the operator & as a value", "values are computed with + - * / and, for texts, || alone", IN_PYTHON),
    ),
    "a random order": (
        lambda: Item.select().order_by(fn.RANDOM()),
        refused("the function RANDOM()", "this store has no functions", FUNCTIONS),
    ),
    "a column of another model": (
        lambda: Item.select().where(Owner.name == "a"),
        refused(
            "the column Owner.name",
            "it belongs to another table than Item, and there are no joins here",
            "Ask each model by a query of its own, or declare an association and populate it",
        ),
    ),
    "a loose column": (
        lambda: Item.select(Item.title, fn.COUNT(Item.id)),
        refused(
            "the column title beside an aggregate",
            "it is not among the columns of group_by(), and has no single value in a group",
            "Group by it too, or ask for its fn.MIN() or fn.MAX()",
        ),
    ),
    "a pattern for numbers": (
        lambda: Item.select().where(Item.n.startswith("1")),
        refused("LIKE with values of the form integer", "patterns are of texts", "Compare with a value, or a range"),
    ),
    "a number as a condition": (
        lambda: Item.select().where(Item.n),
        refused("the column n as a condition", "it is neither true nor false", "Compare it with a value: field != 0"),
    ),
    "a changed key": (
        lambda: Item.update(id=5),
        refused("a change of the primary key id", "a row is known by its key", "Insert a new row, and delete the old one"),
    ),
    "an update of some": (lambda: Item.update(n=1).limit(1), refused("UPDATE with LIMIT", EVERY_ROW, KEYS_FIRST)),
    "a delete in order": (lambda: Item.delete().order_by(Item.n), refused("DELETE with ORDER BY", EVERY_ROW, KEYS_FIRST)),
    "RETURNING": (
        lambda: Item.delete().returning(Item.id),
        refused("DELETE with RETURNING", "the store tells how many rows there were", "Select the rows first"),
    ),
    "INSERT with a SELECT": (
        lambda: Item.insert_from(Item.select(Item.n), [Item.n]),
        refused(
            "INSERT with a SELECT", "rows are given here", "Run the query and give its rows: insert_many(query.tuples(), fields=[...])"
        ),
    ),
    "an upsert": (
        lambda: Item.insert(n=1).on_conflict(conflict_target=[Item.id], update={Item.n: 2}),
        refused(
            "ON CONFLICT with an update",
            "a row that is in the way is left as it is, or replaced as a whole",
            "Write on_conflict_ignore() or on_conflict_replace(), or read the row and save it",
        ),
    ),
    "a fraction into whole numbers": (
        lambda: Item.update(n=Item.ratio),
        refused(
            "n set to a value of the form float (ratio)",
            "it holds values of the form integer, and something would be cut off",
            "Read the rows, and compute it in Python",
        ),
    ),
    "days computed": (
        lambda: Item.update(day=Item.day + Item.day),
        refused("+ with values of the form date", "arithmetic is done with numbers alone here", IN_PYTHON),
    ),
    "a table without a model": (
        lambda: peewee.Table("item").select(SQL("1")),
        "a query of <peewee.Table object at",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_has_no_plan_is_refused(name):
    """J2: what is not supported raises `UnsupportedQuery` that names the construct and the alternative; nothing is silently ignored."""
    query, text = REFUSED[name]
    with pytest.raises(UnsupportedQuery) as error:
        plan_of(query(), db)
    assert str(error.value) == text or (text.endswith(" at") and str(error.value).startswith(text))
    assert error.value.construct and isinstance(error.value, peewee.NotSupportedError)


@pytest.mark.parametrize("ask", [lambda: Item.at.year, lambda: Item.at.truncate("day"), lambda: db.random(), lambda: Item.meta.length()])
def test_functions_are_refused_where_they_are_made(ask):
    """J2: nothing leaks NotImplementedError."""
    with pytest.raises(UnsupportedQuery):
        ask()


def test_text_is_refused():
    """J8: `execute_sql(text)` raises."""
    with pytest.raises(UnsupportedQuery) as error:
        db.execute_sql("SELECT 1")
    assert str(error.value) == (
        "SELECT 1 on mongodb://here/plans: this store executes peewee's queries, and takes no SQL text. "
        "Write the query with select(), insert(), update() or delete()."
    )


def test_a_select_is_read_whole():
    """J2: order_by, limit, offset, distinct, group_by with aggregates."""
    query = (
        Item.select(Item.n, fn.COUNT(SQL("*")).alias("rows"), fn.SUM(Item.price), fn.COUNT(Item.title.distinct()))
        .where(Item.done)
        .group_by(Item.n)
        .order_by(fn.COUNT(SQL("1")).desc(), Item.n.asc(nulls="LAST"))
        .limit(5)
        .offset(2)
    )
    rows = Aggregate("COUNT", None, False, "integer")
    assert plan_of(query, db) == Read(
        model=Item,
        where=Compare("=", DONE, Literal(True)),
        columns=(
            Selected("n", N),
            Selected("rows", rows),
            Selected("SUM(price)", Aggregate("SUM", PRICE, False, "decimal")),
            Selected("COUNT(DISTINCT title)", Aggregate("COUNT", TITLE, True, "integer")),
        ),
        group_by=(N,),
        order=(Order(rows, True, True), Order(N, False, True)),
        limit=5,
        offset=2,
    )


def test_an_alias_of_the_model_is_the_model():
    """J2: a query of an alias is a query of its table."""
    Other = Item.alias()
    plan = plan_of(Other.select(Other.n).where(Other.n == "1"), db)
    assert (plan.model, plan.where, plan.columns) == (Item, Compare("=", N, Literal(1)), (Selected("n", N),))


@pytest.mark.parametrize("limit", [-1, 2**63, True, 1.5])
def test_a_limit_is_a_number_of_rows(limit):
    """J2: nothing is silently ignored: a limit that is none is refused."""
    with pytest.raises(UnfitValue) as error:
        plan_of(Item.select().limit(limit), db)
    assert str(error.value) == (
        f"LIMIT {limit!r} in a query of Item: it is a whole number, and not negative. Give such a number, or None for no limit."
    )


def test_an_insert_is_made_of_whole_rows():
    """J2, J3: defaults are filled in, NULLs left out, and each row has the columns that it was given, not those of the first."""
    plan = plan_of(Item.insert_many([{"title": "a"}, {"n": "2", Item.owner: Owner(id=9)}]), db)
    assert plan == Insert(
        Item,
        ({"title": "a", "m": 3, "done": False, "flags": 0}, {"n": 2, "m": 3, "done": False, "flags": 0, "owner_id": 9}),
        returning=(Column("id", "integer"),),
    )
    ignoring = plan_of(Link.insert_many([(1, 2)]).on_conflict(action="nothing"), db)
    assert (ignoring.rows, ignoring.on_conflict) == (({"a": 1, "b": 2},), "ignore")
    assert plan_of(Link.replace(a=1, b=2), db).on_conflict == "replace"


def test_an_object_id_is_made_with_the_row():
    """J4: `ObjectIdField` is provided; its keys are made without asking the server."""
    first, second = plan_of(Photo.insert_many([{"title": "a"}, {"title": "b", "id": "0123456789ABCDEF01234567"}]), db).rows
    assert len(first["id"]) == 24 and first["id"] != second["id"] == "0123456789abcdef01234567"
    with pytest.raises(UnfitValue) as error:
        plan_of(Photo.select().where(Photo.id == "7"), db)
    assert str(error.value) == (
        "Photo.id with '7': Photo.id holds ObjectIds, and this is none of them. Give an ObjectId, or its 24 hexadecimal digits."
    )


def test_null_is_refused_where_it_is_not_allowed():
    """J3: NULL in a NOT NULL field is an error, on insert and on update."""
    for query, verb in [(Item.insert(m=None), "insert"), (Item.update(m=None), "update")]:
        with pytest.raises(NullNotAllowed) as error:
            plan_of(query, db)
        assert str(error.value) == f"{verb} of Item with NULL for m: it is declared NOT NULL. Give a value, or declare null=True."
        assert isinstance(error.value, peewee.IntegrityError) and error.value.fields == ["m"]
    with pytest.raises(NullNotAllowed) as error:
        plan_of(Link.insert({}), db)
    assert str(error.value) == "insert of Link with NULL for a, b: they are declared NOT NULL. Give a value, or declare null=True."


def test_an_unknown_column_is_refused():
    """J3: unknown columns are errors, in rows after the first, too."""
    with pytest.raises(UnknownName) as error:
        plan_of(Item.insert_many([{"title": "a"}, {"titel": "b"}]), db)
    assert str(error.value) == "a row of Item with 'titel': there is no such field. Did you mean 'title'."


def test_a_change_and_a_removal_are_read():
    """J2: update with expressions, delete."""
    changed = plan_of(Item.update({Item.n: Item.n / 2, "title": Item.title + "!", "price": "1.005", "owner": None}).where(Item.n > 1), db)
    assert changed == Change(
        Item,
        Compare(">", N, Literal(1)),
        (
            (N, Arithmetic("/", N, Literal(2), "integer")),
            (TITLE, Arithmetic("||", TITLE, Literal("!"), "text")),
            (PRICE, Literal(D("1.00"))),
            (OWNER, Literal(None)),
        ),
    )
    assert plan_of(Item.delete(), db) == Remove(Item, Constant(True))


@pytest.mark.parametrize(
    ("pattern", "regex"),
    [
        (("a.b", Wild.ANY), r"^a\.b"),
        ((Wild.ANY, "a"), r"^[\s\S]*a(?![\s\S])"),
        (("a", Wild.ONE), r"^a[\s\S](?![\s\S])"),
        ((), r"^(?![\s\S])"),
    ],
)
def test_a_pattern_as_a_regular_expression(pattern, regex):
    """J2: like and ilike, as an expression that Python and PCRE read alike."""
    assert like_regex(pattern) == regex
