"""What a model says of itself for REST: ``Meta.rest``, read and checked whole when the app is made.

>>> class User(Base):
...     class Meta:
...         rest = {"excluded": ["password"], "create_only": ["password"], "associations": {"friends": {"alias": "friend"}}}

Map: `WORDS` are the words that it knows, and `OF_ASSOCIATIONS` those within ``associations``; `Rest` is what they say of one model,
`Allowed` what they say of one association; `rest_of` reads them, the base models' included.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from activeassoc.errors import DeclarationError, UnknownName, nearest
from activeassoc.keys import find_field
from activeassoc.registry import Model

#: What a client may want to do with the records of a model: the `action` that hooks are named after, and `authorize` is asked about.
ACTIONS: dict[str, str] = {
    "read": "see records: one, a list, those of an association, or embedded ones",
    "create": "make records (POST)",
    "update": "change a record (PUT)",
    "delete": "delete records (DELETE)",
    "add": "add records to a list of the record (POST and PUT below it)",
    "remove": "remove records from a list of the record (DELETE below it)",
}

#: The words of ``Meta.rest`` → (kind of value, meaning). Tests and docs read this table.
WORDS: dict[str, tuple[str, str]] = {
    "alias": ("segment", "the path segment of the model, verbatim: /alias instead of /user"),
    **{f"allow_{action}": ("flag", f"False: nobody may {meaning}") for action, meaning in ACTIONS.items()},
    "excluded": ("names", "fields and associations that never leave: not returned, filtered, sorted, searched or embedded"),
    "read_only": ("names", "fields and associations that no request writes"),
    "create_only": ("names", "fields that are written when the record is made, and never again"),
    "before": ("hooks", "before(request, model, payload), called before anything is done; what it returns takes the payload's place"),
    "after": ("hooks", "after(request, model, records), called when it is done, in the same transaction"),
    "authorize": ("hook", "authorize(request, action, model, record): anything but a true answer is 403"),
    "associations": ("associations", "what is said of single associations, by their names"),
}
#: The words for one association → (kind of value, meaning).
OF_ASSOCIATIONS: dict[str, tuple[str, str]] = {
    "alias": ("segment", "the path segment of the association, verbatim: /role/{id}/alias instead of /role/{id}/user"),
    "allow_read": ("flag", "False: it is neither listed nor embedded"),
    "allow_add": ("flag", "False: nothing is added to it"),
    "allow_remove": ("flag", "False: nothing is removed from it"),
}

Hooks = Mapping[str, Callable[..., Any]]


@dataclass(frozen=True)
class Allowed:
    """What ``Meta.rest`` says of one association; None where it says nothing, and the model's own word counts."""

    alias: str | None = None
    allow_read: bool | None = None
    allow_add: bool | None = None
    allow_remove: bool | None = None


@dataclass(frozen=True)
class Rest:
    """What ``Meta.rest`` says of one model, checked. The names are those of fields (`excluded` and `read_only` may name associations)."""

    alias: str | None = None
    allow_read: bool = True
    allow_create: bool = True
    allow_update: bool = True
    allow_delete: bool = True
    allow_add: bool = True
    allow_remove: bool = True
    excluded: frozenset[str] = frozenset()
    read_only: frozenset[str] = frozenset()
    create_only: frozenset[str] = frozenset()
    #: By action.
    before: Hooks = field(default_factory=lambda: MappingProxyType({}))
    after: Hooks = field(default_factory=lambda: MappingProxyType({}))
    authorize: Callable[..., Any] | None = None
    associations: Mapping[str, Allowed] = field(default_factory=lambda: MappingProxyType({}))

    def of(self, association: str) -> Allowed:
        """What is said of the association of this name."""
        return self.associations.get(association, Allowed())


def rest_of(model: Model) -> Rest:
    """What `model` says in ``Meta.rest``. What its bases say holds too, word by word, but for the alias: excluded stays excluded.

    Raises UnknownName and DeclarationError for whatever cannot be meant. (K7)
    """
    asked = f"Meta.rest of {model.__name__}"
    said: dict[str, Any] = {}
    # peewee hands unknown options of Meta on to derived models whole; here every class adds its words to those of its bases.
    for each in reversed(model.__mro__):
        words = getattr(getattr(each, "_meta", None), "rest", None)
        if words is None:
            continue
        _check_words(words, WORDS, asked)
        if words is not own_of(each):
            continue
        inner = said.get("associations")
        said = {**{word: value for word, value in said.items() if word != "alias"}, **words}
        if isinstance(inner, Mapping) and isinstance(said["associations"], Mapping):
            said["associations"] = {**inner, **said["associations"]}
    if own_of(model) is None:
        said.pop("alias", None)
    read = {word: READ[WORDS[word][0]](model, word, value, asked) for word, value in said.items()}
    rest = Rest(**read)
    _check_names(model, rest, asked)
    return rest


