"""What follows from the models and is worked out once: texts of statements, functions that read rows.

Nothing here may outlive what it follows from. Every change of a model makes a new moment, and what was kept before it is dropped
when somebody next asks. A model that is bound to another database and back again finds what it had: what is kept is kept for each
state of the bindings.

Map: `Kept` is a mapping of such things; `changed` says that a model is another one now, `rebinding` that one gets another
database; `watch` notices a proxy that is given its database. Metadata and metaclass (in `model_type`) tell of what they see.

What nobody can see: an attribute of a field that is set on the field itself (``User.name.column_name = "n"``). Call `changed` then,
or replace the field with ``add_field``. Models that are peewee's own tell nothing; a `Kept` that depends on such is given them, and
looks at their fields, table, schema and database each time; of a model with a proxy at the database that this has now.

Nor is it seen, after a model was first used, that a program puts another method into a class that is no model (a mixin, a class of
fields, peewee's own ``Model``). Call `changed` after it.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Hashable, Iterator
from operator import is_
from typing import Any

import peewee

#: How many things one `Kept` holds, and for how many states of the bindings: beyond that it begins anew.
LIMIT = 256
BINDINGS = 8


class Moment:
    """A time in which no model changed."""

    __slots__ = ("binding", "epoch")

    def __init__(self, epoch: object, binding: object) -> None:
        self.epoch = epoch  # what the models are
        self.binding = binding  # and which database each has; this may come back


# Changes are rare and take the lock. Who only reads takes none: it looks at `_now`, which is replaced whole.
_lock = threading.RLock()
_now = Moment(object(), object())
_bindings: dict[frozenset[tuple[int, int]], tuple[object, Any]] = {}
#: Models (their metadata, by id) that do not have the database that they had at the last change: the former one, and the new.
_away: dict[int, tuple[Any, Any]] = {}


def changed() -> None:
    """A model has changed: nothing that is kept holds any longer. To be called after the change."""
    global _now
    with _lock:
        _away.clear()
        _bindings.clear()
        _now = Moment(object(), object())
        _bindings[frozenset()] = (_now.binding, None)


@contextlib.contextmanager
def rebinding(meta: Any, former: Any, database: Any) -> Iterator[None]:
    """The block gives a model another database. Bound back again it finds what was kept before."""
    global _now
    with _lock:
        epoch = _now.epoch
        _now = Moment(epoch, object())  # what is worked out within the block is not found again
        try:
            yield
        finally:
            watch(database)
            home = _away.get(id(meta), (former, None))[0]
            if database is home:
                _away.pop(id(meta), None)
            else:
                _away[id(meta)] = (home, database)
            state = frozenset((number, id(there)) for number, (_, there) in _away.items())
            if state not in _bindings:
                if len(_bindings) >= BINDINGS:
                    _bindings.clear()
                # With the databases themselves: an id means something only as long as they live.
                _bindings[state] = (object(), list(_away.values()))
            _now = Moment(epoch, _bindings[state][0])


def watch(database: Any) -> None:
    """A proxy may be given another database at any time, and then texts differ."""
    if isinstance(database, peewee.Proxy) and _initialized not in database._callbacks:
        database.attach_callback(_initialized)


def _initialized(database: Any) -> None:
    changed()


class Kept:
    """A mapping of things that follow from the models, each made when it is first asked for and dropped when a model changes.

    `models` are those that it depends on beside the ones whose changes are noticed; giving all of them does no harm. Threads and
    tasks share it without a lock: two may make the same thing at once, and one of them is kept. What is made may not depend
    on anything else than the models and the key.
    """

    __slots__ = ("_by_binding", "_held", "_models")

    def __init__(self, *models: Any) -> None:
        self._models = tuple(model._meta for model in models)
        #: The moment of the last look, which models were silent then, what was seen of them, and what is kept.
        self._held: tuple[Moment, tuple[Any, ...], tuple[Any, ...], dict[Hashable, Any]] = (Moment(None, None), (), (), {})
        #: What is kept for each state of the bindings; with what was seen, as an id means something only as long as that lives.
        self._by_binding: dict[Hashable, tuple[tuple[Any, ...], dict[Hashable, Any]]] = {}

    def get(self, key: Hashable) -> Any:
        """What is kept under `key`, None where there is nothing."""
        moment, silent, _, entries = self._held
        return entries.get(key) if moment is _now and not silent else None

    def of(self, key: Hashable, make: Callable[[], Any]) -> Any:
        """What is kept under `key`; where there is nothing, or a model has changed since, `make` makes it."""
        now = _now
        moment, silent, seen, entries = self._held
        if moment is not now or (silent and not all(map(is_, seen, _looks(silent)))):
            silent, seen, entries = self._turn(now)
        found = entries.get(key, entries)
        if found is not entries:
            return found
        found = make()
        # Only where nothing changed meanwhile: it may be half of this and half of that.
        if _now is now and all(map(is_, seen, _looks(silent))):
            if len(entries) >= LIMIT:
                entries.clear()
            entries[key] = found
        return found

    def _turn(self, now: Moment) -> tuple[tuple[Any, ...], tuple[Any, ...], dict[Hashable, Any]]:
        """What is kept for this moment, and what is to be seen of silent models; what does not hold any longer is dropped."""
        silent = tuple(filter(_is_silent, self._models))
        seen = _looks(silent)
        state = (now.binding, *map(id, seen))
        known = self._by_binding if self._held[0].epoch is now.epoch else {}
        if state not in known:
            known = {**(known if len(known) < BINDINGS else {}), state: (seen, {})}
            self._by_binding = known
        entries = known[state][1]
        self._held = (now, silent, seen, entries)
        return silent, seen, entries

    def __len__(self) -> int:
        moment, _, _, entries = self._held
        return len(entries) if moment is _now else 0


def _is_silent(meta: Any) -> bool:
    """Whether a model may change without a word: a database that each thread has its own of, and a proxy, are asked each time."""
    own = meta.__dict__
    return not getattr(meta, "tells", False) or "database" not in own or isinstance(own["database"], peewee.Proxy)


def _looks(silent: tuple[Any, ...]) -> tuple[Any, ...]:
    """What can be seen of models that tell nothing. peewee makes a new list of fields with every change of them."""
    found: list[Any] = []
    for meta in silent:
        if getattr(meta, "tells", False):
            found.append(meta.get_database_instance())
        else:
            found += (meta.sorted_fields, meta.table_name, meta.schema, meta.database, meta.get_database_instance())
    return tuple(found)


changed()
