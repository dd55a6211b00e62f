"""Deepgram's `/v1/listen`: texts of a client in, as values; what it is told, as JSON, out.

Rules of this file:

1. `punctuated_word` is the word as the model wrote it, and so is the transcript; `word` is in lower
   case, without marks at its ends.
2. Times are seconds, rounded to milliseconds.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from parakeet_streaming.results import Transcript, Word
from parakeet_streaming.server.protocols.deepgram_results import (
    Result,
    SpeechBegan,
    UtteranceOver,
)
from parakeet_streaming.server.protocols.fields import Fields, object_of, shown
from parakeet_streaming.server.replies import Answer, WrongRequestError

_MOST_ECHOED: Final = 200
"""Characters of a message that could not be read, sent back."""
_ERROR_CODES: Final = {
    "invalid_api_key": "INVALID_AUTH",
    "rate_limit_exceeded": "TOO_MANY_REQUESTS",
}
"""Deepgram's words, where it has its own."""


@dataclass(frozen=True, slots=True)
class KeepAlive:
    """The client is still there."""


@dataclass(frozen=True, slots=True)
class Finalize:
    """The utterance ends with all that was sent."""


@dataclass(frozen=True, slots=True)
class CloseStream:
    """No more audio comes."""


@dataclass(frozen=True, slots=True)
class Configure:
    """Other terms are boosted from now on."""

    keyterms: tuple[str, ...] | None
    """In place of all that were; None where they stay."""


Command = KeepAlive | Finalize | CloseStream | Configure


@dataclass(frozen=True, slots=True)
class About:
    """What is told of a request."""

    request_id: str
    model: str
    created: str
    """When it began, in ISO 8601."""
    channels: int
    """That are told apart."""


Abouts = Callable[[int], About]
"""The same by the number of channels, which may be known later."""


def command_of(text: str) -> Command:
    """What a text message asks for.

    Raises:
        WrongRequestError: no JSON object, or no type that is known.
    """
    fields = Fields(object_of(text))
    kind = fields.text("type")
    match kind:
        case "Configure":
            return Configure(_keyterms(fields))
        case "KeepAlive":
            return KeepAlive()
        case "Finalize":
            return Finalize()
        case "CloseStream":
            return CloseStream()
    raise WrongRequestError(
        f"type {shown(kind)} is not supported; use KeepAlive, Finalize, Configure or CloseStream",
        "type",
    )


def _keyterms(fields: Fields) -> tuple[str, ...] | None:
    value = fields.value("keyterms")
    if value is None:
        return None
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise fields.mistake("keyterms", f"is {shown(value)}; use an array of texts")
    return tuple(value)


def configure_success(about: About, keyterms: Sequence[str] | None) -> str:
    """The answer to `Configure`; with the terms where it named some."""
    terms = {} if keyterms is None else {"keyterms": list(keyterms)}
    return _json({"type": "ConfigureSuccess", "request_id": about.request_id, **terms})


def configure_failure(about: About, error: Exception) -> str:
    """The answer to a `Configure` that changes nothing."""
    return _json(
        {
            "type": "ConfigureFailure",
            "request_id": about.request_id,
            "code": "CONFIGURE_KEYTERM_LIMIT_EXCEEDED",
            "description": str(error),
        }
    )


def message_of(said: Result | SpeechBegan | UtteranceOver, channel: int, about: About) -> str:
    """What is told of one channel."""
    index = [channel, about.channels]
    match said:
        case SpeechBegan():
            return _json({"type": "SpeechStarted", "channel": index, "timestamp": _s(said.at_s)})
        case UtteranceOver():
            end_s = _s(said.last_word_end_s)
            return _json({"type": "UtteranceEnd", "channel": index, "last_word_end": end_s})
    return _json(
        {
            "type": "Results",
            "channel_index": index,
            "duration": _s(said.duration_s),
            "start": _s(said.start_s),
            "is_final": said.is_final,
            "speech_final": said.speech_final,
            "channel": {"alternatives": [_alternative(said.words)]},
            "metadata": {
                "request_id": about.request_id,
                "model_info": _model_info(about),
                "model_uuid": about.model,
            },
            "from_finalize": said.from_finalize,
        }
    )


