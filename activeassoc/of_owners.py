"""``User.add_to_collection([10, 12], "pets", [300, 301])``: the collections of one or several owners, by the attribute's name.

Map: `OfOwners` has the three calls, of which Model is derived; `_association` and `_read` find the collection, the owners and
the children, and raise where one of them is not there, before anything is written.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from activeassoc.associations.has_many import HasMany
from activeassoc.associations.stages import databases_of, reason, transactional
from activeassoc.associations.writing import match, patiently
from activeassoc.errors import PartialWriteError, UnknownName, UnsavedRecordError, WrongArgument, listed, nearest
from activeassoc.hydrate import reader
from activeassoc.registry import Model
from activeassoc.saving import memory_as_before
from activeassoc.stores.sql import every_row, many_statements, row_groups, rows_among
from activeassoc.targets import Target, key_of, read_many


class OfOwners:
    """What Model does with the collections of owners, by name."""

    @classmethod
    def add_to_collection(cls, owners: Any, name: str, children: Any) -> int:
        """Add the children to the collection `name` of the owners; returns the number of new links.

        Both are primary keys or instances, one or several. Many-to-many: every child is linked to every owner, once.
        One-to-many: the children move to the owner; several owners raise. Unknown names, owners and children that are
        not there raise, listed, and nothing is written. (F9)
        """
        return int(_patiently(cls, name, add_to_collection, owners, children))

    @classmethod
    def remove_from_collection(cls, owners: Any, name: str, children: Any, *, destroy: bool = False) -> int:
        """Remove the children from the collection `name` of the owners, where they are in it; returns the number removed. (F9)"""
        return int(_patiently(cls, name, remove_from_collection, owners, children, destroy))

    @classmethod
    def replace_collection(cls, owners: Any, name: str, children: Any, *, destroy: bool = False) -> list[Any]:
        """Make exactly the children the collection `name` of each owner; returns them, as ``set_pets`` does. ``[]`` clears.

        One-to-many: several owners raise, unless there are no children; a key that may not be NULL raises before anything
        is written, unless ``destroy=True``. (F9)
        """
        return list(_patiently(cls, name, replace_collection, owners, children, destroy))


def _patiently(model: Model, name: str, write: Callable[..., Any], owners: Any, children: Any, *options: Any) -> Any:
    """What `write` gives; it is run again where its transaction met another one (C16)."""
    asked = f"{model.__name__}.{write.__name__}(…, {name!r}, …)"
    association = _association(model, name, asked)
    # What can be read once could not be read a second time.
    owners, children = (list(each) if hasattr(each, "__next__") else each for each in (owners, children))
    databases = [each._meta.database for each in (association.source, association.target, *(key.model for key in association.keys))]
    return patiently(databases, lambda: write(association, asked, owners, children, *options))


def add_to_collection(association: Any, asked: str, owners: Any, children: Any) -> int:
    """Add every child to the collection of every owner; the number of new links."""
    with _whole(association):
        found, given = _read(association, owners, children, asked, sole=True)
        with _memory(association, found, given):
            return sum(_each(association, found, lambda owner: association.add(owner, given), asked)) if given else 0


def remove_from_collection(association: Any, asked: str, owners: Any, children: Any, destroy: bool = False) -> int:
    """Remove every child from the collection of every owner; the number removed."""
    with _whole(association):
        found, given = _read(association, owners, children, asked)
        options = {"destroy": True} if destroy else {}
        with _memory(association, found, given):
            return sum(_each(association, found, lambda owner: association.remove(owner, given, **options), asked)) if given else 0


def replace_collection(association: Any, asked: str, owners: Any, children: Any, destroy: bool = False) -> list[Any]:
    """Make exactly these children the collection of every owner; the children, as ``set_pets`` returns them."""
    records: list[Any] = []
    with _whole(association):
        found, given = _read(association, owners, children, asked, sole=True)
        options = {"destroy": True} if destroy else {}
        with _memory(association, found, given):
            # The children are the same for each.
            records = [*_each(association, found, lambda owner: association.set(owner, given, **options), asked)]
    return records[-1] if records else []


@contextlib.contextmanager
def _whole(association: Any) -> Iterator[None]:
    """A block that is one transaction in each store that it writes to."""
    with contextlib.ExitStack() as stack:
        for database in databases_of([key.model for key in association.keys], []):
            stack.enter_context(many_statements(database))
        yield


def _taken_back(association: Any) -> bool:
    """Whether all that is written is taken back when something fails."""
    return all(transactional(key.model) for key in association.keys) and transactional(association.target)


def _memory(association: Any, owners: list[Any], given: list[Any]) -> contextlib.AbstractContextManager[None]:
    """Memory is as before when all is taken back; else each owner's tells what was written for it."""
    return memory_as_before(owners, given) if _taken_back(association) else contextlib.nullcontext()


