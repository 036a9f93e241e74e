"""references_many: an array of another model's ids in one column, in order, without repeats; the other model knows nothing of it."""

from __future__ import annotations

import copy
import datetime
import decimal
import pickle
import uuid
from types import SimpleNamespace
from typing import Any

import peewee
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from looking import together
from peewee import CharField

from activeassoc import (
    CriteriaError,
    DeclarationError,
    LazyLoadError,
    ObjectIdField,
    RecordNotFound,
    TransactionAborted,
    UnfitValue,
    UnknownName,
    UnsavedRecordError,
    UnsupportedQuery,
    WrongArgument,
    WrongTarget,
    check,
    delete_plan,
    lazy_policy,
    populate,
    sync,
)
from activeassoc.associations import array
from activeassoc.associations.base import methods_of
from activeassoc.stores.sql import store_of
from activeassoc.testing import assert_queries


def model(base: Any, title: str, /, **fields: Any) -> Any:
    return type(base)(title, (base,), {**fields, "__module__": __name__, "__qualname__": title})


def blog(near: Any, far: Any = None, *texts: str) -> Any:
    """Posts with hashtags, which may stand in another database; a hashtag for each text."""
    t = SimpleNamespace(Post=model(near, "Post", caption=CharField(null=True)), Hashtag=model(far or near, "Hashtag", text=CharField()))
    t.hashtags = t.Post.references_many(t.Hashtag)
    t.db = t.Post._meta.database
    sync(t.Post, t.Hashtag)
    t.tags = [t.Hashtag.create(text=text) for text in texts or ("sea", "sun", "sand")]
    t.sea, t.sun, t.sand = (tag.id for tag in t.tags[:3])
    return t


@pytest.fixture
def t(Base: Any) -> Any:
    return blog(Base)


def stored(post: Any) -> list[Any]:
    """The array in the database."""
    return list(type(post).get_by_id(post._pk).hashtag_ids)


def texts(records: Any) -> list[str]:
    return [record.text for record in records]


# What it is


@pytest.mark.every_store
def test_the_story_of_the_guide(t: Any) -> None:
    """L1, R19 without REST: order kept, no repeats, a plain attribute, and the target has no method of it."""
    post = t.Post.create(caption="Fine", hashtags=[t.sun, t.sea, t.sun])
    assert post.hashtag_ids == stored(post) == [t.sun, t.sea]
    assert not t.Hashtag.associations and not hasattr(t.Hashtag, "get_posts") and len(t.db.get_tables()) == 2
    assert t.Post.create().hashtag_ids == []
    assert post.set_hashtags([t.sea]) == [t.tags[0]] and post.add_hashtags([t.sun, t.sea]) == 1 and post.add_hashtag(t.tags[2]) == 1
    assert texts(post.get_hashtags()) == texts(post.hashtags) == ["sea", "sun", "sand"] and stored(post) == post.hashtag_ids
    assert post.remove_hashtag(t.sun) == 1 and post.remove_hashtags([t.sun, t.sea]) == 1 and stored(post) == [t.sand]
    record = t.Post.get_by_id(post.id)
    record.hashtags = [t.sea, t.Hashtag.get_by_id(t.sand)]
    record.save()
    assert stored(post) == [t.sea, t.sand] and texts(record.get_hashtags()) == ["sea", "sand"] and record.has_hashtag(t.sea)
    assert not sync(t.db, dry_run=True), "the database has what is declared"


@pytest.mark.every_store
def test_all_ten_methods(t: Any) -> None:
    """C9, C10, C11, L1: what they return, and the options of the getter."""
    post = t.Post.create(hashtags=[t.sand, t.sea])
    made = post.create_hashtag(text="sky")
    more = post.create_hashtags([{"text": "surf"}, {"text": "swim"}])
    every = [t.sand, t.sea, made.id, *(each.id for each in more)]
    assert stored(post) == every and post.count_hashtags() == 5
    assert post.count_hashtags(where=t.Hashtag.text.in_(["sea", "surf", "sun"])) == 2
    assert texts(post.get_hashtags(order="-text", limit=2, offset=1)) == ["surf", "sky"]
    assert texts(post.get_hashtags(limit=2, offset=1)) == ["sea", "sky"] and post.get_hashtags(limit=0) == []
    assert texts(post.get_hashtags(where={"text": ["swim", "sand"]})) == ["sand", "swim"]
    assert [tag.__data__ for tag in post.get_hashtags(attributes=["id"], limit=1)] == [{"id": t.sand}]
    assert post.has_hashtag(t.sea) and post.has_hashtag([t.sea, made])
    assert not post.has_hashtag([t.sea, t.sun]) and not post.has_hashtag(None)
    assert post.has_hashtags(reversed(every)) and not post.has_hashtags(every[1:]) and post.has_hashtags(every[1:], exact=False)
    assert not post.has_hashtags([]) and t.Post.create().has_hashtags([])
    assert post.add_hashtags([t.sea, t.sea]) == post.remove_hashtag(t.sun) == post.add_hashtag(None) == 0 and stored(post) == every
    assert post.set_hashtags([t.tags[1], t.sea, t.sun]) == [t.tags[1], t.tags[0]] and stored(post) == [t.sun, t.sea]
    assert post.set_hashtags(None) == [] == stored(post)
    assert sorted(methods_of(t.hashtags)) == [
        *("add_hashtag", "add_hashtags", "count_hashtags", "create_hashtag", "create_hashtags", "get_hashtags", "has_hashtag"),
        *("has_hashtags", "remove_hashtag", "remove_hashtags", "set_hashtags"),
    ]


