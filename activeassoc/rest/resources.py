"""A model as it is served: its segment, what a client may read, write, filter and embed, and the lists below its records.

Everything else in rest/ asks here and never the model's metadata, so that what is excluded is excluded everywhere.

Map: `Served` are the models of one app and finds the `Resource` of any model, served or only embedded; `AssociationResource` is a
to-many below an owner; `current_request` is the request that is being answered, for `Resource.let`.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable
from contextvars import ContextVar
from typing import Any

import peewee

from activeassoc import naming, registry
from activeassoc.associations.base import Association
from activeassoc.associations.writing import equalities
from activeassoc.errors import DeclarationError, WrongArgument
from activeassoc.model import Model as Base
from activeassoc.registry import Model
from activeassoc.rest.limits import Limits
from activeassoc.rest.problems import BadRequest, Forbidden
from activeassoc.rest.said import Rest, rest_of
from activeassoc.stores.sql import base_field, coercer
from activeassoc.sync.models import is_base

#: The request that is being answered in this thread; None outside of one.
current_request: ContextVar[Any] = ContextVar("current_request", default=None)
#: What is answered is what the client just wrote: it may see it, whatever else it may read.
showing_written: ContextVar[bool] = ContextVar("showing_written", default=False)

#: What an object in POST calls the record that it adds.
CHILD_ID = "childId"
#: Fields whose values cannot be written into a query string, as those of JSON: they are read, and neither filtered nor sorted.
UNFILTERED = ("BLOB", "BYTEA", "LONGBLOB")


class Resource:
    """One model as it is served. JSON names: ``id`` is the primary key whatever it is called, a key goes by its belongs_to's name."""

    def __init__(self, served: Served, model: Model) -> None:
        self.served, self.model = served, model
        self.rest: Rest = rest_of(model)
        self.names = naming.names_of(model.__name__, getattr(model._meta, "singular", None), getattr(model._meta, "plural", None))
        self.segment: str = self.rest.alias or self.names.one
        #: The primary key where it is one column; None else, and then its records have no paths of their own.
        self.key: Any = (model._meta.primary_key or None) if not model._meta.composite_key else None
        #: JSON name → field, of every column. ``record.__data__.get(field.name)`` is the value, a key's for a reference.
        self.fields: dict[str, Any] = self._named()

    def _named(self) -> dict[str, Any]:
        names: dict[str, str] = {}
        for name, association in self.model.associations.items():
            if association.key_on_source:
                _ = association.target
                names.setdefault(association.key.field.name, name)
        if self.key is not None:
            names[self.key.name] = "id"
        found: dict[str, Any] = {}
        for field in sorted(self.model._meta.sorted_fields, key=lambda each: each is not self.key):
            name = names.get(field.name, field.name)
            if name in found:
                raise DeclarationError(
                    f"create_app(…) with {self.model.__name__}",
                    f"{found[name].name} and {field.name} would both be {name!r} in JSON",
                    "Give one of them another name",
                )
            found[name] = field
        return found

    def _without(self, *names: Iterable[str]) -> dict[str, Any]:
        hidden = {each for some in names for each in some}
        return {name: field for name, field in self.fields.items() if field.name not in hidden}

    # Fields

    @functools.cached_property
    def readable(self) -> dict[str, Any]:
        """JSON name → field, of what a client may see: ``id`` first."""
        return self._without(self.rest.excluded)

    @functools.cached_property
    def creatable(self) -> dict[str, Any]:
        """JSON name → field, of what POST takes; an automatic key is nobody's to give."""
        found = self._without(self.rest.read_only)
        if automatic(self.key):
            found.pop("id", None)
        return found

    @functools.cached_property
    def updatable(self) -> dict[str, Any]:
        """JSON name → field, of what PUT takes."""
        found = self._without(self.rest.read_only, self.rest.create_only)
        found.pop("id", None)
        return found

    @functools.cached_property
    def filterable(self) -> dict[str, Any]:
        """JSON name → field, of what ``field=value`` and $where may name."""
        return {
            name: field
            for name, field in self.readable.items()
            if base_field(field).field_type not in UNFILTERED and not is_json(base_field(field))
        }

    @functools.cached_property
    def sortable(self) -> dict[str, Any]:
        """JSON name → field, of what $sort may name."""
        return self.filterable

    @functools.cached_property
    def searchable(self) -> dict[str, Any]:
        """JSON name → field, of the texts that $term is looked for in; a key is none."""
        kinds = (peewee.CharField, peewee.TextField)
        return {
            name: field
            for name, field in self.readable.items()
            if isinstance(field, kinds) and not isinstance(field, peewee.ForeignKeyField) and not is_json(field)
        }

    # Associations

    @functools.cached_property
    def associations(self) -> dict[str, Association]:
        """The associations that are not excluded, by name."""
        found = {}
        for name, association in self.model.associations.items():
            _ = association.target  # raises where a target that was given by name does not exist
            key = association.key.field.name if association.key_on_source else name
            if not {name, key} & self.rest.excluded:
                found[name] = association
        return found

    def may_read(self, association: Association) -> bool:
        """Whether the association may be listed and embedded: its own word, else that of this model; and that of its target.

        Where nothing is said of it, a list by a key that its records exclude is none: it would tell the key.
        """
        said, target = self.rest.of(association.name).allow_read, self.served.resource_of(association.target).rest
        if said is None:
            keys: Any = association.keys
            tells = any(key.model is association.target and key.field.name in target.excluded for key in keys)
            said = self.rest.allow_read and (association.key_on_source or not tells)
        return said and target.allow_read

    @functools.cached_property
    def embeddable(self) -> dict[str, Association]:
        """Name → association, of what $embed may name."""
        return {name: each for name, each in self.associations.items() if self.may_read(each)}

    def embedded(self, name: str) -> Resource:
        """The resource of the records that an association brings."""
        return self.served.resource_of(self.embeddable[name].target)

    @functools.cached_property
    def to_many(self) -> dict[str, AssociationResource]:
        """Segment → the list of that association below a record of this model. Two on one segment raise. (K2)"""
        found: dict[str, AssociationResource] = {}
        for each in self.associations.values():
            if not each.to_many or self.key is None:
                continue
            below = AssociationResource(self, each)
            if below.segment in found:
                there = found[below.segment].association
                raise DeclarationError(
                    f"create_app(…) with {self.model.__name__}",
                    f"{there.label} and {each.label} would both be /{self.segment}/{{owner_id}}/{below.segment}",
                    f'Give one an alias: Meta.rest = {{"associations": {{"{each.name}": {{"alias": "…"}}}}}}',
                )
            found[below.segment] = below
        return found

    @functools.cached_property
    def hides(self) -> bool:
        """Whether the model has a ``select`` of its own, which may leave rows out: to a client they are not there."""
        select: Any = self.model.select
        return select.__func__ is not vars(Base)["select"].__func__

    # Requests

    def read_key(self, value: Any, path: str = "id") -> Any:
        """The primary key that a client's value means; BadRequest, with `path` named, where it can mean none."""
        return read_key(self.key, value, path)

    def let(self, action: str, record: Any = None) -> None:
        """Raise Forbidden unless `authorize` says that this action may be done, with this record; None stands for the whole list.

        What reads asks it for every record that leaves, embedded ones by their own resource.
        """
        if self.rest.authorize is None or (action == "read" and showing_written.get()):
            return
        if not self.rest.authorize(current_request.get(), action, self.model, record):
            raise Forbidden(f"{action} of {self.model.__name__} is not allowed")

    def __repr__(self) -> str:
        return f"<Resource /{self.segment} of {self.model.__name__}>"


