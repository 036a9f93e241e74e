"""The Lua scripts by which the Redis store writes and reads: each looks first, then writes, and Redis runs each as one step.

No reader sees a record without its index entries, and no client that is killed leaves one: a script runs whole or not at all. Every key
of a table begins with the same base, ``<prefix>{<table>}:``, whose braces keep the table in one slot of a cluster; it is KEYS[1].

=========================== ====================================================================================================
``table``                   hash, the definition: ``key`` (its columns, JSON), ``auto``, ``state``, and for each index ``i:<name>``
                            or ``u:<name>`` with its columns and state, JSON. Old programs maintain what newer ones define here.
``r:<id>``                  hash, the record: column and canonical bytes; NULL is left out
``ids``                     sorted set, the ids by insertion number: the walk of the whole table, in batches
``seq`` and ``key``         the last insertion number, and the last automatic key
``i:<name>:<value>``        sorted set, the ids of the records with this value, by insertion number
``u:<name>``                hash, the value of a unique index and the one id that has it
=========================== ====================================================================================================

An id is the record's primary key; of several columns each is written as its length, a colon and the value; without a primary key it is
the insertion number. Ids and values stand last in a key, so that colons and binary values in them mean nothing.

Indexes are *building* (written, not read), *ready*, or *dropping* (only taken away from). What a script is told stands in ARGV: counts come
before lists, and before values a mask says which of them are not NULL (``"101"``).

Map: `SCRIPTS` has them by name; `common` is what they begin with, `writing`, `reading` and `defining` have them.
"""

from __future__ import annotations

from activeassoc.stores.lua.defining import CLEAR, DEFINE, INDEX, REINDEX
from activeassoc.stores.lua.reading import ORPHANS, ROWS, SIZES, VERIFY, WALK
from activeassoc.stores.lua.writing import CHANGE, INSERT

__all__ = ["SCRIPTS"]

#: Every script by its name.
SCRIPTS: dict[str, str] = {
    "insert": INSERT,
    "change": CHANGE,
    "rows": ROWS,
    "walk": WALK,
    "sizes": SIZES,
    "define": DEFINE,
    "index": INDEX,
    "reindex": REINDEX,
    "clear": CLEAR,
    "verify": VERIFY,
    "orphans": ORPHANS,
}