def test_costs(t: Any) -> None:
    """L1: what each call costs."""
    post = t.Post.create(hashtags=[t.sea])
    locks = int(store_of(t.db).row_locks)  # the array is read with the lock, which is not counted
    for cost, call in (
        (2, lambda: post.get_hashtags()),
        (2, lambda: post.count_hashtags()),
        (2, lambda: post.has_hashtag(t.sea)),
        (3 - locks, lambda: post.add_hashtags([t.sun, t.sand])),
        (2 - locks, lambda: post.add_hashtag(t.sun)),
        (2 - locks, lambda: post.remove_hashtag(t.sun)),
        (3 - locks, lambda: post.set_hashtags([t.sun])),
        (3 - locks, lambda: post.create_hashtag(text="new")),
        (1, lambda: t.Post.get_by_id(post.id)),
        (0, lambda: post.hashtag_ids),
    ):
        with assert_queries(cost):
            call()


@pytest.mark.every_store
def test_the_attribute(t: Any) -> None:
    """L1: hashtags and hashtag_ids are what the record holds, and save() writes them; instances at hand need no query."""
    post = t.Post.create(hashtags=t.Hashtag.select().order_by(t.Hashtag.text))
    assert post.hashtag_ids == [t.sand, t.sea, t.sun]
    post.hashtags = reversed(t.tags)
    with assert_queries(0):
        assert post.hashtags == [*reversed(t.tags)] and post.hashtag_ids == [t.sand, t.sun, t.sea]
    assert texts(post.get_hashtags()) == ["sand", "sea", "sun"], "the methods ask the database"
    post.save()
    assert stored(post) == [t.sand, t.sun, t.sea]
    post.hashtag_ids = (t.sun, str(t.sun) if isinstance(t.sun, int) else t.sun)
    assert texts(post.hashtags) == ["sun"] and post.hashtag_ids == [t.sun]
    post.hashtag_ids.append(t.sea)
    post.save()
    assert stored(post) == [t.sun, t.sea]
    post.hashtags = None
    post.save()
    assert stored(post) == []
    new = t.Post(hashtags=[t.sea])
    assert texts(new.hashtags) == ["sea"] and new.get_hashtags() == [] and new.count_hashtags() == 0 and not new.has_hashtag(t.sea)
    new.save()
    assert stored(new) == [t.sea]


def test_save_writes_back_no_array_that_it_only_read(t: Any) -> None:
    """F8, L1: what others have added since is not undone by saving another column; without changes there is nothing to write."""
    post = t.Post.create(caption="a", hashtags=[t.sea])
    mine, other = t.Post.get_by_id(post.id), t.Post.get_by_id(post.id)
    other.add_hashtag(t.sun)
    mine.caption = "b"
    for record in (mine, post):
        with assert_queries(1):
            record.save()
        assert stored(post) == [t.sea, t.sun]
    mine.hashtag_ids = [t.sand]
    mine.save(only=[t.Post.caption])
    assert stored(post) == [t.sea, t.sun] and mine.hashtag_ids == [t.sand]
    with assert_queries(2):
        mine.save()
    assert stored(post) == [t.sand]

    class Alone(t.Post.__mro__[1]):
        pass

    Alone.references_many(t.Hashtag)
    sync(Alone)
    alone = Alone.create(hashtags=[t.sea])
    with assert_queries(0):
        assert Alone.get_by_id.__self__ is Alone and alone.save() == 0


@pytest.mark.every_store
def test_the_column_in_queries(t: Any) -> None:
    """J2, J3: as in any query of peewee's; what can be no list of keys raises, and ids are not looked up."""
    Post = t.Post
    Post.insert_many([{"caption": "a", "hashtag_ids": [t.sea]}, {"caption": "b", "hashtag_ids": [t.sun, t.sea, t.sun]}]).execute()
    one, two = Post.select().order_by(Post.id)
    assert (one.hashtag_ids, two.hashtag_ids) == ([t.sea], [t.sun, t.sea])
    if store_of(t.db).expressions:
        one.hashtag_ids, two.hashtag_ids = [t.tags[2]], []
        assert Post.bulk_update([one, two], [Post.hashtag_ids]) == 2
        assert stored(one) == [t.sand] and stored(two) == []
    Post.update(hashtag_ids=[t.sand, t.sun]).where(Post.id == two.id).execute()
    assert stored(two) == [t.sand, t.sun] and Post.select().where(Post.caption == "b").dicts()[0]["hashtag_ids"] == [t.sand, t.sun]
    assert Post.select(Post.hashtag_ids).order_by(Post.id).tuples()[1] == ([t.sand, t.sun],)
    with pytest.raises(WrongTarget) as caught:
        Post.update(hashtag_ids="12").execute()
    assert str(caught.value).endswith("'12' is no list of Hashtag. Give a list of Hashtag or of primary keys.")
    assert Post.get(Post.hashtag_ids == [t.sand, t.sun]).id == two.id and Post.get(Post.hashtag_ids != [t.sand, t.sun]).id == one.id
    with pytest.raises(CriteriaError) as asked:
        Post.find({"hashtags": t.sun})
    assert str(asked.value) == (
        f"Post.find(): 'hashtags' = {t.sun!r}: 'hashtags' holds JSON, of which criteria compare nothing but None. Known for 'hashtags' are "
        "=, !=, in, nin."
    )


