"""Windows and the kept pasts of their streams in; frames of chunk and right context out.

What `model/cached_encoder.py` does with a graph, with pasts that stay on the device. The rules are
those of that file; what it computes of a window's features, this file does too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from parakeet_streaming.model.features import SPOILT_BEFORE_CUT, SPOILT_BEHIND_CUT
from parakeet_streaming.ports import EncoderInput, Floats
from parakeet_streaming.timeline import (
    FRAME_SAMPLES,
    HOP_SAMPLES,
    SUBSAMPLING,
    encoder_frames,
    feature_frames,
)
from parakeet_streaming.torch_model.cached import Past, encode_step
from parakeet_streaming.torch_model.fastconformer import Encoder
from parakeet_streaming.torch_runtime.device_past import (
    DevicePast,
    PastStore,
    RingSize,
    slot_of,
)
from parakeet_streaming.torch_runtime.devices import upload
from parakeet_streaming.torch_runtime.kept_rows import KEPT
from parakeet_streaming.torch_runtime.mel import LogMel, normalised, numbers
from parakeet_streaming.torch_runtime.slots import NOTHING, RUBBISH, Slot
from parakeet_streaming.torch_runtime.window_encoder import Group, alike, heard_frames, padded


@dataclass(frozen=True, slots=True)
class _Row:
    """What a step does with one window, in numbers."""

    past: DevicePast
    samples: Floats
    """Those that log-mels must still be computed of."""
    lead: int
    """Log-mels of them that were known."""
    fresh: int
    """And those that were not."""
    left: int
    """Log-mels of the window before its chunk."""
    ahead: int
    """And those from there on that were known."""
    heard: int
    length: int
    """Encoder frames of the step."""
    chunk: int
    """And those of its chunk."""
    kept_frames: int
    """Most frames of the past after the step."""

    @property
    def new(self) -> int:
        """Feature frames of chunk and right context."""
        return self.ahead + self.fresh

    @property
    def stored(self) -> int:
        """Frames of the chunk that are kept."""
        return min(self.chunk, self.kept_frames)

    def numbers(self, size: RingSize, convolved: int) -> tuple[int, ...]:
        """For the device, in the order of `_Told`."""
        past, room = self.past, size.log_mels
        assert past.ring is not None
        return (
            self.samples.shape[0],
            self.lead,
            self.fresh,
            (past.log_mels + self.ahead) % room,
            (past.log_mels - self.left) % room,
            self.left,
            self.new,
            self.heard,
            SUBSAMPLING if self.left >= SUBSAMPLING else 0,
            past.ring.number,
            past.frames % size.frames,
            past.filled,
            self.chunk,
            self.stored,
            slot_of(past.convolved),
            convolved,
        )

    def past_after(self, convolved: Slot) -> DevicePast:
        """What is kept after the step has written it."""
        past = self.past
        total = self.left + self.new
        chunk_end = min(self.left + self.chunk * SUBSAMPLING, total)
        return DevicePast(
            ring=past.ring,
            convolved=convolved,
            frames=past.frames + self.chunk,
            filled=min(past.filled + self.chunk, self.kept_frames),
            log_mels=past.log_mels - self.left + chunk_end,
            before=chunk_end,
            ahead=total - SPOILT_BEFORE_CUT - chunk_end,
        )


@dataclass(frozen=True, slots=True)
class _Told:
    """The numbers of `_Row` on the device, (B, 1) each."""

    size: Tensor
    lead: Tensor
    fresh: Tensor
    fresh_at: Tensor
    window_at: Tensor
    left: Tensor
    new: Tensor
    heard: Tensor
    look_back: Tensor
    ring: Tensor
    frames: Tensor
    filled: Tensor
    chunk: Tensor
    stored: Tensor
    convolved: Tensor
    next_convolved: Tensor


class CachedEncoder:
    """Encodes each frame once, beside what was kept of the left context."""

    def __init__(
        self, encoder: Encoder, mel: LogMel, store: PastStore, device: torch.device
    ) -> None:
        self._encoder = encoder
        self._mel = mel
        self._device = device
        self._store = store

    def encode(
        self, inputs: Sequence[EncoderInput], rows: Sequence[int]
    ) -> tuple[list[Group], dict[int, DevicePast]]:
        """Encodes those rows of a call, each with a frame at least; their pasts after it too."""
        prepared = {row: self._prepare(inputs[row]) for row in rows}
        by_ring: dict[RingSize, dict[int, int]] = {}
        for row, each in prepared.items():
            assert each.past.ring is not None
            by_ring.setdefault(each.past.ring.size, {})[row] = each.length
        groups: list[Group] = []
        pasts: dict[int, DevicePast] = {}
        for size, lengths in by_ring.items():
            for together in alike(lengths):
                parts = [prepared[row] for row in together]
                frames, after = self._step(parts, size)
                groups.append(Group(together, frames))
                pasts.update(zip(together, after, strict=True))
        return groups, pasts

    def _prepare(self, given: EncoderInput) -> _Row:
        past = given.past or DevicePast()
        assert isinstance(past, DevicePast), "the past of another encoder"
        assert given.kept_frames is not None
        samples, kept = given.samples.shape[0], given.kept_frames
        known = known_samples(given)
        new, length = feature_frames(samples - known), encoder_frames(samples - known)
        left = min(feature_frames(known), past.before)
        ahead = max(-left, min(past.ahead, new - SPOILT_BEFORE_CUT))
        lead = min(left + ahead, SPOILT_BEHIND_CUT)
        unknown = given.samples[known + (ahead - lead) * HOP_SAMPLES :]
        unknown_left = given.left_samples - known
        own = given.chunk_samples // FRAME_SAMPLES
        chunk = min(unknown_left // FRAME_SAMPLES + own, length)
        least = RingSize(kept + min(own, chunk), past.before + new)
        usual = RingSize(kept + length, (kept + min(own, chunk)) * SUBSAMPLING + new)
        return _Row(
            past=self._store.room_for(past, least, usual),
            samples=unknown,
            lead=lead,
            fresh=feature_frames(unknown.shape[0]) - lead,
            left=left,
            ahead=ahead,
            heard=heard_frames(given, left + new),
            length=length,
            chunk=chunk,
            kept_frames=kept,
        )

    def _step(self, rows: list[_Row], size: RingSize) -> tuple[Tensor, list[DevicePast]]:
        """Encodes rows whose rings have one size."""
        slots = [self._store.convolved.take() for _ in rows]
        facts = [row.numbers(size, slot.number) for row, slot in zip(rows, slots, strict=True)]
        after = [row.past_after(slot) for row, slot in zip(rows, slots, strict=True)]
        for row, past in zip(rows, after, strict=True):
            assert past.ring is not None
            past.ring.readable = {row.past.serial, past.serial}
        samples, whole = upload(
            padded([row.samples for row in rows]), np.array(facts, np.int64), self._device
        )
        told = _Told(*(column[:, None] for column in whole.unbind(1)))
        features = self._features(samples, told, size, max(row.left + row.new for row in rows))
        most = max(1, *(row.past.filled for row in rows))
        walk = _Walk(self._store, size, told, most)
        frames, _ = encode_step(
            self._encoder,
            (
                features.transpose(1, 2).to(self._store.dtype),
                SUBSAMPLING + told.new[:, 0],
                told.look_back[:, 0],
            ),
            (most, told.filled[:, 0]),
            walk.past_of,
            walk.keep,
        )
        return frames, after

    def _features(self, samples: Tensor, told: _Told, size: RingSize, window: int) -> Tensor:
        """Normalised features (B, 8 + T, F), after what was not known of them is in the rings."""
        room = size.log_mels
        ring = self._store.pool(size).rows("log_mel", 0)
        fresh = self._mel.raw(samples, told.size[:, 0])
        number = numbers(fresh, 1) - told.lead
        there = told.ring * room + (told.fresh_at + number) % room
        wanted = (number >= 0) & (number < told.fresh)
        there = torch.where(wanted, there, RUBBISH * room)
        ring.index_copy_(0, there.flatten(), fresh.flatten(0, 1))
        number = torch.arange(window, device=samples.device)[None, :]
        there = told.ring * room + (told.window_at + number) % room
        total = told.left + told.new
        there = torch.where(number < total, there, NOTHING)
        log_mel = ring.index_select(0, there.flatten()).view(*there.shape, -1)
        scaled = normalised(log_mel, total[:, 0], told.heard[:, 0])
        # The look-back ends where the chunk begins; a row without one has zeros there.
        number = torch.arange(SUBSAMPLING + window, device=samples.device)[None, :] - SUBSAMPLING
        inside = (number >= -told.look_back) & (number < told.new)
        column = (told.left + number).clamp(0, window - 1)
        chosen = scaled.gather(1, column[..., None].expand(-1, -1, scaled.shape[2]))
        return chosen * inside[..., None]


class _Walk:
    """Fetches the past of each layer from the rings, and keeps there what is new of the chunk."""

    def __init__(self, store: PastStore, size: RingSize, told: _Told, most: int) -> None:
        self._pool = store.pool(size)
        self._kept = store.kept_rows
        self._convolved = store.convolved
        self._reach = store.reach
        self._told = told
        self._room = size.frames
        number = torch.arange(most, device=told.ring.device)[None, :] - most
        there = told.ring * self._room + (told.frames + number) % self._room
        self._past = torch.where(number >= -told.filled, there, NOTHING)
        self._own: Tensor | None = None

    def past_of(self, layer: int) -> Past:
        """Keys and values (B, K, D), the oldest first, and inputs of the convolution (B, R, D)."""
        told = self._told
        places, shape = self._past.flatten(), self._past.shape
        keys, values = (
            self._kept.read(self._pool, name, layer, places).view(*shape, -1) for name in KEPT
        )
        inputs = self._convolved.stacked("inputs")[layer]
        convolved = inputs.index_select(0, told.convolved[:, 0])[:, : self._reach]
        return keys, values, convolved

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
        inputs.index_copy_(0, told.next_convolved[:, 0], kept)

    def _places(self, keys: Tensor) -> Tensor:
        """Where each of the keys (B, U, D) goes, (B · U,): the same in every layer."""
        if self._own is None:
            told, number = self._told, numbers(keys, 1)
            there = told.ring * self._room + (told.frames + number) % self._room
            own = (number >= told.chunk - told.stored) & (number < told.chunk)
            self._own = torch.where(own, there, RUBBISH * self._room).flatten()
        return self._own


def known_samples(given: EncoderInput) -> int:
    """Samples of left context that the past stands for."""
    return 0 if given.past is None else given.left_samples
