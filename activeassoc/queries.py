"""The queries of models: peewee's own, which can also be populated.

Map: `Select` is what ``Model.select()`` gives, `CompoundSelect` a union of such, `Alias` what ``Model.alias()`` gives, so that
aliased models have such queries too; `Populating` is what they share.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import peewee
from peewee import ROW

from activeassoc import lazy
from activeassoc.associations.loading import DEFAULT, Options
from activeassoc.errors import WrongArgument
from activeassoc.explain import Explanation, explain
from activeassoc.populate import Plan, shown, text_of


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
        plan = self._plan or Plan(getattr(self.model, "model", self.model), "")
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
        first = self._cursor_wrapper is None
        cursor = super()._execute(database)  # type: ignore[misc]
        model = getattr(self.model, "model", self.model)
        if first and (self._plan is not None or lazy.policy_of(model) == "batch") and self._gives_records():
            try:
                # All rows first: the statements below run on the same connection, and need every key.
                records = list(cursor)
                lazy.joined_together(model, records)
                if self._plan is not None:
                    self._plan.run(records)
            except BaseException:
                self._cursor_wrapper = None  # run again, it must not give what is half populated
                raise
        return cursor

    def iterator(self, database: Any = None) -> Any:
        if self._plan is not None:
            raise WrongArgument(
                self._plan.asked,
                "iterator() gives one row after the other, and populate needs the keys of all",
                "Iterate over the query itself, or populate(records, …) portions of it",
                value=self,
            )
        return super().iterator(database)  # type: ignore[misc]

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


class Select(Populating, peewee.ModelSelect):
    """What ``Model.select()`` gives: peewee's query, with `populate`."""


class CompoundSelect(Populating, peewee.ModelCompoundSelectQuery):  # type: ignore[misc]
    """A union (intersection, difference) of such queries."""


class Alias(peewee.ModelAlias):
    """What ``Model.alias()`` gives: peewee's alias, whose queries have `populate`."""

    def select(self, *selection: Any) -> Any:
        return Select(self, selection or self.get_field_aliases())


def _name(model: Any) -> str:
    return str(getattr(model, "model", model).__name__)


def _no_records(asked: str) -> WrongArgument:
    return WrongArgument(
        asked,
        "the query gives plain rows, which have no place for what is populated",
        "Leave out dicts(), tuples(), namedtuples() and objects(); record.to_dict() makes a dict of a populated record",
        value=None,
    )
