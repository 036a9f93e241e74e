"""What getters take, in which order they give, and the association as an object."""

from __future__ import annotations

from typing import Any

import pytest
from accessing import ids, model, refused, tracker
from peewee import SQL, CharField, IntegerField, fn

from activeassoc import UnknownName, WrongArgument, sync
from activeassoc.stores.capabilities import store_of
from activeassoc.testing import assert_queries

pytestmark = pytest.mark.every_store


def filled(fresh: Any) -> Any:
    """A project with five tasks and five users, ranked 3, 1, NULL, 2, 1; and one of another project."""
    t = tracker(fresh)
    t.project, t.other = t.Project.create(title="p"), t.Project.create(title="q")
    ranks = [3, 1, None, 2, 1]
    t.tasks = [t.project.create_task(title=f"t{n}", rank=rank) for n, rank in enumerate(ranks)]
    t.users = [t.User.create(name=f"u{n}", age=rank) for n, rank in enumerate(ranks)]
    t.project.add_users({user: {"since": 10 - n, "role": "odd" if n % 2 else "even"} for n, user in enumerate(t.users)})
    t.other.create_task(title="t9", rank=1)
    t.other.add_user(t.users[0], {"role": "other"})
    return t


def test_where(fresh: Any) -> None:
    """C11: where takes a peewee expression or a criteria mapping, count_xs likewise; columns of the link may be named."""
    t = filled(fresh)
    project, tasks, users = t.project, t.tasks, t.users
    assert project.get_tasks(where=t.Task.rank == 1) == [tasks[1], tasks[4]]
    assert project.get_tasks(where={"rank": {">": 1}}) == [tasks[0], tasks[3]]
    assert project.get_tasks(where=(t.Task.rank == 1) & (t.Task.title == "t4")) == [tasks[4]]
    assert project.get_tasks(where={}) == tasks
    assert project.count_tasks(where=t.Task.rank == 1) == 2
    assert project.count_tasks(where={"rank": 1}) == 2
    assert project.get_users(where=t.Membership.role == "odd") == [users[1], users[3]]
    if store_of(t.db).joins:
        assert project.get_tasks(where=SQL("1 = 0")) == []
        assert project.get_users(where=(t.Membership.since > 8) | (t.User.age == 2)) == [users[0], users[1], users[3]]
    assert project.get_users(through_where=t.Membership.role == "odd", where=t.User.age == 1) == [users[1]]
    assert project.get_users(through_where={"role": "odd"}) == [users[1], users[3]]
    assert project.count_users(where=t.Membership.role == "odd") == 2
    assert project.count_users(through_where={"role": "even"}) == 3


def test_a_text_as_where(fresh: Any) -> None:
    """C11: a plain string raises TypeError and shows the two ways to write it."""
    t = filled(fresh)
    text = (
        "Project.{}(): where='id > 10' is a text, and a text could hold anything. Write "
        "Task.id > 10, or SQL(\"id > 10\") where it has to be SQL."
    )
    with refused(TypeError, text.format("get_tasks"), t.models, t.project):
        t.project.get_tasks(where="id > 10")
    with refused(TypeError, text.format("count_tasks"), t.models, t.project):
        t.project.count_tasks(where="id > 10")
    for wrong in (True, 3, [t.Task.id == 3], t.Task, t.tasks[0]):
        with refused(TypeError, None, t.models, t.project) as caught:
            t.project.get_tasks(where=wrong)
        assert str(caught.value) == (
            f"Project.get_tasks(): where={wrong!r} is neither an expression nor a criteria mapping. Write an expression of Task's fields."
        )
    with refused(WrongArgument, "Project.get_tasks(): there is no through model for through_where. Write where=.", t.models):
        t.project.get_tasks(through_where=t.Task.rank == 1)


