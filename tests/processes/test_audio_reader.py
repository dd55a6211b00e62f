"""As `AudioQueueReader`; and nothing is read where nothing was written, whatever stands there."""

import sys
import threading

import numpy as np
import pytest

from parakeet_streaming.live.audio_queue import Missing
from parakeet_streaming.processes import audio_memory as at
from parakeet_streaming.processes.audio_memory import BLOCK
from tests.live.by_hand import next_of
from tests.processes.ring import Ring


def test_no_more_is_taken_than_is_asked_for():
    ring = Ring()
    ring.write(10)
    assert list(next_of(ring.reader, 4)) == [0, 1, 2, 3]
    assert next_of(ring.reader, 0) is None
    assert ring.reader.waiting == 6
    assert ring.queue.occupancy == 6
    assert ring.queue.high_water == 10


def test_a_wake_up_is_due():
    ring = Ring()
    ring.reader.wake_after(5)
    assert not ring.reader.wake_is_due
    ring.write(5)
    assert ring.reader.wake_is_due
    ring.reader.wake_after(None)
    assert not ring.reader.wake_is_due
    ring.writer.close()
    ring.reader.wake_after(1)
    assert ring.reader.wake_is_due
    ring.taken()
    assert not ring.reader.wake_is_due
    assert ring.reader.ended


@pytest.mark.parametrize("value", [-(2**62), -1, 2**62])
def test_whatever_stands_in_the_memory_nothing_is_read_outside_it(value):
    ring = Ring(most=2 * BLOCK)
    ring.write(10)
    counters = ring.writer._counters
    for index in range(at.MISSING_COUNT + 1):
        counters[index] = value
    for index in range(8):
        ring.writer._numbers[index] = value % 2**31 - 2**30
        ring.writer._gap_ring[index] = value
    taken = 0
    for _ in range(100):
        piece = next_of(ring.reader, 1_000)
        if piece is None:
            break
        taken += piece.count if isinstance(piece, Missing) else len(piece)
    assert ring.reader.waiting >= 0
    assert 0 <= ring.queue.occupancy <= ring.queue.capacity
    ring.reader.arrived_s(5)


def test_two_threads_lose_nothing():
    """Samples are their positions: any that is lost, or comes twice, is seen."""
    ring = Ring(most=3 * BLOCK, blocks=6)
    total = 400_000
    rng = np.random.default_rng(7)

    def write():
        while ring.writer.received < total:
            size = int(rng.integers(1, 2_000))
            if ring.writer.room >= size:
                assert ring.write(size) == size
        ring.writer.close()

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        thread = threading.Thread(target=write)
        thread.start()
        expected = 0
        while not ring.reader.ended:
            piece = next_of(ring.reader, 1_500)
            if piece is not None:
                assert (piece == np.arange(expected, expected + len(piece))).all()
                expected += len(piece)
        thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert expected == ring.writer.received >= total
