"""Pairing: two has_many that point at each other are one many-to-many (A7).

The key that the first of them added is taken away again, two are made on a through model, and both associations stay
the objects that they were, with another path.

Map: `other_half` finds the one that points back; `pair` plans the change; `check_throughs` and `check_taken` are what
a later declaration may not contradict.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from activeassoc import naming
from activeassoc.associations import dominance, embedding
from activeassoc.associations.has_many import HasMany
from activeassoc.associations.many_to_many import ManyToMany
from activeassoc.errors import DeclarationError, listed
from activeassoc.keys import keys_to
from activeassoc.planning import Plan, refresh, withdraw
from activeassoc.registry import Claim, Model, Taken, bound, keys_of, keys_taken

UNSAID: Any = object()
"""The default of `through`, where None means that there is none."""

INSTEAD = "Give both has_many a through=, or through=None to keep one of them one-to-many"


def other_half(association: Any, target: Model, names_of: Any) -> Any:
    """The association of the target that points back, where the two are one many-to-many; else None.

    Raises where several could be it, or where one of the two says something that a many-to-many cannot mean.
    """
    source = association.source
    if target is source or not may_be_half(association, target):
        return None
    halves = [each for each in target.associations.values() if each.to_many and (each.target if each.bound else each.meant) is source]
    # A collection of a class body says outright what it is, and a one-way one that the target knows nothing of it (F1).
    halves = [each for each in halves if "in_body" not in each.options]
    keyed = [each for each in halves if isinstance(each, HasMany) and may_be_half(each, source)]
    if isinstance(association, ManyToMany):
        links, free = [], []
        _check_complete(association, target, keyed, names_of)
    else:
        links = [each for each in halves if isinstance(each, ManyToMany)]
        # A through on one side serves both; once both sides have it, a further has_many has no other half.
        served = {id(each.through) for each in _between(source, target)}
        free = [each for each in links if id(each.through) not in served]
    if len(free) + len(keyed) > 1:
        raise DeclarationError(
            association.declared, f"several could be its other half: {listed([each.declared for each in free + keyed])}", INSTEAD
        )
    if links and not free and not keyed:
        raise DeclarationError(association.declared, f"{links[0].declared} is the other half of another many-to-many already", INSTEAD)
    if not free and not keyed:
        return None
    half = (free + keyed)[0]
    _check_halves(association, half)
    return half


def _check_complete(association: ManyToMany, target: Model, keyed: list[Any], names_of: Any) -> None:
    """Raise where the other side of these links is there already, and a has_many could be it as well."""
    table = _table_of(association, target, names_of)
    for each in _between(target, association.source) if keyed else ():
        if each.through._meta.table_name == table:
            raise DeclarationError(
                association.declared,
                f"several could be its other half: {listed([each.declared, *(half.declared for half in keyed)])}",
                INSTEAD,
            )


def _table_of(association: ManyToMany, target: Model, names_of: Any) -> str:
    """The table of the association's links, which may still have to be made."""
    through = association.options.get("through")
    return str(getattr(getattr(through, "_meta", None), "table_name", through or association.default_table(target, names_of)))


def may_be_half(association: Any, target: Model) -> bool:
    """Whether a to-many could be a many-to-many: it has a through, or it says nothing of a key and none was declared otherwise."""
    options = association.options
    if not hasattr(target, "associations"):
        return False
    if isinstance(association, ManyToMany):
        return not options.get("symmetric")
    if options.get("foreign_key") is not None or options.get("source_key") is not None or options.get("through", UNSAID) is not UNSAID:
        return False
    records = keys_of(target)
    found = [records.get(field.column_name) for field in keys_to(target, association.source)]
    return all(key is not None and key.by_hand is None and not any(claim.names_key for claim in key.claims) for key in found)


def _check_halves(association: Any, half: Any) -> None:
    """Raise where a has_many that becomes a many-to-many says what only a one-to-many can mean."""
    for each in (association, half):
        if isinstance(each, ManyToMany):
            continue
        said = [name for name in ("on_delete", "on_update", "null", "where", "order") if each.options.get(name) is not None]
        if said:
            raise DeclarationError(
                association.declared,
                f"it and {half.declared} point at each other and would be one many-to-many, but {each.declared} gives {listed(said)}",
                INSTEAD,
            )
    if isinstance(half, HasMany) and half.bound:
        others = [claim.text for claim in half.key.claims if claim.association is not half]
        if others:
            raise DeclarationError(
                association.declared,
                f"it and {half.declared} would be one many-to-many, but the key {half.key.column!r} is also that of {listed(others)}",
                INSTEAD,
            )


# Two become one


