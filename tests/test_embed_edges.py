"""Links within documents at their edges: names that are taken, what other programs wrote, documents that are full, other types."""

from __future__ import annotations

import datetime
import decimal
import uuid
from typing import Any

import peewee
import pytest
from peewee import BooleanField, CharField, DateField, DecimalField, JSONField, TextField, UUIDField
from test_embed import EMBED, docs, members, wrong

from activeassoc import DeclarationError, check, sync


@pytest.fixture
def B(on: Any) -> Any:
    """A base on a new MongoDB database."""
    return on("mongodb")


def pairs_of(Base: Any, **fields: Any) -> tuple[Any, Any]:
    User = type(Base)("User", (Base,), {"__module__": __name__})
    Group = type(Base)("Group", (Base,), {**fields, "__module__": __name__})
    User.belongs_to_many(Group, embed=True)
    return User, Group


@pytest.mark.parametrize("taken", ["field", "column", "later", "array"])
def test_a_column_of_the_arrays_name_is_refused(B: Any, taken: str) -> None:
    """L2: embed=True is held or refused, and never means a table in silence; the other side under another name is a way out."""
    fields = {"field": {"users": CharField(null=True)}, "column": {"crew": CharField(null=True, column_name="users")}}
    User, Group = pairs_of(B, **fields.get(taken, {}))
    if taken == "later":
        sync(User, Group)
        User.create().add_group(Group.create())
        Group._meta.add_field("users", CharField(null=True))
    if taken == "array":
        Group.references_many(User)
    calls = [lambda: sync(B._meta.database), *([lambda: User.get().add_group(Group.get())] if taken == "later" else [])]
    for call in calls:
        with pytest.raises(DeclarationError) as caught:
            call()
        assert str(caught.value) == (
            "User.belongs_to_many(Group, embed=True): the links would stand in the field 'users' of the documents of Group, which is a "
            "column of it. Declare the association of Group as well, with as_=, or give the column another column_name."
        )
    Group.belongs_to_many(User, as_="people", embed=True)
    sync(B._meta.database)
    user, group = User.create(), Group.create()
    user.add_group(group)
    assert docs(Group)[-1]["people"] == [{"user": user.id}] and group.get_people() == [user]


def test_a_null_in_place_of_an_array_is_told_and_mended(B: Any) -> None:
    """L2, H7: it reads as no links; nothing can be added to it, and the error says why, until check() has made it a list."""
    User, Group, Membership = members(B, True)
    user, group = User.create(email="a"), Group.create(name="g")
    documents = B._meta.database.documents()
    documents["user"].update_one({"_id": user.id}, {"$set": {"groups": None}})
    assert user.get_groups() == [] == list(User.select().populate("groups")[0].groups) and not user.has_group(group)
    with pytest.raises(peewee.DataError, match="The field 'groups' must be an array but is of type null in document"):
        user.add_group(group)
    assert docs(Group)[0].get("users", []) == [], "the other side is taken back"
    documents["group"].update_one({"_id": group.id}, {"$set": {"users": [{"user": user.id, "role": "owner"}]}})
    assert [str(each) for each in check(Membership).findings] == [
        "mirrored link: 1 row of Membership ((1, 1)): in Group.users, and not in User.groups. Not mended: check(fix=True) makes it as "
        "Group.users has it.",
        "mirrored link: 1 row of Membership ((1, None)): a field that holds no list. Not mended: check(fix=True) makes it an empty list.",
    ][::-1]
    assert check(Membership, fix=True).ok and check(Membership).ok
    assert docs(User)[0]["groups"] == [{"group": group.id, "role": "owner"}]


