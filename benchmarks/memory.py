"""A recognizer and a recording in; the memory of the process over a long stream out."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import psutil
from numpy.typing import NDArray

from parakeet_streaming import ContextConfig, Partial, Recognizer
from parakeet_streaming.timeline import SAMPLE_RATE_HZ
from tables import progress

_MIB = 2**20
_BLOCK_SAMPLES = SAMPLE_RATE_HZ // 10
_MINUTE_SAMPLES = 60 * SAMPLE_RATE_HZ


@dataclass(frozen=True)
class Memory:
    """Memory at the end of one minute of audio."""

    minute: int
    """0 is the moment before the first sample."""
    resident_mib: float
    tokens: int
    """Committed so far; the stream keeps them for its transcript."""


def memory_over(
    recognizer: Recognizer, context: ContextConfig, samples: NDArray[np.float32], minutes: int
) -> list[Memory]:
    """Streams `minutes` of audio, samples (n,) at 16 kHz over and over, in blocks of 0.1 s."""
    process = psutil.Process()
    stream = recognizer.stream(context)
    blocks = _looped(samples)
    measured = [Memory(0, process.memory_info().rss / _MIB, 0)]
    tokens = 0
    for minute in progress(range(1, minutes + 1), "minutes of audio"):
        for _ in range(_MINUTE_SAMPLES // _BLOCK_SAMPLES):
            events = stream.feed(next(blocks))
            tokens += sum(len(event.tokens) for event in events if isinstance(event, Partial))
        gc.collect()
        measured.append(Memory(minute, process.memory_info().rss / _MIB, tokens))
    return measured


def _looped(samples: NDArray[np.float32]) -> Iterator[NDArray[np.float32]]:
    """Blocks of samples, from the start again after the end."""
    start = 0
    places = np.arange(_BLOCK_SAMPLES)
    while True:
        yield samples[(start + places) % samples.shape[0]]
        start += _BLOCK_SAMPLES
