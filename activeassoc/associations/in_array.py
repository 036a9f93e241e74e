"""Reading an association whose keys are an array on the owner: the array first, then the records that it names.

What an owner holds in memory is what its attribute shows and what populate starts from; the methods ask the database for the array.
A record that is gone is passed over, and its id with it.

Map: `InArray` is the base of `references_many`; `_rows` reads the records of any number of arrays, in as few statements as the store takes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import peewee
from peewee import fn

from activeassoc import lazy
from activeassoc.associations.any import conditions_of_any
from activeassoc.associations.array import look
from activeassoc.associations.base import Hop
from activeassoc.associations.loading import DEFAULT, Loaded, Options, columns_of, counted_name, limit_of
from activeassoc.associations.options import number
from activeassoc.associations.owners import unread
from activeassoc.associations.to_many import ToMany
from activeassoc.associations.walk import Keys, Sorted, node_of, portions_of
from activeassoc.hydrate import reader
from activeassoc.registry import Key
from activeassoc.stores.arrays import holding
from activeassoc.stores.sql import among, every_row, row_groups, rows_among
from activeassoc.targets import Target


class InArray(ToMany):
    """A to-many whose owner has the primary keys of its targets in one column."""

    key_on_source = True
    in_array = True
    key: Key

    # What it is

    @property
    def keys(self) -> tuple[Key, ...]:
        return (self.key,) if self.bound else ()

    @property
    def path(self) -> tuple[Hop, ...]:
        target = self.target
        return (Hop(self.key.attribute, target, target._meta.primary_key.name),)

    def near_of(self, owner: Any) -> Any:
        """The keys that the owner holds in memory; one query where it was read without them."""
        self.target  # noqa: B018  (a target given by name is bound on first use)
        return getattr(owner, self.key.attribute)

    def starts(self, owner: Any) -> bool:
        return bool(self.near_of(owner))

    def stored_keys(self, owner: Any, asked: str) -> list[Any]:
        """The keys in the owner's row, none where that is gone. One SELECT."""
        self.target  # noqa: B018
        try:
            return look(self.key.field, owner._pk, asked).keys
        except LookupError:
            return []

    # Reading

    def _rows(
        self, keys: Iterable[Any], columns: Sequence[Any], asked: str, where: Any = None, through_where: Any = None, order: Any = None
    ) -> dict[Any, tuple[Any, int]]:
        """The rows of the targets with these keys: key → (the row of `columns`, its place by `order`)."""
        target, referred, wanted = self.target, self.far_field, list(keys)
        condition = self.filters(asked, where, through_where)
        terms = [] if order is None else self.ordering(order, asked)
        if not wanted:
            return {}
        read, portions = Keys(referred, referred), portions_of(target, terms, wanted)
        nodes = [node_of(term) for term in terms] if len(portions) > 1 else []
        rows: list[Any] = []
        for some in portions:
            query = target.select(*columns, *nodes, referred).where(among(referred, some))
            query = query if condition is None else query.where(condition)
            rows += target._meta.database.execute(query.order_by(*terms) if terms else query).fetchall()
        width = len(columns)
        if nodes:
            rows.sort(key=lambda row: tuple(map(Sorted, row[width:-1], terms)))
        found = {read.of_target(row[-1]): (row[:width], place) for place, row in enumerate(rows)}
        read.spelled(wanted, found)
        return found

    def _listed(self, keys: Iterable[Any], found: dict[Any, tuple[Any, int]], order: Any) -> list[Any]:
        """Of the rows found those of one array: in its order, or in the one that was asked for."""
        rows = [found[key] for key in keys if key in found]
        if order is not None:
            rows.sort(key=lambda row: row[1])
        return [row for row, _ in rows]

    def read_of(self, owner: Any, asked: str, **options: Any) -> list[Any]:  # type: ignore[override]
        """The targets of one owner, as its row names them. Two statements."""
        return self._read_keys(self.stored_keys(owner, asked), asked, **options)

    def _read_keys(
        self,
        keys: list[Any],
        asked: str,
        where: Any = None,
        order: Any = None,
        limit: Any = None,
        offset: Any = None,
        through_where: Any = None,
        attributes: Any = None,
        join_attributes: Any = None,
    ) -> list[Any]:
        columns = self.columns(attributes, asked)
        limit, first = number(limit, asked, "limit"), number(offset, asked, "offset") or 0
        if limit == 0:
            return []
        rows = self._listed(keys, self._rows(keys, columns, asked, where, through_where, order), order)
        return list(map(reader(self.target, columns), rows[first : None if limit is None else first + limit]))

    def listed(self, owner: Any) -> list[Any]:
        """What the owner's collection is: the records of the keys that it holds in memory, saved or not. One query."""
        self.check_owner(owner, self.name)
        records = self._read_keys(self.near_of(owner), self.label)
        lazy.together(self.target, records)
        return records

    def number_of(self, owner: Any, asked: str, where: Any, through_where: Any) -> int:
        condition, count = self.filters(asked, where, through_where), 0
        keys = self.stored_keys(owner, asked)
        for some in row_groups(self.target, keys) if keys else ():
            query = self.target.select(fn.COUNT(peewee.SQL("1"))).where(rows_among(self.target, some))
            query = query if condition is None else query.where(condition)
            count += int(self.target._meta.database.execute(query).fetchone()[0])
        return count

    def query(
        self, owner: Any, *, where: Any = None, order: Any = None, limit: int | None = None, offset: int | None = None
    ) -> Any:
        """A query of the owner's records, not run, to go on with peewee; by primary key, unless `order` says otherwise (C14).

        The owner's array is read now (one statement); no statement of every store could sort by it, as the getter does. Without a row
        of the owner it finds nothing.
        """
        asked = self.asked("query")
        keys = self.stored_keys(owner, asked) if self.has_row(owner, "query") else []
        primary = self.target._meta.primary_key
        query = self.target.select(*self.columns(None, asked)).where(among(primary, keys) if keys else primary.in_([]))
        condition = self.filters(asked, where)
        query = (query if condition is None else query.where(condition)).order_by(*self.ordering(order, asked))
        limit, offset = number(limit, asked, "limit"), number(offset, asked, "offset")
        query = query if limit is None else query.limit(limit)
        return query.offset(offset) if offset else query

    # Many owners

    def reach(self, owners: Iterable[Any]) -> dict[Any, Any]:
        """Map every owner to its targets, in the order of its array: a list. The arrays are those that the owners hold.

        One statement however many owners (beyond what one statement can carry). Owners may repeat; two owners of one record get an
        instance each.
        """
        asked, every = self.asked("reach"), list(owners)
        for owner in every:
            self.check_owner(owner, "reach")
        columns = self.columns(None, asked)
        make, found = reader(self.target, columns), self._rows(self._wanted(every), columns, asked)
        reached: dict[Any, Any] = {}
        for owner in every:
            if owner not in reached:
                reached[owner] = list(map(make, self._listed(self.near_of(owner), found, None)))
        return reached

    def _wanted(self, owners: Iterable[Any]) -> Iterable[Any]:
        return dict.fromkeys(key for owner in owners for key in self.near_of(owner))

    def load_for(self, owners: Sequence[Any], options: Options, asked: str, needs: Iterable[Any]) -> Loaded:
        """Load the association for these owners, who hold it afterwards. One statement (beyond what one can carry)."""
        name = self.path[0].near
        for owner in owners:
            self.check_owner(owner, "get")
            if name not in owner.__data__ and getattr(owner, "_stored", None):
                raise unread(self, name, asked)
        if options.count:
            found = self._rows(self._wanted(owners), [], asked, options.where, options.through_where)
            for owner in owners:
                owner.__dict__[counted_name(self)] = sum(key in found for key in self.near_of(owner))
            return Loaded([])
        limit, first = limit_of(self.target, options, asked), options.offset or 0
        default = options.limit is DEFAULT and limit is not None
        last = None if limit is None else first + limit + default
        columns = columns_of(self, options, asked, needs)
        wanted = self._wanted(owners) if limit != 0 or default else ()
        found = self._rows(wanted, columns, asked, options.where, options.through_where, options.order)
        make = reader(self.target, columns)
        lists = [list(map(make, self._listed(self.near_of(owner), found, options.order)[first:last])) for owner in owners]
        return Loaded(*self.keep_lists(owners, lists, limit if default else None, options.partial))

    def any(self, where: Any = None) -> Any:
        """An expression for the `where` of a query of the source: owners that have such a target (C14).

        ``Post.select().where(Post.hashtags.any(Hashtag.text == "sea"))``. The keys of such targets are read now, by one statement, and
        travel to the program and back; the store then looks through the arrays, for which there is no index. Raises UnsupportedQuery
        for an SQL database of which it is not known how it looks into JSON, WrongArgument for columns of other models.
        """
        asked = self.asked("any")
        referred = self.far_field
        condition = conditions_of_any(self, asked, where)
        query = every_row(self.target, referred) if condition is None else self.target.select(referred).where(condition)
        rows = self.target._meta.database.execute(query).fetchall()
        return holding(self.key.field, self.key.field.spellings(referred.python_value(row[0]) for row in rows))

    # Asking

    def matching(self, owner: Any, targets: list[Target]) -> int:
        return len(self._there([target.key for target in targets]) & set(self.stored_keys(owner, self.declared)))

    def matching_of_all(self, owner: Any, targets: list[Target]) -> tuple[int, int]:
        keys = self.stored_keys(owner, self.declared)
        held = self._there(keys)
        given = self._there([target.key for target in targets]) if any(isinstance(key, str) for key in keys) else None
        return len(held & ({target.key for target in targets} if given is None else given)), len(held)

    def _there(self, keys: list[Any]) -> set[Any]:
        """The primary keys of those of these targets that exist, as the database spells them."""
        found: set[Any] = set()
        read, target = Keys(self.far_field, self.far_field), self.target
        for some in row_groups(target, keys) if keys else ():
            query = target.select(self.far_field).where(rows_among(target, some))
            found.update(read.of_target(row[0]) for row in target._meta.database.execute(query).fetchall())
        return found

    # In memory

    def hold(self, owner: Any, records: list[Any]) -> None:
        self.value(owner).hold(records)
