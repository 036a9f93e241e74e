"""references_many: a record of the source has several of the target, by an array of their keys in a column of its own.

Post.hashtags = [3, 1] ──→ Hashtag.id, in that order; Hashtag knows nothing of it.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from typing import Any

from activeassoc import registry
from activeassoc.associations.array import Held, look, rewrite, written
from activeassoc.associations.base import verb
from activeassoc.associations.in_array import InArray
from activeassoc.associations.stages import Stages
from activeassoc.associations.writing import create_all, mappings, match, retried, values_given
from activeassoc.errors import DeclarationError, UnknownName, nearest
from activeassoc.hydrate import reader
from activeassoc.key_lists import KeyListField, note, shown
from activeassoc.keys import is_saved
from activeassoc.planning import Plan, check_subclasses
from activeassoc.registry import Key, Model
from activeassoc.stores.sql import every_row, row_groups, rows_among, spelled
from activeassoc.targets import Target, is_list, key_of, read_many

#: Options of the other declaring calls, and why an array has none.
REFUSED: dict[str, tuple[str, str]] = {
    **dict.fromkeys(
        ("through", "other_key", "symmetric", "dominant", "embed", "unique"),
        ("the keys are in an array of {source}, and there are no links of their own", "call belongs_to_many for links with attributes"),
    ),
    **dict.fromkeys(
        ("foreign_key", "source_key", "target_key"),
        ("the array holds primary keys, in a column named like the association", "give as_= for another name"),
    ),
    **dict.fromkeys(
        ("on_delete", "on_update", "constraints", "null"),
        ("no constraint can hold the keys in an array", "delete_instance() takes the key of a deleted record out of the arrays"),
    ),
    "where": ("the array is what belongs to the record, all of it", "give where= to the getter"),
    "order": ("the array is the order", "give order= to the getter"),
}


class ReferencesMany(InArray):
    """``Post.references_many(Hashtag)``: post.hashtags, post.hashtag_ids, and the methods of every to-many."""

    kind = "references_many"

    # Declaring

    @classmethod
    def check_options(cls, options: dict[str, Any], text: str) -> None:
        source = text.partition(".")[0]
        for name in options:
            if name in REFUSED:
                because, instead = REFUSED[name]
                raise DeclarationError(text, f"{name} is no option here: {because.format(source=source)}", f"Leave {name} out; {instead}")
            if name != "as_":
                known = ["as_"]
                raise UnknownName(text, f"references_many has no option {name!r}", nearest(name, known), name=name, known=known)

    def prepare(self, plan: Plan, target: Model, names_of: Any) -> None:
        """Plan the column on the source."""
        if target._meta.composite_key or not target._meta.primary_key:
            what = "its primary key has several columns" if target._meta.composite_key else "it has no primary key"
            because = f"no array can hold the keys of {target.__name__}: {what}"
            raise DeclarationError(plan.asked, because, f"Call belongs_to_many, or give {target.__name__} an own id")
        source, column, name = self.source, self.name, f"{self.names.one}_ids"
        field = source._meta.columns.get(column)
        if isinstance(field, KeyListField) and (field.target is target or target is source or registry.replaced(field.target)):
            plan.do(setattr, field, "target", target)  # a copy of a base's, which may be to itself, or of a model that was defined again
            plan.do(self._take, field, target)
            return
        taken = next((each for each in (column, name) if each in source._meta.combined), None)
        if taken is None and getattr(source, name, None) is not None:
            taken = name
        if taken is not None:
            because = f"{source.__name__}.{taken} is there already, and the array is the column {column!r} and the attribute {name!r}"
            raise DeclarationError(plan.asked, because, f'Give as_= another name, as in as_="other_{column}"')
        check_subclasses(plan, source, column)
        plan.do(self._add, name, column, target)

    def _add(self, name: str, column: str, target: Model) -> None:
        field = KeyListField(target, column_name=column)
        self.source._meta.add_field(name, field)
        self._take(field, target)

    def _take(self, field: Any, target: Model) -> None:
        self.key = Key(self.source, field.column_name, field, target)
        self._kept = None
        note(field)

    # The attribute

    def __set__(self, instance: Any, value: Any) -> None:
        """``post.hashtags = [sea, 3]``: the array, which the next save writes."""
        self.check_owner(instance, self.name)
        target, name = self.target, self.key.attribute
        values = list(value) if is_list(target, value) and not isinstance(value, Mapping) else value
        accessor: Any = inspect.getattr_static(type(instance), name)
        accessor.put(instance, values, f"{self.label} = {shown(value)}")
        if isinstance(values, list) and values and all(isinstance(each, target) for each in values):
            records = {key_of(record): record for record in reversed(values)}
            self.value(instance).hold([records[key] for key in instance.__data__[name] if key in records])

    def begin(self, owner: Any, targets: Any) -> None:
        """``Post(hashtags=[…])``: the array, as assigned; what has no row yet is queued, and saved with the owner."""
        target = self.target
        values = list(targets) if is_list(target, targets) and not isinstance(targets, Mapping) else [targets]
        values = [] if targets is None else values
        if any(isinstance(each, Mapping) or (isinstance(each, target) and not is_saved(each)) for each in values):
            self.value(owner).add(values)
        else:
            self.__set__(owner, values)

    # Writing

    def _stages(self, operation: str, given: Iterable[Target] = (), *, creates: bool = False) -> Stages:
        """The block of a write of targets, where there are new ones, and then of the array."""
        new = [target.record for target in given if target.new]
        return Stages(self.asked(operation), self.source, self.target, new, writes_targets=creates or bool(new))

    def _look(self, owner: Any, operation: str) -> Held:
        """The owner's array, locked where the store can; RecordNotFound where the owner is gone, before anything is written."""
        return look(self.key.field, owner._pk, self.asked(operation), lock=True)

    def _rewrite(self, owner: Any, held: Held, change: Any, operation: str) -> tuple[list[Any], list[Any]]:
        return rewrite(self.key.field, owner._pk, held, change, self.asked(operation))

    def _matched(self, given: list[Target], operation: str) -> list[Target]:
        """The targets as the database spells their keys, with their records where there is none at hand; all are there, or it raises."""
        target, found = self.target, {}
        old = [each.key for each in given if not each.new]
        whole = operation == "set" and any(each.record is None for each in given)
        columns = self.columns(None if whole else [], operation)
        make = reader(target, columns)
        for some in row_groups(target, old) if old else ():
            rows = target._meta.database.execute(every_row(target, *columns).where(rows_among(target, some))).fetchall()
            found.update({key_of(record): record for record in map(make, rows)})
        given = match(target, found, given, self.asked(operation))
        for each in given if whole else ():
            each.record = found[each.key] if each.record is None else each.record
        return given

    def _save_new(self, given: list[Target], stage: Stages) -> None:
        for each in given:
            if each.new:
                each.record.save(force_insert=True)
                each.key = key_of(each.record)
        stage.targets_written()

    @verb("set_{many}")
    @retried
    def set(self, owner: Any, targets: Any) -> list[Any]:
        """Make the array exactly these records, in the order given; returns them, without repeats.

        `targets` are instances or primary keys, any iterable of them, or None for none. New instances are saved. Missing keys raise
        RecordNotFound, and nothing is written. 2 SELECTs and 1 UPDATE, in one transaction; no UPDATE where nothing changes. (L1)
        """
        self.require_saved(owner, "set")
        given = read_many(self.target, targets, self.asked("set"))
        with self._stages("set", given) as stage:
            held = self._look(owner, "set")
            given = self._matched(given, "set")
            self._save_new(given, stage)
            keys = [each.key for each in given]
            self._rewrite(owner, held, lambda _: keys, "set")
        records = [each.record for each in given]
        written(owner, self.key.field, keys)
        self.hold(owner, records)
        return records

    @verb("add_{one}", "add_{many}")
    @retried
    def add(self, owner: Any, targets: Any) -> int:
        """Put these records at the end of the array; returns the number of new ones. What is in it stays where it is.

        `targets` as for set; None does nothing. New instances are saved. Missing keys raise RecordNotFound, and nothing is written.
        2 SELECTs and 1 UPDATE, in one transaction. Of two writers at once neither loses what the other one added. (L1)
        """
        self.require_saved(owner, "add")
        given = read_many(self.target, targets, self.asked("add"))
        if not given:
            return 0
        with self._stages("add", given) as stage:
            held = self._look(owner, "add")
            given = self._matched(given, "add")
            self._save_new(given, stage)
            before, after = self._rewrite(owner, held, _adding([each.key for each in given]), "add")
        self._tell(owner, after, given)
        return len(after) - len(before)

    @verb("remove_{one}", "remove_{many}")
    @retried
    def remove(self, owner: Any, targets: Any) -> int:
        """Take these records out of the array; returns the number removed. What is not in it is left alone.

        `targets` are instances or primary keys, one or any iterable; None does nothing. 1 SELECT and 1 UPDATE. (L1)
        """
        self.require_saved(owner, "remove")
        given = [each for each in read_many(self.target, targets, self.asked("remove")) if not each.new]
        if not given:
            return 0
        with self._stages("remove"):
            held = self._look(owner, "remove")
            gone = {each.key for each in given}
            texts = [key for key in gone if isinstance(key, str) and key not in held.keys]
            gone.update(spelled(self.target._meta.primary_key, texts).values() if texts and held.keys else ())
            before, after = self._rewrite(owner, held, lambda keys: [key for key in keys if key not in gone], "remove")
        self._tell(owner, after, ())
        return len(before) - len(after)

    @verb("create_{one}")
    @retried
    def create(self, owner: Any, values: Mapping[str, Any] | None = None, /, **fields: Any) -> Any:
        """Make a record and put it at the end of the array; returns it.

        Fields by keyword, or as a mapping where a name would be hidden; unknown ones raise UnknownName. 1 SELECT, 1 INSERT and
        1 UPDATE, in one transaction. (C18, L1)
        """
        if self.same_word and isinstance(values, list | tuple):
            return self.create_many(owner, values)
        return self._create(owner, [values], fields, "create")[0]

    @verb("create_{many}")
    @retried
    def create_many(self, owner: Any, values: Iterable[Mapping[str, Any]]) -> list[Any]:
        """Make several records and put them at the end of the array; returns them, in the order given. All or none. (C18, L1)

        `values` are mappings of fields to values. 1 SELECT, an INSERT for each (one for all where their keys are known before), 1 UPDATE.
        """
        return self._create(owner, mappings(values, self.asked("create_many")), {}, "create_many")

    def _create(self, owner: Any, values: list[Any], fields: Mapping[str, Any], operation: str) -> list[Any]:
        self.require_saved(owner, operation)
        rows = [values_given(self.target, each, fields, {}, self.asked(operation)) for each in values]
        with self._stages(operation, creates=True) as stage:
            held = self._look(owner, operation)
            given = [Target(key_of(record), record) for record in create_all(self.target, rows, stage)]
            stage.targets_written()
            _, after = self._rewrite(owner, held, _adding([each.key for each in given]), operation)
        self._tell(owner, after, given)
        return [each.record for each in given]

    # In memory

    def _tell(self, owner: Any, keys: list[Any], given: Iterable[Target]) -> None:
        """Memory after a write: the array, and a loaded collection, where instances of all of it are at hand."""
        written(owner, self.key.field, keys)
        collection = self.value(owner)
        if not collection.loaded:
            return
        records = {key_of(record): record for record in collection.held()}
        records.update({each.key: each.record for each in given if each.record is not None})
        if collection.partial or any(key not in records for key in keys):
            collection.forget()
        else:
            collection.hold([records[key] for key in keys])


def _adding(new: list[Any]) -> Any:
    return lambda keys: [*keys, *(key for key in dict.fromkeys(new) if key not in set(keys))]
