"""Many clients of the native protocol, in a process of their own, with as little work as can be.

python -m benchmarks.server.crowd

Asked by `sockets`, one JSON object a line: where the server is, how many, packets of how many
milliseconds, for how long. Each sends noise, 16-bit at 16 kHz, on one absolute clock; what comes
back is counted and not read.
"""

from __future__ import annotations

import asyncio
import base64
import os
import struct
import time
from typing import Any
from urllib.parse import urlsplit

import numpy as np

from benchmarks.server.child import answer_all

_UPGRADED = b"HTTP/1.1 101 "


class Client(asyncio.Protocol):
    """One socket."""

    def __init__(self, host: str) -> None:
        self._host = host
        self.ready = asyncio.get_running_loop().create_future()
        self.bytes = 0
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport), "it is TCP"
        self.transport = transport
        key = base64.b64encode(os.urandom(16)).decode()
        transport.write(
            f"GET /v1/stream?sample_rate=16000 HTTP/1.1\r\nHost: {self._host}\r\n"
            f"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: {key}\r\n"
            "Sec-WebSocket-Version: 13\r\n\r\n".encode()
        )

    def data_received(self, data: bytes) -> None:
        self.bytes += len(data)
        if not self.ready.done():
            self.ready.set_result(data.startswith(_UPGRADED))

    def connection_lost(self, error: Exception | None) -> None:
        self.transport = None
        if not self.ready.done():
            self.ready.set_result(False)


def frame_of(packet: bytes) -> bytes:
    """One binary message; a mask of zeros leaves the bytes as they are."""
    size = len(packet)
    head = struct.pack(">BB", 0x82, 0x80 | size) if size < 126 else b""
    head = head or struct.pack(">BBH", 0x82, 0x80 | 126, size)
    return head + b"\0\0\0\0" + packet


async def crowd(asked: dict[str, Any]) -> dict[str, Any]:
    """Speaks; how it went."""
    address = urlsplit(asked["url"])
    loop = asyncio.get_running_loop()
    clients = []
    for _ in range(asked["sockets"]):
        _, client = await loop.create_connection(
            lambda: Client(address.netloc), address.hostname, address.port
        )
        clients.append(client)
    await asyncio.gather(*(client.ready for client in clients))
    noise = np.random.default_rng(7).normal(0, 1_000, 16 * asked["packet_ms"]).astype(np.int16)
    frame = frame_of(noise.tobytes())
    packet_s = asked["packet_ms"] / 1_000
    packets = round(asked["seconds"] / packet_s)
    began_s, latest_s = time.monotonic() + 0.2, 0.0
    for packet in range(packets):
        for number, client in enumerate(clients):
            # Each has its own moment within a packet.
            if number % 8 == 0:
                due_s = began_s + (packet + number / len(clients)) * packet_s
                wait_s = due_s - time.monotonic()
                latest_s = max(latest_s, -wait_s)
                await asyncio.sleep(max(0.0, wait_s))
            if client.transport is not None:
                client.transport.write(frame)
    left = [client for client in clients if client.transport is not None]
    for client in left:
        assert client.transport is not None, "it was there a moment ago"
        client.transport.abort()
    return {
        "opened": sum(client.ready.result() for client in clients),
        "left": len(left),
        "latest_s": latest_s,
        "bytes_back": sum(client.bytes for client in clients),
    }


if __name__ == "__main__":
    answer_all(lambda asked: asyncio.run(crowd(asked)))
