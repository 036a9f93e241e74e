"""The verbs of each kind of association, with the target as a type variable: what type checkers see of ``Project.tasks.add``.

Only checkers read this file. It is what ``activeassoc.types.signatures.kinds()`` makes of the operations.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Generic

from activeassoc.types.faces import InArray, KeyField, Source, Target, ToMany, ToOne, ToOneElsewhere, Value
from activeassoc.types.words import Columns, Key, Links, Order, Paths, Where

class BelongsTo(KeyField[Target, Value], ToOne[Source, Target], Generic[Source, Target, Value]):
    """``Book.belongs_to(Author)``: book.author, get_author, set_author, create_author."""

    def create(
        self, owner: Source, values: Mapping[str, Any] | None = None, /, **fields: Any
    ) -> Target: ...
    async def acreate(
        self, owner: Source, values: Mapping[str, Any] | None = None, /, **fields: Any
    ) -> Target: ...
    def get(
        self,
        owner: Source,
        *,
        where: Where = None,
        attributes: Columns = None,
        populate: Paths = None,
    ) -> Target | None: ...
    async def aget(
        self,
        owner: Source,
        *,
        where: Where = None,
        attributes: Columns = None,
        populate: Paths = None,
    ) -> Target | None: ...
    def set(self, owner: Source, target: Target | Key | None) -> Target | None: ...
    async def aset(
        self, owner: Source, target: Target | Key | None
    ) -> Target | None: ...

class HasOne(ToOneElsewhere[Source, Target]):
    """``User.has_one(Profile)``: user.profile, get_profile, set_profile, create_profile."""

    def create(
        self,
        owner: Source,
        values: Mapping[str, Any] | None = None,
        /,
        *,
        destroy: bool = False,
        **fields: Any,
    ) -> Target: ...
    async def acreate(
        self,
        owner: Source,
        values: Mapping[str, Any] | None = None,
        /,
        *,
        destroy: bool = False,
        **fields: Any,
    ) -> Target: ...
    def get(
        self,
        owner: Source,
        *,
        where: Where = None,
        attributes: Columns = None,
        populate: Paths = None,
    ) -> Target | None: ...
    async def aget(
        self,
        owner: Source,
        *,
        where: Where = None,
        attributes: Columns = None,
        populate: Paths = None,
    ) -> Target | None: ...
    def set(
        self, owner: Source, target: Target | Key | None, *, destroy: bool = False
    ) -> Target | None: ...
    async def aset(
        self, owner: Source, target: Target | Key | None, *, destroy: bool = False
    ) -> Target | None: ...

class HasMany(ToMany[Source, Target]):
    """``Author.has_many(Book)``: author.books, and the methods of every to-many."""

    def add(
        self, owner: Source, targets: Target | Key | Iterable[Target | Key] | None
    ) -> int: ...
    async def aadd(
        self, owner: Source, targets: Target | Key | Iterable[Target | Key] | None
    ) -> int: ...
    def count(
        self, owner: Source, *, where: Where = None, through_where: Where = None
    ) -> int: ...
    async def acount(
        self, owner: Source, *, where: Where = None, through_where: Where = None
    ) -> int: ...
    def create(
        self, owner: Source, values: Mapping[str, Any] | None = None, /, **fields: Any
    ) -> Target: ...
    async def acreate(
        self, owner: Source, values: Mapping[str, Any] | None = None, /, **fields: Any
    ) -> Target: ...
    def create_many(
        self, owner: Source, values: Iterable[Mapping[str, Any]]
    ) -> list[Target]: ...
    async def acreate_many(
        self, owner: Source, values: Iterable[Mapping[str, Any]]
    ) -> list[Target]: ...
    def get(
        self,
        owner: Source,
        *,
        where: Where = None,
        attributes: Columns = None,
        order: Order = None,
        limit: int | None = None,
        offset: int | None = None,
        join_attributes: Columns = None,
        through_where: Where = None,
        populate: Paths = None,
    ) -> list[Target]: ...
    async def aget(
        self,
        owner: Source,
        *,
        where: Where = None,
        attributes: Columns = None,
        order: Order = None,
        limit: int | None = None,
        offset: int | None = None,
        join_attributes: Columns = None,
        through_where: Where = None,
        populate: Paths = None,
    ) -> list[Target]: ...
    def has(
        self, owner: Source, targets: Target | Key | Iterable[Target | Key] | None
    ) -> bool: ...
    async def ahas(
        self, owner: Source, targets: Target | Key | Iterable[Target | Key] | None
    ) -> bool: ...
    def has_exactly(
        self,
        owner: Source,
        targets: Target | Key | Iterable[Target | Key] | None,
        *,
        exact: bool = True,
    ) -> bool: ...
    async def ahas_exactly(
        self,
        owner: Source,
        targets: Target | Key | Iterable[Target | Key] | None,
        *,
        exact: bool = True,
    ) -> bool: ...
    def remove(
        self,
        owner: Source,
        targets: Target | Key | Iterable[Target | Key] | None,
        *,
        destroy: bool = False,
    ) -> int: ...
    async def aremove(
        self,
        owner: Source,
        targets: Target | Key | Iterable[Target | Key] | None,
        *,
        destroy: bool = False,
    ) -> int: ...
    def set(
        self,
        owner: Source,
        targets: Target | Key | Iterable[Target | Key] | None,
        *,
        destroy: bool = False,
    ) -> list[Target]: ...
    async def aset(
        self,
        owner: Source,
        targets: Target | Key | Iterable[Target | Key] | None,
        *,
        destroy: bool = False,
    ) -> list[Target]: ...

class ManyToMany(ToMany[Source, Target]):
    """``Project.has_many(User, through=Membership)``: project.users, and the methods of every to-many."""

    def add(
        self,
        owner: Source,
        targets: Links[Target, Key, Mapping[str, Any]],
        attributes: Mapping[str, Any] | None = None,
        *,
        through: Mapping[str, Any] | None = None,
    ) -> int: ...
    async def aadd(
        self,
        owner: Source,
        targets: Links[Target, Key, Mapping[str, Any]],
        attributes: Mapping[str, Any] | None = None,
        *,
        through: Mapping[str, Any] | None = None,
    ) -> int: ...
    def count(
        self, owner: Source, *, where: Where = None, through_where: Where = None
    ) -> int: ...
    async def acount(
        self, owner: Source, *, where: Where = None, through_where: Where = None
    ) -> int: ...
    def create(
        self,
        owner: Source,
        values: Mapping[str, Any] | None = None,
        /,
        *,
        through: Mapping[str, Any] | None = None,
        **fields: Any,
    ) -> Target: ...
    async def acreate(
        self,
        owner: Source,
        values: Mapping[str, Any] | None = None,
        /,
        *,
        through: Mapping[str, Any] | None = None,
        **fields: Any,
    ) -> Target: ...
    def create_many(
        self,
        owner: Source,
        values: Iterable[Mapping[str, Any]],
        *,
        through: Mapping[str, Any] | None = None,
    ) -> list[Target]: ...
    async def acreate_many(
        self,
        owner: Source,
        values: Iterable[Mapping[str, Any]],
        *,
        through: Mapping[str, Any] | None = None,
    ) -> list[Target]: ...
    def get(
        self,
        owner: Source,
        *,
        where: Where = None,
        attributes: Columns = None,
        order: Order = None,
        limit: int | None = None,
        offset: int | None = None,
        join_attributes: Columns = None,
        through_where: Where = None,
        populate: Paths = None,
    ) -> list[Target]: ...
    async def aget(
        self,
        owner: Source,
        *,
        where: Where = None,
        attributes: Columns = None,
        order: Order = None,
        limit: int | None = None,
        offset: int | None = None,
        join_attributes: Columns = None,
        through_where: Where = None,
        populate: Paths = None,
    ) -> list[Target]: ...
    def has(
        self, owner: Source, targets: Target | Key | Iterable[Target | Key] | None
    ) -> bool: ...
    async def ahas(
        self, owner: Source, targets: Target | Key | Iterable[Target | Key] | None
    ) -> bool: ...
    def has_exactly(
        self,
        owner: Source,
        targets: Target | Key | Iterable[Target | Key] | None,
        *,
        exact: bool = True,
    ) -> bool: ...
    async def ahas_exactly(
        self,
        owner: Source,
        targets: Target | Key | Iterable[Target | Key] | None,
        *,
        exact: bool = True,
    ) -> bool: ...
    def remove(
        self, owner: Source, targets: Target | Key | Iterable[Target | Key] | None
    ) -> int: ...
    async def aremove(
        self, owner: Source, targets: Target | Key | Iterable[Target | Key] | None
    ) -> int: ...
    def set(
        self,
        owner: Source,
        targets: Links[Target, Key, Mapping[str, Any]],
        attributes: Mapping[str, Any] | None = None,
        *,
        through: Mapping[str, Any] | None = None,
    ) -> list[Target]: ...
    async def aset(
        self,
        owner: Source,
        targets: Links[Target, Key, Mapping[str, Any]],
        attributes: Mapping[str, Any] | None = None,
        *,
        through: Mapping[str, Any] | None = None,
    ) -> list[Target]: ...

class ReferencesMany(InArray[Source, Target]):
    """``Post.references_many(Hashtag)``: post.hashtags, post.hashtag_ids, and the methods of every to-many."""

    def add(
        self, owner: Source, targets: Target | Key | Iterable[Target | Key] | None
    ) -> int: ...
    async def aadd(
        self, owner: Source, targets: Target | Key | Iterable[Target | Key] | None
    ) -> int: ...
    def count(
        self, owner: Source, *, where: Where = None, through_where: Where = None
    ) -> int: ...
    async def acount(
        self, owner: Source, *, where: Where = None, through_where: Where = None
    ) -> int: ...
    def create(
        self, owner: Source, values: Mapping[str, Any] | None = None, /, **fields: Any
    ) -> Target: ...
    async def acreate(
        self, owner: Source, values: Mapping[str, Any] | None = None, /, **fields: Any
    ) -> Target: ...
    def create_many(
        self, owner: Source, values: Iterable[Mapping[str, Any]]
    ) -> list[Target]: ...
    async def acreate_many(
        self, owner: Source, values: Iterable[Mapping[str, Any]]
    ) -> list[Target]: ...
    def get(
        self,
        owner: Source,
        *,
        where: Where = None,
        attributes: Columns = None,
        order: Order = None,
        limit: int | None = None,
        offset: int | None = None,
        join_attributes: Columns = None,
        through_where: Where = None,
        populate: Paths = None,
    ) -> list[Target]: ...
    async def aget(
        self,
        owner: Source,
        *,
        where: Where = None,
        attributes: Columns = None,
        order: Order = None,
        limit: int | None = None,
        offset: int | None = None,
        join_attributes: Columns = None,
        through_where: Where = None,
        populate: Paths = None,
    ) -> list[Target]: ...
    def has(
        self, owner: Source, targets: Target | Key | Iterable[Target | Key] | None
    ) -> bool: ...
    async def ahas(
        self, owner: Source, targets: Target | Key | Iterable[Target | Key] | None
    ) -> bool: ...
    def has_exactly(
        self,
        owner: Source,
        targets: Target | Key | Iterable[Target | Key] | None,
        *,
        exact: bool = True,
    ) -> bool: ...
    async def ahas_exactly(
        self,
        owner: Source,
        targets: Target | Key | Iterable[Target | Key] | None,
        *,
        exact: bool = True,
    ) -> bool: ...
    def remove(
        self, owner: Source, targets: Target | Key | Iterable[Target | Key] | None
    ) -> int: ...
    async def aremove(
        self, owner: Source, targets: Target | Key | Iterable[Target | Key] | None
    ) -> int: ...
    def set(
        self, owner: Source, targets: Target | Key | Iterable[Target | Key] | None
    ) -> list[Target]: ...
    async def aset(
        self, owner: Source, targets: Target | Key | Iterable[Target | Key] | None
    ) -> list[Target]: ...