@pytest.mark.every_store
def test_collections_queue(t: Any) -> None:
    """F6, F7, F10: add and remove wait for save(); mappings and new records are saved with it."""
    post = t.Post.create(hashtags=[t.sea, {"text": "new"}, t.Hashtag(text="own")])
    assert texts(post.get_hashtags()) == ["sea", "new", "own"]
    post.hashtags.add([t.sun, {"text": "late"}])
    post.hashtags.remove(t.sea)
    assert texts(post.hashtags) == ["sea", "new", "own"] and stored(post)[0] == t.sea
    post.save()
    assert texts(post.hashtags) == texts(post.get_hashtags()) == ["new", "own", "sun", "late"]
    assert t.Post.add_to_collection([post, t.Post.create()], "hashtags", [t.sea, t.sun]) == 3
    assert t.Post.remove_from_collection(post, "hashtags", t.sun) == 1
    assert texts(t.Post.replace_collection(post, "hashtags", [t.sun])) == ["sun"] and stored(post) == [t.sun]


def test_memory_tells_what_the_database_holds(t: Any) -> None:
    """C12: after a write the collection and the ids do; copies and pickles are records of their own."""
    post = t.Post.create(caption=None, hashtags=t.tags[:2])
    assert texts(post.hashtags) == ["sea", "sun"]
    post.add_hashtag(t.tags[2])
    with assert_queries(0):
        assert texts(post.hashtags) == ["sea", "sun", "sand"]
        assert post.to_dict() == {
            "id": post.id,
            "caption": None,
            "hashtag_ids": [1, 2, 3],
            "hashtags": [{"id": 1, "text": "sea"}, {"id": 2, "text": "sun"}, {"id": 3, "text": "sand"}],
        }
    post.remove_hashtags([t.sea, t.sand])
    other, pickled = copy.copy(post), pickle.loads(pickle.dumps(post.hashtag_ids))
    other.hashtag_ids.append(t.sand)
    with assert_queries(0):
        assert texts(post.hashtags) == ["sun"] and post.hashtag_ids == pickled == [t.sun] and not pickled.changed
    without = t.Post.select(t.Post.id).get()
    with assert_queries(1):
        assert without.hashtag_ids == [t.sun]
    post.caption = "kept"
    post.add_hashtag(t.sea)
    assert post.dirty_field_names == ["caption"]


# Many owners


@pytest.mark.every_store
def test_populate(t: Any) -> None:
    """G1-G5: one statement for all owners, in the order of each array, with options for each owner."""
    posts = [t.Post.create(hashtags=ids) for ids in ([t.sand, t.sea], [], [t.sea, t.sun, t.sand])]
    query = t.Post.select().order_by(t.Post.id)
    with assert_queries(2):
        assert [texts(post.hashtags) for post in query.populate("hashtags")] == [["sand", "sea"], [], ["sea", "sun", "sand"]]
    with assert_queries(1):
        populate(posts[1], "hashtags")
        populate(posts, "hashtags", count=True)
    assert [post.hashtags_count for post in posts] == [2, 0, 3]
    populate(posts, "hashtags", order="text", limit=1, offset=1)
    assert [texts(post.hashtags) for post in posts] == [["sea"], [], ["sea"]]
    populate(posts, "hashtags", where={"text": ["sun", "sand"]}, attributes=["id"])
    assert [[tag.id for tag in post.hashtags] for post in posts] == [[t.sand], [], [t.sun, t.sand]]
    with pytest.warns(UserWarning, match="cut at the default limit of 1"):
        t.Hashtag._meta.populate_limit = 1
        populate(posts, "hashtags")
    assert posts[0].hashtags.truncated and texts(posts[2].hashtags) == ["sea"]
    one, two = t.Post.select().where(t.Post.id.in_([posts[0].id, posts[2].id])).populate("hashtags", limit=None)
    assert one.hashtags[1] == two.hashtags[0] and one.hashtags[1] is not two.hashtags[0]
    assert {post.id: texts(found) for post, found in t.hashtags.reach(posts).items()} == {
        posts[0].id: ["sand", "sea"],
        posts[1].id: [],
        posts[2].id: ["sea", "sun", "sand"],
    }


def test_nested_populate_and_explain(Base: Any) -> None:
    """G1, G2, G9: paths go through arrays; the plan is one statement a hop."""
    t = blog(Base)
    User = model(Base, "User", name=CharField())
    User.has_many(t.Post)
    t.Hashtag.references_many("self", as_="related")
    sync(Base._meta.database, alter=True)
    ann = User.create(name="Ann")
    t.tags[0].set_related([t.sun])
    ann.create_posts([{"hashtags": [t.sand, t.sea]}, {"caption": "none"}])
    query = User.select().populate("posts.hashtags.related")
    with assert_queries(4):
        first, second = query[0].posts
        assert [(tag.text, texts(tag.related)) for tag in first.hashtags] == [("sand", []), ("sea", ["sun"])] and second.hashtags == []
    plan = t.Post.select().explain_populate("hashtags", order="text")
    assert plan.queries == 2 and plan.missing_indexes == [] and "ORDER BY" in plan.hops[0].sql and plan.hops[0].limit == 30
    assert t.Post.select().explain_populate("hashtags", count=True).queries == 2


