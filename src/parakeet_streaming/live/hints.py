"""Samples that are pushed in; hints that they are not what the options say, out."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from numpy.typing import ArrayLike

from parakeet_streaming.audio.mistaken import FormatWatch
from parakeet_streaming.audio.pcm import as_mono
from parakeet_streaming.results import HealthHint


class StreamHints:
    """Of one stream. Its producer feeds it, its worker takes what is new, any thread may look."""

    def __init__(self, rate_hz: int, clock: Callable[[], float], wake: Callable[[], None]) -> None:
        """`rate_hz`: of the samples that will be pushed; `wake` tells the worker."""
        self._watch = FormatWatch(rate_hz)
        self._clock = clock
        self._wake = wake
        self.new: deque[HealthHint] = deque()
        """Those that were not taken."""
        self._told: tuple[HealthHint, ...] = ()

    @property
    def told(self) -> tuple[HealthHint, ...]:
        """All until now."""
        return self._told

    def look_at(self, samples: ArrayLike) -> ArrayLike:
        """Looks at what is pushed, and gives it back.

        Raises:
            AudioInputError: wrong shape or type, NaN or infinity.
        """
        watch = self._watch
        if not watch.active:
            return samples
        mono = as_mono(samples)
        found = watch.feed(mono, self._clock())
        if found:
            self._told += tuple(found)
            self.new.extend(found)
            self._wake()
        return mono

    def take(self) -> list[HealthHint]:
        """Those that are new. The worker's."""
        return [self.new.popleft() for _ in range(len(self.new))]
