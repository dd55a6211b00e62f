"""Streams with biases: which token is named, what is marked, and where each bias goes on."""

import numpy as np
import pytest

from parakeet_streaming.model.biased_choice import choose
from parakeet_streaming.model.label_looping import LabelLoopingDecoder
from parakeet_streaming.ports import DecoderInput
from tests.model.hashed import SIZE, HashedJoint


class Raised:
    """Raises one token in every state; the state counts the tokens so far."""

    states = 1_000

    def __init__(self, token, by, *, marks=True):
        self.token, self.by, self.marks = token, by, marks
        self.calls = []

    def adjust(self, logits, states):
        self.calls.append(states.tolist())
        logits[:, self.token] += self.by
        return logits

    def advance(self, states, tokens):
        return states + 1


class Row:
    def __init__(self, biases, states):
        self.biases, self.bias_states = biases, states


LOGITS = np.array([[[3.0, 2.0, 1.0, 9.0], [0.0, 0.0, 0.0, 0.0]]], dtype=np.float32)


def chosen(*biases, states=None):
    row = Row(biases, states or (0,) * len(biases))
    return choose([(row, 0, 0)], LOGITS[:1, 0].copy(), 3)[0]


def test_the_blank_is_never_named():
    choice = chosen(Raised(3, 100.0))
    assert (choice.token, choice.boosted) == (0, False)


def test_a_bias_names_the_token_and_marks_it():
    assert chosen(Raised(1, 2.0)).token == 1
    assert chosen(Raised(1, 2.0)).boosted
    assert not chosen(Raised(1, 0.5)).boosted
    assert not chosen(Raised(1, 2.0, marks=False)).boosted


def test_ties_go_to_the_lowest_index():
    choice = chosen(Raised(1, 1.0))
    assert (choice.token, choice.boosted) == (0, False)


def test_each_bias_acts_on_what_those_before_it_gave():
    ruled_out = Raised(0, -np.inf, marks=False)
    choice = chosen(ruled_out, Raised(2, 0.5), states=(4, 7))
    assert (choice.token, choice.boosted, choice.states) == (1, False, (5, 8))


def test_rows_that_share_a_bias_share_its_call():
    shared, other = Raised(1, 2.0), Raised(2, 5.0)
    rows = [Row((shared,), (3,)), Row((other, shared), (1, 2)), Row((shared,), (6,))]
    logits = np.repeat(LOGITS[:1, 0], 3, axis=0)
    choices = choose(
        [(row, place, 0) for row, place in zip(rows, (0, 2, 3), strict=True)], logits, 3
    )
    assert {place: choice.token for place, choice in choices.items()} == {0: 1, 2: 2, 3: 1}
    assert choices[2].states == (2, 3)
    assert shared.calls == [[3, 6], [2]]


@pytest.mark.parametrize("frames_per_call", [1, 3, 8])
def test_a_bias_that_changes_nothing_leaves_every_answer(frames_per_call):
    joint = HashedJoint(3, frames_per_call=frames_per_call, blanks=0.4)
    decoder = LabelLoopingDecoder(joint)
    frames = [np.random.default_rng(row).integers(0, SIZE, (20, 1)).astype("f4") for row in (0, 1)]
    plain = [DecoderInput(row, 0, 12, 20, decoder.start()) for row in (0, 1)]
    idle = Raised(0, 0.0)
    biased = [DecoderInput(row, 0, 12, 20, decoder.start(), (idle,) * row) for row in (0, 1)]
    for one, other in zip(
        decoder.decode(frames, plain), decoder.decode(frames, biased), strict=True
    ):
        assert one.emissions == other.emissions
        assert one.lookahead == other.lookahead
        assert one.state.memory.cell == other.state.memory.cell
    count = len(one.emissions)
    assert other.state.bias_states == (count,)
    assert other.ahead.bias_states == (count + len(other.lookahead),)
