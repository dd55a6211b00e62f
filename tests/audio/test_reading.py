"""Whole files as samples at 16 kHz."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from parakeet_streaming.audio.reading import read_audio
from parakeet_streaming.errors import AudioNotFoundError
from parakeet_streaming.testing import tone


@pytest.mark.parametrize("rate_hz", [8_000, 16_000, 44_100])
def test_a_file_of_any_rate_is_read_whole_at_16_khz(tmp_path: Path, rate_hz: int) -> None:
    times_s = np.arange(2 * rate_hz) / rate_hz
    path = tmp_path / "tone.wav"
    both = np.stack([0.1 * np.sin(2 * np.pi * 440.0 * times_s)] * 2, axis=1)
    soundfile.write(path, both, rate_hz, subtype="FLOAT")
    samples = read_audio(path)
    assert samples.dtype == np.float32
    assert samples.shape == (32_000,)
    middle = slice(8_000, 24_000)  # resampling may ring at the ends
    assert np.allclose(samples[middle], tone(2.0)[middle], atol=1e-3)


def test_no_samples_and_no_file(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "none.wav", np.zeros(0), 8_000)
    assert read_audio(tmp_path / "none.wav").shape == (0,)
    with pytest.raises(AudioNotFoundError):
        read_audio(tmp_path / "missing.wav")
