"""Where a model's records stand in Redis: the names of its keys, the bytes of its values, the indexes that it has.

Nothing here speaks to a server; `lua` has the table of the keys.

Map: `Layout` is that of one model; `layout_of` keeps it as long as the model's fields stay as they are; `quoted` is how names stand in
keys.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import peewee

from activeassoc.errors import UnsupportedQuery
from activeassoc.stores.narrow import Index
from activeassoc.stores.redis_bytes import ANY, codec_of

__all__ = ["KEY", "Layout", "columns_named", "index_of", "layout_of", "quoted"]

#: The name of the primary key among the indexes.
KEY = "key"


def quoted(name: str) -> str:
    """A name as it stands in a key: what means something there is percent-encoded."""
    return re.sub("[%:{},]", lambda found: f"%{ord(found[0]):02X}", name)


class Layout:
    """How one model's records are kept."""

    def __init__(self, prefix: str, model: type[peewee.Model]) -> None:
        meta: Any = model._meta
        self.model, self.table = model, table_name(model)
        #: What every key of the table begins with. The braces make it one slot of a cluster.
        self.base = f"{prefix}{{{quoted(self.table)}}}:".encode()
        self.fields: dict[str, peewee.Field] = {field.column_name: field for field in meta.sorted_fields}
        self.codecs = {name: codec_of(field) for name, field in self.fields.items()}
        self.key = tuple(field.column_name for field in meta.get_primary_keys() if field)
        self.auto = bool(self.key) and bool(meta.auto_increment)
        self.indexes = _indexes_of(model)
        own = (Index(KEY, self.key, True),) if self.key else ()
        #: Everything that records can be found by.
        self.found_by = (*own, *(index for index in self.indexes if not _any(self, index)))
        #: The column by which a record is there: its key, which is never NULL.
        self.mark = self.key[0] if self.key else ""

    def record(self, id: bytes) -> bytes:
        """The key of a record."""
        return self.base + b"r:" + id

    def id_of(self, row: Mapping[str, Any]) -> bytes | None:
        """The id of a row that has its primary key; None where the store is to make it."""
        if not self.key or any(row.get(column) is None for column in self.key):
            return None
        return self.entry(self.key, [row[column] for column in self.key])

    def entry(self, columns: Sequence[str], values: Sequence[Any]) -> bytes:
        """The values as an index has them: of several each with its length in front."""
        parts = [self.codecs[column].encode(value) for column, value in zip(columns, values, strict=True)]
        return parts[0] if len(parts) == 1 else b"".join(b"%d:%b" % (len(part), part) for part in parts)

    def key_values(self, id: bytes) -> list[Any]:
        """The primary key that an id is."""
        if len(self.key) == 1:
            return [self.codecs[self.key[0]].decode(id)]
        values = []
        for column in self.key:
            length, _, rest = id.partition(b":")
            values.append(self.codecs[column].decode(rest[: int(length)]))
            id = rest[int(length) :]
        return values

    def encoded(self, columns: Sequence[str], row: Mapping[str, Any]) -> list[bytes]:
        """The row as scripts are told it: a mask of what is not NULL, then these values."""
        mask, values = bytearray(), []
        for column in columns:
            value = row.get(column)
            if value is None:
                mask += b"0"
            else:
                mask += b"1"
                values.append(self.codecs[column].encode(value))
        return [bytes(mask), *values]

    def defined(self) -> list[str]:
        """The definition, as the script is told it."""
        told = [json.dumps(self.key), "1" if self.auto else "0"]
        for index in self.indexes:
            told += [index.name, json.dumps(index.columns)]
        return told


def _any(layout: Layout, index: Index) -> bool:
    # A number of a field of the user's own has several forms that are equal: 1, 1.0 and True. Only the walk finds all of them.
    return any(layout.codecs[column] is ANY for column in index.columns)


def table_name(model: type[peewee.Model]) -> str:
    meta: Any = model._meta
    return f"{meta.schema}.{meta.table_name}" if meta.schema else str(meta.table_name)


# Indexes


def _indexes_of(model: Any) -> tuple[Index, ...]:
    """Every index that the model declares, and one for every foreign key; a unique one stands for both."""
    found: dict[tuple[str, ...], Index] = {}
    declared = [index_of(model, index) for index in model._meta.fields_to_index()]
    key = tuple(field.column_name for field in model._meta.get_primary_keys() if field)
    keys = [_index((field.column_name,), False) for field in model._meta.sorted_fields if isinstance(field, peewee.ForeignKeyField)]
    for index in (*declared, *keys):
        if index.columns != key and (index.single or index.columns not in found):
            found[index.columns] = index
    return tuple(found.values())


def index_of(model: type[peewee.Model], index: Any) -> Index:
    """peewee's ModelIndex as one of ours. Raises UnsupportedQuery for one of expressions, or of a part of the rows."""
    parts = getattr(index, "_expressions", None)
    asked = f"an index on {model.__name__}"
    if parts is None or not all(isinstance(part, peewee.Field) for part in parts):
        raise UnsupportedQuery(
            asked, "here an index is made of columns, and this one has something else", "Name its fields alone", construct="index"
        )
    if getattr(index, "_where", None) is not None:
        raise UnsupportedQuery(asked, "here an index is one of all rows, and this one has a where", "Leave that out", construct="index")
    return _index(tuple(part.column_name for part in parts), bool(index._unique))


def _index(columns: Iterable[str], unique: bool) -> Index:
    columns = tuple(columns)
    return Index(("u:" if unique else "i:") + ",".join(map(quoted, columns)), columns, unique)


def columns_named(name: str) -> list[str]:
    """The columns of an index by its name."""
    return [re.sub("%([0-9A-F]{2})", lambda found: chr(int(found[1], 16)), part) for part in name[2:].split(",")]


# Keeping


def layout_of(prefix: str, model: type[peewee.Model]) -> Layout:
    """The layout of `model`: the known one, or a new one where the model has been given other fields or indexes meanwhile."""
    meta: Any = model._meta
    # Not the fields themselves: comparing two of them makes an expression.
    signature = (
        meta.table_name,
        meta.schema,
        [(id(field), field.column_name, field.index, field.unique) for field in meta.sorted_fields],
        len(meta.indexes),
    )
    # On the model, as it lives no longer than that.
    known = meta.__dict__.setdefault("_redis_layouts", {})
    found = known.get(prefix)
    if found is None or found[0] != signature:
        found = known[prefix] = signature, Layout(prefix, model)
    layout: Layout = found[1]
    return layout
