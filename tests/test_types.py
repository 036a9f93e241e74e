"""Types: type checkers pass right calls and flag wrong ones, and the file of types is what the models say."""

from __future__ import annotations

import gc
import importlib
import inspect
import json
import os
import re
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import peewee
import pytest

import activeassoc
from activeassoc import AssociationError, Model, UnknownName, WrongArgument, body, declare, types
from activeassoc.associations.base import verbs_of
from activeassoc.associations.undecided import Undecided
from activeassoc.types import options, signatures

ROOT = Path(__file__).resolve().parent.parent
TYPING = ROOT / "tests" / "typing"
PACKAGE = Path(activeassoc.__file__).parent
#: Where the package is imported from, when that is no directory of installed packages.
SOURCE = [str(PACKAGE.parent)] if (PACKAGE.parent / "setup.cfg").exists() else []
IGNORED = re.compile(r"  # type: ignore\[[a-z-]+\]$")


# The checkers


@pytest.fixture(scope="module")
def unmarked(tmp_path_factory: Any) -> tuple[Path, set[tuple[str, int]]]:
    """A copy of tests/typing without its marks, and what docs/typing.md shows; and the lines that had a mark."""
    folder = tmp_path_factory.mktemp("typing")
    marked = set()
    for path in TYPING.glob("*.py"):
        lines = path.read_text(encoding="utf-8").splitlines()
        marked |= {(path.name, number) for number, line in enumerate(lines, 1) if IGNORED.search(line)}
        (folder / path.name).write_text("\n".join(IGNORED.sub("", line) for line in lines) + "\n", encoding="utf-8")
    page = (ROOT / "docs" / "typing.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    (folder / "page_on_types.py").write_text("\n".join(blocks), encoding="utf-8")
    assert len({line for name, line in marked if name == "wrong.py"}) > 50
    return folder, marked


def installed(name: str) -> None:
    """The checker is there; on a laptop it need not be, in CI it must."""
    if not os.environ.get("CI"):
        pytest.importorskip(name, reason=f"{name} is not installed (pip install activeassoc[lint])")


def test_mypy_flags_the_wrong_lines_and_no_other(unmarked):
    """Right calls pass, each wrong one is flagged, under --strict."""
    installed("mypy")
    folder, marked = unmarked
    # The cache is that of `.ci/run types`: what it has looked at is not looked at again.
    cache = Path(tempfile.gettempdir()) / "activeassoc-mypy"
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--config-file", str(ROOT / "setup.cfg"), "--cache-dir", str(cache)]
        + ["--follow-imports=silent", "--no-error-summary", str(folder)],
        env={**os.environ, "MYPYPATH": os.pathsep.join(SOURCE)},
        cwd=folder,
        capture_output=True,
        text=True,
    )
    found = re.findall(r"^(\S+):(\d+): error: (.*)$", done.stdout, re.MULTILINE)
    assert {(Path(name).name, int(number)) for name, number, _ in found} == marked, done.stdout + done.stderr


def test_pyright_flags_the_wrong_lines_and_no_other(unmarked):
    """Right calls pass, each wrong one is flagged."""
    installed("pyright")
    folder, marked = unmarked
    (folder / "pyrightconfig.json").write_text(json.dumps({"extraPaths": SOURCE, "include": ["."]}), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "pyright", "--outputjson", "--pythonpath", sys.executable, "--project", str(folder)],
        cwd=folder,
        capture_output=True,
        text=True,
    )
    answer = json.loads(done.stdout)
    assert answer["summary"]["filesAnalyzed"] == len(list(folder.glob("*.py")))
    errors = [each for each in answer["generalDiagnostics"] if each["severity"] == "error"]
    assert {(Path(each["file"]).name, each["range"]["start"]["line"] + 1) for each in errors} == marked, done.stdout


# The tables behind the signatures


VERBS = [(kind, name) for kind in signatures.FACES for name in verbs_of(kind)]


@pytest.mark.parametrize(("kind", "name"), VERBS, ids=lambda value: getattr(value, "__name__", value))
def test_every_parameter_of_every_verb_has_a_type(kind, name):
    """A parameter that an operation gains has a type in the tables, or says one itself; so has what it returns."""
    operation = getattr(kind, name)
    given = [
        each
        for each in list(inspect.signature(operation).parameters.values())[2:]
        if each.kind is not each.VAR_KEYWORD and each.kind is not each.POSITIONAL_ONLY
    ]
    said = [signatures.type_of(operation, each) for each in given] + [signatures.returned(operation)]
    assert [text for text in said if "Any" in text] == []


