"""Errors: one hierarchy, three parts, and the facts they were made from; and the public names of the package."""

from __future__ import annotations

import pickle
from typing import Any

import peewee
import pytest
from declarations import Scratch

import activeassoc
from activeassoc import errors

KINDS: dict[str, tuple[type, ...]] = {
    "DeclarationError": (ValueError,),
    "UnknownName": (ValueError,),
    "WrongArgument": (TypeError,),
    "WrongTarget": (errors.WrongArgument, TypeError),
    "CriteriaError": (ValueError,),
    "UnsavedRecordError": (ValueError,),
    "RecordNotFound": (LookupError,),
    "RequiredKeyError": (ValueError,),
    "DeleteRefused": (peewee.IntegrityError,),
    "MissingValue": (ValueError,),
    "LinksNotSaved": (ValueError,),
    "LazyLoadError": (),
    "NotAsyncio": (peewee.InterfaceError,),
    "LazyLoadWarning": (UserWarning,),
    "PopulateTruncatedWarning": (UserWarning,),
    "DominanceWarning": (UserWarning,),
    "PartialWriteError": (peewee.DatabaseError,),
    "UnsupportedQuery": (peewee.NotSupportedError,),
    "UnfitValue": (peewee.DataError, ValueError),
    "NullNotAllowed": (peewee.IntegrityError,),
    "DuplicateKey": (peewee.IntegrityError,),
    "TransactionAborted": (peewee.InternalError,),
    "MissingRecord": (peewee.IntegrityError,),
    "MissingTable": (peewee.OperationalError,),
    "NoTransactionWarning": (UserWarning,),
    "SyncError": (peewee.DatabaseError,),
    "ConnectError": (peewee.OperationalError,),
    "DriverMissing": (errors.ConnectError, ImportError),
}


@pytest.mark.parametrize("name", errors.__all__)
def test_one_hierarchy(name: str) -> None:
    """M1: all under AssociationError; what is also a TypeError, ValueError, LookupError or peewee error inherits from that too."""
    kind = getattr(errors, name)
    assert issubclass(kind, errors.AssociationError)
    for base in KINDS.get(name, ()):
        assert issubclass(kind, base)
    assert (name in KINDS) is (kind is not errors.AssociationError)
    assert name in (errors.__doc__ or "")


@pytest.mark.parametrize("name", errors.__all__)
def test_three_parts_and_the_facts(name: str) -> None:
    """M1: what was asked, why it cannot be, what to write instead; facts are attributes; an error survives pickling."""
    error = getattr(errors, name)("A.b(7)", "it is not", "Write c", value=7, keys=[1])
    for each in (error, pickle.loads(pickle.dumps(error))):
        assert str(each) == "A.b(7): it is not. Write c."
        assert (each.asked, each.because, each.instead) == ("A.b(7)", "it is not", "Write c")
        assert (each.value, each.keys) == (7, [1])


@pytest.mark.parametrize(
    ("name", "known", "text"),
    [
        ("titel", ["title", "done"], "Did you mean 'title'"),
        ("xyz", ["title", "done"], "Known are done, title"),
        ("xyz", [], "There are none"),
        ("tasks", ["task", "tasks_", "mask"], "Did you mean 'tasks_' or 'task' or 'mask'"),
    ],
)
def test_unknown_names_come_with_the_nearest(name: str, known: list[str], text: str) -> None:
    """M1: unknown names come with the nearest known, or with all that there are."""
    assert errors.nearest(name, known) == text


def test_long_lists_are_cut() -> None:
    """M1: a message stays readable."""
    assert errors.listed(["a", 1]) == "a, 1"
    assert errors.listed(range(12)) == "0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 2 more"


def test_the_facts_of_a_refused_declaration() -> None:
    """M1: facts are attributes of the exception."""
    scratch = Scratch(__name__)
    Task, User = scratch("Task", "User")
    with pytest.raises(activeassoc.WrongArgument) as wrong:
        Task.belongs_to(User, foreign_key=5)
    assert wrong.value.value == 5
    assert wrong.value.asked == "Task.belongs_to(User, foreign_key=5)"
    with pytest.raises(activeassoc.UnknownName) as unknown:
        Task.belongs_to(User, target_key="tilte")
    assert unknown.value.name == "tilte"
    assert unknown.value.known == ["id", "title"]


@pytest.mark.parametrize("method", ["belongs_to", "has_one", "has_many", "belongs_to_many"])
def test_an_option_that_does_not_exist(method: str) -> None:
    """A1-A4: Python says so, of the call."""
    scratch = Scratch(__name__)
    Task, User = scratch("Task", "User")
    call: Any = getattr(Task, method)
    with pytest.raises(TypeError, match=r"unexpected keyword argument 'thruogh'"):
        call(User, thruogh="x")


@pytest.mark.parametrize("option", ["symmetric", "dominant", "embed"])
@pytest.mark.parametrize("method", ["belongs_to", "has_one"])
def test_the_options_of_many_to_many_alone(method: str, option: str) -> None:
    """A3: they raise elsewhere."""
    scratch = Scratch(__name__)
    Task, User = scratch("Task", "User")
    with pytest.raises(TypeError, match=f"unexpected keyword argument '{option}'"):
        getattr(Task, method)(User, **{option: True})


def test_dominant_between_models_of_one_database_is_ignored() -> None:
    """H2: it says where links stand, and here there is but one place."""
    scratch = Scratch(__name__)
    Task, User = scratch("Task", "User")
    association = Task.belongs_to_many(User, dominant=True)
    User.belongs_to_many(Task, dominant=True)
    assert association.through._meta.database is scratch.db


def test_the_public_names() -> None:
    """M2: __all__ is sorted, and every name is there."""
    assert activeassoc.__all__ == sorted(activeassoc.__all__)
    for name in activeassoc.__all__:
        assert hasattr(activeassoc, name)
    assert set(errors.__all__) - set(activeassoc.__all__) <= {"CriteriaError"}
    assert {"Model", "ReferenceField", "connect", "drop", "sync"} <= set(activeassoc.__all__)
