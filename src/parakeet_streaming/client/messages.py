"""A message of the server in, a value out; what is asked of it in, JSON out.

Rules of this file:

1. Types and fields that are not known are ignored: a later server may send them.
2. A message without a field that it must have is an error, and names the field.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, get_args
from typing import Final as Constant

from parakeet_streaming.client.events import (
    ChannelStats,
    CheckpointTerms,
    Cleared,
    ContextChanged,
    Event,
    Final,
    Gap,
    GoingAway,
    Hint,
    Marker,
    Mistake,
    Partial,
    Ready,
    SpeechEnded,
    SpeechStarted,
)
from parakeet_streaming.errors import ServerError
from parakeet_streaming.results import EndReason, Token, Word
from parakeet_streaming.timeline import ContextConfig

_REASONS: Constant = get_args(EndReason)


@dataclass(frozen=True, slots=True)
class Stats:
    """The answer to `stats`."""

    channels: tuple[ChannelStats, ...]


@dataclass(frozen=True, slots=True)
class Failed:
    """Why the server is about to close."""

    code: str
    message: str
    retry_after_s: float | None


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """From where the stream can go on."""

    token: str
    sample: int
    """The first that it needs again."""
    answered: int
    """Commits and clears that were answered before it."""


@dataclass(frozen=True, slots=True)
class NotResumed:
    """The server does not go on from that checkpoint; its stream begins."""

    reason: str
    message: str


Told = Ready | Event | Stats | Failed | Checkpoint | NotResumed
"""What a message can say."""


def command(kind: str, **fields: object) -> str:
    """A message for the server."""
    return json.dumps({"type": kind, **fields})


def told_by(text: str | bytes) -> Told | None:
    """What a message says; None for one of a type that this version does not know.

    Raises:
        ServerError: it is no message of this protocol.
    """
    try:
        fields = json.loads(text)
        return _told(fields["type"], fields)
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
        raise ServerError(
            f"the server sent what this client does not understand ({error!r}): {text[:80]!r}"
        ) from None


def _told(kind: str, fields: Mapping[str, Any]) -> Told | None:
    read = _READ.get(kind)
    return None if read is None else read(fields)


def _error(fields: Mapping[str, Any]) -> Failed | Mistake | NotResumed:
    if fields["fatal"]:
        return Failed(fields["code"], fields["message"], fields.get("retry_after_s"))
    if fields["code"] == "checkpoint_refused":
        return NotResumed(str(fields.get("reason", "")), fields["message"])
    return Mistake(fields["code"], fields["message"], fields.get("field"))


def _context_changed(fields: Mapping[str, Any]) -> ContextChanged:
    context = ContextConfig.parse(fields["context"])
    latency_s, at = float(fields["latency_s"]), float(fields["at"])
    return ContextChanged(context, latency_s, at, _channel(fields))


def _hint(fields: Mapping[str, Any]) -> Hint:
    return Hint(fields["kind"], fields["message"], float(fields["at"]), _channel(fields))


def _ready(fields: Mapping[str, Any]) -> Ready:
    limits = fields["limits"]
    return Ready(
        id=fields["id"],
        model=fields["model"],
        sample_rate=fields["sample_rate"],
        encoding=fields["encoding"],
        channels=fields["channels"],
        separate=fields["separate"],
        context=ContextConfig.parse(fields["context"], fields["sample_rate"]),
        latency_s=float(fields["latency_s"]),
        idle_s=float(limits["idle_s"]),
        session_s=float(limits["session_s"]),
        checkpoints=_terms(fields.get("checkpoints")),
        resumed=fields.get("resumed", ""),
        sample=fields.get("sample", 0),
    )


def _terms(fields: Mapping[str, Any] | None) -> CheckpointTerms | None:
    if fields is None:
        return None
    every_s, replay_s, lasts_s = (
        float(fields[name]) for name in ("every_s", "replay_s", "lasts_s")
    )
    return CheckpointTerms(every_s, replay_s, lasts_s, bool(fields["shared"]))


def _checkpoint(fields: Mapping[str, Any]) -> Checkpoint:
    sample, answered = int(fields["sample"]), int(fields["answered"])
    return Checkpoint(_string(fields["checkpoint"]), sample, answered)


def _partial(fields: Mapping[str, Any]) -> Partial:
    return Partial(
        fields["utterance"],
        _string(fields["text"]),
        _string(fields["tentative"]),
        float(fields["committed"]),
        float(fields["lookahead_end"]),
        tuple(_token(each) for each in fields.get("tokens", ())),
        _channel(fields),
        fields.get("offset", -1),
    )


def _final(fields: Mapping[str, Any]) -> Final:
    reason = fields["reason"]
    return Final(
        fields["utterance"],
        _string(fields["text"]),
        float(fields["start"]),
        float(fields["end"]),
        reason if reason in _REASONS else "end",
        tuple(_word(each) for each in fields.get("words", ())),
        tuple(_token(each) for each in fields.get("tokens", ())),
        _channel(fields),
    )


def _string(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return value


def _word(fields: Mapping[str, Any]) -> Word:
    boosted = bool(fields.get("boosted", False))
    times = fields["start"], fields["end"]
    return Word(fields["text"], *times, fields["confidence"], boosted=boosted)


def _token(fields: Mapping[str, Any]) -> Token:
    return Token(
        fields["id"],
        fields["text"],
        fields["start_frame"],
        fields["duration_frames"],
        fields["start"],
        fields["end"],
        fields["confidence"],
        boosted=bool(fields.get("boosted", False)),
    )


def _stats(fields: Mapping[str, Any]) -> ChannelStats:
    return ChannelStats(
        fields["id"],
        fields["audio_s"],
        fields["speech_s"],
        fields["backlog_s"],
        fields["lag_s"],
        fields["tokens"],
        fields["utterances"],
        ContextConfig.parse(fields["context"]),
        fields.get("emission_delay_p95_s"),
    )


def _channel(fields: Mapping[str, Any]) -> int:
    channel: int = fields.get("channel", 0)
    return channel


_READ: Constant[dict[str, Callable[[Mapping[str, Any]], Told]]] = {
    "ready": _ready,
    "partial": _partial,
    "final": _final,
    "speech_started": lambda of: SpeechStarted(of["utterance"], float(of["at"]), _channel(of)),
    "speech_ended": lambda of: SpeechEnded(of["utterance"], float(of["at"]), _channel(of)),
    "gap": lambda of: Gap(float(of["start"]), float(of["end"]), _channel(of)),
    "context_changed": _context_changed,
    "hint": _hint,
    "marker": lambda of: Marker(of["id"], _channel(of)),
    "cleared": lambda of: Cleared(_channel(of), of.get("utterance", 0)),
    "checkpoint": _checkpoint,
    "stats": lambda of: Stats(tuple(_stats(each) for each in of["channels"])),
    "error": _error,
    "going_away": lambda of: GoingAway(of["reason"], float(of["deadline_s"])),
}
