"""The module of types for the models of a module: one mixin for each, with every method, field, key and collection that it gained.

``class Project(ProjectAssociations, Base)`` takes them. At run time the mixins are empty; for checkers they are what stands here.

Map: `types_of` gives the text; `Types` gathers its parts: `mixin` of a model, `mapping` of a model's fields or a link's attributes; what a
mixin consists of are `_key_attributes`, `_attributes` and `_methods`.
"""

from __future__ import annotations

from collections.abc import Iterable
from types import ModuleType
from typing import Any

from peewee import Field, ForeignKeyField

from activeassoc import registry
from activeassoc.associations.base import Association, methods_of
from activeassoc.associations.belongs_to import BelongsTo
from activeassoc.associations.links import Attributes
from activeassoc.associations.many_to_many import ManyToMany
from activeassoc.associations.reading import LinkAccessor
from activeassoc.associations.writing import equalities
from activeassoc.errors import AssociationError, WrongArgument
from activeassoc.key_lists import KeyListField
from activeassoc.registry import Key, Model, keys_of
from activeassoc.stores.bridge import is_asyncio
from activeassoc.sync.models import is_base
from activeassoc.twins import Twin, databases_of
from activeassoc.types.fields import Imports, NewField, accepted, importable, key_of, parameters_of, value_of
from activeassoc.types.signatures import WIDTH, Words, method, twin, wrapped

__all__ = ["models_in", "types_of"]

#: How a module of types begins; the name of the models' module follows.
MARK = '"""What activeassoc gives to the models of '

_HEAD = """{mark}{module}, for type checkers.

Written by `activeassoc types {module}`, not by hand. A model takes its mixin as the first base:
class {model}({mixin}, ...). At run time the mixins are empty.
\"\"\"
# isort: skip_file

from __future__ import annotations

"""

_TAIL = '''\
if not TYPE_CHECKING:

    def __getattr__(name):
        # The mixins, also of models that are newer than this file.
        if name.endswith("Associations"):
            return type(name, (), {"__slots__": (), "__module__": __name__})
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
'''


def types_of(module: ModuleType, *, asyncio: bool = False) -> str:
    """The text of the module of types for the models that `module` defines, or a module within it where it is a package.

    The twins that are awaited are in it for models that have to do with an asyncio database, or with `asyncio` for all.

    It is the same for the same models, whatever else is imported but models that declare something of these. Targets that were
    given by name are looked up. Raises WrongArgument where the module has no models, and what stands against a declaration.
    """
    models = models_in(module)
    types = Types(asyncio)
    mixins = [lines for lines in (types.mixin(model) for model in models) if lines]
    if not mixins:
        raise WrongArgument(
            f"types of {module.__name__}",
            "the module defines no models" if not models else "nothing is declared of its models, and they declare their keys",
            "Name the module that defines the models, and import there what declares their associations",
            value=module,
        )
    first = mixins[0][0].removeprefix("class ").removesuffix(":")
    head = _HEAD.format(mark=MARK, module=module.__name__, model=first.removesuffix("Associations"), mixin=first)
    mappings = ["\n".join(lines) for lines in types.mappings.values()]
    guarded = ["\n".join(f"    {line}" if line else "" for line in lines) for lines in mixins]
    parts = [*mappings, "if TYPE_CHECKING:\n\n" + "\n\n".join(guarded), _TAIL]
    imports = "\n".join(types.imports.lines("".join(parts)))
    return "\n\n\n".join([head + imports, *parts])


def models_in(module: ModuleType) -> list[Model]:
    """The models that a module, or one within it, defines by class statements of its own, in order of definition."""
    known = registry.known_models()
    return [
        model
        for model in known
        if f"{model.__module__}.".startswith(f"{module.__name__}.")
        and importable(model)
        and not getattr(model._meta, "made_for", None)
        and not is_base(model, known)
    ]


