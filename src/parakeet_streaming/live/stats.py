"""How streams and their engine go, at one moment: frozen values, for programs and for people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Self

from parakeet_streaming.live.meter import EngineMeter
from parakeet_streaming.live.task import Outcome, StreamTask
from parakeet_streaming.metrics.histogram import Distribution
from parakeet_streaming.results import HealthHint
from parakeet_streaming.timeline import ContextConfig, samples_to_seconds


@dataclass(frozen=True, slots=True)
class StreamStats:
    """How one stream goes, at one moment. Samples are those at 16 kHz."""

    id: str
    context: ContextConfig
    """In use now."""
    outcome: Outcome | None
    """How it ended; None while it goes on."""
    resumed: Literal["", "exact", "warm"]
    """Of a stream that was resumed: whether it gives the very events of an uninterrupted one, or
    its encoder or resampler began anew."""
    audio_s: float
    """Audio decoded, or passed over as quiet."""
    speech_s: float
    """Audio in which speech was found."""
    steps: int
    skipped: int
    """Chunks passed over without a step."""
    tokens: int
    utterances: int
    backlog_s: float
    """Audio received and not decoded; a chunk and a right context are normal."""
    lag_s: float
    """From the last window being complete to its text."""
    real_time_factor: float
    """Seconds of steps per second of audio; steps shared with others count in part."""
    received_samples: int
    """Position after the last sample received, refused ones included; a resumed stream is to be
    pushed from here."""
    refused_samples: int
    """That a full ring did not take; each is within a `Gap`."""
    ring_samples: int
    """Waiting in the ring."""
    ring_capacity_samples: int
    ring_high_water_samples: int
    first_partial_s: float | None
    """From the start of the first word to its first text."""
    emission_delay: Distribution
    """Seconds from the end of each word to its committed text."""
    queue_wait: Distribution
    """Seconds from a window being complete to its step."""
    finalization: Distribution
    """Seconds from the end of speech, or the request, to `Final`."""
    hints: tuple[HealthHint, ...] = ()
    """What the samples that were pushed seem to be, where that is not what the options say."""

    @classmethod
    def of(cls, task: StreamTask) -> Self:
        """Of a stream that goes on, or has ended. Any thread may ask."""
        phase, queue, meter, driver = task.phase, task.queue, task.meter, task.driver
        stream, intake, speech = task.stream, task.intake, task.speech
        outcome = driver.outcome
        counts, audio_s = outcome.counts, samples_to_seconds(outcome.decoded_samples)
        emission_delay, queue_wait = meter.emission_delay, meter.queue_wait
        finalization, hints = meter.finalization, task.hints
        return cls(
            id=task.id,
            context=stream.context,
            outcome=phase.outcome,
            resumed=task.resumed,
            audio_s=audio_s,
            speech_s=samples_to_seconds(speech.speech_samples),
            steps=counts.steps,
            skipped=counts.skipped,
            tokens=counts.tokens,
            utterances=counts.utterances,
            backlog_s=intake.backlog_s,
            lag_s=meter.lag_s,
            real_time_factor=meter.computing_s / audio_s if audio_s else 0.0,
            received_samples=queue.received,
            refused_samples=queue.refused,
            ring_samples=queue.occupancy,
            ring_capacity_samples=queue.capacity,
            ring_high_water_samples=queue.high_water,
            first_partial_s=meter.first_partial_s,
            emission_delay=emission_delay.snapshot(),
            queue_wait=queue_wait.snapshot(),
            finalization=finalization.snapshot(),
            hints=hints.told,
        )


@dataclass(frozen=True, slots=True)
class EngineStats:
    """How an engine goes, at one moment; `metrics.snapshot()` has more."""

    active_streams: int
    load: float
    """Part of the time that all streams take, each with its longest chunk: what `open` bounds, and
    what a `CapacityError` names."""
    real_time_factor: float
    """Seconds of computing per second of audio, over the last steps."""
    steps: int
    longest_step_s: float
    """Of the last steps: older ones count less and less."""
    backlog_s: float
    """The greatest of all streams."""
    lag_s: float
    """The greatest of all streams' last ones."""
    refused_samples: int
    """At 16 kHz, of the streams that are open."""

    @classmethod
    def of(
        cls, tasks: Sequence[StreamTask], load: float, real_time_factor: float, meter: EngineMeter
    ) -> Self:
        """Of all streams that are open. Any thread may ask."""
        intakes, meters = [task.intake for task in tasks], [task.meter for task in tasks]
        queues = [task.queue for task in tasks]
        return cls(
            active_streams=len(tasks),
            load=load,
            real_time_factor=real_time_factor,
            steps=meter.steps,
            longest_step_s=meter.longest_step_s,
            backlog_s=max((intake.backlog_s for intake in intakes), default=0.0),
            lag_s=max((each.lag_s for each in meters), default=0.0),
            refused_samples=sum(queue.refused for queue in queues),
        )
