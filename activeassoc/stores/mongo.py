"""`MongoDatabase`: MongoDB as a database of peewee's.

A record is a document whose `_id` is the primary key; a NULL is a field that is not there. Keys of an AutoField come from a counter in the
collection `activeassoc_keys`, outside of any transaction: as with a sequence there may be gaps. A model without a primary key, or
with a composite one, has ObjectIds of the driver's beside its columns.

Map: `MongoDatabase` connects, runs plans and keeps transactions; `Keys` counts; `Client` is the driver's client of one process.
What reads and writes is in `mongo_reads` and `mongo_writes`, for links within documents in `mongo_embedded`; collections and indexes are in
`mongo_tables`, errors in `mongo_errors`.
"""

from __future__ import annotations

import os
import time
import weakref
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl

import peewee
from bson.binary import UuidRepresentation
from bson.codec_options import CodecOptions
from pymongo import MongoClient, ReturnDocument, WriteConcern
from pymongo.errors import DuplicateKeyError, OperationFailure, PyMongoError
from pymongo.read_concern import ReadConcern

from activeassoc.stores.capabilities import DOCUMENTS, Store
from activeassoc.stores.documents import Answer, Connection, PlanDatabase
from activeassoc.stores.embedded import Arrays, Difference, arrays_of
from activeassoc.stores.mongo_embedded import carry_out
from activeassoc.stores.mongo_errors import translated
from activeassoc.stores.mongo_mirror import differences, mend
from activeassoc.stores.mongo_moving import Collection, Documents
from activeassoc.stores.mongo_reads import read
from activeassoc.stores.mongo_tables import COUNTERS, Tables, collection_name
from activeassoc.stores.mongo_writes import Inserting, change, duplicate_of, remove, writes_one
from activeassoc.stores.plan import Insert, Plan, Read, Remove
from activeassoc.stores.unique import counter_at_its_end

__all__ = ["MongoDatabase"]

#: Seconds for which a statement that met another transaction's write is tried again.
_PATIENCE = 10.0
#: Milliseconds after which a server counts as absent. (J6)
_DEFAULTS = {"serverSelectionTimeoutMS": 5000, "connectTimeoutMS": 5000}

MONGODB = replace(DOCUMENTS, transactions=True, failure_aborts=True, arrays=True, microseconds=False, keys_per_statement=20_000)


class Session(Connection):
    """What one thread holds: the session of its transaction, while it is in one."""

    def __init__(self, client: Any) -> None:
        super().__init__()
        self.client = client
        self.session: Any = None
        #: Its transaction has had a statement.
        self.begun = False

    def close(self) -> None:
        session, self.session = self.session, None
        if session is not None and self.process == os.getpid():
            session.end_session()


