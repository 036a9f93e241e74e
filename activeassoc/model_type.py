"""How the class of a model is made, and what is known of it: peewee's metaclass and metadata, which tell of every change.

Map: `Metadata` is ``Model._meta``; `ModelType` notices every new class.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

import peewee

from activeassoc import body, kept, registry
from activeassoc.associations.base import Association
from activeassoc.declare import declare_inherited
from activeassoc.keys import has_constraint


class Metadata(peewee.Metadata):
    """peewee's metadata, with options of the class alone (not inherited): `abstract`, `singular`, `plural`.

    It tells of every change of the model, so that nothing is kept that followed from what it was before.
    """

    tells = True

    def __init__(
        self,
        model: type[peewee.Model],
        *arguments: Any,
        abstract: bool = False,
        singular: str | None = None,
        plural: str | None = None,
        **options: Any,
    ) -> None:
        super().__init__(model, *arguments, **options)
        self.abstract = abstract
        self.singular = singular
        self.plural = plural
        #: peewee made the primary key; nobody declared it. Only the metaclass can tell.
        self.implicit_key = False

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "database" and "database" in self.__dict__:
            if value is not self.database:
                with kept.rebinding(self, self.database, value):
                    super().__setattr__(name, value)
            return
        super().__setattr__(name, value)
        if name == "database":
            kept.watch(value)
        if name != "_table":  # which peewee makes when it is first asked for, from the rest
            kept.changed()

    @property
    def depends_on(self) -> list[Any] | None:
        """What peewee orders tables by beside constraints: what the Meta says, and the models that keys without a constraint refer to.

        A generated migration makes a class for each table, and a key names the class that it refers to. A model that refers back, in
        whichever way, is left out: its constraints need this one first.
        """
        loose = [key.rel_model for key in self.refs if not has_constraint(key) and not _leads(key.rel_model, self.model)]
        return [*(self._depends_on or ()), *loose] or self._depends_on

    @depends_on.setter
    def depends_on(self, models: list[Any] | None) -> None:
        self._depends_on = models

    def add_field(self, field_name: str, field: Any, set_attribute: bool = True) -> None:
        try:
            super().add_field(field_name, field, set_attribute)
        finally:
            kept.changed()

    def remove_field(self, field_name: str) -> None:
        try:
            super().remove_field(field_name)
        finally:
            kept.changed()



def _leads(start: Any, end: Any) -> bool:
    """Whether keys, or what a Meta says, lead from one model to the other."""
    found, ahead = {start}, [start]
    while ahead:
        meta = ahead.pop()._meta
        said = getattr(meta, "_depends_on", None) or ()
        new = {*meta.refs.values(), *said} - found
        found |= new
        ahead.extend(new)
    return end in found


class ModelType(peewee.ModelBase):
    """Notices every model that is defined."""

    def __new__(mcls, name: str, bases: tuple[type, ...], attributes: dict[str, Any], **options: Any) -> Any:
        declared = _declares_key(bases, attributes)
        in_body, inherited = body.take(name, bases, attributes)
        make: Any = super().__new__
        cls: Any = make(mcls, name, bases, attributes, **options)
        cls._associations = {}
        cls.associations = MappingProxyType(cls._associations)  # for reading: what is declared has keys and methods, too
        cls._meta.implicit_key = not declared
        if name != "Model" or not cls.__module__.startswith("activeassoc."):
            body.declare_body(cls, in_body, inherited)
            registry.appeared(cls)
            declare_inherited(cls)
        kept.changed()
        return cls

    def __setattr__(cls, name: str, value: Any) -> None:
        if name == "__rel__" and value is None:
            return  # peewee's metaclass says so of every class, and would hide what Model has
        # A peewee backref of an association's name gives way to it, whichever came first (A18).
        if isinstance(value, peewee.BackrefAccessor) and isinstance(cls.__dict__.get(name), Association):
            return
        super().__setattr__(name, value)
        kept.changed()

    def __delattr__(cls, name: str) -> None:
        super().__delattr__(name)
        kept.changed()


def _declares_key(bases: tuple[type, ...], attributes: dict[str, Any]) -> bool:
    """Whether the class or a base of it says what its primary key is."""
    meta = attributes.get("Meta")
    if getattr(meta, "primary_key", None) is not None:
        return True
    if any(isinstance(value, peewee.Field) and value.primary_key for value in attributes.values()):
        return True
    for base in bases:
        parent = getattr(base, "_meta", None)
        if parent is not None and base is not peewee.Model:
            return not getattr(parent, "implicit_key", False)
    return False
