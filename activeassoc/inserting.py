"""INSERT without building it anew each time: new records one by one, and many rows in one statement.

peewee builds the statement for every record, though it is the same for all that give the same fields; that is most of what
``Model.create`` costs. Here its text is made by peewee once and kept, and the values are put beside it. Hooks, error translation
and transactions see the same statement: it goes through ``database.execute_sql``.

Whatever a model, a mixin or the database does in its own way (``__init__``, ``save``, ``insert``, ``execute``, …), and whatever value is
no plain one, takes peewee's road.

Map: `creator` gives the function that makes and inserts one record of the given fields; `Creator` writes it; `Insert` is
what ``Model.insert`` and ``insert_many`` give; `values_writer` puts the values of many rows together.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import peewee
from peewee import Field

from activeassoc.convert import Unusual, expression_given, kept_type
from activeassoc.generated import function, variables
from activeassoc.hydrate import PLAIN_ACCESSORS
from activeassoc.kept import Kept
from activeassoc.key_lists import key_lists_of
from activeassoc.own import has_own
from activeassoc.registry import Model
from activeassoc.stores.capabilities import store_of
from activeassoc.stores.subqueries import Placed

enclosed: Any = peewee.EnclosedNodeList

#: What decides how a record is made and inserted. A class that has one of its own is asked.
HOOKS = frozenset(
    (
        *("__init__", "__new__", "__setattr__", "__getattribute__", "save", "_save_row", "_check_references", "_changes"),
        *("insert", "_normalize_data", "_populate_unsaved_relations", "_prune_fields", "get_id", "_pk", "_pk_expr"),
    )
)
DATABASE_HOOKS = ("execute", "last_insert_id", "get_sql_context")


def creator(model: Model, names: tuple[str, ...]) -> Callable[[dict[str, Any]], Any] | None:
    """The function that makes and inserts a record of these fields, given as keyword arguments; None where peewee has to."""
    kept = model._meta.__dict__.get("_creators") or model._meta.__dict__.setdefault("_creators", Kept(model))
    return kept.of(names, lambda: _creator(model, names))  # type: ignore[no-any-return]


def _creator(model: Model, names: tuple[str, ...]) -> Any:
    database = model._meta.get_database_instance()
    if database is None or model._meta.primary_key is None or _has_own_way(model, database):
        return None
    fields = [_field_given(model, name) for name in names]
    if any(field is None for field in fields) or len({*map(id, fields)}) != len(fields):
        return None
    made = Creator(model, database, names, fields)
    return made.function() if made.possible() else None


def _has_own_way(model: Model, database: Any) -> bool:
    if has_own(model, *HOOKS) or type(model).__call__ is not type.__call__:
        return True
    own: Any = database.__dict__
    return any(name in own or getattr(type(database), name) is not getattr(peewee.Database, name) for name in DATABASE_HOOKS)


def _field_given(model: Model, name: str) -> Any:
    """The field that setting the attribute `name` sets, where it does nothing else."""
    accessor = inspect.getattr_static(model, name, None)
    field = model._meta.fields.get(name)
    if type(accessor) is peewee.ObjectIdAccessor:
        field = accessor.field
        accessor = inspect.getattr_static(model, field.name, None)
    if field is None or type(accessor) not in PLAIN_ACCESSORS or accessor.name != field.name:
        return None
    return field if model._meta.fields.get(field.name) is field else None


class Creator:
    """The text of a function that makes a record and inserts it."""

    def __init__(self, model: Model, database: Any, names: Sequence[str], fields: Sequence[Any]) -> None:
        self.model, self.database, self.given = model, database, dict(zip(fields, names, strict=True))
        meta = model._meta
        self.defaults = dict(meta._default_by_name)
        self.callables = list(meta._default_callable_list)
        #: In the order in which peewee fills ``__data__``.
        self.order = list(dict.fromkeys([*self.defaults, *(name for name, _ in self.callables), *(field.name for field in fields)]))
        self.fields = [meta.fields[name] for name in self.order if name in meta.fields]
        self.columns = sorted(self.fields, key=lambda field: field._sort_key)
        self.names: dict[str, Any] = {}

    def possible(self) -> bool:
        meta = self.model._meta
        plain = not any(isinstance(value, peewee.Node) for value in self.defaults.values())
        keys = set(meta.get_primary_keys())
        there = not keys & set(self.fields) if meta.auto_increment else keys <= set(self.fields)
        there = there and key_made_here(self.model) is None
        return plain and there and bool(self.fields) and len(self.fields) == len(self.order)

    def text(self) -> str | None:
        """The INSERT as peewee writes it, or None where a column is written in another way than by its value."""
        marks = {field: object() for field in self.columns}
        query = Plain(self.model, {field: peewee.Value(mark, converter=False) for field, mark in marks.items()})
        text, parameters = query.sql()
        return text if list(map(id, parameters)) == [id(marks[field]) for field in self.columns] else None

    def function(self) -> Any:
        text = self.text()
        if text is None:
            return None
        self.names.update(
            new=object.__new__,
            Model=self.model,
            TEXT=text,
            database=self.database,
            own=self.database.__dict__,
            Unusual=Unusual,
            by_save=_by_save,
            by_constructor=_by_constructor,
        )
        return function("create", f"INSERT of {self.model.__name__}", self.lines(), self.names)

    def lines(self) -> list[str]:
        variable = dict(zip(self.fields, variables(self.fields), strict=True))
        values = [expression_given(field, variable[field], self.names) for field in self.columns]
        return [
            "def create(query):",
            f'    """Make a {self.model.__name__} of these values and insert it."""',
            "    if 'execute' in own: return by_constructor(Model, query)",
            *(f"    {variable[field]} = query[{name!r}]" for field, name in self.given.items()),
            *(f"    {line}" for field in self.given for line in self.reference(field, variable[field])),
            *(f"    {line}" for line in self.defaulting(variable)),
            "    record = new(Model)",
            "    record.__data__ = data = {" + ", ".join(f"{field.name!r}: {variable[field]}" for field in self.fields) + "}",
            *self.related(),
            *(f"    if {variable[key]} is None: return by_save(record)" for key in self.keys()),
            "    try:",
            f"        cursor = database.execute_sql(TEXT, [{', '.join(values)}])",
            "    except Unusual:",
            "        return by_save(record)",
            *(f"    {line}" for line in self.after()),
            "    record._stored = True",
            "    return record",
        ]

    def keys(self) -> list[Any]:
        """The primary key, where the database does not make it."""
        meta = self.model._meta
        return [] if meta.auto_increment or meta.composite_key else list(meta.get_primary_keys())

    def reference(self, field: Any, name: str) -> list[str]:
        """A foreign key may be given as a record, which is kept, and whose key is taken."""
        if not isinstance(field, peewee.ForeignKeyField):
            return []
        kind, target = kept_type(field), field.rel_field
        if kind is None:
            return [f"if {name} is not None: return by_constructor(Model, query)"]
        self.names.update({kind.__name__: kind, "type": type})
        accessor = inspect.getattr_static(field.rel_model, target.name, None)
        if type(accessor) is not peewee.FieldAccessor:
            return [f"if type({name}) is not {kind.__name__} and {name} is not None: return by_constructor(Model, query)"]
        self.names[f"Related_{name}"] = field.rel_model
        return [
            f"related_{name} = None",
            f"if type({name}) is not {kind.__name__} and {name} is not None:",
            f"    related_{name} = {name}",
            f"    {name} = {name}.__data__.get({target.name!r}) if type({name}) is Related_{name} else None",
            f"    if {name} is None: return by_constructor(Model, query)",
        ]

    def related(self) -> list[str]:
        found = []
        for field, name in zip(self.fields, variables(self.fields), strict=True):
            if f"Related_{name}" in self.names:
                found.append(f"    if related_{name} is not None: record.__rel__[{field.name!r}] = related_{name}")
        return found

    def defaulting(self, variable: dict[Any, str]) -> list[str]:
        """The values of the fields that were not given; a default that is a function is called, as peewee does, in any case."""
        fields = {field.name: field for field in self.fields}
        given = {field.name for field in self.given}
        found = []
        for name, value in self.defaults.items():
            if name not in given:
                self.names[f"default_{variable[fields[name]]}"] = value
                found.append(f"{variable[fields[name]]} = default_{variable[fields[name]]}")
        for name, make in self.callables:
            self.names[f"default_{variable[fields[name]]}"] = make
            found.append(f"{'_' if name in given else variable[fields[name]]} = default_{variable[fields[name]]}()")
        return found

    def after(self) -> list[str]:
        meta = self.model._meta
        found = []
        if meta.auto_increment:
            name = meta.primary_key.name
            if self.database.returning_clause:
                self.names["convert"] = meta.primary_key.python_value
                found += ["row = cursor.fetchone()", f"if row is not None: data[{name!r}] = convert(row[0])"]
            else:
                self.names["key_of"] = self.database.last_insert_id
                own: Any = peewee.Database
                plain = type(self.database)._last_insert_rowid is own._last_insert_rowid
                found.append(f"data[{name!r}] = {'cursor.lastrowid' if plain else 'key_of(cursor)'}")
        there = {field.name for field in self.fields}
        # What was not given is NULL now, and need not be asked.
        found += [f"data[{field.name!r}] = None" for field in meta.refs if not field.constraints and field.name not in there]
        return found


def _by_constructor(model: Model, query: dict[str, Any]) -> Any:
    record = model(**query)
    record.save(force_insert=True)
    return record


def _by_save(record: Any) -> Any:
    """A value turned out to be a piece of SQL: the record is there, and peewee writes it."""
    record._dirty = set(record.__data__)
    record.save(force_insert=True)
    return record


# Many rows


def key_made_here(model: Model) -> Any:
    """The primary key whose values no SQL database makes, nor the user has to; None for every other model."""
    meta: Any = model._meta
    if not hasattr(meta.primary_key, "new_key"):
        return None
    database = meta.get_database_instance()
    return meta.primary_key if database is not None and store_of(database).sql else None


class Insert(Placed, peewee.ModelInsert):
    """What ``Model.insert`` and ``insert_many`` give: peewee's query, which puts the values of many rows together sooner.

    A primary key that no database makes (`ObjectIdField` in SQL) is made here, for each row that brings none.
    """

    def get_default_data(self: Any) -> Any:
        inherited: Any = super()
        found, key = inherited.get_default_data(), key_made_here(self.model)
        return found if key is None else {**found, key: self._new_key}

    def _new_key(self: Any) -> Any:
        self._made = key_made_here(self.model).new_key()
        return self._made

    def handle_result(self: Any, database: Any, cursor: Any) -> Any:
        inherited: Any = super()
        found, key = inherited.handle_result(database, cursor), key_made_here(self.model)
        if key is None or self._return_cursor or self._as_rowcount or self._query_type != self.SIMPLE or database.returning_clause:
            return found
        # What the database tells is the number of the row.
        if self._on_conflict is not None and (self._on_conflict._update or not database.rows_affected(cursor)):
            return None
        return key.python_value(self._insert.get(key, self.__dict__.get("_made")))

    def _generate_insert(self: Any, insert: Any, ctx: Any) -> Any:
        rows = _by_column(self.model, insert if isinstance(insert, list | tuple) else list(insert))
        writer = None if ctx.state.value_literals or not rows else self._writer(rows[0])
        rows, values = (rows, None) if writer is None else writer(rows)
        if writer is None or values is None:
            return peewee.ModelInsert._generate_insert(self, rows, ctx)  # type: ignore[attr-defined]
        ctx.sql(enclosed(writer.columns)).literal(" VALUES ")
        mark = ctx.state.param or "?"
        ctx.literal(", ".join([f"({', '.join([mark] * len(writer.columns))})"] * len(rows)))
        ctx._values.extend(values)
        return ctx

    def _writer(self: Any, first: Any) -> Any:
        meta = self.model._meta
        if key_made_here(self.model) is not None:
            return None
        kept = meta.__dict__.get("_writers") or meta.__dict__.setdefault("_writers", Kept(self.model))
        columns = self._columns
        if type(first) is dict and not columns:
            names = tuple(first)
            if all(type(name) is str for name in names):
                return kept.of(names, lambda: values_writer(self.model, names, True))
        elif type(first) in (list, tuple) and columns and all(isinstance(column, Field) for column in columns):
            fields = tuple(columns)
            return kept.of(tuple(map(id, fields)), lambda: values_writer(self.model, fields, False))
        return None


def _by_column(model: Model, rows: Sequence[Any]) -> Sequence[Any]:
    """The rows, whose first names arrays by their fields: peewee takes the name of the column for an attribute, which is another thing."""
    arrays = {field.column_name: field.name for field in key_lists_of(model)}
    if not arrays or not rows or type(rows[0]) is not dict or arrays.keys().isdisjoint(rows[0]):
        return rows
    return [{arrays.get(name, name): value for name, value in rows[0].items()}, *rows[1:]]


def insert_keyed(model: Model, records: list[Any], batch_size: int | None) -> None:
    """``bulk_create`` where keys are made without asking the database: peewee would leave out those that the records bring."""
    meta: Any = model._meta
    key = meta.primary_key
    for record in records:
        record._pk = key.python_value(key.new_key() if record._pk is None else key.db_value(record._pk))
    for some in peewee.chunked(records, batch_size or len(records) or 1):
        rows = [[getattr(record, field.safe_name) for field in meta.sorted_fields] for record in some]
        model.insert_many(rows, fields=meta.sorted_fields).execute()


class Plain(peewee.ModelInsert):
    """peewee's own, for the text."""


