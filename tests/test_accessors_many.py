"""has_many and many-to-many: setting, adding, removing, creating, and what they return."""

from __future__ import annotations

import uuid
from typing import Any

import peewee
import pytest
from accessing import ids, model, refused, tracker
from peewee import BooleanField, CharField

from activeassoc import DeclarationError, RequiredKeyError, UnknownName, WrongArgument, sync
from activeassoc.stores.capabilities import store_of
from activeassoc.testing import assert_queries

pytestmark = pytest.mark.every_store


def test_has_many_set(fresh: Any) -> None:
    """C6, C9: detaches those left out, attaches new ones, leaves kept ones untouched; in the order given, instances as given."""
    t = tracker(fresh)
    project, other = t.Project.create(), t.Project.create()
    a, b, c, d = [t.Task.create(title=x) for x in "abcd"]
    assert project.set_tasks([a, b]) == [a, b]
    other.add_task(c)
    a.title = "unsaved"
    result = project.set_tasks([c, b.id, a, c])
    assert ids(result) == [c.id, b.id, a.id]
    assert result[0] is c
    assert result[2] is a
    assert a.title == "unsaved"
    assert t.Task.get_by_id(a.id).title == "a"
    assert other.count_tasks() == 0
    assert project.set_tasks([d]) == [d]
    assert {task.project_id for task in t.Task.select().where(t.Task.id << [a.id, b.id, c.id])} == {None}
    assert t.Task.select().count() == 4
    assert project.set_tasks(None) == []


def test_has_many_with_a_required_key(fresh: Any) -> None:
    """C6: leaving someone out raises before anything is written, unless destroy=True, which deletes; remove likewise."""
    t = tracker(fresh, null=False, on_delete="CASCADE")
    project, other = t.Project.create(), t.Project.create()
    a, b, c = [project.create_task(title=x) for x in "abc"]
    d = other.create_task(title="d")
    text = (
        "Project.{}(): Task {} would be let go, and its key 'project_id' may not be NULL. "
        "Give destroy=True to delete what is let go, or declare the key with null=True."
    )
    for name, gone, call in (
        ("set_tasks", f"{b.id}, {c.id}", lambda: project.set_tasks([a, d])),
        ("set_tasks", f"{a.id}, {b.id}, {c.id}", lambda: project.set_tasks(None)),
        ("remove_task", f"{b.id}", lambda: project.remove_task(b)),
        ("remove_task", f"{b.id}", lambda: project.remove_tasks([b, d])),
    ):
        with refused(RequiredKeyError, text.format(name, gone), t.models, project, a, b, c, d):
            call()
    assert project.remove_tasks([d, 999]) == 0
    assert project.set_tasks([a, b, c, d]) == [a, b, c, d]
    assert project.remove_task(b, destroy=True) == 1
    assert project.set_tasks([a], destroy=True) == [a]
    assert ids(t.Task.select()) == [a.id]


def test_has_many_add_moves(fresh: Any) -> None:
    """C7, C9: add moves a record from another owner; the number of records whose key changed."""
    t = tracker(fresh)
    project, other = t.Project.create(), t.Project.create()
    a, b = t.Task.create(), t.Task.create()
    assert project.add_task(a) == 1
    assert project.add_task(a.id) == 0
    assert other.add_tasks([a, b]) == 2
    assert a.project is other
    assert project.add_tasks([a.id, b, t.Task()]) == 3
    assert other.get_tasks() == []


def test_has_many_remove(fresh: Any) -> None:
    """C7, C9: detaches only records of this owner; others and missing ones are left alone, without an error."""
    t = tracker(fresh)
    project, other = t.Project.create(), t.Project.create()
    a, b, c = [t.Task.create() for _ in range(3)]
    project.set_tasks([a, b])
    other.set_tasks([c])
    assert project.remove_tasks([a, c, 999, t.Task()]) == 1
    assert a.project_id is None
    assert c.project_id == other.id
    assert other.get_tasks() == [c]
    assert project.remove_task(a) == 0
    assert project.remove_task(b.id) == 1
    # What memory says may be old: another process moved it.
    stale = t.Task.get_by_id(c.id)
    project.add_task(c.id)
    assert other.remove_task(stale) == 0
    assert stale.project_id == project.id
    assert stale.project == project


