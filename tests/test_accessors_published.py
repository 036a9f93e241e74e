"""What help(), inspect, tracebacks, copy and pickle see of the generated methods and of records."""

from __future__ import annotations

import copy
import inspect
import io
import pickle
import pydoc
import sys
import traceback
from typing import Any

import pytest
from accessing import memory, model, refused, tracker
from peewee import CharField

from activeassoc import AssociationError, UnknownName, sync
from activeassoc.testing import assert_queries

pytestmark = pytest.mark.every_store


def test_signatures(fresh: Any) -> None:
    """C15, C18: inspect.signature shows the real parameters, with self in front."""
    t = tracker(fresh, synced=False)

    def shown(method: Any) -> str:
        signature = inspect.signature(method)
        bare = [each.replace(annotation=inspect.Parameter.empty) for each in signature.parameters.values()]
        return str(inspect.Signature(bare))[1:-1]

    assert shown(t.Project.add_task) == "self, targets"
    assert shown(t.Project.set_tasks) == "self, targets, *, destroy=False"
    assert shown(t.Project.create_task) == "self, values=None, /, **fields"
    assert shown(t.Project.create_user) == "self, values=None, /, *, through=None, **fields"
    assert shown(t.Project.add_user) == "self, targets, attributes=None, *, through=None"
    assert shown(t.Project.create_plan) == "self, values=None, /, *, destroy=False, **fields"
    assert shown(t.Project().has_tasks) == "targets, *, exact=True"
    assert shown(t.Task.set_project) == "self, target"


def test_help_and_source(fresh: Any) -> None:
    """C15: help(Project.add_task) and inspect.getsource show the real thing, with the models' names."""
    t = tracker(fresh, synced=False)
    method = t.Project.add_task
    assert inspect.isfunction(method)
    assert method.__name__ == "add_task"
    assert method.__qualname__ == "Project.add_task"
    assert method.__module__ == t.Project.__module__
    assert method.__doc__.endswith("Generated for Project.has_many(Task).")
    assert "def add(self, owner: Any, targets: Any) -> int:" in inspect.getsource(method)
    text = pydoc.plain(pydoc.render_doc(method))
    assert "add_task(self" in text
    assert "Associate these records too" in text
    assert "Generated for Project.has_many(Task)." in text
    assert method.association is t.Project.tasks
    listed = pydoc.plain(pydoc.render_doc(t.Project))
    assert "create_task(self" in listed


def test_tracebacks(fresh: Any) -> None:
    """C15: a traceback names the method that was called."""
    t = tracker(fresh)
    try:
        t.Project.create().add_task("x")
    except TypeError:
        names = [frame.name for frame in traceback.extract_tb(sys.exc_info()[2])]
        out = io.StringIO()
        traceback.print_exc(file=out)
    assert "add_task" in names
    assert "in add_task" in out.getvalue()
    assert t.Project.add_task.__code__.co_qualname == "Project.add_task"


def test_wrong_arguments(fresh: Any) -> None:
    """C15: an argument that the method does not have is Python's TypeError."""
    t = tracker(fresh)
    project = t.Project.create()
    for call in (lambda: project.add_task(), lambda: project.get_tasks(wher=1), lambda: project.add_task(1, 2)):
        with refused(TypeError, None, t.models, project):
            call()


def test_copies(fresh: Any) -> None:
    """C12: a copy is a record of its own: a change of one is none of the other."""
    t = tracker(fresh)
    project, user = t.Project.create(title="p"), t.User.create(name="u")
    project.add_user(user, {"role": "boss"})
    assert list(project.users) == [user]
    held = memory(project)
    for copied in (copy.copy(project), copy.deepcopy(project), project.clone()):
        assert copied == project
        copied.title = "copy"
        assert copied.add_task(t.Task()) == 1
        assert project.title == "p"
        assert list(copied.users) == [user]
        assert copied.users[0].membership.role == "boss"
    assert memory(project)["__data__"] == held["__data__"]
    fetched = project.get_users()[0]
    for copied in (copy.copy(fetched), copy.deepcopy(fetched)):
        assert copied.membership.role == "boss"
        assert copied.membership.user_id == user.id


class Shelf:
    """Replaced by a model below, so that its records can be pickled."""


class Book:
    """The same."""


