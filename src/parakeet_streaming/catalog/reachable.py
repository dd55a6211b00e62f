"""A call over the network in; its answer, or within moments that the host cannot be reached, out.

A client that tries again and again tells of a missing network after half a minute. A connection
to the host is tried here beside the call, and what is known first counts.

Rules of this file:

1. Where a proxy is set, it is what must be reached.
2. All addresses of a host are tried at once: one of two kinds of networks may be broken.
3. The call's own messages on standard error are dropped: the error says it in one line.
"""

from __future__ import annotations

import errno
import logging
import os
import selectors
import socket
import threading
import time
import urllib.request
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

REACHED_WITHIN_S: Final = 1.2
"""For a look-up and a connection."""
ANSWERED_WITHIN_S: Final = 10.0
"""For the whole call."""

_GRACE_S: Final = 0.3
"""For a call that gets its answer in another way than by a connection from here."""
_UNDER_WAY: Final = (0, errno.EINPROGRESS, errno.EWOULDBLOCK)
_Answer = TypeVar("_Answer")


def answer_or_unreachable(
    call: Callable[[], _Answer],
    url: str,
    logger: str,
    *,
    reached_within_s: float = REACHED_WITHIN_S,
    answered_within_s: float = ANSWERED_WITHIN_S,
) -> _Answer:
    """What `call` gives or raises.

    Args:
        call: asks the host of `url`.
        url: where the host is.
        logger: name of the logger whose messages of this call are dropped.
        reached_within_s: for a look-up and a connection.
        answered_within_s: for the call.

    Raises:
        ConnectionError: the host cannot be reached, or does not answer; the message has the reason.
    """
    race = _Race()
    quiet = _Quiet(logger)
    thread = threading.Thread(target=race.call, args=(call, quiet), daemon=True)
    thread.start()
    threading.Thread(target=race.connect, args=(url, reached_within_s), daemon=True).start()
    race.wait(reached_within_s)
    if not race.ended and race.reason:
        race.wait(_GRACE_S, over=True)
    if not race.ended and race.connected:
        race.wait(answered_within_s - reached_within_s, over=True)
    if race.ended:
        if race.error is not None:
            raise race.error
        return race.answer  # type: ignore[no-any-return]
    host = urlsplit(url).hostname
    if race.connected:
        raise ConnectionError(f"{host} does not answer within {answered_within_s:g} s")
    raise ConnectionError(f"{host} cannot be reached ({race.reason or 'no connection'})")


class _Race:
    """A call and a connection; the first that ends is waited for."""

    def __init__(self) -> None:
        self.ended = False
        self.answer: Any = None
        self.error: BaseException | None = None
        self.connected = False
        self.reason = ""
        self._known = threading.Condition()

    def call(self, call: Callable[[], object], quiet: _Quiet) -> None:
        with quiet:
            try:
                self.answer = call()
            except BaseException as error:  # raised again where it is waited for
                self.error = error
        with self._known:
            self.ended = True
            self._known.notify_all()

    def connect(self, url: str, within_s: float) -> None:
        reason = unreachable(url, within_s)
        with self._known:
            self.connected, self.reason = reason is None, reason or ""
            self._known.notify_all()

    def wait(self, seconds: float, *, over: bool = False) -> None:
        """Until the call has ended, or (if not `over`) the connection is known, or time is up."""

        def known() -> bool:
            return self.ended or (not over and (self.connected or bool(self.reason)))

        with self._known:
            self._known.wait_for(known, seconds)


class _Quiet(logging.Filter):
    """Drops what one thread writes to a logger's handlers."""

    def __init__(self, logger: str) -> None:
        super().__init__()
        self._handlers = tuple(logging.getLogger(logger).handlers)
        self._thread: int | None = None

    def filter(self, record: logging.LogRecord) -> bool:
        return record.thread != self._thread

    def __enter__(self) -> None:
        self._thread = threading.get_ident()
        for handler in self._handlers:
            handler.addFilter(self)

    def __exit__(self, *_: object) -> None:
        for handler in self._handlers:
            handler.removeFilter(self)


def unreachable(url: str, within_s: float = REACHED_WITHIN_S) -> str | None:
    """Why the host of `url`, or the proxy before it, takes no connection; None if it does."""
    until_s = time.monotonic() + within_s
    try:
        host, port = _first_hop(url)
        addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, ValueError) as error:
        return _said(error)
    with selectors.DefaultSelector() as waiting, ExitStack() as sockets:
        reason = "no connection"
        for family, kind, protocol, _, address in addresses:
            try:
                opened = sockets.enter_context(socket.socket(family, kind, protocol))
                opened.setblocking(False)
                code = opened.connect_ex(address)
            except OSError as error:
                reason = _said(error)
                continue
            if code in _UNDER_WAY:
                waiting.register(opened, selectors.EVENT_WRITE, opened)
            else:
                reason = os.strerror(code)
        while waiting.get_map() and (left_s := until_s - time.monotonic()) > 0:
            for key, _ in waiting.select(left_s):
                code = key.data.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                if code == 0:
                    return None
                reason = os.strerror(code)
                waiting.unregister(key.fileobj)
        return f"no connection within {within_s:g} s" if waiting.get_map() else reason


def _first_hop(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    host = parts.hostname or ""
    proxies = urllib.request.getproxies()
    proxy = proxies.get(parts.scheme) or proxies.get("all")
    if proxy and not urllib.request.proxy_bypass(host):
        parts = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
        host = parts.hostname or ""
    return host, parts.port or (80 if parts.scheme == "http" else 443)


def _said(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
