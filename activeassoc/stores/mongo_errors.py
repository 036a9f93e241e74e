"""The driver's errors as peewee's, so that a program catches the same on every store."""

from __future__ import annotations

from typing import Any

import bson.errors
import peewee
from pymongo import errors

from activeassoc.errors import ConnectError, TransactionAborted

__all__ = ["translated"]

_AUTHENTICATION = 18
_NO_TRANSACTION = 251
#: BadValue (a division by zero among them), a conversion that fails, a pattern that is none, a document that is too large.
_DATA = frozenset({2, 241, 51091, 51108, 10334, 17419, 16608, 16610, 17280, 5107201, 16554, 16555})
_INTEGRITY = frozenset({11000, 121})
_DATA_TEXTS = ("$divide by zero", "overflow", "Regular expression is invalid")


def translated(error: Exception, address: str, connecting: bool = False) -> Exception | None:
    """What to raise for an error of the driver's; None for an error that is not its."""
    text = str(error).partition(", full error")[0].partition(", Timeout:")[0].partition(" (configured timeouts")[0]
    if isinstance(error, errors.ConfigurationError):
        return _no_connection(address, text)
    if isinstance(error, errors.ConnectionFailure):
        return _no_connection(address, text)
    if isinstance(error, (errors.DocumentTooLarge, errors.InvalidName, bson.errors.BSONError, OverflowError)):
        return peewee.DataError(error, text)
    if isinstance(error, errors.OperationFailure):
        return _of_server(error, text, address)
    if isinstance(error, errors.InvalidOperation):
        return peewee.InterfaceError(error, text)
    if isinstance(error, errors.PyMongoError):
        return _no_connection(address, text) if connecting else peewee.DatabaseError(error, text)
    return None


def _of_server(error: Any, text: str, address: str) -> Exception:
    details: Any = error.details or {}
    failed = details.get("writeErrors", ())
    codes = {error.code, *(each.get("code") for each in failed)}
    text = str(failed[0].get("errmsg") or text) if failed and text.startswith("batch op errors") else text  # what the driver leaves out
    if _AUTHENTICATION in codes:
        return _no_connection(address, "user and password are not accepted")
    if _NO_TRANSACTION in codes:
        return TransactionAborted(
            f"executing on {address}",
            "the transaction was aborted by the server",
            "Leave the outermost block by an error, and run it as a whole again",
        )
    if codes & _INTEGRITY:
        return peewee.IntegrityError(error, text)
    if codes & _DATA or any(each in text for each in _DATA_TEXTS):
        return peewee.DataError(error, text)
    return peewee.OperationalError(error, text)


def _no_connection(address: str, text: str) -> ConnectError:
    because = text.strip().partition("\n")[0].rstrip(". ") or "no server answers"
    return ConnectError(
        f"connecting to {address}",
        because,
        "See that the server runs there, and that host, port, user, password, database and options are right",
        address=address,
    )
