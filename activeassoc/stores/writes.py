"""INSERT, UPDATE and DELETE, read into a plan: rows complete and checked, before anything is sent.

There are no columns in a store of documents that would refuse a NULL, a column that does not exist, or a value of another type. So these
are refused here.

Map: `insert_of`, with `Rows` that makes the rows; `change_of`, and `settled` for stores that compute new values here; `remove_of`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import peewee
from peewee import Field

from activeassoc.errors import NullNotAllowed, UnknownName, WrongArgument, nearest
from activeassoc.stores.conditions import Conditions
from activeassoc.stores.forms import former
from activeassoc.stores.plan import Arithmetic, Change, Column, Insert, Literal, Operand, Remove

__all__ = ["change_of", "insert_of", "remove_of", "settled"]


def insert_of(query: Any, terms: Conditions) -> Insert:
    """The plan of an INSERT. Raises peewee's DefaultValuesException, which it catches itself, where there are no rows."""
    if isinstance(query._insert, peewee.BaseQuery):
        raise terms.refused(
            "INSERT with a SELECT", "rows are given here", "Run the query and give its rows: insert_many(query.tuples(), fields=[...])"
        )
    if query._cte_list:
        raise terms.refused("a CTE", "a query reads from a model here", "Run it first, and give its values")
    single = isinstance(query._insert, Mapping) and not query._columns
    given = [query._insert] if single else list(query._insert)
    if not given:
        raise query.DefaultValuesException("Error: no rows to insert.")
    rows = Rows(terms, query._columns)
    return Insert(
        model=terms.model,
        rows=tuple(rows.row(each) for each in given),
        on_conflict=_on_conflict(query._on_conflict, terms),
        returning=_returning(query, terms),
    )


def _on_conflict(clause: Any, terms: Conditions) -> str | None:
    if clause is None:
        return None
    action = str(clause._action or "").lower()
    parts = (clause._update, clause._preserve, clause._where, clause._conflict_target, clause._conflict_where, clause._conflict_constraint)
    if any(part is not None for part in parts) or action not in ("ignore", "nothing", "replace"):
        raise terms.refused(
            "ON CONFLICT with an update",
            "a row that is in the way is left as it is, or replaced as a whole",
            "Write on_conflict_ignore() or on_conflict_replace(), or read the row and save it",
        )
    return "replace" if action == "replace" else "ignore"


def _returning(query: Any, terms: Conditions) -> tuple[Column, ...]:
    found = []
    for node in query._returning or ():
        column = terms.column_or_none(node)
        if column is None:
            because = "the columns of the row are known, and nothing else"
            raise terms.refused("RETURNING with something else than a column", because, "Give fields to returning()")
        found.append(column)
    return tuple(found)


class Rows:
    """Makes the rows of one INSERT: names resolved, defaults filled in, values in their form, NOT NULL checked."""

    def __init__(self, terms: Conditions, columns: Iterable[Any] | None) -> None:
        self.terms = terms
        self.model = terms.model
        meta = self.model._meta
        self.fields: list[Field] = meta.sorted_fields
        self.listed: list[Field] | None = [self.field(each) for each in columns] if columns else None
        self._known: dict[Any, Field] = {}
        self._steps = [
            (field, terms.column(field), terms.former(terms.column(field), writing=True), meta.defaults.get(field), _made_by_store(field))
            for field in self.fields
        ]

    def row(self, given: Any) -> dict[str, Any]:
        """A row as it is stored: by column, without NULLs and without the key that the store makes."""
        values = self._by_field(given)
        row: dict[str, Any] = {}
        missing = []
        for field, column, formed, default, made in self._steps:
            if field.name in values:
                value = values[field.name]
            elif default is not None:
                value = default() if callable(default) else default
            else:
                value = None
            if value is not None:
                if isinstance(value, peewee.Node):
                    value = self.terms.literal(value, column, writing=True).value
                else:
                    value = formed(value)
            if value is None and made is not None:
                value = made()
                if value is None:
                    continue
            if value is not None:
                row[column.name] = value
            elif not field.null:
                missing.append(field.name)
        if missing:
            raise null_not_allowed(self.model, missing, "insert")
        return row

    def _by_field(self, given: Any) -> dict[str, Any]:
        if isinstance(given, Mapping):
            return {self.field(key).name: value for key, value in given.items()}
        fields = self.listed
        if fields is None:
            fields = self.fields[1:] if self.model._meta.auto_increment else self.fields
        values = tuple(given)
        if len(values) > len(fields):
            raise WrongArgument(
                f"insert into {self.model.__name__} of a row with {len(values)} values",
                f"there are {len(fields)} columns",
                "Give as many values as columns, or a dict",
                value=given,
            )
        return {field.name: value for field, value in zip(fields, values, strict=False)}

    def field(self, key: Any) -> Field:
        return field_named(key, self.model, self.terms)