def own_of(model: Any) -> Any:
    """What the class itself says; None where it has what a base says."""
    words = getattr(getattr(model, "_meta", None), "rest", None)
    return None if any(getattr(getattr(base, "_meta", None), "rest", None) is words for base in model.__mro__[1:]) else words


def _check_words(words: Any, known: Mapping[str, Any], asked: str) -> None:
    if not isinstance(words, Mapping):
        raise DeclarationError(asked, f"it is {words!r}, and no mapping", 'Write rest = {"excluded": ["password"]}', value=words)
    for word in words:
        if word not in known:
            raise UnknownName(asked, f"{word!r} is no word of it", nearest(str(word), known), name=word, known=sorted(known))


def _segment(model: Model, word: str, value: Any, asked: str) -> str | None:
    if value is None:
        return None
    fits = isinstance(value, str) and value.isascii() and value.strip("._~-") and all(mark.isalnum() or mark in "._~-" for mark in value)
    if not fits:
        raise DeclarationError(
            asked, f"alias={value!r} is no segment of a path", "Write letters, digits, '-', '_', '.' and '~'", value=value
        )
    return str(value)


def _flag(model: Model, word: str, value: Any, asked: str) -> bool:
    if not isinstance(value, bool):
        raise DeclarationError(asked, f"{word}={value!r} is neither True nor False", f"Write {word!r}: False", value=value)
    return value


def _names(model: Model, word: str, value: Any, asked: str) -> frozenset[str]:
    """The fields' names (a key may be named by its column or its association, too), and the names of associations without a field."""
    if isinstance(value, str) or not isinstance(value, Iterable):
        raise DeclarationError(asked, f"{word}={value!r} is no list of names", f'Write {word!r}: ["password"]', value=value)
    return frozenset(_name(model, word, each, asked) for each in value)


def _name(model: Model, word: str, name: Any, asked: str) -> str:
    found: Any = find_field(model, name) if isinstance(name, str) else None
    association = model.associations.get(name) if isinstance(name, str) else None
    if association is not None:
        if association.key_on_source:
            _ = association.target  # one that waits for its target is bound now
            return str(association.key.field.name)
        if word != "create_only":
            return str(name)
    if found is None:
        known = [each.name for each in model._meta.sorted_fields]
        known += [each for each in model.associations if word != "create_only"]
        raise UnknownName(
            asked, f"{word} names {name!r}, and {model.__name__} has no such field", nearest(str(name), known), name=name, known=known
        )
    return str(found.name)


def _hook(model: Model, word: str, value: Any, asked: str) -> Callable[..., Any] | None:
    if value is None:
        return None
    if not callable(value):
        raise DeclarationError(asked, f"{word}={value!r} cannot be called", f"Give a function: {WORDS[word][1]}", value=value)
    if inspect.iscoroutinefunction(value):
        raise DeclarationError(
            asked, f"{word} is a coroutine, and is called in the thread that holds the transaction", "Write def, not async def", value=value
        )
    found: Callable[..., Any] = value
    return found


def _hooks(model: Model, word: str, value: Any, asked: str) -> Hooks:
    """One function for every action, or functions by action."""
    if not isinstance(value, Mapping):
        one = _hook(model, word, value, asked)
        return MappingProxyType(dict.fromkeys(ACTIONS, one) if one is not None else {})
    _check_words(value, ACTIONS, f"{asked}, {word}")
    found = {action: _hook(model, word, each, asked) for action, each in value.items()}
    return MappingProxyType({action: each for action, each in found.items() if each is not None})


def _associations(model: Model, word: str, value: Any, asked: str) -> Mapping[str, Allowed]:
    if not isinstance(value, Mapping):
        raise DeclarationError(asked, f"associations={value!r} is no mapping", 'Write {"friends": {"alias": "friend"}}', value=value)
    found = {}
    for name, words in value.items():
        if name not in model.associations:
            known = list(model.associations)
            raise UnknownName(
                asked, f"{model.__name__} has no association {name!r}", nearest(str(name), known), name=name, known=sorted(known)
            )
        inside = f"{asked}, {name}"
        _check_words(words, OF_ASSOCIATIONS, inside)
        found[name] = Allowed(**{each: READ[OF_ASSOCIATIONS[each][0]](model, each, said, inside) for each, said in words.items()})
    return MappingProxyType(found)


#: How a value is read, by its kind in the tables above.
READ: dict[str, Callable[[Model, str, Any, str], Any]] = {
    "segment": _segment,
    "flag": _flag,
    "names": _names,
    "hooks": _hooks,
    "hook": _hook,
    "associations": _associations,
}


def _check_names(model: Model, rest: Rest, asked: str) -> None:
    key = model._meta.primary_key
    if getattr(key, "name", None) in rest.excluded:
        raise DeclarationError(asked, f"excluded names {key.name!r}, the primary key, which every path needs", "Leave it out")
    both = sorted(rest.read_only & rest.create_only)
    if both:
        raise DeclarationError(asked, f"{both[0]!r} is both read_only and create_only", "Name it in one of the two")
