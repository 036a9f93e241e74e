"""Criteria: ``{"age": {">": 18}, "name": ["Ann", "Bob"]}`` → a peewee expression that means the same on every store.

Map: the table `OPERATORS` (with their other words) says what can be written; `parse` and `ordering` are the entrances; `Criteria`
walks a mapping and says what is wrong with it. What each kind of field takes stands in `values`.
"""

from __future__ import annotations

import reprlib
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, NamedTuple

import peewee
from peewee import OP, Expression, Field, Node

from activeassoc.errors import CriteriaError, listed, nearest
from activeassoc.registry import is_record_of
from activeassoc.stores.comparing import comparing_of
from activeassoc.stores.sql import base_field
from activeassoc.values import EQUALITY, Refused, kind_of, read_text

__all__ = ["COMBINING", "DEEPEST", "OPERATORS", "ordering", "parse"]

Model = type[peewee.Model]

#: Every operator, and what it is called in words.
OPERATORS: dict[str, tuple[str, ...]] = {
    "=": ("==", "equals"),
    "!=": ("not", "!", "notEqual", "not_equal"),
    "<": ("lessThan", "less_than"),
    "<=": ("lessThanOrEqual", "less_than_or_equal"),
    ">": ("greaterThan", "greater_than"),
    ">=": ("greaterThanOrEqual", "greater_than_or_equal"),
    "in": (),
    "nin": ("notIn", "not_in"),
    "like": (),
    "contains": (),
    "startsWith": ("starts_with", "startswith"),
    "endsWith": ("ends_with", "endswith"),
}
COMBINING = ("and", "or", "not")
#: How deep `and`, `or` and `not` may nest. SQLite's parser overflows at 35 to 40; a larger query around them needs room too.
DEEPEST = 25

_WORDS = {word: operator for operator, words in OPERATORS.items() for word in (operator, *words)}
_ORDER = {"<": OP.LT, "<=": OP.LTE, ">": OP.GT, ">=": OP.GTE}
#: An operator on texts, as the pieces that have anything between them.
_PIECES: dict[str, Callable[[str], list[str]]] = {
    "like": lambda text: text.split("%"),
    "contains": lambda text: ["", text, ""],
    "startsWith": lambda text: [text, ""],
    "endsWith": lambda text: ["", text],
}


def parse(model: Model, criteria: Mapping[str, Any], *, asked: str | None = None) -> Expression:
    """The condition that `criteria` mean for rows of `model`, as a peewee expression: ``query.where(parse(Task, {...}))``.

    Keys are fields, keys of references (``project_id``) or columns, all of which must hold, and ``and``, ``or`` (lists of
    criteria) and ``not`` (criteria). Values: a scalar, None, a list (one of these), or a mapping of operators, all of which
    must hold. ``{}`` gives a condition that always holds and not None, as ``None & expression`` is NULL, which never does.

    Texts compare by code points, unless the field declares a collation. ``!=``, ``nin`` and ``not`` include NULLs.

    Sends nothing to the database. Raises CriteriaError, whose text begins with `asked`.
    """
    return Criteria(model, asked or f"criteria of {model.__name__}").all_of(criteria).node  # type: ignore[no-any-return]


def ordering(field: Field, descending: bool = False) -> list[Any]:
    """The terms of ORDER BY by which NULLs are smaller than every value on every store.

    Where the store sorts so by itself, and for fields that cannot be NULL, it is the bare column, so that indexes are used.
    """
    return comparing_of(field.model._meta.database).order(field, descending)


