"""How fast activeassoc is, beside hand-written SQL on the raw driver and beside its peers.

    python benchmarks/run.py                                  SQLite, everybody that is installed
    python benchmarks/run.py --quick                          the same in less than two minutes
    python benchmarks/run.py --targets --contenders activeassoc,peewee --ops getter,has
    python benchmarks/run.py --store postgresql,mariadb
    python benchmarks/run.py --write-docs                     fills docs/performance.md

Nothing needs configuring for SQLite; the servers are those of the tests (ACTIVEASSOC_POSTGRESQL_URL, ACTIVEASSOC_MARIADB_URL).
``pip install '.[bench]'`` brings the peers written in Python, and ``npm install`` in benchmarks/contenders the one in JavaScript;
who is not installed is left out, and a line says why. Databases are temporary, and removed at the end.
"""

from __future__ import annotations

import argparse
import datetime
import json
import platform
import signal
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import besides
import chart
import report
import table
from contenders import NAMES
from dataset import Size
from measuring import Disagreement, Run
from operations import OPERATIONS
from places import STORES, Unreachable
from workers import Absent, Failed

HERE = Path(__file__).resolve().parent
#: Seconds after which a round goes on to the next operation, of a quick run and of any other.
PATIENCE, QUICK_PATIENCE = 5.0, 1.0
PARTS = ("ops", "import", "memory", "growth")


def some(known: Iterable[str]) -> Callable[[str], list[str]]:
    """What turns ``a,b`` into a list, and refuses names that are not known."""

    def read(text: str) -> list[str]:
        found = [each.strip() for each in text.split(",") if each.strip()]
        for each in found:
            if each not in known:
                raise argparse.ArgumentTypeError(f"{each!r} is none of {', '.join(known)}")
        return found

    return read


def at_least(least: float, kind: Callable[[str], Any]) -> Callable[[str], Any]:
    """What reads a number, and refuses what is too small."""

    def read(text: str) -> Any:
        try:
            number = kind(text)
        except ValueError:
            number = None
        if number is None or not number >= least:
            raise argparse.ArgumentTypeError(f"{text!r} is no number of at least {least:g}")
        return number

    return read


def arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, epilog=report.listed())
    number = at_least(1, int)
    parser.add_argument("--quick", action="store_true", help="one round, few turns of what takes long, without growth")
    parser.add_argument("--contenders", type=some(NAMES), default=list(NAMES), help=f"some of {', '.join(NAMES)}; raw always runs")
    parser.add_argument("--ops", type=some(OPERATIONS), help="some of the operations below, and nothing besides them")
    parser.add_argument("--store", type=some(STORES), default=["sqlite"], help=f"one or more of {', '.join(STORES)}")
    parser.add_argument("--rounds", type=number, help="new processes and databases for each (5)")
    parser.add_argument("--turns", type=number, help="timed runs of an operation in each round, fewer of what takes long (3)")
    parser.add_argument("--scale", type=at_least(0.01, float), default=1.0, help="× 1,000 users, 10,000 posts, 200 tags, 50,000 links")
    parser.add_argument("--parts", type=some(PARTS), help=f"some of {', '.join(PARTS)}; what is not ops is measured on SQLite")
    parser.add_argument("--targets", action="store_true", help="say of each line what its target is, and whether it is met")
    parser.add_argument("--json", type=Path, default=HERE / "last.json", help="where the results are written")
    parser.add_argument("--svg", type=Path, default=HERE / "last.svg", help="where the chart of the first store is written")
    parser.add_argument("--write-docs", action="store_true", help="keep the results, and fill docs/performance.md")
    return parser


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def measured(told: argparse.Namespace, parts: list[str]) -> dict[str, Any]:
    """All that was asked for: store → results; what is measured besides stands under ``besides``."""
    rounds, turns = told.rounds or (1 if told.quick else 5), told.turns or 3
    about = {
        "date": datetime.date.today().isoformat(),
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "machine": f"{platform.system()} {platform.machine()}",
        "scale": told.scale,
        "rounds": rounds,
        "turns": turns,
    }
    results: dict[str, Any] = {}
    for store in told.store if "ops" in parts else []:
        run = Run(store, Size(told.scale), told.contenders, told.ops or list(OPERATIONS), say)
        found = run.rounds(rounds, turns, QUICK_PATIENCE if told.quick else PATIENCE)
        results[store] = {**about, **found.told()}
        print(report.table(store, results[store], targets=told.targets))
    found_besides: dict[str, Any] = {}
    if "import" in parts:
        found_besides["import"] = besides.imported(3 if told.quick else 11)
    if "memory" in parts:
        found_besides["memory"] = besides.memory(Size(told.scale), 1 if told.quick else 3)
    if "growth" in parts:
        found_besides["growth"] = besides.growth(told.scale, ("raw", "activeassoc"), turns, say)
    if found_besides:
        results["besides"] = {**about, **found_besides}
        print(report.besides(found_besides, targets=told.targets))
    return results


def main() -> int:
    parser = arguments()
    told = parser.parse_args()
    if told.write_docs and (told.ops or told.scale != 1):
        parser.error("--write-docs is for all operations at scale 1, as the page says; leave --ops and --scale out")
    parts = told.parts or (["ops"] if told.ops else [part for part in PARTS if not (told.quick and part == "growth")])
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))  # so that databases are removed then, too
    try:
        results = measured(told, parts)
    except (Absent, Disagreement, Failed, Unreachable) as error:
        say(str(error))
        return 1
    told.json.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    for store in results:
        if store != "besides":
            told.svg.write_text(chart.drawn(results[store]), encoding="utf-8")
            break
    if told.write_docs:
        table.keep(results)
        table.write()
    return 0


if __name__ == "__main__":
    sys.exit(main())
