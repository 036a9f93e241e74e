"""Tortoise, as its documentation advises: prefetch_related, bulk_create. Its calls are coroutines, which run on a loop of their own."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any

import tortoise
from tortoise import Tortoise, fields
from tortoise.models import Model
from tortoise.query_utils import Prefetch
from tortoise.transactions import in_transaction

from contenders import contract
from contenders.contract import Work
from dataset import Size
from places import PRAGMAS, Place

SCHEMES = {"postgresql": "asyncpg", "mariadb": "mysql"}
NO_LINK = "the model of a link with an attribute needs a key of one column"
LINKS = ("getter_mn", "getter_mn_read", "populate_mn", "populate_mn_read", "link", "link_again", "replace")


class User(Model):
    id = fields.IntField(primary_key=True)
    name = fields.CharField(max_length=255)
    email = fields.CharField(max_length=255)
    posts: fields.ReverseRelation[Post]

    class Meta:
        table = "users"


class Post(Model):
    id = fields.IntField(primary_key=True)
    user: Any = fields.ForeignKeyField("models.User", related_name="posts")
    title = fields.CharField(max_length=255)
    body = fields.TextField()
    views = fields.IntField()

    class Meta:
        table = "posts"


class Tag(Model):
    id = fields.IntField(primary_key=True)
    name = fields.CharField(max_length=255)
    posts: Any = fields.ManyToManyField(
        "models.Post", through="post_tags", backward_key="tag_id", forward_key="post_id", related_name="tags"
    )

    class Meta:
        table = "tags"


def url(place: Place) -> str:
    if place.store == "sqlite":
        return f"sqlite://{place.database}?" + "&".join(f"{name}={value}" for name, value in PRAGMAS.items())
    return place.url(SCHEMES[place.store])


class Contender(contract.Contender):
    missing = {**dict.fromkeys(LINKS, NO_LINK), "top3": "it has no query for the first of each owner"}

    def __init__(self, place: Place, size: Size) -> None:
        super().__init__(place, size)
        self.loop = asyncio.new_event_loop()
        self.run(Tortoise.init(db_url=url(place), modules={"models": [__name__]}, _enable_global_fallback=True))
        self.run(Post.first())  # connects

    @staticmethod
    def versions() -> str:
        return f"Tortoise {tortoise.__version__}"

    def run(self, awaitable: Awaitable[Any]) -> Any:
        async def result() -> Any:
            return await awaitable

        return self.loop.run_until_complete(result())

    def close(self) -> None:
        self.run(Tortoise.close_connections())
        self.loop.close()

    def posts(self, amount: int) -> list[Any]:
        async def found() -> list[Any]:
            return await Post.all().order_by("id").limit(amount)

        return self.run(found())

    # Reading

    def getter(self) -> Work:
        async def found() -> list[Any]:
            return await User.all().order_by("id").limit(self.size.work(300))

        users = self.run(found())

        async def work() -> Any:
            return [await user.posts.all().order_by("id") for user in users]

        return lambda: self.run(work())

    def populate(self) -> Work:
        async def work() -> Any:
            return await User.all().order_by("id").prefetch_related(Prefetch("posts", Post.all().order_by("id")))

        return lambda: self.run(work())

    def hydrate(self) -> Work:
        async def work() -> Any:
            return await Post.all()

        return lambda: self.run(work())

    def has(self) -> Work:
        posts, tag = self.posts(self.size.work(1_000)), self.run(Tag.get(id=self.size.tag))

        async def work() -> Any:
            return [await tag.posts.filter(id=post.id).exists() for post in posts]

        return lambda: self.run(work())

    def has_all(self) -> Work:
        posts, tag = self.posts(self.size.work(500)), self.run(Tag.get(id=self.size.tag))

        async def work() -> Any:
            return await tag.posts.filter(id__in=[post.id for post in posts]).count() == len(posts)

        return lambda: self.run(work())

    # Writing

    def create(self) -> Work:
        values = self.size.new_posts()

        async def work() -> Any:
            async with in_transaction() as connection:
                return [await Post.create(using_db=connection, **each) for each in values]

        return lambda: self.run(work())

    def create_bulk(self) -> Work:
        values = self.size.new_posts()

        async def work() -> Any:
            await Post.bulk_create([Post(**each) for each in values])

        return lambda: self.run(work())

    def create_records(self) -> Work:
        values, user = self.size.new_posts(), self.run(User.get(id=1))

        async def work() -> Any:
            async with in_transaction() as connection:
                return [
                    await Post.create(using_db=connection, user=user, title=each["title"], body=each["body"], views=each["views"])
                    for each in values
                ]

        return lambda: self.run(work())
