"""Models for a database that exists: the code imports, is what a person would write, and answers as the models it was made for."""

from __future__ import annotations

import ast
import contextlib
import gc
import importlib.util
import itertools
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import peewee
import pytest
from peewee import CharField, CompositeKey, DateField, ForeignKeyField, IntegerField, TextField

import activeassoc
from activeassoc import AssociationError, ConnectError, UnknownName, UnsupportedQuery, WrongArgument, connect, registry, sync
from activeassoc.reflect import models_of, reflect
from activeassoc.reflect.layout import Node, laid_out, literal, remark
from activeassoc.reflect.words import class_names, field_name, identifier
from activeassoc.stores.ddl import dialect_of

_numbers = itertools.count(1)

_checked: set[str] = set()

RUFF = shutil.which("ruff", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]))
LINT = ("check", "--select", "E,W,F,I,B,C4,PIE,RUF100,SIM,UP", "--target-version", "py311")


@pytest.fixture
def imported(tmp_path: Path) -> Iterator[Callable[[str], Any]]:
    """``imported(code)``: the code, checked as a person's would be, written to a file and imported."""
    with importing(tmp_path) as load:
        yield load


@contextlib.contextmanager
def importing(tmp_path: Path) -> Iterator[Callable[[str], Any]]:
    """A block in which code can be imported from files in this directory."""
    modules = []

    def load(code: str) -> Any:
        name = f"reflected_models_{next(_numbers)}"
        path = tmp_path / f"{name}.py"
        path.write_text(code, encoding="utf-8")
        # Several tests read one database: what differs is where it lies.
        text = "\n".join(line for line in code.splitlines() if not line.startswith(('"""', "db = ")))
        if RUFF is not None and text not in _checked:
            _checked.add(text)
            for command in (LINT, ("format", "--check")):
                arguments = [RUFF, *command, "--isolated", "--no-cache", "--line-length", "140", path.name]
                done = subprocess.run(arguments, capture_output=True, text=True, check=False, cwd=tmp_path)
                assert done.returncode == 0, f"{done.stdout}{done.stderr}{code}"
        assert not [line for line in code.splitlines() if len(line) > 140 and " " in line.strip()[:-20]]
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
        modules.append(module)
        return module

    yield load
    for module in modules:
        sys.modules.pop(module.__name__, None)
        if hasattr(module, "db"):
            module.db.close()


def made(store: Any, *statements: str) -> tuple[str, Any]:
    """A new database that holds what these statements make: its URL, and the database."""
    url = store.url()
    db = store.connect(url)
    for statement in statements:
        db.execute_sql(statement)
    return url, db


def class_of(code: str, name: str) -> list[str]:
    """The lines of a class, without those that are empty."""
    lines = code.splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith(f"class {name}("))
    body = itertools.takewhile(lambda line: not line or line.startswith(" "), lines[start + 1 :])
    return [line.strip() for line in body if line]


def calls_of(code: str, source: str = "") -> list[str]:
    """The declarations, each on one line."""
    found = [ast.unparse(node).replace("'", '"') for node in ast.parse(code).body if isinstance(node, ast.Expr)]
    return [call for call in found[1:] if call.startswith(source)]


# Chinook


def test_the_music_shop_comes_out_as_a_person_wrote_it(chinook: Path, imported: Any) -> None:
    """Playlist.tracks, Employee.reports_to and Artist.albums are there by themselves, and answer as plain SQL does."""
    code = reflect(f"sqlite:///{chinook}")
    shop = imported(code)
    plain = sqlite3.connect(chinook)
    try:
        for artist in shop.Artist.select().where(shop.Artist.id.in_([1, 22, 90])):
            rows = plain.execute("SELECT AlbumId FROM Album WHERE ArtistId = ? ORDER BY AlbumId", (artist.id,)).fetchall()
            assert [(album.id,) for album in artist.get_albums()] == rows
        rows = plain.execute("SELECT TrackId FROM PlaylistTrack WHERE PlaylistId = 12 ORDER BY TrackId").fetchall()
        assert [(track.id,) for track in shop.Playlist.get_by_id(12).get_tracks()] == rows
        assert [playlist.id for playlist in shop.Track.get_by_id(1).get_playlists()] == [1, 8, 17]
        jane = shop.Employee.get(shop.Employee.last_name == "Peacock")
        assert jane.reports_to.last_name == "Edwards"
        assert jane.reports_to_id == 2
        assert [person.last_name for person in jane.reports_to.get_reports()] == ["Peacock", "Park", "Johnson"]
        count = plain.execute("SELECT COUNT(*) FROM Customer WHERE SupportRepId = ?", (jane.id,)).fetchone()[0]
        assert jane.count_customers() == count
        line = shop.InvoiceLine.get_by_id(1)
        assert str(line.unit_price) == "0.99"
        assert line.get_track().get_album().get_artist().name == "Accept"
        assert shop.Invoice.get_by_id(1).invoice_date.year == 2021
    finally:
        plain.close()
    assert calls_of(code, "Playlist") == [
        'Playlist.has_many(Track, through=PlaylistTrack, foreign_key="PlaylistId", other_key="TrackId", '
        'on_delete="NO ACTION", on_update="NO ACTION")'
    ]
    assert calls_of(code, "Employee") == [
        'Employee.belongs_to("self", as_="reports_to", foreign_key="ReportsTo", on_delete="NO ACTION", on_update="NO ACTION")',
        'Employee.has_many("self", as_="reports")',
        "Employee.has_many(Customer)",
    ]
    assert class_of(code, "Artist") == [
        'id = AutoField(column_name="ArtistId")',
        'name = CharField(column_name="Name", max_length=120, null=True)',
        "class Meta:",
        'table_name = "Artist"',
    ]


