"""``activeassoc check``: whether databases hold what the models of a module declare."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from activeassoc.checking import Finding, check
from activeassoc.cli import DONE, FOUND
from activeassoc.cli.modules import models_of, reached
from activeassoc.cli.options import Json, Module
from activeassoc.cli.output import as_json, say, working
from activeassoc.deleting.references import address_of


def command(
    module: Module,
    fix: Annotated[bool, typer.Option("--fix", help="Mend what needs no guess: links to nothing, keys to nothing, indexes.")] = False,
    json: Json = False,
) -> int:
    """Look for keys that refer to nothing, for what is missing or differs in the tables, and for what stores tell of themselves.

    Nothing is written, but with --fix. The exit code is 1 where something is found that is neither mended nor allowed.
    """
    models = models_of(module, database=True)
    with working("Mending" if fix else "Checking"):
        report = reached([model._meta.database for model in models], check, *models, fix=fix)
    if json:
        findings = [_as_mapping(finding) for finding in report.findings]
        as_json({"ok": report.ok, "checked": [model.__name__ for model in report.checked], "findings": findings})
    else:
        say(str(report))
    return DONE if report.ok else FOUND


def _as_mapping(finding: Finding) -> dict[str, Any]:
    told = {name: getattr(finding, name) for name in ("kind", "sentence", "instead", "names", "count", "sample", "mended", "allowed")}
    return {**told, "database": address_of(finding.database), "model": finding.model.__name__ if finding.model is not None else None}
