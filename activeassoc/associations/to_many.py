"""What has_many and many-to-many share: getting, counting, asking, and the collection of the owner."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import peewee
from peewee import fn

from activeassoc.associations.base import prepared, verb
from activeassoc.associations.prepared import OTHERWISE, asker, counter, exact_asker, getter, some
from activeassoc.associations.reading import Reading
from activeassoc.associations.writing import values_given
from activeassoc.collection import Collection
from activeassoc.errors import WrongTarget
from activeassoc.queue import Entry
from activeassoc.stores.sql import one_if, spelled, total
from activeassoc.targets import Target, is_list, key_of, read_many, read_one, spelled_twice


class ToMany(Reading):
    """An association whose owner has a list of targets."""

    to_many = True

    @property
    def same_word(self) -> bool:
        """Singular and plural are one word, so that one method serves both (B3)."""
        return self.names.one == self.names.many

    # Reading

    @verb("get_{many}")
    @prepared("get", 0)
    def get(
        self,
        owner: Any,
        *,
        where: Any = None,
        attributes: Any = None,
        order: Any = None,
        limit: int | None = None,
        offset: int | None = None,
        join_attributes: Any = None,
        through_where: Any = None,
        populate: Any = None,
    ) -> list[Any]:
        """The associated records: a list, by primary key unless `order` or the association says otherwise.

        `where` is a peewee expression or a criteria mapping, `attributes` names or fields to read (the primary key always
        comes too), `order` an expression, a name, ``"-name"`` or a list of these. With a through model `where` and
        `order` may name its columns, `through_where` is a condition on it, and `join_attributes` are the fields of the
        join row to read, which each record carries under the through model's name (none for ``[]``).
        `populate` is a path, a list of them, or a mapping of paths to options, to load with the records.

        One query, and one for each association of the paths; none, and an empty list, for an owner that is not saved. (C11, C13, D4)
        """
        if where is attributes is join_attributes is through_where is populate is None:
            found = self.kept("get", getter)(owner) if order is limit is offset is None else some(self, owner, order, limit, offset)
            if found is not OTHERWISE:
                return found  # type: ignore[no-any-return]
        if not self.has_row(owner, "get") or self.near_of(owner) is None:
            return []
        return self.fetch(
            owner,
            "get",
            where=where,
            attributes=attributes,
            order=order,
            limit=limit,
            offset=offset,
            join_attributes=join_attributes,
            through_where=through_where,
            populate=populate,
        )

    def listed(self, owner: Any) -> list[Any]:
        """What the owner's collection is when somebody looks at it."""
        return self.get(owner)

    @verb("count_{many}")
    @prepared("count", 0)
    def count(self, owner: Any, *, where: Any = None, through_where: Any = None) -> int:
        """How many records are associated (and fulfil `where`). One query; none, and 0, for an owner that is not saved."""
        if where is through_where is None:
            found = self.kept("count", counter)(owner)
            if found is not OTHERWISE:
                return found  # type: ignore[no-any-return]
        if not self.has_row(owner, "count") or self.near_of(owner) is None:
            return 0
        return self.number_of(owner, self.asked("count"), where, through_where)

    def number_of(self, owner: Any, asked: str, where: Any, through_where: Any) -> int:
        """How many targets the owner, who has a row, has."""
        condition = self.filters(asked, where, through_where)
        query = self.select([fn.COUNT(peewee.SQL("1"))], self.near_is([self.near_of(owner)]))
        query = query if condition is None else query.where(condition)
        return int(self.target._meta.database.execute(query).fetchone()[0])

    # Asking

    @verb("has_{one}")
    @prepared("has", 1)
    def has(self, owner: Any, targets: Any) -> bool:
        """Whether this record, or every one of these, is associated.

        `targets` is an instance or a primary key, or any iterable of them; False for None and for records that are not
        saved. One query that does not fetch the records; none for an owner that is not saved. (C10)
        """
        answer = self.kept("has", asker)(owner, targets)
        if answer is not OTHERWISE:
            return answer  # type: ignore[no-any-return]
        if self.same_word and is_list(self.target, targets):
            return self.has_exactly(owner, targets)
        given = read_many(self.target, targets, self.asked("has"))
        if (
            not self.has_row(owner, "has")
            or self.near_of(owner) is None
            or targets is None
            or any(target.new for target in given)
        ):
            return False
        return not given or self._all(given, self.matching(owner, given))

    def _all(self, given: list[Target], found: int) -> bool:
        """Whether `found` records are all of the given ones. A collation may call two of these keys one; the database knows."""
        if 0 < found < len(given) and spelled_twice(given):
            stored = spelled(self.target._meta.primary_key, [target.key for target in given])
            return len(stored) == len(given) and found == len(set(stored.values()))
        return found == len(given)

    @verb("has_{many}")
    def has_exactly(self, owner: Any, targets: Any, *, exact: bool = True) -> bool:
        """Whether exactly these records are the associated ones, in any order; ``exact=False``: whether they are among them.

        ``has_tasks([])`` is True only where there are none (``exact=False``: always); None is False. One query that does not fetch the
        records. (C10: the guide of Sequelize says so, and no release of it does.)
        """
        answer = self.kept("has exactly", exact_asker)(owner, targets) if exact else self.kept("has", asker)(owner, targets)
        if answer is not OTHERWISE:
            return answer  # type: ignore[no-any-return]
        given = read_many(self.target, targets, self.asked("has_exactly"))
        if targets is None:
            return False
        if not exact and not given:
            return True
        if not self.has_row(owner, "has_exactly") or self.near_of(owner) is None:
            return not given
        if any(target.new for target in given):
            return False
        if not exact:
            return self._all(given, self.matching(owner, given))
        if not given:
            return self.count(owner) == 0
        found, every = self.matching_of_all(owner, given)
        return found == every and self._all(given, found)

    @property
    def counting(self) -> Any:
        """The node that counts the records of a query."""
        return fn.COUNT(peewee.SQL("1"))

    def counting_those(self, condition: Any) -> Any:
        """The node that counts those of them that fulfil a condition."""
        return total(one_if(condition))

    def matching(self, owner: Any, targets: list[Target]) -> int:
        """How many of these targets are the owner's."""
        raise NotImplementedError

    def matching_of_all(self, owner: Any, targets: list[Target]) -> tuple[int, int]:
        """How many of these targets are the owner's, and how many the owner has."""
        raise NotImplementedError

    # What its collections queue

    def to_queue(self, values: Any, operation: str) -> list[Entry]:
        """What ``user.pets.add(…)`` or remove was given, read: keys, instances, and for add mappings of a new record's fields (F7)."""
        target, asked = self.target, f"{self.label}.{operation}()"
        found: list[Entry] = []
        for value in values if not isinstance(values, Mapping) and is_list(target, values) else (values,):
            if not isinstance(value, Mapping):
                given = read_one(target, value, asked)
                found += [Entry(operation, given)] if given is not None else []
            elif operation == "add":
                values_given(target, value, {}, {}, asked)
                found.append(Entry(operation, Target(None), dict(value)))
            else:
                raise WrongTarget(
                    asked, f"{value!r} is a mapping, and tells no record", "Give primary keys or instances", value=value, model=target
                )
        return found

    # In memory

    def value(self, owner: Any) -> Collection:
        """The owner's collection, made on first use and kept."""
        held = self.held(owner)
        found = held.get(self.name)
        if found is None:
            found = held[self.name] = Collection(self, owner)
        return found

    def begin(self, owner: Any, targets: Any) -> None:
        """``Project(tasks=[…])``: what the constructor was given for the owner, to be written when it is saved (F10)."""
        self.value(owner).add(targets)

    def keep_lists(self, owners: Iterable[Any], lists: Iterable[list[Any]], limit: int | None, partial: bool) -> tuple[list[Any], bool]:
        """Leave with each owner its list, cut at the limit; all records, and whether any list was cut."""
        name, records, cut = self.name, [], False
        for owner, found in zip(owners, lists, strict=True):
            longer = limit is not None and len(found) > limit
            if longer:
                del found[limit:]
                cut = True
            loaded = getattr(owner, "_loaded", None)
            if loaded is None:
                object.__setattr__(owner, "_loaded", {name: Collection.of(self, owner, found, longer, longer or partial)})
            elif name in loaded:
                loaded[name].hold(found, truncated=longer, partial=longer or partial)
            else:
                loaded[name] = Collection.of(self, owner, found, longer, longer or partial)
            records += found
        return records, cut

    def loaded_on(self, owner: Any) -> bool:
        """Whether the owner's collection holds records."""
        collection = (getattr(owner, "_loaded", None) or {}).get(self.name)
        return collection is not None and collection.loaded

    def held_records(self, owner: Any) -> list[Any]:
        """The records that the owner's collection holds, without a query."""
        collection = (getattr(owner, "_loaded", None) or {}).get(self.name)
        return collection.held() if collection is not None else []

    def _sorted(self, records: Iterable[Any]) -> list[Any] | None:
        """The records as the getter would order them, where memory can tell."""
        records = list(records)
        if self.order is not None:
            return None
        by_key = {key_of(record): record for record in records}
        if any(map(_has_text, by_key)) or len(by_key) < len(records):
            return None  # how texts sort is the database's collation
        try:
            return [by_key[key] for key in sorted(by_key)]
        except TypeError:
            return None

    def hold(self, owner: Any, records: list[Any]) -> None:
        """These records are all that the owner has now: its collection says so."""
        collection = self.value(owner)
        ordered = self._sorted(records)
        if ordered is None or self.where is not None:
            collection.forget()
        else:
            collection.hold(ordered)

    def hold_more(self, owner: Any, targets: list[Target]) -> None:
        """These were added: a loaded collection gets them, where instances of all of them are at hand."""
        collection = self.value(owner)
        if not collection.loaded:
            return
        if collection.partial:
            collection.forget()
            return
        records = {key_of(record): record for record in collection.held()}
        records.update({key_of(target.record): target.record for target in targets if target.record is not None})
        ordered = self._sorted(records.values())
        if (
            ordered is None
            or any(target.record is None and target.key not in records for target in targets)
            or self.where is not None
        ):
            collection.forget()
        else:
            collection.hold(ordered)

    def hold_less(self, owner: Any, gone: set[Any]) -> None:
        """The records with these keys were removed: a loaded collection drops them."""
        collection = self.value(owner)
        if collection.partial:
            collection.forget()
        elif collection.loaded:
            collection.hold(record for record in collection.held() if key_of(record) not in gone)


def _has_text(key: Any) -> bool:
    return isinstance(key, str) or (isinstance(key, tuple) and any(isinstance(part, str) for part in key))
