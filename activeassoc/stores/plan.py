"""What a query asks for, as data: the few shapes that a store without SQL has to carry out.

peewee keeps a query as a tree that any SQL can be written from. `reading` turns the part of it that every store can answer into one of
the plans below, and refuses the rest, so that a store (`mongo`, `redis`, one more) deals with these dataclasses and with nothing else.

Map: operands (`Column`, `Literal`, `Arithmetic`, and `Aggregate`), conditions (`All`, `Either` and the leaves), the plans (`Read`,
`Insert`, `Change`, `Remove`), and how a pattern of LIKE is written as a regular expression.

Values are what `forms` makes of them: one Python type for each type of field, None for NULL. Conditions have no NOT: it has been
pushed to the leaves, and a leaf is true only where none of its operands is NULL (`IsNull` apart). So ``~(a == 1)`` leaves rows out whose
`a` is NULL, as in SQL, and a store can evaluate a condition to plain true or false.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import peewee

__all__ = [
    "Aggregate",
    "All",
    "Arithmetic",
    "Change",
    "Column",
    "Compare",
    "Condition",
    "Constant",
    "Either",
    "Holds",
    "Insert",
    "IsNull",
    "Like",
    "Literal",
    "OneOf",
    "Operand",
    "Order",
    "Plan",
    "Read",
    "Regexp",
    "Remove",
    "Selected",
    "Wild",
    "columns_of",
    "like_regex",
]

Model = type[peewee.Model]

# Operands


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the plan's model: its name in the store, the form of its values (a name in `forms.FORMS`), and peewee's field."""

    name: str
    form: str
    field: Any = field(compare=False, repr=False, default=None)


@dataclass(frozen=True, slots=True)
class Literal:
    """A value, in its form; None for NULL."""

    value: Any


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """``left op right``, NULL where either is: `op` is one of ``+ - * / %``, or ``||`` which joins two texts.

    `form` is that of the result. A division of whole numbers is whole, cut towards zero; one by zero is an error.
    """

    op: str
    left: Operand
    right: Operand
    form: str


Operand = Column | Literal | Arithmetic


@dataclass(frozen=True, slots=True)
class Aggregate:
    """One value of many rows: `function` is COUNT, SUM, MIN, MAX or AVG. NULLs do not take part.

    COUNT without an operand is the number of rows. Over no values COUNT is 0 and the others are NULL. AVG is of form "float", or
    "decimal" for decimals.
    """

    function: str
    operand: Operand | None
    distinct: bool
    form: str


# Conditions


@dataclass(frozen=True, slots=True)
class All:
    """Every part holds."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Either:
    """At least one part holds."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Compare:
    """``left op right``: `op` is one of ``= != < <= > >=``. False where either is NULL. A column, where there is one, is on the left."""

    op: str
    left: Operand
    right: Operand


@dataclass(frozen=True, slots=True)
class OneOf:
    """The operand is one of the values (negated: none of them, and not NULL). There is at least one, each once, and none is None."""

    operand: Operand
    values: tuple[Any, ...]
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Holds:
    """The JSON array in the column has one of the values, texts and whole numbers (negated: it is there and has none of them)."""

    operand: Column
    values: tuple[Any, ...]
    negated: bool = False


@dataclass(frozen=True, slots=True)
class IsNull:
    operand: Operand
    negated: bool = False


class Wild:
    """What a pattern leaves open: `ANY` is ``%``, any number of characters; `ONE` is ``_``, a single one."""

    __slots__ = ("name",)
    ANY: Wild
    ONE: Wild

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return self.name


Wild.ANY, Wild.ONE = Wild("ANY"), Wild("ONE")


@dataclass(frozen=True, slots=True)
class Like:
    """The whole text is as the pattern says: literal pieces, and what is open between them. False where it is NULL."""

    operand: Operand
    pattern: tuple[str | Wild, ...]
    ignore_case: bool = False
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Regexp:
    """The regular expression is found somewhere in the text. False where that is NULL."""

    operand: Operand
    pattern: str
    ignore_case: bool = False
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Constant:
    """Always, or never."""

    holds: bool


