"""Shapes in; tensors on a device with a numbered slot for each holder out.

What streams keep lies in a few large tensors, so that one call reads and writes it for all of them.

Rules of this file:

1. A slot belongs to who holds its `Slot`; when nobody does, it is free again.
2. Slot 0 holds zeros and is never written: what is absent is read from there. Slot 1 is never read:
   what shall not be kept is written there. So no row ever sees what another one left, NaN included.
3. A pool grows when its slots are used up. It never shrinks. A pool that has grown lies elsewhere:
   its `version` says so to who has kept its tensors, such as a captured graph.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

NOTHING: Final = 0
"""The slot of zeros."""
RUBBISH: Final = 1
"""The slot that is never read."""
_RESERVED: Final = 2
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

    def __init__(self, shapes: Mapping[str, Shape], device: torch.device) -> None:
        self._shapes = dict(shapes)
        self._device = device
        self._free: deque[int] = deque()
        self._count = 0
        self._tensors: dict[str, Tensor] = {}
        self.version = 0
        """Higher after each growth, and each that was tried."""
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
            self._grow(self._count + more)
        return [Slot(free.popleft(), free) for _ in range(count)]

    def reserve(self, holders: int) -> None:
        """Grows until so many slots can be held at once."""
        if (needed := holders + _RESERVED) > self._count:
            self._grow(needed)

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
    def bytes_each(self) -> int:
        """Memory of one slot."""
        return sum(tensor.nbytes for tensor in self._tensors.values()) // self._count

    def _grow(self, count: int) -> None:
        # First: of a growth that fails half-way, some tensors have moved.
        self.version += 1
        for name, shape in self._shapes.items():
            size = (shape.layers, count, shape.rows, shape.width)
            grown = torch.zeros(size, dtype=shape.dtype, device=self._device)
            if self._count:
                # Of a growth that failed half-way, one tensor may have more.
                grown[:, : self._count] = self._tensors[name][:, : self._count]
            self._tensors[name] = grown
        self._free.extend(range(max(self._count, _RESERVED), count))
        self._count = count
