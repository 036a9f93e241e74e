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

from activeassoc.associations.writing import as_before
from activeassoc.collection import Collection
from activeassoc.errors import AssociationError, LinkFailure, LinksNotSaved, RecordNotFound, listed
from activeassoc.queue import Entry
from activeassoc.stores.sql import many_statements


def collections_with_work(record: Any) -> list[Collection]:
    """The collections of a record that have something queued."""
    return [each for each in _collections(record) if each.waiting] if "_loaded" in record.__dict__ else []


def drop_queues(record: Any) -> None:
    """Forget what the collections of a record have queued: nobody will have the record."""
    for collection in collections_with_work(record):
        collection.pending.clear()


def save_with_links(record: Any, collections: list[Collection], save_row: Callable[[], int]) -> int:
    """Write the row, then what the collections have queued, in one transaction; returns the number of rows, as peewee's save.

    When anything fails everything is rolled back, the record and all instances are in memory what they were, and the
    queues are kept. Where that is a link, LinksNotSaved lists all that failed. (F7)
    """
    given = [entry.given for each in collections for entry in each.pending.entries]
    with contextlib.ExitStack() as stack:
        stack.enter_context(memory_as_before([record], given))
        for database in _databases(record, collections):
            stack.enter_context(many_statements(database))
        rows = save_row()
        failed = [failure for collection in collections for failure in _carry_out(record, collection)]
        if failed:
            raise _not_saved(record, failed)
    for collection in collections:
        collection.pending.clear()
    return rows


def _databases(record: Any, collections: list[Collection]) -> list[Any]:
    """The databases that are written, each once."""
    models = [type(record)]
    for collection in collections:
        association: Any = collection.association
        models += [association.target, *([association.link] if association.link is not None else [])]
    return list({id(model._meta.database): model._meta.database for model in models}.values())


@contextlib.contextmanager
def memory_as_before(owners: Iterable[Any], given: Iterable[Any]) -> Iterator[None]:
    """When the block raises, the owners, the instances given, and what all of these hold loaded are in memory what they were."""
    records = _reached([*owners, *(each for each in given if isinstance(each, peewee.Model))])
    found = [each for record in records for each in _collections(record)]
    states = [(each, {name: getattr(each, name) for name in Collection.__slots__ if hasattr(each, name)}) for each in found]
    queues = [(each.pending, each.pending.entries) for each in found if each.waiting]
    try:
        with as_before([*records, *(record for each in found for record in each.held())]):
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
    return [each for each in record.__dict__.get("_loaded", {}).values() if isinstance(each, Collection)]


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


def _carry_out(record: Any, collection: Collection) -> list[LinkFailure]:
    """Do what one collection has queued: first what is removed, then what is added, in the order of the calls."""
    entries = collection.pending.entries
    removed = [entry for entry in entries if entry.verb == "remove"]
    added = [entry for entry in entries if entry.verb == "add"]
    failed: list[LinkFailure] = []
    for made, group in (
        *([(False, removed)] if removed else []),
        *((made, list(some)) for made, some in itertools.groupby(added, key=lambda entry: entry.values is not None)),
    ):
        failed += _attempt(record, collection, group, made)
    return failed


def _attempt(record: Any, collection: Collection, entries: list[Entry], made: bool) -> list[LinkFailure]:
    """Do these in as few statements as can be; where that fails, find out which of them it was."""
    association: Any = collection.association
    try:
        # In a savepoint: on PostgreSQL a failed statement would end the transaction, and nothing else could be asked.
        with many_statements(association.target._meta.database):
            _do(record, association, entries, made)
        return []
    except peewee.OperationalError as error:
        return [LinkFailure(association.label, entries[0].verb, [entry.given for entry in entries], error)]
    except RecordNotFound as error:
        missing = [entry for entry in entries if error.facts.get("model") is association.target and entry.target.key in error.keys]
        if missing:
            return [LinkFailure(association.label, entry.verb, entry.given, error) for entry in missing]
        return [LinkFailure(association.label, entries[0].verb, [entry.given for entry in entries], error)]
    except Exception as error:
        if len(entries) == 1:
            return [LinkFailure(association.label, entries[0].verb, entries[0].given, error)]
        failed = [failure for entry in entries for failure in _attempt(record, collection, [entry], made)]
        return failed or [LinkFailure(association.label, entries[0].verb, [entry.given for entry in entries], error)]


def _do(record: Any, association: Any, entries: list[Entry], made: bool) -> None:
    if made:
        # Through create, which always inserts: an instance made by hand with an automatic key would count as saved.
        association.create_many(record, [entry.values for entry in entries])
        return
    getattr(association, entries[0].verb)(record, [entry.given for entry in entries])


def _not_saved(record: Any, failed: list[LinkFailure]) -> LinksNotSaved:
    why = []
    for failure in failed:
        error = failure.error
        because = error.because if isinstance(error, AssociationError) else f"{type(error).__name__}: {error}"
        why.append(f"{failure.collection}.{failure.verb}({failure.value!r}): {because}")
    error = LinksNotSaved(
        f"{type(record).__name__}.save() with what its collections have queued",
        f"{len(failed)} of it failed, and nothing was written: {listed(why)}",
        "The queue is kept: mend what failed, or take it back, and save again",
        failed=failed,
        record=record,
    )
    error.__cause__ = failed[0].error
    return error
