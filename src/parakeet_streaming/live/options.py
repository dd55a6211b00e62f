"""What is chosen for one live stream."""

from __future__ import annotations

from dataclasses import dataclass, field

from parakeet_streaming.engine.endpoint import EndpointOptions
from parakeet_streaming.engine.vad_options import VadOptions
from parakeet_streaming.live.adaptation import DelayRange
from parakeet_streaming.timeline import SAMPLE_RATE_HZ


@dataclass(frozen=True, slots=True)
class LiveOptions:
    """Delay, voice activity, endpointing and the rest, of one live stream."""

    delay: DelayRange = field(default_factory=lambda: DelayRange.parse("low", SAMPLE_RATE_HZ))
    """Its context, how far the chunk may grow under load, and the rate of its samples."""
    vad: VadOptions | None = field(default_factory=VadOptions)
    """When speech is heard; None: everything is decoded, and no speech is told."""
    endpoint: EndpointOptions | None = field(default_factory=EndpointOptions)
    """When utterances end; None: there is one, which ends with the stream."""
    tentative: bool = True
    """Whether text is told early, from the right context."""
    cached: bool = False
    """As in `Recognizer.stream`."""
    burst_s: float = 0.1
    """Seconds of audio that the source hands over at once."""
