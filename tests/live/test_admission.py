"""What a step costs is learnt, and a full engine refuses at once."""

import sys
from statistics import median

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parakeet_streaming.errors import CapacityError
from parakeet_streaming.live import admission as admission_module
from parakeet_streaming.live.admission import Admission
from parakeet_streaming.live.demand import StreamCost


def uses(audio_s, steps=1.0):
    return StreamCost(steps, audio_s)


def test_a_full_engine_refuses_and_stays_as_it_was():
    admission = Admission(most_streams=2)
    admission.admit("a", uses(2))
    admission.admit("b", uses(2))
    with pytest.raises(CapacityError, match="2 of 2"):
        admission.admit("c", uses(2))
    assert admission.bound_met("live") == "streams"
    assert len(admission) == 2
    assert "c" not in admission
    admission.leave("a")
    admission.leave("a")
    admission.admit("c", uses(2))


def test_a_stream_may_give_its_place_to_another_one():
    admission = Admission(most_streams=1)
    admission.admit("a", uses(2))
    admission.admit("b", uses(2), instead_of="a")
    assert ("a" in admission, "b" in admission, len(admission)) == (False, True, 1)
    # One that has gone has no place to give.
    with pytest.raises(CapacityError):
        admission.admit("c", uses(2), instead_of="a")
    admission.leave("a")
    assert len(admission) == 1


def test_a_place_is_kept_where_the_other_one_is_refused():
    admission = Admission(most_load=0.9)
    admission.admit("a", uses(2))
    admission.admit("b", uses(2))
    admission.measured(audio_s=10, took_s=1)
    admission.measured(audio_s=0, took_s=1)
    load = admission.load
    with pytest.raises(CapacityError):
        admission.admit("c", uses(200, 50), instead_of="a")
    assert ("a" in admission, "c" in admission) == (True, False)
    assert admission.load == pytest.approx(load)


def test_the_measured_cost_bounds_the_engine():
    admission = Admission(most_load=0.9)
    admission.admit("a", uses(2))
    admission.admit("b", uses(2))
    assert admission.load == 0
    admission.measured(audio_s=10, took_s=1)
    admission.measured(audio_s=0, took_s=1)
    assert admission.load == pytest.approx(0.4)
    admission.admit("c", uses(2))
    admission.admit("d", uses(2))
    with pytest.raises(CapacityError, match=r"80\.0%.*100\.0%, above 90%"):
        admission.admit("e", uses(2))
    assert admission.bound_met("live") == "load"
    for _ in range(100):
        admission.measured(audio_s=10, took_s=0.5)
    admission.admit("e", uses(2))
    assert admission.load == pytest.approx(0.5, rel=0.01)


def test_streams_share_the_fixed_cost_of_a_step_as_far_as_a_step_holds_them():
    admission = Admission(batch_streams=4, most_load=10.0)
    for audio_s in (1.0, 2.0, 1.0, 2.0):
        admission.measured(audio_s, 0.1 + 0.01 * audio_s)
    loads = []
    for number in range(8):
        admission.admit(number, uses(2, steps=2))
        loads.append(admission.load)
    fixed = [0.2, 0.2, 0.2, 0.2, 0.25, 0.3, 0.35, 0.4]
    assert loads == pytest.approx([part + 0.02 * (n + 1) for n, part in enumerate(fixed)])


def test_a_single_stream_is_let_in_however_slow_the_machine():
    admission = Admission()
    admission.measured(audio_s=1, took_s=5)
    admission.admit("a", uses(7))
    with pytest.raises(CapacityError):
        admission.admit("b", uses(0.1))


def test_an_engine_is_full_when_larger_chunks_would_not_help_either():
    admission = Admission(most_load=0.9)
    admission.measured(audio_s=10, took_s=1)
    admission.admit("a", uses(8), uses(4))
    admission.admit("b", uses(8), uses(4))
    assert admission.load == pytest.approx(0.8)
    with pytest.raises(CapacityError, match=r"80\.0%.*120\.0%, above 90%"):
        admission.admit("c", uses(8), uses(4))
    admission.uses("a", uses(4))
    admission.uses("never there", uses(4))
    assert admission.load == pytest.approx(0.8)
    # With the chunks that they have now.
    assert admission.load_with("a", uses(4)) == pytest.approx(1.2)
    assert admission.load_with("a", uses(8)) == pytest.approx(1.6)
    assert admission.load_with("never there", uses(8)) == pytest.approx(1.2)


def test_a_stream_of_whose_audio_most_is_passed_over_counts_less():
    admission = Admission()
    admission.measured(audio_s=10, took_s=1)
    admission.admit("a", uses(8))
    for _ in range(60):
        admission.used("a", 1.0, encoded_s=8.0)
    assert admission.load == pytest.approx(0.8)
    for _ in range(120):
        admission.used("a", 1.0)
    admission.used("never there", 1.0)
    assert 0.1 < admission.load < 0.3
    for number in range(3):
        admission.admit(number, uses(1))


