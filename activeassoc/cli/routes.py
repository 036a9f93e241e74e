"""``activeassoc routes``: what the REST interface of the models of a module would be."""

from __future__ import annotations

from typing import Any

from activeassoc.cli.modules import models_of, needed
from activeassoc.cli.options import Json, Module
from activeassoc.cli.output import as_json, say, table


def command(module: Module, json: Json = False) -> None:
    """List the routes that `serve` would have for the models of MODULE: method, path, what it does.

    Models that MODULE neither defines nor imports by name have no routes.
    """
    rest = needed("activeassoc.rest.routes", "'activeassoc[rest]'")
    routes = rest.routes_of(rest.Served(models_of(module, associated=False)))
    if json:
        as_json([_as_mapping(route) for route in routes])
    elif routes:
        table(("method", "path", "does"), [(route.method, route.path, route.summary) for route in routes])
    else:
        say("The models have no routes.")


def _as_mapping(route: Any) -> dict[str, Any]:
    return {
        "method": route.method,
        "path": route.path,
        "operation": route.operation,
        "summary": route.summary,
        "model": route.model.__name__,
        "association": None if route.association is None else route.association.name,
    }
