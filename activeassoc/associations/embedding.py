"""Embedding: whether the links of a many-to-many stand in the documents of both sides, and under which names.

An association says ``embed=``, or `settings.embed_associations` says it for those that do not. Said outright it is held, or refused where
it cannot be; as a default it holds where the store has documents, and elsewhere the links have a table.

Map: `check_store` and `check` refuse what cannot be, `agree` two sides that say different things; `take` notes what an association
came to; `Embedded` is what a through model knows of it: it gives the store the `Arrays`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from activeassoc import naming
from activeassoc.associations.dominance import in_two_databases
from activeassoc.errors import DeclarationError, listed
from activeassoc.kept import Kept, changed
from activeassoc.lazy import settings
from activeassoc.planning import Plan
from activeassoc.registry import Key, Model, keys_of, known_models
from activeassoc.stores.embedded import Arrays, Side
from activeassoc.stores.sql import same_database, store_of

TABLE = "Leave embed out: the links have a table"


def wanted(association: Any) -> bool:
    """Whether the association is to have its links in documents: as it says itself, else as the settings say."""
    said = association.options.get("embed")
    return bool(settings.embed_associations if said is None else said)


# What cannot be


def check_store(text: str, embed: Any, *models: Model) -> None:
    """Raise where an association says embed=True and its store has no documents, as far as its models have one by now (L2)."""
    for model in models if embed else ():
        database = model._meta.get_database_instance()
        if database is None or database.deferred or store_of(database).arrays:
            continue
        if store_of(database).sql:
            raise DeclarationError(text, "embed=True keeps links in documents, and a SQL database has none", TABLE)
        where = getattr(database, "address", "") or database.database
        raise DeclarationError(text, f"embed=True keeps links in arrays within documents, and {where} has none", TABLE)


def check(plan: Plan, association: Any, target: Model, near: Key, far: Key) -> None:
    """Raise where the links cannot stand in documents although the association says so, or the other side says otherwise (L2)."""
    link, source = near.model, association.source
    for other in associations_of(link):
        agree(plan, association, other)
    if not association.options.get("embed"):
        return
    check_store(plan.asked, True, source, target, link)
    for model in (target, link):
        if in_two_databases(source, model):
            raise DeclarationError(
                plan.asked,
                f"embed=True keeps links in the documents of both sides, and {source.__name__} and {model.__name__} are in two databases",
                "Leave embed out: the links are kept in one of the two",
            )
    because = "it lets a pair be linked more than once" if association.options.get("unique") is False else ""
    because = because or _unfit(link, {near.column, far.column}, _elements(source, target), _pair_becomes_key(link, near, far))
    if because:
        because = f"embed=True keeps links in documents, where each is known by its two ends, and {because}"
        raise DeclarationError(plan.asked, because, "Leave that out, or leave embed out")
    if association.name in source._meta.columns:
        because = f"the documents of {source.__name__} would have the links where its column {association.name!r} is"
        raise DeclarationError(plan.asked, because, f'Give as_= another name, as in as_="other_{association.name}"')


def agree(plan: Plan, association: Any, other: Any) -> None:
    """Raise where two sides of the same links want them in different storages."""
    mine = wanted(association)
    if other is association or other.embedded == mine:
        return
    says, there = (_said(each, embeds) for each, embeds in ((association, mine), (other, other.embedded)))
    raise DeclarationError(
        plan.asked,
        f"it says {says}, and {other.declared}, which has the same links, says {there}",
        "Write embed=True on both sides, or on neither",
    )


def _said(association: Any, embeds: bool) -> str:
    said = association.options.get("embed")
    return f"embed={embeds}" if said is not None else f"nothing, which means embed={embeds}"


def _pair_becomes_key(link: Model, near: Key, far: Key) -> bool:
    """Whether the two keys are to be the primary key of the link, as `through.plan_pair` does it."""
    nullable = any(said.get("null") for key in (near, far) for _, said in key.options())
    return bool(getattr(link._meta, "implicit_key", False)) and not link._meta.backrefs and not nullable


def _unfit(link: Model, columns: set[str], elements: tuple[str, str], keyed: bool = False) -> str:
    """Why the records of this model cannot be elements of arrays; "" where they can."""
    meta: Any = link._meta
    own = [field.column_name for field in meta.get_primary_keys()]
    if set(own) != columns and not keyed:
        return f"{link.__name__} has the primary key {listed(own)}"
    if getattr(meta, "repeats", False):
        return "it lets a pair be linked more than once"
    for index in meta.fields_to_index():
        names = [str(getattr(part, "column_name", part)) for part in getattr(index, "_expressions", ())]
        if getattr(index, "_unique", True) and set(names) != columns:
            return f"{link.__name__} has a unique index on {listed(names)}, which arrays cannot hold"
    taken = [name for name in elements if name in meta.columns and name not in columns]
    return f"its attribute {taken[0]!r} would stand where the key is" if taken else ""


# What it came to


def take(association: Any) -> None:
    """Note where the links of an association stand, now that it has them."""
    association.embedded = wanted(association)
    link = association.ends.near.model
    if getattr(link._meta, "embedded", None) is None:
        link._meta.embedded = Embedded(link)
    changed()


def embedded(link: Model) -> bool:
    """Whether the links of this through model stand in the documents of both sides."""
    known = getattr(link._meta, "embedded", None)
    return known is not None and known.arrays() is not None


class Embedded:
    """What a through model knows of its links: in which arrays they stand, if in any."""

    def __init__(self, link: Model) -> None:
        self.link = link
        self._kept = Kept(link)
        #: What holds while links are moved, whatever the associations say.
        self._standing: bool | None = None

    @contextlib.contextmanager
    def standing(self, embedded: bool) -> Iterator[None]:
        """A block in which the links stand in documents, or have a table, whatever is declared."""
        self._standing = embedded
        changed()
        try:
            yield
        finally:
            self._standing = None
            changed()

    def arrays(self) -> Arrays | None:
        """The two arrays; None where the links have a table. Raises DeclarationError where two links would have one array."""
        if self._standing is not None:
            return self.would_be() if self._standing else None
        found = self._kept.of("arrays", lambda: _arrays(self.link, outright=True))
        if found is not None:
            self._kept.of("alone", lambda: _check_alone(found))
        return found  # type: ignore[no-any-return]

    def check_store(self) -> None:
        """Raise where an association says embed=True, and got a database without documents after its declaration."""
        for each in associations_of(self.link):
            check_store(each.declared, each.options.get("embed"), each.source, each.target, self.link)

    def would_be(self) -> Arrays | None:
        """The two arrays, whether the links are in them now or in a table; None where they could not be."""
        return self._kept.of("would be", lambda: _arrays(self.link, whatever=True))  # type: ignore[no-any-return]


def associations_of(link: Model) -> list[Any]:
    """The associations whose links are records of this model, in the order of their declaration."""
    found = {
        id(claim.association): claim.association
        for key in keys_of(link).values()
        for claim in key.claims
        if getattr(claim.association, "ends", None) is not None and claim.association.ends.near.model is link
    }
    return list(found.values())


def _arrays(link: Model, whatever: bool = False, outright: bool = False) -> Arrays | None:
    """The two arrays, `whatever` the associations say; with `outright` a field in the way of embed=True raises DeclarationError."""
    associations = associations_of(link)
    if not associations or not (whatever or any(each.embedded for each in associations)):
        return None
    first = associations[0]
    source, target = first.source, first.target
    database = link._meta.get_database_instance()
    if database is None or database.deferred or not store_of(database).arrays:
        return None
    if not (same_database(link, source) and same_database(link, target)):
        return None
    near, far = first.ends.near, first.ends.far
    referred = [key.referred for key in first.ends.keys]
    if _unfit(link, {near.column_name, far.column_name}, _elements(source, target)):
        return None
    symmetric = bool(first.options.get("symmetric"))
    sides = [
        Side(source, _array(associations, near, first), _names(target).one, near, far, referred[0]),
        Side(target, _array(associations, far, first), _names(source).one, far, near, referred[1]),
    ]
    for side in sides:
        if side.array in side.holder._meta.columns:
            if outright:
                _refuse_column(associations, side)
            return None
    meant = [_another(associations, side) for side in sides]
    if any(meant):
        if not whatever and any(each.options.get("embed") for each in associations):
            raise _taken(associations, *next((side, other) for side, other in zip(sides, meant, strict=True) if other))
        return None
    truth, mirror = sides if symmetric else sorted(sides, key=lambda side: side.order)
    return Arrays(link, truth, mirror, symmetric)


def _refuse_column(associations: list[Any], side: Side) -> None:
    """Raise where embed=True was said outright, and the documents of one side have something else under the array's name."""
    said = [each for each in associations if each.options.get("embed")]
    if said:
        raise DeclarationError(
            listed([each.declared for each in said]),
            f"the links would stand in the field {side.array!r} of the documents of {side.holder.__name__}, which is a column of it",
            f"Declare the association of {side.holder.__name__} as well, with as_=, or give the column another column_name",
        )


