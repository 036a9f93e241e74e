"""A drawing as Mermaid's erDiagram, which GitHub, GitLab and many editors show in place of its text.

Map: `mermaid` writes it; `ENDS` are its crow's feet; `name_of` and `text_of` keep what Mermaid would read as something else out of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from activeassoc.graph.drawing import MANY, MAYBE, ONE, Box, Column, Drawing, Line

#: Fill and stroke for each database, in turn; the writing on them is dark.
COLOURS = (
    ("#dbeafe", "#2563eb"),
    ("#dcfce7", "#16a34a"),
    ("#fef3c7", "#d97706"),
    ("#fce7f3", "#db2777"),
    ("#ede9fe", "#7c3aed"),
    ("#cffafe", "#0891b2"),
    ("#fee2e2", "#dc2626"),
    ("#e5e7eb", "#4b5563"),
)

#: How many records there can be, at the left end of a line and at the right one.
ENDS = {ONE: ("||", "||"), MAYBE: ("|o", "o|"), MANY: ("}o", "o{")}

#: Words of Mermaid's own, which a model may be called by within quotes alone.
WORDS = {"acctitle", "accdescr", "class", "classdef", "direction", "end", "erdiagram", "many", "one", "only", "optionally", "style"}
WORDS |= {"subgraph", "title", "to", "u", "zero"}

#: What ends a text in quotes, or means something to Mermaid within it, and the sign in its place.
MEANING_SOMETHING = str.maketrans('"%\\;#', "'_/,_")


def mermaid(drawing: Drawing) -> str:
    """The text of an erDiagram."""
    return "".join(f"{line}\n" for line in _lines(drawing))


def colour_of(store: int) -> tuple[str, str]:
    return COLOURS[store % len(COLOURS)]


def _lines(drawing: Drawing) -> Iterator[str]:
    yield "erDiagram"
    for store in range(len(drawing.stores)):
        fill, stroke = colour_of(store)
        yield f"    classDef db{store + 1} fill:{fill},stroke:{stroke},color:#111827"
    for box in drawing.boxes:
        yield from _box(box)
    for line in drawing.lines:
        yield _line(line)
    if len(drawing.stores) > 1:  # the legend: a box for each database
        for store, address in enumerate(drawing.stores):
            yield f'    "{text_of(address)}":::db{store + 1}'


def _box(box: Box) -> Iterator[str]:
    title = "" if box.title == box.name else f'["{text_of(box.title)}"]'
    opening = f"    {name_of(box.name)}{title}:::db{box.store + 1}"
    if not box.columns:
        yield opening
        return
    yield f"{opening} {{"
    for column in box.columns:
        yield _column(column)
    yield "    }"


def _column(column: Column) -> str:
    name = re.sub(r"[^A-Za-z0-9_]", "_", column.name)
    name = name if name[:1].isalpha() or name.startswith("_") else f"_{name}"
    marks = f" {', '.join(column.marks)}" if column.marks else ""
    comment = "" if name == column.name else f' "{text_of(column.name)}"'
    return f"        {re.sub(r'[^A-Za-z0-9_]', '_', column.type) or 'Field'} {name}{marks}{comment}"


def _line(line: Line) -> str:
    left, right = ENDS[line.ends[0]][0], ENDS[line.ends[1]][1]
    label = text_of(line.label)
    return f'    {name_of(line.left.name)} {left}{"--" if line.solid else ".."}{right} {name_of(line.right.name)} : "{label}"'


def name_of(name: str) -> str:
    """A model's name as Mermaid takes it: as it is where that can be nothing else, in quotes otherwise."""
    plain = re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name) and name.lower() not in WORDS
    return name if plain else f'"{text_of(name)}"'


def text_of(text: str) -> str:
    """A text within Mermaid's quotes, which know no escapes: what would end them, or means something to it, becomes another sign."""
    return printable(text).translate(MEANING_SOMETHING) or " "


def printable(text: str) -> str:
    """The text in one line, without what no picture can show."""
    return re.sub(r"\s+", " ", "".join(letter if letter.isprintable() else " " for letter in text))
