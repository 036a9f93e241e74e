"""Redis as a peewee database: a hash for each record, and indexes that every writing script keeps beside it.

Equality and IN on a primary key, a foreign key, an indexed or a unique field cost what they return; every other condition walks the table
in batches, and sorting happens in the program. Every key begins with the database's prefix, so that other programs may use the same
server. Records do not expire: a time to live that somebody sets on their keys leaves entries of indexes behind, as would a server that
evicts keys when its memory is full (`eviction_policy` tells). (J5)

Map: `RedisDatabase`, which connects, runs plans, and makes tables; `redis_plans` and `redis_writes` carry plans out, `redis_table`
speaks to the server, `redis_layout` and `redis_bytes` say where things stand, `lua` what happens there, `redis_verify` whether all is in
its place.
"""

from __future__ import annotations

import re
import threading
from dataclasses import replace
from typing import Any

import peewee

from activeassoc.errors import ConnectError, listed
from activeassoc.stores import redis_plans, redis_writes
from activeassoc.stores.capabilities import DOCUMENTS, Store
from activeassoc.stores.documents import Answer, Connection, PlanDatabase
from activeassoc.stores.narrow import Index
from activeassoc.stores.plan import Change, Insert, Plan, Read, Remove
from activeassoc.stores.redis_layout import Layout, columns_named, index_of, layout_of, quoted
from activeassoc.stores.redis_table import Calls, Table, definitions_in
from activeassoc.stores.redis_verify import Verified, verify

__all__ = ["DEFAULT_PREFIX", "RedisDatabase"]

#: What keys begin with where the URL says nothing.
DEFAULT_PREFIX = "activeassoc:"

_ADVICE = "See that the server runs there, and that host, port and options are right"
_PLACE = re.compile(r" script: [0-9a-f]{40}, on @\w+:\d+")

#: How the server begins to say that a password is wanted, or another one.
_REFUSING = ("NOAUTH", "WRONGPASS", "NOPERM", "invalid username-password")

#: Seconds: to reach a server (a name may have two addresses), and for its answer. One that is absent is an error within ten.
CONNECT_TIMEOUT, ANSWER_TIMEOUT = 4, 5


