"""Servers that are absent, go away, and come back."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from urllib.parse import urlsplit, urlunsplit

import peewee
import pytest
from looking import together

from activeassoc import ConnectError

SERVER = "See that the server runs there, and that host, port, user, password, database and options are right."
REFUSED = {
    "postgresql": 'connection failed: connection to server at "127.0.0.1", port {} failed: Connection refused',
    "mariadb": "Can't connect to MySQL server on '127.0.0.1' ([Errno 111] Connection refused)",
}


@pytest.fixture
def servers(store):
    """The stores that have a server in between."""
    if not urlsplit(store.url()).hostname:
        pytest.skip("the store has no server")
    return store


def at(url, host, port, scheme=None):
    """The URL with another address."""
    parts = urlsplit(url)
    user = parts.netloc.rpartition("@")[0]
    return urlunsplit(parts._replace(netloc=f"{user}@{host}:{port}", scheme=scheme or parts.scheme))


def test_an_absent_server_is_a_clear_error(servers):
    """J6: An absent server raises a clear connection error within 10 seconds."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    url = at(servers.url(), "127.0.0.1", port)
    for scheme in (urlsplit(url).scheme, urlsplit(url).scheme + "+pool"):
        db = servers.connect(at(url, "127.0.0.1", port, scheme), password="s@cret")
        shown = at(url, "127.0.0.1", port, scheme).partition("?")[0]
        for _ in range(2):
            with pytest.raises(ConnectError) as error:
                db.execute_sql("SELECT 1")
            assert str(error.value) == f"connecting to {shown}: {REFUSED[servers.name].format(port)}. {SERVER}"
            assert isinstance(error.value, peewee.OperationalError) and db.is_closed() and not db.in_transaction()


def test_a_server_that_never_answers_is_an_error_in_time(servers):
    """J6: An absent server raises a clear connection error within 10 seconds, also where something takes the connection."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        db = servers.connect(at(servers.url(), "127.0.0.1", silent.getsockname()[1]), connect_timeout=2)
        began = time.monotonic()
        with pytest.raises(ConnectError):
            db.connect()
        assert time.monotonic() - began < 8


def test_a_statement_may_take_longer_than_connecting(servers):
    """J6: the time limit is that of connecting alone."""
    db = servers.connect(connect_timeout=2)
    sleep = "pg_sleep" if isinstance(db, peewee.PostgresqlDatabase) else "SLEEP"
    assert len(db.execute_sql(f"SELECT {sleep}(2.5)").fetchall()) == 1


class Relay:
    """A port that passes everything on to the server, and can be taken away and put back."""

    def __init__(self, url):
        parts = urlsplit(url)
        self.target = parts.hostname, parts.port
        self.sockets = []
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.address = self.listening.getsockname()
        self.start()

    def start(self):
        self.thread = threading.Thread(target=self.serve, args=(self.listening,), daemon=True)
        self.thread.start()

    def serve(self, listening):
        while True:
            try:
                client, _ = listening.accept()
            except OSError:
                return
            server = socket.create_connection(self.target)
            self.sockets += [client, server]
            for ends in ((client, server), (server, client)):
                threading.Thread(target=self.pump, args=ends, daemon=True).start()

    def pump(self, source, sink):
        with contextlib.suppress(OSError):
            while received := source.recv(65536):
                sink.sendall(received)
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def go_away(self):
        with contextlib.suppress(OSError):
            self.listening.shutdown(socket.SHUT_RDWR)
        self.listening.close()
        self.thread.join()
        for end in self.sockets:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
        self.sockets.clear()

    def come_back(self):
        self.listening = socket.create_server(self.address)
        self.start()


@pytest.fixture
def behind(servers):
    """A function that opens a new database behind a relay, and returns both."""
    relays = []

    def open_behind(plus, **options):
        url = servers.url()
        relays.append(Relay(url))
        return relays[-1], servers.connect(at(url, *relays[-1].address, urlsplit(url).scheme + plus), **options)

    yield open_behind
    for relay in relays:
        relay.go_away()


@pytest.fixture(params=["", "+pool"])
def relayed(behind, request):
    """A database behind a relay, each thread's connection by itself or from a pool."""
    relay, db = behind(request.param)
    db.execute_sql("CREATE TABLE t (n INTEGER)")
    return relay, db


def rows(db):
    return sorted(number for (number,) in db.execute_sql("SELECT n FROM t").fetchall())


