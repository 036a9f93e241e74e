"""The results as text: a table for the terminal, and what is said of the targets.

Map: `table` and `besides` are for reading; `verdicts` tells of one operation whether its targets are met; `listed` names the
operations for ``--help``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from besides import comparisons
from operations import GROWTH, MEASURES, OPERATIONS


def listed() -> str:
    """The operations, for ``--help``."""
    return "operations:\n" + "\n".join(f"  {operation.name:20} {operation.title}" for operation in OPERATIONS.values())


def ratio(value: float) -> str:
    return f"{value:.2f}" if value < 10 else f"{value:.0f}"


def verdicts(name: str, store: str, found: dict[str, Any]) -> Iterator[tuple[str, bool]]:
    """What was aimed at, with its number, and whether it is met; nothing where there is no target, or nobody to tell."""
    ours = found.get("activeassoc")
    if ours is None:
        return
    target = OPERATIONS[name].targets.get(store)
    if target is not None:
        yield f"≤ {target:g}", ours["ratio"] <= target
    if store == "sqlite":
        for peer, factor in OPERATIONS[name].ahead.items():
            if peer in found:
                leads = found[peer]["ratio"] / ours["ratio"]
                yield f"{leads:.1f}× ahead of {peer} (≥ {factor:g})", leads >= factor
    faster = [peer for peer, theirs in found.items() if peer not in ("raw", "activeassoc") and theirs["ratio"] <= ours["ratio"]]
    if faster:
        yield f"ahead of {', '.join(faster)}", False


def said(verdict: tuple[str, bool]) -> str:
    return f"{verdict[0]} {'met' if verdict[1] else 'NOT MET'}"


def table(store: str, results: dict[str, Any], *, targets: bool) -> str:
    """One line for each operation: raw's time, and the others as ratios to it; then who is left out, and why."""
    operations = results["operations"]
    contenders = [each for each in results["versions"] if each != "raw"]
    lines = [["", "raw", *contenders, *(["targets"] if targets else [])]]
    for name, found in operations.items():
        line = [name, f"{found['raw']['median'] * 1000:.2f} ms"]
        line += [ratio(found[each]["ratio"]) if each in found else "–" for each in contenders]
        lines.append([*line, *(["; ".join(map(said, verdicts(name, store, found)))] if targets else [])])
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    text = [f"{results['server']}, {results['python']}, scale {results['scale']:g}; raw in ms, the others × raw"]
    for first, *line in lines:
        cells = [cell.rjust(width) for cell, width in zip(line[: len(contenders) + 1], widths[1:], strict=False)]
        text.append("  ".join([first.ljust(widths[0]), *cells, *line[len(contenders) + 1 :]]).rstrip())
    return "\n".join([*text, *left_out(results)])


def left_out(results: dict[str, Any]) -> list[str]:
    """Who is left out and why, and what the others do not have."""
    text = [f"{contender} is left out: {why}" for contender, why in results["absent"].items()]
    for contender, missing in results["missing"].items():
        reasons: dict[str, list[str]] = {}
        for name, why in missing.items():
            if name in results["operations"]:
                reasons.setdefault(why, []).append(name)
        text += [f"{contender} has no {', '.join(names)}: {why}" for why, names in reasons.items()]
    return text


def besides(found: dict[str, Any], *, targets: bool) -> str:
    """What was measured besides time."""
    text = []
    for name, value in comparisons(found).items():
        measure = MEASURES[name]
        verdict = f"  {said((f'≤ {measure.target:g}', value <= measure.target))}" if targets else ""
        text.append(f"{measure.title}: {value:.2f} {measure.unit}{verdict}")
    for contender, taken in found.get("memory", {}).items():
        text.append(f"memory of the largest populate, {contender}: {taken['grown']:.1f} MB, its objects {taken['most']:.1f} MB")
    for name, by_contender in found.get("growth", {}).items():
        grown = ", ".join(f"{contender} {value:.1f}×" for contender, value in by_contender.items())
        ours = by_contender.get("activeassoc")
        most = max(GROWTH, by_contender["raw"])  # what the database itself takes longer is not the library's
        verdict = f"  {said((f'≤ {most:.3g}', ours <= most))}" if targets and ours else ""
        text.append(f"{name} on ten times the data: {grown}{verdict}")
    return "\n".join(text)
