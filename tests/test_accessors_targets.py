"""What an accessor may be given: instances, keys, and any iterable of them; and what it refuses."""

from __future__ import annotations

import uuid
from typing import Any

import peewee
import pytest
from accessing import ids, model, refused, tracker
from peewee import CharField, IntegerField

import activeassoc
from activeassoc import WrongTarget, sync
from activeassoc.stores.sql import store_of
from activeassoc.testing import assert_queries

pytestmark = pytest.mark.every_store


@pytest.mark.parametrize("name", ["tasks", "users"])
def test_plural_methods_take_any_iterable_or_one(fresh: Any, name: str) -> None:
    """C1: instances, keys, mixtures, generators, sets, tuples, queries, one of them; duplicates collapse."""
    t = tracker(fresh)
    association, target = t.Project.associations[name], t.Task if name == "tasks" else t.User
    project, (a, b, c) = t.Project.create(), [target.create() for _ in range(3)]
    forms = [
        [a, b, c],
        (a.id, b.id, c.id),
        {a.id, b.id, c.id},
        frozenset([a, b, c]),
        dict.fromkeys([a, b, c]).keys(),
        (x for x in [a, b.id, str(c.id)]),
        iter([a, b, c]),
        range(a.id, c.id + 1),
        target.select(),
        target.select().where(target.id > 0).order_by(target.id),
        [a, a.id, str(a.id), float(a.id), b, c, c],
    ]
    for form in forms:
        assert association.set(project, []) == []
        assert sorted(ids(association.set(project, form))) == ids([a, b, c]), form
        assert association.count(project) == 3
    for one in (a, a.id, str(a.id)):
        assert association.set(project, one) == [a]
        assert association.add(project, one) == 0
        assert association.has(project, one)
        assert association.has_exactly(project, one)
        assert association.remove(project, one) == 1
        assert association.add(project, one) == 1


@pytest.mark.parametrize("name", ["tasks", "users"])
def test_none_clears_or_does_nothing(fresh: Any, name: str) -> None:
    """C1: None: set clears, add and remove do nothing, has is False; without a query where nothing is to do."""
    t = tracker(fresh)
    association, target = t.Project.associations[name], t.Task if name == "tasks" else t.User
    project, a = t.Project.create(), target.create()
    association.set(project, [a])
    with assert_queries(0):
        assert association.add(project, None) == 0
        assert association.remove(project, None) == 0
        assert association.add(project, []) == 0
        assert association.remove(project, []) == 0
        assert association.has(project, None) is False
        assert association.has_exactly(project, None) is False
    assert association.count(project) == 1
    assert association.set(project, None) == []
    assert association.count(project) == 0
    assert association.has(project, None) is False
    assert association.has_exactly(project, None) is False


NO_KEYS = [True, 1.5, "1.0", " 1", "1 ", "\u0661", "1_0", "", b"1", 2**70, -(2**70), float("inf"), object, "abc", "+1", "0x1"]


@pytest.mark.parametrize("name", ["tasks", "users", "plan", "project"])
def test_what_is_no_key(fresh: Any, name: str) -> None:
    """C1: a bool, a fraction, other digits, white space, a number out of range, a class are no keys: TypeError naming both."""
    t = tracker(fresh)
    owner = t.Project.create() if name != "project" else t.Task.create()
    association = type(owner).associations[name]
    target = association.target
    for wrong in NO_KEYS:
        with refused(TypeError, None, t.models, owner) as caught:
            association.set(owner, wrong)
        assert isinstance(caught.value, WrongTarget)
        assert caught.value.value is wrong
        assert caught.value.model is target
        text = f"{type(owner).__name__}.set_{name}(): {wrong!r} is no {target.__name__} and no key of one (id: "
        assert str(caught.value).startswith(text)
        assert str(caught.value).endswith(f"). Give a {target.__name__} or its primary key.")
        for operation in (
            (association.add, association.remove, association.has, association.has_exactly) if association.to_many else ()
        ):
            with refused(TypeError, None, t.models, owner):
                operation(owner, [wrong])


def test_out_of_the_range_of_the_column(fresh: Any) -> None:
    """C1: a number that the key column cannot hold is refused in Python, not by the database."""
    t = tracker(fresh)
    project = t.Project.create()
    wide = store_of(t.db).wide_integers
    number = 2**63 if wide else 2**31
    bits = 64 if wide else 32
    text = (
        f"Project.has_task(): {number} is no Task and no key of one (id: out of the range "
        f"of {bits} bits). Give a Task or its primary key."
    )
    with refused(TypeError, text, t.models, project):
        project.has_task(number)
    assert project.has_task(number - 1) is False


def test_an_instance_of_another_model(fresh: Any) -> None:
    """C1, A20: raises TypeError naming both; an instance of a subclass has a table of its own."""
    t = tracker(fresh)
    project, user = t.Project.create(), t.User.create()
    text = f"Project.set_tasks() with {user!r}: User is not Task. Give a Task or its primary key."
    with refused(TypeError, text, t.models, project, user):
        project.set_tasks([user])
    text = f"Project.set_plan() with {user!r}: User is not Plan. Give a Plan or its primary key."
    with refused(TypeError, text, t.models, project, user):
        project.set_plan(user)

    class Admin(t.User):
        pass

    sync(t.db)
    admin = Admin.create()
    text = f"Project.add_user() with {admin!r}: Admin has a table of its own. Give a User or its primary key."
    with refused(TypeError, text, t.models, project, admin):
        project.add_user(admin)


