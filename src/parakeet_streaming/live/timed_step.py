"""Streams with a window each in; one step of all of them, and where its time went, out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from parakeet_streaming.engine.stepper import Stepper
from parakeet_streaming.engine.windowed_stream import WindowedStream
from parakeet_streaming.live.due import Due
from parakeet_streaming.results import Event, Partial, StepTiming


@dataclass(frozen=True, slots=True)
class StepTimes:
    """When the phases of one step began and ended."""

    began_s: float
    encoded_s: float
    done_s: float

    @property
    def took_s(self) -> float:
        return self.done_s - self.began_s


def run_step(
    stepper: Stepper, streams: Sequence[WindowedStream], clock: Callable[[], float]
) -> tuple[list[tuple[Event, ...]], StepTimes]:
    """Runs one step; an error leaves every stream where it was."""
    began_s = clock()
    step = stepper.prepare(streams)
    step.encode()
    encoded_s = clock()
    step.decode()
    events = step.commit()
    return events, StepTimes(began_s, encoded_s, clock())


def with_timing(partial: Partial, timing: StepTiming) -> Partial:
    """The same partial, and where the time of its step went. It must be new: it is changed."""
    # A copy would take longer than all else that is done for a step that found no token.
    object.__setattr__(partial, "timing", timing)
    return partial


def timings_of(dues: Sequence[Due], times: StepTimes, audio_s: float) -> list[StepTiming]:
    """Where the time of a step went, for each of its streams; `audio_s`: of all of them."""
    began_s, streams = times.began_s, len(dues)
    encode_s, decode_s = times.encoded_s - began_s, times.done_s - times.encoded_s
    return [
        StepTiming(
            max(0.0, began_s - due.complete_s), encode_s, decode_s, streams, due.audio_s / audio_s
        )
        for due in dues
    ]
