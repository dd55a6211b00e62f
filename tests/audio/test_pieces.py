import numpy as np
import pytest

from parakeet_streaming.audio.pieces import PieceReader
from parakeet_streaming.errors import AudioFormatError

FRAMES = np.arange(200, dtype=np.float32).reshape(-1, 2)


def pieces(*lengths, broken=False):
    start = 0
    for length in lengths:
        yield FRAMES[start : start + length]
        start += length
    if broken:
        raise AudioFormatError("lost its thread")


@pytest.mark.parametrize("lengths", [(100,), (0, 1, 99), (7,) * 14 + (2,)])
@pytest.mark.parametrize("wanted", [1, 7, 30, 100, 1_000])
def test_frames_are_of_the_wanted_length(lengths, wanted):
    reader = PieceReader(pieces(*lengths), 2)
    got = []
    while len(frames := reader.read(wanted)):
        got.append(frames)
    assert [len(frames) for frames in got[:-1]] == [wanted] * (len(got) - 1)
    np.testing.assert_array_equal(np.concatenate(got), FRAMES)
    assert reader.read(wanted).shape == (0, 2)


def test_what_comes_before_a_break_is_handed_on_first():
    reader = PieceReader(pieces(10, 5, broken=True), 2)
    assert [len(reader.read(12)), len(reader.read(12))] == [12, 3]
    for _ in range(2):
        with pytest.raises(AudioFormatError, match="lost its thread"):
            reader.read(12)
