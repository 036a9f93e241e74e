"""Which keys refer to a model, and what becomes of their rows when a record of it is deleted.

Map: `Reference` is one key, seen from the model that it refers to: its rule, and who carries it out; `InArray` an array of keys;
`references_to` finds those of a model; `graph_of` those of everything that deleting a record can reach; `in_code` picks the ones that the
databases cannot see to.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import peewee

from activeassoc import registry
from activeassoc.keys import has_constraint
from activeassoc.registry import Model, keys_of, same_table
from activeassoc.stores.arrays import holding, searchable
from activeassoc.stores.sql import among, store_of
from activeassoc.sync.models import is_base

CASCADE, SET_NULL, SET_DEFAULT = "CASCADE", "SET NULL", "SET DEFAULT"
#: What becomes of an array that holds the key: it goes out of it.
REMOVE = "REMOVE"


@dataclass(frozen=True, eq=False)
class Reference:
    """A key that refers to the rows in question: `field` of its holder refers to `referred`."""

    field: Any
    referred: Any
    #: ON DELETE, in capitals.
    rule: str
    #: The database that holds both carries the rule out; else this package does.
    enforced: bool

    @property
    def holder(self) -> Model:
        return self.field.model

    @property
    def database(self) -> Any:
        return self.field.model._meta.database

    @property
    def label(self) -> str:
        return f"{self.holder.__name__}.{self.field.name}"

    @property
    def cascades(self) -> bool:
        return self.rule == CASCADE

    @property
    def clears(self) -> bool:
        """The key gets another value: NULL, or its default."""
        return self.rule in (SET_NULL, SET_DEFAULT) and not self.forbids

    @property
    def forbids(self) -> bool:
        """A row that holds the key keeps the other from being deleted: by its rule, or as the key cannot be cleared."""
        return self.rule not in (CASCADE, SET_NULL, SET_DEFAULT) or (not self.cascades and self.cleared_to is None and self.needed)

    @property
    def needed(self) -> bool:
        """The key cannot be NULL."""
        return not self.field.null or any(self.field is part for part in self.holder._meta.get_primary_keys())

    @property
    def cleared_to(self) -> Any:
        """What SET NULL and SET DEFAULT write."""
        default = self.field.default if self.rule == SET_DEFAULT else None
        return default() if callable(default) else default


    #: The field is an array of keys.
    in_array = False

    def holding(self, values: Sequence[Any]) -> Any:
        """The condition for rows that hold one of these values."""
        return among(self.field, values)


@dataclass(frozen=True, eq=False)
class InArray(Reference):
    """An array of keys, as ``references_many`` makes it: it forbids nothing, and the key of what goes is taken out of it."""

    in_array = True

    @property
    def forbids(self) -> bool:
        return False

    def holding(self, values: Sequence[Any]) -> Any:
        return holding(self.field, self.field.spellings(values))


def address_of(database: Any) -> str:
    """What messages call a database: its URL without the password, or its kind and name."""
    database = getattr(database, "obj", database)
    return str(getattr(database, "address", "") or f"{type(database).__name__}({database.database!r})")


def referred_by(key: Any) -> Any:
    """The field that a foreign key refers to: the model's own, where peewee has copied it with the key into a subclass."""
    return key.rel_model._meta.fields[key.rel_field.name]


def rule_of(field: Any) -> str | None:
    """The ON DELETE rule of a key, in capitals; None where nothing is to be done.

    A key whose constraint was left out (``constraints=False``, a ReferenceField, a plain column) has the rule that its declarations
    write out, and none by default: it may outlive what it refers to, as the entries of a log do.
    """
    record = keys_of(field.model).get(field.column_name)
    if getattr(field, "constraint", isinstance(field, peewee.ForeignKeyField)):
        return str(field.on_delete or "NO ACTION").upper()
    said = [given["on_delete"] for _, given in record.options() if given.get("on_delete")] if record is not None else []
    return str(said[-1]).upper() if said else None


def references_to(model: Model) -> list[Reference]:
    """The keys that refer to `model`'s rows and have a rule, each column once."""
    found: dict[Any, Reference] = {}
    table = model._meta.table_name
    for base in model.__mro__:
        meta = base.__dict__.get("_meta")
        if meta is None or meta.table_name != table or not (base is model or same_table(base, model)):
            continue
        for field in meta.backrefs:
            _take(found, field, referred_by(field))
        found.update(_arrays(base))
        for association in getattr(base, "associations", {}).values():
            # A column that is no foreign key is known to the association alone.
            for key in association.keys if association.bound and not association.key_on_source else ():
                if key.target is base and not isinstance(key.field, peewee.ForeignKeyField):
                    _take(found, key.field, meta.fields[key.referred.name])
    return list(found.values())


