"""A query within another: where both are of one database it is a part of the statement, else it is run first and its values are used.

Left to itself peewee writes the inner query into the outer one's statement, whatever database its model has: that fails, or answers from
another table that happens to have the name. So the queries of models look where they are written, and what cannot be run first
(a join, EXISTS, a query that asks for columns of the one around it) is refused with both databases in the text. (J2)

Map: `Placed` is what the queries of models have; `values_of` runs a query and gives its values, for stores without SQL too;
`database_behind` and `place_of` say which database is meant and what messages call it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import peewee
from peewee import Expression, NodeList

from activeassoc.errors import UnfitValue, UnsupportedQuery
from activeassoc.stores.capabilities import store_of

__all__ = ["Placed", "database_behind", "place_of", "values_of"]

_LIST = "Run the query first and give its values: field.in_([...])"
_EACH = "Read the keys first and give them to field.in_([...]), or declare an association and populate it"


def database_behind(database: Any) -> Any:
    """The database itself, where a proxy stands for it."""
    return database.obj if isinstance(database, peewee.Proxy) else database


def place_of(database: Any) -> str:
    """What messages call a database: its URL without the password, or its name where nobody connected by a URL."""
    database = database_behind(database)
    return str(getattr(database, "address", "") or getattr(database, "database", database))


class Placed:
    """A query of a model, which knows its database: written into a statement of another one it gives its values, or refuses."""

    model: Any
    _database: Any

    def __sql__(self, ctx: Any) -> Any:
        state = ctx.state
        if state.in_expr and not ctx.stack:
            return ctx.literal("(SELECT)")  # peewee asks whether this is an empty list, by writing it once more
        around, home = getattr(state.conflict_statement, "__self__", None), state.home
        if around is None or ctx.scope == peewee.SCOPE_COLUMN:
            return super().__sql__(ctx)  # type: ignore[misc]
        if home is None:
            home = (around,)
            # The outermost query, or one within peewee's SELECT COUNT(…) around it, may be executed elsewhere: on a replica, say.
            if not ctx._sql or ctx._sql[0] == "SELECT ":
                home = around, database_behind(self._database), database_behind(self.model._meta.database)
        if self._is_elsewhere(home):
            return self._elsewhere(ctx, around)
        self._refuse_others(around, home)
        with ctx(home=home):
            return super().__sql__(ctx)  # type: ignore[misc]

    def _is_elsewhere(self, home: tuple[Any, ...]) -> bool:
        """Whether none of the databases of the statement is the query's."""
        mine = database_behind(self._database)
        return mine is not None and mine not in home and database_behind(self.model._meta.database) not in home

    def _elsewhere(self, ctx: Any, around: Any) -> Any:
        if ctx._sql[-1] in (" IN ", " NOT IN "):
            return _write_values(self, ctx, around)
        raise self._refused("a join" if ctx.scope == peewee.SCOPE_SOURCE and not ctx.state.in_projection else "a subquery", around, self)

    def _refuse_others(self, around: Any, home: tuple[Any, ...]) -> None:
        """Refuse tables of other databases beside this query's own."""
        query: Any = self
        tables: Any = getattr(query, "_from_list", None) or getattr(query, "_from", None) or ()
        if len(tables) == 1 and tables[0] is query.model:
            return
        if isinstance(query, peewee.CompoundSelectQuery):
            tables = (query.lhs, query.rhs)
        for table in _tables(tables):
            meta: Any = getattr(getattr(table, "model", table), "_meta", None)
            other = database_behind(getattr(meta, "database", None))
            if other is not None and other not in home and meta.database is not self._database:
                raise self._refused(str(getattr(query, "op", "a join")), around, table)

    def _refused(self, construct: str, around: Any, table: Any) -> UnsupportedQuery:
        model: Any = getattr(table, "model", table)
        within = place_of(getattr(table, "_database", None) or model._meta.database)
        return UnsupportedQuery(
            f"{construct} of {model.__name__} on {within} in a statement on {place_of(around)}",
            "these are two databases, and a statement is answered by one",
            _LIST if construct == "a subquery" else _EACH,
            construct=construct,
            model=model,
        )


def _tables(nodes: Iterable[Any]) -> Iterator[Any]:
    """What stands in a FROM, joins taken apart."""
    pending = list(nodes)
    while pending:
        each = pending.pop()
        if isinstance(each, peewee.Join):
            pending.extend((each.lhs, each.rhs))
        else:
            yield each


# Its values


