"""sync(alter=True): what it adds to tables that exist, and what it leaves and reports. Tables made again are in test_sync_rebuild."""

from __future__ import annotations

import datetime

import peewee
import pytest
from looking import cols, keys, raw
from peewee import SQL, BooleanField, CharField, CompositeKey, DateTimeField, ForeignKeyField, IntegerField, TextField
from synced import hand_made, model, quoted

from activeassoc import SyncError, drop, sync
from activeassoc.sync import Report


def indexed(db, table):
    return {tuple(index.columns): index.unique for index in db.get_indexes(table)}


# Columns


def test_missing_columns_indexes_and_keys_are_added(db):
    """E5: to a table with rows, which keep theirs; then nothing is left to do."""
    user = model(db, "User", name=CharField())
    task = model(db, "Task", title=CharField())
    sync(user, task)
    ann = user.create(name="ann")
    task.create(title="t")
    user = model(db, "User", name=CharField(index=True), email=CharField(null=True, unique=True), age=IntegerField(null=True))
    task = model(db, "Task", title=CharField(), user=ForeignKeyField(user, null=True, on_delete="CASCADE", on_update="CASCADE"))
    report = sync(user, task, alter=True)
    assert report.columns == ("user.email", "user.age", "task.user_id")
    assert set(report.indexes) == {"ix_user_name", "uq_user_email", "ix_task_user_id"}
    assert report.constraints == ("task.user_id -> user.id",)
    assert (report.created, report.dropped, report.differences) == ((), (), ())
    assert str(report) == (
        'Added the columns "user.email", "user.age", "task.user_id".\n'
        'Added the indexes "ix_user_name", "uq_user_email", "ix_task_user_id".\n'
        'Added the foreign keys "task.user_id -> user.id".'
    )
    assert sync(user, task, alter=True) == Report()
    assert keys(task) == {("user_id", "user", "id", "CASCADE", "CASCADE")}
    assert indexed(db, "user")[("email",)]
    assert (task.get().title, user.get().email) == ("t", None)
    with pytest.raises(peewee.IntegrityError), db.atomic():
        task.create(title="x", user=99)
    task.update(user=ann).execute()
    ann.delete_instance()
    assert task.select().count() == 0


def test_a_dry_run_of_alter_shows_what_alter_does(db):
    """E5, E7"""
    sync(model(db, "User", name=CharField()))
    user = model(db, "User", name=CharField(), boss=ForeignKeyField("self", null=True), age=IntegerField(null=True, index=True))
    plan = sync(user, alter=True, dry_run=True)
    assert cols(user) == {"id", "name"}
    report = sync(user, alter=True)
    assert plan.statements == report.statements
    assert plan.columns == report.columns == ("user.boss_id", "user.age")


def test_a_not_null_column_gets_the_default_of_its_field(db):
    """E5: the same for every row; new rows get it from peewee, as before."""
    user = model(db, "User", name=CharField())
    sync(user)
    user.create(name="ann")
    role = "it's 100% \\ \"fine\""
    added = {"role": CharField(default=role), "active": BooleanField(default=True), "n": IntegerField(default=0)}
    user = model(db, "User", name=CharField(), **added)
    assert sync(user, alter=True).columns == ("user.role", "user.active", "user.n")
    ann = user.get()
    assert (ann.role, ann.active, ann.n) == (role, True, 0)
    assert sync(user, alter=True) == Report()
    null = {column.name: column.null for column in db.get_columns("user")}
    assert not any(null[name] for name in added)


@pytest.mark.parametrize(
    "field",
    [
        lambda user: {"boss": ForeignKeyField(user)},
        lambda user: {"boss_id": DateTimeField(default=datetime.datetime.now)},
        lambda user: {"boss_id": IntegerField()},
        lambda user: {"boss_id": IntegerField(default=1, unique=True)},
    ],
)
def test_a_not_null_column_without_a_value_is_reported_with_the_steps_to_take(db, field):
    """E5: and added where the table is empty."""
    user, task = model(db, "User", name=CharField()), model(db, "Task", title=CharField())
    sync(user, task)
    row = task.create(title="t")
    wanted = model(db, "Task", title=CharField(), **field(user))
    name = next(name for name in wanted._meta.fields if name.startswith("boss"))
    for report in (sync(user, wanted, alter=True), sync(user, wanted)):
        assert not report
        assert report.differences == (
            "task.boss_id is missing: it is NOT NULL, and the rows that are there have no value for it. "
            f"Declare Task.{name} with null=True, sync(alter=True), give every row a value, "
            "make the column NOT NULL with SQL, and take null=True away again",
        )
    assert cols(task) == {"id", "title"}
    row.delete_instance()
    assert sync(user, wanted, alter=True).columns == ("task.boss_id",)
    assert sync(user, wanted, alter=True) == Report()
    assert not next(column.null for column in db.get_columns("task") if column.name == "boss_id")


