"""The command as typer makes it: a group whose commands are imported when they are asked for, and whose errors are one line.

Map: `app` is the typer application; `Commands` the group; `CODES` which error ends with which code; `told` makes the line.
"""

from __future__ import annotations

import functools
import sys
import traceback
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Annotated, Any

import peewee
import typer
from typer.core import TyperCommand, TyperGroup

from activeassoc.cli import COMMANDS, DATABASE, DEFECT, REFUSED
from activeassoc.cli.modules import Refused, closing
from activeassoc.cli.output import own_stdout
from activeassoc.errors import AssociationError, DriverMissing

#: Errors and the codes that they end with; the first that fits counts.
CODES: tuple[tuple[type[BaseException], int], ...] = (
    (Refused, REFUSED),
    (DriverMissing, REFUSED),
    (typer.Abort, REFUSED),
    (peewee.PeeweeException, DATABASE),
    (AssociationError, REFUSED),
    (OSError, REFUSED),
)


def code_of(error: BaseException) -> int:
    """The exit code for an error: typer's errors of usage know theirs."""
    if hasattr(error, "format_message"):
        return int(getattr(error, "exit_code", REFUSED))
    return next((code for kind, code in CODES if isinstance(error, kind)), DEFECT)


def told(error: BaseException) -> str:
    """The one line that an error becomes."""
    if isinstance(error, typer.Abort):
        return "nothing was done."
    if hasattr(error, "format_message"):
        text, usage = error.format_message(), getattr(getattr(error, "ctx", None), "command_path", "activeassoc")
        text = f"{text.rstrip('.')}{'' if text.endswith('?') else '.'} {usage} --help tells more."
    elif code_of(error) == DEFECT:
        text = f"{type(error).__name__}: {error} (--debug shows where)"
    else:
        text = " ".join([str(error) or type(error).__name__, *getattr(error, "__notes__", ())])
    return " ".join(text.split())


def loaded(name: str) -> Any:
    """The command of this name, from its module."""
    function: Callable[..., Any] = import_module(f"activeassoc.cli.{name.replace('-', '_')}").command

    @functools.wraps(function)
    def run(*arguments: Any, **options: Any) -> Any:
        with own_stdout(), closing():
            return function(*arguments, **options)

    single = typer.Typer(add_completion=False, rich_markup_mode=None)
    single.command(name)(run)
    made = typer.main.get_command(single)
    made.name = name
    return made


class Commands(TyperGroup):
    """The commands of the table. Listing them imports none."""

    def list_commands(self, ctx: Any) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """A stand-in with the line of the table: all that --help and completion read."""
        return TyperCommand(cmd_name, help=COMMANDS[cmd_name]) if cmd_name in COMMANDS else None

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        self.commands = {name: self.get_command(ctx, name) for name in COMMANDS}  # what typer looks through for a near name
        name, found, rest = super().resolve_command(ctx, args)
        return name, loaded(name) if found is not None and name is not None else None, rest

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,
        **extra: Any,
    ) -> Any:
        """Run; ends by SystemExit with the code. ``--debug`` may stand anywhere before ``--``."""
        given = list(sys.argv[1:] if args is None else args)
        until = given.index("--") if "--" in given else len(given)
        words = [word for word in given[:until] if word != "--debug"] + given[until:]
        try:
            code = super().main(words or ["--help"], "activeassoc", complete_var, False, windows_expand_args, **extra)
        except Exception as error:
            if "--debug" in given[:until]:
                traceback.print_exception(error)
            print(f"activeassoc: {told(error)}", file=sys.stderr)
            code = code_of(error)
        sys.exit(code or 0)


def _version(asked: bool) -> None:
    if asked:
        import activeassoc

        typer.echo(f"activeassoc {activeassoc.__version__}")
        raise typer.Exit


app = typer.Typer(
    name="activeassoc",
    cls=Commands,
    no_args_is_help=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["--help", "-h"]},
)


@app.callback()
def group(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
) -> None:
    """Associations for peewee: make, check, list and draw what the models of a program declare.

    Models are named by their module as Python imports it (shop.models), or by its file (shop/models.py).
    """
