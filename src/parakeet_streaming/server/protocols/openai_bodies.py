"""Transcripts of a file, or its text as it comes, in; the bodies that OpenAI's clients read, out.

Rules of this file:

1. Shapes are those of openai-python 3.57.0 (`types/audio`). What a model of this kind does not have
   (`seek`, `temperature`, `no_speech_prob`) gets the value that says nothing.
2. Where channels are recognised alone, a transcript has a number of its channel, and the body has
   `channels`; the text of the whole is that of its channels, a line each.
3. Events of a stream: the deltas, joined, are the text of the last one.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from parakeet_streaming.formats import (
    VTT_HEADER,
    cues,
    in_json,
    to_srt_cue,
    to_vtt_cue,
    to_vtt_note,
)
from parakeet_streaming.results import Segment, Token, Transcript
from parakeet_streaming.server.protocols.openai_rest import TranscriptionRequest
from parakeet_streaming.subtitles.cues import Cue

EVENT_STREAM: Final = "text/event-stream; charset=utf-8"
_JSON: Final = "application/json"
_PLAIN: Final = "text/plain; charset=utf-8"
_VTT: Final = "text/vtt; charset=utf-8"
_LEAST_CONFIDENCE: Final = 1e-9


@dataclass(frozen=True, slots=True)
class Heard:
    """What was recognised in one channel, or in the average of all."""

    transcript: Transcript
    channel: int | None = None


@dataclass(frozen=True, slots=True)
class Answered:
    """All that an answer is made of."""

    heard: Sequence[Heard]
    language: str
    warnings: Sequence[str] = ()

    @property
    def text(self) -> str:
        return "\n".join(each.transcript.text for each in self.heard if each.transcript.text)

    @property
    def audio_s(self) -> float:
        return max((each.transcript.audio_s for each in self.heard), default=0.0)


def body(request: TranscriptionRequest, answered: Answered) -> tuple[bytes, str]:
    """The whole answer, and its content type."""
    match request.format:
        case "text":
            return f"{answered.text}\n".encode(), _PLAIN
        case "srt":
            return _srt(answered).encode(), _PLAIN
        case "vtt":
            return _vtt(answered).encode(), _VTT
        case _:
            return in_json(_object(request, answered)).encode(), _JSON


def delta_event(
    text: str, tokens: Iterable[Token], request: TranscriptionRequest, channel: int | None
) -> bytes:
    """Text as it was committed."""
    event: dict[str, Any] = {"type": "transcript.text.delta", "delta": text}
    if request.logprobs:
        event["logprobs"] = _logprobs(tokens)
    if channel is not None:
        event["channel"] = channel
    return _event(event)


def segment_events(heard: Heard) -> Iterator[bytes]:
    """Segments of a channel, as of a speaker."""
    for segment in _diarized(heard):
        yield _event(segment)


def done_event(text: str, request: TranscriptionRequest, answered: Answered) -> bytes:
    """The end; `text` is that of the deltas."""
    # Its usage is typed as tokens of a price list, so there is none.
    about = _object(request, answered)
    about.pop("usage")
    return _event({**about, "type": "transcript.text.done", "text": text})


def error_event(error: object) -> bytes:
    """The end by an error; `error` is the body that a refusal would have."""
    return _event(error)


def _event(value: object) -> bytes:
    return f"data: {in_json(value)}\n\n".encode()


def _object(request: TranscriptionRequest, answered: Answered) -> dict[str, Any]:
    about: dict[str, Any] = {"text": answered.text}
    if request.format == "verbose_json":
        about |= _verbose(request, answered)
    elif request.format == "diarized_json":
        segments = [segment for each in answered.heard for segment in _diarized(each)]
        about |= {"task": "transcribe", "duration": round(answered.audio_s, 3)}
        about["segments"] = sorted(segments, key=lambda each: each["start"])
    if request.logprobs:
        about["logprobs"] = _logprobs(_tokens(answered))
    if request.separate:
        about["channels"] = [
            {"channel": each.channel, "text": each.transcript.text} for each in answered.heard
        ]
    if answered.warnings:
        about["warnings"] = list(answered.warnings)
    about["usage"] = {"type": "duration", "seconds": round(answered.audio_s, 3)}
    return about


def _tokens(answered: Answered) -> Iterator[Token]:
    for each in answered.heard:
        yield from each.transcript.tokens


def _logprobs(tokens: Iterable[Token]) -> list[dict[str, Any]]:
    return [
        {
            "token": token.text,
            "bytes": list(token.text.encode(errors="replace")),
            "logprob": round(_logprob(token), 6),
        }
        for token in tokens
    ]


def _logprob(token: Token) -> float:
    return math.log(max(_LEAST_CONFIDENCE, token.confidence))


def _verbose(request: TranscriptionRequest, answered: Answered) -> dict[str, Any]:
    about: dict[str, Any] = {
        "task": "transcribe",
        "language": answered.language,
        "duration": round(answered.audio_s, 3),
    }
    if request.words:
        words = [
            {
                "word": word.text,
                "start": round(word.start, 3),
                "end": round(word.end, 3),
                "confidence": round(word.confidence, 4),
                **_of_channel(each),
            }
            for each in answered.heard
            for word in each.transcript.words
        ]
        about["words"] = sorted(words, key=lambda each: each["start"])
    if request.segments:
        segments = [
            _segment(segment, tokens) | _of_channel(each)
            for each in answered.heard
            for segment, tokens in _with_tokens(each.transcript)
        ]
        segments.sort(key=lambda each: each["start"])
        about["segments"] = [{"id": number} | each for number, each in enumerate(segments)]
    return about


def _of_channel(heard: Heard) -> dict[str, int]:
    return {} if heard.channel is None else {"channel": heard.channel}


def _segment(segment: Segment, tokens: Sequence[Token]) -> dict[str, Any]:
    spoken = segment.text.encode(errors="replace")
    logprobs = [_logprob(token) for token in tokens] or [0.0]
    return {
        "seek": 0,
        "start": round(segment.start, 3),
        "end": round(segment.end, 3),
        "text": segment.text,
        "tokens": [token.id for token in tokens],
        "temperature": 0.0,
        "avg_logprob": round(sum(logprobs) / len(logprobs), 6),
        "compression_ratio": round(len(spoken) / len(zlib.compress(spoken)), 4),
        "no_speech_prob": 0.0,
    }


def _with_tokens(transcript: Transcript) -> Iterator[tuple[Segment, list[Token]]]:
    """Each segment with its tokens: as many as make up its letters."""
    at, tokens = 0, transcript.tokens
    for number, segment in enumerate(transcript.segments, 1):
        letters, own = _letters(segment.text), list[Token]()
        is_last = number == len(transcript.segments)
        while at < len(tokens) and (letters > 0 or is_last):
            letters -= _letters(tokens[at].text)
            own.append(tokens[at])
            at += 1
        yield segment, own


def _letters(text: str) -> int:
    return sum(len(part) for part in text.split())


def _diarized(heard: Heard) -> Iterator[dict[str, Any]]:
    for number, segment in enumerate(heard.transcript.segments):
        yield {
            "type": "transcript.text.segment",
            "id": f"seg_{heard.channel or 0}_{number}",
            "start": round(segment.start, 3),
            "end": round(segment.end, 3),
            "text": segment.text,
            "speaker": f"channel {heard.channel or 0}",
        }


def _cues(answered: Answered) -> list[Cue]:
    """Subtitles; where there are several channels, each says whose it is."""
    found: list[Cue] = []
    for each in answered.heard:
        whose = "" if each.channel is None else f"[channel {each.channel}] "
        found += [Cue(cue.start, cue.end, f"{whose}{cue.text}") for cue in cues(each.transcript)]
    return sorted(found, key=lambda cue: cue.start)


def _srt(answered: Answered) -> str:
    return "".join(to_srt_cue(cue, number) for number, cue in enumerate(_cues(answered), 1))


def _vtt(answered: Answered) -> str:
    told = "".join(to_vtt_cue(cue) for cue in _cues(answered))
    notes = "".join(to_vtt_note(warning) for warning in answered.warnings)
    return f"{VTT_HEADER}{told}{notes}"
