"""The values that a store keeps: each comes back as it was written, and is found by what it is.

Map: `KINDS` is a table of fields and values, `CHANGED` of values that a store without SQL stores in another form, `UNFIT` of those that
it refuses; `Values` has the tests.
"""

from __future__ import annotations

import datetime
import decimal
import uuid
from typing import Any

import peewee
import pytest

from activeassoc.stores.capabilities import Store
from activeassoc.testing.contract.ground import Ground, made, model, skip_with_sql

Date, Moment, Time, D = datetime.date, datetime.datetime, datetime.time, decimal.Decimal

#: What is kept, the field that keeps it, and values.
KINDS: dict[str, tuple[Any, list[Any]]] = {
    "integer": (peewee.IntegerField, [0, -1, 2**31 - 1, -(2**31)]),
    "small integer": (peewee.SmallIntegerField, [0, -5, 2**15 - 1]),
    "big integer": (peewee.BigIntegerField, [0, 2**53 + 1, 2**63 - 1, -(2**63)]),
    "float": (peewee.DoubleField, [0.0, 0.1, -1.5, 1e300, 1e-300, 123456789.123]),
    "text": (
        peewee.TextField,
        ["", "ann", " a ", "'\"\\", "%_", "é漢\U0001f600", "a\nb\tc", "$where", "a.b", "{x}", ":1", "NULL", "x" * 20_000],
    ),
    "char": (lambda **options: peewee.CharField(max_length=60, **options), ["", "ann", "$set.a", "7", "é:漢"]),
    "boolean": (peewee.BooleanField, [True, False]),
    "bytes": (peewee.BlobField, [b"", b"\0\xff:", bytes(range(256))]),
    "date": (peewee.DateField, [Date(2024, 2, 29), Date(1, 1, 1), Date(1969, 12, 31), Date(9999, 12, 31)]),
    "time": (peewee.TimeField, [Time(0, 0), Time(23, 59, 59), Time(12, 30)]),
    "datetime": (peewee.DateTimeField, [Moment(2024, 2, 29, 23, 59, 59), Moment(1969, 12, 31, 1, 2, 3), Moment(9999, 12, 31, 23, 59)]),
    "decimal": (
        lambda **options: peewee.DecimalField(max_digits=12, decimal_places=3, **options),
        [D("0"), D("-1.500"), D("0.001"), D("123456789.123")],
    ),
    "uuid": (peewee.UUIDField, [uuid.UUID(int=0), uuid.UUID("12345678-1234-5678-1234-567812345678"), uuid.UUID(int=2**128 - 1)]),
}

#: What is written, and what comes back, on a store without SQL.
CHANGED: dict[str, tuple[Any, Any, Any]] = {
    "a decimal is given as text": (KINDS["decimal"][0], "1.5", D("1.500")),
    "a datetime with a time zone is UTC": (
        peewee.DateTimeField,
        Moment(2024, 2, 29, 12, tzinfo=datetime.timezone(datetime.timedelta(hours=2))),
        Moment(2024, 2, 29, 10),
    ),
    "a datetime has milliseconds": (peewee.DateTimeField, Moment(2024, 2, 29, 12, 0, 0, 123_000), Moment(2024, 2, 29, 12, 0, 0, 123_000)),
    "an integer is given as text": (peewee.IntegerField, "7", 7),
    "a float is given as integer": (peewee.DoubleField, 7, 7.0),
    "there is no negative zero": (peewee.DoubleField, -0.0, 0.0),
    "a UUID is given as text": (peewee.UUIDField, "12345678123456781234567812345678", uuid.UUID("12345678-1234-5678-1234-567812345678")),
    "a text has a NUL": (peewee.TextField, "a\0b", "a\0b"),
}

#: What is refused on a store without SQL, in writing and in comparisons.
UNFIT: dict[str, tuple[Any, Any]] = {
    "an integer beyond 64 bits": (peewee.BigIntegerField, 2**63),
    "an integer below 64 bits": (peewee.IntegerField, -(2**63) - 1),
    "a text for an integer": (peewee.IntegerField, "seven"),
    "not a number": (peewee.DoubleField, float("nan")),
    "infinity": (peewee.DoubleField, float("-inf")),
    "a text for a float": (peewee.DoubleField, "seven"),
    "a decimal that is none": (peewee.DecimalField, D("NaN")),
    "a text for a decimal": (peewee.DecimalField, "seven"),
    "a text for a date": (peewee.DateField, "not a date"),
    "a text for a datetime": (peewee.DateTimeField, "not a datetime"),
    "a text for a time": (peewee.TimeField, "not a time"),
    "a text for a UUID": (peewee.UUIDField, "not a uuid"),
}