def test_a_server_that_comes_back_is_reconnected_to(relayed):
    """J6: a server that goes away and comes back is reconnected to."""
    relay, db = relayed
    relay.go_away()
    with pytest.raises((peewee.OperationalError, peewee.InterfaceError)):
        db.execute_sql("SELECT 1")
    for _ in range(2):
        with pytest.raises(ConnectError):
            db.execute_sql("SELECT 1")
    relay.come_back()
    db.execute_sql("INSERT INTO t VALUES (1)")
    assert rows(db) == [1]


def test_a_transaction_that_begins_after_the_server_came_back_notices_nothing(relayed):
    """J6: BEGIN has done nothing when it meets a dead connection, and is repeated on a new one."""
    relay, db = relayed
    relay.go_away()
    relay.come_back()
    with db.atomic():
        db.execute_sql("INSERT INTO t VALUES (1)")
    assert rows(db) == [1] and not db.in_transaction()


def test_a_transaction_whose_connection_dies_is_lost_as_a_whole(relayed):
    """J6: within a transaction nothing reconnects; the first error goes through, and the next use is on a new connection."""
    relay, db = relayed
    seen = []
    with pytest.raises(peewee.PeeweeException) as error, db.atomic():
        db.execute_sql("INSERT INTO t VALUES (1)")
        with db.atomic():
            relay.go_away()
            relay.come_back()
            try:
                db.execute_sql("INSERT INTO t VALUES (2)")
            except peewee.PeeweeException as first:
                seen.append(first)
                raise
    assert error.value is seen[0] and not db.in_transaction() and db.is_closed()
    assert rows(db) == []
    with db.atomic(), db.atomic():
        db.execute_sql("INSERT INTO t VALUES (3)")
    assert rows(db) == [3]


def test_a_lost_transaction_takes_no_further_statement_and_is_never_taken_for_committed(relayed):
    """J6: a statement on a new connection would stand outside the transaction that was written around it."""
    relay, db = relayed
    told = f"executing on {db.address}: the connection was lost within this transaction, and the server has rolled it back. "
    told += "Leave the block, and run it as a whole again."
    after = []
    with pytest.raises(ConnectError) as error, db.atomic():
        db.after_commit(lambda: after.append("committed"))
        relay.go_away()
        relay.come_back()
        with contextlib.suppress(peewee.PeeweeException):
            db.execute_sql("INSERT INTO t VALUES (1)")
        with pytest.raises(ConnectError) as further:
            db.execute_sql("INSERT INTO t VALUES (2)")
        with pytest.raises(ConnectError), db.atomic():
            pass
        assert str(further.value) == told
    assert str(error.value) == told
    assert rows(db) == [] and after == []


def test_a_commit_that_meets_a_dead_connection_raises(relayed):
    """J6: what may not have been written is never taken for written."""
    relay, db = relayed
    with pytest.raises(peewee.PeeweeException), db.atomic():
        db.execute_sql("INSERT INTO t VALUES (1)")
        relay.go_away()
        relay.come_back()
    assert not db.in_transaction() and rows(db) == []


def test_a_rollback_within_the_block_begins_anew_on_a_new_connection(relayed):
    """J6: `transaction.rollback()` goes on in a transaction, also where the connection had died."""
    relay, db = relayed
    with db.atomic() as transaction:
        db.execute_sql("INSERT INTO t VALUES (1)")
        relay.go_away()
        relay.come_back()
        transaction.rollback()
        db.execute_sql("INSERT INTO t VALUES (2)")
        assert db.in_transaction()
        transaction.rollback()
        db.execute_sql("INSERT INTO t VALUES (3)")
    assert rows(db) == [3]


def test_a_rollback_within_the_block_while_the_server_is_away_lets_nothing_slip_out_of_the_transaction(relayed):
    """J6: with no connection at all, a statement in the block still does not connect by itself."""
    relay, db = relayed
    with pytest.raises(ConnectError), db.atomic() as transaction:
        relay.go_away()
        with pytest.raises(ConnectError):
            transaction.rollback()
        relay.come_back()
        db.execute_sql("INSERT INTO t VALUES (1)")
    assert rows(db) == []


def test_a_connection_context_outlives_its_connection(relayed):
    """J6: reconnected to also within ``with db.connection_context():`` and ``with db:``."""
    relay, db = relayed
    db.close()
    with db.connection_context():
        relay.go_away()
        relay.come_back()
        with pytest.raises(peewee.PeeweeException):
            rows(db)
        assert rows(db) == []
        relay.go_away()
        for _ in range(2):
            with pytest.raises(peewee.PeeweeException):
                rows(db)
        relay.come_back()
    assert db.is_closed()
    with pytest.raises(peewee.PeeweeException), db:
        relay.go_away()
        relay.come_back()
        rows(db)
    assert db.is_closed() and rows(db) == []


