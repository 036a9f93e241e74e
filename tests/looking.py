"""What a database and a class show from outside: tests look here, not at what the library says of itself."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import peewee

from activeassoc.stores.capabilities import store_of

TO_MANY = "get_{many} count_{many} set_{many} add_{one} add_{many} remove_{one} remove_{many} has_{one} has_{many} create_{one}"


def table(model: Any) -> str:
    """The name of the model's table."""
    return str(model._meta.table_name)


def cols(model: Any) -> set[str]:
    """The columns that the model's table has in the database; the model's own where the store keeps no columns."""
    if not store_of(model._meta.database).columns:
        return set(model._meta.columns)
    return {column.name for column in model._meta.database.get_columns(table(model))}


def keys(model: Any) -> set[tuple[str, str, str, str, str]]:
    """The foreign keys that the database holds: (column, table and column pointed to, ON DELETE, ON UPDATE).

    As the database tells: a clause that was left out reads NO ACTION on SQLite and PostgreSQL, and RESTRICT on MariaDB; one that was
    written reads as written on all three (but MariaDB keeps SET DEFAULT as RESTRICT). Where the store keeps no constraints: what the model
    declares, by which its records are deleted.
    """
    if not store_of(model._meta.database).constraints:
        return {
            (key.column_name, table(key.rel_model), key.rel_field.column_name, key.on_delete or "NO ACTION", key.on_update or "NO ACTION")
            for key in model._meta.refs
            if key.constraint is not False
        }
    found = model._meta.database.get_foreign_keys(table(model))
    return {(key.column, key.dest_table, key.dest_column, key.on_delete.upper(), key.on_update.upper()) for key in found}


def pk(model: Any) -> set[str]:
    """The columns of the primary key in the database; as the model says where the store keeps no columns."""
    if not store_of(model._meta.database).columns:
        return {field.column_name for field in model._meta.get_primary_keys()}
    return set(model._meta.database.get_primary_keys(table(model)))


def has(cls: type, words: str) -> bool:
    """Every one of the words is a method of the class."""
    return all(callable(getattr(cls, word, None)) for word in words.split())


def lacks(cls: type, words: str) -> bool:
    """None of the words is an attribute of the class."""
    return not any(hasattr(cls, word) for word in words.split())


def ten(one: str, many: str) -> str:
    """The ten to-many methods, for `has` and `lacks`."""
    return TO_MANY.format(one=one, many=many)


def stored(model: Any, *columns: str) -> list[tuple[Any, ...]]:
    """The rows of the model's table: these columns, sorted; whatever select() of the model itself hides."""
    return sorted(peewee.ModelSelect(model, [model._meta.columns[column] for column in columns]).tuples())


def raw(db: Any, sql: str) -> list[tuple[Any, ...]]:
    """The rows of a statement, sorted."""
    return sorted(db.execute_sql(sql).fetchall())


def together(db: Any, *functions: Callable[[], Any]) -> list[Any]:
    """What the functions return, each run in a thread of its own, all let go at once; an error is in its function's place.

    Each thread closes its connection, and none outlives the call.
    """
    start = threading.Barrier(len(functions))
    results: list[Any] = [None] * len(functions)

    def run(position: int, function: Callable[[], Any]) -> None:
        try:
            start.wait(30)
            results[position] = function()
        except Exception as error:
            results[position] = error
        finally:
            db.close()

    threads = [threading.Thread(target=run, args=each) for each in enumerate(functions)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads), "a thread did not end within a minute"
    return results
