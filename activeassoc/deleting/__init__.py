"""Deleting records whose keys stand in several databases: the ON DELETE rules in code, where no constraint can hold them.

Map: `Deleting` gives `Model` its `delete_instance`, `delete_plan` tells beforehand what that would do. `references` says which keys refer
to a model and by which rule, `walk` finds the rows that go, `writing` carries it out, `record` and `plan` are the ways in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from activeassoc.deleting.record import Deleting, delete_rows

if TYPE_CHECKING:
    from activeassoc.deleting.plan import DeletePlan, delete_plan

__all__ = ["DeletePlan", "Deleting", "delete_plan", "delete_rows"]


def __getattr__(name: str) -> Any:
    if name in ("DeletePlan", "delete_plan"):
        from activeassoc.deleting import plan

        return getattr(plan, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