def values_of(query: Any, otherwise: Any, refused: Callable[[str, str, str], Exception]) -> list[Any]:
    """The values that a query in IN finds, by its own database (`otherwise` where it has none). Runs it; NULLs are None.

    `refused` makes the error for a query that cannot be run alone, or that has several columns.
    """
    sources = list(_tables(getattr(query, "_from_list", ())))
    for field in _fields_of(query):
        owner = field.source if isinstance(field, peewee.FieldAlias) else field.model
        if not any(each is owner for each in sources):
            raise refused(
                f"a subquery that asks for {field.name} of the query around it",
                "a subquery is run before that, and once",
                "Write one that stands alone",
            )
    columns = list(query._returning or ())
    if getattr(query, "_is_default", False):  # peewee writes the primary key alone there
        columns = [query.model._meta.primary_key]
        query = query.clone()
        query._returning, query._is_default = columns, False
    if isinstance(query, peewee.CompoundSelectQuery):
        columns = list(query.lhs._returning or ())
    if len(columns) != 1 or isinstance(columns[0], peewee.CompositeKey) or not columns[0]:
        raise refused("a subquery of several columns", "IN compares one", "Select one column in it")
    return [row[0] for row in query.tuples().execute(query._database or otherwise)]


def _fields_of(node: Any) -> Iterator[Any]:
    """The fields that the conditions of a query name, those of queries within it apart."""
    pending = [getattr(node, "_where", None)]
    while pending:
        each = pending.pop()
        if isinstance(each, peewee.Field):
            yield each
        elif isinstance(each, Expression):
            pending.extend((each.lhs, each.rhs))
        elif isinstance(each, peewee.WrappedNode):
            pending.append(each.node)
        elif isinstance(each, NodeList):
            pending.extend(each.nodes)
        elif isinstance(each, peewee.Function):
            pending.extend(each.arguments or ())


def _write_values(query: Any, ctx: Any, around: Any) -> Any:
    """In the place of the query its values, as few parameters as the store can; an empty list finds nothing, and its NOT everything."""
    from activeassoc.stores.sql import BOUND, array_type, base_field, takes_integers, whole_number  # here: it has queries of this kind

    def refused(construct: str, because: str, instead: str) -> UnsupportedQuery:
        asked = f"{construct}, of {query.model.__name__} on {place_of(query._database)} in a statement on {place_of(around)}"
        return UnsupportedQuery(asked, because, instead, construct=construct, model=query.model)

    field = getattr(ctx.state.converter, "__self__", None)
    field = field.field if isinstance(field, peewee.FieldAlias) else field
    if not isinstance(field, peewee.Field):
        raise refused("a subquery beside a value that is no column", "the type of its values is not known", _LIST)
    found = values_of(query, around, refused)
    kind, store = base_field(field), store_of(around)
    convert = whole_number if takes_integers(kind) else field.db_value
    values = list(dict.fromkeys(_converted(field, convert, value) for value in found if value is not None))
    nulls: list[Any] = [None] if any(value is None for value in found) else []
    kinds = set(map(type, values))
    if store.key_lists == "json" and kinds <= {int, str} and not any(type(each) is str and "\0" in each for each in values):
        return _write(ctx, "(SELECT value FROM json_each(", json.dumps(values + nulls), "))")
    type_name = array_type(kind) if store.key_lists == "array" else ""
    if type_name:
        # Those that are not in the column's range are no reason to fail.
        wide = "BIGINT" if type_name in ("SMALLINT", "INTEGER") else type_name
        return _write(ctx, "(SELECT UNNEST(CAST(", values + nulls, f" AS {wide}[])))")
    if len(values) > BOUND:
        raise refused(f"a subquery with {len(values)} values", f"a statement takes {BOUND} of this kind", "Ask in portions, by in_([...])")
    if not values and not nulls:
        null: Any = peewee.Cast(None, kind.ddl_datatype(ctx).sql) if store.key_lists == "array" else peewee.SQL("NULL")
        return ctx.literal("(SELECT ").sql(null).literal(" WHERE 1 = 0)")
    for place, value in enumerate(values + nulls):
        ctx.literal(", " if place else "(").value(value, converter=False)
    return ctx.literal(")")


def _write(ctx: Any, before: str, value: Any, after: str) -> Any:
    return ctx.literal(before).value(value, converter=False).literal(after)


def _converted(field: Any, convert: Callable[[Any], Any], value: Any) -> Any:
    try:
        return convert(value)
    except (TypeError, ValueError, ArithmeticError, AttributeError):
        raise UnfitValue(
            f"{field.model.__name__}.{field.name} in a subquery that finds {value!r}",
            "the column holds no values of this kind",
            "Select a column of the same type in it",
            field=field,
            value=value,
        ) from None
