"""Bytes of a pipe, cut anywhere: raw samples, WAV, and all other containers."""

from collections.abc import Iterator
from contextlib import suppress

import numpy as np

from fuzz.choices import Choices
from fuzz.sounds import sounds
from parakeet_streaming.audio.pcm_decoder import ENCODINGS
from parakeet_streaming.errors import ParakeetError
from parakeet_streaming.sources.stdin import open_stdin

MOST_BLOCKS = 500
CUTS = bytes((0, 0, 1, 0, 3, 255, 255, 16))


def run(data: bytes) -> None:
    choices = Choices(data)
    encoding = choices.one_of(tuple(ENCODINGS))
    channels = choices.number(1, 3)
    rate_hz = choices.one_of((16_000, 8_000, 44_100, 4_000, 384_000))
    pipe = Pipe([1 + choices.number(0, 255) for _ in range(4)], choices)
    with (
        suppress(ParakeetError),
        open_stdin(pipe, rate_hz=rate_hz, encoding=encoding, channels=channels) as audio,
    ):
        for number, block in enumerate(audio.blocks()):
            assert block.dtype == np.float32 and block.ndim == 1
            assert np.isfinite(block).all()
            if number > MOST_BLOCKS:
                break


class Pipe:
    """Gives what it is asked for, or less, as pipes do."""

    def __init__(self, sizes: list[int], choices: Choices) -> None:
        self._sizes = sizes
        self._choices = choices
        self._reads = 0

    def read(self, most_bytes: int, /) -> bytes:
        """At least a byte; none at the end only."""
        size = self._sizes[self._reads % len(self._sizes)]
        self._reads += 1
        return self._choices.bytes_(min(most_bytes, size))


def seeds() -> Iterator[bytes]:
    for number, sound in enumerate(sounds()):
        yield bytes((number % len(ENCODINGS), *CUTS[1:3], *CUTS[4:])) + sound
    yield CUTS + bytes(2000)
    yield CUTS + b"RIFF\xff\xff\xff\xffWAVE" + b"none\0\0\0\0" * 400
