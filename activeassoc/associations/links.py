"""The links of a many-to-many: how a link tells its two ends, and the attributes that it carries.

Map: `Ends` are the two keys of a link, seen from one side; `UnorderedEnds` are those of a symmetric link, which is one row
for a pair, seen from both; `Attributes` reads and compares join attributes.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any

import peewee
from peewee import Case, Field

from activeassoc.errors import MissingValue, UnknownName, WrongArgument, listed, nearest
from activeassoc.keys import find_field
from activeassoc.registry import Key, Model
from activeassoc.stores.sql import among


class Ends:
    """The two keys of a link: `near` refers to the owner, `far` to the target."""

    def __init__(self, near: Key, far: Key) -> None:
        self.keys = (near, far)

    @property
    def near(self) -> Field:
        return self.keys[0].field  # type: ignore[no-any-return]

    @property
    def far(self) -> Field:
        return self.keys[1].field  # type: ignore[no-any-return]

    def near_is(self, owners: Sequence[Any]) -> Any:
        """The links of owners with these keys."""
        return among(self.near, owners)

    def any_near(self, owners: Sequence[Any]) -> Any:
        """The links of these owners, in a query of the links alone."""
        return among(self.near, owners)

    def seen_from(self, near: Any, far: Any, owners: Collection[Any]) -> Iterator[tuple[Any, Any]]:
        """(owner, target) as a link's row tells them to these owners."""
        yield near, far

    @property
    def both_ways(self) -> list[tuple[Field, Field]]:
        """(owner's key, target's key), as often as a link can be read."""
        return [(self.near, self.far)]

    @property
    def near_node(self) -> Any:
        """The owner's key, in a query that joins links and targets."""
        return self.near

    def arrives(self, referred: Field) -> Any:
        """The condition that joins a link to its target."""
        return self.far == referred

    def far_of(self, owner: Any) -> Any:
        """The target's key, in a query of the links of one owner."""
        return self.far

    def joins(self, owner: Any, key: Any) -> Any:
        """The condition for the link of one owner to the target whose key is the node `key`."""
        return (self.far == key) & (self.near == owner)

    def between(self, owner: Any, targets: Sequence[Any]) -> Any:
        """The condition for the links of one owner to the targets with these keys."""
        return (self.near == owner) & among(self.far, targets)

    def values(self, owner: Any, target: Any) -> dict[Field, Any]:
        """The keys of a new link."""
        return {self.near: owner, self.far: target}


class UnorderedEnds(Ends):
    """A symmetric link: one row for a pair of records, whichever of them it was made from (D7).

    The lesser key stands first, so that the primary key keeps a second row of the same pair out.
    """

    def near_is(self, owners: Sequence[Any]) -> Any:
        # The two columns by themselves use their indexes; the third condition leaves out the other end of each link.
        return (among(self.near, owners) | among(self.far, owners)) & self._end_among(owners)

    def _end_among(self, owners: Sequence[Any]) -> Any:
        arrived = self.keys[1].referred
        from_near = (self.far == arrived) & among(self.near, owners)
        return from_near | ((self.near == arrived) & (self.far != arrived) & among(self.far, owners))

    def any_near(self, owners: Sequence[Any]) -> Any:
        return among(self.near, owners) | among(self.far, owners)

    def seen_from(self, near: Any, far: Any, owners: Collection[Any]) -> Iterator[tuple[Any, Any]]:
        # Both ends may be owners that were asked about: then the link is one of each.
        one, other = self.near.python_value(near), self.far.python_value(far)
        if one in owners:
            yield near, far
        if other in owners and other != one:
            yield far, near

    @property
    def both_ways(self) -> list[tuple[Field, Field]]:
        return [(self.near, self.far), (self.far, self.near)]

    @property
    def near_node(self) -> Any:
        return Case(None, [(self.far == self.keys[1].referred, self.near)], self.far)

    def arrives(self, referred: Field) -> Any:
        return (self.far == referred) | (self.near == referred)

    def far_of(self, owner: Any) -> Any:
        return Case(None, [(self.near == owner, self.far)], self.near)

    def joins(self, owner: Any, key: Any) -> Any:
        return ((self.far == key) & (self.near == owner)) | ((self.near == key) & (self.far == owner))

    def between(self, owner: Any, targets: Sequence[Any]) -> Any:
        return ((self.near == owner) & among(self.far, targets)) | ((self.far == owner) & among(self.near, targets))

    def values(self, owner: Any, target: Any) -> dict[Field, Any]:
        # What stands in memory may be a text where the key is a UUID.
        lesser, greater = sorted(self.near.python_value(self.near.db_value(key)) for key in (owner, target))
        return {self.near: lesser, self.far: greater}


class Attributes:
    """The attributes that links of a through model carry beside their keys."""

    def __init__(self, link: Model, keys: Sequence[Key]) -> None:
        self.link = link
        ends = [key.field for key in keys]
        automatic = link._meta.primary_key if link._meta.auto_increment else None
        self.fields = [
            field for field in link._meta.sorted_fields if field is not automatic and not any(field is end for end in ends)
        ]

    def read(self, given: Any, asked: str) -> dict[Field, Any]:
        """A mapping of names to values as fields to values; an unknown name raises and lists the known ones (D3)."""
        if given is None:
            return {}
        if not isinstance(given, Mapping):
            raise WrongArgument(
                asked,
                f"the attributes of the link are {given!r}, which is no mapping",
                'Write {"status": "active"}, or leave them out',
                value=given,
            )
        found: dict[Field, Any] = {}
        for name, value in given.items():
            field: Any = find_field(self.link, name) if isinstance(name, str) else name
            if not any(field is known for known in self.fields):
                known = [each.name for each in self.fields]
                raise UnknownName(
                    asked,
                    f"{self.link.__name__} has no attribute {name!r}",
                    f"{nearest(str(name), known)}. It has {listed(known) or 'none'}",
                    name=name,
                    known=known,
                )
            found[field] = value
        return found

    def require(self, given: dict[Field, Any], asked: str) -> None:
        """Raise where a new link with these values lacks a NOT NULL field that nothing gives."""
        needed = [field for field in self.fields if field.default is None and not field.null and not field.constraints]
        missing = [field.name for field in needed if not any(field is known for known in given)]
        if missing:
            raise MissingValue(
                asked,
                f"each {self.link.__name__} needs {listed(missing)}, and nothing gives it",
                f"Give it with the link, as in {{{missing[0]!r}: …}}",
                fields=missing,
            )

    def complete(self, given: dict[Field, Any], asked: str) -> dict[Field, Any]:
        """The values of a new link: what was given and the defaults; a NOT NULL field without either raises.

        Fields with a default of the database are left to it.
        """
        self.require(given, asked)
        values = dict(given)
        for field in self.fields:
            if any(field is known for known in given) or field.constraints:
                continue
            if field.default is not None:
                values[field] = field.default() if callable(field.default) else field.default
            else:
                values[field] = None
        return values

    @staticmethod
    def differing(row: Any, given: dict[Field, Any]) -> dict[Field, Any]:
        """Those of the given values that the stored row does not have."""
        return {
            field: value
            for field, value in given.items()
            if isinstance(value, peewee.Node) or not same_value(field, row.__data__.get(field.name), value)
        }


def same_value(field: Field, stored: Any, given: Any) -> bool:
    """Whether writing `given` would leave what is stored."""
    if stored == given and type(stored) is type(given):
        return True
    convert: Callable[[Any], Any] = field.python_value
    try:
        return bool(convert(field.db_value(given)) == stored)
    except (TypeError, ValueError, ArithmeticError):
        return False
