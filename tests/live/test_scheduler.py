"""Deadlines first, bounded batches, nobody starves, a full house refuses."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parakeet_streaming.errors import CapacityError, OptionError
from parakeet_streaming.live.scheduler import Admission, BatchLimits, Scheduler


def filled(*waiting, **limits):
    scheduler = Scheduler(BatchLimits(**limits))
    for stream, deadline_s, audio_s in waiting:
        scheduler.ready(stream, deadline_s=deadline_s, audio_s=audio_s)
    return scheduler


def test_the_nearest_deadline_goes_first():
    scheduler = filled(("a", 3, 1), ("b", 1, 1), ("c", 2, 1), max_streams=2)
    assert len(scheduler) == 3
    assert scheduler.pick() == ["b", "c"]
    assert scheduler.pick() == ["a"]
    assert scheduler.pick() == []
    assert len(scheduler) == 0


def test_equal_deadlines_go_in_the_order_they_came():
    assert filled(("b", 1, 1), ("a", 1, 1), ("c", 1, 1)).pick() == ["b", "a", "c"]


def test_a_step_holds_so_much_audio_and_always_one_stream():
    scheduler = filled(("a", 1, 9), ("b", 2, 3), ("c", 3, 2), ("d", 4, 1), max_audio_s=5)
    assert [scheduler.pick() for _ in range(3)] == [["a"], ["b", "c"], ["d"]]


def test_one_that_left_is_not_picked_and_may_come_back():
    scheduler = filled(("a", 1, 1), ("b", 2, 1))
    scheduler.leave("a")
    scheduler.leave("never there")
    scheduler.ready("a", deadline_s=3, audio_s=1)
    assert scheduler.pick() == ["b", "a"]
    assert scheduler.pick() == []


def test_told_twice_it_keeps_its_place():
    scheduler = filled(("a", 1, 1), ("b", 2, 1), ("a", 9, 1))
    assert scheduler.pick() == ["a", "b"]


@given(
    periods=st.lists(st.floats(0.1, 4), min_size=1, max_size=20),
    max_streams=st.integers(1, 4),
    room=st.floats(1.05, 3),
)
def test_nobody_starves(periods, max_streams, room):
    """With a worker quick enough for all, each step of each stream runs, late by a bounded time."""
    wanted = max(sum(1 / period for period in periods) / max_streams, 1 / min(periods))
    step_s = 1 / (room * wanted)
    scheduler = Scheduler(BatchLimits(max_streams=max_streams))
    due = dict(enumerate(periods))
    late_s, now_s, ran = 0.0, 0.0, dict.fromkeys(due, 0)
    for _ in range(300):
        for stream, due_s in due.items():
            if due_s <= now_s:
                scheduler.ready(stream, deadline_s=due_s, audio_s=1)
        for stream in scheduler.pick():
            late_s = max(late_s, now_s - due[stream])
            due[stream] += periods[stream]
            ran[stream] += 1
        now_s += step_s
    for stream, period in enumerate(periods):
        assert abs(ran[stream] - now_s / period) <= 2 + (late_s + step_s) / period
    assert late_s <= step_s * (len(periods) + 2)


@given(
    told=st.lists(
        st.tuples(st.sampled_from(["ready", "leave", "pick"]), st.integers(0, 5), st.integers(0, 9))
    )
)
def test_against_a_list_that_is_sorted_anew(told):
    scheduler, naive = Scheduler(BatchLimits(max_streams=2)), []
    for what, stream, deadline_s in told:
        if what == "ready":
            scheduler.ready(stream, deadline_s=deadline_s, audio_s=1)
            if stream not in [each for _, each in naive]:
                naive.append((deadline_s, stream))
        elif what == "leave":
            scheduler.leave(stream)
            naive = [each for each in naive if each[1] != stream]
        else:
            naive.sort(key=lambda each: each[0])
            assert scheduler.pick() == [each for _, each in naive[:2]]
            naive = naive[2:]
        assert len(scheduler) == len(naive)


@pytest.mark.parametrize("limits", [{"max_streams": 0}, {"max_audio_s": 0.0}])
def test_limits_that_let_nothing_through(limits):
    with pytest.raises(OptionError, match="max_"):
        BatchLimits(**limits)


def test_a_full_house_refuses_and_stays_as_it_was():
    house = Admission(most_streams=2)
    house.admit("a", 2)
    house.admit("b", 2)
    with pytest.raises(CapacityError, match="2 of 2"):
        house.admit("c", 2)
    assert len(house) == 2
    house.leave("a")
    house.leave("a")
    house.admit("c", 2)


def test_the_measured_cost_bounds_the_house():
    house = Admission(most_load=0.9)
    house.admit("a", 2)
    house.admit("b", 2)
    assert house.load == 0
    house.measured(audio_s=10, took_s=1)
    house.measured(audio_s=0, took_s=1)
    assert house.load == pytest.approx(0.4)
    house.admit("c", 2)
    house.admit("d", 2)
    with pytest.raises(CapacityError, match=r"80\.0%.*100\.0%, above 90%"):
        house.admit("e", 2)
    for _ in range(100):
        house.measured(audio_s=10, took_s=0.5)
    house.admit("e", 2)
    assert house.load == pytest.approx(0.5, rel=0.01)


def test_a_single_stream_is_let_in_however_slow_the_machine():
    house = Admission()
    house.measured(audio_s=1, took_s=5)
    house.admit("a", 7)
    with pytest.raises(CapacityError):
        house.admit("b", 0.1)


def test_a_house_is_full_when_larger_chunks_would_not_help_either():
    house = Admission(most_load=0.9)
    house.measured(audio_s=10, took_s=1)
    house.admit("a", 8, least_rate=4)
    house.admit("b", 8, least_rate=4)
    assert (house.load, house.least_load) == (pytest.approx(1.6), pytest.approx(0.8))
    with pytest.raises(CapacityError, match=r"80\.0%.*120\.0%, above 90%"):
        house.admit("c", 8, least_rate=4)
    house.uses("a", 4)
    house.uses("never there", 4)
    assert house.load == pytest.approx(1.2)
    assert house.load_with("a", 8) == pytest.approx(1.6)


def test_listening_counts_for_every_stream():
    house = Admission()
    house.listened(audio_s=0, took_s=1)
    house.listened(audio_s=2, took_s=0.2)
    house.admit("a", 5)
    house.admit("b", 5)
    assert house.load == pytest.approx(0.2)
    house.listened(audio_s=1, took_s=1.1)
    assert house.load == pytest.approx(0.4)
