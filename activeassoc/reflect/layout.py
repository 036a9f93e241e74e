"""Code as ruff's formatter lays it out: on one line where it fits, else with what stands in its brackets indented.

Map: `Node` is something in brackets; `laid_out` gives its lines; `literal` is a string as code, `remark` a comment.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from dataclasses import dataclass

WIDTH = 140


@dataclass
class Node:
    """Something in brackets: `head` ends with the opening bracket, `tail` is the closing one; a tuple of one item keeps its comma."""

    head: str
    items: list[str | Node]
    tail: str = ")"
    pair: bool = False

    def __str__(self) -> str:
        return f"{self.head}{', '.join(map(str, self.items))}{',' if self.pair and len(self.items) == 1 else ''}{self.tail}"


def laid_out(code: str | Node, indent: int = 0, after: str = "") -> list[str]:
    """The lines of a statement, or of an item that `after` follows."""
    margin = " " * indent
    whole = f"{margin}{code}{after}"
    if isinstance(code, str) or len(whole) <= WIDTH:
        return [whole]
    inner = f"{margin}    {', '.join(map(str, code.items))}"
    if len(inner) <= WIDTH and not (code.pair and len(code.items) == 1):
        return [f"{margin}{code.head}", inner, f"{margin}{code.tail}{after}"]
    items = [line for item in code.items for line in laid_out(item, indent + 4, ",")]
    return [f"{margin}{code.head}", *items, f"{margin}{code.tail}{after}"]


def call(head: str, arguments: Iterable[str | Node]) -> Node:
    return Node(f"{head}(", list(arguments))


def literal(text: str) -> str:
    """A string as code, in double quotes unless it holds some of them."""
    single = repr(text)
    if single[0] == '"' or '"' in text:
        return single
    return '"' + single[1:-1] + '"'


def remark(text: str, indent: int = 0) -> list[str]:
    """The text as comments."""
    return textwrap.wrap(text, WIDTH, initial_indent=f"{' ' * indent}# ", subsequent_indent=f"{' ' * indent}# ", break_on_hyphens=False)
