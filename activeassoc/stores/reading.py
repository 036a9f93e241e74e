"""From a query of peewee's to a plan: what `PlanDatabase.execute` does first.

Everything that a query can hold is looked at. What has no place in a plan is refused with UnsupportedQuery, so that nothing is silently
left out: neither a HAVING, nor the limit of an UPDATE, nor a value for a column that the model does not have. (J2)

Map: `plan_of` chooses; `Selects` reads a SELECT into a Read; `writes` has the other three. What stands in them is read by
`conditions` and `terms`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import peewee
from peewee import SQL, Function

from activeassoc.errors import UnfitValue, UnsupportedQuery
from activeassoc.stores.conditions import Conditions
from activeassoc.stores.plan import Aggregate, Arithmetic, Column, Literal, Operand, Order, Plan, Read, Selected, columns_of
from activeassoc.stores.terms import bare
from activeassoc.stores.writes import change_of, insert_of, remove_of

__all__ = ["plan_of"]

_ASK_EACH = "Ask each by a query of its own, or declare an association and populate it"


def plan_of(query: Any, database: Any) -> Plan:
    """The plan of a query: what `database` is to do.

    Runs the subqueries in it (``field.in_(query)``), each by its own database, and nothing else. Raises UnsupportedQuery for what the
    store has no form of, UnfitValue for values that their field cannot hold, NullNotAllowed for a NULL in a NOT NULL field and
    UnknownName for columns that do not exist.
    """
    if isinstance(query, peewee.Select):
        return _counted(query, database) or Selects(*_source(query, database)).read(query)
    if isinstance(query, peewee.Insert):
        return insert_of(query, Conditions(_model(query.table, database), database))
    if isinstance(query, peewee.Update):
        return change_of(query, Conditions(_model(query.table, database), database))
    if isinstance(query, peewee.Delete):
        return remove_of(query, Conditions(_model(query.table, database), database))
    place = database.address or database.database
    if isinstance(query, peewee.CompoundSelectQuery):
        raise UnsupportedQuery(
            f"{query.op} on {place}",
            "this store joins no answers of several queries",
            "Run each query, and join the lists in Python",
            construct=str(query.op),
        )
    raise UnsupportedQuery(
        f"a {type(query).__name__} on {place}",
        "this store executes select(), insert(), update() and delete() of a model",
        "Write it as one of these",
        construct=type(query).__name__,
    )


def _counted(query: Any, database: Any) -> Read | None:
    """The plan of peewee's ``count()`` and ``exists()``, which are a SELECT around the query; None for any other."""
    selected = list(query._returning or ())
    if len(selected) != 1 or not isinstance(selected[0], Function):
        return None
    function: Any = selected[0]
    name = str(function.name).upper()
    inner: Any = None
    if name == "EXISTS" and not query._from_list and len(function.arguments) == 1:
        inner = function.arguments[0]
    elif name == "COUNT" and len(query._from_list) == 1 and len(function.arguments) == 1 and _is_one(function.arguments[0]):
        inner = query._from_list[0]
    if not isinstance(inner, peewee.SelectBase) or query._where is not None or query._group_by:
        return None
    plan = plan_of(inner, database)
    assert isinstance(plan, Read)
    if plan.count or plan.exists:
        raise Selects(plan.model, database).refused("a count of a count", "there is one row", "Count the inner query")
    order = () if plan.limit is None and not plan.offset else plan.order
    return replace(plan, order=order, count=name == "COUNT", exists=name == "EXISTS")


def _is_one(node: Any) -> bool:
    return isinstance(node, SQL) and node.sql == "1"


def _model(table: Any, database: Any) -> Any:
    if isinstance(table, type) and issubclass(table, peewee.Model):
        return table
    place = database.address or database.database
    raise UnsupportedQuery(
        f"a query of {table!r} on {place}",
        "the types of its values stand in a model, and this is none",
        "Write Model.select(), insert(), update() or delete()",
        construct="a table without a model",
    )


def _source(query: Any, database: Any) -> tuple[Any, Any, Any]:
    """The model of a SELECT, the database, and what the query calls the model: an alias of it, or itself."""
    sources = list(query._from_list)
    place = database.address or database.database
    if len(sources) == 1 and isinstance(sources[0], peewee.ModelAlias):
        return sources[0].model, database, sources[0]
    if len(sources) == 1 and isinstance(sources[0], type) and issubclass(sources[0], peewee.Model):
        return sources[0], database, sources[0]
    inner: Any = next((each for each in sources if isinstance(each, peewee.SelectBase)), query)
    model = getattr(getattr(query, "model", None) or getattr(inner, "model", None), "__name__", "a model")
    if any(isinstance(each, peewee.Join) for each in sources) or len(sources) > 1:
        raise UnsupportedQuery(
            f"a join in a query of {model} on {place}", "this store reads one table at a time", _ASK_EACH, construct="a join"
        )
    if any(isinstance(each, peewee.SelectBase) for each in sources):
        raise UnsupportedQuery(
            f"a subquery as the source of a query of {model} on {place}",
            "a query reads from a model here",
            "Write the conditions of both into one query, or run the inner one first",
            construct="a subquery",
        )
    return _model(sources[0] if sources else None, database), database, None


