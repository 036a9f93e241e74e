"""A contender's process as the runner sees it: started, asked, and ended.

`Worker` starts it and asks; `Absent` is raised for a contender that cannot be started here, `Failed` where an operation raises.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from contenders import NAMES
from places import Place

HERE = Path(__file__).resolve().parent


class Absent(Exception):
    """This contender cannot be started; the text says why."""


class Failed(Exception):
    """What was asked raised; the text is the last line of it."""


class Worker:
    """A contender on its database, in a process that waits between two questions."""

    def __init__(self, contender: str, place: Place, scale: float) -> None:
        self.contender, self.place = contender, place
        told = json.dumps({"contender": contender, "place": list(place), "scale": scale})
        file = NAMES[contender]
        script = [str(HERE / "contenders" / file)] if file.endswith(".js") else [str(HERE / "worker.py")]
        program = "node" if file.endswith(".js") else sys.executable
        self._errors = tempfile.TemporaryFile("w+")  # noqa: SIM115  # for as long as the process lives
        try:
            self._process = subprocess.Popen(
                [program, *script, told], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors, text=True
            )
        except FileNotFoundError:
            raise Absent(f"{program} is not installed") from None
        try:
            answer = self._answer()
        except Failed as failed:
            raise Absent(str(failed)) from None
        self.versions: str = answer["versions"]
        self.missing: dict[str, str] = answer["missing"]

    def _answer(self) -> dict[str, Any]:
        line = self._process.stdout.readline()  # type: ignore[union-attr]
        if line:
            return json.loads(line)
        self._process.wait()
        self._errors.seek(0)
        told = [each for each in self._errors.read().splitlines() if each.strip()]
        errors = [each for each in told if "Error" in each and not each.startswith(" ")]
        self.close()
        raise Failed((errors or told or [f"it ended with {self._process.returncode}"])[-1].strip())

    def ask(self, **question: Any) -> dict[str, Any]:
        with contextlib.suppress(BrokenPipeError):  # then there is no answer, and the reason is told
            self._process.stdin.write(json.dumps(question) + "\n")  # type: ignore[union-attr]
            self._process.stdin.flush()  # type: ignore[union-attr]
        return self._answer()

    def close(self) -> None:
        """End the process: its input ends, and where that is not enough it is killed."""
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()  # type: ignore[union-attr]
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()  # type: ignore[union-attr]
        self._errors.close()
