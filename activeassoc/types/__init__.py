"""Types for checkers: the kinds of associations with their verbs, and a module of types for the models of yours.

``Project.has_many(Task)`` is a ``HasMany[Project, Task]``, and ``tasks: HasMany[Project, Task]`` in a class body types ``project.tasks``.
The methods (``project.get_tasks()``) are typed by a module that `write` makes for a module of models: one mixin for each.

Map: `types_of` is the text of that module, `write` writes it, `check` tells what is stale, `companions` lets models be imported before it
is there; they stand in `mixins` and `files`. `signatures` types the verbs, `fields` the columns; `words`, `options`, and for checkers alone
`faces` and `kinds`, are what signatures consist of.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from activeassoc.collection import Collection
from activeassoc.types.files import check, companions, path_of, write
from activeassoc.types.mixins import types_of
from activeassoc.types.words import Columns, Key, Links, NoAttributes, Order, Paths, Where

if TYPE_CHECKING:
    from activeassoc.types.faces import KeyField, KeyListField, Link, Query
    from activeassoc.types.kinds import BelongsTo, HasMany, HasOne, ManyToMany, ReferencesMany
else:
    from activeassoc.associations.belongs_to import BelongsTo
    from activeassoc.associations.has_many import HasMany
    from activeassoc.associations.has_one import HasOne
    from activeassoc.associations.many_to_many import ManyToMany
    from activeassoc.associations.reading import LinkAccessor as Link
    from activeassoc.associations.references_many import ReferencesMany
    from activeassoc.key_lists import KeyListField
    from activeassoc.keys import KeyField
    from activeassoc.queries import Select as Query

__all__ = [
    "BelongsTo",
    "Collection",
    "Columns",
    "HasMany",
    "HasOne",
    "Key",
    "KeyField",
    "KeyListField",
    "Link",
    "Links",
    "ManyToMany",
    "NoAttributes",
    "Order",
    "Paths",
    "Query",
    "ReferencesMany",
    "Where",
    "check",
    "companions",
    "path_of",
    "types_of",
    "write",
]
