"""The documentation is true: its blocks run and print what the pages show, and nothing that exists goes unmentioned.

A page is read as its reader would type it: the ``python`` blocks in order, in one namespace. A ``text`` or ``mermaid`` block directly after
one is exactly what that one prints. A ``py`` block shows what needs a server: it is compiled, and its URLs are read. Others are not run.
"""

from __future__ import annotations

import ast
import configparser
import contextlib
import gc
import html
import inspect
import io
import re
import subprocess
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import peewee
import pytest

import activeassoc
from activeassoc import DriverMissing, Model, connect, declare
from activeassoc.associations.base import verbs_of
from activeassoc.associations.belongs_to import BelongsTo
from activeassoc.associations.has_many import HasMany
from activeassoc.associations.has_one import HasOne
from activeassoc.associations.many_to_many import ManyToMany
from activeassoc.associations.references_many import ReferencesMany

ROOT = Path(__file__).resolve().parent.parent
PAGES = {
    str(path.relative_to(ROOT)): path
    for path in (ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGES.md", *sorted((ROOT / "docs").glob("*.md")))
}
LANGUAGES = ("python", "py", "text", "mermaid", "sh", "bash", "js", "sql", "ini")
#: What a block prints is shown as text, or as the picture that it is.
PRINTED = ("text", "mermaid")

pages = pytest.mark.parametrize("page", PAGES)


# Reading a page


class Block(NamedTuple):
    """A fenced block: what its fence says, its text, and the line of the page on which the text begins."""

    language: str
    text: str
    line: int
    follows: bool
    """Nothing but an empty line stands between it and the block before."""


def read(page: str) -> str:
    return PAGES[page].read_text(encoding="utf-8")


def blocks_of(text: str) -> list[Block]:
    """The fenced blocks of a page, in order."""
    found: list[Block] = []
    inside: list[str] | None = None
    language, begun, since = "", 0, "first"
    for number, line in enumerate(text.splitlines(), 1):
        if inside is None and line.startswith("```"):
            inside, language, begun = [], line[3:].strip(), number + 1
        elif inside is not None and line.rstrip() == "```":
            found.append(Block(language, "".join(f"{each}\n" for each in inside), begun, not since.strip()))
            inside, since = None, ""
        elif inside is not None:
            inside.append(line)
        else:
            since += line
    assert inside is None, f"the block that begins on line {begun} is never closed"
    return found


def prose_of(text: str) -> str:
    """The page without its blocks."""
    return re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)


def named(text: str) -> set[str]:
    """Every word that stands in code, in a block or between backticks."""
    spans = re.findall(r"`([^`\n]+)`", prose_of(text)) + [block.text for block in blocks_of(text)]
    return {word for span in spans for word in re.findall(r"\w+", span)}


def sections_of(text: str) -> dict[str, str]:
    """The sections of a page: heading → what stands under it, up to the next heading of any level."""
    found, heading, code = {"": ""}, "", False
    for line in text.splitlines():
        code = code != line.startswith("```")
        if not code and line.startswith("#"):
            heading = line.lstrip("#").strip()
            found[heading] = ""
        found[heading] += f"{line}\n"
    return found


def rows_of(text: str) -> str:
    """The tables of a section."""
    return "\n".join(line for line in text.splitlines() if line.startswith("|"))


def anchors_of(text: str) -> set[str]:
    """What a link can name after ``#``: the headings, in lower case, without punctuation, spaces as hyphens."""
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in sections_of(text) if heading}


def links_of(text: str) -> list[str]:
    spans = re.sub(r"`[^`\n]*`", "code", prose_of(text))
    return re.findall(r"\[[^\]]*\]\(([^)\s]+)\)", spans)


# Running a page


@contextlib.contextmanager
def module_for(page: str) -> Iterator[types.ModuleType]:
    """A module in which the page's names live, as those of a program would; its databases are closed at the end."""
    module = types.ModuleType(f"page_{re.sub(r'[^a-z]', '_', page.lower())}")
    sys.modules[module.__name__] = module
    try:
        yield module
    finally:
        for value in list(vars(module).values()):
            if isinstance(value, peewee.Database):
                value.close()
        del sys.modules[module.__name__]
        vars(module).clear()
        gc.collect()  # models are known for as long as they live, and refer to themselves


