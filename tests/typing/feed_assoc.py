"""What activeassoc gives to the models of feed, for type checkers.

Written by `activeassoc types feed`, not by hand. A model takes its mixin as the first base:
class Hashtag(HashtagAssociations, ...). At run time the mixins are empty.
"""
# isort: skip_file

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Required, TypedDict, overload

if TYPE_CHECKING:
    from activeassoc import Model
    from activeassoc.types import (
        BelongsTo,
        Columns,
        HasMany,
        KeyListField,
        Link,
        Links,
        ManyToMany,
        NoAttributes,
        Order,
        Paths,
        ReferencesMany,
        Where,
    )
    from feed import Comment, Hashtag, Post
    from peewee import AutoField, Field


class PostFields(TypedDict, total=False):
    """A new record of Post, as a mapping."""

    caption: Required[str]
    id: int
    hashtag_ids: Iterable[Hashtag | int]
    related_ids: Iterable[Post | int]


class HashtagFields(TypedDict, total=False):
    """A new record of Hashtag, as a mapping."""

    text: Required[str]
    id: int


class CommentFields(TypedDict, total=False):
    """A new record of Comment, as a mapping."""

    text: Required[str]
    id: int
    post: Post | int | None


if TYPE_CHECKING:

    class HashtagAssociations:
        id: AutoField[int]
        favourites: ManyToMany[Hashtag, Post]

        # Hashtag.has_many(Post, as_='favourites', through='favourites')
        def add_favourite(
            self,
            targets: Links[Post, int, NoAttributes],
            attributes: NoAttributes | None = None,
            *,
            through: NoAttributes | None = None,
        ) -> int: ...
        async def aadd_favourite(
            self,
            targets: Links[Post, int, NoAttributes],
            attributes: NoAttributes | None = None,
            *,
            through: NoAttributes | None = None,
        ) -> int: ...
        def add_favourites(
            self,
            targets: Links[Post, int, NoAttributes],
            attributes: NoAttributes | None = None,
            *,
            through: NoAttributes | None = None,
        ) -> int: ...
        async def aadd_favourites(
            self,
            targets: Links[Post, int, NoAttributes],
            attributes: NoAttributes | None = None,
            *,
            through: NoAttributes | None = None,
        ) -> int: ...
        @overload
        def create_favourite(
            self,
            /,
            *,
            caption: str,
            id: int = ...,
            hashtag_ids: Iterable[Hashtag | int] = ...,
            related_ids: Iterable[Post | int] = ...,
            through: NoAttributes | None = None,
        ) -> Post: ...
        @overload
        def create_favourite(
            self,
            values: Mapping[str, Any],
            /,
            *,
            through: NoAttributes | None = None,
            **fields: Any,
        ) -> Post: ...
        def create_favourite(self, /, *arguments: Any, **fields: Any) -> Any: ...
        @overload
        async def acreate_favourite(
            self,
            /,
            *,
            caption: str,
            id: int = ...,
            hashtag_ids: Iterable[Hashtag | int] = ...,
            related_ids: Iterable[Post | int] = ...,
            through: NoAttributes | None = None,
        ) -> Post: ...
        @overload
        async def acreate_favourite(
            self,
            values: Mapping[str, Any],
            /,
            *,
            through: NoAttributes | None = None,
            **fields: Any,
        ) -> Post: ...
        async def acreate_favourite(self, /, *arguments: Any, **fields: Any) -> Any: ...
        def has_favourite(
            self, targets: Post | int | Iterable[Post | int] | None
        ) -> bool: ...
        async def ahas_favourite(
            self, targets: Post | int | Iterable[Post | int] | None
        ) -> bool: ...
        def remove_favourite(
            self, targets: Post | int | Iterable[Post | int] | None
        ) -> int: ...
        async def aremove_favourite(
            self, targets: Post | int | Iterable[Post | int] | None
        ) -> int: ...
        def remove_favourites(
            self, targets: Post | int | Iterable[Post | int] | None
        ) -> int: ...
        async def aremove_favourites(
            self, targets: Post | int | Iterable[Post | int] | None
        ) -> int: ...
        def count_favourites(
            self, *, where: Where = None, through_where: Where = None
        ) -> int: ...
        async def acount_favourites(
            self, *, where: Where = None, through_where: Where = None
        ) -> int: ...
        def create_favourites(
            self, values: Iterable[PostFields], *, through: NoAttributes | None = None
        ) -> list[Post]: ...
        async def acreate_favourites(
            self, values: Iterable[PostFields], *, through: NoAttributes | None = None
        ) -> list[Post]: ...
        def get_favourites(
            self,
            *,
            where: Where = None,
            attributes: Columns = None,
            order: Order = None,
            limit: int | None = None,
            offset: int | None = None,
            join_attributes: Columns = None,
            through_where: Where = None,
            populate: Paths = None,
        ) -> list[Post]: ...
        async def aget_favourites(
            self,
            *,
            where: Where = None,
            attributes: Columns = None,
            order: Order = None,
            limit: int | None = None,
            offset: int | None = None,
            join_attributes: Columns = None,
            through_where: Where = None,
            populate: Paths = None,
        ) -> list[Post]: ...
        def has_favourites(
            self,
            targets: Post | int | Iterable[Post | int] | None,
            *,
            exact: bool = True,
        ) -> bool: ...
        async def ahas_favourites(
            self,
            targets: Post | int | Iterable[Post | int] | None,
            *,
            exact: bool = True,
        ) -> bool: ...
        def set_favourites(
            self,
            targets: Links[Post, int, NoAttributes],
            attributes: NoAttributes | None = None,
            *,
            through: NoAttributes | None = None,
        ) -> list[Post]: ...
        async def aset_favourites(
            self,
            targets: Links[Post, int, NoAttributes],
            attributes: NoAttributes | None = None,
            *,
            through: NoAttributes | None = None,
        ) -> list[Post]: ...

    class PostAssociations:
        id: AutoField[int]
        hashtag_ids: KeyListField[Hashtag, int]
        related_ids: KeyListField[Post, int]
        hashtags: ReferencesMany[Post, Hashtag]
        related: ReferencesMany[Post, Post]
        comments: HasMany[Post, Comment]
        favourites: Link[Model, NoAttributes]

        # Post.references_many(Hashtag)
        def add_hashtag(
            self, targets: Hashtag | int | Iterable[Hashtag | int] | None
        ) -> int: ...
        async def aadd_hashtag(
            self, targets: Hashtag | int | Iterable[Hashtag | int] | None
        ) -> int: ...
        def add_hashtags(
            self, targets: Hashtag | int | Iterable[Hashtag | int] | None
        ) -> int: ...
        async def aadd_hashtags(
            self, targets: Hashtag | int | Iterable[Hashtag | int] | None
        ) -> int: ...
        @overload
        def create_hashtag(self, /, *, text: str, id: int = ...) -> Hashtag: ...
        @overload
        def create_hashtag(
            self, values: Mapping[str, Any], /, **fields: Any
        ) -> Hashtag: ...
        def create_hashtag(self, /, *arguments: Any, **fields: Any) -> Any: ...
        @overload
        async def acreate_hashtag(self, /, *, text: str, id: int = ...) -> Hashtag: ...
        @overload
        async def acreate_hashtag(
            self, values: Mapping[str, Any], /, **fields: Any
        ) -> Hashtag: ...
        async def acreate_hashtag(self, /, *arguments: Any, **fields: Any) -> Any: ...
        def has_hashtag(
            self, targets: Hashtag | int | Iterable[Hashtag | int] | None
        ) -> bool: ...
        async def ahas_hashtag(
            self, targets: Hashtag | int | Iterable[Hashtag | int] | None
        ) -> bool: ...
        def remove_hashtag(
            self, targets: Hashtag | int | Iterable[Hashtag | int] | None
        ) -> int: ...
        async def aremove_hashtag(
            self, targets: Hashtag | int | Iterable[Hashtag | int] | None
        ) -> int: ...
        def remove_hashtags(
            self, targets: Hashtag | int | Iterable[Hashtag | int] | None
        ) -> int: ...
        async def aremove_hashtags(
            self, targets: Hashtag | int | Iterable[Hashtag | int] | None
        ) -> int: ...
        def count_hashtags(
            self, *, where: Where = None, through_where: Where = None
        ) -> int: ...
        async def acount_hashtags(
            self, *, where: Where = None, through_where: Where = None
        ) -> int: ...
        def create_hashtags(self, values: Iterable[HashtagFields]) -> list[Hashtag]: ...
        async def acreate_hashtags(
            self, values: Iterable[HashtagFields]
        ) -> list[Hashtag]: ...
        def get_hashtags(
            self,
            *,
            where: Where = None,
            attributes: Columns = None,
            order: Order = None,
            limit: int | None = None,
            offset: int | None = None,
            join_attributes: Columns = None,
            through_where: Where = None,
            populate: Paths = None,
        ) -> list[Hashtag]: ...
        async def aget_hashtags(
            self,
            *,
            where: Where = None,
            attributes: Columns = None,
            order: Order = None,
            limit: int | None = None,
            offset: int | None = None,
            join_attributes: Columns = None,
            through_where: Where = None,
            populate: Paths = None,
        ) -> list[Hashtag]: ...
        def has_hashtags(
            self,
            targets: Hashtag | int | Iterable[Hashtag | int] | None,
            *,
            exact: bool = True,
        ) -> bool: ...
        async def ahas_hashtags(
            self,
            targets: Hashtag | int | Iterable[Hashtag | int] | None,
            *,
            exact: bool = True,
        ) -> bool: ...
        def set_hashtags(
            self, targets: Hashtag | int | Iterable[Hashtag | int] | None
        ) -> list[Hashtag]: ...
        async def aset_hashtags(
            self, targets: Hashtag | int | Iterable[Hashtag | int] | None
        ) -> list[Hashtag]: ...

        # Post.references_many('self', as_='related')
        def add_related(
            self, targets: Post | int | Iterable[Post | int] | None
        ) -> int: ...
        async def aadd_related(
            self, targets: Post | int | Iterable[Post | int] | None
        ) -> int: ...
        @overload
        def create_related(
            self,
            /,
            *,
            caption: str,
            id: int = ...,
            hashtag_ids: Iterable[Hashtag | int] = ...,
            related_ids: Iterable[Post | int] = ...,
        ) -> Post: ...
        @overload
        def create_related(
            self, values: Mapping[str, Any], /, **fields: Any
        ) -> Post: ...
        @overload
        def create_related(self, values: Iterable[PostFields], /) -> list[Post]: ...
        def create_related(self, /, *arguments: Any, **fields: Any) -> Any: ...
        @overload
        async def acreate_related(
            self,
            /,
            *,
            caption: str,
            id: int = ...,
            hashtag_ids: Iterable[Hashtag | int] = ...,
            related_ids: Iterable[Post | int] = ...,
        ) -> Post: ...
        @overload
        async def acreate_related(
            self, values: Mapping[str, Any], /, **fields: Any
        ) -> Post: ...
        @overload
        async def acreate_related(
            self, values: Iterable[PostFields], /
        ) -> list[Post]: ...
        async def acreate_related(self, /, *arguments: Any, **fields: Any) -> Any: ...
        def has_related(
            self, targets: Post | int | Iterable[Post | int] | None
        ) -> bool: ...
        async def ahas_related(
            self, targets: Post | int | Iterable[Post | int] | None
        ) -> bool: ...
        def remove_related(
            self, targets: Post | int | Iterable[Post | int] | None
        ) -> int: ...
        async def aremove_related(
            self, targets: Post | int | Iterable[Post | int] | None
        ) -> int: ...
        def count_related(
            self, *, where: Where = None, through_where: Where = None
        ) -> int: ...
        async def acount_related(
            self, *, where: Where = None, through_where: Where = None
        ) -> int: ...
        def get_related(
            self,
            *,
            where: Where = None,
            attributes: Columns = None,
            order: Order = None,
            limit: int | None = None,
            offset: int | None = None,
            join_attributes: Columns = None,
            through_where: Where = None,
            populate: Paths = None,
        ) -> list[Post]: ...
        async def aget_related(
            self,
            *,
            where: Where = None,
            attributes: Columns = None,
            order: Order = None,
            limit: int | None = None,
            offset: int | None = None,
            join_attributes: Columns = None,
            through_where: Where = None,
            populate: Paths = None,
        ) -> list[Post]: ...
        def set_related(
            self, targets: Post | int | Iterable[Post | int] | None
        ) -> list[Post]: ...
        async def aset_related(
            self, targets: Post | int | Iterable[Post | int] | None
        ) -> list[Post]: ...

        # Post.has_many(Comment)
        def add_comment(
            self, targets: Comment | int | Iterable[Comment | int] | None
        ) -> int: ...
        async def aadd_comment(
            self, targets: Comment | int | Iterable[Comment | int] | None
        ) -> int: ...
        def add_comments(
            self, targets: Comment | int | Iterable[Comment | int] | None
        ) -> int: ...
        async def aadd_comments(
            self, targets: Comment | int | Iterable[Comment | int] | None
        ) -> int: ...
        @overload
        def create_comment(self, /, *, text: str, id: int = ...) -> Comment: ...
        @overload
        def create_comment(
            self, values: Mapping[str, Any], /, **fields: Any
        ) -> Comment: ...
        def create_comment(self, /, *arguments: Any, **fields: Any) -> Any: ...
        @overload
        async def acreate_comment(self, /, *, text: str, id: int = ...) -> Comment: ...
        @overload
        async def acreate_comment(
            self, values: Mapping[str, Any], /, **fields: Any
        ) -> Comment: ...
        async def acreate_comment(self, /, *arguments: Any, **fields: Any) -> Any: ...
        def has_comment(
            self, targets: Comment | int | Iterable[Comment | int] | None
        ) -> bool: ...
        async def ahas_comment(
            self, targets: Comment | int | Iterable[Comment | int] | None
        ) -> bool: ...
        def remove_comment(
            self,
            targets: Comment | int | Iterable[Comment | int] | None,
            *,
            destroy: bool = False,
        ) -> int: ...
        async def aremove_comment(
            self,
            targets: Comment | int | Iterable[Comment | int] | None,
            *,
            destroy: bool = False,
        ) -> int: ...
        def remove_comments(
            self,
            targets: Comment | int | Iterable[Comment | int] | None,
            *,
            destroy: bool = False,
        ) -> int: ...
        async def aremove_comments(
            self,
            targets: Comment | int | Iterable[Comment | int] | None,
            *,
            destroy: bool = False,
        ) -> int: ...
        async def acount_comments(self, *arguments: Any, **options: Any) -> Any: ...
        def create_comments(self, values: Iterable[CommentFields]) -> list[Comment]: ...
        async def acreate_comments(
            self, values: Iterable[CommentFields]
        ) -> list[Comment]: ...
        def get_comments(
            self,
            *,
            where: Where = None,
            attributes: Columns = None,
            order: Order = None,
            limit: int | None = None,
            offset: int | None = None,
            join_attributes: Columns = None,
            through_where: Where = None,
            populate: Paths = None,
        ) -> list[Comment]: ...
        async def aget_comments(
            self,
            *,
            where: Where = None,
            attributes: Columns = None,
            order: Order = None,
            limit: int | None = None,
            offset: int | None = None,
            join_attributes: Columns = None,
            through_where: Where = None,
            populate: Paths = None,
        ) -> list[Comment]: ...
        def has_comments(
            self,
            targets: Comment | int | Iterable[Comment | int] | None,
            *,
            exact: bool = True,
        ) -> bool: ...
        async def ahas_comments(
            self,
            targets: Comment | int | Iterable[Comment | int] | None,
            *,
            exact: bool = True,
        ) -> bool: ...
        def set_comments(
            self,
            targets: Comment | int | Iterable[Comment | int] | None,
            *,
            destroy: bool = False,
        ) -> list[Comment]: ...
        async def aset_comments(
            self,
            targets: Comment | int | Iterable[Comment | int] | None,
            *,
            destroy: bool = False,
        ) -> list[Comment]: ...

    class CommentAssociations:
        id: AutoField[int]
        post: BelongsTo[Comment, Post]
        post_id: Field[int | None]

        # Comment.belongs_to(Post)
        @overload
        def create_post(
            self,
            /,
            *,
            caption: str,
            id: int = ...,
            hashtag_ids: Iterable[Hashtag | int] = ...,
            related_ids: Iterable[Post | int] = ...,
        ) -> Post: ...
        @overload
        def create_post(self, values: Mapping[str, Any], /, **fields: Any) -> Post: ...
        def create_post(self, /, *arguments: Any, **fields: Any) -> Any: ...
        @overload
        async def acreate_post(
            self,
            /,
            *,
            caption: str,
            id: int = ...,
            hashtag_ids: Iterable[Hashtag | int] = ...,
            related_ids: Iterable[Post | int] = ...,
        ) -> Post: ...
        @overload
        async def acreate_post(
            self, values: Mapping[str, Any], /, **fields: Any
        ) -> Post: ...
        async def acreate_post(self, /, *arguments: Any, **fields: Any) -> Any: ...
        def get_post(
            self,
            *,
            where: Where = None,
            attributes: Columns = None,
            populate: Paths = None,
        ) -> Post | None: ...
        async def aget_post(
            self,
            *,
            where: Where = None,
            attributes: Columns = None,
            populate: Paths = None,
        ) -> Post | None: ...
        def set_post(self, target: Post | int | None) -> Post | None: ...
        async def aset_post(self, target: Post | int | None) -> Post | None: ...


if not TYPE_CHECKING:

    def __getattr__(name):
        # The mixins, also of models that are newer than this file.
        if name.endswith("Associations"):
            return type(name, (), {"__slots__": (), "__module__": __name__})
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
