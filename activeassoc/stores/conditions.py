"""The conditions of a where(), read from peewee's query tree into a plan, with every NOT pushed to the leaves.

SQL's logic has three values, and a row is found where a condition is true. What NOT makes of a condition that is NULL is NULL again, so
that ``~(a == 1)`` does not find the rows whose `a` is NULL. A plan has two values: a leaf and its negation are both false on NULL, AND
and OR change places under NOT, and that is the same.

Map: `Conditions.condition` reads; one method for each kind of comparison below it; what stands in ``IN (SELECT …)`` is run
by `subqueries`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import peewee
from peewee import OP, SQL, Expression, NodeList

from activeassoc.stores.arrays import HOLDS
from activeassoc.stores.plan import (
    ALWAYS,
    NEVER,
    All,
    Column,
    Compare,
    Condition,
    Constant,
    Either,
    Holds,
    IsNull,
    Like,
    Literal,
    OneOf,
    Operand,
    Regexp,
    Wild,
)
from activeassoc.stores.subqueries import values_of
from activeassoc.stores.terms import Terms, bare

__all__ = ["Conditions", "either", "every"]

_NEGATED = {"=": "!=", "!=": "=", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}
_TURNED = {"=": "=", "!=": "!=", "<": ">", ">": "<", "<=": ">=", ">=": "<="}


class Conditions(Terms):
    """Reads the conditions of one query."""

    def where(self, node: Any) -> Condition:
        return ALWAYS if node is None else self.condition(node)

    def condition(self, node: Any, negated: bool = False) -> Condition:
        """The condition, or with `negated` its NOT."""
        node = bare(node)
        while isinstance(node, peewee.Negated):
            node, negated = bare(node.node), not negated
        if isinstance(node, Expression):
            return self._expression(node, negated)
        if isinstance(node, bool):
            return Constant(node is not negated)
        if isinstance(node, peewee.Value) and isinstance(node.value, bool):
            return Constant(node.value is not negated)
        column = self.column_or_none(node)
        if column is not None:
            if column.form != "bool":
                raise self.refused(
                    f"the column {column.name} as a condition", "it is neither true nor false", "Compare it with a value: field != 0"
                )
            return Compare("=", column, Literal(not negated))
        if isinstance(node, peewee.Node):
            raise self.refused_node(node)
        raise self.refused(f"{node!r} as a condition", "it is neither true nor false", "Compare a field with it")

    def _expression(self, node: Any, negated: bool) -> Condition:
        op = node.op
        if op in (OP.AND, OP.OR):
            parts = [self.condition(each, negated) for each in _chained(node, op)]
            return every(parts) if (op == OP.AND) is not negated else either(parts)
        if op in _NEGATED:
            return self._compare(node, negated)
        read = _READ.get(op)
        if read is None:
            if op in (OP.ADD, OP.SUB, OP.MUL, OP.DIV, OP.MOD, OP.CONCAT):
                raise self.refused(f"a value computed with {op} as a condition", "it is neither true nor false", "Compare it with a value")
            raise self.refused(f"the operator {op}", "this store has no such operator", "Read the rows, and compare in Python")
        return read(self, node, negated)

    # Comparisons

    def _compare(self, node: Any, negated: bool) -> Condition:
        op = _NEGATED[node.op] if negated else node.op
        left, right = self._sides(node, None)
        return self._compared(op, left, right)

    def _compared(self, op: str, left: Operand, right: Operand) -> Condition:
        if (isinstance(left, Literal) and left.value is None) or (isinstance(right, Literal) and right.value is None):
            return NEVER  # NULL is neither equal nor unequal to anything
        if isinstance(left, Literal) and isinstance(right, Literal):
            return Constant(_holds(op, left.value, right.value))
        if isinstance(left, Literal):
            left, right, op = right, left, _TURNED[op]
        for each in (left, right):
            if self.form(each) == "json" and op not in ("=", "!="):
                raise self.refused(f"{op} with JSON", "JSON has no order", "Compare by == and !=")
        if isinstance(left, Column) and isinstance(right, Column) and not _comparable(left.form, right.form):
            raise self.refused(
                f"a comparison of {left.name} with {right.name}",
                f"one is of the form {left.form} and the other {right.form}",
                "Compare columns of one type",
            )
        return Compare(op, left, right)

    def _between(self, node: Any, negated: bool) -> Condition:
        rhs = node.rhs
        if not (isinstance(rhs, NodeList) and len(rhs.nodes) == 3):
            raise self.refused_node(rhs)
        low, _, high = rhs.nodes
        left = self.operand(node.lhs)
        beside = left if isinstance(left, Column) else None
        low, high = self.operand(low, beside), self.operand(high, beside)
        if negated:
            return either([self._compared("<", left, low), self._compared(">", left, high)])
        return every([self._compared(">=", left, low), self._compared("<=", left, high)])

    def _is(self, node: Any, negated: bool) -> Condition:
        value = bare(node.rhs)
        if isinstance(value, peewee.Value) and value.value is None:
            value = None
        if isinstance(value, SQL) and value.sql.strip().upper() == "NULL":
            value = None
        if value is not None:
            raise self.refused("IS with a value", "IS asks for NULL here", "Write field == value")
        operand = self.operand(node.lhs)
        wanted = (node.op == OP.IS) is not negated
        if isinstance(operand, Literal):
            return Constant((operand.value is None) is wanted)
        return IsNull(operand, negated=not wanted)

    def _in(self, node: Any, negated: bool) -> Condition:
        out = (node.op == OP.NOT_IN) is not negated
        lhs = bare(node.lhs)
        operand = self.operand(lhs)
        beside = operand if isinstance(operand, Column) else None
        values = self._listed(node.rhs, beside)
        null = any(value is None for value in values)
        known = _each_once(value for value in values if value is not None)
        if not values:
            return Constant(out)  # peewee writes 1 = 1 for NOT IN (), which holds for NULL too
        if isinstance(operand, Literal):
            found = operand.value is not None and operand.value in known
            return Constant(operand.value is not None and not null and not found if out else found)
        if (out and null) or not known:
            return NEVER  # nothing is known to differ from NULL
        if len(known) == 1:
            return Compare("!=" if out else "=", operand, Literal(known[0]))
        return OneOf(operand, known, out)

    def _holds(self, node: Any, negated: bool) -> Condition:
        return Holds(self.column(bare(node.lhs)), tuple(node.rhs.value), negated)

    def _listed(self, rhs: Any, beside: Column | None) -> list[Any]:
        """The values on the right of IN, in their form; NULLs among them are None."""
        if isinstance(rhs, peewee.SelectBase):
            return [self.literal(value, beside).value for value in self._answers(rhs)]
        converted = False
        if isinstance(rhs, peewee.Value) and rhs.multi:
            converted = rhs.converter is False
            rhs = rhs.value if converted and isinstance(rhs.value, (list, tuple)) else rhs.values
        if isinstance(rhs, peewee.Node) and not isinstance(rhs, peewee.Model):
            raise self.refused_node(rhs)
        if isinstance(rhs, (str, bytes)) or not isinstance(rhs, Iterable):
            raise self.refused(f"IN with {rhs!r}", "a list is expected here", "Write field.in_([...])")
        if beside is None:
            return [self.literal(value).value for value in rhs]
        formed = self.former(beside)
        return [self.literal(value, beside).value if isinstance(value, peewee.Node) else formed(value, converted) for value in rhs]

    # Texts

    def _like(self, node: Any, negated: bool) -> Condition:
        operand = self._text(node, "LIKE")
        text, escape = self._pattern(node.rhs)
        if text is None:
            return NEVER
        return Like(operand, _pieces(text, escape), node.op == OP.ILIKE, negated)

    def _regexp(self, node: Any, negated: bool) -> Condition:
        operand = self._text(node, "REGEXP")
        text, _ = self._pattern(node.rhs)
        return NEVER if text is None else Regexp(operand, text, node.op == OP.IREGEXP, negated)

    def _text(self, node: Any, what: str) -> Operand:
        operand = self.operand(node.lhs)
        form = self.form(operand)
        if form not in ("text", "any") or isinstance(operand, Literal):
            raise self.refused(f"{what} with values of the form {form}", "patterns are of texts", "Compare with a value, or a range")
        return operand

    def _pattern(self, rhs: Any) -> tuple[str | None, str | None]:
        """A pattern and its escape character, as peewee's contains() and like() give them."""
        escape = None
        if isinstance(rhs, NodeList) and len(rhs.nodes) == 3:
            rhs, word, mark = rhs.nodes
            if not (isinstance(word, SQL) and word.sql == "ESCAPE" and isinstance(mark, peewee.Value)):
                raise self.refused_node(NodeList((rhs, word, mark)))
            escape = mark.value
        if isinstance(rhs, peewee.Value):
            rhs = rhs.value
        if rhs is None or isinstance(rhs, str):
            return rhs, escape
        raise self.refused("a pattern that is no text", "a pattern is given, and not computed of columns", "Give a text")

    # Subqueries

    def _answers(self, query: Any) -> list[Any]:
        """The values that a query in IN finds, by its own database, which may be another one."""
        return values_of(query, self.database, self.refused)


