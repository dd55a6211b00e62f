"""What is chosen for one live stream."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Self

from parakeet_streaming.boosting.options import Boosting
from parakeet_streaming.engine.endpoint_options import EndpointOptions
from parakeet_streaming.engine.vad_options import VadOptions
from parakeet_streaming.errors import OptionError
from parakeet_streaming.languages.codes import language_codes
from parakeet_streaming.limits import (
    LEAST_SECONDS,
    MOST_BURST_S,
    MOST_RING_S,
    MOST_WAIT_S,
    check_number,
)
from parakeet_streaming.live.adaptation import DelayRange
from parakeet_streaming.live.admission import Lane
from parakeet_streaming.timeline import SAMPLE_RATE_HZ, ContextConfig


@dataclass(frozen=True, slots=True)
class LiveOptions:
    """Delay, voice activity, endpointing and the rest, of one live stream.

    Raises:
        OptionError: a lane or a time that makes no sense.
    """

    delay: DelayRange = field(default_factory=lambda: DelayRange.parse("balanced", SAMPLE_RATE_HZ))
    """Its context, how far the chunk may grow under load, and the rate of its samples."""
    vad: VadOptions | None = field(default_factory=VadOptions)
    """When there is speech; None: everything is decoded, and no speech is reported."""
    endpoint: EndpointOptions | None = field(default_factory=EndpointOptions)
    """When utterances end; None: there is one, which ends with the stream."""
    tentative: bool = True
    """Whether text is given early, from the right context."""
    cached: bool = False
    """As in `Recognizer.stream`."""
    boosting: Boosting | None = None
    """Phrases to boost; None for none, or, of a stream that resumes, for those it had."""
    languages: tuple[str, ...] = ()
    """As `language` of `Recognizer.stream`, but one that the model cannot write changes nothing;
    none, of a stream that resumes, for those it had."""
    burst_s: float = 0.1
    """Seconds of audio that the source hands over at once."""
    lane: Lane = "live"
    """`recording`: its windows run when no live stream needs the machine; see `recording`."""
    most_ring_s: float | None = None
    """Seconds of audio that may wait in front of it; None for the engine's bound."""
    no_audio_s: float | None = 10.0
    """Seconds without any audio after which the utterance ends as by `commit`, with the reason
    `no_audio`, so that a source that is muted leaves no word tentative; None for never."""
    idle_timeout_s: float | None = None
    """Seconds without audio after which it ends as if finished; None for never."""

    @property
    def context(self) -> ContextConfig:
        """The context that it begins with."""
        return self.delay.context

    def __post_init__(self) -> None:
        if self.lane not in ("live", "recording"):
            raise OptionError(f"lane {self.lane!r}; use 'live' or 'recording'")
        check_number("burst_s", self.burst_s, LEAST_SECONDS, MOST_BURST_S, "seconds")
        object.__setattr__(self, "languages", language_codes(self.languages))
        for name, most_s in (
            ("most_ring_s", MOST_RING_S),
            ("no_audio_s", MOST_WAIT_S),
            ("idle_timeout_s", MOST_WAIT_S),
        ):
            given = getattr(self, name)
            if given is not None:
                given = check_number(name, given, LEAST_SECONDS, most_s, "seconds")
                object.__setattr__(self, name, given)

    @classmethod
    def recording(
        cls, context: ContextConfig, *, cached: bool = False, languages: tuple[str, ...] = ()
    ) -> Self:
        """A whole recording: no voice activity, no endpoints, no adaptation, nothing tentative.

        Its text is exactly that of `Recognizer.stream` with this context. A step of it should be
        shorter than a live chunk, so that it fits between the steps of live streams.
        """
        options = cls(DelayRange.fixed(context), vad=None, endpoint=None, tentative=False)
        options = replace(options, cached=cached, languages=languages)
        return replace(options, lane="recording", no_audio_s=None)
