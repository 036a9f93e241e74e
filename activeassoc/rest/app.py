"""The app: FastAPI with the routes of models, pages to browse them that need no internet, and one shape for every error.

Map: `router` and `create_app` are what the package offers; `PAGES` is where the browsable docs and what they load are.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import fastapi_offline
from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import FileResponse, JSONResponse
from starlette.exceptions import HTTPException
from starlette.routing import compile_path

import activeassoc
from activeassoc.errors import DeclarationError
from activeassoc.rest.endpoints import Answering, answer_of, described, endpoint
from activeassoc.rest.limits import Limits
from activeassoc.rest.problems import Broken, NotAllowed, Refused, name_of
from activeassoc.rest.resources import Served
from activeassoc.rest.routes import Route, routes_of
from activeassoc.rest.schemas import Schemas
from activeassoc.stores.bridge import is_asyncio
from activeassoc.stores.connections import in_one_connection

#: The files that the page loads, from the package that brings them: name → file. Nothing of it is on another server.
ASSETS = Path(fastapi_offline.__file__).parent / "static"
PAGES: dict[str, str] = {
    "swagger-ui.js": "swagger-ui-bundle.js",
    "swagger-ui.css": "swagger-ui.css",
    "favicon.png": "favicon.png",
}
#: FastAPI's options where they are not given: its own pages load scripts from elsewhere.
OPTIONS: dict[str, Any] = {
    "title": "REST API",
    "version": activeassoc.__version__,
    "docs_url": "/docs",
    "redoc_url": None,
    "openapi_url": "/openapi.json",
    "redirect_slashes": False,
}


def router(*what: Any, limits: Limits | None = None, where: bool = False, **options: Any) -> APIRouter:
    """See `activeassoc.rest.router`."""
    served = Served(what, limits, where)
    return _router(served, routes_of(served), Schemas(served), **options)


def _router(served: Served, routes: list[Route], schemas: Schemas, **options: Any) -> APIRouter:
    for route in routes:
        _check_shared(route.model)
    made = APIRouter(route_class=Answering, redirect_slashes=False, **options)
    for route in routes:
        made.add_api_route(route.path, endpoint(route, schemas), methods=[route.method], **described(route, schemas))
    pools = [database for database in served.databases() if is_asyncio(database)]
    if pools:
        # So that they are closed with the app, whoever includes the router, and beside what that one has to do then.
        made.include_router(APIRouter(lifespan=_closing(pools)))
    return made


def _closing(pools: list[Any]) -> Any:
    """The lifespan of an app at whose end the pools of asyncio databases are closed, in the event loop that they belong to."""

    @contextlib.asynccontextmanager
    async def lifespan(app: Any) -> AsyncIterator[None]:
        try:
            yield
        finally:
            for database in pools:
                await database.close_pool()

    return lifespan


def _check_shared(model: Any) -> None:
    """Raise where other threads than the one that made the database would not see what it has."""
    if in_one_connection(model._meta.database):
        raise DeclarationError(
            f"create_app(…) with {model.__name__}",
            "its database is in the memory of one connection, and each thread of the app would have another",
            "Connect to a file: connect('sqlite:///app.db')",
        )


def create_app(*what: Any, limits: Limits | None = None, where: bool = False, **options: Any) -> FastAPI:
    """See `activeassoc.rest.create_app`."""
    served = Served(what, limits, where)
    routes = routes_of(served)
    told = {**OPTIONS, **options}
    docs = told["docs_url"] if told["openapi_url"] else None
    own = {url.split("/")[1] for url in (docs, told["openapi_url"]) if url}
    taken = next((route for route in routes if route.path.split("/")[1] in own), None)
    if taken is not None:
        raise DeclarationError(
            f"create_app(…) with {taken.model.__name__}",
            f"{taken.path} is a path of the app itself",
            'Give the model an alias: Meta.rest = {"alias": "…"}',
        )
    app = FastAPI(**{**told, "docs_url": None})
    schemas = Schemas(served, completed=True)
    app.include_router(_router(served, routes, schemas))
    if docs:
        _add_pages(app, docs)
    _add_problems(app, routes)
    described_by_fastapi = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _whole(schemas.whole(described_by_fastapi()))
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]
    return app


def _whole(schema: Any) -> Any:
    """The OpenAPI with whole numbers as they were meant: FastAPI makes floats of them, and the largest of 64 bits has none."""
    if isinstance(schema, dict):
        return {name: _whole(each) for name, each in schema.items()}
    if isinstance(schema, list):
        return [_whole(each) for each in schema]
    if isinstance(schema, float) and schema.is_integer():
        return min(int(schema), 2**63 - 1)
    return schema


def _add_pages(app: FastAPI, docs: str) -> None:
    below = docs.rstrip("/")

    async def page(request: Request) -> Response:
        root = request.scope.get("root_path", "").rstrip("/")
        return get_swagger_ui_html(
            openapi_url=f"{root}{app.openapi_url}",
            title=app.title,
            swagger_js_url=f"{root}{below}/swagger-ui.js",
            swagger_css_url=f"{root}{below}/swagger-ui.css",
            swagger_favicon_url=f"{root}{below}/favicon.png",
            swagger_ui_parameters={"validatorUrl": None},  # else the page asks a server for its opinion
        )

    app.add_route(docs, page, include_in_schema=False)
    for name, file in PAGES.items():
        app.add_route(f"{below}/{name}", _file(ASSETS / file), include_in_schema=False)


def _file(path: Path) -> Any:
    async def send(request: Request) -> Response:
        return FileResponse(path)

    return send


def _add_problems(app: FastAPI, routes: list[Route]) -> None:
    """What FastAPI refuses by itself, an unknown path or method, is told in the shape of all errors."""

    async def as_problem(request: Request, error: Any) -> Response:
        answer = JSONResponse({**Refused(str(error.detail)).body(), "error": name_of(error.status_code)}, error.status_code)
        answer.headers.update(error.headers or {})
        if error.status_code == NotAllowed.status:
            answer.headers["Allow"] = ", ".join(sorted(_methods(routes, request))) or "GET"
        return answer

    async def as_broken(request: Request, error: Exception) -> Response:
        return answer_of(Broken("The program failed"))

    app.add_exception_handler(HTTPException, as_problem)
    app.add_exception_handler(Exception, as_broken)


def _methods(routes: list[Route], request: Request) -> set[str]:
    """The methods that the path has: each is a route of its own, and an answer to a wrong one lists them all."""
    path = request.url.path.removeprefix(request.scope.get("root_path", "").rstrip("/"))
    return {route.method for route in routes if compile_path(route.path)[0].match(path)}
