"""The accessors without options, prepared: their statement is built once, and a call only puts the keys in.

What stands here gives the very results of the general road (`reading`, `to_many`), for the plain case only: the owner is a saved record of
the source itself, the keys are of the column's own type, and nobody has put conditions of his own into ``select``. In every other case it
gives `OTHERWISE`, and the general road is taken, which knows all cases and all errors.

Map: `plain` tells whether an association has prepared statements; `getter`, `counter`, `asker` and `exact_asker` make the functions, which
`Kept` keeps until a model changes; `Arguments` reads targets that need no thought.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from operator import attrgetter, itemgetter
from typing import Any

import peewee
from peewee import Expression, Field, Ordering, fn

from activeassoc import lazy
from activeassoc.associations.options import both
from activeassoc.convert import kept_type
from activeassoc.keys import is_saved
from activeassoc.own import has_own
from activeassoc.reached import light, reaching
from activeassoc.registry import Model
from activeassoc.stores.sql import base_field, coercer, every_row, key_list, rows_among, store_of, takes_integers
from activeassoc.stores.statements import Keys, prepare, slot

OURS = ("activeassoc.model", "activeassoc.keys", "peewee")

#: "Take the general road": None may be an answer.
OTHERWISE = NotImplemented


def plain(association: Any) -> bool:
    """Whether the statements of its accessors are the same text each time, in one database that joins tables."""
    target, link = association.target, association.link
    database = target._meta.database
    return (
        isinstance(database, peewee.Database)
        and not association.in_array
        and store_of(database).joins
        and (link is None or link._meta.database is database)
        and not has_own(target, "select")
        and _constant(association.where)
        and _fixed_order(association.order)
    )


def _constant(node: Any) -> bool:
    """Whether a scope is the same at each call: not one that a program changes, or a node of its own."""
    if node is None or isinstance(node, str | bytes | int | float | Field):
        return True
    return type(node) is Expression and _constant(node.lhs) and _constant(node.rhs)


def _fixed_order(order: Any) -> bool:
    if isinstance(order, list | tuple):
        return all(map(_fixed_order, order))
    return order is None or isinstance(order, str | Field) or (type(order) is Ordering and isinstance(order.node, Field))


def as_it_is(field: Any) -> Any:
    """The type of the keys that the statement is given as they are; others go through the field's ``db_value``."""
    return int if kept_type(field) is int else None


class Arguments:
    """Reads targets that need no thought: saved records of the model, or keys of the column's very type."""

    __slots__ = ("high", "kind", "low", "model", "name")

    def __init__(self, model: Model) -> None:
        meta = model._meta
        field = meta.primary_key
        self.model, self.name = model, getattr(field, "name", "")
        #: The type of a key, None where keys take thought; of numbers the least and the greatest.
        self.kind: type | None = None
        self.low = self.high = 0
        if meta.composite_key or not field or field.accessor_class.__module__ not in OURS:
            return
        kind: Any = base_field(field)
        if takes_integers(kind):
            self.kind = int
            self.low, self.high = _range(coercer(field))
        elif isinstance(kind, peewee.UUIDField) and type(kind).db_value is peewee.UUIDField.db_value:
            self.kind = uuid.UUID

    def one(self, value: Any) -> Any:
        """The key of a target, None where it takes thought."""
        if type(value) is self.model and getattr(value, "_stored", False):
            value = value.__data__.get(self.name)
        kind: Any = self.kind
        if type(value) is not kind or kind is None or (kind is int and not self.low <= value <= self.high):
            return None
        return value

    def several(self, values: Any) -> list[Any] | None:
        """The keys of targets, each once, None where they take thought."""
        kind = self.kind
        if kind is None or type(values) not in (list, tuple) or not values:
            return None
        kinds = set(map(type, values))
        if kinds == {self.model}:
            if not light(self.model) or not all(map(_stored, values)):
                return None
            try:
                values = list(map(itemgetter(self.name), map(_columns, values)))
            except KeyError:
                return None
            kinds = set(map(type, values))
        if kinds != {kind} or (kind is int and not self.low <= min(values) <= max(values) <= self.high):
            return None
        return values if len(set(values)) == len(values) else list(dict.fromkeys(values))