def pair(plan: Plan, association: Any, half: Any, target: Model, names_of: Any, publish: Callable[[Any], None]) -> None:
    """Make one many-to-many of two associations: one of them makes the links, or has them, and the other one follows."""
    if isinstance(half, HasMany):
        taken = Taken(half.source, f"{half.declared} and {association.declared} are one many-to-many")
        plan.do(_take_away, half, association.source, taken, names_of)
    if isinstance(half, ManyToMany):
        leader, follower, link = half, association, half.through
        if getattr(link._meta, "made_for", None):
            plan.do(dominance.move, link, dominance.home_of(plan, half, association.source, association))
        else:
            dominance.check_through(association, target, link)
    elif isinstance(association, ManyToMany):
        leader, follower = association, half
        link = association.prepare(plan, target, names_of, half)
        if not getattr(link._meta, "made_for", None):
            dominance.check_through(half, association.source, link)
    else:
        leader, follower = half, association
        draft = _as_links(half)
        link = draft.prepare(plan, association.source, names_of, association)
        plan.do(_become, half, draft, publish)
    if isinstance(follower, ManyToMany):
        embedding.agree(plan, follower, leader)
    name = _as_links(follower).join_row_name(plan, link, leader.source)
    plan.do(_follow, follower, leader, name, publish)
    if not half.bound:
        plan.do(half.bound_to, association.source)
        plan.do(bound, half)


def _as_links(association: Any) -> ManyToMany:
    """The many-to-many that a has_many becomes, while that is only thought of."""
    options = {**association.options, "through": None}
    return ManyToMany(association.source, association.wanted, association.names, association.declared, association._binder, **options)


def _take_away(half: Any, holder: Model, taken: Taken, names_of: Any) -> None:
    """Take away the key that the first of the two had added, or would have, had it not waited for the other one."""
    if half.bound:
        withdraw(half.key)
    column = half.key.column if half.bound else naming.key_column(names_of(half.source).one, half.source._meta.primary_key.safe_name)
    keys_taken(holder)[column] = taken


def alone(association: Any, target: Model) -> DeclarationError:
    """The error for a has_many that says dominant and that no other half makes a many-to-many (H2)."""
    source = association.source
    return DeclarationError(
        association.declared,
        "dominant is for a many-to-many, and this one is one-to-many as long as no "
        f"{target.__name__}.has_many({source.__name__}) pairs with it",
        "Declare that one, call belongs_to_many, or leave dominant out",
    )


def _turn(association: Any) -> None:
    """The object stays: whoever holds it has a many-to-many now."""
    association.__class__ = ManyToMany
    association.options = {**association.options, "through": None, "paired": True}
    association.__dict__.pop("key", None)


def _become(association: Any, draft: ManyToMany, publish: Callable[[Any], None]) -> None:
    _turn(association)
    association.ends, association._link_name, association.embedded = draft.ends, draft._link_name, draft.embedded
    for key in association.ends.keys:
        for claim in key.claims:
            if claim.association is draft:
                claim.association = association
    publish(association)


def _follow(follower: Any, leader: Any, name: str, publish: Callable[[Any], None]) -> None:
    """The second side of the links: the same two keys, the other way round."""
    if isinstance(follower, HasMany):
        _turn(follower)
    far, near = leader.ends.keys
    follower.take_link(near, far, leader.source, name)
    follower.embedded = leader.embedded
    said = {"constraints": False} if follower.options.get("constraints") is False else {}
    for key in (near, far):
        key.claims.append(Claim(follower, follower.declared, said))
        refresh(key)
    publish(follower)


# What a later declaration may not contradict


def check_taken(association: Any, target: Model) -> None:
    """Raise where a belongs_to asks for a key that pairing took away, or for one that would have taken its place (A7, A10)."""
    for column, taken in keys_taken(association.source).items():
        if taken.target is target and association.options.get("foreign_key") in (None, column):
            raise DeclarationError(association.declared, f"its key {column!r} was taken away, as {taken.why}", INSTEAD)


def _between(one: Model, other: Model) -> list[Any]:
    """The many-to-many of one model to another."""
    every = getattr(one, "associations", {}).values()
    return [each for each in every if isinstance(each, ManyToMany) and each.bound and each.target is other]


def check_throughs(association: ManyToMany, target: Model, names_of: Any) -> None:
    """Two many-to-many between the same models need a through each (A7)."""
    source, through = association.source, association.options.get("through")
    if target is source:
        return  # each has the table of its own name (A8)
    table = _table_of(association, target, names_of)
    others = [each for each in (*_between(source, target), *_between(target, source)) if each is not association]
    written = {id(each.through) for each in others if each.options.get("through") is not None}
    for each in others:
        same = each.through._meta.table_name == table
        if "paired" in each.options and through is not None and same == (each.source is source):
            raise DeclarationError(
                association.declared,
                f"{each.declared} has no through of its own, and could be the other half of this as well as of its other one",
                "Give that one a through=, too",
            )
        if same and (each.source is not source or through is not None):
            continue  # the other side of these links, or another view of them
        if through is None or (id(each.through) not in written and not same):
            raise DeclarationError(
                association.declared,
                f"{each.declared} is a many-to-many between {source.__name__} and {target.__name__} already, "
                "and whose links are whose could not be told",
                "Give each of the two a through= of its own",
            )
