from hypothesis import given
from hypothesis import strategies as st

from parakeet_streaming.server.track_clock import TrackClock

RATE, FRAME = 48_000, 960


def told(frames):
    """What is missing before each of (begin, samples, now_s)."""
    clock = TrackClock(RATE)
    return [clock.missing(*frame) for frame in frames]


@given(st.lists(st.tuples(st.integers(1, 100), st.booleans()), max_size=60))
def test_every_frame_is_where_its_clock_says(parts):
    """Frames that come as they are due; some are lost, up to two seconds of them at once."""
    clock, at, position = TrackClock(RATE), 0, None
    for frames, comes in parts:
        begin, length = at, frames * FRAME
        at += length
        if comes:
            missing = clock.missing(begin + 7_777, length, begin / RATE)
            position = (begin if position is None else position) + missing
            assert position == begin
            position += length


def test_a_burst_after_a_hole():
    frames = [(0, FRAME, 0.0), (FRAME, FRAME, 0.02), (4 * RATE, FRAME, 0.02)]
    assert told(frames) == [0, 0, 4 * RATE - 2 * FRAME]


def test_less_than_a_frame_counts_when_more_comes():
    frames = [(0, FRAME, 0.0), (FRAME + 100, FRAME, 0.02), (2 * FRAME + 200, FRAME, 0.04)]
    assert told(frames) == [0, 0, 200]


def test_a_clock_that_leaps_is_another_clock():
    for leap in (1 << 32, -(1 << 32), -2 * RATE, 60 * RATE):
        frames = [(0, FRAME, 0.0), (leap, FRAME, 3.02), (leap + FRAME, FRAME, 3.04)]
        assert told(frames) == [0, 3 * RATE, 0]


def test_a_frame_that_is_a_little_early_is_not_moved():
    frames = [(0, FRAME, 0.0), (FRAME - 10, FRAME, 0.02), (2 * FRAME - 10, FRAME, 0.04)]
    assert told(frames) == [0, 0, 0]
