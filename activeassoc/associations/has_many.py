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
from activeassoc.associations.to_many import ToMany
from activeassoc.associations.writing import as_before, values_given
from activeassoc.errors import WrongArgument
from activeassoc.stores.sql import many_statements, one_if, one_statement, row_groups, rows_among, total
from activeassoc.targets import Target, key_of, read_many


class HasMany(ToMany, KeyOnTarget):
    """``Author.has_many(Book)``: author.books, and the methods of every to-many."""

    kind = "has_many"

    # Writing

    @verb("set_{many}")
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
        old, new = [target for target in given if not target.new], [target for target in given if target.new]
        with as_before([target.record for target in new]), many_statements(self.target._meta.database):
            locked = self.lock(owner, "set")
            rows = self.rows_of(owner, old, whole=any(target.record is None for target in old))
            keys = self.match(rows, old, "set")
            kept = set(keys)
            obsolete = [key for key, (_, linked) in rows.items() if linked and key not in kept]
            if obsolete and self.required and not destroy:
                raise self.refuse("set", obsolete)
            if obsolete:
                self.detach_rows(owner, obsolete, destroy)
            fresh = [key for key in keys if not rows[key][1]]
            if not locked and not fresh and not obsolete and not kept and not new:
                self.require_row(owner, "set")
            self._write(owner, fresh, new, scope, "set")
        for target, key in zip(old, keys, strict=True):
            target.record = rows[key][0] if target.record is None else target.record
        return self._settled(owner, given, scope, obsolete)

    def _settled(self, owner: Any, given: list[Target], scope: dict[Any, Any], obsolete: list[Any]) -> list[Any]:
        """Memory after a set: the targets, those let go that the owner held, and the owner's collection."""
        gone = set(obsolete)
        for record in self.held_records(owner):
            if key_of(record) in gone:
                self.set_key(record, None)
        records = [target.record for target in given]
        for record in records:
            self.set_key(record, owner)
            self.set_scope(record, scope)
        self.hold(owner, records)
        return records

    def _write(self, owner: Any, keys: list[Any], new: list[Target], scope: dict[Any, Any], operation: str) -> int:
        """Give rows to the owner and save new records as its own; the number of rows changed."""
        if not self.constrained and (keys or new):
            self.require_row(owner, operation)
        try:
            with many_statements(self.target._meta.database) if new else one_statement(self.target._meta.database):
                changed = self.attach_rows(owner, keys, scope) if keys else 0
                for target in new:
                    self.set_key(target.record, owner)
                    for field, value in scope.items():
                        setattr(target.record, field.name, value)
                    target.record.save(force_insert=True)
        except peewee.IntegrityError:
            self.require_row(owner, operation)
            raise
        return changed + len(new)

    @verb("add_{one}", "add_{many}")
    def add(self, owner: Any, targets: Any) -> int:
        """Associate these records too; returns the number of records whose key changed.

        A record of another owner moves to this one. `targets` are instances or primary keys, one or any iterable; None
        does nothing. New instances are saved. Missing keys raise RecordNotFound, listed, and nothing is written.

        One UPDATE, and an INSERT for each new instance. (C7)
        """
        self.require_saved(owner, "add")
        given = read_many(self.target, targets, self.asked("add"))
        if not given:
            return 0
        scope = self.scope("add")
        new, keys = [target for target in given if target.new], [target.key for target in given if not target.new]
        database = self.target._meta.database
        # One UPDATE of one row is whole by itself; one of several has to be taken back where some of them are missing.
        block = many_statements(database) if new or len(keys) > 1 or not self.constrained else one_statement(database)
        with as_before([target.record for target in new]), block:
            if keys and self.in_primary_key:
                self._require_targets(keys, "add")  # afterwards they would not be found: their primary key changes
            changed = self._write(owner, keys, new, scope, "add")
            if changed < len(given) and not self.in_primary_key:
                self._require_targets(keys, "add")
        for target in given:
            if target.record is not None:
                self.set_key(target.record, owner)
                self.set_scope(target.record, scope)
        self.hold_more(owner, given)
        return changed

    def _require_targets(self, keys: list[Any], operation: str) -> None:
        target, found = self.target, set()
        for some in row_groups(target, keys):
            query = target.select(*target._meta.get_primary_keys()).where(rows_among(target, some))
            found.update(key_of(record) for (record,) in self.read(query, target._meta.get_primary_keys(), []))
        if len(found) < len(keys):
            self.match(dict.fromkeys(found), [Target(key) for key in keys], operation)

    @verb("remove_{one}", "remove_{many}")
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
        with many_statements(database) if len(keys) > 1 or self.required else one_statement(database):
            if self.required and not destroy:
                matching = [
                    key for key, (_, linked) in self.rows_of(owner, given, whole=False).items() if linked and key in set(keys)
                ]
                if matching:
                    raise self.refuse("remove", matching)
            removed = self.detach_rows(owner, keys, destroy)
            if not removed:
                self.require_row(owner, "remove")
        self._tell_removed(owner, given, removed)
        return removed

    def _tell_removed(self, owner: Any, given: list[Target], removed: int) -> None:
        """Memory after a remove. Fewer rows than asked for: what memory says of these records may be old, so ask."""
        name, near = self.key.attribute, self.near_of(owner)
        mine = [target for target in given if target.record is not None and target.record.__data__.get(name) == near]
        if removed < len(given) and mine:
            rows = self.rows_of(owner, mine, whole=False)
            for target in mine:
                if target.key in rows and rows[target.key][0].__data__.get(name) is not None:
                    record = target.record
                    record.__rel__.pop(name, None)
                    record.__data__[name] = rows[target.key][0].__data__[name]
                    record._dirty.discard(name)
                else:
                    self.set_key(target.record, None)
        else:
            for target in mine:
                self.set_key(target.record, None)
        gone = {target.key for target in given}
        held = self.held_records(owner)
        for record in held:
            if key_of(record) in gone:
                self.set_key(record, None)
        self.hold_less(owner, gone)

    @verb("create_{one}")
    def create(self, owner: Any, values: Mapping[str, Any] | None = None, /, **fields: Any) -> Any:
        """Make a record and associate it; returns it.

        Fields by keyword, or as a mapping where a name would be hidden; unknown ones raise UnknownName. One INSERT. (C18)
        """
        self.require_saved(owner, "create")
        asked = self.asked("create")
        if self.same_word and isinstance(values, list | tuple):
            return self.create_many(owner, values)
        given = values_given(self.target, values, fields, {self.key.field: self.near_of(owner), **self.scope("create")}, asked)
        database = self.target._meta.database
        try:
            with one_statement(database) if self.constrained else many_statements(database):
                if not self.constrained:
                    self.require_row(owner, "create")
                record = self.target.create(**given)
        except peewee.IntegrityError:
            self.require_row(owner, "create")
            raise
        self.attach(owner, record)
        self.hold_more(owner, [Target(key_of(record), record)])
        return record

    @verb("create_{many}")
    def create_many(self, owner: Any, values: Iterable[Mapping[str, Any]]) -> list[Any]:
        """Make several records and associate them; returns them, in the order given. All or none. (C18)

        `values` are mappings of fields to values. One INSERT each, in one transaction: the engines do not all tell the
        keys of rows that were inserted together.
        """
        self.require_saved(owner, "create_many")
        if isinstance(values, Mapping | str | bytes) or not isinstance(values, Iterable):
            raise WrongArgument(
                self.asked("create_many"), f"{values!r} is no list of mappings", 'Write [{"title": "…"}, …]', value=values
            )
        with many_statements(self.target._meta.database):
            return [self.create(owner, each) for each in values]

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
        found = every = 0
        for some in row_groups(self.target, [target.key for target in targets]):
            counts = [total(one_if(rows_among(self.target, some))), fn.COUNT(peewee.SQL("1"))]
            row = self.target._meta.database.execute(self.target.select(*counts).where(self.owned(owner))).fetchone()
            found, every = found + int(row[0]), int(row[1])
        return found, every
