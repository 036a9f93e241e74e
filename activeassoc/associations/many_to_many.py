"""many-to-many: records of both models have several of the other; both keys are on a through model.

Project.id ←── Membership.project_id, Membership.user_id ──→ User.id
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from typing import Any

from activeassoc import naming
from activeassoc.associations.base import verb
from activeassoc.associations.linking import Found, Linking
from activeassoc.associations.links import Attributes, Ends, UnorderedEnds
from activeassoc.associations.reading import LinkAccessor
from activeassoc.associations.through import NAME_LIMIT, link_model, plan_ends, plan_pair
from activeassoc.associations.writing import as_before, create_all, equalities, mappings, match, values_given
from activeassoc.errors import DeclarationError, WrongArgument
from activeassoc.planning import Plan
from activeassoc.registry import Key, Model, replaced
from activeassoc.stores.sql import every_row, many_statements, one_statement, row_groups, rows_among, store_of
from activeassoc.targets import Target, key_of, read_many


class ManyToMany(Linking):
    """``Project.has_many(User, through=Membership)``: project.users, and the methods of every to-many."""

    kind = "belongs_to_many"

    # Declaring

    def prepare(self, plan: Plan, target: Model, names_of: Any) -> Model:
        """Plan the through model and its two keys; returns the through model."""
        link = link_model(plan, self.options.get("through"), self.default_table(target, names_of), self.source, target)
        name = self.join_row_name(plan, link, target)
        near, far = plan_ends(plan, self, link, target, names_of)
        plan_pair(plan, link, near, far, unique=self.options.get("unique") is not False)
        plan.do(self.take_link, near, far, target, name)
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
        there = target.__dict__.get(name)
        if not isinstance(there, LinkAccessor) or there.link is not near.model:
            setattr(target, name, LinkAccessor(near.model, name))

    # Writing

    @verb("set_{many}")
    def set(self, owner: Any, targets: Any, attributes: Any = None, *, through: Any = None) -> list[Any]:
        """Make exactly these records the associated ones; returns them, in the order given, without repeats.

        `targets` are instances or primary keys, any iterable of them, None for none, or a mapping (or pairs) of targets to
        join attributes. `attributes`, or ``through=``, are join attributes for all; a mapping assigned to a record under
        the through model's name stands before them. Links that are kept keep their attributes where none are given. New
        instances are saved; missing keys raise RecordNotFound.

        1 SELECT, at most 1 DELETE, 1 INSERT and 1 UPDATE of changed attributes, in one transaction. (C8, D3)
        """
        self.require_saved(owner, "set")
        asked = self.asked("set")
        given = read_many(self.target, targets, asked, attributes=True)
        self._read_attributes(given, self._one_of(attributes, through, asked), asked)
        scope = equalities(self.target, self.where, asked) if given else {}
        new = [target.record for target in given if target.new]
        with self.with_owner(owner, "set"), as_before(new), many_statements(self.target._meta.database):
            locked = self.lock(owner, "set")
            whole = self.where is not None or any(target.record is None for target in given)
            found = self._found(owner, given, asked, every=True, whole=whole)
            given = match(self.target, found, given, asked)
            if not found and not new and not locked:
                self.require_row(owner, "set")
            kept = {target.key for target in given if not target.new}
            obsolete = self._in_scope([key for key, each in found.items() if each.link is not None and key not in kept], found)
            self._unlink(owner, [found[key].value for key in obsolete])
            self._write_scope(list(kept), scope)
            self._save_new(given, scope)
            self._write(owner, given, found, "set")
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

    def _one_of(self, attributes: Any, through: Any, asked: str) -> Any:
        if attributes is not None and through is not None:
            raise WrongArgument(
                asked,
                "the attributes of the link are given twice",
                "Give them as the second argument or as through=",
                value=through,
            )
        return attributes if attributes is not None else through

    @verb("add_{one}", "add_{many}")
    def add(self, owner: Any, targets: Any, attributes: Any = None, *, through: Any = None) -> int:
        """Associate these records too; returns the number of new links.

        `targets` as for set; None does nothing. What is linked already stays linked, and given join attributes are updated
        where they differ. New instances are saved; missing keys raise RecordNotFound, and nothing is written.

        1 SELECT and 1 INSERT, and 1 UPDATE of changed attributes; when all are there already the SELECT alone. (C8, C16)
        """
        self.require_saved(owner, "add")
        asked = self.asked("add")
        given = read_many(self.target, targets, asked, attributes=True)
        self._read_attributes(given, self._one_of(attributes, through, asked), asked)
        if not given:
            return 0
        scope = equalities(self.target, self.where, asked)
        new = [target.record for target in given if target.new]
        with self.with_owner(owner, "add"), as_before(new), many_statements(self.target._meta.database):
            old = [target for target in given if not target.new]
            found = self._found(owner, old, asked, every=False, whole=False) if old else {}
            given = match(self.target, found, given, asked)
            self._write_scope([target.key for target in given if not target.new], scope)
            self._save_new(given, scope)
            added = self._write(owner, given, found, "add", again=self.repeats)
        self._tell(owner, given, found)
        self.hold_more(owner, given)
        return added

    @verb("remove_{one}", "remove_{many}")
    def remove(self, owner: Any, targets: Any) -> int:
        """Unlink these records; returns the number removed. What is not linked is left alone. One DELETE. (C8)"""
        self.require_saved(owner, "remove")
        given = [target for target in read_many(self.target, targets, self.asked("remove")) if not target.new]
        if not given:
            return 0
        database = self.target._meta.database
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
    def create(self, owner: Any, values: Mapping[str, Any] | None = None, /, *, through: Any = None, **fields: Any) -> Any:
        """Make a record and link it; returns it, with its join row.

        Fields by keyword, or as a mapping where a name would be hidden; unknown ones raise UnknownName. `through` are the
        join attributes. 2 INSERTs in one transaction. (C18)
        """
        if self.same_word and isinstance(values, list | tuple):
            return self.create_many(owner, values)
        return self._create(owner, [values], fields, through, "create")[0]

    @verb("create_{many}")
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
        attributes.complete(extra, asked)  # what is missing is told before anything is written
        with self.with_owner(owner, operation), many_statements(self.target._meta.database):
            given = [Target(key_of(record), record) for record in create_all(self.target, rows)]
            for target in given:
                target.values = dict(extra)
            self._write(owner, given, {}, operation)
        self._tell(owner, given, {})
        self.hold_more(owner, given)
        return [target.record for target in given]
