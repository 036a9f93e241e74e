"""The declaring calls: they choose the kind, find the other half, plan the keys, and only then change the models.

Map: `declare` is what `has_one`, `belongs_to` and the others call; `bind` is what an association calls
when its target is known; `Template` is what a declaration on a base without table returns.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import peewee
from peewee import BackrefAccessor

from activeassoc import naming, registry
from activeassoc.associations.base import Association, Chain, methods_of, publish
from activeassoc.associations.belongs_to import BelongsTo
from activeassoc.associations.embedding import check_store
from activeassoc.associations.has_many import HasMany
from activeassoc.associations.has_one import HasOne
from activeassoc.associations.many_to_many import ManyToMany
from activeassoc.associations.options import condition_of
from activeassoc.associations.reading import LinkAccessor
from activeassoc.associations.references_many import ReferencesMany
from activeassoc.errors import DeclarationError, WrongArgument, listed
from activeassoc.key_lists import KeyListField
from activeassoc.keys import RULES, keys_to, of_base
from activeassoc.naming import Names
from activeassoc.pairing import UNSAID, alone, check_taken, check_throughs, may_be_half, other_half, pair
from activeassoc.planning import Plan
from activeassoc.registry import Model
from activeassoc.repeated import LINK_OPTIONS, same_target, say_more, says_the_same
from activeassoc.twins import Twin

KINDS: dict[str, type[Association]] = {kind.kind: kind for kind in (HasOne, BelongsTo, HasMany, ManyToMany, ReferencesMany)}


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
    text, given, options = text_of(source, method, target, options), options, dict(options)
    with registry.lock:
        target = _target(source, target, text)
        _check_options(method, options, text)
        check_store(text, options.get("embed"), source)
        if _is_base(source):
            return _template(source, method, target, given, text)
        association, plan = _planned(source, method, target, options, text)
        plan.apply()
        if _has_no_fields(source):
            _templates(source).append((method, "self" if target is source else target, given))
        return association


def _planned(source: Model, method: str, target: Any, options: dict[str, Any], text: str) -> tuple[Association, Plan]:
    """The association of a declaration, and what has to be done for it; nothing is changed yet."""
    plan = Plan(text)
    try:
        return _thought_through(plan, source, method, target, options), plan
    except BaseException:
        plan.give_up()
        raise


def _thought_through(plan: Plan, source: Model, method: str, target: Any, options: dict[str, Any]) -> Association:
    text = plan.asked
    if isinstance(target, type):
        registry.settle_for(target, at_hand=True)
    registry.settle_for(source, at_hand=True)
    kind = _kind(source, method, target, options, text)
    if kind is not BelongsTo and target is source and options.get("as_") is None:
        raise DeclarationError(
            text,
            f"both ends are {source.__name__}, and its keys and methods could not be told apart",
            'Give as_="children"' if kind.to_many else 'Give as_="father"',
        )
    names = _names(kind, target, options, text)
    former = _former(plan, kind, source, names)
    if former is not None and not says_the_same(former, kind, target, options):
        names = _second_names(kind, names, target, options, former, text)
        former = _former(plan, kind, source, names)
        if former is not None and not says_the_same(former, kind, target, options):
            raise _taken(text, names, former)
    if former is not None:
        say_more(plan, former, options)
        return former  # type: ignore[no-any-return]
    association = kind(source, target.__name__ if isinstance(target, type) else target, names, text, bind, **options)
    if kind is BelongsTo and isinstance(target, type):
        check_taken(association, target)  # before the names: it tells more
    _check_names(association)
    plan.do(_publish, association)
    if isinstance(target, type):
        _plan_binding(association, target, plan)
    else:
        plan.do(registry.wait, association)
    return association


def bind(association: Association, target: Model) -> None:
    """Give an association that was declared with a name its target."""
    registry.settle_for(target)
    if not association.bound:
        plan = Plan(association.declared)
        try:
            _plan_binding(association, target, plan)
        except BaseException:
            plan.give_up()
            raise
        plan.apply()


def _plan_binding(association: Any, target: Model, plan: Plan) -> None:
    """Plan what the target has to do with an association: the keys, or the pair that it makes."""
    source, half = association.source, None
    if association.options.get("symmetric") and target is not source:
        raise DeclarationError(
            plan.asked,
            f"{source.__name__} and {target.__name__} are two models, and a link between them has two different ends",
            "Leave symmetric out: it is for a model on itself",
        )
    if not isinstance(association.where, Mapping):
        condition_of(target, association.where, plan.asked)  # a mapping may name the key that is only made now
    if isinstance(association, ManyToMany):
        check_throughs(association, target, model_names)
    if isinstance(association, BelongsTo):
        check_taken(association, target)
    if isinstance(association, HasMany | ManyToMany):
        half = other_half(association, target, model_names)
    if half is None:
        if isinstance(association, HasMany) and association.options.get("dominant"):
            _wait_for_half(association, target, plan)
            return  # not bound
        association.prepare(plan, target, model_names)
    else:
        pair(plan, association, half, target, model_names, _publish)
    plan.do(association.bound_to, target)


def _wait_for_half(association: Any, target: Model, plan: Plan) -> None:
    """A has_many that says dominant means a many-to-many (H2): without the other half it waits for it, and its use raises."""
    if association.binding or not may_be_half(association, target):
        association.meant = target
        raise alone(association, target)
    plan.do(setattr, association, "meant", target)
    plan.do(registry.wait, association)


# Reading a declaration


def _target(source: Model, target: Any, text: str) -> Any:
    """The target model, or the name that is still to be looked up."""
    if isinstance(target, str):
        if not target:
            raise WrongArgument(text, "the target's name is empty", 'Give a model or its name, as in "Task"', value=target)
        return source if target in ("self", source.__name__) else target
    if isinstance(target, type) and issubclass(target, peewee.Model):
        return target
    raise WrongArgument(text, f"{target!r} is neither a model nor the name of one", 'Give a model or its name, as in "Task"', value=target)


def _check_options(method: str, options: dict[str, Any], text: str) -> None:
    KINDS[method].check_options(options, text)
    for rule in ("on_delete", "on_update"):
        value = options.get(rule)
        if value is None:
            continue
        if not isinstance(value, str) or value.upper() not in RULES:
            raise DeclarationError(text, f"{rule}={value!r} is no rule", f"Known are {', '.join(RULES)}")
        options[rule] = value.upper()
        if options[rule] == "SET NULL" and options.get("null") is False:
            raise DeclarationError(text, f"{rule}='SET NULL' and null=False contradict each other", "Give null=True, or another rule")
    for name in ("foreign_key", "other_key", "source_key", "target_key"):
        value = options.get(name)
        if value is not None and (not isinstance(value, str) or not value):
            raise WrongArgument(text, f"{name}={value!r} is no name of a column", f'Write {name}="project_id"', value=value)
    for name in ("constraints", "null", "unique", "symmetric", "dominant", "embed"):
        value = options.get(name)
        if not (value is None or isinstance(value, bool)):
            raise WrongArgument(text, f"{name}={value!r} is neither True nor False", f"Write {name}=True or {name}=False", value=value)
    through = options.get("through")
    if through == "":
        raise WrongArgument(text, "the name of the join table is empty", 'Write through="memberships"', value=through)
    if method in ("belongs_to", "has_one") and options.pop("unique", False):
        options["unique_key"] = True


def _kind(source: Model, method: str, target: Any, options: dict[str, Any], text: str) -> type[Association]:
    """The kind that a call declares; what belongs to many-to-many alone is refused elsewhere (A3)."""
    through = options.get("through", UNSAID)
    if method == "has_many" and target is source and through is UNSAID and not options.get("foreign_key") and not keys_to(source, source):
        options["through"] = None  # a has_many of a model on itself has a join table, unless it is a tree (A8)
        return ManyToMany
    if method == "belongs_to_many":
        if through is None:
            raise DeclarationError(text, "a many-to-many needs a through model", "Leave through out, or give a model or a table's name")
        if through is UNSAID:
            options["through"] = None
        return ManyToMany
    if method == "has_many" and through not in (None, UNSAID):
        return ManyToMany
    for name in (*LINK_OPTIONS, "other_key", "target_key") if method == "has_many" else ():
        if name in options and not (name == "dominant" and _may_pair(source, target, options)):
            raise DeclarationError(
                text, f"{name} is for a many-to-many, and this one has no through model", "Give through=, or call belongs_to_many"
            )
    return KINDS[method]


def _may_pair(source: Model, target: Any, options: dict[str, Any]) -> bool:
    """Whether a has_many without through may become a many-to-many, by what it says (A7); `dominant` is said for that."""
    one_to_many = ("foreign_key", "source_key", "on_delete", "on_update", "null", "where", "order")
    return target is not source and "through" not in options and all(options.get(name) is None for name in one_to_many)


def _names(kind: type[Association], target: Any, options: dict[str, Any], text: str) -> Names:
    try:
        if options.get("as_") is not None:
            return naming.alias_names(options["as_"], kind.to_many)
        return model_names(target) if isinstance(target, type) else naming.names_of(target)
    except DeclarationError as error:
        raise DeclarationError(text, error.because, error.instead, **error.facts) from None


def _second_names(kind: type[Association], names: Names, target: Any, options: dict[str, Any], former: Association, text: str) -> Names:
    """A second has_one or has_many to the same target over another key is named after the key (A12)."""
    column = options.get("foreign_key")
    if kind not in (HasOne, HasMany) or options.get("as_") is not None or column is None or not same_target(former, target):
        raise _taken(text, names, former)
    stem = naming.field_of(column, options.get("source_key") or "id")
    return Names(f"{stem}_{names.one}", f"{stem}_{names.many}")


def _taken(text: str, names: Names, former: Association) -> DeclarationError:
    return DeclarationError(
        text, f"{former.declared} has the name {former.name!r} already", f'Give as_= another name, as in as_="other_{former.name}"'
    )


def _former(plan: Plan, kind: type[Association], source: Model, names: Names) -> Any:
    """The association that has the name already; one of models that were defined again gives way (A6)."""
    former: Any = source.associations.get(names.many if kind.to_many else names.one)
    if former is None or not (former.bound or former.meant):
        return former
    models = [former.target, former.through] if isinstance(former, ManyToMany) else [former.meant or former.target]
    if models[0] is not source and any(registry.replaced(model) for model in models):
        _unpublish(former)
        plan.undo.append(lambda: _publish(former))
        return None
    return former


# Bases


def _is_base(model: Model) -> bool:
    """A base stands for its descendants: it says so, or has no fields of its own and models derived from it (A20, E3)."""
    meta: Any = model._meta
    if getattr(meta, "abstract", False):
        return True
    if not getattr(meta, "implicit_key", False) or len(meta.fields) > 1:
        return False
    return bool(registry.derived_from(model)) and not model.associations


def _has_no_fields(model: Model) -> bool:
    """Whether nothing but associations gave the model its fields, so that what is declared of it is for all derived from it."""
    meta: Any = model._meta
    keys = registry.keys_of(model)
    return bool(meta.implicit_key) and all(
        field.primary_key
        or isinstance(field, KeyListField)
        or (field.column_name in keys and keys[field.column_name].by_hand is None) for field in meta.sorted_fields
    )


def _templates(model: Model) -> list[Any]:
    """The declarations that are made anew for each model derived from this one."""
    return model._meta.__dict__.setdefault("association_templates", [])  # type: ignore[no-any-return]


def _template(source: Model, method: str, target: Any, options: dict[str, Any], text: str) -> Template:
    given = (method, "self" if target is source else target, options)
    models = [model for model in registry.derived_from(source) if not _is_base(model)]
    if len(models) > 1 and method != "belongs_to" and options.get("foreign_key") is not None:
        raise DeclarationError(
            text,
            f"the key {options['foreign_key']!r} would have to point to {listed([model.__name__ for model in models])}",
            "Leave foreign_key out, or declare it on each of these",
        )
    for model in models:  # first only in thought: it is made for all of them, or for none
        said, words = dict(options), text_of(model, method, target, options)
        _check_options(method, said, words)
        _planned(model, method, _target(model, given[1], words), said, words)[1].give_up()
    for model in models:
        declare(model, *given)
    _templates(source).append(given)
    return Template(source, text)


def declare_inherited(model: Model) -> None:
    """Make the declarations of its bases anew for a model that was just defined."""
    for base in model.__mro__[1:]:
        meta = getattr(base, "_meta", None)
        for method, target, options in getattr(meta, "__dict__", {}).get("association_templates", ()):
            declare(model, method, target, dict(options))


# Names on the source


def _check_names(association: Association, instead: str | None = None) -> None:
    """Raise where the association's name or methods meet what is there (A12, A18); `instead` is what to do about it."""
    source: Any = association.source
    text, name = association.declared, association.name
    root = registry.root_of(source)
    instead = instead or f'Give as_= another name, as in as_="other_{name}"'
    there = source.__dict__.get(name, getattr(source, name, None))
    there = None if there is not None and of_base(source, name) else there
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
    source._associations[association.name] = association
    if association.name not in source._meta.fields:
        type.__setattr__(source, association.name, association)
    for name, operation in methods_of(association).items():
        there = getattr(source, name, None)
        if there is None or isinstance(getattr(there, "association", None), Association) or isinstance(there, BackrefAccessor):
            setattr(source, name, publish(association, operation, name))
        word = f"a{name}"
        twin = next((base.__dict__[word] for base in source.__mro__ if word in base.__dict__), None)
        if twin is None or isinstance(twin, Twin):
            type.__setattr__(source, word, Twin(name, association))  # nothing that is kept follows from it


def _unpublish(association: Association) -> None:
    source: Any = association.source
    source._associations.pop(association.name, None)
    if source.__dict__.get(association.name) is association:
        delattr(source, association.name)
    for name in methods_of(association):
        for each in (name, f"a{name}"):
            if getattr(source.__dict__.get(each), "association", None) is association:
                delattr(source, each)
