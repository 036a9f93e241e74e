"""Collections and indexes of MongoDB, made from what a model declares.

Unique indexes leave out the documents in which a column is not there, so that NULLs do not clash. Names come from peewee, so that a table
has the same index names on every store.

Map: `Tables` is the part of `MongoDatabase` that makes and lists them; `definition_of` says what an index of peewee's is in MongoDB.
"""

from __future__ import annotations

from typing import Any

import peewee
from peewee import IndexMetadata
from pymongo.errors import CollectionInvalid, OperationFailure

from activeassoc.errors import MissingTable, UnsupportedQuery
from activeassoc.stores.embedded import Arrays, arrays_of
from activeassoc.stores.forms import form_of
from activeassoc.stores.mongo_terms import path
from activeassoc.stores.mongo_writes import duplicate
from activeassoc.stores.plan import Column

__all__ = ["COUNTERS", "Tables", "collection_name", "definition_of"]

#: The collection with the counters of keys.
COUNTERS = "activeassoc_keys"
_EXISTS = 48


def collection_name(model: Any) -> str:
    meta = model._meta
    return f"{meta.schema}.{meta.table_name}" if meta.schema else str(meta.table_name)


class Tables:
    """Making, removing and listing collections."""

    known_tables: set[str]
    address: str
    documents: Any
    collection: Any
    translating: Any

    # Names

    def check_names(self, model: Any) -> None:
        """Refuse column names that mean something else within a document."""
        meta = model._meta
        for name, field in meta.columns.items():
            if "." in name or name.startswith("$") or "\0" in name or (name == "_id" and field is not meta.primary_key):
                raise UnsupportedQuery(
                    f"the column {name!r} of {model.__name__} on {self.address}",
                    "MongoDB reads a dot, a dollar and _id in a name as something else",
                    "Give the field another column_name",
                    construct=f"the column {name}",
                    model=model,
                )

    def need_table(self, model: Any, verb: str) -> None:
        """Refuse a statement on a collection that was never made: MongoDB would find nothing, or make one without its unique indexes."""
        arrays = arrays_of(model)
        if arrays is not None:
            for side in arrays.sides:
                self.need_table(side.holder, verb)
            return
        name = collection_name(model)
        if name in self.known_tables:
            return
        if name not in self.get_tables():
            raise MissingTable(
                f"{verb} of {model.__name__} on {self.address}",
                f"there is no collection {name!r}, and one without its unique indexes would take duplicates"
                if verb == "insert"
                else f"there is no collection {name!r}, which is not the same as an empty one",
                "Make it first: sync(database), or Model.create_table()",
                model=model,
            )
        self.known_tables.add(name)

    # Looking

    def get_tables(self, schema: str | None = None) -> list[str]:
        with self.translating():
            names = self.documents().list_collection_names()
        return sorted(name for name in names if name != COUNTERS and not name.startswith("system."))

    def get_indexes(self, table: str, schema: str | None = None) -> list[IndexMetadata]:
        with self.translating():
            found = self.documents()[table].index_information()
        return [
            IndexMetadata(name, "", [column for column, _ in each["key"]], bool(each.get("unique")), table)
            for name, each in sorted(found.items())
            if name != "_id_"
        ]

    def explicit_nulls(self, model: Any, field: Any) -> int:
        """How many documents hold a null in the field, where ours hold nothing: such nulls of other programs clash. `check` asks. (J4)"""
        name = path(Column(field.column_name, form_of(field), field))
        return int(self.documents()[collection_name(model)].count_documents({name: {"$type": "null"}}))

    # Making

    def _create_table(self, model: Any, safe: bool) -> None:
        self.check_names(model)
        arrays = arrays_of(model)
        if arrays is not None:
            for side, index in arrays.indexes:
                self.need_table(side.holder, "CREATE TABLE")
                self.collection(side.holder).create_index([(side.place, 1)], name=index)
            return
        name = collection_name(model)
        try:
            self.documents().create_collection(name)
        except (CollectionInvalid, OperationFailure) as error:
            if isinstance(error, OperationFailure) and error.code != _EXISTS and not isinstance(error, CollectionInvalid):
                raise
            if not safe:
                raise peewee.OperationalError(error, f"there is a collection {name!r} already") from error
        self.known_tables.add(name)
        if model._meta.composite_key:
            keys = model._meta.get_primary_keys()
            self._make(model, f"{name}_pkey", {"key": [(field.column_name, 1) for field in keys], "unique": True})

    def _drop_table(self, model: Any, safe: bool) -> None:
        arrays = arrays_of(model)
        if arrays is not None:
            self.drop_arrays(arrays)
            self.documents().drop_collection(collection_name(model))  # links from before they stood in documents
            return
        name = collection_name(model)
        self.known_tables.discard(name)
        if not safe and name not in self.get_tables():
            raise peewee.OperationalError(f"there is no collection {name!r}")
        self.documents().drop_collection(name)
        self.documents()[COUNTERS].delete_one({"_id": name})

    def _truncate_table(self, model: Any) -> None:
        arrays = arrays_of(model)
        for side in arrays.sides if arrays is not None else ():
            self.collection(side.holder).update_many({side.array: {"$exists": True}}, {"$set": {side.array: []}})
        if arrays is None:
            self.collection(model).delete_many({})

    def drop_arrays(self, arrays: Arrays) -> None:
        """Take the links out of the documents of both sides, and the indexes that find them."""
        for side, index in arrays.indexes:
            collection = self.collection(side.holder)
            collection.update_many({side.array: {"$exists": True}}, {"$unset": {side.array: ""}})
            if index in collection.index_information():
                collection.drop_index(index)

    def _create_index(self, model: Any, index: Any, safe: bool) -> None:
        arrays = arrays_of(model)
        if arrays is not None:
            # The ends have theirs; an attribute is looked for where the links are read.
            keys = [(f"{arrays.truth.array}.{name}", way) for name, way in definition_of(model, index, self.address)["key"]]
            if not {name for name, _ in keys} & {f"{arrays.truth.array}.{end.near.column_name}" for end in arrays.sides}:
                self.collection(arrays.truth.holder).create_index(keys, name=index._name)
            return
        self._make(model, index._name, definition_of(model, index, self.address), safe)

    def _drop_index(self, model: Any, name: str, safe: bool) -> None:
        collection = self.collection(model)
        if name in collection.index_information():
            collection.drop_index(name)
        elif not safe:
            raise peewee.OperationalError(f"there is no index {name!r} of {collection.name!r}")

    def _make(self, model: Any, name: str, wanted: dict[str, Any], safe: bool = True) -> None:
        """Make an index; one of this name with another definition is taken away first, and comes back where the new one fails."""
        collection = self.collection(model)
        there = collection.index_information()
        old = there.get(name)
        if old is not None and _defined(old) == wanted:
            if not safe:
                raise peewee.OperationalError(f"there is an index {name!r} already")
            return
        if any(_defined(each) == wanted for each in there.values()):
            return  # under another name
        if wanted.get("unique"):
            self._refuse_duplicates(model, collection, [column for column, _ in wanted["key"]])
        if old is not None:
            collection.drop_index(name)
        try:
            collection.create_index(wanted["key"], name=name, **_options(wanted))
        except Exception:
            if old is not None:
                before = _defined(old)
                collection.create_index(before["key"], name=name, **_options(before))
            raise

    def _refuse_duplicates(self, model: Any, collection: Any, names: list[str]) -> None:
        keys = {f"k{number}": f"${name}" for number, name in enumerate(names)}
        there = {name: {"$exists": True} for name in names}
        stages = [{"$match": there}, {"$group": {"_id": keys, "n": {"$sum": 1}}}, {"$match": {"n": {"$gt": 1}}}, {"$limit": 1}]
        found = next(iter(collection.aggregate(stages, allowDiskUse=True)), None)
        if found is not None:
            values = {name: found["_id"].get(f"k{number}") for number, name in enumerate(names)}
            raise duplicate(model, names, "a unique index", values)


