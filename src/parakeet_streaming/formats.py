"""Transcripts and events in; text as txt, srt, vtt, json or jsonl out. No file is touched here.

Rules of this file:

1. How text becomes subtitles is in `subtitles.py`. No text of a cue is a line that a player reads
   as the end of the cue, as times, or as markup.
2. Times in JSON are seconds with at most three decimals. JSON is always JSON: a number that is not
   finite is null, and what cannot be seen (controls, half a character) is written as an escape.
3. Text that a model recognised is without controls in txt, srt and vtt, and as it is in JSON.
4. `json` is one object per recording. `jsonl` is one line per event while the recording runs, and
   at the end the object of `json` in one line.
5. Each line of `jsonl` has a `type`. Those of events are named after their classes: `partial`,
   `final` (an utterance has ended, with its reason), `speech_started`, `speech_ended`, `gap`,
   `context_changed` and `health_hint`. The last line, the whole recording, has the type
   `transcript`.
"""

from __future__ import annotations

import html
import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal
from typing import Final as Constant

from parakeet_streaming.errors import OptionError
from parakeet_streaming.plain_text import escaped, readable, visible
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
from parakeet_streaming.subtitles import Cue, CueBuilder, units_of
from parakeet_streaming.timeline import ContextConfig

Format = Literal["txt", "srt", "vtt", "json", "jsonl"]

FORMATS: Constant[tuple[str, ...]] = ("txt", "srt", "vtt", "json", "jsonl")

VTT_HEADER: Constant = "WEBVTT\n"

# SubRip has no escapes. Players take tags and braces for markup, some a backslash or an entity too;
# their wide forms look alike and mean nothing.
_SRT_MARKUP: Constant = re.compile(r"[<>{}\\]|&(?=#?\w+;)")
_WIDE: Constant = 0xFEE0
"""From a character of ASCII to its wide form."""
_ARROW: Constant = re.compile("-{2,}>")


@dataclass(frozen=True, slots=True)
class Recording:
    """A transcript, and how it was made."""

    transcript: Transcript
    model: str
    context: ContextConfig | None
    """None for offline."""
    latency_s: float | None
    """Chunk plus right context; None for offline."""
    processing_s: float
    """Seconds spent computing, without waiting for audio."""
    source: str = ""
    """Name of the file, or `-`."""


def to_txt(transcript: Transcript) -> str:
    """One line per segment."""
    return "".join(f"{readable(segment.text)}\n" for segment in transcript.segments)


def to_srt(transcript: Transcript, first: int = 1) -> str:
    """SubRip subtitles, numbered from `first`; above 1 they continue earlier ones."""
    return "".join(to_srt_cue(cue, number) for number, cue in enumerate(cues(transcript), first))


def to_srt_cue(cue: Cue, number: int) -> str:
    """One subtitle of SubRip; above 1 it continues earlier ones. Markup becomes wide."""
    before = "\n" if number > 1 else ""
    times = f"{_clock(cue.start, ',')} --> {_clock(cue.end, ',')}"
    text = _SRT_MARKUP.sub(lambda found: chr(ord(found[0]) + _WIDE), _lines_of(cue))
    return f"{before}{number}\n{times}\n{text}\n"


def to_vtt(transcript: Transcript) -> str:
    """WebVTT subtitles."""
    return f"{VTT_HEADER}{vtt_cues(transcript)}"


def vtt_cues(transcript: Transcript) -> str:
    """The cues of WebVTT without the header; `&`, `<` and `>` would be markup and are escaped."""
    return "".join(to_vtt_cue(cue) for cue in cues(transcript))


def to_vtt_cue(cue: Cue) -> str:
    """One subtitle of WebVTT."""
    times = f"{_clock(cue.start, '.')} --> {_clock(cue.end, '.')}"
    return f"\n{times}\n{html.escape(_lines_of(cue), quote=False)}\n"


def to_vtt_note(text: str) -> str:
    """A comment between cues; `-->` would be a cue's."""
    return f"\nNOTE {_ARROW.sub('->', visible(' '.join(text.split())))}\n"


def to_json(recording: Recording) -> str:
    """One JSON object, indented."""
    return in_json(as_object(recording), indent=2) + "\n"


