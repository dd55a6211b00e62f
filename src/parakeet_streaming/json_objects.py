"""Transcripts and events in; objects of JSON's own types out.

Rules of this file:

1. Times are seconds with at most three decimals.
2. Each event has the fields of its class, and its type is named after it.
3. Where channels were recognised each for itself, `utterances` are those of all channels in order
   of time, and `channels` has all of each.
"""

from __future__ import annotations

from typing import Any

from parakeet_streaming.channels import SeparateTranscript, Utterance
from parakeet_streaming.results import (
    ContextChanged,
    Event,
    Final,
    Gap,
    HealthHint,
    Partial,
    Segment,
    SnapshotTaken,
    SpeechEnded,
    SpeechStarted,
    Token,
    Transcript,
    Word,
)
from parakeet_streaming.timeline import ContextConfig


def event_object(event: Event) -> tuple[str, dict[str, Any]]:
    """The type of an event, and its fields."""
    if isinstance(event, Partial):
        return "partial", {
            "text": event.text,
            "tentative_text": event.tentative_text,
            "committed_s": round(event.committed_s, 3),
            "lookahead_end_s": round(event.lookahead_end_s, 3),
            "tokens": [_token_object(token) for token in event.tokens],
        }
    if isinstance(event, Final):
        numbered = {"utterance": event.utterance, "reason": event.reason}
        return "final", {**numbered, **transcript_object(event.transcript)}
    return _news_object(event)


def _news_object(event: Event) -> tuple[str, dict[str, Any]]:
    """Of what is told beside text."""
    if isinstance(event, Gap):
        return "gap", {"start": round(event.start, 3), "end": round(event.end, 3)}
    if isinstance(event, ContextChanged):
        return "context_changed", {"context": str(event.context), "at": round(event.at, 3)}
    if isinstance(event, HealthHint):
        hint = {"kind": event.kind, "message": event.message}
        return "health_hint", {**hint, "at": round(event.at, 3)}
    if isinstance(event, SnapshotTaken):
        return "snapshot_taken", {"position": event.position}
    if isinstance(event, SpeechStarted):
        return "speech_started", {"at": round(event.at, 3)}
    assert isinstance(event, SpeechEnded), "partials and finals are no news"
    return "speech_ended", {"at": round(event.at, 3)}


def transcript_object(transcript: Transcript | SeparateTranscript) -> dict[str, Any]:
    """A transcript, of one stream or of separate channels."""
    if isinstance(transcript, SeparateTranscript):
        return _separate_object(transcript)
    return {
        "text": transcript.text,
        "tokens": [_token_object(token) for token in transcript.tokens],
        "words": [_word_object(word) for word in transcript.words],
        "segments": [_segment_object(segment) for segment in transcript.segments],
    }


def _separate_object(transcript: SeparateTranscript) -> dict[str, Any]:
    return {
        "text": transcript.text,
        "utterances": [_utterance_object(each) for each in transcript.utterances],
        "channels": [
            {
                "channel": each.channel,
                "speaker": each.label,
                **transcript_object(each.transcript),
            }
            for each in transcript.channels
        ],
    }


def _utterance_object(utterance: Utterance) -> dict[str, Any]:
    return {
        "channel": utterance.channel,
        "speaker": utterance.label,
        "text": utterance.text,
        "start": round(utterance.start, 3),
        "end": round(utterance.end, 3),
        "words": [_word_object(word) for word in utterance.words],
    }


def _token_object(token: Token) -> dict[str, Any]:
    return {
        "id": token.id,
        "text": token.text,
        "start": round(token.start, 3),
        "end": round(token.end, 3),
        "duration_frames": token.duration_frames,
        "start_frame": token.start_frame,
        "confidence": round(token.confidence, 4),
        **({"recovered": True} if token.recovered else {}),
        **({"boosted": True} if token.boosted else {}),
        **({"spoken": token.spoken} if token.spoken else {}),
    }


def _word_object(word: Word) -> dict[str, Any]:
    return {
        "text": word.text,
        "start": round(word.start, 3),
        "end": round(word.end, 3),
        "confidence": round(word.confidence, 4),
        **({"recovered": True} if word.recovered else {}),
        **({"boosted": True} if word.boosted else {}),
        **({"spoken": word.spoken} if word.spoken else {}),
    }


def _segment_object(segment: Segment) -> dict[str, Any]:
    return {
        "text": segment.text,
        "start": round(segment.start, 3),
        "end": round(segment.end, 3),
    }


def context_object(context: ContextConfig | None) -> dict[str, Any] | None:
    """A context as it was asked for, and as it is in whole frames; None for offline."""
    if context is None:
        return None
    names = ("left", "chunk", "right")
    asked = (context.left, context.chunk, context.right)
    return {
        "asked": dict(zip(names, asked, strict=True)),
        "effective": dict(zip(names, context.effective, strict=True)),
    }
