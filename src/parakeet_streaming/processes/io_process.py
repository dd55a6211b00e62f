"""A socket to the engine's process, shared memory and listening sockets in; a server, out.

`python -m parakeet_streaming.processes.io_process CONTROL MEMORY LISTENING...`: descriptors that
the engine's process has opened. `supervising.py` starts it.

Rules of this file:

1. It is the server that `server/serving.py` runs, with all protocols; its engine is elsewhere.
2. It ends when it is told to, and drains then; and when the engine's process is gone, whatever the
   reason: its clients are told, and then it ends, too.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from collections.abc import Awaitable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from parakeet_streaming.errors import ParakeetError, UnavailableError, UsageError
from parakeet_streaming.processes.audio_memory import AudioMemory, Sizes
from parakeet_streaming.processes.frames import Frame, Kind
from parakeet_streaming.processes.link import Answer, Ends, Link
from parakeet_streaming.processes.remote_engine import RemoteEngine
from parakeet_streaming.processes.shared_memory import mapped
from parakeet_streaming.processes.siblings import SharedPlaces, Siblings, unpacked_secret
from parakeet_streaming.processes.values import value_of
from parakeet_streaming.server import composition, logs, serving
from parakeet_streaming.server.addresses import tls_context
from parakeet_streaming.server.doors.health import own_text
from parakeet_streaming.server.service import LoadedModel, Service
from parakeet_streaming.server.settings import Settings

ENGINE_GONE: Final = 3
"""The exit code, where the engine's process is gone."""
_BEGINS_WITHIN_S: Final = 60.0
_CALL_S: Final = 8.0
"""Until a call has ended, with its last words."""
_LAST_WORDS_S: Final = 5.0
"""For clients, where the engine is gone."""


@dataclass(frozen=True, slots=True)
class Beginning:
    """What a process is told first."""

    name: str
    settings: Settings
    model: LoadedModel
    sizes: Sizes


class IoProcess:
    """What the engine's process tells this one, and asks it. Any thread."""

    def __init__(self) -> None:
        self.beginning: Future[Beginning] = Future()
        self.engine: RemoteEngine | None = None
        self.service: Service | None = None
        self.exit_code = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._drain_s: asyncio.Future[float] | None = None

    def take(self, frame: Frame) -> None:
        """A message."""
        if frame.kind is Kind.BEGIN:
            self.beginning.set_result(value_of(Beginning, frame.value))
        elif frame.kind is Kind.DRAIN:
            self._drain(float(frame.value))
        elif self.engine is not None:
            self.engine.take(frame)

    def answer(self, name: str, value: Any, _: bytes) -> Answer:  # noqa: ANN401
        """A question.

        Raises:
            UsageError: there is no such question.
        """
        service = self.service
        if service is None:
            raise UnavailableError("this I/O process does not accept yet")
        if name == "metrics":
            service.metrics.load.set(float(value))
            service.metrics.draining.set(float(service.drain.draining))
            return own_text(service.metrics), b""
        if name == "sockets":
            return round(service.metrics.open_sockets.value), b""
        if name == "know":
            service.access.know(unpacked_secret(value, service.clock()))
            return None, b""
        if name == "end call":
            return self._end_call(service, value), b""
        raise UsageError(f"no question {name!r}")

    def end(self) -> None:
        """The engine's process is gone."""
        if not self.beginning.done():
            self.beginning.set_exception(EOFError("the engine's process is gone"))
        if self.engine is not None:
            self.engine.end()
        self.exit_code = self.exit_code or ENGINE_GONE
        self._drain(_LAST_WORDS_S)

    async def until(self, asked: asyncio.Event) -> float:
        """Comes back when it is to drain, with the seconds for that."""
        loop = self._loop = asyncio.get_running_loop()
        self._drain_s = loop.create_future()
        if self.exit_code:
            return _LAST_WORDS_S
        waits = asyncio.create_task(asked.wait())
        either: set[asyncio.Future[Any]] = {waits, self._drain_s}
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        waits.cancel()
        if self._drain_s.done():
            return self._drain_s.result()
        return self.beginning.result().settings.drain_s

    def _end_call(self, service: Service, value: Any) -> bool:  # noqa: ANN401
        call, owner = value
        if service.end_call_here is None or self._loop is None:
            return False
        ending = service.end_call_here(str(call), str(owner))
        return asyncio.run_coroutine_threadsafe(_awaited(ending), self._loop).result(_CALL_S)

    def _drain(self, seconds: float) -> None:
        loop, future = self._loop, self._drain_s
        if loop is not None and future is not None:
            with suppress(RuntimeError):  # the loop is closed: it drains already
                loop.call_soon_threadsafe(_settle, future, seconds)


def main(arguments: Sequence[str]) -> int:
    """Runs until it is to end; the exit code."""
    control, memory, *listening = (int(each) for each in arguments)
    # Ctrl-C of a terminal is the parent's, who tells all.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    process = IoProcess()
    link = Link(socket.socket(fileno=control), "engine", prompt=True)
    link.start(Ends(process.take, process.answer, process.end))
    try:
        beginning = process.beginning.result(_BEGINS_WITHIN_S)
    except EOFError:
        return ENGINE_GONE
    settings = beginning.settings
    process.engine = RemoteEngine(link, AudioMemory(mapped(memory), beginning.sizes))
    sockets = [socket.socket(fileno=each) for each in listening]
    with logs.written(
        settings.log_format,
        settings.log_level,
        log_text=settings.log_text,
        replica=beginning.name,
    ):
        try:
            serving.run_loop(partial(_serve, process, link, beginning, sockets))
        except ParakeetError as error:
            logs.announce(f"error: {error}")
            process.exit_code = process.exit_code or 1
    link.flush()
    return process.exit_code


async def _serve(
    process: IoProcess, link: Link, beginning: Beginning, sockets: Sequence[socket.socket]
) -> None:
    settings = beginning.settings
    assert process.engine is not None, "it is there before the loop"
    keys = composition.read_keys(settings)
    service = composition.make_service(process.engine, beginning.model, settings, keys)
    service.sockets, service.uploads = (SharedPlaces(each, link) for each in ("sockets", "uploads"))
    service.replicas = Siblings(link)
    for each in (await asyncio.to_thread(link.ask, "secrets"))[0]:
        service.access.know(unpacked_secret(each, service.clock()))
    process.service = service
    tls = tls_context(settings.tls_cert, settings.tls_key)
    asked = serving.signals((signal.SIGTERM,))

    def ready(addresses: Sequence[str]) -> None:
        link.tell(Frame(Kind.READY, value=list(addresses)))

    await serving.run(service, settings, sockets, tls, ready, partial(process.until, asked))


async def _awaited(value: Awaitable[bool]) -> bool:
    return await value


def _settle(future: asyncio.Future[float], seconds: float) -> None:
    if not future.done():
        future.set_result(seconds)


if __name__ == "__main__":
    code = main(sys.argv[1:])
    sys.stdout.flush()
    # Threads of the link may still hold what the interpreter is about to free.
    os._exit(code)
