"""Owners and their links in one statement, where the two share an SQL database and the targets do not (H3).

``User.select().populate("wishlist")`` with the wishes beside the users and the products elsewhere is then two statements: users
with their links, and products. What is joined is the query itself, so that its order, limit and conditions hold as they are.

Map: `joinable` finds the step of a plan that can be joined, `statement` joins it, `run` executes that and gives the rows, and the
plan that knows the links.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import peewee
from peewee import JOIN, fn

from activeassoc.associations.links import Ends
from activeassoc.associations.options import leaves
from activeassoc.associations.walk import Walk
from activeassoc.populate import Plan, Step
from activeassoc.stores.sql import same_database, store_of

#: What a query may not have: each of these changes what a row of it is, or what may stand beside it.
_MORE_THAN_ROWS = (
    *("_joins", "_group_by", "_having", "_simple_distinct", "_windows"),
    *("_for_update", "_cte_list", "_lateral", "_load_tree"),
)


_ALIAS = re.compile(r"\bt[0-9]+\b")


class Rows:
    """Rows in hand, as a cursor gives them."""

    lastrowid = None

    def __init__(self, names: Sequence[str], rows: list[Any]) -> None:
        self.description = [(name, None, None, None, None, None, None) for name in names]
        self.rowcount = len(rows)
        self._rows = iter(rows)

    def fetchone(self) -> Any:
        return next(self._rows, None)

    def fetchall(self) -> list[Any]:
        return list(self._rows)

    def close(self) -> None:
        """There is nothing to close."""


def joinable(query: Any, plan: Plan | None) -> Step | None:
    """The step of the plan whose links can come with the owners; None where there is none, or the query is more than rows of its model."""
    kind: type = type(query)  # so that mypy does not take it for what its stubs say a query is
    if plan is None or not issubclass(kind, peewee.ModelSelect) or isinstance(query.model, peewee.ModelAlias):
        return None
    # distinct() without columns leaves an empty tuple.
    if query._distinct is not None or any(getattr(query, name, None) for name in _MORE_THAN_ROWS):
        return None
    if list(query._from_list) != [query.model]:
        return None
    if any(isinstance(node, peewee.SQL) and _ALIAS.search(node.sql) for node in leaves([query._where, query._order_by])):
        return None  # text of the user's own that counts on the names which peewee gives to tables
    if not all(isinstance(node, peewee.Field) and node.model is query.model for node in query._returning):
        return None
    for step in plan.steps.values():
        association: Any = step.association
        if not association.apart or type(association.ends) is not Ends or step.options.limit == 0:
            continue
        store = store_of(query.model._meta.database)
        if same_database(query.model, association.through) and store.joins and store.windows and not walk_of(step, plan.asked).link_terms:
            return step
    return None


def walk_of(step: Step, asked: str) -> Walk:
    options = step.options
    return Walk(step.association, asked, where=options.where, through_where=options.through_where, order=options.order)


def run(query: Any, step: Step, plan: Plan, database: Any) -> tuple[Rows, Plan]:
    """The rows of the query, and the plan with the links of `step` in it. One statement."""
    nodes = list(query._returning)
    rows: dict[Any, Any] = {}
    links = []
    for row in database.execute(statement(query, step, plan.asked)).fetchall():
        rows.setdefault(row[-1], row[: len(nodes)])
        if row[-3] is not None:
            links.append((row[-3], row[-2], row[len(nodes) : -3], 0))
    known = replace(step, links=links)
    steps = {name: known if each is step else each for name, each in plan.steps.items()}
    return Rows([node.column_name for node in nodes], list(rows.values())), replace(plan, steps=steps)


def statement(query: Any, step: Step, asked: str) -> Any:
    """The query of the owners joined with their links: columns of both, both keys of the link, and the place of the owner."""
    association: Any = step.association
    ends, walk, width = association.ends, walk_of(step, asked), len(query._returning)
    inner = _placed(query, list(query._returning), association.source._meta.fields[association.path[0].near])
    columns = [] if step.options.count else association.link_columns(step.options.join_attributes, asked)
    condition = ends.near == inner.c.near
    condition = condition if walk.of_links is None else condition & walk.of_links
    source = peewee.Join(inner, association.through, JOIN.LEFT_OUTER, condition)
    chosen = [*(getattr(inner.c, f"c{index}") for index in range(width)), *columns, ends.near, ends.far, inner.c.place]
    return peewee.Select([source], chosen).order_by(inner.c.place)


def _placed(query: Any, nodes: Sequence[Any], near: Any) -> Any:
    """The query of the owners, with the key that links name and the place of each row, to be joined."""
    inner = query.clone()
    inner._plan = None
    order = list(query._order_by or ())
    place = fn.ROW_NUMBER().over(order_by=order) if order else fn.ROW_NUMBER().over()
    named = [node.alias(f"c{index}") for index, node in enumerate(nodes)]
    inner = inner.select(*named, near.alias("near"), place.alias("place"))
    return inner.alias("owners")


