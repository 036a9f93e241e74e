"""How a record came here that an association read: whose it is, and the join row through which it was reached.

A large populate makes hundreds of thousands of records, and most are never asked for either. So a record gets one reference to what
its statement or its owner shares with the others, and the rest is made when it is asked for.

Map: `Related` is ``__rel__`` and `JoinRows` is ``_links`` of instances; `Via` is what the records of one statement share, `JoinRow` a
join row that is not made yet; `links_of` gives the join rows to write to; `Reaching` writes the functions that read associations' rows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from peewee import Field

from activeassoc.hydrate import Source, made, reader
from activeassoc.registry import Model


class Related:
    """Related records by field's name, made when first touched: ``_beside`` is the (name, owner) that the record was read for."""

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        if instance is None:
            return None  # as peewee says on the class
        beside = instance._beside
        # It has no __set__, so that the instance's own attribute comes first, once it is there. Two threads get the same one.
        return instance.__dict__.setdefault("__rel__", {} if beside is None else {beside[0]: beside[1]})


class JoinRows:
    """Join rows by name, None where there are none: made when first touched, of ``_via`` and of the row that the record was read from."""

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        via = None if instance is None else instance._via
        if via is None:
            return None
        links = instance.__dict__.setdefault("_links", {via.name: via.row(instance)})
        instance.__dict__["_touched"] = True
        return links


class Via:
    """What the records of one statement share: the attribute of their join rows, and what makes one of a row."""

    __slots__ = ("_of_record", "make", "name")

    def __init__(self, name: str, make: Callable[[Any], Any], of_record: bool = False) -> None:
        self.name = name
        self.make = make
        self._of_record = of_record

    def give(self, record: Any) -> Any:
        """The join row of a record that has none yet, which it keeps from now on."""
        made = self.make(record if self._of_record else record._row)
        if made is not None:
            made.__dict__["_join_row"] = True
        links = record.__dict__.setdefault("_links", {self.name: made})
        record.__dict__["_touched"] = True
        return links[self.name]

    def row(self, record: Any) -> JoinRow:
        """The join row of a record: of the row that it was read from, or of itself."""
        return JoinRow(partial(self.make, record if self._of_record else record._row))


class JoinRow:
    """A join row that is made when somebody asks for it; pickled and copied as the row itself."""

    __slots__ = ("_make",)

    def __init__(self, make: Callable[[], Any]) -> None:
        self._make = make

    def __call__(self) -> Any:
        link = self._make()
        if link is not None:
            link.__dict__["_join_row"] = True
        return link

    def __reduce__(self) -> tuple[Any, ...]:
        return _itself, (self(),)


def _itself(row: Any) -> Any:
    return row


def links_of(record: Any) -> dict[str, Any]:
    """The join rows of a record, to be written to."""
    links = getattr(record, "_links", None)
    if links is None:
        links = {}
        record.__dict__.update(_links=links, _touched=True)  # past a __setattr__ of the model's own
    return links


def light(model: Model) -> bool:
    """Whether instances of `model` know `_beside` and `_via`: those of plain peewee models do not."""
    return hasattr(model, "_beside")


class Reaching(Source):
    """The text of a function (rows, came) → records, or with `lists` (rows, came, lists) → None, which puts each into its owner's list.

    `tell` says what `came` is: "via", the `Via` of the statement; "beside", the (name, owner) of the owner, or with `lists` that of each
    owner by the row's last column; or "", and then it is passed over. `lists` has a list for each value of that column.
    """

    def __init__(self, model: Model, fields: Sequence[Field], width: int, tell: str, lists: bool) -> None:
        super().__init__(model, fields, 0, width, True)
        self.tell, self.lists = tell, lists

    def lines(self) -> list[str]:
        targets = self.unpacked("row")
        if self.lists:
            targets = f"{targets.rstrip(',').rpartition(', ')[0]}, near"
        first = [f"    for {targets} in rows:"] if self.tell != "via" else ["    for row in rows:", f"        {targets} = row"]
        body = [*self.taking(), *self.reading(), "record = new(Model)", *self.filling(), *self.telling()]
        parameters, last = ("rows, came, lists", "lists[near]") if self.lists else ("rows, came", "records")
        return [
            f"def read({parameters}):",
            f'    """Records of {self.model.__name__}, each told how it came here."""',
            *([] if self.lists else ["    records = []"]),
            *first,
            *(f"        {line}" for line in [*body, f"{last}.append(record)"]),
            *([] if self.lists else ["    return records"]),
        ]

    def telling(self) -> list[str]:
        if self.tell == "via":
            return ["record._row = row", "record._via = came"]
        came = "came[near]" if self.lists else "came"
        if not self.tell or not any(self.own):
            return [f"record._beside = {came}"] if self.tell else []
        # An accessor that was set has touched ``__rel__`` already, and would have taken out of it what stood there before.
        return [f"name, owner = {came}", "record.__rel__[name] = owner"]


def reaching(model: Model, fields: Sequence[Field], width: int, tell: str, lists: bool = False) -> Callable[..., Any]:
    """The function of `Reaching`, made once; for models with a constructor of their own one that goes through it."""
    return made(  # type: ignore[no-any-return]
        model,
        ("reaching", width, tell, lists, *map(id, fields)),
        lambda: (Reaching(model, fields, width, tell, lists).function() if light(model) else _by_constructor(model, fields, tell, lists)),
        lambda: _by_constructor(model, fields, tell, lists),
    )


def _by_constructor(model: Model, fields: Sequence[Field], tell: str, lists: bool) -> Callable[..., Any]:
    make = reader(model, fields)

    def told(row: Any, came: Any) -> Any:
        record = make(row)
        if tell == "via" and light(model):
            record.__dict__.update(_row=row, _via=came)
        elif tell == "via":
            links_of(record)[came.name] = JoinRow(partial(came.make, row))  # (a plain peewee model)
        elif tell:
            record.__rel__[came[0]] = came[1]
        return record

    def read(rows: Any, came: Any) -> list[Any]:
        return [told(row, came) for row in rows]

    def place(rows: Any, came: Any, of_owners: dict[Any, list[Any]]) -> None:
        for row in rows:
            of_owners[row[-1]].append(told(row, came[row[-1]] if tell == "beside" else came))

    return place if lists else read
