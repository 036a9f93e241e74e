"""The `activeassoc` command: what each command prints and writes, how it ends, and that docs/cli.md tells all of it."""

from __future__ import annotations

import gc
import importlib
import json
import os
import pty
import re
import shlex
import signal
import socket
import subprocess
import sys
import textwrap
import urllib.request
from pathlib import Path
from typing import Any

import pytest

import activeassoc
from activeassoc import registry
from activeassoc.cli import COMMANDS, EXIT_CODES, MISSING, modules

pytest.importorskip("typer", reason="the command's packages are not installed")

from typer.testing import CliRunner

from activeassoc.cli.app import app, loaded

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")

SHOP = """
from peewee import CharField
from activeassoc import Model, connect

db = connect("sqlite:///shop.db")

class Base(Model):
    class Meta:
        database = db

class User(Base):
    name = CharField()

class Project(Base):
    title = CharField()

class Task(Base):
    title = CharField()

class Membership(Base):
    role = CharField(default="member")

Project.has_many(Task, on_delete="CASCADE")
Task.belongs_to(Project)
Project.has_many(User, as_="members", through=Membership)
User.has_many(Project, through=Membership)
"""


class Ended:
    """How a run ended: its code, what stands on stdout and stderr."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err

    @property
    def line(self) -> str:
        """The one line of an error, after the program's name."""
        assert self.out == "", self.out
        assert self.err.count("\n") == 1 and self.err.startswith("activeassoc: "), self.err
        return self.err.removeprefix("activeassoc: ").rstrip("\n")


class Shell:
    """A directory of its own, in which the command runs in this process."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def file(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text), encoding="utf-8")
        importlib.invalidate_caches()
        return path

    def __call__(self, words: str, **options: Any) -> Ended:
        result = CliRunner().invoke(app, shlex.split(words), **options)
        return Ended(result.exit_code, result.stdout, result.stderr)


@pytest.fixture
def run(tmp_path, monkeypatch):
    """``run("sync shop")``: the command, in an empty directory; modules that it imports are forgotten afterwards."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    before = set(sys.modules)
    yield Shell(tmp_path)
    for name, module in list(sys.modules.items()):
        if name not in before and str(getattr(module, "__file__", None) or "").startswith(str(tmp_path)):
            vars(module).clear()
            del sys.modules[name]
    gc.collect()  # models are known for as long as they live, and refer to themselves


@pytest.fixture
def shop(run):
    """The same, with a module `shop`."""
    run.file("shop.py", SHOP)
    return run


@pytest.fixture
def process(tmp_path):
    """``process("sync", "shop")``: the command in a process of its own."""

    def start(*words: str, env: Any = None) -> subprocess.CompletedProcess[str]:
        path = str(Path(activeassoc.__file__).parents[1])
        environment = {**os.environ, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1", **(env or {})}
        command = [sys.executable, "-W", "error", "-m", "activeassoc", *words]
        return subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60, check=False)

    return start


# The table of commands, and the page


def options_of(name: str) -> set[str]:
    return {each for parameter in loaded(name).params for each in parameter.opts + parameter.secondary_opts if each.startswith("-")}


