"""Models for a database that exists, as code: classes with its tables and columns, and the associations that its keys mean.

Map: `reflect` gives the code, `models_of` the models themselves; `tables` reads the database, `shape` and `words` name what it has,
`fields` chooses field classes, `declarations` the associations; `module` puts the code together, `layout` lays it out, `connecting`
writes how to connect.
"""

from __future__ import annotations

import types
from collections.abc import Sequence
from typing import Any

import peewee

from activeassoc.errors import WrongArgument
from activeassoc.reflect.connecting import connection_of, opened
from activeassoc.reflect.module import written_for

__all__ = ["models_of", "reflect"]


def reflect(db_or_url: peewee.Database | str, *, tables: Sequence[str] | None = None, schema: str | None = None) -> str:
    """The code of models for the tables of a database, with associations for its foreign keys: a module to keep and to change.

    A database is given, or its URL. `tables` are the names of those that are wanted, by default all; `schema` is PostgreSQL's, or
    another database of a MySQL server. Parents come before children, fields in the order of the columns, associations at the end:

    - a foreign key is a belongs_to, with a has_many at the other end, or a has_one where the key is unique; ON DELETE and ON UPDATE are
      said where they are not what a declaration has by default;
    - two keys that together are the primary key, or unique, make their table the through model of a many-to-many, whatever other
      columns it has: these are the attributes of the link;
    - several keys to one table, and keys to the table itself, get names after the key's.

    Tables and columns keep their names in the database. What cannot be said is told in a comment: keys of several columns, generated
    columns, indexes on expressions. Views are left out. The code names no password: it reads such a URL from the environment. The same
    database gives the same code.

    Costs four statements, and some for each table. Raises UnknownName for a table that is not there, ConnectError where no server
    answers or there are no tables, UnsupportedQuery for a store of documents.
    """
    with opened(db_or_url, _asked(db_or_url)) as database:
        written = written_for(database, tables, schema, _asked(db_or_url))
    return written.module(connection_of(db_or_url, database))


def models_of(db_or_url: peewee.Database | str, *, tables: Sequence[str] | None = None, schema: str | None = None) -> Any:
    """The models that the code of `reflect` would define, on this database: ``models_of(db).Artist``.

    The options, the cost and the errors are those of `reflect`.
    """
    with opened(db_or_url, _asked(db_or_url)) as database:
        written = written_for(database, tables, schema, _asked(db_or_url))
    return types.SimpleNamespace(**written.run(database))


def _asked(given: Any) -> str:
    if isinstance(given, str):
        scheme = given.partition("://")[0]
        return f"reflect('{scheme}://…')"
    database = given.obj if isinstance(given, peewee.Proxy) else given
    if not isinstance(database, peewee.Database):
        instead = "Give connect(…), or a text such as 'sqlite:///shop.db'"
        raise WrongArgument(f"reflect({given!r})", "a database or its URL was expected", instead, value=given)
    return f"reflect(<{type(database).__name__} {database.database!r}>)"
