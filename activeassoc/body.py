"""Declaring in the class body: ``owner = reference("User")`` and ``pets = collection("Pet", via="owner")``.

They are compiled to the same association objects as the calls: a reference to a belongs_to; a collection whose via is a
reference to a has_many; collections that name each other, one without via, and one with through, to a many-to-many.

Map: `reference` and `collection` are the two forms; `take` gathers those of a class and of its bases, `declare_body`
declares them when the class exists; `bind` decides what a collection is, when the other model exists. What its via may
name stands in `other_end`.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, TypeVar, Unpack, overload

import peewee

from activeassoc import declare, naming, registry
from activeassoc.associations.belongs_to import BelongsTo
from activeassoc.associations.embedding import check_store
from activeassoc.associations.many_to_many import ManyToMany
from activeassoc.associations.undecided import Undecided
from activeassoc.errors import AssociationError, DeclarationError, WrongArgument
from activeassoc.other_end import end_of
from activeassoc.planning import Plan
from activeassoc.registry import Model

if TYPE_CHECKING:
    from activeassoc.types import kinds
    from activeassoc.types.options import CollectionOptions, ReferenceOptions

Target = TypeVar("Target", bound=peewee.Model)


@overload
def reference(
    target: type[Target], *, null: Literal[False], **options: Unpack[ReferenceOptions]
) -> kinds.BelongsTo[Any, Target, Target]: ...
@overload
def reference(target: type[Target], *, null: bool = True, **options: Unpack[ReferenceOptions]) -> kinds.BelongsTo[Any, Target]: ...
@overload
def reference(target: str, *, null: bool = True, **options: Unpack[ReferenceOptions]) -> Any: ...
def reference(
    target: Any,
    *,
    unique: bool = False,
    column_name: str | None = None,
    null: bool = True,
    on_delete: str | None = None,
    on_update: str | None = None,
    constraints: bool = True,
    target_key: str | None = None,
    dominant: bool = False,
) -> Any:
    """In a class body: a record of this model refers to one of `target`, a model, its name, or ``"self"``; the key is here.

    ``owner = reference("User")`` is ``Pet.belongs_to("User", as_="owner")``: the column owner_id, ``pet.owner``, get_owner,
    set_owner, create_owner. `column_name` is the column, `target_key` the unique field of the target that it holds, by default
    the primary key; `unique` makes one-to-one hold in the database; ``null=False`` requires it. `dominant` is not for
    references, and raises. (F1)
    """
    return _form(reference, locals())


@overload
def collection(
    target: type[Target], *, via: str, through: None = None, **options: Unpack[CollectionOptions]
) -> kinds.HasMany[Any, Target]: ...
@overload
def collection(
    target: type[Target], *, via: None = None, through: None = None, **options: Unpack[CollectionOptions]
) -> kinds.ManyToMany[Any, Target]: ...
@overload
def collection(
    target: type[Target], *, through: type[peewee.Model] | str, via: str | None = None, **options: Unpack[CollectionOptions]
) -> kinds.ManyToMany[Any, Target]: ...
@overload
def collection(
    target: str, *, via: str | None = None, through: type[peewee.Model] | str | None = None, **options: Unpack[CollectionOptions]
) -> Any: ...
def collection(
    target: Any,
    *,
    via: str | None = None,
    through: Any = None,
    dominant: bool = False,
    where: Any = None,
    order: Any = None,
    embed: bool | None = None,
) -> Any:
    """In a class body: a record of this model has several of `target`, a model, its name, or ``"self"``.

    `via` is the attribute of the target that points back: a reference makes it one-to-many, a collection (whose via is this
    one) many-to-many. Without via the target knows nothing of it: a many-to-many with a join table of its own. With
    `through`, a model or its name, via is the key on that model that points to this one. `dominant` says whose database has
    the links where the two are in different ones; `where` and `order` are as those of has_many. Gives the methods of
    every to-many. (F1, F2, F5)
    """
    return _form(collection, locals())


@dataclass(frozen=True)
class Form:
    """One of the two, as it was written, until its class exists."""

    name: str
    target: Any
    options: dict[str, Any]
    #: Where it stands among the fields of the class, as peewee counts them.
    order: int
    #: It is a base's, declared anew for a model derived from it.
    inherited: bool = False

    def text(self, source: str, attribute: str) -> str:
        """The declaration, for messages."""
        words = [self.target.__name__ if isinstance(self.target, type) else repr(self.target)]
        words += [f"{name}={value.__name__ if isinstance(value, type) else repr(value)}" for name, value in self.options.items()]
        return f"{source}.{attribute} = {self.name}({', '.join(words)})"


def _form(call: Any, given: Mapping[str, Any]) -> Form:
    parameters = inspect.signature(call).parameters
    said = {name: given[name] for name in parameters if name != "target" and given[name] is not parameters[name].default}
    # A field added by a reference stands where the reference stands: peewee sorts fields by this counter.
    counting: Any = peewee.Field
    counting._field_counter += 1
    return Form(call.__name__, given["target"], said, counting._field_counter)


# When the class is made


def take(name: str, bases: tuple[type, ...], attributes: dict[str, Any]) -> tuple[dict[str, Form], dict[str, Form]]:
    """The forms of a class body, taken out of it, and those of its bases, to be declared anew (A20).

    Raises what the class body alone shows to be wrong, before the class is made.
    """
    own = {attribute: value for attribute, value in attributes.items() if isinstance(value, Form)}
    for attribute, form in own.items():
        _check(form, form.text(name, attribute), attribute)
        del attributes[attribute]
    inherited: dict[str, Form] = {}
    for base in reversed(bases):
        for each in reversed(base.__mro__):
            inherited.update(getattr(each.__dict__.get("_meta"), "in_body", {}))
    for attribute in {*own, *attributes} & set(inherited):
        del inherited[attribute]  # what the class itself says wins
    for attribute, form in inherited.items():
        if form.name == "reference":
            attributes[attribute] = None  # or peewee would copy the base's field, which may point to the base
    return own, inherited


def _check(form: Form, text: str, attribute: str) -> None:
    to_many = form.name == "collection"
    if attribute != naming.snake(attribute):
        raise DeclarationError(
            text, "methods and columns are named after the attribute, in snake_case", f"Write {naming.snake(attribute)} = …"
        )
    naming.alias_names(attribute, to_many)
    target = form.target
    if not (isinstance(target, str) and target) and not (isinstance(target, type) and issubclass(target, peewee.Model)):
        raise WrongArgument(
            text, f"{target!r} is neither a model nor the name of one", 'Give a model or its name, as in "Task"', value=target
        )
    value = form.options.get("dominant", False)
    if not isinstance(value, bool):
        raise WrongArgument(text, f"dominant={value!r} is neither True nor False", "Give one of these", value=value)
    if not to_many:
        if value:
            to = target.__name__ if isinstance(target, type) else target
            raise DeclarationError(
                text,
                f"dominant says which end of a many-to-many has the links, and {text.partition(' = ')[0]} is a key to {to}",
                "Leave dominant out",
            )
        return
    via, through = form.options.get("via"), form.options.get("through")
    if via is not None and not (isinstance(via, str) and via):
        raise WrongArgument(text, f"via={via!r} is no name of an attribute", 'Write via="owner"', value=via)
    if not (through is None or isinstance(through, str) or (isinstance(through, type) and issubclass(through, peewee.Model))):
        raise WrongArgument(
            text, f"through={through!r} is neither a model nor the name of one", "Give one of these", value=through
        )
    embed = form.options.get("embed")
    if embed is not None and not isinstance(embed, bool):
        raise WrongArgument(text, f"embed={embed!r} is neither True nor False", "Write embed=True or embed=False", value=embed)


def declare_body(model: Model, own: Mapping[str, Form], inherited: Mapping[str, Form]) -> None:
    """Declare what the class body says, and anew what the bodies of its bases say. An abstract model declares for others only."""
    model._meta.in_body = {**inherited, **own}
    for attribute in inherited:
        if model.__dict__.get(attribute, model) is None:
            delattr(model, attribute)
    if model._meta.abstract:
        return
    forms = {**{name: replace(form, inherited=True) for name, form in inherited.items()}, **own}
    found: list[Any] = [_association(model, attribute, form) for attribute, form in forms.items()]
    try:
        with registry.lock:
            _declare(found)
    except BaseException:
        _forget_keys(model)
        raise


def _forget_keys(model: Model) -> None:
    """The class does not come to be: other models do not know of its keys any more."""
    for field in list(model._meta.refs):
        there = field.rel_model.__dict__.get(field.backref)
        if isinstance(there, peewee.BackrefAccessor) and there.field is field:
            delattr(field.rel_model, field.backref)
        model._meta.remove_ref(field)


def _declare(found: list[Any]) -> None:
    """Publish the associations of one class body, check those that can be, and only then bind them."""
    for association in found:
        declare._check_names(association, "Give the attribute another name")
        declare._publish(association)
    known = [each for each in found if _at_hand(each.options["in_body"])]
    for association in known:
        form = association.options["in_body"]
        if isinstance(association, Undecided) and not form.inherited:
            end_of(association, form.target)  # what is wrong is told before anything is bound
    for association in found:
        if any(association is each for each in known):
            association.bind(association.options["in_body"].target)
        else:
            registry.wait(association)


def _at_hand(form: Form) -> bool:
    """Whether the models that the form means exist, so that it can be bound in the class statement."""
    return isinstance(form.target, type) and not isinstance(form.options.get("through"), str)


def _association(model: Model, attribute: str, form: Form) -> Any:
    """The association of a form, not bound yet."""
    names, options = naming.alias_names(attribute, form.name == "collection"), dict(form.options)
    text = form.text(model.__name__, attribute)
    if form.target in ("self", model.__name__):
        form = replace(form, target=model)
    wanted = form.target.__name__ if isinstance(form.target, type) else form.target
    if form.name == "collection":
        check_store(text, options.get("embed"), model)
        one_way = "via" not in options and "through" not in options
        return (ManyToMany if one_way else Undecided)(model, wanted, names, text, bind, in_body=form, **options)
    options["foreign_key"] = options.pop("column_name", None)
    declare._check_options("belongs_to", options, text)
    return BelongsTo(model, wanted, names, text, bind, in_body=form, **options)


# When the other model exists


def bind(association: Any, target: Model) -> None:
    """Give an association of a class body its target; a collection becomes what it is."""
    plan = Plan(association.declared)
    former = dict(association.__dict__)
    kind, form = type(association), association.options["in_body"]
    target = form.target if isinstance(form.target, type) else target  # one that was given itself is not looked up by name
    try:
        if kind is BelongsTo:
            _bind_inherited(association, target)
            association.prepare(plan, target, declare.model_names)
        else:
            end = end_of(association, target)
            association.__class__ = end.kind
            association.options = {**association.options, **end.options}
            association.prepare(plan, target, declare.model_names)
        plan.do(association.bound_to, target)
        plan.do(declare._publish, association)
        plan.warn()
    except BaseException as error:
        plan.give_up()
        association.__class__ = kind
        association.__dict__.clear()
        association.__dict__.update(former)
        if form.inherited and isinstance(error, DeclarationError) and kind is Undecided:
            # The other end points to the base, whose collection this is: the subclass has none (A20).
            declare._unpublish(association)
            registry.bound(association)
            return
        raise
    plan.apply()


def _bind_inherited(association: Any, target: Model) -> None:
    """The references that subclasses have declared anew get their columns first: afterwards the base's accessors would hide theirs."""
    for model in registry.derived_from(association.source):
        anew = model.associations.get(association.name)
        if anew is not None and anew.source is model and not anew.bound and isinstance(anew, BelongsTo):
            try:
                anew.target  # noqa: B018
            except AssociationError:
                continue  # told at its own first use

