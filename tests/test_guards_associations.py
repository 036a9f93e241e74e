"""Guards against a slow road that comes back: calls and objects for each record, where a clock would measure the machine."""

from __future__ import annotations

import copy
import gc
import pickle
import sys
from collections.abc import Callable
from typing import Any

import pytest
from peewee import CharField, IntegerField

from activeassoc import Model, connect, sync

OWNERS, EACH = 40, 25


class Author(Model):
    name = CharField()


class Book(Model):
    title = CharField()
    pages = IntegerField()


class Genre(Model):
    name = CharField()


class BookGenre(Model):
    weight = IntegerField(default=0)


Author.has_many(Book)
Book.belongs_to(Author)
Book.has_many(Genre, through=BookGenre)
Genre.has_many(Book, through=BookGenre)
MODELS = [Author, Book, Genre, BookGenre]


@pytest.fixture
def library(tmp_path: Any) -> Any:
    """Authors with their books, each of one genre: on SQLite, as what is counted here happens in Python."""
    db = connect(f"sqlite:///{tmp_path / 'library.db'}")
    with db.bind_ctx(MODELS, bind_refs=False, bind_backrefs=False):
        sync(*MODELS)
        Author.insert_many([{"name": str(number)} for number in range(OWNERS)]).execute()
        books = [{"title": str(number), "pages": number, "author": number % OWNERS + 1} for number in range(OWNERS * EACH)]
        Book.insert_many(books).execute()
        genre = Genre.create(name="all")
        BookGenre.insert_many([{"book": number + 1, "genre": genre.id, "weight": number} for number in range(OWNERS * EACH)]).execute()
        yield db
        db.close()


def calls(work: Callable[[], Any]) -> int:
    """The number of Python functions that are called."""
    found = 0

    def count(frame: Any, event: str, argument: Any) -> None:
        nonlocal found
        found += event == "call"

    work()  # what is kept is made
    former = sys.getprofile()
    sys.setprofile(count)
    try:
        work()
    finally:
        sys.setprofile(former)
    return found


def objects(work: Callable[[], Any]) -> int:
    """The number of objects that the collector has to walk through, of what the work leaves."""
    work()
    gc.collect()
    enabled = gc.isenabled()
    gc.disable()
    try:
        before = len(gc.get_objects())
        left = work()
        gc.collect()  # rows that hold nothing but plain values are walked through no longer
        return len(gc.get_objects()) - before if left is not None else 0
    finally:
        if enabled:
            gc.enable()


def test_a_getter_calls_little(library: Any) -> None:
    """C11: one statement, and a few calls however many records it brings."""
    author, genre = Author.get(), Genre.get()
    assert calls(author.get_books) <= 20
    assert calls(genre.get_books) <= 20
    assert calls(author.count_books) <= 20


def test_asking_calls_little(library: Any) -> None:
    """C10: has is a few calls, for one record as for hundreds."""
    genre, books = Genre.get(), list(Book.select().limit(500))
    assert calls(lambda: genre.has_book(books[0])) <= 20
    assert calls(lambda: genre.has_book(books)) <= 25
    assert calls(lambda: genre.has_books(books)) <= 25
    assert calls(lambda: genre.has_books(books, exact=False)) <= 25


def test_populate_calls_nothing_for_a_record(library: Any) -> None:
    """G2: a populated record costs no call of its own; an owner a few, for its collection."""
    authors, books = list(Author.select()), list(Book.select())
    from activeassoc import populate

    building = 3_000  # the query and its text, whatever the number of records
    assert calls(lambda: populate(authors, "books", limit=None)) <= building + 4 * OWNERS
    assert calls(lambda: populate(books, "genres", limit=None)) <= building + 4 * OWNERS * EACH


def test_linking_calls_nothing_for_a_record(library: Any) -> None:
    """C8: linking a thousand records, and linking them again, costs no call for each of them."""
    genre, books = Genre.create(name="new"), list(Book.select())
    genre.add_books(books, {"weight": 1})
    genre.set_books(books[:3])
    assert calls(lambda: (genre.add_books(books, {"weight": 1}), genre.set_books(books[:3], {"weight": 1}))) <= 1_000
    assert calls(lambda: genre.add_books(books[:3], {"weight": 1})) <= 100


def test_a_populated_record_is_one_object_to_the_collector(library: Any) -> None:
    """G2: of a record the collector walks through the record alone, and its row; of an owner its collection and list beside."""
    from activeassoc import populate

    def lists() -> Any:
        authors = list(Author.select())
        return populate(authors, "books", limit=None)

    def linked() -> Any:
        books = list(Book.select())
        return populate(books, "genres", limit=None)

    assert objects(lists) <= 1.2 * OWNERS * EACH + 10 * OWNERS
    assert objects(linked) <= 7.5 * OWNERS * EACH  # each book has a collection, a list, a mapping, and a genre


def test_light_records_are_whole(library: Any) -> None:
    """C12, D4: what a record was reached by is there when asked for, in copies and pickles too, with no query."""
    author, genre = Author.get(), Genre.get()
    for take in (lambda record: record, copy.copy, copy.deepcopy, lambda record: pickle.loads(pickle.dumps(record))):
        book = take(author.get_books()[0])
        assert book.author == author
        assert book.__rel__ == {"author": author}
        assert book._dirty == set()
        linked = take(genre.get_books()[3])
        assert linked.book_genre.weight == 3
        assert linked.book_genre.book_id == linked.id
        assert linked.book_genre is linked.book_genre
        assert not linked.book_genre.save()
    populated = Book.select().order_by(Book.id).limit(2).populate("genres")
    again = pickle.loads(pickle.dumps(list(populated)))
    assert [[genre.book_genre.weight for genre in book.genres] for book in again] == [[0], [1]]
    with pytest.raises(AttributeError) as caught:
        Book.get().book_genre  # noqa: B018
    assert str(caught.value) == "this Book was not reached through BookGenre: it has no book_genre"


def test_the_function_that_reads_can_be_read(library: Any) -> None:
    """C15: what is generated is readable, by ``inspect.getsource`` as in tracebacks."""
    import inspect

    from activeassoc.reached import reaching

    read = reaching(Book, Book._meta.sorted_fields, 5, "beside", lists=True)
    text = inspect.getsource(read)
    assert text.startswith("def read(rows, came, lists):")
    assert "lists[near].append(record)" in text
