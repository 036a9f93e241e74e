"""Saving what collections have queued, in several stores: a commit that fails, and writers that meet."""

from __future__ import annotations

from typing import Any

import peewee
import pytest
from accessing import refuse_value
from looking import together
from peewee import CharField

from activeassoc import sync
from activeassoc.errors import LinksNotSaved
from activeassoc.stores.subqueries import place_of

ROUNDS = 3


def groups(near: Any, far: Any) -> tuple[Any, Any]:
    """User and Group on these bases, the links with the users where that is another database; Ann has the key 1."""
    User = type(near)("User", (near,), {"name": CharField(null=True), "__module__": __name__})
    Group = type(far)("Group", (far,), {"name": CharField(null=True), "__module__": __name__})
    Group.belongs_to(User, as_="owner")
    User.has_many(Group, as_="owned", foreign_key="owner_id")
    User.belongs_to_many(Group, through="memberships", dominant=True)
    Group.belongs_to_many(User, through="memberships")
    sync(near, far)
    User.create(name="Ann")
    return User, Group


def fail_at_commit(User: Any) -> Any:
    """The database of the users refuses to commit links; returns what lets it again."""
    db, table = User._meta.database, User.groups.through._meta.table_name
    db.execute_sql('CREATE TABLE late (id INTEGER REFERENCES "user" (id) DEFERRABLE INITIALLY DEFERRED)')
    db.execute_sql(f'CREATE TRIGGER late AFTER INSERT ON "{table}" BEGIN INSERT INTO late VALUES (99); END')
    return lambda: db.execute_sql("DROP TRIGGER late")


def test_the_commit_of_the_links_fails(on: Any) -> None:
    """F7, H6: the groups are committed before their links; the error tells it, and saving again makes the links and no group twice."""
    User, Group = groups(on("sqlite"), on("sqlite"))
    mend = fail_at_commit(User)
    ann, new, old = User.get_by_id(1), Group(name="new"), Group.create(name="old")
    ann.name = "Anna"
    ann.owned.add({"name": "owned"})
    ann.groups.add([new, {"name": "made"}, old.id])
    with pytest.raises(LinksNotSaved) as caught:
        ann.save()
    place = place_of(Group._meta.database)
    assert str(caught.value) == (
        f"User.save() with what its collections have queued: 1 of it failed, and what was written in {place} stays: "
        f"User.groups.add([{new!r}, {ann.groups.pending.added[1]!r}, {old.id}]): IntegrityError: FOREIGN KEY constraint failed. "
        "The queue is kept: mend what failed, or take it back, and save again."
    )
    assert isinstance(caught.value.__cause__, peewee.IntegrityError)
    assert [each.collection for each in caught.value.failed] == ["User.groups"]
    assert User.get_by_id(1).name == "Ann" and ann.name == "Anna" and "name" in ann.dirty_field_names
    assert sorted(each.name for each in Group.select()) == ["made", "new", "old", "owned"] and not ann.owned.pending
    assert new.id is not None and not User._meta.database.in_transaction() and not Group._meta.database.in_transaction()
    mend()
    ann.save()
    assert sorted(each.name for each in ann.get_groups()) == ["made", "new", "old"] and Group.select().count() == 4
    assert User.get_by_id(1).name == "Anna" and not ann.groups.pending and [each.name for each in ann.get_owned()] == ["owned"]


def test_the_only_commit_fails(on: Any) -> None:
    """F7: in one database nothing is written, memory is what it was, and the queue is kept."""
    base = on("sqlite")
    User, Group = groups(base, base)
    mend = fail_at_commit(User)
    bob = User(name="Bob")
    bob.groups.add([Group(name="new"), {"name": "made"}])
    with pytest.raises(LinksNotSaved, match="and nothing was written"):
        bob.save()
    assert bob.id is None and Group.select().count() == 0 and User.select().count() == 1 and len(bob.groups.pending) == 2
    mend()
    bob.save()
    assert sorted(each.name for each in bob.get_groups()) == ["made", "new"]


@pytest.mark.parametrize("kind", ["mongodb", "redis", "sqlite", "postgresql"])
def test_writers_that_meet(on: Any, kind: str) -> None:
    """C16: records whose queues name the same links, and calls for several owners, all succeed, and each link exists once."""
    base = on(kind)
    User, Group = groups(base, base)
    for _ in range(ROUNDS):
        one, other = User.create(name="x"), Group.create(name="y")
        one.groups.add(other.id)
        other.users.add(one.id)
        calls = [one.save, other.save, *[lambda o=one, t=other: User.add_to_collection([1, o.id], "groups", iter([t.id]))] * 2]
        results = together(base._meta.database, *calls)
        assert not any(isinstance(each, Exception) for each in results), results
        assert one.reload().get_groups() == [other] and [user.id for user in other.get_users()] == [1, one.id]
        assert not one.groups.pending and not other.users.pending


def test_a_record_that_was_made_and_not_linked(on: Any) -> None:
    """F7, H6: its row stays in a store without transactions, so that saving again links it, and makes no second one."""
    User, Group = groups(on("sqlite"), on("redis"))
    refuse_value(User._meta.database, User.groups.through._meta.table_name, "user_id", 1, "INSERT")
    ann = User.get_by_id(1)
    ann.groups.add([{"name": "a"}, {"name": "b"}])
    with pytest.raises(LinksNotSaved, match="Group 1 in"):
        ann.save()
    assert Group.select().count() == 2 and ann.groups.pending.added == [1, 2]
    User._meta.database.execute_sql("DROP TRIGGER refuse_INSERT")
    ann.save()
    assert sorted(each.name for each in ann.get_groups()) == ["a", "b"] and Group.select().count() == 2 and not ann.groups.pending
