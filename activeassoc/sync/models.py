"""Which models a call of sync or drop means.

Map: `meant` gives them by database; `is_base` tells the classes that stand for their descendants.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import peewee

from activeassoc import registry
from activeassoc.errors import WrongTarget
from activeassoc.sync.wanted import refuse

Model = type[peewee.Model]


@dataclass
class Meant:
    """The models of one database: those that were asked for, and the join tables that come with them."""

    database: Any
    models: list[Model] = field(default_factory=list)
    brought: list[Model] = field(default_factory=list)


def meant(verb: str, what: Sequence[Any]) -> list[Meant]:
    """The models that are meant, by database; databases and models in the order given, models of a database as they were defined.

    Raises WrongTarget for what is neither database nor model, SyncError for a model without a database.
    """
    known = registry.known_models()
    asked: dict[int, Model] = {}
    for each in what or [None]:
        for model in models_of(verb, each, known):
            if not is_base(model, known):
                asked.setdefault(id(model), model)
    found: dict[int, Meant] = {}
    for model in asked.values():
        database: Any = model._meta.get_database_instance()
        if database is None or database.deferred:
            raise refuse(
                f"{verb}() of {model.__name__}",
                "it has no database yet",
                f"Give it one (Meta.database), or name what to {verb}: {verb}(db)",
            )
        found.setdefault(id(database), Meant(database)).models.append(model)
    for model in known:  # a join table comes with the models that it was made for
        place = found.get(id(model._meta.get_database_instance()))
        if place and id(model) not in asked and any(id(of) in asked for of in getattr(model._meta, "made_for", ())):
            place.brought.append(model)
    return list(found.values())


def models_of(verb: str, what: Any, known: Sequence[Model]) -> Iterable[Model]:
    """The `known` models that one thing given to `verb` stands for: a database, a base, a model, or None for all of them."""
    if what is None:
        return known
    if isinstance(what, peewee.Proxy):
        what = what.obj
    if isinstance(what, peewee.Database):
        return [model for model in known if model._meta.get_database_instance() is what]
    if isinstance(what, type) and issubclass(what, peewee.Model):
        if is_base(what, known):
            return [model for model in known if issubclass(model, what)]
        return [what]
    instead = f"Write {verb}(*models)" if isinstance(what, (list, tuple, set, frozenset)) else f"Write {verb}(db) or {verb}(User, Task)"
    raise WrongTarget(f"{verb}({what!r})", "a database or a model was expected", instead, value=what)


def is_base(model: Any, known: Iterable[Model]) -> bool:
    """Whether the class stands for its descendants and has no table itself (E3).

    That is one with ``Meta.abstract = True``, or one that has neither fields nor associations of its own and from which others derive.
    """
    meta = model._meta
    if getattr(meta, "abstract", False):
        return True
    bases = [base for base in model.__mro__[1:] if isinstance(base, peewee.ModelBase) and hasattr(base, "_meta")]
    inherited = {name for base in bases for name in base._meta.fields}
    implicit = {meta.primary_key.name} if getattr(meta, "implicit_key", False) else set()
    if set(meta.fields) - inherited - implicit or getattr(model, "associations", None):
        return False
    return any(other is not model and issubclass(other, model) for other in known)
