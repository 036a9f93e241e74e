"""A collection of a class body before both models exist: what its via names tells whether it is one-to-many or many-to-many.

Map: `Undecided` stands in until then. Each of its operations takes the target first, by which it becomes the real kind, and
goes on as that.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from activeassoc.associations.base import _verbs, verbs_of
from activeassoc.associations.many_to_many import ManyToMany
from activeassoc.associations.to_many import ToMany
from activeassoc.registry import Key
from activeassoc.twins import Twin


class Undecided(ToMany):
    """``collection("Pet", via="owner")`` while there is no Pet: it has the methods of every to-many."""

    kind = "collection"

    @property
    def keys(self) -> tuple[Key, ...]:
        return ()


def _decided(name: str) -> Callable[..., Any]:
    """The operation `name`, of the kind that the association is found to be."""

    @functools.wraps(getattr(ManyToMany, name))
    def operation(self: Any, /, *arguments: Any, **options: Any) -> Any:
        self.target  # noqa: B018  (now its class is another one)
        return getattr(self, name)(*arguments, **options)

    return operation


for _name in (*verbs_of(ManyToMany), "query", "reach", "any"):
    setattr(Undecided, _name, _decided(_name))
_verbs.pop(Undecided, None)  # it was looked through before it had these
Undecided.operations = ManyToMany.operations
for _name in (*verbs_of(Undecided), "reach"):
    setattr(Undecided, f"a{_name}", Twin(_name))
