"""Scores of the rows of a turn in; tokens and states after, by tables that lie in an arena, out.

As `RowBiases` of `device_biases.py`, but with shapes that never change: so a graph can have it.

Rules of this file:

1. The rules of `model/biased_choice.py` hold, and numbers are added in the same order, so tokens
   are the same.
2. It is work as in `captured.py`. Where a row's tables lie is read from the row's facts.
3. Of a row's biases the list alone remembers something: there is one state for each row.
"""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor

from parakeet_streaming.ports import DecoderInput
from parakeet_streaming.torch_runtime.bias_arena import BiasArena, TablePlace

STATES: Final = 1
"""Of a row; rule 3."""
PLACES: Final = len(TablePlace._fields)
"""Numbers that say where a row's tables lie."""


class PlacedBiases:
    """The biases of a loop's rows."""

    def __init__(self, arena: BiasArena, facts: Tensor) -> None:
        """`facts`: (B, 3) of the loop, where the tables of its rows lie."""
        self._arena = arena
        self._facts = facts
        self._numbers = torch.arange(arena.room.widest, device=facts.device)[None, :]

    def facts_of(self, row: DecoderInput) -> tuple[int, ...]:
        """The state in which a row begins, and where its tables lie."""
        place = self._arena.place_of(row.biases)
        assert place is not None, "a row whose tables have no place"
        # A mask remembers nothing, and a list is the last; its state may not be told yet.
        state = row.state.bias_states[len(row.biases) - 1 :][:1] if row.biases else ()
        return (*(state or (0,)), *place)

    def named(self, logits: Tensor, token: Tensor, states: Tensor) -> tuple[Tensor, ...]:
        """Tokens (B,), whether a list chose them (B,), and the states after them (B, 1).

        Args:
            logits: (B, V) of the frames that emit; they stay as they are.
            token: (B,) what they prefer.
            states: (B, 1) of the rows.
        """
        arena = self._arena
        rows, first, masks = self._facts.unbind(1)
        scores = logits.masked_fill(arena.ruled_out[masks], -torch.inf)
        best, preferred = scores.max(dim=1, keepdim=True)
        nodes = first + states[:, 0]
        arcs = arena.first[nodes][:, None] + self._numbers
        outside = self._numbers >= arena.counts[nodes][:, None]
        tokens = arena.tokens[arcs].masked_fill(outside, arena.width).long()
        base = arena.refunds[nodes][:, None]
        boosts = arena.at_root[rows].add_(base)
        boosts = boosts.scatter_(1, tokens, arena.boosts[arcs])[:, : arena.width]
        far = scores < best - arena.windows[rows][:, None]
        boosts = torch.where(far, torch.minimum(boosts, base), boosts)
        named = scores.add_(boosts).argmax(dim=1, keepdim=True)
        targets = arena.targets[arcs].masked_fill(tokens != named, 0).amax(dim=1)
        at_root = arena.root_targets[rows, named[:, 0]]
        following = torch.where(targets > 0, targets, at_root).to(states.dtype)
        return named[:, 0], (named != preferred)[:, 0], following[:, None]
