"""Settings in; a server that runs until it is told to end, out. Alone imports uvicorn.

Rules of this file:

1. What can be wrong is told before the model is loaded; nobody can connect before it is.
2. The first SIGINT or SIGTERM drains: doors refuse newcomers with 503, as `/readyz` answers, and
   sockets say their last words. The port is closed when all have gone, or when the time is over.
3. A second signal ends the process at once.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import socket
import ssl
import time
from collections.abc import Awaitable, Callable, Coroutine, Generator, Mapping, Sequence
from typing import Any, Final

import uvicorn

from parakeet_streaming.errors import OptionError
from parakeet_streaming.server import composition, logs
from parakeet_streaming.server.addresses import (
    AddressError,
    bind,
    is_loopback,
    tls_context,
    urls,
    watch,
)
from parakeet_streaming.server.bounded_socket import BoundedSocket
from parakeet_streaming.server.composition import Listener, Loaded
from parakeet_streaming.server.request_log import Application
from parakeet_streaming.server.service import Service
from parakeet_streaming.server.settings import Settings

_LOG: Final = logging.getLogger("parakeet_streaming.server")

ENDS: Final = (signal.SIGINT, signal.SIGTERM)
_INTERRUPTED: Final = 130
_SAME_S: Final = 0.1
"""Programs that run others pass on a Ctrl-C that the terminal has sent to both: it is one."""
_CLOSING_S: Final = 2.0
"""Of the time for draining, what is left for sockets that have not ended by themselves."""
_LOOKED_AT_EVERY_S: Final = 0.05
_KEEP_ALIVE_S: Final = 75
"""Longer than clients keep connections that they do not use, so that they close them, not we."""
_TICKS_A_SECOND: Final = 10
_MOST_FILES: Final = 65_536
_HEADER_BYTES: Final = 65_536
_ROOM_BYTES: Final = 65_536
"""Messages are refused by the door's own answer, as long as they are not much above the limit."""


def serve(settings: Settings) -> None:
    """Runs the server; comes back when it has drained.

    Raises:
        OptionError: settings that do not go together.
        AddressError: the port is in use.
        ParakeetError: as in `load`.
    """
    keys = composition.read_keys(settings)
    check_reach(settings, keys)
    tls = tls_context(settings.tls_cert, settings.tls_key)
    sockets = bind(settings.host, settings.port)
    watch(sockets, settings.ping_s, settings.ping_timeout_s)
    try:
        loaded = composition.load_all(settings)
        with logs.written(settings.log_format, settings.log_level, log_text=settings.log_text):
            run_loop(lambda: _serve(settings, keys, loaded, sockets, tls))
    finally:
        for each in sockets:
            each.close()


