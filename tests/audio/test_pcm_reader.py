import io
from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from parakeet_streaming.audio.pcm_decoder import ENCODINGS, bytes_per_frame, pcm_frames
from parakeet_streaming.audio.pcm_reader import PcmReader


class Trickle:
    """A stream that hands out the given pieces one by one, however much is asked for."""

    def __init__(self, *pieces):
        self.pieces = list(pieces)
        self.asked = []

    def read1(self, most_bytes):
        self.asked.append(most_bytes)
        if not self.pieces:
            return b""
        piece, rest = self.pieces[0][:most_bytes], self.pieces[0][most_bytes:]
        self.pieces[:1] = [rest] if rest else []
        return piece

    def read(self, most_bytes):
        raise AssertionError("read waits for more than has arrived")


def read_all(reader, wanted_samples=4):
    frames = []
    while len(piece := reader.read(wanted_samples)):
        assert len(piece) <= wanted_samples
        frames.append(piece)
    assert not len(reader.read(wanted_samples))
    return np.concatenate(frames) if frames else np.zeros((0, 1))


def test_a_reader_hands_on_what_has_arrived():
    stream = Trickle(b"\1\0\2", b"\0", b"\3\0\4\0\5\0")
    reader = PcmReader(stream, "s16le")
    assert reader.read(100).tolist() == [[1]]
    assert reader.read(100).tolist() == [[2]]
    assert reader.read(2).tolist() == [[3], [4]]
    assert reader.read(2).tolist() == [[5]]
    assert stream.asked == [200, 199, 4, 4]


def test_a_reader_stops_at_its_length():
    stream = Trickle(b"\1\0\2\0\3\0\4\0")
    assert read_all(PcmReader(stream, "s16le", length_bytes=5)).tolist() == [[1], [2]]
    assert stream.pieces == [b"\0\4\0"]
    assert read_all(PcmReader(Trickle(), "s16le", length_bytes=0)).size == 0
    assert read_all(PcmReader(Trickle(b"abc"), "u8", length_bytes=2)).tolist() == [[97], [98]]


def test_a_reader_takes_a_stream_that_has_only_read():
    class OnlyRead:
        def __init__(self):
            self.read = io.BytesIO(b"\1\0\2\0").read

    assert read_all(PcmReader(OnlyRead(), "s16le")).tolist() == [[1], [2]]


@given(
    encoding=st.sampled_from(sorted(ENCODINGS)),
    channels=st.integers(1, 3),
    length=st.integers(0, 60),
    cuts=st.lists(st.integers(0, 60)),
    wanted=st.integers(1, 20),
)
def test_a_reader_gives_the_same_frames_however_the_bytes_arrive(
    encoding, channels, length, cuts, wanted
):
    packed = bytes(range(length))
    bounds = sorted({0, length, *(cut for cut in cuts if cut < length)})
    pieces = [packed[a:b] for a, b in pairwise(bounds)]
    whole = length - length % bytes_per_frame(encoding, channels)
    expected = pcm_frames(packed[:whole], encoding, channels)
    frames = read_all(PcmReader(Trickle(*pieces), encoding, channels), wanted)
    assert frames.tobytes() == expected.tobytes()
