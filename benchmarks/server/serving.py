"""Options and cores in; `parakeet serve` in a process of its own out."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import urllib.request
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from typing import Final, Self

import psutil

from benchmarks.server.child import started

_MIB: Final = 2**20
_PROGRAM: Final = "import sys, parakeet_command; sys.exit(parakeet_command.main())"
_DRAINS_WITHIN_S: Final = 60.0
_MANY: Final = "100000"
OPEN_HOUSE: Final = (
    *("--sockets-of-address", _MANY, "--sockets-of-key", _MANY),
    *("--log-level", "warning"),
)
"""All clients come from one address."""


class Server:
    """A server that is ready."""

    def __init__(self, arguments: Sequence[str], cores: tuple[int, ...] | None = None) -> None:
        """`arguments`: of `parakeet serve`; the port is any that is free.

        Raises:
            RuntimeError: it does not start.
        """
        command = [sys.executable, "-c", _PROGRAM, "serve", "--port", "0", *arguments]
        # Settings of whoever measures must not become those of the server.
        settings = {name: text for name, text in os.environ.items() if name[:9] != "PARAKEET_"}
        self.process = started(
            command,
            cores,
            env=settings,
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.log: deque[str] = deque(maxlen=200)
        """The last lines that it wrote."""
        self.urls = {url.partition(":")[0]: url for url in self._ready()}
        """By scheme: `http`, and `tcp` where Wyoming is spoken."""
        self.url = self.urls["http"]
        self.socket_url = self.url.replace("http", "ws", 1)
        self._measured = psutil.Process(self.process.pid)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def cpu_s(self) -> float:
        """Processor time that it has taken, with processes of its own."""
        total_s = 0.0
        for each in (self._measured, *self._measured.children(recursive=True)):
            with suppress(psutil.NoSuchProcess):
                times = each.cpu_times()
                total_s += times.user + times.system
        return total_s

    def resident_mib(self) -> float:
        """Memory that it has now."""
        return float(self._measured.memory_info().rss / _MIB)

    def threads(self) -> int:
        """That it has now."""
        return int(self._measured.num_threads())

    def files(self) -> int:
        """Files and sockets that it has open."""
        return int(self._measured.num_fds())

    def metrics(self) -> dict[str, float]:
        """What `/metrics` tells, by name and labels; it must be open."""
        with urllib.request.urlopen(f"{self.url}/metrics", timeout=30) as reply:
            lines = reply.read().decode().splitlines()
        pairs = (line.rpartition(" ") for line in lines if line and not line.startswith("#"))
        return {name: float(value) for name, _, value in pairs}

    def end(self) -> int:
        """Asks it to drain; gives its exit code."""
        self.process.terminate()
        return int(self.process.wait(_DRAINS_WITHIN_S))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        self._reader.join()
        self.process.stderr.close()

    def _ready(self) -> list[str]:
        for line in self.process.stderr:
            if line.startswith("ready "):
                return list(line.split()[1:])
            self.log.append(line.rstrip())
        code = self.process.wait()
        raise RuntimeError(f"the server ended with {code}: " + "\n".join(self.log))

    def _read(self) -> None:
        for line in self.process.stderr:
            self.log.append(line.rstrip())
