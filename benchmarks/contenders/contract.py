"""What a contender has to have: a method for each operation, and how its records are read to compare the results.

A method prepares (outside of the measured time: the records at hand are loaded, new and clean) and returns the work as a function
without arguments. What that returns is compared with raw's, by `plain`, outside of the measured time as well.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dataset import Size
from places import Place

Work = Callable[[], Any]


class Contender:
    """An ORM on one database. Operations that it does not have stand in `missing`, with the reason."""

    missing: dict[str, str] = {}

    def __init__(self, place: Place, size: Size) -> None:
        self.place, self.size = place, size

    @staticmethod
    def versions() -> str:
        raise NotImplementedError

    def close(self) -> None:
        """Called once, at the end."""

    # How records are read, for comparing: what is said here holds where names and columns agree.

    def post(self, post: Any) -> list[object]:
        return [post.id, post.user_id, post.title, post.body, post.views]

    def posts_of(self, user: Any) -> list[Any]:
        return list(user.posts)

    def tag(self, tag: Any) -> list[object]:
        """A tag that was reached over a link: id, name, weight."""
        raise NotImplementedError

    def tags_of(self, post: Any) -> list[Any]:
        raise NotImplementedError

    def plain(self, name: str, result: Any) -> Any:
        """The result of an operation as lists of numbers and texts, in its order."""
        match name:
            case "getter":
                return [[self.post(post) for post in posts] for posts in result]
            case "getter_mn":
                return [[self.tag(tag) for tag in tags] for tags in result]
            case "populate" | "populate_default" | "top3":
                return [[user.id, user.name, user.email, [self.post(post) for post in self.posts_of(user)]] for user in result]
            case "populate_mn" | "populate_mn_default":
                return [[*self.post(post), [self.tag(tag) for tag in self.tags_of(post)]] for post in result]
            case "hydrate":
                return [self.post(post) for post in result]
            case "has":
                return [int(each) for each in result]
            case "has_all" | "getter_mn_read" | "populate_mn_read":
                return int(result)
        return None  # it is compared by the rows that it leaves