def test_the_kinds_that_checkers_see_have_the_verbs_of_the_operations():
    """kinds.pyi is what the operations make."""
    assert (PACKAGE / "types" / "kinds.pyi").read_text(encoding="utf-8") == signatures.kinds()
    assert set(signatures.FACES) == set(declare.KINDS.values())
    assert {kind.__name__ for kind in signatures.FACES} <= set(types.__all__)
    assert set(verbs_of(Undecided)) <= {name for _, name in VERBS}


@pytest.mark.parametrize(
    ("call", "said", "beside"),
    [
        (Model.belongs_to, options.BelongsToOptions, set()),
        (Model.has_one, options.HasOneOptions, set()),
        (Model.has_many, options.HasManyOptions, set()),
        (Model.has_many, options.LinkOptions, {"through"}),
        (Model.belongs_to_many, options.LinkOptions, {"through"}),
        (body.reference, options.ReferenceOptions, {"null"}),
        (body.collection, options.CollectionOptions, {"via", "through"}),
    ],
)
def test_checkers_know_the_options_of_the_declaring_calls(call, said, beside):
    """The options that checkers see are the parameters of the call."""
    parameters = inspect.signature(call).parameters.values()
    assert {each.name for each in parameters if each.kind is each.KEYWORD_ONLY} == set(said.__annotations__) | beside


def test_the_kinds_are_the_associations_themselves_and_take_models_in_brackets():
    """``isinstance`` and annotations that are evaluated work with the names of activeassoc.types."""
    assert types.HasMany is activeassoc.associations.has_many.HasMany
    assert types.HasMany[int, str].__origin__ is types.HasMany
    assert types.Collection[int].__origin__ is types.Collection


# The file of types


Program = Callable[..., ModuleType]


@pytest.fixture
def program(tmp_path, monkeypatch) -> Iterator[Program]:
    """``program("shop", source)``: a module of this name and source, imported; it is gone afterwards."""
    monkeypatch.syspath_prepend(tmp_path)
    before = set(sys.modules)

    def load(name: str, source: str, file: str = "") -> ModuleType:
        head = "" if not source else 'import peewee\nfrom activeassoc import *\ndb = connect("sqlite:///:memory:")\n'
        head += "" if not source else "class Base(Model):\n    class Meta:\n        database = db\n"
        path = tmp_path / (file or f"{name}.py")
        path.parent.mkdir(exist_ok=True)
        path.write_text(head + textwrap.dedent(source), encoding="utf-8")
        importlib.invalidate_caches()
        with types.companions():
            return importlib.import_module(name)

    yield load
    for name in set(sys.modules) - before:
        module = sys.modules.pop(name)
        for value in list(vars(module).values()):
            if isinstance(value, peewee.Database):
                value.close()
        if getattr(module, "__file__", None) and str(tmp_path) in str(module.__file__):
            vars(module).clear()
    gc.collect()  # models are known for as long as they live


def flat(text: str) -> str:
    """Without line breaks: how a signature is wrapped is the formatter's, and the checkers' files show it."""
    return re.sub(r"\s+", " ", text).replace("( ", "(").replace(", )", ")").replace(" )", ")")


SHELF = """
class Shelf(Base):
    name = peewee.CharField()
class Book(Base):
    title = peewee.CharField()
Shelf.has_many(Book)
"""


def test_the_files_that_the_checkers_are_given_are_what_would_be_written():
    """``types_of`` gives the same text in every process, whatever else is imported; the mixins are empty at run time."""
    code = """
        import feed, shop, tracker
        from activeassoc.types import check, types_of
        from activeassoc.associations.writing import saves_plainly
        for module, model in ((feed, "Post"), (shop, "List"), (tracker, "Project")):
            text = open(module.__file__.replace(".py", "_assoc.py"), encoding="utf-8").read()
            mixin = vars(module)[model].__mro__[1]
            models = [each for each in vars(module).values() if hasattr(each, "associations")]
            print(check(module), types_of(module) == text, mixin.__module__, sorted(vars(mixin)), all(map(saves_plainly, models)))
    """
    path = os.pathsep.join([str(TYPING), *SOURCE])
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(code)],
        env={**os.environ, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
    )
    empty = "['__doc__', '__module__', '__slots__']"
    assert done.stdout.splitlines() == [f"[] True {name}_assoc {empty} True" for name in ("feed", "shop", "tracker")], done.stderr


