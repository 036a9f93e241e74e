"""The module that is written for a database, from its parts: imports, classes, declarations.

Map: `written_for` reads a database and decides everything; `Written` is the result, which gives the code or the models.
"""

from __future__ import annotations

import ast
import itertools
from collections.abc import Collection, Iterable, Sequence
from typing import Any

from activeassoc import registry
from activeassoc.reflect.connecting import Connection
from activeassoc.reflect.declarations import Declaration, declarations_of, settled
from activeassoc.reflect.layout import WIDTH, laid_out, literal, remark
from activeassoc.reflect.shape import body_of, meta_of, shape
from activeassoc.reflect.tables import Found, Junction, read

#: What the code uses beside the classes of its fields, and the modules that have it.
OF_PEEWEE = {"SQL": "peewee", "CompositeKey": "peewee", "ForeignKeyField": "peewee", "Decimal": "decimal"}

_numbers = itertools.count(1)


class Written:
    """The code in its parts: imports, classes, declarations."""

    def __init__(self, found: list[Found], schema: str | None) -> None:
        self.found, self.schema = found, schema
        self.classes = [line for number, each in enumerate(found) for line in _class(each, found[:number])]
        self.declarations: list[Declaration] = []

    def imports(self) -> tuple[list[str], list[str]]:
        """The imports of the standard library, and those of packages."""
        names: dict[str, set[str]] = {"activeassoc": {"Model", "connect"}}
        modules = {**OF_PEEWEE, **{kind.__name__: kind.__module__ for each in self.found for kind in each.kinds}}
        used = {node.id for node in ast.walk(ast.parse("\n".join(self.classes))) if isinstance(node, ast.Name)}
        for word in used & set(modules):
            names.setdefault(modules[word], set()).add(word)
        standard = ["from decimal import Decimal"] if "decimal" in names else []
        return standard, [line for module in sorted(names) if module != "decimal" for line in _import(module, names[module])]

    def base(self) -> list[str]:
        schema = [f"        schema = {literal(self.schema)}"] if self.schema else []
        return ["class Base(Model):", "    class Meta:", "        database = db", *schema]

    def run(self, database: Any, declared: bool = True) -> dict[str, Any]:
        """The models that the code defines, on this database."""
        standard, packages = self.imports()
        calls = [str(each.code) for each in self.declarations if declared and not each.failed]
        namespace: dict[str, Any] = {"db": database, "__name__": f"reflected_{next(_numbers)}"}
        exec("\n".join([*standard, *packages, *self.base(), *self.classes, *calls]), namespace)
        return {name: namespace[name] for name in ("Base", *(each.class_name for each in self.found))}

    def module(self, connection: Connection) -> str:
        """The whole code."""
        standard, packages = self.imports()
        lines = [f'"""Models of {connection.shown}."""', ""]
        lines += [line for line in ([*(["import os"] if connection.variable else []), *standard]) if line]
        lines += [""] if connection.variable or standard else []
        lines += [*packages, "", *(line for each in connection.lines for line in laid_out(each)), "", "", *self.base(), *self.classes]
        told: set[str] = set()
        for number, each in enumerate(self.declarations):
            lines += ["", ""] if number == 0 else [""] if each.begins else []
            if not each.failed:
                lines += laid_out(each.code)
            elif each.place not in told:
                lines += remark(f"There is no association for {each.place}: {each.failed}.")
                told.add(each.place)
        return "\n".join(lines) + "\n"


def written_for(database: Any, tables: Sequence[str] | None, schema: str | None, asked: str) -> Written:
    """The code for the tables of a database, with its declarations tried and named."""
    found = read(database, tables, schema, asked)
    notes = [list(each.notes) for each in found]
    ordinary: set[str] = set()
    early: set[str] = set()
    while True:
        for each, before in zip(found, notes, strict=True):
            each.notes, each.kinds = list(before), []
        shape(found, ordinary)
        written = Written(found, schema)
        unlike = {each.name for each in found if each.junction and (each.junction.near.is_plain or each.junction.far.is_plain)}
        if not unlike:
            written.declarations = declarations_of(found, early)
            unlike, late = _tried(written, database)
            if not unlike and late <= early:
                return written
            early |= late
        # A table of links that cannot be one is a table like any other; a belongs_to that comes too late has to come first.
        ordinary |= unlike


def _tried(written: Written, database: Any) -> tuple[set[str], set[str]]:
    """Try the declarations on models of the same code: the tables that can be no links, and the keys whose belongs_to comes too late."""
    models = written.run(database, declared=False)
    try:
        failed = settled(written.declarations, models)
    finally:
        for model in models.values():
            registry.disappeared(model)
    links = {each.place for each in failed if isinstance(each.concerns, Junction)}
    return links, {each.place for each in written.declarations if each.came_late}


# The classes


def _class(found: Found, before: Collection[Found]) -> list[str]:
    fields = [line for remarks, field in body_of(found, before) for line in [*_remarks(remarks, 4), *laid_out(field, 4)]]
    meta = [line for each in meta_of(found) for line in laid_out(each, 8)]
    notes = _remarks(dict.fromkeys(found.notes), 4)
    parts = [fields, ["    class Meta:", *meta] if meta else [], notes]
    lines = [line for part in parts if part for line in ["", *part]][1:]
    if not fields and not meta:
        lines += [*([""] if notes else []), "    pass"]
    return ["", "", *_remarks([found.remarks.tables.get(found.name, "")], 0), f"class {found.class_name}(Base):", *lines]


def _remarks(texts: Iterable[str], indent: int) -> list[str]:
    return [line for text in texts if text for line in remark(text, indent)]


def _import(module: str, names: Collection[str]) -> list[str]:
    """The line of an import, sorted as isort does: constants, classes, functions."""
    ordered = sorted(names, key=lambda name: (not name.isupper(), not name[0].isupper(), name))
    line = f"from {module} import {', '.join(ordered)}"
    if len(line) <= WIDTH:
        return [line]
    return [f"from {module} import (", *(f"    {name}," for name in ordered), ")"]
