"""What is measured besides time: what an import costs, how much memory the largest populate takes, how cost grows with the data.

Map: `imported`, `memory` and `growth`, each in processes of their own; their targets are `operations.MEASURES` and `GROWTH`.
"""

from __future__ import annotations

import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from typing import Any

from dataset import Size
from measuring import Run, Say
from operations import GROWING, LARGEST
from places import places
from workers import Worker

#: The contenders whose memory is compared.
COMPARED = ("raw", "activeassoc", "peewee")

_IMPORT = """
import json, time
def resident():
    try:
        with open("/proc/self/statm") as told:
            return int(told.read().split()[1]) * 4096
    except OSError:
        return 0
times, sizes = [time.process_time()], [resident()]
import peewee
times.append(time.process_time())
sizes.append(resident())
import activeassoc
times.append(time.process_time())
sizes.append(resident())
print(json.dumps([times[1] - times[0], times[2] - times[1], sizes[1] - sizes[0], sizes[2] - sizes[1]]))
"""


def imported(runs: int) -> dict[str, float]:
    """Milliseconds (of the processor) and megabytes of `import peewee`, and of `import activeassoc` after it; medians of new processes."""
    with tempfile.TemporaryDirectory(prefix="activeassoc_bench_") as folder:
        # Compiled once, as after an installation, and never into the source.
        environment = {**os.environ, "PYTHONPYCACHEPREFIX": folder}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        found = []
        for _ in range(runs + 1):
            done = subprocess.run([sys.executable, "-c", _IMPORT], env=environment, capture_output=True, text=True, check=True)
            found.append(json.loads(done.stdout))
    names = ("peewee_time", "import_time", "peewee_memory", "import_memory")
    units = (1e3, 1e3, 1e-6, 1e-6)
    return {name: statistics.median(column) * unit for name, unit, column in zip(names, units, zip(*found[1:], strict=True), strict=True)}


def memory(size: Size, runs: int) -> dict[str, dict[str, float]]:
    """Megabytes that `LARGEST` takes on SQLite: `grown` is what the process grew by at most, `most` and `held` are of its objects."""
    found: dict[str, dict[str, float]] = {}
    with places("sqlite", size) as made:
        for contender in COMPARED:
            answers: list[dict[str, float]] = []
            for traced in (*[False] * runs, True):
                place = made.copy(contender)
                with contextlib.closing(Worker(contender, place, size.scale)) as worker:
                    answers.append(worker.ask(memory=LARGEST, traced=traced))
                made.drop(place)
            grown = statistics.median(answer["grown"] for answer in answers[:-1])
            found[contender] = {"grown": grown / 1e6, "most": answers[-1]["most"] / 1e6, "held": answers[-1]["held"] / 1e6}
    return found


def growth(scale: float, contenders: Sequence[str], turns: int, say: Say) -> dict[str, dict[str, float]]:
    """By how much each of `GROWING` takes longer on ten times the data, by contender: the least times, as two sizes cannot take turns."""
    found = []
    for factor in (1, 10):
        say(f"growth: scale {scale * factor:g}")
        told = Run("sqlite", Size(scale * factor), contenders, GROWING, say).rounds(1, turns).told()
        found.append(told["operations"])
    small, large = found
    return {
        name: {each: min(large[name][each]["seconds"]) / min(one["seconds"]) for each, one in by_contender.items()}
        for name, by_contender in small.items()
    }


def comparisons(found: dict[str, Any]) -> dict[str, float]:
    """What was found, by the names of `operations.MEASURES`."""
    told = {name: found["import"][name] for name in ("import_time", "import_memory") if "import" in found}
    taken = found.get("memory", {})
    for other in ("raw", "peewee"):
        if taken.get(other, {}).get("grown"):
            told[f"memory_{other}"] = taken["activeassoc"]["grown"] / taken[other]["grown"]
    return told
