"""A many-to-many whose links and targets cannot be joined: the links are read first, then the targets that they name.

That is so where the two stand in different databases, and where both are in a store without joins. The conditions and the
order of one call are parted by model, each store answers its part, and the program puts the two together.

Map: `Walk` is the reading of one call: `links`, `targets`, and `pairs`, which are both together by owner; `parted` parts
conditions, `mentioned` tells which models a node names; `Keys` compares the keys of both stores as the target's type; `portions_of`,
`node_of` and `Sorted` put the rows of several statements in one order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import peewee
from peewee import Field, Ordering

from activeassoc.associations.options import both, condition_of, leaves
from activeassoc.errors import WrongArgument
from activeassoc.registry import Model
from activeassoc.stores.sql import among, base_field, coercer, every_row, groups, store_of
from activeassoc.targets import folded


class Pair(NamedTuple):
    """A link and its target, as rows."""

    target: Any
    link: Any
    #: By what the pairs of one owner are sorted.
    place: Any


def mentioned(node: Any, models: Sequence[Model]) -> list[Model]:
    """Those of the models whose columns a node names, however deep."""
    found = {id(each.model) for each in leaves(node) if isinstance(each, Field)}
    return [model for model in models if id(model) in found]


def _conjuncts(node: Any) -> Iterator[Any]:
    """The conditions that all have to hold."""
    if isinstance(node, peewee.Expression) and node.op == peewee.OP.AND:
        yield from _conjuncts(node.lhs)
        yield from _conjuncts(node.rhs)
    else:
        yield node


def parted(link: Model, target: Model, condition: Any, asked: str) -> tuple[Any, Any]:
    """The part of a condition that the link's store can answer, and the part for the target's."""
    parts: tuple[list[Any], list[Any]] = ([], [])
    for each in _conjuncts(condition) if condition is not None else ():
        models = mentioned(each, [link, target])
        if len(models) > 1:
            raise _mixed(asked, link, target, "one condition names", "Join conditions on one of them each by &, or write through_where=")
        parts[models != [link]].append(each)
    return both(*parts[0]), both(*parts[1])


def _mixed(asked: str, link: Model, target: Model, what: str, instead: str) -> WrongArgument:
    return WrongArgument(
        asked,
        f"{what} columns of {link.__name__} and of {target.__name__}, and no statement reaches both",
        instead,
        value=None,
    )


class NoKey(NamedTuple):
    """What a link's column holds that can be no key of a target."""

    value: Any


class Keys:
    """The keys of a link to its targets, compared with what the targets hold as the target's own type says (H4)."""

    def __init__(self, far: Field, referred: Field) -> None:
        self._convert: Callable[[Any], Any] = far.python_value
        self._referred, self._coerce = referred, coercer(referred)
        self._text = isinstance(base_field(referred), peewee.CharField | peewee.TextField)

    def of_link(self, value: Any) -> Any:
        """The key that a link's column means; None where it can be no key of a target."""
        try:
            return None if value is None else self._coerce(self._convert(value))
        except (TypeError, ValueError, ArithmeticError):
            return None

    def named(self, value: Any) -> Any:
        """The same, with a place of its own for what can be no key."""
        key = self.of_link(value)
        return NoKey(value) if key is None else key

    def of_target(self, value: Any) -> Any:
        """The key in a target's column."""
        value = self._referred.python_value(value)
        try:
            return self._coerce(value)
        except (TypeError, ValueError, ArithmeticError):
            return value

    def spelled(self, wanted: Iterable[Any], found: dict[Any, Any]) -> None:
        """Texts: add to what was `found` the spellings that were asked for, where the store calls them one."""
        wanted = set(wanted)
        if not self._text or wanted <= found.keys():
            return
        strangers = {folded(key): found[key] for key in found if key not in wanted}
        for key in wanted - found.keys():
            if folded(key) in strangers:
                found[key] = strangers[folded(key)]