def metadata(about: About, sha256: str, duration_s: float) -> str:
    """The last message."""
    return _json({"type": "Metadata", **_metadata(about, sha256, duration_s)})


def file_body(
    about: About,
    sha256: str,
    duration_s: float,
    transcripts: Sequence[Transcript],
    *,
    utterances: bool,
    warnings: Sequence[str] = (),
) -> dict[str, object]:
    """The answer to a file.

    Args:
        about: the request.
        sha256: of its bytes.
        duration_s: of its sound.
        transcripts: of its channels.
        utterances: whether sentences are listed.
        warnings: what a person should know of the file.
    """
    channels = [{"alternatives": [_alternative(each.words)]} for each in transcripts]
    results: dict[str, object] = {"channels": channels}
    if utterances:
        results["utterances"] = [
            {
                "start": _s(segment.start),
                "end": _s(segment.end),
                "channel": channel,
                "id": f"{about.request_id}-{channel}-{number}",
                **_alternative(segment.words),
            }
            for channel, transcript in enumerate(transcripts)
            for number, segment in enumerate(transcript.segments)
        ]
    told = _metadata(about, sha256, duration_s)
    if warnings:
        told["warnings"] = [{"type": "audio", "message": warning} for warning in warnings]
    return {"metadata": told, "results": results}


def error(answer: Answer, message: str | None = None) -> str:
    """A mistake, or what ends the connection.

    Args:
        answer: to it.
        message: the text that could not be read, if it was that.
    """
    said = {
        "type": "Error",
        "variant": answer.code if message is None else "SchemaError",
        "description": answer.message,
    }
    return _json(said if message is None else {**said, "message": message[:_MOST_ECHOED]})


def refusal(answer: Answer, request_id: str) -> tuple[dict[str, object], dict[str, str]]:
    """The body and the headers of a reply that refuses a request."""
    code = _ERROR_CODES.get(answer.code, answer.code.upper())
    body: dict[str, object] = {
        "err_code": code,
        "err_msg": answer.message,
        "request_id": request_id,
    }
    # What a client sent may stand in a message, and a header holds no lines and no accents.
    line = " ".join(answer.message.split()).encode("ascii", "replace").decode()
    return body, {**answer.headers, "dg-error": line, "dg-request-id": request_id}


def _metadata(about: About, sha256: str, duration_s: float) -> dict[str, object]:
    return {
        "transaction_key": "deprecated",
        "request_id": about.request_id,
        "sha256": sha256,
        "created": about.created,
        "duration": _s(duration_s),
        "channels": about.channels,
        "models": [about.model],
        "model_info": {about.model: _model_info(about)},
    }


def _model_info(about: About) -> dict[str, str]:
    return {"name": about.model, "version": "", "arch": "parakeet"}


def _alternative(words: Sequence[Word]) -> dict[str, object]:
    confidences = [word.confidence for word in words]
    return {
        "transcript": " ".join(word.text for word in words),
        "confidence": round(sum(confidences) / len(words), 4) if words else 0.0,
        "words": [
            {
                "word": _bare(word.text),
                "start": _s(word.start),
                "end": _s(word.end),
                "confidence": round(word.confidence, 4),
                "punctuated_word": word.text,
            }
            for word in words
        ],
    }


def _bare(word: str) -> str:
    """A word without marks at its ends; a mark alone stays."""
    first, last = 0, len(word)
    while first < last and _is_mark(word[first]):
        first += 1
    while last > first and _is_mark(word[last - 1]):
        last -= 1
    return (word[first:last] or word).lower()


def _is_mark(character: str) -> bool:
    return unicodedata.category(character).startswith("P")


def _s(seconds: float) -> float:
    return round(seconds, 3)


def _json(said: Mapping[str, object]) -> str:
    return json.dumps(said, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