def test_what_a_mixin_holds(program):
    """The key that nobody declared, the collection, and each method with the target's types; the key on the other side."""
    text = flat(types.types_of(program("shelves", SHELF)))
    assert "class ShelfAssociations: id: AutoField[int] books: HasMany[Shelf, Book] " in text
    assert "class BookAssociations: id: AutoField[int] shelf: KeyField[Shelf, Shelf | None] shelf_id: Field[int | None] " in text
    assert "def create_book(self, /, *, title: str, id: int = ...) -> Book: ..." in text
    assert "def add_book(self, targets: Book | int | Iterable[Book | int] | None) -> int: ..." in text
    assert "def create_books(self, values: Iterable[BookFields]) -> list[Book]: ..." in text
    assert " from shelves import Book, Shelf " in text


def test_what_the_user_wrote_is_not_in_the_mixin(program):
    """Methods, foreign keys and fields of the class are the class's: checkers see them there."""
    source = """
    class Shelf(Base):
        def get_books(self): ...
    class Book(Base):
        shelf = peewee.ForeignKeyField(Shelf)
        author_id = peewee.IntegerField()
    class Author(Base):
        name = peewee.CharField()
    Shelf.has_many(Book)
    Book.belongs_to(Author)
    """
    text = types.types_of(program("written", source))
    assert "def count_books(" in text
    assert "def get_books(" not in text
    assert not re.search(r"^        (shelf|author_id): ", text, re.MULTILINE)
    assert "        shelf_id: Field[int]\n" in text
    assert "        author: BelongsTo[Book, Author, Author]\n" in text


def test_what_is_awaited_is_typed_where_a_database_is_asked_so(program):
    """The twins of methods: for models that have to do with an asyncio database, or with asyncio=True for all."""
    source = """
    class Shelf(Base):
        name = peewee.CharField()
        def count_books(self): ...
        async def aget_books(self): ...
    class Book(Base):
        title = peewee.CharField()
    Shelf.has_many(Book)
    """
    shelves = program("awaited", source)
    assert "async def" not in types.types_of(shelves)
    text = flat(types.types_of(shelves, asyncio=True))
    assert "async def aadd_book(self, targets: Book | int | Iterable[Book | int] | None) -> int: ..." in text
    assert "@overload async def acreate_book(self, /, *, title: str, id: int = ...) -> Book: ..." in text
    assert "async def acount_books(self, *arguments: Any, **options: Any) -> Any: ..." in text
    assert "def count_books" not in text
    assert "aget_books" not in text
    pytest.importorskip("aiosqlite", reason="there is no driver for asyncio")
    assert "async def aget_books(" in types.types_of(program("asked", source.replace("        async def aget_books(self): ...\n", "") + """
    db = connect("sqlite+aiosqlite://")
    Shelf._meta.set_database(db)
    """))
    types.write(shelves, asyncio=True)
    assert types.check(shelves, asyncio=True) == []
    assert types.check(shelves) == ["Shelf"]


def test_models_that_no_file_can_name(program):
    """A model whose name is no name of Python's has no mixin, is any model to others, and gets no line of code into the file."""
    source = """
    class Shelf(Base):
        name = peewee.CharField()
    meta = type("Meta", (), {"singular": "book", "plural": "books"})
    Book = type(Base)('B"\\nimport os #', (Base,), {"title": peewee.CharField(), "Meta": meta, "__module__": __name__})
    Shelf.has_many(Book)
    """
    module = program("nameless", source)
    text = types.types_of(module)
    compile(text, "nameless_assoc.py", "exec")
    assert "\nimport os" not in text
    assert "        books: HasMany[Shelf, Model]\n" in text
    types.write(module)
    assert types.check(module) == []


