"""What a database holds, read once: the tables that were asked for, parents first, and what their foreign keys say.

Map: `read` is the way in; `Found` is a table, `Reference` one of its keys that an association can use, `Junction` two of them that
are a link; `refuse` is for what cannot be read.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import peewee

from activeassoc import naming
from activeassoc.errors import ConnectError, UnknownName, UnsupportedQuery, listed, nearest
from activeassoc.reflect.fields import Told
from activeassoc.stores import ddl
from activeassoc.stores.capabilities import store_of
from activeassoc.stores.ddl.remarks import Remarks, remarks_of


@dataclass(eq=False)
class Found:
    """A table, its class's name, and what playhouse says of its columns."""

    table: ddl.Table
    told: dict[str, Told]
    remarks: Remarks
    dialect: ddl.Dialect
    class_name: str = ""
    #: The names of its fields by column, without those that a declaration adds.
    names: dict[str, str] = field(default_factory=dict)
    references: list[Reference] = field(default_factory=list)
    junction: Junction | None = None
    #: The classes of its fields.
    kinds: list[Any] = field(default_factory=list)
    #: What could not become code, in words.
    notes: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        return self.table.name[1]

    @property
    def words(self) -> naming.Names:
        return naming.names_of(self.class_name)

    def key_name(self, column: str) -> str:
        """The field of a column that keys refer to."""
        own = next((each for each in self.references if each.column == column), None)
        return own.stem if own else self.names[column]

    def is_unique(self, *columns: str) -> bool:
        """Whether no two rows share these columns' values."""
        wanted = set(columns)
        whole = [index for index in self.table.indexes if index.unique and not index.partial]
        return set(self.table.primary_key) == wanted or any(set(index.columns) == wanted for index in whole)


@dataclass(eq=False)
class Reference:
    """A foreign key of one column to a column that means one record."""

    holder: Found
    column: str
    target: Found
    to_column: str
    on_delete: str
    on_update: str
    null: bool
    unique: bool
    #: The class says it as a field: part of a primary key, or a column whose name could be no field's.
    in_body: bool = False
    #: The class says it as a plain field, as what it refers to is not there yet when the class is made.
    is_plain: bool = False
    #: The field that holds the record, and the attribute that holds the key.
    stem: str = ""
    attribute: str = ""

    @property
    def place(self) -> str:
        return f"{self.holder.name}.{self.column}"

    @property
    def to_primary_key(self) -> bool:
        return tuple(self.target.table.primary_key) == (self.to_column,)


@dataclass(eq=False)
class Junction:
    """Two keys of a table that together are its primary key, or unique: each row is a link."""

    link: Found
    near: Reference
    far: Reference
    is_key: bool


def refuse_documents(database: Any, asked: str) -> None:
    """Raise where the database has no tables that tell their columns."""
    if not store_of(database).sql:
        raise UnsupportedQuery(
            asked,
            "a store of documents does not tell what fields and keys its records have",
            "Write its models by hand; reflect reads SQLite, PostgreSQL, MySQL and MariaDB",
            construct="reflect",
        )


def read(database: Any, tables: Sequence[str] | None, schema: str | None, asked: str) -> list[Found]:
    """The tables, parents first, else by name. Some statements for all of them, and some for each.

    Raises UnknownName for a table that is not there, ConnectError where there is none at all.
    """
    refuse_documents(database, asked)
    dialect = ddl.dialect_of(database)
    try:
        names = database.get_tables(schema=schema)
    except peewee.OperationalError as error:
        if schema is None or schema not in str(error):
            raise
        names = []  # SQLite has no such schema
    there = dialect.tables([(schema, name) for name in names if not name.startswith("sqlite_")])
    remarks = remarks_of(dialect, schema if names else None)
    usable = {
        place: table
        for place, table in there.items()
        if table.is_table and not table.virtual and table.columns and table.name[1] not in remarks.parts
    }
    if not usable:
        instead = "See that the URL names the right database; sync() makes the tables of models"
        raise ConnectError(asked, f"there are no tables in {f'the schema {schema!r}' if schema else 'it'}", instead)
    chosen = usable if tables is None else _chosen(usable, tables, dialect, asked, database.get_views(schema=schema))
    from playhouse.reflection import Introspector  # late: it brings what is installed of playhouse

    metadata = Introspector.from_database(database, schema=schema).metadata
    found = {
        place: Found(table, _told(metadata, table.name[1], schema, remarks), remarks, dialect)
        for place, table in sorted(chosen.items(), key=lambda item: item[0][1])
    }
    for each in found.values():
        _read_references(each, found, dialect)
    for each in found.values():
        _drop_circles(each)
    return in_order(list(found.values()))


