"""delete_plan: what deleting would do, told without writing, store by store."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from peewee import CharField, IntegerField

from activeassoc import DeleteRefused, ReferenceField, UnsavedRecordError, WrongTarget, delete_plan, sync
from activeassoc.testing import assert_queries


def named(base: Any, *names: str) -> Any:
    """Models of these names on the database of `base`, each with one text column."""
    made = [type(base)(name, (base,), {"title": CharField(null=True), "__module__": __name__, "__qualname__": name}) for name in names]
    return made[0] if len(made) == 1 else made


def facts(parts: Any) -> list[tuple[str, int, str, str, bool]]:
    return sorted((part.model.__name__, part.count, part.key, part.rule, part.by_database) for part in parts)


class Shop:
    """Ann with two photos of three comments in all, a note, a log entry and an order; keys with every rule, here and there."""

    def __init__(self, Near: Any, Far: Any) -> None:
        self.User, self.Comment, self.Order = named(Near, "User", "Comment", "Order")
        self.Photo, self.Note, self.Entry = named(Far, "Photo", "Note", "Entry")
        self.User.has_many(self.Photo, on_delete="CASCADE")
        self.Photo.has_many(self.Comment, on_delete="CASCADE")
        self.User.has_many(self.Comment)
        self.User.has_many(self.Note)
        self.User.has_many(self.Entry, constraints=False)
        self.User.has_many(self.Order, null=False)
        sync(*self.models)
        self.ann, self.bob = self.User.create(title="ann"), self.User.create(title="bob")
        for owner in (self.ann, self.bob):
            first, second = owner.create_photos([{"title": "1"}, {"title": "2"}])
            first.create_comments([{"title": "1", "user": owner}, {"title": "2"}])
            second.create_comment(title="3", user=owner)
            self.Comment.create(title="4", user=owner)
            owner.create_note(title="n")
            owner.create_entry(title="e")

    @property
    def models(self) -> list[Any]:
        return [self.User, self.Comment, self.Order, self.Photo, self.Note, self.Entry]

    def state(self) -> list[Any]:
        return [sorted(model.select().tuples()) for model in self.models]


def test_facts(Near: Any, Far: Any) -> None:
    """H8: rows deleted, keys cleared and rows in the way, each once, with the key and the rule; nothing is written."""
    shop = Shop(Near, Far)
    before = shop.state()
    plan = delete_plan(shop.ann)
    assert facts(plan.deleted) == [
        ("Comment", 3, "Comment.photo", "CASCADE", False),
        ("Photo", 2, "Photo.user", "CASCADE", False),
        ("User", 1, "", "", False),
    ]
    cleared = {(part.model.__name__, part.count, part.keys) for part in plan.cleared}
    assert cleared == {("Comment", 1, (4,)), ("Note", 1, (1,))}
    assert (plan.forbidding, plan.allowed, plan.rows, bool(plan)) == ((), True, 6, True)
    assert {id(database) for database in plan.databases} == {id(Near._meta.database), id(Far._meta.database)}
    assert shop.state() == before


def test_it_does_what_it_says(Near: Any, Far: Any) -> None:
    """H8: deleting does just that."""
    shop = Shop(Near, Far)
    before = {model: model.select().count() for model in shop.models}
    plan = delete_plan(shop.ann)
    shop.ann.delete_instance()
    gone = {model: before[model] - model.select().count() for model in shop.models}
    told = {model: sum(part.count for part in plan.deleted if part.model is model) for model in shop.models}
    assert gone == told
    assert shop.Comment.get_by_id(4).user_id is None and shop.Note.get_by_id(1).user_id is None
    assert shop.Entry.get_by_id(1).user_id == shop.ann.id


def test_rows_in_the_way(Near: Any, Far: Any) -> None:
    """H8: rows that forbid it are told, with as much as would go without them."""
    shop = Shop(Near, Far)
    orders = shop.ann.create_orders([{"title": str(number)} for number in range(12)])
    plan = delete_plan(shop.ann)
    (part,) = plan.forbidding
    assert (part.model, part.count, part.keys, part.key, part.rule) == (shop.Order, 12, tuple(range(1, 11)), "Order.user", "NO ACTION")
    assert not plan.allowed and plan.rows == 6
    with pytest.raises(DeleteRefused):
        shop.ann.delete_instance()
    plan = delete_plan(shop.ann, *orders)
    assert plan.allowed and plan.rows == 18


def test_several_records(Near: Any, Far: Any) -> None:
    """H8: of several records, also of several models, what goes is counted once."""
    shop = Shop(Near, Far)
    plan = delete_plan(shop.ann, shop.bob, shop.Photo.get_by_id(1), shop.ann)
    assert sum(part.count for part in plan.deleted if part.model is shop.Photo) == 4
    assert plan.rows == 2 + 4 + 6


def test_cost(on: Callable[[str], Any]) -> None:
    """H8: statements by key and level, not by row: 1 for the user, 2 for cascades, 3 for other keys, 1 for the rows of one of these."""
    shop = Shop(on("sqlite"), on("sqlite"))
    with assert_queries(1 + 2 + 3 + 1):
        delete_plan(shop.ann)
    shop.Photo.insert_many([{"user": shop.ann} for _ in range(300)]).execute()
    shop.Comment.insert_many([{"photo": number} for number in range(5, 305)]).execute()
    with assert_queries(1 + 2 + 3 + 1):
        assert delete_plan(shop.ann).rows == 606
    with assert_queries(0):
        assert not delete_plan()


def test_printed(on: Callable[[str], Any]) -> None:
    """H8: printing it tells all of it, store by store."""
    Near, Far = on("sqlite"), on("sqlite")
    shop = Shop(Near, Far)
    near, far = Near._meta.database.address, Far._meta.database.address
    lines = [
        "Deleting User 1",
        f"in {near}",
        "  clear the key of 1 row of Comment (4), Comment.user SET NULL by the database",
        "  delete 3 rows of Comment (1, 2, 3), Comment.photo CASCADE",
        "  delete 1 row of User (1)",
        f"in {far}",
        "  clear the key of 1 row of Note (1), Note.user SET NULL",
        "  delete 2 rows of Photo (1, 2), Photo.user CASCADE",
    ]
    assert sorted(str(delete_plan(shop.ann)).splitlines()) == sorted(lines)
    shop.ann.create_orders([{"title": str(number)} for number in range(12)])
    printed = str(delete_plan(shop.ann)).splitlines()
    assert "  refused by 12 rows of Order (1, 2, 3, 4, 5, 6, 7, 8, 9, 10 …), Order.user NO ACTION by the database" in printed
    assert printed[-1] == "Nothing would be written, as rows are in the way."
    gone = shop.User(id=99)
    assert str(delete_plan(gone)) == "Deleting User 99: nothing to do"
    assert not delete_plan(gone)


def test_constraints_only(Base: Any) -> None:
    """H8: within one database the rules are those that it carries out itself; a row without a key is not mistaken for one that refers."""
    Folder = named(Base, "Folder")
    Folder.has_many("self", as_="folders", foreign_key="parent_id", through=None, on_delete="CASCADE")
    sync(Folder)
    root = Folder.create(title="root")
    root.create_folder(title="a").create_folder(title="b")
    Folder.create(title="other")
    with assert_queries(1 + 3):
        plan = delete_plan(root)
    assert facts(plan.deleted) == [("Folder", 1, "", "", False), ("Folder", 2, "Folder.parent", "CASCADE", True)]


def test_columns_without_a_foreign_key(on: Callable[[str], Any]) -> None:
    """H8, A13, A14: a plain column or a ReferenceField counts where an association gives it a rule."""
    User = named(on("sqlite"), "User")
    Far = on("sqlite")

    class Photo(Far):
        user_id = IntegerField(null=True)

    class Entry(Far):
        user_id = ReferenceField(User)

    User.has_many(Photo, on_delete="CASCADE")
    User.has_many(Entry)
    sync(User, Photo, Entry)
    ann = User.create()
    Photo.create(user_id=1)
    Entry.create(user_id=1)
    plan = delete_plan(ann)
    assert facts(plan.deleted) == [("Photo", 1, "Photo.user_id", "CASCADE", False), ("User", 1, "", "", False)]
    assert plan.cleared == plan.forbidding == ()


def test_errors(Base: Any) -> None:
    """H8, M1: what is no record, and what has no row."""
    User = named(Base, "User")
    new = User(title="new")
    new.__dict__["_stored"] = False
    cases: list[tuple[Any, type[Exception], str]] = [
        (new, UnsavedRecordError, f"delete_plan({new!r}): this User is not saved yet. Leave it out."),
        ([new], WrongTarget, f"delete_plan({[new]!r}): a record was expected. Write delete_plan(*records)."),
        (7, WrongTarget, "delete_plan(7): a record was expected. Write delete_plan(user)."),
        (User, WrongTarget, f"delete_plan({User!r}): a record was expected. Write delete_plan(user)."),
    ]
    for given, kind, text in cases:
        with pytest.raises(kind) as raised:
            delete_plan(given)
        assert str(raised.value) == text
