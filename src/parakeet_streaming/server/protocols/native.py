"""The protocol of `/v1/stream`: a query and messages in, values out; session events in, JSON out.

`docs/protocol.md` specifies it. Binary messages are PCM; text messages are JSON objects with a
`type`.

Rules of this file:

1. Fields that are not known are ignored; a type that is not known is an error.
2. Times are seconds, rounded to milliseconds.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from parakeet_streaming.results import Token, Word
from parakeet_streaming.server.limits import Limits
from parakeet_streaming.server.protocols.fields import Fields, object_of
from parakeet_streaming.server.protocols.native_settings import StreamSettings
from parakeet_streaming.server.replies import Answer, WrongRequestError
from parakeet_streaming.server.session_events import (
    Cleared,
    ContextTold,
    Ended,
    Heard,
    Hinted,
    Lost,
    Marked,
    SessionEvent,
    Started,
    Stopped,
)
from parakeet_streaming.timeline import ContextConfig

VERSION: Final = 1
SUBPROTOCOL: Final = "parakeet"
"""That a browser offers beside the one with its key; the one with the key is never answered."""
MOST_MARKER_LENGTH: Final = 256
MOST_GAP_S: Final = 3_600


@dataclass(frozen=True, slots=True)
class Finish:
    """No more audio comes."""


@dataclass(frozen=True, slots=True)
class Commit:
    """The utterance ends with all that was sent."""


@dataclass(frozen=True, slots=True)
class Clear:
    """What was sent and has not ended is to be forgotten."""


@dataclass(frozen=True, slots=True)
class Marker:
    """Is sent back once all audio before it is decoded."""

    id: str


@dataclass(frozen=True, slots=True)
class Configure:
    """Other settings, before any audio."""

    fields: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Stats:
    """How does it go?"""


@dataclass(frozen=True, slots=True)
class Missing:
    """The client has lost samples before the next ones; later times are to stay true."""

    samples: int
    """Of each channel."""


@dataclass(frozen=True, slots=True)
class KeepAlive:
    """The client is there and has nothing to say."""


Command = Finish | Commit | Clear | Marker | Configure | Stats | Missing | KeepAlive
_PLAIN: Final[dict[str, Command]] = {
    "finish": Finish(),
    "commit": Commit(),
    "clear": Clear(),
    "stats": Stats(),
    "keep_alive": KeepAlive(),
}
TYPES: Final = (*_PLAIN, "marker", "gap", "configure")
"""Of messages that clients send."""


def command_of(text: str, rate_hz: int) -> Command:
    """What a text message asks for; `rate_hz` is that of the stream's audio.

    Raises:
        WrongRequestError: no JSON object, no type that is known, or a field that makes no sense.
    """
    given = object_of(text)
    fields = Fields(given)
    kind = fields.choice("type", TYPES)
    match kind:
        case "configure":
            return Configure(given)
        case "marker":
            return Marker(_marker(fields))
        case "gap":
            return Missing(_missing(fields, rate_hz))
    if kind is None:
        raise WrongRequestError(f"a message has a type: {', '.join(TYPES)}", "type")
    return _PLAIN[kind]


def _marker(fields: Fields) -> str:
    marker = fields.text("id")
    if marker is None or len(marker) > MOST_MARKER_LENGTH:
        raise WrongRequestError(
            f"a marker has an id, a text of {MOST_MARKER_LENGTH} characters at most", "id"
        )
    return marker


def _missing(fields: Fields, rate_hz: int) -> int:
    samples = fields.whole("samples", 1, MOST_GAP_S * rate_hz)
    if samples is None:
        raise WrongRequestError(
            "a gap has samples, the number of those that are missing", "samples"
        )
    return samples


def ready(
    stream_id: str, model: str, settings: StreamSettings, context: ContextConfig, limits: Limits
) -> str:
    """The first message."""
    return _json(
        {
            "type": "ready",
            "protocol": VERSION,
            "id": stream_id,
            "model": model,
            "sample_rate": settings.sample_rate,
            "encoding": settings.encoding,
            "channels": settings.channels,
            "separate": settings.separate,
            **_context(context),
            "limits": {
                "message_bytes": limits.message_bytes,
                "messages_a_second": limits.messages_a_second,
                "idle_s": _s(limits.idle_s),
                "session_s": _s(limits.session_s),
            },
        }
    )


def message_of(
    event: SessionEvent, settings: StreamSettings, channel: int | None = None
) -> str | None:
    """A session event as a message; None for one that says nothing.

    Args:
        event: of one channel.
        settings: of the stream.
        channel: its number, where channels are separate.
    """
    if isinstance(event, Heard) and not (event.text or event.tentative or event.tokens):
        return None
    said = _utterance(event, settings) if isinstance(event, Heard | Ended) else _news(event)
    return _json(said if channel is None else {**said, "channel": channel})


def _utterance(event: Heard | Ended, settings: StreamSettings) -> dict[str, object]:
    tokens = {"tokens": [_token(each) for each in event.tokens]} if settings.tokens else {}
    if isinstance(event, Heard):
        return {
            "type": "partial",
            "utterance": event.utterance,
            "text": event.text,
            "tentative": event.tentative,
            "committed": _s(event.committed_s),
            "lookahead_end": _s(event.lookahead_end_s),
            **tokens,
        }
    return {
        "type": "final",
        "utterance": event.utterance,
        "text": event.text,
        "start": _s(event.start_s),
        "end": _s(event.end_s),
        "reason": event.reason,
        **({"words": [_word(each) for each in event.words]} if settings.words else {}),
        **tokens,
    }


def _news(
    event: Started | Stopped | Lost | ContextTold | Hinted | Marked | Cleared,
) -> dict[str, object]:
    said: dict[str, object]
    match event:
        case Started():
            said = {"type": "speech_started", "utterance": event.utterance, "at": _s(event.at_s)}
        case Stopped():
            said = {"type": "speech_ended", "utterance": event.utterance, "at": _s(event.at_s)}
        case Lost():
            said = {"type": "gap", "start": _s(event.start_s), "end": _s(event.end_s)}
        case ContextTold():
            said = {"type": "context_changed", "at": _s(event.at_s), **_context(event.context)}
        case Hinted():
            hint = event.hint
            said = {"type": "hint", "kind": hint.kind, "message": hint.message, "at": _s(hint.at)}
        case Marked():
            said = {"type": "marker", "id": event.marker}
        case _:  # Cleared
            said = {"type": "cleared"}
    return said


def stats(channels: Sequence[Mapping[str, object]]) -> str:
    """The answer to `stats`."""
    return _json({"type": "stats", "channels": list(channels)})


def error(answer: Answer, *, fatal: bool) -> str:
    """A mistake, or what ends the stream."""
    said: dict[str, object] = {
        "type": "error",
        "code": answer.code,
        "message": answer.message,
        "fatal": fatal,
    }
    if answer.field:
        said["field"] = answer.field
    if answer.retry_after_s is not None:
        said["retry_after_s"] = answer.retry_after_s
    return _json(said)


def going_away(reason: str, seconds: float) -> str:
    """The server is about to stop."""
    return _json({"type": "going_away", "reason": reason, "deadline_s": _s(seconds)})


def _context(context: ContextConfig) -> dict[str, object]:
    return {"context": str(context), "latency_s": _s(context.latency_s)}


def _word(word: Word | Token) -> dict[str, object]:
    return {
        "text": word.text,
        "start": _s(word.start),
        "end": _s(word.end),
        "confidence": round(word.confidence, 4),
    }


def _token(token: Token) -> dict[str, object]:
    return {
        "id": token.id,
        **_word(token),
        "start_frame": token.start_frame,
        "duration_frames": token.duration_frames,
    }


def _s(seconds: float) -> float:
    return round(seconds, 3)


def _json(said: Mapping[str, object]) -> str:
    return json.dumps(said, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
