"""A Redis server of a test's own, on a free port and without files: for tests that stop it, count its commands or set its options."""

from __future__ import annotations

import contextlib
import importlib
import random
import shutil
import socket
import subprocess
import time
from pathlib import Path
from typing import Any

from engines import absent

#: Not the module's own, which hypothesis seeds: two processes of tests would choose the same.
_random = random.SystemRandom()


class RedisServer:
    """One redis-server process; `stop` and `start` may follow each other, on the same port."""

    def __init__(self, folder: Path, *options: str) -> None:
        self._program = shutil.which("redis-server") or ""
        if not self._program:
            absent("redis", "the program redis-server is not here")
        self.port = _free_port()
        self._folder, self.options = folder, options
        self._process: Any = None
        self.client = importlib.import_module("redis").Redis(port=self.port, protocol=2)
        self.start()

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        plain = ["--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", str(self._folder)]
        command = [self._program, *plain, *self.options]
        self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(1_000):
            if self._process.poll() is not None:
                break
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
            except OSError:
                time.sleep(0.01)
            else:
                return
        self.stop()
        raise AssertionError("redis-server did not start")

    def stop(self) -> None:
        self.client.close()
        self._process.kill()
        self._process.wait()

    def calls(self) -> dict[str, int]:
        """How often each command was called since the last time, within scripts too."""
        found = {name.removeprefix("cmdstat_"): int(stats["calls"]) for name, stats in self.client.info("commandstats").items()}
        self.client.config_resetstat()
        return found


def _free_port() -> int:
    """Not one that the system would choose: a server of a cluster also takes the port 10,000 above."""
    while True:
        port = _random.randrange(15_000, 30_000)
        with socket.socket() as free, contextlib.suppress(OSError):
            free.bind(("127.0.0.1", port))
            return port
