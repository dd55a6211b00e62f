"""A server's address in; clients that do what no client should, out. Each returns when it is over.

`KINDS` has them by name. None of them is to harm anybody but itself, and none may leave anything
behind. They use sockets as they are, since libraries would keep them from most of it. What a server
does about them is not judged here: whether the others notice is.
"""

from __future__ import annotations

import base64
import json
import os
import random
import socket
import struct
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

_TIMEOUT_S: Final = 20.0
_PACKET: Final = bytes(640)
_PATHS: Final = (
    "/v1/stream?sample_rate=16000",
    "/v1/realtime?intent=transcription",
)
_TRANSPORT: Final = (
    "c=IN IP4 0.0.0.0\r\na=ice-ufrag:abcd\r\na=ice-pwd:abcdefghijklmnopqrstuvwx\r\n"
    f"a=fingerprint:sha-256 {':'.join(['0A'] * 32)}\r\na=setup:actpass\r\n"
)
_OFFER: Final = (
    "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0 1\r\n"
    f"m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n{_TRANSPORT}a=mid:0\r\na=sendonly\r\na=rtcp-mux\r\n"
    "a=rtpmap:111 opus/48000/2\r\n"
    f"m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n{_TRANSPORT}a=mid:1\r\n"
    "a=sctp-port:5000\r\n"
)
"""Of a call; nobody is there who has these keys."""


@dataclass(frozen=True)
class Target:
    """A server, and the key that it wants."""

    host: str
    port: int
    key: str

    def connected(self) -> socket.socket:
        """A connection that has said nothing yet."""
        return socket.create_connection((self.host, self.port), _TIMEOUT_S)

    def upgraded(self, path: str, key: str | None = None) -> socket.socket:
        """A WebSocket, or what the server has made of it."""
        opened = self.connected()
        opened.sendall(
            f"GET {path} HTTP/1.1\r\nHost: {self.host}\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}\r\n"
            f"Authorization: Bearer {self.key if key is None else key}\r\n\r\n".encode()
        )
        opened.recv(4096)
        return opened


def frame(payload: bytes, opcode: int, *, announced: int | None = None) -> bytes:
    """One masked frame; its length may be a lie."""
    length = len(payload) if announced is None else announced
    if length < 126:
        head = struct.pack("!BB", 0x80 | opcode, 0x80 | length)
    elif length < 65_536:
        head = struct.pack("!BBH", 0x80 | opcode, 0x80 | 126, length)
    else:
        head = struct.pack("!BBQ", 0x80 | opcode, 0x80 | 127, length)
    return head + bytes(4) + payload  # a mask of zeros changes nothing


def text(said: str | bytes) -> bytes:
    """A text frame."""
    return frame(said if isinstance(said, bytes) else said.encode(), 1)


def vanishes(target: Target, drawn: random.Random) -> None:
    """Speaks, and is gone without a close: as a process that is killed."""
    with target.upgraded(drawn.choice(_PATHS)) as opened:
        for _ in range(drawn.randrange(200)):
            opened.sendall(frame(_PACKET, 2))
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def half_open(target: Target, drawn: random.Random) -> None:
    """Speaks, and then neither says nor answers anything: as a laptop that is closed."""
    with target.upgraded(drawn.choice(_PATHS)) as opened:
        for _ in range(drawn.randrange(100)):
            opened.sendall(frame(_PACKET, 2))
        time.sleep(drawn.uniform(5, 15))


def garbage(target: Target, drawn: random.Random) -> None:
    """Sends what is no protocol at all."""
    with target.connected() as opened:
        opened.sendall(drawn.randbytes(drawn.randrange(1, 100_000)))
        opened.recv(4096)


def nonsense(target: Target, drawn: random.Random) -> None:
    """Sends messages that say nothing, and some that seem to."""
    said = [
        text("hello"), text("[]"), text('{"type":'), text("{}"), text('{"type":"commit"}'),
        text(json.dumps({"type": "configure", "sample_rate": -1})),
        text(json.dumps({"type": "session.update", "session": {"audio": 7}})),
        text(json.dumps({"type": "input_audio_buffer.append", "audio": "no base64"})),
        text(json.dumps({"type": "marker", "id": "x" * 10_000})), text("[" * 50_000),
        text(b"\xff\xfe"), frame(drawn.randbytes(333), 2), frame(b"", 2), frame(b"x", 9),
        frame(b"", 5), frame(drawn.randbytes(100), 0),
    ]  # fmt: skip
    with target.upgraded(drawn.choice(_PATHS)) as opened:
        for _ in range(50):
            opened.sendall(drawn.choice(said))
        opened.recv(65_536)


