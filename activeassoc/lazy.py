"""What happens when a record's association is read that nobody has loaded: the policies, and the settings of the package.

``for user in User.select(): user.pets`` is one query for the users and one more for each of them. The policy says what to do
about it: "load" (do it), "batch" (load for all records of the same query at once), "warn" (do it and say where), "raise" (refuse).

Map: `settings` holds what holds everywhere, `lazy_policy` says otherwise for a block, `policy_of` is what holds for a model;
`arrive` is called before an attribute loads by itself; `together` notes which records came from one query, for "batch";
`call_site` finds the user's line; `populating` is filled in by `populate`, which stands floors above.
"""

from __future__ import annotations

import contextlib
import sys
import warnings
import weakref
from collections.abc import Callable, Iterable, Iterator
from contextvars import ContextVar
from typing import Any, NamedTuple

from activeassoc.errors import LazyLoadError, LazyLoadWarning, UnknownName, WrongArgument, listed, nearest
from activeassoc.stores import bridge

__all__ = ["lazy_policy", "settings"]

POLICIES = ("load", "batch", "warn", "raise")


def _nobody(model: Any, paths: Any, asked: str) -> Any:
    raise RuntimeError("activeassoc.populate is not imported")


#: (model, paths, what was asked) → a plan of `populate`; set by that module, which this one cannot import.
populating: Callable[[Any, Any, str], Any] = _nobody

_block: ContextVar[str | None] = ContextVar("activeassoc_lazy_policy", default=None)


def checked(policy: Any, asked: str) -> str:
    """`policy`, where it is one."""
    if policy in POLICIES:
        return str(policy)
    raise WrongArgument(asked, "there is no such policy", f"Known are {listed(map(repr, POLICIES))}", value=policy)


class Settings:
    """What holds for the whole program; a model's Meta, a block or a call can say otherwise.

    `populate_limit` is how many records populate reads for each owner where nothing else is said: a number, or None for
    all (30). `lazy` is the policy for associations that are read before they are loaded ("load"). `embed_associations` tells
    whether a many-to-many that does not say ``embed=`` itself keeps its links in the documents of both sides, where the store has
    documents (False); it holds for what is declared afterwards.
    """

    __slots__ = ("_embed_associations", "_lazy", "_populate_limit")

    def __init__(self) -> None:
        self._populate_limit: int | None = 30
        self._lazy = "load"
        self._embed_associations = False

    @property
    def populate_limit(self) -> int | None:
        return self._populate_limit

    @populate_limit.setter
    def populate_limit(self, value: int | None) -> None:
        self._populate_limit = checked_limit(value, f"settings.populate_limit = {value!r}")

    @property
    def lazy(self) -> str:
        return self._lazy

    @lazy.setter
    def lazy(self, value: str) -> None:
        self._lazy = checked(value, f"settings.lazy = {value!r}")

    @property
    def embed_associations(self) -> bool:
        return self._embed_associations

    @embed_associations.setter
    def embed_associations(self, value: bool) -> None:
        if not isinstance(value, bool):
            asked = f"settings.embed_associations = {value!r}"
            raise WrongArgument(asked, "this is neither True nor False", "Give one of these", value=value)
        self._embed_associations = value

    def __setattr__(self, name: str, value: Any) -> None:
        known = [each for each in dir(type(self)) if not each.startswith("_")]
        if name not in known and name not in self.__slots__:
            raise UnknownName(f"settings.{name} = {value!r}", "there is no such setting", nearest(name, known), name=name, known=known)
        super().__setattr__(name, value)

    def __repr__(self) -> str:
        return f"<settings: populate_limit={self._populate_limit}, lazy={self._lazy!r}, embed_associations={self._embed_associations}>"


def checked_limit(value: Any, asked: str) -> int | None:
    """`value`, where it is a number of records or None."""
    if value is None or (isinstance(value, int) and not isinstance(value, bool) and value >= 0):
        return value
    raise WrongArgument(asked, "this is no number of records", "Give a whole number from 0, or None for all", value=value)


settings = Settings()


def lazy_policy(policy: str) -> contextlib.AbstractContextManager[None]:
    """A block, or a decorated function, in which this policy holds for every model: "load", "batch", "warn" or "raise".

    It holds for this thread (or task) until the block ends, whatever `settings.lazy` and the models' ``Meta.lazy`` say; of
    nested blocks the innermost holds. "batch" needs records that were read inside of the block. Raises WrongArgument for
    another policy. (G8)
    """
    return _policy_block(checked(policy, f"lazy_policy({policy!r})"))


@contextlib.contextmanager
def _policy_block(policy: str) -> Iterator[None]:
    token = _block.set(policy)
    try:
        yield
    finally:
        _block.reset(token)


def policy_of(model: Any) -> str:
    """The policy that holds for records of `model`: the block's, the model's, or the one of the settings."""
    block = _block.get()
    if block is not None:
        return block
    own = getattr(model._meta, "lazy", None)
    return settings.lazy if own is None else checked(own, f"{model.__name__}.Meta.lazy = {own!r}")


