"""An engine and listening sockets in; one I/O process that runs, and what it asks answered, out."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Final

from parakeet_streaming.errors import UnavailableError
from parakeet_streaming.live.engine import LiveEngine
from parakeet_streaming.processes import shared_memory
from parakeet_streaming.processes.audio_memory import AudioMemory, Sizes
from parakeet_streaming.processes.frames import Frame, Kind
from parakeet_streaming.processes.host import EngineHost
from parakeet_streaming.processes.io_process import Beginning
from parakeet_streaming.processes.link import Answer, Ends, Link
from parakeet_streaming.processes.shared_state import SharedState
from parakeet_streaming.processes.values import plain

_PROGRAM: Final = "parakeet_streaming.processes.io_process"


class Child:
    """One I/O process. It belongs to one event loop."""

    sizes: Final = Sizes()

    def __init__(
        self,
        engine: LiveEngine,
        beginning: Beginning,
        sockets: Sequence[socket.socket],
        shared: SharedState,
    ) -> None:
        """Starts it.

        Raises:
            UnavailableError: the system starts no process, or gives no memory.
        """
        self._name, self._shared = beginning.name, shared
        self._loop = asyncio.get_running_loop()
        self._ready: asyncio.Future[list[str]] = self._loop.create_future()
        self._gone = asyncio.Event()
        ours, theirs = socket.socketpair()
        memory = shared_memory.make(beginning.sizes.bytes)
        descriptors = [theirs.fileno(), memory, *(each.fileno() for each in sockets)]
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", _PROGRAM, *map(str, descriptors)],
                stdin=subprocess.DEVNULL,
                pass_fds=descriptors,
            )
        except OSError as error:
            ours.close()
            os.close(memory)
            raise UnavailableError(f"an I/O process cannot be started: {error}") from error
        finally:
            theirs.close()
        self.link: Final = Link(ours, self._name)
        audio = AudioMemory(shared_memory.mapped(memory), beginning.sizes)
        self._host = EngineHost(engine, self.link, audio)
        self.link.start(Ends(self._take, self._answer, self._end))
        self.link.tell(Frame(Kind.BEGIN, value=plain(beginning)))
        shared.joined(self._name, self.link)

    @property
    def pid(self) -> int:
        """Of the process."""
        return self._process.pid

    async def ready(self) -> list[str]:
        """The addresses at which it accepts; waits for them.

        Raises:
            UnavailableError: it has ended before.
        """
        gone = asyncio.create_task(self.ended())
        either: set[asyncio.Future[Any]] = {gone, self._ready}
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        if not self._ready.done():
            raise UnavailableError(
                f"an I/O process did not start (exit code {gone.result()}); the lines before say "
                "why"
            )
        gone.cancel()
        return self._ready.result()

    async def ended(self) -> int:
        """Its exit code; waits for the end, which is that of its socket."""
        await self._gone.wait()
        return await asyncio.to_thread(self._wait)

    async def kill(self) -> None:
        """Ends it at once."""
        with suppress(OSError):
            self._process.kill()
        self.link.close()
        await self.ended()

    def _wait(self) -> int:
        try:
            return self._process.wait(5.0)
        except subprocess.TimeoutExpired:
            # It has closed its socket, or reads nothing, and is of no use.
            self._process.kill()
            return self._process.wait()

    def _take(self, frame: Frame) -> None:
        if frame.kind is Kind.READY:
            addresses = [str(each) for each in frame.value]
            self._loop.call_soon_threadsafe(self._tell_ready, addresses)
        elif frame.kind is Kind.FREE:
            self._shared.free(self._name, frame.number)
        else:
            self._host.take(frame)

    def _tell_ready(self, addresses: list[str]) -> None:
        if not self._ready.done():
            self._ready.set_result(addresses)

    def _answer(self, name: str, value: Any, blob: bytes) -> Answer:  # noqa: ANN401
        if self._host.knows(name):
            return self._host.answer(name, value, blob)
        return self._shared.answer(self._name, name, value), b""

    def _end(self) -> None:
        self._host.gone()
        self._shared.left(self._name, self.link)
        with suppress(RuntimeError):  # the loop is closed
            self._loop.call_soon_threadsafe(self._gone.set)
