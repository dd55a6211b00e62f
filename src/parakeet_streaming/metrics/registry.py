"""Numbers go in where something happens; counts, levels and percentiles by name come out.

Rules of this file:

1. No clock and no thread: who measures seconds hands them in.
2. One thread writes each metric; any thread may read. A count or a level is one reference, which is
   stored whole; `histogram.py` says how histograms are read. A snapshot does not show all metrics
   at the same moment: while it is taken, the writers go on.
3. Names follow Prometheus's rules, in base units: `_seconds`, and `_total` for what only grows. No
   metric is kept per stream. Labels have few values, which are fixed where the metric is made.
4. A metric costs about a microsecond per number, so none can be switched off.
5. Each metric carries its help: one line, in words that a reader of a dashboard knows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Final

from parakeet_streaming.errors import OptionError
from parakeet_streaming.metrics.histogram import Distribution, Histogram

PREFIX: Final = "parakeet_"
"""Stands before every name where metrics of other programs are beside them."""


class Gauge:
    """A level that goes up and down."""

    __slots__ = ("help", "value")

    def __init__(self, help: str = "") -> None:
        self.help = help
        self.value = 0.0

    def set(self, value: float) -> None:
        self.value = value


class Counter:
    """A number that only grows."""

    __slots__ = ("help", "total")

    def __init__(self, help: str = "") -> None:
        self.help = help
        self.total: float = 0

    def add(self, amount: float = 1) -> None:
        """Adds `amount`.

        Raises:
            OptionError: below 0.
        """
        if amount < 0:
            raise OptionError(f"a counter only grows; {amount} cannot be added to it")
        self.total += amount


class LabelledCounter:
    """One counter for each value of a label."""

    __slots__ = ("_counters", "help", "label")

    def __init__(self, label: str, *values: str, help: str = "") -> None:
        self.help = help
        self.label = label
        self._counters = {value: Counter(help) for value in values}

    def __getitem__(self, value: str) -> Counter:
        """The counter of one value.

        Raises:
            OptionError: not a value of this label.
        """
        counter = self._counters.get(value)
        if counter is None:
            raise OptionError(
                f"{value!r} is no {self.label} that is counted; use {', '.join(self._counters)}"
            )
        return counter

    def totals(self) -> dict[str, float]:
        """Every value and its total."""
        return {value: counter.total for value, counter in self._counters.items()}


Metric = Gauge | Counter | LabelledCounter | Histogram


@dataclass(frozen=True, slots=True)
class MetricsSnapshot:
    """All metrics by name, without the prefix."""

    gauges: Mapping[str, float]
    counters: Mapping[str, float]
    counters_by: Mapping[str, Mapping[str, float]]
    """Name, value of the label, total."""
    histograms: Mapping[str, Distribution]

    def as_json(self) -> dict[str, dict[str, object]]:
        """For `json.dumps`; of histograms everything but the buckets."""
        histograms: dict[str, object] = {}
        for name, distribution in self.histograms.items():
            histograms[name] = {
                key: value for key, value in asdict(distribution).items() if key != "buckets"
            }
        counters: dict[str, object] = {**self.counters}
        counters |= {name: dict(totals) for name, totals in self.counters_by.items()}
        return {"gauges": {**self.gauges}, "counters": counters, "histograms": histograms}


class MetricSet:
    """Metrics by name: the attributes of the class that inherits from this one."""

    def snapshot(self) -> MetricsSnapshot:
        """All metrics as they are now. Any thread may ask."""
        metrics: dict[str, Metric] = vars(self)
        return MetricsSnapshot(
            gauges={name: each.value for name, each in metrics.items() if isinstance(each, Gauge)},
            counters={
                name: each.total for name, each in metrics.items() if isinstance(each, Counter)
            },
            counters_by={
                name: each.totals()
                for name, each in metrics.items()
                if isinstance(each, LabelledCounter)
            },
            histograms={
                name: each.snapshot()
                for name, each in metrics.items()
                if isinstance(each, Histogram)
            },
        )

    def label_of(self, name: str) -> str:
        """The label of a counter that has one."""
        counter: LabelledCounter = getattr(self, name)
        return counter.label

    def help_of(self, name: str) -> str:
        """What a metric is, in words."""
        metric: Metric = getattr(self, name)
        return metric.help
