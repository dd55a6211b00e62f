"""A clock and a book in; audio that arrives as it is spoken, pushed into streams, out.

Rules of this file:

1. Audio comes on an absolute clock. Source s begins at its own offset within a chunk, and its
   sample i arrives at offset + i / 16000, in whole packets of 20 ms, whether the engine is ready
   for it or not.
2. One thread pushes for all sources. There is no other clock than the one passed in.
3. It uses the package's public names only, and few of them: `speed/before_after.py` runs it under
   other versions of the package.
"""

from __future__ import annotations

import heapq
import math
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from benchmarks.speech.book import looped

RATE_HZ: Final = 16_000
PACKET_SAMPLES: Final = RATE_HZ // 50
ALLOWED_S: Final = 0.5
"""How late a text may be and still count as in time."""
IN_TIME_SHARE: Final = 0.99
"""Share of a stream's texts that must be in time for the stream to count as carried."""
_APART_S: Final = 3.7
"""Each source reads this much further on in the book than the source before it."""

Push = Callable[[NDArray[np.float32]], object]


class Clock(Protocol):
    """Tells the time in seconds, and waits: not at all for a moment that has passed."""

    def now(self) -> float: ...

    def wait_until(self, when_s: float) -> None: ...


class RealClock:
    """The machine's clock."""

    def now(self) -> float:
        return time.perf_counter()

    def wait_until(self, when_s: float) -> None:
        time.sleep(max(0.0, when_s - self.now()))


@dataclass
class Source:
    """A reader of the book, in real time."""

    starts_s: float
    """When the first sample is spoken."""
    book_start: int
    """Sample of the book with which it begins."""
    taken: int = 0
    """Samples that were taken from it."""

    @property
    def next_packet_s(self) -> float:
        """When the next packet arrives."""
        return self.starts_s + (self.taken + PACKET_SAMPLES) / RATE_HZ

    def arrived(self, now_s: float) -> int:
        """Samples that have arrived, in whole packets."""
        # A moment that was computed from a number of packets must give that number back.
        packets = math.floor((now_s - self.starts_s) * RATE_HZ / PACKET_SAMPLES + 1e-6)
        return max(0, packets) * PACKET_SAMPLES

    def take(self, book: NDArray[np.float32], now_s: float) -> NDArray[np.float32]:
        """What has arrived of the book (n,) since the last call, (m,)."""
        start, count = self.book_start + self.taken, max(0, self.arrived(now_s) - self.taken)
        self.taken += count
        return looped(book, start, count)


def sources(count: int, starts_s: float, chunk_s: float, seed: int) -> list[Source]:
    """Sources that begin at random moments, one in each part of a chunk, at different places."""
    drawn = random.Random(seed)
    apart = round(_APART_S * RATE_HZ)
    return [
        Source(starts_s + (each + drawn.random()) / count * chunk_s, each * apart)
        for each in range(count)
    ]


def play(
    playing: Sequence[tuple[Source, Push]],
    book: NDArray[np.float32],
    clock: Clock,
    ends_s: float,
    each_second: Callable[[float], bool | None] = lambda _: None,
) -> None:
    """Pushes each packet when it arrives, until `ends_s`.

    `each_second` gets the seconds since the start, once a second; True ends the playing.
    """
    coming = [(source.next_packet_s, at) for at, (source, _) in enumerate(playing)]
    heapq.heapify(coming)
    began_s = clock.now()
    second = 1
    while (now_s := clock.now()) < ends_s:
        if now_s >= began_s + second:
            if each_second(now_s - began_s):
                return
            second += 1
        if coming and coming[0][0] <= now_s:
            at = coming[0][1]
            source, push = playing[at]
            push(source.take(book, now_s))
            heapq.heapreplace(coming, (source.next_packet_s, at))
        else:
            clock.wait_until(min(began_s + second, ends_s, coming[0][0] if coming else ends_s))
