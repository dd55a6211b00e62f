"""Scores of the rows of a turn in; the tokens that their biases name, and the states after, out.

The tables of a bias are brought to the device once; what streams remember of it is a number each,
which goes through the loop as the states of the prediction network do. So no turn waits for the
host.

Rules of this file:

1. The rules of `model/biased_choice.py` hold, and numbers are added in the same order, so tokens
   are the same.
2. What a turn does has one shape for all states: a walk along failures is as long as the longest,
   and a state has as many places for arcs as the fullest. It is another for other lists, so no
   graph has it: `placed_biases.py` is for those.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from parakeet_streaming.ports import BiasTables, DecoderInput, TokenBias


class DeviceBias:
    """One bias on a device; frozen, and shared by all streams that have it."""

    def __init__(self, tables: BiasTables, device: torch.device) -> None:
        def there(array: NDArray[Any]) -> Tensor:
            return torch.from_numpy(np.array(array)).to(device)

        self._ruled_out = there(tables.ruled_out) if tables.ruled_out.size else None
        self._failures = there(tables.failures.astype(np.int64))
        self._refunds = there(tables.refunds)
        self._begin = there(tables.first[:-1].astype(np.int64))
        counts = np.diff(tables.first).astype(np.int64)
        owners = np.repeat(np.arange(len(counts)), counts)
        # Rising, as arcs lie in order of their states and tokens.
        self._keys = there(owners * len(tables.at_root) + tables.tokens)
        # What begins at the root has a table of its own.
        counts[0] = 0
        self._counts = there(counts)
        self._numbers = torch.arange(int(counts.max()), device=device)[None, :]
        self._tokens = there(tables.tokens.astype(np.int64))
        self._targets = there(tables.targets.astype(np.int64))
        self._steps = there(tables.steps)
        self._at_root = there(tables.at_root)
        self._window = tables.window
        self._walk = _longest_walk(tables.failures)

    def adjusted(self, logits: Tensor, states: Tensor) -> Tensor:
        """Scores (R, V) of rows in these states (R,), with the bias in them."""
        if self._ruled_out is not None:
            logits = logits.index_fill(1, self._ruled_out, -torch.inf)
        if not len(self._keys):
            return logits
        base = self._refunds[states]
        boosts = self._boosts(logits.shape[1], states, base)
        if self._window is not None:
            far = logits < logits.amax(dim=1, keepdim=True) - self._window
            boosts = torch.where(far, torch.minimum(boosts, base[:, None]), boosts)
        return logits + boosts

    def advanced(self, states: Tensor, tokens: Tensor) -> Tensor:
        """The states (R,) after one more token (R,) of each row."""
        after = torch.zeros_like(states)
        if not len(self._keys):
            return after
        looking, width = torch.ones_like(states, dtype=torch.bool), len(self._at_root)
        for _ in range(self._walk + 1):
            keys = states * width + tokens
            places = torch.searchsorted(self._keys, keys).clamp(max=len(self._keys) - 1)
            found = looking & (self._keys[places] == keys)
            after = torch.where(found, self._targets[places], after)
            looking = looking & ~found
            states = self._failures[states]
        return after

    def _boosts(self, width: int, states: Tensor, base: Tensor) -> Tensor:
        """What each token (R, V) is raised by, whatever its score."""
        # The last column takes places without an arc.
        boosts = base.new_zeros((len(states), width + 1))
        boosts[:, :width] = self._at_root[:width] + base[:, None]
        walk = [states]
        for _ in range(self._walk - 1):
            walk.append(self._failures[walk[-1]])
        for nodes in reversed(walk):
            arcs = (self._begin[nodes][:, None] + self._numbers).clamp(max=len(self._keys) - 1)
            inside = self._numbers < self._counts[nodes][:, None]
            given = self._steps[arcs] + (base - self._refunds[nodes])[:, None]
            boosts.scatter_(1, torch.where(inside, self._tokens[arcs], width), given)
        return boosts[:, :width]


class BiasStore:
    """Biases on one device, each for as long as somebody has it."""

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self._known: WeakKeyDictionary[TokenBias, DeviceBias] = WeakKeyDictionary()

    def __len__(self) -> int:
        """How many are there."""
        return len(self._known)

    def of(self, bias: TokenBias) -> DeviceBias:
        """The bias there."""
        if bias not in self._known:
            self._known[bias] = DeviceBias(bias.tables, self.device)
        return self._known[bias]


@dataclass(frozen=True, slots=True)
class _Group:
    """Rows that have the same bias at the same place."""

    bias: DeviceBias
    marks: bool
    rows: Tensor
    """(R,) their numbers in the call."""


class RowBiases:
    """The biases of a call's rows."""

    def __init__(self, inputs: Sequence[DecoderInput], blank_id: int, store: BiasStore) -> None:
        self._blank_id = blank_id
        self.most = max((len(each.biases) for each in inputs), default=0)
        """Of one row."""
        self._groups = [_grouped(inputs, number, store) for number in range(self.most)]

    def __bool__(self) -> bool:
        return self.most > 0

    def facts_of(self, row: DecoderInput) -> tuple[int, ...]:
        """The states in which a row begins, with zeros for what it does not have."""
        return (*row.state.bias_states, *(0,) * (self.most - len(row.state.bias_states)))

    def named(self, logits: Tensor, token: Tensor, states: Tensor) -> tuple[Tensor, ...]:
        """Tokens (B,), whether a bias chose them (B,), and the states after them (B, K).

        Args:
            logits: (B, V) of the frames that emit; they stay as they are.
            token: (B,) what they prefer.
            states: (B, K) of the rows.
        """
        scores = logits.clone()
        scores[:, self._blank_id] = -torch.inf
        boosted = torch.zeros_like(token, dtype=torch.bool)
        for number, groups in enumerate(self._groups):
            for each in groups:
                before = scores.index_select(0, each.rows)
                after = each.bias.adjusted(before, states[each.rows, number])
                if each.marks:
                    changed = after.argmax(dim=1) != before.argmax(dim=1)
                    boosted[each.rows] = boosted[each.rows] | changed
                scores = scores.index_copy(0, each.rows, after)
        # Without a bias it is what it was: the blank has lost already.
        token = scores.argmax(dim=1)
        following = states.clone()
        for number, groups in enumerate(self._groups):
            for each in groups:
                known = states[each.rows, number]
                following[each.rows, number] = each.bias.advanced(known, token[each.rows])
        return token, boosted, following


def _grouped(inputs: Sequence[DecoderInput], number: int, store: BiasStore) -> list[_Group]:
    """Each bias that some rows have at that place of theirs."""
    groups: dict[int, tuple[TokenBias, list[int]]] = {}
    for at, each in enumerate(inputs):
        if number < len(each.biases):
            bias = each.biases[number]
            groups.setdefault(id(bias), (bias, []))[1].append(at)
    return [
        _Group(store.of(bias), bias.marks, torch.tensor(rows, device=store.device))
        for bias, rows in groups.values()
    ]


def _longest_walk(failures: NDArray[Any]) -> int:
    """Failures after which any state has come to the root."""
    nodes, steps = np.arange(len(failures)), 0
    while nodes.any():
        nodes, steps = failures[nodes], steps + 1
    return steps
