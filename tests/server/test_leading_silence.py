"""Silence waits for sound, and nothing else does."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from parakeet_streaming.server.leading_silence import HEARD_S, LeadingSilence

RATE_HZ = 100
HEARD = round(HEARD_S * RATE_HZ)


def taken(silence, blocks):
    return np.concatenate([np.zeros(0, np.float32), *(p for b in blocks for p in silence.take(b))])


@given(
    st.integers(0, 2 * HEARD), st.sampled_from([0.0, 0.25]), st.booleans(), st.integers(1, 5_000)
)
def test_where_there_is_sound_all_comes(quiet, value, sound, cut):
    samples = np.full(quiet, value, np.float32)
    if sound:
        samples = np.concatenate([samples, np.array([1.0, 0.0, 0.0], np.float32)])
    silence = LeadingSilence(RATE_HZ)
    got = taken(silence, [samples[at : at + cut] for at in range(0, len(samples), cut)])
    if sound:
        assert np.array_equal(got, samples)
        assert silence.waiting_s == 0
    else:
        assert np.array_equal(got, samples[:HEARD])
        assert silence.waiting_s * RATE_HZ == max(0, quiet - HEARD)


def test_an_empty_block_says_nothing():
    silence = LeadingSilence(RATE_HZ)
    assert not len(taken(silence, [np.zeros(0, np.float32)]))