class AssociationResource:
    """A to-many association below an owner: ``/role/{owner_id}/user``."""

    def __init__(self, owner: Resource, association: Any) -> None:
        self.owner, self.association = owner, association
        self.said = owner.rest.of(association.name)
        self.segment: str = self.said.alias or association.names.one
        #: The resource of the targets.
        self.child: Resource = owner.served.resource_of(association.target)
        through = getattr(association, "through", None)
        #: The resource of the through model, None where there is none.
        self.link: Resource | None = owner.served.resource_of(through) if through is not None else None
        #: The name under which children carry the fields of their link. (K6)
        self.link_name: str = naming.snake(through.__name__) if through is not None else ""
        #: JSON name → field of the through model, of what a client may see; empty where links have nothing beyond their keys.
        self.link_fields: dict[str, Any] = self._of_link("readable")
        #: JSON name → field of the through model, of what a client may write; empty where it takes ids alone.
        self.link_writable: dict[str, Any] = self._of_link("creatable")
        self._check_names()

    def _check_names(self) -> None:
        """Raise where a field of the link would stand in JSON where something else does."""
        one = self.association.names.one
        taken = one if one in self.link_fields else CHILD_ID if CHILD_ID in self.link_writable else None
        if taken is not None and self.link is not None:
            what = f"the {self.child.model.__name__} beside it" if taken == one else "the id of a child"
            raise DeclarationError(
                f"create_app(…) with {self.owner.model.__name__}",
                f"{self.link.model.__name__}.{taken} and {what} would both be {taken!r} in the JSON of {self.association.label}",
                f"Rename one of them, or hide the field: {self.link.model.__name__}.Meta.rest = "
                f'{{"excluded": ["{taken}"], "read_only": ["{taken}"]}}',
            )

    def _of_link(self, which: str) -> dict[str, Any]:
        if self.link is None or (which == "readable" and not self.link.rest.allow_read):
            return {}
        ends = [key.field for key in self.association.keys]
        fields: dict[str, Any] = getattr(self.link, which)
        return {
            name: field for name, field in fields.items() if field is not self.link.key and not any(field is end for end in ends)
        }

    @property
    def allow_read(self) -> bool:
        return self.owner.may_read(self.association)

    @property
    def allow_add(self) -> bool:
        said = self.said.allow_add
        return (self.owner.rest.allow_add if said is None else said) and self._writable() and self.scope_is_writable

    @property
    def allow_remove(self) -> bool:
        said = self.said.allow_remove
        return (self.owner.rest.allow_remove if said is None else said) and self._writable()

    @property
    def scope_is_writable(self) -> bool:
        """Whether a record can be made to fall into the association's where: equalities can be written, of fields that may be. (A19)"""
        try:
            written = equalities(self.association.target, self.association.where, self.association.declared)
        except DeclarationError:
            return False
        return not any(field.name in self.child.rest.read_only | self.child.rest.create_only for field in written)

    def _writable(self) -> bool:
        """Whether requests may change it at all: children have a key for paths, and nobody said that the field it writes is read-only."""
        if self.child.key is None or self.association.name in self.owner.rest.read_only:
            return False
        if self.link is not None:
            return True
        written = (self.owner if self.association.key_on_source else self.child).rest
        return not any(key.field.name in written.read_only | written.create_only for key in self.association.keys)

    def __repr__(self) -> str:
        return f"<AssociationResource /{self.owner.segment}/{{owner_id}}/{self.segment}>"


