"""Rings of samples and of values: whatever is done, what comes out is what went in."""

from collections import deque
from collections.abc import Iterator
from contextlib import suppress

import numpy as np

from fuzz.choices import Choices
from parakeet_streaming.audio.ring import ValueReader, ValueWriter, sample_ring, value_ring
from parakeet_streaming.errors import ParakeetError

MOST_SLOTS = 64


def run(data: bytes) -> None:
    choices = Choices(data)
    capacity = choices.number(0, MOST_SLOTS)
    with suppress(ParakeetError):
        if choices.flag():
            _samples(choices, capacity)
        else:
            _values(choices, capacity)


def _samples(choices: Choices, capacity: int) -> None:
    writer, reader = sample_ring(capacity)
    inside: deque[float] = deque()
    written = refused = 0
    for _ in choices.times(300):
        kind, count = choices.number(0, 15), choices.number(0, 2 * MOST_SLOTS)
        if kind == 0:
            choices.one_of((writer, reader)).close()
        elif kind < 8:
            samples = np.arange(written, written + count, dtype=np.float32)
            taken = writer.write(samples)
            assert taken == (0 if writer.closed else min(count, capacity - len(inside)))
            inside.extend(samples[:taken].tolist())
            written, refused = written + taken, refused + count - taken
        else:
            found = reader.read(None if kind == 8 else count).tolist()
            assert found == [inside.popleft() for _ in found]
            assert kind != 8 or not inside
        assert reader.occupancy == writer.occupancy == len(inside) <= writer.high_water
        assert (writer.taken, writer.refused) == (written, refused)
        assert reader.ended == (writer.closed and not inside)


def _values(choices: Choices, capacity: int) -> None:
    writer: ValueWriter[int]
    reader: ValueReader[int]
    writer, reader = value_ring(capacity)
    inside: deque[int] = deque()
    for number in choices.times(300):
        kind = choices.number(0, 15)
        if kind == 0:
            choices.one_of((writer, reader)).close()
        elif kind < 9:
            taken = writer.write(number)
            assert taken == (not writer.closed and len(inside) < capacity)
            inside.extend([number] * taken)
        else:
            assert reader.read() == (inside.popleft() if inside else None)
        assert reader.occupancy == len(inside)


def seeds() -> Iterator[bytes]:
    for flag in (0, 1):
        yield bytes((7, flag)) + bytes((3, 5, 9, 2, 4, 9, 8, 0) * 12)
        yield bytes((1, flag)) + bytes(range(1, 200))
