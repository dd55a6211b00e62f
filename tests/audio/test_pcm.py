import array
import ctypes
import io
import mmap

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parakeet_streaming.audio.pcm import as_mono
from parakeet_streaming.errors import AudioInputError


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


def anonymous_map():
    mapped = mmap.mmap(-1, 8)
    mapped.write(PCM)
    return mapped


PCM = np.array([0, 16_384, -16_384, 0], np.int16).tobytes()


@pytest.mark.parametrize(
    "samples",
    [
        PCM,
        bytearray(PCM),
        memoryview(PCM),
        memoryview(PCM).cast("c"),
        memoryview(np.frombuffer(PCM, np.uint8)),
        io.BytesIO(PCM).getbuffer(),
        array.array("B", PCM),
        (ctypes.c_char * 8).from_buffer_copy(PCM),
        anonymous_map(),
        [bytearray(PCM), bytearray(PCM)],
        (PCM,),
        b"",
    ],
    ids=lambda samples: type(samples).__name__,
)
def test_bytes_without_a_sample_type_are_refused_with_the_right_call(samples):
    with pytest.raises(AudioInputError, match=r"np\.frombuffer\(data, np\.int16\).*PcmDecoder"):
        as_mono(samples)


@pytest.mark.parametrize(
    "samples",
    [
        array.array("h", PCM),
        memoryview(array.array("h", PCM)),
        memoryview(PCM).cast("h"),
        np.frombuffer(PCM, np.int16),
        np.frombuffer(PCM, np.dtype("<i2")).astype(">i2"),
        [0.0, 0.5, -0.5, 0.0],
    ],
    ids=lambda samples: type(samples).__name__,
)
def test_buffers_with_a_sample_type_are_read_as_that(samples):
    assert as_mono(samples).tolist() == [0.0, 0.5, -0.5, 0.0]


def test_eight_bit_audio_has_a_type_of_its_own():
    assert as_mono(np.array([128, 192, 64], np.uint8)).tolist() == [0.0, 0.5, -0.5]


@pytest.mark.parametrize("sample", [1e13, -1e13, float("nan"), float("inf"), float("-inf")])
def test_one_bad_sample_among_plain_ones_is_found(sample):
    samples = np.full(320, 0.1, np.float32)
    samples[200] = sample
    with pytest.raises(AudioInputError, match="sample 200"):
        as_mono(samples)


def test_loud_samples_that_are_usable_pass_whole():
    samples = np.full(320, 9e11, np.float32)
    assert as_mono(samples) is samples


def test_an_array_of_another_byte_order_is_converted():
    found = as_mono(np.array([0.5, -0.25], ">f4"))
    assert found.dtype == np.float32
    assert found.tolist() == [0.5, -0.25]
