"""sync: the tables that it creates, with their indexes, constraints and names; two models of one table."""

from __future__ import annotations

import peewee
import pytest
from looking import keys, pk, table
from peewee import SQL, CharField, CompositeKey, ForeignKeyField, IntegerField, ModelIndex
from synced import indexes, tracker

from activeassoc import SyncError, drop, sync
from activeassoc.stores.ddl import dialect_of
from activeassoc.sync import Report


def test_the_second_sync_does_nothing(db, Base):
    """E3, E7: and its report is falsy, with no differences."""
    tracker(Base)
    assert sync(db)
    again = sync(db)
    assert not again
    assert again == Report()
    assert str(again) == "Nothing to do."
    assert not sync(db, alter=True)


@pytest.mark.parametrize("rule", ["RESTRICT", "CASCADE", "NO ACTION", "SET NULL", "SET DEFAULT"])
def test_on_delete_and_on_update_are_as_declared(db, Base, rule):
    """E1: as information_schema and PRAGMA foreign_key_list tell it; SET DEFAULT raises where the engine does not do it."""

    class User(Base):
        pass

    class Task(Base):
        user = ForeignKeyField(User, null=True, on_delete=rule, on_update=rule, constraints=[SQL("DEFAULT NULL")])

    if rule == "SET DEFAULT" and not dialect_of(db).sets_default:
        with pytest.raises(SyncError) as caught:
            sync(db)
        assert str(caught.value) == (
            "sync() of Task.user: on_delete='SET DEFAULT' would be kept as RESTRICT by this database. "
            "Use another rule, or SQLite or PostgreSQL."
        )
        assert db.get_tables() == []
        return
    sync(db)
    assert keys(Task) == {("user_id", "user", "id", rule, rule)}
    assert not sync(db).differences


def test_without_a_rule_the_engines_default_is_no_difference(db, Base):
    """E1, E3: MariaDB calls it RESTRICT."""

    class User(Base):
        pass

    class Task(Base):
        user = ForeignKeyField(User)

    sync(db)
    assert sync(db) == Report()


def test_constraints_hold(db, Base):
    """E1: a dangling key is refused, a cascade cascades."""
    User, Project, Task = tracker(Base)
    sync(db)
    with pytest.raises(peewee.IntegrityError), db.atomic():
        Project.create(title="x", owner=99)
    project = Project.create(title="x", owner=User.create(name="ann"))
    Task.create(project=project)
    project.delete_instance()
    assert Task.select().count() == 0


def test_every_key_leads_an_index_and_none_is_made_twice(db, Base):
    """E3: MariaDB would make an index of its own for a foreign key that had none."""

    class User(Base):
        pass

    class Project(Base):
        pass

    class Link(Base):
        user = ForeignKeyField(User)
        project = ForeignKeyField(Project)

        class Meta:
            primary_key = CompositeKey("user", "project")

    class Note(Base):
        user = ForeignKeyField(User, index=False)
        project = ForeignKeyField(Project)
        title = CharField(index=True)
        unique_user = ForeignKeyField(User, unique=True)

        class Meta:
            indexes = ((("project", "title"), True), (("title",), False))

    sync(db)
    assert indexes(Link) == [(("project_id",), False)]
    assert indexes(Note) == [(("project_id", "title"), True), (("title",), False), (("unique_user_id",), True), (("user_id",), False)]


def test_a_key_that_is_the_primary_key_needs_no_index(db, Base):
    """E3: the primary key is one."""

    class User(Base):
        pass

    class Profile(Base):
        user = ForeignKeyField(User, primary_key=True)

    sync(db)
    assert indexes(Profile) == []
    assert pk(Profile) == {"user_id"}
    assert sync(db) == Report()


def test_two_models_of_one_class_name_both_get_their_unique_index(db, Base):
    """B6: index names come from the class name with IF NOT EXISTS: a second model of the same name gets no unique index."""
    made = []
    for name in ("link_one", "link_two"):

        class Link(Base):
            a = IntegerField()
            b = IntegerField()

            class Meta:
                table_name = name
                indexes = ((("a", "b"), True),)

        made.append(Link)
    sync(*made)
    for model in made:
        assert indexes(model) == [(("a", "b"), True)]
        model.create(a=1, b=1)
        with pytest.raises(peewee.IntegrityError), db.atomic():
            model.create(a=1, b=1)


def test_names_of_indexes_and_constraints_come_from_table_and_columns(db, Base):
    """B6: a name that the user gave is kept."""

    class User(Base):
        email = CharField(unique=True)

    class Task(Base):
        user = ForeignKeyField(User, null=True)
        boss = ForeignKeyField(User, null=True, constraint_name="the_boss")
        title = CharField()

    Task.add_index(ModelIndex(Task, (Task.title,), name="my_titles"))
    sql = "\n".join(sync(db, dry_run=True).statements)
    for name in ("uq_user_email", "ix_task_user_id", "fk_task_user_id", "the_boss", "my_titles"):
        assert name in sql
    sync(db)
    assert {"ix_task_user_id", "my_titles"} <= {index.name for index in db.get_indexes("task")}
    assert sync(db) == Report()