def run(block: Block, page: str, module: types.ModuleType) -> str:
    """Run a block; what it prints. Tracebacks show the page and the line on it."""
    printed = io.StringIO()
    code = compile("\n" * (block.line - 1) + block.text, str(PAGES[page]), "exec", dont_inherit=True)
    with contextlib.redirect_stdout(printed):
        exec(code, vars(module))  # (the pages are the project's own)
    return printed.getvalue()


@pages
def test_a_page_runs_from_top_to_bottom_and_prints_what_it_shows(page):
    """Every ``python`` block runs, in order, in one namespace; what it prints stands directly after it, and nothing else does."""
    blocks = blocks_of(read(page))
    with module_for(page) as module:
        for position, block in enumerate(blocks):
            if block.language == "python":
                after = blocks[position + 1] if position + 1 < len(blocks) else None
                shown = after.text if after is not None and after.follows and after.language in PRINTED else ""
                assert run(block, page, module) == shown, f"{page}, line {block.line}"
            elif block.language in PRINTED:
                before = blocks[position - 1] if position else None
                printed = before is not None and before.language == "python" and block.follows
                assert printed, f"{page}, line {block.line}: nothing prints this"


@pages
def test_what_needs_a_server_compiles_and_its_urls_are_read(page):
    """``py`` blocks are not run; their syntax and their URLs are right all the same."""
    for block in blocks_of(read(page)):
        if block.language.startswith("{include}"):
            assert (PAGES[page].parent / block.language.removeprefix("{include}").strip()).resolve() in PAGES.values()
            continue
        assert block.language in LANGUAGES, f"{page}, line {block.line}: the fence says {block.language!r}"
        if block.language != "py":
            continue
        tree = ast.parse(block.text)
        compile(tree, page, "exec")
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and re.match(r"[a-z0-9+]+://", node.value):
                with contextlib.suppress(DriverMissing):  # the URL was understood, or its driver could not be told
                    connect(node.value)


def test_the_quickstart_prints_what_the_readme_shows():
    """examples/quickstart.py is the README's first example, as a program of its own."""
    blocks = blocks_of(read("README.md"))
    first = next(position for position, block in enumerate(blocks) if block.language == "python")
    done = subprocess.run(
        [sys.executable, "-W", "error", str(ROOT / "examples" / "quickstart.py")], capture_output=True, text=True, check=False, timeout=120
    )
    assert (done.returncode, done.stderr, done.stdout) == (0, "", blocks[first + 1].text)


def test_the_photos_example_needs_no_server():
    """examples/photos.py: users in SQLite, photos in an embedded MongoDB server, in one program."""
    pytest.importorskip("secantus", reason="the example's MongoDB server is not installed")
    done = subprocess.run(
        [sys.executable, "-W", "error", str(ROOT / "examples" / "photos.py")], capture_output=True, text=True, check=False, timeout=120
    )
    printed = """\
Created "user", "like".
Created "photo".
Ann has ['Sea', 'Hill'] and likes []
Bob has [] and likes [('Sea', 5), ('Hill', 3)]
Sea is by Ann and liked by ['Bob']
0 photos, 0 likes left
"""
    assert (done.returncode, done.stderr, done.stdout) == (0, "", printed)


# What has to be there

#: The sections of docs/accessors.md, and the names that their examples give the association.
KINDS: dict[str, tuple[type[Any], dict[str, str]]] = {
    "belongs_to: the key is on the source": (BelongsTo, {"one": "project"}),
    "has_one: the key is on the target, at most one": (HasOne, {"one": "cover"}),
    "has_many: the key is on the target": (HasMany, {"one": "task", "many": "tasks"}),
    "Many-to-many: both keys are on a through model": (ManyToMany, {"one": "member", "many": "members"}),
    "references_many: an array of ids on the source": (ReferencesMany, {"one": "hashtag", "many": "hashtags"}),
}


