"""``Project.tasks.any(Task.done == False)``: the condition for owners that have such a target.

Within one SQL database it is an EXISTS, a part of the statement. Elsewhere it is an IN over a query of the owners' keys, which the
stores run first, each by its own database.

Map: `can_be_here` tells which of the two; `any_here` makes the EXISTS; `conditions_of_any` and `owners_among` are the two halves of the
IN, whose queries the kinds make (`_any_elsewhere`).
"""

from __future__ import annotations

from functools import reduce
from operator import or_
from typing import Any

import peewee
from peewee import fn

from activeassoc.associations.options import both, fields_in
from activeassoc.errors import WrongArgument, listed
from activeassoc.stores.sql import same_database, store_of


def can_be_here(association: Any) -> bool:
    """Whether one statement reaches the source, the target, and what links them."""
    models = [association.target] if association.link is None else [association.target, association.link]
    store = store_of(association.source._meta.database)
    return store.joins and store.expressions and all(same_database(association.source, model) for model in models)


def any_here(association: Any, asked: str, where: Any) -> Any:
    """EXISTS, within one statement."""
    target = association.target.alias()
    hop, link = association.path[-1], association.link
    far, primary = getattr(target, hop.far), association.target._meta.get_primary_keys()
    near = association.source._meta.fields[association.path[0].near]
    inner = target.select(peewee.SQL("1"))
    condition = far == near
    if link is not None:
        inner = inner.join(link, on=association.links_to(near, far))
        condition = far.is_null(False)
    filters = association.filters(asked, where)
    if filters is not None:
        # The conditions name the target's own table: found by its primary key, they need no rewriting for the alias.
        own = association.target.select(peewee.SQL("1")).where(
            both(*(field == getattr(target, field.name) for field in primary), filters)
        )
        condition = condition & fn.EXISTS(own)
    return fn.EXISTS(inner.where(condition))


def conditions_of_any(association: Any, asked: str, where: Any) -> Any:
    """The scope and the condition of the call, for a query that stands alone: columns of others, which it cannot reach, raise."""
    filters, models = association.filters(asked, where), (association.target, association.link)
    strangers = {field.model.__name__ for field in fields_in(filters) if not any(field.model is model for model in models)}
    if strangers:
        target = association.target.__name__
        raise WrongArgument(
            asked,
            f"the condition names columns of {listed(sorted(strangers))}, and is asked of {target} alone, by a statement of its own",
            f"Name columns of {target} in it, and put what concerns others beside it by &",
            value=where,
        )
    return filters


def owners_among(association: Any, queries: list[Any]) -> Any:
    """The condition for owners whose key is among the values of one of these queries; not unknown for an owner without a key."""
    near = association.source._meta.fields[association.path[0].near]
    found = reduce(or_, [near.in_(query) for query in queries])
    return near.is_null(False) & found if near.null else found