def test_many_keys_go_in_portions(Base: Any) -> None:
    """H5: more keys than a statement takes; the order holds over all of them."""
    t = blog(Base, None, *(f"{number:02}" for number in range(12)))
    from dataclasses import replace

    Base._meta.database.capabilities = replace(store_of(Base._meta.database), keys_per_statement=5)
    ids = [tag.id for tag in t.tags]
    post = t.Post.create(hashtags=ids[::-1])
    assert [tag.id for tag in post.get_hashtags()] == ids[::-1] and post.count_hashtags() == 12
    assert [tag.id for tag in post.get_hashtags(order="id", limit=7)] == ids[:7]
    assert texts(post.get_hashtags(order="-text"))[:2] == ["11", "10"]
    assert post.has_hashtags(ids) and post.remove_hashtags(ids[3:]) == 9 and post.hashtag_ids == ids[2::-1]


@pytest.mark.every_store
def test_any_query_and_lazy_policy(t: Any) -> None:
    """C14, G8: conditions on targets, the query to go on with, and reading in a loop."""
    posts = [t.Post.create(hashtags=ids) for ids in ([t.sand, t.sea], [], [t.sun])]
    found = t.Post.select().where(t.Post.hashtags.any(t.Hashtag.text << ["sea", "sun"])).order_by(t.Post.id)
    assert list(found) == [posts[0], posts[2]] == list(t.Post.select().where(t.hashtags.any()).order_by(t.Post.id))
    assert list(t.Post.select().where(~t.hashtags.any({"text": "sea"}), t.Post.id != posts[1].id)) == [posts[2]]
    assert list(t.Post.select().where(t.hashtags.any(t.Hashtag.text == "?"))) == []
    assert texts(t.hashtags.query(posts[0], order="-text").where(t.Hashtag.text != "?")) == ["sea", "sand"]
    assert list(t.hashtags.query(t.Post())) == [] and t.hashtags.query(posts[0], where={"text": "sea"}).count() == 1
    with lazy_policy("raise"):
        assert list(t.Post.get_by_id(posts[1].id).hashtags) == [], "an empty array needs no query"
        with pytest.raises(LazyLoadError):
            list(t.Post.get_by_id(posts[0].id).hashtags)
    with lazy_policy("batch"), assert_queries(2):
        assert [texts(post.hashtags) for post in t.Post.select().order_by(t.Post.id)] == [["sand", "sea"], [], ["sun"]]


def test_across_databases(Near: Any, Far: Any) -> None:
    """H1: the array beside the owner, the records in another database."""
    t = blog(Near, Far)
    post, other = t.Post.create(hashtags=[t.sun, t.sea]), t.Post.create()
    assert texts(post.get_hashtags(order="text")) == ["sea", "sun"] and post.add_hashtag(t.Hashtag(text="new")) == 1
    assert post.create_hashtag(text="made").text == "made" and post.count_hashtags() == 4
    with assert_queries(2):
        every = list(t.Post.select().order_by(t.Post.id).populate("hashtags"))
    assert [texts(each.hashtags) for each in every] == [["sun", "sea", "new", "made"], []]
    assert list(t.Post.select().where(t.hashtags.any(t.Hashtag.text == "new"))) == [post]
    with pytest.raises(RecordNotFound):
        other.set_hashtags([t.sun, t.Hashtag.create(text="short").delete_instance() + 900])
    t.tags[0].delete_instance()
    assert texts(post.reload().hashtags) == ["sun", "new", "made"]
    check(t.Post, fix=True)
    assert len(stored(post)) == 3


# Keys of every type

KEYS: dict[str, tuple[Any, list[Any]]] = {
    "text": (lambda: CharField(primary_key=True), ["ann", 'q"\\ü', "7"]),
    "uuid": (lambda: peewee.UUIDField(primary_key=True), [uuid.UUID(int=number << 64) for number in (3, 1, 2)]),
    "binary uuid": (lambda: peewee.BinaryUUIDField(primary_key=True), [uuid.UUID(int=number << 64) for number in (3, 1, 2)]),
    "decimal": (lambda: peewee.DecimalField(8, 2, primary_key=True), [decimal.Decimal(text) for text in ("2.50", "-1.05", "7.00")]),
    "date": (lambda: peewee.DateField(primary_key=True), [datetime.date(2024, 2, day) for day in (29, 1, 2)]),
    "big": (lambda: peewee.BigIntegerField(primary_key=True), [2**62 + 1, -5, 3]),
    "object id": (lambda: ObjectIdField(primary_key=True), [f"{number}5a1b2c3d4e5f60718293a4b" for number in (6, 7, 5)]),
    "bytes": (lambda: peewee.BlobField(primary_key=True), [b"\x00\xff", b"b", b"a"]),
}


