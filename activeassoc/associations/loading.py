"""One association, loaded for many owners at the cost of one: what populate does at each hop.

Map: `Options` is what one hop was asked for, `check` refuses what cannot be; `load` is the entrance; below it `Owners` (by
key, compared as the target's key type), the lists of a to-many, the records of a to-one, and the counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from functools import partial
from typing import Any, NamedTuple

import peewee
from peewee import Field, fn

from activeassoc import lazy
from activeassoc.associations.options import both, number
from activeassoc.associations.reading import JoinRow, Reading
from activeassoc.errors import AssociationError, DeclarationError, WrongArgument, listed
from activeassoc.hydrate import reader
from activeassoc.keys import is_saved
from activeassoc.lazy import checked_limit
from activeassoc.registry import Model
from activeassoc.stores.sql import base_field, coercer, every_row, groups
from activeassoc.targets import folded


class _Default:
    def __repr__(self) -> str:
        return "the default limit"


#: No limit was given: the model's or the package's holds.
DEFAULT: Any = _Default()


@dataclass(frozen=True)
class Options:
    """What is asked of one hop."""

    where: Any = None
    order: Any = None
    limit: Any = DEFAULT
    offset: Any = None
    attributes: Any = None
    through_where: Any = None
    join_attributes: Any = None
    count: bool = False

    @property
    def given(self) -> list[str]:
        """The names of the options that were given."""
        return [each.name for each in fields(self) if getattr(self, each.name) is not each.default]

    @property
    def partial(self) -> bool:
        """Whether the lists are not just the getter's: filtered, cut as asked for, or in another order."""
        wanted = (self.where, self.through_where, self.order, None if self.limit is DEFAULT else self.limit)
        return any(each is not None for each in wanted) or bool(self.offset)


class Loaded(NamedTuple):
    """What a hop brought: all instances, for the hops that go on from them, and whether the default limit cut a list."""

    records: list[Any]
    cut: bool = False


def check(association: Reading, options: Options, asked: str) -> None:
    """Raise where the association cannot be populated so. Sends nothing."""
    given = options.given
    if not association.to_many:
        wrong = [name for name in given if name != "attributes"]
        if wrong:
            raise WrongArgument(
                asked,
                f"{association.label} is one record, which takes attributes= and not {listed(wrong)}",
                f"Leave {listed(wrong)} out, or filter the query itself",
                value=getattr(options, wrong[0]),
            )
    elif options.count:
        _check_count(association, [name for name in given if name not in ("count", "where", "through_where")], asked)
    if association.link is None and options.join_attributes is not None:
        raise WrongArgument(
            asked, "there is no through model for join_attributes", "Write attributes=", value=options.join_attributes
        )
    association.filters(asked, options.where, options.through_where)
    association.ordering(options.order, asked)
    association.columns(options.attributes, asked)
    association.link_columns(options.join_attributes, asked)
    number(options.offset, asked, "offset")
    limit_of(association.target, options, asked)


def _check_count(association: Reading, wrong: list[str], asked: str) -> None:
    name = counted_name(association)
    if wrong:
        raise WrongArgument(
            asked, f"count=True brings a number, which takes no {listed(wrong)}", f"Leave {listed(wrong)} out", value=wrong
        )
    if hasattr(association.source, name):
        raise DeclarationError(
            asked,
            f"the number would stand under {name!r}, which is an attribute of {association.source.__name__}",
            f"Count with {association.source.__name__.lower()}.count_{association.name}()",
        )


def counted_name(association: Reading) -> str:
    """The attribute under which ``count=True`` leaves the number."""
    return f"{association.name}_count"


def limit_of(model: Model, options: Options, asked: str) -> int | None:
    """How many records each owner gets at most; None for all (G5)."""
    if options.limit is not DEFAULT:
        return number(options.limit, asked, "limit")
    own = getattr(model._meta, "populate_limit", DEFAULT)
    if own is DEFAULT:
        return lazy.settings.populate_limit
    return checked_limit(own, f"{model.__name__}.Meta.populate_limit = {own!r}")


def load(association: Reading, owners: Sequence[Any], options: Options, asked: str, needs: Iterable[Field] = ()) -> Loaded:
    """Load `association` for these owners (distinct instances), who hold it afterwards; what was loaded.

    One statement, however many owners (beyond what one statement can carry); none where no owner has a key. `needs` are
    columns that the next hops start from.
    """
    found = Owners(association, owners, asked)
    if options.count:
        return _load_counts(association, found, options, asked)
    columns = columns_of(association, options, asked, needs)
    if association.to_many:
        loaded = _load_lists(association, found, options, asked, columns)
    else:
        loaded = _load_records(association, found, asked, columns)
    lazy.together(association.target, loaded.records)
    return loaded


