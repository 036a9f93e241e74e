"""The declaring calls: they choose the kind, find the other half, plan the keys, and only then change the models.

Map: `declare` is what `has_one`, `belongs_to`, `has_many` and `belongs_to_many` call; `bind` is what an association calls
when its target is known; `Template` is what a declaration on a base without table returns.
"""

from __future__ import annotations

from typing import Any

import peewee
from peewee import BackrefAccessor

from activeassoc import naming, registry
from activeassoc.associations.base import Association, Chain, methods_of, publish
from activeassoc.associations.belongs_to import BelongsTo
from activeassoc.associations.has_many import HasMany
from activeassoc.associations.has_one import HasOne
from activeassoc.associations.many_to_many import ManyToMany
from activeassoc.associations.reading import LinkAccessor
from activeassoc.errors import DeclarationError, WrongArgument, listed
from activeassoc.keys import RULES, keys_to
from activeassoc.naming import Names
from activeassoc.pairing import UNSAID, other_half, pair
from activeassoc.planning import Plan
from activeassoc.registry import Key, Model

KINDS: dict[str, type[Association]] = {kind.kind: kind for kind in (HasOne, BelongsTo, HasMany, ManyToMany)}

#: Options that belong to a many-to-many alone.
LINK_OPTIONS = ("unique", "symmetric", "dominant", "embed")


class Template(Chain):
    """A declaration on a base without a table: it is made anew for each model that derives from it (A20)."""

    def __init__(self, source: Model, text: str) -> None:
        self.source = source
        self.text = text

    def __repr__(self) -> str:
        return f"<{self.text} for each model derived from it>"


def model_names(model: Model) -> Names:
    """Singular and plural of a model: its class's word, or what its Meta says."""
    meta = model._meta
    return naming.names_of(model.__name__, getattr(meta, "singular", None), getattr(meta, "plural", None))


def text_of(source: Model, method: str, target: Any, options: dict[str, Any]) -> str:
    """A declaration as it was written, for messages."""
    words = [target.__name__ if isinstance(target, type) else repr(target)]
    words += [f"{name}={value.__name__ if isinstance(value, type) else repr(value)}" for name, value in options.items()]
    return f"{source.__name__}.{method}({', '.join(words)})"


def declare(source: Model, method: str, target: Any, options: dict[str, Any]) -> Any:
    """Declare an association of `source`; returns it, or the one that says the very same thing already (A11)."""
    text = text_of(source, method, target, options)
    options = dict(options)
    with registry.lock:
        target = _target(source, target, text)
        _check_options(method, options, text)
        if _is_base(source):
            return _template(source, method, target, options, text)
        if isinstance(target, type):
            registry.settle_for(target)
        registry.settle_for(source)
        kind = _kind(source, method, target, options, text)
        if kind is not BelongsTo and target is source and options.get("as_") is None:
            raise DeclarationError(
                text, f"both ends are {source.__name__}, and its keys and methods could not be told apart", 'Give as_="children"'
            )
        names = _names(kind, target, options, text)
        former = source.associations.get(names.many if kind.to_many else names.one)
        if former is not None:
            same = _the_same(former, kind, target, options, text)
            if same is not None:
                return same
            names = _second_names(kind, names, target, options, former, text)
            former = source.associations.get(names.many if kind.to_many else names.one)
            if former is not None:
                same = _the_same(former, kind, target, options, text)
                if same is None:
                    raise _taken(text, names, former)
                return same
        wanted = target.__name__ if isinstance(target, type) else target
        association = kind(source, wanted, names, text, bind, **options)
        _check_names(association)
        return _register(association, target)


def _register(association: Association, target: Any) -> Association:
    """Put the association on its source; where its target is known, with its keys, or not at all."""
    source: Any = association.source
    if isinstance(target, type):
        plan = Plan(association.declared)
        plan.do(_publish, association)
        _bind(association, target, plan)
    else:
        _publish(association)
        registry.wait(association)
        _ = source
    return association


def bind(association: Association, target: Model) -> None:
    """Give an association that was declared with a name its target."""
    registry.settle_for(target)
    if not association.bound:
        _bind(association, target, Plan(association.declared))


def _bind(association: Any, target: Model, plan: Plan) -> None:
    try:
        half = other_half(association, target) if isinstance(association, HasMany) else None
        if half is not None:
            pair(plan, association, half, target, model_names, _publish)
        else:
            if not (isinstance(target, type) and issubclass(target, peewee.Model)):
                raise WrongArgument(plan.asked, f"{target!r} is no model", "Give a model or its name", value=target)
            association.prepare(plan, target, model_names)
        plan.do(association.bound_to, target)
    except BaseException:
        plan.give_up()
        raise
    plan.apply()


# Reading a declaration


