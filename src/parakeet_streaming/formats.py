"""Transcripts and events in; text as txt, srt, vtt, json or jsonl out. No file is touched here.

Rules of this file:

1. Subtitle cues hold at most two lines of 42 characters and last at most 7 s; they break at the end
   of a sentence, at a pause of a second, or where they are full (the Netflix and BBC timed-text
   guides agree on these numbers).
2. A cue never ends after the next one starts, nor after the audio.
3. Times in JSON are seconds with at most three decimals. JSON is always JSON: a number that is not
   finite is null, and no text has half a character.
4. `json` is one object per recording. `jsonl` is one line per event while the recording runs, and
   at the end the object of `json` in one line.
5. Each line of `jsonl` has a `type`. Those of events are named after their classes: `partial`,
   `final` (an utterance has ended, with its reason), `speech_started`, `speech_ended`, `gap` and
   `context_changed`. The last line, the whole recording, has the type `transcript`.
"""

from __future__ import annotations

import html
import json
import math
import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from typing import Final as Constant

from parakeet_streaming.errors import OptionError
from parakeet_streaming.results import (
    ContextChanged,
    Event,
    Final,
    Gap,
    Partial,
    Segment,
    SpeechStarted,
    Token,
    Transcript,
    Word,
)
from parakeet_streaming.timeline import ContextConfig

Format = Literal["txt", "srt", "vtt", "json", "jsonl"]

FORMATS: Constant[tuple[str, ...]] = ("txt", "srt", "vtt", "json", "jsonl")

LINE_CHARACTERS: Constant = 42
CUE_LINES: Constant = 2
CUE_S: Constant = 7.0
SHORTEST_CUE_S: Constant = 0.7
PAUSE_S: Constant = 1.0

VTT_HEADER: Constant = "WEBVTT\n"

_SURROGATE: Constant = re.compile(r"[\ud800-\udfff]")


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


@dataclass(frozen=True, slots=True)
class Cue:
    """One subtitle."""

    start: float
    end: float
    text: str
    """One or two lines."""


def to_txt(transcript: Transcript) -> str:
    """One line per segment."""
    return "".join(f"{segment.text}\n" for segment in transcript.segments)


def to_srt(transcript: Transcript, first: int = 1) -> str:
    """SubRip subtitles, numbered from `first`; above 1 they continue earlier ones."""
    return "".join(
        ("\n" if number > 1 else "")
        + f"{number}\n{_clock(cue.start, ',')} --> {_clock(cue.end, ',')}\n{cue.text}\n"
        for number, cue in enumerate(cues(transcript), start=first)
    )


def to_vtt(transcript: Transcript) -> str:
    """WebVTT subtitles."""
    return f"{VTT_HEADER}{vtt_cues(transcript)}"


def vtt_cues(transcript: Transcript) -> str:
    """The cues of WebVTT without the header; `&`, `<` and `>` would be markup and are escaped."""
    return "".join(
        f"\n{_clock(cue.start, '.')} --> {_clock(cue.end, '.')}\n"
        f"{html.escape(cue.text, quote=False)}\n"
        for cue in cues(transcript)
    )


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
    groups = [group for segment in transcript.segments for group in _cue_words(segment.words)]
    for index, words in enumerate(groups):
        limit = groups[index + 1][0].start if index + 1 < len(groups) else transcript.audio_s
        start = words[0].start
        end = max(words[-1].end, start + SHORTEST_CUE_S)
        text = " ".join(word.text for word in words)
        lines = textwrap.wrap(text, LINE_CHARACTERS, break_long_words=False)
        yield Cue(start, max(min(end, limit), start), "\n".join(lines))


def _cue_words(words: Sequence[Word]) -> Iterator[list[Word]]:
    """Words divided so that each group makes one cue."""
    group: list[Word] = []
    for word in words:
        if group and _full(group, word):
            yield group
            group = []
        group.append(word)
    if group:
        yield group


def _full(group: Sequence[Word], word: Word) -> bool:
    text = " ".join(each.text for each in (*group, word))
    return (
        word.start - group[-1].end >= PAUSE_S
        or word.end - group[0].start > CUE_S
        or len(textwrap.wrap(text, LINE_CHARACTERS, break_long_words=False)) > CUE_LINES
    )


def _event_object(event: Event) -> tuple[str, dict[str, Any]]:
    if isinstance(event, Partial):
        return "partial", {
            "text": event.text,
            "tentative_text": event.tentative_text,
            "committed_s": round(event.committed_s, 3),
            "lookahead_end_s": round(event.lookahead_end_s, 3),
            "tokens": [_token_object(token) for token in event.tokens],
        }
    if isinstance(event, Gap):
        return "gap", {"start": round(event.start, 3), "end": round(event.end, 3)}
    if isinstance(event, ContextChanged):
        return "context_changed", {"context": str(event.context), "at": round(event.at, 3)}
    if isinstance(event, Final):
        numbered = {"utterance": event.utterance, "reason": event.reason}
        return "final", {**numbered, **_transcript_object(event.transcript)}
    started = isinstance(event, SpeechStarted)
    return "speech_started" if started else "speech_ended", {"at": round(event.at, 3)}


def in_json(value: object, *, indent: int | None = None) -> str:
    """A value of plain types as JSON that every reader takes.

    A number that is not finite becomes null, and half a character (of a file name that is no
    UTF-8) the escape that stands for it.
    """
    try:
        text = json.dumps(value, ensure_ascii=False, indent=indent, allow_nan=False)
    except ValueError:
        text = json.dumps(_finite(value), ensure_ascii=False, indent=indent, allow_nan=False)
    return _SURROGATE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _finite(value: Any) -> Any:  # noqa: ANN401  JSON is anything
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: _finite(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(each) for each in value]
    return value


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
    }


def _word_object(word: Word) -> dict[str, Any]:
    return {
        "text": word.text,
        "start": round(word.start, 3),
        "end": round(word.end, 3),
        "confidence": round(word.confidence, 4),
        **({"recovered": True} if word.recovered else {}),
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