def columns_of(association: Reading, options: Options, asked: str, needs: Iterable[Field] = ()) -> list[Field]:
    """The target's columns to read."""
    columns = association.columns(options.attributes, asked)
    for field in needs:
        if not any(field is column for column in columns):
            columns.append(field)
    return columns


def statement(association: Reading, keys: Sequence[Any], options: Options, asked: str, columns: Sequence[Field]) -> Any:
    """The query of the records (or the numbers) of all owners with these keys; the owner's key is the last column."""
    condition = both(association.near_is(keys), association.filters(asked, options.where, options.through_where))
    near = association.near_node
    if options.count:
        return association.select([fn.COUNT(peewee.SQL("1")), near], condition).group_by(near)
    nodes = [*columns, *association.link_columns(options.join_attributes, asked), near]
    if association.key_on_source:
        return association.select(nodes, condition)
    order = association.ordering(options.order, asked)
    first, last = _window(association, options, asked)
    if last is None and not first:
        return association.select(nodes, condition).order_by(*order)
    # Only this form limits for each owner; a LIMIT would be one of all rows together.
    place = fn.ROW_NUMBER().over(partition_by=[near], order_by=order)
    named = [node.alias(f"c{index}") for index, node in enumerate(nodes)]
    every = association.select([*named, place.alias("place")], condition).alias("every_row")
    query = peewee.Select([every], [getattr(every.c, node._alias) for node in named]).order_by(every.c.place)
    if first:
        query = query.where(every.c.place > first)
    return query if last is None else query.where(every.c.place <= last)


def _window(association: Reading, options: Options, asked: str) -> tuple[int, int | None]:
    """Of each owner's rows the ones after this and up to that, None for all."""
    if not association.to_many:
        return 0, None
    limit, first = limit_of(association.target, options, asked), options.offset or 0
    # One record more than the default limit tells that there are more.
    return first, None if limit is None else first + limit + (1 if options.limit is DEFAULT else 0)


class Owners:
    """The owners by the key that the association starts from.

    Keys are compared as the key's own type says: "7" in memory is 7 (H4). A value that can be no key of the column refers to
    nothing. Two instances of one row stand under one key, and a repeated key is asked for once.
    """

    def __init__(self, association: Reading, owners: Sequence[Any], asked: str) -> None:
        self.association = association
        self.all = owners
        self.by_key: dict[Any, list[Any]] = {}
        near = association.path[0].near
        self._field = association.near_field
        coerce = coercer(self._field)
        needs_row = not association.key_on_source
        spelled: dict[Any, list[Any]] = {}
        for owner in owners:
            association.check_owner(owner, "get")
            key = owner.__data__.get(near)
            if key is None:
                if near not in owner.__data__ and owner.__dict__.get("_stored"):
                    raise _unread(association, near, asked)
                continue
            if needs_row and not is_saved(owner):
                continue
            spelled.setdefault(key, []).append(owner)
        for key, some in spelled.items():
            try:
                self.by_key.setdefault(coerce(key), []).extend(some)
            except (TypeError, ValueError, ArithmeticError):
                continue

    def portions(self) -> Iterable[Sequence[Any]]:
        """The keys, in portions that one statement takes."""
        return groups(self.association.target._meta.database, list(self.by_key)) if self.by_key else ()

    def reading(self, keys: Sequence[Any], nears: Iterable[Any]) -> dict[Any, list[Any]]:
        """What the rows hold of the owners' key → the owners that it means, as the database compares.

        The rows hold the key as the database spells it: a collation may call "ann" and "Ann" the same.
        """
        convert, coerce = self._field.python_value, coercer(self._field)
        there = {near: coerce(convert(near)) for near in set(nears)}
        meant = {near: self.by_key[key] for near, key in there.items() if key in self.by_key}
        kind: Any = base_field(self._field)
        if not isinstance(kind, peewee.CharField | peewee.TextField):
            return meant
        self._add_other_spellings(meant, there, keys)
        return meant

    def _add_other_spellings(self, meant: dict[Any, list[Any]], there: dict[Any, Any], keys: Sequence[Any]) -> None:
        """Texts: a row that nobody's key spells was found by another spelling of it; so may a key be that no row spells."""
        exact = set(there.values())
        strangers = {near for near in there if near not in meant}
        unspelled = [key for key in keys if key not in exact]
        if not strangers and not unspelled:
            return
        by_text: dict[str, tuple[list[Any], list[Any]]] = {}
        for near, key in there.items():
            by_text.setdefault(folded(key), ([], []))[0].append(near)
        for key in keys:
            by_text.setdefault(folded(key), ([], []))[1].append(key)
        for nears, alike in by_text.values():
            if len(nears) == 1 and len(alike) == 1:
                meant[nears[0]] = self.by_key[alike[0]]  # the row was found, and by nothing else
            elif nears and (len(nears) > 1 or len(alike) > 1):
                for key in alike:
                    # Which spellings are one to the store, only the store knows. A query for each key, where there are such.
                    others = [near for near in self._same(key) if near in there and there[near] != key]
                    for near in others:
                        meant[near] = [*meant.get(near, ()), *self.by_key[key]]

    def _same(self, key: Any) -> list[Any]:
        field = self._field
        query = every_row(field.model, field).where(field == key)  # not DISTINCT, to which all spellings are one
        return list({row[0]: None for row in field.model._meta.database.execute(query).fetchall()})


