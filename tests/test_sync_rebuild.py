"""sync(alter=True) on SQLite, where a table has to be made again for a foreign key: nothing that it had is lost."""

from __future__ import annotations

import peewee
import pytest
from looking import keys, raw
from peewee import SQL, CharField, ForeignKeyField, IntegerField, TextField
from synced import hand_made, model

from activeassoc import SyncError, sync
from activeassoc.stores.ddl import rebuild
from activeassoc.sync import Report

sqlite = pytest.mark.parametrize("store", ["sqlite"], indirect=True)


@sqlite
def test_a_table_is_not_made_again_inside_a_transaction(db):
    """E5: PRAGMA foreign_keys inside a transaction is a silent no-op."""
    user, task = hand_made(db)
    task.create(title="t")
    with pytest.raises(SyncError) as caught, db.atomic():
        sync(task, user, alter=True)
    assert str(caught.value) == (
        "sync(alter=True) inside a transaction: the table task has to be made again for a foreign key, and that would delete the rows "
        "that refer to it. Call sync(alter=True) before it."
    )
    assert keys(task) == set()
    assert task.select().count() == 1
    sync(task, user, alter=True)
    with db.atomic():
        assert not sync(task, user, alter=True)


@sqlite
def test_a_table_made_again_keeps_all_that_it_had(db):
    """E5: checks, collations, computed columns, AUTOINCREMENT, indexes, triggers, views, comments, rowids."""
    user = model(db, "User", name=CharField())
    sync(user)
    db.execute_sql(
        """CREATE TABLE "ta(sk" ( -- a comment, with a bracket )
          id INTEGER PRIMARY KEY AUTOINCREMENT, /* and , another ( */
          title TEXT COLLATE NOCASE DEFAULT 'a,)b' CHECK (title <> 'x, (y)'),
          upper TEXT GENERATED ALWAYS AS (upper(title)) STORED, [odd, name)] INTEGER, `user_id` INTEGER,
          CONSTRAINT "c, (" UNIQUE (title), -- the last one
          CHECK (id > 0) -- really
        )"""
    )
    db.execute_sql('CREATE INDEX by_odd ON "ta(sk" ([odd, name)]) WHERE id > 1')
    db.execute_sql("CREATE TABLE log (what TEXT)")
    db.execute_sql("""CREATE TRIGGER tr AFTER INSERT ON "ta(sk" BEGIN INSERT INTO log VALUES ('new ' || new.id); END""")
    db.execute_sql("""CREATE TRIGGER tr2 AFTER INSERT ON log BEGIN UPDATE "ta(sk" SET [odd, name)] = 1; END""")
    db.execute_sql('CREATE VIEW v AS SELECT id, title FROM "ta(sk"')
    db.execute_sql("""INSERT INTO "ta(sk" (id, title, user_id) VALUES (3, 'a', NULL), (8, 'b', NULL)""")
    db.execute_sql('DELETE FROM "ta(sk" WHERE id = 8')
    objects = raw(db, "SELECT type, name, sql FROM sqlite_master WHERE name <> 'ta(sk' AND sql IS NOT NULL")
    task = model(
        db,
        "Task",
        title=TextField(null=True),
        upper=TextField(null=True),
        odd=IntegerField(null=True, column_name="odd, name)"),
        user=ForeignKeyField(user, null=True),
        boss=ForeignKeyField(user, null=True, constraints=[SQL("DEFAULT NULL")], index=False),
        meta={"table_name": "ta(sk", "indexes": [SQL("CREATE INDEX by_odd ON x (y)")]},
    )
    report = sync(task, user, alter=True)
    assert (report.columns, report.constraints) == (
        ("ta(sk.boss_id",),
        ("ta(sk.user_id -> user.id", "ta(sk.boss_id -> user.id"),
    )
    assert report.differences == ()
    assert {key[0] for key in keys(task)} == {"user_id", "boss_id"}
    kept = raw(db, "SELECT type, name, sql FROM sqlite_master WHERE name <> 'ta(sk' AND sql IS NOT NULL")
    assert [each for each in kept if not each[1].startswith("ix_")] == objects
    assert raw(db, 'SELECT id, title, upper, user_id, boss_id FROM "ta(sk"') == [(3, "a", "A", None, None)]
    task.create(title="c")
    assert raw(db, "SELECT id, title FROM v") == [(3, "a"), (9, "c")]  # 8 is not given again
    assert raw(db, "SELECT what FROM log") == [("new 3",), ("new 8",), ("new 9",)]
    assert task.select().where(task.title == "A").count() == 1
    for wrong in ("x, (y)", "A"):
        with pytest.raises(peewee.IntegrityError):
            task.create(title=wrong)
    sql = db.execute_sql("SELECT sql FROM sqlite_master WHERE name = 'ta(sk'").fetchone()[0]
    assert all(part in sql for part in ("-- a comment, with a bracket )", "/* and , another ( */", "AUTOINCREMENT", "-- the last one"))
    assert sync(task, user, alter=True) == Report()
    assert db.execute_sql("PRAGMA foreign_keys").fetchone() == (1,)
    assert db.execute_sql("PRAGMA legacy_alter_table").fetchone() == (0,)
    assert db.execute_sql("PRAGMA integrity_check").fetchone() == ("ok",)


