"""Links moved between their two storages: nothing is lost, wherever it is stopped, and what differs is told and left alone."""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import bson
import pytest
from conftest import base_on
from peewee import CharField, IntegerField
from pymongo.synchronous.collection import Collection
from pymongo.synchronous.database import Database
from test_embed import collections, docs, standing_alone, wrong

import activeassoc
from activeassoc import TransactionAborted, WrongArgument, WrongTarget, check, moving, sync
from activeassoc.moving import STAGES, Report, update_associations


@pytest.fixture
def B(on: Any) -> Any:
    """A base on a new MongoDB database."""
    return on("mongodb")


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[Any]:
    with standing_alone(tmp_path) as Base:
        yield Base


Pairs = dict[tuple[Any, Any], tuple[Any, Any]]


def members(database: Any, embed: bool | None, plain: bool | None = False, made: bool = True) -> tuple[Any, Any, Any]:
    """Users and groups with attributes on their links, and favourites without any; with plain=True without favourites."""
    Base = base_on(database, __name__)

    class Membership(Base):
        role = CharField(default="member")
        level = IntegerField(null=True)

    class User(Base):
        email = CharField(null=True)

    class Group(Base):
        name = CharField(null=True)

    User.belongs_to_many(Group, through=Membership, embed=embed)
    Group.belongs_to_many(User, through=Membership, embed=embed)
    if plain is not True:
        User.belongs_to_many(Group, as_="favourites", through="favourite_links", embed=plain)
        Group.belongs_to_many(User, as_="fans", through="favourite_links", embed=plain)
    if made:
        sync(User, Group, Membership)
    return User, Group, Membership


def filled(database: Any, embed: bool, users: int = 3, groups: int = 3, plain: bool | None = False) -> Pairs:
    """Links in one storage; what they are."""
    User, Group, Membership = members(database, embed, plain)
    User.insert_many([{"email": str(number)} for number in range(users)]).execute()
    Group.insert_many([{"name": str(number)} for number in range(groups)]).execute()
    pairs = [(one.id, other.id) for one, other in itertools.product(User.select(), Group.select()) if (one.id + other.id) % 3]
    rows = [{"user": one, "group": other, "role": f"r{one}", "level": other if one % 2 else None} for one, other in pairs]
    Membership.insert_many(rows).execute()
    if plain is not True:
        User.get_by_id(1).add_favourites([1, 2])
    return told(Membership)


def told(Membership: Any) -> Pairs:
    return {(each.user_id, each.group_id): (each.role, each.level) for each in Membership.select()}


def moved(database: Any, embed: bool, **options: Any) -> Report:
    """Move what models declare that say `embed`."""
    return update_associations(database, members(database, embed, made=False), embed=not embed, **options)


def arrays(database: Any) -> set[str]:
    return {name for table in ("user", "group") for each in database.documents()[table].find() for name in each} & {"groups", "users"}


# There and back


def test_links_move_into_a_collection(B: Any) -> None:
    """R17: no arrays, every link once in the collection with its attributes; other associations are untouched."""
    db = B._meta.database
    links = filled(db, True)
    plan = moved(db, False, dry_run=True)
    assert str(plan) == "User.groups, Group.users: 6 links from Group.users and User.groups to membership: to be moved."
    assert plan and plan.ok and arrays(db) == {"groups", "users"} and "membership" not in db.get_tables()
    done = moved(db, False)
    assert str(done) == "User.groups, Group.users: 6 links from Group.users and User.groups to membership: copied 6, removed 6." and done.ok
    again = moved(db, False)
    assert str(again) == "Nothing to do." and not again and again.ok
    User, Group, Membership = members(db, False)
    assert told(Membership) == links and arrays(db) == set() and len(docs(Membership)) == 6
    assert docs(Membership)[0].keys() - {"_id"} <= {"user_id", "group_id", "role", "level"}
    assert [each.id for each in User.get_by_id(1).get_favourites()] == [1, 2] and not check(db) and not sync(db).differences
    assert "user_groups_group" not in db.documents()["user"].index_information()


