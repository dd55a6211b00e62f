"""Shared memory in; the counters, gaps, times and blocks of samples of each stream in it, out.

```
slot 0 │ slot 1 │ …            one for each stream that may be open
  counters of the writer │ counters of the reader │ gaps │ times of arrival │ numbers of blocks
block 0 │ block 1 │ …          4,096 samples each, of whichever stream needs one
```

Rules of this file:

1. Each side stores into its own counters alone; they only grow, but for `WAKE_AT`.
2. A block belongs to the writer's process, which gives it to a stream and takes it back when the
   reader has passed it. So memory is used for the audio that waits, not for the most that may.
3. Numbers from the other side are not trusted to be within the memory.
"""

from __future__ import annotations

import mmap
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from parakeet_streaming.limits import MOST_RING_S
from parakeet_streaming.timeline import SAMPLE_RATE_HZ

BLOCK: Final = 4_096
"""Samples."""
GAPS: Final = 64
STAMPS: Final = 1_024
NUMBERS: Final = 16_384
"""Blocks of one stream: more than an hour of audio."""
_COUNTERS: Final = 32
_PAGE: Final = 4_096
_SLOT_BYTES: Final = -(-(8 * (_COUNTERS + 2 * GAPS + 2 * STAMPS) + 4 * NUMBERS) // _PAGE) * _PAGE

# Stored by the writer.
RECEIVED: Final = 0
AVAILABLE: Final = 1
REFUSED: Final = 2
CLOSED: Final = 3
WRITTEN_AT_NS: Final = 4
GAPS_PUT: Final = 5
STAMPS_PUT: Final = 6
SAMPLES_PUT: Final = 7
ASKED_FOR_ROOM: Final = 8
HIGH_WATER: Final = 9
MISSING_START: Final = 10
MISSING_COUNT: Final = 11
# Stored by the reader, on other lines of the processor's cache.
POSITION: Final = 16
SAMPLES_TAKEN: Final = 17
GAPS_TAKEN: Final = 18
STAMPS_TAKEN: Final = 19
WAKE_AT: Final = 20
REFUSING: Final = 21
TOLD: Final = 22
EVENTS_PUT: Final = 23

assert NUMBERS * BLOCK > (MOST_RING_S + 1) * SAMPLE_RATE_HZ


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much there is of one I/O process's memory; what is not used costs nothing.

    There are blocks for two minutes of each slot, as much as may wait in front of a stream, so none
    has less room for another's sake. (Where there are fewer, samples that find none are refused.)
    """

    slots: int = 16_384
    blocks: int = 2**23

    @property
    def bytes(self) -> int:
        return self.slots * _SLOT_BYTES + 4 * BLOCK * self.blocks


@dataclass(frozen=True, slots=True)
class Slot:
    """What both sides have of one stream."""

    counters: memoryview
    gaps: memoryview
    """Start and count of each."""
    stamps: memoryview
    """Position, and nanoseconds at which the sample before it came."""
    numbers: memoryview
    """Of its blocks, in turn."""


class AudioMemory:
    """All of one I/O process."""

    def __init__(self, memory: mmap.mmap, sizes: Sizes) -> None:
        assert len(memory) >= sizes.bytes, "memory and sizes are made together"
        self.sizes = sizes
        self._bytes = memoryview(memory)
        start = sizes.slots * _SLOT_BYTES
        self.blocks: NDArray[np.float32] = np.frombuffer(
            memory, np.float32, BLOCK * sizes.blocks, start
        ).reshape(sizes.blocks, BLOCK)

    def slot(self, number: int) -> Slot:
        """That of a stream."""
        assert 0 <= number < self.sizes.slots, "a number of a slot"
        start = number * _SLOT_BYTES

        def part(count: int, kind: Literal["q", "i"]) -> memoryview:
            nonlocal start
            size = count * (8 if kind == "q" else 4)
            found: memoryview = self._bytes[start : start + size].cast(kind)
            start += size
            return found

        return Slot(
            part(_COUNTERS, "q"), part(2 * GAPS, "q"), part(2 * STAMPS, "q"), part(NUMBERS, "i")
        )

    def clear(self, number: int) -> Slot:
        """The same, as for a stream that begins."""
        slot = self.slot(number)
        for index in range(_COUNTERS):
            slot.counters[index] = 0
        return slot


class Blocks:
    """Those that no stream has. Of the writer's process; any thread."""

    def __init__(self, count: int) -> None:
        self._free: list[int] = []
        self._unused = iter(range(count))
        self._never_used = count
        self.short = False
        """Whether somebody found none; whoever gives one back tells all."""

    @property
    def samples(self) -> int:
        """For which there is room."""
        return (len(self._free) + self._never_used) * BLOCK

    def take(self) -> int | None:
        """One; None where there is none. Those that were used last come first: they are memory."""
        try:
            return self._free.pop()
        except IndexError:
            pass
        number = next(self._unused, None)
        if number is None:
            self.short = True
        else:
            self._never_used -= 1
        return number

    def give_back(self, number: int) -> None:
        """It is nobody's any more."""
        self._free.append(number)
