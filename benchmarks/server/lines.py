"""A script and a way in; one client on the line, which says packets and notes what it hears, out.

`DOORS` has the ways in. Each is a `Door`: how a script becomes messages, and what the messages that
come back say. A way in that is no WebSocket needs a class like `SocketLine`, with the same methods:
a WebRTC call belongs here, as a `CallLine` that `open_line` makes for the door "webrtc".

Rules of this file:

1. Messages are made before the clock runs; to say one costs the framing and one write.
2. Nothing waits: what the server does not take stays in the transport's buffer, and is late.
"""

from __future__ import annotations

import asyncio
import base64
import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.uri import parse_uri

from benchmarks.server.heard import Heard
from benchmarks.server.script import Script

Message = str | bytes
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


class Ear(Protocol):
    """Understands what a server says to one client."""

    def __call__(self, message: Message, heard: Heard, at_s: float) -> bool:
        """Notes what a message says; gives whether it is the greeting."""
        ...


@dataclass(frozen=True, slots=True)
class Door:
    """How one protocol is spoken."""

    path: Callable[[Script], str]
    first: Callable[[Script], list[Message]]
    packet: Callable[[bytes], Message]
    commit: Message
    ear: Ear


def _native_ear(message: Message, heard: Heard, at_s: float) -> bool:
    told = json.loads(message)
    match told["type"]:
        case "partial":
            heard.note_text(told["text"], at_s)
        case "final":
            heard.note_end(told["text"], at_s)
        case "gap" | "error":
            heard.lost.append(str(message))
    return bool(told["type"] == "ready")


def _realtime_ear(message: Message, heard: Heard, at_s: float) -> bool:
    told = json.loads(message)
    kind = told["type"]
    if kind.endswith("transcription.delta"):
        heard.note_text(told["delta"], at_s)
    elif kind.endswith("transcription.completed"):
        heard.note_end(told["transcript"], at_s)
    elif kind == "error" or kind.endswith(".failed"):
        heard.lost.append(str(message))
    return bool(kind == "session.updated")


def _whisper_live_options(_: Script) -> list[Message]:
    options = {
        **{"uid": secrets.token_hex(8), "language": "en", "task": "transcribe", "model": "tiny.en"},
        **{"use_vad": False, "audio_format": "int16"},
    }
    return [json.dumps(options)]


def _peer_ear(message: Message, heard: Heard, at_s: float) -> bool:
    told = json.loads(message)
    if told.get("status") in ("WAIT", "ERROR"):
        heard.lost.append(str(message))
    return bool(told.get("message") == "SERVER_READY")


def _append(data: bytes) -> str:
    audio = base64.b64encode(data).decode()
    return json.dumps({"type": "input_audio_buffer.append", "audio": audio})


def _session(script: Script) -> list[Message]:
    audio = {"input": {"format": {"type": "audio/pcm", "rate": script.rate_hz}}}
    session = {"type": "transcription", "audio": audio}
    return [json.dumps({"type": "session.update", "session": session})]


DOORS: Final[dict[str, Door]] = {
    "native": Door(
        lambda script: f"/v1/stream?sample_rate={script.rate_hz}",
        lambda _: [],
        lambda data: data,
        '{"type":"commit"}',
        _native_ear,
    ),
    "realtime": Door(
        lambda _: "/v1/realtime?intent=transcription",
        _session,
        _append,
        '{"type":"input_audio_buffer.commit"}',
        _realtime_ear,
    ),
}
PEERS: Final[dict[str, Door]] = {
    "whisper_live": Door(lambda _: "/", _whisper_live_options, lambda data: data, b"", _peer_ear),
}
"""Ways into servers of others; they are not told of commits."""
RATES_HZ: Final = {"native": 16_000, "realtime": 24_000, "whisper_live": 16_000}
"""Of the audio that clients send: what stock clients of a protocol do."""


def _spoken(door: str) -> Door:
    return DOORS[door] if door in DOORS else PEERS[door]


def messages_of(door: str, script: Script) -> list[list[Message]]:
    """What is sent for each packet of a script."""
    spoken = _spoken(door)
    return [
        [
            spoken.packet(script.packet(number).tobytes()),
            *([spoken.commit] if spoken.commit and number + 1 in script.commits else []),
        ]
        for number in range(script.packets)
    ]


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
        self._door, self._script, self._messages = _spoken(door), script, messages
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
    """A client that is connected and greeted, or refused."""
    at = parse_uri(url)
    _, line = await asyncio.get_running_loop().create_connection(
        lambda: SocketLine(url, door, script, messages, now_s, key), at.host, at.port
    )
    await line.ready()
    return line