def _arrays(base: Model) -> Iterator[tuple[Any, Reference]]:
    """The arrays that hold keys of a model, where their store can find a key in them without sending all of them."""
    for field in base._meta.__dict__.get("association_arrays", ()):
        holder = field.model._meta
        if holder.fields.get(field.name) is not field or field.target is not base or getattr(holder, "abstract", False):
            continue
        if holder.database is not None and searchable(holder.database):
            place = id(holder.database), holder.schema, holder.table_name, field.column_name
            yield place, InArray(field, base._meta.primary_key, REMOVE, False)


def _take(found: dict[Any, Reference], field: Any, referred: Any) -> None:
    holder = field.model._meta
    rule = rule_of(field)
    if rule is None or holder.database is None or getattr(holder, "abstract", False):
        return
    enforced = has_constraint(field) and store_of(holder.database).constraints
    found[id(holder.database), holder.schema, holder.table_name, field.column_name] = Reference(field, referred, rule, enforced)


Graph = dict[Model, list[Reference]]


def graph_of(models: Iterable[Model]) -> Graph:
    """Everything that deleting records of these models can reach: each model whose rows may go, with the keys that refer to it."""
    graph: Graph = {}
    rest = list(models)
    while rest:
        model = rest.pop()
        if model not in graph:
            graph[model] = references_to(model)
            rest += [each.holder for each in graph[model] if each.cascades]
    return graph


def alive(graph: Graph) -> Graph:
    """The graph without models that a redefinition has replaced, and without bases, which have no tables."""
    known = registry.known_models()
    there = {id(model) for model in known}

    def stands(model: Model) -> bool:
        return (id(model) in there or not hasattr(model, "associations")) and not is_base(model, known)

    return {model: [each for each in references if stands(each.holder)] for model, references in graph.items()}


def recursive(graph_model: Model, delete_nullable: bool) -> Graph:
    """The graph for peewee's ``delete_instance(recursive=True)``: rows that refer go too, or their nullable keys become NULL."""
    graph: Graph = {}
    rest = [graph_model]
    while rest:
        model = rest.pop()
        if model in graph:
            continue
        graph[model] = []
        for field in model._meta.backrefs:
            if field.model._meta.database is not None and not getattr(field.model._meta, "abstract", False):
                rule = SET_NULL if field.null and not delete_nullable else CASCADE
                graph[model].append(Reference(field, referred_by(field), rule, False))
        rest += [each.holder for each in graph[model] if each.cascades]
        graph[model] += [reference for _, reference in _arrays(model)]
    return graph


def in_code(graph: Graph, starts: Iterable[Model]) -> Graph:
    """The keys that have to be followed because a database cannot carry out the rules; empty lists where there are none.

    Beside those keys themselves: the cascades that lead to them, which the database carries out, but where the rows have to be known;
    and, where several databases are written, the keys that forbid, as one of them would refuse when another is done.
    """
    stores = {id(model._meta.database) for model in starts}
    stores |= {id(each.database) for references in graph.values() for each in references if not each.enforced}
    kept: Graph = {model: [] for model in graph}
    taken: set[int] = set()
    grows = True
    while grows:
        grows = False
        for model, references in graph.items():
            for each in references:
                refuses = each.forbids and len(stores) > 1
                if id(each) not in taken and (not each.enforced or refuses or (each.cascades and kept[each.holder])):
                    taken.add(id(each))
                    kept[model].append(each)
                    grows = True
    return kept


def crosses(graph: Graph) -> bool:
    """Whether the graph leaves one database, or stands in one that cannot name several tables in a statement, or meets arrays of keys."""
    if any(each.in_array for references in graph.values() for each in references):
        return True
    databases = {id(model._meta.database) for model in graph} | {id(each.database) for refs in graph.values() for each in refs}
    return len(databases) > 1 or not all(store_of(model._meta.database).joins for model in graph)


def holders_first(graph: Graph, starts: Iterable[Model]) -> list[Model]:
    """The models of the graph, and those that hold keys to them: rows that refer before those that they refer to.

    In a circle of keys somebody has to be first. Holders in other databases come before those beside the model, so that the steps in one
    database stand together where they can.
    """

    def holders(model: Model) -> Iterator[Reference]:
        here = model._meta.database
        return iter(sorted(graph.get(model, ()), key=lambda each: each.database is here))

    order: list[Model] = []
    entered: set[int] = set()
    for start in starts:
        if id(start) in entered:
            continue
        entered.add(id(start))
        stack = [(start, holders(start))]
        while stack:
            model, rest = stack[-1]
            for each in rest:
                if id(each.holder) not in entered:
                    entered.add(id(each.holder))
                    stack.append((each.holder, holders(each.holder)))
                    break
            else:
                stack.pop()
                order.append(model)
    return order


