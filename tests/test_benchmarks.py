"""The benchmarks run as a newcomer runs them, compare before they time, leave out who is not there, and leave nothing behind."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

import activeassoc

ROOT = Path(__file__).resolve().parent.parent
BENCHMARKS = ROOT / "benchmarks"
SMALL = ("--scale", "0.02", "--rounds", "1", "--turns", "1")


class Ran:
    """A run that has ended: what it said, and what it wrote."""

    def __init__(self, folder: Path, benchmarks: Path, *arguments: str) -> None:
        temporary = folder / "temporary"
        temporary.mkdir(exist_ok=True)
        path = os.pathsep.join(filter(None, [str(Path(activeassoc.__file__).parents[1]), os.environ.get("PYTHONPATH")]))
        outputs = ("--json", str(folder / "results.json"), "--svg", str(folder / "chart.svg"))
        done = subprocess.run(
            [sys.executable, str(benchmarks / "run.py"), *outputs, *arguments],
            env={**os.environ, "PYTHONPATH": path, "TMPDIR": str(temporary)},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        self.code, self.out, self.errors = done.returncode, done.stdout, done.stderr
        self.left = [path.name for path in temporary.iterdir()]
        self._folder = folder

    @property
    def results(self) -> dict:
        assert self.code == 0, self.errors
        return json.loads((self._folder / "results.json").read_text())

    @property
    def chart(self) -> ElementTree.Element:
        return ElementTree.parse(self._folder / "chart.svg").getroot()


@pytest.fixture
def run(tmp_path):
    """``run("--ops", "link")``: a run of the benchmarks; `benchmarks=` is another copy of the folder."""
    return lambda *arguments, benchmarks=BENCHMARKS: Ran(tmp_path, benchmarks, *arguments)


@pytest.fixture
def copied(tmp_path):
    """A copy of the benchmarks, to change something in it."""
    ignored = shutil.ignore_patterns("node_modules", "__pycache__", "last.*")
    return Path(shutil.copytree(BENCHMARKS, tmp_path / "benchmarks", ignore=ignored))


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def operations() -> list[str]:
    """The names of all operations, from their table."""
    return re.findall(r'^        Operation\("(\w+)"', (BENCHMARKS / "operations.py").read_text(), re.MULTILINE)


def test_every_operation_agrees_with_raw_and_is_written_down(run):
    """A quick run of raw, activeassoc and peewee: all results are the same, every line is there, in JSON, as a picture and as text."""
    ran = run(*SMALL, "--targets", "--parts", "ops", "--contenders", "raw,activeassoc,peewee")
    found = ran.results["sqlite"]
    assert list(found["operations"]) == operations() and len(operations()) >= 13
    for name, by_contender in found["operations"].items():
        assert set(by_contender) == {"raw", "activeassoc"} | (set() if name.endswith("_default") else {"peewee"})
        assert by_contender["raw"]["ratio"] == 1
        assert all(len(one["seconds"]) == 1 and one["ratio"] > 0 for one in by_contender.values())
        assert re.search(rf"^{name} +\d+\.\d\d ms +[\d.]+ +[\d.–]+", ran.out, re.MULTILINE)
    assert found["missing"] == {"raw": {}, "activeassoc": {}, "peewee": {}} and found["absent"] == {}
    dots = [each for each in ran.chart.iter("{http://www.w3.org/2000/svg}circle") if len(each)]
    assert len(dots) == sum(map(len, found["operations"].values()))
    assert re.search(r"^getter .* ≤ 1\.35 (met|NOT MET)", ran.out, re.MULTILINE)
    assert ran.left == []


@pytest.mark.parametrize("store", ["postgresql", "mariadb"], indirect=True)
def test_servers_are_measured_and_left_as_they_were(run, store):
    """The same operations on a server: databases of its own, which are gone afterwards."""
    ran = run(*SMALL, "--store", store.name, "--contenders", "activeassoc", "--ops", "populate_mn,link,create")
    assert set(ran.results) == {store.name}
    assert list(ran.results[store.name]["operations"]) == ["populate_mn", "link", "create"]
    assert ran.results[store.name]["versions"].keys() == {"raw", "activeassoc"}


def test_a_server_that_does_not_answer_is_told(run, monkeypatch):
    """No traceback: where it was looked for, and how to name another one."""
    pytest.importorskip("psycopg")
    monkeypatch.setenv("ACTIVEASSOC_POSTGRESQL_URL", "postgresql://nobody@127.0.0.1:1/nothing")
    ran = run(*SMALL, "--store", "postgresql", "--ops", "getter")
    assert ran.code == 1
    assert ran.errors.startswith("postgresql at 127.0.0.1:1 cannot be used: ")
    assert ran.errors.endswith("ACTIVEASSOC_POSTGRESQL_URL may name another server.\n")


@pytest.mark.parametrize(
    ("operation", "file", "old", "new"),
    [
        ("link", "using_peewee.py", "(post, tag, WEIGHT)", "(post, tag, WEIGHT + 1)"),
        ("getter", "using_activeassoc.py", "user.get_posts()", "user.get_posts()[1:]"),
    ],
)
def test_what_is_not_the_same_is_not_timed(run, copied, operation, file, old, new):
    """A contender whose rows or records differ from raw's ends the run, and says where."""
    change(copied / "contenders" / file, old, new)
    ran = run(*SMALL, "--ops", operation, "--contenders", "activeassoc,peewee", benchmarks=copied)
    name = file.removeprefix("using_").removesuffix(".py")
    assert (ran.code, ran.out) == (1, "")
    assert ran.errors.splitlines()[-1] == f"{operation} by {name} on sqlite does not give what raw gives"
    assert ran.left == []


