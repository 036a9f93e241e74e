"""Which rule of the database a write broke, told from what the drivers say.

Map: `violated` gives the word; `CODES` is what the drivers call it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from activeassoc.errors import DeleteRefused, DuplicateKey, NullNotAllowed

UNIQUE, FOREIGN_KEY, NOT_NULL, CHECK = "unique", "foreign key", "not null", "check"

#: SQLite's names, PostgreSQL's and MySQL's numbers.
CODES: dict[Any, str] = {
    **dict.fromkeys(("SQLITE_CONSTRAINT_UNIQUE", "SQLITE_CONSTRAINT_PRIMARYKEY", "SQLITE_CONSTRAINT_ROWID", "23505"), UNIQUE),
    **dict.fromkeys((1062, 1169, 1586), UNIQUE),
    **dict.fromkeys(("SQLITE_CONSTRAINT_FOREIGNKEY", "23503", "23001", 1216, 1217, 1451, 1452), FOREIGN_KEY),
    **dict.fromkeys(("SQLITE_CONSTRAINT_NOTNULL", "23502", 1048, 1364), NOT_NULL),
    **dict.fromkeys(("SQLITE_CONSTRAINT_CHECK", "23514", 3819, 4025), CHECK),
}
#: What stores without a driver's word for it raise themselves.
OWN: tuple[tuple[type[Exception], str], ...] = ((DuplicateKey, UNIQUE), (DeleteRefused, FOREIGN_KEY), (NullNotAllowed, NOT_NULL))


def violated(error: BaseException) -> str:
    """``"unique"``, ``"foreign key"``, ``"not null"`` or ``"check"``; "" where it cannot be told."""
    for each in _behind(error):
        for kind, word in OWN:
            if isinstance(each, kind):
                return word
        for code in (getattr(each, "sqlite_errorname", None), getattr(each, "sqlstate", None), *getattr(each, "args", ())[:1]):
            if isinstance(code, str | int) and code in CODES:
                return CODES[code]
    return ""


def _behind(error: BaseException) -> Iterator[BaseException]:
    """The error and those that it came from: peewee's wraps the driver's."""
    seen: set[int] = set()
    rest: list[Any] = [error]
    while rest:
        each = rest.pop(0)
        if isinstance(each, BaseException) and id(each) not in seen:
            seen.add(id(each))
            yield each
            rest += [each.__cause__, each.__context__, *each.args[:1]]
