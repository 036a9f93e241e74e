"""docs/rest.md and examples/api.py say what the tables of the package say, and the example runs."""

from __future__ import annotations

import dataclasses
import re
import subprocess
import sys
from pathlib import Path

import peewee
import pytest

import activeassoc
import activeassoc.rest
from activeassoc import sync
from activeassoc.rest import parameters, problems, routes, said
from activeassoc.rest.limits import Limits

ROOT = Path(__file__).resolve().parent.parent
TEXT = (ROOT / "docs" / "rest.md").read_text(encoding="utf-8")


def rows(heading: str) -> list[list[str]]:
    """The rows of every table under a heading, without their headings."""
    section = re.split(rf"^## {re.escape(heading)}$", TEXT, flags=re.MULTILINE)[1].split("\n## ")[0]
    tables = re.findall(r"^\|.*\|\n\|[-|]+\|\n((?:\|.*\|\n)+)", section, flags=re.MULTILINE)
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for table in tables for line in table.splitlines()]


def test_the_endpoints_are_those_of_the_routes_table():
    """K2: a way to a record, or to a list below one, has a row, with its status."""
    shown = [(way, "/user", {}) for way in routes.CRUD] + [(way, "/role/{owner_id}/user", {"owner": "role"}) for way in routes.BELOW]
    expected = [
        [f"`{way.method} {base}{way.path}`", way.summary.format(one="user", many="users", **owner), str(way.status)]
        for way, base, owner in shown
    ]
    assert rows("Routes") == expected


def test_the_parameters_are_those_of_their_table():
    """K5: every parameter that begins with $, what it takes and means, and where."""
    where = {parameters.ALL: "everywhere", parameters.LISTS: "lists"}
    expected = [[f"`{each.name}`", each.takes, each.means, where[each.places]] for each in parameters.PARAMETERS]
    found = rows("Query parameters")
    assert found[: len(expected)] == expected and [row[0] for row in found[len(expected) :]] == ["`field=value`", "`link.field=value`"]


def test_the_words_of_models_and_associations_are_those_of_their_tables():
    """K7: Meta.rest has no word that the page has not."""
    words = [*said.WORDS.items(), *said.OF_ASSOCIATIONS.items()]
    assert rows("Meta.rest") == [[f"`{word}`", meaning] for word, (_, meaning) in words]
    actions = [word for row in rows("Hooks and authorize") for word in re.findall(r"`(\w+)`", row[0])]
    assert sorted(actions) == sorted(said.ACTIONS)


def test_the_limits_and_the_errors_are_those_of_the_package():
    """K3, K5: each limit with its default, each error with its status."""
    limits = {f"`{each.name}`": f"{each.default:,}" for each in dataclasses.fields(Limits)}
    assert {row[0]: row[1] for row in rows("Limits and security")} == limits
    kinds = sorted((str(each.status), f"`{each.error}`") for each in problems.Refused.__subclasses__())
    assert sorted((row[0], row[1]) for row in rows("Errors")) == kinds


def test_the_example_runs_with_nothing_but_sqlite():
    """examples/api.py --show: requests and their answers."""
    pytest.importorskip("uvicorn", reason="the extra rest is not installed")
    command = [sys.executable, "-W", "error", str(ROOT / "examples" / "api.py"), "--show"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120, encoding="utf-8")
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    statuses = [line.split()[0] for line in lines if line.startswith("  ")]
    assert statuses == ["200", "200", "200", "201", "409", "204", "200", "200", "400", "204"]
    assert lines[-5] == '  200 {"id":2,"name":"Bob","loans":[{"loan":{"id":2,"title":"Fiasco","year":1986,"author":1},"due":"2030-02-28"}]}'


# Apps that are made of strange models


def test_models_may_be_called_as_the_schemas_are(fresh):
    """A model called Tag, Field or Problem is served and described as any other."""
    testclient = pytest.importorskip("fastapi.testclient", reason="the extra rest is not installed")
    models = fresh("Tag", "Field", "Problem", "Pages", "Items", "Body", "Any")
    for one, other in zip(models, models[1:], strict=False):
        one.has_many(other)
        other.belongs_to(one)
    sync(*models)
    http = testclient.TestClient(activeassoc.rest.create_app(*models))
    assert http.post("/tag", json={"title": "a"}).json() == {"id": 1, "title": "a"}
    assert http.get("/tag?$embed=fields.problems").json()["docs"] == [{"id": 1, "title": "a", "fields": []}]
    document = http.get("/openapi.json")
    named = document.json()["components"]["schemas"]
    assert {"Tag", "Field", "TagCreate", "ProblemCreate"} <= set(named)
    assert set(re.findall(r"#/components/schemas/(\w+)", document.text)) <= set(named)


@pytest.mark.parametrize("url", ["sqlite:///:memory:", "sqlite://"])
def test_a_database_in_memory_cannot_be_served(url, fresh):
    """Requests run in threads, each with a connection of its own, and data in memory is in one connection alone."""
    pytest.importorskip("fastapi", reason="the extra rest is not installed")
    db = activeassoc.connect(url)
    Note = type(activeassoc.Model)("Note", (activeassoc.Model,), {"Meta": type("Meta", (), {"database": db}), "__module__": __name__})
    for make in (activeassoc.rest.create_app, activeassoc.rest.router):
        with pytest.raises(activeassoc.AssociationError) as caught:
            make(Note)
        assert str(caught.value) == (
            "create_app(…) with Note: its database is in the memory of one connection, and each thread of the app would have another. "
            "Connect to a file: connect('sqlite:///app.db')."
        )


@pytest.fixture
def fresh(tmp_path, request):
    """``fresh("User", "Tag")``: models on SQLite, each with a column `title`."""
    db = activeassoc.connect(f"sqlite:///{tmp_path}/app.db")

    def made(*names):
        meta = type("Meta", (), {"database": db})
        columns = {"__module__": __name__, "Meta": meta}
        return [type(activeassoc.Model)(name, (activeassoc.Model,), {"title": peewee.CharField(null=True), **columns}) for name in names]

    yield made
    db.close()
