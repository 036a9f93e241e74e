"""The queries of models: peewee's own, which can also be populated.

Map: `Select` is what ``Model.select()`` gives, `CompoundSelect` a union of such, `Alias` what ``Model.alias()`` gives, so that
aliased models have such queries too, `Update` and `Delete` are the two that write; `Populating` is what those that read share;
`Records` makes the instances.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING, Any

import peewee
from peewee import ROW, Field

from activeassoc import lazy
from activeassoc.associations.loading import DEFAULT, Options
from activeassoc.errors import WrongArgument
from activeassoc.finding import compared
from activeassoc.hydrate import reader, rows_reader
from activeassoc.populate import Plan, shown, text_of
from activeassoc.stores.bridge import streams
from activeassoc.stores.subqueries import Placed
from activeassoc.with_links import joinable, run

if TYPE_CHECKING:
    from activeassoc.explain import Explanation

#: How many rows are fetched at once.
PORTION = 200


class Populating:
    """What a query of records gains: `populate`."""

    model: Any
    _plan: Plan | None = None
    _row_type: Any
    _constructor: Any
    _cursor_wrapper: Any

    def populate(
        self,
        *paths: Any,
        where: Any = None,
        order: Any = None,
        limit: Any = DEFAULT,
        offset: int | None = None,
        attributes: Any = None,
        through_where: Any = None,
        join_attributes: Any = None,
        count: bool = False,
    ) -> Any:
        """This query, whose records will come with their associations loaded.

        `paths` are names of associations (``"pets"``), with dots to go on from what they bring (``"pets.vet"``). The options are
        those of the getters, and count for each owner; they belong to the last association of the path. `limit` is 30
        where nothing is said (`Meta.populate_limit` of the populated model, `settings.populate_limit`): a list that this
        cuts is ``truncated``, and a PopulateTruncatedWarning says so; None is no limit, 0 an empty list without a query.
        To-one associations take `attributes` only. ``count=True`` brings ``user.pets_count`` instead of the records.

        A path that is given again replaces the former options. Costs one query for each association of the paths when the
        query runs. Raises UnknownName with the nearest names for a path that is none, WrongArgument for options that the
        path does not take. (G1-G7)
        """
        if not paths:
            asked = f"{_name(self.model)}.select().populate()"
            raise WrongArgument(asked, "no path was given", 'Name the associations, as in populate("pets")', value=paths)
        options = Options(where, order, limit, offset, attributes, through_where, join_attributes, count)
        plan = self._plan or Plan(_model_of(self.model), "")
        before = f"{_name(self.model)}.select()"
        plan = replace(plan, asked=f"{before}.populate({shown(paths)})")
        if not self._gives_records():
            raise _no_records(plan.asked)
        for path in paths:
            plan = plan.add(text_of(path), options)
        return self._planned(replace(plan, asked=f"{before}.populate({shown(plan.paths)})"))

    def explain_populate(self, *paths: Any, **options: Any) -> Explanation:
        """What this query would send to populate, and `paths` (with options, as for populate) too; reads no rows.

        The answer prints itself; it has the number of `queries`, the `hops` with their statements, stores and keys per
        statement, and the `missing_indexes`, for which the schema is asked. (G9)
        """
        query: Any = self.populate(*paths, **options) if paths or self._plan is None else self
        from activeassoc.explain import explain

        return explain(query, query._plan.steps, query._plan.asked)

    def _planned(self, plan: Plan | None) -> Any:
        clone: Any = self.clone()  # type: ignore[attr-defined]
        clone._plan = plan
        return clone

    def _gives_records(self) -> bool:
        return self._row_type in (None, ROW.MODEL) or (
            self._row_type == ROW.CONSTRUCTOR and isinstance(self._constructor, type) and issubclass(self._constructor, peewee.Model)
        )

    def _execute(self, database: Any) -> Any:
        first, plan = self._cursor_wrapper is None, self._plan
        step = joinable(self, plan) if first and self._gives_records() else None
        if step is not None and plan is not None:
            rows, plan = run(self, step, plan, database)
            self._cursor_wrapper = self._get_cursor_wrapper(rows)
        cursor = super()._execute(database)  # type: ignore[misc]
        model = _model_of(self.model)
        if first and (plan is not None or lazy.policy_of(model) == "batch") and self._gives_records():
            try:
                # All rows first: the statements below run on the same connection, and need every key.
                records = list(cursor)
                if getattr(self, "_joins", True):
                    lazy.joined_together(model, records)
                else:
                    lazy.together(model, records)
                if plan is not None:
                    plan.run(records)
            except BaseException:
                self._cursor_wrapper = None  # run again, it must not give what is half populated
                raise
        return cursor

    def iterator(self, database: Any = None) -> Any:
        if self._plan is not None:
            raise self._one_by_one(self._plan, "iterator()")
        inherited: Any = super()
        return inherited.iterator(database)

    def _get_cursor_wrapper(self, cursor: Any) -> Any:
        if self._plan is not None and streams(cursor):
            raise self._one_by_one(self._plan, "iterate()")
        inherited: Any = super()
        return inherited._get_cursor_wrapper(cursor)

    def _one_by_one(self, plan: Plan, call: str) -> WrongArgument:
        return WrongArgument(
            plan.asked,
            f"{call} gives one row after the other, and populate needs the keys of all",
            "Iterate over the query itself, or populate(records, …) portions of it",
            value=self,
        )

    # Rows that are no records have no place for what is populated.

    def dicts(self, as_dict: bool = True) -> Any:
        return self._without_records(super().dicts(as_dict))  # type: ignore[misc]

    def tuples(self, as_tuple: bool = True) -> Any:
        return self._without_records(super().tuples(as_tuple))  # type: ignore[misc]

    def namedtuples(self, as_namedtuple: bool = True) -> Any:
        return self._without_records(super().namedtuples(as_namedtuple))  # type: ignore[misc]

    def objects(self, constructor: Any = None) -> Any:
        return self._without_records(super().objects(constructor))  # type: ignore[misc]

    def _without_records(self, query: Any) -> Any:
        if self._plan is not None and not query._gives_records():
            raise _no_records(self._plan.asked)
        return query

    # One value needs no populate; peewee asks for it by tuples() and dicts().

    def scalar(self, *arguments: Any, **options: Any) -> Any:
        return super(Populating, self._planned(None)).scalar(*arguments, **options)  # type: ignore[misc]

    def scalars(self, *arguments: Any, **options: Any) -> Any:
        return super(Populating, self._planned(None)).scalars(*arguments, **options)  # type: ignore[misc]

    # Compound queries

    def union_all(self, other: Any) -> Any:
        return self._compound("UNION ALL", other)

    def union(self, other: Any) -> Any:
        return self._compound("UNION", other)

    def intersect(self, other: Any) -> Any:
        return self._compound("INTERSECT", other)

    def except_(self, other: Any) -> Any:
        return self._compound("EXCEPT", other)

    def _compound(self, operator: str, other: Any) -> Any:
        query = CompoundSelect(self.model, self, operator, other)
        query._plan = self._plan or getattr(other, "_plan", None)
        return query

    __add__, __or__, __and__, __sub__ = union_all, union, intersect, except_


class Select(Populating, Placed, peewee.ModelSelect):
    """What ``Model.select()`` gives: peewee's query, with `populate`."""

    def convert_dict_to_node(self: Any, qdict: Any) -> Any:
        filters = compared(self.model, qdict, f"{self.model.__name__}.filter()")
        return peewee.ModelSelect.convert_dict_to_node(self, filters)

    def _get_model_cursor_wrapper(self: Any, cursor: Any) -> Any:
        alone = not self._joins and len(self._from_list) == 1 and self._from_list[0] is self.model
        if not alone or not _are_fields(self._returning, self.model):
            return peewee.ModelSelect._get_model_cursor_wrapper(self, cursor)  # type: ignore[attr-defined]
        return Records(cursor, self.model, tuple(self._returning))


