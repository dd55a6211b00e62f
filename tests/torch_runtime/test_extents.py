"""Stretches of places: what is held is nobody else's, and what was given back is whole again."""

import numpy as np

from parakeet_streaming.torch_runtime.extents import Extents


def test_the_first_that_is_long_enough():
    whole = Extents(1, 11)
    one, other, third = whole.take(3), whole.take(4), whole.take(3)
    assert [each.first for each in (one, other, third)] == [1, 4, 8]
    assert whole.take(1) is None
    del other
    assert whole.free == 4
    assert whole.take(5) is None
    again = whole.take(2)
    assert (again.first, again.count, again.places) == (4, 2, slice(4, 6))
    del one
    assert whole.free == 5
    assert whole.take(4) is None  # in two pieces
    del again
    assert whole.take(7).first == 1


def test_nothing_takes_nothing():
    whole = Extents(0, 2)
    held = [whole.take(0), whole.take(2)]
    assert whole.take(1) is None
    assert held[0].count == 0
    del held
    assert whole.free == 2
    assert whole.take(2).first == 0


def test_no_two_have_the_same_place():
    random = np.random.default_rng(0)
    whole, held, refused = Extents(0, 200), [], 0
    for _ in range(2000):
        if held and random.random() < 0.5:
            held.pop(int(random.integers(len(held))))
        else:
            held.append(whole.take(int(random.integers(1, 40))))
            if held[-1] is None:
                held.pop()
                refused += 1
        places = [place for each in held for place in range(200)[each.places]]
        assert len(places) == len(set(places)) == 200 - whole.free
    assert refused > 20
    held.clear()
    assert whole.take(200) is not None