def test_long_names_are_cut_and_stay_distinct(db, Base):
    """B6: two keys whose names differ only beyond the limit."""
    long = "a_column_with_quite_a_long_name_that_says_it_all"

    class User(Base):
        pass

    class AModelWithANameOfQuiteSomeLength(Base):
        class Meta:
            table_name = "a_model_with_a_name_of_quite_some_length"

    for end in ("one", "two"):
        field = ForeignKeyField(User, null=True, column_name=f"{long}_{end}", backref=end)
        AModelWithANameOfQuiteSomeLength._meta.add_field(end, field)
    sync(db)
    assert {key[0] for key in keys(AModelWithANameOfQuiteSomeLength)} == {f"{long}_one", f"{long}_two"}
    assert sync(db) == Report()


def test_the_same_name_from_other_tables_and_columns_is_told_apart(db, Base):
    """B6: the index of a.b_c and that of a_b.c."""

    class A(Base):
        b_c = IntegerField(index=True)

    class AB(Base):
        c = IntegerField(index=True)

        class Meta:
            table_name = "a_b"

    sync(db)
    assert indexes(A) == [(("b_c",), False)]
    assert indexes(AB) == [(("c",), False)]
    assert sync(db) == Report()


@pytest.mark.parametrize("store", ["postgresql", "mariadb"], indirect=True)
def test_a_table_name_that_the_engine_would_cut_is_refused(db, Base):
    """B6: PostgreSQL cuts it silently, and no sync would ever find the table again."""

    class Long(Base):
        class Meta:
            table_name = "x" * 65

    with pytest.raises(SyncError) as caught:
        sync(db)
    most = dialect_of(db).name_limit
    assert str(caught.value) == (
        f"sync() of table {'x' * 65}: the name {'x' * 65!r} has 65 bytes, and names here have at most {most}. "
        "Shorten it with Meta.table_name or column_name."
    )


def test_everything_else_that_a_model_says_is_in_the_table(db, Base):
    """E3: checks, defaults, partial or named indexes, as peewee makes them."""

    class Item(Base):
        price = IntegerField(constraints=[SQL("DEFAULT 7")])
        name = CharField()

        class Meta:
            constraints = (peewee.Check("price > 0"),)

    sync(db)
    db.execute_sql("INSERT INTO item (name) VALUES ('x')")
    assert Item.get().price == 7
    with pytest.raises((peewee.IntegrityError, peewee.OperationalError)), db.atomic():
        Item.create(price=-1, name="y")


@pytest.mark.parametrize("store", ["sqlite", "postgresql"], indirect=True)
def test_an_index_on_an_expression_or_on_some_rows_is_made_once(db, Base):
    """E3: it is known by its name. (MariaDB has neither.)"""

    class Item(Base):
        name = CharField()
        done = IntegerField()

    Item.add_index(ModelIndex(Item, (Item.name,), unique=True, where=(Item.done == 0)))
    Item.add_index(SQL("CREATE INDEX item_lower ON item (lower(name))"))
    report = sync(db)
    assert any("WHERE" in statement for statement in report.statements)
    assert sync(db) == Report()
    Item.create(name="a", done=1)
    Item.create(name="a", done=1)


@pytest.mark.parametrize("store", ["sqlite", "postgresql"], indirect=True)
def test_an_index_known_by_its_name_is_found_under_another_one(db, Base):
    """B6: where the name was taken."""

    class Item(Base):
        name = CharField()

    class Other(Base):
        name = CharField()

    for model in (Item, Other):
        model.add_index(ModelIndex(model, (model.name,), unique=True, where=(model.name != ""), name="named"))
    sync(db)
    assert sync(db, alter=True) == Report()
    assert [len([index for index in db.get_indexes(table(model)) if index.name.startswith("named")]) for model in (Item, Other)] == [1, 1]


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_a_virtual_table_words_its_own(db):
    """E3: peewee's full-text models."""
    from playhouse.sqlite_ext import FTS5Model, SearchField

    class Note(FTS5Model):
        text = SearchField()

        class Meta:
            database = db

    assert sync(Note).created == ("note",)
    assert sync(Note, alter=True) == Report()
    Note.create(text="hello world")
    assert Note.search("world").count() == 1
    assert drop(Note).dropped == ("note",)


def test_nothing_of_the_models_is_changed(db, Base):
    """E3: peewee's own create_table makes its constraints as before."""
    Project = tracker(Base).Project
    before = [(field.deferred, field.constraint_name) for field in Project._meta.refs]
    sync(db)
    assert [(field.deferred, field.constraint_name) for field in Project._meta.refs] == before
    assert "FOREIGN KEY" in Project._schema._create_table().query()[0]


def test_two_models_of_one_table_are_refused(db, Base):
    """B7"""

    class User(Base):
        name = CharField()

    class Person(Base):
        surname = CharField()

        class Meta:
            table_name = "user"

    with pytest.raises(SyncError) as caught:
        sync(db)
    ours = f"{__name__}.test_two_models_of_one_table_are_refused.<locals>"
    assert str(caught.value) == (
        f"sync() of table user: {ours}.User and {ours}.Person both want it, with other columns (name, surname). "
        "Give one of them another Meta.table_name, or both the same columns."
    )
    assert db.get_tables() == []


def test_an_alias_of_a_model_shares_its_table(db, Base):
    """B7: with the same columns; keys and indexes of both count."""
    Project = tracker(Base).Project

    class Reflected(Base):
        title = CharField(unique=True)
        owner_id = IntegerField(null=True)

        class Meta:
            table_name = "project"

    assert sync(db).created == ("user", "project", "task")
    assert {key[0] for key in keys(Project)} == {"owner_id"}
    assert indexes(Project) == [(("owner_id",), False), (("title",), True)]
    assert sync(db) == Report()
    assert sorted(drop(db).dropped) == ["project", "task", "user"]
