"""delete_instance where no constraint can hold the rules: across databases, in stores that have none, and where it was left out."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import peewee
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from peewee import CharField, ForeignKeyField, IntegerField

import activeassoc
from activeassoc import (
    AssociationError,
    ConnectError,
    DeleteRefused,
    Model,
    PartialWriteError,
    ReferenceField,
    check,
    connect,
    delete_plan,
    sync,
)
from activeassoc.stores.sql import store_of
from activeassoc.testing import assert_queries


def named(base: Any, *names: str) -> Any:
    """Models of these names on the database of `base`, each with one text column."""
    made = [type(base)(name, (base,), {"title": CharField(null=True), "__module__": __name__, "__qualname__": name}) for name in names]
    return made[0] if len(made) == 1 else made


def titles(model: Any) -> list[str]:
    return sorted(record.title for record in model.select())


def holds_constraints(*bases: Any) -> bool:
    """Whether keys between models of these bases are constraints in the database."""
    databases = {id(base._meta.database) for base in bases}
    return len(databases) == 1 and store_of(bases[0]._meta.database).constraints


# The rules


def album(Near: Any, Far: Any, **options: Any) -> tuple[Any, Any, Any, Any]:
    """Ann with two photos, Bob with one, and one that is nobody's."""
    User, Photo = named(Near, "User"), named(Far, "Photo")
    User.has_many(Photo, **options)
    sync(User, Photo)
    ann, bob = User.create(title="ann"), User.create(title="bob")
    for title, owner in (("a1", ann), ("a2", ann), ("b1", bob)):
        Photo.create(title=title, user=owner)
    return User, Photo, ann, bob


@pytest.mark.every_pair
def test_cascade(Near: Any, Far: Any) -> None:
    """H1: ON DELETE CASCADE is carried out in code; others' records stay. Two statements."""
    User, Photo, ann, bob = album(Near, Far, on_delete="CASCADE")
    with assert_queries(2):
        assert ann.delete_instance() == 1
    assert (titles(User), titles(Photo)) == (["bob"], ["b1"])


def test_set_null(Near: Any, Far: Any) -> None:
    """H1, E1: without a rule a key that may be NULL is cleared. Two statements."""
    User, Photo, ann, bob = album(Near, Far)
    with assert_queries(2):
        assert ann.delete_instance() == 1
    assert titles(User) == ["bob"]
    assert {photo.title: photo.user_id for photo in Photo.select()} == {"a1": None, "a2": None, "b1": bob.id}


@pytest.mark.parametrize("options", [{"null": False}, {"on_delete": "RESTRICT"}, {"on_delete": "no action"}], ids=str)
def test_refused(Near: Any, Far: Any, options: dict[str, Any]) -> None:
    """H1, E1, M1: RESTRICT and NO ACTION, the rule of a NOT NULL key, refuse before anything is written."""
    User, Photo, ann, bob = album(Near, Far, **options)
    if "null" in options:
        Photo.delete().where(Photo.user.is_null()).execute()
    rule = options.get("on_delete", "NO ACTION").upper()
    with pytest.raises(peewee.IntegrityError) as raised:
        ann.delete_instance()
    error: Any = raised.value
    assert isinstance(error, DeleteRefused) and isinstance(error, AssociationError)
    assert str(error) == (
        f"User.delete_instance() of {ann.id}: 2 rows of Photo (1, 2) still refer to it by Photo.user, whose rule is {rule}. "
        'Delete them first, or declare the key with on_delete="CASCADE".'
    )
    assert (error.model, error.key, error.keys, error.count) == (Photo, "user", [1, 2], 2)
    assert (titles(User), titles(Photo)) == (["ann", "bob"], ["a1", "a2", "b1"])
    Photo.delete().where(Photo.user == ann).execute()
    with assert_queries(2):
        assert ann.delete_instance() == 1


