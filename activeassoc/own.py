"""Whether a model does something in its user's own way.

What is done sooner than peewee does it may only be done where nobody else has a say. A class is known by itself and not by the
module that it says it comes from: a model that a program makes (``type("Pet", (Base,), …)``) says "peewee".

Map: `has_own` tells; `ours` notes the classes that are peewee's and this library's, with what they have; `converts_as_peewee` tells of
the classes of fields.
"""

from __future__ import annotations

from typing import Any

import peewee

from activeassoc.registry import Model

_ours: dict[type, dict[str, Any]] = {}


def ours(model: Model) -> None:
    """What this class and its bases have is no user's."""
    for base in model.__mro__:
        _ours.setdefault(base, dict(base.__dict__))


ours(peewee.Model)


def has_own(model: Model, *names: str) -> bool:
    """Whether a class of the user's, or who patched one of ours, says how one of these methods works."""
    for base in model.__mro__:
        own, known = base.__dict__, _ours.get(base)
        if known is None:
            if not own.keys().isdisjoint(names):
                return True
        elif any(own.get(name) is not known.get(name) for name in names):
            return True
    return False


def converts_as_peewee(kind: type[peewee.Field]) -> bool:
    """Whether fields of this class convert values as peewee's do, and not in a way of the user's own."""
    for method in ("db_value", "adapt"):
        holder = next(cls for cls in kind.__mro__ if method in cls.__dict__)
        if holder.__module__.partition(".")[0] not in ("peewee", "playhouse"):  # a user's peewee_extras is not peewee
            return False
    return True