@sqlite
@pytest.mark.parametrize(
    "text",
    [
        "CREATE TABLE task (id INTEGER PRIMARY KEY, user_id INTEGER) STRICT",
        "CREATE TABLE task (id INTEGER PRIMARY KEY, user_id INTEGER) WITHOUT ROWID",
        "CREATE TABLE task (id INTEGER PRIMARY KEY, user_id INTEGER) STRICT, WITHOUT  ROWID",
        "CREATE TABLE main.task (id INTEGER, user_id INTEGER, rowid TEXT, PRIMARY KEY (id))",
        "CREATE TABLE 'task' (id INT PRIMARY KEY, user_id INTEGER)",
        "CREATE TABLE IF NOT EXISTS TASK (ID INTEGER PRIMARY KEY DESC, USER_ID INTEGER)",
        "CREATE TABLE task AS SELECT 1 AS id, NULL AS user_id",
        "CREATE TABLE task(id INTEGER PRIMARY KEY,user_id INTEGER,parent INTEGER REFERENCES task(id))",
    ],
)
def test_tables_of_every_kind_are_made_again(db, text):
    """E5: and keep their kind, and the rowids of their rows."""
    user = model(db, "User", name=CharField())
    sync(user)
    db.execute_sql(text)
    db.execute_sql("DELETE FROM task")
    db.execute_sql("INSERT INTO task (id, user_id) VALUES (7, NULL), (3, NULL), (5, NULL)")
    db.execute_sql("DELETE FROM task WHERE id = 3")
    hidden = [name for name in ("rowid", "_rowid_") if "ROWID" not in text.upper()]
    before = raw(db, f"SELECT {', '.join(['id', *hidden])} FROM task")
    task = model(db, "Task", user=ForeignKeyField(user, null=True))
    assert sync(task, user, alter=True).constraints == ("task.user_id -> user.id",)
    assert raw(db, f"SELECT {', '.join(['id', *hidden])} FROM task") == before
    assert ("user_id", "user", "id", "NO ACTION", "NO ACTION") in {(key[0].lower(), *key[1:]) for key in keys(task)}
    sql = db.execute_sql("SELECT sql FROM sqlite_master WHERE lower(name) = 'task'").fetchone()[0]
    assert [word in sql.upper() for word in ("STRICT", "WITHOUT")] == [word in text.upper() for word in ("STRICT", "WITHOUT")]
    if "parent" in text:
        assert ("parent", "task", "id", "NO ACTION", "NO ACTION") in keys(task)
    assert not sync(task, user, alter=True)
    with pytest.raises(peewee.IntegrityError):
        db.execute_sql("INSERT INTO task (id, user_id) VALUES (100, 99)")


