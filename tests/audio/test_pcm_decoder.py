"""Bytes cut anywhere give the samples that they give in one piece; G.711 by its tables."""

import warnings
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parakeet_streaming.audio.pcm import as_mono
from parakeet_streaming.audio.pcm_decoder import (
    ENCODINGS,
    PcmDecoder,
    bytes_per_frame,
    pcm_frames,
)
from parakeet_streaming.errors import AudioInputError, OptionError

EVERY_BYTE = bytes(range(256))


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


# ITU-T G.711 tables 1a and 2a: character signal (as sent) -> decoder output value, positive half;
# the first bit is the sign. Scaled to 16 bits: A-law times 8, mu-law times 4.
ALAW_TABLE = {0xAA: 4032, 0xA5: 2112, 0xBA: 2016, 0x8A: 1008, 0x9A: 504, 0xD5: 1, 0xD4: 3}
MULAW_TABLE = {0x80: 8031, 0x8F: 4191, 0x90: 3999, 0xA0: 1983, 0xEF: 33, 0xFE: 2, 0xFF: 0}


@pytest.mark.parametrize(
    ("encoding", "table", "scale"), [("alaw", ALAW_TABLE, 8), ("mulaw", MULAW_TABLE, 4)]
)
def test_g711_by_the_tables_of_the_itu(encoding, table, scale):
    positive = bytes(table)
    negative = bytes(byte ^ 0x80 for byte in table)
    values = np.array(list(table.values())) * scale
    assert pcm_frames(positive, encoding)[:, 0].tolist() == values.tolist()
    assert pcm_frames(negative, encoding)[:, 0].tolist() == (-values).tolist()


@pytest.mark.parametrize(("encoding", "name"), [("alaw", "alaw2lin"), ("mulaw", "ulaw2lin")])
def test_g711_as_python_decodes_it(encoding, name):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        audioop = pytest.importorskip("audioop")
    theirs = np.frombuffer(getattr(audioop, name)(EVERY_BYTE, 2), np.int16)
    assert pcm_frames(EVERY_BYTE, encoding)[:, 0].tolist() == theirs.tolist()


@given(
    encoding=st.sampled_from(sorted(ENCODINGS)),
    channels=st.integers(1, 3),
    values=st.lists(st.integers(0, 127), max_size=60),
    cuts=st.lists(st.integers(0, 60)),
)
def test_how_bytes_are_cut_never_changes_a_sample(encoding, channels, values, cuts):
    packed = bytes(values)  # bytes below 128 make no NaN, whatever they stand for
    bounds = sorted({0, len(packed), *(cut for cut in cuts if cut < len(packed))})
    pieces = [packed[a:b] for a, b in pairwise(bounds)]
    decoder, in_pieces = PcmDecoder(encoding, channels), PcmDecoder(encoding, channels)
    whole = refused_or(decoder, packed)
    joined = refused_or(in_pieces, *pieces)
    np.testing.assert_array_equal(joined, whole)
    left_bytes = len(packed) % bytes_per_frame(encoding, channels)
    if whole is not None:
        assert decoder.finish() == in_pieces.finish() == left_bytes


def refused_or(decoder, *pieces):
    """All samples, or None where one of them is absurdly loud."""
    try:
        return np.concatenate([np.empty(0, np.float32), *map(decoder.feed, pieces)])
    except AudioInputError:
        return None


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("channels", [1, 2])
def test_one_byte_at_a_time(encoding, channels):
    frame_bytes = bytes_per_frame(encoding, channels)
    packed = as_bytes(np.linspace(-0.9, 0.9, 10 * channels), encoding)
    decoder = PcmDecoder(encoding, channels)
    lengths = []
    pieces = []
    for each in packed:
        pieces.append(decoder.feed(bytes([each])))
        lengths.append(len(pieces[-1]))
    assert lengths == [0] * (frame_bytes - 1) + ([1] + [0] * (frame_bytes - 1)) * 9 + [1]
    np.testing.assert_array_equal(
        np.concatenate(pieces), as_mono(pcm_frames(packed, encoding, channels))
    )
    assert decoder.finish() == 0


def as_bytes(values, encoding):
    if encoding in ("f32le", "f64le"):
        return values.astype(f"<f{ENCODINGS[encoding]}").tobytes()
    return bytes(range(len(values) * ENCODINGS[encoding]))


def test_a_last_frame_that_is_cut_off_is_reported_and_dropped():
    decoder = PcmDecoder("s16le", 2)
    assert len(decoder.feed(bytes(11))) == 2
    assert decoder.finish() == 3
    assert decoder.finish() == 0
    assert decoder.feed(bytes(4)).tolist() == [0.0]


def test_nan_is_refused_with_its_position_and_nothing_else_is_lost():
    good = np.array([0.25, 0.5], "<f4").tobytes()
    bad = np.array([0.75, np.nan], "<f4").tobytes()
    decoder = PcmDecoder("f32le", name="call 7")
    assert decoder.feed(good + b"\0\0").tolist() == [0.25, 0.5]
    with pytest.raises(AudioInputError, match="call 7: sample 4 is "):
        decoder.feed(b"\0\0" + bad)
    assert decoder.feed(b"\x80\x3e" + good).tolist() == [0.25, 0.25, 0.5]
    with pytest.raises(AudioInputError, match="call 7: sample 6 is "):
        decoder.feed(bad)


def test_samples_are_the_callers_own_whatever_held_the_bytes():
    buffer = bytearray(np.array([0.5, -0.5], "<f4").tobytes())
    samples = PcmDecoder("f32le").feed(memoryview(buffer))
    buffer[:] = bytes(8)
    samples *= 2
    assert samples.tolist() == [1.0, -1.0]
    assert samples.dtype == np.float32


def test_a_decoder_of_an_impossible_encoding_is_refused():
    with pytest.raises(OptionError, match="alaw"):
        PcmDecoder("ulaw")
    with pytest.raises(OptionError, match="1 to 32"):
        PcmDecoder("alaw", 0)
