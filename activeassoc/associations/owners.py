"""The owners of one populate, by the key that the association starts from.

Map: `Owners` groups them and tells what each row's key means, as the database compares; `unread` is the error for owners without it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import peewee

from activeassoc.associations.alone import alone
from activeassoc.errors import AssociationError
from activeassoc.keys import is_saved
from activeassoc.stores.sql import base_field, coercer, every_row, groups
from activeassoc.targets import folded

if TYPE_CHECKING:
    from activeassoc.associations.reading import Reading


class Owners:
    """The owners by the key that the association starts from.

    Keys are compared as the key's own type says: "7" in memory is 7 (H4). A value that can be no key of the column refers to
    nothing. Two instances of one row stand under one key, and a repeated key is asked for once.
    """

    def __init__(self, association: Reading, owners: Sequence[Any], asked: str) -> None:
        self.association = association
        self.all = owners
        near = association.path[0].near
        self._field = association.near_field
        # A plain column may hold the keys in another form, as a text does UUIDs: they are compared as what they are.
        self._type = self._field if association.key_on_source else association.source._meta.fields[near]
        #: Key → owner, where that is all there is to know: whole numbers, each of one saved record.
        self.alone = alone(association, owners, near, self._field)
        self.by_key: dict[Any, list[Any]] = {}
        if self.alone is None:
            self._group(near, asked)

    def _group(self, near: str, asked: str) -> None:
        association, owners = self.association, self.all
        coerce = coercer(self._type)
        needs_row = not association.key_on_source
        spelled: dict[Any, list[Any]] = {}
        for owner in owners:
            association.check_owner(owner, "get")
            key = owner.__data__.get(near)
            if key is None:
                if near not in owner.__data__ and getattr(owner, "_stored", None):
                    raise unread(association, near, asked)
                continue
            if needs_row and not is_saved(owner):
                continue
            spelled.setdefault(key, []).append(owner)
        for key, some in spelled.items():
            try:
                self.by_key.setdefault(coerce(key), []).extend(some)
            except (TypeError, ValueError, ArithmeticError):
                continue

    def portions(self) -> Iterable[Sequence[Any]]:
        """The keys, in portions that one statement takes."""
        keys = list(self.by_key if self.alone is None else self.alone)
        return groups(self._field.model._meta.database, keys) if keys else ()

    def reading(self, keys: Sequence[Any], nears: Iterable[Any]) -> dict[Any, list[Any]]:
        """What the rows hold of the owners' key → the owners that it means, as the database compares.

        The rows hold the key as the database spells it: a collation may call "ann" and "Ann" the same.
        """
        if self.alone is not None and not self.by_key:
            self.by_key = {key: [owner] for key, owner in self.alone.items()}
        convert, coerce = self._field.python_value, coercer(self._type)
        there = {near: _as_key(coerce, convert(near)) for near in set(nears)}
        meant = {near: self.by_key[key] for near, key in there.items() if key in self.by_key}
        kind: Any = base_field(self._type)
        if not isinstance(kind, peewee.CharField | peewee.TextField):
            return meant
        self._add_other_spellings(meant, there, keys)
        return meant

    def _add_other_spellings(self, meant: dict[Any, list[Any]], there: dict[Any, Any], keys: Sequence[Any]) -> None:
        """Texts: a row that nobody's key spells was found by another spelling of it; so may a key be that no row spells."""
        exact = set(there.values())
        strangers = {near for near in there if near not in meant}
        unspelled = [key for key in keys if key not in exact]
        if not strangers and not unspelled:
            return
        by_text: dict[str, tuple[list[Any], list[Any]]] = {}
        for near, key in there.items():
            by_text.setdefault(folded(key), ([], []))[0].append(near)
        for key in keys:
            by_text.setdefault(folded(key), ([], []))[1].append(key)
        for nears, alike in by_text.values():
            if len(nears) == 1 and len(alike) == 1:
                meant[nears[0]] = self.by_key[alike[0]]  # the row was found, and by nothing else
            elif nears and (len(nears) > 1 or len(alike) > 1):
                for key in alike:
                    # Which spellings are one to the store, only the store knows. A query for each key, where there are such.
                    others = [near for near in self._same(key) if near in there and there[near] != key]
                    for near in others:
                        meant[near] = [*meant.get(near, ()), *self.by_key[key]]

    def _same(self, key: Any) -> list[Any]:
        field = self._field
        query = every_row(field.model, field).where(field == key)  # not DISTINCT, to which all spellings are one
        return list({row[0]: None for row in field.model._meta.database.execute(query).fetchall()})


def _as_key(coerce: Any, value: Any) -> Any:
    try:
        return coerce(value)
    except (TypeError, ValueError, ArithmeticError):
        return value  # it is no key of anybody


def unread(association: Reading, near: str, asked: str) -> AssociationError:
    name = f"{association.source.__name__}.{near}"
    return AssociationError(
        asked,
        f"the records were read without {name}, by which {association.label} is found",
        f"Read it too, as in {association.source.__name__}.select(…, {name})",
    )