def test_attributes(fresh: Any) -> None:
    """C11: names or fields; the primary key and the keys of the association always come too; an unknown name raises."""
    t = filled(fresh)
    first = t.project.get_tasks(attributes=["title"])[0]
    assert first.__data__ == {"id": t.tasks[0].id, "title": "t0", "project": t.project.id}
    assert t.project.get_tasks(attributes=[t.Task.title, "rank"])[0].rank == 3
    assert t.project.get_tasks(attributes="title")[0].title == "t0"
    assert t.project.get_tasks(attributes=["project_id", "id"])[0].__data__ == {"id": t.tasks[0].id, "project": t.project.id}
    assert t.project.get_tasks(attributes=[])[0].__data__ == {"id": t.tasks[0].id, "project": t.project.id}
    assert first.project is t.project
    user = t.project.get_users(attributes=["name"])[0]
    assert user.__data__ == {"id": t.users[0].id, "name": "u0"}
    assert user.membership.role == "even"
    text = "Project.get_tasks(): Task has no field 'titel' for attributes. Did you mean 'title'."
    with refused(UnknownName, text, t.models, t.project) as caught:
        t.project.get_tasks(attributes=["titel"])
    assert caught.value.name == "titel"
    assert "title" in caught.value.known
    text = f"Project.get_tasks(): {t.User.name!r} in attributes is no field of Task. Give its fields or their names."
    with refused(WrongArgument, text, t.models, t.project):
        t.project.get_tasks(attributes=[t.User.name])


def test_order(fresh: Any) -> None:
    """C11, C13: an expression, a name, "-name", or a list; the primary key breaks ties; NULLs first ascending."""
    t = filled(fresh)

    def numbers(order: Any) -> list[int]:
        return [int(task.title[1:]) for task in t.project.get_tasks(order=order)]

    assert numbers(None) == [0, 1, 2, 3, 4]
    assert numbers("rank") == [2, 1, 4, 3, 0]
    assert numbers("-rank") == [0, 3, 1, 4, 2]
    assert numbers(["-rank", "-title"]) == [0, 3, 4, 1, 2]
    assert numbers(t.Task.title.desc()) == [4, 3, 2, 1, 0]
    if store_of(t.db).expressions:
        assert numbers([fn.LENGTH(t.Task.title), "-id"]) == [4, 3, 2, 1, 0]
    assert numbers("-id") == [4, 3, 2, 1, 0]
    assert [user.name for user in t.project.get_users(order="since")] == ["u4", "u3", "u2", "u1", "u0"]
    assert [user.name for user in t.project.get_users(order=[t.Membership.role, "-age"])] == ["u0", "u4", "u2", "u3", "u1"]
    text = "Project.get_tasks(): Task has no field 'ranc' for order. Did you mean 'rank'."
    with refused(UnknownName, text, t.models, t.project):
        t.project.get_tasks(order="-ranc")
    text = 'Project.get_tasks(): order=3 is neither a field, an expression nor a name. Write "title" or "-title".'
    with refused(WrongArgument, text, t.models, t.project):
        t.project.get_tasks(order=3)


def test_limit_and_offset(fresh: Any) -> None:
    """C11: limit and offset, each without the other, and without an order."""
    t = filled(fresh)
    assert t.project.get_tasks(limit=2) == t.tasks[:2]
    assert t.project.get_tasks(offset=3) == t.tasks[3:]
    assert t.project.get_tasks(limit=2, offset=1) == t.tasks[1:3]
    assert t.project.get_tasks(limit=0) == []
    assert t.project.get_tasks(limit=None, offset=None) == t.tasks
    assert t.project.get_users(offset=4) == t.users[4:]
    assert t.project.get_users(order="-since", limit=1) == t.users[:1]
    for wrong in (-1, 1.5, "2", True):
        text = f"Project.get_tasks(): limit={wrong!r} is no number of records. Give a whole number from 0."
        with refused(WrongArgument, text, t.models, t.project):
            t.project.get_tasks(limit=wrong)
        with refused(WrongArgument, text.replace("limit", "offset"), t.models, t.project):
            t.project.get_tasks(offset=wrong)


