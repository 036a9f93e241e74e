"""The parts of peewee's query tree that stand for a value: columns, literals, arithmetic and aggregates, read into a plan's operands.

Map: `Terms` reads for one query, whose model and store it knows; `refused` words the error for whatever has no form in a plan, `REFUSED`
says of the constructs that SQL has what to write instead.
"""

from __future__ import annotations

from typing import Any

import peewee
from peewee import OP, Expression, Field, Function, NodeList

from activeassoc.errors import UnsupportedQuery
from activeassoc.kept import Kept
from activeassoc.stores.capabilities import store_of
from activeassoc.stores.forms import FORMS, form_of, formed_alone, former, key_of
from activeassoc.stores.plan import Aggregate, Arithmetic, Column, Literal, Operand

__all__ = ["AGGREGATES", "Terms", "bare"]

AGGREGATES = ("COUNT", "SUM", "MIN", "MAX", "AVG")
_ARITHMETIC = {OP.ADD, OP.SUB, OP.MUL, OP.DIV, OP.MOD}
#: From the narrower to the wider: the form of a result is the wider one of both.
_NUMBERS = ("integer", "float", "decimal")

_IN_PYTHON = "Read the rows, and compute it in Python"
_LIST = "Run the query first and give its values: field.in_([...])"

#: What a construct is called, why a plan has none, what to write instead.
REFUSED: tuple[tuple[type | tuple[type, ...], str, str, str], ...] = (
    (peewee.SelectBase, "a subquery", "a query stands within another only as field.in_(query)", _LIST),
    (peewee.JSONPath, "a path into JSON", "JSON is stored and compared as a whole here", "Store what is asked for in a field of its own"),
    (peewee.SQL, "SQL text", "this store takes none", "Write it with fields and their operators"),
    ((peewee.Case,), "CASE", "a plan has no such expression", "save() each record (bulk_update() writes CASE), or compute it in Python"),
    ((peewee.Cast,), "CAST", "values have the type of their field here", _IN_PYTHON),
    ((peewee.Window, peewee.WindowAlias), "a window", "this store has no window functions", _IN_PYTHON),
    (peewee.Star, "a star", "columns are named one by one", "Write select(Model)"),
    (peewee.Entity, "a bare name", "columns are known by their model", "Write Model.field"),
    (peewee.CompositeKey, "a composite key", "it is several columns and no value", "Compare its fields one by one, joined by & and |"),
)