class Criteria:
    """The criteria of one call: how each part of a mapping becomes a condition."""

    def __init__(self, model: Model, asked: str) -> None:
        self.model, self.asked = model, asked
        self.comparing = comparing_of(model._meta.database)

    # Mappings

    def all_of(self, criteria: Any, depth: int = 0, negated: bool = False) -> Part:
        """Every entry of a mapping; `negated` where a `not` is around it, so that no part may be NULL."""
        if not isinstance(criteria, Mapping):
            if isinstance(criteria, Node):
                raise self.error(
                    "criteria are a mapping, and a peewee expression is none", "Join the two by &: parse(model, {...}) & expression"
                )
            raise self.error(
                f"criteria are a mapping of attributes to values, and {_shown(criteria)} is none", f"Write {self._example}", value=criteria
            )
        if depth > DEEPEST:
            raise self.error(
                f"and, or and not nest deeper than {DEEPEST} levels", "Write flatter criteria; a list may be as long as you like"
            )
        parts = []
        for name, wanted in criteria.items():
            if isinstance(name, str) and name in COMBINING:  # a field as a name would be equal to anything
                parts.append(self.combined(name, wanted, depth + 1, negated))
            else:
                parts.extend(Part(0, each) for each in self.conditions(name, wanted, negated))
        return _joined(OP.AND, parts) if parts else Part(0, self.constant(True))

    def combined(self, word: str, wanted: Any, depth: int, negated: bool) -> Part:
        if word == "not":
            inner = self.all_of(wanted, depth, negated=True)
            return Part(inner.depth + 1, ~inner.node)
        if isinstance(wanted, (str, bytes, Mapping, Node)) or not isinstance(wanted, Sequence):
            raise self.error(
                f"{word!r} joins a list of criteria, and {_shown(wanted)} is no list",
                f'Write {{"{word}": [{self._example}, ...]}}',
                operator=word,
                value=wanted,
            )
        parts = [self.all_of(part, depth, negated) for part in wanted]
        if not parts:
            return Part(0, self.constant(word == "and"))
        return _joined(OP.AND if word == "and" else OP.OR, parts)

    def constant(self, holds: bool) -> Any:
        # An empty list, and no SQL text such as 1 = 1: stores that are no SQL read it too.
        return Expression(self.model._meta.sorted_fields[0], OP.NOT_IN if holds else OP.IN, ())

    # Attributes

    def conditions(self, name: Any, wanted: Any, negated: bool) -> list[Any]:
        """What one entry of a mapping says."""
        field = self.field(name)
        if isinstance(wanted, Mapping):
            if not wanted:
                raise self.about(field, name, None, f"{name!r} is given no operator", wanted)
            return [self.condition(field, name, word, value, negated) for word, value in wanted.items()]
        if isinstance(wanted, Node) and not isinstance(wanted, peewee.Model):
            raise self.about(
                field,
                name,
                "=",
                f"{name!r} is compared with {_kind_of_node(wanted)}",
                wanted,
                "Give a value, or join an expression to the criteria by &",
            )
        return [self.condition(field, name, "in" if _is_list(wanted) else "=", wanted, negated)]

    def field(self, name: Any) -> Field:
        """The field that `name` means: a field's, a key's, or a column's name."""
        meta = self.model._meta
        field = meta.combined.get(name) if isinstance(name, str) else None
        if field is None and isinstance(name, str):
            field = next((each for each in meta.refs if each.object_id_name == name), None)
        if field is not None:
            return field  # type: ignore[no-any-return]
        known = sorted({*meta.combined, *(each.object_id_name for each in meta.refs)})
        if isinstance(name, str) and name in getattr(self.model, "associations", {}):
            because = f"{name!r} is an association of {self.model.__name__} and no column of it"
            raise self.error(
                because, f"Put criteria on the other model, or compare one of {listed(known, 20)}", attribute=name, known=known
            )
        if not isinstance(name, str):
            raise self.error(f"{_shown(name)} is no name of an attribute", f"Known are {listed(known, 20)}", attribute=name, known=known)
        because = f"{self.model.__name__} has no attribute {_shown(name)}"
        raise self.error(because, _offered(name, [*known, *COMBINING]), attribute=name, known=known)

    def condition(self, field: Field, name: str, word: Any, value: Any, negated: bool) -> Any:
        """One operator on one field."""
        operator = _WORDS.get(word) if isinstance(word, str) else None
        kind = kind_of(field)
        if operator is None:
            because = f"{name!r} knows no operator {_shown(word)}"
            raise self.about(field, name, word, because, value, _offered(str(word), kind.operators) if isinstance(word, str) else None)
        if operator not in kind.operators:
            raise self.about(field, name, word, f"{word!r} cannot be asked of {name!r}, which holds {kind.what}", value)
        if operator in EQUALITY:
            return self.equality(field, name, operator, word, value, negated)
        if value is None:
            raise self.about(
                field, name, word, f"{word!r} None has no meaning for {name!r}: NULL is neither before, after nor like anything", value
            )
        if operator in _ORDER:
            found = self.comparing.ordered(field, _ORDER[operator], self.value(field, name, word, value))
        else:
            found = self.like(field, name, operator, word, value)
        return _never_null(found, field) if negated else found

    def equality(self, field: Field, name: str, operator: str, word: str, value: Any, negated: bool) -> Any:
        """``=``, ``!=``, ``in`` and ``nin``: one of these values, or none of them."""
        if _is_list(value):
            wanted = list(value)
        elif operator in ("in", "nin"):
            raise self.about(field, name, word, f"{word!r} takes a list, and {_shown(value)} is none", value)
        else:
            wanted = [value]
        null = any(each is None for each in wanted)
        values = [self.value(field, name, word, each) for each in wanted if each is not None]
        kind = base_field(field)
        if isinstance(kind, peewee.FixedCharField):
            # peewee cuts a longer value to the width of the column, and would find another one.
            values = [each for each in values if not isinstance(each, str) or len(each) <= kind.max_length]
        among = self.comparing.one_of(field, values) if values else self.constant(False)
        if operator in ("=", "in"):
            if null:
                return among | field.is_null() if values else field.is_null()
            return _never_null(among, field) if negated and values else among
        if null:
            return ~among & field.is_null(False) if values else field.is_null(False)
        return ~among | field.is_null() if values else self.constant(True)

    def like(self, field: Field, name: str, operator: str, word: str, value: Any) -> Any:
        if not isinstance(value, str):
            raise self.about(field, name, word, f"{word!r} takes a text, and {_shown(value)} is none", value)
        pieces = _PIECES[operator](self.value(field, name, word, value, read_text))
        longest = self.comparing.longest_pattern
        if longest is not None and len(self.comparing.pattern(pieces).encode()) > longest:
            raise self.about(
                field, name, word, f"{word!r} of {name!r} is given a text of {len(value):,} characters, too long for this database", value
            )
        return self.comparing.like(field, pieces)

    # Values

    def value(self, field: Field, name: str, word: str, value: Any, read: Callable[..., Any] | None = None) -> Any:
        """`value` as the field holds it, or the error that says what belongs there."""
        kind = kind_of(field)
        decides: Any = base_field(field)
        if isinstance(value, peewee.Model):
            value = self.key_of(field, name, word, value)
        because = f"{name!r} {word} {_shown(value)}: {name!r} holds {kind.what}"
        if isinstance(value, (Node, Mapping, type)) or _is_list(value):
            raise self.about(field, name, word, because, value)
        try:
            found = (read or kind.read)(value, decides, self.comparing)
            decides.db_value(found)
        except Exception as error:  # a field of the user's own may raise anything
            detail = f" ({error})" if isinstance(error, Refused) else ""
            raise self.about(field, name, word, because + detail, value) from None
        return found

    def key_of(self, field: Field, name: str, word: str, record: peewee.Model) -> Any:
        """The key by which `field` refers to `record`."""
        if isinstance(field, peewee.ForeignKeyField):
            model, key = field.rel_model, field.rel_field
        else:  # a column that refers without being a foreign key
            model = getattr(field, "points_to", None)
            key = model and (model._meta.combined.get(getattr(field, "key", None)) or model._meta.primary_key)
        if model is None:
            raise self.about(field, name, word, f"{name!r} {word} {_shown(record)}: {name!r} is no reference, and takes no record", record)
        if not is_record_of(record, model):
            because = f"{name!r} {word} {_shown(record)}: {name!r} refers to {model.__name__}, and this is a {type(record).__name__}"
            raise self.about(field, name, word, because, record)
        # Not by getattr: where the key is itself a reference that would query.
        value = record.__data__.get(key.name)
        if value is None:
            because = f"{name!r} {word} {_shown(record)}: the record has no {key.name}, as it has no row yet"
            raise self.about(field, name, word, because, record, f"Save it first, or write None for those without {name!r}")
        return value

    # Errors

    @property
    def _example(self) -> str:
        return f'{{"{self.model._meta.sorted_fields[0].name}": ...}}'

    def error(self, because: str, instead: str, **facts: Any) -> CriteriaError:
        facts = {"attribute": None, "operator": None, "value": None, "known": [], **facts}
        return CriteriaError(self.asked, because, instead, model=self.model, **facts)

    def about(self, field: Field, name: str, word: Any, because: str, value: Any, instead: str | None = None) -> CriteriaError:
        """An error about an operator of an attribute; it names those that are known."""
        known = kind_of(field).operators
        return self.error(
            because, instead or f"Known for {name!r} are {listed(known, 20)}", attribute=name, operator=word, value=value, known=list(known)
        )


