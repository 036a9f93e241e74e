"""populate: load what records are associated with, one query for each association however many records there are.

``User.select().populate("pets.vet")`` is three queries: the users, all of their pets, all of these pets' vets.

Map: `populate` is for records in hand (that of queries stands in `queries`); a `Plan` is a tree of steps, one for each
association of the paths, and `planned` makes one of whatever paths were written as. How one step is loaded stands in
`associations.loading`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import peewee
from peewee import Field, ForeignKeyField

from activeassoc import lazy
from activeassoc.associations.base import Association
from activeassoc.associations.belongs_to import BelongsTo
from activeassoc.associations.loading import DEFAULT, Options, check, limit_of, load
from activeassoc.associations.reading import Reading
from activeassoc.errors import PopulateTruncatedWarning, UnknownName, WrongArgument, listed, nearest
from activeassoc.keys import find_field
from activeassoc.naming import Names
from activeassoc.registry import Key, Model

__all__ = ["populate"]


@dataclass(frozen=True)
class Step:
    """One association of a path: what is asked of it, and what goes on from its records."""

    association: Reading
    options: Options
    steps: Mapping[str, Step] = field(default_factory=dict)
    #: The links of the owners, where these were read with them.
    links: Any = None

    def needs(self) -> list[Field]:
        """The columns that the next steps start from."""
        return starts(self.association.target, self.steps)


def starts(model: Model, steps: Mapping[str, Step]) -> list[Field]:
    """The columns of `model` that these steps start from."""
    return [model._meta.fields[step.association.path[0].near] for step in steps.values()]


@dataclass(frozen=True)
class Plan:
    """The steps from the records of a model. A plan does not change: what is added to it makes a new one."""

    model: Model
    asked: str
    steps: Mapping[str, Step] = field(default_factory=dict)

    def add(self, path: str, options: Options) -> Plan:
        """The plan with this path too; for the same path the options are replaced (G1)."""
        words = path.split(".") if isinstance(path, str) else []
        if not all(words) or not words:
            raise WrongArgument(self.asked, f"{path!r} is no path", 'Write the names of associations, as in "pets.vet"', value=path)
        return replace(self, steps=_grown(self.model, self.steps, words, options, self.asked))

    @property
    def needs(self) -> list[Field]:
        """The columns of the records that the plan starts from."""
        return starts(self.model, self.steps)

    @property
    def paths(self) -> list[str]:
        """The paths, to their ends."""
        return list(_paths(self.steps, ""))

    def has_keys(self, record: Any) -> bool:
        """Whether the record was read with all that the plan starts from."""
        return all(field.name in record.__data__ for field in self.needs)

    def run(self, records: Iterable[Any]) -> None:
        """Load every step. One query each; one warning where default limits cut lists."""
        owners = list({id(record): record for record in records}.values())
        cut: dict[str, int] = {}
        if owners:
            _run(self.steps, owners, "", self.asked, cut)
        if cut:
            paths = [f'populate("{path}", limit=None)' for path in cut]
            limits = sorted(set(cut.values()))
            warning = PopulateTruncatedWarning(
                self.asked,
                f"lists of {listed(cut)} are cut at the default limit of {listed(map(str, limits))} records for each owner",
                f"Write {' and '.join(paths)} for all of them, or the limit that is wanted",
                paths=list(cut),
            )
            lazy.call_site().warn(warning)


def _paths(steps: Mapping[str, Step], before: str) -> Iterator[str]:
    for name, step in steps.items():
        if step.steps:
            yield from _paths(step.steps, f"{before}{name}.")
        else:
            yield f"{before}{name}"


def _grown(model: Model, steps: Mapping[str, Step], words: list[str], options: Options, asked: str) -> dict[str, Step]:
    """The steps from `model`, with one more path."""
    word, rest = words[0], words[1:]
    association = association_called(model, word, asked)
    former = steps.get(association.name)
    if rest:
        step = former or Step(association, Options())
        if step.options.count:
            raise _only_counted(association, asked)
        step = replace(step, steps=_grown(association.target, step.steps, rest, options, asked))
    else:
        check(association, options, asked)
        step = Step(association, options, former.steps if former is not None else {})
        if options.count and step.steps:
            raise _only_counted(association, asked)
    return {**steps, association.name: step}


def _only_counted(association: Reading, asked: str) -> WrongArgument:
    return WrongArgument(
        asked,
        f"{association.label} is counted and not read, so that nothing goes on from its records",
        "Leave count=True out",
        value=True,
    )


def _run(steps: Mapping[str, Step], owners: list[Any], before: str, asked: str, cut: dict[str, int]) -> None:
    for name, step in steps.items():
        path = f"{before}{name}"
        records, truncated = load(step.association, owners, step.options, asked, step.needs(), step.links)
        if truncated:
            cut[path] = limit_of(step.association.target, step.options, asked) or 0
        if step.steps and records:
            _run(step.steps, records, f"{path}.", asked, cut)


def association_called(model: Model, name: str, asked: str) -> Reading:
    """The association of `model` that a path names, or the foreign key without one; raises UnknownName with the nearest names."""
    associations: Mapping[str, Any] = getattr(model, "associations", {})
    if name in associations:
        return associations[name]  # type: ignore[no-any-return]
    found = find_field(model, name)
    if isinstance(found, ForeignKeyField):
        return of_field(found)
    known = sorted({*associations, *(each.name for each in model._meta.refs)})
    raise UnknownName(asked, f"{model.__name__} has no association {name!r}", nearest(name, known), name=name, known=known)


def of_field(key: Any) -> Reading:
    """The association that a foreign key is: the declared one, or for a key without one (A13) what reads it."""
    model = key.model
    for association in getattr(model, "associations", {}).values():
        if isinstance(association, BelongsTo) and association.bound and association.key.field is key:
            return association
    declared = f"{type(key).__name__} {model.__name__}.{key.name}"
    made = BelongsTo(model, key.rel_model.__name__, Names(key.name, key.name), declared, lambda *_: None)
    made.take(Key(model, key.column_name, key, key.rel_model))
    made.bound_to(key.rel_model)
    return made


# However paths are written


def planned(model: Model, paths: Any, asked: str) -> Plan:
    """A plan of a path, a list of paths, or a mapping of paths to options (None: all records, without a limit of anybody's)."""
    plan = Plan(model, asked)
    if isinstance(paths, str | Association | Field) or not isinstance(paths, Iterable):
        paths = [paths]
    for path in paths:
        given = paths[path] if isinstance(paths, Mapping) else {}
        path = text_of(path)
        if given is None:
            first = association_called(model, path, asked)
            given = {"limit": None} if first.to_many else {}
        plan = plan.add(path, read_options(given, asked))
    return plan


def shown(paths: Iterable[Any]) -> str:
    """The paths as they are written in a call."""
    return ", ".join(f'"{text_of(path)}"' for path in paths)


def text_of(path: Any) -> Any:
    return path.name if isinstance(path, Association | Field) else path


def read_options(given: Any, asked: str) -> Options:
    """The options of a path that were written as a mapping."""
    if not isinstance(given, Mapping):
        raise WrongArgument(asked, f"{given!r} are no options", 'Write a mapping, as in {"limit": 10}', value=given)
    known = [*Options.__dataclass_fields__]
    for name in given:
        if name not in known:
            raise UnknownName(asked, f"populate has no option {name!r}", nearest(str(name), known), name=name, known=known)
    return Options(**given)


lazy.populating = planned


def populate(
    records: Any,
    *paths: Any,
    where: Any = None,
    order: Any = None,
    limit: Any = DEFAULT,
    offset: int | None = None,
    attributes: Any = None,
    through_where: Any = None,
    join_attributes: Any = None,
    count: bool = False,
) -> Any:
    """Load associations of records in hand; returns the records: a list, or for a single record that one.

    `paths` and options are those of ``query.populate``, and what it loads replaces what the records held. The records
    are of one model; they may repeat. One query for each association of the paths. Raises UnknownName for a path that is
    none, WrongArgument for options that the path does not take. (G1, G2)
    """
    one = isinstance(records, peewee.Model)
    found = [records] if one else list(records)
    kinds = {type(record) for record in found}
    if not found:
        return found
    if len(kinds) > 1 or not issubclass(type(found[0]), peewee.Model):
        what = listed(sorted(kind.__name__ for kind in kinds))
        raise WrongArgument("populate(records)", f"the records are {what}", "Give records of one model", value=records)
    model: Any = type(found[0])
    asked = f"populate(records of {model.__name__}, {shown(paths)})"
    options = Options(where, order, limit, offset, attributes, through_where, join_attributes, count)
    plan = Plan(model, asked)
    for path in paths:
        plan = plan.add(text_of(path), options)
    plan.run(found)
    return records if one else found
