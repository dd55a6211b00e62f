import itertools

import numpy as np
import pytest

from benchmarks.fleet.demand import DAY_S, HOUR_S, Burst, Demand, arrivals, standing


def drawn(seed=0):
    return np.random.default_rng(seed)


def test_sessions_come_in_order_and_as_often_as_the_curve_says():
    demand = Demand(2_000)
    sessions = list(arrivals(demand, 0, DAY_S, drawn()))
    begins = [each.begins_s for each in sessions]
    assert begins == sorted(begins)
    expected = sum(demand.rate(second) for second in range(0, 86_400, 60)) * 60
    assert len(sessions) == pytest.approx(expected, rel=0.01)
    at_peak = sum(13 * HOUR_S <= each < 15 * HOUR_S for each in begins)
    at_night = sum(1 * HOUR_S <= each < 3 * HOUR_S for each in begins)
    assert at_night / at_peak == pytest.approx(0.3, abs=0.03)


def test_lengths_and_speech_are_what_they_are_said_to_be():
    demand = Demand(20_000, longest_s=1_000)
    sessions = list(arrivals(demand, 0, HOUR_S, drawn()))
    lengths = [each.lasts_s for each in sessions]
    assert np.mean(lengths) == pytest.approx(demand.mean_s, rel=0.03)
    assert max(lengths) == 1_000
    assert np.mean([each.speech for each in sessions]) == pytest.approx(0.45, abs=0.01)


def test_streams_that_are_there_have_what_is_left_of_long_sessions():
    demand = Demand(20_000, sigma=0.5, longest_s=1e9, night=1.0)
    there = standing(demand, 0, drawn())
    assert len(there) == pytest.approx(20_000, rel=0.03)
    # E[X²] / 2 E[X] of a log-normal: half its mean, times exp(sigma²).
    left_s = demand.mean_s / 2 * np.exp(0.25)
    assert np.mean([each.lasts_s for each in there]) == pytest.approx(left_s, rel=0.03)


def test_a_burst_brings_more_and_no_forecast_knows_it():
    burst = Demand(1_000, burst=Burst(HOUR_S, 600, 3.0))
    calm = Demand(1_000)
    assert burst.rate(HOUR_S) == pytest.approx(3 * calm.rate(HOUR_S))
    assert burst.rate(HOUR_S + 600) == calm.rate(HOUR_S + 600)
    assert burst.forecast(HOUR_S) == calm.forecast(HOUR_S)


def test_equal_seeds_give_equal_sessions():
    def first(seed):
        return list(itertools.islice(arrivals(Demand(100), 0, DAY_S, drawn(seed)), 50))

    assert first(1) == first(1)
    assert first(1) != first(2)


def test_nothing_comes_after_the_end():
    assert all(each.begins_s < 25 for each in arrivals(Demand(50_000), 0, 25, drawn()))
