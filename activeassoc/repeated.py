"""A declaration that is made again: whether it says the same as the first, and what it adds (A11).

Map: `says_the_same` compares the two, `say_more` adds what the second says beyond the first to the key.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import peewee

from activeassoc.associations.base import Association
from activeassoc.associations.belongs_to import BelongsTo
from activeassoc.associations.has_many import HasMany
from activeassoc.associations.many_to_many import ManyToMany
from activeassoc.errors import DeclarationError
from activeassoc.pairing import UNSAID
from activeassoc.planning import Plan, say
from activeassoc.registry import Claim, Key

#: Options that describe the key, of which every declaration of it may say some.
KEY_OPTIONS = ("on_delete", "on_update", "null", "constraints", "unique_key")
#: Options that belong to a many-to-many alone.
LINK_OPTIONS = ("unique", "symmetric", "dominant", "embed")


def same_target(former: Association, target: Any) -> bool:
    """Whether a declaration has the target of an earlier one, given as a model or by its name."""
    if isinstance(target, type) and former.bound:
        return former.target is target
    name = target.__name__ if isinstance(target, type) else target
    return former.wanted == name


def says_the_same(former: Any, kind: type[Association], target: Any, options: dict[str, Any]) -> bool:
    """Whether a declaration says nothing else than the one of its name, for which it may then stand again (A11)."""
    if not same_target(former, target):
        return False
    said = former.options
    if "paired" in said:  # it was declared as a has_many, and is a many-to-many only as another one points back
        if kind is not HasMany or options.get("through", UNSAID) is not UNSAID:
            return False
    elif type(former) is not kind:
        return False
    for name in ("foreign_key", "other_key", "source_key", "target_key"):
        given = options.get(name)
        if given is not None and given != said.get(name) and not _means_same_key(former, name, given):
            return False
    if kind is ManyToMany and not _same_through(former, options.get("through")):
        return False
    if bool(options.get("dominant")) != bool(said.get("dominant")):
        return False  # in either order: which database has the links may not depend on which comes first
    same_reading = all(_alike(options.get(name), said.get(name)) for name in ("where", "order"))
    return same_reading and not any(name in options and options[name] != said.get(name) for name in LINK_OPTIONS)


def _same_through(former: Any, through: Any) -> bool:
    said = former.options.get("through")
    if through is None or said is None or not former.bound:
        return bool(through == said)
    return through is former.through or through == former.through._meta.table_name


def _alike(one: Any, other: Any) -> bool:
    """Whether two scopes or orders say the same. Of peewee's expressions the SQL is compared: their == makes another one."""
    if isinstance(one, peewee.Node) and isinstance(other, peewee.Node):
        return bool(_sql(one) == _sql(other))
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return list(one) == list(other) and all(_alike(one[name], other[name]) for name in one)
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(_alike, one, other))
    return type(one) is type(other) and bool(one == other)


def _sql(node: Any) -> Any:
    context: Any = peewee.Context()
    return context.sql(node).query()


def say_more(plan: Plan, former: Any, options: dict[str, Any]) -> None:
    """Add what a repeated declaration says beyond the first to the key, or raise where they contradict each other."""
    more = {name: value for name, value in options.items() if name in KEY_OPTIONS and former.options.get(name) != value}
    if former.bound:
        keys = former.keys if more.keys() == {"constraints"} else former.keys[:1]
        said = {"unique" if name == "unique_key" else name: value for name, value in more.items()}
        for key in keys if more else ():
            say(plan, key, Claim(former, plan.asked, said, names_key=isinstance(former, BelongsTo)))
    else:
        for name, value in more.items():
            if former.options.get(name) is not None:
                raise DeclarationError(
                    plan.asked,
                    f"it says {name}={value!r}, and {former.declared} says {name}={former.options[name]!r}",
                    "Make them agree, or say it once",
                )
    if options.get("through", UNSAID) is None and isinstance(former, HasMany):
        more["through"] = None
    if more:
        plan.do(former.options.update, more)


def _means_same_key(former: Any, option: str, name: str) -> bool:
    if not former.bound:
        return False
    keys: tuple[Key, ...] = former.keys
    position = {"foreign_key": 0, "other_key": 1}.get(option)
    if position is None or position >= len(keys):
        return False
    field = keys[position].field
    return name in (field.name, field.column_name, getattr(field, "object_id_name", None))
