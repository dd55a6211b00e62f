"""Log-mel features: shapes, finiteness, invariances. Equality with NeMo is in parity/."""

import numpy as np
import pytest

from parakeet_streaming.model.features import log_mel, normalised, raw_log_mel
from parakeet_streaming.testing import noise, silence, tone

LENGTHS = [0, 1, 159, 160, 161, 319, 320, 321, 399, 400, 1279, 1280, 1281, 16_000]


@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("mel_bins", [80, 128])
@pytest.mark.parametrize("make", [noise, silence, tone])
def test_finite_for_every_length(length: int, mel_bins: int, make) -> None:
    features = log_mel(make(1.0)[:length], mel_bins)
    assert features.shape == (mel_bins, length // 160)
    assert features.dtype == np.float32
    assert np.isfinite(features).all()


def test_one_frame_has_no_deviation() -> None:
    assert not log_mel(noise(1.0)[:200], 128).any()


def test_every_bin_is_normalised_over_the_window() -> None:
    features = log_mel(noise(2.0), 128).astype(np.float64)
    assert np.abs(features.mean(axis=1)).max() < 1e-5
    assert np.abs(features.std(axis=1, ddof=1) - 1).max() < 1e-3


def test_loudness_does_not_matter_above_the_guard() -> None:
    loud = log_mel(noise(2.0, level=0.4), 80)
    soft = log_mel(noise(2.0, level=0.1), 80)
    assert np.quantile(np.abs(loud - soft), 0.99) < 1e-2


def test_the_input_is_left_alone() -> None:
    samples = noise(0.5)
    before = samples.copy()
    log_mel(samples, 128)
    assert (samples == before).all()


def test_a_tone_is_loudest_in_its_own_bin() -> None:
    # A tone in the second half only, so that normalisation shows where it is.
    samples = np.concatenate([noise(1.0, 0.001), tone(1.0, 1000.0) + noise(1.0, 0.001)])
    rise = log_mel(samples, 128)[:, 110:190].mean(axis=1)
    loudest = int(rise.argmax())
    centre_mel = 15.0  # 1000 Hz on Slaney's scale
    top_mel = 15.0 + 27 * np.log(8.0) / np.log(6.4)
    assert abs(loudest - (centre_mel / top_mel * 129 - 1)) <= 2


@pytest.mark.parametrize("tail", [160, 1_000, 8_000])
def test_what_stands_after_the_audio_does_not_normalise_it(tail: int) -> None:
    audio = noise(1.0)
    window = np.concatenate([audio, np.zeros(tail, np.float32)])
    features = log_mel(window, 80, tail)
    assert features.shape[1] == len(window) // 160
    raw = raw_log_mel(window, 80)
    np.testing.assert_array_equal(features, normalised(raw, raw[:, :100]))
    # Its own frames mean nothing for the others.
    np.testing.assert_allclose(features[:, :100].mean(axis=1), 0, atol=1e-4)


def test_audio_that_is_too_short_to_normalise_by_is_normalised_as_a_whole() -> None:
    window = noise(0.5)
    np.testing.assert_array_equal(log_mel(window, 80, 7_000), log_mel(window, 80))
    np.testing.assert_array_equal(log_mel(window, 80, 8_000), log_mel(window, 80))
