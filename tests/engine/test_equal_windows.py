"""Windows without sound are encoded once, and only those."""

import numpy as np
import pytest

from parakeet_streaming.engine.equal_windows import EqualWindows
from parakeet_streaming.ports import Encoded, EncoderInput


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
    first = windows.encoded(window(), model)
    assert windows.encoded(window(), model) is first
    assert len(model.calls) == 1


@pytest.mark.parametrize("other", [window(0.5), window(samples=8_000), window(tail_samples=160)])
def test_another_window_is_encoded(other):
    model, windows = Counting(), EqualWindows()
    first = windows.encoded(window(), model)
    assert windows.encoded(other, model) is not first


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
    assert EqualWindows().encoded(given, model) is None
    assert not model.calls


def test_few_are_kept():
    model, windows = Counting(), EqualWindows()
    for samples in range(100, 200):
        windows.encoded(window(samples=samples), model)
        windows.encoded(window(samples=100), model)
    assert len(model.calls) == 100
    assert len(windows._kept) == 12