@sqlite
def test_several_tables_are_made_again_at_once(db):
    """E5: those that refer to each other too."""
    db.execute_sql("CREATE TABLE a (id INTEGER PRIMARY KEY, b_id INTEGER)")
    db.execute_sql("CREATE TABLE b (id INTEGER PRIMARY KEY, a_id INTEGER)")
    db.execute_sql("INSERT INTO a VALUES (1, 1)")
    db.execute_sql("INSERT INTO b VALUES (1, 1)")
    a = model(db, "A")
    b = model(db, "B", a=ForeignKeyField(a, null=True, on_delete="CASCADE"))
    a._meta.add_field("b", ForeignKeyField(b, null=True, on_delete="CASCADE", backref="+"))
    assert set(sync(a, b, alter=True).constraints) == {"a.b_id -> b.id", "b.a_id -> a.id"}
    assert (a.select().count(), b.select().count()) == (1, 1)
    assert sync(a, b, alter=True) == Report()


@sqlite
def test_a_failure_while_a_table_is_made_again_leaves_it_as_it_was(db):
    """E5, E10: and foreign keys are on again."""
    user, task = hand_made(db)
    db.execute_sql("CREATE TABLE activeassoc_new_task (id INTEGER)")
    task.create(title="t")
    before = raw(db, "SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL")
    with pytest.raises(SyncError) as caught:
        sync(task, user, alter=True)
    assert caught.value.table == "task"
    assert str(caught.value).endswith("Nothing was changed.")
    assert raw(db, "SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL") == before
    assert task.select().count() == 1
    assert db.execute_sql("PRAGMA foreign_keys").fetchone() == (1,)
    assert not db.in_transaction()


@sqlite
def test_rows_that_were_broken_before_do_not_stand_in_the_way(db):
    """E5: another key of the table may dangle since foreign keys were off."""
    user, task = hand_made(db, "other INTEGER REFERENCES user (id)")
    db.execute_sql("PRAGMA foreign_keys = 0")
    db.execute_sql("INSERT INTO task (id, other) VALUES (1, 99)")
    db.execute_sql("PRAGMA foreign_keys = 1")
    assert sync(task, user, alter=True).constraints == ("task.user_id -> user.id",)
    assert raw(db, "SELECT id, other FROM task") == [(1, 99)]


@pytest.mark.parametrize(
    ("text", "definitions"),
    [
        ("CREATE TABLE t (a, b)", ["a", " b"]),
        ("CREATE TABLE t(a DEFAULT (1, 2), b CHECK (b IN ('(', ','))) STRICT", ["a DEFAULT (1, 2)", " b CHECK (b IN ('(', ','))"]),
        ('CREATE TABLE "t(" ("a""(,", `b)`, [c,], -- d, )\n e)', ['"a""(,"', " `b)`", " [c,]", " -- d, )\n e"]),
        ("CREATE TABLE t (a 'it''s, (', /* , ) */ b)", ["a 'it''s, ('", " /* , ) */ b"]),
    ],
)
def test_a_create_table_is_cut_where_its_definitions_end(text, definitions):
    """E5: commas and brackets in strings, names and comments mean nothing."""
    head, found, tail = rebuild.pieces(text)
    assert found == definitions
    assert f"{head}({','.join(found)}){tail}" == text


def test_additions_stand_where_sqlite_wants_them():
    """E5: columns before the constraints of the table, constraints last."""
    text = 'CREATE TABLE t ("check" INTEGER, b, -- x\n /* y */ PRIMARY KEY (b) -- z\n) STRICT'
    assert rebuild.extended(text, "n", ["c INTEGER"], ["UNIQUE (c)"]) == (
        'CREATE TABLE n ("check" INTEGER, b, c INTEGER, -- x\n /* y */ PRIMARY KEY (b) -- z\n, UNIQUE (c)) STRICT'
    )
