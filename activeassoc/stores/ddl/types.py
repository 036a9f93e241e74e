"""Whether two names of a column's type mean the same.

An engine tells a type by another name than the one that it was declared with. What is not in these tables is taken to be the same: a
report that cries wolf is read by nobody.

Map: `one_name` is for servers, with the tables `POSTGRESQL` and `MYSQL`; `affinity` is SQLite's.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

_BRACKETS = re.compile(r"\s*\(([^)]*)\)")

POSTGRESQL: Mapping[str, str] = {
    "smallint": "smallint",
    "int2": "smallint",
    "smallserial": "smallint",
    "integer": "integer",
    "int": "integer",
    "int4": "integer",
    "serial": "integer",
    "bigint": "bigint",
    "int8": "bigint",
    "bigserial": "bigint",
    "varchar": "character varying",
    "character varying": "character varying",
    "char": "character",
    "character": "character",
    "text": "text",
    "bool": "boolean",
    "boolean": "boolean",
    "real": "real",
    "float4": "real",
    "double precision": "double precision",
    "float8": "double precision",
    "numeric": "numeric",
    "decimal": "numeric",
    "date": "date",
    "time": "time without time zone",
    "time without time zone": "time without time zone",
    "timestamp": "timestamp without time zone",
    "timestamp without time zone": "timestamp without time zone",
    "timestamptz": "timestamp with time zone",
    "timestamp with time zone": "timestamp with time zone",
    "uuid": "uuid",
    "bytea": "bytea",
    "json": "json",
    "jsonb": "jsonb",
}

MYSQL: Mapping[str, str] = {
    "tinyint": "tinyint",
    "bool": "tinyint",
    "boolean": "tinyint",
    "smallint": "smallint",
    "int": "int",
    "integer": "int",
    "bigint": "bigint",
    "tinyint unsigned": "tinyint unsigned",
    "smallint unsigned": "smallint unsigned",
    "int unsigned": "int unsigned",
    "integer unsigned": "int unsigned",
    "bigint unsigned": "bigint unsigned",
    "varchar": "varchar",
    "char": "char",
    "text": "text",
    "longtext": "longtext",
    "json": "longtext",  # on MariaDB
    "blob": "blob",
    "longblob": "longblob",
    "varbinary": "varbinary",
    "binary": "binary",
    "float": "float",
    "double": "double",
    "double precision": "double",
    "real": "double",
    "decimal": "decimal",
    "numeric": "decimal",
    "date": "date",
    "time": "time",
    "datetime": "datetime",
    "timestamp": "timestamp",
}

#: The number in brackets says nothing about what these hold.
_WIDTHS_MEAN_NOTHING = {name for name in MYSQL.values() if "int" in name}


def one_name(declared: str, names: Mapping[str, str]) -> str | None:
    """The one name of a type on a server, with its length; None where it is not in the table."""
    brackets = _BRACKETS.search(declared)
    name = names.get(" ".join(_BRACKETS.sub("", declared).lower().split()))
    if name is None or not brackets or name in _WIDTHS_MEAN_NOTHING:
        return name
    return f"{name}({brackets[1].replace(' ', '')})"


def affinity(declared: str) -> str | None:
    """SQLite's affinity of a declared type, by the rules of its manual, in their order; of BOOLEAN that of the numbers in it."""
    upper = declared.upper()
    rules = (("INT", "INTEGER"), ("CHAR", "TEXT"), ("CLOB", "TEXT"), ("TEXT", "TEXT"), ("BLOB", "BLOB"))
    for part, name in (*rules, ("REAL", "REAL"), ("FLOA", "REAL"), ("DOUB", "REAL"), ("BOOL", "INTEGER")):
        if part in upper:
            return name
    return "NUMERIC" if upper else None
