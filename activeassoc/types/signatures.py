"""The verbs with true types: an operation of an association and the words of its models → the lines of a method.

The operations say what they take, for any models; here stand the types that this is for given ones. From these tables come the mixins of
a user's models, and ``kinds.pyi``, where the target is a type variable. For asyncio databases each verb has a twin, which is awaited.

Map: `PARAMETERS`, `OF_LINKS` and `RETURNS` are the types; `Words` what is filled in; `method` makes the lines of one verb, `twin` those of
its twin, `wrapped` breaks a signature; `kinds` is the text of ``kinds.pyi``.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from activeassoc.associations.base import Association, verbs_of
from activeassoc.associations.belongs_to import BelongsTo
from activeassoc.associations.has_many import HasMany
from activeassoc.associations.has_one import HasOne
from activeassoc.associations.many_to_many import ManyToMany
from activeassoc.associations.references_many import ReferencesMany

__all__ = ["OF_LINKS", "PARAMETERS", "RETURNS", "WIDTH", "Words", "kinds", "method", "twin", "wrapped"]

#: The longest line, as formatters break them.
WIDTH = 88

#: Parameter → type, where the operation itself cannot say it.
PARAMETERS: dict[str, str] = {
    "target": "{target} | {key} | None",
    "targets": "{target} | {key} | Iterable[{target} | {key}] | None",
    "where": "Where",
    "through_where": "Where",
    "attributes": "Columns",
    "join_attributes": "Columns",
    "order": "Order",
    "populate": "Paths",
    "through": "{attributes} | None",
    "values": "Iterable[{fields}]",
}

#: (operation, parameter) → type, for operations that may give each target the attributes of its link.
OF_LINKS: dict[tuple[str, str], str] = {
    ("set", "targets"): "Links[{target}, {key}, {attributes}]",
    ("set", "attributes"): "{attributes} | None",
    ("add", "targets"): "Links[{target}, {key}, {attributes}]",
    ("add", "attributes"): "{attributes} | None",
}

#: What an operation returns, where it says ``Any``.
RETURNS: dict[str, str] = {"get": "{target} | None", "set": "{target} | None", "create": "{target}"}

#: What any file of types may have to import for these, by module.
IMPORTS: dict[str, str] = {
    **dict.fromkeys(("Any", "Required", "TYPE_CHECKING", "TypedDict", "overload"), "typing"),
    "Iterable": "collections.abc",
    "Mapping": "collections.abc",
    **dict.fromkeys(("Columns", "Links", "NoAttributes", "Order", "Paths", "Where"), "activeassoc.types"),
}

_BUILTINS = re.compile(r"\b(bool|bytes|dict|float|int|list|str|tuple)\b")


@dataclass
class Words:
    """What the types of one association are called in a file."""

    target: str
    key: str
    attributes: str
    fields: str
    #: The fields of a new target as parameters, None where nobody knows them.
    parameters: list[str] | None = None
    #: The parameter before the others, beside self.
    owner: str | None = None
    #: Names of the class, which hide builtins of the same name.
    hidden: set[str] = field(default_factory=set)
    same_word: bool = False
    #: How far in the lines will stand.
    indent: int = 8
    #: The methods are coroutine functions.
    awaited: bool = False

    def fill(self, text: str) -> str:
        """A type of the tables, for this association."""
        return self.plain(text.format(target=self.target, key=self.key, attributes=self.attributes, fields=self.fields))

    def head(self, name: str) -> str:
        """How the definition of a method begins."""
        return f"async def a{name}" if self.awaited else f"def {name}"

    def plain(self, text: str) -> str:
        """The type, with builtins that the class hides named in full."""
        return _BUILTINS.sub(lambda found: f"builtins.{found[1]}" if found[1] in self.hidden else found[1], text)


def method(name: str, operation: Callable[..., Any], words: Words) -> list[str]:
    """The lines of the method `name`, for the body of a class."""
    given = list(inspect.signature(operation).parameters.values())[2:]
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in given):
        return _creating(name, operation, given, words)
    parameters = ["self", *_owner(words), *_written(operation, given, words)]
    return wrapped(words.head(name), parameters, words.fill(returned(operation)), words.indent)


def twin(name: str, operation: Callable[..., Any], words: Words) -> list[str]:
    """The lines of the twin of the method `name`."""
    return method(name, operation, replace(words, awaited=True))


def returned(operation: Callable[..., Any]) -> str:
    """What the operation gives, in the words of the tables."""
    said = str(inspect.signature(operation).return_annotation)
    return RETURNS[operation.__name__] if said == "Any" else said.replace("list[Any]", "list[{target}]")


def type_of(operation: Callable[..., Any], parameter: inspect.Parameter) -> str:
    """The type of a parameter, in the words of the tables."""
    name = parameter.name
    if "attributes" in inspect.signature(operation).parameters and (operation.__name__, name) in OF_LINKS and _of_links(operation):
        return OF_LINKS[operation.__name__, name]
    said = str(parameter.annotation)
    return PARAMETERS[name] if "Any" in said else said


def _of_links(operation: Callable[..., Any]) -> bool:
    return "through" in inspect.signature(operation).parameters


def _owner(words: Words) -> list[str]:
    return [] if words.owner is None else [f"owner: {words.owner}"]


def _written(operation: Callable[..., Any], given: Iterable[inspect.Parameter], words: Words) -> list[str]:
    found: list[str] = []
    for parameter in given:
        if parameter.kind is parameter.KEYWORD_ONLY and "*" not in found:
            found.append("*")
        default = "" if parameter.default is parameter.empty else f" = {parameter.default!r}"
        found.append(f"{parameter.name}: {words.fill(type_of(operation, parameter))}{default}")
    return found


def _creating(name: str, operation: Callable[..., Any], given: list[inspect.Parameter], words: Words) -> list[str]:
    """A verb that makes a record: its fields by keyword, or as a mapping; where one word is singular and plural, several mappings."""
    head = words.head(name)
    options = [each for each in _written(operation, [each for each in given if each.kind is each.KEYWORD_ONLY], words) if each != "*"]
    made, mapping = words.fill(returned(operation)), words.plain("Mapping[str, Any]")
    if words.parameters is None:
        start = ["self", *_owner(words), f"values: {mapping} | None = None", "/"]
        return wrapped(head, [*start, *(["*", *options] if options else []), "**fields: Any"], made, words.indent)
    taken = {"self", *(each.partition(":")[0] for each in options)}
    fields = [each for each in words.parameters if each.partition(":")[0] not in taken]
    keywords = [*fields, *options]
    forms = [
        ["self", "/", *(["*", *keywords] if keywords else [])],
        ["self", f"values: {mapping}", "/", *(["*", *options] if options else []), "**fields: Any"],
    ]
    lines = [line for form in forms for line in ["@overload", *wrapped(head, form, made, words.indent)]]
    if words.same_word:
        several = ["self", f"values: {words.fill('Iterable[{fields}]')}", "/", *(["*", *options] if options else [])]
        lines += ["@overload", *wrapped(head, several, words.fill("list[{target}]"), words.indent)]
    return [*lines, *wrapped(head, ["self", "/", "*arguments: Any", "**fields: Any"], "Any", words.indent)]


def wrapped(head: str, parameters: list[str], returns: str, indent: int) -> list[str]:
    """A method without a body, which begins with `head`, in as many lines as it needs where it stands in by `indent`."""
    line = f"{head}({', '.join(parameters)}) -> {returns}: ..."
    if indent + len(line) <= WIDTH:
        return [line]
    inner = ", ".join(parameters)
    if indent + 4 + len(inner) <= WIDTH:
        return [f"{head}(", f"    {inner}", f") -> {returns}: ..."]
    return [f"{head}(", *(f"    {each}," for each in parameters), f") -> {returns}: ..."]


# The kinds themselves

_HEAD = '''"""The verbs of each kind of association, with the target as a type variable: what type checkers see of ``Project.tasks.add``.

