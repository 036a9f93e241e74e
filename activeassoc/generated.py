"""Functions whose text is written by the program, once for each shape of the work: a loop that has nothing to decide any more.

Their text can be read like any other: ``inspect.getsource`` shows it, and so do tracebacks, for as long as the function lives.

Map: `function` makes one of its lines; `variables` names the values of fields.
"""

from __future__ import annotations

import itertools
import linecache
import weakref
from collections.abc import Iterable, Sequence
from typing import Any

from peewee import Field

_numbers = itertools.count(1)


def function(name: str, what: str, lines: Iterable[str], names: dict[str, Any]) -> Any:
    """The function `name` that these lines define; `names` is what they use. `what` is said where the file's name would stand."""
    text = "\n".join(lines) + "\n"
    filename = f"<activeassoc {what} {next(_numbers)}>"
    exec(compile(text, filename, "exec"), names)
    made = names[name]
    made.__module__ = __name__
    linecache.cache[filename] = (len(text), None, text.splitlines(True), filename)
    weakref.finalize(made, linecache.cache.pop, filename, None).atexit = False
    return made


def variables(fields: Sequence[Field]) -> list[str]:
    """A variable for each field's value: its name with an underscore behind, so that it is none of the function's own."""
    found: list[str] = []
    for number, field in enumerate(fields):
        name = f"{field.name}_"
        found.append(name if name.isidentifier() and name not in found else f"column_{number}_")
    return found
