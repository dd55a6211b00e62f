"""Streams and a book in; the seconds of each of the steps that all of them take together, out."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Final

from benchmarks.speech.book import BOOK_S, looped, speech_of
from parakeet_streaming import ContextConfig, Stream

_APART_SAMPLES: Final = 59_200
"""Each stream reads this much further on in the book than the stream before it."""


def filling_steps(context: ContextConfig) -> int:
    """Steps until the left context is full, and one of full length after them."""
    return context.frames.left // context.frames.chunk + 2


def timed_steps(
    streams: Sequence[Stream],
    steps: int,
    run: Callable[[Sequence[Stream]], object],
    before: Callable[[int], None] = lambda _: None,
) -> list[float]:
    """Runs steps of all streams together, from their first window on; the seconds of each.

    Args:
        streams: new ones, all of one context.
        steps: how many.
        run: one step of the streams.
        before: gets the number of the next step.
    """
    context = streams[0].context
    book = speech_of(BOOK_S)
    fed = 0
    took_s = []
    for step in range(steps):
        # A window needs one sample beyond its right context.
        needed = (step + 1) * context.samples.chunk + context.samples.right + 1
        for at, stream in enumerate(streams):
            stream.push(looped(book, at * _APART_SAMPLES + fed, needed - fed))
        fed = needed
        before(step)
        started_s = time.perf_counter()
        run(streams)
        took_s.append(time.perf_counter() - started_s)
    return took_s