def to_jsonl(recording: Recording) -> str:
    """The last line after all events: the object of `to_json`, of type `transcript`."""
    return _line({"type": "transcript", **as_object(recording)})


def to_jsonl_event(event: Event, source: str = "") -> str:
    """One line for one event; its types are in the rules of this file."""
    type_of, rest = _event_object(event)
    return _line({"type": type_of, "source": source, **rest})


def render(recording: Recording, format: str) -> str:
    """The recording in one of `FORMATS`.

    Raises:
        OptionError: another format.
    """
    match format:
        case "txt":
            return to_txt(recording.transcript)
        case "srt":
            return to_srt(recording.transcript)
        case "vtt":
            return to_vtt(recording.transcript)
        case "json":
            return to_json(recording)
        case "jsonl":
            return to_jsonl(recording)
        case _:
            raise OptionError(f"format {format!r} does not exist; use {', '.join(FORMATS)}")


def as_object(recording: Recording) -> dict[str, Any]:
    """The recording as JSON's own types."""
    transcript = recording.transcript
    return {
        "source": recording.source,
        **_transcript_object(transcript),
        "model": recording.model,
        "context": _context_object(recording.context),
        "latency_s": recording.latency_s,
        "audio_s": round(transcript.audio_s, 3),
        "processing_s": round(recording.processing_s, 3),
    }


def cues(transcript: Transcript) -> Iterator[Cue]:
    """Subtitles of a transcript, in order; they do not overlap."""
    builder = CueBuilder()
    for unit in units_of(transcript.segments, transcript.tokens):
        yield from builder.add(unit)
    yield from builder.end(transcript.audio_s)


def _event_object(event: Event) -> tuple[str, dict[str, Any]]:
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
        return "final", {**numbered, **_transcript_object(event.transcript)}
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


def in_json(value: object, *, indent: int | None = None) -> str:
    """A value of plain types as JSON that every reader takes, and a terminal too.

    A number that is not finite becomes null. What cannot be seen becomes the escape that stands for
    it: controls, and half a character (of a file name that is no UTF-8).
    """
    try:
        text = json.dumps(value, ensure_ascii=False, indent=indent, allow_nan=False)
    except ValueError:
        text = json.dumps(_finite(value), ensure_ascii=False, indent=indent, allow_nan=False)
    return escaped(text)


def _finite(value: Any) -> Any:  # noqa: ANN401  JSON is anything
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: _finite(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(each) for each in value]
    return value


def _lines_of(cue: Cue) -> str:
    """The lines of a cue that say something: an empty one would end it."""
    lines = (readable(line).strip() for line in cue.text.split("\n"))
    return "\n".join(line for line in lines if line)


def _line(value: dict[str, Any]) -> str:
    return in_json(value) + "\n"


def _clock(seconds: float, decimal: str) -> str:
    milliseconds = round(seconds * 1000)
    hours, rest = divmod(milliseconds, 3_600_000)
    minutes, rest = divmod(rest, 60_000)
    whole, thousandths = divmod(rest, 1000)
    return f"{hours:02d}:{minutes:02d}:{whole:02d}{decimal}{thousandths:03d}"


def _transcript_object(transcript: Transcript) -> dict[str, Any]:
    return {
        "text": transcript.text,
        "tokens": [_token_object(token) for token in transcript.tokens],
        "words": [_word_object(word) for word in transcript.words],
        "segments": [_segment_object(segment) for segment in transcript.segments],
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
    }


def _word_object(word: Word) -> dict[str, Any]:
    return {
        "text": word.text,
        "start": round(word.start, 3),
        "end": round(word.end, 3),
        "confidence": round(word.confidence, 4),
        **({"recovered": True} if word.recovered else {}),
        **({"boosted": True} if word.boosted else {}),
    }


def _segment_object(segment: Segment) -> dict[str, Any]:
    return {
        "text": segment.text,
        "start": round(segment.start, 3),
        "end": round(segment.end, 3),
    }


def _context_object(context: ContextConfig | None) -> dict[str, Any] | None:
    if context is None:
        return None
    names = ("left", "chunk", "right")
    asked = (context.left, context.chunk, context.right)
    return {
        "asked": dict(zip(names, asked, strict=True)),
        "effective": dict(zip(names, context.effective, strict=True)),
    }
