"""The line of one stream in, between its client and the balancer; a line that breaks, out.

Rules of this file:

1. What is carried is not understood. A cut comes within what is carried next, so within a message.
2. What is done to a line is done to the connections that are open; the next one is whole again.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Final

_PIECE_BYTES: Final = 1 << 14
_RESET: Final = struct.pack("ii", 1, 0)
"""Linger for no time: the end is a reset."""


@dataclass(eq=False)
class _Connection:
    client: asyncio.StreamWriter
    server: asyncio.StreamWriter
    flows: asyncio.Event = field(default_factory=asyncio.Event)
    cut: bool = False
    """Whether it ends within what it carries next."""
    late_s: float = 0.0

    def end(self) -> None:
        """Ends both sides by a reset."""
        for writer in (self.client, self.server):
            held = writer.get_extra_info("socket")
            with suppress(OSError, AttributeError):
                held.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            writer.transport.abort()


class Wire:
    """One line; see the module."""

    def __init__(self, host: str, port: int) -> None:
        """`host`, `port`: where it leads."""
        self._there = host, port
        self._open: set[_Connection] = set()
        self.opened = 0
        """Connections so far."""

    @property
    def is_open(self) -> bool:
        """Whether it carries a connection."""
        return bool(self._open)

    def cut(self) -> None:
        """Ends what is open, in the middle of what comes next."""
        for each in self._open:
            each.cut = True

    def freeze(self) -> None:
        """What is open carries nothing any more, and does not end."""
        for each in self._open:
            each.flows.clear()

    def thaw(self) -> None:
        """What is open goes on."""
        for each in self._open:
            each.flows.set()

    def delay(self, seconds: float) -> None:
        """What is open carries everything so much later; 0 for no longer."""
        for each in self._open:
            each.late_s = seconds

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carries a connection to its end."""
        try:
            there = await asyncio.open_connection(*self._there)
        except OSError:
            writer.transport.abort()
            return
        connection = _Connection(writer, there[1])
        connection.flows.set()
        self._open.add(connection)
        self.opened += 1
        ways = [
            asyncio.create_task(self._pass_on(connection, reader, there[1])),
            asyncio.create_task(self._pass_on(connection, there[0], writer)),
        ]
        try:
            await asyncio.gather(*ways)
        except (OSError, asyncio.CancelledError):
            connection.end()
        finally:
            self._open.discard(connection)
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            writer.close()
            there[1].close()

    async def _pass_on(
        self, connection: _Connection, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        while data := await reader.read(_PIECE_BYTES):
            if connection.late_s:
                await asyncio.sleep(connection.late_s)
            await connection.flows.wait()
            if connection.cut and len(data) > 1:
                writer.write(data[: len(data) // 2])
                with suppress(OSError):
                    await writer.drain()
                # Half of it arrives before the reset does.
                await asyncio.sleep(0.02)
                raise ConnectionResetError
            writer.write(data)
            await writer.drain()
        with suppress(OSError, RuntimeError):
            writer.write_eof()


@asynccontextmanager
async def wired(host: str, port: int) -> AsyncIterator[tuple[Wire, str]]:
    """A line to there, and the address of its near end."""
    wire = Wire(host, port)
    tasks: set[asyncio.Task[None]] = set()

    def began(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(wire.carry(reader, writer))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    server = await asyncio.start_server(began, "127.0.0.1", 0)
    near_host, near_port = server.sockets[0].getsockname()[:2]
    try:
        yield wire, f"http://{near_host}:{near_port}"
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