def test_what_is_no_list_and_no_key_is_told_and_left(B: Any) -> None:
    """H7: check() goes on where another program wrote a number for the array, or a document for a key, and throws neither away."""
    User, Group, Membership = members(B, True)
    one, two, group = User.create(email="a"), User.create(email="b"), Group.create(name="g")
    documents = B._meta.database.documents()
    documents["user"].update_one({"_id": one.id}, {"$set": {"groups": 7}})
    documents["user"].update_one({"_id": two.id}, {"$set": {"groups": [{"group": {"id": group.id}}]}})
    found = [str(each) for each in check(Membership, fix=True).findings]
    left = "Not mended: look into the documents: what is right cannot be told from them."
    assert found == [
        f"mirrored link: 1 row of Membership ((1, None)): a field that holds no list. {left}",
        f"mirrored link: 1 row of Membership ((2, {{'id': 1}})): an element without a key. {left}",
    ]
    assert [each["groups"] for each in docs(User)] == [7, [{"group": {"id": 1}}]]


def test_a_document_that_is_full_is_told(B: Any) -> None:
    """L2: a document holds 16 MB; what would be more is an error that says so, and neither side is written."""

    class Note(B):
        text = TextField()

    User = type(B)("User", (B,), {"__module__": __name__})
    Group = type(B)("Group", (B,), {"__module__": __name__})
    User.belongs_to_many(Group, through=Note, embed=True)
    sync(B._meta.database)
    user, one, two = User.create(), Group.create(), Group.create()
    user.add_group(one, {"text": "x" * 9_000_000})
    with pytest.raises(peewee.DataError, match="Resulting document after update is larger than 16777216"):
        user.add_group(two, {"text": "x" * 9_000_000})
    assert user.get_groups() == [one] and two.id not in [each["group"] for each in docs(User)[0]["groups"]] and not wrong(Note)


@EMBED
def test_attributes_of_every_type_answer_alike(B: Any, embed: bool) -> None:
    """L2, J3: what is written comes back, is found, sorted, counted and changed in either storage."""
    values = {
        "day": datetime.date(2020, 1, 2),
        "price": decimal.Decimal("1.50"),
        "code": uuid.UUID(int=7),
        "extra": {"a": [1, {"b": None}]},
        "open": True,
        "word": "r",
        "other": "c",
    }

    class Link(B):
        day = DateField(null=True)
        price = DecimalField(max_digits=12, decimal_places=2, null=True)
        code = UUIDField(null=True)
        extra = JSONField(null=True)
        open = BooleanField(default=False)
        word = CharField()
        other = CharField(column_name="o_t", null=True)

    User = type(B)("User", (B,), {"__module__": __name__})
    Group = type(B)("Group", (B,), {"__module__": __name__})
    User.belongs_to_many(Group, through=Link, embed=embed)
    Group.belongs_to_many(User, through=Link, embed=embed)
    sync(B._meta.database)
    (one, two), (a, b) = [User.create() for _ in range(2)], [Group.create() for _ in range(2)]
    one.add_group(a, values)
    one.add_group(b, {"word": "x"})
    two.add_group(a, {"word": "y", "price": 2})
    assert {name: one.get_groups()[0].link.__data__[name] for name in values} == values

    def words(*conditions: Any) -> list[str]:
        return [link.word for link in Link.select().where(*conditions).order_by(Link.word)]

    for name, value in values.items():
        assert words(getattr(Link, name) == value) == ["r"], name
    assert words(Link.price >= 2) == ["y"] and words(Link.day.is_null()) == ["x", "y"] and words(Link.word != "x") == ["r", "y"]
    assert words(Link.group == a) == ["r", "y"] and words((Link.group == b) | (Link.other == "c")) == ["r", "x"]
    assert [link.word for link in Link.select().order_by(Link.price, Link.word).offset(1)] == ["r", "y"]
    assert Link.select(peewee.fn.SUM(Link.price)).scalar() == decimal.Decimal("3.50") and Link.select().limit(2).count() == 2
    assert Link.update(price=Link.price + 1, other=None).where(Link.price.is_null(False)).execute() == 2
    assert words(Link.price == decimal.Decimal("2.50")) == ["r"] and words(Link.other.is_null()) == ["r", "x", "y"]
    assert Link.replace(user=two, group=a, word="z").execute() and words(Link.price == 3) == []
    assert words(Link.word != "") == ["r", "x", "z"]
    assert Link.get_by_id((two.id, a.id)).word == "z" and Link.delete().where(Link.word == "x").execute() == 1
    assert one.count_groups() == 1 == b.count_users() + 1
