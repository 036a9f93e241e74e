"""Linking many records at once, for the plain case: targets that are saved records or keys, and attributes that are the same for all.

What stands here gives the very results of the general road (`linking`, `many_to_many`), with texts that are prepared once. Rows stay rows,
and the join row of an instance is read when somebody asks. Where the store makes the new rows it makes them of targets that are there, so
that nothing has to be asked before. Everything else (new records, attributes of each target, scopes, texts as keys, symmetric links,
repeats) takes the general road, which knows all cases and all errors.

Map: `linker` tells whether an association has the plain road, and makes its `Linker`; `Given` is what one call was given; `add` and
`replace` are what add_xs and set_xs do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from operator import attrgetter
from typing import Any

import peewee
from peewee import Field

from activeassoc.associations.base import not_found
from activeassoc.associations.links import Attributes, Ends, same_value
from activeassoc.associations.prepared import OTHERWISE, Arguments, plain
from activeassoc.convert import conversion_of, kept_type
from activeassoc.hydrate import reader
from activeassoc.keys import is_saved
from activeassoc.own import has_own
from activeassoc.reached import Via, light, links_of
from activeassoc.stores.pairs import PairInsert, can_check
from activeassoc.stores.sql import among, every_row, insert_all, key_list, many_statements, not_there, store_of
from activeassoc.stores.statements import Keys, Prepared, prepare, slot
from activeassoc.targets import key_of


def linker(association: Any) -> Linker | None:
    """The plain road of a many-to-many, None where it has none."""
    target, link = association.target, association.through
    arguments = Arguments(target)
    if (
        not plain(association)
        or type(association.ends) is not Ends
        or association.where is not None
        or association.repeats
        or arguments.kind is not int
        or not light(target)
        or target.__setattr__ is not object.__setattr__
        or association.far_field is not target._meta.primary_key
        or has_own(link, "insert_many", "insert", "insert_from", "delete", "select")
        or not _alike(Attributes(link, association.keys))
    ):
        return None
    return Linker(association, arguments)


def _alike(attributes: Attributes) -> bool:
    """Whether what nobody gives is the same for every link: not made anew for each, and not worked out by the database."""
    return not any(
        callable(field.default)
        or (field.default is not None and (field.constraints or isinstance(field.db_value(field.default), peewee.Node)))
        for field in attributes.fields
    )


class Given:
    """What one call was given, read: the owner's key, the targets' keys (each once) and instances, and the attributes of all."""

    def __init__(self, near: Any, keys: list[Any], records: Mapping[Any, Any], values: dict[Field, Any]) -> None:
        self.near, self.keys, self.records, self.values = near, keys, records, values


class Linker:
    """The statements of one many-to-many, and what goes with them."""

    def __init__(self, association: Any, arguments: Arguments) -> None:
        self.association, self.arguments = association, arguments
        self.target, self.link = association.target, association.through
        self.attributes = Attributes(self.link, association.keys)
        self.near_name = association.path[0].near
        self.bind = association.ends.near.db_value
        self.columns, self.link_columns = association.columns([], ""), association.link_columns(None, "")
        self.every_column = association.columns(None, "")
        self.place_of_near = _place(self.link_columns, association.ends.near)
        self.texts: dict[Any, Any] = {}
        #: A row may break another unique index than that of the pair.
        others = [field for field in self.link._meta.sorted_fields if field.unique and not field.primary_key]
        several = [index for index in self.link._meta.indexes if getattr(index, "_unique", True)]
        self.only_the_pair = not others and len(several) <= 1
        #: The links alone tell enough: those that are there have a target, and a new one is only made to a target that is there.
        self.light = association._constrained and can_check(self.link, [*(key.field for key in association.keys), *self.attributes.fields])
        #: A join row is no more than two keys and attributes, of types that come back as they were given: who wrote it knows it.
        self.known_when_written = len(self.link._meta.fields) == 2 + len(self.attributes.fields) and all(
            kept_type(field) in (int, str, bool) and conversion_of(field).known for field in self.attributes.fields
        )

    # Reading what was given

    def read(self, owner: Any, targets: Any, attributes: Any, asked: str) -> Given | None:
        """What was given, None where it takes the general road."""
        if type(owner) is not self.association.source or not (getattr(owner, "_stored", False) or is_saved(owner)):
            return None
        near = owner.__data__.get(self.near_name)
        if near is None or isinstance(near, peewee.Node):
            return None
        key = self.arguments.one(targets)
        keys = [key] if key is not None else self.arguments.several(targets)
        if keys is None or len(keys) > store_of(self.target._meta.database).keys_per_statement:
            return None
        every = [targets] if key is not None else targets
        records: dict[Any, Any] = {}
        if type(every[0]) is self.target:
            # One that is a mapping has the attributes of the next link (D3).
            if any(isinstance((each._links or {}).get(self.association.link_name), Mapping) for each in filter(_touched, every)):
                return None
            records = dict(zip(keys, every, strict=True)) if len(keys) == len(every) else self._first(every)
        values = self.attributes.read(attributes, asked) if attributes is not None else {}
        if any(isinstance(value, peewee.Node) or isinstance(field.db_value(value), peewee.Node) for field, value in values.items()):
            return None
        return Given(near, keys, records, values)

    def _first(self, every: Sequence[Any]) -> dict[Any, Any]:
        found: dict[Any, Any] = {}
        for record in every:
            found.setdefault(self.arguments.one(record), record)
        return found

    # Statements

    def _text(self, key: Any, make: Any) -> Any:
        if key not in self.texts:
            self.texts[key] = make()
        return self.texts[key]

    def listing(self, given: Given, every: bool, whole: bool) -> list[Any]:
        """The rows of the general road's SELECT: the targets, each with its link where there is one."""
        columns = self.every_column if whole else self.columns
        database = self.target._meta.database
        form, value = key_list(self.target._meta.primary_key, given.keys) if given.keys else ("", None)

        def make() -> Prepared:
            nodes = [*columns, *self.link_columns]
            return prepare(database, self.association._listing(slot(0), Keys(form, 1) if form else (), nodes, every))

        statement = self._text(("listing", every, whole, form), make)
        values = [self.bind(given.near), value]
        return statement.execute(database, values).fetchall()  # type: ignore[no-any-return]

    def links(self, given: Given, every: bool) -> list[Any]:
        """The owner's links to the targets, or all of its links: rows of the attributes that are given, and the target's key."""
        database, ends = self.link._meta.database, self.association.ends
        form, value = ("", None) if every else key_list(ends.far, given.keys)
        fields = list(given.values)

        def make() -> Prepared:
            query = self.link.select(*fields, ends.far)
            return prepare(database, query.where(ends.near == slot(0) if every else ends.between(slot(0), Keys(form, 1))))

        values = [self.bind(given.near)] if every else [self.bind(given.near), value]
        return self._text(("links", form, *map(id, fields)), make).execute(database, values).fetchall()  # type: ignore[no-any-return]

    def insert(self, owner: Any, given: Given, keys: list[Any], operation: str) -> int:
        """Insert these links; the number inserted. Another writer may have made some since we looked (C16)."""
        association, link = self.association, self.link
        asked = association.asked(operation)
        values = self.attributes.complete(given.values, asked)
        make = partial(PairInsert, link, association.ends.near, association.ends.far, association.target, list(values))
        statement: PairInsert = self._text(("insert", *map(id, values)), make)
        database = link._meta.database
        if len(keys) > (statement.rows_per_statement or len(keys)):
            return int(association._insert(owner, self._rows(given, keys, asked), operation))
        if not association._constrained:
            association.require_row(owner, operation)
        try:
            inserted = statement.execute(database, given.near, keys, list(values.values()))
        except peewee.IntegrityError:
            if store_of(database).conflict_nothing:
                raise
            return int(association._insert(owner, self._rows(given, keys, asked), operation))
        if inserted < len(keys) or not self.only_the_pair:
            left_out = not_there(link, self._rows(given, keys, asked), [key.field for key in association.keys])
            if left_out:
                self._require([row[association.ends.far] for row in left_out], asked)
                insert_all(link, left_out)
        return inserted

    def _require(self, keys: list[Any], asked: str) -> None:
        """Raise RecordNotFound where some of these targets are not there."""
        primary = self.target._meta.primary_key
        rows = self.target._meta.database.execute(every_row(self.target, primary).where(among(primary, keys))).fetchall()
        self.require(keys, {row[0] for row in rows}, asked)

    def require(self, keys: list[Any], there: set[Any], asked: str) -> None:
        lost = [key for key in keys if key not in there]
        if lost:
            raise not_found(asked, self.target, lost)

    def _rows(self, given: Given, keys: list[Any], asked: str) -> list[dict[Field, Any]]:
        ends = self.association.ends
        return [{**ends.values(given.near, key), **self.attributes.complete(given.values, asked)} for key in keys]

    def delete(self, given: Given, keys: list[Any]) -> None:
        """Delete the owner's links to these targets."""
        database, ends = self.link._meta.database, self.association.ends
        form, value = key_list(ends.far, keys)

        def make() -> Prepared:
            return prepare(database, self.link.delete().where(ends.between(slot(0), Keys(form, 1))))

        self._text(("delete", form), make).execute(database, [self.bind(given.near), value])

    def differing(self, rows: Mapping[Any, Any], given: Given, width: int, columns: Sequence[Field]) -> list[tuple[Any, Any]]:
        """The links whose stored attributes are not the given ones: (key, what differs). Their `columns` begin at `width`."""
        changes: dict[Any, dict[Field, Any]] = {}
        for field, value in given.values.items():
            at = width + _place(columns, field)
            kind: Any = type(value)
            convert: Any = field.python_value
            # A field that converts in its own way may store one value as another one stands in memory.
            alike = kept_type(field) is kind and conversion_of(field).known
            for key in [key for key, row in rows.items() if not alike or type(row[at]) is not kind or row[at] != value]:
                if not same_value(field, convert(rows[key][at]), value):
                    changes.setdefault(key, {})[field] = value
        return list(changes.items())

    # Memory

    def tell(self, owner: Any, given: Given, new: Sequence[Any], added: int) -> None:
        """Memory after linking: each instance's join row is the stored one, read when asked for; what both ends hold is forgotten.

        It need not be read where all of it is known: of the links that were `added` now, or where every attribute was given.
        """
        association, records = self.association, given.records.values()
        name, known, values = association.link_name, set(new), given.values
        if not self.known_when_written or added != len(new):
            known = set()  # another writer has made some of them
        elif len(values) == len(self.attributes.fields):
            known = set(given.keys)
        elif new:
            values = self.attributes.complete(values, "")
            known = known if len(values) == len(self.attributes.fields) else set()  # the database gives the rest
        linked = Via(name, partial(self.stored, given.near), of_record=True)
        written = Via(name, partial(self.written, given.near, values), of_record=True)
        if all(via is None or via.name == name for via in set(map(_via, records))) and not any(map(_touched, records)):
            for key, record in given.records.items():
                record._via = written if key in known else linked
        else:
            for key, record in given.records.items():
                links_of(record)[name] = (written if key in known else linked).row(record)
        for record in filter(_loaded, records):
            association.forget_on(record, but=None if record is not owner else association)
        association.forget_on(owner, but=association)

    def tell_gone(self, owner: Any, gone: set[Any]) -> None:
        """Memory after unlinking: the instances that the owner holds know it."""
        association, key, link_name = self.association, self.arguments.name, self.association.link_name
        held = association.held_records(owner) if gone else ()
        for record in [each for each in held if each.__data__.get(key) in gone]:
            via = record._via
            if via is not None and via.name == link_name and not record._touched and not record._loaded:
                record._via = None
            else:
                association._tell_unlinked(record)

    def hold_more(self, owner: Any, given: Given) -> None:
        """These were added: a loaded collection gets them, where instances of all of them are at hand."""
        association, key = self.association, self.arguments.name
        if not association.loaded_on(owner):
            return
        collection = association.value(owner)
        records = {record.__data__.get(key): record for record in collection.held()}
        records.update(given.records)
        whole = not collection.partial and association.order is None and records.keys() >= set(given.keys)
        if whole and set(map(type, records)) == {int}:
            collection.hold([records[each] for each in sorted(records)])
        else:
            collection.forget()

    def hold(self, owner: Any, given: Given) -> None:
        """These records are all that the owner has now: its collection says so, in the getter's order."""
        if self.association.order is not None:
            self.association.value(owner).forget()
        else:
            self.association.value(owner).hold([given.records[key] for key in sorted(given.keys)])

    def stored(self, near: Any, record: Any) -> Any:
        """The join row of a record that was linked."""
        return self.association._stored_now(near, key_of(record))

    def written(self, near: Any, values: Mapping[Field, Any], record: Any) -> Any:
        """The same, where all of it is known."""
        row = {**self.association.ends.values(near, key_of(record)), **values}
        fields: Any = self.link._meta.sorted_fields
        return self.association._row({field.name: field.python_value(field.db_value(row[field])) for field in fields})


