"""Samples of one producer in; the same samples, gaps and moments of arrival for the worker out.

Rules of this file:

1. One thread pushes, one thread (the worker) takes. Neither waits for the other; there is no lock.
2. A ring that is full is followed by a larger one, up to a bound. Beyond it samples are refused,
   and the place and length of what is missing travel with the audio as a gap.
3. Positions count samples at the pushed rate, those that were refused included: they are the
   stream's time.
4. Only the producer stores what the producer counts, and only the worker what the worker counts.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from parakeet_streaming.audio.pcm import as_mono
from parakeet_streaming.audio.ring import (
    SampleReader,
    ValueReader,
    ValueWriter,
    sample_ring,
    value_ring,
)

Floats = NDArray[np.float32]

_RINGS: Final = 16
_GAPS: Final = 64
_STAMPS: Final = 512


@dataclass(frozen=True, slots=True)
class Missing:
    """Samples that were refused."""

    start: int
    count: int


@dataclass(frozen=True, slots=True)
class _Stamp:
    position: int
    at_s: float


class AudioQueueWriter:
    """The producer's end."""

    def __init__(
        self,
        capacity: int,
        most_samples: int,
        clock: Callable[[], float],
        wake: Callable[[], None],
        *,
        stamp_every: int = 1,
    ) -> None:
        """`capacity` samples to begin with, `most_samples` at most; `wake` tells the worker.

        When samples came is noted once for `stamp_every` of them: notes lie in a ring, too.
        """
        self.offered = 0
        """Samples pushed so far, refused ones included."""
        self.told = 0
        """The same, without those of a gap that no samples follow yet: what can be taken."""
        self.refused = 0
        self.closed = False
        self.refusing = False
        """Whether the worker takes nothing more; the worker's own."""
        self.wake_at = 0
        """Position at which the worker wants to be woken; the worker's own."""
        self._most = max(capacity, most_samples)
        self._clock = clock
        self._wake = wake
        self._stamp_every = stamp_every
        self._stamped = 0
        self._writer, reader = sample_ring(capacity)
        self._high_water = 0
        self._rings: ValueWriter[SampleReader]
        self._gaps: ValueWriter[Missing]
        self._stamps: ValueWriter[_Stamp]
        self._rings, rings = value_ring(_RINGS)
        self._gaps, gaps = value_ring(_GAPS)
        self._stamps, stamps = value_ring(_STAMPS)
        self.missing: Missing | None = None
        """The last gap, while no samples follow it."""
        self.outlet = AudioQueueReader(self, reader, rings, gaps, stamps)

    @property
    def capacity(self) -> int:
        """Samples that the ring in use holds."""
        return self._writer.capacity

    @property
    def occupancy(self) -> int:
        """Samples in the ring in use."""
        return self._writer.occupancy

    @property
    def high_water(self) -> int:
        """The most samples that a ring of this wire has held."""
        return max(self._high_water, self._writer.high_water)

    def push(self, samples: ArrayLike) -> int:
        """Takes samples, (n,) or (n, channels); returns how many were taken.

        Raises:
            AudioInputError: wrong shape or type, NaN or infinity; nothing was taken.
        """
        mono = as_mono(samples)
        count = mono.shape[0]
        if count == 0 or self.closed or self.refusing:
            return 0
        taken = self._write(mono) if self._gap_is_told() else 0
        if taken < count:
            self._miss(self.offered + taken, count - taken)
        self._stamp(self.offered + count)
        self.told = self.offered + count if self.missing is None else self.missing.start
        self.offered += count
        if self.told >= self.wake_at:
            self._wake()
        return taken

    def close(self) -> None:
        """No more samples will come."""
        self.closed = True
        self._wake()

    def _stamp(self, position: int) -> None:
        if position - self._stamped >= self._stamp_every:
            self._stamps.write(_Stamp(position, self._clock()))
            self._stamped = position

    def _write(self, mono: Floats) -> int:
        taken = self._writer.write(mono)
        rest = mono[taken:]
        if rest.shape[0] and self.capacity < self._most:
            size = min(self._most, max(2 * self.capacity, 2 * rest.shape[0]))
            writer, reader = sample_ring(size)
            if self._rings.write(reader):
                self._writer.close()
                self._high_water = self.high_water
                self._writer = writer
                taken += writer.write(rest)
        return taken

    def _miss(self, start: int, count: int) -> None:
        self.refused += count
        before = self.missing
        known = count if before is None else before.count + count
        self.missing = Missing(start if before is None else before.start, known)

    def _gap_is_told(self) -> bool:
        """Hands over the gap before the next samples; while that cannot be, none are taken."""
        if self.missing is not None and self._writer.occupancy < self.capacity:
            if not self._gaps.write(self.missing):
                return False
            self.missing = None
        return True


