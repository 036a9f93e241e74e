"""Which models exist, who still waits for one that does not, and what is known of every key.

Models are held weakly: one that nobody else holds is forgotten, and one that is defined again in the same place (same
module and qualified name) replaces the former.

Map: `is_record_of` tells whose row an instance is; `appeared` is told of every new model; `known_models` and
`known_databases` list what is alive; `find` finds a model by name, nearest first; `wait`, `settle` and `settle_for` bind
the associations whose target was given as a string; `Key` is the record of one key column, kept on its model, `Claim`
what one declaration says of it, `Taken` one that is gone.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

import peewee

from activeassoc import kept
from activeassoc.errors import AssociationError, DeclarationError, UnknownName, listed, nearest

#: A model class. Not typed as one: the metadata that all of this works on is not in peewee's stubs.
Model = Any

_models: dict[int, weakref.ref[Model]] = {}  # in order of definition
_waiting: list[weakref.ref[Waiting]] = []
#: While something is settled: the models that are being looked through, and those models and associations that have been since
#: something was last bound. Binding settles in its turn, and without this all ways through what waits would be gone.
_settling: list[tuple[int, bool]] = []
_settled: set[tuple[int, bool]] = set()
#: Declaring is not done in many threads, but first use is, and that may bind what still waits.
lock = threading.RLock()


class Scope(NamedTuple):
    """Where a class stands: its module, and the function or class around it."""

    module: str
    around: str


class Waiting(Protocol):
    """An association that waits for its target."""

    source: Model
    wanted: str
    declared: str
    meant: Model | None

    def bind(self, target: Model) -> None: ...


def scope_of(model: Model) -> Scope:
    return Scope(model.__module__, model.__qualname__.rpartition(".")[0])


def root_of(model: Model) -> Model:
    """The class that made `model` one of ours: `activeassoc.Model`."""
    return [base for base in model.__mro__ if "associations" in base.__dict__][-1]


def place_of(model: Model) -> tuple[str, str]:
    return model.__module__, model.__qualname__


def is_record_of(value: Any, model: Model) -> bool:
    """Whether `value` is an instance whose row stands in `model`'s table (``class Admin(User)`` has its own: A20)."""
    kind = type(value)
    if kind is model:
        return True
    return isinstance(value, model) and same_table(kind, model)


def same_table(one: Model, other: Model) -> bool:
    ours, theirs = one._meta, other._meta
    return ours.table_name == theirs.table_name and ours.schema == theirs.schema and ours.database is theirs.database


def appeared(model: Model) -> None:
    """A class statement made `model`: note it, and bind what waits for it in the same scope.

    What cannot be bound keeps its error until it is used: it is never raised out of somebody else's class statement (A6).
    """
    number = id(model)
    _models[number] = weakref.ref(model, lambda _: _models.pop(number, None))
    for waiting in _alive():
        if waiting.wanted == model.__name__ and scope_of(waiting.source) == scope_of(model):
            try:
                waiting.bind(model)
            except AssociationError:
                continue


def disappeared(model: Model) -> None:
    """A model that was made for a declaration that then raised: nobody knows of it."""
    _models.pop(id(model), None)


def _every_model() -> list[Model]:
    found = [reference() for reference in list(_models.values())]
    return [model for model in found if model is not None]


def known_models() -> list[Model]:
    """Every model that is alive, in order of definition, without those that a redefinition has replaced."""
    newest: dict[Any, Model] = {}
    for model in _every_model():
        newest[(place_of(model), id(model._meta.database), model._meta.table_name)] = model
    current = set(map(id, newest.values()))
    return [model for model in _every_model() if id(model) in current]


def derived_from(model: Model) -> list[Model]:
    """The models that derive from `model`, however far, in order of definition.

    Only a model that has some looks through all that are known: programs have many models, and most of them have none.
    """
    found, rest = set(), list(model.__subclasses__())
    while rest:
        each = rest.pop()
        if id(each) not in found:
            found.add(id(each))
            rest.extend(each.__subclasses__())
    return [each for each in known_models() if id(each) in found] if found else []


def replaced(model: Model) -> bool:
    """Whether a newer class stands in this one's place."""
    return all(known is not model for known in known_models())


def known_databases() -> list[peewee.Database]:
    """The databases of the models that are alive, each once."""
    databases: dict[int, peewee.Database] = {}
    for model in known_models():
        database: Any = model._meta.get_database_instance()
        if database is not None:
            databases.setdefault(id(database), database)
    return list(databases.values())


def _named(models: Iterable[Model], name: str) -> list[Model]:
    """The models called `name` (or ``module.Name``), of each place the newest."""
    found: dict[Any, Model] = {}
    for model in models:
        if name in (model.__name__, f"{model.__module__}.{model.__name__}", f"{model.__module__}.{model.__qualname__}"):
            found[place_of(model)] = model
    return list(found.values())


def find(name: str, near: Scope, asked: str) -> Model:
    """The model called `name` that is nearest to `near`: same enclosing scope, same module, then all that are known (A6).

    Raises UnknownName with the nearest names, DeclarationError for a tie.
    """
    models = _named(_every_model(), name)
    for level in (
        [model for model in models if scope_of(model) == near],
        [model for model in models if model.__module__ == near.module],
        models,
    ):
        if len(level) == 1:
            return level[0]
        if level:
            places = sorted(f"{model.__module__}.{model.__qualname__}" for model in level)
            raise DeclarationError(
                asked, f"several models are called {name!r}: {listed(places)}", f'Write the one that is meant as "{places[0]}"'
            )
    known = {model.__name__ for model in _every_model()}
    raise UnknownName(asked, f"there is no model {name!r}", nearest(name, known), name=name, known=sorted(known))