_via, _touched, _loaded = attrgetter("_via"), attrgetter("_touched"), attrgetter("_loaded")


def _place(columns: Sequence[Field], field: Field) -> int:
    return next(number for number, each in enumerate(columns) if each is field)


def add(association: Any, owner: Any, targets: Any, attributes: Any) -> Any:
    """add_xs on the plain road: the number of new links, or OTHERWISE."""
    road: Linker | None = association.kept("linker", linker)
    asked = association.asked("add")
    given = road.read(owner, targets, attributes, asked) if road is not None else None
    if road is None or given is None:
        return OTHERWISE
    # Outside of the transaction: what another writer does meanwhile the INSERT finds, and where there is nothing to write there is none.
    if road.light:
        width, columns = 0, list(given.values)
        rows = {row[-1]: row for row in road.links(given, every=False)}
    else:
        width, columns, listed = 1, road.link_columns, road.listing(given, every=False, whole=False)
        rows = {row[-1]: row for row in listed if row[1 + road.place_of_near] is not None}
        road.require(given.keys, {row[0] for row in listed}, asked)
    changes = road.differing(rows, given, width, columns)
    new = [key for key in given.keys if key not in rows] if rows else given.keys
    added = 0
    if changes or new:
        with association.with_owner(owner, "add"), many_statements(road.target._meta.database):
            association._update(given.near, changes)
            added = road.insert(owner, given, new, "add") if new else 0
    road.tell(owner, given, new, added)
    road.hold_more(owner, given)
    return added


