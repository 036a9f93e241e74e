"""Everything that activeassoc raises, and how its messages are made.

A message has three parts: what was asked, why it cannot be, what to write instead. The facts that it was made from
stay on the exception as attributes, so that a program need not read the text::

    AssociationError
    ├── DeclarationError       (ValueError)        a declaration contradicts itself, the model, or another one
    ├── UnknownName            (ValueError)        no such field, option, attribute of the link, or model
    ├── WrongArgument          (TypeError)         an argument of a kind that cannot be meant
    │   └── WrongTarget                            an instance of another model, a value that is no key
    ├── CriteriaError          (ValueError)        criteria that name or ask what cannot be: .attribute, .operator, .known
    ├── UnsavedRecordError     (ValueError)        the record has no row yet
    ├── RecordNotFound         (LookupError)       rows that were asked for are not there: .keys
    ├── RequiredKeyError       (ValueError)        a NOT NULL key cannot be cleared
    ├── MissingValue           (ValueError)        a NOT NULL field of the link was not given: .fields
    ├── LinksNotSaved          (ValueError)        save() could not carry out what collections had queued: .failed
    ├── DeleteRefused          (peewee.IntegrityError)      rows that are to stay refer to what would go: .model, .key, .keys
    ├── LazyLoadError                              the policy refuses to load what nobody populated: .record, .name
    ├── NotAsyncio             (peewee.InterfaceError)      a twin was awaited on a database that is not asyncio's: .model
    ├── LazyLoadWarning        (UserWarning)       what nobody populated was loaded for one record: .name
    ├── PopulateTruncatedWarning (UserWarning)     populate cut lists at the default limit: .paths
    ├── DominanceWarning       (UserWarning)       nobody said which of two databases has the links: .model
    ├── PartialWriteError      (peewee.DatabaseError)       of a write in several stores a part stays written: .written
    ├── UnsupportedQuery       (peewee.NotSupportedError)   the store cannot answer such a query: .construct
    ├── UnfitValue             (peewee.DataError, ValueError)  a value that the field cannot hold: .field, .value
    ├── NullNotAllowed         (peewee.IntegrityError)      NULL for a NOT NULL field: .fields
    ├── DuplicateKey           (peewee.IntegrityError)      a row with this unique value is there: .columns
    ├── MissingRecord          (peewee.IntegrityError)      a link into the document of a record that is not there: .keys
    ├── MissingTable           (peewee.OperationalError)    the table was never made: .model
    ├── TransactionAborted     (peewee.InternalError)       the transaction cannot go on, and nothing of it was written
    ├── NoTransactionWarning   (UserWarning)       atomic() was left by an error, and what it had written stays: .writes
    ├── SyncError              (peewee.DatabaseError)       the schema could not be made: .table, .statement
    ├── ConnectError           (peewee.OperationalError)    no connection, or a URL that names none
    └── DriverMissing          (ConnectError, ImportError)  the pip line is in the text

Map: the classes, then `nearest` and `listed`, which every message uses for names and for lists.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import peewee

__all__ = [
    "AssociationError",
    "ConnectError",
    "CriteriaError",
    "DeclarationError",
    "DeleteRefused",
    "DominanceWarning",
    "DriverMissing",
    "DuplicateKey",
    "LinksNotSaved",
    "LazyLoadError",
    "LazyLoadWarning",
    "MissingRecord",
    "MissingTable",
    "MissingValue",
    "NoTransactionWarning",
    "NotAsyncio",
    "NullNotAllowed",
    "PartialWriteError",
    "PopulateTruncatedWarning",
    "RecordNotFound",
    "RequiredKeyError",
    "SyncError",
    "TransactionAborted",
    "UnfitValue",
    "UnknownName",
    "UnsavedRecordError",
    "UnsupportedQuery",
    "WrongArgument",
    "WrongTarget",
]


class AssociationError(Exception):
    """The base of everything that activeassoc raises.

    `asked` is what was asked for, `because` why it cannot be, `instead` what to write instead; the text is
    ``{asked}: {because}. {instead}.`` Every further keyword becomes an attribute.
    """

    def __init__(self, asked: str, because: str, instead: str, **facts: Any) -> None:
        self.asked, self.because, self.instead = asked, because, instead
        self.facts = facts
        self.__dict__.update(facts)
        super().__init__(f"{asked}: {because}. {instead}.")

    def __reduce__(self) -> tuple[Any, ...]:
        return _restore, (type(self), self.asked, self.because, self.instead, self.facts)


def _restore(kind: type[AssociationError], asked: str, because: str, instead: str, facts: Any) -> AssociationError:
    return kind(asked, because, instead, **facts)


class DeclarationError(AssociationError, ValueError):
    """A declaration contradicts itself, its models, or an earlier declaration. Nothing was changed."""


class UnknownName(AssociationError, ValueError):
    """A name that nothing has: `name` is it, `known` are those that exist."""


class WrongArgument(AssociationError, TypeError):
    """An argument of a kind that cannot be meant: `value` is it."""


class WrongTarget(WrongArgument):
    """A value that can be no record of the model: `value` is it, `model` what was expected."""


class CriteriaError(AssociationError, ValueError):
    """Criteria that cannot be meant: `attribute`, `operator`, `value` (None where it is not about one), `known` the names that exist."""


class UnsavedRecordError(AssociationError, ValueError):
    """The record has no row yet: `record` is it."""


class RecordNotFound(AssociationError, LookupError):
    """Rows that were asked for do not exist: `model` is theirs, `keys` the primary keys."""

    keys: list[Any]

    def __str__(self) -> str:
        return str(self.args[0])


class RequiredKeyError(AssociationError, ValueError):
    """A key that may not be NULL would have to be cleared."""


class MissingValue(AssociationError, ValueError):
    """A field that may not be NULL was not given: `fields` are their names."""


class DeleteRefused(AssociationError, peewee.IntegrityError):
    """Rows that are to stay refer to what would go: `model` is theirs, `key` the field, `keys` the primary keys of some, `count` of all."""

    keys: list[Any]


class LazyLoadError(AssociationError):
    """An association that is not loaded was read under the policy "raise", or by async code: `record` is whose, `name` the association."""


class NotAsyncio(AssociationError, peewee.InterfaceError):
    """A coroutine of a model was awaited that has no asyncio database: `model`."""


class LazyLoadWarning(AssociationError, UserWarning):
    """An association was loaded for one record by a query of its own: `name` is it."""


class PopulateTruncatedWarning(AssociationError, UserWarning):
    """populate cut lists at the default limit: `paths` are theirs."""


class DominanceWarning(AssociationError, UserWarning):
    """Links between two databases, and neither end is dominant: `model` is the one whose database has them."""


class PartialWriteError(AssociationError, peewee.DatabaseError):
    """A write in several stores, or in one without transactions, failed, and a part of it stays written.

    `written` lists that part in words, in the order in which it was written; the error of the store is the ``__cause__``.
    """

    written: list[str]


class LinkFailure(NamedTuple):
    """One link that could not be written: which collection was asked (``"User.pets"``), the verb, what it was given, the error."""

    collection: str
    verb: str
    value: Any
    error: Exception


class LinksNotSaved(AssociationError, ValueError):
    """save() could not carry out what collections had queued: `failed` lists each as a LinkFailure.

    Nothing was written, or the text says what stays, in several stores and in one without transactions.
    """

    failed: list[LinkFailure]
    #: Of several databases some had committed their part when another one could not.
    stays: bool = False


class LinksDroppedWarning(UserWarning):
    """A record was dropped with links that its collections had queued and nobody saved."""


class UnsupportedQuery(AssociationError, peewee.NotSupportedError):
    """A query that the store cannot answer, such as a join on a store of documents: `construct` is what it has no form of."""


class UnfitValue(AssociationError, peewee.DataError, ValueError):
    """A value that a field cannot hold, or cannot be compared with: `field` is it (None where there is none), `value` the value."""


class NullNotAllowed(AssociationError, peewee.IntegrityError):
    """NULL was to be written where the declaration says NOT NULL: `model`, and the names of the `fields`."""


class DuplicateKey(AssociationError, peewee.IntegrityError):
    """A row with this primary key or unique value is there already: `model`, and the names of the `columns`."""


class MissingRecord(AssociationError, peewee.IntegrityError):
    """A link was to be written into the document of a record that is not there: its `model`, and the `keys`."""


class MissingTable(AssociationError, peewee.OperationalError):
    """The table of a `model` was never made, and is not made by writing into it."""


class TransactionAborted(AssociationError, peewee.InternalError):
    """The transaction cannot go on after what failed in it; nothing of it is written."""


class NoTransactionWarning(AssociationError, UserWarning):
    """``atomic()`` was left by an error on a database without transactions: its `writes` statements that were carried out stay so."""


class SyncError(AssociationError, peewee.DatabaseError):
    """The schema could not be made: `table` and `statement` tell where it stopped."""


class ConnectError(AssociationError, peewee.OperationalError):
    """No connection: the URL names none, or no server answers there."""


class DriverMissing(ConnectError, ImportError):
    """The package that speaks to this kind of database is not installed."""


def nearest(name: str, known: Iterable[str]) -> str:
    """``"did you mean 'title'"``, or the names that exist where none is near."""
    import difflib  # late: only who errs needs it

    names = sorted(set(known))
    near = difflib.get_close_matches(name, names, n=3, cutoff=0.6)
    if near:
        return "Did you mean " + " or ".join(repr(word) for word in near)
    return f"Known are {listed(names)}" if names else "There are none"


def listed(values: Iterable[Any], limit: int = 10) -> str:
    """The values as a message shows them: comma-separated, at most `limit` of them, then how many more."""
    shown = list(values)
    text = ", ".join(value if isinstance(value, str) else repr(value) for value in shown[:limit])
    return f"{text} and {len(shown) - limit} more" if len(shown) > limit else text