def test_and_back_into_the_documents(B: Any) -> None:
    """R18: arrays on both, the collection gone."""
    db = B._meta.database
    links = filled(db, False)
    assert moved(db, True).moves[0].copied == 6 and not moved(db, True)
    User, Group, Membership = members(db, True)
    assert told(Membership) == links and not wrong(Membership) and arrays(db) == {"groups", "users"}
    assert collections(User) == {"user", "group", "favourite_links"} and not check(db) and not sync(db).differences
    assert User.get_by_id(1).count_groups() == 2


def test_the_flag_is_for_associations_that_say_nothing(B: Any) -> None:
    """L3, R16: an association's own embed= wins."""
    db = B._meta.database
    User, Group, Membership = members(db, False, None)
    user = User.create()
    user.add_group(Group.create())
    user.add_favourite(1)
    activeassoc.settings.embed_associations = True
    try:
        models = members(db, False, None, made=False)
        report = update_associations(db, models, embed=True)
        assert [move.associations for move in report.moves] == [("User.favourites", "Group.fans")]
        assert docs(User) == [{"_id": 1, "favourites": [{"group": 1}]}] and docs(Group) == [{"_id": 1, "fans": [{"user": 1}]}]
        assert models[0].get_by_id(1).get_favourites() and models[0].get_by_id(1).get_groups()
    finally:
        activeassoc.settings.embed_associations = False
    assert update_associations(db, members(db, False, None, made=False), embed=False).moves[0].new == "favourite_links"
    assert docs(User) == [{"_id": 1}] and docs(Group) == [{"_id": 1}]


def test_friends_move(B: Any) -> None:
    """D7, L3: a link that is seen from both is one row, and an element in both documents."""
    db = B._meta.database

    def friends(embed: bool) -> Any:
        Base = base_on(db, __name__)

        class User(Base):
            pass

        User.belongs_to_many(User, as_="friends", symmetric=True, embed=embed)
        sync(db)
        return User

    User = friends(True)
    a, b, c = User.create(), User.create(), User.create()
    c.set_friends([a, b, c])
    assert str(update_associations(db, [friends(False)])) == (
        "User.friends: 3 links from User.friends to friends_users: copied 3, removed 3."
    )
    User = friends(False)
    assert [each.id for each in User.get_by_id(3).get_friends()] == [1, 2, 3] and docs(User) == [{"_id": 1}, {"_id": 2}, {"_id": 3}]
    db.documents()["friends_users"].delete_one({"user_id": 1, "friend_id": 3})
    db.documents()["friends_users"].insert_one({"user_id": 3, "friend_id": 1})  # by another program, the other way round
    assert update_associations(db, [friends(True)]).moves[0].removed == 3
    assert [each.id for each in friends(True).get_by_id(1).get_friends()] == [3] and collections(User) == {"user"}


def test_fields_that_no_model_knows_move_too(B: Any) -> None:
    """L3: a link is moved as it stands; an `_id` of an element's own, as rest-hapi writes it, is none of it."""
    db = B._meta.database
    filled(db, False)
    db.documents()["membership"].update_one({"user_id": 1, "group_id": 1}, {"$set": {"note": {"by": "x"}}})
    assert moved(db, True).ok
    for table, name in (("user", "groups"), ("group", "users")):
        db.documents()[table].update_one({"_id": 1}, {"$set": {f"{name}.0._id": bson.ObjectId()}})
    assert moved(db, False).ok
    row = db.documents()["membership"].find_one({"user_id": 1, "group_id": 1}, {"_id": 0})
    assert row == {"user_id": 1, "group_id": 1, "role": "r1", "level": 1, "note": {"by": "x"}}


def test_progress_is_told(B: Any) -> None:
    """L3: the association, the stage, how many links are done, and how many there are."""
    db = B._meta.database
    filled(db, True)
    seen: list[tuple[str, str, int, int]] = []
    moved(db, False, progress=lambda *each: seen.append(each))
    assert {association for association, *_ in seen} == {"User.groups"} and [stage for _, stage, *_ in seen if stage in STAGES][0] == "plan"
    assert list(dict.fromkeys(stage for _, stage, *_ in seen)) == ["plan", "compare", "copy", "remove"] and seen[-1][2:] == (6, 6)


