"""Both rings against `collections.deque`, on one thread and on two."""

import sys
from collections import deque
from threading import Thread

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parakeet_streaming.audio.ring import sample_ring, value_ring

SAMPLES = 100_000
VALUES = 20_000


@pytest.fixture(autouse=True, scope="module")
def _switch_threads_often():
    """Let threads interrupt each other nearly anywhere, and spin no longer than needed."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
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


@pytest.mark.parametrize(("capacity", "most"), [(1, 1), (7, 3), (64, 100)])
def test_samples_cross_two_threads_in_order_and_none_is_lost(capacity, most):
    writer, reader = sample_ring(capacity)
    sent = np.arange(SAMPLES if capacity > 1 else SAMPLES // 10, dtype=np.float32)
    attempted = 0

    def write_all():
        nonlocal attempted
        done = 0
        while done < len(sent):
            piece = sent[done : done + most]
            attempted += len(piece)
            done += writer.write(piece)
        writer.close()

    thread = Thread(target=write_all)
    thread.start()
    received = deque()
    while not reader.ended:
        received.extend(reader.read(most).tolist())
        assert 0 <= reader.occupancy <= capacity
    thread.join()
    assert list(received) == sent.tolist()
    assert reader.taken == len(sent)
    assert reader.taken + reader.refused == attempted
    assert 1 <= reader.high_water <= capacity


@pytest.mark.parametrize("capacity", [1, 3])
def test_values_cross_two_threads_in_order_and_none_is_lost(capacity):
    writer, reader = value_ring(capacity)

    def write_all():
        for value in range(VALUES):
            while not writer.write(value):
                pass
        writer.close()

    thread = Thread(target=write_all)
    thread.start()
    received = deque()
    while not reader.ended:
        if (value := reader.read()) is not None:
            received.append(value)
    thread.join()
    assert received == deque(range(VALUES))
    assert reader.taken == VALUES


def test_a_reader_that_closes_stops_a_writer_on_another_thread():
    writer, reader = value_ring(2)
    taken = []

    def write_until_closed():
        while not writer.closed:
            if writer.write(len(taken)):
                taken.append(len(taken))

    thread = Thread(target=write_until_closed)
    thread.start()
    received = [value for _ in range(2_000) if (value := reader.read()) is not None]
    reader.close()
    thread.join()
    while (value := reader.read()) is not None:
        received.append(value)
    assert received == taken
