"""A model and audio in; the time of every stage of its steps out, as medians over some runs."""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.accuracy.decoding import OFFLINE, config_of
from benchmarks.models.opening import Choice, Opened, open_model
from parakeet_streaming import Recognizer
from parakeet_streaming.timeline import samples_to_seconds
from benchmarks.speed.stages import (
    ENCODER_GRAPH,
    JOINT,
    PREDICTOR,
    Stopwatch,
    TimedDecoderJoint,
    TimedSession,
    timed_encoder,
)
from benchmarks.report.tables import progress


@dataclass(frozen=True)
class Case:
    """What is timed."""

    context: str
    frames_per_call: int | None = None
    """None for the model's own."""
    cached: bool = False
    """Whether each frame is encoded once, for which the encoder must keep its past."""


@dataclass(frozen=True)
class Timing:
    """One pass over the audio, or the median of several."""

    audio_s: float
    stages_s: dict[str, float]
    steps: int
    tokens: int
    predictor_calls: int
    joint_calls: int

    @property
    def total_s(self) -> float:
        return sum(self.stages_s.values())

    @property
    def outside_share(self) -> float:
        """Share of the time that is not the encoder's graph."""
        return 1 - self.stages_s[ENCODER_GRAPH] / self.total_s

    def share(self, stage: str) -> float:
        """Share of the time that a stage takes."""
        return self.stages_s[stage] / self.total_s


class Bench:
    """A model with a stopwatch around every stage."""

    def __init__(self, model: str, choice: Choice | None = None) -> None:
        self.stopwatch = Stopwatch()
        self.opened: Opened = open_model(
            model, choice, lambda session, name: TimedSession(session, self.stopwatch, name)
        )
        self._decoder_joint = TimedDecoderJoint(self.opened.decoder_joint, self.stopwatch)
        self.recognizer: Recognizer = self.opened.recognizer(
            timed_encoder(self.opened.encoder, self.stopwatch), self._decoder_joint
        )

    def timings(
        self, cases: Sequence[Case], samples: NDArray[np.float32], runs: int, what: str
    ) -> list[Timing]:
        """Times every case `runs` times, in turn, so that a busy moment hits all alike."""
        self.once(cases[0], samples)
        passes = [
            (case, self.once(case, samples))
            for case in progress([case for _ in range(runs) for case in cases], what)
        ]
        return [median_of([timing for other, timing in passes if other == case]) for case in cases]

    def once(self, case: Case, samples: NDArray[np.float32]) -> Timing:
        """Decodes samples (n,) at 16 kHz once."""
        own = self.opened.decoder_joint.frames_per_call
        self._decoder_joint.frames_per_call = case.frames_per_call or own
        config = config_of(self.recognizer, case.context, samples)
        stream = self.recognizer.stream(
            config, tentative=case.context != OFFLINE, cached=case.cached
        )
        stream.push(samples)
        stream.end()
        self.stopwatch.reset()
        steps = 0
        started_s = time.perf_counter()
        while stream.ready:
            stream.step()
            steps += 1
        total_s = time.perf_counter() - started_s
        calls = self.stopwatch.calls
        return Timing(
            audio_s=samples_to_seconds(samples.shape[0]),
            stages_s=self.stopwatch.stages(total_s),
            steps=steps,
            tokens=len(stream.tokens),
            predictor_calls=calls.get(PREDICTOR, 0),
            joint_calls=calls.get(JOINT, 0),
        )


def median_of(passes: Sequence[Timing]) -> Timing:
    """The median of each stage; everything that is counted is equal in all passes."""
    first = passes[0]
    stages_s = {
        stage: statistics.median(each.stages_s[stage] for each in passes)
        for stage in first.stages_s
    }
    return Timing(
        first.audio_s,
        stages_s,
        first.steps,
        first.tokens,
        first.predictor_calls,
        first.joint_calls,
    )
