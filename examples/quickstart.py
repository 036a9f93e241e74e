"""The first screen of the README: declare, sync, use. Needs nothing but SQLite.

    python examples/quickstart.py
"""

from peewee import CharField, TextField

from activeassoc import Model, connect, sync

db = connect("sqlite:///:memory:")


class Base(Model):
    class Meta:
        database = db


class User(Base):
    name = CharField()


class Project(Base):
    title = CharField()


class Task(Base):
    title = TextField()


class Membership(Base):  # a through model: the link itself has attributes
    role = CharField(default="member")


Project.has_many(Task, on_delete="CASCADE")  # adds Task.project, column project_id
Task.belongs_to(Project)
Project.has_many(User, as_="members", through=Membership)
User.has_many(Project, through=Membership)

print(sync(db))  # creates what is missing, in the right order

apollo = Project.create(title="Apollo")
ann, bob = User.create(name="Ann"), User.create(name="Bob")
task = apollo.create_task(title="Launch")
apollo.add_member(ann, {"role": "owner"})
apollo.add_member(bob)

for member in apollo.get_members():
    print(member.name, "is", member.membership.role)
print(apollo.has_member(ann), apollo.count_tasks(), task.project.title, [project.title for project in bob.projects])
