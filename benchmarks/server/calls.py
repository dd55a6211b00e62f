"""A client that calls over WebRTC, with aiortc: packets of Opus out, events in.

Beside a WebSocket's, such a client needs much of its own process: each packet is encrypted and sent
by itself, in Python. Where packets are sent late ("packets sent late" of the tables), it is the
clients that are full, and the server may carry more than is said.

Rules of this file:

1. Nothing is said before the server has greeted: its first sample is the script's.
2. Packets are encoded before the clock runs, as aiortc allows.
3. A commit waits until the last packet will have come: the two go different ways. That time is part
   of how late the end of an utterance is.
"""

from __future__ import annotations

import asyncio
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from fractions import Fraction
from typing import Any, Final, Self
from urllib.parse import urlsplit

import aioice.ice
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.exceptions import InvalidStateError
from aiortc.mediastreams import MediaStreamTrack
from av import Packet

from benchmarks.server.doors import DOORS, WEBRTC, Message
from benchmarks.server.heard import Heard
from benchmarks.server.opus import RATE_HZ
from benchmarks.server.script import PACKET_S

COMMITS_AFTER_S: Final = 0.2
_PATH: Final = "/v1/realtime/calls"
_CHANNEL: Final = "oai-events"
_CONNECTS_WITHIN_S: Final = 30.0


class _Spoken(MediaStreamTrack):
    """A track of packets, as they are said."""

    kind = "audio"

    def __init__(self) -> None:
        super().__init__()
        self._said: asyncio.Queue[bytes] = asyncio.Queue()
        self._number = 0

    def say(self, data: bytes) -> None:
        self._said.put_nowait(data)

    async def recv(self) -> Any:
        """The next one, an `av.Packet`."""
        packet = Packet(await self._said.get())
        packet.pts, packet.time_base = self._number, Fraction(1, RATE_HZ)
        self._number += round(PACKET_S * RATE_HZ)
        return packet


class CallLine:
    """One call."""

    def __init__(self, messages: list[list[Message]], now_s: Callable[[], float]) -> None:
        """`now_s`: since its first sample was spoken."""
        self.heard = Heard()
        self.gone = asyncio.Event()
        self._messages, self._now_s, self._ear = messages, now_s, DOORS[WEBRTC].ear
        self._greeted = asyncio.Event()
        self._ending: asyncio.Task[None] | None = None
        self._track = _Spoken()
        self._peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self._peer.addTrack(self._track)
        self._channel = self._peer.createDataChannel(_CHANNEL)
        self._channel.on("message", self._came)
        self._channel.on("close", self._closed)

    @classmethod
    async def open(
        cls,
        url: str,
        messages: list[list[Message]],
        now_s: Callable[[], float],
        key: str | None = None,
    ) -> Self:
        """A call that is connected and greeted, or refused.

        Args:
            url: of the server's WebSockets.
            messages: of the script.
            now_s: since its first sample was spoken.
            key: that the server wants.
        """
        address = urlsplit(url)
        # aioice leaves out the loopback address, where the server may be.
        here = [str(address.hostname)]
        aioice.ice.get_host_addresses = lambda *_, **__: here
        line = cls(messages, now_s)
        await line._connect(f"http://{address.netloc}{_PATH}", key)
        return line

    async def ready(self) -> None:
        """Until the server has greeted it, or has refused it."""
        await self._greeted.wait()

    def say(self, packet: int) -> None:
        """Says one packet."""
        for message in self._messages[packet]:
            if isinstance(message, bytes):
                self._track.say(message)
            else:
                asyncio.get_running_loop().call_later(COMMITS_AFTER_S, self._send, message)

    def close(self) -> None:
        """Goes as a client should."""
        if self._ending is None:
            self._ending = asyncio.create_task(self._end())

    async def _connect(self, url: str, key: str | None) -> None:
        await self._peer.setLocalDescription(await self._peer.createOffer())
        offer = self._peer.localDescription.sdp
        try:
            answer = await asyncio.to_thread(_answer, url, offer, key)
            await self._peer.setRemoteDescription(RTCSessionDescription(answer, "answer"))
            async with asyncio.timeout(_CONNECTS_WITHIN_S):
                await self._greeted.wait()
        except (OSError, TimeoutError) as error:
            self.heard.lost.append(f"refused: {error!r}")
            self.close()
            self._greeted.set()

    def _came(self, message: Message) -> None:
        if self._ear(message, self.heard, self._now_s()):
            self._greeted.set()

    def _send(self, message: str) -> None:
        with suppress(InvalidStateError):  # the call is over
            self._channel.send(message)

    def _closed(self) -> None:
        if self._ending is None:
            self.heard.lost.append("the call was ended by the server")
        self.close()

    async def _end(self) -> None:
        self._track.stop()
        await self._peer.close()
        self.gone.set()


def _answer(url: str, offer: str, key: str | None) -> str:
    """The server's answer.

    Raises:
        OSError: it refuses, or is not there.
    """
    headers = {"Content-Type": "application/sdp"}
    if key is not None:
        headers["Authorization"] = f"Bearer {key}"
    request = urllib.request.Request(url, offer.encode(), headers)
    try:
        with urllib.request.urlopen(request, timeout=_CONNECTS_WITHIN_S) as reply:
            return str(reply.read().decode())
    except urllib.error.HTTPError as error:
        raise OSError(f"{error}: {error.read().decode()}") from None
