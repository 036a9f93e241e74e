"""What a client is told when a request cannot be done: one shape for all, ``{"error": …, "message": …, "fields": {path: why}}``.

Map: `Refused` and its kinds are raised by whoever sees what is wrong, hooks included; `ANSWERS` tells which status an exception of the
library or of the database is; `refusal` turns any exception into a `Refused`, without a value of the database in its text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, ClassVar

import peewee

from activeassoc.errors import (
    AssociationError,
    ConnectError,
    MissingValue,
    NullNotAllowed,
    PartialWriteError,
    RecordNotFound,
    RequiredKeyError,
    TransactionAborted,
    UnfitValue,
    listed,
)
from activeassoc.stores.violations import CHECK, FOREIGN_KEY, NOT_NULL, UNIQUE, violated


class Refused(AssociationError):
    """The request is not done: `status` and `error` say of what kind, `message` why, `fields` what is wrong where.

    A path of `fields` is a parameter's name (``"$limit"``), a field of the body (``"email"``), or one within a list (``"2.email"``).
    Nothing of a refused request is written.
    """

    status: ClassVar[int] = 400
    error: ClassVar[str] = "bad_request"

    def __init__(self, message: str, fields: Mapping[str, str] | None = None) -> None:
        self.message, self.fields = message, dict(fields or {})
        self.asked, self.because, self.instead, self.facts = "", message, "", {}
        Exception.__init__(self, message)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.message, self.fields)

    def body(self) -> dict[str, Any]:
        """What is sent."""
        return {"error": self.error, "message": self.message, "fields": self.fields}


class BadRequest(Refused):
    """400: the request says what cannot be meant."""


class Forbidden(Refused):
    """403: `authorize` did not answer yes."""

    status, error = 403, "forbidden"


class NotFound(Refused):
    """404: the owner, the record, a child or a referenced record is not there."""

    status, error = 404, "not_found"


class Conflict(Refused):
    """409: a unique value is there already, or records that are to stay refer to what would be deleted."""

    status, error = 409, "conflict"


class NotAllowed(Refused):
    """405: the path has no such method."""

    status, error = 405, "method_not_allowed"


class TooLarge(Refused):
    """413: the body is longer than the limit."""

    status, error = 413, "too_large"


class Unavailable(Refused):
    """503: the database does not answer, or is busy for too long."""

    status, error = 503, "unavailable"


class Broken(Refused):
    """500: the program failed, and its log tells why."""

    status, error = 500, "internal_error"


class PartlyDone(Refused):
    """500: of a write in several stores, or in one without transactions, a part stays written."""

    status, error = 500, "partly_done"


def name_of(status: int) -> str:
    """What the error is called, for what others raise with a status alone: HTTP's own word where no kind has it."""
    for kind in (BadRequest, Forbidden, NotFound, NotAllowed, Conflict, TooLarge, Unavailable, Broken):
        if kind.status == status:
            return kind.error
    try:
        return re.sub(r"[^a-z]+", "_", HTTPStatus(status).phrase.lower())
    except ValueError:
        return "error"


def refusal(error: BaseException) -> Refused | None:
    """What a client is told of an exception; None where it is the program's fault alone, and nothing is to be told.

    Texts of the database do not go out: they quote values, of which some may be excluded.
    """
    if isinstance(error, Refused):
        return error
    for kind, answer in ANSWERS:
        if isinstance(error, kind):
            return answer(error)
    return None


def _not_found(error: Any) -> Refused:
    keys = listed([str(key) for key in error.keys])
    return NotFound(f"There is no {error.model.__name__} with the id {keys}", {"id": f"there is none with the id {keys}"})


def _fields(why: str) -> Callable[[Any], Refused]:
    def answer(error: Any) -> Refused:
        names = [str(name) for name in error.fields]
        return BadRequest(f"{listed(names)} {why}", dict.fromkeys(names, why))

    return answer


def _unfit(error: Any) -> Refused:
    name = getattr(error.field, "name", "") if error.field is not None else ""
    why = "is no value that the field can hold"
    return BadRequest(f"{name or 'A value'} {why}", {name: why} if name else {})


def _integrity(error: Any) -> Refused:
    """Which rule it broke; the fields are those that whoever wrote has left on the error, as ``rule → fields``."""
    rule = violated(error)
    broken: Callable[[], dict[str, list[str]]] = getattr(error, "broken", dict)
    names = broken().get(rule, [])
    kind, why = RULES.get(rule, (BadRequest, "breaks a rule of the database"))
    return kind(f"{listed(names) or 'A value'} {why}", dict.fromkeys(names, why))


#: What a broken rule is to a client.
RULES: dict[str, tuple[type[Refused], str]] = {
    UNIQUE: (Conflict, "is there already, and has to be the only one"),
    FOREIGN_KEY: (NotFound, "refers to a record that is not there"),
    NOT_NULL: (BadRequest, "may not be null"),
    CHECK: (BadRequest, "breaks a rule of the database"),
}


def _partly(error: Any) -> Refused:
    return PartlyDone("A part of it was done, and stays, as the stores have no transaction in common", {"written": listed(error.written)})


def _aborted(error: Any) -> Refused:
    """A transaction that could not go on after a rule was broken: the rule is what to tell."""
    return _integrity(error) if violated(error) else Unavailable("The database gave the transaction up; try again")


#: Exceptions → what the client is told; the first that fits.
ANSWERS: tuple[tuple[Any, Callable[[Any], Refused]], ...] = (
    (PartialWriteError, _partly),
    (RecordNotFound, _not_found),
    (RequiredKeyError, lambda error: BadRequest("A record cannot be taken from the list: its key may not be null")),
    (MissingValue, _fields("is required")),
    (NullNotAllowed, _fields("may not be null")),
    (UnfitValue, _unfit),
    (peewee.IntegrityError, _integrity),
    (peewee.DataError, lambda error: BadRequest("A value is none that its field can hold")),
    (TransactionAborted, _aborted),
    (ConnectError, lambda error: Unavailable("The database does not answer now; try again")),
    ((peewee.OperationalError, peewee.InterfaceError), lambda error: Unavailable("The database is busy or away; try again")),
)
