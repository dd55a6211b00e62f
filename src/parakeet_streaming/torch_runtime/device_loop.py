"""Frames and the states of B streams on a device in; tokens and the next states there out.

Label-looping as in `model/label_looping.py`, with all rows in step and no look at the device but
for one flag every few turns. One turn scores the next frames of every row, walks over blanks, emits
a token where one was found, and runs the prediction network for it.

Rules of this file:

1. The rules of `model/label_looping.py` hold: this is the same loop.
2. A row that has ended, or that found no token in a turn, goes through the turn unchanged: results
   are chosen by masks, so a turn has the same shape for all.
3. Numbers that are not finite raise a row's flag; the caller reads it with the tokens.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

from parakeet_streaming.torch_model.transducer import Transducer
from parakeet_streaming.torch_runtime.device_biases import RowBiases
from parakeet_streaming.torch_runtime.device_confidence import Confidence

TURNS_ON_CPU: Final = 1
TURNS_ON_GPU: Final = 8
"""Turns between two looks at the device: a look waits for all that was asked of it."""
_ROWS_OF_A_CALL: Final = 256
"""Frames that a call of the joint scores, at about which reading its weights takes as long as
multiplying by them; the fewer rows there are, the more frames of each are looked at."""
_MOST_FRAMES: Final = 4

_FIELDS: Final = 5
"""Of an emission: token, frame, duration, whether it was boosted, and the confidence's bits."""


@dataclass(frozen=True, slots=True)
class Rules:
    """How tokens are chosen."""

    blank_id: int
    durations: Tensor
    """(n,) whole numbers on the device; none for RNN-T."""
    max_symbols: int
    confidence: Confidence


@dataclass(slots=True)
class _Memory:
    """After a row's last token."""

    token: Tensor
    """(B,)"""
    hidden: Tensor
    """(L, B, H)"""
    cell: Tensor
    """(L, B, H)"""
    biases: Tensor
    """(B, K) what is remembered of each of the row's biases."""

    def taking(self, mask: Tensor, other: _Memory) -> _Memory:
        """This, with the other's rows where the mask (B,) is."""
        rows = mask[None, :, None]
        return _Memory(
            torch.where(mask, other.token, self.token),
            torch.where(rows, other.hidden, self.hidden),
            torch.where(rows, other.cell, self.cell),
            torch.where(mask[:, None], other.biases, self.biases),
        )


@dataclass(frozen=True, slots=True)
class LoopStart:
    """Where each row begins; all (B,) but the states."""

    first: Tensor
    """Place of the first frame in the call's frames (N, J)."""
    frame: Tensor
    """Frames to skip."""
    border: Tensor
    """Frames of the chunk."""
    length: Tensor
    """And of the look-ahead after it."""
    token: Tensor
    hidden: Tensor
    """(L, B, H)"""
    cell: Tensor
    biases: Tensor
    """(B, K)"""


@dataclass(frozen=True, slots=True)
class LoopEnd:
    """What the frames gave."""

    told: Tensor
    """(B, 6 + 2 K + M · 5) int32: of each row its ends, whether its numbers were finite, what its
    biases are at the border and at the end, and its emissions in order."""
    at_border: tuple[Tensor, Tensor]
    """Hidden and cell (L, B, H) where the chunk ends."""
    at_end: tuple[Tensor, Tensor]
    """And after the look-ahead."""