def test_every_kind_of_association_has_a_section():
    """A kind that is added wants a section in docs/accessors.md."""
    assert {kind for kind, _ in KINDS.values()} == set(declare.KINDS.values())


VERBS = [(heading, operation) for heading, (kind, _) in KINDS.items() for operation in verbs_of(kind)]


@pytest.mark.parametrize(("heading", "operation"), VERBS)
def test_every_verb_and_its_options_are_named_in_the_section_of_its_kind(heading, operation):
    """The table of a kind has every generated method, with every option that the method takes."""
    kind, words = KINDS[heading]
    table, getters = (rows_of(sections_of(read("docs/accessors.md"))[each]) for each in (heading, "What a getter takes"))
    for pattern in verbs_of(kind)[operation]:
        method = pattern.format(**words)
        assert f"`{method}(" in table, f"{method} is not in the table of {kind.__name__}"
        # The options of the getters have a table of their own.
        told = re.search(rf"`{method}\(([^`]*)\)`", table)[1] if operation != "get" else getters
        for option in list(inspect.signature(getattr(kind, operation)).parameters)[2:]:
            assert option in re.findall(r"\w+", told), f"{method} of {kind.__name__} takes {option}"


@pytest.mark.parametrize("call", ["belongs_to", "has_one", "has_many", "belongs_to_many"])
def test_every_option_of_a_declaring_call_is_explained(call):
    """The table of options in docs/associations.md has every parameter, and says for which calls it is."""
    table = sections_of(read("docs/associations.md"))["All options"]
    rows = {match[1]: match[2] for match in re.finditer(r"^\| `(\w+)` \|([^|]*)\|", table, re.MULTILINE)}
    for name in inspect.signature(getattr(Model, call)).parameters:
        if name != "target":
            assert name in rows, f"{name} is not in the table"
            assert re.search(rf"\b{call}\b|\ball\b", rows[name]), f"{name} is not said to be an option of {call}"
    for name, calls in rows.items():
        if re.search(rf"\b{call}\b|\ball\b", calls):
            assert name in inspect.signature(getattr(Model, call)).parameters, f"{call} has no option {name}"


@pytest.mark.parametrize("name", activeassoc.__all__)
def test_every_public_name_is_named_in_the_docs(name):
    """What can be imported from activeassoc can be read about."""
    assert any(name in named(read(page)) for page in PAGES if page.startswith("docs/"))


ERRORS = [name for name in activeassoc.__all__ if inspect.isclass(each := getattr(activeassoc, name)) and issubclass(each, Exception)]


@pytest.mark.parametrize("name", ERRORS)
def test_every_error_is_explained_on_the_page_of_errors(name):
    """The hierarchy that docs/errors.md prints is not enough: each has its line."""
    assert re.search(rf"^\| `{name}` \|", read("docs/errors.md"), re.MULTILINE)


def test_the_index_has_every_page():
    """docs/index.md leads to each page, and README to the index or the page."""
    leading = {link.partition("#")[0] for link in links_of(read("docs/index.md"))}
    assert {path.name for page, path in PAGES.items() if page.startswith("docs/") and path.name != "index.md"} <= leading


@pages
def test_links_between_pages_lead_somewhere(page):
    """Every link that stays within the project names a file that exists, and a heading that is on it."""
    for link in links_of(read(page)):
        if re.match(r"https?://", link):
            continue
        name, _, anchor = link.partition("#")
        path = (PAGES[page].parent / name).resolve() if name else PAGES[page]
        assert path.is_file() and path.is_relative_to(ROOT), f"{page} links to {link}"
        assert not anchor or anchor in anchors_of(path.read_text(encoding="utf-8")), f"{page} links to {link}"


@pages
def test_a_page_is_finished(page):
    """No page has a note of what is still to be written."""
    assert not re.search(r"\b(TODO|FIXME|XXX|TBD)\b", read(page))


# The site


