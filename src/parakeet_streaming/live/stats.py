"""How streams and their engine go, at one moment: frozen values, for programs and for people."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from parakeet_streaming.live.task import StreamTask
from parakeet_streaming.metrics.histogram import Distribution
from parakeet_streaming.timeline import ContextConfig, samples_to_seconds


@dataclass(frozen=True, slots=True)
class StreamStats:
    """How one stream goes, at one moment."""

    context: ContextConfig
    """In use now."""
    audio_s: float
    """Audio decoded, or passed over as quiet."""
    speech_s: float
    """Audio in which speech was found."""
    steps: int
    skipped: int
    """Chunks passed over as quiet."""
    tokens: int
    utterances: int
    backlog_s: float
    """Audio that was pushed and is not committed yet; a chunk and a right context are normal."""
    lag_s: float
    """How long the last window had to wait for its text, computing included."""
    real_time_factor: float
    """Seconds of steps per second of audio; steps shared with others count in part."""
    ring_samples: int
    """Waiting in the ring, at the pushed rate, as all that follow."""
    ring_capacity_samples: int
    ring_high_water_samples: int
    refused_samples: int
    """That a full ring did not take; each is within a `Gap`."""
    first_partial_s: float | None
    """From the start of the first word to its first text."""
    emission_delay: Distribution
    """Seconds from the end of each word to its committed text."""
    queue_wait: Distribution
    """Seconds from a window being there to its step."""
    finalization: Distribution
    """Seconds from the end of speech, or the wish, to `Final`."""

    @classmethod
    def of(cls, guest: StreamTask) -> Self:
        """Of a stream that goes on, or has ended. Any thread may ask."""
        seat, inlet, meter = guest.seat, guest.inlet, guest.meter
        audio_s = samples_to_seconds(seat.heard_samples)
        return cls(
            context=seat.stream.context,
            audio_s=audio_s,
            speech_s=samples_to_seconds(seat.ear.speech_samples),
            steps=seat.counts.steps,
            skipped=seat.counts.skipped,
            tokens=seat.counts.tokens,
            utterances=seat.counts.utterances,
            backlog_s=seat.ear.backlog_s,
            lag_s=meter.lag_s,
            real_time_factor=meter.computing_s / audio_s if audio_s else 0.0,
            ring_samples=inlet.occupancy,
            ring_capacity_samples=inlet.capacity,
            ring_high_water_samples=inlet.high_water,
            refused_samples=inlet.refused,
            first_partial_s=meter.first_partial_s,
            emission_delay=meter.emission_delay.snapshot(),
            queue_wait=meter.queue_wait.snapshot(),
            finalization=meter.finalization.snapshot(),
        )


@dataclass(frozen=True, slots=True)
class EngineStats:
    """How an engine goes, at one moment; `metrics.snapshot()` has more."""

    active_streams: int
    load: float
    """Part of the time that work takes, as far as it was measured; above 1 streams fall behind."""
    real_time_factor: float
    """Seconds of computing per second of audio, over the last steps."""
    steps: int
    longest_step_s: float
    backlog_s: float
    """Of the stream that is furthest behind."""
    lag_s: float
    """The greatest of all streams' last ones."""
    refused_samples: int
    """Of the streams that are open."""
