"""Counts, means and percentiles from buckets, within the error that is stated."""

import math
import threading
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parakeet_streaming.errors import OptionError
from parakeet_streaming.metrics.histogram import COUNTS, SECONDS, Distribution, Histogram

ONE_BUCKET = 1.05
"""More than two neighbouring bounds of `SECONDS` differ by."""


def filled(numbers, *bounds):
    histogram = Histogram(*bounds)
    for number in numbers:
        histogram.record(number)
    return histogram.snapshot()


def percentiles(snapshot):
    return {0.50: snapshot.p50, 0.95: snapshot.p95, 0.99: snapshot.p99}.items()


def test_bounds_of_seconds():
    assert SECONDS[0] == 1e-5
    assert SECONDS[-1] == 1e4
    assert {1e-3, 1.0, 10.0, 1000.0} <= set(SECONDS)
    assert max(high / low for low, high in pairwise(SECONDS)) < ONE_BUCKET


def test_without_numbers():
    told = tuple((bound, 0) for bound in SECONDS[::12])
    assert Histogram().snapshot() == Distribution(0, 0.0, None, None, None, None, None, told)


def test_whole_numbers_are_exact():
    snapshot = filled([1] * 50 + [7] * 45 + [32] * 4 + [100], COUNTS)
    assert (snapshot.count, snapshot.mean, snapshot.max) == (100, 5.93, 100)
    assert (snapshot.p50, snapshot.p95, snapshot.p99) == (1, 7, 32)


def test_a_number_on_a_bound_is_at_most_it():
    snapshot = filled([1, 2, 2, 3, 9], [1, 2, 3], [1, 3])
    assert snapshot.buckets == ((1, 1), (3, 4))
    assert snapshot.count == 5


def test_numbers_outside_the_bounds():
    low = filled([-2.0, 0.0, 1e-9])
    assert (low.p99, low.mean, low.count) == (1e-9, pytest.approx(-2 / 3), 3)
    high = filled([1.0, 5e4, 7e4])
    assert (high.p95, high.p99, high.max) == (7e4, 7e4, 7e4)


@given(st.lists(st.floats(1e-5, 1e4), min_size=1, max_size=300))
def test_a_percentile_is_never_too_low_and_at_most_a_bucket_too_high(numbers):
    snapshot = filled(numbers)
    ordered = np.sort(numbers)
    assert snapshot.count == len(numbers)
    assert snapshot.mean == pytest.approx(np.mean(numbers))
    assert snapshot.max == ordered[-1]
    for share, told in percentiles(snapshot):
        true = ordered[math.ceil(share * len(numbers)) - 1]
        assert true <= told <= true * ONE_BUCKET


@pytest.mark.parametrize("sigma", [0.1, 1.0, 3.0])
def test_percentiles_of_delays_beside_numpy(sigma):
    delays = np.random.default_rng(7).lognormal(-2, sigma, 9_973)
    for share, told in percentiles(filled(delays.tolist())):
        true = np.quantile(delays, share, method="inverted_cdf")
        assert true <= told <= true * ONE_BUCKET


@pytest.mark.parametrize("bounds", [[], [1, 1], [2, 1]])
def test_bounds_that_do_not_ascend_are_refused(bounds):
    with pytest.raises(OptionError, match="ascend"):
        Histogram(bounds)


def test_bounds_that_are_not_there_cannot_be_listed():
    with pytest.raises(OptionError, match="only list bounds that it has"):
        Histogram([1, 2], [1.5])


def test_snapshots_agree_with_themselves_while_another_thread_records():
    """Each number is 1, so the sum may be at most the one in flight less than the count."""
    histogram = Histogram()
    recorded = 20_000

    def record():
        for _ in range(recorded):
            histogram.record(1.0)

    thread = threading.Thread(target=record)
    thread.start()
    before = 0
    while thread.is_alive():
        snapshot = histogram.snapshot()
        assert snapshot.count >= before
        assert snapshot.count - snapshot.sum in {0, 1}
        assert snapshot.p50 in {1.0, None}
        before = snapshot.count
    thread.join()
    assert histogram.snapshot().count == histogram.snapshot().sum == recorded


@pytest.mark.parametrize("count", [0, 1, 23, 24, 500])
def test_many_numbers_at_once_count_as_one_by_one(count):
    numbers = np.random.default_rng(count).exponential(0.1, count).tolist()
    numbers[:3] = [SECONDS[0], 1e9, -1.0][:count]
    one_by_one, at_once = Histogram(), Histogram()
    for number in numbers:
        one_by_one.record(number)
    at_once.record_all(numbers)
    one, other = one_by_one.snapshot(), at_once.snapshot()
    assert (one.count, one.max, one.p50, one.buckets) == (
        other.count,
        other.max,
        other.p50,
        other.buckets,
    )
    assert other.sum == pytest.approx(one.sum)
