"""Models without mixins: what is typed as it is declared, and with one annotation."""

# pyright: reportUnnecessaryTypeIgnoreComment=true
from __future__ import annotations

from typing import Any, assert_type

from peewee import CharField, TextField

from activeassoc import Model, collection, connect, reference
from activeassoc.types import BelongsTo, Collection, HasMany, HasOne, Key, ManyToMany, Order, Where

db = connect("sqlite:///:memory:")


class Base(Model):
    class Meta:
        database = db


class User(Base):
    name = CharField()
    pets: HasMany[User, Pet] = collection("Pet", via="owner")


class Pet(Base):
    name = CharField()
    owner = reference(User)
    vet = reference(User, null=False, on_delete="RESTRICT")
    friends: ManyToMany[Pet, Pet] = collection("Pet")


class Project(Base):
    title = TextField()
    tasks: HasMany[Project, Task]
    plan: HasOne[Project, Task]


class Task(Base):
    title = TextField()
    project: BelongsTo[Task, Project]


Project.has_many(Task)
Project.has_one(Task, "plan", foreign_key="planned_id").belongs_to(User, "owner")
Task.belongs_to(Project)

apollo = Project.create(title="Apollo")
launch = Task.create(title="Launch", project=apollo)
ann, rex = User(), Pet()
assert_type(apollo.tasks, Collection[Task])
assert_type(apollo.plan, Task | None)
assert_type(launch.project, Project | None)
assert_type(rex.owner, User | None)
assert_type(rex.vet, User)
assert_type(ann.pets, Collection[Pet])
assert_type(rex.friends, Collection[Pet])
assert_type(Project.tasks.get(apollo), list[Task])
assert_type(Pet.friends.add(rex, [rex, 7]), int)
assert_type(Project.has_many("Task", "steps").get(apollo), list[Any])
assert_type(User.has_many(Project, through="memberships").set(ann, {apollo: {"role": "owner"}}), list[Project])


def overdue(project: Project, where: Where = None, order: Order = "title") -> list[Task]:
    return Project.tasks.get(project, where=where, order=order)


def forget(project: Project, keys: list[Key]) -> None:
    Project.tasks.remove(project, keys)


Project.tasks.add(apollo, ann)  # type: ignore[arg-type]
Project.tasks.get(launch)  # type: ignore[arg-type]
Pet.friends.add(rex, ann)  # type: ignore[arg-type]
apollo.tasks = []  # type: ignore[assignment]
rex.owner = rex  # type: ignore[assignment]
rex.vet = rex  # type: ignore[assignment]
launch.project = launch  # type: ignore[assignment]
print(Task().project.title)  # type: ignore[union-attr]
reference(User, nul=False)  # type: ignore[call-overload]
collection(User, wia="owner")  # type: ignore[call-overload]
Task.belongs_to(Project, null="no")  # type: ignore[call-overload]
overdue(launch)  # type: ignore[arg-type]
