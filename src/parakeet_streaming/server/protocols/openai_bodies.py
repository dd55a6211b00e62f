"""Transcripts of a file, or its text as it comes, in; the bodies that OpenAI's clients read, out.

Rules of this file:

1. Shapes are those of openai-python 3.57.0 (`types/audio`). What a model of this kind does not have
   (`seek`, `temperature`, `no_speech_prob`) gets the value that says nothing.
2. Where channels are recognised alone, text, subtitles and `utterances` are those of `parakeet
   transcribe --channels separate`; words and segments have the number and the name of their
   channel.
3. Events of a stream: the deltas, joined, are the text of the last one.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from parakeet_streaming.channels import ChannelTranscript, SeparateTranscript
from parakeet_streaming.formats import in_json, to_srt, to_vtt, to_vtt_note
from parakeet_streaming.results import Segment, Token, Transcript
from parakeet_streaming.server.protocols.openai_rest import TranscriptionRequest

EVENT_STREAM: Final = "text/event-stream; charset=utf-8"
_JSON: Final = "application/json"
_PLAIN: Final = "text/plain; charset=utf-8"
_VTT: Final = "text/vtt; charset=utf-8"
_LEAST_CONFIDENCE: Final = 1e-9


@dataclass(frozen=True, slots=True)
class Answered:
    """All that an answer is made of."""

    transcript: Transcript | SeparateTranscript
    language: str
    warnings: Sequence[str] = ()

    @property
    def channels(self) -> Sequence[ChannelTranscript]:
        """Of each channel, or of the average of all as if it were one."""
        heard = self.transcript
        if isinstance(heard, SeparateTranscript):
            return heard.channels
        return (ChannelTranscript(heard),)


def body(request: TranscriptionRequest, answered: Answered) -> tuple[bytes, str]:
    """The whole answer, and its content type."""
    match request.format:
        case "text":
            return f"{answered.transcript.text}\n".encode(), _PLAIN
        case "srt":
            srt = to_srt(answered.transcript, options=request.subtitles)
            return srt.encode(), _PLAIN
        case "vtt":
            return _vtt(request, answered).encode(), _VTT
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


def segment_events(heard: ChannelTranscript) -> Iterator[bytes]:
    """Utterances of a channel, as segments of a speaker."""
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
    heard = answered.transcript
    about: dict[str, Any] = {"text": heard.text}
    if request.format == "verbose_json":
        about |= _verbose(request, answered)
    elif request.format == "diarized_json":
        segments = [segment for each in answered.channels for segment in _diarized(each)]
        about |= {"task": "transcribe", "duration": round(heard.audio_s, 3)}
        about["segments"] = sorted(segments, key=lambda each: each["start"])
    if request.logprobs:
        about["logprobs"] = _logprobs(heard.tokens)
    if request.separate:
        about["channels"] = [
            {"channel": each.channel, "speaker": each.label, "text": each.transcript.text}
            for each in answered.channels
        ]
    if answered.warnings:
        about["warnings"] = list(answered.warnings)
    about["usage"] = {"type": "duration", "seconds": round(heard.audio_s, 3)}
    return about


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
        "duration": round(answered.transcript.audio_s, 3),
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
            for each in answered.channels
            for word in each.transcript.words
        ]
        about["words"] = sorted(words, key=lambda each: each["start"])
    if request.segments:
        segments = [
            _segment(segment, tokens) | _of_channel(each)
            for each in answered.channels
            for segment, tokens in _with_tokens(each.transcript)
        ]
        segments.sort(key=lambda each: each["start"])
        about["segments"] = [{"id": number} | each for number, each in enumerate(segments)]
    return about


def _of_channel(heard: ChannelTranscript) -> dict[str, Any]:
    return {"channel": heard.channel, "speaker": heard.label} if heard.label else {}


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


def _diarized(heard: ChannelTranscript) -> Iterator[dict[str, Any]]:
    for number, utterance in enumerate(heard.utterances):
        yield {
            "type": "transcript.text.segment",
            "id": f"seg_{heard.channel}_{number}",
            "start": round(utterance.start, 3),
            "end": round(utterance.end, 3),
            "text": utterance.text,
            "speaker": heard.label,
        }


def _vtt(request: TranscriptionRequest, answered: Answered) -> str:
    notes = "".join(to_vtt_note(warning) for warning in answered.warnings)
    return f"{to_vtt(answered.transcript, request.subtitles)}{notes}"
