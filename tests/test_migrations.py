"""What `pwmigrate`, the migrations of peewee, sees of a declaration, and what its migrations make.

The models stand in a module of their own, as a program's do, and the commands are those of the command line.
"""

from __future__ import annotations

import importlib
import itertools
import os
import pickle
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import peewee
import pytest
from engines import Store
from playhouse import migrations

import activeassoc
from activeassoc import ReferenceField, WrongTarget, check, connect, sync
from activeassoc.keys import KeyField, UnconstrainedKeyField

HEAD = """
from peewee import AutoField, CharField
from activeassoc import Model, collection, connect, reference

db = connect({url!r})

class Base(Model):
    class Meta:
        database = db
"""

TRACKER = """
class User(Base):
    name = CharField()

class Project(Base):
    title = CharField()

class Task(Base):
    title = CharField()

class Team(Base):
    name = CharField()

class Membership(Base):
    role = CharField(default="member")

Project.has_many(Task, on_delete="CASCADE")
Project.has_many(User, as_="members", through=Membership)
User.belongs_to_many(Team)
Team.belongs_to_many(User)
User.belongs_to_many(User, as_="friends", symmetric=True)
Project.belongs_to(Project, as_="parent")
"""

_numbers = itertools.count(1)


class Program:
    """A module of models on one database, its folder of migrations, and what the command printed last."""

    def __init__(self, url: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.url, self.folder, self.capsys = url, folder, capsys
        self.models: Any = None

    def write(self, text: str) -> Any:
        """The program as it is now: a new module, as if it had been started again."""
        if self.models is not None:
            self.models.db.close()
        name = f"program_{next(_numbers)}"
        (self.folder / f"{name}.py").write_text(HEAD.format(url=self.url) + text)
        self.models = importlib.import_module(name)
        return self.models

    def pwmigrate(self, command: str, *words: str) -> str:
        """What the command prints; where it takes models, they are those of the program."""
        name = self.models.__name__
        told = [*words, name] if command in ("initial", "generate", "diff") and not any(":" in word for word in words) else [*words]
        words_ = [f"{name}.db", command, "-d", str(self.folder / "migrations"), *[word.replace("MODELS", name) for word in told]]
        self.capsys.readouterr()
        assert migrations.main(words_) == 0, self.capsys.readouterr().err
        return self.capsys.readouterr().out

    @property
    def last(self) -> Path:
        """The file of the migration that was written last."""
        return max((self.folder / "migrations").glob("0*.py"))

    def leave_out(self, line: str) -> None:
        """What a person does who edits a migration."""
        text = self.last.read_text()
        assert line in text
        self.last.write_text(text.replace(line, "pass"))


@pytest.fixture
def program(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    before = set(sys.modules)
    found = Program(store.url(), tmp_path, capsys)
    yield found
    if found.models is not None:
        found.models.db.close()
    for name in set(sys.modules) - before:
        if name.startswith("program_"):
            vars(sys.modules.pop(name)).clear()


def test_generated_through_models_and_keys_are_made_by_the_first_migration(program: Program) -> None:
    """Tables, keys and constraints that declarations make are in `initial`; what it makes is what sync would, and `down` takes it back."""
    models = program.write(TRACKER)
    assert program.pwmigrate("initial").endswith("0001_initial.py\n")
    assert program.pwmigrate("up") == "applied: 0001_initial\n"
    assert program.pwmigrate("diff") == "schema matches models.\n"
    assert program.pwmigrate("generate", "nothing") == "schema matches models. Nothing to generate.\n"

    report = sync(models.db, dry_run=True)
    assert not report and not report.differences, str(report)
    assert str(check(models.db)) == "Checked 7 models: nothing is wrong."
    apollo, ann = models.Project.create(title="Apollo"), models.User.create(name="Ann")
    apollo.create_task(title="Launch")
    apollo.add_member(ann)
    ann.create_team(name="red")
    ann.create_friend(name="Bob")
    with pytest.raises(peewee.IntegrityError):
        models.Task.create(title="of nothing", project=99)
    apollo.delete_instance()
    assert (models.Task.select().count(), models.Membership.select().count(), models.User.select().count()) == (0, 0, 2)

    assert program.pwmigrate("down") == "reverted: 0001_initial\n"
    assert models.db.get_tables() == ["schema_migration"]


def test_a_declaration_that_is_added_becomes_a_migration_of_its_own(program: Program, store: Store) -> None:
    """A key added to a table with rows, and a new through model: `generate` writes both, rows stay, and the constraint holds."""
    models = program.write(TRACKER)
    program.pwmigrate("initial")
    program.pwmigrate("up")
    launch = models.Task.create(title="Launch").id
    ann = models.User.create(name="Ann").id

    models = program.write(TRACKER + "Task.belongs_to(User, as_='owner')\nTask.belongs_to_many(User, as_='watchers', through='watching')\n")
    assert set(program.pwmigrate("diff").splitlines()) >= {"create table watching", "add column task.owner_id"}
    program.pwmigrate("generate", "owners")
    assert program.pwmigrate("up") == "applied: 0002_owners\n"
    assert program.pwmigrate("diff") == "schema matches models.\n"
    assert not sync(models.db, dry_run=True).differences

    task = models.Task.get_by_id(launch)
    assert (task.title, task.owner) == ("Launch", None)
    task.set_owner(ann)
    task.add_watcher(ann)
    with pytest.raises(peewee.IntegrityError), models.db.atomic():
        models.Task.update(owner=99).execute()
    assert models.User.get_by_id(ann).delete_instance() == 1
    assert models.Task.get_by_id(launch).owner_id is None

    if store.name == "mariadb":  # its index is needed by the constraint, and goes with the column
        program.leave_out("migrator.migrate(migrator.drop_index('task', 'task_owner_id'))")
    assert program.pwmigrate("down") == "reverted: 0002_owners\n"
    assert [task.title for task in models.Task.select(models.Task.title)] == ["Launch"]
    assert "watching" not in models.db.get_tables()


def test_a_key_without_a_constraint_has_none_in_its_migration(program: Program) -> None:
    """constraints=False, and a key to another database: a column, and no reference to a table that may not be there."""
    text = """
class Car(Base):
    plate = CharField()

class Zone(Base):
    name = CharField()

class Far(Model):
    class Meta:
        database = connect("sqlite:///:memory:")

Car.belongs_to(Zone, constraints=False)
Car.belongs_to(Far)
HERE = [Car, Zone]
"""
    models = program.write(text)
    assert [type(models.Car._meta.fields[name]) for name in ("zone", "far")] == [UnconstrainedKeyField, UnconstrainedKeyField]
    program.pwmigrate("initial", "MODELS:HERE")
    assert program.pwmigrate("up") == "applied: 0001_initial\n"
    assert models.db.get_foreign_keys("car") == []
    assert {column.name for column in models.db.get_columns("car")} == {"id", "plate", "zone_id", "far_id"}
    assert sorted(models.db.get_tables()) == ["car", "schema_migration", "zone"]
    assert models.Car.create(plate="X", zone=99, far=98).zone_id == 99

    models = program.write(text + "\nCar.belongs_to(Zone, as_='former', constraints=False)\n")
    program.pwmigrate("generate", "former", "MODELS:HERE")
    program.pwmigrate("up")
    assert program.pwmigrate("diff", "MODELS:HERE") == "schema matches models.\n"
    assert models.db.get_foreign_keys("car") == []
    assert models.Car.update(former=97).execute() == 1


def test_a_key_without_a_constraint_lets_constraints_go_first(fresh: Any) -> None:
    """What a key refers to is made first, but not where a constraint leads back: its table would refer to none."""
    User, Pet, Zone = fresh("User", "Pet", "Zone")
    User.has_many(Pet)
    User.belongs_to(Pet, as_="favourite", constraints=False)
    Pet.belongs_to(Zone, constraints=False)
    assert (User._meta.depends_on, Pet._meta.depends_on, Zone._meta.depends_on) == (None, [Zone], None)
    assert peewee.sort_models([Pet, User, Zone]) == [User, Zone, Pet]
    fresh.db.create_tables([Pet, User, Zone])
    assert [key.column for key in fresh.db.get_foreign_keys("pet")] == ["user_id"]
    assert fresh.db.get_foreign_keys("user") == []


def test_a_through_model_with_a_key_of_its_own_gets_its_unique_index_by_the_second_migration(program: Program) -> None:
    """`initial` says that it leaves the index of the pair out; `generate` sees it and writes it."""
    models = program.write(
        """
class User(Base):
    name = CharField()

class Car(Base):
    plate = CharField()

class Rental(Base):
    number = AutoField()

User.has_many(Car, through=Rental)
"""
    )
    program.pwmigrate("initial")
    assert "# TODO: rental: index uq_rental_user_id_car_id must be added by hand\n" in program.last.read_text()
    program.pwmigrate("up")
    assert program.pwmigrate("diff") == "add index rental (user_id, car_id) unique\n"
    program.pwmigrate("generate", "pairs")
    program.pwmigrate("up")
    assert program.pwmigrate("diff") == "schema matches models.\n"
    ann, car = models.User.create(name="Ann"), models.Car.create(plate="X")
    assert (ann.add_car(car), ann.add_car(car), models.Rental.select().count()) == (1, 0, 1)


CLASS_BODY = """
class Team(Base):
    users = collection("User", via="teams")

class User(Base):
    name = CharField()
    teams = collection("Team", via="users")
    followers = collection("self", via="followed")
    followed = collection("self", via="followers")

class Tag(Base):
    users = collection("User")
"""


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_what_a_class_body_declares_is_seen(program: Program) -> None:
    """B5: the links stand in the module of the class that declares them, picklable; those of a one-way collection from its first use."""
    models = program.write(CLASS_BODY)
    program.pwmigrate("initial")
    made = set(re.findall(r"create_tables\(\[(\w+)\]\)", program.last.read_text()))
    assert made == {"User", "TeamUsersUserTeams", "UserFollowedUserFollowers"}
    link = models.User.followers.through
    assert type(pickle.loads(pickle.dumps(link(user_followers=1, user_followed=2)))) is link
    program.pwmigrate("up")
    assert program.pwmigrate("diff") == "schema matches models.\n"
    assert models.Tag.users.through._meta.table_name in program.pwmigrate("diff")


def test_the_fields_that_migrations_name_stay_where_they_are() -> None:
    """A migration is kept for years: the names that it imports are fixed."""
    assert (KeyField.__module__, KeyField.__name__) == ("activeassoc.keys", "KeyField")
    assert (UnconstrainedKeyField.__module__, UnconstrainedKeyField.__name__) == ("activeassoc.keys", "UnconstrainedKeyField")


def test_a_reference_that_does_not_say_what_it_points_to() -> None:
    """pwmigrate writes options that it knows: the error says what to write in the migration."""
    with pytest.raises(WrongTarget) as error:
        ReferenceField(index=True, null=True)
    assert str(error.value) == (
        "ReferenceField(): it does not say what it points to, and so has no type. "
        'Write ReferenceField("Trainer"), and in a migration the field that has the type of the column, as in '
        "IntegerField(null=True, index=True)."
    )


def test_the_command_itself(tmp_path: Path) -> None:
    """`python -m playhouse.migrations` from the folder of a program, as the how-to shows it."""
    (tmp_path / "models.py").write_text(HEAD.format(url="sqlite:///app.db") + TRACKER)
    environment = {**os.environ, "PYTHONPATH": str(Path(activeassoc.__file__).parents[1]), "PYTHONDONTWRITEBYTECODE": "1"}

    def pwmigrate(*words: str) -> str:
        command = [sys.executable, "-m", "playhouse.migrations", "models.db", *words]
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True, timeout=60)
        return done.stdout

    pwmigrate("initial", "models")
    assert pwmigrate("up") == "applied: 0001_initial\n"
    db = connect(f"sqlite:///{tmp_path / 'app.db'}")
    assert set(db.get_tables()) == {
        *("user", "project", "task", "team", "membership", "teams_users", "friends_users", "schema_migration"),
    }
    db.close()
