"""The defaults of the field, and what makes no sense."""

import math

import numpy as np
import pytest

from parakeet_streaming.errors import OptionError
from parakeet_streaming.live.options import LiveOptions
from parakeet_streaming.timeline import ContextConfig


@pytest.mark.parametrize(
    "choice",
    [
        {"lane": "slow"},
        {"burst_s": 0},
        {"most_ring_s": -1.0},
        *({"burst_s": each} for each in (601, 1e6, 1e12, math.inf, math.nan, "1", None)),
        *({"most_ring_s": each} for each in (3_601, 1e300, math.inf, math.nan, "1")),
        *({"no_audio_s": each} for each in (1e7, math.inf, math.nan, "10", True)),
        *({"idle_timeout_s": each} for each in (1e7, 1e300, math.inf, math.nan, [1])),
    ],
)
def test_what_makes_no_sense_is_refused(choice):
    with pytest.raises(OptionError, match=next(iter(choice))):
        LiveOptions(**choice)


def test_a_recording_is_decoded_whole_and_in_its_own_time():
    context = ContextConfig(10.0, 4.0, 2.0)
    options = LiveOptions.recording(context, cached=True)
    assert (options.context, options.delay.longest_chunk) == (context, 4.0)
    assert (options.vad, options.endpoint, options.tentative) == (None, None, False)
    assert (options.lane, options.cached) == ("recording", True)


def test_numbers_of_numpy_become_numbers():
    times = {"most_ring_s": np.float32(2), "no_audio_s": np.int64(3), "idle_timeout_s": np.int8(4)}
    options = LiveOptions(**times)
    assert [type(getattr(options, name)) for name in times] == [float] * 3
