import gc
import weakref

import numpy as np
import pytest

from parakeet_streaming.audio.ring import sample_ring, value_ring
from parakeet_streaming.errors import OptionError


def samples(*values):
    return np.array(values, np.float32)


def test_samples_come_out_in_order_across_the_wrap():
    writer, reader = sample_ring(4)
    assert writer.write(samples(1, 2, 3)) == 3
    assert reader.read(2).tolist() == [1, 2]
    assert writer.write(samples(4, 5, 6)) == 3
    assert reader.read().tolist() == [3, 4, 5, 6]
    assert reader.read().tolist() == []


def test_what_does_not_fit_is_refused_and_nothing_is_overwritten():
    writer, reader = sample_ring(3)
    assert writer.write(samples(1, 2)) == 2
    assert writer.write(samples(3, 4, 5)) == 1
    assert writer.write(samples(6)) == 0
    assert (writer.taken, writer.refused) == (3, 3)
    assert reader.read().tolist() == [1, 2, 3]


def test_what_was_read_does_not_change_when_its_slots_are_filled_again():
    writer, reader = sample_ring(2)
    writer.write(samples(1, 2))
    first = reader.read()
    writer.write(samples(3, 4))
    assert first.tolist() == [1, 2]


def test_reads_and_writes_of_nothing():
    writer, reader = sample_ring(2)
    assert writer.write(samples()) == 0
    writer.write(samples(1))
    assert reader.read(0).tolist() == []
    assert reader.occupancy == 1


def test_samples_of_a_wrong_type_take_no_room():
    writer, reader = sample_ring(4)
    with pytest.raises(ValueError, match="could not"):
        writer.write(np.array(["a", "b"]))
    assert reader.occupancy == 0
    writer.write(samples(1))
    assert reader.read().tolist() == [1]


@pytest.mark.parametrize("ring", [sample_ring, value_ring])
@pytest.mark.parametrize("capacity", [0, -1, 2**33, 10**30])
def test_a_ring_of_nothing_is_refused(ring, capacity):
    with pytest.raises(OptionError, match="use 1 to"):
        ring(capacity)


def test_a_sample_ring_of_one_works():
    writer, reader = sample_ring(1)
    for value in range(5):
        assert writer.write(samples(value, 9)) == 1
        assert reader.read().tolist() == [value]


def test_a_value_ring_of_one_works():
    writer, reader = value_ring(1)
    for value in range(5):
        assert writer.write(value)
        assert not writer.write(9)
        assert reader.read() == value
        assert reader.read() is None
    assert (writer.taken, writer.refused) == (5, 5)


def test_values_come_out_in_order_across_the_wrap():
    writer, reader = value_ring(3)
    assert [writer.write(value) for value in "abcd"] == [True, True, True, False]
    assert reader.read() == "a"
    assert writer.write("e")
    assert [reader.read() for _ in range(4)] == ["b", "c", "e", None]


def test_values_that_are_false_are_values():
    writer, reader = value_ring(2)
    assert writer.write(0)
    assert writer.write("")
    assert reader.read() == 0
    assert reader.read() == ""


def test_none_is_refused_as_it_means_empty():
    writer, reader = value_ring(2)
    with pytest.raises(OptionError, match="empty"):
        writer.write(None)
    assert reader.occupancy == 0


def test_the_ring_lets_go_of_a_value_that_was_read():
    class Value:
        pass

    writer, reader = value_ring(2)
    value = Value()
    alive = weakref.ref(value)
    writer.write(value)
    del value
    assert alive() is not None
    reader.read()
    gc.collect()
    assert alive() is None


def test_both_ends_see_the_same_counters():
    writer, reader = sample_ring(4)
    writer.write(samples(1, 2, 3))
    reader.read(2)
    writer.write(samples(4, 5, 6, 7))
    for end in (writer, reader):
        assert (end.capacity, end.occupancy, end.high_water) == (4, 4, 4)
        assert (end.taken, end.refused) == (6, 1)


def test_high_water_stays_when_the_ring_is_drained():
    writer, reader = value_ring(8)
    for value in range(5):
        writer.write(value)
    while reader.read() is not None:
        pass
    writer.write(9)
    assert (reader.occupancy, reader.high_water) == (1, 5)


@pytest.mark.parametrize("side", [0, 1])
def test_either_side_closes_for_both_and_the_rest_can_be_drained(side):
    ends = writer, reader = sample_ring(4)
    writer.write(samples(1, 2))
    ends[side].close()
    ends[side].close()
    assert writer.closed
    assert reader.closed
    assert writer.write(samples(3)) == 0
    assert writer.refused == 1
    assert not reader.ended
    assert reader.read().tolist() == [1, 2]
    assert reader.ended


@pytest.mark.parametrize("side", [0, 1])
def test_a_closed_value_ring_takes_nothing_and_can_be_drained(side):
    ends = writer, reader = value_ring(4)
    writer.write("a")
    ends[side].close()
    assert not writer.write("b")
    assert (reader.read(), reader.read()) == ("a", None)
    assert writer.ended


def test_an_open_empty_ring_has_not_ended():
    writer, reader = value_ring(1)
    assert not writer.closed
    assert not reader.ended


@pytest.mark.parametrize("ring", [sample_ring, value_ring])
def test_an_end_that_is_dropped_closes_the_ring(ring):
    writer, reader = ring(1)
    del writer
    gc.collect()
    assert reader.ended
    writer, reader = ring(1)
    del reader
    gc.collect()
    assert writer.closed


@pytest.mark.interpreted
@pytest.mark.parametrize("ring", [sample_ring, value_ring])
@pytest.mark.parametrize("capacity", [1.5, "8", None, True, float("inf")])
def test_a_capacity_that_is_no_whole_number(ring, capacity):
    with pytest.raises(OptionError, match="must be a whole number"):
        ring(capacity)


def test_a_ring_for_which_there_is_no_memory(monkeypatch):
    def no_memory(*_):
        raise MemoryError

    monkeypatch.setattr(np, "empty", no_memory)
    with pytest.raises(OptionError, match="no memory for a ring of 8 samples"):
        sample_ring(8)
