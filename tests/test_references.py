"""ReferenceField: a column that points to another table, and nothing more."""

from __future__ import annotations

import uuid
from typing import Any

import peewee
import pytest
from declarations import Scratch
from looking import cols, keys, lacks

from activeassoc import ReferenceField, UnknownName, sync


@pytest.fixture
def scratch() -> Scratch:
    return Scratch(__name__)


def test_a_reference_has_no_constraint_and_no_association(fresh: Any) -> None:
    """A14: it is indexed and holds the key."""
    Trainer = fresh("Trainer")

    class Series(fresh.Base):
        trainer_id = ReferenceField("Trainer", key="id")

    sync(fresh.db)
    assert cols(Series) == {"id", "trainer_id"}
    assert keys(Series) == set()
    assert not Series.associations
    assert lacks(Series, "trainer get_trainer")
    assert [index.columns for index in fresh.db.get_indexes("series") if index.columns != ["id"]] == [["trainer_id"]]
    series = Series.create(trainer_id=7)
    assert series.trainer_id == 7
    assert list(Series.select().where(Series.trainer_id == 7)) == [series]
    assert Series.create().trainer_id is None
    assert Trainer


@pytest.mark.parametrize("to", ["model", "name", "table"])
@pytest.mark.parametrize("later", [False, True])
def test_what_a_reference_may_point_to(fresh: Any, to: str, later: bool) -> None:
    """A14: a model, a model's name, or a table's, which may come later; the type is that of the key."""
    if later and to == "model":
        pytest.skip("a model that is not there yet has only a name")
    fresh.on()

    def trainer() -> Any:
        body = {"id": peewee.UUIDField(primary_key=True, default=uuid.uuid4), "__module__": __name__, "__qualname__": "Trainer"}
        return type(fresh.Base)("Trainer", (fresh.Base,), {**body, "Meta": type("Meta", (), {"table_name": "tbl_trainer"})})

    there = None if later else trainer()
    Series = type(fresh.Base)(
        "Series",
        (fresh.Base,),
        {"trainer_id": ReferenceField({"model": there, "name": "Trainer", "table": "tbl_trainer"}[to]), "__module__": __name__},
    )
    Trainer = there or trainer()
    sync(fresh.db)
    ann = Trainer.create()
    series = Series.create(trainer_id=ann.id)
    assert Series.get_by_id(series.id).trainer_id == ann.id
    assert isinstance(Series.get().trainer_id, uuid.UUID)


def test_a_table_without_a_model_needs_a_type(fresh: Any) -> None:
    """A14: field= for another column type."""
    fresh.on()

    class Series(fresh.Base):
        trainer_code = ReferenceField("trainers_of_others", field=peewee.CharField(max_length=10))

    sync(fresh.db)
    Series.create(trainer_code="x7")
    assert Series.get().trainer_code == "x7"

    class Lost(fresh.Base):
        trainer_id = ReferenceField("nowhere_at_all")

    with pytest.raises(UnknownName) as raised:
        sync(Lost)
    assert str(raised.value) == (
        "ReferenceField Lost.trainer_id to 'nowhere_at_all': there is no model and no model's table of this name. "
        "Define the model, or give field= for the column's type."
    )


def test_a_key_that_is_not_there(scratch: Scratch) -> None:
    """A14, M1: the key is the name of a unique field of the target."""
    Trainer = scratch("Trainer")
    Series = scratch.model("Series", trainer_id=ReferenceField(Trainer, key="idd"))
    with pytest.raises(UnknownName) as raised:
        _ = Series.trainer_id.field_type
    assert str(raised.value) == (
        f"ReferenceField Series.trainer_id to {Trainer!r}: Trainer has no field 'idd' for key=. Did you mean 'id'."
    )


@pytest.mark.parametrize("method", ["has_many", "has_one"])
def test_a_later_has_many_finds_the_column(fresh: Any, method: str) -> None:
    """A14: and uses it, still without constraint; the record comes with belongs_to."""
    Trainer = fresh("Trainer")

    class Series(fresh.Base):
        trainer_id = ReferenceField("Trainer")

    association = getattr(Trainer, method)(Series, as_="series")
    assert [key.column for key in association.keys] == ["trainer_id"]
    assert isinstance(Series.trainer_id, ReferenceField)
    sync(fresh.db)
    assert cols(Series) == {"id", "trainer_id"}
    assert keys(Series) == set()
    ann = Trainer.create()
    series = ann.create_series()
    assert series.trainer_id == ann.id
    assert ann.get_series() in ([series], series)
    assert lacks(Series, "trainer get_trainer")
    Series.belongs_to(Trainer)
    assert keys(Series) == set()
    assert Series.get().trainer == Series.get().get_trainer() == ann
    assert Series.get().trainer_id == ann.id
    assert not sync(fresh.db)


def test_several_ways_to_use_a_reference_agree(scratch: Scratch) -> None:
    """A10, A14: belongs_to first, has_many first: one column, without constraint."""
    for turned in (False, True):
        Trainer = scratch("Trainer")
        Series = scratch.model("Series", trainer_id=ReferenceField(Trainer))
        Series.belongs_to(Trainer) if turned else Trainer.has_many(Series)
        Trainer.has_many(Series) if turned else Series.belongs_to(Trainer)
        assert [field.name for field in Series._meta.sorted_fields] == ["id", "trainer"]
        assert Series.trainer.constraint is False
        assert Trainer.associations["series"].key is Series.associations["trainer"].key