def section_of(name: str) -> str:
    found = re.search(rf"^## `activeassoc {name}[ `].*?(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL)
    assert found, f"docs/cli.md has no section on {name}"
    return found[0]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_and_option_is_told_on_its_page(name):
    """The section of a command names each of its options, and none that it has not."""
    told = set(re.findall(r"`(--?[a-z][a-z-]*)`", section_of(name)))
    assert options_of(name) - told == set()
    assert {each for each in told if each.startswith("--")} - options_of(name) - {"--debug", "--help"} == set()


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_that_begins_with_a_sentence(run, name):
    """``--help`` tells the usage, what it does, and each option; on stdout, with code 0."""
    ended = run(f"{name} --help")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.startswith(f"Usage: activeassoc {name}")
    for option in options_of(name):
        assert option in ended.out
    assert COMMANDS[name].endswith(".")


def test_the_table_of_commands_is_the_help_and_the_page(run):
    """``activeassoc --help``, and without anything, list the commands in the order of the table, with its words; so does the page."""
    ended = run("--help")
    listed = re.findall(r"^  ([a-z-]+)  +([A-Z].*)$", ended.out.partition("Commands:")[2], re.MULTILINE)
    assert [name for name, _ in listed] == list(COMMANDS)
    assert all(COMMANDS[name].startswith(text.removesuffix("...").rstrip()) for name, text in listed)
    assert (run("").code, run("").out) == (0, ended.out)
    rows = re.findall(r"^\| \[`([a-z-]+)`\]\(#[^)]*\) \| (.*) \|$", PAGE, re.MULTILINE)
    assert rows == list(COMMANDS.items())


def test_the_page_tells_the_exit_codes():
    """docs/cli.md has the table `EXIT_CODES`."""
    assert re.findall(r"^\| (\d+) \| (.*) \|$", PAGE, re.MULTILINE) == [(str(code), text) for code, text in EXIT_CODES.items()]


def test_the_sessions_of_the_page_run_as_shown(run):
    """Each ``$ activeassoc …`` in a block of the page is run, in order; what stands beneath it is what it prints."""
    blocks = re.findall(r"^```(\w+)\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    run.file("shop.py", next(text for language, text in blocks if language == "python"))
    sessions = [text for language, text in blocks if language == "sh" and text.startswith("$ ")]
    assert sessions
    for words, shown in re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n?)*)", "".join(sessions), re.MULTILINE):
        if words.startswith("activeassoc "):
            ended = run(words.removeprefix("activeassoc "))
            assert (ended.out + ended.err).replace(str(run.folder), "/home/ann/shop") == shown, words
        else:
            assert words == "echo $?"
            assert shown == f"{ended.code}\n"


START = """
import sys
from activeassoc.cli import main
sys.stderr = sys.stdout

def run(*words):
    try:
        main(words)
    except SystemExit as end:
        print(end.code)

sys.modules["typer"] = None
run("--help")
del sys.modules["typer"]
run("--help")
print(sorted(name for name in sys.modules if name.startswith(("activeassoc.cli.", "activeassoc.checking", "rich.console"))))
"""


def test_how_it_starts(python):
    """Without the extra the script tells the pip line, with code 2; ``--help`` is quick: it imports neither the commands nor rich."""
    lines = python(START).splitlines()
    assert lines[:3] == [MISSING.format("typer"), "2", "Usage: activeassoc [OPTIONS] COMMAND [ARGS]..."]
    assert lines[-2:] == ["0", str([f"activeassoc.cli.{name}" for name in ("app", "modules", "output")])]


def test_version(run):
    """``--version`` is the package's."""
    assert run("--version").out == f"activeassoc {activeassoc.__version__}\n"


# Bad usage, bad modules


