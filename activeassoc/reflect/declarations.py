"""The associations that the keys of the tables mean, each with names to choose from; the first one that the library takes is written.

A declaration that raises changes nothing, so that each name is simply tried, on models made of the same code.

Map: `declarations_of` lists what is to be declared, `Declaration` is one of them, `settle` tries it; `TREES` are words for the other end
of a key to the same table.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from activeassoc import naming
from activeassoc.reflect.layout import Node, literal
from activeassoc.reflect.shape import rules_of
from activeassoc.reflect.tables import Found, Junction, Reference

#: What is at the other end of a key to the same table, by the key's name.
TREES: Mapping[str, str] = {
    **dict.fromkeys(("parent", "mother", "father"), "children"),
    **dict.fromkeys(("reports_to", "manager", "boss", "supervisor", "superior"), "reports"),
    **dict.fromkeys(("reply_to", "in_reply_to", "replies_to"), "replies"),
    "superseded_by": "superseded",
    "replaced_by": "replaced",
}

#: A name of an association: None for the one that it has by itself, a pair for the singular and the plural.
As = str | tuple[str, str] | None


@dataclass(eq=False)
class Declaration:
    """One call: the source's class, the verb, the target (``"self"`` too), names to choose from, and the options as code."""

    source: Found
    verb: str
    target: Found
    names: Sequence[As]
    options: Mapping[str, Any]
    concerns: Reference | Junction
    chosen: As = None
    failed: str = ""
    #: It begins a group of its own.
    begins: bool = False

    @property
    def code(self) -> Node:
        target = literal("self") if self.target is self.source else self.target.class_name
        said: list[str | Node] = [target, *([f"as_={_as(self.chosen)}"] if self.chosen is not None else [])]
        for option, value in self.options.items():
            said.append(f"{option}={_value(value)}")
        return Node(f"{self.source.class_name}.{self.verb}(", said)

    @property
    def place(self) -> str:
        """The key, or the table of links, that it is for."""
        return self.concerns.place if isinstance(self.concerns, Reference) else self.concerns.link.name

    @property
    def came_late(self) -> bool:
        """It is a belongs_to whose own name another association had taken."""
        return self.verb == "belongs_to" and bool(self.failed or self.chosen != self.names[0])

    def settle(self, models: Mapping[str, Any]) -> bool:
        """Declare it under the first name that the library takes; whether there is one."""
        source = models[self.source.class_name]
        target = "self" if self.target is self.source else models[self.target.class_name]
        options = {key: models[value.class_name] if isinstance(value, Found) else value for key, value in self.options.items()}
        for name in self.names:
            try:
                getattr(source, self.verb)(target, **options if name is None else {"as_": name, **options})
            except (ValueError, TypeError, LookupError, AttributeError) as error:
                self.failed = getattr(error, "because", str(error))
            else:
                self.chosen, self.failed = name, ""
                return True
        return False


def _value(value: Any) -> str:
    if isinstance(value, Found):
        return value.class_name
    return literal(value) if isinstance(value, str) else repr(value)


def _as(name: As) -> str:
    return f"({literal(name[0])}, {literal(name[1])})" if isinstance(name, tuple) else literal(name or "")


def settled(declarations: Sequence[Declaration], models: Mapping[str, Any]) -> list[Declaration]:
    """Settle all of them, in their order; those that could not be. Without its belongs_to no key is declared from its other end."""
    failed: list[Declaration] = []
    for each in declarations:
        first = next((other for other in failed if other.concerns is each.concerns), None)
        if first is not None:
            each.failed = first.failed
        if first is not None or not each.settle(models):
            failed.append(each)
    return failed


def declarations_of(found: Sequence[Found], early: Collection[str] = ()) -> list[Declaration]:
    """What is to be declared: the two ends of each key, table by table, then the two ends of each link.

    `early` are keys (as `Reference.place` tells them) whose belongs_to comes before all others.
    """
    junctions = [each.junction for each in found if each.junction is not None]
    of_links = {id(key) for junction in junctions for key in (junction.near, junction.far)}
    ways: Counter[tuple[int, int]] = Counter()
    for each in found:
        ways.update((id(key.target), id(each)) for key in each.references if id(key) not in of_links)
    for junction in junctions:
        ends = (id(junction.near.target), id(junction.far.target))
        ways.update({ends, ends[::-1]})
    declared: list[Declaration] = []
    # A key to another column than the primary key comes last: that column may be one which is only declared here.
    for later in (False, True):
        for each in found:
            keys = [key for key in each.references if id(key) not in of_links and key.to_primary_key is not later]
            for number, key in enumerate(keys):
                linked = each.junction is not None and key.target in (each.junction.near.target, each.junction.far.target)
                declared += _ends_of_key(key, linked or ways[id(key.target), id(each)] > 1)
                declared[-2].begins = number == 0
    for junction in junctions:
        declared += _ends_of_link(junction, ways[id(junction.near.target), id(junction.far.target)] > 1)
        declared[-2].begins = True
    first = [each for each in declared if each.verb == "belongs_to" and each.place in early]
    return [*first, *(each for each in declared if each not in first)]


# One key


