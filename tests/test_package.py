"""What is shipped: the version, the names, the marker for types, and how little an import brings along."""

from __future__ import annotations

import importlib.metadata
import re
from pathlib import Path

import pytest

import activeassoc

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def distribution():
    """The installed distribution; a source tree on the path has none of it."""
    package = Path(activeassoc.__file__).parent
    if package == ROOT / "activeassoc":
        pytest.skip("the source tree is on the path, not an installed package: run `pytest`, not `python -m pytest`")
    return importlib.metadata.distribution("activeassoc")


def test_the_version_is_said_in_one_place(distribution):
    """`activeassoc.__version__` is that of the distribution, which setup.cfg tells."""
    (told,) = re.findall(r"^version = (\S+)$", (ROOT / "setup.cfg").read_text(), re.MULTILINE)
    assert activeassoc.__version__ == distribution.version == told


def test_all_is_sorted_and_there():
    """Every public name is listed once, in order, and exists."""
    assert activeassoc.__all__ == sorted(set(activeassoc.__all__))
    assert all(hasattr(activeassoc, name) for name in activeassoc.__all__)


def test_every_module_and_the_marker_for_types_are_shipped(distribution):
    """A wheel lacks what no package list finds: compare it with the source."""
    package = Path(activeassoc.__file__).parent
    source = {path.relative_to(ROOT / "activeassoc") for path in (ROOT / "activeassoc").rglob("*.py")} | {Path("py.typed")}
    shipped = {path.relative_to(package) for path in package.rglob("*") if path.suffix == ".py" or path.name == "py.typed"}
    assert shipped == source
    others = [Path(file) for file in distribution.files or () if ".dist-info" not in str(file)]
    assert {path.name if path.parts[0] == ".." else path.parts[0] for path in others} == {"activeassoc"}  # the package, and the command


def test_the_base_needs_two_packages(distribution):
    """peewee and inflection; drivers and tools are extras."""
    needed = [requirement for requirement in distribution.requires or () if "extra ==" not in requirement]
    assert sorted(re.match(r"[\w-]+", requirement)[0] for requirement in needed) == ["inflection", "peewee"]
    extras = set(distribution.metadata.get_all("Provides-Extra"))
    assert {"postgres", "mysql", "mongo", "redis", "cli", "async", "all", "test"} <= extras


IMPORTS = """
import sys
import peewee, inflection
before = set(sys.modules)
import activeassoc
for name in sorted({name.partition(".")[0] for name in set(sys.modules) - before} - set(sys.stdlib_module_names)):
    print(name)
"""


def test_an_import_brings_nothing_along(python):
    """Neither playhouse, with its pools and all drivers, nor anything else beyond what peewee brings itself."""
    assert python(IMPORTS) == "activeassoc"
