"""Times of a container's packets go in; where sound is missing before each, in samples, comes out.

Rules of this file:

1. Position 0 is the container's own start. Sound that begins later has silence before it.
2. A clock that leaps ahead is a gap, if the leap is possible; a clock that goes back, or leaps
   further than that, is another recording behind this one, and its sound follows without a gap.
3. Clocks are coarse and tremble: less than `SMALLEST_GAP_S` is no gap, except where a packet was
   lost.
4. Sound is never dropped: where packets overlap, one follows the other.
"""

from __future__ import annotations

from typing import Final

from parakeet_streaming.timeline import seconds_to_samples

SMALLEST_GAP_S: Final = 0.1
"""From here on ffmpeg's own `aresample=async` fills a gap, too."""
_SMALLEST_LOST_S: Final = 0.005
"""No packet is shorter, and few clocks are coarser."""
_BACK_S: Final = 1.0
"""A clock that is further behind than this has been set anew."""


class PacketClock:
    """Where the samples of one track belong."""

    def __init__(self, rate_hz: int, *, longest_gap_s: float) -> None:
        """Counts samples at `rate_hz`; a leap of more than `longest_gap_s` is no gap."""
        self.position = 0
        """Samples handed on so far, silence included."""
        self._shift = 0
        self._smallest = seconds_to_samples(SMALLEST_GAP_S, rate_hz)
        self._smallest_lost = seconds_to_samples(_SMALLEST_LOST_S, rate_hz)
        self._longest = seconds_to_samples(longest_gap_s, rate_hz)
        self._back = seconds_to_samples(_BACK_S, rate_hz)

    def missing_before(self, at: int | None, *, lost: int = 0) -> int:
        """Samples of silence that belong before the next ones.

        Args:
            at: where the next samples begin by the container's clock; None where it does not say.
            lost: samples that were in packets lost just before, at least 1 if any were.
        """
        if at is None:
            return lost
        ahead = at + self._shift - self.position
        if ahead > self._longest or ahead < -self._back:
            self._shift = self.position + lost - at
            return lost
        return ahead if ahead >= (self._smallest_lost if lost else self._smallest) else 0

    def advance(self, samples: int) -> None:
        """So many samples were handed on."""
        self.position += samples
