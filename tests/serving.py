"""An API as its clients see it: models served by `create_app`, and what a request gets."""

from __future__ import annotations

from typing import Any

from fastapi.testclient import TestClient

from activeassoc import sync
from activeassoc.rest import create_app

#: An id that nobody has.
NONE = 10**9


class Api:
    """The app of some models, whose tables are made with it."""

    def __init__(self, *models: Any, **options: Any) -> None:
        sync(*models)
        self.app = create_app(*models, **options)
        self.http = TestClient(self.app)

    def __call__(self, verb: str, path: str, body: Any = None) -> tuple[int, Any]:
        """(status, JSON) of a request; None where the answer is empty."""
        answer = self.http.request(verb, path, json=body)
        return answer.status_code, (answer.json() if answer.content else None)

    def status(self, verb: str, path: str, body: Any = None) -> int:
        return self(verb, path, body)[0]

    def created(self, path: str, **values: Any) -> Any:
        """The id of a new record."""
        status, found = self("POST", path, values)
        assert status == 201, found
        return found["id"]

    def ids(self, path: str) -> list[Any]:
        """The ids of a list, in its order."""
        status, found = self("GET", path)
        assert status == 200, found
        return [document["id"] for document in found["docs"]]

    def openapi(self) -> Any:
        return self.http.get("/openapi.json").json()

    def paths(self, part: str) -> set[tuple[str, str]]:
        """(method, path) of the routes whose path has this part."""
        return {(verb.upper(), path) for path, verbs in self.openapi()["paths"].items() for verb in verbs if part in path}


def below(owner: str, child: str) -> set[tuple[str, str]]:
    """The five routes of a to-many association."""
    many, one = f"/{owner}/{{owner_id}}/{child}", f"/{owner}/{{owner_id}}/{child}/{{child_id}}"
    return {("GET", many), ("POST", many), ("DELETE", many), ("PUT", one), ("DELETE", one)}
