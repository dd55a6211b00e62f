"""A clock that may be set back in; seconds that never go back by more than a moment, out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

_MOMENT_S: Final = 1.0
"""Threads that read at the same time may differ by less."""


class SteadyClock:
    """Goes on where the clock is set back: deadlines and waits are made of differences."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._offset_s = 0.0
        self._latest_s = clock()

    def __call__(self) -> float:
        now_s = self._clock() + self._offset_s
        behind_s = self._latest_s - now_s
        if behind_s > _MOMENT_S:
            self._offset_s += behind_s
            return self._latest_s
        if behind_s < 0:
            self._latest_s = now_s
        return now_s
