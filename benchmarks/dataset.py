"""The tables and rows that every contender works on: users have posts, posts and tags are many-to-many, and a link has a weight.

The rows follow from their numbers, so that every run and every contender has the same. Map: `Size` says how many of everything there
are; `rows` makes them; `SCHEMA` are the statements that make the tables, by store.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

#: Links of one post.
LINKS = 5
#: What a post says, about a hundred characters.
BODY = "Post number {}." + " Declare how models belong together." * 2
#: The weight of the links that are written while measuring.
WEIGHT = 7


class Size(NamedTuple):
    """How many of everything: the data grow with the scale, the work of one call only up to scale 1."""

    scale: float

    @property
    def users(self) -> int:
        return max(10, round(1_000 * self.scale))

    @property
    def posts(self) -> int:
        return 10 * self.users

    @property
    def tags(self) -> int:
        return max(10, round(200 * self.scale))

    @property
    def tag(self) -> int:
        """The tag that has no posts: links are written to it, and taken away again."""
        return self.tags

    def work(self, amount: int) -> int:
        return max(4, round(amount * min(1.0, self.scale)))

    def new_posts(self) -> list[dict[str, object]]:
        """The values of the posts that are created."""
        return [
            {"user_id": number % self.users + 1, "title": f"new post {number}", "body": BODY.format(number), "views": number}
            for number in range(1, self.work(5_000) + 1)
        ]


def rows(size: Size) -> dict[str, Iterator[tuple[object, ...]]]:
    """The rows of every table, in the order of their columns and of the tables' creation."""
    users, tags = size.users, size.tags - 1
    step = tags // LINKS
    return {
        "users": ((number, f"user {number}", f"user{number}@example.com") for number in range(1, users + 1)),
        "posts": ((n, (n - 1) % users + 1, f"post {n}", BODY.format(n), n * 7919 % 1_000_003) for n in range(1, size.posts + 1)),
        "tags": ((number, f"tag {number}") for number in range(1, size.tags + 1)),
        "post_tags": (
            (number, (number + each * step) % tags + 1, (number * 31 + each) % 100)
            for number in range(1, size.posts + 1)
            for each in range(LINKS)
        ),
    }


_TABLES = """
CREATE TABLE users (id {key}, name {text} NOT NULL, email {text} NOT NULL);
CREATE TABLE posts (
    id {key},
    user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    title {text} NOT NULL,
    body TEXT NOT NULL,
    views INTEGER NOT NULL
);
CREATE TABLE tags (id {key}, name {text} NOT NULL);
CREATE TABLE post_tags (
    post_id INTEGER NOT NULL REFERENCES posts (id) ON DELETE CASCADE,
    tag_id INTEGER NOT NULL REFERENCES tags (id) ON DELETE CASCADE,
    weight INTEGER NOT NULL,
    PRIMARY KEY (post_id, tag_id)
);
CREATE INDEX posts_user_id ON posts (user_id);
CREATE INDEX post_tags_tag_id ON post_tags (tag_id)
"""

SCHEMA: dict[str, list[str]] = {
    store: [statement.strip() for statement in _TABLES.format(key=key, text=text).split(";")]
    for store, key, text in (
        ("sqlite", "INTEGER NOT NULL PRIMARY KEY", "VARCHAR(255)"),
        ("postgresql", "SERIAL PRIMARY KEY", "VARCHAR(255)"),
        ("mariadb", "INTEGER NOT NULL AUTO_INCREMENT PRIMARY KEY", "VARCHAR(255)"),
    )
}
