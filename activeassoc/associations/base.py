"""What all associations share: their names, the path that they walk, and the methods that they publish.

An association is one object. It is the class attribute (``Project.tasks``), owns the operations
(``Project.tasks.add(project, task)``), and publishes them as methods of the source model (``project.add_task(task)``).

Map: `Hop` is one step of a path; `verb` marks an operation as published, `publish` makes the method; `Association` is the
base of all kinds; `Chain` lets calls be chained. How records are read along the path stands in `reading`.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
from collections.abc import Callable, Iterator
from types import GenericAlias
from typing import Any, ClassVar, NamedTuple, TypeVar

import peewee

from activeassoc import registry
from activeassoc.errors import AssociationError, DeclarationError, RecordNotFound, UnsavedRecordError, listed
from activeassoc.kept import Kept
from activeassoc.keys import is_saved
from activeassoc.naming import Names
from activeassoc.registry import Key, Model, is_record_of
from activeassoc.stores.sql import every_row, same_database, store_of
from activeassoc.targets import key_of
from activeassoc.twins import Twin

Operation = TypeVar("Operation", bound=Callable[..., Any])


class Hop(NamedTuple):
    """From records whose `near` holds a value to the records of `model` whose `far` equals it."""

    near: str
    model: Model
    far: str


def verb(*patterns: str) -> Callable[[Operation], Operation]:
    """Publish this operation on the source model under these names, {one} and {many} filled in."""

    def mark(operation: Operation) -> Operation:
        operation.verbs = patterns  # type: ignore[attr-defined]
        return operation

    return mark


def prepared(key: str, arguments: int) -> Callable[[Operation], Operation]:
    """Of the operation with this many arguments a function is kept under `key`, which the published method may ask first."""

    def mark(operation: Operation) -> Operation:
        operation.prepared = key, arguments  # type: ignore[attr-defined]
        return operation

    return mark


def publish(association: Association, operation: Callable[..., Any], name: str) -> Callable[..., Any]:
    """A true method of the source model: help(), inspect and tracebacks tell its own story (C15)."""

    key, given = getattr(operation, "prepared", ("", -1))

    def accessor(self: Any, /, *arguments: Any, **options: Any) -> Any:
        # Without options the statement is kept: what is at hand needs no more calls. All else is the operation's.
        if len(arguments) == given and not options and association._kept is not None:
            ready = association._kept.get(key)
            if ready is not None:
                answer = ready(self, *arguments)
                if answer is not NotImplemented:
                    return answer
        return operation(association, self, *arguments, **options)

    functools.update_wrapper(accessor, operation)  # getsource() shows the operation
    for mark in ("verbs", "prepared"):
        accessor.__dict__.pop(mark, None)
    _, owner, *rest = inspect.signature(operation).parameters.values()
    accessor.__signature__ = inspect.Signature([owner.replace(name="self"), *rest])  # type: ignore[attr-defined]
    qualname = f"{association.source.__qualname__}.{name}"
    accessor.__name__, accessor.__qualname__, accessor.__module__ = name, qualname, association.source.__module__
    accessor.__code__ = accessor.__code__.replace(co_name=name, co_qualname=qualname)
    accessor.__doc__ = f"{inspect.getdoc(operation)}\n\nGenerated for {association.declared}."
    accessor.association = association  # type: ignore[attr-defined]
    return accessor


class Chain:
    """The declaring calls, passed on to the source: ``Project.has_one(User).has_one(Deadline)`` (A5)."""

    source: Any

    def has_one(self, *arguments: Any, **options: Any) -> Any:
        """``has_one`` of the source."""
        return self.source.has_one(*arguments, **options)

    def belongs_to(self, *arguments: Any, **options: Any) -> Any:
        """``belongs_to`` of the source."""
        return self.source.belongs_to(*arguments, **options)

    def has_many(self, *arguments: Any, **options: Any) -> Any:
        """``has_many`` of the source."""
        return self.source.has_many(*arguments, **options)

    def belongs_to_many(self, *arguments: Any, **options: Any) -> Any:
        """``belongs_to_many`` of the source."""
        return self.source.belongs_to_many(*arguments, **options)

    def references_many(self, *arguments: Any, **options: Any) -> Any:
        """``references_many`` of the source."""
        return self.source.references_many(*arguments, **options)


class Association(Chain):
    """How the records of `source` belong together with those of `target`."""

    #: The method that declares this kind.
    kind: ClassVar[str]
    to_many: ClassVar[bool]
    #: The key is a column of the source, which need not have a row.
    key_on_source: ClassVar[bool] = False
    #: What follows from its models and is worked out once.
    _kept: Kept | None = None
    #: The names of the operations, for what passes them on.
    operations: ClassVar[frozenset[str]] = frozenset()
    #: ``HasMany[Project, Task]`` in annotations; `activeassoc.types` says what it means.
    __class_getitem__: Any = classmethod(GenericAlias)

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        asking = {*verbs_of(cls), "reach"}
        cls.operations = frozenset({*asking, "query", "any", *(f"a{name}" for name in asking)})
        for name in asking:
            setattr(cls, f"a{name}", Twin(name))

    def __init__(
        self, source: Model, wanted: str, names: Names, declared: str, binder: Callable[[Any, Model], None], **options: Any
    ) -> None:
        self.source = source
        self.wanted = wanted
        self.names = names
        self.declared = declared
        #: Plans and applies what the target has to do with it; given by whoever declares.
        self._binder = binder
        self._target: Model | None = None
        #: The target, where it is known and something else is still waited for.
        self.meant: Model | None = None
        self.binding = False
        #: What was said in the declaration, None where nothing was.
        self.options = options
        self.where = options.get("where")
        self.order = options.get("order")

    # What it is

    @property
    def name(self) -> str:
        """The name in ``Source.associations`` and of the class attribute."""
        return self.names.many if self.to_many else self.names.one

    @property
    def label(self) -> str:
        return f"{self.source.__name__}.{self.name}"

    @property
    def bound(self) -> bool:
        """Whether the target is known and the keys are made."""
        return self._target is not None

    @property
    def target(self) -> Model:
        """The target model. One that was given by name is looked up now, at the latest (A6)."""
        if self._target is None:
            with registry.lock:
                if self._target is None:
                    self.bind(registry.target_of(self))
        return self._target

    @classmethod
    def check_options(cls, options: dict[str, Any], text: str) -> None:
        """Raise for options that this kind does not have, where its declaring call takes any."""

    def bind(self, target: Model) -> None:
        """Take `target` and make the keys; raises, and changes nothing, where something stands against it."""
        with registry.lock:
            if self._target is not None or self.binding:
                return  # what it needs may in turn wait for its source
            self.binding = True
            try:
                self._binder(self, target)
                registry.bound(self)
            finally:
                self.binding = False

    def bound_to(self, target: Model) -> None:
        """The last step of a plan: the target is `target`."""
        self._target = target
        self._kept = None

    def kept(self, name: Any, make: Callable[[Any], Any]) -> Any:
        """What `make` makes of this association, made once and kept until a model of it changes."""
        kept = self._kept
        if kept is not None:
            found = kept.get(name)
            if found is not None:
                return found
        else:
            kept = self._kept = Kept(self.source, self.target, *{hop.model: None for hop in self.path})
        return kept.of(name, lambda: make(self))

    def key_options(self) -> dict[str, Any]:
        """The options of the key to the source (of a belongs_to, to the target) that were said; the others have no opinion (A11)."""
        said = {name: self.options[name] for name in ("on_delete", "on_update", "null", "constraints") if name in self.options}
        return said | ({"unique": True} if self.options.get("unique_key") else {})

    @property
    def keys(self) -> tuple[Key, ...]:
        """The records of the keys that it uses."""
        raise NotImplementedError

    @property
    def path(self) -> tuple[Hop, ...]:
        """The hops from owners to targets: all that reading needs."""
        raise NotImplementedError

    def __repr__(self) -> str:
        return f"<{self.declared}>"

    def __reduce__(self) -> tuple[Any, ...]:
        return association_of, (self.source, self.name)

    # Attribute of the class and of instances

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        if instance is None:
            return self
        self.check_owner(instance, self.name)
        return self.value(instance)

    def __set__(self, instance: Any, value: Any) -> None:
        raise AssociationError(
            f"{self.source.__name__}.{self.name} = {value!r}",
            "the records are not columns of this one, and assigning them would write nothing",
            f"Write {self.source.__name__.lower()}.set_{self.name}(…)",
        )

    def value(self, owner: Any) -> Any:
        """What the attribute of `owner` is."""
        raise NotImplementedError

    # Owners

    def asked(self, operation: str) -> str:
        """What a message says was asked: the method's name on the source."""
        pattern = verbs_of(type(self)).get(operation, (operation,))[0]
        return f"{self.source.__name__}.{self.fill(pattern)}()"

    @property
    def getter(self) -> str:
        """The name of the method that reads its records."""
        return self.fill(verbs_of(type(self))["get"][0])

    def fill(self, pattern: str) -> str:
        return pattern.format(one=self.names.one, many=self.names.many)

    def check_owner(self, owner: Any, operation: str) -> None:
        """Raise where `owner` is no record of the source: of a subclass with a table of its own, or of another model."""
        if type(owner) is self.source or is_record_of(owner, self.source):
            return
        kind = type(owner).__name__
        call = self.declared.partition(".")[2]
        raise DeclarationError(
            f"{kind}.{self.name}",
            f"{self.declared} is of {self.source.__name__}, and {kind} is a model with a table of its own",
            f"Declare {kind}.{call}",
        )

    def has_row(self, owner: Any, operation: str) -> bool:
        """Whether the owner is saved, for reading accessors: one without a row has no targets (C2)."""
        self.check_owner(owner, operation)
        return is_saved(owner)

    def require_saved(self, owner: Any, operation: str) -> None:
        """Raise where the owner has no row, for writing accessors."""
        self.check_owner(owner, operation)
        if not is_saved(owner):
            raise UnsavedRecordError(
                self.asked(operation), f"this {self.source.__name__} is not saved yet", "Save it first", record=owner
            )

    def lock(self, owner: Any, operation: str) -> bool:
        """Lock the owner's row, where the store can, until the transaction ends (C17); whether it did."""
        if not store_of(self.source._meta.database).row_locks or not same_database(self.source, self.keys[0].model):
            return False  # of another database than what is written, it would be locked for no longer than the statement
        self._owner_row(owner, operation, lock=True)
        return True

    def require_row(self, owner: Any, operation: str) -> None:
        """Raise RecordNotFound where the owner's row is gone. One query."""
        self._owner_row(owner, operation)

    @contextlib.contextmanager
    def with_owner(self, owner: Any, operation: str) -> Iterator[None]:
        """A block whose constraints fail with RecordNotFound where that is because the owner's row is gone.

        It stands around the transaction: within one that failed PostgreSQL answers no question.
        """
        try:
            yield
        except peewee.IntegrityError:
            self.require_row(owner, operation)
            raise

    def _owner_row(self, owner: Any, operation: str, lock: bool = False) -> None:
        query = every_row(self.source, peewee.SQL("1")).where(owner._pk_expr())
        if lock:
            query = query.for_update()
        if not self.source._meta.database.execute(query).fetchone():
            raise not_found(self.asked(operation), self.source, [key_of(owner)])


