"""What goes in at one end comes out at the other, in order, with what is missing in its place."""

import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parakeet_streaming.live.audio_queue import AudioQueueWriter, Missing
from parakeet_streaming.testing import HandClock
from tests.live.by_hand import next_of


def queue(capacity=8, most=8, clock=None, **choices):
    woken = []
    writer = AudioQueueWriter(
        capacity, most, clock or HandClock(), lambda: woken.append(True), **choices
    )
    return writer, writer.reader, woken


def ramp(start, stop):
    return np.arange(start, stop, dtype=np.float32)


def drawn(reader, most_samples):
    """Pieces of at most so many samples together, and the gaps between them."""
    pieces = []
    while (piece := next_of(reader, most_samples)) is not None:
        pieces.append(piece)
        most_samples -= 0 if isinstance(piece, Missing) else len(piece)
    return pieces


def timeline(pieces):
    """Every position of the stream: its sample, or None where one is missing."""
    found = []
    for piece in pieces:
        if isinstance(piece, Missing):
            assert piece.start == len(found)
            found += [None] * piece.count
        else:
            found += piece.tolist()
    return found


@given(
    acts=st.lists(
        st.tuples(st.sampled_from(["write", "take", "miss", "hand over"]), st.integers(0, 20)),
        max_size=60,
    ),
    capacity=st.integers(1, 10),
    most=st.integers(1, 40),
)
def test_every_position_is_found_once_in_its_place(acts, capacity, most):
    writer, reader, _ = queue(capacity, most)
    pieces, wanted = [], []
    for act, count in acts:
        if act == "take":
            pieces += drawn(reader, count)
        elif act == "hand over":
            pieces += drawn(reader, writer.hand_over() - reader.position)
            assert reader.position == writer.available == writer.received
        elif act == "miss":
            writer.miss(count)
            wanted += [None] * count
        else:
            pushed = ramp(writer.received, writer.received + count)
            taken = writer.write(pushed)
            wanted += [*pushed[:taken].tolist(), *[None] * (count - taken)]
    writer.close()
    while not reader.ended:
        pieces += drawn(reader, 7)
    assert timeline(pieces) == wanted
    assert reader.position == writer.received == len(wanted)
    assert writer.refused <= wanted.count(None)
    assert reader.waiting == 0
    assert drawn(reader, 5) == []


def test_a_full_ring_is_followed_by_a_larger_one_and_then_samples_are_refused():
    writer, reader, _ = queue(4, 20)
    assert [writer.write(ramp(0, 4)), writer.write(ramp(4, 10))] == [4, 6]
    assert writer.capacity == 12
    assert writer.write(ramp(10, 40)) == 6 + 20
    assert (writer.capacity, writer.refused) == (20, 4)
    assert (writer.occupancy, writer.high_water) == (20, 20)
    writer.write(ramp(40, 41))
    assert timeline(drawn(reader, 100)) == [*range(36)]
    assert writer.write(ramp(41, 43)) == 2
    assert timeline([ramp(0, 36), *drawn(reader, 100)]) == [*range(36), *[None] * 5, 41, 42]


def test_a_gap_behind_a_full_ring_stays_before_the_samples_of_the_larger_one():
    writer, reader, _ = queue(2, 20)
    writer.write(ramp(0, 2))
    writer.miss(4)
    assert writer.write(ramp(6, 11)) == 5
    # Before the end, of which the reader would know where the last gap lies.
    assert timeline(drawn(reader, 100)) == [0, 1, *[None] * 4, 6, 7, 8, 9, 10]
    writer.close()
    assert reader.ended


@pytest.mark.interpreted
def test_room_that_the_worker_makes_meanwhile_lets_no_samples_past_a_gap():
    writer, reader, _ = queue(4, 4)
    writer.write(ramp(0, 4))
    writer.miss(2)
    pieces, fill = [], writer._fill

    def after_the_worker(samples):
        pieces.extend(drawn(reader, 4))
        return fill(samples)

    writer._fill = after_the_worker
    taken = writer.write(ramp(6, 9))
    pieces += drawn(reader, 100)
    writer.close()
    found = timeline([*pieces, *drawn(reader, 100)])
    assert found == [*range(4), None, None, *([6, 7, 8][:taken] or [None] * 3)]
    assert reader.ended


