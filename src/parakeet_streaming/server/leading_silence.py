"""Blocks of one channel in; the same out, but for silence that no sound follows.

Rules of this file:

1. Silence is one value again and again, as on a channel that nobody uses.
2. The first `HEARD_S` of it are handed on: what a model makes of such silence is asked once. The
   rest waits, and comes with the first sound. So nothing changes where there is any.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from parakeet_streaming.timeline import samples_to_seconds, seconds_to_samples

HEARD_S: Final = 20.0
"""Longer than a window of any preset."""


class LeadingSilence:
    """Holds back silence at the start of one channel."""

    def __init__(self, rate_hz: int) -> None:
        self._rate_hz = rate_hz
        self._room = seconds_to_samples(HEARD_S, rate_hz)
        self._value: np.float32 | None = None
        self._waiting = 0
        self._is_over = False

    @property
    def waiting_s(self) -> float:
        """Seconds that were not handed on."""
        return samples_to_seconds(self._waiting, self._rate_hz)

    def take(self, block: NDArray[np.float32]) -> Iterator[NDArray[np.float32]]:
        """What is to be recognised now, float32 (n,)."""
        if self._value is None and len(block):
            self._value = block[0]
        value = self._value
        if self._is_over or value is None:
            yield block
        elif bool((block == value).all()):
            heard = min(self._room, len(block))
            self._room -= heard
            self._waiting += len(block) - heard
            if heard:
                yield block[:heard]
        else:
            self._is_over = True
            while self._waiting:
                count = min(self._waiting, self._rate_hz)
                self._waiting -= count
                yield np.full(count, value, np.float32)
            yield block
