"""What the via of a collection names at the other model, and what the collection is by it.

Map: `end_of` decides; `_via_reference`, `_via_collection` and `_via_link` are the three cases, `_one_way` the fourth;
`_points_to` tells which model a reference or a collection means. Each error names both ends and what to write instead (F3).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import peewee

from activeassoc import naming, registry
from activeassoc.associations import dominance
from activeassoc.associations.base import Association
from activeassoc.associations.belongs_to import BelongsTo
from activeassoc.associations.has_many import HasMany
from activeassoc.associations.many_to_many import ManyToMany
from activeassoc.associations.through import NAME_LIMIT
from activeassoc.errors import AssociationError, DeclarationError, UnknownName, listed, nearest
from activeassoc.keys import ReferenceField, find_field, keys_to
from activeassoc.registry import Model


class End(NamedTuple):
    """What a collection is: its kind, and the options that the calls would have been given."""

    kind: type[Association]
    options: dict[str, Any]


def end_of(association: Any, target: Model) -> End:
    """What the collection is, now that its target is known. Raises where its via names nothing that fits; changes nothing."""
    via, through = _said(association, "via"), _said(association, "through")
    if through is not None:
        return _via_link(association, target, via, through)
    if via is None:
        return _one_way(association, target)
    if target is association.source and via == association.name:
        raise DeclarationError(
            association.declared,
            f"via names {association.label} itself",
            f"Leave via out for one-way links, or write {target.__name__}.belongs_to_many({target.__name__}, "
            f'as_="{association.name}", symmetric=True) for links that both ends see',
        )
    other = getattr(target, "associations", {}).get(via)
    if other is not None and other.to_many:
        return _via_collection(association, target, other)
    return _via_reference(association, target, via, other)


def _points_to(other: Any) -> Any:
    """The model that a reference or a collection means; None where there is none of this name yet."""
    if other.bound:
        return other.target
    form = other.options.get("in_body")
    if form is not None and isinstance(form.target, type):
        return form.target
    try:
        return registry.find(other.wanted, registry.scope_of(other.source), other.declared)
    except AssociationError:
        return None


def _said(other: Any, option: str) -> Any:
    """What the class body gave; the options of an association that is bound say what it came to."""
    form = other.options.get("in_body")
    return form.options.get(option) if form is not None else None


def _name(model: Any, wanted: Any, meant: Model) -> str:
    """The model's name; with its module where another one of the name is meant."""
    if model is None:
        return str(wanted)
    return f"{model.__module__}.{model.__qualname__}" if model.__name__ == meant.__name__ else str(model.__name__)


# One-to-many


def _via_reference(association: Any, target: Model, via: str, other: Any) -> End:
    """The other end is a reference: the collection is one-to-many over its key."""
    source, end = association.source, f"{target.__name__}.{via}"
    write = f'Write {via} = reference("{source.__name__}") in class {target.__name__}, or give via the reference that is meant'
    field = find_field(target, via)
    if other is not None:
        points = _points_to(other)
    elif isinstance(field, peewee.ForeignKeyField):
        points = field.rel_model
    elif isinstance(field, ReferenceField):
        points = field.points_to
    elif field is not None or hasattr(target, via):
        what = f"of type {type(field).__name__}" if field is not None else "an attribute"
        raise DeclarationError(association.declared, f"via names {end}, which is {what} and refers to no record", write)
    else:
        raise _names_nothing(association, target, via)
    if points is not source:
        wanted = _name(points, getattr(other, "wanted", None), source)
        raise DeclarationError(association.declared, f"via names {end}, which refers to {wanted}, not to {source.__name__}", write)
    if _said(association, "dominant"):
        raise DeclarationError(
            association.declared,
            f"dominant says which end of a many-to-many has the links, and by {end} this is one-to-many: {target.__name__} has the key",
            "Leave dominant out",
        )
    if isinstance(other, BelongsTo):
        other.bind(source)  # its key is made now, at the latest
        field = other.key.field
    return End(HasMany, {"foreign_key": field.column_name if field is not None else via, "through": None})


def _names_nothing(association: Any, target: Model, via: str) -> UnknownName:
    source = association.source
    known = [field.name for field in keys_to(target, source)]
    known += [each.name for each in getattr(target, "associations", {}).values() if _points_to(each) is source]
    return UnknownName(
        association.declared,
        f"via names {target.__name__}.{via}, and {target.__name__} has no attribute {via!r}",
        f"{nearest(via, known)}. {_could_write(association, target, via)}"
        if known
        else _could_write(association, target, via),
        name=via,
        known=sorted(set(known)),
    )


def _could_write(association: Any, target: Model, via: str) -> str:
    name = association.source.__name__
    return (
        f'Write {via} = reference("{name}") in class {target.__name__} for one-to-many, '
        f'or {via} = collection("{name}", via="{association.name}") for many-to-many'
    )


# Many-to-many


