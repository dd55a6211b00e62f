"""A recording of several channels, as a whole."""

import numpy as np
import pytest

from parakeet_streaming import load, read_audio, transcribe_channels
from parakeet_streaming.errors import ContextError, OptionError

DIALLED = "zero eight zero zero five five seven two three four"


@pytest.fixture(scope="module")
def recognizer():
    return load("tiny-en")


def test_each_channel_is_what_it_is_alone(recognizer):
    digits = read_audio("examples/recordings/digits.wav")
    phone = read_audio("examples/recordings/phone.wav")
    frames = np.zeros((len(phone), 2), np.float32)
    frames[: len(digits), 1], frames[:, 0] = digits, phone
    said = transcribe_channels(recognizer, frames, names=("caller", "agent"))
    for number, each in enumerate(said.channels):
        assert each.transcript == recognizer.transcribe(frames[:, number])
    assert said.text == f"caller: {DIALLED}\nagent: three one four one five nine two six"


def test_one_channel_is_one(recognizer):
    phone = read_audio("examples/recordings/phone.wav")
    assert transcribe_channels(recognizer, phone).text == f"channel 0: {DIALLED}"


def test_what_cannot_be(recognizer):
    with pytest.raises(OptionError, match="9 channels"):
        transcribe_channels(recognizer, np.zeros((16_000, 9), np.float32))
    with pytest.raises(OptionError, match="one for each"):
        transcribe_channels(recognizer, np.zeros((16_000, 2), np.float32), names=("a",))
    with pytest.raises(ContextError):
        transcribe_channels(recognizer, np.zeros((16_000, 2), np.float32), 1)
