"""has_one: a record of the source has at most one of the target; the key is on the target.

User.id ←── Profile.user_id
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from activeassoc import lazy
from activeassoc.associations.base import verb
from activeassoc.associations.on_target import KeyOnTarget
from activeassoc.associations.stages import Stages
from activeassoc.associations.writing import match, retried, values_given
from activeassoc.targets import Target, key_of, read_one


class HasOne(KeyOnTarget):
    """``User.has_one(Profile)``: user.profile, get_profile, set_profile, create_profile."""

    kind = "has_one"
    to_many = False

    def value(self, owner: Any) -> Any:
        """The record, or None: read on first use (one query) and kept."""
        held = self.held(owner)
        if self.name not in held and not (self.starts(owner) and lazy.arrive(owner, self.name)):
            held[self.name] = self.get(owner)
        return held[self.name]

    def keep(self, owner: Any, found: Any, *, truncated: bool = False, partial: bool = False) -> None:
        self.held(owner)[self.name] = found
        if found is not None:
            self.attach(owner, found)

    @verb("get_{one}")
    def get(self, owner: Any, *, where: Any = None, attributes: Any = None, populate: Any = None) -> Any:
        """The associated record, or None; of several the one with the lowest primary key.

        `where` is a peewee expression or a criteria mapping, `attributes` names or fields to read, `populate` paths to load
        with it. One query, and one for each association of the paths; none, and None, for an owner that is not saved. (C2, C11)
        """
        if not self.has_row(owner, "get") or self.near_of(owner) is None:
            return None
        found = self.fetch(owner, "get", where=where, attributes=attributes, limit=1, populate=populate)
        return found[0] if found else None

    @verb("set_{one}")
    @retried
    def set(self, owner: Any, target: Any, *, destroy: bool = False) -> Any:
        """Make this record the associated one; returns it, or None.

        `target` is an instance or a primary key; None lets go. The previous record is detached (its key becomes NULL);
        where the key may not be NULL RequiredKeyError is raised, unless ``destroy=True``, which deletes it. A new instance is
        saved. A missing key raises RecordNotFound. When anything raises nobody was let go.

        1 SELECT and at most 2 UPDATEs in one transaction; setting the same again writes nothing. (C5)
        """
        self.require_saved(owner, "set")
        given = read_one(self.target, target, self.asked("set"))
        scope = self.scope("set") if given is not None else {}
        targets = [] if given is None else [given]
        new = [each for each in targets if each.new]
        new_records = [each.record for each in new]
        with self.with_owner(owner, "set"), Stages(self.asked("set"), self.target, self.target, new_records) as stage:
            locked = self.lock(owner, "set")
            rows = self.rows_of(owner, targets, whole=given is not None and given.record is None)
            match(self.target, rows, targets, self.asked("set"))
            keys = [each.key for each in targets if not each.new]
            gone = self._let_go(owner, [key for key, (_, linked) in rows.items() if linked and key not in keys], destroy, "set")
            stage.note(self.target, gone, " let go")
            changes = bool(new) or (bool(keys) and not rows[keys[0]][1])
            if not locked and not (self.constrained and (rows or new)):
                self.require_row(owner, "set")
            if keys and changes:
                self.attach_rows(owner, keys, scope)
                stage.note(self.target, keys, " attached")
            for each in new:
                self.save_new(owner, each.record, scope)
        if given is not None and given.record is None:
            given.record = rows[keys[0]][0]
        return self._settled(owner, given, scope, gone)

    def _let_go(self, owner: Any, obsolete: list[Any], destroy: bool, operation: str) -> list[Any]:
        """Detach the previous record (or records), or refuse."""
        if obsolete:
            if self.required and not destroy:
                raise self.refuse(operation, obsolete)
            self.detach_rows(owner, obsolete, destroy)
        return obsolete

    def _settled(self, owner: Any, given: Target | None, scope: dict[Any, Any], gone: list[Any]) -> Any:
        """Memory after a write: the record, the one let go that the owner held, and the owner."""
        held = self.held(owner)
        former = held.get(self.name)
        if former is not None and key_of(former) in gone:
            self.set_key(former, None, owner)
        record = None if given is None else given.record
        if record is not None:
            self.set_key(record, owner)
            self.set_scope(record, scope)
        held[self.name] = record
        self.forget_on(owner, but=self)
        return record

    @verb("create_{one}")
    @retried
    def create(self, owner: Any, values: Mapping[str, Any] | None = None, /, *, destroy: bool = False, **fields: Any) -> Any:
        """Make a record and associate it in place of the previous one; returns it.

        Fields by keyword, or as a mapping where a name would be hidden; unknown ones raise UnknownName. The previous
        record is let go as by set. 1 SELECT, 1 INSERT, and 1 UPDATE where there was one, in one transaction. (C5, C18)
        """
        self.require_saved(owner, "create")
        asked = self.asked("create")
        given = values_given(self.target, values, fields, {self.key.field: self.near_of(owner), **self.scope("create")}, asked)
        with Stages(asked, self.target, self.target) as stage:
            if not self.lock(owner, "create"):
                self.require_row(owner, "create")
            obsolete = [key for key, (_, linked) in self.rows_of(owner, [], whole=False).items() if linked]
            gone = self._let_go(owner, obsolete, destroy, "create")
            stage.note(self.target, gone, " let go")
            record = self.target.create(**given)
        return self._settled(owner, Target(key_of(record), record), {}, gone)