def test_many_to_many_add(fresh: Any) -> None:
    """C8, C9: add is idempotent: existing links are kept, given join attributes are updated where they differ."""
    t = tracker(fresh)
    project, (a, b, c) = t.Project.create(), [t.User.create() for _ in range(3)]
    assert project.add_users([a, b], {"role": "owner", "since": 1}) == 2
    assert project.add_users([a, b, c]) == 1
    links = {link.user_id: (link.role, link.since) for link in t.Membership.select()}
    assert links == {a.id: ("owner", 1), b.id: ("owner", 1), c.id: ("member", None)}
    assert project.add_users([a, c], {"since": 2}) == 0
    links = {link.user_id: (link.role, link.since) for link in t.Membership.select()}
    assert links == {a.id: ("owner", 2), b.id: ("owner", 1), c.id: ("member", 2)}
    assert project.add_user(a, {"since": None}) == 0
    assert t.Membership.get(t.Membership.user == a).since is None
    assert project.add_user(t.User(name="new")) == 1


def test_many_to_many_set(fresh: Any) -> None:
    """C8: kept links keep their attributes; those left out are deleted, the records stay."""
    t = tracker(fresh)
    project, (a, b, c) = t.Project.create(), [t.User.create() for _ in range(3)]
    assert project.set_users([b, a], {"role": "owner"}) == [b, a]
    assert project.set_users([c, a.id]) == [c, a]
    assert {link.user_id: link.role for link in t.Membership.select()} == {a.id: "owner", c.id: "member"}
    assert project.set_users([a, c], {"role": "x"}) == [a, c]
    assert {link.user_id: link.role for link in t.Membership.select()} == {a.id: "x", c.id: "x"}
    assert project.set_users([]) == []
    assert t.Membership.select().count() == 0
    assert t.User.select().count() == 3


def test_many_to_many_remove(fresh: Any) -> None:
    """C8, C9: what is not linked is left alone; the number removed."""
    t = tracker(fresh)
    project, other = t.Project.create(), t.Project.create()
    a, b = t.User.create(), t.User.create()
    project.set_users([a, b])
    other.set_users([b])
    assert project.remove_user(999) == 0
    assert project.remove_users([b, 999, t.User()]) == 1
    assert project.remove_user(b) == 0
    assert other.get_users() == [b]
    assert project.get_users() == [a]


@pytest.mark.parametrize("name", ["tasks", "users"])
def test_has(fresh: Any, name: str) -> None:
    """C10: has_x asks membership of it or of every one; has_xs asks for exactly these, in any order; exact=False whether among."""
    t = tracker(fresh)
    association, target = t.Project.associations[name], t.Task if name == "tasks" else t.User
    project, (a, b, c) = t.Project.create(), [target.create() for _ in range(3)]
    has, exactly = getattr(project, f"has_{name[:-1]}"), getattr(project, f"has_{name}")
    assert exactly([]) is True
    assert exactly([], exact=False) is True
    association.set(project, [a, b])
    can = store_of(t.db)  # without CASE, sets are compared by a second statement; without joins, links and targets are asked apart
    with assert_queries(10 if can.expressions else 13 if name == "tasks" else 23):
        assert has(a) is True
        assert has(c.id) is False
        assert has([a, b.id]) is True
        assert has([a, c]) is False
        assert exactly([a]) is False
        assert exactly([b, a, b.id]) is True
        assert exactly([a, b, c]) is False
        assert exactly([a], exact=False) is True
        assert exactly([a, c], exact=False) is False
        assert exactly([]) is False
    with assert_queries(0):
        assert exactly([], exact=False) is True
        assert has(target()) is False
        assert exactly([a, target()]) is False
    assert has([a, 999]) is False


def test_one_word_for_one_and_many(fresh: Any) -> None:
    """C10, B3: where singular and plural are one word, one target asks membership, an iterable asks for exactly these."""
    fresh.on()
    Channel, Series = model(fresh, "Channel", title=CharField(null=True)), model(fresh, "Series", title=CharField(null=True))
    Channel.has_many(Series, through=None)
    Channel.has_many(Series, as_="sheep", through="flock")
    sync(fresh.db)
    channel, a, b = Channel.create(), Series.create(), Series.create()
    for has, add, set_, create in (
        (channel.has_series, channel.add_series, channel.set_series, channel.create_series),
        (channel.has_sheep, channel.add_sheep, channel.set_sheep, channel.create_sheep),
    ):
        assert set_([a, b]) == [a, b]
        assert has(a) is True
        assert has([a]) is False
        assert has([b, a]) is True
        assert create(title="one").title == "one"
        made = create([{"title": "two"}, {"title": "three"}])
        assert [record.title for record in made] == ["two", "three"]
        assert add([a, b]) == 0