def test_gaps_that_cannot_wait_in_line_grow_into_one():
    writer, reader, _ = queue(200, 200)
    pieces = []
    writer.write(ramp(0, 200))
    for _ in range(150):
        pieces += drawn(reader, 1)
        writer.write(ramp(writer.received, writer.received + 2))
    writer.close()
    while not reader.ended:
        pieces += drawn(reader, 50)
    found = timeline(pieces)
    assert all(each is None or each == at for at, each in enumerate(found))
    assert len(found) == writer.received == 500
    assert found.count(None) == writer.refused >= 150


def test_a_gap_is_handed_over_though_no_samples_follow():
    writer, reader, woken = queue()
    reader.wake_after(9)
    writer.write(ramp(0, 8))
    writer.miss(5)
    assert drawn(reader, 100)[1:] == []
    assert not woken
    assert writer.hand_over() == 13
    assert woken == [True]
    assert drawn(reader, 100) == [Missing(8, 5)]
    assert writer.hand_over() == 13


def test_a_gap_after_too_many_others_waits_for_them():
    writer, reader, _ = queue()
    for _ in range(64):
        writer.miss(2)
        writer.hand_over()
    writer.miss(2)
    assert (writer.hand_over(), writer.received) == (128, 130)
    assert len(drawn(reader, 1_000)) == 64
    assert writer.hand_over() == 130


def test_nothing_is_taken_after_the_end_or_a_refusal():
    writer, reader, woken = queue()
    assert writer.write(ramp(0, 0)) == 0
    writer.write(ramp(0, 3))
    reader.refuse()
    assert writer.write(ramp(3, 5)) == 0
    writer.close()
    assert writer.write(ramp(3, 5)) == 0
    assert (writer.received, writer.refused) == (3, 0)
    assert woken


def test_the_worker_is_woken_only_when_it_asked_for_it():
    writer, reader, woken = queue(100, 100)
    reader.wake_after(10)
    writer.write(ramp(0, 9))
    assert not woken
    assert not reader.wake_is_due
    writer.write(ramp(9, 10))
    assert woken == [True]
    assert reader.wake_is_due


def test_the_worker_is_not_woken_for_a_gap_that_it_cannot_take_yet():
    writer, reader, woken = queue(8, 8)
    reader.wake_after(9)
    writer.write(ramp(0, 20))
    assert not woken
    assert len(next_of(reader, 20)) == 8
    reader.wake_after(1)
    assert not reader.wake_is_due
    writer.write(ramp(20, 21))
    assert reader.wake_is_due
    assert next_of(reader, 20) == Missing(8, 12)


def test_when_a_sample_came():
    clock = HandClock()
    writer, reader, _ = queue(100, 100, clock)
    for number in range(5):
        clock.now_s = 10.0 + number
        writer.write(ramp(0, 10))
    assert reader.arrived_s(1) == 10.0
    assert reader.arrived_s(10) == 10.0
    assert reader.arrived_s(11) == 11.0
    assert reader.arrived_s(45) == 14.0
    # Beyond everything: the last that is known.
    assert reader.arrived_s(99) == 14.0


def test_when_many_samples_came_one_by_one():
    clock = HandClock()
    writer, reader, _ = queue(10_000, 10_000, clock, stamp_every=100)
    for number in range(3_000):
        clock.now_s = number / 1_000
        writer.write(ramp(0, 1))
    assert reader.arrived_s(1) == pytest.approx(0.1, abs=0.002)
    assert reader.arrived_s(2_500) == pytest.approx(2.5, abs=0.1)
    assert len(writer._stamps) <= 6


def test_moments_of_arrival_are_kept_while_nobody_asks():
    clock = HandClock()
    writer, reader, _ = queue(100, 100, clock)
    for number in range(2_000):
        clock.now_s = float(number)
        writer.write(ramp(0, 10))
        drawn(reader, 10)
    assert reader.arrived_s(19_995) == 1999.0


def test_two_threads_see_one_timeline():
    writer, reader, _ = queue(64, 512)
    total = 20_000
    pieces = []

    def produce():
        while writer.received < total:
            writer.write(ramp(writer.received, min(total, writer.received + 37)))
        writer.close()

    producer = threading.Thread(target=produce)
    producer.start()
    while not reader.ended:
        pieces += drawn(reader, 50)
    producer.join()
    found = timeline(pieces)
    assert len(found) == total
    assert all(each is None or each == at for at, each in enumerate(found))
    assert found.count(None) == writer.refused