def test_set_default(Near: Any, Far: Any) -> None:
    """H1: SET DEFAULT gives the key its default, and refuses where no such record is there or where it goes itself."""
    User = named(Near, "User")

    class Photo(Far):
        title = CharField()
        user = ForeignKeyField(User, on_delete="SET DEFAULT", default=2, backref="+")

    sync(User, Photo)
    ann = User.create(title="ann")
    photo = Photo.create(title="p", user=ann)
    asked = "User.delete_instance() of 1: Photo.user would be set to its default 2, and "
    instead = ". Create it first, or declare the key with another on_delete."
    with pytest.raises(DeleteRefused) as raised:
        ann.delete_instance()
    assert str(raised.value) == f"{asked}there is no such User{instead}"
    bob = User.create(title="bob")
    assert ann.delete_instance() == 1
    assert photo.reload().user == bob
    with pytest.raises(DeleteRefused) as raised:
        bob.delete_instance()
    assert str(raised.value) == f"{asked.replace('of 1', 'of 2')}that User goes too{instead}"


def test_key_that_cannot_be_cleared(on: Callable[[str], Any]) -> None:
    """H1, M1: SET NULL on a NOT NULL key, which a field written by hand can say, refuses."""
    User = named(on("sqlite"), "User")

    class Photo(on("sqlite")):
        user = ForeignKeyField(User, on_delete="SET NULL", backref="+")

    sync(User, Photo)
    ann = User.create()
    Photo.create(user=ann)
    with pytest.raises(DeleteRefused) as raised:
        ann.delete_instance()
    assert str(raised.value) == (
        "User.delete_instance() of 1: 1 row of Photo (1) still refers to it by Photo.user, which may not be NULL. "
        'Delete it first, or declare the key with on_delete="CASCADE".'
    )


# How far it leads


def test_deep(Near: Any, Far: Any) -> None:
    """H1: a cascade leads from one database to the other and back, and on from there; what is not reached stays."""
    User, Comment, Reply = named(Near, "User", "Comment", "Reply")
    Photo = named(Far, "Photo")
    User.has_many(Photo, on_delete="CASCADE")
    Photo.has_many(Comment, on_delete="CASCADE")
    Comment.has_many(Reply, on_delete="CASCADE")
    sync(User, Photo, Comment, Reply)
    for name in ("ann", "bob"):
        photo = User.create(title=name).create_photo(title=name)
        for number in (1, 2):
            photo.create_comment(title=f"{name}{number}").create_reply(title=f"{name}{number}")
    User.get(User.title == "ann").delete_instance()
    assert titles(User) == titles(Photo) == ["bob"]
    assert titles(Comment) == titles(Reply) == ["bob1", "bob2"]


def test_constraint_that_leads_away(Near: Any, Far: Any) -> None:
    """H1: a cascade that the database carries out is followed to keys in another one."""
    User, Album = named(Near, "User", "Album")
    Photo = named(Far, "Photo")
    User.has_many(Album, on_delete="CASCADE")
    Album.has_many(Photo, on_delete="CASCADE")
    sync(User, Album, Photo)
    for name in ("ann", "bob"):
        User.create(title=name).create_album(title=name).create_photo(title=name)
    # The albums are read, as their photos have to be known; then photos, albums where there is no constraint, and the user.
    with assert_queries(3 if holds_constraints(Near) else 4):
        User(id=1).delete_instance()
    assert titles(User) == titles(Album) == titles(Photo) == ["bob"]


def test_refused_at_the_end(Near: Any, Far: Any) -> None:
    """H1, H6: a row in the way, however far, refuses before anything is written, also where a constraint would do it too late."""
    User, Order = named(Near, "User", "Order")
    Photo = named(Far, "Photo")
    User.has_many(Photo, on_delete="CASCADE")
    User.has_many(Order, null=False)
    sync(User, Order, Photo)
    ann = User.create(title="ann")
    ann.create_photo(title="p")
    order = ann.create_order(title="o")
    with pytest.raises(DeleteRefused, match=r"1 row of Order \(1\) still refers to it by Order.user, whose rule is NO ACTION"):
        ann.delete_instance()
    assert titles(Photo) == ["p"]
    order.delete_instance()
    ann.delete_instance()
    assert titles(User) == titles(Photo) == []


