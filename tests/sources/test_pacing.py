import numpy as np
import pytest

from parakeet_streaming.sources.pacing import paced


class Clock:
    """A clock that only sleeping moves on, at times by too much."""

    def __init__(self, start_s=100.0, late_s=()):
        self.now_s = start_s
        self.late_s = list(late_s)
        self.slept_s = []

    def time(self):
        return self.now_s

    def sleep(self, seconds):
        self.slept_s.append(seconds)
        self.now_s += seconds + (self.late_s.pop(0) if self.late_s else 0.0)


def blocks_of(*lengths):
    return [np.full(length, index, np.float32) for index, length in enumerate(lengths)]


def times_of(blocks, clock, rate_hz=1_000):
    start_s = clock.now_s
    return [
        round(clock.now_s - start_s, 6)
        for _ in paced(blocks, rate_hz, clock=clock.time, sleep=clock.sleep)
    ]


def test_a_block_comes_when_its_last_sample_would_have_been_recorded():
    assert times_of(blocks_of(500, 250, 1_000), Clock()) == [0.5, 0.75, 1.75]


def test_blocks_are_handed_on_unchanged():
    blocks, clock = blocks_of(3, 0, 5), Clock()
    received = list(paced(iter(blocks), 1_000, clock=clock.time, sleep=clock.sleep))
    assert all(given is taken for given, taken in zip(blocks, received, strict=True))


def test_sleeping_too_long_does_not_add_up():
    clock = Clock(late_s=[0.03] * 20)
    times = times_of(blocks_of(*[100] * 20), clock)
    assert times[:3] == [0.13, 0.23, 0.33]
    assert times[-1] == pytest.approx(2.03)


def test_after_a_delay_blocks_that_are_due_come_at_once():
    clock = Clock(late_s=[0.25])
    assert times_of(blocks_of(*[100] * 5), clock) == [0.35, 0.35, 0.35, 0.4, 0.5]
    assert len(clock.slept_s) == 3


def test_time_a_listener_takes_counts():
    clock, times = Clock(), []
    for _ in paced(blocks_of(100, 100, 100), 1_000, clock=clock.time, sleep=clock.sleep):
        times.append(round(clock.now_s - 100.0, 6))
        clock.now_s += 0.06
    assert times == [0.1, 0.2, 0.3]


def test_recording_starts_when_the_first_block_is_asked_for():
    clock = Clock()
    source = paced(blocks_of(100), 1_000, clock=clock.time, sleep=clock.sleep)
    clock.now_s += 7
    next(source)
    assert clock.now_s == pytest.approx(107.1)


def test_hours_do_not_drift():
    clock = Clock()
    times = times_of(blocks_of(*[1_600] * 36_000), clock, rate_hz=16_000)
    assert times[-1] == pytest.approx(3_600.0, abs=1e-6)


def test_no_blocks_take_no_time():
    clock = Clock()
    assert times_of([], clock) == []
    assert clock.slept_s == []
