"""belongs_to: a record of the source belongs to one of the target; the key is on the source.

Book.author_id ──→ Author.id
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any

import peewee
from peewee import Field

from activeassoc.associations.base import Hop, not_found, verb
from activeassoc.associations.reading import OneKey
from activeassoc.associations.stages import Stages, transactional
from activeassoc.associations.writing import retried, values_given
from activeassoc.errors import UnsavedRecordError
from activeassoc.keys import has_constraint, is_saved
from activeassoc.planning import Plan, Wish, plan_key
from activeassoc.registry import Claim, Model
from activeassoc.stores.sql import every_row, one_statement, rows_among, same_database
from activeassoc.targets import Target, read_one


class BelongsTo(OneKey):
    """``Book.belongs_to(Author)``: book.author, get_author, set_author, create_author."""

    kind = "belongs_to"
    to_many = False
    key_on_source = True

    def prepare(self, plan: Plan, target: Model, names_of: Any) -> None:
        """Plan the key on the source."""
        claim = Claim(self, self.declared, self.key_options(), names_key=True)
        wish = Wish(
            holder=self.source,
            target=target,
            claim=claim,
            column=self.options.get("foreign_key"),
            stem=self.names.one,
            referenced=self.options.get("target_key"),
            option="target_key",
            belongs_to=self.name,
            form=self.options.get("in_body"),
        )
        plan.do(self.take, plan_key(plan, wish))

    @property
    def path(self) -> tuple[Hop, ...]:
        target = self.target
        return (Hop(self.key.attribute, target, self.key.field.rel_field.name),)

    # The attribute, where the key's field has another name

    def value(self, owner: Any) -> Any:
        """The record, as the key's field gives it."""
        self.target  # noqa: B018  (a target given by name is bound on first use)
        return getattr(owner, self.key.field.name)

    def __set__(self, instance: Any, value: Any) -> None:
        self.check_owner(instance, self.name)
        self.target  # noqa: B018
        setattr(instance, self.key.field.name, value)

    # Reading

    @verb("get_{one}")
    def get(self, owner: Any, *, where: Any = None, attributes: Any = None, populate: Any = None) -> Any:
        """The record that this one belongs to, or None; asks the database, whatever the attribute holds loaded.

        `where` is a peewee expression or a criteria mapping, `attributes` names or fields to read, `populate` paths to load
        with it. One query, and one for each association of the paths; none where the key is NULL. (C4, C11)
        """
        self.check_owner(owner, "get")
        self.target  # noqa: B018
        if self.near_of(owner) is None:
            return None
        found = self.fetch(owner, "get", where=where, attributes=attributes, limit=1, populate=populate)
        return found[0] if found else None

    def keep(self, owner: Any, found: Any, *, truncated: bool = False, partial: bool = False) -> None:
        owner.__rel__[self.key.attribute] = found

    # Writing

    @verb("set_{one}")
    @retried
    def set(self, owner: Any, target: Any) -> Any:
        """Make this one belong to `target`, an instance or a primary key; None clears. Returns the target, or None.

        Writes the key column alone and leaves other unsaved changes unsaved. A new target is saved first. A missing target
        or owner raises RecordNotFound and nothing changes. On an owner that is not saved it sets the key in memory. One
        UPDATE. (C2, C4)
        """
        self.check_owner(owner, "set")
        given = read_one(self.target, target, self.asked("set"))
        if not is_saved(owner):
            if given is not None and given.new:
                raise UnsavedRecordError(self.asked("set"), "neither record is saved yet", "Save one of them first", record=owner)
            self._tell(owner, given, self._key_value(given), dirty=True)
            return self._returned(owner, given)
        new = [] if given is None or not given.new else [given.record]
        several = new or (given is not None and not self._checked)
        with self._stages("set", new) if several else contextlib.nullcontext() as stage:
            if new and not self._taken_back:
                self.require_row(owner, "set")  # before a record is made that nobody would belong to
            for record in new:
                record.save(force_insert=True)
            if stage is not None:
                stage.targets_written()
            value = self._key_value(given)
            self._write(owner, given, value)
        self._tell(owner, given, value, dirty=False)
        return self._returned(owner, given)

    def _stages(self, operation: str, new: list[Any], *, creates: bool = False) -> Stages:
        """The block of a write of the target, where there is a new one, and then of the key."""
        return Stages(self.asked(operation), self.source, self.target, new, writes_targets=creates or bool(new))

    @property
    def _taken_back(self) -> bool:
        """Whether a new target goes with the transaction, where the owner turns out to be gone."""
        return same_database(self.source, self.target) and transactional(self.target)

    @property
    def _checked(self) -> bool:
        """Whether the one UPDATE tells that the target exists."""
        return has_constraint(self.key.field)

    def _key_value(self, given: Target | None) -> Any:
        """What the key has to hold for this target: arguments are primary keys whatever the key refers to (A15)."""
        if given is None:
            return None
        referred: Field = self.key.field.rel_field
        target = self.target
        if given.record is not None and referred.name in given.record.__data__:
            return given.record.__data__[referred.name]
        if any(referred is part for part in target._meta.get_primary_keys()) and not target._meta.composite_key:
            return given.key
        query = every_row(target, referred).where(rows_among(target, [given.key]))
        row = target._meta.database.execute(query).fetchone()
        if row is None:
            raise not_found(self.asked("set"), target, [given.key])
        return referred.python_value(row[0])

    def _write(self, owner: Any, given: Target | None, value: Any, operation: str = "set") -> None:
        if given is not None and not given.new and not self._checked and operation == "set":  # a target that was just made is there
            self._require_target(given)
        try:
            with one_statement(self.source._meta.database):
                count = self.source.update({self.key.field: value}).where(owner._pk_expr()).execute()
        except peewee.IntegrityError:
            if given is not None:
                self._require_target(given)
            raise
        if not count:
            self.require_row(owner, operation)

    def _require_target(self, given: Target) -> None:
        target = self.target
        key = given.key if given.key is not None else given.record._pk
        query = every_row(target, peewee.SQL("1")).where(rows_among(target, [key]))
        if not target._meta.database.execute(query).fetchone():
            raise not_found(self.asked("set"), target, [key])

    def _tell(self, owner: Any, given: Target | None, value: Any, dirty: bool) -> None:
        """Memory after a set: the key, the record where one was given, and what both ends hold loaded."""
        name = self.key.attribute
        former = owner.__rel__.pop(name, None)
        owner.__data__[name] = value
        if dirty:
            owner._dirty.add(name)
        else:
            owner._dirty.discard(name)
        if given is not None and given.record is not None:
            owner.__rel__[name] = given.record
        if not dirty:
            for other in (former, given.record if given is not None else None):
                if isinstance(other, peewee.Model):
                    self.forget_on(other)

    def _returned(self, owner: Any, given: Target | None) -> Any:
        """The target: the instance that was given, or the record of the key (one query)."""
        if given is None:
            return None
        return given.record if given.record is not None else getattr(owner, self.key.field.name)

    @verb("create_{one}")
    @retried
    def create(self, owner: Any, values: Mapping[str, Any] | None = None, /, **fields: Any) -> Any:
        """Make a record of the target and belong to it; returns it.

        Fields by keyword, or as a mapping where a name would be hidden; unknown ones raise UnknownName. 1 INSERT and
        1 UPDATE in one transaction. (C18)
        """
        self.require_saved(owner, "create")
        row = values_given(self.target, values, fields, {}, self.asked("create"))
        with self._stages("create", [], creates=True) as stage:
            if not self._taken_back:
                self.require_row(owner, "create")
            record = self.target.create(**row)
            stage.note(self.target, [record._pk])
            stage.targets_written()
            given = Target(record._pk, record)
            value = self._key_value(given)
            self._write(owner, given, value, "create")
        self._tell(owner, given, value, dirty=False)
        return record