def run_loop(main: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Runs it in an event loop that is made for many sockets."""
    allow_many_sockets()
    factory = uvicorn.Config("", log_config=None).get_loop_factory()
    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(main())


def check_reach(settings: Settings, keys: Mapping[str, str]) -> None:
    """Refuses to be open to others without a key.

    Raises:
        OptionError: others can reach it.
    """
    if not keys and not settings.no_auth and not is_loopback(settings.host):
        raise OptionError(
            f"others can reach --host {settings.host}: give it a key with --api-key or "
            "--api-key-file (or --no-auth, if anybody may use it)"
        )


async def _serve(
    settings: Settings,
    keys: dict[str, str],
    loaded: Loaded,
    sockets: Sequence[socket.socket],
    tls: ssl.SSLContext | None,
) -> None:
    async with composition.make_engine(loaded, settings) as engine:
        model = composition.model_of(loaded, settings)
        service = composition.make_service(engine, model, settings, keys)
        asked = signals()

        async def until() -> float:
            await asked.wait()
            return settings.drain_s

        try:
            await run(service, settings, sockets, tls, announce_ready, until)
        finally:
            # What is left belongs to nobody any more.
            await engine.close_async(drain=False)


def announce_ready(addresses: Sequence[str]) -> None:
    """One line that programs wait for, whatever the format of the log."""
    logs.announce(f"ready {' '.join(addresses)}")


async def run(
    service: Service,
    settings: Settings,
    sockets: Sequence[socket.socket],
    tls: ssl.SSLContext | None,
    ready: Callable[[Sequence[str]], None],
    until: Callable[[], Awaitable[float]],
) -> None:
    """Lets clients in until it is time to drain, and drains.

    Args:
        service: what all doors get.
        settings: of the server.
        sockets: where it listens.
        tls: for those who come by it alone.
        ready: is given its addresses, once it accepts.
        until: comes back when it is to drain, with the seconds for that.

    Raises:
        AddressError: a listener cannot listen.
    """
    application = composition.make_application(service, settings)
    server = _Server(_configuration(application, settings, tls), settings.request_s)
    running = asyncio.create_task(server.serve(list(sockets)))
    listeners = composition.make_listeners(service, settings)
    try:
        await server.accepting.wait()
        addresses = urls("http" if tls is None else "https", sockets)
        for listener in listeners:
            addresses.append(await _started(listener))
        ready(addresses)
        drain_s = await until()
        await _drain(service, server, drain_s)
    finally:
        server.should_exit = True
        await running
        for listener in listeners:
            await listener.close()


async def _started(listener: Listener) -> str:
    try:
        return await listener.start()
    except OSError as error:
        raise AddressError(f"cannot listen: {error.strerror or error}") from None


async def _drain(service: Service, server: _Server, drain_s: float) -> None:
    """Lets nobody in, and waits until those inside have gone or the time is over."""
    now_s = service.clock()
    closing_s = min(_CLOSING_S, drain_s / 2)
    count = len(server.server_state.tasks)
    _LOG.info("draining: %d open, for %g s at most; Ctrl-C once more ends them", count, drain_s)
    service.drain.begin(now_s + drain_s - closing_s)

    def is_empty() -> bool:
        # Calls, and sockets of other protocols, are no tasks of the HTTP server.
        return not server.server_state.tasks and service.metrics.open_sockets.value == 0

    while not is_empty() and service.clock() < now_s + drain_s:
        await asyncio.sleep(_LOOKED_AT_EVERY_S)


def signals(numbers: Sequence[signal.Signals] = ENDS) -> asyncio.Event:
    """Is set by the first signal; the second one ends the process."""
    asked, loop = asyncio.Event(), asyncio.get_running_loop()
    first_s = 0.0

    def came() -> None:
        nonlocal first_s
        if not asked.is_set():
            first_s = loop.time()
            asked.set()
        elif loop.time() - first_s > _SAME_S:
            os._exit(_INTERRUPTED)

    for number in numbers:
        if signal.getsignal(number) is signal.SIG_IGN:
            continue
        try:
            loop.add_signal_handler(number, came)
        except NotImplementedError:  # Windows
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(came))
    return asked


def _configuration(
    application: Application, settings: Settings, tls: ssl.SSLContext | None
) -> uvicorn.Config:
    limits = settings.limits
    return uvicorn.Config(
        application,
        # Its parser bounds the headers of a request; the faster one does not.
        http="h11",
        h11_max_incomplete_event_size=_HEADER_BYTES,
        ws=BoundedSocket,
        ws_max_size=limits.message_bytes + _ROOM_BYTES,
        ws_ping_interval=settings.ping_s,
        ws_ping_timeout=settings.ping_timeout_s,
        # Sound does not become smaller by it, and it costs memory for every socket.
        ws_per_message_deflate=False,
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=bool(settings.trusted_proxy),
        forwarded_allow_ips=list(settings.trusted_proxy),
        workers=1,
        timeout_keep_alive=_KEEP_ALIVE_S,
        timeout_graceful_shutdown=1,
        ssl_context_factory=None if tls is None else lambda *_: tls,
    )


class _Server(uvicorn.Server):
    """Uvicorn's server, which leaves signals to us, and ends connections that say nothing."""

    def __init__(self, config: uvicorn.Config, request_s: float) -> None:
        super().__init__(config)
        self.accepting = asyncio.Event()
        self._request_s = request_s
        self._silent_since_s: dict[object, float] = {}

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        self.accepting.set()

    async def on_tick(self, counter: int) -> bool:
        if counter % _TICKS_A_SECOND == 0:
            self._end_silent(time.monotonic())
        return await super().on_tick(counter)

    def _end_silent(self, now_s: float) -> None:
        """Ends connections whose request does not come."""
        before = self._silent_since_s
        silent = [each for each in self.server_state.connections if _is_silent(each)]
        self._silent_since_s = {each: before.get(each, now_s) for each in silent}
        for each in silent:
            if now_s - self._silent_since_s[each] >= self._request_s:
                each.transport.abort()


def _is_silent(connection: object) -> bool:
    """Whether a connection has begun no request, or not ended its headers."""
    if not hasattr(connection, "cycle"):
        return False  # a socket, which has its own limits
    cycle = connection.cycle
    if cycle is None:
        return True
    waits = getattr(connection, "timeout_keep_alive_task", None) is not None
    return bool(cycle.response_complete) and not waits


def allow_many_sockets() -> None:
    """Systems allow a program 1024 open files, and more for the asking."""
    try:
        import resource
    except ImportError:  # Windows
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, _MOST_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
