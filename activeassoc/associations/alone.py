"""Owners that are easy to tell apart: saved records of the source itself, each with a whole number of its own as its key.

Nearly all are. Then a row goes right into its owner's list by the number that it holds, with nothing to convert or to compare.

Map: `alone` finds the owners by key, `placed` puts rows into their lists.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from peewee import Field

from activeassoc.reached import reaching
from activeassoc.stores.sql import base_field, takes_integers


def alone(association: Any, owners: Sequence[Any], near: str, field: Any) -> dict[int, Any] | None:
    """Key → owner, in the order of the owners; None where they are not so."""
    if set(map(type, owners)) != {association.source} or not takes_integers(base_field(field)):
        return None
    if any(not getattr(owner, "_stored", False) for owner in owners):
        return None
    keys = [owner.__data__.get(near) for owner in owners]
    if set(map(type, keys)) != {int} or not -(2**63) <= min(keys) <= max(keys) < 2**63:
        return None
    found = dict(zip(keys, owners, strict=True))
    return found if len(found) == len(owners) else None


def placed(
    association: Any, owners: dict[int, Any], columns: Sequence[Field], link_columns: Sequence[Field], portions: Iterable[Sequence[Any]]
) -> list[list[Any]] | None:
    """The list of each owner, in their order, of the rows of these statements; None where a row's key is not spelled so."""
    via, beside, width = association.via(columns, link_columns), association.beside, len(columns) + len(link_columns) + 1
    came: Any = via
    if via is None and beside:
        came = {key: (beside, owner) for key, owner in owners.items()}
    place = reaching(association.target, columns, width, "via" if via is not None else "beside" if beside else "", lists=True)
    lists: dict[Any, list[Any]] = {key: [] for key in owners}
    for rows in portions:
        try:
            place(rows, came, lists)
        except KeyError:
            return None
    return list(lists.values())
