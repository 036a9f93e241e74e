"""Whether links within documents stand equal on both sides, and how they are made so, on MongoDB.

Map: `differences` reads both sides, a batch of documents at a time; `mend` brings the mirror in line with the truth.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from activeassoc.stores.embedded import Arrays, Difference, Side
from activeassoc.stores.forms import form_of
from activeassoc.stores.mongo_embedded import BATCH, Collections, Pair, Writing, attributes_of, key_path
from activeassoc.stores.mongo_terms import decoder

__all__ = ["differences", "mend", "same_attributes"]


def same_attributes(one: Mapping[str, Any] | None, other: Mapping[str, Any] | None) -> bool:
    """Whether two elements say the same. An `_id` of the element's own, as some programs give it, says nothing."""
    if one is None or other is None:
        return one is other
    return {name: value for name, value in one.items() if name != "_id"} == {name: value for name, value in other.items() if name != "_id"}


def differences(arrays: Arrays, collections: Collections, session: Any = None) -> Iterator[Difference]:
    """What is wrong with the links of both sides. Two statements for every `BATCH` links of either side."""
    decoders = [decoder(form_of(end)) or (lambda key: key) for end in (arrays.truth.near, arrays.truth.far)]
    for side, opposite in ((arrays.truth, arrays.mirror), (arrays.mirror, arrays.truth)):
        if side is arrays.truth or not arrays.symmetric:  # one array has both sides
            for batch in _batches(side, collections(side.holder), session):
                lists = {key: held for key, held in batch.items() if isinstance(held, list)}
                others = [(key, held) for key, held in batch.items() if key not in lists]
                wrong = [Difference("no list", side, (key, None), mendable=held is None) for key, held in others]
                for each in (*wrong, *_compared(arrays, side, opposite, lists, collections, session)):
                    yield replace(each, keys=_decoded(decoders, each))


def _decoded(decoders: Sequence[Any], each: Difference) -> tuple[Any, ...]:
    keys = zip(decoders, each.pair, strict=True)
    return tuple(key if key is None or isinstance(key, dict | list) else decode(key) for decode, key in keys)


def _batches(side: Side, collection: Any, session: Any) -> Iterator[dict[Any, Any]]:
    """Keys of documents with what their arrays hold, so many that a batch has about `BATCH` links."""
    key, size = key_path(side), 0
    batch: dict[Any, Any] = {}
    for document in collection.find({side.array: {"$exists": True}}, {key: 1, side.array: 1}, session=session):
        held = document.get(side.array)
        batch[document.get(key)] = held
        size += len(held) if isinstance(held, list) else 1
        if size >= BATCH:
            yield batch
            batch, size = {}, 0
    if batch:
        yield batch


def _compared(
    arrays: Arrays, side: Side, opposite: Side, batch: Mapping[Any, list[Any]], collections: Collections, session: Any
) -> Iterator[Difference]:
    links: dict[Pair, Mapping[str, Any]] = {}
    for holder, elements in batch.items():
        for element in elements:
            other = element.get(side.element) if isinstance(element, dict) else None
            pair = (holder, other)
            if other is None or isinstance(other, dict | list):
                yield Difference("unreadable", side, pair, mendable=False)
            elif pair in links:
                alike = same_attributes(links[pair], attributes_of(side, element))
                yield Difference("repeated", side, _in_order(arrays, side, pair), alike)
            else:
                links[pair] = attributes_of(side, element)
    there, found = _opposite(opposite, links, collections(opposite.holder), session)
    for pair, values in links.items():
        holder, other = pair
        first = side is arrays.truth and not (arrays.symmetric and other < holder)
        counterpart = found.get((other, holder))
        if other not in there:
            yield Difference("dangling", side, _in_order(arrays, side, pair))
        elif counterpart is None:
            yield Difference("missing" if first else "left over", side, _in_order(arrays, side, pair))
        elif first and not same_attributes(values, counterpart):
            yield Difference("unlike", side, _in_order(arrays, side, pair))


def _in_order(arrays: Arrays, side: Side, pair: Pair) -> Pair:
    """(the document, the other end) as (the truth's key, the mirror's key)."""
    if arrays.symmetric:
        return (pair[1], pair[0]) if pair[1] < pair[0] else pair
    return pair if side is arrays.truth else (pair[1], pair[0])


def _opposite(side: Side, links: Iterable[Pair], collection: Any, session: Any) -> tuple[set[Any], dict[Pair, Mapping[str, Any]]]:
    """The documents at the other end that are there, and what they have of these links."""
    key = key_path(side)
    wanted, holders = list({other for _, other in links}), {holder for holder, _ in links}
    there: set[Any] = set()
    found: dict[Pair, Mapping[str, Any]] = {}
    for document in collection.find({key: {"$in": wanted}}, {key: 1, side.array: 1}, session=session):
        there.add(document[key])
        held = document.get(side.array)
        for element in held if isinstance(held, list) else ():
            other = element.get(side.element) if isinstance(element, dict) else None
            if not isinstance(other, dict | list) and other in holders:
                found.setdefault((document[key], other), attributes_of(side, element))
    return there, found


def mend(arrays: Arrays, wrong: Iterable[Difference], collections: Collections, session: Any) -> None:
    """Put right what can be: links to nothing go, repeats become one, and the mirror has what the truth has."""
    writing = Writing(arrays, collections, session)
    pairs: dict[Pair, None] = {}
    for each in wrong:
        if not each.mendable:
            continue
        if each.wrong == "no list":  # a null, which is none at all, and to which nothing can be added
            null = {key_path(each.side): each.pair[0], each.side.array: None}
            collections(each.side.holder).update_one(null, {"$set": {each.side.array: []}}, session=session)
            continue
        if each.wrong == "dangling":
            for side in arrays.sides:
                writing.put(side, {each.pair: None})
            continue
        if each.wrong == "repeated":
            values = writing.elements([each.pair]).get(each.pair)
            for side in arrays.sides:
                writing.put(side, {each.pair: None})
            if values is not None:
                writing.put(arrays.truth, {each.pair: values})
        pairs[each.pair] = None
    writing.follow({**pairs, **writing.elements(pairs)})