def test_who_is_not_installed_is_left_out_with_the_reason(run, copied):
    """The others are measured, and a line says why this one is not."""
    (copied / "contenders" / "using_pony.py").write_text("import no_such_library\n")
    ran = run(*SMALL, "--ops", "getter", "--contenders", "activeassoc,pony", benchmarks=copied)
    assert set(ran.results["sqlite"]["operations"]["getter"]) == {"raw", "activeassoc"}
    assert ran.out.splitlines()[-1] == "pony is left out: ModuleNotFoundError: No module named 'no_such_library'"


def test_an_operation_that_raises_is_left_out_with_the_reason(run, copied):
    """It counts for this contender and this operation alone."""
    head = "def has_all(self) -> Work:\n"
    change(copied / "contenders" / "using_peewee.py", head, f"{head}        raise OSError('no')\n")
    ran = run(*SMALL, "--ops", "has_all,getter", "--contenders", "peewee", benchmarks=copied)
    assert set(ran.results["sqlite"]["operations"]["has_all"]) == {"raw"}
    assert set(ran.results["sqlite"]["operations"]["getter"]) == {"raw", "peewee"}
    assert ran.out.splitlines()[-1] == "peewee has no has_all: OSError: no"


def test_import_memory_and_growth_are_measured(run):
    """What is no operation stands beside them, with its targets."""
    ran = run("--scale", "0.02", "--quick", "--turns", "1", "--targets", "--parts", "import,memory,growth")
    besides = ran.results["besides"]
    assert besides["import"]["import_time"] > 0
    assert besides["memory"].keys() == {"raw", "activeassoc", "peewee"}
    assert all(taken["most"] >= taken["held"] > 0 for taken in besides["memory"].values())
    assert all(each["raw"] > 0 and each["activeassoc"] > 0 for each in besides["growth"].values())
    assert re.search(r"^`import activeassoc` after `import peewee`: [\d.]+ ms  ≤ 15 (met|NOT MET)$", ran.out, re.MULTILINE)
    assert ran.left == []


def test_help_names_every_operation_and_contender(run):
    """``--help`` tells all that can be asked for."""
    ran = run("--help")
    assert ran.code == 0
    for name in (*operations(), "raw", "activeassoc", "peewee", "sqlalchemy", "django", "pony", "tortoise", "sequelize"):
        assert re.search(rf"\b{name}\b", ran.out)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--ops", "geter"), "argument --ops: 'geter' is none of getter, "),
        (("--contenders", "raw,hibernate"), "argument --contenders: 'hibernate' is none of raw, activeassoc, "),
        (("--store", "oracle"), "argument --store: 'oracle' is none of sqlite, postgresql, mariadb"),
        (("--rounds", "0"), "argument --rounds: '0' is no number of at least 1"),
        (("--write-docs", "--scale", "2"), "--write-docs is for all operations at scale 1, as the page says; leave --ops and --scale out"),
        (("--scale", "much"), "argument --scale: 'much' is no number of at least 0.01"),
    ],
)
def test_what_is_not_known_is_refused(run, arguments, said):
    """A wrong name or number is told before anything is measured."""
    ran = run(*arguments)
    assert ran.code == 2
    assert said in ran.errors


def test_the_page_shows_the_results_that_are_kept():
    """Between the marks of docs/performance.md stands what benchmarks/table.py writes there, and the chart is that of the same results."""
    code = "import chart, table\nprint(table.shown(table.kept()), end='\\0')\nprint(chart.drawn(table.first(table.kept())), end='')"
    environment = {**os.environ, "PYTHONPATH": str(BENCHMARKS)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True, timeout=60)
    shown, _, chart = done.stdout.partition("\0")
    assert shown in (ROOT / "docs" / "performance.md").read_text()
    assert chart == (ROOT / "docs" / "performance.svg").read_text()


def test_modules_are_short():
    """A newcomer reads each file in one go, as those of the package."""
    for path in BENCHMARKS.rglob("*.py"):
        assert len(path.read_text().splitlines()) <= 410, path
