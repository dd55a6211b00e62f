"""Metrics by name: what is recorded is what a snapshot holds, and stays so."""

import json

import pytest

from parakeet_streaming.errors import OptionError
from parakeet_streaming.metrics.histogram import COUNTS, Histogram
from parakeet_streaming.metrics.registry import Counter, Gauge, LabelledCounter, MetricSet


class Shop(MetricSet):
    def __init__(self):
        self.open_doors = Gauge(help="Doors that are open")
        self.visitors_total = Counter(help="People who came in")
        self.sales_total = LabelledCounter("fruit", "apple", "pear", help="Fruit sold")
        self.queue_length = Histogram(COUNTS, (1.0, 2.0), help="People in the queue")
        self.wait_seconds = Histogram(help="Time in the queue")


def test_a_snapshot_is_what_was_recorded_and_stays_so():
    shop = Shop()
    shop.open_doors.set(3)
    shop.open_doors.set(2)
    shop.visitors_total.add(5)
    shop.visitors_total.add(0.5)
    shop.sales_total["pear"].add()
    shop.queue_length.record(2)
    shop.wait_seconds.record(0.25)
    snapshot = shop.snapshot()
    shop.visitors_total.add()
    shop.queue_length.record(3)
    shop.sales_total["pear"].add()
    assert snapshot.gauges == {"open_doors": 2}
    assert snapshot.counters == {"visitors_total": 5.5}
    assert snapshot.counters_by == {"sales_total": {"apple": 0, "pear": 1}}
    assert snapshot.histograms["queue_length"].count == 1
    assert snapshot.histograms["queue_length"].buckets == ((1.0, 0), (2.0, 1))
    assert snapshot.histograms["wait_seconds"].mean == 0.25


def test_as_json():
    shop = Shop()
    shop.sales_total["apple"].add()
    shop.wait_seconds.record(0.5)
    written = json.loads(json.dumps(shop.snapshot().as_json()))
    assert {name for kind in written.values() for name in kind} == set(vars(shop))
    assert written["gauges"] == {"open_doors": 0}
    assert written["counters"] == {"visitors_total": 0, "sales_total": {"apple": 1, "pear": 0}}
    assert written["histograms"]["wait_seconds"] == {
        "count": 1, "sum": 0.5, "mean": 0.5, "p50": 0.5, "p95": 0.5, "p99": 0.5, "max": 0.5,
    }  # fmt: skip
    assert written["histograms"]["queue_length"]["p99"] is None


def test_each_metric_carries_its_help():
    shop = Shop()
    assert shop.help_of("open_doors") == "Doors that are open"
    assert shop.help_of("sales_total") == "Fruit sold"
    assert shop.help_of("wait_seconds") == "Time in the queue"


def test_counters_only_grow():
    shop = Shop()
    with pytest.raises(OptionError, match="only grows"):
        shop.visitors_total.add(-1)
    with pytest.raises(OptionError, match="only grows"):
        shop.sales_total["apple"].add(-1)
    assert shop.sales_total.totals() == {"apple": 0, "pear": 0}


def test_labels_have_fixed_values():
    shop = Shop()
    assert shop.label_of("sales_total") == "fruit"
    with pytest.raises(OptionError, match="no fruit that is counted; use apple, pear"):
        shop.sales_total["plum"].add()
