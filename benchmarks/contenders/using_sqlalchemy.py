"""SQLAlchemy's ORM, as its documentation advises: relationships, selectinload, an association object, insert() for many rows."""

from __future__ import annotations

from typing import Any

import sqlalchemy
from sqlalchemy import ForeignKey, String, Text, create_engine, delete, event, func, insert, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, aliased, contains_eager, joinedload, mapped_column, relationship, selectinload

from contenders import contract
from contenders.contract import Work
from dataset import WEIGHT, Size
from places import PRAGMAS, Place

SCHEMES = {"sqlite": "sqlite", "postgresql": "postgresql+psycopg", "mariadb": "mysql+pymysql"}


class Base(DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(255))
    email: Mapped[str] = mapped_column(String(255))
    posts: Mapped[list[Post]] = relationship(back_populates="user", order_by="Post.id")


class Post(Base):
    __tablename__ = "posts"
    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    title: Mapped[str] = mapped_column(String(255))
    body: Mapped[str] = mapped_column(Text)
    views: Mapped[int]
    user: Mapped[User] = relationship(back_populates="posts")
    links: Mapped[list[PostTag]] = relationship(back_populates="post", order_by="PostTag.tag_id")


class Tag(Base):
    __tablename__ = "tags"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(255))


class PostTag(Base):
    __tablename__ = "post_tags"
    post_id: Mapped[int] = mapped_column(ForeignKey("posts.id"), primary_key=True)
    tag_id: Mapped[int] = mapped_column(ForeignKey("tags.id"), primary_key=True)
    weight: Mapped[int]
    post: Mapped[Post] = relationship(back_populates="links")
    tag: Mapped[Tag] = relationship()


def _pragmas(connection: Any, record: Any) -> None:
    for name, value in PRAGMAS.items():
        connection.execute(f"PRAGMA {name} = {value}")


class Contender(contract.Contender):
    def __init__(self, place: Place, size: Size) -> None:
        super().__init__(place, size)
        self.engine = create_engine(place.url(SCHEMES[place.store]))
        if place.store == "sqlite":
            event.listen(self.engine, "connect", _pragmas)
        self.session = Session(self.engine)

    @staticmethod
    def versions() -> str:
        return f"SQLAlchemy {sqlalchemy.__version__}"

    def close(self) -> None:
        self.session.close()
        self.engine.dispose()

    def new(self) -> Session:
        """A session that holds nothing, so that nothing comes from memory; the former one's transaction is over."""
        self.session.close()
        self.session = Session(self.engine)
        return self.session

    def tag(self, link: Any) -> list[object]:
        return [link.tag.id, link.tag.name, link.weight]

    def tags_of(self, post: Any) -> list[Any]:
        return list(post.links)

    def posts(self, first: int, amount: int) -> list[Any]:
        """Posts in a new session. The tag at hand is loaded beside them."""
        found = list(self.new().scalars(select(Post).order_by(Post.id).offset(first).limit(amount)))
        self.session.get_one(Tag, self.size.tag)
        return found

    # Reading

    def getter(self) -> Work:
        users = list(self.new().scalars(select(User).order_by(User.id).limit(self.size.work(300))))
        return lambda: [user.posts for user in users]

    def links_of(self, post: Any) -> list[Any]:
        query = select(PostTag).where(PostTag.post_id == post.id).options(joinedload(PostTag.tag, innerjoin=True)).order_by(PostTag.tag_id)
        return list(self.session.scalars(query))

    def getter_mn(self) -> Work:
        posts = self.posts(0, self.size.work(300))
        return lambda: [self.links_of(post) for post in posts]

    def getter_mn_read(self) -> Work:
        posts = self.posts(0, self.size.work(300))
        return lambda: sum(link.weight for post in posts for link in self.links_of(post))

    def populate(self) -> Work:
        session = self.new()
        return lambda: list(session.scalars(select(User).order_by(User.id).options(selectinload(User.posts))))

    def populate_mn(self) -> Work:
        session = self.new()
        links = selectinload(Post.links).joinedload(PostTag.tag, innerjoin=True)
        return lambda: list(session.scalars(select(Post).order_by(Post.id).options(links)))

    def populate_mn_read(self) -> Work:
        populate = self.populate_mn()
        return lambda: sum(link.weight for post in populate() for link in post.links)

    def top3(self) -> Work:
        session = self.new()

        def work() -> Any:
            place = func.row_number().over(partition_by=Post.user_id, order_by=(Post.views.desc(), Post.id)).label("place")
            ranked = select(Post, place).subquery()
            best = aliased(Post, ranked)
            query = select(User).join(best, User.posts.of_type(best)).where(ranked.c.place <= 3)
            query = query.order_by(User.id, ranked.c.place).options(contains_eager(User.posts.of_type(best)))
            return list(session.scalars(query).unique())

        return work

    def hydrate(self) -> Work:
        session = self.new()
        return lambda: list(session.scalars(select(Post)))

    def has(self) -> Work:
        posts, tag = self.posts(0, self.size.work(1_000)), self.size.tag
        session = self.session

        def has(post: Any) -> bool:
            return bool(session.scalar(select(select(PostTag).where(PostTag.tag_id == tag, PostTag.post_id == post.id).exists())))

        return lambda: [has(post) for post in posts]

    def has_all(self) -> Work:
        posts, tag = self.posts(0, self.size.work(500)), self.size.tag
        session = self.session

        def work() -> Any:
            query = select(func.count()).where(PostTag.tag_id == tag, PostTag.post_id.in_([post.id for post in posts]))
            return session.scalar(query) == len(posts)

        return work

    # Writing

    def link(self) -> Work:
        posts, tag = self.posts(0, self.size.work(1_000)), self.size.tag
        session = self.session

        def work() -> Any:
            there = select(PostTag.post_id).where(PostTag.tag_id == tag, PostTag.post_id.in_([post.id for post in posts]))
            known = set(session.scalars(there))
            session.add_all(PostTag(post_id=post.id, tag_id=tag, weight=WEIGHT) for post in posts if post.id not in known)
            session.commit()

        return work

    link_again = link

    def replace(self) -> Work:
        first = self.size.work(500) // 2
        posts, tag = self.posts(first, self.size.work(500)), self.size.tag
        session = self.session

        def work() -> Any:
            there = set(session.scalars(select(PostTag.post_id).where(PostTag.tag_id == tag)))
            gone = there - {post.id for post in posts}
            session.execute(delete(PostTag).where(PostTag.tag_id == tag, PostTag.post_id.in_(gone)))
            session.add_all(PostTag(post_id=post.id, tag_id=tag, weight=WEIGHT) for post in posts if post.id not in there)
            session.commit()

        return work

    def create(self) -> Work:
        values, session = self.size.new_posts(), self.new()

        def work() -> Any:
            made = []
            for each in values:
                post = Post(**each)
                session.add(post)
                session.flush()  # the row is there, and its key is known, before the next one
                made.append(post)
            session.commit()
            return made

        return work

    def create_bulk(self) -> Work:
        values, session = self.size.new_posts(), self.new()

        def work() -> Any:
            session.execute(insert(Post), values)
            session.commit()

        return work

    def create_records(self) -> Work:
        values, session = self.size.new_posts(), self.new()
        user = session.get_one(User, 1)

        def work() -> Any:
            made = [Post(user=user, title=each["title"], body=each["body"], views=each["views"]) for each in values]
            session.add_all(made)
            session.commit()
            return made

        return work