@pytest.mark.parametrize("wrong", [{1: 2}, {"title": "x"}])
def test_a_mapping_is_no_list(fresh: Any, wrong: Any) -> None:
    """C1: a mapping is refused; in a many-to-many it says the attributes of links (D3)."""
    t = tracker(fresh)
    project = t.Project.create()
    with refused(TypeError, "Project.set_tasks(): a mapping is no list of targets. Give a list.", t.models, project):
        project.set_tasks(wrong)
    with refused(TypeError, "Project.has_user(): a mapping is no list of targets. Give a list.", t.models, project):
        project.has_user(wrong)
    with refused(TypeError, None, t.models, project):
        project.set_users(wrong)


def test_a_model_class_is_no_list(fresh: Any) -> None:
    """C1: peewee's model class is iterable, and would be every row of its table."""
    t = tracker(fresh)
    project = t.Project.create()
    t.Task.create()
    text = f"Project.set_tasks(): {t.Task!r} is no Task and no key of one (id: a class). Give a Task or its primary key."
    with refused(TypeError, text, t.models, project):
        project.set_tasks(t.Task)


def test_none_in_a_list(fresh: Any) -> None:
    """C1: None stands for nothing by itself, and is no target in a list."""
    t = tracker(fresh)
    project, task = t.Project.create(), t.Task.create()
    project.add_task(task)
    with refused(TypeError, None, t.models, project, task):
        project.set_tasks([None])


def test_a_text_is_one_key(fresh: Any) -> None:
    """C1: a str or bytes is one key, not a list of characters."""
    fresh.on()
    Shelf = model(fresh, "Shelf", title=CharField(null=True))
    Book = model(fresh, "Book", code=CharField(20, primary_key=True))
    Shelf.has_many(Book)
    sync(fresh.db)
    shelf = Shelf.create()
    for code in ("abc", "a", "b", "c"):
        Book.create(code=code)
    assert ids(shelf.set_books("abc")) == ["abc"]
    assert shelf.has_books("abc")
    assert shelf.add_books("a") == 1
    assert ids(shelf.get_books()) == ["a", "abc"]


def test_keys_of_other_types(fresh: Any) -> None:
    """C1, D8: UUIDs as texts, strings, and columns with their own names are coerced by the key field."""
    fresh.on()
    Shelf = model(fresh, "Shelf", id=peewee.UUIDField(primary_key=True, default=uuid.uuid4))
    Book = model(fresh, "Book", id=peewee.UUIDField(primary_key=True, default=uuid.uuid4), title=CharField(null=True))
    Shelf.has_many(Book, through=None)
    Shelf.has_many(Book, as_="copies", through="copies_shelves")
    sync(fresh.db)
    shelf, book = Shelf.create(), Book.create()
    for association in (Shelf.books, Shelf.copies):
        assert association.set(shelf, [str(book.id), book.id, book, book.id.hex]) == [book]
        assert association.has(shelf, str(book.id))
        with refused(TypeError, None, [Shelf, Book], shelf):
            association.add(shelf, "no uuid")
        with refused(TypeError, None, [Shelf, Book], shelf):
            association.add(shelf, 7)


def test_the_database_decides_which_texts_are_one(fresh: Any) -> None:
    """C1: string keys count as the same when the database says so (collation), and what it returns is what is used."""
    fresh.on()
    Shelf = model(fresh, "Shelf", title=CharField(null=True))
    Book = model(fresh, "Book", code=CharField(20, primary_key=True))
    Shelf.has_many(Book, through=None)
    Shelf.has_many(Book, as_="copies", through="copies_shelves")
    sync(fresh.db)
    shelf, other = Shelf.create(), Shelf.create()
    Book.create(code="ann")
    one = Book.select().where(Book.code == "ANN").count() == 1
    for association in (Shelf.books, Shelf.copies):
        association.set(shelf, ["ann"])
        if one:
            assert ids(association.set(shelf, ["ANN", "ann", "Ann"])) == ["ann"]
            assert association.add(shelf, ["ANN", "aNN"]) == 0
            assert association.add(other, ["ANN", "aNN"]) == 1
            assert association.has(other, ["ANN", "ann"])
            assert association.has_exactly(other, ["ANN", "ann"])
            assert not association.has_exactly(other, ["ANN", "ann", "bob"])
            assert association.remove(other, ["ANN"]) == 1
        else:
            # The owner has "ann", and "ANN" is nobody's key.
            text = f"Shelf.set_{association.name}(): Book has no row with the primary key 'ANN'. Create it first, or leave it out."
            with refused(LookupError, text, [Shelf, Book, Shelf.copies.through], shelf):
                association.set(shelf, ["ANN"])
            with refused(LookupError, None, [Shelf, Book, Shelf.copies.through], shelf):
                association.set(shelf, ["ann", "ANN"])
            assert not association.has(shelf, ["ann", "ANN"])


