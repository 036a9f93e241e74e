"""The `activeassoc` command: what the package can do, for a shell and for scripts.

A command is one line of `COMMANDS` and one module beside this one. ``COMMANDS["check"]`` is ``"what --help says of it"``, and
``activeassoc/cli/check.py`` has a function `command`, whose annotations are typer's and whose docstring is its help::

    def command(module: Module, json: Json = False) -> int | None:
        \"""Look whether the databases hold what the models of MODULE declare.\"""
        report = check(*models_of(module, database=True))
        say(str(report))
        return DONE if report.ok else FOUND

docs/cli.md has a section for it, which names every option, and a row in its table; tests/test_cli.py compares them.

A dash in the command's name is an underscore in the module's (``update-associations``, ``update_associations.py``). The module is
imported when the command is asked for. What it returns is the exit code, one of `EXIT_CODES` (None is 0); what it raises becomes one
line on stderr and a code by `CODES` in `app`: it raises `Refused` for bad input, and lets the errors of the package through.

Map: the tables, and `main`, which needs nothing installed; `app` makes the commands and tells errors; `options` has the arguments that
commands share; `modules` loads models (`models_of`) and opens databases (`database_at`); `output` prints (`say`, `table`, `as_json`),
writes files (`write`), asks (`confirm`), and shows that work goes on (`working`); the rest are the commands.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Sequence
from typing import Any

__all__ = ["COMMANDS", "DATABASE", "DEFECT", "DONE", "EXIT_CODES", "FOUND", "REFUSED", "app", "main"]

#: The commands in the order in which --help lists them, and what it says of each.
COMMANDS: dict[str, str] = {
    "demo": "Run the quickstart on SQLite, and show the SQL of each step.",
    "sync": "Make the tables that the models describe.",
    "check": "Look whether the databases hold what the models declare.",
    "associations": "List the associations of the models.",
    "graph": "Draw the models and their associations.",
    "routes": "List the routes of the REST interface.",
    "serve": "Serve the models over HTTP.",
    "types": "Write the types of the methods that the models gain.",
    "reflect": "Write models for the tables of a database that exists.",
}

DONE, FOUND, REFUSED, DATABASE, DEFECT = 0, 1, 2, 3, 4

#: What the command's exit code tells. docs/cli.md has this table.
EXIT_CODES: dict[int, str] = {
    DONE: "done, and there is nothing to report",
    FOUND: "done, and something was found: problems, differences, files that are not up to date",
    REFUSED: "nothing was done: wrong usage, a module that cannot be imported, a file that exists, a question answered with no",
    DATABASE: "a database failed: no server answers, a statement was refused",
    DEFECT: "something that should not happen; `--debug` shows where",
    130: "interrupted",
}

#: What `main` says where typer or rich are not installed.
MISSING = "activeassoc: the command needs typer and rich, and {} is not installed. Install them: pip install 'activeassoc[cli]'."


def main(arguments: Sequence[str] | None = None) -> Any:
    """Run the command with these arguments, or with those of the process; it ends by SystemExit, with one of `EXIT_CODES`."""
    try:
        import rich  # noqa: F401
        import typer  # noqa: F401
    except ImportError as error:
        print(MISSING.format(error.name), file=sys.stderr)
        raise SystemExit(REFUSED) from None
    from activeassoc.cli.app import app

    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a terminal or pipe without UTF-8 shows what it can
    app(args=arguments, prog_name="activeassoc")


def __getattr__(name: str) -> Any:
    if name == "app":
        from activeassoc.cli.app import app

        return app
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