def test_a_column_with_a_default_of_the_database_is_added_with_it(db):
    """E5: also a key on SQLite, whose ADD COLUMN takes no REFERENCES beside a default."""
    user, task = model(db, "User", name=CharField()), model(db, "Task", title=CharField())
    sync(user, task)
    user.create(name="ann")
    task.create(title="t")
    task = model(
        db,
        "Task",
        title=CharField(),
        rank=IntegerField(constraints=[SQL("DEFAULT 7")]),
        user=ForeignKeyField(user, constraints=[SQL("DEFAULT 1")]),
    )
    report = sync(task, user, alter=True)
    assert (report.columns, report.constraints) == (("task.rank", "task.user_id"), ("task.user_id -> user.id",))
    assert (task.get().rank, task.get().user_id) == (7, 1)
    assert sync(task, user, alter=True) == Report()
    assert {key[0] for key in keys(task)} == {"user_id"}


def test_a_primary_key_is_not_added(db):
    """E5"""
    db.execute_sql("CREATE TABLE thing (name VARCHAR(255))")
    thing = model(db, "Thing", name=CharField(null=True))
    report = sync(thing, alter=True)
    assert not report
    assert report.differences == (
        "thing.id is missing: a primary key is not added to a table that exists; change it with SQL, or drop the table",
        "thing has the primary key () in the database, and (id) in Thing",
    )


def test_columns_and_types_stay(db, store):
    """E5, A7: it never drops a column or changes a type."""
    sync(model(db, "User", name=CharField(), old=IntegerField(null=True), size=IntegerField()))
    user = model(db, "User", name=CharField(), size=TextField())
    before = {column.name: column.data_type for column in db.get_columns("user")}
    report = sync(user, alter=True)
    assert not report
    was = {"sqlite": "INTEGER", "postgresql": "integer", "mariadb": "int(11)"}[store.name]
    assert report.differences == (
        f"user.size is {was} in the database, and TEXT in User",
        "user.old is a column that no field of User has",
    )
    assert {column.name: column.data_type for column in db.get_columns("user")} == before


def test_no_type_of_peewees_is_taken_for_another(db):
    """E7: whatever the database calls it; those of keys too."""
    kinds = [
        *("Auto", "BigInteger", "SmallInteger", "Integer", "Float", "Double", "Decimal", "Char", "FixedChar", "Text", "Blob", "BigBit"),
        *("UUID", "BinaryUUID", "DateTime", "Date", "Time", "Timestamp", "IP", "Boolean", "JSON", "Bare"),
    ]
    found = {kind.lower(): getattr(peewee, f"{kind}Field") for kind in kinds if hasattr(peewee, f"{kind}Field")}
    assert len(found) > 18
    del found["auto"], found["bare"]
    everything = model(db, "Everything", **{f"a_{name}": kind(null=True) for name, kind in found.items()})
    number = model(db, "Number", id=peewee.BigAutoField())
    word = model(db, "Word", id=CharField(max_length=40, primary_key=True))
    link = model(db, "Link", number=ForeignKeyField(number), word=ForeignKeyField(word))
    sync(everything, number, word, link)
    assert sync(everything, number, word, link) == Report()


@pytest.mark.parametrize("store", ["postgresql", "mariadb"], indirect=True)
def test_another_length_is_reported(db):
    """E7: where lengths mean something."""
    sync(model(db, "User", name=CharField(max_length=10)))
    (told,) = sync(model(db, "User", name=CharField(max_length=20))).differences
    assert told in (
        "user.name is character varying(10) in the database, and VARCHAR(20) in User",
        "user.name is varchar(10) in the database, and VARCHAR(20) in User",
    )