def _target(source: Model, target: Any, text: str) -> Any:
    """The target model, or the name that is still to be looked up."""
    if isinstance(target, str):
        if not target:
            raise WrongArgument(text, "the target's name is empty", 'Give a model or its name, as in "Task"', value=target)
        return source if target in ("self", source.__name__) else target
    if isinstance(target, type) and issubclass(target, peewee.Model):
        return target
    raise WrongArgument(
        text, f"{target!r} is neither a model nor the name of one", 'Give a model or its name, as in "Task"', value=target
    )


def _check_options(method: str, options: dict[str, Any], text: str) -> None:
    for rule in ("on_delete", "on_update"):
        value = options.get(rule)
        if value is None:
            continue
        if not isinstance(value, str) or value.upper() not in RULES:
            raise DeclarationError(text, f"{rule}={value!r} is no rule", f"Known are {', '.join(RULES)}")
        options[rule] = value.upper()
        if options[rule] == "SET NULL" and options.get("null") is False:
            raise DeclarationError(
                text, f"{rule}='SET NULL' and null=False contradict each other", "Give null=True, or another rule"
            )
    for name in ("foreign_key", "other_key", "source_key", "target_key"):
        value = options.get(name)
        if value is not None and (not isinstance(value, str) or not value):
            raise WrongArgument(text, f"{name}={value!r} is no name of a column", f'Write {name}="project_id"', value=value)
    if options.get("null") not in (None, True, False):
        raise WrongArgument(text, f"null={options['null']!r} is neither True nor False", "Give one of these", value=options["null"])
    if options.get("dominant") not in (None, True, False):
        raise WrongArgument(
            text, f"dominant={options['dominant']!r} is neither True nor False", "Give one of these", value=options["dominant"]
        )
    if method in ("belongs_to", "has_one") and options.pop("unique", False):
        options["unique_key"] = True


def _kind(source: Model, method: str, target: Any, options: dict[str, Any], text: str) -> type[Association]:
    """The kind that a call declares; what belongs to many-to-many alone is refused elsewhere (A3)."""
    text_through = options.get("through", UNSAID)
    if (
        method == "has_many"
        and target is source
        and text_through is UNSAID
        and not options.get("foreign_key")
        and not keys_to(source, source)
    ):
        options["through"] = None  # a has_many of a model on itself has a join table, unless it is a tree (A8)
        return ManyToMany
    if method == "belongs_to_many":
        if text_through is None:
            raise DeclarationError(
                text, "a many-to-many needs a through model", "Leave through out, or give a model or a table's name"
            )
        if text_through is UNSAID:
            options["through"] = None
        return ManyToMany
    if method == "has_many" and text_through not in (None, UNSAID):
        return ManyToMany
    for name in (*LINK_OPTIONS, "other_key", "target_key") if method == "has_many" else ():
        if name in options:
            raise DeclarationError(
                text, f"{name} is for a many-to-many, and this one has no through model", "Give through=, or call belongs_to_many"
            )
    return KINDS[method]


def _names(kind: type[Association], target: Any, options: dict[str, Any], text: str) -> Names:
    if options.get("as_") is not None:
        return naming.alias_names(options["as_"], kind.to_many)
    return model_names(target) if isinstance(target, type) else naming.names_of(target)


def _second_names(
    kind: type[Association], names: Names, target: Any, options: dict[str, Any], former: Association, text: str
) -> Names:
    """A second has_one or has_many to the same target over another key is named after the key (A12)."""
    column = options.get("foreign_key")
    if kind not in (HasOne, HasMany) or options.get("as_") is not None or column is None or not _same_target(former, target):
        raise _taken(text, names, former)
    stem = naming.field_of(column, options.get("source_key") or "id")
    return Names(f"{stem}_{names.one}", f"{stem}_{names.many}")


def _taken(text: str, names: Names, former: Association) -> DeclarationError:
    return DeclarationError(
        text, f"{former.declared} has the name {former.name!r} already", f'Give as_= another name, as in as_="other_{former.name}"'
    )


def _same_target(former: Association, target: Any) -> bool:
    if isinstance(target, type) and former.bound:
        return former.target is target
    name = target.__name__ if isinstance(target, type) else target
    return former.wanted == name


