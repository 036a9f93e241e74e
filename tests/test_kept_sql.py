"""The statements that accessors keep: they are what they would be if built anew, and are dropped when what they follow from changes."""

from __future__ import annotations

import datetime
import threading
import uuid
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from accessing import model, rows, tracker
from peewee import BooleanField, CharField, DateTimeField, DecimalField, FloatField, IntegerField, UUIDField

import activeassoc
from activeassoc import sync
from activeassoc.associations.prepared import OTHERWISE
from activeassoc.testing import assert_queries


def texts(db: Any, call: Any) -> list[tuple[str, list[Any]]]:
    """What a call executes: texts and parameters."""
    seen: list[tuple[str, list[Any]]] = []
    hook = lambda event: seen.append((event.sql, list(event.params or ())))  # noqa: E731
    db.query_hooks = [*db.query_hooks, hook]
    try:
        call()
    finally:
        db.query_hooks = [each for each in db.query_hooks if each is not hook]
    return seen


def generally(call: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """What a call gives where no statement is prepared."""
    with monkeypatch.context() as patch:
        patch.setattr("activeassoc.associations.base.Association.kept", lambda self, name, make: lambda *_: OTHERWISE)
        patch.setattr("activeassoc.kept.Kept.get", lambda self, key: None)
        return call()


@pytest.fixture
def t(fresh: Any) -> Any:
    made = tracker(fresh)
    made.projects = [made.Project.create(title=str(number)) for number in range(3)]
    made.tasks = [made.Task.create(title=str(number)) for number in range(6)]
    made.users = [made.User.create(name=str(number)) for number in range(6)]
    made.projects[0].set_tasks(made.tasks[:4])
    made.projects[0].set_users(made.users[:4], {"role": "lead"})
    made.projects = list(made.Project.select().order_by(made.Project.id))
    return made


READS = {
    "get 1:N": lambda t, project: [(task.id, task.title, task.project_id, task.project.id) for task in project.get_tasks()],
    "get M:N": lambda t, project: [(user.id, user.name, user.membership.role) for user in project.get_users()],
    "get in order": lambda t, project: [[user.id for user in project.get_users(order=order)] for order in ("-role", "name", "-id", None)],
    "get some": lambda t, project: [
        [task.id for task in project.get_tasks(limit=limit, offset=offset, order=order)]
        for limit in (None, 0, 1, 3)
        for offset in (None, 0, 2)
        for order in (None, "-title")
    ],
    "count 1:N": lambda t, project: project.count_tasks(),
    "count M:N": lambda t, project: project.count_users(),
    "has one": lambda t, project: [project.has_task(task) for task in t.tasks],
    "has one by key": lambda t, project: [project.has_task(task.id) for task in t.tasks],
    "has all": lambda t, project: [project.has_task(t.tasks[:2]), project.has_task(t.tasks)],
    "has exactly": lambda t, project: [project.has_tasks(t.tasks[:4]), project.has_tasks(t.tasks[:3]), project.has_tasks(t.tasks)],
}


@pytest.mark.parametrize("read", READS)
def test_a_kept_statement_is_the_one_that_would_be_built(t: Any, monkeypatch: pytest.MonkeyPatch, read: str) -> None:
    """C11, J8: results, text and parameters are those of a query built anew, and hooks see them, for each owner and each time."""
    for project in t.projects:
        call = partial(READS[read], t, project)
        expected = generally(call, monkeypatch)
        built = generally(partial(texts, t.db, call), monkeypatch)
        assert call() == call() == expected
        assert texts(t.db, call) == built


def test_membership_of_many_to_many(t: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """C10: where constraints keep dangling links out the links alone are asked, and the answers are the same."""
    for project in t.projects:
        for ask in (
            lambda project=project: [project.has_user(user) for user in t.users],
            lambda project=project: [project.has_user(t.users[:number]) for number in range(7)],
            lambda project=project: [project.has_users(t.users[:number]) for number in range(7)],
            lambda project=project: [project.has_users(t.users[:number], exact=False) for number in range(7)],
        ):
            assert ask() == generally(ask, monkeypatch)
    (text, _), *_ = texts(t.db, lambda: t.projects[0].has_user(t.users[0]))
    assert "JOIN" not in text


def test_links_that_no_constraint_guards_are_asked_with_their_targets(fresh: Any) -> None:
    """C10: a link whose target is gone links nothing."""
    fresh.on()
    Post, Tag = model(fresh, "Post"), model(fresh, "Tag")
    Post.has_many(Tag, through="post_tags", constraints=False)
    sync(fresh.db)
    post, tag = Post.create(), Tag.create()
    post.add_tag(tag)
    assert post.has_tag(tag.id)
    tag.delete_instance()
    assert not post.has_tag(tag.id)
    assert not post.has_tags([tag.id], exact=False)
    assert post.count_tags() == 0


def test_a_new_field_of_the_target_is_read(t: Any) -> None:
    """A17: accessors read a column that was added after their first call."""
    project = t.projects[0]
    project.get_tasks()
    t.Task._meta.add_field("color", CharField(default="red"))
    sync(t.db, alter=True)
    t.Task.update(color="blue").execute()
    assert {task.color for task in project.get_tasks()} == {"blue"}


def test_a_new_field_of_the_through_model_is_read(t: Any) -> None:
    """A17, D4: so is a new attribute of the link."""
    project = t.projects[0]
    project.get_users()
    project.add_users(t.users[:4])
    t.Membership._meta.add_field("level", IntegerField(default=0, null=True))
    sync(t.db, alter=True)
    project.add_users(t.users, {"level": 7})
    assert {user.membership.level for user in project.get_users()} == {7}
    assert project.get_users()[0].membership.role == "lead"


def test_a_removed_field_is_read_no_longer(t: Any) -> None:
    """A17: nor does a statement name a column that the model has no longer."""
    project = t.projects[0]
    project.get_tasks()
    t.Task._meta.remove_field("rank")
    (text, _), *_ = texts(t.db, project.get_tasks)
    assert "rank" not in text


def test_another_database(t: Any, store: Any) -> None:
    """J1: bound to another database, the accessors ask that one; bound back, the former."""
    other = store.connect()
    project = t.projects[0]
    assert project.count_tasks() == 4
    with other.bind_ctx(t.models, bind_refs=False, bind_backrefs=False):
        sync(other)
        there = t.Project.create(title="there")
        assert there.count_tasks() == 0
        assert there.get_users() == []
        there.add_users([t.User.create(name="x").id])
        assert there.count_users() == 1
    assert project.count_tasks() == 4
    assert [task.id for task in project.get_tasks()] == [task.id for task in t.tasks[:4]]


def test_another_table(t: Any) -> None:
    """B7: with another table name the accessors read that table."""
    project = t.projects[0]
    assert project.count_tasks() == 4
    t.Task._meta.set_table_name("other_tasks")
    sync(t.db)
    assert project.count_tasks() == 0
    assert project.get_tasks() == []
    assert project.has_task(t.tasks[0]) is False


def test_a_model_defined_again(fresh: Any) -> None:
    """A6: a model that replaces one of the same name has statements of its own."""
    for extra in ("first", "second"):
        fresh.on()
        Project, Task = model(fresh, "Project"), model(fresh, "Task", **{extra: CharField(default=extra)})
        Project.has_many(Task)
        sync(fresh.db)
        project = Project.create()
        project.create_task()
        assert [getattr(task, extra) for task in project.get_tasks()] == [extra]


def test_a_select_of_the_users_own_is_asked_each_time(fresh: Any) -> None:
    """C11: soft deletion in ``select`` hides rows from accessors, whatever it depends on at the time."""
    fresh.on()
    hidden: set[int] = set()

    class Task(fresh.Base):
        title = CharField(null=True)

        @classmethod
        def select(cls, *fields: Any) -> Any:
            return super().select(*fields).where(cls.id.not_in(list(hidden)))

    Project = model(fresh, "Project")
    Project.has_many(Task)
    sync(fresh.db)
    project = Project.create()
    tasks = [project.create_task(title=str(number)) for number in range(3)]
    assert project.count_tasks() == 3
    hidden.add(tasks[0].id)
    assert project.count_tasks() == 2
    assert project.get_tasks() == tasks[1:]
    assert project.has_task(tasks[0]) is False


def test_a_plain_peewee_model_as_target(fresh: Any) -> None:
    """A13: peewee's own models tell nothing of their changes; what is kept of them is looked at each time."""
    import peewee

    fresh.on()
    Project = model(fresh, "Project")

    class Label(peewee.Model):
        name = CharField(null=True)

        class Meta:
            database = fresh.db

    Project.has_many(Label, through="project_labels")
    fresh.db.create_tables([Label])
    sync(fresh.db)
    project, label = Project.create(), Label.create(name="a")
    project.add_labels([label.id])
    assert [each.name for each in project.get_labels()] == ["a"]
    Label._meta.remove_field("name")
    (text, _), *_ = texts(fresh.db, project.get_labels)
    assert "name" not in text


def test_threads_share_what_is_kept(t: Any) -> None:
    """C16: many threads that begin at once, while a model changes, each get what is stored."""
    project, wrong = t.projects[0], []
    start = threading.Barrier(6)

    def read() -> None:
        start.wait()
        for _ in range(20):
            if (project.count_tasks(), len(project.get_tasks()), project.has_user(t.users[0])) != (4, 4, True):
                wrong.append(threading.get_ident())
        t.db.close()

    def change() -> None:
        start.wait()
        for number in range(20):
            t.Plan._meta.add_field(f"extra_{number}", CharField(null=True))

    threads = [threading.Thread(target=read) for _ in range(5)] + [threading.Thread(target=change)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


@pytest.mark.parametrize("given", ["records", "keys"])
@pytest.mark.parametrize("attributes", [None, {"role": "x"}, {"role": "x", "since": 3}])
def test_linking_many_is_the_same_on_both_roads(fresh: Any, monkeypatch: pytest.MonkeyPatch, given: str, attributes: Any) -> None:
    """C8, C9, C12, D3: rows, numbers returned and memory are those of the general road, in no more statements."""
    found = []
    for road in (lambda call: call(), lambda call: generally_linking(call, monkeypatch)):
        t = tracker(fresh)
        project, users = t.Project.create(), [t.User.create(name=str(number)) for number in range(8)]
        some = users if given == "records" else [user.id for user in users]

        def calls(t: Any = t, project: Any = project, some: Any = some) -> list[Any]:
            story: list[Any] = [project.add_users(some[:5], attributes), project.add_users(some[:5], attributes)]
            story.append(project.add_users(some[3:], {"role": "late"}))
            story.append([user.id for user in project.users])
            story.append([user.id for user in project.set_users([*some[6:3:-1], some[5]], attributes)])
            story.append([user.id for user in project.users])
            story.append([(user.id, user.membership.role, user.membership.since) for user in project.get_users()])
            return [*story, rows(t.Membership)]

        found.append(road(calls))
        if given == "records":
            told = [(user.membership.role, user.membership.since) for user in users[4:7]]
            found[-1].append(told)
    assert found[0] == found[1]


@pytest.mark.parametrize("first", [0, 1])
def test_attributes_of_which_some_are_stored_already(fresh: Any, first: int) -> None:
    """C8, D3: of links that differ in different attributes each gets its own, whichever stands first."""
    t = tracker(fresh)
    project, users = t.Project.create(), [t.User.create() for _ in range(2)]
    project.add_users({users[0]: {"role": "x", "since": 3}, users[1]: {"role": "x"}})
    project.add_users([users[first], users[1 - first]], {"role": "y", "since": 3})
    assert [(user.membership.role, user.membership.since) for user in project.get_users()] == [("y", 3), ("y", 3)]


ATTRIBUTES = {
    "boolean": (BooleanField(null=True), True, False),
    "date": (DateTimeField(null=True), datetime.datetime(2024, 5, 6, 7, 8, 9), datetime.datetime(2025, 1, 1)),
    "decimal": (DecimalField(null=True, max_digits=8, decimal_places=2), Decimal("1.50"), Decimal("2.25")),
    "float": (FloatField(null=True), 0.5, 1.5),
    "text": (CharField(null=True), "it's", "100%"),
    "uuid": (UUIDField(null=True), uuid.UUID(int=5), uuid.UUID(int=6)),
    "default made anew": (CharField(default=lambda: uuid.uuid4().hex), "a", "b"),
}


@pytest.mark.parametrize("kind", ATTRIBUTES)
def test_attributes_of_every_type(fresh: Any, kind: str) -> None:
    """C8, D3: an attribute of any type is linked, found to be there, and changed."""
    field, first, second = ATTRIBUTES[kind]
    fresh.on()
    Post, Tag, Link = model(fresh, "Post"), model(fresh, "Tag"), model(fresh, "PostTag", value=field.clone())
    Post.has_many(Tag, through=Link)
    sync(fresh.db)
    post, tags = Post.create(), [Tag.create() for _ in range(4)]
    values = lambda: [tag.post_tag.value for tag in post.get_tags()]  # noqa: E731
    with assert_queries(2):
        assert post.add_tags(tags[:3], {"value": first}) == 3
    assert values() == [first] * 3
    with assert_queries(1):
        assert post.add_tags(tags[:3], {"value": first}) == 0
    with assert_queries(2):
        assert post.add_tags([tag.id for tag in tags[:3]], {"value": second}) == 0
    assert values() == [second] * 3
    post.set_tags(tags, {"value": first})
    assert values() == [first] * 4
    post.set_tags([])
    post.set_tags(tags)
    assert len(set(map(str, values()))) == (4 if kind == "default made anew" else 1)


def generally_linking(call: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    with monkeypatch.context() as patch:
        patch.setattr("activeassoc.associations.bulk.linker", lambda association: None)
        return call()


def test_linking_many_of_whom_some_are_gone(t: Any) -> None:
    """C3, C7: missing targets are listed, and nothing is linked."""
    project, gone = t.projects[1], max(user.id for user in t.users)
    for write in (project.add_users, project.set_users):
        before = rows(t.Membership)
        with pytest.raises(activeassoc.RecordNotFound) as caught:
            write([t.users[0].id, gone + 8, gone + 9])
        assert caught.value.keys == [gone + 8, gone + 9]
        assert rows(t.Membership) == before


def test_linking_to_an_owner_that_is_gone(t: Any) -> None:
    """C2: an owner whose row is gone raises RecordNotFound, and nothing is linked."""
    project = t.projects[1]
    t.Project.delete().where(t.Project.id == project.id).execute()
    for write in (project.add_users, project.set_users):
        before = rows(t.Membership)
        with pytest.raises(activeassoc.RecordNotFound) as caught:
            write(t.users)
        assert caught.value.keys == [project.id]
        assert rows(t.Membership) == before


def test_what_linking_many_costs(t: Any) -> None:
    """C8: add is 1 SELECT and 1 INSERT, again the SELECT alone, without a transaction; set at most 3 statements."""
    project = t.projects[1]
    with assert_queries(2):
        assert project.add_users(t.users[:4], {"role": "x"}) == 4
    seen = texts(t.db, lambda: project.add_users(t.users[:4], {"role": "x"}))
    assert [text.split()[0] for text, _ in seen] == ["SELECT"]
    with assert_queries(3) as events:
        project.set_users(t.users[2:], {"role": "x"})
    assert [event.sql.split()[0] for event in events] == ["SELECT", "DELETE", "INSERT"]
    with assert_queries(1):
        project.set_users(t.users[2:], {"role": "x"})
