"""Associations for peewee: declare how models belong together, and every model gains the methods to say so.

>>> from activeassoc import Model, connect, sync

Map: `Model` has the declaring calls; `connect` opens a database from a URL; `sync` and `drop` make and remove its tables;
`populate` loads associations of many records at once, `lazy_policy` says what happens where nobody did, `settings` hold for all;
`check` looks whether databases hold what models declare, `delete_plan` tells what a deletion would do; `ReferenceField` points to a
table without a constraint, `ObjectIdField` is a key as MongoDB makes them; the rest are the errors and warnings.

What few programs need is imported when it is asked for: see `LATER`.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from activeassoc.body import collection, reference
from activeassoc.errors import (
    AssociationError,
    ConnectError,
    CriteriaError,
    DeclarationError,
    DeleteRefused,
    DominanceWarning,
    DriverMissing,
    DuplicateKey,
    LazyLoadError,
    LazyLoadWarning,
    LinksDroppedWarning,
    LinksNotSaved,
    MissingRecord,
    MissingTable,
    MissingValue,
    NotAsyncio,
    NoTransactionWarning,
    NullNotAllowed,
    PartialWriteError,
    PopulateTruncatedWarning,
    RecordNotFound,
    RequiredKeyError,
    SyncError,
    TransactionAborted,
    UnfitValue,
    UnknownName,
    UnsavedRecordError,
    UnsupportedQuery,
    WrongArgument,
    WrongTarget,
)
from activeassoc.keys import ReferenceField
from activeassoc.lazy import lazy_policy, settings
from activeassoc.model import Model
from activeassoc.populate import populate
from activeassoc.sync import drop, sync

if TYPE_CHECKING:
    from activeassoc.awaited import adelete_plan, apopulate
    from activeassoc.checking import check
    from activeassoc.deleting.plan import delete_plan
    from activeassoc.stores.connect import connect
    from activeassoc.stores.object_id import ObjectIdField

__all__ = [
    "AssociationError",
    "ConnectError",
    "CriteriaError",
    "DeclarationError",
    "DeleteRefused",
    "DominanceWarning",
    "DriverMissing",
    "DuplicateKey",
    "LazyLoadError",
    "LazyLoadWarning",
    "LinksDroppedWarning",
    "LinksNotSaved",
    "MissingRecord",
    "MissingTable",
    "MissingValue",
    "Model",
    "NoTransactionWarning",
    "NotAsyncio",
    "NullNotAllowed",
    "ObjectIdField",
    "PartialWriteError",
    "PopulateTruncatedWarning",
    "RecordNotFound",
    "ReferenceField",
    "RequiredKeyError",
    "SyncError",
    "TransactionAborted",
    "UnfitValue",
    "UnknownName",
    "UnsavedRecordError",
    "UnsupportedQuery",
    "WrongArgument",
    "WrongTarget",
    "adelete_plan",
    "apopulate",
    "check",
    "collection",
    "connect",
    "delete_plan",
    "drop",
    "lazy_policy",
    "populate",
    "reference",
    "settings",
    "sync",
]

#: Names that are imported on first use, and the modules that have them.
LATER = {
    "ObjectIdField": "activeassoc.stores.object_id",
    "adelete_plan": "activeassoc.awaited",
    "apopulate": "activeassoc.awaited",
    "check": "activeassoc.checking",
    "connect": "activeassoc.stores.connect",
    "delete_plan": "activeassoc.deleting.plan",
}


def __getattr__(name: str) -> Any:
    if name in LATER:
        globals()[name] = found = getattr(import_module(LATER[name]), name)
        return found
    if name == "__version__":
        # Read when it is asked for: importlib.metadata takes longer to import than all of this.
        from importlib.metadata import PackageNotFoundError, version

        try:
            return version("activeassoc")
        except PackageNotFoundError:  # a source tree that was never installed
            return "0"
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