def _the_same(former: Any, kind: type[Association], target: Any, options: dict[str, Any], text: str) -> Association | None:
    """The former declaration, where the new one says nothing else; what it says beyond is added to the key (A11)."""
    if isinstance(target, type) and former.bound and former.target is not target and registry.replaced(former.target):
        _unpublish(former)  # a model defined again in the same place replaces the former (A6)
        return None
    if not _same_target(former, target) or not isinstance(former, kind | ManyToMany if kind is HasMany else kind):
        return None
    said, says = former.options, options
    for name in ("foreign_key", "other_key", "source_key", "target_key"):
        if says.get(name) is not None and says[name] != said.get(name) and not _means_same_key(former, name, says[name]):
            return None
    for name in ("where", "order"):
        if says.get(name) is not said.get(name):
            return None
    through = says.get("through", UNSAID)
    if through not in (UNSAID, None) and former.bound and through not in (former.through, former.through._meta.table_name):
        return None
    if any(name in says and says[name] != said.get(name) for name in LINK_OPTIONS):
        return None
    if former.bound:
        plan = Plan(text)
        again = type(former)(
            former.source, former.wanted, former.names, text, bind, **{**said, **{k: v for k, v in says.items() if v is not None}}
        )
        if not isinstance(former, ManyToMany):
            again.prepare(plan, former.target, model_names)
            added = [key for key in former.keys]
            plan.apply()
            for key in added:
                for claim in key.claims:
                    if claim.association is again:
                        claim.association = former
        elif again.key_options() != former.key_options():
            again.prepare(plan, former.target, model_names, former.through)
            plan.apply()
    return former  # type: ignore[no-any-return]


def _means_same_key(former: Any, option: str, name: str) -> bool:
    if not former.bound:
        return False
    keys: tuple[Key, ...] = former.keys
    position = {"foreign_key": 0, "other_key": 1}.get(option)
    if position is None or position >= len(keys):
        return False
    field = keys[position].field
    return name in (field.name, field.column_name, getattr(field, "object_id_name", None))


# Bases


def _is_base(model: Model) -> bool:
    """A base stands for its descendants: it says so, or has no fields of its own and models derived from it (A20, E3)."""
    meta: Any = model._meta
    if getattr(meta, "abstract", False):
        return True
    if not getattr(meta, "implicit_key", False) or len(meta.fields) > 1:
        return False
    return bool(derived(model)) and not model.associations


def derived(model: Model) -> list[Model]:
    return [each for each in registry.known_models() if each is not model and issubclass(each, model)]


def _template(source: Model, method: str, target: Any, options: dict[str, Any], text: str) -> Template:
    given = (method, "self" if target is source else target, options)
    for model in derived(source):
        if not _is_base(model):
            declare(model, *given)
    source._meta.__dict__.setdefault("association_templates", []).append(given)
    return Template(source, text)


def declare_inherited(model: Model) -> None:
    """Make the declarations of its bases anew for a model that was just defined."""
    for base in model.__mro__[1:]:
        meta = getattr(base, "_meta", None)
        for method, target, options in getattr(meta, "__dict__", {}).get("association_templates", ()):
            declare(model, method, target, dict(options))


# Names on the source


def _check_names(association: Association) -> None:
    """Raise where the association's name or methods meet what is there (A12, A18)."""
    source: Any = association.source
    text, name = association.declared, association.name
    root = registry.root_of(source)
    instead = f'Give as_= another name, as in as_="other_{name}"'
    there = source.__dict__.get(name, getattr(source, name, None))
    if hasattr(root, name):
        raise DeclarationError(text, f"{name!r} is a name of Model's own", instead)
    inherited = isinstance(there, Association) and there.source is not source
    own_field = isinstance(association, BelongsTo) and name in source._meta.fields
    if there is not None and not inherited and not isinstance(there, BackrefAccessor) and not own_field:
        what = (
            "an association"
            if isinstance(there, Association)
            else "the join row of its fetched records"
            if isinstance(there, LinkAccessor)
            else "an attribute"
        )
        if name in source._meta.combined:
            what = "a field"
        raise DeclarationError(text, f"{source.__name__}.{name} is {what} already", instead)
    if own_field and not isinstance(source._meta.fields[name], peewee.ForeignKeyField):
        raise DeclarationError(text, f"{source.__name__}.{name} is a field already", instead)
    mine = set(methods_of(association))
    for method in sorted(mine):
        if hasattr(root, method):
            raise DeclarationError(text, f"its method {method}() is one of Model's own", instead)
    for other in source.associations.values():
        shared = mine & set(methods_of(other))
        if shared:
            raise DeclarationError(text, f"it and {other.declared} would both make {listed(sorted(shared))}", instead)


def _publish(association: Association) -> None:
    """Put the association and its methods on the source; what the user wrote stays (A18)."""
    source: Any = association.source
    source.associations[association.name] = association
    if association.name not in source._meta.fields:
        type.__setattr__(source, association.name, association)
    for name, operation in methods_of(association).items():
        there = getattr(source, name, None)
        if there is None or isinstance(getattr(there, "association", None), Association) or isinstance(there, BackrefAccessor):
            setattr(source, name, publish(association, operation, name))


def _unpublish(association: Association) -> None:
    source: Any = association.source
    source.associations.pop(association.name, None)
    if source.__dict__.get(association.name) is association:
        delattr(source, association.name)
    for name in methods_of(association):
        if getattr(source.__dict__.get(name), "association", None) is association:
            delattr(source, name)
