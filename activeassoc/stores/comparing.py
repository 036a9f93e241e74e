"""How the stores compare, so that criteria mean the same on each of them.

What differs: whether a text's case and trailing spaces count, which wildcards LIKE has and how they are taken literally,
where NULLs are sorted, how exact a FLOAT is. Numbers, dates, UUIDs and bytes compare alike everywhere.

Map: `Comparing` is what most stores do, and says what each method means; its subclasses are the others; `comparing_of`
finds the one of a database.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from typing import Any

import peewee
from peewee import OP, SQL, Cast, Expression, Field, FixedCharField, NodeList, Value, fn

from activeassoc.stores.capabilities import store_of
from activeassoc.stores.sql import among, base_field


class Comparing:
    """Texts compare by code points, and LIKE is case-sensitive. The nodes are plain peewee, that any store can read."""

    #: ORDER BY ascending begins with the NULLs, and descending ends with them.
    nulls_first: bool = True
    #: A datetime with a time zone can be compared with a column that has none.
    time_zones: bool = True
    #: A time of the day may have a time zone.
    zoned_times: bool = True
    #: A FLOAT holds 32 bits: 0.1 in it is not 0.1.
    single_floats: bool = False
    #: How many bytes a pattern of LIKE may have, None for any number.
    longest_pattern: int | None = None

    def one_of(self, field: Field, values: Sequence[Any]) -> Any:
        """``field IN values``; there is at least one, and none is None."""
        return among(field, values)

    def ordered(self, field: Field, operator: str, value: Any) -> Any:
        """``field < value``, and the other three: `operator` is one of peewee's OP."""
        return Expression(field, operator, bound(field, value))

    def like(self, field: Field, pieces: Sequence[str]) -> Any:
        """The text consists of these pieces, with anything between one and the next: ``["a", ""]`` begins with a."""
        return Expression(field, OP.LIKE, self.escaped(pieces))

    def escaped(self, pieces: Sequence[str]) -> Any:
        """The pattern in the shape that peewee's own contains() gives it, with ESCAPE only where something is escaped."""
        pattern = _escaped(pieces)
        if "\\" not in pattern:
            return Value(pattern, converter=False)
        return NodeList((Value(pattern, converter=False), SQL("ESCAPE"), Value("\\", converter=False)))

    def pattern(self, pieces: Sequence[str]) -> str:
        """The pattern as this store's LIKE reads it."""
        return _escaped(pieces)

    def order(self, field: Field, descending: bool) -> list[Any]:
        """The terms of ORDER BY by which NULLs are the smallest values."""
        if self.nulls_first or not field.null:
            # Nothing but the column: what is added here would keep an index from being used.
            return [field.desc() if descending else field]
        return [field.desc(nulls="LAST") if descending else field.asc(nulls="FIRST")]


class ComparingPlans(Comparing):
    """A store without SQL: plain nodes are what it reads. Datetimes with a zone are compared as UTC, times cannot be."""

    zoned_times = False

    def __init__(self, longest_pattern: int | None = None) -> None:
        self.longest_pattern = longest_pattern

    def pattern(self, pieces: Sequence[str]) -> str:
        from activeassoc.stores.plan import Wild, like_regex  # here, as only programs with such a store need plans

        open_ended = [part for piece in pieces for part in (Wild.ANY, piece)][1:]
        return like_regex(tuple(part for part in open_ended if part))


class ComparingSqlite(Comparing):
    """LIKE ignores the case of ASCII letters; GLOB, which peewee writes for OP.LIKE, does not, and has other wildcards."""

    time_zones = False
    longest_pattern = 50_000  # SQLITE_MAX_LIKE_PATTERN_LENGTH

    def escaped(self, pieces: Sequence[str]) -> Any:
        return Value(self.pattern(pieces), converter=False)

    def pattern(self, pieces: Sequence[str]) -> str:
        # GLOB has no escape character: a wildcard is literal as the only member of a set.
        return "*".join(re.sub(r"([*?[])", r"[\1]", piece) for piece in pieces)


class ComparingPostgresql(Comparing):
    """Texts are equal by code points; before and after go by the locale of the database, LIKE is case-sensitive."""

    nulls_first = False
    time_zones = False
    single_floats = True

    def ordered(self, field: Field, operator: str, value: Any) -> Any:
        column = by_code_point(field) if exact_text(field) else field
        return Expression(column, operator, bound(field, value))

    def like(self, field: Field, pieces: Sequence[str]) -> Any:
        column: Any = field
        if isinstance(base_field(field), FixedCharField):
            column = Cast(field, "TEXT")  # a CHAR(n) is padded with spaces, which LIKE sees
        if field.collation:
            column = by_code_point(column)  # where the collation ignores case, LIKE is not known at all
        return Expression(column, OP.LIKE, self.escaped(pieces))