# What is refused


def test_a_store_with_one_storage_is_refused(on: Any) -> None:
    """R18: on SQL databases and on Redis there is nothing to move."""
    for kind in ("sqlite", "redis"):
        db = on(kind)._meta.database
        with pytest.raises(WrongTarget) as raised:
            update_associations(db, [])
        assert str(raised.value).endswith(
            "): links move between a collection and the documents of both sides, and this store has tables alone. There is nothing to "
            "move: the links have a table."
        )


def test_within_a_transaction_it_is_refused(B: Any) -> None:
    """L3: links are moved in portions that are a transaction each."""
    db = B._meta.database
    with db.atomic(), pytest.raises(WrongArgument) as raised:
        update_associations(db, [])
    assert str(raised.value) == (
        f"update_associations({db.address}): a transaction is open, and links are moved in portions that are a transaction each. Call it "
        "outside of atomic()."
    )


# What differs


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"$set": {"groups.0.level": 7}}, "(1, 1) with other attributes in Group.users than in User.groups"),
        ({"$pop": {"groups": -1}}, "(1, 1) in Group.users, and not in User.groups"),
        ({"$push": {"groups": {"group": 2, "role": "x"}}}, "(2, 1) in User.groups, and not in Group.users"),
        ({"$push": {"groups": {"group": 9, "role": "x"}}}, "(9, 1) to a record that is gone"),
        ({"$push": {"groups": {"group": 1, "role": "r1", "level": 1}}}, "(1, 1) more than once in one document"),
        ({"$push": {"groups": 7}}, "(1, None) an element without a key"),
    ],
)
def test_sides_that_differ_are_listed_and_nothing_is_removed(B: Any, change: Any, text: str) -> None:
    """R18: listed, not ok, and both sides stay as they are."""
    db = B._meta.database
    filled(db, True)
    db.documents()["user"].update_one({"_id": 1}, change)
    before = [list(db.documents()[name].find()) for name in ("user", "group")]
    report = moved(db, False)
    assert not report.ok and report.moves[0].differences == (text,)
    first, *rest = str(report).splitlines()
    assert first.endswith(": not moved, as they differ. Nothing was removed.") and rest == [f"  {text}"]
    assert [list(db.documents()[name].find()) for name in ("user", "group")] == before and "membership" not in db.get_tables()
    if change.get("$push", {}).get("groups") != 7:
        members(db, True)
        assert check(db, fix=True).ok and moved(db, False).ok


def test_storages_that_differ_are_listed(B: Any) -> None:
    """L3: a link in both with other attributes, or to a record that is gone, or twice."""
    db = B._meta.database
    links = filled(db, False)
    db.documents()["user"].update_one({"_id": 1}, {"$push": {"groups": {"group": 1, "role": "other"}}})
    db.documents()["group"].update_one({"_id": 1}, {"$push": {"users": {"user": 1, "role": "other"}}})
    db.documents()["membership"].insert_many([{"user_id": 77, "group_id": 1}, {"user_id": 78}])
    assert moved(db, True).moves[0].differences == (
        f"(None, 78) a document without a key ({db.documents()['membership'].find_one({'user_id': 78})['_id']})",
        "(1, 1) with other attributes in membership than in Group.users and User.groups",
        "(1, 77) to a record that is gone",
        "(None, 78) to a record that is gone",
    )
    db.documents()["membership"].delete_many({"user_id": {"$gt": 70}})
    assert told(members(db, False)[2]) == links


# Stopped at any point


class Died(BaseException):
    """The process is gone."""


WRITES = (
    *((Collection, name) for name in ("bulk_write", "delete_one", "update_many", "create_index", "drop_index", "rename")),
    *((Database, name) for name in ("create_collection", "drop_collection")),
)