def _are_fields(columns: Any, model: Any) -> bool:
    """Whether each column is a field of the model's own, as it is, and none stands there twice."""
    fields = model._meta.fields
    names = {column.name for column in columns if isinstance(column, Field) and fields.get(column.name) is column and column._coerce}
    return len(names) == len(columns) and all(map(str.isidentifier, names))


class Records(peewee.CursorWrapper):
    """The records of a query of one model's columns, as peewee's cursors have them: read when asked for, and then kept."""

    def __init__(self, cursor: Any, model: Any, fields: tuple[Any, ...]) -> None:
        super().__init__(cursor)
        self.model, self.fields = model, fields

    def initialize(self) -> None:
        self.process_row = reader(self.model, self.fields, width=len(self.fields))  # type: ignore[method-assign]

    def iterate(self, cache: bool = True) -> Any:
        try:
            return super().iterate(cache)
        except StopIteration:
            raise
        except BaseException as error:
            self._fail(error)
            raise

    def _fail(self, error: BaseException) -> None:
        """A part of the rows is gone with the error, and who asks again may not take the others for all that there are."""
        self.cursor, self.count = Failed(error), len(self.row_cache)

    def fill_cache(self, n: int = 0) -> None:
        if n or self.populated:
            super().fill_cache(n)
            return
        read, cursor = rows_reader(self.model, self.fields, width=len(self.fields)), self.cursor
        try:
            for rows in _portions(cursor):
                self.row_cache += read(rows)
                self.count = len(self.row_cache)
        except BaseException as error:
            self._fail(error)
            raise
        self.populated = True
        cursor.close()

    def __iter__(self) -> Any:
        return iter(self.row_cache) if self.populated else chain.from_iterable(self._as_they_come())

    def _as_they_come(self) -> Iterator[list[Any]]:
        """One record after the other, for a loop that may end early; where somebody else has read more, those at once."""
        place = 0
        while True:
            if place == self.count and not self.populated:
                try:
                    self.iterate()
                except StopIteration:
                    return
            found = self.row_cache[place:]
            if not found:
                return
            place += len(found)
            yield found


