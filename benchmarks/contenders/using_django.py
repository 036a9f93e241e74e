"""Django's ORM, as its documentation advises: prefetch_related with Prefetch, through_defaults, bulk_create."""

from __future__ import annotations

from typing import Any

import django
from django.conf import settings

from contenders import contract
from contenders.contract import Work
from dataset import WEIGHT, Size
from places import PRAGMAS, Place

if not settings.configured:
    settings.configure(DATABASES={}, INSTALLED_APPS=["contenders"], DEFAULT_AUTO_FIELD="django.db.models.AutoField", USE_TZ=False)
    django.setup()

from django.db import connections, models, transaction  # only now that there are settings
from django.db.models import F, Prefetch

ENGINES = {"sqlite": "sqlite3", "postgresql": "postgresql", "mariadb": "mysql"}


class User(models.Model):
    name = models.CharField(max_length=255)
    email = models.CharField(max_length=255)

    class Meta:
        db_table = "users"


class Post(models.Model):
    user = models.ForeignKey(User, models.CASCADE, related_name="posts")
    title = models.CharField(max_length=255)
    body = models.TextField()
    views = models.IntegerField()

    class Meta:
        db_table = "posts"


class Tag(models.Model):
    name = models.CharField(max_length=255)
    posts = models.ManyToManyField(Post, through="PostTag", related_name="tags")

    class Meta:
        db_table = "tags"


class PostTag(models.Model):
    pk = models.CompositePrimaryKey("post_id", "tag_id")
    post = models.ForeignKey(Post, models.CASCADE, related_name="links")
    tag = models.ForeignKey(Tag, models.CASCADE, related_name="links")
    weight = models.IntegerField()

    class Meta:
        db_table = "post_tags"


def described(place: Place) -> dict[str, Any]:
    """The database as Django's settings say it."""
    told: dict[str, Any] = {"ENGINE": f"django.db.backends.{ENGINES[place.store]}", "NAME": place.database}
    if place.store == "sqlite":
        pragmas = "; ".join(f"PRAGMA {name} = {value}" for name, value in PRAGMAS.items())
        return {**told, "OPTIONS": {"init_command": pragmas, "transaction_mode": "IMMEDIATE"}}
    told.update(HOST=place.host, PORT=str(place.port), USER=place.user, PASSWORD=place.password)
    return told


class Contender(contract.Contender):
    def __init__(self, place: Place, size: Size) -> None:
        super().__init__(place, size)
        if place.store == "mariadb":
            import pymysql

            # Django's own driver has to be compiled; pymysql stands in for it, as its documentation describes.
            pymysql.version_info = (2, 2, 7, "final", 0)
            pymysql.install_as_MySQLdb()
        settings.DATABASES["default"] = described(place)
        connections.settings = connections.configure_settings(settings.DATABASES)

    @staticmethod
    def versions() -> str:
        return f"Django {django.__version__}"

    def close(self) -> None:
        connections.close_all()

    def tags_of(self, post: Any) -> list[Any]:
        return list(post.links.all())

    def tag(self, link: Any) -> list[object]:
        return [link.tag.id, link.tag.name, link.weight]

    def posts(self, first: int, amount: int) -> list[Any]:
        return list(Post.objects.order_by("id")[first : first + amount])

    # Reading

    def getter(self) -> Work:
        users = list(User.objects.order_by("id")[: self.size.work(300)])
        return lambda: [list(user.posts.order_by("id")) for user in users]

    def links_of(self, post: Any) -> list[Any]:
        return list(post.links.select_related("tag").order_by("tag_id"))

    def getter_mn(self) -> Work:
        posts = self.posts(0, self.size.work(300))
        return lambda: [self.links_of(post) for post in posts]

    def getter_mn_read(self) -> Work:
        posts = self.posts(0, self.size.work(300))
        return lambda: sum(link.weight for post in posts for link in self.links_of(post))

    def populate(self) -> Work:
        return lambda: list(User.objects.order_by("id").prefetch_related(Prefetch("posts", Post.objects.order_by("id"))))

    def populate_mn(self) -> Work:
        def work() -> Any:
            links = PostTag.objects.select_related("tag").order_by("post_id", "tag_id")
            return list(Post.objects.order_by("id").prefetch_related(Prefetch("links", links)))

        return work

    def populate_mn_read(self) -> Work:
        populate = self.populate_mn()
        return lambda: sum(link.weight for post in populate() for link in post.links.all())

    def posts_of(self, user: Any) -> list[Any]:
        return user.best if hasattr(user, "best") else list(user.posts.all())

    def top3(self) -> Work:
        def work() -> Any:
            best = Post.objects.order_by(F("views").desc(), "id")[:3]
            return list(User.objects.order_by("id").prefetch_related(Prefetch("posts", best, to_attr="best")))

        return work

    def hydrate(self) -> Work:
        return lambda: list(Post.objects.all())

    def has(self) -> Work:
        posts, tag = self.posts(0, self.size.work(1_000)), Tag.objects.get(pk=self.size.tag)
        return lambda: [tag.posts.filter(pk=post.pk).exists() for post in posts]

    def has_all(self) -> Work:
        posts, tag = self.posts(0, self.size.work(500)), Tag.objects.get(pk=self.size.tag)
        return lambda: tag.posts.filter(pk__in=[post.pk for post in posts]).count() == len(posts)

    # Writing

    def link(self) -> Work:
        posts, tag = self.posts(0, self.size.work(1_000)), Tag.objects.get(pk=self.size.tag)
        return lambda: tag.posts.add(*posts, through_defaults={"weight": WEIGHT})

    link_again = link

    def replace(self) -> Work:
        first = self.size.work(500) // 2
        posts, tag = self.posts(first, self.size.work(500)), Tag.objects.get(pk=self.size.tag)
        return lambda: tag.posts.set(posts, through_defaults={"weight": WEIGHT})

    def create(self) -> Work:
        values = self.size.new_posts()

        def work() -> Any:
            with transaction.atomic():
                return [Post.objects.create(**each) for each in values]

        return work

    def create_bulk(self) -> Work:
        values = self.size.new_posts()
        return lambda: Post.objects.bulk_create([Post(**each) for each in values])

    def create_records(self) -> Work:
        values, user = self.size.new_posts(), User.objects.get(pk=1)

        def work() -> Any:
            made = [Post(user=user, title=each["title"], body=each["body"], views=each["views"]) for each in values]
            return Post.objects.bulk_create(made)

        return work