@pytest.mark.parametrize("name", ["tasks", "users"])
def test_create(fresh: Any, name: str) -> None:
    """C18: fields by keyword, or as a mapping where a name would be hidden; unknown fields raise; create_xs makes many."""
    t = tracker(fresh)
    association, target, field = t.Project.associations[name], *((t.Task, "title") if name == "tasks" else (t.User, "name"))
    project = t.Project.create()
    one, several = getattr(project, f"create_{name[:-1]}"), getattr(project, f"create_{name}")
    record = one(**{field: "a"})
    assert type(record) is target
    assert association.has(project, record)
    assert getattr(one({field: "b"}), field) == "b"
    made = several([{field: "c"}, {field: "d"}])
    assert [getattr(each, field) for each in made] == ["c", "d"]
    assert association.count(project) == 4
    assert several([]) == []
    call = f"Project.create_{name[:-1]}()"
    with refused(UnknownName, None, t.models, project) as caught:
        one(**{field + "x": "a"})
    assert str(caught.value) == f"{call}: {target.__name__} has no field {field + 'x'!r}. Did you mean {field!r}."
    with refused(
        WrongArgument,
        f'{call}: 3 is no mapping of fields to values. Write keywords, or a mapping as in {{"title": "…"}}.',
        t.models,
    ):
        one(3)
    with refused(UnknownName, None, t.models, project):
        several([{field: "ok"}, {"nope": 1}])
    with refused(
        WrongArgument, f'Project.create_{name}(): \'x\' is no list of mappings. Write [{{"title": "…"}}, …].', t.models, project
    ):
        several("x")


def test_create_against_the_association(fresh: Any) -> None:
    """C18: a value that contradicts what the association writes raises; the same value is fine."""
    t = tracker(fresh)
    project, other = t.Project.create(), t.Project.create()
    assert project.create_task(title="x", project_id=project.id).project == project
    with refused(WrongArgument, None, t.models, project):
        project.create_task(title="x", project=other.id)


def test_create_many_costs_little_where_keys_are_known(fresh: Any) -> None:
    """C18: create_xs makes and links many in few statements."""
    fresh.on()
    Box = model(fresh, "Box", id=peewee.UUIDField(primary_key=True, default=uuid.uuid4), title=CharField(null=True))
    Thing = model(fresh, "Thing", id=peewee.UUIDField(primary_key=True, default=uuid.uuid4), title=CharField(null=True))
    Box.has_many(Thing, through=None)
    Box.has_many(Thing, as_="linked", through="boxes_linked")
    sync(fresh.db)
    box = Box.create()
    with assert_queries(1 if store_of(fresh.db).expressions else 2):  # the owner is looked for by a statement of its own
        made = box.create_things([{"title": str(n)} for n in range(50)])
    assert [thing.title for thing in made] == [str(n) for n in range(50)]
    assert not any(thing.dirty_fields for thing in made)
    assert {thing.id for thing in box.get_things()} == {thing.id for thing in made}
    assert all(thing.box == box for thing in made)
    with assert_queries(2 if store_of(fresh.db).joins else 3):  # the owner is looked for by a statement of its own
        box.create_linked([{"title": str(n)} for n in range(50)])
    assert box.count_linked() == 50
    made[0].title = "changed"
    assert made[0].save() == 1
    assert Thing.get_by_id(made[0].id).title == "changed"


def test_create_with_attributes_of_the_link(fresh: Any) -> None:
    """C18, D3: through= are the attributes of the link; unknown ones raise before anything is written."""
    t = tracker(fresh)
    project = t.Project.create()
    user = project.create_user({"name": "ann"}, through={"role": "boss"})
    assert user.membership.role == "boss"
    assert [each.membership.role for each in project.create_users([{}, {}], through={"role": "x"})] == ["x", "x"]
    text = "Project.create_user(): Membership has no attribute 'rol'. Did you mean 'role'. It has role, since."
    with refused(UnknownName, text, t.models, project):
        project.create_user(name="x", through={"rol": "y"})


