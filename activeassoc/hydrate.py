"""From the rows of a statement to instances of models.

Map: `reader` gives the function that turns one row into one instance, `rows_reader` the one for a list of rows; `Source` writes such a
function, once for each (model, columns): it makes the instance without its constructor and fills what it holds. It can be read:
``inspect.getsource(reader(User, fields))``. `_slow_reader` goes through the constructor, for models that want to be asked.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import peewee
from peewee import Field

from activeassoc.convert import Conversion, conversion_of
from activeassoc.generated import function, variables
from activeassoc.kept import Kept
from activeassoc.keys import KeyAccessor
from activeassoc.registry import Model

#: Accessors that put the value into ``__data__`` and do nothing else, where no related record is loaded.
PLAIN_ACCESSORS = (peewee.FieldAccessor, peewee.ForeignKeyAccessor, KeyAccessor)

PEEWEE_INIT = peewee.Model.__init__


def reader(model: Model, fields: Sequence[Field], start: int = 0, width: int | None = None) -> Any:
    """A function from a row to an instance of `model`, the very one that peewee would make.

    The columns from `start` on are `fields`; what comes after them is passed over. `width`, the number of all columns of a
    row, makes it a little faster.
    """
    return _function(model, fields, start, width, False)


def rows_reader(model: Model, fields: Sequence[Field], start: int = 0, width: int | None = None) -> Any:
    """The same from rows to a list of instances, in one loop. Several times faster than peewee; costs nothing beside the rows."""
    return _function(model, fields, start, width, True)


def _function(model: Model, fields: Sequence[Field], start: int, width: int | None, many: bool) -> Any:
    return made(
        model,
        (many, start, width, *map(id, fields)),
        lambda: Source(model, fields, start, width, many).function(),
        lambda: _slow(model, tuple(fields), start, many),
    )


def made(model: Model, key: tuple[Any, ...], quick: Callable[[], Any], slow: Callable[[], Any]) -> Any:
    """A function that reads rows: what `quick` makes, or `slow` where the class has a say in it; kept under `key`.

    A key names fields by their id, as fields compare by building an expression: what is kept has to hold them.
    """
    meta = model._meta
    kept = meta.__dict__.get("_hydrators") or meta.__dict__.setdefault("_hydrators", Kept(model))
    asks = _asks(model)
    return kept.of((asks, *key), lambda: slow() if asks or _others_ask(model) else quick())


def _asks(model: Model) -> bool:
    """Whether the class itself has a say in how an instance is made. Asked each time: who else patches a class tells nobody."""
    return (
        model.__init__ is not getattr(model, "_plain_init", PEEWEE_INIT)
        or peewee.Model.__init__ is not PEEWEE_INIT
        or model.__new__ is not object.__new__
        or model.__setattr__ is not object.__setattr__
        or type(model).__call__ is not type.__call__
    )


def _others_ask(model: Model) -> bool:
    """Whether a base that is neither ours nor peewee's has a constructor, which ours would call in turn."""
    known = (peewee.Model, object)
    return any("__init__" in base.__dict__ and base not in known and base.__init__ is not model.__init__ for base in model.__mro__)


# By the constructor


def _slow(model: Model, fields: tuple[Field, ...], start: int, many: bool) -> Any:
    read = _slow_reader(model, fields, start)
    return (lambda rows: [read(row) for row in rows]) if many else read


def _slow_reader(model: Model, fields: tuple[Field, ...], start: int) -> Callable[[Sequence[Any]], Any]:
    """Through the model's own constructor, so that an overridden ``__init__`` sees the row as it does with peewee."""
    ours = hasattr(model, "_plain_init")
    columns: list[tuple[int, str, Callable[[Any], Any]]] = [(n, field.name, field.python_value) for n, field in enumerate(fields, start)]

    def read(row: Sequence[Any]) -> Any:
        record = model(__no_default__=1, **{name: convert(row[number]) for number, name, convert in columns})
        record._dirty.clear()
        if ours:
            record.__dict__["_stored"] = True  # also where its constructor passes ours by
        return record

    read.fields = fields  # type: ignore[attr-defined]
    return read


