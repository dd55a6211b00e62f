"""Fields of a form for `/v1/audio/transcriptions` in; what is asked for, out.

Rules of this file:

1. Every field of OpenAI's API is taken (openai-python 3.57.0, `transcription_create_params`). What
   a model of this kind has no use for (`temperature`, `chunking_strategy`, …) is checked and
   changes nothing. `keywords` are boosted, and so are the terms of a `prompt` that lists some.
2. Fields that nobody knows are ignored; a value that cannot be is refused by the field's name.
3. A list is sent as `name[]`, `name[0]` or `name`, repeated; an object as JSON or as `name[key]`.
4. `channels`, `channel_names`, `context` and those of `writing_fields.py` are our own.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final

from parakeet_streaming.boosting.options import Boosting
from parakeet_streaming.boosting.phrases import Phrase
from parakeet_streaming.channels import labels_of
from parakeet_streaming.errors import ContextError, OptionError
from parakeet_streaming.languages.codes import known_codes
from parakeet_streaming.limits import MOST_PHRASES
from parakeet_streaming.server.protocols.phrases import boosting_from, terms_of_prompt
from parakeet_streaming.server.protocols.writing_fields import (
    SUBTITLE_FIELDS,
    WRITING_FIELDS,
    subtitles_of,
    with_subtitle,
    with_writing,
)
from parakeet_streaming.server.replies import WrongRequestError
from parakeet_streaming.subtitles.options import SubtitleOptions
from parakeet_streaming.timeline import ContextConfig
from parakeet_streaming.writing.options import WritingOptions

FORMATS: Final = ("json", "text", "srt", "verbose_json", "vtt", "diarized_json")
FILE_FIELD: Final = "file"
MOST_FIELD_BYTES: Final = 1 << 16
"""Of a field that is kept; of others nothing is kept."""

_LANGUAGE: Final = re.compile(r"[A-Za-z]{2,20}([-_][A-Za-z0-9]{1,10}){0,3}\Z")
_NAME: Final = re.compile(r"(?P<name>[^\[\]]*)(?:\[(?P<key>[^\[\]]*)\])?\Z")
_YES: Final = frozenset({"true", "1", "yes", "on"})
_NO: Final = frozenset({"false", "0", "no", "off", "", "null"})
_GRANULARITIES: Final = ("word", "segment")


@dataclass(frozen=True, slots=True)
class TranscriptionRequest:
    """What is asked for."""

    model: str | None = None
    languages: tuple[str, ...] = ()
    """That are spoken; text of other scripts does not come up. One that is not known is ignored."""
    format: str = "json"
    """One of `FORMATS`."""
    stream: bool = False
    """Whether text is sent as it is decoded, as events."""
    granularities: frozenset[str] = frozenset()
    """Of `word` and `segment`; of `verbose_json`."""
    logprobs: bool = False
    separate: bool = False
    """Whether each channel is recognised alone."""
    names: tuple[str, ...] = ()
    """What separate channels are called."""
    context: ContextConfig | None = None
    """None: the server's own for files."""
    keywords: tuple[str, ...] = ()
    prompt: str | None = None
    writing: WritingOptions = field(default_factory=WritingOptions)
    """How text is written."""
    replaces: bool = False
    """Whether `writing` has the client's own spelling, in place of the server's."""
    subtitle_numbers: tuple[tuple[str, float], ...] = ()
    """Fields of subtitles, as they came."""

    @property
    def subtitles(self) -> SubtitleOptions:
        """How subtitles are to be; `check` has found that the fields go together."""
        return subtitles_of(dict(self.subtitle_numbers))

    @property
    def boosting(self) -> Boosting | None:
        """What is boosted.

        Raises:
            WrongRequestError: more or longer keywords than are possible.
        """
        return boosting_from((*terms_of_prompt(self.prompt), *self.keywords), "keywords")

    @property
    def segments(self) -> bool:
        """Whether `verbose_json` is to have segments."""
        return "word" not in self.granularities or "segment" in self.granularities

    @property
    def words(self) -> bool:
        """Whether `verbose_json` is to have words."""
        return "word" in self.granularities

    def check(self) -> None:
        """All fields are there; do they go together?

        Raises:
            WrongRequestError: they do not.
        """
        subtitles_of(dict(self.subtitle_numbers))
        if self.format == "diarized_json" and not self.separate:
            raise WrongRequestError(
                "speakers are not told apart here, but channels are: send `channels=separate`, or "
                "another response_format",
                "response_format",
            )
        if self.names and not self.separate:
            raise WrongRequestError(
                "channels that are averaged have no names: send `channels=separate`, too",
                "channel_names",
            )


def is_kept(field: str) -> bool:
    """Whether a field's value matters at all."""
    return _split(field)[0] in _FIELDS


def with_field(request: TranscriptionRequest, field: str, value: str) -> TranscriptionRequest:
    """The request with one field more.

    Raises:
        WrongRequestError: an impossible value; its `field` names it.
    """
    name, key = _split(field)
    take = _FIELDS.get(name)
    if take is None:
        return request
    try:
        return take(request, value.strip(), key)
    except ValueError as error:
        raise WrongRequestError(f"`{name}`: {error}", name) from error


def _split(field: str) -> tuple[str, str | None]:
    found = _NAME.match(field)
    return (field, None) if found is None else (found["name"], found["key"])


_Take = Callable[[TranscriptionRequest, str, str | None], TranscriptionRequest]


def _model(request: TranscriptionRequest, value: str, _: str | None) -> TranscriptionRequest:
    return replace(request, model=value or None)


