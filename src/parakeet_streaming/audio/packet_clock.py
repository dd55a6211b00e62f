"""Times of a container's packets go in; where sound is missing before each, in samples, comes out.

Rules of this file:

1. Position 0 is the container's own start. Sound that begins later has silence before it.
2. A clock that leaps ahead is a gap, if the leap is possible; a clock that goes back, or leaps
   further than that, is another recording behind this one, and its sound follows without a gap.
3. Clocks are coarse and tremble: less than `SMALLEST_GAP_S` is no gap, except where a packet was
   lost.
4. Sound is never dropped: where packets overlap, one follows the other.
5. Silence is bounded, by `MOST_SILENCE_S` and the sound that there is: a few bytes can claim years.
"""

from __future__ import annotations

from typing import Final

from parakeet_streaming.timeline import seconds_to_samples

SMALLEST_GAP_S: Final = 0.1
"""From here on ffmpeg's own `aresample=async` fills a gap, too."""
_SMALLEST_LOST_S: Final = 0.005
"""No packet is shorter, and few clocks are coarser."""
MOST_SILENCE_S: Final = 12 * 3600.0
"""In all gaps of one track: a participant who is silent for a long day."""
SILENCE_PER_SOUND: Final = 20
"""So much more for each second of sound: codecs send one packet of 20 ms for 400 ms of silence."""
_BACK_S: Final = 1.0
"""A clock that is further behind than this has been set anew."""


class PacketClock:
    """Where the samples of one track belong."""

    def __init__(self, rate_hz: int, *, longest_gap_s: float) -> None:
        """Counts samples at `rate_hz`; a leap of more than `longest_gap_s` is no gap."""
        self.position = 0
        """Samples handed on so far, silence included."""
        self.left_out = 0
        """Samples of silence that were left out, as there was too much of it."""
        self._silence = 0
        self._most_silence = seconds_to_samples(MOST_SILENCE_S, rate_hz)
        self._shift = 0
        self._smallest = seconds_to_samples(SMALLEST_GAP_S, rate_hz)
        self._smallest_lost = seconds_to_samples(_SMALLEST_LOST_S, rate_hz)
        self._longest = seconds_to_samples(longest_gap_s, rate_hz)
        self._back = seconds_to_samples(_BACK_S, rate_hz)

    def missing_before(self, at: int | None, *, lost: int = 0) -> int:
        """Samples of silence that belong before the next ones; `advance` by them, too.

        Args:
            at: where the next samples begin by the container's clock; None where it does not say.
            lost: samples that were in packets lost just before, at least 1 if any were.
        """
        missing = self._claimed_before(at, lost)
        most = self._most_silence + SILENCE_PER_SOUND * (self.position - self._silence)
        if self._silence + missing > most:
            self.left_out += missing
            if at is not None:
                self._shift = self.position - at
            return 0
        self._silence += missing
        return missing

    def _claimed_before(self, at: int | None, lost: int) -> int:
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