class Terms:
    """Reads the values of one query on `model`. `source` is what its columns belong to: the model, or an alias of it."""

    def __init__(self, model: Any, database: Any, source: Any = None) -> None:
        self.model, self.database = model, database
        self.source = model if source is None else source
        self.store = store_of(database)
        #: Columns by the names of their fields, and what converts their values: dropped when a model changes.
        self._kept: Kept = model._meta.__dict__.get("_plan_terms") or model._meta.__dict__.setdefault("_plan_terms", Kept(model))

    # Operands

    def operand(self, node: Any, beside: Column | None = None) -> Operand:
        """A value: of a column, given, or computed. What is given is converted as a value of the column that it stands `beside`."""
        node = bare(node)
        column = self.column_or_none(node)
        if column is not None:
            return column
        if isinstance(node, Expression):
            return self.arithmetic(node, beside)
        if isinstance(node, peewee.Node) and not isinstance(node, (peewee.Value, peewee.Model)):
            raise self.refused_node(node)
        return self.literal(node, beside)

    def column_or_none(self, node: Any) -> Column | None:
        """The column that a node names; None for another kind of node. Raises where it is one of another model."""
        if isinstance(node, Field):
            owner: Any = node.source if isinstance(node, peewee.FieldAlias) else getattr(node, "model", None)
            if owner is self.source:
                return self.column(node.field if isinstance(node, peewee.FieldAlias) else node)
            name = f"{getattr(owner, '__name__', None) or owner.model.__name__}.{node.name}"
            raise self.refused(
                f"the column {name}",
                f"it belongs to another table than {self.model.__name__}, and there are no joins here",
                "Ask each model by a query of its own, or declare an association and populate it",
            )
        if isinstance(node, peewee.Column):
            known = self.model._meta.columns.get(node.name)
            if known is not None and node.source is self.model._meta.table:
                return self.column(known)
            raise self.refused(f"the column {node.name}", "it belongs to no field of the model", "Write Model.field")
        return None

    def column(self, field: Field) -> Column:
        found: Column = self._kept.of(field.name, lambda: Column(field.column_name, form_of(field), field))
        return found

    def literal(self, node: Any, beside: Column | None = None, writing: bool = False) -> Literal:
        """A value that was given: plain, as peewee's Value, or as the record that a foreign key refers to."""
        converted = False
        while isinstance(node, peewee.Value):
            if node.multi:
                raise self.refused("a list of values", "one value is expected here", "Write field.in_(list), or join comparisons by |")
            if callable(node.converter):
                node, converted = node.converter(node.value), True
            else:
                node, converted = node.value, converted or node.converter is False or isinstance(node.value, peewee.Value)
        if isinstance(node, peewee.Node) and not isinstance(node, peewee.Model):
            raise self.refused_node(node)
        if beside is None or beside.field is None:
            if isinstance(node, peewee.Model):
                node = key_of(node)
            return Literal(formed_alone(node))
        return Literal(self.former(beside, writing)(node, converted))

    def former(self, column: Column, writing: bool = False) -> Any:
        key = column.name, writing, self.store.microseconds
        return self._kept.of(key, lambda: former(column.field, self.store, writing))

    def arithmetic(self, node: Expression, beside: Column | None = None) -> Operand:
        op = node.op
        if op == OP.CONCAT:
            return self._joined_text(node)
        if op not in _ARITHMETIC:
            raise self.refused(
                f"the operator {op} as a value",
                "values are computed with + - * / and, for texts, || alone",
                "Use it as a condition of where()" if op in _CONDITIONS else _IN_PYTHON,
            )
        left, right = self._sides(node, beside)
        forms = [form for form in map(self.form, (left, right)) if form is not None]
        if not all(form in _NUMBERS for form in forms):
            names = " and ".join(sorted(set(forms)))
            raise self.refused(f"{op} with values of the form {names}", "arithmetic is done with numbers alone here", _IN_PYTHON)
        form = max(forms, key=_NUMBERS.index, default="integer")
        return Arithmetic(str(op), left, right, form)

    def _joined_text(self, node: Expression) -> Operand:
        left, right = self._sides(node, None)
        if not all(self.form(each) in ("text", None) for each in (left, right)):
            raise self.refused("|| with other values than texts", "it joins two texts", _IN_PYTHON)
        return Arithmetic("||", left, right, "text")

    def _sides(self, node: Any, beside: Column | None) -> tuple[Operand, Operand]:
        """Both sides of an operator. A given value is read as one of the column on the other side, as peewee does."""
        lhs, rhs = bare(node.lhs), bare(node.rhs)
        left = self.column_or_none(lhs)
        right = self.column_or_none(rhs)
        return (
            left or self.operand(lhs, right or beside),
            right or self.operand(rhs, left or beside),
        )

    def form(self, operand: Operand) -> str | None:
        """The form of an operand's values, None for NULL."""
        if isinstance(operand, Literal):
            value = operand.value
            return None if value is None else _FORM_OF_TYPE.get(type(value), "any")
        return operand.form

    # Aggregates

    def aggregate_or_none(self, node: Any) -> Aggregate | None:
        """The aggregate that a node is; None for another kind of node. Raises for every other function."""
        if not isinstance(node, Function):
            return None
        return self._aggregate(node)

    def _aggregate(self, node: Any) -> Aggregate:
        name = str(node.name).upper()
        if name not in AGGREGATES:
            because = "a query stands within another only as field.in_(query)" if name == "EXISTS" else "this store has no functions"
            instead = _LIST if name == "EXISTS" else f"Only {', '.join(AGGREGATES)} are known here; read the rows and compute it in Python"
            raise self.refused(f"the function {node.name}()", because, instead)
        if node._filter is not None or node._order_by:
            what = "FILTER" if node._filter is not None else "ORDER BY"
            raise self.refused(f"{what} within {name}()", "an aggregate is of all rows of its group", "Put the condition into where()")
        if len(node.arguments) > 1:
            raise self.refused(f"{name}() of several values", "it takes one", "Ask for each by itself")
        return self._aggregate_of(name, node.arguments[0] if node.arguments else None)

    def _aggregate_of(self, name: str, argument: Any) -> Aggregate:
        distinct, inner = _without_distinct(argument)
        if name == "COUNT" and not distinct and _is_any_row(inner):
            return Aggregate("COUNT", None, False, "integer")
        operand = self.operand(inner)
        form = self.form(operand)
        if isinstance(operand, Literal):
            raise self.refused(f"{name}() of a constant", "an aggregate is of a column", "Name the column")
        if name == "COUNT":
            return Aggregate("COUNT", operand, distinct, "integer")
        if name in ("SUM", "AVG") and form not in _NUMBERS:
            raise self.refused(f"{name}() of values of the form {form}", "it is of numbers alone", "Name a column of numbers")
        if form == "json":
            raise self.refused(f"{name}() of JSON", "JSON has no order", _IN_PYTHON)
        if name == "AVG":
            form = "decimal" if form == "decimal" else "float"
        return Aggregate(name, operand, distinct and name not in ("MIN", "MAX"), str(form))

    # Errors

    def refused_node(self, node: Any) -> UnsupportedQuery:
        if isinstance(node, NodeList):
            words = [each.sql.split()[0].upper() for each in node.nodes if isinstance(each, peewee.SQL) and each.sql]
            if "OVER" in words:
                return self.refused("a window function", "this store has no window functions", _IN_PYTHON)
            if "COLLATE" in words:
                return self.refused("COLLATE", "texts compare by code point here", "Use ** or contains(), which ignore case")
            return self.refused("a list of SQL nodes", "a plan has no form for it", "Write it with fields and their operators")
        if isinstance(node, Function):
            self.aggregate_or_none(node)
            return self.refused(
                f"the aggregate {node.name}()", "it stands in select() and order_by() alone", "Select it, and compare in Python"
            )
        for kinds, construct, because, instead in REFUSED:
            if isinstance(node, kinds):
                return self.refused(construct, because, instead)
        return self.refused(f"a {type(node).__name__}", "a plan has no form for it", "Write it with fields and their operators")

    def refused(self, construct: str, because: str, instead: str) -> UnsupportedQuery:
        place = self.database.address or self.database.database
        asked = f"{construct} in a query of {self.model.__name__} on {place}"
        return UnsupportedQuery(asked, because, instead, construct=construct, model=self.model)