def nan(target: Target, drawn: random.Random) -> None:
    """Sends floats that are no samples."""
    with target.upgraded("/v1/stream?sample_rate=48000&encoding=f32le") as opened:
        for _ in range(100):
            opened.sendall(frame(struct.pack("<f", float("nan")) * drawn.randrange(1, 960), 2))


def reads_nothing(target: Target, drawn: random.Random) -> None:
    """Asks for answers without end, and reads none."""
    with target.upgraded("/v1/stream?sample_rate=16000") as opened:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        until_s = time.monotonic() + drawn.uniform(5, 15)
        marker = text(json.dumps({"type": "marker", "id": "m" * 250}))
        while time.monotonic() < until_s:
            opened.sendall(marker + text('{"type":"stats"}') + frame(_PACKET, 2))
            time.sleep(0.005)


def floods(target: Target, drawn: random.Random) -> None:
    """Sends as much as it can."""
    tiny = drawn.random() < 0.5
    message = frame(bytes(2), 2) * 100 if tiny else frame(bytes(64_000), 2)
    with target.upgraded("/v1/stream?sample_rate=16000") as opened:
        until_s = time.monotonic() + 5
        while time.monotonic() < until_s:
            opened.sendall(message)


def sends_huge(target: Target, drawn: random.Random) -> None:
    """Sends one message above the limit, or says that it will."""
    with target.upgraded(drawn.choice(_PATHS)) as opened:
        if drawn.random() < 0.5:
            opened.sendall(frame(bytes(1000), 2, announced=2**62))
        else:
            opened.sendall(frame(bytes(40_000_000), 1))
        opened.recv(65_536)


def wrong_key(target: Target, drawn: random.Random) -> None:
    """Shows a key that nobody has, again and again."""
    for _ in range(20):
        with target.upgraded(drawn.choice(_PATHS), key=f"{drawn.random()}") as opened:
            opened.recv(4096)


def upload_that_stops(target: Target, drawn: random.Random) -> None:
    """Announces a file, sends a part of it, and goes, or stays and sends no more."""
    with target.connected() as opened:
        opened.sendall(
            f"POST /v1/audio/transcriptions HTTP/1.1\r\nHost: {target.host}\r\n"
            f"Authorization: Bearer {target.key}\r\nContent-Length: 100000000\r\n"
            "Content-Type: multipart/form-data; boundary=b\r\n\r\n"
            '--b\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\n'.encode()
        )
        opened.sendall(drawn.randbytes(drawn.randrange(100_000)))
        if drawn.random() < 0.5:
            time.sleep(drawn.uniform(1, 10))


def upload_of_noise(target: Target, drawn: random.Random) -> None:
    """Uploads a file that is no recording."""
    body = (
        b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\n'
        + drawn.choice([b"RIFF", b"fLaC", b"ID3", b"OggS", b"\x1aE\xdf\xa3", b""])
        + drawn.randbytes(drawn.randrange(200_000))
        + b"\r\n--b--\r\n"
    )
    with target.connected() as opened:
        opened.sendall(
            f"POST /v1/audio/transcriptions HTTP/1.1\r\nHost: {target.host}\r\n"
            f"Authorization: Bearer {target.key}\r\nContent-Length: {len(body)}\r\n"
            "Content-Type: multipart/form-data; boundary=b\r\n\r\n".encode()
            + body
        )
        opened.recv(65_536)


def says_nothing(target: Target, drawn: random.Random) -> None:
    """Connects, and sends half a header, or not even that."""
    with target.connected() as opened:
        opened.sendall(drawn.choice([b"", b"GET / HTT", b"GET / HTTP/1.1\r\nHost: x\r\nA: "]))
        time.sleep(drawn.uniform(1, 10))


def never_connects(target: Target, drawn: random.Random) -> None:
    """Offers a call, sometimes with half an offer, and does not come; its place is held for it."""
    offer = _OFFER if drawn.random() < 0.5 else _OFFER[: drawn.randrange(len(_OFFER))]
    with target.connected() as opened:
        opened.sendall(
            f"POST /v1/realtime/calls HTTP/1.1\r\nHost: {target.host}\r\n"
            f"Authorization: Bearer {target.key}\r\nContent-Type: application/sdp\r\n"
            f"Content-Length: {len(offer)}\r\n\r\n{offer}".encode()
        )
        opened.recv(65_536)


_ALL: Final = (
    vanishes, half_open, garbage, nonsense, nan, reads_nothing, floods, sends_huge, wrong_key,
    upload_that_stops, upload_of_noise, says_nothing, never_connects,
)  # fmt: skip
KINDS: Final[dict[str, Callable[[Target, random.Random], None]]] = {
    each.__name__: each for each in _ALL
}


def misbehave(target: Target, kind: str, drawn: random.Random) -> None:
    """One client of that kind; that the server hangs up on it is no error."""
    with suppress(OSError):
        KINDS[kind](target, drawn)
