"""Transcripts and events in; text as txt, srt, vtt, json or jsonl out. No file is touched here.

Rules of this file:

1. How text becomes subtitles is in `subtitles/`. No text of a cue is a line that a player reads
   as the end of the cue, as times, or as markup.
2. Times in JSON are seconds with at most three decimals. JSON is always JSON: a number that is not
   finite is null, and what cannot be seen (controls, half a character) is written as an escape.
3. Text that a model recognised is without controls in txt, srt and vtt, and as it is in JSON.
4. `json` is one object per recording. `jsonl` is one line per event while the recording runs, and
   at the end the object of `json` in one line.
5. Where channels were recognised each for itself, an utterance is a line of `txt` with its channel
   before it, a cue says whose it is (`<v agent>` in vtt), and JSON has `channel` and `speaker`.
6. Each line of `jsonl` has a `type`. Those of events are named after their classes: `partial`,
   `final` (an utterance has ended, with its reason), `speech_started`, `speech_ended`, `gap`,
   `context_changed` and `health_hint`. The last line, the whole recording, has the type
   `transcript`.
"""

from __future__ import annotations

import html
import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal
from typing import Final as Constant

from parakeet_streaming.channels import ChannelEvent, SeparateTranscript
from parakeet_streaming.errors import OptionError
from parakeet_streaming.json_objects import context_object, event_object, transcript_object
from parakeet_streaming.plain_text import escaped, readable, visible
from parakeet_streaming.results import Event, Transcript
from parakeet_streaming.subtitles.cues import Cue, CueBuilder
from parakeet_streaming.subtitles.options import TRADE, SubtitleOptions
from parakeet_streaming.subtitles.units import units_of
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

    transcript: Transcript | SeparateTranscript
    model: str
    context: ContextConfig | None
    """None for offline."""
    latency_s: float | None
    """Chunk plus right context; None for offline."""
    processing_s: float
    """Seconds spent computing, without waiting for audio."""
    source: str = ""
    """Name of the file, or `-`."""


def to_txt(transcript: Transcript | SeparateTranscript) -> str:
    """One line per segment; of separate channels one per utterance, with its channel."""
    if isinstance(transcript, SeparateTranscript):
        return f"{transcript.text}\n" if transcript.text else ""
    return "".join(f"{readable(segment.text)}\n" for segment in transcript.segments)


def to_srt(
    transcript: Transcript | SeparateTranscript, first: int = 1, options: SubtitleOptions = TRADE
) -> str:
    """SubRip subtitles, numbered from `first`; above 1 they continue earlier ones."""
    made = enumerate(cues(transcript, options), first)
    return "".join(to_srt_cue(cue, number) for number, cue in made)


def to_srt_cue(cue: Cue, number: int) -> str:
    """One subtitle of SubRip; above 1 it continues earlier ones. Markup becomes wide."""
    before = "\n" if number > 1 else ""
    times = f"{_clock(cue.start, ',')} --> {_clock(cue.end, ',')}"
    whose = f"{readable(cue.speaker)}: " if cue.speaker else ""
    text = _SRT_MARKUP.sub(lambda found: chr(ord(found[0]) + _WIDE), whose + _lines_of(cue))
    return f"{before}{number}\n{times}\n{text}\n"


def to_vtt(transcript: Transcript | SeparateTranscript, options: SubtitleOptions = TRADE) -> str:
    """WebVTT subtitles; `&`, `<` and `>` would be markup and are escaped."""
    return f"{VTT_HEADER}{''.join(to_vtt_cue(cue) for cue in cues(transcript, options))}"


def to_vtt_cue(cue: Cue) -> str:
    """One subtitle of WebVTT, with the times of its words where the cue has them."""
    times = f"{_clock(cue.start, '.')} --> {_clock(cue.end, '.')}"
    text = _timed(cue) if cue.times else html.escape(_lines_of(cue), quote=False)
    if cue.speaker:
        text = f"<v {html.escape(readable(cue.speaker), quote=False)}>{text}</v>"
    return f"\n{times}\n{text}\n"


def to_vtt_note(text: str) -> str:
    """A comment between cues; `-->` would be a cue's."""
    return f"\nNOTE {_ARROW.sub('->', visible(' '.join(text.split())))}\n"


def to_json(recording: Recording) -> str:
    """One JSON object, indented."""
    return in_json(as_object(recording), indent=2) + "\n"


def to_jsonl(recording: Recording) -> str:
    """The last line after all events: the object of `to_json`, of type `transcript`."""
    return _line({"type": "transcript", **as_object(recording)})


def to_jsonl_event(
    event: Event | ChannelEvent, source: str = "", labels: Sequence[str] = ()
) -> str:
    """One line for one event; its types are in the rules of this file.

    Args:
        event: of a stream, or of one of several channels.
        source: the recording's name.
        labels: what its channels are called.
    """
    whose: dict[str, Any] = {}
    if isinstance(event, ChannelEvent):
        whose = {"channel": event.channel, "speaker": labels[event.channel]}
        event = event.event
    type_of, rest = event_object(event)
    return _line({"type": type_of, "source": source, **whose, **rest})


def render(recording: Recording, format: str, subtitles: SubtitleOptions = TRADE) -> str:
    """The recording in one of `FORMATS`; `subtitles` is for two of them.

    Raises:
        OptionError: another format.
    """
    match format:
        case "txt":
            return to_txt(recording.transcript)
        case "srt":
            return to_srt(recording.transcript, options=subtitles)
        case "vtt":
            return to_vtt(recording.transcript, subtitles)
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
        **transcript_object(transcript),
        "model": recording.model,
        "context": context_object(recording.context),
        "latency_s": recording.latency_s,
        "audio_s": round(transcript.audio_s, 3),
        "processing_s": round(recording.processing_s, 3),
    }


def cues(
    transcript: Transcript | SeparateTranscript, options: SubtitleOptions = TRADE
) -> Iterator[Cue]:
    """Subtitles of a transcript, in order; those of one channel do not overlap."""
    if isinstance(transcript, SeparateTranscript):
        told = [
            replace(cue, speaker=each.label)
            for each in transcript.channels
            for cue in cues(each.transcript, options)
        ]
        yield from sorted(told, key=lambda cue: cue.start)
        return
    builder = CueBuilder(options)
    for unit in units_of(transcript.segments, transcript.tokens, options):
        yield from builder.add(unit)
    yield from builder.end(transcript.audio_s)


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


def _timed(cue: Cue) -> str:
    """The lines of a cue with the time of each word before it; times must rise within the cue."""
    text, last_ms, end_ms = "", round(cue.start * 1000), round(cue.end * 1000)
    edges = [0, *(at for at, _ in cue.times), len(cue.text)]
    for begin, end, start in zip(
        edges, edges[1:], (None, *(s for _, s in cue.times)), strict=False
    ):
        start_ms = -1 if start is None else round(start * 1000)
        if last_ms < start_ms < end_ms:
            text += f"<{_clock(start_ms / 1000, '.')}>"
            last_ms = start_ms
        text += html.escape(cue.text[begin:end], quote=False)
    return text


def _line(value: dict[str, Any]) -> str:
    return in_json(value) + "\n"


def _clock(seconds: float, decimal: str) -> str:
    milliseconds = round(seconds * 1000)
    hours, rest = divmod(milliseconds, 3_600_000)
    minutes, rest = divmod(rest, 60_000)
    whole, thousandths = divmod(rest, 1000)
    return f"{hours:02d}:{minutes:02d}:{whole:02d}{decimal}{thousandths:03d}"
