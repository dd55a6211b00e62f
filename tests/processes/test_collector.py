"""The collector of cycles looks seldom while an engine runs, but it looks."""

import gc
import weakref

import pytest

from parakeet_streaming.processes.collector import collecting_seldom


class Knot:
    def __init__(self):
        self.itself = self


def collections():
    return [each["collections"] for each in gc.get_stats()]


def test_what_steps_put_in_the_place_of_old_objects_starts_no_collection():
    kept = [Knot() for _ in range(20_000)]
    with collecting_seldom():
        before = collections()
        for _ in range(5):
            kept = [Knot() for _ in range(1_000)]
        # Cycles that nobody holds: too few to be looked for.
        assert collections() == before
    del kept


def test_garbage_in_cycles_is_found_in_the_end():
    with collecting_seldom():
        gone = weakref.ref(Knot())
        assert gone() is not None
        kept = [[] for _ in range(60_000)]
        assert gone() is None
    del kept


def test_it_is_as_before_after_it():
    before = (gc.get_threshold(), gc.get_freeze_count())
    with collecting_seldom():
        assert gc.get_freeze_count() > before[1]
        assert gc.get_threshold() != before[0]
    assert (gc.get_threshold(), gc.get_freeze_count()) == before
    with pytest.raises(ZeroDivisionError), collecting_seldom():
        _ = 1 / 0
    assert (gc.get_threshold(), gc.get_freeze_count()) == before
