"""What is told on `/v1/stream`: session events in, JSON out.

`docs/protocol.md` specifies it. Times are seconds, rounded to milliseconds.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from parakeet_streaming.results import Token, Word
from parakeet_streaming.server.limits import Limits
from parakeet_streaming.server.protocols.native_settings import StreamSettings
from parakeet_streaming.server.replies import Answer
from parakeet_streaming.server.session_events import (
    Cleared,
    ContextTold,
    Ended,
    Heard,
    Hinted,
    Kept,
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


@dataclass(frozen=True, slots=True)
class CheckpointTerms:
    """What a client has to know of checkpoints."""

    every_s: float
    replay_s: float
    """Seconds of audio that a client may have to send again."""
    lasts_s: float
    shared: bool
    """Whether other servers may know the key."""


def ready(
    stream_id: str,
    model: str,
    settings: StreamSettings,
    context: ContextConfig,
    limits: Limits,
    terms: CheckpointTerms | None = None,
    resumed: Mapping[str, object] | None = None,
) -> str:
    """The first message, and the answer to `configure` and `resume`.

    Args:
        stream_id: its name.
        model: that is loaded.
        settings: of the stream.
        context: it begins with.
        limits: of the server.
        terms: of checkpoints; None where none were asked for.
        resumed: how it goes on; None for a stream that begins.
    """
    more: dict[str, object] = {}
    if terms is not None:
        more["checkpoints"] = {
            "every_s": _s(terms.every_s),
            "replay_s": _s(terms.replay_s),
            "lasts_s": _s(terms.lasts_s),
            "shared": terms.shared,
        }
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
            **more,
            **(resumed or {}),
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
    if isinstance(event, Kept):
        return None
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
            **({"offset": event.offset} if settings.checkpoints else {}),
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
            said = {"type": "cleared", "utterance": event.utterance}
    return said


def configured(settings: StreamSettings) -> str:
    """The answer to a `configure` of phrases while audio comes."""
    return _json({"type": "configured", "phrases": len(settings.phrases), "boost": settings.boost})


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
    if answer.reason:
        said["reason"] = answer.reason
    if answer.retry_after_s is not None:
        said["retry_after_s"] = answer.retry_after_s
    return _json(said)


def checkpoint(token: bytes, sample: int, answered: int, number: int) -> str:
    """From where the stream can go on elsewhere."""
    return _json(
        {
            "type": "checkpoint",
            "number": number,
            "sample": sample,
            "answered": answered,
            "checkpoint": b64encode(token).decode(),
        }
    )


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
        **({"boosted": True} if word.boosted else {}),
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