def test_the_order_of_the_association(fresh: Any) -> None:
    """C13: without order by primary key unless the association says otherwise; it may name columns of the link."""
    fresh.on()
    Project = model(fresh, "Project", title=CharField(null=True))
    Task = model(fresh, "Task", title=CharField(null=True), rank=IntegerField(null=True))
    Place = model(fresh, "Place", position=IntegerField(default=0))
    Project.has_many(Task, order=["-rank"], through=None)
    Project.has_many(Task, as_="placed", through=Place, order="position")
    sync(fresh.db)
    project = Project.create()
    a, b, c = [Task.create(rank=rank) for rank in (1, 3, 3)]
    project.set_tasks([a, b, c])
    assert project.get_tasks() == [b, c, a]
    assert list(project.tasks) == [b, c, a]
    assert project.get_tasks(order="rank") == [a, b, c]
    assert Project.tasks.reach([project]) == {project: [b, c, a]}
    project.set_placed({a: {"position": 2}, b: {"position": 3}, c: {"position": 1}})
    assert project.get_placed() == [c, a, b]
    assert list(project.placed) == [c, a, b]
    assert Project.placed.reach([project]) == {project: [c, a, b]}
    if store_of(fresh.db).joins:
        assert list(Project.placed.query(project)) == [c, a, b]
    project.add_placed(Task.create(id=1000), {"position": 0})
    assert ids(project.placed) == [1000, c.id, a.id, b.id]


def test_the_same_operations_on_the_association(fresh: Any) -> None:
    """C14: Project.tasks.get(project) and its kin are the same operations; so for Task.project, the key's field."""
    t = filled(fresh)
    project, tasks = t.project, t.tasks
    assert t.Project.tasks.get(project) == tasks
    assert t.Project.tasks.count(project, where=t.Task.rank == 1) == 2
    assert t.Project.tasks.has(project, tasks[0]) is True
    assert t.Project.tasks.has_exactly(project, tasks) is True
    assert t.Project.tasks.remove(project, tasks[0]) == 1
    assert t.Project.tasks.add(project, tasks[0]) == 1
    assert t.Project.tasks.create(project, title="c").title == "c"
    assert [task.title for task in t.Project.tasks.create_many(project, [{"title": "d"}])] == ["d"]
    assert t.Project.tasks.set(project, [tasks[1]]) == [tasks[1]]
    assert t.Project.plan.create(project, title="x") == t.Project.plan.get(project)
    assert t.Project.plan.set(project, None) is None
    assert t.Task.project.set(tasks[1], t.other) is t.other
    assert t.Task.project.get(tasks[1]) == t.other
    assert t.Task.project.create(tasks[1], title="n").title == "n"
    assert t.Task.select().where(t.Task.project == t.other).count() == 1


def test_query(fresh: Any) -> None:
    """C14: query is the getter's query, not run, to go on with peewee; its rows carry their join row."""
    t = filled(fresh)
    with assert_queries(0):
        query = t.Project.tasks.query(t.project)
    with assert_queries(1):
        assert query.where(t.Task.rank == 1).count() == 2
    assert list(query) == t.tasks
    assert list(t.Project.tasks.query(t.project, where={"rank": 1}, order="-id", limit=1)) == [t.tasks[4]]
    assert list(t.Project.tasks.query(t.project, offset=4)) == [t.tasks[4]]
    if store_of(t.db).joins:
        users = list(t.Project.users.query(t.project).where(t.Membership.role == "odd"))
        assert users == [t.users[1], t.users[3]]
        assert [user.membership.since for user in users] == [9, 7]
    else:
        assert list(t.Project.users.query(t.project).where(t.User.age == 1)) == [t.users[1], t.users[4]]
    assert list(t.Task.project.query(t.tasks[0])) == [t.project]


