"""Associations for peewee: declare how models belong together, and every model gains the methods to say so.

>>> from activeassoc import Model, connect, sync

Map: `Model` has the declaring calls; `connect` opens a database from a URL; `sync` and `drop` make and remove its tables;
`populate` loads associations of many records at once, `lazy_policy` says what happens where nobody did, `settings` hold for all;
`ReferenceField` points to a table without a constraint; the rest are the errors and warnings.
"""

from typing import Any

from activeassoc.body import collection, reference
from activeassoc.errors import (
    AssociationError,
    ConnectError,
    CriteriaError,
    DeclarationError,
    DriverMissing,
    LazyLoadError,
    LazyLoadWarning,
    LinksDroppedWarning,
    LinksNotSaved,
    MissingValue,
    PopulateTruncatedWarning,
    RecordNotFound,
    RequiredKeyError,
    SyncError,
    UnknownName,
    UnsavedRecordError,
    WrongArgument,
    WrongTarget,
)
from activeassoc.keys import ReferenceField
from activeassoc.lazy import lazy_policy, settings
from activeassoc.model import Model
from activeassoc.populate import populate
from activeassoc.stores.connect import connect
from activeassoc.sync import drop, sync

__all__ = [
    "AssociationError",
    "ConnectError",
    "CriteriaError",
    "DeclarationError",
    "DriverMissing",
    "LazyLoadError",
    "LazyLoadWarning",
    "LinksDroppedWarning",
    "LinksNotSaved",
    "MissingValue",
    "Model",
    "PopulateTruncatedWarning",
    "RecordNotFound",
    "ReferenceField",
    "RequiredKeyError",
    "SyncError",
    "UnknownName",
    "UnsavedRecordError",
    "WrongArgument",
    "WrongTarget",
    "collection",
    "connect",
    "drop",
    "lazy_policy",
    "populate",
    "reference",
    "settings",
    "sync",
]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        # Read when it is asked for: importlib.metadata takes longer to import than all of this.
        from importlib.metadata import PackageNotFoundError, version

        try:
            return version("activeassoc")
        except PackageNotFoundError:  # a source tree that was never installed
            return "0"
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
