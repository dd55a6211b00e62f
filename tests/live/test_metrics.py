"""Every metric of live streams has a name by the rules and a help line."""

import re

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
