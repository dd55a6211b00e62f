import pytest

from parakeet_streaming.processes.frames import (
    MOST_FRAME_BYTES,
    Frame,
    FrameError,
    FrameReader,
    Kind,
    packed,
)

FRAMES = [
    Frame(Kind.WAKE, 2**40),
    Frame(Kind.ASK, 1, ["open", {"text": "Ä\n\x00", "number": 0.1, "none": None}], b"\x00\xff"),
    Frame(Kind.EVENT, 3, [], b""),
    Frame(Kind.ANSWER, 4, None, b"x" * 100_000),
]


@pytest.mark.parametrize("size", [1, 3, 17, 4_096, 10**6])
def test_frames_come_out_however_they_are_cut(size):
    data = b"".join(map(packed, FRAMES))
    reader, found = FrameReader(), []
    for start in range(0, len(data), size):
        found += reader.feed(data[start : start + size])
    assert found == FRAMES


@pytest.mark.parametrize(
    "data",
    [
        b"\x00\x00\x00\x00",
        (MOST_FRAME_BYTES + 1).to_bytes(4, "big"),
        b"\x00\x00\x00\x0d" + b"\xfa" + b"\x00" * 12,
        b"\x00\x00\x00\x0d" + b"\x0a" + b"\x00" * 8 + b"\x00\x00\x00\x05",
        b"\x00\x00\x00\x0f" + b"\x0a" + b"\x00" * 8 + b"\x00\x00\x00\x02" + b"{]",
        b"\x00\x00\x00\x0f" + b"\x0a" + b"\x00" * 8 + b"\x00\x00\x00\x02" + b"\xff\xff",
    ],
)
def test_what_is_no_frame_is_refused(data):
    with pytest.raises(FrameError):
        FrameReader().feed(data)
