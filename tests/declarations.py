"""For tests of what a declaration does to models, and that one which raises does nothing to them.

Map: `Scratch` makes models on a database that is never opened; `state` is everything that a declaration might change.
"""

from __future__ import annotations

import gc
import sys
from typing import Any

import peewee

import activeassoc
from activeassoc import registry


class Scratch:
    """``Task, User = scratch("Task", "User")``: new models, each with the text column `title`; ``scratch.Base`` is their base."""

    def __init__(self, module: str) -> None:
        self.module = module
        self.db = peewee.SqliteDatabase(None)
        self.Base = self.base()

    def base(self, **meta: Any) -> Any:
        """A base class for models on the database, or on the one that `meta` names."""
        body = {"Meta": type("Meta", (), {"database": self.db, **meta}), "__module__": self.module}
        return type(activeassoc.Model)("Base", (activeassoc.Model,), body)

    def model(self, name: str, base: Any = None, /, **body: Any) -> Any:
        """One model, with these attributes in its class body."""
        base = base or self.Base
        return type(base)(name, (base,), {"__module__": self.module, "__qualname__": name, **body})

    def __call__(self, *names: str) -> Any:
        made = [self.model(name, title=peewee.CharField(null=True)) for name in names]
        return made[0] if len(made) == 1 else made


def state(module: str) -> dict[str, Any]:
    """Everything that a declaration might change: of every known model, of what waits, and of the module that the models stand in."""
    gc.collect()  # models of other tests do not go in between
    models = {f"{model.__qualname__} {id(model)}": _model(model) for model in registry._every_model()}
    return {"models": models, "waiting": sorted(map(repr, registry._alive())), "module": sorted(vars(sys.modules[module]))}


def _model(model: Any) -> dict[str, Any]:
    meta = model._meta
    return {
        "attributes": {name: id(value) for name, value in vars(model).items()},
        "fields": [_field(field) for field in meta.sorted_fields],
        "names": [sorted(meta.fields), sorted(meta.columns), sorted(meta.combined), sorted(meta.defaults)],
        "refs": sorted(field.name for field in meta.refs),
        "backrefs": sorted(f"{field.model.__name__}.{field.name}" for field in meta.backrefs),
        "primary key": (meta.composite_key, getattr(meta.primary_key, "field_names", None) or getattr(meta.primary_key, "name", None)),
        "indexes": [id(index) for index in meta.indexes],
        "table": (meta.table_name, meta.schema, id(meta.database)),
        "associations": {name: _association(each) for name, each in getattr(model, "associations", {}).items()},
        "keys": {column: _key(key) for column, key in registry.keys_of(model).items()},
        "templates": len(vars(meta).get("association_templates", ())),
        "taken": dict(vars(meta).get("association_keys_taken", {})),
    }


def _field(field: Any) -> dict[str, Any]:
    words = "name column_name null unique index on_delete on_update constraint object_id_name backref deferred default"
    return {"is": id(field), "kind": type(field), **{word: getattr(field, word, None) for word in words.split()}}


def _association(association: Any) -> tuple[Any, ...]:
    return id(association), type(association), repr(association), association.bound, dict(association.options)


def _key(key: Any) -> tuple[Any, ...]:
    claims = [(claim.text, id(claim.association), dict(claim.options)) for claim in key.claims]
    return id(key), key.column, id(key.field), id(key.target), claims, key.by_hand, key.of_link, key.added
