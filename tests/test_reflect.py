"""Models for a database that exists: the code imports, is what a person would write, and answers as the models it was made for."""

from __future__ import annotations

import ast
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

RUFF = shutil.which("ruff", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]))
LINT = ("check", "--select", "E,W,F,I,B,C4,PIE,RUF100,SIM,UP", "--target-version", "py311")


@pytest.fixture
def imported(tmp_path: Path) -> Iterator[Callable[[str], Any]]:
    """``imported(code)``: the code, checked as a person's would be, written to a file and imported."""
    modules = []

    def load(code: str) -> Any:
        name = f"reflected_models_{next(_numbers)}"
        path = tmp_path / f"{name}.py"
        path.write_text(code, encoding="utf-8")
        if RUFF is not None:
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
