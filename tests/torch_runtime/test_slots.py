"""Slots that are held, free again, and never mixed up."""

import gc

import pytest

torch = pytest.importorskip("torch", reason="the torch extra")

from hypothesis import given
from hypothesis import strategies as st

from parakeet_streaming.torch_runtime.slots import (
    NOTHING,
    RUBBISH,
    Growth,
    Pool,
    Shape,
    growth,
    most_slots,
)
from parakeet_streaming.torch_runtime.usable_memory import UsableMemory
from tests.torch_runtime.small_device import played

SHAPES = {"wide": Shape(2, 3, 400), "small": Shape(1, 1, 200, torch.bfloat16)}
EACH = 2 * 3 * 400 * 4 + 200 * 2


@pytest.fixture
def pool(cpu):
    return Pool({"wide": Shape(2, 3, 4), "small": Shape(1, 1, 2, torch.bfloat16)}, cpu)


def test_slots_differ_and_none_is_reserved(pool):
    held = [pool.take() for _ in range(14)]
    numbers = {slot.number for slot in held}
    assert len(numbers) == 14
    assert not numbers & {NOTHING, RUBBISH}


def test_many_at_once(pool):
    """More than are free, and those that are given back meanwhile."""
    held = pool.take_many(40)
    assert pool.slots >= 42
    assert len({slot.number for slot in held}) == 40
    del held[5:]
    slots = pool.slots
    held += pool.take_many(30)
    assert pool.slots == slots
    assert len({slot.number for slot in held} - {NOTHING, RUBBISH}) == 35
    assert pool.take_many(0) == []


def test_a_slot_that_nobody_holds_is_free_again(pool):
    before = pool.slots
    for _ in range(100):
        pool.take()
    gc.collect()
    assert pool.slots == before


def test_a_pool_that_grows_keeps_what_is_in_it(pool):
    held = []
    for number in range(50):
        slot = pool.take()
        pool.stacked("wide")[:, slot.number] = number
        held.append(slot)
    assert pool.slots == 64
    assert len({slot.number for slot in held}) == 50
    for number, slot in enumerate(held):
        assert (pool.stacked("wide")[:, slot.number] == number).all()
    assert (pool.stacked("wide")[:, NOTHING] == 0).all()


def test_rows_are_the_pools_own_memory(pool):
    slot = pool.take()
    rows = pool.rows("wide", 1)
    assert rows.shape == (pool.slots * 3, 4)
    rows[slot.number * 3 + 2] = 5
    assert (pool.stacked("wide")[1, slot.number, 2] == 5).all()
    assert (pool.stacked("wide")[0] == 0).all()


def test_memory_of_a_slot(pool):
    assert pool.bytes_each == 2 * 3 * 4 * 4 + 2 * 2
    assert pool.stacked("small").dtype == torch.bfloat16


def test_what_was_reserved_needs_no_growth(pool):
    pool.reserve(40)
    version, tensor = pool.version, pool.stacked("wide")
    held = [pool.take() for _ in range(40)]
    pool.reserve(30)
    assert pool.version == version
    assert pool.stacked("wide") is tensor
    held.append(pool.take())
    assert pool.version > version
    assert len({slot.number for slot in held}) == 41


def test_a_growth_that_fails_half_way_says_that_tensors_have_moved(pool, monkeypatch):
    version, real, made = pool.version, torch.zeros, []

    def fails_at_the_second(*given, **more):
        made.append(given)
        if len(made) == 2:
            raise RuntimeError("CUDA out of memory")
        return real(*given, **more)

    held = [pool.take() for _ in range(14)]
    pool.stacked("wide")[:, held[3].number] = 5
    with monkeypatch.context() as patch:
        patch.setattr(torch, "zeros", fails_at_the_second)
        with pytest.raises(RuntimeError, match="out of memory"):
            pool.take()
    assert pool.version > version
    assert (pool.stacked("wide")[:, held[3].number] == 5).all()
    held.append(pool.take())
    assert len({slot.number for slot in held}) == 15


