"""Streams with biases, each at a frame that gives a token, in; which token it is out.

Rules of this file (those of NVIDIA NeMo's `GPUBoostingTreeModel` in greedy TDT decoding):

1. Only tokens are compared with each other: the blank has lost already, by the plain logits.
2. Biases act in the order in which the stream has them, each on what those before it gave.
3. Each bias moves on with the token that is emitted, not with the one that plain logits prefer.
4. Ties go to the lowest index.

Streams that share a bias share its calls; there is no loop over tokens.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from parakeet_streaming.model.decoder_row import Choice, DecoderRow
from parakeet_streaming.ports import Counts, Floats, TokenBias

Emitting = tuple[DecoderRow, int, int]
"""A row that gives a token, its place in the call, and which of its frames gives it."""


def choose(emitting: Sequence[Emitting], scores: Floats, blank_id: int) -> dict[int, Choice]:
    """The token of each row, by the row's place in the call.

    Args:
        emitting: rows with biases, each on a frame that gives a token.
        scores: (n, V) raw logits of these frames; they are changed.
        blank_id: is never chosen.
    """
    scores[:, blank_id] = -np.inf
    most = max(len(row.biases) for row, _, _ in emitting)
    states = np.zeros((len(emitting), most), dtype=np.int64)
    for at, (row, _, _) in enumerate(emitting):
        states[at, : len(row.biases)] = row.bias_states
    shared = [_shared(emitting, number) for number in range(most)]
    boosted = np.zeros(len(emitting), dtype=np.bool_)
    for number, groups in enumerate(shared):
        for bias, members in groups:
            before: Floats = scores[members]
            preferred = before.argmax(axis=1) if bias.marks else None
            after = bias.adjust(before, states[members, number])
            if preferred is not None:
                boosted[members] |= after.argmax(axis=1) != preferred
            scores[members] = after
    tokens: Counts = scores.argmax(axis=1)
    for number, groups in enumerate(shared):
        for bias, members in groups:
            states[members, number] = bias.advance(states[members, number], tokens[members])
    return {
        place: Choice(int(token), bool(changed), tuple(after[: len(row.biases)].tolist()))
        for (row, place, _), token, changed, after in zip(
            emitting, tokens, boosted, states, strict=True
        )
    }


def _shared(emitting: Sequence[Emitting], number: int) -> list[tuple[TokenBias, Counts]]:
    """Each bias that some rows have at that place of theirs, and the numbers of these rows."""
    groups: dict[int, tuple[TokenBias, list[int]]] = {}
    for at, (row, _, _) in enumerate(emitting):
        if number < len(row.biases):
            bias = row.biases[number]
            groups.setdefault(id(bias), (bias, []))[1].append(at)
    return [(bias, np.array(members)) for bias, members in groups.values()]