Only checkers read this file. It is what ``activeassoc.types.signatures.kinds()`` makes of the operations.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Generic

from activeassoc.types.faces import InArray, KeyField, Source, Target, ToMany, ToOne, ToOneElsewhere, Value
from activeassoc.types.words import Columns, Key, Links, Order, Paths, Where
'''

#: Kind → the bases of its face.
FACES: dict[type[Association], str] = {
    BelongsTo: "KeyField[Target, Value], ToOne[Source, Target], Generic[Source, Target, Value]",
    HasOne: "ToOneElsewhere[Source, Target]",
    HasMany: "ToMany[Source, Target]",
    ManyToMany: "ToMany[Source, Target]",
    ReferencesMany: "InArray[Source, Target]",
}


def kinds() -> str:
    """The text of ``kinds.pyi``."""
    lines = [_HEAD.rstrip()]
    words = Words("Target", "Key", "Mapping[str, Any]", "Mapping[str, Any]", owner="Source", indent=4)
    for kind, bases in FACES.items():
        lines += ["", f"class {kind.__name__}({bases}):", f'    """{(kind.__doc__ or "").splitlines()[0]}"""', ""]
        for name in verbs_of(kind):
            operation = getattr(kind, name)
            lines += [f"    {line}" for line in [*method(name, operation, words), *twin(name, operation, words)]]
    return "\n".join(lines) + "\n"
