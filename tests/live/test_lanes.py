"""The nearest deadline first; who left is dropped; one kind in a step; old times do not pile up."""

import math

from parakeet_streaming.live.lanes import Expected, Lane, LanesByKind


def all_fits(_):
    return True


def streams_of(taken):
    return [each.stream for each in taken]


def test_the_nearest_deadline_goes_first_and_of_equal_ones_the_first():
    lane = Lane()
    for stream, deadline_s in (("a", 3), ("b", 1), ("c", 1)):
        lane.add(stream, deadline_s, 1, 0)
    assert len(lane) == 3
    assert "a" in lane
    assert streams_of(lane.take(2, all_fits)) == ["b", "c"]
    assert "b" not in lane
    assert streams_of(lane.take(2, all_fits)) == ["a"]
    assert lane.first() is None


def test_who_left_is_dropped():
    lane = Lane()
    lane.add("a", 1, 1, 0)
    lane.add("b", 2, 1, 0)
    lane.leave("a")
    lane.leave("never there")
    assert lane.first().stream == "b"
    lane.add("a", 3, 1, 0)
    assert streams_of(lane.take(9, all_fits)) == ["b", "a"]


def test_one_goes_always_and_more_while_they_fit():
    lane = Lane()
    for stream, audio_s in (("a", 9), ("b", 3), ("c", 2), ("d", 1)):
        lane.add(stream, 1, audio_s, 0)
    assert streams_of(lane.take(9, lambda audio_s: audio_s <= 5)) == ["a"]
    assert streams_of(lane.take(9, lambda audio_s: audio_s <= 5)) == ["b", "c"]


def test_what_ends_an_utterance_shares_with_its_like():
    lane = Lane()
    lane.add("a", 1, 1, 0, ends=True)
    lane.add("b", 2, 1, 0, ends=True)
    lane.add("c", 3, 1, 0)
    assert streams_of(lane.take(9, all_fits)) == ["a", "b"]


def test_a_step_has_one_kind_that_of_the_nearest_deadline():
    lanes = LanesByKind()
    assert lanes.first() is None
    assert lanes.take(9, all_fits) == []
    for stream, deadline_s, kind in (("a", 3, "x"), ("b", 1, "y"), ("c", 2, "x"), ("d", 4, "y")):
        lanes.add(stream, deadline_s, 1, 0, kind=kind)
    assert len(lanes) == 4
    assert "c" in lanes
    assert streams_of(lanes.take(9, all_fits)) == ["b", "d"]
    assert streams_of(lanes.take(1, all_fits)) == ["c"]
    assert len(lanes) == 1
    lanes.leave("a")
    lanes.leave("never there")
    assert (len(lanes), "a" in lanes, lanes.first()) == (0, False, None)


def test_one_leaves_and_others_of_its_kind_stay():
    lanes = LanesByKind()
    lanes.add("a", 1, 1, 0, kind="x")
    lanes.add("b", 2, 1, 0, kind="x")
    lanes.leave("a")
    assert lanes.first().stream == "b"


def test_the_next_window_is_expected_and_not_for_ever():
    expected = Expected()
    assert expected.next_s(0) == math.inf
    expected.expect("a", 1.0)
    expected.expect("b", 2.0)
    assert expected.next_s(0) == 1.0
    expected.expect("a", 3.0)
    assert expected.next_s(0) == 2.0
    assert expected.next_s(2.5) == 3.0
    expected.forget("a")
    assert expected.next_s(0) == math.inf


def test_times_that_nobody_asks_for_do_not_pile_up():
    expected = Expected()
    for turn in range(1_000):
        for stream in range(10):
            expected.expect(stream, float(turn))
    assert len(expected._heap) <= 4 * 10 + 64 + 1
    assert expected.next_s(999.0) == 999.0
