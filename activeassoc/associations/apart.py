"""What a many-to-many does where its links and targets cannot be joined: the same operations, over two statements instead of one.

Map: `Apart` stands between `Linking`, whose operations join, and the kind itself; each of its operations asks `apart` first and
else passes on. How links and targets are read and put together stands in `walk`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

import peewee

from activeassoc.associations.any import conditions_of_any, owners_among
from activeassoc.associations.linking import Found, Linking
from activeassoc.associations.loading import DEFAULT, Loaded, Options, counted_name, limit_of
from activeassoc.associations.options import both, number
from activeassoc.associations.owners import Owners
from activeassoc.associations.walk import NoKey, Pair, Walk
from activeassoc.errors import WrongArgument
from activeassoc.hydrate import reader
from activeassoc.reached import JoinRow, links_of
from activeassoc.stores.sql import among, every_row, groups, row_groups, rows_among, same_database, store_of
from activeassoc.targets import Target, key_of


class Apart(Linking):
    """A many-to-many whose links may be in another database than its targets, or in a store without joins."""

    @property
    def apart(self) -> bool:
        """Whether links and targets have to be read by statements of their own."""
        target: Any = self.target
        through: Any = self.through
        return not (same_database(through, target) and store_of(target._meta.database).joins)

    # Getting

    def read_of(self, owner: Any, asked: str, **options: Any) -> list[Any]:  # type: ignore[override]
        """The targets of one owner, not told of it yet. Two statements where they cannot be joined."""
        if not self.apart:
            return super().read_of(owner, asked, **options)
        columns = self.columns(options.get("attributes"), asked)
        link_columns = self.link_columns(options.get("join_attributes"), asked)
        limit, offset = number(options.get("limit"), asked, "limit"), number(options.get("offset"), asked, "offset")
        if limit == 0:
            return []
        said: dict[str, Any] = {name: options.get(name) for name in ("where", "through_where", "order")}
        found = Walk(self, asked, **said).pairs([self.near_of(owner)], columns, link_columns, limit, offset)
        make = self._maker(columns, link_columns)
        return [make(pair) for some in found.values() for pair in some]

    def _maker(self, columns: Sequence[Any], link_columns: Sequence[Any]) -> Any:
        """A function that makes the instance of a pair, with its join row."""
        make, name = reader(self.target, columns), self.link_name
        make_link = reader(self.through, link_columns) if link_columns else None

        def record_of(pair: Pair) -> Any:
            record = make(pair.target)
            if make_link is not None:
                links_of(record)[name] = JoinRow(partial(make_link, pair.link))
            return record

        return record_of

    def query(
        self, owner: Any, *, where: Any = None, order: Any = None, limit: int | None = None, offset: int | None = None
    ) -> Any:
        """The getter's query, not run, to go on with peewee: ``Project.tasks.query(project).where(…).count()`` (C14).

        Without a row of the owner it finds nothing. The rows carry their join row where there is a through model. Where the
        links are in another database than the records, they are read now (one statement), and the rows carry none.
        """
        if not self.apart:
            return super().query(owner, where=where, order=order, limit=limit, offset=offset)
        asked = self.asked("query")
        self.check_owner(owner, "query")
        walk = Walk(self, asked, where=where, order=order)
        if walk.link_terms:
            raise WrongArgument(
                asked,
                f"the order names columns of {self.through.__name__}, which this query of {self.target.__name__} cannot reach",
                f"Write {self.source.__name__.lower()}.get_{self.names.many}(order=…)",
                value=order,
            )
        near, keys = self.near_of(owner), walk.keys
        links = walk.links([near]) if near is not None else ()
        wanted = list(dict.fromkeys(key for key in (keys.of_link(far) for _, far, _, _ in links) if key is not None))
        query = self.target.select(*self.columns(None, asked)).where(among(self.far_field, wanted) if wanted else self.far_field.in_([]))
        query = (query if walk.of_targets is None else query.where(walk.of_targets)).order_by(*walk.target_terms)
        limit, offset = number(limit, asked, "limit"), number(offset, asked, "offset")
        query = query if limit is None else query.limit(limit)
        return query.offset(offset) if offset else query

    def _any_elsewhere(self, asked: str, where: Any) -> Any:
        if not self.apart:
            return super()._any_elsewhere(asked, where)
        conditions_of_any(self, asked, where)
        walk, referred, found = Walk(self, asked, where=where, ordered=False), self.far_field, []
        for near, far in self.ends.both_ways:
            # Without a condition the targets that have a link are fewer than all.
            wanted = walk.of_targets if walk.of_targets is not None else referred.in_(self.through.select(far))
            there = far.in_(self.target.select(referred).where(wanted))
            found.append(self.through.select(near).where(both(there, walk.of_links)))
        return owners_among(self, found)

    def number_of(self, owner: Any, asked: str, where: Any, through_where: Any) -> int:
        if not self.apart:
            return super().number_of(owner, asked, where, through_where)
        walk = Walk(self, asked, where=where, through_where=through_where, ordered=False)
        return sum(map(len, walk.pairs([self.near_of(owner)], []).values()))

    # Many owners

    def reach(self, owners: Iterable[Any]) -> dict[Any, Any]:
        """Map every owner to its targets, by primary key or the association's order: a list.

        One statement however many owners (beyond what one statement can carry), or two where links and targets cannot be
        joined. Owners may repeat; an owner without a row has none. Two owners of one record get an instance each.
        """
        if not self.apart:
            return super().reach(owners)
        asked = self.asked("reach")
        owners = list(owners)
        for owner in owners:
            self.check_owner(owner, "reach")
            self.near_of(owner)  # it is read where the owner was read without it
        by_key = Owners(self, list({id(owner): owner for owner in owners}.values()), asked)
        lists = self._lists(by_key, Options(limit=None), asked, self.columns(None, asked), None)
        reached: dict[Any, Any] = {}
        for owner in owners:
            reached.setdefault(owner, lists[id(owner)])
        return reached

    def load_apart(self, owners: Owners, options: Options, asked: str, columns: list[Any], links: Any = None) -> Loaded:
        """Load the association for these owners, who hold it afterwards: a statement for the links, and one for the targets."""
        if options.count:
            return self._load_counts(owners, options, asked, links)
        limit = limit_of(self.target, options, asked)
        default = options.limit is DEFAULT and limit is not None
        lists = self._lists(owners, options, asked, columns, limit, links) if limit != 0 or default else {}
        found = (lists.get(id(owner), []) for owner in owners.all)
        return Loaded(*self.keep_lists(owners.all, found, limit if default else None, options.partial))

    def _lists(
        self, owners: Owners, options: Options, asked: str, columns: list[Any], limit: int | None, links: Any = None
    ) -> dict[int, list[Any]]:
        """The records of each owner, by its id; with the default limit one more than that, where there are more."""
        walk = Walk(self, asked, where=options.where, through_where=options.through_where, order=options.order)
        walk.known = links
        link_columns = self.link_columns(options.join_attributes, asked)
        make, first = self._maker(columns, link_columns), options.offset or 0
        last = None if limit is None else first + limit + (1 if options.limit is DEFAULT else 0)
        lists: dict[int, list[Any]] = {id(owner): [] for owner in owners.all}
        for keys in owners.portions() if links is None else [list(owners.by_key)]:
            found = walk.pairs(keys, columns, link_columns)
            for near, some in owners.reading(keys, found).items():
                for owner in some:
                    for pair in found[near][first:last]:
                        record = make(pair)
                        self.attach(owner, record)
                        lists[id(owner)].append(record)
        return lists

    def _load_counts(self, owners: Owners, options: Options, asked: str, links: Any) -> Loaded:
        walk = Walk(self, asked, where=options.where, through_where=options.through_where, ordered=False)
        walk.known = links
        counts: dict[int, int] = {}
        for keys in owners.portions() if links is None else [list(owners.by_key)]:
            found = walk.pairs(keys, [])
            for near, some in owners.reading(keys, found).items():
                counts.update((id(owner), len(found[near])) for owner in some)
        for owner in owners.all:
            owner.__dict__[counted_name(self)] = counts.get(id(owner), 0)
        return Loaded([])

    # Reading what is linked

    def _found(self, owner: Any, targets: list[Target], operation: str, *, every: bool, whole: bool) -> dict[Any, Found]:
        if not self.apart:
            return super()._found(owner, targets, operation, every=every, whole=whole)
        near, ends, referred = self.near_of(owner), self.ends, self.far_field
        columns, link_columns = self.columns(None if whole else [], operation), self.link_columns(None, operation)
        make_link = reader(self.through, link_columns)
        walk = self._rows_only(operation)
        links: dict[Any, Any] = {}
        wanted = [each.key for each in targets if not each.new]
        primary = self.target._meta.primary_key is referred
        if every:
            links = {walk.keys.named(far): (far, make_link(row)) for _, far, row, _ in walk.links([near], link_columns)}
        named = [key for key in links if not isinstance(key, NoKey)]
        if every and primary:
            records = self._records(columns, list(dict.fromkeys([*wanted, *named])))
        else:
            records = self._records(columns, wanted)
            records.update(self._records(columns, named, referred))
        there = {walk.keys.of_target(record.__data__[referred.name]): record for record in records.values()}
        for some in () if every else groups(self.through._meta.database, list(there)):
            rows = walk.links([near], link_columns, ends.between(near, some))
            links.update({walk.keys.named(far): (far, make_link(row)) for _, far, row, _ in rows})
        walk.keys.spelled(links, there)
        gone = {key: (ends.far.python_value(far), link) for key, (far, link) in links.items() if key not in there}
        found = {("gone", value): Found(value, None, link) for value, link in gone.values()}
        linked = {id(there[key]): link for key, (_, link) in links.items() if key in there}
        for key, record in records.items():
            found[key] = Found(record.__data__[referred.name], record, linked.get(id(record)))
        return found

    def _rows_only(self, asked: str) -> Walk:
        """A walk without the association's own where: what is written must not overlook a link."""
        walk = Walk(self, asked, ordered=False)
        walk.of_links = walk.of_targets = None
        return walk

    def _records(self, columns: Sequence[Any], keys: Sequence[Any], by: Any = None) -> dict[Any, Any]:
        """The targets with these primary keys, or values of another field, by primary key."""
        target, make, found = self.target, reader(self.target, columns), {}
        portions = row_groups(target, keys) if by is None else groups(target._meta.database, keys)
        for some in portions if keys else ():
            query = every_row(target, *columns).where(rows_among(target, some) if by is None else among(by, some))
            found.update({key_of(record): record for record in map(make, target._meta.database.execute(query).fetchall())})
        return found

    # Asking

    def matching(self, owner: Any, targets: list[Target]) -> int:
        if not self.apart:
            return super().matching(owner, targets)
        walk, near, found = Walk(self, self.declared, ordered=False), self.near_of(owner), 0
        values = self._values_there(walk, [target.key for target in targets])
        for some in groups(self.through._meta.database, values) if values else ():
            links = walk.links([near], (), self.ends.between(near, some))
            found += len({walk.keys.of_link(far) for _, far, _, _ in links})
        return found

    def matching_of_all(self, owner: Any, targets: list[Target]) -> tuple[int, int]:
        if not self.apart:
            return super().matching_of_all(owner, targets)
        walk = Walk(self, self.declared, ordered=False)
        linked = {walk.keys.of_link(far) for _, far, _, _ in walk.links([self.near_of(owner)])}
        there = set(walk.targets(linked, ()))
        given = self._values_there(walk, [target.key for target in targets])
        return len({value for value in given if value in there}), len(there)

    def _values_there(self, walk: Walk, keys: list[Any]) -> list[Any]:
        """What links hold of those of these targets that exist, and that the association's where covers."""
        target, referred, values = self.target, self.far_field, []
        for some in row_groups(target, keys):
            query = target.select(referred).where(*(each for each in (rows_among(target, some), walk.of_targets) if each is not None))
            values += [walk.keys.of_target(value) for (value,) in target._meta.database.execute(query).fetchall()]
        return values

    # Writing

    def _update(self, near: Any, changes: list[tuple[Any, dict[Any, Any]]]) -> None:
        if store_of(self.through._meta.database).expressions:
            super()._update(near, changes)
            return
        # No CASE tells the values of several links apart: those that get the same are updated together.
        alike: list[tuple[dict[Any, Any], list[Any]]] = []
        for key, values in changes:
            known = next((keys for other, keys in alike if _same(other, values)), None)
            if known is None:
                alike.append((values, [key]))
            else:
                known.append(key)
        for values, keys in alike:
            for some in groups(self.through._meta.database, keys):
                self.through.update(values).where(self.ends.between(near, some)).execute()


def _same(one: dict[Any, Any], other: dict[Any, Any]) -> bool:
    """Whether two mappings of fields to values are one; expressions are only themselves."""
    if [field.name for field in one] != [field.name for field in other]:
        return False
    return all(map(_one_value, one.values(), other.values()))


def _one_value(mine: Any, theirs: Any) -> bool:
    return mine is theirs or (not isinstance(mine, peewee.Node) and type(mine) is type(theirs) and bool(mine == theirs))


