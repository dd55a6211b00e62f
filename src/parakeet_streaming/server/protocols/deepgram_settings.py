"""The query of `/v1/listen` in; what a client asks for, as a value, out.

Rules of this file:

1. Names that are not known are ignored. The model writes capitals and marks as it has learnt them;
   `numerals` and `smart_format` ask for digits, `profanity_filter` for masks, `replace` for the
   client's own spelling.
2. A value that makes no sense is named. So is a wish that would be missed if it were ignored:
   a client that has numbers of cards blacked out must know that nobody does it here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from parakeet_streaming.audio.pcm import MAX_CHANNELS
from parakeet_streaming.boosting.options import Boosting
from parakeet_streaming.engine.endpoint_options import EndpointOptions
from parakeet_streaming.engine.vad_options import MAX_DURATION_MS, VadOptions
from parakeet_streaming.errors import OptionError
from parakeet_streaming.languages.codes import known_codes
from parakeet_streaming.limits import MOST_SEPARATE_CHANNELS
from parakeet_streaming.live.adaptation import DelayRange
from parakeet_streaming.live.options import LiveOptions
from parakeet_streaming.server.connection_options import (
    LEAST_RATE_HZ,
    MOST_RATE_HZ,
    ChannelOptions,
)
from parakeet_streaming.server.protocols.fields import Fields, shown
from parakeet_streaming.server.protocols.phrases import boosting_from, terms_with_intensifiers
from parakeet_streaming.server.protocols.writing_fields import (
    deepgram_replacements,
    with_replacements,
)
from parakeet_streaming.server.replies import WrongRequestError
from parakeet_streaming.timeline import ContextConfig
from parakeet_streaming.writing.options import WritingOptions

ENCODINGS: Final = {
    "linear16": "s16le",
    "linear32": "f32le",
    "mulaw": "mulaw",
    "alaw": "alaw",
}
"""Ours by Deepgram's name."""
_G711_RATE_HZ: Final = 8_000
_MISSED: Final = {
    "callback": "results come over this connection only",
    "redact": "nothing is blacked out here",
}
"""Wishes that are refused, and why."""


@dataclass(frozen=True, slots=True)
class ListenSettings:
    """What a client asks for."""

    model: str | None = None
    encoding: str | None = None
    """Ours; None for a file that says itself what it is."""
    rate_hz: int | None = None
    channels: int = 1
    separate: bool = False
    """Whether each channel is a stream of its own."""
    interim: bool = False
    """Whether results that may change are wanted."""
    endpointing_ms: float | None = None
    """Silence that ends an utterance; None for what the server was started with."""
    endpointing: bool = True
    utterance_end_s: float | None = None
    """Silence after a word after which the client wants to be told; None for never."""
    vad_events: bool = False
    """Whether the client wants to know when speech begins."""
    utterances: bool = False
    """Of a file: whether its sentences are listed."""
    context: str | None = None
    """Ours, as in the native protocol."""
    boosting: Boosting | None = None
    """What is boosted, of `keyterm` and `keywords`."""
    language: str | None = None
    """That is spoken; `multi`, and any that is not known, is every one."""
    writing: WritingOptions = field(default_factory=WritingOptions)
    """How text is written."""

    @property
    def streams(self) -> int:
        """How many streams recognise it."""
        return self.channels if self.separate else 1

    def options(self, defaults: LiveOptions) -> ChannelOptions:
        """Of each channel's stream.

        Raises:
            WrongRequestError: no encoding, or no rate: nothing says what the bytes are.
            ContextError: an impossible context.
        """
        if self.encoding is None or self.rate_hz is None:
            name = "encoding" if self.encoding is None else "sample_rate"
            raise WrongRequestError(
                f"{name} is missing: live audio is raw samples; give encoding "
                f"({', '.join(ENCODINGS)}) and sample_rate, or POST a file",
                name,
            )
        delay = defaults.delay
        context = replace(delay.context, sample_rate=self.rate_hz)
        if self.context is None:
            delay = DelayRange(context, delay.longest_chunk)
        else:
            delay = DelayRange.growing(ContextConfig.parse(self.context, self.rate_hz))
        # Speech that begins, and silence after a word, are told by voice activity.
        live = replace(defaults, delay=delay, vad=defaults.vad or VadOptions())
        if self.language:
            live = replace(live, languages=known_codes(self.language.split(",")))
        endpoint = live.endpoint or EndpointOptions()
        if not self.endpointing:
            live = replace(live, endpoint=None)
        elif self.endpointing_ms is not None:
            live = replace(live, endpoint=_endpoint(endpoint, self.endpointing_ms))
        live = replace(live, boosting=self.boosting)
        channels = 1 if self.separate else self.channels
        return ChannelOptions(live, self.encoding, channels, writing=self.writing)


