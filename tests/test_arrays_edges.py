"""Arrays of ids at their edges: saved in bulk, changed in place, named by their association, spoilt by other programs, inherited."""

from __future__ import annotations

import threading
from typing import Any

import peewee
import pytest
from peewee import CharField
from test_references_many import blog, model, stored, texts

from activeassoc import CriteriaError, ObjectIdField, RecordNotFound, UnfitValue, check, delete_plan, sync
from activeassoc.stores.sql import store_of


@pytest.fixture
def t(Base: Any) -> Any:
    return blog(Base)


# Memory and the database


@pytest.mark.every_store
def test_what_was_written_in_bulk_is_not_written_back(t: Any) -> None:
    """F8, L1: after bulk_create and bulk_update an array is as stored, and saving another column leaves it alone."""
    post = t.Post(caption="a", hashtags=[t.sea])
    t.Post.bulk_create([post])
    read = t.Post.get()
    post._pk = read._pk  # SQLite and MariaDB do not tell it
    read.add_hashtag(t.sun)
    post.caption = "b"
    post.save()
    assert stored(post) == [t.sea, t.sun]
    if store_of(t.db).expressions:
        post.hashtag_ids = [t.sand]
        assert t.Post.bulk_update([post], [t.Post.hashtags]) == 1
        read.add_hashtag(t.sea)
        post.caption = "c"
        post.save()
        assert stored(post) == [t.sand, t.sea]


def test_an_array_that_was_changed_in_place_is_dirty(t: Any) -> None:
    """L1: is_dirty() and dirty_fields tell it, so that save(only=record.dirty_fields) writes it."""
    post = t.Post.create(hashtags=[t.sea])
    read = t.Post.get()
    assert not read.is_dirty() and read.dirty_fields == read.dirty_field_names == []
    read.hashtag_ids.append(t.sun)
    assert read.is_dirty() and read.dirty_fields == [t.Post.hashtag_ids] and read.dirty_field_names == ["hashtag_ids"]
    read.save(only=read.dirty_fields)
    assert stored(post) == [t.sea, t.sun] and not read.is_dirty()


def test_save_shows_what_it_wrote(t: Any) -> None:
    """C12: a loaded collection is that of the array which was changed in place, once it is saved."""
    post = t.Post.create(hashtags=t.tags[:2])
    assert texts(post.hashtags) == ["sea", "sun"]
    post.hashtag_ids[:] = [t.sand, t.sun]
    post.save()
    assert texts(post.hashtags) == ["sand", "sun"] == texts(post.get_hashtags())


@pytest.mark.every_store
def test_an_array_goes_by_the_name_of_its_association(t: Any) -> None:
    """L1: in save(only=…), insert_many, filter, get and get_or_create as well as in create and update; ids are looked up by save."""
    post = t.Post.create(caption="a", hashtags=[t.sea])
    for only in ([t.Post.hashtags], ["hashtags"], ["hashtag_ids"], [t.Post.hashtag_ids]):
        post.hashtag_ids, post.caption = [t.sun, t.sand], "not this"
        post.save(only=only)
        assert stored(post) == [t.sun, t.sand] and t.Post.get().caption == "a"
        post.hashtag_ids = [99]
        with pytest.raises(RecordNotFound):
            post.save(only=only)
    t.Post.insert_many([{"caption": "b", "hashtags": [t.sea]}, {"caption": "c", "hashtags": []}]).execute()
    assert t.Post.get(hashtags=[t.sea]).caption == "b" == t.Post.filter(hashtags=t.tags[:1]).get().caption
    found, new = t.Post.get_or_create(hashtags=[t.sea], defaults={"caption": "d"})
    assert found.caption == "b" and not new
    made, new = t.Post.get_or_create(hashtags=[t.sand, t.sea], defaults={"caption": "d"})
    assert new and stored(made) == [t.sand, t.sea]


def test_no_other_collection_is_compared(fresh: Any) -> None:
    """I1, M1: Python's == between a collection and a list would find nothing, and get_or_create make a record each time."""
    Author, Book = fresh("Author", "Book")
    Author.has_many(Book)
    sync(fresh.db)
    text = "'books' is a collection, and no column of Author. Write where(Author.books.any(…)), or give it as one of the defaults."
    for call, name in (
        (lambda: Author.get_or_create(title="a", books=[1]), "get_or_create()"),
        (lambda: Author.filter(books=[1]), "filter()"),
        (lambda: Author.get(books=[1]), "filter()"),
    ):
        with pytest.raises(CriteriaError) as caught:
            call()
        assert str(caught.value) == f"Author.{name}: {text}"
    assert Author.get_or_create(title="a", defaults={"books": [{"title": "b"}]})[0].count_books() == 1


# Other programs


SPOILT = ['{"a": 1}', '"abc"', "7"]


def test_a_row_without_an_array_is_in_nobodys_way(store: Any, fresh: Any) -> None:
    """H7, L1: deleting a hashtag, looking for others and checking go on; check() tells of the row."""
    t = blog(fresh.on())
    good = t.Post.create(hashtags=[t.sea, t.sun])
    broken = SPOILT + (["[1", ""] if isinstance(t.db, peewee.SqliteDatabase) else [])
    for text in broken:
        t.db.execute_sql(f"UPDATE post SET hashtags = {t.db.param} WHERE id = {t.db.param}", (text, t.Post.create().id))
    assert [each.id for each in t.Post.select(t.Post.id).where(t.Post.hashtags.any(t.Hashtag.text == "sea"))] == [good.id]
    assert "1 row of Post (1)" in str(delete_plan(t.tags[0]))
    t.tags[0].delete_instance()
    assert stored(good) == [t.sun]
    t.Hashtag.delete().execute()
    found = {each.kind: each for each in check(t.Post, fix=True).findings}
    assert found["dangling id"].mended and stored(good) == [] and not found["no list"].mended
    keys = ", ".join(map(str, range(2, 2 + len(broken))))
    assert str(found["no list"]) == (
        f"no list: {len(broken)} rows of Post ({keys}) hold no list in hashtags. Not mended: write a list of Hashtag keys into it: reading "
        "it raises."
    )
    with pytest.raises(UnfitValue):
        t.Post.get_by_id(2).hashtag_ids  # noqa: B018