def test_the_music_shop_can_be_written_to(chinook: Path, imported: Any) -> None:
    """The models are those of the tables: what is written stands there."""
    shop = imported(reflect(f"sqlite:///{chinook}"))
    artist = shop.Artist.create(name="New")
    album = artist.create_album(title="First")
    playlist = shop.Playlist.create(name="Mine")
    assert playlist.add_tracks([1, 2]) == 2
    plain = sqlite3.connect(chinook)
    try:
        assert plain.execute("SELECT Title FROM Album WHERE ArtistId = ?", (artist.id,)).fetchall() == [("First",)]
        assert plain.execute("SELECT COUNT(*) FROM PlaylistTrack WHERE PlaylistId = ?", (playlist.id,)).fetchone() == (2,)
    finally:
        plain.close()
    assert album.artist == artist


def test_sync_finds_nothing_to_change_in_the_music_shop(chinook: Path) -> None:
    """What is declared is what the database holds: types, keys, rules. Only indexes that Chinook does without are told."""
    db = connect(f"sqlite:///{chinook}")
    shop = models_of(db)
    report = sync(*vars(shop).values(), dry_run=True)
    assert not report
    assert [line for line in report.differences if "has no index on" not in line] == []
    db.close()


# There and back


def tracker(Base: Any) -> dict[str, Any]:
    """Models with every kind of association."""

    class Member(Base):
        name = CharField()

    class Profile(Base):
        bio = TextField(null=True)

    class Project(Base):
        title = CharField(max_length=80, unique=True)

    class Task(Base):
        title = CharField(index=True)
        rank = IntegerField(default=3)

    class Enrolment(Base):
        role = CharField(default="member")
        since = DateField(null=True)
        weight = IntegerField()

    class Category(Base):
        name = CharField()

    class Person(Base):
        name = CharField()

    class Team(Base):
        name = CharField()

    class Game(Base):
        place = CharField(null=True)

    class Country(Base):
        code = CharField(max_length=2, primary_key=True)

    class City(Base):
        name = CharField()

    class Bill(Base):
        number = CharField(unique=True, max_length=20)

    class BillLine(Base):
        bill = ForeignKeyField(Bill, backref="+")
        position = IntegerField()
        text = CharField(null=True)

        class Meta:
            primary_key = CompositeKey("bill", "position")

    class Post(Base):
        title = CharField()

    class Tag(Base):
        word = CharField()

    class Payment(Base):
        amount = IntegerField(default=0)

    Profile.belongs_to(Member, unique=True, null=False, on_delete="CASCADE")
    Member.has_one(Profile)
    Task.belongs_to(Project, on_delete="CASCADE")
    Project.has_many(Task)
    Task.belongs_to(Member, as_="reviewer")
    Member.has_many(Task)
    Project.has_many(Member, through=Enrolment)
    Member.has_many(Project, through=Enrolment)
    Category.belongs_to("self", as_="parent")
    Category.has_many("self", as_="children")
    Person.belongs_to_many(Person, as_="friends", symmetric=True)
    Game.belongs_to(Team, as_="home_team", null=False)
    Game.belongs_to(Team, as_="away_team", on_delete="RESTRICT")
    Team.has_many(Game, as_="home_games", foreign_key="home_team_id")
    Team.has_many(Game, as_="away_games", foreign_key="away_team_id")
    City.belongs_to(Country)
    Country.has_many(City)
    BillLine.belongs_to(Bill)
    Bill.has_many(BillLine)
    Payment.belongs_to(Bill, target_key="number")
    Bill.has_many(Payment)
    Post.has_many(Tag)
    Tag.has_many(Post)
    return {name: model for name, model in locals().items() if name != "Base"}


def fill(models: dict[str, Any]) -> None:
    """Some records of each, linked in every way."""
    ann, bob = (models["Member"].create(name=name) for name in ("Ann", "Bob"))
    ann.create_profile(bio="first")
    apollo, gemini = (models["Project"].create(title=title) for title in ("Apollo", "Gemini"))
    apollo.create_task(title="Launch", reviewer=bob)
    apollo.create_task(title="Land")
    apollo.add_member(ann, {"weight": 5, "role": "owner"})
    gemini.add_members([ann, bob], {"weight": 1})
    root = models["Category"].create(name="root")
    root.create_child(name="leaf").create_child(name="tip")
    eve, kim = (models["Person"].create(name=name) for name in ("Eve", "Kim"))
    eve.add_friend(kim)
    red, blue = (models["Team"].create(name=name) for name in ("Red", "Blue"))
    models["Game"].create(home_team=red, away_team=blue)
    models["Game"].create(home_team=blue)
    models["Country"].create(code="de").create_city(name="Bonn")
    bill = models["Bill"].create(number="2024/1")
    bill.create_bill_line(position=1, text="first")
    bill.create_bill_line(position=2)
    bill.create_payment(amount=10)
    post = models["Post"].create(title="Hello")
    post.create_tag(word="new")
    models["Tag"].create(word="old").add_post(post)


