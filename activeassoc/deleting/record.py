"""`record.delete_instance()`: peewee's, and before it what keys without a constraint ask for.

Map: `Deleting` is what `Model` gets; `delete_instance` decides whether peewee's DELETE is all there is to do, `delete_rows` the same for
what the accessors delete.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from activeassoc import registry
from activeassoc.associations.writing import patiently
from activeassoc.registry import Model

# What follows the keys is imported by the first deletion: a program that deletes nothing need not load it.


class Deleting:
    """The part of `Model` that deletes a record."""

    def delete_instance(self: Any, recursive: bool = False, delete_nullable: bool = False) -> int:
        """Delete the record's row; how many rows that were: 1, or 0 where it is gone already.

        What the keys that refer to it say about ON DELETE happens in the database where it holds a constraint, and raises its
        IntegrityError. A key without one, as it comes from another database or stands in a store that has none, is seen to before:
        CASCADE deletes the rows that hold it, as far as they lead; SET NULL and SET DEFAULT change it; RESTRICT and NO ACTION raise
        DeleteRefused before anything is written. With ``constraints=False`` only an `on_delete` that was written out counts. Out of an
        array of keys (references_many) it is taken, where the store finds it there.
        `recursive` and `delete_nullable` mean what they mean in peewee, across databases too.

        One DELETE. For each key without a constraint one statement more, or two for a cascade that leads on, at each level. Of several
        databases each is written in a transaction of its own, rows that refer first; where one fails after another was written
        PartialWriteError tells what stays. ``Model.delete().where(…)`` applies no rule: `check` finds what dangles. (H1, H6)
        """
        inherited: Any = super()
        return delete_instance(self, inherited.delete_instance, recursive, delete_nullable)


def delete_instance(record: Any, by_peewee: Callable[[bool, bool], int], every: bool, delete_nullable: bool) -> int:
    """Delete the record as `by_peewee` does, after what the rules of keys without a constraint ask for; the number of its rows.

    Where no such key can be reached this is `by_peewee` and nothing else.
    """
    from activeassoc.deleting.references import alive, crosses, graph_of, in_code, recursive

    model = type(record)
    if registry._waiting:
        registry.settle_for(model)
    graph = recursive(model, delete_nullable) if every else graph_of([model])
    outside = crosses(graph) if every else any(not each.enforced for references in graph.values() for each in references)
    if not outside or record._pk is None:
        deleted = by_peewee(every, delete_nullable)
    else:
        from activeassoc.deleting.writing import Deletion

        graph = alive(graph)
        kept = graph if every else in_code(graph, [model])
        asked = f"{model.__name__}.delete_instance() of {record._pk!r}"
        databases = [each._meta.database for each in {model, *(reference.holder for some in kept.values() for reference in some)}]

        def start(walk: Any) -> None:
            walk.start(model, [record._pk])

        deleted = patiently(databases, lambda: Deletion(asked, model, start, kept, lambda: by_peewee(False, False)).run())
    if "_loaded" in record.__dict__:
        _tell(record)
    return deleted


def delete_rows(model: Model, condition: Any, asked: str, own: Callable[[], int]) -> int:
    """The same for the rows of `model` for which the condition holds, which `own` deletes: what ``destroy=True`` does."""
    from activeassoc.deleting.references import alive, graph_of, in_code
    from activeassoc.deleting.writing import Deletion

    graph = graph_of([model])
    if all(each.enforced for references in graph.values() for each in references):
        return own()
    kept = in_code(alive(graph), [model])
    return Deletion(asked, model, lambda walk: walk.start_where(model, condition), kept, own).run()


def _tell(record: Any) -> None:
    """Instances that the record holds, and whose key is NULL now, know it: saving them would write the old one back."""
    for name, association in type(record).associations.items():
        if association.key_on_source or not hasattr(association, "set_key") or name not in record.__dict__["_loaded"]:
            continue
        if getattr(association.key.field, "on_delete", None) == "SET NULL":
            one = record.__dict__["_loaded"][name]
            for each in association.held_records(record) if association.to_many else [one] if one is not None else []:
                association.set_key(each, None, record)
