"""has_many: a record of the source has several of the target; the key is on the target.

Author.id ←── Book.author_id
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import peewee
from peewee import fn

from activeassoc.associations.base import verb
from activeassoc.associations.on_target import KeyOnTarget
from activeassoc.associations.stages import Stages, transactional
from activeassoc.associations.to_many import ToMany
from activeassoc.associations.writing import create_all, mappings, match, retried, saves_plainly, values_given
from activeassoc.stores.sql import every_row, many_statements, one_if, one_statement, row_groups, rows_among, store_of, total
from activeassoc.targets import Target, key_of, read_many


class HasMany(ToMany, KeyOnTarget):
    """``Author.has_many(Book)``: author.books, and the methods of every to-many."""

    kind = "has_many"

    # Writing

    @verb("set_{many}")
    @retried
    def set(self, owner: Any, targets: Any, *, destroy: bool = False) -> list[Any]:
        """Make exactly these records the associated ones; returns them, in the order given, without repeats.

        `targets` are instances or primary keys, any iterable of them, or None for none. Those left out are detached (their
        key becomes NULL), new instances are saved, those that were associated before are left untouched. Where the key
        may not be NULL, leaving one out raises RequiredKeyError before anything is written, unless ``destroy=True``,
        which deletes it. Missing keys raise RecordNotFound.

        At most 1 SELECT and 2 UPDATEs, and an INSERT for each new instance, in one transaction. (C6)
        """
        self.require_saved(owner, "set")
        given = read_many(self.target, targets, self.asked("set"))
        scope = self.scope("set") if given else {}
        new = [target for target in given if target.new]
        new_records = [target.record for target in new]
        with self.with_owner(owner, "set"), Stages(self.asked("set"), self.target, self.target, new_records) as stage:
            locked = self.lock(owner, "set")
            rows = self.rows_of(owner, given, whole=any(target.record is None for target in given))
            given = match(self.target, rows, given, self.asked("set"))
            kept = {target.key for target in given if not target.new}
            obsolete = [key for key, (_, linked) in rows.items() if linked and key not in kept]
            if obsolete:
                if self.required and not destroy:
                    raise self.refuse("set", obsolete)
                self.detach_rows(owner, obsolete, destroy)
                stage.note(self.target, obsolete, " let go")
            if not locked and not (self.constrained and (obsolete or given)):
                self.require_row(owner, "set")
            self._write(owner, [key for key in kept if not rows[key][1]], new, scope, stage)
        for target in given:
            target.record = rows[target.key][0] if target.record is None else target.record
        return self._settled(owner, given, scope, obsolete)

    def _settled(self, owner: Any, given: list[Target], scope: dict[Any, Any], obsolete: list[Any]) -> list[Any]:
        """Memory after a set: the targets, those let go that the owner held, and the owner's collection."""
        gone = set(obsolete)
        for record in self.held_records(owner):
            if key_of(record) in gone:
                self.set_key(record, None, owner)
        records = [target.record for target in given]
        for record in records:
            self.set_key(record, owner)
            self.set_scope(record, scope)
        self.hold(owner, records)
        self.forget_on(owner, but=self)
        return records

    def _write(self, owner: Any, keys: list[Any], new: list[Target], scope: dict[Any, Any], stage: Stages | None = None) -> int:
        """Give rows to the owner and save new records as its own; the number of rows changed."""
        changed = self.attach_rows(owner, keys, scope) if keys else 0
        if stage is not None:
            stage.note(self.target, keys, " attached")
        for target in new:
            self.save_new(owner, target.record, scope)
        return changed + len(new)

    @verb("add_{one}", "add_{many}")
    @retried
    def add(self, owner: Any, targets: Any) -> int:
        """Associate these records too; returns the number of records whose key changed.

        A record of another owner moves to this one. `targets` are instances or primary keys, one or any iterable; None
        does nothing. New instances are saved. Missing keys raise RecordNotFound, listed, and nothing is written.

        One UPDATE, and an INSERT for each new instance; 1 SELECT more where some were this owner's already. (C7)
        """
        self.require_saved(owner, "add")
        given = read_many(self.target, targets, self.asked("add"))
        if not given:
            return 0
        scope = self.scope("add")
        new, old = [target for target in given if target.new], [target for target in given if not target.new]
        keys = [target.key for target in old]
        database, new_records = self.target._meta.database, [target.record for target in new]
        # One UPDATE of one row is whole by itself; one of several has to be taken back where some of them are missing.
        several = new or len(keys) > 1 or not self.constrained
        stage = Stages(self.asked("add"), self.target, self.target, new_records) if several else None
        with self.with_owner(owner, "add"), stage or one_statement(database):
            if not self.constrained:
                self.require_row(owner, "add")
            if keys and (self.in_primary_key or not transactional(self.target)):
                self._require_targets(old, "add")  # afterwards they would not be found under a changed key, or it could not be taken back
            changed = self._write(owner, keys, new, scope, stage)
            if changed < len(given) and not self.in_primary_key:
                self._require_targets(old, "add")
        for target in given:
            if target.record is not None:
                self.set_key(target.record, owner)
                self.set_scope(target.record, scope)
        self.hold_more(owner, given)
        self.forget_on(owner, but=self)
        return changed

    def _require_targets(self, targets: list[Target], operation: str) -> None:
        target = self.target
        found: set[Any] = set()
        for some in row_groups(target, [each.key for each in targets]):
            query = every_row(target, *target._meta.get_primary_keys()).where(rows_among(target, some))
            found.update(key_of(record) for (record,) in self.read(query, target._meta.get_primary_keys(), []))
        match(target, found, targets, self.asked(operation))

    @verb("remove_{one}", "remove_{many}")
    @retried
    def remove(self, owner: Any, targets: Any, *, destroy: bool = False) -> int:
        """Let these records go, those of them that are this owner's; returns the number removed.

        Their key becomes NULL; where it may not be, RequiredKeyError is raised before anything is written, unless
        ``destroy=True``, which deletes them. Records of other owners and missing ones are left alone. One UPDATE. (C7)
        """
        self.require_saved(owner, "remove")
        given = [target for target in read_many(self.target, targets, self.asked("remove")) if not target.new]
        if not given:
            return 0
        keys = [target.key for target in given]
        database = self.target._meta.database
        alone = len(keys) == 1 and self.constrained and not self.required
        with one_statement(database) if alone else many_statements(database):
            if not self.constrained:
                self.require_row(owner, "remove")
            if self.required and not destroy:
                matching = self._owned_among(owner, keys)
                if matching:
                    raise self.refuse("remove", matching)
                removed = 0
            else:
                removed = self.detach_rows(owner, keys, destroy)
            if not removed and self.constrained:
                self.require_row(owner, "remove")
        self._tell_removed(owner, given, removed)
        return removed

    def _owned_among(self, owner: Any, keys: list[Any]) -> list[Any]:
        """Those of these keys whose rows are the owner's."""
        target, found = self.target, []
        for some in row_groups(target, keys):
            query = every_row(target, *target._meta.get_primary_keys()).where(rows_among(target, some), self.owned(owner))
            found += [key_of(record) for (record,) in self.read(query, target._meta.get_primary_keys(), [])]
        return found

    def _tell_removed(self, owner: Any, given: list[Target], removed: int) -> None:
        """Memory after a remove. Fewer rows than asked for: what memory says of these records may be old, so ask."""
        name = self.key.attribute
        passed = [target for target in given if target.record is not None]
        rows = self.rows_of(owner, passed, whole=False) if passed and removed < len(given) else {}
        for target in passed:
            stored = rows[target.key][0].__data__.get(name) if target.key in rows else None
            if stored is None or stored != target.record.__data__.get(name):
                self.set_key(target.record, None, owner)
                target.record.__data__[name] = stored
        gone = {target.key for target in given}
        for record in self.held_records(owner):
            if key_of(record) in gone:
                self.set_key(record, None, owner)
        self.hold_less(owner, gone)
        self.forget_on(owner, but=self)

    @verb("create_{one}")
    @retried
    def create(self, owner: Any, values: Mapping[str, Any] | None = None, /, **fields: Any) -> Any:
        """Make a record and associate it; returns it.

        Fields by keyword, or as a mapping where a name would be hidden; unknown ones raise UnknownName. One INSERT. (C18)
        """
        if self.same_word and isinstance(values, list | tuple):
            return self.create_many(owner, values)
        return self._create(owner, [values], fields, "create")[0]

    @verb("create_{many}")
    @retried
    def create_many(self, owner: Any, values: Iterable[Mapping[str, Any]]) -> list[Any]:
        """Make several records and associate them; returns them, in the order given. All or none. (C18)

        `values` are mappings of fields to values. One INSERT where the keys are known before (UUIDs made in Python, given
        keys), else one each, in one transaction: the engines do not all tell the keys of rows that were inserted together.
        """
        return self._create(owner, mappings(values, self.asked("create_many")), {}, "create_many")

    def _create(self, owner: Any, values: list[Any], fields: Mapping[str, Any], operation: str) -> list[Any]:
        self.require_saved(owner, operation)
        target, asked, database = self.target, self.asked(operation), self.target._meta.database
        forced = {self.key.field: self.near_of(owner), **self.scope(operation)}
        rows = [values_given(target, each, fields, forced, asked) for each in values]
        alone = len(rows) == 1 and self.constrained and saves_plainly(target)
        stage = None if alone else Stages(asked, target, target)
        with self.with_owner(owner, operation), stage or one_statement(database):
            if not self.constrained:
                self.require_row(owner, operation)
            records = create_all(target, rows, stage)
        for record in records:
            self.attach(owner, record)
        self.hold_more(owner, [Target(key_of(record), record) for record in records])
        self.forget_on(owner, but=self)
        return records

    # Asking

    def matching(self, owner: Any, targets: list[Target]) -> int:
        """How many of these targets are the owner's."""
        found = 0
        for some in row_groups(self.target, [target.key for target in targets]):
            query = self.target.select(fn.COUNT(peewee.SQL("1"))).where(self.owned(owner), rows_among(self.target, some))
            found += int(self.target._meta.database.execute(query).fetchone()[0])
        return found

    def matching_of_all(self, owner: Any, targets: list[Target]) -> tuple[int, int]:
        """How many of these targets are the owner's, and how many the owner has."""
        if not store_of(self.target._meta.database).expressions:
            return self.matching(owner, targets), self.count(owner)
        found = every = 0
        for some in row_groups(self.target, [target.key for target in targets]):
            counts = [total(one_if(rows_among(self.target, some))), fn.COUNT(peewee.SQL("1"))]
            row = self.target._meta.database.execute(self.target.select(*counts).where(self.owned(owner))).fetchone()
            found, every = found + int(row[0]), int(row[1])
        return found, every
