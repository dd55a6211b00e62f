"""Arguments in; two replicas in Ray Serve, and what can be done to them, out.

Rules of this file:

1. Ray replaces a replica that was killed, and one that stands still once its health is not
   answered. Nobody here starts one.
2. One replica is drained by asking for one less: Ray tells it to stop, and it drains. Ray chooses
   which.
3. What fills up is the disk of the log. Ray's own folder is not on it: Ray does not live there.
"""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Final

import psutil

from benchmarks.chaos.small_disk import SmallDisk, small_disk

_REPLICA: Final = "ray::ServeReplica:parakeet:parakeet"
_ENDS_WITHIN_S: Final = 60.0
_SETTLES_S: Final = 1.0


class RayReplicas:
    """Replicas of one deployment, in a Ray of their own."""

    def __init__(
        self, settings: Mapping[str, Any], count: int, disk: SmallDisk | None, log: Path
    ) -> None:
        """Starts them; `url` is there at once, as they are ready then."""
        self.disk, self._log = disk, log
        self._count, self._wanted = count, count
        environment = {name: text for name, text in os.environ.items() if name[:9] != "PARAKEET_"}
        with log.open("ab") as lines:
            self._child = subprocess.Popen(
                [sys.executable, "-m", "benchmarks.chaos.ray_child", json.dumps(settings)],
                env=environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=lines,
                text=True,
            )
        self._frozen: set[int] = set()
        try:
            self.url = self._answer()
        except BaseException:
            self.stop()
            raise
        self._scaling = asyncio.Lock()

    def running(self) -> Sequence[int]:
        return [pid for pid in self._pids() if pid not in self._frozen]

    async def kill(self, server: int, down_s: float) -> None:
        _signal(server, signal.SIGKILL)
        await self._until_whole()

    async def drain(self, server: int, down_s: float) -> None:
        async with self._scaling:
            await self._scale(self._count - 1)
            await asyncio.sleep(down_s)
            await self._scale(self._count)
        await self._until_whole()

    async def freeze(self, server: int, seconds: float, *, for_ever: bool) -> None:
        self._frozen.add(server)
        _signal(server, signal.SIGSTOP)
        await asyncio.sleep(seconds)
        _signal(server, signal.SIGKILL if for_ever else signal.SIGCONT)
        self._frozen.discard(server)
        await self._until_whole()

    def stop(self) -> None:
        """Ends all."""
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        for pid in self._pids():
            _signal(pid, signal.SIGCONT)
        self._child.stdin.close()
        try:
            self._child.wait(_ENDS_WITHIN_S)
        except subprocess.TimeoutExpired:
            for each in _family(self._child.pid):
                _signal(each.pid, signal.SIGKILL)
            self._child.wait()
        self._child.stdout.close()

    async def _scale(self, count: int) -> None:
        self._wanted = count
        assert self._child.stdin is not None
        self._child.stdin.write(f"{count}\n")
        self._child.stdin.flush()
        await asyncio.to_thread(self._answer)

    def _answer(self) -> str:
        assert self._child.stdout is not None
        answer = str(self._child.stdout.readline()).strip()
        if not answer:
            said = self._log.read_text(errors="replace")[-3_000:]
            raise RuntimeError(f"Ray does not start, or has ended: {said}")
        return answer

    def _pids(self) -> list[int]:
        """Of replicas, those that start included."""
        return sorted(
            each.pid for each in _family(self._child.pid) if _named(each).startswith(_REPLICA)
        )

    async def _until_whole(self) -> None:
        while len(self._pids()) < self._wanted:
            await asyncio.sleep(_SETTLES_S)


@asynccontextmanager
async def ray_replicas(settings: Mapping[str, Any], count: int = 2) -> AsyncIterator[RayReplicas]:
    """The replicas, as long as the body runs."""
    with small_disk() as (disk, folder):
        given = {**settings, "replicas": count, "port": 0}
        given["checkpoint_key"] = [secrets.token_hex(32)]
        place = await asyncio.to_thread(RayReplicas, given, count, disk, folder / "log")
        try:
            yield place
        finally:
            await asyncio.to_thread(place.stop)


def _family(pid: int) -> list[psutil.Process]:
    try:
        return list(psutil.Process(pid).children(recursive=True))
    except psutil.NoSuchProcess:
        return []


def _named(process: psutil.Process) -> str:
    with suppress(psutil.Error, IndexError):
        return str(process.cmdline()[0])
    return ""


def _signal(pid: int, number: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)