class DeviceLoop:
    """One call's rows on their way through their frames."""

    def __init__(
        self,
        model: Transducer,
        rules: Rules,
        frames: Tensor,
        start: LoopStart,
        biases: RowBiases,
    ) -> None:
        """`frames` (N, J): of all rows, as the joint projects them; `biases`: those of the rows."""
        self._model = model
        self._biases = biases
        self._rules = rules
        self._frames = frames
        self._start = start
        self._frame = start.frame
        self._memory = _Memory(start.token, start.hidden, start.cell, start.biases)
        self._histories = model.joint.histories(start.hidden[-1])
        self._border_memory = self._memory
        self._captured = start.frame >= start.border
        self._border_skip = start.frame - start.border
        self._on_frame = torch.zeros_like(start.frame)
        self._last_emitting = torch.full_like(start.frame, -1)
        self._bad = torch.zeros_like(self._captured)
        self._count = torch.zeros_like(start.frame)
        self._emitted: Tensor = start.frame.new_zeros((len(start.frame), 0, _FIELDS))
        self._width = max(1, min(_MOST_FRAMES, _ROWS_OF_A_CALL // len(start.frame)))

    def run(self, most_frames: int) -> LoopEnd:
        """Walks all rows to their ends; `most_frames` is the longest row's length."""
        turns = TURNS_ON_CPU if self._frames.device.type == "cpu" else TURNS_ON_GPU
        width = self._width = max(1, min(self._width, most_frames))
        room, most = 0, 0
        live = most_frames > 0
        while live:
            if most + turns > room:
                room = self._make_room(max(2 * room, turns * -(-most_frames // (2 * turns)), turns))
            for _ in range(turns):
                self._turn(width)
            looked = torch.stack(
                (self._count.max(), (self._frame < self._start.length).any().long())
            )
            most, live = looked.tolist()
        return LoopEnd(
            self._told(most),
            (self._border_memory.hidden, self._border_memory.cell),
            (self._memory.hidden, self._memory.cell),
        )

    def _make_room(self, emissions: int) -> int:
        """Room for more emissions of a row; the last place takes what is none."""
        rows, had = self._emitted.shape[:2]
        grown = self._emitted.new_zeros((rows, emissions + 1, _FIELDS))
        grown[:, : max(0, had - 1)] = self._emitted[:, : max(0, had - 1)]
        self._emitted = grown
        return emissions

    def _turn(self, width: int) -> None:
        """Scores `width` frames of every row, and emits at most one token of each."""
        rules, start = self._rules, self._start
        vocabulary = rules.blank_id + 1
        number = torch.arange(width, device=self._frame.device)[None, :]
        last = (start.length - 1).clamp(min=0)[:, None]
        at = start.first[:, None] + torch.minimum(self._frame[:, None] + number, last)
        frames = self._frames[at.clamp(max=self._frames.shape[0] - 1)]
        logits = self._model.joint.logits(frames, self._histories[:, None]).float()
        best, tokens = logits[..., :vocabulary].max(dim=-1)
        skips = torch.zeros_like(tokens)
        if len(rules.durations):
            skips = rules.durations[logits[..., vocabulary:].argmax(dim=-1)]
        live = self._frame < start.length
        self._bad = self._bad | (live & ~torch.isfinite(best).all(dim=1))
        found, offset = self._pass_blanks(tokens, skips, width)

        def chosen(values: Tensor) -> Tensor:
            return values.gather(1, offset[:, None])[:, 0]

        token, duration = chosen(tokens), chosen(skips)
        row = logits[torch.arange(len(offset), device=offset.device), offset, :vocabulary]
        boosted, biases = torch.zeros_like(found), self._memory.biases
        if self._biases:
            token, boosted, biases = self._biases.named(row, token, biases)
        self._emit(found, (token, duration, boosted), rules.confidence(row, token))
        self._advance(found, token, biases)

    def _pass_blanks(self, tokens: Tensor, skips: Tensor, width: int) -> tuple[Tensor, Tensor]:
        """Walks over scored frames (B, K) to a token; whether one was found, and at which."""
        start, first = self._start, self._frame
        found = torch.zeros_like(self._captured)
        offset = torch.zeros_like(first)
        crossed_any = torch.zeros_like(self._captured)
        for _ in range(width):
            offset = torch.where(found, offset, self._frame - first)
            inside = ~found & (self._frame < start.length) & (offset < width)
            place = offset.clamp(0, width - 1)[:, None]
            blank = tokens.gather(1, place)[:, 0] == self._rules.blank_id
            found = found | (inside & ~blank)
            skip = skips.gather(1, place)[:, 0].clamp(min=1)
            self._frame = self._frame + torch.where(inside & blank, skip, 0)
            crossed_any = crossed_any | self._cross()
        self._border_memory = self._border_memory.taking(crossed_any, self._memory)
        return found, offset.clamp(0, width - 1)

    def _cross(self) -> Tensor:
        """Notes where rows leave their chunk; which of them do so now."""
        crossed = ~self._captured & (self._frame >= self._start.border)
        skip = self._frame - self._start.border
        self._border_skip = torch.where(crossed, skip, self._border_skip)
        self._captured = self._captured | crossed
        return crossed

    def _emit(
        self, found: Tensor, emitted: tuple[Tensor, Tensor, Tensor], confidence: Tensor
    ) -> None:
        """Writes down tokens on the present frames, and moves on by their durations."""
        frame = self._frame
        token, duration, boosted = emitted
        bits = confidence.view(torch.int32).to(frame.dtype)
        emission = torch.stack((token, frame, duration, boosted.to(frame.dtype), bits), dim=-1)
        rows = torch.arange(len(frame), device=frame.device)
        place = torch.where(found, self._count, self._emitted.shape[1] - 1)
        self._emitted[rows, place] = emission
        self._count = self._count + found
        again = torch.where(frame == self._last_emitting, self._on_frame + 1, 1)
        self._on_frame = torch.where(found, again, self._on_frame)
        self._last_emitting = torch.where(found, frame, self._last_emitting)
        stuck = (duration == 0) & (self._on_frame >= self._rules.max_symbols)
        self._frame = frame + torch.where(found, duration + stuck, 0)

    def _advance(self, found: Tensor, token: Tensor, biases: Tensor) -> None:
        """Runs the prediction network by the tokens that were found."""
        memory = self._memory
        output, hidden, cell = self._model.predictor(token[:, None], memory.hidden, memory.cell)
        self._memory = memory.taking(found, _Memory(token, hidden, cell, biases))
        histories = self._model.joint.histories(output[:, 0])
        self._histories = torch.where(found[:, None], histories, self._histories)
        # Of a row that left its chunk before, nothing is crossed any more.
        crossed = self._cross()
        self._border_memory = self._border_memory.taking(crossed, self._memory)

    def _told(self, most: int) -> Tensor:
        ends = torch.stack(
            (
                self._count,
                self._border_skip,
                self._border_memory.token,
                self._frame,
                self._memory.token,
                self._bad.long(),
            ),
            dim=1,
        )
        biases = (self._border_memory.biases, self._memory.biases)
        emitted = self._emitted[:, :most].flatten(1)
        return torch.cat((ends, *biases, emitted), dim=1).to(torch.int32)