class Walk:
    """One reading of an association: its conditions and its order, parted by store."""

    def __init__(
        self, association: Any, asked: str, *, where: Any = None, through_where: Any = None, order: Any = None, ordered: bool = True
    ) -> None:
        self.association, self.asked = association, asked
        self.link, self.target = association.through, association.target
        self.keys = Keys(association.ends.far, association.far_field)
        scope = both(condition_of(self.target, association.where, association.declared), condition_of(self.target, where, asked))
        self.of_links, self.of_targets = parted(self.link, self.target, scope, asked)
        self.of_links = both(self.of_links, condition_of(self.link, through_where, asked, "through_where"))
        terms = association.ordering(order, asked) if ordered else []
        self._read_order(terms)
        #: The links, where they were read already.
        self.known: list[tuple[Any, Any, Any, int]] | None = None

    def _read_order(self, terms: Sequence[Any]) -> None:
        """Part the terms by store; the columns of the link are one run of them, somewhere in the order."""
        self.link_terms: list[Any] = []
        before: list[Any] = []
        after: list[Any] = []
        for term in terms:
            models = mentioned(term, [self.link, self.target])
            if len(models) > 1 or (models == [self.link] and after):
                raise _mixed(self.asked, self.link, self.target, "the order mixes", "Name those of the link one after the other")
            if models == [self.link]:
                self.link_terms.append(term)
            else:
                (after if self.link_terms else before).append(term)
        self.target_terms = [*before, *after]
        #: How many of the target's terms stand before those of the link.
        self.leading = len(before) if self.link_terms else 0

    # Links

    def links(self, keys: Sequence[Any], columns: Sequence[Any] = (), condition: Any = None) -> Iterator[tuple[Any, Any, Any, int]]:
        """The links of owners with these keys: (near, far, the row of `columns`, its rank by the link's part of the order)."""
        if self.known is not None:
            yield from self.known
            return
        ends, database = self.association.ends, self.link._meta.database
        for some in groups(database, list(keys)):
            owners, rank, former = frozenset(some), -1, None
            for row in database.execute(self.link_query(some, columns, condition)).fetchall():
                place = row[len(columns) : -2]
                if place != former or rank < 0:
                    rank, former = rank + 1, place
                for near, far in ends.seen_from(row[-2], row[-1], owners):
                    yield near, far, row[: len(columns)], rank

    def link_query(self, keys: Sequence[Any], columns: Sequence[Any] = (), condition: Any = None) -> Any:
        """The query of these owners' links (or, of them, by `condition`): `columns`, what they are sorted by, and both keys."""
        ends, order = self.association.ends, [node_of(term) for term in self.link_terms]
        query = every_row(self.link, *columns, *order, ends.near, ends.far).where(ends.any_near(keys) if condition is None else condition)
        return (query if self.of_links is None else query.where(self.of_links)).order_by(*self.link_terms)

    # Targets

    def target_query(self, keys: Sequence[Any], columns: Sequence[Any], terms: Sequence[Any] = ()) -> Any:
        """The query of the targets with these keys: `columns`, `terms`, and the key."""
        query = self.target.select(*columns, *terms, self.association.far_field)
        query = query.where(*(each for each in (among(self.association.far_field, keys), self.of_targets) if each is not None))
        return query.order_by(*self.target_terms)

    def targets(
        self, values: Iterable[Any], columns: Sequence[Any], limit: int | None = None, offset: int | None = None
    ) -> dict[Any, tuple[Any, Any, int]]:
        """The targets that links with these keys name: key → (row of `columns`, its leading place, its place)."""
        found: dict[Any, tuple[Any, Any, int]] = {}
        wanted = list(dict.fromkeys(value for value in values if value is not None))
        if not wanted:
            return found
        portions = self.portions(wanted)
        terms = [node_of(term) for term in self.target_terms] if len(portions) > 1 or self.leading else []
        rows: list[Any] = []
        for some in portions:
            query = self.target_query(some, columns, terms)
            query = query if limit is None else query.limit(limit)
            rows += self.target._meta.database.execute(query.offset(offset) if offset else query).fetchall()
        width = len(columns)
        if len(portions) > 1 and terms:
            rows.sort(key=lambda row: tuple(map(Sorted, row[width:-1], self.target_terms)))
        for position, row in enumerate(rows):
            found[self.keys.of_target(row[-1])] = (row[:width], row[width : width + self.leading], position)
        self.keys.spelled(wanted, found)
        return found

    def portions(self, wanted: list[Any]) -> list[Sequence[Any]]:
        return portions_of(self.target, self.target_terms, wanted)

    # Both

    def pairs(
        self,
        keys: Sequence[Any],
        columns: Sequence[Any],
        link_columns: Sequence[Any] = (),
        limit: int | None = None,
        offset: int | None = None,
    ) -> dict[Any, list[Pair]]:
        """The links of owners with these keys, each with its target: the owner's key, as the link has it → pairs, in order.

        Links whose target is not there, or is not meant, are left out. `limit` and `offset` are for one owner. Two
        statements (beyond what one can carry); the first alone where there are no links.
        """
        links = [(near, self.keys.of_link(far), row, rank) for near, far, row, rank in self.links(keys, link_columns)]
        once = not self.link_terms and not self.association.repeats and len(self.portions(list({far for _, far, _, _ in links}))) == 1
        bounds = (limit, offset) if once else (None, None)
        targets = self.targets((far for _, far, _, _ in links), columns, *bounds)
        leading = self._ranks(targets)
        found: dict[Any, list[Pair]] = {}
        for near, far, row, rank in links:
            target = targets.get(far)
            if target is not None:
                found.setdefault(near, []).append(Pair(target[0], row, (leading[target[1]] if leading else 0, rank, target[2])))
        for some in found.values():
            some.sort(key=lambda pair: pair.place)
        if not once and (limit is not None or offset):
            first = offset or 0
            found = {near: some[first : None if limit is None else first + limit] for near, some in found.items()}
        return found

    def _ranks(self, targets: dict[Any, tuple[Any, Any, int]]) -> dict[Any, int]:
        """The values of the leading terms in their order."""
        if not self.leading:
            return {}
        in_order = sorted(targets.values(), key=lambda target: target[2])
        return {values: rank for rank, values in enumerate(dict.fromkeys(values for _, values, _ in in_order))}


def portions_of(target: Model, terms: Sequence[Any], wanted: list[Any]) -> list[Sequence[Any]]:
    """Keys in portions. Texts are sorted by the store alone, so that they are asked for at once where it is asked to."""
    database = target._meta.database
    found = list(groups(database, wanted))
    sorted_by = [base_field(node) for node in map(node_of, terms) if isinstance(node, Field)]
    texts = any(isinstance(field, peewee.CharField | peewee.TextField) for field in sorted_by)
    return [wanted] if len(found) > 1 and texts and store_of(database).sql else found


def node_of(term: Any) -> Any:
    """What an ORDER BY term sorts by."""
    return term.node if isinstance(term, Ordering) else term


class Sorted:
    """A value as its ORDER BY term sorts it: NULL is smaller than every value."""

    __slots__ = ("down", "value")

    def __init__(self, value: Any, term: Any) -> None:
        self.value, self.down = value, isinstance(term, Ordering) and str(term.direction).upper() == "DESC"

    def __eq__(self, other: Any) -> bool:
        return bool(self.value == other.value)

    def __lt__(self, other: Any) -> bool:
        one, two = (other.value, self.value) if self.down else (self.value, other.value)
        if one is None or two is None:
            return one is None and two is not None
        return bool(one < two)