def test_circle(Near: Any, Far: Any) -> None:
    """H1: keys in a circle end where no new row comes, and a row that goes too is not in the way."""
    User, Photo = named(Near, "User"), named(Far, "Photo")
    User.has_many(Photo, foreign_key="user_id", on_delete="CASCADE")
    Photo.has_many(User, as_="fans", foreign_key="favourite_id", on_delete="CASCADE")
    Photo.belongs_to(User, as_="painter", on_delete="NO ACTION")
    sync(User, Photo)
    ann, bob, eve = (User.create(title=title) for title in ("ann", "bob", "eve"))
    photo = ann.create_photo(title="p", painter=bob)
    for fan in (ann, bob):
        fan.favourite = photo
        fan.save()
    eve.create_photo(title="q", painter=eve)
    ann.delete_instance()
    assert (titles(User), titles(Photo)) == (["eve"], ["q"])


@pytest.mark.every_store
def test_tree(db: Any, Base: Any) -> None:
    """H1: a tree goes with its root; where the store has no constraints, one SELECT for each level."""
    Folder = named(Base, "Folder")
    Folder.has_many("self", as_="folders", foreign_key="parent_id", through=None, on_delete="CASCADE")
    sync(db)
    root = above = Folder.create(title="0")
    for level in range(1, 5):
        below = above.create_folders([{"title": f"{level}"}, {"title": f"{level}'"}])
        above = below[0]
    Folder.create(title="other").create_folder(title="child")
    with assert_queries(1 if store_of(db).constraints else 5 + 2):
        root.delete_instance()
    assert titles(Folder) == ["child", "other"]


def test_many_keys(on: Callable[[str], Any]) -> None:
    """H5: keys go in portions that the database accepts."""
    Near, Far = on("sqlite"), on("sqlite")
    for base in (Near, Far):
        base._meta.database.capabilities = replace(store_of(base._meta.database), keys_per_statement=10)
    User, Comment = named(Near, "User", "Comment")
    Photo = named(Far, "Photo")
    User.has_many(Photo, on_delete="CASCADE")
    Photo.has_many(Comment, on_delete="CASCADE")
    sync(User, Photo, Comment)
    ann = User.create(title="ann")
    Photo.insert_many([{"user": ann} for _ in range(35)]).execute()
    Comment.insert_many([{"photo": number % 35 + 1} for number in range(70)]).execute()
    with assert_queries(1 + 4 + 4 + 1):
        ann.delete_instance()
    assert (Photo.select().count(), Comment.select().count()) == (0, 0)


def test_other_columns(Near: Any, Far: Any) -> None:
    """H1, A15: keys that refer to another unique column; what the row holds counts, not what the instance was changed to."""

    class User(Near):
        email = CharField(unique=True)

    Photo = named(Far, "Photo")
    User.has_many(Photo, foreign_key="owner_email", source_key="email", on_delete="CASCADE")
    sync(User, Photo)
    ann = User.create(email="ann")
    ann.create_photo(title="a")
    User.create(email="bob").create_photo(title="b")
    ann.email = "bob"
    ann.delete_instance()
    assert titles(Photo) == ["b"]


def test_key_forms(Near: Any, Far: Any) -> None:
    """H4: "7" is 7 where the key is a text and what it refers to a number."""
    User = named(Near, "User")

    class Photo(Far):
        title = CharField()
        user_key = CharField(null=True)

    User.has_many(Photo, foreign_key="user_key", on_delete="CASCADE")
    Comment = named(Near, "Comment")
    Photo.has_many(Comment, on_delete="CASCADE")
    sync(User, Photo, Comment)
    User.create(id=7)
    for key in ("7", "77", "x", None):
        Photo.create(title=str(key), user_key=key)
    Comment.create(title="c", photo=1)
    plan = delete_plan(User(id=7))
    assert plan.rows == 3
    User(id=7).delete_instance()
    assert titles(Photo) == ["77", "None", "x"]
    assert titles(Comment) == []


