"""Two servers behind a balancer in; what can be done to each of them out."""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Final, Protocol

from benchmarks.chaos.balancer import Address, haproxy, least_connections
from benchmarks.chaos.small_disk import SmallDisk, small_disk

_PROGRAM: Final = "import sys, parakeet_command; sys.exit(parakeet_command.main())"
_STARTS_WITHIN_S: Final = 120.0
_LOOKED_AT_EVERY_S: Final = 0.1


class Place(Protocol):
    """Servers that something can be done to. Each is known by its number, from 0."""

    @property
    def url(self) -> str:
        """Of the balancer."""
        ...

    @property
    def disk(self) -> SmallDisk | None:
        """Where they write their logs and keep what is uploaded; None where none can be made."""
        ...

    def running(self) -> Sequence[int]:
        """Servers that are there, and not frozen or about to end."""
        ...

    async def kill(self, server: int, down_s: float) -> None:
        """SIGKILL; another one is started so many seconds later."""
        ...

    async def drain(self, server: int, down_s: float) -> None:
        """It is asked to end; another one is started so many seconds after its end."""
        ...

    async def freeze(self, server: int, seconds: float, *, for_ever: bool) -> None:
        """SIGSTOP, and after so many seconds SIGCONT, or SIGKILL and another one."""
        ...


class PlainServers:
    """`parakeet serve` as processes of this machine, each on a port of its own."""

    def __init__(
        self, count: int, settings: Mapping[str, Any], disk: SmallDisk | None, folder: Path
    ) -> None:
        self.disk, self._folder = disk, folder
        self.ports = [free_port() for _ in range(count)]
        self._arguments = [word for name in settings for word in _option(name, settings[name])]
        environment = {name: text for name, text in os.environ.items() if name[:9] != "PARAKEET_"}
        environment["PARAKEET_CHECKPOINT_KEY"] = secrets.token_hex(32)
        environment["TMPDIR"] = str(folder)
        self._environment = environment
        self._processes: list[subprocess.Popen[bytes]] = []
        self._busy: set[int] = set()
        self.url = ""

    def running(self) -> Sequence[int]:
        return [
            number
            for number, process in enumerate(self._processes)
            if number not in self._busy and process.poll() is None
        ]

    async def start(self) -> None:
        """Starts all; comes back when they are ready."""
        self._processes = [self._started(number) for number in range(len(self.ports))]
        await asyncio.gather(*(self._until_ready(number) for number in range(len(self.ports))))

    async def kill(self, server: int, down_s: float) -> None:
        self._busy.add(server)
        self._processes[server].kill()
        await self._again(server, down_s)

    async def drain(self, server: int, down_s: float) -> None:
        self._busy.add(server)
        self._processes[server].terminate()
        await self._again(server, down_s)

    async def freeze(self, server: int, seconds: float, *, for_ever: bool) -> None:
        self._busy.add(server)
        process = self._processes[server]
        process.send_signal(signal.SIGSTOP)
        await asyncio.sleep(seconds)
        if for_ever:
            process.kill()
            await self._again(server, 0.0)
        else:
            process.send_signal(signal.SIGCONT)
            self._busy.discard(server)

    def stop(self) -> None:
        """Ends all."""
        for process in self._processes:
            process.kill()
            process.wait()

    @property
    def addresses(self) -> list[Address]:
        """Where they listen."""
        return [("127.0.0.1", port) for port in self.ports]

    def logs(self) -> str:
        """What they said last, where that could be written."""
        files = sorted(self._folder.glob("server-*.log"))
        return "\n".join(each.read_text(errors="replace")[-3_000:] for each in files)

    async def _again(self, server: int, down_s: float) -> None:
        """Starts it once more, some time after it has ended."""
        process = self._processes[server]
        while process.poll() is None:
            await asyncio.sleep(_LOOKED_AT_EVERY_S)
        await asyncio.sleep(down_s)
        self._processes[server] = self._started(server)
        await self._until_ready(server)
        self._busy.discard(server)

    def _started(self, number: int) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-c", _PROGRAM, "serve", "--port", str(self.ports[number])]
        with (self._folder / f"server-{number}.log").open("ab") as log:
            return subprocess.Popen(
                [*command, *self._arguments],
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=log,
            )

    async def _until_ready(self, number: int) -> None:
        until_s = time.monotonic() + _STARTS_WITHIN_S
        url = f"http://127.0.0.1:{self.ports[number]}/readyz"
        while time.monotonic() < until_s:
            process = self._processes[number]
            if process.poll() is not None:
                break
            with suppress(OSError):
                await asyncio.to_thread(_asked, url)
                return
            await asyncio.sleep(_LOOKED_AT_EVERY_S)
        raise RuntimeError(f"server {number} does not become ready: {self.logs()}")


@asynccontextmanager
async def plain_servers(
    where: str, settings: Mapping[str, Any], count: int = 2
) -> AsyncIterator[PlainServers]:
    """Servers behind HAProxy, or behind our own stand-in (`plain`)."""
    balanced = haproxy if where == "haproxy" else least_connections
    with small_disk() as (disk, folder):
        place = PlainServers(count, settings, disk, folder)
        try:
            await place.start()
            port = free_port()
            async with balanced(place.addresses, port):
                place.url = f"http://127.0.0.1:{port}"
                yield place
        finally:
            place.stop()


def _option(name: str, value: object) -> list[str]:
    """A setting as words of the command line."""
    option = "--" + name.replace("_", "-")
    return [option] if value is True else [option, str(value)]


def free_port() -> int:
    """A port that nobody has now."""
    with socket.socket() as made:
        made.bind(("127.0.0.1", 0))
        return int(made.getsockname()[1])


def _asked(url: str) -> None:
    with urllib.request.urlopen(url, timeout=5):
        pass
