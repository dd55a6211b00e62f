"""aiortc as a caller, over real UDP on this machine."""

import asyncio
import json
from fractions import Fraction
from itertools import count

import aioice.ice
import httpx
import numpy as np
from aiortc import (
    AudioStreamTrack,
    RTCConfiguration,
    RTCPeerConnection,
    RTCSessionDescription,
)
from aiortc.mediastreams import MediaStreamError
from av import AudioFrame

RATE = 48_000
FRAME = 960


class Microphone(AudioStreamTrack):
    """Plays int16 samples at 48 kHz as they are due, and silence after them."""

    def __init__(self, samples, channels=1, holes=()):
        """`holes`: frames that are not sent, as of a muted microphone."""
        super().__init__()
        self._samples, self._channels, self._holes = samples, channels, frozenset(holes)
        self._next = 0
        self._begun = None

    async def recv(self):
        if self.readyState != "live":
            raise MediaStreamError
        while self._next in self._holes:
            self._next += 1
        loop = asyncio.get_running_loop()
        if self._begun is None:
            self._begun = loop.time()
        await asyncio.sleep(self._begun + self._next * FRAME / RATE - loop.time())
        piece = self._samples[self._next * FRAME :][:FRAME]
        data = np.zeros((FRAME, self._channels), "<i2")
        data[: len(piece)] = piece[:, None]
        frame = AudioFrame("s16", "mono" if self._channels == 1 else "stereo", FRAME)
        frame.planes[0].update(data.tobytes())
        frame.sample_rate, frame.pts, frame.time_base = RATE, self._next * FRAME, Fraction(1, RATE)
        self._next += 1
        return frame


class Call:
    """One call, as a page of OpenAI's documentation makes it."""

    def __init__(self, address, key=None):
        self.url = f"http://{address}"
        self.headers = {} if key is None else {"Authorization": f"Bearer {key}"}
        self.peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self.channel = self.peer.createDataChannel("oai-events")
        self.channel.on("message", self._take)
        self.channel.on("close", self._closed)
        self.events, self.news, self.closed = [], asyncio.Event(), asyncio.Event()
        self.location = self.answer = None

    def _closed(self):
        self.closed.set()

    def _take(self, message):
        self.events.append(json.loads(message))
        self.news.set()

    async def offer(self, track=None):
        """SDP as the page sends it: without candidates, as it does not wait for them."""
        if track is not None:
            self.peer.addTrack(track)
        await self.peer.setLocalDescription(await self.peer.createOffer())
        lines = self.peer.localDescription.sdp.splitlines()
        kept = [each for each in lines if "candidate" not in each]
        return "".join(f"{each}\r\n" for each in kept)

    async def post(self, offer, session=None, query="", **headers):
        headers = self.headers | headers
        async with httpx.AsyncClient(timeout=60) as client:
            url = f"{self.url}/v1/realtime/calls{query}"
            if session is None:
                typed = {"Content-Type": "application/sdp"} | headers
                return await client.post(url, content=offer, headers=typed)
            form = {"sdp": (None, offer), "session": (None, json.dumps(session))}
            return await client.post(url, files=form, headers=headers)

    async def begin(self, track, session=None, query=""):
        reply = await self.post(await self.offer(track), session, query)
        assert reply.status_code == 201, reply.text
        assert reply.headers["content-type"] == "application/sdp"
        self.location, self.answer = reply.headers["location"], reply.text
        await self.peer.setRemoteDescription(RTCSessionDescription(reply.text, "answer"))
        return self

    async def until(self, kind, count=1):
        """Events up to the so manieth of a kind."""
        async with asyncio.timeout(60):
            while sum(each["type"].endswith(kind) for each in self.events) < count:
                self.news.clear()
                await self.news.wait()
        return [each for each in self.events if each["type"].endswith(kind)]

    def send(self, kind, **fields):
        self.channel.send(json.dumps({"type": kind, **fields}))

    def lose_packets(self, lost):
        """Packets of sound with these numbers do not come to the server."""
        transport = self.peer.getSenders()[0].transport
        send, numbers = transport._send_rtp, count()

        async def lossy(data):
            is_control = 192 <= data[1] <= 223
            if is_control or next(numbers) not in lost:
                await send(data)

        transport._send_rtp = lossy

    async def ask(self, method, path=None, json=None, **headers):
        async with httpx.AsyncClient(timeout=60) as client:
            url = self.url + (self.location if path is None else path)
            return await client.request(method, url, headers=self.headers | headers, json=json)

    async def __aenter__(self):
        return self

    async def __aexit__(self, *_):
        await self.peer.close()


def here_only(monkeypatch):
    """Lets callers have this machine's own address, as there may be no network."""
    monkeypatch.setattr(aioice.ice, "get_host_addresses", lambda *_, **__: ["127.0.0.1"])