class Selects(Conditions):
    """Reads one SELECT."""

    def read(self, query: Any) -> Read:
        self._refuse_rest(query)
        columns = tuple(self._selected(node) for node in query._returning)
        group_by = tuple(self._group(node) for node in query._group_by or ())
        distinct = bool(query._simple_distinct) or query._distinct is not None
        plan = Read(
            model=self.model,
            where=self.where(query._where),
            columns=columns,
            group_by=group_by,
            distinct=distinct,
            order=self._ordering(query._order_by or ()),
            limit=self._whole(query._limit, "LIMIT"),
            offset=self._whole(query._offset, "OFFSET") or 0,
        )
        self._check(plan)
        return plan

    def _refuse_rest(self, query: Any) -> None:
        """Refuse what a plan has no place for."""
        in_python = "Read the rows, and do it in Python"
        refused = (
            (getattr(query, "_joins", None), "a join", "this store reads one table at a time", _ASK_EACH),
            (query._having is not None, "HAVING", "groups are not chosen here", "Put conditions into where(), or choose in Python"),
            (query._windows, "a window", "this store has no window functions", in_python),
            (query._for_update is not None, "FOR UPDATE", "no rows are locked here", "Say in update().where() what must still hold"),
            (query._lateral, "LATERAL", "this store reads one table at a time", _ASK_EACH),
            (query._cte_list, "a CTE", "a query reads from a model here", "Run it first, and give its values"),
            (query._distinct, "DISTINCT ON", "rows are distinct as a whole here", "Write distinct(), or choose among the rows in Python"),
        )
        for asked, construct, because, instead in refused:
            if asked:
                raise self.refused(construct, because, instead)

    def _selected(self, node: Any) -> Selected:
        operand = self._value_or_aggregate(node)
        return Selected(node.name if isinstance(node, peewee.Alias) else _name_of(operand), operand)

    def _value_or_aggregate(self, node: Any) -> Operand | Aggregate:
        inner = bare(node)
        if isinstance(inner, SQL) and not inner.params and inner.sql.strip().isdigit():
            return Literal(int(inner.sql))
        return self.aggregate_or_none(inner) or self.operand(inner)

    def _group(self, node: Any) -> Column:
        column = self.column_or_none(bare(node))
        if column is None:
            raise self.refused("GROUP BY with something else than a column", "groups are made by columns here", "Give fields to group_by()")
        return column

    def _ordering(self, nodes: Iterable[Any]) -> tuple[Order, ...]:
        """What is sorted by. Of what is named twice the first mention counts, as in SQL; in MongoDB's sort it would be the last."""
        found: list[Order] = []
        for order in map(self._order, nodes):
            if all(order.operand != other.operand for other in found):
                found.append(order)
        return tuple(found)

    def _order(self, node: Any) -> Order:
        descending = nulls_last = False
        if isinstance(node, peewee.Ordering):
            if node.collation:
                raise self.refused("COLLATE", "texts are sorted by code point here", "Sort in Python where it has to be another way")
            descending = nulls_last = str(node.direction).upper() == "DESC"
            if node.nulls:
                nulls_last = str(node.nulls).upper() == "LAST"
            node = node.node
        operand = self._value_or_aggregate(node)
        form = self.form(operand) if not isinstance(operand, Aggregate) else operand.form
        if form == "json":
            raise self.refused("ORDER BY with JSON", "JSON has no order", "Sort in Python")
        if isinstance(operand, Literal):
            raise self.refused("ORDER BY with a constant", "it is the same for all rows", "Give fields to order_by()")
        return Order(operand, descending, nulls_last)

    def _whole(self, value: Any, what: str) -> int | None:
        value = bare(value)
        if isinstance(value, peewee.Value):
            value = value.value
        if value is None:
            return None
        if isinstance(value, peewee.Node):
            raise self.refused(f"{what} with {type(value).__name__}", "it is a number here", f"Give a number to {what.lower()}()")
        if isinstance(value, bool) or not hasattr(value, "__index__") or value < 0 or value >= 2**63:
            raise UnfitValue(
                f"{what} {value!r} in a query of {self.model.__name__}",
                "it is a whole number, and not negative",
                "Give such a number, or None for no limit",
                field=None,
                value=value,
            )
        return int(value.__index__())

    def _check(self, plan: Read) -> None:
        """That what is selected and sorted by has one value for each row of the answer."""
        if plan.grouped:
            known = {column.name for column in plan.group_by}
            for operand in (*(each.operand for each in plan.columns), *(each.operand for each in plan.order)):
                if isinstance(operand, Aggregate):
                    continue
                loose = next((column.name for column in columns_of(operand) if column.name not in known), None)
                if loose is not None:
                    raise self.refused(
                        f"the column {loose} beside an aggregate",
                        "it is not among the columns of group_by(), and has no single value in a group",
                        "Group by it too, or ask for its fn.MIN() or fn.MAX()",
                    )
        elif any(isinstance(each.operand, Aggregate) for each in plan.order):
            raise self.refused("ORDER BY with an aggregate", "the rows are not grouped", "Add group_by()")
        if plan.distinct:
            shown = {each.operand for each in plan.columns if not isinstance(each.operand, Literal)}
            if any(each.operand not in shown for each in plan.order):
                raise self.refused("ORDER BY with what is not selected", "the rows are distinct", "Select it too, or sort in Python")


def _name_of(operand: Operand | Aggregate) -> str:
    if isinstance(operand, Column):
        return operand.name
    if isinstance(operand, Aggregate):
        inner = "*" if operand.operand is None else _name_of(operand.operand)
        return f"{operand.function}({'DISTINCT ' if operand.distinct else ''}{inner})"
    if isinstance(operand, Arithmetic):
        return f"{_name_of(operand.left)} {operand.op} {_name_of(operand.right)}"
    return str(operand.value)
