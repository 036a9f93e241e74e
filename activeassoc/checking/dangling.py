"""Keys that refer to nothing: within a database, and from one to another.

Map: `dangling_keys` looks at every key of a model and mends what may be mended; `Tie` is one key with what it refers to; `missing_keys`
gives its values that no record has, a page at a time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import peewee
from peewee import SQL, fn

from activeassoc.checking.report import SHOWN, Finding, rows_of
from activeassoc.deleting.references import address_of, referred_by, rule_of
from activeassoc.errors import AssociationError
from activeassoc.keys import ReferenceField, key_field
from activeassoc.registry import Model, keys_of
from activeassoc.stores.sql import among, coercer, every_row, groups, same_database, spelled, store_of

#: How many different values of a key are asked for at once.
PAGE = 5_000


@dataclass(frozen=True, eq=False)
class Tie:
    """A key column, the field of the other model that it refers to, and whether it is one of the two keys of a link."""

    field: Any
    referred: Any
    of_link: bool = False

    @property
    def holder(self) -> Model:
        return self.field.model

    @property
    def label(self) -> str:
        return f"{self.holder.__name__}.{self.field.name}"


def ties_of(model: Model) -> Iterator[Tie]:
    """Every key of `model` that refers to a known model with a database."""
    for field in model._meta.sorted_fields:
        record = keys_of(model).get(field.column_name)
        referred = _referred(field, record)
        if referred is not None and referred.model._meta.database is not None:
            yield Tie(field, referred, record is not None and record.of_link)


def _referred(field: Any, record: Any) -> Any:
    if isinstance(field, peewee.ForeignKeyField):
        return referred_by(field)
    if record is not None:
        for claim in record.claims:
            association = claim.association
            for hop in association.path if association.bound else ():
                if hop.model is record.model and hop.far == record.attribute:
                    return record.target._meta.fields[hop.near]  # the owner's key, which the first hop starts from
        return record.target._meta.primary_key
    if isinstance(field, ReferenceField):
        target = field.points_to
        try:
            return target and key_field(target, field.key, field.name, "key")
        except AssociationError:  # it points to a table whose key has several columns
            return None
    return None


def dangling_keys(model: Model, skip: set[str], fix: bool) -> Iterator[Finding]:
    """What the keys of `model` refer to and is not there; `skip` are columns that the table lacks.

    One statement for a key within an SQL database; else two for every `PAGE` values that differ; and one more that asks for the table.
    """
    for tie in ties_of(model):
        if tie.field.column_name in skip:
            continue
        # Where the table itself is missing it may be the wrong database: nothing is mended then.
        there = bool(tie.referred.model.table_exists())
        if not there and same_database(model, tie.referred.model):
            continue  # told as a missing table
        mend = _mending(tie) if fix and there else None
        count = mended = 0
        sample: list[Any] = []
        for values in missing_keys(tie, there):
            found, some = _rows_with(tie, values)
            count += found
            sample += some[: SHOWN - len(sample)]
            if found and mend is not None:
                mended += mend(values)
        if count:
            yield _finding(tie, count, sample, there, mended if mend is not None else None)


def _finding(tie: Tie, count: int, sample: list[Any], there: bool, mended: int | None) -> Finding:
    """What to say of rows that refer to nothing; `mended` is how many were mended, None where nothing was to be."""
    target = tie.referred.model
    sentence = f"{rows_of(count, tie.holder, sample)} {'holds' if count == 1 else 'hold'} a {tie.label} that no {target.__name__} has"
    allowed = rule_of(tie.field) is None
    if not there:
        instead = f"{address_of(target._meta.database)} has no table {target._meta.table_name}; it may be the wrong database"
    elif mended is not None:
        instead = f"{mended} {'row' if mended == 1 else 'rows'} " + ("deleted" if tie.of_link else "set to NULL")
    elif allowed:
        instead = "the key has no constraint and no rule"
    elif _mending(tie) is not None:
        instead = "check(fix=True) deletes them" if tie.of_link else "check(fix=True) clears the key"
    else:
        instead = f"{tie.field.column_name!r} may not be NULL: give these rows another {target.__name__}, or delete them"
    return Finding(
        "dangling link" if tie.of_link else "dangling key",
        tie.holder._meta.database,
        sentence,
        instead,
        tie.holder,
        (tie.field.name,),
        count,
        tuple(sample),
        mended=mended is not None,
        allowed=allowed and there,
    )


def _mending(tie: Tie) -> Any:
    """What mends the rows with these values, without a guess: a link goes, a key that may be NULL becomes NULL; None for the others."""
    holder: Any = tie.holder
    if rule_of(tie.field) is None:
        return None  # it may outlive what it refers to
    if tie.of_link:
        return lambda values: _execute(peewee.ModelDelete(holder), tie, values)
    if tie.field.null and not any(tie.field is part for part in holder._meta.get_primary_keys()):
        return lambda values: _execute(peewee.ModelUpdate(holder, {tie.field: None}), tie, values)
    return None


def _execute(query: Any, tie: Tie, values: Sequence[Any]) -> int:
    return sum(int(query.where(among(tie.field, some)).execute()) for some in groups(tie.holder._meta.database, values))


def _rows_with(tie: Tie, values: Sequence[Any]) -> tuple[int, list[Any]]:
    """How many rows hold one of these values, and the primary keys of the first."""
    holder, database = tie.holder, tie.holder._meta.database
    keys, count = holder._meta.get_primary_keys(), 0
    sample: list[Any] = []
    for some in groups(database, values):
        condition = among(tie.field, some)
        count += int(database.execute(every_row(holder, fn.COUNT(SQL("1"))).where(condition)).fetchone()[0])
        if len(sample) < SHOWN:
            for row in database.execute(every_row(holder, *keys).where(condition).order_by(*keys).limit(SHOWN)).fetchall():
                key = tuple(field.python_value(value) for field, value in zip(keys, row, strict=True))
                sample.append(key[0] if len(key) == 1 else key)
    return count, sample[:SHOWN]


def missing_keys(tie: Tie, there: bool = True) -> Iterator[list[Any]]:
    """The values of the key that no record has, a page at a time, so that memory holds one page.

    The key is read before what it refers to: records are written before the keys to them, so that what is not there by then is gone.
    """
    if same_database(tie.holder, tie.referred.model) and store_of(tie.holder._meta.database).joins:
        target = tie.referred.model.alias()
        has_one = every_row(target, SQL("1")).where(getattr(target, tie.referred.name) == tie.field)
        yield from _pages(tie, ~fn.EXISTS(has_one))
        return
    for page in _pages(tie) if store_of(tie.holder._meta.database).sql else _streamed(tie):
        missing = not_there(tie.referred, page) if there else page
        if missing:
            yield missing


def _pages(tie: Tie, *conditions: Any) -> Iterator[list[Any]]:
    """The different values of the key in order, a page for each statement: the index on the key gives them."""
    field, database = tie.field, tie.holder._meta.database
    after: list[Any] = [field.is_null(False)]
    while True:
        query = every_row(tie.holder, field).where(*after, *conditions).distinct().order_by(field).limit(PAGE)
        page = [field.python_value(row[0]) for row in database.execute(query).fetchall()]
        if page:
            yield page
        if len(page) < PAGE:
            return
        after = [field > page[-1]]


def _streamed(tie: Tie) -> Iterator[list[Any]]:
    """The same from a store whose cursor reads on as it is read, and which would sort everything anew for each page."""
    field = tie.field
    page: dict[Any, None] = {}
    cursor = tie.holder._meta.database.execute(every_row(tie.holder, field).where(field.is_null(False)))
    for row in iter(cursor.fetchone, None):
        page[field.python_value(row[0])] = None
        if len(page) == PAGE:
            yield list(page)
            page = {}
    if page:
        yield list(page)


def not_there(referred: Any, values: Sequence[Any]) -> list[Any]:
    """Those of the values that no record has, compared as the records' type of key: "7" is 7 (H4)."""
    read = coercer(referred)
    wanted: dict[Any, Any] = {}
    missing = []
    for value in values:
        try:
            wanted[read(value)] = value
        except (TypeError, ValueError, ArithmeticError):
            missing.append(value)  # no key of that type at all
    database = referred.model._meta.database
    for some in groups(database, list(wanted)) if wanted else ():
        for row in database.execute(every_row(referred.model, referred).where(among(referred, some))).fetchall():
            wanted.pop(referred.python_value(row[0]), None)
    texts = [value for value in wanted if isinstance(value, str)]
    if texts and store_of(database).sql:
        for text in spelled(referred, texts):  # a collation may call "ann" and "Ann" one
            del wanted[text]
    return [*missing, *wanted.values()]