def _unread(association: Reading, near: str, asked: str) -> AssociationError:
    name = f"{association.source.__name__}.{near}"
    return AssociationError(
        asked,
        f"the records were read without {name}, by which {association.label} is found",
        f"Read it too, as in {association.source.__name__}.select(…, {name})",
    )


# To-many


def _load_lists(association: Reading, owners: Owners, options: Options, asked: str, columns: list[Field]) -> Loaded:
    limit = limit_of(association.target, options, asked)
    lists: dict[int, list[Any]] = {id(owner): [] for owner in owners.all}
    default = options.limit is DEFAULT and limit is not None
    if limit != 0 or default:
        link_columns = association.link_columns(options.join_attributes, asked)
        for keys in owners.portions():
            rows = _rows(association, statement(association, keys, options, asked, columns))
            _place(association, owners.reading(keys, (row[-1] for row in rows)), rows, columns, link_columns, lists)
    cut, records = False, []
    for owner in owners.all:
        found = lists[id(owner)]
        longer = default and limit is not None and len(found) > limit
        if longer:
            del found[limit:]
        cut = cut or longer
        association.keep(owner, found, truncated=longer, partial=longer or options.partial)
        records.extend(found)
    return Loaded(records, cut)


def _rows(association: Reading, query: Any) -> list[Any]:
    return association.target._meta.database.execute(query).fetchall()  # type: ignore[no-any-return]


def _place(
    association: Reading,
    meant: dict[Any, list[Any]],
    rows: Sequence[Any],
    columns: list[Field],
    link_columns: list[Field],
    lists: dict[int, list[Any]],
) -> None:
    """An instance of each row for each owner that it belongs to, in the order of the rows."""
    make, attach, width, name = reader(association.target, columns), association.attach, len(columns), association.link_name
    make_link = reader(association.link, link_columns) if association.link is not None and link_columns else None
    for row in rows:
        for owner in meant.get(row[-1], ()):
            record = make(row)
            if make_link is not None:
                record.__dict__["_links"] = {name: JoinRow(partial(make_link, row[width:-1]))}
            attach(owner, record)
            lists[id(owner)].append(record)


# To-one


def _load_records(association: Reading, owners: Owners, asked: str, columns: list[Field]) -> Loaded:
    make = reader(association.target, columns)
    found: dict[int, Any] = {}
    for keys in owners.portions():
        rows = _rows(association, statement(association, keys, Options(), asked, columns))
        first: dict[Any, Any] = {}
        for row in rows:
            first.setdefault(row[-1], row)  # of several the one with the lowest primary key, as with the getter
        for near, some in owners.reading(keys, first).items():
            record = make(first[near])
            found.update((id(owner), record) for owner in some)
    records: dict[int, Any] = {}
    for owner in owners.all:
        record = found.get(id(owner))
        association.keep(owner, record)
        if record is not None:
            records[id(record)] = record
    return Loaded(list(records.values()))


# Numbers


def _load_counts(association: Reading, owners: Owners, options: Options, asked: str) -> Loaded:
    name = counted_name(association)
    counts: dict[int, int] = {}
    for keys in owners.portions():
        rows = _rows(association, statement(association, keys, options, asked, ()))
        numbers = {near: int(number_of) for number_of, near in rows}
        for near, some in owners.reading(keys, numbers).items():
            counts.update((id(owner), numbers[near]) for owner in some)
    for owner in owners.all:
        owner.__dict__[name] = counts.get(id(owner), 0)
    return Loaded([])
