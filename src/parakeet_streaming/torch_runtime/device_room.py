"""What streams keep on a device, and its memory, in; for how many more there is room, out.

Rules of this file:

1. A stream that was let in counts, whatever it holds at the moment. What others hold, such as
   streams of another engine, counts as it is.
2. `places` is asked by any thread, also while a step runs: it takes no lock and waits for nothing.
3. Some places are told to nobody: a stream that takes the place of another is there beside it for a
   moment.
"""

from __future__ import annotations

import logging
from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping
from typing import Final

from parakeet_streaming.limits import MOST_STREAMS
from parakeet_streaming.timeline import ContextConfig, WindowLengths
from parakeet_streaming.torch_runtime.cached_encoder import ring_size
from parakeet_streaming.torch_runtime.device_past import SPARE, PastStore, RingSize
from parakeet_streaming.torch_runtime.slots import Growth, Pool
from parakeet_streaming.torch_runtime.usable_memory import UsableMemory

StreamKind = tuple[ContextConfig, bool]
"""A context, and whether the stream is cached."""

MEMORIES_EACH: Final = 4
"""Slots of a stream for decoder states: of border and end, before a step and after it."""
_LOG: Final = logging.getLogger("parakeet_streaming.torch_runtime")


class DeviceRoom:
    """For how many streams there is room."""

    def __init__(self, memory: UsableMemory, pasts: PastStore, memories: Pool) -> None:
        """`memories`: those of decoders."""
        self._memory = memory
        self._pasts = pasts
        self._memories = memories

    def places(self, kind: StreamKind, open_streams: Mapping[StreamKind, int]) -> int | None:
        """As `CountsPlaces.places`. Any thread."""
        usable = self._memory.lately()
        if usable is None:
            return None
        # What was so a moment ago refuses nobody.
        return self._most(kind, open_streams, usable) or self._most(
            kind, open_streams, self._memory.now() or 0
        )

    def reserve(self, frames: WindowLengths, streams: int) -> None:
        """Keeps room for so many cached streams of a context, or for as many as memory has.

        The caller holds the device.
        """
        size = ring_size(frames)
        reserved = self._pasts.reserve(size, streams)
        self._memories.reserve(MEMORIES_EACH * (reserved + SPARE))
        _LOG.info(
            "memory of the device is kept for %d cached streams (%d were asked for), %.1f MB each",
            reserved,
            streams,
            self._pasts.pool(size).bytes_each / 1e6,
        )

    def _most(self, kind: StreamKind, open_streams: Mapping[StreamKind, int], usable: int) -> int:
        promised: Counter[RingSize] = Counter()
        for (context, cached), count in open_streams.items():
            if cached:
                promised[ring_size(context.frames)] += count
        context, cached = kind
        size = ring_size(context.frames) if cached else None
        streams = sum(open_streams.values())

        def too_many(more: int) -> bool:
            rings = self._pasts.growth(promised, size, more)
            memories = max(self._memories.held, MEMORIES_EACH * streams) + MEMORIES_EACH * more
            needed = [*rings, self._memories.growth_for(memories)]
            return Growth.total(needed) > usable

        return max(0, bisect_left(range(MOST_STREAMS + 1), True, key=too_many) - 1)