_stored, _columns = attrgetter("_stored"), attrgetter("__data__")


def _range(coerce: Callable[[Any], Any]) -> tuple[int, int]:
    """The bounds of the numbers that a coercer takes."""
    for bits in (64, 32, 16):
        try:
            coerce(2 ** (bits - 1) - 1)
        except ValueError:
            continue
        return -(2 ** (bits - 1)), 2 ** (bits - 1) - 1
    return 0, -1


def getter(association: Any, order: str | None = None, limit: bool = False, offset: bool = False) -> Callable[..., Any]:
    """(owner) → its records, by one statement; (owner, limit, offset) where these are to be given."""
    if not plain(association):
        return _otherwise
    source, target = association.source, association.target
    near, bind, database = association.path[0].near, association.near_field.db_value, target._meta.database
    plain_kind = as_it_is(association.near_field)
    columns, link_columns = association.columns(None, ""), association.link_columns(None, "")
    query = association.select([*columns, *link_columns], _owned(association))
    query = query.order_by(*association.ordering(order, association.asked("get")))
    query = query.limit(slot(1)) if limit else query
    query = query.offset(slot(1 + limit)) if offset else query
    execute = prepare(database, query).execute
    via, beside, width = association.via(columns, link_columns), association.beside, len(columns) + len(link_columns)
    read = reaching(target, columns, width, "via" if via is not None else "beside" if beside else "")
    policy_of = lazy.policy_of

    def get(owner: Any, *values: Any) -> Any:
        if type(owner) is not source:
            return OTHERWISE
        key = owner.__data__.get(near)
        if key is None or not (getattr(owner, "_stored", False) or is_saved(owner)):
            return OTHERWISE
        if type(key) is not plain_kind:
            key = bind(key)
            if isinstance(key, peewee.Node):
                return OTHERWISE  # a piece of SQL
        rows = execute(database, [key, *values]).fetchall()
        records = read(rows, (beside, owner) if via is None else via)
        if len(records) > 1 and policy_of(target) == "batch":
            lazy.together(target, records)
        return records

    return get


def some(association: Any, owner: Any, order: Any, limit: Any, offset: Any) -> Any:
    """The records of a getter with these options, by a statement that is kept by the shape of them: the numbers may differ each time."""
    if not getattr(owner, "_stored", False) or not isinstance(order, str | None):
        return OTHERWISE
    if any(each is not None and (type(each) is not int or each < 0) for each in (limit, offset)):
        return OTHERWISE
    numbers = [each for each in (limit, offset or None) if each is not None]
    shape = (order, limit is not None, bool(offset))
    return association.kept(("get", *shape), lambda association: getter(association, *shape))(owner, *numbers)


def _otherwise(*_: Any) -> Any:
    return OTHERWISE


def counter(association: Any) -> Callable[[Any], Any]:
    """(owner) → the number of its records."""
    if not plain(association):
        return _otherwise
    ask = _asking(association, association.select([fn.COUNT(peewee.SQL("1"))], _owned(association)), True)
    return lambda owner: ask(owner, ())


def _owned(association: Any) -> Any:
    return both(association.near_is(Keys("one", 0)), association.filters(association.declared))


def _asking(association: Any, query: Any, alone: bool) -> Callable[[Any, Sequence[Any]], Any]:
    """(owner, the values beside its key) → the row of numbers that the query gives, or where it is `alone` the number."""
    source, near, bind = association.source, association.path[0].near, association.near_field.db_value
    database, plain_kind = association.target._meta.database, as_it_is(association.near_field)
    execute = prepare(database, query).execute

    def ask(owner: Any, values: Sequence[Any]) -> Any:
        if type(owner) is not source:
            return OTHERWISE
        key = owner.__data__.get(near)
        if key is None or not (getattr(owner, "_stored", False) or is_saved(owner)):
            return OTHERWISE
        if type(key) is not plain_kind:
            key = bind(key)
            if isinstance(key, peewee.Node):
                return OTHERWISE
        row = execute(database, [key, *values]).fetchone()
        return row[0] if alone else row

    return ask


