"""What an instance holds beside its columns, made only when somebody touches it.

peewee gives every instance a set of changed fields and a dict of related records, of which most rows that are read never need
either. The collector looks at each of them again and again; of many rows they are the larger part.

Map: `OnTouch` is the attribute that makes its value when it is first read.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class OnTouch:
    """An attribute whose value an instance gets when it is first touched; on the class it is None, as with peewee."""

    __slots__ = ("make", "name")

    def __init__(self, name: str, make: Callable[[], Any]) -> None:
        self.name = name
        self.make = make

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        # It has no __set__, so that the instance's own attribute comes first, once it is there. Two threads get the same one.
        return None if instance is None else instance.__dict__.setdefault(self.name, self.make())
