"""Rings between processes: what went in comes out, gaps in their places; blocks are given back."""

import os
from collections.abc import Iterator
from functools import cache

import numpy as np

from fuzz.choices import Choices
from parakeet_streaming.live.audio_queue import Missing
from parakeet_streaming.processes import shared_memory
from parakeet_streaming.processes.audio_memory import BLOCK, AudioMemory, Blocks, Sizes
from parakeet_streaming.processes.audio_reader import SharedAudioReader
from parakeet_streaming.processes.audio_writer import SharedAudioWriter

SIZES = Sizes(slots=1, blocks=4)


@cache
def memories() -> tuple[AudioMemory, AudioMemory]:
    """The same, as two processes have it."""
    descriptor = shared_memory.make(SIZES.bytes)
    copy = os.dup(descriptor)
    one, other = (AudioMemory(shared_memory.mapped(each), SIZES) for each in (descriptor, copy))
    return one, other


def run(data: bytes) -> None:
    choices = Choices(data)
    here, there = memories()
    most = choices.one_of((50, BLOCK, 3 * BLOCK))
    blocks = Blocks(SIZES.blocks)
    start = choices.one_of((0, 1_000))
    writer = SharedAudioWriter(here, 0, blocks, lambda: 1.0, lambda: None)
    writer.begin(start, most)
    reader = SharedAudioReader(there, 0, start, most)
    expected = start
    for _ in choices.times(200):
        kind = choices.number(0, 7)
        count = choices.one_of((0, 1, 17, 49, 51, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK))
        if kind < 4:
            room = writer.room
            samples = np.arange(writer.received, writer.received + count, dtype=np.float32)
            taken = writer.write(samples)
            if writer.missing is None or count == 0:
                assert taken == (0 if writer.closed else count) or count > room
        elif kind == 4:
            writer.miss(count)
        elif kind == 5:
            writer.hand_over()
        else:
            expected = _take(reader, expected, max(1, count))
    writer.close()
    before = -1
    while before != expected:
        before, expected = expected, _take(reader, expected, BLOCK)
    assert expected == writer.received == reader.position
    assert reader.ended
    writer.free()
    assert blocks.samples == SIZES.blocks * BLOCK


def _take(reader: SharedAudioReader, expected: int, most: int) -> int:
    """Takes once; the position after it."""
    found: list[float] = []
    taken = reader.take(most, lambda piece: found.extend(piece.tolist()))
    if isinstance(taken, Missing):
        assert taken.start == expected
        return expected + taken.count
    assert taken == len(found) <= most
    assert found == list(range(expected, expected + taken))
    return expected + taken


def seeds() -> Iterator[bytes]:
    yield bytes((1, 0, 3, 3, 6, 8, 4, 2, 1, 8, 6, 5, 5, 0, 0, 8)) * 8
    yield bytes((2, 1, 0, 6, 0, 6, 6, 7, 4, 1, 0, 2)) * 12