def _made_by_store(field: Field) -> Any:
    """A function for the key that nobody gave: None from it leaves the key to the store. None for what has to be given."""
    if not field.primary_key or not field.auto_increment:
        return None
    return getattr(field, "new_key", None) or (lambda: None)


def field_named(key: Any, model: Any, terms: Conditions) -> Field:
    """The field that a key of insert() or update() means. Raises UnknownName."""
    if isinstance(key, str):
        found = model._meta.combined.get(key)
        if found is not None:
            return found  # type: ignore[no-any-return]
        known = sorted(model._meta.combined)
        raise UnknownName(f"a row of {model.__name__} with {key!r}", "there is no such field", nearest(key, known), name=key, known=known)
    column = terms.column_or_none(key)
    if column is None:
        raise terms.refused(f"a value for {key!r}", "it is no column", "Give fields or their names")
    return column.field  # type: ignore[no-any-return]


def null_not_allowed(model: Any, names: list[str], verb: str) -> NullNotAllowed:
    shown = ", ".join(names)
    return NullNotAllowed(
        f"{verb} of {model.__name__} with NULL for {shown}",
        f"{'it is' if len(names) == 1 else 'they are'} declared NOT NULL",
        "Give a value, or declare null=True",
        model=model,
        fields=names,
    )


def change_of(query: Any, terms: Conditions) -> Change:
    """The plan of an UPDATE."""
    _refuse_rest(query, "UPDATE", terms)
    if query._from:
        raise terms.refused("UPDATE with FROM", "this store reads one table at a time", "Read the other rows first, and give their values")
    if not query._update:
        raise terms.refused("UPDATE without columns", "there is nothing to change", "Give the new values to update()")
    keys = {field.name for field in terms.model._meta.get_primary_keys()}
    assignments = []
    for key, value in query._update.items():
        field = field_named(key, terms.model, terms)
        if field.name in keys:
            raise terms.refused(
                f"a change of the primary key {field.name}", "a row is known by its key", "Insert a new row, and delete the old one"
            )
        column = terms.column(field)
        assignments.append((column, _new_value(value, column, terms)))
    return Change(terms.model, terms.where(query._where), tuple(assignments))


def _new_value(value: Any, column: Column, terms: Conditions) -> Operand:
    field = column.field
    if isinstance(value, peewee.Node) and not isinstance(value, (peewee.Value, peewee.Model)):
        found = terms.operand(value, column)
    else:
        found = terms.literal(value, column, writing=True)
    if isinstance(found, Literal):
        if found.value is None and not field.null:
            raise null_not_allowed(terms.model, [field.name], "update")
        return found
    form = terms.form(found)
    if form != column.form and column.form != "any" and (form, column.form) not in _WIDER:
        what = "computed with " + found.op if isinstance(found, Arithmetic) else found.name
        raise terms.refused(
            f"{column.name} set to a value of the form {form} ({what})",
            f"it holds values of the form {column.form}, and something would be cut off",
            "Read the rows, and compute it in Python",
        )
    return found


_WIDER = {("integer", "float"), ("integer", "decimal"), ("float", "decimal"), ("date", "datetime")}


def settled(column: Column) -> Callable[[Any], Any]:
    """A function that brings a computed value into the column's form; NULL is refused where the column has none."""
    field: Any = column.field
    form = former(field, field.model._meta.database.capabilities, writing=True)

    def settle(value: Any) -> Any:
        if value is None and not field.null:
            raise null_not_allowed(field.model, [field.name], "update")
        return form(value, True)

    return settle


def remove_of(query: Any, terms: Conditions) -> Remove:
    """The plan of a DELETE."""
    _refuse_rest(query, "DELETE", terms)
    return Remove(terms.model, terms.where(query._where))


def _refuse_rest(query: Any, verb: str, terms: Conditions) -> None:
    keys = "Select the keys first, and give them to where()"
    refused = (
        (query._order_by, f"{verb} with ORDER BY", "all rows that are found are written", keys),
        (query._limit is not None, f"{verb} with LIMIT", "all rows that are found are written", keys),
        (query._offset is not None, f"{verb} with OFFSET", "all rows that are found are written", keys),
        (query._returning, f"{verb} with RETURNING", "the store tells how many rows there were", "Select the rows first"),
        (query._cte_list, "a CTE", "a query reads from a model here", "Run it first, and give its values"),
    )
    for asked, construct, because, instead in refused:
        if asked:
            raise terms.refused(construct, because, instead)
