"""``activeassoc associations``: a table of what the models of a module declare."""

from __future__ import annotations

from typing import Any

from activeassoc.associations.base import Association, methods_of
from activeassoc.associations.embedding import embedded
from activeassoc.cli.modules import models_of
from activeassoc.cli.options import Json, Module
from activeassoc.cli.output import as_json, say, table
from activeassoc.deleting.references import address_of, rule_of


def command(module: Module, json: Json = False) -> None:
    """List the associations of the models of MODULE: kind, target, keys, ON DELETE, through model.

    With --json also the generated methods, and the database of the target.
    """
    found = [association for model in models_of(module) for association in getattr(model, "associations", {}).values()]
    if json:
        as_json([_as_mapping(association) for association in found])
    elif found:
        rows = [_row(association) for association in found]
        table(("association", "kind", "target", "keys", "on delete", "through"), rows)
    else:
        say("The models have no associations.")


def _row(association: Any) -> tuple[str, ...]:
    keys = association.keys
    rules = dict.fromkeys(rule_of(key.field) or "-" for key in keys)
    through = getattr(association, "through", None)
    return (
        association.label,
        association.kind,
        association.target.__name__,
        ", ".join(f"{key.model.__name__}.{key.column}" for key in keys),
        ", ".join(rules),
        "-" if through is None else f"{through.__name__}{', embedded' if embedded(through) else ''}",
    )


def _as_mapping(association: Association) -> dict[str, Any]:
    through = getattr(association, "through", None)
    return {
        "source": association.source.__name__,
        "name": association.name,
        "kind": association.kind,
        "target": association.target.__name__,
        "keys": [
            {
                "model": key.model.__name__,
                "column": key.column,
                "null": bool(key.field.null),
                "on_delete": rule_of(key.field),
            }
            for key in association.keys
        ],
        "through": None if through is None else through.__name__,
        "embedded": through is not None and embedded(through),
        "database": _address(association.target._meta.get_database_instance()),
        "methods": sorted(methods_of(association)),
    }


def _address(database: Any) -> str | None:
    return None if database is None else address_of(database)
