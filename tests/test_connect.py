"""Opening databases by URL: safe options, clear errors, and connections that come back."""

from __future__ import annotations

import contextlib
import os
import pickle
import socket
import sqlite3
import threading
import time
from urllib.parse import urlsplit, urlunsplit

import peewee
import pytest
from looking import together

from activeassoc import ConnectError, DriverMissing, connect

ENCODE = "Percent-encode '@', ':', '/', '?' and '#' within user and password (urllib.parse.quote(password, safe=''))."
SERVER = "See that the server runs there, and that host, port, user, password, database and options are right."
KNOWN = "Known are sqlite, postgresql, mysql, cockroachdb (MariaDB is mysql), each also with '+pool'."


# SQLite


@pytest.mark.parametrize("scheme", ["sqlite", "sqlite+pool"])
def test_sqlite_checks_foreign_keys_waits_for_locks_and_logs_ahead(scheme, tmp_path):
    """E8: `connect()` switches foreign keys on, with a busy timeout, and with WAL where it is not on yet."""
    db = connect(f"{scheme}:///{tmp_path}/a.db")
    with db.connection_context():
        assert (db.pragma("foreign_keys"), db.pragma("busy_timeout"), db.pragma("journal_mode")) == (1, 5000, "wal")
    assert isinstance(db, peewee.SqliteDatabase)


def test_sqlite_options_of_the_user_win(tmp_path):
    """J1: explicit keywords win over the URL, and both over the defaults."""
    db = connect(f"sqlite:///{tmp_path}/a.db?timeout=3", pragmas=[("Foreign_Keys", 0), ("cache_size", -999), ("journal_mode", "delete")])
    with db.connection_context():
        assert (db.pragma("foreign_keys"), db.pragma("cache_size"), db.pragma("journal_mode")) == (0, -999, "delete")
        assert db.pragma("busy_timeout") == 3000
    assert connect(f"sqlite:///{tmp_path}/a.db?timeout=3", timeout=1.5).timeout == 1.5


def test_sqlite_paths_are_relative_absolute_or_in_memory(tmp_path, monkeypatch):
    """J1: three slashes before a relative path, four before an absolute one, none of either for memory."""
    monkeypatch.chdir(tmp_path)
    for url in ("sqlite:///a.db", f"sqlite:///{tmp_path}/b b%20.db", "sqlite://", "sqlite:///:memory:"):
        with connect(url).connection_context():
            pass
    with connect("sqlite://", database=tmp_path / "c#.db").connection_context():
        pass
    assert {path.name for path in tmp_path.glob("*.db")} == {"a.db", "b b%20.db", "c#.db"}


def test_sqlite_in_memory_is_one_database_for_each_thread():
    """Trap 34: in-memory SQLite is one database per thread, as the documentation of connect says."""
    db = connect("sqlite://")
    db.execute_sql("CREATE TABLE t (n INTEGER)")
    assert together(db, lambda: db.get_tables()) == [[]]
    assert db.get_tables() == ["t"]
    db.close()


def test_sqlite_reads_and_then_writes_in_several_threads_without_being_locked(tmp_path):
    """C17: IMMEDIATE is the SQLite default, so that a read before a write does not end in "database is locked"."""
    db = connect(f"sqlite:///{tmp_path}/a.db")
    db.execute_sql("CREATE TABLE t (n INTEGER)")
    db.execute_sql("INSERT INTO t VALUES (0)")

    def increase():
        for _ in range(20):
            with db.atomic():
                (number,) = db.execute_sql("SELECT n FROM t").fetchone()
                db.execute_sql("UPDATE t SET n = ?", (number + 1,))

    assert together(db, *[increase] * 4) == [None] * 4
    assert db.execute_sql("SELECT n FROM t").fetchone() == (80,)
    db.close()


OPEN = """
import sys, activeassoc
db = activeassoc.connect("sqlite:///" + sys.argv[1])
sys.stdin.read(1)  # all wait for the same line
with db.connection_context():
    db.execute_sql("CREATE TABLE IF NOT EXISTS t (n INTEGER)")
    db.execute_sql("INSERT INTO t VALUES (1)")
    print(db.pragma("journal_mode"))
"""


