"""Keys and values of streams in; the same, or nearly so, out of a pool, where they may be 8 bits.

Rules of this file:

1. In 8 bits, each head of each frame has a scale of its own: its largest value is 127 of it.
2. What was read and is written again stays as it is: a snapshot changes nothing more.
3. Zeros are zeros: the slot that holds nothing needs no care.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import torch
from torch import Tensor

from parakeet_streaming.torch_runtime.slots import Pool, Shape

KEPT: Final = ("keys", "values")
_SCALES: Final = "{}_scales"
_MOST: Final = 127.0


class KeptRows:
    """How keys and values lie in the pools of one encoder."""

    def __init__(self, heads: int, dtype: torch.dtype, *, eight_bits: bool) -> None:
        """`dtype`: what the encoder computes in, and what they are without 8 bits."""
        self._heads = heads
        self._dtype = dtype
        self._eight_bits = eight_bits

    def shapes(self, layers: int, frames: int, width: int) -> Mapping[str, Shape]:
        """The tensors of a pool whose slots have so many frames."""
        if not self._eight_bits:
            return dict.fromkeys(KEPT, Shape(layers, frames, width, self._dtype))
        rows = dict.fromkeys(KEPT, Shape(layers, frames, width, torch.int8))
        scales = Shape(layers, frames, self._heads)
        return rows | {_SCALES.format(name): scales for name in KEPT}

    def read(self, pool: Pool, name: str, layer: int, places: Tensor) -> Tensor:
        """Rows (n, D) of one layer, by their places (n,) among the rows of all slots."""
        rows = pool.rows(name, layer).index_select(0, places)
        if not self._eight_bits:
            return rows
        scales = pool.rows(_SCALES.format(name), layer).index_select(0, places)
        return self._widened(rows, scales)

    def write(self, pool: Pool, name: str, layer: int, places: Tensor, rows: Tensor) -> None:
        """Writes rows (n, D) of one layer to their places (n,)."""
        if self._eight_bits:
            rows, scales = self._narrowed(rows)
            pool.rows(_SCALES.format(name), layer).index_copy_(0, places, scales)
        pool.rows(name, layer).index_copy_(0, places, rows)

    def read_slot(self, pool: Pool, name: str, slot: int, frames: Tensor) -> Tensor:
        """Rows (L, n, D) of one slot, by their places (n,) in it."""
        rows = pool.stacked(name)[:, slot].index_select(1, frames)
        if not self._eight_bits:
            return rows
        scales = pool.stacked(_SCALES.format(name))[:, slot].index_select(1, frames)
        return self._widened(rows, scales)

    def write_slot(self, pool: Pool, name: str, slot: int, rows: Tensor) -> None:
        """Writes rows (L, n, D) to the beginning of one slot."""
        count = rows.shape[1]
        if self._eight_bits:
            rows, scales = self._narrowed(rows)
            pool.stacked(_SCALES.format(name))[:, slot, :count] = scales
        pool.stacked(name)[:, slot, :count] = rows.to(pool.stacked(name).dtype)

    def _narrowed(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Rows (..., D) in 8 bits, and their scales (..., H)."""
        heads = self._by_head(rows)
        scales = heads.abs().amax(dim=-1) / _MOST
        whole = (heads / scales.clamp(min=torch.finfo(torch.float32).tiny)[..., None]).round()
        return whole.to(torch.int8).flatten(-2), scales

    def _widened(self, rows: Tensor, scales: Tensor) -> Tensor:
        heads = self._by_head(rows) * scales[..., None]
        return heads.flatten(-2).to(self._dtype)

    def _by_head(self, rows: Tensor) -> Tensor:
        """Rows (..., D) as float32 (..., H, D / H)."""
        return rows.float().reshape(*rows.shape[:-1], self._heads, -1)
