"""Tokens that a stream's biases name, among rows that have none."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the torch extra")

from parakeet_streaming.ports import DecoderInput, DecoderState
from parakeet_streaming.torch_runtime.named_tokens import NamedTokens


class Prefer:
    """Prefers one token after an even number of tokens, and counts them."""

    marks = True
    states = 2

    def __init__(self, token):
        self._token = token

    def adjust(self, logits, states):
        logits[states == 0, self._token] += 100
        return logits

    def advance(self, states, tokens):
        return (states + 1) % 2


def inputs(*biases, states=()):
    state = DecoderState(3, 0, 0, object(), states)
    return [DecoderInput(row, 0, 4, 4, state, each) for row, each in enumerate(biases)]


def test_rows_with_biases(cpu):
    bias = Prefer(2)
    named = NamedTokens(inputs((), (bias,), (bias,)), 3, cpu)
    assert named
    logits = torch.tensor([[1.0, 0, 0, 0]] * 3)
    plain = torch.tensor([0, 0, 0])
    found = torch.tensor([True, True, False])
    assert named.name(found, plain, logits).tolist() == [0, 2, 0]
    assert named.name(torch.tensor([True] * 3), plain, logits).tolist() == [0, 0, 2]
    assert named.name(torch.tensor([True, False, False]), plain, logits) is plain
    assert [(each.token, each.boosted, each.states) for each in named.rows[1].choices] == [
        (2, True, (1,)),
        (0, False, (0,)),
    ]
    assert len(named.rows[2].choices) == 1
    assert (logits == torch.tensor([1.0, 0, 0, 0])).all()


def test_states_go_on(cpu):
    named = NamedTokens(inputs((Prefer(1),), states=(1,)), 3, cpu)
    token = named.name(torch.tensor([True]), torch.tensor([0]), torch.tensor([[1.0, 0, 0, 0]]))
    assert token.tolist() == [0]
    assert named.rows[0].bias_states == (0,)


def test_no_row_with_biases(cpu):
    assert not NamedTokens(inputs((), ()), 3, cpu)
    assert np.array_equal(NamedTokens([], 3, cpu)._numbers.numpy(), [])