def test_whole_numbers_as_texts_are_the_same_keys(store: Any, fresh: Any) -> None:
    """H4: "1" reads as 1, and any, delete_instance and delete_plan find it; a number that is no key is passed over."""
    t = blog(fresh.on())
    post = t.Post.create()
    t.db.execute_sql("UPDATE post SET hashtags = '[\"1\", 2, 99999999999999999999999]'")
    assert stored(post) == [1, 2] and texts(post.get_hashtags()) == ["sea", "sun"]
    assert t.Post.select().where(t.Post.hashtags.any(t.Hashtag.text == "sea")).count() == 1
    t.tags[0].delete_instance()
    assert post.add_hashtag(t.sand) == 1 and stored(post) == [2, 3]


# Writers at once


@pytest.mark.parametrize("store", ["mongodb", "mariadb"], indirect=True)
def test_deletions_that_meet_all_succeed(t: Any) -> None:
    """C16: records that stand in the same arrays can be deleted by several threads at once."""
    tags = [t.Hashtag.create(text="x") for _ in range(12)]
    post, errors = t.Post.create(hashtags=tags), []

    def delete(some: list[Any]) -> None:
        try:
            for tag in some:
                tag.delete_instance()
        except Exception as error:
            errors.append(error)
        finally:
            t.db.close()

    threads = [threading.Thread(target=delete, args=(tags[start::3],)) for start in range(3)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert not errors and stored(post) == []


# Inheritance


@pytest.mark.needs("scans")
def test_a_subclass_has_the_column_and_deleting_looks_there(Base: Any) -> None:
    """A20: its table has the array that it was derived with; what is deleted is taken out there, too."""
    Tag, Post = model(Base, "Tag", text=CharField()), model(Base, "Post")
    Post.references_many(Tag)
    Story = model(Post, "Story", title=CharField(null=True))
    sync(Tag, Post, Story)
    one, two = Tag.create(text="a"), Tag.create(text="b")
    story = Story.create(tag_ids=[one, two])
    assert "clear the key of 1 row of Story (1), Story.tag_ids REMOVE" in str(delete_plan(one))
    one.delete_instance()
    assert Story.get_by_id(story.id).tag_ids == [two.id]


# ObjectIds


@pytest.mark.every_store
def test_object_ids_are_made_and_told_on_every_store(Base: Any) -> None:
    """J4: a key that is given is the record's, and one that is not is made, in SQL as well; the number of the row is none."""
    Tag = model(Base, "Tag", key=ObjectIdField(primary_key=True), text=CharField(null=True, unique=True))
    sync(Tag)
    digits = "65a1b2c3d4e5f60718293a4b"
    given, made, bare = Tag.create(key=digits, text="given"), Tag.create(text="made"), Tag.create()
    by_hand = Tag(text="by hand")
    by_hand.save()
    assert str(given._pk) == digits and Tag.get_by_id(bare._pk).text is None
    for tag in (given, made, by_hand):
        assert Tag.get(Tag.text == tag.text)._pk == tag._pk == Tag.get_by_id(str(tag._pk))._pk
    by_hand.text = "changed"
    assert by_hand.save() == 1 and Tag.get(Tag.text == "changed")._pk == by_hand._pk
    assert Tag.get(Tag.key == Tag.insert(text="inserted").execute()).text == "inserted"
    assert Tag.insert(text="inserted").on_conflict_ignore().execute() is None
    Tag.insert_many([{"text": "many"}, {"text": "more"}]).execute()
    Tag.insert_many([("rows",)], fields=[Tag.text]).execute()
    some = [Tag(text="bulk"), Tag(key="5" + digits[1:], text="bulk with key")]
    Tag.bulk_create(some, batch_size=1)
    assert str(some[1]._pk) == "5" + digits[1:] and [Tag.get(Tag.text == each.text)._pk for each in some] == [each._pk for each in some]
    assert Tag.select().count() == 10


@pytest.mark.parametrize(("near", "far"), [("sqlite", "mongodb"), ("mongodb", "sqlite"), ("mariadb", "redis")])
def test_object_ids_of_another_database(on: Any, near: str, far: str) -> None:
    """H1, L1: their texts stand in the array of another store, and come back as ObjectIds."""
    Tag, Post = model(on(far), "Tag", key=ObjectIdField(primary_key=True), text=CharField()), model(on(near), "Post")
    Post.references_many(Tag)
    sync(Tag, Post)
    one, two = Tag.create(text="a"), Tag.create(text="b")
    post = Post.create(tags=[two, str(one._pk)])
    made = post.create_tag(text="c")
    assert post.tag_ids == [two._pk, one._pk, made._pk] == Post.get().tag_ids and texts(post.get_tags()) == ["b", "a", "c"]
    assert [texts(each.tags) for each in Post.select().populate("tags")] == [["b", "a", "c"]] and post.has_tag(one._pk)
    assert Post.select().where(Post.tags.any(Tag.text == "a")).count() == 1
    two.delete_instance()
    assert Post.get().tag_ids == [one._pk, made._pk] and check(Post, Tag).ok