def scoped(fresh: Any) -> Any:
    fresh.on()
    Project = model(fresh, "Project", title=CharField(null=True))
    Task = model(fresh, "Task", title=CharField(null=True), done=BooleanField(default=False))
    Project.has_many(Task)
    Project.has_many(Task, as_="open_tasks", where={"done": False})
    Project.has_many(Task, as_="closed_tasks", where=Task.done == True)
    Project.has_many(Task, as_="named_tasks", where=Task.title.is_null(False))
    Project.has_many(Task, as_="links", through="task_links", where={"done": False})
    Task.belongs_to(Project)
    sync(fresh.db)
    return Project, Task


def test_scopes(fresh: Any) -> None:
    """A19: set detaches and remove works within the scope, by NULLing the key; equalities are written when creating or adding."""
    Project, Task = scoped(fresh)
    project = Project.create()
    opened, closed = project.create_open_task(title="o"), project.create_closed_task(title="c")
    assert (opened.done, closed.done) == (False, True)
    assert project.get_open_tasks() == [opened]
    assert project.get_closed_tasks() == [closed]
    assert project.remove_closed_tasks([opened]) == 0
    assert project.set_open_tasks([]) == []
    assert project.get_tasks() == [closed]
    assert project.add_open_task(closed) == 1
    assert closed.done is False
    assert Task.get_by_id(closed.id).done is False
    assert project.set_closed_tasks([opened]) == [opened]
    assert ids(project.get_tasks()) == [opened.id, closed.id]
    text = (
        "Project.create_named_task(): the association's where is not all equalities, so what a new record of it must be cannot be told. "
        "Write the record itself, or give the association a where of equalities."
    )
    with refused(DeclarationError, text, [Project, Task], project):
        project.create_named_task(title="x")
    with refused(DeclarationError, None, [Project, Task], project):
        project.add_named_task(opened)
    assert project.remove_named_task(opened) == 1
    assert project.set_named_tasks([]) == []


def test_scoped_links(fresh: Any) -> None:
    """A19: a scoped many-to-many leaves links outside of its scope alone, and writes the scope into what it adds."""
    Project, Task = scoped(fresh)
    project, link = Project.create(), Project.links.through
    a, b, done = Task.create(), Task.create(done=True), Task.create(done=True)
    project.add_links([a, b])
    assert b.reload().done is False
    link.create(project=project, task=done)
    assert project.get_links() == [a, b]
    assert project.set_links([b]) == [b]
    assert {each.task_id for each in link.select()} == {b.id, done.id}
    assert link.select().count() == 2
    assert project.count_links() == 1
    assert project.has_link(done) is False
    assert project.set_links([done]) == [done]
    assert done.reload().done is False


def test_rows_that_a_select_of_the_users_own_hides(fresh: Any) -> None:
    """C6, C7, C8: getters honour it; what writes sees every row, so that nothing hidden stays behind or stands in the way."""
    fresh.on()
    Project = model(fresh, "Project", title=CharField(null=True))

    class Task(fresh.Base):
        title = CharField(null=True)
        deleted = BooleanField(default=False)

        @classmethod
        def select(cls, *fields: Any) -> Any:
            return super().select(*fields).where(cls.deleted == False)

    Project.has_many(Task, through=None)
    Project.has_many(Task, as_="linked", through="linked_tasks")
    Project.has_one(Task, as_="main", foreign_key="main_of_id", unique=True)
    sync(fresh.db)
    project = Project.create()
    a, hidden = Task.create(), Task.create(deleted=True)
    project.add_tasks([a, hidden])
    project.add_linked([a, hidden.id])
    for association in (Project.tasks, Project.linked):
        assert association.get(project) == [a]
        assert association.count(project) == 1
        assert association.has(project, hidden) is False
        assert association.has_exactly(project, [a]) is True
        assert association.reach([project]) == {project: [a]}
        assert association.set(project, [a]) == [a]
    assert peewee.ModelSelect(Project.linked.through, [Project.linked.through.id]).count() == 1
    assert peewee.ModelSelect(Task, [Task.id]).where(Task.project_id.is_null(False)).count() == 1
    project.set_main(hidden)
    assert project.get_main() is None
    assert project.set_main(a) is a
    assert project.get_main() == a
