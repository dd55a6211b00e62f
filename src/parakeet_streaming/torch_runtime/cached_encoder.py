"""Windows and the kept pasts of their streams in; frames of chunk and right context out.

What `model/cached_encoder.py` does with a graph, with pasts that stay on the device. The rules are
those of that file; what it computes of a window's features, this room does too.

Steps that were made ready for a context take all its windows: the first ones, those whose left
context fills, full ones and the last. Others get a step of their own size, which runs as a plain
call.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import cast

import torch
from torch import Tensor

from parakeet_streaming.model.features import SPOILT_BEHIND_CUT
from parakeet_streaming.ports import EncoderInput
from parakeet_streaming.timeline import (
    FRAME_SAMPLES,
    HOP_SAMPLES,
    SUBSAMPLING,
    WindowLengths,
)
from parakeet_streaming.torch_model.fastconformer import Encoder
from parakeet_streaming.torch_runtime.buckets import parts_of, sizes_up_to
from parakeet_streaming.torch_runtime.cached_rows import (
    FACTS,
    StepPlan,
    StepRow,
    by_kind,
    facts_of,
    pasts_after,
    ring_rooms,
)
from parakeet_streaming.torch_runtime.cached_step import CachedStep, StepShape
from parakeet_streaming.torch_runtime.captured import Graphs
from parakeet_streaming.torch_runtime.device_past import NO_PAST, DevicePast, PastStore, RingSize
from parakeet_streaming.torch_runtime.mel import LogMel
from parakeet_streaming.torch_runtime.step_buffers import StepBuffers, StepRoom
from parakeet_streaming.torch_runtime.window_encoder import Group, alike


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
        fitting: dict[tuple[RingSize, StepShape], list[StepRow]] = {}
        others: dict[RingSize, dict[int, StepRow]] = {}
        for same in by_kind(inputs, rows):
            size, prepared = self._prepare(inputs, same)
            shape = self._shape_for(size, prepared[0].plan)
            if shape is None:
                others.setdefault(size, {}).update(zip(same, prepared, strict=True))
            else:
                fitting.setdefault((size, shape), []).extend(prepared)
        groups: list[Group] = []
        pasts: dict[int, DevicePast] = {}

        def run(together: Sequence[StepRow], step: CachedStep, size: RingSize) -> None:
            frames, after = self._step(together, step, size)
            numbers = [row.number for row in together]
            groups.append(Group(tuple(numbers), frames))
            pasts.update(zip(numbers, after, strict=True))

        for size, left_over in others.items():
            for numbers in alike({row: each.plan.length for row, each in left_over.items()}):
                together = [left_over[row] for row in numbers]
                own = StepShape.of([row.plan for row in together])
                buffers = self._buffers(len(together), own)
                run(together, self._made(size, own, buffers, Graphs.none()), size)
        for (size, shape), members in fitting.items():
            steps = self._ready[size][shape]
            for part in parts_of(len(members), tuple(steps)):
                run(members[part.first : part.first + part.count], steps[part.size], size)
        return groups, pasts

    def _shape_for(self, size: RingSize, plan: StepPlan) -> StepShape | None:
        """The smallest shape that was made ready and that rows of the plan fit."""
        shapes = [shape for shape in self._ready.get(size, ()) if shape.takes(plan)]
        return min(shapes, key=lambda each: (each.frames, each.past), default=None)

    def _prepare(
        self, inputs: Sequence[EncoderInput], rows: Sequence[int]
    ) -> tuple[RingSize, list[StepRow]]:
        """Rows of one kind, and the size of their rings, which have room for the step."""
        told = [inputs[row].past or NO_PAST for row in rows]
        before = cast("list[DevicePast]", told)
        plan = StepPlan.of(inputs[rows[0]], before[0])
        pasts = self._store.rooms_for(before, plan.least, plan.usual)
        ring, cut = pasts[0].ring, plan.cut
        assert ring is not None
        return ring.size, [
            StepRow(row, plan, past, inputs[row].samples[cut:])
            for row, past in zip(rows, pasts, strict=True)
        ]

    def _step(
        self, rows: Sequence[StepRow], step: CachedStep, size: RingSize
    ) -> tuple[Tensor, list[DevicePast]]:
        """Encodes rows whose rings have one size."""
        slots = self._store.convolved.take_many(len(rows))
        after = pasts_after(rows, slots)
        for row, past in zip(rows, after, strict=True):
            assert past.ring is not None
            past.ring.readable = (row.past.serial, past.serial)
        samples = [row.samples for row in rows]
        step.buffers.lay(samples, facts_of(rows, size, slots), self._mel)
        step.work.run()
        return step.buffers.frames[: len(rows)].clone(), after

    def _made(
        self, size: RingSize, shape: StepShape, buffers: StepBuffers, graphs: Graphs
    ) -> CachedStep:
        return CachedStep(self._encoder, self._store, size, shape, buffers, graphs)

    def _buffers(self, rows: int, shape: StepShape) -> StepBuffers:
        room = StepRoom(rows, shape.samples, FACTS, shape.frames, self._encoder.config.width)
        return StepBuffers.of(room, self._mel.mel_bins, self._store.dtype, self._device)


def ring_size(frames: WindowLengths) -> RingSize:
    """The rings of streams of a context."""
    length = frames.chunk + frames.right
    _, size = ring_rooms(frames.left, frames.chunk, length, 0, length * SUBSAMPLING)
    return size.rounded()