def test_owners_whose_keys_a_collation_calls_one(fresh: Any) -> None:
    """C1, C14: reach finds the rows of an owner also where a key spells it otherwise."""
    fresh.on()
    Shelf = model(fresh, "Shelf", code=CharField(20, primary_key=True))
    Book = model(fresh, "Book", title=CharField(null=True))
    Shelf.has_many(Book)
    Book.belongs_to(Shelf)
    sync(fresh.db)
    shelf = Shelf.create(code="ann")
    if Shelf.select().where(Shelf.code == "ANN").count():
        a, b = Book.create(shelf="ANN"), Book.create(shelf="ann")
        assert Shelf.books.reach([shelf]) == {shelf: [a, b]}
        assert Book.shelf.reach([a, b]) == {a: shelf, b: shelf}
        assert shelf.get_books() == [a, b]
        assert shelf.add_book(a) == 0
    else:
        a, b = Book.create(shelf="ann"), Book.create(shelf="ann")
        assert Shelf.books.reach([shelf]) == {shelf: [a, b]}


def test_composite_keys(fresh: Any) -> None:
    """A15: a model with a composite key can be the target: records are given as instances or tuples."""
    fresh.on()
    Hall = model(fresh, "Hall", title=CharField(null=True))
    Meta = type("Meta", (), {"primary_key": peewee.CompositeKey("row", "number")})
    Seat = model(fresh, "Seat", row=IntegerField(), number=IntegerField(), Meta=Meta)
    Hall.has_many(Seat)
    Hall.has_one(Seat, as_="best")
    sync(fresh.db)
    hall = Hall.create()
    a, b, c = [Seat.create(row=1, number=n) for n in (1, 2, 3)]
    assert hall.set_seats([a, (1, 2)]) == [a, b]
    assert hall.has_seats([(1, 1), b])
    assert hall.has_seat((1, 2))
    assert hall.add_seats((1, 3)) == 1
    assert hall.add_seats([("1", "3")]) == 0
    assert hall.remove_seats(((1, 3), (1, 2))) == 2
    assert hall.get_seats() == [a]
    assert hall.set_best((1, 2)) == b
    with refused(
        LookupError,
        "Hall.set_seats(): Seat has no row with the primary key (9, 9). Create it first, or leave it out.",
        [Seat],
        hall,
    ):
        hall.set_seats([a, (9, 9)])
    with refused(TypeError, None, [Seat], hall):
        hall.set_seats([(1,)])
    assert c.reload().hall_id is None


@pytest.mark.needs("sql")  # elsewhere a primary key cannot be changed
def test_a_key_that_is_part_of_the_primary_key(fresh: Any) -> None:
    """A15: detaching a record whose key is part of its primary key raises unless destroy=True."""
    fresh.on()
    Order = model(fresh, "Order", title=CharField(null=True))
    Meta = type("Meta", (), {"primary_key": peewee.CompositeKey("order", "line"), "table_name": "order_line"})
    Line = model(fresh, "Line", order=peewee.ForeignKeyField(Order), line=IntegerField(), title=CharField(null=True), Meta=Meta)
    Order.has_many(Line)
    sync(fresh.db)
    order, other = Order.create(), Order.create()
    a, b = Line.create(order=order, line=1), Line.create(order=order, line=2)
    text = (
        f"Order.set_lines(): Line ({order.id}, 2) would be let go, and its key 'order_id' may not be NULL. "
        "Give destroy=True to delete what is let go, or declare the key with null=True."
    )
    with refused(activeassoc.RequiredKeyError, text, [Order, Line], order, a, b):
        order.set_lines([a])
    assert order.set_lines([a], destroy=True) == [a]
    assert other.add_line(a) == 1
    assert a._pk == (other.id, 1)
    assert other.get_lines() == [a]
    with refused(activeassoc.RequiredKeyError, None, [Order, Line], other, a):
        other.remove_line(a)
    assert other.remove_line(a, destroy=True) == 1
    assert Line.select().count() == 0


def test_a_primary_key_that_is_a_foreign_key(fresh: Any) -> None:
    """A15: the key of the target's record may be its reference to the owner."""
    fresh.on()
    User = model(fresh, "User", name=CharField(null=True))
    Profile = model(fresh, "Profile", user=peewee.ForeignKeyField(User, primary_key=True), text=CharField(null=True))
    Tag = model(fresh, "Tag", name=CharField(null=True))
    User.has_one(Profile)
    Profile.belongs_to(User)
    Profile.has_many(Tag, through="profiles_tags")
    sync(fresh.db)
    user = User.create()
    profile = user.create_profile(text="hello")
    assert user.get_profile() == profile
    assert profile.get_user() == user
    assert profile.add_tag(Tag.create(name="x")) == 1
    assert [tag.name for tag in profile.get_tags()] == ["x"]
    assert Profile.tags.reach([profile]) == {profile: profile.get_tags()}
    with refused(activeassoc.RequiredKeyError, None, [User, Profile], user, profile):
        user.set_profile(None)