def dying(patch: pytest.MonkeyPatch, after: int) -> None:
    """Die before a write (the odd numbers), or right after it."""
    counted = itertools.count(1)

    def wrapped(real: Any) -> Any:
        def write(self: Any, *arguments: Any, **options: Any) -> Any:
            number = next(counted)
            if 2 * number - 1 == after:
                raise Died
            done = real(self, *arguments, **options)
            if 2 * number == after:
                raise Died
            return done

        return write

    for kind, name in WRITES:
        patch.setattr(kind, name, wrapped(getattr(kind, name)))


@pytest.mark.parametrize("embed", [True, False], ids=["into documents", "into a collection"])
@pytest.mark.parametrize("transactions", [True, False], ids=["replica set", "alone"])
def test_it_may_die_at_every_write_and_be_run_again(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, embed: bool, transactions: bool
) -> None:
    """R18, L3: no link and no attribute is lost, and the second run ends it."""
    database = request.getfixturevalue("B" if transactions else "alone")._meta.database
    monkeypatch.setattr(moving, "PAGE", 1)
    links = filled(database, not embed, 2, 2, True)
    assert len(links) == 2
    models = {each: members(database, each, True, made=False) for each in (True, False)}
    raw = database.documents()
    snapshot = {}
    for name in raw.list_collection_names():
        snapshot[name] = list(raw[name].find())
    assert all(snapshot.values())
    for after in range(1, 200):
        for name in ("membership", "membership__moved"):
            raw.drop_collection(name)
        for name, held in snapshot.items():
            raw[name].delete_many({})
            raw[name].insert_many(held)
        with monkeypatch.context() as patch:
            dying(patch, after)
            try:
                update_associations(database, models[embed])
                died = False
            except Died:
                died = True
        report = update_associations(database, models[embed])
        assert report.ok, (after, str(report))
        assert told(models[embed][2]) == links and not update_associations(database, models[embed]), after
        if embed:
            assert not wrong(models[True][2]) and "membership" not in database.get_tables(), after
        else:
            assert arrays(database) == set(), after
        if not died:
            break
    assert after > 10


LINKS = """
import sys
from peewee import CharField, IntegerField
from activeassoc import Model, connect, moving
db = connect(sys.argv[1])
embed = sys.argv[2] == "True"
class Base(Model):
    class Meta:
        database = db
class Membership(Base):
    role = CharField(default="member")
    level = IntegerField(null=True)
class User(Base):
    email = CharField(null=True)
class Group(Base):
    name = CharField(null=True)
User.belongs_to_many(Group, through=Membership, embed=embed)
Group.belongs_to_many(User, through=Membership, embed=embed)
moving.PAGE = 5
print("go", flush=True)
report = moving.update_associations(db, [User, Group])
print(report)
sys.exit(0 if report.ok else 1)
"""


def test_a_process_that_is_killed_loses_nothing(B: Any, python: Any) -> None:
    """R18: SIGKILL in the middle of it, and run again."""
    db = B._meta.database
    links = filled(db, False, 30, 20)
    process = python.start(LINKS, url_of(db), True)
    assert process.stdout.readline() == "go\n"
    time.sleep(0.1)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL and moved(db, True).ok
    assert told(members(db, True)[2]) == links and not moved(db, True)


def test_what_arrives_meanwhile_is_copied_before_it_is_removed(B: Any) -> None:
    """L3: other writers in the old storage."""
    db = B._meta.database
    filled(db, False, 6, 6)
    User, Group, Membership = members(db, False)
    raw, added = db.documents(), []

    def arrives(association: str, stage: str, done: int, total: int) -> None:
        if stage in ("copy", "remove") and len(added) < 8:
            user = User.create(email="late").id
            raw["membership"].insert_one({"user_id": user, "group_id": 1 + len(added) % 6, "role": f"late{len(added)}"})
            added.append((user, 1 + len(added) % 6))

    report = moved(db, True, progress=arrives)
    assert report.ok, str(report)
    assert not moved(db, True)
    links = told(members(db, True)[2])
    assert added and set(added) <= set(links) and [links[pair][0] for pair in added] == [f"late{number}" for number in range(len(added))]


