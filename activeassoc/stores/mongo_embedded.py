"""Links within documents on MongoDB: the queries of a through model whose links are elements of two arrays (see `embedded`).

What is read is the documents of one side, taken apart by $unwind. What is written is written to both sides, the truth first. Where the
server has transactions a statement is one. Where it has none the mirror follows: a writer brings it in line with the truth, looks at the
truth again, and goes on until both are the same, so that whoever writes last leaves them equal; only a program that dies
in between does not, which `check` finds.

Map: `carry_out` is the way in; `Unwound` stands in for the collection that a Read asks; `Writing` inserts, changes and removes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import peewee
from pymongo import ReturnDocument, UpdateOne

from activeassoc.errors import MissingRecord, listed
from activeassoc.stores.documents import Answer
from activeassoc.stores.embedded import Arrays, Side, above
from activeassoc.stores.evaluate import reader
from activeassoc.stores.forms import form_of
from activeassoc.stores.mongo_reads import read
from activeassoc.stores.mongo_terms import decoder, encoded, filter_of, path
from activeassoc.stores.mongo_writes import duplicate
from activeassoc.stores.plan import NEVER, Change, Column, Condition, Insert, Plan, Read
from activeassoc.stores.writes import settled

__all__ = ["Unwound", "Writing", "carry_out", "key_path"]

#: (the truth's key, the mirror's key) of a link, as the driver has them.
Pair = tuple[Any, Any]
#: The attributes of a link, as an element has them beside the key; None for a link that is not there.
Attributes = Mapping[str, Any]
Collections = Callable[[type[peewee.Model]], Any]

#: How many links are read before they are written.
BATCH = 10_000
#: Under which name a row brings its element whole.
WHOLE = "activeassoc_element"


def carry_out(plan: Plan, arrays: Arrays, collections: Collections, session: Any, consistent: bool) -> Answer:
    """What the plan of a through model finds or does. `consistent`: both sides are equal at any time, so that either may be read."""
    if isinstance(plan, Read):
        side = arrays.reading(plan.where) if consistent else arrays.truth
        return read(plan, Unwound(arrays, side, plan.where, collections(side.holder)), session)
    writing = Writing(arrays, collections, session)
    if isinstance(plan, Insert):
        inserted = writing.insert(plan)
        return Answer([tuple(plan.rows[number].get(each.name) for each in plan.returning) for number in inserted], len(inserted))
    if plan.where == NEVER:
        return Answer((), 0)
    return Answer((), writing.change(plan) if isinstance(plan, Change) else writing.remove(plan.where))


def key_path(side: Side) -> str:
    """Under which name a document of this side has what links refer to."""
    return path(Column(side.referred.column_name, form_of(side.referred), side.referred))


class Unwound:
    """The links of one side's documents, as if they were documents of a collection; what a Read asks of one."""

    def __init__(self, arrays: Arrays, side: Side, where: Condition, collection: Any) -> None:
        self.arrays, self.side, self.where, self.collection = arrays, side, where, collection

    def stages(self, whole: bool = False) -> Iterator[dict[str, Any]]:
        """From documents to links; with `whole` each brings its element."""
        side, key, array = self.side, key_path(self.side), self.side.array
        wanted = above(self.where, side)
        yield {"$match": {side.place: {"$exists": True}} if wanted is None else filter_of(wanted)}
        yield {"$project": {"_id": 0, key: 1, array: 1}}
        yield {"$unwind": f"${array}"}
        columns = {field.column_name: f"${array}.{field.column_name}" for field in self.arrays.attributes}
        shown = {side.near.column_name: f"${key}", side.far.column_name: f"${side.place}", **columns}
        yield {"$project": {"_id": 0, **shown, **({WHOLE: f"${array}"} if whole else {})}}
        if self.arrays.symmetric:  # the lesser end has it, and the greater end has it too
            yield {"$match": {"$expr": {"$lte": [f"${side.near.column_name}", f"${side.far.column_name}"]}}}

    def aggregate(self, stages: Sequence[dict[str, Any]], session: Any = None, allowDiskUse: bool = True) -> Any:
        return self.collection.aggregate([*self.stages(), *stages], session=session, allowDiskUse=allowDiskUse)

    def find(self, wanted: Any, shown: Any, sort: Any = None, skip: int = 0, limit: int = 0, session: Any = None) -> Any:
        stages: list[dict[str, Any]] = [{"$match": wanted}]
        stages += [{"$sort": dict(sort)}] if sort else []
        stages += [{"$skip": skip}] if skip else []
        stages += [{"$limit": limit}] if limit else []
        return self.aggregate([*stages, {"$project": shown}], session=session)

    def find_one(self, wanted: Any, shown: Any, skip: int = 0, session: Any = None) -> Any:
        return next(iter(self.find(wanted, shown, skip=skip, limit=1, session=session)), None)

    def count_documents(self, wanted: Any, skip: int = 0, limit: int = 0, session: Any = None) -> int:
        stages: list[dict[str, Any]] = [{"$match": wanted}]
        stages += [{"$skip": skip}] if skip else []
        stages += [{"$limit": limit}] if limit else []
        counted = next(iter(self.aggregate([*stages, {"$count": "n"}], session=session)), None)
        return int(counted["n"]) if counted else 0


