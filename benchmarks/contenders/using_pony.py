"""Pony, as its documentation advises: prefetch, a link with an attribute as an entity, one db_session for each piece of work."""

from __future__ import annotations

from typing import Any

import pony
from pony import orm

from contenders import contract
from contenders.contract import Work
from dataset import WEIGHT, Size
from places import PRAGMAS, Place

database = orm.Database()


class User(database.Entity):
    _table_ = "users"
    id = orm.PrimaryKey(int, auto=True)
    name = orm.Required(str, 255)
    email = orm.Required(str, 255)
    posts = orm.Set("Post")


class Post(database.Entity):
    _table_ = "posts"
    id = orm.PrimaryKey(int, auto=True)
    user = orm.Required(User, column="user_id")
    title = orm.Required(str, 255)
    body = orm.Required(str, sql_type="TEXT")
    views = orm.Required(int)
    links = orm.Set("PostTag")


class Tag(database.Entity):
    _table_ = "tags"
    id = orm.PrimaryKey(int, auto=True)
    name = orm.Required(str, 255)
    links = orm.Set("PostTag")


class PostTag(database.Entity):
    _table_ = "post_tags"
    post = orm.Required(Post, column="post_id")
    tag = orm.Required(Tag, column="tag_id")
    weight = orm.Required(int)
    orm.PrimaryKey(post, tag)


@database.on_connect(provider="sqlite")
def _pragmas(db: Any, connection: Any) -> None:
    for name, value in PRAGMAS.items():
        connection.execute(f"PRAGMA {name} = {value}")


def bind(place: Place) -> None:
    if place.store == "sqlite":
        database.bind(provider="sqlite", filename=place.database, create_db=False)
    elif place.store == "postgresql":
        # Pony wants psycopg2, and says so where that is not installed.
        login = {"host": place.host, "port": place.port, "user": place.user, "password": place.password}
        database.bind(provider="postgres", database=place.database, **login)
    else:
        login = {"host": place.host, "port": place.port, "user": place.user, "passwd": place.password}
        database.bind(provider="mysql", db=place.database, **login)
    database.generate_mapping(create_tables=False)


class Contender(contract.Contender):
    missing = {"top3": "it has no query for the first of each owner"}

    def __init__(self, place: Place, size: Size) -> None:
        super().__init__(place, size)
        bind(place)
        orm.db_session.__enter__()

    @staticmethod
    def versions() -> str:
        return f"Pony {pony.__version__}"

    def close(self) -> None:
        orm.db_session.__exit__()
        database.disconnect()

    def new(self) -> None:
        """A session that holds nothing, so that nothing comes from memory."""
        orm.db_session.__exit__()
        orm.db_session.__enter__()

    def post(self, post: Any) -> list[object]:
        return [post.id, post.user.id, post.title, post.body, post.views]

    def posts_of(self, user: Any) -> list[Any]:
        return sorted(user.posts, key=lambda post: post.id)

    def tag(self, link: Any) -> list[object]:
        return [link.tag.id, link.tag.name, link.weight]

    def tags_of(self, post: Any) -> list[Any]:
        return sorted(post.links, key=lambda link: link.tag.id)

    def posts(self, first: int, amount: int) -> list[Any]:
        self.new()
        return list(Post.select().order_by(Post.id).limit(amount, offset=first))

    # Reading

    def getter(self) -> Work:
        self.new()
        users = list(User.select().order_by(User.id).limit(self.size.work(300)))
        return lambda: [user.posts.select().order_by(Post.id)[:] for user in users]

    def links_of(self, post: Any) -> list[Any]:
        return [link for link, _ in orm.select((link, link.tag) for link in PostTag if link.post == post).order_by("link.tag.id")]

    def getter_mn(self) -> Work:
        posts = self.posts(0, self.size.work(300))
        return lambda: [self.links_of(post) for post in posts]

    def getter_mn_read(self) -> Work:
        posts = self.posts(0, self.size.work(300))
        return lambda: sum(link.weight for post in posts for link in self.links_of(post))

    def populate(self) -> Work:
        self.new()
        return lambda: list(User.select().order_by(User.id).prefetch(User.posts))

    def populate_mn(self) -> Work:
        self.new()
        return lambda: list(Post.select().order_by(Post.id).prefetch(Post.links, PostTag.tag))

    def populate_mn_read(self) -> Work:
        populate = self.populate_mn()
        return lambda: sum(link.weight for post in populate() for link in post.links)

    def hydrate(self) -> Work:
        self.new()
        return lambda: list(Post.select())

    def has(self) -> Work:
        posts = self.posts(0, self.size.work(1_000))
        tag = Tag[self.size.tag]
        return lambda: [PostTag.exists(post=post, tag=tag) for post in posts]

    def has_all(self) -> Work:
        posts = self.posts(0, self.size.work(500))
        tag = Tag[self.size.tag]

        def work() -> Any:
            keys = [post.id for post in posts]
            return orm.count(link for link in PostTag if link.tag == tag and link.post.id in keys) == len(posts)

        return work

    # Writing

    def link(self) -> Work:
        posts = self.posts(0, self.size.work(1_000))
        tag = Tag[self.size.tag]

        def work() -> Any:
            keys = [post.id for post in posts]
            there = set(orm.select(link.post.id for link in PostTag if link.tag == tag and link.post.id in keys))
            for post in posts:
                if post.id not in there:
                    PostTag(post=post, tag=tag, weight=WEIGHT)
            orm.commit()

        return work

    link_again = link

    def replace(self) -> Work:
        first = self.size.work(500) // 2
        posts = self.posts(first, self.size.work(500))
        tag = Tag[self.size.tag]

        def work() -> Any:
            keys = [post.id for post in posts]
            there = set(orm.select(link.post.id for link in PostTag if link.tag == tag))
            PostTag.select(lambda link: link.tag == tag and link.post.id not in keys).delete(bulk=True)
            for post in posts:
                if post.id not in there:
                    PostTag(post=post, tag=tag, weight=WEIGHT)
            orm.commit()

        return work

    def create(self) -> Work:
        values = self.size.new_posts()
        self.new()

        def work() -> Any:
            made = []
            for each in values:
                post = Post(user=each["user_id"], title=each["title"], body=each["body"], views=each["views"])
                post.flush()  # the row is there, and its key is known, before the next one
                made.append(post)
            orm.commit()
            return made

        return work

    def create_bulk(self) -> Work:
        """It has no call for many rows: they are written together at the commit."""
        values = self.size.new_posts()
        self.new()

        def work() -> Any:
            for each in values:
                Post(user=each["user_id"], title=each["title"], body=each["body"], views=each["views"])
            orm.commit()

        return work

    def create_records(self) -> Work:
        values = self.size.new_posts()
        self.new()
        user = User[1]

        def work() -> Any:
            made = [Post(user=user, title=each["title"], body=each["body"], views=each["views"]) for each in values]
            orm.commit()
            return made

        return work
