"""What a client of `/v1/stream` asks for: fields of a query or of `configure`, as a value.

Names that are not known are ignored: clients of a later version may send them. A value that makes
no sense is named, with what would.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from parakeet_streaming.audio.pcm_decoder import ENCODINGS
from parakeet_streaming.engine.endpoint import EndpointOptions
from parakeet_streaming.engine.vad_options import VadOptions
from parakeet_streaming.live.adaptation import DelayRange
from parakeet_streaming.live.options import LiveOptions
from parakeet_streaming.server.connection_options import (
    LEAST_RATE_HZ,
    MOST_CHANNELS,
    MOST_RATE_HZ,
    ChannelOptions,
)
from parakeet_streaming.server.protocols.fields import flag_of, number_of, text_of, whole_of
from parakeet_streaming.server.replies import WrongRequestError
from parakeet_streaming.timeline import SAMPLE_RATE_HZ, ContextConfig

MOST_UTTERANCE_S: Final = 3_600.0
LEAST_CHECKPOINTS_S: Final = 0.5
MOST_CHECKPOINTS_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class StreamSettings:
    """What a client asks of its stream."""

    sample_rate: int = SAMPLE_RATE_HZ
    encoding: str = "s16le"
    channels: int = 1
    """Interleaved in the audio."""
    separate: bool = False
    """Whether each channel is a stream of its own."""
    context: str | None = None
    """None for what the server was started with."""
    fixed: bool = False
    """Whether the chunk never grows."""
    endpointing: str | None = None
    """A preset, or "off"; None for what the server was started with."""
    vad: bool = True
    max_utterance_s: float | None = None
    """After which an utterance ends in any case; None for what the server was started with."""
    tentative: bool = True
    """Whether text that may still change is told."""
    words: bool = True
    """Whether `final` lists words with their times."""
    tokens: bool = False
    """Whether `partial` and `final` list tokens."""
    checkpoints: float = 0.0
    """Seconds between checkpoints; 0 for none."""

    def with_fields(self, fields: Mapping[str, object]) -> StreamSettings:
        """These with those of `fields` that are known.

        Raises:
            WrongRequestError: a value that makes no sense, by its name.
        """
        settings = self
        if (rate_hz := whole_of(fields, "sample_rate", LEAST_RATE_HZ, MOST_RATE_HZ)) is not None:
            settings = replace(settings, sample_rate=rate_hz)
        if (encoding := text_of(fields, "encoding")) is not None:
            if encoding not in ENCODINGS:
                raise WrongRequestError(
                    f"encoding {encoding!r} is not known; use {', '.join(ENCODINGS)}", "encoding"
                )
            settings = replace(settings, encoding=encoding)
        settings = _with_channels(settings, fields)
        if (context := text_of(fields, "context")) is not None:
            settings = replace(settings, context=context)
        if (endpointing := text_of(fields, "endpointing")) is not None:
            settings = replace(settings, endpointing=endpointing)
        longest_s = number_of(fields, "max_utterance_s", 1.0, MOST_UTTERANCE_S)
        if longest_s is not None:
            settings = replace(settings, max_utterance_s=longest_s)

        every_s = number_of(fields, "checkpoints", 0.0, MOST_CHECKPOINTS_S)
        if every_s is not None:
            settings = replace(settings, checkpoints=every_s and max(LEAST_CHECKPOINTS_S, every_s))

        def flag(name: str, before: bool) -> bool:
            given = flag_of(fields, name)
            return before if given is None else given

        return replace(
            settings,
            vad=flag("vad", settings.vad),
            fixed=flag("fixed", settings.fixed),
            tentative=flag("tentative", settings.tentative),
            words=flag("words", settings.words),
            tokens=flag("tokens", settings.tokens),
        )

    def options(self, defaults: LiveOptions) -> ChannelOptions:
        """Of each channel's stream.

        Raises:
            ContextError: an impossible context.
            OptionError: an endpointing that does not exist.
        """
        delay = defaults.delay
        context = replace(delay.context, sample_rate=self.sample_rate)
        longest = delay.longest_chunk
        if self.context is not None:
            context = ContextConfig.parse(self.context, self.sample_rate)
            longest = DelayRange.growing(context).longest_chunk
        live = replace(
            defaults, delay=DelayRange(context, context.chunk if self.fixed else longest)
        )
        if self.endpointing is not None:
            off = self.endpointing == "off"
            endpoint = None if off else EndpointOptions.parse(self.endpointing)
            live = replace(live, endpoint=endpoint)
        if self.max_utterance_s is not None:
            if live.endpoint is None:
                raise WrongRequestError(
                    "max_utterance_s does not go with endpointing=off", "max_utterance_s"
                )
            ends = replace(live.endpoint, max_utterance_s=self.max_utterance_s)
            live = replace(live, endpoint=ends)
        vad = (live.vad or VadOptions()) if self.vad else None
        live = replace(live, vad=vad, tentative=self.tentative)
        channels = 1 if self.separate else self.channels
        return ChannelOptions(live, self.encoding, channels)


def bound_settings(settings: StreamSettings, options: ChannelOptions) -> dict[str, str]:
    """What must be the same where a stream goes on, whoever decided it."""
    live = options.live
    left_s, _, right_s = live.context.effective
    return {
        "sample_rate": str(settings.sample_rate),
        "encoding": settings.encoding,
        "channels": str(settings.channels),
        "separate": str(settings.separate),
        "context": f"{left_s:g}, {right_s:g}",
        "endpointing": str(live.endpoint),
        "vad": str(live.vad),
    }


def _with_channels(settings: StreamSettings, fields: Mapping[str, object]) -> StreamSettings:
    """`channels=2` averages two, `separate=1` keeps each; `channels=separate` stands for both."""
    if fields.get("channels") == "separate":
        return replace(settings, channels=2, separate=True)
    if (count := whole_of(fields, "channels", 1, MOST_CHANNELS)) is not None:
        settings = replace(settings, channels=count)
    separate = flag_of(fields, "separate")
    return settings if separate is None else replace(settings, separate=separate)
