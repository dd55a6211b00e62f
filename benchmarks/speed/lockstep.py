"""Streams and a book in; the seconds of each of the steps that all of them take together, out."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from parakeet_streaming import ContextConfig, Recognizer, Stream
from benchmarks.speech.book import looped, speech_of

_BOOK_S = 45.0
_APART_SAMPLES = 59_200
"""What one stream hears, the next one hears this much later in the book."""


def filling_steps(context: ContextConfig) -> int:
    """Steps until the left context is full, and one of full length behind them."""
    return context.frames.left // context.frames.chunk + 2


def walk(
    recognizer: Recognizer,
    streams: Sequence[Stream],
    steps: int,
    before: Callable[[int], None] | None = None,
) -> list[float]:
    """Steps of all streams together, each at its own place in the book; the seconds of each.

    `before` is told the number of the step that comes.
    """
    context = streams[0].context
    book = speech_of(_BOOK_S)
    fed_samples = 0
    took_s = []
    for step in range(steps):
        # A window needs one sample beyond its right context.
        needed = (step + 1) * context.samples.chunk + context.samples.right + 1
        for at, stream in enumerate(streams):
            stream.push(_part(book, at, fed_samples, needed))
        fed_samples = needed
        if before is not None:
            before(step)
        started_s = time.perf_counter()
        recognizer.step(streams)
        took_s.append(time.perf_counter() - started_s)
    return took_s


def _part(book: NDArray[np.float32], at: int, start: int, stop: int) -> NDArray[np.float32]:
    return looped(book, at * _APART_SAMPLES + start, stop - start)