def answers(model: Any, names: list[str]) -> dict[str, Any]:
    """What each association says of each record, in primary keys; of links with their attributes."""
    found: dict[str, Any] = {}
    for name in names:
        association = model.associations[name]
        for owner in model.select():
            records = association.get(owner)
            if records is None or not association.to_many:
                found[f"{name} of {owner._pk}"] = records and records._pk
            else:
                found[f"{name} of {owner._pk}"] = sorted(
                    (record._pk, getattr(getattr(record, "enrolment", None), "role", None)) for record in records
                )
    return found


def key_facts(models: dict[str, Any]) -> dict[str, Any]:
    """What each model says of its keys."""
    return {
        f"{name}.{field.column_name}": (
            field.name,
            field.null,
            field.unique,
            *map(dialect_of(model._meta.database).rule, (field.on_delete, field.on_update)),
            field.rel_field.column_name,
        )
        for name, model in models.items()
        for field in model._meta.sorted_fields
        if isinstance(field, ForeignKeyField)
    }


def test_there_and_back(store: Any, imported: Any) -> None:
    """The models of the tables that sync made are those that it made them for: names, keys, rules, and what they answer."""
    url = store.url()
    Base = type("Base", (activeassoc.Model,), {"Meta": type("Meta", (), {"database": store.connect(url)})})
    models = tracker(Base)
    sync(Base._meta.database)
    fill(models)
    code = reflect(url)
    back = imported(code)
    for name, model in models.items():
        names = [word for word in model.associations if word != "friends"]
        assert set(back.__dict__[name].associations) >= set(names), name
        assert answers(back.__dict__[name], names) == answers(model, names)
    assert key_facts({name: back.__dict__[name] for name in models}) == key_facts(models)
    report = sync(back.db, dry_run=True)
    assert not report
    assert report.differences == ()
    # That a link has no direction stands in no schema: it is read from either end.
    eve, kim = back.Person.select().order_by(back.Person.id)
    assert {each.id for each in [*eve.get_friends(), *eve.get_friend_people()]} == {kim.id}
    assert {each.id for each in [*kim.get_friends(), *kim.get_friend_people()]} == {eve.id}
    # And it writes.
    assert back.Project.get(title="Gemini").set_members([1], {"weight": 7}) == [back.Member.get_by_id(1)]
    assert models["Enrolment"].get(models["Enrolment"].project == 2).weight == 7
    assert class_of(code, "Enrolment") == [
        'role = CharField(default="member")' if "role = CharField(default" in code else "role = CharField()",
        "since = DateField(null=True)",
        "weight = IntegerField()",
    ]
    assert calls_of(code, "Profile") == ['Profile.belongs_to(Member, null=False, unique=True, on_delete="CASCADE")']
    assert calls_of(code, "Category") == [
        'Category.belongs_to("self", as_="parent")',
        'Category.has_many("self", as_="children")',
    ]
    assert calls_of(code, "Project") == ["Project.has_many(Task)", "Project.has_many(Member, through=Enrolment)"]
    assert calls_of(code, "Post") == ["Post.has_many(Tag, through=PostsTags)"]
    assert calls_of(code, "Payment") == ['Payment.belongs_to(Bill, foreign_key="bill_number", target_key="number")'] or calls_of(
        code, "Payment"
    ) == ['Payment.belongs_to(Bill, target_key="number")']
    assert reflect(url) == code


def test_the_models_at_once(store: Any) -> None:
    """models_of gives the models themselves, on the database that was given; nothing else is left behind."""
    url, db = made(store, "CREATE TABLE authors (id INTEGER PRIMARY KEY, name VARCHAR(20))")
    db.execute_sql("CREATE TABLE books (id INTEGER PRIMARY KEY, author_id INTEGER NOT NULL REFERENCES authors (id))")
    db.execute_sql("INSERT INTO authors VALUES (1, 'Le Guin')")
    db.execute_sql("INSERT INTO books VALUES (5, 1)")
    gc.collect()
    before = len(registry.known_models())
    library = models_of(db)
    assert sorted(vars(library)) == ["Author", "Base", "Book"]
    assert len(registry.known_models()) == before + 3
    assert library.Author._meta.database is db
    reflect(db)
    assert len(registry.known_models()) == before + 3
    if "author" in library.Book.associations:  # MariaDB reads past a REFERENCES that stands beside its column, in old versions
        assert [book.id for book in library.Author.get_by_id(1).get_books()] == [5]
    del library
    gc.collect()
    assert len(registry.known_models()) == before


# What stands in tables


