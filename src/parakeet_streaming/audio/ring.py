"""Float32 samples (n,) or whole values go in at one end, and come out in order at the other end.

The contract:

- The capacity is fixed, and everything is allocated when the ring is made.
- No call waits: there is no lock, no sleep, and no loop that depends on the other side.
- Full means "not taken": `write` returns how much was taken, the refusal is counted, and nothing
  in the ring is ever overwritten. Empty means that nothing is handed out.
- One thread writes and one thread reads. A ring is made as a pair, a writer and a reader; no call
  makes a second writer.
- Either side may close the ring, and the other side sees it. An end that is dropped is closed. A
  closed ring takes nothing more, and can still be drained.

Why it is correct, without leaning on the GIL:

- What the writer counts and what the reader counts are two objects, and only their own side stores
  into them. So no variable is ever changed by two threads, and where CPython guards a store with
  the object's own lock (the free-threaded build does), nobody competes for that lock.
- The two counters only grow. The slots between them belong to the reader, all others to the writer.
- The writer fills its slots first and stores its counter after that; the reader loads the writer's
  counter first and empties the slots after that. CPython stores a reference into an attribute with
  release order and loads it with acquire order, in the free-threaded build explicitly; so a reader
  that sees the counter sees the data. In the other direction the same holds for the reader's
  counter: a writer that sees it may fill the slots again.
- A counter loaded from the other side may be old. As it only grows, an old one shows the writer
  fewer free slots, or the reader fewer full ones, than there are: a call may do too little, never
  too much.
- Closing is a flag that only ever becomes true, stored after the last counter. A reader that loads
  the flag first and the counter after it has seen everything that was written.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from parakeet_streaming.errors import OptionError
from parakeet_streaming.limits import MOST_RING_SAMPLES, MOST_RING_SLOTS, check_whole

T = TypeVar("T")


class _Side:
    """What one side has done; only that side stores into it, and both sides load it."""

    __slots__ = ("closed", "high_water", "moved", "refused")

    def __init__(self) -> None:
        self.moved = 0
        self.closed = False
        self.refused = 0
        self.high_water = 0


class _End:
    """What a writer and a reader have in common; any thread may read all of it."""

    __slots__ = ("_capacity", "_own", "_reading", "_writing")

    def __init__(self, capacity: int, writing: _Side, reading: _Side, own: _Side) -> None:
        self._capacity = capacity
        self._writing = writing
        self._reading = reading
        self._own = own

    def __del__(self) -> None:
        self.close()

    @property
    def capacity(self) -> int:
        """Samples or values that fit at once."""
        return self._capacity

    @property
    def occupancy(self) -> int:
        """Samples or values in the ring; the other side may be changing it."""
        # Loaded in this order it is never negative, though both sides may have moved in between.
        read = self._reading.moved
        return min(self._writing.moved - read, self._capacity)

    @property
    def high_water(self) -> int:
        """The highest occupancy after a write."""
        return self._writing.high_water

    @property
    def taken(self) -> int:
        """Samples or values taken since the ring was made."""
        return self._writing.moved

    @property
    def refused(self) -> int:
        """Samples or values not taken since the ring was made, as it was full or closed."""
        return self._writing.refused

    @property
    def closed(self) -> bool:
        """Whether either side has closed the ring."""
        return self._writing.closed or self._reading.closed

    @property
    def ended(self) -> bool:
        """Whether the ring is closed and drained; an open reader will get nothing more."""
        return self.closed and self._writing.moved == self._reading.moved

    def close(self) -> None:
        """Close the ring; what is in it can still be read. Closing twice is fine."""
        self._own.closed = True

    def _free(self) -> int:
        """Slots that belong to the writer; meanwhile the reader can only add to them."""
        return 0 if self.closed else self._capacity - self._full()

    def _full(self) -> int:
        """Slots that belong to the reader; meanwhile the writer can only add to them."""
        return self._writing.moved - self._reading.moved

    def _published(self, taken: int, refused: int) -> None:
        """Hand the `taken` slots that were just filled to the reader."""
        self._writing.moved += taken
        self._writing.refused += refused
        self._writing.high_water = max(self._writing.high_water, self._full())

    def _released(self, slots: int) -> None:
        """Hand the `slots` that were just emptied to the writer."""
        self._reading.moved += slots


class SampleWriter(_End):
    """The end of a sample ring for the one thread that writes."""

    __slots__ = ("_samples",)

    def __init__(self, samples: NDArray[np.float32], writing: _Side, reading: _Side) -> None:
        super().__init__(len(samples), writing, reading, own=writing)
        self._samples = samples

    def write(self, samples: NDArray[np.float32]) -> int:
        """Take as many of `samples`, float32 (n,), as fit, from the first on; return how many."""
        taken = min(len(samples), self._free())
        start = self._writing.moved % self._capacity
        before_wrap = min(taken, self._capacity - start)
        self._samples[start : start + before_wrap] = samples[:before_wrap]
        self._samples[: taken - before_wrap] = samples[before_wrap:taken]
        self._published(taken, len(samples) - taken)
        return taken


class SampleReader(_End):
    """The end of a sample ring for the one thread that reads."""

    __slots__ = ("_samples",)

    def __init__(self, samples: NDArray[np.float32], writing: _Side, reading: _Side) -> None:
        super().__init__(len(samples), writing, reading, own=reading)
        self._samples = samples

    def read(self, most_samples: int | None = None) -> NDArray[np.float32]:
        """The oldest samples, all or at most `most_samples`, as a copy, float32 (m,), m ≥ 0."""
        full = self._full()
        pieces: list[NDArray[np.float32]] = []
        self.read_to(
            lambda piece: pieces.append(piece.copy()),
            full if most_samples is None else min(full, most_samples),
        )
        return pieces[0] if len(pieces) == 1 else np.concatenate([np.empty(0, np.float32), *pieces])

    def read_to(self, take: Callable[[NDArray[np.float32]], None], count: int) -> None:
        """Gives the oldest `count` samples, which must be there, to `take`, in one piece or two.

        The pieces lie in the ring, and are overwritten afterwards: what is kept must be copied.
        """
        reading = self._reading
        start = reading.moved % self._capacity
        before_wrap = self._capacity - start
        if count <= before_wrap:
            take(self._samples[start : start + count])
        else:
            take(self._samples[start:])
            take(self._samples[: count - before_wrap])
        reading.moved += count


class _Slot(Generic[T]):
    """Room for one value; an object of its own, as it belongs to one side at a time."""

    __slots__ = ("value",)

    def __init__(self) -> None:
        self.value: T | None = None


class ValueWriter(_End, Generic[T]):
    """The end of a value ring for the one thread that writes."""

    __slots__ = ("_slots",)

    def __init__(self, slots: list[_Slot[T]], writing: _Side, reading: _Side) -> None:
        super().__init__(len(slots), writing, reading, own=writing)
        self._slots = slots

    def write(self, value: T) -> bool:
        """Take `value` if there is room; return whether it was taken.

        Raises:
            OptionError: `value` is None, which is what a reader gets from an empty ring.
        """
        if value is None:
            raise OptionError("None cannot go through a ring, it means empty; wrap it in a value")
        taken = self._free() > 0
        if taken:
            self._slots[self._writing.moved % self._capacity].value = value
        self._published(int(taken), int(not taken))
        return taken


class ValueReader(_End, Generic[T]):
    """The end of a value ring for the one thread that reads."""

    __slots__ = ("_slots",)

    def __init__(self, slots: list[_Slot[T]], writing: _Side, reading: _Side) -> None:
        super().__init__(len(slots), writing, reading, own=reading)
        self._slots = slots

    def read(self) -> T | None:
        """The oldest value, which the ring then lets go of; None when there is none."""
        if not self._full():
            return None
        slot = self._slots[self._reading.moved % self._capacity]
        value, slot.value = slot.value, None
        self._released(1)
        return value


def sample_ring(capacity_samples: int) -> tuple[SampleWriter, SampleReader]:
    """The two ends of a new ring for `capacity_samples` float32 samples.

    Raises:
        OptionError: a capacity below 1, or for which there is no memory.
    """
    check_whole("a ring's capacity", capacity_samples, 1, MOST_RING_SAMPLES)
    try:
        samples = np.empty(capacity_samples, np.float32)
    except MemoryError as error:
        raise OptionError(
            f"there is no memory for a ring of {capacity_samples} samples; use a smaller one"
        ) from error
    writing, reading = _Side(), _Side()
    return SampleWriter(samples, writing, reading), SampleReader(samples, writing, reading)


def value_ring(capacity: int) -> tuple[ValueWriter[T], ValueReader[T]]:
    """The two ends of a new ring for `capacity` values of any type but None.

    Raises:
        OptionError: a capacity below 1, or above `MOST_RING_SLOTS`.
    """
    check_whole("a ring's capacity", capacity, 1, MOST_RING_SLOTS)
    slots = [_Slot[T]() for _ in range(capacity)]
    writing, reading = _Side(), _Side()
    return ValueWriter(slots, writing, reading), ValueReader(slots, writing, reading)
