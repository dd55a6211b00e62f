"""An application in; the same application, which writes a line for each HTTP request, out.

The path is written without its query, in which clients may put keys. Requests that watch the
server, and for what the page consists of, are written on the level of debug. Sockets are written by
`dialogue.py`.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final

_LOG: Final = logging.getLogger("parakeet_streaming.server.requests")

_WATCHING: Final = frozenset({"/healthz", "/readyz", "/metrics"})
_PAGE: Final = "/page/"
_MOST_CHARACTERS: Final = 200

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]


def logged(application: Application, clock: Callable[[], float] = time.monotonic) -> Application:
    """The application, whose requests are written into the log as they end."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await application(scope, receive, send)
            return
        begun_s, status = clock(), 0

        async def sent(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await application(scope, receive, sent)
        finally:
            _write(scope, status, 1000 * (clock() - begun_s))

    return answer


def _write(scope: Scope, status: int, ms: float) -> None:
    path, client = scope["path"], scope.get("client")
    fields = {
        "method": scope["method"],
        "path": path[:_MOST_CHARACTERS],
        "status": status,
        "ms": round(ms, 1),
        "address": "" if client is None else client[0],
    }
    minor = path in _WATCHING or path.startswith(_PAGE)
    _LOG.log(logging.DEBUG if minor else logging.INFO, "request", extra=fields)
