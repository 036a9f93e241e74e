"""Writes in two stores of which one refuses or stops between them: what can be taken back is, and the error tells the rest."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import peewee
import pytest
from accessing import refuse_value
from peewee import CharField
from redis_server import RedisServer

import activeassoc
from activeassoc import sync
from activeassoc.associations.stages import place
from activeassoc.errors import LinksNotSaved, PartialWriteError


def groups(near: Any, far: Any) -> tuple[Any, Any]:
    """User and Group on these bases, the links with the users; Ann has the key 1."""
    User = type(near)("User", (near,), {"name": CharField(null=True), "__module__": __name__})
    Group = type(far)("Group", (far,), {"name": CharField(null=True), "__module__": __name__})
    User.belongs_to_many(Group, dominant=True)
    Group.belongs_to_many(User)
    Group.belongs_to(User, as_="owner")
    sync(near, far)
    User.create(name="Ann")
    return User, Group


def refuse_links(User: Any, key: int = 1) -> None:
    link = User.groups.through
    refuse_value(link._meta.database, link._meta.table_name, "user_id", key, "INSERT")


def test_two_stores_with_transactions(on: Any) -> None:
    """C3, H6: the links are refused, and nothing is written anywhere, nor left in memory."""
    User, Group = groups(on("sqlite"), on("sqlite"))
    refuse_links(User)
    ann, new = User.get_by_id(1), Group(name="new")
    for write in (lambda: ann.add_group(new), lambda: ann.set_groups([new]), lambda: ann.create_group(name="made")):
        with pytest.raises(peewee.IntegrityError, match="refused"):
            write()
        assert Group.select().count() == 0 and new.id is None and new.save and not new.__dict__.get("_stored")
    ann.groups.add([new, {"name": "made"}])
    with pytest.raises(LinksNotSaved, match="and nothing was written"):
        ann.save()
    assert Group.select().count() == 0 and len(ann.groups.pending) == 2
    ann.groups.pending.clear()


def test_a_target_that_cannot_be_taken_back(on: Any) -> None:
    """H6: the links are refused, the group stays in a store without transactions: the error tells it, and memory knows it."""
    User, Group = groups(on("sqlite"), on("redis"))
    refuse_links(User)
    ann, new = User.get_by_id(1), Group(name="new")
    with pytest.raises(PartialWriteError) as caught:
        ann.add_group(new)
    assert str(caught.value) == (
        f"User.add_group(): IntegrityError: refused; Group 1 in {place(Group)} was written before, and stays. "
        "Look whether it is wanted: link it, or delete it."
    )
    assert caught.value.written == [f"Group 1 in {place(Group)}"] and isinstance(caught.value.__cause__, peewee.IntegrityError)
    assert new.id == 1 and Group.get_by_id(1) == new
    User._meta.database.execute_sql("DROP TRIGGER refuse_INSERT")
    assert ann.add_group(new) == 1 and ann.get_groups() == [new] and Group.select().count() == 1
    refuse_links(User)
    with pytest.raises(PartialWriteError) as caught:
        ann.create_groups([{"name": "a"}, {"name": "b"}])
    assert caught.value.written == [f"Group 2 in {place(Group)}", f"Group 3 in {place(Group)}"]


def test_the_key_is_refused(on: Any) -> None:
    """H6: a record was made for a belongs_to, and the key cannot be written."""
    near, far = on("redis"), on("sqlite")
    User, Group = groups(near, far)
    red = Group.create(name="red")
    refuse_value(Group._meta.database, "group", "owner_id", 2)
    with pytest.raises(PartialWriteError) as caught:
        red.create_owner(name="Bob")
    assert caught.value.written == [f"User 2 in {place(User)}"] and Group.get_by_id(red.id).owner_id is None
    refuse_value(Group._meta.database, "group", "owner_id", 3, "INSERT")
    cid = User(name="Cid")
    Group._meta.database.execute_sql("DROP TRIGGER refuse_UPDATE")
    refuse_value(Group._meta.database, "group", "owner_id", 3)
    with pytest.raises(PartialWriteError):
        red.set_owner(cid)
    assert cid.id == 3 and User.get_by_id(3) == cid and red.owner_id is None


def test_the_commit_of_the_links_fails(on: Any) -> None:
    """H6: targets are committed before their links; where these cannot be, the error tells that those are."""
    User, Group = groups(on("sqlite"), on("sqlite"))
    db, table = User._meta.database, User.groups.through._meta.table_name
    db.execute_sql('CREATE TABLE late (id INTEGER REFERENCES "user" (id) DEFERRABLE INITIALLY DEFERRED)')
    db.execute_sql(f'CREATE TRIGGER late AFTER INSERT ON "{table}" BEGIN INSERT INTO late VALUES (99); END')
    ann, new = User.get_by_id(1), Group(name="new")
    with pytest.raises(PartialWriteError) as caught:
        ann.add_group(new)
    assert caught.value.written == [f"Group 1 in {place(Group)}"] and Group.get_by_id(1) == new
    assert User.groups.through.select().count() == 0 and not db.in_transaction() and not Group._meta.database.in_transaction()


def test_the_store_of_the_links_stops(on: Any, tmp_path: Path) -> None:
    """H6: between the two writes the store of the links stops; it comes back, and the link is made by calling again."""
    server = RedisServer(tmp_path)
    try:
        db = activeassoc.connect(server.url)
        meta = type("Meta", (), {"database": db})
        near = type(activeassoc.Model)("Base", (activeassoc.Model,), {"Meta": meta, "__module__": __name__})
        User, Group = groups(near, on("sqlite"))
        ann, new = User.get_by_id(1), Group(name="new")

        def stop(event: Any) -> None:
            if event.sql.startswith("INSERT"):
                server.stop()

        Group._meta.database.query_hooks = [stop]
        with pytest.raises(PartialWriteError) as caught:
            ann.add_group(new)
        Group._meta.database.query_hooks = []
        assert caught.value.written == [f"Group 1 in {place(Group)}"] and isinstance(caught.value.__cause__, peewee.OperationalError)
        assert new.id == 1 and Group.select().count() == 1
        server.start()
        sync(db)  # it keeps nothing on a disk
        User.create(id=1, name="Ann")
        assert ann.add_group(new) == 1 and ann.get_groups() == [new]
        db.close()
        db.dispose()
    finally:
        server.stop()


def test_saving_what_is_queued_in_steps(on: Any) -> None:
    """F7, H6: without a transaction over all, what was written is no longer queued, and the error tells that it stays."""
    near = on("redis")
    User, Group = groups(near, on("sqlite"))
    red = Group.create(name="red")
    ann = User.get_by_id(1)
    ann.name = "Anna"
    ann.groups.add([red, 999])
    with pytest.raises(LinksNotSaved) as caught:
        ann.save()
    assert str(caught.value) == (
        "User.save() with what its collections have queued: 1 of it failed, and the User and the rest were written, and stay: "
        "User.groups.add(999): Group has no row with the primary key 999. "
        "The queue is kept: mend what failed, or take it back, and save again."
    )
    assert User.get_by_id(1).name == "Anna" and ann.groups.pending.added == [999]
    Group.create(id=999)
    ann.groups.add(red)
    ann.save()
    assert sorted(each.id for each in ann.get_groups()) == [red.id, 999] and not ann.groups.pending


def test_a_store_that_refuses_writes(on: Any) -> None:
    """H2, W25: all that concerns links works while the store without them is read-only."""
    User, Group = groups(on("sqlite"), on("sqlite"))
    Group.insert_many([{"name": name} for name in "xyz"]).execute()
    Group._meta.database.execute_sql("PRAGMA query_only=1")
    ann = User.get_by_id(1)
    ann.add_groups([1, 2])
    ann.set_groups([2, 3])
    ann.groups.remove(3)
    ann.save()
    User.add_to_collection(1, "groups", [1])
    Group.get_by_id(3).add_user(ann)
    assert [each.name for each in ann.get_groups()] == ["x", "y", "z"] and ann.remove_group(1) == 1
    assert [len(each.users) for each in Group.select().populate("users")] == [0, 1, 1] and not sync(User._meta.database)


def test_collections_of_several_owners(on: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """F9, H6: where nothing can be taken back, the error tells whose collections are written."""
    User, Group = groups(on("redis"), on("sqlite"))
    ann, bob, red = User.get_by_id(1), User.create(name="Bob"), Group.create(name="red")
    link, insert = User.groups.through, User.groups.through.insert_many

    def refusing(rows: Any, fields: Any = None) -> Any:
        if rows[0][link.user] == bob.id:
            raise peewee.IntegrityError("refused")
        return insert(rows, fields)

    monkeypatch.setattr(link, "insert_many", refusing)
    with pytest.raises(PartialWriteError) as caught:
        User.add_to_collection([ann, bob], "groups", [red])
    assert str(caught.value) == (
        "User.add_to_collection(…, 'groups', …): IntegrityError: refused; groups of User 1 were written before, and stay so. "
        "Mend what failed, and call it again."
    )
    assert ann.get_groups() == [red] and bob.get_groups() == [] and caught.value.written == ["User 1"]
    monkeypatch.undo()
    assert User.add_to_collection([ann, bob], "groups", [red]) == 1


def test_the_reason_names_what_was_refused(on: Any) -> None:
    """H6, M1: what another part of the call refused is named with its model and value, and the databases by their URLs."""
    base = on("redis")
    Group = type(base)("Group", (base,), {"name": CharField(unique=True), "__module__": __name__})
    User = type(base)("User", (base,), {"__module__": __name__})
    User.belongs_to_many(Group)
    sync(base._meta.database)
    ann = User.create()
    with pytest.raises(PartialWriteError) as caught:
        ann.create_groups([{"name": "same"}, {"name": "same"}])
    text = str(caught.value)
    reason = "insert of Group with the name 'same': there is a row with this value already"
    assert text.startswith(f"User.create_groups(): {reason}; Group 1 in redis://")
    assert text.endswith(" was written before, and stays. Look whether it is wanted: link it, or delete it.") and "?prefix=" in text