def test_types_of_sqlite(on: Any, tmp_path: Path, imported: Any) -> None:
    """Types, lengths and defaults of SQLite, declared in any way; what has no field is told."""
    path = tmp_path / "types.db"
    plain = sqlite3.connect(path)
    plain.executescript("""
        CREATE TABLE things (thing_id INTEGER PRIMARY KEY, a NVARCHAR(50) NOT NULL, b VARCHAR, c CHAR(3) DEFAULT 'de', d TINYINT(1),
            e NUMERIC(8, 2) DEFAULT 1.50, f DOUBLE, g DATETIME DEFAULT CURRENT_TIMESTAMP, h BIGINT, i, j MONEY,
            k TEXT DEFAULT 'it''s', l BOOLEAN NOT NULL DEFAULT 1, m INT DEFAULT -1, n TEXT DEFAULT "double",
            o INT GENERATED ALWAYS AS (h * 2), p REAL DEFAULT (1 + 1));
        CREATE INDEX part ON things (a) WHERE l;
        CREATE INDEX lowered ON things (lower(a));
        CREATE UNIQUE INDEX pair ON things (a, b);
        CREATE INDEX alone ON things (m);
        CREATE TABLE counted (id INTEGER PRIMARY KEY) WITHOUT ROWID;
        CREATE TABLE keyless (a INT);
        CREATE VIEW seen AS SELECT a FROM things;
        CREATE VIRTUAL TABLE texts USING fts5 (body);
    """)
    plain.close()
    code = reflect(f"sqlite:///{path}")
    assert class_of(code, "Thing") == [
        'id = AutoField(column_name="thing_id")',
        "a = CharField(max_length=50)",
        "b = CharField(max_length=None, null=True)",
        'c = CharField(max_length=3, null=True, default="de")',
        "d = BooleanField(null=True)",
        'e = DecimalField(max_digits=8, decimal_places=2, null=True, default=Decimal("1.50"))',
        "f = DoubleField(null=True)",
        'g = DateTimeField(null=True, constraints=[SQL("DEFAULT CURRENT_TIMESTAMP")])',
        "h = BigIntegerField(null=True)",
        "i = BareField(null=True)",
        "# MONEY",
        "j = BareField(null=True)",
        'k = TextField(null=True, default="it\'s")',
        'l_ = BooleanField(column_name="l", default=True)',
        "m = IntegerField(null=True, index=True, default=-1)",
        'n = TextField(null=True, default="double")',
        'p = FloatField(null=True, constraints=[SQL("DEFAULT (1 + 1)")])',
        "class Meta:",
        'table_name = "things"',
        'indexes = ((("a", "b"), True),)',
        "# o is generated by the database, and is no field: save() would write it.",
        "# The index 'lowered' is on an expression, and is not here.",
        "# The index 'part' is on some of the rows, or a part of them, and is not here.",
    ]
    assert class_of(code, "Counted") == ["id = IntegerField(primary_key=True)"]
    assert class_of(code, "Keyless") == ["a = IntegerField(null=True)", "class Meta:", "primary_key = False"]
    models = imported(code)
    assert sorted(name for name in vars(models) if isinstance(getattr(models, name), peewee.ModelBase)) == [
        "Base",
        "Counted",
        "Keyless",
        "Model",
        "Thing",
    ]
    thing = models.Thing.create(a="x", h=4)
    assert models.Thing.get().reload().g is not None
    assert thing.l_ is True


POSTGRESQL = [
    "CREATE TYPE mood AS ENUM ('sad', 'ok')",
    "CREATE TABLE people (id BIGSERIAL PRIMARY KEY, uid UUID NOT NULL UNIQUE DEFAULT gen_random_uuid(), a VARCHAR(50) NOT NULL, b VARCHAR, "
    "c CHAR(3), j JSON, k JSONB DEFAULT '{}', t TEXT[], m mood DEFAULT 'ok', n NUMERIC(12, 3) DEFAULT 0, z TIMESTAMPTZ DEFAULT now(), "
    "v INTERVAL, ip INET, w TEXT DEFAULT CURRENT_USER, d DATE DEFAULT '2020-01-01', o BOOLEAN DEFAULT false, r REAL, f DOUBLE PRECISION)",
    "COMMENT ON TABLE people IS 'Those who \"use\" it'",
    "COMMENT ON COLUMN people.a IS 'As they write it'",
    "CREATE INDEX ON people USING gin (k)",
    "CREATE TABLE badges (id INT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, person_uid UUID REFERENCES people (uid) ON DELETE RESTRICT)",
    "CREATE TABLE parts (id INT PRIMARY KEY) PARTITION BY RANGE (id)",
    "CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (1) TO (100)",
    "CREATE VIEW seen AS SELECT 1 AS one",
]


@pytest.mark.parametrize("store", ["postgresql"], indirect=True)
def test_types_of_postgresql(store: Any, imported: Any) -> None:
    """serial and identity keys, uuid, json, arrays, enumerated types, comments; a partition is no table of its own."""
    url, db = made(store, *POSTGRESQL)
    code = reflect(url)
    assert [line for line in code.splitlines() if line.startswith(("class", "#"))] == [
        "class Base(Model):",
        "class Part(Base):",
        '# Those who "use" it',
        "class Person(Base):",
        "class Badge(Base):",
    ]
    assert class_of(code, "Person")[:-3] == [
        "id = BigAutoField()",
        'uid = UUIDField(unique=True, constraints=[SQL("DEFAULT gen_random_uuid()")])',
        'a = CharField(max_length=50, help_text="As they write it")',
        "b = CharField(max_length=None, null=True)",
        "c = FixedCharField(max_length=3, null=True)",
        "j = JSONField(null=True)",
        "k = BinaryJSONField(null=True, index=False, constraints=[SQL(\"DEFAULT '{}'::jsonb\")])",
        "t = ArrayField(field_class=TextField, null=True, index=False)",
        'm = TextField(null=True, default="ok", choices=[("sad", "sad"), ("ok", "ok")])',
        'n = DecimalField(max_digits=12, decimal_places=3, null=True, default=Decimal("0"))',
        'z = DateTimeTZField(null=True, constraints=[SQL("DEFAULT now()")])',
        "v = IntervalField(null=True)",
        "# inet",
        "ip = BareField(null=True)",
        'w = TextField(null=True, constraints=[SQL("DEFAULT CURRENT_USER")])',
        "d = DateField(null=True, constraints=[SQL(\"DEFAULT '2020-01-01'::date\")])",
        "o = BooleanField(null=True, default=False)",
        "r = FloatField(null=True)",
        "f = DoubleField(null=True)",
    ]
    models = imported(code)
    person = models.Person.create(a="Ann", t=["x", "y"], j={"a": 1}).reload()
    assert (person.t, person.j, person.m, person.k) == (["x", "y"], {"a": 1}, "ok", {})
    badge = person.create_badge()
    assert badge.person_uid == person.uid
    assert models.Badge.get().get_person().a == "Ann"
    assert calls_of(code) == [
        'Badge.belongs_to(Person, target_key="uid", on_delete="RESTRICT", on_update="NO ACTION")',
        "Person.has_many(Badge)",
    ]
    assert [line for line in sync(models.db, dry_run=True).differences if "no index on person_uid" not in line] == []