def test_what_may_be_null_is_compared(db):
    """E5, E7: a key that became required is reported."""
    user = model(db, "User", a=IntegerField(null=True), b=IntegerField())
    sync(user)
    user = model(db, "User", a=IntegerField(), b=IntegerField(null=True))
    report = sync(user, alter=True)
    assert not report
    assert report.differences == (
        "user.a may be NULL in the database, and may not in User",
        "user.b is NOT NULL in the database, and may be NULL in User",
    )


# Indexes


def test_an_index_that_another_one_serves_is_not_missed(db):
    """E3, E5: made by hand, under any name."""
    user = model(db, "User", name=CharField())
    sync(user)
    db.execute_sql("CREATE TABLE task (id INTEGER PRIMARY KEY, user_id INTEGER NOT NULL, n INTEGER NOT NULL, m INTEGER NOT NULL)")
    db.execute_sql("CREATE INDEX one ON task (user_id, n)")
    db.execute_sql("CREATE UNIQUE INDEX two ON task (n)")
    fields = {"user": ForeignKeyField(user), "n": IntegerField(index=True), "m": IntegerField()}
    assert sync(model(db, "Task", **fields), alter=True).indexes == ()
    fields = {"user": ForeignKeyField(user), "n": IntegerField(), "m": IntegerField(unique=True)}
    assert sync(model(db, "Task", **fields)).differences == ("task has no unique index on m: sync(alter=True) adds it",)
    assert sync(model(db, "Task", **fields), alter=True).indexes == ("uq_task_m",)


def test_a_unique_index_that_rows_break_fails_and_names_itself(db):
    """E10: nothing else is lost."""
    user = model(db, "User", name=CharField())
    sync(user)
    user.create(name="ann")
    user.create(name="ann")
    with pytest.raises(SyncError) as caught:
        sync(model(db, "User", name=CharField(unique=True)), alter=True)
    assert caught.value.table == "user"
    assert caught.value.statement == f"CREATE UNIQUE INDEX {quoted(db, 'uq_user_name')} ON {quoted(db, 'user')} ({quoted(db, 'name')})"
    assert user.select().count() == 2


# Foreign keys


def test_a_foreign_key_for_an_existing_column(db):
    """E5, Q5: rows and those that refer to them stay, no cascade fires."""
    user, task = hand_made(db)
    note = model(db, "Note", task=ForeignKeyField(task, on_delete="CASCADE"))
    ann = user.create(name="ann")
    task.insert(id=5, title="t", user=ann).execute()
    task.insert(id=9, title="u").execute()
    assert sync(user, task).differences == (
        "task has no index on user_id: sync(alter=True) adds it",
        "task.user_id has no foreign key to user: sync(alter=True) adds it",
    )
    sync(note)
    note.create(task=5)
    report = sync(user, task, note, alter=True)
    assert (report.columns, report.indexes, report.constraints) == ((), ("ix_task_user_id",), ("task.user_id -> user.id",))
    assert keys(task) == {("user_id", "user", "id", "SET NULL", "CASCADE")}
    assert raw(db, "SELECT id, title, user_id FROM task") == [(5, "t", 1), (9, "u", None)]
    assert note.select().count() == 1
    assert {key[:3] for key in keys(note)} == {("task_id", "task", "id")}
    assert sync(user, task, note, alter=True) == Report()
    ann.delete_instance()
    assert task.get_by_id(5).user_id is None
    task.delete().execute()
    assert note.select().count() == 0


def test_rows_that_break_a_new_foreign_key_are_counted(db):
    """E5: nothing is changed; with them gone it is added."""
    user, task = hand_made(db, "CONSTRAINT c CHECK (title <> '')")
    db.execute_sql("INSERT INTO task (id, title, user_id) VALUES (1, 'a', 7), (2, 'b', 8), (3, 'c', NULL)")
    report = sync(task, user, alter=True)
    assert report.constraints == ()
    assert report.differences == (
        "task.user_id cannot get its foreign key to user: 2 rows refer to nothing that is there. "
        "Delete them or clear their key, then sync(alter=True)",
    )
    assert keys(task) == set()
    task.delete().where(task.user_id == 7).execute()
    assert "1 row refers to nothing that is there" in sync(task, user, alter=True).differences[0]
    task.update(user=None).execute()
    assert sync(task, user, alter=True).constraints == ("task.user_id -> user.id",)