def _options(definition: dict[str, Any]) -> dict[str, Any]:
    return {word: value for word, value in definition.items() if word != "key"}


def _defined(information: dict[str, Any]) -> dict[str, Any]:
    """What decides what an index does, of what the server tells about it."""
    found: dict[str, Any] = {"key": [(str(name), int(way) if isinstance(way, (int, float)) else way) for name, way in information["key"]]}
    if information.get("unique"):
        found["unique"] = True
    if information.get("partialFilterExpression"):
        found["partialFilterExpression"] = {name: dict(each) for name, each in information["partialFilterExpression"].items()}
    return found


def definition_of(model: Any, index: Any, address: str) -> dict[str, Any]:
    """What an index of peewee's is in MongoDB: its key, and for a unique one which documents it leaves out."""
    keys = []
    for each in index._expressions:
        way = 1
        if isinstance(each, peewee.Ordering):
            way = -1 if str(each.direction).upper() == "DESC" else 1
            each = each.node
        if not isinstance(each, peewee.Field):
            raise _refused(index, address, "its parts are columns here", "Index the columns themselves")
        keys.append((path(Column(each.column_name, form_of(each), each)), way))
    if index._where is not None:
        raise _refused(index, address, "an index is of all rows here", "Index the columns without a condition")
    if index._nulls_distinct is False:
        raise _refused(index, address, "NULLs never clash here", "Declare the columns NOT NULL, or leave it out")
    if not index._unique:
        return {"key": keys}
    return {"key": keys, "unique": True, "partialFilterExpression": {name: {"$exists": True} for name, _ in keys}}


def _refused(index: Any, address: str, because: str, instead: str) -> UnsupportedQuery:
    return UnsupportedQuery(f"the index {index._name} on {address}", because, instead, construct="an index")