def test_new_streams_count_as_full_until_hundreds_have_ended_while_they_were_new():
    admission = Admission(most_load=1e9)
    admission.measured(audio_s=10, took_s=1)

    def call(name):
        admission.admit(name, uses(6), new_s=5.0)
        admission.used(name, 0.5, encoded_s=1.0)
        admission.used(name, 0.5, encoded_s=1.5)

    for number in range(8):
        admission.admit(number, uses(6), new_s=5.0)
    assert admission.load == pytest.approx(8 * 0.6)
    for number in range(8, 400):
        call(number)
        admission.leave(number - 8)
    assert admission.load < 8 * 0.6 / 2
    # More than are usual are not taken to be like those.
    counted = admission.load
    for number in range(400, 500):
        admission.admit(number, uses(6), new_s=5.0)
    assert admission.load > counted + 90 * 0.6
    # One that stays counts as full, and so do those after it.
    for number in range(400, 500):
        admission.used(number, 6.0, encoded_s=60.0)
    for number in range(392, 500):
        admission.leave(number)
    assert len(admission) == 0
    assert admission.load == 0.0


def test_listening_counts_for_every_stream():
    admission = Admission()
    admission.listened(audio_s=2, took_s=0.2)
    admission.admit("a", uses(5))
    admission.admit("b", uses(5))
    assert admission.load == pytest.approx(0.2)
    for _ in range(200):
        admission.listened(audio_s=1, took_s=0.2)
    assert admission.load == pytest.approx(0.4, rel=0.01)


def test_recordings_have_a_bound_of_their_own_and_are_no_load():
    admission = Admission(most_streams=1, most_recordings=2)
    admission.measured(audio_s=1, took_s=1)
    admission.admit_recording("a")
    admission.admit_recording("b")
    assert admission.load == 0.0
    with pytest.raises(CapacityError, match="2 of 2 recordings"):
        admission.admit_recording("c")
    assert admission.bound_met("recording") == "recordings"
    admission.admit("live", uses(1))
    admission.leave("a")
    admission.admit_recording("c")
    assert "c" in admission


@given(
    acts=st.lists(st.tuples(st.booleans(), st.integers(0, 9), st.floats(0.1, 9.0)), max_size=200)
)
def test_sums_are_those_of_the_streams_that_are_in(acts):
    admission, inside = Admission(most_load=1e9), {}
    admission.measured(audio_s=1, took_s=0.5)
    for coming, stream, rate in acts:
        if coming and stream not in inside:
            admission.admit(stream, uses(rate))
            inside[stream] = rate
        elif coming:
            admission.uses(stream, uses(rate))
            admission.used(stream, rate, encoded_s=rate * rate)
        else:
            admission.leave(stream)
            inside.pop(stream, None)
        assert admission.load == pytest.approx(0.5 * sum(inside.values()))


def loads_of_a_day():
    """Loads while streams become known, use parts of their cost, and come and go."""
    admission, loads = Admission(most_load=1e9), []
    admission.measured(audio_s=1, took_s=0.5)
    for turn in range(600):
        stream = turn % 7
        if stream not in admission:
            admission.admit(stream, uses(3.0), uses(2.0), new_s=stream / 2)
        admission.used(stream, 0.5, encoded_s=turn % 3 / 4)
        if turn % 97 == 96:
            admission.leave(stream)
        loads.append((admission.load, admission.load_with(3, uses(1.0))))
    return loads


def test_sums_that_are_kept_are_those_that_are_made_anew(monkeypatch):
    kept = loads_of_a_day()
    monkeypatch.setattr(admission_module, "_CHANGES_TO_REFRESH", 0)
    monkeypatch.setattr(admission_module, "_OF_EACH", 0)
    assert loads_of_a_day() == [pytest.approx(each) for each in kept]


def test_a_join_costs_the_same_however_many_are_inside():
    admission = Admission(most_load=1e9)
    admission.measured(audio_s=1, took_s=0.5)
    calls = []
    for number in range(1_000):
        count = 0

        def counted(*_):
            nonlocal count
            count += 1

        sys.setprofile(counted)
        try:
            admission.admit(number, uses(7.0))
        finally:
            sys.setprofile(None)
        calls.append(count)
    assert median(calls[500:]) <= 2 * median(calls[:100])


def test_a_stream_has_a_step_for_each_chunk():
    assert StreamCost(2.0, 6.0).chunk_s == 0.5


def test_a_step_takes_what_steps_took():
    admission = Admission()
    assert admission.step_s(3.0) == 0.0
    for _ in range(30):
        admission.measured(2.0, 0.25)
    assert admission.step_s(4.0) == pytest.approx(0.5)
