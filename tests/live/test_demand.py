"""What a stream is counted as follows what it was seen to use."""

import pytest

from parakeet_streaming.live.demand import FULL, Newcomers, Part, StreamCost, Use

COST = StreamCost(2.0, 12.0)
"""Chunks of half a second in windows of six."""


def spoken(use, seconds, window_s=6.0):
    for _ in range(round(seconds * 2)):
        use.stepped(COST, window_s)
        use.passed(0.5)


def test_a_stream_that_speaks_on_is_counted_in_full():
    use = Use(0.0)
    for _ in range(20):
        spoken(use, 5)
        assert (use.part.steps, use.part.audio) == (pytest.approx(1.0), pytest.approx(1.0))


def test_silence_that_was_passed_over_counts_little_and_speech_after_it_counts_again():
    use = Use(0.0)
    spoken(use, 60)
    for _ in range(240):
        use.passed(0.5)
    quiet = use.part
    assert 0.1 < quiet.audio < 0.4
    spoken(use, 120)
    assert use.part.audio > 0.8


def test_a_stream_is_new_until_its_windows_are_full():
    use = Use(5.0)
    for window_s in (1.0, 2.0, 3.0):
        use.stepped(COST, window_s)
        assert not use.passed(0.5)
    assert use.is_new
    assert use.part_alone.audio == pytest.approx(6.0 / 18.0)
    assert use.part_alone.steps == pytest.approx(1.0)
    assert use.passed(4.0)
    assert not use.is_new
    assert use.part == FULL
    assert Use(5.0).part_alone == Part(0.0, 0.0)


def test_newcomers_are_full_until_experience_says_otherwise():
    newcomers = Newcomers()
    assert newcomers.counted(0) == newcomers.counted(50) == FULL
    for _ in range(20):
        newcomers.ended(Part(1.0, 0.3), 8)
    assert newcomers.counted(8).audio > 0.8
    for _ in range(500):
        newcomers.ended(Part(1.0, 0.3), 8)
    few, many = newcomers.counted(8), newcomers.counted(80)
    assert few.audio == pytest.approx(0.3, abs=0.01)
    assert few.steps == 1.0
    assert many.audio > 0.85
    for _ in range(500):
        newcomers.stayed()
    assert newcomers.counted(8).audio == pytest.approx(1.0, abs=0.01)


def test_a_cost_says_how_long_its_chunks_are():
    assert COST.chunk_s == 0.5
    assert COST.part(Part(0.5, 0.25)) == StreamCost(1.0, 3.0)
