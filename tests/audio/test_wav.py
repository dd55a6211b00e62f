import io
import struct

import numpy as np
import pytest
import soundfile

from parakeet_streaming.audio.wav import (
    MOST_CHUNKS,
    MOST_HEADER_BYTES,
    WavHeader,
    read_wav_header,
)
from parakeet_streaming.errors import AudioFormatError

GUID_TAIL = bytes.fromhex("000000001000800000aa00389b71")


def fmt(code=1, channels=1, rate_hz=16_000, width=2, extra=b""):
    frame = channels * width
    return (
        struct.pack("<HHIIHH", code, channels, rate_hz, rate_hz * frame, frame, width * 8) + extra
    )


def chunk(name, body=b"", length=None):
    length = len(body) if length is None else length
    return name + struct.pack("<I", length) + body + bytes(len(body) % 2)


def wav(*chunks, magic=b"RIFF", length=None):
    body = b"WAVE" + b"".join(chunks)
    return magic + struct.pack("<I", len(body) if length is None else length) + body


def read(file):
    stream = io.BytesIO(file)
    return read_wav_header(stream.read, "talk"), stream.read()


@pytest.mark.parametrize(
    ("code", "width", "encoding"),
    [
        (1, 1, "u8"),
        (1, 2, "s16le"),
        (1, 3, "s24le"),
        (1, 4, "s32le"),
        (3, 4, "f32le"),
        (3, 8, "f64le"),
        (6, 1, "alaw"),
        (7, 1, "mulaw"),
    ],
)
@pytest.mark.parametrize("extensible", [False, True])
def test_plain_samples_are_named_and_nothing_is_read_past_the_header(
    code, width, encoding, extensible
):
    extra = struct.pack("<HHIH", 22, width * 8, 0, code) + GUID_TAIL if extensible else b""
    body = fmt(0xFFFE if extensible else code, 2, 44_100, width, extra)
    header, rest = read(wav(chunk(b"fmt ", body), chunk(b"data", b"samples!")))
    assert header == WavHeader(44_100, 2, encoding, 8)
    assert rest == b"samples!"


@pytest.mark.parametrize(
    ("subtype", "encoding"), [("PCM_16", "s16le"), ("PCM_24", "s24le"), ("FLOAT", "f32le")]
)
@pytest.mark.parametrize("kind", ["WAV", "WAVEX", "RF64"])
def test_what_libsndfile_writes_is_understood(kind, subtype, encoding):
    file = io.BytesIO()
    soundfile.write(file, np.zeros((100, 2)), 48_000, format=kind, subtype=subtype)
    header, rest = read(file.getvalue())
    assert header.encoding == encoding
    assert (header.rate_hz, header.channels) == (48_000, 2)
    assert len(rest) >= header.data_bytes == 200 * int(encoding[1:3]) // 8


@pytest.mark.parametrize(
    "body",
    [
        fmt(code=7, width=2),
        fmt(code=0x11, width=1),
        fmt(code=0x55, width=0),
        fmt(code=1, width=5),
        fmt(code=1, channels=0),
        fmt(code=3, width=2),
        fmt(0xFFFE, extra=struct.pack("<HHIH", 22, 16, 0, 1) + bytes(14)),
        fmt(0xFFFE),
    ],
)
def test_other_samples_have_no_encoding(body):
    header, rest = read(wav(chunk(b"fmt ", body), chunk(b"data", b"xx")))
    assert header.encoding is None
    assert header.data_bytes is None
    assert rest.startswith(b"data")


def test_other_chunks_are_skipped_with_their_padding():
    header, rest = read(
        wav(
            chunk(b"JUNK", b"abc"),
            chunk(b"fmt ", fmt()),
            chunk(b"LIST", b"x" * 70_001),
            chunk(b"data", b"ab"),
        )
    )
    assert header == WavHeader(16_000, 1, "s16le", 2)
    assert rest == b"ab"


