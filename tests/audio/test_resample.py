from itertools import pairwise

import numpy as np
import pytest
import soxr
from hypothesis import given, settings
from hypothesis import strategies as st

from parakeet_streaming.audio.resample import (
    _BLOCK_STEPS,
    FilterStart,
    Resampler,
    fed_again,
    filters_from,
    sample_at,
)
from parakeet_streaming.errors import OptionError, StreamClosedError

RATES_HZ = (8_000, 11_025, 16_000, 22_050, 32_000, 44_100, 48_000, 96_000, 192_000)


def noise(count, seed=0):
    return np.random.default_rng(seed).standard_normal(count).astype(np.float32) * 0.1


def resampled(pieces, rate_hz):
    resampler = Resampler(rate_hz)
    parts = [resampler.feed(piece) for piece in pieces]
    return np.concatenate([*parts, resampler.finish()])


@settings(max_examples=80, deadline=None)
@given(
    rate_hz=st.sampled_from(RATES_HZ) | st.integers(8_000, 192_000),
    count=st.integers(0, 20_000),
    sizes=st.lists(st.integers(0, 3_000), max_size=30),
)
def test_any_slicing_equals_the_whole(rate_hz, count, sizes):
    samples = noise(count)
    bounds = [0, *np.minimum(np.cumsum(sizes, dtype=int), count), count]
    pieces = [samples[a:b] for a, b in pairwise(bounds)]
    whole = resampled([samples], rate_hz)
    np.testing.assert_array_equal(resampled(pieces, rate_hz), whole)
    np.testing.assert_array_equal(soxr.resample(samples, rate_hz, 16_000, quality="HQ"), whole)
    assert whole.dtype == np.float32
    assert abs(len(whole) - round(count * 16_000 / rate_hz)) <= 1


@pytest.mark.parametrize("rate_hz", [8_000, 44_100])
def test_one_sample_at_a_time_equals_the_whole(rate_hz):
    samples = noise(3_000)
    one_by_one = resampled(samples.reshape(-1, 1), rate_hz)
    np.testing.assert_array_equal(one_by_one, resampled([samples], rate_hz))


@pytest.mark.parametrize("rate_hz", RATES_HZ)
def test_a_tone_stays_where_and_what_it_is(rate_hz):
    def tone(rate):
        return np.sin(2 * np.pi * 440 * np.arange(rate) / rate).astype(np.float32)

    inside = slice(1_000, -1_000)
    np.testing.assert_allclose(
        resampled([tone(rate_hz)], rate_hz)[inside], tone(16_000)[inside], atol=1e-4
    )


@pytest.mark.parametrize(
    ("rate_hz", "held_back_s"), [(4_000, 0.25), (8_000, 0.12), (11_025, 0.1), (16_000, 0.0)]
)
def test_no_more_is_held_back_than_is_said(rate_hz, held_back_s):
    resampler, done = Resampler(rate_hz), 0
    for fed in range(1, 201):
        done += len(resampler.feed(np.zeros(rate_hz // 100, np.float32)))
        assert fed * (rate_hz // 100) / rate_hz - done / 16_000 <= held_back_s


def test_the_other_direction_works():
    resampler = Resampler(16_000, 48_000)
    assert len(resampler.feed(noise(1_600))) + len(resampler.finish()) == 4_800


def test_a_finished_resampler_is_closed():
    resampler = Resampler(8_000)
    resampler.finish()
    with pytest.raises(StreamClosedError):
        resampler.feed(noise(1))
    with pytest.raises(StreamClosedError):
        resampler.finish()


@pytest.mark.parametrize("rates_hz", [(0, 16_000), (-8_000, 16_000), (16_000, 3_999), (384_001, 1)])
def test_impossible_rates_are_refused(rates_hz):
    with pytest.raises(OptionError, match="4000 to 384000 Hz"):
        Resampler(*rates_hz)


@settings(max_examples=60, deadline=None)
@given(
    rate_hz=st.sampled_from(RATES_HZ) | st.integers(8_000, 96_000),
    seconds=st.floats(0.0, 3.0),
    cuts=st.lists(st.floats(0.0, 1.0), min_size=1, max_size=4),
)
def test_a_resampler_goes_on_from_its_state(rate_hz, seconds, cuts):
    samples = noise(round(seconds * rate_hz))
    expected = resampled([samples], rate_hz)
    borders = [0, *sorted(round(cut * len(samples)) for cut in cuts), len(samples)]
    resampler, parts = Resampler(rate_hz), []
    for start, stop in pairwise(borders):
        parts.append(resampler.feed(samples[start:stop]))
        resampler = Resampler.of(resampler.state(), rate_hz)
    found = np.concatenate([*parts, resampler.finish()])
    assert found.shape == expected.shape
    np.testing.assert_allclose(found, expected, atol=5e-6)


def test_what_it_remembers_is_bounded():
    resampler = Resampler(48_000)
    for number in range(100):
        resampler.feed(noise(4_800, number))
    state = resampler.state()
    assert len(state.samples) < 2.5 * 0.6 * 48_000
    assert state.produced <= len(state.samples) // 3


@pytest.mark.parametrize("rate_hz", [*sorted(_BLOCK_STEPS), 11_025, 44_100])
@pytest.mark.parametrize("seconds", [0.0, 0.4, 0.9, 1.7, 2.93])
def test_a_filter_that_is_fed_again_gives_the_same(rate_hz, seconds):
    """To the last bit, where it says so: if soxr computes in other blocks, they are found here."""
    samples = noise(4 * rate_hz)
    whole = resampled([samples], rate_hz)
    start = FilterStart(700, 1_400)
    position = start.position + round(seconds * 16_000)
    again = fed_again(start, position, rate_hz)
    assert 0 <= again.sample - start.sample <= seconds * rate_hz
    resampler = Resampler(rate_hz, dropped=again.dropped)
    rest = resampler.feed(samples[again.sample - start.sample :])
    rest = np.concatenate([rest, resampler.finish()])
    wanted = whole[position - start.position :]
    assert again.exact == (rate_hz in _BLOCK_STEPS or again.sample == start.sample)
    if again.exact:
        np.testing.assert_array_equal(rest, wanted)
    np.testing.assert_allclose(rest, wanted, atol=1e-6)


def test_the_filter_of_a_position_is_known_or_not():
    filters = [FilterStart(0, 0), FilterStart(80, 160), FilterStart(90, 160), FilterStart(200, 380)]
    assert filters_from(filters, 159) == tuple(filters)
    assert filters_from(filters, 160) == tuple(filters[2:])
    assert filters_from(filters[1:], 159) == ()
    assert sample_at(161, 8_000) == 80
