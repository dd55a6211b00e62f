"""Windows of B streams at fixed places in; their frames out, and what is kept of them in slots.

Rules of this file:

1. What one row has less than another, in samples, log-mels or past, is masked: so rows of any age
   share a step, and a step of one shape takes all rows that fit it.
2. A row of zeros as its numbers is none. It reads the slot of zeros and writes the one that is
   never read.
3. Slots are read and written where they lie. When their pools have grown they lie elsewhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from parakeet_streaming.timeline import SUBSAMPLING
from parakeet_streaming.torch_model.cached import KeptPast, encode_step
from parakeet_streaming.torch_model.fastconformer import Encoder
from parakeet_streaming.torch_runtime.cached_rows import StepPlan, Told
from parakeet_streaming.torch_runtime.captured import Graphs, Places
from parakeet_streaming.torch_runtime.device_past import PastStore, RingSize
from parakeet_streaming.torch_runtime.kept_rows import KEPT
from parakeet_streaming.torch_runtime.mel import normalised, numbers
from parakeet_streaming.torch_runtime.slots import NOTHING, RUBBISH
from parakeet_streaming.torch_runtime.step_buffers import StepBuffers


class StepShape(NamedTuple):
    """The most that a row of a step has."""

    samples: int
    """To compute log-mels of."""
    window: int
    """Log-mels, known ones included."""
    frames: int
    """Encoder frames of chunk and right context."""
    past: int
    """Frames of the past, at least 1."""

    @classmethod
    def of(cls, plans: Sequence[StepPlan]) -> StepShape:
        """The smallest for rows of these plans."""
        return cls(
            max(plan.samples for plan in plans),
            max(plan.left + plan.new for plan in plans),
            max(plan.length for plan in plans),
            max(1, *(plan.filled for plan in plans)),
        )

    def takes(self, plan: StepPlan) -> bool:
        """Whether a row of that plan fits in."""
        return (
            plan.samples <= self.samples
            and plan.left + plan.new <= self.window
            and plan.length <= self.frames
            and plan.filled <= self.past
        )


class CachedStep:
    """The encoder over the windows of so many streams whose rings have one size."""

    def __init__(
        self,
        encoder: Encoder,
        store: PastStore,
        size: RingSize,
        shape: StepShape,
        buffers: StepBuffers,
        graphs: Graphs,
    ) -> None:
        self._encoder = encoder
        self._store = store
        self._size = size
        self.shape = shape
        self.buffers = buffers
        self.work = graphs.of(self._work, self._places)

    def _places(self) -> Places:
        return self._store.pool(self._size).version, self._store.convolved.version

    def _work(self) -> None:
        told = Told(*(column[:, None] for column in self.buffers.facts.unbind(1)))
        features = self._features(told)
        past = self.shape.past
        walk = _Walk(self._store, self._size, told, past)
        frames, _ = encode_step(
            self._encoder,
            (
                features.transpose(1, 2).to(self._store.dtype),
                SUBSAMPLING + told.new[:, 0],
                told.look_back[:, 0],
            ),
            (past, told.filled[:, 0]),
            walk.past_of,
            walk.keep,
        )
        self.buffers.frames.copy_(frames)

    def _features(self, told: Told) -> Tensor:
        """Normalised features (B, 8 + 8 U, F), after what was not known is in the rings."""
        room, window = self._size.log_mels, self.shape.window
        ring = self._store.pool(self._size).rows("log_mel", 0)
        fresh = self.buffers.log_mels
        number = numbers(fresh, 1) - told.lead
        there = told.ring * room + (told.fresh_at + number) % room
        wanted = (number >= 0) & (number < told.fresh)
        there = there.masked_fill(~wanted, RUBBISH * room)
        ring.index_copy_(0, there.flatten(), fresh.flatten(0, 1))
        number = torch.arange(window, device=ring.device)[None, :]
        there = told.ring * room + (told.window_at + number) % room
        total = told.left + told.new
        there = there.masked_fill(number >= total, NOTHING)
        log_mel = ring.index_select(0, there.flatten()).view(*there.shape, -1)
        scaled = normalised(log_mel, total[:, 0], told.heard[:, 0])
        # The look-back ends where the chunk begins; a row without one has zeros there.
        columns = SUBSAMPLING * (1 + self.shape.frames)
        number = torch.arange(columns, device=ring.device)[None, :] - SUBSAMPLING
        inside = (number >= -told.look_back) & (number < told.new)
        column = (told.left + number).clamp(0, window - 1)
        chosen = scaled.gather(1, column[..., None].expand(-1, -1, scaled.shape[2]))
        return chosen * inside[..., None]


class _Walk:
    """Fetches the past of each layer from the rings, and keeps there what is new of the chunk."""

    def __init__(self, store: PastStore, size: RingSize, told: Told, most: int) -> None:
        self._pool = store.pool(size)
        self._kept = store.kept_rows
        self._convolved = store.convolved
        self._reach = store.reach
        self._told = told
        self._room = size.frames
        number = torch.arange(most, device=told.ring.device)[None, :] - most
        there = told.ring * self._room + (told.frames + number) % self._room
        self._past = there.masked_fill(number < -told.filled, NOTHING)
        self._own: Tensor | None = None

    def past_of(self, layer: int) -> KeptPast:
        """Keys and values (B, K, D), the oldest first, and inputs of the convolution (B, R, D)."""
        told = self._told
        places, shape = self._past.flatten(), self._past.shape
        keys, values = (
            self._kept.read(self._pool, name, layer, places).view(*shape, -1) for name in KEPT
        )
        inputs = self._convolved.stacked("inputs")[layer]
        convolved = inputs.index_select(0, told.convolved[:, 0])[:, : self._reach]
        return KeptPast(keys, values, convolved)

    def keep(self, layer: int, keys: Tensor, values: Tensor, convolved: Tensor) -> None:
        """Writes a chunk's own; what its right context gave is forgotten."""
        told = self._told
        there = self._places(keys)
        for name, rows in zip(KEPT, (keys, values), strict=True):
            self._kept.write(self._pool, name, layer, there, rows.flatten(0, 1))
        if self._reach == 0:
            return
        last = torch.arange(self._reach, device=keys.device)[None, :] + told.chunk
        kept = convolved.gather(1, last[..., None].expand(-1, -1, convolved.shape[2]))
        inputs = self._convolved.stacked("inputs")[layer]
        inputs.index_copy_(0, told.next_convolved[:, 0].clamp(min=RUBBISH), kept)

    def _places(self, keys: Tensor) -> Tensor:
        """Where each of the keys (B, U, D) goes, (B · U,): the same in every layer."""
        if self._own is None:
            told, number = self._told, numbers(keys, 1)
            there = told.ring * self._room + (told.frames + number) % self._room
            own = (number >= told.chunk - told.stored) & (number < told.chunk)
            self._own = there.masked_fill(~own, RUBBISH * self._room).flatten()
        return self._own
