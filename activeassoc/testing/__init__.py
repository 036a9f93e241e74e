"""What tests of programs that use activeassoc need, and what a store has to pass.

Map: `assert_queries` and `no_lazy_loading` stand in `counting`; `StoreContract` in `contract`, which needs pytest and is loaded when it is
asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from activeassoc.testing.counting import assert_queries, no_lazy_loading

if TYPE_CHECKING:
    from activeassoc.testing.contract import StoreContract

__all__ = ["StoreContract", "assert_queries", "no_lazy_loading"]


def __getattr__(name: str) -> Any:
    if name != "StoreContract":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import pytest

    # Its assertions show the values that they compare, as those of a test file do.
    pytest.register_assert_rewrite("activeassoc.testing.contract")
    from activeassoc.testing.contract import StoreContract

    return StoreContract
