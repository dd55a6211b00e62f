"""`parakeet serve --io-processes N`: settings in; one engine behind N processes of sockets, out.

Rules of this file:

1. The engine is in this process, which has no client's socket. I/O processes are its children: when
   it is gone, they tell their clients and end.
2. A child that ends before it was told to is started again, later each time; its streams are over,
   those of others go on.
3. The first SIGINT or SIGTERM drains all children, each as a server that is alone; a second one
   ends this process at once, and so all of them.
"""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import socket
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from parakeet_streaming.errors import OptionError, UnavailableError
from parakeet_streaming.live.engine import LiveEngine
from parakeet_streaming.processes import listening
from parakeet_streaming.processes.child import Child
from parakeet_streaming.processes.collector import collecting_seldom
from parakeet_streaming.processes.frames import Frame, Kind
from parakeet_streaming.processes.io_process import Beginning
from parakeet_streaming.processes.shared_state import SharedState
from parakeet_streaming.server import composition, logs, serving
from parakeet_streaming.server.addresses import tls_context, watch
from parakeet_streaming.server.composition import Loaded
from parakeet_streaming.server.service import LoadedModel
from parakeet_streaming.server.settings import Settings

_LOG: Final = logging.getLogger("parakeet_streaming.server")
_AGAIN_AFTER_S: Final = (0.0, 1.0, 2.0, 5.0, 10.0, 30.0)
"""Before a process is started again that did not last."""
_LASTED_S: Final = 60.0
_STARTS_WITHIN_S: Final = 120.0
_GRACE_S: Final = 3.0
"""After the time for draining, before children that are left are killed."""


def serve(settings: Settings) -> None:
    """Runs the server; comes back when it has drained.

    Raises:
        OptionError: settings that do not go together.
        AddressError: the port is in use.
        UnavailableError: the I/O processes do not start.
        ParakeetError: as in `load`.
    """
    if os.name != "posix":
        raise OptionError(
            "--io-processes needs Linux or macOS; leave it at 1, or use --replicas for more"
        )
    settings = with_keys(settings)
    serving.check_reach(settings, composition.read_keys(settings))
    tls_context(settings.tls_cert, settings.tls_key)
    sockets = listening.bind_each(settings.host, settings.port, settings.io_processes)
    for each in sockets:
        watch(each, settings.ping_s, settings.ping_timeout_s)
    try:
        loaded = composition.load_all(settings)
        with (
            logs.written(
                settings.log_format,
                settings.log_level,
                log_text=settings.log_text,
                replica="engine",
            ),
            collecting_seldom(),
        ):
            serving.run_loop(partial(_serve, settings, loaded, sockets))
    finally:
        listening.close(sockets)


def with_keys(settings: Settings) -> Settings:
    """All keys in the settings themselves, so that each process has the same.

    Raises:
        OptionError: a file of keys cannot be read.
    """
    keys = composition.read_keys(settings)
    signing = composition.checkpoint_key_lines(settings) or [secrets.token_hex(32)]
    return replace(
        settings,
        api_key=tuple(f"{name}:{key}" for name, key in keys.items()),
        api_key_file=None,
        checkpoint_key=tuple(signing),
        checkpoint_key_file=None,
    )


async def _serve(
    settings: Settings, loaded: Loaded, sockets: Sequence[Sequence[socket.socket]]
) -> None:
    async with composition.make_engine(loaded, settings) as engine:
        asked = serving.signals()
        supervisor = Supervisor(engine, settings, composition.model_of(loaded, settings), sockets)
        try:
            addresses = await supervisor.start()
            serving.announce_ready(addresses)
            await asked.wait()
            # What is not accepted yet must not wait in sockets of processes that have ended.
            listening.close(sockets)
            await supervisor.drain(settings.drain_s)
        finally:
            await supervisor.end()
            await engine.close_async(drain=False)


@dataclass(slots=True)
class _Place:
    """Of one I/O process after another."""

    name: str
    settings: Settings
    sockets: Sequence[socket.socket]
    child: Child | None = None
    tries: int = 0


class Supervisor:
    """The I/O processes of one engine. It belongs to one event loop."""

    def __init__(
        self,
        engine: LiveEngine,
        settings: Settings,
        model: LoadedModel,
        sockets: Sequence[Sequence[socket.socket]],
    ) -> None:
        self._engine, self._model = engine, model
        self._draining = False
        self._shared = SharedState(engine, settings.limits)
        # One of them has the port of a protocol that is not HTTP.
        others = replace(settings, wyoming_port=None, wyoming_announce=False)
        self._places = [
            _Place(f"io-{number}", settings if number == 0 else others, each)
            for number, each in enumerate(sockets)
        ]
        self._watching: list[asyncio.Task[None]] = []

    @property
    def processes(self) -> Mapping[str, int]:
        """The ids of those that run, by name."""
        return {place.name: place.child.pid for place in self._places if place.child is not None}

    async def start(self) -> list[str]:
        """Starts all; the addresses at which they accept.

        Raises:
            UnavailableError: one does not start.
        """
        children = [self._started(place) for place in self._places]
        found: dict[str, None] = {}
        for child in children:
            try:
                async with asyncio.timeout(_STARTS_WITHIN_S):
                    found |= dict.fromkeys(await child.ready())
            except TimeoutError:
                raise UnavailableError(
                    f"an I/O process did not accept within {_STARTS_WITHIN_S:g} s; start the "
                    "server with fewer --io-processes"
                ) from None
        self._watching = [asyncio.create_task(self._watch(place)) for place in self._places]
        return list(found)

    async def drain(self, seconds: float) -> None:
        """Waits until all have drained, or the time is over."""
        self._draining = True
        children = [place.child for place in self._places if place.child is not None]
        _LOG.info("draining: %d I/O processes, for %g s at most", len(children), seconds)
        for child in children:
            child.link.tell(Frame(Kind.DRAIN, value=seconds))
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds + _GRACE_S):
                await asyncio.gather(*(child.ended() for child in children))

    async def end(self) -> None:
        """Ends what is left."""
        self._draining = True
        for task in self._watching:
            task.cancel()
        await asyncio.gather(*self._watching, return_exceptions=True)
        for place in self._places:
            if place.child is not None:
                await place.child.kill()

    def _started(self, place: _Place) -> Child:
        beginning = Beginning(place.name, place.settings, self._model, Child.sizes)
        place.child = Child(self._engine, beginning, place.sockets, self._shared)
        return place.child

    async def _watch(self, place: _Place) -> None:
        """Starts a process again whenever it has ended."""
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        while place.child is not None:
            code = await place.child.ended()
            if self._draining:
                return
            place.tries = 0 if loop.time() - began_s > _LASTED_S else place.tries + 1
            wait_s = _AGAIN_AFTER_S[min(place.tries, len(_AGAIN_AFTER_S)) - 1 if place.tries else 0]
            _LOG.error(
                "the I/O process %s has ended (%s); its streams are over, and another one starts "
                "in %g s",
                place.name,
                told_code(code),
                wait_s,
            )
            await asyncio.sleep(wait_s)
            began_s = loop.time()
            if not self._draining:
                self._started(place)


def told_code(code: int) -> str:
    """An exit code in words."""
    return f"signal {-code}" if code < 0 else f"exit code {code}"