def test_sqlite_switches_to_write_ahead_logging_while_other_processes_do_the_same(tmp_path, python):
    """Switching SQLite to WAL at connect meets "locked" when several processes start."""
    reading, writing = os.pipe()
    processes = [python.start(OPEN, tmp_path / "a.db", stdin=reading) for _ in range(8)]
    os.close(reading)
    time.sleep(1)
    os.write(writing, b"\n" * 8)
    os.close(writing)
    assert [python.printed(process) for process in processes] == ["wal"] * 8
    with contextlib.closing(sqlite3.connect(tmp_path / "a.db")) as outside:
        assert outside.execute("SELECT COUNT(*) FROM t").fetchone() == (8,)


def test_sqlite_waits_for_a_writer_before_it_switches(tmp_path):
    """Switching SQLite to WAL at connect meets "locked": it is tried again for as long as a statement would wait."""
    outside = sqlite3.connect(tmp_path / "a.db", isolation_level=None, check_same_thread=False)
    outside.execute("CREATE TABLE t (n INTEGER)")
    outside.execute("BEGIN IMMEDIATE")
    threading.Timer(0.5, lambda: (outside.execute("COMMIT"), outside.close())).start()
    db = connect(f"sqlite:///{tmp_path}/a.db")
    with db.connection_context():
        assert db.pragma("journal_mode") == "wal" and db.get_tables() == ["t"]


def test_sqlite_that_cannot_switch_is_used_as_it_is(tmp_path):
    """E8: WAL where it can be on; a read-only file stays as it is."""
    with contextlib.closing(sqlite3.connect(tmp_path / "a.db")) as outside:
        outside.execute("CREATE TABLE t (n INTEGER)")
    db = connect("sqlite://", database=f"file:{tmp_path}/a.db?mode=ro", uri=True)
    with db.connection_context():
        assert db.pragma("journal_mode") == "delete" and db.get_tables() == ["t"]


def test_sqlite_says_which_directory_is_missing(tmp_path):
    """J6: a clear connection error, on first use."""
    db = connect(f"sqlite:///{tmp_path}/none/a.db")
    with pytest.raises(ConnectError) as error:
        db.connect()
    path = f"{tmp_path}/none"
    assert str(error.value) == f"connecting to sqlite:///{path}/a.db: unable to open database file. Make the directory '{path}' first."
    assert isinstance(error.value, peewee.OperationalError) and db.is_closed()


def test_sqlite_says_what_is_no_database(tmp_path):
    """J6: a clear connection error, on first use."""
    (tmp_path / "a.db").write_text("not a database, but a text that is longer than the header of one")
    with pytest.raises(ConnectError) as error:
        connect(f"sqlite:///{tmp_path}/a.db").connect()
    advice = "See that the path is that of an SQLite database, that it may be read and written, and that the options are right."
    assert str(error.value) == f"connecting to sqlite:///{tmp_path}/a.db: file is not a database. {advice}"


# URLs that name nothing


@pytest.mark.parametrize(
    ("url", "text"),
    [
        (5, "connect(5): a URL was expected. Write a string, such as 'sqlite:///tracker.db'."),
        ("", "connect(''): a URL was expected. Write a string, such as 'sqlite:///tracker.db'."),
        ("a.db", "connect(): the text has no scheme such as 'sqlite://' in front. Write 'sqlite:///tracker.db' for a file."),
        ("sqlite:a.db", "connect(): the text has no scheme such as 'sqlite://' in front. Write 'sqlite:///tracker.db' for a file."),
        (
            "sqlite://a.db",
            "connect('sqlite://a.db'): 'a.db' stands where a URL has its host, and SQLite has none. "
            "Write three slashes before a relative path: 'sqlite:///a.db'; four make it absolute.",
        ),
        (
            "sqlite:///a#1/b.db",
            "connect('sqlite://…'): a URL ends at '#', and what follows would be lost. "
            "Give such a path by keyword: connect('sqlite://', database=path).",
        ),
        ("mongodb://host/x", f"connect('mongodb://…'): no SQL database goes by 'mongodb'. {KNOWN}"),
        ("redis://host/0", f"connect('redis://…'): no SQL database goes by 'redis'. {KNOWN}"),
        ("mariadb://host/x", f"connect('mariadb://…'): no SQL database goes by 'mariadb'. {KNOWN}"),
        ("postgresq://host/x", f"connect('postgresq://…'): no SQL database goes by 'postgresq'. Did you mean 'postgresql'? {KNOWN}"),
        (
            "postgresql://ann:secret@host",
            "connect('postgresql://…'): it names no database. "
            "Write 'postgresql://user@host/database', or 'postgresql:///database' for a local one.",
        ),
        ("mysql://ann:secret@host:port/x", f"connect('mysql://…'): its host or port cannot be read. {ENCODE}"),
        ("mysql://ann:secret@host:99999/x", f"connect('mysql://…'): its host or port cannot be read. {ENCODE}"),
        ("mysql://ann:secret", f"connect('mysql://…'): its host or port cannot be read. {ENCODE}"),
        ("mysql://ann:se/cret@host/x", f"connect('mysql://…'): its host or port cannot be read. {ENCODE}"),
        ("mysql://ann:12/34@host/x", f"connect('mysql://…'): there is an '@' behind the host. {ENCODE}"),
        ("mysql://ann:12?34@host/x", f"connect('mysql://…'): there is an '@' behind the host. {ENCODE}"),
        ("mysql://ann:12#34@host/x", f"connect('mysql://…'): a URL ends at '#', and what follows would be lost. {ENCODE}"),
    ],
)
def test_a_url_that_names_no_database_is_refused_at_once_and_without_its_password(url, text):
    """J1: `connect(url)`; the error says what to write instead, and shows no password."""
    with pytest.raises(ConnectError) as error:
        connect(url)
    assert str(error.value) == text
    assert str(pickle.loads(pickle.dumps(error.value))) == text