def on_request(model: Any) -> contextlib.AbstractContextManager[None]:
    """A block in which what is loaded was asked for by name: that is not lazy, and no policy is against it."""
    return _policy_block("batch" if policy_of(model) == "batch" else "load")


class Peers:
    """The records of one query, held weakly: one of them that is kept does not keep the others."""

    __slots__ = ("_references",)

    def __init__(self, records: Iterable[Any] = ()) -> None:
        self._references = [weakref.ref(record) for record in records]

    def alive(self) -> list[Any]:
        found = [reference() for reference in self._references]
        return [record for record in found if record is not None]

    def __reduce__(self) -> tuple[Any, ...]:
        return (Peers, ())  # a pickled record has no peers where it arrives


def together(model: Any, records: list[Any]) -> None:
    """Note that these records of `model` came from one query, where the policy is "batch". Costs nothing else."""
    if len(records) > 1 and policy_of(model) == "batch":
        peers = Peers(records)
        for record in records:
            record.__dict__["_peers"] = peers


def joined_together(model: Any, records: list[Any]) -> None:
    """The same for the records that a query with joins has put beside each of them."""
    together(model, records)
    beside: dict[type, dict[int, Any]] = {}
    for record in records:
        for other in record.__rel__.values():
            if other is not None:
                beside.setdefault(type(other), {})[id(other)] = other
    for kind, found in beside.items():
        if hasattr(kind, "associations"):
            together(kind, list(found.values()))


def arrive(owner: Any, name: str) -> bool:
    """Before `owner` loads its association `name` by a query of its own: do what the policy says.

    True where it is loaded now, with those of its peers. Raises LazyLoadError where that is the policy.
    """
    policy = policy_of(type(owner))
    if bridge.unreachable(_databases(owner, name)):
        raise _not_in_passing(owner, name)
    if policy == "load":
        return False
    if policy == "batch":
        return _load_for_peers(owner, name)
    model, place = type(owner).__name__, call_site()
    asked = f"{model}.{name} at {place.filename}:{place.line}"
    write = f'Write {model}.select().populate("{name}"), or populate(records, "{name}") for records in hand'
    if policy == "raise":
        raise LazyLoadError(asked, 'it is not loaded, and the policy "raise" allows no query here', write, record=owner, name=name)
    warning = LazyLoadWarning(asked, "it is not loaded, so that every record costs a query of its own", write, name=name)
    place.warn(warning)
    return False


def _databases(owner: Any, name: str) -> Iterator[Any]:
    """The databases that loading it would ask."""
    association = type(owner).associations.get(name) if hasattr(type(owner), "associations") else None
    if association is None:
        yield owner._meta.fields[name].rel_model._meta.database
        return
    if association.path[0].near not in owner.__data__:
        yield owner._meta.database
    yield from (hop.model._meta.database for hop in association.path)


def _not_in_passing(owner: Any, name: str) -> LazyLoadError:
    model, association = type(owner).__name__, type(owner).associations.get(name)
    if association is None:
        await_it = f'afetch("{name}")'
    else:
        await_it = f"{name}.aload()" if association.to_many else f"a{association.getter}()"
    populate = f'{model}.select().populate("{name}")'
    return not_in_passing(owner, name, f"await {model.lower()}.{await_it}, or load it with the records: {populate}")


def not_in_passing(owner: Any, name: str, write: str) -> LazyLoadError:
    """The error for what async code reads as an attribute: there is no place for an await in it."""
    place = call_site()
    asked, because = f"{type(owner).__name__}.{name} at {place.filename}:{place.line}", "async code cannot load it in passing"
    return LazyLoadError(asked, f"it is not loaded, and {because}", f"Write {write}", record=owner, name=name)


def _load_for_peers(owner: Any, name: str) -> bool:
    peers = owner.__dict__.get("_peers")
    if peers is None:
        return False
    others = [each for each in peers.alive() if each is not owner and not _loaded(each, name)]
    if not others:
        return False
    plan = populating(type(owner), {name: None}, f"{type(owner).__name__}.{name}")
    plan.run([each for each in (owner, *others) if plan.has_keys(each)])
    return _loaded(owner, name)


def _loaded(record: Any, name: str) -> bool:
    """Whether the record holds what `name` is."""
    if name in record.__rel__:
        return True
    held = record.__dict__.get("_loaded")
    if held is None or name not in held:
        return False
    association = type(record).associations.get(name)
    return bool(held[name].loaded) if association is not None and association.to_many else True


class Place(NamedTuple):
    """A line of the user's program."""

    filename: str
    line: int
    names: dict[str, Any]

    def warn(self, warning: Warning) -> None:
        """Warn as from this line, so that filters and "once for each line" go by it."""
        registry = self.names.setdefault("__warningregistry__", {})
        warnings.warn_explicit(warning, type(warning), self.filename, self.line, self.names.get("__name__"), registry)


_OURS = ("activeassoc", "peewee", "playhouse")


def call_site() -> Place:
    """The innermost line that is not in this package or in peewee."""
    frame = sys._getframe(1)
    while frame.f_back is not None and str(frame.f_globals.get("__name__", "")).partition(".")[0] in _OURS:
        frame = frame.f_back
    return Place(frame.f_code.co_filename, frame.f_lineno, frame.f_globals)
