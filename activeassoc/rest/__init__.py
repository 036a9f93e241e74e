"""Models as a REST API: ``create_app(User, Role)`` is a FastAPI app with the routes of both, and of the lists below their records.

>>> from activeassoc.rest import create_app
>>> app = create_app(User, Role)        # uvicorn module:app

Map: `create_app` and `router` are the two entrances; `Limits` is how much one request may ask for; `Refused` and its kinds are what
hooks may raise. What a model says of itself stands in ``Meta.rest`` (`said.WORDS`). FastAPI is imported by the first call.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from activeassoc.errors import AssociationError
from activeassoc.rest.limits import Limits
from activeassoc.rest.problems import BadRequest, Conflict, Forbidden, NotFound, Refused

if TYPE_CHECKING:
    from fastapi import APIRouter, FastAPI

__all__ = ["BadRequest", "Conflict", "Forbidden", "Limits", "NotFound", "Refused", "RestMissing", "create_app", "router"]


class RestMissing(AssociationError, ImportError):
    """A package that the REST app is made of is not installed."""


def create_app(*what: Any, limits: Limits | None = None, where: bool = False, **options: Any) -> FastAPI:
    """A FastAPI app that serves these models: their records, the lists of their associations, and pages to browse both at ``/docs``.

    For each model GET (a list, one), POST, PUT and DELETE, for each to-many association the same below its owner; see the table
    `activeassoc.rest.routes`. `what` are models, or databases, which stand for all models on them. A model whose primary key has several
    columns has no routes of its own. `limits` are the `Limits` of a request; ``where=True`` lets clients send criteria as ``$where``;
    further options are FastAPI's own (title, dependencies, middleware, …).

    Raises DeclarationError and UnknownName where a ``Meta.rest`` cannot be meant, or two routes would have one path; RestMissing where
    FastAPI is not installed. (K1, K2, K7)
    """
    return _made("create_app")(*what, limits=limits, where=where, **options)  # type: ignore[no-any-return]


def router(*what: Any, limits: Limits | None = None, where: bool = False, **options: Any) -> APIRouter:
    """The same routes as an APIRouter, to include in an app of yours: ``app.include_router(router(User), prefix="/api")``.

    Further options are APIRouter's own (dependencies, …). Its answers, errors included, are those of `create_app`; pages and the
    answers to unknown paths are the app's. (K1)
    """
    return _made("router")(*what, limits=limits, where=where, **options)  # type: ignore[no-any-return]


def _made(name: str) -> Any:
    try:
        from activeassoc.rest import app
    except ImportError as error:
        if (error.name or "").startswith("activeassoc"):
            raise
        raise RestMissing(
            f"activeassoc.rest.{name}()", f"{error.name} is not installed", "Install it: pip install 'activeassoc[rest]'"
        ) from error
    return getattr(app, name)
