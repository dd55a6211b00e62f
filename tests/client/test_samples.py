import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parakeet_streaming.audio.pcm_decoder import PcmDecoder
from parakeet_streaming.client.samples import PIECE_BYTES, pieces
from parakeet_streaming.errors import AudioInputError

SAMPLES = np.linspace(-1, 1, 1_001, dtype=np.float32)


def decoded(audio, encoding, channels=1):
    decoder = PcmDecoder(encoding, channels)
    return np.concatenate([decoder.feed(each) for each in pieces(audio, encoding, channels)])


def test_floats_are_exact_or_rounded():
    assert np.array_equal(decoded(SAMPLES, "f32le"), SAMPLES)
    assert np.abs(decoded(SAMPLES, "s16le") - SAMPLES).max() <= 1 / 32_768


def test_sixteen_bits_are_exact_in_both():
    whole = np.arange(-32_768, 32_768, dtype=np.int16)
    for encoding in ("s16le", "f32le"):
        assert np.array_equal(decoded(whole, encoding), whole / np.float32(32_768))


@given(st.integers(0, 3 * PIECE_BYTES))
def test_bytes_go_as_they_are_in_pieces(size):
    data = bytes(size)
    found = list(pieces(memoryview(data), "mulaw", 1))
    assert b"".join(found) == data
    assert all(0 < len(each) <= PIECE_BYTES for each in found)


def test_channels_are_interleaved():
    both = np.stack([SAMPLES, -SAMPLES], axis=1)
    assert not decoded(both, "f32le", 2).any()


@pytest.mark.parametrize(
    ("audio", "encoding"),
    [
        (SAMPLES.astype(np.int32), "s16le"),
        (SAMPLES, "mulaw"),
        (np.stack([SAMPLES] * 3, axis=1), "s16le"),
        (np.array([0.0, np.nan]), "s16le"),
        ("words", "s16le"),
    ],
)
def test_what_cannot_be_sent_is_refused(audio, encoding):
    with pytest.raises(AudioInputError):
        list(pieces(audio, encoding, 1))
