"""A script and a way in; what is sent for it, and what the messages that come back say, out.

`DOORS` has the ways in. Each is a `Door`: how a script becomes messages, and what answers say.
`lines.py` has the clients that send and hear them.

Rules of this file:

1. Messages are made before the clock runs; to say one costs the framing and one write.
2. What is sent loses nothing but where a protocol wants it so: what must be heard over WebRTC is
   heard of the sound that Opus leaves.
"""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from io import BytesIO
from typing import Final, Protocol

from wyoming.event import Event, write_event

from benchmarks.server import opus
from benchmarks.server.heard import Heard
from benchmarks.server.script import Script

Message = str | bytes
WYOMING: Final = "wyoming"
WEBRTC: Final = "webrtc"


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
    packets: Callable[[Script], list[Message]]
    commit: Message
    ear: Ear
    greets: bool = True
    """Whether the server speaks first."""
    commits_within: bool = True
    """Whether a commit ends the utterance where it is said; otherwise a client commits only when
    all is said."""


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


def _realtime_ear(
    message: Message, heard: Heard, at_s: float, greeting: str = "session.updated"
) -> bool:
    told = json.loads(message)
    kind = told["type"]
    if kind.endswith("transcription.delta"):
        heard.note_text(told["delta"], at_s)
    elif kind.endswith("transcription.completed"):
        heard.note_end(told["transcript"], at_s)
    elif kind == "error" or kind.endswith(".failed"):
        heard.lost.append(str(message))
    return bool(kind == greeting)


def _call_ear(message: Message, heard: Heard, at_s: float) -> bool:
    return _realtime_ear(message, heard, at_s, "session.created")


def _deepgram_ear(message: Message, heard: Heard, at_s: float) -> bool:
    told = json.loads(message)
    if told["type"] == "Results" and told["is_final"]:
        heard.note_text(told["channel"]["alternatives"][0]["transcript"], at_s)
        if told["speech_final"]:
            # Its words may have become final before.
            heard.note_end(heard.text[heard.ends[-1].characters if heard.ends else 0 :], at_s)
    elif told["type"] == "Error":
        heard.lost.append(str(message))
    return False


def _wyoming_ear(message: Message, heard: Heard, at_s: float) -> bool:
    told = json.loads(message)
    match told["type"]:
        case "transcript-chunk":
            heard.note_text(told["text"], at_s)
        case "transcript":
            heard.note_end(told["text"], at_s)
        case "error":
            heard.lost.append(str(message))
    return False


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


def _each(made: Callable[[bytes], Message]) -> Callable[[Script], list[Message]]:
    """Each packet by itself."""
    return lambda script: [
        made(script.packet(number).tobytes()) for number in range(script.packets)
    ]


def _as_it_is(data: bytes) -> Message:
    return data


def _append(data: bytes) -> Message:
    audio = base64.b64encode(data).decode()
    return json.dumps({"type": "input_audio_buffer.append", "audio": audio})


def _session(script: Script) -> list[Message]:
    audio = {"input": {"format": {"type": "audio/pcm", "rate": script.rate_hz}}}
    session = {"type": "transcription", "audio": audio}
    return [json.dumps({"type": "session.update", "session": session})]


def _nothing(_: Script) -> list[Message]:
    return []


def _event(kind: str, rate_hz: int | None = None, payload: bytes | None = None) -> bytes:
    """One of Wyoming's."""
    form = {} if rate_hz is None else {"rate": rate_hz, "width": 2, "channels": 1}
    written = BytesIO()
    write_event(Event(kind, form, payload), written)
    return written.getvalue()


def _audio_start(script: Script) -> list[Message]:
    return [_event("transcribe"), _event("audio-start", script.rate_hz)]


def _audio_chunks(script: Script) -> list[Message]:
    return _each(lambda data: _event("audio-chunk", script.rate_hz, data))(script)


DOORS: Final[dict[str, Door]] = {
    "native": Door(
        lambda script: f"/v1/stream?sample_rate={script.rate_hz}",
        _nothing,
        _each(_as_it_is),
        '{"type":"commit"}',
        _native_ear,
    ),
    "realtime": Door(
        lambda _: "/v1/realtime?intent=transcription",
        _session,
        _each(_append),
        '{"type":"input_audio_buffer.commit"}',
        _realtime_ear,
    ),
    # Its commits and its sound go different ways, so that nobody knows which comes first.
    WEBRTC: Door(
        lambda _: "/v1/realtime/calls",
        _nothing,
        lambda script: list(opus.encoded(script)),
        '{"type":"input_audio_buffer.commit"}',
        _call_ear,
        commits_within=False,
    ),
    "deepgram": Door(
        lambda script: f"/v1/listen?encoding=linear16&sample_rate={script.rate_hz}",
        _nothing,
        _each(_as_it_is),
        '{"type":"Finalize"}',
        _deepgram_ear,
        greets=False,
    ),
    # It knows no commit but the end of the sound.
    WYOMING: Door(
        lambda _: "",
        _audio_start,
        _audio_chunks,
        _event("audio-stop"),
        _wyoming_ear,
        greets=False,
        commits_within=False,
    ),
}
LIVE: Final = ("native", "realtime", WEBRTC)
"""Over which committed text is told at once: lateness can be judged."""
SOCKETS: Final = ("native", "realtime", "deepgram")
"""That are WebSockets."""
PEERS: Final[dict[str, Door]] = {
    "whisper_live": Door(lambda _: "/", _whisper_live_options, _each(_as_it_is), b"", _peer_ear),
}
"""Ways into servers of others; they are not told of commits."""
RATES_HZ: Final = {
    **{"native": 16_000, "realtime": 24_000, WEBRTC: opus.RATE_HZ, "deepgram": 16_000},
    **{WYOMING: 16_000, "whisper_live": 16_000},
}
"""Of the audio that clients send: what stock clients of a protocol do."""


def spoken_by(door: str) -> Door:
    """How that protocol is spoken."""
    return DOORS[door] if door in DOORS else PEERS[door]


def may_commit(door: str) -> bool:
    """Whether clients may commit while they speak; the engine alone takes commits, too."""
    return door not in DOORS or DOORS[door].commits_within


def messages_of(door: str, script: Script) -> list[list[Message]]:
    """What is sent for each packet of a script."""
    spoken = spoken_by(door)
    return [
        [packet, *([spoken.commit] if spoken.commit and number in script.commits else [])]
        for number, packet in enumerate(spoken.packets(script), start=1)
    ]


def as_heard(door: str, script: Script) -> Script:
    """The script as the server hears it."""
    if door != WEBRTC:
        return script
    return replace(script, samples=opus.decoded(opus.encoded(script)))
