"""An utterance and a recognizer in; the transcript, its steps and the time they took out."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.accuracy.scores import Step
from parakeet_streaming import ContextConfig, Partial, Recognizer, Transcript
from parakeet_streaming.timeline import samples_to_seconds

OFFLINE = "offline"


@dataclass(frozen=True)
class Heard:
    """What a recognizer made of one utterance."""

    transcript: Transcript
    steps: tuple[Step, ...]
    processing_s: float


def config_of(recognizer: Recognizer, context: str, samples: NDArray[np.float32]) -> ContextConfig:
    """The context that is called so: a preset, `5-0.5-0.5`, or `offline` for all samples (n,)."""
    if context == OFFLINE:
        return recognizer.offline_context(samples_to_seconds(samples.shape[0]))
    return ContextConfig.parse(context)


def hear(
    recognizer: Recognizer, context: str, samples: NDArray[np.float32], *, cached: bool = False
) -> Heard:
    """Decodes samples, (n,) at 16 kHz, in one context: a preset, `5-0.5-0.5`, or `offline`.

    The clock of the steps is that of live use: a step begins when the audio it looks at has been
    spoken and the step before it is done.
    """
    config = config_of(recognizer, context, samples)
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
    return Heard(stream.transcript(), tuple(steps), processing_s)


def context_name(text: str) -> str:
    """A context as given, if there is one; argparse shows the error."""
    if text != OFFLINE:
        ContextConfig.parse(text)
    return text
