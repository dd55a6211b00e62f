"""Whole windows of samples in; their encoder frames (B, U, D) on the device out.

Rules of this file:

1. Windows of about one length share a call: padding one to many times its length would cost more
   than a call.
2. Steps that were made ready take the windows that fill at least half of theirs. Others get a step
   of their own size, which runs as a plain call: windows while the left context fills, last ones,
   and recordings.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from parakeet_streaming.model.features import LEAST_FRAMES
from parakeet_streaming.ports import EncoderInput
from parakeet_streaming.timeline import encoder_frames, feature_frames
from parakeet_streaming.torch_model.fastconformer import Encoder
from parakeet_streaming.torch_runtime.buckets import parts_of, sizes_up_to
from parakeet_streaming.torch_runtime.captured import Graphs
from parakeet_streaming.torch_runtime.mel import LogMel, normalised
from parakeet_streaming.torch_runtime.step_buffers import StepBuffers, StepRoom

_FACTS = 3
"""Of a window: samples, feature frames, and those that its statistics are taken of."""


@dataclass(frozen=True, slots=True)
class Group:
    """Rows of a call that were encoded together."""

    rows: tuple[int, ...]
    """Their numbers in the call."""
    frames: Tensor
    """(B, U, D); what stands after a row's length means nothing."""


class WindowStep:
    """The encoder over so many windows of up to so many samples."""

    def __init__(self, encoder: Encoder, buffers: StepBuffers, graphs: Graphs) -> None:
        self._encoder = encoder
        self.buffers = buffers
        self.work = graphs.of(self._work)

    def _work(self) -> None:
        given = self.buffers
        _, counts, heard = given.facts.unbind(1)
        features = normalised(given.log_mels, counts, heard)
        frames, _ = self._encoder(features.transpose(1, 2).to(given.frames.dtype), counts)
        given.frames.copy_(frames)


class WindowEncoder:
    """Log-mel features and the encoder, from nothing to a window's frames."""

    def __init__(
        self,
        encoder: Encoder,
        mel: LogMel,
        device: torch.device,
        graphs: Graphs,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        """`dtype`: what the encoder computes in."""
        self._dtype = dtype
        self._encoder = encoder
        self._mel = mel
        self._device = device
        self._graphs = graphs
        self._ready: dict[int, dict[int, WindowStep]] = {}

    @property
    def ready(self) -> list[WindowStep]:
        """The steps that were made ready."""
        return [step for steps in self._ready.values() for step in steps.values()]

    def prepare(self, samples: int, most_rows: int) -> Iterator[None]:
        """Makes steps ready for windows of so many samples, one between two yields."""
        sizes = sizes_up_to(most_rows)
        if set(sizes) <= set(self._ready.get(samples, ())):
            return
        buffers = self._buffers(sizes[0], samples)
        steps: dict[int, WindowStep] = {}
        for rows in sizes:
            steps[rows] = self._step(buffers.first(rows), self._graphs)
            steps[rows].buffers.hear(self._mel)
            steps[rows].work.capture()
            yield
        # All at once: one row is not to be padded to the largest size.
        self._ready[samples] = steps

    def encode(self, inputs: Sequence[EncoderInput], rows: Sequence[int]) -> list[Group]:
        """Encodes those rows of a call; each has a frame at least."""
        sizes = [inputs[row].samples.shape[0] for row in rows]
        steps_of = {
            size: min((each for each in self._ready if size <= each <= 2 * size), default=None)
            for size in set(sizes)
        }
        by_samples: dict[int, list[int]] = {}
        others: dict[int, int] = {}
        for row, size in zip(rows, sizes, strict=True):
            samples = steps_of[size]
            if samples is None:
                others[row] = encoder_frames(size)
            else:
                by_samples.setdefault(samples, []).append(row)
        groups = [self._group(inputs, together) for together in alike(others)]
        for samples, together in by_samples.items():
            steps = self._ready[samples]
            for part in parts_of(len(together), tuple(steps)):
                of_part = tuple(together[part.first : part.first + part.count])
                groups.append(self._group(inputs, of_part, steps[part.size]))
        return groups

    def _group(
        self, inputs: Sequence[EncoderInput], rows: tuple[int, ...], ready: WindowStep | None = None
    ) -> Group:
        windows = [inputs[row] for row in rows]
        samples = [each.samples for each in windows]
        kinds = [(each.samples.shape[0], each.tail_samples) for each in windows]
        facts = {kind: _facts_of(*kind) for kind in set(kinds)}
        if ready is None:
            buffers = self._buffers(len(rows), max(size for size, _ in kinds))
            ready = self._step(buffers, Graphs.none())
        ready.buffers.lay(samples, np.array([facts[kind] for kind in kinds], np.int64), self._mel)
        ready.work.run()
        return Group(rows, ready.buffers.frames[: len(rows)].clone())

    def _step(self, buffers: StepBuffers, graphs: Graphs) -> WindowStep:
        return WindowStep(self._encoder, buffers, graphs)

    def _buffers(self, rows: int, samples: int) -> StepBuffers:
        width = self._encoder.config.width
        room = StepRoom(rows, samples, _FACTS, encoder_frames(samples), width)
        return StepBuffers.of(room, self._mel.mel_bins, self._dtype, self._device)


def alike(lengths: dict[int, int]) -> list[tuple[int, ...]]:
    """Rows by their lengths, in groups in which none is more than twice as long as another."""
    groups: list[list[int]] = []
    for row in sorted(lengths, key=lambda each: lengths[each]):
        if not groups or lengths[row] > 2 * lengths[groups[-1][0]]:
            groups.append([])
        groups[-1].append(row)
    return [tuple(sorted(each)) for each in groups]


def heard_frames(samples: int, tail_samples: int, frames: int) -> int:
    """Of the feature frames of a window, how many its statistics are taken of.

    Args:
        samples: of the window.
        tail_samples: those at its end that are no audio.
        frames: feature frames of it that there are.
    """
    heard = frames - feature_frames(samples) + feature_frames(samples - tail_samples)
    return frames if not tail_samples or heard < LEAST_FRAMES else heard


def _facts_of(samples: int, tail_samples: int) -> tuple[int, int, int]:
    frames = feature_frames(samples)
    return samples, frames, heard_frames(samples, tail_samples, frames)