@pytest.mark.parametrize(
    ("words", "begins", "ends"),
    [
        ("snyc shop", "No such command 'snyc'. Did you mean 'sync'?", "activeassoc --help"),
        ("sync", "Missing argument 'MODULE'.", "activeassoc sync --help"),
        ("sync shop --altar", "No such option: --altar", "activeassoc sync --help"),
        ("check shop shop", "Got unexpected extra argument", "activeassoc check --help"),
    ],
)
def test_wrong_usage_is_one_line(run, words, begins, ends):
    """A command, option or argument that does not exist: what it was, and where to look; code 2."""
    ended = run(words)
    assert ended.line.startswith(begins) and ended.line.endswith(f" {ends} tells more."), ended.line
    assert ended.code == 2


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (
            "shopp",
            "shopp: there is no module shopp. Did you mean 'shop'. Name it as Python imports it from {here}, or give its file.",
        ),
        ("shop.models", "shop.models: there is no module shop.models. Name it as Python imports it from {here}, or give its file."),
        (
            "pack.modles",
            "pack.modles: there is no module pack.modles. Did you mean 'pack.models'. "
            "Name it as Python imports it from {here}, or give its file.",
        ),
        ("pack", "pack: the module has no models. Did you mean pack.models."),
        ("empty.py", "empty.py: the module has no models. Name the module that defines them, or imports them by name."),
        ("shopp.py", "shopp.py: there is no such file. Did you mean 'shop.py'."),
        ("nowhere/shop.py", "nowhere/shop.py: there is no such file. Give the path of a Python file."),
        ("./pack", "./pack: it is a directory. Give a file in it, or its name as Python imports it (pack)."),
        ("pack/inner", "pack/inner: it is a directory. Give a file in it, or its name as Python imports it (pack.inner)."),
        ("''", "'': that is neither the name of a module nor a file. Write shop.models, or shop/models.py."),
        (
            "untyped",
            "untyped: its types are not there: it imports shop_assoc (untyped.py, line 1). Write them first: activeassoc types untyped.",
        ),
        (
            "bytes.py",
            "bytes.py: importing it raised SyntaxError: source code string cannot contain null bytes (a file that is no text). "
            "Mend that first; --debug shows the whole traceback.",
        ),
        ("a-b", "a-b: that is neither the name of a module nor a file. Write shop.models, or shop/models.py."),
        (
            "broken",
            "broken: importing it raised ZeroDivisionError: division by zero (broken.py, line 3). "
            "Mend that first; --debug shows the whole traceback.",
        ),
        (
            "unclosed.py",
            "unclosed.py: importing it raised SyntaxError: '(' was never closed (unclosed.py, line 1). "
            "Mend that first; --debug shows the whole traceback.",
        ),
        (
            "lacking",
            "lacking: importing it raised ModuleNotFoundError: No module named 'no_such_package' (lacking.py, line 1). "
            "Mend that first; --debug shows the whole traceback.",
        ),
        ("leaving", "leaving: importing it raised SystemExit: 3 (leaving.py, line 1). Mend that first; --debug shows the whole traceback."),
        (
            "clashing",
            "clashing: importing it raised DeclarationError: Tool.has_many(Tool): both ends are Tool, and its keys and methods could "
            'not be told apart. Give as_="children" (clashing.py, line 4). Mend that first; --debug shows the whole traceback.',
        ),
    ],
)
def test_a_module_that_is_no_use_is_one_line(shop, words, told):
    """Modules that are not there, do not import, or have no models: which, why, where, what to do; code 2."""
    shop.file("pack/__init__.py", "")
    shop.file("pack/models.py", SHOP)
    shop.file("pack/inner/__init__.py", "")
    shop.file("untyped.py", "from shop_assoc import UserAssociations\n")
    shop.file("bytes.py", "x = 1\0\n")
    shop.file("empty.py", "from activeassoc import Model\nfrom peewee import *\n")
    shop.file("broken.py", "x = 1\ndef f():\n    1 / 0\nf()\n")
    shop.file("unclosed.py", "x = (\n")
    shop.file("lacking.py", "import no_such_package\n")
    shop.file("leaving.py", "raise SystemExit(3)\n")
    shop.file("clashing.py", "from activeassoc import Model\nclass Tool(Model):\n    pass\nTool.has_many(Tool)\n")
    ended = shop(f"check {words}")
    assert (ended.line, ended.code) == (told.format(here=shop.folder), 2)


@pytest.mark.parametrize("command", ["sync", "check"])
def test_models_without_a_database_are_refused(run, command):
    """What needs a database says which models have none; a database that is only to be known later is none."""
    run.file(
        "homeless.py",
        """
        from peewee import DatabaseProxy, SqliteDatabase
        from activeassoc import Model
        later = DatabaseProxy()
        class User(Model): pass
        class Task(Model):
            class Meta: database = later
        class Note(Model):
            class Meta: database = SqliteDatabase(None)
        """,
    )
    ended = run(f"{command} homeless")
    told = "homeless: User, Task, Note have no database. Give them one in the module: class Meta: database = connect('sqlite:///shop.db')."
    assert (ended.line, ended.code) == (told, 2)


def test_what_needs_no_database_is_told_without_one(run):
    """Associations and diagrams are of models, wherever their records will be."""
    run.file("homeless.py", "from activeassoc import Model\nclass User(Model): pass\nclass Task(Model): pass\nUser.has_many(Task)\n")
    assert run("associations homeless").out.splitlines()[1].split()[:3] == ["User.tasks", "has_many", "Task"]
    assert 'User |o--o{ Task : "tasks"' in run("graph homeless").out


def test_a_target_that_nobody_defines_is_bad_input(run):
    """A declaration that waits for a model: the error that its use would raise; code 2."""
    run.file("waiting.py", "from activeassoc import Model\nclass Walrus(Model): pass\nWalrus.has_many('Penguinn')\n")
    ended = run("associations waiting")
    assert ended.line.startswith("Walrus.has_many('Penguinn'): there is no model 'Penguinn'. ")
    assert ended.code == 2


@pytest.mark.parametrize("url", ["postgresql://ann:secret@127.0.0.1:1/shop", "mysql://ann:secret@127.0.0.1:1/shop", "redis://:secret@127.0.0.1:1/0"])
@pytest.mark.parametrize("command", ["sync", "check"])
def test_a_server_that_does_not_answer_is_one_line(run, command, url):
    """Where it was looked for, without the password, and that nobody answered; code 3."""
    pytest.importorskip({"p": "psycopg", "m": "pymysql", "r": "redis"}[url[0]])
    run.file("far.py", SHOP.replace("sqlite:///shop.db", url))
    ended = run(f"{command} far")
    assert "127.0.0.1" in ended.line and "secret" not in ended.line
    assert ended.code == 3


