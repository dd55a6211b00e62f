"""Frames and the states of B streams on a device in; tokens and the next states there out.

Label-looping as in `model/label_looping.py`, with all rows in step and no look at the device but
for one flag every few turns. One turn scores the next frames of every row, walks over blanks, emits
a token where one was found, and runs the prediction network for it.

```
facts, frames, states ─► begin ─► turns ─► look ──── no row goes on ─► heads, emissions, states
                                    ▲        │
                                    └────────┘ (emissions are read first where a row has no room)
```

Rules of this file:

1. The rules of `model/label_looping.py` hold: this is the same loop.
2. A row that has ended, that has no room for a token, or that found none in a turn, goes through
   the turn unchanged: results are chosen by masks, so a turn has the same shape for all.
3. Numbers that are not finite raise a row's flag; the caller reads it with the tokens.
4. `begin` and `turns` are work as in `captured.py`: no look at the device, all shapes fixed. With
   biases they are so where the tables lie in an arena (`PlacedBiases`); those of `RowBiases` have
   shapes of their own, and are never captured.
"""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor

from parakeet_streaming.torch_model.transducer import Transducer
from parakeet_streaming.torch_runtime.captured import Graphs
from parakeet_streaming.torch_runtime.device_biases import RowBiases
from parakeet_streaming.torch_runtime.loop_state import (
    FACTS,
    LoopRoom,
    LoopState,
    Memory,
    Rows,
    Rules,
)
from parakeet_streaming.torch_runtime.placed_biases import PlacedBiases

_ROWS_OF_A_CALL: Final = 256
"""Frames that a call of the joint scores, at about which reading its weights takes as long as
multiplying by them; the fewer rows there are, the more frames of each are looked at."""
_MOST_FRAMES: Final = 4


