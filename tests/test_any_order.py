"""The order of declarations does not matter: the same models come of it, or an error."""

from __future__ import annotations

import gc
import itertools
from typing import Any

from declarations import Scratch
from hypothesis import given, settings
from hypothesis import strategies as st

from activeassoc import DeclarationError

# Without foreign_key throughout: a has_many without one uses the only key that there is, so a key of another name comes first (A10).
CALLS: dict[str, Any] = {
    "has many": lambda m, by: m["User"].has_many(by("Task")),
    "has many, cascade": lambda m, by: m["User"].has_many(by("Task"), on_delete="CASCADE"),
    "has many, restrict": lambda m, by: m["User"].has_many(by("Task"), on_delete="RESTRICT"),
    "has many, required": lambda m, by: m["User"].has_many(by("Task"), null=False),
    "has many jobs": lambda m, by: m["User"].has_many(by("Task"), as_="jobs"),
    "has many done": lambda m, by: m["User"].has_many(by("Task"), as_="done", where={"title": "x"}),
    "has one": lambda m, by: m["User"].has_one(by("Task"), as_="first"),
    "has one, unique": lambda m, by: m["User"].has_one(by("Task"), as_="only", unique=True),
    "belongs to": lambda m, by: m["Task"].belongs_to(by("User")),
    "belongs to, set null": lambda m, by: m["Task"].belongs_to(by("User"), on_delete="SET NULL"),
    "belongs to, update": lambda m, by: m["Task"].belongs_to(by("User"), on_update="NO ACTION"),
    "belongs to, no constraint": lambda m, by: m["Task"].belongs_to(by("User"), constraints=False),
    "belongs to owner": lambda m, by: m["Task"].belongs_to(by("User"), as_="owner"),
}
LINKS: dict[str, Any] = {
    "has many": lambda m, by: m["User"].has_many(by("Task")),
    "has many back": lambda m, by: m["Task"].has_many(by("User")),
    "has many, through": lambda m, by: m["User"].has_many(by("Task"), through="jobs"),
    "has many back, through": lambda m, by: m["Task"].has_many(by("User"), through="jobs"),
    "watched, through": lambda m, by: m["User"].has_many(by("Task"), as_="watched", through="watchings"),
    "watchers, through": lambda m, by: m["Task"].has_many(by("User"), as_="watchers", through="watchings"),
    "link, unconstrained": lambda m, by: m["User"].has_many(by("Task"), through="jobs", constraints=False),
    "link, restrict": lambda m, by: m["Task"].has_many(by("User"), through="jobs", on_delete="RESTRICT"),
    "has many, dominant": lambda m, by: m["User"].has_many(by("Task"), dominant=True),
    "has many back, dominant": lambda m, by: m["Task"].has_many(by("User"), dominant=True),
    "belongs to many": lambda m, by: m["User"].belongs_to_many(by("Task")),
    "belongs to many back": lambda m, by: m["Task"].belongs_to_many(by("User")),
}


def outcome(calls: list[Any], by_name: bool, number: list[int] = [0]) -> Any:  # noqa: B006
    """What the models are after these calls, in words that do not depend on their order; None where one raised."""
    number[0] += 1
    if not number[0] % 20:
        gc.collect()  # what nobody holds is only known until it is collected, and is looked through by name
    scratch = Scratch(f"{__name__}.{number[0]}")  # models of other examples are out of reach
    models = {name: scratch(name) for name in ("User", "Task")}
    try:
        for call in calls:
            call(models, lambda name: name if by_name else models[name])
        for model in models.values():
            for association in model.associations.values():
                _ = association.target
    except DeclarationError:
        return None
    links = {each.through for model in models.values() for each in model.associations.values() if hasattr(each, "ends")}
    return {model.__name__: words(model) for model in (*models.values(), *links)}


def words(model: Any) -> Any:
    options = "name column_name null unique on_delete on_update constraint object_id_name"
    keys = {field.column_name: [getattr(field, word) for word in options.split()] for field in model._meta.refs}
    associations = {
        name: (type(each).__name__, each.target.__name__, [key.column for key in each.keys], {hop.model.__name__ for hop in each.path})
        for name, each in model.associations.items()
    }
    return model._meta.table_name, sorted(model._meta.columns), keys, associations


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(list(CALLS)), min_size=2, max_size=3, unique=True), st.booleans())
def test_keys_in_any_order(names: list[str], by_name: bool) -> None:
    """A10, A11, A6: the same keys and options whatever comes first, with models and with names; or an error in every order."""
    found = [outcome([CALLS[name] for name in order], by_name) for order in itertools.permutations(names)]
    assert all(each == found[0] for each in found[1:])


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(list(LINKS)), min_size=2, max_size=3, unique=True), st.booleans())
def test_links_in_any_order(names: list[str], by_name: bool) -> None:
    """A7, D2: the same join tables and keys whatever comes first; or an error in every order."""
    found = [outcome([LINKS[name] for name in order], by_name) for order in itertools.permutations(names)]
    assert all(each == found[0] for each in found[1:])
