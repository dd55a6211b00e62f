"""Windows without sound are encoded once, and only those."""

from dataclasses import replace

import numpy as np
import pytest

from parakeet_streaming.engine.equal_windows import EqualWindows
from parakeet_streaming.ports import (
    Decoded,
    DecoderInput,
    DecoderState,
    Emission,
    Encoded,
    EncoderInput,
)


class Counting:
    """An encoder whose frames are the number of the call."""

    def __init__(self):
        self.calls = []

    def encode(self, inputs):
        self.calls.append(inputs)
        return Encoded(len(self.calls), (1,) * len(inputs), (None,) * len(inputs))


def window(value=0.0, samples=16_000, **rest):
    return EncoderInput(np.full(samples, value, np.float32), **rest)


def test_an_equal_window_is_encoded_once():
    model, windows = Counting(), EqualWindows()
    first = windows.find(window(), model)
    assert windows.find(window(), model) is first
    assert len(model.calls) == 1


@pytest.mark.parametrize("other", [window(0.5), window(samples=8_000), window(tail_samples=160)])
def test_another_window_is_encoded(other):
    model, windows = Counting(), EqualWindows()
    first = windows.find(window(), model)
    assert windows.find(other, model) is not first


SOUND = np.zeros(16_000, np.float32)
SOUND[8_000] = 1e-6


@pytest.mark.parametrize(
    "given",
    [
        EncoderInput(SOUND),
        EncoderInput(np.arange(10, dtype=np.float32)),
        window(samples=0),
        window(samples=61 * 16_000),
        window(kept_frames=5),
        window(past=object()),
    ],
)
def test_what_has_sound_or_a_past_is_left_to_the_step(given):
    model = Counting()
    assert EqualWindows().find(given, model) is None
    assert not model.calls


def test_few_are_kept():
    model, windows = Counting(), EqualWindows()
    for samples in range(100, 200):
        windows.find(window(samples=samples), model)
        windows.find(window(samples=100), model)
    assert len(model.calls) == 100
    assert len(windows._kept) == 12


class Decoding(Counting):
    """A decoder of which a test says what it gives."""

    def __init__(self, emissions=()):
        super().__init__()
        self.emissions = emissions
        self.decoded = 0

    def decode(self, encoded, inputs):
        self.decoded += 1
        (given,) = inputs
        state = given.state
        at = state.decoded_frames + given.chunk_end
        ahead = replace(state, decoded_frames=state.decoded_frames + given.lookahead_end)
        return [Decoded(self.emissions, (), replace(state, decoded_frames=at), ahead)]


MEMORY = object()


def given(at, memory=MEMORY, skip=0, biases=()):
    return DecoderInput(0, 0, 10, 14, DecoderState(5, skip, at, memory), biases)


def test_where_nothing_was_said_it_is_decoded_once():
    model = Decoding()
    found = EqualWindows().find(window(), model)
    found.decoded(given(100), model)
    later = found.decoded(given(300), model)
    assert model.decoded == 1
    assert later == Decoding().decode(None, [given(300)])[0]


@pytest.mark.parametrize(
    "other", [given(100, object()), given(100, skip=2), given(100, biases=(object(),))]
)
def test_from_elsewhere_it_is_decoded_again(other):
    model = Decoding()
    found = EqualWindows().find(window(), model)
    found.decoded(given(100), model)
    found.decoded(other, model)
    assert model.decoded == 2


def test_where_something_was_said_it_is_decoded_again():
    model = Decoding((Emission(1, 0, 1, 0.5),))
    found = EqualWindows().find(window(), model)
    found.decoded(given(100), model)
    found.decoded(given(100), model)
    assert model.decoded == 2