class MongoDatabase(Tables, PlanDatabase):
    """A MongoDB database. ``MongoDatabase("app", url="mongodb://host")``, or ``connect("mongodb://host/app")``.

    Further options are those of pymongo's MongoClient. One client with its pool of connections serves all threads of a process; a
    forked process makes its own. Raises ConnectError, within 10 seconds, where no server answers.
    """

    def init(self, database: Any, url: str = "mongodb://127.0.0.1:27017", **options: Any) -> None:
        super().init(database)
        self._release_client()
        # A keyword would win over what the URL says.
        said = {word.lower() for word in (*dict(parse_qsl(url.partition("?")[2])), *options)}
        self._url, self._options = url, {**{word: value for word, value in _DEFAULTS.items() if word.lower() not in said}, **options}
        self.address = _without_password(url, database)
        self.known_tables: set[str] = set()

    #: Bytes of a regular expression, which patterns become.
    longest_pattern = 32_764

    _client: Client | None = None

    # Connecting

    def _connect(self) -> Session:
        return Session(self.client())

    def client(self) -> Any:
        """The driver's client of this process."""
        found = self._client
        if found is None or found.process != os.getpid():
            made, found = Client(self._url, self._options, self), self._client
            if found is not None and found.process == made.process:
                made.close()  # another thread was faster
            else:
                found = self._client = made
        return found.client

    def dispose(self) -> None:
        """Forget this thread's connection and close the client of all threads; the next query opens another."""
        super().dispose()
        self._release_client()

    def _release_client(self) -> None:
        found, self._client = self._client, None
        if found is not None:
            found.close()

    @property
    def transactions(self) -> bool:
        """Whether the server is a replica set or a router, which have transactions."""
        self.client()
        assert self._client is not None
        return self._client.transactions

    @property
    def capabilities(self) -> Store:  # type: ignore[override]
        known = self._client
        return MONGODB if known is None or known.transactions else replace(MONGODB, transactions=False, failure_aborts=False)

    def documents(self) -> Any:
        """pymongo's database, for what peewee's queries cannot say; it stands outside of the block that the thread is in."""
        return self.client().get_database(self.database, codec_options=_CODEC)

    def collection(self, model: type[peewee.Model]) -> Any:
        return self.documents()[collection_name(model)]

    def _translate(self, error: Exception) -> Exception | None:
        return translated(error, self.address)

    # Running plans

    def run(self, plan: Plan) -> Answer:
        connection = self._state.conn
        self.check_names(plan.model)
        self.need_table(plan.model, plan.verb.lower())
        first, connection.begun = connection.session is not None and not connection.begun, True
        deadline = time.monotonic() + _PATIENCE
        while True:
            try:
                return self._carried_out(plan, connection)
            except PyMongoError as error:
                if first and _met_another(error) and time.monotonic() < deadline:
                    # Nothing has happened in this transaction before, so that it may as well begin after the other one.
                    self._rollback(connection)
                    self._begin(connection)
                    connection.begun = True
                    continue
                if connection.session is not None:
                    connection.aborted = f"a statement in it failed ({str(error).partition(', full error')[0]})"
                found = duplicate_of(error, plan.model, plan.verb.lower())
                if found is None:
                    raise
                raise found from error

    def _carried_out(self, plan: Plan, connection: Session) -> Answer:
        arrays = arrays_of(plan.model)
        if arrays is not None:
            return self._in_arrays(plan, arrays, connection)
        if isinstance(plan, Read):
            answer = read(plan, self.collection(plan.model), connection.session)
            # The rest of a lazy answer would be asked for in a transaction that may be over by then.
            return answer if connection.session is None else Answer(list(answer.rows))
        if isinstance(plan, Insert):
            return self._insert(plan, connection)
        return self._changed(plan, connection)

    def _in_arrays(self, plan: Plan, arrays: Arrays, connection: Session) -> Answer:
        """A statement on links that are elements of their ends' documents."""

        def work(session: Any) -> Answer:
            return carry_out(plan, arrays, self.collection, session, consistent=self.transactions)

        if not isinstance(plan, Read):
            return self._as_one(connection, work)  # type: ignore[no-any-return]
        answer = work(connection.session)
        return answer if connection.session is None else Answer(list(answer.rows))

    def differences(self, arrays: Arrays) -> list[Difference]:
        """What is wrong with links that stand in the documents of both ends; `check` asks. (L2)"""
        found: list[Difference] = self._observed(
            f"COMPARE {arrays.link._meta.table_name}",
            (),
            lambda: list(differences(arrays, self.collection, self._state.conn.session)),
        )
        return found

    def mend(self, arrays: Arrays, wrong: Sequence[Difference]) -> None:
        """Bring both sides in line, by the one that is written first."""
        self._observed(
            f"MEND {arrays.link._meta.table_name}",
            (),
            lambda: self._as_one(self._state.conn, lambda session: mend(arrays, wrong, self.collection, session)),
        )

    def storages(self, arrays: Arrays) -> tuple[Collection, Documents]:
        """The two storages that links can have here, to move them from one to the other. (L3)"""
        self.usable_connection()
        return Collection(arrays, self), Documents(arrays, self)

    def _changed(self, plan: Any, connection: Session) -> Answer:
        collection = self.collection(plan.model)
        carry_out: Any = remove if isinstance(plan, Remove) else change
        if writes_one(plan) or isinstance(plan, Remove):
            return Answer((), carry_out(plan, collection, connection.session))
        return Answer((), self._as_one(connection, lambda session: carry_out(plan, collection, session)))

    def _insert(self, plan: Insert, connection: Session) -> Answer:
        collection, keys = self.collection(plan.model), Keys(self)
        inserting = Inserting(plan, keys)
        inserting.give_keys()
        inside = connection.session is not None
        for attempt in range(3):
            try:
                if writes_one(plan) or (plan.on_conflict == "ignore" and not inside):
                    return inserting.write(collection, connection.session, inside)
                answer: Answer = self._as_one(connection, lambda session: inserting.write(collection, session, inside))
                return answer
            except PyMongoError as error:
                if not (inserting.made and _of_primary_key(error)):
                    raise
                # Documents came there without the counter: by another program, or by an import.
                keys.raise_to(plan.model, keys.largest(plan.model))
                if inside or attempt == 2:
                    raise
                inserting.give_keys(again=True)
        raise AssertionError("unreachable")

    def _as_one(self, connection: Session, work: Callable[[Any], Any]) -> Any:
        """Do the work in the transaction that the thread is in, else in one of its own, where the server has them."""
        if connection.session is not None or not self.transactions:
            return work(connection.session)
        deadline = time.monotonic() + _PATIENCE
        while True:
            with self.client().start_session() as session:
                try:
                    with session.start_transaction(_SNAPSHOT, _MAJORITY):
                        return work(session)
                except PyMongoError as error:
                    if not _met_another(error) or time.monotonic() > deadline:
                        raise

    # Transactions

    def _begin(self, connection: Session) -> None:
        connection.close()
        session = self.client().start_session()
        session.start_transaction(_SNAPSHOT, _MAJORITY)
        connection.session, connection.begun = session, False

    def _commit(self, connection: Session) -> None:
        if connection.session is not None:
            connection.session.commit_transaction()
            connection.close()

    def _rollback(self, connection: Session) -> None:
        session = connection.session
        if session is not None and session.in_transaction and connection.process == os.getpid():
            session.abort_transaction()
        connection.close()


