"""From the rows of a statement to instances of models.

Map: `reader` makes the function that turns one row into one instance.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from peewee import Field

from activeassoc.registry import Model


def reader(model: Model, fields: Sequence[Field]) -> Callable[[Sequence[Any]], Any]:
    """A function from a row, whose columns are `fields` in order, to an instance: the very one that peewee would make.

    The instance is made by the model's own constructor, so that an overridden ``__init__`` and fields with accessors of
    their own see the row as they do with peewee.
    """
    columns: list[tuple[str, Callable[[Any], Any]]] = [(field.name, field.python_value) for field in fields]

    def read(row: Sequence[Any]) -> Any:
        record = model(__no_default__=1, **{name: convert(value) for (name, convert), value in zip(columns, row, strict=False)})
        record._dirty.clear()
        return record

    return read
