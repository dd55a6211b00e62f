"""How many rows, frames and tokens a loop has room for in; all that it remembers of them out.

Everything lies in tensors that are made once: a turn computes new ones, and what is to stay is
copied to its place. So the same memory is read and written however often the loop runs.

Rules of this file:

1. A row of zeros as its facts is none: it has no frames, so nothing happens in it. That is padding.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Final

import torch
from torch import Tensor

from parakeet_streaming.torch_model.transducer import TransducerConfig
from parakeet_streaming.torch_runtime.device_confidence import Confidence

FACTS: Final = 5
"""Of a row, before what is remembered of its biases and where their tables lie: place of its first
frame among the frames, frames to skip, frames of the chunk, those and the look-ahead's, and its
last token."""
EMISSION: Final = 5
"""Of an emission: token, frame, duration, whether it was boosted, and the confidence's bits."""
HEAD: Final = 6
"""Of what a row ends with: emissions, skip and token at the border, frame and token at the end, and
whether numbers were not finite."""


@dataclass(frozen=True, slots=True)
class Rules:
    """How tokens are chosen."""

    blank_id: int
    durations: Tensor
    """(n,) whole numbers on the device; none for RNN-T."""
    max_symbols: int
    confidence: Confidence


@dataclass(frozen=True, slots=True)
class LoopRoom:
    """For what a loop has room."""

    rows: int
    """B."""
    frames: int
    """N, of all rows together."""
    emissions: int
    """M, of a row, until they are read."""
    turns: int
    """Before the host looks."""
    width: int
    """Frames of a row that a turn scores."""
    biases: int = 0
    """K, of a row: how many of them remember something."""
    places: int = 0
    """P, of a row: numbers that say where the tables of its biases lie."""


@dataclass(slots=True)
class Memory:
    """After a row's last token."""

    token: Tensor
    """(B,)"""
    hidden: Tensor
    """(L, B, H)"""
    cell: Tensor
    """(L, B, H)"""
    biases: Tensor
    """(B, K) what is remembered of each of the row's biases."""

    def taking(self, mask: Tensor, other: Memory) -> Memory:
        """This, with the other's rows where the mask (B,) is."""
        rows = mask[None, :, None]
        return Memory(
            torch.where(mask, other.token, self.token),
            torch.where(rows, other.hidden, self.hidden),
            torch.where(rows, other.cell, self.cell),
            torch.where(mask[:, None], other.biases, self.biases),
        )


@dataclass(slots=True)
class Rows:
    """Where each row is; all (B,), but histories and memories."""

    frame: Tensor
    on_frame: Tensor
    """Tokens on the frame of the last one."""
    last_emitting: Tensor
    """That frame; -1 before there is one."""
    count: Tensor
    """Emissions since they were read."""
    left: Tensor
    """Whether the row has left its chunk."""
    border_skip: Tensor
    bad: Tensor
    """Whether numbers were not finite."""
    histories: Tensor
    """(B, J) what the prediction network gave, as the joint projects it."""
    memory: Memory
    border: Memory
    """As it was when the row left its chunk."""

    def keep(self, other: Rows) -> None:
        """Copies the other's values to the places of this one's."""
        for here, there in zip(_tensors(self), _tensors(other), strict=True):
            here.copy_(there)


def _tensors(each: Rows | Memory) -> Iterator[Tensor]:
    for field in fields(each):
        value = getattr(each, field.name)
        if isinstance(value, Memory):
            yield from _tensors(value)
        else:
            yield value


class LoopState:
    """The tensors of one loop."""

    def __init__(
        self,
        config: TransducerConfig,
        room: LoopRoom,
        device: torch.device,
        frames: Tensor | None = None,
    ) -> None:
        """`frames`: of another loop of this size; the two run one at a time, and share them."""

        def numbers(*shape: int) -> Tensor:
            return torch.zeros(shape, dtype=torch.int64, device=device)

        def floats(*shape: int) -> Tensor:
            return torch.zeros(shape, device=device)

        def memory() -> Memory:
            states = (config.predictor_layers, rows, config.predictor_width)
            return Memory(
                numbers(rows), floats(*states), floats(*states), numbers(rows, room.biases)
            )

        rows = room.rows
        self.frames = floats(room.frames, config.joint_width) if frames is None else frames
        """(N, J) as the joint projects them, row after row."""
        self.facts = numbers(rows, FACTS + room.biases + room.places)
        """(B, 5 + K + P)"""
        self.hidden = floats(config.predictor_layers, rows, config.predictor_width)
        """(L, B, H) where each row begins."""
        self.cell = torch.zeros_like(self.hidden)
        self.rows = Rows(
            frame=numbers(rows),
            on_frame=numbers(rows),
            last_emitting=numbers(rows),
            count=numbers(rows),
            left=numbers(rows).bool(),
            border_skip=numbers(rows),
            bad=numbers(rows).bool(),
            histories=floats(rows, config.joint_width),
            memory=memory(),
            border=memory(),
        )
        self.emitted = numbers(rows, room.emissions + 1, EMISSION)
        """(B, M + 1, 5), in order; the last place takes what is none."""
        self.heads = numbers(rows, HEAD + 2 * room.biases).int()
        """(B, 6 + 2 K) how each row ends, and what its biases are at the border and at the end."""
        self.looked = numbers(2)
        """Most emissions of a row since they were read, and whether any row goes on."""
