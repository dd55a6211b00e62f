"""Shared memory that another process writes samples into, in; what the worker takes of it, out.

Rules of this file:

1. It is `AudioQueueReader` and the worker's view of `AudioQueueWriter`, for a producer in another
   process: `audio_writer.py` says how the two meet.
2. The process that writes is the one with the sockets. Whatever stands in the memory, nothing is
   read outside it, and no more is taken than a ring holds.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Final

from parakeet_streaming.live.audio_queue import Missing
from parakeet_streaming.ports import Floats
from parakeet_streaming.processes import audio_memory as at
from parakeet_streaming.processes.audio_memory import BLOCK, AudioMemory
from parakeet_streaming.processes.shared_memory import fence

_NEVER: Final = sys.maxsize
_NS: Final = 1_000_000_000


class SharedAudioReader:
    """The worker's end of one stream."""

    def __init__(self, memory: AudioMemory, slot: int, start: int, most_samples: int) -> None:
        """`start`: position of the first sample that comes."""
        found = memory.slot(slot)
        self._counters, self._numbers = found.counters, found.numbers
        self._gaps, self._stamps = found.gaps, found.stamps
        self._samples = memory.blocks
        self._most = most_samples
        self._start = start
        self._taken = self._gaps_taken = self._stamps_taken = 0
        self._gap: Missing | None = None
        self._last_s = 0.0
        self._position = start
        self._counters[at.POSITION] = self._counters[at.WAKE_AT] = start

    @property
    def position(self) -> int:
        """Position after the last sample that was taken, gaps included."""
        return self._position

    @position.setter
    def position(self, position: int) -> None:
        self._position = self._counters[at.POSITION] = position

    @property
    def received(self) -> int:
        """Position after the last sample that was written, refused ones included."""
        return max(self._start, self._counters[at.RECEIVED])

    @property
    def ended(self) -> bool:
        """Whether the producer is done and everything was taken."""
        return bool(self._counters[at.CLOSED]) and self._position >= self.received

    @property
    def waiting(self) -> int:
        """Samples, gaps included, that were received and not taken yet."""
        return max(0, self.received - self._position)

    @property
    def written_at_s(self) -> float:
        """When the last samples came, taken or not."""
        return float(self._counters[at.WRITTEN_AT_NS] / _NS)

    @property
    def wake_is_due(self) -> bool:
        """Whether what the worker waits for is there."""
        counters = self._counters
        wake_at = counters[at.WAKE_AT]
        if counters[at.CLOSED]:
            return wake_at != _NEVER and not self.ended
        return max(self._start, counters[at.AVAILABLE]) >= wake_at

    def take(self, most_samples: int, to: Callable[[Floats], None]) -> int | Missing:
        """What comes next: a gap, or how many samples it gave to `to`, float32 (n,); 0 for none.

        Those that it gives, `most_samples` at most, are overwritten afterwards: `to` must copy
        them. They lie in blocks, so there may be more after them.
        """
        if most_samples <= 0:
            return 0
        # Loaded before the gaps: a gap is handed over before the samples after it.
        put = self._counters[at.SAMPLES_PUT]
        fence()
        here = max(0, min(put - self._taken, self._most, most_samples))
        gap = self._next_gap()
        if gap is not None and gap.start <= self._position:
            self.position += gap.count
            self._gap = None
            return gap
        if gap is not None:
            here = min(here, gap.start - self._position)
        if not here:
            return 0
        number, offset = divmod(self._taken, BLOCK)
        here = min(here, BLOCK - offset)
        block = self._numbers[number % at.NUMBERS] % len(self._samples)
        to(self._samples[block, offset : offset + here])
        self._taken += here
        fence()
        self._counters[at.SAMPLES_TAKEN] = self._taken
        self.position += here
        return here

    def wake_after(self, samples: int | None) -> None:
        """Asks to be woken when so many samples more are available; None: not before the end."""
        wake_at = _NEVER if samples is None else self._position + max(1, samples)
        self._counters[at.WAKE_AT] = wake_at
        fence()

    def refuse(self) -> None:
        """Takes nothing more, whatever is written."""
        self._counters[at.REFUSING] = 1

    def arrived_s(self, position: int) -> float:
        """When the sample before `position` came; what lies before one is forgotten."""
        stamps = self._stamps
        put = min(self._counters[at.STAMPS_PUT], self._stamps_taken + at.STAMPS)
        fence()
        while self._stamps_taken < put:
            index = 2 * (self._stamps_taken % at.STAMPS)
            at_s = stamps[index + 1] / _NS
            if stamps[index] >= position:
                return at_s
            self._last_s = at_s
            self._stamps_taken += 1
            self._counters[at.STAMPS_TAKEN] = self._stamps_taken
        return self._last_s

    def _next_gap(self) -> Missing | None:
        counters = self._counters
        if self._gap is None and self._gaps_taken < counters[at.GAPS_PUT]:
            fence()
            index = 2 * (self._gaps_taken % at.GAPS)
            gap = self._checked(self._gaps[index], self._gaps[index + 1])
            self._gap = gap if gap.count else None
            self._gaps_taken += 1
            counters[at.GAPS_TAKEN] = self._gaps_taken
        if self._gap is None and counters[at.CLOSED] and self._position < self.received:
            fence()
            start, count = counters[at.MISSING_START], counters[at.MISSING_COUNT]
            if count > 0 and start == self._position:
                return self._checked(start, count)
        return self._gap

    def _checked(self, start: int, count: int) -> Missing:
        """A gap that lies between what was taken and what was received."""
        start = max(self._position, start)
        return Missing(start, max(0, min(count, self.received - start)))


class SharedAudioQueue:
    """What the worker sees of the producer's side."""

    def __init__(
        self, memory: AudioMemory, slot: int, reader: SharedAudioReader, most: int
    ) -> None:
        self._counters = memory.slot(slot).counters
        self.reader = reader
        self.capacity = most
        """Samples that may wait."""

    @property
    def received(self) -> int:
        return self.reader.received

    @property
    def refused(self) -> int:
        return int(self._counters[at.REFUSED])

    @property
    def written_at_s(self) -> float:
        """When the last samples came."""
        return self.reader.written_at_s

    @property
    def occupancy(self) -> int:
        held = self._counters[at.SAMPLES_PUT] - self._counters[at.SAMPLES_TAKEN]
        return max(0, min(held, self.capacity))

    @property
    def high_water(self) -> int:
        return int(self._counters[at.HIGH_WATER])