# Drivers

WITHOUT = """
import sys
class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in sys.argv[2].split(","):
            raise ImportError(name)
sys.meta_path.insert(0, Blocked())
import activeassoc
try:
    activeassoc.connect(sys.argv[1])
except ImportError as error:
    print(f"{type(error).__name__}: {error}")
"""


@pytest.mark.parametrize(
    ("url", "blocked", "package", "line"),
    [
        ("postgresql://ann:secret@host/x", "psycopg,psycopg2", "psycopg", "'activeassoc[postgres]'"),
        ("postgres+pool://ann:secret@host/x", "psycopg,psycopg2", "psycopg", "'activeassoc[postgres]'"),
        ("cockroachdb://ann:secret@host/x", "psycopg,psycopg2", "psycopg", "'activeassoc[postgres]'"),
        ("mysql://ann:secret@host/x", "pymysql,MySQLdb", "pymysql", "'activeassoc[mysql]'"),
        ("mysql+pool://ann:secret@host/x", "pymysql,MySQLdb", "pymysql", "'activeassoc[mysql]'"),
        ("apsw:///a.db", "apsw", "apsw", "apsw"),
    ],
)
def test_a_missing_driver_is_told_with_the_pip_line(python, url, blocked, package, line):
    """J1: A missing driver raises with the pip line, from connect() itself."""
    scheme = url.partition(":")[0]
    expected = f"DriverMissing: connect('{scheme}://…'): {package} is not installed. Install it: pip install {line}."
    assert python(WITHOUT, url, blocked) == expected
    assert issubclass(DriverMissing, ConnectError) and issubclass(DriverMissing, ImportError)


def test_servers_get_their_drivers_and_options():
    """J1: psycopg 3, a bounded attempt; utf8mb4 and FOUND_ROWS; options of the URL, then of the call."""
    postgresql = connect("postgresql+pool://ann:p%40ss%2F@host:5433/x?max_connections=5&connect_timeout=3", stale_timeout=300)
    assert isinstance(postgresql, peewee.PostgresqlDatabase) and "3" in type(postgresql._adapter).__name__
    assert (postgresql._max_connections, postgresql._stale_timeout) == (5, 300)
    assert postgresql.connect_params == {"connect_timeout": 3, "user": "ann", "password": "p@ss/", "host": "host", "port": 5433}
    for scheme in ("mysql", "mysql+pool"):
        mysql = connect(f"{scheme}://a%20nn:p%40ss@host/x?charset=utf8", client_flag=8, connect_timeout=9)
        assert isinstance(mysql, peewee.MySQLDatabase)
        expected = {"charset": "utf8", "connect_timeout": 9, "user": "a nn", "password": "p@ss", "host": "host", "client_flag": 8 | 2}
        assert mysql.connect_params == expected


def test_an_update_counts_the_rows_it_found(store):
    """UPDATE to equal values reports 0 rows on MySQL; with `connect()` it counts the rows that are there."""
    db = store.connect()
    db.execute_sql("CREATE TABLE t (n INTEGER)")
    db.execute_sql("INSERT INTO t VALUES (1)")
    assert db.execute_sql("UPDATE t SET n = 1").rowcount == 1


# Servers that are absent, go away, and come back

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