@pytest.mark.every_store
def test_keys_of_every_type(Base: Any, store: Any) -> None:
    """L1: every type of primary key stands in the array and comes back as what it is; any and delete_instance find it there."""
    db = Base._meta.database
    for number, (name, (field, keys)) in enumerate(KEYS.items()):
        if name == "bytes" and isinstance(db, peewee.MySQLDatabase):
            continue  # a BLOB is no primary key there
        Tag = model(Base, f"Tag{number}", key=field())
        Post = model(Base, f"Note{number}", caption=CharField(null=True))
        Post.references_many(Tag, as_="tags")
        sync(Tag, Post)
        one, two, three = (Tag.create(key=key) for key in keys)
        post = Post.create(tags=[keys[2], one])
        assert post.add_tag(keys[1]) == 1 and post.add_tags([one, keys[2]]) == 0, name
        fresh = Post.get_by_id(post.id)
        assert fresh.tag_ids == [three._pk, one._pk, two._pk] == [tag._pk for tag in fresh.get_tags()], name
        assert [tag._pk for tag in Post.select().populate("tags")[0].tags] == fresh.tag_ids and fresh.has_tags(keys), name
        assert list(Post.select().where(Post.tags.any(Tag.key == keys[0]))) == [post], name
        assert fresh.remove_tag(keys[2]) == 1 and [tag._pk for tag in Post.get_by_id(post.id).tags] == [one._pk, two._pk], name
        if store_of(db).scans:
            one.delete_instance()
            assert Post.get_by_id(post.id).tag_ids == [two._pk], name


def test_texts_are_spelled_as_the_database_spells_them(Base: Any) -> None:
    """C1: where a collation calls two texts one, the array has the record's own."""
    Tag, Post = model(Base, "Tag", name=CharField(primary_key=True)), model(Base, "Post")
    Post.references_many(Tag)
    sync(Base._meta.database)
    Tag.create(name="Ann")
    post = Post.create()
    if not Tag.select().where(Tag.name == "ann").exists():
        with pytest.raises(RecordNotFound):
            post.add_tag("ann")
        return
    assert post.add_tags(["ann", "Ann"]) == 1 and post.tag_ids == ["Ann"] and post.has_tag("ANN") and post.has_tags(["aNN"])
    post.tags = ["ann"]
    post.save()
    assert post.tag_ids == ["Ann"] == Post.get().tag_ids and post.remove_tag("ANN") == 1


# Several writers


@pytest.mark.every_store
def test_two_writers_lose_nothing(t: Any) -> None:
    """C16, L1: what several threads add at once is all there; what they remove is gone."""
    tags = [t.Hashtag.create(text=str(number)).id for number in range(12)]
    post = t.Post.create(hashtags=[t.sea, t.sun])
    mine = [t.Post.get_by_id(post.id) for _ in range(3)]

    def adding(number: int) -> Any:
        return lambda: sum(mine[number].add_hashtag(tag) for tag in [*tags[number::2], t.sand])

    results = together(t.db, adding(0), adding(1), lambda: mine[2].remove_hashtags([t.sea, t.sun]))
    assert sum(results) == 12 + 1 + 2 and sorted(stored(post)) == sorted([*tags, t.sand])


@pytest.mark.parametrize("kind", ["mongodb", "redis"])
def test_a_change_between_looking_and_writing(on: Any, kind: str, monkeypatch: Any) -> None:
    """C16, L1: without transactions an array that somebody has changed meanwhile is read again, and given up after a while."""
    t = blog(on(kind))
    if store_of(t.db).transactions:
        pytest.skip("the server has transactions")
    post, others = t.Post.create(hashtags=[t.sea]), [t.Hashtag.create(text=str(number)).id for number in range(3)]
    waiting = list(others)

    def meanwhile(event: Any) -> None:
        if event.sql == "SELECT post" and waiting:
            other, t.db.query_hooks = waiting.pop(), []
            t.Post.update(hashtag_ids=[*stored(post), other]).where(t.Post.id == post.id).execute()
            t.db.query_hooks = [meanwhile]

    t.db.query_hooks = [meanwhile]
    assert post.add_hashtag(t.sun) == 1 and not waiting
    assert post.hashtag_ids == stored(post) == [t.sea, *reversed(others), t.sun]
    monkeypatch.setattr(array, "PATIENCE", 0)
    waiting.append(t.sand)
    with pytest.raises(TransactionAborted) as caught:
        post.remove_hashtag(t.sea)
    because = f"for 0 seconds somebody else wrote Post.hashtag_ids of {post.id!r} each time first"
    assert str(caught.value) == f"Post.remove_hashtag(): {because}. Try it again."
    assert stored(post) == [t.sea, *reversed(others), t.sun, t.sand]


# What goes wrong

BAD: list[tuple[Any, Any, str]] = [
    (lambda t: [None], WrongTarget, "None is no Hashtag and no key of one (id: 'NoneType' object has no attribute '__index__')"),
    (lambda t: [[1]], WrongTarget, "[1] is no Hashtag and no key of one (id: 'list' object has no attribute '__index__')"),
    (lambda t: ["one"], WrongTarget, "'one' is no Hashtag and no key of one (id: not a whole number)"),
    (lambda t: [True], WrongTarget, "True is no Hashtag and no key of one (id: a bool is no key)"),
    (lambda t: [t.post], WrongTarget, "Post is not Hashtag"),
]


@pytest.mark.parametrize(("make", "error", "text"), BAD, ids=["none", "list", "text", "bool", "stranger"])
def test_what_can_be_no_record(t: Any, make: Any, error: Any, text: str) -> None:
    """C1, M1: refused at once, by the methods and by the attribute, and nothing changes."""
    t.post = t.Post.create(hashtags=[t.sea])
    value = make(t)
    for call in (t.post.add_hashtags, t.post.set_hashtags, t.post.remove_hashtags):
        with pytest.raises(error):
            call(value)
    for name in ("hashtags", "hashtag_ids"):
        with pytest.raises(error) as caught:
            setattr(t.post, name, value)
        assert str(caught.value) == f"Post.{name} = {value!r}: {text}. Give a Hashtag or its primary key."
    with pytest.raises(error):
        t.Post(hashtags=value)
    with pytest.raises(error):
        t.Post.insert(hashtag_ids=value).execute()
    assert stored(t.post) == t.post.hashtag_ids == [t.sea] and t.Post.select().count() == 1