def values_writer(model: Model, given: Sequence[Any], by_name: bool) -> Any:
    """A function from rows (dicts of these names, or sequences of these fields) to (rows, the values of all, one after the other).

    The values are None where a row is not like the first, or holds a piece of SQL: then peewee is to put these rows together, in
    which there stands what default functions gave, as they are called once for each row. None where there is no such function.
    """
    meta = model._meta
    fields = [_field_called(model, name) for name in given] if by_name else list(given)
    if not fields or any(field is None or meta.fields.get(field.name) is not field for field in fields):
        return None
    more = [field for field in meta.defaults if not any(field is each for each in fields)]
    if len({*map(id, fields)}) != len(fields) or (more and not by_name):
        return None
    if any(isinstance(meta.defaults[field], peewee.Node) for field in more):
        return None
    return _write_values(model, given, fields, more, by_name)


def _field_called(model: Model, name: str) -> Any:
    """The field that peewee finds under a row's key: by the attribute of the class, and the value by the field's or the column's name."""
    field = getattr(model, name, None)
    return field if isinstance(field, Field) and name in (field.name, field.column_name) else None


def _write_values(model: Model, given: Sequence[Any], fields: list[Any], more: list[Any], by_name: bool) -> Any:
    """The text of this function; `more` are the fields that have a default."""
    names: dict[str, Any] = {"KeyError": KeyError, "Unusual": Unusual, "len": len, "type": type}
    every = [*fields, *more]
    variable = {field.name: name for field, name in zip(every, variables(every), strict=True)}
    columns = sorted(every, key=lambda field: field._sort_key) if by_name else every
    if by_name:
        taken = [f"{variable[field.name]} = row[{name!r}]" for field, name in zip(fields, given, strict=True)]
    else:
        taken = [", ".join(variable[field.name] for field in fields) + ", = row"]
    called: dict[str, Any] = {}
    for field in (field for field in columns if any(field is each for each in more)):
        name, default = variable[field.name], model._meta.defaults[field]
        names[f"default_{name}"] = default
        if callable(default):
            called[name] = field
        else:
            taken.append(f"{name} = default_{name}")
    values = [expression_given(field, variable[field.name], names) for field in columns]
    kind = "dict" if by_name else "list and type(row) is not tuple"
    first, each, otherwise = _defaulting(given, called, names) if called else ([], "row in rows", "rows")
    lines = [
        "def values(rows):",
        *first,
        "    found = []",
        f"    for {each}:",
        f"        if type(row) is not {kind} or len(row) != {len(fields)}: return rows, None",
        "        try:",
        *(f"            {line}" for line in taken),
        f"            found += ({', '.join(values)},)",
        "        except (KeyError, Unusual):",
        f"            return {otherwise}, None",
        "    return rows, found",
    ]
    made = function("values", f"rows of {model.__name__}", lines, names)
    made.columns = columns
    return made


def _defaulting(given: Sequence[str], called: dict[str, Any], names: dict[str, Any]) -> tuple[list[str], str, str]:
    """Where functions give defaults: the lines that call them, how the rows are gone through then, and the rows with what they gave.

    `called` are their fields by variable. A default counts, or takes the next of something: it is called once for each row, and not
    at all where peewee does all of it.
    """
    names.update(names=frozenset(given), zip=zip, **{f"field_{name}": field for name, field in called.items()})
    first = [
        "    for row in rows:",
        "        if type(row) is not dict or row.keys() != names: return rows, None",
        "    made = [(" + ", ".join(f"default_{name}()" for name in called) + ",) for row in rows]",
    ]
    targets = f"({', '.join(called)},)"
    items = ", ".join(f"field_{name}: {name}" for name in called)
    return first, f"row, {targets} in zip(rows, made)", f"[{{**row, {items}}} for row, {targets} in zip(rows, made)]"
