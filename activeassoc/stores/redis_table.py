"""One table in Redis: calling the scripts for it, and finding the records that a condition may hold for.

A script takes at most `ATOMIC` records, so that no other client waits for long. A statement that writes more is several scripts, each of
them whole; reading goes in batches of `BATCH`, each of them consistent in itself.

Map: `Calls` runs a script on the server; `Table` has what is done to one table: `find` first, then `insert` and `change`, then its
definition, then what `redis_verify` asks.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, NoReturn

import peewee

from activeassoc.errors import DuplicateKey, MissingTable
from activeassoc.stores.lua import SCRIPTS
from activeassoc.stores.narrow import Choice, Index, Lookup, choices
from activeassoc.stores.plan import Condition
from activeassoc.stores.redis_layout import KEY, Layout, columns_named
from activeassoc.stores.unique import counter_at_its_end, duplicate_key

__all__ = ["ATOMIC", "BATCH", "Calls", "Found", "Table"]

#: How many records one script writes: a tenth of a second, in which every other client waits.
ATOMIC = 10_000
#: How many records are read, indexed or removed at once.
BATCH = 1_000
#: A choice by keys of so few records is taken without asking how many the others find.
FEW = 100

#: A record as it was found: its id, and the bytes of the columns that were asked for.
Found = list[Any]


class NotReady(Exception):
    """An index may not be read: it is not there (yet)."""


class Calls:
    """Runs scripts by their digest; a server that has forgotten one is told it again."""

    _DIGESTS = {name: hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest() for name, text in SCRIPTS.items()}

    def __init__(self, client: Any) -> None:
        from redis import exceptions

        self.client, self._forgotten, self._refused = client, exceptions.NoScriptError, exceptions.ResponseError

    def run(self, name: str, layout: Layout, *told: Any) -> Any:
        try:
            try:
                return self.client.execute_command("EVALSHA", self._DIGESTS[name], 1, layout.base, *told)
            except self._forgotten:
                return self.client.execute_command("EVAL", SCRIPTS[name], 1, layout.base, *told)
        except self._refused as error:
            self._explain(error, layout)
            raise

    def _explain(self, error: Exception, layout: Layout) -> None:
        # Redis puts its own word for an error before a text that has none.
        words = str(error).removeprefix("ERR ").split()
        if words[:1] == ["NOTABLE"]:
            raise_no_table(layout)
        if words[:1] == ["NOKEY"]:
            raise peewee.OperationalError(
                f"{layout.model.__name__}: the table {layout.table!r} has another primary key than the model. "
                "Drop it, or give the model the key that it had."
            ) from None
        if words[:1] == ["NOTREADY"]:
            raise NotReady from None
        if "would overflow" in str(error):
            raise counter_at_its_end(layout.model) from None
        if words[:1] == ["DUPLICATE"]:
            columns = list(layout.key) if words[2] == KEY else columns_named("u:" + words[2])
            raise Clash(int(words[1]), columns) from None


class Clash(Exception):
    """Two records would have one key or unique value: the row (from 1, 0 where it is none of one statement's), and its columns."""

    def __init__(self, row: int, columns: list[str]) -> None:
        super().__init__(row, columns)
        self.row, self.columns = row, columns


def raise_no_table(layout: Layout) -> NoReturn:
    raise MissingTable(
        f"a statement on {layout.model.__name__}",
        f"there is no table {layout.table!r} in this Redis database",
        "Make it first: sync(database), or Model.create_table()",
        model=layout.model,
    ) from None


def definitions_in(definition: Mapping[bytes, bytes]) -> dict[str, dict[str, Any]]:
    """The indexes among what a table's definition says."""
    return {name.decode(): json.loads(value) for name, value in definition.items() if name[:2] in (b"u:", b"i:")}


class Table:
    """One model's table on one server."""

    def __init__(self, calls: Calls, layout: Layout) -> None:
        self.layout, self._calls = layout, calls

    def _run(self, script: str, *told: Any) -> Any:
        return self._calls.run(script, self.layout, *told)

    # Finding

    def find(self, where: Condition, columns: Sequence[str], room: int = BATCH) -> Iterator[Found]:
        """The records that the condition may hold for, each once; `room` is how many the first batch brings."""
        choice = self._chosen(choices(where, self.layout.found_by))
        begun = False
        try:
            for record in self._walk("", [""], columns, room) if choice is None else self._looked_up(choice, columns, room):
                begun = True
                yield record
        except NotReady:
            if begun:
                because = "an index that it goes by was dropped meanwhile"
                raise peewee.OperationalError(f"SELECT {self.layout.table}: {because}. Run the query again.") from None
            yield from self._walk("", [""], columns, room)

    def _chosen(self, ways: Sequence[Choice]) -> Choice | None:
        """The cheapest of the ways that can be gone; None for the walk of the whole table."""
        if len(ways) < 2:
            return ways[0] if ways else None
        for way in ways:
            if all(lookup.by.single for lookup in way) and sum(len(lookup.values) for lookup in way) <= FEW:
                return way
        if all(lookup.by.single for way in ways for lookup in way):
            return min(ways, key=lambda way: sum(len(lookup.values) for lookup in way))
        told = [lookup for way in ways for lookup in way if lookup.by.name != KEY]
        sizes = {id(lookup): size for lookup, size in zip(told, self.sizes(told), strict=True)}
        possible = [way for way in ways if all(sizes.get(id(lookup), 0) >= 0 for lookup in way)]
        return min(possible, key=lambda way: sum(sizes.get(id(each), len(each.values)) for each in way), default=None)

    def _looked_up(self, choice: Choice, columns: Sequence[str], room: int) -> Iterator[Found]:
        if len(choice) == 1:
            yield from self._look_up(choice[0], columns, room)
            return
        seen: set[bytes] = set()
        for lookup in choice:
            for record in self._look_up(lookup, columns, room):
                if record[0] not in seen:
                    seen.add(record[0])
                    yield record

    def sizes(self, lookups: Sequence[Lookup]) -> list[int]:
        """How many records each of them finds, -1 where its index may not be read."""
        told: list[Any] = []
        for lookup in lookups:
            entries = self._entries(lookup)
            told += [lookup.by.name, len(entries), *entries]
        return self._run("sizes", *told)  # type: ignore[no-any-return]

    def size(self) -> int:
        """How many records there are."""
        return int(self._run("sizes", "", 0)[0])

    def _entries(self, lookup: Lookup) -> list[bytes]:
        columns = lookup.by.columns
        return [self.layout.entry(columns, values) for values in lookup.values if None not in values]

    def _look_up(self, lookup: Lookup, columns: Sequence[str], room: int) -> Iterator[Found]:
        entries = self._entries(lookup)
        if lookup.by.name == KEY:
            for start in range(0, len(entries), BATCH):
                yield from self.rows(columns, entries[start : start + BATCH])
            return
        for start in range(0, len(entries), BATCH):
            yield from self._walk(lookup.by.name, entries[start : start + BATCH], columns, room)

    def rows(self, columns: Sequence[str], ids: Sequence[bytes]) -> list[Found]:
        """The records with these ids, those that are there."""
        if len(ids) == 1:
            layout = self.layout
            found = self._calls.client.execute_command("HMGET", layout.record(ids[0]), layout.mark, *columns)
            if found[0] is not None:
                return [[ids[0], *found[1:]]]
        return self._run("rows", len(columns), *columns, *ids)  # type: ignore[no-any-return]

    def _walk(self, name: str, entries: Sequence[Any], columns: Sequence[str], room: int) -> Iterator[Found]:
        after: Any = ""
        while entries:
            done, after, found = self._run("walk", len(columns), *columns, name, room, after, *entries)
            yield from found
            entries, room = entries[done:], min(room * 4, BATCH)

    # Writing

    def insert(
        self, columns: Sequence[str], told: Sequence[Sequence[bytes]], rows: Sequence[Mapping[str, Any]], clashing: str
    ) -> list[bytes]:
        """Insert rows, at most `ATOMIC`, `told` as they are encoded: the id of each, empty for one that was ignored.

        Raises DuplicateKey, and inserts nothing.
        """
        flat = [part for row in told for part in row]
        try:
            return self._run("insert", clashing, len(columns), *columns, len(rows), *flat)  # type: ignore[no-any-return]
        except Clash as clash:
            row = rows[max(clash.row, 1) - 1]
            raise self.duplicate("insert", clash.columns, [row.get(column) for column in clash.columns]) from None

    def change(
        self,
        action: str,
        guarded: Sequence[str],
        assigned: Sequence[str],
        shared: Sequence[bytes] | None,
        told: Iterable[Sequence[Any]],
        given: Mapping[str, Any] | None = None,
    ) -> tuple[int, list[bytes]]:
        """Update or delete records, at most `ATOMIC`: how many, and the ids of those that are not what they were when they were read.

        Where there are such, nothing is changed. Each of `told` is an id, what was read, and what is set unless that is `shared`;
        `given` is what is shared as values, for messages.
        """
        rows = list(told)
        common = ["0"] if shared is None else ["1", *shared]
        flat = [part for row in rows for part in row]
        try:
            return self._run("change", action, len(guarded), *guarded, len(assigned), *assigned, *common, len(rows), *flat)  # type: ignore[no-any-return]
        except Clash as clash:
            values = [given[column] for column in clash.columns if column in given] if given else []
            raise self.duplicate("update", clash.columns, values if len(values) == len(clash.columns) else None) from None

    def holders(self, name: str, values: Sequence[bytes]) -> list[bytes | None]:
        """The id of the record that has each value of a unique index of one column, None where there is none."""
        found: list[bytes | None] = []
        for start in range(0, len(values), BATCH):
            some = values[start : start + BATCH]
            found += self._calls.client.execute_command("HMGET", self.layout.base + name.encode(), *some)
        return found

    def duplicate(self, verb: str, columns: Sequence[str], values: Sequence[Any] | None = None) -> DuplicateKey:
        """The error for a primary key or a unique value that is there already."""
        model = self.layout.model
        fields = [self.layout.fields[column].name if column in self.layout.fields else column for column in columns]
        return duplicate_key(model, fields, verb, list(map(repr, values or ())))

    # Defining

    def define(self) -> str:
        """Make the table with all its indexes: 'made', or the state of one that is there."""
        return self._run("define", *self.layout.defined()).decode()  # type: ignore[no-any-return]

    def index(self, index: Index, state: str = "building") -> None:
        """Bring an index to its end, beside readers and writers: all its entries are there, or (from state 'dropping') none.

        One that was begun and never finished is gone on with. Raises DuplicateKey where a unique one cannot be.
        """
        told = self._run("index", index.name, json.dumps(index.columns), state).decode()
        if told in ("ready", "absent"):
            return
        after: Any = b""
        try:
            while True:
                after = self._run("reindex", index.name, BATCH, after)
                if not after:
                    break
        except Clash as clash:
            self.index(index, "dropping")
            raise self.duplicate("a unique index", clash.columns) from None
        if told == "dropping" != state:
            self.index(index, state)

    def indexes(self) -> dict[str, dict[str, Any]]:
        """The definition of each index by its name: its columns and its state."""
        return definitions_in(self._calls.client.hgetall(self.layout.base + b"table"))

    def state(self) -> str:
        """'ready', 'dropping', or '' where there is no such table."""
        found = self._calls.client.execute_command("HGET", self.layout.base + b"table", "state")
        return (found or b"").decode()

    def clear(self, action: str) -> int:
        """Take every record away, in batches, and to 'drop' also the table. How many there were."""
        upto, count = "", 0
        if action == "empty":
            upto = (self._calls.client.execute_command("GET", self.layout.base + b"seq") or b"0").decode()
        while True:
            taken = int(self._run("clear", action, BATCH, upto))
            count += max(taken, 0)
            if taken < BATCH:
                return count

    # Looking

    def verified(self) -> Iterator[tuple[int, list[Any]]]:
        """How many records a batch had, and what they lack: id and index, one after the other."""
        after: Any = ""
        while True:
            after, looked, wrong = self._run("verify", BATCH, after)
            yield looked, wrong
            if not after:
                return

    def orphans(self, name: str, pairs: Sequence[tuple[bytes, bytes]]) -> list[bytes]:
        """Of these values and ids of an index (of the ids of records, with the name "r") those that nothing stands behind."""
        return self._run("orphans", name, *(part for pair in pairs for part in pair))  # type: ignore[no-any-return]

    def keys(self, beginning: str) -> Iterator[bytes]:
        """Every key of the table that begins so; a walk through the names of all keys of the server, in batches."""
        base = self.layout.base + beginning.encode()
        pattern = b"".join(b"\\" + bytes((each,)) if each in b"*?[]^\\" else bytes((each,)) for each in base) + b"*"
        for key in self._calls.client.scan_iter(match=pattern, count=BATCH):
            yield key[len(base) :]

    def entries(self, name: str) -> Iterator[tuple[bytes, bytes]]:
        """Value and id of each entry of an index."""
        client, at = self._calls.client, self.layout.base + name.encode()
        if name.startswith("u:"):
            yield from client.hscan_iter(at, count=BATCH)
            return
        values = self.keys(f"{name}:")
        while some := list(islice(values, FEW)):
            asking = client.pipeline(transaction=False)
            for value in some:
                asking.zrange(at + b":" + value, 0, BATCH)
            for value, ids in zip(some, asking.execute(), strict=True):
                if len(ids) > BATCH:
                    ids = (id for id, _ in client.zscan_iter(at + b":" + value, count=BATCH))
                for id in ids:
                    yield value, id
