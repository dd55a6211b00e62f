"""What an encoder keeps of streams on the device, and its form as named arrays.

A stream holds a ring: keys and values of its left context, and log-mels of its windows. A step
writes what is new where no frame of the past lies, so the past before the step stays as it was.

```
ring of 8 frames, 5 of them kept, 2 of them new       | f8 f9 f2· f3 f4 f5 f6 f7 |
the past before the step: f3 … f7; after it: f5 … f9    └ new ┘
```

Rules of this file:

1. A past is never changed. Of a ring, the last past and the one that it was made of can be read;
   any other is refused.
2. Inputs of convolutions are few: each past has its own.
3. The named arrays are those of `model/encoder_past.py`: a snapshot goes to another runtime.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Final, NamedTuple

import numpy as np
import torch

from parakeet_streaming.errors import ComputeError
from parakeet_streaming.model.encoder_past import EncoderPast
from parakeet_streaming.ports import Counts, Floats
from parakeet_streaming.torch_model.fastconformer import EncoderConfig
from parakeet_streaming.torch_runtime.kept_rows import KEPT, KeptRows
from parakeet_streaming.torch_runtime.slots import (
    RESERVED,
    Growth,
    Pool,
    Shape,
    Slot,
    growth,
)
from parakeet_streaming.torch_runtime.usable_memory import UsableMemory

# So that contexts that differ little share a pool, and so a call.
_ROUND_FRAMES: Final = 16
_ROUND_LOG_MELS: Final = 64

SPARE: Final = 8
"""Rings that there are beyond those of the streams that are let in: one that takes the place of
another is there beside it for a moment."""
CONVOLVED_EACH: Final = 3
"""Slots of a stream for inputs of convolutions: of its past, the one before it, and of a step."""

_SERIALS = count()


class RingSize(NamedTuple):
    """Encoder frames and log-mels that a ring has room for; a tuple, which is compared quickly."""

    frames: int
    log_mels: int

    def holds(self, other: RingSize) -> bool:
        """Whether there is as much room as in another."""
        return self.frames >= other.frames and self.log_mels >= other.log_mels

    def rounded(self) -> RingSize:
        """The next size that rings have."""
        return RingSize(
            -(-max(1, self.frames) // _ROUND_FRAMES) * _ROUND_FRAMES,
            -(-max(1, self.log_mels) // _ROUND_LOG_MELS) * _ROUND_LOG_MELS,
        )


@dataclass(slots=True)
class Ring:
    """A stream's place in a pool of rings."""

    size: RingSize
    slot: Slot
    readable: tuple[int, ...] = ()
    """Serials of the pasts that lie in it whole."""

    @property
    def number(self) -> int:
        """Of the slot."""
        return self.slot.number


@dataclass(slots=True)
class DevicePast:
    """What one stream keeps between steps.

    It is not frozen, which would take longer: one is made for each row of each step.
    """

    ring: Ring | None = None
    """None while nothing was encoded."""
    convolved: Slot | None = None
    frames: int = 0
    """Encoder frames that went through the ring; the next one has this number."""
    filled: int = 0
    """How many of the last ones are the past."""
    log_mels: int = 0
    """Number of the first log-mel of the next chunk."""
    before: int = 0
    """How many before that are known."""
    ahead: int = 0
    """How many from it on are known; -1 where the one before it is to come."""
    serial: int = field(default_factory=_SERIALS.__next__)

    def check(self) -> None:
        """Refuses a past that later steps have written over.

        Raises:
            ComputeError: it was.
        """
        if self.ring is not None and self.serial not in self.ring.readable:
            raise ComputeError(
                "this past of an encoder was written over by later steps; take the latest one, or "
                "a snapshot"
            )


NO_PAST: Final = DevicePast()
"""Of streams of which nothing was encoded."""