def settings_of(
    query: Mapping[str, object],
    repeated: Mapping[str, Sequence[str]] | None = None,
    writing: WritingOptions | None = None,
) -> ListenSettings:
    """What a query asks for.

    Args:
        query: values by name.
        repeated: all values of each name.
        writing: how text is written where the query does not say it.

    Raises:
        WrongRequestError: a value that makes no sense, or a wish that would be missed.
    """
    for name, why in _MISSED.items():
        if query.get(name):
            raise WrongRequestError(f"{name} is not supported: {why}; leave it out", name)
    fields = Fields(query)
    separate = fields.flag("multichannel") or False
    encoding = _encoding(fields)
    rate_hz = fields.whole("sample_rate", LEAST_RATE_HZ, MOST_RATE_HZ)
    if rate_hz is None and encoding in ("mulaw", "alaw"):
        rate_hz = _G711_RATE_HZ
    utterance_end_ms = fields.number("utterance_end_ms", 1, MAX_DURATION_MS)
    endpointing, endpointing_ms = _endpointing(fields)
    return ListenSettings(
        model=fields.text("model"),
        encoding=encoding,
        rate_hz=rate_hz,
        channels=fields.whole("channels", 1, MOST_SEPARATE_CHANNELS if separate else MAX_CHANNELS)
        or 1,
        separate=separate,
        interim=fields.flag("interim_results") or False,
        endpointing_ms=endpointing_ms,
        endpointing=endpointing,
        utterance_end_s=None if utterance_end_ms is None else utterance_end_ms / 1000,
        vad_events=fields.flag("vad_events") or False,
        utterances=fields.flag("utterances") or False,
        language=fields.text("language"),
        context=fields.text("context"),
        boosting=_boosting_of(repeated or {}),
        writing=_writing(fields, repeated or {}, writing or WritingOptions()),
    )


def _boosting_of(repeated: Mapping[str, Sequence[str]]) -> Boosting | None:
    keywords = terms_with_intensifiers(repeated.get("keywords", ()))
    return boosting_from([*keywords, *repeated.get("keyterm", ())], "keyterm")


def _writing(
    fields: Fields, repeated: Mapping[str, Sequence[str]], before: WritingOptions
) -> WritingOptions:
    digits = _either(fields.flag("numerals"), fields.flag("smart_format"))
    masked = fields.flag("profanity_filter")
    writing = replace(
        before,
        numbers=before.numbers if digits is None else "digits" if digits else "model",
        profanity=before.profanity if masked is None else "mask" if masked else "keep",
    )
    if "replace" not in repeated:
        return writing
    try:
        return with_replacements(
            replace(writing, replacements=()), deepgram_replacements(repeated["replace"])
        )
    except OptionError as error:
        raise WrongRequestError(f"replace: {error}", "replace") from error


def _either(one: bool | None, other: bool | None) -> bool | None:
    """Whether any asks for it; None where neither says anything."""
    return other if one is None else one or bool(other)


def _encoding(fields: Fields) -> str | None:
    encoding = fields.text("encoding")
    if encoding is None:
        return None
    if encoding.lower() not in ENCODINGS:
        raise WrongRequestError(
            f"encoding {shown(encoding)} is not decoded here; use {', '.join(ENCODINGS)}, or POST "
            "a file without encoding",
            "encoding",
        )
    return ENCODINGS[encoding.lower()]


def _endpointing(fields: Fields) -> tuple[bool, float | None]:
    """Whether silence ends utterances, and how much of it; None for the server's own."""
    word = (fields.text("endpointing") or "").lower()
    if word in ("false", "true"):
        return word == "true", None
    return True, fields.number("endpointing", 0, MAX_DURATION_MS)


def _endpoint(default: EndpointOptions, silence_ms: float) -> EndpointOptions:
    """The rules of the preset that waits about as long, with that silence."""
    presets = (EndpointOptions.aggressive(), EndpointOptions.balanced(), EndpointOptions.relaxed())
    near = min(presets, key=lambda preset: abs(preset.min_silence_ms - silence_ms))
    return replace(near, min_silence_ms=silence_ms, max_utterance_s=default.max_utterance_s)
