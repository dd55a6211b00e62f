"""As `AudioQueueWriter`: what is refused becomes a gap, and blocks go back."""

import numpy as np
import pytest

from parakeet_streaming.processes.audio_memory import BLOCK, GAPS
from tests.processes.ring import Ring


@pytest.mark.parametrize("sizes", [(1,) * 300, (BLOCK,), (BLOCK + 1, 7), (3 * BLOCK,), (0, 5)])
def test_samples_come_out_as_they_went_in(sizes):
    ring = Ring(most=4 * BLOCK)
    for size in sizes:
        assert ring.write(size) == size
    assert ring.positions() == list(range(sum(sizes)))
    assert ring.reader.position == sum(sizes) == ring.queue.received


def test_positions_go_on_from_where_a_stream_goes_on():
    ring = Ring(start=1_000)
    ring.write(10)
    assert ring.positions() == list(range(1_000, 1_010))
    assert ring.queue.received == 1_010


def test_full_means_not_taken_and_leaves_a_gap():
    ring = Ring(most=100)
    assert ring.write(130) == 100
    assert ring.writer.refused == ring.queue.refused == 30
    assert ring.write(10) == 0
    assert ring.positions() == list(range(100))
    assert ring.write(5) == 5
    assert ring.taken() == [(100, 40), [140, 141, 142, 143, 144]]
    assert ring.reader.waiting == 0


def test_samples_that_never_came_are_a_gap():
    ring = Ring()
    ring.write(3)
    ring.writer.miss(4)
    assert ring.taken() == [[0, 1, 2]]
    ring.write(2)
    assert ring.taken() == [(3, 4), [7, 8]]


def test_a_commit_hands_a_gap_over():
    ring = Ring()
    ring.write(3)
    ring.writer.miss(4)
    assert ring.writer.hand_over() == 7
    assert ring.taken() == [[0, 1, 2], (3, 4)]


def test_a_gap_at_the_end_is_told():
    ring = Ring()
    ring.write(3)
    ring.writer.miss(4)
    ring.writer.close()
    assert ring.write(1) == 0
    assert not ring.reader.ended
    assert ring.taken() == [[0, 1, 2], (3, 4)]
    assert ring.reader.ended


def test_gaps_that_nobody_takes_are_bounded():
    ring = Ring()
    for _ in range(GAPS + 5):
        ring.writer.miss(1)
        ring.write(1)
    assert ring.writer.refused == 5
    assert ring.taken()[0] == (0, 1)
    assert ring.write(1) == 1
    assert ring.positions() == [float(ring.writer.received - 1)]


def test_blocks_go_back_when_the_worker_has_passed_them():
    ring = Ring(most=4 * BLOCK, blocks=5)
    for _ in range(20):
        assert ring.write(3 * BLOCK - 7) == 3 * BLOCK - 7
        assert len(ring.positions()) == 3 * BLOCK - 7
    ring.writer.free()
    assert ring.blocks.samples == 5 * BLOCK


def test_what_finds_no_block_is_refused_and_says_that_it_is_short():
    ring = Ring(most=4 * BLOCK, blocks=1)
    assert ring.writer.room == BLOCK
    assert ring.write(BLOCK + 10) == BLOCK
    assert ring.blocks.short
    assert ring.writer.refused == 10
    assert ring.writer.room == 0
    assert len(ring.positions()) == BLOCK
    assert ring.writer.room == BLOCK
    assert ring.write(1) == 1


def test_the_room_is_what_is_not_waiting():
    ring = Ring(most=100)
    ring.write(30)
    assert ring.writer.room == 70
    ring.taken()
    assert ring.writer.room == 100
    ring.reader.refuse()
    assert ring.writer.room == 0
    assert ring.write(5) == 0


def test_the_worker_is_woken_once_for_what_it_asked_for():
    ring = Ring()
    ring.reader.wake_after(100)
    ring.write(99)
    assert ring.woken == 0
    ring.write(1)
    ring.write(1)
    assert ring.woken == 1
    ring.reader.wake_after(None)
    ring.write(500)
    assert ring.woken == 1
    ring.writer.close()
    assert ring.woken == 2


def test_times_of_arrival():
    ring = Ring()
    for now_s in (6.0, 7.0, 8.0):
        ring.now_s = now_s
        ring.write(160)
    assert ring.queue.written_at_s == 8.0
    assert [ring.reader.arrived_s(at) for at in (1, 160, 161, 480, 481)] == [6, 6, 7, 8, 8]


def test_no_samples_are_no_news():
    ring = Ring()
    assert ring.writer.write(np.zeros(0, np.float32)) == 0
    ring.writer.miss(0)
    assert ring.writer.received == 0


def test_a_gap_comes_before_what_still_fits_into_the_last_block():
    ring = Ring(most=4 * BLOCK, blocks=1)
    ring.write(BLOCK - 10)
    ring.writer.miss(5)
    assert ring.write(3) == 3
    *_, gap, samples = ring.taken()
    assert gap == (BLOCK - 10, 5)
    assert samples == [BLOCK - 5, BLOCK - 4, BLOCK - 3]
