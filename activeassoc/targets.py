"""What an accessor is given: instances or primary keys, one or many, read into one form.

Map: `Target` is one of them; `read_one` and `read_many` read an argument, `key_of` the key of an instance; `once` leaves
out repeats, `alike` and `spelled_twice` tell which texts a collation could call one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import peewee

from activeassoc.errors import WrongTarget
from activeassoc.keys import is_saved, stranger
from activeassoc.registry import Model, is_record_of
from activeassoc.stores.sql import coercer


class Target:
    """One target argument: its primary key (None for a new record), the instance where one was given, join attributes."""

    __slots__ = ("attributes", "key", "record", "values")

    def __init__(self, key: Any, record: Any = None, attributes: Mapping[str, Any] | None = None) -> None:
        self.key = key
        self.record = record
        self.attributes = attributes
        #: The attributes of its link, read: fields to values.
        self.values: dict[Any, Any] = {}

    @property
    def new(self) -> bool:
        """It is an instance without a row."""
        return self.key is None


def key_of(record: Any) -> Any:
    """The primary key of an instance: a value, or a tuple for a composite one."""
    return record._pk


def alike(one: Any, other: Any) -> bool:
    """Whether two text keys could be one to a database's collation. Only the database knows whether they are."""
    return isinstance(one, str) and isinstance(other, str) and folded(one) == folded(other)


def folded(text: str) -> str:
    """What is left of a text where case, accents and trailing spaces do not count."""
    import unicodedata  # late: few programs compare texts

    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter)).rstrip()


def spelled_twice(targets: Iterable[Target]) -> bool:
    """Whether two of these keys could be one to a database's collation."""
    texts = [target.key for target in targets if isinstance(target.key, str)]
    return len({folded(text) for text in texts}) < len(texts)


def once(targets: Iterable[Target]) -> list[Target]:
    """The targets without repeats, in order; of repeats the first instance and the last attributes are kept."""
    found: dict[Any, Target] = {}
    for target in targets:
        former = found.setdefault(id(target.record) if target.new else ("key", target.key), target)
        if former is not target:
            former.record = former.record if former.record is not None else target.record
            former.attributes = former.attributes if target.attributes is None else target.attributes
    return list(found.values())


def key_reader(model: Model) -> Callable[[Any], Any]:
    """A function that coerces a primary key of `model`, or raises TypeError or ValueError."""
    meta = model._meta
    if not meta.composite_key:
        return coercer(meta.primary_key)
    parts = [coercer(field) for field in meta.get_primary_keys()]

    def read(value: Any) -> tuple[Any, ...]:
        if not isinstance(value, tuple | list) or len(value) != len(parts):
            raise TypeError(f"not a tuple of {len(parts)}")
        return tuple(coerce(part) for coerce, part in zip(parts, value, strict=True))

    return read


def _no_key(asked: str, value: Any, model: Model, why: Exception) -> WrongTarget:
    meta = model._meta
    names = ", ".join(field.name for field in meta.get_primary_keys())
    return WrongTarget(
        asked,
        f"{value!r} is no {model.__name__} and no key of one ({names}: {why})",
        f"Give a {model.__name__} or its primary key",
        value=value,
        model=model,
    )


def _read(model: Model, value: Any, coerce: Callable[[Any], Any], asked: str) -> Target:
    if isinstance(value, peewee.Model):
        if not is_record_of(value, model):
            raise stranger(f"{asked} with {value!r}", value, model)
        if not is_saved(value):
            return Target(None, value)
        key = key_of(value)
        try:
            return Target(coerce(key), value)
        except (TypeError, ValueError, OverflowError):
            return Target(key, value)  # what a database holds is a key of it
    try:
        return Target(coerce(value))
    except (TypeError, ValueError, AttributeError, ArithmeticError) as error:
        raise _no_key(asked, value, model, error) from None


def read_one(model: Model, value: Any, asked: str) -> Target | None:
    """The target that `value` means, or None for None."""
    if value is None:
        return None
    if isinstance(value, type):
        raise _no_key(asked, value, model, TypeError("a class"))
    return _read(model, value, key_reader(model), asked)


def is_list(model: Model, value: Any) -> bool:
    """Whether `value` is several targets: any iterable that is not itself an instance or a key."""
    if isinstance(value, str | bytes | bytearray | memoryview | peewee.Model | type):
        return False
    if isinstance(value, tuple) and model._meta.composite_key and not any(isinstance(part, peewee.Model) for part in value):
        # A tuple is one composite key, unless it is a tuple of such.
        return bool(value) and all(isinstance(part, tuple) for part in value)
    return isinstance(value, Iterable)


def read_many(model: Model, values: Any, asked: str, *, attributes: bool = False) -> list[Target]:
    """The targets that `values` mean, without repeats, in the order given; of repeats the first instance is kept.

    None is no target; one instance or key is itself; any iterable of these, a query too. With `attributes` also a
    mapping of targets to join attributes, or pairs of these (D3).
    """
    if values is None:
        return []
    coerce = key_reader(model)
    if isinstance(values, Mapping):
        if not attributes:
            raise WrongTarget(asked, "a mapping is no list of targets", "Give a list", value=values, model=model)
        pairs: Iterable[Any] = values.items()
    elif is_list(model, values):
        pairs = values
    elif isinstance(values, type):
        # A model class is iterable in peewee: it would be every row of the table.
        raise _no_key(asked, values, model, TypeError("a class"))
    else:
        pairs = (values,)
    found: list[Target] = []
    for value in pairs:
        extra = None
        if attributes and isinstance(value, tuple) and len(value) == 2 and isinstance(value[1], Mapping):
            value, extra = value
        elif isinstance(values, Mapping):
            raise WrongTarget(
                asked,
                f"the attributes of {value[0]!r} are {value[1]!r}",
                "Give a mapping of attribute names to values",
                value=value[1],
                model=model,
            )
        target = _read(model, value, coerce, asked)
        target.attributes = extra
        found.append(target)
    return once(found)