# The command


MODULE = """
from peewee import CharField
from activeassoc import Model

class User(Model):
    email = CharField(null=True)

class Group(Model):
    name = CharField(null=True)

class Membership(Model):
    role = CharField(default="member")

User.belongs_to_many(Group, through=Membership, embed=False)
Group.belongs_to_many(User, through=Membership, embed=False)
User.belongs_to_many(Group, as_="favourites", through="favourite_links")
Group.belongs_to_many(User, as_="fans", through="favourite_links")
"""


def test_the_command(B: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """R16, R17, L3: the plan in a process of its own; what differs; done; nothing to do."""
    testing = pytest.importorskip("typer.testing")
    from activeassoc.cli.app import app

    db = B._meta.database
    User, Group, _ = members(db, True, True)
    User.create().add_group(Group.create(), {"role": "owner"})
    for name in ("models.py", "moved_here.py"):  # (other tests leave modules called models in this process)
        (tmp_path / name).write_text(MODULE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)

    def run(*words: str, models: str = "moved_here") -> tuple[int, str]:
        sys.modules.pop("moved_here", None)
        result = testing.CliRunner().invoke(app, ["update-associations", url_of(db), models, *words])
        return result.exit_code, result.output.strip()

    links = "User.groups, Group.users: 1 link from Group.users and User.groups to membership"
    environment = {**os.environ, "PYTHONPATH": str(Path(activeassoc.__file__).parents[1])}
    command = [sys.executable, "-m", "activeassoc", "update-associations", url_of(db), "--embed", "--dry-run"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == f"{links}: to be moved." and arrays(db) == {"groups", "users"}
    db.documents()["user"].update_one({}, {"$set": {"groups.0.role": "guest"}})
    code, told = run("--embed", "--json")
    assert code == 1, told
    assert json.loads(told)["moves"][0]["differences"] == ["(1, 1) with other attributes in Group.users than in User.groups"]
    db.documents()["user"].update_one({}, {"$set": {"groups.0.role": "owner"}})
    assert run("--embed") == (0, f"{links}: copied 1, removed 1.")
    assert run("--embed", models="moved_here.py") == (0, "Nothing to do.") and arrays(db) == set()
    assert not activeassoc.settings.embed_associations
    assert [{name: row[name] for name in row if name != "_id"} for row in db.documents()["membership"].find()] == [
        {"user_id": 1, "group_id": 1, "role": "owner"}
    ]
    sys.modules.pop("moved_here", None)


def url_of(db: Any) -> str:
    return f"{db._url.rpartition('/')[0]}/{db.database}" if db.database not in db._url else str(db._url)


def test_a_transaction_of_another_program_is_told(B: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """L3: as one that was killed leaves it on the server; nothing is lost, and later it goes through."""
    monkeypatch.setattr("activeassoc.stores.mongo._PATIENCE", 0.2)
    db = B._meta.database
    links = filled(db, True, plain=True)
    with db.client().start_session() as session, session.start_transaction():
        db.documents()["user"].update_one({"_id": 1}, {"$set": {"email": "x"}}, session=session)
        with pytest.raises(TransactionAborted) as raised:
            update_associations(db, members(db, False, True, made=False))
        session.abort_transaction()
    assert str(raised.value) == (
        "moving the links of User.groups, Group.users from Group.users and User.groups to membership: a transaction of another program has "
        "written documents of theirs, and has not ended; it may be one that was killed. Stop that program and call it again, nothing is "
        "lost; of a killed one MongoDB ends the transaction after a minute."
    )
    assert update_associations(db, members(db, False, True, made=False)).ok
    assert told(members(db, False, True, made=False)[2]) == links


def test_no_models_are_not_all_models(B: Any) -> None:
    """L3: what somebody else has declared and cannot be is not looked at."""

    class Stray(base_on(B._meta.database, f"{__name__}.elsewhere")):
        pass

    Stray.belongs_to("Nobody")
    assert str(update_associations(B._meta.database, [])) == "Nothing to do."
