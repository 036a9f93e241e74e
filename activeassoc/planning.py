"""Planning: what a declaration would change, thought through and checked whole before anything is changed.

Map: `Plan` is a list of changes not yet made; `Wish` what one association wants of its key; `plan_key` finds, adopts,
renames or adds the key; `refresh` gives its field what all declarations say together; below are the steps of a plan, of
which `withdraw` takes a key away again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import peewee
from peewee import ForeignKeyField

from activeassoc import kept, lazy, naming, registry
from activeassoc.errors import DeclarationError
from activeassoc.key_types import check_types
from activeassoc.keys import KeyAccessor, KeyField, ReferenceField, find_field, key_field, keys_to, of_base, said_of
from activeassoc.registry import Claim, Key, Model, keys_of, same_table

#: A field of peewee's. Not typed as one: much of what is planned here is not in peewee's stubs.
Field = Any


class Plan:
    """Changes that have been thought through but not made. `apply` makes them; none of them can fail any more."""

    def __init__(self, asked: str) -> None:
        self.asked = asked
        self.steps: list[Callable[[], Any]] = []
        #: What to take back when the plan is given up.
        self.undo: list[Callable[[], Any]] = []
        #: What to warn of; told before the first change, as a warning may be made an error.
        self.warnings: list[Warning] = []

    def do(self, step: Callable[..., Any], *arguments: Any, **options: Any) -> None:
        self.steps.append(lambda: step(*arguments, **options))

    def apply(self) -> None:
        self.warn()
        for step in [*self.steps, kept.changed]:
            step()

    def warn(self) -> None:
        """Tell the warnings, once; where one of them is raised the plan is given up."""
        warnings, self.warnings = self.warnings, []
        try:
            for warning in warnings:
                lazy.call_site().warn(warning)
        except BaseException:
            self.give_up()
            raise

    def give_up(self) -> None:
        """Take back what had to be made for planning."""
        for step in self.undo:
            step()


@dataclass(eq=False, repr=False)
class Wish:
    """What one association wants of its key."""

    holder: Model
    target: Model
    claim: Claim
    #: foreign_key, where it was given.
    column: str | None = None
    #: What the default column begins with: the source's or the alias's singular.
    stem: str = ""
    #: source_key or target_key, where given, and which of the two it is.
    referenced: str | None = None
    option: str = "target_key"
    of_link: bool = False
    #: The name of the belongs_to that wants it: its plain column becomes a field of this name.
    belongs_to: str | None = None
    #: has_one on itself: a field that would be named so is named <alias>_of (A9).
    avoid: str | None = None
    #: Use whatever key to the target there is (has_one, has_many); several are an error.
    any_key: bool = False
    #: Fields that are spoken for (the other key of a through model).
    taken: tuple[Field, ...] = ()
    form: Any = None  #: a class body's reference: it names the field, and says where that stands among the model's fields


def plan_key(plan: Plan, wish: Wish) -> Key:
    """The record of the key that `wish` asks for; what has to change for it is added to `plan`."""
    referred = _referred(plan, wish)
    column = wish.column or naming.key_column(wish.stem, referred.safe_name)
    field = find_field(wish.holder, column)
    if wish.column is None and field is None and wish.belongs_to:
        renamed = _to_rename(plan, wish)
        if renamed is not None:
            _same_reference(plan, renamed, wish, referred)
            name, attribute = _names_for(plan, wish, column, referred, renamed)
            plan.do(_rename, renamed, name, column, attribute)
            say(plan, renamed, wish.claim, wish.of_link)
            return renamed
    if wish.column is None and wish.any_key:
        field = _only_key(plan, wish, column) or field
    if field is None:
        key = Key(wish.holder, column, None, wish.target, of_link=wish.of_link, added=wish.any_key and wish.column is None)
        name, attribute = _names_for(plan, wish, column, referred, None)
        if wish.form is None:  # a class body's is made anew for each subclass, unless that says otherwise
            check_subclasses(plan, wish.holder, column)
        plan.do(_add, key, name, column, attribute, referred, wish.form)
    else:
        key = _existing(plan, wish, field, referred)
        plan.do(setattr, key, "refers_to", referred.name)
    say(plan, key, wish.claim, wish.of_link)
    return key


def _referred(plan: Plan, wish: Wish) -> Field:
    name = wish.referenced
    if name is None and wish.column is not None:
        # A key that is there says itself what it refers to.
        there = find_field(wish.holder, wish.column)
        if there is not None and said_of(there, wish.target):
            return said_of(there, wish.target)
    elif name is None and wish.any_key:
        keys: list[Field] = keys_to(wish.holder, wish.target)
        there_are: list[Field] = [field for field in keys if isinstance(field, ForeignKeyField)]
        there_are = there_are or [field for field in keys if said_of(field, wish.target)]
        if len(there_are) == 1:
            return said_of(there_are[0], wish.target)
    return key_field(wish.target, name, plan.asked, wish.option)


def _only_key(plan: Plan, wish: Wish, default: str) -> Field | None:
    """A has_one or has_many without foreign_key uses the only key that there is; several are an error that lists them (A13)."""
    found = [field for field in keys_to(wish.holder, wish.target) if not any(field is other for other in wish.taken)]
    if len(found) > 1:
        # The key under the default name that a has_one or has_many added stands before those that were named.
        records = keys_of(wish.holder)
        added = [field for field in found if field.column_name == default and default in records and records[default].added]
        if added:
            return added[0]
        columns = ", ".join(field.column_name for field in found)
        raise DeclarationError(
            plan.asked,
            f"{wish.holder.__name__} has several keys to {wish.target.__name__}: {columns}",
            f'Say which one with foreign_key="{found[0].column_name}"',
        )
    return found[0] if found else None


def _to_rename(plan: Plan, wish: Wish) -> Key | None:
    """The key that a has_one or has_many had added to the same target without foreign_key: a belongs_to names it (A10).

    Raises where one of them uses the key of another belongs_to: in another order it would be this one's.
    """
    for key in keys_of(wish.holder).values():
        if key.target is not wish.target:
            continue
        unnamed = [claim for claim in key.claims if not claim.names_key and claim.association.options.get("foreign_key") is None]
        if unnamed and not key.of_link and any(claim.names_key for claim in key.claims):
            raise DeclarationError(
                plan.asked,
                f"{unnamed[0].text} shares its key {key.column!r} with another belongs_to, and which of the two it means cannot be told",
                f'Give it foreign_key="{key.column}"',
            )
        if key.added:
            return key
    return None


def _names_for(plan: Plan, wish: Wish, column: str, referred: Field, renamed: Key | None) -> tuple[str, str]:
    """The names of the field and of the key attribute for a column, checked to be free on the model that holds it."""
    holder = wish.holder
    name = wish.claim.association.name if wish.form else naming.field_of(column, referred.safe_name)
    if not name or not name.isidentifier():
        raise DeclarationError(
            plan.asked, f"nothing of the column {column!r} is left to name the field", 'Give a foreign_key like "project_id"'
        )
    if name == wish.avoid:
        name = f"{name}_of"
    attribute = naming.key_attribute(name, column)
    freed = (renamed.field.name, renamed.field.object_id_name, renamed.column) if renamed else ()
    for word in (name, attribute, column):
        association = wish.claim.association
        mine = association.source is holder and word == association.name
        if mine and wish.belongs_to:
            continue  # a belongs_to and its field are one attribute
        if not mine and (word in freed or not hasattr(holder, word) or of_base(holder, word)):
            continue
        raise DeclarationError(
            plan.asked,
            f"the key column {column!r} would make {holder.__name__}.{word}, which is taken",
            "Give another foreign_key, or rename what stands there",
        )
    return name, attribute


def check_subclasses(plan: Plan, holder: Model, column: str) -> None:
    """A key added to a base after its subclasses were made would be an accessor of theirs, and no column (A20)."""
    for model in registry.derived_from(holder):
        if not same_table(model, holder):
            raise DeclarationError(
                plan.asked,
                f"{holder.__name__} would get the key {column!r}, and {model.__name__} was derived from it before and would not",
                f"Declare this before class {model.__name__}, or write the key into class {holder.__name__}",
            )


def _existing(plan: Plan, wish: Wish, field: Field, referred: Field) -> Key:
    """The record of a key whose field is there already, made where there is none yet (A13)."""
    key = keys_of(wish.holder).get(field.column_name)
    if key is None:
        key = _adopt(plan, wish, field)
    if key.target is not wish.target:
        whose = [words for words, _ in key.options()]
        raise DeclarationError(
            plan.asked,
            f"the key {key.column!r} points to {key.target.__name__} already: {'; '.join(whose)}",
            "Give another foreign_key",
        )
    _same_reference(plan, key, wish, referred)
    if wish.of_link:
        plan.do(setattr, key, "of_link", True)
    if wish.belongs_to and not isinstance(field, ForeignKeyField):
        plan.do(_convert, key, wish.belongs_to, referred)
    return key


def _adopt(plan: Plan, wish: Wish, field: Field) -> Key:
    """A record for a field that was written by hand or reflected."""
    said: dict[str, Any] = {"null": field.null}
    if field.unique:
        said["unique"] = True
    target = wish.target
    if isinstance(field, ForeignKeyField):
        target = field.rel_model
        said.update({rule: getattr(field, rule).upper() for rule in ("on_delete", "on_update") if getattr(field, rule)})
        if not getattr(field, "constraint", True):
            said["constraints"] = False  # inherited from a base, where an association said so
    elif isinstance(field, ReferenceField):
        said["constraints"] = False
        target = field.points_to or wish.target
    else:
        check_types(plan.asked, wish.holder, field, wish.target, key_field(wish.target, wish.referenced, plan.asked, wish.option))
    key = Key(wish.holder, field.column_name, field, target, by_hand=said, of_link=wish.of_link)
    plan.do(_record, key)
    if isinstance(field, ForeignKeyField):
        plan.do(_make_key_field, field)
    return key


def _same_reference(plan: Plan, key: Key, wish: Wish, referred: Field) -> None:
    """Raise where the key refers to another field of its target than is wished."""
    said = said_of(key.field, key.target)
    if said is not None and said.name != referred.name:
        raise DeclarationError(
            plan.asked,
            f"the key {key.column!r} refers to {key.target.__name__}.{said.name}, not to {referred.name}",
            f"Leave {wish.option} out, or give another foreign_key",
        )


def _agree(plan: Plan, key: Key, given: dict[str, Any], of_link: bool) -> None:
    """Raise where the options given contradict what others say of the key, printing both declarations (A11)."""
    merged: dict[str, Any] = {}
    for words, said in key.options():
        for option, value in given.items():
            if option in said and said[option] != value:
                raise DeclarationError(
                    plan.asked,
                    f"of the key {key.column!r} it says {option}={value!r}, and {words} says {option}={said[option]!r}",
                    "Make them agree, or say it once",
                )
        merged.update(said)
    merged.update(given)
    null = merged.get("null", not (key.of_link or of_link))
    for rule in ("on_delete", "on_update"):
        if merged.get(rule) == "SET NULL" and not null:
            raise DeclarationError(
                plan.asked, f"{rule}='SET NULL' and the key {key.column!r} may not be NULL", "Give null=True, or another rule"
            )


def say(plan: Plan, key: Key, claim: Claim, of_link: bool = False) -> None:
    """Plan that one more declaration says something of a key; raises where it contradicts the others."""
    _agree(plan, key, claim.options, of_link)

    def step() -> None:
        key.claims.append(claim)
        key.of_link = key.of_link or of_link
        refresh(key)

    plan.do(step)


def refresh(key: Key) -> None:
    """Give the field what the declarations of its key say, and the defaults where none says (E1, E2, D2)."""
    merged: dict[str, Any] = {}
    for _, said in key.options():
        merged.update(said)
    field = key.field
    field.null = merged.get("null", not key.of_link)
    if merged.get("unique"):
        field.unique = True
    field.index = True  # every key column leads an index (E3); sync leaves out what another index or the primary key does
    if isinstance(field, ForeignKeyField):
        field.on_delete = merged.get("on_delete") or ("CASCADE" if key.of_link else "SET NULL" if field.null else "NO ACTION")
        field.on_update = merged.get("on_update") or "CASCADE"
        if isinstance(field, KeyField):
            field.constrain(merged.get("constraints", True))


# Applying: each of these is a step of a plan


def _record(key: Key) -> None:
    keys_of(key.model)[key.column] = key


def _add(key: Key, name: str, column: str, attribute: str, referred: Field, form: Any = None) -> None:
    # backref "+": the other end has methods only where an association was declared there.
    field = KeyField(key.target, field=referred, column_name=column, object_id_name=attribute, backref="+", null=True)
    field.stand_at(getattr(form, "order", None))
    key.model._meta.add_field(name, field)
    key.field = field
    _record(key)


def _make_key_field(field: Any) -> None:
    """A foreign key written by hand answers the verbs and refuses strangers like one that was added."""
    # peewee deep-copies fields into subclasses, and what they refer to with them.
    field.rel_field = field.rel_model._meta.fields[field.rel_field.name]
    if isinstance(field, KeyField):
        return
    field.__dict__["_deferred"] = field.__dict__.pop("deferred", None)
    kind = type(field)
    field.__class__ = (
        KeyField if kind is ForeignKeyField else type(kind.__name__, (KeyField, kind), {"__module__": kind.__module__})
    )
    if type(field.model.__dict__.get(field.name)) is peewee.ForeignKeyAccessor:
        setattr(field.model, field.name, KeyAccessor(field.model, field, field.name))


def forget_field(model: Model, field: Any) -> None:
    """Take a field off its model. peewee leaves the accessors, which then write a column that is not there."""
    model._meta.remove_field(field.name)
    for name in (field.name, getattr(field, "object_id_name", None)):
        if name and name in model.__dict__:
            delattr(model, name)


def withdraw(key: Key) -> None:
    """Take a key away that an association had added."""
    forget_field(key.model, key.field)
    keys_of(key.model).pop(key.column, None)


def _rename(key: Key, name: str, column: str, attribute: str) -> None:
    former = key.field
    withdraw(key)
    key.column = column
    _add(key, name, column, attribute, former.rel_field)
    swap_field(key.model, former, key.field)


def swap_field(model: Model, former: Field, field: Field) -> None:
    """Let the primary key and the indexes that named one field name another."""
    meta = model._meta
    if meta.composite_key and former.name in meta.primary_key.field_names:
        names = [field.name if name == former.name else name for name in meta.primary_key.field_names]
        meta.set_primary_key("__composite_key__", peewee.CompositeKey(*names))
    for index in meta.indexes:
        if isinstance(index, peewee.ModelIndex):
            parts: Any = index
            parts._expressions = [field if part is former else part for part in parts._expressions]


def _convert(key: Key, name: str, referred: Field) -> None:
    """A plain column that a belongs_to uses becomes a foreign key: same column, same type, the key under its old name."""
    plain = key.field
    forget_field(key.model, plain)
    attribute = plain.name if plain.name != name else naming.key_attribute(name, plain.column_name)
    field: Any = KeyField(
        key.target,
        field=referred,
        column_name=plain.column_name,
        object_id_name=attribute,
        backref="+",
        null=plain.null,
        unique=plain.unique,
        primary_key=plain.primary_key,
        default=plain.default,
        constraints=plain.constraints,
        help_text=plain.help_text,
        verbose_name=plain.verbose_name,
    )
    field._order, field._sort_key = plain._order, plain._sort_key
    field.plain = plain
    key.model._meta.add_field(name, field)
    if plain.primary_key:
        key.model._meta.set_primary_key(name, field)
    key.field = field
    _record(key)
    swap_field(key.model, plain, field)
