"""A clock that is set back does not take time back."""

from parakeet_streaming.live.steady_clock import SteadyClock
from parakeet_streaming.testing import HandClock


def test_it_goes_on_where_the_clock_is_set_back():
    clock = HandClock(5_000.0)
    steady = SteadyClock(clock)
    assert steady() == 5_000.0
    clock.now_s = 5_010.0
    assert steady() == 5_010.0
    clock.now_s = 1_410.0
    assert steady() == 5_010.0
    clock.now_s = 1_412.0
    assert steady() == 5_012.0
    clock.now_s = 5_012.0
    assert steady() == 8_612.0


def test_moments_between_threads_change_nothing():
    clock = HandClock(10.0)
    steady = SteadyClock(clock)
    for now_s in (10.5, 10.2, 11.0, 10.9):
        clock.now_s = now_s
        assert steady() == now_s