def _portions(cursor: Any) -> Iterator[Any]:
    """The rows of a cursor, not all at once: fewer of them wait in memory for becoming records."""
    if not hasattr(cursor, "fetchmany"):  # asynchronous drivers have them all already
        yield cursor.fetchall()
        return
    while rows := cursor.fetchmany(PORTION):
        yield rows


class Failed:
    """In the place of a cursor whose rows could not be read: says so again."""

    def __init__(self, error: BaseException) -> None:
        self._error = error

    def fetchone(self) -> Any:
        raise self._error

    fetchall = fetchone

    def close(self) -> None:
        pass


class CompoundSelect(Populating, Placed, peewee.ModelCompoundSelectQuery):  # type: ignore[misc]
    """A union (intersection, difference) of such queries."""


class Update(Placed, peewee.ModelUpdate):
    """What ``Model.update()`` gives."""


class Delete(Placed, peewee.ModelDelete):
    """What ``Model.delete()`` gives."""


class Alias(peewee.ModelAlias):
    """What ``Model.alias()`` gives: peewee's alias, whose queries have `populate`."""

    def select(self, *selection: Any) -> Any:
        return Select(self, selection or self.get_field_aliases())


def _model_of(model: Any) -> Any:
    """The model that is queried, under an alias or not. A model may have a field that is called model."""
    return model.model if isinstance(model, peewee.ModelAlias) else model


def _name(model: Any) -> str:
    return str(_model_of(model).__name__)


def _no_records(asked: str) -> WrongArgument:
    return WrongArgument(
        asked,
        "the query gives plain rows, which have no place for what is populated",
        "Leave out dicts(), tuples(), namedtuples() and objects(); record.to_dict() makes a dict of a populated record",
        value=None,
    )