class ComparingMysql(Comparing):
    """The default collations ignore case, accents and trailing spaces, for texts that are equal too.

    An exact comparison alone could use no index. So the collation's own comparison comes first and finds the candidates by
    the index (what is the same by code points is the same to every collation), then the bytes decide.

    The bytes are those of UTF-8 whatever the column's character set is. ``COLLATE utf8mb4_bin`` is ruled out, as it ignores
    trailing spaces; so is ``= BINARY %s``, which compares the bytes of two different character sets; and so are bytes as
    parameters, as pymysql escapes them wrongly in the SQL mode NO_BACKSLASH_ESCAPES.
    """

    time_zones = False
    single_floats = True

    def one_of(self, field: Field, values: Sequence[Any]) -> Any:
        candidates = among(field, values)
        if not exact_text(field):
            return candidates
        exact = [as_utf8(bound(field, value)) for value in values]
        return candidates & Expression(as_bytes(field), OP.IN, NodeList(exact, glue=", ", parens=True))

    def ordered(self, field: Field, operator: str, value: Any) -> Any:
        if exact_text(field):
            return Expression(as_bytes(field), operator, as_utf8(bound(field, value)))
        return super().ordered(field, operator, value)

    def like(self, field: Field, pieces: Sequence[str]) -> Any:
        pattern = Value(self.pattern(pieces), converter=False)
        exact = Expression(as_bytes(field), OP.ILIKE, NodeList((as_utf8(pattern), _ESCAPE)))  # ILIKE is written LIKE here
        if not pieces[0]:
            return exact  # no index helps where the beginning is open
        return Expression(field, OP.ILIKE, NodeList((pattern, _ESCAPE))) & exact

    def pattern(self, pieces: Sequence[str]) -> str:
        # Not the backslash: whether that stands for itself in a literal depends on the SQL mode.
        return "%".join(re.sub(r"([|%_])", r"|\1", piece) for piece in pieces)


_ESCAPE = SQL("ESCAPE '|'")


def _escaped(pieces: Sequence[str]) -> str:
    """A pattern whose escape character is the backslash."""
    return "%".join(re.sub(r"([\\%_])", r"\\\1", piece) for piece in pieces)


def bound(field: Field, value: Any) -> Value:
    """The value as a parameter, converted by the field that decides its type."""
    kind: Any = base_field(field)
    # A CHAR(n) would cut the value to n characters, and compare with another one.
    return Value(value if isinstance(kind, FixedCharField) else kind.db_value(value), converter=False)


def is_text(field: Field) -> bool:
    return isinstance(base_field(field), (peewee.CharField, peewee.TextField))


def exact_text(field: Field) -> bool:
    """Whether texts of this field compare by code points: all but those whose declaration names a collation.

    ``CharField(collation="NOCASE")`` was written to be compared so, by an index that was made so.
    """
    return is_text(field) and not field.collation


def by_code_point(column: Any) -> Any:
    return NodeList((column, SQL('COLLATE "C"')))


def as_utf8(node: Any) -> Any:
    return fn.CONVERT(NodeList((node, SQL("USING utf8mb4"))))


def as_bytes(field: Field) -> Any:
    return Cast(as_utf8(field), "BINARY")


COMPARING: tuple[tuple[type[peewee.Database], Comparing], ...] = (
    (peewee.SqliteDatabase, ComparingSqlite()),
    (peewee.PostgresqlDatabase, ComparingPostgresql()),
    (peewee.MySQLDatabase, ComparingMysql()),
)
OTHER = Comparing()


def comparing_of(database: Any) -> Comparing:
    """How `database` compares; a proxy answers for the database behind it."""
    if isinstance(database, peewee.Proxy):
        database = database.obj
    # CockroachDB is a PostgresqlDatabase to peewee, but knows neither its collations nor its order of NULLs.
    cockroach = sys.modules.get("playhouse.cockroachdb")
    if cockroach is not None and isinstance(database, cockroach.CockroachDatabase):
        return OTHER
    for kind, comparing in COMPARING:
        if isinstance(database, kind):
            return comparing
    if not store_of(database).sql:
        return ComparingPlans(getattr(database, "longest_pattern", None))
    return OTHER