def test_a_growth_that_fails_at_once_has_moved_nothing(pool, monkeypatch):
    """Graphs that read the pool stay good, however often it is tried."""
    held = [pool.take() for _ in range(14)]
    version, tensor = pool.version, pool.stacked("wide")

    def fail(*_, **__):
        raise torch.OutOfMemoryError("Tried to allocate 1 GiB")

    with monkeypatch.context() as patch:
        patch.setattr(torch, "zeros", fail)
        for _ in range(3):
            with pytest.raises(torch.OutOfMemoryError):
                pool.take()
    assert pool.version == version
    assert pool.stacked("wide") is tensor
    assert held


def test_who_holds_slots(pool):
    assert pool.held == 0
    slots = [pool.take() for _ in range(20)]
    assert pool.held == 20
    del slots[5:]
    assert pool.held == 5


def on_a_device(patch, cpu, total, beside=0):
    device = played(patch, total)
    memory = UsableMemory(cpu)
    return device, Pool(SHAPES, cpu, memory, beside)


def test_a_pool_grows_by_less_where_memory_ends(monkeypatch, cpu):
    """And then in no steps of one slot, each of which would copy all that there is."""
    device, pool = on_a_device(monkeypatch, cpu, 400 * EACH)
    held, versions = [], set()
    while device.memory.free > 400 * EACH // 8 and pool.slots < 190:
        held.append(pool.take())
        versions.add(pool.version)
    assert device.refused == 0
    assert len(versions) < 8


def test_memory_is_left_for_what_is_needed_beside(monkeypatch, cpu):
    _, pool = on_a_device(monkeypatch, cpu, 400 * EACH, beside=9 * EACH)
    assert pool.reserve(1000) < 50


def test_as_many_are_reserved_as_there_is_memory_for(monkeypatch, cpu):
    device, pool = on_a_device(monkeypatch, cpu, 400 * EACH)
    assert pool.reserve(100) == 100
    reserved = pool.reserve(10_000)
    assert 100 < reserved < 400
    assert pool.slots == reserved + 2
    assert device.refused == 0
    assert device.memory.free >= 400 * EACH // 8
    version = pool.version
    assert pool.reserve(10_000) == reserved
    assert pool.version == version
    held = [pool.take() for _ in range(reserved)]
    assert pool.version == version
    # One that is there gets a slot of the memory for steps, if there is any.
    with pytest.raises(torch.OutOfMemoryError):
        pool.take()
    assert held


@given(
    bytes_each=st.lists(st.integers(1, 50), min_size=1, max_size=4),
    count=st.integers(0, 60),
    usable=st.integers(0, 5000),
    beside=st.integers(0, 30),
)
def test_the_most_slots_are_those_that_fit(bytes_each, count, usable, beside):
    """Counted tensor by tensor: what has grown, the next one twice, and what goes with it."""
    shapes = [Shape(1, 1, each, torch.int8) for each in bytes_each]

    def peak(slots):
        kept, most = beside * (slots - count), 0
        for each in bytes_each:
            most = max(most, kept + slots * each)
            kept += (slots - count) * each
        return most

    most = most_slots(shapes, count, usable, beside)
    assert most >= count
    if most > count:
        assert peak(most) <= usable
    assert peak(most + 1) > usable


@given(
    bytes_each=st.lists(st.integers(1, 50), min_size=1, max_size=4),
    count=st.integers(1, 40),
    steps=st.lists(st.integers(1, 20), max_size=6),
)
def test_a_growth_in_steps_needs_no_more_than_is_told(bytes_each, count, steps):
    shapes = [Shape(1, 1, each, torch.int8) for each in bytes_each]
    at, used, most = count, 0, 0
    for step in steps:
        for each in bytes_each:
            most = max(most, used + (at + step) * each)
            used += step * each
        at += step
    told = growth(shapes, count, at)
    assert told.kept == used
    assert most <= Growth.total([told])
    assert Growth.total([told, Growth(5, 1)]) >= Growth.total([told]) + 5
    assert Growth.total([]) == 0
