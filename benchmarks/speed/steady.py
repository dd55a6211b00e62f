"""A model and contexts in; the time of a step whose left context is full out.

Every stream is filled first and then takes one step in turn with all others, so that a busy moment
hits all of them alike.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from parakeet_streaming import ContextConfig, Stream
from benchmarks.speech.book import looped
from benchmarks.speed.stages import ENCODER_GRAPH
from benchmarks.report.tables import progress
from benchmarks.speed.timing import Bench


@dataclass(frozen=True)
class Cost:
    """What streaming costs in one context."""

    context: str
    cached: bool
    step_s: float
    """Median."""
    chunk_s: float
    outside_share: float
    """Of the time, that is not the encoder's graph; median."""

    @property
    def per_second(self) -> float:
        """Seconds of computing per second of audio."""
        return self.step_s / self.chunk_s


class _Course:
    """One stream, and the book it hears."""

    def __init__(self, bench: Bench, name: str, cached: bool, speech: NDArray[np.float32]) -> None:
        self.name, self.cached = name, cached
        self.context = ContextConfig.parse(name)
        self.took_s: list[float] = []
        self.outside: list[float] = []
        self._bench = bench
        self._speech = speech
        self._stream: Stream = bench.recognizer.stream(self.context, cached=cached)
        self._fed_samples = 0

    def fill(self) -> None:
        """Steps until the left context is full."""
        while self._stream.window.decoded_samples < self.context.samples.left:
            self._step()
        # The first step of full length, for which a runtime may still have to prepare.
        self._step()

    def measure(self) -> None:
        """One more step, timed."""
        self._bench.stopwatch.reset()
        started_s = time.perf_counter()
        self._step()
        took_s = time.perf_counter() - started_s
        graph_s = self._bench.stopwatch.stages(took_s)[ENCODER_GRAPH]
        self.took_s.append(took_s)
        self.outside.append(1 - graph_s / took_s)

    def _step(self) -> None:
        context = self.context
        wanted = self._stream.window.decoded_samples
        # One sample more than the window: only then is it known not to be the last.
        wanted += context.samples.chunk + context.samples.right + 1
        self._stream.push(looped(self._speech, self._fed_samples, wanted - self._fed_samples))
        self._fed_samples = wanted
        self._stream.step()


def costs(
    benches: Sequence[tuple[Bench, bool]],
    contexts: Sequence[str],
    speech: NDArray[np.float32],
    steps: int,
    what: str,
) -> list[Cost]:
    """Medians of `steps` steps.

    Args:
        benches: models, and whether their streams are cached; all of one runtime.
        contexts: names, or left-chunk-right.
        speech: (n,) at 16 kHz, heard over and over.
        steps: to time of each.
        what: to call it in the lines of progress.
    """
    courses = [
        _Course(bench, name, cached, speech) for name in contexts for bench, cached in benches
    ]
    for course in progress(courses, f"{what}, left contexts filled"):
        course.fill()
    for _ in progress(range(steps), f"{what}, steps of every context"):
        for course in courses:
            course.measure()
    return [
        Cost(
            course.name,
            course.cached,
            statistics.median(course.took_s),
            course.context.effective[1],
            statistics.median(course.outside),
        )
        for course in courses
    ]
