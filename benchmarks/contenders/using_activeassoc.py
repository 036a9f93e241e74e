"""activeassoc: the methods of the associations, and populate."""

from __future__ import annotations

from typing import Any

from peewee import CharField, IntegerField, TextField

import activeassoc
from activeassoc import Model, connect
from contenders import contract
from contenders.contract import Work
from dataset import WEIGHT, Size
from places import PRAGMAS, Place

SCHEMES = {"sqlite": "sqlite", "postgresql": "postgresql", "mariadb": "mysql"}


class User(Model):
    name = CharField()
    email = CharField()

    class Meta:
        table_name = "users"


class Post(Model):
    title = CharField()
    body = TextField()
    views = IntegerField()

    class Meta:
        table_name = "posts"


class Tag(Model):
    name = CharField()

    class Meta:
        table_name = "tags"


class PostTag(Model):
    weight = IntegerField()

    class Meta:
        table_name = "post_tags"


User.has_many(Post, on_delete="CASCADE")
Post.belongs_to(User)
Post.has_many(Tag, through=PostTag)
Tag.has_many(Post, through=PostTag)


class Contender(contract.Contender):
    def __init__(self, place: Place, size: Size) -> None:
        super().__init__(place, size)
        options = {"pragmas": PRAGMAS} if place.store == "sqlite" else {}
        self.database = connect(place.url(SCHEMES[place.store]), **options)
        self.database.bind([User, Post, Tag, PostTag], bind_refs=False, bind_backrefs=False)
        self.database.connect()

    @staticmethod
    def versions() -> str:
        return f"activeassoc {activeassoc.__version__}"

    def close(self) -> None:
        self.database.close()

    def tag(self, tag: Any) -> list[object]:
        return [tag.id, tag.name, tag.post_tag.weight]

    def tags_of(self, post: Any) -> list[Any]:
        return list(post.tags)

    def users(self) -> list[Any]:
        return list(User.select().order_by(User.id))

    def posts(self, amount: int) -> list[Any]:
        return list(Post.select().order_by(Post.id).limit(amount))

    # Reading

    def getter(self) -> Work:
        users = self.users()[: self.size.work(300)]
        return lambda: [user.get_posts() for user in users]

    def getter_mn(self) -> Work:
        posts = self.posts(self.size.work(300))
        return lambda: [post.get_tags() for post in posts]

    def getter_mn_read(self) -> Work:
        posts = self.posts(self.size.work(300))
        return lambda: sum(tag.post_tag.weight for post in posts for tag in post.get_tags())

    def populate(self) -> Work:
        return lambda: list(User.select().order_by(User.id).populate("posts", limit=None))

    def populate_default(self) -> Work:
        return lambda: list(User.select().order_by(User.id).populate("posts"))

    def populate_mn(self) -> Work:
        return lambda: list(Post.select().order_by(Post.id).populate("tags", limit=None))

    def populate_mn_default(self) -> Work:
        return lambda: list(Post.select().order_by(Post.id).populate("tags"))

    def populate_mn_read(self) -> Work:
        def work() -> Any:
            posts = list(Post.select().order_by(Post.id).populate("tags", limit=None))
            return sum(tag.post_tag.weight for post in posts for tag in post.tags)

        return work

    def top3(self) -> Work:
        return lambda: list(User.select().order_by(User.id).populate("posts", order="-views", limit=3))

    def hydrate(self) -> Work:
        return lambda: list(Post.select())

    def has(self) -> Work:
        posts, tag = self.posts(self.size.work(1_000)), Tag.get_by_id(self.size.tag)
        return lambda: [tag.has_post(post) for post in posts]

    def has_all(self) -> Work:
        posts, tag = self.posts(self.size.work(500)), Tag.get_by_id(self.size.tag)
        return lambda: tag.has_posts(posts, exact=False)

    # Writing

    def link(self) -> Work:
        posts, tag = self.posts(self.size.work(1_000)), Tag.get_by_id(self.size.tag)
        return lambda: tag.add_posts(posts, {"weight": WEIGHT})

    link_again = link

    def replace(self) -> Work:
        first = self.size.work(500) // 2
        posts, tag = self.posts(first + self.size.work(500))[first:], Tag.get_by_id(self.size.tag)
        return lambda: tag.set_posts(posts, {"weight": WEIGHT})

    def create(self) -> Work:
        values = [{"user": each.pop("user_id"), **each} for each in self.size.new_posts()]

        def work() -> Any:
            with self.database.atomic():
                return [Post.create(**each) for each in values]

        return work

    def create_bulk(self) -> Work:
        values = [{"user": each.pop("user_id"), **each} for each in self.size.new_posts()]

        def work() -> Any:
            with self.database.atomic():
                Post.insert_many(values).execute()

        return work

    def create_records(self) -> Work:
        user = User.get_by_id(1)
        values = [{"title": each["title"], "body": each["body"], "views": each["views"]} for each in self.size.new_posts()]
        return lambda: user.create_posts(values)
