"""Blocks of float32 mono (n,) go in as fast as they can be read; they come out at live speed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from parakeet_streaming.timeline import samples_to_seconds


def paced(
    blocks: Iterable[NDArray[np.float32]],
    rate_hz: int,
    *,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[NDArray[np.float32]]:
    """Hand each block on at the moment at which its last sample would have been recorded.

    Recording starts when the first block is asked for. Every moment counts from there, so delays
    do not add up; after a delay, blocks that are due are handed on at once.

    Args:
        blocks: float32 mono (n,) at `rate_hz`.
        rate_hz: samples per second.
        clock: seconds that only grow.
        sleep: waits for that many seconds.
    """
    start_s = clock()
    recorded_samples = 0
    for block in blocks:
        recorded_samples += len(block)
        early_s = start_s + samples_to_seconds(recorded_samples, rate_hz) - clock()
        if early_s > 0:
            sleep(early_s)
        yield block