class PastStore:
    """The pools of one encoder; call it inside `computing()`."""

    def __init__(
        self,
        config: EncoderConfig,
        device: torch.device,
        dtype: torch.dtype = torch.float32,
        *,
        eight_bits: bool = False,
        memory: UsableMemory | None = None,
        beside: int = 0,
    ) -> None:
        """No past yet.

        Args:
            config: of the encoder.
            device: where pasts lie.
            dtype: what the encoder computes in.
            eight_bits: whether keys and values are kept in 8 bits.
            memory: how much of the device may be used; None for all.
            beside: bytes that each stream needs elsewhere.
        """
        self.reach = config.kernel // 2
        self._config = config
        self._device = device
        self.dtype = dtype
        """What the encoder computes in, and inputs of convolutions are kept in."""
        self.kept_rows = KeptRows(config.heads, dtype, eight_bits=eight_bits)
        """How keys and values lie in the pools."""
        self._rings: dict[RingSize, Pool] = {}
        self._memory = memory
        shape = Shape(config.layers, max(1, self.reach), config.width, dtype)
        self.convolved = Pool({"inputs": shape}, device, memory)
        self._beside = beside + CONVOLVED_EACH * shape.bytes_each

    def pool(self, size: RingSize) -> Pool:
        """The pool of rings of a size."""
        if size not in self._rings:
            shapes, device = self._shapes(size), self._device
            self._rings[size] = Pool(shapes, device, self._memory, self._beside)
        return self._rings[size]

    def reserve(self, size: RingSize, streams: int) -> int:
        """Keeps room for so many streams with rings of a size, or for as many as memory has.

        Returns:
            For how many there is room.
        """
        rings = self.pool(size).reserve(streams + SPARE)
        self.convolved.reserve(CONVOLVED_EACH * rings)
        return max(0, rings - SPARE)

    def growth(
        self, promised: Mapping[RingSize, int], size: RingSize | None, more: int
    ) -> list[Growth]:
        """What the pools would need for the streams that there are and more. Any thread.

        Args:
            promised: how many streams were let in, by their rings.
            size: rings of those that come; None where they have none.
            more: how many.
        """
        pools, rings, needed = dict(self._rings), 0, []
        sizes = pools.keys() | promised.keys()
        for each in sizes if size is None else sizes | {size}:
            pool = pools.get(each)
            held = max(0 if pool is None else pool.held, promised.get(each, 0))
            wanted = held if each != size else held + more + SPARE
            rings += wanted
            if pool is not None:
                needed.append(pool.growth_for(wanted))
            elif wanted:
                needed.append(growth(list(self._shapes(each).values()), 0, wanted + RESERVED))
        needed.append(self.convolved.growth_for(CONVOLVED_EACH * rings))
        return needed

    def _shapes(self, size: RingSize) -> Mapping[str, Shape]:
        config = self._config
        kept = self.kept_rows.shapes(config.layers, size.frames, config.width)
        return {**kept, "log_mel": Shape(1, size.log_mels, config.mel_bins)}

    def rooms_for(
        self, pasts: Sequence[DevicePast], least: RingSize, usual: RingSize
    ) -> Sequence[DevicePast]:
        """Pasts in rings with room for a step: `least`; new rings get the `usual` room.

        Args:
            pasts: at least one; either in rings of one size, or none of them in a ring.
            least: what a ring needs.
            usual: what it would have.
        """
        for past in pasts:
            if past.ring is not None and past.serial not in past.ring.readable:
                past.check()
        ring = pasts[0].ring
        if ring is not None and ring.size.holds(least):
            return pasts
        size = RingSize(
            max(least.frames, usual.frames), max(least.log_mels, usual.log_mels)
        ).rounded()
        if ring is not None:
            return [self._laid(self.kept(past), size) for past in pasts]
        return [DevicePast(Ring(size, slot)) for slot in self.pool(size).take_many(len(pasts))]

    def kept(self, past: DevicePast) -> EncoderPast:
        """A past in numpy's arrays."""
        past.check()
        config = self._config
        if past.ring is None or past.convolved is None:
            return self._nothing()
        pool, number, size = self.pool(past.ring.size), past.ring.number, past.ring.size
        frames = _numbers(past.frames - past.filled, past.filled, size.frames)
        first = past.log_mels - past.before
        mels = _numbers(first, past.before + past.ahead, size.log_mels)

        places = self._there(frames)
        keys, values = (
            self.kept_rows.read_slot(pool, name, number, places).float().cpu().numpy()
            for name in KEPT
        )
        log_mel = pool.stacked("log_mel")[0, number].index_select(0, self._there(mels))
        convolved = self.convolved.stacked("inputs")[:, past.convolved.number, : self.reach]
        return EncoderPast(
            log_mel=np.ascontiguousarray(log_mel.cpu().numpy().T).reshape(config.mel_bins, -1),
            ahead=past.ahead,
            keys=(keys,) if past.filled else (),
            values=(values,) if past.filled else (),
            convolved=convolved.float().cpu().numpy(),
        )

    def from_arrays(self, arrays: Mapping[str, Floats], most_frames: int) -> DevicePast:
        """A past of named arrays; SnapshotError where they do not fit."""
        kept = self._nothing().from_arrays(arrays, most_frames)
        size = RingSize(kept.frames, kept.log_mel.shape[1]).rounded()
        return self._laid(kept, size)

    def _nothing(self) -> EncoderPast:
        config = self._config
        return EncoderPast(
            np.zeros((config.mel_bins, 0), dtype=np.float32),
            0,
            (),
            (),
            np.zeros((config.layers, self.reach, config.width), dtype=np.float32),
        )

    def _laid(self, kept: EncoderPast, size: RingSize) -> DevicePast:
        """A past in a new ring, from its start on."""
        pool, count, mels = self.pool(size), kept.frames, kept.log_mel.shape[1]
        ring, convolved = Ring(size, pool.take()), self.convolved.take()
        arrays = kept.to_arrays()
        at = ring.number
        for name in KEPT:
            rows = torch.from_numpy(arrays[name]).to(self._device)
            self.kept_rows.write_slot(pool, name, at, rows)
        log_mel = torch.from_numpy(np.ascontiguousarray(kept.log_mel.T))
        pool.stacked("log_mel")[0, at, :mels] = log_mel.to(self._device)
        inputs = torch.from_numpy(np.array(kept.convolved)).to(self._device)
        self.convolved.stacked("inputs")[:, convolved.number, : self.reach] = inputs
        before = mels - kept.ahead
        past = DevicePast(ring, convolved, count, count, before, before, kept.ahead)
        ring.readable = (past.serial,)
        return past

    def _there(self, numbers: Counts) -> torch.Tensor:
        return torch.from_numpy(numbers).to(self._device)


def _numbers(first: int, size: int, room: int) -> Counts:
    """Where `size` entries from number `first` on lie in a ring."""
    return np.arange(first, first + size, dtype=np.int64) % room