def _each(association: Any, owners: list[Any], write: Callable[[Any], Any], asked: str) -> Iterator[Any]:
    """What `write` gives for each owner; where it fails, the error tells whose collections are written and stay so."""
    done: list[str] = []
    for owner in owners:
        try:
            yield write(owner)
        except Exception as error:
            if not done or _taken_back(association):
                raise
            raise PartialWriteError(
                asked,
                f"{reason(error, asked)}; {association.name} of {listed(done)} were written before, and stay so",
                "Mend what failed, and call it again",
                written=[*done, *getattr(error, "written", ())],
            ) from error
        done.append(f"{type(owner).__name__} {key_of(owner)!r}")


def _association(model: Model, name: Any, asked: str) -> Any:
    association = model.associations.get(name) if isinstance(name, str) else None
    if association is not None and association.to_many:
        _ = association.target  # one that waits for its target is bound now
        return association
    known = [each.name for each in model.associations.values() if each.to_many]
    if association is not None:
        raise WrongArgument(
            asked, f"{model.__name__}.{name} is one record, not a collection", f"Write record.set_{name}(…)", value=name
        )
    raise UnknownName(
        asked, f"{model.__name__} has no collection {name!r}", nearest(str(name), known), name=name, known=sorted(known)
    )


def _read(association: Any, owners: Any, children: Any, asked: str, sole: bool = False) -> tuple[list[Any], list[Any]]:
    """The owners, as instances, and the children, as they were given; all have rows. One query for each of the two."""
    source, target = association.source, association.target
    wanted, given = read_many(source, owners, asked), read_many(target, children, asked)
    for each in wanted:
        if each.new:
            raise UnsavedRecordError(asked, f"this {source.__name__} is not saved yet", "Save it first", record=each.record)
    if sole and isinstance(association, HasMany) and len(wanted) > 1 and given:
        raise WrongArgument(
            asked,
            f"each {target.__name__} has one {source.__name__}, and {listed([repr(each.key) for each in wanted])} are {len(wanted)}",
            "Give one owner",
            value=owners,
        )
    rows = _rows(source, wanted, list(source._meta.sorted_fields))
    wanted = match(source, rows, wanted, asked)
    old = [each for each in given if not each.new]
    match(target, _rows(target, old, list(target._meta.get_primary_keys())), old, asked)
    found = [each.record if each.record is not None else rows[each.key] for each in wanted]
    return found, [each.record if each.record is not None else each.key for each in given]


def _rows(model: Model, targets: Iterable[Target], fields: list[Any]) -> dict[Any, Any]:
    """The rows of these targets by primary key."""
    make, found, keys = reader(model, fields), {}, [target.key for target in targets]
    for some in row_groups(model, keys) if keys else ():
        query = every_row(model, *fields).where(rows_among(model, some))
        found.update({key_of(record): record for record in map(make, model._meta.database.execute(query).fetchall())})
    return found
