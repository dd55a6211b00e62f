"""What is read from the device, and what it says of each row."""

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("torch", reason="the torch extra")

from parakeet_streaming.errors import ComputeError
from parakeet_streaming.ports import DecoderInput, DecoderState, Emission
from parakeet_streaming.torch_runtime.read_back import Emissions, decoded_rows

BIASES = (object(), object())
INPUTS = [
    DecoderInput(0, 2, 6, 9, DecoderState(8, 0, 100, object()), BIASES),
    DecoderInput(1, 0, 3, 3, DecoderState(5, 1, 7, object())),
]
SLOTS = [("border 0", "end 0"), ("border 1", "end 1")]


def bits(value):
    return int(np.float32(value).view(np.int32))


def heads(bad=0):
    return np.array(
        [[2, 0, 4, 9, 6, bad, 30, 31, 40, 41], [0, 2, 5, 5, 5, 0, 0, 0, 0, 0]], np.int32
    )


def emissions(*rows):
    """Of each row, some emissions; and what was left in the places after them."""
    left = [9, 9, 9, 9, 9]
    most = max(len(each) for each in rows) + 1
    told = [[*each, *[left] * (most - len(each))] for each in rows]
    return Emissions(np.array([len(each) for each in rows]), np.array(told, np.int64))


OWN, AHEAD = [4, 1, 2, 1, bits(0.5)], [6, 4, 0, 0, bits(0.25)]


@pytest.mark.parametrize(
    "pieces",
    [
        [emissions([OWN, AHEAD], [])],
        [emissions([OWN], []), emissions([AHEAD], [])],
        [emissions([], []), emissions([OWN], []), emissions([AHEAD], [])],
    ],
    ids=len,
)
def test_rows(pieces):
    """Read at once, or whenever a row had no room left."""
    first, second = decoded_rows(heads(), pieces, INPUTS, SLOTS)
    assert first.emissions == (Emission(4, 101, 2, 0.5, boosted=True),)
    assert first.lookahead == (Emission(6, 104, 0, 0.25),)
    assert first.state == DecoderState(4, 0, 104, "border 0", (30, 31))
    assert first.ahead == DecoderState(6, 2, 107, "end 0", (40, 41))
    assert second.emissions == second.lookahead == ()
    assert second.state == DecoderState(5, 2, 10, "border 1")


def test_numbers_that_were_not_finite():
    with pytest.raises(ComputeError, match="the joint"):
        decoded_rows(heads(bad=1), [emissions([], [])], INPUTS, SLOTS)


def test_states_of_the_last_bias_alone():
    """Where those before it remember nothing."""
    told = np.array([[0, 0, 4, 9, 6, 0, 30, 40], [0, 2, 5, 5, 5, 0, 7, 7]], np.int32)
    for biases, border, end in (
        (BIASES, (0, 30), (0, 40)),
        (BIASES[:1], (30,), (40,)),
        ((), (), ()),
    ):
        given = [replace(each, biases=biases) for each in INPUTS[:1]] + INPUTS[1:]
        first, second = decoded_rows(told, [emissions([], [])], given, SLOTS)
        assert (first.state.bias_states, first.ahead.bias_states) == (border, end)
        assert second.state.bias_states == second.ahead.bias_states == ()
