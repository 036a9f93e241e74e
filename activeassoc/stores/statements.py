"""Statements that are built once: the text that peewee made of a query, and where the values of each call go.

Building a small query and its SQL costs several times what SQLite takes to answer it, and the text is the same each time. So a query is
made once with slots in the place of its values, and afterwards only the values are put in.

Map: `slot` stands for a value in a query and `Keys` for a list of keys; `prepare` makes a `Prepared`, which runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from peewee import Value


class Slot:
    """The place of a value that each call gives, by its number among the values."""

    __slots__ = ("number",)

    def __init__(self, number: int) -> None:
        self.number = number


def slot(number: int) -> Any:
    """A node that stands for the value with this number, which comes converted."""
    return Value(Slot(number), converter=False)


class Keys(NamedTuple):
    """In the place of a list of keys: how it is worded, and the number of the value that brings it."""

    form: str
    number: int


#: Where as many parameters go as there are keys. No text of a query has it: names do not hold this letter.
SPREAD = "\0keys\0"


class Prepared:
    """A statement, to be run with other values each time.

    `execute` goes through the database object as any statement does: hooks, logging, error translation and transactions see it.
    """

    __slots__ = ("_direct", "_mark", "_parameters", "text")

    def __init__(self, text: str, parameters: Sequence[Any], mark: str) -> None:
        self.text = text
        self._parameters = list(parameters)
        self._mark = mark
        numbers = [each.number if type(each) is Slot else None for each in parameters]
        self._direct = numbers == list(range(len(numbers))) and SPREAD not in text

    @property
    def direct(self) -> bool:
        """Whether the values are the parameters, one for one, so that ``execute_sql(text, values)`` is all there is to do."""
        return self._direct

    def execute(self, database: Any, values: list[Any]) -> Any:
        """Run it with these values; returns the cursor."""
        if self._direct:
            return database.execute_sql(self.text, values)
        return self._with_all(database, values)

    def repeated(self, database: Any, rows: Sequence[list[Any]]) -> int:
        """Run an INSERT of one row for all of these, in one statement; the number of rows that it inserted."""
        before, open_, rest = self.text.rpartition("VALUES (")
        group, _, after = rest.partition(")")
        order = [each.number for each in self._parameters]
        text = before + "VALUES " + ", ".join([f"({group})"] * len(rows)) + after
        return int(database.execute_sql(text, [row[number] for row in rows for number in order]).rowcount)

    def _with_all(self, database: Any, values: list[Any]) -> Any:
        parameters = [values[each.number] if type(each) is Slot else each for each in self._parameters]
        if SPREAD not in self.text:
            return database.execute_sql(self.text, parameters)
        parts, flat = self.text.split(SPREAD), []
        lists = [each for each in parameters if type(each) is Spread]
        for each in parameters:
            flat += each if type(each) is Spread else [each]
        text = parts[0] + "".join(
            f"({', '.join([self._mark] * len(some))}){part}" for some, part in zip(lists, parts[1:], strict=True)
        )
        return database.execute_sql(text, flat)


class Spread(list):  # type: ignore[type-arg]
    """Keys that are bound one by one."""


def prepare(database: Any, query: Any) -> Prepared:
    """The statement of a query whose values are slots."""
    text, parameters = database.get_sql_context().sql(query).query()
    return Prepared(text, parameters, database.param)
