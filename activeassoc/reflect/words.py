"""The names that the code gives to classes and fields: a person's names for what stands in the database, whatever stands there.

Map: `class_names` names the tables, `field_name` a column, `identifier` makes a word out of anything.
"""

from __future__ import annotations

import builtins
import keyword
import unicodedata
from collections.abc import Collection, Iterable

from activeassoc import naming
from activeassoc.model import Model

#: Plurals that nobody writes in the singular as a class.
PLURAL = ("data", "media", "criteria")


def identifier(text: str) -> str:
    """The text in snake_case with everything that no name may hold taken out; "" where nothing is left."""
    text = unicodedata.normalize("NFKC", text)
    words = "".join(letter if f"_{letter}".isidentifier() else "_" for letter in text).split("_")
    name = naming.snake("_".join(word for word in words if word))
    name = "_".join(part for part in name.split("_") if part)
    return name if not name or name.isidentifier() else f"_{name}"


def reserved(word: str) -> bool:
    """Whether it is a name of Model's own, or of every model's."""
    return hasattr(Model, word) or word == "DoesNotExist"


def free(word: str) -> bool:
    """Whether a field or an association may have this name: it is no keyword, nothing of Model's own, and no 1 either."""
    return word != "l" and word.isidentifier() and not keyword.iskeyword(word) and not reserved(word) and "__" not in word


def field_name(column: str, position: int, taken: Collection[str]) -> str:
    """A name for the field of a column: its own in snake_case, with an underscore behind it where that is taken, then a number."""
    word = identifier(column) or f"column_{position}"
    for name in (word, f"{word}_"):
        if free(name) and name not in taken:
            return name
    number = 2
    while f"{word}_{number}" in taken or not free(f"{word}_{number}"):
        number += 1
    return f"{word}_{number}"


def class_names(tables: Iterable[str], as_they_are: Collection[str]) -> dict[str, str]:
    """The class of each table: the singular in CamelCase. `as_they_are` are join tables, named after two plurals."""
    names: dict[str, str] = {}
    for table in tables:
        word = identifier(table) or "table"
        last = word.rpartition("_")[2]
        whole = naming.camel(word)
        single = whole if table in as_they_are or last in PLURAL else naming.camel(naming.singular(word))
        for name in (single, whole, f"{single}Record", f"{whole}Record", *(f"{single}{number}" for number in range(2, 10_000))):
            if _may_be_class(name) and name not in names.values():
                names[table] = name
                break
    return names


def _may_be_class(name: str) -> bool:
    """Whether the code may define a class of this name, without hiding what it imports or every program has, and be read."""
    reserved = name in ("Base", "Model", "SQL", "CompositeKey", "Decimal", "I", "O") or name.endswith("Field")
    hidden = keyword.iskeyword(name) or hasattr(builtins, name)
    return name.isidentifier() and not reserved and not hidden and not keyword.iskeyword(naming.snake(name))
