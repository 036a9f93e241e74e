"""``activeassoc demo``: the quickstart on a database in memory, step by step, with the SQL of each step.

Map: `QUICKSTART` is the program, the README's first example; `command` runs it statement by statement and prints what each does.
"""

from __future__ import annotations

import ast
import contextlib
import io
import re
import sys
import types
from collections.abc import Iterator
from typing import Any, NamedTuple

import peewee

from activeassoc.cli.options import Json
from activeassoc.cli.output import as_json, say

QUICKSTART = '''\
from peewee import CharField, TextField
from activeassoc import Model, connect, sync

db = connect("sqlite:///:memory:")            # or postgresql://…  mysql://…  mongodb://…  redis://…

class Base(Model):
    class Meta:
        database = db

class User(Base):
    name = CharField()

class Project(Base):
    title = CharField()

class Task(Base):
    title = TextField()

class Membership(Base):                       # a through model: the link itself has attributes
    role = CharField(default="member")

Project.has_many(Task, on_delete="CASCADE")   # adds Task.project, column project_id
Task.belongs_to(Project)
Project.has_many(User, as_="members", through=Membership)
User.has_many(Project, through=Membership)

print(sync(db))                               # creates what is missing, in the right order

apollo = Project.create(title="Apollo")
ann, bob = User.create(name="Ann"), User.create(name="Bob")
task = apollo.create_task(title="Launch")
apollo.add_member(ann, {"role": "owner"})
apollo.add_member(bob)

for member in apollo.get_members():
    print(member.name, "is", member.membership.role)
print(apollo.has_member(ann), apollo.count_tasks(), task.project.title, [project.title for project in bob.projects])
'''

#: What asks for the schema and not for records.
CATALOGUE = re.compile(r"\bsqlite_master\b|^PRAGMA\b")


class Step(NamedTuple):
    """A statement of the program: its text, the SQL that it ran, and what it printed."""

    code: str
    sql: list[str]
    printed: str


def command(json: Json = False) -> None:
    """Declare models, make their tables, create and link records: the quickstart, on SQLite in memory, with the SQL of each step.

    Needs no server and leaves nothing behind.
    """
    steps = list(_steps(QUICKSTART))
    if json:
        as_json([step._asdict() for step in steps])
        return
    for step in steps:
        for line in step.code.splitlines():
            say(f">>> {line}" if line and not line.startswith(" ") else f"... {line}".rstrip())
        for statement in step.sql:
            say(f"    {statement}", style="cyan")
        if step.printed:
            say(step.printed, style="bold")
        if step.sql or step.printed:
            say()


def _steps(program: str) -> Iterator[Step]:
    """Run the program, statement by statement, in a module of its own."""
    module = types.ModuleType("activeassoc_demo")
    sys.modules[module.__name__] = module
    ran: list[str] = []
    lines = program.splitlines()
    try:
        for node in ast.parse(program).body:
            printed = io.StringIO()
            with contextlib.redirect_stdout(printed):
                exec(compile(ast.Module([node], []), "<demo>", "exec", dont_inherit=True), vars(module))
            _listen(module, ran)
            yield Step("\n".join(lines[node.lineno - 1 : node.end_lineno]), [*ran], printed.getvalue().rstrip("\n"))
            ran.clear()
    finally:
        for value in vars(module).values():
            if isinstance(value, peewee.Database):
                value.close()
        del sys.modules[module.__name__]


def _listen(module: types.ModuleType, ran: list[str]) -> None:
    """Note what the program's database runs, from the statement on that opens it; sync's looks at the catalogue are left out."""
    database = vars(module).get("db")
    if database is not None and not database.query_hooks:
        database.query_hooks = [lambda event: None if CATALOGUE.search(event.sql) else ran.append(_told(event))]


def _told(event: Any) -> str:
    return f"{event.sql}  -- {list(event.params)!r}" if event.params else str(event.sql)
