"""Timed models and contexts in; the time of a step whose left context is full out.

Every stream is filled first and then takes one step in turn with all others, so that a busy moment
meets all of them alike.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.report.tables import progress
from benchmarks.speech.book import looped
from benchmarks.speed.lockstep import filling_steps
from benchmarks.speed.stages import ENCODER_GRAPH, TimedModel
from parakeet_streaming import ContextConfig


@dataclass(frozen=True)
class Cost:
    """What streaming costs in one context."""

    context: str
    cached: bool
    step_s: float
    """Median."""
    chunk_s: float
    outside_share: float
    """Share of the time that is not the encoder's graph; median."""

    @property
    def per_second(self) -> float:
        """Seconds of computing per second of audio."""
        return self.step_s / self.chunk_s


class _TimedStream:
    """One stream, the book that it reads, and the time of its steps."""

    def __init__(
        self, model: TimedModel, name: str, cached: bool, speech: NDArray[np.float32]
    ) -> None:
        self.name, self.cached = name, cached
        self.context = ContextConfig.parse(name)
        self.took_s: list[float] = []
        self.outside: list[float] = []
        self._model = model
        self._speech = speech
        self._stream = model.recognizer.stream(self.context, cached=cached)
        self._steps = 0
        self._fed = 0

    def fill(self) -> None:
        """Steps until the left context is full, and one more, for which a runtime may prepare."""
        for _ in range(filling_steps(self.context)):
            self._step()

    def measure(self) -> None:
        """One more step, timed."""
        self._model.stopwatch.reset()
        started_s = time.perf_counter()
        self._step()
        took_s = time.perf_counter() - started_s
        graph_s = self._model.stopwatch.stages(took_s)[ENCODER_GRAPH]
        self.took_s.append(took_s)
        self.outside.append(1 - graph_s / took_s)

    def _step(self) -> None:
        self._steps += 1
        # A window needs one sample beyond its right context.
        needed = self._steps * self.context.samples.chunk + self.context.samples.right + 1
        self._stream.push(looped(self._speech, self._fed, needed - self._fed))
        self._fed = needed
        self._model.step([self._stream])


def costs(
    models: Sequence[tuple[TimedModel, bool]],
    contexts: Sequence[str],
    speech: NDArray[np.float32],
    steps: int,
    what: str,
) -> list[Cost]:
    """Medians of `steps` steps.

    Args:
        models: and whether their streams are cached; all of one runtime.
        contexts: presets, or left-chunk-right.
        speech: (n,) at 16 kHz, read over and over.
        steps: to time of each.
        what: its name in the lines of progress.
    """
    streams = [
        _TimedStream(model, name, cached, speech) for name in contexts for model, cached in models
    ]
    for stream in progress(streams, f"{what}, left contexts filled"):
        stream.fill()
    for _ in progress(range(steps), f"{what}, steps of every context"):
        for stream in streams:
            stream.measure()
    return [
        Cost(
            stream.name,
            stream.cached,
            statistics.median(stream.took_s),
            stream.context.effective[1],
            statistics.median(stream.outside),
        )
        for stream in streams
    ]