class RedisDatabase(PlanDatabase):
    """A database of a Redis server. ``connect("redis://host/0?prefix=app:")`` makes one. (J5)

    `database` is the server's number of it, `prefix` what all keys begin with; `cluster=True` is for a Redis Cluster. Other options are
    those of redis-py's connections (host, port, username, password, socket_timeout, max_connections, …). One pool of connections serves
    all threads; a process that is forked makes its own.
    """

    capabilities: Store = replace(DOCUMENTS, scans=False, keys_per_statement=10_000)

    def init(self, database: Any, prefix: str = DEFAULT_PREFIX, cluster: bool | str = False, **options: Any) -> None:
        if not isinstance(prefix, str):
            raise ConnectError(f"a Redis database with the prefix {prefix!r}", "it begins the names of keys, and is no text", "Give a text")
        if any(mark in prefix for mark in "{}"):
            raise ConnectError(
                f"a Redis database with the prefix {prefix!r}",
                "braces in it would change which keys stand together in a cluster",
                "Choose one without braces, such as 'app:'",
            )
        self.prefix, self._client = prefix, None
        self._cluster = cluster.lower() in ("1", "true", "yes", "on") if isinstance(cluster, str) else cluster
        self._calls: Calls | None = None
        self._opening = threading.Lock()  # peewee holds its own while it connects
        super().init(database, **options)

    # Connecting

    @property
    def client(self) -> Any:
        """redis-py's client, for what the store has no word for; it answers in bytes. One for all threads."""
        if self._client is None:
            with self._opening:
                if self._client is None:
                    self._client = self._opened_client()
        return self._client

    def _opened_client(self) -> Any:
        import redis
        from redis.backoff import NoBackoff
        from redis.retry import Retry

        options = {
            "socket_connect_timeout": CONNECT_TIMEOUT,
            "socket_timeout": ANSWER_TIMEOUT,
            "db": int(self.database or 0),
            **self.connect_params,
            # Nothing is sent twice: a script whose answer was lost may have been carried out.
            "retry": Retry(NoBackoff(), 0),
            # In this protocol a connection that the server has closed is noticed before it is used.
            "protocol": 2,
            "decode_responses": False,
        }
        if self._cluster:
            told: dict[str, Any] = {word: value for word, value in options.items() if word not in ("db", "connection_class")}
            if int(redis.__version__.partition(".")[0]) < 6:
                told["cluster_error_retry_attempts"] = 0  # it had a number of its own
            return redis.RedisCluster(**told, ssl=options.get("connection_class") is redis.SSLConnection)
        return redis.Redis.from_pool(redis.ConnectionPool(**options))  # which makes the pool the client's own, and closed with it

    def _connect(self) -> Connection:
        try:
            self.client.ping()
        except Exception as error:
            found = self._translate(error)
            if found is None or isinstance(found, ConnectError) and found.asked.startswith("connecting"):
                raise found or error from error
            raise self._failed("connecting to", self._text(error), _ADVICE) from error
        return Connection()

    def dispose(self) -> None:
        """Forget this thread's connection and close those of the pool."""
        super().dispose()
        client, self._client = self._client, None
        if client is not None:
            client.close()

    def _translate(self, error: Exception) -> Exception | None:
        from redis import exceptions

        if isinstance(error, exceptions.RedisClusterException):
            return self._failed("connecting to", self._text(error), _ADVICE)
        if self._cluster and isinstance(error, LookupError) and _of_driver(error):
            # Older drivers look for a node in a list that is empty, and let the error of that go.
            return self._failed("connecting to", "the cluster has no node for some slots", _ADVICE)
        if not isinstance(error, exceptions.RedisError):
            return None
        text = self._text(error)
        if isinstance(error, (exceptions.AuthenticationError, exceptions.AuthorizationError)) or text.startswith(_REFUSING):
            return self._failed("connecting to", text, "See that user and password are right")
        if isinstance(error, exceptions.BusyLoadingError):
            return self._failed("connecting to", text, "Try again when it has")
        if isinstance(error, (exceptions.ConnectionError, exceptions.TimeoutError)):
            if "connecting to" in text:
                return self._failed("connecting to", text, _ADVICE)
            instead = "The next statement connects again; whether this one, if it was to write, has been carried out is not known"
            return self._failed("executing on", text, instead)
        instead = ""
        if text.startswith("WRONGTYPE"):
            instead = " Another program has written under this prefix: give each program one of its own."
        return peewee.OperationalError(f"{self.address or 'Redis'}: {text}.{instead}")

    def _failed(self, doing: str, because: str, instead: str) -> ConnectError:
        return ConnectError(f"{doing} {self.address or 'Redis'}", because or "no answer", instead, address=self.address)

    def _text(self, error: Exception) -> str:
        """What the driver or the server says, without the password, and without the place in our scripts."""
        text = _PLACE.sub("", str(error).strip().partition("\n")[0]).rstrip(". ")
        password = str(self.connect_params.get("password") or "")
        return text.replace(password, "***") if password else text

    # Executing

    def run(self, plan: Plan) -> Answer:
        table = self._table(plan.model)
        if isinstance(plan, Read):
            return redis_plans.read(table, plan)
        if isinstance(plan, Insert):
            return redis_writes.insert(table, plan)
        if isinstance(plan, Change):
            return redis_writes.change(table, plan)
        assert isinstance(plan, Remove)
        return redis_writes.remove(table, plan)

    def _table(self, model: type[peewee.Model]) -> Table:
        client = self.client
        if self._calls is None or self._calls.client is not client:
            self._calls = Calls(client)
        return Table(self._calls, self._layout(model))

    def _layout(self, model: type[peewee.Model]) -> Layout:
        return layout_of(self.prefix, model)

    # Tables

    @property
    def _tables(self) -> str:
        return f"{self.prefix}tables"

    def get_tables(self, schema: str | None = None) -> list[str]:
        """The names of this prefix's tables, sorted."""
        self.usable_connection()
        with self.translating():
            names = sorted(name.decode() for name in self.client.smembers(self._tables))
            return [name for name in names if self._state_of(name) == "ready"]

    def table_exists(self, table_name: Any, schema: str | None = None) -> bool:
        name = getattr(table_name, "__name__", table_name)
        self.usable_connection()
        with self.translating():
            return self._state_of(f"{schema}.{name}" if schema else str(name)) == "ready"

    def _state_of(self, table: str) -> str:
        return (self.client.hget(f"{self.prefix}{{{quoted(table)}}}:table", "state") or b"").decode()

    def get_indexes(self, table: str, schema: str | None = None) -> list[peewee.IndexMetadata]:
        """The indexes of a table that may be read; their names are ``u:email`` for a unique one, else ``i:email``."""
        self.usable_connection()
        with self.translating():
            found = self.client.hgetall(f"{self.prefix}{{{quoted(table)}}}:table")
        return [
            peewee.IndexMetadata(name, "", definition["columns"], name.startswith("u:"), table)
            for name, definition in sorted(definitions_in(found).items())
            if definition["state"] == "ready"
        ]

    def _create_table(self, model: type[peewee.Model], safe: bool) -> None:
        table = self._table(model)
        self.client.sadd(self._tables, table.layout.table)
        state = table.define()
        if state == "dropping":  # by somebody who did not come to the end of it
            table.clear("drop")
            state = table.define()
        if state != "made" and not safe:
            raise peewee.OperationalError(f"{model.__name__}: there is a table {table.layout.table!r} already.")

    def _drop_table(self, model: type[peewee.Model], safe: bool) -> None:
        table = self._table(model)
        if not table.state() and not safe:
            raise peewee.OperationalError(f"{model.__name__}: there is no table {table.layout.table!r}.")
        table.clear("drop")
        self.client.srem(self._tables, table.layout.table)
        if table.state():  # made again meanwhile
            self.client.sadd(self._tables, table.layout.table)

    def _truncate_table(self, model: type[peewee.Model]) -> None:
        self._table(model).clear("empty")

    def create_indexes(self, model: type[peewee.Model], safe: bool = True) -> None:
        """Make the indexes that the model declares, and those of its foreign keys, beside readers and writers. (J5)"""
        for index in self._layout(model).indexes:
            self.create_index(model, model.index(*(model._meta.columns[name] for name in index.columns), unique=index.single), safe)

    def _create_index(self, model: type[peewee.Model], index: Any, safe: bool) -> None:
        table, asked = self._table(model), index_of(model, index)
        # Of a unique and a plain one over the same columns the unique one does for both, and the other one goes.
        wanted = next((each for each in table.layout.indexes if each.columns == asked.columns), asked)
        table.index(wanted)
        other = "i:" if wanted.single else "u:"
        table.index(wanted._replace(name=other + wanted.name[2:]), "dropping")

    def _drop_index(self, model: type[peewee.Model], name: str, safe: bool) -> None:
        table = self._table(model)
        if name not in table.indexes():
            if safe:
                return
            because = f"it has {listed(sorted(table.indexes()))}" if table.indexes() else "it has none"
            raise peewee.OperationalError(f"{model.__name__}: there is no index {name!r}, {because}.")
        table.index(Index(name, tuple(columns_named(name)), name.startswith("u:")), "dropping")

    # What check asks

    @property
    def eviction_policy(self) -> str:
        """What the server does when its memory is full. Anything but "noeviction" breaks tables: it takes keys away one by one."""
        self.usable_connection()
        with self.translating():
            return str(self.client.info("memory").get("maxmemory_policy", ""))

    def verify(self, model: type[peewee.Model]) -> Verified:
        """What of the model's table is not in its place: records without an entry in an index, and entries without their record.

        Goes through the whole table, and through the names of all keys of the server, in batches beside readers and writers.
        """
        self.usable_connection()
        with self.translating():
            return verify(self._table(model))


def _of_driver(error: BaseException) -> bool:
    """Whether the driver has raised it, and no function of ours that it called, or that called nothing of the driver's."""
    ours, trace = True, error.__traceback__
    while trace is not None:
        package = str(trace.tb_frame.f_globals.get("__name__", "")).partition(".")[0]
        ours = {"activeassoc": True, "redis": False}.get(package, ours)
        trace = trace.tb_next
    return not ours