def test_reach(fresh: Any) -> None:
    """C14, D5: reach maps every owner to its records at the cost of one; owners may repeat, or have no row."""
    t = filled(fresh)
    empty, new = t.Project.create(), t.Project()
    owners = [t.project, t.other, empty, t.project, new]
    with assert_queries(1):
        reached = t.Project.tasks.reach(owners)
    assert reached[t.project] == t.tasks
    assert [task.title for task in reached[t.other]] == ["t9"]
    assert reached[empty] == []
    assert reached[new] == []
    with assert_queries(0):
        assert all(task.project is t.project for task in reached[t.project])
    with assert_queries(1 if store_of(t.db).joins else 2):
        reached = t.Project.users.reach(owners)
    assert reached[t.project] == t.users
    assert reached[t.other] == [t.users[0]]
    assert reached[t.other][0] is not reached[t.project][0]
    assert [reached[owner][0].membership.role for owner in (t.other, t.project)] == ["other", "even"]
    with assert_queries(0):
        assert t.Project.tasks.reach([]) == {}
        assert t.Project.tasks.reach([new]) == {new: []}
    with assert_queries(1):
        projects = t.Task.project.reach([*t.tasks, t.Task()])
    assert {projects[task] for task in t.tasks} == {t.project}
    plan = t.project.create_plan(title="x")
    assert t.Project.plan.reach(owners) == {t.project: plan, t.other: None, empty: None, new: None}


def test_any(fresh: Any) -> None:
    """C14: any is an EXISTS expression for where: owners that have such a target; no owner twice."""
    t = filled(fresh)
    empty = t.Project.create(title="empty")
    query = t.Project.select().order_by(t.Project.id)
    assert list(query.where(t.Project.tasks.any())) == [t.project, t.other]
    assert list(query.where(t.Project.tasks.any(t.Task.rank == 1))) == [t.project, t.other]
    assert list(query.where(t.Project.tasks.any({"rank": 3}))) == [t.project]
    assert list(query.where(~t.Project.tasks.any())) == [empty]
    assert list(query.where(t.Project.users.any(t.User.name == "u0"))) == [t.project, t.other]
    assert list(query.where(t.Project.users.any({"name": "u1"}))) == [t.project]
    assert list(t.Task.select().where(t.Task.project.any(t.Project.title == "q"))) == t.other.get_tasks()
    t.project.create_plan(title="x")
    assert list(query.where(t.Project.plan.any(t.Plan.title == "x"))) == [t.project]
    assert list(query.where(t.Project.tasks.any(t.Task.rank == 3) & t.Project.users.any())) == [t.project]
    open_users = t.User.projects.any(t.Project.tasks.any(t.Task.rank == 3))
    assert list(t.User.select().where(open_users).order_by(t.User.id)) == t.users


def test_any_of_a_model_on_itself(fresh: Any) -> None:
    """C14: the same where source and target are one table: a tree, and links between its records."""
    fresh.on()
    Person = model(fresh, "Person", name=CharField(null=True))
    Person.belongs_to("self", as_="parent")
    Person.has_many("self", as_="children")
    Person.has_many("self", as_="friends", through="friendships", symmetric=True)
    Person.has_many("self", as_="idols", through="idolatry")
    sync(fresh.db)
    a, b, c = [Person.create(name=x) for x in "abc"]
    a.add_children([b, c])
    a.add_friend(c)
    a.add_idol(b)
    query = Person.select().order_by(Person.id)
    assert list(query.where(Person.children.any())) == [a]
    assert list(query.where(Person.children.any(Person.name == "b"))) == [a]
    assert list(query.where(Person.children.any(Person.name == "a"))) == []
    assert list(query.where(Person.parent.any(Person.name == "a"))) == [b, c]
    assert list(query.where(Person.friends.any(Person.name == "a"))) == [c]
    assert list(query.where(Person.friends.any())) == [a, c]
    assert list(query.where(Person.idols.any(Person.name == "b"))) == [a]
    assert list(query.where(Person.idols.any(Person.name == "a"))) == []
    with pytest.raises(WrongArgument):
        Person.children.any("name = 'b'")
