"""Windows and the kept pasts of their streams in; frames of chunk and right context out.

What `model/cached_encoder.py` does with a graph, with pasts that stay on the device. The rules are
those of that file; what it computes of a window's features, this room does too.

Steps that were made ready for a context take all its windows: the first ones, those whose left
context fills, full ones and the last. Others get a step of their own size, which runs as a plain
call.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from parakeet_streaming.model.features import SPOILT_BEFORE_CUT, SPOILT_BEHIND_CUT
from parakeet_streaming.ports import EncoderInput
from parakeet_streaming.timeline import (
    FRAME_SAMPLES,
    HOP_SAMPLES,
    SUBSAMPLING,
    WindowLengths,
    encoder_frames,
    feature_frames,
)
from parakeet_streaming.torch_model.fastconformer import Encoder
from parakeet_streaming.torch_runtime.buckets import parts_of, sizes_up_to
from parakeet_streaming.torch_runtime.cached_rows import FACTS, StepRow
from parakeet_streaming.torch_runtime.cached_step import CachedStep, StepShape
from parakeet_streaming.torch_runtime.captured import Graphs
from parakeet_streaming.torch_runtime.device_past import DevicePast, PastStore, RingSize
from parakeet_streaming.torch_runtime.mel import LogMel
from parakeet_streaming.torch_runtime.step_buffers import StepBuffers, StepRoom
from parakeet_streaming.torch_runtime.window_encoder import (
    Group,
    alike,
    heard_frames,
    padded,
)


class CachedEncoder:
    """Encodes each frame once, beside what was kept of the left context."""

    def __init__(
        self,
        encoder: Encoder,
        mel: LogMel,
        store: PastStore,
        device: torch.device,
        graphs: Graphs,
    ) -> None:
        self._encoder = encoder
        self._mel = mel
        self._device = device
        self._store = store
        self._graphs = graphs
        self._ready: dict[RingSize, dict[StepShape, dict[int, CachedStep]]] = {}

    @property
    def ready(self) -> list[CachedStep]:
        """The steps that were made ready."""
        shapes = [shape for shapes in self._ready.values() for shape in shapes.values()]
        return [step for steps in shapes for step in steps.values()]

    def prepare(self, frames: WindowLengths, most_rows: int) -> Iterator[None]:
        """Makes steps ready for streams of a context, one between two yields.

        There are slots for all of them. When pools have grown since then, what was captured is
        called plainly until it is made ready again.

        Args:
            frames: of the context.
            most_rows: of a call.
        """
        kept, length = frames.left, frames.chunk + frames.right
        shape = StepShape(
            length * FRAME_SAMPLES + (1 + SPOILT_BEHIND_CUT) * HOP_SAMPLES,
            (kept + length) * SUBSAMPLING,
            length,
            max(1, kept),
        )
        size, sizes = ring_size(frames), sizes_up_to(most_rows)
        shapes = self._ready.setdefault(size, {})
        known = shapes.get(shape, {})
        if set(sizes) <= set(known) and all(each.work.ready for each in known.values()):
            return
        buffers = self._buffers(sizes[0], shape)
        steps: dict[int, CachedStep] = {}
        for rows in sizes:
            steps[rows] = self._made(size, shape, buffers.first(rows), self._graphs)
            buffers.first(rows).hear(self._mel)
            steps[rows].work.capture()
            yield
        # All at once: one row is not to be padded to the largest size.
        shapes[shape] = steps

    def encode(
        self, inputs: Sequence[EncoderInput], rows: Sequence[int]
    ) -> tuple[list[Group], dict[int, DevicePast]]:
        """Encodes those rows of a call, each with a frame at least; their pasts after it too."""
        prepared = {row: self._prepare(inputs[row]) for row in rows}
        fitting: dict[tuple[RingSize, StepShape], list[int]] = {}
        others: dict[RingSize, dict[int, int]] = {}
        for row, each in prepared.items():
            assert each.past.ring is not None
            size = each.past.ring.size
            shape = self._shape_for(size, each)
            if shape is None:
                others.setdefault(size, {})[row] = each.length
            else:
                fitting.setdefault((size, shape), []).append(row)
        groups: list[Group] = []
        pasts: dict[int, DevicePast] = {}

        def run(together: Sequence[int], step: CachedStep, size: RingSize) -> None:
            frames, after = self._step([prepared[row] for row in together], step, size)
            groups.append(Group(tuple(together), frames))
            pasts.update(zip(together, after, strict=True))

        for size, lengths in others.items():
            for together in alike(lengths):
                own = StepShape.of([prepared[row] for row in together])
                buffers = self._buffers(len(together), own)
                run(together, self._made(size, own, buffers, Graphs.none()), size)
        for (size, shape), members in fitting.items():
            steps = self._ready[size][shape]
            for part in parts_of(len(members), tuple(steps)):
                run(members[part.first : part.first + part.count], steps[part.size], size)
        return groups, pasts

    def _shape_for(self, size: RingSize, row: StepRow) -> StepShape | None:
        """The smallest shape that was made ready and that the row fits."""
        shapes = [shape for shape in self._ready.get(size, ()) if shape.takes(row)]
        return min(shapes, key=lambda each: (each.frames, each.past), default=None)

    def _prepare(self, given: EncoderInput) -> StepRow:
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
        rooms = _rooms(kept, min(own, chunk), length, past.before, new)
        return StepRow(
            past=self._store.room_for(past, *rooms),
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

    def _step(
        self, rows: list[StepRow], step: CachedStep, size: RingSize
    ) -> tuple[Tensor, list[DevicePast]]:
        """Encodes rows whose rings have one size."""
        slots = [self._store.convolved.take() for _ in rows]
        facts = [row.numbers(size, slot.number) for row, slot in zip(rows, slots, strict=True)]
        after = [row.past_after(slot) for row, slot in zip(rows, slots, strict=True)]
        for row, past in zip(rows, after, strict=True):
            assert past.ring is not None
            past.ring.readable = {row.past.serial, past.serial}
        samples = padded([row.samples for row in rows])
        step.buffers.lay(samples, np.array(facts, np.int64), self._mel)
        step.work.run()
        return step.buffers.frames[: len(rows)].clone(), after

    def _made(
        self, size: RingSize, shape: StepShape, buffers: StepBuffers, graphs: Graphs
    ) -> CachedStep:
        return CachedStep(self._encoder, self._store, size, shape, buffers, graphs)

    def _buffers(self, rows: int, shape: StepShape) -> StepBuffers:
        room = StepRoom(rows, shape.samples, FACTS, shape.frames, self._encoder.config.width)
        return StepBuffers.of(room, self._mel.mel_bins, self._store.dtype, self._device)


def _rooms(kept: int, own: int, length: int, before: int, new: int) -> tuple[RingSize, RingSize]:
    """What a ring needs for a step at least, and what a new ring has.

    Args:
        kept: most frames of the past.
        own: of a chunk.
        length: of the step.
        before: log-mels that are known before the chunk.
        new: and those from there on.
    """
    return (
        RingSize(kept + own, before + new),
        RingSize(kept + length, (kept + own) * SUBSAMPLING + new),
    )


def ring_size(frames: WindowLengths) -> RingSize:
    """The rings of streams of a context."""
    length = frames.chunk + frames.right
    _, size = _rooms(frames.left, frames.chunk, length, 0, length * SUBSAMPLING)
    return size.rounded()


def known_samples(given: EncoderInput) -> int:
    """Samples of left context that the past stands for."""
    return 0 if given.past is None else given.left_samples
