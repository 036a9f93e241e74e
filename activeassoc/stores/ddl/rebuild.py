"""Making a SQLite table again with more columns and foreign keys, as ALTER TABLE there cannot add a foreign key.

The new CREATE TABLE is the stored text with the additions put in, so that nothing that the table had is lost: checks,
collations, computed columns, STRICT, WITHOUT ROWID, AUTOINCREMENT. Rows keep their rowids; indexes and triggers are made again from
their stored text, views stay as they are.

Map: `steps` gives the statements, `violations` what to compare before and after; `extended` puts the additions into the
text, which `pieces` has cut.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from activeassoc.stores.ddl.base import Dialect, Table

#: Strings, quoted names and comments, in which brackets and commas mean nothing; then the characters that mean something.
_TOKEN = re.compile(
    r"""'(?:[^']|'')*' | "(?:[^"]|"")*" | `(?:[^`]|``)*` | \[[^\]]*\] | --[^\n]*(?:\n|\Z) | /\*.*?(?:\*/|\Z) | [(),] | [^\W\d]\w* | .""",
    re.DOTALL | re.VERBOSE,
)
_CONSTRAINTS = {"CONSTRAINT", "PRIMARY", "UNIQUE", "CHECK", "FOREIGN"}


def pieces(sql: str) -> tuple[str, list[str], str]:
    """CREATE TABLE cut up: what stands before the brackets, the definitions within, and what stands after them."""
    depth = start = 0
    head = ""
    definitions = []
    for match in _TOKEN.finditer(sql):
        token = match[0]
        if token == "(":
            depth += 1
            if depth == 1:
                head, start = sql[: match.start()], match.end()
        elif token == ")":
            depth -= 1
            if depth == 0:
                definitions.append(sql[start : match.start()])
                return head, definitions, sql[match.end() :]
        elif token == "," and depth == 1:
            definitions.append(sql[start : match.start()])
            start = match.end()
    raise ValueError(f"no CREATE TABLE: {sql}")


def extended(sql: str, name: str, columns: Sequence[str], constraints: Sequence[str]) -> str:
    """The CREATE TABLE with more columns and constraints, for a table called `name`."""
    _, definitions, tail = pieces(sql)
    first = next((at for at, text in enumerate(definitions) if _word(text) in _CONSTRAINTS), len(definitions))
    # A comment to the end of the line after the last definition would swallow what follows.
    parts = [*definitions[:first], *(f" {text}" for text in columns), *definitions[first:], *(f" {text}" for text in constraints)]
    return f"CREATE TABLE {name} ({_joined(parts)}){tail}"


def _joined(parts: Sequence[str]) -> str:
    return ",".join(f"{part}\n" if _ends_in_comment(part) else part for part in parts)


def _ends_in_comment(text: str) -> bool:
    last = ""
    for match in _TOKEN.finditer(text):
        last = match[0]
    return last.startswith("--") and not last.endswith("\n")


def _word(text: str) -> str:
    """The first word of a definition, "" where it is a quoted name."""
    for match in _TOKEN.finditer(text):
        token = match[0]
        if not token.isspace() and not token.startswith(("--", "/*")):
            return token.upper()
    return ""


def steps(dialect: Dialect, table: Table, columns: Sequence[str], constraints: Sequence[str]) -> Iterator[str]:
    """The statements that make the table again. Foreign keys must be off meanwhile: DROP TABLE would delete rows that refer to it."""
    name = table.name[1]
    new = f"activeassoc_new_{name}"
    old_name, new_name = dialect.quoted(name), dialect.quoted(new)
    rows = dialect.rows("SELECT type, name, sql FROM main.sqlite_master WHERE tbl_name = ? COLLATE NOCASE AND sql IS NOT NULL", name)
    sql = next(row[2] for row in rows if row[0] == "table")
    yield extended(sql, new_name, columns, constraints)
    written = [dialect.quoted(column.name) for column in table.columns.values() if not column.generated]
    rowid = _rowid(dialect, table, sql)
    copied = ", ".join([*([rowid] if rowid else []), *written])
    yield f"INSERT INTO {new_name} ({copied}) SELECT {copied} FROM {old_name}"
    if _is_counted(dialect, name):  # AUTOINCREMENT never gives a key twice, also not that of the last row, deleted since
        yield f"DELETE FROM sqlite_sequence WHERE name = {_text(new)}"
        held = f"FROM sqlite_sequence WHERE name = {_text(name)} COLLATE NOCASE"
        yield f"INSERT INTO sqlite_sequence (name, seq) SELECT {_text(new)}, seq {held}"
    yield f"DROP TABLE {old_name}"
    yield f"ALTER TABLE {new_name} RENAME TO {old_name}"
    for kind, _, text in rows:
        if kind in ("index", "trigger"):
            yield text


def _rowid(dialect: Dialect, table: Table, sql: str) -> str:
    """The name of the rowid where rows have one that is no column, else ""."""
    tail = pieces(sql)[2]
    if re.search(r"\bWITHOUT\s+ROWID\b", tail, re.IGNORECASE):
        return ""
    return next((name for name in ("rowid", "_rowid_", "oid") if name not in table.columns), "")


def _is_counted(dialect: Dialect, name: str) -> bool:
    if not dialect.rows("SELECT 1 FROM main.sqlite_master WHERE name = 'sqlite_sequence'"):
        return False
    return bool(dialect.rows("SELECT 1 FROM sqlite_sequence WHERE name = ? COLLATE NOCASE", name))


def _text(value: str) -> str:
    quoted = value.replace("'", "''")
    return f"'{quoted}'"


def state(dialect: Dialect, table: Table) -> tuple[Any, ...]:
    """The number of rows, and of those that break a foreign key: to be the same before and after."""
    name = dialect.quoted(table.name[1])
    violations = dialect.rows(f"PRAGMA main.foreign_key_check({name})")
    return dialect.rows(f"SELECT COUNT(*) FROM main.{name}")[0][0], len(violations)
