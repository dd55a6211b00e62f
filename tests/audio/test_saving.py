"""Sound that is saved while it is heard."""

import subprocess
import sys

import numpy as np
import pytest
import soundfile

from parakeet_streaming.audio.files import open_audio
from parakeet_streaming.audio.saving import FORMATS, SavedSound
from parakeet_streaming.errors import OptionError

SOUND = np.random.default_rng(0).uniform(-0.5, 0.5, 16_000).astype(np.float32)


@pytest.mark.parametrize("suffix", [".flac", ".wav", ".WAV"])
def test_what_is_written_is_read_again(tmp_path, suffix):
    path = tmp_path / f"said{suffix}"
    with SavedSound(path, 48_000) as saved:
        for start in range(0, len(SOUND), 1000):
            saved.write(SOUND[start : start + 1000])
        assert saved.samples == len(SOUND)
    samples, rate_hz = soundfile.read(path, dtype="float32")
    assert rate_hz == 48_000
    assert soundfile.info(path).frames == len(SOUND)
    np.testing.assert_allclose(samples, SOUND, atol=1 / 32_767)


@pytest.mark.parametrize("suffix", [".ogg", ".mp3"])
def test_formats_that_lose_something(tmp_path, suffix):
    path = tmp_path / f"said{suffix}"
    with SavedSound(path, 16_000) as saved:
        saved.write(SOUND)
    assert soundfile.info(path).format == FORMATS[suffix]
    assert len(soundfile.read(path)[0]) >= len(SOUND)


def test_what_is_too_loud_is_clipped(tmp_path):
    with SavedSound(tmp_path / "loud.wav", 16_000) as saved:
        saved.write(np.array([2.0, -2.0], np.float32))
    samples, _ = soundfile.read(tmp_path / "loud.wav", dtype="int16")
    assert samples.tolist() == [32_767, -32_768]


@pytest.mark.parametrize("suffix", [".flac", ".wav"])
def test_a_program_that_is_killed_loses_no_more_than_a_second(tmp_path, suffix):
    path = tmp_path / f"killed{suffix}"
    killed = (
        "import os, sys, numpy as np\n"
        "from parakeet_streaming.audio.saving import SavedSound\n"
        "saved = SavedSound(sys.argv[1], 16_000)\n"
        "for _ in range(100): saved.write(np.full(1600, 0.5, np.float32))\n"
        "os._exit(9)\n"
    )
    assert subprocess.run([sys.executable, "-c", killed, path], check=False).returncode == 9
    with open_audio(path) as audio:
        assert sum(len(block) for block in audio.blocks()) >= 160_000 - 16_000


def test_nothing_is_overwritten(tmp_path):
    path = tmp_path / "first.flac"
    path.write_bytes(b"dear to someone")
    with pytest.raises(OptionError, match="use another name"):
        SavedSound(path, 16_000)
    assert path.read_bytes() == b"dear to someone"


@pytest.mark.parametrize(
    ("name", "rate_hz", "says"),
    [
        ("said.txt", 16_000, "use .flac, .wav"),
        ("said", 16_000, "use .flac"),
        ("no/such/said.flac", 16_000, "make it first"),
        ("said.mp3", 384_000, "use .flac"),
    ],
)
def test_what_cannot_be_saved_is_refused_and_leaves_nothing(tmp_path, name, rate_hz, says):
    with pytest.raises(OptionError, match=says):
        SavedSound(tmp_path / name, rate_hz)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_where_nothing_may_be_written(tmp_path, monkeypatch):
    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.open", refuse)
    with pytest.raises(OptionError, match="Permission denied"):
        SavedSound(tmp_path / "said.flac", 16_000)


def test_a_disk_that_is_full(tmp_path):
    class Full:
        def write(self, _):
            raise soundfile.LibsndfileError(2)

        def close(self):
            pass

    with SavedSound(tmp_path / "said.flac", 16_000) as saved:
        whole, saved._sound = saved._sound, Full()
        with pytest.raises(OSError, match="room on its disk"):
            saved.write(SOUND)
        whole.close()
