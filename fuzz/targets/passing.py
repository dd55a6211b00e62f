"""The bytes of a file as they pass, cut anywhere: what is missing is what the whole file lacks."""

import io
from collections.abc import Iterator
from typing import Any

from fuzz.choices import Choices
from fuzz.sounds import sounds
from parakeet_streaming.audio.containers import HEAD_BYTES, bytes_to_sniff, sniff
from parakeet_streaming.audio.passing import PassedBytes
from parakeet_streaming.audio.truncation import missing_bytes

CONTAINERS = (
    *("WAV", "WAV, big-endian", "AIFF", "AVI", "AU", "CAF", "MP4", "Matroska", "Ogg", "MPEG"),
    *("MPEG-TS", "FLAC", ""),
)


def run(data: bytes) -> None:
    choices = Choices(data)
    sizes = [choices.number(0, 255) for _ in range(4)]
    container = choices.one_of((None, *CONTAINERS))
    content = choices.rest()
    if container is None:
        container = sniff(content[: bytes_to_sniff(content[:HEAD_BYTES])]) or ""
    whole = PassedBytes()
    whole.feed(content)
    passed = PassedBytes()
    at = number = 0
    while at < len(content):
        size = sizes[number % len(sizes)] or (number % 2)
        passed.feed(content[at : at + size])
        at, number = at + size, number + 1
    missing = passed.missing(container)
    assert missing == whole.missing(container) >= 0
    if container != "MP4":  # whose boxes are walked as they pass
        file: Any = io.BufferedReader(io.BytesIO(content))
        assert missing == missing_bytes(file, container)
        assert file.tell() == 0


def seeds() -> Iterator[bytes]:
    for at, sound in enumerate(sounds()):
        for container in (0, 1 + at % len(CONTAINERS)):
            yield bytes((1, 0, 7, 255, container)) + sound
            yield bytes((255, 100, 3, 0, container)) + sound[: -len(sound) // 3]