class Writing:
    """The statements that write links to both sides."""

    def __init__(self, arrays: Arrays, collections: Collections, session: Any) -> None:
        self.arrays, self.collections, self.session = arrays, collections, session
        self.columns = {field.column_name: Column(field.column_name, form_of(field), field) for field in arrays.link._meta.sorted_fields}
        self.truth = collections(arrays.truth.holder)

    # Inserting

    def insert(self, plan: Insert) -> list[int]:
        """Write new links; the numbers of the rows that were. Both ends have to be there, as a foreign key would have it."""
        rows = [self._read(row) for row in plan.rows]
        wanted: dict[Pair, int] = {}
        for number, (pair, _) in enumerate(rows):
            if pair in wanted and plan.on_conflict is None:
                raise self._duplicate(pair)
            if pair not in wanted or plan.on_conflict == "replace":
                wanted[pair] = number
        links = {pair: rows[number][1] for pair, number in wanted.items()}
        self._require_ends(links)
        there = self.elements(links) if plan.on_conflict is None else {}
        if there:
            raise self._duplicate(next(iter(there)))
        if plan.on_conflict == "replace":
            self.put(self.arrays.truth, links)
            added = dict(links)
        else:
            added = self._add(links)
        if plan.on_conflict is None and len(added) < len(links):  # another writer was faster
            self.put(self.arrays.truth, dict.fromkeys(added))
            self.follow(dict.fromkeys(added))
            raise self._duplicate(next(pair for pair in links if pair not in added))
        self.follow(added if self.session is not None else {**links, **self.elements(links)}, fresh=plan.on_conflict != "replace")
        return sorted(wanted[pair] for pair in added)

    def _read(self, row: Mapping[str, Any]) -> tuple[Pair, Attributes]:
        near, far = self.arrays.truth.near.column_name, self.arrays.truth.far.column_name
        ends = [(row[name], encoded(row[name], self.columns[name].form)) for name in (near, far)]
        if self.arrays.symmetric:
            ends.sort(key=lambda end: end[0])
        rest = {name: column for name, column in self.columns.items() if name in row and name not in (near, far)}
        return (ends[0][1], ends[1][1]), {name: encoded(row[name], column.form) for name, column in rest.items()}

    def _duplicate(self, pair: Pair) -> Exception:
        values = dict(zip((self.arrays.truth.near.column_name, self.arrays.truth.far.column_name), pair, strict=True))
        names = [field.column_name for field in self.arrays.link._meta.get_primary_keys()]
        return duplicate(self.arrays.link, names, "insert", values)

    def _require_ends(self, links: Iterable[Pair]) -> None:
        for place, side in enumerate(self.arrays.sides):
            wanted, key = list(dict.fromkeys(pair[place] for pair in links)), key_path(side)
            found = {each[key] for each in self.collections(side.holder).find({key: {"$in": wanted}}, {key: 1}, session=self.session)}
            missing = [each for each in wanted if each not in found]
            if missing:
                raise missing_ends(self.arrays.link, side, missing)

    def _add(self, links: Mapping[Pair, Attributes]) -> dict[Pair, Attributes]:
        """Write those of the links to the truth that it has not; returns them."""
        side, key = self.arrays.truth, key_path(self.arrays.truth)
        added: dict[Pair, Attributes] = {}
        for holder, elements in _by_holder(links, mirrored=False).items():
            while elements:
                wanted = {key: holder, side.place: {"$nin": list(elements)}}
                push = {"$push": {side.array: {"$each": [_element(side, other, values) for other, values in elements.items()]}}}
                if self.truth.update_one(wanted, push, session=self.session).matched_count:
                    added.update({(holder, other): values for other, values in elements.items()})
                    break
                there = self.elements((holder, other) for other in elements)
                if not there and self.truth.find_one({key: holder}, {key: 1}, session=self.session) is None:
                    raise missing_ends(self.arrays.link, side, [holder])
                elements = {other: values for other, values in elements.items() if (holder, other) not in there}
        return added

    # Both sides

    def elements(self, pairs: Iterable[Pair]) -> dict[Pair, Attributes]:
        """Those of the links that the truth has, with their attributes as they stand there."""
        wanted = dict.fromkeys(pairs)
        if not wanted:
            return {}
        side, key = self.arrays.truth, key_path(self.arrays.truth)
        others = list({other: None for _, other in wanted})
        stages = [
            {"$match": {key: {"$in": list({holder: None for holder, _ in wanted})}, side.place: {"$in": others}}},
            {"$project": {"_id": 0, key: 1, side.array: 1}},
            {"$unwind": f"${side.array}"},
            {"$match": {side.place: {"$in": others}}},
        ]
        found = {}
        for each in self.truth.aggregate(stages, session=self.session):
            pair = (each[key], each[side.array][side.element])
            if pair in wanted:
                found[pair] = attributes_of(side, each[side.array])
        return found

    def put(self, side: Side, links: Mapping[Pair, Attributes | None], fresh: bool = False) -> None:
        """Let one side have exactly these: elements, and no element for None. `fresh`: most of them are not there yet."""
        key, collection = key_path(side), self.collections(side.holder)
        by_holder = _by_holder(links, mirrored=side is self.arrays.mirror)
        if fresh and by_holder:
            pushes = [
                UpdateOne(
                    {key: holder, side.place: {"$nin": list(elements)}},
                    {"$push": {side.array: {"$each": [_element(side, other, values) for other, values in elements.items()]}}},
                )
                for holder, elements in by_holder.items()
            ]
            if collection.bulk_write(pushes, session=self.session).matched_count == len(pushes):
                return
        requests = []
        for holder, elements in by_holder.items():
            gone = [other for other, values in elements.items() if values is None]
            if gone:
                requests.append(UpdateOne({key: holder}, {"$pull": {side.array: {side.element: {"$in": gone}}}}))
            for other, values in elements.items():
                if values is not None:
                    element = _element(side, other, values)
                    found = {key: holder, side.array: {"$elemMatch": {side.element: other}}}
                    requests.append(UpdateOne(found, {"$set": {f"{side.array}.$": element}}))
                    requests.append(UpdateOne({key: holder, side.place: {"$ne": other}}, {"$push": {side.array: element}}))
        if requests:
            collection.bulk_write(requests, session=self.session)

    def follow(self, links: Mapping[Pair, Attributes | None], fresh: bool = False) -> None:
        """Bring the mirror in line with the truth, which had these links when it was last looked at."""
        while links:
            self.put(self.arrays.mirror, links, fresh)
            if self.session is not None:
                return
            now = self.elements(links)
            links, fresh = {pair: now.get(pair) for pair, values in links.items() if now.get(pair) != values}, False

    # Changing and removing

    def _found(self, where: Condition, limit: int | None = None) -> list[dict[str, Any]]:
        """The links of the truth for which the condition holds, by column, and each with its element."""
        unwound = Unwound(self.arrays, self.arrays.truth, where, self.truth)
        stages = [*unwound.stages(whole=True), {"$match": filter_of(where)}, *([{"$limit": limit}] if limit else [])]
        return list(self.truth.aggregate(stages, session=self.session, allowDiskUse=True))

    def _pair(self, found: Mapping[str, Any]) -> Pair:
        return found[self.arrays.truth.near.column_name], found[self.arrays.truth.far.column_name]

    def change(self, plan: Change) -> int:
        """Give the links for which the condition holds new attributes; how many these were."""
        side, key = self.arrays.truth, key_path(self.arrays.truth)
        new_values = self._new_values(plan)
        done: dict[Pair, Attributes] = {}
        found = self._found(plan.where)
        while found:
            changes = {self._pair(each): new_values(each) for each in found}
            if self.session is not None:
                self.put(side, changes)
                self.follow(changes)
                return len(changes)
            stale = set()
            for each in found:
                pair = self._pair(each)
                unchanged = {key: pair[0], side.array: {"$elemMatch": {"$eq": each[WHOLE]}}}
                element = _element(side, pair[1], changes[pair])
                if self.truth.update_one(unchanged, {"$set": {f"{side.array}.$": element}}).matched_count:
                    done[pair] = changes[pair]
                else:
                    stale.add(pair)  # another writer has changed it since
            found = [each for each in self._found(plan.where) if self._pair(each) in stale] if stale else []
        self.follow(done)
        return len(done)

    def _new_values(self, plan: Change) -> Callable[[Mapping[str, Any]], Attributes]:
        names = list(self.columns)
        places = {name: place for place, name in enumerate(names)}
        decoders = [decoder(column.form) or (lambda value: value) for column in self.columns.values()]
        setters = [(column, reader(operand, places), settled(column)) for column, operand in plan.assignments]

        def new_values(found: Mapping[str, Any]) -> Attributes:
            row = [None if found.get(name) is None else decode(found[name]) for name, decode in zip(names, decoders, strict=True)]
            values = dict(attributes_of(self.arrays.truth, found[WHOLE]))
            for column, compute, settle in setters:
                values[column.name] = encoded(settle(compute(row)), column.form)
            return {name: value for name, value in values.items() if value is not None}

        return new_values

    def remove(self, where: Condition) -> int:
        """Take away the links for which the condition holds; how many these were."""
        side, key, removed = self.arrays.truth, key_path(self.arrays.truth), 0
        while True:
            found = self._found(where, BATCH)
            by_holder: dict[Any, list[Any]] = {}
            for each in found:
                by_holder.setdefault(self._pair(each)[0], []).append(each[WHOLE])
            for holder, elements in by_holder.items():
                # Whole: one that another writer has changed since is looked at again.
                pull = {"$pullAll": {side.array: elements}}
                before = self.truth.find_one_and_update(
                    {key: holder}, pull, {side.array: 1}, return_document=ReturnDocument.BEFORE, session=self.session
                )
                there = (before or {}).get(side.array) or []
                removed += sum(1 for element in elements if element in there)
            self.follow({self._pair(each): None for each in found})
            if len(found) < (BATCH if self.session is not None else 1):
                return removed


def missing_ends(link: type[peewee.Model], side: Side, keys: Sequence[Any]) -> MissingRecord:
    """The error for links to records that are not there."""
    name, shown = side.holder.__name__, listed([repr(str(key)) if not isinstance(key, int) else repr(key) for key in keys[:10]])
    return MissingRecord(
        f"insert of {link.__name__}",
        f"its links stand in the documents of both ends, and there is no {name} with the key {shown}{' …' if len(keys) > 10 else ''}",
        f"Create the {name} first",
        model=side.holder,
        keys=list(keys),
    )


def attributes_of(side: Side, element: Mapping[str, Any]) -> Attributes:
    """What an element has beside the key."""
    return {name: value for name, value in element.items() if name != side.element}


def _element(side: Side, other: Any, values: Attributes) -> dict[str, Any]:
    return {side.element: other, **values}


def _by_holder(links: Mapping[Pair, Any], mirrored: bool) -> dict[Any, dict[Any, Any]]:
    found: dict[Any, dict[Any, Any]] = {}
    for pair, values in links.items():
        holder, other = reversed(pair) if mirrored else pair
        found.setdefault(holder, {})[other] = values
    return found
