"""Reading along a path: the options of the getters, the query that they make, and its rows as records.

Map: `Reading` is the base of all kinds: `query`, `fetch`, `reach` and `attach` need nothing of a kind but its path;
`OneKey` is the base of those with one key.
`LinkAccessor` is where a fetched record keeps its join row. What the getters' options mean stands in `options`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar

import peewee
from peewee import Field

from activeassoc import lazy
from activeassoc.associations.any import any_here, can_be_here, conditions_of_any, owners_among
from activeassoc.associations.base import Association
from activeassoc.associations.options import both, condition_of, fields_of, number, ordering_of
from activeassoc.errors import WrongArgument
from activeassoc.hydrate import reader
from activeassoc.keys import is_saved
from activeassoc.reached import JoinRow, Via, links_of, reaching
from activeassoc.registry import Key, Model, is_record_of
from activeassoc.stores.bridge import unreachable
from activeassoc.stores.sql import among, every_row, groups
from activeassoc.targets import alike


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
        via = getattr(instance, "_via", None)
        if via is not None and via.name == self.name and not instance._touched:
            return self._made(instance, via.give, instance)
        rows = getattr(instance, "_links", None)
        if rows is None or self.name not in rows:
            raise AttributeError(
                f"this {type(instance).__name__} was not reached through {self.link.__name__}: it has no {self.name}"
            )
        row = rows[self.name]
        if isinstance(row, JoinRow):
            row = rows[self.name] = self._made(instance, row)
        return row

    def _made(self, instance: Any, make: Callable[..., Any], *arguments: Any) -> Any:
        try:
            return make(*arguments)
        except RuntimeError:
            # The row of a record that was linked, and not read, may take a query.
            if not unreachable([self.link._meta.database]):
                raise
        raise lazy.not_in_passing(instance, self.name, f'await {type(instance).__name__.lower()}.afetch("{self.name}")')

    def __set__(self, instance: Any, value: Any) -> None:
        if not isinstance(value, Mapping) and not is_record_of(value, self.link):
            raise WrongArgument(
                f"{type(instance).__name__}.{self.name} = {value!r}",
                f"this is neither a {self.link.__name__} nor a mapping of its attributes",
                'Write a mapping, as in {"status": "active"}',
                value=value,
            )
        links_of(instance)[self.name] = value

    def __delete__(self, instance: Any) -> None:
        links_of(instance).pop(self.name, None)


class Reading(Association):
    """What every kind reads with: its path, walked for one owner or for many at the same cost."""

    #: The keys are an array on the owner; it loads its records by `load_for`.
    in_array: ClassVar[bool] = False

    @property
    def apart(self) -> bool:
        """Whether links and targets cannot be joined, and are read one after the other."""
        return False

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
        """The value from which the walk of `owner` starts; one query where the owner was read without that column."""
        name = self.path[0].near
        # Without it an owner that has targets would seem to have none.
        if name not in owner.__data__ and is_saved(owner):
            field = self.source._meta.fields[name]
            row = self.source._meta.database.execute(every_row(self.source, field).where(owner._pk_expr())).fetchone()
            owner.__data__[name] = None if row is None else field.python_value(row[0])
        return owner.__data__.get(name)

    def starts(self, owner: Any) -> bool:
        """Whether there is something to ask the database for: an owner without a row has no targets."""
        return is_saved(owner) and owner.__data__.get(self.path[0].near, "not read") is not None

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

    def links_to(self, near: Any, far: Any) -> Any:
        """The condition for the link between the owner and the target whose keys are these nodes, for a path of two hops."""
        raise NotImplementedError

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
        terms = ordering_of([self.target] if self.link is None else [self.target, self.link], order, asked)
        sorted_by = [term.node if isinstance(term, peewee.Ordering) else term for term in terms]
        return [*terms, *(field for field in primary if not any(field is node for node in sorted_by))]

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
        via = self.via(columns, link_columns)
        rows = self.target._meta.database.execute(query).fetchall()
        records = reaching(self.target, columns, len(columns) + len(link_columns) + extra, "via" if via else "")(rows, via)
        if not extra:
            return [(record,) for record in records]
        return [(record, *row[-extra:]) for record, row in zip(records, rows, strict=True)]

    def via(self, columns: Sequence[Field], link_columns: Sequence[Field]) -> Via | None:
        """What makes the join rows of the rows whose columns are `columns`, then `link_columns`; None where they have none."""
        if self.link is None or not link_columns:
            return None
        return Via(self.link_name, reader(self.link, link_columns, len(columns)))

    @property
    def beside(self) -> str:
        """The field's name under which a record of this association holds its owner; "" where it holds none."""
        return ""

    def fetch(self, owner: Any, operation: str, *, populate: Any = None, **options: Any) -> list[Any]:
        """The targets of one owner, by the options of `read_of`, told who their owner is.

        One statement, and one for each association that `populate` names.
        """
        asked = self.asked(operation)
        plan = None if populate is None else lazy.populating(self.target, populate, f"{asked} with populate={populate!r}")
        attributes = options.get("attributes")
        if attributes is not None and plan is not None:
            options["attributes"] = [*([attributes] if isinstance(attributes, str | Field) else attributes), *plan.needs]
        records = self.read_of(owner, asked, **options)
        for record in records:
            self.attach(owner, record)
        lazy.together(self.target, records)
        if plan is not None:
            plan.run(records)
        return records

    def read_of(
        self,
        owner: Any,
        asked: str,
        where: Any = None,
        order: Any = None,
        limit: Any = None,
        offset: Any = None,
        through_where: Any = None,
        attributes: Any = None,
        join_attributes: Any = None,
    ) -> list[Any]:
        """The targets of one owner, not told of it yet. One statement."""
        columns, link_columns = self.columns(attributes, asked), self.link_columns(join_attributes, asked)
        query = self.query_of(owner, asked, where, order, limit, offset, through_where, [*columns, *link_columns])
        return [record for (record,) in self.read(query, columns, link_columns)]

    def attach(self, owner: Any, record: Any) -> None:
        """Tell a record that was just read, or linked, who its owner is, where it has a place for that."""

    def keep(self, owner: Any, found: Any, *, truncated: bool = False, partial: bool = False) -> None:
        """Leave with the owner what populate has loaded for it: its records, or for a to-one its record or None."""
        raise NotImplementedError

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
        return query if self.near_of(owner) is not None else query.where(self.near_field.in_([]))

    def reach(self, owners: Iterable[Any]) -> dict[Any, Any]:
        """Map every owner to its targets, by primary key or the association's order: a list, or for a to-one a record or None.

        One statement however many owners (beyond what one statement can carry). Owners may repeat; an owner without a row
        has none. In a to-many two owners of one record get an instance each, in a to-one they share it.
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
                _group(groups_of, convert(near)).append(record)
        reached: dict[Any, Any] = {}
        for owner in owners:
            if owner in reached:
                continue
            key = self.near_of(owner)
            records = groups_of.get(key, [])
            if not records and isinstance(key, str) and any(alike(key, other) for other in groups_of if other is not key):
                # A collation calls both one: the rows went to the other spelling's group.
                records = self.read_of(owner, asked)
            for record in records:
                self.attach(owner, record)
            reached[owner] = list(records) if self.to_many else next(iter(records), None)
        return reached

    def any(self, where: Any = None) -> Any:
        """An expression for the `where` of a query of the source: owners that have such a target (C14).

        ``Project.select().where(Project.tasks.any(Task.done == False))``. Within one SQL database it is an EXISTS, a part of
        the statement. Elsewhere it is an IN over a query of the owners' keys, which is run first, by its own database: a
        statement more, and two for a many-to-many whose links share an SQL database with neither end; the keys travel to the
        program. Conditions there name columns of the target (and the link) alone; others raise WrongArgument.
        """
        asked = self.asked("any")
        return any_here(self, asked, where) if can_be_here(self) else self._any_elsewhere(asked, where)

    def _any_elsewhere(self, asked: str, where: Any) -> Any:
        """The condition of `any` where a statement of its own finds the owners' keys."""
        key = self.near_field
        condition = both(key.is_null(False) if key.null else None, conditions_of_any(self, asked, where))
        return owners_among(self, [self.select([key], condition)])

    # What is held in memory

    def held(self, owner: Any) -> dict[str, Any]:
        """What `owner` holds of its associations: name → collection, record or None."""
        loaded = getattr(owner, "_loaded", None)
        if loaded is None:
            loaded = owner.__dict__.setdefault("_loaded", {})
        return loaded  # type: ignore[no-any-return]

    def forget_on(self, record: Any, *, but: Association | None = None) -> None:
        """Forget what `record` holds loaded over any of this association's keys."""
        loaded = getattr(record, "_loaded", None)
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


class OneKey(Reading):
    """An association over one key: all kinds but the many-to-many."""

    key: Key

    def take(self, key: Key) -> None:
        """Use this key."""
        self.key = key
        self._kept = None

    @property
    def keys(self) -> tuple[Key, ...]:
        return (self.key,) if self.bound else ()


def _group(groups_of: dict[Any, list[Any]], key: Any) -> list[Any]:
    """The group of a key, also where the row spells it otherwise: a collation may call "ann" and "Ann" the same."""
    found = groups_of.get(key)
    if found is None:
        found = next((group for other, group in groups_of.items() if alike(key, other)), None)
    return found if found is not None else groups_of.setdefault(key, [])