def association_of(source: Model, name: str) -> Association:
    """The association of this name; what a pickle holds of one."""
    return source.associations[name]  # type: ignore[no-any-return]


def verbs_of(kind: type[Association]) -> dict[str, tuple[str, ...]]:
    """The published operations of a kind: operation → patterns of the methods' names. Methods, routes and docs come from it."""
    found = _verbs.get(kind)
    if found is None:
        operations = inspect.getmembers(kind, inspect.isfunction)
        found = _verbs[kind] = {name: operation.verbs for name, operation in operations if hasattr(operation, "verbs")}
    return found


#: Looked through once for each kind.
_verbs: dict[Any, dict[str, tuple[str, ...]]] = {}


def methods_of(association: Association) -> dict[str, Callable[..., Any]]:
    """The methods that the association publishes: name → operation.

    Where singular and plural are one word the operation on one target has the name, and takes several too (B3, C10).
    """
    found: dict[str, Callable[..., Any]] = {}
    for name, patterns in sorted(verbs_of(type(association)).items(), key=lambda verb: "{many}" in verb[1][0]):
        for pattern in patterns:
            found.setdefault(association.fill(pattern), getattr(type(association), name))
    return found


def not_found(asked: str, model: Model, keys: list[Any]) -> RecordNotFound:
    """The error for rows that are not there."""
    rows = "no row" if len(keys) == 1 else "no rows"
    return RecordNotFound(
        asked,
        f"{model.__name__} has {rows} with the primary key {listed(map(repr, keys))}",
        "Create it first, or leave it out",
        model=model,
        keys=keys,
    )
