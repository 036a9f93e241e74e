"""What the accessors cost, in statements. BEGIN, COMMIT and the lock of the owner's row do not count; they differ between stores."""

from __future__ import annotations

from typing import Any

import pytest
from peewee import BooleanField, CharField

from activeassoc import sync
from activeassoc.testing import assert_queries


class Models:
    """Projects with tasks, a lead, and members through memberships with a role."""

    def __init__(self, fresh: Any) -> None:
        self.Project, self.User = fresh("Project", "User")

        class Task(fresh.Base):
            title = CharField(null=True)
            done = BooleanField(default=False)

        class Membership(fresh.Base):
            role = CharField(default="member")

        self.Task, self.Membership = Task, Membership
        self.Project.has_many(Task)
        Task.belongs_to(self.Project)
        self.Project.has_one(self.User, as_="lead", foreign_key="led_id")
        self.Project.has_many(self.User, as_="members", through=Membership)
        self.User.has_many(self.Project, through=Membership)
        sync(fresh.db)
        self.project, self.other = self.Project.create(), self.Project.create()
        self.tasks = [Task.create(title=str(number)) for number in range(6)]
        self.users = [self.User.create(title=str(number)) for number in range(6)]


@pytest.fixture
def made(fresh: Any) -> Models:
    return Models(fresh)


def test_reading_costs_one_statement(made: Models) -> None:
    """C10, C11: get, count and has are one statement, whatever they are asked."""
    made.project.add_tasks(made.tasks)
    made.project.add_members(made.users)
    made.project.set_lead(made.users[0])
    project, task, user = made.Project.get_by_id(made.project.id), made.Task.get_by_id(made.tasks[0].id), made.users[0]
    for read in (
        lambda: project.get_tasks(),
        lambda: project.get_tasks(where=made.Task.done == False, order="-title", limit=2, offset=1, attributes=["title"]),
        lambda: project.count_tasks(),
        lambda: project.has_task(task),
        lambda: project.has_task(made.tasks),
        lambda: project.has_tasks(made.tasks),
        lambda: project.has_tasks(made.tasks, exact=False),
        lambda: project.get_members(through_where=made.Membership.role == "member"),
        lambda: project.count_members(),
        lambda: project.has_member(user),
        lambda: project.has_members(made.users),
        lambda: project.get_lead(),
        lambda: task.get_project(),
    ):
        with assert_queries(1):
            read()


def test_what_is_loaded_costs_nothing(made: Models) -> None:
    """C12: the owner of a fetched record, a collection that was read, a join row."""
    made.project.add_tasks(made.tasks)
    made.project.add_members(made.users)
    with assert_queries(2):
        tasks, members = made.project.get_tasks(), made.project.get_members()
    with assert_queries(0):
        assert all(task.project is made.project for task in tasks)
        assert [member.membership.role for member in members] == ["member"] * 6
    with assert_queries(1):
        assert [task.id for task in made.project.tasks] == [task.id for task in made.project.tasks]


def test_nothing_to_ask_costs_nothing(made: Models) -> None:
    """C2, C4: a NULL key and a record that is not saved need no statement."""
    task, new = made.Task.get_by_id(made.tasks[0].id), made.Project()
    with assert_queries(0):
        assert task.get_project() is None
        assert task.project is None
        assert new.get_tasks() == [] == new.get_members()
        assert new.count_tasks() == 0 == new.count_members()
        assert new.has_task(task) is False
        assert new.get_lead() is None


def test_writing_to_has_many(made: Models) -> None:
    """C6, C7: set is at most 1 SELECT and 2 UPDATEs, add and remove are 1 UPDATE, create is 1 INSERT."""
    first, rest = made.tasks[:3], made.tasks[2:]
    with assert_queries(1):
        assert made.project.add_tasks(first) == 3
    with assert_queries(3):
        made.project.set_tasks(rest)
    with assert_queries(3):
        made.project.set_tasks([task.id for task in first])
    with assert_queries(1):
        made.project.set_tasks(first)
    with assert_queries(1):
        assert made.project.remove_tasks(first) == 3
    with assert_queries(1):
        made.project.create_task(title="new")
    with assert_queries(3):  # the SELECT, an INSERT and the UPDATE of the one let go
        made.project.set_tasks([made.Task(title="newer")])


def test_writing_to_a_many_to_many(made: Models) -> None:
    """C8: set is 1 SELECT, at most 1 DELETE, 1 INSERT and 1 UPDATE of attributes; add is 2 at most, and 1 when all is there."""
    users = made.users
    with assert_queries(2):
        assert made.project.add_members(users[:3]) == 3
    with assert_queries(1):
        assert made.project.add_members(users[:3]) == 0
    with assert_queries(2):
        assert made.project.add_members({users[0]: {"role": "a"}, users[1]: {"role": "b"}}) == 0
    with assert_queries(4):
        made.project.set_members({users[1]: {"role": "x"}, users[2]: {"role": "y"}, users[3]: {}, users[4]: {"role": "z"}})
    with assert_queries(4):
        made.project.set_members({users[2].id: {"role": "p"}, users[3].id: {"role": "q"}, users[5].id: {}})
    with assert_queries(1):
        made.project.set_members([users[2], users[3].id, users[5]])
    with assert_queries(1):
        assert made.project.remove_members(users) == 3
    with assert_queries(2):
        made.project.create_member(title="new", through={"role": "boss"})


def test_writing_to_one(made: Models) -> None:
    """C4, C5: belongs_to's set is 1 UPDATE; has_one's 1 SELECT and at most 2 UPDATEs, and nothing is written for the same again."""
    task, users = made.tasks[0], made.users
    with assert_queries(1):
        task.set_project(made.project)
    with assert_queries(1):
        task.set_project(None)
    with assert_queries(2):
        made.project.set_lead(users[0])
    with assert_queries(3):
        made.project.set_lead(users[1])
    with assert_queries(1):
        made.project.set_lead(users[1])
    with assert_queries(2):
        made.project.set_lead(None)


def test_many_owners_cost_as_much_as_one(made: Models) -> None:
    """C14: reach is one statement for every kind, however many owners, and however often each is given."""
    made.project.add_tasks(made.tasks[:3])
    made.other.add_tasks(made.tasks[3:])
    made.project.add_members(made.users)
    made.other.add_members(made.users[:2])
    made.project.set_lead(made.users[0])
    projects = list(made.Project.select().order_by(made.Project.id))
    tasks = list(made.Task.select())
    with assert_queries(1):
        reached = made.Project.tasks.reach(projects * 2)
    assert [len(reached[project]) for project in projects] == [3, 3]
    with assert_queries(1):
        reached = made.Project.members.reach(projects)
    assert [len(reached[project]) for project in projects] == [6, 2]
    with assert_queries(1):
        reached = made.Project.lead.reach(projects)
    assert [reached[project] for project in projects] == [made.users[0], None]
    with assert_queries(1):
        reached = made.Task.project.reach(tasks)
    assert {reached[task] for task in tasks} == set(projects)
    with assert_queries(0):
        assert made.Project.tasks.reach([]) == {}
        assert list(made.Project.tasks.reach([made.Project()]).values()) == [[]]
