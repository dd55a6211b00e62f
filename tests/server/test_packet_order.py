from hypothesis import given
from hypothesis import strategies as st

from parakeet_streaming.server.packet_order import MOST_WAITING, PacketOrder


def told(numbers):
    order = PacketOrder()
    return [order.take(number % 65_536, number) for number in numbers]


def test_a_packet_goes_on_at_once():
    assert told([65_534, 65_535, 65_536]) == [[65_534], [65_535], [65_536]]


def test_a_hole_that_is_filled():
    assert told([0, 2, 3, 1, 4]) == [[0], [], [], [1, 2, 3], [4]]


def test_a_hole_that_is_not_filled_is_lost():
    assert told([0, 2, 3, 4, 5, 6, 7, 1]) == [[0], [], [], [], [], [2, 3, 4, 5, 6], [7], []]


def test_only_the_first_of_several_holes_is_lost():
    assert told([0, 2, 4, 6, 8, 10, 3]) == [[0], [], [], [], [], [2], [3, 4]]


def test_a_packet_that_comes_twice():
    assert told([0, 0, 2, 2, 1]) == [[0], [], [], [], [1, 2]]


def test_another_source():
    assert told([0, 2, 30_000, 30_001, 7]) == [[0], [], [2, 30_000], [30_001], [7]]


@given(st.integers(0, 65_535), st.lists(st.integers(0, 200), max_size=60, unique=True))
def test_what_goes_on_is_in_order_and_little_waits(first, steps):
    """Numbers that come late by a little, and some of which do not come."""
    sent = [first + step for step in sorted(steps)]
    came = sorted(sent, key=lambda each: each + (each * 7) % 4)
    parts = told(came)
    gone = [each for part in parts for each in part]
    assert gone == sorted(gone)
    waited = 0
    for part in parts:
        waited += 1 - len(part)
        assert waited < MOST_WAITING


@given(st.permutations(range(MOST_WAITING)))
def test_nothing_is_lost_of_what_is_mixed_up_a_little(numbers):
    order = PacketOrder()
    order.take(99, 99)
    gone = [each for number in numbers for each in order.take(100 + number, number)]
    assert gone == list(range(MOST_WAITING))