class Served:
    """The models of one app, and every other model that is reached from them.

    `limits` are the limits on requests (`limits.Limits`); `where` tells whether clients may send $where.
    """

    def __init__(self, what: Iterable[Any], limits: Limits | None = None, where: bool = False) -> None:
        self.limits, self.where = limits or Limits(), where
        self._resources: dict[Any, Resource] = {}
        given = _models(what)
        registry.settle(*given)
        #: The resources of the models that were given, by segment, in their order.
        self.resources: dict[str, Resource] = {}
        for model in dict.fromkeys(given):
            resource = self.resource_of(model)
            there = self.resources.setdefault(resource.segment, resource)
            if there is not resource:
                raise DeclarationError(
                    f"create_app(…) with {there.model.__name__} and {model.__name__}",
                    f"both would be /{resource.segment}",
                    'Give one an alias: Meta.rest = {"alias": "…"}',
                )

    def resource_of(self, model: Model) -> Resource:
        """The resource of `model`, whether it was given or is only reached: what its Meta.rest says holds all the same."""
        found = self._resources.get(model)
        if found is None:
            found = self._resources[model] = Resource(self, model)
        return found

    def databases(self) -> list[Any]:
        """Every database that a request may touch, each once."""
        found = {id(model._meta.database): model._meta.database for model in list(self._resources)}
        return list(found.values())


def is_json(field: Any) -> bool:
    """Whether the field's values are what JSON can say; playhouse's field of SQLite is a TextField to peewee."""
    return field.field_type in ("JSON", "JSONB") or any(each.__name__ == "JSONField" for each in type(field).__mro__)


def array_of(field: Any) -> Any:
    """The primary key whose values a column has as an array (`references_many`); None for every other column."""
    return field.referred if callable(getattr(field, "element", None)) else None


def automatic(key: Any) -> bool:
    """Whether nobody has to give values of this primary key: the store makes them, or for ObjectIds in SQL whoever inserts."""
    return bool(getattr(key, "auto_increment", False))


def _models(what: Iterable[Any]) -> list[Model]:
    """The models that are meant: a database stands for those on it, a base for those that derive from it."""
    known, found = registry.known_models(), []
    for each in what:
        if isinstance(each, peewee.Proxy):
            each = each.obj
        if isinstance(each, peewee.Database):
            found += [model for model in known if model._meta.get_database_instance() is each and not is_base(model, known)]
        elif isinstance(each, type) and issubclass(each, peewee.Model) and hasattr(each, "associations"):
            found += [model for model in known if issubclass(model, each) and model is not each] if is_base(each, known) else [each]
        else:
            raise WrongArgument(
                "create_app(…)", f"{each!r} is neither a model nor a database", "Give the classes: create_app(User, Project)", value=each
            )
    for model in found:
        if model._meta.database is None:
            raise DeclarationError(f"create_app(…) with {model.__name__}", "it has no database yet", "Give it one: Meta.database")
    if not found:
        raise WrongArgument("create_app()", "there is no model to serve", "Give the classes: create_app(User, Project)", value=())
    return found


def read_key(field: Any, value: Any, path: str) -> Any:
    """What a client's `value` means as a value of the key `field`; BadRequest, with `path` named, where it can mean none."""
    kind = base_field(field)
    if isinstance(value, str) and ("\0" in value or not _is_text(value)):
        raise BadRequest(f"{path}: no key has such characters", {path: "no key has such characters"})
    try:
        if isinstance(value, float) or value is None:
            raise ValueError(value)
        return coercer(kind)(value)
    except (TypeError, ValueError, OverflowError, ArithmeticError):
        why = f"is no key of {field.model.__name__}: it is of type {type(kind).__name__}"
        raise BadRequest(f"{path} {why}", {path: why}) from None


def _is_text(value: str) -> bool:
    """Whether every character can be stored: half of a surrogate pair cannot."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