def find_table(name: str, near: Scope) -> Model | None:
    """The model called `name`, else the one whose table is called so; None where there is neither."""
    try:
        return find(name, near, name)
    except AssociationError:
        tables = [model for model in known_models() if model._meta.table_name == name]
        return tables[-1] if tables else None


def target_of(association: Waiting) -> Model:
    """The model that an association waits to be bound to: the one that was given, else the nearest of the name that was."""
    meant = association.meant
    if meant is not None and not replaced(meant):
        return meant
    return find(association.wanted, scope_of(association.source), association.declared)


def wait(association: Waiting) -> None:
    """Bind `association` when a model of the wanted name appears in its scope, at first use, or in sync."""
    with lock:
        _waiting.append(weakref.ref(association))


def _alive() -> list[Waiting]:
    with lock:
        found = [reference() for reference in _waiting]
        return [waiting for waiting in found if waiting is not None]


def bound(association: Waiting) -> None:
    """`association` has its target: it waits no longer."""
    with lock:
        _waiting[:] = [ref for ref in _waiting if ref() is not None and ref() is not association]
        _settled.clear()  # it may be what another one lacked
    kept.changed()


def settle(*what: Any) -> None:
    """Bind everything that still waits; raises what stands against it.

    `what` are databases and models: then nothing is raised of models in other databases, which it does not concern.
    """
    meant: list[Any] = [getattr(each, "obj", None) if isinstance(each, peewee.Proxy) else each for each in what]
    databases = [each._meta.get_database_instance() if hasattr(each, "_meta") else each for each in meant]
    for waiting in _alive():
        if replaced(waiting.source):
            continue
        try:
            waiting.bind(target_of(waiting))
        except AssociationError:
            here = waiting.source._meta.get_database_instance()
            if not what or any(here is database for database in databases):
                raise


def settle_for(model: Model, at_hand: bool = False) -> None:
    """Before `model` is used: bind what waits on it or for it, as far as that can be. Costs nothing when nobody waits.

    With `at_hand` only to models of the same scope: a declaration is no use, and a nearer model may still come (A6).
    """
    if not _waiting:
        return
    with lock:
        mark = id(model), at_hand
        if mark in _settling or mark in _settled:
            return
        _settling.append(mark)
        try:
            for waiting in _alive():
                if waiting.source is model or waiting.wanted.rpartition(".")[2] == model.__name__:
                    _bind_if_there(waiting, at_hand)
        finally:
            _settling.pop()
            _settled.add(mark)
            if not _settling:
                _settled.clear()


def _bind_if_there(waiting: Waiting, at_hand: bool) -> None:
    mark = id(waiting), at_hand
    if mark in _settled:
        return
    _settled.add(mark)
    scope = scope_of(waiting.source)
    try:
        target = target_of(waiting)
        if not at_hand or scope_of(target) == scope:
            waiting.bind(target)
    except AssociationError:
        return  # told at the first use of the association itself, and by sync


# Keys


@dataclass(eq=False, repr=False)
class Claim:
    """What one declaration says of a key: the association that says it, its words, and the options that it gives."""

    association: Any
    text: str
    options: dict[str, Any]
    #: It is the belongs_to that names the key's field.
    names_key: bool = False


@dataclass(eq=False, repr=False)
class Key:
    """The record of one key column: one for every (model, column), shared by all associations that use it (A10, A11)."""

    model: Model
    column: str
    field: Any
    target: Model
    #: What a field written by hand says.
    by_hand: dict[str, Any] | None = None
    claims: list[Claim] = field(default_factory=list)
    #: It is one of the two keys of a through model (D2).
    of_link: bool = False
    #: Added under the default name by a has_one or has_many, so that a belongs_to may rename it.
    added: bool = False
    #: The name of the target's field that it refers to, where the key's own field does not say it: that is no foreign key.
    refers_to: str | None = None

    @property
    def referred(self) -> Any:
        """The target's field whose values it has."""
        if isinstance(self.field, peewee.ForeignKeyField):
            return self.field.rel_field
        meta = self.target._meta
        return meta.fields[self.refers_to] if self.refers_to else meta.primary_key

    @property
    def attribute(self) -> str:
        """The name under which an instance keeps the key's value."""
        return str(self.field.name)

    def options(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """(whose words, options given) of everybody who says something of this key."""
        if self.by_hand is not None:
            yield f"{type(self.field).__name__} {self.model.__name__}.{self.field.name}", self.by_hand
        for claim in self.claims:
            yield claim.text, claim.options

    def __repr__(self) -> str:
        return f"<key {self.model.__name__}.{self.column} -> {self.target.__name__}>"


class Taken(NamedTuple):
    """A key that pairing took away from a model again (A7): what it pointed to, and by which declarations it went."""

    target: Model
    why: str


def keys_taken(model: Model) -> dict[str, Taken]:
    """The keys that pairing took away from a model, by column."""
    taken: dict[str, Taken] = model._meta.__dict__.setdefault("association_keys_taken", {})
    return taken


def keys_of(model: Model) -> dict[str, Key]:
    """The key records of a model by column.

    They are kept on its metadata, not on the fields (peewee deep-copies fields into subclasses) and not in a table here
    (their references to models would keep these alive).
    """
    keys: dict[str, Key] = model._meta.__dict__.setdefault("association_keys", {})
    return keys
