"""Scores of the rows that emit in a turn in; which token each gives, with its stream's biases, out.

Biases are tables of the host (`model/biased_choice.py`): the scores of rows that have any are read
from the device, and the tokens that they name go back, turn by turn. Rows without biases never wait
for that, but those in their call do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import cast

import torch
from torch import Tensor

from parakeet_streaming.model.biased_choice import Emitting, choose
from parakeet_streaming.model.decoder_row import Choice
from parakeet_streaming.ports import DecoderInput, TokenBias


@dataclass(slots=True)
class NamedRow:
    """A row with biases, and what they chose so far."""

    biases: tuple[TokenBias, ...]
    bias_states: tuple[int, ...]
    choices: list[Choice] = field(default_factory=list)
    """One for each emission, in order."""


class NamedTokens:
    """The rows of a call that have biases."""

    def __init__(self, inputs: Sequence[DecoderInput], blank_id: int, device: torch.device) -> None:
        self._blank_id = blank_id
        self.rows = {
            at: NamedRow(each.biases, each.state.bias_states or (0,) * len(each.biases))
            for at, each in enumerate(inputs)
            if each.biases
        }
        """By their numbers in the call."""
        self._numbers = torch.tensor(list(self.rows), dtype=torch.int64, device=device)

    def __bool__(self) -> bool:
        return bool(self.rows)

    def name(self, found: Tensor, token: Tensor, logits: Tensor) -> Tensor:
        """The tokens (B,), with others where biases chose them.

        Args:
            found: (B,) rows that emit.
            token: (B,) what the plain logits choose.
            logits: (B, V) of the frames that emit.
        """
        hits = found.index_select(0, self._numbers).cpu().numpy()
        emitting = [row for row, hit in zip(self.rows, hits.tolist(), strict=True) if hit]
        if not emitting:
            return token
        there = torch.tensor(emitting, dtype=torch.int64, device=token.device)
        scores = logits.index_select(0, there).cpu().numpy()[:, None]
        places = [(self.rows[row], place, 0) for place, row in enumerate(emitting)]
        # Of a row, it reads biases and their states alone.
        chosen = choose(cast("list[Emitting]", places), scores, self._blank_id)
        for place, row in enumerate(emitting):
            choice, named = chosen[place], self.rows[row]
            named.bias_states = choice.states
            named.choices.append(choice)
        tokens = [chosen[place].token for place in range(len(emitting))]
        return token.index_copy(0, there, torch.tensor(tokens, device=token.device))