def test_what_is_no_list(t: Any) -> None:
    """M1: an attribute takes a list; a text or a single record is none."""
    post = t.Post.create()
    for value in ("12", 3, t.tags[0], {"text": "x"}):
        with pytest.raises(WrongTarget) as caught:
            post.hashtags = value
        why = f"{value!r} is no list of Hashtag. Give a list of Hashtag or of primary keys."
        assert str(caught.value) == f"Post.hashtags = {value!r}: {why}"


@pytest.mark.every_store
def test_ids_of_no_record(t: Any) -> None:
    """L1: an id of no record raises, on every write; a record that is not saved, too; nothing is written then."""
    post = t.Post.create(caption="a", hashtags=[t.sea])
    for call, name in ((post.add_hashtags, "add_hashtag"), (post.set_hashtags, "set_hashtags")):
        with pytest.raises(RecordNotFound) as caught:
            call([t.sun, 901, 902])
        assert str(caught.value) == f"Post.{name}(): Hashtag has no rows with the primary key 901, 902. Create it first, or leave it out."
    for name, value in (("hashtags", [t.sun, 901]), ("hashtag_ids", [901])):
        post = t.Post.get_by_id(post.id)
        setattr(post, name, value)
        with pytest.raises(RecordNotFound) as caught:
            post.save()
        why = "Hashtag has no row with the primary key 901. Create it first, or leave it out."
        assert str(caught.value) == f"Post.save() with hashtags: {why}"
    with pytest.raises(RecordNotFound):
        t.Post.create(hashtags=[901])
    with pytest.raises(UnsavedRecordError) as unsaved:
        post.hashtags = [t.Hashtag(text="new")]
    assert "a Hashtag in the list is not saved yet, and has no key. Save it first." in str(unsaved.value)
    assert stored(post) == [t.sea] and t.Post.select().count() == 1 and t.Hashtag.select().count() == 3
    with pytest.raises(UnsavedRecordError) as unsaved:
        t.Post().add_hashtag(t.sea)
    assert str(unsaved.value) == "Post.add_hashtag(): this Post is not saved yet. Save it first."
    t.Post.delete().execute()
    writes = (post.add_hashtag, t.sea), (post.set_hashtags, []), (post.remove_hashtag, t.sea), (post.create_hashtag, {"text": "x"})
    for call, value in writes:
        with pytest.raises(RecordNotFound) as caught:
            call(value)
        assert "Post has no row with the primary key" in str(caught.value)
    assert t.Hashtag.select().count() == 3 and post.get_hashtags() == []


@pytest.mark.every_store
def test_deleted_records(t: Any) -> None:
    """L1, H7, H8: what is deleted goes out of the arrays where the store finds it; else it is passed over, and check() mends it."""
    post, other = t.Post.create(hashtags=[t.sun, t.sea]), t.Post.create(hashtags=[t.sand])
    found = store_of(t.db).scans
    assert [(part.model, part.count, part.keys, part.key, part.rule) for part in delete_plan(t.tags[0]).cleared] == (
        [(t.Post, 1, (post.id,), "Post.hashtag_ids", "REMOVE")] if found else []
    )
    t.tags[0].delete_instance()
    assert stored(post) == ([t.sun] if found else [t.sun, t.sea]) and stored(other) == [t.sand]
    t.Hashtag.delete().where(t.Hashtag.id == t.sun).execute()
    assert post.get_hashtags() == [] and post.count_hashtags() == 0 and not post.has_hashtag(t.sun) and post.has_hashtags([])
    assert [list(each.hashtags) for each in t.Post.select().order_by(t.Post.id).populate("hashtags")] == [[], [t.tags[2]]]
    ids = "an id" if found else "2 ids"
    (finding,) = check(t.Post).findings
    assert finding.sentence == f"1 row of Post ({post.id}) holds {ids} in Post.hashtag_ids that no Hashtag has"
    assert (finding.kind, finding.sample, finding.mended) == ("dangling id", (post.id,), False)
    (finding,) = check(t.Post, fix=True).findings
    assert finding.mended and finding.instead == f"{'1 id' if found else '2 ids'} taken out"
    assert not check(t.Post) and stored(post) == [] and stored(other) == [t.sand]


@pytest.mark.every_store
def test_recursive_deletion_takes_ids_out_too(t: Any) -> None:
    """L1: peewee's ``recursive=True`` as well."""
    if not store_of(t.db).scans:
        pytest.skip("the store does not find ids in arrays")
    post = t.Post.create(hashtags=[t.sun, t.sea])
    t.tags[0].delete_instance(recursive=True)
    assert stored(post) == [t.sun]


