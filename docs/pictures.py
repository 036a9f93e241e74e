"""Draws the pictures of the pages by `activeassoc.graph`: `python docs/pictures.py`, where graphviz is installed.

A page that shows ``![…](NAME.svg)`` defines models in its first Python block; the picture is of all databases that the block opens.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import peewee

from activeassoc.graph import graph

HERE = Path(__file__).resolve().parent
#: The picture → the page whose models it shows.
PICTURES = {"models.svg": "diagrams.md"}


def source_of(page: str) -> str:
    """The first Python block of a page, without what it prints."""
    block = re.search(r"^```python\n(.*?)^```", (HERE / page).read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    assert block is not None, f"{page} has no models"
    return re.sub(r"^print\(.*\n", "", block[1], flags=re.MULTILINE)


def draw(page: str, form: Any) -> str:
    """The models of a page in this format of ``graph``."""
    names: dict[str, Any] = {"__name__": "pictured"}
    exec(compile(source_of(page), page, "exec"), names)  # (the pages are the project's own)
    return str(graph(*(each for each in names.values() if isinstance(each, peewee.Database)), format=form))


def texts_of(svg: str) -> set[str]:
    """The words of a picture, which do not depend on the version of graphviz as the places do."""
    return set(re.findall(r"<text[^>]*>([^<]*)</text>", svg))


if __name__ == "__main__":
    for picture, page in PICTURES.items():
        (HERE / picture).write_text(draw(page, "svg"), encoding="utf-8")
