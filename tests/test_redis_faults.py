"""Redis when something goes wrong: servers that are away, refuse or come back, clients that are killed, threads and forks, a cluster."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import socket
import threading
import time
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import peewee
import pytest
from redis_server import RedisServer

import activeassoc
from activeassoc.errors import ConnectError, NoTransactionWarning


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    """A server of the test's own."""
    found = RedisServer(tmp_path)
    yield found
    found.stop()


@pytest.fixture
def connect() -> Iterator[Any]:
    """`activeassoc.connect`; what it has opened is closed."""
    opened: list[Any] = []

    def connect(url: str) -> Any:
        opened.append(activeassoc.connect(url))
        return opened[-1]

    yield connect
    for each in opened:
        each.close()
        each.dispose()


def item_on(database: Any) -> Any:
    class Item(activeassoc.Model):
        slug = peewee.CharField(unique=True)
        shelf = peewee.IntegerField(null=True, index=True)

        class Meta:
            pass

    Item._meta.set_database(database)
    return Item


@pytest.fixture
def db(server: RedisServer, connect: Any) -> Any:
    return connect(f"{server.url}?prefix=app:")


@pytest.fixture
def Item(db: Any) -> Any:
    found = item_on(db)
    activeassoc.sync(found)
    return found


def test_an_absent_server_is_a_clear_error(connect: Any) -> None:
    """J6: an absent server raises a connection error that says where it looked."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    database = connect(f"redis://:secret@127.0.0.1:{port}/2")
    with pytest.raises(ConnectError) as raised:
        item_on(database).select().count()
    assert str(raised.value) == (
        f"connecting to redis://127.0.0.1:{port}/2: Error 111 connecting to 127.0.0.1:{port}. Connection refused. "
        "See that the server runs there, and that host, port and options are right."
    )


def test_a_server_that_never_answers_is_an_error(connect: Any) -> None:
    """J6: one that takes connections and is silent is an error too, within the time that the URL says."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        database = connect(f"redis://127.0.0.1:{silent.getsockname()[1]}/0?socket_timeout=0.2")
        with pytest.raises(ConnectError, match=r"^connecting to redis://127\.0\.0\.1:\d+/0: Timeout reading from socket\. See that"):
            database.connect()


def test_a_server_that_comes_back_is_connected_to(server: RedisServer, Item: Any) -> None:
    """J6: a server that goes away and comes back is reconnected to, without anything to do."""
    Item.create(slug="a")
    server.stop()
    for _ in range(2):
        with pytest.raises(peewee.OperationalError):
            Item.create(slug="b")
    server.start()
    activeassoc.sync(Item)  # it keeps nothing on disk
    Item.create(slug="b")
    assert [each.slug for each in Item.select()] == ["b"]