@pytest.mark.parametrize(
    ("home", "key", "values"),
    [
        ("sqlite", lambda: peewee.UUIDField(primary_key=True), [uuid.UUID(int=1), uuid.UUID(int=2)]),
        ("postgresql", lambda: CharField(primary_key=True), ["ann's", "bob:"]),
        ("mongodb", lambda: activeassoc.ObjectIdField(primary_key=True), ["6541d2c8a1b2c3d4e5f60001", "6541d2c8a1b2c3d4e5f60002"]),
        ("redis", lambda: peewee.UUIDField(primary_key=True), [uuid.UUID(int=1), uuid.UUID(int=2)]),
    ],
    ids=["uuid", "text", "object id", "uuid in redis"],
)
@pytest.mark.parametrize("away", ["sqlite", "mariadb", "mongodb", "redis"])
def test_kinds_of_keys(on: Callable[[str], Any], home: str, key: Callable[[], Any], values: list[Any], away: str) -> None:
    """H4: keys of every type are followed, planned and checked, wherever they stand."""
    Near, Far = on(home), on(away)
    User = type(Near)("User", (Near,), {"id": key(), "__module__": __name__})
    Photo = named(Far, "Photo")
    User.has_many(Photo, on_delete="CASCADE")
    sync(User, Photo)
    ann, bob = (User.create(id=value) for value in values)
    for user in (ann, bob, bob):
        user.create_photo(title=str(user.id))
    assert check(User, Photo).ok
    assert delete_plan(ann).rows == 2
    ann.delete_instance()
    assert titles(Photo) == [str(bob.id)] * 2
    User.delete().execute()
    report = check(User, Photo, fix=True)
    assert [(each.kind, each.count) for each in report.mended] == [("dangling key", 2)]
    assert [photo.user_id for photo in Photo.select()] == [None, None]


def test_absent_store(on: Callable[[str], Any]) -> None:
    """H6, J6: where the other database does not answer its error is raised, and nothing is deleted."""
    User = named(on("sqlite"), "User")

    class Photo(Model):
        class Meta:
            database = connect("redis://127.0.0.1:1/0")

    User.has_many(Photo)
    sync(User)
    ann = User.create(title="ann")
    for call in (ann.delete_instance, lambda: delete_plan(ann)):
        with pytest.raises(ConnectError):
            call()
    assert titles(User) == ["ann"]


def test_links(on: Callable[[str], Any]) -> None:
    """H1, D2: the links of a deleted record go, those of a through model in a third database; the records at the other end stay."""
    User, Project = named(on("sqlite"), "User"), named(on("sqlite"), "Project")

    class Membership(on("sqlite")):
        user = ForeignKeyField(User, on_delete="CASCADE", backref="+")
        project = ForeignKeyField(Project, on_delete="CASCADE", backref="+")

    sync(User, Project, Membership)
    ann, bob, apollo = User.create(title="ann"), User.create(title="bob"), Project.create(title="apollo")
    Membership.insert_many([{"user": ann, "project": apollo}, {"user": bob, "project": apollo}]).execute()
    with assert_queries(2):
        ann.delete_instance()
    assert [link.user_id for link in Membership.select()] == [bob.id]
    assert titles(Project) == ["apollo"]


def test_generated_links(Near: Any, Far: Any) -> None:
    """H1, H2: the same from both ends of a many-to-many across databases, whose links stand with the dominant side."""
    User, Project = named(Near, "User"), named(Far, "Project")
    User.belongs_to_many(Project, dominant=True)
    Project.belongs_to_many(User)
    sync(User, Project)
    ann, bob = User.create(title="ann"), User.create(title="bob")
    apollo, gemini = Project.create(title="apollo"), Project.create(title="gemini")
    ann.set_projects([apollo, gemini])
    bob.set_projects([apollo, gemini])
    link = User.projects.link
    ann.delete_instance()
    apollo.delete_instance()
    assert [(each.user_id, each.project_id) for each in link.select()] == [(bob.id, gemini.id)]
    assert (titles(User), titles(Project)) == (["bob"], ["gemini"])


# Where nothing is to be done


