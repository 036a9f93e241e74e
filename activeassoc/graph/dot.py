"""A drawing in graphviz's language, and the pictures that its program makes of that.

Map: `dot` writes it; `ENDS` are its crow's feet; `rendered` runs the program `dot`.
"""

from __future__ import annotations

import html
import shutil
import subprocess
from collections.abc import Iterator

from activeassoc.errors import AssociationError
from activeassoc.graph.drawing import MANY, MAYBE, ONE, Box, Drawing, Line
from activeassoc.graph.mermaid import colour_of, printable

#: How many records there can be at an end: the shapes that stand there, the nearest to the box first.
ENDS = {ONE: "teetee", MAYBE: "teeodot", MANY: "crowodot"}

HEAD = """\
digraph models {
    graph [rankdir=LR, nodesep=0.5, ranksep=1.2, fontname="Helvetica", fontsize=10];
    node [shape=box, style="filled,rounded", fontname="Helvetica", fontsize=10, fontcolor="#111827", margin=0.08];
    edge [dir=both, fontname="Helvetica", fontsize=9, color="#4b5563"];
"""


def dot(drawing: Drawing) -> str:
    """The text of a digraph."""
    return HEAD + "".join(f"    {line}\n" for line in _lines(drawing)) + "}\n"


def _lines(drawing: Drawing) -> Iterator[str]:
    for box in drawing.boxes:
        yield f"{_quoted(box.name)} [{_colours(box.store)}, label=<{_table(box)}>];"
    for line in drawing.lines:
        yield _line(line)
    if len(drawing.stores) > 1:
        yield 'subgraph cluster_legend { label="databases"; color="#9ca3af";'
        for store, address in enumerate(drawing.stores):
            yield f"    {_quoted(f'database {store + 1}')} [{_colours(store)}, label={_quoted(address)}];"
        yield "}"


def _colours(store: int) -> str:
    fill, stroke = colour_of(store)
    return f'fillcolor="{fill}", color="{stroke}"'


def _table(box: Box) -> str:
    rows = [f'<TR><TD COLSPAN="3"><B>{_escaped(box.title)}</B></TD></TR>']
    if box.columns:
        rows.append("<HR/>")
    for column in box.columns:
        cells = (column.name, column.type, " ".join(column.marks))
        rows.append("<TR>" + "".join(f'<TD ALIGN="LEFT">{_escaped(cell) or " "}</TD>' for cell in cells) + "</TR>")
    return f'<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="2">{"".join(rows)}</TABLE>'


def _line(line: Line) -> str:
    told = [f"arrowtail={ENDS[line.ends[0]]}", f"arrowhead={ENDS[line.ends[1]]}", f"label={_quoted(line.label)}"]
    told += [] if line.solid else ["style=dashed"]
    return f"{_quoted(line.left.name)} -> {_quoted(line.right.name)} [{', '.join(told)}];"


def _quoted(text: str) -> str:
    escaped = printable(text).replace("\\", "\\\\").replace('"', '\\"').replace("&", "&amp;")
    return f'"{escaped}"'


def _escaped(text: str) -> str:
    return html.escape(printable(text))


def rendered(drawing: Drawing, format: str) -> bytes:
    """The picture that graphviz makes. Raises AssociationError where it is not installed, or fails."""
    program = shutil.which("dot")
    asked = f"graph(format={format!r})"
    if program is None:
        because = "graphviz draws it, and its program dot is not installed"
        raise AssociationError(asked, because, "Install graphviz (apt install graphviz, brew install graphviz), or take format='mermaid'")
    done = subprocess.run([program, f"-T{format}"], input=dot(drawing).encode(), capture_output=True, check=False)
    if done.returncode or not done.stdout:
        because = " ".join(done.stderr.decode(errors="replace").split()).rstrip(".") or f"it ended with {done.returncode}"
        raise AssociationError(asked, f"graphviz failed: {because}", "Look at format='dot', which is what it was given")
    return done.stdout
