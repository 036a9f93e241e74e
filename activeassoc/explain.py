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
from activeassoc.stores.sql import base_field, store_of


class Hop(NamedTuple):
    """One association of a path, and the statement that loads it."""

    path: str
    association: Reading
    #: The database that is asked, as its class and its name.
    store: str
    #: The statement's text for two keys; None where nothing is asked, or where the type of the key has no sample.
    sql: str | None
    #: How many keys one statement takes; more are asked for in portions.
    keys_per_statement: int
    #: How many records each owner gets at most, None for all of them (and for a to-one).
    limit: int | None
    #: Columns by which rows are looked for and which lead no index, as ``table.column``.
    missing_indexes: list[str]

    def __str__(self) -> str:
        limit = "" if self.limit is None else f", at most {self.limit} for each owner"
        lines = [
            f"{self.path}: {self.association!r} of {self.store}{limit}, {self.keys_per_statement} keys a statement",
            *([f"  {self.sql}"] if self.sql else ["  no query"]),
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
        return 1 + sum(hop.limit != 0 for hop in self.hops)

    @property
    def missing_indexes(self) -> list[str]:
        """What should be indexed, as ``table.column``."""
        return list(dict.fromkeys(name for hop in self.hops for name in hop.missing_indexes))

    def __str__(self) -> str:
        count = "1 query" if self.queries == 1 else f"{self.queries} queries"
        return "\n".join([f"{count}, where there is something to load", f"  {self.sql}", *map(str, self.hops)])


def explain(query: Any, steps: Mapping[str, Any], asked: str) -> Explanation:
    """The plan of these steps. Asks the schema for its indexes, and reads no rows."""
    return Explanation(query.sql()[0], list(_hops(steps, "", asked)))


def _hops(steps: Mapping[str, Any], before: str, asked: str) -> Iterator[Hop]:
    for name, step in steps.items():
        association, options = step.association, step.options
        database = association.target._meta.database
        limit = limit_of(association.target, options, asked) if association.to_many and not options.count else None
        yield Hop(
            f"{before}{name}",
            association,
            f"{type(database).__name__} {database.database}",
            None if limit == 0 else _sql(association, options, asked, step.needs()),
            store_of(database).keys_per_statement,
            limit,
            missing_indexes(association),
        )
        yield from _hops(step.steps, f"{before}{name}.", asked)


#: Two keys of each type, so that the statement is the one for several owners.
SAMPLES: tuple[tuple[Any, list[Any]], ...] = (
    (peewee.IntegerField, [1, 2]),
    (peewee.CharField | peewee.TextField, ["a", "b"]),
    (peewee.UUIDField | peewee.BinaryUUIDField, [uuid.UUID(int=1), uuid.UUID(int=2)]),
)


def _sql(association: Reading, options: Options, asked: str, needs: Any) -> str | None:
    kind = base_field(association.near_field)
    for known, keys in SAMPLES:
        if isinstance(kind, known):
            query = statement(association, keys, options, asked, columns_of(association, options, asked, needs))
            return str(association.target._meta.database.get_sql_context().sql(query).query()[0])
    return None


def missing_indexes(association: Reading) -> list[str]:
    """The columns of this association that rows are looked for by, and that lead neither an index nor the primary key."""
    found = []
    looked_for = [association.near_field, association.far_field, *(key.field for key in association.keys if key.of_link)]
    for field in dict.fromkeys(looked_for):
        meta: Any = field.model._meta
        if [field.column_name] == meta.database.get_primary_keys(meta.table_name, meta.schema):
            continue
        indexes = meta.database.get_indexes(meta.table_name, meta.schema)
        # The key of a has_many is where its rows are looked for; the record's own columns need nothing.
        if not any(index.columns[:1] == [field.column_name] for index in indexes):
            found.append(f"{meta.table_name}.{field.column_name}")
    return found