@pytest.mark.every_store
def test_cost_without_such_keys(db: Any, Base: Any) -> None:
    """H1: a model that no such key refers to costs what it costs in peewee, one DELETE."""
    User, Photo = named(Base, "User", "Photo")
    User.has_many(Photo, on_delete="CASCADE")
    sync(db)
    photo = User.create(title="ann").create_photo(title="p")
    with assert_queries(1):
        assert photo.delete_instance() == 1
    with assert_queries(1):
        assert photo.delete_instance() == 0
    if store_of(db).constraints:
        with assert_queries(1):
            User(id=1).delete_instance()


@pytest.mark.parametrize("options", [{}, {"on_delete": "CASCADE"}, {"on_delete": "SET NULL"}], ids=str)
def test_without_constraint(Base: Any, options: dict[str, Any]) -> None:
    """E1, H1: with ``constraints=False`` a rule that was written out is carried out, and none by default: a log keeps its keys."""
    User, Entry = named(Base, "User", "Entry")
    User.has_many(Entry, constraints=False, **options)
    sync(User, Entry)
    ann = User.create(title="ann")
    ann.create_entry(title="e")
    with assert_queries(2 if options else 1):
        ann.delete_instance()
    keys = [entry.user_id for entry in Entry.select()]
    assert keys == {None: [1], "CASCADE": [], "SET NULL": [None]}[options.get("on_delete")]


def test_plain_columns(on: Callable[[str], Any]) -> None:
    """A13, A14, H1: a plain column and a ReferenceField have the rule that an association writes out, and none by default."""
    User = named(on("sqlite"), "User")
    Far = on("sqlite")

    class Photo(Far):
        user_id = IntegerField(null=True)

    class Note(Far):
        user_id = ReferenceField(User)

    class Entry(Far):
        user_id = ReferenceField(User)

    User.has_many(Photo, on_delete="CASCADE")
    User.has_many(Note, on_delete="SET NULL")
    User.has_many(Entry)
    sync(User, Photo, Note, Entry)
    ann = User.create()
    for model in (Photo, Note, Entry):
        model.create(user_id=ann.id)
    ann.delete_instance()
    assert [[each.user_id for each in model.select()] for model in (Photo, Note, Entry)] == [[], [None], [1]]


def test_bulk_delete(Near: Any, Far: Any) -> None:
    """H1: ``Model.delete()`` writes one database and applies no rule."""
    User, Photo, ann, bob = album(Near, Far, on_delete="CASCADE")
    with assert_queries(1):
        User.delete().where(User.title == "ann").execute()
    assert titles(Photo) == ["a1", "a2", "b1"]


def test_unsaved(Near: Any, Far: Any) -> None:
    """C2: a record without a key deletes nothing, and above all not what is nobody's."""
    User, Photo, ann, bob = album(Near, Far, on_delete="CASCADE")
    Photo.create(title="nobody's")
    assert User(title="new").delete_instance() == 0
    assert titles(Photo) == ["a1", "a2", "b1", "nobody's"]


def test_models_without_a_table(on: Callable[[str], Any]) -> None:
    """E3, A6: keys of an abstract base, and of a model that another one replaced, are not followed."""
    Near, Far = on("sqlite"), on("sqlite")
    User = named(Near, "User")

    class Owned(Far):
        user = ForeignKeyField(User, null=True, on_delete="CASCADE", backref="+")

        class Meta:
            abstract = True

    class Photo(Owned):
        pass

    def replaced() -> Any:
        class Note(Far):
            author = ForeignKeyField(User, null=True, on_delete="CASCADE", backref="+")

        return Note

    first = replaced()
    second = replaced()
    sync(User, Photo, second)
    ann = User.create()
    Photo.create(user=ann)
    second.create(author=ann)
    with assert_queries(3):
        ann.delete_instance()
    assert first is not second
    assert Photo.select().count() == second.select().count() == 0


# peewee's own options


