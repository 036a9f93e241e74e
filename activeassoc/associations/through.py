"""Through models: the models whose records are the links of a many-to-many. Found or made, and given their two keys.

Map: `link_model` finds or makes the model; `plan_ends` its two keys; `plan_pair` makes the pair of them unique, as the
primary key where nobody wrote another.
"""

from __future__ import annotations

import sys
from typing import Any

import peewee
from peewee import CompositeKey, ModelIndex

from activeassoc import naming, registry
from activeassoc.errors import DeclarationError, WrongArgument
from activeassoc.keys import keys_to
from activeassoc.planning import Plan, Wish, forget_field, plan_key
from activeassoc.registry import Claim, Key, Model
from activeassoc.stores.sql import same_database

#: PostgreSQL's limit, the lowest; sync cuts names to what its database allows.
NAME_LIMIT = 63


def link_model(plan: Plan, through: Any, table: str, home: Model, ends: tuple[Model, Model]) -> Model:
    """The through model: the one that was given, the one that has the table, or a new one in the database of `home`."""
    if isinstance(through, type) and issubclass(through, peewee.Model):
        return through
    if through is not None and not isinstance(through, str):
        raise WrongArgument(
            plan.asked, f"through={through!r} is neither a model nor a table's name", "Give one of these", value=through
        )
    found = known_link(through or table, home, ends)
    if found is not None:
        return found
    return make_link(plan, through or table, home, ends)


def known_link(table: str, home: Model, ends: tuple[Model, Model]) -> Model | None:
    """The model of a table of this name in the database of `home`, or of one of the two ends.

    One that was made for a model which was replaced is none (A6); nor is, in another database, one made for other models.
    """
    models = [
        model
        for model in registry.known_models()
        if model._meta.table_name == table and not any(map(registry.replaced, getattr(model._meta, "made_for", ())))
    ]
    here = [model for model in models if same_database(model, home)]
    there = [model for model in models if any(same_database(model, end) for end in ends) and _made_for(model) in (None, frozenset(ends))]
    return (here or there or [None])[-1]


def _made_for(model: Model) -> Any:
    """The models that a generated through model links; None for one that the user wrote."""
    return frozenset(model._meta.made_for) if getattr(model._meta, "made_for", None) else None


def make_link(plan: Plan, table: str, source: Model, ends: tuple[Model, Model]) -> Model:
    """A through model for `table`, in the database of `source`; taken back when the declaration raises."""
    root: Any = registry.root_of(source)
    name = naming.camel(table)
    scope = source.__qualname__.rpartition(".")[0]
    meta = type("Meta", (), {"database": source._meta.database, "table_name": table, "schema": source._meta.schema})
    # peewee's own generated classes have the module "peewee": they cannot be pickled, and migrations do not see them.
    body = {
        "__module__": source.__module__,
        "__qualname__": f"{scope}.{name}" if scope else name,
        "Meta": meta,
        "__doc__": f"The links of {table}.",
    }
    model: Model = type(root)(name, (root,), body)
    model._meta.made_for = ends
    plan.undo.append(lambda: registry.disappeared(model))
    plan.do(_publish, model, source)
    return model


def _publish(model: Model, source: Model) -> None:
    """Make a generated class importable where its source is, so that its records can be pickled and migrations see it."""
    module = sys.modules.get(source.__module__)
    if module is None or not _stands_in(module, source):
        return
    there = getattr(module, model.__name__, None)
    if there is None or getattr(getattr(there, "_meta", None), "made_for", None):
        setattr(module, model.__name__, model)


def _stands_in(module: Any, source: Model) -> bool:
    """Whether the module has the model under its name, or will have: what a class body declares is bound before the class has its name."""
    if source.__name__ in vars(module):
        return getattr(module, source.__name__) is source
    return bool(getattr(source._meta, "in_body", None)) and source.__qualname__ == source.__name__


