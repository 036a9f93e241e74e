"""The two storages that links can have on MongoDB, with the same few operations, for moving links from one to the other.

A link is moved as it stands, with fields that no model knows. What adds never overwrites, and what takes away takes only what is exactly as
it was told, so that nothing is lost that another program writes meanwhile.

Map: `Storage` is what both have: `Collection` keeps links as documents of their own, `Documents` as elements of two arrays.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pymongo import DeleteOne, UpdateOne

from activeassoc.stores.embedded import WRONG, Arrays, Side
from activeassoc.stores.forms import form_of
from activeassoc.stores.mongo_embedded import Attributes, Pair, Writing, attributes_of, key_path
from activeassoc.stores.mongo_mirror import differences, same_attributes
from activeassoc.stores.mongo_terms import decoder

__all__ = ["Collection", "Documents", "Storage"]

Links = dict[Pair, Attributes]
#: A pair, what is wrong with its link, and the attributes of one that stands on one side of two.
Wrong = tuple[Pair, str, Attributes | None]


class Storage:
    """Links in one of the two storages. Pairs are (the truth's key, the mirror's key), as the store has them."""

    #: What a report calls it.
    label: str

    def __init__(self, arrays: Arrays, database: Any) -> None:
        self.arrays, self.database = arrays, database
        self._decoders = [decoder(form_of(end)) or (lambda key: key) for end in (arrays.truth.near, arrays.truth.far)]

    def do(self, verb: str, work: Any) -> Any:
        """Do this as one statement of the database, in a transaction where the server has them."""
        database = self.database
        return database._observed(f"{verb} {self.label}", (), lambda: database._as_one(database._state.conn, work))

    def look(self, work: Any) -> Any:
        return self.database._observed(f"SELECT {self.label}", (), work)

    def keys(self, pair: Pair) -> tuple[Any, ...]:
        """The two keys as records have them."""
        return tuple(None if key is None else decode(key) for decode, key in zip(self._decoders, pair, strict=True))

    def pages(self, size: int) -> Iterator[Links]:
        """All links, some at a time."""
        raise AssertionError("a storage has its own")

    def first(self, size: int) -> Links:
        """Some of the links; none where there is none left."""
        return self.look(lambda: next(self.pages(size), {}))  # type: ignore[no-any-return]


class Collection(Storage):
    """Links as documents of a collection of their own; also of one that was put aside to be dropped."""

    def __init__(self, arrays: Arrays, database: Any) -> None:
        super().__init__(arrays, database)
        self.label = str(arrays.link._meta.table_name)
        self.near, self.far = arrays.truth.near.column_name, arrays.truth.far.column_name
        self.documents = database.documents()
        self.aside = f"{self.label}__moved"

    def _names(self) -> list[str]:
        there = self.documents.list_collection_names()
        return [name for name in (self.label, self.aside) if name in there]

    def present(self) -> bool:
        return bool(self.look(self._names))

    def count(self) -> int:
        return sum(self.documents[name].count_documents({}) for name in self._names())

    def _pair(self, row: Mapping[str, Any]) -> Pair:
        near, far = row.get(self.near), row.get(self.far)
        turned = self.arrays.symmetric and near is not None and far is not None and far < near
        return (far, near) if turned else (near, far)

    def _attributes(self, row: Mapping[str, Any]) -> Attributes:
        return {name: value for name, value in row.items() if name not in ("_id", self.near, self.far)}

    def pages(self, size: int) -> Iterator[Links]:
        for name in self._names():
            page: Links = {}
            for row in self.documents[name].find().batch_size(size):
                page[self._pair(row)] = self._attributes(row)
                if len(page) >= size:
                    yield page
                    page = {}
            if page:
                yield page

    def wrong(self) -> Iterator[Wrong]:
        """Documents that are no links, and pairs that are linked twice and not alike."""
        for name in self._names():
            for row in self.documents[name].find({"$or": [{self.near: None}, {self.far: None}]}):
                yield self._pair(row), f"a document without a key ({row.get('_id')})", None
        seen: Links = {}
        for name in self._names():
            for row in self.documents[name].find():
                pair = self._pair(row)
                if None not in pair and not same_attributes(seen.setdefault(pair, self._attributes(row)), self._attributes(row)):
                    yield pair, f"more than once in {self.label}, with other attributes", None

    def have(self, links: Mapping[Pair, Any]) -> Links:
        """Those of these links that are there."""
        found: Links = {}
        wanted = [list({pair[place]: None for pair in links}) for place in (0, 1)]
        conditions = [{self.near: {"$in": wanted[0]}, self.far: {"$in": wanted[1]}}]
        conditions += [{self.near: {"$in": wanted[1]}, self.far: {"$in": wanted[0]}}] if self.arrays.symmetric else []
        for name in self._names() if links else ():
            for row in self.documents[name].find({"$or": conditions}):
                if self._pair(row) in links:
                    found.setdefault(self._pair(row), self._attributes(row))
        return found

    def add(self, links: Links) -> int:
        """Write those that are not there; how many these were."""

        def work(session: Any) -> int:
            requests = []
            for (near, far), values in links.items():
                row = {self.near: near, self.far: far}
                rest = {name: value for name, value in values.items() if name != "_id"}
                requests.append(UpdateOne(row, {"$setOnInsert": {**row, **rest}}, upsert=True))
            return int(self.documents[self.label].bulk_write(requests, session=session, ordered=False).upserted_count) if requests else 0

        return int(self.do("INSERT", work))

    def take_away(self, links: Links) -> int:
        """Remove those that are still as they are told; how many documents that were."""

        def work(session: Any) -> int:
            removed = 0
            for name in self._names():
                pairs = [{self.near: near, self.far: far} for near, far in links]
                pairs += [{self.near: far, self.far: near} for near, far in links] if self.arrays.symmetric else []
                rows = list(self.documents[name].find({"$or": pairs}, session=session)) if pairs else []
                gone = []
                for row in rows:
                    if same_attributes(self._attributes(row), links.get(self._pair(row))):
                        known = {field.column_name: {"$exists": False} for field in self.arrays.attributes if field.column_name not in row}
                        gone.append(DeleteOne({**row, **known}))
                if gone:
                    removed += self.documents[name].bulk_write(gone, session=session, ordered=False).deleted_count
            return removed

        return int(self.do("DELETE", work))

    def finish(self) -> bool:
        """Drop what is empty: put aside first, so that what arrives at the last moment is found there. Whether nothing is left."""

        def work(_: Any = None) -> bool:
            names = self._names()
            if self.label in names and self.aside not in names and not self.documents[self.label].find_one({}, {"_id": 1}):
                self.database.known_tables.discard(self.label)
                self.documents[self.label].rename(self.aside)
            if self.aside in self._names() and not self.documents[self.aside].find_one({}, {"_id": 1}):
                self.documents.drop_collection(self.aside)
            return not self._names()

        return bool(self.database._observed(f"DROP TABLE {self.label}", (), work))


class Documents(Storage):
    """Links as elements of the arrays of both sides."""

    def __init__(self, arrays: Arrays, database: Any) -> None:
        super().__init__(arrays, database)
        self.label = f"{arrays.truth.label} and {arrays.mirror.label}" if not arrays.symmetric else arrays.truth.label
        self.collections = database.collection

    def _sides(self) -> tuple[Side, ...]:
        return (self.arrays.truth,) if self.arrays.symmetric else self.arrays.sides

    def present(self) -> bool:
        """Whether there are links, or the arrays and indexes that a move which was stopped had yet to take away."""
        return bool(self.look(lambda: any(self._some(side) or self._empty(side) for side in self._sides()) or self._indexed()))

    def _empty(self, side: Side) -> Any:
        return self.collections(side.holder).find_one({side.array: {"$size": 0}}, {"_id": 1})

    def _some(self, side: Side) -> Any:
        return self.collections(side.holder).find_one({side.place: {"$exists": True}}, {"_id": 1})

    def _indexed(self) -> bool:
        there = self.database.get_tables()
        holders = [(side, index) for side, index in self.arrays.indexes if side.holder._meta.table_name in there]
        return any(index in self.collections(side.holder).index_information() for side, index in holders)

    def count(self) -> int:
        return sum(map(len, self.pages(10_000)))

    def pages(self, size: int) -> Iterator[Links]:
        """Those of the truth; where it has none left, what only the mirror still has."""
        for side in self._sides():
            page: Links = {}
            none = True
            for pair, values in self._each(side, size):
                none = False
                page.setdefault(pair, values)
                if len(page) >= size:
                    yield page
                    page = {}
            if page:
                yield page
            if not none:
                return

    def _each(self, side: Side, size: int) -> Iterator[tuple[Pair, Attributes]]:
        key = key_path(side)
        documents = self.collections(side.holder).find({side.place: {"$exists": True}}, {key: 1, side.array: 1}).batch_size(size)
        for document in documents:
            for element in document[side.array]:
                other = element.get(side.element) if isinstance(element, dict) else None
                if other is not None:
                    yield self._pair(side, document[key], other), attributes_of(side, element)

    def _pair(self, side: Side, holder: Any, other: Any) -> Pair:
        if self.arrays.symmetric:
            return (other, holder) if other < holder else (holder, other)
        return (holder, other) if side is self.arrays.truth else (other, holder)

    def wrong(self) -> Iterator[Wrong]:
        """What is wrong with the links; with those that only one side has come the attributes that they have there."""
        for each in self.look(lambda: list(differences(self.arrays, self.collections))):
            told = WRONG[each.wrong].format(truth=self.arrays.truth.label, mirror=self.arrays.mirror.label)
            yield each.pair, told, self._standing(each.side, each.pair) if each.wrong in ("missing", "left over") else None

    def _standing(self, side: Side, pair: Pair) -> Attributes:
        holder, other = pair if side is self.arrays.truth else (pair[1], pair[0])
        for each, far in ((holder, other), (other, holder)) if self.arrays.symmetric else ((holder, other),):
            document = self.collections(side.holder).find_one({key_path(side): each}, {side.array: 1}) or {}
            for element in document.get(side.array, ()):
                if isinstance(element, dict) and element.get(side.element) == far:
                    return attributes_of(side, element)
        return {}

    def missing_ends(self, links: Mapping[Pair, Any]) -> list[Pair]:
        """Those of the links of which an end has no document."""
        there = []
        for place, side in enumerate(self.arrays.sides):
            key, wanted = key_path(side), list({pair[place]: None for pair in links})
            there.append({each[key] for each in self.collections(side.holder).find({key: {"$in": wanted}}, {key: 1})})
        return [pair for pair in links if pair[0] not in there[0] or pair[1] not in there[1]]

    def have(self, links: Mapping[Pair, Any]) -> Links:
        return Writing(self.arrays, self.collections, None).elements(links)

    def add(self, links: Links) -> int:
        """Write those that are not there to both sides; how many of the truth these were."""

        def work(session: Any) -> int:
            writing = Writing(self.arrays, self.collections, session)
            there = writing.elements(links)
            added = {pair: values for pair, values in links.items() if pair not in there}
            writing.put(self.arrays.truth, added)
            writing.follow({pair: there.get(pair, values) for pair, values in links.items()})
            return len(added)

        return int(self.do("INSERT", work))

    def take_away(self, links: Links) -> int:
        """Remove those that are still as they are told from both sides, the truth last; how many links that were."""

        def work(session: Any) -> int:
            return len({pair for side in (self.arrays.mirror, self.arrays.truth) for pair in self._pulled(side, links, session)})

        return int(self.do("DELETE", work))

    def _pulled(self, side: Side, links: Links, session: Any) -> list[Pair]:
        key, place = key_path(side), 0 if side is self.arrays.truth else 1
        wanted = list({pair[place]: None for pair in links})
        requests: list[UpdateOne] = []
        pairs: list[Pair] = []
        for document in self.collections(side.holder).find({key: {"$in": wanted}}, {key: 1, side.array: 1}, session=session):
            pulled = []
            for element in document.get(side.array) or ():
                other = element.get(side.element) if isinstance(element, dict) else None
                pair = (document[key], other) if place == 0 else (other, document[key])
                if pair in links and same_attributes(links[pair], attributes_of(side, element)):
                    pulled.append(element)
                    pairs.append(pair)
            if pulled:
                requests.append(UpdateOne({key: document[key]}, {"$pullAll": {side.array: pulled}}))
        if requests:
            self.collections(side.holder).bulk_write(requests, session=session)
        return pairs

    def finish(self) -> bool:
        """Take away what is empty, and the indexes. Whether no link is left."""

        def work() -> bool:
            for side in self._sides():
                self.collections(side.holder).update_many({side.array: {"$size": 0}}, {"$unset": {side.array: ""}})
            if any(self._some(side) is not None for side in self._sides()):
                return False
            for side, index in self.arrays.indexes:
                if index in self.collections(side.holder).index_information():
                    self.collections(side.holder).drop_index(index)
            return True

        return bool(self.database._observed(f"DROP ARRAYS {self.label}", (), work))
