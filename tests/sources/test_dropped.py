"""What a driver dropped is as long as the time that is missing between its blocks."""

from parakeet_streaming.sources.dropped import DroppedSound


def test_a_drop_that_is_told_counts_and_drift_does_not():
    dropped = DroppedSound(16_000)
    assert dropped.before(5.0, 1_600, overflow=True) == 0
    assert dropped.before(5.1, 1_600, overflow=False) == 0
    assert dropped.before(6.2, 1_600, overflow=True) == 16_000
    assert dropped.before(6.3, 1_600, overflow=True) == 0
    assert dropped.before(6.45, 1_600, overflow=False) == 0
    assert dropped.before(6.55, 1_600, overflow=False) == 0


def test_a_long_gap_counts_though_no_drop_is_told():
    dropped = DroppedSound(8_000)
    dropped.before(5.0, 800, overflow=False)
    assert dropped.before(3_605.1, 800, overflow=False) == 3_600 * 8_000


def test_times_that_are_not_known_or_go_back_say_nothing():
    dropped = DroppedSound(16_000)
    for began_s in (0.0, 0.0, 9.0, 0.0, 20.0, 5.0):
        assert dropped.before(began_s, 1_600, overflow=True) == 0