_READ = {
    HOLDS: Conditions._holds,
    OP.IN: Conditions._in,
    OP.NOT_IN: Conditions._in,
    OP.IS: Conditions._is,
    OP.IS_NOT: Conditions._is,
    OP.BETWEEN: Conditions._between,
    OP.LIKE: Conditions._like,
    OP.ILIKE: Conditions._like,
    OP.REGEXP: Conditions._regexp,
    OP.IREGEXP: Conditions._regexp,
}


def every(parts: Iterable[Condition]) -> Condition:
    """All of them, as plainly as it can be said."""
    return _joined(parts, All, NEVER, ALWAYS)


def either(parts: Iterable[Condition]) -> Condition:
    """At least one of them, as plainly as it can be said."""
    return _joined(parts, Either, ALWAYS, NEVER)


def _joined(parts: Iterable[Condition], join: Any, decides: Constant, changes_nothing: Constant) -> Condition:
    flat: list[Condition] = []
    for part in parts:
        if part == decides:
            return decides
        if part != changes_nothing:
            flat.extend(part.parts if isinstance(part, join) else [part])
    if not flat:
        return changes_nothing
    return flat[0] if len(flat) == 1 else join(tuple(flat))


def _chained(node: Any, op: str) -> Iterator[Any]:
    """The parts of ``a & b & c``, left to right: a chain of thousands is no deep recursion."""
    pending = [node]
    while pending:
        each = pending.pop()
        if isinstance(each, Expression) and each.op == op:
            pending.extend((each.rhs, each.lhs))
        else:
            yield each