class AudioQueueReader:
    """The worker's end."""

    def __init__(
        self,
        inlet: AudioQueueWriter,
        reader: SampleReader,
        rings: ValueReader[SampleReader],
        gaps: ValueReader[Missing],
        stamps: ValueReader[_Stamp],
    ) -> None:
        self._inlet = inlet
        self._reader = reader
        self._rings = rings
        self._gaps = gaps
        self._stamps = stamps
        self._gap: Missing | None = None
        self._arrivals: deque[_Stamp] = deque()
        self._last_s = 0.0
        self.position = 0
        """Samples taken so far, gaps included."""

    @property
    def ended(self) -> bool:
        """Whether the producer is done and everything was taken."""
        closed = self._inlet.closed
        return closed and self.position >= self._inlet.offered

    @property
    def waiting(self) -> int:
        """Samples, gaps included, that were offered and not taken yet."""
        return self._inlet.offered - self.position

    @property
    def wake_is_due(self) -> bool:
        """Whether what the worker waits for is there."""
        return self._inlet.closed or self._inlet.told >= self._inlet.wake_at

    def take(self, most_samples: int) -> Floats | Missing | None:
        """What comes next: a gap, or float32 (n,) of `most_samples` at most; None while nothing is.

        Samples lie in rings, so there may be more behind what one call gives.
        """
        self._read_stamps()
        if most_samples <= 0:
            return None
        while True:
            # Loaded before the gaps: a gap is handed over before the samples behind it.
            here = min(self._reader.occupancy, most_samples)
            gap = self._next_gap()
            if gap is not None and gap.start <= self.position:
                self.position += gap.count
                self._gap = None
                return gap
            if gap is not None:
                here = min(here, gap.start - self.position)
            if here:
                self.position += here
                return self._reader.read(here)
            if not self._moved_on():
                return None

    def wake_after(self, samples: int) -> None:
        """Asks to be woken when so many samples more were offered."""
        self._inlet.wake_at = self.position + max(1, samples)

    def refuse(self) -> None:
        """Takes nothing more, whatever is pushed."""
        self._inlet.refusing = True

    def arrived_s(self, position: int) -> float:
        """When the sample before `position` was pushed, on the producer's clock.

        Positions must not fall from call to call; what lies before one is forgotten.
        """
        self._read_stamps()
        while self._arrivals and self._arrivals[0].position < position:
            self._last_s = self._arrivals.popleft().at_s
        return self._arrivals[0].at_s if self._arrivals else self._last_s

    def _read_stamps(self) -> None:
        while (stamp := self._stamps.read()) is not None:
            self._arrivals.append(stamp)

    def _next_gap(self) -> Missing | None:
        if self._gap is None:
            self._gap = self._gaps.read()
        if self._gap is None and self._inlet.closed and self.position < self._inlet.offered:
            last = self._inlet.missing
            if last is not None and last.start == self.position:
                return last
        return self._gap

    def _moved_on(self) -> bool:
        """Whether a larger ring follows the one that is drained."""
        following = self._rings.read() if self._reader.ended else None
        if following is None:
            return False
        self._reader = following
        return True