# Without it


class Source:
    """The text of a function that reads rows, and the names that it uses."""

    def __init__(self, model: Model, fields: Sequence[Field], start: int, width: int | None, many: bool) -> None:
        self.model, self.fields, self.many = model, tuple(fields), many
        self.start, self.width = start, width
        self.names: dict[str, Any] = {"new": object.__new__, "Model": model}
        self.variables = variables(self.fields)
        self.conversions = [conversion_of(field) for field in fields]
        self.own = [not _is_plain(model, field, each) for field, each in zip(self.fields, self.conversions, strict=True)]

    def function(self) -> Any:
        made = function("read", f"reader of {self.model.__name__}", self.lines(), self.names)
        made.fields = self.fields  # an id in the key stays theirs as long as this is kept
        return made

    def lines(self) -> list[str]:
        asked = ", ".join(field.name for field in self.fields)
        what = f"{self.model.__name__} with {asked}".replace("\\", "\\\\").replace('"', "'")
        body = ["record = new(Model)", *self.filling()]
        if self.many:
            return [
                "def read(rows):",
                f'    """A list of {what}."""',
                "    records = []",
                f"    for {self.unpacked('row')} in rows:",
                *(f"        {line}" for line in (*self.taking(), *self.reading(), *body)),
                "        records.append(record)",
                "    return records",
            ]
        first = [] if self.width is None else [f"{self.unpacked('row')} = row"]
        return [
            "def read(row):",
            f'    """A {what}."""',
            *(f"    {line}" for line in (*first, *self.taking(), *self.reading(), *body)),
            "    return record",
        ]

    def unpacked(self, row: str) -> str:
        """The targets that take a row of known width apart."""
        if self.width is None:
            return row
        behind = self.width - self.start - len(self.fields)
        targets = ["_"] * self.start + self.variables + ["_"] * behind
        return ", ".join(targets) + ("," if len(targets) == 1 else "")

    def taking(self) -> list[str]:
        """Where the width is not known, columns are taken one by one: a row may have more."""
        if self.width is not None:
            return []
        return [f"{name} = row[{number}]" for number, name in enumerate(self.variables, self.start)]

    def reading(self) -> list[str]:
        """The statements that convert a column; what converts within the mapping has none."""
        found: list[str] = []
        for name, each in zip(self.variables, self.conversions, strict=True):
            self.names.update(each.names_for(name))
            found += each.statements(name)
        return found

    def filling(self) -> list[str]:
        values = [each.expression(name) for name, each in zip(self.variables, self.conversions, strict=True)]
        # Not by a default of the class: an instance that somebody makes by hand, without our constructor, is new.
        ours = hasattr(self.model, "_plain_init")
        fresh = ["record._stored = True"] if ours else ["record._dirty = set()", "record.__rel__ = {}"]
        if not any(self.own):
            items = ", ".join(f"{field.name!r}: {value}" for field, value in zip(self.fields, values, strict=True))
            return [f"record.__data__ = {{{items}}}", *fresh]
        # An accessor of the user's own may look at what is there when it is set: one after the other, as peewee does.
        found = ["record.__data__ = data = {}", *fresh]
        for field, value, own in zip(self.fields, values, self.own, strict=True):
            found.append(f"setattr(record, {field.name!r}, {value})" if own else f"data[{field.name!r}] = {value}")
        return [*found, "record._dirty.clear()"]


def _is_plain(model: Model, field: Field, conversion: Conversion) -> bool:
    """Whether setting the attribute only puts the value into ``__data__``."""
    accessor = inspect.getattr_static(model, field.name, None)
    if getattr(accessor, "takes_rows", False):
        return bool(accessor.name == field.name)
    if type(accessor) not in PLAIN_ACCESSORS or accessor.name != field.name:
        return False
    # What an own converter makes for a foreign key may be a record, which the accessor keeps.
    return type(accessor) is peewee.FieldAccessor or conversion.known
