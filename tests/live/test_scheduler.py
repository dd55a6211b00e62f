"""Deadlines first, bounded batches, nobody starves, and recordings give way to live streams."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parakeet_streaming.errors import OptionError
from parakeet_streaming.live.batch_limits import BatchLimits
from parakeet_streaming.live.scheduler import (
    RECORDING_PATIENCE_S,
    RECORDING_REST,
    Scheduler,
)


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


def test_one_that_is_ready_twice_keeps_its_place():
    scheduler = filled(("a", 1, 1), ("b", 2, 1), ("a", 9, 1))
    assert scheduler.pick() == ["a", "b"]


def ready(scheduler, *waiting):
    for stream, deadline_s, ends in waiting:
        scheduler.ready(stream, deadline_s=deadline_s, next_s=deadline_s, audio_s=1, ends=ends)


def test_windows_that_end_utterances_share_no_step_with_others():
    scheduler = Scheduler(BatchLimits())
    ready(scheduler, ("a", 3, False), ("b", 1, True), ("c", 2, True), ("d", 4, False))
    assert [scheduler.pick() for _ in range(3)] == [["b", "c"], ["a", "d"], []]


def test_one_that_is_late_does_not_wait_for_an_end():
    scheduler = Scheduler(BatchLimits())
    ready(scheduler, ("late", 1, False), ("end", 2, True), ("other", 3, False))
    assert scheduler.pick() == ["late", "end", "other"]


def test_an_end_does_not_wait_for_more_streams():
    scheduler = Scheduler(BatchLimits(hold_s=0.5))
    scheduler.opened(1.0)
    scheduler.opened(1.0)
    scheduler.ready("end", deadline_s=2.0, next_s=3.0, audio_s=1, ends=True, now_s=2.0)
    assert scheduler.next_time(2.0) == 2.0
    assert scheduler.pick(2.0) == ["end"]


def test_a_recording_counts_with_the_window_after_an_end():
    scheduler = Scheduler(BatchLimits(), predict_s=lambda _: 0.25)
    scheduler.opened(1.0)
    scheduler.ready("end", deadline_s=2.0, next_s=3.0, audio_s=1, ends=True, now_s=2.0)
    scheduler.ready("recording", deadline_s=0, audio_s=1, now_s=2.0, recording=True)
    assert scheduler.pick(2.0) == ["end"]
    assert scheduler.pick(2.1) == ["recording"]


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
    acts=st.lists(
        st.tuples(st.sampled_from(["ready", "leave", "pick"]), st.integers(0, 5), st.integers(0, 9))
    )
)
def test_against_a_list_that_is_sorted_anew(acts):
    scheduler, naive = Scheduler(BatchLimits(max_streams=2)), []
    for what, stream, deadline_s in acts:
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


@pytest.mark.parametrize(
    "limits",
    [
        *({"max_streams": each} for each in (0, -1, 10**15, 2.5, "32", None)),
        *({"max_audio_s": each} for each in (0.0, 1e300, math.inf, math.nan, "1")),
        *({"hold_s": each} for each in (-1.0, 2.0, math.nan, None)),
    ],
)
def test_limits_that_let_nothing_through(limits):
    with pytest.raises(OptionError, match=r"max_|hold_s"):
        BatchLimits(**limits)


def waiting(*, hold_s=0.0, streams=0, predict_s=lambda audio_s: audio_s, chunk_s=1.0):
    scheduler = Scheduler(BatchLimits(hold_s=hold_s), predict_s)
    for _ in range(streams):
        scheduler.opened(chunk_s)
    return scheduler


def test_a_batch_is_held_open_until_all_are_ready_or_its_time_has_come():
    scheduler = waiting(hold_s=0.01, streams=3)
    assert scheduler.next_time(0.0) is None
    scheduler.ready("a", deadline_s=2.0, audio_s=1, now_s=1.0)
    assert scheduler.pick(1.0) == []
    assert scheduler.next_time(1.0) == pytest.approx(1.01)
    scheduler.ready("b", deadline_s=2.0, audio_s=1, now_s=1.005)
    assert scheduler.pick(1.009) == []
    assert scheduler.pick(1.011) == ["a", "b"]
    for number, stream in enumerate("abc"):
        scheduler.ready(stream, deadline_s=5.0, audio_s=1, now_s=3.0 + number / 1_000)
    assert scheduler.next_time(3.002) == 3.002
    assert scheduler.pick(3.002) == ["a", "b", "c"]


def test_a_batch_is_not_held_past_its_first_deadline():
    scheduler = waiting(hold_s=0.5, streams=2)
    scheduler.ready("a", deadline_s=1.1, audio_s=1, now_s=1.0)
    assert scheduler.next_time(1.0) == pytest.approx(1.1)
    assert scheduler.pick(1.1) == ["a"]


def test_a_batch_is_not_held_by_default_and_one_that_left_holds_nothing():
    scheduler = waiting(streams=9)
    scheduler.ready("a", deadline_s=2.0, audio_s=1, now_s=1.0)
    assert scheduler.next_time(1.0) == 1.0
    assert scheduler.pick(1.0) == ["a"]
    scheduler.ready("a", deadline_s=2.0, audio_s=1, now_s=1.0)
    scheduler.leave("a")
    assert scheduler.next_time(1.0) is None
    assert scheduler.pick(1.0) == []


def test_without_live_streams_recordings_go_together_in_the_order_they_came():
    scheduler = waiting(predict_s=lambda audio_s: 0.02 * audio_s)
    for stream in ("second", "first", "third"):
        scheduler.ready(stream, deadline_s=0.0, audio_s=9, now_s=1.0, recording=True)
    assert "first" in scheduler
    assert scheduler.pick(1.0) == ["second", "first"]  # all three would take longer than 0.5 s
    assert scheduler.pick(1.0) == ["third"]


def test_recordings_run_while_no_live_window_is_ready_and_one_by_one():
    scheduler = waiting(streams=1)
    for stream in ("r", "s"):
        scheduler.ready(stream, deadline_s=0.0, audio_s=0.4, now_s=1.0, recording=True)
    scheduler.ready("live", deadline_s=9.0, audio_s=0.5, now_s=1.0)
    assert scheduler.pick(1.0) == ["live"]
    # The recording takes 0.4 s, the live step after it 0.5 s: in time for a chunk of 1 s.
    assert scheduler.pick(1.5) == ["r"]
    assert scheduler.pick(1.9) == ["s"]


@pytest.mark.parametrize(
    ("took_s", "patience_s"), [(0.6, RECORDING_PATIENCE_S), (3.0, 3.0 * RECORDING_REST)]
)
def test_a_recording_that_would_make_live_streams_late_waits_and_then_goes_alone(
    took_s, patience_s
):
    scheduler = waiting(streams=1, predict_s=lambda audio_s: took_s if audio_s == 9 else audio_s)
    scheduler.ready("live", deadline_s=0.0, audio_s=0.5, now_s=1.0)
    for stream in ("r", "s"):
        scheduler.ready(stream, deadline_s=0.0, audio_s=9, now_s=1.0, recording=True)
    assert scheduler.pick(1.0) == ["live"]
    assert scheduler.pick(1.5) == []
    assert scheduler.next_time(1.5) == 1.0 + patience_s
    scheduler.ready("live", deadline_s=0.0, audio_s=0.5, now_s=2.0)
    assert scheduler.pick(2.0) == ["live"]
    now_s = 1.0 + patience_s
    scheduler.ready("live", deadline_s=99.0, audio_s=0.5, now_s=now_s)
    assert scheduler.pick(now_s) == ["r"]
    assert scheduler.pick(now_s) == ["s"]
    assert scheduler.pick(now_s) == ["live"]


def test_a_recording_runs_only_where_it_is_done_before_the_next_live_window():
    scheduler = waiting(streams=1)
    scheduler.ready("live", deadline_s=2.0, audio_s=0.1, now_s=1.0)
    assert scheduler.pick(1.0) == ["live"]
    for number in range(3):
        scheduler.ready(f"r{number}", deadline_s=0.0, audio_s=0.4, now_s=1.1, recording=True)
    assert scheduler.pick(1.1) == ["r0"]
    assert scheduler.pick(1.5) == ["r1"]
    assert scheduler.pick(1.9) == []  # 0.4 s is longer than until 2.0, when the next is expected
    scheduler.ready("live", deadline_s=3.0, audio_s=0.1, now_s=2.0)
    assert scheduler.pick(2.0) == ["live"]
    assert scheduler.pick(2.1) == ["r2"]


def test_a_live_stream_that_is_quiet_or_has_left_is_not_waited_for():
    for leaves in (False, True):
        scheduler = waiting(streams=2)
        scheduler.ready("live", deadline_s=2.0, audio_s=0.1, now_s=1.0)
        assert scheduler.pick(1.0) == ["live"]
        for number in range(2):
            scheduler.ready(f"r{number}", deadline_s=0.0, audio_s=0.4, now_s=1.1, recording=True)
        assert scheduler.pick(1.1) == ["r0"]
        assert scheduler.pick(1.9) == []
        if leaves:
            scheduler.leave("live")
        else:
            assert scheduler.next_time(1.9) == pytest.approx(2.1)
        assert scheduler.pick(1.9 if leaves else 2.1) == ["r1"]


def test_recordings_have_their_share_where_a_live_window_is_always_about_to_come():
    """Ten streams, one window each 0.1 s: a step of 0.2 s never fits, and makes nobody late."""
    scheduler = waiting(streams=10, predict_s=lambda audio_s: 0.2 if audio_s == 9 else 0.01)
    now_s, recorded_s, most_late_s = 0.0, [], 0.0
    due_s = {number: number / 10 for number in range(10)}
    while now_s < 60.0:
        scheduler.ready("r", deadline_s=0.0, audio_s=9, now_s=now_s, recording=True)
        for number, at_s in due_s.items():
            if at_s <= now_s and number not in scheduler:
                scheduler.ready(number, deadline_s=at_s + 1.0, audio_s=1, now_s=now_s)
        taken = scheduler.pick(now_s)
        for each in taken:
            if each == "r":
                recorded_s.append(now_s)
            else:
                most_late_s = max(most_late_s, now_s - due_s[each])
                due_s[each] += 1.0
        now_s += 0.2 if taken == ["r"] else 0.01
    assert len(recorded_s) * 0.2 / 60.0 == pytest.approx(1 / (1 + RECORDING_REST), rel=0.1)
    assert most_late_s < 0.25


def test_when_the_last_live_stream_has_gone_recordings_need_not_wait():
    scheduler = waiting(streams=1)
    scheduler.ready("r", deadline_s=0.0, audio_s=3.0, now_s=1.0, recording=True)
    assert scheduler.pick(1.0) == []
    scheduler.closed(1.0)
    assert scheduler.next_time(1.0) == 1.0
    assert scheduler.pick(1.0) == ["r"]


def test_a_recording_does_not_run_into_the_deadline_of_a_held_batch():
    scheduler = waiting(hold_s=0.5, streams=2, chunk_s=5.0)
    scheduler.ready("live", deadline_s=2.0, audio_s=1.0, now_s=1.0)
    scheduler.ready("r", deadline_s=0.0, audio_s=1.5, now_s=1.0, recording=True)
    assert scheduler.pick(1.0) == []
    scheduler.ready("s", deadline_s=0.0, audio_s=0.1, now_s=1.0, recording=True)
    scheduler.leave("r")
    assert scheduler.pick(1.0) == ["s"]


def test_a_batch_is_held_open_while_another_stream_that_is_open_could_join():
    """Of three streams of one chunk two go: then the batch of the last one waits for nobody."""
    scheduler = Scheduler(BatchLimits(hold_s=0.25))
    for _ in range(3):
        scheduler.opened(0.5)
    begins_s = []
    for _ in range(3):
        scheduler.ready("a", deadline_s=9.0, audio_s=1, now_s=1.0)
        begins_s.append(scheduler.next_time(1.0))
        scheduler.leave("a")
        scheduler.closed(0.5)
    assert begins_s == [1.25, 1.25, 1.0]


def ticking(**limits):
    return Scheduler(BatchLimits(tick_s=0.02, **limits), lambda _: 0.01)


def becomes_ready(scheduler, stream, complete_s, *, kind="a", **more):
    return scheduler.ready(
        stream,
        deadline_s=complete_s + 0.24,
        audio_s=0.48,
        now_s=complete_s,
        known_s=complete_s,
        chunk_s=0.24,
        kind=kind,
        **more,
    )


def test_a_device_takes_windows_at_ticks():
    scheduler = ticking()
    assert becomes_ready(scheduler, "a", 1.001) == pytest.approx(1.02)
    assert (len(scheduler), "a" in scheduler) == (1, True)
    assert scheduler.pick(1.01) == []
    assert scheduler.next_time(1.01) == pytest.approx(1.02)
    assert scheduler.pick(1.021) == ["a"]
    assert scheduler.next_time(1.021) is None


def test_a_device_takes_windows_of_one_kind():
    scheduler = ticking()
    becomes_ready(scheduler, "a", 1.001)
    becomes_ready(scheduler, "b", 1.002, kind="b")
    becomes_ready(scheduler, "c", 1.003, kind="b")
    scheduler.leave("c")
    assert scheduler.pick(1.07) == ["a"]
    assert scheduler.next_time(1.07) == 1.07
    assert scheduler.pick(1.07) == ["b"]
    assert len(scheduler) == 0


def test_on_a_device_what_ends_an_utterance_shares_the_next_step():
    scheduler = ticking()
    becomes_ready(scheduler, "a", 1.001)
    assert becomes_ready(scheduler, "b", 1.002, ends=True) == pytest.approx(1.02)
    assert sorted(scheduler.pick(1.02)) == ["a", "b"]


def test_a_recording_gives_way_to_a_tick():
    scheduler = ticking()
    scheduler.opened(0.24)
    becomes_ready(scheduler, "a", 1.001)
    scheduler.ready("r", deadline_s=0, audio_s=5, now_s=1.001, recording=True)
    assert scheduler.pick(1.005) == ["r"]
    scheduler.ready("r", deadline_s=0, audio_s=5, now_s=1.015, recording=True)
    assert scheduler.pick(1.015) == []
    assert scheduler.pick(1.02) == ["a"]


def test_a_stream_rests_until_its_next_tick():
    scheduler = ticking()
    assert not scheduler.rest("a", "a", 1.0), "it has no tick yet"
    becomes_ready(scheduler, "a", 1.001)
    assert scheduler.pick(1.021) == ["a"]
    assert not scheduler.rest("a", "b", 1.021), "nor for windows of another kind"
    assert scheduler.rest("a", "a", 1.021)
    assert scheduler.next_time(1.021) == pytest.approx(1.26)
    assert scheduler.rested(1.25) == []
    assert scheduler.rested(1.261) == ["a"]
    assert scheduler.rested(1.261) == []
    # Its window goes at that tick, without waiting for it.
    becomes_ready(scheduler, "a", 1.261, will_rest=True)
    scheduler.rest("a", "a", 1.261)
    scheduler.leave("a")
    assert (scheduler.rested(9.0), scheduler.next_time(9.0)) == ([], None)


def test_without_ticks_no_stream_rests():
    scheduler = Scheduler()
    assert not scheduler.has_ticks
    assert not scheduler.rest("a", "a", 1.0)


def test_a_window_whose_tick_has_passed_goes_at_once():
    scheduler = ticking()
    scheduler.ready(
        "a", deadline_s=1.5, audio_s=0.48, now_s=1.3, known_s=1.001, chunk_s=0.24, kind="a"
    )
    assert scheduler.next_time(1.3) == 1.3
    assert scheduler.pick(1.3) == ["a"]