def plan_ends(plan: Plan, association: Any, link: Model, target: Model, names_of: Any) -> tuple[Key, Key]:
    """The key to the source and the key to the target; found, or added under the models' names (D1)."""
    source, options = association.source, association.options
    own, other = names_of(source).one, names_of(target).one
    near_column, far_column = options.get("foreign_key"), options.get("other_key")
    if source is target:
        other = association.names.one
        near_column, far_column = _self_columns(plan, link, source, near_column, far_column, own, other, options)
    near = Wish(
        holder=link,
        target=source,
        claim=Claim(association, association.declared, association.key_options()),
        column=near_column,
        stem=own,
        referenced=options.get("source_key"),
        option="source_key",
        of_link=True,
        any_key=source is not target,
    )
    near_key = plan_key(plan, near)
    far = Wish(
        holder=link,
        target=target,
        claim=Claim(association, association.declared, {"constraints": False} if options.get("constraints") is False else {}),
        column=far_column,
        stem=other,
        referenced=options.get("target_key"),
        of_link=True,
        any_key=source is not target,
        taken=(near_key.field,) if near_key.field is not None else (),
    )
    far_key = plan_key(plan, far)
    if near_key.column == far_key.column:
        raise DeclarationError(
            plan.asked, f"both keys would be {near_key.column!r}", "Give a foreign_key and an other_key that differ"
        )
    return near_key, far_key


def _self_columns(
    plan: Plan, link: Model, model: Model, near: str | None, far: str | None, own: str, other: str, options: dict[str, Any]
) -> tuple[str | None, str | None]:
    """The columns of a many-to-many of a model on itself: which key is which has to be told where it cannot be guessed (A8)."""
    found = [field.column_name for field in keys_to(link, model)]
    if near is None and far is None:
        referred = options.get("source_key") or model._meta.primary_key.safe_name
        default = (naming.key_column(own, referred), naming.key_column(other, options.get("target_key") or referred))
        if len(found) < 2 or all(column in found for column in default):
            return default if len(found) >= 2 else (near, far)
        raise DeclarationError(
            plan.asked,
            f"{link.__name__} has the keys {', '.join(found)} to {model.__name__}, and which of them is whose cannot be told",
            f'Give foreign_key="{found[0]}" and other_key="{found[1]}", or the other way round',
        )
    rest = [column for column in found if column not in (near, far)]
    if len(found) == 2 and len(rest) == 1:
        return near or rest[0], far or rest[0]
    return near, far


def plan_pair(plan: Plan, link: Model, near: Key, far: Key, unique: bool) -> None:
    """One link for a pair: the pair is the primary key, or has a unique index beside a key that was declared (D1)."""
    meta = link._meta
    columns = {near.column, far.column}
    if meta.composite_key:
        mine = {meta.fields[name].column_name for name in meta.primary_key.field_names}
        if mine == columns:
            if not unique:
                raise DeclarationError(
                    plan.asked,
                    f"the pair is the primary key of {link.__name__}, so no link can be there twice",
                    "Leave unique=False out",
                )
            return
    elif unique and getattr(meta, "implicit_key", False) and not meta.backrefs and not _may_be_null(near, far):
        plan.do(_pair_is_key, link, near, far)
        return
    if unique and not _has_unique(link, columns) and not getattr(meta, "repeats", False):
        plan.do(_add_unique, link, near, far)
    if not unique:
        plan.do(setattr, meta, "repeats", True)


def _may_be_null(*keys: Key) -> bool:
    """Whether somebody said that one of the keys may be NULL: such a pair can be no primary key."""
    return any(said.get("null") for key in keys for _, said in key.options())


def _has_unique(link: Model, columns: set[str]) -> bool:
    for index in link._meta.fields_to_index():
        names = {getattr(part, "column_name", None) for part in index._expressions}
        if index._unique and names == columns:
            return True
    return False


def _pair_is_key(link: Model, near: Key, far: Key) -> None:
    meta = link._meta
    forget_field(link, meta.primary_key)
    meta.set_primary_key("__composite_key__", CompositeKey(near.field.name, far.field.name))
    meta.implicit_key = False
    del meta.table


def _add_unique(link: Model, near: Key, far: Key) -> None:
    # peewee names an index after the class: two classes of one name, and the second never gets its index.
    name = naming.constraint_name("uq", link._meta.table_name, [near.column, far.column], NAME_LIMIT)
    link._meta.indexes.append(ModelIndex(link, [near.field, far.field], unique=True, name=name))
