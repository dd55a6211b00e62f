"""Chunks grow where steps come late, shrink where there is room, and stay within bounds."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parakeet_streaming.errors import ContextError, OptionError
from parakeet_streaming.live.adaptation import (
    MOST_LOAD_TO_SHRINK,
    Adapter,
    DelayRange,
)
from parakeet_streaming.timeline import PRESETS, ContextConfig

LEVELS = DelayRange(ContextConfig(5.0, 0.5, 0.5), 2.0).levels(60.0)


def adapted(adapter, times, waited_s, load=0.0):
    """The contexts that so many equal steps lead to."""
    changes = [adapter.stepped(waited_s, load) for _ in range(times)]
    return [context.chunk for context in changes if context is not None]


def test_levels_double_up_to_the_longest():
    assert [context.chunk for context in LEVELS] == [0.5, 1.0, 2.0]
    assert {(context.left, context.right) for context in LEVELS} == {(5.0, 0.5)}


@pytest.mark.parametrize(
    ("longest", "window_s", "chunks"),
    [(2.5, 60, [0.5, 1.0, 2.0, 2.5]), (0.55, 60, [0.5]), (4.0, 6.7, [0.5, 1.0, 1.2])],
)
def test_the_last_level_is_what_user_and_model_allow(longest, window_s, chunks):
    levels = DelayRange(ContextConfig(5.0, 0.5, 0.5), longest).levels(window_s)
    assert [context.chunk for context in levels] == pytest.approx(chunks)


@pytest.mark.parametrize("text", [*PRESETS, "3-0.4-1", "10-10-0"])
def test_every_preset_and_context_may_grow_to_four_times_its_chunk(text):
    delay = DelayRange.parse(text, 8_000)
    assert delay.context == ContextConfig.parse(text, 8_000)
    levels = delay.levels(400.0)
    assert [level.chunk / delay.context.chunk for level in levels] == pytest.approx([1, 2, 4])
    assert all(level.sample_rate == 8_000 for level in levels)


def test_a_fixed_range_has_one_level():
    context = ContextConfig.balanced()
    assert DelayRange.fixed(context).levels(400.0) == (context,)


def test_impossible_ranges():
    with pytest.raises(ContextError, match="low_latency, balanced, high_quality"):
        DelayRange.parse("soon", 16_000)
    with pytest.raises(OptionError, match=r"longest_chunk 0\.2 s is below"):
        DelayRange(ContextConfig(5.0, 0.5, 0.5), 0.2)


def test_late_steps_grow_the_chunk_up_to_the_last_level():
    adapter = Adapter(LEVELS)
    assert (adapter.context.chunk, adapter.widest.chunk, adapter.lower) == (0.5, 2.0, None)
    assert adapted(adapter, 10, waited_s=5.0) == [1.0, 2.0]
    assert adapter.lower.chunk == 1.0


def test_one_late_step_is_no_reason():
    adapter = Adapter(LEVELS)
    for _ in range(20):
        assert adapted(adapter, 1, waited_s=0.6) == []
        assert adapted(adapter, 1, waited_s=0.4) == []


def test_it_shrinks_after_long_and_only_where_there_is_room():
    adapter = Adapter(LEVELS)
    adapted(adapter, 4, waited_s=5.0)
    assert adapted(adapter, 100, waited_s=0.0, load=MOST_LOAD_TO_SHRINK + 0.01) == []
    assert adapted(adapter, 3, waited_s=0.9, load=0.0) == []
    assert adapted(adapter, 3, waited_s=0.0) == []
    assert adapted(adapter, 1, waited_s=0.0) == [1.0]
    assert adapted(adapter, 100, waited_s=0.0) == [0.5]


def test_where_the_smaller_chunk_does_not_fit_it_is_tried_ever_more_seldom():
    adapter, waits = Adapter(LEVELS[:2]), []
    for _ in range(7):
        adapted(adapter, 2, waited_s=5.0)
        assert adapter.context == LEVELS[1]
        steps = 0
        while adapter.context == LEVELS[1]:
            adapter.stepped(0.0, 0.0)
            steps += 1
        waits.append(steps)
    assert waits == [8, 16, 32, 64, 128, 128, 128]
    # It fits now, so all is as at the beginning.
    adapted(adapter, 256, waited_s=0.0)
    adapted(adapter, 2, waited_s=5.0)
    assert adapted(adapter, 7, waited_s=0.0) == []
    assert adapted(adapter, 1, waited_s=0.0) == [0.5]


def test_a_fixed_range_never_changes():
    adapter = Adapter(DelayRange.fixed(ContextConfig.balanced()).levels(60.0))
    assert adapted(adapter, 50, waited_s=9.0) == []
    assert adapted(adapter, 50, waited_s=0.0) == []


@given(st.lists(st.tuples(st.floats(0, 10), st.floats(0, 2)), max_size=200))
def test_it_moves_by_one_level_and_tells(steps):
    adapter, at = Adapter(LEVELS), 0
    for waited_s, load in steps:
        changed_to = adapter.stepped(waited_s, load)
        now = LEVELS.index(adapter.context)
        assert (changed_to is None) == (now == at)
        assert abs(now - at) <= 1
        assert not (now > at and waited_s <= LEVELS[at].chunk)
        assert not (now < at and load > MOST_LOAD_TO_SHRINK)
        at = now


@pytest.mark.parametrize(
    ("chunk_s", "expected"),
    [(None, 0.5), (0.1, 0.5), (0.5, 0.5), (0.8, 1.0), (1.4, 1.0), (60, 2.0)],
)
def test_a_stream_that_goes_on_begins_with_the_chunk_nearest_to_its_own(chunk_s, expected):
    adapter = Adapter(LEVELS, chunk_s)
    assert adapter.context.chunk == expected
    assert (adapter.lower is None) == (expected == 0.5)


@pytest.mark.parametrize("longest", [math.nan, math.inf, 1e300, 14_401, -1, "2", None])
def test_a_longest_chunk_that_is_no_length(longest):
    with pytest.raises(OptionError, match="longest_chunk"):
        DelayRange(ContextConfig.balanced(), longest)
