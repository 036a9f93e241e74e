"""peewee, as its documentation advises: back-references, with_related for many owners, insert_many in chunks."""

from __future__ import annotations

from typing import Any

import peewee
from peewee import CharField, CompositeKey, ForeignKeyField, IntegerField, Load, Model, TextField, chunked

from contenders import contract
from contenders.contract import Work
from dataset import WEIGHT, Size
from places import PRAGMAS, Place


class User(Model):
    name = CharField()
    email = CharField()

    class Meta:
        table_name = "users"


class Post(Model):
    user = ForeignKeyField(User, backref="posts", on_delete="CASCADE")
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
    post = ForeignKeyField(Post, backref="links", on_delete="CASCADE")
    tag = ForeignKeyField(Tag, backref="links", on_delete="CASCADE")
    weight = IntegerField()

    class Meta:
        table_name = "post_tags"
        primary_key = CompositeKey("post", "tag")


def database(place: Place) -> Any:
    if place.store == "sqlite":
        return peewee.SqliteDatabase(place.database, pragmas=PRAGMAS)
    login = {"host": place.host, "port": place.port, "user": place.user, "password": place.password}
    if place.store == "postgresql":
        return peewee.PostgresqlDatabase(place.database, prefer_psycopg3=True, **login)
    return peewee.MySQLDatabase(place.database, charset="utf8mb4", **login)


class Contender(contract.Contender):
    def __init__(self, place: Place, size: Size) -> None:
        super().__init__(place, size)
        self.database = database(place)
        self.database.bind([User, Post, Tag, PostTag])
        self.database.connect()

    @staticmethod
    def versions() -> str:
        return f"peewee {peewee.__version__}"

    def close(self) -> None:
        self.database.close()

    # A tag is reached over its link.

    def tag(self, link: Any) -> list[object]:
        return [link.tag.id, link.tag.name, link.weight]

    def tags_of(self, post: Any) -> list[Any]:
        return list(post.links)

    def users(self) -> list[Any]:
        return list(User.select().order_by(User.id))

    def posts(self, amount: int) -> list[Any]:
        return list(Post.select().order_by(Post.id).limit(amount))

    # Reading

    def getter(self) -> Work:
        users = self.users()[: self.size.work(300)]
        return lambda: [list(user.posts.order_by(Post.id)) for user in users]

    def links_of(self, post: Any) -> list[Any]:
        return list(post.links.select(PostTag, Tag).join(Tag).order_by(Tag.id))

    def getter_mn(self) -> Work:
        posts = self.posts(self.size.work(300))
        return lambda: [self.links_of(post) for post in posts]

    def getter_mn_read(self) -> Work:
        posts = self.posts(self.size.work(300))
        return lambda: sum(link.weight for post in posts for link in self.links_of(post))

    def populate(self) -> Work:
        return lambda: list(User.select().order_by(User.id).with_related(Load(User.posts, Post.select().order_by(Post.id))))

    def populate_mn(self) -> Work:
        def work() -> Any:
            links = PostTag.select(PostTag, Tag).join(Tag).order_by(PostTag.post, PostTag.tag)
            return list(Post.select().order_by(Post.id).with_related(Load(Post.links, links)))

        return work

    def populate_mn_read(self) -> Work:
        populate = self.populate_mn()
        return lambda: sum(link.weight for post in populate() for link in post.links)

    def top3(self) -> Work:
        def work() -> Any:
            posts = Load(User.posts, Post.select().order_by(Post.views.desc(), Post.id), per_parent=3)
            return list(User.select().order_by(User.id).with_related(posts))

        return work

    def hydrate(self) -> Work:
        return lambda: list(Post.select())

    def has(self) -> Work:
        posts, tag = self.posts(self.size.work(1_000)), Tag.get_by_id(self.size.tag)
        return lambda: [tag.links.where(PostTag.post == post).exists() for post in posts]

    def has_all(self) -> Work:
        posts, tag = self.posts(self.size.work(500)), Tag.get_by_id(self.size.tag)
        return lambda: tag.links.where(PostTag.post.in_(posts)).count() == len(posts)

    # Writing

    def insert(self, tag: Any, posts: list[Any]) -> None:
        rows = [(post, tag, WEIGHT) for post in posts]
        PostTag.insert_many(rows, [PostTag.post, PostTag.tag, PostTag.weight]).on_conflict_ignore().execute()

    def link(self) -> Work:
        posts, tag = self.posts(self.size.work(1_000)), Tag.get_by_id(self.size.tag)

        def work() -> Any:
            with self.database.atomic():
                self.insert(tag, posts)

        return work

    link_again = link

    def replace(self) -> Work:
        first = self.size.work(500) // 2
        posts, tag = self.posts(first + self.size.work(500))[first:], Tag.get_by_id(self.size.tag)

        def work() -> Any:
            with self.database.atomic():
                there = {key for (key,) in PostTag.select(PostTag.post).where(PostTag.tag == tag).tuples()}
                gone = there - {post.id for post in posts}
                PostTag.delete().where(PostTag.tag == tag, PostTag.post.in_(gone)).execute()
                self.insert(tag, [post for post in posts if post.id not in there])

        return work

    def create(self) -> Work:
        values = [{"user": each.pop("user_id"), **each} for each in self.size.new_posts()]

        def work() -> Any:
            with self.database.atomic():
                return [Post.create(**each) for each in values]

        return work

    def create_bulk(self) -> Work:
        rows = [(each["user_id"], each["title"], each["body"], each["views"]) for each in self.size.new_posts()]

        def work() -> Any:
            with self.database.atomic():
                for part in chunked(rows, 1_000):
                    Post.insert_many(part, [Post.user, Post.title, Post.body, Post.views]).execute()

        return work

    def create_records(self) -> Work:
        user, values = User.get_by_id(1), self.size.new_posts()

        def work() -> Any:
            with self.database.atomic():
                return [Post.create(user=user, title=each["title"], body=each["body"], views=each["views"]) for each in values]

        return work
