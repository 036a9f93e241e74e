"""What all writing accessors do the same way: making records, and leaving memory as it was when something fails.

Map: `values_given` reads what `create_x` was given, `mappings` what `create_xs` was; `match` finds the rows of the targets;
`retried` and `patiently` run a write again that met another one; `as_before` puts the memory of records back when its block
raises; `equalities` reads a scope as values to write.
"""

from __future__ import annotations

import contextlib
import functools
import random
import time
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from typing import Any

import peewee
from peewee import OP, Expression, Field

from activeassoc.associations.base import Operation, not_found
from activeassoc.errors import DeclarationError, LinksNotSaved, UnknownName, WrongArgument, nearest
from activeassoc.keys import field_names, find_field
from activeassoc.own import has_own
from activeassoc.registry import Model
from activeassoc.stores.bridge import pause
from activeassoc.stores.conflicts import conflicted
from activeassoc.stores.sql import insert_all, spelled
from activeassoc.targets import Target, once

#: For how many seconds a write that met another one is tried again.
PATIENCE = 10
#: For how many seconds it waits before, at most.
PAUSE = 0.01


def retried(operation: Operation) -> Operation:
    """A writing accessor, run again where the store gave its transaction up because another one wrote the same rows first (C16).

    Within a transaction of the caller's the error is the caller's: all of that transaction has to be run again.
    """

    @functools.wraps(operation)
    def run(association: Any, owner: Any, /, *arguments: Any, **options: Any) -> Any:
        if arguments and hasattr(arguments[0], "__next__"):
            arguments = (list(arguments[0]), *arguments[1:])  # it could not be read a second time
        deadline = None
        while True:
            try:
                return operation(association, owner, *arguments, **options)
            except peewee.OperationalError as error:
                models = [association.source, association.target, *(key.model for key in association.keys)]
                deadline = once_more(error, [model._meta.database for model in models], deadline)

    return run  # type: ignore[return-value]


def patiently(databases: Sequence[Any], write: Callable[[], Any]) -> Any:
    """What `write` gives, which is run again where its transaction met another one, as `retried` does it."""
    deadline = None
    while True:
        try:
            return write()
        except (peewee.OperationalError, LinksNotSaved) as error:
            if getattr(error, "stays", False):
                raise  # a part of it is done, and would be done twice
            deadline = once_more(error, databases, deadline)


def once_more(error: Exception, databases: Sequence[Any], deadline: float | None) -> float:
    """Wait a moment before a write that failed is run again, and tell until when that is done; raises the error where it is not."""
    now = time.monotonic()
    if not conflicted(error) or any(database.in_transaction() for database in databases) or now > (deadline or now):
        raise error
    pause(random.random() * PAUSE, databases)
    return deadline or now + PATIENCE


def values_given(model: Model, values: Any, fields: Mapping[str, Any], forced: Mapping[Field, Any], asked: str) -> dict[str, Any]:
    """Field names → values for a new record of `model`; `forced` is what the association writes."""
    if values is not None and not isinstance(values, Mapping):
        raise WrongArgument(
            asked,
            f"{values!r} is no mapping of fields to values",
            'Write keywords, or a mapping as in {"title": "…"}',
            value=values,
        )
    given: dict[str, Any] = {}
    for name, value in {**(values or {}), **fields}.items():
        field = find_field(model, name) if isinstance(name, str) else name
        if not isinstance(field, Field) or field.model is not model:
            known = field_names(model)
            raise UnknownName(asked, f"{model.__name__} has no field {name!r}", nearest(str(name), known), name=name, known=known)
        given[field.name] = value
    for field, value in forced.items():
        if field.name in given and given[field.name] != value:
            raise WrongArgument(
                asked,
                f"{field.name}={given[field.name]!r}, and the association writes {value!r} there",
                f"Leave {field.name} out",
                value=given[field.name],
            )
        given[field.name] = value
    return given


def mappings(values: Any, asked: str) -> list[Any]:
    """What ``create_xs`` was given, as a list."""
    if isinstance(values, Mapping | str | bytes) or not isinstance(values, Iterable):
        raise WrongArgument(asked, f"{values!r} is no list of mappings", 'Write [{"title": "…"}, …]', value=values)
    return list(values)


def saves_plainly(model: Model) -> bool:
    """Whether saving a record is one statement: ``save`` and ``create`` are not the user's own, which could do more and then fail."""
    return not has_own(model, "save", "create", "insert", "__init__")