def test_recursive(Near: Any, Far: Any) -> None:
    """H1: ``recursive=True`` deletes what refers by a NOT NULL key and clears the other keys, past every rule, as in peewee."""
    User, Comment = named(Near, "User", "Comment")
    Photo, Note = named(Far, "Photo", "Note")
    User.has_many(Photo, null=False, on_delete="RESTRICT")
    Photo.has_many(Comment, null=False)
    User.has_many(Note, on_delete="CASCADE")
    sync(User, Photo, Comment, Note)
    ann = User.create(title="ann")
    ann.create_photo(title="p").create_comment(title="c")
    ann.create_note(title="n")
    assert ann.delete_instance(recursive=True) == 1
    assert (titles(User), titles(Photo), titles(Comment)) == ([], [], [])
    assert [note.user_id for note in Note.select()] == [None]


def test_recursive_with_nullable_keys(Near: Any, Far: Any) -> None:
    """H1: ``delete_nullable=True`` deletes these too."""
    User, Photo, ann, bob = album(Near, Far, on_delete="SET NULL")
    ann.delete_instance(recursive=True, delete_nullable=True)
    assert (titles(User), titles(Photo)) == (["bob"], ["b1"])


# What the accessors delete


def test_destroy(Near: Any, Far: Any) -> None:
    """C5, C6, H1: ``destroy=True`` deletes by the same rules."""
    User, Photo = named(Near, "User", "Photo")
    Comment, Sale = named(Far, "Comment", "Sale")
    User.has_many(Photo, null=False)
    Photo.has_many(Comment, on_delete="CASCADE")
    Photo.has_many(Sale, null=False)
    sync(User, Photo, Comment, Sale)
    ann = User.create(title="ann")
    for number in range(3):
        ann.create_photo(title=f"p{number}").create_comment(title=f"c{number}")
    sale = Sale.create(title="s", photo=2)
    ann.remove_photo(1, destroy=True)
    assert (titles(Photo), titles(Comment)) == (["p1", "p2"], ["c1", "c2"])
    with pytest.raises(DeleteRefused) as raised:
        ann.set_photos([], destroy=True)
    assert str(raised.value) == (
        "User.photos with destroy=True: 1 row of Sale (1) still refers to it by Sale.photo, whose rule is NO ACTION. "
        'Delete it first, or declare the key with on_delete="CASCADE".'
    )
    assert (titles(Photo), titles(Comment)) == (["p1", "p2"], ["c1", "c2"])
    sale.delete_instance()
    ann.set_photos([], destroy=True)
    assert titles(Photo) == titles(Comment) == []


# Memory


def test_in_memory(Near: Any, Far: Any) -> None:
    """C12, H1: records that the deleted one held know that their key is NULL, so that saving them does not write it back."""
    User, Photo, ann, bob = album(Near, Far)
    held = list(ann.photos)
    ann.delete_instance()
    assert [(photo.user_id, photo.user) for photo in held] == [(None, None), (None, None)]
    held[0].save()
    assert Photo.get(Photo.title == "a1").user_id is None


# Failing


def failing(db: Any, table: str) -> None:
    db.execute_sql(f"CREATE TRIGGER no_{table} BEFORE DELETE ON \"{table}\" BEGIN SELECT RAISE(ABORT, 'out of order'); END")


@pytest.mark.parametrize("far", ["sqlite", "mongodb", "redis"])
def test_failure_before_the_commit(on: Callable[[str], Any], far: str) -> None:
    """H6: where the record's own database fails nothing is written elsewhere either, and its own error is raised."""
    Near, Far = on("sqlite"), on(far)
    User, Photo, ann, bob = album(Near, Far, on_delete="CASCADE")
    failing(Near._meta.database, "user")
    with pytest.raises(peewee.IntegrityError, match="^out of order$"):
        ann.delete_instance()
    assert (titles(User), titles(Photo)) == (["ann", "bob"], ["a1", "a2", "b1"])


