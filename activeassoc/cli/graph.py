"""``activeassoc graph``: a diagram of the models of a module."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from activeassoc.cli.modules import Refused, models_of
from activeassoc.cli.options import Module, Output, Overwrite
from activeassoc.cli.output import put
from activeassoc.errors import listed, nearest
from activeassoc.graph import FORMATS, graph

#: What a file's name says of its format.
ENDINGS = {".mmd": "mermaid", ".mermaid": "mermaid", ".dot": "dot", ".gv": "dot", ".svg": "svg", ".png": "png"}


def command(
    module: Module,
    format: Annotated[
        str | None,
        typer.Option("--format", "-f", metavar="FORMAT", help="mermaid, dot, svg or png; else what FILE ends in, or mermaid."),
    ] = None,
    attributes: Annotated[bool, typer.Option("--attributes/--no-attributes", help="Show fields, and attributes of links.")] = True,
    output: Output = None,
    force: Overwrite = False,
) -> None:
    """Draw the models of MODULE and their associations: crow's feet, attributes of links, a colour for each database.

    svg and png are drawn by graphviz, which has to be installed.
    """
    chosen = _format(format, output)
    put(graph(*models_of(module), format=chosen, attributes=attributes), output, force)


def _format(format: str | None, output: Path | None) -> str:
    if format is not None:
        if format not in FORMATS:
            raise Refused(f"--format {format}", "there is no such format", nearest(format, FORMATS))
        return format
    if output is None:
        return "mermaid"
    if output.suffix not in ENDINGS:
        because = f"its ending tells no format (known are {listed(ENDINGS)})"
        raise Refused(f"--output {output}", because, f"Add --format {'|'.join(FORMATS)}")
    return ENDINGS[output.suffix]
