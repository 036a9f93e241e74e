"""What `$embed` brings: one statement for each association, whatever the number of records, and never a list that is cut.

A record that is reached in several ways is read on for once: friends of friends of friends are no more records than there are. How often
they stand in the answer is what the limit counts.

Map: `Embedded` loads the levels below the records of one request; `held` is what a record has loaded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from activeassoc.populate import populate
from activeassoc.rest.parameters import Asked
from activeassoc.rest.resources import Resource

__all__ = ["After", "Embedded", "held"]

#: What is called with the records that were read, and then with those that they embed, before they become documents.
After = Callable[[Resource, list[Any]], Any]
#: The associations from the documents to a level: ``("users", "groups")``.
Level = tuple[str, ...]


def held(association: Any, record: Any) -> list[Any]:
    """What the record has loaded of an association, without a query; of a to-one a list of at most one."""
    if association.key_on_source and not association.to_many:
        found = record.__rel__.get(association.key.field.name)
    else:
        found = (record._loaded or {}).get(association.name)
    if found is None:
        return []
    return found.held() if association.to_many else [found]


class Embedded:
    """The levels of what one request embeds."""

    def __init__(self, asked: Asked) -> None:
        self.tree, self.limits = asked.embed, asked.limits
        #: Of each level from which others go on: primary key → the instance that has these loaded.
        self._there: dict[Level, dict[Any, Any]] = {}

    def first(self, resource: Resource) -> dict[str, Any]:
        """The associations that are loaded with the documents themselves, each with the options that populate is given."""
        return {name: self._options(resource, name) for name in self.tree}

    def _options(self, resource: Resource, name: str) -> dict[str, Any]:
        # Not the default limit. Of a list one record more than may leave is read, by which it is seen to be too long. (K6)
        return {"limit": self.limits.embedded + 1} if resource.embeddable[name].to_many else {}

    def load(self, resource: Resource, records: list[Any], after: After | None = None) -> None:
        """Load what stands below the first level, and then call `after` with the records of each model and level."""
        self._deeper(resource, records, self.tree, ())
        if after is not None:
            self._tell(after, resource, records, self.tree, ())

    def _deeper(self, resource: Resource, records: Iterable[Any], tree: Mapping[str, Any], level: Level) -> None:
        for name, inner in tree.items():
            if not inner:
                continue
            below, target, association = (*level, name), resource.embedded(name), resource.embeddable[name]
            there: dict[Any, Any] = {}
            for record in records:
                for each in held(association, record):
                    there.setdefault(each._pk, each)
            self._there[below] = there
            for word in inner if there else ():
                populate(list(there.values()), word, **self._options(target, word))
            self._deeper(target, there.values(), inner, below)

    def at(self, level: Level, record: Any) -> Any:
        """The instance that has loaded what stands below this one at its level."""
        return self._there.get(level, {}).get(record._pk, record)

    def _tell(self, after: After, resource: Resource, records: list[Any], tree: Mapping[str, Any], level: Level) -> None:
        if not records:
            return
        after(resource, records)
        for name, inner in tree.items():
            # Every instance, as each becomes a document of its own; what stands below is held by one of each record.
            owners = {id(owner): owner for owner in (self.at(level, record) for record in records)}
            inside = {id(each): each for owner in owners.values() for each in held(resource.embeddable[name], owner)}
            self._tell(after, resource.embedded(name), list(inside.values()), inner, (*level, name))
