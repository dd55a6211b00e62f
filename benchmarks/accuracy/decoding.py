"""Samples and a recognizer in; the transcript, the steps and the time that they took, out."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.accuracy.scores import Step
from benchmarks.models.contexts import OFFLINE, context_of
from parakeet_streaming import Partial, Recognizer, Transcript
from parakeet_streaming.timeline import samples_to_seconds


@dataclass(frozen=True)
class Decoding:
    """What a recognizer made of one utterance."""

    transcript: Transcript
    steps: tuple[Step, ...]
    processing_s: float


def decode(
    recognizer: Recognizer, context: str, samples: NDArray[np.float32], *, cached: bool = False
) -> Decoding:
    """Decodes samples, (n,) at 16 kHz, in one context: a preset, `5-0.5-0.5`, or `offline`.

    The clock of the steps is that of live use: a step begins when the audio that it looks at has
    been spoken and the step before it is done.
    """
    config = context_of(recognizer, context, samples_to_seconds(samples.shape[0]))
    stream = recognizer.stream(config, tentative=context != OFFLINE, cached=cached)
    stream.push(samples)
    stream.end()
    steps: list[Step] = []
    processing_s, done_s = 0.0, 0.0
    while stream.ready:
        started_s = time.perf_counter()
        events = stream.step()
        took_s = time.perf_counter() - started_s
        processing_s += took_s
        for event in events:
            if isinstance(event, Partial):
                done_s = max(done_s, event.lookahead_end_s) + took_s
                steps.append(Step(event, done_s))
    return Decoding(stream.transcript(), tuple(steps), processing_s)
