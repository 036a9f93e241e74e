"""What a client is told when a request cannot be done: one shape for all, ``{"error": …, "message": …, "fields": {path: why}}``.

Map: `Refused` and its kinds are raised by whoever sees what is wrong, hooks included; `ANSWERS` tells which status an exception of the
library or of the database is; `refusal` turns any exception into a `Refused`, without a value of the database in its text.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from activeassoc.errors import AssociationError


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


class TooLarge(Refused):
    """413: the body is longer than the limit."""

    status, error = 413, "too_large"


class Unavailable(Refused):
    """503: the database does not answer, or is busy for too long."""

    status, error = 503, "unavailable"