@pytest.mark.parametrize(
    "length", [0, 0x7FFF0000, 0x7FFFF000, 0x7FFFFFFF, 0x80000000, 0xFFFFF000, 0xFFFFFFFF]
)
@pytest.mark.parametrize("riff_length", [0, 36, 0x7FFFFFFF, 0xFFFFFFFF])
def test_a_length_that_was_not_known_means_until_the_end(length, riff_length):
    file = wav(chunk(b"fmt ", fmt()), chunk(b"data", b"abcd", length), length=riff_length)
    assert read(file)[0].data_bytes is None


@pytest.mark.parametrize("length", [1, 2, 1_000, 0x7FFEFFFF, 0x80000001, 0xC0000000, 0xFFFEFFFF])
def test_a_length_that_may_be_true_is_believed(length):
    header, _ = read(wav(chunk(b"fmt ", fmt()), chunk(b"data", b"abcd", length), length=0))
    assert header.data_bytes == length


def test_no_samples_are_believed_when_more_chunks_follow():
    header, _ = read(wav(chunk(b"fmt ", fmt()), chunk(b"data"), chunk(b"LIST", b"title")))
    assert header.data_bytes == 0


@pytest.mark.parametrize(
    ("riff_length", "length", "expected"),
    [(1 << 40, 1 << 39, 1 << 39), (0, 0, None), (2**64 - 1, 2**64 - 1, None)],
)
def test_lengths_of_64_bits_are_used(riff_length, length, expected):
    ds64 = chunk(b"ds64", struct.pack("<QQQI", riff_length, length, 0, 0))
    file = wav(
        ds64,
        chunk(b"fmt ", fmt()),
        chunk(b"data", b"", 0xFFFFFFFF),
        magic=b"RF64",
        length=0xFFFFFFFF,
    )
    assert read(file)[0].data_bytes == expected


def test_a_header_that_breaks_off_is_refused_at_every_byte():
    file = wav(chunk(b"LIST", b"abc"), chunk(b"fmt ", fmt()), chunk(b"data"))
    for length in range(len(file)):
        with pytest.raises(AudioFormatError, match="talk is broken, its WAV header breaks off"):
            read(file[:length])
    read(file)


@pytest.mark.parametrize(
    ("file", "message"),
    [
        (b"RIFX" + bytes(40), "no WAV"),
        (wav(chunk(b"data", b"ab")), "no format"),
        (wav(chunk(b"fmt ", fmt()[:14])), "cut short"),
        (wav(chunk(b"LIST", b"", 1 << 30)), "chunk of 1073741824 bytes"),
    ],
)
def test_broken_headers_are_refused(file, message):
    with pytest.raises(AudioFormatError, match=message):
        read(file)


def test_a_header_has_an_end():
    long = chunk(b"LIST", bytes(MOST_HEADER_BYTES // 8))
    with pytest.raises(AudioFormatError, match=f"at most {MOST_HEADER_BYTES} are read"):
        read(wav(chunk(b"fmt ", fmt()), *[long] * 8, chunk(b"data", b"ab")))
    assert read(wav(chunk(b"fmt ", fmt()), *[long] * 7, chunk(b"data", b"ab")))[1] == b"ab"


@pytest.mark.parametrize("empty", [chunk(b"JUNK"), chunk(b"ds64"), chunk(b"fmt ", fmt())])
def test_a_header_has_a_bounded_number_of_chunks(empty):
    with pytest.raises(AudioFormatError, match=f"more than {MOST_CHUNKS} chunks"):
        read(wav(*[empty] * MOST_CHUNKS, chunk(b"fmt ", fmt()), chunk(b"data", b"ab")))


def test_a_chunk_is_skipped_without_being_held():
    asked = []
    stream = io.BytesIO(wav(chunk(b"LIST", bytes(1 << 20)), chunk(b"fmt ", fmt()), chunk(b"data")))

    def read_asked(count):
        asked.append(count)
        return stream.read(count)

    read_wav_header(read_asked, "talk")
    assert max(asked) <= 1 << 16