def _told(metadata: Any, table: str, schema: str | None, remarks: Remarks) -> dict[str, Told]:
    """What playhouse says of the columns of a table."""
    kinds, extra = metadata.get_column_types(table, schema)
    columns = metadata.database.get_columns(table, schema)
    alone = [column.name for column in columns if column.primary_key]
    counted = table not in remarks.uncounted
    return {
        name: Told(kinds.get(name), extra.get(name) or {}, counted and column.identity and alone == [name])
        for name, column in ((column.name, column) for column in columns)
    }


def _chosen(
    usable: dict[ddl.Name, ddl.Table], tables: Sequence[str], dialect: ddl.Dialect, asked: str, views: Iterable[Any]
) -> dict[ddl.Name, ddl.Table]:
    wanted = {dialect.fold_table(name): name for name in ([tables] if isinstance(tables, str) else tables)}
    known = {dialect.fold_table(table.name[1]): place for place, table in usable.items()}
    missing = [name for folded, name in wanted.items() if folded not in known]
    if missing:
        names = sorted(table.name[1] for table in usable.values())
        seen = {view.name for view in views} & set(missing)
        because = f"{listed(sorted(seen))} is a view, and a view has no keys" if seen else f"there is no table {listed(map(repr, missing))}"
        raise UnknownName(asked, because, nearest(missing[0], names), name=missing[0], known=names)
    return {known[folded]: usable[known[folded]] for folded in wanted}


# Foreign keys


def _read_references(found: Found, others: dict[ddl.Name, Found], dialect: ddl.Dialect) -> None:
    columns = list(found.table.columns)
    keys = sorted(found.table.keys, key=lambda key: (columns.index(dialect.fold(key.columns[0])), key.to_table, key.to_columns))
    for key in keys:
        reason = _add_reference(found, key, others, dialect)
        if reason:
            found.notes.append(_not_here(key.columns, ddl.shown(key.to_table), key.to_columns, reason))


def _not_here(columns: Iterable[str], table: str, to_columns: Iterable[str], because: str) -> str:
    return f"The foreign key from ({', '.join(columns)}) to {table} ({', '.join(to_columns)}) is not here: {because}."


def _add_reference(found: Found, key: ddl.ForeignKey, others: dict[ddl.Name, Found], dialect: ddl.Dialect) -> str:
    """Note a key that an association can use; else why there is none."""
    target = others.get(dialect.folded(key.to_table))
    if len(key.columns) != 1:
        return "no association has a key of several columns"
    if target is None:
        return "that table is none of these"
    column = found.table.columns[dialect.fold(key.columns[0])]
    to = target.table.columns.get(dialect.fold(key.to_columns[0])) if key.to_columns else None
    if to is None or to.generated or column.generated:
        return "there is no such column" if to is None else "a generated column is no field"
    if not target.is_unique(to.name):
        return "several rows may have the value that it refers to"
    for other in found.references:
        if other.column == column.name:
            same = other.target is target and other.to_column == to.name
            return "" if same else f"the column refers to {other.target.name} already"
    rules = dialect.rule(key.on_delete), dialect.rule(key.on_update)
    null = column.null and column.name not in found.table.primary_key
    found.references.append(Reference(found, column.name, target, to.name, *rules, null, found.is_unique(column.name)))
    return ""


def _drop_circles(found: Found) -> None:
    """A key whose own column is, by way of others, the one that it refers to has no type: leave it out."""
    for key in list(found.references):
        seen, at = {key}, key
        while True:
            onward = next((each for each in at.target.references if each.column == at.to_column), None)
            if onward is None or onward in seen:
                break
            seen.add(onward)
            at = onward
        if onward is key:
            found.references.remove(key)
            found.notes.append(_not_here([key.column], key.target.name, [key.to_column], "it goes in a circle"))


def find_junction(found: Found) -> Junction | None:
    """The two keys that make the table one of links, in the order of its primary key or unique index."""
    by_column = {each.column: each for each in found.references if not each.unique}
    primary_key = tuple(found.table.primary_key)
    unique = [index.columns for index in found.table.indexes if index.unique and not index.partial]
    for columns in (primary_key, *sorted(columns for columns in unique if None not in columns)):
        pair = [by_column[column] for column in columns if column in by_column]
        if len(columns) == len(pair) == 2 and not any(each.column in primary_key for each in pair if columns != primary_key):
            return Junction(found, pair[0], pair[1], columns == primary_key)
    return None


def in_order(found: Sequence[Found]) -> list[Found]:
    """Parents before children, else as they were; where keys go in a circle the first of it comes first."""
    rest, done, ordered = list(found), set(), []
    while rest:
        ready = (each for each in rest if all(key.target in done or key.target is each for key in each.references))
        first = next(ready, rest[0])
        rest.remove(first)
        done.add(first)
        ordered.append(first)
    return ordered


__all__ = ["Found", "Junction", "Reference", "find_junction", "in_order", "read", "refuse_documents"]
