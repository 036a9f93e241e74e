"""Models on an asyncio database, with an array of ids: each method has a twin that is awaited."""

from __future__ import annotations

from feed_assoc import CommentAssociations, HashtagAssociations, PostAssociations
from peewee import CharField, TextField

from activeassoc import Model, connect

db = connect("sqlite+aiosqlite://")


class Base(Model):
    class Meta:
        database = db


class Hashtag(HashtagAssociations, Base):
    text = CharField()


class Post(PostAssociations, Base):
    caption = TextField()

    def count_comments(self) -> str:
        return "many"


class Comment(CommentAssociations, Base):
    text = TextField()


hashtags = Post.references_many(Hashtag)
Post.references_many("self", "related")
Post.has_many(Comment)
Comment.belongs_to(Post)
Hashtag.has_many(Post, "favourites", through="favourites")
