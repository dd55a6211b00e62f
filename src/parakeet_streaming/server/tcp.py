"""Connections of TCP in; what a dialogue talks over, out: `http.Socket` without HTTP.

Rules of this file:

1. Messages are bytes as they come, cut anywhere. The last one is empty: the client has closed its
   side, and may still read. A client that is gone ends `messages` without it.
2. No more is read than is asked for: a client that sends faster than it is heard waits.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Final

from parakeet_streaming.server.caller import Caller
from parakeet_streaming.server.http import Reply

_READ_BYTES: Final = 65_536
_CLOSES_WITHIN_S: Final = 2.0


class TcpSocket:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        peer = writer.get_extra_info("peername")
        self.caller: Final = Caller(str(peer[0]) if peer else "", {}, {})

    async def accept(self, protocol: str | None = None) -> None:
        """Nothing: TCP has accepted it."""

    async def refuse(self, reply: Reply) -> None:
        """Sends the body of a refusal, and closes."""
        assert isinstance(reply.body, bytes), "a refusal is short"
        await self.send(reply.body)
        await self.close()

    async def messages(self) -> AsyncIterator[str | bytes]:
        """What the client sends."""
        try:
            while data := await self._reader.read(_READ_BYTES):
                yield data
            yield b""
        except OSError:
            return

    async def send(self, message: str | bytes) -> None:
        """Sends; waits while the client reads slowly."""
        if self._writer.is_closing():
            return
        with suppress(OSError):
            self._writer.write(message if isinstance(message, bytes) else message.encode())
            await self._writer.drain()

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Closes, once the client has closed, too, or after a short time. Codes are not sent."""
        with suppress(OSError, TimeoutError, RuntimeError):
            self._writer.write_eof()
            # A connection that ends with bytes unread is reset, and the last words with it.
            async with asyncio.timeout(_CLOSES_WITHIN_S):
                while await self._reader.read(_READ_BYTES):
                    pass

    def end(self) -> None:
        """Frees it, whatever state it is in."""
        if self._writer.transport.get_write_buffer_size():
            # It waits for a client that reads nothing, and would wait on.
            self._writer.transport.abort()
        self._writer.close()


class TcpListener:
    """Accepts connections and has each talked to."""

    def __init__(self, talk: Callable[[TcpSocket], Awaitable[None]]) -> None:
        self._talk = talk
        self._servers: list[asyncio.Server] = []
        self._talks: set[asyncio.Task[None]] = set()

    async def start(self, sockets: Sequence[socket.socket]) -> None:
        """Accepts on bound sockets, which it then owns."""
        for each in sockets:
            self._servers.append(await asyncio.start_server(self._accepted, sock=each))

    async def close(self) -> None:
        """Accepts nothing more, and ends what is left."""
        for server in self._servers:
            server.close()
        for talk in self._talks:
            talk.cancel()
        await asyncio.gather(*self._talks, return_exceptions=True)

    def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talk = asyncio.ensure_future(self._talked(reader, writer))
        self._talks.add(talk)
        talk.add_done_callback(self._talks.discard)

    async def _talked(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connected = TcpSocket(reader, writer)
        try:
            await self._talk(connected)
        finally:
            connected.end()
