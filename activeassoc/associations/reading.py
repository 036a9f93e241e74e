"""Reading along a path: the options of the getters, the query that they make, and its rows as records.

Map: `Options` reads and checks what a getter was given; `Reading` is the base of all kinds: `query`, `fetch`, `reach` and
`attach` need nothing of a kind but its path. `LinkAccessor` is where a fetched record keeps its join row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import reduce
from operator import and_
from typing import Any

import peewee
from peewee import Field, Node, fn

from activeassoc import criteria
from activeassoc.associations.base import Association
from activeassoc.errors import UnknownName, WrongArgument, nearest
from activeassoc.hydrate import reader
from activeassoc.keys import field_names, find_field, is_record_of
from activeassoc.registry import Model
from activeassoc.stores.sql import among, groups, same_database


def both(*conditions: Any) -> Any:
    """The conditions joined by AND, None where there are none."""
    found = [condition for condition in conditions if condition is not None]
    return reduce(and_, found) if found else None


def condition_of(model: Model, value: Any, asked: str, option: str = "where") -> Any:
    """A `where`: a peewee expression, a criteria mapping (I), or None."""
    if value is None:
        return None
    if isinstance(value, Mapping):
        return criteria.parse(model, value, asked=asked)
    if isinstance(value, str):
        raise WrongArgument(
            asked,
            f"{option}={value!r} is a text, and a text could hold anything",
            f'Write {model.__name__}.{value}, or SQL("{value}") where it has to be SQL',
            value=value,
        )
    if not isinstance(value, Node) or isinstance(value, peewee.Model | type):
        raise WrongArgument(
            asked,
            f"{option}={value!r} is neither an expression nor a criteria mapping",
            f"Write an expression of {model.__name__}'s fields",
            value=value,
        )
    return value


def field_called(models: Sequence[Model], name: str, asked: str, option: str) -> Field:
    """The field called `name` of the first model that has it."""
    for model in models:
        field = find_field(model, name)
        if field is not None:
            return field
    known = field_names(models[0])
    raise UnknownName(
        asked, f"{models[0].__name__} has no field {name!r} for {option}", nearest(name, known), name=name, known=known
    )


def fields_of(model: Model, names: Any, asked: str, option: str) -> list[Field]:
    """The fields that `names` (names or fields, or one of these) mean."""
    if isinstance(names, str | Field):
        names = [names]
    found: list[Field] = []
    for name in names:
        if isinstance(name, str):
            field = field_called([model], name, asked, option)
        elif isinstance(name, Field) and name.model is model:
            field = name
        else:
            raise WrongArgument(
                asked, f"{name!r} in {option} is no field of {model.__name__}", "Give its fields or their names", value=name
            )
        # A list of fields cannot be asked with `in`: == builds an expression, which is true.
        if not any(field is other for other in found):
            found.append(field)
    return found


def number(value: Any, asked: str, option: str) -> int | None:
    """A limit or an offset."""
    if value is None or (isinstance(value, int) and not isinstance(value, bool) and value >= 0):
        return value
    raise WrongArgument(asked, f"{option}={value!r} is no number of records", "Give a whole number from 0", value=value)


class LinkAccessor:
    """``project.user_projects``: the join row through which a fetched record was reached, or the attributes for the next link.

    A record that was not reached through the link has no such attribute. The row is made when it is asked for.
    """

    def __init__(self, link: Model, name: str) -> None:
        self.link = link
        self.name = name

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        if instance is None:
            return self
        rows = instance.__dict__.get("_links")
        if rows is None or self.name not in rows:
            raise AttributeError(
                f"this {type(instance).__name__} was not reached through {self.link.__name__}: it has no {self.name}"
            )
        row = rows[self.name]
        if callable(row):
            row = rows[self.name] = row()
        return row

    def __set__(self, instance: Any, value: Any) -> None:
        if not isinstance(value, Mapping) and not is_record_of(value, self.link):
            raise WrongArgument(
                f"{type(instance).__name__}.{self.name} = {value!r}",
                f"this is neither a {self.link.__name__} nor a mapping of its attributes",
                'Write a mapping, as in {"status": "active"}',
                value=value,
            )
        instance.__dict__.setdefault("_links", {})[self.name] = value

    def __delete__(self, instance: Any) -> None:
        instance.__dict__.get("_links", {}).pop(self.name, None)


def row_maker(read: Callable[[Sequence[Any]], Any], row: Sequence[Any]) -> Callable[[], Any]:
    """A join row that is made when somebody asks for it."""

    def make() -> Any:
        link = read(row)
        link.__dict__["_join_row"] = True
        return link

    return make


class Reading(Association):
    """What every kind reads with: its path, walked for one owner or for many at the same cost."""

    # Where the records stand

    @property
    def link(self) -> Model | None:
        """The through model, for a path of two hops."""
        path = self.path
        return path[0].model if len(path) == 2 else None

    @property
    def link_name(self) -> str:
        """The attribute under which a record keeps its join row."""
        return ""

    @property
    def near_field(self) -> Field:
        """The field that holds the owner's key."""
        hop = self.path[0]
        return hop.model._meta.fields[hop.far]  # type: ignore[no-any-return]

    @property
    def far_field(self) -> Field:
        """The target's field that the last hop arrives at."""
        hop = self.path[-1]
        return hop.model._meta.fields[hop.far]  # type: ignore[no-any-return]

    def near_of(self, owner: Any) -> Any:
        """The value from which the walk of `owner` starts."""
        return owner.__data__.get(self.path[0].near)

    def near_is(self, keys: Sequence[Any]) -> Any:
        """The condition for the owners with these keys."""
        return among(self.near_field, keys)

    @property
    def near_node(self) -> Any:
        """The node that tells which owner a row belongs to."""
        return self.near_field

    def joined(self, query: Any) -> Any:
        """`query`, which selects from the target, joined to the through model where there is one."""
        link = self.link
        if link is None:
            return query
        condition = link._meta.fields[self.path[1].near] == self.far_field
        return query.join(link, on=condition, attr=self.link_name)

    # Options

    def columns(self, attributes: Any, asked: str) -> list[Field]:
        """The target's fields to read: those asked for, always with the primary key and the key of the association (C11)."""
        target = self.target
        if attributes is None:
            return list(target._meta.sorted_fields)
        found = fields_of(target, attributes, asked, "attributes")
        for field in (*target._meta.get_primary_keys(), self.far_field):
            if not any(field is other for other in found):
                found.append(field)
        return found

    def link_columns(self, join_attributes: Any, asked: str) -> list[Field]:
        """The through model's fields to read: all, or those asked for with the keys; none for ``[]`` (D4)."""
        link = self.link
        if link is None:
            return []
        if join_attributes is None:
            return list(link._meta.sorted_fields)
        found = fields_of(link, join_attributes, asked, "join_attributes")
        if found:
            for field in (*(key.field for key in self.keys), *link._meta.get_primary_keys()):
                if not any(field is other for other in found):
                    found.append(field)
        return found

    def ordering(self, order: Any, asked: str) -> list[Any]:
        """ORDER BY: what was asked for, else what the association says, then the primary key (C13)."""
        primary = list(self.target._meta.get_primary_keys())
        order = self.order if order is None else order
        if order is None:
            return primary
        models = [self.target] if self.link is None else [self.target, self.link]
        terms: list[Any] = []
        for term in [order] if isinstance(order, str | Node) or not isinstance(order, Iterable) else order:
            if isinstance(term, str):
                field = field_called(models, term.removeprefix("-"), asked, "order")
                terms.extend(criteria.ordering(field, descending=term.startswith("-")))
            elif isinstance(term, Node) and not isinstance(term, peewee.Model | type):
                terms.append(term)
            else:
                raise WrongArgument(
                    asked, f"order={term!r} is neither a field, an expression nor a name", 'Write "title" or "-title"', value=term
                )
        return [*terms, *(field for field in primary if not any(field is term for term in terms))]

    def filters(self, asked: str, where: Any = None, through_where: Any = None) -> Any:
        """The scope of the association with the conditions of one call."""
        target = self.target
        conditions = [condition_of(target, self.where, self.declared), condition_of(target, where, asked)]
        if through_where is not None:
            if self.link is None:
                raise WrongArgument(asked, "there is no through model for through_where", "Write where=", value=through_where)
            conditions.append(condition_of(self.link, through_where, asked, "through_where"))
        return both(*conditions)

    # Queries

    def select(self, nodes: Sequence[Any], condition: Any) -> Any:
        """A query of these columns of the target (and of the link), joined along the path."""
        query = self.joined(self.target.select(*nodes))
        return query if condition is None else query.where(condition)

    def query_of(
        self, owner: Any, asked: str, where: Any, order: Any, limit: Any, offset: Any, through_where: Any, nodes: Sequence[Any]
    ) -> Any:
        """The query of a getter: these columns of the targets of one owner."""
        condition = both(self.near_is([self.near_of(owner)]), self.filters(asked, where, through_where))
        query = self.select(nodes, condition).order_by(*self.ordering(order, asked))
        limit, offset = number(limit, asked, "limit"), number(offset, asked, "offset")
        if limit is not None:
            query = query.limit(limit)
        return query.offset(offset) if offset else query

    def read(self, query: Any, columns: Sequence[Field], link_columns: Sequence[Field], extra: int = 0) -> list[tuple[Any, ...]]:
        """Run a query of `columns`, then `link_columns`, then `extra` more: (record, *extra values) of each row.

        It runs through the database object, so that hooks, logging and error translation see it.
        """
        make = reader(self.target, columns)
        make_link = reader(self.link, link_columns) if self.link is not None and link_columns else None
        width, found = len(columns), []
        for row in self.target._meta.database.execute(query).fetchall():
            record = make(row)
            if make_link is not None:
                record.__dict__["_links"] = {self.link_name: row_maker(make_link, row[width : width + len(link_columns)])}
            found.append((record, *row[len(row) - extra :]) if extra else (record,))
        return found

    def fetch(
        self,
        owner: Any,
        operation: str,
        *,
        where: Any = None,
        attributes: Any = None,
        order: Any = None,
        limit: Any = None,
        offset: Any = None,
        join_attributes: Any = None,
        through_where: Any = None,
    ) -> list[Any]:
        """The targets of one owner. One statement."""
        asked = self.asked(operation)
        columns, link_columns = self.columns(attributes, asked), self.link_columns(join_attributes, asked)
        query = self.query_of(owner, asked, where, order, limit, offset, through_where, [*columns, *link_columns])
        records = [record for (record,) in self.read(query, columns, link_columns)]
        for record in records:
            self.attach(owner, record)
        return records

    def attach(self, owner: Any, record: Any) -> None:
        """Tell a record that was just read, or linked, who its owner is, where it has a place for that."""

    def query(
        self, owner: Any, *, where: Any = None, order: Any = None, limit: int | None = None, offset: int | None = None
    ) -> Any:
        """The getter's query, not run, to go on with peewee: ``Project.tasks.query(project).where(…).count()`` (C14).

        Without a row of the owner it finds nothing. The rows carry their join row where there is a through model.
        """
        asked = self.asked("query")
        self.check_owner(owner, "query")
        nodes = [*self.columns(None, asked), *self.link_columns(None, asked)]
        query = self.query_of(owner, asked, where, order, limit, offset, None, nodes)
        # peewee asks `key IS NULL` of an owner without a key, and finds other people's orphans.
        return query if self.near_of(owner) is not None else query.where(peewee.SQL("1 = 0"))

    def reach(self, owners: Iterable[Any]) -> dict[Any, Any]:
        """Map every owner to its targets, by primary key or the association's order: a list, or for a to-one a record or None.

        One statement however many owners (beyond what one statement can carry). Owners may repeat; an owner without a row
        has none. Two owners of one record get an instance each.
        """
        asked = self.asked("reach")
        owners = list(owners)
        groups_of: dict[Any, list[Any]] = {}
        for owner in owners:
            self.check_owner(owner, "reach")
            key = self.near_of(owner)
            if key is not None:
                groups_of.setdefault(key, [])
        columns, link_columns = self.columns(None, asked), self.link_columns(None, asked)
        convert = self.near_field.python_value
        for some in groups(self.target._meta.database, list(groups_of)):
            query = self.select([*columns, *link_columns, self.near_node], both(self.near_is(some), self.filters(asked)))
            for record, near in self.read(query.order_by(*self.ordering(None, asked)), columns, link_columns, extra=1):
                _place(groups_of, convert(near)).append(record)
        reached: dict[Any, Any] = {}
        for owner in owners:
            if owner in reached:
                continue
            records = groups_of.get(self.near_of(owner), [])
            for record in records:
                self.attach(owner, record)
            reached[owner] = list(records) if self.to_many else next(iter(records), None)
        return reached

    def any(self, where: Any = None) -> Any:
        """An EXISTS expression for the `where` of a query of the source: owners that have such a target (C14).

        ``Project.select().where(Project.tasks.any(Task.done == False))``. It is part of one statement, so source and
        target have to be in one database.
        """
        asked = self.asked("any")
        if not same_database(self.source, self.target):
            raise WrongArgument(
                asked, "source and target are in different databases", "Read the keys first and use in_()", value=where
            )
        target = self.target.alias()
        hop, link = self.path[-1], self.link
        far, primary = getattr(target, hop.far), self.target._meta.get_primary_keys()
        inner = target.select(peewee.SQL("1"))
        if link is None:
            condition = far == self.source._meta.fields[self.path[0].near]
        else:
            inner = inner.join(link, on=(link._meta.fields[hop.near] == far))
            condition = self.near_field == self.source._meta.fields[self.path[0].near]
        filters = self.filters(asked, where)
        if filters is not None:
            # The conditions name the target's own table: found by its primary key, they need no rewriting for the alias.
            own = self.target.select(peewee.SQL("1")).where(
                both(*(field == getattr(target, field.name) for field in primary), filters)
            )
            condition = condition & fn.EXISTS(own)
        return fn.EXISTS(inner.where(condition))

    # What is held in memory

    def held(self, owner: Any) -> dict[str, Any]:
        """What `owner` holds of its associations: name → collection, record or None."""
        return owner.__dict__.setdefault("_loaded", {})  # type: ignore[no-any-return]

    def forget_on(self, record: Any, *, but: Association | None = None) -> None:
        """Forget what `record` holds loaded over any of this association's keys."""
        loaded = record.__dict__.get("_loaded")
        if not loaded:
            return
        mine = {id(key) for key in self.keys}
        for name in list(loaded):
            association = type(record).associations.get(name)
            if association is not None and association is not but and any(id(key) in mine for key in association.keys):
                value = loaded[name]
                if hasattr(value, "forget"):
                    value.forget()
                else:
                    del loaded[name]


def _place(groups_of: dict[Any, list[Any]], key: Any) -> list[Any]:
    """The group of a key as the database spells it: a collation may call "ann" and "Ann" the same."""
    found = groups_of.get(key)
    if found is None and isinstance(key, str):
        plain = key.casefold().rstrip()
        found = next(
            (group for other, group in groups_of.items() if isinstance(other, str) and other.casefold().rstrip() == plain), None
        )
    return found if found is not None else groups_of.setdefault(key, [])