def test_a_lost_answer_is_not_asked_for_again(server: RedisServer, Item: Any, db: Any) -> None:
    """J6: a write whose answer was lost is not sent twice, and the error says that nobody knows."""
    Item.create(slug="a")
    threading.Timer(0.3, lambda: server.client.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")).start()
    with pytest.raises(peewee.OperationalError) as raised:
        with db.translating():
            db.client.blpop("app:nothing", 5)
    assert str(raised.value) == (
        f"executing on redis://127.0.0.1:{server.port}/0?prefix=app:: Connection closed by server. "
        "The next statement connects again; whether this one, if it was to write, has been carried out is not known."
    )
    assert Item.create(slug="b").id == 2


def test_a_wrong_password_is_a_clear_error(server: RedisServer, connect: Any) -> None:
    """J6: a wrong password, or none, is said; no message shows it."""
    server.client.config_set("requirepass", "right")
    where = f"127.0.0.1:{server.port}/0"
    for url, because in (
        (f"redis://:wrong@{where}", "invalid username-password pair or user is disabled"),
        (f"redis://{where}", "Authentication required"),
    ):
        with pytest.raises(ConnectError) as raised:
            connect(url).connect()
        assert str(raised.value) == f"connecting to redis://{where}: {because}. See that user and password are right."
    assert connect(f"redis://:right@{where}").connect() is True


def test_a_replica_refuses_to_write(server: RedisServer, Item: Any) -> None:
    """J6: a server that is read-only, or has no memory left, raises OperationalError, and nothing is half written."""
    Item.create(slug="a", shelf=1)
    server.client.config_set("maxmemory", 1)
    with pytest.raises(peewee.OperationalError, match="command not allowed when used memory > 'maxmemory'"):
        Item.create(slug="b", shelf=1)
    assert Item.select().where(Item.shelf == 1).count() == 1
    server.client.config_set("maxmemory", 0)
    server.client.replicaof("127.0.0.1", "1")
    with pytest.raises(peewee.OperationalError, match=r"You can't write against a read only replica\.$"):
        Item.update(shelf=2).execute()
    assert Item.get(Item.shelf == 1).slug == "a"
    assert Item._meta.database.verify(Item)


def test_a_server_that_loads_is_waited_for_by_the_caller(server: RedisServer, Item: Any) -> None:
    """J6: a server that is still loading its data says so."""
    Item.insert_many([{"slug": str(n)} for n in range(500)]).execute()
    server.client.save()
    server.stop()
    server.options = ("--key-load-delay", "3000", "--loading-process-events-interval-bytes", "1024")
    server.start()
    with pytest.raises(ConnectError) as raised:
        Item.select().count()
    assert str(raised.value) == (
        f"connecting to redis://127.0.0.1:{server.port}/0?prefix=app:: Redis is loading the dataset in memory. Try again when it has."
    )


@pytest.mark.parametrize(
    ("key", "ask"),
    [
        ("app:{item}:i:shelf:9", lambda Item: Item.create(slug="d", shelf=9)),
        ("app:{item}:i:shelf:9", lambda Item: Item.update(shelf=9).where(Item.shelf == 1).execute()),
        ("app:{item}:i:shelf:9", lambda Item: list(Item.select().where(Item.shelf == 9))),
        ("app:{item}:r:3", lambda Item: Item.create(slug="d")),
        ("app:{item}:r:3", lambda Item: Item.get_or_none(Item.id == 3)),
        ("app:{item}:u:slug", lambda Item: Item.get_or_none(Item.slug == "a")),
        ("app:{item}:ids", lambda Item: Item.delete().where(Item.id == 1).execute()),
    ],
)
def test_a_foreign_value_at_our_key_is_an_error(server: RedisServer, Item: Any, key: str, ask: Any) -> None:
    """J5: what another program has put in the place of a key of ours raises OperationalError before anything is written."""
    Item.insert_many([{"slug": "a", "shelf": 1}, {"slug": "b", "shelf": 1}]).execute()
    server.client.set(key, "theirs")
    before = {name: server.client.dump(name) for name in server.client.scan_iter() if not name.endswith((b":key", b":seq"))}
    with pytest.raises(peewee.OperationalError) as raised:
        ask(Item)
    assert str(raised.value) == (
        f"redis://127.0.0.1:{server.port}/0?prefix=app:: WRONGTYPE Operation against a key holding the wrong kind of value. "
        "Another program has written under this prefix: give each program one of its own."
    )
    assert {name: server.client.dump(name) for name in server.client.scan_iter() if not name.endswith((b":key", b":seq"))} == before


def test_scripts_that_the_server_forgot_are_told_again(server: RedisServer, Item: Any) -> None:
    """J5: a script cache that was emptied is filled again."""
    for slug in ("a", "b"):
        server.client.script_flush()
        Item.create(slug=slug, shelf=1)
    server.client.script_flush()
    assert Item.select().where(Item.shelf == 1).count() == 2


def test_a_policy_that_evicts_is_told(server: RedisServer, db: Any) -> None:
    """J5: an eviction policy other than noeviction breaks indexes, so that check can warn of it."""
    assert db.eviction_policy == "noeviction"
    server.client.config_set("maxmemory-policy", "allkeys-lru")
    assert db.eviction_policy == "allkeys-lru"


def write_for_ever(Item: Any, seed: int) -> None:
    """Inserts, updates and deletes that meet those of others, many rows at a time."""
    chance = random.Random(seed)
    while True:
        shelf, number = chance.randrange(9), chance.randrange(3)
        with contextlib.suppress(peewee.IntegrityError):
            if number == 0:
                rows = [{"slug": str(chance.randrange(5_000)), "shelf": chance.randrange(5)} for _ in range(chance.randrange(1, 30))]
                Item.insert_many(rows).execute()
            elif number == 1:
                Item.update(shelf=Item.shelf + 1, slug=Item.slug.concat("x")).where(Item.shelf == shelf).execute()
            else:
                Item.delete().where(Item.shelf == shelf, Item.id > 9).execute()


def test_killed_writers_leave_every_index_whole(server: RedisServer, Item: Any, db: Any) -> None:
    """J5: a killed client never leaves a record without its index entries, or the reverse."""
    records = 0
    for at in range(8):
        writers = []
        for number in range(4):
            child = os.fork()
            if child == 0:
                try:
                    write_for_ever(Item, at * 4 + number)
                except BaseException:
                    traceback.print_exc()
                finally:
                    os._exit(1)  # not reached: it is killed
            writers.append(child)
        for each in writers:
            time.sleep(0.03)
            os.kill(each, signal.SIGKILL)
        statuses = [os.waitstatus_to_exitcode(os.waitpid(each, 0)[1]) for each in writers]
        assert statuses == [-signal.SIGKILL] * 4
        report = db.verify(Item)
        assert report
        records += report.records
        assert report.records == len(Item.select())
    assert records > 0


def test_one_pool_serves_threads_and_forks(server: RedisServer, Item: Any, db: Any) -> None:
    """J8: one client per database, safe for threads and forks."""
    Item.create(slug="before")
    errors: list[Exception] = []

    def write(name: str) -> None:
        try:
            for n in range(20):
                Item.create(slug=f"{name} {n}", shelf=n)
        except Exception as error:
            errors.append(error)
        finally:
            db.close()

    threads = [threading.Thread(target=write, args=(str(number),)) for number in range(5)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    child = os.fork()
    if child == 0:
        write("child")
        os._exit(len(errors))
    write("parent")
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert errors == []
    assert Item.select().count() == 141
    assert db.verify(Item)


def test_a_cluster_keeps_a_table_in_one_slot(tmp_path: Path, connect: Any) -> None:
    """J5: a table lives in one slot (hash tag), so Redis Cluster works."""
    server = RedisServer(tmp_path, "--cluster-enabled", "yes")
    try:
        database = connect(f"redis://127.0.0.1:{server.port}/0?cluster=true&prefix=app:")
        with pytest.raises(peewee.OperationalError):
            database.connect()
        server.client.execute_command("CLUSTER ADDSLOTSRANGE", 0, 16383)
        for _ in range(1_000):
            if server.client.execute_command("CLUSTER INFO")["cluster_state"] == "ok":
                break
            time.sleep(0.01)
        Item = item_on(connect(f"redis://127.0.0.1:{server.port}/0?cluster=true&prefix=app:"))
        activeassoc.sync(Item)
        Item.insert_many([{"slug": str(n), "shelf": n % 3} for n in range(1_200)]).execute()
        assert Item.select().where(Item.shelf == 1).count() == 400
        assert Item.update(shelf=9).where(Item.id < 4).execute() == 3
        assert [each.slug for each in Item.select().where(Item.shelf == 9).order_by(Item.id)] == ["0", "1", "2"]
        assert Item._meta.database.verify(Item).records == 1_200
        Item.drop_table()
        assert server.client.dbsize() == 0
    finally:
        server.stop()


def test_a_prefix_with_braces_is_refused(connect: Any) -> None:
    """J5: a prefix that would move tables to other slots is refused."""
    with pytest.raises(ConnectError) as raised:
        connect("redis://127.0.0.1/0?prefix={app}:")
    assert str(raised.value) == (
        "a Redis database with the prefix '{app}:': braces in it would change which keys stand together in a cluster. "
        "Choose one without braces, such as 'app:'."
    )


def test_a_block_left_by_an_error_warns(Item: Any, db: Any) -> None:
    """J7: atomic() is no transaction: leaving it by an exception after successful writes warns, and says how many there were."""
    assert db.transactions is False
    with pytest.raises(peewee.IntegrityError):
        with db.atomic():
            Item.insert_many([{"slug": "a"}, {"slug": "a"}]).execute()
    with pytest.warns(NoTransactionWarning) as caught:
        with pytest.raises(ZeroDivisionError):
            with db.atomic():
                Item.create(slug="a")
                Item.create(slug="b")
                raise ZeroDivisionError
    assert [each.message.writes for each in caught] == [2]  # type: ignore[union-attr]
    assert Item.select().count() == 2
