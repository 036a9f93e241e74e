"""One contender in a process of its own: it reads from its input what to run, and answers with the time that it took.

Both are lines of JSON: ``{"run": "getter", "compare": true}`` is answered by ``{"seconds": 0.01, "digest": "…"}``. The JavaScript
contender speaks the same.
"""

from __future__ import annotations

import gc
import hashlib
import importlib
import json
import os
import sys
import time
import tracemalloc
from typing import Any

from contenders import NAMES
from contenders.contract import Contender
from dataset import Size
from places import Place


def digest(plain: Any) -> str:
    """The same for the same lists, also in JavaScript."""
    return hashlib.sha256(json.dumps(plain, separators=(",", ":"), ensure_ascii=False).encode()).hexdigest()


def resident(field: str) -> int:
    """Bytes of memory of this process: ``VmRSS`` now, ``VmHWM`` at most so far. 0 where the system does not tell."""
    try:
        with open("/proc/self/status") as lines:
            return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(field))
    except (OSError, StopIteration):
        return 0


def run(contender: Contender, name: str, compare: bool) -> dict[str, Any]:
    """Time one run of an operation."""
    work = getattr(contender, name)()
    gc.collect()
    begun = time.perf_counter()
    result = work()
    seconds = time.perf_counter() - begun
    answer: dict[str, Any] = {"seconds": seconds}
    if compare:
        plain = contender.plain(name, result)
        answer["digest"] = None if plain is None else digest(plain)
    return answer


def memory(contender: Contender, name: str, traced: bool) -> dict[str, Any]:
    """How much memory one run of an operation takes: of the process, or by its objects."""
    work = getattr(contender, name)()
    gc.collect()
    if traced:
        tracemalloc.start()
        kept = work()
        held, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        answer = {"held": held, "most": most}
    else:
        before = resident("VmRSS")
        kept = work()
        answer = {"grown": max(0, resident("VmHWM") - before)}
    del kept
    return answer


def main() -> None:
    told = json.loads(sys.argv[1])
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a library prints is no answer
    module = importlib.import_module(f"contenders.{NAMES[told['contender']]}")
    contender: Contender = module.Contender(Place(*told["place"]), Size(told["scale"]))

    def answer(message: dict[str, Any]) -> None:
        print(json.dumps(message), file=answers, flush=True)

    answer({"versions": contender.versions(), "missing": contender.missing})
    for line in sys.stdin:
        order = json.loads(line)
        if "run" in order:
            answer(run(contender, order["run"], order["compare"]))
        else:
            answer(memory(contender, order["memory"], order["traced"]))
    contender.close()


if __name__ == "__main__":
    main()
