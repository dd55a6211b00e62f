import numpy as np
import pytest

from parakeet_streaming.audio.mel import FFT_SAMPLES, hann_window, mel_bank, mel_edges_hz


def test_the_window_is_symmetric_and_centred():
    window = hann_window()
    assert window.shape == (FFT_SAMPLES,)
    assert np.flatnonzero(window)[[0, -1]].tolist() == [57, 454]
    np.testing.assert_allclose(window, window[::-1], atol=1e-6)


@pytest.mark.parametrize("mel_bins", [64, 80, 128])
def test_filters_rise_and_fall_between_their_neighbours(mel_bins):
    bank, edges_hz = mel_bank(mel_bins), mel_edges_hz(mel_bins)
    assert bank.shape == (mel_bins, FFT_SAMPLES // 2 + 1)
    bin_hz = np.linspace(0, 8000, FFT_SAMPLES // 2 + 1)
    for filter_, begin, end in zip(bank, edges_hz, edges_hz[2:], strict=False):
        used = bin_hz[np.flatnonzero(filter_)]
        assert ((used > begin) & (used < end)).all()


def test_wide_filters_have_unit_area_in_hz():
    areas = mel_bank(80).sum(axis=1) * 8000 / (FFT_SAMPLES // 2)
    np.testing.assert_allclose(areas[-20:], 1, atol=0.03)


def test_edges_are_those_of_slaneys_scale():
    edges_hz = mel_edges_hz(128)
    assert edges_hz[0] == 0
    assert edges_hz[-1] == pytest.approx(8000)
    assert np.diff(edges_hz)[:20] == pytest.approx(np.diff(edges_hz)[0])