def test_manual_commits_go_on_after_a_rollback(relayed):
    """J6: with `manual_commit()` the caller says when the lost transaction is over."""
    relay, db = relayed
    with db.manual_commit():
        db.begin()
        db.execute_sql("INSERT INTO t VALUES (1)")
        relay.go_away()
        relay.come_back()
        for _ in range(2):
            with pytest.raises(peewee.PeeweeException):
                db.execute_sql("INSERT INTO t VALUES (2)")
        with pytest.raises(ConnectError):
            db.commit()
        db.rollback()
        db.begin()
        db.execute_sql("INSERT INTO t VALUES (3)")
        db.commit()
    assert rows(db) == [3]


def test_a_pool_throws_out_all_that_died(behind):
    """J6: the idle connections of a pool died with the server; one error, not one for each."""
    relay, db = behind("+pool", max_connections=4)
    everyone = threading.Barrier(4)
    together(db, *[lambda: (db.execute_sql("SELECT 1"), everyone.wait(10))] * 4)
    relay.go_away()
    relay.come_back()
    errors = 0
    for _ in range(8):
        try:
            db.execute_sql("SELECT 1")
        except peewee.PeeweeException:
            errors += 1
        finally:
            db.close()
    assert errors <= 1
    for _ in range(6):  # more often than there are connections: what died has left the pool
        db.execute_sql("SELECT 1")
        relay.go_away()
        relay.come_back()
        with pytest.raises(peewee.OperationalError):
            db.execute_sql("SELECT 1")
    assert db.execute_sql("SELECT 1").fetchone() == (1,)
    db.close_all()


KILL = {
    "postgresql": ("SELECT pg_backend_pid()", "SELECT pg_terminate_backend({}, 5000)"),
    "mariadb": ("SELECT CONNECTION_ID()", "KILL {}"),
}


def test_a_session_that_the_server_killed_is_replaced(servers):
    """J6: reconnected to also where the server lives on and closed this connection alone."""
    url = servers.url()
    db, outside = servers.connect(url), servers.raw(url)
    who, kill = KILL[servers.name]
    killed = db.execute_sql(who).fetchone()[0]
    outside.execute_sql(kill.format(killed)).fetchall()
    with pytest.raises(peewee.PeeweeException):
        db.execute_sql("SELECT 1")
    assert db.execute_sql("SELECT 1").fetchone() == (1,)
    with pytest.raises(peewee.PeeweeException), db.atomic():
        outside.execute_sql(kill.format(db.execute_sql(who).fetchone()[0])).fetchall()
        db.execute_sql("SELECT 1")
    assert db.execute_sql("SELECT 1").fetchone() == (1,)


def test_an_error_in_a_statement_is_no_lost_connection(servers):
    """J6: only a dead connection is given up."""
    db = servers.connect()
    db.execute_sql("CREATE TABLE t (n INTEGER NOT NULL)")
    connection = db.connection()
    for sql in ("INSERT INTO t VALUES (NULL)", "SELECT nothing", "no sql"):
        with pytest.raises(peewee.PeeweeException):
            db.execute_sql(sql)
        with pytest.raises(peewee.PeeweeException), db.atomic(), db.atomic():
            db.execute_sql(sql)
    assert db.connection() is connection


def test_a_full_pool_says_so(servers):
    """J1: `+pool`; the pool's own error for too many connections stays what it is."""
    from playhouse.pool import MaxConnectionsExceeded

    url = servers.url()
    db = servers.connect(at(url, urlsplit(url).hostname, urlsplit(url).port, urlsplit(url).scheme + "+pool"), max_connections=1)
    db.connect()
    (error,) = together(db, db.connect)
    assert isinstance(error, MaxConnectionsExceeded)
    db.close_all()


def test_a_password_in_the_words_of_the_driver_is_not_shown(servers):
    """J6: No message shows a password, not even one that a driver repeats."""
    if servers.name != "postgresql":
        pytest.skip("this server looks at the password before the rest")
    db = servers.connect(database="no hunter2", password="hunter2")
    with pytest.raises(ConnectError) as error:
        db.connect()
    assert str(error.value).count("no ***") == 2 and "hunter2" not in str(error.value)