@pytest.mark.parametrize("store", ["postgresql", "mariadb"], indirect=True)
def test_another_schema(store: Any, request: Any) -> None:
    """schema= reads the tables of another schema, or of another database of the server; a key that leaves it is told."""
    url, db = made(store, "CREATE TABLE homes (id INTEGER PRIMARY KEY)")
    schema = f"{db.execute_sql('SELECT current_schema()' if store.name == 'postgresql' else 'SELECT DATABASE()').fetchone()[0]}_more"
    db.execute_sql(f"CREATE SCHEMA {schema}")
    try:
        here = schema.removesuffix("_more")
        db.execute_sql(f"CREATE TABLE {schema}.authors (id INTEGER PRIMARY KEY)")
        db.execute_sql(
            f"CREATE TABLE {schema}.books (id INTEGER PRIMARY KEY, author_id INTEGER, home_id INTEGER, "
            f"FOREIGN KEY (author_id) REFERENCES {schema}.authors (id), FOREIGN KEY (home_id) REFERENCES {here}.homes (id))"
        )
        code = reflect(url, schema=schema)
        assert f'schema = "{schema}"' in code
        assert calls_of(code) == [
            'Book.belongs_to(Author, on_delete="NO ACTION", on_update="NO ACTION")',
            "Author.has_many(Book)",
        ]
        assert "The foreign key from (home_id) to homes (id) is not here: that table is none of these." in code
        models = models_of(db, schema=schema)
        book = models.Author.create(id=1).create_book(id=5)
        assert db.execute_sql(f"SELECT author_id FROM {schema}.books").fetchone() == (1,)
        assert book.author.id == 1
    finally:
        db.execute_sql(f"DROP SCHEMA {schema}{' CASCADE' if store.name == 'postgresql' else ''}")


@pytest.mark.parametrize("store", ["mariadb"], indirect=True)
def test_types_of_mariadb(store: Any, imported: Any) -> None:
    """Unsigned and counted keys, ENUM, tinyint(1), comments; names with dashes."""
    url, db = made(
        store,
        "CREATE TABLE people (id BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY, name VARCHAR(50) NOT NULL COMMENT 'As they write it', "
        "color ENUM('red', 'it''s blue') NOT NULL DEFAULT 'red', n INT UNSIGNED, ok TINYINT(1) NOT NULL DEFAULT 1, "
        "p DECIMAL(8, 2) DEFAULT 1.50, t TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP, note VARCHAR(255) DEFAULT 'it''s', b BIT(1), "
        "g INT AS (n + 1) VIRTUAL) COMMENT='Users'",
        "CREATE TABLE `order-lines` (order_id SMALLINT AUTO_INCREMENT PRIMARY KEY, `Person Id` BIGINT UNSIGNED NOT NULL, "
        "FOREIGN KEY (`Person Id`) REFERENCES people (id) ON DELETE CASCADE)",
    )
    code = reflect(url)
    assert class_of(code, "Person") == [
        "id = BigAutoField()",
        'name = CharField(max_length=50, help_text="As they write it")',
        'color = CharField(max_length=9, default="red", choices=[("red", "red"), ("it\'s blue", "it\'s blue")])',
        "n = BigIntegerField(null=True)",
        "ok = BooleanField(default=True)",
        'p = DecimalField(max_digits=8, decimal_places=2, null=True, default=Decimal("1.50"))',
        't = DateTimeField(constraints=[SQL("DEFAULT current_timestamp()")])',
        'note = CharField(null=True, default="it\'s")',
        "# bit(1)",
        "b = BareField(null=True)",
        "class Meta:",
        'table_name = "people"',
        "# g is generated by the database, and is no field: save() would write it.",
    ]
    assert class_of(code, "OrderLine")[:2] == ["order_id = AutoField()", "person = ForeignKeyField("]
    assert models_of(db).OrderLine.person.column_name == "Person Id"
    models = imported(code)
    person = models.Person.create(name="Ann")
    line = person.create_order_line()
    assert person.get_order_lines() == [line]


# Names