def test_a_file_is_imported_as_a_part_of_its_package(run):
    """``pack/models.py`` may import from its neighbours; from another directory, too, and whatever module has its name."""
    run.file("sub/pack/__init__.py", "")
    run.file("sub/pack/base.py", "from activeassoc import Model, connect\ndb = connect('sqlite:///:memory:')\n")
    run.file("sub/pack/models.py", "from .base import Model, db\nclass Whale(Model):\n    class Meta: database = db\n")
    assert run("sync sub/pack/models.py").out == 'Created "whale".\n'
    run.file("json.py", "from activeassoc import Model, connect\nclass Seal(Model):\n    class Meta: database = connect('sqlite:///:memory:')\n")
    assert run("sync json.py").out == 'Created "seal".\n'
    assert json.loads("1") == 1


@pytest.mark.parametrize("name", ["2 shop-models.py", "shop.v2.py", "class.py"])
def test_a_file_may_have_any_name(run, name):
    """It is imported whatever it is called; types cannot be imported from beside a file that Python cannot name."""
    run.file(name, SHOP)
    assert run(f"associations '{name}'").out.startswith("association      kind")
    ended = run(f"types '{name}'")
    told = {
        "class.py": "types of class: 'class' is no name that Python can import, and the types could not import the models. Rename it.",
        "2 shop-models.py": "types of models_2_shop_models: its file is 2 shop-models.py, and the types could not import the models by the "
        "module's name. Rename the file, so that Python can import it.",
        "shop.v2.py": "types of models_shop_v2: its file is shop.v2.py, and the types could not import the models by the module's name. "
        "Rename the file, so that Python can import it.",
    }
    assert (ended.line, ended.code) == (told[name], 2)


def test_which_models_a_module_has(run):
    """Those that it defines or imports by name, those of its submodules, what they are associated with; plain peewee models; no bases."""
    run.file("zoo/__init__.py", "from . import cats\nfrom animals import Dog as Hound\n")
    run.file("zoo/cats.py", "from animals import Base\nclass Cat(Base): pass\n")
    run.file(
        "animals.py",
        """
        import peewee
        from activeassoc import Model, connect
        class Base(Model):
            class Meta: database = connect('sqlite:///:memory:')
        class Flea(Base): pass
        class Kennel(Base): pass
        class Tick(Base): pass
        class Dog(Base): pass
        class Plain(peewee.Model):
            class Meta: database = Base._meta.database
        Dog.belongs_to_many(Flea)
        Kennel.has_one(Dog)
        """,
    )
    run("associations zoo")
    assert [model.__name__ for model in modules.models_of("zoo")] == ["Flea", "Dog", "DogsFleas", "Cat"]
    assert [model.__name__ for model in modules.models_of("animals")] == ["Flea", "Kennel", "Tick", "Dog", "DogsFleas", "Plain"]


def test_debug_shows_the_traceback(run):
    """``--debug`` may stand anywhere: the traceback, and then the line."""
    run.file("broken.py", "1 / 0\n")
    for words in ("--debug check broken", "check broken --debug"):
        ended = run(words)
        assert "ZeroDivisionError: division by zero\n" in ended.err and "Traceback" in ended.err
        assert ended.err.splitlines()[-1].startswith("activeassoc: broken: importing it raised")
        assert ended.code == 2


def test_what_should_not_happen_has_a_code_of_its_own(shop):
    """An error that nobody foresaw, such as one of the user's hooks: its name, and how to see more; code 4."""
    shop.file("hooked.py", f"{SHOP}\ndb.query_hooks = [lambda event: [][1]]\n")
    ended = shop("sync hooked")
    assert (ended.line, ended.code) == ("IndexError: list index out of range (--debug shows where)", 4)


def test_an_interrupt_has_a_code_of_its_own(run):
    """^C ends the command with 130, and no traceback."""
    run.file("slow.py", "raise KeyboardInterrupt\n")
    assert vars(run("check slow")) == {"code": 130, "out": "", "err": ""}


def test_long_work_has_a_bar_on_a_terminal(shop):
    """It is drawn on stderr, so that stdout has the same as ever; and nothing of it stays in the database's hooks."""
    ended = shop("sync shop --json", env={"FORCE_COLOR": "1"})
    assert "Making tables" in ended.err and re.search(r"\d+ statements", ended.err)
    assert json.loads(ended.out)["created"]
    assert sys.modules["shop"].db.query_hooks == []


