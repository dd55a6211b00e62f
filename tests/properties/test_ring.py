"""Both rings against `collections.deque`, on one thread and on two."""

import sys
from collections import deque
from threading import Thread

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parakeet_streaming.audio.ring import sample_ring, value_ring


@pytest.fixture(autouse=True, scope="module")
def _switch_threads_often():
    """Let threads interrupt each other in many places, and spin no longer than needed."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-4)
    yield
    sys.setswitchinterval(before)


@given(
    capacity=st.integers(1, 12),
    calls=st.lists(st.tuples(st.booleans(), st.integers(0, 15)), max_size=60),
)
def test_a_sample_ring_is_a_bounded_deque(capacity, calls):
    writer, reader = sample_ring(capacity)
    model, next_sample, refused, high_water = deque(), 0, 0, 0
    for is_write, count in calls:
        if is_write:
            samples = np.arange(next_sample, next_sample + count, dtype=np.float32)
            taken = min(count, capacity - len(model))
            assert writer.write(samples) == taken
            model.extend(samples[:taken].tolist())
            next_sample += taken
            refused += count - taken
            high_water = max(high_water, len(model))
        else:
            expected = [model.popleft() for _ in range(min(count, len(model)))]
            assert reader.read(count).tolist() == expected
        assert reader.occupancy == len(model)
        assert (writer.taken, writer.refused) == (next_sample, refused)
        assert writer.high_water == high_water
    assert reader.read().tolist() == list(model)


@given(capacity=st.integers(1, 12), calls=st.lists(st.booleans(), max_size=100))
def test_a_value_ring_is_a_bounded_deque(capacity, calls):
    writer, reader = value_ring(capacity)
    model, refused = deque(), 0
    for value, is_write in enumerate(calls):
        if is_write:
            fits = len(model) < capacity
            assert writer.write(value) is fits
            if fits:
                model.append(value)
            refused += not fits
        else:
            assert reader.read() == (model.popleft() if model else None)
        assert (reader.occupancy, reader.refused) == (len(model), refused)


# With a GIL every full ring costs a switch of threads, so a smaller ring carries less.
@pytest.mark.parametrize(
    ("capacity", "most", "count"), [(1, 1, 50), (7, 3, 500), (1_021, 700, 100_000)]
)
def test_samples_cross_two_threads_in_order_and_none_is_lost(capacity, most, count):
    writer, reader = sample_ring(capacity)
    sent = np.arange(count, dtype=np.float32)
    attempted = 0

    def write_all():
        nonlocal attempted
        done = 0
        while done < len(sent):
            piece = sent[done : done + most]
            attempted += len(piece)
            done += writer.write(piece)
        writer.close()

    thread = Thread(target=write_all, daemon=True)
    thread.start()
    received, occupancies = deque(), set()
    while not reader.ended:
        received.extend(reader.read(most).tolist())
        occupancies.add(reader.occupancy)
    thread.join()
    assert occupancies <= set(range(capacity + 1))
    assert list(received) == sent.tolist()
    assert reader.taken == count
    assert reader.taken + reader.refused == attempted
    assert 1 <= reader.high_water <= capacity


@pytest.mark.parametrize(("capacity", "count"), [(1, 50), (101, 20_000)])
def test_values_cross_two_threads_in_order_and_none_is_lost(capacity, count):
    writer, reader = value_ring(capacity)

    def write_all():
        for value in range(count):
            while not writer.write(value):
                pass
        writer.close()

    thread = Thread(target=write_all, daemon=True)
    thread.start()
    received = deque()
    while not reader.ended:
        if (value := reader.read()) is not None:
            received.append(value)
    thread.join()
    assert received == deque(range(count))
    assert reader.taken == count


def test_a_reader_that_closes_stops_a_writer_on_another_thread():
    writer, reader = value_ring(2)
    taken = []

    def write_until_closed():
        while not writer.closed:
            if writer.write(len(taken)):
                taken.append(len(taken))

    thread = Thread(target=write_until_closed, daemon=True)
    thread.start()
    received = [value for _ in range(1_000) if (value := reader.read()) is not None]
    reader.close()
    thread.join()
    while (value := reader.read()) is not None:
        received.append(value)
    assert received == taken