SHOP = """
    CREATE TABLE teams (id INTEGER PRIMARY KEY);
    CREATE TABLE users (id INTEGER PRIMARY KEY, posts INTEGER, "select" INTEGER, "2fa" INTEGER, "a b" INTEGER, model TEXT);
    CREATE TABLE posts (id INTEGER PRIMARY KEY, user_id INTEGER REFERENCES users, approved_by INTEGER REFERENCES users, "user" TEXT);
    CREATE TABLE follows (follower_id INTEGER REFERENCES users, followed_id INTEGER REFERENCES users,
        PRIMARY KEY (follower_id, followed_id));
    CREATE TABLE members (id INTEGER PRIMARY KEY, team_id INTEGER NOT NULL REFERENCES teams, user_id INTEGER NOT NULL REFERENCES users,
        invited_by INTEGER REFERENCES users, UNIQUE (team_id, user_id));
    CREATE TABLE watches (team_id INTEGER NOT NULL REFERENCES teams, user_id INTEGER NOT NULL REFERENCES users,
        PRIMARY KEY (user_id, team_id));
    CREATE TABLE licences (user_id INTEGER PRIMARY KEY REFERENCES users ON DELETE CASCADE, code TEXT);
    CREATE TABLE people (id INTEGER PRIMARY KEY, mother_id INTEGER REFERENCES people, boss_id INTEGER REFERENCES people,
        next_id INTEGER UNIQUE REFERENCES people);
    CREATE TABLE base (id INTEGER PRIMARY KEY, get_id INTEGER REFERENCES users, class_id INTEGER REFERENCES classes);
    CREATE TABLE classes (id INTEGER PRIMARY KEY);
    CREATE TABLE hens (id INTEGER PRIMARY KEY, egg_id INTEGER REFERENCES eggs);
    CREATE TABLE eggs (id INTEGER PRIMARY KEY, hen_id INTEGER REFERENCES hens);
    CREATE TABLE notes (id INTEGER PRIMARY KEY, team INTEGER, member INTEGER, gone_id INTEGER REFERENCES nowhere (id),
        odd_id INTEGER REFERENCES users (posts), FOREIGN KEY (team, member) REFERENCES watches (user_id, team_id));
    CREATE TABLE loops (id INTEGER PRIMARY KEY REFERENCES loops (id));
"""


@pytest.fixture(scope="module")
def odd(tmp_path_factory: Any) -> Any:
    """A database of odd names and keys: its code, and the code as a module."""
    path = tmp_path_factory.mktemp("odd") / "odd.db"
    plain = sqlite3.connect(path)
    plain.executescript(SHOP)
    plain.close()
    code = reflect(f"sqlite:///{path}")
    with importing(path.parent) as load:
        yield code, load(code)


def test_names_that_collide_give_way(odd: Any) -> None:
    """Columns, keywords, names of Model's own and other associations: everything has a name that works."""
    code, models = odd
    assert [field.name for field in models.User._meta.sorted_fields] == ["id", "posts", "select_", "_2fa", "a_b", "model"]
    assert [field.column_name for field in models.User._meta.sorted_fields] == ["id", "posts", "select", "2fa", "a b", "model"]
    assert sorted(models.User.associations) == [
        "approved_posts",
        "base_records",
        "followed",
        "followers",
        "invited_members",
        "licence",
        "teams",
        "user_posts",
        "watch_teams",
    ]
    assert models.BaseRecord._meta.table_name == "base"
    assert sorted(models.BaseRecord.associations) == ["class_", "get_"]
    assert sorted(models.Person.associations) == ["boss", "children", "mother", "next", "next_of", "reports"]
    assert models.Egg.associations["hen"].target is models.Hen
    assert models.Hen.associations["egg"].target is models.Egg
    assert models.Post._meta.columns["user"].name == "user_"
    sync(models.db, dry_run=True)


def test_names_that_collide_answer(odd: Any) -> None:
    """What has an odd name works like the rest."""
    _, models = odd
    ann, bob = models.User.create(model="A"), models.User.create(model="B")
    assert [user.model for user in models.User.select().order_by(models.User.id)] == ["A", "B"]
    team = models.Team.create()
    team.add_user(ann, {"invited_by": bob})
    assert bob.get_invited_members()[0].user_id == ann.id
    ann.create_licence(code="x")
    assert models.Licence.get_by_id(ann.id).get_user() == ann
    ann.add_follower(bob)
    assert bob.get_followed() == [ann]
    record = models.BaseRecord.create(get_=ann)
    assert ann.get_base_records() == [record]
    one, two = models.Person.create(), models.Person.create()
    one.set_next(two)
    assert two.get_next_of() == one
    ann.add_user_post(models.Post.create(user_="text"))
    assert models.Post.get().user == ann
    assert models.Post.get().user_ == "text"


def test_keys_that_no_association_has(odd: Any) -> None:
    """Keys of several columns, to what is not there, to what is not unique, and in a circle stay columns, and are told."""
    code, models = odd
    assert class_of(code, "Note")[-3:] == [
        "# The foreign key from (team, member) to watches (user_id, team_id) is not here: no association has a key of several columns.",
        "# The foreign key from (gone_id) to nowhere (id) is not here: that table is none of these.",
        "# The foreign key from (odd_id) to users (posts) is not here: several rows may have the value that it refers to.",
    ]
    assert class_of(code, "Loop")[-1] == "# The foreign key from (id) to loops (id) is not here: it goes in a circle."
    assert [field.name for field in models.Note._meta.sorted_fields] == ["id", "team", "member", "gone_id", "odd_id"]


