"""Associations for peewee: declare how models belong together, and every model gains the methods to say so.

>>> from activeassoc import Model, connect, sync

Map: `Model` has the declaring calls; `connect` opens a database from a URL; `sync` and `drop` make and remove its tables;
`ReferenceField` points to a table without a constraint; the rest are the errors.
"""

from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as _version

from activeassoc.errors import (
    AssociationError,
    ConnectError,
    DeclarationError,
    DriverMissing,
    MissingValue,
    RecordNotFound,
    RequiredKeyError,
    SyncError,
    UnknownName,
    UnsavedRecordError,
    WrongArgument,
    WrongTarget,
)
from activeassoc.keys import ReferenceField
from activeassoc.model import Model
from activeassoc.stores.connect import connect
from activeassoc.sync import drop, sync

try:
    __version__ = _version("activeassoc")
except PackageNotFoundError:  # a source tree that was never installed
    __version__ = "0"

__all__ = [
    "AssociationError",
    "ConnectError",
    "DeclarationError",
    "DriverMissing",
    "MissingValue",
    "Model",
    "RecordNotFound",
    "ReferenceField",
    "RequiredKeyError",
    "SyncError",
    "UnknownName",
    "UnsavedRecordError",
    "WrongArgument",
    "WrongTarget",
    "connect",
    "drop",
    "sync",
]