def test_an_array_of_ids_in_a_mixin(program):
    """L1: the collection, the list of keys, both to assign; a new record of the model may be given the keys."""
    source = """
    class Tag(Base):
        id = peewee.UUIDField(primary_key=True)
    class Post(Base):
        text = peewee.CharField()
    class Blog(Base):
        name = peewee.CharField()
    Post.references_many(Tag)
    Blog.has_many(Post)
    """
    text = flat(types.types_of(program("arrays", source)))
    assert " tag_ids: KeyListField[Tag, UUID] " in text
    assert " tags: ReferencesMany[Post, Tag] " in text
    assert "def create_post(self, /, *, text: str, id: int = ..., tag_ids: Iterable[Tag | UUID] = ...) -> Post: ..." in text
    assert "def add_tag(self, targets: Tag | UUID | Iterable[Tag | UUID] | None) -> int: ..." in text
    assert "def create_tag(self, /, *, id: UUID) -> Tag: ..." in text


def test_values_that_the_association_gives_need_not_be_given(program):
    """A19: the fields of the association's where are optional, its key is none of the parameters."""
    source = """
    class Shelf(Base):
        name = peewee.CharField()
    class Book(Base):
        kind = peewee.CharField()
        title = peewee.CharField()
    Shelf.has_many(Book, "novels", where={"kind": "novel"})
    """
    text = flat(types.types_of(program("scoped", source)))
    assert "def create_novel(self, /, *, title: str, kind: str = ..., id: int = ...) -> Book: ..." in text


def test_fields_of_the_users_own_are_of_any_type(program):
    """What a field of the user's own converts to nobody knows; what it takes from peewee's is known."""
    source = """
    class Colour(peewee.TextField):
        def python_value(self, value): return value
    class Short(peewee.CharField): pass
    class Shelf(Base):
        colour = Colour()
        code = Short()
    class Room(Base):
        id = ObjectIdField(primary_key=True)
    Room.has_many(Shelf)
    Shelf.belongs_to(Room)
    """
    text = types.types_of(program("coloured", source))
    assert "colour: Required[Any]\n" in text
    assert "code: Required[str]\n" in text
    assert "room: Room | ObjectId | str | None\n" in text
    assert "room_id: Field[ObjectId | None]\n" in text
    assert "def set_room(self, target: Room | ObjectId | str | None) -> Room | None: ...\n" in text


def test_a_package_has_its_types_in_it_and_imports_models_from_their_modules(program, tmp_path):
    """``shop/_assoc.py`` has the models of shop and of the modules in it; others are imported from theirs."""
    program("people", "class Person(Base):\n    name = peewee.CharField()\n")
    folder = tmp_path / "store"
    folder.mkdir()
    things = "import peewee, people\nclass Thing(people.Base):\n    name = peewee.CharField()\n"
    (folder / "things.py").write_text(f"{things}people.Person.has_many(Thing)\nThing.belongs_to(people.Person)\n", encoding="utf-8")
    package = program("store", "from store import things\n", "store/__init__.py")
    path = types.write(package)
    text = path.read_text(encoding="utf-8")
    assert path == tmp_path / "store" / "_assoc.py"
    assert "class ThingAssociations:" in text
    assert "class PersonAssociations:" not in text
    assert "    from people import Person\n    from store.things import Thing\n" in text


def test_check_tells_which_models_are_stale_and_writing_mends_it(program, tmp_path):
    """`check` lists models by name; formatting does not count; a file that is not stale is left as it is formatted."""
    shelves = program("shelves", SHELF)
    assert types.check(shelves) == ["Book", "Shelf", "imports"]
    path = types.write(shelves)
    assert (path, types.check(shelves)) == (tmp_path / "shelves_assoc.py", [])
    formatted = path.read_text(encoding="utf-8").replace("self, /, *, title: str", "self,\n            /, *, title: str")
    path.write_text(formatted, encoding="utf-8")
    assert types.check(shelves) == []
    types.write(shelves)
    assert path.read_text(encoding="utf-8") == formatted
    shelves.Shelf.has_one(shelves.Book, "atlas")
    assert types.check(shelves) == ["Shelf", "imports"]
    types.write(shelves)
    assert types.check(shelves) == []
    path.write_text("<<<<<<< ours\n", encoding="utf-8")
    assert types.check(shelves) == ["Book", "Shelf", "imports"]
    assert [each.name for each in tmp_path.iterdir() if each.name.startswith(".")] == []


def test_a_file_that_something_else_wrote_is_not_written_over(program, tmp_path):
    """Nothing is lost: it refuses, unless it is told."""
    shelves = program("shelves", SHELF)
    path = tmp_path / "shelves_assoc.py"
    path.write_text("mine = 1\n", encoding="utf-8")
    with pytest.raises(AssociationError) as error:
        types.write(shelves)
    assert str(error.value) == (
        "types of shelves: shelves_assoc.py exists, and activeassoc did not write it. "
        "Move it away, or write over it with force (--force)."
    )
    assert path.read_text(encoding="utf-8") == "mine = 1\n"
    types.write(shelves, force=True)
    assert types.check(shelves) == []


