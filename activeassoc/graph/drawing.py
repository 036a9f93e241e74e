"""What is to be drawn, whatever it is written in: boxes for models, lines for associations, the databases that have them.

Map: `drawing_of` makes a `Drawing` of `Box`, `Line` and store; `_lines_of` puts the associations together that are two views of the
same key, or of the same links.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import peewee

from activeassoc import registry
from activeassoc.associations.embedding import embedded
from activeassoc.deleting.references import address_of, referred_by
from activeassoc.key_lists import KeyListField
from activeassoc.keys import ReferenceField, has_constraint
from activeassoc.registry import Model
from activeassoc.sync.models import is_base, models_of

#: How many records there can be at an end of a line.
ONE, MAYBE, MANY = "exactly one", "one or none", "many"

#: What a key is called that refers to a key which the database counts up.
COUNTED = {"Auto": "Integer", "BigAuto": "BigInteger", "Identity": "Integer"}


@dataclass(frozen=True)
class Column:
    """A field of a model: its type, its column's name, and whether it is primary key (PK), key (FK), or unique (UK)."""

    type: str
    name: str
    marks: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Box:
    """A model: its `name` is its own alone, its `title` what is shown, `store` the number of its database."""

    name: str
    title: str
    store: int
    columns: tuple[Column, ...]


@dataclass(frozen=True, eq=False)
class Line:
    """The associations that share a key or links: from `left` to `right`, with what is at each end, and what stands on it."""

    left: Box
    right: Box
    ends: tuple[str, str]
    label: str
    #: A constraint of the database holds it.
    solid: bool


@dataclass(frozen=True)
class Drawing:
    """Boxes, lines, and how the databases are called."""

    boxes: tuple[Box, ...]
    lines: tuple[Line, ...]
    stores: tuple[str, ...]


@dataclass(eq=False)
class Tie:
    """What becomes a line: two models, the fields of the keys that hold it, and the names that associations have for it."""

    left: Model
    right: Model
    keys: tuple[Any, ...]
    through: Model | None = None
    #: By those from left to right, and by those from right to left.
    names: tuple[list[str], list[str]] = field(default_factory=lambda: ([], []))
    #: Of the associations from left to right, and of those from right to left, whether they are to many.
    to_many: tuple[list[bool], list[bool]] = field(default_factory=lambda: ([], []))

    @property
    def ends(self) -> tuple[str, str]:
        """What is at the two ends: of a key, at the record that it refers to, and at the rows that hold it."""
        forth, back = self.to_many
        if self.through is not None or any(back):  # links, or keys of many records in one column
            return MANY, MANY
        (key,) = self.keys
        needed = not key.null or any(key is part for part in key.model._meta.get_primary_keys())
        single = key.unique or key.primary_key or (forth and not any(forth))
        return ONE if needed else MAYBE, MAYBE if single else MANY


def drawing_of(what: Sequence[Any], attributes: bool) -> Drawing:
    """What is to be drawn of these databases and models."""
    models = list(_meant(what))
    ties = list(_ties_of(models))
    links = _mere_links(ties)
    shown = [model for model in models if id(model) not in links]
    for tie in ties:
        shown += [end for end in (tie.left, tie.right) if all(end is not model for model in shown)]
    asked = {id(model) for model in models}
    stores: dict[int, Any] = {}
    for model in shown:
        database = model._meta.get_database_instance()
        stores.setdefault(id(database), database)
    number = {key: position for position, key in enumerate(stores)}
    boxes: dict[int, Box] = {}
    for model, (name, title) in zip(shown, _titles(shown), strict=True):
        columns = tuple(_columns(model)) if attributes and id(model) in asked else ()
        boxes[id(model)] = Box(name, title, number[id(model._meta.get_database_instance())], columns)
    lines = tuple(_line(tie, boxes, attributes) for tie in ties)
    return Drawing(tuple(boxes.values()), lines, tuple(_addresses(stores.values())))


def _meant(what: Sequence[Any]) -> Iterator[Model]:
    """The models that are meant, each once; a base stands for those that derive from it."""
    known, seen = registry.known_models(), set()
    for each in what or [None]:
        for model in models_of("graph", each, known):
            if id(model) not in seen and not is_base(model, known):
                seen.add(id(model))
                yield model


# Lines


