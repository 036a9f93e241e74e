"""Dominance: in whose database the links of a many-to-many stand, where its two models are in different ones.

Map: `home_of` decides it for the through model that a declaration finds or makes; `other_side` finds the attribute that shares
the links; `in_two_databases` tells whether there is anything to decide.
"""

from __future__ import annotations

from typing import Any

import peewee

from activeassoc.errors import DeclarationError, DominanceWarning
from activeassoc.planning import Plan
from activeassoc.registry import Model


def in_two_databases(one: Model, other: Model) -> bool:
    """Whether the models are known to be in different databases; one that has no database yet is in nobody's way."""
    databases = [_database(model) for model in (one, other)]
    return all(isinstance(each, peewee.Database) for each in databases) and databases[0] is not databases[1]


def _database(model: Model) -> Any:
    database = model._meta.database
    return getattr(database, "obj", None) if isinstance(database, peewee.Proxy) else database


def other_side(association: Any, target: Model, table: str) -> Any:
    """The attribute of the target that is the other end of the same links; None where there is none yet."""
    form = association.options.get("in_body")
    theirs = getattr(target, "associations", {})
    if form is not None:
        return theirs.get(form.options.get("via"))
    for each in theirs.values():
        if each is association or not each.to_many or not each.bound or each.target is not association.source:
            continue
        if each.link is not None and each.link._meta.table_name == table:
            return each
    return None


def written_through(association: Any) -> Any:
    """The through that the declaration itself gives: for a class body what stands there, not what it came to."""
    form = association.options.get("in_body")
    return (association.options if form is None else form.options).get("through")


def home_of(plan: Plan, association: Any, target: Model, other: Any) -> Model:
    """The model in whose database the links belong: that of the dominant side (H2).

    In one database it is the source, whatever is said. Raises where both sides are dominant; where neither is, plans a
    DominanceWarning and takes the model whose name comes first. A side that nobody answers is dominant by itself.
    """
    source = association.source
    if not in_two_databases(source, target):
        return source
    mine, theirs = (bool(each is not None and each.options.get("dominant")) for each in (association, other))
    if mine and theirs:
        raise both_dominant(association, other)
    if mine or other is None:
        return source
    if theirs:
        return target
    home = min(source, target, key=lambda model: (model.__name__, model.__module__, model.__qualname__))
    plan.warnings.append(
        DominanceWarning(
            association.declared,
            f"{association.label} and {other.label} are one many-to-many between two databases, and neither is dominant: "
            f"the links are kept in the database of {home.__name__}, whose name comes first",
            "Write dominant=True at the one whose database is to have them",
            model=home,
        )
    )
    return home


def both_dominant(association: Any, other: Any) -> DeclarationError:
    """The error for two sides that both want the links."""
    return DeclarationError(
        association.declared,
        f"{association.label} and {other.label} are both dominant, and their models are in different databases, of which one has the links",
        "Leave dominant out at one of them",
    )


def check_through(association: Any, target: Model, link: Model) -> None:
    """Raise where dominance is claimed beside a through model that was written out: the links are where that model is (H2)."""
    models = (association.source, target)
    if not association.options.get("dominant") or not any(in_two_databases(link, model) for model in models):
        return
    raise DeclarationError(
        association.declared,
        f"its links are records of {link.__name__}, and stand in the database of that model, whichever side is dominant",
        "Leave dominant out",
    )


def move(link: Model, home: Model) -> None:
    """Keep the links of a generated through model where they belong, now that both sides are declared."""
    if link._meta.database is not home._meta.database:
        link._meta.set_database(home._meta.database)
        link._meta.schema = home._meta.schema
