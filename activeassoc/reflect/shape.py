"""What the models are called and what their fields are, decided for all tables before any code is written.

Map: `shape` decides; `body_of` gives the fields of a class in the order of the columns; `meta_of` what stands in its Meta.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from activeassoc import naming
from activeassoc.reflect import words
from activeassoc.reflect.fields import Written, field_of
from activeassoc.reflect.layout import Node, literal
from activeassoc.reflect.tables import Found, Reference, find_junction
from activeassoc.stores import ddl

#: What ON DELETE and ON UPDATE are where a declaration does not say them: of a key that may be NULL, of one that may not, of a link.
DEFAULTS = {"on_delete": ("SET NULL", "NO ACTION", "CASCADE"), "on_update": ("CASCADE", "CASCADE", "CASCADE")}

#: The options of a field, in the order in which they are written; others come after them.
ORDER = ("column_name", "field_class", "max_length", "max_digits", "decimal_places", "primary_key", "null", "unique", "index", "default")


def shape(found: Sequence[Found], ordinary: Collection[str] = ()) -> None:
    """Name classes and fields, and find the tables of links. `ordinary` are tables that are to be no tables of links."""
    for each in found:
        each.junction = None if each.name in ordinary else find_junction(each)
    _name_classes(found)
    for each in found:
        each.names = {}
        for reference in each.references:
            reference.stem = reference.attribute = ""
            reference.in_body = reference.is_plain = False
    for each in found:
        _name_referred(each)
    for each in found:
        _name_references(each)
    for each in found:
        taken = _taken(each) | _classes_in(each)
        for position, column in enumerate(each.table.columns.values(), 1):
            if column.name not in each.names and not _reference(each, column.name):
                each.names[column.name] = words.field_name(column.name, position, taken)
                taken.add(each.names[column.name])


def _name_classes(found: Sequence[Found]) -> None:
    names = words.class_names([each.name for each in found], ())
    as_they_are = []
    for each in found:
        if each.junction is not None:
            ends = [naming.names_of(names[key.target.name]).many for key in (each.junction.near, each.junction.far)]
            if naming.join_table(ends[0], ends[1]) == each.name:  # as a declaration without through= would have named it
                as_they_are.append(each.name)
    names = words.class_names([each.name for each in found], as_they_are)
    for each in found:
        each.class_name = names[each.name]
    for each in found:
        # Fetched records carry their link under its name, which must not be a column's.
        ends_of = [key.target for key in (each.junction.near, each.junction.far)] if each.junction else []
        if any(words.identifier(column) == each.words.one for end in ends_of for column in end.told):
            each.class_name = next(
                name for name in (f"{each.class_name}Link{number}" for number in ("", *range(2, 99))) if name not in names.values()
            )


def _name_referred(found: Found) -> None:
    """Names for the plain columns that keys refer to: what the keys are called depends on them."""
    one = found.words.one
    primary_key = found.table.primary_key
    for position, column in enumerate(found.table.columns.values(), 1):
        if _reference(found, column.name):
            continue
        word = words.identifier(column.name)
        if primary_key == (column.name,) and word in ("id", f"{one}_id", f"{one}id", f"{words.identifier(found.name)}_id"):
            if word == "id" or "id" not in map(words.identifier, found.told):
                found.names[column.name] = "id"
        elif column.name in primary_key or found.is_unique(column.name):
            found.names[column.name] = words.field_name(column.name, position, {*found.names.values(), *_classes_in(found)})


def _name_references(found: Found) -> None:
    of_link = [found.junction.near, found.junction.far] if found.junction and found.junction.is_key else []
    for reference in sorted(found.references, key=lambda each: not each.to_primary_key):
        column = reference.column
        ending = _ending(reference)
        stem = naming.field_of(column, ending)
        attribute = naming.key_attribute(stem, column)
        taken = _taken(found)
        usual = words.free(stem) and words.free(attribute) and not {stem, attribute} & taken
        usual = usual and not words.reserved(column) and column not in found.names.values()
        part = column in found.table.primary_key and reference not in of_link
        usual = usual and not (part and stem in _classes_in(found))
        if part or not usual:
            reference.in_body = True
            position = list(found.table.columns).index(column) if column in found.table.columns else 0
            if not usual:
                word = words.identifier(column if stem in taken else stem or column) or column
                stem = words.field_name(word, position, taken | _classes_in(found))
            attribute = attribute if usual else words.field_name(f"{stem}_key", position, {*taken, stem})
        reference.stem, reference.attribute = stem, attribute


def _ending(reference: Reference) -> str:
    """What the key's column ends with where it is named after what it refers to."""
    target = reference.target
    return target.names.get(reference.to_column) or words.identifier(reference.to_column) or "id"


