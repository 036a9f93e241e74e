"""``activeassoc sync``: the tables that the models of a module describe."""

from __future__ import annotations

from typing import Annotated

import typer

from activeassoc.cli import DONE, FOUND
from activeassoc.cli.modules import models_of, reached
from activeassoc.cli.options import Json, Module
from activeassoc.cli.output import as_json, confirm, say, working
from activeassoc.errors import listed
from activeassoc.sync import sync
from activeassoc.sync.report import KINDS, Report


def command(
    module: Module,
    alter: Annotated[bool, typer.Option("--alter", help="Add the columns, indexes and foreign keys that tables lack.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Change nothing, and print the SQL.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Drop the tables first, with all that is in them; asks on a terminal.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    json: Json = False,
) -> int:
    """Create the tables of the models of MODULE that do not exist yet, with their indexes and foreign keys, parents first.

    Tables that exist are left alone. What they and the models do not agree on is listed, and the exit code is 1.

    With --force only the tables of the models that MODULE defines or imports by name are dropped and made.
    """
    models = models_of(module, database=True, associated=not force)
    databases = [model._meta.database for model in models]
    if force and not dry_run and not yes:
        would = reached(databases, sync, *models, force=True, dry_run=True)
        if would.dropped:
            confirm(f"This drops {listed(would.dropped, limit=50)}, with all that is in them. Go on?")
    with working("Looking" if dry_run else "Making tables"):
        report = reached(databases, sync, *models, alter=alter, force=force, dry_run=dry_run)
    if json:
        as_json(_as_mapping(report))
    else:
        say(str(report))
    return FOUND if report.differences else DONE


def _as_mapping(report: Report) -> dict[str, object]:
    return {name: getattr(report, name) for name in (*KINDS, "differences", "statements", "dry_run")}