def test_models_can_be_imported_before_their_types_are_there(program, tmp_path):
    """`companions`: a mixin that is still to be written is empty, and so is one of a file that a merge has broken."""
    source = "from shelves_assoc import ShelfAssociations\n" + SHELF.replace("Shelf(Base)", "Shelf(ShelfAssociations, Base)")
    (tmp_path / "shelves_assoc.py").write_text("<<<<<<< ours\n", encoding="utf-8")
    shelves = program("shelves", source)
    assert "shelves_assoc" not in sys.modules
    types.write(shelves, force=True)
    module = importlib.import_module("shelves_assoc")
    assert vars(module.LaterAssociations).keys() == {"__slots__", "__module__", "__doc__"}
    with pytest.raises(AttributeError, match="module 'shelves_assoc' has no attribute 'Shelf'"):
        _ = module.Shelf


def test_modules_that_have_no_types(program):
    """Without models, without anything to say of them, without a file, and with a target that is not there."""
    said = "Name the module that defines the models, and import there what declares their associations"
    with pytest.raises(WrongArgument) as error:
        types.types_of(program("empty", ""))
    assert str(error.value) == f"types of empty: the module defines no models. {said}."
    with pytest.raises(WrongArgument) as error:
        types.types_of(program("keyed", "class Code(Base):\n    code = peewee.CharField(primary_key=True)\n"))
    assert str(error.value) == f"types of keyed: nothing is declared of its models, and they declare their keys. {said}."
    with pytest.raises(WrongArgument) as error:
        types.write(ModuleType("made"))
    assert str(error.value) == (
        "types of made: the module comes of no Python file, beside which they could stand. Give one that does."
    )
    other = ModuleType("models_queue")
    other.__file__ = "queue.py"
    with pytest.raises(WrongArgument) as error:
        types.check(other)
    assert str(error.value) == (
        "types of models_queue: its file is queue.py, and the types could not import the models by the module's name. "
        "Import it as queue, from a path on which no other module is called so."
    )
    with pytest.raises(UnknownName) as error:
        types.types_of(program("waiting", 'class Shelf(Base):\n    name = peewee.CharField()\nShelf.has_many("Bok")\n'))
    assert str(error.value).startswith("Shelf.has_many('Bok'): there is no model 'Bok'. ")


def test_the_command_writes_prints_and_checks(program, tmp_path, monkeypatch):
    """``activeassoc types``: one line, and the exit code 1 where the file is stale, 2 where nothing could be done."""
    typer_testing = pytest.importorskip("typer.testing", reason="the command's packages are not installed")
    from activeassoc.cli.app import app

    def run(words: str) -> tuple[int, str]:
        ended = typer_testing.CliRunner().invoke(app, words.split())
        return ended.exit_code, ended.output

    monkeypatch.chdir(tmp_path)
    shelves = program("shelves", SHELF)
    path = tmp_path / "shelves_assoc.py"
    assert run("types shelves --check") == (
        1,
        "shelves_assoc.py is stale: Book, Shelf, imports. Write it: activeassoc types shelves\n",
    )
    assert run("types shelves --print") == (0, types.types_of(shelves))
    assert not path.exists()
    assert run("types shelves") == (0, "Wrote shelves_assoc.py\n")
    assert run("types shelves --check") == (0, "shelves_assoc.py is up to date\n")
    path.write_text("mine = 1\n", encoding="utf-8")
    code, said = run("types shelves")
    assert (code, path.read_text(encoding="utf-8")) == (2, "mine = 1\n")
    assert said == (
        "activeassoc: types of shelves: shelves_assoc.py exists, and activeassoc did not write it. "
        "Move it away, or write over it with force (--force).\n"
    )
    assert run("types shelves --force") == (0, "Wrote shelves_assoc.py\n")


def test_the_declaring_calls_are_overloaded_for_checkers_alone():
    """``inspect.signature`` shows every option, as before."""
    assert list(inspect.signature(Model.has_one).parameters)[:3] == ["target", "as_", "foreign_key"]
    assert inspect.signature(body.reference).parameters["null"].default is True