def _taken(found: Found) -> set[str]:
    return {*found.names.values(), *(word for key in found.references for word in (key.stem, key.attribute) if word)}


def _classes_in(found: Found) -> set[str]:
    """The classes that the body of this one names: a field of such a name would hide its class from the next key."""
    return {key.target.class_name for key in found.references}


def _reference(found: Found, column: str) -> Reference | None:
    return next((each for each in found.references if each.column == column), None)


# The class


def rules_of(reference: Reference, of_link: bool) -> list[str]:
    """ON DELETE and ON UPDATE as options, where they are not what a declaration has by default."""
    said = {"on_delete": reference.on_delete, "on_update": reference.on_update}
    kind = 2 if of_link else 0 if reference.null else 1
    # SET NULL on a key that may not be NULL refuses, as NO ACTION does, and no declaration takes it.
    rules = {option: "NO ACTION" if rule == "SET NULL" and not reference.null else rule for option, rule in said.items()}
    return [f"{option}={literal(rule)}" for option, rule in rules.items() if rule != DEFAULTS[option][kind]]


def body_of(found: Found, defined: Collection[Found]) -> list[tuple[list[str], Node]]:
    """The fields of the class in the order of the columns, each with remarks before it. `defined` are the classes before it."""
    lines: list[tuple[list[str], Node]] = []
    primary_key = found.table.primary_key
    for column in found.table.columns.values():
        reference = _reference(found, column.name)
        if reference is not None and not reference.in_body:
            continue
        if column.generated:
            found.notes.append(f"{column.name} is generated by the database, and is no field: save() would write it.")
            continue
        if reference is not None and _is_there(reference, defined):
            lines.append(([], _key_of(reference, primary_key)))
            continue
        if reference is not None:
            reference.is_plain = True
        lines.append(_plain(found, column, reference.stem if reference else found.names[column.name]))
    return lines


def _is_there(reference: Reference, defined: Collection[Found]) -> bool:
    """Whether what the key refers to is there when its class is made, and not only declared afterwards."""
    target = reference.target
    referred = _reference(target, reference.to_column)
    if target is reference.holder:
        return reference.to_primary_key and referred is None
    return target in defined and (referred is None or (referred.in_body and not referred.is_plain))


def _plain(found: Found, column: ddl.Column, name: str) -> tuple[list[str], Node]:
    primary_key = found.table.primary_key
    remarks = found.remarks
    told = found.told[column.name]
    written = field_of(name, column, told, found.dialect, remarks.choices.get((found.name, column.name), ()))
    options = dict(written.options)
    found.kinds += [written.kind, *([told.extra["field_class"]] if "field_class" in options else [])]
    if primary_key == (column.name,):
        if not written.counted:
            options["primary_key"] = "True"
    elif column.null and column.name not in primary_key:
        options["null"] = "True"
    if primary_key != (column.name,):
        _index(found, written, options)
    comment = remarks.columns.get((found.name, column.name), "")
    before = [written.remark] if written.remark else []
    if comment and len(comment) < 100:
        options["help_text"] = literal(comment)
    elif comment:
        before.append(comment)
    arguments = sorted(options, key=lambda option: ORDER.index(option) if option in ORDER else len(ORDER))
    return before, Node(f"{name} = {written.kind.__name__}(", [_option(option, options[option]) for option in arguments])


