"""Streams are spread over the ticks of a chunk, keep their phase, and wait for less than one."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parakeet_streaming.live.phases import Phases

TICK_S = 0.02
CHUNK_S = 0.24
"""Twelve ticks."""


def goes(phases, stream, complete_s, *, kind="a", chunk_s=CHUNK_S):
    return phases.goes_at_s(stream, kind, chunk_s, complete_s)


def test_a_window_goes_at_the_first_tick_after_it_is_complete():
    phases = Phases(TICK_S)
    assert goes(phases, "one", 1.001) == pytest.approx(1.02)
    assert goes(phases, "one", 1.241) == pytest.approx(1.26)
    assert goes(phases, "other", 1.02) == pytest.approx(1.02)
    assert phases.next_tick_s(1.001) == pytest.approx(1.02)
    assert phases.next_tick_s(1.02) == pytest.approx(1.02)


def test_streams_that_begin_at_once_do_not_come_at_once():
    phases = Phases(TICK_S, few=1)
    at_s = [goes(phases, stream, 5.0) for stream in range(24)]
    assert sum(phases.counts("a")) == 24
    assert max(phases.counts("a")) <= 3
    assert max(at_s) <= 5.0 + 11 * TICK_S + 1e-6
    again_s = [goes(phases, stream, 5.0 + CHUNK_S) for stream in range(24)]
    assert again_s == pytest.approx([each + CHUNK_S for each in at_s])


def test_each_kind_is_spread_for_itself():
    phases = Phases(TICK_S, few=2)
    for stream in range(12):
        goes(phases, stream, 1.0)
        goes(phases, f"long {stream}", 1.0, kind="b", chunk_s=0.08)
    assert max(phases.counts("a")) == 2
    assert (sum(phases.counts("b")), len(phases.counts("b"))) == (12, 4)
    assert max(phases.counts("b")) == 4
    assert phases.counts("c") == ()


def test_a_few_streams_go_at_their_first_tick():
    phases = Phases(TICK_S)
    at_s = [goes(phases, stream, 1.001) for stream in range(40)]
    assert at_s[:32] == pytest.approx([1.02] * 32)
    assert at_s[32:] == pytest.approx([1.04] * 8)


def test_who_leaves_makes_room():
    phases = Phases(TICK_S, few=2)
    for stream in range(12):
        goes(phases, stream, 1.0)
    phases.leave(3)
    phases.leave("never there")
    assert len(phases) == 11
    assert goes(phases, "new", 1.0) == pytest.approx(1.0 + TICK_S)
    for stream in [*range(12), "new"]:
        phases.leave(stream)
    assert (len(phases), phases.counts("a")) == (0, ())


def test_a_context_that_changes_is_another_kind():
    phases = Phases(TICK_S)
    goes(phases, "one", 1.0)
    goes(phases, "one", 2.0, kind="longer", chunk_s=0.48)
    assert (phases.counts("a"), sum(phases.counts("longer"))) == ((), 1)


def test_a_window_that_is_a_little_late_keeps_its_phase():
    phases = Phases(TICK_S, few=1)
    goes(phases, "one", 1.0)
    goes(phases, "two", 1.0)
    assert goes(phases, "two", 1.24 + 0.015) == pytest.approx(1.26)
    assert goes(phases, "two", 1.48) == pytest.approx(1.50)


def test_one_that_misses_its_tick_gets_another_phase():
    phases = Phases(TICK_S)
    assert goes(phases, "one", 1.0) == pytest.approx(1.0)
    assert goes(phases, "one", 1.24 + 0.001) == pytest.approx(1.26)
    assert goes(phases, "one", 1.48) == pytest.approx(1.50)
    assert sum(phases.counts("a")) == 1


def test_one_that_waits_too_long_gets_an_earlier_phase_when_there_is_room():
    phases = Phases(TICK_S, few=1)
    for stream in range(9):
        goes(phases, stream, 1.0)
    for stream in range(8):
        phases.leave(stream)
    waits = [goes(phases, 8, 1.0 + turn * CHUNK_S) - 1.0 - turn * CHUNK_S for turn in range(80)]
    assert waits[0] == pytest.approx(8 * TICK_S)
    assert waits[-1] == pytest.approx(0.0, abs=1e-6)


def test_where_all_phases_are_full_nobody_moves():
    phases = Phases(TICK_S, few=1)
    for turn in range(130):
        for stream in range(24):
            goes(phases, stream, 1.0 + turn * CHUNK_S)
    assert sum(phases.counts("a")) == 24
    assert max(phases.counts("a")) <= 3


@given(
    st.lists(
        st.tuples(st.integers(0, 9), st.floats(0, 100), st.sampled_from(["a", "b"]), st.booleans()),
        max_size=60,
    )
)
def test_nobody_waits_for_a_whole_chunk(windows):
    phases, lengths = Phases(TICK_S), {"a": CHUNK_S, "b": 0.08}
    inside = set()
    for stream, complete_s, kind, leaves in windows:
        at_s = goes(phases, stream, complete_s, kind=kind, chunk_s=lengths[kind])
        assert complete_s - 1e-6 <= at_s < complete_s + lengths[kind]
        inside.add(stream)
        if leaves:
            phases.leave(stream)
            inside.discard(stream)
        assert len(phases) == len(inside)
        assert sum(phases.counts("a")) + sum(phases.counts("b")) == len(inside)


def batches(starts_s, phases, chunks=40):
    """Windows that go at each tick of the last chunk, of streams that come a little late."""
    drawn = random.Random(3)
    at = {}
    for turn in range(chunks):
        for stream, starts_s_of in enumerate(starts_s):
            complete_s = starts_s_of + turn * CHUNK_S + drawn.random() * 0.002
            at_s = goes(phases, stream, complete_s)
            if turn == chunks - 1:
                tick = round(at_s / TICK_S) % 12
                at[tick] = at.get(tick, 0) + 1
    return [at.get(tick, 0) for tick in range(12)]


@pytest.mark.parametrize("all_at_once", [True, False])
def test_batches_of_four_thousand_streams_are_even(all_at_once):
    """A simulation: a room that fills in a moment, and one that fills over a minute."""
    drawn = random.Random(5)
    starts_s = sorted(0.0 if all_at_once else 60 * drawn.random() for _ in range(4_000))
    sizes = batches(starts_s, Phases(TICK_S))
    assert sum(sizes) == 4_000
    assert max(sizes) <= 1.3 * 4_000 / 12


def test_the_next_tick_of_a_stream_is_one_of_its_phase():
    phases = Phases(TICK_S)
    assert phases.next_s("a", "a", 1.0) is None
    assert goes(phases, "a", 1.001) == pytest.approx(1.02)
    for after_s in (1.02, 1.0201, 1.25):
        assert phases.next_s("a", "a", after_s) == pytest.approx(1.26)
    assert phases.next_s("a", "a", 1.26) == pytest.approx(1.5)
    assert phases.next_s("a", "b", 1.0) is None
    phases.leave("a")
    assert phases.next_s("a", "a", 1.0) is None
