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

from parakeet_streaming.results import Word
from parakeet_streaming.server.protocols.fields import (
    object_of,
    text_of,
)
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
MOST_MARKER_LENGTH: Final = 256


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


Command = Finish | Commit | Clear | Marker | Configure | Stats


def command_of(text: str) -> Command:
    """What a text message asks for.

    Raises:
        WrongRequestError: no JSON object, no type that is known, or a field that makes no sense.
    """
    fields = object_of(text)
    kind = text_of(fields, "type")
    match kind:
        case "finish":
            return Finish()
        case "commit":
            return Commit()
        case "clear":
            return Clear()
        case "stats":
            return Stats()
        case "configure":
            return Configure(fields)
        case "marker":
            return Marker(_marker(fields))
    raise WrongRequestError(
        f"type {kind!r} is not known; use finish, commit, clear, marker, configure or stats", "type"
    )


def _marker(fields: Mapping[str, object]) -> str:
    marker = text_of(fields, "id")
    if marker is None or len(marker) > MOST_MARKER_LENGTH:
        raise WrongRequestError(
            f"a marker has an id, a text of {MOST_MARKER_LENGTH} characters at most", "id"
        )
    return marker


def ready(stream_id: str, model: str, settings: StreamSettings, context: ContextConfig) -> str:
    """The first message."""
    return _json(
        {
            "type": "ready",
            "protocol": VERSION,
            "id": stream_id,
            "model": model,
            "sample_rate": settings.sample_rate,
            "encoding": settings.encoding,
            "channels": "separate" if settings.separate else settings.channels,
            "channel_count": settings.channels,
            **_context(context),
        }
    )


def message_of(event: SessionEvent, *, words: bool, channel: int | None = None) -> str | None:
    """A session event as a message; None for one that says nothing.

    Args:
        event: of one channel.
        words: whether `final` lists them.
        channel: its number, where channels are separate.
    """
    if isinstance(event, Heard) and not (event.text or event.tentative or event.tokens):
        return None
    said = _utterance(event, words=words) if isinstance(event, Heard | Ended) else _news(event)
    return _json(said if channel is None else {**said, "channel": channel})


def _utterance(event: Heard | Ended, *, words: bool) -> dict[str, object]:
    if isinstance(event, Heard):
        return {
            "type": "partial",
            "utterance": event.utterance,
            "text": event.text,
            "tentative": event.tentative,
            "committed": _s(event.committed_s),
        }
    return {
        "type": "final",
        "utterance": event.utterance,
        "text": event.text,
        "start": _s(event.start_s),
        "end": _s(event.end_s),
        "reason": event.reason,
        **({"words": _words(event.words)} if words else {}),
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
        case Cleared():
            said = {"type": "cleared"}
    return said


def stats(channels: Sequence[Mapping[str, object]]) -> str:
    """The answer to `stats`."""
    return _json({"type": "stats", "channels": list(channels)})


def error(answer: Answer) -> str:
    """A mistake, or what ends the stream."""
    said: dict[str, object] = {
        "type": "error",
        "code": answer.code,
        "message": answer.message,
    }
    return _json({**said, "field": answer.field} if answer.field else said)


def going_away(reason: str, seconds: float) -> str:
    """The server is about to stop."""
    return _json({"type": "going_away", "reason": reason, "deadline_s": _s(seconds)})


def _context(context: ContextConfig) -> dict[str, object]:
    left, chunk, right = context.effective
    return {
        "context": {"left": _s(left), "chunk": _s(chunk), "right": _s(right)},
        "latency_s": _s(context.latency_s),
    }


def _words(words: Sequence[Word]) -> list[dict[str, object]]:
    return [
        {
            "text": word.text,
            "start": _s(word.start),
            "end": _s(word.end),
            "confidence": round(word.confidence, 4),
        }
        for word in words
    ]


def _s(seconds: float) -> float:
    return round(seconds, 3)


def _json(said: Mapping[str, object]) -> str:
    return json.dumps(said, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
