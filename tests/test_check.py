"""check: what databases hold that is not as the models declare it, and what can be mended without a guess."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import peewee
import pytest
from peewee import CharField, ForeignKeyField, IntegerField, SqliteDatabase

from activeassoc import Model, ReferenceField, WrongTarget, check, drop, sync
from activeassoc.checking.dangling import missing_keys, ties_of
from activeassoc.checking.report import KINDS
from activeassoc.stores.sql import store_of
from activeassoc.testing import assert_queries


def named(base: Any, *names: str) -> Any:
    """Models of these names on the database of `base`, each with one text column."""
    made = [type(base)(name, (base,), {"title": CharField(null=True), "__module__": __name__, "__qualname__": name}) for name in names]
    return made[0] if len(made) == 1 else made


def address(base: Any) -> str:
    return str(base._meta.database.address)


def told(report: Any) -> list[tuple[str, int, tuple[Any, ...]]]:
    return [(each.kind, each.count, each.sample) for each in report.findings]


# Keys that refer to nothing


def album(Near: Any, Far: Any, **options: Any) -> tuple[Any, Any]:
    """Three photos of a user that is there, two of one that is gone, one of nobody; each photo with its user's id or 0 as title."""
    User, Photo = named(Near, "User"), named(Far, "Photo")
    User.has_many(Photo, **options)
    sync(User, Photo)
    ann, bob = User.create(title="ann"), User.create(title="bob")
    for user in (ann, bob, ann, bob, ann):
        Photo.create(user=user)
    if Photo.user.null:
        Photo.create(user=None)
    User.delete().where(User.title == "bob").execute()
    return User, Photo


def test_dangling_keys(Near: Any, Far: Any) -> None:
    """H7: keys across databases that refer to nothing are found, counted and shown; without fix nothing is written."""
    User, Photo = album(Near, Far)
    report = check(User, Photo)
    assert told(report) == [("dangling key", 2, (2, 4))]
    (found,) = report.findings
    assert (found.model, found.names, found.database, found.mended, found.allowed) == (
        Photo,
        ("user",),
        Far._meta.database,
        False,
        False,
    )
    assert str(report) == (
        f"Checked 2 models.\nin {address(Far)}\n"
        "  dangling key: 2 rows of Photo (2, 4) hold a Photo.user that no User has. Not mended: check(fix=True) clears the key."
    )
    assert (report.ok, bool(report), report.checked) == (False, True, (User, Photo))
    assert Photo.select().where(Photo.user == 2).count() == 2


def test_dangling_keys_are_cleared(Near: Any, Far: Any) -> None:
    """H7: fix=True clears a key that may be NULL, and says so; the next check finds nothing."""
    User, Photo = album(Near, Far)
    report = check(User, Photo, fix=True)
    assert told(report) == [("dangling key", 2, (2, 4))]
    assert str(report.mended[0]) == (
        "dangling key: 2 rows of Photo (2, 4) hold a Photo.user that no User has. Mended: 2 rows set to NULL."
    )
    assert report.ok and report
    assert [photo.user_id for photo in Photo.select().order_by(Photo.id)] == [1, None, 1, None, 1, None]
    report = check(User, Photo)
    assert (str(report), report.ok, bool(report)) == ("Checked 2 models: nothing is wrong.", True, False)


def test_required_keys_are_left(Near: Any, Far: Any) -> None:
    """H7: what a NOT NULL key should refer to instead nobody can guess."""
    User, Photo = album(Near, Far, null=False)
    report = check(User, Photo, fix=True)
    assert [str(each) for each in report.findings] == [
        "dangling key: 2 rows of Photo (2, 4) hold a Photo.user that no User has. "
        "Not mended: 'user_id' may not be NULL: give these rows another User, or delete them."
    ]
    assert not report.ok and Photo.select().count() == 5


def test_allowed(Near: Any, Far: Any) -> None:
    """H7, E1: a key without constraint and rule may refer to nothing: it is told, and left alone."""
    User, Photo = album(Near, Far, constraints=False)
    report = check(User, Photo, fix=True)
    assert [str(each) for each in report.findings] == [
        "dangling key: 2 rows of Photo (2, 4) hold a Photo.user that no User has. Allowed: the key has no constraint and no rule."
    ]
    assert report.ok and report.findings[0].allowed
    assert Photo.select().where(Photo.user == 2).count() == 2


