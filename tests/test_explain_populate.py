"""explain_populate: the plan, before anything is sent (G9)."""

from __future__ import annotations

from typing import Any

from peewee import CharField

from activeassoc import sync
from activeassoc.stores.sql import store_of
from activeassoc.stores.subqueries import place_of


def models(Base: Any) -> tuple[Any, Any, Any]:
    class User(Base):
        name = CharField()

    class Pet(Base):
        name = CharField()

    class Team(Base):
        name = CharField()

    User.has_many(Pet, foreign_key="owner_id")
    Pet.belongs_to(User, as_="owner")
    User.has_many(Team, through="user_teams")
    return User, Pet, Team


def test_the_plan(Base: Any, db: Any) -> None:
    """G9: queries, stores, keys per chunk; and every number of queries is the one that running it takes."""
    User, Pet, _ = models(Base)
    sync(Base)
    sync(User.teams.through)
    user = User.create(name="Ann")
    user.create_pet(name="Rex")
    user.create_team(name="red")
    query = User.select().populate("pets.owner").populate("teams", limit=3)
    plan = query.explain_populate()
    assert [hop.path for hop in plan.hops] == ["pets", "pets.owner", "teams"] and plan.queries == 4
    statements: list[Any] = []
    db.query_hooks = [*db.query_hooks, statements.append]
    list(query)
    assert len(statements) == plan.queries and statements[0].sql == plan.sql
    assert [hop.limit for hop in plan.hops] == [30, None, 3]
    assert all(hop.keys_per_statement == store_of(db).keys_per_statement for hop in plan.hops)
    assert all(hop.store == place_of(db) for hop in plan.hops) and plan.missing_indexes == []
    assert "ROW_NUMBER()" in (plan.hops[0].sql or "") and "ROW_NUMBER()" not in (plan.hops[1].sql or "")
    text = str(plan)
    assert text.startswith("4 queries, where there is something to load\n") and "pets.owner: <Pet.belongs_to(User" in text


def test_paths_may_be_given_to_it(Base: Any, db: Any) -> None:
    """G9: explain_populate("pets", …) is populate("pets", …) explained; the query stays as it is."""
    User, _, _ = models(Base)
    sync(Base)
    query = User.select()
    plan = query.explain_populate("pets", limit=0)
    assert plan.queries == 1 and plan.hops[0].sql is None and "no query" in str(plan)
    assert "COUNT(1)" in (query.explain_populate("pets", count=True).hops[0].sql or "")
    assert query._plan is None


def test_missing_indexes(Base: Any, db: Any) -> None:
    """G9: a table that was made by hand may lack the index of a key."""
    User, Pet, _ = models(Base)
    sync(User)

    db.execute_sql("CREATE TABLE pet (id INTEGER PRIMARY KEY, name VARCHAR(20), owner_id INTEGER)")
    assert User.select().explain_populate("pets").missing_indexes == ["pet.owner_id"]
    assert "no index on pet.owner_id" in str(User.select().explain_populate("pets"))
    assert Pet.select().explain_populate("owner").missing_indexes == []
    db.execute_sql("CREATE INDEX pet_owner ON pet (owner_id)")
    assert User.select().explain_populate("pets").missing_indexes == []