def create_all(model: Model, rows: list[dict[str, Any]], stage: Any = None) -> list[Any]:
    """New, saved records, each noted with the `stage`. One INSERT for all where they are many and their keys known before, else one each.

    A key that the database makes is not told for every row of one INSERT, or not in the order of the rows.
    """
    if len(rows) < 2 or model._meta.auto_increment or not saves_plainly(model):
        return _create_each(model, rows, stage)
    records = [model(**row) for row in rows]
    if any(record._pk is None or not _whole(record) for record in records):
        return _create_each(model, rows, stage)
    fields = model._meta.sorted_fields
    insert_all(model, [{field: record.__data__.get(field.name) for field in fields} for record in records])
    for record in records:
        record._dirty.clear()
        record.__dict__["_stored"] = True
    if stage is not None:
        stage.note(model, [record._pk for record in records])
    return records


def _create_each(model: Model, rows: list[dict[str, Any]], stage: Any) -> list[Any]:
    records = []
    for row in rows:
        records.append(model.create(**row))
        if stage is not None:
            stage.note(model, [records[-1]._pk])
    return records


def _whole(record: Any) -> bool:
    """Whether no column is left to a default of the database."""
    return all(field.name in record.__data__ or not field.constraints for field in record._meta.sorted_fields)


def match(model: Model, rows: Container[Any], targets: list[Target], asked: str) -> list[Target]:
    """The targets without repeats, their keys spelled as the rows spell them; RecordNotFound lists those without a row.

    No query, unless text keys are missing: a collation may call "ann" and "Ann" one, and only the database knows.
    """
    missing = [target for target in targets if not target.new and target.key not in rows]
    if missing:
        texts = [target.key for target in missing if isinstance(target.key, str)]
        stored = spelled(model._meta.primary_key, texts) if texts else {}
        lost = [target.key for target in missing if stored.get(target.key) not in rows]
        if lost:
            raise not_found(asked, model, lost)
        for target in missing:
            target.key = stored[target.key]
    return once(targets) if missing else targets


def remember(record: Any) -> dict[str, Any]:
    """A copy of what an instance has in memory."""
    state = dict(record.__dict__)
    for name in ("__data__", "__rel__", "_loaded", "_links"):
        if name in state:
            state[name] = dict(state[name])
    if "_dirty" in state:
        state["_dirty"] = set(state["_dirty"])
    return state


@contextlib.contextmanager
def as_before(records: Iterable[Any], stays: Callable[[Any], bool] = lambda record: False) -> Iterator[None]:
    """When the block raises, the records are in memory what they were before it (C3), but for those whose rows stay written."""
    states = [(record, remember(record)) for record in records]
    try:
        yield
    except BaseException:
        for record, state in states:
            if not stays(record):
                record.__dict__.clear()
                record.__dict__.update(state)
        raise


def equalities(model: Model, where: Any, asked: str) -> dict[Field, Any]:
    """The values that a scope says new records have; a scope that is not all equalities refuses (A19)."""
    found: dict[Field, Any] = {}
    if where is None:
        return found
    if isinstance(where, Mapping):
        pairs = [(find_field(model, str(name)), value) for name, value in where.items()]
        if all(field is not None and not isinstance(value, Mapping | list | tuple | set) for field, value in pairs):
            return {field: value for field, value in pairs if field is not None}
    elif _read_equalities(model, where, found):
        return found
    raise DeclarationError(
        asked,
        "the association's where is not all equalities, so what a new record of it must be cannot be told",
        "Write the record itself, or give the association a where of equalities",
    )


def _read_equalities(model: Model, node: Any, found: dict[Field, Any]) -> bool:
    if not isinstance(node, Expression):
        return False
    if node.op == OP.AND:
        return _read_equalities(model, node.lhs, found) and _read_equalities(model, node.rhs, found)
    if not isinstance(node.lhs, Field) or node.lhs.model is not model:
        return False
    if (node.op == OP.EQ and not isinstance(node.rhs, peewee.Node)) or (node.op == OP.IS and node.rhs is None):
        found[node.lhs] = node.rhs
        return True
    if node.op == OP.EQ and isinstance(node.rhs, peewee.Model):
        found[node.lhs] = node.lhs.db_value(node.rhs)
        return True
    return False
