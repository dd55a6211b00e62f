"""What is read from the device, and what it says of each row."""

import numpy as np
import pytest

pytest.importorskip("torch", reason="the torch extra")

from parakeet_streaming.errors import ComputeError
from parakeet_streaming.ports import DecoderInput, DecoderState, Emission
from parakeet_streaming.torch_runtime.read_back import decoded_rows

BIASES = (object(), object())
INPUTS = [
    DecoderInput(0, 2, 6, 9, DecoderState(8, 0, 100, object()), BIASES),
    DecoderInput(1, 0, 3, 3, DecoderState(5, 1, 7, object())),
]
SLOTS = [("border 0", "end 0"), ("border 1", "end 1")]


def bits(value):
    return int(np.float32(value).view(np.int32))


def read(bad=0, finite=1):
    emissions = [4, 1, 2, 1, bits(0.5), 6, 4, 0, 0, bits(0.25)]
    rows = [[2, 0, 4, 9, 6, bad, 30, 31, 40, 41, *emissions], [0, 2, 5, 5, 5, 0, *([0] * 14)]]
    return np.array([*rows[0], *rows[1], finite], np.int32)


def test_rows():
    first, second = decoded_rows(read(), INPUTS, SLOTS, 2)
    assert first.emissions == (Emission(4, 101, 2, 0.5, boosted=True),)
    assert first.lookahead == (Emission(6, 104, 0, 0.25),)
    assert first.state == DecoderState(4, 0, 104, "border 0", (30, 31))
    assert first.ahead == DecoderState(6, 2, 107, "end 0", (40, 41))
    assert second.emissions == second.lookahead == ()
    assert second.state == DecoderState(5, 2, 10, "border 1")


def test_numbers_that_were_not_finite():
    with pytest.raises(ComputeError, match="the encoder"):
        decoded_rows(read(finite=0), INPUTS, SLOTS, 2)
    with pytest.raises(ComputeError, match="the joint"):
        decoded_rows(read(bad=1), INPUTS, SLOTS, 2)
