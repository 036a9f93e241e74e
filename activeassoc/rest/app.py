"""The app: FastAPI with the routes of models, pages to browse them that need no internet, and one shape for every error.

Map: `router` and `create_app` are what the package offers; `PAGES` is where the browsable docs and what they load are.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import fastapi_offline
from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import FileResponse
from starlette.exceptions import HTTPException

import activeassoc
from activeassoc.errors import DeclarationError
from activeassoc.rest.endpoints import Answering, answer_of, described, endpoint
from activeassoc.rest.limits import Limits
from activeassoc.rest.problems import STATUSES, Broken, Refused
from activeassoc.rest.resources import Served
from activeassoc.rest.routes import routes_of
from activeassoc.rest.schemas import Schemas

#: The files that the page loads, from the package that brings them: path → file. Nothing of it is on another server.
ASSETS = Path(fastapi_offline.__file__).parent / "static"
PAGES: dict[str, str] = {
    "/docs/swagger-ui.js": "swagger-ui-bundle.js",
    "/docs/swagger-ui.css": "swagger-ui.css",
    "/docs/favicon.png": "favicon.png",
}
#: Segments that the app itself has.
RESERVED = ("docs", "openapi.json")


def router(*what: Any, limits: Limits | None = None, where: bool = False, **options: Any) -> APIRouter:
    """See `activeassoc.rest.router`."""
    served = Served(what, limits, where)
    schemas = Schemas(served)
    made = APIRouter(route_class=Answering, redirect_slashes=False, **options)
    for route in routes_of(served):
        made.add_api_route(route.path, endpoint(route, schemas), methods=[route.method], **described(route, schemas))
    return made


def create_app(*what: Any, limits: Limits | None = None, where: bool = False, **options: Any) -> FastAPI:
    """See `activeassoc.rest.create_app`."""
    routes = router(*what, limits=limits, where=where)
    taken = next((route for route in routes_of(Served(what, limits, where)) if route.path.split("/")[1] in RESERVED), None)
    if taken is not None:
        raise DeclarationError(
            f"create_app(…) with {taken.model.__name__}",
            f"{taken.path} is a path of the app itself",
            'Give the model an alias: Meta.rest = {"alias": "…"}',
        )
    told = {"title": "REST API", "version": activeassoc.__version__, **options}
    app = FastAPI(docs_url=None, redoc_url=None, redirect_slashes=False, **told)
    app.include_router(routes)
    _add_pages(app)
    app.add_exception_handler(HTTPException, _as_problem)
    app.add_exception_handler(Exception, _as_broken)
    return app


def _add_pages(app: FastAPI) -> None:
    async def page(request: Request) -> Response:
        root = request.scope.get("root_path", "").rstrip("/")
        return get_swagger_ui_html(
            openapi_url=f"{root}{app.openapi_url}",
            title=app.title,
            swagger_js_url=f"{root}/docs/swagger-ui.js",
            swagger_css_url=f"{root}/docs/swagger-ui.css",
            swagger_favicon_url=f"{root}/docs/favicon.png",
            swagger_ui_parameters={"validatorUrl": None},  # else the page asks a server for its opinion
        )

    app.add_route("/docs", page, include_in_schema=False)
    for path, file in PAGES.items():
        app.add_route(path, _file(ASSETS / file), include_in_schema=False)


def _file(path: Path) -> Any:
    async def send(request: Request) -> Response:
        return FileResponse(path)

    return send


async def _as_problem(request: Request, error: Any) -> Response:
    """What FastAPI refuses by itself, an unknown path or method, in the shape of all errors."""
    kind = STATUSES.get(error.status_code)
    if kind is None:
        return answer_with(error.status_code, Refused(str(error.detail)), error.headers)
    return answer_with(error.status_code, kind(str(error.detail)), error.headers)


async def _as_broken(request: Request, error: Exception) -> Response:
    return answer_of(Broken("The program failed"))


def answer_with(status: int, problem: Refused, headers: Any) -> Response:
    """The answer with this status, and the headers that were asked for."""
    found = answer_of(problem)
    found.status_code = status
    found.headers.update(headers or {})
    return found
