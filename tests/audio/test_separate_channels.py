"""All channels of a file at 16 kHz, each as it is alone."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from parakeet_streaming.audio.files import open_audio, read_audio
from parakeet_streaming.audio.separate_channels import read_channels
from parakeet_streaming.errors import AudioInputError


@pytest.mark.parametrize("rate_hz", [16_000, 44_100])
def test_each_channel_is_what_its_own_file_gives(tmp_path: Path, rate_hz: int) -> None:
    frames = np.random.default_rng(0).normal(0, 0.1, (rate_hz, 3)).astype(np.float32)
    soundfile.write(tmp_path / "all.wav", frames, rate_hz, subtype="FLOAT")
    read = read_channels(tmp_path / "all.wav")
    assert read.dtype == np.float32
    for number in range(3):
        soundfile.write(tmp_path / "one.wav", frames[:, number], rate_hz, subtype="FLOAT")
        assert np.allclose(read[:, number], read_audio(tmp_path / "one.wav"), atol=1e-6)


def test_a_file_of_one_channel_has_one(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", np.zeros(160, np.int16), 16_000)
    assert read_channels(tmp_path / "a.wav").shape == (160, 1)


def test_a_file_without_samples_has_its_channels(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", np.zeros((0, 2), np.int16), 16_000)
    assert read_channels(tmp_path / "a.wav").shape == (0, 2)


def test_what_is_no_sample_is_refused_where_it_is(tmp_path: Path) -> None:
    frames = np.zeros((20_000, 2), np.float32)
    frames[17_000, 1] = np.nan
    soundfile.write(tmp_path / "a.wav", frames, 16_000, subtype="FLOAT")
    with pytest.raises(AudioInputError, match="sample 17000"):
        read_channels(tmp_path / "a.wav")


def test_measuring_reads_ahead_of_channels_too(tmp_path: Path) -> None:
    frames = np.arange(64_000, dtype=np.int16).reshape(-1, 2)
    soundfile.write(tmp_path / "a.wav", frames, 16_000)
    with open_audio(tmp_path / "a.wav") as audio:
        audio.keep_channels()
        assert audio.measure(10.0) == 2.0
        read = np.concatenate(list(audio.blocks(0.3)))
    assert np.array_equal(read * 32_768, frames)