def _ends_of_key(key: Reference, several: bool) -> Iterator[Declaration]:
    holder, target = key.holder, key.target
    to_itself = holder is target
    plain = key.stem == target.words.one and not to_itself
    options: dict[str, Any] = {}
    by_default = naming.key_column(key.stem, _key_word(key))
    if key.in_body or key.column != by_default:
        options["foreign_key"] = key.column
    if not key.in_body or key.is_plain:
        if not key.to_primary_key:
            options["target_key"] = target.key_name(key.to_column)
        if not key.null:
            options["null"] = False
        if key.unique:
            options["unique"] = True
        options |= _rules(key, False)
    names: list[As] = [None] if plain else [key.stem]
    names += [f"{key.stem.rstrip('_')}_record", *(f"{key.stem.rstrip('_')}_record_{number}" for number in range(2, 100))]
    yield Declaration(holder, "belongs_to", target, names, options, key)
    keys_between = [each for each in holder.references if each.target is target]
    back = {"foreign_key": key.column} if len(keys_between) > 1 or (to_itself and key.unique) else {}
    if key.unique:
        yield Declaration(target, "has_one", holder, [*_names_of_one(key, several)], back, key)
    else:
        yield Declaration(target, "has_many", holder, [*_names_of_many(key, several)], back, key)


def _key_word(key: Reference) -> str:
    """What the column of a key ends with by default: the referred field's name, or the key's that it is itself."""
    own = next((each for each in key.target.references if each.column == key.to_column), None)
    return own.attribute if own else key.target.names[key.to_column]


def _rules(key: Reference, of_link: bool) -> dict[str, str]:
    return {option: value.strip('"') for option, value in (rule.split("=") for rule in rules_of(key, of_link))}


def _prefix(key: Reference) -> str:
    """What the key's name says beyond its target's: ``home`` of home_team."""
    one = key.target.words.one
    if key.stem == one:
        return ""
    return _stem(key).removesuffix(f"_{one}").removeprefix(f"{one}_").removesuffix("_by")


def _stem(key: Reference) -> str:
    """The key's name without what only keeps it from being a keyword, or a name of Model's own."""
    return key.stem.rstrip("_")


def _names_of_one(key: Reference, several: bool) -> Iterator[As]:
    one, prefix = key.holder.words.one, _prefix(key)
    if key.holder is key.target:
        yield f"{prefix or _stem(key)}_of"
    elif several and prefix:
        yield f"{prefix}_{one}"
    if key.holder is not key.target:
        yield None
    yield f"{_stem(key)}_{one}"
    yield from (f"{_stem(key)}_{one}_{number}" for number in range(2, 100))


def _names_of_many(key: Reference, several: bool) -> Iterator[As]:
    prefix = _prefix(key)
    if key.holder is key.target:
        word = TREES.get(_stem(key)) or TREES.get(prefix)
        if word:
            yield word
        yield _many(prefix or _stem(key), key.holder)
    elif several and prefix:
        yield _many(prefix, key.holder)
    if key.holder is not key.target:
        yield None
    yield _many(_stem(key), key.holder)
    yield from _numbered(_stem(key), key.holder)


def _many(before: str, found: Found) -> As:
    """The records of a table under a longer name; both forms where one does not follow from the other."""
    one, many = (f"{before}_{word}" for word in found.words)
    return many if naming.singular(many) == one else (one, many)


def _numbered(before: str, found: Found) -> Iterator[As]:
    yield from ((f"{before}_{found.words.one}_{number}", f"{before}_{found.words.many}_{number}") for number in range(2, 100))


# Links


def _ends_of_link(junction: Junction, several: bool) -> Iterator[Declaration]:
    link, near, far = junction.link, junction.near, junction.far
    to_itself = near.target is far.target
    # Where the link has more keys than the two, or both of them refer to one table, each end says which are its.
    outright = to_itself or len(link.references) > 2 or any(key.in_body for key in (near, far))
    first = _of_link(junction, near, far, outright or None)
    yield Declaration(near.target, "has_many", far.target, [*_names_of_link(near, far, several)], first, junction)
    second = _of_link(junction, far, near, outright)
    yield Declaration(far.target, "has_many", near.target, [*_names_of_link(far, near, several)], second, junction)


def _of_link(junction: Junction, near: Reference, far: Reference, outright: bool | None) -> dict[str, Any]:
    """The options of one end; `outright` says whether it names the keys: None where they are not what they would be called."""
    options: dict[str, Any] = {"through": junction.link}
    for option, key in (("foreign_key", near), ("other_key", far)):
        named = key.column != naming.key_column(key.target.words.one, _key_word(key)) if outright is None else outright
        if named:
            options[option] = key.column
    for option, key in (("source_key", near), ("target_key", far)):
        if not key.to_primary_key:
            options[option] = key.target.key_name(key.to_column)
    if near.in_body and not near.is_plain:
        return options
    if near.null:
        options["null"] = True
    return options | _rules(near, True)


def _names_of_link(near: Reference, far: Reference, several: bool) -> Iterator[As]:
    target, link = far.target, far.holder
    usual = _stem(far) == target.words.one
    if not usual:
        # followed and invited are whom the link is about, in any number.
        many = _stem(far) if _stem(far).endswith(("ed", "ing")) else naming.plural(_stem(far))
        yield many if naming.singular(many) == _stem(far) else (_stem(far), many)
    elif near.target is target:
        yield _many(_prefix(near) or _stem(near), target)
    if near.target is not target:
        yield None
    yield _many(link.words.one, target)
    yield _many(_stem(far), target)
    yield from _numbered(f"{link.words.one}_{_stem(far)}", target)