def test_databases_are_closed_at_the_end(shop):
    """What a command opened is closed again; nothing waits for the garbage collector."""
    shop("sync shop")
    assert sys.modules["shop"].db.is_closed()


# sync


def test_sync_makes_tables_and_the_second_time_nothing(shop):
    """``sync`` prints the report; run again there is nothing to do."""
    assert vars(shop("sync shop")) == {"code": 0, "out": 'Created "user", "project", "task", "membership".\n', "err": ""}
    assert vars(shop("sync shop")) == {"code": 0, "out": "Nothing to do.\n", "err": ""}


def test_a_dry_run_prints_sql_and_changes_nothing(shop):
    """``sync --dry-run``: the statements, as sync would run them."""
    ended = shop("sync shop --dry-run")
    assert ended.code == 0
    assert ended.out.splitlines()[:3] == [
        'Would have created "user", "project", "task", "membership".',
        "",
        'CREATE TABLE "user" ("id" INTEGER NOT NULL PRIMARY KEY, "name" VARCHAR(255) NOT NULL);',
    ]
    assert shop("sync shop --dry-run").out == ended.out


def test_sync_tells_what_it_leaves_and_alter_adds_it(shop):
    """A table that lacks a column is left alone, with code 1; ``--alter`` adds it."""
    shop("sync shop")
    sys.modules["shop"].db.execute_sql('DROP INDEX "ix_task_project_id"')
    ended = shop("sync shop")
    assert (ended.code, ended.out) == (1, "Nothing to do.\nLeft as it is:\n  - task has no index on project_id: sync(alter=True) adds it\n")
    ended = shop("sync shop --alter")
    assert (ended.code, ended.out) == (0, 'Added the indexes "ix_task_project_id".\n')


def test_sync_as_json_is_the_report(shop):
    """``--json`` has what the report has, and nothing else stands on stdout, whatever the module prints."""
    shop.file("loud.py", f"print('hello')\n{SHOP}")
    ended = shop("sync loud --json")
    told = json.loads(ended.out)
    assert ended.err == "hello\n"
    assert told.pop("statements")[0].startswith('CREATE TABLE "user"')
    assert told == {
        "created": ["user", "project", "task", "membership"],
        **{name: [] for name in ("dropped", "columns", "indexes", "constraints", "differences")},
        "dry_run": False,
    }


def test_force_drops_and_makes_anew(shop):
    """``--force`` is the flag that drops; in a script nobody is asked."""
    shop("sync shop")
    sys.modules["shop"].Project.create(title="Apollo")
    ended = shop("sync shop --force")
    assert ended.code == 0
    assert ended.out.startswith('Dropped "membership", "task", ') and "Created" in ended.out
    assert sys.modules["shop"].Project.select().count() == 0


def test_force_drops_no_table_of_another_module(shop):
    """A model that is only associated with those of the module comes with sync, and stays with ``--force``."""
    shop.file("blog.py", "import shop\nclass Post(shop.Base): pass\nPost.belongs_to(shop.User)\n")
    assert shop("sync blog").out == 'Created "user", "project", "task", "membership", "post".\n'
    sys.modules["shop"].User.create(name="Ann")
    assert shop("sync blog --force").out == 'Dropped "post".\nCreated "post".\n'
    assert sys.modules["shop"].User.select().count() == 1
    sys.modules["shop"].db.close()