class Types:
    """One module of types, while it is made."""

    def __init__(self, asyncio: bool) -> None:
        #: Every model has twins, whatever its database.
        self.asyncio = asyncio
        self.imports = Imports()
        #: The TypedDicts by name, in the order in which they were first needed.
        self.mappings: dict[str, list[str]] = {}

    # TypedDicts

    def mapping(self, model: Model, suffix: str, fields: Iterable[Field], optional: Iterable[Field] | None) -> str:
        """The name of a TypedDict of these fields of a model; `optional` need not be given, or with None all of them."""
        name = f"{self.imports.class_name(model)}{suffix}"
        if name not in self.mappings:
            free = None if optional is None else {field.name for field in optional}
            given = list(parameters_of(list(fields), self.imports))
            words = Words("", "", "", "", hidden={each.name for each in given})
            what = "A new record" if suffix == "Fields" else "The attributes of a link"
            lines = [f"class {name}(TypedDict, total=False):", f'    """{what} of {_in_one_line(model.__name__)}, as a mapping."""', ""]
            for each in given:
                required = free is not None and each.required and each.name not in free
                value = words.plain(each.type)
                lines.append(f"    {each.name}: {f'Required[{value}]' if required else value}")
            self.mappings[name] = lines if given else lines[:2]
        return name

    def attributes_of(self, association: Any) -> str:
        """The type of the attributes of a link; of an association without links nothing."""
        if not isinstance(association, ManyToMany):
            return ""
        return self.link_attributes(association.through, association.keys)

    def link_attributes(self, link: Model, keys: Any) -> str:
        fields = Attributes(link, keys).fields
        return self.mapping(link, "Attributes", fields, None) if fields else "NoAttributes"

    def fields_of(self, target: Model) -> str:
        """The type of a mapping of a new record's fields."""
        keys = [key.field for key in keys_of(target).values()]
        return self.mapping(target, "Fields", target._meta.sorted_fields, keys)

    # Mixins

    def mixin(self, model: Model) -> list[str]:
        """The lines of a model's mixin; none where it gained nothing."""
        own = [each for each in model.associations.values() if each.source is model]
        for association in own:
            _ = association.target  # one that waits for its target is bound now, and tells what stands against it
        attributes = {**self._key_attributes(model), **self._attributes(model, own)}
        names = {*attributes, *(name for each in own for name in methods_of(each))}
        methods = [self._methods(each, names) for each in own]
        if not attributes and not any(methods):
            return []
        lines = [f"class {self.imports.class_name(model)}Associations:"]
        lines += [f"    {line}" for attribute, text in attributes.items() for line in _annotated(attribute, text)]
        for association, made in zip(own, methods, strict=True):
            if made:
                lines += ["", *_comment(association.declared), *(f"    {line}" for line in made)]
        return lines

    def _key_attributes(self, model: Model) -> dict[str, str]:
        """The primary key that nobody declared, the keys that were added, and the names of their values."""
        meta, found = model._meta, {}
        if meta.implicit_key:
            found[meta.primary_key.name] = f"{type(meta.primary_key).__name__}[{value_of(meta.primary_key)}]"
            self.imports.take(type(meta.primary_key).__name__, "peewee")
        keys = {key.field.name: key for key in keys_of(model).values()}
        for field in meta.sorted_fields:
            if isinstance(field, KeyListField):
                self.imports.take("KeyListField", "activeassoc.types")
                found[field.name] = f"KeyListField[{self.imports.model(field.target)}, {accepted(value_of(field.referred))}]"
            if not isinstance(field, ForeignKeyField):
                continue
            if field.name in keys and not _by_hand(keys[field.name]):
                found[field.name] = self._of_key("KeyField", [field.rel_model], field)
            plain = getattr(field, "plain", None)
            if field.object_id_name != field.name and (plain is None or plain.name != field.object_id_name):
                self.imports.take("Field", "peewee")
                found[field.object_id_name] = f"Field[{value_of(field)}{' | None' if field.null else ''}]"
        return found

    def _of_key(self, kind: str, models: list[Model], field: Field) -> str:
        """The type of a key's attribute: the kind in brackets with its models, and what it is on a record, where that is not understood."""
        self.imports.take(kind, "activeassoc.types")
        names = [self.imports.model(model) for model in models]
        if kind == "KeyField" or not field.null:
            names.append(f"{names[-1]} | None" if field.null else names[-1])
        return f"{kind}[{', '.join(names)}]"

    def _attributes(self, model: Model, own: list[Any]) -> dict[str, str]:
        """The associations themselves, and the join rows of records that are reached through a link."""
        found: dict[str, str] = {}
        for association in own:
            name, target = association.name, association.target
            source = self.imports.model(model)
            if isinstance(association, BelongsTo):
                key = association.key
                if name != key.field.name or not _by_hand(key):
                    found[name] = self._of_key("BelongsTo", [model, target], key.field)
            elif getattr(model, name, None) is association:
                kind = type(association).__name__
                self.imports.take(kind, "activeassoc.types")
                found[name] = f"{kind}[{source}, {self.imports.model(target)}]"
        for name, value in vars(model).items():
            if isinstance(value, LinkAccessor):
                self.imports.take("Link", "activeassoc.types")
                keys = [key for key in keys_of(value.link).values() if key.of_link]
                found[name] = f"Link[{self.imports.model(value.link)}, {self.link_attributes(value.link, keys)}]"
        return found

    def _methods(self, association: Any, hidden: set[str]) -> list[str]:
        """The methods that an association has published; those that the user wrote are the user's."""
        source, target = association.source, association.target
        words = Words(
            target=self.imports.model(target),
            key=accepted(key_of(target)),
            attributes=self.attributes_of(association),
            fields="",
            hidden=hidden,
            same_word=association.to_many and association.same_word,
        )
        words.parameters = [
            f"{each.name}: {words.plain(each.type)}{'' if each.required else ' = ...'}" for each in self._new_fields(association)
        ]
        lines: list[str] = []
        awaited = self.asyncio or any(map(is_asyncio, databases_of(source)))
        for name, operation in methods_of(association).items():
            published = getattr(getattr(source, name, None), "association", None) is association
            if published:
                if operation.__name__ == "create_many" or words.same_word:
                    words.fields = self.fields_of(target)
                lines += method(name, operation, words)
            there = vars(source).get(f"a{name}")
            if awaited and isinstance(there, Twin) and there.association is association:
                # Of a method that the user wrote nobody knows what it takes and gives.
                unknown = wrapped(f"async def a{name}", ["self", "*arguments: Any", "**options: Any"], "Any", words.indent)
                lines += twin(name, operation, words) if published else unknown
        return lines

    def _new_fields(self, association: Any) -> list[NewField]:
        """What a new target takes by keyword: its fields, but for the key that the association writes."""
        target = association.target
        written = [] if association.key_on_source or isinstance(association, ManyToMany) else [association.key.field]
        scope = {field.name for field in _scope(association)}
        fields = [field for field in target._meta.sorted_fields if not any(field is each for each in written)]
        found = [each._replace(required=each.required and each.name not in scope) for each in parameters_of(fields, self.imports)]
        return sorted(found, key=lambda each: not each.required)


def _by_hand(key: Key) -> bool:
    """Whether the key's field stands in the class, as a foreign key; checkers see it there."""
    return key.by_hand is not None and getattr(key.field, "plain", None) is None


def _scope(association: Association) -> Iterable[Field]:
    """The fields that the association's where gives to new records; where it says no values, creating raises anyway."""
    try:
        return equalities(association.target, association.where, association.declared)
    except AssociationError:
        return ()


def _annotated(name: str, text: str) -> list[str]:
    line = f"{name}: {text}"
    if len(line) + 8 <= WIDTH:
        return [line]
    kind, _, inner = text[:-1].partition("[")
    return [f"{name}: {kind}[", f"    {inner}", "]"]


def _in_one_line(text: str) -> str:
    """The text where it may stand in a comment or a docstring."""
    return " ".join("".join(letter if letter.isprintable() and letter not in "\\\"" else " " for letter in text).split())


def _comment(text: str) -> list[str]:
    room, text = WIDTH - 10, _in_one_line(text)
    return [f"    # {text if len(text) <= room else text[: room - 1] + '…'}"]
