"""``activeassoc update-associations``: links of existing data, moved between a collection of their own and the documents of both sides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated, Any

import typer

from activeassoc.cli import DONE, FOUND
from activeassoc.cli.modules import Refused, database_at, models_of
from activeassoc.cli.options import Json, Url
from activeassoc.cli.output import as_json, say, working
from activeassoc.errors import WrongTarget
from activeassoc.lazy import settings
from activeassoc.moving import Report, update_associations
from activeassoc.stores.sql import store_of

#: A module that nobody named.
MODELS = "models"


def command(
    url: Url,
    models: Annotated[str, typer.Argument(metavar="MODELS", help="The models: a module (app.models) or a file (app/models.py).")] = MODELS,
    embed: Annotated[
        bool,
        typer.Option("--embed/--no-embed", help="What settings.embed_associations is; an association's own embed= wins."),
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Change nothing, and tell what would be moved.")] = False,
    json: Json = False,
) -> int:
    """Move the links of many-to-manys to where the models of MODELS say that they belong: a collection, or the documents of both sides.

    It plans, copies, compares, and only then removes; it can be stopped at any point and run again. The exit code is 1 where something
    differs: that is listed, and nothing of those links is removed.
    """
    database = database_at(url)
    try:
        update_associations(database, [])  # a store with one storage is told before anything is imported
        report = _moved(database, models, embed, dry_run)
    except WrongTarget as error:
        raise Refused(url, error.because, error.instead) from error
    if json:
        as_json({"ok": report.ok, "dry_run": report.dry_run, "moves": [_as_mapping(move) for move in report.moves]})
    else:
        say(str(report))
    return DONE if report.ok else FOUND


def _moved(database: Any, models: str, embed: bool, dry_run: bool) -> Report:
    before, settings.embed_associations = settings.embed_associations, embed
    try:
        found = models_of(models)
        for model in _of_documents(models, found):
            model.bind(database, bind_refs=False, bind_backrefs=False)
        with working("Looking" if dry_run else "Moving", database) as done:
            return update_associations(
                database, found, embed, dry_run, lambda association, stage, number, total: done(number, total)
            )
    finally:
        settings.embed_associations = before


def _of_documents(name: str, models: Sequence[Any]) -> list[Any]:
    """The models that are meant to be in the database of the URL: those without one, or with one that has documents; else all.

    Raises Refused where these are in several databases, as which of them the URL stands for cannot be told.
    """
    found: list[Any] = []
    databases: dict[int, Any] = {}
    for model in models:
        database = model._meta.get_database_instance()
        if database is None or database.deferred or store_of(database).arrays:
            found.append(model)
            if database is not None and not database.deferred:
                databases[id(database)] = database
    if len(databases) > 1:
        raise Refused(
            name,
            f"its models are in {len(databases)} databases with documents, and the URL is one",
            "Name a module with the models of that one",
        )
    return found or list(models)


def _as_mapping(move: Any) -> dict[str, Any]:
    return {**asdict(move), "model": move.model.__name__}
