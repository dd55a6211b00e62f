"""A set of metrics in; Prometheus's text out. The only file that imports prometheus_client.

Nothing is counted twice: the client library only writes down what a snapshot says.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from parakeet_streaming.errors import ExtraMissingError
from parakeet_streaming.metrics.registry import PREFIX, MetricSet

if TYPE_CHECKING:
    from prometheus_client import Metric


class MetricsCollector:
    """For a registry of prometheus_client: `registry.register(MetricsCollector(metrics))`."""

    def __init__(self, metrics: MetricSet) -> None:
        self._metrics = metrics

    def collect(self) -> Iterator[Metric]:
        """One family per metric, from one snapshot."""
        from prometheus_client import core

        snapshot = self._metrics.snapshot()
        help_of = self._metrics.help_of
        for name, value in snapshot.gauges.items():
            yield core.GaugeMetricFamily(PREFIX + name, help_of(name), value)
        for name, total in snapshot.counters.items():
            yield core.CounterMetricFamily(PREFIX + name, help_of(name), total)
        for name, totals in snapshot.counters_by.items():
            label = self._metrics.label_of(name)
            counter = core.CounterMetricFamily(PREFIX + name, help_of(name), labels=[label])
            for each, total in totals.items():
                counter.add_metric([each], total)
            yield counter
        for name, distribution in snapshot.histograms.items():
            buckets = [
                (str(float(f"{bound:.6g}")), float(count)) for bound, count in distribution.buckets
            ]
            buckets.append(("+Inf", float(distribution.count)))
            yield core.HistogramMetricFamily(
                PREFIX + name, help_of(name), buckets=buckets, sum_value=distribution.sum
            )


def prometheus_text(metrics: MetricSet) -> str:
    """All metrics in Prometheus's text format, to be served as `text/plain; version=0.0.4`.

    Raises:
        ExtraMissingError: prometheus_client is not installed.
    """
    return _text(MetricsCollector(metrics))


def process_text() -> str:
    """Memory, processor time and open files of this process, where the system tells them.

    Raises:
        ExtraMissingError: prometheus_client is not installed.
    """
    return _text(_Process())


class _Process:
    """Collects what the library knows of this process; made where the library is there."""

    def collect(self) -> Iterable[Metric]:
        from prometheus_client import ProcessCollector

        metrics: Iterable[Metric] = ProcessCollector(registry=None).collect()
        return metrics


def _text(collector: MetricsCollector | _Process) -> str:
    try:
        from prometheus_client import CollectorRegistry, generate_latest
    except ImportError as error:
        raise ExtraMissingError(
            "prometheus_client is not installed; pip install 'parakeet-streaming[metrics]'"
        ) from error
    registry = CollectorRegistry(auto_describe=False)
    registry.register(collector)
    return generate_latest(registry).decode()