class Values(Ground):
    """What is written comes back."""

    @pytest.mark.parametrize("kind", KINDS)
    def test_a_value_comes_back_and_is_found(self, Base: Any, kind: str) -> None:
        """J3: types round-trip, also after an update; the value finds its row, by itself and in a list, and so does NULL."""
        field, values = KINDS[kind]
        Sample = made(model("Sample", (Base,), value=field(null=True)))
        Sample.insert_many([{"value": value} for value in values]).execute()
        empty = Sample.create(value=None)
        for record, value in zip(Sample.select().where(Sample.value.is_null(False)).order_by(Sample.id), values, strict=True):
            assert (record.value, type(record.value)) == (value, type(value))
            assert [each.id for each in Sample.select().where(Sample.value == value)] == [record.id]
            Sample.update(value=value).where(Sample.id == empty.id).execute()
            assert Sample.get_by_id(empty.id).value == value
            Sample.update(value=None).where(Sample.id == empty.id).execute()
        assert [each.id for each in Sample.select().where(Sample.value.is_null())] == [empty.id]
        assert Sample.select().where(Sample.value.in_(values)).count() == len(values)

    @pytest.mark.parametrize("kind", ["integer", "big integer", "float", "date", "datetime", "decimal", "time"])
    def test_values_are_sorted_and_compared_as_what_they_are(self, Base: Any, kind: str) -> None:
        """J3: numbers as numbers, dates by time, and not as texts."""
        field, values = KINDS[kind]
        Sample = made(model("Sample", (Base,), value=field(null=True)))
        Sample.insert_many([{"value": value} for value in reversed(values)]).execute()
        assert [each.value for each in Sample.select().order_by(Sample.value)] == sorted(values)
        middle = sorted(values)[1]
        assert sorted(each.value for each in Sample.select().where(Sample.value >= middle)) == sorted(values)[1:]
        assert Sample.select(peewee.fn.MAX(Sample.value)).scalar() == max(values)

    def test_json_comes_back(self, Base: Any, capabilities: Store) -> None:
        """J3: JSON round-trips, and so does None."""
        skip_with_sql(capabilities)
        Sample = made(model("Sample", (Base,), value=peewee.JSONField(null=True)))
        empty = Sample.create(value=None)
        for value in ({"a": [1, None, "x"], "b": {"c": True, "d": 1.5}}, [], {}, [{"é": "漢", "$a.b": 1}], "text", 5, True):
            assert Sample.get_by_id(Sample.create(value=value).id).value == value
            Sample.update(value=value).where(Sample.id == empty.id).execute()
            assert Sample.get_by_id(empty.id).value == value
            Sample.update(value=None).where(Sample.id == empty.id).execute()
        assert Sample.get_by_id(empty.id).value is None and Sample.get(Sample.value.is_null()) == empty

    def test_a_value_is_stored_in_the_form_of_its_field(self, Base: Any, capabilities: Store) -> None:
        """J3: values are normalised by field type on write and in comparisons."""
        skip_with_sql(capabilities)
        found = {}
        for number, (told, (field, value, expected)) in enumerate(CHANGED.items()):
            Sample = made(model(f"Sample{number}", (Base,), value=field(null=True)))
            record = Sample.create(value=value)
            found[told] = repr(Sample.get_by_id(record.id).value)
            assert Sample.get(Sample.value == value) == Sample.get(Sample.value == expected) == record
            assert Sample.get(Sample.value.in_([value])) == record
        assert found == {told: repr(expected) for told, (_, _, expected) in CHANGED.items()}

    def test_a_decimal_is_rounded_when_it_is_written(self, Base: Any, capabilities: Store) -> None:
        """J3: Decimal is rounded to decimal_places on write; what is compared with it is not."""
        skip_with_sql(capabilities)
        Sample = made(model("Sample", (Base,), value=KINDS["decimal"][0](null=True)))
        record = Sample.create(value=D("1.23456"))
        assert str(Sample.get_by_id(record.id).value) == "1.235" and Sample.get(Sample.value == D("1.235")) == record
        assert Sample.get(Sample.value > D("1.23456")) == record and Sample.get_or_none(Sample.value == D("1.23456")) is None

    def test_a_datetime_is_as_exact_as_the_store(self, Base: Any, capabilities: Store) -> None:
        """J3: microseconds where the store keeps them, else milliseconds; a comparison cuts as a write does."""
        skip_with_sql(capabilities)
        Sample = made(model("Sample", (Base,), value=peewee.DateTimeField(null=True)))
        moment = Moment(2024, 2, 29, 12, 0, 0, 123_456)
        record = Sample.create(value=moment)
        assert Sample.get_by_id(record.id).value == (moment if capabilities.microseconds else moment.replace(microsecond=123_000))
        assert Sample.get(Sample.value == moment) == record

    def test_a_value_that_does_not_fit_is_refused(self, Base: Any, capabilities: Store) -> None:
        """J3: NaN, infinities, what is beyond 64 bits and what does not parse: errors, in comparisons too; nothing is written."""
        skip_with_sql(capabilities)
        found = {told: _refused(Base, f"Sample{number}", *UNFIT[told]) for number, told in enumerate(UNFIT)}
        assert found == dict.fromkeys(UNFIT, "")


def _refused(Base: Any, name: str, field: Any, value: Any) -> str:
    """What was done with the value that should have been refused."""
    Sample = made(model(name, (Base,), value=field(null=True)))
    record = Sample.create(value=None)
    attempts: dict[str, Any] = {
        "create": lambda: Sample.create(value=value),
        "insert_many": lambda: Sample.insert_many([{"value": None}, {"value": value}]).execute(),
        "update": lambda: Sample.update(value=value).execute(),
        "==": lambda: list(Sample.select().where(Sample.value == value)),
        "<": lambda: list(Sample.select().where(Sample.value < value)),
        "in": lambda: list(Sample.select().where(Sample.value.in_([None, value]))),
        "delete": lambda: Sample.delete().where(Sample.value != value).execute(),
    }
    done = []
    for told, attempt in attempts.items():
        try:
            attempt()
        except (peewee.DataError, ValueError):
            continue
        done.append(told)
    assert [(each.id, each.value) for each in Sample.select()] == [(record.id, None)]
    return ", ".join(done)