def _each_once(values: Iterable[Any]) -> tuple[Any, ...]:
    found = list(values)
    try:
        return tuple(dict.fromkeys(found))
    except TypeError:  # lists and dicts of JSON
        once: list[Any] = []
        for value in found:
            if value not in once:
                once.append(value)
        return tuple(once)


def _holds(op: str, left: Any, right: Any) -> bool:
    try:
        return bool(_COMPARED[op](left, right))
    except TypeError:
        return op == "!="


_COMPARED = {
    "=": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}


def _comparable(one: str, other: str) -> bool:
    numbers = {"integer", "float", "decimal"}
    return one == other or "any" in (one, other) or (one in numbers and other in numbers)


def _pieces(text: str, escape: str | None) -> tuple[str | Wild, ...]:
    """``"a%"`` → ``("a", Wild.ANY)``."""
    found: list[str | Wild] = []
    literal, position = "", 0
    while position < len(text):
        mark = text[position]
        if mark == escape and position + 1 < len(text):
            position += 1
            literal += text[position]
        elif mark in "%_":
            if literal:
                found.append(literal)
            literal = ""
            wild = Wild.ANY if mark == "%" else Wild.ONE
            if not (wild is Wild.ANY and found and found[-1] is Wild.ANY):
                found.append(wild)
        else:
            literal += mark
        position += 1
    if literal:
        found.append(literal)
    return tuple(found)
