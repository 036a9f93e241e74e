"""Carrying out a Read on MongoDB: a find where one is enough, else an aggregation pipeline.

Map: `read` chooses; `_found` runs a find; `Pipeline` writes the stages, in which the selected values are called c0, c1, …, what is only
sorted by o0, o1, …, and where NULLs are placed n0, n1, ….
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from activeassoc.stores.documents import Answer
from activeassoc.stores.mongo_terms import decoder, expression, filter_of, is_there, path
from activeassoc.stores.plan import NEVER, Aggregate, Column, Literal, Operand, Order, Read

__all__ = ["read"]


def read(plan: Read, collection: Any, session: Any) -> Answer:
    """The rows, lazily."""
    if plan.limit == 0:
        return Answer([(0,)] if plan.count or plan.exists else ())
    plain = not plan.grouped and not plan.distinct
    if plain and plan.where == NEVER:
        return Answer([(0,)] if plan.count or plan.exists else ())
    if plan.count or plan.exists:
        return Answer([(_counted(plan, plain, collection, session),)])
    if plain and all(isinstance(each.operand, (Column, Literal)) for each in plan.columns) and all(map(_by_column, plan.order)):
        return Answer(_found(plan, collection, session))
    return Answer(_aggregated(plan, collection, session))


def _by_column(order: Order) -> bool:
    return order.natural and isinstance(order.operand, Column)


def _counted(plan: Read, plain: bool, collection: Any, session: Any) -> int:
    if not plain:
        rows = _aggregated(plan, collection, session)
        return sum(1 for _ in rows) if plan.count else int(next(rows, None) is not None)
    wanted = filter_of(plan.where)
    if plan.exists:
        found = collection.find_one(wanted, {"_id": 1}, skip=plan.offset, session=session)
        return int(found is not None)
    options = {"limit": plan.limit} if plan.limit is not None else {}
    return int(collection.count_documents(wanted, skip=plan.offset, session=session, **options))


def _found(plan: Read, collection: Any, session: Any) -> Iterator[tuple[Any, ...]]:
    paths = {path(each.operand): 1 for each in plan.columns if isinstance(each.operand, Column)}
    documents = collection.find(
        filter_of(plan.where),
        {"_id": 0, **paths} if paths else {"_id": 1},
        sort=[(path(each.operand), -1 if each.descending else 1) for each in plan.order] or None,  # type: ignore[arg-type]
        skip=plan.offset,
        limit=plan.limit or 0,
        session=session,
    )
    steps = [_step(each.operand) for each in plan.columns]
    if all(decode is None for _, decode in steps):
        names = [name for name, _ in steps]
        return (tuple([document.get(name) for name in names]) for document in documents)
    return (tuple([each.get(name) if decode is None else decode(each.get(name)) for name, decode in steps]) for each in documents)


def _step(operand: Any) -> tuple[str, Callable[[Any], Any] | None]:
    if isinstance(operand, Literal):
        return "", lambda _: operand.value
    return path(operand), decoder(operand.form)


def _aggregated(plan: Read, collection: Any, session: Any) -> Iterator[tuple[Any, ...]]:
    pipeline = Pipeline(plan)
    documents = collection.aggregate(pipeline.stages(), session=session, allowDiskUse=True)
    decoders = [decoder(each.operand.form) if not isinstance(each.operand, Literal) else None for each in plan.columns]
    names = [f"c{number}" for number in range(len(plan.columns))]
    empty = True
    for document in documents:
        empty = False
        values = [document.get(name) for name in names]
        yield tuple([value if decode is None or value is None else decode(value) for value, decode in zip(values, decoders, strict=True)])
    if empty and plan.grouped and not plan.group_by and not plan.offset:
        yield tuple(_of_nothing(each.operand) for each in plan.columns)  # SQL has one row for all, also where there are none


def _of_nothing(operand: Operand | Aggregate) -> Any:
    if isinstance(operand, Aggregate):
        return 0 if operand.function == "COUNT" else None
    return operand.value if isinstance(operand, Literal) else None


class Pipeline:
    """The stages of one Read."""

    def __init__(self, plan: Read) -> None:
        self.plan = plan
        self._accumulators: dict[str, Any] = {}
        self._groups = {column.name: f"g{number}" for number, column in enumerate(plan.group_by)}

    def stages(self) -> list[dict[str, Any]]:
        plan = self.plan
        shown = {f"c{number}": self._value(each.operand) for number, each in enumerate(plan.columns)}
        sorting = [] if plan.distinct else [self._value(each.operand) for each in plan.order]
        found: list[dict[str, Any]] = [{"$match": filter_of(plan.where)}]
        if plan.grouped:
            keys = {self._groups[column.name]: {"$ifNull": [expression(column), None]} for column in plan.group_by}
            found.append({"$group": {"_id": keys or None, **self._accumulators}})
        found.append({"$project": {"_id": 0, **shown, **{f"o{number}": value for number, value in enumerate(sorting)}}})
        if plan.distinct:
            found.append({"$group": {"_id": {name: {"$ifNull": ["$" + name, None]} for name in shown}}})
            found.append({"$project": {"_id": 0, **{name: "$_id." + name for name in shown}}})
        found.extend(self._sorted())
        if plan.offset:
            found.append({"$skip": plan.offset})
        limit = 1 if plan.exists else plan.limit
        if limit is not None:
            found.append({"$limit": limit})
        return found

    def _sorted(self) -> Iterator[dict[str, Any]]:
        keys: dict[str, int] = {}
        places: dict[str, Any] = {}
        operands = [each.operand for each in self.plan.columns]
        for number, order in enumerate(self.plan.order):
            name = f"c{operands.index(order.operand)}" if self.plan.distinct else f"o{number}"
            if not order.natural:
                first, last = (1, 0) if order.nulls_last else (0, 1)
                places[f"n{number}"] = {"$cond": [{"$gt": ["$" + name, None]}, last, first]}
                keys[f"n{number}"] = 1
            keys[name] = -1 if order.descending else 1
        if places:
            yield {"$addFields": places}
        if keys:
            yield {"$sort": keys}

    def _value(self, operand: Operand | Aggregate) -> Any:
        if isinstance(operand, Aggregate):
            return self._aggregate(operand)
        if self.plan.grouped and isinstance(operand, Column):
            return "$_id." + self._groups[operand.name]
        if self.plan.grouped and not isinstance(operand, Literal):
            names = {"$" + path(column): "$_id." + self._groups[column.name] for column in self.plan.group_by}
            return _renamed(expression(operand), names)
        return expression(operand)

    def _aggregate(self, aggregate: Aggregate) -> Any:
        """The value of an aggregate after the group, with what has to be gathered for it within."""
        if aggregate.operand is None:
            return self._gathered({"$sum": 1})
        value = expression(aggregate.operand)
        if aggregate.function == "SUM" and aggregate.form == "integer":
            value = {"$toDecimal": value}  # whole numbers that outgrow 64 bits would go on as doubles, and lose digits
        if aggregate.distinct:
            values: Any = {"$setDifference": [self._gathered({"$addToSet": value}), [None]]}
            if aggregate.function == "COUNT":
                return {"$size": values}
            number: Any = {"$size": values}
            found: Any = {"$" + aggregate.function.lower(): values}
        else:
            number = self._gathered({"$sum": {"$cond": [is_there(aggregate.operand), 1, 0]}})
            if aggregate.function == "COUNT":
                return number
            found = self._gathered({"$" + aggregate.function.lower(): value})
        if aggregate.function != "SUM":
            return found
        if aggregate.form == "integer":
            found = {"$toLong": found}
        return {"$cond": [{"$eq": [number, 0]}, None, found]}

    def _gathered(self, accumulator: dict[str, Any]) -> str:
        for name, known in self._accumulators.items():
            if known == accumulator:
                return "$" + name
        name = f"a{len(self._accumulators)}"
        self._accumulators[name] = accumulator
        return "$" + name


def _renamed(part: Any, names: dict[str, str]) -> Any:
    """An expression with other names of fields."""
    if isinstance(part, dict):
        return {word: each if word == "$literal" else _renamed(each, names) for word, each in part.items()}
    if isinstance(part, list):
        return [_renamed(each, names) for each in part]
    return names.get(part, part) if isinstance(part, str) else part
