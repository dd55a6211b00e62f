"""Everything that is measured has a name, a help line and a place in the snapshot."""

import json
import re

import pytest

from parakeet_streaming.errors import OptionError
from parakeet_streaming.live.metrics import LiveMetrics
from parakeet_streaming.metrics.histogram import Histogram
from parakeet_streaming.metrics.registry import Counter, LabelledCounter


def test_every_metric_has_a_help_line():
    metrics = LiveMetrics()
    assert all(metrics.help_of(name) for name in vars(metrics))


def test_names_tell_units_and_kinds():
    for name, metric in vars(LiveMetrics()).items():
        assert re.fullmatch(r"[a-z_]+", name)
        assert name.endswith("_total") == isinstance(metric, (Counter, LabelledCounter))
        if isinstance(metric, Histogram):
            assert name.endswith("_seconds") or name == "batch_size"


def test_a_snapshot_is_what_was_recorded_and_stays_so():
    metrics = LiveMetrics()
    metrics.active_streams.set(3)
    metrics.active_streams.set(2)
    metrics.tokens_total.add(5)
    metrics.audio_seconds_total.add(0.5)
    metrics.utterances_total["silence"].add()
    metrics.batch_size.record(2)
    metrics.encoder_step_seconds.record(0.25)
    snapshot = metrics.snapshot()
    metrics.tokens_total.add()
    metrics.batch_size.record(3)
    metrics.utterances_total["silence"].add()
    assert snapshot.gauges["active_streams"] == 2
    assert snapshot.counters == {
        "audio_seconds_total": 0.5, "speech_seconds_total": 0, "tokens_total": 5,
    }  # fmt: skip
    assert snapshot.counters_by["utterances_total"] == {
        "silence": 1, "commit": 0, "max_length": 0, "end": 0,
    }  # fmt: skip
    assert snapshot.histograms["batch_size"].count == 1
    assert snapshot.histograms["encoder_step_seconds"].mean == 0.25


def test_as_json():
    metrics = LiveMetrics()
    metrics.rejected_total["load"].add()
    metrics.end_to_end_lag_seconds.record(0.5)
    told = json.loads(json.dumps(metrics.snapshot().as_json()))
    assert {name for kind in told.values() for name in kind} == set(vars(metrics))
    assert told["gauges"]["rtf_recent"] == 0
    assert told["counters"]["rejected_total"] == {"streams": 0, "load": 1}
    assert told["counters"]["tokens_total"] == 0
    assert told["histograms"]["end_to_end_lag_seconds"] == {
        "count": 1, "sum": 0.5, "mean": 0.5, "p50": 0.5, "p95": 0.5, "p99": 0.5, "max": 0.5,
    }  # fmt: skip
    assert told["histograms"]["vad_step_seconds"]["p99"] is None


def test_counters_only_grow():
    with pytest.raises(OptionError, match="only grows"):
        LiveMetrics().tokens_total.add(-1)


def test_labels_have_fixed_values():
    metrics = LiveMetrics()
    assert metrics.label_of("context_changes_total") == "direction"
    with pytest.raises(OptionError, match="no direction that is counted; use longer, shorter"):
        metrics.context_changes_total["sideways"].add()
