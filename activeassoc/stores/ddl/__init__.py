"""How the databases tell what tables they hold, and where their DDL differs.

Map: `base` has what is told (`Table`, `Column`, `Index`, `ForeignKey`) and `Dialect`, who tells it; `sqlite`, `postgresql` and
`mysql` have the dialects, `documents` that of the stores without SQL; `types` compares types; `rebuild` makes a SQLite table again;
`dialect_of` finds the dialect of a database.
"""

from __future__ import annotations

from typing import Any

import peewee

from activeassoc.errors import SyncError
from activeassoc.stores.capabilities import store_of
from activeassoc.stores.ddl.base import Column, Dialect, ForeignKey, Index, Name, Table, shown
from activeassoc.stores.ddl.documents import Act, Documents
from activeassoc.stores.ddl.mysql import Mysql
from activeassoc.stores.ddl.postgresql import Postgresql
from activeassoc.stores.ddl.sqlite import Sqlite

__all__ = ["Act", "Column", "Dialect", "Documents", "ForeignKey", "Index", "Name", "Table", "dialect_of", "shown"]

DIALECTS: tuple[tuple[type[peewee.Database], type[Dialect]], ...] = (
    (peewee.SqliteDatabase, Sqlite),
    (peewee.PostgresqlDatabase, Postgresql),
    (peewee.MySQLDatabase, Mysql),
)


def dialect_of(database: Any) -> Dialect:
    """How `database` is asked and told about its tables."""
    if not store_of(database).sql:
        return Documents(database)
    for kind, dialect in DIALECTS:
        if isinstance(database, kind):
            return dialect(database)
    raise SyncError(
        f"sync() of {database!r}",
        f"it is not known how a {type(database).__name__} makes tables",
        "Use SQLite, PostgreSQL, MySQL or MariaDB",
        table=None,
        statement=None,
    )
