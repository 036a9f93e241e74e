"""How the pages become a site: `sphinx-build -W docs build/docs`.

The pages are plain Markdown that reads well where it lies; what only a site needs is added here: the order of the pages (`SECTIONS`),
and the reference, which is made of the docstrings and of the verbs.
"""

from __future__ import annotations

import configparser
import inspect
import re
import sys
from pathlib import Path
from typing import Any

from docutils import nodes
from docutils.statemachine import StringList
from pygments.lexers.special import TextLexer
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from activeassoc.associations.base import verbs_of  # noqa: E402
from activeassoc.declare import KINDS  # noqa: E402

project = "activeassoc"
author = "the activeassoc authors"
# Of the source, as the pages are; what is installed may be another one.
config = configparser.ConfigParser()
config.read(Path(__file__).resolve().parent.parent / "setup.cfg")
version = release = config["metadata"]["version"]
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.viewcode"]
html_theme = "furo"
html_title = f"activeassoc {release}"
html_copy_source = False
pygments_dark_style = "github-dark"
html_show_sphinx = False
html_static_path = ["_static"]
html_css_files = ["site.css"]
templates_path: list[str] = []
exclude_patterns = ["_build"]
# Links to headings are those of the Markdown pages: lower case, hyphens.
myst_heading_anchors = 3
myst_enable_extensions = ["fieldlist"]
# In docstrings `name` between single backticks is code, as in Markdown.
default_role = "code"
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_preserve_defaults = True
highlight_language = "default"

#: The pages in reading order: the caption of each part, and what stands in it.
SECTIONS: dict[str, list[str]] = {
    "Begin": ["tutorial", "installing", "how-to"],
    "Coming from": ["from-sequelize", "from-rails", "from-waterline", "from-peewee"],
    "Declaring": ["associations", "class-body", "through-models", "arrays", "across-stores", "embedding"],
    "Working with records": ["accessors", "collections", "populate", "lazy-loading", "criteria", "deleting", "async"],
    "Databases": ["connecting", "stores", "sync", "migrations", "check", "reflect"],
    "Serving and tools": ["rest", "cli", "typing", "diagrams", "performance"],
    "Reference": ["reference/index", "errors"],
    "The project": ["design", "contributing", "changes"],
}


def with_contents(app: Sphinx, name: str, source: list[str]) -> None:
    """Give the first page the table of contents, which Markdown elsewhere would show as code."""
    if name != "index":
        return
    here = Path(app.srcdir)
    for caption, pages in SECTIONS.items():
        found = [page for page in pages if (here / f"{page}.md").exists() or (here / f"{page}.rst").exists()]
        source[0] += "\n".join(["", "```{toctree}", ":hidden:", f":caption: {caption}", "", *found, "```", ""])


class Verbs(SphinxDirective):
    """``.. verbs::``: the methods that each kind of association makes, with their signatures and first sentences."""

    def run(self) -> list[nodes.Node]:
        lines: list[str] = []
        for name, kind in KINDS.items():
            lines += ["", name, "~" * len(name), ""]
            for operation, patterns in sorted(verbs_of(kind).items()):
                lines += self.entry(kind, operation, patterns)
        found = nodes.section()
        found.document = self.state.document
        self.state.nested_parse(StringList(lines, source="verbs"), self.content_offset, found, match_titles=True)
        return found.children

    @staticmethod
    def entry(kind: Any, operation: str, patterns: tuple[str, ...]) -> list[str]:
        function = getattr(kind, operation)
        _, _, *rest = inspect.signature(function).parameters.values()
        signature = inspect.Signature([each.replace(annotation=inspect.Parameter.empty) for each in rest])
        lines: list[str] = []
        for number, pattern in enumerate(patterns):
            name = pattern.replace("{one}", "ONE").replace("{many}", "MANY")
            lines.append((".. py:method:: " if not number else "               ") + f"{name}{signature}")
        lines += ["   :no-index:", ""]
        lines += [f"   {line}" for line in without_lines((inspect.getdoc(function) or "").splitlines())]
        return [*lines, ""]


def without_lines(docstring: list[str]) -> list[str]:
    """The docstring without the lines of the specification that it holds, "(C5, C18)", which tell a reader nothing."""
    named = re.compile(r"\s*\([A-M]\d+(?:[-,] ?[A-M]\d*)*\)|(?<=\()[A-M]\d+[;:] ")
    return [named.sub("", line) for line in docstring]


def shorten(app: Sphinx, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    """Docstrings as a reader wants them; those of modules are for who changes them."""
    lines[:] = [] if what == "module" else without_lines(lines)


def signature_of(app: Sphinx, what: str, name: str, *rest: Any) -> tuple[str, None] | None:
    """Errors are caught, not made: their parameters are nobody's business."""
    return ("", None) if what == "exception" else None


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("source-read", with_contents)
    app.connect("autodoc-process-docstring", shorten)
    app.connect("autodoc-process-signature", signature_of)
    app.add_lexer("mermaid", TextLexer)
    app.add_directive("verbs", Verbs)
    return {"parallel_read_safe": True}
