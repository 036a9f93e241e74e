"""What has_one and has_many share: the key stands on the target's row.

    Author.id ←── Book.author_id

Map: `KeyOnTarget` has the path, and `rows_of`, `attach_rows`, `detach_rows`, which read and write the keys; `set_key` tells
an instance in memory.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import reduce
from operator import or_
from typing import Any

import peewee
from peewee import Field, ForeignKeyField

from activeassoc.associations.base import Hop
from activeassoc.associations.options import both
from activeassoc.associations.reading import OneKey
from activeassoc.associations.writing import equalities
from activeassoc.errors import RequiredKeyError, listed
from activeassoc.keys import has_constraint
from activeassoc.planning import Plan, Wish, plan_key
from activeassoc.registry import Claim, Model
from activeassoc.stores.sql import every_row, one_if, row_groups, rows_among, store_of
from activeassoc.targets import Target, key_of


class KeyOnTarget(OneKey):
    """An association whose key is a column of the target."""

    def prepare(self, plan: Plan, target: Model, names_of: Any) -> None:
        """Plan the key on the target."""
        own = names_of(self.source).one
        to_self = target is self.source and not self.to_many  # the alias names the column (A9)
        claim = Claim(self, self.declared, self.key_options())
        wish = Wish(
            holder=target,
            target=self.source,
            claim=claim,
            column=self.options.get("foreign_key") or (f"{self.names.one}_id" if to_self else None),
            stem=own,
            referenced=self.options.get("source_key"),
            option="source_key",
            avoid=self.name if to_self else None,
            any_key=True,
        )
        key = plan_key(plan, wish)
        plan.do(self.take, key)

    @property
    def path(self) -> tuple[Hop, ...]:
        target = self.target
        return (Hop(self.referred.name, target, self.key.attribute),)

    @property
    def referred(self) -> Field:
        """The source's field that the key refers to."""
        return self.key.referred  # type: ignore[no-any-return]

    # In memory

    @property
    def beside(self) -> str:
        return self.key.attribute if isinstance(self.key.field, ForeignKeyField) else ""

    def attach(self, owner: Any, record: Any) -> None:
        if isinstance(self.key.field, ForeignKeyField):
            record.__rel__[self.key.attribute] = owner

    def set_key(self, record: Any, owner: Any, acting: Any = None) -> None:
        """Tell an instance whose it is now: the owner's, or nobody's; a former owner other than the `acting` one forgets (C12)."""
        name = self.key.attribute
        former = record.__rel__.pop(name, None)
        if isinstance(former, peewee.Model) and former is not owner and former is not acting:
            self.forget_on(former)
        record.__data__[name] = None if owner is None else self.near_of(owner)
        record._dirty.discard(name)
        if owner is not None:
            self.attach(owner, record)

    def set_scope(self, record: Any, scope: dict[Field, Any]) -> None:
        for field, value in scope.items():
            record.__data__[field.name] = value
            record._dirty.discard(field.name)

    def save_new(self, owner: Any, record: Any, scope: dict[Field, Any]) -> None:
        """Insert a new target as the owner's."""
        self.set_key(record, owner)
        for field, value in scope.items():
            setattr(record, field.name, value)
        record.save(force_insert=True)

    def scope(self, operation: str) -> dict[Field, Any]:
        """What the scope writes into records that are created or added."""
        return equalities(self.target, self.where, self.asked(operation))

    # Rows

    def owned(self, owner: Any) -> Any:
        """The condition for the rows of this owner, within the scope."""
        return both(self.near_is([self.near_of(owner)]), self.filters(self.declared))

    def rows_of(self, owner: Any, targets: Sequence[Target], whole: bool) -> dict[Any, tuple[Any, bool]]:
        """The rows that are the owner's, and those of the targets: primary key → (record, whether it is the owner's).

        One statement (more where the keys are too many for one). `whole` reads all columns of the rows.
        """
        target, asked = self.target, self.declared
        columns = self.columns(None if whole else [], asked)
        own = self.owned(owner)
        if not store_of(target._meta.database).expressions:
            return self._rows_asked_twice(own, targets, columns)
        keys = [each.key for each in targets if not each.new]
        found: dict[Any, tuple[Any, bool]] = {}
        for index, some in enumerate(row_groups(target, keys) if keys else [()]):
            given = rows_among(target, some) if some else None
            condition = own if given is None else (own | given if index == 0 else given)
            query = every_row(target, *columns, one_if(own)).where(condition).order_by(*target._meta.get_primary_keys())
            for record, linked in self.read(query, columns, [], extra=1):
                found[key_of(record)] = (record, bool(linked))
        return found

    def _rows_asked_twice(self, own: Any, targets: Sequence[Target], columns: Sequence[Field]) -> dict[Any, tuple[Any, bool]]:
        """The same where no query can tell of a row whether a condition holds: the owner's rows, then the others of those asked for."""
        target, primary = self.target, self.target._meta.get_primary_keys()
        mine = every_row(target, *columns).where(own).order_by(*primary)
        found = {key_of(record): (record, True) for (record,) in self.read(mine, columns, [])}
        rest = [each.key for each in targets if not each.new and each.key not in found]
        for some in row_groups(target, rest) if rest else ():
            query = every_row(target, *columns).where(rows_among(target, some)).order_by(*primary)
            for (record,) in self.read(query, columns, []):
                found.setdefault(key_of(record), (record, False))
        return found

    def attach_rows(self, owner: Any, keys: Sequence[Any], scope: dict[Field, Any]) -> int:
        """Give these rows to the owner; the number of rows of which something changed. One UPDATE."""
        field, near = self.key.field, self.near_of(owner)
        values = {field: near, **scope}
        differs = reduce(
            or_,
            [
                (column != value) | column.is_null() if value is not None else column.is_null(False)
                for column, value in values.items()
            ],
        )
        changed = 0
        for some in row_groups(self.target, keys):
            changed += int(self.target.update(values).where(rows_among(self.target, some), differs).execute())
        return changed

    def detach_rows(self, owner: Any, keys: Sequence[Any], destroy: bool) -> int:
        """Take these rows from the owner, those of them that are its; the number. One UPDATE, or DELETE."""
        changed = 0
        own = self.owned(owner)
        if self.required and destroy:
            return sum(self._destroy(rows_among(self.target, some) & own) for some in row_groups(self.target, keys))
        query = self.target.update({self.key.field: None})
        for some in row_groups(self.target, keys):
            changed += int(query.where(rows_among(self.target, some), own).execute())
        return changed

    def _destroy(self, condition: Any) -> int:
        """Delete rows, after what the rules of keys without a constraint ask for; the number of rows."""
        from activeassoc.deleting import delete_rows  # here, as it stands a floor above

        query = self.target.delete().where(condition)
        return delete_rows(self.target, condition, f"{self.label} with destroy=True", lambda: int(query.execute()))

    @property
    def required(self) -> bool:
        """Whether the key cannot be cleared: it is NOT NULL, or part of the primary key."""
        return not self.key.field.null or self.in_primary_key

    @property
    def in_primary_key(self) -> bool:
        return any(self.key.field is part for part in self.target._meta.get_primary_keys())

    def refuse(self, operation: str, keys: Iterable[Any]) -> RequiredKeyError:
        """The error for letting records go whose key may not be NULL."""
        field = self.key.field
        why = "is part of the primary key" if field.null else "may not be NULL"
        return RequiredKeyError(
            self.asked(operation),
            f"{self.target.__name__} {listed(map(repr, keys))} would be let go, and its key {field.column_name!r} {why}",
            "Give destroy=True to delete what is let go, or declare the key with null=True",
            keys=list(keys),
        )

    @property
    def constrained(self) -> bool:
        """Whether the database checks that the owner exists."""
        return has_constraint(self.key.field)