def test_an_owner_whose_primary_key_has_several_columns(Base: Any) -> None:
    """A15, L1: the owner may be such a record; saving writes what was changed, and deleting finds its row."""
    Hashtag = model(Base, "Hashtag", text=CharField(default=""))
    meta = type("Meta", (), {"primary_key": peewee.CompositeKey("page", "line")})
    Note = model(Base, "Note", page=peewee.IntegerField(), line=peewee.IntegerField(), text=CharField(default=""), Meta=meta)
    Note.references_many(Hashtag)
    sync(Base._meta.database)
    one, two, three = (Hashtag.create() for _ in range(3))
    note = Note.create(page=1, line=2, hashtags=[one, two])
    assert note.add_hashtag(three) == 1 and note.get_hashtags() == [one, two, three]
    note.hashtag_ids.pop()
    note.save()
    one.delete_instance()
    assert Note.get().hashtag_ids == [two.id]
    Hashtag.delete().execute()
    (finding,) = check(Note, fix=True).findings
    assert finding.sample == ((1, 2),) and Note.get().hashtag_ids == []


def test_what_another_program_left_there(store: Any, fresh: Any) -> None:
    """L1: nulls, repeats and what can be no key are passed over on reading; check() takes them out."""
    t = blog(fresh.on())
    post = t.Post.create(hashtags=[t.sea])
    t.db.execute_sql(f"UPDATE post SET hashtags = '[1, null, 1, \"x\", {{}}, 2]' WHERE id = {post.id}")
    assert stored(post) == [1, 2]
    (finding,) = check(t.Post, fix=True).findings
    assert finding.sentence == "1 row of Post (1) holds 3 ids in Post.hashtag_ids that no Hashtag has" and finding.mended
    assert not check(t.Post) and stored(post) == [1, 2]


def test_what_is_no_list_in_the_database(store: Any, fresh: Any) -> None:
    """M1: another program wrote something else into the column."""
    t = blog(fresh.on())
    t.Post.create()
    t.db.execute_sql("UPDATE post SET hashtags = '{\"a\": 1}'")
    with pytest.raises(UnfitValue) as caught:
        t.Post.get().hashtag_ids  # noqa: B018
    assert str(caught.value) == (
        "Post.hashtag_ids of a row: the column holds {'a': 1}, and no list. Write a list of Hashtag keys into it."
    )


def test_a_database_that_is_not_known(Base: Any) -> None:
    """M1, J2: where nobody knows how the database looks into JSON, nothing is asked of it, and deleting leaves the arrays alone."""
    t = blog(Base)

    class Odd(peewee.Database):
        json_methods = peewee.SqliteJSONMethods

    Post = model(type(Base)("Far", (Base,), {"Meta": type("Meta", (), {"database": Odd("odd")}), "__module__": __name__}), "Post")
    Post.references_many(t.Hashtag)
    with pytest.raises(UnsupportedQuery) as caught:
        Post.hashtags.any(t.Hashtag.text == "sea")
    assert str(caught.value) == (
        "rows of Post by what the array hashtag_ids has: it is not known how Odd looks into JSON. Read the records, and look into the "
        "arrays in Python."
    )
    t.tags[0].delete_instance()
    with pytest.raises(WrongArgument) as wrong:
        t.hashtags.any(t.Post.caption == "a")
    assert "names columns of Post, and is asked of Hashtag alone" in str(wrong.value)


def test_sync_adds_the_column(fresh: Any) -> None:
    """E5: to a table with rows, with an empty array for each."""
    Base = fresh.on()
    Post, Hashtag = model(Base, "Post", caption=CharField()), model(Base, "Hashtag", text=CharField())
    sync(Base._meta.database)
    Post.create(caption="old")
    Post.references_many(Hashtag)
    report = sync(Base._meta.database, alter=True)
    assert report.columns == ("post.hashtags",) and not sync(Base._meta.database)
    post = Post.get()
    assert post.hashtag_ids == [] and post.add_hashtag(Hashtag.create(text="a")) == 1
    Base._meta.database.execute_sql("INSERT INTO post (caption) VALUES ('by SQL')")
    assert [each.hashtag_ids for each in Post.select().order_by(Post.id)] == [[1], []]


# Declaring


def test_names(fresh: Any) -> None:
    """B1, B2, A6: by default and by as_; a target by name, a model on itself, a base, a subclass, twice the same."""
    Base = fresh.on()
    Post, Hashtag = model(Base, "Post", caption=CharField(null=True)), model(Base, "Hashtag")
    tags = Post.references_many("Hashtag", as_="tags")
    assert Post.references_many(Hashtag, as_="tags") is tags is Post.tags and tags.target is Hashtag
    assert (Post.tag_ids.column_name, Post.tag_ids.null, tags.key_on_source, tags.to_many) == ("tags", False, True, True)
    kinds = Post.references_many("self", as_=("kin", "kin")).references_many(Hashtag)
    assert kinds is Post.hashtags and hasattr(Post(), "get_kin") and Post().kin_ids == []

    class Special(Post):
        pass

    assert Special().hashtag_ids == []
    with pytest.raises(DeclarationError) as caught:
        Special().hashtags  # noqa: B018
    assert str(caught.value).endswith("Declare Special.references_many(Hashtag).")
    Special.references_many(Hashtag)
    sync(Base._meta.database)
    hashtag = Hashtag.create()
    assert Special.create(hashtags=[hashtag]).get_hashtags() == [hashtag]

    class Shared(Base):
        class Meta:
            abstract = True

    Shared.references_many(Hashtag)

    class Photo(Shared):
        pass

    assert list(Photo.associations) == ["hashtags"] and Photo.hashtag_ids.model is Photo