def on_a_terminal(words: list[str], folder: Path, answer: str) -> tuple[int, str]:
    """Run the command on a terminal, and type the answer when it asks."""
    environment = {**os.environ, "PYTHONPATH": str(Path(activeassoc.__file__).parents[1]), "TERM": "xterm", "COLUMNS": "100"}
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "activeassoc", *words]
    started = subprocess.Popen(command, cwd=folder, env=environment, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    seen, asked = b"", False
    while True:
        try:
            part = os.read(ours, 10_000)
        except OSError:  # Linux's way of saying that the other end is closed
            break
        if not part:
            break
        seen += part
        if b"[y/N]" in seen and not asked:
            asked = True
            os.write(ours, f"{answer}\n".encode())
    code = started.wait(timeout=60)
    os.close(ours)
    return code, seen.decode()


def test_on_a_terminal_force_asks_first(shop):
    """The tables that would go are named; no is no, with code 2, and nothing was done."""
    shop("sync shop")
    sys.modules["shop"].Project.create(title="Apollo")
    sys.modules["shop"].db.close()
    code, seen = on_a_terminal(["sync", "shop", "--force"], shop.folder, "n")
    assert code == 2
    assert "This drops membership, task, project, user, with all that is in them. Go on? [y/N]" in " ".join(seen.split())
    assert seen.rstrip().endswith("activeassoc: nothing was done.")
    assert sys.modules["shop"].Project.select().count() == 1
    sys.modules["shop"].db.close()


@pytest.mark.every_store
def test_sync_and_check_on_every_store(store, run):
    """The commands say what the calls say, whatever the database."""
    url = store.url()
    run.file("shop.py", SHOP.replace("sqlite:///shop.db", url))
    ended = run("sync shop")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.splitlines()[0] == 'Created "user", "project", "task", "membership".'
    ended = run("check shop")
    assert (ended.code, ended.out) == (0, "Checked 4 models: nothing is wrong.\n")
    sys.modules["shop"].db.close()


# check


def test_check_finds_and_mends(shop):
    """Code 1 while something is wrong; ``--fix`` mends it, and then it is 0."""
    shop("sync shop")
    db = sys.modules["shop"].db
    db.execute_sql("PRAGMA foreign_keys = 0")
    db.execute_sql("INSERT INTO task (title, project_id) VALUES ('Launch', 7)")
    db.close()
    ended = shop("check shop")
    assert ended.code == 1
    assert "dangling key: 1 row of Task (1) holds a Task.project that no Project has." in ended.out
    told = json.loads(shop("check shop --json").out)
    assert (told["ok"], told["checked"]) == (False, ["User", "Project", "Task", "Membership"])
    assert told["findings"] == [
        {
            "kind": "dangling key",
            "sentence": "1 row of Task (1) holds a Task.project that no Project has",
            "instead": "check(fix=True) clears the key",
            "names": ["project"],
            "count": 1,
            "sample": [1],
            "mended": False,
            "allowed": False,
            "database": "sqlite:///shop.db",
            "model": "Task",
        }
    ]
    assert shop("check shop --fix").code == 0
    assert vars(shop("check shop")) == {"code": 0, "out": "Checked 4 models: nothing is wrong.\n", "err": ""}


# associations, graph


def test_associations_are_a_table_and_json(shop):
    """A row for each, in plain columns where it is piped; JSON has the methods too."""
    assert shop("associations shop").out == (
        "association      kind             target   keys                                       on delete  through\n"
        "User.projects    belongs_to_many  Project  Membership.user_id, Membership.project_id  CASCADE    Membership\n"
        "Project.tasks    has_many         Task     Task.project_id                            CASCADE    -\n"
        "Project.members  belongs_to_many  User     Membership.project_id, Membership.user_id  CASCADE    Membership\n"
        "Task.project     belongs_to       Project  Task.project_id                            CASCADE    -\n"
    )
    told = json.loads(shop("associations shop --json").out)
    assert told[3] == {
        "source": "Task",
        "name": "project",
        "kind": "belongs_to",
        "target": "Project",
        "keys": [{"model": "Task", "column": "project_id", "null": True, "on_delete": "CASCADE"}],
        "through": None,
        "embedded": False,
        "database": "sqlite:///shop.db",
        "methods": ["create_project", "get_project", "set_project"],
    }


def test_on_a_terminal_the_table_has_rules(shop):
    """Rich draws it, as wide as the terminal; nothing of it is cut off."""
    ended = shop("associations shop", env={"FORCE_COLOR": "1", "COLUMNS": "60"})
    assert "┃" in ended.out and "belongs_to_many" not in ended.out
    assert max(map(len, re.sub(r"\x1b\[[0-9;]*m", "", ended.out).splitlines())) <= 80


def test_on_a_narrow_terminal_each_row_has_lines(shop):
    """Where a table would break every word, each cell has a line of its own, with its column's name."""
    assert shop("associations shop", env={"FORCE_COLOR": "1", "COLUMNS": "40"}).out.startswith(
        "association: User.projects\nkind: belongs_to_many\ntarget: Project\nkeys: Membership.user_id, Membership.project_id\n"
        "on delete: CASCADE\nthrough: Membership\n\nassociation: Project.tasks\n"
    )


def test_links_in_documents_are_told(run):
    """L2: the list, JSON and the diagram say where links have no table; nothing is asked of the server."""
    pytest.importorskip("pymongo", reason="pymongo is not installed")
    run.file("forum.py", """
        from activeassoc import Model, connect
        db = connect("mongodb://127.0.0.1:1/forum")
        class Base(Model):
            class Meta:
                database = db
        class User(Base): pass
        class Group(Base): pass
        User.belongs_to_many(Group, through="membership", embed=True)
        Group.belongs_to_many(User, through="membership", embed=True)
    """)
    assert [line.split("  ")[-1] for line in run("associations forum").out.splitlines()[1:]] == ["Membership, embedded"] * 2
    assert [each["embedded"] for each in json.loads(run("associations forum --json").out)] == [True, True]
    assert run("graph forum").out.endswith('    User }o..o{ Group : "groups / users [Membership, embedded]"\n')


def test_asyncio_databases_are_asked_too(run):
    """`sync`, `check` and `reflect` cross the bridge to them, and end."""
    pytest.importorskip("aiosqlite", reason="there is no driver for asyncio")
    run.file("later.py", SHOP.replace("sqlite:///shop.db", "sqlite+aiosqlite:///later.db"))
    assert run("sync later").out == 'Created "user", "project", "task", "membership".\n'
    assert run("sync later --dry-run").out == "Nothing to do.\n"
    assert run("sync later --force --yes").out.startswith('Dropped "membership", "task", ')
    assert run("check later --fix").out == "Checked 4 models: nothing is wrong.\n"
    code = run("reflect sqlite+aiosqlite:///later.db").out
    assert 'db = connect("sqlite+aiosqlite:///later.db")\n' in code
    assert "Project.has_many(User, through=Membership)\n" in code
    text = run("types later --print").out
    assert "async def aget_tasks(" in text
    ended = run("types later --asyncio --check")
    assert ended.out.endswith("Write it: activeassoc types later --asyncio\n")


def test_graph_writes_what_graph_makes(shop):
    """``graph`` prints Mermaid; the ending of the file, or ``--format``, tells another format."""
    from activeassoc.graph import graph

    drawn = shop("graph shop").out
    models = [model for model in registry.known_models() if model.__module__ == "shop" and model.__name__ != "Base"]
    assert drawn == graph(*models)
    assert vars(shop("graph shop -o shop.mmd")) == {"code": 0, "out": "", "err": ""}
    assert (shop.folder / "shop.mmd").read_text() == drawn
    shop("graph shop --output shop.dot --no-attributes")
    assert (shop.folder / "shop.dot").read_text() == graph(*models, format="dot", attributes=False)


def test_nothing_is_written_over_unasked(shop):
    """A file that exists stays as it is, with code 2; ``--force`` writes over it, and a failure leaves it whole."""
    path = shop.file("shop.mmd", "mine\n")
    ended = shop("graph shop -o shop.mmd")
    told = "--output shop.mmd: the file exists, and nothing is written over unasked. Give another name, or --force."
    assert (ended.line, ended.code) == (told, 2)
    assert path.read_text() == "mine\n"
    assert shop("graph shop -o shop.mmd --force").code == 0
    assert path.read_text().startswith("erDiagram\n")
    assert sorted(each.name for each in shop.folder.iterdir() if each.name.startswith(".")) == []


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("-o folder", "--output folder: it is a directory. Give the name of a file in it."),
        ("-o no/where.mmd", "--output no/where.mmd: there is no directory no. Make it first."),
        (
            "-o shop.txt",
            "--output shop.txt: its ending tells no format (known are .mmd, .mermaid, .dot, .gv, .svg, .png). "
            "Add --format mermaid|dot|svg|png.",
        ),
        (
            "-o /proc/shop.mmd",
            "--output /proc/shop.mmd: no file can be made in /proc (no such file or directory). "
            "Give a name in a directory that may be written to.",
        ),
        ("-f mermade", "--format mermade: there is no such format. Did you mean 'mermaid'."),
    ],
)
def test_an_output_that_cannot_be_is_refused(shop, words, told):
    """What was given, and what to give; code 2."""
    (shop.folder / "folder").mkdir()
    ended = shop(f"graph shop --format dot {words}" if words == "-o folder" else f"graph shop {words}")
    assert (ended.line, ended.code) == (told, 2)


