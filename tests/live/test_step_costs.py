"""What a step costs is learnt of each kind of steps, and no kind is scaled up to another."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parakeet_streaming.live.step_costs import CostModel


def measured(*steps):
    model = CostModel()
    for audio_s, took_s, *streams in steps:
        model.measured(audio_s, took_s, *streams)
    return model


@given(
    fixed_s=st.floats(0.001, 1.0),
    per_audio_s=st.floats(0.001, 1.0),
    audio=st.lists(st.floats(1.0, 100.0), min_size=5, max_size=40),
)
def test_two_parts_are_found_where_windows_differ(fixed_s, per_audio_s, audio):
    audio = [*audio, 1.0, 10.0, 100.0]
    model = measured(*((each, fixed_s + per_audio_s * each) for each in audio))
    for each in (0.5, 7.0, 200.0):
        assert model.step_s(each) == pytest.approx(fixed_s + per_audio_s * each, rel=0.05)


@given(
    fixed_s=st.floats(0.001, 0.1),
    per_stream_s=st.floats(0.001, 0.1),
    per_audio_s=st.floats(0.001, 0.1),
)
def test_three_parts_are_found_where_streams_differ_too(fixed_s, per_stream_s, per_audio_s):
    kinds = [(1, 1.0), (3, 1.0), (1, 4.0), (3, 4.0)]
    model = measured(
        *(
            (n * w, fixed_s + per_stream_s * n + per_audio_s * n * w, n)
            for n, w in kinds
            for _ in range(2)
        )
    )
    assert model.parts == pytest.approx((fixed_s, per_stream_s, per_audio_s), rel=1e-3)


@given(
    st.lists(
        st.tuples(st.floats(0.1, 100.0), st.floats(0.0, 10.0), st.integers(1, 64)),
        min_size=1,
        max_size=40,
    )
)
def test_no_part_is_ever_below_zero(steps):
    assert min(measured(*steps).parts) >= 0


def test_steps_that_are_alike_cost_in_proportion_to_their_audio():
    model = measured(*[(4.0, 0.5)] * 30)
    assert model.parts == (0.0, 0.0, pytest.approx(0.125))
    assert model.step_s(8.0) == pytest.approx(1.0)


def test_a_thousand_short_windows_do_not_make_long_ones_dearer():
    """Each stream costs 7 ms and each second 4 ms, as in a graph that runs stream by stream."""
    took = {(n, w): n * (0.007 + 0.004 * w) for n in (1, 3, 8) for w in (1.0, 1.5, 4.0, 6.0)}
    model = measured(*((n * w, took[n, w], n) for n, w in ((1, 1.0), (3, 1.0), (1, 4.0))))
    for turn in range(1_000):
        n, w = (1, 3, 8)[turn % 3], (1.0, 1.5)[turn % 2]
        model.measured(n * w, took[n, w] * (0.95, 1.05)[turn // 6 % 2], n)
    assert model.step_s(6.0) == pytest.approx(took[1, 6.0], rel=0.2)
    assert model.step_s(48.0, 8) == pytest.approx(took[8, 6.0], rel=0.2)


def test_a_machine_that_became_slower_is_believed():
    model = measured((1.0, 0.01), (4.0, 0.03), (3.0, 0.03, 3))
    for turn in range(100):
        w = (1.0, 4.0)[turn % 2]
        model.measured(w, 0.1 + 0.1 * w)
    assert model.step_s(8.0) == pytest.approx(0.9, rel=0.1)


def test_larger_steps_that_took_less_time_have_a_fixed_cost_alone():
    model = measured(*[(1.0, 2.0), (2.0, 1.0)] * 10)
    assert model.parts[1:] == (0.0, 0.0)
    assert 1.0 < model.step_s(5.0) < 2.0


def test_a_first_step_that_compiled_is_forgotten():
    model = measured((4.0, 30.0), (4.0, 0.4), (4.0, 0.4), (4.0, 0.4))
    assert model.step_s(4.0) == pytest.approx(0.4, rel=0.5)
    for _ in range(50):
        model.measured(4.0, 0.4)
    assert model.step_s(4.0) == pytest.approx(0.4, rel=0.05)


def test_a_step_of_no_audio_says_nothing():
    assert measured((0.0, 5.0)).step_s(1.0) == 0.0
    assert CostModel().parts == (0.0, 0.0, 0.0)


def test_kinds_are_bounded():
    model = CostModel()
    for power in range(200):
        model.measured(2.0 ** (power / 2 - 50), 1.0)
    assert len(model._kinds) <= 64