def _ties_of(models: list[Model]) -> Iterator[Tie]:
    """A tie for each key or pair of keys that an association of these models uses, and for each key written by hand."""
    found: dict[frozenset[Any], Tie] = {}
    for model in models:
        for association in list(getattr(model, "associations", {}).values()):
            association.target  # noqa: B018  (one that was given by name is bound now)
            same = frozenset((key.model, key.column) for key in association.keys)
            tie = found.get(same)
            if tie is None:
                tie = found[same] = _tie(association)
            backwards = _backwards(association, tie)
            tie.names[backwards].append(association.name)
            tie.to_many[backwards].append(association.to_many)
    used = {key for keys in found for key in keys}
    yield from found.values()
    for model in models:
        for key in model._meta.sorted_fields:
            referred = _points_to(key) if (model, key.column_name) not in used else None
            if referred is not None:
                yield Tie(referred, model, (key,), names=([], [key.name]))


def _points_to(field: Any) -> Model | None:
    """The model that a key written by hand refers to."""
    if isinstance(field, peewee.ForeignKeyField):
        return referred_by(field).model
    return field.points_to if isinstance(field, ReferenceField) else None


def _tie(association: Any) -> Tie:
    through = getattr(association, "through", None)
    keys = tuple(key.field for key in association.keys)
    if through is not None:
        return Tie(association.source, association.target, keys, through)
    key = association.keys[0]
    return Tie(key.target, key.model, keys)


def _backwards(association: Any, tie: Tie) -> bool:
    """Whether an association goes from the right end of the tie to the left one."""
    if tie.through is None:
        return bool(association.key_on_source)
    return association.keys[0].field is not tie.keys[0]


def _mere_links(ties: list[Tie]) -> set[int]:
    """The through models that nothing is associated with: what they have is told on the line."""
    ends = {id(model) for tie in ties for model in (tie.left, tie.right)}
    return {id(tie.through) for tie in ties if tie.through is not None} - ends


def _line(tie: Tie, boxes: dict[int, Box], attributes: bool) -> Line:
    names = " / ".join(", ".join(names) for names in tie.names if names)
    label = names + (_link(tie) if tie.through is not None and attributes else "")
    return Line(boxes[id(tie.left)], boxes[id(tie.right)], tie.ends, label, all(map(has_constraint, tie.keys)))


def _link(tie: Tie) -> str:
    """`` [Membership: role]``: the through model that was written, or that has attributes, and the attributes of the link."""
    through: Any = tie.through
    keys = {id(key) for key in tie.keys}
    automatic = (peewee.AutoField, peewee.BigAutoField, peewee.IdentityField)
    carried = [each.name for each in through._meta.sorted_fields if id(each) not in keys and not isinstance(each, automatic)]
    near, far = (model._meta.get_database_instance() for model in (tie.left, tie.right))
    home = f" in {_address(through._meta.get_database_instance())}" if near is not far else ", embedded" if embedded(through) else ""
    if not carried and not home and getattr(through._meta, "made_for", None):
        return ""
    return f" [{through.__name__}{home}{': ' if carried else ''}{', '.join(carried)}]"


# Boxes


def _titles(models: list[Model]) -> Iterator[tuple[str, str]]:
    """A name for each model that is its own alone, and what is shown: with the module where two have one name."""
    names = [model.__name__ for model in models]
    taken = set(names)
    seen: set[str] = set()
    for model in models:
        name = unique = model.__name__
        number = 1
        while unique in seen or (number > 1 and unique in taken):
            number += 1
            unique = f"{name}_{number}"
        seen.add(unique)
        yield unique, name if names.count(name) == 1 else f"{model.__module__}.{model.__qualname__}"


def _columns(model: Model) -> Iterator[Column]:
    keys = {id(key) for key in model._meta.get_primary_keys()}
    records = registry.keys_of(model)
    for each in model._meta.sorted_fields:
        refers = _points_to(each) is not None or isinstance(each, KeyListField)
        marks = [("PK", id(each) in keys), ("FK", refers or each.column_name in records), ("UK", each.unique)]
        yield Column(_type(each), each.column_name, tuple(mark for mark, holds in marks if holds))


def _type(field: Any) -> str:
    """The field's class, of a key that of what it refers to, without the word Field."""
    typed = field
    while isinstance(typed, peewee.ForeignKeyField | ReferenceField):
        if isinstance(typed, ReferenceField) and typed.own_type is None and typed.points_to is None:
            break
        typed = referred_by(typed) if isinstance(typed, peewee.ForeignKeyField) else typed.referred
    name = type(typed).__name__.removesuffix("Field")
    return name if typed is field else COUNTED.get(name, name)


def _addresses(databases: Iterable[Any]) -> Iterator[str]:
    """How the databases are called; two of one name are numbered."""
    seen: dict[str, int] = {}
    for database in databases:
        address = _address(database)
        seen[address] = seen.get(address, 0) + 1
        yield address if seen[address] == 1 else f"{address} ({seen[address]})"


def _address(database: Any) -> str:
    return "no database" if database is None else address_of(database)
