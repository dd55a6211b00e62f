"""Shapes in; tensors on a device with a numbered slot for each holder out.

What streams keep lies in a few large tensors, so that one call reads and writes it for all of them.

Rules of this file:

1. A slot belongs to who holds its `Slot`; when nobody does, it is free again.
2. Slot 0 holds zeros and is never written: what is absent is read from there. Slot 1 is never read:
   what shall not be kept is written there. So no row ever sees what another one left, NaN included.
3. A pool grows when its slots are used up. It never shrinks. A pool that has grown lies elsewhere:
   its `version` says so to who has kept its tensors, such as a captured graph.
4. Old and new tensor must fit in memory together while one grows. A pool that may use so much, and
   no more, grows by less than usual; for a holder that is there it tries, whatever it may use.
"""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

from parakeet_streaming.torch_runtime.usable_memory import UsableMemory

NOTHING: Final = 0
"""The slot of zeros."""
RUBBISH: Final = 1
"""The slot that is never read."""
RESERVED: Final = 2
"""How many nobody holds."""
_FIRST: Final = 16
_DOUBLED: Final = 256
"""Slots up to which a pool doubles; larger ones grow by a quarter, as old and new need room."""


@dataclass(frozen=True, slots=True)
class Shape:
    """Of what one slot has in one tensor: (layers, rows, width)."""

    layers: int
    rows: int
    width: int
    dtype: torch.dtype = torch.float32

    @property
    def bytes_each(self) -> int:
        """Memory of one slot."""
        return self.layers * self.rows * self.width * self.dtype.itemsize


class Slot:
    """One place in a pool, while somebody holds this."""

    __slots__ = ("_free", "number")

    def __init__(self, number: int, free: deque[int]) -> None:
        self.number = number
        self._free = free

    def __del__(self) -> None:
        # Of any thread: a deque's append is one operation.
        self._free.append(self.number)


class Pool:
    """Tensors (layers, slots, rows, width) by name, which share the numbers of their slots."""

    def __init__(
        self,
        shapes: Mapping[str, Shape],
        device: torch.device,
        memory: UsableMemory | None = None,
        beside: int = 0,
    ) -> None:
        """Room for a few holders.

        Args:
            shapes: of the tensors.
            device: where they lie.
            memory: how much of it may be used; None for all.
            beside: bytes that other pools will need for each slot of this one.
        """
        self._shapes = dict(shapes)
        self._device = device
        self._memory = memory
        self._beside = beside
        self._free: deque[int] = deque()
        self._count = 0
        self._tensors: dict[str, Tensor] = {}
        self.version = 0
        """Higher after each growth, and each that failed when some tensors had moved."""
        self._grow(_FIRST)

    def take(self) -> Slot:
        """A slot that nobody holds; it has what an earlier holder left in it."""
        return self.take_many(1)[0]

    def take_many(self, count: int) -> list[Slot]:
        """So many of them."""
        free = self._free
        # Other threads may give some back meanwhile; nobody else takes any.
        while len(free) < count:
            more = self._count if self._count < _DOUBLED else self._count // 4
            needed = self._count + count - len(free)
            self._grow(max(needed, min(self._count + more, self._most())))
        return [Slot(free.popleft(), free) for _ in range(count)]

    def reserve(self, holders: int) -> int:
        """Grows until so many slots can be held at once, or as many as memory has room for.

        Returns:
            How many can be.
        """
        if (needed := min(holders + RESERVED, self._most())) > self._count:
            self._grow(needed)
        return min(holders, self._count - RESERVED)

    def rows(self, name: str, layer: int) -> Tensor:
        """A layer of a tensor as (slots · rows, width): slot s has the rows from s · rows on.

        It is the tensor's own memory, until the pool grows.
        """
        return self._tensors[name][layer].flatten(0, 1)

    def stacked(self, name: str) -> Tensor:
        """A tensor as (layers, slots, rows, width); its own memory, until the pool grows."""
        return self._tensors[name]

    @property
    def slots(self) -> int:
        """How many there are, free ones included."""
        return self._count

    @property
    def held(self) -> int:
        """How many have a holder. Any thread."""
        return self._count - RESERVED - len(self._free)

    @property
    def bytes_each(self) -> int:
        """Memory of one slot."""
        return sum(shape.bytes_each for shape in self._shapes.values())

    def growth_for(self, holders: int) -> Growth:
        """What it would need to be held by so many. Any thread."""
        return growth(list(self._shapes.values()), self._count, holders + RESERVED)

    def _most(self) -> int:
        """Slots for which there is memory, with what other pools need beside them."""
        usable = None if self._memory is None else self._memory.now()
        if usable is None:
            return sys.maxsize
        return most_slots(list(self._shapes.values()), self._count, usable, self._beside)

    def _grow(self, count: int) -> None:
        for name, shape in self._shapes.items():
            known = self._tensors.get(name)
            if known is not None and known.shape[1] >= count:
                continue  # of a growth that failed half-way
            size = (shape.layers, count, shape.rows, shape.width)
            grown = torch.zeros(size, dtype=shape.dtype, device=self._device)
            if known is not None:
                grown[:, : self._count] = known[:, : self._count]
            self.version += 1
            self._tensors[name] = grown
        self._free.extend(range(max(self._count, RESERVED), count))
        self._count = count
        if self._memory is not None:
            self._memory.grew()


@dataclass(frozen=True, slots=True)
class Growth:
    """Bytes that a pool needs beyond what it has."""

    kept: int = 0
    """For good."""
    passing: int = 0
    """And while it grows, as an old tensor and its new one are there at once."""

    @staticmethod
    def total(pools: Iterable[Growth]) -> int:
        """Of some pools that grow one after the other."""
        grown = list(pools)
        kept = sum(each.kept for each in grown)
        return kept + max((each.passing for each in grown), default=0)


def growth(shapes: Sequence[Shape], count: int, needed: int) -> Growth:
    """What a pool of `count` slots needs to come to the `needed` ones, in steps of any size.

    So the last step may be of one slot, with nearly all others there twice.
    """
    if needed <= count:
        return Growth()
    each = sum(shape.bytes_each for shape in shapes)
    before, passing = 0, 0
    for shape in shapes:
        passing = max(passing, before + needed * shape.bytes_each - each)
        before += shape.bytes_each
    return Growth((needed - count) * each, passing)


def most_slots(shapes: Sequence[Shape], count: int, usable: int, beside: int = 0) -> int:
    """The most slots that a pool of `count` can come to with so many bytes; not less than it has.

    `beside`: bytes that each new one needs in other pools.
    """
    most, before = sys.maxsize, beside
    for shape in shapes:
        # Tensors before this one have grown; it is there twice.
        most = min(most, (usable + count * before) // (before + shape.bytes_each))
        before += shape.bytes_each
    return max(count, most)