_CONDITIONS = {OP.AND, OP.OR, OP.EQ, OP.NE, OP.LT, OP.LTE, OP.GT, OP.GTE, OP.IN, OP.NOT_IN, OP.IS, OP.IS_NOT, OP.LIKE, OP.ILIKE}
_FORM_OF_TYPE: dict[type, str] = {kind: form for form, (kind, _) in reversed(FORMS.items()) if kind is not object}


def bare(node: Any) -> Any:
    """The node without what only names it, or says how it is written."""
    while isinstance(node, (peewee.Alias, peewee.QualifiedNames)):
        node = node.node
    return node


def _without_distinct(argument: Any) -> tuple[bool, Any]:
    """Whether an aggregate's argument is DISTINCT, and of what: ``field.distinct()`` or ``fn.DISTINCT(field)``."""
    function: Any = argument
    if isinstance(argument, NodeList) and len(argument.nodes) == 2:
        word, inner = argument.nodes
        if isinstance(word, peewee.SQL) and word.sql == "DISTINCT":
            return True, inner
    if isinstance(argument, Function) and str(function.name).upper() == "DISTINCT" and len(function.arguments) == 1:
        return True, function.arguments[0]
    return False, argument


def _is_any_row(node: Any) -> bool:
    """COUNT of it is the number of rows: ``*``, a number, or nothing."""
    if node is None or isinstance(node, peewee.Star) or (isinstance(node, int) and not isinstance(node, bool)):
        return True
    text = node.sql if isinstance(node, peewee.SQL) and not node.params else node
    return isinstance(text, str) and (text == "*" or text.isdigit())
