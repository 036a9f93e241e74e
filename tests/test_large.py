"""More keys in one call than one statement takes, on every engine; and what the planner makes of the statements."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, NamedTuple

import peewee
import pytest
from accessing import model
from engines import SQL, Store
from peewee import CharField, IntegerField

from activeassoc import Model, RecordNotFound, sync

#: More than PostgreSQL takes parameters; on MariaDB, where they come in statements of 5,000, a part of three.
COUNTS = {"mariadb": 12_000}
COUNT = 70_000
#: How the engines' plans say that a whole table is read.
FULL_SCANS = ("SCAN t1", "SCAN target", "Seq Scan on target", "ALL t", "index t")


class Large(NamedTuple):
    """An owner, and a table of very many targets that nobody owns."""

    owner: Any
    Target: Any
    Link: Any
    keys: list[int]


@pytest.fixture(scope="module", params=SQL)
def table(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Large]:
    """Made once for the tests of one engine, as it takes longer than they do."""
    store = Store(request.param, tmp_path_factory.mktemp("large"))
    try:
        db = store.connect()

        class Base(Model):
            class Meta:
                database = db

        here = SimpleNamespace(Base=Base)
        Owner = model(here, "Owner", title=CharField(null=True))
        Target = model(here, "Target", rank=IntegerField(null=True))
        Link = model(here, "Link", role=CharField(default="x"))
        Owner.has_many(Target, through=None)
        Owner.has_many(Target, as_="linked", through=Link)
        Target.belongs_to(Owner)
        sync(db)
        if isinstance(db, peewee.SqliteDatabase):
            db.execute_sql("PRAGMA synchronous = OFF")
        owner = Owner.create()
        with db.atomic():
            for start in range(0, COUNTS.get(store.name, COUNT), 2_000):
                Target.insert_many([(n,) for n in range(start, start + 2_000)], fields=[Target.rank]).execute()
        yield Large(owner, Target, Link, [row[0] for row in Target.select(Target.id).order_by(Target.id).tuples()])
    finally:
        store.remove()


@pytest.fixture
def large(table: Large) -> Iterator[tuple[Any, Any, list[int]]]:
    """The owner, the model and the keys; nobody owns a target, before and after."""
    owner = type(table.owner).get_by_id(table.owner.id)
    yield owner, table.Target, table.keys
    table.Link.delete().execute()
    table.Target.update(owner=None).where(table.Target.owner.is_null(False)).execute()
    type(owner).delete().where(type(owner).id != owner.id).execute()


def test_has_many_of_very_many(large: Any) -> None:
    """C1, C6, C7, C10: has, set, add and remove take very many keys in one call."""
    owner, Target, keys = large
    assert owner.add_targets(keys) == len(keys)
    assert owner.count_targets() == len(keys)
    assert owner.has_target(keys) is True
    assert owner.has_targets(keys) is True
    assert owner.has_targets(keys[1:]) is False
    assert owner.has_target([*keys, keys[-1] + 1]) is False
    assert len(owner.set_targets(keys[: len(keys) // 2])) == len(keys) // 2
    assert owner.count_targets() == len(keys) // 2
    with pytest.raises(RecordNotFound) as caught:
        owner.add_targets([*keys, keys[-1] + 1])
    assert caught.value.keys == [keys[-1] + 1]
    assert owner.count_targets() == len(keys) // 2
    assert owner.remove_targets(keys) == len(keys) // 2
    assert Target.select().where(Target.owner.is_null(False)).count() == 0


def test_many_to_many_of_very_many(large: Any) -> None:
    """C1, C8, C10: the same with links; attributes of many links differ."""
    owner, _, keys = large
    assert owner.add_linked(keys) == len(keys)
    assert owner.add_linked(keys) == 0
    assert owner.has_linked(keys) is True
    assert len(owner.set_linked(keys[: len(keys) // 2])) == len(keys) // 2
    assert owner.count_linked() == len(keys) // 2
    assert owner.add_linked({key: {"role": f"r{key % 3}"} for key in keys[:2000]}) == 0
    assert owner.count_linked(through_where={"role": "r1"}) == len([key for key in keys[:2000] if key % 3 == 1])
    with pytest.raises(RecordNotFound) as caught:
        owner.set_linked([*keys, keys[-1] + 1])
    assert caught.value.keys == [keys[-1] + 1]
    assert owner.count_linked() == len(keys) // 2
    assert owner.remove_linked(keys) == len(keys) // 2
    assert owner.set_linked([]) == []


def test_reach_of_very_many(large: Any) -> None:
    """C14: reach takes very many owners; each gets its own."""
    owner, Target, keys = large
    owner.add_targets(keys[: len(keys) // 2])
    targets = list(Target.select())
    reached = Target.owner.reach(targets)
    assert sum(found is not None for found in reached.values()) == len(keys) // 2
    owners = [type(owner)(id=key) for key in keys]
    assert len(type(owner).targets.reach(owners)[owner]) == len(keys) // 2


def plan_of(db: Any, sql: str, parameters: Any) -> list[str]:
    """How the engine reads each table."""
    if isinstance(db, peewee.SqliteDatabase):
        return [str(row[3]) for row in db.execute_sql(f"EXPLAIN QUERY PLAN {sql}", parameters).fetchall()]
    cursor = db.execute_sql(f"EXPLAIN {sql}", parameters)
    if isinstance(db, peewee.PostgresqlDatabase):
        return [str(row[0]) for row in cursor.fetchall()]
    names = [column[0] for column in cursor.description]
    steps = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    return [f"{step['type']} {step['table']}" for step in steps]


def test_no_full_scan_of_the_target(large: Any) -> None:
    """C6, C8: the SELECT and the writes of a set read the target by its indexes, however large it is."""
    owner, Target, keys = large
    db = Target._meta.database
    others = [type(owner).create() for _ in range(50)]
    for number, other in enumerate(others):
        other.add_targets(keys[number * 1000 : number * 1000 + 1000])
        other.add_linked(keys[number * 1000 : number * 1000 + 20])
    # Made anew on MariaDB: what the other tests deleted still counts in its statistics.
    db.execute_sql("OPTIMIZE TABLE target, link" if isinstance(db, peewee.MySQLDatabase) else "ANALYZE")
    seen: list[Any] = []
    db.query_hooks = [seen.append]
    some = keys[-30:]
    owner.set_targets(some)
    owner.set_targets(keys[-40:-20])
    owner.set_linked(some)
    owner.set_linked(keys[-40:-20], {"role": "y"})
    owner.get_targets()
    owner.get_linked()
    owner.has_linked(some)
    owner.has_targets(some)
    db.query_hooks = []
    looked = [event for event in seen if event.sql.split()[0] in ("SELECT", "UPDATE", "DELETE") and "FOR UPDATE" not in event.sql]
    assert len(looked) > 10
    for event in looked:
        plan = plan_of(db, event.sql, event.params)
        for step in plan:
            assert not any(word in step for word in FULL_SCANS), (event.sql, plan)
