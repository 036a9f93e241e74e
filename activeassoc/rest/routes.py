"""Which routes there are: a table for the records of a model, and one for the lists below them, by the verbs of the association.

Map: `CRUD` and `BELOW` are the tables; `routes_of` applies them to models, and gives a `Route` for each path and method: what the app is
made of, and what the command and the docs print. Imports nothing of FastAPI.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from activeassoc.associations.base import verbs_of
from activeassoc.rest.resources import AssociationResource, Resource, Served

#: What a path needs of the record that it names.
ONE, OWNER, CHILD = "/{id}", "/{owner_id}", "/{child_id}"


class Way(NamedTuple):
    """A row of the tables: an operation as a method and the rest of a path."""

    #: What is done: ``list one create update delete delete_many`` of a model, or the verb of the association.
    operation: str
    #: Of a verb: "{one}" or "{many}", as its methods are named; "" for a model's own.
    form: str
    method: str
    path: str
    #: The status when it is done, and others that it can have beside 400, 403, 404, 413 and 503.
    status: int
    conflicts: bool
    #: Of `said.ACTIONS`: the flag that has to allow it.
    action: str
    #: What the OpenAPI calls it, and says of it.
    name: str
    summary: str


#: The routes of a model: below /user.
CRUD: tuple[Way, ...] = (
    Way("list", "", "GET", "", 200, False, "read", "list", "A page of {many}"),
    Way("create", "", "POST", "", 201, True, "create", "create", "Make one {one}, or several: all or none"),
    Way("delete_many", "", "DELETE", "", 204, True, "delete", "delete_many", "Delete several {many}: all or none"),
    Way("one", "", "GET", ONE, 200, False, "read", "read", "One {one}"),
    Way("update", "", "PUT", ONE, 200, True, "update", "update", "Change the fields of a {one} that are given"),
    Way("delete", "", "DELETE", ONE, 204, True, "delete", "delete", "Delete a {one}"),
)
#: The routes of a to-many association: below /role/{owner_id}/user. A verb that its kind does not publish has no route. (K2)
BELOW: tuple[Way, ...] = (
    Way("get", "{many}", "GET", "", 200, False, "read", "list", "A page of the {many} of a {owner}"),
    Way("add", "{many}", "POST", "", 204, True, "add", "add_many", "Add several to the {many} of a {owner}: all or none"),
    Way("remove", "{many}", "DELETE", "", 204, True, "remove", "remove_many", "Remove several from the {many} of a {owner}: all or none"),
    Way("add", "{one}", "PUT", CHILD, 204, True, "add", "add", "Add one to the {many} of a {owner}"),
    Way("remove", "{one}", "DELETE", CHILD, 204, True, "remove", "remove", "Remove one from the {many} of a {owner}"),
)


class Route(NamedTuple):
    """One method of one path."""

    method: str
    path: str
    way: Way
    resource: Resource
    #: The list that it is about; None for a model's own routes.
    below: AssociationResource | None = None

    @property
    def model(self) -> Any:
        return self.resource.model

    @property
    def association(self) -> Any:
        """The association, None for a model's own routes."""
        return self.below.association if self.below is not None else None

    @property
    def operation(self) -> str:
        """The name of the operation in the OpenAPI: the only one of its name."""
        below = f"__{self.below.segment}" if self.below is not None else ""
        return f"{self.way.name}_{self.resource.segment}{below}"

    @property
    def summary(self) -> str:
        names = self.below.association.names if self.below is not None else self.resource.names
        return self.way.summary.format(one=names.one, many=names.many, owner=self.resource.names.one)

    @property
    def models(self) -> list[Any]:
        """The models whose databases every such request needs, those that refer to others first."""
        if self.below is None:
            return [self.model]
        return [*(key.model for key in self.association.keys), self.model, self.below.child.model]


def routes_of(served: Served) -> list[Route]:
    """Every route of the models that were given, in the order in which they were.

    A model whose primary key is not one column has none of its own: its records have no id that a path could name. It is still reached
    by $embed, as a through model, and as a list below another record (GET alone). (K2)
    """
    return [route for resource in served.resources.values() for route in _routes(resource)]


def _routes(resource: Resource) -> Iterator[Route]:
    if resource.key is None:
        return
    for way in CRUD:
        if getattr(resource.rest, f"allow_{way.action}"):
            yield Route(way.method, f"/{resource.segment}{way.path}", way, resource)
    for segment, below in resource.to_many.items():
        verbs = verbs_of(type(below.association))
        for way in BELOW:
            published = any(way.form in pattern for pattern in verbs.get(way.operation, ()))
            if published and getattr(below, f"allow_{way.action}"):
                yield Route(way.method, f"/{resource.segment}{OWNER}/{segment}{way.path}", way, resource, below)
