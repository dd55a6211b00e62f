"""A proxy that breaks what it carries: by a reset, or by saying nothing any more."""

import asyncio
import contextlib
import socket
import struct
from contextlib import asynccontextmanager

_PIECE = 1 << 16


class Proxy:
    """Carries connections to one address after another."""

    def __init__(self, *addresses):
        self.addresses = list(addresses)
        """Turned by one with each connection."""
        self.opened = 0
        self._streams, self._tasks = {}, set()
        self._frozen = set()

    def reset(self):
        """Ends all that is open by a reset."""
        for writer in [each for pair in self._streams.values() for each in pair]:
            held = writer.transport.get_extra_info("socket")
            with contextlib.suppress(OSError, AttributeError):
                held.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()
        self._streams.clear()

    def freeze(self):
        """What is open carries nothing any more, and does not end."""
        self._frozen |= set(self._streams)

    async def carry(self, reader, writer):
        number, self.opened = self.opened, self.opened + 1
        address = self.addresses.pop(0)
        self.addresses.append(address)
        host, port = address.split(":")
        try:
            there = await asyncio.open_connection(host, int(port))
        except OSError:
            writer.transport.abort()
            return
        self._streams[number] = (writer, there[1])
        both = asyncio.gather(
            self._pass_on(number, reader, there[1]), self._pass_on(number, there[0], writer)
        )
        try:
            with contextlib.suppress(OSError, asyncio.CancelledError):
                await both
        finally:
            self._streams.pop(number, None)
            both.cancel()
            for each in (writer, there[1]):
                each.close()
                with contextlib.suppress(OSError, asyncio.CancelledError):
                    await each.wait_closed()

    async def _pass_on(self, number, reader, writer):
        while data := await reader.read(_PIECE):
            if number in self._frozen:
                await asyncio.Event().wait()
            writer.write(data)
            await writer.drain()
        with contextlib.suppress(OSError, RuntimeError):
            writer.write_eof()


@asynccontextmanager
async def proxied(*addresses):
    """A proxy in front of those addresses, and its own address."""
    proxy = Proxy(*addresses)
    tasks = set()

    def began(reader, writer):
        task = asyncio.get_running_loop().create_task(proxy.carry(reader, writer))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    server = await asyncio.start_server(began, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    try:
        yield proxy, f"{host}:{port}"
    finally:
        server.close()
        proxy.reset()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
