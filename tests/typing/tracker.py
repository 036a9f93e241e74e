"""Models as a program has them, each with the mixin of its types; `tracker_assoc` is what ``activeassoc types`` writes for them."""

from __future__ import annotations

from peewee import BooleanField, CharField, DateField, DecimalField, ForeignKeyField, IntegerField, TextField, UUIDField
from tracker_assoc import (
    CommentAssociations,
    LabelAssociations,
    MembershipAssociations,
    ProfileAssociations,
    ProjectAssociations,
    SheepAssociations,
    TaskAssociations,
    TeamAssociations,
    UserAssociations,
)

from activeassoc import Model, collection, connect, reference
from activeassoc.types import BelongsTo, HasMany

db = connect("sqlite:///:memory:")


class Base(Model):
    class Meta:
        database = db


class User(UserAssociations, Base):
    name = CharField()
    email = CharField(null=True)


class Profile(ProfileAssociations, Base):
    motto = TextField()
    born = DateField(null=True)


class Team(TeamAssociations, Base):
    code = CharField(primary_key=True)


class Project(ProjectAssociations, Base):
    title = CharField()
    budget = DecimalField(null=True)


class Task(TaskAssociations, Base):
    title = TextField()
    done = BooleanField(default=False)
    list = IntegerField(null=True)
    comments: HasMany[Task, Comment] = collection("Comment", via="task")

    def count_labels(self) -> str:
        return "many"


class Comment(CommentAssociations, Base):
    text = TextField()
    task: BelongsTo[Comment, Task] = reference("Task")
    author = ForeignKeyField(User, null=True)


class Label(LabelAssociations, Base):
    id = UUIDField(primary_key=True)
    word = CharField()


class Membership(MembershipAssociations, Base):
    role = CharField(default="member")
    hours = IntegerField()


class Sheep(SheepAssociations, Base):
    name = CharField()


User.has_one(Profile)
Project.has_many(User, as_="members", through=Membership)
User.has_many(Project, through=Membership)
User.belongs_to("User", as_="boss")
Project.belongs_to(Team, null=False)
Team.has_many(Sheep)

# Typed as they stand, without the mixins.
tasks = Project.has_many(Task, on_delete="CASCADE")
project = Task.belongs_to(Project)
labels = Task.belongs_to_many(Label)
