"""Slots that are held, free again, and never mixed up."""

import gc

import pytest

torch = pytest.importorskip("torch", reason="the torch extra")

from parakeet_streaming.torch_runtime.slots import NOTHING, RUBBISH, Pool, Shape


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