def _language(request: TranscriptionRequest, value: str, _: str | None) -> TranscriptionRequest:
    if value and not _LANGUAGE.match(value):
        raise ValueError(f"{value[:40]!r} is no language; send a code such as `en`")
    return replace(request, languages=known_codes((*request.languages, value)))


def _format(request: TranscriptionRequest, value: str, _: str | None) -> TranscriptionRequest:
    if value and value not in FORMATS:
        raise ValueError(f"{value[:40]!r} does not exist; use one of {', '.join(FORMATS)}")
    return replace(request, format=value or "json")


def _stream(request: TranscriptionRequest, value: str, _: str | None) -> TranscriptionRequest:
    if value.lower() not in _YES | _NO:
        raise ValueError(f"{value[:40]!r} is neither `true` nor `false`")
    return replace(request, stream=value.lower() in _YES)


def _granularity(request: TranscriptionRequest, value: str, _: str | None) -> TranscriptionRequest:
    chosen = {each.strip() for each in value.split(",")} - {""}
    if not chosen <= set(_GRANULARITIES):
        raise ValueError(f"{value[:40]!r} does not exist; use `word`, `segment` or both")
    return replace(request, granularities=request.granularities | chosen)


def _include(request: TranscriptionRequest, value: str, _: str | None) -> TranscriptionRequest:
    if value not in ("logprobs", ""):
        raise ValueError(f"{value[:40]!r} cannot be included; `logprobs` can")
    return replace(request, logprobs=request.logprobs or bool(value))


def _temperature(request: TranscriptionRequest, value: str, _: str | None) -> TranscriptionRequest:
    if value and not 0 <= _number(value) <= 1:
        raise ValueError(f"{value[:40]} is not between 0 and 1")
    return request


def _chunking(request: TranscriptionRequest, value: str, key: str | None) -> TranscriptionRequest:
    if key:
        _check_vad(key, value)
    elif value not in ("auto", "", "null"):
        try:
            options = json.loads(value)
        except (ValueError, RecursionError):
            options = None
        if not isinstance(options, dict) or options.get("type") != "server_vad":
            raise ValueError('use `auto` or {"type": "server_vad", …}')
        for name, each in options.items():
            _check_vad(name, str(each))
    return request


def _check_vad(name: str, value: str) -> None:
    most = {"threshold": 1.0, "prefix_padding_ms": math.inf, "silence_duration_ms": math.inf}
    if name == "type" and value not in ("server_vad", "auto"):
        raise ValueError(f"type {value[:40]!r} does not exist; use `server_vad`")
    if name in most and not 0 <= _number(value) <= most[name]:
        raise ValueError(f"{name} cannot be {value[:40]}")


def _number(value: str) -> float:
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise ValueError(f"{value[:40]!r} is no number")
    return number


def _channels(request: TranscriptionRequest, value: str, _: str | None) -> TranscriptionRequest:
    if value not in ("separate", "mixed", "1", ""):
        raise ValueError(f"{value[:40]!r}; use `separate`, or `mixed` for the average of all")
    return replace(request, separate=value == "separate")


def _names(request: TranscriptionRequest, value: str, _: str | None) -> TranscriptionRequest:
    names = tuple(name.strip() for name in value.split(",")) if value else ()
    try:
        if names:
            labels_of(names, len(names))
    except OptionError as error:
        raise ValueError(str(error)) from error
    return replace(request, names=names)


def _context(request: TranscriptionRequest, value: str, _: str | None) -> TranscriptionRequest:
    try:
        return replace(request, context=ContextConfig.parse(value[:100]) if value else None)
    except ContextError as error:
        raise ValueError(str(error)) from error


def _writing(name: str) -> _Take:
    def take(request: TranscriptionRequest, value: str, _: str | None) -> TranscriptionRequest:
        writing, replaces = request.writing, request.replaces or name == "replace"
        kept = writing if replaces == request.replaces else replace(writing, replacements=())
        return replace(request, writing=with_writing(kept, name, value), replaces=replaces)

    return take


def _subtitle(name: str) -> _Take:
    def take(request: TranscriptionRequest, value: str, _: str | None) -> TranscriptionRequest:
        numbers = with_subtitle(request.subtitle_numbers, name, value)
        return replace(request, subtitle_numbers=numbers)

    return take


def _keyword(request: TranscriptionRequest, value: str, _: str | None) -> TranscriptionRequest:
    if not value:
        return request
    keywords = dict.fromkeys((*request.keywords[-MOST_PHRASES:], value))
    if len(keywords) > MOST_PHRASES:
        raise ValueError(f"more than {MOST_PHRASES} of them; send those that are needed")
    Phrase(value)
    return replace(request, keywords=tuple(keywords))


_FIELDS: Final[dict[str, _Take]] = {
    "model": _model,
    "language": _language,
    "languages": _language,
    "response_format": _format,
    "stream": _stream,
    "timestamp_granularities": _granularity,
    "include": _include,
    "temperature": _temperature,
    "chunking_strategy": _chunking,
    "prompt": lambda request, value, _: replace(request, prompt=value or None),
    "keywords": _keyword,
    "channels": _channels,
    "channel_names": _names,
    "context": _context,
    **{name: _writing(name) for name in WRITING_FIELDS},
    **{name: _subtitle(name) for name in SUBTITLE_FIELDS},
}
"""Fields of which the value matters. `known_speaker_names` and `known_speaker_references` are
ignored as unknown ones are, whatever their size."""
