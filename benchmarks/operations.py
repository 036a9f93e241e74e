"""What is measured, and how fast it is meant to be: two tables, and nothing else knows either.

Map: `Operation` is one line of the results; `OPERATIONS` are all of them; `MEASURES` are the targets that are no operation.
"""

from __future__ import annotations

from typing import NamedTuple


class Operation(NamedTuple):
    """One line of the results. `targets` are at most × raw, by store; `ahead` is by how much activeassoc is to lead a peer on SQLite."""

    name: str
    title: str
    targets: dict[str, float]
    ahead: dict[str, float]
    writes: str | None = None
    """The rows that are compared with those that raw leaves, ``links`` or ``posts``. Of what only reads the result is compared."""
    linked: int = 0
    """The posts that the tag at hand has before it begins."""
    only: tuple[str, ...] = ()
    """The contenders for which it says anything; all, where it is empty."""


def at_most(sqlite: float, postgresql: float, mariadb: float = 1.3) -> dict[str, float]:
    return {"sqlite": sqlite, "postgresql": postgresql, "mariadb": mariadb}


def lead(sqlalchemy: float, peewee: float) -> dict[str, float]:
    return {"sqlalchemy": sqlalchemy, "peewee": peewee}


#: A line that has no default limit would be the same twice.
LIMITED = ("raw", "activeassoc")

OPERATIONS: dict[str, Operation] = {
    operation.name: operation
    for operation in (
        Operation("getter", "posts of one user, 300 times", at_most(1.35, 1.25), lead(5, 5)),
        Operation("getter_mn", "tags of one post with the link's attribute, 300 times", at_most(1.5, 1.25), lead(12, 12)),
        Operation("getter_mn_read", "the same, and each attribute read", {}, {}),
        Operation("populate", "1,000 users and their 10,000 posts", at_most(1.8, 1.7), lead(3, 2.5)),
        Operation("populate_default", "the same, with the default limit for each user", at_most(1.8, 1.7), {}, only=LIMITED),
        Operation("populate_mn", "10,000 posts and their 50,000 tags with the link's attribute", at_most(2.6, 2.7, 1.5), lead(6, 2.4)),
        Operation("populate_mn_default", "the same, with the default limit for each post", at_most(2.6, 2.7, 1.5), {}, only=LIMITED),
        Operation("populate_mn_read", "the same without limit, and each attribute read", {}, {}),
        Operation("top3", "the top 3 posts of each of 1,000 users", at_most(1.2, 1.4), lead(2.8, 1.35)),
        Operation("link", "link a tag to 1,000 posts in one call", at_most(1.2, 1.1), lead(14, 4.5), "links"),
        Operation("link_again", "link them again: nothing to do", at_most(1.5, 1.3), lead(4.5, 6), "links", 1_000),
        Operation("replace", "replace 500 links by 500, half the same", at_most(1.2, 1.1), lead(20, 4), "links", 500),
        Operation("has", "is this post linked to the tag? 1,000 times", at_most(1.35, 1.15), lead(18, 22), None, 500),
        Operation("has_all", "are all of these 500 posts linked to the tag?", at_most(1.8, 1.2), lead(3.5, 7), None, 500),
        Operation("create", "create 5,000 posts one by one in one transaction", at_most(1.8, 1.15), lead(20, 8.5), "posts"),
        Operation("create_bulk", "insert 5,000 posts in one call", at_most(2.1, 1.3), lead(1.2, 2.4), "posts"),
        Operation("create_records", "create 5,000 posts of a user in one call, and have the records", {}, {}, "posts"),
        Operation("hydrate", "10,000 posts as records", at_most(1.3, 1.4), lead(3.4, 3)),
    )
}


class Measure(NamedTuple):
    """A target that is no operation: what it is, its unit, and the most that it may be."""

    title: str
    unit: str
    target: float


MEASURES: dict[str, Measure] = {
    "import_time": Measure("`import activeassoc` after `import peewee`", "ms", 15),
    "import_memory": Measure("memory of the same", "MB", 2),
    "memory_raw": Measure("memory growth of the largest populate, × raw", "×", 2.2),
    "memory_peewee": Measure("memory growth of the largest populate, × peewee", "×", 0.7),
}

#: From scale 1 to 10 a line may grow by this much: linear, and a little for caches that no longer hold.
GROWTH = 13.0
GROWING = ("populate", "populate_mn", "top3", "hydrate")
LARGEST = "populate_mn"
