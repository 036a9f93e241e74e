"""many-to-many: records of both models have several of the other; both keys are on a through model.

Project.id ←── Membership.project_id, Membership.user_id ──→ User.id
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from activeassoc import naming
from activeassoc.associations.base import verb
from activeassoc.associations.linking import Found, Linking
from activeassoc.associations.links import Attributes, Ends, UnorderedEnds
from activeassoc.associations.reading import LinkAccessor
from activeassoc.associations.through import link_model, plan_ends, plan_pair
from activeassoc.associations.writing import as_before, equalities, values_given
from activeassoc.errors import DeclarationError, WrongArgument
from activeassoc.planning import Plan
from activeassoc.registry import Key, Model
from activeassoc.stores.sql import many_statements, one_statement, row_groups, rows_among, store_of
from activeassoc.targets import Target, key_of, read_many


class ManyToMany(Linking):
    """``Project.has_many(User, through=Membership)``: project.users, and the methods of every to-many."""

    kind = "belongs_to_many"

    # Declaring

    def prepare(self, plan: Plan, target: Model, names_of: Any, shared: Model | None = None) -> None:
        """Plan the through model and its two keys."""
        link = shared or link_model(plan, self.options.get("through"), self.default_table(target, names_of), self.source, target)
        name = naming.snake(link.__name__)
        for model in {self.source, target}:
            there = model.__dict__.get(name)
            if there is not None and not (isinstance(there, LinkAccessor) and there.link is link) and model is target:
                what = "an association" if name in getattr(model, "associations", {}) else "an attribute"
                raise DeclarationError(
                    plan.asked,
                    f"fetched {target.__name__} records carry their join row as {name!r}, which is {what} of {target.__name__}",
                    f"Give that one another name with as_=, or rename {link.__name__}",
                )
        near, far = plan_ends(plan, self, link, target, names_of)
        plan_pair(plan, link, near, far, unique=self.options.get("unique") is not False)
        plan.do(self.take_link, near, far, target, name)

    def default_table(self, target: Model, names_of: Any) -> str:
        """The join table's name where none was given: both models' plurals, sorted; for a model on itself the alias and it."""
        own = self.names.many if target is self.source else names_of(target).many
        return naming.join_table(own, names_of(self.source).many)

    def take_link(self, near: Key, far: Key, target: Model, name: str) -> None:
        """Use this through model."""
        self.ends = UnorderedEnds(near, far) if self.options.get("symmetric") else Ends(near, far)
        self._link_name = name
        if not isinstance(target.__dict__.get(name), LinkAccessor):
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
        extra = self._attributes(given, self._one_of(attributes, through, asked), asked)
        scope = equalities(self.target, self.where, asked) if given else {}
        new = [target.record for target in given if target.new]
        with as_before(new), many_statements(self.target._meta.database):
            locked = self.lock(owner, "set")
            whole = self.where is not None or any(target.record is None for target in given)
            found = self._found(owner, given, asked, every=True, whole=whole)
            keys = self._match(found, [target for target in given if not target.new], "set")
            if not found and not new and not locked:
                self.require_row(owner, "set")
            kept = set(keys)
            obsolete = [key for key, each in found.items() if each.link is not None and key not in kept]
            self._unlink(owner, [found[key].value for key in self._in_scope(obsolete, found)])
            self._save_new(given, scope)
            self._write(owner, given, extra, found, keys, "set", again=False)
        self._give_records(given, found, keys)
        self._tell(owner, given, found, extra)
        records = [target.record for target in given]
        for record in self.held_records(owner):
            if key_of(record) in set(obsolete):
                self._tell_unlinked(record)
        self.hold(owner, records)
        return records

    def _in_scope(self, keys: list[Any], found: dict[Any, Found]) -> list[Any]:
        """Those of the linked records that the association's where covers; set leaves the others alone."""
        if self.where is None or not keys:
            return keys
        target, covered = self.target, set()
        for some in row_groups(target, [key for key in keys if found[key].record is not None]):
            query = target.select(*target._meta.get_primary_keys()).where(rows_among(target, some), self.filters(self.declared))
            covered.update(key_of(record) for (record,) in self.read(query, target._meta.get_primary_keys(), []))
        return [key for key in keys if key in covered]

    @staticmethod
    def _give_records(given: list[Target], found: dict[Any, Found], keys: list[Any]) -> None:
        spelled = iter(keys)
        for target in given:
            if target.new:
                target.key = key_of(target.record)
                continue
            target.key = next(spelled)
            if target.record is None:
                target.record = found[target.key].record

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
        extra = self._attributes(given, self._one_of(attributes, through, asked), asked)
        if not given:
            return 0
        scope = equalities(self.target, self.where, asked)
        with as_before([target.record for target in given if target.new]), many_statements(self.target._meta.database):
            old = [target for target in given if not target.new]
            found = self._found(owner, old, asked, every=False, whole=False) if old else {}
            keys = self._match(found, old, "add")
            self._save_new(given, scope)
            if scope and keys:
                for some in row_groups(self.target, keys):
                    self.target.update(scope).where(rows_among(self.target, some)).execute()
            added = self._write(owner, given, extra, found, keys, "add", again=self.repeats)
        self._tell_keys(given, keys)
        self._tell(owner, given, found, extra)
        self.hold_more(owner, given)
        return added

    @staticmethod
    def _tell_keys(given: list[Target], keys: list[Any]) -> None:
        spelled = iter(keys)
        for target in given:
            target.key = key_of(target.record) if target.new else next(spelled)

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
        self.hold_less(owner, {target.key for target in given})
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
        return self._create(
            owner, [{**(values or {}), **fields} if isinstance(values, Mapping | None) else values], through, "create"
        )[0]

    @verb("create_{many}")
    def create_many(self, owner: Any, values: Iterable[Mapping[str, Any]], *, through: Any = None) -> list[Any]:
        """Make several records and link them; returns them, in the order given. All or none.

        `values` are mappings of fields to values, `through` the join attributes for all. One INSERT for each record, and one
        for their links, in one transaction. (C18)
        """
        if isinstance(values, Mapping | str | bytes) or not isinstance(values, Iterable):
            raise WrongArgument(
                self.asked("create_many"), f"{values!r} is no list of mappings", 'Write [{"title": "…"}, …]', value=values
            )
        return self._create(owner, list(values), through, "create_many")

    def _create(self, owner: Any, values: list[Any], through: Any, operation: str) -> list[Any]:
        self.require_saved(owner, operation)
        asked = self.asked(operation)
        scope = equalities(self.target, self.where, asked)
        extra = self._attributes([], through, asked) or Attributes(self.through, self.keys).read(through, asked)
        rows = [values_given(self.target, each, {}, scope, asked) for each in values]
        Attributes(self.through, self.keys).complete(dict(extra), asked)  # what is missing is told before anything is written
        with many_statements(self.target._meta.database):
            given = [Target(None, self.target.create(**row)) for row in rows]
            attributes = [dict(extra) for _ in given]
            self._write(owner, given, attributes, {}, [], operation, again=False)
        self._tell_keys(given, [])
        self._tell(owner, given, {}, attributes)
        self.hold_more(owner, given)
        return [target.record for target in given]
