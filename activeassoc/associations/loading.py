"""One association, loaded for many owners at the cost of one: what populate does at each hop.

Map: `Options` is what one hop was asked for, `check` refuses what cannot be; `load` is the entrance; below it
the lists of a to-many, the records of a to-one, and the counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from functools import partial
from typing import Any, NamedTuple

import peewee
from peewee import Field, fn

from activeassoc import lazy
from activeassoc.associations.alone import placed
from activeassoc.associations.options import both, number
from activeassoc.associations.owners import Owners
from activeassoc.associations.prepared import plain
from activeassoc.associations.reading import Reading
from activeassoc.errors import DeclarationError, WrongArgument, listed
from activeassoc.hydrate import reader
from activeassoc.lazy import checked_limit
from activeassoc.reached import JoinRow, links_of
from activeassoc.registry import Model
from activeassoc.stores.sql import key_list, store_of
from activeassoc.stores.statements import Keys, Prepared, prepare


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


def load(
    association: Reading, owners: Sequence[Any], options: Options, asked: str, needs: Iterable[Field] = (), links: Any = None
) -> Loaded:
    """Load `association` for these owners (distinct instances), who hold it afterwards; what was loaded.

    One statement, however many owners (beyond what one statement can carry); none where no owner has a key. `needs` are
    columns that the next hops start from, `links` the owners' links where they are known already.
    """
    if association.in_array:
        array: Any = association
        in_array: Loaded = array.load_for(owners, options, asked, needs)
        lazy.together(association.target, in_array.records)
        return in_array
    found = Owners(association, owners, asked)
    if options.count and not association.apart:
        return _load_counts(association, found, options, asked)
    columns = columns_of(association, options, asked, needs)
    if association.apart:
        many: Any = association
        loaded: Loaded = many.load_apart(found, options, asked, columns, links)
    elif association.to_many:
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
    if association.in_array:
        query = association.select([*columns, association.far_field], condition)
        return query if options.order is None else query.order_by(*association.ordering(options.order, asked))
    if options.count:
        return association.select([fn.COUNT(peewee.SQL("1")), near], condition).group_by(near)
    nodes = [*columns, *association.link_columns(options.join_attributes, asked), near]
    if association.key_on_source:
        return association.select(nodes, condition)
    order = association.ordering(options.order, asked)
    first, last = _window(association, options, asked)
    if (last is None and not first) or not _windows(association):
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


def _windows(association: Reading) -> bool:
    return store_of(association.target._meta.database).windows


# To-many


def _load_lists(association: Any, owners: Owners, options: Options, asked: str, columns: list[Field]) -> Loaded:
    limit = limit_of(association.target, options, asked)
    default = options.limit is DEFAULT and limit is not None
    if owners.alone is not None and (limit != 0 or default):
        loaded = _load_alone(association, owners, options, asked, columns, limit if default else None)
        if loaded is not None:
            return loaded
    lists: dict[int, list[Any]] = {id(owner): [] for owner in owners.all}
    if limit != 0 or default:
        link_columns = association.link_columns(options.join_attributes, asked)
        for keys in owners.portions():
            rows = _rows(association, statement(association, keys, options, asked, columns))
            _place(association, owners.reading(keys, (row[-1] for row in rows)), rows, columns, link_columns, lists)
    first, last = (0, None) if _windows(association) else _window(association, options, asked)
    found = (lists[id(owner)][first:last] if first or last is not None else lists[id(owner)] for owner in owners.all)
    return Loaded(*association.keep_lists(owners.all, found, limit if default else None, options.partial))


def _load_alone(association: Any, owners: Owners, options: Options, asked: str, columns: list[Field], cut_at: int | None) -> Loaded | None:
    """The lists of owners with a number each. None where a row's key is not spelled so."""
    link_columns, shape = association.link_columns(options.join_attributes, asked), _shape(association, options, columns)
    database = association.target._meta.database

    def rows(keys: Sequence[Any]) -> list[Any]:
        if shape is None:
            return _rows(association, statement(association, keys, options, asked, columns))
        form, value = key_list(association.near_field, keys)
        kept: Prepared = association.kept((shape, form), partial(_prepared, form, options, asked))
        return kept.execute(database, [value]).fetchall()  # type: ignore[no-any-return]

    lists = placed(association, owners.alone or {}, columns, link_columns, map(rows, owners.portions()))
    if lists is None:
        return None
    first, last = (0, None) if _windows(association) else _window(association, options, asked)
    if first or last is not None:
        lists = [found[first:last] for found in lists]
    return Loaded(*association.keep_lists(owners.all, lists, cut_at, options.partial))


def _shape(association: Any, options: Options, columns: list[Field]) -> Any:
    """What the statement's text depends on beside the association; None where it is built each time."""
    given = [*options.given]
    if any(name not in ("limit", "offset", "order") for name in given) or not isinstance(options.order, str | None):
        return None
    if len(columns) != len(association.target._meta.sorted_fields) or not plain(association):
        return None
    return ("populate", options.order, _window(association, options, ""))


def _prepared(form: str, options: Options, asked: str, association: Reading) -> Prepared:
    query = statement(association, Keys(form, 0), options, asked, association.columns(None, asked))
    return prepare(association.target._meta.database, query)


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
    make, attach, via = reader(association.target, columns), association.attach, association.via(columns, link_columns)
    for row in rows:
        for owner in meant.get(row[-1], ()):
            record = make(row)
            if via is not None:
                links_of(record)[via.name] = JoinRow(partial(via.make, row))
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
