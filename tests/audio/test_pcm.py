import io
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parakeet_streaming.audio.pcm import (
    ENCODINGS,
    PcmReader,
    as_mono,
    bytes_per_frame,
    pcm_frames,
)
from parakeet_streaming.errors import AudioInputError, OptionError


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


def test_contiguous_float32_mono_is_not_copied():
    samples = np.array([0.0, 0.5, -1.5], np.float32)
    assert as_mono(samples) is samples


@pytest.mark.parametrize(
    ("samples", "expected"),
    [
        (np.array([0, 128, 255], np.uint8), [-1.0, 0.0, 127 / 128]),
        (np.array([-32768, 0, 16384], np.int16), [-1.0, 0.0, 0.5]),
        (np.array([-(2**31), 0, 2**30], np.int32), [-1.0, 0.0, 0.5]),
        (np.array([0.25, -2.0], np.float16), [0.25, -2.0]),
        (np.array([0.25, -2.0], np.float64), [0.25, -2.0]),
        (np.array([0.25, -2.0], ">f4"), [0.25, -2.0]),
        (np.array([16384], ">i2"), [0.5]),
        ([0.5, -0.5], [0.5, -0.5]),
        ([], []),
        (0.5, [0.5]),
        (np.float32(0.5), [0.5]),
        (np.array([0.0, 9.0, 0.5, 9.0], np.float32)[::2], [0.0, 0.5]),
        (np.array([[0.5, 0.0], [1.0, -1.0]], np.float32), [0.25, 0.0]),
        (np.array([[32767, 1]], np.int16), [0.5]),
        (np.array([[0.5], [1.0]]), [0.5, 1.0]),
        (np.zeros((0, 2), np.int16), []),
    ],
)
def test_usual_samples_become_float32_mono(samples, expected):
    mono = as_mono(samples)
    assert mono.dtype == np.float32
    assert mono.dtype.isnative
    assert mono.flags.c_contiguous
    np.testing.assert_array_equal(mono, np.array(expected, np.float32))


@pytest.mark.parametrize(
    "samples",
    [
        np.zeros(3, np.int64),
        np.zeros(3, np.int8),
        np.zeros(3, np.uint16),
        np.zeros(3, bool),
        np.zeros(3, np.complex64),
        np.zeros(3, object),
        [0, 1, 2],
        7,
        True,
        None,
        "abc",
        b"abc",
        [[0.0], [0.0, 1.0]],
    ],
)
def test_types_without_a_full_scale_are_refused(samples):
    with pytest.raises(AudioInputError, match="float16, float32, float64, uint8, int16 or int32"):
        as_mono(samples)


def test_impossible_shapes_are_refused_and_swapped_axes_are_named():
    with pytest.raises(AudioInputError, match="axes look swapped"):
        as_mono(np.zeros((2, 1000), np.float32))
    with pytest.raises(AudioInputError, match="100 channels") as error:
        as_mono(np.zeros((1000, 100), np.float32))
    assert "swapped" not in str(error.value)
    with pytest.raises(AudioInputError, match="0 channels"):
        as_mono(np.zeros((1000, 0), np.float32))
    with pytest.raises(AudioInputError, match=r"shape \(2, 2, 2\)"):
        as_mono(np.zeros((2, 2, 2), np.float32))
    assert as_mono(np.zeros((2, 32), np.float32)).shape == (2,)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e300])
def test_the_first_sample_that_is_not_finite_is_named(bad):
    samples = np.zeros(10)
    samples[[7, 4]] = bad
    with pytest.raises(AudioInputError, match=r"talk\.wav: sample 4 "):
        as_mono(samples, what="talk.wav")
    with pytest.raises(AudioInputError, match="sample 104 "):
        as_mono(samples, first_sample=100)
    with pytest.raises(AudioInputError, match="sample 4 "):
        as_mono(np.stack([np.zeros(10), samples], axis=1))


def test_infinities_that_cancel_out_are_refused():
    with pytest.raises(AudioInputError, match="sample 0 "):
        as_mono(np.array([[np.inf, -np.inf]], np.float32))


