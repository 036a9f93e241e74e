"""What `Model` has for asyncio databases: ``await User.acreate(name="Ann")``, ``await user.asave()``.

Map: `Coroutines` is what Model gains, `OF_MODEL` the list of the twins in it. Accessors have theirs where they are published (`declare`).
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Self

from activeassoc import lazy
from activeassoc.associations.reading import LinkAccessor
from activeassoc.collection import Collection
from activeassoc.errors import UnknownName, nearest
from activeassoc.stores.bridge import run
from activeassoc.twins import Twin, require_asyncio

#: The methods of Model that ask a database and give no query: each has a twin.
OF_MODEL = (
    *("create", "get_or_create", "bulk_create", "bulk_update", "get", "get_or_none", "get_by_id", "set_by_id", "delete_by_id"),
    *("find_one", "add_to_collection", "remove_from_collection", "replace_collection"),
    *("save", "delete_instance", "reload"),
)


class Coroutines:
    """The part of `Model` for asyncio databases."""

    if TYPE_CHECKING:  # what the methods give, awaited: the twins themselves are made when they are asked for

        @classmethod
        async def acreate(cls, **query: Any) -> Self: ...
        @classmethod
        async def aget_or_create(cls, **query: Any) -> tuple[Self, bool]: ...
        @classmethod
        async def abulk_create(cls, model_list: Iterable[Any], batch_size: int | None = None) -> Any: ...
        @classmethod
        async def abulk_update(cls, model_list: Iterable[Any], fields: Iterable[Any], batch_size: int | None = None) -> int: ...
        @classmethod
        async def aget(cls, *query: Any, **filters: Any) -> Self: ...
        @classmethod
        async def aget_or_none(cls, *query: Any, **filters: Any) -> Self | None: ...
        @classmethod
        async def aget_by_id(cls, pk: Any) -> Self: ...
        @classmethod
        async def aset_by_id(cls, key: Any, value: Any) -> Any: ...
        @classmethod
        async def adelete_by_id(cls, pk: Any) -> int: ...
        @classmethod
        async def afind_one(
            cls, criteria: Any = None, *, where: Any = None, attributes: Any = None, populate: Any = None
        ) -> Self | None: ...
        @classmethod
        async def aadd_to_collection(cls, owners: Any, name: str, children: Any) -> int: ...
        @classmethod
        async def aremove_from_collection(cls, owners: Any, name: str, children: Any, *, destroy: bool = False) -> int: ...
        @classmethod
        async def areplace_collection(cls, owners: Any, name: str, children: Any, *, destroy: bool = False) -> list[Any]: ...
        async def asave(self, force_insert: bool = False, only: Any = None) -> int: ...
        async def adelete_instance(self, recursive: bool = False, delete_nullable: bool = False) -> int: ...
        async def areload(self) -> Self: ...

    async def afetch(self: Any, name: Any) -> Any:
        """What ``record.<name>`` is, loaded where it is not: the record of a key or of a has_one, the loaded collection, the join row.

        `name` is that of an association, of a foreign key or of a through model, or a field or an association itself. One query, none where
        it is loaded. Raises UnknownName, and NotAsyncio on a plain database.
        """
        model = type(self)
        word = getattr(name, "name", name)
        asked, known = f"{model.__name__}.afetch({word!r})", {*model.associations, *(each.name for each in model._meta.refs)}
        if word not in known and not isinstance(inspect.getattr_static(model, str(word), None), LinkAccessor):
            because = f"{model.__name__} has no association {word!r}"
            raise UnknownName(asked, because, nearest(str(word), known), name=word, known=sorted(known))
        require_asyncio(asked, model, f"record.{word}")
        return await run(asked, _fetched, self, word)


for _name in OF_MODEL:
    setattr(Coroutines, f"a{_name}", Twin(_name))


def _fetched(record: Any, name: str) -> Any:
    with lazy.on_request(type(record)):
        found = getattr(record, name)
        if isinstance(found, Collection):
            len(found)
    return found
