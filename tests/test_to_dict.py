"""to_dict: what a record holds, never a query (G10)."""

from __future__ import annotations

from typing import Any

import pytest
from peewee import CharField, ForeignKeyField

from activeassoc import sync
from activeassoc.testing import assert_queries

pytestmark = pytest.mark.every_store


@pytest.fixture
def models(Base: Any) -> tuple[Any, Any, Any, Any]:
    class User(Base):
        name = CharField()

    class Pet(Base):
        name = CharField()

    class Profile(Base):
        text = CharField()

    class Team(Base):
        name = CharField()

    class Membership(Base):
        role = CharField(default="member")

    Pet.belongs_to(User, as_="owner")
    User.has_many(Pet)
    User.has_one(Profile)
    User.has_many(Team, through=Membership)
    Team.has_many(User, through=Membership)
    sync(Base)
    ann = User.create(name="Ann")
    ann.create_pets([{"name": "Rex"}, {"name": "Tom"}])
    ann.create_profile(text="hi")
    ann.add_team(Team.create(name="red"), {"role": "captain"})
    Pet.create(name="Stray")
    return User, Pet, Profile, Team


def test_only_what_is_loaded(models: tuple[Any, Any, Any, Any]) -> None:
    """G10: never a query; a reference is its key, collections and has_one only where loaded."""
    User, Pet, _, _ = models
    ann, rex = User.get_by_id(1), Pet.get_by_id(1)
    with assert_queries(0):
        assert ann.to_dict() == {"id": 1, "name": "Ann"}
        assert rex.to_dict() == {"id": 1, "name": "Rex", "owner": 1}
        assert Pet(name="new").to_dict() == {"name": "new"}


def test_a_loaded_reference_is_a_dict(models: tuple[Any, Any, Any, Any]) -> None:
    """G10: a reference stands under its field's name, the key or the dict where loaded, None where there is none."""
    _, Pet, _, _ = models
    rex, _, stray = Pet.select().order_by(Pet.id).populate("owner")
    with assert_queries(0):
        assert rex.to_dict() == {"id": 1, "name": "Rex", "owner": {"id": 1, "name": "Ann"}}
        assert stray.to_dict() == {"id": 3, "name": "Stray", "owner": None}


def test_loaded_collections_and_join_rows(models: tuple[Any, Any, Any, Any]) -> None:
    """G10: the join row stands under its name; a record inside of itself is its key."""
    User, _, _, _ = models
    (ann,) = User.select().populate("pets", "profile", "teams.users")
    with assert_queries(0):
        assert ann.to_dict() == {
            "id": 1,
            "name": "Ann",
            "pets": [{"id": 1, "name": "Rex", "owner": 1}, {"id": 2, "name": "Tom", "owner": 1}],
            "profile": {"id": 1, "text": "hi", "user": 1},
            "teams": [{"id": 1, "name": "red", "users": [1], "membership": {"role": "captain", "user": 1, "team": 1}}],
        }
    bob = User.create(name="Bob")
    with assert_queries(0):
        assert bob.to_dict() == {"id": 2, "name": "Bob"}
    (bob,) = User.select().where(User.id == 2).populate("pets", "profile")
    assert bob.to_dict() == {"id": 2, "name": "Bob", "pets": [], "profile": None}


def test_columns_that_were_not_read_are_left_out(models: tuple[Any, Any, Any, Any]) -> None:
    """G10, C11"""
    User, Pet, _, _ = models
    assert Pet.select(Pet.name).where(Pet.id == 1).get().to_dict() == {"name": "Rex"}
    (ann,) = User.select().populate("pets", attributes=["name"], limit=1)
    assert ann.to_dict()["pets"] == [{"id": 1, "name": "Rex", "owner": 1}]


def test_attributes_that_wait_for_the_next_link_are_no_join_row(models: tuple[Any, Any, Any, Any]) -> None:
    """G10, D3"""
    _, _, _, Team = models
    red = Team.get_by_id(1)
    red.membership = {"role": "coach"}
    assert red.to_dict() == {"id": 1, "name": "red"}


def test_columns_of_other_names_and_keys_without_an_association(Base: Any) -> None:
    """G10, F4: under the field's name, whatever the column is called."""

    class Author(Base):
        name = CharField(column_name="n")

    class Book(Base):
        writer = ForeignKeyField(Author, column_name="author")

    sync(Base)
    book = Book.create(writer=Author.create(name="Ann"))
    assert Book.get_by_id(book.id).to_dict() == {"id": 1, "writer": 1}
    assert Book.select().populate("writer")[0].to_dict() == {"id": 1, "writer": {"id": 1, "name": "Ann"}}
