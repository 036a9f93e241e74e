"""many-to-many: records of both models have several of the other; both keys are on a through model.

Project.id ←── Membership.project_id, Membership.user_id ──→ User.id
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from typing import Any

from activeassoc import naming
from activeassoc.associations import bulk, dominance, embedding
from activeassoc.associations.apart import Apart
from activeassoc.associations.base import verb
from activeassoc.associations.linking import Found
from activeassoc.associations.links import Attributes, Ends, UnorderedEnds
from activeassoc.associations.prepared import OTHERWISE
from activeassoc.associations.reading import LinkAccessor
from activeassoc.associations.stages import Stages, transactional
from activeassoc.associations.through import NAME_LIMIT, link_model, plan_ends, plan_pair
from activeassoc.associations.writing import create_all, equalities, mappings, match, retried, values_given
from activeassoc.errors import DeclarationError, WrongArgument
from activeassoc.planning import Plan
from activeassoc.registry import Key, Model, replaced
from activeassoc.stores.sql import every_row, many_statements, one_statement, row_groups, rows_among, store_of
from activeassoc.targets import Target, key_of, read_many


class ManyToMany(Apart):
    """``Project.has_many(User, through=Membership)``: project.users, and the methods of every to-many."""

    kind = "belongs_to_many"

    # Declaring

    def prepare(self, plan: Plan, target: Model, names_of: Any, other: Any = None) -> Model:
        """Plan the through model and its two keys; returns the through model. `other` is the other end, where the caller knows it."""
        table = self.default_table(target, names_of)
        link = self._link_model(plan, target, table, other)
        name = self.join_row_name(plan, link, target)
        near, far = plan_ends(plan, self, link, target, names_of)
        embedding.check(plan, self, target, near, far)
        plan_pair(plan, link, near, far, unique=self.options.get("unique") is not False)
        plan.do(self.take_link, near, far, target, name)
        return link

    def _link_model(self, plan: Plan, target: Model, table: str, other: Any) -> Model:
        """The through model, in the database that is to have the links."""
        through, ends = self.options.get("through"), (self.source, target)
        if isinstance(through, type):
            if dominance.written_through(self) is not None:
                dominance.check_through(self, target, through)
            return link_model(plan, through, table, self.source, ends)
        if other is None:
            other = dominance.other_side(self, target, through or table)
        home = dominance.home_of(plan, self, target, other)
        link = link_model(plan, through, table, home, ends)
        if getattr(link._meta, "made_for", None):
            plan.do(dominance.move, link, home)
        else:
            dominance.check_through(self, target, link)
            plan.warnings.clear()  # it is where its model is, and there was nothing to choose
        return link

    def join_row_name(self, plan: Plan, link: Model, target: Model) -> str:
        """The attribute of fetched targets that holds their join row; raises where it is taken (B5)."""
        name = naming.snake(link.__name__)
        there = getattr(target, name, None)
        if there is None or (isinstance(there, LinkAccessor) and (there.link is link or replaced(there.link))):
            return name
        what = "an association" if name in getattr(target, "associations", {}) else "an attribute"
        raise DeclarationError(
            plan.asked,
            f"fetched {target.__name__} records carry their join row as {name!r}, which is {what} of {target.__name__}",
            f"Give that one another name with as_=, or rename {link.__name__}",
        )

    def default_table(self, target: Model, names_of: Any) -> str:
        """The join table's name where none was given: both models' plurals, sorted; for a model on itself the alias and it."""
        own = self.names.many if target is self.source else names_of(target).many
        return naming.cut(naming.join_table(own, names_of(self.source).many), NAME_LIMIT)

    def take_link(self, near: Key, far: Key, target: Model, name: str) -> None:
        """Use this through model."""
        self.ends = UnorderedEnds(near, far) if self.options.get("symmetric") else Ends(near, far)
        self._link_name = name
        self._kept = None
        embedding.take(self)
        there = target.__dict__.get(name)
        if not isinstance(there, LinkAccessor) or there.link is not near.model:
            setattr(target, name, LinkAccessor(near.model, name))

    # Writing

    @verb("set_{many}")
    @retried
    def set(self, owner: Any, targets: Any, attributes: Any = None, *, through: Any = None) -> list[Any]:
        """Make exactly these records the associated ones; returns them, in the order given, without repeats.

        `targets` are instances or primary keys, any iterable of them, None for none, or a mapping (or pairs) of targets to
        join attributes. `attributes`, or ``through=``, are join attributes for all; a mapping assigned to a record under
        the through model's name stands before them. Links that are kept keep their attributes where none are given. New
        instances are saved; missing keys raise RecordNotFound.

        1 SELECT, at most 1 DELETE, 1 INSERT and 1 UPDATE of changed attributes, in one transaction. (C8, D3)
        """
        records = bulk.replace(self, owner, targets, self._one_of(attributes, through, "set"))
        if records is not OTHERWISE:
            return records  # type: ignore[no-any-return]
        self.require_saved(owner, "set")
        asked = self.asked("set")
        given = read_many(self.target, targets, asked, attributes=True)
        self._read_attributes(given, self._one_of(attributes, through, "set"), asked)
        scope = equalities(self.target, self.where, asked) if given else {}
        new = [target.record for target in given if target.new]
        with self.with_owner(owner, "set"), Stages(asked, self.through, self.target, new, writes_targets=bool(new or scope)) as stage:
            self._before_new(owner, new, "set", stage)
            locked = self.lock(owner, "set")
            whole = self.where is not None or any(target.record is None for target in given)
            found = self._found(owner, given, asked, every=True, whole=whole)
            given = match(self.target, found, given, asked)
            if not found and not new and not locked:
                self.require_row(owner, "set")
            kept = {target.key for target in given if not target.new}
            obsolete = self._in_scope([key for key, each in found.items() if each.link is not None and key not in kept], found)
            self._write_targets(given, found, scope, stage)
            self._unlink(owner, [found[key].value for key in obsolete])
            stage.note(self.through, obsolete, " removed")
            self._write(owner, given, found, "set", stage=stage)
        for target in given:
            target.record = found[target.key].record if target.record is None else target.record
        self._tell(owner, given, found)
        self._tell_gone(owner, set(obsolete))
        records = [target.record for target in given]
        self.hold(owner, records)
        return records

    def _tell_gone(self, owner: Any, keys: Container[Any]) -> None:
        """Memory after unlinking: the instances that the owner holds know it."""
        for record in self.held_records(owner):
            if key_of(record) in keys:
                self._tell_unlinked(record)

    def _before_new(self, owner: Any, new: list[Any], operation: str, stage: Stages) -> None:
        """Raise where the owner is gone, before a record is made that could not be linked."""
        if new and (self.apart or not transactional(self.target)):
            self.require_row(owner, operation)
            stage.owner_checked = True

    def _write_targets(
        self, given: list[Target], found: dict[Any, Found], scope: dict[Any, Any], stage: Stages, *, again: bool = False
    ) -> None:
        """What is written of the targets before their links: the values of the scope, and those that are new.

        What a new link lacks is told before: a target that was written could not always be taken back.
        """
        attributes = Attributes(self.through, self.keys)
        for target in given:
            each = None if target.new else found.get(target.key)
            if each is None or each.link is None or again:
                attributes.require(target.values, stage.asked)
        old = [target.key for target in given if not target.new]
        if scope:
            self._write_scope(old, scope)
            stage.note(self.target, old, " changed")
        self._save_new(given, scope)
        stage.targets_written()

    def _write_scope(self, keys: list[Any], scope: dict[Any, Any]) -> None:
        """Give the targets the values that the association's where says (A19)."""
        for some in row_groups(self.target, keys) if scope and keys else ():
            self.target.update(scope).where(rows_among(self.target, some)).execute()

    def _in_scope(self, keys: list[Any], found: dict[Any, Found]) -> list[Any]:
        """Those of the linked records that the association's where covers; set leaves the others alone."""
        if self.where is None or not keys:
            return keys
        target = self.target
        covered: set[Any] = set()
        for some in row_groups(target, [key for key in keys if found[key].record is not None]):
            query = every_row(target, *target._meta.get_primary_keys()).where(
                rows_among(target, some), self.filters(self.declared)
            )
            covered.update(key_of(record) for (record,) in self.read(query, target._meta.get_primary_keys(), []))
        return [key for key in keys if key in covered]

    def _one_of(self, attributes: Any, through: Any, operation: str) -> Any:
        if attributes is not None and through is not None:
            raise WrongArgument(
                self.asked(operation),
                "the attributes of the link are given twice",
                "Give them as the second argument or as through=",
                value=through,
            )
        return attributes if attributes is not None else through

    @verb("add_{one}", "add_{many}")
    @retried
    def add(self, owner: Any, targets: Any, attributes: Any = None, *, through: Any = None) -> int:
        """Associate these records too; returns the number of new links.

        `targets` as for set; None does nothing. What is linked already stays linked, and given join attributes are updated
        where they differ. New instances are saved; missing keys raise RecordNotFound, and nothing is written.

        1 SELECT and 1 INSERT, and 1 UPDATE of changed attributes; when all are there already the SELECT alone. (C8, C16)
        """
        added = bulk.add(self, owner, targets, self._one_of(attributes, through, "add"))
        if added is not OTHERWISE:
            return added  # type: ignore[no-any-return]
        self.require_saved(owner, "add")
        asked = self.asked("add")
        given = read_many(self.target, targets, asked, attributes=True)
        self._read_attributes(given, self._one_of(attributes, through, "add"), asked)
        if not given:
            return 0
        scope = equalities(self.target, self.where, asked)
        new = [target.record for target in given if target.new]
        with self.with_owner(owner, "add"), Stages(asked, self.through, self.target, new, writes_targets=bool(new or scope)) as stage:
            self._before_new(owner, new, "add", stage)
            old = [target for target in given if not target.new]
            found = self._found(owner, old, asked, every=False, whole=False) if old else {}
            given = match(self.target, found, given, asked)
            self._write_targets(given, found, scope, stage, again=self.repeats)
            added = self._write(owner, given, found, "add", again=self.repeats, stage=stage)
        self._tell(owner, given, found)
        self.hold_more(owner, given)
        return added

    @verb("remove_{one}", "remove_{many}")
    @retried
    def remove(self, owner: Any, targets: Any) -> int:
        """Unlink these records; returns the number removed. What is not linked is left alone. One DELETE. (C8)"""
        self.require_saved(owner, "remove")
        given = [target for target in read_many(self.target, targets, self.asked("remove")) if not target.new]
        if not given:
            return 0
        database = self.through._meta.database
        with one_statement(database) if len(given) <= store_of(database).keys_per_statement else many_statements(database):
            removed = self._unlink(owner, self._values(given))
        if not removed:
            self.require_row(owner, "remove")
        for target in given:
            if target.record is not None:
                self._tell_unlinked(target.record)
        gone = {target.key for target in given}
        self._tell_gone(owner, gone)
        self.hold_less(owner, gone)
        self.forget_on(owner, but=self)
        return removed

    @verb("create_{one}")
    @retried
    def create(self, owner: Any, values: Mapping[str, Any] | None = None, /, *, through: Any = None, **fields: Any) -> Any:
        """Make a record and link it; returns it, with its join row.

        Fields by keyword, or as a mapping where a name would be hidden; unknown ones raise UnknownName. `through` are the
        join attributes. 2 INSERTs in one transaction. (C18)
        """
        if self.same_word and isinstance(values, list | tuple):
            return self.create_many(owner, values)
        return self._create(owner, [values], fields, through, "create")[0]

    @verb("create_{many}")
    @retried
    def create_many(self, owner: Any, values: Iterable[Mapping[str, Any]], *, through: Any = None) -> list[Any]:
        """Make several records and link them; returns them, in the order given. All or none.

        `values` are mappings of fields to values, `through` the join attributes for all. One INSERT for each record, and one
        for their links, in one transaction. (C18)
        """
        return self._create(owner, mappings(values, self.asked("create_many")), {}, through, "create_many")

    def _create(self, owner: Any, values: list[Any], fields: Mapping[str, Any], through: Any, operation: str) -> list[Any]:
        self.require_saved(owner, operation)
        asked, attributes = self.asked(operation), Attributes(self.through, self.keys)
        scope = equalities(self.target, self.where, asked)
        extra = attributes.read(through, asked)
        rows = [values_given(self.target, each, fields, scope, asked) for each in values]
        attributes.require(extra, asked)  # before anything is written
        with self.with_owner(owner, operation), Stages(asked, self.through, self.target) as stage:
            self._before_new(owner, rows, operation, stage)
            given = [Target(key_of(record), record) for record in create_all(self.target, rows, stage)]
            for target in given:
                target.values = dict(extra)
            stage.targets_written()
            self._write(owner, given, {}, operation, stage=stage)
        self._tell(owner, given, {})
        self.hold_more(owner, given)
        return [target.record for target in given]
