"""Settings in; one replica, an application with its engine inside, out. It knows nothing of Ray.

Rules of this file:

1. It belongs to one event loop.
2. What is inside is counted here, as nobody else knows when the last client has gone.
3. What stands in front hands on messages as fast as they come, however many wait. So they are not
   read on while some wait.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from typing import Any, Final, Self

from parakeet_streaming.cluster.scaling import FULLNESS, fullness
from parakeet_streaming.errors import EngineFailedError
from parakeet_streaming.live.admission import MOST_LOAD
from parakeet_streaming.live.engine import LiveEngine
from parakeet_streaming.server import composition, logs
from parakeet_streaming.server.access import Secret
from parakeet_streaming.server.doors.health import metrics_of
from parakeet_streaming.server.logs import Lines
from parakeet_streaming.server.request_log import Application, Message, Receive, Scope, Send
from parakeet_streaming.server.service import Replicas, Service
from parakeet_streaming.server.serving import allow_many_sockets
from parakeet_streaming.server.settings import Settings

_CLOSING_S: Final = 2.0
"""Of the time for draining, what is left for sockets that have not ended by themselves."""
_LOOKED_AT_EVERY_S: Final = 0.25
_MOST_WAITING: Final = 32
"""Messages of one connection that are read and not taken."""
_WAITS_S: Final = 0.005


@dataclass(frozen=True, slots=True)
class Census:
    """Who is inside."""

    sockets: int
    requests: int
    """Sockets included."""


class Replica:
    """See the module."""

    def __init__(self, engine: LiveEngine, service: Service, settings: Settings) -> None:
        self._engine, self.service, self._settings = engine, service, settings
        self._requests = 0
        self._open = ExitStack()
        self._watching: asyncio.Task[None] | None = None
        self.application: Final[Application] = self._counted(
            composition.make_application(service, settings)
        )

    @classmethod
    async def open(
        cls,
        settings: Settings,
        replicas: Replicas | None = None,
        log: Lines | None = None,
        name: str = "",
    ) -> Self:
        """Loads the model, and measures what steps take.

        Args:
            settings: as of a server that is alone.
            replicas: those like this one.
            log: where its lines go; standard error by default.
            name: whose lines they are.

        Raises:
            OptionError: settings that do not go together.
            ParakeetError: as in `load`.
        """
        keys = composition.read_keys(settings)
        opened = ExitStack()
        opened.enter_context(
            logs.written(
                settings.log_format,
                settings.log_level,
                log_text=settings.log_text,
                stream=log,
                replica=name,
            )
        )
        try:
            allow_many_sockets()
            loaded = await asyncio.to_thread(composition.load_all, settings)
            engine = composition.make_engine(loaded, settings)
            await engine.__aenter__()
            model = composition.model_of(loaded, settings)
            service = composition.make_service(engine, model, settings, keys)
            service.replicas = replicas
            made = cls(engine, service, settings)
        except BaseException:
            opened.close()
            raise
        made._open = opened
        return made

    def drain(self, seconds: float) -> None:
        """Lets nobody in; those inside are told to go within so many seconds. Once is enough."""
        service = self.service
        if not service.drain.draining:
            closing_s = min(_CLOSING_S, seconds / 2)
            service.drain.begin(service.clock() + seconds - closing_s)

    def drain_when(self, is_stopping: Callable[[], bool]) -> None:
        """Drains by itself as soon as that is so."""

        async def watch() -> None:
            while not is_stopping():
                await asyncio.sleep(_LOOKED_AT_EVERY_S)
            self.drain(self._settings.drain_s)

        self._watching = asyncio.create_task(watch())

    def census(self) -> Census:
        """Who is inside now."""
        return Census(round(self.service.metrics.open_sockets.value), self._requests)

    async def metrics(self) -> str:
        """What this replica counts, in Prometheus's text."""
        return await metrics_of(self.service)

    def scaling_numbers(self) -> Mapping[str, float]:
        """What decides how many replicas are wanted."""
        stats, most = self._engine.stats(), self._settings.max_streams
        return {FULLNESS: fullness(stats.active_streams, most, stats.load, MOST_LOAD)}

    def secrets(self) -> list[tuple[Secret, float]]:
        """Short-lived keys, each with the seconds for which it is valid."""
        now_s = self.service.clock()
        return [(each, each.expires_s - now_s) for each in self.service.access.secrets(now_s)]

    def know(self, secret: Secret, lasts_s: float) -> None:
        """Takes a short-lived key that another replica has made, whose clock is another one."""
        self.service.access.know(replace(secret, expires_s=self.service.clock() + lasts_s))

    def check(self) -> None:
        """Raises what says that this replica is of no use any more.

        Raises:
            EngineFailedError: its engine has broken.
        """
        if self._engine.failure is not None:
            raise EngineFailedError(f"the engine has broken: {self._engine.failure}")

    async def close(self) -> None:
        """Ends what is left."""
        if self._watching is not None:
            self._watching.cancel()
            with suppress(asyncio.CancelledError):
                await self._watching
        await self._engine.close_async(drain=False)
        self._open.close()

    def _counted(self, application: Application) -> Application:
        async def answer(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] == "lifespan":
                await application(scope, receive, send)
                return
            self._requests += 1
            try:
                await application(scope, read_in_time(receive), send)
            finally:
                self._requests -= 1

        return answer


def read_in_time(receive: Any) -> Receive:  # noqa: ANN401
    """Bounds how many messages of a connection wait.

    Ray reads a connection into a queue without a bound: a client that sends a day of sound at once
    would have all of it in memory. Its reading is made to wait for the queue. What is no such queue
    is left as it is.
    """
    inner = getattr(receive, "_receive", None)
    if inner is not None and hasattr(receive, "queue"):

        async def patient() -> Message:
            while receive.queue.qsize() >= _MOST_WAITING:
                await asyncio.sleep(_WAITS_S)
            message: Message = await inner()
            return message

        receive._receive = patient
    taken: Receive = receive
    return taken