def test_a_foreign_key_to_a_table_that_is_new(db):
    """E5: made first; rows that point there can only be wrong."""
    sync(model(db, "Task", user_id=IntegerField(null=True)))
    user = model(db, "User", name=CharField())
    task = model(db, "Task", user=ForeignKeyField(user, null=True))
    task.insert(user=3).execute()
    report = sync(task, user, alter=True)
    assert report.created == ("user",)
    assert "1 row refers to nothing" in report.differences[0]
    task.delete().execute()
    assert sync(task, user, alter=True).constraints == ("task.user_id -> user.id",)
    assert sync(task, user, alter=True) == Report()


def test_a_new_table_may_refer_to_a_new_unique_column(db):
    """E5: columns and their indexes come before new tables."""
    user = model(db, "User", name=CharField())
    sync(user)
    user = model(db, "User", name=CharField(), email=CharField(null=True, unique=True))
    task = model(db, "Task", user=ForeignKeyField(user, field="email", null=True))
    report = sync(task, user, alter=True)
    assert (report.columns, report.created) == (("user.email",), ("task",))
    user.create(name="ann", email="a@b")
    task.create(user="a@b")


@pytest.mark.parametrize("store", ["postgresql"], indirect=True)
def test_a_key_of_another_type_than_what_it_refers_to_is_named(db):
    """E10: before anything is written."""
    user = model(db, "User", name=CharField())
    sync(user, model(db, "Task", user_id=CharField()))
    with pytest.raises(SyncError) as caught:
        sync(user, model(db, "Task", user=ForeignKeyField(user)), alter=True)
    assert str(caught.value).startswith("sync() of table task: task.user_id cannot be compared with user.id: ")
    assert str(caught.value).endswith(". Make both of one type, with SQL.")
    assert caught.value.table == "task"


def test_other_rules_and_targets_are_reported(db):
    """E5, E7: a constraint that is there is not replaced."""
    user = model(db, "User", name=CharField())
    other = model(db, "Other", name=CharField())
    sync(user, other, model(db, "Task", user=ForeignKeyField(user, null=True, on_delete="CASCADE", on_update="CASCADE")))
    task = model(db, "Task", user=ForeignKeyField(user, null=True, on_delete="SET NULL", on_update="CASCADE"))
    report = sync(user, other, task, alter=True)
    assert not report
    assert report.differences == ("task.user_id is ON DELETE CASCADE in the database, and SET NULL in Task",)
    task = model(db, "Task", user=ForeignKeyField(other, null=True, on_delete="CASCADE", on_update="CASCADE"))
    assert sync(user, other, task, alter=True).differences == ("task.user_id refers to user.id in the database, and other.id in Task",)
    task = model(db, "Task", user_id=IntegerField(null=True))
    assert sync(user, other, task, alter=True).differences == ("task.user_id refers to user in the database, and to nothing in Task",)


def test_a_foreign_key_of_several_columns_is_left_alone(db):
    """E5: Meta.constraints may hold one; it is not taken for several."""
    pair = model(db, "Pair", a=IntegerField(), b=IntegerField(), meta={"primary_key": CompositeKey("a", "b")})
    sync(pair)
    refers = SQL("FOREIGN KEY (a, b) REFERENCES pair (a, b)")
    task = model(db, "Task", a=IntegerField(), b=IntegerField(), meta={"constraints": [refers]})
    assert sync(task).created == ("task",)
    assert sync(task, pair, alter=True) == Report()
    with pytest.raises(SyncError) as caught:
        drop(pair)
    assert "task.a, b -> pair" in str(caught.value)
    assert drop(task, pair).dropped == ("task", "pair")


@pytest.mark.parametrize("store", ["sqlite", "mariadb"], indirect=True)
def test_columns_are_found_whatever_their_case(db):
    """E3: where the engine takes two cases for one name, sync does."""
    db.execute_sql("CREATE TABLE task (ID INTEGER PRIMARY KEY, Title VARCHAR(255))")
    assert sync(model(db, "Task", title=CharField(null=True)), alter=True) == Report()