Condition = All | Either | Compare | OneOf | Holds | IsNull | Like | Regexp | Constant
ALWAYS, NEVER = Constant(True), Constant(False)

# Plans


@dataclass(frozen=True, slots=True)
class Selected:
    """A value of each row, under the name that it has in the cursor's description."""

    name: str
    operand: Operand | Aggregate


@dataclass(frozen=True, slots=True)
class Order:
    """By what rows are sorted. Numbers as numbers, texts by code point; NULLs together, first or last."""

    operand: Operand | Aggregate
    descending: bool = False
    nulls_last: bool = False

    @property
    def natural(self) -> bool:
        """NULLs stand where the smallest value would."""
        return self.nulls_last is self.descending


@dataclass(frozen=True, slots=True)
class Read:
    """Rows, one tuple of `columns` each, after all of these in this order: `where`, `group_by` (one row for each combination, NULLs
    being equal; where there are aggregates and no group_by, one row for all), `distinct`, `order`, `offset`, `limit`.

    `limit` is None or not negative. `count` asks for one row with the number of rows instead, `exists` for one row with 1 or 0.
    """

    model: Model
    where: Condition = ALWAYS
    columns: tuple[Selected, ...] = ()
    group_by: tuple[Column, ...] = ()
    distinct: bool = False
    order: tuple[Order, ...] = ()
    limit: int | None = None
    offset: int = 0
    count: bool = False
    exists: bool = False

    verb = "SELECT"

    @property
    def grouped(self) -> bool:
        """Rows of the answer are not rows of the table."""
        return bool(self.group_by) or any(isinstance(each.operand, Aggregate) for each in self.columns)


@dataclass(frozen=True, slots=True)
class Insert:
    """New rows, each a mapping of column names to values; NULLs are left out, and so are keys that the store makes.

    All or none, except that `on_conflict` "ignore" leaves out those that have a primary key or a unique value of a row that is there,
    and "replace" removes the rows that are in the way. The answer has a row of `returning` for each that was inserted, in order.
    """

    model: Model
    rows: tuple[Mapping[str, Any], ...]
    on_conflict: str | None = None
    returning: tuple[Column, ...] = ()

    verb = "INSERT"


@dataclass(frozen=True, slots=True)
class Change:
    """New values for the rows where the condition holds; all of them are computed from the row as it was. Primary keys never change."""

    model: Model
    where: Condition
    assignments: tuple[tuple[Column, Operand], ...]

    verb = "UPDATE"


@dataclass(frozen=True, slots=True)
class Remove:
    """The rows go where the condition holds."""

    model: Model
    where: Condition

    verb = "DELETE"


Plan = Read | Insert | Change | Remove

# Reading plans


def columns_of(part: Condition | Operand | Aggregate | None) -> Iterator[Column]:
    """Every column that a condition or an operand names, as often as it does."""
    if isinstance(part, Column):
        yield part
    elif isinstance(part, (All, Either)):
        for each in part.parts:
            yield from columns_of(each)
    elif isinstance(part, (Arithmetic, Compare)):
        yield from columns_of(part.left)
        yield from columns_of(part.right)
    elif isinstance(part, (OneOf, Holds, IsNull, Like, Regexp, Aggregate)):
        yield from columns_of(part.operand)


def like_regex(pattern: tuple[str | Wild, ...]) -> str:
    """The pattern as a regular expression that Python and PCRE read alike, for a search: ``a%`` is ``^a``."""
    parts = [re.escape(piece).replace("\0", r"\x00") if isinstance(piece, str) else _OPEN[piece.name] for piece in pattern]
    if parts and parts[-1] == _OPEN["ANY"]:
        return "^" + "".join(parts[:-1])  # what follows is open, and an index can serve the beginning
    return "^" + "".join(parts) + _END


_OPEN = {"ANY": r"[\s\S]*", "ONE": r"[\s\S]"}
#: Not `$`, which also matches before a line break at the end.
_END = r"(?![\s\S])"