def replace(association: Any, owner: Any, targets: Any, attributes: Any) -> Any:
    """set_xs on the plain road: the records that are associated now, or OTHERWISE."""
    road: Linker | None = association.kept("linker", linker)
    asked = association.asked("set")
    given = road.read(owner, targets, attributes, asked) if road is not None else None
    if road is None or given is None:
        return OTHERWISE
    wanted, whole, listed = set(given.keys), not given.records, []
    with association.with_owner(owner, "set"), many_statements(road.target._meta.database):
        association.lock(owner, "set")
        if road.light and not whole:
            width, columns = 0, list(given.values)
            rows = {row[-1]: row for row in road.links(given, every=True)}
        else:
            read, columns = road.every_column if whole else road.columns, road.link_columns
            width, primary = len(read), _place(read, association.far_field)
            listed = road.listing(given, every=True, whole=whole)
            road.require(given.keys, {row[primary] for row in listed}, asked)
            rows = {row[-1]: row for row in listed if row[width + road.place_of_near] is not None}
        obsolete = [key for key in rows if key not in wanted]
        if obsolete:
            road.delete(given, obsolete)
        association._update(given.near, road.differing({key: rows[key] for key in rows if key in wanted}, given, width, columns))
        new = [key for key in given.keys if key not in rows]
        added = road.insert(owner, given, new, "set") if new else 0
    if whole:
        make = reader(road.target, road.every_column)
        given.records = {row[-1]: make(row) for row in listed if row[-1] in wanted}
    road.tell(owner, given, new, added)
    road.tell_gone(owner, set(obsolete))
    road.hold(owner, given)
    return [given.records[key] for key in given.keys]
