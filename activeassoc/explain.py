"""``query.explain_populate()``: what populate would send, before it sends anything.

Map: `explain` makes an `Explanation` of a plan, with a `Hop` for each association; `missing_indexes` asks the database's schema.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import peewee

from activeassoc.associations.loading import Options, columns_of, limit_of, statement
from activeassoc.associations.reading import Reading
from activeassoc.associations.stages import place
from activeassoc.stores.embedded import arrays_of
from activeassoc.stores.sql import base_field, store_of
from activeassoc.with_links import joinable, walk_of
from activeassoc.with_links import statement as statement_with_links


class Statement(NamedTuple):
    """One statement, and the database that is asked: its URL without the password, or its name where nobody connected by a URL."""

    store: str
    sql: str


class Hop(NamedTuple):
    """One association of a path, and the statement that loads it."""

    path: str
    association: Reading
    #: The databases that are asked, in order, as `Statement.store` has them.
    store: str
    #: The statements' texts for two keys, one below the other; None where nothing is asked, or where the type of the key has no sample.
    sql: str | None
    #: How many keys one statement takes; more are asked for in portions.
    keys_per_statement: int
    #: How many records each owner gets at most, None for all of them (and for a to-one).
    limit: int | None
    #: Columns by which rows are looked for and which lead no index, as ``table.column``.
    missing_indexes: list[str]
    #: The statements by store: several where links and records cannot be joined. Empty as `sql` is None.
    statements: list[Statement]
    #: How many statements it takes where it finds keys to ask for.
    queries: int

    def __str__(self) -> str:
        limit = "" if self.limit is None else f", at most {self.limit} for each owner"
        lines = [
            f"{self.path}: {self.association!r} of {self.store}{limit}, {self.keys_per_statement} keys a statement",
            *([f"  {each.sql}" for each in self.statements] or ["  no query"]),
            *(f"  no index on {name}" for name in self.missing_indexes),
        ]
        return "\n".join(lines)


class Explanation(NamedTuple):
    """What populate would send: printable, with the hops in the order in which they are loaded."""

    sql: str
    hops: list[Hop]

    @property
    def queries(self) -> int:
        """How many statements it takes: the query's own, and one for each hop that finds keys to ask for."""
        return 1 + sum(hop.queries for hop in self.hops)

    @property
    def missing_indexes(self) -> list[str]:
        """What should be indexed, as ``table.column``."""
        return list(dict.fromkeys(name for hop in self.hops for name in hop.missing_indexes))

    def __str__(self) -> str:
        count = "1 query" if self.queries == 1 else f"{self.queries} queries"
        return "\n".join([f"{count}, where there is something to load", f"  {self.sql}", *map(str, self.hops)])


def explain(query: Any, steps: Mapping[str, Any], asked: str) -> Explanation:
    """The plan of these steps. Asks the schema for its indexes, and reads no rows."""
    step = joinable(query, query._plan)
    text = query.sql()[0] if step is None else _text(query.model, statement_with_links(query, step, asked))
    return Explanation(text, list(_hops(steps, "", asked, step)))


def _hops(steps: Mapping[str, Any], before: str, asked: str, joined: Any = None) -> Iterator[Hop]:
    for name, step in steps.items():
        association, options = step.association, step.options
        database = association.near_field.model._meta.database
        limit = limit_of(association.target, options, asked) if association.to_many and not options.count else None
        models = [association.through, association.target] if association.apart else [association.target]
        models = models[1:] if step is joined else models
        statements = [] if limit == 0 else _statements(association, options, asked, step)[-len(models) :]
        yield Hop(
            f"{before}{name}",
            association,
            " and ".join(dict.fromkeys(map(place, models))),
            "\n".join(each.sql for each in statements) or None,
            store_of(database).keys_per_statement,
            limit,
            missing_indexes(association),
            statements,
            0 if limit == 0 else len(models),
        )
        yield from _hops(step.steps, f"{before}{name}.", asked)


#: Two keys of each type, so that the statement is the one for several owners.
SAMPLES: tuple[tuple[Any, list[Any]], ...] = (
    (peewee.IntegerField, [1, 2]),
    (peewee.CharField | peewee.TextField, ["a", "b"]),
    (peewee.UUIDField | peewee.BinaryUUIDField, [uuid.UUID(int=1), uuid.UUID(int=2)]),
)


def _statements(association: Any, options: Options, asked: str, step: Any) -> list[Statement]:
    keys = _sample(association.near_field)
    if keys is None:
        return []
    columns = [] if options.count else columns_of(association, options, asked, step.needs())
    if not association.apart:
        return [_of(association.target, statement(association, keys, options, asked, columns))]
    walk, far = walk_of(step, asked), _sample(association.far_field)
    found = [_of(association.through, walk.link_query(keys, association.link_columns(options.join_attributes, asked)))]
    return [*found, *([_of(association.target, walk.target_query(far, columns))] if far is not None else [])]


def _sample(field: Any) -> list[Any] | None:
    kind: Any = base_field(field)
    return next((keys for known, keys in SAMPLES if isinstance(kind, known)), None)


def _of(model: Any, query: Any) -> Statement:
    return Statement(place(model), _text(model, query))


def _text(model: Any, query: Any) -> str:
    return str(model._meta.database.get_sql_context().sql(query).query()[0])


def _primary_key(model: Any) -> list[str]:
    """The columns of the table's primary key; where tables have no columns, those that the model says."""
    meta = model._meta
    if store_of(meta.database).columns:
        return list(meta.database.get_primary_keys(meta.table_name, meta.schema))
    return [field.column_name for field in meta.get_primary_keys()]


def _has_index(side: Any, index: str) -> bool:
    meta = side.holder._meta
    return any(each.name == index for each in meta.database.get_indexes(meta.table_name, meta.schema))


def missing_indexes(association: Reading) -> list[str]:
    """The columns of this association that rows are looked for by, and that lead neither an index nor the primary key."""
    found = []
    looked_for = [association.near_field, association.far_field, *(key.field for key in association.keys if key.of_link)]
    for field in dict.fromkeys(looked_for):
        meta: Any = field.model._meta
        if [field.column_name] == _primary_key(field.model):
            continue
        arrays = arrays_of(field.model)
        if arrays is not None:
            found += [f"{side.holder._meta.table_name}.{side.place}" for side, index in arrays.indexes if not _has_index(side, index)]
            continue
        indexes = meta.database.get_indexes(meta.table_name, meta.schema)
        # The key of a has_many is where its rows are looked for; the record's own columns need nothing.
        if not any(index.columns[:1] == [field.column_name] for index in indexes):
            found.append(f"{meta.table_name}.{field.column_name}")
    return list(dict.fromkeys(found))
