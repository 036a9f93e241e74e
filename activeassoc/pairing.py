"""Pairing: two has_many that point at each other are one many-to-many (A7).

The key that the first of them added is taken away again, two are made on a through model, and both associations stay
the objects that they were, with another path.

Map: `other_half` finds the one that points back; `pair` plans the change; `taken_away` tells which keys went.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from activeassoc.associations.has_many import HasMany
from activeassoc.associations.many_to_many import ManyToMany
from activeassoc.errors import DeclarationError, listed
from activeassoc.planning import Plan, withdraw
from activeassoc.registry import Key, Model

UNSAID: Any = object()
"""The default of `through`, where None means that there is none."""


def _pairable(association: Any) -> bool:
    """Neither key option nor ``through=None`` was written, and the key was not declared otherwise."""
    options = association.options
    return options.get("foreign_key") is None and options.get("source_key") is None and options.get("through", UNSAID) is UNSAID


def other_half(association: Any, target: Model) -> Any:
    """The has_many (or many-to-many) of the target that points back, where the two are one many-to-many."""
    source = association.source
    if target is source or not _pairable(association) or not hasattr(target, "associations"):
        return None
    halves = [each for each in target.associations.values() if each.to_many and each.bound and each.target is source]
    links = [each for each in halves if isinstance(each, ManyToMany) and each.options.get("symmetric") is not True]
    # A through on one side serves both; once both sides have it, a further has_many has no other half.
    served = {
        id(each.through)
        for each in source.associations.values()
        if isinstance(each, ManyToMany) and each.bound and each.target is target
    }
    free = [each for each in links if id(each.through) not in served]
    keyed = [each for each in halves if isinstance(each, HasMany) and _pairable(each) and _own_key(each)]
    instead = "Give both has_many a through=, or through=None to keep one of them one-to-many"
    if len(free) + len(keyed) > 1:
        raise DeclarationError(
            association.declared, f"several could be its other half: {listed([each.declared for each in free + keyed])}", instead
        )
    if links and not free and not keyed:
        raise DeclarationError(
            association.declared, f"{links[0].declared} is the other half of another many-to-many already", instead
        )
    if not free and not keyed:
        return None
    half = (free + keyed)[0]
    for each in (association, half) if keyed else (association,):
        said = [name for name in ("on_delete", "on_update", "null", "where", "order") if each.options.get(name) is not None]
        if said:
            raise DeclarationError(
                association.declared,
                f"it and {half.declared} point at each other and would be one many-to-many, but {each.declared} gives {listed(said)}",
                instead,
            )
    if keyed and len({id(claim.association) for claim in half.key.claims}) > 1:
        others = [claim.text for claim in half.key.claims if claim.association is not half]
        raise DeclarationError(
            association.declared,
            f"it and {half.declared} would be one many-to-many, but the key {half.key.column!r} is also that of {listed(others)}",
            instead,
        )
    return half


def _own_key(association: Any) -> bool:
    """Whether the key was added by has_one or has_many, not by hand and not by a belongs_to."""
    key: Key = association.key
    return key.by_hand is None and not any(claim.names_key for claim in key.claims)


def pair(plan: Plan, association: Any, half: Any, target: Model, names_of: Any, publish: Callable[[Any], None]) -> None:
    """Make one many-to-many of two has_many: one key is taken away, two are made on a through model."""
    if isinstance(half, ManyToMany):
        _become(association, plan)
        association.prepare(plan, target, names_of, half.through)
        return
    key: Key = half.key
    twin = ManyToMany(half.source, half.wanted, half.names, half.declared, association._binder, **{**half.options, "through": None})
    mine = ManyToMany(
        association.source,
        association.wanted,
        association.names,
        association.declared,
        association._binder,
        **{**association.options, "through": None},
    )
    plan.do(_take_away, key, f"{half.declared} and {association.declared} are one many-to-many")
    twin.prepare(plan, half.target, names_of)
    plan.do(_become_now, half, twin, publish)
    plan.do(lambda: _bind_mine(association, mine, half, target, plan.asked, names_of, publish))


def _bind_mine(
    association: Any, mine: Any, half: Any, target: Model, asked: str, names_of: Any, publish: Callable[[Any], None]
) -> None:
    """The second end of a new pair: its through model and keys are there now."""
    plan = Plan(asked)
    mine.prepare(plan, target, names_of, half.through)
    plan.apply()
    _become_now(association, mine, publish)


def _become(association: Any, plan: Plan) -> None:
    """A has_many that is paired stays the same object and becomes a many-to-many."""
    former = dict(association.__dict__)
    association.__class__ = ManyToMany
    association.options = {**association.options, "through": None}

    def back() -> None:
        association.__dict__.clear()
        association.__dict__.update(former)
        association.__class__ = HasMany

    plan.undo.append(back)


def _become_now(association: Any, twin: Any, publish: Callable[[Any], None]) -> None:
    bound = association._target
    association.__class__ = ManyToMany
    association.__dict__.pop("key", None)
    association.__dict__.update({name: value for name, value in twin.__dict__.items() if name != "_target"})
    association._target = bound
    for key in association.ends.keys:
        for claim in key.claims:
            if claim.association is twin:
                claim.association = association
    publish(association)


def _take_away(key: Key, why: str) -> None:
    withdraw(key)
    key.model._meta.__dict__.setdefault("keys_taken", {})[key.column] = why


def taken_away(model: Model) -> dict[str, str]:
    """The key columns that pairing took from a model: column → by which declarations."""
    found: dict[str, str] = model._meta.__dict__.get("keys_taken", {})
    return found
