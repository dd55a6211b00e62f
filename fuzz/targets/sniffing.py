"""The first bytes of a file: which container it is, and how many bytes it lacks."""

import io
from collections.abc import Iterator
from pathlib import Path

from fuzz.scratch import scratch_file
from fuzz.sounds import sounds
from parakeet_streaming.audio.containers import bytes_to_sniff, frame_bytes, is_tag, sniff
from parakeet_streaming.audio.files import open_file
from parakeet_streaming.audio.truncation import missing_bytes

CONTAINERS = (
    "WAV",
    "WAV, big-endian",
    "AIFF",
    "AVI",
    "AU",
    "CAF",
    "MP4",
    "Matroska",
    "Ogg",
    "MPEG",
)


def run(data: bytes) -> None:
    needed = bytes_to_sniff(data[:12])
    found = sniff(data[:needed])
    assert 0 < needed < 1 << 16
    assert frame_bytes(data) >= 0
    is_tag(data)
    path = scratch_file("sound", data)
    for container in (found, *CONTAINERS):
        _look_for_the_end(path, container)


def _look_for_the_end(path: Path, container: str | None) -> None:
    with open_file(path) as file:
        file.seek(1)
        assert missing_bytes(file, container) >= 0
        assert file.seek(0, io.SEEK_CUR) == 1


def seeds() -> Iterator[bytes]:
    yield from sounds()
    yield from (b"\xff\xf1\x50\x80\x02\x1f\xfc" * 3, b"\x0b\x77\0\0\x14\x40" * 40, b"G" * 600)