@given(
    channels=st.integers(2, 32),
    cut=st.integers(0, 50),
    order=st.sampled_from("CF"),
    seed=st.integers(0, 2**32 - 1),
)
def test_slicing_and_memory_order_never_change_an_average(channels, cut, order, seed):
    random = np.random.default_rng(seed)
    frames = random.standard_normal((50, channels))
    # What is left when large samples cancel out depends on the order of adding.
    frames *= 10.0 ** random.integers(-3, 12, frames.shape)
    frames[:, -1] -= frames[:, :-1].sum(axis=1)
    whole = as_mono(frames)
    sliced = np.asarray(frames, order=order)
    pieces = np.concatenate([as_mono(sliced[:cut]), as_mono(sliced[cut:])])
    np.testing.assert_array_equal(pieces, whole)


@pytest.mark.parametrize(
    ("encoding", "dtype", "values"),
    [
        ("u8", "u1", [0, 64, 128, 255]),
        ("s16le", "<i2", [-32768, 1, 32767, 0]),
        ("s32le", "<i4", [-(2**31), 1 << 20, 0, 5]),
        ("f32le", "<f4", [0.5, -1.0, 0.0, 1.25]),
        ("f64le", "<f8", [0.5, -1.0, 0.0, 1.25]),
    ],
)
@pytest.mark.parametrize("channels", [1, 2])
def test_pcm_is_decoded_as_the_array_it_is(encoding, dtype, values, channels):
    frames = np.array(values, dtype).reshape(-1, channels)
    np.testing.assert_array_equal(
        as_mono(pcm_frames(frames.tobytes(), encoding, channels)), as_mono(frames)
    )


def test_24_bits_keep_their_sign_and_scale():
    values = [-(2**23), -1, 0, 1, 2**22, 2**23 - 1]
    packed = b"".join(value.to_bytes(3, "little", signed=True) for value in values)
    expected = np.array(values, np.float32) / np.float32(2**23)
    np.testing.assert_array_equal(as_mono(pcm_frames(packed, "s24le")), expected)
    assert pcm_frames(packed, "s24le", 2).shape == (3, 2)


def test_pcm_takes_whole_frames_only():
    with pytest.raises(AudioInputError, match="3 bytes are no whole number of frames of 2"):
        as_mono(pcm_frames(b"abc", "s16le"))
    with pytest.raises(AudioInputError, match="frames of 6"):
        as_mono(pcm_frames(bytes(8), "s24le", 2))
    assert as_mono(pcm_frames(b"", "s24le", 2)).shape == (0,)


def test_pcm_with_nan_is_refused():
    with pytest.raises(AudioInputError, match="sample 1 "):
        as_mono(pcm_frames(np.array([0, np.nan], "<f4").tobytes(), "f32le"))


def test_impossible_encodings_and_channels_are_refused():
    with pytest.raises(OptionError, match="s16le"):
        bytes_per_frame("mp3", 1)
    for channels in (0, 33):
        with pytest.raises(OptionError, match="1 to 32"):
            bytes_per_frame("s16le", channels)
    assert bytes_per_frame("s24le", 2) == 6


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


def test_a_reader_hands_on_what_was_read_before_without_asking_for_more():
    stream = Trickle(b"\0\3\0")
    reader = PcmReader(stream, "s16le", head=b"\1\0\2")
    assert reader.read(100).tolist() == [[1]]
    assert stream.asked == []
    assert reader.read(100).tolist() == [[2], [3]]


def test_a_reader_stops_at_its_length():
    stream = Trickle(b"\1\0\2\0\3\0\4\0")
    assert read_all(PcmReader(stream, "s16le", length_bytes=5)).tolist() == [[1], [2]]
    assert stream.pieces == [b"\0\4\0"]
    assert read_all(PcmReader(Trickle(), "s16le", length_bytes=0)).size == 0
    assert read_all(PcmReader(Trickle(), "u8", head=b"abc", length_bytes=2)).tolist() == [
        [97],
        [98],
    ]


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