def _option(name: str, value: str | Node) -> str | Node:
    if isinstance(value, Node):
        return Node(f"{name}={value.head}", value.items, value.tail, value.pair)
    return f"{name}={value}"


def _index(found: Found, written: Written, options: dict[str, str | Node]) -> None:
    alone = [index for index in found.table.indexes if index.columns == (written.column,) and not index.partial]
    if any(index.unique for index in alone):
        options["unique"] = "True"
    elif written.indexed:  # PostgreSQL's own types are, by playhouse's default, with an index of a kind that is not told
        options["index"] = "False"
        found.notes += [f"The index {index.name!r} is of a kind of its own, and is not here." for index in alone]
    elif alone:
        options["index"] = "True"


def _key_of(reference: Reference, primary_key: Sequence[str]) -> Node:
    """A key as a field of the class: where it is part of the primary key, or could not be named by a declaration."""
    target = "self" if reference.target is reference.holder else reference.target.class_name
    options: list[str | Node] = [literal(target) if target == "self" else target, f"column_name={literal(reference.column)}"]
    if not reference.to_primary_key:
        options.append(f"field={literal(reference.target.key_name(reference.to_column))}")
    by_default = reference.column if reference.column != reference.stem else f"{reference.column}_id"
    if reference.attribute != by_default:
        options.append(f"object_id_name={literal(reference.attribute)}")
    options.append('backref="+"')
    if tuple(primary_key) == (reference.column,):
        options.append("primary_key=True")
    elif reference.null:
        options.append("null=True")
    if reference.unique and tuple(primary_key) != (reference.column,):
        options.append("unique=True")
    junction = reference.holder.junction
    of_link = junction is not None and any(reference is key for key in (junction.near, junction.far))
    # What a declaration has by default is not what the key of a class has: that of a link says both.
    rules = dict.fromkeys(rule for kind in sorted({False, of_link}) for rule in rules_of(reference, kind))
    return Node(f"{reference.stem} = ForeignKeyField(", [*options, *rules])


def meta_of(found: Found) -> list[Node | str]:
    """The lines of class Meta."""
    lines: list[Node | str] = []
    if found.name != naming.snake(found.class_name):
        lines.append(f"table_name = {literal(found.name)}")
    primary_key = found.table.primary_key
    of_link = found.junction is not None and found.junction.is_key
    if not primary_key:
        lines.append("primary_key = False")
    elif len(primary_key) > 1 and not of_link:
        lines.append(Node("primary_key = CompositeKey(", [literal(_field(found, column)) for column in primary_key]))
    indexes: list[Node | str] = []
    for columns, unique in _indexes(found):
        names = Node("(", [literal(_field(found, column)) for column in columns])
        indexes.append(Node("(", [names, str(unique)]))
    if indexes:
        lines.append(Node("indexes = (", indexes, pair=True))
    return lines


def _field(found: Found, column: str) -> str:
    reference = _reference(found, column)
    return reference.stem if reference else found.names[column]


def _indexes(found: Found) -> list[tuple[tuple[str, ...], bool]]:
    """The indexes of several columns, and those of one that are not the field's to say; notes of those that no model can have."""
    pair = {found.junction.near.column, found.junction.far.column} if found.junction else set()
    kept: dict[tuple[str, ...], bool] = {}
    generated = {column.name for column in found.table.columns.values() if column.generated}
    for index in sorted(found.table.indexes, key=lambda index: index.name):
        columns = tuple(column or "" for column in index.columns)
        if index.partial or "" in columns or set(columns) & generated:
            what = "an expression" if "" in columns else "some of the rows, or a part of them" if index.partial else "a generated column"
            found.notes.append(f"The index {index.name!r} is on {what}, and is not here.")
        elif len(columns) > 1 and columns != tuple(found.table.primary_key) and not (index.unique and set(columns) == pair):
            kept[columns] = kept.get(columns, False) or index.unique
    return sorted(kept.items())