def test_links(on: Callable[[str], Any]) -> None:
    """H7: links to nothing, at either end, are deleted by fix=True; the others stay."""
    User, Project = named(on("sqlite"), "User"), named(on("sqlite"), "Project")

    class Membership(on("sqlite")):
        role = CharField(default="member")

    User.has_many(Project, through=Membership)
    Project.has_many(User, through=Membership)
    sync(User, Project, Membership)
    for number in (1, 2, 3):
        User.create(id=number)
        Project.create(id=number)
    Membership.insert_many([{"user": one, "project": other} for one in (1, 2, 3) for other in (1, 2, 3)]).execute()
    User.delete().where(User.id == 3).execute()
    Project.delete().where(Project.id == 1).execute()
    assert told(check(Membership)) == [("dangling link", 3, ((3, 1), (3, 2), (3, 3))), ("dangling link", 3, ((1, 1), (2, 1), (3, 1)))]
    report = check(Membership, fix=True)
    assert [each.instead for each in report.findings] == ["3 rows deleted", "2 rows deleted"]
    assert sorted(Membership.select(Membership.user, Membership.project).tuples()) == [(1, 2), (1, 3), (2, 2), (2, 3)]
    assert check(Membership).ok


def test_generated_links(Near: Any, Far: Any) -> None:
    """H7, H2: the same for a many-to-many across databases."""
    User, Project = named(Near, "User"), named(Far, "Project")
    User.belongs_to_many(Project, dominant=True)
    Project.belongs_to_many(User)
    sync(User, Project)
    ann = User.create(title="ann")
    apollo, gemini = Project.create(title="apollo"), Project.create(title="gemini")
    ann.set_projects([apollo, gemini])
    Project.delete().where(Project.title == "apollo").execute()
    report = check(User, fix=True)  # brings the links
    assert [(each.kind, each.count, each.instead) for each in report.findings] == [("dangling link", 1, "1 row deleted")]
    assert [project.title for project in ann.get_projects()] == ["gemini"]


def test_within_a_database(Base: Any) -> None:
    """H7: within one database too: keys without constraint, and what was written while constraints were off; a tree refers to itself."""
    User, Photo = album(Base, Base, constraints=False, on_delete="SET NULL")
    Folder = named(Base, "Folder")
    Folder.has_many("self", as_="folders", foreign_key="parent_id", through=None, constraints=False, on_delete="SET NULL")
    sync(Folder)
    root = Folder.create(title="root")
    root.create_folder(title="a")
    Folder.create(title="lost", parent=77)
    assert told(check(User, Photo, Folder)) == [("dangling key", 2, (2, 4)), ("dangling key", 1, (3,))]
    report = check(User, Photo, Folder, fix=True)
    assert report.ok and len(report.mended) == 2
    assert [folder.parent_id for folder in Folder.select().order_by(Folder.id)] == [None, 1, None]


def test_key_forms(Near: Any, Far: Any) -> None:
    """H4, H7: "7" is 7 where a key is a text and what it refers to a number; a text that is no number refers to nothing."""
    User = named(Near, "User")

    class Photo(Far):
        user_key = CharField(null=True)

    User.has_many(Photo, foreign_key="user_key", on_delete="SET NULL")
    sync(User, Photo)
    User.create(id=7)
    for key in ("7", "8", "x", None):
        Photo.create(user_key=key)
    assert told(check(User, Photo)) == [("dangling key", 2, (2, 3))]
    check(User, Photo, fix=True)
    assert [photo.user_key for photo in Photo.select().order_by(Photo.id)] == ["7", None, None, None]


def test_reference_fields(on: Callable[[str], Any]) -> None:
    """A14, H7: a ReferenceField is looked at where a model is known for its table; it may refer to nothing."""
    User = named(on("sqlite"), "User")

    class Entry(on("sqlite")):
        user_id = ReferenceField(User)
        place_id = ReferenceField("nowhere", field=IntegerField)

    sync(User, Entry)
    Entry.create(user_id=1, place_id=1)
    report = check(Entry, fix=True)
    assert told(report) == [("dangling key", 1, (1,))]
    assert report.ok and Entry.get().user_id == 1


