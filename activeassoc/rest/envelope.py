"""The envelope around a list: which page this is, whether there are others, and which of all documents it has.

Pure arithmetic, with a number in every place: `window` tells which documents a page is, `envelope` what stands around them.
"""

from __future__ import annotations

from typing import Any, NamedTuple

__all__ = ["Window", "envelope", "window"]


class Window(NamedTuple):
    """The documents of a page: `first` counts from 0, `limit` is None where the page has all that follow."""

    first: int
    limit: int | None


def window(skip: int = 0, limit: int = 0, page: int = 0) -> Window:
    """Which documents are asked for. 0 is what was not given; a page stands before `skip`. Without a limit page 1 has all. (K5)"""
    if not page:
        return Window(skip, limit or None)
    return Window((page - 1) * limit, limit) if limit else Window(0, None if page == 1 else 0)


def envelope(docs: list[Any], total: int, skip: int = 0, limit: int = 0, page: int = 0) -> dict[str, Any]:
    """The documents of one page of `total`, with the numbers of the page.

    `prev` and `next` are the numbers beside `current`, whether there are such pages or not; `begin` and `end` count documents from 1, and
    beyond the last one both are the last. Without a limit one page has all; no documents are no page: each total is 0. (K5)
    """
    first = window(skip, limit, page).first if limit or not page else (page - 1) * total
    size = limit or total
    current = page or (first // limit + 1 if limit else 1)
    pages = -(-total // size) if size else 0
    begin, end = min(first + 1, total), min(first + size, total)
    return {
        "docs": docs,
        "pages": {
            "current": current,
            "prev": current - 1,
            "hasPrev": current > 1,
            "next": current + 1,
            "hasNext": end < total,
            "total": pages,
        },
        "items": {"limit": size, "begin": begin, "end": end, "total": total},
    }
