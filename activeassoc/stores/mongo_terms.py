"""A plan's values and conditions in MongoDB's words.

Map: `path` names a column within a document; `encoded` and `decoder` are the values on the way there and back; `filter_of` writes a
condition as a filter, `expression` an operand as an aggregation expression.

A NULL is a field that is not there. Filters also take a null for one, which other programs may have written.
"""

from __future__ import annotations

import datetime
import decimal
from collections.abc import Callable
from typing import Any

from bson import Decimal128, Int64, ObjectId

from activeassoc.stores.plan import (
    Aggregate,
    All,
    Arithmetic,
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
    columns_of,
    like_regex,
)

__all__ = ["decoder", "encoded", "expression", "filter_of", "is_there", "path"]


def path(column: Column) -> str:
    """Under which name a document holds the column: the primary key is `_id`."""
    return "_id" if column.field is not None and column.field.primary_key else column.name


# Values


def encoded(value: Any, form: str) -> Any:
    """A value as the driver takes it."""
    if value is None:
        return None
    encode = _ENCODE.get(form)
    return value if encode is None else encode(value)


def _encode_by_type(value: Any) -> Any:
    if isinstance(value, decimal.Decimal):
        return Decimal128(value)
    if isinstance(value, datetime.date) and not isinstance(value, datetime.datetime):
        return _from_date(value)
    return value.isoformat(timespec="microseconds") if isinstance(value, datetime.time) else value


def _from_date(value: datetime.date) -> datetime.datetime:
    return datetime.datetime(value.year, value.month, value.day)


_ENCODE: dict[str, Callable[[Any], Any]] = {
    "decimal": lambda value: Decimal128(value) if isinstance(value, decimal.Decimal) else value,
    "date": lambda value: _from_date(value) if type(value) is datetime.date else value,
    "time": lambda value: value.isoformat(timespec="microseconds"),  # of one length, so that they sort as times
    "object_id": ObjectId,
    "any": _encode_by_type,
}


def decoder(form: str) -> Callable[[Any], Any] | None:
    """A function from what the driver gives to a value, None where both are the same."""
    return _DECODE.get(form)


def _to_integer(value: Any) -> Any:
    return int(value) if type(value) is Int64 else value


def _to_decimal(value: Any) -> Any:
    return value.to_decimal() if isinstance(value, Decimal128) else value


def _to_date(value: Any) -> Any:
    return value.date() if isinstance(value, datetime.datetime) else value


def _to_time(value: Any) -> Any:
    return datetime.time.fromisoformat(value) if isinstance(value, str) else value


def _to_plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _to_plain(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_to_plain(each) for each in value]
    return _to_decimal(_to_integer(value))


_DECODE: dict[str, Callable[[Any], Any]] = {
    "integer": _to_integer,
    "decimal": _to_decimal,
    "date": _to_date,
    "time": _to_time,
    "bytes": lambda value: bytes(value) if isinstance(value, bytes) else value,
    "object_id": lambda value: str(value) if isinstance(value, ObjectId) else value,
    "json": _to_plain,
    "any": _to_plain,
}

# Conditions


def filter_of(condition: Condition) -> dict[str, Any]:
    """The condition as a filter."""
    return _FILTERS[type(condition)](condition)


def _joined(word: str, parts: tuple[Condition, ...]) -> dict[str, Any]:
    return {word: [filter_of(part) for part in parts]}


def _constant(condition: Constant) -> dict[str, Any]:
    return {} if condition.holds else {"_id": {"$in": []}}


def _compare(condition: Compare) -> dict[str, Any]:
    left, right, op = condition.left, condition.right, condition.op
    if isinstance(left, Column) and isinstance(right, Literal) and not _in_parts(left, (right.value,)):
        value = encoded(right.value, left.form)
        return {path(left): {"$nin": [value, None]} if op == "!=" else {_COMPARE[op]: value}}
    form = left.form if isinstance(left, Column) else None
    compared = {_COMPARE[op]: [expression(left), expression(right, form)]}
    return _where_there(compared, left, right)


def _one_of(condition: OneOf) -> dict[str, Any]:
    operand = condition.operand
    if isinstance(operand, Column) and not _in_parts(operand, condition.values):
        values = [encoded(value, operand.form) for value in condition.values]
        return {path(operand): {"$nin": [*values, None]} if condition.negated else {"$in": values}}
    form = operand.form if isinstance(operand, Column) else "any"
    found: Any = {"$in": [expression(operand), {"$literal": [encoded(value, form) for value in condition.values]}]}
    return _where_there({"$not": [found]} if condition.negated else found, operand)