def test_pages(on: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """H5, H7: keys are read a page at a time, whatever their number, and asked for in portions that the other database accepts."""
    monkeypatch.setattr("activeassoc.checking.dangling.PAGE", 10)
    Near, Far = on("sqlite"), on("sqlite")
    Near._meta.database.capabilities = replace(store_of(Near._meta.database), keys_per_statement=5)
    User, Photo = named(Near, "User"), named(Far, "Photo")
    User.has_many(Photo)
    sync(User, Photo)
    User.insert_many([{"id": number} for number in range(1, 26)]).execute()
    Photo.insert_many([{"user": number % 30 + 1} for number in range(90)]).execute()
    (tie,) = ties_of(Photo)
    with assert_queries(4, Far._meta.database), assert_queries(6, Near._meta.database):
        assert list(missing_keys(tie)) == [[26, 27, 28, 29, 30]]
    report = check(Photo, fix=True)
    assert told(report) == [("dangling key", 15, tuple(sorted(n * 30 + k for n in range(3) for k in range(26, 31)))[:10])]
    assert Photo.select().where(Photo.user.is_null()).count() == 15


def test_cost(on: Callable[[str], Any]) -> None:
    """H7: beyond what a dry run of sync costs one statement for a key within the database, two across, and two that ask for tables."""
    Near, Far = on("sqlite"), on("sqlite")
    User, Comment = named(Near, "User", "Comment")
    Photo = named(Far, "Photo")
    User.has_many(Comment)
    User.has_many(Photo)
    sync(User, Comment, Photo)
    ann = User.create()
    ann.create_photos([{"title": "a"}, {"title": "b"}])
    ann.create_comments([{"title": "a"}, {"title": "b"}])
    counted: list[Any] = []
    for model in (Near, Far):
        model._meta.database.query_hooks = [counted.append]
    sync(User, Comment, Photo, dry_run=True)
    dry, counted[:] = len(counted), []
    assert check(User, Comment, Photo).ok
    assert len(counted) == dry + 1 + 2 + 2


def test_the_wrong_database(on: Callable[[str], Any]) -> None:
    """H7: where the table that keys refer to is not there at all nothing is mended: it may be the wrong database."""
    Near, Far = on("sqlite"), on("sqlite")
    User, Photo = album(Near, Far)
    drop(User)
    report = check(Photo, fix=True)
    assert [str(each) for each in report.findings] == [
        "dangling key: 5 rows of Photo (1, 2, 3, 4, 5) hold a Photo.user that no User has. "
        f"Not mended: {address(Near)} has no table user; it may be the wrong database."
    ]
    assert not report.ok and Photo.select().where(Photo.user.is_null()).count() == 1


def test_rows_that_the_model_hides(on: Callable[[str], Any]) -> None:
    """H7: a record that the model's own select hides is there."""

    class User(on("sqlite")):
        gone = peewee.BooleanField(default=False)

        @classmethod
        def select(cls, *fields: Any) -> Any:
            return super().select(*fields).where(cls.gone == False)

    Photo = named(on("sqlite"), "Photo")
    User.has_many(Photo)
    sync(User, Photo)
    Photo.create(user=User.create(gone=True))
    assert check(User, Photo).ok


# Tables, indexes and constraints


def test_tables_that_are_missing(Base: Any) -> None:
    """H7: a missing table is told, and the keys to it are not asked for."""
    User, Task = named(Base, "User", "Task")
    User.has_many(Task)
    sync(User)
    report = check(User, Task, fix=True)
    assert [str(each) for each in report.findings] == ["missing table: there is no table task. Not mended: sync(Task) makes it."]
    assert not Task.table_exists()


def test_columns_that_are_missing(Base: Any) -> None:
    """H7: a missing key column is told, and not asked for."""
    User, Task = named(Base, "User", "Task")
    sync(User, Task)
    User.has_many(Task)
    report = check(User, Task)
    assert [str(each) for each in report.findings] == [
        "missing column: task.user_id is missing. Not mended: sync(alter=True) adds it."
    ]


@pytest.mark.every_store
def test_indexes_that_are_missing(db: Any, Base: Any) -> None:
    """H7: missing key and unique indexes are told, and made by fix=True, also over rows."""

    class User(Base):
        email = CharField(null=True)

    class Task(Base):
        user_id = IntegerField(null=True)

    sync(User, Task)
    User.create(email="ann")

    class Person(Base):
        email = CharField(null=True, unique=True)

        class Meta:
            table_name = "user"

    class Job(Base):
        user = ForeignKeyField(Person, null=True, constraints=[], backref="+")

        class Meta:
            table_name = "task"

    Job.user.constraint = False
    report = check(Person, Job)
    assert [(each.kind, each.model, each.names) for each in report.findings] == [
        ("missing unique index", Person, ("email",)),
        ("missing index", Job, ("user_id",)),
    ]
    assert not report.ok
    report = check(Person, Job, fix=True)
    assert report.ok and len(report.mended) == 2
    assert not check(Person, Job)
    with pytest.raises(peewee.IntegrityError):
        Person.create(email="ann")


@pytest.mark.every_store
def test_duplicates(db: Any, Base: Any) -> None:
    """H7: a unique index that is missing is not made over duplicates: these are told, with their values; NULLs are none."""

    class User(Base):
        email = CharField(null=True)

    sync(User)
    for email in ("a", "b", "a", "c", "b", "a", None, None):
        User.create(email=email)

    class Person(Base):
        email = CharField(null=True, unique=True)

        class Meta:
            table_name = "user"

    report = check(Person, fix=True)
    duplicates, index = report.findings
    assert (duplicates.kind, duplicates.count, sorted(duplicates.sample)) == ("duplicates", 5, ["a", "b"])
    assert duplicates.sentence.startswith("5 rows of Person share 2 values of email (")
    assert str(index) == (
        "missing unique index: user has no unique index on email. "
        "Not mended: make the values differ first, as it cannot be made over duplicates."
    )
    assert User.select().count() == 8


def test_several_records_of_a_has_one(Near: Any, Far: Any) -> None:
    """C5, H7: an owner with several records of its has_one is found; what has_many or a scope means to be several is not."""
    User, Photo, Badge = named(Near, "User"), *named(Far, "Photo", "Badge")
    User.has_one(Badge)
    User.has_one(Badge, as_="worn", where={"title": "worn"})
    User.has_many(Photo)
    User.has_one(Photo, as_="portrait")
    sync(User, Photo, Badge)
    ann, bob = User.create(title="ann"), User.create(title="bob")
    Badge.create(user_id=ann.id)
    Badge.create(user_id=None)
    Photo.create(user=ann)
    Photo.create(user=ann)
    assert check(User, Photo, Badge).ok
    for title in ("a", "worn"):
        Badge.create(user_id=bob.id, title=title)
    report = check(User, Photo, Badge, fix=True)
    assert [str(each) for each in report.findings] == [
        "duplicates: 2 rows of Badge share 1 value of user_id (2), and User.badge is one record, the one with the lowest primary key. "
        "Not mended: decide which row is right, and clear the key of the others; has_one(…, unique=True) would keep it so."
    ]
    assert [(each.model, each.names, each.count, each.sample) for each in report.findings] == [(Badge, ("user_id",), 2, (2,))]
    assert Badge.select().where(Badge.user == bob).count() == 2
    Badge.create(user_id=bob.id, title="worn")
    assert [each.sentence.partition(", and ")[2] for each in check(Badge).findings] == [
        "User.badge is one record, the one with the lowest primary key",
        "User.worn is one record, the one with the lowest primary key",
    ]


def test_constraints_that_differ(Base: Any) -> None:
    """H7: a foreign key with another rule than declared, and one that is missing, are told with what to do."""
    User, Task, Note = named(Base, "User", "Task", "Note")
    User.has_many(Task, on_delete="CASCADE", null=True)
    User.has_many(Note, constraints=False)
    sync(User, Task, Note)

    class Job(Base):
        title = CharField(null=True)
        user = ForeignKeyField(User, null=True, on_delete="SET NULL", on_update="CASCADE", backref="+")

        class Meta:
            table_name = "task"

    class Memo(Base):
        title = CharField(null=True)
        user = ForeignKeyField(User, null=True, backref="+")

        class Meta:
            table_name = "note"

    report = check(Job, Memo, fix=True)
    assert [str(each) for each in report.findings] == [
        "constraint: task.user_id is ON DELETE CASCADE in the database, and SET NULL in Job. "
        "Not mended: change the declaration, or the constraint with SQL.",
        "constraint: note.user_id has no foreign key in the database. Not mended: sync(alter=True) adds it.",
    ]


def test_types_that_do_not_match(on: Callable[[str], Any]) -> None:
    """H7: a column of another type than what it refers to, that the database cannot compare is told, and stops nothing else."""
    Base = on("postgresql")
    User, Task = named(Base, "User", "Task")
    sync(User)
    User._meta.database.execute_sql("CREATE TABLE task (id SERIAL PRIMARY KEY, title VARCHAR(255), user_id VARCHAR(20))")
    User._meta.database.execute_sql("CREATE INDEX ix_task_user_id ON task (user_id)")
    User.has_many(Task)
    (found,) = check(User, Task).findings
    assert (found.kind, found.model) == ("constraint", Task)
    assert found.sentence.startswith("task.user_id cannot be compared with user.id: operator does not exist")
    assert found.instead == "Make both of one type, with SQL"


def test_foreign_keys_switched_off() -> None:
    """H7, E8: a SQLite connection on which foreign keys are off, and what was written there."""
    db = SqliteDatabase(":memory:", pragmas={"foreign_keys": 1})

    class User(Model):
        class Meta:
            database = db

    class Task(Model):
        user = ForeignKeyField(User, null=True, on_delete="SET NULL", backref="+")

        class Meta:
            database = db

    sync(User, Task)
    db.execute_sql("PRAGMA foreign_keys = 0")
    Task.create(user=77)
    report = check(db, fix=True)
    assert [each.kind for each in report.findings] == ["foreign keys off", "dangling key"]
    assert report.findings[0].sentence == "foreign keys are off on this SQLite connection, so that no constraint would hold"
    assert report.findings[0].instead.startswith("Open the database with activeassoc.connect()")
    assert [each.mended for each in report.findings] == [False, True]
    assert report.of("dangling key") == report.findings[1:] and {each.kind for each in report.findings} <= set(KINDS)
    db.close()


# What is looked at


def test_what_is_checked(on: Callable[[str], Any]) -> None:
    """H7: databases, models, bases; nothing else."""
    Near, Far = on("sqlite"), on("sqlite")
    User, Photo = named(Near, "User"), named(Far, "Photo")
    sync(User, Photo)
    assert check(Near._meta.database).checked == check(User).checked == check(Near).checked == (User,)
    assert str(check(User)) == "Checked 1 model: nothing is wrong."
    with pytest.raises(WrongTarget) as raised:
        check("photos")
    assert str(raised.value) == "check('photos'): a database or a model was expected. Write check(db) or check(User, Task)."


# What stores say of themselves


def test_null_of_another_program(on: Callable[[str], Any]) -> None:
    """H7, J4: a null that another program wrote into a unique field of MongoDB clashes with the next, and is told."""

    class User(on("mongodb")):
        email = CharField(null=True, unique=True)

    sync(User)
    User.create(email=None)
    User.create(email="ann")
    db = User._meta.database
    assert check(User).ok
    db.documents()["user"].insert_one({"_id": 77, "email": None})
    report = check(User, fix=True)
    assert [str(each) for each in report.findings] == [
        "store: 1 row of User holds a null in the unique 'email', as another program may write it, and such nulls clash. "
        "Not mended: take the field away from these documents."
    ]
    assert (report.ok, report.findings[0].names, report.findings[0].count) == (False, ("email",), 1)


def test_records_without_their_index(on: Callable[[str], Any]) -> None:
    """H7, J5: a table in Redis that something else has written to is told as not whole."""

    class User(on("redis")):
        email = CharField(unique=True)
        city = CharField(index=True)

    sync(User)
    for number in range(3):
        User.create(email=f"{number}", city="Ulm")
    db = User._meta.database
    assert check(User).ok
    db.client.delete(f"{db.prefix}{{user}}:r:2")
    (found,) = check(User).findings
    assert (found.kind, found.model, found.mended) == ("store", User, False)
    assert found.sentence.startswith("the table user is not whole: 1 records are gone that the table still lists")
    assert found.count >= 1 and found.sample


def test_eviction(on: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """H7, J5: a server that would take keys away when its memory is full."""
    User = named(on("redis"), "User")
    sync(User)
    db = User._meta.database
    monkeypatch.setattr(type(db), "eviction_policy", "allkeys-lru")
    assert [str(each) for each in check(db).findings] == [
        "store: when its memory is full the server takes records and parts of indexes away (maxmemory-policy allkeys-lru). "
        "Not mended: set maxmemory-policy to noeviction on the server."
    ]