def test_pickles(fresh: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """C12, B5: records are pickled with what they hold: references, collections, join rows, also of a generated through model."""
    fresh.on()
    here = sys.modules[__name__]
    made = {}
    for name in ("Shelf", "Book"):
        body = {"title": CharField(null=True), "__module__": __name__, "__qualname__": name}
        made[name] = type(fresh.Base)(name, (fresh.Base,), body)
        monkeypatch.setattr(here, name, made[name])
    shelves, books = made["Shelf"], made["Book"]
    shelves.has_many(books, through=None)
    books.belongs_to(shelves)
    shelves.has_many(books, as_="copies", through="pickled_copies")
    monkeypatch.setattr(here, "PickledCopies", shelves.copies.through, raising=False)
    sync(fresh.db)
    shelf, book = shelves.create(title="s"), books.create(title="b")
    shelf.add_book(book)
    shelf.add_copy(book)
    assert len(shelf.books) == 1
    fetched = shelf.get_copies()[0]
    assert list(shelf.copies) == [book]
    again = pickle.loads(pickle.dumps(shelf))
    with assert_queries(0):
        assert again == shelf
        assert list(again.books) == [book]
        assert list(again.copies) == [book]
        assert again.copies[0].pickled_copies.book_id == book.id
        assert again.books.loaded
    one = pickle.loads(pickle.dumps(fetched))
    with assert_queries(0):
        assert one.pickled_copies.shelf_id == shelf.id
    assert one.pickled_copies.save() == 0
    link = pickle.loads(pickle.dumps(fetched.pickled_copies))
    assert (link.shelf_id, link.book_id) == (shelf.id, book.id)
    assert pickle.loads(pickle.dumps(shelves.copies)) is shelves.copies


def test_assigning_a_collection(fresh: Any) -> None:
    """C12: assigning project.tasks raises and says set_tasks."""
    t = tracker(fresh)
    project, task = t.Project.create(), t.Task.create()
    with refused(AssociationError, None, t.models, project, task) as caught:
        project.tasks = [task]
    assert str(caught.value) == (
        f"Project.tasks = {[task]!r}: the records are not columns of this one, and "
        f"assigning them would write nothing. Write project.set_tasks(…)."
    )
    with refused(AssociationError, None, t.models, project):
        project.plan = t.Plan()


def test_a_join_row_of_a_record_that_has_none(fresh: Any) -> None:
    """D4: a record that was not reached through the link has no join row; hasattr says so."""
    t = tracker(fresh)
    user = t.User.create()
    assert not hasattr(user, "membership")
    with pytest.raises(AttributeError, match="^this User was not reached through Membership: it has no membership$"):
        user.membership  # noqa: B018
    with refused(TypeError, None, t.models, user) as caught:
        user.membership = 3
    assert str(caught.value) == (
        'User.membership = 3: this is neither a Membership nor a mapping of its attributes. Write a mapping, as in {"status": "active"}.'
    )


def test_reload(fresh: Any) -> None:
    """C18: reload reads the columns again and forgets what was loaded; one query; a row that is gone raises DoesNotExist."""
    t = tracker(fresh)
    project = t.Project.create(title="p")
    task = project.create_task(title="t")
    assert list(project.tasks) == [task]
    t.Project.update(title="q").execute()
    t.Task.delete().execute()
    project.note = "unsaved"
    with assert_queries(1):
        assert project.reload() is project
    assert (project.title, project.note, project.dirty_fields) == ("q", None, [])
    assert list(project.tasks) == []
    with pytest.raises(t.Task.DoesNotExist):
        task.reload()


def test_unknown_fields_propose_the_nearest(fresh: Any) -> None:
    """C18: an unknown field of a created record raises and names the nearest."""
    t = tracker(fresh)
    project = t.Project.create()
    text = "Project.create_plan(): Plan has no field 'tilte'. Did you mean 'title'."
    with refused(UnknownName, text, t.models, project):
        project.create_plan(tilte="x")


def test_names_of_a_generated_class(fresh: Any) -> None:
    """B5: a through model that was made says where it belongs."""
    fresh.on()
    A, B = model(fresh, "Actor", name=CharField()), model(fresh, "Band", name=CharField())
    A.has_many(B)
    B.has_many(A)
    link = A.bands.through
    assert (link.__name__, link.__module__) == ("ActorsBands", A.__module__)
    assert issubclass(link, fresh.Base.__mro__[1])
