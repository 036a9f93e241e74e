"""What FastAPI calls: for each route a function whose parameters are those of its path and its body, and which answers the request.

Map: `OPERATIONS` is the table from operation to function; `endpoint` makes what FastAPI calls, `described` what the OpenAPI says of it;
`Answering` is the kind of route that turns every refusal into its answer.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Any, NamedTuple

from fastapi import Body as InBody
from fastapi import Path, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute

from activeassoc.registry import Model
from activeassoc.rest import reading, writing
from activeassoc.rest.bodies import Received, refused
from activeassoc.rest.parameters import CHILDREN, LIST, ONE, read
from activeassoc.rest.problems import BadRequest, Refused
from activeassoc.rest.resources import Resource
from activeassoc.rest.routes import Route
from activeassoc.rest.running import run
from activeassoc.rest.schemas import Problem, Schemas, parameters_of
from activeassoc.rest.values import key_of

# Operations


class Asking(NamedTuple):
    """One request: its route, its parameters of the path, and its body as pydantic read it."""

    route: Route
    request: Any
    given: Mapping[str, Any]

    @property
    def body(self) -> Any:
        return self.given.get("body")


def _list(asking: Asking) -> Any:
    route = asking.route
    return _reading(asking, LIST, lambda asked, after: reading.list_of(route.resource, asked, after))


def _one(asking: Asking) -> Any:
    route = asking.route
    return _reading(asking, ONE, lambda asked, after: reading.one(route.resource, asking.given["id"], asked, after))


def _get(asking: Asking) -> Any:
    below: Any = asking.route.below
    return _reading(asking, CHILDREN, lambda asked, after: reading.children(below, asking.given["owner_id"], asked, after))


def _reading(asking: Asking, place: str, work: Callable[..., Any]) -> Any:
    """What `work` reads; the hooks are those of the models whose records leave."""
    route, request = asking.route, asking.request
    served, below = route.resource.served, route.below
    resource = below.child if below is not None else route.resource
    request.state.association = below.association.name if below is not None else None
    pairs = request.query_params.multi_items()
    before = resource.rest.before.get("read")
    if before is not None:
        hook = before
        pairs = run(served, request, [resource.model], lambda: hook(request, resource.model, pairs), writes=True) or pairs
    asked = read(resource, pairs, place, association=below, limits=served.limits, where=served.where)

    def after(each: Resource, records: list[Any]) -> None:
        hook = each.rest.after.get("read")
        if hook is not None:
            hook(request, each.model, records)

    models = [*route.models, *_embedded(resource, asked.embed)]
    hooked = any(served.resource_of(model).rest.after.get("read") for model in models)
    return run(served, request, models, lambda: work(asked, after), writes=hooked)


def _embedded(resource: Resource, tree: Mapping[str, Any]) -> Iterable[Model]:
    """The models of what is embedded."""
    for name, inner in tree.items():
        association: Any = resource.embeddable[name]
        yield from (key.model for key in association.keys)
        yield association.target
        yield from _embedded(resource.embedded(name), inner)


def _writing(asking: Asking, work: Callable[[], Any]) -> Any:
    if asking.request.query_params:
        name = next(iter(asking.request.query_params))[:100]
        raise BadRequest(f"{name}: {asking.route.method} takes no parameters", {name: "is not known here"})
    return run(asking.route.resource.served, asking.request, asking.route.models, work, writes=True)


def _create(asking: Asking) -> Any:
    several = isinstance(asking.body, list)
    rows = [each.given() for each in (asking.body if several else [asking.body])]
    return _writing(asking, lambda: writing.create(asking.route.resource, rows, several=several))


def _update(asking: Asking) -> Any:
    return _writing(asking, lambda: writing.update(asking.route.resource, asking.given["id"], asking.body.given()))


def _delete(asking: Asking) -> Any:
    return _writing(asking, lambda: writing.delete(asking.route.resource, [asking.given["id"]]))


def _delete_many(asking: Asking) -> Any:
    return _writing(asking, lambda: writing.delete(asking.route.resource, asking.body))


def _add_many(asking: Asking) -> Any:
    entries = []
    for each in asking.body:
        fields = each.given() if hasattr(each, "given") else {}
        entries.append((fields.pop("childId", each), fields))
    return _add_entries(asking, entries)


def _add(asking: Asking) -> Any:
    return _add_entries(asking, [(asking.given["child_id"], asking.body.given() if asking.body is not None else {})])


def _add_entries(asking: Asking, entries: list[tuple[Any, dict[str, Any]]]) -> Any:
    below: Any = asking.route.below
    return _writing(asking, lambda: writing.add(below, asking.given["owner_id"], entries))


def _remove_many(asking: Asking) -> Any:
    return _remove_keys(asking, asking.body)


def _remove(asking: Asking) -> Any:
    return _remove_keys(asking, [asking.given["child_id"]])


def _remove_keys(asking: Asking, keys: list[Any]) -> Any:
    below: Any = asking.route.below
    return _writing(asking, lambda: writing.remove(below, asking.given["owner_id"], keys))


class Operation(NamedTuple):
    """What carries a route out, and what its body and its answer are; None where there is none."""

    carry_out: Callable[[Asking], Any]
    body: Callable[[Schemas, Any], Any] | None = None
    answer: Callable[[Schemas, Any], Any] | None = None
    #: The body may be left out.
    optional: bool = False
    #: Where query parameters are read, of `parameters`.
    place: str = ""


#: (operation, form) of the tables in `routes` → what is done.
OPERATIONS: dict[tuple[str, str], Operation] = {
    ("list", ""): Operation(_list, answer=lambda made, route: made.page(made.document(route.resource), route.resource), place=LIST),
    ("one", ""): Operation(_one, answer=lambda made, route: made.document(route.resource), place=ONE),
    ("create", ""): Operation(
        _create, lambda made, route: made.created(route.resource), lambda made, route: made.one_or_several_of(route.resource)
    ),
    ("update", ""): Operation(
        _update, lambda made, route: made.updated(route.resource), lambda made, route: made.document(route.resource)
    ),
    ("delete", ""): Operation(_delete),
    ("delete_many", ""): Operation(_delete_many, lambda made, route: made.keys(route.resource)),
    ("get", "{many}"): Operation(_get, answer=lambda made, route: made.page(made.child(route.below), route.below), place=CHILDREN),
    ("add", "{many}"): Operation(_add_many, lambda made, route: made.added(route.below)),
    ("add", "{one}"): Operation(_add, lambda made, route: made.link(route.below), optional=True),
    ("remove", "{many}"): Operation(_remove_many, lambda made, route: made.keys(route.below.child)),
    ("remove", "{one}"): Operation(_remove),
}


# For FastAPI


def endpoint(route: Route, schemas: Schemas) -> Callable[..., Response]:
    """The function that FastAPI calls, in a thread of its own, with the parameters of the path and the body."""
    operation = OPERATIONS[route.way.operation, route.way.form]

    def answer(request: Request, **given: Any) -> Response:
        found = operation.carry_out(Asking(route, request, given))
        if route.way.status == 204:
            return Response(status_code=204)
        return JSONResponse(found, status_code=route.way.status)

    parameters = [_parameter("request", Request)]
    for name, resource in _path(route).items():
        text = f"The id of a {resource.names.one}"
        parameters.append(_parameter(name, Annotated[key_of(resource.key, name), Path(description=text)]))
    if operation.body is not None:
        kind: Any = operation.body(schemas, route)
        annotated: Any = Annotated
        required = [annotated[kind, InBody()]]
        parameters.append(_parameter("body", *([annotated[kind | None, InBody()], None] if operation.optional else required)))
    answer.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    answer.__name__ = answer.__qualname__ = route.operation
    answer.route = route  # type: ignore[attr-defined]
    return answer


def _parameter(name: str, annotation: Any, default: Any = inspect.Parameter.empty) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=annotation, default=default)


def _path(route: Route) -> dict[str, Resource]:
    """The parameters of the path, and whose ids they are."""
    every = {"id": route.resource, "owner_id": route.resource}
    if route.below is not None:
        every["child_id"] = route.below.child
    return {name: resource for name, resource in every.items() if f"{{{name}}}" in route.path}


#: What can go wrong, and when: the descriptions of the OpenAPI.
REFUSALS: dict[int, str] = {
    400: "The request says what cannot be meant: an unknown name, a value that does not fit, a malformed id",
    403: "Not allowed",
    404: "A record that is named is not there; nothing was written",
    409: "A unique value is there already, or records that are to stay refer to what would be deleted; nothing was written",
    413: "The body is too long",
    503: "The database does not answer or is busy; try again",
}


def described(route: Route, schemas: Schemas) -> dict[str, Any]:
    """Everything that FastAPI is told of a route beside its function: every answer that it can give is there. (K1)"""
    operation = OPERATIONS[route.way.operation, route.way.form]
    resource, below = route.resource, route.below
    has_body = operation.body is not None
    about = [resource] if below is None else [resource, below.child]
    statuses = {
        400: True,
        403: any(each.rest.authorize is not None for each in _asked_of(about)),
        404: route.way.operation != "list" and (route.way.operation != "create" or bool(resource.model._meta.refs)),
        409: route.way.conflicts,
        413: has_body,
        503: True,
    }
    responses: dict[int | str, dict[str, Any]] = {
        status: schemas.problem(REFUSALS[status]) for status, can_be in statuses.items() if can_be
    }
    responses["default"] = {"model": Problem, "description": "The program failed"}
    if operation.answer is not None:
        responses[route.way.status] = {"model": operation.answer(schemas, route), "description": "Done"}
    found = {
        "status_code": route.way.status,
        "responses": responses,
        "summary": route.summary,
        "operation_id": route.operation,
        "name": route.operation,
        "tags": [resource.segment],
        "response_model": None,
        "response_class": JSONResponse if operation.answer is not None else Response,
    }
    if operation.place:
        read_of = below.child if below is not None else resource
        found["openapi_extra"] = {"parameters": parameters_of(operation.place, read_of, below)}
    return found


def _asked_of(resources: list[Resource]) -> list[Resource]:
    """The resources whose `authorize` such a request may meet: also those that can be embedded, however far."""
    found = dict.fromkeys(resources)
    rest = list(resources)
    while rest:
        for association in rest.pop().embeddable.values():
            target = resources[0].served.resource_of(association.target)
            if target not in found:
                found[target] = None
                rest.append(target)
    return list(found)


class Answering(APIRoute):
    """A route that reads its body to the limit, and answers what is refused in one shape. 422 is never an answer. (K3)"""

    def get_route_handler(self) -> Callable[[Request], Any]:
        """The handler of APIRoute, with what it raises turned into answers."""
        handle = super().get_route_handler()
        route: Route = self.endpoint.route  # type: ignore[attr-defined]
        # Names inside a link are those of the list, where there is one.
        fields = route.below.link_writable if route.below is not None else _writable(route)
        fixed = [] if route.below is not None else list(route.resource.creatable.keys() - route.resource.updatable.keys() - {"id"})
        has_body = self.body_field is not None

        async def answer(request: Request) -> Response:
            received = Received(request.scope, request.receive)
            received.limit = route.resource.served.limits.body
            try:
                if has_body:
                    await received.json()
                found: Response = await handle(received)
                return found
            except RequestValidationError as error:
                return answer_of(refused(error.errors(), list(fields), fixed))
            except Refused as error:
                return answer_of(error)

        return answer


def _writable(route: Route) -> Mapping[str, Any]:
    return route.resource.creatable if route.method == "POST" else route.resource.updatable


def answer_of(error: Refused) -> JSONResponse:
    """The answer to a request that was not done."""
    return JSONResponse(error.body(), status_code=error.status)


