"""Where a session's time went."""

import json

import pytest

from parakeet_streaming import ContextConfig
from parakeet_streaming.cli.report import (
    Trace,
    check_writable,
    counts_in_words,
    latency_rows,
    report_object,
    write_report,
)
from parakeet_streaming.errors import OptionError
from parakeet_streaming.live.metrics import LiveMetrics
from parakeet_streaming.live.stats import StreamStats
from parakeet_streaming.metrics.histogram import Histogram
from parakeet_streaming.results import ContextChanged, Gap, Partial, Token

CONTEXT = ContextConfig(5, 0.4, 0.4)


def partial(*ends):
    tokens = tuple(Token(0, " a", 0, 1, end - 0.08, end, 0.9) for end in ends)
    return Partial("", tokens, "", (), 0.4, 0.8)


def stats():
    delays = Histogram()
    delays.record(0.5)
    numbers = dict.fromkeys(StreamStats.__dataclass_fields__, 1)
    distributions = dict.fromkeys(
        ("emission_delay", "queue_wait", "finalization"), delays.snapshot()
    )
    return StreamStats(**{**numbers, "context": CONTEXT, "refused_samples": 8000, **distributions})


def test_a_step_has_the_parts_that_were_measured_since_the_last():
    metrics = LiveMetrics()
    trace = Trace(metrics, keep=True)
    metrics.encoder_step_seconds.record(0.2)
    metrics.chunk_queue_wait_seconds.record(0.05)
    trace.stepped(partial(0.3, 0.7), 0.3, CONTEXT)
    metrics.encoder_step_seconds.record(0.1)
    trace.stepped(partial(), 0.1, CONTEXT)
    first, second = trace.steps
    assert first.parts_s == pytest.approx({"queue": 0.05, "vad": 0, "encoder": 0.2, "decoder": 0})
    assert first.delays_s == pytest.approx((0.8, 0.4))
    assert second.parts_s == pytest.approx({"queue": 0, "vad": 0, "encoder": 0.1, "decoder": 0})
    assert trace.recent_lag_s() == pytest.approx(0.2)


def test_without_a_report_nothing_is_kept():
    trace = Trace(LiveMetrics(), keep=False)
    assert trace.recent_lag_s() == 0
    trace.stepped(partial(0.3), 0.3, CONTEXT)
    assert trace.steps == []
    assert trace.recent_lag_s() == 0.3


def test_delays_in_words():
    metrics = LiveMetrics()
    trace = Trace(metrics, keep=False)
    assert list(trace.delays_in_words()) == []
    metrics.emission_delay_seconds.record(0.5)
    (line,) = trace.delays_in_words()
    assert line == (
        "text appeared 0.50 s after it was spoken (median of 1 words; the latest 0.50 s)"
    )


def test_a_report_is_json_with_everything(tmp_path):
    metrics = LiveMetrics()
    metrics.emission_delay_seconds.record(0.5)
    trace = Trace(metrics, keep=True)
    trace.stepped(partial(0.3), 1 / 3, CONTEXT)
    trace.changes.append(ContextChanged(ContextConfig(5, 0.8, 0.4), 1.0))
    trace.gaps.append(Gap(1.0, 2.0))
    path = tmp_path / "report.json"
    write_report(str(path), report_object(trace, stats(), {"source": "-", "model": "tiny-en"}))
    report = json.loads(path.read_text())
    assert (report["source"], report["model"]) == ("-", "tiny-en")
    assert report["steps"][0]["lag_s"] == 0.333333
    assert report["stream"]["context"] == "5-0.4-0.4"
    assert report["stream"]["emission_delay"]["p99"] == 0.5
    assert "buckets" not in report["stream"]["emission_delay"]
    assert report["metrics"]["histograms"]["emission_delay_seconds"]["count"] == 1
    assert report["context_changes"] == [{"at_s": 1.0, "context": "5-0.8-0.4"}]
    assert report["gaps"] == [{"start_s": 1.0, "end_s": 2.0}]


def test_people_are_told_what_was_measured_and_no_more():
    metrics = LiveMetrics()
    metrics.encoder_step_seconds.record(0.0201)
    heading, *rows = latency_rows(metrics)
    assert [cell.strip() for cell in heading] == [
        "milliseconds",
        "count",
        "p50",
        "p95",
        "p99",
        "max",
    ]
    ((name, *numbers),) = rows
    assert name == "step: encoder"
    assert [number.strip() for number in numbers] == ["1", "20", "20", "20", "20"]


def test_counts_in_words():
    assert counts_in_words(stats()) == (
        "1.0 s of speech · 1 utterances, 1 tokens · 0.5 s refused\n"
        "context 5-0.4-0.4 · 1 steps · 1 chunks passed over as quiet"
    )


def test_a_report_that_could_not_be_written_is_refused_before(tmp_path):
    check_writable(None)
    check_writable(str(tmp_path / "report.json"))
    with pytest.raises(OptionError, match="make it first"):
        check_writable(str(tmp_path / "no" / "report.json"))
    with pytest.raises(OptionError, match="cannot write"):
        write_report(str(tmp_path), {})