def test_a_picture_without_graphviz_is_refused(shop, monkeypatch):
    """svg and png need graphviz: the error says how to get it, or what to take instead."""
    monkeypatch.setenv("PATH", str(shop.folder))
    ended = shop("graph shop -f svg")
    told = (
        "graph(format='svg'): graphviz draws it, and its program dot is not installed. "
        "Install graphviz (apt install graphviz, brew install graphviz), or take format='mermaid'."
    )
    assert (ended.line, ended.code) == (told, 2)


# routes, serve


def test_routes_are_those_of_the_models_that_the_module_names(shop):
    """A row for each method and path, and JSON with the names; a model that is only associated with these has none."""
    pytest.importorskip("activeassoc.rest")
    shop.file("front.py", "import shop\nclass Page(shop.Base): pass\nPage.has_many(shop.User)\n")
    rows = [line.split()[:2] for line in shop("routes front").out.splitlines()]
    assert rows[0] == ["method", "path"]
    assert ["GET", "/page"] in rows and ["PUT", "/page/{owner_id}/user/{child_id}"] in rows and ["GET", "/user"] not in rows
    told = json.loads(shop("routes front --json").out)
    assert len(told) == len(rows) - 1
    assert told[0] == {
        "method": "GET",
        "path": "/page",
        "operation": "list_page",
        "summary": "A page of pages",
        "model": "Page",
        "association": None,
    }
    assert {each["association"] for each in told if "owner_id" in each["path"]} == {"users"}


