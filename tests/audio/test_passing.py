import struct

import pytest

from parakeet_streaming.audio.passing import PassedBytes


def passed(content, step):
    known = PassedBytes()
    for at in range(0, len(content), step):
        known.feed(content[at : at + step])
    return known


def box(kind, body=b"", *, wide=False):
    if wide:
        return struct.pack(">I4sQ", 1, kind, 16 + len(body)) + body
    return struct.pack(">I4s", 8 + len(body), kind) + body


MP4 = box(b"ftyp", bytes(20)) + box(b"free") + box(b"moov", bytes(5_000)) + box(b"skip")
FRAGMENTS = (box(b"moof", bytes(90)) + box(b"mdat", bytes(3_000), wide=True)) * 3
OGG = b"OggS\0" + bytes(21) + b"\1\xff" + bytes(255)
MATROSKA = b"\x1aE\xdf\xa3\x84abcd\x18\x53\x80\x67\x44\x00" + bytes(0x400)


@pytest.mark.parametrize("step", [1, 7, 1 << 20])
@pytest.mark.parametrize(
    ("container", "content"),
    [("MP4", MP4 + FRAGMENTS), ("Ogg", OGG * 3), ("Matroska", MATROSKA)],
)
def test_what_is_cut_off_is_missed_and_what_is_whole_is_not(container, content, step):
    assert passed(content, step).missing(container) == 0
    assert passed(content[:-200], step).missing(container) == 200


def test_an_end_beyond_what_is_held_is_found():
    large = OGG * 20_000
    assert passed(large, 50_000).missing("Ogg") == 0
    assert passed(large[:-100], 50_000).missing("Ogg") == 100


@pytest.mark.parametrize("length", [0, 7])
def test_boxes_of_no_length_say_nothing(length):
    content = box(b"ftyp", bytes(20)) + struct.pack(">I4s", length, b"mdat") + bytes(100)
    assert passed(content, 10).missing("MP4") == 0
    assert passed(box(b"\xff\xfe\xff\xff") + bytes(50), 10).missing("MP4") == 0


def test_containers_that_do_not_say_miss_nothing():
    assert passed(b"abc", 1).missing("FLAC") == 0
    assert PassedBytes().missing("Ogg") == 0
    assert passed(b"\x1aE\xdf\xa3\x01\x7f\xff\xff\xff\xff\xff\xff\xff", 3).missing("Matroska") == 0