def _via_collection(association: Any, target: Model, other: Any) -> End:
    """The other end is a collection whose via is this one: they are one many-to-many."""
    source, label = association.source, other.label
    points, back, through = _points_to(other), _said(other, "via"), _said(other, "through")
    write = f'Write {other.name} = collection("{source.__name__}", via="{association.name}") in class {target.__name__}'
    if points is not source:
        wanted = _name(points, other.wanted, source)
        raise DeclarationError(
            association.declared, f"via names {label}, which is a collection of {wanted}, not of {source.__name__}", write
        )
    if "in_body" not in other.options:
        raise DeclarationError(
            association.declared,
            f"via names {label}, which is declared by {other.declared}",
            f"Write {source.__name__}.has_many({target.__name__}, …) as well, or {write[0].lower()}{write[1:]}",
        )
    if through is not None:
        raise DeclarationError(
            association.declared,
            f"via names {label}, whose links are records of {_name_of(through)}",
            f"Give this one the same through, and as via the key to {source.__name__}",
        )
    if back is None:
        raise DeclarationError(
            association.declared, f"via names {label}, which has no via and is a one-way collection with links of its own", write
        )
    if back != association.name:
        raise DeclarationError(
            association.declared, f"via names {label}, and the via of that names {source.__name__}.{back}", write
        )
    _check_dominance(association, other, target)
    shared = other.through if isinstance(other, ManyToMany) and other.bound else None
    return _links(((source, association.name), (target, other.name)), shared)


def _one_way(association: Any, target: Model) -> End:
    """The target knows nothing of it: the end that it lacks is named ``<attribute>_<target>`` (F5)."""
    lacking = f"{association.name}_{naming.snake(target.__name__)}"
    return _links(((association.source, association.name), (target, lacking)))


def _links(ends: tuple[tuple[Model, str], tuple[Model, str]], shared: Model | None = None) -> End:
    """A many-to-many over the join table that is named after both ends, each column after the model whose key it holds (F5)."""
    words = [(naming.snake(model.__name__), attribute) for model, attribute in ends]
    near, far = (naming.cut(f"{model}_{attribute}", NAME_LIMIT) for model, attribute in words)
    table = naming.cut("__".join(f"{model}_{attribute}" for model, attribute in sorted(words)), NAME_LIMIT)
    return End(ManyToMany, {"through": shared or table, "foreign_key": near, "other_key": far})


def _check_dominance(association: Any, other: Any, target: Model) -> None:
    """Where the models share a database, dominant is ignored."""
    if dominance.in_two_databases(association.source, target) and _said(association, "dominant") and _said(other, "dominant"):
        raise dominance.both_dominant(association, other)


# Through a model


def _name_of(through: Any) -> str:
    return through.__name__ if isinstance(through, type) else str(through)


def _link(association: Any, through: Any) -> Model:
    """The through model; a name is the nearest model's."""
    if isinstance(through, type):
        return through
    return registry.find(through, registry.scope_of(association.source), association.declared)


def _via_link(association: Any, target: Model, via: str | None, through: Any) -> End:
    """The links are records of `through`, and via is its key to this model (F2)."""
    link, source = _link(association, through), association.source
    for other in getattr(link, "associations", {}).values():
        points = _points_to(other) if isinstance(other, BelongsTo) else None
        if points is source or points is target:
            other.bind(points)  # its key is made now, at the latest
    near = _link_key(association, link, source, via)
    mirrored = _mirror(association, target, link)
    if mirrored is not None:
        far = _link_key(association, link, target, _said(mirrored, "via"), but=near)
    else:
        far = _link_key(association, link, target, None, but=near)
    return End(ManyToMany, {"through": link, "foreign_key": near, "other_key": far})


def _mirror(association: Any, target: Model, link: Model) -> Any:
    """The collection of the target through the same model, where there is one."""
    for other in getattr(target, "associations", {}).values():
        through = _said(other, "through")
        if other is association or through is None or _points_to(other) is not association.source:
            continue
        if (isinstance(through, type) and through is link) or through == link.__name__:
            return other
    return None


def _link_key(association: Any, link: Model, model: Model, via: str | None, but: str | None = None) -> str:
    """The column of the link that points to `model`: the one that via names, or the only one."""
    keys = [field for field in keys_to(link, model) if field.column_name != but]
    columns = listed([field.name for field in keys])
    if via is None:
        if len(keys) == 1:
            return str(keys[0].column_name)
        what = f"several keys to {model.__name__}: {columns}" if keys else f"no key to {model.__name__}"
        instead = (
            f'Say which one with via="{keys[0].name}", {_at(association, model)}'
            if keys
            else f'Write {naming.snake(model.__name__)} = reference("{model.__name__}") in class {link.__name__}'
        )
        raise DeclarationError(association.declared, f"{link.__name__} has {what}", instead)
    field = find_field(link, via)
    if field is not None and any(field is key for key in keys):
        return str(field.column_name)
    if field is None:
        because = f"via names {link.__name__}.{via}, and {link.__name__} has no key {via!r}"
    else:
        points = getattr(field, "rel_model", None) or getattr(field, "points_to", None)
        refers = f"which refers to {points.__name__}, not to" if points is not None else "which is no key to"
        because = f"via names {link.__name__}.{via}, {refers} {model.__name__}"
    write = f'Write {via} = reference("{model.__name__}") in class {link.__name__}'
    raise DeclarationError(association.declared, because, f"Its keys to {model.__name__} are {columns}" if keys else write)


def _at(association: Any, model: Model) -> str:
    return "here" if model is association.source else f"at a collection of {model.__name__} through the same model"
