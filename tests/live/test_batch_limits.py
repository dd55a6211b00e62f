"""Limits that let nothing through are refused; ticks divide an encoder frame."""

import numpy as np
import pytest

from parakeet_streaming.errors import OptionError
from parakeet_streaming.live.batch_limits import BatchLimits


@pytest.mark.parametrize(
    "choices",
    [
        {"max_streams": 0},
        {"max_audio_s": 0},
        {"hold_s": -1},
        {"tick_s": -0.02},
        {"tick_s": 0.1},
        {"tick_s": 0.03},
        {"tick_s": 0.0001},
    ],
)
def test_what_makes_no_sense_is_refused(choices):
    with pytest.raises(OptionError):
        BatchLimits(**choices)


@pytest.mark.parametrize("tick_s", [0, 0.08, 0.04, 0.02, 0.01, 0.08 / 3, 0.001])
def test_ticks_divide_an_encoder_frame(tick_s):
    assert BatchLimits(tick_s=tick_s).tick_s == tick_s


def test_a_device_takes_large_batches_at_ticks():
    limits = BatchLimits.for_device()
    assert (limits.max_streams, limits.tick_s, limits.hold_s) == (512, 0.02, 0)
    assert BatchLimits.for_device(64).max_streams == 64


def test_numbers_of_numpy_become_numbers():
    assert type(BatchLimits(max_streams=np.int64(4)).max_streams) is int