REFUSALS: list[tuple[Any, Any, str]] = [
    (
        lambda t: t.Post.references_many(t.Hashtag, as_="more", through="post_hashtags"),
        DeclarationError,
        "Post.references_many(Hashtag, as_='more', through='post_hashtags'): through is no option here: the keys are in an array of "
        "Post, and there are no links of their own. Leave through out; call belongs_to_many for links with attributes.",
    ),
    (
        lambda t: t.Post.references_many(t.Hashtag, as_="more", foreign_key="hashtag_id"),
        DeclarationError,
        "Post.references_many(Hashtag, as_='more', foreign_key='hashtag_id'): foreign_key is no option here: the array holds primary keys, "
        "in a column named like the association. Leave foreign_key out; give as_= for another name.",
    ),
    (
        lambda t: t.Post.references_many(t.Hashtag, as_="more", on_delete="CASCADE"),
        DeclarationError,
        "Post.references_many(Hashtag, as_='more', on_delete='CASCADE'): on_delete is no option here: no constraint can hold the keys in "
        "an array. Leave on_delete out; delete_instance() takes the key of a deleted record out of the arrays.",
    ),
    (
        lambda t: t.Post.references_many(t.Hashtag, as_="more", order="text"),
        DeclarationError,
        "Post.references_many(Hashtag, as_='more', order='text'): order is no option here: the array is the order. Leave order out; give "
        "order= to the getter.",
    ),
    (
        lambda t: t.Post.references_many(t.Hashtag, name="more"),
        UnknownName,
        "Post.references_many(Hashtag, name='more'): references_many has no option 'name'. Known are as_.",
    ),
    (
        lambda t: t.Post.references_many(3),
        WrongArgument,
        "Post.references_many(3): 3 is neither a model nor the name of one. Give a model or its name, as in \"Task\".",
    ),
    (
        lambda t: t.Post.references_many(t.Pair),
        DeclarationError,
        "Post.references_many(Pair): no array can hold the keys of Pair: its primary key has several columns. Call belongs_to_many, or "
        "give Pair an own id.",
    ),
    (
        lambda t: t.Post.references_many(t.Hashtag, as_="captions"),
        DeclarationError,
        "Post.references_many(Hashtag, as_='captions'): Post.caption_ids is there already, and the array is the column 'captions' and the "
        "attribute 'caption_ids'. Give as_= another name, as in as_=\"other_captions\".",
    ),
    (
        lambda t: t.Post.references_many(t.Hashtag, as_="titles"),
        DeclarationError,
        "Post.references_many(Hashtag, as_='titles'): Post.titles is a field already. Give as_= another name, as in as_=\"other_titles\".",
    ),
    (
        lambda t: t.Post.has_many(t.Hashtag),
        DeclarationError,
        "Post.has_many(Hashtag): Post.references_many(Hashtag) has the name 'hashtags' already. Give as_= another name, as in "
        "as_=\"other_hashtags\".",
    ),
]


@pytest.mark.parametrize(("call", "error", "text"), REFUSALS, ids=[text.partition(":")[0] for _, _, text in REFUSALS])
def test_declarations_that_are_refused(call: Any, error: Any, text: str) -> None:
    """A16, A18, M1: nothing is changed."""
    from activeassoc import Model, connect

    base = type(Model)("Base", (Model,), {"Meta": type("Meta", (), {"database": connect("sqlite:///:memory:")}), "__module__": __name__})
    Post = model(base, "Post", caption_ids=CharField(null=True), titles=CharField(null=True))
    t = SimpleNamespace(Post=Post, Hashtag=model(base, "Hashtag"))
    t.Pair = model(base, "Pair", a=CharField(), b=CharField(), Meta=type("Meta", (), {"primary_key": peewee.CompositeKey("a", "b")}))
    Post.references_many(t.Hashtag)
    before = sorted(Post._meta.combined), list(Post.associations)
    with pytest.raises(error) as caught:
        call(t)
    assert str(caught.value) == text and (sorted(Post._meta.combined), list(Post.associations)) == before


# Against a list

CALLS = ("set", "add", "remove", "assign", "ids", "queue")


@given(steps=st.lists(st.tuples(st.sampled_from(CALLS), st.lists(st.integers(0, 5), max_size=4)), max_size=8))
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_sequence_of_calls_is_that_of_a_list(t: Any, steps: list[tuple[str, list[int]]]) -> None:
    """L1: set, add, remove, assigning and queueing are what a list without repeats does."""
    while len(t.tags) < 6:
        t.tags.append(t.Hashtag.create(text=str(len(t.tags))))
    post, plain = t.Post.create(), []
    for call, numbers in steps:
        given = [t.tags[number] if number % 2 else t.tags[number].id for number in numbers]
        ids = list(dict.fromkeys(t.tags[number].id for number in numbers))
        if call in ("set", "assign", "ids"):
            plain = ids
        elif call == "remove":
            plain = [each for each in plain if each not in ids]
        else:
            plain = [*plain, *(each for each in ids if each not in plain)]
        if call in ("set", "add", "remove"):
            getattr(t.hashtags, call)(post, given)
        else:
            if call == "queue":
                post.hashtags.add(given)
            else:
                setattr(post, "hashtags" if call == "assign" else "hashtag_ids", given)
            post.save()
        assert post.hashtag_ids == stored(post) == [tag.id for tag in post.hashtags] == [tag.id for tag in post.get_hashtags()] == plain