_CODEC: Any = CodecOptions(uuid_representation=UuidRepresentation.STANDARD)
_SNAPSHOT, _MAJORITY = ReadConcern("snapshot"), WriteConcern("majority")


def _met_another(error: PyMongoError) -> bool:
    """Whether another transaction wrote the same document first."""
    return isinstance(error, OperationFailure) and error.has_error_label("TransientTransactionError")


def _of_primary_key(error: Any) -> bool:
    details = error.details if getattr(error, "details", None) else {}
    each = next(iter(details.get("writeErrors", ())), details)
    return each.get("code") == 11000 and list(each.get("keyPattern") or ()) == ["_id"]


def _without_password(url: str, database: Any) -> str:
    scheme, _, rest = url.partition("://")
    hosts = rest.partition("?")[0].rpartition("@")[2].partition("/")[0]
    return f"{scheme}://{hosts}/{database}"


class Keys:
    """The counters of a database: for each table the largest key that was given out."""

    def __init__(self, database: MongoDatabase) -> None:
        self.database = database
        self.counters = database.documents()[COUNTERS]

    def take(self, model: type[peewee.Model], number: int) -> range:
        """As many new keys, which nobody else gets."""
        wanted, more = {"_id": collection_name(model)}, {"$inc": {"last": number}}
        found = None
        for attempt in range(5):
            try:
                found = self.counters.find_one_and_update(wanted, more, upsert=True, return_document=ReturnDocument.AFTER)
            except OperationFailure as error:
                last = self.counters.find_one(wanted)
                if not isinstance(error, DuplicateKeyError) and last and int(last["last"]) + number >= 2**63:
                    raise counter_at_its_end(model) from None
                if not isinstance(error, DuplicateKeyError) or attempt == 4:
                    raise  # else another writer made the counter at the same moment
            if found is not None:  # (some servers answer with nothing in that case)
                break
        assert found is not None
        last = int(found["last"])
        return range(last - number + 1, last + 1)

    def raise_to(self, model: type[peewee.Model], key: int) -> None:
        """See that no key up to this one is given out."""
        if key > 0:
            self.counters.update_one({"_id": collection_name(model)}, {"$max": {"last": key}}, upsert=True)

    def largest(self, model: type[peewee.Model]) -> int:
        """The largest key that a document has."""
        found = self.database.collection(model).find_one({"_id": {"$type": "number"}}, {"_id": 1}, sort=[("_id", -1)])
        return int(found["_id"]) if found else 0


class Client:
    """The driver's client of one process, closed with its database. A forked process leaves that of its parent alone."""

    def __init__(self, url: str, options: dict[str, Any], owner: Any) -> None:
        self.process = os.getpid()
        self.client: Any = None
        try:
            self.client = MongoClient(url, **options)
            hello = self.client.admin.command("hello")
        except Exception as error:
            if self.client is not None:
                self.client.close()
            found = translated(error, owner.address, connecting=True)
            if found is None:
                raise
            raise found from error
        self.transactions = "setName" in hello or hello.get("msg") == "isdbgrid"
        self._finalizer = weakref.finalize(owner, _close, self.client, self.process)

    def close(self) -> None:
        self._finalizer()


_left_to_parent: list[Any] = []


def _close(client: Any, process: int) -> None:
    if process == os.getpid():
        topology = getattr(client, "_topology", None)
        if topology is not None and not client.topology_description.has_readable_server():
            # The driver would look for a server, for as long as that may take, to tell it that its sessions have ended.
            topology.pop_all_sessions()
        client.close()
    else:
        _left_to_parent.append(client)  # closing it would say goodbye on the parent's connections
