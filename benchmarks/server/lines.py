"""A way in; one client on the line, which says packets and notes what it hears, out.

Clients of a WebSocket are made here, with as little work for each packet as can be, so that many
fit into one process. Those of other ways in are stock: `calls.py` (aiortc) and `wyoming_line.py`.

Rules of this file:

1. Nothing waits: what the server does not take stays in the transport's buffer, and is late.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final, Protocol

from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.uri import parse_uri

from benchmarks.server.doors import WEBRTC, WYOMING, Message, spoken_by
from benchmarks.server.heard import Heard
from benchmarks.server.script import Script

_NO_LIMIT: Final = None


class Line(Protocol):
    """One client."""

    heard: Heard
    gone: asyncio.Event
    """The connection is over."""

    async def ready(self) -> None:
        """Until the server has greeted it, or has refused it."""
        ...

    def say(self, packet: int) -> None:
        """Says one packet of its script, and commits where the script does."""
        ...

    def close(self) -> None:
        """Goes."""
        ...


class SocketLine(asyncio.Protocol):
    """One client over a WebSocket."""

    def __init__(
        self,
        url: str,
        door: str,
        script: Script,
        messages: list[list[Message]],
        now_s: Callable[[], float],
        key: str | None = None,
    ) -> None:
        """`url`: of the server; `now_s`: since its first sample was spoken."""
        self.heard = Heard()
        self.gone = asyncio.Event()
        self._door, self._script, self._messages = spoken_by(door), script, messages
        self._now_s, self._key = now_s, key
        self._greeted = asyncio.Event()
        self._closing = False
        self._socket = ClientProtocol(parse_uri(url + self._door.path(script)), max_size=_NO_LIMIT)
        self._transport: asyncio.Transport | None = None

    async def ready(self) -> None:
        """Until the server has greeted it, or has refused it."""
        await self._greeted.wait()

    def say(self, packet: int) -> None:
        """Says one packet."""
        for message in self._messages[packet]:
            self.send(message)

    def send(self, message: Message) -> None:
        """Sends one message, unless the connection is over."""
        if self.gone.is_set() or self._closing:
            return
        if isinstance(message, str):
            self._socket.send_text(message.encode())
        else:
            self._socket.send_binary(message)
        self._flush()

    def close(self) -> None:
        """Goes as a client should."""
        if not self.gone.is_set() and not self._closing:
            self._closing = True
            self._socket.send_close(1000)
            self._flush()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        request = self._socket.connect()
        if self._key is not None:
            request.headers["Authorization"] = f"Bearer {self._key}"
        self._socket.send_request(request)
        self._flush()

    def data_received(self, data: bytes) -> None:
        at_s = self._now_s()
        self._socket.receive_data(data)
        for event in self._socket.events_received():
            if not isinstance(event, Frame):
                self._answered()
            elif event.opcode is Opcode.TEXT:
                if self._door.ear(bytes(event.data).decode(), self.heard, at_s):
                    self._greeted.set()
            elif event.opcode is Opcode.CLOSE and not self._closing:
                self.heard.lost.append(f"closed with {event.data!r}")
                self._closing = True
        self._flush()

    def connection_lost(self, error: Exception | None) -> None:
        if not self._closing:
            self.heard.lost.append(f"the connection ended: {error}")
        self.gone.set()
        self._greeted.set()

    def _answered(self) -> None:
        """The handshake is over."""
        if self._socket.handshake_exc is not None:
            self.heard.lost.append(f"refused: {self._socket.handshake_exc}")
            self._closing = True
            self._greeted.set()
            return
        for message in self._door.first(self._script):
            self.send(message)
        if not self._door.greets:
            self._greeted.set()

    def _flush(self) -> None:
        if self._transport is None:
            return
        for data in self._socket.data_to_send():
            if data:
                self._transport.write(data)
            elif self._transport.can_write_eof():
                self._transport.write_eof()


async def open_line(
    url: str,
    door: str,
    script: Script,
    messages: list[list[Message]],
    now_s: Callable[[], float],
    key: str | None = None,
) -> Line:
    """A client that is connected and greeted, or refused.

    Args:
        url: of the server's WebSockets, or of its port for Wyoming.
        door: of `DOORS` or `PEERS`.
        script: what is said.
        messages: of the script.
        now_s: since its first sample was spoken.
        key: that the server wants.
    """
    # What no trial asks for is not imported: it takes long.
    if door == WEBRTC:
        from benchmarks.server.calls import CallLine

        return await CallLine.open(url, messages, now_s, key)
    if door == WYOMING:
        from benchmarks.server.wyoming_line import WyomingLine

        return await WyomingLine.open(url, script, messages, now_s)
    at = parse_uri(url)
    _, line = await asyncio.get_running_loop().create_connection(
        lambda: SocketLine(url, door, script, messages, now_s, key), at.host, at.port
    )
    await line.ready()
    return line
