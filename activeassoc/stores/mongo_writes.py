"""Carrying out INSERT, UPDATE and DELETE on MongoDB.

Each statement happens as a whole or not at all: one that writes several documents runs in a transaction of its own where the server has
them. On a server that stands alone an INSERT takes back what it had written before it failed; an UPDATE of several documents that fails
in the middle leaves those changed that it had reached.

Map: `Writer` has one method for each plan; `Inserting` below it is one INSERT, with the ways in which it treats rows that are in the way.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import peewee
from pymongo import UpdateOne
from pymongo.errors import BulkWriteError, DuplicateKeyError

from activeassoc.errors import DuplicateKey, UnfitValue
from activeassoc.stores.documents import Answer
from activeassoc.stores.forms import form_of
from activeassoc.stores.mongo_terms import encoded, expression, filter_of, path
from activeassoc.stores.plan import NEVER, Arithmetic, Change, Column, Compare, Insert, Literal, Operand, Remove, columns_of
from activeassoc.stores.unique import duplicate_key, unique_columns
from activeassoc.stores.writes import null_not_allowed

__all__ = ["Inserting", "change", "remove"]

Model = type[peewee.Model]


def change(plan: Change, collection: Any, session: Any) -> int:
    """Update, and tell how many documents the condition found."""
    wanted = filter_of(plan.where)
    _refuse_results(plan, wanted, collection, session)
    if all(isinstance(value, Literal) for _, value in plan.assignments):
        update: Any = _plainly(plan.assignments)
    else:
        update = [{"$set": {path(column): _computed(column, value) for column, value in plan.assignments}}]
    update_them = collection.update_one if _by_key(plan.where) else collection.update_many
    return int(update_them(wanted, update, session=session).matched_count)


def _by_key(where: Any) -> bool:
    """At most one document: the driver repeats the statement by itself where the connection was lost."""
    return (
        isinstance(where, Compare)
        and where.op == "="
        and isinstance(where.left, Column)
        and path(where.left) == "_id"
        and isinstance(where.right, Literal)
    )


def writes_one(plan: Any) -> bool:
    """Whether the statement writes at most one document, and so is atomic by itself."""
    if isinstance(plan, Insert):
        return len(plan.rows) == 1 and plan.on_conflict != "replace"
    return _by_key(plan.where)


def _plainly(assignments: Sequence[tuple[Column, Any]]) -> dict[str, Any]:
    given = {path(column): encoded(value.value, column.form) for column, value in assignments}
    update = {
        "$set": {name: value for name, value in given.items() if value is not None},
        "$unset": {name: "" for name, value in given.items() if value is None},
    }
    return {word: values for word, values in update.items() if values}


def _computed(column: Column, value: Operand) -> Any:
    """The new value as an expression; what is NULL is taken out of the document."""
    if isinstance(value, Literal):
        return "$$REMOVE" if value.value is None else expression(value, column.form)
    return {"$ifNull": [_result(column, value), "$$REMOVE"]}


def _result(column: Column, value: Operand) -> Any:
    found = expression(value)
    form = value.form  # type: ignore[union-attr]
    if column.form == "float" and form == "integer":
        return {"$toDouble": found}
    if column.form == "decimal":
        return {"$round": [{"$toDecimal": found}, column.field.decimal_places]}
    return found


def _refuse_results(plan: Change, wanted: dict[str, Any], collection: Any, session: Any) -> None:
    """Refuse the statement where what it computes is NULL for a NOT NULL column, or not finite: no column here would."""
    for column, value in plan.assignments:
        if isinstance(value, Literal):
            continue
        result = _result(column, value)
        may_be_null = not column.field.null and any(each.field.null for each in columns_of(value))
        if may_be_null and _finds(collection, wanted, {"$not": [{"$gt": [result, None]}]}, session):
            raise null_not_allowed(plan.model, [column.field.name], "update")
        may_overflow = isinstance(value, Arithmetic) and value.form in ("float", "decimal")
        if may_overflow and _finds(collection, wanted, {"$in": [result, _NOT_FINITE]}, session):
            raise UnfitValue(
                f"update of {plan.model.__name__}.{column.field.name}",
                "what it computes is not finite for some rows",
                "Leave out the rows with such values by where()",
                field=column.field,
                value=None,
            )


_NOT_FINITE = [float("inf"), float("-inf"), float("nan")]


def _finds(collection: Any, wanted: dict[str, Any], condition: Any, session: Any) -> bool:
    return collection.find_one({"$and": [wanted, {"$expr": condition}]}, {"_id": 1}, session=session) is not None


def remove(plan: Remove, collection: Any, session: Any) -> int:
    """Delete, and tell how many documents there were."""
    if plan.where == NEVER:
        return 0
    delete = collection.delete_one if _by_key(plan.where) else collection.delete_many
    return int(delete(filter_of(plan.where), session=session).deleted_count)


class Inserting:
    """One INSERT: the documents with their keys, then one of the three ways to write them."""

    def __init__(self, plan: Insert, keys: Any) -> None:
        self.plan, self.model, self.keys = plan, plan.model, keys
        self.columns = {field.column_name: Column(field.column_name, form_of(field), field) for field in self.model._meta.sorted_fields}
        self.unique = [tuple(path(column) for column in columns) for columns in unique_columns(self.model)]
        key = self.model._meta.primary_key
        self.counted = isinstance(key, peewee.Field) and key.auto_increment and form_of(key) == "integer"
        self.documents = [self._document(row) for row in plan.rows]
        self.made: set[int] = set()

    def _document(self, row: Mapping[str, Any]) -> dict[str, Any]:
        columns = self.columns
        return {path(columns[name]): encoded(value, columns[name].form) for name, value in row.items()}

    def give_keys(self, again: bool = False) -> None:
        """Give every document that has none a key of the counter, which is raised above the keys that were given."""
        if not self.counted:
            return
        without = sorted(self.made) if again else [number for number, each in enumerate(self.documents) if "_id" not in each]
        given = [each["_id"] for number, each in enumerate(self.documents) if number not in without and "_id" in each]
        if given and not again:
            self.keys.raise_to(self.model, max(given))
        if without:
            for number, key in zip(without, self.keys.take(self.model, len(without)), strict=True):
                self.documents[number]["_id"] = key
            self.made.update(without)

    def write(self, collection: Any, session: Any, in_transaction: bool) -> Answer:
        """Write the documents. `in_transaction`: a failed command would abort the transaction of the program."""
        if self.plan.on_conflict == "replace":
            inserted: Sequence[int] = self._replace(collection, session)
        elif self.plan.on_conflict == "ignore":
            inserted = self._upsert(collection, session) if session is not None else self._ignore(collection)
        else:
            if in_transaction:
                self._look_first(collection, session)
            self._insert(collection, session)
            inserted = range(len(self.documents))
        return Answer(self._returned(inserted), len(inserted))

    def _returned(self, inserted: Sequence[int]) -> list[tuple[Any, ...]]:
        """What the rows hold, as plans hold it: the key where the store made it, else the value that was given."""
        rows = []
        for number in inserted:
            row, document = self.plan.rows[number], self.documents[number]
            rows.append(tuple(row.get(each.name, document.get("_id") if path(each) == "_id" else None) for each in self.plan.returning))
        return rows

    def _insert(self, collection: Any, session: Any) -> None:
        if len(self.documents) == 1:
            collection.insert_one(self.documents[0], session=session)
            return
        try:
            collection.insert_many(self.documents, session=session)
        except BulkWriteError as error:
            if session is None:  # no transaction takes them back
                written = self.documents[: error.details.get("nInserted", 0)]
                collection.delete_many({"_id": {"$in": [each["_id"] for each in written]}})
            raise

    def _look_first(self, collection: Any, session: Any) -> None:
        """Look for rows that are in the way, so that a duplicate is an error of this statement and not the end of the transaction."""
        if len(self.documents) > 100:
            return
        for document in self.documents:
            for names in self._keys_of(document):
                if names == ("_id",) and self.made:
                    continue  # the counter's
                if collection.find_one({name: document[name] for name in names}, {"_id": 1}, session=session) is not None:
                    raise duplicate(self.model, names, "insert", {name: document[name] for name in names})

    def _keys_of(self, document: Mapping[str, Any]) -> list[tuple[str, ...]]:
        """The primary key and the unique columns that the document has whole: with a NULL in it a key clashes with nothing."""
        own = [("_id",)] if "_id" in document else []
        return own + [names for names in self.unique if all(name in document for name in names)]

    def _clashes(self, document: Mapping[str, Any]) -> list[dict[str, Any]]:
        return [{name: document[name] for name in names} for names in self._keys_of(document)]

    def _ignore(self, collection: Any) -> Sequence[int]:
        if len(self.documents) == 1:
            try:
                collection.insert_one(self.documents[0])
            except DuplicateKeyError:
                return []
            return [0]
        try:
            collection.insert_many(self.documents, ordered=False)
        except BulkWriteError as error:
            failed = {each["index"] for each in error.details["writeErrors"]}
            if any(each["code"] != DUPLICATE for each in error.details["writeErrors"]) or error.details.get("writeConcernErrors"):
                raise
            return [number for number in range(len(self.documents)) if number not in failed]
        return range(len(self.documents))

    def _upsert(self, collection: Any, session: Any) -> Sequence[int]:
        """The same within a transaction, which a duplicate would abort: insert where nothing is in the way."""
        requests = []
        for document in self.documents:
            clashes = self._clashes(document)
            if len(clashes) == 1 and list(clashes[0]) == ["_id"]:
                rest = {name: value for name, value in document.items() if name != "_id"}
                requests.append(UpdateOne(clashes[0], {"$setOnInsert": rest} if rest else {"$setOnInsert": document}, upsert=True))
            else:
                requests.append(UpdateOne({"$or": clashes or [{"_id": {"$in": []}}]}, {"$setOnInsert": document}, upsert=True))
        result = collection.bulk_write(requests, session=session)
        return sorted(result.upserted_ids)

    def _replace(self, collection: Any, session: Any) -> Sequence[int]:
        last = {id(document): number for number, document in enumerate(self.documents)}
        for document in self.documents:
            clashes = self._clashes(document)
            others = [clash for clash in clashes if list(clash) != ["_id"]]
            key = document.get("_id")
            if others:
                apart = {"_id": {"$ne": key}} if key is not None else {}
                collection.delete_many({**apart, "$or": others}, session=session)
            if key is None:
                collection.insert_one(document, session=session)
            else:
                # Not replace_one: a document may hold more than columns, as the links to others.
                given = {name: value for name, value in document.items() if name != "_id"}
                absent = {path(column): "" for column in self.columns.values() if path(column) not in document}
                changed = {word: values for word, values in (("$set", given), ("$unset", absent)) if values}
                collection.update_one({"_id": key}, changed or {"$setOnInsert": document}, upsert=True, session=session)
        return list(last.values())


DUPLICATE = 11000


def duplicate(model: Model, names: Sequence[str], verb: str, values: Mapping[str, Any] | None = None) -> DuplicateKey:
    """The error for a primary key or a unique value that is there already."""
    meta = model._meta
    fields = []
    for name in names:
        field = meta.primary_key if name == "_id" and isinstance(meta.primary_key, peewee.Field) else meta.columns.get(name)
        fields.append(getattr(field, "name", name))
    return duplicate_key(model, fields, verb, [_shown(values[name]) for name in names] if values else ())


def _shown(value: Any) -> str:
    text = str(value) if type(value).__name__ in ("Decimal128", "ObjectId") else repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def duplicate_of(error: Any, model: Model, verb: str) -> DuplicateKey | None:
    """The DuplicateKey that a driver's error is, None for another error."""
    details = getattr(error, "details", None) or {}
    if isinstance(error, BulkWriteError):
        details = next((each for each in details.get("writeErrors", ()) if each.get("code") == DUPLICATE), {})
    elif not isinstance(error, DuplicateKeyError):
        return None
    if not details:
        return None
    names = list(details.get("keyPattern") or ("_id",))
    values: Any = details.get("keyValue")
    return duplicate(model, names, verb, values if values and all(name in values for name in names) else None)
