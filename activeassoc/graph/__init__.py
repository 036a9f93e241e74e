"""Pictures of models: boxes with their fields, lines with crow's feet for their associations, a colour for each database.

Map: `graph` is the way in; `drawing` finds out what is to be drawn; `mermaid` and `dot` write it; `rendered` has graphviz make a picture.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, overload

import peewee

from activeassoc.errors import UnknownName, nearest
from activeassoc.graph.dot import dot, rendered
from activeassoc.graph.drawing import Drawing, drawing_of
from activeassoc.graph.mermaid import mermaid

__all__ = ["FORMATS", "graph"]

#: What can be written, and by what.
FORMATS: dict[str, Callable[[Drawing], Any]] = {
    "mermaid": mermaid,
    "dot": dot,
    "svg": lambda drawing: rendered(drawing, "svg").decode(),
    "png": lambda drawing: rendered(drawing, "png"),
}

What = peewee.Database | type[peewee.Model]


@overload
def graph(*what: What, format: Literal["mermaid", "dot", "svg"] = ..., attributes: bool = ...) -> str: ...
@overload
def graph(*what: What, format: Literal["png"], attributes: bool = ...) -> bytes: ...
@overload
def graph(*what: What, format: str, attributes: bool = ...) -> str | bytes: ...
def graph(*what: What, format: str = "mermaid", attributes: bool = True) -> str | bytes:
    """A diagram of models and their associations, as text; bytes for ``format="png"``.

    `what` are databases (all their models) or models, as in `sync`; nothing means every model known. A model that is not among them and
    to which one of them is associated is an empty box.

    - `format` is ``"mermaid"`` (an erDiagram, which GitHub and many editors show), ``"dot"`` (graphviz), or ``"svg"`` and ``"png"``,
      which graphviz's program `dot` draws.
    - One line for each key or set of links, whoever declares it: ``tasks / project`` for a has_many and its belongs_to. Its ends tell
      how many records there can be: exactly one, one or none, many. It is dashed where no constraint of a database holds it.
    - A many-to-many is one line, with its through model and the attributes of the link in brackets: ``members / projects [Membership:
      role]``. A through model that has associations of its own has a box, too.
    - Boxes have the colour of their database; where there are several, a box for each tells which is which.
    - ``attributes=False`` leaves out fields and attributes of links.

    Boxes and lines are in order of definition and declaration, so that the text is the same each time. Costs no query. Raises UnknownName
    for another format, WrongTarget for what is neither a database nor a model, AssociationError where graphviz is needed and not
    installed, and what stands against a declaration whose target was given as a string.
    """
    if format not in FORMATS:
        instead = nearest(str(format), FORMATS)
        raise UnknownName(f"graph(format={format!r})", "there is no such format", instead, name=format, known=[*FORMATS])
    return FORMATS[format](drawing_of(what, attributes))  # type: ignore[no-any-return]
