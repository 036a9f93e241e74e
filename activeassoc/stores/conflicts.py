"""Transactions that a store gives up because another one wrote the same rows first; run again they go through.

Map: `conflicted` tells that an error means this.
"""

from __future__ import annotations


def conflicted(error: BaseException) -> bool:
    """Whether nothing is wrong but that two transactions met: MongoDB's drivers label such errors."""
    seen: BaseException | None = error
    while seen is not None:
        labelled = getattr(seen, "has_error_label", None)
        if labelled is not None:
            return bool(labelled("TransientTransactionError"))
        seen = seen.__cause__ or seen.__context__
    return False
