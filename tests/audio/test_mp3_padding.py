import io

import numpy as np
import pytest
import soundfile

from parakeet_streaming.audio.mp3_padding import TAG_BYTES, EndPadding, end_padding, tag_bytes


def mp3(rate_hz=16_000, samples=20_000):
    file = io.BytesIO()
    soundfile.write(file, np.zeros(samples), rate_hz, format="MP3")
    return file.getvalue()


def fed(padding, *lengths):
    samples = np.arange(sum(lengths), dtype=np.float32)[:, None]
    pieces = np.split(samples, np.cumsum(lengths)[:-1])
    return np.concatenate([each for piece in pieces for each in padding.feed(piece)])[:, 0].tolist()


@pytest.mark.parametrize("lengths", [(30,), (10, 10, 10), (1,) * 30, (12, 18), (20, 10)])
def test_padding_at_the_end_is_left_out(lengths):
    assert fed(EndPadding(12, 40), *lengths) == list(range(12))
    assert fed(EndPadding(12, 30), *lengths) == list(range(12))


@pytest.mark.parametrize("lengths", [(31,), (10, 10, 10, 10), (1,) * 31, (12, 19), (30, 1)])
def test_padding_that_sound_follows_is_sound(lengths):
    assert fed(EndPadding(12, 30), *lengths) == list(range(sum(lengths)))


def test_padding_of_no_length():
    assert fed(EndPadding(12, 5), 10, 10) == list(range(20))


@pytest.mark.parametrize("rate_hz", [44_100, 16_000, 8_000])
@pytest.mark.parametrize("title", [b"", b"ID3\4\0\0\0\0\7\x76" + bytes(1_014)])
def test_an_encoder_says_how_long_its_padding_is(rate_hz, title):
    content = title + mp3(rate_hz)
    head = content[: tag_bytes(content[:10])]
    sound = np.zeros((20_001, 1), np.float32)
    assert sum(len(each) for each in end_padding(head).feed(sound)) == 20_000


def test_what_says_nothing_has_no_padding():
    whole = mp3()
    head = whole[: tag_bytes(whole[:10])]
    at = max(head.find(b"Xing"), head.find(b"Info"))
    for other in (
        b"",
        head[:8],
        head[: at + 20],
        head.replace(head[at : at + 4], b"Nope"),
        head[: at + 7] + b"\x0e" + head[at + 8 :],
        head[: at + 8] + bytes(4) + head[at + 12 :],
        head.replace(b"LAME", b"ABCD").replace(b"Lavf", b"ABCD").replace(b"Lavc", b"ABCD"),
        b"ID3\4\0\0\x7f\x7f\x7f\x7f",
    ):
        assert end_padding(other) is None
    assert tag_bytes(b"ID3\4\0\0\x7f\x7f\x7f\x7f") == TAG_BYTES
