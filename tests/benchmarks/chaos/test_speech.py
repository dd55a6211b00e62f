"""Speech that is drawn: as long as it should be, the same for a seed, and of words."""

import numpy as np

from benchmarks.chaos.speech import speech_of


def test_a_seed_is_a_speech():
    one, same, other = speech_of(1, 20.0), speech_of(1, 20.0), speech_of(2, 20.0)
    assert len(one) == len(other) == 320_000
    np.testing.assert_array_equal(one, same)
    assert not np.array_equal(one, other)
    # No pause so long that an utterance would end for want of audio.
    loud = np.flatnonzero(np.abs(one) > 0.02)
    assert np.diff(loud).max() < 5 * 16_000
