"""An address in; a connection out, or the error why there is none. Only here is websockets."""

from __future__ import annotations

import os
import ssl as tls
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException

from parakeet_streaming.client.failures import of_refusal
from parakeet_streaming.errors import ServerError

_PING_S: Final = 20.0
_PONG_WITHIN_S: Final = 90.0
"""A ping waits behind audio for which a busy server has no room yet."""
_CLOSE_S: Final = 2.0
_MOST_BYTES: Final = 1 << 26
"""Of one message: an utterance of an hour, with all its words and tokens."""


@dataclass(frozen=True, slots=True)
class Way:
    """How servers are reached."""

    timeout_s: float
    proxy: str | bool
    """True for what the environment says, False for none, or the address of one."""
    tls_context: tls.SSLContext | None


class ClosedError(Exception):
    """The connection has ended, with this code and these words."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(code, reason)
        self.code, self.reason = code, reason


class Connection:
    """One WebSocket that is open."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection

    @classmethod
    async def open(cls, url: str, headers: Mapping[str, str], way: Way) -> Connection:
        """Connects.

        Raises:
            AccessError, CapacityError, OptionError: the server has refused, and says why.
            ServerError: it cannot be reached, or is no such server.
        """
        parts = urlsplit(url)
        where = f"{parts.scheme}://{parts.netloc}"
        try:
            connection = await connect(
                url,
                additional_headers=dict(headers),
                compression=None,
                open_timeout=way.timeout_s,
                ping_interval=_PING_S,
                ping_timeout=_PONG_WITHIN_S,
                close_timeout=_CLOSE_S,
                max_size=_MOST_BYTES,
                proxy=None if way.proxy is False else way.proxy,
                ssl=(way.tls_context or True) if parts.scheme == "wss" else None,
            )
        except InvalidStatus as refused:
            reply = refused.response
            retry = reply.headers.get("Retry-After")
            raise of_refusal(
                reply.status_code, bytes(reply.body or b""), retry, parts.path
            ) from None
        except TimeoutError:
            raise ServerError(f"{where} did not answer within {way.timeout_s:g} s") from None
        except (OSError, WebSocketException, ImportError) as error:
            raise ServerError(f"{where} cannot be reached: {_in_words(error)}") from error
        return cls(connection)

    async def send(self, message: str | bytes) -> None:
        """Sends; waits while the server has no room.

        Raises:
            ClosedError: it has ended.
        """
        try:
            await self._connection.send(message)
        except ConnectionClosed as closed:
            raise self._closed(closed) from None

    async def receive(self) -> str | bytes:
        """The next message.

        Raises:
            ClosedError: there is none.
        """
        try:
            return await self._connection.recv()
        except ConnectionClosed as closed:
            raise self._closed(closed) from None

    async def close(self) -> None:
        """Ends it, at once where nobody waits for that any more."""
        try:
            await self._connection.close()
        finally:
            self.abort()

    def abort(self) -> None:
        """Ends it without a word."""
        self._connection.transport.abort()

    def _closed(self, closed: ConnectionClosed) -> ClosedError:
        frame = closed.rcvd
        if frame is not None:
            return ClosedError(frame.code, frame.reason)
        sent = closed.sent
        if sent is not None and "ping" in sent.reason:
            return ClosedError(1006, "it did not answer any more")
        return ClosedError(1006, "")


def _in_words(error: BaseException) -> str:
    if isinstance(error, tls.SSLCertVerificationError):
        return f"its certificate is not trusted ({error.verify_message})"
    if isinstance(error, OSError) and error.errno is not None and error.errno > 0:
        return os.strerror(error.errno)
    cause = error.__cause__
    return str(cause if cause is not None and not str(error) else error) or type(error).__name__
