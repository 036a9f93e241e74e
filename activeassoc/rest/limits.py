"""How much one request may ask for: `Limits`, with a number for each, given as ``create_app(…, limits=Limits(documents=500))``."""

from __future__ import annotations

from dataclasses import dataclass, fields

from activeassoc.errors import WrongArgument

__all__ = ["Limits"]


@dataclass(frozen=True)
class Limits:
    """What one request may ask for. More is refused (400, or 413 for the body), never cut silently.

    Each is a whole number from 1. Raises WrongArgument for anything else.
    """

    #: The bytes of a body.
    body: int = 1_000_000
    #: The records of a body: those to make, the ids to add, to remove or to delete.
    records: int = 1_000
    #: The documents of one page; a list without `$limit` that is longer asks for it.
    documents: int = 10_000
    #: The embedded records of one answer, at all levels, each as often as it stands there.
    embedded: int = 100_000
    #: How many levels `$embed` goes down.
    depth: int = 5
    #: The names in `$select`, `$sort`, `$embed` or `$searchFields`.
    names: int = 50
    #: The values of one filter, and the ids of `$exclude`.
    values: int = 1_000
    #: The characters of `$term`, and of `$where`.
    text: int = 10_000
    #: The conditions within `$where`.
    conditions: int = 100

    def __post_init__(self) -> None:
        for each in fields(self):
            value = getattr(self, each.name)
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise WrongArgument(
                    f"Limits({each.name}={value!r})", "a limit is a whole number from 1", f"Write {each.name}={each.default}", value=value
                )
