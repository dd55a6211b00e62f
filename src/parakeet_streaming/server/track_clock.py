"""Times of a track's frames in; how much of its sound is missing before each, out.

Rules of this file:

1. What is lost on the way, or not sent because it is silent, is missing where it was, so that the
   times of what follows stay true. A frame is never moved.
2. Less than a frame of the shortest kind is no hole; it counts when more comes to it.
3. A clock that leaps back, or ahead by more than the time that has passed, is another clock (the
   caller changed its microphone): then as much is missing as time has passed.
"""

from __future__ import annotations

from typing import Final

_SHORTEST_S: Final = 0.0025
"""The shortest frame of Opus."""
_SLACK_S: Final = 5.0
"""By which a clock may be ahead of the time that has passed: frames come in bursts."""
_BACK_S: Final = 1.0


class TrackClock:
    """One track."""

    def __init__(self, rate_hz: int) -> None:
        self._rate_hz = rate_hz
        self._next: int | None = None
        """Where the next frame begins if nothing is missing, on the track's clock."""
        self._at_s = 0.0

    def missing(self, begin: int, samples: int, now_s: float) -> int:
        """So many samples are missing before a frame.

        Args:
            begin: where the frame begins, in samples of the track's clock.
            samples: of the frame.
            now_s: when it came.
        """
        before, passed_s = self._next, now_s - self._at_s
        self._at_s = now_s
        if before is None:
            self._next = begin + samples
            return 0
        hole = begin - before
        if not -_BACK_S * self._rate_hz <= hole <= (passed_s + _SLACK_S) * self._rate_hz:
            self._next = begin + samples
            hole = int(passed_s * self._rate_hz) - samples
            return hole if hole >= self._shortest else 0
        if hole < self._shortest:
            self._next = before + samples
            return 0
        self._next = begin + samples
        return hole

    @property
    def _shortest(self) -> float:
        return _SHORTEST_S * self._rate_hz
