"""The results that docs/performance.md shows: kept in results.json, and written into the page between two marks.

    python benchmarks/table.py        writes the page and its chart again from what is kept

Map: `keep` adds a run to what is kept, a store at a time; `shown` is what stands between the marks; `write` puts it there.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import chart
from besides import comparisons
from operations import MEASURES, OPERATIONS
from report import ratio, verdicts

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results.json"
PAGE = HERE.parent / "docs" / "performance.md"
CHART = HERE.parent / "docs" / "performance.svg"
BEGIN, END = "<!-- results: written by benchmarks/table.py -->", "<!-- end of results -->"

TITLES = {"sqlite": "SQLite", "postgresql": "PostgreSQL", "mariadb": "MariaDB"}


def kept() -> dict[str, Any]:
    return json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}


def keep(results: dict[str, Any]) -> None:
    """Replace what is kept of the stores that were measured, without the single times."""
    told = kept()
    for part, found in results.items():
        told[part] = dict(found)
        if "operations" in found:
            told[part]["operations"] = {
                name: {each: {"median": one["median"], "ratio": one["ratio"]} for each, one in by_contender.items()}
                for name, by_contender in found["operations"].items()
            }
    RESULTS.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")


def of_store(store: str, results: dict[str, Any]) -> Iterator[str]:
    """The section of one store: with what it was measured, and a table."""
    contenders = [each for each in results["versions"] if each != "raw"]
    software = ", ".join([results["server"], results["python"], *(results["versions"][each] for each in contenders)])
    yield f"### {TITLES[store]}"
    yield ""
    often = f"{results['rounds']} rounds of up to {results['turns']} turns"
    yield f"Measured on {results['date']} with {software}, on {results['machine']}; medians of {often}."
    yield ""
    yield f"| work | raw | {' | '.join(contenders)} | target |"
    yield f"|---|{'---:|' * (len(contenders) + 1)}---|"
    for name, found in results["operations"].items():
        cells = [ratio(found[each]["ratio"]) if each in found else "–" for each in contenders]
        cells = [f"**{cell}**" if each == "activeassoc" else cell for each, cell in zip(contenders, cells, strict=True)]
        target = OPERATIONS[name].targets.get(store)
        met = all(met for _, met in verdicts(name, store, found))
        aim = f"≤ {target:g}{'' if met else ' (missed)'}" if target is not None else ""
        yield f"| {OPERATIONS[name].title} | {found['raw']['median'] * 1000:.1f} ms | {' | '.join(cells)} | {aim} |"
    yield ""


def of_besides(found: dict[str, Any]) -> Iterator[str]:
    """The section of what was measured besides time."""
    yield "### Import, memory, growth"
    yield ""
    yield "| what | measured | target |"
    yield "|---|---:|---|"
    for name, value in comparisons(found).items():
        measure = MEASURES[name]
        missed = "" if value <= measure.target else " (missed)"
        yield f"| {measure.title} | {value:.2f} {measure.unit} | ≤ {measure.target:g} {measure.unit}{missed} |"
    for name, grown in found.get("growth", {}).items():
        yield f"| {OPERATIONS[name].title}, on ten times the data (raw: {grown['raw']:.1f} ×) | {grown['activeassoc']:.1f} × | |"
    yield ""


def first(results: dict[str, Any]) -> dict[str, Any]:
    """The results of the store that the chart is of."""
    return next(results[store] for store in TITLES if store in results)


def shown(results: dict[str, Any]) -> str:
    """What stands between the marks."""
    lines = [BEGIN, "", "![Time of each operation as a multiple of raw](performance.svg)", ""]
    for store in TITLES:
        if store in results:
            lines += of_store(store, results[store])
    if "besides" in results:
        lines += of_besides(results["besides"])
    return "\n".join([*lines, END])


def write() -> None:
    """Fill the page, and draw its chart."""
    results = kept()
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text(f"{before}{shown(results)}{after}", encoding="utf-8")
    CHART.write_text(chart.drawn(first(results)), encoding="utf-8")


if __name__ == "__main__":
    write()