def site() -> Any:
    """docs/conf.py, as a module; without its sphinx where that is not installed."""
    tree = ast.parse((ROOT / "docs" / "conf.py").read_text(encoding="utf-8"))
    (said,) = (node for node in tree.body if isinstance(node, ast.AnnAssign) and ast.unparse(node.target) == "SECTIONS")
    return ast.literal_eval(said.value)


def test_the_site_has_every_page_once():
    """A page that is added wants a place in the contents of the site; what has none there could only be found by searching."""
    placed = [page for pages in site().values() for page in pages if not page.startswith("reference/")]
    assert sorted(placed) == sorted(path.stem for page, path in PAGES.items() if page.startswith("docs/") and path.stem != "index")


def test_the_readme_leads_to_every_page():
    """The list in the README has each page of docs/ but those for contributors, which their own page leads to."""
    leading = {link.partition("#")[0] for link in links_of(read("README.md"))}
    pages = {page for page in PAGES if page.startswith("docs/")}
    assert pages - leading == {"docs/contributing.md", "docs/changes.md"}


REFERENCE = "\n".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "docs" / "reference").glob("*.rst")))


@pytest.mark.parametrize("name", [name for name in activeassoc.__all__ if name not in ERRORS])
def test_every_public_name_is_in_the_reference(name):
    """The reference is made of chosen docstrings: each name that can be imported from activeassoc is among them."""
    assert re.search(rf"^\.\. auto\w+:: (activeassoc\.)?{name}$", REFERENCE, re.MULTILINE)


def test_every_call_of_the_model_is_in_the_reference():
    """What Model has beyond peewee's, save the twins for async code, which one sentence tells of."""
    ours = {name for name in dir(Model) if inspect.isroutine(getattr(Model, name)) and not name.startswith("_")} - set(dir(peewee.Model))
    twins = {name for name in ours if name[0] == "a" and hasattr(Model, name[1:])}
    assert {name for name in ours - twins if not re.search(rf"automethod:: Model\.{name}$", REFERENCE, re.MULTILINE)} == set()


def test_the_table_of_extras_is_that_of_the_package():
    """docs/installing.md names every extra, with what it brings; setup.cfg says what that is."""
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    brings = {
        extra: [re.match(r"[\w-]+", line)[0].lower() for line in said.strip().splitlines()]
        for extra, said in config["options.extras_require"].items()
    }
    section = sections_of(read("docs/installing.md"))["What else it can use"]
    told = {extra: what.split(", ") for extra, what in re.findall(r"^\| `(\w+)` \| ([^|]*) \|", section, re.MULTILINE)}
    inner = set(re.findall(r"`(\w+)`", section.partition("Five more")[2].partition("\n")[0]))
    assert set(brings) == set(told) | inner
    assert {extra: brings[extra] for extra in told if extra != "all"} == {extra: what for extra, what in told.items() if extra != "all"}
    assert sorted(brings["all"]) == sorted(name for extra, names in told.items() if extra != "all" for name in names)


def pictures() -> types.ModuleType:
    """docs/pictures.py, which draws them."""
    module = types.ModuleType("pictures")
    module.__file__ = str(ROOT / "docs" / "pictures.py")
    exec(compile(Path(module.__file__).read_text(encoding="utf-8"), module.__file__, "exec"), vars(module))
    return module


def test_pictures_show_the_models_of_their_pages():
    """They are what graph() makes of the page: `python docs/pictures.py` draws them anew. Where things stand is graphviz's."""
    drawing = pictures()
    for picture, page in drawing.PICTURES.items():
        words = {html.unescape(text) for text in drawing.texts_of((ROOT / "docs" / picture).read_text(encoding="utf-8"))}
        source = html.unescape(drawing.draw(page, "dot"))
        assert all(word in source for word in words)
        boxes = re.findall(r"^ {4}(\w+):::\w+ \{|^ {8}\w+ (\w+)", drawing.draw(page, "mermaid"), re.MULTILINE)
        assert {box or field for box, field in boxes} <= words, picture
        assert f"({picture})" in read(f"docs/{page}")