def frames_of_a_turn(rows: int, most_frames: int) -> int:
    """How many frames of each of so many rows a turn scores, if the longest has so many."""
    return max(1, min(_MOST_FRAMES, _ROWS_OF_A_CALL // rows, most_frames))


class DeviceLoop:
    """So many rows on their way through their frames."""

    def __init__(
        self,
        model: Transducer,
        rules: Rules,
        room: LoopRoom,
        graphs: Graphs,
        device: torch.device,
        frames: Tensor | None = None,
    ) -> None:
        """`frames`: as of a `LoopState`."""
        self._model = model
        self._rules = rules
        self.room = room
        self.state = LoopState(model.config, room, device, frames)
        """What the loop begins from is put there, and what it gives is read from there."""
        self.biases: RowBiases | PlacedBiases | None = None
        """Those of the rows, if `room` has any."""
        self.begin = graphs.of(self._begin)
        """Puts all rows to where they begin."""
        self.turns = graphs.of(self._turns)
        """Takes some turns, and sums up where the rows are then."""

    def capture(self) -> None:
        """Makes graphs of both, where there are graphs; no row has anything to do meanwhile."""
        assert not isinstance(self.biases, RowBiases), "rule 4"
        self.state.facts.zero_()
        self.begin.capture()
        self.turns.capture()

    def _begin(self) -> None:
        state = self.state
        _, frame, border, _, token = state.facts[:, :FACTS].unbind(1)
        biases = state.facts[:, FACTS : FACTS + self.room.biases]
        memory = Memory(token, state.hidden, state.cell, biases)
        nothing = torch.zeros_like(frame)
        state.rows.keep(
            Rows(
                frame=frame,
                on_frame=nothing,
                last_emitting=nothing - 1,
                count=nothing,
                left=frame >= border,
                border_skip=frame - border,
                bad=nothing > 0,
                histories=self._model.joint.histories(state.hidden[-1]),
                memory=memory,
                border=memory,
            )
        )

    def _turns(self) -> None:
        state = self.state
        rows = state.rows
        for _ in range(self.room.turns):
            rows = self._turn(rows)
        state.rows.keep(rows)
        length = state.facts[:, 3]
        state.looked.copy_(torch.stack((rows.count.max(), (rows.frame < length).any().long())))
        ends = (
            rows.count,
            rows.border_skip,
            rows.border.token,
            rows.frame,
            rows.memory.token,
            rows.bad.long(),
        )
        biases = (rows.border.biases, rows.memory.biases)
        state.heads.copy_(torch.cat((torch.stack(ends, dim=1), *biases), dim=1))

    def _turn(self, rows: Rows) -> Rows:
        """Scores frames of every row, and emits at most one token of each."""
        rules, width = self._rules, self.room.width
        vocabulary = rules.blank_id + 1
        logits = self._scores(rows)
        best, tokens = logits[..., :vocabulary].max(dim=-1)
        skips, sound = torch.zeros_like(tokens), torch.isfinite(best)
        if len(rules.durations):
            likely, numbers = logits[..., vocabulary:].max(dim=-1)
            skips, sound = rules.durations[numbers], sound & torch.isfinite(likely)
        live = (rows.frame < self.state.facts[:, 3]) & (rows.count < self.room.emissions)
        bad = rows.bad | (live & ~sound.all(dim=1))
        rows, found, offset = self._pass_blanks(rows, tokens, skips)
        rows.bad = bad
        place = offset.clamp(0, width - 1)[:, None]
        token, duration = tokens.gather(1, place)[:, 0], skips.gather(1, place)[:, 0]
        whole = place[..., None].expand(-1, -1, vocabulary)
        row = logits[..., :vocabulary].gather(1, whole)[:, 0]
        boosted, biases = torch.zeros_like(found), rows.memory.biases
        if self.biases:
            token, boosted, biases = self.biases.named(row, token, biases)
        rows = self._emit(rows, found, (token, duration, boosted), rules.confidence(row, token))
        return self._advance(rows, found, token, biases)

    def _scores(self, rows: Rows) -> Tensor:
        """Logits (B, W, V + durations) of the next frames of every row."""
        first, length = self.state.facts[:, :1], self.state.facts[:, 3:4]
        frames = self.state.frames
        number = torch.arange(self.room.width, device=frames.device)[None, :]
        last = (length - 1).clamp(min=0)
        at = first + torch.minimum(rows.frame[:, None] + number, last)
        chosen = frames[at.clamp(max=frames.shape[0] - 1)]
        return self._model.joint.logits(chosen, rows.histories[:, None]).float()

    def _pass_blanks(
        self, rows: Rows, tokens: Tensor, skips: Tensor
    ) -> tuple[Rows, Tensor, Tensor]:
        """Walks over scored frames (B, W) to a token; whether one was found, and at which."""
        width, length = self.room.width, self.state.facts[:, 3]
        first, frame = rows.frame, rows.frame
        has_room = rows.count < self.room.emissions
        found = torch.zeros_like(rows.left)
        offset = torch.zeros_like(first)
        left, border_skip = rows.left, rows.border_skip
        for _ in range(width):
            offset = torch.where(found, offset, frame - first)
            inside = ~found & has_room & (frame < length) & (offset < width)
            place = offset.clamp(0, width - 1)[:, None]
            blank = tokens.gather(1, place)[:, 0] == self._rules.blank_id
            found = found | (inside & ~blank)
            skip = skips.gather(1, place)[:, 0].clamp(min=1)
            frame = frame + skip * (inside & blank)
            left, border_skip = self._crossed(frame, left, border_skip)
        border = rows.border.taking(left & ~rows.left, rows.memory)
        walked = Rows(
            frame,
            rows.on_frame,
            rows.last_emitting,
            rows.count,
            left,
            border_skip,
            rows.bad,
            rows.histories,
            rows.memory,
            border,
        )
        return walked, found, offset

    def _crossed(self, frame: Tensor, left: Tensor, skip: Tensor) -> tuple[Tensor, Tensor]:
        """Notes which rows have left their chunk, and how far beyond it they came at that."""
        beyond = frame - self.state.facts[:, 2]
        now = ~left & (beyond >= 0)
        return left | now, torch.where(now, beyond, skip)

    def _emit(
        self,
        rows: Rows,
        found: Tensor,
        emitted: tuple[Tensor, Tensor, Tensor],
        confidence: Tensor,
    ) -> Rows:
        """Writes down tokens on the present frames, and moves on by their durations."""
        frame = rows.frame
        token, duration, boosted = emitted
        bits = confidence.view(torch.int32).to(frame.dtype)
        emission = torch.stack((token, frame, duration, boosted.to(frame.dtype), bits), dim=-1)
        place = rows.count.masked_fill(~found, self.room.emissions)
        at = place[:, None, None].expand(-1, -1, emission.shape[1])
        self.state.emitted.scatter_(1, at, emission[:, None])
        again = (rows.on_frame + 1).masked_fill(frame != rows.last_emitting, 1)
        rows.count = rows.count + found
        rows.on_frame = torch.where(found, again, rows.on_frame)
        rows.last_emitting = torch.where(found, frame, rows.last_emitting)
        stuck = (duration == 0) & (rows.on_frame >= self._rules.max_symbols)
        rows.frame = frame + (duration + stuck) * found
        return rows

    def _advance(self, rows: Rows, found: Tensor, token: Tensor, biases: Tensor) -> Rows:
        """Runs the prediction network by the tokens that were found."""
        memory = rows.memory
        output, hidden, cell = self._model.predictor(token[:, None], memory.hidden, memory.cell)
        rows.memory = memory.taking(found, Memory(token, hidden, cell, biases))
        histories = self._model.joint.histories(output[:, 0])
        rows.histories = torch.where(found[:, None], histories, rows.histories)
        # Of a row that left its chunk before, nothing is crossed any more.
        left, rows.border_skip = self._crossed(rows.frame, rows.left, rows.border_skip)
        rows.border = rows.border.taking(left & ~rows.left, rows.memory)
        rows.left = left
        return rows
