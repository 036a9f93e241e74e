"""Opening databases by URL: safe options, and clear errors."""

from __future__ import annotations

import contextlib
import os
import pickle
import socket
import sqlite3
import threading
import time

import peewee
import pytest
from looking import together

from activeassoc import ConnectError, DriverMissing, Model, connect
from activeassoc.stores.capabilities import store_of

ENCODE = "Percent-encode '@', ':', '/', '?' and '#' within user and password (urllib.parse.quote(password, safe=''))."
KNOWN = "Known are sqlite, postgresql, mysql, cockroachdb, mongodb, redis (MariaDB is mysql)."
MONGO = "See pymongo's MongoClient for the options that there are."


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
        ("mariadb://host/x", f"connect('mariadb://…'): no database goes by 'mariadb'. {KNOWN}"),
        ("postgresq://host/x", f"connect('postgresq://…'): no database goes by 'postgresq'. Did you mean 'postgresql'? {KNOWN}"),
        ("mongo://host/x", f"connect('mongo://…'): no database goes by 'mongo'. Did you mean 'mongodb'? {KNOWN}"),
        (
            "mongodb+pool://host/x",
            "connect('mongodb+pool://…'): its driver keeps a pool of its own. "
            "Write 'mongodb://…', and the size of the pool as the driver calls it.",
        ),
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


# MongoDB and Redis

#: URLs that name nothing, and what is said of them. Nothing is connected to.
WRONG = {
    "mongodb://ann:secret@host": "it names no database. Write 'mongodb://user@host/database'",
    "mongodb://ann:secret@host/a.b": "'a.b' is no name of a database. Write 'mongodb://user@host/database'",
    "mongodb://ann:secret@host:port/x": f"its host or port cannot be read. {ENCODE[:-1]}",
    "mongodb://ann:secret@host:99999/x": f"its host or port cannot be read. {ENCODE[:-1]}",
    "mongodb://ann:se:cret@host/x": f"its host or port cannot be read. {ENCODE[:-1]}",
    "mongodb://ann:se/cret@host/x": f"there is an '@' behind the host. {ENCODE[:-1]}",
    "mongodb://ann:se#cret@host/x": f"a URL ends at '#', and what follows would be lost. {ENCODE[:-1]}",
    "mongodb:///x": f"its host or port cannot be read. {ENCODE[:-1]}",
    "mongodb://ann:secret@host/x?colour=red": f"Unknown option: colour. {MONGO[:-1]}",
    "mongodb://ann:secret@host/x?maxPoolSize=many": f"The value of maxpoolsize must be an integer. {MONGO[:-1]}",
    "redis://:secret@host/x": "'x' is no number of a database. "
    "Write 'redis://host/0', and tell programs apart by a prefix: 'redis://host/0?prefix=app:'",
    "redis://:secret@host/0?prefx=app:": "there is no option 'prefx'. Did you mean 'prefix'",
    "redis://:secret@host/0?socket_timeout=long": "Invalid value for 'socket_timeout' in connection URL. "
    "See redis-py's Redis for the options that there are",
    "redis://:se/cret@host/0": f"there is an '@' behind the host. {ENCODE[:-1]}",
    "redis://one:6379,two:6379:1/0": f"its host or port cannot be read. {ENCODE[:-1]}",
}


@pytest.mark.parametrize("url", WRONG)
def test_a_url_of_mongodb_or_redis_that_cannot_be_meant_is_refused_at_once(url):
    """J1: the error says what to write instead, and shows no password."""
    with pytest.raises(ConnectError) as error:
        connect(url)
    assert str(error.value) == f"connect('{url.partition('://')[0]}://…'): {WRONG[url]}."
    assert str(pickle.loads(pickle.dumps(error.value))) == str(error.value)


@pytest.mark.parametrize(("scheme", "option"), [("mongodb", "colour"), ("redis", "colour"), ("redis", "decode_responses")])
def test_an_option_that_nobody_takes_is_refused(scheme, option):
    """J1: nothing is silently ignored; that Redis answers in bytes is not for the caller to change."""
    with pytest.raises(ConnectError):
        connect(f"{scheme}://host/0", **{option: True})


def test_options_of_mongodb_are_pymongos():
    """J1: time-outs are set unless the URL or the call says otherwise; several hosts; the address shows no password."""
    db = connect("mongodb://ann:p%40ss@one:27017,two:27018/x?replicaSet=r&serverSelectionTimeoutMS=900", maxPoolSize=5)
    assert (db.database, db.address) == ("x", "mongodb://ann@one:27017,two:27018/x")
    assert not store_of(db).sql and not store_of(db).joins and db.is_closed()
    assert connect("mongodb://host/x", database="y").database == "y"
    assert connect("mongodb+srv://cluster.example.com/x").address == "mongodb+srv://cluster.example.com/x"


@pytest.mark.parametrize("store", ["mongodb"], indirect=True)
@pytest.mark.parametrize(
    ("query", "options", "seconds"), [("", {}, 5), ("?serverSelectionTimeoutMS=900", {}, 0.9), ("", {"serverSelectionTimeoutMS": 800}, 0.8)]
)
def test_the_wait_for_mongodb_is_what_url_or_call_say(store, query, options, seconds):
    """J1, J6: five seconds, unless somebody said otherwise."""
    assert store.connect(store.url() + query, **options).client().options.server_selection_timeout == seconds


def test_options_of_redis_are_redis_pys():
    """J1: the keyword wins over the URL; the prefix stands before every key; the address shows no password."""
    db = connect("redis://:p%40ss@host:6380/3?socket_timeout=2&prefix=app:", prefix="other:")
    assert (db.database, db.address, db.prefix) == ("3", "redis://host:6380/3?prefix=other:", "other:")
    assert not store_of(db).sql and not store_of(db).scans and db.is_closed()
    assert connect("redis://host").database == "0" and connect("rediss://host?db=7").database == "7"


@pytest.mark.parametrize("scheme", ["mongodb", "redis"])
def test_an_absent_server_is_told_in_time_and_without_its_password(scheme):
    """J6: An absent server raises a clear connection error within 10 seconds."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    options = "?serverSelectionTimeoutMS=300" if scheme == "mongodb" else ""
    db = connect(f"{scheme}://ann:s%40cret@127.0.0.1:{port}/0{options}")

    class Photo(Model):
        class Meta:
            database = db

    with pytest.raises(ConnectError) as error:
        Photo.select().count()
    assert str(error.value).startswith(f"connecting to {scheme}://ann@127.0.0.1:{port}/0: ") and "cret" not in str(error.value)


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
        ("mongodb://ann:secret@host/x", "pymongo", "pymongo", "'activeassoc[mongo]'"),
        ("mongodb+srv://ann:secret@host/x", "pymongo", "pymongo", "'activeassoc[mongo]'"),
        ("redis://:secret@host/0", "redis", "redis", "'activeassoc[redis]'"),
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


def test_a_required_column_left_out_is_an_integrity_error(store):
    """J1: on every store; pymysql calls it operational, and a caller could not tell it from a lost server."""
    db = store.connect()

    class Task(peewee.Model):
        title = peewee.CharField()
        note = peewee.CharField(null=True)

        class Meta:
            database = db

    db.create_tables([Task])
    with pytest.raises(peewee.IntegrityError), db.atomic():
        Task.insert({Task.note: "n"}).execute()
    assert Task.select().count() == 0
