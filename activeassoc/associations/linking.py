"""The rows of links: what a many-to-many reads and writes of its through model.

Map: `Linking` knows the through model and its two ends; `_found` reads what is stored of some targets and of all that is
linked, `_write` inserts and updates links, `_unlink` deletes them; `_tell` brings memory up to date; `matching` counts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import peewee
from peewee import JOIN, Field, fn

from activeassoc.associations.base import Hop
from activeassoc.associations.links import Attributes, Ends
from activeassoc.associations.stages import Stages
from activeassoc.associations.to_many import ToMany
from activeassoc.hydrate import reader
from activeassoc.keys import has_constraint
from activeassoc.reached import JoinRow, links_of
from activeassoc.registry import Key, Model
from activeassoc.stores.sql import (
    by_key,
    every_row,
    groups,
    insert_all,
    insert_missing,
    not_there,
    row_groups,
    rows_among,
)
from activeassoc.targets import Target, key_of


class Found(NamedTuple):
    """What is stored of one target and its link to the owner."""

    value: Any
    """What a link's key to the target holds."""
    record: Any
    """The target, None where its row is gone."""
    link: Any
    """The join row, None where there is none."""


class Linking(ToMany):
    """A to-many whose owner and targets are linked by the records of a through model."""

    ends: Ends
    _link_name: str
    #: The links are to stand in the documents of both sides, where the store has documents (L2).
    embedded: bool = False

    # What it is

    @property
    def through(self) -> Model:
        """The through model."""
        self.target  # noqa: B018  (a target given by name is bound on first use)
        return self.ends.near.model

    @property
    def keys(self) -> tuple[Key, ...]:
        return self.ends.keys if self.bound else ()

    @property
    def path(self) -> tuple[Hop, ...]:
        target = self.target
        near, far = self.ends.keys
        return (Hop(near.referred.name, near.model, near.attribute), Hop(far.attribute, target, far.referred.name))

    @property
    def link_name(self) -> str:
        return self._link_name

    @property
    def repeats(self) -> bool:
        """Whether a pair may be linked more than once (``unique=False``)."""
        return self.options.get("unique") is False

    def near_is(self, keys: Sequence[Any]) -> Any:
        self.target  # noqa: B018
        return self.ends.near_is(keys)

    @property
    def near_node(self) -> Any:
        return self.ends.near_node

    def joined(self, query: Any) -> Any:
        return query.join(self.through, on=self.ends.arrives(self.far_field), attr=self.link_name)

    def links_to(self, near: Any, far: Any) -> Any:
        return self.ends.joins(near, far)

    # Reading what is linked

    def _found(self, owner: Any, targets: list[Target], operation: str, *, every: bool, whole: bool) -> dict[Any, Found]:
        """What is stored of these targets and, with `every`, of all that are linked: primary key → Found. One SELECT.

        Links whose target is gone (where no constraint keeps them) stand under ("gone", key).
        """
        target, near, referred = self.target, self.near_of(owner), self.far_field
        columns = self.columns(None if whole else [], operation)
        link_columns = self.link_columns(None, operation)
        keys = [each.key for each in targets if not each.new]
        make, make_link = reader(target, columns), reader(self.through, link_columns)
        width, found = len(columns), {}
        for index, some in enumerate(row_groups(target, keys) if keys else [()]):
            query = self._listing(near, some, [*columns, *link_columns], every and index == 0)
            for row in target._meta.database.execute(query).fetchall():
                value = referred.python_value(row[-1])
                linked = any(part is not None for part in row[width:-1])
                link = make_link(row[width:-1]) if linked else None
                gone = all(part is None for part in row[:width])
                record = None if gone else make(row)
                found[("gone", value) if gone else key_of(record)] = Found(value, record, link)
        return found

    def _listing(self, near: Any, keys: Sequence[Any], nodes: list[Any], every: bool) -> Any:
        """The query of _found: the listed targets, each with its link where there is one."""
        target, link, referred = self.target, self.through, self.far_field
        listed = every_row(target, referred.alias("k")).where(rows_among(target, keys)) if keys else None
        if every:
            linked = every_row(link, self.ends.far_of(near).alias("k")).where(
                self.ends.near_is([near]) if type(self.ends) is Ends else self._either(near)
            )
            listed = linked if listed is None else linked.union(listed)
        if listed is None or not every:
            source: Any = peewee.Join(target, link, JOIN.LEFT_OUTER, self.ends.joins(near, referred))
            return peewee.Select([source], [*nodes, referred]).where(rows_among(target, keys))
        listed = listed.alias("listed")
        source = peewee.Join(listed, target, JOIN.LEFT_OUTER, referred == listed.c.k)
        source = peewee.Join(source, link, JOIN.LEFT_OUTER, self.ends.joins(near, listed.c.k))
        return peewee.Select([source], [*nodes, listed.c.k])

    def _either(self, near: Any) -> Any:
        return (self.ends.near == near) | (self.ends.far == near)

    # Writing

    def _read_attributes(self, targets: list[Target], default: Any, asked: str) -> dict[Field, Any]:
        """Give each target the attributes of its link: of the mapping of targets, else its property, else the default (D3)."""
        read = Attributes(self.through, self.keys).read
        defaults = read(default, asked)
        for target in targets:
            own = None
            if target.record is not None and getattr(target.record, "_touched", True):  # else nobody has put a mapping there
                own = (getattr(target.record, "_links", None) or {}).get(self.link_name)
            own = read(own, asked) if isinstance(own, Mapping) else {}
            target.values = {**defaults, **own, **read(target.attributes, asked)}
        return defaults

    def _save_new(self, targets: list[Target], scope: dict[Field, Any]) -> None:
        for target in targets:
            if target.new:
                for field, value in scope.items():
                    setattr(target.record, field.name, value)
                target.record.save(force_insert=True)
                target.key = key_of(target.record)

    def _write(
        self,
        owner: Any,
        given: list[Target],
        found: dict[Any, Found],
        operation: str,
        *,
        again: bool = False,
        stage: Stages,
    ) -> int:
        """Insert the links that are missing and update the attributes that differ; the number inserted.

        `again` inserts also what is linked already.
        """
        attributes, near, asked = Attributes(self.through, self.keys), self.near_of(owner), self.asked(operation)
        rows: list[dict[Field, Any]] = []
        changes: list[tuple[Any, dict[Field, Any]]] = []
        for target in given:
            each = found.get(target.key)
            if each is None or each.link is None or again:
                value = target.record.__data__[self.far_field.name] if each is None else each.value
                rows.append({**self.ends.values(near, value), **attributes.complete(target.values, asked)})
            else:
                differing = attributes.differing(each.link, target.values)
                if differing:
                    changes.append((each.value, differing))
        self._update(near, changes)
        stage.note(self.through, [key for key, _ in changes], " changed")
        return self._insert(owner, rows, operation, stage) if rows else 0

    def _insert(self, owner: Any, rows: list[dict[Field, Any]], operation: str, stage: Stages | None = None) -> int:
        link = self.through
        if not self._constrained and not (stage is not None and stage.owner_checked):
            self.require_row(owner, operation)
        alike: dict[frozenset[Field], list[dict[Field, Any]]] = {}
        for row in rows:
            # An INSERT of many rows takes its columns from the first one.
            alike.setdefault(frozenset(row), []).append(row)
        write = insert_all if self.repeats else self._insert_missing
        return sum(write(link, some) for some in alike.values())

    def _insert_missing(self, link: Model, rows: list[dict[Field, Any]]) -> int:
        """Insert links of which another writer may have made some since we looked (C16)."""
        ends = [key.field for key in self.keys]
        inserted = insert_missing(link, rows, ends)
        others = [field for field in link._meta.sorted_fields if field.unique and not field.primary_key]
        several = [index for index in link._meta.indexes if getattr(index, "_unique", True)]
        if inserted < len(rows) or others or len(several) > 1:
            # A row may also have been left out because it breaks another unique index: that one is an error.
            left_out = not_there(link, rows, ends)
            if left_out:
                insert_all(link, left_out)
        return inserted

    def _update(self, near: Any, changes: list[tuple[Any, dict[Field, Any]]]) -> None:
        """Write changed attributes: one UPDATE, with the values told apart by the target's key."""
        link = self.through
        for some in groups(link._meta.database, changes):
            fields = list({field: None for _, values in some for field in values})
            assignments = {
                field: by_key(self.ends.far, [(key, values.get(field, field)) for key, values in some], field) for field in fields
            }
            link.update(assignments).where(self.ends.between(near, [key for key, _ in some])).execute()

    @property
    def _constrained(self) -> bool:
        return all(has_constraint(key.field) for key in self.keys)

    @property
    def links_tell(self) -> bool:
        """Whether the links alone tell which records are linked: none is without its target, and no scope leaves records out."""
        plain = type(self.ends) is Ends and self.where is None and not self.repeats
        return plain and self._constrained and self.far_field is self.target._meta.primary_key

    def _values(self, given: list[Target]) -> Any:
        """What the links hold of these targets: their primary keys, or a query of another unique field of theirs."""
        target, referred = self.target, self.far_field
        if target._meta.primary_key is referred:
            return [each.key for each in given]
        values: list[Any] = []
        for some in row_groups(target, [each.key for each in given]):
            rows = target._meta.database.execute(every_row(target, referred).where(rows_among(target, some))).fetchall()
            values.extend(referred.python_value(value) for (value,) in rows)
        return values

    def _unlink(self, owner: Any, values: Sequence[Any]) -> int:
        link, near, removed = self.through, self.near_of(owner), 0
        for some in groups(link._meta.database, list(values)) if values else ():
            removed += int(link.delete().where(self.ends.between(near, some)).execute())
        return removed

    # Memory

    def _tell(self, owner: Any, given: list[Target], found: dict[Any, Found]) -> None:
        """Memory after linking: each instance's join row is the stored one, and what both ends hold is forgotten."""
        near = self.near_of(owner)
        for target in given:
            if target.record is None:
                continue
            each = found.get(target.key)
            value = each.value if each is not None else target.record.__data__[self.far_field.name]
            row = JoinRow(partial(self._stored, near, value, each, target.values))
            links_of(target.record)[self.link_name] = row
            self.forget_on(target.record, but=None if target.record is not owner else self)
        self.forget_on(owner, but=self)

    def _stored(self, near: Any, value: Any, each: Found | None, given: dict[Field, Any]) -> Any:
        """The join row as the database has it; read where it cannot be known."""
        known = each is not None and each.link is not None and not self.repeats
        if known and not any(isinstance(new, peewee.Node) for new in given.values()):
            changed = {field.name: field.python_value(field.db_value(new)) for field, new in given.items()}
            return self._row({**each.link.__data__, **changed})  # type: ignore[union-attr]
        return self._stored_now(near, value)

    def _stored_now(self, near: Any, value: Any) -> Any:
        """The join row to the target with this key, read now."""
        newest = [field.desc() for field in self.through._meta.get_primary_keys()]
        rows = every_row(self.through).where(self.ends.between(near, [value])).order_by(*newest).limit(1)
        return next(iter(rows), None)

    def _row(self, values: dict[str, Any]) -> Any:
        link = self.through(__no_default__=1, **values)
        link._dirty.clear()
        return link

    def _tell_unlinked(self, record: Any) -> None:
        via = getattr(record, "_via", None)
        if via is not None and via.name == self.link_name and not record._touched:
            record.__dict__["_via"] = None  # nobody has asked for the row
        else:
            (getattr(record, "_links", None) or {}).pop(self.link_name, None)
        if getattr(record, "_loaded", None):
            self.forget_on(record)

    # Asking

    def matching(self, owner: Any, targets: list[Target]) -> int:
        """How many of these targets are linked."""
        found = 0
        for some in row_groups(self.target, [target.key for target in targets]):
            query = self._counting([self.counting], owner).where(rows_among(self.target, some))
            found += int(self.target._meta.database.execute(query).fetchone()[0])
        return found

    def matching_of_all(self, owner: Any, targets: list[Target]) -> tuple[int, int]:
        """How many of these targets are linked, and how many are linked at all."""
        found = every = 0
        for some in row_groups(self.target, [target.key for target in targets]):
            nodes = [self.counting_those(rows_among(self.target, some)), self.counting]
            row = self.target._meta.database.execute(self._counting(nodes, owner)).fetchone()
            found, every = found + int(row[0]), int(row[1])
        return found, every

    @property
    def counting(self) -> Any:
        return fn.COUNT(fn.DISTINCT(self.far_field)) if self.repeats else fn.COUNT(peewee.SQL("1"))

    def counting_those(self, condition: Any) -> Any:
        if self.repeats:
            return fn.COUNT(fn.DISTINCT(peewee.Case(None, [(condition, self.far_field)], None)))
        return super().counting_those(condition)

    def _counting(self, nodes: list[Any], owner: Any) -> Any:
        filters = self.filters(self.declared)
        query = self.select(nodes, self.near_is([self.near_of(owner)]))
        return query if filters is None else query.where(filters)