@pytest.fixture
def port():
    """A port of this machine that nobody listens at."""
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        return trial.getsockname()[1]


def served(needed=("activeassoc.rest", "fastapi", "uvicorn")):
    for name in needed:
        pytest.importorskip(name)


def test_serve_answers_until_it_is_interrupted(shop, port):
    """The models over HTTP; ^C ends it."""
    served()
    shop("sync shop")
    environment = {**os.environ, "PYTHONPATH": str(Path(activeassoc.__file__).parents[1]), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "activeassoc", "serve", "shop", "--port", str(port)]
    started = subprocess.Popen(command, cwd=shop.folder, env=environment, stderr=subprocess.PIPE, text=True)
    try:
        for line in started.stderr:
            if "running on" in line:
                break
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/project", timeout=10) as answer:
            assert json.load(answer)["docs"] == []
    finally:
        started.send_signal(signal.SIGINT)
        started.communicate(timeout=30)
    assert started.returncode in (0, 130)


def test_a_port_that_is_taken_is_refused(shop, port):
    """Who listens there is not told by the system; another port helps; code 2."""
    served()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port))
        taken.listen()
        ended = shop(f"serve shop --port {port}")
    told = f"serving at 127.0.0.1:{port}: address already in use. Give another --port or --host."
    assert (ended.line, ended.code) == (told, 2)


def test_what_is_not_installed_is_told_with_the_pip_line(shop, monkeypatch):
    """What only some commands need is asked for when they run; code 2."""
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    ended = shop("serve shop")
    assert (ended.line, ended.code) == ("uvicorn: uvicorn is not installed. Install it: pip install 'activeassoc[rest]'.", 2)


# demo, and the real thing


def test_the_demo_is_the_quickstart_with_its_sql(run):
    """``demo`` runs the README's first example: its code, its statements, and what it prints."""
    from activeassoc.cli.demo import QUICKSTART

    blocks = re.findall(r"^```(\w+)\n(.*?)^```", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    example = next(position for position, (language, _) in enumerate(blocks) if language == "python")
    assert blocks[example][1] == QUICKSTART
    steps = json.loads(run("demo --json").out)
    assert "".join(f"{step['printed']}\n" for step in steps if step["printed"]) == blocks[example + 1][1]
    sql = [statement for step in steps for statement in step["sql"]]
    assert sql[0] == 'CREATE TABLE "user" ("id" INTEGER NOT NULL PRIMARY KEY, "name" VARCHAR(255) NOT NULL)'
    assert """INSERT INTO "task" ("title", "project_id") VALUES (?, ?)  -- ['Launch', 1]""" in sql
    told = run("demo").out
    assert '>>> task = apollo.create_task(title="Launch")\n    INSERT INTO "task"' in told
    assert list(run.folder.iterdir()) == []


def test_as_a_process(shop, process):
    """``python -m activeassoc``: its output, its code, no warning; what stdout cannot encode is written as an escape."""
    shop.file("word.py", "from activeassoc import Model\nclass Straße(Model): pass\n")
    done = process("graph", "word.py", env={"PYTHONIOENCODING": "ascii"})
    assert (done.returncode, done.stderr) == (0, "")
    assert '    "Stra\\xdfe":::db1 {\n' in done.stdout