def test_failure_of_a_commit(on: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """H6, M1: rows that refer are committed first: where the other commit fails no key refers to nothing, and what is written is told."""
    Near, Far = on("sqlite"), on("sqlite")
    User, Photo, ann, bob = album(Near, Far, on_delete="CASCADE")

    def lost() -> None:
        raise peewee.OperationalError("the connection was lost.")

    with monkeypatch.context() as patched:
        patched.setattr(Near._meta.database, "commit", lost)
        with pytest.raises(PartialWriteError) as raised:
            ann.delete_instance()
    written = f"deleted from Photo in {Far._meta.database.address} (2 rows)"
    assert str(raised.value) == (
        "User.delete_instance() of 1: the connection was lost, when a part of it was written already. "
        f"Call it again when that is mended. Written is: {written}."
    )
    assert raised.value.written == [written]
    assert isinstance(raised.value.__cause__, peewee.OperationalError)
    assert (titles(User), titles(Photo)) == (["ann", "bob"], ["b1"])
    assert ann.delete_instance() == 1


def test_failure_of_the_first(on: Callable[[str], Any]) -> None:
    """H6: each database's part is one transaction; where the first fails nothing is written, and its own error is raised."""
    Near, Far = on("sqlite"), on("sqlite")
    User = named(Near, "User")
    Photo, Note = named(Far, "Photo", "Note")
    User.has_many(Photo, on_delete="CASCADE")
    User.has_many(Note, on_delete="CASCADE")
    sync(User, Photo, Note)
    ann = User.create(title="ann")
    ann.create_photo(title="p")
    ann.create_note(title="n")
    for table in ("photo", "note"):
        failing(Far._meta.database, table)
        with pytest.raises(peewee.IntegrityError, match="^out of order$"):
            ann.delete_instance()
        assert titles(User) == ["ann"] and titles(Photo) == ["p"] and titles(Note) == ["n"]
        Far._meta.database.execute_sql(f"DROP TRIGGER no_{table}")


def test_one_database_is_one_transaction(on: Callable[[str], Any]) -> None:
    """H6: rules carried out within one database are all or nothing with the record itself."""
    Base = on("sqlite")
    User, Photo, ann, bob = album(Base, Base, constraints=False, on_delete="CASCADE")
    failing(Base._meta.database, "user")
    with pytest.raises(peewee.IntegrityError, match="^out of order$"):
        ann.delete_instance()
    assert (titles(User), titles(Photo)) == (["ann", "bob"], ["a1", "a2", "b1"])


def test_failure_without_transactions(on: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """H6: in a store without transactions what a failure leaves written is told too, within it."""
    Near, Far = on("redis"), on("sqlite")
    User, Note = named(Near, "User", "Note")
    Photo = named(Far, "Photo")
    User.has_many(Note, on_delete="CASCADE")
    User.has_many(Photo)
    sync(User, Photo, Note)
    ann = User.create(title="ann")
    ann.create_note(title="n")
    photo = ann.create_photo(title="p")
    db, run = Near._meta.database, Near._meta.database.run
    dead = {"user"}

    def stopped(plan: Any) -> Any:
        if plan.verb == "DELETE" and plan.model._meta.table_name in dead:
            raise peewee.OperationalError("the server went away")
        return run(plan)

    monkeypatch.setattr(db, "run", stopped)
    with pytest.raises(PartialWriteError) as raised:
        ann.delete_instance()
    assert set(raised.value.written) == {
        f"cleared Photo.user in {Far._meta.database.address} (1 row)",
        f"deleted from Note in {db.address} (1 row)",
    }
    assert (titles(User), titles(Note), photo.reload().user_id) == (["ann"], [], None)
    dead.clear()
    assert ann.delete_instance() == 1


def test_order(on: Callable[[str], Any]) -> None:
    """H6: rows that refer go before what they refer to: at no moment does a key refer to nothing, whenever it ends."""
    Near, Far = on("sqlite"), on("sqlite")
    User, Comment = named(Near, "User", "Comment")
    Photo, Folder = named(Far, "Photo", "Folder")
    User.has_many(Photo, on_delete="CASCADE")
    User.has_many(Comment)
    Photo.has_many(Comment, on_delete="CASCADE")
    User.has_many(Folder, on_delete="CASCADE")
    Folder.has_many("self", as_="folders", foreign_key="parent_id", through=None, constraints=False, on_delete="CASCADE")
    sync(User, Comment, Photo, Folder)
    ann = User.create(title="ann")
    ann.create_photo(title="p").create_comment(title="c", user=ann)
    ann.create_folder(title="1").create_folder(title="2").create_folder(title="3")
    seen: list[list[Any]] = []

    def look(event: Any) -> None:
        if event.sql.startswith(("DELETE", "UPDATE")):
            hooks = [(base._meta.database, base._meta.database.query_hooks) for base in (Near, Far)]
            for db, _ in hooks:
                db.query_hooks = []
            seen.append([str(each) for each in check(User, Comment, Photo, Folder).of("dangling key")])
            for db, held in hooks:
                db.query_hooks = held

    for base in (Near, Far):
        base._meta.database.query_hooks = [look]
        # One by one, so that it could end between any two.
        base._meta.database.capabilities = replace(store_of(base._meta.database), keys_per_statement=1)
    ann.delete_instance()
    assert len(seen) == 6 and not any(seen)


# The same as a database does


class World:
    """Three models with keys by the rules given, on these databases (the same one, or others), and what they hold."""

    def __init__(self, databases: list[Any], rules: list[tuple[int, int, str]]) -> None:
        self.models: list[Any] = []
        for number, db in enumerate(databases):
            meta = type("Meta", (), {"database": db, "table_name": f"m{number}"})
            self.models.append(type(Model)(f"M{number}", (Model,), {"Meta": meta, "__module__": __name__, "title": CharField(null=True)}))
        for number, (holder, target, rule) in enumerate(rules):
            field = ForeignKeyField(self.models[target], null=True, on_delete=rule, backref="+")
            self.models[holder]._meta.add_field(f"k{number}", field)
        sync(*self.models)

    def fill(self, rows: list[tuple[int, list[int | None]]], rules: list[tuple[int, int, str]]) -> None:
        counts = [0, 0, 0]
        for model, _ in rows:
            self.models[model].create()
            counts[model] += 1
        numbers = [0, 0, 0]
        for model, keys in rows:
            numbers[model] += 1
            values = {}
            for number, (holder, target, _) in enumerate(rules):
                key = keys[number % len(keys)]
                if holder == model and key is not None and counts[target]:
                    values[f"k{number}"] = key % counts[target] + 1
            if values:
                self.models[model].update(**values).where(self.models[model].id == numbers[model]).execute()

    def held(self) -> list[Any]:
        return [sorted(model.select().tuples(), key=repr) for model in self.models]


# Most keys refer to the first rows, so that most deletions lead somewhere.
RULES = st.tuples(st.integers(0, 2), st.sampled_from([0, 0, 1, 2]), st.sampled_from(["CASCADE", "CASCADE", "SET NULL", "NO ACTION"]))
ROWS = st.tuples(st.integers(0, 2), st.lists(st.sampled_from([0, 0, 1, 2, None]), min_size=3, max_size=6))


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(RULES, min_size=3, max_size=6), st.lists(ROWS, min_size=4, max_size=10), st.sampled_from(["aab", "aba", "abb", "abc"]))
def test_as_one_database_does(rules: list[Any], rows: list[Any], places: str) -> None:
    """H1: whatever the keys, rules and rows: spread over databases the same rows go, the same keys are cleared, the same is refused."""
    rows = [(0, [0]), *rows]
    one = connect("sqlite:///:memory:")
    several = {place: connect("sqlite:///:memory:") for place in sorted(set(places))}
    try:
        expected = World([one, one, one], rules)
        spread = World([several[place] for place in places], rules)
        outcomes = []
        for world in (expected, spread):
            world.fill(rows, rules)
            try:
                world.models[0].get_by_id(1).delete_instance()
                outcomes.append(True)
            except peewee.IntegrityError:
                outcomes.append(False)
        assert outcomes[0] == outcomes[1]
        assert spread.held() == expected.held()
    finally:
        for db in (one, *several.values()):
            db.close()
