"""The tables that models want, in the words in which a database tells what it has.

Map: `wanted_tables` is the way in; `Table`, `Index` and `Key` are what it gives; `in_order` puts parents first and finds the
keys that close a cycle; `refuse_cycles` finds cycles that no row could ever enter.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import peewee

from activeassoc import keys, naming
from activeassoc.errors import SyncError, listed
from activeassoc.stores import ddl
from activeassoc.stores.ddl import Dialect, Name, shown

Model = type[peewee.Model]


@dataclass
class Index:
    """An index that a model wants, and the node that makes it."""

    index: ddl.Index
    node: Any
    #: It is there for a key alone: any index that begins with the column serves as well.
    for_key: bool = False
    #: It can be told by its columns, not only by its name.
    plain: bool = True


@dataclass
class Key:
    """A foreign key that a model wants."""

    field: Any
    key: ddl.ForeignKey

    @property
    def name(self) -> str:
        return f"{self.key} -> {shown(self.key.to_table)}.{', '.join(self.key.to_columns)}"

    @property
    def to_itself(self) -> bool:
        return self.key.table == self.key.to_table

    @property
    def can_be_filled(self) -> bool:
        """A row can be there before the row that it refers to."""
        return bool(self.field.null or self.field.deferrable)


@dataclass
class Table:
    """A table that a model wants. `name` is as the model says it, `place` as it can be compared."""

    model: Any
    name: Name
    place: Name
    columns: dict[str, peewee.Field]
    primary_key: tuple[str, ...]
    indexes: list[Index] = field(default_factory=list)
    keys: list[Key] = field(default_factory=list)
    #: It was not asked for by name, but comes with a model that was: a join table.
    brought: bool = False

    def __str__(self) -> str:
        return shown(self.name)


def refuse(asked: str, because: str, instead: str, **facts: Any) -> SyncError:
    """An error from before the first statement."""
    return SyncError(asked, because, instead, **{"table": None, "statement": None, **facts})


def wanted_tables(models: Iterable[Model], dialect: Dialect, brought: Iterable[Model] = ()) -> list[Table]:
    """The tables of these models, each once.

    Raises SyncError where two models of one table do not have the same columns (B7), and for what the engine does not do.
    """
    tables: dict[Name, Table] = {}
    for model, comes_along in [*((model, False) for model in models), *((model, True) for model in brought)]:
        table = _table(model, dialect)
        table.brought = comes_along
        first = tables.setdefault(table.place, table)
        if first is not table:
            _join(first, table)
    return list(tables.values())


def _join(first: Table, second: Table) -> None:
    """One model is an alias of the other, or a reflection: the table gets the keys and indexes of both (B7)."""
    if set(first.columns) != set(second.columns):
        names = " and ".join(f"{table.model.__module__}.{table.model.__qualname__}" for table in (first, second))
        differ = sorted(set(first.columns) ^ set(second.columns))
        raise refuse(
            f"sync() of table {first}",
            f"{names} both want it, with other columns ({listed(differ)})",
            "Give one of them another Meta.table_name, or both the same columns",
            table=str(first),
        )
    held = {key.key.columns for key in first.keys}
    first.keys += [key for key in second.keys if key.key.columns not in held]
    first.indexes = _without_repeats([*first.indexes, *second.indexes], first.primary_key)


def _table(model: Model, dialect: Dialect) -> Table:
    meta: Any = model._meta
    if getattr(meta, "embedded", None) is not None:
        meta.embedded.check_store()
    name = (meta.schema, meta.table_name)
    columns = {dialect.fold(each.column_name): each for each in meta.sorted_fields}
    primary_key = tuple(dialect.fold(each.column_name) for each in meta.get_primary_keys())
    table = Table(model, name, dialect.folded(name), columns, primary_key)
    for each in meta.sorted_fields:
        if isinstance(each, peewee.DeferredForeignKey):
            raise refuse(
                f"sync() of {model.__name__}.{each.name}",
                f"no model {each.rel_model_name!r} has been defined that this DeferredForeignKey could refer to",
                "Import the module that defines it first",
                table=str(table),
            )
        if dialect.constraints and keys.has_constraint(each):
            table.keys.append(_key(table, each, dialect))
    _check_names(table, dialect)
    table.indexes = _indexes(table, dialect)
    return table


def _check_names(table: Table, dialect: Dialect) -> None:
    # PostgreSQL cuts a name that is too long without a word, and sync would never find the table again.
    for name in (table.name[1], *(each.column_name for each in table.columns.values())):
        if dialect.name_limit and len(name.encode()) > dialect.name_limit:
            raise refuse(
                f"sync() of table {table}",
                f"the name {name!r} has {len(name.encode())} bytes, and names here have at most {dialect.name_limit}",
                "Shorten it with Meta.table_name or column_name",
                table=str(table),
            )


# Keys


def _key(table: Table, key: Any, dialect: Dialect) -> Key:
    model, asked = key.rel_model, f"sync() of {table.model.__name__}.{key.name}"
    if not isinstance(key.rel_field, peewee.Field) or isinstance(key.rel_field, peewee.CompositeKey):
        because = f"{model.__name__} has no primary key of one column to refer to"
        raise refuse(asked, because, "Refer to a unique column with field=", table=str(table))
    for clause, rule in (("on_delete", key.on_delete), ("on_update", key.on_update)):
        if dialect.rule(rule) == "SET DEFAULT" and not dialect.sets_default:
            raise refuse(
                asked,
                f"{clause}='SET DEFAULT' would be kept as RESTRICT by this database",
                "Use another rule, or SQLite or PostgreSQL",
                table=str(table),
            )
    if key.deferrable and not dialect.deferrable:
        raise refuse(asked, "this database checks every foreign key at once", "Leave deferrable= away", table=str(table))
    target = dialect.folded((model._meta.schema, model._meta.table_name))
    if not dialect.keys_across_schemas and target[0] != table.place[0]:
        because = "a foreign key cannot leave the schema here"
        raise refuse(asked, because, "Leave the constraint out: constraints=False", table=str(table))
    column, own = key.column_name, key.constraint_name
    name = naming.cut(own, limit(dialect)) if own else naming.constraint_name("fk", table.name[1], [column], limit(dialect))
    rules = ((key.on_delete or "NO ACTION").upper(), (key.on_update or "NO ACTION").upper())
    return Key(key, ddl.ForeignKey(name, table.place, (column,), target, (key.rel_field.column_name,), *rules))


def limit(dialect: Dialect) -> int:
    return dialect.name_limit or 10_000


def constraint(key: Key, dialect: Dialect, name: str) -> Any:
    """The node that declares the key as a constraint of its table, under this name."""
    named = copy.copy(key.field)
    named.constraint_name = name
    if not dialect.keys_across_schemas:  # the schema goes without saying there, and saying it is a syntax error
        named.rel_model = peewee.Entity(key.field.rel_model._meta.table_name)
    return named.foreign_key_constraint()


# Indexes


def _indexes(table: Table, dialect: Dialect) -> list[Index]:
    meta: Any = table.model._meta
    wanted = [_index(table, node, dialect) for node in meta.fields_to_index()]
    for each in meta.sorted_fields:
        if isinstance(each, peewee.ForeignKeyField) and not (each.index or each.unique or each.primary_key):
            wanted.append(_index(table, peewee.ModelIndex(table.model, (each,), using=each.index_type), dialect))
    return _without_repeats(wanted, table.primary_key)


def _index(table: Table, written: Any, dialect: Dialect) -> Index:
    if not isinstance(written, peewee.Index):  # a statement that the user wrote
        return Index(ddl.Index(_name_in(written), (), False), written, plain=False)
    node: Any = written
    named = isinstance(written, peewee.ModelIndex)
    fields: list[Any] = [part if isinstance(part, peewee.Field) else None for part in node._expressions]
    columns = tuple(None if part is None else dialect.fold(part.column_name) for part in fields)
    for_key = len(fields) == 1 and not node._unique and isinstance(fields[0], (peewee.ForeignKeyField, keys.ReferenceField))
    name: Any = node._name
    # peewee names an index after the class, and makes it IF NOT EXISTS: of two models of one class name the second would
    # silently go without its unique index. A name that the user gave stays.
    if named and name == _generated_name(node):
        parts = [word for word in map(_word_of, node._expressions) if word]
        name = naming.constraint_name("uq" if node._unique else "ix", table.name[1], parts, limit(dialect)) if parts else name
    name = naming.cut(name, limit(dialect))
    partial = node._where is not None
    # What is on some of the rows, on an expression, or of a special kind is known by its name alone.
    plain = not partial and None not in columns and node._using is None
    return Index(ddl.Index(name, columns, bool(node._unique), partial), node, for_key, plain)


def _word_of(part: Any) -> str:
    """What a part of an index gives to its name: a column, or "" for an expression."""
    if isinstance(part, str):
        return part.split()[0]
    part = part.unwrap() if isinstance(part, peewee.Node) else part
    return str(part.column_name) if isinstance(part, peewee.Field) else ""


def _generated_name(node: Any) -> str | None:
    try:
        return str(node._generate_name_from_fields(node._model, node._expressions))
    except ValueError:  # nothing but expressions: the user had to name it
        return None


def _name_in(node: Any) -> str:
    """The name of the index that a CREATE INDEX written by hand makes, or ""."""
    words = getattr(node, "sql", "").replace("(", " ").split()
    upper = [word.upper() for word in words]
    if "ON" not in upper or "INDEX" not in upper:
        return ""
    return str(words[upper.index("ON") - 1]).strip('"`').rpartition(".")[2].strip('"`')


def _without_repeats(wanted: Sequence[Index], primary_key: tuple[str, ...]) -> list[Index]:
    """No index twice, and none for a key whose column leads another one or the primary key (E3)."""
    kept: list[Index] = []
    for each in sorted(wanted, key=lambda index: (index.for_key, not index.index.unique)):  # those that serve for others first
        if each.plain and served(each, [other.index for other in kept if other.plain], primary_key):
            continue
        kept.append(each)
    return sorted(kept, key=lambda index: [other is index for other in wanted].index(True))


def served(wanted: Index, others: Iterable[ddl.Index], primary_key: Sequence[str]) -> bool:
    """Whether one of the others, or the primary key, does what the wanted index is for."""
    columns = wanted.index.columns
    if (wanted.for_key and tuple(primary_key[:1]) == columns) or tuple(primary_key) == columns:
        return True
    for other in others:
        if other.partial:
            continue
        if wanted.for_key and other.columns[:1] == columns:
            return True
        if other.columns == columns and (other.unique or not wanted.index.unique):
            return True
    return False


# Order


def in_order(tables: Sequence[Table]) -> tuple[list[Table], list[Key]]:
    """The tables with parents before children, else as they were given, and the keys that close a cycle: one for each."""
    by_place = {table.place: table for table in tables}
    by_model = {table.model: table for table in tables}
    ordered: list[Table] = []
    closing: list[Key] = []
    entered: set[Name] = set()

    # Depth first with a stack of its own: a chain of a thousand tables would be too deep for Python's.
    def parents(table: Table) -> Iterator[tuple[Key | None, Table]]:
        for dependency in table.model._meta.depends_on or ():
            if dependency in by_model:
                yield None, by_model[dependency]
        for key in table.keys:
            if key.key.to_table in by_place and not key.to_itself:
                yield key, by_place[key.key.to_table]

    done: set[Name] = set()
    for table in tables:
        if table.place in entered:
            continue
        entered.add(table.place)
        stack = [(table, parents(table))]
        while stack:
            current, rest = stack[-1]
            for key, parent in rest:
                if parent.place not in entered:
                    entered.add(parent.place)
                    stack.append((parent, parents(parent)))
                    break
                if parent.place not in done and key is not None:
                    closing.append(key)
            else:
                stack.pop()
                done.add(current.place)
                ordered.append(current)
    return ordered, closing


def refuse_cycles(tables: Sequence[Table], new: Iterable[Key]) -> None:
    """Raise where a new key closes a cycle of keys that are all NOT NULL and checked at once: no first row could be written (E4).

    A key of a table to itself is none: a row may refer to itself. A cycle that is in the database already is not sync's to judge.
    """
    for key in new:
        chain = [] if key.can_be_filled or key.to_itself else _chain(tables, key)
        if chain:
            name = f"{key.field.model.__name__}.{key.field.name}"
            cycle = ", ".join(str(each.key) for each in chain)
            because = f"it is part of a cycle of NOT NULL keys ({cycle}), so that no first row could be written"
            raise refuse(f"sync() of {name}", because, f"Make one of them nullable: null=True for {name}", table=shown(key.key.table))


def _chain(tables: Sequence[Table], closing: Key) -> list[Key]:
    """The cycle of such keys that `closing` is part of, beginning with it; empty where there is none."""
    by_place = {table.place: table for table in tables}
    trails = [[closing]]
    seen = {closing.key.to_table}
    for trail in trails:
        here = by_place.get(trail[-1].key.to_table)
        for key in here.keys if here else ():
            if key.can_be_filled or key.key.to_table in seen:
                continue
            if key.key.to_table == closing.key.table:
                return [*trail, key]
            seen.add(key.key.to_table)
            trails.append([*trail, key])
    return []