def _holds(condition: Holds) -> dict[str, Any]:
    # A filter looks into arrays by itself; the type keeps out what is no array.
    there = {"$type": "array"}
    return {path(condition.operand): {**there, "$nin" if condition.negated else "$in": list(condition.values)}}


def _in_parts(column: Column, values: tuple[Any, ...]) -> bool:
    """Whether a filter would look into the value: ``{"tags": 1}`` also finds the list [1, 2]. An expression does not."""
    return column.form == "json" or (column.form == "any" and any(isinstance(value, (list, dict)) for value in values))


def _is_null(condition: IsNull) -> dict[str, Any]:
    operand = condition.operand
    if isinstance(operand, Column) and operand.form not in ("json", "any"):
        return {path(operand): {"$ne": None} if condition.negated else {"$eq": None}}
    there = is_there(operand)
    return {"$expr": there if condition.negated else {"$not": [there]}}


def _like(condition: Like) -> dict[str, Any]:
    pieces = condition.pattern
    if not condition.ignore_case and all(isinstance(piece, str) for piece in pieces):
        return _compare(Compare("!=" if condition.negated else "=", condition.operand, Literal("".join(map(str, pieces)))))
    regex = like_regex(pieces)
    if len(regex) > _LONG and not condition.ignore_case and pieces[-1] is Wild.ANY and len(pieces) <= 3:
        sought = pieces[-2]
        if isinstance(sought, str) and pieces in ((sought, Wild.ANY), (Wild.ANY, sought, Wild.ANY)):
            place: Any = {"$indexOfBytes": [expression(condition.operand), {"$literal": sought}]}
            found: Any = {"$eq" if len(pieces) == 2 else "$gte": [place, 0]}
            return _where_there({"$not": [found]} if condition.negated else found, condition.operand)
    return _matched(condition.operand, regex, condition.ignore_case, condition.negated)


#: From this length on a text is sought as it is, as regular expressions have a limit.
_LONG = 1_000


def _regexp(condition: Regexp) -> dict[str, Any]:
    return _matched(condition.operand, condition.pattern.replace("\0", r"\x00"), condition.ignore_case, condition.negated)


def _matched(operand: Operand, regex: str, ignore_case: bool, negated: bool) -> dict[str, Any]:
    if isinstance(operand, Column):
        found: dict[str, Any] = {"$regex": regex}
        if ignore_case:
            found["$options"] = "i"
        return {path(operand): {"$not": found, "$ne": None} if negated else found}
    matched: Any = {"$regexMatch": {"input": expression(operand), "regex": regex, "options": "i" if ignore_case else ""}}
    return _where_there({"$not": [matched]} if negated else matched, operand)


def _where_there(wanted: Any, *operands: Operand) -> dict[str, Any]:
    """A filter for the documents that have what the operands name, and for which the expression is true."""
    columns = {column.name: column for operand in operands for column in columns_of(operand)}
    return {"$expr": {"$and": [*(is_there(column) for column in columns.values()), wanted]}}


def is_there(operand: Operand) -> dict[str, Any]:
    """True where the operand is not NULL: what is not there, and null, come before every value."""
    return {"$gt": [expression(operand), None]}


_FILTERS: dict[type, Callable[[Any], dict[str, Any]]] = {
    All: lambda condition: _joined("$and", condition.parts),
    Either: lambda condition: _joined("$or", condition.parts),
    Constant: _constant,
    Compare: _compare,
    OneOf: _one_of,
    Holds: _holds,
    IsNull: _is_null,
    Like: _like,
    Regexp: _regexp,
}
_COMPARE = {"=": "$eq", "!=": "$ne", "<": "$lt", "<=": "$lte", ">": "$gt", ">=": "$gte"}

# Expressions


def expression(operand: Operand | Aggregate, form: str | None = None) -> Any:
    """The operand as an aggregation expression; `form` is that of the column which a literal is compared with or written to."""
    if isinstance(operand, Column):
        return "$" + path(operand)
    if isinstance(operand, Literal):
        return {"$literal": encoded(operand.value, form or "any")}
    assert isinstance(operand, Arithmetic)
    left, right = expression(operand.left), expression(operand.right)
    if operand.op == "/" and operand.form == "integer":
        # In decimals: a double would lose the last digits of a large number.
        return {"$toLong": {"$trunc": {"$divide": [{"$toDecimal": left}, right]}}}
    computed = {_COMPUTE[operand.op]: [left, right]}
    # What does not fit into 64 bits becomes a double, and is refused here.
    return {"$toLong": computed} if operand.form == "integer" else computed


_COMPUTE = {"+": "$add", "-": "$subtract", "*": "$multiply", "/": "$divide", "%": "$mod", "||": "$concat"}
