"""Files that hold nothing but samples."""

import numpy as np
import pytest

from parakeet_streaming.audio.raw import open_raw
from parakeet_streaming.errors import AudioFormatError, AudioNotFoundError, OptionError


def test_samples_are_read_as_they_are_said_to_be(tmp_path):
    path = tmp_path / "raw"
    frames = np.array([[0.5, -0.5], [0.25, 0.75]], "<f4")
    path.write_bytes(frames.tobytes() + b"\0")
    with open_raw(path, rate_hz=8000, encoding="f32le", channels=2) as audio:
        assert (audio.name, audio.rate_hz, audio.channels) == (str(path), 8000, 2)
        assert audio.duration_s == 2 / 8000
        assert np.concatenate(list(audio.blocks())).tolist() == [0.0, 0.5]


def test_what_is_no_raw_file(tmp_path):
    with pytest.raises(AudioNotFoundError):
        open_raw(tmp_path / "no")
    (tmp_path / "empty").write_bytes(b"\0")
    with pytest.raises(AudioFormatError, match="holds no sound"):
        open_raw(tmp_path / "empty")
    for wrong in ({"rate_hz": 1}, {"encoding": "s17le"}, {"channels": 0}):
        with pytest.raises(OptionError):
            open_raw(tmp_path / "empty", **wrong)
