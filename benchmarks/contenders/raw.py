"""The measure of all others: SQL written by hand on the driver, and plain objects with slots.

It does what a careful programmer writes: the same results, one transaction for each call that writes, nothing written that is there.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from typing import Any

from contenders import contract
from contenders.contract import Work
from dataset import WEIGHT, Size
from places import Place, opened


class User:
    __slots__ = ("email", "id", "name", "posts")

    def __init__(self, id: int, name: str, email: str) -> None:
        self.id, self.name, self.email = id, name, email
        self.posts: list[Post] = []


class Post:
    __slots__ = ("body", "id", "title", "user_id", "views")

    def __init__(self, id: int, user_id: int, title: str, body: str, views: int) -> None:
        self.id, self.user_id, self.title, self.body, self.views = id, user_id, title, body, views


class TaggedPost(Post):
    __slots__ = ("tags",)

    def __init__(self, id: int, user_id: int, title: str, body: str, views: int) -> None:
        self.id, self.user_id, self.title, self.body, self.views = id, user_id, title, body, views
        self.tags: list[Tag] = []


class Link:
    __slots__ = ("post_id", "tag_id", "weight")

    def __init__(self, post_id: int, tag_id: int, weight: int) -> None:
        self.post_id, self.tag_id, self.weight = post_id, tag_id, weight


class Tag:
    """A tag that was reached over its link."""

    __slots__ = ("id", "link", "name")

    def __init__(self, id: int, name: str, link: Link) -> None:
        self.id, self.name, self.link = id, name, link


#: How a list of keys is written in SQL, where it is one parameter.
LISTS = {"sqlite": "IN (SELECT value FROM json_each(?))", "postgresql": "= ANY(%s)"}


class Contender(contract.Contender):
    def __init__(self, place: Place, size: Size) -> None:
        super().__init__(place, size)
        self.store = place.store
        self.connection = opened(place)
        # SQLite's connection executes; the cursors of the other two do.
        self.cursor = self.connection if self.store == "sqlite" else self.connection.cursor()
        self.begin = "BEGIN IMMEDIATE" if self.store == "sqlite" else "BEGIN"

    @staticmethod
    def versions() -> str:
        return f"SQLite {sqlite3.sqlite_version}"

    def close(self) -> None:
        self.connection.close()

    def tag(self, tag: Any) -> list[object]:
        return [tag.id, tag.name, tag.link.weight]

    def tags_of(self, post: Any) -> list[Any]:
        return post.tags

    def sql(self, text: str) -> str:
        return text if self.store == "sqlite" else text.replace("?", "%s")

    def fetch(self, text: str, parameters: Iterable[Any] = ()) -> list[Any]:
        cursor = self.cursor
        if self.store == "sqlite":
            return cursor.execute(text, parameters).fetchall()
        cursor.execute(text, parameters)
        return cursor.fetchall()

    def among(self, keys: list[int]) -> tuple[str, list[Any]]:
        """The condition that a column is one of `keys`, and its parameters."""
        if self.store == "sqlite":
            return LISTS["sqlite"], [json.dumps(keys)]
        if self.store == "postgresql":
            return LISTS["postgresql"], [keys]
        return f"IN ({', '.join(['%s'] * len(keys))})", list(keys)

    def users(self) -> list[User]:
        return [User(*row) for row in self.fetch("SELECT id, name, email FROM users ORDER BY id")]

    def posts(self, amount: int) -> list[Post]:
        return [Post(*row) for row in self.fetch(f"SELECT id, user_id, title, body, views FROM posts ORDER BY id LIMIT {amount}")]

    # Reading

    def getter(self) -> Work:
        users = self.users()[: self.size.work(300)]
        text = self.sql("SELECT id, user_id, title, body, views FROM posts WHERE user_id = ? ORDER BY id")

        def work() -> Any:
            fetch = self.fetch
            return [[Post(*row) for row in fetch(text, (user.id,))] for user in users]

        return work

    TAGS = "SELECT t.id, t.name, l.post_id, l.weight FROM post_tags l JOIN tags t ON t.id = l.tag_id WHERE l.post_id = ? ORDER BY t.id"

    def getter_mn(self) -> Work:
        posts, text = self.posts(self.size.work(300)), self.sql(self.TAGS)

        def work() -> Any:
            fetch = self.fetch
            return [[Tag(id, name, Link(post_id, id, weight)) for id, name, post_id, weight in fetch(text, (post.id,))] for post in posts]

        return work

    def getter_mn_read(self) -> Work:
        getter = self.getter_mn()
        return lambda: sum(tag.link.weight for tags in getter() for tag in tags)

    def populate(self) -> Work:
        def work() -> Any:
            users = self.users()
            by_key = {user.id: user.posts for user in users}
            condition, parameters = self.among(list(by_key))
            for row in self.fetch(f"SELECT id, user_id, title, body, views FROM posts WHERE user_id {condition} ORDER BY id", parameters):
                by_key[row[1]].append(Post(*row))
            return users

        return work

    populate_default = populate

    def populate_mn(self) -> Work:
        def work() -> Any:
            posts = [TaggedPost(*row) for row in self.fetch("SELECT id, user_id, title, body, views FROM posts ORDER BY id")]
            by_key = {post.id: post.tags for post in posts}
            condition, parameters = self.among(list(by_key))
            text = (
                "SELECT l.post_id, t.id, t.name, l.weight FROM post_tags l JOIN tags t ON t.id = l.tag_id "
                f"WHERE l.post_id {condition} ORDER BY l.post_id, l.tag_id"
            )
            for post_id, id, name, weight in self.fetch(text, parameters):
                by_key[post_id].append(Tag(id, name, Link(post_id, id, weight)))
            return posts

        return work

    populate_mn_default = populate_mn

    def populate_mn_read(self) -> Work:
        populate = self.populate_mn()
        return lambda: sum(tag.link.weight for post in populate() for tag in post.tags)

    def top3(self) -> Work:
        def work() -> Any:
            users = self.users()
            by_key = {user.id: user.posts for user in users}
            condition, parameters = self.among(list(by_key))
            text = (
                "SELECT id, user_id, title, body, views FROM (SELECT id, user_id, title, body, views, "
                "ROW_NUMBER() OVER (PARTITION BY user_id ORDER BY views DESC, id) AS place "
                f"FROM posts WHERE user_id {condition}) AS ranked WHERE place <= 3 ORDER BY user_id, place"
            )
            for row in self.fetch(text, parameters):
                by_key[row[1]].append(Post(*row))
            return users

        return work

    def hydrate(self) -> Work:
        return lambda: [Post(*row) for row in self.fetch("SELECT id, user_id, title, body, views FROM posts")]

    def has(self) -> Work:
        posts, tag = self.posts(self.size.work(1_000)), self.size.tag
        text = self.sql("SELECT 1 FROM post_tags WHERE tag_id = ? AND post_id = ? LIMIT 1")

        def work() -> Any:
            fetch = self.fetch
            return [bool(fetch(text, (tag, post.id))) for post in posts]

        return work

    def has_all(self) -> Work:
        posts = self.posts(self.size.work(500))

        def work() -> Any:
            keys = {post.id for post in posts}
            condition, parameters = self.among(list(keys))
            text = self.sql("SELECT COUNT(*) FROM post_tags WHERE tag_id = ? AND post_id ") + condition
            return self.fetch(text, [self.size.tag, *parameters])[0][0] == len(keys)

        return work

    # Writing

    def link(self) -> Work:
        posts, tag = self.posts(self.size.work(1_000)), self.size.tag

        def work() -> Any:
            keys = list({post.id: None for post in posts})
            condition, parameters = self.among(keys)
            text = self.sql("SELECT post_id, weight FROM post_tags WHERE tag_id = ? AND post_id ") + condition
            there = dict(self.fetch(text, [tag, *parameters]))
            new = [(key, tag, WEIGHT) for key in keys if key not in there]
            changed = [(WEIGHT, key, tag) for key, weight in there.items() if weight != WEIGHT]
            self.write(new, changed)
            return len(new)

        return work

    link_again = link

    def replace(self) -> Work:
        first = self.size.work(500) // 2
        posts, tag = self.posts(first + self.size.work(500))[first:], self.size.tag

        def work() -> Any:
            keys = {post.id: None for post in posts}
            there = dict(self.fetch(self.sql("SELECT post_id, weight FROM post_tags WHERE tag_id = ?"), [tag]))
            new = [(key, tag, WEIGHT) for key in keys if key not in there]
            changed = [(WEIGHT, key, tag) for key in keys if there.get(key, WEIGHT) != WEIGHT]
            self.write(new, changed, [key for key in there if key not in keys])

        return work

    def write(self, new: list[Any], changed: list[Any], gone: list[int] | None = None) -> None:
        if not (new or changed or gone):
            return
        cursor, sql = self.cursor, self.sql
        cursor.execute(self.begin)
        try:
            if gone:
                condition, parameters = self.among(gone)
                cursor.execute(sql("DELETE FROM post_tags WHERE tag_id = ? AND post_id ") + condition, [self.size.tag, *parameters])
            if new:
                cursor.executemany(sql("INSERT INTO post_tags (post_id, tag_id, weight) VALUES (?, ?, ?)"), new)
            if changed:
                cursor.executemany(sql("UPDATE post_tags SET weight = ? WHERE post_id = ? AND tag_id = ?"), changed)
        except BaseException:
            cursor.execute("ROLLBACK")
            raise
        cursor.execute("COMMIT")

    INSERT = "INSERT INTO posts (user_id, title, body, views) VALUES (?, ?, ?, ?)"

    def create(self) -> Work:
        values = self.size.new_posts()
        text = self.sql(self.INSERT + (" RETURNING id" if self.store == "postgresql" else ""))

        def work() -> Any:
            cursor, made = self.connection.cursor(), []
            cursor.execute(self.begin)
            for each in values:
                row = (each["user_id"], each["title"], each["body"], each["views"])
                cursor.execute(text, row)
                made.append(Post(cursor.fetchone()[0] if self.store == "postgresql" else cursor.lastrowid, *row))
            cursor.execute("COMMIT")
            return made

        return work

    def create_bulk(self) -> Work:
        values = self.size.new_posts()

        def work() -> Any:
            cursor = self.cursor
            cursor.execute(self.begin)
            cursor.executemany(self.sql(self.INSERT), [(each["user_id"], each["title"], each["body"], each["views"]) for each in values])
            cursor.execute("COMMIT")

        return work

    def create_records(self) -> Work:
        values = [{**each, "user_id": 1} for each in self.size.new_posts()]

        def work() -> Any:
            cursor = self.connection.cursor()
            rows = [(1, each["title"], each["body"], each["views"]) for each in values]
            marks = ", ".join(["(?, ?, ?, ?)"] * len(rows))
            text = f"INSERT INTO posts (user_id, title, body, views) VALUES {marks} RETURNING id"
            cursor.execute(self.begin)
            cursor.execute(self.sql(text), [value for row in rows for value in row])
            made = [Post(key, *row) for (key,), row in zip(cursor.fetchall(), rows, strict=True)]
            cursor.execute("COMMIT")
            return made

        return work