class Part(NamedTuple):
    """A condition, and how deep its parentheses nest."""

    depth: int
    node: Any


def _joined(operator: str, parts: list[Part]) -> Part:
    """All parts joined by AND or by OR.

    As few parentheses as there can be, the deepest part first, and not all in one chain: a parser keeps what stands before an
    open parenthesis on its stack, where SQLite has room for 100, and its expressions may not be deeper than 1,000.
    """
    while len(parts) > 1:
        parts = sorted(parts, key=lambda part: -part.depth)
        groups = [parts[start : start + 16] for start in range(0, len(parts), 16)]
        parts = [Part(group[0].depth + 1, _chained(operator, [part.node for part in group], flat=False)) for group in groups]
    return parts[0]


def _chained(operator: str, nodes: list[Any], flat: bool = True) -> Any:
    if len(nodes) == 1:
        return nodes[0]
    half = len(nodes) // 2  # halves, as peewee renders by recursion
    return Expression(_chained(operator, nodes[:half]), operator, _chained(operator, nodes[half:]), flat)


def _never_null(condition: Any, field: Field) -> Any:
    """False where the column is NULL, so that `not` makes it true. SQL's NOT leaves NULL as it is, and loses the row."""
    return condition & field.is_null(False)


def _is_list(value: Any) -> bool:
    # A query, a model class and a record are collections to Python, and asking them would query.
    return isinstance(value, Collection) and not isinstance(value, (str, bytes, bytearray, memoryview, Mapping, Node, peewee.Model, type))


_repr = reprlib.Repr()
_repr.maxstring = _repr.maxother = _repr.maxlong = 60


def _shown(value: Any) -> str:
    return _repr.repr(value)


def _kind_of_node(node: Node) -> str:
    return "a query" if isinstance(node, peewee.Query) else "a peewee expression"


def _offered(name: str, known: Sequence[str]) -> str:
    """The nearest names, where there are any, and all that are known."""
    near = nearest(name, known)
    return f"{near}? Known are {listed(known, 20)}" if near.startswith("Did") else f"Known are {listed(known, 20)}"
