"""Samples as callers give them: arrays of any type, shape and value."""

from collections.abc import Iterator
from contextlib import suppress

import numpy as np

from fuzz.choices import Choices
from parakeet_streaming.audio.pcm import as_mono
from parakeet_streaming.errors import ParakeetError

TYPES = (
    *("f4", "f8", "f2", "u1", "i2", "i4", ">f4", ">i2", "i1", "u2", "i8", "?", "c8", "S3", "U2"),
    *("m8[s]", "M8[s]", "g", "V4"),
)


def run(data: bytes) -> None:
    choices = Choices(data)
    kind = np.dtype(choices.one_of(TYPES))
    axes = choices.number(0, 3)
    widths = [choices.number(0, 40) for _ in range(axes)]
    values = choices.rest()
    array = np.frombuffer(values[: len(values) // kind.itemsize * kind.itemsize], kind)
    if axes:
        most = int(np.prod(widths[1:], dtype=np.int64))
        rows = array.size // most if most else widths[0]
        array = array[: rows * most].reshape(rows, *widths[1:])
    for samples in (array, array.T, array[::2]):
        with suppress(ParakeetError):
            mono = as_mono(samples)
            assert mono.dtype == np.float32 and mono.ndim == 1
            assert np.isfinite(mono).all()


def seeds() -> Iterator[bytes]:
    for number in range(len(TYPES)):
        for axes in (1, 2):
            yield bytes((number, axes, 2, 2, 2)[: 2 + axes]) + bytes(range(64))
    yield b"\0\1\1" + np.array([np.nan, 1e38, -1e38, 1e-45], "f4").tobytes()