def test_links_of_every_form(tmp_path: Path, imported: Any) -> None:
    """Links with an id of their own, or with keys that may be NULL; three keys make no link; a second way gets a name."""
    path = tmp_path / "links.db"
    plain = sqlite3.connect(path)
    plain.executescript("""
        CREATE TABLE actors (id INTEGER PRIMARY KEY);
        CREATE TABLE films (id INTEGER PRIMARY KEY);
        CREATE TABLE roles (actor_id INT REFERENCES actors ON DELETE SET NULL, film_id INT NOT NULL REFERENCES films ON DELETE SET NULL,
            part TEXT, UNIQUE (film_id, actor_id));
        CREATE TABLE awards (id INTEGER PRIMARY KEY, actor_id INT NOT NULL REFERENCES actors ON DELETE CASCADE ON UPDATE CASCADE,
            film_id INT NOT NULL REFERENCES films ON DELETE CASCADE ON UPDATE CASCADE, UNIQUE (actor_id, film_id));
        CREATE TABLE scenes (actor INT REFERENCES actors, film INT REFERENCES films, award INT REFERENCES awards,
            PRIMARY KEY (actor, film, award));
    """)
    plain.close()
    code = reflect(f"sqlite:///{path}")
    models = imported(code)
    assert calls_of(code, "Film") == [
        "Film.has_many(Scene)",
        "Film.has_many(Actor, through=Award)",
        'Film.has_many(Actor, as_="role_actors", through=Role, on_delete="NO ACTION", on_update="NO ACTION")',
    ]
    assert calls_of(code, "Actor")[1:] == [
        "Actor.has_many(Film, through=Award)",
        'Actor.has_many(Film, as_="role_films", through=Role, null=True, on_delete="SET NULL", on_update="NO ACTION")',
    ]
    assert models.Scene._meta.primary_key.field_names == ("actor", "film", "award")
    actor, film = models.Actor.create(), models.Film.create()
    actor.add_role_film(film, {"part": "lead"})
    assert film.get_role_actors()[0].role.part == "lead"
    actor.add_film(film)
    scene = models.Scene.create(actor=actor, film=film, award=models.Award.get())
    assert film.get_scenes() == [scene]


def test_keys_of_links_that_stand_in_the_class_keep_their_rules(tmp_path: Path, imported: Any) -> None:
    """A key that has to stand in the class says NO ACTION itself where it is one of a link, whose keys cascade by default."""
    path = tmp_path / "rules.db"
    plain = sqlite3.connect(path)
    plain.executescript("""
        CREATE TABLE sheep (id INTEGER PRIMARY KEY);
        CREATE TABLE flocks (save INT NOT NULL REFERENCES sheep, friend INT NOT NULL REFERENCES sheep ON DELETE CASCADE,
            UNIQUE (save, friend));
    """)
    plain.close()
    models = imported(reflect(f"sqlite:///{path}"))
    assert [each for each in sync(models.Sheep, models.Flock, dry_run=True).differences if "ON DELETE" in each] == []
    assert {key.column_name: key.on_delete for key in models.Flock._meta.refs} == {"save": "NO ACTION", "friend": "CASCADE"}


def test_a_field_does_not_hide_the_class_that_the_next_key_names(tmp_path: Path, imported: Any) -> None:
    """In scripts without capitals a table, its class and a column may have one name."""
    path = tmp_path / "shadow.db"
    plain = sqlite3.connect(path)
    plain.executescript("""
        CREATE TABLE 人 (id INTEGER PRIMARY KEY);
        CREATE TABLE 家 (人 INT NOT NULL, 主 INT NOT NULL REFERENCES 人, 客 INT NOT NULL REFERENCES 人, PRIMARY KEY (主, 客, 人));
    """)
    plain.close()
    models = imported(reflect(f"sqlite:///{path}"))
    human = models.人.create()
    home = models.家.create(主=human, 客=human, 人_=3)
    assert (home.客, models.家.get().人_) == (human, 3)


def test_booleans_of_sqlite_are_no_difference(tmp_path: Path) -> None:
    """A column that another library made as BOOLEAN holds the whole numbers that this one writes."""
    path = tmp_path / "flags.db"
    plain = sqlite3.connect(path)
    plain.execute("CREATE TABLE flags (id INTEGER PRIMARY KEY, up BOOLEAN NOT NULL, down BOOL)")
    plain.close()
    flags = models_of(f"sqlite:///{path}").Flag
    assert isinstance(flags.up, peewee.BooleanField)
    assert sync(flags, dry_run=True).differences == ()
    flags._meta.database.close()


def test_words() -> None:
    """A name is made of anything, and is free."""
    assert [identifier(text) for text in ("ArtistId", "a b-c", "2fa", "__x__y", "Größe", "???", "ﬁne", "sales.order")] == [
        *("artist_id", "a_b_c", "_2fa", "x_y", "größe", "", "fine", "sales_order"),
    ]
    assert field_name("class", 1, ()) == "class_"
    assert field_name("save", 1, ("save_",)) == "save_2"
    assert field_name("???", 3, ()) == "column_3"
    tables = ["user", "users", "Base", "exceptions", "classes", "user_data", "news", "Sales Orders"]
    names = ["User", "Users", "BaseRecord", "Exceptions", "Classes", "UserData", "News", "SalesOrder"]
    assert list(class_names(tables, ()).values()) == names


