"""A timed model and audio in; the time of every stage of its steps out, as medians of some runs."""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.models.contexts import OFFLINE, context_of
from benchmarks.report.tables import progress
from benchmarks.speed.stages import ENCODER_GRAPH, JOINT, PREDICTOR, TimedModel
from parakeet_streaming.timeline import samples_to_seconds


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


def timings(
    model: TimedModel, contexts: Sequence[str], samples: NDArray[np.float32], runs: int
) -> dict[str, Timing]:
    """Times each context `runs` times, in turn, so that a busy moment meets all of them alike."""
    timed_pass(model, contexts[0], samples)
    passes: dict[str, list[Timing]] = {context: [] for context in contexts}
    order = [context for _ in range(runs) for context in contexts]
    for context in progress(order, "passes over the audio"):
        passes[context].append(timed_pass(model, context, samples))
    return {context: median_of(each) for context, each in passes.items()}


def timed_pass(model: TimedModel, context: str, samples: NDArray[np.float32]) -> Timing:
    """Decodes samples (n,) at 16 kHz once."""
    audio_s = samples_to_seconds(samples.shape[0])
    stream = model.recognizer.stream(
        context_of(model.recognizer, context, audio_s), tentative=context != OFFLINE
    )
    stream.push(samples)
    stream.end()
    model.stopwatch.reset()
    steps = 0
    started_s = time.perf_counter()
    while stream.ready:
        model.step([stream])
        steps += 1
    total_s = time.perf_counter() - started_s
    calls = model.stopwatch.calls
    return Timing(
        audio_s=audio_s,
        stages_s=model.stopwatch.stages(total_s),
        steps=steps,
        tokens=len(stream.transcript().tokens),
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
