"""What goes in at one end comes out at the other, in order, with what is missing in its place."""

import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parakeet_streaming.errors import AudioInputError
from parakeet_streaming.live.audio_queue import AudioQueueWriter, Missing


class Clock:
    def __init__(self):
        self.now_s = 0.0

    def __call__(self):
        return self.now_s


def wire(capacity=8, most=8, clock=None, **choices):
    woken = []
    inlet = AudioQueueWriter(
        capacity, most, clock or Clock(), lambda: woken.append(True), **choices
    )
    return inlet, inlet.outlet, woken


def ramp(start, stop):
    return np.arange(start, stop, dtype=np.float32)


def drawn(outlet, most_samples):
    """Pieces of at most so many samples together, and the gaps between them."""
    pieces = []
    while (piece := outlet.take(most_samples)) is not None:
        pieces.append(piece)
        most_samples -= 0 if isinstance(piece, Missing) else len(piece)
    return pieces


def timeline(pieces):
    """Every position of the stream: its sample, or None where one is missing."""
    told = []
    for piece in pieces:
        if isinstance(piece, Missing):
            assert piece.start == len(told)
            told += [None] * piece.count
        else:
            told += piece.tolist()
    return told


@given(
    acts=st.lists(st.tuples(st.sampled_from(["push", "take"]), st.integers(0, 20)), max_size=60),
    capacity=st.integers(1, 10),
    most=st.integers(1, 40),
)
def test_every_position_is_told_once_in_its_place(acts, capacity, most):
    inlet, outlet, _ = wire(capacity, most)
    pieces, wanted = [], []
    for act, count in acts:
        if act == "take":
            pieces += drawn(outlet, count)
        else:
            pushed = ramp(inlet.offered, inlet.offered + count)
            taken = inlet.push(pushed)
            wanted += [*pushed[:taken].tolist(), *[None] * (count - taken)]
    inlet.close()
    while not outlet.ended:
        pieces += drawn(outlet, 7)
    assert timeline(pieces) == wanted
    assert outlet.position == inlet.offered == len(wanted)
    assert inlet.refused == wanted.count(None)
    assert outlet.waiting == 0
    assert drawn(outlet, 5) == []


def test_a_full_ring_is_followed_by_a_larger_one_and_then_samples_are_refused():
    inlet, outlet, _ = wire(4, 20)
    assert [inlet.push(ramp(0, 4)), inlet.push(ramp(4, 10))] == [4, 6]
    assert inlet.capacity == 12
    assert inlet.push(ramp(10, 40)) == 6 + 20
    assert (inlet.capacity, inlet.refused) == (20, 4)
    assert (inlet.occupancy, inlet.high_water) == (20, 20)
    inlet.push(ramp(40, 41))
    assert timeline(drawn(outlet, 100)) == [*range(36)]
    assert inlet.push(ramp(41, 43)) == 2
    assert timeline([ramp(0, 36), *drawn(outlet, 100)]) == [*range(36), *[None] * 5, 41, 42]


def test_gaps_that_cannot_wait_in_line_grow_into_one():
    inlet, outlet, _ = wire(200, 200)
    pieces = []
    inlet.push(ramp(0, 200))
    for _ in range(150):
        pieces += drawn(outlet, 1)
        inlet.push(ramp(inlet.offered, inlet.offered + 2))
    inlet.close()
    while not outlet.ended:
        pieces += drawn(outlet, 50)
    told = timeline(pieces)
    assert all(each is None or each == at for at, each in enumerate(told))
    assert len(told) == inlet.offered == 500
    assert told.count(None) == inlet.refused >= 150


def test_nothing_is_taken_after_the_end_or_a_refusal():
    inlet, outlet, woken = wire()
    assert inlet.push([]) == 0
    inlet.push(ramp(0, 3))
    outlet.refuse()
    assert inlet.push(ramp(3, 5)) == 0
    inlet.close()
    assert inlet.push(ramp(3, 5)) == 0
    assert (inlet.offered, inlet.refused) == (3, 0)
    assert woken
    with pytest.raises(AudioInputError):
        inlet.push([float("nan")])


def test_the_worker_is_woken_only_when_it_asked_for_it():
    inlet, outlet, woken = wire(100, 100)
    outlet.wake_after(10)
    inlet.push(ramp(0, 9))
    assert not woken
    assert not outlet.wake_is_due
    inlet.push(ramp(9, 10))
    assert woken == [True]
    assert outlet.wake_is_due


def test_the_worker_is_not_woken_for_a_gap_that_it_cannot_take_yet():
    inlet, outlet, woken = wire(8, 8)
    outlet.wake_after(9)
    inlet.push(ramp(0, 20))
    assert not woken
    assert len(outlet.take(20)) == 8
    outlet.wake_after(1)
    assert not outlet.wake_is_due
    inlet.push(ramp(20, 21))
    assert outlet.wake_is_due
    assert outlet.take(20) == Missing(8, 12)


def test_when_a_sample_came():
    clock = Clock()
    inlet, outlet, _ = wire(100, 100, clock)
    for number in range(5):
        clock.now_s = 10.0 + number
        inlet.push(ramp(0, 10))
    assert outlet.arrived_s(1) == 10.0
    assert outlet.arrived_s(10) == 10.0
    assert outlet.arrived_s(11) == 11.0
    assert outlet.arrived_s(45) == 14.0
    # Beyond everything: the last that is known.
    assert outlet.arrived_s(99) == 14.0


def test_when_many_samples_came_one_by_one():
    clock = Clock()
    inlet, outlet, _ = wire(10_000, 10_000, clock, stamp_every=100)
    for number in range(3_000):
        clock.now_s = number / 1_000
        inlet.push(ramp(0, 1))
    assert outlet.arrived_s(1) == pytest.approx(0.1, abs=0.002)
    assert outlet.arrived_s(2_500) == pytest.approx(2.5, abs=0.1)
    assert len(outlet._arrivals) <= 6


def test_moments_of_arrival_are_kept_while_nobody_asks():
    clock = Clock()
    inlet, outlet, _ = wire(100, 100, clock)
    for number in range(2_000):
        clock.now_s = float(number)
        inlet.push(ramp(0, 10))
        drawn(outlet, 10)
    assert outlet.arrived_s(19_995) == 1999.0


def test_two_threads_see_one_timeline():
    inlet, outlet, _ = wire(64, 512)
    total = 20_000
    pieces = []

    def produce():
        while inlet.offered < total:
            inlet.push(ramp(inlet.offered, min(total, inlet.offered + 37)))
        inlet.close()

    producer = threading.Thread(target=produce)
    producer.start()
    while not outlet.ended:
        pieces += drawn(outlet, 50)
    producer.join()
    told = timeline(pieces)
    assert len(told) == total
    assert all(each is None or each == at for at, each in enumerate(told))
    assert told.count(None) == inlet.refused
