"""What a client of `/v1/stream` asks for: fields of a query or of `configure`, as a value.

Names that are not known are ignored: clients of a later version may send them. A value that makes
no sense is named, with what would.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from parakeet_streaming.audio.pcm_decoder import ENCODINGS
from parakeet_streaming.boosting.options import DEFAULT_BOOST, Boosting
from parakeet_streaming.boosting.phrases import Phrase
from parakeet_streaming.engine.endpoint_options import EndpointOptions
from parakeet_streaming.engine.vad_options import VadOptions
from parakeet_streaming.languages.codes import known_codes
from parakeet_streaming.limits import MOST_BOOST, MOST_SEPARATE_CHANNELS
from parakeet_streaming.live.adaptation import DelayRange
from parakeet_streaming.live.options import LiveOptions
from parakeet_streaming.server.connection_options import (
    LEAST_RATE_HZ,
    MOST_RATE_HZ,
    ChannelOptions,
)
from parakeet_streaming.server.protocols.fields import Fields
from parakeet_streaming.server.protocols.phrases import boosting_from, listed
from parakeet_streaming.server.protocols.writing_fields import fingerprint, writing_of
from parakeet_streaming.server.replies import WrongRequestError
from parakeet_streaming.timeline import SAMPLE_RATE_HZ, ContextConfig
from parakeet_streaming.writing.options import WritingOptions

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
    language: str | None = None
    """That is spoken, or several with commas between them; one that is not known is every one."""
    vad: bool = True
    max_utterance_s: float | None = None
    """After which an utterance ends in any case; None for what the server was started with."""
    tentative: bool = True
    """Whether text that may still change is told."""
    words: bool = True
    """Whether `final` lists words with their times."""
    tokens: bool = False
    """Whether `partial` and `final` list tokens."""
    phrases: tuple[Phrase, ...] = ()
    """That are boosted."""
    boost: float = DEFAULT_BOOST
    """How strongly."""
    writing: WritingOptions = field(default_factory=WritingOptions)
    """How text is written: `numbers`, `profanity` and `replace`."""
    checkpoints: float = 0.0
    """Seconds between checkpoints; 0 for none."""

    def with_fields(self, given: Mapping[str, object]) -> StreamSettings:
        """These with those that are given and known.

        Raises:
            WrongRequestError: a value that makes no sense, by its name.
        """
        fields = Fields(given)
        asked: dict[str, Any] = {
            "sample_rate": fields.whole("sample_rate", LEAST_RATE_HZ, MOST_RATE_HZ),
            "encoding": fields.choice("encoding", ENCODINGS),
            "context": fields.text("context"),
            "endpointing": fields.text("endpointing"),
            "language": fields.text("language"),
            "max_utterance_s": fields.number("max_utterance_s", 1.0, MOST_UTTERANCE_S),
            "checkpoints": _checkpoints(fields),
            "phrases": listed(fields, "phrases"),
            "boost": fields.number("boost", 0.0, MOST_BOOST),
            "writing": writing_of(fields, self.writing),
            **{
                name: fields.flag(name) for name in ("vad", "fixed", "tentative", "words", "tokens")
            },
        }
        # `channels=2` averages two, `separate=1` keeps each; `channels=separate` stands for both.
        if given.get("channels") == "separate":
            asked |= {"channels": 2, "separate": True}
        else:
            asked["channels"] = fields.whole("channels", 1, MOST_SEPARATE_CHANNELS)
            asked["separate"] = fields.flag("separate")
        return replace(self, **{name: value for name, value in asked.items() if value is not None})

    @property
    def boosting(self) -> Boosting | None:
        """What its streams boost."""
        return boosting_from(self.phrases, "phrases", self.boost, strict=True)

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
        if self.language is not None:
            live = replace(live, languages=known_codes(self.language.split(",")))
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
        live = replace(live, vad=vad, tentative=self.tentative, boosting=self.boosting)
        channels = 1 if self.separate else self.channels
        return ChannelOptions(live, self.encoding, channels, writing=self.writing)


def only_phrases(given: Mapping[str, object]) -> bool:
    """Whether a `configure` is of phrases alone, which may change while audio comes."""
    return not set(given) - {"type", "phrases", "boost"} and len(given) > 1


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
        "writing": fingerprint(options.writing),
    }


def comes_back(given: Mapping[str, object]) -> bool:
    """Whether a query is of a client whose stream goes on, so that it is asked to wait less."""
    return given.get("again") == "1"


def _checkpoints(fields: Fields) -> float | None:
    """Seconds between them, not less than a server can bear; 0 for none."""
    every_s = fields.number("checkpoints", 0.0, MOST_CHECKPOINTS_S)
    return every_s and max(LEAST_CHECKPOINTS_S, every_s)
