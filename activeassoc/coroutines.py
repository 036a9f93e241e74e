"""What `Model` has for asyncio databases: ``await User.acreate(name="Ann")``, ``await user.asave()``.

Map: `Coroutines` is what Model gains, `OF_MODEL` the list of the twins in it. Accessors have theirs where they are published (`declare`).
"""

from __future__ import annotations

from typing import Any

from activeassoc import lazy
from activeassoc.collection import Collection
from activeassoc.errors import UnknownName, nearest
from activeassoc.keys import find_field
from activeassoc.stores.bridge import run
from activeassoc.twins import Twin

#: The methods of Model that ask a database and give no query: each has a twin.
OF_MODEL = (
    *("create", "get_or_create", "bulk_create", "bulk_update", "get", "get_or_none", "get_by_id", "set_by_id", "delete_by_id"),
    *("find_one", "add_to_collection", "remove_from_collection", "replace_collection"),
    *("save", "delete_instance", "reload"),
)


class Coroutines:
    """The part of `Model` for asyncio databases."""

    async def afetch(self: Any, name: Any) -> Any:
        """What ``record.<name>`` is, loaded where it is not: the record of a key or of a has_one, or the loaded collection.

        `name` is that of an association or a foreign key, or either itself. No query where it is loaded, else one. Raises UnknownName.
        """
        model = type(self)
        word = getattr(name, "name", name)
        if word in model.associations:
            name = model.associations[word].name
        elif find_field(model, word) in model._meta.refs:
            name = find_field(model, word).name  # type: ignore[union-attr]
        else:
            known = sorted({*model.associations, *(each.name for each in model._meta.refs)})
            asked = f"{model.__name__}.afetch({word!r})"
            raise UnknownName(asked, f"{model.__name__} has no association {word!r}", nearest(str(word), known), name=word, known=known)
        return await run(f"{model.__name__}.afetch({word!r})", _fetched, self, name)


for _name in OF_MODEL:
    setattr(Coroutines, f"a{_name}", Twin(_name))


def _fetched(record: Any, name: str) -> Any:
    with lazy.on_request(type(record)):
        found = getattr(record, name)
        if isinstance(found, Collection):
            len(found)
    return found
