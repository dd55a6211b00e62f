"""Uvicorn's WebSocket in; the same one, which takes a little at a time, out.

A connection hands over up to 256 KiB at once. That can be tens of thousands of tiny messages, and
uvicorn parses all of them before anybody else has a turn: seconds, in which all others wait.

Rules of this file:

1. In one turn of the event loop no more is parsed than a few thousand bytes, and no more than a
   few messages, which are taken before the next ones are parsed. That is enough for a client that
   speaks to keep up where others make turns long.
2. While something is not parsed, nothing more is read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

if TYPE_CHECKING:
    from uvicorn._types import ASGIReceiveEvent

_PIECE_BYTES: Final = 1_024
"""Parsed at once: 170 of the smallest messages."""
_TURN_BYTES: Final = 16_384
"""Parsed in one turn."""
_TURN_MESSAGES: Final = 16
"""After which nothing more is parsed in this turn; a piece may give more by itself."""


class BoundedSocket(WebSocketsSansIOProtocol):
    """See the module."""

    _unread: memoryview = memoryview(b"")
    _reading_on = False

    def data_received(self, data: bytes) -> None:
        """Takes what came."""
        if len(data) <= _PIECE_BYTES and not self._unread:
            super().data_received(data)
            return
        self._unread = memoryview(bytes(self._unread) + data)
        self._read_on()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forgets what nobody will answer."""
        self._unread = memoryview(b"")
        super().connection_lost(exc)

    async def receive(self) -> ASGIReceiveEvent:
        """The next message; only when all have been taken, more is parsed, and then read."""
        message = await self.queue.get()
        if self.queue.empty():
            if self._unread:
                self._read_on_soon()
            elif self.read_paused:
                self._resume()
        return message

    def _read_on(self) -> None:
        """Parses until there is a message, or enough was parsed for one turn."""
        self._reading_on = False
        left = _TURN_BYTES
        while self._unread and left > 0 and self.queue.qsize() < _TURN_MESSAGES:
            piece, self._unread = self._unread[:_PIECE_BYTES], self._unread[_PIECE_BYTES:]
            left -= len(piece)
            super().data_received(bytes(piece))
            if self.transport.is_closing():
                self._unread = memoryview(b"")
                return
        if self._unread:
            if not self.read_paused:
                self.read_paused = True
                self.transport.pause_reading()
            if self.queue.empty():
                self._read_on_soon()
        elif self.read_paused and self.queue.empty():
            self._resume()

    def _read_on_soon(self) -> None:
        if not self._reading_on:
            self._reading_on = True
            self.loop.call_soon(self._read_on)

    def _resume(self) -> None:
        self.read_paused = False
        self.transport.resume_reading()
