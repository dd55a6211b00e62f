import pytest

from parakeet_streaming.limits import MOST_RING_S
from parakeet_streaming.live.ring_sizing import MOST_RING_S as RING_S
from parakeet_streaming.processes import audio_memory as at
from parakeet_streaming.processes.audio_memory import BLOCK, NUMBERS, Blocks, Sizes
from tests.processes.across import SMALL, memories


def test_an_hour_of_audio_has_room():
    assert NUMBERS * BLOCK >= MOST_RING_S * 16_000


def test_each_stream_has_room_for_as_much_as_may_wait():
    sizes = Sizes()
    assert sizes.blocks * BLOCK >= sizes.slots * RING_S * 16_000


def test_both_sides_see_the_same():
    here, there = memories()
    slot = here.clear(3)
    slot.counters[at.RECEIVED] = 2**40
    slot.numbers[NUMBERS - 1] = 7
    here.blocks[SMALL.blocks - 1, BLOCK - 1] = 0.5
    assert there.slot(3).counters[at.RECEIVED] == 2**40
    assert there.slot(3).numbers[NUMBERS - 1] == 7
    assert there.blocks[-1, -1] == 0.5


def test_slots_do_not_overlap():
    here, _ = memories()
    for number in range(SMALL.slots):
        slot = here.slot(number)
        for part in (slot.counters, slot.gaps, slot.stamps, slot.numbers):
            for index in range(len(part)):
                part[index] = number + 1
    for number in range(SMALL.slots):
        slot = here.slot(number)
        for part in (slot.counters, slot.gaps, slot.stamps, slot.numbers):
            assert set(part) == {number + 1}
    assert not here.blocks.any()


def test_a_slot_that_is_cleared_counts_from_nothing():
    here, _ = memories()
    here.slot(0).counters[at.TOLD] = 5
    assert not any(here.clear(0).counters)


def test_a_slot_that_is_not_there():
    here, _ = memories()
    with pytest.raises(AssertionError):
        here.slot(SMALL.slots)


def test_blocks_are_given_once_and_used_again():
    blocks = Blocks(2)
    assert blocks.samples == 2 * BLOCK
    first, second = blocks.take(), blocks.take()
    assert {first, second} == {0, 1}
    assert not blocks.short
    assert blocks.take() is None
    assert blocks.short
    blocks.give_back(second)
    assert blocks.samples == BLOCK
    assert blocks.take() == second