def asker(association: Any) -> Callable[[Any, Any], Any]:
    """(owner, targets) → whether all of these are the owner's."""
    if not plain(association) or Arguments(association.target).kind is None:
        return _otherwise
    target = association.target
    arguments, field, most = Arguments(target), target._meta.primary_key, store_of(target._meta.database).keys_per_statement
    asking: dict[str, Callable[..., Any]] = {}
    several = (lambda _: None) if association.same_word else arguments.several  # several of them ask for exactly these

    def of(form: str) -> Callable[..., Any]:
        if form not in asking:
            asking[form] = _asking(association, membership(association, Keys(form, 1)), True)
        return asking[form]

    one, bind, key_of, plain_kind = of("one"), field.db_value, arguments.one, as_it_is(field)
    quick = _quick_asker(association, arguments) if as_it_is(association.near_field) is plain_kind is int else _otherwise

    def has(owner: Any, targets: Any) -> Any:
        found = quick(owner, targets)
        if found is not OTHERWISE:
            return found
        key = key_of(targets)
        if key is not None:
            found = one(owner, (key if type(key) is plain_kind else bind(key),))
            return found if found is OTHERWISE else found == 1
        keys = several(targets)
        if keys is None or len(keys) > most:
            return OTHERWISE
        form, value = key_list(field, keys)
        found = of(form)(owner, (value,))
        return found if found is OTHERWISE else found == len(keys)

    return has


def _quick_asker(association: Any, arguments: Arguments) -> Callable[[Any, Any], Any]:
    """The same for one target, where both keys are whole numbers: without a call that is not needed, as it is asked in loops."""
    source, target, near = association.source, association.target, association.path[0].near
    statement, database = prepare(target._meta.database, membership(association, Keys("one", 1))), target._meta.database
    name, low, high, text = arguments.name, arguments.low, arguments.high, statement.text
    if not (statement.direct and light(source) and light(target)):
        return _otherwise

    def has(owner: Any, value: Any) -> Any:
        if type(value) is target:
            key = value.__data__.get(name) if value._stored else None
        else:
            key = value
        if type(key) is not int or type(owner) is not source or not low <= key <= high:
            return OTHERWISE
        mine = owner.__data__.get(near)
        if type(mine) is not int or not owner._stored:
            return OTHERWISE
        return database.execute_sql(text, [mine, key]).fetchone()[0] == 1

    return has


def membership(association: Any, keys: Keys) -> Any:
    """The query that counts those of these targets that are the owner's.

    Where constraints keep links without a target out, the links are asked alone.
    """
    link = association.link
    if link is not None and association.links_tell:
        return every_row(link, fn.COUNT(peewee.SQL("1"))).where(association.ends.between(slot(0), keys))
    return association.select([association.counting], _owned(association)).where(rows_among(association.target, keys))


def exact_asker(association: Any) -> Callable[[Any, Any], Any]:
    """(owner, targets) → whether these are all that the owner has."""
    if not plain(association) or Arguments(association.target).kind is None:
        return _otherwise
    target = association.target
    arguments, field, most = Arguments(target), target._meta.primary_key, store_of(target._meta.database).keys_per_statement
    asking: dict[str, Callable[..., Any]] = {}

    def has_exactly(owner: Any, targets: Any) -> Any:
        key = arguments.one(targets)
        keys = [key] if key is not None else arguments.several(targets)
        if keys is None or len(keys) > most:
            return OTHERWISE
        form, value = key_list(field, keys)
        if form not in asking:
            nodes = [association.counting_those(rows_among(target, Keys(form, 1))), association.counting]
            asking[form] = _asking(association, association.select(nodes, _owned(association)), False)
        row = asking[form](owner, (value,))
        return row if row is OTHERWISE else int(row[0]) == int(row[1]) == len(keys)

    return has_exactly
