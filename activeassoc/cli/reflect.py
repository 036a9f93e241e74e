"""``activeassoc reflect``: the code of models for a database that exists."""

from __future__ import annotations

from typing import Annotated

import typer

from activeassoc.cli.modules import Refused, database_at, reached
from activeassoc.cli.options import Output, Overwrite, Url
from activeassoc.cli.output import put, working
from activeassoc.reflect import reflect


def command(
    url: Url,
    tables: Annotated[
        list[str] | None,
        typer.Option("--tables", "-t", metavar="TABLES", help="The tables that are wanted, with commas between; may be repeated."),
    ] = None,
    schema: Annotated[str | None, typer.Option("--schema", metavar="SCHEMA", help="Another schema than the one of the connection.")] = None,
    output: Output = None,
    force: Overwrite = False,
) -> None:
    """Write models for the tables of the database at URL, with associations for its foreign keys.

    The code is yours to change. A password does not get into it.
    """
    database = database_at(url)  # a URL that names none is wrong usage, not a database that failed
    wanted = [word.strip() for text in tables or () for word in text.split(",") if word.strip()]
    if tables and not wanted:
        raise Refused("--tables", "it names no table", "Name tables with commas between, or leave --tables out for all of them")
    with working("Reading tables"):
        code = reached([database], reflect, url, tables=wanted or None, schema=schema)
    put(code, output, force)