def _elements(source: Model, target: Model) -> tuple[str, str]:
    return _names(target).one, _names(source).one


def _names(model: Model) -> naming.Names:
    meta: Any = model._meta
    return naming.names_of(model.__name__, getattr(meta, "singular", None), getattr(meta, "plural", None))


def _array(associations: list[Any], near: Any, first: Any) -> str:
    """The field of the documents that `near` refers to: named like the association there, or as it would be called."""
    mine = [each for each in associations if each.ends.near is near]
    plain = [each for each in mine if each.where is None] or mine
    if plain:
        return str(plain[0].name)
    if first.options.get("symmetric"):
        return str(first.name)
    return f"{first.name}_of" if first.source is first.target else _names(first.source).many


def _another(associations: list[Any], side: Side) -> Any:
    """The association of other records whose name the array has, where none of these links is declared on this side."""
    there = getattr(side.holder, "associations", {}).get(side.array)
    return None if there is None or any(there is each for each in associations) else there


def _taken(associations: list[Any], side: Side, *others: Any) -> DeclarationError:
    name = side.holder.__name__
    return DeclarationError(
        listed([each.declared for each in (*associations, *others)]),
        f"the links of both would stand in the field {side.array!r} of the documents of {name}",
        f"Declare the association of {name} as well for one of the two, with as_=",
    )


def _check_alone(arrays: Arrays) -> bool:
    """Raise where other links stand in an array of the same name."""
    mine = {side.order: side for side in arrays.sides}
    for other in _embedded_links():
        if other is arrays.link or not same_database(other, arrays.link):
            continue
        theirs = _arrays(other)
        for side in theirs.sides if theirs is not None else ():
            if side.order in mine:
                raise _taken(associations_of(arrays.link), side, *associations_of(other))
    return True


def _embedded_links() -> Iterator[Model]:
    for model in known_models():
        if getattr(model._meta, "embedded", None) is not None:
            yield model
