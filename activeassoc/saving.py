"""Saving a record together with what its collections have queued: all of it, or nothing.

Map: `collections_with_work` finds the queues of a record; `save_with_links` writes the row, then the links, in one
transaction; `_carry_out` does one queue, and tells which of its links failed.
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import peewee

from activeassoc.associations.stages import databases_of
from activeassoc.associations.writing import as_before, patiently
from activeassoc.collection import Collection
from activeassoc.errors import AssociationError, LinkFailure, LinksNotSaved, RecordNotFound, listed
from activeassoc.queue import Entry
from activeassoc.stores.sql import many_statements, store_of
from activeassoc.stores.subqueries import place_of
from activeassoc.targets import Target, key_of

#: The mapping of a new record's fields that was queued, and the record that was made of it, or its key.
Made = tuple[Any, Any]


def collections_with_work(record: Any) -> list[Collection]:
    """The collections of a record that have something queued."""
    return [each for each in _collections(record) if each.waiting] if record._loaded else []


def drop_queues(record: Any) -> None:
    """Forget what the collections of a record have queued: nobody will have the record."""
    for collection in collections_with_work(record):
        collection.pending.clear()


def save_with_links(record: Any, collections: list[Collection], save_row: Callable[[], int]) -> int:
    """Write the row, then what the collections have queued, in one transaction; returns the number of rows, as peewee's save.

    When anything fails everything is rolled back, the record and all instances are in memory what they were, and the
    queues are kept. Where that is a link, LinksNotSaved lists all that failed. (F7)
    """
    databases = _databases(record, collections)
    if not all(store_of(database).transactions for database in databases):
        return _save_in_steps(record, collections, save_row)
    return int(patiently(databases, lambda: _save_at_once(record, collections, save_row, databases)))


def _save_at_once(record: Any, collections: list[Collection], save_row: Callable[[], int], databases: list[Any]) -> int:
    """The same where every store has transactions, which are committed one after the other: those of the links last."""
    given = [entry.given for each in collections for entry in each.pending.entries]
    done: list[Any] = []  # the databases whose part is committed
    made: list[Made] = []
    whole = False
    try:
        with memory_as_before([record], given, lambda each: each._meta.database in done), contextlib.ExitStack() as stack:
            for database in databases:
                stack.push(lambda kind, *_, database=database: None if kind else done.append(database))
                stack.enter_context(many_statements(database))
            rows = save_row()
            failed = [failure for collection in collections for failure in _carry_out(record, collection, made)]
            if failed:
                raise _not_saved(record, failed)
            whole = True
    except Exception as error:
        if whole:
            raise _not_committed(record, collections, done, made, error) from error
        raise
    for collection in collections:
        collection.pending.clear()
    return rows


def _not_committed(record: Any, collections: list[Collection], done: list[Any], made: list[Made], error: Exception) -> LinksNotSaved:
    """The error for a commit that failed, after those of the databases `done`; what is committed is no longer queued."""
    failed: list[LinkFailure] = []
    for collection in collections:
        association: Any = collection.association
        entries = collection.pending.entries
        collection.pending.clear()
        if all(key.model._meta.database in done for key in association.keys):
            continue
        if association.target._meta.database in done:
            # Its record is there: once more it would be made twice.
            entries = [_as_made(each, made) for each in entries]
        collection.pending.put(entries)
        for verb in dict.fromkeys(each.verb for each in entries):
            failed.append(LinkFailure(association.label, verb, [each.given for each in entries if each.verb == verb], error))
    rest = f"what was written in {listed([place_of(each) for each in done])} stays" if done else "nothing was written"
    found = _not_saved(record, failed or [LinkFailure(type(record).__name__, "save", record, error)], rest)
    found.stays = bool(done)
    return found


def _as_made(entry: Entry, made: list[Made]) -> Entry:
    """What was queued as a mapping, and of which a record was made that stays: that record is to be linked."""
    for values, target in made:
        if values is entry.values:
            known = isinstance(target, peewee.Model)
            return Entry(entry.verb, Target(key_of(target), target) if known else Target(target))
    return entry


def _databases(record: Any, collections: list[Collection]) -> list[Any]:
    """The databases that are written, each once; that of the record, and of new targets, is committed before those of their links."""
    referring, targets = [], [type(record)]
    for collection in collections:
        association: Any = collection.association
        referring += [key.model for key in association.keys]
        if any(entry.values is not None or entry.target.new for entry in collection.pending.entries):
            targets.append(association.target)
    return databases_of(referring, targets)


def _save_in_steps(record: Any, collections: list[Collection], save_row: Callable[[], int]) -> int:
    """The same where a store has no transactions: first the row, then the links, which cannot be taken back together. (H6)

    LinksNotSaved tells what failed; what did not is written, and is no longer queued.
    """
    rows = save_row()
    failed: list[LinkFailure] = []
    for collection in collections:
        entries = collection.pending.entries
        made: list[Made] = []
        failures = _carry_out(record, collection, made, in_steps=True)
        failed += failures
        lost = [each for failure in failures for each in (failure.value if isinstance(failure.value, list) else [failure.value])]
        collection.pending.clear()
        kept = [entry for entry in entries if any(entry.given is each or entry.target.key == each for each in lost)]
        collection.pending.put([_as_made(entry, made) for entry in kept])
    if failed:
        raise _not_saved(record, failed, f"the {type(record).__name__} and the rest were written, and stay")
    return rows


@contextlib.contextmanager
def memory_as_before(
    owners: Iterable[Any], given: Iterable[Any], stays: Callable[[Any], bool] = lambda record: False
) -> Iterator[None]:
    """When the block raises, the owners, the instances given, and what all of these hold loaded are in memory what they were.

    `stays` tells of a record whose row is written all the same.
    """
    records = _reached([*owners, *(each for each in given if isinstance(each, peewee.Model))])
    found = [each for record in records for each in _collections(record)]
    states = [(each, {name: getattr(each, name) for name in Collection.__slots__ if hasattr(each, name)}) for each in found]
    queues = [(each.pending, each.pending.entries) for each in found if each.waiting]
    try:
        with as_before([*records, *(record for each in found for record in each.held())], stays):
            yield
    except BaseException:
        for each, state in states:
            for name, value in state.items():
                setattr(each, name, value)
        for queue, entries in queues:
            queue.clear()  # a record that was saved on the way has carried its queue out, and that is taken back, too
            queue.put(entries)
        raise


def _collections(record: Any) -> list[Collection]:
    return [each for each in (getattr(record, "_loaded", None) or {}).values() if isinstance(each, Collection)]


def _reached(records: list[Any]) -> list[Any]:
    """The records, and those that saving them would save: what their collections have queued, and so on."""
    found: dict[int, Any] = {}
    while records:
        record = records.pop()
        if id(record) not in found:
            found[id(record)] = record
            entries = [entry for each in _collections(record) if each.waiting for entry in each.pending.entries]
            records += [entry.target.record for entry in entries if entry.target.record is not None]
    return list(found.values())


def _carry_out(record: Any, collection: Collection, done: list[Made], in_steps: bool = False) -> list[LinkFailure]:
    """Do what one collection has queued: first what is removed, then what is added, in the order of the calls.

    The records that are made of mappings are noted in `done`.

    In steps, where nothing can be taken back, each new record is made by itself: of several the first would be made
    once more when the second fails and all are tried one by one.
    """
    entries = collection.pending.entries
    removed = [entry for entry in entries if entry.verb == "remove"]
    added = [entry for entry in entries if entry.verb == "add"]
    failed: list[LinkFailure] = []
    for made, group in (
        *([(False, removed)] if removed else []),
        *((made, list(some)) for made, some in itertools.groupby(added, key=lambda entry: entry.values is not None)),
    ):
        for some in [[entry] for entry in group] if made and in_steps else [group]:
            failed += _attempt(record, collection, some, done if made else None, in_steps)
    return failed


def _attempt(
    record: Any, collection: Collection, entries: list[Entry], made: list[Made] | None, in_steps: bool = False
) -> list[LinkFailure]:
    """Do these in as few statements as can be; where that fails, find out which of them it was."""
    association: Any = collection.association
    try:
        # In a savepoint: on PostgreSQL a failed statement would end the transaction, and nothing else could be asked.
        with contextlib.ExitStack() as stack:
            for database in databases_of([key.model for key in association.keys], [association.target] if made is not None else []):
                stack.enter_context(many_statements(database))
            _do(record, association, entries, made)
        return []
    except peewee.OperationalError as error:
        return [LinkFailure(association.label, entries[0].verb, [entry.given for entry in entries], error)]
    except RecordNotFound as error:
        missing = [entry for entry in entries if error.facts.get("model") is association.target and entry.target.key in error.keys]
        if missing:
            failed = [LinkFailure(association.label, entry.verb, entry.given, error) for entry in missing]
            # The others failed with them. Where a transaction ends with that, nobody asks; in steps they are to be written yet.
            others = [entry for entry in entries if not any(entry is each for each in missing)] if in_steps else []
            return failed + (_attempt(record, collection, others, made, in_steps) if others else [])
        return [LinkFailure(association.label, entries[0].verb, [entry.given for entry in entries], error)]
    except Exception as error:
        if len(entries) == 1:
            if made is not None:
                made += [(entries[0].values, key) for key in getattr(error, "made", ())]
            return [LinkFailure(association.label, entries[0].verb, entries[0].given, error)]
        failed = [failure for entry in entries for failure in _attempt(record, collection, [entry], made, in_steps)]
        return failed or [LinkFailure(association.label, entries[0].verb, [entry.given for entry in entries], error)]


def _do(record: Any, association: Any, entries: list[Entry], made: list[Made] | None) -> None:
    if made is not None:
        # Through create, which always inserts: an instance made by hand with an automatic key would count as saved.
        values = [entry.values for entry in entries]
        made += zip(values, association.create_many(record, values), strict=True)
        return
    getattr(association, entries[0].verb)(record, [entry.given for entry in entries])


def _not_saved(record: Any, failed: list[LinkFailure], rest: str = "nothing was written") -> LinksNotSaved:
    why = [f"{each.collection}.{each.verb}({each.value!r}): {_reason(each.error)}" for each in failed]
    error = LinksNotSaved(
        f"{type(record).__name__}.save() with what its collections have queued",
        f"{len(failed)} of it failed, and {rest}: {listed(why)}",
        "The queue is kept: mend what failed, or take it back, and save again",
        failed=failed,
        record=record,
    )
    error.__cause__ = failed[0].error
    return error


def _reason(error: Exception) -> str:
    return error.because if isinstance(error, AssociationError) else f"{type(error).__name__}: {error}"