def test_layout() -> None:
    """Code stands as ruff's formatter lays it out: on one line, or its items on one, or each on its own."""
    short = Node("f(", ["a", "b"])
    assert laid_out(short, 4) == ["    f(a, b)"]
    words = [f"word_{number:02}" for number in range(15, 30)]
    assert laid_out(Node("founded(", [*words])) == ["founded(", f"    {', '.join(words)}", ")"]
    many = [f"a_longer_word_{number:02}" for number in range(15)]
    assert laid_out(Node("f(", [*many])) == ["f(", *(f"    {word}," for word in many), ")"]
    assert str(Node("(", ["a"], pair=True)) == "(a,)"
    assert [literal(text) for text in ("a", "it's", 'a "b"', "a\nb")] == ['"a"', '"it\'s"', "'a \"b\"'", '"a\\nb"']
    assert remark("word " * 40)[1].startswith("# word")


# Which tables, and where


def test_some_tables(chinook: Path) -> None:
    """tables= names those that are wanted; a key to another one stays a column, and is told."""
    code = reflect(f"sqlite:///{chinook}", tables=["Album", "track"])
    assert calls_of(code) == [
        'Track.belongs_to(Album, foreign_key="AlbumId", on_delete="NO ACTION", on_update="NO ACTION")',
        "Album.has_many(Track)",
    ]
    assert class_of(code, "Album")[-1] == "# The foreign key from (ArtistId) to Artist (ArtistId) is not here: that table is none of these."
    assert 'artist_id = IntegerField(column_name="ArtistId", index=True)' in class_of(code, "Album")


def test_no_password_gets_into_a_file(store: Any, monkeypatch: Any, imported: Any) -> None:
    """A URL with a password comes from the environment, as does one that is not known; that of a file stands in the code."""
    url, db = made(store, "CREATE TABLE things (id INTEGER PRIMARY KEY)")
    if store.name == "sqlite":
        assert f'db = connect("{url}")' in reflect(url)
        assert f'db = connect("sqlite:///{db.database}")' in reflect(db)
        return
    secret = url.replace("postgres@", "postgres:s3cret@").replace("root@", "root:s3cret@")
    db.connect_params["password"] = "s3cret"
    for code in (reflect(db), reflect(secret) if store.name == "postgresql" else reflect(db)):
        assert "s3cret" not in code
        assert "# Its password belongs in no file: DATABASE_URL has the whole URL.\n" in code
        assert 'db = connect(os.environ["DATABASE_URL"])' in code
    del db.connect_params["password"]
    assert "# The options that it is opened with are not known here: DATABASE_URL has the whole URL.\n" in reflect(db)
    monkeypatch.setenv("DATABASE_URL", url)
    assert imported(reflect(db)).Thing.select().count() == 0


def test_the_database_is_left_as_it_was(store: Any) -> None:
    """A connection that was open stays so, one that was closed is closed again; a proxy stands for its database."""
    _, db = made(store, "CREATE TABLE things (id INTEGER PRIMARY KEY)")
    proxy = peewee.DatabaseProxy()
    proxy.initialize(db)
    code = reflect(db)
    assert not db.is_closed()
    db.close()
    assert reflect(proxy) == code
    assert db.is_closed()


# What cannot be read


def refusal(*given: Any, **options: Any) -> tuple[type[BaseException], str]:
    with pytest.raises(AssociationError) as caught:
        reflect(*given, **options)
    return caught.type, str(caught.value)


def test_tables_that_are_not_there(chinook: Path) -> None:
    """An unknown table comes with the nearest ones; a view is told apart."""
    db = connect(f"sqlite:///{chinook}")
    db.execute_sql("CREATE VIEW Sold AS SELECT * FROM Track")
    url = f"sqlite:///{chinook}"
    assert refusal(url, tables=["Artists", "Albun"]) == (
        UnknownName,
        "reflect('sqlite://…'): there is no table 'Artists', 'Albun'. Did you mean 'Artist'.",
    )
    assert refusal(url, schema="attic") == (
        ConnectError,
        "reflect('sqlite://…'): there are no tables in the schema 'attic'. "
        "See that the URL names the right database; sync() makes the tables of models.",
    )
    assert refusal(db, tables=["Sold"])[1].startswith(
        f"reflect(<SqliteDatabase {str(chinook)!r}>): Sold is a view, and a view has no keys."
    )
    db.close()


def test_databases_that_are_not_there(tmp_path: Path) -> None:
    """A file that is not there is not made; an empty database, a server that does not answer, and what is no database are told."""
    missing = tmp_path / "missing.db"
    assert refusal(f"sqlite:///{missing}") == (
        ConnectError,
        f"reflect('sqlite://…'): there is no file {str(missing)!r}. "
        "See that the path is right; three slashes stand before a relative one, four before an absolute one.",
    )
    assert not missing.exists()
    assert refusal("sqlite://") == (
        ConnectError,
        "reflect('sqlite://…'): there are no tables in it. See that the URL names the right database; sync() makes the tables of models.",
    )
    kind, text = refusal("postgresql://nobody:s3cret@127.0.0.1:1/nothing")
    assert kind is ConnectError
    assert text.startswith("connecting to postgresql://nobody@127.0.0.1:1/nothing: ")
    assert "s3cret" not in text
    assert refusal(7) == (
        WrongArgument,
        "reflect(7): a database or its URL was expected. Give connect(…), or a text such as 'sqlite:///shop.db'.",
    )


def test_documents_have_no_tables(on: Any) -> None:
    """A store of documents is refused, in words."""
    db = on("redis")._meta.database
    assert refusal(db) == (
        UnsupportedQuery,
        f"reflect(<RedisDatabase {db.database!r}>): a store of documents does not tell what fields and keys its records have. "
        "Write its models by hand; reflect reads SQLite, PostgreSQL, MySQL and MariaDB.",
    )
