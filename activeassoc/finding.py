"""``User.find({"age": {">": 18}})`` and ``User.find_one(7)``: queries from criteria or a primary key.

Map: `Finding` has the calls, of which Model is derived; `_find` makes the query, `_find_one` runs one of at most one record; `compared`
is what a query compares where keywords name collections.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self

import peewee

from activeassoc.associations.options import both, condition_of, fields_of, number, ordering_of
from activeassoc.errors import CriteriaError, WrongArgument
from activeassoc.registry import Model
from activeassoc.stores.sql import rows_among
from activeassoc.targets import is_list, read_one

if TYPE_CHECKING:
    from peewee import Model as Base

    from activeassoc.types.faces import Query
else:
    Base = object


class Finding(Base):
    """What Model finds records with."""

    @classmethod
    def find(
        cls,
        criteria: Any = None,
        *,
        where: Any = None,
        attributes: Any = None,
        order: Any = None,
        limit: int | None = None,
        offset: int | None = None,
        populate: Any = None,
    ) -> Query[Self]:
        """A query of the records that fulfil `criteria`: a mapping like ``{"age": {">": 18}}``, a primary key, or all of them.

        It is peewee's query, not run, to go on with; by primary key unless `order` says otherwise. The options are those of
        the getters. Raises CriteriaError for criteria that cannot be meant. (F11, C11, I)
        """
        given = {"where": where, "attributes": attributes, "order": order, "limit": limit, "offset": offset, "populate": populate}
        found: Query[Self] = _find(cls, criteria, f"{cls.__name__}.find()", **given)
        return found

    @classmethod
    def find_one(cls, criteria: Any = None, *, where: Any = None, attributes: Any = None, populate: Any = None) -> Self | None:
        """The record that fulfils `criteria` (a mapping or a primary key), or None. One query.

        Raises CriteriaError for empty criteria, and where more than one record fulfils them. (F11)
        """
        asked = f"{cls.__name__}.find_one()"
        found: Self | None = _find_one(cls, criteria, asked, where=where, attributes=attributes, populate=populate)
        return found

    @classmethod
    def get_or_create(cls, **values: Any) -> tuple[Self, bool]:
        """The record with these values, or else a new one that has them and the ``defaults``; and whether it is new. peewee's.

        Collections go into the ``defaults``: CriteriaError otherwise, except for an array of ids, which is a column. (L1)
        """
        inherited: Any = super()
        found: tuple[Self, bool] = inherited.get_or_create(**compared(cls, values, f"{cls.__name__}.get_or_create()"))
        return found


def compared(model: Any, values: Mapping[str, Any], asked: str) -> dict[str, Any]:
    """Keywords that a query compares with columns: an array of ids is one under its association's name, too.

    Any other collection is none, and peewee would compare it by Python's ``==``, which finds nothing.
    """
    found = {}
    for name, value in values.items():
        word, mark, rest = name.partition("__")
        association = model.associations.get(word)
        if association is not None and association.to_many:
            if not association.in_array:
                because = f"{word!r} is a collection, and no column of {model.__name__}"
                raise CriteriaError(asked, because, f"Write where({association.label}.any(…)), or give it as one of the defaults")
            name = f"{association.key.attribute}{mark}{rest}"
        found[name] = value
    return found


def _find(
    model: Model,
    criteria: Any,
    asked: str,
    *,
    where: Any = None,
    attributes: Any = None,
    order: Any = None,
    limit: Any = None,
    offset: Any = None,
    populate: Any = None,
) -> Any:
    """The query of ``Model.find``; not run."""
    nodes: list[Any] = []
    if attributes is not None:
        nodes = fields_of(model, attributes, asked, "attributes")
        nodes += [key for key in model._meta.get_primary_keys() if not any(key is node for node in nodes)]
    query = model.select(*nodes)
    condition = both(_meant(model, criteria, asked), condition_of(model, where, asked))
    if condition is not None:
        query = query.where(condition)
    primary = list(model._meta.get_primary_keys())
    terms = [] if order is None else ordering_of([model], order, asked)
    named = [term.node if isinstance(term, peewee.Ordering) else term for term in terms]
    query = query.order_by(*terms, *(key for key in primary if not any(key is node for node in named)))
    limit, offset = number(limit, asked, "limit"), number(offset, asked, "offset")
    if limit is not None:
        query = query.limit(limit)
    if offset:
        query = query.offset(offset)
    return _populated(query, populate)


def _meant(model: Model, criteria: Any, asked: str) -> Any:
    """Criteria, an expression, or a primary key, as a condition; None for everything."""
    if criteria is None or isinstance(criteria, Mapping):
        return condition_of(model, criteria, asked, "criteria")
    if isinstance(criteria, peewee.Node) and not isinstance(criteria, peewee.Model | type):
        return criteria
    if is_list(model, criteria):
        name = model._meta.primary_key.name if not model._meta.composite_key else "or"
        raise WrongArgument(
            asked, f"{criteria!r} is neither criteria nor a primary key", f'Write {{"{name}": […]}}', value=criteria
        )
    target = read_one(model, criteria, asked)
    if target is None or target.new:
        raise WrongArgument(asked, f"{criteria!r} is not saved and has no key", "Save it first", value=criteria)
    return rows_among(model, [target.key])


def _populated(query: Any, populate: Any) -> Any:
    if populate is None:
        return query
    if isinstance(populate, Mapping):
        for path, options in populate.items():
            query = query.populate(path, **options)
        return query
    return query.populate(populate) if isinstance(populate, str) else query.populate(*populate)


def _find_one(model: Model, criteria: Any, asked: str, *, where: Any = None, **options: Any) -> Any:
    """The record, or None; two records that fulfil the criteria are one too many."""
    if (criteria is None and where is None) or (isinstance(criteria, Mapping) and not criteria):
        raise CriteriaError(
            asked,
            f"{'no criteria' if criteria is None else 'empty criteria'} would be fulfilled by every {model.__name__}",
            "Give criteria or a primary key, or write find().first()",
            value=criteria,
        )
    found = list(_find(model, criteria, asked, where=where, limit=2, **options))
    if len(found) > 1:
        shown = criteria if criteria is not None else where
        raise CriteriaError(
            asked,
            f"more than one {model.__name__} fulfils {repr(shown) if isinstance(shown, Mapping) else 'it'}",
            "Narrow the criteria, or write find(…).first()",
            value=shown,
        )
    return found[0] if found else None
