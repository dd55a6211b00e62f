"""What Prometheus reads is what the snapshot says."""

import builtins
import sys

import pytest
from prometheus_client.parser import text_string_to_metric_families

from parakeet_streaming.errors import ExtraMissingError
from parakeet_streaming.live.metrics import LiveMetrics
from parakeet_streaming.metrics.prometheus import process_text, prometheus_text
from parakeet_streaming.metrics.registry import PREFIX


def parsed(metrics):
    families = list(text_string_to_metric_families(prometheus_text(metrics)))
    samples = {
        (sample.name.removeprefix(PREFIX), *sample.labels.items()): sample.value
        for family in families
        for sample in family.samples
    }
    return families, samples


def test_every_metric_is_there_with_its_help():
    metrics = LiveMetrics()
    families, _ = parsed(metrics)
    assert {each.name.removeprefix(PREFIX): each.documentation for each in families} == {
        name.removesuffix("_total"): metrics.help_of(name) for name in vars(metrics)
    }


def test_values_labels_and_buckets():
    metrics = LiveMetrics()
    metrics.ready_streams.set(4)
    metrics.audio_seconds_total.add(1.5)
    metrics.streams_total["failed"].add(2)
    for batch in (1, 5, 5, 200):
        metrics.batch_size.record(batch)
    metrics.emission_delay_seconds.record(0.5)
    _, samples = parsed(metrics)
    assert samples["ready_streams",] == 4
    assert samples["audio_seconds_total",] == 1.5
    assert samples["streams_total", ("outcome", "failed")] == 2
    assert samples["streams_total", ("outcome", "finished")] == 0
    within = {bound: samples["batch_size_bucket", ("le", bound)] for bound in ("4.0", "8.0")}
    assert within == {"4.0": 1, "8.0": 3}
    assert samples["batch_size_bucket", ("le", "+Inf")] == samples["batch_size_count",] == 4
    assert samples["batch_size_sum",] == 211
    assert samples["emission_delay_seconds_bucket", ("le", "0.316228")] == 0
    assert samples["emission_delay_seconds_bucket", ("le", "0.562341")] == 1


def test_without_the_library_the_extra_is_named(monkeypatch):
    real = builtins.__import__

    def failing(name, *rest):
        if name == "prometheus_client":
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", failing)
    with pytest.raises(ExtraMissingError, match=r"parakeet-streaming\[metrics\]"):
        prometheus_text(LiveMetrics())


def test_what_the_system_tells_of_this_process():
    families = {family.name for family in text_string_to_metric_families(process_text())}
    assert not sys.platform.startswith("linux") or "process_resident_memory_bytes" in families
